/* py_context.h: what user functions are given besides their values. */
#ifndef LEATI_PY_CONTEXT_H
#define LEATI_PY_CONTEXT_H

#include "pybridge/py_module.h"

/* The `ctx` of process functions and sinks: a new reference, NULL with an error set. It looks through to `ctx` until
   py_context_end. */
PyObject *py_context_new(py_state *state, leat_context *ctx);
void py_context_end(PyObject *context);
/* The RuntimeContext for `open`. */
PyObject *py_runtime_context_new(py_state *state, leat_context *ctx);

bool py_context_types_init(PyObject *module, py_state *state);

#endif
