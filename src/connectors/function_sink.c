/* function_sink.c: gives each record to a function, where the records are: in the worker of a
   function that lives there. A function of the host program is for callback_sink.c. */
#include "leat/operators.h"
#include "leat/stream.h"

typedef struct function_sink_self {
    leat_function function;
} function_sink_self;

static const leat_param params[] = {
    {"function", LEAT_PARAM_FUNCTION, true, offsetof(function_sink_self, function), LEAT_ROLE_SINK},
    {0},
};

static leat_status function_sink_on_record(leat_context *ctx, void *self, unsigned input,
                                           const leat_record *in) {
    (void)input;
    function_sink_self *s = self;
    return s->function.call.sink(ctx, in, s->function.arg);
}

const leat_operator leat_function_sink_operator = {
    .size = sizeof(leat_operator),
    .name = "function_sink",
    .flags = LEAT_OP_SINK | LEAT_OP_OBJECTS,
    .inputs = 1,
    .self_size = sizeof(function_sink_self),
    .params = params,
    .on_record = function_sink_on_record,
};

leat_stream *leat_stream_sink(leat_stream *s, leat_function sink) {
    leat_arg arg = leat_arg_function("function", &sink);
    const leat_operator *op =
        sink.language ? &leat_function_sink_operator : &leat_callback_sink_operator;
    return leat_graph_add(NULL, op, &arg, 1, &s, 1);
}
