/* Tests of assign_timestamps.c: times, periodic watermarks, idleness. */
#include "expect.h"

#include "runtime/base/buf.h"

/* Ten times the value; the time that it had comes on top. */
static leat_status tenfold(leat_context *ctx, const leat_record *in, int64_t *time, void *arg) {
    (void)ctx, (void)arg;
    *time = 10 * in->value.as.i + (*time == LEAT_NO_TIME ? 0 : *time);
    return LEAT_OK;
}

static harness *assigning(void **state, int64_t bound_ms, int64_t idle_ms) {
    leat_function f = leat_timestamp_fn(tenfold, NULL);
    leat_arg args[] = {leat_arg_function("function", &f), leat_arg_int("bound_ms", bound_ms),
                       leat_arg_int("idle_ms", idle_ms)};
    harness *h = harness_new(&leat_assign_timestamps_operator, args, 3, NULL);
    return *state ? both_ways(state, h) : h;
}

static void clock_to(harness *h, int64_t now) {
    assert_true(harness_clock(h, now) >= 0);
}

static void times_come_from_the_function(void **state) {
    harness *h = assigning(state, 0, 0);
    leat_value v = leat_int(4);
    push_int(h, 0, 7);
    assert_int_equal(harness_push(h, 0, &v, 2), LEAT_OK);
    expect(h, "7@70");
    expect(h, "4@42");
    expect_nothing(h);
    harness_free(h);
}

static void watermarks_come_with_the_clock(void **state) {
    harness *h = assigning(state, 5, 0);
    clock_to(h, 1000);
    push_int(h, 0, 3);
    push_int(h, 0, 2);
    if (!*state) clock_to(h, 1199); /* a restored one waits its whole interval */
    expect(h, "3@30");
    expect(h, "2@20");
    expect_nothing(h);
    clock_to(h, 1200);
    expect(h, "watermark 24");
    clock_to(h, 1400);
    expect_nothing(h);
    push_int(h, 0, 1);
    clock_to(h, 1700);
    expect(h, "1@10");
    expect_nothing(h);
    assert_int_equal(harness_end(h, 0), LEAT_OK);
    assert_true(harness_ended(h));
    harness_free(h);
}

static void foreign_watermarks_end_here(void **state) {
    harness *h = assigning(state, 0, 0);
    assert_int_equal(harness_watermark(h, 0, 500), LEAT_OK);
    assert_int_equal(harness_idle(h, 0, true), LEAT_OK);
    expect_nothing(h);
    assert_int_equal(harness_end(h, 0), LEAT_OK);
    assert_true(harness_ended(h));
    harness_free(h);
}

static void without_a_function_times_stay(void **state) {
    harness *h = both_ways(state, harness_new(&leat_assign_timestamps_operator, NULL, 0, NULL));
    leat_value v = leat_int(1);
    assert_int_equal(harness_push(h, 0, &v, 50), LEAT_OK);
    push_int(h, 0, 2);
    clock_to(h, 200);
    expect(h, "1@50");
    expect(h, "2");
    expect(h, "watermark 49");
    harness_free(h);
}

static void no_watermarks_are_none_but_the_last(void **state) {
    leat_arg arg = leat_arg_int("no_watermarks", 1);
    harness *h = both_ways(state, harness_new(&leat_assign_timestamps_operator, &arg, 1, NULL));
    leat_value v = leat_int(1);
    assert_int_equal(harness_push(h, 0, &v, 50), LEAT_OK);
    clock_to(h, 1000);
    expect(h, "1@50");
    expect_nothing(h);
    assert_int_equal(harness_end(h, 0), LEAT_OK);
    assert_true(harness_ended(h));
    harness_free(h);
}

static void who_is_silent_falls_idle(void **state) {
    harness *h = assigning(state, 0, 500);
    push_int(h, 0, 3);
    expect(h, "3@30");
    clock_to(h, 200);
    expect(h, "watermark 29");
    clock_to(h, 600);
    expect_nothing(h);
    clock_to(h, 800);
    expect(h, "idle");
    clock_to(h, 9000);
    expect_nothing(h);
    push_int(h, 0, 4);
    expect(h, "4@40");
    expect(h, "active");
    clock_to(h, 9200);
    expect(h, "watermark 39");
    harness_free(h);
}

static void the_smallest_times_give_no_watermark(void **state) {
    leat_arg arg = leat_arg_int("bound_ms", 10);
    harness *h = both_ways(state, harness_new(&leat_assign_timestamps_operator, &arg, 1, NULL));
    leat_value v = leat_int(1);
    assert_int_equal(harness_push(h, 0, &v, INT64_MIN + 11), LEAT_OK);
    clock_to(h, 200);
    assert_non_null(harness_next(h));
    expect_nothing(h);
    harness_free(h);
}

static void the_highest_time_is_saved_in_little_endian(void **state) {
    (void)state;
    static const char bytes[] = {8, 7, 6, 5, 4, 3, 2, 1};
    harness *h = harness_new(&leat_assign_timestamps_operator, NULL, 0, NULL);
    leat_value v = leat_int(4);
    leati_buf saved;
    leati_buf_init(&saved);
    assert_int_equal(harness_push(h, 0, &v, 0x0102030405060708), LEAT_OK);
    harness_save(h, &saved);
    assert_non_null(memmem(saved.bytes, saved.size, bytes, sizeof bytes));
    leati_buf_fini(&saved);
    harness_free(h);
}

static void wrong_bounds_are_refused(void **state) {
    (void)state;
    leat_arg arg = leat_arg_int("bound_ms", -1);
    leat_value v = leat_int(1);
    harness *h = harness_new(&leat_assign_timestamps_operator, &arg, 1, NULL);
    assert_int_equal(harness_push(h, 0, &v, 0), LEAT_E_ARGUMENT);
    harness_free(h);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        BOTH_WAYS(times_come_from_the_function),
        BOTH_WAYS(watermarks_come_with_the_clock),
        BOTH_WAYS(foreign_watermarks_end_here),
        BOTH_WAYS(without_a_function_times_stay),
        BOTH_WAYS(no_watermarks_are_none_but_the_last),
        cmocka_unit_test(who_is_silent_falls_idle),
        BOTH_WAYS(the_smallest_times_give_no_watermark),
        cmocka_unit_test(wrong_bounds_are_refused),
        cmocka_unit_test(the_highest_time_is_saved_in_little_endian),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
