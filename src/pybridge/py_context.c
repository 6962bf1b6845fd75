/* py_context.c: see py_context.h. One Context and one TimerService per function and subtask, made
   when the function opens and reused for every record and timer; what they answer is read from the
   engine when they are asked. After the subtask's end they refuse. */
#include "pybridge/py_context.h"

#include "pybridge/py_broadcast.h"
#include "pybridge/py_convert.h"

leat_context *py_context_live(PyObject *self) {
    leat_context *ctx = ((py_context *)(void *)self)->ctx;
    if (!ctx) PyErr_SetString(PyExc_RuntimeError, "this context is valid during its calls only");
    return ctx;
}

PyObject *py_context_make(PyTypeObject *type, leat_context *ctx) {
    PyObject *self = type->tp_alloc(type, 0);
    if (self) ((py_context *)(void *)self)->ctx = ctx;
    return self;
}

int py_context_traverse(PyObject *self, visitproc visit, void *arg) {
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(((py_context *)(void *)self)->timers);
    Py_VISIT(((py_context *)(void *)self)->states);
    Py_VISIT(((py_context *)(void *)self)->declared);
    return 0;
}

int py_context_clear(PyObject *self) {
    Py_CLEAR(((py_context *)(void *)self)->timers);
    Py_CLEAR(((py_context *)(void *)self)->states);
    Py_CLEAR(((py_context *)(void *)self)->declared);
    return 0;
}

void py_context_dealloc(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    py_context_clear(self);
    type->tp_free(self);
    Py_DECREF(type);
}

/* --- Context ---------------------------------------------------------------------------------- */

PyObject *py_context_timestamp(PyObject *self, PyObject *unused) {
    (void)unused;
    leat_context *ctx = py_context_live(self);
    if (!ctx) return NULL;
    int64_t time = leat_context_time(ctx);
    if (time == LEAT_NO_TIME) Py_RETURN_NONE;
    return PyLong_FromLongLong(time);
}

PyObject *py_context_current_key(PyObject *self, PyObject *unused) {
    (void)unused;
    leat_context *ctx = py_context_live(self);
    if (!ctx) return NULL;
    return py_from_value(py_type_state(Py_TYPE(self)), leat_context_key(ctx),
                         leat_context_key_type(ctx));
}

PyObject *py_context_timer_service(PyObject *self, PyObject *unused) {
    (void)unused;
    py_context *context = (py_context *)(void *)self;
    if (!py_context_live(self)) return NULL;
    if (!context->timers) {
        context->timers = py_context_make(py_type_state(Py_TYPE(self))->timers_type, context->ctx);
        if (context->timers)
            ((py_context *)(void *)context->timers)->has_timers = context->has_timers;
    }
    return Py_XNewRef(context->timers);
}

PyObject *py_context_watermark(PyObject *self, PyObject *unused) {
    (void)unused;
    leat_context *ctx = py_context_live(self);
    return ctx ? PyLong_FromLongLong(leat_context_watermark(ctx)) : NULL;
}

PyObject *py_context_processing_time(PyObject *self, PyObject *unused) {
    (void)unused;
    leat_context *ctx = py_context_live(self);
    return ctx ? PyLong_FromLongLong(leat_context_now(ctx)) : NULL;
}

static PyObject *context_pair_time(PyObject *self, bool right) {
    leat_context *ctx = py_context_live(self);
    if (!ctx) return NULL;
    int64_t times[2];
    leat_context_times(ctx, &times[0], &times[1]);
    return PyLong_FromLongLong(times[right]);
}

static PyObject *context_left_timestamp(PyObject *self, PyObject *unused) {
    (void)unused;
    return context_pair_time(self, false);
}

static PyObject *context_right_timestamp(PyObject *self, PyObject *unused) {
    (void)unused;
    return context_pair_time(self, true);
}

PyObject *py_context_time_domain(PyObject *self, PyObject *unused) {
    (void)unused;
    if (!py_context_live(self)) return NULL;
    PyObject *type = py_known_get(py_type_state(Py_TYPE(self)), PY_TIME_DOMAIN);
    if (!type) return NULL;
    return PyObject_CallFunction(type, "i", (int)((py_context *)(void *)self)->domain);
}

static PyMethodDef context_methods[] = {
    {"timestamp", py_context_timestamp, METH_NOARGS,
     PyDoc_STR("The record's event time in milliseconds, None when it has none.")},
    {"get_timestamp", py_context_timestamp, METH_NOARGS,
     PyDoc_STR("Of joins: the later of both event times, which is that of the results.")},
    {"get_left_timestamp", context_left_timestamp, METH_NOARGS,
     PyDoc_STR("Of joins: the event time of the left record, in milliseconds.")},
    {"get_right_timestamp", context_right_timestamp, METH_NOARGS,
     PyDoc_STR("Of joins: the event time of the right record, in milliseconds.")},
    {"get_current_key", py_context_current_key, METH_NOARGS, PyDoc_STR("The key of the record.")},
    {"timer_service", py_context_timer_service, METH_NOARGS, PyDoc_STR("Time and timers.")},
    {"time_domain", py_context_time_domain, METH_NOARGS,
     PyDoc_STR("Of on_timer: which time the timer was registered in.")},
    {"current_watermark", py_context_watermark, METH_NOARGS,
     PyDoc_STR("The event time that was reached.")},
    {"current_processing_time", py_context_processing_time, METH_NOARGS,
     PyDoc_STR("The time of the machine, in milliseconds.")},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot context_slots[] = {
    {Py_tp_doc, (void *)(uintptr_t) "What a process function may ask during a call."},
    {Py_tp_methods, context_methods},
    {Py_tp_traverse, (void *)py_context_traverse},
    {Py_tp_clear, (void *)py_context_clear},
    {Py_tp_dealloc, (void *)py_context_dealloc},
    {0, NULL},
};

static PyType_Spec context_spec = {
    .name = "leat._leat.Context",
    .basicsize = sizeof(py_context),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION |
             Py_TPFLAGS_IMMUTABLETYPE,
    .slots = context_slots,
};

/* --- TimerService ----------------------------------------------------------------------------- */

bool py_millis_read(PyObject *o, const char *what, int64_t *out) {
    PyObject *index = o && PyIndex_Check(o) ? PyNumber_Index(o) : NULL;
    int overflow = 0;
    if (o && !PyIndex_Check(o))
        PyErr_Format(PyExc_TypeError, "%s is an int, in milliseconds, not %.200s %.200R", what,
                     Py_TYPE(o)->tp_name, o);
    if (index) *out = PyLong_AsLongLongAndOverflow(index, &overflow);
    if (overflow)
        PyErr_Format(PyExc_OverflowError, "%s is in milliseconds and must fit in 64 bits, not %R",
                     what, o);
    bool ok = index && !overflow;
    Py_XDECREF(index);
    return ok;
}

/* The context of a call on timers, and their time; NULL with an error set. */
static leat_context *timer_of(PyObject *self, PyObject *timestamp, const char *not_keyed,
                              int64_t *time) {
    leat_context *ctx = py_context_live(self);
    if (!ctx) return NULL;
    if (!((py_context *)(void *)self)->has_timers) {
        PyErr_SetString(PyExc_Exception, not_keyed);
        return NULL;
    }
    if (!leat_context_has_key(ctx)) {
        PyErr_SetString(PyExc_RuntimeError,
                        leat_context_is_broadcast(ctx)
                            ? "timers belong to a key, and elements of the broadcast side have none"
                            : "timers belong to a key, and no record is processed");
        return NULL;
    }
    return py_millis_read(timestamp, "the time of a timer", time) ? ctx : NULL;
}

static PyObject *timer_status(leat_status status) {
    if (status >= 0) Py_RETURN_NONE;
    if (status == LEAT_E_NOMEM) return PyErr_NoMemory();
    if (!PyErr_Occurred()) PyErr_SetString(PyExc_RuntimeError, leat_status_name(status));
    return NULL;
}

static PyObject *set_timer(PyObject *self, PyObject *timestamp, leat_time_domain domain) {
    leat_timer timer = {.domain = domain};
    leat_context *ctx = timer_of(
        self, timestamp, "Register timers is only supported on a keyed stream.", &timer.time);
    return ctx ? timer_status(leat_timer_set(ctx, &timer)) : NULL;
}

static PyObject *delete_timer(PyObject *self, PyObject *timestamp, leat_time_domain domain) {
    leat_timer timer = {.domain = domain};
    leat_context *ctx = timer_of(
        self, timestamp, "Deleting timers is only supported on a keyed streams.", &timer.time);
    return ctx ? timer_status(leat_timer_remove(ctx, &timer)) : NULL;
}

static PyObject *register_event_time(PyObject *self, PyObject *timestamp) {
    return set_timer(self, timestamp, LEAT_EVENT_TIME);
}

static PyObject *register_processing_time(PyObject *self, PyObject *timestamp) {
    return set_timer(self, timestamp, LEAT_PROCESSING_TIME);
}

static PyObject *delete_event_time(PyObject *self, PyObject *timestamp) {
    return delete_timer(self, timestamp, LEAT_EVENT_TIME);
}

static PyObject *delete_processing_time(PyObject *self, PyObject *timestamp) {
    return delete_timer(self, timestamp, LEAT_PROCESSING_TIME);
}

static PyMethodDef timers_methods[] = {
    {"current_watermark", py_context_watermark, METH_NOARGS,
     PyDoc_STR("The event time that was reached; the smallest 64-bit integer before the first.")},
    {"current_processing_time", py_context_processing_time, METH_NOARGS,
     PyDoc_STR("The time of the machine, in milliseconds.")},
    {"register_event_time_timer", register_event_time, METH_O,
     PyDoc_STR("Call on_timer once event time has reached this; once per key and time.")},
    {"register_processing_time_timer", register_processing_time, METH_O,
     PyDoc_STR("Call on_timer once the machine's time has; once per key and time.")},
    {"delete_event_time_timer", delete_event_time, METH_O,
     PyDoc_STR("Forget this timer of the key; harmless when there is none.")},
    {"delete_processing_time_timer", delete_processing_time, METH_O,
     PyDoc_STR("Forget this timer of the key; harmless when there is none.")},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot timers_slots[] = {
    {Py_tp_doc, (void *)(uintptr_t) "Time and timers of a process function."},
    {Py_tp_methods, timers_methods},
    {Py_tp_traverse, (void *)py_context_traverse},
    {Py_tp_clear, (void *)py_context_clear},
    {Py_tp_dealloc, (void *)py_context_dealloc},
    {0, NULL},
};

static PyType_Spec timers_spec = {
    .name = "leat._leat.TimerService",
    .basicsize = sizeof(py_context),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION |
             Py_TPFLAGS_IMMUTABLETYPE,
    .slots = timers_slots,
};

bool py_context_types_init(PyObject *module, py_state *state) {
    state->context_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &context_spec, NULL);
    if (!state->context_type) return false;
    state->timers_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &timers_spec, NULL);
    return state->timers_type != NULL;
}

PyObject *py_context_new(py_state *state, leat_context *ctx) {
    return py_context_make(state->context_type, ctx);
}

void py_context_end(PyObject *context) {
    py_context *c = (py_context *)(void *)context;
    if (!c) return;
    c->ctx = NULL;
    if (c->timers) ((py_context *)(void *)c->timers)->ctx = NULL;
    py_broadcast_end(c->states);
}

void py_context_has_timers(PyObject *context) {
    ((py_context *)(void *)context)->has_timers = true;
}

void py_context_fires(PyObject *context, leat_time_domain domain) {
    ((py_context *)(void *)context)->domain = domain;
}

/* --- RuntimeContext --------------------------------------------------------------------------- */

/* An item of a map in a configuration value: plain up to ':' or ',', or in quotes, which are
   doubled inside. Moves `at` behind it. */
static PyObject *map_item(const char **at) {
    const char *p = *at;
    if (*p != '\'') {
        size_t size = strcspn(p, ":,");
        *at = p + size;
        return PyUnicode_FromStringAndSize(p, (Py_ssize_t)size);
    }
    PyObject *text = PyUnicode_FromString("");
    for (bool more = true; text && more;) {
        size_t size = strcspn(++p, "'");
        PyObject *piece = PyUnicode_FromStringAndSize(p, (Py_ssize_t)size);
        PyUnicode_Append(&text, piece);
        Py_XDECREF(piece);
        p += size;
        more = p[0] == '\'' && p[1] == '\'';
        if (more && text) {
            piece = PyUnicode_FromString("'");
            PyUnicode_Append(&text, piece);
            Py_XDECREF(piece);
            p++;
        }
    }
    *at = *p ? p + 1 : p;
    return text;
}

/* "key:value,key:value", as Flink writes maps in its configuration. */
static PyObject *job_parameters(leat_context *ctx) {
    PyObject *dict = PyDict_New();
    const char *at = leat_context_config(ctx, "pipeline.global-job-parameters");
    while (dict && at && *at) {
        PyObject *key = map_item(&at);
        if (*at == ':') at++;
        PyObject *item = map_item(&at);
        if (!key || !item || PyDict_SetItem(dict, key, item) < 0) Py_CLEAR(dict);
        Py_XDECREF(key);
        Py_XDECREF(item);
        at += strcspn(at, ",");
        if (*at) at++;
    }
    return dict;
}

PyObject *py_runtime_context_new(py_state *state, leat_context *ctx, PyObject *states,
                                 PyObject *metrics) {
    PyObject *type = py_known_get(state, PY_RUNTIME_CONTEXT);
    PyObject *parameters = type ? job_parameters(ctx) : NULL;
    if (!parameters) return NULL;
    return PyObject_CallFunction(type, "siiiiNOO", leat_context_name(ctx),
                                 leat_context_subtask(ctx), leat_context_parallelism(ctx),
                                 leat_context_max_parallelism(ctx), leat_context_attempt(ctx),
                                 parameters, states, metrics);
}
