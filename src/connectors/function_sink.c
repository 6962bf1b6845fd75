/* function_sink.c: gives each record to a function, where the records are: in the worker of a
   function that lives there. A plain function of the host program is for callback_sink.c.

   A function in two phases hands over pieces when a barrier comes. They wait in a list, each with
   the checkpoint that it belongs to, and are state: a split list, so that any subtask may get any
   of them. Once the checkpoint is complete the function is called with each and the list forgets
   it. What a restored checkpoint has is complete by being there, and is committed at once; the
   function knows by itself what it has committed already. */
#include "leat/operators.h"
#include "leat/stream.h"
#include "runtime/base/alloc.h"
#include "runtime/base/list.h"

#define PREPARED "prepared" /* the pieces' name in snapshots */

typedef struct piece {
    leati_link link;
    int64_t checkpoint;
    size_t size;
    char bytes[];
} piece;

struct leat_prepared {
    leati_link pieces;  /* oldest first */
    int64_t checkpoint; /* of those that are added */
};

typedef struct function_sink_self {
    leat_function function;
    leat_prepared prepared;
    bool ended;
} function_sink_self;

static const leat_param params[] = {
    {"function", LEAT_PARAM_FUNCTION, true, offsetof(function_sink_self, function), LEAT_ROLE_SINK},
    {0},
};

static leat_status function_sink_check(void *self, leat_error *err) {
    const leat_function *f = &((function_sink_self *)self)->function;
    if (!f->prepare == !f->commit) return LEAT_OK;
    return leat_error_set(err, LEAT_E_ARGUMENT, "function_sink",
                          "a sink in two phases needs both prepare and commit, and has no %s",
                          f->prepare ? "commit" : "prepare");
}

static leat_status function_sink_open(leat_context *ctx, void *self) {
    (void)ctx;
    leati_list_init(&((function_sink_self *)self)->prepared.pieces);
    return LEAT_OK;
}

static leat_status function_sink_on_record(leat_context *ctx, void *self, unsigned input,
                                           const leat_record *in) {
    (void)input;
    function_sink_self *s = self;
    return s->function.call.sink(ctx, in, s->function.arg);
}

static leat_status function_sink_on_end(leat_context *ctx, void *self, unsigned input) {
    (void)ctx, (void)input;
    ((function_sink_self *)self)->ended = true;
    return LEAT_OK;
}

/* --- two phases ------------------------------------------------------------------------------- */

leat_status leat_prepared_add(leat_prepared *out, const void *bytes, size_t size) {
    if (!out || (!bytes && size)) return LEAT_E_ARGUMENT;
    piece *p = size < SIZE_MAX - sizeof *p ? leati_alloc(sizeof *p + size) : NULL;
    if (!p) return LEAT_E_NOMEM;
    p->checkpoint = out->checkpoint;
    p->size = size;
    if (size) memcpy(p->bytes, bytes, size);
    leati_list_push(&out->pieces, &p->link);
    return LEAT_OK;
}

static leat_status function_sink_prepare(leat_context *ctx, void *self, int64_t checkpoint) {
    function_sink_self *s = self;
    const leat_function *f = &s->function;
    if (!f->prepare) return LEAT_OK;
    s->prepared.checkpoint = checkpoint;
    bool ended = s->ended || checkpoint == INT64_MAX;
    return f->prepare(ctx, checkpoint, ended, &s->prepared, f->arg);
}

/* They are in order of their checkpoints. */
static leat_status function_sink_commit(leat_context *ctx, void *self, int64_t checkpoint) {
    function_sink_self *s = self;
    leati_link *pieces = &s->prepared.pieces;
    while (!leati_list_empty(pieces)) {
        piece *p = LEATI_CONTAINER(pieces->next, piece, link);
        if (p->checkpoint > checkpoint) break;
        leat_status status = s->function.commit(ctx, p->bytes, p->size, s->function.arg);
        if (status < 0) return status;
        leati_list_remove(&p->link);
        leati_free(p);
    }
    return LEAT_OK;
}

static leat_status function_sink_snapshot(leat_context *ctx, void *self, leat_snapshot *out) {
    function_sink_self *s = self;
    const leat_function *f = &s->function;
    leati_link *pieces = &s->prepared.pieces;
    leat_status status = LEAT_OK;
    for (leati_link *at = pieces->next; at != pieces && status >= 0; at = at->next) {
        const piece *p = LEATI_CONTAINER(at, piece, link);
        status = leat_snapshot_write(out, PREPARED, LEAT_SPLIT_LIST, p->bytes, p->size);
    }
    return status >= 0 && f->snapshot ? f->snapshot(ctx, out, f->arg) : status;
}

static leat_status commit_restored(leat_context *ctx, const leat_function *f, leat_snapshot *in) {
    const void *bytes;
    size_t size;
    leat_status status;
    for (size_t i = 0; (status = leat_snapshot_read(in, PREPARED, i, &bytes, &size)) == LEAT_OK;
         i++) {
        if (!f->commit)
            return leat_context_fail(ctx, LEAT_E_STATE,
                                     "the checkpoint has records that wait for their commit, and "
                                     "this sink has none; start it with the sink it was made with");
        status = f->commit(ctx, bytes, size, f->arg);
        if (status < 0) return status;
    }
    return status < 0 ? status : LEAT_OK;
}

static leat_status function_sink_restore(leat_context *ctx, void *self, leat_snapshot *in) {
    const leat_function *f = &((function_sink_self *)self)->function;
    leat_status status = commit_restored(ctx, f, in);
    return status >= 0 && f->restore ? f->restore(ctx, in, f->arg) : status;
}

static void function_sink_fini(void *self) {
    function_sink_self *s = self;
    leati_link *at;
    if (!s->prepared.pieces.next) return; /* it was never opened */
    while ((at = leati_list_pop(&s->prepared.pieces))) leati_free(LEATI_CONTAINER(at, piece, link));
}

const leat_operator leat_function_sink_operator = {
    .size = sizeof(leat_operator),
    .name = "function_sink",
    .flags = LEAT_OP_SINK | LEAT_OP_OBJECTS,
    .inputs = 1,
    .self_size = sizeof(function_sink_self),
    .params = params,
    .on_record = function_sink_on_record,
    .open = function_sink_open,
    .on_end_of_data = function_sink_on_end,
    .snapshot = function_sink_snapshot,
    .restore = function_sink_restore,
    .prepare = function_sink_prepare,
    .commit = function_sink_commit,
    .fini = function_sink_fini,
    .check = function_sink_check,
};

/* A sink that remembers something is as parallel as the program says; others are called one call at
   a time. */
leat_stream *leat_stream_sink(leat_stream *s, leat_function sink) {
    leat_arg arg = leat_arg_function("function", &sink);
    bool lasting = sink.language || sink.prepare || sink.commit || sink.snapshot || sink.restore;
    const leat_operator *op = lasting ? &leat_function_sink_operator : &leat_callback_sink_operator;
    return leat_graph_add(NULL, op, &arg, 1, &s, 1);
}
