/* jobs.c: `leat list`, `leat status JOB` and `leat cancel JOB`: the jobs that listen, whoever of
   this user started them (leat/control.h). What they answer goes to stdout. */
#include "launcher.h"

#include <stdio.h>
#include <string.h>

enum { STATUS_MS = 5000, CANCEL_MS = 60000 };

static int show(char *text, const leat_error *err) {
    if (text) fputs(text, stdout);
    leat_text_free(text);
    if (text) return EXIT_FINISHED;
    say("%s: %s", err->where, err->text);
    return EXIT_FAILED;
}

int list_jobs(int argc, char **argv) {
    command_line line;
    leat_error err;
    int code = EXIT_USAGE;
    if (command_line_read(&line, argc, argv, 2, "j")) {
        if (argv[line.rest])
            say("list: it takes no JOB; `leat status JOB` tells of one");
        else
            code = show(leat_control_list(line.json, &err), &err);
    }
    command_line_free(&line);
    return code;
}

/* The command is the request, too. */
int ask_job(int argc, char **argv) {
    command_line line;
    leat_error err;
    int code = EXIT_USAGE;
    if (command_line_read(&line, argc, argv, 2, "jt")) {
        int patience = strcmp(argv[1], "cancel") == 0 ? CANCEL_MS : STATUS_MS;
        if (line.timeout_ms) patience = line.timeout_ms;
        if (argc - line.rest != 1 || !*argv[line.rest])
            say("%s: one JOB is needed, by its name or the beginning of its id; `leat list` "
                "shows which there are",
                argv[1]);
        else
            code =
                show(leat_control_ask(argv[line.rest], argv[1], line.json, patience, &err), &err);
    }
    command_line_free(&line);
    return code;
}
