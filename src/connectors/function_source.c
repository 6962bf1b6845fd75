/* function_source.c: records from a function that is asked for one after the other. In C it must
   not block; a language bridge may give a blocking one a thread of its own. */
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

const leat_operator leat_function_source_operator = {
    .size = sizeof(leat_operator),
    .name = "function_source",
    .flags = LEAT_OP_OBJECTS,
    .inputs = 0,
    .self_size = sizeof(function_source_self),
    .params = params,
    .poll = function_source_poll,
};

/* One subtask unless the program asks for more, because a function that is called in several places
   would give everything several times. */
leat_stream *leat_env_source(leat_env *env, leat_function source) {
    leat_arg arg = leat_arg_function("function", &source);
    leat_stream *s = leat_graph_add(env, &leat_function_source_operator, &arg, 1, NULL, 0);
    return leat_stream_parallelism(s, 1);
}
