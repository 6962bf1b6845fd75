/* py_results.c: what functions give and where it goes. A short list or tuple is emitted at once,
   because a cursor would cost more than the few records by which it may overdraw the outputs;
   whatever else can be iterated is handed to the engine as a cursor, so that an endless generator
   pauses when there is no room. */
#include "pybridge/py_call.h"
#include "pybridge/py_error.h"
#include "runtime/base/alloc.h"

enum { AT_ONCE = 64 };

leat_status py_result_fail(py_call *c, leat_context *ctx) {
    if (c->shape && PyErr_ExceptionMatches(PyExc_TypeError)) return py_error_fail(ctx, LEAT_E_TYPE);
    return py_error_user(c->state, ctx);
}

/* --- side outputs ----------------------------------------------------------------------------- */

static bool side_init(py_call *c, py_side *side, PyObject *tag) {
    leat_error err;
    PyObject *name = PyObject_GetAttrString(tag, "tag_id");
    const char *text = name ? PyUnicode_AsUTF8(name) : NULL;
    PyObject *info = text ? PyObject_GetAttrString(tag, "type_info") : NULL;
    PyObject *grammar = info ? PyObject_CallMethod(info, "_text", NULL) : NULL;
    const char *type_text = grammar ? PyUnicode_AsUTF8(grammar) : NULL;
    const leat_type *type = type_text ? leat_type_parse(type_text, &err) : NULL;
    if (type_text && !type) PyErr_SetString(PyExc_ValueError, err.text);
    bool ok = type && py_shape_of(c->state, type, &side->shape);
    Py_XDECREF(info);
    Py_XDECREF(grammar);
    if (!ok) {
        Py_XDECREF(name);
        return false;
    }
    Py_XSETREF(side->tag, Py_NewRef(tag));
    Py_XSETREF(side->name, name);
    side->text = text;
    return true;
}

static const py_side *side_of(py_call *c, PyObject *tag) {
    for (uint32_t i = 0; i < PY_SIDES; i++)
        if (c->sides[i].tag == tag) return &c->sides[i];
    py_side *side = &c->sides[c->next_side++ % PY_SIDES];
    return side_init(c, side, tag) ? side : NULL;
}

/* `pair` is (tag, value); steals it. */
static leat_status push_side(py_call *c, leat_context *ctx, leat_emitter *out, PyObject *pair) {
    const py_side *side = side_of(c, PyTuple_GET_ITEM(pair, 0));
    PyObject *item = NULL;
    if (side) item = py_shape_apply(side->shape, Py_NewRef(PyTuple_GET_ITEM(pair, 1)));
    Py_DECREF(pair);
    if (!item)
        return side && PyErr_ExceptionMatches(PyExc_TypeError) ? py_error_fail(ctx, LEAT_E_TYPE)
                                                               : py_error_user(c->state, ctx);
    leat_value v = py_lend(c, item);
    leat_status status = leat_emitter_side(out, side->text, &v);
    Py_DECREF(item);
    return status;
}

/* An instance of a class made in Python. Where OutputTag can't be imported nothing is one. */
static bool is_tag(py_call *c, PyTypeObject *type) {
    if (!c->tag_type) c->tag_type = (PyTypeObject *)py_known_get(c->state, PY_OUTPUT_TAG);
    if (c->tag_type) return PyType_IsSubtype(type, c->tag_type);
    PyErr_Clear();
    return false;
}

static inline bool is_side(py_call *c, PyObject *item) {
    if (!PyTuple_CheckExact(item) || PyTuple_GET_SIZE(item) != 2) return false;
    PyTypeObject *type = Py_TYPE(PyTuple_GET_ITEM(item, 0));
    return LEAT_UNLIKELY(type->tp_flags & Py_TPFLAGS_HEAPTYPE) && is_tag(c, type);
}

/* --- one item --------------------------------------------------------------------------------- */

static inline leat_status push(py_call *c, leat_context *ctx, leat_emitter *out, PyObject *item) {
    if (LEAT_UNLIKELY(is_side(c, item))) return push_side(c, ctx, out, item);
    item = py_shape_apply(c->shape, item);
    if (LEAT_UNLIKELY(!item)) return py_result_fail(c, ctx);
    leat_record record;
    leat_record_init(&record, py_lend(c, item), leat_context_time(ctx));
    leat_status status = leat_emitter_push_record(out, &record);
    Py_DECREF(item);
    return status;
}

leat_status py_result_push(py_call *c, leat_context *ctx, leat_emitter *out, PyObject *item) {
    return push(c, ctx, out, item);
}

/* --- cursors ---------------------------------------------------------------------------------- */

static leat_status cursor_advance(leat_context *ctx, leat_cursor *cursor, leat_emitter *out) {
    py_cursor *k = (py_cursor *)(void *)cursor;
    PyObject *item = Py_TYPE(k->iterator)->tp_iternext(k->iterator);
    if (LEAT_LIKELY(item != NULL)) return push(k->call, ctx, out, item);
    if (!PyErr_Occurred()) return LEAT_DONE;
    if (!PyErr_ExceptionMatches(PyExc_StopIteration)) return py_error_user(k->call->state, ctx);
    PyErr_Clear();
    return LEAT_DONE;
}

/* A generator that was not exhausted runs its `finally` here; what that raises is nobody's. */
static void cursor_close(leat_context *ctx, leat_cursor *cursor) {
    (void)ctx;
    py_cursor *k = (py_cursor *)(void *)cursor;
    Py_CLEAR(k->iterator);
    if (k == &k->call->cursor)
        k->busy = false;
    else
        leati_free(k);
}

/* Steals `iterator`. */
static leat_status open_cursor(py_call *c, leat_emitter *out, PyObject *iterator) {
    py_cursor *k = c->cursor.busy ? leati_zalloc(sizeof *k) : &c->cursor;
    if (!k) {
        Py_DECREF(iterator);
        return LEAT_E_NOMEM;
    }
    *k = (py_cursor){.cursor = {.advance = cursor_advance, .close = cursor_close},
                     .call = c,
                     .iterator = iterator,
                     .busy = true};
    return leat_emitter_cursor_last(out, &k->cursor);
}

/* --- all items -------------------------------------------------------------------------------- */

/* The sequence may change while its items are processed further down, so each is held. Steals
   it. */
static leat_status push_all(py_call *c, leat_context *ctx, leat_emitter *out, PyObject *sequence) {
    leat_status status = LEAT_OK;
    for (Py_ssize_t i = 0; status >= 0 && i < PySequence_Fast_GET_SIZE(sequence); i++)
        status = push(c, ctx, out, Py_NewRef(PySequence_Fast_GET_ITEM(sequence, i)));
    Py_DECREF(sequence);
    return status;
}

static leat_status not_iterable(py_call *c, leat_context *ctx, PyObject *result) {
    PyErr_Format(PyExc_TypeError,
                 "%s: the function returned %s; it must return an iterable, or yield its results",
                 leat_context_name(ctx), result == Py_None ? "None" : Py_TYPE(result)->tp_name);
    Py_DECREF(result);
    return py_error_user(c->state, ctx);
}

leat_status py_result_emit(py_call *c, leat_context *ctx, leat_emitter *out, PyObject *result,
                           bool none_is_fine) {
    if (LEAT_UNLIKELY(!result)) return py_error_user(c->state, ctx);
    bool sequence = PyList_CheckExact(result) || PyTuple_CheckExact(result);
    if (sequence && PySequence_Fast_GET_SIZE(result) <= AT_ONCE)
        return push_all(c, ctx, out, result);
    if (PyIter_Check(result)) return open_cursor(c, out, result);
    if (result == Py_None && none_is_fine) {
        Py_DECREF(result);
        return LEAT_OK;
    }
    PyObject *iterator = result == Py_None ? NULL : PyObject_GetIter(result);
    if (!iterator) {
        bool plain = !PyErr_Occurred() || !Py_TYPE(result)->tp_iter;
        if (plain) PyErr_Clear();
        if (plain) return not_iterable(c, ctx, result);
        Py_DECREF(result);
        return py_error_user(c->state, ctx);
    }
    Py_DECREF(result);
    return open_cursor(c, out, iterator);
}
