/* py_mapping.c: see py_mapping.h. */
#include "pybridge/py_mapping.h"

static const py_mapping_calls *calls_of(PyObject *self) {
    return ((py_mapping *)(void *)self)->calls;
}

/* --- reading ---------------------------------------------------------------------------------- */

PyObject *py_mapping_get(PyObject *self, PyObject *key) {
    PyObject *found;
    int there = calls_of(self)->look(self, key, &found);
    return there > 0 ? found : py_none_if(there == 0);
}

int py_mapping_contains_key(PyObject *self, PyObject *key) {
    PyObject *found = NULL;
    int there = calls_of(self)->look(self, key, &found);
    if (there > 0) Py_DECREF(found);
    return there;
}

PyObject *py_mapping_contains(PyObject *self, PyObject *key) {
    int there = py_mapping_contains_key(self, key);
    return there < 0 ? NULL : PyBool_FromLong(there);
}

PyObject *py_mapping_is_empty(PyObject *self, PyObject *unused) {
    (void)unused;
    int any = calls_of(self)->any(self);
    return any < 0 ? NULL : PyBool_FromLong(!any);
}

static PyObject *walk(PyObject *self, py_mapping_part part) {
    PyObject *list = calls_of(self)->list(self, part);
    PyObject *iterator = list ? PyObject_GetIter(list) : NULL;
    Py_XDECREF(list);
    return iterator;
}

PyObject *py_mapping_items(PyObject *self, PyObject *unused) {
    (void)unused;
    return walk(self, PY_MAPPING_ITEMS);
}

PyObject *py_mapping_keys(PyObject *self, PyObject *unused) {
    (void)unused;
    return walk(self, PY_MAPPING_KEYS);
}

PyObject *py_mapping_values(PyObject *self, PyObject *unused) {
    (void)unused;
    return walk(self, PY_MAPPING_VALUES);
}

PyObject *py_mapping_iter(PyObject *self) {
    return walk(self, PY_MAPPING_KEYS);
}

/* --- changing --------------------------------------------------------------------------------- */

PyObject *py_mapping_put(PyObject *self, PyObject *const *args, Py_ssize_t count) {
    if (count != 2) {
        PyErr_Format(PyExc_TypeError, "put() takes a key and a value, %zd were given", count);
        return NULL;
    }
    return py_none_if(calls_of(self)->set(self, args[0], args[1]));
}

PyObject *py_mapping_put_all(PyObject *self, PyObject *mapping) {
    PyObject *plain = PyDict_New(), *key, *value;
    Py_ssize_t at = 0;
    bool ok = plain && PyDict_Update(plain, mapping) == 0;
    while (ok && PyDict_Next(plain, &at, &key, &value)) ok = calls_of(self)->set(self, key, value);
    Py_XDECREF(plain);
    return py_none_if(ok);
}

PyObject *py_mapping_remove(PyObject *self, PyObject *key) {
    return py_none_if(calls_of(self)->set(self, key, NULL));
}

int py_mapping_assign(PyObject *self, PyObject *key, PyObject *value) {
    return calls_of(self)->set(self, key, value) ? 0 : -1;
}
