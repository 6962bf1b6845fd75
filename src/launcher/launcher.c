/* launcher.c: the `leat` program: runs scripts and shared objects, looks at running jobs and ends
   them, shows plans and configuration, looks for what could go wrong. Standard output belongs to
   the job; what the program says goes to stderr.

   Python scripts are run by `python -m leat`, which has the same commands; this program only finds
   the right Python and becomes it. What is written in C runs right here (launch_shared.c).

   Exit codes: 0 finished, 1 failed, 2 usage or configuration, 3 refused to restore, 130 and 143
   cancelled. */
#include "launcher.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char usage[] =
    "usage: leat COMMAND ...\n"
    "\n"
    "  run [-D KEY=VALUE ...] [--job-name NAME] [-s PATH] [--quiet] SCRIPT [ARGUMENT ...]\n"
    "                 run a script written for PyFlink (or Leat), or a shared object that exports\n"
    "                 int leat_main(leat_env *, int argc, char **argv); --quiet: without the\n"
    "                 status line on the terminal\n"
    "      -s, --fromSavepoint PATH|latest  start from a checkpoint or savepoint; latest: from the\n"
    "                 newest checkpoint of this job, or afresh when there is none\n"
    "      -n, --allow-non-restored-state   leave out state of operators that are gone\n"
    "      --allow-older                    although sinks may have committed more than it has\n"
    "  checkpoint inspect [--json] PATH\n"
    "                 show what a checkpoint or savepoint has, after all of it was checked\n"
    "  checkpoint list [--json] FOLDER\n"
    "                 show which checkpoints a job's folder (DIR/<job name>) has\n"
    "  plan [-D KEY=VALUE ...] SCRIPT [ARGUMENT ...]\n"
    "                 print the plan of a Python script's first job as JSON, and what a Flink\n"
    "                 cluster would refuse of it\n"
    "  config [-D KEY=VALUE ...] [--json] [--all] [KEY ...]\n"
    "                 print the configuration keys and their values; --all: Flink's other keys, too\n"
    "  list [--json]  list the jobs of this user that run under `leat run`, in any terminal\n"
    "  status [--json] [--timeout SECONDS] JOB\n"
    "                 tell how a job stands; JOB is its name or the beginning of its id\n"
    "  cancel [--json] [--timeout SECONDS] JOB\n"
    "                 end a job without finishing it, and wait for its end (60 s)\n"
    "  savepoint [--json] [--timeout SECONDS] JOB [DIR]\n"
    "                 make a savepoint of a job in that folder; the job goes on\n"
    "  stop [--drain] [--json] [--timeout SECONDS] JOB [DIR]\n"
    "                 make a savepoint and end the job with it; --drain: its sources end first, so\n"
    "                 that windows and timers fire\n"
    "  doctor [-D KEY=VALUE ...]\n"
    "                 look for what could go wrong on this machine\n"
    "  help           print this\n"
    "  --version      print the version\n"
    "\n"
    "Settings come from LEAT_CONF or ./leat.yaml ('key: value' per line), then from -D, then from the\n"
    "program; the last one wins. LEAT_PYTHON names the Python for scripts.\n";

void say(const char *format, ...) {
    va_list list;
    va_start(list, format);
    fputs("leat: ", stderr);
    vfprintf(stderr, format, list);
    fputc('\n', stderr);
    va_end(list);
}

int say_error(const leat_error *error) {
    say("%s: %s", error->where, error->text);
    switch (error->status) {
    case LEAT_E_CONFIG:
    case LEAT_E_UNSUPPORTED:
    case LEAT_E_ARGUMENT: return EXIT_USAGE;
    case LEAT_E_RESTORE: return EXIT_REFUSED;
    default: return EXIT_FAILED;
    }
}

leat_env *launcher_env(const command_line *line) {
    leat_options options = leat_options_defaults();
    leat_error err = {.status = LEAT_OK};
    options.settings = (const char *const *)line->settings;
    leat_env *env = leat_env_new(&options, &err);
    if (!env) say_error(&err);
    return env;
}

int launcher_settle(const command_line *line, leat_env *env) {
    static const char *const keys[] = {"job.control", "job.status-line"};
    leat_error err = {.status = LEAT_OK};
    for (size_t i = 0; i < sizeof keys / sizeof *keys && err.status >= 0; i++)
        if (strcmp(leat_env_get(env, keys[i]), "auto") == 0) leat_env_set(env, keys[i], "on", &err);
    if (line->quiet && err.status >= 0) leat_env_set(env, "job.status-line", "off", &err);
    return err.status >= 0 ? EXIT_FINISHED : say_error(&err);
}

/* A library reads LEAT_CONF only; the file beside the user is the launcher's to find. */
static void choose_file(void) {
    const char *file = getenv("LEAT_CONF");
    if ((!file || !*file) && access("leat.yaml", R_OK) == 0) setenv("LEAT_CONF", "leat.yaml", 1);
}

static int run(int argc, char **argv) {
    command_line line;
    int code = EXIT_USAGE;
    bool is_run = strcmp(argv[1], "run") == 0;
    if (command_line_read(&line, argc, argv, 2, is_run ? "nq" : "n")) {
        const char *script = argv[line.rest];
        if (!script)
            say("%s: a SCRIPT is needed; `leat help` tells how", argv[1]);
        else if (access(script, R_OK) != 0)
            say("%s: the file can't be read; give the path of a script or a shared object", script);
        else if (!shared_job_is(script))
            code = python_become(&line, argv);
        else if (is_run)
            code = shared_job_run(&line, argc - line.rest, argv + line.rest);
        else
            say("%s: plans are made of Python scripts; in C call leat_env_plan", script);
    }
    command_line_free(&line);
    return code;
}

static int help(int argc, char **argv) {
    (void)argc;
    (void)argv;
    fputs(usage, stdout);
    return EXIT_FINISHED;
}

static int version(int argc, char **argv) {
    (void)argc;
    (void)argv;
    printf("leat %s\n", leat_version());
    return EXIT_FINISHED;
}

static const struct command {
    const char *name;
    int (*run)(int argc, char **argv);
} commands[] = {
    {"run", run},
    {"plan", run},
    {"list", list_jobs},
    {"status", ask_job},
    {"cancel", ask_job},
    {"savepoint", ask_savepoint},
    {"stop", ask_savepoint},
    {"config", show_config},
    {"checkpoint", show_checkpoint},
    {"doctor", doctor},
    {"help", help},
    {"--help", help},
    {"-h", help},
    {"version", version},
    {"--version", version},
    {"-V", version},
};

/* The commands differ in their first letters, so the longest common beginning is the nearest. */
static int unknown(const char *name) {
    const char *nearest = NULL;
    size_t most = 0;
    if (access(name, R_OK) == 0) {
        say("'%s' is no command; did you mean `leat run %s`?", name, name);
        return EXIT_USAGE;
    }
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        size_t n = 0;
        while (name[n] && name[n] == commands[i].name[n]) n++;
        if (n <= most || name[0] == '-') continue;
        nearest = commands[i].name;
        most = n;
    }
    if (nearest)
        say("'%s' is no command; did you mean `leat %s`?", name, nearest);
    else
        say("'%s' is no command; `leat help` tells what there is", name);
    return EXIT_USAGE;
}

int main(int argc, char **argv) {
    if (argc < 2) {
        fputs(usage, stderr);
        return EXIT_USAGE;
    }
    choose_file();
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (strcmp(argv[1], commands[i].name) == 0) return commands[i].run(argc, argv);
    return unknown(argv[1]);
}
