/* py_trigger.c: triggers in Python, and what they may ask: time, timers and state of the key and
   the window of the call. */
#include "pybridge/py_context.h"
#include "pybridge/py_error.h"
#include "pybridge/py_state.h"
#include "pybridge/py_window.h"

enum { ON_ELEMENT, ON_EVENT_TIME, ON_PROCESSING_TIME, ON_MERGE, CLEAR };

/* --- calls ------------------------------------------------------------------------------------ */

/* Reads what the method answered; steals it, it may be NULL. */
static leat_status read_result(py_call *c, leat_context *ctx, const char *method, PyObject *result,
                               leat_trigger_result *out) {
    if (LEAT_UNLIKELY(!result)) return py_error_user(c->state, ctx);
    PyObject *const *known = c->windowed->results;
    for (int i = 0; i < 4; i++) {
        if (result != known[i]) continue;
        *out = (leat_trigger_result)i;
        Py_DECREF(result);
        return LEAT_OK;
    }
    PyErr_Format(PyExc_TypeError, "%s.%s() returned %R; it must return a TriggerResult",
                 Py_TYPE(c->function)->tp_name, method, result);
    Py_DECREF(result);
    return py_error_user(c->state, ctx);
}

static leat_status on_element_call(leat_context *ctx, const leat_record *in, const leat_window *w,
                                   leat_trigger_result *out, void *self) {
    py_call *c = self;
    PyObject *window = py_window_enter(c, w) ? py_window_object(c) : NULL, *result = NULL;
    PyObject *made = NULL,
             *value =
                 window ? py_argument(c, &in->value, c->in[leat_context_input(ctx)], &made) : NULL;
    PyObject *time = value ? PyLong_FromLongLong(in->time) : NULL;
    if (time)
        result = py_invoke_4(&c->targets[ON_ELEMENT], value, time, window, c->windowed->context);
    Py_XDECREF(time);
    Py_XDECREF(made);
    return read_result(c, ctx, "on_element", result, out);
}

static leat_status on_timer_call(leat_context *ctx, const leat_timer *timer, const leat_window *w,
                                 leat_trigger_result *out, void *self) {
    py_call *c = self;
    int which = timer->domain == LEAT_EVENT_TIME ? ON_EVENT_TIME : ON_PROCESSING_TIME;
    PyObject *window = py_window_enter(c, w) ? py_window_object(c) : NULL, *result = NULL;
    PyObject *time = window ? PyLong_FromLongLong(timer->time) : NULL;
    if (time) result = py_invoke_3(&c->targets[which], time, window, c->windowed->context);
    Py_XDECREF(time);
    const char *method = which == ON_EVENT_TIME ? "on_event_time" : "on_processing_time";
    return read_result(c, ctx, method, result, out);
}

/* on_merge and clear. */
static leat_status tell(py_call *c, leat_context *ctx, int which, const leat_window *w) {
    PyObject *window = py_window_enter(c, w) ? py_window_object(c) : NULL, *none = NULL;
    if (window) none = py_invoke_2(&c->targets[which], window, c->windowed->context);
    if (!none) return py_error_user(c->state, ctx);
    Py_DECREF(none);
    return LEAT_OK;
}

static leat_status on_merge_call(leat_context *ctx, const leat_window *w, const leat_window *merged,
                                 size_t count, void *self) {
    py_call *c = self;
    c->windowed->merged = merged;
    c->windowed->merged_count = count;
    leat_status status = tell(c, ctx, ON_MERGE, w);
    c->windowed->merged = NULL;
    c->windowed->merged_count = 0;
    return status;
}

static leat_status clear_call(leat_context *ctx, const leat_window *w, void *self) {
    return tell(self, ctx, CLEAR, w);
}

static bool find_results(py_call *c) {
    static const char *const names[] = {"CONTINUE", "FIRE", "PURGE", "FIRE_AND_PURGE"};
    PyObject *type = py_known_get(c->state, PY_TRIGGER_RESULT);
    for (int i = 0; type && i < 4; i++) {
        c->windowed->results[i] = PyObject_GetAttrString(type, names[i]);
        if (!c->windowed->results[i]) return false;
    }
    return type != NULL;
}

bool py_trigger_fill(py_call *c, leat_function *fn) {
    leat_trigger *table = &c->windowed->table.trigger;
    PyObject *can_merge = PyObject_CallMethod(c->function, "can_merge", NULL);
    int truth = can_merge ? PyObject_IsTrue(can_merge) : -1;
    Py_XDECREF(can_merge);
    if (truth < 0 || !find_results(c)) return false;
    *table = (leat_trigger){
        .size = sizeof *table,
        .can_merge = truth,
        .on_element = on_element_call,
        .on_timer = on_timer_call,
        .on_merge = on_merge_call,
        .clear = clear_call,
    };
    fn->call.trigger = table;
    return true;
}

/* --- the context ------------------------------------------------------------------------------ */

static PyObject *change_timer(PyObject *self, PyObject *at, leat_time_domain domain,
                              leat_status (*change)(leat_context *ctx, const leat_timer *timer)) {
    py_call *c = py_window_context_of(self);
    leat_timer timer = {.domain = domain};
    if (!c || !py_millis_read(at, "the time of a timer", &timer.time)) return NULL;
    if (!py_window_namespace(c->windowed)) return NULL;
    timer.ns = c->windowed->ns;
    leat_status status = change(c->windowed->ctx, &timer);
    if (status >= 0) Py_RETURN_NONE;
    if (status == LEAT_E_NOMEM) return PyErr_NoMemory();
    if (!PyErr_Occurred()) PyErr_SetString(PyExc_RuntimeError, leat_status_name(status));
    return NULL;
}

static PyObject *register_event_time(PyObject *self, PyObject *at) {
    return change_timer(self, at, LEAT_EVENT_TIME, leat_timer_set);
}

static PyObject *register_processing_time(PyObject *self, PyObject *at) {
    return change_timer(self, at, LEAT_PROCESSING_TIME, leat_timer_set);
}

static PyObject *delete_event_time(PyObject *self, PyObject *at) {
    return change_timer(self, at, LEAT_EVENT_TIME, leat_timer_remove);
}

static PyObject *delete_processing_time(PyObject *self, PyObject *at) {
    return change_timer(self, at, LEAT_PROCESSING_TIME, leat_timer_remove);
}

static PyObject *partitioned_state(PyObject *self, PyObject *descriptor) {
    py_call *c = py_window_context_of(self);
    if (!c || !py_window_states(c, "trigger:")) return NULL;
    return py_states_of(c->windowed->window_states, c->windowed->window_store, descriptor);
}

static PyObject *merge_partitioned_state(PyObject *self, PyObject *descriptor) {
    PyObject *state = partitioned_state(self, descriptor);
    if (!state) return NULL;
    py_windowed *w = py_window_context_of(self)->windowed;
    leat_namespace *sources = PyMem_New(leat_namespace, w->merged_count + 1);
    bool ok = sources != NULL;
    for (size_t i = 0; ok && i < w->merged_count; i++) {
        sources[i] = leat_window_namespace(w->ctx, &w->merged[i]);
        ok = sources[i].bytes != NULL;
    }
    if (!ok) PyErr_NoMemory();
    ok = ok && py_state_join(state, &w->ns, w->ns, sources, w->merged_count);
    PyMem_Free(sources);
    Py_DECREF(state);
    if (!ok) return NULL;
    Py_RETURN_NONE;
}

static PyMethodDef trigger_methods[] = {
    {"get_current_processing_time", py_window_context_now, METH_NOARGS,
     PyDoc_STR("The time of the machine, in milliseconds.")},
    {"get_current_watermark", py_window_context_watermark, METH_NOARGS,
     PyDoc_STR("The event time that was reached.")},
    {"get_metric_group", py_window_context_metrics, METH_NOARGS,
     PyDoc_STR("The group of the operator's metrics.")},
    {"register_event_time_timer", register_event_time, METH_O,
     PyDoc_STR("Call on_event_time when the watermark is there.")},
    {"register_processing_time_timer", register_processing_time, METH_O,
     PyDoc_STR("Call on_processing_time when the machine's clock is there.")},
    {"delete_event_time_timer", delete_event_time, METH_O, PyDoc_STR("Forget the timer.")},
    {"delete_processing_time_timer", delete_processing_time, METH_O,
     PyDoc_STR("Forget the timer.")},
    {"get_partitioned_state", partitioned_state, METH_O,
     PyDoc_STR("State of the key and the window of the call.")},
    {"merge_partitioned_state", merge_partitioned_state, METH_O,
     PyDoc_STR("Of on_merge: put the merged windows' state together.")},
    {NULL, NULL, 0, NULL},
};

static PyMethodDef evictor_methods[] = {
    {"get_current_processing_time", py_window_context_now, METH_NOARGS,
     PyDoc_STR("The time of the machine, in milliseconds.")},
    {"get_current_watermark", py_window_context_watermark, METH_NOARGS,
     PyDoc_STR("The event time that was reached.")},
    {"get_metric_group", py_window_context_metrics, METH_NOARGS,
     PyDoc_STR("The group of the operator's metrics.")},
    {NULL, NULL, 0, NULL},
};

bool py_trigger_types_init(PyObject *module, py_state *state) {
    state->trigger_context_type =
        py_window_context_type(module, "leat._leat.TriggerContext",
                               "What a trigger may ask during a call.", trigger_methods);
    state->evictor_context_type =
        py_window_context_type(module, "leat._leat.EvictorContext",
                               "What an evictor may ask during a call.", evictor_methods);
    return state->trigger_context_type && state->evictor_context_type;
}
