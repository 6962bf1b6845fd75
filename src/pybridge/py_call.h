/* py_call.h: one user function in one subtask, between the files that call it: py_function.c finds
   and opens it, py_roles.c calls it, py_results.c emits what it gives. One thread: the subtask's,
   inside the interpreter. */
#ifndef LEATI_PY_CALL_H
#define LEATI_PY_CALL_H

#include "pybridge/py_convert.h"
#include "pybridge/py_loop.h"
#include "pybridge/py_shape.h"

/* A callable, taken apart: a bound method is its function and its object, so that a call costs no
   detour. */
typedef struct py_target {
    vectorcallfunc call;
    PyObject *function;
    PyObject *self; /* NULL: not a method */
} py_target;

/* Side outputs that were used last: their names and types. */
enum { PY_SIDES = 4 };
enum { PY_TARGETS = 5 }; /* methods of a function in one role */
typedef struct py_side {
    PyObject *tag; /* an OutputTag */
    PyObject *name;
    const char *text; /* of `name` */
    const py_shape *shape;
} py_side;

typedef struct py_call py_call;
typedef struct py_windowed py_windowed; /* py_window.h */
typedef struct py_source py_source;     /* py_source.h */

/* Drives an iterator. One is embedded for the common case that it is the only one. */
typedef struct py_cursor {
    leat_cursor cursor; /* first */
    py_call *call;
    PyObject *iterator;
    bool busy;
} py_cursor;

struct py_call {
    py_state *state;
    leati_arena *arena; /* of the chain */
    leat_role role;
    uint16_t domain;
    leat_value lent;               /* an object of the domain, but for which */
    py_target targets[PY_TARGETS]; /* of input 0 and 1, or one per call of the role's table */
    py_target on_timer;            /* of keyed process functions */
    const leat_type *in[2];
    PyObject *spare;        /* an integer for those that it is called with; may be NULL */
    Py_ssize_t item;        /* of key selectors and timestamps: what they take of a tuple, or -1 */
    const py_shape *shape;  /* of the output; NULL: anything */
    PyTypeObject *tag_type; /* OutputTag; NULL until a value may be one */
    PyObject *context;      /* of process functions and sinks that ask for one */
    PyObject *broadcast_context; /* of the broadcast side, where there is one */
    PyObject *declared;          /* the names of the broadcast states there are; NULL: any */
    PyObject *states;            /* makes keyed state; NULL when there are no keys */
    PyObject *metrics;           /* makes metrics */
    py_cursor cursor;
    py_side sides[PY_SIDES];
    uint32_t next_side;
    PyObject *output;       /* of watermark generators */
    py_source *source;      /* of a source; else NULL */
    PyObject *transactions; /* of a sink in two phases; else NULL */
    py_windowed *windowed;  /* of the roles of windows; else NULL */
    py_loop *loop;          /* of async functions, while they are open */
    PyObject *cancelled;    /* their cancelled tasks, a list */
    bool batch;             /* they are given lists */
    PyObject *function;     /* the user's object */
    bool single;            /* a method of a join gives one result */
    bool is_function;       /* an instance of leat's Function: has open and close */
};

static inline PyObject *py_invoke_1(const py_target *t, PyObject *a) {
    PyObject *args[3] = {NULL, t->self, a};
    if (t->self) return t->call(t->function, args + 1, 2 | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
    return t->call(t->function, args + 2, 1 | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
}

static inline PyObject *py_invoke_2(const py_target *t, PyObject *a, PyObject *b) {
    PyObject *args[4] = {NULL, t->self, a, b};
    if (t->self) return t->call(t->function, args + 1, 3 | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
    return t->call(t->function, args + 2, 2 | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
}

static inline PyObject *py_invoke_3(const py_target *t, PyObject *a, PyObject *b, PyObject *c) {
    PyObject *args[5] = {NULL, t->self, a, b, c};
    if (t->self) return t->call(t->function, args + 1, 4 | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
    return t->call(t->function, args + 2, 3 | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
}

static inline PyObject *py_invoke_4(const py_target *t, PyObject *a, PyObject *b, PyObject *c,
                                    PyObject *d) {
    PyObject *args[6] = {NULL, t->self, a, b, c, d};
    if (t->self) return t->call(t->function, args + 1, 5 | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
    return t->call(t->function, args + 2, 4 | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
}

/* The argument that a value is: lent with the record when it is an object, otherwise made, and then
   in `made`, too. */
static inline PyObject *py_argument(py_call *c, const leat_value *v, const leat_type *type,
                                    PyObject **made) {
    *made = NULL;
    if (LEAT_LIKELY(v->kind == LEAT_OBJECT && v->domain == c->domain)) return v->as.object;
    if (v->kind == LEAT_INT && !py_type_floats(type))
        return *made = py_int_again(&c->spare, v->as.i);
    return *made = py_from_value(c->state, v, type);
}

static inline leat_value py_lend(const py_call *c, PyObject *o) {
    leat_value v = c->lent;
    v.as.object = o;
    return v;
}

/* --- py_results.c ----------------------------------------------------------------------------- */

/* Takes the exception of a result that does not fit its type, or of any other call. */
leat_status py_result_fail(py_call *c, leat_context *ctx);
/* Emits one item, to a side output when it is a pair of an OutputTag and a value. Steals `item`. */
leat_status py_result_push(py_call *c, leat_context *ctx, leat_emitter *out, PyObject *item);
/* Emits what a call gave: a list or tuple at once if it is short, anything else iterable by a
   cursor. Steals `result`, which may be NULL for a failed call; None is nothing when
   `none_is_fine`. */
leat_status py_result_emit(py_call *c, leat_context *ctx, leat_emitter *out, PyObject *result,
                           bool none_is_fine);

/* --- py_roles.c ------------------------------------------------------------------------------- */

/* Fills in the calls of the role; LEAT_E_UNSUPPORTED with an exception set for one that no Python
   function can play. */
leat_status py_roles_fill(py_call *c, leat_function *fn);
/* Keeps the reference to an object that stays valid until the hook returns; steals it. */
leat_status py_keep(py_call *c, PyObject *o, leat_value *out);

/* --- py_join.c -------------------------------------------------------------------------------- */

/* The name of a join function's method; looks what is to be known of its results. */
const char *py_join_method(py_call *c);
leat_status py_join_call(leat_context *ctx, const leat_value *first, const leat_value *second,
                         leat_emitter *out, void *self);
extern const leat_window_function py_co_group_table;

/* --- py_sink.c -------------------------------------------------------------------------------- */

/* Of sinks, after their function was found: is it one in two phases? False with an error set. */
bool py_sink_init(py_call *c);
/* Before the user's open. False with an error set. */
bool py_sink_open(py_call *c, leat_context *ctx);
/* Before the user's close. */
void py_sink_end(py_call *c, leat_context *ctx);
/* The calls of the second phase, where there is one. */
void py_sink_fill(const py_call *c, leat_function *fn);

/* --- py_bulk.c -------------------------------------------------------------------------------- */

extern const leat_bulk_writer py_bulk_table;

/* --- py_watermark.c --------------------------------------------------------------------------- */

/* Makes what a watermark generator speaks to. False with an error set. */
bool py_watermark_open(py_call *c);
extern const leat_watermark_generator py_watermark_table;

/* --- py_async.c ------------------------------------------------------------------------------- */

const leat_async *py_async_table(void);
/* After its function was found, of the role ASYNC. False with an error set. */
bool py_async_init(py_call *c);
/* Around the user's open and close; do nothing for other roles. */
bool py_async_open(py_call *c);
void py_async_settle(py_call *c);
void py_async_end(py_call *c);
bool py_async_types_init(PyObject *module, py_state *state);

#endif
