/* field.c: leat_field, a key selector that is a number, and what operators ask of fields. */
#include "operators/field.h"

static leat_status field_key(leat_context *ctx, const leat_record *in, leat_value *key,
                             void *self) {
    return leati_field_take(ctx, &in->value, (int)(intptr_t)self, key);
}

leat_function leat_field(int index) {
    leat_function f = leat_key_fn(field_key, (void *)(intptr_t)index);
    f.name = "field";
    return f;
}

bool leati_field_index(const leat_function *f, int *index) {
    if (f->role != LEAT_ROLE_KEY || f->language || f->call.key != field_key) return false;
    *index = (int)(intptr_t)f->arg;
    return true;
}

leat_status leati_field_missing(leat_context *ctx, leat_status status, const leat_value *v,
                                int index, const char *name) {
    const char *kind = leat_kind_name((leat_kind)v->kind);
    const char *n = strchr("aeiou", *kind) ? "n" : "";
    if (status == LEAT_E_TYPE && name)
        return leat_context_fail(ctx, status, "a%s %s has no field '%s'; give an index", n, kind,
                                 name);
    if (status == LEAT_E_TYPE)
        return leat_context_fail(ctx, status,
                                 "a%s %s has no field %d; only field 0, which is all of it", n,
                                 kind, index);
    if (status != LEAT_E_RANGE) return status;
    if (name) return leat_context_fail(ctx, status, "there is no field '%s' in the %s", name, kind);
    return leat_context_fail(ctx, status, "there is no field %d in the %s", index, kind);
}

leat_status leati_field_take(leat_context *ctx, const leat_value *v, int index, leat_value *out) {
    if (LEAT_LIKELY(v->kind == LEAT_TUPLE && index >= 0 && (uint32_t)index < v->size)) {
        *out = v->as.items[index];
        return LEAT_OK;
    }
    leat_status status = leat_value_field(ctx, v, index, NULL, out);
    return status < 0 ? leati_field_missing(ctx, status, v, index, NULL) : status;
}
