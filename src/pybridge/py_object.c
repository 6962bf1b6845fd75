/* py_object.c: the runtime's table for Python objects: counts, forms, comparison and arithmetic, by
   Python's own rules. All calls come inside the interpreter, but for release_later. A failure
   leaves its exception set, and the status says LEAT_E_USER; but `field` answers a bare LEAT_E_TYPE
   or LEAT_E_RANGE, for which the operator has better words. */
#include "pybridge/py_object.h"

#include "pybridge/py_convert.h"
#include "pybridge/py_encode.h"
#include "pybridge/py_error.h"
#include "pybridge/py_interp.h"
#include "pybridge/py_print.h"
#include "pybridge/py_shape.h"
#include "runtime/base/hint.h"
#include "runtime/base/wire.h"

static void object_retain(void *object) {
    Py_INCREF((PyObject *)object);
}

static void object_release(void *object) {
    Py_DECREF((PyObject *)object);
}

/* A new object as a value: small scalars natively, so that sums and comparisons go on natively.
   Steals `o`, which may be NULL for a failed call. */
static leat_status value_of_new(PyObject *o, leat_value *out) {
    if (!o) return LEAT_E_USER;
    if (py_scalar_value(o, out))
        Py_DECREF(o);
    else
        *out = py_object_value(py_interp_state(), o);
    return LEAT_OK;
}

/* --- other forms ------------------------------------------------------------------------------ */

/* A string lends its UTF-8, which lives as long as it does; false when it has none or its type
   wants another look. */
static bool lend_string(PyObject *o, const leat_type *type, leat_value *out) {
    if (!PyUnicode_CheckExact(o)) return false;
    if (type && type->tag != LEAT_T_STRING && type->tag != LEAT_T_PICKLED) return false;
    Py_ssize_t size = PyUnicode_IS_COMPACT_ASCII(o) ? PyUnicode_GET_LENGTH(o) : 0;
    const char *text = size ? PyUnicode_DATA(o) : PyUnicode_AsUTF8AndSize(o, &size);
    if (!text) PyErr_Clear(); /* a lone surrogate */
    if (!text || size >= UINT32_MAX) return false;
    *out = leat_string_n(text, (size_t)size);
    return true;
}

/* An integer of 64 bits; false for what is none, or where its type has a say. */
static bool read_int(PyObject *o, const leat_type *type, leat_value *out) {
    if (!PyLong_CheckExact(o)) return false;
    if (type && type->tag != LEAT_T_LONG && type->tag != LEAT_T_PICKLED) return false;
    return py_scalar_value(o, out);
}

static LEATI_APART leat_status object_native_any(PyObject *object, const leat_type *type,
                                                 leati_arena *arena, leat_value *out) {
    if (lend_string(object, type, out)) return LEAT_OK;
    py_state *state = py_interp_state();
    const py_shape *shape;
    if (!py_shape_of(state, type, &shape)) return LEAT_E_USER;
    PyObject *o = py_shape_apply(shape, Py_NewRef(object));
    if (!o) return LEAT_E_TYPE;
    leat_status status = py_to_value(state, o, type, arena, out);
    Py_DECREF(o);
    return status;
}

static leat_status object_native(void *object, const leat_type *type, leati_arena *arena,
                                 leat_value *out) {
    return read_int(object, type, out) ? LEAT_OK : object_native_any(object, type, arena, out);
}

static leat_status object_encode(void *object, const leat_type *type, leati_buf *out) {
    return py_encode(py_interp_state(), object, type, out) ? LEAT_OK : LEAT_E_USER;
}

static leat_status object_decode(void *interpreter, const void *bytes, size_t size,
                                 leat_value *out) {
    (void)interpreter;
    py_state *state = py_interp_state();
    PyObject *o = py_decode_object(state, bytes, size);
    if (!o) return LEAT_E_USER;
    *out = py_object_value(state, o);
    return LEAT_OK;
}

static leat_status object_canonical(void *object, leati_buf *out) {
    return py_key_write(py_interp_state(), object, out) ? LEAT_OK : LEAT_E_TYPE;
}

static leat_status object_print(void *object, const leat_type *type, leat_text_form form,
                                leati_buf *out) {
    return py_print(py_interp_state(), object, type, form, out) ? LEAT_OK : LEAT_E_USER;
}

static leat_status object_repr(void *object, leati_buf *out) {
    PyObject *text = PyObject_Repr(object);
    Py_ssize_t size;
    const char *bytes = text ? PyUnicode_AsUTF8AndSize(text, &size) : NULL;
    if (bytes) leati_buf_append(out, bytes, (size_t)size);
    Py_XDECREF(text);
    return bytes ? LEAT_OK : LEAT_E_USER;
}

/* --- copies ----------------------------------------------------------------------------------- */

static inline bool is_plain(PyObject *o) {
    if (LEAT_LIKELY(PyUnicode_CheckExact(o))) return true;
    if (LEAT_LIKELY(PyLong_CheckExact(o))) return true; /* or each item would cost six looks */
    return PyFloat_CheckExact(o) || PyBytes_CheckExact(o) || PyBool_Check(o) || o == Py_None;
}

/* Are all items of a tuple plain, from `i` on? */
static LEATI_APART bool are_plain(PyObject *tuple, Py_ssize_t i) {
    for (; i < PyTuple_GET_SIZE(tuple); i++)
        if (!is_plain(PyTuple_GET_ITEM(tuple, i))) return false;
    return true;
}

/* A plain scalar or a tuple of such, which is what most records are. Tuples of integers are seen
   first. */
static inline bool is_plainly_immutable(PyObject *o) {
    Py_ssize_t i = 0;
    if (!PyTuple_CheckExact(o)) return is_plain(o);
    while (i < PyTuple_GET_SIZE(o) && PyLong_CheckExact(PyTuple_GET_ITEM(o, i))) i++;
    return i == PyTuple_GET_SIZE(o) || are_plain(o, i);
}

/* A tuple of scalars is in no cycle. The collector finds that out sooner or later; to tell it while
   its list is warm spares it the look, and the tuple's end a walk to two neighbours that nobody has
   seen for long. */
static inline void forget_plain(PyObject *o) {
    if (PyTuple_CheckExact(o) && is_plainly_immutable(o)) PyObject_GC_UnTrack(o);
}

/* Scalars, and tuples of such, however deep. */
static bool is_immutable(py_state *state, PyObject *o) {
    if (is_plain(o)) return true;
    if (PyTuple_CheckExact(o)) {
        for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(o); i++)
            if (!is_immutable(state, PyTuple_GET_ITEM(o, i))) return false;
        return true;
    }
    return PyType_Check(o) || py_known_is(state, o, PY_DECIMAL) || py_known_is(state, o, PY_DATE) ||
           py_known_is(state, o, PY_DATETIME);
}

static PyObject *cut(py_state *state, PyObject *o, int depth);

/* Steals `list` and cuts its items in place. */
static PyObject *cut_items(py_state *state, PyObject *list, int depth) {
    for (Py_ssize_t i = 0; list && i < PyList_GET_SIZE(list); i++) {
        PyObject *item = cut(state, PyList_GET_ITEM(list, i), depth + 1);
        if (!item)
            Py_CLEAR(list);
        else
            PyList_SetItem(list, i, item);
    }
    return list;
}

static PyObject *cut_tuple(py_state *state, PyObject *o, int depth) {
    PyObject *list = cut_items(state, PySequence_List(o), depth);
    PyObject *tuple = list ? PyList_AsTuple(list) : NULL;
    Py_XDECREF(list);
    return tuple;
}

static PyObject *cut_dict(py_state *state, PyObject *o, int depth) {
    PyObject *dict = PyDict_New(), *source = dict ? PyDict_Copy(o) : NULL, *key, *item;
    Py_ssize_t at = 0;
    while (dict && source && PyDict_Next(source, &at, &key, &item)) {
        PyObject *new_key = cut(state, key, depth + 1);
        PyObject *new_item = new_key ? cut(state, item, depth + 1) : NULL;
        if (!new_item || PyDict_SetItem(dict, new_key, new_item) < 0) Py_CLEAR(dict);
        Py_XDECREF(new_key);
        Py_XDECREF(new_item);
    }
    if (!source) Py_CLEAR(dict);
    Py_XDECREF(source);
    return dict;
}

static PyObject *cut_row(py_state *state, PyObject *o, int depth) {
    py_row_parts parts;
    if (!py_row_read(state, o, &parts)) return NULL;
    PyObject *values = cut_items(state, PySequence_List(parts.values), depth);
    return values ? py_row_new(state, parts.fields, values, parts.kind) : NULL;
}

/* What a channel to another process would give. */
static PyObject *cut_by_pickle(py_state *state, PyObject *o) {
    PyObject *loads = py_known_get(state, PY_LOADS);
    PyObject *bytes = loads ? py_pickle(state, o) : NULL;
    PyObject *copy = bytes ? PyObject_CallOneArg(loads, bytes) : NULL;
    Py_XDECREF(bytes);
    return copy;
}

static PyObject *cut(py_state *state, PyObject *o, int depth) {
    if (is_immutable(state, o)) return Py_NewRef(o);
    if (depth < LEATI_CODEC_DEPTH) {
        if (PyList_CheckExact(o)) return cut_items(state, PySequence_List(o), depth);
        if (PyTuple_CheckExact(o)) return cut_tuple(state, o, depth);
        if (PyDict_CheckExact(o)) return cut_dict(state, o, depth);
        if (py_row_is(state, o)) return cut_row(state, o, depth);
    }
    return cut_by_pickle(state, o);
}

PyObject *py_object_cut(py_state *state, PyObject *o) {
    return cut(state, o, 0);
}

static bool object_immutable(void *object) {
    return is_plainly_immutable(object);
}

static LEATI_APART leat_status object_copy_any(PyObject *object, leat_value *out) {
    py_state *state = py_interp_state();
    PyObject *copy = py_object_cut(state, object);
    if (!copy) return LEAT_E_USER;
    *out = py_object_value(state, copy);
    return LEAT_OK;
}

static leat_status object_copy(void *object, const leat_type *type, leat_value *out) {
    (void)type; /* and `out` is the object */
    if (LEAT_UNLIKELY(!is_plainly_immutable(object))) return object_copy_any(object, out);
    Py_INCREF((PyObject *)object);
    if (PyTuple_CheckExact(object)) PyObject_GC_UnTrack(object);
    return LEAT_OK;
}

/* --- comparing and adding --------------------------------------------------------------------- */

static bool object_equal(void *a, void *b) {
    int equal = PyObject_RichCompareBool(a, b, Py_EQ);
    if (equal < 0) PyErr_Clear();
    return equal > 0;
}

static leat_status object_compare(const leat_value *a, const leat_value *b, int *order) {
    py_state *state = py_interp_state();
    PyObject *x = py_from_value(state, a, NULL), *y = x ? py_from_value(state, b, NULL) : NULL;
    int less = y ? PyObject_RichCompareBool(x, y, Py_LT) : -1;
    int more = less == 0 ? PyObject_RichCompareBool(y, x, Py_LT) : 0;
    Py_XDECREF(x);
    Py_XDECREF(y);
    if (less < 0 || more < 0) return LEAT_E_USER;
    *order = more - less;
    return LEAT_OK;
}

static leat_status object_add(const leat_value *a, const leat_value *b, leat_value *out) {
    py_state *state = py_interp_state();
    PyObject *x = py_from_value(state, a, NULL), *y = x ? py_from_value(state, b, NULL) : NULL;
    PyObject *sum = y ? PyNumber_Add(x, y) : NULL;
    Py_XDECREF(x);
    Py_XDECREF(y);
    return value_of_new(sum, out);
}

/* --- fields ----------------------------------------------------------------------------------- */

static bool name_is(PyObject *field, const char *name) {
    const char *text = PyUnicode_AsUTF8(field);
    if (!text) PyErr_Clear();
    return text && strcmp(text, name) == 0;
}

/* The place of an item in a tuple, list or Row, whose items `parts` gives: LEAT_DONE for a scalar
   that is meant itself. */
static leat_status locate(py_state *state, PyObject *o, int index, const char *name,
                          PyObject **items, py_row_parts *parts, Py_ssize_t *at) {
    bool row = !PyTuple_CheckExact(o) && py_row_is(state, o);
    if (row) {
        if (!py_row_read(state, o, parts)) {
            PyErr_Clear();
            return LEAT_E_TYPE;
        }
        *items = parts->values;
    } else if (PyTuple_Check(o) || PyList_Check(o)) {
        *items = o;
    } else {
        return name || index != 0 ? LEAT_E_TYPE : LEAT_DONE;
    }
    *at = index;
    if (name) {
        if (!row || parts->fields == Py_None) return LEAT_E_TYPE;
        for (*at = 0; *at < PyTuple_GET_SIZE(parts->fields); ++*at)
            if (name_is(PyTuple_GET_ITEM(parts->fields, *at), name)) break;
    }
    return *at >= 0 && *at < PySequence_Fast_GET_SIZE(*items) ? LEAT_OK : LEAT_E_RANGE;
}

static LEATI_APART leat_status object_field_any(PyObject *object, int index, const char *name,
                                                leat_value *out, bool *owned) {
    py_state *state = py_interp_state();
    py_row_parts parts = {NULL, NULL, 0};
    PyObject *items = NULL;
    Py_ssize_t at = 0;
    leat_status status = locate(state, object, index, name, &items, &parts, &at);
    if (status < 0) return status;
    PyObject *item = items ? PySequence_Fast_GET_ITEM(items, at) : object;
    if (py_scalar_value(item, out)) return LEAT_OK;
    *owned = item != object; /* a list may drop it */
    *out = py_object_value(state, *owned ? Py_NewRef(item) : item);
    return LEAT_OK;
}

/* A tuple lends its items as long as it lives. */
static LEATI_APART leat_status lend_field(PyObject *item, leat_value *out) {
    if (!py_scalar_value(item, out)) *out = py_object_value(py_interp_state(), item);
    return LEAT_OK;
}

static leat_status object_field(void *object, int index, const char *name, leat_value *out,
                                bool *owned) {
    int64_t i;
    *owned = false;
    if (!PyTuple_CheckExact(object) || name)
        return object_field_any(object, index, name, out, owned);
    if (index < 0 || index >= PyTuple_GET_SIZE(object)) return LEAT_E_RANGE;
    PyObject *item = PyTuple_GET_ITEM(object, index);
    if (!PyLong_CheckExact(item) || !py_int_read(item, &i)) return lend_field(item, out);
    *out = leat_int(i);
    return LEAT_OK;
}

/* A tuple with one item replaced; steals `item`. */
static PyObject *tuple_with(PyObject *tuple, Py_ssize_t at, PyObject *item) {
    Py_ssize_t size = PyTuple_GET_SIZE(tuple);
    PyObject *copy = PyTuple_New(size);
    for (Py_ssize_t i = 0; copy && i < size; i++)
        PyTuple_SET_ITEM(copy, i, i == at ? item : Py_NewRef(PyTuple_GET_ITEM(tuple, i)));
    if (!copy)
        Py_DECREF(item);
    else
        forget_plain(copy);
    return copy;
}

/* A copy of `o` whose items are those of the list; steals `list`. */
static PyObject *with_items(py_state *state, PyObject *o, PyObject *list,
                            const py_row_parts *parts) {
    if (parts->values) return py_row_new(state, parts->fields, list, parts->kind);
    if (PyList_Check(o)) return list;
    PyObject *tuple = PyList_AsTuple(list);
    Py_DECREF(list);
    return tuple;
}

/* A copy of `object`, whose items are `items`, with another one at `at`; steals `item`. */
static PyObject *items_with(py_state *state, PyObject *object, PyObject *items,
                            const py_row_parts *parts, Py_ssize_t at, PyObject *item) {
    if (PyTuple_CheckExact(object)) return tuple_with(object, at, item);
    PyObject *list = PySequence_List(items);
    if (!list) {
        Py_DECREF(item);
        return NULL;
    }
    PyList_SetItem(list, at, item);
    return with_items(state, object, list, parts);
}

static leat_status object_with_field(void *object, int index, const char *name,
                                     const leat_value *item, leat_value *out) {
    py_state *state = py_interp_state();
    py_row_parts parts = {NULL, NULL, 0};
    PyObject *items = NULL;
    Py_ssize_t at = 0;
    leat_status status = locate(state, object, index, name, &items, &parts, &at);
    if (status < 0) return status;
    PyObject *new_item = py_from_value(state, item, NULL);
    if (!new_item) return LEAT_E_USER;
    PyObject *copy = items ? items_with(state, object, items, &parts, at, new_item) : new_item;
    if (!copy) return LEAT_E_USER;
    *out = py_object_value(state, copy);
    return LEAT_OK;
}

/* The integer at `index`; false when that is none of 64 bits. */
static inline bool int_item(PyObject *o, Py_ssize_t index, int64_t *out) {
    if (!PyTuple_CheckExact(o) || index < 0 || index >= PyTuple_GET_SIZE(o)) return false;
    PyObject *item = PyTuple_GET_ITEM(o, index);
    return PyLong_CheckExact(item) && py_int_read(item, out);
}

/* Making a tuple and dropping the old one costs more than all else, so one that only its state
   holds is used again, as CPython's own zip() does. */
static leat_status object_add_item(const leat_value *a, const leat_value *b, int index, int64_t low,
                                   int64_t high, leat_value *out, bool *owned) {
    PyObject *o = a->as.object;
    int64_t x, y, sum;
    if (!int_item(o, index, &x) || !int_item(b->as.object, index, &y)) return LEAT_AGAIN;
    if (__builtin_add_overflow(x, y, &sum) || sum < low || sum > high) return LEAT_AGAIN;
    PyObject *item = PyLong_FromLongLong(sum);
    if (!item) return LEAT_E_USER;
    *out = *a;
    if (Py_REFCNT(o) == 1) {
        PyObject *old = PyTuple_GET_ITEM(o, index);
        PyTuple_SET_ITEM(o, index, item);
        Py_DECREF(old);
        return LEAT_OK;
    }
    out->as.object = tuple_with(o, index, item);
    *owned = out->as.object != NULL;
    return *owned ? LEAT_OK : LEAT_E_USER;
}

/* What a value can't be is the fault of the data; anything else was raised by the user's
   classes. */
static leat_status object_fail(leat_context *ctx, leat_status status) {
    if (!PyErr_Occurred()) return status;
    return status == LEAT_E_TYPE ? py_error_fail(ctx, status)
                                 : py_error_user(py_interp_state(), ctx);
}

static leat_status object_print_value(void *interpreter, const leat_value *v, leat_text_form form,
                                      leati_buf *out) {
    (void)interpreter;
    py_state *state = py_interp_state();
    PyObject *o = py_from_value(state, v, NULL);
    bool ok = o && py_print(state, o, NULL, form, out);
    Py_XDECREF(o);
    return ok ? LEAT_OK : LEAT_E_USER;
}

static void object_show(void *interpreter, const leat_value *v, const leat_type *type,
                        leati_buf *out) {
    (void)interpreter;
    PyObject *o = py_from_value(py_interp_state(), v, type), *text = o ? PyObject_Repr(o) : NULL;
    PyObject *bytes = text ? PyUnicode_AsEncodedString(text, "utf-8", "backslashreplace") : NULL;
    if (bytes)
        leati_buf_append(out, PyBytes_AS_STRING(bytes), (size_t)PyBytes_GET_SIZE(bytes));
    else if (o)
        leati_buf_printf(out, "<%s whose repr() fails>", Py_TYPE(o)->tp_name);
    PyErr_Clear();
    Py_XDECREF(o);
    Py_XDECREF(text);
    Py_XDECREF(bytes);
}

void py_object_ops_init(leati_object_ops *ops, void *interpreter) {
    *ops = (leati_object_ops){.interpreter = interpreter,
                              .inside = py_interp_inside,
                              .retain = object_retain,
                              .release = object_release,
                              .release_later = py_interp_release_later,
                              .native = object_native,
                              .encode = object_encode,
                              .decode = object_decode,
                              .canonical = object_canonical,
                              .copy = object_copy,
                              .immutable = object_immutable,
                              .equal = object_equal,
                              .compare = object_compare,
                              .add = object_add,
                              .add_item = object_add_item,
                              .field = object_field,
                              .with_field = object_with_field,
                              .print = object_print,
                              .print_value = object_print_value,
                              .repr = object_repr,
                              .show = object_show,
                              .fail = object_fail};
}
