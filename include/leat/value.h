/* value.h: what a record carries. A value is 16 bytes, a kind and a scalar or a pointer, and never
   owns what it points to: a batch, an arena or a state cell does. Copy it freely; keep it no longer
   than the call that lent it. */
#ifndef LEAT_VALUE_H
#define LEAT_VALUE_H

#include "base.h"

#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum leat_kind {
    LEAT_NULL = 0,
    LEAT_BOOL = 1,
    LEAT_INT = 2, /* int64_t */
    LEAT_DOUBLE = 3,
    LEAT_STRING = 4,   /* UTF-8, `size` bytes, not terminated */
    LEAT_BYTES = 5,    /* `size` bytes */
    LEAT_TUPLE = 6,    /* `size` items */
    LEAT_ROW = 7,      /* `size` items, names in the schema, row kind in `flags` */
    LEAT_LIST = 8,     /* `size` items */
    LEAT_MAP = 9,      /* `size` pairs: key, value, key, value ... */
    LEAT_DECIMAL = 10, /* unscaled 128-bit integer, `size` digits after the point (an int32_t) */
    LEAT_DATE = 11,    /* days since 1970-01-01 */
    LEAT_TIME = 12,    /* nanoseconds since midnight */
    LEAT_TIMESTAMP =
        13,          /* milliseconds since the epoch, and `size` nanoseconds of that millisecond */
    LEAT_OBJECT = 14 /* an object of a host language; `domain` says whose */
} leat_kind;

typedef enum leat_row_kind {
    LEAT_INSERT = 0,
    LEAT_UPDATE_BEFORE = 1,
    LEAT_UPDATE_AFTER = 2,
    LEAT_DELETE = 3
} leat_row_kind;

typedef struct leat_value leat_value;

/* Field names of rows. Interned: equal names give the same pointer, valid until the process
   ends. */
typedef struct leat_schema {
    uint32_t size;
    const char *const *names;
} leat_schema;

/* What a LEAT_ROW value points to. */
typedef struct leat_row {
    const leat_schema *schema; /* NULL: fields have no names */
    const leat_value *items;
} leat_row;

/* What a LEAT_DECIMAL value points to: a two's complement 128-bit integer. */
typedef struct leat_decimal {
    uint64_t low;
    int64_t high;
} leat_decimal;

struct leat_value {
    uint8_t kind;    /* a leat_kind */
    uint8_t flags;   /* LEAT_ROW: a leat_row_kind; otherwise 0 */
    uint16_t domain; /* LEAT_OBJECT: whose object; otherwise 0 */
    uint32_t size;
    union {
        bool b;
        int64_t i;
        double d;
        const char *bytes;
        const leat_value *items;
        const leat_row *row;
        const leat_decimal *decimal;
        void *object;
    } as;
};

static inline leat_value leat_null(void) {
#ifdef __cplusplus
    leat_value v = leat_value();
#else
    leat_value v = {0};
#endif
    return v;
}

static inline leat_value leat_bool(bool b) {
    leat_value v = leat_null();
    v.kind = LEAT_BOOL;
    v.as.i = b;
    return v;
}

static inline leat_value leat_int(int64_t i) {
    leat_value v = leat_null();
    v.kind = LEAT_INT;
    v.as.i = i;
    return v;
}

static inline leat_value leat_double(double d) {
    leat_value v = leat_null();
    v.kind = LEAT_DOUBLE;
    v.as.d = d;
    return v;
}

/* A view of `size` bytes of UTF-8. */
static inline leat_value leat_string_n(const char *bytes, size_t size) {
    leat_value v = leat_null();
    v.kind = LEAT_STRING;
    v.size = (uint32_t)size;
    v.as.bytes = bytes;
    return v;
}

/* A view of a terminated string. */
static inline leat_value leat_string(const char *text) {
    return leat_string_n(text, strlen(text));
}

static inline leat_value leat_bytes(const void *bytes, size_t size) {
    leat_value v = leat_string_n((const char *)bytes, size);
    v.kind = LEAT_BYTES;
    return v;
}

/* A view of `size` items that the caller keeps. */
static inline leat_value leat_tuple(const leat_value *items, size_t size) {
    leat_value v = leat_null();
    v.kind = LEAT_TUPLE;
    v.size = (uint32_t)size;
    v.as.items = items;
    return v;
}

static inline leat_value leat_list(const leat_value *items, size_t size) {
    leat_value v = leat_tuple(items, size);
    v.kind = LEAT_LIST;
    return v;
}

static inline leat_value leat_map_value(const leat_value *pairs, size_t count) {
    leat_value v = leat_tuple(pairs, count);
    v.kind = LEAT_MAP;
    return v;
}

static inline leat_value leat_row_value(const leat_row *row, size_t size, leat_row_kind kind) {
    leat_value v = leat_null();
    v.kind = LEAT_ROW;
    v.flags = (uint8_t)kind;
    v.size = (uint32_t)size;
    v.as.row = row;
    return v;
}

/* Items of a tuple, list, row, or the pairs of a map; NULL for every other kind. */
static inline const leat_value *leat_value_items(const leat_value *v) {
    switch (v->kind) {
    case LEAT_TUPLE:
    case LEAT_LIST:
    case LEAT_MAP: return v->as.items;
    case LEAT_ROW: return v->as.row->items;
    default: return NULL;
    }
}

/* "string", "tuple" ...; never NULL. */
LEAT_API const char *leat_kind_name(leat_kind kind);

/* The interned schema of `size` names, or NULL when memory ran out. Any thread. */
LEAT_API const leat_schema *leat_schema_get(const char *const *names, size_t size);

/* Native equality: kinds must match, 1 and 1.0 differ, rows compare kind and items, names are
   ignored. Objects compare by their language's equality. */
LEAT_API bool leat_value_equal(const leat_value *a, const leat_value *b);

/* Writes what print() shows for the value, cut at `size` - 1 bytes and always terminated; answers
   the length it would have had. */
LEAT_API size_t leat_value_format(const leat_value *v, char *out, size_t size);

#ifdef __cplusplus
}
#endif
#endif
