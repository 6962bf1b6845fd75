/* py_log.c: see py_log.h. A line may come from any thread, also from one that Python does not know,
   and while another one holds the interpreter; so it is put into a queue, and the interpreter is
   asked to fetch it: CPython's pending calls run in the main thread, between two of its
   instructions. A main thread that waits inside of Leat looks into the queue itself.

   The queue is the process's, as the log is. What is in it when the program ends goes to stderr. */
#include "pybridge/py_log.h"

#include "runtime/base/alloc.h"
#include "runtime/base/buf.h"

#include <pthread.h>
#include <stdio.h>

typedef struct line {
    struct line *next;
    int level;
    char text[];
} line;

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER; /* guards the two below */
static line *first, **last = &first;

static line *take_all(void) {
    pthread_mutex_lock(&mutex);
    line *taken = first;
    first = NULL;
    last = &first;
    pthread_mutex_unlock(&mutex);
    return taken;
}

/* Before those that came meanwhile. */
static void put_back(line *lines) {
    line *end = lines;
    while (end && end->next) end = end->next;
    if (!end) return;
    pthread_mutex_lock(&mutex);
    end->next = first;
    if (!first) last = &end->next;
    first = lines;
    pthread_mutex_unlock(&mutex);
}

/* What the callable raises is nobody's, unless it comes from a signal or wants the program to end:
   then -1. */
static int hand_over_one(py_state *state, const line *l) {
    if (!state->log) return 0;
    PyObject *done = PyObject_CallFunction(state->log, "is", l->level, l->text);
    Py_XDECREF(done);
    if (!done && !PyErr_ExceptionMatches(PyExc_Exception)) return -1;
    if (!done) PyErr_WriteUnraisable(state->log);
    return 0;
}

/* Hands over what is in the queue, in the main thread. -1 with an exception set. */
static int hand_over(void *arg) {
    int status = 0;
    line *l = take_all();
    while (l && status == 0) {
        line *next = l->next;
        status = hand_over_one(arg, l);
        leati_free(l);
        l = next;
    }
    put_back(l);
    return status;
}

/* Any thread. When CPython's own list is full, the next line or wait brings this one, too. */
static void on_line(leat_log_level level, const char *text, void *arg) {
    size_t size = strlen(text) + 1;
    line *l = leati_alloc(sizeof *l + size);
    if (!l) return;
    memcpy(l->text, text, size);
    l->level = (int)level;
    l->next = NULL;
    pthread_mutex_lock(&mutex);
    *last = l;
    last = &l->next;
    pthread_mutex_unlock(&mutex);
    Py_AddPendingCall(hand_over, arg);
}

PyObject *py_log_to(PyObject *module, PyObject *callable) {
    py_state *state = py_module_state(module);
    if (callable != Py_None) {
        Py_XSETREF(state->log, Py_NewRef(callable));
        leat_log_set(on_line, state, LEAT_LOG_DEBUG);
        Py_RETURN_NONE;
    }
    leat_log_set(NULL, NULL, LEAT_LOG_WARNING);
    int status = hand_over(state);
    Py_CLEAR(state->log);
    if (status < 0) return NULL;
    Py_RETURN_NONE;
}

bool py_log_check(py_state *state) {
    if (PyErr_CheckSignals() < 0) return false;
    pthread_mutex_lock(&mutex);
    bool any = first != NULL;
    pthread_mutex_unlock(&mutex);
    return !any || !state->log || hand_over(state) == 0;
}
