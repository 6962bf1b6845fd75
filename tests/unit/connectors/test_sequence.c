/* Tests of sequence.c: both ends included, the ends of int64, goes on after a restore. */
#include "expect.h"

static harness *harness_of(void **state, int64_t first, int64_t last) {
    leat_arg args[] = {leat_arg_int("first", first), leat_arg_int("last", last)};
    return both_ways(state, harness_new(&leat_sequence_operator, args, 2, NULL));
}

static void sequence_includes_both_ends(void **state) {
    harness *h = harness_of(state, -1, 2);
    assert_int_equal(harness_poll(h), LEAT_DONE);
    expect(h, "-1");
    expect(h, "0");
    expect(h, "1");
    expect(h, "2");
    expect_nothing(h);
    harness_free(h);
}

static void sequence_backwards_is_empty(void **state) {
    harness *h = harness_of(state, 2, 1);
    assert_int_equal(harness_poll(h), LEAT_DONE);
    expect_nothing(h);
    harness_free(h);
}

static void sequence_at_the_ends_of_int64_ends(void **state) {
    harness *h = harness_of(state, INT64_MAX - 1, INT64_MAX);
    assert_int_equal(harness_poll(h), LEAT_DONE);
    expect(h, "9223372036854775806");
    expect(h, "9223372036854775807");
    expect_nothing(h);
    harness_free(h);
    h = harness_of(state, INT64_MIN, INT64_MAX);
    harness_room(h, 1);
    assert_int_equal(harness_poll(h), LEAT_AGAIN);
    expect(h, "-9223372036854775808");
    harness_free(h);
}

static void sequence_restored_goes_on(void **state) {
    harness *h = harness_of(state, 1, 4);
    harness_room(h, 2);
    assert_int_equal(harness_poll(h), LEAT_AGAIN);
    harness_revive(h);
    harness_room(h, -1);
    assert_int_equal(harness_poll(h), LEAT_DONE);
    expect(h, "1");
    expect(h, "2");
    expect(h, "3");
    expect(h, "4");
    expect_nothing(h);
    harness_free(h);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        BOTH_WAYS(sequence_includes_both_ends),
        BOTH_WAYS(sequence_backwards_is_empty),
        BOTH_WAYS(sequence_at_the_ends_of_int64_ends),
        BOTH_WAYS(sequence_restored_goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
