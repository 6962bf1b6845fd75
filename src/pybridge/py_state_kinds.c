/* py_state_kinds.c: the five kinds of keyed state as Python sees them, with PyFlink's methods. Each
   is a py_cell (py_state.h) and differs only in what its methods do with what is stored: a value,
   an accumulator, a list or a dict. Lists and dicts are native where their types are those of
   immutable objects (`contains`), else the stored objects themselves; what goes out of them are
   copies or iterators of copies, so that a function may change the state while it walks over it.
   None is no value: storing it forgets.

   Where state expires the engine does it for whole cells; elements of lists and values of maps have
   their own times beside them then, as pairs (time, element), and a cell lives as long as its
   youngest. */
#include "pybridge/py_state.h"

#include "pybridge/py_convert.h"

static py_cell *cell_of(PyObject *self) {
    return (py_cell *)(void *)self;
}

static PyObject *none_if(bool ok) {
    if (!ok) return NULL;
    Py_RETURN_NONE;
}

/* --- all kinds -------------------------------------------------------------------------------- */

static int cell_traverse(PyObject *self, visitproc visit, void *arg) {
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(cell_of(self)->fold);
    Py_VISIT(cell_of(self)->create);
    Py_VISIT(cell_of(self)->result);
    Py_VISIT(cell_of(self)->merge);
    return 0;
}

static int cell_clear(PyObject *self) {
    Py_CLEAR(cell_of(self)->fold);
    Py_CLEAR(cell_of(self)->create);
    Py_CLEAR(cell_of(self)->result);
    Py_CLEAR(cell_of(self)->merge);
    return 0;
}

static void cell_dealloc(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    cell_clear(self);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyObject *state_clear(PyObject *self, PyObject *unused) {
    (void)unused;
    return none_if(py_cell_remove(cell_of(self)));
}

static bool store(py_cell *c, PyObject *o) {
    return o == Py_None ? py_cell_remove(c) : py_cell_put(c, o);
}

static PyObject *stored_or_none(PyObject *self, PyObject *unused) {
    (void)unused;
    bool failed;
    PyObject *o = py_cell_get(cell_of(self), &failed);
    if (LEAT_LIKELY(o != NULL)) return o;
    return none_if(!failed);
}

static PyObject *shaped(const py_shape *shape, PyObject *o) {
    return py_shape_apply(shape, Py_NewRef(o));
}

enum {
    STATE_FLAGS = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION |
                  Py_TPFLAGS_IMMUTABLETYPE
};
#define STATE_CLEAR \
    { "clear", state_clear, METH_NOARGS, PyDoc_STR("Forget it for the current key.") }
#define STATE_SLOTS(doc, methods)                                                     \
    {Py_tp_doc, (void *)(uintptr_t)(doc)}, {Py_tp_methods, methods},                  \
        {Py_tp_traverse, (void *)cell_traverse}, {Py_tp_clear, (void *)cell_clear}, { \
        Py_tp_dealloc, (void *)cell_dealloc                                           \
    }
#define STATE_SPEC(title, slots) \
    { "leat._leat." title, sizeof(py_cell), 0, STATE_FLAGS, slots }

/* --- ValueState ------------------------------------------------------------------------------- */

static PyObject *value_update(PyObject *self, PyObject *o) {
    return none_if(store(cell_of(self), o));
}

static PyMethodDef value_methods[] = {
    {"value", stored_or_none, METH_NOARGS, PyDoc_STR("The value, None when there is none.")},
    {"update", value_update, METH_O, PyDoc_STR("Set the value; None forgets it.")},
    STATE_CLEAR,
    {NULL, NULL, 0, NULL},
};
static PyType_Slot value_slots[] = {STATE_SLOTS("A value per key.", value_methods), {0, NULL}};
static PyType_Spec value_spec = STATE_SPEC("ValueState", value_slots);

PyType_Spec *py_value_state_spec(void) {
    return &value_spec;
}

/* --- ReducingState ---------------------------------------------------------------------------- */

static PyObject *reducing_add(PyObject *self, PyObject *o) {
    bool failed;
    py_cell *c = cell_of(self);
    PyObject *old = py_cell_get(c, &failed);
    if (failed) return NULL;
    PyObject *made = old ? PyObject_CallFunctionObjArgs(c->fold, old, o, NULL) : Py_NewRef(o);
    bool ok = made && store(c, made);
    Py_XDECREF(old);
    Py_XDECREF(made);
    return none_if(ok);
}

static PyMethodDef reducing_methods[] = {
    {"get", stored_or_none, METH_NOARGS, PyDoc_STR("What was reduced so far; None at first.")},
    {"add", reducing_add, METH_O, PyDoc_STR("Reduce with this value.")},
    STATE_CLEAR,
    {NULL, NULL, 0, NULL},
};
static PyType_Slot reducing_slots[] = {STATE_SLOTS("A reduced value per key.", reducing_methods),
                                       {0, NULL}};
static PyType_Spec reducing_spec = STATE_SPEC("ReducingState", reducing_slots);

PyType_Spec *py_reducing_state_spec(void) {
    return &reducing_spec;
}

/* --- AggregatingState ------------------------------------------------------------------------- */

static PyObject *aggregating_add(PyObject *self, PyObject *o) {
    bool failed;
    py_cell *c = cell_of(self);
    PyObject *old = py_cell_get(c, &failed);
    if (failed) return NULL;
    if (!old) old = PyObject_CallNoArgs(c->create);
    PyObject *made = old ? PyObject_CallFunctionObjArgs(c->fold, o, old, NULL) : NULL;
    bool ok = made && store(c, made);
    Py_XDECREF(old);
    Py_XDECREF(made);
    return none_if(ok);
}

static PyObject *aggregating_get(PyObject *self, PyObject *unused) {
    (void)unused;
    bool failed;
    PyObject *accumulator = py_cell_get(cell_of(self), &failed);
    if (!accumulator) return none_if(!failed);
    PyObject *made = PyObject_CallOneArg(cell_of(self)->result, accumulator);
    Py_DECREF(accumulator);
    return made;
}

static PyMethodDef aggregating_methods[] = {
    {"get", aggregating_get, METH_NOARGS, PyDoc_STR("The result so far; None at first.")},
    {"add", aggregating_add, METH_O, PyDoc_STR("Add a value to the accumulator.")},
    STATE_CLEAR,
    {NULL, NULL, 0, NULL},
};
static PyType_Slot aggregating_slots[] = {
    STATE_SLOTS("An accumulator per key.", aggregating_methods), {0, NULL}};
static PyType_Spec aggregating_spec = STATE_SPEC("AggregatingState", aggregating_slots);

PyType_Spec *py_aggregating_state_spec(void) {
    return &aggregating_spec;
}

/* --- ListState -------------------------------------------------------------------------------- */

/* `element` with the time of now beside it, where the state expires. Steals it; it may be NULL. */
static PyObject *timed(const py_cell *c, PyObject *element) {
    if (!c->ttl.ms || !element) return element;
    return Py_BuildValue("(LN)", (long long)leat_context_now(c->ctx), element);
}

/* Is the pair's time up? Its element is borrowed. */
static bool pair_expired(const py_cell *c, PyObject *pair, int64_t now, PyObject **element) {
    *element = PyTuple_GET_ITEM(pair, 1);
    return now - PyLong_AsLongLong(PyTuple_GET_ITEM(pair, 0)) >= c->ttl.ms;
}

/* The stored list, made when it is missing and `make`; NULL without an error when there is none.
   What came natively out of a snapshot is put back as an object before it changes. */
static PyObject *list_stored(py_cell *c, bool make, bool *failed) {
    PyObject *list = py_cell_get(c, failed);
    if (*failed || !make) return list;
    if (!list) list = PyList_New(0);
    *failed = !list || !py_cell_put(c, list);
    if (*failed) Py_CLEAR(list);
    return list;
}

/* The elements of pairs that show; the expired ones go, the others are as new if they were read. */
static PyObject *list_fresh(py_cell *c, PyObject *list) {
    int64_t now = leat_context_now(c->ctx);
    PyObject *shown = PyList_New(0), *kept = PyList_New(0), *element;
    bool ok = shown && kept;
    for (Py_ssize_t i = 0; ok && i < PyList_GET_SIZE(list); i++) {
        PyObject *pair = PyList_GET_ITEM(list, i);
        bool expired = pair_expired(c, pair, now, &element);
        if (!expired || c->ttl.show_expired) ok = PyList_Append(shown, element) == 0;
        if (expired || !ok) continue;
        PyObject *again = c->ttl.on_read ? timed(c, Py_NewRef(element)) : Py_NewRef(pair);
        ok = again && PyList_Append(kept, again) == 0;
        Py_XDECREF(again);
    }
    bool changed = ok && (c->ttl.on_read || PyList_GET_SIZE(kept) < PyList_GET_SIZE(list));
    if (changed) ok = PyList_SetSlice(list, 0, PyList_GET_SIZE(list), kept) == 0;
    if (ok && !PyList_GET_SIZE(kept)) ok = py_cell_remove(c);
    Py_XDECREF(kept);
    if (!ok) Py_CLEAR(shown);
    return shown;
}

static PyObject *list_copy(PyObject *self) {
    bool failed;
    py_cell *c = cell_of(self);
    PyObject *list = list_stored(c, false, &failed), *copy;
    if (failed) return NULL;
    if (!list)
        copy = PyList_New(0);
    else if (c->ttl.ms)
        copy = list_fresh(c, list);
    else if (c->contains) /* made for us */
        copy = Py_NewRef(list);
    else
        copy = PyList_GetSlice(list, 0, PyList_GET_SIZE(list));
    Py_XDECREF(list);
    return copy;
}

static PyObject *list_get(PyObject *self, PyObject *unused) {
    (void)unused;
    return list_copy(self);
}

static PyObject *list_iter(PyObject *self) {
    PyObject *copy = list_copy(self), *iterator = copy ? PyObject_GetIter(copy) : NULL;
    Py_XDECREF(copy);
    return iterator;
}

static bool list_append(const py_cell *c, PyObject *list, PyObject *o) {
    PyObject *element = timed(c, shaped(c->shape, o));
    bool ok = element && PyList_Append(list, element) == 0;
    Py_XDECREF(element);
    return ok;
}

static bool list_add_native(py_cell *c, PyObject *o) {
    PyObject *element = shaped(c->shape, o);
    bool ok = element && py_cell_append(c, element);
    Py_XDECREF(element);
    return ok;
}

static PyObject *list_add(PyObject *self, PyObject *o) {
    bool failed;
    if (cell_of(self)->contains) return none_if(list_add_native(cell_of(self), o));
    PyObject *list = list_stored(cell_of(self), true, &failed);
    bool ok = list && list_append(cell_of(self), list, o);
    Py_XDECREF(list);
    return none_if(ok);
}

/* The elements of anything iterable, shaped, as a new list: all or none come into the state. */
static PyObject *list_of(const py_cell *c, PyObject *values) {
    PyObject *iterator = PyObject_GetIter(values), *list = iterator ? PyList_New(0) : NULL, *item;
    if (!iterator && PyErr_ExceptionMatches(PyExc_TypeError))
        PyErr_Format(PyExc_TypeError, "update() and add_all() of a list state take a list, not %R",
                     values);
    while (list && (item = PyIter_Next(iterator))) {
        if (!list_append(c, list, item)) Py_CLEAR(list);
        Py_DECREF(item);
    }
    Py_XDECREF(iterator);
    if (list && PyErr_Occurred()) Py_CLEAR(list);
    return list;
}

static PyObject *list_add_all(PyObject *self, PyObject *values) {
    bool failed;
    PyObject *more = list_of(cell_of(self), values);
    if (more && cell_of(self)->contains) {
        bool added = true;
        for (Py_ssize_t i = 0; added && i < PyList_GET_SIZE(more); i++)
            added = py_cell_append(cell_of(self), PyList_GET_ITEM(more, i));
        Py_DECREF(more);
        return none_if(added);
    }
    bool any = more && PyList_GET_SIZE(more) > 0;
    PyObject *list = any ? list_stored(cell_of(self), true, &failed) : NULL;
    Py_ssize_t end = list ? PyList_GET_SIZE(list) : 0;
    bool ok = more && (!any || (list && PyList_SetSlice(list, end, end, more) == 0));
    Py_XDECREF(list);
    Py_XDECREF(more);
    return none_if(ok);
}

static PyObject *list_update(PyObject *self, PyObject *values) {
    PyObject *list = list_of(cell_of(self), values);
    bool ok = list && (PyList_GET_SIZE(list) ? py_cell_put(cell_of(self), list)
                                             : py_cell_remove(cell_of(self)));
    Py_XDECREF(list);
    return none_if(ok);
}

static PyMethodDef list_methods[] = {
    {"get", list_get, METH_NOARGS, PyDoc_STR("The elements; empty when there are none.")},
    {"add", list_add, METH_O, PyDoc_STR("Add an element at the end.")},
    {"add_all", list_add_all, METH_O, PyDoc_STR("Add elements at the end.")},
    {"update", list_update, METH_O, PyDoc_STR("Replace all elements.")},
    STATE_CLEAR,
    {NULL, NULL, 0, NULL},
};
static PyType_Slot list_slots[] = {
    STATE_SLOTS("A list per key.", list_methods), {Py_tp_iter, (void *)list_iter}, {0, NULL}};
static PyType_Spec list_spec = STATE_SPEC("ListState", list_slots);

PyType_Spec *py_list_state_spec(void) {
    return &list_spec;
}

/* --- MapState --------------------------------------------------------------------------------- */

/* As list_stored. */
static PyObject *map_stored(py_cell *c, bool make, bool *failed) {
    PyObject *dict = py_cell_get(c, failed);
    if (*failed || !make) return dict;
    if (!dict) dict = PyDict_New();
    *failed = !dict || !py_cell_put(c, dict);
    if (*failed) Py_CLEAR(dict);
    return dict;
}

/* Takes the element out of the pair in `out`; false when it is not to be seen, and then it is gone.
   An expired one leaves the dict, one that was read is as new. */
static bool map_shows(py_cell *c, PyObject *dict, PyObject *key, PyObject **out) {
    PyObject *pair = *out, *element;
    bool expired = pair_expired(c, pair, leat_context_now(c->ctx), &element);
    *out = Py_NewRef(element);
    Py_DECREF(pair);
    bool ok = true;
    if (expired) {
        ok = PyDict_DelItem(dict, key) == 0 &&
             (PyDict_GET_SIZE(dict) ? py_cell_put(c, dict) : py_cell_remove(c));
    } else if (c->ttl.on_read) {
        PyObject *again = timed(c, Py_NewRef(element));
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
    PyObject *k = shaped(c->key_shape, key);
    int there = k ? py_cell_map_get(c, k, out) : -1;
    Py_XDECREF(k);
    return there;
}

/* `value` NULL: removes the key. */
static bool map_set_native(py_cell *c, PyObject *key, PyObject *value) {
    PyObject *k = shaped(c->key_shape, key), *v = k && value ? shaped(c->shape, value) : NULL;
    bool ok = k && (v || !value) && py_cell_map_set(c, k, v);
    Py_XDECREF(k);
    Py_XDECREF(v);
    return ok;
}

/* 1: in `out` is a new reference, 0: there is none, -1: failed. */
static int map_look(PyObject *self, PyObject *key, PyObject **out) {
    bool failed;
    py_cell *c = cell_of(self);
    if (c->contains) return map_look_native(c, key, out);
    PyObject *dict = map_stored(c, false, &failed);
    if (!dict) return failed ? -1 : 0;
    PyObject *k = shaped(c->key_shape, key);
    PyObject *found = k ? PyDict_GetItemWithError(dict, k) : NULL;
    *out = Py_XNewRef(found);
    bool shows = found && (!c->ttl.ms || map_shows(c, dict, k, out));
    Py_XDECREF(k);
    Py_DECREF(dict);
    return shows ? 1 : PyErr_Occurred() ? -1 : 0;
}

static PyObject *map_get(PyObject *self, PyObject *key) {
    PyObject *found;
    int there = map_look(self, key, &found);
    return there > 0 ? found : none_if(there == 0);
}

static int map_contains_key(PyObject *self, PyObject *key) {
    PyObject *found = NULL;
    int there = map_look(self, key, &found);
    if (there > 0) Py_DECREF(found);
    return there;
}

static PyObject *map_contains(PyObject *self, PyObject *key) {
    int there = map_contains_key(self, key);
    return there < 0 ? NULL : PyBool_FromLong(there);
}

static bool dict_set(const py_cell *c, PyObject *dict, PyObject *key, PyObject *value) {
    PyObject *k = shaped(c->key_shape, key), *v = k ? timed(c, shaped(c->shape, value)) : NULL;
    bool ok = v && PyDict_SetItem(dict, k, v) == 0;
    Py_XDECREF(k);
    Py_XDECREF(v);
    return ok;
}

static bool map_set(PyObject *self, PyObject *key, PyObject *value) {
    bool failed;
    if (cell_of(self)->contains) return map_set_native(cell_of(self), key, value);
    PyObject *dict = map_stored(cell_of(self), true, &failed);
    bool ok = dict && dict_set(cell_of(self), dict, key, value);
    Py_XDECREF(dict);
    return ok;
}

static bool map_delete(PyObject *self, PyObject *key) {
    bool failed;
    py_cell *c = cell_of(self);
    if (c->contains) return map_set_native(c, key, NULL);
    PyObject *dict = map_stored(c, false, &failed);
    if (!dict) return !failed;
    PyObject *k = shaped(c->key_shape, key);
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

static PyObject *map_put(PyObject *self, PyObject *const *args, Py_ssize_t count) {
    if (count != 2) {
        PyErr_Format(PyExc_TypeError, "put() takes a key and a value, %zd were given", count);
        return NULL;
    }
    return none_if(map_set(self, args[0], args[1]));
}

static PyObject *map_put_all(PyObject *self, PyObject *mapping) {
    PyObject *plain = PyDict_New(), *key, *value;
    Py_ssize_t at = 0;
    bool ok = plain && PyDict_Update(plain, mapping) == 0;
    while (ok && PyDict_Next(plain, &at, &key, &value)) ok = map_set(self, key, value);
    Py_XDECREF(plain);
    return none_if(ok);
}

static PyObject *map_remove(PyObject *self, PyObject *key) {
    return none_if(map_delete(self, key));
}

static PyObject *map_is_empty(PyObject *self, PyObject *unused) {
    (void)unused;
    bool failed;
    if (cell_of(self)->contains) {
        int any = py_cell_map_any(cell_of(self));
        return any < 0 ? NULL : PyBool_FromLong(!any);
    }
    PyObject *dict = map_stored(cell_of(self), false, &failed);
    PyObject *plain = failed ? NULL : map_plain(cell_of(self), dict);
    Py_XDECREF(dict);
    if (!plain) return NULL;
    bool empty = PyDict_GET_SIZE(plain) == 0;
    Py_DECREF(plain);
    return PyBool_FromLong(empty);
}

/* An iterator of a copy of the items, keys or values. */
static PyObject *map_walk(PyObject *self, PyObject *(*list_of_dict)(PyObject *)) {
    bool failed;
    PyObject *dict = map_stored(cell_of(self), false, &failed);
    PyObject *plain = failed ? NULL : map_plain(cell_of(self), dict);
    PyObject *list = plain ? list_of_dict(plain) : NULL;
    PyObject *iterator = list ? PyObject_GetIter(list) : NULL;
    Py_XDECREF(list);
    Py_XDECREF(plain);
    Py_XDECREF(dict);
    return iterator;
}

static PyObject *map_items(PyObject *self, PyObject *unused) {
    (void)unused;
    return map_walk(self, PyDict_Items);
}

static PyObject *map_keys(PyObject *self, PyObject *unused) {
    (void)unused;
    return map_walk(self, PyDict_Keys);
}

static PyObject *map_values(PyObject *self, PyObject *unused) {
    (void)unused;
    return map_walk(self, PyDict_Values);
}

static PyObject *map_iter(PyObject *self) {
    return map_walk(self, PyDict_Keys);
}

static int map_assign(PyObject *self, PyObject *key, PyObject *value) {
    return (value ? map_set(self, key, value) : map_delete(self, key)) ? 0 : -1;
}

static PyMethodDef map_methods[] = {
    {"get", map_get, METH_O, PyDoc_STR("The value of a key, None when there is none.")},
    {"put", (PyCFunction)(void (*)(void))map_put, METH_FASTCALL, PyDoc_STR("Set a key's value.")},
    {"put_all", map_put_all, METH_O, PyDoc_STR("Set all that the mapping has.")},
    {"remove", map_remove, METH_O, PyDoc_STR("Forget a key; harmless when it is not there.")},
    {"contains", map_contains, METH_O, PyDoc_STR("Is the key there?")},
    {"items", map_items, METH_NOARGS, PyDoc_STR("All pairs.")},
    {"keys", map_keys, METH_NOARGS, PyDoc_STR("All keys.")},
    {"values", map_values, METH_NOARGS, PyDoc_STR("All values.")},
    {"is_empty", map_is_empty, METH_NOARGS, PyDoc_STR("Are there no pairs?")},
    STATE_CLEAR,
    {NULL, NULL, 0, NULL},
};
static PyType_Slot map_slots[] = {
    STATE_SLOTS("A map per key.", map_methods), {Py_tp_iter, (void *)map_iter},
    {Py_mp_subscript, (void *)map_get},         {Py_mp_ass_subscript, (void *)map_assign},
    {Py_sq_contains, (void *)map_contains_key}, {0, NULL},
};
static PyType_Spec map_spec = STATE_SPEC("MapState", map_slots);

PyType_Spec *py_map_state_spec(void) {
    return &map_spec;
}

/* --- joining ---------------------------------------------------------------------------------- */

/* What two namespaces have together; steals both, of which `a` may be NULL. */
static PyObject *joined(const py_cell *c, PyObject *a, PyObject *b) {
    if (!a) return b;
    PyObject *both;
    if (c->kind == LEAT_LIST_STATE)
        both = PySequence_Concat(a, b);
    else
        both = PyObject_CallFunctionObjArgs(c->kind == LEAT_REDUCING_STATE ? c->fold : c->merge, a,
                                            b, NULL);
    Py_DECREF(a);
    Py_DECREF(b);
    return both;
}

bool py_state_join(PyObject *state, leat_namespace *now, leat_namespace into,
                   const leat_namespace *sources, size_t count) {
    py_cell *c = cell_of(state);
    if (c->kind == LEAT_VALUE_STATE || c->kind == LEAT_MAP_STATE) {
        PyErr_Format(PyExc_TypeError,
                     "merge_partitioned_state needs list, reducing or aggregating state; a %s "
                     "cannot be merged",
                     Py_TYPE(state)->tp_name);
        return false;
    }
    leat_namespace before = *now;
    PyObject *all = NULL;
    bool failed = false;
    for (size_t i = 0; i <= count && !failed; i++) { /* what is there comes last */
        *now = i < count ? sources[i] : into;
        PyObject *one = py_cell_get(c, &failed);
        if (one && i < count) failed = !py_cell_remove(c);
        if (one) failed = !(all = joined(c, all, one)) || failed;
    }
    if (!failed && all) failed = !store(c, all);
    *now = before;
    Py_XDECREF(all);
    return !failed;
}
