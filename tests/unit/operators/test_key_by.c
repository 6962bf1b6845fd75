/* Tests of key_by.c and field.c: values pass unchanged; a missing field and a wrong type are named.
   What keys do is seen in test_rolling.c, whose inputs are keyed. */
#include "expect.h"

static void key_by_field_passes_values(void **state) {
    leat_arg arg = leat_arg_int("field", 1);
    harness *h = both_ways(state, harness_new(&leat_key_by_operator, &arg, 1, NULL));
    push_pair(h, 0, "a", 1);
    expect(h, "(a,1)");
    expect_nothing(h);
    harness_free(h);
}

static void key_by_function_passes_values(void **state) {
    leat_function f = leat_field(0);
    leat_arg args[] = {leat_arg_function("function", &f), leat_arg_string("key_type", "LONG")};
    harness *h = both_ways(state, harness_new(&leat_key_by_operator, args, 2, NULL));
    push_int(h, 0, 5);
    expect(h, "5");
    harness_free(h);
}

static void key_by_missing_field_fails(void **state) {
    (void)state;
    leat_arg arg = leat_arg_int("field", 2);
    harness *h = harness_new(&leat_key_by_operator, &arg, 1, NULL);
    leat_value items[2] = {leat_int(1), leat_int(2)}, pair = leat_tuple(items, 2);
    assert_int_equal(harness_push(h, 0, &pair, LEAT_NO_TIME), LEAT_E_RANGE);
    assert_string_equal(harness_failure(h), "there is no field 2 in the tuple");
    harness_free(h);
}

static void key_by_field_of_a_scalar_fails(void **state) {
    (void)state;
    leat_arg arg = leat_arg_int("field", 1);
    harness *h = harness_new(&leat_key_by_operator, &arg, 1, NULL);
    leat_value text = leat_string("x");
    assert_int_equal(harness_push(h, 0, &text, LEAT_NO_TIME), LEAT_E_TYPE);
    assert_string_equal(harness_failure(h),
                        "a string has no field 1; only field 0, which is all of it");
    harness_free(h);
}

static void python_function_names_are_specs(void **state) {
    (void)state;
    char name[] = "texts:is_long";
    leat_function f = leat_python(name);
    memset(name, 'x', sizeof name - 1);
    assert_string_equal(f.language, "python");
    assert_int_equal(f.spec_size, 14);
    assert_memory_equal(f.spec, "Mtexts:is_long", 14);
    assert_string_equal(f.name, "texts:is_long");
    leat_function again = leat_python("texts:is_long");
    assert_ptr_equal(again.spec, f.spec);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        BOTH_WAYS(key_by_field_passes_values),
        BOTH_WAYS(key_by_function_passes_values),
        cmocka_unit_test(key_by_missing_field_fails),
        cmocka_unit_test(key_by_field_of_a_scalar_fails),
        cmocka_unit_test(python_function_names_are_specs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
