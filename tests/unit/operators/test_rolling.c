/* Tests of rolling.c: what each verb keeps of which element, ties, rows, scalars, big sums. */
#include "expect.h"

static harness *harness_of(void **state, const leat_operator *op, int field) {
    leat_function key = leat_field(0);
    leat_arg arg = leat_arg_int("field", field);
    return both_ways(state, harness_new(op, &arg, 1, &key));
}

/* (key, number, mark) */
static void push_triple(harness *h, const char *key, int64_t number, const char *mark) {
    leat_value items[3] = {leat_string(key), leat_int(number), leat_string(mark)};
    leat_value v = leat_tuple(items, 3);
    assert_int_equal(harness_push(h, 0, &v, LEAT_NO_TIME), LEAT_OK);
}

static void roll(void **state, const leat_operator *op, const char *const expected[5]) {
    harness *h = harness_of(state, op, 1);
    push_triple(h, "a", 5, "1st");
    push_triple(h, "a", 5, "tie");
    push_triple(h, "a", 3, "low");
    push_triple(h, "b", 9, "other");
    push_triple(h, "a", 8, "high");
    for (int i = 0; i < 5; i++) expect(h, expected[i]);
    expect_nothing(h);
    harness_free(h);
}

static void sum_keeps_the_rest_of_the_first(void **state) {
    static const char *const expected[5] = {"(a,5,1st)", "(a,10,1st)", "(a,13,1st)", "(b,9,other)",
                                            "(a,21,1st)"};
    roll(state, &leat_sum_operator, expected);
}

static void min_keeps_the_rest_of_the_first(void **state) {
    static const char *const expected[5] = {"(a,5,1st)", "(a,5,1st)", "(a,3,1st)", "(b,9,other)",
                                            "(a,3,1st)"};
    roll(state, &leat_min_operator, expected);
}

static void max_keeps_the_rest_of_the_first(void **state) {
    static const char *const expected[5] = {"(a,5,1st)", "(a,5,1st)", "(a,5,1st)", "(b,9,other)",
                                            "(a,8,1st)"};
    roll(state, &leat_max_operator, expected);
}

static void min_by_takes_the_whole_element(void **state) {
    static const char *const expected[5] = {"(a,5,1st)", "(a,5,1st)", "(a,3,low)", "(b,9,other)",
                                            "(a,3,low)"};
    roll(state, &leat_min_by_operator, expected);
}

static void max_by_takes_the_whole_element(void **state) {
    static const char *const expected[5] = {"(a,5,1st)", "(a,5,1st)", "(a,5,1st)", "(b,9,other)",
                                            "(a,8,high)"};
    roll(state, &leat_max_by_operator, expected);
}

static void sum_of_strings_joins_them(void **state) {
    harness *h = harness_of(state, &leat_sum_operator, 1);
    static const char *const words[] = {"x", "y", "z"};
    for (int i = 0; i < 3; i++) {
        leat_value items[2] = {leat_string("k"), leat_string(words[i])}, v = leat_tuple(items, 2);
        assert_int_equal(harness_push(h, 0, &v, LEAT_NO_TIME), LEAT_OK);
    }
    expect(h, "(k,x)");
    expect(h, "(k,xy)");
    expect(h, "(k,xyz)");
    harness_free(h);
}

static void sum_by_name_of_a_row(void **state) {
    static const char *const names[] = {"word", "n"};
    leat_function key = leat_field(0);
    leat_arg arg = leat_arg_string("field_name", "n");
    harness *h = both_ways(state, harness_new(&leat_sum_operator, &arg, 1, &key));
    for (int64_t i = 1; i < 3; i++) {
        leat_value items[2] = {leat_string("w"), leat_int(i)};
        leat_row row = {leat_schema_get(names, 2), items};
        leat_value v = leat_row_value(&row, 2, LEAT_INSERT);
        assert_int_equal(harness_push(h, 0, &v, LEAT_NO_TIME), LEAT_OK);
    }
    expect(h, "+I[w,1]");
    expect(h, "+I[w,3]");
    harness_free(h);
}

/* All records of a scalar stream that is keyed by itself have one value per key. */
static void sum_of_scalars_adds_them(void **state) {
    harness *h = harness_of(state, &leat_sum_operator, 0);
    push_int(h, 0, 7);
    push_int(h, 0, 7);
    push_int(h, 0, 1);
    expect(h, "7");
    expect(h, "14");
    expect(h, "1");
    harness_free(h);
}

static void field_of_a_scalar_fails_at_the_first_element(void **state) {
    harness *h = harness_of(state, &leat_max_operator, 1);
    leat_value seven = leat_int(7);
    assert_int_equal(harness_push(h, 0, &seven, LEAT_NO_TIME), LEAT_E_TYPE);
    assert_string_equal(harness_failure(h),
                        "The 1 field selected on a basic type. A field expression on a basic type "
                        "can only select the 0th field (which means selecting the entire basic "
                        "type).");
    harness_free(h);
}

static void missing_field_fails_at_the_first_element(void **state) {
    harness *h = harness_of(state, &leat_sum_operator, 4);
    leat_value items[2] = {leat_string("a"), leat_int(1)}, pair = leat_tuple(items, 2);
    assert_int_equal(harness_push(h, 0, &pair, LEAT_NO_TIME), LEAT_E_RANGE);
    assert_string_equal(harness_failure(h), "there is no field 4 in the tuple");
    harness_free(h);
}

static void sum_beyond_64_bits_fails(void **state) {
    harness *h = harness_of(state, &leat_sum_operator, 1);
    push_pair(h, 0, "a", INT64_MAX);
    leat_value items[2] = {leat_string("a"), leat_int(1)}, pair = leat_tuple(items, 2);
    assert_int_equal(harness_push(h, 0, &pair, LEAT_NO_TIME), LEAT_E_RANGE);
    harness_free(h);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        BOTH_WAYS(sum_keeps_the_rest_of_the_first),
        BOTH_WAYS(min_keeps_the_rest_of_the_first),
        BOTH_WAYS(max_keeps_the_rest_of_the_first),
        BOTH_WAYS(min_by_takes_the_whole_element),
        BOTH_WAYS(max_by_takes_the_whole_element),
        BOTH_WAYS(sum_of_strings_joins_them),
        BOTH_WAYS(sum_by_name_of_a_row),
        BOTH_WAYS(sum_of_scalars_adds_them),
        BOTH_WAYS(field_of_a_scalar_fails_at_the_first_element),
        BOTH_WAYS(missing_field_fails_at_the_first_element),
        BOTH_WAYS(sum_beyond_64_bits_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
