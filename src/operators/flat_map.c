/* flat_map.c: any number of results for each record. The function emits them itself, or hands over
   a cursor that gives them while there is room. */
#include "leat/operators.h"
#include "leat/stream.h"

typedef struct flat_map_self {
    leat_function function;
} flat_map_self;

static const leat_param params[] = {
    {"function", LEAT_PARAM_FUNCTION, true, offsetof(flat_map_self, function), LEAT_ROLE_FLAT_MAP},
    {0},
};

static leat_status flat_map_on_record(leat_context *ctx, void *self, unsigned input,
                                      const leat_record *in) {
    (void)input;
    flat_map_self *m = self;
    return m->function.call.flat_map(ctx, in, leat_context_emitter(ctx), m->function.arg);
}

const leat_operator leat_flat_map_operator = {
    .size = sizeof(leat_operator),
    .name = "flat_map",
    .flags = LEAT_OP_OBJECTS,
    .inputs = 1,
    .self_size = sizeof(flat_map_self),
    .params = params,
    .on_record = flat_map_on_record,
};

leat_stream *leat_stream_flat_map(leat_stream *s, leat_function flat_map) {
    leat_arg arg = leat_arg_function("function", &flat_map);
    return leat_graph_add(NULL, &leat_flat_map_operator, &arg, 1, &s, 1);
}
