/* jobs.c: `leat list`, `leat status JOB`, `leat cancel JOB`, `leat savepoint JOB` and `leat stop
   JOB`: the jobs that listen, whoever of this user started them (leat/control.h). What they answer
   goes to stdout. */
#include "launcher.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { STATUS_MS = 5000, CANCEL_MS = 60000, SAVEPOINT_MS = 600000 };

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

static int ask(const command_line *line, const char *job, const char *request, int patience) {
    leat_error err;
    if (line->timeout_ms) patience = line->timeout_ms;
    return show(leat_control_ask(job, request, line->json, patience, &err), &err);
}

/* How many words follow the options: the JOB, and so many more. */
static bool has_job(const command_line *line, int argc, char **argv, int more) {
    int words = argc - line->rest;
    if (words >= 1 && words <= 1 + more && *argv[line->rest]) return true;
    say("%s: one JOB is needed, by its name or the beginning of its id%s; `leat list` shows which "
        "there are",
        argv[1], more ? ", and a folder at most" : "");
    return false;
}

/* The command is the request, too. */
int ask_job(int argc, char **argv) {
    command_line line;
    int code = EXIT_USAGE;
    int patience = strcmp(argv[1], "cancel") == 0 ? CANCEL_MS : STATUS_MS;
    if (command_line_read(&line, argc, argv, 2, "jt") && has_job(&line, argc, argv, 0))
        code = ask(&line, argv[line.rest], argv[1], patience);
    command_line_free(&line);
    return code;
}

/* The job may run in another folder: a DIR is the one that is meant here. */
int ask_savepoint(int argc, char **argv) {
    command_line line;
    char request[2 * PATH_MAX + 16], here[PATH_MAX] = "";
    int code = EXIT_USAGE;
    bool stops = strcmp(argv[1], "stop") == 0;
    if (command_line_read(&line, argc, argv, 2, stops ? "jtd" : "jt") &&
        has_job(&line, argc, argv, 1)) {
        const char *dir = argc - line.rest == 2 ? argv[line.rest + 1] : "";
        bool relative = *dir && *dir != '/' && !strstr(dir, "://");
        if (relative && !getcwd(here, sizeof here)) here[0] = '\0';
        snprintf(request, sizeof request, "%s%s%s%s%s", line.drain ? "drain" : argv[1],
                 *dir ? " " : "", here, *here ? "/" : "", dir);
        code = ask(&line, argv[line.rest], request, SAVEPOINT_MS);
    }
    command_line_free(&line);
    return code;
}
