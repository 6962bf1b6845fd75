/* Tests of collection.c. */
#include "expect.h"

static void collection_gives_its_values_in_order(void **state) {
    leat_value items[3] = {leat_int(1), leat_string("two"), leat_null()};
    leat_value list = leat_list(items, 3);
    leat_arg arg = leat_arg_list("items", &list);
    harness *h = both_ways(state, harness_new(&leat_collection_operator, &arg, 1, NULL));
    assert_int_equal(harness_poll(h), LEAT_DONE);
    expect(h, "1");
    expect(h, "two");
    expect(h, "null");
    expect_nothing(h);
    harness_free(h);
}

static void collection_without_values_ends(void **state) {
    leat_value list = leat_list(NULL, 0);
    leat_arg arg = leat_arg_list("items", &list);
    harness *h = both_ways(state, harness_new(&leat_collection_operator, &arg, 1, NULL));
    assert_int_equal(harness_poll(h), LEAT_DONE);
    expect_nothing(h);
    harness_free(h);
}

static void collection_waits_for_room_and_goes_on(void **state) {
    leat_value items[3] = {leat_int(1), leat_int(2), leat_int(3)};
    leat_value list = leat_list(items, 3);
    leat_arg arg = leat_arg_list("items", &list);
    harness *h = both_ways(state, harness_new(&leat_collection_operator, &arg, 1, NULL));
    harness_room(h, 1);
    assert_int_equal(harness_poll(h), LEAT_AGAIN);
    assert_int_equal(harness_count(h), 1);
    harness_revive(h);
    harness_room(h, -1);
    assert_int_equal(harness_poll(h), LEAT_DONE);
    assert_int_equal(harness_count(h), 3);
    harness_free(h);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        BOTH_WAYS(collection_gives_its_values_in_order),
        BOTH_WAYS(collection_without_values_ends),
        BOTH_WAYS(collection_waits_for_room_and_goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
