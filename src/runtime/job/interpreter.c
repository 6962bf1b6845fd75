/* interpreter.c: see interpreter.h.

   The library knows no Python: it asks the executable where its libpython and the module of Leat's
   package lie, opens both, and calls the module's `leati_embed` (bridge.h). Python is started, and
   at the process's exit ended, on one thread of ours, because both must be the same one and the
   threads of a host come and go.

   At exit nothing is ended while a job is inside of the interpreter, nor in a forked child. */
#include "runtime/job/interpreter.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "runtime/base/alloc.h"
#include "runtime/base/io_thread.h"
#include "runtime/base/log.h"
#include "runtime/job/python_path.h"

enum { PATIENCE_S = 10 };

/* --- opening ---------------------------------------------------------------------------------- */

/* A host may be linked to a libpython, or have opened one: a process can have only one. */
static leat_status open_libpython(const leati_python *p, leat_error *err) {
    const char *(*version)(void);
    void *there = dlsym(RTLD_DEFAULT, "Py_GetVersion");
    if (there) {
        size_t size = strlen(p->version);
        memcpy(&version, &there, sizeof version);
        if (strncmp(version(), p->version, size) == 0 && version()[size] == '.') return LEAT_OK;
        return leat_error_set(err, LEAT_E_VERSION, p->executable,
                              "it is Python %s, and this program has Python %.*s in it; let "
                              "python.executable name one of the same version",
                              p->version, (int)strcspn(version(), " "), version());
    }
    if (!*p->libpython)
        return leat_error_set(err, LEAT_E_NOT_FOUND, p->executable,
                              "there is no libpython%s.so for it; install it (Debian: "
                              "libpython%s), or let python.executable name a Python that has one",
                              p->version, p->version);
    if (dlopen(p->libpython, RTLD_NOW | RTLD_GLOBAL)) return LEAT_OK;
    return leat_error_set(err, LEAT_E_IO, p->executable, "%s", dlerror());
}

static leat_status open_module(const leati_python *p, const leati_embedding **embed,
                               leat_error *err) {
    if (!*p->module)
        return leat_error_set(err, LEAT_E_NOT_FOUND, p->executable,
                              "it has no package leat for Python %s; install leat %s there, or let "
                              "python.executable name another Python",
                              p->version, LEAT_VERSION_STRING);
    void *module = dlopen(p->module, RTLD_NOW | RTLD_LOCAL);
    const leati_embedding *found = module ? dlsym(module, "leati_embed") : NULL;
    if (!found) return leat_error_set(err, LEAT_E_IO, p->module, "%s", dlerror());
    if (strcmp(found->version, LEAT_VERSION_STRING) != 0)
        return leat_error_set(err, LEAT_E_VERSION, p->module,
                              "it is of Leat %s and this library of Leat %s; install one Leat only",
                              found->version, LEAT_VERSION_STRING);
    *embed = found;
    return LEAT_OK;
}

/* --- the interpreter's thread ----------------------------------------------------------------- */

static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    pid_t process; /* that it was started in; 0: none yet */
    const leati_embedding *embed;
    const leati_python *python; /* while it starts */
    void *token;
    leat_error error; /* why it did not start */
    bool started, leave, left;
    int holders;
} home = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

/* Under the lock: until `*flag`, PATIENCE_S at most. */
static bool wait_for(const bool *flag) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += PATIENCE_S;
    int late = 0;
    while (!*flag && !late) late = pthread_cond_timedwait(&home.changed, &home.lock, &until);
    return *flag;
}

static leat_status start_python(leat_error *err) {
    char *program = leati_program_folder(), *working = leati_working_folder();
    const char *folders[] = {program, working, NULL};
    const leati_python *p = home.python;
    leat_status status =
        program && working ? home.embed->start(p->executable, p->module, folders, &home.token, err)
                           : leat_error_set(err, LEAT_E_NOMEM, "interpreter", "no memory");
    leati_free(program);
    leati_free(working);
    return status;
}

static void *home_main(void *arg) {
    leat_error err;
    (void)arg;
    leat_status status = start_python(&err);
    pthread_mutex_lock(&home.lock);
    if (status < 0) home.error = err;
    home.started = true;
    pthread_cond_broadcast(&home.changed);
    while (status >= 0 && !home.leave) pthread_cond_wait(&home.changed, &home.lock);
    pthread_mutex_unlock(&home.lock);
    if (status >= 0) home.embed->end(home.token);
    pthread_mutex_lock(&home.lock);
    home.left = true;
    pthread_cond_broadcast(&home.changed);
    pthread_mutex_unlock(&home.lock);
    return NULL;
}

static void at_exit(void) {
    if (home.process != getpid()) return;
    pthread_mutex_lock(&home.lock);
    home.leave = home.started && !home.holders;
    pthread_cond_broadcast(&home.changed);
    if (home.leave) wait_for(&home.left);
    pthread_mutex_unlock(&home.lock);
}

/* Under the lock. A host that is inside of an interpreter of its own, and waits here, is told so
   after a while. */
static leat_status start_home(const leati_python *p, leat_error *err) {
    unsigned long thread;
    leat_status status = open_libpython(p, err);
    if (status >= 0) status = open_module(p, &home.embed, err);
    if (status < 0) return status;
    home.python = p;
    status = leati_thread_start(&thread, home_main, NULL, "leat-python");
    if (status < 0) return leat_error_set(err, status, "interpreter", "no thread can be started");
    pthread_detach((pthread_t)thread);
    home.process = getpid();
    atexit(at_exit);
    if (!wait_for(&home.started))
        leat_error_set(&home.error, LEAT_E_TIMEOUT, p->executable,
                       "it does not start; a program that has started Python itself must let go "
                       "of the GIL before it calls Leat, or import leat._leat there");
    return LEAT_OK;
}

static leat_status open_home(const leati_config *config, leat_error *err) {
    static leati_python python; /* the thread reads it */
    char *executable = leati_python_executable(config);
    leat_status status = executable ? leati_python_ask(&python, executable, err)
                                    : leat_error_set(err, LEAT_E_NOMEM, "interpreter", "no memory");
    leati_free(executable);
    return status < 0 ? status : start_home(&python, err);
}

/* --- what jobs ask for ------------------------------------------------------------------------ */

static leat_status need(const leati_config *config, leat_error *err) {
    leat_status status = LEAT_OK;
    pthread_mutex_lock(&home.lock);
    if (!leati_bridge_find("python") && !home.process) status = open_home(config, err);
    if (status >= 0 && home.error.status < 0) status = (*err = home.error).status;
    pthread_mutex_unlock(&home.lock);
    return status;
}

static bool is_wanted(const leati_blueprint *b) {
    const char *mode = leati_config_get(b->config, "python.execution-mode");
    bool python = false;
    for (size_t i = 0; i < b->graph.count; i++) {
        const char *language = leati_args_language(&b->graph.nodes[i]->shared->args);
        python |= language && strcmp(language, "python") == 0;
    }
    return python && mode && strcmp(mode, "thread") == 0;
}

leat_status leati_interpreter_need(leati_blueprint *b) {
    leat_error err;
    if (!is_wanted(b) || need(b->config, &err) >= 0) return LEAT_OK;
    leati_log(LEAT_LOG_WARNING,
              "python.execution-mode=thread: %s: %s; the Python functions run in processes",
              err.where, err.text);
    leati_free(b->fallback);
    b->fallback =
        leati_format("thread mode is not possible, because of %s: %s", err.where, err.text);
    return leati_config_set(b->config, "python.execution-mode", "process", LEATI_CONFIG_PROGRAM,
                            NULL);
}

void leati_interpreter_hold(void) {
    pthread_mutex_lock(&home.lock);
    home.holders++;
    pthread_mutex_unlock(&home.lock);
}

void leati_interpreter_release(void) {
    pthread_mutex_lock(&home.lock);
    home.holders--;
    pthread_mutex_unlock(&home.lock);
}
