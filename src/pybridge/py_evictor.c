/* py_evictor.c: evictors in Python. They get a list, and either take out of it what shall go, or
   give back what stays; who is who among the elements is a matter of identity. */
#include "pybridge/py_error.h"
#include "pybridge/py_window.h"

enum { BEFORE, AFTER };

/* A list of TimestampedValues of tuples (event time, value). */
static PyObject *timestamped(py_call *c, const leat_value *elements, size_t count) {
    PyObject *type = py_known_get(c->state, PY_TIMESTAMPED_VALUE);
    PyObject *list = type ? PyList_New((Py_ssize_t)count) : NULL;
    for (size_t i = 0; list && i < count; i++) {
        const leat_value *pair = elements[i].as.items;
        const leat_type *in = c->in[elements[i].size > 2 ? pair[2].as.i : 0];
        PyObject *made, *value = py_argument(c, &pair[1], in, &made);
        bool timeless = pair[0].as.i == LEAT_NO_TIME;
        PyObject *time = !value     ? NULL
                         : timeless ? Py_NewRef(Py_None)
                                    : PyLong_FromLongLong(pair[0].as.i);
        PyObject *o = time ? PyObject_CallFunctionObjArgs(type, value, time, NULL) : NULL;
        Py_XDECREF(time);
        Py_XDECREF(made);
        if (o)
            PyList_SET_ITEM(list, (Py_ssize_t)i, o);
        else
            Py_CLEAR(list);
    }
    return list;
}

/* The addresses of what stays, sorted into a set; NULL with an error set. */
static PyObject *identities(PyObject *staying) {
    PyObject *set = PySet_New(NULL), *iterator = set ? PyObject_GetIter(staying) : NULL, *item;
    while (iterator && (item = PyIter_Next(iterator))) {
        PyObject *address = PyLong_FromVoidPtr(item);
        if (!address || PySet_Add(set, address) < 0) Py_CLEAR(iterator);
        Py_XDECREF(address);
        Py_DECREF(item);
    }
    bool ok = iterator && !PyErr_Occurred();
    Py_XDECREF(iterator);
    if (!ok) Py_CLEAR(set);
    return set;
}

/* `all` holds every element, so that no address comes twice. */
static bool mark(PyObject *all, PyObject *staying, bool *keep) {
    PyObject *stays = identities(staying);
    if (!stays) return false;
    Py_ssize_t kept = 0;
    bool ok = true;
    for (Py_ssize_t i = 0; ok && i < PyTuple_GET_SIZE(all); i++) {
        PyObject *address = PyLong_FromVoidPtr(PyTuple_GET_ITEM(all, i));
        int is = address ? PySet_Contains(stays, address) : -1;
        Py_XDECREF(address);
        keep[i] = is > 0;
        kept += is > 0;
        ok = is >= 0;
    }
    if (ok && kept < PySet_GET_SIZE(stays)) {
        PyErr_SetString(PyExc_TypeError, "an evictor gave back what is no element of the window");
        ok = false;
    }
    Py_DECREF(stays);
    return ok;
}

static leat_status evict(leat_context *ctx, py_call *c, int which, const leat_window *w,
                         const leat_value *elements, size_t count, bool *keep) {
    PyObject *window = py_window_enter(c, w) ? py_window_object(c) : NULL, *result = NULL;
    PyObject *list = window ? timestamped(c, elements, count) : NULL;
    PyObject *all = list ? PyList_AsTuple(list) : NULL;
    PyObject *size = all ? PyLong_FromSize_t(count) : NULL;
    if (size) result = py_invoke_4(&c->targets[which], list, size, window, c->windowed->context);
    bool ok = result && mark(all, result == Py_None ? list : result, keep);
    Py_XDECREF(result);
    Py_XDECREF(size);
    Py_XDECREF(all);
    Py_XDECREF(list);
    return ok ? LEAT_OK : py_error_user(c->state, ctx);
}

static leat_status before_call(leat_context *ctx, const leat_window *w, const leat_value *elements,
                               size_t count, bool *keep, void *self) {
    return evict(ctx, self, BEFORE, w, elements, count, keep);
}

static leat_status after_call(leat_context *ctx, const leat_window *w, const leat_value *elements,
                              size_t count, bool *keep, void *self) {
    return evict(ctx, self, AFTER, w, elements, count, keep);
}

bool py_evictor_fill(py_call *c, leat_function *fn) {
    leat_evictor *table = &c->windowed->table.evictor;
    *table = (leat_evictor){.size = sizeof *table, .before = before_call, .after = after_call};
    fn->call.evictor = table;
    return true;
}
