/* Tests of window.c with functions of Leat's own: each assigner, lateness, merging, what comes
   when. Values are tuples (key, number). */
#include "expect.h"

#include <stdio.h>

/* The arguments of a window operator by name, functions as the names of Leat's own. */
typedef struct window_args {
    leat_function functions[8];
    leat_arg args[12];
    size_t functions_used, count;
} window_args;

static void with(window_args *a, const char *name, leat_function f) {
    a->functions[a->functions_used] = f;
    a->args[a->count++] = leat_arg_function(name, &a->functions[a->functions_used++]);
}

static void with_int(window_args *a, const char *name, int64_t i) {
    a->args[a->count++] = leat_arg_int(name, i);
}

static harness *open_window(void **state, const window_args *a) {
    leat_function key = leat_field(0);
    return both_ways(state, harness_new(&leat_window_operator, a->args, a->count, &key));
}

static leat_status push_at(harness *h, const char *key, int64_t number, int64_t time) {
    leat_value items[2] = {leat_string(key), leat_int(number)}, v = leat_tuple(items, 2);
    return harness_push(h, 0, &v, time);
}

static void take(harness *h, const char *key, int64_t number, int64_t time) {
    assert_int_equal(push_at(h, key, number, time), LEAT_OK);
}

static void watermark(harness *h, int64_t time) {
    assert_int_equal(harness_watermark(h, 0, time), LEAT_OK);
}

/* Emits "key [start, end) numbers" with the state of the window and the count of its calls. */
static leat_status tell(leat_context *ctx, const leat_window *w, const leat_value *elements,
                        size_t count, leat_emitter *out, void *self) {
    (void)self;
    char text[200];
    const leat_value *key = leat_context_key(ctx);
    int at = snprintf(text, sizeof text, "%.*s ", (int)key->size, key->as.bytes);
    if (w->kind == LEAT_WINDOW_TIME)
        at += snprintf(text + at, sizeof text - (size_t)at, "[%lld,%lld)", (long long)w->start,
                       (long long)w->end);
    if (w->kind == LEAT_WINDOW_COUNT)
        at += snprintf(text + at, sizeof text - (size_t)at, "#%lld", (long long)w->start);
    for (size_t i = 0; i < count; i++)
        at += snprintf(text + at, sizeof text - (size_t)at, " %lld",
                       (long long)elements[i].as.items[1].as.i);
    leat_value v = leat_string(text);
    return leat_emitter_push(out, &v);
}

static leat_function teller(void) {
    static const leat_window_function calls = {sizeof calls, tell, NULL, NULL};
    return leat_window_fn(&calls, NULL);
}

/* --- assigners -------------------------------------------------------------------------------- */

static void tumbling_windows_sum(void **state) {
    window_args a = {.count = 0};
    with(&a, "assigner", leat_builtin("tumbling_event_time 10"));
    with(&a, "reduce", leat_builtin("sum 1"));
    harness *h = open_window(state, &a);
    take(h, "a", 1, 0);
    take(h, "b", 5, 3);
    take(h, "a", 2, 9);
    take(h, "a", 4, 10);
    take(h, "a", 8, -1);
    expect_nothing(h);
    watermark(h, 8);
    expect(h, "(a,8)@-1");
    expect(h, "watermark 8");
    watermark(h, 9);
    expect(h, "(a,3)@9");
    expect(h, "(b,5)@9");
    expect(h, "watermark 9");
    take(h, "a", 100, 9); /* late: dropped */
    assert_int_equal(harness_end(h, 0), LEAT_OK);
    expect(h, "(a,4)@19");
    expect_nothing(h);
    harness_free(h);
}

static void sliding_windows_tell(void **state) {
    window_args a = {.count = 0};
    with(&a, "assigner", leat_builtin("sliding_event_time 10 5 1"));
    with(&a, "window", teller());
    harness *h = open_window(state, &a);
    take(h, "a", 1, 0);
    take(h, "a", 2, 6);
    assert_int_equal(harness_end(h, 0), LEAT_OK);
    expect(h, "a [-9,1) 1@0");
    expect(h, "a [-4,6) 1@5");
    expect(h, "a [1,11) 2@10");
    expect(h, "a [6,16) 2@15");
    expect_nothing(h);
    harness_free(h);
}

static void sessions_merge(void **state) {
    window_args a = {.count = 0};
    with(&a, "assigner", leat_builtin("session_event_time 10"));
    with(&a, "window", teller());
    harness *h = open_window(state, &a);
    take(h, "a", 1, 0);
    take(h, "a", 2, 25);
    take(h, "a", 3, 40);
    take(h, "a", 4, 10); /* touches the first */
    take(h, "a", 5, 31); /* joins the second and the third */
    watermark(h, 19);
    expect(h, "a [0,20) 1 4@19");
    expect(h, "watermark 19");
    assert_int_equal(harness_end(h, 0), LEAT_OK);
    expect(h, "a [25,50) 2 3 5@49");
    expect_nothing(h);
    harness_free(h);
}

/* --- lateness --------------------------------------------------------------------------------- */

static void late_elements_fire_again_until_the_clean_up(void **state) {
    window_args a = {.count = 0};
    with(&a, "assigner", leat_builtin("tumbling_event_time 10"));
    with(&a, "window", teller());
    with_int(&a, "lateness", 5);
    a.args[a.count++] = leat_arg_string("late_tag", "late");
    harness *h = open_window(state, &a);
    harness_side(h, "late");
    take(h, "a", 1, 5);
    watermark(h, 12);
    expect(h, "a [0,10) 1@9");
    expect(h, "watermark 12");
    take(h, "a", 2, 3);
    expect(h, "a [0,10) 1 2@9");
    watermark(h, 14);
    expect(h, "watermark 14");
    take(h, "a", 3, 3);
    expect(h, "late:(a,3)@3");
    take(h, "a", 4, 11);
    assert_int_equal(harness_end(h, 0), LEAT_OK);
    expect(h, "a [10,20) 4@19");
    expect_nothing(h);
    harness_free(h);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        BOTH_WAYS(tumbling_windows_sum),
        BOTH_WAYS(sliding_windows_tell),
        BOTH_WAYS(sessions_merge),
        BOTH_WAYS(late_elements_fire_again_until_the_clean_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
