/* py_control.h: what the launcher's Python half asks of control.h, and of the status line.
   Functions of the module. */
#ifndef LEATI_PY_CONTROL_H
#define LEATI_PY_CONTROL_H

#include "pybridge/py_module.h"

PyObject *py_control_list(PyObject *module, PyObject *json);
PyObject *py_control_ask(PyObject *module, PyObject *args);
PyObject *py_clear_status_line(PyObject *module, PyObject *fd);

#endif
