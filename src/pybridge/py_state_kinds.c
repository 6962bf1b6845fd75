/* py_state_kinds.c: the kinds of keyed state as Python sees them, with PyFlink's methods; maps are
   in py_map_state.c. Each is a py_cell (py_state.h) and differs only in what its methods do with
   what is stored: a value, an accumulator, or a list. Lists are native where their type is one of
   immutable objects (`contains`), else the stored objects themselves; what goes out of them are
   copies, so that a function may change the state while it walks over it. None is no value: storing
   it forgets.

   Where state expires the engine does it for whole cells; elements of lists and values of maps have
   their own times beside them then, as pairs (time, element), and a cell lives as long as its
   youngest. */
#include "pybridge/py_state.h"

#include "pybridge/py_convert.h"

/* --- all kinds -------------------------------------------------------------------------------- */

int py_cell_traverse(PyObject *self, visitproc visit, void *arg) {
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(py_cell_of(self)->fold);
    Py_VISIT(py_cell_of(self)->create);
    Py_VISIT(py_cell_of(self)->result);
    Py_VISIT(py_cell_of(self)->merge);
    return 0;
}

int py_cell_clear(PyObject *self) {
    Py_CLEAR(py_cell_of(self)->fold);
    Py_CLEAR(py_cell_of(self)->create);
    Py_CLEAR(py_cell_of(self)->result);
    Py_CLEAR(py_cell_of(self)->merge);
    return 0;
}

void py_cell_dealloc(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    py_cell_clear(self);
    type->tp_free(self);
    Py_DECREF(type);
}

PyObject *py_cell_forget(PyObject *self, PyObject *unused) {
    (void)unused;
    return py_none_if(py_cell_remove(py_cell_of(self)));
}

static bool store(py_cell *c, PyObject *o) {
    return o == Py_None ? py_cell_remove(c) : py_cell_put(c, o);
}

static PyObject *stored_or_none(PyObject *self, PyObject *unused) {
    (void)unused;
    bool failed;
    PyObject *o = py_cell_get(py_cell_of(self), &failed);
    if (LEAT_LIKELY(o != NULL)) return o;
    return py_none_if(!failed);
}

PyObject *py_cell_shaped(const py_shape *shape, PyObject *o) {
    return py_shape_apply(shape, Py_NewRef(o));
}

PyObject *py_cell_timed(const py_cell *c, PyObject *element) {
    if (!c->ttl.ms || !element) return element;
    return Py_BuildValue("(LN)", (long long)leat_context_now(c->ctx), element);
}

bool py_cell_expired(const py_cell *c, PyObject *pair, int64_t now, PyObject **element) {
    *element = PyTuple_GET_ITEM(pair, 1);
    return now - PyLong_AsLongLong(PyTuple_GET_ITEM(pair, 0)) >= c->ttl.ms;
}

PyObject *py_cell_container(py_cell *c, bool make, PyObject *(*empty)(void), bool *failed) {
    PyObject *stored = py_cell_get(c, failed);
    if (*failed || !make) return stored;
    if (!stored) stored = empty();
    *failed = !stored || !py_cell_put(c, stored);
    if (*failed) Py_CLEAR(stored);
    return stored;
}

/* --- ValueState ------------------------------------------------------------------------------- */

static PyObject *value_update(PyObject *self, PyObject *o) {
    return py_none_if(store(py_cell_of(self), o));
}

static PyMethodDef value_methods[] = {
    {"value", stored_or_none, METH_NOARGS, PyDoc_STR("The value, None when there is none.")},
    {"update", value_update, METH_O, PyDoc_STR("Set the value; None forgets it.")},
    PY_STATE_CLEAR,
    {NULL, NULL, 0, NULL},
};
static PyType_Slot value_slots[] = {PY_STATE_SLOTS("A value per key.", value_methods), {0, NULL}};
static PyType_Spec value_spec = PY_STATE_SPEC("ValueState", value_slots);

PyType_Spec *py_value_state_spec(void) {
    return &value_spec;
}

/* --- ReducingState ---------------------------------------------------------------------------- */

static PyObject *reducing_add(PyObject *self, PyObject *o) {
    bool failed;
    py_cell *c = py_cell_of(self);
    PyObject *old = py_cell_get(c, &failed);
    if (failed) return NULL;
    PyObject *made = old ? PyObject_CallFunctionObjArgs(c->fold, old, o, NULL) : Py_NewRef(o);
    bool ok = made && store(c, made);
    Py_XDECREF(old);
    Py_XDECREF(made);
    return py_none_if(ok);
}

static PyMethodDef reducing_methods[] = {
    {"get", stored_or_none, METH_NOARGS, PyDoc_STR("What was reduced so far; None at first.")},
    {"add", reducing_add, METH_O, PyDoc_STR("Reduce with this value.")},
    PY_STATE_CLEAR,
    {NULL, NULL, 0, NULL},
};
static PyType_Slot reducing_slots[] = {PY_STATE_SLOTS("A reduced value per key.", reducing_methods),
                                       {0, NULL}};
static PyType_Spec reducing_spec = PY_STATE_SPEC("ReducingState", reducing_slots);

PyType_Spec *py_reducing_state_spec(void) {
    return &reducing_spec;
}

/* --- AggregatingState ------------------------------------------------------------------------- */

static PyObject *aggregating_add(PyObject *self, PyObject *o) {
    bool failed;
    py_cell *c = py_cell_of(self);
    PyObject *old = py_cell_get(c, &failed);
    if (failed) return NULL;
    if (!old) old = PyObject_CallNoArgs(c->create);
    PyObject *made = old ? PyObject_CallFunctionObjArgs(c->fold, o, old, NULL) : NULL;
    bool ok = made && store(c, made);
    Py_XDECREF(old);
    Py_XDECREF(made);
    return py_none_if(ok);
}

static PyObject *aggregating_get(PyObject *self, PyObject *unused) {
    (void)unused;
    bool failed;
    PyObject *accumulator = py_cell_get(py_cell_of(self), &failed);
    if (!accumulator) return py_none_if(!failed);
    PyObject *made = PyObject_CallOneArg(py_cell_of(self)->result, accumulator);
    Py_DECREF(accumulator);
    return made;
}

static PyMethodDef aggregating_methods[] = {
    {"get", aggregating_get, METH_NOARGS, PyDoc_STR("The result so far; None at first.")},
    {"add", aggregating_add, METH_O, PyDoc_STR("Add a value to the accumulator.")},
    PY_STATE_CLEAR,
    {NULL, NULL, 0, NULL},
};
static PyType_Slot aggregating_slots[] = {
    PY_STATE_SLOTS("An accumulator per key.", aggregating_methods), {0, NULL}};
static PyType_Spec aggregating_spec = PY_STATE_SPEC("AggregatingState", aggregating_slots);

PyType_Spec *py_aggregating_state_spec(void) {
    return &aggregating_spec;
}

/* --- ListState -------------------------------------------------------------------------------- */

static PyObject *no_elements(void) {
    return PyList_New(0);
}

static PyObject *list_stored(py_cell *c, bool make, bool *failed) {
    return py_cell_container(c, make, no_elements, failed);
}

/* The elements of pairs that show; the expired ones go, the others are as new if they were read. */
static PyObject *list_fresh(py_cell *c, PyObject *list) {
    int64_t now = leat_context_now(c->ctx);
    PyObject *shown = PyList_New(0), *kept = PyList_New(0), *element;
    bool ok = shown && kept;
    for (Py_ssize_t i = 0; ok && i < PyList_GET_SIZE(list); i++) {
        PyObject *pair = PyList_GET_ITEM(list, i);
        bool expired = py_cell_expired(c, pair, now, &element);
        if (!expired || c->ttl.show_expired) ok = PyList_Append(shown, element) == 0;
        if (expired || !ok) continue;
        PyObject *again = c->ttl.on_read ? py_cell_timed(c, Py_NewRef(element)) : Py_NewRef(pair);
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
    py_cell *c = py_cell_of(self);
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
    PyObject *element = py_cell_timed(c, py_cell_shaped(c->shape, o));
    bool ok = element && PyList_Append(list, element) == 0;
    Py_XDECREF(element);
    return ok;
}

static bool list_add_native(py_cell *c, PyObject *o) {
    PyObject *element = py_cell_shaped(c->shape, o);
    bool ok = element && py_cell_append(c, element);
    Py_XDECREF(element);
    return ok;
}

static PyObject *list_add(PyObject *self, PyObject *o) {
    bool failed;
    if (py_cell_of(self)->contains) return py_none_if(list_add_native(py_cell_of(self), o));
    PyObject *list = list_stored(py_cell_of(self), true, &failed);
    bool ok = list && list_append(py_cell_of(self), list, o);
    Py_XDECREF(list);
    return py_none_if(ok);
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
    PyObject *more = list_of(py_cell_of(self), values);
    if (more && py_cell_of(self)->contains) {
        bool added = true;
        for (Py_ssize_t i = 0; added && i < PyList_GET_SIZE(more); i++)
            added = py_cell_append(py_cell_of(self), PyList_GET_ITEM(more, i));
        Py_DECREF(more);
        return py_none_if(added);
    }
    bool any = more && PyList_GET_SIZE(more) > 0;
    PyObject *list = any ? list_stored(py_cell_of(self), true, &failed) : NULL;
    Py_ssize_t end = list ? PyList_GET_SIZE(list) : 0;
    bool ok = more && (!any || (list && PyList_SetSlice(list, end, end, more) == 0));
    Py_XDECREF(list);
    Py_XDECREF(more);
    return py_none_if(ok);
}

static PyObject *list_update(PyObject *self, PyObject *values) {
    PyObject *list = list_of(py_cell_of(self), values);
    bool ok = list && (PyList_GET_SIZE(list) ? py_cell_put(py_cell_of(self), list)
                                             : py_cell_remove(py_cell_of(self)));
    Py_XDECREF(list);
    return py_none_if(ok);
}

static PyMethodDef list_methods[] = {
    {"get", list_get, METH_NOARGS, PyDoc_STR("The elements; empty when there are none.")},
    {"add", list_add, METH_O, PyDoc_STR("Add an element at the end.")},
    {"add_all", list_add_all, METH_O, PyDoc_STR("Add elements at the end.")},
    {"update", list_update, METH_O, PyDoc_STR("Replace all elements.")},
    PY_STATE_CLEAR,
    {NULL, NULL, 0, NULL},
};
static PyType_Slot list_slots[] = {
    PY_STATE_SLOTS("A list per key.", list_methods), {Py_tp_iter, (void *)list_iter}, {0, NULL}};
static PyType_Spec list_spec = PY_STATE_SPEC("ListState", list_slots);

PyType_Spec *py_list_state_spec(void) {
    return &list_spec;
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
    py_cell *c = py_cell_of(state);
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
