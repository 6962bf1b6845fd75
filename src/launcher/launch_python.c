/* launch_python.c: finds the Python that runs scripts, and becomes it. In this order: LEAT_PYTHON,
   the key python.executable, `python3` and `python` beside this program (a wheel's environment),
   those in PATH.

   A package that `cmake --install` put beside the library (<libdir>/leat/python3.X) is made known
   by PYTHONPATH, and then the Python of that version is looked for in PATH first. One that is too
   old is an error where it was named, and looked past elsewhere.

   -P keeps a file of the working directory, such as types.py, from standing in for a module of the
   standard library. */
#include "launcher.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <libgen.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { OLDEST_MINOR = 11, SAYS_OLD = 68 };

extern char **environ;

/* The whole path of an executable as a shell would find it; allocated, or NULL. */
static char *in_path(const char *name) {
    char path[PATH_MAX];
    if (strchr(name, '/')) return access(name, X_OK) == 0 ? strdup(name) : NULL;
    const char *at = getenv("PATH");
    while (at) {
        size_t n = strcspn(at, ":");
        snprintf(path, sizeof path, "%.*s/%s", (int)n, at, name);
        if (n && access(path, X_OK) == 0) return strdup(path);
        at = at[n] ? at + n + 1 : NULL;
    }
    return NULL;
}

static char *beside(const char *name) {
    char self[PATH_MAX] = "", path[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    if (n <= 0) return NULL;
    self[n] = '\0';
    int size = snprintf(path, sizeof path, "%s/%s", dirname(self), name);
    return size < (int)sizeof path && access(path, X_OK) == 0 ? strdup(path) : NULL;
}

/* The folder with the package that belongs to the library, of the newest Python; allocated or
   NULL. */
static char *package_folder(void) {
    Dl_info library;
    char file[PATH_MAX], pattern[PATH_MAX];
    const char *(*version)(void) = leat_version;
    void *address;
    memcpy(&address, &version, sizeof address);
    if (!dladdr(address, &library) || !realpath(library.dli_fname, file)) return NULL;
    int size = snprintf(pattern, sizeof pattern, "%s/leat/python3.*", dirname(file));
    glob_t found;
    char *folder = NULL;
    if (size >= (int)sizeof pattern || glob(pattern, 0, NULL, &found) != 0) return NULL;
    if (found.gl_pathc) folder = strdup(found.gl_pathv[found.gl_pathc - 1]);
    globfree(&found);
    return folder;
}

void python_path_add(const char *folder, bool front) {
    const char *old = getenv("PYTHONPATH");
    char *joined = NULL;
    if (!old || !*old)
        joined = strdup(folder);
    else if (asprintf(&joined, "%s:%s", front ? folder : old, front ? old : folder) < 0)
        joined = NULL;
    if (!joined) return;
    setenv("PYTHONPATH", joined, 1);
    free(joined);
}

/* Asks the program itself, which must understand no option that is new. */
static bool says_old(char *python) {
    static char dash_c[] = "-c";
    static char question[] = "import sys; sys.exit(68 if sys.version_info < (3, 11) else 0)";
    char *const ask[] = {python, dash_c, question, NULL};
    pid_t child;
    int answer = 0;
    posix_spawn_file_actions_t quiet;
    if (posix_spawn_file_actions_init(&quiet) != 0) return false;
    posix_spawn_file_actions_addopen(&quiet, 1, "/dev/null", O_WRONLY, 0);
    bool asked = posix_spawn(&child, python, &quiet, NULL, ask, environ) == 0 &&
                 waitpid(child, &answer, 0) == child;
    posix_spawn_file_actions_destroy(&quiet);
    return asked && WIFEXITED(answer) && WEXITSTATUS(answer) == SAYS_OLD;
}

/* Is the Python older than what works? The name of the file that it is, python3.11, mostly tells,
   and starting a Python takes a while. */
static bool is_old(char *python) {
    char file[PATH_MAX];
    int major, minor, end = 0;
    if (realpath(python, file)) {
        int found = sscanf(basename(file), "python%d.%d%n", &major, &minor, &end);
        if (found == 2 && !basename(file)[end])
            return major < 3 || (major == 3 && minor < OLDEST_MINOR);
    }
    return says_old(python);
}

/* The path if its Python works; else NULL, and the path is freed. */
static char *new_enough(char *path) {
    if (!path || !is_old(path)) return path;
    free(path);
    return NULL;
}

/* What the user named: LEAT_PYTHON or the key. `*failed` after a message. */
static char *named(const command_line *line, bool *failed) {
    const char *name = getenv("LEAT_PYTHON"), *origin = "LEAT_PYTHON";
    leat_env *env = NULL;
    if (!name || !*name) {
        env = launcher_env(line);
        *failed = !env;
        name = env ? leat_env_get(env, "python.executable") : NULL;
        origin = "python.executable";
    }
    char *path = name ? in_path(name) : NULL;
    if (name && !path) {
        say("%s: %s can't be executed; name a Python, such as /usr/bin/python3", origin, name);
        *failed = true;
    } else if (name && !(path = new_enough(path))) {
        say("%s: %s is too old; name a Python 3.11, 3.12 or 3.13", origin, name);
        *failed = true;
    }
    leat_env_free(env);
    return path;
}

char *python_find(const command_line *line, bool needed, bool *wrong) {
    bool failed = false;
    char *folder = package_folder();
    char *path = named(line, &failed);
    if (!path && !failed) path = new_enough(beside("python3"));
    if (!path && !failed) path = new_enough(beside("python"));
    if (!path && !failed && folder) path = in_path(basename(folder));
    if (!path && !failed) path = new_enough(in_path("python3"));
    if (!path && !failed) path = new_enough(in_path("python"));
    if (!path && !failed && needed)
        say("there is no Python 3.11, 3.12 or 3.13; install one, or name it in LEAT_PYTHON");
    if (path && folder) python_path_add(folder, true);
    free(folder);
    if (wrong) *wrong = failed;
    return path;
}

int python_become(const command_line *line, char **argv) {
    int argc = 0;
    while (argv[argc]) argc++;
    char *python = python_find(line, true, NULL);
    char **command = python ? calloc((size_t)argc + 5, sizeof *command) : NULL;
    if (!command) {
        free(python);
        return EXIT_USAGE;
    }
    static char safe_path[] = "-P", dash_m[] = "-m", module[] = "leat";
    command[0] = python;
    command[1] = safe_path;
    command[2] = dash_m;
    command[3] = module;
    memcpy(command + 4, argv + 1, (size_t)argc * sizeof *command);
    execv(python, command);
    say("%s: %s", python, strerror(errno));
    free(command);
    free(python);
    return EXIT_FAILED;
}
