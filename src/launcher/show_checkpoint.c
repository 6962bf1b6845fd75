/* show_checkpoint.c: `leat checkpoint inspect` and `leat checkpoint list`: what is in a checkpoint
   or savepoint, and which a job has. */
#include "launcher.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static int print(char *text, const leat_error *error) {
    if (!text) {
        say("%s: %s", error->where, error->text);
        return EXIT_FAILED;
    }
    fputs(text, stdout);
    leat_text_free(text);
    return EXIT_FINISHED;
}

static int inspect(const char *path, bool json) {
    leat_error err = {.status = LEAT_OK};
    char *text = leat_checkpoint_inspect(path, json, &err);
    return print(text, &err);
}

/* A folder without checkpoints has an empty list, and one that is not there none. */
static int list(const char *folder, bool json) {
    leat_error err = {.status = LEAT_OK};
    struct stat st;
    if (stat(folder, &st) != 0 || !S_ISDIR(st.st_mode)) {
        say("%s: it is no folder; give that of a job, DIR/<job name>", folder);
        return EXIT_FAILED;
    }
    char *text = leat_checkpoint_list(folder, json, &err);
    if (text && !*text)
        say("%s: no checkpoints are there; give a job's folder, DIR/<job name>", folder);
    return print(text, &err);
}

int show_checkpoint(int argc, char **argv) {
    const char *verb = argc > 2 ? argv[2] : "";
    bool inspects = strcmp(verb, "inspect") == 0;
    if (!inspects && strcmp(verb, "list") != 0) {
        say("checkpoint %s: say `leat checkpoint inspect PATH` or `leat checkpoint list FOLDER`",
            verb);
        return EXIT_USAGE;
    }
    command_line line;
    if (!command_line_read(&line, argc, argv, 3, "j")) {
        command_line_free(&line);
        return EXIT_USAGE;
    }
    bool json = line.json;
    int rest = line.rest;
    command_line_free(&line);
    const char *path = argv[rest];
    if (path && argv[rest + 1] && strcmp(argv[rest + 1], "--json") == 0) {
        json = true;
        rest++;
    }
    if (!path || argv[rest + 1]) {
        say("checkpoint %s: one path is needed", verb);
        return EXIT_USAGE;
    }
    return inspects ? inspect(path, json) : list(path, json);
}
