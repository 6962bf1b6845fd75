/* py_sink.c: sinks in two phases written in Python. The transactions are kept by an object of
   leat.transactions, which is called instead of the user's sink; here its answers, bytes all of
   them, go to where the runtime wants them. See function_sink.c for when.

   Own state: item "open" of a split list, the transaction that had just begun. */
#include "pybridge/py_call.h"
#include "pybridge/py_error.h"

#include <strings.h>

#define OPEN "open"

/* Taken for one by its methods, so that nothing is imported for others. */
bool py_sink_init(py_call *c) {
    bool is_one = c->role == LEAT_ROLE_SINK && c->is_function &&
                  PyObject_HasAttrString(c->function, "recover_and_commit");
    if (!is_one) return true;
    PyObject *type = py_known_get(c->state, PY_TRANSACTIONS);
    c->transactions = type ? PyObject_CallOneArg(type, c->function) : NULL;
    return c->transactions != NULL;
}

/* Tells it whether checkpoints will show each record once. */
bool py_sink_open(py_call *c, leat_context *ctx) {
    if (!c->transactions) return true;
    const char *mode = leat_context_config(ctx, "execution.checkpointing.mode");
    bool exact = leat_context_config_ms(ctx, "execution.checkpointing.interval", 0) > 0 &&
                 (!mode || strcasecmp(mode, "EXACTLY_ONCE") == 0);
    PyObject *none = PyObject_CallMethod(c->transactions, "open", "O", exact ? Py_True : Py_False);
    Py_XDECREF(none);
    return none != NULL;
}

void py_sink_end(py_call *c, leat_context *ctx) {
    if (!c->transactions) return;
    PyObject *none = PyObject_CallMethod(c->transactions, "end", NULL);
    if (!none) py_error_user(c->state, ctx);
    Py_XDECREF(none);
}

static leat_status sink_prepare(leat_context *ctx, int64_t checkpoint, bool ended,
                                leat_prepared *out, void *self) {
    (void)checkpoint;
    py_call *c = self;
    PyObject *piece =
        PyObject_CallMethod(c->transactions, "prepare", "O", ended ? Py_True : Py_False);
    if (!piece) return py_error_user(c->state, ctx);
    leat_status status = LEAT_OK;
    if (piece != Py_None)
        status = leat_prepared_add(out, PyBytes_AS_STRING(piece), (size_t)PyBytes_GET_SIZE(piece));
    Py_DECREF(piece);
    return status;
}

static leat_status sink_commit(leat_context *ctx, const void *bytes, size_t size, void *self) {
    py_call *c = self;
    PyObject *none = PyObject_CallMethod(c->transactions, "commit", "y#", bytes, (Py_ssize_t)size);
    if (!none) return py_error_user(c->state, ctx);
    Py_DECREF(none);
    return LEAT_OK;
}

static leat_status sink_snapshot(leat_context *ctx, leat_snapshot *out, void *self) {
    py_call *c = self;
    PyObject *open = PyObject_CallMethod(c->transactions, "snapshot", NULL);
    if (!open) return py_error_user(c->state, ctx);
    leat_status status = LEAT_OK;
    if (open != Py_None)
        status = leat_snapshot_write(out, OPEN, LEAT_SPLIT_LIST, PyBytes_AS_STRING(open),
                                     (size_t)PyBytes_GET_SIZE(open));
    Py_DECREF(open);
    return status;
}

static leat_status sink_restore(leat_context *ctx, leat_snapshot *in, void *self) {
    py_call *c = self;
    const void *bytes;
    size_t size;
    for (size_t i = 0; leat_snapshot_read(in, OPEN, i, &bytes, &size) == LEAT_OK; i++) {
        PyObject *none =
            PyObject_CallMethod(c->transactions, "abort", "y#", bytes, (Py_ssize_t)size);
        if (!none) return py_error_user(c->state, ctx);
        Py_DECREF(none);
    }
    return LEAT_OK;
}

void py_sink_fill(const py_call *c, leat_function *fn) {
    if (!c->transactions) return;
    fn->prepare = sink_prepare;
    fn->commit = sink_commit;
    fn->snapshot = sink_snapshot;
    fn->restore = sink_restore;
}
