/* worker_command.c: see worker_command.h. The form: `--worker=INDEX:FD,FD,...`, one descriptor per host. */
#include "runtime/job/worker_command.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "runtime/base/alloc.h"

#ifndef LEAT_PYTHON_VERSION /* built without the Python module */
#define LEAT_PYTHON_VERSION "3"
#endif

extern char **environ;

static size_t count_of(char *const *texts) {
    size_t count = 0;
    while (texts && texts[count]) count++;
    return count;
}

static void free_texts(char **texts) {
    for (size_t i = 0; texts && texts[i]; i++) leati_free(texts[i]);
    leati_free(texts);
}

void leati_worker_command_free(char **argv, char **envp) {
    free_texts(argv);
    free_texts(envp);
}

/* Room for `more` texts behind copies of `texts`; NULL when memory ran out. */
static char **copy_texts(char *const *texts, size_t more) {
    size_t count = count_of(texts);
    char **copy = leati_zalloc((count + more + 1) * sizeof *copy);
    for (size_t i = 0; copy && i < count; i++)
        if (!(copy[i] = leati_strdup(texts[i]))) {
            free_texts(copy);
            return NULL;
        }
    return copy;
}

/* --- the interpreter of a host without one -------------------------------------------------------- */

static char *find_python(const leati_blueprint *b) {
    const char *set = leati_config_get(b->config, "python.executable");
    const char *venv = getenv("VIRTUAL_ENV");
    if (set && *set) return leati_strdup(set);
    if (venv && *venv) return leati_format("%s/bin/python", venv);
#ifdef LEAT_BUILD_PYTHON
    if (access(LEAT_BUILD_PYTHON, X_OK) == 0) return leati_strdup(LEAT_BUILD_PYTHON);
#endif
    return leati_strdup("python3");
}

static char **default_argv(const leati_blueprint *b, size_t more) {
    char *none[] = {NULL};
    char **argv = copy_texts(none, 3 + more);
    if (!argv) return NULL;
    argv[0] = find_python(b);
    argv[1] = leati_strdup("-m");
    argv[2] = leati_strdup("leat.worker");
    if (argv[0] && argv[1] && argv[2]) return argv;
    for (int i = 0; i < 3; i++) leati_free(argv[i]);
    leati_free(argv);
    return NULL;
}

char **leati_worker_argv(const leati_blueprint *b, const int *own, int hosts, int index,
                         leat_error *err) {
    char **argv = b->worker_argv ? copy_texts(b->worker_argv, 1) : default_argv(b, 1);
    leati_buf text;
    leati_buf_init(&text);
    leati_buf_printf(&text, "--worker=%d:", index);
    for (int i = 0; i < hosts; i++) leati_buf_printf(&text, "%s%d", i ? "," : "", own[i]);
    char *last = leati_buf_take(&text);
    if (argv && last) {
        argv[count_of(argv)] = last;
        return argv;
    }
    leati_free(last);
    free_texts(argv);
    leat_error_set(err, LEAT_E_NOMEM, "worker", "no memory");
    return NULL;
}

/* --- the environment ------------------------------------------------------------------------------ */

/* Where this library lies; the package is found relative to it (contracts, 7). */
static char *package_path(void) {
    Dl_info info;
    char text[4096];
    if (!dladdr((void *)(uintptr_t)&leati_worker_argv, &info) || !info.dli_fname) return NULL;
    char *file = realpath(info.dli_fname, NULL);
    char *slash = file ? strrchr(file, '/') : NULL;
    if (slash) *slash = 0;
    snprintf(text, sizeof text, "%s/leat/python%s", file ? file : ".", LEAT_PYTHON_VERSION);
    free(file);
    return access(text, R_OK) == 0 ? leati_strdup(text) : NULL;
}

static bool set_python_path(char **envp, size_t count) {
    char *path = package_path();
    if (!path) return true;
    for (size_t i = 0; i < count; i++) {
        if (strncmp(envp[i], "PYTHONPATH=", 11) != 0) continue;
        char *longer = leati_format("PYTHONPATH=%s:%s", path, envp[i] + 11);
        leati_free(path);
        if (!longer) return false;
        leati_free(envp[i]);
        envp[i] = longer;
        return true;
    }
    envp[count] = leati_format("PYTHONPATH=%s", path);
    leati_free(path);
    return envp[count] != NULL;
}

char **leati_worker_envp(const leati_blueprint *b) {
    if (b->worker_envp) return copy_texts(b->worker_envp, 0);
    char **envp = copy_texts(environ, 1);
    if (envp && !set_python_path(envp, count_of(envp))) {
        free_texts(envp);
        return NULL;
    }
    return envp;
}

/* --- the worker's side ---------------------------------------------------------------------------- */

leat_status leati_worker_read_argv(int argc, char **argv, leati_worker_sockets *out) {
    const char *text = argc > 0 ? argv[argc - 1] : "";
    char *end;
    memset(out, 0, sizeof *out);
    if (strncmp(text, "--worker=", 9) != 0) return LEAT_E_ARGUMENT;
    out->index = (int)strtol(text + 9, &end, 10);
    if (*end != ':') return LEAT_E_ARGUMENT;
    do {
        if (out->hosts > LEATI_MAX_WORKERS) return LEAT_E_ARGUMENT;
        out->to[out->hosts++] = (int)strtol(end + 1, &end, 10);
    } while (*end == ',');
    return !*end && out->index > 0 && out->index < out->hosts ? LEAT_OK : LEAT_E_ARGUMENT;
}
