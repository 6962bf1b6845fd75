/* py_source_place.c: where a source written in Python stands when a barrier comes, and how it gets
   back there.

   snapshot() is called between two values, by the thread that owns the source: an iterator's when
   its next value is there and held back, a SourceFunction's own when it is about to hand over the
   next one. So what it answers lies behind all values before and before all that follow, whatever
   `run` does between two of them.

   A SourceFunction may wait for its next value for long. A barrier gives it GRACE_MS to come, and
   then takes the last place that is known, and the number of values that were given out since: as
   many are left out after a restart, when `run` gives them again. With splits, which may be dealt
   out to others, that number would mean nothing, so their barrier waits.

   Format: item "position" of a split list, for each position: u8 flags, varint number of values to
   leave out, the pickle. Item "kind" of a union list, from each subtask: u8 flags. Flags: 1, the
   source has ended, and there is no pickle; 2, of splits. */
#include "pybridge/py_encode.h"
#include "pybridge/py_error.h"
#include "pybridge/py_source.h"
#include "runtime/base/buf.h"

enum { GRACE_MS = 2, ENDED = 1, SPLITS = 2 };

/* --- taking a place --------------------------------------------------------------------------- */

static bool append_pickle(py_state *state, PyObject *items, PyObject *o) {
    PyObject *bytes = py_pickle(state, o);
    bool ok = bytes && PyList_Append(items, bytes) == 0;
    Py_XDECREF(bytes);
    return ok;
}

static bool append_all(py_state *state, PyObject *items, PyObject *splits) {
    bool ok = true;
    for (Py_ssize_t i = 0; ok && i < PyList_GET_SIZE(splits); i++) {
        PyObject *split = Py_NewRef(PyList_GET_ITEM(splits, i));
        ok = append_pickle(state, items, split);
        Py_DECREF(split);
    }
    return ok;
}

bool py_place_take(py_state *state, PyObject *snapshot, py_place *out) {
    PyObject *type = py_known_get(state, PY_SPLITS);
    PyObject *answer = type ? PyObject_CallNoArgs(snapshot) : NULL;
    PyObject *items = answer ? PyList_New(0) : NULL;
    int splits = items ? PyObject_IsInstance(answer, type) : -1;
    bool ok = splits >= 0 &&
              (splits ? append_all(state, items, answer) : append_pickle(state, items, answer));
    Py_XDECREF(answer);
    if (ok)
        *out = (py_place){items, splits};
    else
        Py_XDECREF(items);
    return ok;
}

void py_source_adopt_place(py_source *s) {
    py_collector *k = py_collector_of(s->collector);
    if (LEAT_LIKELY(!k->ahead.items) || k->before) return;
    Py_XSETREF(s->place.items, k->ahead.items);
    s->place.splits = k->ahead.splits;
    k->ahead.items = NULL;
    s->since = 0;
}

/* --- a barrier -------------------------------------------------------------------------------- */

/* The value that comes next is there, and has not been given out. */
static leat_status look_ahead(py_call *c, leat_context *ctx) {
    py_source *s = c->source;
    if (!s->held) s->held = PyIter_Next(s->iterator);
    s->finished = !s->held && !PyErr_Occurred();
    if (s->finished) return LEAT_OK;
    Py_CLEAR(s->place.items);
    s->since = 0;
    bool ok = s->held && py_place_take(c->state, s->snapshot, &s->place);
    return ok ? LEAT_OK : py_error_user(c->state, ctx);
}

static leat_status await_place(leat_context *ctx, py_source *s) {
    py_collector *k = py_collector_of(s->collector);
    py_source_adopt_place(s);
    if (k->ended && !k->count && !k->raised) return LEAT_OK;
    if (s->place.items && s->since + s->skip == 0) return LEAT_OK;
    k->waiting = true;
    if (!k->asked && !k->ahead.items) {
        k->asked = true;
        s->until = leat_context_now(ctx) + GRACE_MS;
        leat_context_wake_at(ctx, s->until);
    }
    bool counts = s->place.items && !s->place.splits && !k->ahead.items;
    return counts && leat_context_now(ctx) >= s->until ? LEAT_OK : LEAT_AGAIN;
}

leat_status py_source_on_barrier(leat_context *ctx, int64_t checkpoint, void *self) {
    (void)checkpoint;
    py_call *c = self;
    py_source *s = c->source;
    if (s->finished) return LEAT_OK;
    if (!py_source_begin(c, ctx)) return py_error_user(c->state, ctx);
    return s->iterator ? look_ahead(c, ctx) : await_place(ctx, s);
}

/* --- writing ---------------------------------------------------------------------------------- */

static leat_status write_item(leat_snapshot *out, uint8_t flags, uint64_t skip, PyObject *pickle) {
    leati_buf item;
    leati_buf_init(&item);
    leati_buf_u8(&item, flags);
    leati_buf_varint(&item, skip);
    if (pickle)
        leati_buf_append(&item, PyBytes_AS_STRING(pickle), (size_t)PyBytes_GET_SIZE(pickle));
    leat_status status =
        item.failed ? LEAT_E_NOMEM
                    : leat_snapshot_write(out, "position", LEAT_SPLIT_LIST, item.bytes, item.size);
    leati_buf_fini(&item);
    return status;
}

static bool has_ended(const py_source *s) {
    if (s->finished || !s->collector) return s->finished;
    const py_collector *k = py_collector_of(s->collector);
    return k->ended && !k->count && !k->raised;
}

leat_status py_source_snapshot(leat_context *ctx, leat_snapshot *out, void *self) {
    (void)ctx;
    py_source *s = ((py_call *)self)->source;
    bool drained = !s->place.items; /* ended by the job before it began: no barrier was asked for */
    bool ended = has_ended(s) || drained, splits = s->place.splits;
    uint8_t flags = (uint8_t)((ended ? ENDED : 0) | (splits ? SPLITS : 0));
    leat_status status = leat_snapshot_write(out, "kind", LEAT_UNION_LIST, &flags, 1);
    if (status >= 0 && ended && !splits) status = write_item(out, flags, 0, NULL);
    if (status < 0 || ended) return status;
    for (Py_ssize_t i = 0; status >= 0 && i < PyList_GET_SIZE(s->place.items); i++)
        status = write_item(out, flags, s->since + s->skip, PyList_GET_ITEM(s->place.items, i));
    return status;
}

/* --- reading ---------------------------------------------------------------------------------- */

typedef struct saved {
    size_t count;
    uint8_t flags;       /* of the last one */
    uint64_t skip;       /* the same */
    PyObject *positions; /* a Splits, also of what is none */
} saved;

/* Any failure leaves an error set. */
static bool read_item(py_state *state, const void *bytes, size_t size, saved *out) {
    leati_reader in = leati_reader_of(bytes, size);
    out->flags = leati_reader_u8(&in);
    out->skip = leati_reader_varint(&in);
    out->count++;
    if (in.failed) {
        PyErr_SetString(PyExc_ValueError, "the position of the source is damaged");
        return false;
    }
    if (out->flags & ENDED) return true;
    PyObject *loads = py_known_get(state, PY_LOADS);
    PyObject *pickle =
        loads ? PyBytes_FromStringAndSize(in.at, (Py_ssize_t)leati_reader_left(&in)) : NULL;
    PyObject *position = pickle ? PyObject_CallOneArg(loads, pickle) : NULL;
    bool ok = position && PyList_Append(out->positions, position) == 0;
    Py_XDECREF(pickle);
    Py_XDECREF(position);
    return ok;
}

static bool read_items(py_state *state, leat_snapshot *in, saved *out) {
    const void *bytes;
    size_t size;
    PyObject *type = py_known_get(state, PY_SPLITS);
    out->positions = type ? PyObject_CallNoArgs(type) : NULL;
    bool ok = out->positions != NULL;
    for (size_t i = 0; ok && leat_snapshot_read(in, "position", i, &bytes, &size) == LEAT_OK; i++)
        ok = read_item(state, bytes, size, out);
    return ok;
}

static leat_status refuse_to_deal(leat_context *ctx, int before) {
    return leat_context_fail(
        ctx, LEAT_E_STATE,
        "each of its %d subtasks saved a position of its own, which can't be dealt out to %d; give "
        "it a parallelism of %d, or let snapshot() answer Splits of positions",
        before, leat_context_parallelism(ctx), before);
}

static bool go_there(py_call *c, const saved *found) {
    py_source *s = c->source;
    s->finished = found->flags & ENDED;
    s->skip = found->skip;
    if (s->finished) return true;
    PyObject *positions = found->positions;
    PyObject *position = s->place.splits ? positions : PyList_GET_ITEM(positions, 0);
    PyObject *none = PyObject_CallMethod(c->function, "restore", "O", position);
    Py_XDECREF(none);
    return none != NULL;
}

leat_status py_source_restore(leat_context *ctx, leat_snapshot *in, void *self) {
    py_call *c = self;
    saved found = {0, 0, 0, NULL};
    const void *bytes;
    size_t size;
    int before = 0;
    while (leat_snapshot_read(in, "kind", (size_t)before, &bytes, &size) == LEAT_OK) {
        c->source->place.splits |= size > 0 && *(const uint8_t *)bytes & SPLITS;
        before++;
    }
    if (!before) return LEAT_OK; /* it could not say where it stood then */
    bool splits = c->source->place.splits;
    if (!splits && before != leat_context_parallelism(ctx)) return refuse_to_deal(ctx, before);
    bool ok = read_items(c->state, in, &found);
    if (ok && !splits && found.count != 1) {
        Py_XDECREF(found.positions);
        return leat_context_fail(ctx, LEAT_E_FORMAT, "its position is missing, or there twice");
    }
    ok = ok && go_there(c, &found);
    Py_XDECREF(found.positions);
    return ok ? LEAT_OK : py_error_user(c->state, ctx);
}
