/* launcher.h: what the files of the `leat` program share. It is a program like a user's: it knows
   nothing of Leat but the public headers. */
#ifndef LEAT_LAUNCHER_H
#define LEAT_LAUNCHER_H

#include <leat.h>

enum { EXIT_FINISHED = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_REFUSED = 3, EXIT_SIGNAL = 128 };

/* `COMMAND [options] [SCRIPT [ARGUMENT ...]]`, read by command_line_read. Texts are those of
   argv. */
typedef struct command_line {
    char **settings; /* of -D: key, value, ..., NULL; one allocation per pair. NULL without any */
    size_t setting_count;
    const char *job_name; /* or NULL */
    bool json, all, quiet, drain;
    int timeout_ms; /* 0: none was given */
    int rest;       /* index in argv of the SCRIPT, or argc */
} command_line;

/* Reads the options from argv[at] on. `flags` tells which there are: "j" --json, "a" --all, "n"
   --job-name, "q" --quiet, "t" --timeout, "d" --drain; -D always. False after a message. */
bool command_line_read(command_line *line, int argc, char **argv, int at, const char *flags);
void command_line_free(command_line *line);

/* Prints "leat: <format>" to stderr. */
void say(const char *format, ...) LEAT_PRINTF(1, 2);
/* Prints the error as every message of Leat; answers the exit code that it stands for. */
int say_error(const leat_error *error);

/* An environment with the settings of the file (LEAT_CONF or ./leat.yaml) and of -D; NULL after a
   message. */
leat_env *launcher_env(const command_line *line);
/* Settings that are left to whoever runs the job, who is this program: its jobs listen to other
   terminals and have a status line, unless it was told otherwise. Answers an exit code. */
int launcher_settle(const command_line *line, leat_env *env);

/* The Python to run: allocated path, or NULL; after a message if it is `needed`, or was named
   wrongly (then `*wrong`, which may be NULL). Makes the package that was installed with this
   program known to it (PYTHONPATH). */
char *python_find(const command_line *line, bool needed, bool *wrong);
/* Adds a folder to PYTHONPATH, in front or at the end. */
void python_path_add(const char *folder, bool front);
/* Becomes `python -m leat argv[1] ...`, all arguments untouched; comes back only on failure. */
int python_become(const command_line *line, char **argv);

/* Is the file a shared object (or anything else in ELF)? */
bool shared_job_is(const char *path);
int shared_job_run(const command_line *line, int argc, char **argv);

int list_jobs(int argc, char **argv);
int ask_job(int argc, char **argv);
int ask_savepoint(int argc, char **argv);
int show_checkpoint(int argc, char **argv);
int show_config(int argc, char **argv);
int doctor(int argc, char **argv);

#endif
