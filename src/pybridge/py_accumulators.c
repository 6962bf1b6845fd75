/* py_accumulators.c: see py_accumulators.h. What is added up is the engine's (accumulator.h);
   the classes that users know are in leat.common.accumulators. */
#include "pybridge/py_accumulators.h"

#include "leat/accumulator.h"
#include "pybridge/py_convert.h"
#include "pybridge/py_interp.h"
#include "runtime/base/arena.h"
#include "runtime/bridge.h"

typedef struct py_accumulator {
    PyObject ob_base;
    leat_accumulator *accumulator; /* NULL after the end */
    int kind;
    PyObject *value; /* then */
} py_accumulator;

static py_accumulator *accumulator_of(PyObject *self) {
    return (py_accumulator *)(void *)self;
}

/* --- adding ----------------------------------------------------------------------------------- */

/* False with an error set. Integers of Python and whatever can be one; numbers as float() has
   them. */
static bool read_value(py_state *state, int kind, PyObject *o, leati_arena *arena,
                       leat_value *out) {
    if (kind == LEAT_ACCUMULATOR_LIST) return py_to_value(state, o, NULL, arena, out) >= 0;
    if (kind <= LEAT_ACCUMULATOR_INT_MAX || kind == LEAT_ACCUMULATOR_HISTOGRAM) {
        PyObject *index = PyNumber_Index(o);
        *out = leat_int(index ? PyLong_AsLongLong(index) : -1);
        Py_XDECREF(index);
        return !(out->as.i == -1 && PyErr_Occurred());
    }
    *out = leat_double(PyFloat_AsDouble(o));
    return !(out->as.d == -1.0 && PyErr_Occurred());
}

static PyObject *accumulator_add(PyObject *self, PyObject *o) {
    py_accumulator *a = accumulator_of(self);
    leati_arena arena;
    leat_value value;
    if (!a->accumulator) Py_RETURN_NONE; /* the function has ended: nothing is counted any more */
    leati_arena_init(&arena);
    bool read = read_value(py_type_state(Py_TYPE(self)), a->kind, o, &arena, &value);
    leat_status status = read ? leat_accumulator_add(a->accumulator, &value) : LEAT_E_USER;
    leati_arena_fini(&arena);
    if (status >= 0) Py_RETURN_NONE;
    if (PyErr_Occurred()) return NULL;
    if (status == LEAT_E_NOMEM) return PyErr_NoMemory();
    PyErr_Format(status == LEAT_E_RANGE ? PyExc_OverflowError : PyExc_TypeError,
                 status == LEAT_E_RANGE ? "the sum does not fit in 64 bits any more"
                                        : "%.200R can't be added",
                 o);
    return NULL;
}

static PyObject *value_now(PyObject *self) {
    py_state *state = py_type_state(Py_TYPE(self));
    leati_arena arena;
    leat_value value;
    leati_arena_init(&arena);
    leat_status status = leati_accumulator_value(accumulator_of(self)->accumulator,
                                                 py_interp_domain(state->interp), &arena, &value);
    PyObject *o = status >= 0 ? py_from_value(state, &value, NULL) : NULL;
    leati_arena_fini(&arena);
    if (!o && !PyErr_Occurred()) PyErr_SetString(PyExc_RuntimeError, leat_status_name(status));
    return o;
}

static PyObject *accumulator_value(PyObject *self, PyObject *unused) {
    (void)unused;
    py_accumulator *a = accumulator_of(self);
    return a->accumulator ? value_now(self) : Py_NewRef(a->value ? a->value : Py_None);
}

/* --- life ------------------------------------------------------------------------------------- */

PyObject *py_accumulator_new(py_state *state, leat_context *ctx, int kind, const char *name) {
    leat_error err;
    leat_accumulator *accumulator;
    if (leat_context_accumulator(ctx, name, (leat_accumulator_kind)kind, &accumulator, &err) < 0) {
        PyErr_SetString(PyExc_Exception, err.text);
        return NULL;
    }
    PyObject *self = state->accumulator_type->tp_alloc(state->accumulator_type, 0);
    if (!self) return NULL;
    accumulator_of(self)->accumulator = accumulator;
    accumulator_of(self)->kind = kind;
    return self;
}

void py_accumulator_end(PyObject *self) {
    py_accumulator *a = accumulator_of(self);
    if (!a->accumulator) return;
    PyObject *pending[3];
    PyErr_Fetch(&pending[0], &pending[1], &pending[2]);
    a->value = value_now(self);
    if (!a->value) PyErr_Clear();
    PyErr_Restore(pending[0], pending[1], pending[2]);
    a->accumulator = NULL;
}

static int accumulator_traverse(PyObject *self, visitproc visit, void *arg) {
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(accumulator_of(self)->value);
    return 0;
}

static int accumulator_clear(PyObject *self) {
    Py_CLEAR(accumulator_of(self)->value);
    return 0;
}

static void accumulator_dealloc(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    accumulator_clear(self);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMethodDef accumulator_methods[] = {
    {"add", accumulator_add, METH_O, PyDoc_STR("Add a value.")},
    {"value", accumulator_value, METH_NOARGS, PyDoc_STR("What this subtask has.")},
    {NULL, NULL, 0, NULL},
};
static PyType_Slot accumulator_slots[] = {
    {Py_tp_doc, (void *)(uintptr_t) "An accumulator of one function in one subtask."},
    {Py_tp_methods, accumulator_methods},
    {Py_tp_traverse, (void *)accumulator_traverse},
    {Py_tp_clear, (void *)accumulator_clear},
    {Py_tp_dealloc, (void *)accumulator_dealloc},
    {0, NULL},
};
static PyType_Spec accumulator_spec = {
    .name = "leat._leat.Accumulator",
    .basicsize = sizeof(py_accumulator),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION |
             Py_TPFLAGS_IMMUTABLETYPE,
    .slots = accumulator_slots,
};

bool py_accumulators_type_init(PyObject *module, py_state *state) {
    state->accumulator_type =
        (PyTypeObject *)PyType_FromModuleAndSpec(module, &accumulator_spec, NULL);
    return state->accumulator_type && PyModule_AddType(module, state->accumulator_type) == 0;
}

/* --- those of a job --------------------------------------------------------------------------- */

typedef struct results {
    py_state *state;
    PyObject *dict;
} results;

static leat_status take_result(const char *name, const leat_value *value, void *arg) {
    results *r = arg;
    PyObject *o = py_from_value(r->state, value, NULL);
    int failed = o ? PyDict_SetItemString(r->dict, name, o) : -1;
    Py_XDECREF(o);
    return failed ? LEAT_E_USER : LEAT_OK;
}

PyObject *py_accumulators_of(py_state *state, leat_job *job) {
    leat_error err = {.text = ""};
    leati_arena arena;
    py_pause pause;
    results r = {state, PyDict_New()};
    if (!r.dict) return NULL;
    py_interp_pause(state->interp, &pause);
    leati_job_metrics_await(job);
    py_interp_resume(state->interp, &pause);
    leati_arena_init(&arena);
    leat_status status = leati_job_accumulators_each(job, py_interp_domain(state->interp), &arena,
                                                     take_result, &r, &err);
    leati_arena_fini(&arena);
    if (status >= 0) return r.dict;
    Py_DECREF(r.dict);
    if (!PyErr_Occurred())
        PyErr_Format(PyExc_RuntimeError, "the accumulator '%s': %s", err.where, err.text);
    return NULL;
}
