/* py_join.c: functions of two records, or of two lists of records, with one key: interval joins,
   window joins and co-groups in Python. A ProcessJoinFunction has a context, a JoinFunction gives
   one result, a FlatJoinFunction and a CoGroupFunction any number. A plain callable gives one
   result or yields several. None is no result. */
#include "leat/window.h"
#include "pybridge/py_call.h"
#include "pybridge/py_window.h"

const char *py_join_method(py_call *c) {
    if (PyObject_HasAttrString(c->function, "process_element")) return "process_element";
    PyObject *single = PyObject_GetAttrString(c->function, "_single");
    if (!single) PyErr_Clear();
    c->single = single == Py_True;
    Py_XDECREF(single);
    Py_CLEAR(c->context); /* which only ProcessJoinFunctions get */
    return "join";
}

/* What a method gives, or a generator, are results to be taken one by one. */
static leat_status join_results(py_call *c, leat_context *ctx, leat_emitter *out,
                                PyObject *result) {
    bool several = !result || result == Py_None || PyIter_Check(result);
    if (several || (c->is_function && !c->single)) return py_result_emit(c, ctx, out, result, true);
    return py_result_push(c, ctx, out, result);
}

leat_status py_join_call(leat_context *ctx, const leat_value *first, const leat_value *second,
                         leat_emitter *out, void *self) {
    py_call *c = self;
    PyObject *made_a, *made_b = NULL, *result = NULL;
    PyObject *a = py_argument(c, first, c->in[0], &made_a);
    PyObject *b = LEAT_LIKELY(a != NULL) ? py_argument(c, second, c->in[1], &made_b) : NULL;
    if (LEAT_LIKELY(b != NULL))
        result = c->context ? py_invoke_3(&c->targets[0], a, b, c->context)
                            : py_invoke_2(&c->targets[0], a, b);
    Py_XDECREF(made_a);
    Py_XDECREF(made_b);
    return join_results(c, ctx, out, result);
}

static leat_status co_group_call(leat_context *ctx, const leat_window *w, const leat_value *first,
                                 size_t first_count, const leat_value *second, size_t second_count,
                                 leat_emitter *out, void *self) {
    (void)w;
    py_call *c = self;
    PyObject *a = py_elements(c, first, first_count, c->in[0]);
    PyObject *b = a ? py_elements(c, second, second_count, c->in[1]) : NULL;
    PyObject *result = b ? py_invoke_2(&c->targets[0], a, b) : NULL;
    Py_XDECREF(a);
    Py_XDECREF(b);
    return py_result_emit(c, ctx, out, result, true);
}

const leat_window_function py_co_group_table = {.size = sizeof py_co_group_table,
                                                .co_group = co_group_call};
