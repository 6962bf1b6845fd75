/* py_worker.h: the command that starts a worker, and a worker's life. */
#ifndef LEATI_PY_WORKER_H
#define LEATI_PY_WORKER_H

#include "pybridge/py_module.h"

/* Tells the env how its workers are started: the same interpreter, flags and environment. False
   with an error set. */
bool py_worker_command(py_state *state, leat_env *env);
/* leat._leat.worker_main(argv) */
PyObject *py_worker_main(PyObject *module, PyObject *argv);

#endif
