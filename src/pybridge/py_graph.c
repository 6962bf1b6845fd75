/* py_graph.c: leat._leat.Env. Streams are numbers, indices into a table of the library's streams;
   the declared type of each stands beside it, for reading back what a collect sink gathers. The
   library keeps a graph's first error; here it is raised by the call that caused it, so that
   Python's traceback points to the user's line. */
#include "pybridge/py_graph.h"

#include "pybridge/py_error.h"
#include "pybridge/py_interp.h"
#include "pybridge/py_job.h"
#include "pybridge/py_params.h"
#include "pybridge/py_worker.h"
#include "runtime/base/alloc.h"

typedef struct py_stream {
    leat_stream *stream;
    const leat_type *type; /* NULL: not known */
    bool collect;
} py_stream;

typedef struct py_env {
    PyObject ob_base;
    py_interp *interp;
    leat_env *env;
    py_stream *streams;
    size_t count, room;
} py_env;

static py_env *env_of(PyObject *o) {
    return (py_env *)(void *)o;
}

static py_state *state_of(PyObject *self) {
    return py_type_state(Py_TYPE(self));
}

/* --- life ------------------------------------------------------------------------------------- */

/* "key", "value", ..., NULL; lent by the dict. */
static const char **settings_of(PyObject *dict) {
    const char **pairs = PyMem_New(const char *, 2 * (size_t)PyDict_GET_SIZE(dict) + 1);
    if (!pairs) {
        PyErr_NoMemory();
        return NULL;
    }
    Py_ssize_t at = 0, n = 0;
    PyObject *key, *item;
    while (PyDict_Next(dict, &at, &key, &item)) {
        pairs[n] = PyUnicode_Check(key) ? PyUnicode_AsUTF8(key) : NULL;
        pairs[n + 1] = PyUnicode_Check(item) ? PyUnicode_AsUTF8(item) : NULL;
        if (!pairs[n] || !pairs[n + 1]) {
            PyMem_Free(pairs);
            if (!PyErr_Occurred())
                PyErr_SetString(PyExc_TypeError, "Env: settings are strings by strings");
            return NULL;
        }
        n += 2;
    }
    pairs[n] = NULL;
    return pairs;
}

static PyObject *env_new(PyTypeObject *type, PyObject *args, PyObject *kwargs) {
    static char name[] = "settings";
    static char *names[] = {name, NULL};
    PyObject *dict;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O!:Env", names, &PyDict_Type, &dict))
        return NULL;
    const char **settings = settings_of(dict);
    if (!settings) return NULL;
    leat_error err;
    leat_options options = leat_options_defaults();
    options.settings = settings;
    leat_env *env = leat_env_new(&options, &err);
    PyMem_Free(settings);
    if (!env) return py_error_raise(py_type_state(type), &err);
    PyObject *self = type->tp_alloc(type, 0);
    if (!self) {
        leat_env_free(env);
        return NULL;
    }
    env_of(self)->env = env;
    env_of(self)->interp = py_interp_ref(py_type_state(type)->interp);
    leati_env_set_bridge(env, py_interp_bridge(env_of(self)->interp));
    return self;
}

static int env_traverse(PyObject *self, visitproc visit, void *arg) {
    Py_VISIT(Py_TYPE(self));
    return 0;
}

static void env_dealloc(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    py_env *e = env_of(self);
    PyObject_GC_UnTrack(self);
    if (e->env) {
        py_pause pause;
        py_interp_pause(e->interp, &pause);
        leat_env_free(e->env);
        py_interp_resume(e->interp, &pause);
        py_interp_drain(e->interp);
    }
    py_interp_unref(e->interp);
    leati_free(e->streams);
    type->tp_free(self);
    Py_DECREF(type);
}

/* --- settings --------------------------------------------------------------------------------- */

static PyObject *env_set(PyObject *self, PyObject *args) {
    const char *key, *value;
    leat_error err;
    if (!PyArg_ParseTuple(args, "sz:set", &key, &value)) return NULL;
    if (leat_env_set(env_of(self)->env, key, value, &err) < 0)
        return py_error_raise(state_of(self), &err);
    Py_RETURN_NONE;
}

static PyObject *env_get(PyObject *self, PyObject *key) {
    const char *text = PyUnicode_AsUTF8(key);
    const char *value = text ? leat_env_get(env_of(self)->env, text) : NULL;
    if (value) return PyUnicode_FromString(value);
    if (!text) return NULL;
    Py_RETURN_NONE;
}

/* --- streams ---------------------------------------------------------------------------------- */

/* NULL with an error set. */
static py_stream *stream_at(PyObject *self, Py_ssize_t index) {
    py_env *e = env_of(self);
    if (index >= 0 && (size_t)index < e->count) return &e->streams[index];
    PyErr_Format(PyExc_ValueError, "there is no stream %zd; was the graph cleared?", index);
    return NULL;
}

/* The graph's first error, from where the library tells it. */
static PyObject *raise_graph(PyObject *self) {
    leat_error err;
    if (leati_env_take_error(env_of(self)->env, &err) >= 0)
        leat_error_set(&err, LEAT_E_NOMEM, "graph", "no memory");
    return py_error_raise(state_of(self), &err);
}

static bool make_room(py_env *e) {
    if (e->count < e->room) return true;
    size_t room = e->room ? 2 * e->room : 16;
    py_stream *streams = leati_resize(e->streams, room * sizeof *streams);
    if (!streams) {
        PyErr_NoMemory();
        return false;
    }
    e->streams = streams;
    e->room = room;
    return true;
}

/* The number of a new stream. */
static PyObject *add_stream(PyObject *self, leat_stream *stream, const leat_type *type,
                            bool collect) {
    py_env *e = env_of(self);
    if (!stream || leati_stream_id(stream) == 0) return raise_graph(self);
    if (!make_room(e)) return NULL;
    e->streams[e->count] = (py_stream){.stream = stream, .type = type, .collect = collect};
    return PyLong_FromSize_t(e->count++);
}

/* The streams of a list of numbers, and the first one's type; memory of PyMem. */
static leat_stream **inputs_of(PyObject *self, PyObject *list, const leat_type **type) {
    Py_ssize_t size = PyList_GET_SIZE(list);
    leat_stream **inputs = PyMem_New(leat_stream *, size + 1);
    if (!inputs) {
        PyErr_NoMemory();
        return NULL;
    }
    *type = NULL;
    for (Py_ssize_t i = 0; i < size; i++) {
        Py_ssize_t index = PyLong_AsSsize_t(PyList_GET_ITEM(list, i));
        py_stream *s = PyErr_Occurred() ? NULL : stream_at(self, index);
        if (!s) {
            PyMem_Free(inputs);
            return NULL;
        }
        inputs[i] = s->stream;
        if (i == 0) *type = s->type;
    }
    return inputs;
}

/* NULL for no text; false with an error set for a wrong one. */
static bool parse_type(PyObject *self, const char *text, const leat_type **type) {
    leat_error err;
    *type = text ? leat_type_parse(text, &err) : NULL;
    if (text && !*type) py_error_raise(state_of(self), &err);
    return !text || *type;
}

typedef struct py_addition {
    const leat_operator *op;
    PyObject *inputs, *params;
    const char *name, *type_text;
    int parallelism;
    const leat_type *type;
} py_addition;

static PyObject *add_operator(PyObject *self, py_addition *a) {
    const leat_type *input_type;
    py_params params;
    leat_stream **inputs = inputs_of(self, a->inputs, &input_type);
    if (!inputs) return NULL;
    leat_stream *stream = NULL;
    bool ok = py_params_init(&params, state_of(self), a->op, a->params);
    if (ok)
        stream = leat_graph_add(env_of(self)->env, a->op, params.items, params.count, inputs,
                                (size_t)PyList_GET_SIZE(a->inputs));
    py_params_fini(&params);
    PyMem_Free(inputs);
    if (!ok) return NULL;
    if (a->name[0]) leat_stream_name(stream, a->name);
    if (a->type_text)
        leat_stream_returns(stream, a->type_text);
    else if (!(a->op->flags & (LEAT_OP_SAME_TYPE | LEAT_OP_SINK)))
        leat_stream_returns(stream, "PICKLED");
    if (a->parallelism > 0) leat_stream_parallelism(stream, a->parallelism);
    bool collect = strcmp(a->op->name, "collect") == 0;
    bool same = collect || (a->op->flags & LEAT_OP_SAME_TYPE);
    return add_stream(self, stream, a->type ? a->type : same ? input_type : NULL, collect);
}

static PyObject *env_add(PyObject *self, PyObject *args) {
    const char *operator_name;
    py_addition a = {.op = NULL};
    if (!PyArg_ParseTuple(args, "sO!O!szi:add", &operator_name, &PyList_Type, &a.inputs,
                          &PyDict_Type, &a.params, &a.name, &a.type_text, &a.parallelism))
        return NULL;
    a.op = leat_operator_find(operator_name);
    if (!a.op) {
        PyErr_Format(PyExc_ValueError, "there is no operator %s", operator_name);
        return NULL;
    }
    if (!parse_type(self, a.type_text, &a.type)) return NULL;
    return add_operator(self, &a);
}

static PyObject *env_partition(PyObject *self, PyObject *args) {
    static const struct {
        const char *kind;
        leat_stream *(*call)(leat_stream *s);
    } kinds[] = {
        {"forward", leat_stream_forward},     {"rebalance", leat_stream_rebalance},
        {"rescale", leat_stream_rescale},     {"shuffle", leat_stream_shuffle},
        {"broadcast", leat_stream_broadcast}, {"global", leat_stream_global},
    };
    Py_ssize_t index;
    const char *kind;
    if (!PyArg_ParseTuple(args, "ns:partition", &index, &kind)) return NULL;
    py_stream *s = stream_at(self, index);
    if (!s) return NULL;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i].kind, kind) == 0)
            return add_stream(self, kinds[i].call(s->stream), s->type, false);
    PyErr_Format(PyExc_ValueError, "there is no partitioning %s", kind);
    return NULL;
}

static PyObject *env_union(PyObject *self, PyObject *list) {
    const leat_type *type;
    if (!PyList_Check(list) || PyList_GET_SIZE(list) == 0) {
        PyErr_SetString(PyExc_TypeError, "union() takes a list of streams");
        return NULL;
    }
    leat_stream **inputs = inputs_of(self, list, &type);
    if (!inputs) return NULL;
    leat_stream *all = inputs[0];
    for (Py_ssize_t i = 1; i < PyList_GET_SIZE(list); i++) all = leat_stream_union(all, inputs[i]);
    PyMem_Free(inputs);
    return add_stream(self, all, type, false);
}

static PyObject *env_side_output(PyObject *self, PyObject *args) {
    Py_ssize_t index;
    const char *tag, *type_text;
    const leat_type *type;
    if (!PyArg_ParseTuple(args, "nsz:side_output", &index, &tag, &type_text)) return NULL;
    py_stream *s = stream_at(self, index);
    if (!s || !parse_type(self, type_text, &type)) return NULL;
    leat_stream *side = leat_stream_side_output(s->stream, tag);
    leat_stream_returns(side, type_text ? type_text : "PICKLED");
    return add_stream(self, side, type, false);
}

static PyObject *env_iteration_feedback(PyObject *self, PyObject *args) {
    Py_ssize_t index;
    const char *type_text;
    const leat_type *type;
    if (!PyArg_ParseTuple(args, "nz:iteration_feedback", &index, &type_text)) return NULL;
    py_stream *s = stream_at(self, index);
    if (!s || !parse_type(self, type_text, &type)) return NULL;
    leat_stream *back = leat_iteration_feedback(s->stream, type_text ? type_text : "PICKLED");
    return add_stream(self, back, type, false);
}

static PyObject *env_close_iteration(PyObject *self, PyObject *args) {
    Py_ssize_t loop, feedback;
    if (!PyArg_ParseTuple(args, "nn:close_iteration", &loop, &feedback)) return NULL;
    py_stream *head = stream_at(self, loop), *back = stream_at(self, feedback);
    if (!head || !back) return NULL;
    if (leati_stream_id(leat_iteration_close(head->stream, back->stream)) == 0)
        return raise_graph(self);
    Py_RETURN_NONE;
}

static PyObject *env_set_option(PyObject *self, PyObject *args) {
    Py_ssize_t index;
    const char *option;
    PyObject *value;
    if (!PyArg_ParseTuple(args, "nsO:set_option", &index, &option, &value)) return NULL;
    py_stream *s = stream_at(self, index);
    PyObject *text = s ? PyObject_Str(value) : NULL;
    const char *bytes = text ? PyUnicode_AsUTF8(text) : NULL;
    bool ok = bytes && leati_stream_id(leat_stream_option(s->stream, option, bytes)) != 0;
    Py_XDECREF(text);
    if (!ok) return bytes ? raise_graph(self) : NULL;
    Py_RETURN_NONE;
}

/* --- the whole -------------------------------------------------------------------------------- */

static PyObject *env_clear(PyObject *self, PyObject *unused) {
    (void)unused;
    env_of(self)->count = 0;
    leat_env_clear(env_of(self)->env);
    Py_RETURN_NONE;
}

static PyObject *env_plan(PyObject *self, PyObject *unused) {
    (void)unused;
    leat_error err;
    char *plan = leat_env_plan(env_of(self)->env, &err);
    if (!plan) return py_error_raise(state_of(self), &err);
    PyObject *text = PyUnicode_FromString(plan);
    leat_text_free(plan);
    return text;
}

/* The collect sinks of the graph, for the job that will be asked for their records. */
static py_collect *collects_of(py_env *e, size_t *count) {
    py_collect *collects = leati_zalloc((e->count + 1) * sizeof *collects);
    if (!collects) PyErr_NoMemory();
    *count = 0;
    for (size_t i = 0; collects && i < e->count; i++) {
        py_stream *s = &e->streams[i];
        if (!s->collect) continue;
        collects[(*count)++] =
            (py_collect){.stream = (int)i, .id = leati_stream_id(s->stream), .type = s->type};
    }
    return collects;
}

static PyObject *env_execute(PyObject *self, PyObject *args) {
    const char *name, *blob;
    Py_ssize_t blob_size;
    leat_error err;
    py_state *state = state_of(self);
    py_env *e = env_of(self);
    if (!PyArg_ParseTuple(args, "sz#:execute", &name, &blob, &blob_size)) return NULL;
    if (!py_worker_command(state, e->env)) return NULL;
    if (blob && leati_env_set_preamble(e->env, blob, (size_t)blob_size) < 0)
        return PyErr_NoMemory();
    size_t count;
    py_collect *collects = collects_of(e, &count);
    if (!collects) return NULL;
    py_pause pause;
    py_interp_pause(state->interp, &pause);
    leat_job *job = leat_env_start(e->env, name, &err);
    py_interp_resume(state->interp, &pause);
    if (job) return py_job_new(state, self, job, collects, count);
    leati_free(collects);
    return py_error_raise(state, &err);
}

/* --- the type --------------------------------------------------------------------------------- */

static PyMethodDef env_methods[] = {
    {"set", env_set, METH_VARARGS,
     PyDoc_STR("Set a configuration key; None brings the default back.")},
    {"get", env_get, METH_O, PyDoc_STR("The effective value, the default included.")},
    {"add", env_add, METH_VARARGS, PyDoc_STR("Add an operator; answers the stream behind it.")},
    {"partition", env_partition, METH_VARARGS,
     PyDoc_STR("forward, rebalance, rescale, shuffle, broadcast, global.")},
    {"union", env_union, METH_O, PyDoc_STR("The records of all streams.")},
    {"side_output", env_side_output, METH_VARARGS,
     PyDoc_STR("What the stream's operator sends to this tag.")},
    {"iteration_feedback", env_iteration_feedback, METH_VARARGS,
     PyDoc_STR("What comes back in the loop, as a stream apart.")},
    {"close_iteration", env_close_iteration, METH_VARARGS,
     PyDoc_STR("Lead a stream back to the loop's head.")},
    {"set_option", env_set_option, METH_VARARGS, PyDoc_STR("Set an option of an operator.")},
    {"clear", env_clear, METH_NOARGS, PyDoc_STR("Forget the graph.")},
    {"plan", env_plan, METH_NOARGS, PyDoc_STR("The plan as JSON.")},
    {"execute", env_execute, METH_VARARGS, PyDoc_STR("Start the graph.")},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot env_slots[] = {
    {Py_tp_doc, (void *)(uintptr_t) "A graph that is being built, and its settings."},
    {Py_tp_new, (void *)env_new},
    {Py_tp_methods, env_methods},
    {Py_tp_traverse, (void *)env_traverse},
    {Py_tp_dealloc, (void *)env_dealloc},
    {0, NULL},
};

static PyType_Spec env_spec = {
    .name = "leat._leat.Env",
    .basicsize = sizeof(py_env),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = env_slots,
};

bool py_graph_type_init(PyObject *module, py_state *state) {
    state->env_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &env_spec, NULL);
    return state->env_type && PyModule_AddType(module, state->env_type) == 0;
}
