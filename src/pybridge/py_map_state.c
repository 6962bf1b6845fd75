/* py_map_state.c: map state as Python sees it: what its methods (py_mapping.h) come down to. A map
   is native where its types are those of immutable objects (`contains`), else a dict that is the
   stored object; what goes out of it are copies. Where it expires each value stands there as a pair
   (time, value), and the cell lives as long as its youngest. */
#include "pybridge/py_state.h"

static PyObject *map_stored(py_cell *c, bool make, bool *failed) {
    return py_cell_container(c, make, PyDict_New, failed);
}

/* Takes the element out of the pair in `out`; false when it is not to be seen, and then it is gone.
   An expired one leaves the dict, one that was read is as new. */
static bool map_shows(py_cell *c, PyObject *dict, PyObject *key, PyObject **out) {
    PyObject *pair = *out, *element;
    bool expired = py_cell_expired(c, pair, leat_context_now(c->ctx), &element);
    *out = Py_NewRef(element);
    Py_DECREF(pair);
    bool ok = true;
    if (expired) {
        ok = PyDict_DelItem(dict, key) == 0 &&
             (PyDict_GET_SIZE(dict) ? py_cell_put(c, dict) : py_cell_remove(c));
    } else if (c->ttl.on_read) {
        PyObject *again = py_cell_timed(c, Py_NewRef(element));
        ok = again && PyDict_SetItem(dict, key, again) == 0;
        Py_XDECREF(again);
    }
    if (ok && (!expired || c->ttl.show_expired)) return true;
    Py_CLEAR(*out);
    return false;
}

/* What shows of the dict, without times: itself where nothing expires. A new reference. */
static PyObject *map_plain(py_cell *c, PyObject *dict) {
    if (!dict || !c->ttl.ms) return dict ? Py_NewRef(dict) : PyDict_New();
    PyObject *plain = PyDict_New(), *keys = PyDict_Keys(dict);
    bool ok = plain && keys;
    for (Py_ssize_t i = 0; ok && i < PyList_GET_SIZE(keys); i++) {
        PyObject *key = PyList_GET_ITEM(keys, i);
        PyObject *element = Py_XNewRef(PyDict_GetItemWithError(dict, key));
        if (element && map_shows(c, dict, key, &element))
            ok = PyDict_SetItem(plain, key, element) == 0;
        ok = ok && !PyErr_Occurred();
        Py_XDECREF(element);
    }
    Py_XDECREF(keys);
    if (!ok) Py_CLEAR(plain);
    return plain;
}

static int map_look_native(py_cell *c, PyObject *key, PyObject **out) {
    PyObject *k = py_cell_shaped(c->key_shape, key);
    int there = k ? py_cell_map_get(c, k, out) : -1;
    Py_XDECREF(k);
    return there;
}

/* `value` NULL: removes the key. */
static bool map_set_native(py_cell *c, PyObject *key, PyObject *value) {
    PyObject *k = py_cell_shaped(c->key_shape, key);
    PyObject *v = k && value ? py_cell_shaped(c->shape, value) : NULL;
    bool ok = k && (v || !value) && py_cell_map_set(c, k, v);
    Py_XDECREF(k);
    Py_XDECREF(v);
    return ok;
}

/* 1: in `out` is a new reference, 0: there is none, -1: failed. */
static int map_look(PyObject *self, PyObject *key, PyObject **out) {
    bool failed;
    py_cell *c = py_cell_of(self);
    if (c->contains) return map_look_native(c, key, out);
    PyObject *dict = map_stored(c, false, &failed);
    if (!dict) return failed ? -1 : 0;
    PyObject *k = py_cell_shaped(c->key_shape, key);
    PyObject *found = k ? PyDict_GetItemWithError(dict, k) : NULL;
    *out = Py_XNewRef(found);
    bool shows = found && (!c->ttl.ms || map_shows(c, dict, k, out));
    Py_XDECREF(k);
    Py_DECREF(dict);
    return shows ? 1 : PyErr_Occurred() ? -1 : 0;
}

static bool dict_set(const py_cell *c, PyObject *dict, PyObject *key, PyObject *value) {
    PyObject *k = py_cell_shaped(c->key_shape, key);
    PyObject *v = k ? py_cell_timed(c, py_cell_shaped(c->shape, value)) : NULL;
    bool ok = v && PyDict_SetItem(dict, k, v) == 0;
    Py_XDECREF(k);
    Py_XDECREF(v);
    return ok;
}

/* Of a dict. */
static bool map_delete(py_cell *c, PyObject *key) {
    bool failed;
    PyObject *dict = map_stored(c, false, &failed);
    if (!dict) return !failed;
    PyObject *k = py_cell_shaped(c->key_shape, key);
    bool ok = k && PyDict_DelItem(dict, k) == 0;
    if (k && !ok && PyErr_ExceptionMatches(PyExc_KeyError)) {
        PyErr_Clear();
        ok = true;
    }
    if (ok) ok = PyDict_GET_SIZE(dict) ? py_cell_put(c, dict) : py_cell_remove(c);
    Py_XDECREF(k);
    Py_DECREF(dict);
    return ok;
}

static bool map_set(PyObject *self, PyObject *key, PyObject *value) {
    bool failed;
    py_cell *c = py_cell_of(self);
    if (c->contains) return map_set_native(c, key, value);
    if (!value) return map_delete(c, key);
    PyObject *dict = map_stored(c, true, &failed);
    bool ok = dict && dict_set(c, dict, key, value);
    Py_XDECREF(dict);
    return ok;
}

/* A copy of what shows, as a dict. */
static PyObject *map_copy(py_cell *c) {
    bool failed;
    PyObject *dict = map_stored(c, false, &failed);
    PyObject *plain = failed ? NULL : map_plain(c, dict);
    Py_XDECREF(dict);
    return plain;
}

static int map_any(PyObject *self) {
    if (py_cell_of(self)->contains) return py_cell_map_any(py_cell_of(self));
    PyObject *plain = map_copy(py_cell_of(self));
    int any = plain ? PyDict_GET_SIZE(plain) > 0 : -1;
    Py_XDECREF(plain);
    return any;
}

static PyObject *map_list(PyObject *self, py_mapping_part part) {
    static PyObject *(*const lists[])(PyObject *) = {[PY_MAPPING_ITEMS] = PyDict_Items,
                                                     [PY_MAPPING_KEYS] = PyDict_Keys,
                                                     [PY_MAPPING_VALUES] = PyDict_Values};
    PyObject *plain = map_copy(py_cell_of(self));
    PyObject *list = plain ? lists[part](plain) : NULL;
    Py_XDECREF(plain);
    return list;
}

const py_mapping_calls py_map_state_calls = {map_look, map_set, map_list, map_any};

static PyMethodDef map_methods[] = {
    PY_MAPPING_READING, PY_MAPPING_WRITING, PY_STATE_CLEAR, {NULL, NULL, 0, NULL}};
static PyType_Slot map_slots[] = {
    PY_STATE_SLOTS("A map per key.", map_methods),
    PY_MAPPING_SLOTS,
    {Py_mp_ass_subscript, (void *)py_mapping_assign},
    {0, NULL},
};
static PyType_Spec map_spec = PY_STATE_SPEC("MapState", map_slots);

PyType_Spec *py_map_state_spec(void) {
    return &map_spec;
}
