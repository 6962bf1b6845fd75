/* py_encode.c: Python objects straight to the wire, without a native value in between.

   Exact None, bool, int of 64 bits, float, str, bytes, tuple, list and dict, Rows, and what has a
   native form by its declared type are written as native values, so that native operators and other
   languages can read them. Everything else is a blob that only Python reads: 'P' and a pickle, in
   which classes of __main__ go by name.

   Tuples and rows are written item by item, so that a native operator finds their fields even when
   one of them is an object. A list or dict that holds an object somewhere is one pickle as a whole:
   one pickle of a thousand objects is far cheaper than a thousand pickles. So is what is nested
   deeper than readers accept. */
#include "pybridge/py_encode.h"

#include "pybridge/py_convert.h"
#include "runtime/base/wire.h"

typedef struct py_writer {
    py_state *state;
    leati_buf *out;
    bool whole; /* inside a list or dict: no blob for a part of it */
} py_writer;

typedef enum written {
    WRITE_FAILED = -1, /* with an error set */
    WRITE_OBJECT = 0,  /* has no native form; what was appended is to be cut off */
    WRITE_DONE = 1
} written;

PyObject *py_pickle(py_state *state, PyObject *o) {
    PyObject *fast = py_known_get(state, PY_DUMPS);
    PyObject *bytes = fast ? PyObject_CallFunction(fast, "Oi", o, 5) : NULL;
    if (bytes || !fast) return bytes;
    if (!PyErr_ExceptionMatches(PyExc_Exception)) return NULL;
    PyErr_Clear();
    PyObject *any = py_known_get(state, PY_DUMPS_ANY);
    return any ? PyObject_CallOneArg(any, o) : NULL;
}

PyObject *py_decode_object(py_state *state, const char *bytes, size_t size) {
    if (!size || bytes[0] != 'P') {
        PyErr_SetString(PyExc_ValueError, "an object that no Python wrote came in");
        return NULL;
    }
    PyObject *loads = py_known_get(state, PY_LOADS);
    PyObject *view = loads ? PyBytes_FromStringAndSize(bytes + 1, (Py_ssize_t)size - 1) : NULL;
    PyObject *o = view ? PyObject_CallOneArg(loads, view) : NULL;
    Py_XDECREF(view);
    return o;
}

static written write_pickle(py_writer *w, PyObject *o) {
    PyObject *bytes = py_pickle(w->state, o);
    if (!bytes) return WRITE_FAILED;
    size_t size = (size_t)PyBytes_GET_SIZE(bytes);
    leati_buf_u8(w->out, LEAT_W_OBJECT);
    leati_buf_varint(w->out, size + 1);
    leati_buf_u8(w->out, 'P');
    leati_buf_append(w->out, PyBytes_AS_STRING(bytes), size);
    Py_DECREF(bytes);
    return WRITE_DONE;
}

static written write_native(py_writer *w, PyObject *o, const leat_type *type, int depth);

/* An item, native if that is possible. */
static written write_item(py_writer *w, PyObject *o, const leat_type *type, int depth) {
    size_t mark = w->out->size;
    written done = depth < LEATI_CODEC_DEPTH ? write_native(w, o, type, depth) : WRITE_OBJECT;
    if (done != WRITE_OBJECT || w->whole) return done;
    w->out->size = mark;
    return write_pickle(w, o);
}

static void write_double(leati_buf *out, double d) {
    uint64_t bits;
    memcpy(&bits, &d, sizeof bits);
    leati_buf_u8(out, LEAT_W_DOUBLE);
    leati_buf_u64(out, bits);
}

static void write_tagged(leati_buf *out, uint8_t tag, const void *bytes, size_t size) {
    leati_buf_u8(out, tag);
    leati_buf_blob(out, bytes, size);
}

static written write_string(py_writer *w, PyObject *o) {
    Py_ssize_t size;
    const char *text = PyUnicode_AsUTF8AndSize(o, &size);
    if (!text || size >= UINT32_MAX) {
        PyErr_Clear();
        return WRITE_OBJECT;
    }
    write_tagged(w->out, LEAT_W_STRING, text, (size_t)size);
    return WRITE_DONE;
}

static written write_scalar(py_writer *w, const leat_value *v) {
    if (v->kind == LEAT_NULL) leati_buf_u8(w->out, LEAT_W_NULL);
    if (v->kind == LEAT_BOOL) leati_buf_u8(w->out, v->as.b ? LEAT_W_TRUE : LEAT_W_FALSE);
    if (v->kind == LEAT_DOUBLE) write_double(w->out, v->as.d);
    if (v->kind == LEAT_INT) {
        leati_buf_u8(w->out, LEAT_W_INT);
        leati_buf_zigzag(w->out, v->as.i);
    }
    return WRITE_DONE;
}

/* Items of a tuple or list; their container's head was written. */
static written write_items(py_writer *w, PyObject *sequence, const leat_type *type, int depth) {
    for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(sequence); i++) {
        written done = write_item(w, PySequence_Fast_GET_ITEM(sequence, i),
                                  py_type_item(type, (uint32_t)i), depth + 1);
        if (done != WRITE_DONE) return done;
    }
    return WRITE_DONE;
}

static written write_tuple(py_writer *w, PyObject *o, const leat_type *type, int depth) {
    leati_buf_u8(w->out, LEAT_W_TUPLE);
    leati_buf_varint(w->out, (uint64_t)PyTuple_GET_SIZE(o));
    return write_items(w, o, type, depth);
}

static written write_list(py_writer *w, PyObject *o, const leat_type *type, int depth) {
    bool whole = w->whole;
    leati_buf_u8(w->out, LEAT_W_LIST);
    leati_buf_varint(w->out, (uint64_t)PyList_GET_SIZE(o));
    w->whole = true;
    written done = write_items(w, o, type, depth);
    w->whole = whole;
    return done;
}

static written write_pairs(py_writer *w, PyObject *o, const leat_type *type, int depth) {
    Py_ssize_t at = 0;
    PyObject *key, *item;
    while (PyDict_Next(o, &at, &key, &item)) {
        written done = write_item(w, key, py_type_item(type, 0), depth + 1);
        if (done == WRITE_DONE) done = write_item(w, item, py_type_item(type, 1), depth + 1);
        if (done != WRITE_DONE) return done;
    }
    return WRITE_DONE;
}

static written write_dict(py_writer *w, PyObject *o, const leat_type *type, int depth) {
    bool whole = w->whole;
    leati_buf_u8(w->out, LEAT_W_MAP);
    leati_buf_varint(w->out, (uint64_t)PyDict_GET_SIZE(o));
    w->whole = true;
    written done = write_pairs(w, o, type, depth);
    w->whole = whole;
    return done;
}

static bool write_names(py_writer *w, PyObject *fields) {
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(fields); i++) {
        Py_ssize_t size;
        const char *name = PyUnicode_AsUTF8AndSize(PyTuple_GET_ITEM(fields, i), &size);
        if (!name) return false;
        leati_buf_blob(w->out, name, (size_t)size);
    }
    return true;
}

/* f0, f1 ..., which a row type without names gives, need not travel. */
static written write_row(py_writer *w, PyObject *o, const leat_type *type, int depth) {
    py_row_parts parts;
    if (!py_row_read(w->state, o, &parts)) return WRITE_FAILED;
    Py_ssize_t size = PyList_GET_SIZE(parts.values);
    bool typed = type && type->tag == LEAT_T_ROW && type->size == (uint32_t)size && !type->schema;
    bool named = parts.fields != Py_None && !typed;
    leati_buf_u8(w->out, named ? LEAT_W_ROW_NAMED : LEAT_W_ROW);
    leati_buf_u8(w->out, (uint8_t)parts.kind);
    leati_buf_varint(w->out, (uint64_t)size);
    if (named && !write_names(w, parts.fields)) return WRITE_FAILED;
    return write_items(w, parts.values, type, depth);
}

static written write_decimal(py_writer *w, PyObject *o) {
    leat_decimal digits;
    int32_t scale;
    int done = py_decimal_read(o, &digits, &scale);
    if (done <= 0) return (written)done;
    leati_buf_u8(w->out, LEAT_W_DECIMAL);
    leati_buf_zigzag(w->out, scale);
    leati_buf_u64(w->out, digits.low);
    leati_buf_u64(w->out, (uint64_t)digits.high);
    return WRITE_DONE;
}

static written write_day(py_writer *w, uint8_t tag, int done, int64_t number) {
    if (done <= 0) return (written)done;
    leati_buf_u8(w->out, tag);
    leati_buf_zigzag(w->out, number);
    return WRITE_DONE;
}

static written write_timestamp(py_writer *w, PyObject *o, bool instant) {
    int64_t milliseconds;
    uint32_t nanoseconds;
    int done = instant ? py_instant_read(o, &milliseconds, &nanoseconds)
                       : py_datetime_read(o, &milliseconds, &nanoseconds);
    if (done <= 0) return (written)done;
    leati_buf_u8(w->out, LEAT_W_TIMESTAMP);
    leati_buf_zigzag(w->out, milliseconds);
    leati_buf_varint(w->out, nanoseconds);
    return WRITE_DONE;
}

/* Objects of classes that have a native form, as py_to_value has it. */
static written write_class(py_writer *w, PyObject *o, const leat_type *type) {
    leat_type_tag tag = type ? type->tag : LEAT_T_PICKLED;
    int64_t number = 0;
    if (py_known_is(w->state, o, PY_DECIMAL)) return write_decimal(w, o);
    if (py_known_is(w->state, o, PY_DATE)) {
        int done = py_date_read(o, &number);
        return write_day(w, LEAT_W_DATE, done, number);
    }
    if (py_known_is(w->state, o, PY_TIME)) {
        int done = py_time_read(o, &number);
        return write_day(w, LEAT_W_TIME, done, number);
    }
    if (tag == LEAT_T_SQL_TIMESTAMP && py_known_is(w->state, o, PY_DATETIME))
        return write_timestamp(w, o, false);
    if (tag == LEAT_T_INSTANT && py_known_is(w->state, o, PY_INSTANT))
        return write_timestamp(w, o, true);
    return WRITE_OBJECT;
}

static written write_native(py_writer *w, PyObject *o, const leat_type *type, int depth) {
    leat_value scalar;
    if (PyUnicode_CheckExact(o)) return write_string(w, o);
    if (py_scalar_value(o, &scalar)) return write_scalar(w, &scalar);
    if (PyTuple_CheckExact(o)) return write_tuple(w, o, type, depth);
    if (PyList_CheckExact(o)) return write_list(w, o, type, depth);
    if (PyDict_CheckExact(o)) return write_dict(w, o, type, depth);
    if (PyBytes_CheckExact(o)) {
        if (PyBytes_GET_SIZE(o) >= UINT32_MAX) return WRITE_OBJECT;
        write_tagged(w->out, LEAT_W_BYTES, PyBytes_AS_STRING(o), (size_t)PyBytes_GET_SIZE(o));
        return WRITE_DONE;
    }
    if (py_row_is(w->state, o)) return write_row(w, o, type, depth);
    return write_class(w, o, type);
}

bool py_encode(py_state *state, PyObject *o, const leat_type *type, leati_buf *out) {
    py_writer w = {.state = state, .out = out};
    size_t mark = out->size;
    bool ok = write_item(&w, o, type, 0) == WRITE_DONE;
    if (ok && out->failed) {
        PyErr_NoMemory();
        ok = false;
    }
    if (!ok) out->size = mark;
    return ok;
}
