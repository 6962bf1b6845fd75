/* py_int.h: integers of our own that are used again. A native integer that a function gets is an
   object of one call: made before, freed behind. Where the function kept nothing of it, it is ours
   alone again, and stands for the next record's number as well as a new one would; nobody can have
   seen its address with the old number that does not hold it. It saves a walk into the allocator
   and one out of it, a twentieth of what a short function costs. */
#ifndef LEATI_PY_INT_H
#define LEATI_PY_INT_H

#include <Python.h>

#include <stdint.h>

#include "leat/base.h"

/* `o` is an integer of two digits that nobody else has; `size` is how far `i` is from 0. */
static inline void py_int_write(PyObject *o, int64_t i, uint64_t size) {
    PyLongObject *l = (PyLongObject *)o;
#if PY_VERSION_HEX >= 0x030C0000
    digit *digits = l->long_value.ob_digit;
    l->long_value.lv_tag = (size > PyLong_MASK ? 2u : 1u) << 3 | (i < 0 ? 2u : 0u);
#else
    digit *digits = l->ob_digit;
    Py_ssize_t count = size > PyLong_MASK ? 2 : 1;
    Py_SET_SIZE(l, i < 0 ? -count : count);
#endif
    digits[0] = (digit)(size & PyLong_MASK);
    digits[1] = (digit)(size >> PyLong_SHIFT);
}

/* A new reference to an integer, `*spare` where it is free; NULL with an error set. */
static inline PyObject *py_int_again(PyObject **spare, int64_t i) {
    uint64_t size = i < 0 ? 0 - (uint64_t)i : (uint64_t)i;
    if (LEAT_UNLIKELY(size - 257 >= ((uint64_t)1 << 2 * PyLong_SHIFT) - 257))
        return PyLong_FromLongLong(i); /* one of those that there is one of, or a long one */
    if (LEAT_UNLIKELY(!*spare || Py_REFCNT(*spare) != 1)) {
        Py_XSETREF(*spare, (PyObject *)_PyLong_New(2));
        if (!*spare) return NULL;
    }
    py_int_write(*spare, i, size);
    return Py_NewRef(*spare);
}

#endif
