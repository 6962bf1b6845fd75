/* py_bulk.c: bulk writers written in Python. For each part the user's factory is given a stream, an
   object of leat.part_stream, and makes a writer; what that writes to the stream gathers in a
   bytearray, which is emptied into the part after each call. Errors get a note with the file. */
#include "pybridge/py_call.h"
#include "pybridge/py_error.h"

#include "runtime/base/alloc.h"

enum { CREATE, METHODS = 3 };
enum { ADD, FLUSH, FINISH };

typedef struct py_writer {
    py_call *call;
    PyObject *stream, *bytes, *writer;
    PyObject *methods[METHODS];
} py_writer;

static leat_status failed(py_call *c, leat_context *ctx, const leat_part_stream *out) {
    char *place = leati_format("while writing '%s'", leat_part_stream_path(out));
    leat_status status = py_error_user_at(c->state, ctx, place);
    leati_free(place);
    return status;
}

/* Steals `result`, that of a call which may have written something. */
static leat_status hand_over(py_writer *w, leat_context *ctx, leat_part_stream *out,
                             PyObject *result) {
    if (LEAT_UNLIKELY(!result)) return failed(w->call, ctx, out);
    Py_DECREF(result);
    Py_ssize_t size = PyByteArray_GET_SIZE(w->bytes);
    if (LEAT_LIKELY(!size)) return LEAT_OK;
    leat_status status = leat_part_stream_write(out, PyByteArray_AS_STRING(w->bytes), (size_t)size);
    if (status < 0) return status;
    return PyByteArray_Resize(w->bytes, 0) < 0 ? failed(w->call, ctx, out) : LEAT_OK;
}

static void bulk_drop(leat_context *ctx, void *writer) {
    (void)ctx;
    py_writer *w = writer;
    for (int i = 0; i < METHODS; i++) Py_XDECREF(w->methods[i]);
    Py_XDECREF(w->writer);
    Py_XDECREF(w->bytes);
    Py_XDECREF(w->stream);
    leati_free(w);
}

static bool make_stream(py_writer *w, const char *path) {
    PyObject *type = py_known_get(w->call->state, PY_PART_STREAM);
    w->stream = type ? PyObject_CallFunction(type, "s", path) : NULL;
    w->bytes = w->stream ? PyObject_GetAttrString(w->stream, "_bytes") : NULL;
    if (w->bytes && PyByteArray_CheckExact(w->bytes)) return true;
    if (w->bytes) PyErr_SetString(PyExc_TypeError, "the stream of a part has no bytearray");
    return false;
}

static bool bind_writer(py_writer *w) {
    static const char *const names[METHODS] = {"add_element", "flush", "finish"};
    for (int i = 0; i < METHODS; i++) {
        w->methods[i] = PyObject_GetAttrString(w->writer, names[i]);
        if (w->methods[i] && PyCallable_Check(w->methods[i])) continue;
        PyErr_Format(PyExc_TypeError,
                     "%R is no bulk writer: it has no method '%s'; a factory makes an object with "
                     "add_element, flush and finish",
                     w->writer, names[i]);
        return false;
    }
    return true;
}

static leat_status bulk_create(leat_context *ctx, leat_part_stream *out, void **writer,
                               void *self) {
    py_call *c = self;
    py_writer *w = leati_zalloc(sizeof *w);
    if (!w) return LEAT_E_NOMEM;
    w->call = c;
    if (make_stream(w, leat_part_stream_path(out)))
        w->writer = py_invoke_1(&c->targets[CREATE], w->stream);
    bool ok = w->writer && bind_writer(w);
    leat_status status = hand_over(w, ctx, out, ok ? Py_NewRef(Py_None) : NULL);
    if (status < 0)
        bulk_drop(ctx, w);
    else
        *writer = w;
    return status;
}

static leat_status bulk_add(leat_context *ctx, const leat_record *in, leat_part_stream *out,
                            void *writer) {
    py_writer *w = writer;
    py_call *c = w->call;
    PyObject *made, *value = py_argument(c, &in->value, c->in[0], &made);
    PyObject *result = value ? PyObject_CallOneArg(w->methods[ADD], value) : NULL;
    Py_XDECREF(made);
    return hand_over(w, ctx, out, result);
}

static leat_status bulk_flush(leat_context *ctx, leat_part_stream *out, void *writer) {
    py_writer *w = writer;
    return hand_over(w, ctx, out, PyObject_CallNoArgs(w->methods[FLUSH]));
}

static leat_status bulk_finish(leat_context *ctx, leat_part_stream *out, void *writer) {
    py_writer *w = writer;
    return hand_over(w, ctx, out, PyObject_CallNoArgs(w->methods[FINISH]));
}

const leat_bulk_writer py_bulk_table = {
    .size = sizeof py_bulk_table,
    .create = bulk_create,
    .add = bulk_add,
    .flush = bulk_flush,
    .finish = bulk_finish,
    .drop = bulk_drop,
};
