/* broadcast_process.c: a process function of a stream beside a broadcast one, whose records every
   subtask gets and keeps in broadcast state (state.h). Two vtables with the same hooks: the keyed
   one may have keyed state and timers, on the side of its first input. */
#include "leat/operators.h"
#include "leat/stream.h"

typedef struct broadcast_self {
    leat_function function;
} broadcast_self;

static const leat_param params[] = {
    {"function", LEAT_PARAM_FUNCTION, true, offsetof(broadcast_self, function),
     LEAT_ROLE_BROADCAST_PROCESS},
    {0},
};

static leat_status broadcast_on_record(leat_context *ctx, void *self, unsigned input,
                                       const leat_record *in) {
    broadcast_self *b = self;
    return b->function.call.process(ctx, input, in, leat_context_emitter(ctx), b->function.arg);
}

static leat_status broadcast_on_timer(leat_context *ctx, void *self, const leat_timer *timer) {
    broadcast_self *b = self;
    if (!b->function.on_timer) return LEAT_OK;
    return b->function.on_timer(ctx, timer, leat_context_emitter(ctx), b->function.arg);
}

const leat_operator leat_broadcast_process_operator = {
    .size = sizeof(leat_operator),
    .name = "broadcast_process",
    .flags = LEAT_OP_OBJECTS | LEAT_OP_BROADCAST,
    .inputs = 2,
    .self_size = sizeof(broadcast_self),
    .params = params,
    .on_record = broadcast_on_record,
};

const leat_operator leat_keyed_broadcast_process_operator = {
    .size = sizeof(leat_operator),
    .name = "keyed_broadcast_process",
    .flags = LEAT_OP_OBJECTS | LEAT_OP_BROADCAST | LEAT_OP_KEYED,
    .inputs = 2,
    .self_size = sizeof(broadcast_self),
    .params = params,
    .on_record = broadcast_on_record,
    .on_timer = broadcast_on_timer,
};

leat_stream *leat_stream_broadcast_process(leat_stream *s, leat_stream *broadcast,
                                           leat_function broadcast_process) {
    leat_arg arg = leat_arg_function("function", &broadcast_process);
    const leat_operator *op = leat_stream_is_keyed(s) ? &leat_keyed_broadcast_process_operator
                                                      : &leat_broadcast_process_operator;
    leat_stream *inputs[] = {s, leat_stream_broadcast(broadcast)};
    return leat_graph_add(NULL, op, &arg, 1, inputs, 2);
}
