/* py_log.h: lines of the library's log, handed to a Python program. */
#ifndef LEATI_PY_LOG_H
#define LEATI_PY_LOG_H

#include "pybridge/py_module.h"

/* leat._leat.log_to(callable): from now on it is called with (level, line) for each line, in the
   main thread; None brings the default back. What it raises is written to stderr, unless it is no
   Exception, as what signals raise: that goes on in the main thread. */
PyObject *py_log_to(PyObject *module, PyObject *callable);
/* For waits of the main thread, in place of PyErr_CheckSignals: signals, and lines. */
bool py_log_check(py_state *state);

#endif
