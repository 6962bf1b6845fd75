/* py_broadcast.c: see py_broadcast.h. A function has one context per side, each with the methods
   that PyFlink gives it and no others: so the broadcast side has neither key nor timers, and the
   state of the other side cannot be changed. Contexts and states see through to the engine's map
   (state.h), which says last who may change it: a function may keep a state that it was given.

   Keys and values with a type are stored natively, others as objects. None is a value here. */
#include "pybridge/py_broadcast.h"

#include "pybridge/py_context.h"
#include "pybridge/py_convert.h"
#include "pybridge/py_mapping.h"
#include "pybridge/py_shape.h"
#include "runtime/bridge.h"

static const leat_namespace NO_NAMESPACE = {NULL, 0};

/* One state of one side. */
typedef struct py_broadcast {
    py_mapping mapping;
    leat_context *ctx; /* NULL after the end */
    leat_state *state;
    py_state *module;
    PyObject *descriptor; /* by which it was asked for last */
    const leat_type *key_type, *value_type;
    const py_shape *key_shape, *value_shape;
} py_broadcast;

static py_broadcast *broadcast_of(PyObject *self) {
    return (py_broadcast *)(void *)self;
}

/* --- the map ---------------------------------------------------------------------------------- */

static bool is_live(const py_broadcast *b) {
    if (LEAT_LIKELY(b->ctx != NULL)) return true;
    PyErr_SetString(PyExc_RuntimeError,
                    "this state is valid during the calls of its function only");
    return false;
}

static bool may_write(const py_broadcast *b) {
    if (!is_live(b)) return false;
    if (LEAT_LIKELY(leat_context_is_broadcast(b->ctx))) return true;
    PyErr_SetString(PyExc_RuntimeError,
                    "broadcast state can only be changed in process_broadcast_element, where every "
                    "subtask sees the same elements");
    return false;
}

static bool is_done(leat_status status) {
    if (LEAT_LIKELY(status >= 0)) return true;
    if (PyErr_Occurred()) return false;
    if (status == LEAT_E_NOMEM)
        PyErr_NoMemory();
    else
        PyErr_Format(PyExc_RuntimeError, "the state could not be reached: %s",
                     leat_status_name(status));
    return false;
}

/* The native form of `o` by its type, or itself. What it points to lives as long as `*held`, a new
   reference, and the arena's memory. */
static bool value_of(const py_broadcast *b, PyObject *o, const py_shape *shape,
                     const leat_type *type, PyObject **held, leat_value *out) {
    *held = py_shape_apply(shape, Py_NewRef(o));
    if (!*held) return false;
    if (py_scalar_value(*held, out)) return true;
    *out = py_object_value(b->module, *held);
    if (!type) return true;
    return py_to_value(b->module, *held, type, leati_context_arena(b->ctx), out) >= 0;
}

static bool key_of(const py_broadcast *b, PyObject *key, PyObject **held, leat_value *out) {
    return value_of(b, key, b->key_shape, b->key_type, held, out);
}

/* 1: in `out` is a new reference, 0: there is none, -1: failed. */
static int state_look(PyObject *self, PyObject *key, PyObject **out) {
    const py_broadcast *b = broadcast_of(self);
    if (!is_live(b)) return -1;
    leati_arena *arena = leati_context_arena(b->ctx);
    leati_arena_mark mark = leati_arena_mark_get(arena);
    PyObject *held;
    leat_value k, v;
    leat_status status = LEAT_E_USER;
    if (key_of(b, key, &held, &k)) status = leat_map_get(b->ctx, b->state, NO_NAMESPACE, &k, &v);
    leati_arena_rewind(arena, mark);
    Py_XDECREF(held);
    if (!is_done(status)) return -1;
    if (status == LEAT_DONE) return 0;
    *out = py_from_value(b->module, &v, b->value_type);
    return *out ? 1 : -1;
}

static bool put(const py_broadcast *b, PyObject *key, PyObject *value) {
    if (!may_write(b)) return false;
    leati_arena *arena = leati_context_arena(b->ctx);
    leati_arena_mark mark = leati_arena_mark_get(arena);
    PyObject *held_key, *held = NULL;
    leat_value k, v;
    bool ok = key_of(b, key, &held_key, &k) &&
              value_of(b, value, b->value_shape, b->value_type, &held, &v) &&
              is_done(leat_map_put(b->ctx, b->state, NO_NAMESPACE, &k, &v));
    leati_arena_rewind(arena, mark);
    Py_XDECREF(held_key);
    Py_XDECREF(held);
    return ok;
}

static bool forget(const py_broadcast *b, PyObject *key) {
    if (!may_write(b)) return false;
    leati_arena *arena = leati_context_arena(b->ctx);
    leati_arena_mark mark = leati_arena_mark_get(arena);
    PyObject *held;
    leat_value k;
    bool ok =
        key_of(b, key, &held, &k) && is_done(leat_map_remove(b->ctx, b->state, NO_NAMESPACE, &k));
    leati_arena_rewind(arena, mark);
    Py_XDECREF(held);
    return ok;
}

static bool state_set(PyObject *self, PyObject *key, PyObject *value) {
    const py_broadcast *b = broadcast_of(self);
    return value ? put(b, key, value) : forget(b, key);
}

static int state_any(PyObject *self) {
    const py_broadcast *b = broadcast_of(self);
    size_t count = 0;
    bool ok = is_live(b) && is_done(leat_map_count(b->ctx, b->state, NO_NAMESPACE, &count));
    return ok ? count > 0 : -1;
}

/* What a list has of each pair. */
typedef PyObject *(*part_fn)(const py_broadcast *b, const leat_map_entry *e);

static PyObject *key_part(const py_broadcast *b, const leat_map_entry *e) {
    return py_from_value(b->module, &e->key, b->key_type);
}

static PyObject *value_part(const py_broadcast *b, const leat_map_entry *e) {
    return py_from_value(b->module, &e->value, b->value_type);
}

static PyObject *pair_part(const py_broadcast *b, const leat_map_entry *e) {
    PyObject *k = key_part(b, e), *v = k ? value_part(b, e) : NULL;
    PyObject *pair = v ? PyTuple_Pack(2, k, v) : NULL;
    Py_XDECREF(k);
    Py_XDECREF(v);
    return pair;
}

static PyObject *state_list(PyObject *self, py_mapping_part wanted) {
    static const part_fn parts[] = {[PY_MAPPING_ITEMS] = pair_part,
                                    [PY_MAPPING_KEYS] = key_part,
                                    [PY_MAPPING_VALUES] = value_part};
    const py_broadcast *b = broadcast_of(self);
    PyObject *list = is_live(b) ? PyList_New(0) : NULL;
    leat_map_entry e;
    size_t at = 0;
    while (list && leat_map_next(b->ctx, b->state, NO_NAMESPACE, &at, &e) == LEAT_OK) {
        PyObject *item = parts[wanted](b, &e);
        if (!item || PyList_Append(list, item) < 0) Py_CLEAR(list);
        Py_XDECREF(item);
    }
    return list;
}

static const py_mapping_calls state_calls = {state_look, state_set, state_list, state_any};

static PyObject *state_clear(PyObject *self, PyObject *unused) {
    (void)unused;
    const py_broadcast *b = broadcast_of(self);
    return py_none_if(may_write(b) && is_done(leat_state_remove(b->ctx, b->state, NO_NAMESPACE)));
}

/* --- the types of states ---------------------------------------------------------------------- */

static int state_traverse(PyObject *self, visitproc visit, void *arg) {
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(broadcast_of(self)->descriptor);
    return 0;
}

static int state_drop(PyObject *self) {
    Py_CLEAR(broadcast_of(self)->descriptor);
    return 0;
}

static void state_dealloc(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    state_drop(self);
    type->tp_free(self);
    Py_DECREF(type);
}

#define STATE_SLOTS(doc, methods)                                                    \
    {Py_tp_doc, (void *)(uintptr_t)(doc)}, {Py_tp_methods, methods},                 \
        {Py_tp_traverse, (void *)state_traverse}, {Py_tp_clear, (void *)state_drop}, \
        {Py_tp_dealloc, (void *)state_dealloc}, PY_MAPPING_SLOTS
enum {
    TYPE_FLAGS = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION |
                 Py_TPFLAGS_IMMUTABLETYPE
};

static PyMethodDef reading_methods[] = {PY_MAPPING_READING, {NULL, NULL, 0, NULL}};
static PyMethodDef writing_methods[] = {
    PY_MAPPING_READING,
    PY_MAPPING_WRITING,
    {"clear", state_clear, METH_NOARGS, PyDoc_STR("Forget all pairs.")},
    {NULL, NULL, 0, NULL},
};
static PyType_Slot reading_slots[] = {
    STATE_SLOTS("A map that is the same in all subtasks, for reading.", reading_methods),
    {0, NULL},
};
static PyType_Slot writing_slots[] = {
    STATE_SLOTS("A map that is the same in all subtasks.", writing_methods),
    {Py_mp_ass_subscript, (void *)py_mapping_assign},
    {0, NULL},
};
static PyType_Spec reading_spec = {"leat._leat.ReadOnlyBroadcastState", sizeof(py_broadcast), 0,
                                   TYPE_FLAGS, reading_slots};
static PyType_Spec writing_spec = {"leat._leat.BroadcastState", sizeof(py_broadcast), 0, TYPE_FLAGS,
                                   writing_slots};

/* --- contexts --------------------------------------------------------------------------------- */

/* Finds the engine's state, or makes it. `info` is (name, type's text). */
static bool state_open(py_broadcast *b, leat_context *ctx, PyObject *info) {
    leat_error err;
    const char *name, *text;
    if (!PyArg_ParseTuple(info, "ss", &name, &text)) return false;
    const leat_type *type = leat_type_parse(text, &err);
    if (!type) {
        PyErr_SetString(PyExc_ValueError, err.text);
        return false;
    }
    if (leat_context_broadcast(ctx, name, type, &b->state, &err) < 0) {
        PyErr_Format(PyExc_Exception, "State name corrupted: %s: %s", name, err.text);
        return false;
    }
    const leat_type *key = type->items[0], *value = type->items[1];
    b->key_type = key->tag == LEAT_T_PICKLED ? NULL : key;
    b->value_type = value->tag == LEAT_T_PICKLED ? NULL : value;
    b->ctx = ctx;
    return py_shape_of(b->module, key, &b->key_shape) &&
           py_shape_of(b->module, value, &b->value_shape);
}

/* Borrowed from the context's dict, to which a new one is added. */
static py_broadcast *state_named(py_context *context, PyTypeObject *type, PyObject *name) {
    if (!context->states && !(context->states = PyDict_New())) return NULL;
    PyObject *made = PyDict_GetItemWithError(context->states, name);
    if (made || PyErr_Occurred()) return (py_broadcast *)(void *)made;
    made = type->tp_alloc(type, 0);
    if (made) {
        broadcast_of(made)->mapping.calls = &state_calls;
        broadcast_of(made)->module = py_type_state(Py_TYPE(context));
    }
    bool ok = made && PyDict_SetItem(context->states, name, made) == 0;
    Py_XDECREF(made);
    return ok ? broadcast_of(made) : NULL;
}

static bool is_declared(const py_context *context, PyObject *name) {
    int there = context->declared ? PySequence_Contains(context->declared, name) : 1;
    if (there == 0)
        PyErr_Format(
            PyExc_ValueError,
            "broadcast state %R is not declared; give its descriptor to broadcast(), which "
            "was given %R",
            name, context->declared);
    return there > 0;
}

/* Borrowed; NULL when it is asked for the first time by this descriptor. */
static PyObject *asked_before(const py_context *context, const PyObject *descriptor) {
    PyObject *name, *made;
    for (Py_ssize_t at = 0; context->states && PyDict_Next(context->states, &at, &name, &made);)
        if (broadcast_of(made)->descriptor == descriptor) return made;
    return NULL;
}

static PyObject *state_by(PyObject *self, PyObject *descriptor, PyTypeObject *type) {
    leat_context *ctx = py_context_live(self);
    py_context *context = (py_context *)(void *)self;
    PyObject *known = ctx ? asked_before(context, descriptor) : NULL;
    if (!ctx || known) return Py_XNewRef(known);
    PyObject *ask = py_known_get(py_type_state(Py_TYPE(self)), PY_BROADCAST_OF);
    PyObject *info = ask ? PyObject_CallOneArg(ask, descriptor) : NULL;
    bool there = info && is_declared(context, PyTuple_GET_ITEM(info, 0));
    py_broadcast *b = there ? state_named(context, type, PyTuple_GET_ITEM(info, 0)) : NULL;
    bool ok = b && state_open(b, ctx, info);
    Py_XDECREF(info);
    if (!ok) return NULL;
    Py_XSETREF(b->descriptor, Py_NewRef(descriptor));
    return Py_NewRef((PyObject *)b);
}

static PyObject *reader_state(PyObject *self, PyObject *descriptor) {
    return state_by(self, descriptor, py_type_state(Py_TYPE(self))->broadcast_reading_type);
}

static PyObject *writer_state(PyObject *self, PyObject *descriptor) {
    return state_by(self, descriptor, py_type_state(Py_TYPE(self))->broadcast_writing_type);
}

#define BASE_CONTEXT(state)                                                                   \
    {"timestamp", py_context_timestamp, METH_NOARGS,                                          \
     PyDoc_STR("The record's event time in milliseconds, None when it has none.")},           \
        {"current_watermark", py_context_watermark, METH_NOARGS,                              \
         PyDoc_STR("The event time that was reached.")},                                      \
        {"current_processing_time", py_context_processing_time, METH_NOARGS,                  \
         PyDoc_STR("The time of the machine, in milliseconds.")},                             \
    {                                                                                         \
        "get_broadcast_state", state, METH_O, PyDoc_STR("The state of a MapStateDescriptor.") \
    }
#define CONTEXT_SLOTS(doc, methods)                                                             \
    {Py_tp_doc, (void *)(uintptr_t)(doc)}, {Py_tp_methods, methods},                            \
        {Py_tp_traverse, (void *)py_context_traverse}, {Py_tp_clear, (void *)py_context_clear}, \
        {Py_tp_dealloc, (void *)py_context_dealloc}, {                                          \
        0, NULL                                                                                 \
    }

static PyMethodDef writer_methods[] = {BASE_CONTEXT(writer_state), {NULL, NULL, 0, NULL}};
static PyMethodDef reader_methods[] = {BASE_CONTEXT(reader_state), {NULL, NULL, 0, NULL}};
static PyMethodDef keyed_methods[] = {
    BASE_CONTEXT(reader_state),
    {"get_current_key", py_context_current_key, METH_NOARGS, PyDoc_STR("The key of the record.")},
    {"timer_service", py_context_timer_service, METH_NOARGS, PyDoc_STR("Time and timers.")},
    {"time_domain", py_context_time_domain, METH_NOARGS,
     PyDoc_STR("Of on_timer: which time the timer was registered in.")},
    {NULL, NULL, 0, NULL},
};
static PyType_Slot writer_slots[] = {
    CONTEXT_SLOTS("What the broadcast side may ask during a call.", writer_methods)};
static PyType_Slot reader_slots[] = {
    CONTEXT_SLOTS("What the side beside a broadcast one may ask.", reader_methods)};
static PyType_Slot keyed_slots[] = {
    CONTEXT_SLOTS("What the keyed side beside a broadcast one may ask.", keyed_methods)};
static PyType_Spec context_specs[] = {
    {"leat._leat.BroadcastContext", sizeof(py_context), 0, TYPE_FLAGS, writer_slots},
    {"leat._leat.ReadOnlyContext", sizeof(py_context), 0, TYPE_FLAGS, reader_slots},
    {"leat._leat.KeyedReadOnlyContext", sizeof(py_context), 0, TYPE_FLAGS, keyed_slots},
};
enum { WRITER, READER, KEYED_READER };

static PyObject *context_new(PyTypeObject *type, leat_context *ctx, PyObject *declared) {
    PyObject *context = py_context_make(type, ctx);
    if (context) ((py_context *)(void *)context)->declared = Py_XNewRef(declared);
    return context;
}

PyObject *py_broadcast_reader_new(py_state *state, leat_context *ctx, PyObject *declared) {
    int kind = leat_context_is_keyed(ctx) ? KEYED_READER : READER;
    return context_new(state->broadcast_context_types[kind], ctx, declared);
}

PyObject *py_broadcast_writer_new(py_state *state, leat_context *ctx, PyObject *declared) {
    return context_new(state->broadcast_context_types[WRITER], ctx, declared);
}

void py_broadcast_end(PyObject *states) {
    PyObject *name, *made;
    for (Py_ssize_t at = 0; states && PyDict_Next(states, &at, &name, &made);)
        broadcast_of(made)->ctx = NULL;
}

static bool add_type(PyObject *module, PyType_Spec *spec, PyTypeObject **out) {
    *out = (PyTypeObject *)PyType_FromModuleAndSpec(module, spec, NULL);
    return *out != NULL;
}

bool py_broadcast_types_init(PyObject *module, py_state *state) {
    bool ok = add_type(module, &reading_spec, &state->broadcast_reading_type) &&
              PyModule_AddType(module, state->broadcast_reading_type) == 0 &&
              add_type(module, &writing_spec, &state->broadcast_writing_type) &&
              PyModule_AddType(module, state->broadcast_writing_type) == 0;
    for (int i = 0; ok && i < PY_BROADCAST_CONTEXTS; i++)
        ok = add_type(module, &context_specs[i], &state->broadcast_context_types[i]);
    return ok;
}
