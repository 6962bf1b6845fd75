/* launch_python.c: finds the Python that runs scripts, and becomes it. In this order: LEAT_PYTHON,
   the key python.executable, `python3` and `python` beside this program (a wheel's environment),
   those in PATH.

   A package that `cmake --install` put beside the library (<libdir>/leat/python3.X) is made known
   by PYTHONPATH, and then the Python of that version is looked for in PATH first.

   -P keeps a file of the working directory, such as types.py, from standing in for a module of the
   standard library. */
#include "launcher.h"

#include <dlfcn.h>
#include <errno.h>
#include <glob.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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
    }
    leat_env_free(env);
    return path;
}

char *python_find(const command_line *line, bool needed, bool *wrong) {
    bool failed = false;
    char *folder = package_folder();
    char *path = named(line, &failed);
    if (!path && !failed) path = beside("python3");
    if (!path && !failed) path = beside("python");
    if (!path && !failed && folder) path = in_path(basename(folder));
    if (!path && !failed) path = in_path("python3");
    if (!path && !failed) path = in_path("python");
    if (!path && !failed && needed)
        say("there is no Python; install one, or name it in LEAT_PYTHON");
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
