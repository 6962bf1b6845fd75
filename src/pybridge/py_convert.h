/* py_convert.h: Python objects from native values and native values from Python objects. py_shape.h
   checks and applies declared types. All calls inside the interpreter. */
#ifndef LEATI_PY_CONVERT_H
#define LEATI_PY_CONVERT_H

#include "pybridge/py_int.h"
#include "pybridge/py_module.h"
#include "runtime/base/arena.h"

/* A new reference to the object that stands for `v`; `type` may be NULL. NULL with an error set. */
PyObject *py_from_value(py_state *state, const leat_value *v, const leat_type *type);

/* The native form of `o`, by its declared type (may be NULL) or by what it is. Strings are copied
   into the arena. Objects without a native form come back as LEAT_OBJECT, kept by the arena.
   LEAT_OK, or a failure with an error set. */
leat_status py_to_value(py_state *state, PyObject *o, const leat_type *type, leati_arena *arena,
                        leat_value *out);
/* A LEAT_OBJECT value of this interpreter; the reference is the caller's business. */
leat_value py_object_value(const py_state *state, PyObject *o);
/* None, booleans, integers of 64 bits and floats as native values; false for everything else. */
bool py_scalar_value_slow(PyObject *o, leat_value *out);
static inline bool py_scalar_value(PyObject *o, leat_value *out) {
    int64_t i;
    if (!PyLong_CheckExact(o)) return py_scalar_value_slow(o, out);
    if (LEAT_UNLIKELY(!py_int_read(o, &i))) return false;
    *out = leat_int(i);
    return true;
}

/* --- Parts, which encoding and shapes use, too ------------------------------------------------ */

/* Of an exact Row: borrowed. `fields` is a tuple or None, `values` a list. False with an error set
   for a damaged one. */
typedef struct py_row_parts {
    PyObject *fields, *values;
    int kind;
} py_row_parts;
bool py_row_is(py_state *state, PyObject *o);
bool py_row_read(py_state *state, PyObject *o, py_row_parts *out);
/* A new Row; steals `values`, a list; `fields` is a tuple or None. */
PyObject *py_row_new(py_state *state, PyObject *fields, PyObject *values, int kind);
/* The interned schema of a tuple of names; NULL with an error set. */
const leat_schema *py_schema_of(PyObject *fields);
/* A borrowed tuple of the schema's names. */
PyObject *py_schema_names(py_state *state, const leat_schema *schema);
/* The names of a row type's fields: the given ones, else f0, f1 ... NULL with an error set. */
const leat_schema *py_row_schema(py_state *state, const leat_type *type);
/* The type of item `i` of a value of that type (may be NULL); NULL when it is not known. For maps 0
   is the key's and 1 the value's. */
const leat_type *py_type_item(const leat_type *type, uint32_t i);
/* Are integers floats in a stream of that type (may be NULL)? */
static inline bool py_type_floats(const leat_type *type) {
    return type && (type->tag == LEAT_T_DOUBLE || type->tag == LEAT_T_FLOAT);
}

/* 1: done, 0: no native form, -1: failed with an error set; see py_calendar.c. */
int py_decimal_read(PyObject *o, leat_decimal *digits, int32_t *scale);
int py_date_read(PyObject *o, int64_t *days);
int py_time_read(PyObject *o, int64_t *nanoseconds);
/* Wall clock of a datetime without zone, as if it were UTC. */
int py_datetime_read(PyObject *o, int64_t *milliseconds, uint32_t *nanoseconds);
int py_instant_read(PyObject *o, int64_t *milliseconds, uint32_t *nanoseconds);
/* New references. */
PyObject *py_decimal_new(py_state *state, const leat_decimal *digits, int32_t scale);
PyObject *py_date_new(py_state *state, int64_t days);
PyObject *py_time_new(py_state *state, int64_t nanoseconds);
PyObject *py_datetime_new(py_state *state, int64_t milliseconds, uint32_t nanoseconds);
PyObject *py_instant_new(py_state *state, int64_t milliseconds, uint32_t nanoseconds);

#endif
