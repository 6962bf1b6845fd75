/* map.c: one result for each record, null included, with the record's event time. */
#include "leat/operators.h"
#include "leat/stream.h"

typedef struct map_self {
    leat_function function;
} map_self;

static const leat_param params[] = {
    {"function", LEAT_PARAM_FUNCTION, true, offsetof(map_self, function), LEAT_ROLE_MAP},
    {0},
};

static leat_status map_on_record(leat_context *ctx, void *self, unsigned input,
                                 const leat_record *in) {
    (void)input;
    map_self *m = self;
    leat_record out;
    leat_record_init(&out, leat_null(), in->time);
    leat_status status = m->function.call.map(ctx, in, &out.value, m->function.arg);
    return status < 0 ? status : leat_emit(ctx, &out);
}

const leat_operator leat_map_operator = {
    .size = sizeof(leat_operator),
    .name = "map",
    .flags = LEAT_OP_OBJECTS,
    .inputs = 1,
    .self_size = sizeof(map_self),
    .params = params,
    .on_record = map_on_record,
};

leat_stream *leat_stream_map(leat_stream *s, leat_function map) {
    leat_arg arg = leat_arg_function("function", &map);
    return leat_graph_add(NULL, &leat_map_operator, &arg, 1, &s, 1);
}
