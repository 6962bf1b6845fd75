/* py_int.h: integers, looked into where they are short.

   To read one. Most have a digit or two, and to put those together costs less than the call that
   reads any.

   To use those of our own again. A native integer that a function gets is an object of one call:
   made before, freed behind. Where the function kept nothing of it, it is ours alone again, and
   stands for the next record's number as well as a new one would; nobody can have seen its address
   with the old number that does not hold it. It saves a walk into the allocator and one out of it,
   a twentieth of what a short function costs. */
#ifndef LEATI_PY_INT_H
#define LEATI_PY_INT_H

#include "pybridge/py_module.h"

/* How many digits there are; `negative` says the rest. */
static inline const digit *py_int_digits(PyObject *o, size_t *count, bool *negative) {
    const PyLongObject *l = (const PyLongObject *)o;
#if PY_VERSION_HEX >= 0x030C0000
    *count = l->long_value.lv_tag >> 3;
    *negative = (l->long_value.lv_tag & 3) == 2;
    return l->long_value.ob_digit;
#else
    Py_ssize_t size = Py_SIZE(l);
    *negative = size < 0;
    *count = (size_t)(size < 0 ? -size : size);
    return l->ob_digit;
#endif
}

/* The same for any number of digits (py_convert.c). */
bool py_int_read_any(PyObject *o, int64_t *out);
/* The number of an exact integer; false, and `out` as it was, when it is beyond 64 bits. */
static inline bool py_int_read(PyObject *o, int64_t *out) {
    size_t count;
    bool negative;
    const digit *digits = py_int_digits(o, &count, &negative);
    if (LEAT_UNLIKELY(count > 2)) return py_int_read_any(o, out);
    int64_t i = count ? digits[0] : 0;
    if (count > 1) i |= (int64_t)digits[1] << PyLong_SHIFT;
    *out = negative ? -i : i;
    return true;
}

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
