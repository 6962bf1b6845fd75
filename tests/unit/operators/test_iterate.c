/* Tests of iterate.c; whole loops are in test_iteration.c. */
#include "expect.h"

static leat_status first_digit(leat_context *ctx, const leat_record *in, leat_value *key,
                               void *arg) {
    (void)ctx, (void)arg;
    *key = leat_int(in->value.as.i % 10);
    return LEAT_OK;
}

static leat_status tell_key(leat_context *ctx, const leat_operator *op, harness *h) {
    (void)ctx;
    for (int64_t i = 11; i < 14; i++) {
        leat_value v = leat_int(i);
        assert_int_equal(harness_push(h, 0, &v, 100 * i), LEAT_OK);
    }
    assert_int_equal(op->inputs, 1); /* what comes back is one more */
    expect(h, "11@1100");
    expect(h, "12@1200");
    expect(h, "13@1300");
    return LEAT_OK;
}

static void iterate_hands_on_values_and_times(void **state) {
    leat_function key = leat_key_fn(first_digit, NULL);
    const leat_operator *ops[] = {&leat_iterate_operator, &leat_connected_iterate_operator};
    for (int i = 0; i < 2; i++) {
        harness *h = both_ways(state, harness_new(ops[i], NULL, 0, &key));
        tell_key(harness_context(h), ops[i], h);
        assert_int_equal(harness_watermark(h, 0, 5), LEAT_OK);
        expect(h, "watermark 5");
        assert_int_equal(harness_end(h, 0), LEAT_OK);
        assert_true(harness_ended(h));
        expect_nothing(h);
        harness_free(h);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        BOTH_WAYS(iterate_hands_on_values_and_times),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
