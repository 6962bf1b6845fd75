/* py_state.c: keyed state of user functions: the cell under the current key, and who makes states.

   What has a type is stored natively, so that a hundred thousand keys cost no object each; what has
   none, and the lists and dicts of list and map state, are live objects. A change is made in the
   engine's table at once, and nothing is remembered here, so a state has no key of its own: it is
   always that of the record or timer being processed. The table remembers the cell of the last
   call: a get and the put behind it are one look-up. */
#include "pybridge/py_state.h"

#include "pybridge/py_convert.h"
#include "pybridge/py_interp.h"
#include "runtime/bridge.h"

static const leat_namespace NO_NAMESPACE = {NULL, 0};

/* --- the cell --------------------------------------------------------------------------------- */

static bool cell_ready(const py_cell *c) {
    if (LEAT_LIKELY(c->ctx && leat_context_has_key(c->ctx))) return true;
    const char *why = "this state is valid during the calls of its function only";
    if (c->ctx && leat_context_is_broadcast(c->ctx))
        why = "keyed state belongs to a key, and elements of the broadcast side have none; use it "
              "in process_element and on_timer";
    else if (c->ctx)
        why = "state belongs to a key, and no record or timer is being processed";
    PyErr_SetString(PyExc_RuntimeError, why);
    return false;
}

static bool cell_done(leat_status status) {
    if (LEAT_LIKELY(status >= 0)) return true;
    if (PyErr_Occurred()) return false;
    if (status == LEAT_E_NOMEM)
        PyErr_NoMemory();
    else
        PyErr_Format(PyExc_RuntimeError, "the state could not be reached: %s",
                     leat_status_name(status));
    return false;
}

PyObject *py_cell_get(py_cell *c, bool *failed) {
    leat_value v;
    *failed = !cell_ready(c);
    if (LEAT_UNLIKELY(*failed)) return NULL;
    leat_status status = leat_state_get(c->ctx, c->state, *c->ns, &v);
    *failed = !cell_done(status);
    if (status != LEAT_OK) return NULL;
    PyObject *o = py_from_value(c->module, &v, c->type);
    *failed = !o;
    return o;
}

static bool cell_store(py_cell *c, const leat_value *v) {
    return cell_done(leat_state_put(c->ctx, c->state, *c->ns, v));
}

/* A short tuple of scalars needs no memory on its way. */
enum { AT_HAND = 8 };
static bool scalars_of(PyObject *o, leat_value items[AT_HAND], leat_value *out) {
    if (py_scalar_value(o, out)) return true;
    if (!PyTuple_CheckExact(o) || PyTuple_GET_SIZE(o) > AT_HAND) return false;
    Py_ssize_t size = PyTuple_GET_SIZE(o);
    for (Py_ssize_t i = 0; i < size; i++)
        if (!py_scalar_value(PyTuple_GET_ITEM(o, i), &items[i])) return false;
    *out = leat_tuple(items, (size_t)size);
    return true;
}

/* The native value of what has the type's shape; in `items`, or in the context's arena. */
static bool native_of(const py_cell *c, PyObject *o, const leat_type *type,
                      leat_value items[AT_HAND], leat_value *out) {
    if (LEAT_LIKELY(scalars_of(o, items, out))) return true;
    return py_to_value(c->module, o, type, leati_context_arena(c->ctx), out) >= 0;
}

static bool cell_put_native(py_cell *c, PyObject *o) {
    leat_value v, items[AT_HAND];
    if (LEAT_LIKELY(scalars_of(o, items, &v))) return cell_store(c, &v);
    leati_arena *arena = leati_context_arena(c->ctx);
    leati_arena_mark mark = leati_arena_mark_get(arena);
    bool ok = py_to_value(c->module, o, c->type, arena, &v) >= 0 && cell_store(c, &v);
    leati_arena_rewind(arena, mark);
    return ok;
}

bool py_cell_put(py_cell *c, PyObject *o) {
    if (LEAT_UNLIKELY(!cell_ready(c))) return false;
    if (!c->type) {
        leat_value v = py_object_value(c->module, o);
        return cell_store(c, &v);
    }
    if (c->contains) return cell_put_native(c, o);
    PyObject *shaped = py_shape_apply(c->shape, Py_NewRef(o));
    bool ok = shaped && cell_put_native(c, shaped);
    Py_XDECREF(shaped);
    return ok;
}

bool py_cell_remove(py_cell *c) {
    return cell_ready(c) && cell_done(leat_state_remove(c->ctx, c->state, *c->ns));
}

/* --- lists and maps of native values ---------------------------------------------------------- */

bool py_cell_append(py_cell *c, PyObject *element) {
    leat_value v, items[AT_HAND];
    if (!cell_ready(c)) return false;
    leati_arena *arena = leati_context_arena(c->ctx);
    leati_arena_mark mark = leati_arena_mark_get(arena);
    bool ok = native_of(c, element, c->contains, items, &v) &&
              cell_done(leat_state_append(c->ctx, c->state, *c->ns, &v));
    leati_arena_rewind(arena, mark);
    return ok;
}

int py_cell_map_get(py_cell *c, PyObject *key, PyObject **out) {
    leat_value k, v, items[AT_HAND];
    if (!cell_ready(c)) return -1;
    leati_arena *arena = leati_context_arena(c->ctx);
    leati_arena_mark mark = leati_arena_mark_get(arena);
    leat_status status = LEAT_E_USER;
    if (native_of(c, key, c->type->items[0], items, &k))
        status = leat_map_get(c->ctx, c->state, *c->ns, &k, &v);
    leati_arena_rewind(arena, mark);
    if (status != LEAT_OK) return cell_done(status) ? 0 : -1;
    *out = py_from_value(c->module, &v, c->contains);
    return *out ? 1 : -1;
}

int py_cell_map_any(py_cell *c) {
    size_t count = 0;
    bool ok = cell_ready(c) && cell_done(leat_map_count(c->ctx, c->state, *c->ns, &count));
    return ok ? count > 0 : -1;
}

bool py_cell_map_set(py_cell *c, PyObject *key, PyObject *value) {
    leat_value k, v, key_items[AT_HAND], items[AT_HAND];
    if (!cell_ready(c)) return false;
    leati_arena *arena = leati_context_arena(c->ctx);
    leati_arena_mark mark = leati_arena_mark_get(arena);
    bool ok = native_of(c, key, c->type->items[0], key_items, &k);
    if (ok && value)
        ok = native_of(c, value, c->contains, items, &v) &&
             cell_done(leat_map_put(c->ctx, c->state, *c->ns, &k, &v));
    else if (ok)
        ok = cell_done(leat_map_remove(c->ctx, c->state, *c->ns, &k));
    leati_arena_rewind(arena, mark);
    return ok;
}

/* --- who makes states ------------------------------------------------------------------------- */

/* How many descriptors are remembered: programs that make one for each call shall not pile them
   up. */
enum { RECENT = 32 };

typedef struct py_states {
    PyObject ob_base;
    leat_context *ctx;
    const char *prefix; /* of names */
    const leat_namespace *ns;
    PyObject *made;   /* all states, by their names */
    PyObject *recent; /* some of them, by their descriptors */
} py_states;

/* Are Python's objects of this type immutable, and native values of it equal to them? Then nobody
   sees whether a container holds the ones or the others. */
static bool is_plain(const leat_type *type) {
    if (!type || type->tag == LEAT_T_PICKLED || type->tag == LEAT_T_BIG_INT) return false;
    if (type->tag <= LEAT_T_SQL_TIMESTAMP) return true;
    if (type->tag != LEAT_T_TUPLE) return false;
    for (uint32_t i = 0; i < type->size; i++)
        if (!is_plain(type->items[i])) return false;
    return true;
}

/* Does a dict tell such keys apart as the engine does? It does not for 1 and 1.0, and NaN. */
static bool is_plain_key(const leat_type *type) {
    switch (type->tag) {
    case LEAT_T_STRING:
    case LEAT_T_BYTE:
    case LEAT_T_SHORT:
    case LEAT_T_INT:
    case LEAT_T_LONG: return true;
    default: return false;
    }
}

/* A list's elements and a map's keys and values have their shapes. Stored of them is a native list
   or map where nobody can see that, else the live container. Elements that expire by themselves
   stand in live ones. */
static bool cell_shapes(py_cell *c, leat_state_kind kind, const leat_type *type) {
    bool container = kind == LEAT_LIST_STATE || kind == LEAT_MAP_STATE;
    if (!container) {
        c->type = type && type->tag != LEAT_T_PICKLED ? type : NULL;
        return py_shape_of(c->module, type, &c->shape);
    }
    const leat_type *element = type ? type->items[type->size - 1] : NULL;
    const leat_type *key = type && kind == LEAT_MAP_STATE ? type->items[0] : NULL;
    if (is_plain(element) && (!key || is_plain_key(key)) && !c->ttl.ms) {
        c->type = type;
        c->contains = element;
    }
    return py_shape_of(c->module, element, &c->shape) && py_shape_of(c->module, key, &c->key_shape);
}

static bool cell_init(py_cell *c, const py_states *states, PyObject *name, PyObject *functions) {
    leat_error err;
    const char *text = PyUnicode_AsUTF8(name);
    if (!text) return false;
    if (leat_context_state(states->ctx, text, c->kind, c->declared, &c->state, &err) < 0) {
        PyErr_Format(PyExc_Exception, "State name corrupted: %s: %s", text + strlen(states->prefix),
                     err.text);
        return false;
    }
    if (!PyArg_ParseTuple(functions, "|OOOO", &c->fold, &c->create, &c->result, &c->merge))
        return false;
    Py_XINCREF(c->fold);
    Py_XINCREF(c->create);
    Py_XINCREF(c->result);
    Py_XINCREF(c->merge);
    c->ctx = states->ctx;
    c->ns = states->ns;
    if (leat_state_expires(c->state, &c->ttl) < 0) {
        PyErr_Format(
            PyExc_Exception,
            "State name corrupted: %s: it expires in another way, or did when it was saved",
            text + strlen(states->prefix));
        return false;
    }
    return cell_shapes(c, c->kind, c->declared);
}

/* What a state was asked for. */
typedef struct py_wish {
    leat_state_kind kind;
    const leat_type *type;
    leat_ttl ttl;
} py_wish;

/* The one of that name; NULL without an error when there is none, or another one. */
static PyObject *states_find(const py_states *states, PyObject *name, const py_wish *wish) {
    PyObject *found = PyDict_GetItemWithError(states->made, name);
    const py_cell *c = (py_cell *)(void *)found;
    bool same = found && c->kind == wish->kind && c->declared == wish->type &&
                c->ttl.ms == wish->ttl.ms && c->ttl.on_read == wish->ttl.on_read &&
                c->ttl.show_expired == wish->ttl.show_expired;
    return same ? Py_NewRef(found) : NULL;
}

static PyObject *states_make(py_states *states, PyObject *name, const py_wish *wish,
                             PyObject *functions) {
    PyObject *found = states_find(states, name, wish);
    if (found || PyErr_Occurred()) return found;
    py_state *module = py_type_state(Py_TYPE((PyObject *)states));
    PyTypeObject *type = module->state_types[wish->kind];
    py_cell *c = (py_cell *)(void *)type->tp_alloc(type, 0);
    if (!c) return NULL;
    c->module = module;
    c->mapping.calls = wish->kind == LEAT_MAP_STATE ? &py_map_state_calls : NULL;
    c->kind = wish->kind;
    c->declared = wish->type;
    c->ttl = wish->ttl;
    if (cell_init(c, states, name, functions) &&
        PyDict_SetItem(states->made, name, (PyObject *)c) == 0)
        return (PyObject *)c;
    Py_DECREF(c);
    return NULL;
}

static PyObject *states_get(PyObject *self, PyObject *args) {
    int kind, on_read = 0, show_expired = 0;
    const char *name, *text;
    PyObject *functions;
    leat_error err;
    py_states *states = (py_states *)(void *)self;
    py_wish wish = {.ttl = {.ms = 0}};
    if (!PyArg_ParseTuple(args, "issO!|Lpp:get", &kind, &name, &text, &PyTuple_Type, &functions,
                          &wish.ttl.ms, &on_read, &show_expired))
        return NULL;
    wish.ttl.on_read = on_read;
    wish.ttl.show_expired = show_expired;
    wish.kind = (leat_state_kind)kind;
    if (!states->ctx || kind < 0 || kind >= PY_STATE_KINDS) {
        PyErr_SetString(PyExc_RuntimeError, "this context is valid during its calls only");
        return NULL;
    }
    wish.type = leat_type_parse(text, &err);
    if (!wish.type) {
        PyErr_SetString(PyExc_ValueError, err.text);
        return NULL;
    }
    PyObject *full = PyUnicode_FromFormat("%s%s", states->prefix, name);
    PyObject *made = full ? states_make(states, full, &wish, functions) : NULL;
    Py_XDECREF(full);
    return made;
}

PyObject *py_states_of(PyObject *states, PyObject *store, PyObject *descriptor) {
    py_states *s = (py_states *)(void *)states;
    PyObject *found = PyDict_GetItemWithError(s->recent, descriptor);
    if (LEAT_LIKELY(found != NULL)) return Py_NewRef(found);
    if (PyErr_Occurred()) PyErr_Clear(); /* it has no hash */
    found = PyObject_CallMethod(store, "_state_of", "O", descriptor);
    if (!found) return NULL;
    if (PyDict_GET_SIZE(s->recent) >= RECENT) PyDict_Clear(s->recent);
    if (PyDict_SetItem(s->recent, descriptor, found) < 0) PyErr_Clear();
    return found;
}

static int states_traverse(PyObject *self, visitproc visit, void *arg) {
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(((py_states *)(void *)self)->made);
    Py_VISIT(((py_states *)(void *)self)->recent);
    return 0;
}

static int states_clear(PyObject *self) {
    Py_CLEAR(((py_states *)(void *)self)->made);
    Py_CLEAR(((py_states *)(void *)self)->recent);
    return 0;
}

static void states_dealloc(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    states_clear(self);
    type->tp_free(self);
    Py_DECREF(type);
}

/* of(store, descriptor) */
static PyObject *states_of(PyObject *self, PyObject *const *args, Py_ssize_t count) {
    if (count == 2 && ((py_states *)(void *)self)->recent)
        return py_states_of(self, args[0], args[1]);
    PyErr_SetString(PyExc_RuntimeError, "this context is valid during its calls only");
    return NULL;
}

static PyMethodDef states_methods[] = {
    {"get", states_get, METH_VARARGS, PyDoc_STR("The state of that kind, name and type.")},
    {"of", (PyCFunction)(void (*)(void))states_of, METH_FASTCALL,
     PyDoc_STR("The state of a descriptor: one that was asked for lately, or the store's.")},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot states_slots[] = {
    {Py_tp_doc, (void *)(uintptr_t) "Makes the states of one function in one subtask."},
    {Py_tp_methods, states_methods},
    {Py_tp_traverse, (void *)states_traverse},
    {Py_tp_clear, (void *)states_clear},
    {Py_tp_dealloc, (void *)states_dealloc},
    {0, NULL},
};

static PyType_Spec states_spec = {
    .name = "leat._leat.KeyedStates",
    .basicsize = sizeof(py_states),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION |
             Py_TPFLAGS_IMMUTABLETYPE,
    .slots = states_slots,
};

PyObject *py_states_in(py_state *state, leat_context *ctx, const char *prefix,
                       const leat_namespace *ns) {
    py_states *made = (py_states *)(void *)state->states_type->tp_alloc(state->states_type, 0);
    if (!made) return NULL;
    made->ctx = ctx;
    made->prefix = prefix;
    made->ns = ns;
    made->made = PyDict_New();
    made->recent = made->made ? PyDict_New() : NULL;
    if (made->recent) return (PyObject *)made;
    Py_DECREF(made);
    return NULL;
}

PyObject *py_states_new(py_state *state, leat_context *ctx) {
    return py_states_in(state, ctx, "", &NO_NAMESPACE);
}

void py_states_end(PyObject *states) {
    py_states *s = (py_states *)(void *)states;
    if (!s) return;
    s->ctx = NULL;
    PyObject *name, *cell;
    Py_ssize_t at = 0;
    while (s->made && PyDict_Next(s->made, &at, &name, &cell))
        ((py_cell *)(void *)cell)->ctx = NULL;
    Py_CLEAR(s->made);
    Py_CLEAR(s->recent);
}

static bool add_type(PyObject *module, PyType_Spec *spec, PyTypeObject **out) {
    *out = (PyTypeObject *)PyType_FromModuleAndSpec(module, spec, NULL);
    return *out && PyModule_AddType(module, *out) == 0;
}

bool py_state_types_init(PyObject *module, py_state *state) {
    PyTypeObject **types = state->state_types;
    return add_type(module, &states_spec, &state->states_type) &&
           add_type(module, py_value_state_spec(), &types[LEAT_VALUE_STATE]) &&
           add_type(module, py_list_state_spec(), &types[LEAT_LIST_STATE]) &&
           add_type(module, py_map_state_spec(), &types[LEAT_MAP_STATE]) &&
           add_type(module, py_reducing_state_spec(), &types[LEAT_REDUCING_STATE]) &&
           add_type(module, py_aggregating_state_spec(), &types[LEAT_AGGREGATING_STATE]);
}
