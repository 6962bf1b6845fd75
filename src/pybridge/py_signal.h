/* py_signal.h: SIGTERM in the launcher. */
#ifndef LEATI_PY_SIGNAL_H
#define LEATI_PY_SIGNAL_H

#include "pybridge/py_module.h"

/* leat._leat.own_sigterm(): Python's handler of SIGTERM serves this process alone; what it forks
   ends. */
PyObject *py_own_sigterm(PyObject *module, PyObject *unused);

#endif
