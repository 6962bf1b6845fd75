/* hash.h: the one hash of bytes: XXH3 with 64 bits and a seed that never changes, since key groups
   and snapshots depend on it. */
#ifndef LEATI_HASH_H
#define LEATI_HASH_H

#include "leat/base.h"

#if defined(__GNUC__)
#define LEATI_PREFETCH(address) __builtin_prefetch(address)
#else
#define LEATI_PREFETCH(address) ((void)(address))
#endif

LEAT_API uint64_t leati_hash(const void *bytes, size_t size);

/* One hash of two, where their order matters. */
static inline uint64_t leati_hash_mix(uint64_t a, uint64_t b) {
    uint64_t x = a ^ (b + 0x9e3779b97f4a7c15u + (a << 6) + (a >> 2));
    x = (x ^ (x >> 32)) * 0xd6e8feb86659fd93u;
    return x ^ (x >> 32);
}

#endif
