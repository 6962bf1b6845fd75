/* py_object.h: the table by which the runtime treats Python objects in records. */
#ifndef LEATI_PY_OBJECT_H
#define LEATI_PY_OBJECT_H

#include "pybridge/py_module.h"
#include "runtime/base/object.h"

void py_object_ops_init(leati_object_ops *ops, void *interpreter);
/* A new reference: the object itself when nothing in it can change, otherwise a copy that shares
   nothing mutable. NULL with an error set. */
PyObject *py_object_cut(py_state *state, PyObject *o);

#endif
