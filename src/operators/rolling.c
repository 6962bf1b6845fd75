/* rolling.c: sum, min, max, min_by and max_by of a keyed stream: after each record the result so
   far, or where the records come key by key (batch execution) once behind the last.

   State is one value per key, the accumulated element, which begins as the key's first element; how
   the next one is folded into it is in fold.h. */
#include "leat/operators.h"
#include "leat/stream.h"
#include "operators/fold.h"
#include "operators/once_per_key.h"

typedef struct rolling_self {
    leati_fold fold;
    leat_state *accumulated;
} rolling_self;

static const leat_param params[] = {
    {"field", LEAT_PARAM_INT, false, offsetof(rolling_self, fold.field), LEAT_ROLE_NONE},
    {"field_name", LEAT_PARAM_STRING, false, offsetof(rolling_self, fold.field_name),
     LEAT_ROLE_NONE},
    {0},
};

static const leat_state_decl states[] = {
    {"accumulated", LEAT_VALUE_STATE, LEAT_BY_KEY_GROUP, offsetof(rolling_self, accumulated)},
    {0},
};

static leat_status rolling_open(leat_context *ctx, void *self) {
    leati_fold_init(&((rolling_self *)self)->fold, leat_context_output_type(ctx));
    leat_state_keeps(((rolling_self *)self)->accumulated, leat_context_output_type(ctx));
    return LEAT_OK;
}

/* --- hooks: the new element is emitted before it is put, it may point into the old one --- */

static inline leat_status on_record(leat_context *ctx, const rolling_self *r, leati_fold_verb verb,
                                    const leat_record *in) {
    leat_namespace ns = {NULL, 0};
    leat_value old = leat_null();
    leat_record out;
    leat_record_init(&out, in->value, in->time);
    leat_status status = leat_state_get(ctx, r->accumulated, ns, &old), made = LEAT_OK;
    if (status == LEAT_OK) {
        made = leati_fold_both(ctx, &r->fold, verb, &old, &in->value, &out.value);
        status = made;
    } else if (status == LEAT_DONE) {
        status = leati_fold_first(ctx, &r->fold, &in->value);
    }
    if (status >= 0 && !leat_context_is_by_key(ctx)) status = leat_emit_kept(ctx, &out);
    if (status < 0 || made == LEAT_DONE) return status;
    return leat_state_put(ctx, r->accumulated, ns, &out.value);
}

static leat_status rolling_on_end_of_key(leat_context *ctx, void *self) {
    return leati_give_state(ctx, ((rolling_self *)self)->accumulated);
}

#define ROLLING_OPERATOR(noun, VERB)                                                   \
    static leat_status noun##_on_record(leat_context *ctx, void *self, unsigned input, \
                                        const leat_record *in) {                       \
        (void)input;                                                                   \
        return on_record(ctx, self, VERB, in);                                         \
    }                                                                                  \
    const leat_operator leat_##noun##_operator = {                                     \
        .size = sizeof(leat_operator),                                                 \
        .name = #noun,                                                                 \
        .flags = LEAT_OP_OBJECTS | LEAT_OP_KEYED | LEAT_OP_SAME_TYPE,                  \
        .inputs = 1,                                                                   \
        .self_size = sizeof(rolling_self),                                             \
        .params = params,                                                              \
        .states = states,                                                              \
        .open = rolling_open,                                                          \
        .on_record = noun##_on_record,                                                 \
        .on_end_of_key = rolling_on_end_of_key,                                        \
    };                                                                                 \
    leat_stream *leat_stream_##noun(leat_stream *s, int field) {                       \
        leat_arg arg = leat_arg_int("field", field);                                   \
        return leat_graph_add(NULL, &leat_##noun##_operator, &arg, 1, &s, 1);          \
    }

ROLLING_OPERATOR(sum, LEATI_FOLD_SUM)
ROLLING_OPERATOR(min, LEATI_FOLD_MIN)
ROLLING_OPERATOR(max, LEATI_FOLD_MAX)
ROLLING_OPERATOR(min_by, LEATI_FOLD_MIN_BY)
ROLLING_OPERATOR(max_by, LEATI_FOLD_MAX_BY)
