/* py_function.c: from the spec of a function to calls. A spec is one byte and what follows: 'P' and
   a pickle of leat.shipping (what a Python program added), 'M' and "module:name" (leat_python in a
   C program; the name may have dots, and a class of functions is instantiated).

   The object is an instance of leat's Function, whose method is named by the role and which has
   open and close; or anything callable. Its methods are looked up once per subtask, after `open`,
   so that an `open` may set them. Each subtask resolves for itself; `arg` holds what was found
   until `open` hands it over as the subtask's `self`, which `close` frees. */
#include "pybridge/py_function.h"

#include "pybridge/py_broadcast.h"
#include "pybridge/py_call.h"
#include "pybridge/py_context.h"
#include "pybridge/py_error.h"
#include "pybridge/py_interp.h"
#include "pybridge/py_item.h"
#include "pybridge/py_state.h"
#include "runtime/base/alloc.h"

/* What a Function's method for the role is called; the second one is of input 1. A callable stands
   for `first` unless there are two. */
typedef struct role_names {
    const char *first, *second;
    bool context; /* called with the context as the last argument */
} role_names;

static const role_names methods[] = {
    [LEAT_ROLE_MAP] = {"map", NULL, false},
    [LEAT_ROLE_FLAT_MAP] = {"flat_map", NULL, false},
    [LEAT_ROLE_FILTER] = {"filter", NULL, false},
    [LEAT_ROLE_KEY] = {"get_key", NULL, false},
    [LEAT_ROLE_REDUCE] = {"reduce", NULL, false},
    [LEAT_ROLE_CO_MAP] = {"map1", "map2", false},
    [LEAT_ROLE_CO_FLAT_MAP] = {"flat_map1", "flat_map2", false},
    [LEAT_ROLE_PROCESS] = {"process_element", NULL, true},
    [LEAT_ROLE_CO_PROCESS] = {"process_element1", "process_element2", true},
    [LEAT_ROLE_SINK] = {"invoke", NULL, true},
    [LEAT_ROLE_SOURCE] = {"run", NULL, false},
    [LEAT_ROLE_PARTITION] = {"partition", NULL, false},
    [LEAT_ROLE_BROADCAST_PROCESS] = {"process_element", "process_broadcast_element", true},
    [LEAT_ROLE_TIMESTAMP] = {"extract_timestamp", NULL, false},
    [LEAT_ROLE_JOIN] = {"process_element", NULL, true},
};

/* --- targets ---------------------------------------------------------------------------------- */

/* Steals `callable`, which may be NULL for a failed look-up. */
static bool target_init(py_target *t, PyObject *callable) {
    if (!callable) return false;
    if (!PyCallable_Check(callable)) {
        PyErr_Format(PyExc_TypeError, "%s is not callable", Py_TYPE(callable)->tp_name);
        Py_DECREF(callable);
        return false;
    }
    t->function = callable;
    if (PyMethod_Check(callable)) {
        t->function = Py_NewRef(PyMethod_GET_FUNCTION(callable));
        t->self = Py_NewRef(PyMethod_GET_SELF(callable));
        Py_DECREF(callable);
    }
    t->call = PyVectorcall_Function(t->function);
    if (!t->call) t->call = PyObject_Vectorcall;
    return true;
}

static bool bind_methods(py_call *c) {
    const role_names *names = &methods[c->role];
    bool callable = !c->is_function && PyCallable_Check(c->function);
    if (callable && !names->second) return target_init(&c->targets[0], Py_NewRef(c->function));
    if (!c->is_function && !PyObject_HasAttrString(c->function, names->first)) {
        PyErr_Format(PyExc_TypeError, "%R is not callable, and has no method '%s'", c->function,
                     names->first);
        return false;
    }
    if (!target_init(&c->targets[0], PyObject_GetAttrString(c->function, names->first)))
        return false;
    return !names->second ||
           target_init(&c->targets[1], PyObject_GetAttrString(c->function, names->second));
}

/* Of keyed process functions, whose bases have the method. */
static bool bind_timer(py_call *c, const leat_context *ctx) {
    bool process = c->role == LEAT_ROLE_PROCESS || c->role == LEAT_ROLE_CO_PROCESS ||
                   c->role == LEAT_ROLE_BROADCAST_PROCESS;
    if (!process || !c->is_function || !leat_context_is_keyed(ctx)) return true;
    PyObject *method = PyObject_GetAttrString(c->function, "on_timer");
    if (method) {
        py_context_has_timers(c->context);
        return target_init(&c->on_timer, method);
    }
    if (!PyErr_ExceptionMatches(PyExc_AttributeError)) return false;
    PyErr_Clear();
    return true;
}

/* --- finding the object ----------------------------------------------------------------------- */

/* "module:name.of.it" */
static PyObject *import_spec(const char *spec, size_t size) {
    const char *colon = memchr(spec, ':', size);
    if (!colon) {
        PyObject *text = PyUnicode_FromStringAndSize(spec, (Py_ssize_t)size);
        if (text) PyErr_Format(PyExc_ValueError, "%R is not of the form 'module:name'", text);
        Py_XDECREF(text);
        return NULL;
    }
    PyObject *module = PyUnicode_FromStringAndSize(spec, colon - spec);
    PyObject *path = PyUnicode_FromStringAndSize(colon + 1, spec + size - colon - 1);
    PyObject *dot = path ? PyUnicode_FromString(".") : NULL;
    PyObject *parts = dot ? PyUnicode_Split(path, dot, -1) : NULL;
    PyObject *found = module && parts ? PyImport_Import(module) : NULL;
    for (Py_ssize_t i = 0; found && i < PyList_GET_SIZE(parts); i++) {
        PyObject *next = PyObject_GetAttr(found, PyList_GET_ITEM(parts, i));
        Py_DECREF(found);
        found = next;
    }
    Py_XDECREF(module);
    Py_XDECREF(path);
    Py_XDECREF(dot);
    Py_XDECREF(parts);
    return found;
}

/* A class of functions that was named stands for an instance of it. */
static PyObject *instance_of(py_state *state, PyObject *o) {
    PyObject *base = o && PyType_Check(o) ? py_known_get(state, PY_FUNCTION) : NULL;
    if (!base || !PyType_IsSubtype((PyTypeObject *)o, (PyTypeObject *)base)) return o;
    PyObject *instance = PyObject_CallNoArgs(o);
    Py_DECREF(o);
    return instance;
}

/* Unpickling an object leaves its attributes in a dict that shares its keys with the class; CPython
   3.11 and 3.12 look attributes up there the slow way, two times slower than in an object that its
   constructor made. In a dict of its own they are found the fast way. Where that does not work
   nothing is lost. */
static void settle_attributes(PyObject *o) {
#if PY_VERSION_HEX < 0x030D0000
    PyTypeObject *type = Py_TYPE(o);
    bool ours = (type->tp_flags & Py_TPFLAGS_HEAPTYPE) && type->tp_dictoffset;
    PyObject *shared = ours ? PyObject_GenericGetDict(o, NULL) : NULL;
    PyObject *own = shared && PyDict_CheckExact(shared) ? PyDict_New() : NULL;
    if (own && PyDict_Update(own, shared) == 0) PyObject_GenericSetDict(o, own, NULL);
    Py_XDECREF(own);
    Py_XDECREF(shared);
    PyErr_Clear();
#else
    (void)o;
#endif
}

static PyObject *load_spec(py_state *state, const char *spec, size_t size) {
    if (size && spec[0] == 'M') return instance_of(state, import_spec(spec + 1, size - 1));
    if (!size || spec[0] != 'P') {
        PyErr_SetString(PyExc_ValueError, "a function of an unknown form came in");
        return NULL;
    }
    PyObject *loads = py_known_get(state, PY_LOADS);
    PyObject *payload = loads ? PyBytes_FromStringAndSize(spec + 1, (Py_ssize_t)size - 1) : NULL;
    PyObject *function = payload ? PyObject_CallOneArg(loads, payload) : NULL;
    Py_XDECREF(payload);
    if (function) settle_attributes(function);
    return function;
}

/* --- life ------------------------------------------------------------------------------------- */

static bool call_open(py_call *c, leat_context *ctx) {
    if (!c->is_function) return true;
    if (leat_context_is_keyed(ctx) && !(c->states = py_states_new(c->state, ctx))) return false;
    PyObject *runtime = py_runtime_context_new(c->state, ctx, c->states ? c->states : Py_None);
    PyObject *none = runtime ? PyObject_CallMethod(c->function, "open", "O", runtime) : NULL;
    Py_XDECREF(runtime);
    Py_XDECREF(none);
    return none != NULL;
}

/* A sink or a join that is a plain callable takes values only. */
static bool open_context(py_call *c, leat_context *ctx) {
    bool values = c->role == LEAT_ROLE_SINK || c->role == LEAT_ROLE_JOIN;
    bool wanted = methods[c->role].context && (c->is_function || !values);
    if (!wanted) return true;
    if (c->role == LEAT_ROLE_BROADCAST_PROCESS) {
        c->context = py_broadcast_reader_new(c->state, ctx);
        c->broadcast_context = c->context ? py_broadcast_writer_new(c->state, ctx) : NULL;
        return c->broadcast_context != NULL;
    }
    c->context = py_context_new(c->state, ctx);
    return c->context != NULL;
}

static bool open_source(py_call *c, leat_context *ctx) {
    if (c->role != LEAT_ROLE_SOURCE) return true;
    bool plain = !c->is_function && PyCallable_Check(c->function);
    PyObject *run = plain ? Py_NewRef(c->function) : PyObject_GetAttrString(c->function, "run");
    bool ok = run && py_source_start(c, ctx, run, !plain);
    Py_XDECREF(run);
    return ok;
}

/* What `arg` of the function points to. */
typedef struct py_found {
    py_call *call; /* NULL once it was opened */
} py_found;

static leat_status function_open(leat_context *ctx, void *arg, void **self) {
    py_found *found = arg;
    py_call *c = found->call;
    c->arena = leati_context_arena(ctx);
    c->in[0] = leat_context_input_type(ctx, 0);
    c->in[1] = leat_context_input_type(ctx, 1);
    bool typed = c->role != LEAT_ROLE_KEY && c->role != LEAT_ROLE_FILTER &&
                 c->role != LEAT_ROLE_SINK && c->role != LEAT_ROLE_PARTITION &&
                 c->role != LEAT_ROLE_TIMESTAMP;
    const leat_type *type = typed ? leat_context_output_type(ctx) : NULL;
    c->item = c->role == LEAT_ROLE_KEY ? py_item_of(c->function) : -1;
    bool ok = py_shape_of(c->state, type, &c->shape) && call_open(c, ctx) && open_context(c, ctx) &&
              bind_methods(c) && bind_timer(c, ctx) && open_source(c, ctx);
    if (!ok) {
        leat_status status = py_error_user(c->state, ctx);
        py_states_end(c->states);
        py_context_end(c->context);
        py_context_end(c->broadcast_context);
        return status;
    }
    found->call = NULL;
    *self = c;
    return LEAT_OK;
}

static void drop(py_call *c, PyObject *o) {
    if (!o) return;
    if (py_interp_inside(c->state->interp))
        Py_DECREF(o);
    else
        py_interp_release_later(c->state->interp, o);
}

/* Also outside of the interpreter. */
static void call_free(py_call *c) {
    if (!c) return;
    for (int i = 0; i < 2; i++) {
        drop(c, c->targets[i].function);
        drop(c, c->targets[i].self);
    }
    drop(c, c->on_timer.function);
    drop(c, c->on_timer.self);
    for (int i = 0; i < PY_SIDES; i++) {
        drop(c, c->sides[i].tag);
        drop(c, c->sides[i].name);
    }
    drop(c, c->context);
    drop(c, c->broadcast_context);
    drop(c, c->states);
    drop(c, c->iterator);
    drop(c, c->collector);
    drop(c, c->function);
    leati_free(c);
}

static void function_free(void *arg) {
    py_found *found = arg;
    if (!found) return;
    call_free(found->call);
    leati_free(found);
}

static void function_close(leat_context *ctx, void *self) {
    py_call *c = self;
    if (!c) return;
    py_source_stop(c, ctx);
    py_context_end(c->context);
    py_context_end(c->broadcast_context);
    PyObject *none =
        c->is_function ? PyObject_CallMethod(c->function, "close", NULL) : Py_NewRef(Py_None);
    if (!none) py_error_user(c->state, ctx);
    Py_XDECREF(none);
    py_states_end(c->states);
    call_free(c);
}

/* What most jobs do without is not imported: a worker starts in half the time. */
static bool call_init(py_call *c, py_state *state, const leat_function *fn) {
    c->state = state;
    c->role = fn->role;
    c->domain = py_interp_domain(state->interp);
    c->lent = (leat_value){.kind = LEAT_OBJECT, .domain = c->domain};
    c->function = load_spec(state, fn->spec, fn->spec_size);
    if (!c->function) return false;
    if (PyFunction_Check(c->function) || PyCFunction_Check(c->function)) return true;
    PyObject *base = py_known_get(state, PY_FUNCTION);
    int is = base ? PyObject_IsInstance(c->function, base) : -1;
    c->is_function = is > 0;
    return is >= 0;
}

leat_status py_function_resolve(py_state *state, leat_context *ctx, leat_function *fn) {
    py_found *found = leati_zalloc(sizeof *found);
    if (found) found->call = leati_zalloc(sizeof *found->call);
    if (!found || !found->call) {
        leati_free(found);
        return LEAT_E_NOMEM;
    }
    if (!call_init(found->call, state, fn)) {
        leat_status status = py_error_user(state, ctx);
        function_free(found);
        return status;
    }
    fn->arg = found;
    fn->open = function_open;
    fn->close = function_close;
    fn->free = function_free;
    py_roles_fill(fn);
    return LEAT_OK;
}
