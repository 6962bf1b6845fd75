/* py_aggregate.c: an AggregateFunction for windows. An accumulator is a live object, or a native
   value where it has a type: it is made an object for each call then, which costs more per record
   and less per key. */
#include "pybridge/py_error.h"
#include "pybridge/py_object.h"
#include "pybridge/py_window.h"

enum { CREATE, ADD, RESULT, COMBINE };

/* What a call gave becomes the accumulator; steals it, it may be NULL. */
static leat_status keep_accumulator(py_call *c, leat_context *ctx, PyObject *o, leat_value *out) {
    const py_windowed *w = c->windowed;
    if (LEAT_UNLIKELY(!o)) return py_error_user(c->state, ctx);
    if (!w->accumulator) return py_keep(c, o, out);
    o = py_shape_apply(w->accumulator_shape, o);
    leat_status status = o ? py_to_value(c->state, o, w->accumulator, c->arena, out) : LEAT_E_TYPE;
    if (status < 0) {
        Py_XDECREF(o);
        return py_error_fail(ctx, LEAT_E_TYPE);
    }
    leat_value kept; /* a string may lie in the object */
    return py_keep(c, o, &kept);
}

static leat_status create_call(leat_context *ctx, leat_value *out, void *self) {
    py_call *c = self;
    const py_target *t = &c->targets[CREATE];
    PyObject *args[2] = {NULL, t->self};
    size_t count = t->self ? 1 : 0;
    return keep_accumulator(
        c, ctx, t->call(t->function, args + 1, count | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL), out);
}

static leat_status add_call(leat_context *ctx, const leat_value *value,
                            const leat_value *accumulator, leat_value *out, void *self) {
    py_call *c = self;
    PyObject *made, *made_a = NULL, *result = NULL;
    PyObject *v = py_argument(c, value, c->in[0], &made);
    PyObject *a = v ? py_argument(c, accumulator, c->windowed->accumulator, &made_a) : NULL;
    if (LEAT_LIKELY(a != NULL)) result = py_invoke_2(&c->targets[ADD], v, a);
    Py_XDECREF(made);
    Py_XDECREF(made_a);
    return keep_accumulator(c, ctx, result, out);
}

/* An accumulator that `merge` or `get_result` may change or give away: where slices are merged
   again and again, a copy. */
static PyObject *own(py_call *c, const leat_value *v) {
    PyObject *made, *o = py_argument(c, v, c->windowed->accumulator, &made);
    if (made || !o) return made;
    return c->windowed->table.aggregate.mergeable ? py_object_cut(c->state, o) : Py_NewRef(o);
}

static leat_status result_call(leat_context *ctx, const leat_value *accumulator, leat_value *out,
                               void *self) {
    py_call *c = self;
    PyObject *a = own(c, accumulator);
    PyObject *result = a ? py_invoke_1(&c->targets[RESULT], a) : NULL;
    Py_XDECREF(a);
    if (!result) return py_error_user(c->state, ctx);
    if (c->windowed->last) result = py_shape_apply(c->shape, result);
    return result ? py_keep(c, result, out) : py_error_fail(ctx, LEAT_E_TYPE);
}

static leat_status merge_call(leat_context *ctx, const leat_value *a, const leat_value *b,
                              leat_value *out, void *self) {
    py_call *c = self;
    PyObject *x = own(c, a), *y = x ? own(c, b) : NULL;
    PyObject *result = y ? py_invoke_2(&c->targets[COMBINE], x, y) : NULL;
    Py_XDECREF(x);
    Py_XDECREF(y);
    return keep_accumulator(c, ctx, result, out);
}

bool py_aggregate_fill(py_call *c, leat_function *fn) {
    leat_aggregate *table = &c->windowed->table.aggregate;
    PyObject *mergeable = PyObject_GetAttrString(c->function, "mergeable");
    int truth = mergeable ? PyObject_IsTrue(mergeable) : 0;
    Py_XDECREF(mergeable);
    if (!mergeable) PyErr_Clear();
    if (truth < 0) return false;
    *table = (leat_aggregate){
        .size = sizeof *table,
        .mergeable = truth,
        .create = create_call,
        .add = add_call,
        .result = result_call,
        .merge = merge_call,
    };
    fn->call.aggregate = table;
    return true;
}
