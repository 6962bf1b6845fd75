/* reduce.c: folds the values of a key into one, and emits it after each record; where the records
   come key by key (batch execution), once behind the last.

   The first value of a key is emitted as it is, without a call. State is one value per key. The new
   value is emitted before it is put, because what the function gave may point into the old one. */
#include "leat/operators.h"
#include "leat/stream.h"
#include "operators/once_per_key.h"

typedef struct reduce_self {
    leat_function function;
    leat_state *reduced;
} reduce_self;

static const leat_param params[] = {
    {"function", LEAT_PARAM_FUNCTION, true, offsetof(reduce_self, function), LEAT_ROLE_REDUCE},
    {0},
};

static const leat_state_decl states[] = {
    {"reduced", LEAT_VALUE_STATE, LEAT_BY_KEY_GROUP, offsetof(reduce_self, reduced)},
    {0},
};

static leat_status reduce_open(leat_context *ctx, void *self) {
    leat_state_keeps(((reduce_self *)self)->reduced, leat_context_input_type(ctx, 0));
    return LEAT_OK;
}

static leat_status reduce_on_record(leat_context *ctx, void *self, unsigned input,
                                    const leat_record *in) {
    (void)input;
    reduce_self *r = self;
    leat_namespace ns = {NULL, 0};
    leat_value old = leat_null();
    leat_record out;
    leat_record_init(&out, in->value, in->time);
    leat_status status = leat_state_get(ctx, r->reduced, ns, &old);
    if (status == LEAT_OK)
        status = r->function.call.reduce(ctx, &old, &in->value, &out.value, r->function.arg);
    if (status >= 0 && !leat_context_is_by_key(ctx)) status = leat_emit_kept(ctx, &out);
    return status < 0 ? status : leat_state_put(ctx, r->reduced, ns, &out.value);
}

static leat_status reduce_on_end_of_key(leat_context *ctx, void *self) {
    return leati_give_state(ctx, ((reduce_self *)self)->reduced);
}

const leat_operator leat_reduce_operator = {
    .size = sizeof(leat_operator),
    .name = "reduce",
    .flags = LEAT_OP_OBJECTS | LEAT_OP_KEYED | LEAT_OP_SAME_TYPE,
    .inputs = 1,
    .self_size = sizeof(reduce_self),
    .params = params,
    .states = states,
    .open = reduce_open,
    .on_record = reduce_on_record,
    .on_end_of_key = reduce_on_end_of_key,
};

leat_stream *leat_stream_reduce(leat_stream *s, leat_function reduce) {
    leat_arg arg = leat_arg_function("function", &reduce);
    return leat_graph_add(NULL, &leat_reduce_operator, &arg, 1, &s, 1);
}
