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
#include "pybridge/py_metrics.h"
#include "pybridge/py_source.h"
#include "pybridge/py_state.h"
#include "pybridge/py_window.h"
#include "runtime/base/alloc.h"

/* What the methods for the role are called: one, two for two inputs, or those of the role's table.
   A callable stands for the first where there is but one. */
typedef struct role_names {
    const char *names[PY_TARGETS];
    bool context; /* called with the context as the last argument */
    bool typed;   /* results have the type of the operator's output */
} role_names;

static const role_names methods[] = {
    [LEAT_ROLE_MAP] = {{"map"}, false, true},
    [LEAT_ROLE_FLAT_MAP] = {{"flat_map"}, false, true},
    [LEAT_ROLE_FILTER] = {{"filter"}, false, false},
    [LEAT_ROLE_KEY] = {{"get_key"}, false, false},
    [LEAT_ROLE_REDUCE] = {{"reduce"}, false, false},
    [LEAT_ROLE_CO_MAP] = {{"map1", "map2"}, false, true},
    [LEAT_ROLE_CO_FLAT_MAP] = {{"flat_map1", "flat_map2"}, false, true},
    [LEAT_ROLE_PROCESS] = {{"process_element"}, true, true},
    [LEAT_ROLE_CO_PROCESS] = {{"process_element1", "process_element2"}, true, true},
    [LEAT_ROLE_SINK] = {{"invoke"}, true, false},
    [LEAT_ROLE_SOURCE] = {{"run"}, false, true},
    [LEAT_ROLE_PARTITION] = {{"partition"}, false, false},
    [LEAT_ROLE_BROADCAST_PROCESS] = {{"process_element", "process_broadcast_element"}, true, true},
    [LEAT_ROLE_TIMESTAMP] = {{"extract_timestamp"}, false, false},
    [LEAT_ROLE_WATERMARK] = {{"on_event", "on_periodic_emit"}, false, false},
    [LEAT_ROLE_ASSIGNER] = {{"assign_windows", "merge_windows"}, false, false},
    [LEAT_ROLE_TRIGGER] =
        {{"on_element", "on_event_time", "on_processing_time", "on_merge", "clear"}, false, false},
    [LEAT_ROLE_EVICTOR] = {{"evict_before", "evict_after"}, false, false},
    [LEAT_ROLE_AGGREGATE] = {{"create_accumulator", "add", "get_result", "merge"}, false, true},
    [LEAT_ROLE_WINDOW] = {{"apply"}, false, true},        /* or what windowed->method says */
    [LEAT_ROLE_JOIN] = {{"process_element"}, true, true}, /* or join, without a context */
    [LEAT_ROLE_CO_GROUP] = {{"co_group"}, false, true},
    [LEAT_ROLE_GAP] = {{"extract"}, false, false},
    [LEAT_ROLE_DELTA] = {{"get_delta"}, false, false},
    [LEAT_ROLE_ASYNC] = {{"attend", "expire"}, false, true}, /* of leat.async_calls.AsyncCalls */
    [LEAT_ROLE_BULK_WRITER] = {{"create"}, false, false},
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

/* `process` and `clear`, `apply`, or the object itself. */
static bool bind_window_function(py_call *c) {
    bool process = py_window_function_has_context(c);
    bool apply = !process && (c->windowed->method || PyObject_HasAttrString(c->function, "apply"));
    if (!process && !apply) return target_init(&c->targets[0], Py_NewRef(c->function));
    const char *name = process ? "process" : "apply";
    if (!target_init(&c->targets[0], PyObject_GetAttrString(c->function, name))) return false;
    bool clears = process && PyObject_HasAttrString(c->function, "clear");
    return !clears || target_init(&c->targets[1], PyObject_GetAttrString(c->function, "clear"));
}

/* Only merging assigners merge. */
static bool is_optional(const py_call *c, int at) {
    return c->role == LEAT_ROLE_ASSIGNER && at == 1 && !c->windowed->table.assigner.merge;
}

/* A user's class may have any method, so what windows know by its method's name must not be
   callable by accident. */
static bool is_called(const py_call *c, const role_names *names) {
    if (c->is_function || names->names[1] || !PyCallable_Check(c->function)) return false;
    bool named =
        c->role == LEAT_ROLE_GAP || c->role == LEAT_ROLE_DELTA || c->role == LEAT_ROLE_BULK_WRITER;
    return !named || !PyObject_HasAttrString(c->function, names->names[0]);
}

static bool bind_methods(py_call *c) {
    if (c->role == LEAT_ROLE_WINDOW) return bind_window_function(c);
    const role_names *names = &methods[c->role];
    if (is_called(c, names)) return target_init(&c->targets[0], Py_NewRef(c->function));
    if (c->role == LEAT_ROLE_JOIN && c->is_function)
        return target_init(&c->targets[0], PyObject_GetAttrString(c->function, py_join_method(c)));
    if (!c->is_function && !PyObject_HasAttrString(c->function, names->names[0])) {
        PyErr_Format(PyExc_TypeError, "%R is not callable, and has no method '%s'", c->function,
                     names->names[0]);
        return false;
    }
    PyObject *object = c->transactions ? c->transactions : c->function;
    for (int i = 0; i < PY_TARGETS && names->names[i]; i++)
        if (!is_optional(c, i) &&
            !target_init(&c->targets[i], PyObject_GetAttrString(object, names->names[i])))
            return false;
    return true;
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
static PyObject *instance_of(py_state *state, PyObject *o, leat_role role) {
    PyObject *base = o && PyType_Check(o) ? py_known_get(state, PY_FUNCTION) : NULL;
    bool is_one = base && (PyType_IsSubtype((PyTypeObject *)o, (PyTypeObject *)base) ||
                           role == LEAT_ROLE_ASSIGNER || role == LEAT_ROLE_TRIGGER ||
                           role == LEAT_ROLE_EVICTOR || role == LEAT_ROLE_GAP ||
                           (role == LEAT_ROLE_BULK_WRITER && PyObject_HasAttrString(o, "create")));
    if (!is_one) return o;
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

static PyObject *load_spec(py_state *state, const char *spec, size_t size, leat_role role) {
    if (size && spec[0] == 'M') return instance_of(state, import_spec(spec + 1, size - 1), role);
    if (!size || spec[0] != 'P') {
        PyErr_SetString(PyExc_ValueError, "a function of an unknown form came in");
        return NULL;
    }
    PyObject *loads = py_known_get(state, PY_LOADS);
    PyObject *payload = loads ? PyBytes_FromStringAndSize(spec + 1, (Py_ssize_t)size - 1) : NULL;
    PyObject *function = payload ? PyObject_CallOneArg(loads, payload) : NULL;
    Py_XDECREF(payload);
    return function;
}

/* What is shipped for a broadcast function is the function and the names of the states that were
   declared; one that is named stands alone. */
static void take_declared(py_call *c) {
    PyObject *both = c->function;
    if (!PyTuple_CheckExact(both) || PyTuple_GET_SIZE(both) != 2) return;
    c->function = Py_NewRef(PyTuple_GET_ITEM(both, 0));
    c->declared = Py_NewRef(PyTuple_GET_ITEM(both, 1));
    Py_DECREF(both);
}

/* --- life ------------------------------------------------------------------------------------- */

static bool call_open(py_call *c, leat_context *ctx) {
    if (!c->is_function) return true;
    if (leat_context_is_keyed(ctx) && !(c->states = py_states_new(c->state, ctx))) return false;
    c->metrics = py_metrics_new(c->state, ctx);
    if (!c->metrics) return false;
    PyObject *runtime =
        py_runtime_context_new(c->state, ctx, c->states ? c->states : Py_None, c->metrics);
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
        c->context = py_broadcast_reader_new(c->state, ctx, c->declared);
        if (!c->context) return false;
        c->broadcast_context = py_broadcast_writer_new(c->state, ctx, c->declared);
        return c->broadcast_context != NULL;
    }
    c->context = py_context_new(c->state, ctx);
    return c->context != NULL;
}

static bool open_windowed(py_call *c, leat_context *ctx) {
    py_windowed *w = c->windowed;
    if (!w) return true;
    w->ctx = ctx;
    PyTypeObject *type = c->role == LEAT_ROLE_ASSIGNER  ? c->state->assigner_context_type
                         : c->role == LEAT_ROLE_TRIGGER ? c->state->trigger_context_type
                         : c->role == LEAT_ROLE_EVICTOR ? c->state->evictor_context_type
                                                        : NULL;
    if (c->role == LEAT_ROLE_WINDOW && py_window_function_has_context(c))
        type = c->state->window_context_type;
    if (!type) return true;
    w->context = py_window_context_new(c, type);
    return w->context != NULL;
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
    const leat_type *type = NULL; /* of what the calls give */
    if (methods[c->role].typed) type = leat_context_output_type(ctx);
    if (c->role == LEAT_ROLE_REDUCE) type = c->in[0];
    bool ok = py_shape_of(c->state, type, &c->shape) && py_async_open(c) && py_sink_open(c, ctx) &&
              call_open(c, ctx) && open_context(c, ctx) && bind_methods(c) && bind_timer(c, ctx) &&
              py_source_open(c) && py_watermark_open(c) && open_windowed(c, ctx);
    if (!ok) {
        leat_status status = py_error_user(c->state, ctx);
        py_windowed_end(c);
        py_states_end(c->states);
        py_metrics_end(c->metrics);
        py_context_end(c->context);
        py_context_end(c->broadcast_context);
        py_async_end(c);
        return status;
    }
    if (c->role == LEAT_ROLE_KEY) c->item = py_item_of(&c->targets[0], 1);
    if (c->role == LEAT_ROLE_TIMESTAMP) c->item = py_item_of(&c->targets[0], 2);
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
    py_windowed_free(c, drop);
    for (int i = 0; i < PY_TARGETS; i++) {
        drop(c, c->targets[i].function);
        drop(c, c->targets[i].self);
    }
    drop(c, c->on_timer.function);
    drop(c, c->on_timer.self);
    for (int i = 0; i < PY_SIDES; i++) {
        drop(c, c->sides[i].tag);
        drop(c, c->sides[i].name);
    }
    drop(c, c->spare);
    drop(c, c->context);
    drop(c, c->broadcast_context);
    drop(c, c->declared);
    drop(c, c->states);
    drop(c, c->metrics);
    drop(c, c->output);
    py_source_free(c, drop);
    drop(c, c->transactions);
    drop(c, c->cancelled);
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
    py_sink_end(c, ctx);
    py_context_end(c->context);
    py_context_end(c->broadcast_context);
    py_windowed_end(c);
    py_async_settle(c);
    PyObject *none =
        c->is_function ? PyObject_CallMethod(c->function, "close", NULL) : Py_NewRef(Py_None);
    if (!none) py_error_user(c->state, ctx);
    Py_XDECREF(none);
    py_async_end(c); /* what it has left behind may still use the rest */
    py_states_end(c->states);
    py_metrics_end(c->metrics);
    call_free(c);
}

/* What most jobs do without is not imported: a worker starts in half the time. */
static bool call_init(py_call *c, py_state *state, const leat_function *fn) {
    c->state = state;
    c->item = -1;
    c->role = fn->role;
    c->domain = py_interp_domain(state->interp);
    c->lent = (leat_value){.kind = LEAT_OBJECT, .domain = c->domain};
    c->function = load_spec(state, fn->spec, fn->spec_size, fn->role);
    if (!c->function || (py_windowed_role(c->role) && !py_windowed_init(c))) return false;
    if (c->role == LEAT_ROLE_ASYNC && !py_async_init(c)) return false;
    if (c->role == LEAT_ROLE_SOURCE && !py_source_init(c)) return false;
    if (c->role == LEAT_ROLE_BROADCAST_PROCESS) take_declared(c);
    settle_attributes(c->function);
    if (PyFunction_Check(c->function) || PyCFunction_Check(c->function)) return true;
    PyObject *base = py_known_get(state, PY_FUNCTION);
    int is = base ? PyObject_IsInstance(c->function, base) : -1;
    c->is_function = is > 0;
    return is >= 0 && py_sink_init(c);
}

leat_status py_function_resolve(py_state *state, leat_context *ctx, leat_function *fn) {
    py_found *found = leati_zalloc(sizeof *found);
    if (found) found->call = leati_zalloc(sizeof *found->call);
    if (!found || !found->call) {
        leati_free(found);
        return LEAT_E_NOMEM;
    }
    leat_status status = LEAT_OK;
    if (!call_init(found->call, state, fn) || (status = py_roles_fill(found->call, fn)) < 0) {
        status =
            status == LEAT_E_UNSUPPORTED ? py_error_fail(ctx, status) : py_error_user(state, ctx);
        function_free(found);
        return status;
    }
    fn->arg = found;
    fn->open = function_open;
    fn->close = function_close;
    fn->free = function_free;
    return LEAT_OK;
}
