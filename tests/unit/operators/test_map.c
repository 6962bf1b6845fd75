/* Tests of map.c: one result per record, null too; failures pass. */
#include "expect.h"

static leat_status plus(leat_context *ctx, const leat_record *in, leat_value *out, void *arg) {
    int64_t n = *(const int64_t *)arg;
    if (in->value.kind == LEAT_NULL) return LEAT_OK;
    if (in->value.kind != LEAT_INT) return leat_context_fail(ctx, LEAT_E_TYPE, "no integer");
    *out = leat_int(in->value.as.i + n);
    return LEAT_OK;
}

static harness *plus_harness(void **state, int64_t *n) {
    leat_function f = leat_map_fn(plus, n);
    leat_arg arg = leat_arg_function("function", &f);
    return both_ways(state, harness_new(&leat_map_operator, &arg, 1, NULL));
}

static void map_of_each_record_emits_one(void **state) {
    int64_t two = 2;
    harness *h = plus_harness(state, &two);
    push_int(h, 0, 1);
    leat_value five = leat_int(5), null = leat_null();
    assert_int_equal(harness_push(h, 0, &five, 77), LEAT_OK);
    assert_int_equal(harness_push(h, 0, &null, 78), LEAT_OK);
    expect(h, "3");
    expect(h, "7@77");
    expect(h, "null@78");
    expect_nothing(h);
    harness_free(h);
}

static void map_that_fails_says_why(void **state) {
    int64_t two = 2;
    harness *h = plus_harness(state, &two);
    leat_value text = leat_string("x");
    assert_int_equal(harness_push(h, 0, &text, LEAT_NO_TIME), LEAT_E_TYPE);
    assert_string_equal(harness_failure(h), "no integer");
    harness_free(h);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        BOTH_WAYS(map_of_each_record_emits_one),
        cmocka_unit_test(map_that_fails_says_why),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
