/* process.c: a process function of one input, on keyed streams and on others. Two vtables with the
   same hooks: the keyed one may have state and timers. */
#include "leat/operators.h"
#include "leat/stream.h"

typedef struct process_self {
    leat_function function;
} process_self;

static const leat_param params[] = {
    {"function", LEAT_PARAM_FUNCTION, true, offsetof(process_self, function), LEAT_ROLE_PROCESS},
    {0},
};

static leat_status process_on_record(leat_context *ctx, void *self, unsigned input,
                                     const leat_record *in) {
    process_self *p = self;
    return p->function.call.process(ctx, input, in, leat_context_emitter(ctx), p->function.arg);
}

static leat_status process_on_timer(leat_context *ctx, void *self, const leat_timer *timer) {
    process_self *p = self;
    if (!p->function.on_timer) return LEAT_OK;
    return p->function.on_timer(ctx, timer, leat_context_emitter(ctx), p->function.arg);
}

const leat_operator leat_process_operator = {
    .size = sizeof(leat_operator),
    .name = "process",
    .flags = LEAT_OP_OBJECTS,
    .inputs = 1,
    .self_size = sizeof(process_self),
    .params = params,
    .on_record = process_on_record,
};

const leat_operator leat_keyed_process_operator = {
    .size = sizeof(leat_operator),
    .name = "keyed_process",
    .flags = LEAT_OP_OBJECTS | LEAT_OP_KEYED,
    .inputs = 1,
    .self_size = sizeof(process_self),
    .params = params,
    .on_record = process_on_record,
    .on_timer = process_on_timer,
};

leat_stream *leat_stream_process(leat_stream *s, leat_function process) {
    leat_arg arg = leat_arg_function("function", &process);
    const leat_operator *op =
        leat_stream_is_keyed(s) ? &leat_keyed_process_operator : &leat_process_operator;
    return leat_graph_add(NULL, op, &arg, 1, &s, 1);
}
