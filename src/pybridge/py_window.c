/* py_window.c: windows between the engine and Python, and what all roles of windows share.

   Windows of Leat's own classes are made of their numbers; exactly of those classes, for a subclass
   may hold more. Any other window travels as bytes that its assigner's serializer writes, and
   reads. The object of the last window is kept: most calls in a row are about one window, and a
   window function mostly never asks for it. */
#include "pybridge/py_window.h"

#include "pybridge/py_context.h"
#include "pybridge/py_interp.h"
#include "pybridge/py_metrics.h"
#include "pybridge/py_state.h"
#include "runtime/base/alloc.h"

bool py_windowed_role(leat_role role) {
    switch (role) {
    case LEAT_ROLE_ASSIGNER:
    case LEAT_ROLE_TRIGGER:
    case LEAT_ROLE_EVICTOR:
    case LEAT_ROLE_AGGREGATE:
    case LEAT_ROLE_WINDOW: return true;
    default: return false;
    }
}

/* --- life ------------------------------------------------------------------------------------- */

static bool read_flag(PyObject *dressed, const char *name, bool *out) {
    PyObject *o = PyObject_GetAttrString(dressed, name);
    int truth = o ? PyObject_IsTrue(o) : -1;
    Py_XDECREF(o);
    *out = truth > 0;
    return truth >= 0;
}

/* NULL for None. */
static bool read_object(PyObject *dressed, const char *name, PyObject **out) {
    *out = PyObject_GetAttrString(dressed, name);
    bool ok = *out != NULL;
    if (*out == Py_None) Py_CLEAR(*out);
    return ok;
}

static bool read_accumulator(py_call *c, PyObject *dressed) {
    leat_error err;
    PyObject *text;
    if (!read_object(dressed, "accumulator", &text) || !text) return !PyErr_Occurred();
    const char *grammar = PyUnicode_AsUTF8(text);
    const leat_type *type = grammar ? leat_type_parse(grammar, &err) : NULL;
    if (grammar && !type) PyErr_SetString(PyExc_ValueError, err.text);
    Py_DECREF(text);
    if (!type) return false;
    if (type->tag != LEAT_T_PICKLED) c->windowed->accumulator = type;
    return py_shape_of(c->state, type, &c->windowed->accumulator_shape);
}

static bool undress(py_call *c, PyObject *dressed) {
    py_windowed *w = c->windowed;
    PyObject *loads = py_known_get(c->state, PY_LOADS);
    PyObject *payload = loads ? PyObject_GetAttrString(dressed, "payload") : NULL;
    PyObject *function = payload ? PyObject_CallOneArg(loads, payload) : NULL;
    Py_XDECREF(payload);
    if (!function) return false;
    Py_SETREF(c->function, function);
    return read_object(dressed, "serializer", &w->serializer) &&
           read_object(dressed, "method", &w->method) && read_flag(dressed, "keyed", &w->keyed) &&
           read_flag(dressed, "merging", &w->merging) && read_flag(dressed, "last", &w->last) &&
           read_accumulator(c, dressed);
}

/* What leat_python names is not dressed. */
bool py_windowed_init(py_call *c) {
    c->windowed = leati_zalloc(sizeof *c->windowed);
    if (!c->windowed) {
        PyErr_NoMemory();
        return false;
    }
    c->windowed->keyed = true;
    c->windowed->last = true;
    PyObject *type = py_known_get(c->state, PY_IN_WINDOWS);
    if (!type) return false;
    if (!Py_IS_TYPE(c->function, (PyTypeObject *)type)) return true;
    PyObject *dressed = Py_NewRef(c->function);
    bool ok = undress(c, dressed);
    Py_DECREF(dressed);
    return ok;
}

typedef struct py_window_context {
    PyObject ob_base;
    py_call *call; /* NULL after the end */
} py_window_context;

void py_windowed_end(py_call *c) {
    py_windowed *w = c->windowed;
    if (!w) return;
    if (w->context) ((py_window_context *)(void *)w->context)->call = NULL;
    py_states_end(w->window_states);
    w->ctx = NULL;
}

void py_windowed_free(py_call *c, void (*drop)(py_call *c, PyObject *o)) {
    py_windowed *w = c->windowed;
    if (!w) return;
    drop(c, w->serializer);
    drop(c, w->method);
    drop(c, w->window_object);
    drop(c, w->context);
    drop(c, w->window_store);
    drop(c, w->window_states);
    drop(c, w->global_store);
    for (int i = 0; i < 4; i++) drop(c, w->results[i]);
    leati_free(w->ns_long);
    leati_free(w);
}

/* --- windows as objects ----------------------------------------------------------------------- */

static PyObject *call_with_numbers(PyObject *type, int64_t a, int64_t b, size_t count) {
    PyObject *x = type ? PyLong_FromLongLong(a) : NULL, *y = x ? PyLong_FromLongLong(b) : NULL;
    PyObject *args[3] = {NULL, x, y};
    PyObject *made =
        y ? PyObject_Vectorcall(type, args + 1, count | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL)
          : NULL;
    Py_XDECREF(x);
    Py_XDECREF(y);
    return made;
}

static PyObject *read_custom(py_call *c, const leat_window *w) {
    PyObject *read = py_known_get(c->state, PY_READ_WINDOW);
    PyObject *serializer = c->windowed->serializer ? c->windowed->serializer : Py_None;
    return read ? PyObject_CallFunction(read, "Oy#", serializer, w->bytes, (Py_ssize_t)w->size)
                : NULL;
}

static PyObject *window_new(py_call *c, const leat_window *w) {
    switch (w->kind) {
    case LEAT_WINDOW_TIME:
        return call_with_numbers(py_known_get(c->state, PY_TIME_WINDOW), w->start, w->end, 2);
    case LEAT_WINDOW_COUNT:
        return call_with_numbers(py_known_get(c->state, PY_COUNT_WINDOW), w->start, 0, 1);
    case LEAT_WINDOW_GLOBAL:
        return call_with_numbers(py_known_get(c->state, PY_GLOBAL_WINDOW), 0, 0, 0);
    default: return read_custom(c, w);
    }
}

static bool is_last(const leat_window *a, const leat_window *b) {
    return b->kind != LEAT_WINDOW_CUSTOM && a->kind == b->kind && a->start == b->start &&
           a->end == b->end;
}

/* A custom window's bytes are lent for the hook, and a cursor goes on behind it. */
bool py_window_enter(py_call *c, const leat_window *window) {
    py_windowed *w = c->windowed;
    if (LEAT_LIKELY(w->window_object != NULL) && is_last(&w->window, window)) return true;
    Py_CLEAR(w->window_object);
    w->window = *window;
    if (window->kind == LEAT_WINDOW_CUSTOM && !py_window_object(c)) return false;
    w->ns.bytes = NULL;
    bool now = w->wants_ns || window->kind == LEAT_WINDOW_CUSTOM;
    return !now || py_window_namespace(w);
}

PyObject *py_window_object(py_call *c) {
    py_windowed *w = c->windowed;
    if (!w->window_object) w->window_object = window_new(c, &w->window);
    return w->window_object;
}

/* --- objects as windows ----------------------------------------------------------------------- */

static bool read_number(PyObject *o, const char *name, int64_t *out) {
    PyObject *number = PyObject_GetAttrString(o, name);
    bool ok = number && py_millis_read(number, "a window", out);
    Py_XDECREF(number);
    return ok;
}

static bool read_max_timestamp(PyObject *o, int64_t *out) {
    PyObject *number = PyObject_CallMethod(o, "max_timestamp", NULL);
    bool ok = number && py_millis_read(number, "the last time of a window", out);
    Py_XDECREF(number);
    return ok;
}

static bool write_custom(py_call *c, PyObject *o, PyObject *holders, leat_window *out) {
    if (!PyObject_HasAttrString(o, "max_timestamp")) {
        PyErr_Format(PyExc_TypeError, "%R is not a Window", o);
        return false;
    }
    *out = leat_global_window();
    out->kind = LEAT_WINDOW_CUSTOM;
    PyObject *write = py_known_get(c->state, PY_WRITE_WINDOW);
    PyObject *serializer = c->windowed->serializer ? c->windowed->serializer : Py_None;
    PyObject *bytes = write ? PyObject_CallFunctionObjArgs(write, serializer, o, NULL) : NULL;
    bool ok =
        bytes && read_max_timestamp(o, &out->max_timestamp) && PyList_Append(holders, bytes) == 0;
    if (ok) {
        out->bytes = PyBytes_AS_STRING(bytes);
        out->size = (size_t)PyBytes_GET_SIZE(bytes);
    }
    Py_XDECREF(bytes);
    return ok;
}

bool py_window_read(py_call *c, PyObject *o, PyObject *holders, leat_window *out) {
    int64_t start, end;
    if (LEAT_LIKELY(py_known_is(c->state, o, PY_TIME_WINDOW))) {
        if (!read_number(o, "start", &start) || !read_number(o, "end", &end)) return false;
        if (end >= start && end > INT64_MIN) {
            *out = leat_time_window(start, end);
            return true;
        }
        PyErr_Format(PyExc_ValueError, "%R: a window must not end before it starts", o);
        return false;
    }
    if (py_known_is(c->state, o, PY_COUNT_WINDOW)) {
        if (!read_number(o, "id", &start)) return false;
        *out = leat_count_window(start);
        return true;
    }
    if (py_known_is(c->state, o, PY_GLOBAL_WINDOW)) {
        *out = leat_global_window();
        return true;
    }
    return write_custom(c, o, holders, out);
}

PyObject *py_elements(py_call *c, const leat_value *elements, size_t count, const leat_type *type) {
    PyObject *list = PyList_New((Py_ssize_t)count);
    for (size_t i = 0; list && i < count; i++) {
        const leat_value *v = &elements[i];
        bool ours = v->kind == LEAT_OBJECT && v->domain == c->domain;
        PyObject *o = ours ? Py_NewRef((PyObject *)v->as.object) : py_from_value(c->state, v, type);
        if (!o)
            Py_CLEAR(list);
        else
            PyList_SET_ITEM(list, (Py_ssize_t)i, o);
    }
    return list;
}

/* --- the namespace, and states in it ---------------------------------------------------------- */

bool py_window_namespace(py_windowed *w) {
    if (w->ns.bytes) return true;
    leat_namespace ns = leat_window_namespace(w->ctx, &w->window);
    char *to = ns.size <= PY_NAMESPACE ? w->ns_bytes : w->ns_long;
    if (ns.bytes && ns.size > PY_NAMESPACE && ns.size > w->ns_room) {
        to = leati_resize(w->ns_long, ns.size);
        if (to) w->ns_long = to;
        if (to) w->ns_room = ns.size;
    }
    if (!ns.bytes || !to) {
        PyErr_NoMemory();
        return false;
    }
    memcpy(to, ns.bytes, ns.size);
    w->ns = (leat_namespace){to, ns.size};
    w->wants_ns = true;
    return true;
}

bool py_window_states(py_call *c, const char *prefix) {
    py_windowed *w = c->windowed;
    if (LEAT_LIKELY(w->window_store != NULL)) return true;
    PyObject *type = py_known_get(c->state, PY_STATE_STORE);
    if (!type || !py_window_namespace(w)) return false;
    if (!w->window_states) w->window_states = py_states_in(c->state, w->ctx, prefix, &w->ns);
    if (w->window_states) w->window_store = PyObject_CallOneArg(type, w->window_states);
    return w->window_store != NULL;
}

/* --- contexts --------------------------------------------------------------------------------- */

PyObject *py_window_context_new(py_call *c, PyTypeObject *type) {
    PyObject *self = type->tp_alloc(type, 0);
    if (self) ((py_window_context *)(void *)self)->call = c;
    return self;
}

py_call *py_window_context_of(PyObject *self) {
    py_call *c = ((py_window_context *)(void *)self)->call;
    if (!c) PyErr_SetString(PyExc_RuntimeError, "this context is valid during its calls only");
    return c;
}

PyObject *py_window_context_now(PyObject *self, PyObject *unused) {
    (void)unused;
    py_call *c = py_window_context_of(self);
    return c ? PyLong_FromLongLong(leat_context_now(c->windowed->ctx)) : NULL;
}

PyObject *py_window_context_watermark(PyObject *self, PyObject *unused) {
    (void)unused;
    py_call *c = py_window_context_of(self);
    return c ? PyLong_FromLongLong(leat_context_watermark(c->windowed->ctx)) : NULL;
}

/* State is under the key, in no namespace. The metrics end with the function. */
PyObject *py_window_context_runtime(PyObject *self, PyObject *unused) {
    (void)unused;
    py_call *c = py_window_context_of(self);
    if (!c) return NULL;
    py_windowed *w = c->windowed;
    if (!c->states) c->states = py_states_new(c->state, w->ctx);
    if (!c->metrics) c->metrics = py_metrics_new(c->state, w->ctx);
    if (c->states && c->metrics && !w->global_store)
        w->global_store = py_runtime_context_new(c->state, w->ctx, c->states, c->metrics);
    return c->states && c->metrics ? Py_XNewRef(w->global_store) : NULL;
}

PyObject *py_window_context_metrics(PyObject *self, PyObject *unused) {
    PyObject *runtime = py_window_context_runtime(self, unused);
    PyObject *group = runtime ? PyObject_CallMethod(runtime, "get_metrics_group", NULL) : NULL;
    Py_XDECREF(runtime);
    return group;
}

static int window_context_traverse(PyObject *self, visitproc visit, void *arg) {
    Py_VISIT(Py_TYPE(self));
    return 0;
}

static void window_context_dealloc(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    type->tp_free(self);
    Py_DECREF(type);
}

PyTypeObject *py_window_context_type(PyObject *module, const char *name, const char *doc,
                                     PyMethodDef *methods) {
    PyType_Slot slots[] = {
        {Py_tp_doc, (void *)(uintptr_t)doc},
        {Py_tp_methods, methods},
        {Py_tp_traverse, (void *)window_context_traverse},
        {Py_tp_dealloc, (void *)window_context_dealloc},
        {0, NULL},
    };
    PyType_Spec spec = {
        .name = name,
        .basicsize = sizeof(py_window_context),
        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION |
                 Py_TPFLAGS_IMMUTABLETYPE,
        .slots = slots,
    };
    return (PyTypeObject *)PyType_FromModuleAndSpec(module, &spec, NULL);
}

bool py_window_types_init(PyObject *module, py_state *state) {
    return py_assigner_type_init(module, state) && py_trigger_types_init(module, state) &&
           py_window_function_type_init(module, state);
}
