/* hash.h: the one hash of bytes: XXH3 with 64 bits and a seed that never changes, since key groups
   and snapshots depend on it. */
#ifndef LEATI_HASH_H
#define LEATI_HASH_H

#include "leat/base.h"
#include "runtime/base/hint.h"

#include <string.h>

LEAT_API uint64_t leati_hash(const void *bytes, size_t size);

static inline uint64_t leati_word_little(uint64_t word) {
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    return __builtin_bswap64(word);
#else
    return word;
#endif
}

/* Eight bytes as a word, the first the lowest, and back. */
static inline uint64_t leati_word(const char *bytes) {
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
    return leati_word_little(word);
}

static inline void leati_word_put(uint64_t word, char *to) {
    word = leati_word_little(word);
    memcpy(to, &word, sizeof word);
}

/* Both halves of the product in one. */
static inline uint64_t leati_word_fold(uint64_t a, uint64_t b) {
#if defined(__SIZEOF_INT128__)
    __extension__ unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
#else
    uint64_t a0 = (uint32_t)a, a1 = a >> 32, b0 = (uint32_t)b, b1 = b >> 32;
    uint64_t middle = a1 * b0 + (a0 * b0 >> 32), other = (uint32_t)middle + a0 * b1;
    return a * b ^ (a1 * b1 + (middle >> 32) + (other >> 32));
#endif
}

/* leati_hash of nine bytes, by the words that they begin and end with: what is known as words need
   not be written first, which would cost more than the hash, for a processor has to wait for a word
   that was written in other pieces than it is read in. It is XXH3's way for 9 to 16 bytes; the seed
   is in the two numbers. */
static inline uint64_t leati_hash_nine(uint64_t first, uint64_t last) {
    uint64_t low = first ^ 0x6782737c5ea39f25, high = last ^ 0xaf56bc3a9534ecce;
    uint64_t h = 9 + __builtin_bswap64(low) + high + leati_word_fold(low, high);
    h = (h ^ h >> 37) * 0x165667919e3779f9;
    return h ^ h >> 32;
}

/* One hash of two, where their order matters. */
static inline uint64_t leati_hash_mix(uint64_t a, uint64_t b) {
    uint64_t x = a ^ (b + 0x9e3779b97f4a7c15u + (a << 6) + (a >> 2));
    x = (x ^ (x >> 32)) * 0xd6e8feb86659fd93u;
    return x ^ (x >> 32);
}

#endif
