/* key.h: keys as canonical bytes (docs/formats/key.md). Hash, equality, key group and order of keys
   use these bytes and nothing else: 1, 1.0 and true differ, -0.0 is 0.0, every NaN is one, maps
   are sorted. */
#ifndef LEATI_KEY_H
#define LEATI_KEY_H

#include "leat/type.h"
#include "runtime/base/buf.h"
#include "runtime/base/hash.h"
#include "runtime/base/wire.h"

/* Appends the canonical bytes. LEAT_E_TYPE for what cannot be a key. */
LEAT_API leat_status leati_key_write(const leat_value *key, leati_buf *out);
/* The canonical bytes of an integer, by the words (hash.h) that they begin and end with. */
enum { LEATI_KEY_INT = 9 };
static inline void leati_key_words(int64_t i, uint64_t *first, uint64_t *last) {
    *last = __builtin_bswap64((uint64_t)i ^ (uint64_t)1 << 63);
    *first = *last << 8 | LEATI_K_INT;
}
/* The canonical bytes of scalars and short strings, which is what most keys are: answers their
   size, or 0 for any other key. `to` has room for LEATI_KEY_SHORT bytes. */
enum { LEATI_KEY_SHORT = 112 };
size_t leati_key_short(const leat_value *key, char *to);
/* XXH3 with a frozen seed over the canonical bytes; scalars and strings without writing them. */
leat_status leati_key_hash_any(const leat_value *key, uint64_t *hash);
static inline leat_status leati_key_hash(const leat_value *key, uint64_t *hash) {
    uint64_t first, last;
    if (key->kind != LEAT_INT) return leati_key_hash_any(key, hash);
    leati_key_words(key->as.i, &first, &last);
    *hash = leati_hash_nine(first, last);
    return LEAT_OK;
}
/* Does `key` have exactly these canonical bytes? Scalars and strings without writing them. */
bool leati_key_matches(const leat_value *key, const void *bytes, size_t size);

/* Can a key of the one type have the canonical bytes of one of the other? Where one is not known
   (NULL, or any object) it may. */
bool leati_key_types_meet(const leat_type *a, const leat_type *b);

static inline int leati_key_group(uint64_t hash, int max_parallelism) {
    return (int)((uint64_t)(uint32_t)(hash >> 32) * (uint64_t)max_parallelism >> 32);
}
/* The subtask that owns a key group, as Flink deals them out. */
static inline int leati_key_group_owner(int group, int parallelism, int max_parallelism) {
    return (int)((int64_t)group * parallelism / max_parallelism);
}

#endif
