/* co_flat_map.c: any number of results for each record of two inputs. The function emits them
   itself, or hands over a cursor. */
#include "leat/operators.h"
#include "leat/stream.h"

typedef struct co_flat_map_self {
    leat_function function;
} co_flat_map_self;

static const leat_param params[] = {
    {"function", LEAT_PARAM_FUNCTION, true, offsetof(co_flat_map_self, function),
     LEAT_ROLE_CO_FLAT_MAP},
    {0},
};

static leat_status co_flat_map_on_record(leat_context *ctx, void *self, unsigned input,
                                         const leat_record *in) {
    co_flat_map_self *m = self;
    return m->function.call.process(ctx, input, in, leat_context_emitter(ctx), m->function.arg);
}

const leat_operator leat_co_flat_map_operator = {
    .size = sizeof(leat_operator),
    .name = "co_flat_map",
    .flags = LEAT_OP_OBJECTS,
    .inputs = 2,
    .self_size = sizeof(co_flat_map_self),
    .params = params,
    .on_record = co_flat_map_on_record,
};

leat_stream *leat_stream_co_flat_map(leat_stream *a, leat_stream *b, leat_function co_flat_map) {
    leat_arg arg = leat_arg_function("function", &co_flat_map);
    leat_stream *inputs[] = {a, b};
    return leat_graph_add(NULL, &leat_co_flat_map_operator, &arg, 1, inputs, 2);
}
