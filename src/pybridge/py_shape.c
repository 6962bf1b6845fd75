/* py_shape.c: see py_shape.h. The way out of an operator: most results are what was declared, so
   `fits` is all that runs; it looks at exact classes only. What does not fit is converted as
   PyFlink converts it (docs of Types): a list becomes a tuple, a dict or tuple a Row with names, an
   int a float. Integers outside of their type's range are an error here, where PyFlink wraps them.
   None fits every type.

   Errors name the way to the culprit: `expected INT, got str 'a' at field 1 of
   TUPLE<STRING,INT>`. */
#include "pybridge/py_shape.h"

#include "pybridge/py_convert.h"
#include "runtime/base/alloc.h"

/* Where in a value a conversion is; on the stack, innermost first. */
struct py_place {
    const py_place *outer;
    const py_shape *shape; /* of the container */
    Py_ssize_t index;
    const char *noun; /* "field", "item", "key", "value" */
};

static PyObject *convert(const py_shape *shape, PyObject *o, const py_place *place) {
    return shape->fits(shape, o) ? Py_NewRef(o) : shape->convert(shape, o, place);
}

/* --- complaints ------------------------------------------------------------------------------- */

static PyObject *place_text(const py_place *place) {
    if (!place) return PyUnicode_FromString("");
    PyObject *outer = place_text(place->outer);
    PyObject *text = NULL;
    if (outer && place->index >= 0)
        text = PyUnicode_FromFormat(" at %s %zd of %s%U", place->noun, place->index,
                                    place->shape->type->text, outer);
    else if (outer)
        text =
            PyUnicode_FromFormat(" as a %s of %s%U", place->noun, place->shape->type->text, outer);
    Py_XDECREF(outer);
    return text;
}

/* `why` may be "". Answers NULL with a TypeError set. */
static PyObject *complain(const py_shape *shape, PyObject *o, const py_place *place,
                          const char *why) {
    PyObject *where = place_text(place), *shown = where ? PyObject_Repr(o) : NULL;
    if (!shown && where && PyErr_ExceptionMatches(PyExc_Exception)) {
        PyErr_Clear();
        shown = PyUnicode_FromString("...");
    }
    PyObject *cut = shown && PyUnicode_GET_LENGTH(shown) > 200 ? PyUnicode_Substring(shown, 0, 200)
                                                               : Py_XNewRef(shown);
    if (cut)
        PyErr_Format(PyExc_TypeError, "expected %s, got %s %U%s%U", shape->type->text,
                     Py_TYPE(o)->tp_name, cut, why, where);
    Py_XDECREF(cut);
    Py_XDECREF(shown);
    Py_XDECREF(where);
    return NULL;
}

/* --- scalars ---------------------------------------------------------------------------------- */

static bool string_fits(const py_shape *shape, PyObject *o) {
    (void)shape;
    return PyUnicode_CheckExact(o) || o == Py_None;
}

static PyObject *string_convert(const py_shape *shape, PyObject *o, const py_place *place) {
    return PyUnicode_Check(o) ? PyUnicode_FromObject(o) : complain(shape, o, place, "");
}

static bool char_fits(const py_shape *shape, PyObject *o) {
    (void)shape;
    return o == Py_None || (PyUnicode_CheckExact(o) && PyUnicode_GET_LENGTH(o) == 1);
}

static PyObject *char_convert(const py_shape *shape, PyObject *o, const py_place *place) {
    if (!PyUnicode_Check(o)) return complain(shape, o, place, "");
    if (PyUnicode_GET_LENGTH(o) != 1)
        return complain(shape, o, place, " (of another length than 1)");
    return PyUnicode_FromObject(o);
}

static bool bool_fits(const py_shape *shape, PyObject *o) {
    (void)shape;
    return PyBool_Check(o) || o == Py_None;
}

static PyObject *bool_convert(const py_shape *shape, PyObject *o, const py_place *place) {
    const char *name = strrchr(Py_TYPE(o)->tp_name, '.');
    name = name ? name + 1 : Py_TYPE(o)->tp_name;
    bool numpy = strcmp(name, "bool_") == 0 || strcmp(name, "bool") == 0;
    if (!PyLong_Check(o) && !numpy) return complain(shape, o, place, "");
    int truth = PyObject_IsTrue(o);
    return truth < 0 ? NULL : PyBool_FromLong(truth);
}

static bool int_fits(const py_shape *shape, PyObject *o) {
    if (LEAT_UNLIKELY(!PyLong_CheckExact(o))) return o == Py_None;
    int64_t i;
    return py_int_read(o, &i) && i >= shape->low && i <= shape->high;
}

static PyObject *int_convert(const py_shape *shape, PyObject *o, const py_place *place) {
    if (!PyIndex_Check(o)) return complain(shape, o, place, "");
    PyObject *index = PyNumber_Index(o);
    /* An exact int of a subclass of int, such as True. */
    PyObject *plain = index && !PyLong_CheckExact(index) ? PyNumber_Long(index) : Py_XNewRef(index);
    Py_XDECREF(index);
    if (!plain || int_fits(shape, plain)) return plain;
    Py_DECREF(plain);
    return complain(shape, o, place, " (out of range)");
}

static bool big_int_fits(const py_shape *shape, PyObject *o) {
    (void)shape;
    return PyLong_CheckExact(o) || o == Py_None;
}

static PyObject *big_int_convert(const py_shape *shape, PyObject *o, const py_place *place) {
    if (!PyIndex_Check(o)) return complain(shape, o, place, "");
    PyObject *index = PyNumber_Index(o);
    PyObject *plain = index && !PyLong_CheckExact(index) ? PyNumber_Long(index) : Py_XNewRef(index);
    Py_XDECREF(index);
    return plain;
}

static bool double_fits(const py_shape *shape, PyObject *o) {
    (void)shape;
    return PyFloat_CheckExact(o) || o == Py_None;
}

static bool float_fits(const py_shape *shape, PyObject *o) {
    (void)shape;
    if (!PyFloat_CheckExact(o)) return o == Py_None;
    double d = PyFloat_AS_DOUBLE(o);
    return (double)(float)d == d || d != d;
}

static PyObject *double_convert(const py_shape *shape, PyObject *o, const py_place *place) {
    PyNumberMethods *number = Py_TYPE(o)->tp_as_number;
    if (!number || (!number->nb_float && !number->nb_index)) return complain(shape, o, place, "");
    double d = PyFloat_AsDouble(o);
    if (d == -1.0 && PyErr_Occurred()) {
        if (!PyErr_ExceptionMatches(PyExc_OverflowError)) return NULL;
        PyErr_Clear();
        return complain(shape, o, place, " (out of range)");
    }
    return PyFloat_FromDouble(shape->type->tag == LEAT_T_FLOAT ? (double)(float)d : d);
}

/* --- classes ---------------------------------------------------------------------------------- */

static bool class_fits(const py_shape *shape, PyObject *o) {
    static const py_known classes[] = {[LEAT_T_BIG_DEC] = PY_DECIMAL,
                                       [LEAT_T_INSTANT] = PY_INSTANT,
                                       [LEAT_T_SQL_DATE] = PY_DATE,
                                       [LEAT_T_SQL_TIME] = PY_TIME};
    return o == Py_None || py_known_is(shape->state, o, classes[shape->type->tag]);
}

/* Of a subclass, or of what its constructor takes. */
static PyObject *decimal_convert(const py_shape *shape, PyObject *o, const py_place *place) {
    PyObject *type = py_known_get(shape->state, PY_DECIMAL);
    if (!type) return NULL;
    if (PyFloat_Check(o)) {
        PyObject *text = PyObject_Str(o), *made = text ? PyObject_CallOneArg(type, text) : NULL;
        Py_XDECREF(text);
        return made;
    }
    int is = PyObject_IsInstance(o, type);
    if (is < 0) return NULL;
    return is || PyLong_Check(o) ? PyObject_CallOneArg(type, o) : complain(shape, o, place, "");
}

static PyObject *instance_convert(const py_shape *shape, PyObject *o, const py_place *place) {
    py_known id = shape->type->tag == LEAT_T_INSTANT ? PY_INSTANT : PY_TIME;
    PyObject *type = py_known_get(shape->state, id);
    int is = type ? PyObject_IsInstance(o, type) : -1;
    if (is < 0) return NULL;
    return is ? Py_NewRef(o) : complain(shape, o, place, "");
}

static PyObject *date_convert(const py_shape *shape, PyObject *o, const py_place *place) {
    PyObject *type = py_known_get(shape->state, PY_DATE);
    PyObject *datetime = type ? py_known_get(shape->state, PY_DATETIME) : NULL;
    int is = datetime ? PyObject_IsInstance(o, datetime) : -1;
    if (is > 0) return PyObject_CallMethod(o, "date", NULL);
    if (is == 0) is = PyObject_IsInstance(o, type);
    if (is < 0) return NULL;
    return is ? Py_NewRef(o) : complain(shape, o, place, "");
}

/* 1: a datetime without zone, 2: with one. */
static int datetime_look(const py_shape *shape, PyObject *o) {
    PyObject *type = py_known_get(shape->state, PY_DATETIME);
    int is = type ? PyObject_IsInstance(o, type) : -1;
    if (is <= 0) return is;
    PyObject *zone = PyObject_GetAttrString(o, "tzinfo");
    if (!zone) return -1;
    int aware = zone != Py_None;
    Py_DECREF(zone);
    return 1 + aware;
}

static bool datetime_fits(const py_shape *shape, PyObject *o) {
    if (o == Py_None) return true;
    if (!py_known_is(shape->state, o, PY_DATETIME)) return false;
    int look = datetime_look(shape, o);
    if (look < 0) PyErr_Clear();
    return look == 1;
}

/* A time with a zone is told in local time, as PyFlink does. */
static PyObject *datetime_convert(const py_shape *shape, PyObject *o, const py_place *place) {
    int look = datetime_look(shape, o);
    if (look < 0) return NULL;
    if (look == 0) return complain(shape, o, place, "");
    if (look == 1) return Py_NewRef(o);
    PyObject *local = PyObject_CallMethod(o, "astimezone", NULL);
    PyObject *replace = local ? PyObject_GetAttrString(local, "replace") : NULL;
    PyObject *none = replace ? Py_BuildValue("{sO}", "tzinfo", Py_None) : NULL;
    PyObject *args = none ? PyTuple_New(0) : NULL;
    PyObject *naive = args ? PyObject_Call(replace, args, none) : NULL;
    Py_XDECREF(local);
    Py_XDECREF(replace);
    Py_XDECREF(none);
    Py_XDECREF(args);
    return naive;
}

/* --- tuples and rows -------------------------------------------------------------------------- */

static bool tuple_fits(const py_shape *shape, PyObject *o) {
    if (LEAT_UNLIKELY(!PyTuple_CheckExact(o))) return o == Py_None;
    if (LEAT_UNLIKELY((size_t)PyTuple_GET_SIZE(o) != shape->size)) return false;
    for (uint32_t i = 0; i < shape->size; i++) {
        const py_shape *item = &shape->items[i];
        if (LEAT_UNLIKELY(!item->fits(item, PyTuple_GET_ITEM(o, i)))) return false;
    }
    return true;
}

/* The fields of a list, tuple or Row as a tuple; NULL without an error for anything else. */
static PyObject *fields_of(const py_shape *shape, PyObject *o) {
    if (PyList_Check(o) || PyTuple_Check(o)) return PySequence_Tuple(o);
    py_row_parts parts;
    if (!py_row_is(shape->state, o) || !py_row_read(shape->state, o, &parts)) return NULL;
    return PyList_AsTuple(parts.values);
}

/* Converts a tuple of the right size into a new list; steals `fields`. */
static PyObject *fields_convert(const py_shape *shape, PyObject *fields, const py_place *outer) {
    PyObject *list = PyList_New((Py_ssize_t)shape->size);
    for (uint32_t i = 0; list && i < shape->size; i++) {
        py_place place = {outer, shape, (Py_ssize_t)i, "field"};
        PyObject *item = convert(&shape->items[i], PyTuple_GET_ITEM(fields, i), &place);
        if (!item)
            Py_CLEAR(list);
        else
            PyList_SET_ITEM(list, (Py_ssize_t)i, item);
    }
    Py_DECREF(fields);
    return list;
}

static PyObject *wrong_size(const py_shape *shape, PyObject *o, PyObject *fields,
                            const py_place *place) {
    char why[64];
    snprintf(why, sizeof why, " (%zd fields, not %u)", PyTuple_GET_SIZE(fields),
             (unsigned)shape->size);
    Py_DECREF(fields);
    return complain(shape, o, place, why);
}

static PyObject *tuple_convert(const py_shape *shape, PyObject *o, const py_place *place) {
    PyObject *fields = fields_of(shape, o);
    if (!fields) return PyErr_Occurred() ? NULL : complain(shape, o, place, "");
    if ((size_t)PyTuple_GET_SIZE(fields) != shape->size) return wrong_size(shape, o, fields, place);
    PyObject *list = fields_convert(shape, fields, place);
    PyObject *tuple = list ? PyList_AsTuple(list) : NULL;
    Py_XDECREF(list);
    return tuple;
}

static bool same_names(PyObject *a, PyObject *b) {
    if (a == b) return true;
    if (!PyTuple_CheckExact(a) || PyTuple_GET_SIZE(a) != PyTuple_GET_SIZE(b)) return false;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(a); i++) {
        PyObject *x = PyTuple_GET_ITEM(a, i), *y = PyTuple_GET_ITEM(b, i);
        if (x != y && PyUnicode_Compare(x, y) != 0) return false;
    }
    return true;
}

static bool row_fits(const py_shape *shape, PyObject *o) {
    py_row_parts parts;
    if (o == Py_None) return true;
    if (!py_row_is(shape->state, o)) return false;
    if (!py_row_read(shape->state, o, &parts)) {
        PyErr_Clear();
        return false;
    }
    if ((size_t)PyList_GET_SIZE(parts.values) != shape->size) return false;
    if (!same_names(parts.fields, shape->names)) return false;
    for (uint32_t i = 0; i < shape->size; i++) {
        const py_shape *item = &shape->items[i];
        if (!item->fits(item, PyList_GET_ITEM(parts.values, i))) return false;
    }
    return true;
}

/* The fields by name, out of a dict; what is missing is None. */
static PyObject *fields_by_name(const py_shape *shape, PyObject *dict) {
    PyObject *fields = PyTuple_New((Py_ssize_t)shape->size);
    for (uint32_t i = 0; fields && i < shape->size; i++) {
        PyObject *item = PyDict_GetItemWithError(dict, PyTuple_GET_ITEM(shape->names, i));
        if (!item && PyErr_Occurred()) {
            Py_DECREF(fields);
            return NULL;
        }
        PyTuple_SET_ITEM(fields, (Py_ssize_t)i, Py_NewRef(item ? item : Py_None));
    }
    return fields;
}

/* A named Row gives its fields by name, but by place when it knows none of the names. */
static PyObject *row_fields(const py_shape *shape, const py_row_parts *parts) {
    PyObject *by_place = PyList_AsTuple(parts->values);
    if (!by_place || parts->fields == Py_None || same_names(parts->fields, shape->names))
        return by_place;
    PyObject *dict = PyDict_New();
    Py_ssize_t known = 0;
    for (Py_ssize_t i = 0; dict && i < PyTuple_GET_SIZE(by_place); i++) {
        PyObject *name = PyTuple_GET_ITEM(parts->fields, i);
        int is = PySequence_Contains(shape->names, name);
        known += is > 0;
        if (is < 0 || PyDict_SetItem(dict, name, PyTuple_GET_ITEM(by_place, i)) < 0) Py_CLEAR(dict);
    }
    bool place = dict && !known && (size_t)PyTuple_GET_SIZE(by_place) == shape->size;
    PyObject *fields = place ? Py_NewRef(by_place) : dict ? fields_by_name(shape, dict) : NULL;
    Py_DECREF(by_place);
    Py_XDECREF(dict);
    return fields;
}

static PyObject *row_convert(const py_shape *shape, PyObject *o, const py_place *place) {
    py_row_parts parts = {.kind = 0};
    PyObject *fields = NULL, *attributes;
    if (PyDict_Check(o)) {
        fields = fields_by_name(shape, o);
    } else if (py_row_is(shape->state, o)) {
        if (py_row_read(shape->state, o, &parts)) fields = row_fields(shape, &parts);
    } else if (PyList_Check(o) || PyTuple_Check(o)) {
        fields = PySequence_Tuple(o);
    } else if ((attributes = PyObject_GetAttrString(o, "__dict__"))) {
        if (PyDict_Check(attributes)) fields = fields_by_name(shape, attributes);
        Py_DECREF(attributes);
    } else {
        PyErr_Clear();
    }
    if (!fields) return PyErr_Occurred() ? NULL : complain(shape, o, place, "");
    if ((size_t)PyTuple_GET_SIZE(fields) != shape->size) return wrong_size(shape, o, fields, place);
    PyObject *values = fields_convert(shape, fields, place);
    return values ? py_row_new(shape->state, shape->names, values, parts.kind) : NULL;
}

/* --- lists and maps --------------------------------------------------------------------------- */

static bool list_fits(const py_shape *shape, PyObject *o) {
    if (!PyList_CheckExact(o)) return o == Py_None;
    const py_shape *item = shape->items;
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(o); i++)
        if (!item->fits(item, PyList_GET_ITEM(o, i))) return false;
    return true;
}

static PyObject *list_convert(const py_shape *shape, PyObject *o, const py_place *outer) {
    if (PyUnicode_Check(o) || PyDict_Check(o) || !(PySequence_Check(o) || PyObject_CheckBuffer(o)))
        return complain(shape, o, outer, "");
    PyObject *list = PySequence_List(o);
    for (Py_ssize_t i = 0; list && i < PyList_GET_SIZE(list); i++) {
        py_place place = {outer, shape, i, "item"};
        PyObject *item = convert(shape->items, PyList_GET_ITEM(list, i), &place);
        if (!item)
            Py_CLEAR(list);
        else
            PyList_SetItem(list, i, item);
    }
    return list;
}

/* PRIMITIVE_ARRAY<BYTE>: bytes, as in PyFlink. */
static bool bytes_fits(const py_shape *shape, PyObject *o) {
    (void)shape;
    return PyBytes_CheckExact(o) || o == Py_None;
}

static PyObject *bytes_convert(const py_shape *shape, PyObject *o, const py_place *outer) {
    if (PyObject_CheckBuffer(o)) return PyBytes_FromObject(o);
    PyObject *list = list_convert(shape, o, outer);
    if (!list) return NULL;
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, PyList_GET_SIZE(list));
    for (Py_ssize_t i = 0; bytes && i < PyList_GET_SIZE(list); i++) {
        PyObject *item = PyList_GET_ITEM(list, i);
        PyBytes_AS_STRING(bytes)[i] = (char)(item == Py_None ? 0 : PyLong_AsLong(item));
    }
    Py_DECREF(list);
    return bytes;
}

static bool map_fits(const py_shape *shape, PyObject *o) {
    if (!PyDict_CheckExact(o)) return o == Py_None;
    const py_shape *key = &shape->items[0], *item = &shape->items[1];
    Py_ssize_t at = 0;
    PyObject *k, *v;
    while (PyDict_Next(o, &at, &k, &v))
        if (!key->fits(key, k) || !item->fits(item, v)) return false;
    return true;
}

static PyObject *map_convert(const py_shape *shape, PyObject *o, const py_place *outer) {
    if (!PyDict_Check(o)) return complain(shape, o, outer, "");
    PyObject *dict = PyDict_New(), *copy = dict ? PyDict_Copy(o) : NULL, *k, *v;
    py_place key_place = {outer, shape, -1, "key"}, item_place = {outer, shape, -1, "value"};
    Py_ssize_t at = 0;
    while (dict && copy && PyDict_Next(copy, &at, &k, &v)) {
        PyObject *key = convert(&shape->items[0], k, &key_place);
        PyObject *item = key ? convert(&shape->items[1], v, &item_place) : NULL;
        if (!item || PyDict_SetItem(dict, key, item) < 0) Py_CLEAR(dict);
        Py_XDECREF(key);
        Py_XDECREF(item);
    }
    if (!copy) Py_CLEAR(dict);
    Py_XDECREF(copy);
    return dict;
}

/* --- making them ------------------------------------------------------------------------------ */

static bool any_fits(const py_shape *shape, PyObject *o) {
    (void)shape;
    (void)o;
    return true;
}

typedef struct shape_kind {
    bool (*fits)(const py_shape *shape, PyObject *o);
    PyObject *(*convert)(const py_shape *shape, PyObject *o, const py_place *place);
    int64_t low, high;
} shape_kind;

static const shape_kind kinds[] = {
    [LEAT_T_PICKLED] = {any_fits, NULL, 0, 0},
    [LEAT_T_STRING] = {string_fits, string_convert, 0, 0},
    [LEAT_T_BYTE] = {int_fits, int_convert, INT8_MIN, INT8_MAX},
    [LEAT_T_BOOLEAN] = {bool_fits, bool_convert, 0, 0},
    [LEAT_T_SHORT] = {int_fits, int_convert, INT16_MIN, INT16_MAX},
    [LEAT_T_INT] = {int_fits, int_convert, INT32_MIN, INT32_MAX},
    [LEAT_T_LONG] = {int_fits, int_convert, INT64_MIN, INT64_MAX},
    [LEAT_T_FLOAT] = {float_fits, double_convert, 0, 0},
    [LEAT_T_DOUBLE] = {double_fits, double_convert, 0, 0},
    [LEAT_T_CHAR] = {char_fits, char_convert, 0, 0},
    [LEAT_T_BIG_INT] = {big_int_fits, big_int_convert, 0, 0},
    [LEAT_T_BIG_DEC] = {class_fits, decimal_convert, 0, 0},
    [LEAT_T_INSTANT] = {class_fits, instance_convert, 0, 0},
    [LEAT_T_SQL_DATE] = {class_fits, date_convert, 0, 0},
    [LEAT_T_SQL_TIME] = {class_fits, instance_convert, 0, 0},
    [LEAT_T_SQL_TIMESTAMP] = {datetime_fits, datetime_convert, 0, 0},
    [LEAT_T_TUPLE] = {tuple_fits, tuple_convert, 0, 0},
    [LEAT_T_ROW] = {row_fits, row_convert, 0, 0},
    [LEAT_T_LIST] = {list_fits, list_convert, 0, 0},
    [LEAT_T_MAP] = {map_fits, map_convert, 0, 0},
    [LEAT_T_PRIMITIVE_ARRAY] = {list_fits, list_convert, 0, 0},
    [LEAT_T_BASIC_ARRAY] = {list_fits, list_convert, 0, 0},
    [LEAT_T_OBJECT_ARRAY] = {list_fits, list_convert, 0, 0},
};

static bool shape_init(py_shape *shape, py_state *state, const leat_type *type) {
    const shape_kind *kind = &kinds[type->tag];
    *shape = (py_shape){.fits = kind->fits,
                        .convert = kind->convert,
                        .type = type,
                        .state = state,
                        .low = kind->low,
                        .high = kind->high};
    if (type->tag == LEAT_T_PRIMITIVE_ARRAY && type->items[0]->tag == LEAT_T_BYTE) {
        shape->fits = bytes_fits;
        shape->convert = bytes_convert;
    }
    if (type->tag == LEAT_T_ROW) {
        const leat_schema *schema = py_row_schema(state, type);
        PyObject *names = schema ? py_schema_names(state, schema) : NULL;
        if (!names) return false;
        shape->names = Py_NewRef(names);
    }
    if (!type->size) return true;
    shape->items = leati_zalloc(type->size * sizeof *shape->items);
    if (!shape->items) {
        PyErr_NoMemory();
        return false;
    }
    shape->size = type->size;
    for (uint32_t i = 0; i < type->size; i++)
        if (!shape_init(&shape->items[i], state, type->items[i])) return false;
    return true;
}

static void shape_fini(py_shape *shape) {
    Py_CLEAR(shape->names);
    for (uint32_t i = 0; i < shape->size; i++) shape_fini(&shape->items[i]);
    leati_free(shape->items);
}

struct py_shape_entry {
    py_shape_entry *next;
    py_shape shape;
};

bool py_shape_of(py_state *state, const leat_type *type, const py_shape **out) {
    *out = NULL;
    if (!type || type->tag == LEAT_T_PICKLED) return true;
    for (py_shape_entry *e = state->shapes; e; e = e->next)
        if (e->shape.type == type) {
            *out = &e->shape;
            return true;
        }
    py_shape_entry *entry = leati_zalloc(sizeof *entry);
    if (!entry) return PyErr_NoMemory() != NULL;
    if (!shape_init(&entry->shape, state, type)) {
        shape_fini(&entry->shape);
        leati_free(entry);
        return false;
    }
    entry->next = state->shapes;
    state->shapes = entry;
    *out = &entry->shape;
    return true;
}

void py_shapes_free(py_state *state) {
    while (state->shapes) {
        py_shape_entry *entry = state->shapes;
        state->shapes = entry->next;
        shape_fini(&entry->shape);
        leati_free(entry);
    }
}

PyObject *py_shape_convert(const py_shape *shape, PyObject *o) {
    PyObject *made = shape->convert(shape, o, NULL);
    Py_DECREF(o);
    return made;
}
