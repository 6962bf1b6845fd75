/* py_key.c: canonical bytes of Python objects as keys (docs/formats/key.md): the same bytes in
   every process, Python version and PYTHONHASHSEED, so neither hash() nor a pickle's bytes are
   asked. What has a native form is written by the runtime, whose containers come back here for the
   objects in them. The rest: integers of any size; sets by their sorted elements; any other object
   by its class and what it reduces to, as long as that is made of such parts. Functions, modules
   and what cannot be reduced are refused by name. */
#include "pybridge/py_convert.h"
#include "pybridge/py_encode.h"
#include "runtime/base/alloc.h"
#include "runtime/base/wire.h"
#include "runtime/bridge.h"

/* Two's complement, big endian, in as few bytes as hold it. */
static bool write_big_int(PyObject *o, leati_buf *out) {
    PyObject *bits = PyObject_CallMethod(o, "bit_length", NULL);
    long long size = bits ? PyLong_AsLongLong(bits) / 8 + 1 : -1;
    Py_XDECREF(bits);
    PyObject *method = size > 0 ? PyObject_GetAttrString(o, "to_bytes") : NULL;
    PyObject *args = method ? Py_BuildValue("(Ls)", size, "big") : NULL;
    PyObject *names = args ? Py_BuildValue("{sO}", "signed", Py_True) : NULL;
    PyObject *bytes = names ? PyObject_Call(method, args, names) : NULL;
    Py_XDECREF(method);
    Py_XDECREF(args);
    Py_XDECREF(names);
    if (!bytes) return false;
    leati_buf_u8(out, LEATI_K_BIG_INT);
    leati_buf_blob(out, PyBytes_AS_STRING(bytes), (size_t)PyBytes_GET_SIZE(bytes));
    Py_DECREF(bytes);
    return true;
}

/* A set's elements, each in its canonical bytes, as a sorted list of bytes. */
static PyObject *sorted_elements(py_state *state, PyObject *set) {
    PyObject *list = PyList_New(0), *iterator = list ? PyObject_GetIter(set) : NULL, *item;
    leati_buf one;
    leati_buf_init(&one);
    bool ok = iterator != NULL;
    while (ok && (item = PyIter_Next(iterator))) {
        one.size = 0;
        ok = py_key_write(state, item, &one);
        PyObject *bytes = ok ? PyBytes_FromStringAndSize(one.bytes, (Py_ssize_t)one.size) : NULL;
        ok = bytes && PyList_Append(list, bytes) == 0;
        Py_XDECREF(bytes);
        Py_DECREF(item);
    }
    leati_buf_fini(&one);
    Py_XDECREF(iterator);
    if (ok && !PyErr_Occurred() && PyList_Sort(list) == 0) return list;
    Py_XDECREF(list);
    return NULL;
}

static bool write_set(py_state *state, PyObject *o, leati_buf *out) {
    PyObject *list = sorted_elements(state, o);
    if (!list) return false;
    leati_buf_u8(out, LEATI_K_SET);
    leati_buf_varint(out, (uint64_t)PyList_GET_SIZE(list));
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(list); i++) {
        PyObject *item = PyList_GET_ITEM(list, i);
        leati_buf_append(out, PyBytes_AS_STRING(item), (size_t)PyBytes_GET_SIZE(item));
    }
    Py_DECREF(list);
    return true;
}

static bool refuse(PyObject *o, const char *why) {
    PyErr_Format(PyExc_TypeError, "%s can't be a key: %s", Py_TYPE(o)->tp_name, why);
    return false;
}

/* "module.Class" */
static PyObject *class_name(PyObject *type) {
    PyObject *module = PyObject_GetAttrString(type, "__module__");
    PyObject *name = module ? PyObject_GetAttrString(type, "__qualname__") : NULL;
    PyObject *both = name ? PyUnicode_FromFormat("%S.%S", module, name) : NULL;
    Py_XDECREF(module);
    Py_XDECREF(name);
    return both;
}

static bool write_head(PyObject *type, leati_buf *out) {
    PyObject *name = class_name(type);
    Py_ssize_t size;
    const char *text = name ? PyUnicode_AsUTF8AndSize(name, &size) : NULL;
    if (text) {
        leati_buf_u8(out, LEATI_K_OBJECT);
        leati_buf_blob(out, text, (size_t)size);
    }
    Py_XDECREF(name);
    return text != NULL;
}

/* The state of what __reduce_ex__ gave: its callable is left out where it only makes an instance
   (the class says that), and classes among the arguments go by name. */
static PyObject *plain_part(PyObject *part) {
    if (PyType_Check(part)) return class_name(part);
    if (PyCFunction_Check(part) || PyFunction_Check(part)) {
        PyObject *name = PyObject_GetAttrString(part, "__qualname__");
        return name;
    }
    if (!PyTuple_CheckExact(part)) return Py_NewRef(part);
    PyObject *copy = PyTuple_New(PyTuple_GET_SIZE(part));
    for (Py_ssize_t i = 0; copy && i < PyTuple_GET_SIZE(part); i++) {
        PyObject *item = plain_part(PyTuple_GET_ITEM(part, i));
        if (!item) {
            Py_DECREF(copy);
            return NULL;
        }
        PyTuple_SET_ITEM(copy, i, item);
    }
    return copy;
}

static bool write_reduced(py_state *state, PyObject *o, leati_buf *out) {
    PyObject *reduced = PyObject_CallMethod(o, "__reduce_ex__", "i", 2);
    if (!reduced) return PyErr_ExceptionMatches(PyExc_TypeError) && refuse(o, "it has no state");
    bool plain = PyTuple_Check(reduced) && PyTuple_GET_SIZE(reduced) >= 2;
    for (Py_ssize_t i = 3; plain && i < PyTuple_GET_SIZE(reduced); i++)
        plain = PyTuple_GET_ITEM(reduced, i) == Py_None;
    if (!plain) {
        Py_DECREF(reduced);
        return refuse(o, "it holds more than attributes; use a tuple of what counts");
    }
    PyObject *parts = plain_part(reduced);
    Py_DECREF(reduced);
    bool ok = parts && write_head((PyObject *)Py_TYPE(o), out) && py_key_write(state, parts, out);
    Py_XDECREF(parts);
    return ok;
}

static bool write_rest(py_state *state, PyObject *o, leati_buf *out) {
    if (PyAnySet_Check(o)) return write_set(state, o, out);
    if (PyLong_CheckExact(o)) return write_big_int(o, out);
    if (PyUnicode_CheckExact(o)) return refuse(o, "it has a lone surrogate");
    if (PyType_Check(o) || PyFunction_Check(o) || PyCFunction_Check(o) || PyModule_Check(o))
        return refuse(o, "it is code and not data");
    return write_reduced(state, o, out);
}

static bool write_native(py_state *state, const leat_value *v, leati_buf *out) {
    (void)state;
    leat_status status = leati_key_write(v, out);
    if (status < 0 && !PyErr_Occurred())
        PyErr_SetString(PyExc_TypeError, "a value of this kind can't be a key");
    return status >= 0;
}

bool py_key_write(py_state *state, PyObject *o, leati_buf *out) {
    leati_arena arena;
    leat_value v;
    if (py_scalar_value(o, &v)) return write_native(state, &v, out);
    if (Py_EnterRecursiveCall(" while writing a key")) return false;
    leati_arena_init(&arena);
    bool ok = py_to_value(state, o, NULL, &arena, &v) >= 0;
    if (ok) ok = v.kind == LEAT_OBJECT ? write_rest(state, o, out) : write_native(state, &v, out);
    leati_arena_fini(&arena);
    Py_LeaveRecursiveCall();
    if (ok && out->failed) {
        PyErr_NoMemory();
        return false;
    }
    return ok;
}
