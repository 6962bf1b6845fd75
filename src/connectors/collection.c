/* collection.c: records from a list of values, in order, by one subtask. A snapshot is the index of
   the next one. */
#include "leat/env.h"
#include "leat/operators.h"
#include "runtime/base/buf.h"

typedef struct collection_self {
    leat_value items;
    uint64_t next;
} collection_self;

static const leat_param params[] = {
    {"items", LEAT_PARAM_LIST, true, offsetof(collection_self, items), LEAT_ROLE_NONE},
    {0},
};

static leat_status collection_poll(leat_context *ctx, void *self, leat_emitter *out) {
    (void)out;
    collection_self *c = self;
    if (c->next >= c->items.size) return LEAT_DONE;
    leat_record record = leat_record_of(c->items.as.items[c->next++], LEAT_NO_TIME);
    return leat_emit(ctx, &record);
}

static leat_status collection_snapshot(leat_context *ctx, void *self, leat_snapshot *out) {
    (void)ctx;
    const collection_self *c = self;
    leati_buf buf;
    leati_buf_init(&buf);
    leati_buf_u64(&buf, c->next);
    leat_status status =
        buf.failed ? LEAT_E_NOMEM
                   : leat_snapshot_write(out, "next", LEAT_UNION_LIST, buf.bytes, buf.size);
    leati_buf_fini(&buf);
    return status;
}

static leat_status collection_restore(leat_context *ctx, void *self, leat_snapshot *in) {
    (void)ctx;
    collection_self *c = self;
    const void *bytes;
    size_t size;
    leat_status status = leat_snapshot_read(in, "next", 0, &bytes, &size);
    if (status != LEAT_OK) return status < 0 ? status : LEAT_OK;
    leati_reader reader = leati_reader_of(bytes, size);
    c->next = leati_reader_u64(&reader);
    return reader.failed ? LEAT_E_FORMAT : LEAT_OK;
}

const leat_operator leat_collection_operator = {
    .size = sizeof(leat_operator),
    .name = "collection",
    .flags = LEAT_OP_OBJECTS | LEAT_OP_SINGLE | LEAT_OP_BOUNDED,
    .inputs = 0,
    .self_size = sizeof(collection_self),
    .params = params,
    .poll = collection_poll,
    .snapshot = collection_snapshot,
    .restore = collection_restore,
};

leat_stream *leat_env_collection(leat_env *env, const leat_value *values, size_t count) {
    leat_value list = leat_list(values, count);
    leat_arg arg = leat_arg_list("items", &list);
    bool there = values || !count; /* without the argument the graph says what is missing */
    return leat_graph_add(env, &leat_collection_operator, &arg, there, NULL, 0);
}
