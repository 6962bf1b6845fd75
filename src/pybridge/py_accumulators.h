/* py_accumulators.h: accumulators of user functions: what RuntimeContext.add_accumulator stands on,
   and what a job's client is told of them. */
#ifndef LEATI_PY_ACCUMULATORS_H
#define LEATI_PY_ACCUMULATORS_H

#include "pybridge/py_module.h"

/* The accumulator of that name and kind in this subtask: a new reference, NULL with an error set.
   It looks through to the engine's until py_accumulator_end, and keeps its value then. */
PyObject *py_accumulator_new(py_state *state, leat_context *ctx, int kind, const char *name);
void py_accumulator_end(PyObject *self);

/* All accumulators of a job: a dict by name; NULL with an error set. */
PyObject *py_accumulators_of(py_state *state, leat_job *job);

bool py_accumulators_type_init(PyObject *module, py_state *state);

#endif
