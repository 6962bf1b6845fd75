/* key.h: keys as canonical bytes (docs/formats/key.md). Hash, equality, key group and order of keys
   use these bytes and nothing else: 1, 1.0 and true differ, -0.0 is 0.0, every NaN is one, maps
   are sorted. */
#ifndef LEATI_KEY_H
#define LEATI_KEY_H

#include "leat/value.h"
#include "runtime/base/buf.h"

/* Tags of canonical bytes. Stable: key groups and snapshots depend on them. The bridge writes the same
   ones for objects. */
enum {
    LEATI_K_NULL = 0,
    LEATI_K_FALSE = 1,
    LEATI_K_TRUE = 2,
    LEATI_K_INT = 3,        /* 8 bytes big endian, sign bit flipped */
    LEATI_K_DOUBLE = 4,     /* 8 bytes big endian, so changed that they sort as numbers */
    LEATI_K_STRING = 5,     /* varint size, bytes */
    LEATI_K_BYTES = 6,      /* varint size, bytes */
    LEATI_K_TUPLE = 7,      /* varint count, items */
    LEATI_K_ROW = 8,        /* u8 row kind, varint count, items */
    LEATI_K_LIST = 9,       /* varint count, items */
    LEATI_K_MAP = 10,       /* varint pairs, key, value ..., sorted */
    LEATI_K_DECIMAL = 11,   /* 4 bytes scale, 16 bytes unscaled, big endian, sign bits flipped */
    LEATI_K_DATE = 12,      /* as INT */
    LEATI_K_TIME = 13,      /* as INT */
    LEATI_K_TIMESTAMP = 14, /* as INT, then 4 bytes nanoseconds */
    LEATI_K_BIG_INT = 15,   /* integers beyond INT: varint size, two's complement big endian */
    LEATI_K_SET = 16,       /* varint count, items, sorted */
    LEATI_K_OBJECT = 17     /* blob: class name; then its reduced state, canonical */
};

/* Appends the canonical bytes. LEAT_E_TYPE for what cannot be a key. */
LEAT_API leat_status leati_key_write(const leat_value *key, leati_buf *out);
/* XXH3 with a frozen seed over the canonical bytes; scalars and strings without writing them. */
leat_status leati_key_hash(const leat_value *key, uint64_t *hash);
/* Does `key` have exactly these canonical bytes? Scalars and strings without writing them. */
bool leati_key_matches(const leat_value *key, const void *bytes, size_t size);

static inline int leati_key_group(uint64_t hash, int max_parallelism) {
    return (int)((uint64_t)(uint32_t)(hash >> 32) * (uint64_t)max_parallelism >> 32);
}
/* The subtask that owns a key group, as Flink deals them out. */
static inline int leati_key_group_owner(int group, int parallelism, int max_parallelism) {
    return (int)((int64_t)group * parallelism / max_parallelism);
}

#endif
