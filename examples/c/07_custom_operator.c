/* 07_custom_operator.c: an operator of one's own, as Leat's are written: a struct, tables of
   parameters and states, hooks and a vtable. It drops what has not changed since the last time.
   cc 07_custom_operator.c $(pkg-config --cflags --libs leat) && ./a.out */
#include <leat.h>
#include <stdio.h>

typedef struct changes_self {
    int64_t field;    /* the item that is compared; filled in before `open` */
    leat_state *last; /* of each key */
} changes_self;

static const leat_param params[] = {
    {"field", LEAT_PARAM_INT, true, offsetof(changes_self, field), LEAT_ROLE_NONE},
    {0},
};
static const leat_state_decl states[] = {
    {"last", LEAT_VALUE_STATE, LEAT_BY_KEY_GROUP, offsetof(changes_self, last)},
    {0},
};

static leat_status changes_on_record(leat_context *ctx, void *self, unsigned input,
                                     const leat_record *in) {
    (void)input;
    changes_self *c = self;
    leat_namespace all = {NULL, 0};
    leat_value now, last;
    leat_status status = leat_value_field(ctx, &in->value, (int)c->field, NULL, &now);
    if (status >= 0) status = leat_state_get(ctx, c->last, all, &last);
    if (status == LEAT_OK && leat_value_equal(&now, &last)) return LEAT_OK;
    if (status >= 0) status = leat_state_put(ctx, c->last, all, &now);
    return status < 0 ? status : leat_emit(ctx, in);
}

static const leat_operator changes = {
    .size = sizeof(leat_operator),
    .name = "changes",
    .flags = LEAT_OP_KEYED | LEAT_OP_SAME_TYPE,
    .inputs = 1,
    .self_size = sizeof(changes_self),
    .params = params,
    .states = states,
    .on_record = changes_on_record,
};

int main(void) {
    leat_value front = leat_string("front"), back = leat_string("back"), tuples[4];
    leat_value open = leat_string("open"), shut = leat_string("shut");
    leat_value doors[][2] = {{front, open}, {back, open}, {front, open}, {front, shut}};
    for (int i = 0; i < 4; i++) tuples[i] = leat_tuple(doors[i], 2);
    leat_error err;
    leat_env *env = leat_env_new(NULL, &err);
    leat_stream *s = leat_stream_key_by(leat_env_collection(env, tuples, 4), leat_field(0));
    leat_arg field = leat_arg_int("field", 1);
    leat_stream_print(leat_graph_add(NULL, &changes, &field, 1, &s, 1));
    int failed = leat_env_execute(env, "changes", &err) < 0;
    if (failed) fprintf(stderr, "%s: %s\n", err.where, err.text);
    leat_env_free(env);
    return failed;
}
