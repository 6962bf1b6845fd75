/* callback_sink.c: gives each record to a function of the host program, in the host's process. One
   subtask, so that calls come one at a time; with host dispatch the engine makes them from
   leat_job_dispatch. Objects of other languages come as native values. */
#include "leat/operators.h"

typedef struct callback_sink_self {
    leat_function function;
} callback_sink_self;

static const leat_param params[] = {
    {"function", LEAT_PARAM_FUNCTION, true, offsetof(callback_sink_self, function), LEAT_ROLE_SINK},
    {0},
};

static leat_status callback_sink_on_record(leat_context *ctx, void *self, unsigned input,
                                           const leat_record *in) {
    (void)input;
    callback_sink_self *s = self;
    return s->function.call.sink(ctx, in, s->function.arg);
}

const leat_operator leat_callback_sink_operator = {
    .size = sizeof(leat_operator),
    .name = "callback_sink",
    .flags = LEAT_OP_SINK | LEAT_OP_HOST | LEAT_OP_SINGLE,
    .inputs = 1,
    .self_size = sizeof(callback_sink_self),
    .params = params,
    .on_record = callback_sink_on_record,
};
