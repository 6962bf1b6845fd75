/* expect.h: short words for tests of operators: pushing common values, expecting results. */
#ifndef LEAT_TESTS_EXPECT_H
#define LEAT_TESTS_EXPECT_H

/* cmocka needs these before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "harness.h"

/* The next result is `text`. */
static inline void expect(harness *h, const char *text) {
    const char *got = harness_next(h);
    assert_string_equal(got ? got : "nothing", text);
}

/* There is no further result. */
static inline void expect_nothing(harness *h) {
    const char *got = harness_next(h);
    assert_string_equal(got ? got : "nothing", "nothing");
}

static inline void push_int(harness *h, unsigned input, int64_t i) {
    leat_value v = leat_int(i);
    assert_int_equal(harness_push(h, input, &v, LEAT_NO_TIME), LEAT_OK);
}

static inline void push_text(harness *h, unsigned input, const char *text) {
    leat_value v = leat_string(text);
    assert_int_equal(harness_push(h, input, &v, LEAT_NO_TIME), LEAT_OK);
}

/* A tuple (text, i). */
static inline void push_pair(harness *h, unsigned input, const char *text, int64_t i) {
    leat_value items[2] = {leat_string(text), leat_int(i)}, v = leat_tuple(items, 2);
    assert_int_equal(harness_push(h, input, &v, LEAT_NO_TIME), LEAT_OK);
}

/* Runs a test as it is, and with snapshot, throw away, restore after every step. */
#define BOTH_WAYS(test)                                           \
    {#test, test, NULL, NULL, (void *)0}, {                       \
#test " (revived)", test, NULL, NULL, (void *)(intptr_t)1 \
    }
static inline harness *both_ways(void **state, harness *h) {
    if (*state) harness_always_revive(h);
    return h;
}

#endif
