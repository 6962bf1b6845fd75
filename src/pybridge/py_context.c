/* py_context.c: see py_context.h. One Context and one TimerService per function and subtask, made when the
   function opens and reused for every record; what they answer is read from the engine when they are asked. After the
   subtask's end they refuse. Timers and state are for a later release and say so. */
#include "pybridge/py_context.h"

#include "pybridge/py_convert.h"

typedef struct py_context {
    PyObject ob_base;
    leat_context *ctx; /* NULL after the end */
    PyObject *timers;  /* a TimerService, made when first asked for */
} py_context;

static leat_context *context_live(PyObject *self) {
    leat_context *ctx = ((py_context *)(void *)self)->ctx;
    if (!ctx) PyErr_SetString(PyExc_RuntimeError, "this context is valid during its calls only");
    return ctx;
}

static PyObject *context_make(PyTypeObject *type, leat_context *ctx) {
    PyObject *self = type->tp_alloc(type, 0);
    if (self) ((py_context *)(void *)self)->ctx = ctx;
    return self;
}

static int context_traverse(PyObject *self, visitproc visit, void *arg) {
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(((py_context *)(void *)self)->timers);
    return 0;
}

static int context_clear(PyObject *self) {
    Py_CLEAR(((py_context *)(void *)self)->timers);
    return 0;
}

static void context_dealloc(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    context_clear(self);
    type->tp_free(self);
    Py_DECREF(type);
}

/* --- Context ------------------------------------------------------------------------------------ */

static PyObject *context_timestamp(PyObject *self, PyObject *unused) {
    (void)unused;
    leat_context *ctx = context_live(self);
    if (!ctx) return NULL;
    int64_t time = leat_context_time(ctx);
    if (time == LEAT_NO_TIME) Py_RETURN_NONE;
    return PyLong_FromLongLong(time);
}

static PyObject *context_current_key(PyObject *self, PyObject *unused) {
    (void)unused;
    leat_context *ctx = context_live(self);
    if (!ctx) return NULL;
    return py_from_value(py_type_state(Py_TYPE(self)), leat_context_key(ctx),
                         leat_context_key_type(ctx));
}

static PyObject *context_timer_service(PyObject *self, PyObject *unused) {
    (void)unused;
    py_context *context = (py_context *)(void *)self;
    if (!context_live(self)) return NULL;
    if (!context->timers)
        context->timers = context_make(py_type_state(Py_TYPE(self))->timers_type, context->ctx);
    return Py_XNewRef(context->timers);
}

static PyObject *context_watermark(PyObject *self, PyObject *unused) {
    (void)unused;
    leat_context *ctx = context_live(self);
    return ctx ? PyLong_FromLongLong(leat_context_watermark(ctx)) : NULL;
}

static PyObject *context_processing_time(PyObject *self, PyObject *unused) {
    (void)unused;
    leat_context *ctx = context_live(self);
    return ctx ? PyLong_FromLongLong(leat_context_now(ctx)) : NULL;
}

static PyMethodDef context_methods[] = {
    {"timestamp", context_timestamp, METH_NOARGS,
     PyDoc_STR("The record's event time in milliseconds, None when it has none.")},
    {"get_current_key", context_current_key, METH_NOARGS, PyDoc_STR("The key of the record.")},
    {"timer_service", context_timer_service, METH_NOARGS, PyDoc_STR("Time and timers.")},
    {"current_watermark", context_watermark, METH_NOARGS,
     PyDoc_STR("The event time that was reached.")},
    {"current_processing_time", context_processing_time, METH_NOARGS,
     PyDoc_STR("The time of the machine, in milliseconds.")},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot context_slots[] = {
    {Py_tp_doc, (void *)(uintptr_t) "What a process function may ask during a call."},
    {Py_tp_methods, context_methods},
    {Py_tp_traverse, (void *)context_traverse},
    {Py_tp_clear, (void *)context_clear},
    {Py_tp_dealloc, (void *)context_dealloc},
    {0, NULL},
};

static PyType_Spec context_spec = {
    .name = "leat._leat.Context",
    .basicsize = sizeof(py_context),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION |
             Py_TPFLAGS_IMMUTABLETYPE,
    .slots = context_slots,
};

/* --- TimerService ------------------------------------------------------------------------------- */

static PyObject *refuse_timer(PyObject *self, const char *not_keyed) {
    leat_context *ctx = context_live(self);
    if (!ctx) return NULL;
    if (leat_context_key(ctx)->kind == LEAT_NULL) {
        PyErr_SetString(PyExc_Exception, not_keyed);
        return NULL;
    }
    PyObject *type = py_known_get(py_type_state(Py_TYPE(self)), PY_NOT_SUPPORTED);
    if (type)
        PyErr_SetString(type, "TimerService: timers of Python functions come with a later release");
    return NULL;
}

static PyObject *timers_register(PyObject *self, PyObject *timestamp) {
    (void)timestamp;
    return refuse_timer(self, "Register timers is only supported on a keyed stream.");
}

static PyObject *timers_delete(PyObject *self, PyObject *timestamp) {
    (void)timestamp;
    return refuse_timer(self, "Deleting timers is only supported on a keyed streams.");
}

static PyMethodDef timers_methods[] = {
    {"current_watermark", context_watermark, METH_NOARGS,
     PyDoc_STR("The event time that was reached; the smallest 64-bit integer before the first.")},
    {"current_processing_time", context_processing_time, METH_NOARGS,
     PyDoc_STR("The time of the machine, in milliseconds.")},
    {"register_event_time_timer", timers_register, METH_O, PyDoc_STR("Comes later.")},
    {"register_processing_time_timer", timers_register, METH_O, PyDoc_STR("Comes later.")},
    {"delete_event_time_timer", timers_delete, METH_O, PyDoc_STR("Comes later.")},
    {"delete_processing_time_timer", timers_delete, METH_O, PyDoc_STR("Comes later.")},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot timers_slots[] = {
    {Py_tp_doc, (void *)(uintptr_t) "Time and timers of a process function."},
    {Py_tp_methods, timers_methods},
    {Py_tp_traverse, (void *)context_traverse},
    {Py_tp_clear, (void *)context_clear},
    {Py_tp_dealloc, (void *)context_dealloc},
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
    return context_make(state->context_type, ctx);
}

void py_context_end(PyObject *context) {
    py_context *c = (py_context *)(void *)context;
    if (!c) return;
    c->ctx = NULL;
    if (c->timers) ((py_context *)(void *)c->timers)->ctx = NULL;
}

/* --- RuntimeContext ----------------------------------------------------------------------------- */

/* An item of a map in a configuration value: plain up to ':' or ',', or in quotes, which are doubled inside.
   Moves `at` behind it. */
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

PyObject *py_runtime_context_new(py_state *state, leat_context *ctx) {
    PyObject *type = py_known_get(state, PY_RUNTIME_CONTEXT);
    PyObject *parameters = type ? job_parameters(ctx) : NULL;
    if (!parameters) return NULL;
    return PyObject_CallFunction(type, "siiiiN", leat_context_name(ctx), leat_context_subtask(ctx),
                                 leat_context_parallelism(ctx), leat_context_max_parallelism(ctx),
                                 leat_context_attempt(ctx), parameters);
}
