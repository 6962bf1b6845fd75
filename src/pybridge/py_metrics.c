/* py_metrics.c: see py_metrics.h. The numbers are the engine's (metric.h), so that counting costs a
   call and no dict; names with their groups are put together in leat.metrics. */
#include "pybridge/py_metrics.h"

#include "pybridge/py_accumulators.h"
#include "pybridge/py_error.h"

/* A counter, meter or distribution. After the end of its function it keeps what it counted. */
typedef struct py_metric {
    PyObject ob_base;
    leat_metric *metric; /* NULL after the end */
    int64_t count;       /* then */
} py_metric;

typedef struct py_metrics {
    PyObject ob_base;
    leat_context *ctx; /* NULL after the end */
    PyObject *made;    /* a list of all metrics, to end them */
    PyObject *gauges;  /* a list of their callables, which the engine calls */
    PyObject *sums;    /* a list of all accumulators, to end them */
} py_metrics;

static py_metric *metric_of(PyObject *self) {
    return (py_metric *)(void *)self;
}

static py_metrics *metrics_of(PyObject *self) {
    return (py_metrics *)(void *)self;
}

/* --- one metric ------------------------------------------------------------------------------- */

/* Any integer of 64 bits; `sign` -1 takes it back. After the end nothing is counted. */
static PyObject *add(PyObject *self, PyObject *number, int sign) {
    PyObject *index = number ? PyNumber_Index(number) : NULL;
    long long n = index ? PyLong_AsLongLong(index) : number ? -1 : 1;
    Py_XDECREF(index);
    if (n == -1 && PyErr_Occurred()) return NULL;
    py_metric *m = metric_of(self);
    if (m->metric) leat_metric_add(m->metric, sign * n);
    Py_RETURN_NONE;
}

/* The only argument, by position or name; NULL without an error when it is left out. */
static bool one_argument(PyObject *args, PyObject *kwargs, const char *format, char *name,
                         PyObject **out) {
    char *names[] = {name, NULL};
    *out = NULL;
    return PyArg_ParseTupleAndKeywords(args, kwargs, format, names, out);
}

static PyObject *counter_inc(PyObject *self, PyObject *args, PyObject *kwargs) {
    static char name[] = "n";
    PyObject *n;
    return one_argument(args, kwargs, "|O:inc", name, &n) ? add(self, n, 1) : NULL;
}

static PyObject *counter_dec(PyObject *self, PyObject *args, PyObject *kwargs) {
    static char name[] = "n";
    PyObject *n;
    return one_argument(args, kwargs, "|O:dec", name, &n) ? add(self, n, -1) : NULL;
}

static PyObject *meter_mark(PyObject *self, PyObject *args, PyObject *kwargs) {
    static char name[] = "value";
    PyObject *n;
    return one_argument(args, kwargs, "|O:mark_event", name, &n) ? add(self, n, 1) : NULL;
}

static PyObject *distribution_update(PyObject *self, PyObject *number) {
    return add(self, number, 1);
}

static PyObject *metric_count(PyObject *self, PyObject *unused) {
    (void)unused;
    const py_metric *m = metric_of(self);
    return PyLong_FromLongLong(m->metric ? leat_metric_count(m->metric) : m->count);
}

static void metric_dealloc(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    type->tp_free(self);
    Py_DECREF(type);
}

#define CALL(function) (PyCFunction)(void (*)(void))(function)
static PyMethodDef counter_methods[] = {
    {"inc", CALL(counter_inc), METH_VARARGS | METH_KEYWORDS, PyDoc_STR("Count up by n.")},
    {"dec", CALL(counter_dec), METH_VARARGS | METH_KEYWORDS, PyDoc_STR("Count down by n.")},
    {"get_count", metric_count, METH_NOARGS, PyDoc_STR("What was counted in this subtask.")},
    {NULL, NULL, 0, NULL},
};
static PyMethodDef meter_methods[] = {
    {"mark_event", CALL(meter_mark), METH_VARARGS | METH_KEYWORDS,
     PyDoc_STR("So many events have happened.")},
    {"get_count", metric_count, METH_NOARGS, PyDoc_STR("How many events there were.")},
    {NULL, NULL, 0, NULL},
};
static PyMethodDef distribution_methods[] = {
    {"update", distribution_update, METH_O, PyDoc_STR("Add a value, an integer.")},
    {NULL, NULL, 0, NULL},
};
#undef CALL

enum {
    METRIC_FLAGS = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE
};
#define METRIC_SLOTS(doc, methods)                                   \
    {Py_tp_doc, (void *)(uintptr_t)(doc)}, {Py_tp_methods, methods}, \
        {Py_tp_dealloc, (void *)metric_dealloc}, {                   \
        0, NULL                                                      \
    }
static PyType_Slot counter_slots[] = {METRIC_SLOTS("A counter.", counter_methods)};
static PyType_Slot meter_slots[] = {METRIC_SLOTS("A meter.", meter_methods)};
static PyType_Slot distribution_slots[] = {METRIC_SLOTS("A distribution.", distribution_methods)};
static PyType_Spec metric_specs[PY_METRIC_KINDS] = {
    [LEAT_METRIC_COUNTER] = {"leat._leat.Counter", sizeof(py_metric), 0, METRIC_FLAGS,
                             counter_slots},
    [LEAT_METRIC_METER] = {"leat._leat.Meter", sizeof(py_metric), 0, METRIC_FLAGS, meter_slots},
    [LEAT_METRIC_DISTRIBUTION] = {"leat._leat.Distribution", sizeof(py_metric), 0, METRIC_FLAGS,
                                  distribution_slots},
};

/* --- who makes them --------------------------------------------------------------------------- */

static leat_context *live(PyObject *self) {
    leat_context *ctx = metrics_of(self)->ctx;
    if (!ctx) PyErr_SetString(PyExc_RuntimeError, "metrics are made while their function is open");
    return ctx;
}

static PyObject *metrics_get(PyObject *self, PyObject *args) {
    int kind, seconds = 0;
    const char *name;
    leat_error err;
    leat_metric *metric;
    py_state *state = py_type_state(Py_TYPE(self));
    leat_context *ctx = live(self);
    if (!ctx || !PyArg_ParseTuple(args, "is|i:get", &kind, &name, &seconds)) return NULL;
    if (kind < 0 || kind >= PY_METRIC_KINDS) {
        PyErr_SetString(PyExc_ValueError, "there is no such kind of metric");
        return NULL;
    }
    if (leat_context_metric(ctx, name, (leat_metric_kind)kind, &metric, &err) < 0) {
        PyErr_SetString(PyExc_Exception, err.text);
        return NULL;
    }
    if (seconds) leat_metric_span(metric, seconds);
    PyObject *made = state->metric_types[kind]->tp_alloc(state->metric_types[kind], 0);
    if (!made) return NULL;
    metric_of(made)->metric = metric;
    if (PyList_Append(metrics_of(self)->made, made) == 0) return made;
    Py_DECREF(made);
    return NULL;
}

/* What raises, or is no integer, leaves the gauge as it was: a metric does not fail a job. */
static leat_status gauge_read(leat_context *ctx, void *arg, int64_t *out) {
    (void)ctx;
    PyObject *result = PyObject_CallNoArgs(arg);
    PyObject *index = result ? PyNumber_Index(result) : NULL;
    long long n = index ? PyLong_AsLongLong(index) : -1;
    Py_XDECREF(result);
    Py_XDECREF(index);
    bool failed = n == -1 && PyErr_Occurred();
    if (failed) PyErr_WriteUnraisable(arg);
    *out = n;
    return failed ? LEAT_E_USER : LEAT_OK;
}

static PyObject *metrics_gauge(PyObject *self, PyObject *args) {
    const char *name;
    PyObject *callable;
    leat_error err;
    leat_context *ctx = live(self);
    if (!ctx || !PyArg_ParseTuple(args, "sO:gauge", &name, &callable)) return NULL;
    if (!PyCallable_Check(callable)) {
        PyErr_Format(PyExc_TypeError, "a gauge needs a callable, not %R", callable);
        return NULL;
    }
    if (PyList_Append(metrics_of(self)->gauges, callable) < 0) return NULL;
    if (leat_context_gauge(ctx, name, gauge_read, callable, &err) >= 0) Py_RETURN_NONE;
    PyErr_SetString(PyExc_Exception, err.text);
    return NULL;
}

static PyObject *metrics_accumulator(PyObject *self, PyObject *args) {
    int kind;
    const char *name;
    leat_context *ctx = live(self);
    if (!ctx || !PyArg_ParseTuple(args, "is:accumulator", &kind, &name)) return NULL;
    PyObject *made = py_accumulator_new(py_type_state(Py_TYPE(self)), ctx, kind, name);
    if (!made || PyList_Append(metrics_of(self)->sums, made) == 0) return made;
    Py_DECREF(made);
    return NULL;
}

static int metrics_traverse(PyObject *self, visitproc visit, void *arg) {
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(metrics_of(self)->made);
    Py_VISIT(metrics_of(self)->gauges);
    Py_VISIT(metrics_of(self)->sums);
    return 0;
}

static int metrics_clear(PyObject *self) {
    Py_CLEAR(metrics_of(self)->made);
    Py_CLEAR(metrics_of(self)->sums);
    if (!metrics_of(self)->ctx) Py_CLEAR(metrics_of(self)->gauges);
    return 0;
}

static void metrics_dealloc(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    metrics_of(self)->ctx = NULL;
    metrics_clear(self);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMethodDef metrics_methods[] = {
    {"get", metrics_get, METH_VARARGS, PyDoc_STR("The metric of that kind and name.")},
    {"accumulator", metrics_accumulator, METH_VARARGS,
     PyDoc_STR("The accumulator of that kind and name.")},
    {"gauge", metrics_gauge, METH_VARARGS, PyDoc_STR("Ask this callable for a number.")},
    {NULL, NULL, 0, NULL},
};
static PyType_Slot metrics_slots[] = {
    {Py_tp_doc, (void *)(uintptr_t) "Makes the metrics of one function in one subtask."},
    {Py_tp_methods, metrics_methods},
    {Py_tp_traverse, (void *)metrics_traverse},
    {Py_tp_clear, (void *)metrics_clear},
    {Py_tp_dealloc, (void *)metrics_dealloc},
    {0, NULL},
};
static PyType_Spec metrics_spec = {
    .name = "leat._leat.Metrics",
    .basicsize = sizeof(py_metrics),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION |
             Py_TPFLAGS_IMMUTABLETYPE,
    .slots = metrics_slots,
};

PyObject *py_metrics_new(py_state *state, leat_context *ctx) {
    PyObject *self = state->metrics_type->tp_alloc(state->metrics_type, 0);
    if (!self) return NULL;
    metrics_of(self)->made = PyList_New(0);
    metrics_of(self)->gauges = PyList_New(0);
    metrics_of(self)->sums = PyList_New(0);
    metrics_of(self)->ctx = ctx;
    if (metrics_of(self)->made && metrics_of(self)->gauges && metrics_of(self)->sums) return self;
    Py_DECREF(self);
    return NULL;
}

void py_metrics_end(PyObject *metrics) {
    if (!metrics) return;
    PyObject *made = metrics_of(metrics)->made;
    metrics_of(metrics)->ctx = NULL;
    for (Py_ssize_t i = 0; made && i < PyList_GET_SIZE(made); i++) {
        py_metric *m = metric_of(PyList_GET_ITEM(made, i));
        m->count = leat_metric_count(m->metric);
        m->metric = NULL;
    }
    PyObject *sums = metrics_of(metrics)->sums;
    for (Py_ssize_t i = 0; sums && i < PyList_GET_SIZE(sums); i++)
        py_accumulator_end(PyList_GET_ITEM(sums, i));
    metrics_clear(metrics);
}

bool py_metrics_types_init(PyObject *module, py_state *state) {
    state->metrics_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &metrics_spec, NULL);
    bool ok = state->metrics_type != NULL;
    for (int i = 0; ok && i < PY_METRIC_KINDS; i++) {
        state->metric_types[i] =
            (PyTypeObject *)PyType_FromModuleAndSpec(module, &metric_specs[i], NULL);
        ok = state->metric_types[i] && PyModule_AddType(module, state->metric_types[i]) == 0;
    }
    return ok;
}
