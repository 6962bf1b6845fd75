/* py_assigner.c: window assigners in Python: which windows a record belongs to, and which windows
   of a key become one. */
#include "pybridge/py_context.h"
#include "pybridge/py_error.h"
#include "pybridge/py_state.h"
#include "pybridge/py_window.h"

enum { ASSIGN, MERGE };

/* --- assigning -------------------------------------------------------------------------------- */

/* All windows of what the call gave; steals `result`, which may be NULL. */
static bool add_windows(py_call *c, PyObject *result, leat_windows *out, leat_status *status) {
    PyObject *holders = result ? PyList_New(0) : NULL;
    PyObject *windows = holders ? PyObject_GetIter(result) : NULL, *item;
    if (holders && !windows && !Py_TYPE(result)->tp_iter && !PySequence_Check(result)) {
        PyErr_Clear();
        PyErr_Format(PyExc_TypeError,
                     "assign_windows() returned %R; it must return the record's windows", result);
    }
    while (*status >= 0 && windows && (item = PyIter_Next(windows))) {
        leat_window w;
        if (py_window_read(c, item, holders, &w)) *status = leat_windows_add(out, &w);
        Py_DECREF(item);
        if (PyErr_Occurred()) break;
    }
    Py_XDECREF(windows);
    Py_XDECREF(holders);
    Py_XDECREF(result);
    return !PyErr_Occurred();
}

static leat_status assign_call(leat_context *ctx, const leat_record *in, leat_windows *out,
                               void *self) {
    py_call *c = self;
    PyObject *made, *value = py_argument(c, &in->value, c->in[leat_context_input(ctx)], &made),
                    *result = NULL;
    PyObject *time = value ? PyLong_FromLongLong(in->time) : NULL;
    if (time) result = py_invoke_3(&c->targets[ASSIGN], value, time, c->windowed->context);
    Py_XDECREF(time);
    Py_XDECREF(made);
    leat_status status = LEAT_OK;
    return add_windows(c, result, out, &status) ? status : py_error_user(c->state, ctx);
}

/* --- merging ---------------------------------------------------------------------------------- */

static PyObject *window_objects(py_call *c, const leat_window *windows, size_t count) {
    PyObject *list = PyList_New((Py_ssize_t)count);
    for (size_t i = 0; list && i < count; i++) {
        PyObject *o = py_window_enter(c, &windows[i]) ? py_window_object(c) : NULL;
        if (o)
            PyList_SET_ITEM(list, (Py_ssize_t)i, Py_NewRef(o));
        else
            Py_CLEAR(list);
    }
    return list;
}

/* One pair (windows, result) of RecordedMerges. */
static bool add_merge(py_call *c, leat_context *ctx, PyObject *pair, leat_merges *out,
                      leat_status *status) {
    PyObject *list = PyTuple_GET_ITEM(pair, 0), *holders = PyList_New(0);
    size_t count = (size_t)PyList_GET_SIZE(list);
    leat_window result, *merged = leat_context_alloc(ctx, count * sizeof *merged + 1);
    if (!merged) *status = LEAT_E_NOMEM;
    bool ok = holders && merged && py_window_read(c, PyTuple_GET_ITEM(pair, 1), holders, &result);
    for (size_t i = 0; ok && i < count; i++)
        ok = py_window_read(c, PyList_GET_ITEM(list, (Py_ssize_t)i), holders, &merged[i]);
    if (ok) *status = leat_merges_add(out, merged, count, &result);
    Py_XDECREF(holders);
    return ok;
}

static bool add_merges(py_call *c, leat_context *ctx, PyObject *callback, leat_merges *out,
                       leat_status *status) {
    PyObject *merges = PyObject_GetAttrString(callback, "merges");
    bool ok = merges != NULL;
    for (Py_ssize_t i = 0; ok && *status >= 0 && i < PyList_GET_SIZE(merges); i++)
        ok = add_merge(c, ctx, PyList_GET_ITEM(merges, i), out, status);
    Py_XDECREF(merges);
    return ok;
}

static leat_status merge_call(leat_context *ctx, const leat_window *windows, size_t count,
                              leat_merges *out, void *self) {
    py_call *c = self;
    PyObject *type = py_known_get(c->state, PY_RECORDED_MERGES);
    PyObject *callback = type ? PyObject_CallNoArgs(type) : NULL;
    PyObject *list = callback ? window_objects(c, windows, count) : NULL;
    PyObject *none = list ? py_invoke_2(&c->targets[MERGE], list, callback) : NULL;
    leat_status status = LEAT_OK;
    bool ok = none && add_merges(c, ctx, callback, out, &status);
    Py_XDECREF(none);
    Py_XDECREF(list);
    Py_XDECREF(callback);
    if (status < 0) PyErr_Clear();
    return ok || status < 0 ? status : py_error_user(c->state, ctx);
}

bool py_assigner_fill(py_call *c, leat_function *fn) {
    leat_assigner *table = &c->windowed->table.assigner;
    PyObject *event_time = PyObject_CallMethod(c->function, "is_event_time", NULL);
    int truth = event_time ? PyObject_IsTrue(event_time) : -1;
    Py_XDECREF(event_time);
    if (truth < 0) return false;
    *table = (leat_assigner){.size = sizeof *table, .event_time = truth, .assign = assign_call};
    if (PyObject_HasAttrString(c->function, "merge_windows")) table->merge = merge_call;
    fn->call.assigner = table;
    return true;
}

/* --- the context ------------------------------------------------------------------------------ */

static PyMethodDef assigner_methods[] = {
    {"get_current_processing_time", py_window_context_now, METH_NOARGS,
     PyDoc_STR("The time of the machine, in milliseconds.")},
    {"get_runtime_context", py_window_context_runtime, METH_NOARGS,
     PyDoc_STR("The subtask, and state of the record's key.")},
    {NULL, NULL, 0, NULL},
};

bool py_assigner_type_init(PyObject *module, py_state *state) {
    state->assigner_context_type =
        py_window_context_type(module, "leat._leat.WindowAssignerContext",
                               "What an assigner may ask during a call.", assigner_methods);
    return state->assigner_context_type != NULL;
}
