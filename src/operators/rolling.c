/* rolling.c: sum, min, max, min_by and max_by of a keyed stream: after each record the result so
   far.

   State is one value per key, the accumulated element, which begins as the key's first element.
   With v1 the accumulated element, v2 the new one and f the chosen field:

       sum        v1 with f = v1.f + v2.f         min, max         v1 with f = the smaller, larger
       min_by     v2 if v2.f < v1.f, else v1      max_by           v2 if v2.f > v1.f, else v1

   So all other fields keep coming from the first element, and of equal ones the earlier stays.
   Field 0 of a scalar is the scalar. Another field of a scalar is an error, but only once a key
   gets its second element, because nobody looks at the first.

   Native values and objects of a host language take the same way, through leat_value_field and its
   kin; int64 scalars, fields of native tuples, and sums of integers in a language's tuples have a
   short one before it, which gives up where they overflow. A sum that leaves the range of its field's declared type is an error in either. */
#include "leat/operators.h"
#include "leat/stream.h"
#include "operators/field.h"
#include "runtime/base/object.h"

#include <limits.h>
#include <stdio.h>

typedef struct rolling_self {
    int64_t field;
    const char *field_name; /* NULL: `field` counts */
    leat_state *accumulated;
    const leat_type
        *integer;      /* the field's type if that is an integer of at most 64 bits, else NULL */
    int64_t low, high; /* of `integer`; otherwise those of int64 */
} rolling_self;

static const leat_param params[] = {
    {"field", LEAT_PARAM_INT, false, offsetof(rolling_self, field), LEAT_ROLE_NONE},
    {"field_name", LEAT_PARAM_STRING, false, offsetof(rolling_self, field_name), LEAT_ROLE_NONE},
    {0},
};

static const leat_state_decl states[] = {
    {"accumulated", LEAT_VALUE_STATE, LEAT_BY_KEY_GROUP, offsetof(rolling_self, accumulated)},
    {0},
};

typedef enum rolling_verb { SUM, MIN, MAX, MIN_BY, MAX_BY } rolling_verb;

/* --- the short way: int64 --------------------------------------------------------------------- */

/* The chosen item when it is a native integer of a scalar or a tuple, else NULL. */
static const leat_value *int_field(const rolling_self *r, const leat_value *v) {
    if (r->field_name) return NULL;
    if (v->kind == LEAT_INT && r->field == 0) return v;
    if (v->kind != LEAT_TUPLE || r->field < 0 || r->field >= v->size) return NULL;
    const leat_value *item = &v->as.items[r->field];
    return item->kind == LEAT_INT ? item : NULL;
}

/* Does a + b leave the range of the field? */
static bool leaves_range(const rolling_self *r, int64_t a, int64_t b) {
    return b > 0 ? a > r->high - b : a < r->low - b;
}

/* A copy of `v` in which the chosen item is `i`. */
static leat_status with_int(leat_context *ctx, const rolling_self *r, const leat_value *v,
                            int64_t i, leat_value *out) {
    if (v->kind == LEAT_INT) {
        *out = leat_int(i);
        return LEAT_OK;
    }
    leat_value *items = leat_context_alloc(ctx, v->size * sizeof *items);
    if (!items) return LEAT_E_NOMEM;
    memcpy(items, v->as.items, v->size * sizeof *items);
    items[r->field] = leat_int(i);
    *out = leat_tuple(items, v->size);
    return LEAT_OK;
}

/* --- the long way: whatever has fields, adds and compares ------------------------------------- */

static leat_status missing(leat_context *ctx, const rolling_self *r, leat_status status,
                           const leat_value *v) {
    bool has_items = v->kind == LEAT_TUPLE || v->kind == LEAT_LIST || v->kind == LEAT_ROW;
    if (status != LEAT_E_TYPE || has_items)
        return leati_field_missing(ctx, status, v, (int)r->field, r->field_name);
    char position[32];
    snprintf(position, sizeof position, "%d", (int)r->field);
    return leat_context_fail(
        ctx, status,
        "The %s field selected on a basic type. A field expression on a basic type can only select "
        "the 0th field (which means selecting the entire basic type).",
        r->field_name ? r->field_name : position);
}

static leat_status take(leat_context *ctx, const rolling_self *r, const leat_value *v,
                        leat_value *out) {
    leat_status status = leat_value_field(ctx, v, (int)r->field, r->field_name, out);
    return status < 0 ? missing(ctx, r, status, v) : status;
}

static leat_status with(leat_context *ctx, const rolling_self *r, const leat_value *v,
                        const leat_value *item, leat_value *out) {
    leat_status status = leat_value_with_field(ctx, v, (int)r->field, r->field_name, item, out);
    return status < 0 ? missing(ctx, r, status, v) : status;
}

/* --- the five results: `out` becomes the new accumulated element ------------------------------ */

/* An integer that int64 does not hold is an object. */
static leat_status check_range(leat_context *ctx, const rolling_self *r, const leat_value *sum) {
    if (!r->integer) return LEAT_OK;
    bool fits = sum->kind == LEAT_INT ? sum->as.i >= r->low && sum->as.i <= r->high
                                      : sum->kind != LEAT_OBJECT;
    if (fits) return LEAT_OK;
    return leat_context_fail(ctx, LEAT_E_RANGE,
                             "the sum leaves the range of %s; declare a larger type",
                             r->integer->text);
}

static leat_status sum_long(leat_context *ctx, const rolling_self *r, const leat_value *v1,
                            const leat_value *v2, leat_value *out) {
    leat_value a, b, sum;
    leat_status status = take(ctx, r, v1, &a);
    if (status >= 0) status = take(ctx, r, v2, &b);
    if (status >= 0) status = leat_value_add(ctx, &a, &b, &sum);
    if (status >= 0) status = check_range(ctx, r, &sum);
    return status < 0 ? status : with(ctx, r, v1, &sum, out);
}

/* LEAT_AGAIN: not that simple. LEAT_DONE: it is v1 still, which was changed. */
static leat_status sum_objects(leat_context *ctx, const rolling_self *r, const leat_value *v1,
                               const leat_value *v2, leat_value *out) {
    bool objects = v1->kind == LEAT_OBJECT && v2->kind == LEAT_OBJECT && v1->domain == v2->domain;
    if (!objects || r->field_name || r->field > INT_MAX) return LEAT_AGAIN;
    bool owned = false;
    leat_status status =
        leati_object_ops_of(v1)->add_item(v1, v2, (int)r->field, r->low, r->high, out, &owned);
    if (owned) return leat_context_keep(ctx, out);
    return status == LEAT_OK ? LEAT_DONE : status;
}

static leat_status sum(leat_context *ctx, const rolling_self *r, const leat_value *v1,
                       const leat_value *v2, leat_value *out) {
    leat_status status = sum_objects(ctx, r, v1, v2, out);
    if (status != LEAT_AGAIN) return status;
    const leat_value *a = int_field(r, v1), *b = int_field(r, v2);
    if (!a || !b || leaves_range(r, a->as.i, b->as.i)) return sum_long(ctx, r, v1, v2, out);
    return with_int(ctx, r, v1, a->as.i + b->as.i, out);
}

/* Below, equal or above zero: the new element's field against the accumulated one's. `item` becomes
   the new element's. */
static leat_status order_of(leat_context *ctx, const rolling_self *r, const leat_value *v1,
                            const leat_value *v2, leat_value *item, int *order) {
    const leat_value *a = int_field(r, v1), *b = int_field(r, v2);
    if (a && b) {
        *item = *b;
        *order = (b->as.i > a->as.i) - (b->as.i < a->as.i);
        return LEAT_OK;
    }
    leat_value old;
    leat_status status = take(ctx, r, v1, &old);
    if (status >= 0) status = take(ctx, r, v2, item);
    return status < 0 ? status : leat_value_compare(ctx, item, &old, order);
}

/* LEAT_DONE: it is v1 still. */
static leat_status extreme(leat_context *ctx, const rolling_self *r, rolling_verb verb,
                           const leat_value *v1, const leat_value *v2, leat_value *out) {
    leat_value item = leat_null();
    int order = 0;
    leat_status status = order_of(ctx, r, v1, v2, &item, &order);
    if (status < 0) return status;
    bool better = verb == MIN || verb == MIN_BY ? order < 0 : order > 0;
    if (!better) {
        *out = *v1;
        return LEAT_DONE;
    }
    if (verb == MIN || verb == MAX) return with(ctx, r, v1, &item, out);
    *out = *v2;
    return LEAT_OK;
}

/* --- the field's declared type ---------------------------------------------------------------- */

static const leat_type *field_type(const rolling_self *r, const leat_type *type) {
    if (!type) return NULL;
    if (type->tag != LEAT_T_TUPLE && type->tag != LEAT_T_ROW) return type;
    for (uint32_t i = 0; i < type->size; i++) {
        const char *name = type->schema ? type->schema->names[i] : "";
        if (r->field_name ? strcmp(name, r->field_name) == 0 : i == r->field) return type->items[i];
    }
    return NULL;
}

static leat_status rolling_open(leat_context *ctx, void *self) {
    rolling_self *r = self;
    const leat_type *type = field_type(r, leat_context_output_type(ctx));
    leat_type_tag tag = type ? type->tag : LEAT_T_PICKLED;
    int bits = tag == LEAT_T_BYTE    ? 8
               : tag == LEAT_T_SHORT ? 16
               : tag == LEAT_T_INT   ? 32
               : tag == LEAT_T_LONG  ? 64
                                     : 0;
    r->integer = bits ? type : NULL;
    r->high = bits ? INT64_MAX >> (64 - bits) : INT64_MAX;
    r->low = -r->high - 1;
    return LEAT_OK;
}

/* --- hooks: the new element is emitted before it is put, it may point into the old one --- */

static inline leat_status on_record(leat_context *ctx, const rolling_self *r, rolling_verb verb,
                                    const leat_record *in) {
    leat_namespace ns = {NULL, 0};
    leat_value old = leat_null();
    leat_record out;
    leat_record_init(&out, in->value, in->time);
    leat_status status = leat_state_get(ctx, r->accumulated, ns, &old), made = LEAT_OK;
    if (status == LEAT_OK) {
        made = verb == SUM ? sum(ctx, r, &old, &in->value, &out.value)
                           : extreme(ctx, r, verb, &old, &in->value, &out.value);
        status = made;
    }
    if (status >= 0) status = leat_emit(ctx, &out);
    if (status < 0 || made == LEAT_DONE) return status;
    return leat_state_put(ctx, r->accumulated, ns, &out.value);
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
    };                                                                                 \
    leat_stream *leat_stream_##noun(leat_stream *s, int field) {                       \
        leat_arg arg = leat_arg_int("field", field);                                   \
        return leat_graph_add(NULL, &leat_##noun##_operator, &arg, 1, &s, 1);          \
    }

ROLLING_OPERATOR(sum, SUM)
ROLLING_OPERATOR(min, MIN)
ROLLING_OPERATOR(max, MAX)
ROLLING_OPERATOR(min_by, MIN_BY)
ROLLING_OPERATOR(max_by, MAX_BY)
