/* py_item.h: functions that only take an item of their argument. */
#ifndef LEATI_PY_ITEM_H
#define LEATI_PY_ITEM_H

#include "pybridge/py_module.h"

/* The index that the function takes, -1 when it does anything else. Sets no error. */
Py_ssize_t py_item_of(PyObject *function);

#endif
