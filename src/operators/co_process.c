/* co_process.c: a process function of two inputs, on keyed streams and on others. Two vtables with
   the same hooks: the keyed one may have state and timers, and both its inputs are keyed. */
#include "leat/operators.h"
#include "leat/stream.h"

typedef struct co_process_self {
    leat_function function;
} co_process_self;

static const leat_param params[] = {
    {"function", LEAT_PARAM_FUNCTION, true, offsetof(co_process_self, function),
     LEAT_ROLE_CO_PROCESS},
    {0},
};

static leat_status co_process_on_record(leat_context *ctx, void *self, unsigned input,
                                        const leat_record *in) {
    co_process_self *p = self;
    return p->function.call.process(ctx, input, in, leat_context_emitter(ctx), p->function.arg);
}

static leat_status co_process_on_timer(leat_context *ctx, void *self, const leat_timer *timer) {
    co_process_self *p = self;
    if (!p->function.on_timer) return LEAT_OK;
    return p->function.on_timer(ctx, timer, leat_context_emitter(ctx), p->function.arg);
}

const leat_operator leat_co_process_operator = {
    .size = sizeof(leat_operator),
    .name = "co_process",
    .flags = LEAT_OP_OBJECTS,
    .inputs = 2,
    .self_size = sizeof(co_process_self),
    .params = params,
    .on_record = co_process_on_record,
};

const leat_operator leat_keyed_co_process_operator = {
    .size = sizeof(leat_operator),
    .name = "keyed_co_process",
    .flags = LEAT_OP_OBJECTS | LEAT_OP_KEYED,
    .inputs = 2,
    .self_size = sizeof(co_process_self),
    .params = params,
    .on_record = co_process_on_record,
    .on_timer = co_process_on_timer,
};

leat_stream *leat_stream_co_process(leat_stream *a, leat_stream *b, leat_function co_process) {
    leat_arg arg = leat_arg_function("function", &co_process);
    bool keyed = leat_stream_is_keyed(a) && leat_stream_is_keyed(b);
    const leat_operator *op = keyed ? &leat_keyed_co_process_operator : &leat_co_process_operator;
    leat_stream *inputs[] = {a, b};
    return leat_graph_add(NULL, op, &arg, 1, inputs, 2);
}
