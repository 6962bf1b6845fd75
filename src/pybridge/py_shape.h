/* py_shape.h: a declared type, compiled into a tree of checks that run on every result of an
   operator. */
#ifndef LEATI_PY_SHAPE_H
#define LEATI_PY_SHAPE_H

#include "pybridge/py_module.h"

typedef struct py_shape py_shape;
typedef struct py_place py_place;

struct py_shape {
    bool (*fits)(const py_shape *shape, PyObject *o); /* exactly as declared: nothing to do */
    /* A new reference to what `o` is as this type; NULL with an error set. */
    PyObject *(*convert)(const py_shape *shape, PyObject *o, const py_place *place);
    const leat_type *type;
    py_state *state;
    int64_t low, high; /* of integers */
    PyObject *names;   /* of rows: a tuple */
    uint32_t size;
    py_shape *items; /* `size` of them */
};

/* The shape of a type, compiled once per interpreter and kept for its life; NULL in `out` for a
   type that is NULL or PICKLED, for which nothing is to be checked. False with an error set. */
bool py_shape_of(py_state *state, const leat_type *type, const py_shape **out);
void py_shapes_free(py_state *state);

/* Steals `o`; answers it, or what the type makes of it, or NULL with an error set. `shape` may be
   NULL. */
PyObject *py_shape_convert(const py_shape *shape, PyObject *o);
static inline PyObject *py_shape_apply(const py_shape *shape, PyObject *o) {
    if (!shape || LEAT_LIKELY(shape->fits(shape, o))) return o;
    return py_shape_convert(shape, o);
}

#endif
