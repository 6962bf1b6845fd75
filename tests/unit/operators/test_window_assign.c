/* Tests of window_assign.c: which windows each assigner of Leat's own gives, and what it
   refuses. */
#include "windows.h"

static harness *tell_windows_of(void **state, window_args *a, const char *assigner) {
    with_own(a, "assigner", assigner);
    with(a, "window", teller());
    return open_window(state, a);
}

static void tumbling_windows_have_an_offset(void **state) {
    window_args a = {.count = 0};
    harness *h = tell_windows_of(state, &a, "tumbling_event_time 10 -3");
    take(h, "a", 1, 0);
    take(h, "a", 2, 6);
    take(h, "a", 3, 7);
    take(h, "a", 4, -4);
    watermark(h, 5);
    expect(h, "a [-13,-3) 4@-4");
    expect_watermark(h, 5);
    watermark(h, 100);
    expect(h, "a [-3,7) 1 2@6");
    expect(h, "a [7,17) 3@16");
    expect_watermark(h, 100);
    end_windows(h);
}

static void sliding_windows_overlap(void **state) {
    window_args a = {.count = 0};
    harness *h = tell_windows_of(state, &a, "sliding_event_time 10 5 1");
    take(h, "a", 1, 0);
    take(h, "a", 2, 6);
    watermark(h, 100);
    expect(h, "a [-9,1) 1@0");
    expect(h, "a [-4,6) 1@5");
    expect(h, "a [1,11) 2@10");
    expect(h, "a [6,16) 2@15");
    expect_watermark(h, 100);
    end_windows(h);
}

/* A slide beyond the size leaves records out. */
static void sliding_windows_may_have_gaps(void **state) {
    window_args a = {.count = 0};
    harness *h = tell_windows_of(state, &a, "sliding_event_time 2 5");
    take(h, "a", 1, 1);
    take(h, "a", 2, 2);
    take(h, "a", 3, 5);
    watermark(h, 100);
    expect(h, "a [0,2) 1@1");
    expect(h, "a [5,7) 3@6");
    expect_watermark(h, 100);
    end_windows(h);
}

static void windows_of_processing_time_follow_the_clock(void **state) {
    window_args a = {.count = 0};
    harness *h = tell_windows_of(state, &a, "tumbling_processing_time 10");
    assert_true(harness_clock(h, 103) >= 0);
    take(h, "a", 1, LEAT_NO_TIME);
    take(h, "b", 2, 7);
    assert_true(harness_clock(h, 108) >= 0);
    take(h, "a", 3, LEAT_NO_TIME);
    expect_nothing(h);
    assert_true(harness_clock(h, 111) >= 0);
    expect(h, "a [100,110) 1 3@109");
    expect(h, "b [100,110) 2@109");
    take(h, "a", 4, LEAT_NO_TIME);
    assert_true(harness_clock(h, 119) >= 0);
    expect(h, "a [110,120) 4@119");
    end_windows(h);
}

static void sliding_windows_of_processing_time(void **state) {
    window_args a = {.count = 0};
    harness *h = tell_windows_of(state, &a, "sliding_processing_time 10 5");
    assert_true(harness_clock(h, 103) >= 0);
    take(h, "a", 1, LEAT_NO_TIME);
    assert_true(harness_clock(h, 106) >= 0);
    expect(h, "a [95,105) 1@104");
    take(h, "a", 2, LEAT_NO_TIME);
    assert_true(harness_clock(h, 200) >= 0);
    expect(h, "a [100,110) 1 2@109");
    expect(h, "a [105,115) 2@114");
    end_windows(h);
}

static void sessions_merge(void **state) {
    window_args a = {.count = 0};
    harness *h = tell_windows_of(state, &a, "session_event_time 10");
    take(h, "a", 1, 0);
    take(h, "a", 2, 25);
    take(h, "b", 9, 25);
    take(h, "a", 3, 40);
    take(h, "a", 4, 10); /* touches the first */
    take(h, "a", 5, 31); /* joins the second and the third */
    watermark(h, 19);
    expect(h, "a [0,20) 1 4@19");
    expect_watermark(h, 19);
    watermark(h, 100);
    expect(h, "b [25,35) 9@34");
    expect(h, "a [25,50) 2 3 5@49");
    expect_watermark(h, 100);
    end_windows(h);
}

static void sessions_of_processing_time_merge(void **state) {
    window_args a = {.count = 0};
    harness *h = tell_windows_of(state, &a, "session_processing_time 10");
    assert_true(harness_clock(h, 100) >= 0);
    take(h, "a", 1, LEAT_NO_TIME);
    assert_true(harness_clock(h, 108) >= 0);
    take(h, "a", 2, LEAT_NO_TIME);
    assert_true(harness_clock(h, 112) >= 0);
    expect_nothing(h);
    assert_true(harness_clock(h, 118) >= 0);
    expect(h, "a [100,118) 1 2@117");
    end_windows(h);
}

static leat_status gap_is_the_number(leat_context *ctx, const leat_record *in, int64_t *gap,
                                     void *self) {
    (void)ctx, (void)self;
    *gap = in->value.as.items[1].as.i;
    return LEAT_OK;
}

static void sessions_have_dynamic_gaps(void **state) {
    window_args a = {.count = 0};
    with(&a, "gap", leat_gap_fn(gap_is_the_number, NULL));
    harness *h = tell_windows_of(state, &a, "session_event_time");
    take(h, "a", 5, 0);
    take(h, "a", 20, 3);
    take(h, "a", 1, 30);
    take(h, "a", 2, 10); /* inside the first */
    watermark(h, 100);
    expect(h, "a [0,23) 5 20 2@22");
    expect(h, "a [30,31) 1@30");
    expect_watermark(h, 100);
    assert_int_equal(push_at(h, "a", 0, 200), LEAT_E_RANGE);
    assert_non_null(strstr(harness_failure(h), "Dynamic session time gap must satisfy 0 < gap"));
    harness_free(h);
}

static void count_windows_are_full(void **state) {
    window_args a = {.count = 0};
    harness *h = tell_windows_of(state, &a, "count_tumbling 2");
    take(h, "a", 1, 5);
    take(h, "b", 7, 5);
    take(h, "a", 2, 6);
    expect(h, "a #0 1 2@9223372036854775807");
    take(h, "a", 3, LEAT_NO_TIME);
    take(h, "a", 4, 6);
    expect(h, "a #1 3 4@9223372036854775807");
    end_windows(h);
}

static void sliding_count_windows_are_full(void **state) {
    window_args a = {.count = 0};
    harness *h = tell_windows_of(state, &a, "count_sliding 3 2");
    for (int i = 0; i < 6; i++) take(h, "a", i, 5);
    expect(h, "a #0 0 1 2@9223372036854775807");
    expect(h, "a #1 2 3 4@9223372036854775807");
    end_windows(h);
}

static void the_global_window_never_fires(void **state) {
    window_args a = {.count = 0};
    harness *h = tell_windows_of(state, &a, "global");
    take(h, "a", 1, 5);
    take(h, "a", 2, 6);
    end_windows(h);
}

/* --- what is refused -------------------------------------------------------------------------- */

static void names_and_numbers_are_checked(void **state) {
    (void)state;
    static const struct {
        leat_role role;
        const char *text, *reason;
    } bad[] = {
        {LEAT_ROLE_ASSIGNER, "tumbling", "Leat has no window assigner of that name"},
        {LEAT_ROLE_ASSIGNER, "tumbling_event_tim 5", "of that name"},
        {LEAT_ROLE_ASSIGNER, "", "of that name"},
        {LEAT_ROLE_TRIGGER, "tumbling_event_time 5", "Leat has no trigger of that name"},
        {LEAT_ROLE_MAP, "count 5", "Leat has no map of that name"},
        {LEAT_ROLE_ASSIGNER, "tumbling_event_time", "takes 1 to 2 integers"},
        {LEAT_ROLE_ASSIGNER, "tumbling_event_time 1 2 3", "takes 1 to 2 integers"},
        {LEAT_ROLE_ASSIGNER, "tumbling_event_time 1 2 3 4", "takes 1 to 2 integers"},
        {LEAT_ROLE_ASSIGNER, "tumbling_event_time five", "takes 1 to 2 integers"},
        {LEAT_ROLE_ASSIGNER, "tumbling_event_time 5x", "takes 1 to 2 integers"},
        {LEAT_ROLE_ASSIGNER, "tumbling_event_time 99999999999999999999", "takes 1 to 2 integers"},
        {LEAT_ROLE_ASSIGNER, "tumbling_event_time 0", "a size and a slide above 0"},
        {LEAT_ROLE_ASSIGNER, "tumbling_event_time 9223372036854775807", "a size and a slide"},
        {LEAT_ROLE_ASSIGNER, "tumbling_event_time 5 5", "abs(offset) < size"},
        {LEAT_ROLE_ASSIGNER, "sliding_event_time 5 0", "a size and a slide above 0"},
        {LEAT_ROLE_ASSIGNER, "sliding_event_time 5 2 -2", "abs(offset) < slide"},
        {LEAT_ROLE_ASSIGNER, "session_event_time 0", "a gap above 0"},
        {LEAT_ROLE_ASSIGNER, "count_tumbling 0", "a size and a slide above 0"},
        {LEAT_ROLE_ASSIGNER, "count_sliding 3 -1", "a size and a slide above 0"},
        {LEAT_ROLE_TRIGGER, "count 0", "a number above 0"},
        {LEAT_ROLE_TRIGGER, "continuous_event_time -1", "a number above 0"},
        {LEAT_ROLE_EVICTOR, "count -1", "not below 0"},
        {LEAT_ROLE_EVICTOR, "delta", "takes a threshold"},
        {LEAT_ROLE_EVICTOR, "delta 0.5 2", "takes a threshold"},
        {LEAT_ROLE_REDUCE, "sum -1", "from 0 on"},
        {LEAT_ROLE_REDUCE, "count", "of that name"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        leat_error err = {.text = ""};
        leat_function f = leat_builtin(bad[i].text);
        f.role = bad[i].role;
        assert_true(leat_builtin_resolve(&f, &err) < 0);
        if (!strstr(err.text, bad[i].reason)) fail_msg("%s: %s", bad[i].text, err.text);
    }
}

static void records_need_a_time_that_has_windows(void **state) {
    window_args a = {.count = 0};
    harness *h = tell_windows_of(state, &a, "tumbling_event_time 10");
    assert_int_equal(push_at(h, "a", 1, LEAT_NO_TIME), LEAT_E_TYPE);
    assert_non_null(strstr(harness_failure(h), "assign_timestamps_and_watermarks"));
    harness_free(h);
    const int64_t edges[] = {INT64_MIN + 1, INT64_MAX - 1};
    const char *const assigners[] = {"tumbling_event_time 10", "sliding_event_time 20 10",
                                     "session_event_time 10"};
    for (int i = 0; i < 6; i++) {
        window_args b = {.count = 0};
        h = tell_windows_of(state, &b, assigners[i / 2]);
        bool fits = i == 4; /* a session begins where its record is */
        assert_int_equal(push_at(h, "a", 1, edges[i % 2]), fits ? LEAT_OK : LEAT_E_RANGE);
        harness_free(h);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        BOTH_WAYS(tumbling_windows_have_an_offset),
        BOTH_WAYS(sliding_windows_overlap),
        BOTH_WAYS(sliding_windows_may_have_gaps),
        BOTH_WAYS(windows_of_processing_time_follow_the_clock),
        BOTH_WAYS(sliding_windows_of_processing_time),
        BOTH_WAYS(sessions_merge),
        BOTH_WAYS(sessions_of_processing_time_merge),
        BOTH_WAYS(sessions_have_dynamic_gaps),
        BOTH_WAYS(count_windows_are_full),
        BOTH_WAYS(sliding_count_windows_are_full),
        BOTH_WAYS(the_global_window_never_fires),
        cmocka_unit_test(names_and_numbers_are_checked),
        BOTH_WAYS(records_need_a_time_that_has_windows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
