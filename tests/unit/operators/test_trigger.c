/* Tests of trigger.c: when each trigger of Leat's own fires, purged and merged, too. */
#include "windows.h"

static harness *tell_by(void **state, window_args *a, const char *assigner, const char *trigger) {
    with_own(a, "assigner", assigner);
    if (trigger) with_own(a, "trigger", trigger);
    with(a, "window", teller());
    return open_window(state, a);
}

static void count_fires_with_every_nth(void **state) {
    window_args a = {.count = 0};
    harness *h = tell_by(state, &a, "tumbling_event_time 10", "count 2");
    take(h, "a", 1, 1);
    take(h, "b", 9, 1);
    take(h, "a", 2, 2);
    expect(h, "a [0,10) 1 2@9");
    take(h, "a", 3, 3);
    take(h, "a", 4, 4);
    expect(h, "a [0,10) 1 2 3 4@9");
    take(h, "a", 5, 5);
    watermark(h, 20);
    expect_watermark(h, 20);
    take(h, "a", 6, 6); /* late */
    end_windows(h);
}

static void purging_forgets_what_fired(void **state) {
    window_args a = {.count = 0};
    with_int(&a, "purging", 1);
    harness *h = tell_by(state, &a, "global", "count 2");
    for (int i = 0; i < 5; i++) take(h, "a", i, 1);
    expect(h, "a 0 1@9223372036854775807");
    expect(h, "a 2 3@9223372036854775807");
    end_windows(h);
}

static void purged_windows_fire_what_came_after(void **state) {
    window_args a = {.count = 0};
    with_int(&a, "purging", 1);
    with_int(&a, "lateness", 10);
    harness *h = tell_by(state, &a, "tumbling_event_time 10", NULL);
    take(h, "a", 1, 1);
    watermark(h, 9);
    expect(h, "a [0,10) 1@9");
    expect_watermark(h, 9);
    take(h, "a", 2, 1);
    expect(h, "a [0,10) 2@9");
    take(h, "a", 3, 1);
    expect(h, "a [0,10) 3@9");
    end_windows(h);
}

static void counts_of_merged_windows_are_added(void **state) {
    window_args a = {.count = 0};
    harness *h = tell_by(state, &a, "session_event_time 10", "count 3");
    take(h, "a", 1, 0);
    take(h, "a", 2, 15);
    take(h, "a", 3, 8);
    expect(h, "a [0,25) 1 2 3@24");
    take(h, "a", 4, 9);
    take(h, "a", 5, 9);
    take(h, "a", 6, 9);
    expect(h, "a [0,25) 1 2 3 4 5 6@24");
    end_windows(h);
}

static void continuous_event_time_fires_on_the_way(void **state) {
    window_args a = {.count = 0};
    harness *h = tell_by(state, &a, "tumbling_event_time 100", "continuous_event_time 30");
    take(h, "a", 1, 5);
    take(h, "a", 2, 40);
    watermark(h, 30);
    expect(h, "a [0,100) 1 2@99");
    expect_watermark(h, 30);
    watermark(h, 89);
    expect(h, "a [0,100) 1 2@99");
    expect_watermark(h, 89);
    take(h, "a", 3, 70);
    watermark(h, 95);
    expect(h, "a [0,100) 1 2 3@99");
    expect_watermark(h, 95);
    watermark(h, 99);
    expect(h, "a [0,100) 1 2 3@99");
    expect_watermark(h, 99);
    end_windows(h);
}

static void continuous_event_time_merges(void **state) {
    window_args a = {.count = 0};
    harness *h = tell_by(state, &a, "session_event_time 20", "continuous_event_time 15");
    take(h, "a", 1, 0);
    take(h, "a", 2, 18);
    watermark(h, 15);
    expect(h, "a [0,38) 1 2@37");
    expect_watermark(h, 15);
    watermark(h, 40);
    expect(h, "a [0,38) 1 2@37");
    expect(h, "a [0,38) 1 2@37");
    expect_watermark(h, 40);
    end_windows(h);
}

static void continuous_processing_time_fires_on_the_way(void **state) {
    window_args a = {.count = 0};
    harness *h =
        tell_by(state, &a, "tumbling_processing_time 100", "continuous_processing_time 40");
    assert_true(harness_clock(h, 5) >= 0);
    take(h, "a", 1, LEAT_NO_TIME);
    assert_true(harness_clock(h, 39) >= 0);
    expect_nothing(h);
    assert_true(harness_clock(h, 40) >= 0);
    expect(h, "a [0,100) 1@99");
    take(h, "a", 2, LEAT_NO_TIME);
    assert_true(harness_clock(h, 98) >= 0);
    expect(h, "a [0,100) 1 2@99");
    assert_true(harness_clock(h, 300) >= 0);
    expect(h, "a [0,100) 1 2@99");
    end_windows(h);
}

static void continuous_processing_time_merges(void **state) {
    window_args a = {.count = 0};
    harness *h = tell_by(state, &a, "session_processing_time 50", "continuous_processing_time 40");
    assert_true(harness_clock(h, 5) >= 0);
    take(h, "a", 1, LEAT_NO_TIME);
    assert_true(harness_clock(h, 30) >= 0);
    take(h, "a", 2, LEAT_NO_TIME);
    assert_true(harness_clock(h, 41) >= 0);
    expect(h, "a [5,80) 1 2@79");
    assert_true(harness_clock(h, 79) >= 0);
    expect(h, "a [5,80) 1 2@79");
    end_windows(h);
}

static void processing_time_fires_windows_of_event_time(void **state) {
    window_args a = {.count = 0};
    harness *h = tell_by(state, &a, "tumbling_event_time 10", "processing_time");
    take(h, "a", 1, 5);
    assert_true(harness_clock(h, 9) >= 0);
    expect(h, "a [0,10) 1@9");
    watermark(h, 9);
    expect_watermark(h, 9);
    end_windows(h);
}

static void never_fires_never(void **state) {
    window_args a = {.count = 0};
    harness *h = tell_by(state, &a, "tumbling_event_time 10", "never");
    take(h, "a", 1, 5);
    watermark(h, 9);
    expect_watermark(h, 9);
    end_windows(h);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        BOTH_WAYS(count_fires_with_every_nth),
        BOTH_WAYS(purging_forgets_what_fired),
        BOTH_WAYS(purged_windows_fire_what_came_after),
        BOTH_WAYS(counts_of_merged_windows_are_added),
        BOTH_WAYS(continuous_event_time_fires_on_the_way),
        BOTH_WAYS(continuous_event_time_merges),
        BOTH_WAYS(continuous_processing_time_fires_on_the_way),
        BOTH_WAYS(continuous_processing_time_merges),
        BOTH_WAYS(processing_time_fires_windows_of_event_time),
        BOTH_WAYS(never_fires_never),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
