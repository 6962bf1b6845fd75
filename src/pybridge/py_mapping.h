/* py_mapping.h: the methods of states that are maps, of keyed and of broadcast ones: what a state
   is asked for, by whichever name, comes down to four calls of its own. */
#ifndef LEATI_PY_MAPPING_H
#define LEATI_PY_MAPPING_H

#include "pybridge/py_error.h"

typedef enum py_mapping_part {
    PY_MAPPING_ITEMS,
    PY_MAPPING_KEYS,
    PY_MAPPING_VALUES
} py_mapping_part;

/* Each fails with an error set. */
typedef struct py_mapping_calls {
    /* 1: `out` is a new reference, 0: there is none, -1: failed. */
    int (*look)(PyObject *self, PyObject *key, PyObject **out);
    /* `value` NULL: forgets the key, which need not be there. */
    bool (*set)(PyObject *self, PyObject *key, PyObject *value);
    /* What is there now, as a new list. */
    PyObject *(*list)(PyObject *self, py_mapping_part part);
    int (*any)(PyObject *self); /* are there pairs? */
} py_mapping_calls;

/* What the structs of such states begin with. */
typedef struct py_mapping {
    PyObject ob_base;
    const py_mapping_calls *calls;
} py_mapping;

PyObject *py_mapping_get(PyObject *self, PyObject *key);
int py_mapping_contains_key(PyObject *self, PyObject *key);
PyObject *py_mapping_contains(PyObject *self, PyObject *key);
PyObject *py_mapping_is_empty(PyObject *self, PyObject *unused);
/* Iterators of what is there now, so that the state may change meanwhile. */
PyObject *py_mapping_items(PyObject *self, PyObject *unused);
PyObject *py_mapping_keys(PyObject *self, PyObject *unused);
PyObject *py_mapping_values(PyObject *self, PyObject *unused);
PyObject *py_mapping_iter(PyObject *self);
PyObject *py_mapping_put(PyObject *self, PyObject *const *args, Py_ssize_t count);
PyObject *py_mapping_put_all(PyObject *self, PyObject *mapping);
PyObject *py_mapping_remove(PyObject *self, PyObject *key);
int py_mapping_assign(PyObject *self, PyObject *key, PyObject *value);

/* Rows of a type's methods. */
#define PY_MAPPING_READING                                                                      \
    {"get", py_mapping_get, METH_O, PyDoc_STR("The value of a key, None when there is none.")}, \
        {"contains", py_mapping_contains, METH_O, PyDoc_STR("Is the key there?")},              \
        {"items", py_mapping_items, METH_NOARGS, PyDoc_STR("All pairs.")},                      \
        {"keys", py_mapping_keys, METH_NOARGS, PyDoc_STR("All keys.")},                         \
        {"values", py_mapping_values, METH_NOARGS, PyDoc_STR("All values.")}, {                 \
        "is_empty", py_mapping_is_empty, METH_NOARGS, PyDoc_STR("Are there no pairs?")          \
    }
#define PY_MAPPING_WRITING                                                                     \
    {"put", (PyCFunction)(void (*)(void))py_mapping_put, METH_FASTCALL,                        \
     PyDoc_STR("Set a key's value.")},                                                         \
        {"put_all", py_mapping_put_all, METH_O, PyDoc_STR("Set all that the mapping has.")}, { \
        "remove", py_mapping_remove, METH_O,                                                   \
            PyDoc_STR("Forget a key; harmless when it is not there.")                          \
    }
/* Slots of a type, for reading; {Py_mp_ass_subscript, (void *)py_mapping_assign} is for writing. */
#define PY_MAPPING_SLOTS                                                                \
    {Py_tp_iter, (void *)py_mapping_iter}, {Py_mp_subscript, (void *)py_mapping_get}, { \
        Py_sq_contains, (void *)py_mapping_contains_key                                 \
    }

#endif
