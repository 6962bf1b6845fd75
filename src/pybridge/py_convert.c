/* py_convert.c: see py_convert.h. Native values become Python objects by their kind, and by the
   declared type where that says more (a list of a TUPLE type is a tuple, a timestamp of an INSTANT
   type an Instant). Python objects become native values only when their class is exactly one of
   those that native values stand for; a subclass might behave otherwise, so it stays an object. */
#include "pybridge/py_convert.h"

#include "pybridge/py_encode.h"

#include <structmember.h>

#include "pybridge/py_interp.h"
#include "runtime/base/hint.h"
#include "runtime/base/wire.h"

/* --- types, names and rows -------------------------------------------------------------------- */

const leat_type *py_type_item(const leat_type *type, uint32_t i) {
    if (!type || !type->size) return NULL;
    switch (type->tag) {
    case LEAT_T_LIST:
    case LEAT_T_PRIMITIVE_ARRAY:
    case LEAT_T_BASIC_ARRAY:
    case LEAT_T_OBJECT_ARRAY: return type->items[0];
    default: return i < type->size ? type->items[i] : NULL;
    }
}

static PyObject *names_new(const leat_schema *schema) {
    PyObject *names = PyTuple_New((Py_ssize_t)schema->size);
    for (uint32_t i = 0; names && i < schema->size; i++) {
        PyObject *name = PyUnicode_InternFromString(schema->names[i]);
        if (!name) {
            Py_DECREF(names);
            return NULL;
        }
        PyTuple_SET_ITEM(names, (Py_ssize_t)i, name);
    }
    return names;
}

PyObject *py_schema_names(py_state *state, const leat_schema *schema) {
    py_name_cache *entry = &state->names[((uintptr_t)schema >> 5) % PY_NAME_CACHE];
    if (LEAT_LIKELY(entry->schema == schema)) return entry->names;
    PyObject *names = names_new(schema);
    if (!names) return NULL;
    entry->schema = schema;
    Py_XSETREF(entry->names, names);
    return names;
}

const leat_schema *py_row_schema(py_state *state, const leat_type *type) {
    if (type->schema) return type->schema;
    if (type->size < PY_PLAIN_SCHEMAS && state->plain[type->size]) return state->plain[type->size];
    PyObject *names = PyTuple_New((Py_ssize_t)type->size);
    for (uint32_t i = 0; names && i < type->size; i++)
        PyTuple_SET_ITEM(names, (Py_ssize_t)i, PyUnicode_FromFormat("f%u", (unsigned)i));
    const leat_schema *schema = names && !PyErr_Occurred() ? py_schema_of(names) : NULL;
    Py_XDECREF(names);
    if (schema && type->size < PY_PLAIN_SCHEMAS) state->plain[type->size] = schema;
    return schema;
}

const leat_schema *py_schema_of(PyObject *fields) {
    Py_ssize_t size = PyTuple_GET_SIZE(fields);
    const char **names = PyMem_New(const char *, size ? size : 1);
    bool ok = names != NULL;
    if (!ok) PyErr_NoMemory();
    for (Py_ssize_t i = 0; ok && i < size; i++)
        ok = (names[i] = PyUnicode_AsUTF8(PyTuple_GET_ITEM(fields, i))) != NULL;
    const leat_schema *schema = ok ? leat_schema_get(names, (size_t)size) : NULL;
    if (ok && !schema) PyErr_NoMemory();
    PyMem_Free(names);
    return schema;
}

static bool slot_offset(PyObject *type, const char *name, Py_ssize_t *out) {
    PyObject *slot = PyObject_GetAttrString(type, name);
    if (!slot) return false;
    bool ok = Py_IS_TYPE(slot, &PyMemberDescr_Type);
    if (ok) *out = ((PyMemberDescrObject *)slot)->d_member->offset;
    Py_DECREF(slot);
    if (!ok) PyErr_Format(PyExc_TypeError, "leat.common.types.Row.%s is no slot", name);
    return ok;
}

static bool row_layout(py_state *state) {
    PyObject *type = py_known_get(state, PY_ROW);
    return type && slot_offset(type, "_fields", &state->row.fields) &&
           slot_offset(type, "_kind", &state->row.kind) &&
           slot_offset(type, "_values", &state->row.values);
}

static PyObject **row_slot(PyObject *row, Py_ssize_t offset) {
    return (PyObject **)(void *)((char *)row + offset);
}

bool py_row_is(py_state *state, PyObject *o) {
    return py_known_is(state, o, PY_ROW);
}

bool py_row_read(py_state *state, PyObject *o, py_row_parts *out) {
    if (!state->row.values && !row_layout(state)) return false;
    out->fields = *row_slot(o, state->row.fields);
    out->values = *row_slot(o, state->row.values);
    PyObject *kind = *row_slot(o, state->row.kind);
    if (out->fields && (out->fields == Py_None || PyTuple_CheckExact(out->fields)) && out->values &&
        PyList_CheckExact(out->values) && kind && PyLong_Check(kind)) {
        long number = PyLong_AsLong(kind);
        bool named = out->fields != Py_None;
        out->kind = (int)(number & 3);
        if (!named || PyTuple_GET_SIZE(out->fields) == PyList_GET_SIZE(out->values)) return true;
    }
    PyErr_SetString(PyExc_TypeError, "a Row without its values; was __init__ called?");
    return false;
}

PyObject *py_row_new(py_state *state, PyObject *fields, PyObject *values, int kind) {
    PyTypeObject *type = (PyTypeObject *)py_known_get(state, PY_ROW);
    bool ready = type && (state->row.values || row_layout(state));
    PyObject *row = ready ? type->tp_alloc(type, 0) : NULL;
    if (!row) {
        Py_DECREF(values);
        return NULL;
    }
    *row_slot(row, state->row.fields) = Py_NewRef(fields);
    *row_slot(row, state->row.values) = values;
    *row_slot(row, state->row.kind) = Py_NewRef(state->row_kinds[kind & 3]);
    return row;
}

leat_value py_object_value(const py_state *state, PyObject *o) {
    leat_value v = leat_null();
    v.kind = LEAT_OBJECT;
    v.domain = py_interp_domain(state->interp);
    v.as.object = o;
    return v;
}

/* --- native to Python ------------------------------------------------------------------------- */

static bool tag_is(const leat_type *type, leat_type_tag tag) {
    return type && type->tag == tag;
}

static PyObject *from_int(py_state *state, const leat_value *v, const leat_type *type) {
    (void)state;
    if (py_type_floats(type)) return PyFloat_FromDouble((double)v->as.i);
    return PyLong_FromLongLong(v->as.i);
}

static PyObject *tuple_from(py_state *state, const leat_value *items, uint32_t size,
                            const leat_type *type) {
    PyObject *tuple = PyTuple_New((Py_ssize_t)size);
    for (uint32_t i = 0; tuple && i < size; i++) {
        PyObject *item = py_from_value(state, &items[i], py_type_item(type, i));
        if (!item) {
            Py_DECREF(tuple);
            return NULL;
        }
        PyTuple_SET_ITEM(tuple, (Py_ssize_t)i, item);
    }
    return tuple;
}

static PyObject *list_from(py_state *state, const leat_value *items, uint32_t size,
                           const leat_type *type) {
    PyObject *list = PyList_New((Py_ssize_t)size);
    for (uint32_t i = 0; list && i < size; i++) {
        PyObject *item = py_from_value(state, &items[i], py_type_item(type, i));
        if (!item) {
            Py_DECREF(list);
            return NULL;
        }
        PyList_SET_ITEM(list, (Py_ssize_t)i, item);
    }
    return list;
}

static PyObject *dict_from(py_state *state, const leat_value *v, const leat_type *type) {
    PyObject *dict = PyDict_New();
    const leat_value *pairs = v->as.items;
    for (uint32_t i = 0; dict && i < v->size; i++) {
        PyObject *key = py_from_value(state, &pairs[2 * i], py_type_item(type, 0));
        PyObject *item = key ? py_from_value(state, &pairs[2 * i + 1], py_type_item(type, 1)) : 0;
        if (!item || PyDict_SetItem(dict, key, item) < 0) Py_CLEAR(dict);
        Py_XDECREF(key);
        Py_XDECREF(item);
    }
    return dict;
}

static PyObject *row_from(py_state *state, const leat_value *items, uint32_t size, int kind,
                          const leat_schema *schema, const leat_type *type) {
    if (tag_is(type, LEAT_T_ROW) && type->size == size) schema = py_row_schema(state, type);
    /* Held, because rows among the items may push these names out of the cache. */
    PyObject *names =
        Py_XNewRef(schema && schema->size == size ? py_schema_names(state, schema) : Py_None);
    PyObject *values = names && !PyErr_Occurred() ? list_from(state, items, size, type) : NULL;
    PyObject *row = values ? py_row_new(state, names, values, kind) : NULL;
    Py_XDECREF(names);
    return row;
}

static PyObject *items_from(py_state *state, const leat_value *v, const leat_type *type) {
    const leat_value *items = leat_value_items(v);
    bool row = v->kind == LEAT_ROW;
    leat_type_tag tag = type ? type->tag : LEAT_T_PICKLED;
    if (tag == LEAT_T_TUPLE) return tuple_from(state, items, v->size, type);
    if (tag == LEAT_T_ROW || (row && tag == LEAT_T_PICKLED))
        return row_from(state, items, v->size, row ? v->flags : 0, row ? v->as.row->schema : NULL,
                        type);
    if (v->kind == LEAT_TUPLE && tag == LEAT_T_PICKLED)
        return tuple_from(state, items, v->size, type);
    return list_from(state, items, v->size, type);
}

static PyObject *from_object(py_state *state, const leat_value *v) {
    if (v->domain == py_interp_domain(state->interp)) return Py_NewRef((PyObject *)v->as.object);
    PyErr_SetString(PyExc_RuntimeError, "an object of another interpreter came in");
    return NULL;
}

/* An object that passed a task without an interpreter is still in its bytes. */
static PyObject *bytes_from(py_state *state, const leat_value *v) {
    if (v->flags & LEATI_OBJECT_BYTES) return py_decode_object(state, v->as.bytes, v->size);
    return PyBytes_FromStringAndSize(v->as.bytes, (Py_ssize_t)v->size);
}

PyObject *py_from_value(py_state *state, const leat_value *v, const leat_type *type) {
    switch ((leat_kind)v->kind) {
    case LEAT_NULL: return Py_NewRef(Py_None);
    case LEAT_BOOL: return PyBool_FromLong(v->as.b);
    case LEAT_INT: return from_int(state, v, type);
    case LEAT_DOUBLE: return PyFloat_FromDouble(v->as.d);
    case LEAT_STRING: return PyUnicode_DecodeUTF8(v->as.bytes, (Py_ssize_t)v->size, "replace");
    case LEAT_BYTES: return bytes_from(state, v);
    case LEAT_TUPLE:
    case LEAT_ROW:
    case LEAT_LIST: return items_from(state, v, type);
    case LEAT_MAP: return dict_from(state, v, type);
    case LEAT_DECIMAL: return py_decimal_new(state, v->as.decimal, (int32_t)v->size);
    case LEAT_DATE: return py_date_new(state, v->as.i);
    case LEAT_TIME: return py_time_new(state, v->as.i);
    case LEAT_TIMESTAMP:
        return tag_is(type, LEAT_T_INSTANT) ? py_instant_new(state, v->as.i, v->size)
                                            : py_datetime_new(state, v->as.i, v->size);
    case LEAT_OBJECT: return from_object(state, v);
    }
    PyErr_Format(PyExc_SystemError, "a value of the unknown kind %d", v->kind);
    return NULL;
}

/* --- Python to native ------------------------------------------------------------------------- */

LEATI_APART bool py_int_read_any(PyObject *o, int64_t *out) {
    int overflow = 0;
    int64_t i = PyLong_AsLongLongAndOverflow(o, &overflow);
    if (!overflow) *out = i;
    return !overflow;
}

LEATI_APART bool py_scalar_value_slow(PyObject *o, leat_value *out) {
    if (PyFloat_CheckExact(o)) {
        *out = leat_double(PyFloat_AS_DOUBLE(o));
    } else if (o == Py_None) {
        *out = leat_null();
    } else if (PyBool_Check(o)) {
        *out = leat_bool(o == Py_True);
    } else {
        return false;
    }
    return true;
}

static leat_status no_memory(void) {
    PyErr_NoMemory();
    return LEAT_E_NOMEM;
}

static leat_status keep(py_state *state, PyObject *o, leati_arena *arena, leat_value *out) {
    *out = py_object_value(state, Py_NewRef(o));
    return leati_arena_keep(arena, out) < 0 ? no_memory() : LEAT_OK;
}

/* An empty arena has no memory of 0 bytes. */
static void *take(leati_arena *arena, size_t bytes) {
    return leati_arena_alloc(arena, bytes ? bytes : 1);
}

static leat_status copy_bytes(const char *bytes, Py_ssize_t size, leati_arena *arena,
                              leat_value *out) {
    char *copy = take(arena, (size_t)size);
    if (!copy) return no_memory();
    memcpy(copy, bytes, (size_t)size);
    *out = leat_string_n(copy, (size_t)size);
    return LEAT_OK;
}

static leat_status to_value(py_state *state, PyObject *o, const leat_type *type, leati_arena *arena,
                            leat_value *out, int depth);

static leat_status to_string(py_state *state, PyObject *o, leati_arena *arena, leat_value *out) {
    Py_ssize_t size;
    const char *text = PyUnicode_AsUTF8AndSize(o, &size);
    if (text && size < UINT32_MAX) return copy_bytes(text, size, arena, out);
    PyErr_Clear(); /* a lone surrogate has no UTF-8 */
    return keep(state, o, arena, out);
}

static leat_status to_bytes(py_state *state, PyObject *o, leati_arena *arena, leat_value *out) {
    if (PyBytes_GET_SIZE(o) >= UINT32_MAX) return keep(state, o, arena, out);
    leat_status status = copy_bytes(PyBytes_AS_STRING(o), PyBytes_GET_SIZE(o), arena, out);
    out->kind = LEAT_BYTES;
    return status;
}

/* `sequence` is a tuple or list. */
static leat_status to_items(py_state *state, PyObject *sequence, const leat_type *type,
                            leati_arena *arena, const leat_value **items, int depth) {
    Py_ssize_t size = PySequence_Fast_GET_SIZE(sequence);
    leat_value *to = take(arena, (size_t)size * sizeof *to);
    if (!to) return no_memory();
    for (Py_ssize_t i = 0; i < size; i++) {
        leat_status status = to_value(state, PySequence_Fast_GET_ITEM(sequence, i),
                                      py_type_item(type, (uint32_t)i), arena, &to[i], depth + 1);
        if (status < 0) return status;
    }
    *items = to;
    return LEAT_OK;
}

static leat_status to_sequence(py_state *state, PyObject *o, const leat_type *type,
                               leati_arena *arena, leat_value *out, int depth) {
    const leat_value *items;
    size_t size = (size_t)PySequence_Fast_GET_SIZE(o);
    leat_status status = to_items(state, o, type, arena, &items, depth);
    if (status < 0) return status;
    *out = PyTuple_CheckExact(o) ? leat_tuple(items, size) : leat_list(items, size);
    return LEAT_OK;
}

static leat_status to_map(py_state *state, PyObject *o, const leat_type *type, leati_arena *arena,
                          leat_value *out, int depth) {
    size_t count = (size_t)PyDict_GET_SIZE(o), i = 0;
    leat_value *pairs = take(arena, 2 * count * sizeof *pairs);
    if (!pairs) return no_memory();
    Py_ssize_t at = 0;
    PyObject *key, *item;
    while (i < count && PyDict_Next(o, &at, &key, &item)) {
        leat_status status =
            to_value(state, key, py_type_item(type, 0), arena, &pairs[2 * i], depth + 1);
        if (status >= 0)
            status =
                to_value(state, item, py_type_item(type, 1), arena, &pairs[2 * i + 1], depth + 1);
        if (status < 0) return status;
        i++;
    }
    *out = leat_map_value(pairs, i);
    return LEAT_OK;
}

static leat_status to_row(py_state *state, PyObject *o, const leat_type *type, leati_arena *arena,
                          leat_value *out, int depth) {
    py_row_parts parts;
    leat_row *row = leati_arena_alloc(arena, sizeof *row);
    if (!row) return no_memory();
    if (!py_row_read(state, o, &parts)) return LEAT_E_TYPE;
    size_t size = (size_t)PyList_GET_SIZE(parts.values);
    bool typed = tag_is(type, LEAT_T_ROW) && type->size == size;
    row->schema = typed ? type->schema : NULL;
    if (!typed && parts.fields != Py_None && !(row->schema = py_schema_of(parts.fields)))
        return LEAT_E_TYPE;
    leat_status status = to_items(state, parts.values, type, arena, &row->items, depth);
    if (status < 0) return status;
    *out = leat_row_value(row, size, (leat_row_kind)parts.kind);
    return LEAT_OK;
}

static leat_status to_decimal(py_state *state, PyObject *o, leati_arena *arena, leat_value *out) {
    int32_t scale;
    leat_decimal *digits = leati_arena_alloc(arena, sizeof *digits);
    if (!digits) return no_memory();
    int done = py_decimal_read(o, digits, &scale);
    if (done <= 0) return done < 0 ? LEAT_E_USER : keep(state, o, arena, out);
    *out = leat_null();
    out->kind = LEAT_DECIMAL;
    out->size = (uint32_t)scale;
    out->as.decimal = digits;
    return LEAT_OK;
}

/* Dates, times and instants; a datetime has a native form only where its type was declared. */
static leat_status to_time(py_state *state, PyObject *o, const leat_type *type, leati_arena *arena,
                           leat_value *out) {
    int64_t number = 0;
    uint32_t nanos = 0;
    leat_kind kind = LEAT_TIMESTAMP;
    int done = 0;
    if (py_known_is(state, o, PY_DATE)) {
        kind = LEAT_DATE;
        done = py_date_read(o, &number);
    } else if (py_known_is(state, o, PY_TIME)) {
        kind = LEAT_TIME;
        done = py_time_read(o, &number);
    } else if (tag_is(type, LEAT_T_SQL_TIMESTAMP) && py_known_is(state, o, PY_DATETIME)) {
        done = py_datetime_read(o, &number, &nanos);
    } else if (tag_is(type, LEAT_T_INSTANT) && py_known_is(state, o, PY_INSTANT)) {
        done = py_instant_read(o, &number, &nanos);
    }
    if (done <= 0) return done < 0 ? LEAT_E_USER : keep(state, o, arena, out);
    *out = leat_null();
    out->kind = (uint8_t)kind;
    out->size = nanos;
    out->as.i = number;
    return LEAT_OK;
}

static leat_status to_value(py_state *state, PyObject *o, const leat_type *type, leati_arena *arena,
                            leat_value *out, int depth) {
    if (py_scalar_value(o, out)) return LEAT_OK;
    if (PyUnicode_CheckExact(o)) return to_string(state, o, arena, out);
    if (depth >= LEATI_CODEC_DEPTH) return keep(state, o, arena, out);
    if (PyTuple_CheckExact(o) || PyList_CheckExact(o))
        return to_sequence(state, o, type, arena, out, depth);
    if (PyDict_CheckExact(o)) return to_map(state, o, type, arena, out, depth);
    if (PyBytes_CheckExact(o)) return to_bytes(state, o, arena, out);
    if (py_row_is(state, o)) return to_row(state, o, type, arena, out, depth);
    if (py_known_is(state, o, PY_DECIMAL)) return to_decimal(state, o, arena, out);
    return to_time(state, o, type, arena, out);
}

leat_status py_to_value(py_state *state, PyObject *o, const leat_type *type, leati_arena *arena,
                        leat_value *out) {
    return to_value(state, o, type, arena, out, 0);
}
