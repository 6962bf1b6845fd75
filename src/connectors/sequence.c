/* sequence.c: the integers from `first` to `last`, both included; none when `last` is smaller.

   The subtasks share the numbers in order, each a range of its own, and the first ones have one
   more where it does not come out even. A snapshot is a list of what is left of the ranges; they
   are dealt out again when the job is restored, so that a subtask may get several. */
#include "leat/env.h"
#include "leat/operators.h"
#include "runtime/base/alloc.h"
#include "runtime/base/buf.h"

typedef struct number_range {
    int64_t next, last;
} number_range;

typedef struct sequence_self {
    int64_t first, last;
    number_range own; /* being counted */
    bool counting;
    number_range *more; /* after it */
    size_t more_count;
    bool restored;
} sequence_self;

static const leat_param params[] = {
    {"first", LEAT_PARAM_INT, true, offsetof(sequence_self, first), LEAT_ROLE_NONE},
    {"last", LEAT_PARAM_INT, true, offsetof(sequence_self, last), LEAT_ROLE_NONE},
    {0},
};

/* In unsigned numbers, because 2^64 integers are too many to count: `most` is one less. */
static leat_status sequence_open(leat_context *ctx, void *self) {
    sequence_self *s = self;
    if (s->restored || s->first > s->last) return LEAT_OK;
    uint64_t parts = (uint64_t)leat_context_parallelism(ctx);
    uint64_t part = (uint64_t)leat_context_subtask(ctx);
    uint64_t most = (uint64_t)s->last - (uint64_t)s->first;
    uint64_t each = most / parts, extra = most % parts + 1;
    uint64_t before = part * each + (part < extra ? part : extra);
    bool one_more = part < extra;
    s->counting = each > 0 || one_more;
    s->own.next = (int64_t)((uint64_t)s->first + before);
    s->own.last = (int64_t)((uint64_t)s->own.next + each - !one_more);
    return LEAT_OK;
}

static leat_status sequence_poll(leat_context *ctx, void *self, leat_emitter *out) {
    (void)out;
    sequence_self *s = self;
    if (LEAT_UNLIKELY(!s->counting)) {
        if (s->more_count == 0) return LEAT_DONE;
        s->own = s->more[--s->more_count];
        s->counting = true;
    }
    leat_record record;
    leat_record_init(&record, leat_int(s->own.next), LEAT_NO_TIME);
    if (s->own.next == s->own.last)
        s->counting = false;
    else
        s->own.next++;
    return leat_emit(ctx, &record);
}

static leat_status write_range(leat_snapshot *out, const number_range *range) {
    leati_buf buf;
    leati_buf_init(&buf);
    leati_buf_u64(&buf, (uint64_t)range->next);
    leati_buf_u64(&buf, (uint64_t)range->last);
    leat_status status =
        buf.failed ? LEAT_E_NOMEM
                   : leat_snapshot_write(out, "range", LEAT_SPLIT_LIST, buf.bytes, buf.size);
    leati_buf_fini(&buf);
    return status;
}

/* In the reverse of the order in which they are counted. */
static leat_status sequence_snapshot(leat_context *ctx, void *self, leat_snapshot *out) {
    (void)ctx;
    const sequence_self *s = self;
    leat_status status = LEAT_OK;
    for (size_t i = 0; status >= 0 && i < s->more_count; i++)
        status = write_range(out, &s->more[i]);
    return status >= 0 && s->counting ? write_range(out, &s->own) : status;
}

static leat_status read_range(sequence_self *s, const void *bytes, size_t size) {
    leati_reader in = leati_reader_of(bytes, size);
    number_range range = {.next = (int64_t)leati_reader_u64(&in)};
    range.last = (int64_t)leati_reader_u64(&in);
    if (in.failed || range.next > range.last) return LEAT_E_FORMAT;
    number_range *more = leati_resize(s->more, (s->more_count + 1) * sizeof *more);
    if (!more) return LEAT_E_NOMEM;
    s->more = more;
    s->more[s->more_count++] = range;
    return LEAT_OK;
}

static leat_status sequence_restore(leat_context *ctx, void *self, leat_snapshot *in) {
    (void)ctx;
    sequence_self *s = self;
    s->restored = true;
    s->counting = false;
    s->more_count = 0;
    const void *bytes;
    size_t size;
    leat_status status = LEAT_OK;
    for (size_t i = 0; status == LEAT_OK; i++) {
        status = leat_snapshot_read(in, "range", i, &bytes, &size);
        if (status == LEAT_OK) status = read_range(s, bytes, size);
    }
    return status < 0 ? status : LEAT_OK;
}

static void sequence_fini(void *self) {
    leati_free(((sequence_self *)self)->more);
}

const leat_operator leat_sequence_operator = {
    .size = sizeof(leat_operator),
    .name = "sequence",
    .flags = LEAT_OP_BOUNDED,
    .inputs = 0,
    .self_size = sizeof(sequence_self),
    .params = params,
    .poll = sequence_poll,
    .open = sequence_open,
    .snapshot = sequence_snapshot,
    .restore = sequence_restore,
    .fini = sequence_fini,
};

leat_stream *leat_env_sequence(leat_env *env, int64_t first, int64_t last) {
    leat_arg args[] = {leat_arg_int("first", first), leat_arg_int("last", last)};
    return leat_graph_add(env, &leat_sequence_operator, args, 2, NULL, 0);
}
