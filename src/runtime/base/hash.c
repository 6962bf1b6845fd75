/* hash.c: XXH3, compiled in from xxHash's header. */
#include "runtime/base/hash.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

static const uint64_t SEED = 0x7461656c; /* "leat", little endian */

uint64_t leati_hash(const void *bytes, size_t size) {
    return XXH3_64bits_withSeed(bytes, size, SEED);
}
