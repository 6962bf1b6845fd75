/* py_roles.c: the calls of every role. Around the user's call: find the argument (an object is lent
   by its record, a native value becomes an object), call, check the result against the declared
   type, and leave the reference with the context. Results are LEAT_OBJECT values always, None
   included. */
#include "pybridge/py_call.h"
#include "pybridge/py_context.h"
#include "pybridge/py_error.h"
#include "pybridge/py_function.h"
#include "pybridge/py_source.h"
#include "pybridge/py_window.h"
#include "runtime/base/hint.h"

leat_status py_keep(py_call *c, PyObject *o, leat_value *out) {
    leat_value kept = py_lend(c, o);
    *out = kept;
    return leati_arena_keep(c->arena, &kept);
}

/* The result of a call that gives one value; steals `result`. */
static inline leat_status keep_result(py_call *c, leat_context *ctx, PyObject *result,
                                      leat_value *out) {
    if (LEAT_UNLIKELY(!result)) return py_error_user(c->state, ctx);
    result = py_shape_apply(c->shape, result);
    if (LEAT_UNLIKELY(!result)) return py_result_fail(c, ctx);
    return py_keep(c, result, out);
}

/* Calls target `input` with the record's value; NULL with an error set. */
static inline PyObject *call_with(py_call *c, unsigned input, const leat_record *in) {
    PyObject *made, *value = py_argument(c, &in->value, c->in[input], &made);
    if (LEAT_UNLIKELY(!value)) return NULL;
    PyObject *result = py_invoke_1(&c->targets[input], value);
    Py_XDECREF(made);
    return result;
}

/* The same with a context as the second argument. */
static inline PyObject *call_with_context(py_call *c, unsigned input, const leat_record *in,
                                          PyObject *context) {
    PyObject *made, *value = py_argument(c, &in->value, c->in[input], &made);
    if (LEAT_UNLIKELY(!value)) return NULL;
    PyObject *result = py_invoke_2(&c->targets[input], value, context);
    Py_XDECREF(made);
    return result;
}

static leat_status map_call(leat_context *ctx, const leat_record *in, leat_value *out, void *self) {
    return keep_result(self, ctx, call_with(self, 0, in), out);
}

static leat_status flat_map_call(leat_context *ctx, const leat_record *in, leat_emitter *out,
                                 void *self) {
    return py_result_emit(self, ctx, out, call_with(self, 0, in), false);
}

static leat_status filter_call(leat_context *ctx, const leat_record *in, bool *keep, void *self) {
    py_call *c = self;
    PyObject *result = call_with(c, 0, in);
    int truth = result == Py_True ? 1 : result == Py_False ? 0 : -1;
    if (LEAT_UNLIKELY(truth < 0) && result) truth = PyObject_IsTrue(result);
    Py_XDECREF(result);
    if (LEAT_UNLIKELY(truth < 0)) return py_error_user(c->state, ctx);
    *keep = truth;
    return LEAT_OK;
}

/* The item that the selector takes, lent by the tuple that the record is; NULL: it is to be
   called. */
static inline PyObject *item_of(const py_call *c, const leat_value *v) {
    if (c->item < 0 || v->kind != LEAT_OBJECT || v->domain != c->domain) return NULL;
    PyObject *o = v->as.object;
    bool there = PyTuple_CheckExact(o) && c->item < PyTuple_GET_SIZE(o);
    return there ? PyTuple_GET_ITEM(o, c->item) : NULL;
}

static LEATI_APART leat_status key_by_call(py_call *c, leat_context *ctx, const leat_record *in,
                                           leat_value *key) {
    PyObject *result = call_with(c, 0, in);
    if (LEAT_UNLIKELY(!result)) return py_error_user(c->state, ctx);
    leat_value kept = py_lend(c, result);
    *key = kept;
    return leati_arena_keep(c->arena, &kept);
}

/* An object: who wants the key natively asks by the key's type. */
static leat_status key_call(leat_context *ctx, const leat_record *in, leat_value *key, void *self) {
    py_call *c = self;
    PyObject *item = item_of(c, &in->value);
    if (!item) return key_by_call(c, ctx, in, key);
    *key = py_lend(c, item);
    return LEAT_OK;
}

static leat_status reduce_call(leat_context *ctx, const leat_value *a, const leat_value *b,
                               leat_value *out, void *self) {
    py_call *c = self;
    PyObject *made_a, *made_b = NULL, *result = NULL;
    PyObject *x = py_argument(c, a, c->in[0], &made_a);
    PyObject *y = LEAT_LIKELY(x != NULL) ? py_argument(c, b, c->in[0], &made_b) : NULL;
    if (LEAT_LIKELY(y != NULL)) result = py_invoke_2(&c->targets[0], x, y);
    Py_XDECREF(made_a);
    Py_XDECREF(made_b);
    return keep_result(c, ctx, result, out);
}

/* None is no result. */
static leat_status co_map_call(leat_context *ctx, unsigned input, const leat_record *in,
                               leat_emitter *out, void *self) {
    py_call *c = self;
    PyObject *result = call_with(c, input, in);
    if (LEAT_UNLIKELY(!result)) return py_error_user(c->state, ctx);
    if (result != Py_None) return py_result_push(c, ctx, out, result);
    Py_DECREF(result);
    return LEAT_OK;
}

static leat_status co_flat_map_call(leat_context *ctx, unsigned input, const leat_record *in,
                                    leat_emitter *out, void *self) {
    return py_result_emit(self, ctx, out, call_with(self, input, in), true);
}

static leat_status process_call(leat_context *ctx, unsigned input, const leat_record *in,
                                leat_emitter *out, void *self) {
    py_call *c = self;
    return py_result_emit(c, ctx, out, call_with_context(c, input, in, c->context), true);
}

static leat_status broadcast_call(leat_context *ctx, unsigned input, const leat_record *in,
                                  leat_emitter *out, void *self) {
    py_call *c = self;
    PyObject *context = input ? c->broadcast_context : c->context;
    return py_result_emit(c, ctx, out, call_with_context(c, input, in, context), true);
}

static leat_status timer_call(leat_context *ctx, const leat_timer *timer, leat_emitter *out,
                              void *self) {
    py_call *c = self;
    if (!c->on_timer.function) return LEAT_OK;
    py_context_fires(c->context, timer->domain);
    PyObject *time = PyLong_FromLongLong(timer->time);
    PyObject *result = time ? py_invoke_2(&c->on_timer, time, c->context) : NULL;
    Py_XDECREF(time);
    return py_result_emit(c, ctx, out, result, true);
}

static leat_status sink_call(leat_context *ctx, const leat_record *in, void *self) {
    py_call *c = self;
    PyObject *result = c->context ? call_with_context(c, 0, in, c->context) : call_with(c, 0, in);
    if (LEAT_UNLIKELY(!result)) return py_error_user(c->state, ctx);
    Py_DECREF(result);
    return LEAT_OK;
}

static LEATI_APART leat_status time_by_call(py_call *c, leat_context *ctx, const leat_record *in,
                                            int64_t *time) {
    PyObject *made, *value = py_argument(c, &in->value, c->in[0], &made);
    PyObject *before = value ? PyLong_FromLongLong(*time) : NULL;
    PyObject *result = before ? py_invoke_2(&c->targets[0], value, before) : NULL;
    bool ok = result && py_millis_read(result, "an event time", time);
    Py_XDECREF(made);
    Py_XDECREF(before);
    Py_XDECREF(result);
    return LEAT_LIKELY(ok) ? LEAT_OK : py_error_user(c->state, ctx);
}

/* The new time of a record, any integer of 64 bits. */
static leat_status timestamp_call(leat_context *ctx, const leat_record *in, int64_t *time,
                                  void *self) {
    py_call *c = self;
    PyObject *item = item_of(c, &in->value);
    if (LEAT_LIKELY(item && PyLong_CheckExact(item) && py_int_read(item, time))) return LEAT_OK;
    return time_by_call(c, ctx, in, time);
}

/* A target outside of what there is stays for the operator to refuse. */
static leat_status partition_call(leat_context *ctx, const leat_value *key, int count, int *target,
                                  void *self) {
    py_call *c = self;
    PyObject *made, *k = py_argument(c, key, NULL, &made);
    PyObject *number = k ? PyLong_FromLong(count) : NULL;
    PyObject *result = number ? py_invoke_2(&c->targets[0], k, number) : NULL;
    PyObject *index = result ? PyNumber_Index(result) : NULL;
    int overflow = 0;
    long long at = index ? PyLong_AsLongLongAndOverflow(index, &overflow) : -1;
    Py_XDECREF(made);
    Py_XDECREF(number);
    Py_XDECREF(result);
    Py_XDECREF(index);
    if (!index) return py_error_user(c->state, ctx);
    *target = overflow || at < -1 || at > INT32_MAX ? -1 : (int)at;
    return LEAT_OK;
}

/* --- windows ---------------------------------------------------------------------------------- */

static leat_status gap_call(leat_context *ctx, const leat_record *in, int64_t *gap, void *self) {
    py_call *c = self;
    PyObject *made, *value = py_argument(c, &in->value, c->in[leat_context_input(ctx)], &made);
    PyObject *result = value ? py_invoke_1(&c->targets[0], value) : NULL;
    Py_XDECREF(made);
    bool ok = result && py_millis_read(result, "the gap of a session", gap);
    Py_XDECREF(result);
    return ok ? LEAT_OK : py_error_user(c->state, ctx);
}

static leat_status delta_call(leat_context *ctx, const leat_value *a, const leat_value *b,
                              double *delta, void *self) {
    py_call *c = self;
    PyObject *made_a, *made_b = NULL, *result = NULL;
    const leat_type *type = c->in[1] ? NULL : c->in[0]; /* of two inputs either may be of any */
    PyObject *x = py_argument(c, a, type, &made_a);
    PyObject *y = x ? py_argument(c, b, type, &made_b) : NULL;
    if (y) result = py_invoke_2(&c->targets[0], x, y);
    Py_XDECREF(made_a);
    Py_XDECREF(made_b);
    *delta = result ? PyFloat_AsDouble(result) : -1;
    Py_XDECREF(result);
    return *delta == -1 && PyErr_Occurred() ? py_error_user(c->state, ctx) : LEAT_OK;
}

static leat_status unknown_role(py_call *c, leat_role role) {
    PyObject *type = py_known_get(c->state, PY_NOT_SUPPORTED);
    if (type) PyErr_Format(type, "a Python function can't be a %s function", leat_role_name(role));
    return LEAT_E_UNSUPPORTED;
}

leat_status py_roles_fill(py_call *c, leat_function *fn) {
    bool ok = true;
    switch (fn->role) {
    case LEAT_ROLE_MAP: fn->call.map = map_call; break;
    case LEAT_ROLE_FLAT_MAP: fn->call.flat_map = flat_map_call; break;
    case LEAT_ROLE_FILTER: fn->call.filter = filter_call; break;
    case LEAT_ROLE_KEY: fn->call.key = key_call; break;
    case LEAT_ROLE_REDUCE: fn->call.reduce = reduce_call; break;
    case LEAT_ROLE_CO_MAP: fn->call.process = co_map_call; break;
    case LEAT_ROLE_CO_FLAT_MAP: fn->call.process = co_flat_map_call; break;
    case LEAT_ROLE_PROCESS:
    case LEAT_ROLE_CO_PROCESS:
        fn->call.process = process_call;
        fn->on_timer = timer_call;
        break;
    case LEAT_ROLE_BROADCAST_PROCESS:
        fn->call.process = broadcast_call;
        fn->on_timer = timer_call;
        break;
    case LEAT_ROLE_JOIN: fn->call.join = py_join_call; break;
    case LEAT_ROLE_CO_GROUP: fn->call.window = &py_co_group_table; break;
    case LEAT_ROLE_SINK:
        fn->call.sink = sink_call;
        py_sink_fill(c, fn);
        break;
    case LEAT_ROLE_SOURCE: py_source_fill(c, fn); break;
    case LEAT_ROLE_PARTITION: fn->call.partition = partition_call; break;
    case LEAT_ROLE_TIMESTAMP: fn->call.timestamp = timestamp_call; break;
    case LEAT_ROLE_WATERMARK: fn->call.watermark = &py_watermark_table; break;
    case LEAT_ROLE_ASYNC: fn->call.async = py_async_table(); break;
    case LEAT_ROLE_BULK_WRITER: fn->call.bulk_writer = &py_bulk_table; break;
    case LEAT_ROLE_ASSIGNER: ok = py_assigner_fill(c, fn); break;
    case LEAT_ROLE_TRIGGER: ok = py_trigger_fill(c, fn); break;
    case LEAT_ROLE_EVICTOR: ok = py_evictor_fill(c, fn); break;
    case LEAT_ROLE_AGGREGATE: ok = py_aggregate_fill(c, fn); break;
    case LEAT_ROLE_WINDOW: ok = py_window_function_fill(c, fn); break;
    case LEAT_ROLE_GAP: fn->call.gap = gap_call; break;
    case LEAT_ROLE_DELTA: fn->call.delta = delta_call; break;
    default: return unknown_role(c, fn->role);
    }
    return ok ? LEAT_OK : LEAT_E_USER;
}
