/* py_state.h: keyed state of user functions: what RuntimeContext.get_state and its kin answer. */
#ifndef LEATI_PY_STATE_H
#define LEATI_PY_STATE_H

#include "pybridge/py_mapping.h"
#include "pybridge/py_shape.h"

/* Makes states by their descriptors for one function in one subtask: a new reference, NULL with an
   error set. It and its states look through to `ctx` until py_states_end. */
PyObject *py_states_new(py_state *state, leat_context *ctx);
/* The same for states under a namespace, which `ns` says at each of their calls and which outlives
   them; their names are apart from those of other prefixes. */
PyObject *py_states_in(py_state *state, leat_context *ctx, const char *prefix,
                       const leat_namespace *ns);
/* `states` may be NULL. */
void py_states_end(PyObject *states);
/* The state of a descriptor, through Python's KeyedStateStore `store` over `states`, but for those
   that were asked for last: a new reference, NULL with an error set. */
PyObject *py_states_of(PyObject *states, PyObject *store, PyObject *descriptor);
/* What is in the state under `sources` joins what is there under `into`, and is gone. For list,
   reducing and aggregating state; false with an error set. `now` is the namespace that
   py_states_in was given, and is as before afterwards. */
bool py_state_join(PyObject *state, leat_namespace *now, leat_namespace into,
                   const leat_namespace *sources, size_t count);

/* --- between the files of state --------------------------------------------------------------- */

/* One state of one function: all five kinds. */
typedef struct py_cell {
    py_mapping mapping; /* its calls are of map state only */
    leat_context *ctx;  /* NULL after the end */
    leat_state *state;
    const leat_namespace *ns;
    py_state *module;
    const leat_type *declared; /* whole, as it was asked for */
    const leat_type *type;     /* of what is stored natively; NULL: objects as they are */
    const leat_type *contains; /* of elements that stand natively in a list or map, else NULL */
    const py_shape *shape;     /* of values, elements and accumulators */
    const py_shape *key_shape; /* of a map's keys */
    leat_ttl ttl;
    leat_state_kind kind;
    /* Of reducing and aggregating state: calls of the function. */
    PyObject *fold, *create, *result, *merge;
} py_cell;

/* A new reference to what is stored under the current key; NULL without an error when there is
   nothing. */
PyObject *py_cell_get(py_cell *c, bool *failed);
/* Stores `o` natively where the type allows it. False with an error set. */
bool py_cell_put(py_cell *c, PyObject *o);
bool py_cell_remove(py_cell *c);
/* Of lists and maps that hold native values; what is given has its shape. False or -1 with an error
   set. 1: `out` is a new reference, 0: there is none. Setting NULL removes. */
bool py_cell_append(py_cell *c, PyObject *element);
int py_cell_map_get(py_cell *c, PyObject *key, PyObject **out);
int py_cell_map_any(py_cell *c); /* are there pairs? */
bool py_cell_map_set(py_cell *c, PyObject *key, PyObject *value);

/* What kinds of state share: all of them, and lists and maps whose elements expire. */
static inline py_cell *py_cell_of(PyObject *self) {
    return (py_cell *)(void *)self;
}
int py_cell_traverse(PyObject *self, visitproc visit, void *arg);
int py_cell_clear(PyObject *self);
void py_cell_dealloc(PyObject *self);
PyObject *py_cell_forget(PyObject *self, PyObject *unused);
/* A new reference to `o` in the form of the shape. */
PyObject *py_cell_shaped(const py_shape *shape, PyObject *o);
/* `element` with the time of now beside it, where the state expires. Steals it; it may be NULL. */
PyObject *py_cell_timed(const py_cell *c, PyObject *element);
/* Is the pair's time up? Its element is borrowed. */
bool py_cell_expired(const py_cell *c, PyObject *pair, int64_t now, PyObject **element);
/* What is stored; `empty()`, stored at once, when it is missing and `make`; NULL without an error
   when there is none. What came natively out of a snapshot is put back as an object before it
   changes. */
PyObject *py_cell_container(py_cell *c, bool make, PyObject *(*empty)(void), bool *failed);

enum {
    PY_STATE_FLAGS = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION |
                     Py_TPFLAGS_IMMUTABLETYPE
};
#define PY_STATE_CLEAR \
    { "clear", py_cell_forget, METH_NOARGS, PyDoc_STR("Forget it for the current key.") }
#define PY_STATE_SLOTS(doc, methods)                                                        \
    {Py_tp_doc, (void *)(uintptr_t)(doc)}, {Py_tp_methods, methods},                        \
        {Py_tp_traverse, (void *)py_cell_traverse}, {Py_tp_clear, (void *)py_cell_clear}, { \
        Py_tp_dealloc, (void *)py_cell_dealloc                                              \
    }
#define PY_STATE_SPEC(title, slots) \
    { "leat._leat." title, sizeof(py_cell), 0, PY_STATE_FLAGS, slots }
extern const py_mapping_calls py_map_state_calls;

/* The types' specifications, by leat_state_kind. */
PyType_Spec *py_value_state_spec(void);
PyType_Spec *py_list_state_spec(void);
PyType_Spec *py_map_state_spec(void);
PyType_Spec *py_reducing_state_spec(void);
PyType_Spec *py_aggregating_state_spec(void);

bool py_state_types_init(PyObject *module, py_state *state);

#endif
