/* py_watermark.c: watermark generators in Python: `on_event(event, event_timestamp, output)` and
   `on_periodic_emit(output)`. The output is one object per generator, which notes what was said;
   it is read after each call. */
#include "pybridge/py_call.h"
#include "pybridge/py_context.h"
#include "pybridge/py_error.h"

enum { ON_EVENT, ON_PERIODIC };

bool py_watermark_open(py_call *c) {
    if (c->role != LEAT_ROLE_WATERMARK) return true;
    PyObject *type = py_known_get(c->state, PY_WATERMARK_OUTPUT);
    c->output = type ? PyObject_CallNoArgs(type) : NULL;
    return c->output != NULL;
}

/* What the output was told: a watermark, and whether the source is idle. */
static bool read_output(py_call *c, leat_context *ctx, int64_t *watermark) {
    PyObject *said = PyObject_GetAttrString(c->output, "_watermark"), *idle = NULL;
    bool ok = said != NULL;
    if (ok && said != Py_None) ok = py_millis_read(said, "a watermark", watermark);
    if (ok) idle = PyObject_GetAttrString(c->output, "_idle");
    if (idle && idle != Py_None) {
        leat_context_set_idle(ctx, idle == Py_True);
        ok = PyObject_SetAttrString(c->output, "_idle", Py_None) == 0;
    }
    ok = ok && idle;
    Py_XDECREF(said);
    Py_XDECREF(idle);
    return ok;
}

/* Steals `result`, which may be NULL for a failed call. */
static leat_status finish(py_call *c, leat_context *ctx, PyObject *result, int64_t *watermark) {
    bool ok = result && read_output(c, ctx, watermark);
    Py_XDECREF(result);
    return LEAT_LIKELY(ok) ? LEAT_OK : py_error_user(c->state, ctx);
}

static leat_status event_call(leat_context *ctx, const leat_record *in, int64_t *watermark,
                              void *self) {
    py_call *c = self;
    PyObject *made, *value = py_argument(c, &in->value, c->in[0], &made), *result = NULL;
    PyObject *time = value ? PyLong_FromLongLong(in->time) : NULL;
    if (time) result = py_invoke_3(&c->targets[ON_EVENT], value, time, c->output);
    Py_XDECREF(time);
    Py_XDECREF(made);
    return finish(c, ctx, result, watermark);
}

static leat_status periodic_call(leat_context *ctx, int64_t *watermark, void *self) {
    py_call *c = self;
    return finish(c, ctx, py_invoke_1(&c->targets[ON_PERIODIC], c->output), watermark);
}

const leat_watermark_generator py_watermark_table = {
    .size = sizeof py_watermark_table, .on_event = event_call, .on_periodic = periodic_call};
