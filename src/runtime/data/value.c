/* value.c: names of kinds, and native equality. */
#include "leat/value.h"

#include "runtime/base/object.h"

#include <math.h>

const char *leat_kind_name(leat_kind kind) {
    static const char *const names[] = {"null",    "bool",  "int",  "double",    "string",
                                        "bytes",   "tuple", "row",  "list",      "map",
                                        "decimal", "date",  "time", "timestamp", "object"};
    return (size_t)kind < sizeof names / sizeof *names ? names[kind] : "unknown";
}

static bool doubles_equal(double a, double b) {
    return a == b || (isnan(a) && isnan(b)); /* as keys are: every NaN is one, -0.0 is 0.0 */
}

static bool items_equal(const leat_value *a, const leat_value *b, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (!leat_value_equal(&a[i], &b[i])) return false;
    }
    return true;
}

/* Every pair of the one must be in the other; most are at the same place. Pairs are compared once,
   so that maps in maps take no more than quadratic time. */
static bool maps_equal(const leat_value *a, const leat_value *b, size_t pairs) {
    for (size_t i = 0; i < pairs; i++) {
        size_t tried = 0;
        while (tried < pairs && !items_equal(a + 2 * i, b + 2 * ((i + tried) % pairs), 2)) tried++;
        if (tried == pairs) return false;
    }
    return true;
}

static bool objects_equal(const leat_value *a, const leat_value *b) {
    if (a->domain != b->domain) return false;
    if (a->as.object == b->as.object) return true;
    const leati_object_ops *ops = leati_object_ops_of(a);
    return ops && ops->equal(a->as.object, b->as.object);
}

bool leat_value_equal(const leat_value *a, const leat_value *b) {
    if (a->kind != b->kind) return false;
    switch ((leat_kind)a->kind) {
    case LEAT_NULL: return true;
    case LEAT_BOOL: return a->as.b == b->as.b;
    case LEAT_INT:
    case LEAT_DATE:
    case LEAT_TIME: return a->as.i == b->as.i;
    case LEAT_DOUBLE: return doubles_equal(a->as.d, b->as.d);
    case LEAT_TIMESTAMP: return a->as.i == b->as.i && a->size == b->size;
    case LEAT_DECIMAL:
        return a->size == b->size && a->as.decimal->low == b->as.decimal->low &&
               a->as.decimal->high == b->as.decimal->high;
    case LEAT_OBJECT: return objects_equal(a, b);
    default: break;
    }
    if (a->size != b->size) return false;
    switch ((leat_kind)a->kind) {
    case LEAT_STRING:
    case LEAT_BYTES: return a->size == 0 || memcmp(a->as.bytes, b->as.bytes, a->size) == 0;
    case LEAT_ROW:
        return a->flags == b->flags && items_equal(a->as.row->items, b->as.row->items, a->size);
    case LEAT_MAP: return maps_equal(a->as.items, b->as.items, a->size);
    default: return items_equal(a->as.items, b->as.items, a->size);
    }
}
