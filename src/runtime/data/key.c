/* key.c: canonical bytes of keys. The format is in docs/formats/key.md. A key's bytes end by
   themselves, so that something can follow them, and integers and doubles sort by their bytes. */
#include "runtime/data/key.h"

#include "runtime/base/alloc.h"
#include "runtime/base/hash.h"
#include "runtime/base/object.h"
#include "runtime/data/codec.h"

#include <math.h>
#include <stdlib.h>

static leat_status key_write(const leat_value *key, leati_buf *out, int depth);

static void store_big4(char *to, uint32_t x) {
    const char bytes[] = {(char)(x >> 24), (char)(x >> 16), (char)(x >> 8), (char)x};
    memcpy(to, bytes, sizeof bytes);
}

static void store_big8(char *to, uint64_t x) {
    store_big4(to, (uint32_t)(x >> 32));
    store_big4(to + 4, (uint32_t)x);
}

static const uint64_t SIGN = (uint64_t)1 << 63;

/* The bits of a double in an order that is that of the numbers; every NaN is the quiet one. */
static uint64_t double_bits(double d) {
    if (isnan(d)) return 0x7ff8000000000000 | SIGN;
    if (d == 0) return SIGN;
    uint64_t bits;
    memcpy(&bits, &d, sizeof bits);
    return bits & SIGN ? ~bits : bits | SIGN;
}

enum { SCALAR_MAX = 13 };

/* Writes a scalar's bytes and answers how many; 0 for what is no scalar. */
static size_t scalar_write(const leat_value *key, char *to) {
    to[0] = LEATI_K_INT;
    switch ((leat_kind)key->kind) {
    case LEAT_NULL: to[0] = LEATI_K_NULL; return 1;
    case LEAT_BOOL: to[0] = key->as.b ? LEATI_K_TRUE : LEATI_K_FALSE; return 1;
    case LEAT_DOUBLE:
        to[0] = LEATI_K_DOUBLE;
        store_big8(to + 1, double_bits(key->as.d));
        return 9;
    case LEAT_DATE: to[0] = LEATI_K_DATE; break;
    case LEAT_TIME: to[0] = LEATI_K_TIME; break;
    case LEAT_TIMESTAMP:
        to[0] = LEATI_K_TIMESTAMP;
        store_big4(to + 9, key->size);
        break;
    case LEAT_INT: break;
    default: return 0;
    }
    store_big8(to + 1, (uint64_t)key->as.i ^ SIGN);
    return key->kind == LEAT_TIMESTAMP ? 13 : 9;
}

static leat_status items_write(const leat_value *items, size_t count, leati_buf *out, int depth) {
    if (depth >= LEATI_CODEC_DEPTH) return LEAT_E_TYPE;
    for (size_t i = 0; i < count; i++) {
        leat_status status = key_write(&items[i], out, depth + 1);
        if (status < 0) return status;
    }
    return LEAT_OK;
}

static void decimal_write(const leat_value *key, leati_buf *out) {
    char bytes[21] = {LEATI_K_DECIMAL};
    store_big4(bytes + 1, key->size ^ (uint32_t)1 << 31);
    store_big8(bytes + 5, (uint64_t)key->as.decimal->high ^ SIGN);
    store_big8(bytes + 13, key->as.decimal->low);
    leati_buf_append(out, bytes, sizeof bytes);
}

/* One pair of a map, as bytes: the key's come first, and end by themselves. */
typedef struct map_pair {
    const char *bytes;
    size_t size;
} map_pair;

static int pair_order(const void *a, const void *b) {
    const map_pair *x = a, *y = b;
    int order = memcmp(x->bytes, y->bytes, x->size < y->size ? x->size : y->size);
    return order ? order : (x->size > y->size) - (x->size < y->size);
}

/* Writes the pairs one after the other into `scratch`, then sorts them into `out`. */
static leat_status map_sort(const leat_value *key, map_pair *pairs, leati_buf *scratch,
                            leati_buf *out, int depth) {
    for (uint32_t i = 0; i < key->size; i++) {
        size_t start = scratch->size;
        leat_status status = items_write(key->as.items + 2 * (size_t)i, 2, scratch, depth);
        if (status < 0) return status;
        pairs[i].size = scratch->size - start;
    }
    if (scratch->failed) return LEAT_E_NOMEM;
    const char *at = scratch->bytes;
    for (uint32_t i = 0; i < key->size; at += pairs[i++].size) pairs[i].bytes = at;
    qsort(pairs, key->size, sizeof *pairs, pair_order);
    for (uint32_t i = 0; i < key->size; i++) leati_buf_append(out, pairs[i].bytes, pairs[i].size);
    return LEAT_OK;
}

static leat_status map_write(const leat_value *key, leati_buf *out, int depth) {
    leati_buf_u8(out, LEATI_K_MAP);
    leati_buf_varint(out, key->size);
    if (key->size == 0) return LEAT_OK;
    map_pair *pairs = leati_alloc(key->size * sizeof *pairs);
    if (!pairs) return LEAT_E_NOMEM;
    leati_buf scratch;
    leati_buf_init(&scratch);
    leat_status status = map_sort(key, pairs, &scratch, out, depth);
    leati_buf_fini(&scratch);
    leati_free(pairs);
    return status;
}

static leat_status key_write(const leat_value *key, leati_buf *out, int depth) {
    char scalar[SCALAR_MAX];
    size_t size = scalar_write(key, scalar);
    if (size) {
        leati_buf_append(out, scalar, size);
        return LEAT_OK;
    }
    switch ((leat_kind)key->kind) {
    case LEAT_STRING:
    case LEAT_BYTES:
        leati_buf_u8(out, key->kind == LEAT_STRING ? LEATI_K_STRING : LEATI_K_BYTES);
        leati_buf_blob(out, key->as.bytes, key->size);
        return LEAT_OK;
    case LEAT_TUPLE:
    case LEAT_LIST:
        leati_buf_u8(out, key->kind == LEAT_TUPLE ? LEATI_K_TUPLE : LEATI_K_LIST);
        leati_buf_varint(out, key->size);
        return items_write(key->as.items, key->size, out, depth);
    case LEAT_ROW:
        leati_buf_u8(out, LEATI_K_ROW);
        leati_buf_u8(out, key->flags);
        leati_buf_varint(out, key->size);
        return items_write(key->as.row->items, key->size, out, depth);
    case LEAT_MAP: return map_write(key, out, depth);
    case LEAT_DECIMAL: decimal_write(key, out); return LEAT_OK;
    case LEAT_OBJECT: return leati_object_ops_of(key)->canonical(key->as.object, out);
    default: return LEAT_E_TYPE;
    }
}

leat_status leati_key_write(const leat_value *key, leati_buf *out) {
    leat_status status = key_write(key, out, 0);
    return status < 0 ? status : out->failed ? LEAT_E_NOMEM : LEAT_OK;
}

size_t leati_key_short(const leat_value *key, char *to) {
    if (key->kind != LEAT_STRING && key->kind != LEAT_BYTES) return scalar_write(key, to);
    if (key->size > LEATI_KEY_SHORT - 2) return 0;
    to[0] = key->kind == LEAT_STRING ? LEATI_K_STRING : LEATI_K_BYTES;
    to[1] = (char)key->size; /* below 128: one byte */
    if (key->size) memcpy(to + 2, key->as.bytes, key->size);
    return (size_t)key->size + 2;
}

leat_status leati_key_hash_any(const leat_value *key, uint64_t *hash) {
    char bytes[LEATI_KEY_SHORT];
    size_t size = leati_key_short(key, bytes);
    if (size) {
        *hash = leati_hash(bytes, size);
        return LEAT_OK;
    }
    leati_buf buf;
    leati_buf_init(&buf);
    leat_status status = leati_key_write(key, &buf);
    if (status >= 0) *hash = leati_hash(buf.bytes, buf.size);
    leati_buf_fini(&buf);
    return status;
}

bool leati_key_matches(const leat_value *key, const void *bytes, size_t size) {
    char short_bytes[LEATI_KEY_SHORT];
    size_t written = leati_key_short(key, short_bytes);
    if (written) return written == size && memcmp(short_bytes, bytes, size) == 0;
    leati_buf buf;
    leati_buf_init(&buf);
    bool same =
        leati_key_write(key, &buf) >= 0 && buf.size == size && memcmp(buf.bytes, bytes, size) == 0;
    leati_buf_fini(&buf);
    return same;
}

/* --- types ------------------------------------------------------------------------------------ */

/* A type of all those whose keys look alike. */
static leat_type_tag key_family(leat_type_tag tag) {
    switch (tag) {
    case LEAT_T_BYTE:
    case LEAT_T_SHORT:
    case LEAT_T_INT:
    case LEAT_T_LONG:
    case LEAT_T_BIG_INT: return LEAT_T_LONG;
    case LEAT_T_FLOAT:
    case LEAT_T_DOUBLE: return LEAT_T_DOUBLE;
    case LEAT_T_STRING:
    case LEAT_T_CHAR: return LEAT_T_STRING;
    case LEAT_T_INSTANT:
    case LEAT_T_SQL_TIMESTAMP: return LEAT_T_SQL_TIMESTAMP;
    case LEAT_T_LIST:
    case LEAT_T_PRIMITIVE_ARRAY:
    case LEAT_T_BASIC_ARRAY:
    case LEAT_T_OBJECT_ARRAY: return LEAT_T_LIST;
    default: return tag;
    }
}

static bool is_unknown(const leat_type *type) {
    return !type || type->tag == LEAT_T_PICKLED;
}

bool leati_key_types_meet(const leat_type *a, const leat_type *b) {
    if (is_unknown(a) || is_unknown(b) || a == b) return true;
    if (key_family(a->tag) != key_family(b->tag)) return false;
    if (a->size != b->size) return a->tag != LEAT_T_TUPLE && a->tag != LEAT_T_ROW;
    for (uint32_t i = 0; i < a->size; i++)
        if (!leati_key_types_meet(a->items[i], b->items[i])) return false;
    return true;
}
