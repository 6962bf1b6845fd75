/* Tests of partition_custom.c: values pass; a target that does not exist is named. */
#include "expect.h"

static leat_status by_value(leat_context *ctx, const leat_value *key, int count, int *target,
                            void *arg) {
    (void)ctx, (void)arg, (void)count;
    *target = (int)key->as.i;
    return LEAT_OK;
}

static harness *harness_of(void **state) {
    leat_function f = leat_partition_fn(by_value, NULL), key = leat_field(1);
    leat_arg args[] = {leat_arg_function("function", &f), leat_arg_function("selector", &key)};
    return both_ways(state, harness_new(&leat_partition_custom_operator, args, 2, NULL));
}

static void partition_custom_passes_values(void **state) {
    harness *h = harness_of(state);
    push_pair(h, 0, "a", 0);
    expect(h, "(a,0)");
    expect_nothing(h);
    harness_free(h);
}

static void partition_custom_outside_fails(void **state) {
    harness *h = harness_of(state);
    leat_value items[2] = {leat_string("a"), leat_int(-1)}, pair = leat_tuple(items, 2);
    assert_int_equal(harness_push(h, 0, &pair, LEAT_NO_TIME), LEAT_E_RANGE);
    assert_string_equal(harness_failure(h),
                        "the partitioner gave -1; with 1 targets it must be 0 to 0");
    harness_free(h);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        BOTH_WAYS(partition_custom_passes_values),
        BOTH_WAYS(partition_custom_outside_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
