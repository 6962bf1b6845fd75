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

/* Hands over what is in the queue, in the main thread. What the callable raises is nobody's. */
static int hand_over(void *arg) {
    py_state *state = arg;
    for (line *l = take_all(), *next; l; l = next) {
        next = l->next;
        PyObject *done = state->log ? PyObject_CallFunction(state->log, "is", l->level, l->text)
                                    : Py_NewRef(Py_None);
        if (!done) PyErr_WriteUnraisable(state->log);
        Py_XDECREF(done);
        leati_free(l);
    }
    return 0;
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
    hand_over(state);
    Py_CLEAR(state->log);
    Py_RETURN_NONE;
}

bool py_log_check(py_state *state) {
    if (PyErr_CheckSignals() < 0) return false;
    pthread_mutex_lock(&mutex);
    bool any = first != NULL;
    pthread_mutex_unlock(&mutex);
    if (any && state->log) hand_over(state);
    return true;
}
