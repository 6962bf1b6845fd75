/* py_window_function.c: what is made of a window in Python: `apply(key, window, inputs)`,
   `process(key, context, elements)` with its context, or a plain callable in the place of `apply`;
   those of streams without keys get none. Elements are a fresh list; results are anything
   iterable. */
#include "pybridge/py_error.h"
#include "pybridge/py_state.h"
#include "pybridge/py_window.h"

enum { PROCESS, CLEAR };

static PyObject *call_function(py_call *c, leat_context *ctx, PyObject *second, PyObject *list) {
    py_windowed *w = c->windowed;
    if (!w->keyed) return py_invoke_2(&c->targets[PROCESS], second, list);
    PyObject *key = py_from_value(c->state, leat_context_key(ctx), leat_context_key_type(ctx));
    PyObject *result = key ? py_invoke_3(&c->targets[PROCESS], key, second, list) : NULL;
    Py_XDECREF(key);
    return result;
}

static leat_status process_call(leat_context *ctx, const leat_window *w, const leat_value *elements,
                                size_t count, leat_emitter *out, void *self) {
    py_call *c = self;
    PyObject *list = py_window_enter(c, w) ? py_elements(c, elements, count, c->in[0]) : NULL;
    PyObject *second = !list                  ? NULL
                       : c->windowed->context ? c->windowed->context
                                              : py_window_object(c);
    PyObject *result = second ? call_function(c, ctx, second, list) : NULL;
    Py_XDECREF(list);
    return py_result_emit(c, ctx, out, result, true);
}

static leat_status clear_call(leat_context *ctx, const leat_window *w, void *self) {
    py_call *c = self;
    if (!c->targets[CLEAR].function) return LEAT_OK;
    PyObject *none = NULL;
    if (py_window_enter(c, w)) none = py_invoke_1(&c->targets[CLEAR], c->windowed->context);
    if (!none) return py_error_user(c->state, ctx);
    Py_DECREF(none);
    return LEAT_OK;
}

bool py_window_function_has_context(py_call *c) {
    PyObject *method = c->windowed->method;
    if (!method) return PyObject_HasAttrString(c->function, "process");
    return PyUnicode_CompareWithASCIIString(method, "process") == 0;
}

bool py_window_function_fill(py_call *c, leat_function *fn) {
    leat_window_function *table = &c->windowed->table.window;
    *table =
        (leat_window_function){.size = sizeof *table, .process = process_call, .clear = clear_call};
    fn->call.window = table;
    return true;
}

/* --- the context ------------------------------------------------------------------------------ */

static PyObject *context_window(PyObject *self, PyObject *unused) {
    (void)unused;
    py_call *c = py_window_context_of(self);
    return c ? Py_XNewRef(py_window_object(c)) : NULL;
}

static PyObject *context_window_state(PyObject *self, PyObject *unused) {
    (void)unused;
    py_call *c = py_window_context_of(self);
    if (!c) return NULL;
    if (c->windowed->merging) {
        PyErr_SetString(PyExc_Exception,
                        "Per-window state is not allowed when using merging windows.");
        return NULL;
    }
    return py_window_states(c, "window:") ? Py_NewRef(c->windowed->window_store) : NULL;
}

/* The same states as those of the function's RuntimeContext. */
static PyObject *context_global_state(PyObject *self, PyObject *unused) {
    (void)unused;
    py_call *c = py_window_context_of(self);
    PyObject *type = c ? py_known_get(c->state, PY_STATE_STORE) : NULL;
    if (!type) return NULL;
    py_windowed *w = c->windowed;
    if (!c->states) c->states = py_states_new(c->state, w->ctx);
    if (c->states && !w->global_store) w->global_store = PyObject_CallOneArg(type, c->states);
    return Py_XNewRef(w->global_store);
}

static PyMethodDef context_methods[] = {
    {"window", context_window, METH_NOARGS, PyDoc_STR("The window.")},
    {"current_processing_time", py_window_context_now, METH_NOARGS,
     PyDoc_STR("The time of the machine, in milliseconds.")},
    {"current_watermark", py_window_context_watermark, METH_NOARGS,
     PyDoc_STR("The event time that was reached.")},
    {"window_state", context_window_state, METH_NOARGS,
     PyDoc_STR("States of the key and the window.")},
    {"global_state", context_global_state, METH_NOARGS, PyDoc_STR("States of the key.")},
    {NULL, NULL, 0, NULL},
};

bool py_window_function_type_init(PyObject *module, py_state *state) {
    state->window_context_type =
        py_window_context_type(module, "leat._leat.WindowContext",
                               "What a window function may ask during a call.", context_methods);
    return state->window_context_type != NULL;
}
