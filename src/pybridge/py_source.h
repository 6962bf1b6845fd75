/* py_source.h: sources written in Python: py_source.c runs them, py_source_place.c remembers where
   they stand. */
#ifndef LEATI_PY_SOURCE_H
#define LEATI_PY_SOURCE_H

#include "pybridge/py_call.h"

#include <pthread.h>

/* Where a source stood between two values: what its snapshot() answered, pickled at once. */
typedef struct py_place {
    PyObject *items; /* a list of bytes: the position, or one for each split; NULL: no place */
    bool splits;
} py_place;

enum { PY_COLLECTOR_ROOM = 1024 };

/* Between a source's own thread and its task; guarded by the GIL. */
typedef struct py_collector {
    PyObject ob_base;
    PyObject *ring[PY_COLLECTOR_ROOM];
    size_t head, count;
    PyObject *raised;      /* what ended `run`; NULL: nothing */
    PyObject *thread;      /* a threading.Thread */
    PyObject *snapshot;    /* the source's method; NULL: it can't say where it stands */
    py_place ahead;        /* a place that the task has not reached yet */
    uint64_t before;       /* values in the ring that come before it */
    leat_mailbox *mailbox; /* NULL once the task is gone */
    bool asked;            /* the task wants to know a place */
    unsigned long taker;   /* the thread that asks the source for one; 0: nobody */
    bool waiting;          /* the task wants to be told of a value or a place */
    bool ended;            /* `run` returned */
    bool cancelled;
    pthread_mutex_t lock; /* for `room` only */
    pthread_cond_t room;
} py_collector;

/* The task's side. */
struct py_source {
    PyObject *run;       /* the method, or a callable that gives an iterable */
    PyObject *snapshot;  /* NULL: it can't go back */
    PyObject *iterator;  /* of one without a thread */
    PyObject *held;      /* its next value, which comes behind a barrier */
    PyObject *collector; /* of one with a thread */
    py_place place;      /* the last place that was reached */
    uint64_t since;      /* values behind it that were given out */
    uint64_t skip;       /* values that will come again, and were given out before the restart */
    int64_t until;       /* how long a barrier waits for a newer place, in ms of the epoch */
    bool has_thread, started, finished;
};

static inline py_collector *py_collector_of(PyObject *o) {
    return (py_collector *)(void *)o;
}

/* --- py_source.c ------------------------------------------------------------------------------ */

/* After its function was found; and after the user's open. False with an error set. */
bool py_source_init(py_call *c);
bool py_source_open(py_call *c);
void py_source_fill(py_call *c, leat_function *fn);
/* Starts it, once. False with an error set. */
bool py_source_begin(py_call *c, leat_context *ctx);
void py_source_stop(py_call *c, leat_context *ctx);
void py_source_free(py_call *c, void (*drop)(py_call *c, PyObject *o));
bool py_source_types_init(PyObject *module, py_state *state);

/* --- py_source_place.c ------------------------------------------------------------------------ */

/* Asks the source where it stands. False with an error set. */
bool py_place_take(py_state *state, PyObject *snapshot, py_place *out);
/* The task has reached the place that its source's thread has left in the ring. */
void py_source_adopt_place(py_source *s);
leat_status py_source_on_barrier(leat_context *ctx, int64_t checkpoint, void *self);
leat_status py_source_snapshot(leat_context *ctx, leat_snapshot *out, void *self);
leat_status py_source_restore(leat_context *ctx, leat_snapshot *in, void *self);

#endif
