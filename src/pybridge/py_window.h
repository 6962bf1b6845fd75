/* py_window.h: what functions of windowed streams need beyond py_call: windows as Python objects
   and back, the window of the call, and the contexts that look at it. Each role of windows has a
   file: py_assigner.c, py_trigger.c, py_evictor.c, py_aggregate.c, py_window_function.c. */
#ifndef LEATI_PY_WINDOW_H
#define LEATI_PY_WINDOW_H

#include "leat/window.h"
#include "pybridge/py_call.h"

/* Of the window of the call, which may be a cursor's that is advanced long after it. */
enum { PY_NAMESPACE = 32 };

struct py_windowed {
    union {
        leat_assigner assigner;
        leat_trigger trigger;
        leat_evictor evictor;
        leat_aggregate aggregate;
        leat_window_function window;
    } table;              /* what the function's `call` points to */
    PyObject *serializer; /* of windows of users' classes; None: they are pickled */
    PyObject *method;     /* the name of a window function's; NULL: it is to be looked for */
    bool keyed;           /* window functions get the key */
    bool merging;         /* windows merge, and have no state */
    bool last;            /* what an aggregate gives is emitted */
    const leat_type *accumulator; /* NULL: any object */
    const py_shape *accumulator_shape;

    leat_window window;      /* of the call */
    PyObject *window_object; /* it; NULL until somebody wants it */
    leat_namespace ns;       /* its; kept up while `wants_ns` */
    bool wants_ns;
    char ns_bytes[PY_NAMESPACE];
    char *ns_long; /* where it does not fit; else NULL */
    size_t ns_room;
    const leat_window *merged; /* while a trigger hears of a merge */
    size_t merged_count;

    leat_context *ctx;
    PyObject *context;                      /* for the user; looks through to this struct */
    PyObject *window_states, *window_store; /* states of the window, and their KeyedStateStore */
    PyObject *global_store;
    PyObject *results[4]; /* the TriggerResults, by leat_trigger_result */
};

/* Is it a role of windows, with a py_windowed? */
bool py_windowed_role(leat_role role);
/* Makes `c->windowed`, and takes the function out of what it was dressed in for the journey. False
   with an error set. */
bool py_windowed_init(py_call *c);
void py_windowed_end(py_call *c);
/* Also outside of the interpreter; `drop` releases an object. */
void py_windowed_free(py_call *c, void (*drop)(py_call *c, PyObject *o));

/* Fills in `fn` and the table; false with an error set. */
bool py_assigner_fill(py_call *c, leat_function *fn);
bool py_trigger_fill(py_call *c, leat_function *fn);
bool py_evictor_fill(py_call *c, leat_function *fn);
bool py_aggregate_fill(py_call *c, leat_function *fn);
bool py_window_function_fill(py_call *c, leat_function *fn);
/* Does it have `process`, which is given a context, and may have `clear`? */
bool py_window_function_has_context(py_call *c);

/* From here on `w` is the window of the call. False with an error set. */
bool py_window_enter(py_call *c, const leat_window *w);
/* Its object, lent until the next call. NULL with an error set. */
PyObject *py_window_object(py_call *c);
/* A window that a user's function gave. What its bytes lie in is appended to `holders`, a list. */
bool py_window_read(py_call *c, PyObject *o, PyObject *holders, leat_window *out);
/* A list of the elements' objects. */
PyObject *py_elements(py_call *c, const leat_value *elements, size_t count, const leat_type *type);
/* The namespace of the window of the call; false with an error set. */
bool py_window_namespace(py_windowed *w);
/* Its states, whose names are apart from those of other prefixes: `window_states` and
   `window_store` are there afterwards. False with an error set. */
bool py_window_states(py_call *c, const char *prefix);

/* Contexts. The types have the same instances: a pointer to the py_call, NULL after its end. */
PyObject *py_window_context_new(py_call *c, PyTypeObject *type);
py_call *py_window_context_of(PyObject *self);
PyObject *py_window_context_now(PyObject *self, PyObject *unused);
PyObject *py_window_context_watermark(PyObject *self, PyObject *unused);
PyObject *py_window_context_runtime(PyObject *self, PyObject *unused);
PyObject *py_window_context_metrics(PyObject *self, PyObject *unused);
/* Adds a type of contexts with these methods to the module. */
PyTypeObject *py_window_context_type(PyObject *module, const char *name, const char *doc,
                                     PyMethodDef *methods);
bool py_window_types_init(PyObject *module, py_state *state);
bool py_assigner_type_init(PyObject *module, py_state *state);
bool py_trigger_types_init(PyObject *module, py_state *state);
bool py_window_function_type_init(PyObject *module, py_state *state);

#endif
