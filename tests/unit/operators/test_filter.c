/* Tests of filter.c. */
#include "expect.h"

static leat_status is_even(leat_context *ctx, const leat_record *in, bool *keep, void *arg) {
    (void)ctx, (void)arg;
    *keep = in->value.as.i % 2 == 0;
    return LEAT_OK;
}

static void filter_keeps_what_the_function_keeps(void **state) {
    leat_function f = leat_filter_fn(is_even, NULL);
    leat_arg arg = leat_arg_function("function", &f);
    harness *h = both_ways(state, harness_new(&leat_filter_operator, &arg, 1, NULL));
    for (int64_t i = 0; i < 5; i++) {
        leat_value v = leat_int(i);
        assert_int_equal(harness_push(h, 0, &v, 10 * i), LEAT_OK);
    }
    expect(h, "0@0");
    expect(h, "2@20");
    expect(h, "4@40");
    expect_nothing(h);
    harness_free(h);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        BOTH_WAYS(filter_keeps_what_the_function_keeps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
