/* launch_shared.c: runs a shared object that exports

       int leat_main(leat_env *env, int argc, char **argv);

   in this process. It builds its streams on `env` and executes them, as main() would; argv[0] is
   the object's path. It answers an exit code, or a failed leat_status. The first SIGINT or SIGTERM
   cancels the env's jobs, the second one kills.

   Its Python functions run in the Python that scripts would get, and may be in modules beside the
   object.

   Signals are blocked before the first thread of Leat starts, and taken by one thread of ours. */
#include "launcher.h"

#include <dlfcn.h>
#include <libgen.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef int (*shared_main)(leat_env *env, int argc, char **argv);

typedef struct watcher {
    pthread_t thread;
    sigset_t signals, before;
    leat_env *env;
    atomic_int got; /* the first signal, 0: none */
    atomic_bool ended;
} watcher;

bool shared_job_is(const char *path) {
    char magic[4] = "";
    FILE *file = fopen(path, "re");
    if (!file) return false;
    bool elf = fread(magic, 1, 4, file) == 4 && memcmp(magic, "\177ELF", 4) == 0;
    fclose(file);
    return elf;
}

/* Once a signal came, cancels again and again: a job may just be about to start. */
static void *watch(void *arg) {
    watcher *w = arg;
    const struct timespec pause = {.tv_nsec = 50000000};
    while (!atomic_load(&w->ended)) {
        bool cancelling = atomic_load(&w->got);
        int number =
            cancelling ? sigtimedwait(&w->signals, NULL, &pause) : sigwaitinfo(&w->signals, NULL);
        if (atomic_load(&w->ended)) break;
        if (number > 0 && cancelling) _exit(EXIT_SIGNAL + number);
        if (number > 0) {
            atomic_store(&w->got, number);
            say("cancelling; once more kills");
        }
        if (atomic_load(&w->got)) leat_env_cancel(w->env);
    }
    return NULL;
}

static bool watcher_start(watcher *w, leat_env *env) {
    w->env = env;
    atomic_init(&w->got, 0);
    atomic_init(&w->ended, false);
    return pthread_create(&w->thread, NULL, watch, w) == 0;
}

/* Answers the signal that came, or 0. From here on signals do what they did before. */
static int watcher_stop(watcher *w) {
    atomic_store(&w->ended, true);
    pthread_kill(w->thread, SIGINT); /* wakes it: it has both signals blocked and waits for them */
    pthread_join(w->thread, NULL);
    pthread_sigmask(SIG_SETMASK, &w->before, NULL);
    return atomic_load(&w->got);
}

static void block_signals(watcher *w) {
    sigemptyset(&w->signals);
    sigaddset(&w->signals, SIGINT);
    sigaddset(&w->signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &w->signals, &w->before);
}

/* NULL after a message. A bare file name is meant, not a library of the system. */
static shared_main open_object(const char *path, void **handle) {
    char *whole = realpath(path, NULL);
    *handle = whole ? dlopen(whole, RTLD_NOW | RTLD_LOCAL) : NULL;
    free(whole);
    if (!*handle) {
        const char *why = dlerror();
        say("%s: it can't be loaded: %s; link it with -shared and against this libleat", path,
            why ? why : "no such file");
        return NULL;
    }
    void *symbol = dlsym(*handle, "leat_main");
    shared_main main_of = NULL;
    if (!symbol)
        say("%s: it exports no leat_main; write int leat_main(leat_env *, int, char **)", path);
    else
        memcpy(&main_of, &symbol, sizeof main_of);
    return main_of;
}

/* False after a message. */
static bool prepare_python(const command_line *line, leat_env *env, const char *path) {
    bool wrong;
    leat_error err = {.status = LEAT_OK};
    char *python = python_find(line, false, &wrong), *whole = realpath(path, NULL);
    if (whole) python_path_add(dirname(whole), false);
    if (python && leat_env_set(env, "python.executable", python, &err) < 0) say_error(&err);
    free(python);
    free(whole);
    return !wrong && err.status >= 0;
}

static int code_of(int answer, const char *path) {
    if (answer >= 0) return answer;
    if (answer == LEAT_E_CANCELLED) return EXIT_SIGNAL + SIGINT;
    say("%s: it failed (%s)", path, leat_status_name((leat_status)answer));
    if (answer == LEAT_E_RESTORE) return EXIT_REFUSED;
    return answer == LEAT_E_CONFIG ? EXIT_USAGE : EXIT_FAILED;
}

int shared_job_run(const command_line *line, int argc, char **argv) {
    watcher w;
    void *handle;
    leat_error err = {.status = LEAT_OK};
    shared_main run = open_object(argv[0], &handle);
    if (!run) return EXIT_USAGE;
    block_signals(&w);
    leat_env *env = launcher_env(line);
    if (!env) return EXIT_USAGE;
    if (line->job_name && leat_env_set(env, "pipeline.name", line->job_name, &err) < 0)
        return say_error(&err);
    int wrong = launcher_settle(line, env);
    if (wrong) return wrong;
    if (!prepare_python(line, env, argv[0])) return EXIT_USAGE;
    if (!watcher_start(&w, env)) {
        say("no thread can be started; look at `ulimit -u`");
        return EXIT_FAILED;
    }
    int answer = run(env, argc, argv);
    int number = watcher_stop(&w);
    leat_env_free(env);
    fflush(NULL);
    /* The object stays loaded: what it left behind may still be called at exit. */
    return number ? EXIT_SIGNAL + number : code_of(answer, argv[0]);
}
