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
/* A timer of this domain is being processed from now on. */
void py_context_fires(PyObject *context, leat_time_domain domain);
/* The RuntimeContext for `open`; `states` makes keyed state (py_state.h), or is None. */
PyObject *py_runtime_context_new(py_state *state, leat_context *ctx, PyObject *states);

bool py_context_types_init(PyObject *module, py_state *state);

#endif
