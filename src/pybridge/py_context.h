/* py_context.h: what user functions are given besides their values. */
#ifndef LEATI_PY_CONTEXT_H
#define LEATI_PY_CONTEXT_H

#include "pybridge/py_module.h"

/* The `ctx` of process functions and sinks: a new reference, NULL with an error set. It looks
   through to `ctx` until py_context_end. */
PyObject *py_context_new(py_state *state, leat_context *ctx);
void py_context_end(PyObject *context);
/* It belongs to a function with on_timer, of a keyed stream. */
void py_context_has_timers(PyObject *context);
/* Reads a time in milliseconds; `what` it is the time of stands in the error. False with an error
   set, also for NULL. */
bool py_millis_read(PyObject *o, const char *what, int64_t *out);
/* A timer of this domain is being processed from now on. */
void py_context_fires(PyObject *context, leat_time_domain domain);
/* The RuntimeContext for `open`; `states` makes keyed state (py_state.h), or is None; `metrics`
   makes metrics (py_metrics.h). */
PyObject *py_runtime_context_new(py_state *state, leat_context *ctx, PyObject *states,
                                 PyObject *metrics);

bool py_context_types_init(PyObject *module, py_state *state);

/* --- between the files of contexts ------------------------------------------------------------ */

/* What all kinds of contexts are; they differ in the methods that they have. */
typedef struct py_context {
    PyObject ob_base;
    leat_context *ctx;       /* NULL after the end */
    PyObject *timers;        /* a TimerService, made when first asked for */
    PyObject *states;        /* of broadcast state: a dict by name; NULL at first */
    PyObject *declared;      /* the names that broadcast state may have; NULL: any */
    bool has_timers;         /* the function has an on_timer that is called */
    leat_time_domain domain; /* of the timer that fired last */
} py_context;

/* A new one of that type, whose instances are py_contexts. */
PyObject *py_context_make(PyTypeObject *type, leat_context *ctx);
/* NULL with an error set after the end. */
leat_context *py_context_live(PyObject *self);
int py_context_traverse(PyObject *self, visitproc visit, void *arg);
int py_context_clear(PyObject *self);
void py_context_dealloc(PyObject *self);
/* Methods without arguments. */
PyObject *py_context_timestamp(PyObject *self, PyObject *unused);
PyObject *py_context_current_key(PyObject *self, PyObject *unused);
PyObject *py_context_timer_service(PyObject *self, PyObject *unused);
PyObject *py_context_watermark(PyObject *self, PyObject *unused);
PyObject *py_context_processing_time(PyObject *self, PyObject *unused);
PyObject *py_context_time_domain(PyObject *self, PyObject *unused);

#endif
