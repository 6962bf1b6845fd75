/* damage.h: for tests of what reads files: every bit of some bytes flipped, every end cut off. */
#ifndef LEAT_TESTS_DAMAGE_H
#define LEAT_TESTS_DAMAGE_H

/* cmocka needs these before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Is it taken as whole? In bytes of exactly that size, for the address sanitizer. */
typedef bool (*damage_reader)(const char *bytes, size_t size);

static inline bool reads_copy(damage_reader reads, const char *bytes, size_t size, size_t at,
                              int flip) {
    char *copy = malloc(size + !size);
    assert_non_null(copy);
    memcpy(copy, bytes, size);
    if (flip) copy[at] = (char)(copy[at] ^ flip);
    bool good = reads(copy, size);
    free(copy);
    return good;
}

static inline void expect_every_damage_refused(damage_reader reads, const char *bytes,
                                               size_t size) {
    assert_true(reads_copy(reads, bytes, size, 0, 0));
    for (size_t at = 0; at < size; at++)
        for (int bit = 0; bit < 8; bit++)
            if (reads_copy(reads, bytes, size, at, 1 << bit))
                fail_msg("bit %d of byte %zu may be flipped", bit, at);
    for (size_t cut = 0; cut < size; cut++)
        if (reads_copy(reads, bytes, cut, 0, 0)) fail_msg("it may end after %zu bytes", cut);
}

#endif
