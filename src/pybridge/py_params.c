/* py_params.c: see py_params.h. The kind of each argument comes from the operator's own table, so
   that a new operator needs no line here. Lists come as Python lists of integers and strings, or as
   bytes of encoded values; user functions as ("python", payload, display name), functions of Leat's
   own as ("leat", name and numbers in bytes, display name). */
#include "pybridge/py_params.h"

#include "pybridge/py_convert.h"

static const leat_param *find_param(const leat_operator *op, const char *name) {
    for (const leat_param *p = op->params; p && p->name; p++)
        if (strcmp(p->name, name) == 0) return p;
    return NULL;
}

static bool wrong(const leat_operator *op, const leat_param *p, const char *expected, PyObject *o) {
    PyErr_Format(PyExc_TypeError, "%s: %s must be %s, not %s", op->name, p->name, expected,
                 Py_TYPE(o)->tp_name);
    return false;
}

static bool no_memory(void) {
    PyErr_NoMemory();
    return false;
}

static bool read_int(const leat_operator *op, const leat_param *p, PyObject *o, leat_arg *arg) {
    if (!PyLong_Check(o)) return wrong(op, p, "an int", o);
    arg->as.i = PyLong_AsLongLong(o);
    return !PyErr_Occurred();
}

static bool read_double(const leat_operator *op, const leat_param *p, PyObject *o, leat_arg *arg) {
    if (!PyFloat_Check(o) && !PyLong_Check(o)) return wrong(op, p, "a float", o);
    arg->as.d = PyFloat_AsDouble(o);
    return !PyErr_Occurred();
}

static bool read_string(const leat_operator *op, const leat_param *p, PyObject *o, leat_arg *arg) {
    if (!PyUnicode_Check(o)) return wrong(op, p, "a str", o);
    arg->as.string = PyUnicode_AsUTF8(o);
    return arg->as.string != NULL;
}

static bool read_value(py_params *params, py_state *state, const leat_operator *op,
                       const leat_param *p, PyObject *o, leat_arg *arg) {
    bool list = p->kind == LEAT_PARAM_LIST;
    if (!PyBytes_Check(o) && !(list && (PyList_CheckExact(o) || PyTuple_CheckExact(o))))
        return wrong(op, p, list ? "a list" : "bytes", o);
    leat_value *v = leati_arena_alloc(&params->arena, sizeof *v);
    if (!v) return no_memory();
    if (PyBytes_Check(o)) {
        arg->kind = LEAT_PARAM_BYTES;
        *v = leat_bytes(PyBytes_AS_STRING(o), (size_t)PyBytes_GET_SIZE(o));
    } else if (py_to_value(state, o, NULL, &params->arena, v) < 0) {
        return false;
    }
    if (v->kind == LEAT_TUPLE) v->kind = LEAT_LIST;
    arg->as.value = v;
    return true;
}

/* The spec of a Python function is 'P' and the payload; py_function.c reads it. */
static bool read_function(py_params *params, const leat_operator *op, const leat_param *p,
                          PyObject *o, leat_arg *arg) {
    const char *language, *name, *payload;
    Py_ssize_t size;
    if (!PyTuple_Check(o)) return wrong(op, p, "a function", o);
    if (!PyArg_ParseTuple(o, "sy#s", &language, &payload, &size, &name)) return false;
    bool own = strcmp(language, LEAT_BUILTIN) == 0;
    if (!own && strcmp(language, "python") != 0) {
        PyErr_Format(PyExc_ValueError, "%s: there is no language %s", op->name, language);
        return false;
    }
    leat_function *f = leati_arena_alloc(&params->arena, sizeof *f);
    char *spec = leati_arena_alloc(&params->arena, (size_t)size + 1);
    if (!f || !spec) return no_memory();
    spec[0] = 'P';
    memcpy(spec + 1, payload, (size_t)size);
    *f = leat_function_of(p->role, NULL);
    f->name = name;
    f->language = own ? LEAT_BUILTIN : "python";
    f->spec = own ? spec + 1 : spec;
    f->spec_size = (size_t)size + !own;
    arg->as.function = f;
    return true;
}

static bool read_param(py_params *params, py_state *state, const leat_operator *op,
                       const leat_param *p, PyObject *o, leat_arg *arg) {
    *arg = leat_arg_of(p->name, p->kind);
    switch (p->kind) {
    case LEAT_PARAM_INT: return read_int(op, p, o, arg);
    case LEAT_PARAM_DOUBLE: return read_double(op, p, o, arg);
    case LEAT_PARAM_STRING: return read_string(op, p, o, arg);
    case LEAT_PARAM_BYTES:
    case LEAT_PARAM_LIST: return read_value(params, state, op, p, o, arg);
    case LEAT_PARAM_FUNCTION: return read_function(params, op, p, o, arg);
    case LEAT_PARAM_POINTER: break;
    }
    PyObject *type = py_known_get(state, PY_NOT_SUPPORTED);
    if (type) PyErr_Format(type, "%s: %s can't be given from Python", op->name, p->name);
    return false;
}

bool py_params_init(py_params *params, py_state *state, const leat_operator *op, PyObject *dict) {
    memset(params, 0, sizeof *params);
    leati_arena_init(&params->arena);
    params->items = leati_arena_alloc(&params->arena,
                                      (size_t)PyDict_GET_SIZE(dict) * sizeof *params->items + 1);
    if (!params->items) return no_memory();
    Py_ssize_t at = 0;
    PyObject *key, *item;
    while (PyDict_Next(dict, &at, &key, &item)) {
        const char *name = PyUnicode_Check(key) ? PyUnicode_AsUTF8(key) : NULL;
        const leat_param *p = name ? find_param(op, name) : NULL;
        if (!p) {
            PyErr_Format(PyExc_ValueError, "%s has no parameter %R", op->name, key);
            return false;
        }
        if (item == Py_None) continue;
        if (!read_param(params, state, op, p, item, &params->items[params->count])) return false;
        params->count++;
    }
    return true;
}

void py_params_fini(py_params *params) {
    leati_arena_fini(&params->arena);
}
