/* key_by.c: gives each record its key. The engine hashes the key when the record leaves, so `hash`
   stays 0 here.

   The key comes from a function, or without one from the item `field` of the value: that is what
   leat_field becomes, so that a job whose other functions are not in C stays free to run anywhere.
   A key that is an object of a host language is turned into a native value by `key_type` if it has
   such a form, because keys are compared and stored by their canonical bytes. */
#include "leat/operators.h"
#include "leat/stream.h"
#include "operators/builtin.h"
#include "operators/field.h"

typedef struct key_by_self {
    leat_function function;
    int64_t field;
    const char *key_type;
    const leat_type *type;
} key_by_self;

static const leat_param params[] = {
    {"function", LEAT_PARAM_FUNCTION, false, offsetof(key_by_self, function), LEAT_ROLE_KEY},
    {"field", LEAT_PARAM_INT, false, offsetof(key_by_self, field), LEAT_ROLE_NONE},
    {"key_type", LEAT_PARAM_STRING, false, offsetof(key_by_self, key_type), LEAT_ROLE_NONE},
    {0},
};

static leat_status key_by_open(leat_context *ctx, void *self) {
    key_by_self *k = self;
    if (!k->key_type) return LEAT_OK;
    leat_error err;
    k->type = leat_type_parse(k->key_type, &err);
    return k->type ? LEAT_OK : leat_context_fail(ctx, err.status, "the key's type: %s", err.text);
}

static leat_status key_by_on_record(leat_context *ctx, void *self, unsigned input,
                                    const leat_record *in) {
    (void)input;
    key_by_self *k = self;
    leat_record out;
    out.key = leat_null();
    leat_status status = k->function.call.key
                             ? k->function.call.key(ctx, in, &out.key, k->function.arg)
                             : leati_field_take(ctx, &in->value, (int)k->field, &out.key);
    if (status >= 0 && out.key.kind == LEAT_OBJECT)
        status = leat_value_native(ctx, &out.key, k->type, &out.key);
    if (status < 0) return status;
    out.value = in->value; /* as late as can be: it was written a moment ago */
    out.time = in->time;
    out.hash = 0;
    return leat_emit(ctx, &out);
}

const leat_operator leat_key_by_operator = {
    .size = sizeof(leat_operator),
    .name = "key_by",
    .flags = LEAT_OP_OBJECTS | LEAT_OP_SETS_KEY | LEAT_OP_SAME_TYPE,
    .inputs = 1,
    .self_size = sizeof(key_by_self),
    .params = params,
    .on_record = key_by_on_record,
    .open = key_by_open,
};

leat_stream *leat_stream_key_by(leat_stream *s, leat_function key) {
    int field;
    leat_arg arg = leati_field_index(&key, &field) ? leat_arg_int("field", field)
                                                   : leat_arg_function("function", &key);
    return leat_graph_add(NULL, &leat_key_by_operator, &arg, 1, &s, 1);
}

/* --- of Leat's own: "constant", one key for all ----------------------------------------------- */

static leat_status constant_key(leat_context *ctx, const leat_record *in, leat_value *key,
                                void *self) {
    (void)ctx, (void)in, (void)self;
    *key = leat_int(0);
    return LEAT_OK;
}

static leat_status make_constant(const leati_builtin_spec *spec, leat_function *f,
                                 leat_error *err) {
    (void)spec, (void)err;
    f->call.key = constant_key;
    return LEAT_OK;
}

const leati_builtin leati_key_builtins[] = {
    {"constant", LEAT_ROLE_KEY, 0, 0, make_constant},
    {0},
};
