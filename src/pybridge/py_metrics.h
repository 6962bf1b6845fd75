/* py_metrics.h: metrics of user functions: what RuntimeContext.get_metrics_group() stands on. */
#ifndef LEATI_PY_METRICS_H
#define LEATI_PY_METRICS_H

#include "pybridge/py_module.h"

/* Makes metrics by their names for one function in one subtask: a new reference, NULL with an error
   set. It and its metrics look through to `ctx` until py_metrics_end; gauges live as long as it. */
PyObject *py_metrics_new(py_state *state, leat_context *ctx);
void py_metrics_end(PyObject *metrics); /* may be NULL */

bool py_metrics_types_init(PyObject *module, py_state *state);

#endif
