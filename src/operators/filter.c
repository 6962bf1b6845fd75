/* filter.c: lets pass, as they are, the records for which the function says so. */
#include "leat/operators.h"
#include "leat/stream.h"

typedef struct filter_self {
    leat_function function;
} filter_self;

static const leat_param params[] = {
    {"function", LEAT_PARAM_FUNCTION, true, offsetof(filter_self, function), LEAT_ROLE_FILTER},
    {0},
};

static leat_status filter_on_record(leat_context *ctx, void *self, unsigned input,
                                    const leat_record *in) {
    (void)input;
    filter_self *f = self;
    bool keep = false;
    leat_status status = f->function.call.filter(ctx, in, &keep, f->function.arg);
    return status < 0 || !keep ? status : leat_emit(ctx, in);
}

const leat_operator leat_filter_operator = {
    .size = sizeof(leat_operator),
    .name = "filter",
    .flags = LEAT_OP_OBJECTS | LEAT_OP_SAME_TYPE,
    .inputs = 1,
    .self_size = sizeof(filter_self),
    .params = params,
    .on_record = filter_on_record,
};

leat_stream *leat_stream_filter(leat_stream *s, leat_function filter) {
    leat_arg arg = leat_arg_function("function", &filter);
    return leat_graph_add(NULL, &leat_filter_operator, &arg, 1, &s, 1);
}
