/* inside.c: looking into values and computing with them, native and objects alike, for operators
   that take both. Objects are asked through their domain's table; what it makes is kept by the
   chain's arena. */
#include <math.h>

#include "runtime/base/alloc.h"
#include "runtime/base/object.h"
#include "runtime/data/codec.h"
#include "runtime/data/key.h"
#include "runtime/flow/chain.h"

static leat_status keep_new(leat_context *ctx, leat_status status, const leat_value *v) {
    if (status < 0 || v->kind != LEAT_OBJECT) return status;
    return leat_context_keep(ctx, v);
}

/* --- fields ----------------------------------------------------------------------------------- */

static int find_name(const leat_value *v, const char *name) {
    const leat_schema *schema = v->kind == LEAT_ROW ? v->as.row->schema : NULL;
    for (uint32_t i = 0; schema && i < schema->size; i++)
        if (strcmp(schema->names[i], name) == 0) return (int)i;
    return -1;
}

/* The item's place in a native value. */
static leat_status locate(const leat_value *v, int index, const char *name, int *at) {
    if (name) {
        *at = find_name(v, name);
        if (*at >= 0) return LEAT_OK;
        return v->kind == LEAT_ROW && v->as.row->schema ? LEAT_E_RANGE : LEAT_E_TYPE;
    }
    if (v->kind != LEAT_TUPLE && v->kind != LEAT_ROW && v->kind != LEAT_LIST) {
        *at = 0;
        return index == 0 ? LEAT_OK : LEAT_E_TYPE;
    }
    *at = index;
    return index >= 0 && (uint32_t)index < v->size ? LEAT_OK : LEAT_E_RANGE;
}

static LEATI_APART leat_status native_field(const leat_value *v, int index, const char *name,
                                            leat_value *out) {
    int at;
    leat_status status = locate(v, index, name, &at);
    if (status < 0) return status;
    const leat_value *items = v->kind == LEAT_MAP ? NULL : leat_value_items(v);
    *out = items ? items[at] : *v;
    return LEAT_OK;
}

leat_status leat_value_field(leat_context *ctx, const leat_value *v, int index, const char *name,
                             leat_value *out) {
    if (v->kind != LEAT_OBJECT) return native_field(v, index, name, out);
    bool owned = false;
    leat_status status = leati_object_ops_of(v)->field(v->as.object, index, name, out, &owned);
    return LEAT_UNLIKELY(owned) ? keep_new(ctx, status, out) : status;
}

leat_status leat_value_with_field(leat_context *ctx, const leat_value *v, int index,
                                  const char *name, const leat_value *item, leat_value *out) {
    if (v->kind == LEAT_OBJECT) {
        leat_status status =
            leati_object_ops_of(v)->with_field(v->as.object, index, name, item, out);
        return keep_new(ctx, status, out);
    }
    int at;
    leat_status status = locate(v, index, name, &at);
    if (status < 0) return status;
    const leat_value *items = v->kind == LEAT_MAP ? NULL : leat_value_items(v);
    if (!items) {
        *out = *item;
        return LEAT_OK;
    }
    leat_value *copy = leat_context_alloc(ctx, v->size * sizeof *copy);
    if (!copy) return LEAT_E_NOMEM;
    memcpy(copy, items, v->size * sizeof *copy);
    copy[at] = *item;
    *out = *v;
    if (v->kind != LEAT_ROW) {
        out->as.items = copy;
        return LEAT_OK;
    }
    leat_row *row = leat_context_alloc(ctx, sizeof *row);
    if (!row) return LEAT_E_NOMEM;
    *row = (leat_row){.schema = v->as.row->schema, .items = copy};
    out->as.row = row;
    return LEAT_OK;
}

/* --- arithmetic ------------------------------------------------------------------------------- */

/* Who can compute with bigger integers and other objects, if anybody here can. */
static const leati_object_ops *language_of(leat_context *ctx, const leat_value *a,
                                           const leat_value *b) {
    if (a->kind == LEAT_OBJECT) return leati_object_ops_of(a);
    if (b->kind == LEAT_OBJECT) return leati_object_ops_of(b);
    uint16_t domain = leati_context_domain(ctx);
    return domain ? leati_object_domains[domain] : NULL;
}

static leat_status join(leat_context *ctx, const leat_value *a, const leat_value *b, size_t unit,
                        leat_value *out) {
    char *bytes = leat_context_alloc(ctx, ((size_t)a->size + b->size) * unit);
    if (!bytes) return LEAT_E_NOMEM;
    memcpy(bytes, a->as.bytes, a->size * unit);
    memcpy(bytes + a->size * unit, b->as.bytes, b->size * unit);
    *out = *a;
    out->size = a->size + b->size;
    out->as.bytes = bytes;
    return LEAT_OK;
}

static bool is_number(const leat_value *v) {
    return v->kind == LEAT_INT || v->kind == LEAT_DOUBLE || v->kind == LEAT_BOOL;
}

static double as_double(const leat_value *v) {
    return v->kind == LEAT_DOUBLE ? v->as.d : (double)v->as.i;
}

leat_status leat_value_add(leat_context *ctx, const leat_value *a, const leat_value *b,
                           leat_value *out) {
    int64_t sum;
    if (LEAT_LIKELY(a->kind == LEAT_INT && b->kind == LEAT_INT) &&
        !__builtin_add_overflow(a->as.i, b->as.i, &sum)) {
        *out = leat_int(sum);
        return LEAT_OK;
    }
    const leati_object_ops *ops = language_of(ctx, a, b);
    if (a->kind != LEAT_OBJECT && b->kind != LEAT_OBJECT) {
        if (is_number(a) && is_number(b) && (a->kind == LEAT_DOUBLE || b->kind == LEAT_DOUBLE)) {
            *out = leat_double(as_double(a) + as_double(b));
            return LEAT_OK;
        }
        if (a->kind == b->kind && (a->kind == LEAT_STRING || a->kind == LEAT_BYTES))
            return join(ctx, a, b, 1, out);
        if (a->kind == b->kind && a->kind == LEAT_LIST)
            return join(ctx, a, b, sizeof(leat_value), out);
        if (!ops && a->kind == LEAT_INT && b->kind == LEAT_INT)
            return leat_context_fail(ctx, LEAT_E_RANGE,
                                     "the sum of %lld and %lld is beyond 64 bits",
                                     (long long)a->as.i, (long long)b->as.i);
    }
    if (!ops)
        return leat_context_fail(ctx, LEAT_E_TYPE, "a %s and a %s can't be added",
                                 leat_kind_name((leat_kind)a->kind),
                                 leat_kind_name((leat_kind)b->kind));
    return keep_new(ctx, ops->add(a, b, out), out);
}

static int sign(int64_t a, int64_t b) {
    return (a > b) - (a < b);
}

static int compare_bytes(const leat_value *a, const leat_value *b) {
    int order = memcmp(a->as.bytes, b->as.bytes, a->size < b->size ? a->size : b->size);
    return order ? order : sign(a->size, b->size);
}

/* Kinds that order as their integer. */
static bool by_integer(const leat_value *v) {
    return v->kind == LEAT_INT || v->kind == LEAT_BOOL || v->kind == LEAT_DATE ||
           v->kind == LEAT_TIME;
}

static leat_status compare_items(leat_context *ctx, const leat_value *a, const leat_value *b,
                                 int *order) {
    const leat_value *x = leat_value_items(a), *y = leat_value_items(b);
    uint32_t size = a->size < b->size ? a->size : b->size;
    *order = 0;
    for (uint32_t i = 0; i < size; i++) {
        leat_status status = leat_value_compare(ctx, &x[i], &y[i], order);
        if (status < 0 || *order) return status;
    }
    *order = sign(a->size, b->size);
    return LEAT_OK;
}

leat_status leat_value_compare(leat_context *ctx, const leat_value *a, const leat_value *b,
                               int *order) {
    const leati_object_ops *ops = language_of(ctx, a, b);
    if (a->kind == b->kind && by_integer(a)) {
        *order = sign(a->as.i, b->as.i);
        return LEAT_OK;
    }
    if (is_number(a) && is_number(b) && (!ops || a->kind == b->kind)) {
        double x = as_double(a), y = as_double(b);
        *order = (x > y) - (x < y);
        return LEAT_OK;
    }
    if (a->kind == b->kind && (a->kind == LEAT_STRING || a->kind == LEAT_BYTES)) {
        *order = compare_bytes(a, b);
        return LEAT_OK;
    }
    if (a->kind == b->kind && a->kind == LEAT_TIMESTAMP) {
        *order = sign(a->as.i, b->as.i);
        if (!*order) *order = sign(a->size, b->size);
        return LEAT_OK;
    }
    if (ops) return ops->compare(a, b, order);
    if (a->kind == b->kind && (a->kind == LEAT_TUPLE || a->kind == LEAT_LIST))
        return compare_items(ctx, a, b, order);
    return leat_context_fail(ctx, LEAT_E_TYPE, "a %s and a %s have no order",
                             leat_kind_name((leat_kind)a->kind),
                             leat_kind_name((leat_kind)b->kind));
}

/* --- other forms ------------------------------------------------------------------------------ */

leat_status leat_value_native(leat_context *ctx, const leat_value *v, const leat_type *type,
                              leat_value *out) {
    if (v->kind != LEAT_OBJECT) {
        *out = *v;
        return LEAT_OK;
    }
    return leati_object_ops_of(v)->native(v->as.object, type, &ctx->chain->arena, out);
}

/* In a C program's stream without a type an object looks native where it can, as it does when it
   comes from another process. */
static leat_status write_object(leat_context *ctx, const leat_value *v, const leat_type *type,
                                leat_text_form form, leati_buf *out) {
    if (!type) {
        leat_value native;
        leat_status status = leat_value_native(ctx, v, NULL, &native);
        if (status < 0) return status;
        if (native.kind != LEAT_OBJECT) return leati_value_text(&native, NULL, form, out);
    }
    return leati_object_ops_of(v)->print(v->as.object, type, form, out);
}

/* What a program in another language put into a stream without a type (PICKLED) looks as the
   language shows it, also when it has come here in native form. */
static leat_status write_text(leat_context *ctx, const leat_value *v, const leat_type *type,
                              leat_text_form form, leati_buf *out) {
    if (v->kind == LEAT_OBJECT) return write_object(ctx, v, type, form, out);
    uint16_t domain = leati_context_domain(ctx);
    const leati_object_ops *ops = domain ? leati_object_domains[domain] : NULL;
    if (ops && type && type->tag == LEAT_T_PICKLED)
        return ops->print_value(ops->interpreter, v, form, out);
    return leati_value_text(v, type, form, out);
}

leat_status leat_value_text(leat_context *ctx, const leat_value *v, const leat_type *type,
                            leat_text_form form, const char **text, size_t *size) {
    leati_buf *b = &ctx->chain->text;
    b->size = 0;
    leat_status status = write_text(ctx, v, type, form, b);
    if (status >= 0 && b->failed) status = LEAT_E_NOMEM;
    b->failed = false;
    if (status < 0) return status;
    *text = b->bytes ? b->bytes : "";
    *size = b->size;
    return LEAT_OK;
}
