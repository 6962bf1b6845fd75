/* py_state.h: keyed state of user functions: what RuntimeContext.get_state and its kin answer. */
#ifndef LEATI_PY_STATE_H
#define LEATI_PY_STATE_H

#include "pybridge/py_shape.h"

/* Makes states by their descriptors for one function in one subtask: a new reference, NULL with an
   error set. It and its states look through to `ctx` until py_states_end. */
PyObject *py_states_new(py_state *state, leat_context *ctx);
/* `states` may be NULL. */
void py_states_end(PyObject *states);

/* --- between the files of state --------------------------------------------------------------- */

/* One state of one function: all five kinds. */
typedef struct py_cell {
    PyObject ob_base;
    leat_context *ctx; /* NULL after the end */
    leat_state *state;
    py_state *module;
    const leat_type *type;     /* of what is stored natively; NULL: objects as they are */
    const py_shape *shape;     /* of values, elements and accumulators */
    const py_shape *key_shape; /* of a map's keys */
    leat_ttl ttl;
    PyObject *fold, *create, *result; /* of reducing and aggregating state: calls of the function */
} py_cell;

/* A new reference to what is stored under the current key; NULL without an error when there is
   nothing. */
PyObject *py_cell_get(py_cell *c, bool *failed);
/* Stores `o` natively where the type allows it. False with an error set. */
bool py_cell_put(py_cell *c, PyObject *o);
bool py_cell_remove(py_cell *c);

/* The types' specifications, by leat_state_kind. */
PyType_Spec *py_value_state_spec(void);
PyType_Spec *py_list_state_spec(void);
PyType_Spec *py_map_state_spec(void);
PyType_Spec *py_reducing_state_spec(void);
PyType_Spec *py_aggregating_state_spec(void);

bool py_state_types_init(PyObject *module, py_state *state);

#endif
