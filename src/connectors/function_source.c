/* function_source.c: records from a function that is asked for one after the other. In C it must
   not block; a language bridge may give a blocking one a thread of its own. Where it stands, and
   whether it can say so, is the function's own business. */
#include "leat/env.h"
#include "leat/operators.h"

typedef struct function_source_self {
    leat_function function;
} function_source_self;

static const leat_param params[] = {
    {"function", LEAT_PARAM_FUNCTION, true, offsetof(function_source_self, function),
     LEAT_ROLE_SOURCE},
    {0},
};

static leat_status function_source_poll(leat_context *ctx, void *self, leat_emitter *out) {
    function_source_self *s = self;
    return s->function.call.source(ctx, out, s->function.arg);
}

static leat_status function_source_on_barrier(leat_context *ctx, void *self, int64_t checkpoint) {
    function_source_self *s = self;
    const leat_function *f = &s->function;
    return f->on_barrier ? f->on_barrier(ctx, checkpoint, f->arg) : LEAT_OK;
}

static leat_status function_source_snapshot(leat_context *ctx, void *self, leat_snapshot *out) {
    function_source_self *s = self;
    return s->function.snapshot ? s->function.snapshot(ctx, out, s->function.arg) : LEAT_OK;
}

static leat_status function_source_restore(leat_context *ctx, void *self, leat_snapshot *in) {
    function_source_self *s = self;
    return s->function.restore ? s->function.restore(ctx, in, s->function.arg) : LEAT_OK;
}

static bool function_source_goes_back(leat_context *ctx, void *self) {
    (void)ctx;
    const function_source_self *s = self;
    return s->function.snapshot && s->function.restore;
}

const leat_operator leat_function_source_operator = {
    .size = sizeof(leat_operator),
    .name = "function_source",
    .flags = LEAT_OP_OBJECTS,
    .inputs = 0,
    .self_size = sizeof(function_source_self),
    .params = params,
    .poll = function_source_poll,
    .snapshot = function_source_snapshot,
    .restore = function_source_restore,
    .on_barrier = function_source_on_barrier,
    .goes_back = function_source_goes_back,
};

/* One subtask unless the program asks for more, because a function that is called in several places
   would give everything several times. */
leat_stream *leat_env_source(leat_env *env, leat_function source) {
    leat_arg arg = leat_arg_function("function", &source);
    leat_stream *s = leat_graph_add(env, &leat_function_source_operator, &arg, 1, NULL, 0);
    return leat_stream_parallelism(s, 1);
}
