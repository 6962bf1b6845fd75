/* Tests of evict.c, and of what the window operator does with evictors. */
#include "windows.h"

static harness *tell_evicted(void **state, window_args *a, const char *evictor) {
    with_own(a, "assigner", "global");
    with_own(a, "trigger", "count 3");
    if (evictor) with_own(a, "evictor", evictor);
    with(a, "window", teller());
    return open_window(state, a);
}

static void take_all(harness *h, int from, int to) {
    for (int i = from; i <= to; i++) take(h, "a", i, i);
}

static void count_keeps_the_last(void **state) {
    window_args a = {.count = 0};
    harness *h = tell_evicted(state, &a, "count 2");
    take_all(h, 1, 6);
    expect(h, "a 2 3@9223372036854775807");
    expect(h, "a 5 6@9223372036854775807");
    end_windows(h);
}

static void count_after_the_function(void **state) {
    window_args a = {.count = 0};
    harness *h = tell_evicted(state, &a, "count 1 1");
    take_all(h, 1, 6);
    expect(h, "a 1 2 3@9223372036854775807");
    expect(h, "a 3 4 5 6@9223372036854775807");
    end_windows(h);
}

static void time_keeps_the_youngest(void **state) {
    window_args a = {.count = 0};
    harness *h = tell_evicted(state, &a, "time 3");
    take(h, "a", 1, 10);
    take(h, "a", 2, 7);
    take(h, "a", 3, 8);
    expect(h, "a 1 3@9223372036854775807");
    take(h, "a", 4, 12);
    take(h, "a", 5, 13);
    take(h, "a", 6, LEAT_NO_TIME);
    expect(h, "a 4 5 6@9223372036854775807");
    end_windows(h);
}

static leat_status distance(leat_context *ctx, const leat_value *x, const leat_value *y,
                            double *delta, void *self) {
    (void)ctx, (void)self;
    int64_t d = x->as.items[1].as.i - y->as.items[1].as.i;
    *delta = (double)(d < 0 ? -d : d);
    return LEAT_OK;
}

static void delta_keeps_what_is_near_the_last(void **state) {
    window_args a = {.count = 0};
    with(&a, "delta", leat_delta_fn(distance, NULL));
    harness *h = tell_evicted(state, &a, "delta 1.5 1");
    take_all(h, 1, 6);
    expect(h, "a 1 2 3@9223372036854775807");
    expect(h, "a 2 3 4 5 6@9223372036854775807");
    end_windows(h);
}

/* A window function hears of a window that was evicted empty; then it is empty. */
static void count_zero_keeps_nothing(void **state) {
    window_args a = {.count = 0};
    harness *h = tell_evicted(state, &a, "count 0");
    take_all(h, 1, 6);
    expect(h, "a@9223372036854775807");
    expect(h, "a@9223372036854775807");
    end_windows(h);
}

static void reducer_runs_over_what_is_left(void **state) {
    window_args a = {.count = 0};
    with_own(&a, "assigner", "tumbling_event_time 10");
    with_own(&a, "evictor", "count 2");
    with_own(&a, "reduce", "sum 1");
    with_int(&a, "lateness", 5);
    harness *h = open_window(state, &a);
    take_all(h, 1, 4);
    watermark(h, 9);
    expect(h, "(a,7)@9");
    expect_watermark(h, 9);
    take(h, "a", 10, 5);
    expect(h, "(a,14)@9");
    end_windows(h);
}

static void reducer_of_nothing_gives_nothing(void **state) {
    window_args a = {.count = 0};
    with_own(&a, "assigner", "tumbling_event_time 10");
    with_own(&a, "evictor", "count 0");
    with_own(&a, "reduce", "sum 1");
    harness *h = open_window(state, &a);
    take_all(h, 1, 4);
    end_windows(h);
}

static void aggregate_of_nothing_has_a_result(void **state) {
    window_args a = {.count = 0};
    with_own(&a, "assigner", "tumbling_event_time 10");
    with_own(&a, "evictor", "count 0");
    with_own(&a, "aggregate", "count");
    harness *h = open_window(state, &a);
    take_all(h, 1, 4);
    watermark(h, 9);
    expect(h, "0@9");
    expect_watermark(h, 9);
    end_windows(h);
}

static void sessions_with_evictors_merge(void **state) {
    window_args a = {.count = 0};
    with_own(&a, "assigner", "session_event_time 5");
    with_own(&a, "evictor", "time 5");
    with(&a, "window", teller());
    harness *h = open_window(state, &a);
    take(h, "a", 1, 0);
    take(h, "a", 2, 8);
    take(h, "a", 3, 4);
    watermark(h, 100);
    expect(h, "a [0,13) 2 3@12");
    expect_watermark(h, 100);
    end_windows(h);
}

/* An evictor of a user: drops odd numbers before, and all above 3 after. */
static leat_status drop_odd(leat_context *ctx, const leat_window *w, const leat_value *elements,
                            size_t count, bool *keep, void *self) {
    (void)ctx, (void)w, (void)self;
    for (size_t i = 0; i < count; i++) keep[i] = elements[i].as.items[1].as.items[1].as.i % 2 == 0;
    return LEAT_OK;
}

static leat_status drop_large(leat_context *ctx, const leat_window *w, const leat_value *elements,
                              size_t count, bool *keep, void *self) {
    (void)ctx, (void)w, (void)self;
    for (size_t i = 0; i < count; i++) keep[i] = elements[i].as.items[1].as.items[1].as.i <= 3;
    return LEAT_OK;
}

static void evictors_of_users_work_on_both_sides(void **state) {
    static const leat_evictor calls = {sizeof calls, drop_odd, drop_large};
    window_args a = {.count = 0};
    with(&a, "evictor", leat_evictor_fn(&calls, NULL));
    harness *h = tell_evicted(state, &a, NULL);
    take_all(h, 1, 9);
    expect(h, "a 2@9223372036854775807");
    expect(h, "a 2 4 6@9223372036854775807");
    expect(h, "a 2 8@9223372036854775807");
    end_windows(h);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        BOTH_WAYS(count_keeps_the_last),
        BOTH_WAYS(count_after_the_function),
        BOTH_WAYS(time_keeps_the_youngest),
        BOTH_WAYS(delta_keeps_what_is_near_the_last),
        BOTH_WAYS(count_zero_keeps_nothing),
        BOTH_WAYS(reducer_runs_over_what_is_left),
        BOTH_WAYS(reducer_of_nothing_gives_nothing),
        BOTH_WAYS(aggregate_of_nothing_has_a_result),
        BOTH_WAYS(sessions_with_evictors_merge),
        BOTH_WAYS(evictors_of_users_work_on_both_sides),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
