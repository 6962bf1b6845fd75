/* py_item.h: functions that only take an item of their first argument. */
#ifndef LEATI_PY_ITEM_H
#define LEATI_PY_ITEM_H

#include "pybridge/py_call.h"

/* The index that the function of so many arguments takes of the first, -1 when it does anything
   else. Sets no error. */
Py_ssize_t py_item_of(const py_target *target, int arguments);

#endif
