/* fold.c: see fold.h; and the same as functions of Leat's own, by their names: "sum 1", "min_by
   price", a field's index or name, each as a reducer and as an aggregate, and the aggregate
   "count". */
#include "operators/fold.h"

#include "operators/field.h"
#include "operators/windowing.h"
#include "runtime/base/object.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

/* --- the short way: int64 --------------------------------------------------------------------- */

/* The chosen item when it is a native integer of a scalar or a tuple, else NULL. */
static const leat_value *int_field(const leati_fold *f, const leat_value *v) {
    if (f->field_name) return NULL;
    if (v->kind == LEAT_INT && f->field == 0) return v;
    if (v->kind != LEAT_TUPLE || f->field < 0 || f->field >= v->size) return NULL;
    const leat_value *item = &v->as.items[f->field];
    return item->kind == LEAT_INT ? item : NULL;
}

/* Does a + b leave the range of the field? */
static bool leaves_range(const leati_fold *f, int64_t a, int64_t b) {
    return b > 0 ? a > f->high - b : a < f->low - b;
}

/* A copy of `v` in which the chosen item is `i`. */
static leat_status with_int(leat_context *ctx, const leati_fold *f, const leat_value *v, int64_t i,
                            leat_value *out) {
    if (v->kind == LEAT_INT) {
        *out = leat_int(i);
        return LEAT_OK;
    }
    leat_value *items = leat_context_alloc(ctx, v->size * sizeof *items);
    if (!items) return LEAT_E_NOMEM;
    memcpy(items, v->as.items, v->size * sizeof *items);
    items[f->field] = leat_int(i);
    *out = leat_tuple(items, v->size);
    return LEAT_OK;
}

/* --- the long way: whatever has fields, adds and compares ------------------------------------- */

static leat_status missing(leat_context *ctx, const leati_fold *f, leat_status status,
                           const leat_value *v) {
    bool has_items = v->kind == LEAT_TUPLE || v->kind == LEAT_LIST || v->kind == LEAT_ROW;
    if (status != LEAT_E_TYPE || has_items)
        return leati_field_missing(ctx, status, v, (int)f->field, f->field_name);
    char position[32];
    snprintf(position, sizeof position, "%d", (int)f->field);
    return leat_context_fail(
        ctx, status,
        "The %s field selected on a basic type. A field expression on a basic type can only select "
        "the 0th field (which means selecting the entire basic type).",
        f->field_name ? f->field_name : position);
}

static leat_status take(leat_context *ctx, const leati_fold *f, const leat_value *v,
                        leat_value *out) {
    leat_status status = leat_value_field(ctx, v, (int)f->field, f->field_name, out);
    return status < 0 ? missing(ctx, f, status, v) : status;
}

static leat_status with(leat_context *ctx, const leati_fold *f, const leat_value *v,
                        const leat_value *item, leat_value *out) {
    leat_status status = leat_value_with_field(ctx, v, (int)f->field, f->field_name, item, out);
    return status < 0 ? missing(ctx, f, status, v) : status;
}

/* --- the five results: `out` becomes the new accumulated element ------------------------------ */

/* An integer that int64 does not hold is an object. */
leat_status leati_fold_check(leat_context *ctx, const leati_fold *f, const leat_value *sum) {
    if (!f->integer) return LEAT_OK;
    bool fits = sum->kind == LEAT_INT ? sum->as.i >= f->low && sum->as.i <= f->high
                                      : sum->kind != LEAT_OBJECT;
    if (fits) return LEAT_OK;
    return leat_context_fail(ctx, LEAT_E_RANGE,
                             "the sum leaves the range of %s; declare a larger type",
                             f->integer->text);
}

static leat_status sum_long(leat_context *ctx, const leati_fold *f, const leat_value *v1,
                            const leat_value *v2, leat_value *out) {
    leat_value a, b, sum;
    leat_status status = take(ctx, f, v1, &a);
    if (status >= 0) status = take(ctx, f, v2, &b);
    if (status >= 0) status = leat_value_add(ctx, &a, &b, &sum);
    if (status >= 0) status = leati_fold_check(ctx, f, &sum);
    return status < 0 ? status : with(ctx, f, v1, &sum, out);
}

/* LEAT_AGAIN: not that simple. LEAT_DONE: it is v1 still, which was changed. */
static leat_status sum_objects(leat_context *ctx, const leati_fold *f, const leat_value *v1,
                               const leat_value *v2, leat_value *out) {
    bool objects = v1->kind == LEAT_OBJECT && v2->kind == LEAT_OBJECT && v1->domain == v2->domain;
    if (!objects || f->field_name || f->field > INT_MAX) return LEAT_AGAIN;
    bool owned = false;
    leat_status status =
        leati_object_ops_of(v1)->add_item(v1, v2, (int)f->field, f->low, f->high, out, &owned);
    if (owned) return leat_context_keep(ctx, out);
    return status == LEAT_OK ? LEAT_DONE : status;
}

static leat_status sum(leat_context *ctx, const leati_fold *f, const leat_value *v1,
                       const leat_value *v2, leat_value *out) {
    leat_status status = sum_objects(ctx, f, v1, v2, out);
    if (status != LEAT_AGAIN) return status;
    const leat_value *a = int_field(f, v1), *b = int_field(f, v2);
    if (!a || !b || leaves_range(f, a->as.i, b->as.i)) return sum_long(ctx, f, v1, v2, out);
    return with_int(ctx, f, v1, a->as.i + b->as.i, out);
}

/* Below, equal or above zero: the new element's field against the accumulated one's. `item` becomes
   the new element's. */
static leat_status order_of(leat_context *ctx, const leati_fold *f, const leat_value *v1,
                            const leat_value *v2, leat_value *item, int *order) {
    const leat_value *a = int_field(f, v1), *b = int_field(f, v2);
    if (a && b) {
        *item = *b;
        *order = (b->as.i > a->as.i) - (b->as.i < a->as.i);
        return LEAT_OK;
    }
    leat_value old;
    leat_status status = take(ctx, f, v1, &old);
    if (status >= 0) status = take(ctx, f, v2, item);
    return status < 0 ? status : leat_value_compare(ctx, item, &old, order);
}

/* LEAT_DONE: it is v1 still. */
static leat_status extreme(leat_context *ctx, const leati_fold *f, leati_fold_verb verb,
                           const leat_value *v1, const leat_value *v2, leat_value *out) {
    leat_value item = leat_null();
    int order = 0;
    leat_status status = order_of(ctx, f, v1, v2, &item, &order);
    if (status < 0) return status;
    bool better = verb == LEATI_FOLD_MIN || verb == LEATI_FOLD_MIN_BY ? order < 0 : order > 0;
    if (!better) {
        *out = *v1;
        return LEAT_DONE;
    }
    if (verb == LEATI_FOLD_MIN || verb == LEATI_FOLD_MAX) return with(ctx, f, v1, &item, out);
    *out = *v2;
    return LEAT_OK;
}

/* --- the field's declared type ---------------------------------------------------------------- */

static const leat_type *field_type(const leati_fold *f, const leat_type *type) {
    if (!type) return NULL;
    if (type->tag != LEAT_T_TUPLE && type->tag != LEAT_T_ROW) return type;
    for (uint32_t i = 0; i < type->size; i++) {
        const char *name = type->schema ? type->schema->names[i] : "";
        if (f->field_name ? strcmp(name, f->field_name) == 0 : i == f->field) return type->items[i];
    }
    return NULL;
}

void leati_fold_init(leati_fold *f, const leat_type *type) {
    type = field_type(f, type);
    leat_type_tag tag = type ? type->tag : LEAT_T_PICKLED;
    int bits = tag == LEAT_T_BYTE    ? 8
               : tag == LEAT_T_SHORT ? 16
               : tag == LEAT_T_INT   ? 32
               : tag == LEAT_T_LONG  ? 64
                                     : 0;
    f->integer = bits ? type : NULL;
    f->high = bits ? INT64_MAX >> (64 - bits) : INT64_MAX;
    f->low = -f->high - 1;
}

leat_status leati_fold_first(leat_context *ctx, const leati_fold *f, const leat_value *v) {
    leat_value item;
    return int_field(f, v) ? LEAT_OK : take(ctx, f, v, &item);
}

leat_status leati_fold_both(leat_context *ctx, const leati_fold *f, leati_fold_verb verb,
                            const leat_value *v1, const leat_value *v2, leat_value *out) {
    return verb == LEATI_FOLD_SUM ? sum(ctx, f, v1, v2, out) : extreme(ctx, f, verb, v1, v2, out);
}

/* --- as functions by their names -------------------------------------------------------------- */

typedef struct fold_self {
    leati_fold fold;
    leati_fold_verb verb;
    char field_name[]; /* "" when the field is an index */
} fold_self;

static leat_status open_fold(leat_context *ctx, void *arg, void **self) {
    fold_self *f = arg;
    *self = f;
    leati_fold_init(&f->fold, leat_context_input_type(ctx, 0));
    return LEAT_OK;
}

static leat_status reduce_fold(leat_context *ctx, const leat_value *a, const leat_value *b,
                               leat_value *out, void *self) {
    const fold_self *f = self;
    return leati_fold_both(ctx, &f->fold, f->verb, a, b, out);
}

/* An accumulator is null until the first element. */
static leat_status create_null(leat_context *ctx, leat_value *out, void *self) {
    (void)ctx, (void)self;
    *out = leat_null();
    return LEAT_OK;
}

static leat_status merge_fold(leat_context *ctx, const leat_value *a, const leat_value *b,
                              leat_value *out, void *self) {
    if (a->kind != LEAT_NULL && b->kind != LEAT_NULL) return reduce_fold(ctx, a, b, out, self);
    *out = a->kind == LEAT_NULL ? *b : *a;
    return LEAT_OK;
}

static leat_status add_fold(leat_context *ctx, const leat_value *value,
                            const leat_value *accumulator, leat_value *out, void *self) {
    return merge_fold(ctx, accumulator, value, out, self);
}

static leat_status result_is(leat_context *ctx, const leat_value *accumulator, leat_value *out,
                             void *self) {
    (void)ctx, (void)self;
    *out = *accumulator;
    return LEAT_OK;
}

static leat_status create_zero(leat_context *ctx, leat_value *out, void *self) {
    (void)ctx, (void)self;
    *out = leat_int(0);
    return LEAT_OK;
}

static leat_status add_one(leat_context *ctx, const leat_value *value,
                           const leat_value *accumulator, leat_value *out, void *self) {
    (void)ctx, (void)value, (void)self;
    *out = leat_int(accumulator->as.i + 1);
    return LEAT_OK;
}

static leat_status add_counts(leat_context *ctx, const leat_value *a, const leat_value *b,
                              leat_value *out, void *self) {
    (void)ctx, (void)self;
    *out = leat_int(a->as.i + b->as.i);
    return LEAT_OK;
}

static const leat_aggregate count_calls = {
    sizeof(leat_aggregate), true, create_zero, add_one, result_is, add_counts,
};

static const leat_aggregate fold_calls = {
    sizeof(leat_aggregate), true, create_null, add_fold, result_is, merge_fold,
};

bool leati_fold_of(const leat_function *f, const leati_fold **fold, leati_fold_verb *verb) {
    *fold = NULL;
    *verb = LEATI_FOLD_COUNT;
    if (f->role == LEAT_ROLE_AGGREGATE && f->call.aggregate == &count_calls) return true;
    bool is_one = f->role == LEAT_ROLE_REDUCE
                      ? f->call.reduce == reduce_fold
                      : f->role == LEAT_ROLE_AGGREGATE && f->call.aggregate == &fold_calls;
    if (!is_one) return false;
    *fold = &((const fold_self *)f->arg)->fold;
    *verb = ((const fold_self *)f->arg)->verb;
    return true;
}

static leat_status make_count(const leati_builtin_spec *spec, leat_function *f, leat_error *err) {
    (void)spec, (void)err;
    f->call.aggregate = &count_calls;
    return LEAT_OK;
}

/* What follows the verb is an index or, where it is no number, a name; without it, field 0. */
static leat_status make_fold(const leati_builtin_spec *spec, leat_function *f, leat_error *err,
                             leati_fold_verb verb) {
    char *end;
    long index = strtol(spec->rest, &end, 10);
    bool is_index = *end == 0;
    if (is_index && (index < 0 || index > INT32_MAX))
        return leati_builtin_refuse(spec, err, "a field's index is a number from 0 on");
    size_t size = strlen(spec->rest) + 1;
    fold_self *made = leati_builtin_self(f, sizeof *made + size);
    if (!made) return LEAT_E_NOMEM;
    memcpy(made->field_name, spec->rest, size);
    made->fold.field = is_index ? index : 0;
    made->fold.field_name = is_index ? NULL : made->field_name;
    made->verb = verb;
    f->open = open_fold;
    if (f->role == LEAT_ROLE_REDUCE)
        f->call.reduce = reduce_fold;
    else
        f->call.aggregate = &fold_calls;
    return LEAT_OK;
}

#define FOLD_MAKER(noun, VERB)                                                       \
    static leat_status make_##noun(const leati_builtin_spec *spec, leat_function *f, \
                                   leat_error *err) {                                \
        return make_fold(spec, f, err, VERB);                                        \
    }
FOLD_MAKER(sum, LEATI_FOLD_SUM)
FOLD_MAKER(min, LEATI_FOLD_MIN)
FOLD_MAKER(max, LEATI_FOLD_MAX)
FOLD_MAKER(min_by, LEATI_FOLD_MIN_BY)
FOLD_MAKER(max_by, LEATI_FOLD_MAX_BY)

#define FOLD_ROWS(ROLE)                                       \
    {"sum", ROLE, 0, LEATI_BUILTIN_TEXT, make_sum},           \
        {"min", ROLE, 0, LEATI_BUILTIN_TEXT, make_min},       \
        {"max", ROLE, 0, LEATI_BUILTIN_TEXT, make_max},       \
        {"min_by", ROLE, 0, LEATI_BUILTIN_TEXT, make_min_by}, \
        {"max_by", ROLE, 0, LEATI_BUILTIN_TEXT, make_max_by},
const leati_builtin leati_fold_builtins[] = {
    FOLD_ROWS(LEAT_ROLE_REDUCE)
        FOLD_ROWS(LEAT_ROLE_AGGREGATE){"count", LEAT_ROLE_AGGREGATE, 0, 0, make_count},
    {0},
};
