/* Tests of project.c. */
#include "expect.h"

static harness *harness_of(void **state, const leat_value *fields, size_t count) {
    leat_value list = leat_list(fields, count);
    leat_arg arg = leat_arg_list("fields", &list);
    return both_ways(state, harness_new(&leat_project_operator, &arg, 1, NULL));
}

static void project_takes_fields_in_order(void **state) {
    leat_value fields[3] = {leat_int(2), leat_int(0), leat_int(2)};
    harness *h = harness_of(state, fields, 3);
    leat_value items[3] = {leat_string("a"), leat_int(1), leat_double(2.5)};
    leat_value v = leat_tuple(items, 3);
    assert_int_equal(harness_push(h, 0, &v, 3), LEAT_OK);
    expect(h, "(2.5,a,2.5)@3");
    harness_free(h);
}

static void project_missing_field_fails(void **state) {
    leat_value fields[1] = {leat_int(2)};
    harness *h = harness_of(state, fields, 1);
    leat_value items[2] = {leat_string("a"), leat_int(1)}, v = leat_tuple(items, 2);
    assert_int_equal(harness_push(h, 0, &v, 3), LEAT_E_RANGE);
    assert_string_equal(harness_failure(h), "there is no field 2 in the tuple");
    harness_free(h);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        BOTH_WAYS(project_takes_fields_in_order),
        cmocka_unit_test(project_missing_field_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
