/* Tests of window.c, window_contents.c and window_merge.c: lateness, what comes when, state of
   window functions, functions of users in every role, what is refused. */
#include "windows.h"

#include <stdlib.h>

/* --- results and lateness --------------------------------------------------------------------- */

static void tumbling_windows_sum(void **state) {
    window_args a = {.count = 0};
    with_own(&a, "assigner", "tumbling_event_time 10");
    with_own(&a, "reduce", "sum 1");
    harness *h = open_window(state, &a);
    take(h, "a", 1, 0);
    take(h, "b", 5, 3);
    take(h, "a", 2, 9);
    take(h, "a", 4, 10);
    take(h, "a", 8, -1);
    expect_nothing(h);
    watermark(h, 8);
    expect(h, "(a,8)@-1");
    expect_watermark(h, 8);
    watermark(h, 9);
    expect(h, "(a,3)@9");
    expect(h, "(b,5)@9");
    expect_watermark(h, 9);
    leat_metric *dropped;
    leat_error err;
    assert_int_equal(leat_context_metric(harness_context(h), "numLateRecordsDropped",
                                         LEAT_METRIC_COUNTER, &dropped, &err),
                     LEAT_OK);
    int64_t before = leat_metric_count(dropped); /* a revived operator counts anew */
    take(h, "a", 100, 9);                        /* late: dropped */
    if (!*state) assert_int_equal(leat_metric_count(dropped), before + 1);
    assert_int_equal(harness_end(h, 0), LEAT_OK);
    expect(h, "(a,4)@19");
    end_windows(h);
}

static void folds_of_leats_own(void **state) {
    static const struct {
        const char *param, *function, *result;
    } folds[] = {
        {"reduce", "min 1", "(a,2)@9"},     {"reduce", "max 1", "(a,7)@9"},
        {"reduce", "min_by 1", "(a,2)@9"},  {"aggregate", "max_by 1", "(a,7)@9"},
        {"aggregate", "sum 1", "(a,14)@9"}, {"aggregate", "min 1", "(a,2)@9"},
        {"aggregate", "max 1", "(a,7)@9"},  {"aggregate", "min_by 1", "(a,2)@9"},
        {"reduce", "max_by 1", "(a,7)@9"},  {"aggregate", "count", "3@9"},
    };
    for (size_t i = 0; i < sizeof folds / sizeof *folds; i++) {
        window_args a = {.count = 0};
        with_own(&a, "assigner", "session_event_time 5");
        with_own(&a, folds[i].param, folds[i].function);
        harness *h = open_window(state, &a);
        take(h, "a", 5, 0);
        take(h, "a", 7, 5);
        take(h, "a", 2, 4); /* merges two that have something */
        assert_int_equal(harness_end(h, 0), LEAT_OK);
        expect(h, folds[i].result);
        end_windows(h);
    }
}

static void late_elements_fire_again_until_the_clean_up(void **state) {
    window_args a = {.count = 0};
    with_own(&a, "assigner", "tumbling_event_time 10");
    with(&a, "window", teller());
    with_int(&a, "lateness", 5);
    with_text(&a, "late_tag", "late");
    harness *h = open_window(state, &a);
    harness_side(h, "late");
    take(h, "a", 1, 5);
    watermark(h, 12);
    expect(h, "a [0,10) 1@9");
    expect_watermark(h, 12);
    take(h, "a", 2, 3);
    expect(h, "a [0,10) 1 2@9");
    watermark(h, 14);
    expect_watermark(h, 14);
    take(h, "a", 3, 3);
    expect(h, "late:(a,3)@3");
    take(h, "a", 4, 11);
    assert_int_equal(harness_end(h, 0), LEAT_OK);
    expect(h, "a [10,20) 4@19");
    end_windows(h);
}

/* All windows of a record at 8 are late, but the record itself is not late enough. */
static void late_windows_do_not_make_a_record_late(void **state) {
    window_args a = {.count = 0};
    with_own(&a, "assigner", "sliding_event_time 2 10 -1");
    with(&a, "window", teller());
    with_text(&a, "late_tag", "late");
    harness *h = open_window(state, &a);
    harness_side(h, "late");
    watermark(h, 2);
    expect_watermark(h, 2);
    take(h, "a", 1, 5); /* in no window */
    take(h, "a", 2, 1); /* in no window, and late */
    expect(h, "late:(a,2)@1");
    end_windows(h);
}

static void late_elements_of_several_windows_fire_each(void **state) {
    window_args a = {.count = 0};
    with_own(&a, "assigner", "sliding_event_time 20 10");
    with(&a, "window", teller());
    with_int(&a, "lateness", 100);
    harness *h = open_window(state, &a);
    take(h, "a", 1, 15);
    watermark(h, 40);
    expect(h, "a [0,20) 1@19");
    expect(h, "a [10,30) 1@29");
    expect_watermark(h, 40);
    take(h, "a", 2, 12);
    expect(h, "a [10,30) 1 2@29");
    expect(h, "a [0,20) 1 2@19");
    end_windows(h);
}

static void sessions_must_not_merge_behind_the_watermark(void **state) {
    window_args a = {.count = 0};
    with_own(&a, "assigner", "session_event_time 10");
    with(&a, "window", teller());
    with_text(&a, "late_tag", "late");
    harness *h = open_window(state, &a);
    harness_side(h, "late");
    watermark(h, 50);
    expect_watermark(h, 50);
    take(h, "a", 1, 30); /* a window of its own, and late */
    expect(h, "late:(a,1)@30");
    take(h, "a", 2, 45);
    take(h, "a", 3, 38); /* late alone, but it merges */
    watermark(h, 54);
    expect(h, "a [38,55) 2 3@54");
    expect_watermark(h, 54);
    end_windows(h);
}

/* --- window functions ------------------------------------------------------------------------- */

/* Counts the calls for its window and for the key in state, and gives its elements one by one. */
typedef struct giver {
    leat_cursor cursor; /* first */
    int64_t numbers[8];
    size_t count, at;
    leat_window window;
} giver;

static leat_state *state_of(leat_context *ctx, const char *name) {
    leat_error err;
    leat_state *state;
    assert_int_equal(leat_context_state(ctx, name, LEAT_VALUE_STATE, NULL, &state, &err), LEAT_OK);
    return state;
}

static int64_t count_up(leat_context *ctx, leat_state *state, leat_namespace ns) {
    leat_value v = leat_int(0);
    assert_true(leat_state_get(ctx, state, ns, &v) >= 0);
    v.as.i++;
    assert_int_equal(leat_state_put(ctx, state, ns, &v), LEAT_OK);
    return v.as.i;
}

static leat_status giver_advance(leat_context *ctx, leat_cursor *cursor, leat_emitter *out) {
    giver *g = (giver *)(void *)cursor;
    if (g->at == g->count) return LEAT_DONE;
    leat_namespace ns = leat_window_namespace(ctx, &g->window), everywhere = {NULL, 0};
    leat_value items[3] = {leat_int(g->numbers[g->at++]),
                           leat_int(count_up(ctx, state_of(ctx, "window"), ns)),
                           leat_int(count_up(ctx, state_of(ctx, "key"), everywhere))};
    leat_value v = leat_tuple(items, 3);
    return leat_emitter_push(out, &v);
}

static void giver_close(leat_context *ctx, leat_cursor *cursor) {
    (void)ctx;
    free(cursor);
}

static leat_status give(leat_context *ctx, const leat_window *w, const leat_value *elements,
                        size_t count, leat_emitter *out, void *self) {
    (void)ctx, (void)self;
    giver *g = calloc(1, sizeof *g);
    assert_non_null(g);
    g->cursor = (leat_cursor){giver_advance, giver_close};
    g->window = *w;
    g->count = count;
    for (size_t i = 0; i < count; i++) g->numbers[i] = elements[i].as.items[1].as.i;
    return leat_emitter_cursor(out, &g->cursor);
}

static leat_status give_clear(leat_context *ctx, const leat_window *w, void *self) {
    int *cleared = self;
    *cleared += 1;
    return leat_state_remove(ctx, state_of(ctx, "window"), leat_window_namespace(ctx, w));
}

static leat_function giver_function(int *cleared) {
    static const leat_window_function calls = {sizeof calls, give, give_clear, NULL};
    return leat_window_fn(&calls, cleared);
}

/* The clean-up waits until the last result was taken, so the state of the window counts on. */
static void clean_up_comes_after_the_last_result(void **state) {
    int cleared = 0;
    window_args a = {.count = 0};
    with_own(&a, "assigner", "tumbling_event_time 10");
    with(&a, "window", giver_function(&cleared));
    harness *h = open_window(state, &a);
    for (int i = 1; i <= 3; i++) take(h, "a", i, i);
    take(h, "b", 7, 3);
    take(h, "a", 4, 12);
    watermark(h, 9);
    expect(h, "(1,1,1)@9");
    expect(h, "(2,2,2)@9");
    expect(h, "(3,3,3)@9");
    expect(h, "(7,1,1)@9");
    expect_watermark(h, 9);
    assert_int_equal(cleared, 2);
    assert_int_equal(harness_end(h, 0), LEAT_OK);
    expect(h, "(4,1,4)@19");
    assert_int_equal(cleared, 3);
    end_windows(h);
}

static void results_are_taken_one_by_one(void **state) {
    int cleared = 0;
    window_args a = {.count = 0};
    with_own(&a, "assigner", "sliding_event_time 20 10");
    with_int(&a, "purging", 1);
    with_own(&a, "trigger", "count 2");
    with(&a, "window", giver_function(&cleared));
    harness *h = open_window(state, &a);
    take(h, "a", 1, 11);
    harness_room(h, 1);
    assert_int_equal(push_at(h, "a", 2, 12), LEAT_AGAIN);
    expect(h, "(1,1,1)@29");
    for (const char *const *line =
             (const char *const[]){"(2,2,2)@29", "(1,1,3)@19", "(2,2,4)@19", NULL};
         *line; line++) {
        expect_nothing(h);
        harness_room(h, 1);
        assert_true(harness_drive(h) >= 0);
        expect(h, *line);
    }
    harness_room(h, -1);
    assert_int_equal(harness_drive(h), LEAT_OK);
    take(h, "a", 3, 13);
    end_windows(h);
    assert_int_equal(cleared, 2);
}

static void a_window_function_gets_the_one_result(void **state) {
    window_args a = {.count = 0};
    with_own(&a, "assigner", "count_tumbling 3");
    with_own(&a, "aggregate", "count");
    with(&a, "window", teller());
    harness *h = open_window(state, &a);
    for (int i = 0; i < 4; i++) take(h, "a", i, 1);
    expect(h, "a #0 3@9223372036854775807");
    end_windows(h);
}

/* --- functions of users ----------------------------------------------------------------------- */

/* Windows by the tens of the number, called t0, t1 ...; those that touch merge into one that lasts
   until the later end. Their last time is ten times the number. */
static leat_window tens(char *name, int64_t from, int64_t to) {
    leat_window w = leat_global_window();
    w.kind = LEAT_WINDOW_CUSTOM;
    w.max_timestamp = 100 * (to + 1);
    w.size = (size_t)sprintf(name, "t%d-%d", (int)from, (int)to);
    w.bytes = name;
    return w;
}

static leat_status assign_tens(leat_context *ctx, const leat_record *in, leat_windows *out,
                               void *self) {
    (void)ctx, (void)self;
    char name[32];
    int64_t ten = in->value.as.items[1].as.i / 10;
    leat_window w = tens(name, ten, ten);
    return leat_windows_add(out, &w);
}

static void read_tens(const leat_window *w, int *from, int *to) {
    char name[32];
    snprintf(name, sizeof name, "%.*s", (int)w->size, (const char *)w->bytes);
    assert_int_equal(sscanf(name, "t%d-%d", from, to), 2);
}

/* The last one is new. */
static leat_status merge_tens(leat_context *ctx, const leat_window *windows, size_t count,
                              leat_merges *out, void *self) {
    (void)ctx, (void)self;
    leat_window merged[16];
    char name[32];
    size_t found = 0;
    int from, to, low, high;
    read_tens(&windows[count - 1], &low, &high);
    int first = low, last = high;
    for (size_t i = 0; i < count; i++) {
        read_tens(&windows[i], &from, &to);
        if (from > high + 1 || to < low - 1) continue;
        merged[found++] = windows[i];
        if (from < first) first = from;
        if (to > last) last = to;
    }
    leat_window all = tens(name, first, last);
    return found > 1 ? leat_merges_add(out, merged, found, &all) : LEAT_OK;
}

static leat_function assigner_of_tens(bool merges) {
    static const leat_assigner plain = {sizeof plain, true, "event_time", assign_tens, NULL};
    static const leat_assigner merging = {sizeof merging, true, "event_time", assign_tens,
                                          merge_tens};
    return leat_assigner_fn(merges ? &merging : &plain, NULL);
}

static void windows_of_users_work(void **state) {
    window_args a = {.count = 0};
    with(&a, "assigner", assigner_of_tens(false));
    with(&a, "window", teller());
    harness *h = open_window(state, &a);
    take(h, "a", 11, 1);
    take(h, "a", 25, 1);
    take(h, "a", 12, 1);
    watermark(h, 200);
    expect(h, "a <t1-1> 11 12@200");
    expect_watermark(h, 200);
    assert_int_equal(harness_end(h, 0), LEAT_OK);
    expect(h, "a <t2-2> 25@300");
    end_windows(h);
}

static void windows_of_users_merge(void **state) {
    window_args a = {.count = 0};
    with(&a, "assigner", assigner_of_tens(true));
    with(&a, "window", teller());
    harness *h = open_window(state, &a);
    take(h, "a", 11, 1);
    take(h, "a", 55, 1);
    take(h, "a", 35, 1);
    take(h, "a", 25, 1);
    take(h, "a", 12, 1);
    watermark(h, 400);
    expect(h, "a <t1-3> 11 35 25 12@400");
    expect_watermark(h, 400);
    assert_int_equal(harness_end(h, 0), LEAT_OK);
    expect(h, "a <t5-5> 55@600");
    end_windows(h);
}

/* Two windows of a key become one that ends at `self`. */
static leat_status merge_beyond(leat_context *ctx, const leat_window *windows, size_t count,
                                leat_merges *out, void *self) {
    (void)ctx;
    leat_window all = leat_time_window(0, *(int64_t *)self);
    return count < 2 ? LEAT_OK : leat_merges_add(out, windows, count, &all);
}

static leat_status assign_point(leat_context *ctx, const leat_record *in, leat_windows *out,
                                void *self) {
    (void)ctx, (void)self;
    leat_window w = leat_time_window(in->time, in->time + 1);
    return leat_windows_add(out, &w);
}

static void merging_behind_the_watermark_fails(void **state) {
    static const leat_assigner calls = {sizeof calls, true, "event_time", assign_point,
                                        merge_beyond};
    int64_t end = 20;
    window_args a = {.count = 0};
    with(&a, "assigner", leat_assigner_fn(&calls, &end));
    with(&a, "window", teller());
    harness *h = open_window(state, &a);
    take(h, "a", 1, 50);
    watermark(h, 30);
    expect_watermark(h, 30);
    assert_int_equal(push_at(h, "a", 2, 60), LEAT_E_STATE);
    assert_non_null(strstr(harness_failure(h), "cannot become earlier than the current watermark"));
    harness_free(h);
}

/* An aggregate of a user: the numbers as a text. */
static leat_status text_create(leat_context *ctx, leat_value *out, void *self) {
    (void)ctx, (void)self;
    *out = leat_string("");
    return LEAT_OK;
}

/* x, the text between, y. */
static leat_status text_join(leat_context *ctx, const leat_value *x, const char *between,
                             const leat_value *y, leat_value *out) {
    char *text = leat_context_alloc(ctx, 200);
    if (!text) return LEAT_E_NOMEM;
    snprintf(text, 200, "%.*s%s%.*s", (int)x->size, x->as.bytes, between, (int)y->size,
             y->as.bytes);
    *out = leat_string(text);
    return LEAT_OK;
}

static leat_status text_add(leat_context *ctx, const leat_value *value, const leat_value *text,
                            leat_value *out, void *self) {
    (void)self;
    char number[24];
    snprintf(number, sizeof number, "%d", (int)value->as.items[1].as.i);
    leat_value v = leat_string(number);
    return text_join(ctx, text, " ", &v, out);
}

static leat_status text_result(leat_context *ctx, const leat_value *text, leat_value *out,
                               void *self) {
    (void)self;
    leat_value end = leat_string("!");
    return text_join(ctx, text, "", &end, out);
}

static leat_status text_merge(leat_context *ctx, const leat_value *x, const leat_value *y,
                              leat_value *out, void *self) {
    (void)self;
    return text_join(ctx, x, " |", y, out);
}

static const leat_aggregate texts = {
    sizeof texts, false, text_create, text_add, text_result, text_merge,
};

static void aggregates_of_users_merge(void **state) {
    window_args a = {.count = 0};
    with_own(&a, "assigner", "session_event_time 10");
    with(&a, "aggregate", leat_aggregate_fn(&texts, NULL));
    harness *h = open_window(state, &a);
    take(h, "a", 1, 0);
    take(h, "a", 2, 5);
    take(h, "a", 3, 20);
    take(h, "a", 4, 12);
    assert_int_equal(harness_end(h, 0), LEAT_OK);
    expect(h, " 1 2 | 3 4!@29");
    end_windows(h);
}

/* A trigger of a user: fires when a number above 100 comes, purges at 1000, and has a timer and a
   state that `clear` takes back. */
static leat_status large_on_element(leat_context *ctx, const leat_record *in, const leat_window *w,
                                    leat_trigger_result *out, void *self) {
    (void)self;
    int64_t i = in->value.as.items[1].as.i;
    leat_timer timer = {LEAT_EVENT_TIME, w->start + 5, leat_window_namespace(ctx, w)};
    count_up(ctx, state_of(ctx, "large"), timer.ns);
    if (i >= 1000)
        *out = LEAT_PURGE;
    else if (i > 100)
        *out = LEAT_FIRE;
    return leat_timer_set(ctx, &timer);
}

static leat_status large_on_timer(leat_context *ctx, const leat_timer *timer, const leat_window *w,
                                  leat_trigger_result *out, void *self) {
    (void)ctx, (void)self;
    if (timer->time == w->start + 5) *out = LEAT_FIRE_AND_PURGE;
    return LEAT_OK;
}

static leat_status large_clear(leat_context *ctx, const leat_window *w, void *self) {
    int *cleared = self;
    leat_value v;
    leat_namespace ns = leat_window_namespace(ctx, w);
    assert_int_equal(leat_state_get(ctx, state_of(ctx, "large"), ns, &v), LEAT_OK);
    *cleared += (int)v.as.i;
    return leat_state_remove(ctx, state_of(ctx, "large"), ns);
}

static void triggers_of_users_work(void **state) {
    static const leat_trigger calls = {
        sizeof calls, false, large_on_element, large_on_timer, NULL, large_clear,
    };
    int cleared = 0;
    window_args a = {.count = 0};
    with_own(&a, "assigner", "tumbling_event_time 10");
    with(&a, "trigger", leat_trigger_fn(&calls, &cleared));
    with_own(&a, "aggregate", "count");
    harness *h = open_window(state, &a);
    take(h, "a", 1, 1);
    take(h, "a", 101, 1);
    expect(h, "2@9");
    take(h, "a", 1000, 1); /* gone are three */
    take(h, "a", 1, 1);
    watermark(h, 5);
    expect(h, "1@9");
    expect_watermark(h, 5);
    watermark(h, 8);
    expect_watermark(h, 8);
    assert_int_equal(cleared, 0);
    watermark(h, 9);
    expect_watermark(h, 9);
    assert_int_equal(cleared, 4);
    end_windows(h);
}

/* A trigger that takes back a timer at the window's end, the time of the clean-up. */
static leat_status doubt_on_element(leat_context *ctx, const leat_record *in, const leat_window *w,
                                    leat_trigger_result *out, void *self) {
    (void)in, (void)out, (void)self;
    leat_timer timer = {LEAT_EVENT_TIME, w->max_timestamp, leat_window_namespace(ctx, w)};
    leat_status status = leat_timer_set(ctx, &timer);
    return status < 0 ? status : leat_timer_remove(ctx, &timer);
}

static leat_status doubt_on_timer(leat_context *ctx, const leat_timer *timer, const leat_window *w,
                                  leat_trigger_result *out, void *self) {
    (void)ctx, (void)timer, (void)w, (void)self;
    *out = LEAT_FIRE;
    return LEAT_OK;
}

static leat_status doubt_clear(leat_context *ctx, const leat_window *w, void *self) {
    (void)ctx, (void)w;
    ++*(int *)self;
    return LEAT_OK;
}

static void a_trigger_can_not_take_the_clean_up_away(void **state) {
    static const leat_trigger calls = {
        sizeof calls, false, doubt_on_element, doubt_on_timer, NULL, doubt_clear,
    };
    int cleared = 0;
    window_args a = {.count = 0};
    with_own(&a, "assigner", "tumbling_event_time 10");
    with(&a, "trigger", leat_trigger_fn(&calls, &cleared));
    with_own(&a, "aggregate", "count");
    harness *h = open_window(state, &a);
    take(h, "a", 1, 1);
    take(h, "a", 2, 1);
    watermark(h, 9);
    expect(h, "2@9");
    expect_watermark(h, 9);
    assert_int_equal(cleared, 1);
    end_windows(h);
}

/* --- failures --------------------------------------------------------------------------------- */

static leat_status fail_window(leat_context *ctx, const leat_window *w, const leat_value *elements,
                               size_t count, leat_emitter *out, void *self) {
    (void)w, (void)elements, (void)count, (void)out, (void)self;
    return leat_context_fail(ctx, LEAT_E_USER, "no such window");
}

static void a_failing_window_function_fails_the_job(void **state) {
    static const leat_window_function calls = {sizeof calls, fail_window, NULL, NULL};
    window_args a = {.count = 0};
    with_own(&a, "assigner", "tumbling_event_time 10");
    with(&a, "window", leat_window_fn(&calls, NULL));
    harness *h = open_window(state, &a);
    take(h, "a", 1, 1);
    assert_int_equal(harness_watermark(h, 0, 9), LEAT_E_USER);
    assert_string_equal(harness_failure(h), "no such window");
    harness_free(h);
}

/* The reason that leat_graph_add gives for these arguments. */
static void refused(const window_args *a, const char *reason) {
    leat_error err = {.text = ""};
    leat_env *env = leat_env_new(NULL, &err);
    leat_stream *numbers = leat_stream_key_by(leat_env_sequence(env, 1, 3), leat_field(0));
    leat_stream_print(leat_graph_add(env, &leat_window_operator, a->args, a->count, &numbers, 1));
    assert_true(leat_env_execute(env, "refused", &err) < 0);
    if (!strstr(err.text, reason)) fail_msg("%s: %s", err.where, err.text);
    leat_env_free(env);
}

static void what_does_not_fit_together_is_refused_at_once(void **state) {
    (void)state;
    static const leat_aggregate no_merge = {
        sizeof no_merge, false, text_create, text_add, text_result, NULL,
    };
    window_args a[9] = {{.count = 0}};
    for (int i = 1; i < 9; i++) with_own(&a[i], "assigner", "session_event_time 10");
    with_own(&a[0], "reduce", "sum 0");
    refused(&a[0], "parameter 'assigner' is missing");
    refused(&a[1], "a reduce, aggregate or window function");
    with_own(&a[2], "reduce", "sum 0");
    with_own(&a[2], "aggregate", "count");
    refused(&a[2], "not both");
    with(&a[3], "aggregate", leat_aggregate_fn(&no_merge, NULL));
    refused(&a[3], "an aggregate that can merge");
    with_own(&a[4], "reduce", "sum 0");
    with_own(&a[4], "trigger", "never");
    refused(&a[4], "a trigger that does not support merging");
    with_own(&a[5], "reduce", "sum 0");
    with_int(&a[5], "lateness", -1);
    refused(&a[5], "lateness cannot be negative");
    with_own(&a[6], "reduce", "sum 0");
    with(&a[6], "gap", leat_python("some:gap"));
    refused(&a[6], "a gap function is for session windows");
    with_own(&a[7], "reduce", "sum 0");
    with_own(&a[7], "evictor", "delta 1");
    refused(&a[7], "a delta function is for the delta evictor");
    with_own(&a[8], "reduce", "count 0");
    refused(&a[8], "Leat has no reduce of that name");
}

/* What could not be known before is refused when the operator is opened. */
static leat_status assign_nothing(leat_context *ctx, const leat_record *in, leat_windows *out,
                                  void *self) {
    (void)ctx, (void)in, (void)out, (void)self;
    return LEAT_OK;
}

static void an_assigner_needs_a_trigger(void **state) {
    static const leat_assigner none = {sizeof none, true, NULL, assign_nothing, NULL};
    static const leat_assigner odd = {sizeof odd, true, "sometimes", assign_nothing, NULL};
    window_args a = {.count = 0}, b = {.count = 0};
    with(&a, "assigner", leat_assigner_fn(&none, NULL));
    with_own(&a, "reduce", "sum 1");
    leat_function key = leat_field(0);
    (void)state;
    harness *h = harness_new(&leat_window_operator, a.args, a.count, &key);
    assert_int_equal(push_at(h, "a", 1, 1), LEAT_E_ARGUMENT);
    assert_non_null(strstr(harness_failure(h), "no default trigger"));
    harness_free(h);
    with(&b, "assigner", leat_assigner_fn(&odd, NULL));
    with_own(&b, "reduce", "sum 1");
    h = harness_new(&leat_window_operator, b.args, b.count, &key);
    assert_int_equal(push_at(h, "a", 1, 1), LEAT_E_NOT_FOUND);
    assert_non_null(strstr(harness_failure(h), "no trigger of that name"));
    harness_free(h);
}

/* --- namespaces ------------------------------------------------------------------------------- */

static void namespaces_give_windows_back(void **state) {
    window_args a = {.count = 0};
    with_own(&a, "assigner", "global");
    with_own(&a, "reduce", "sum 1");
    harness *h = open_window(state, &a);
    char name[32];
    const leat_window windows[] = {leat_global_window(), leat_time_window(INT64_MIN, -1),
                                   leat_time_window(-5, 5), leat_count_window(7), tens(name, 3, 4)};
    leat_namespace last = {NULL, 0};
    for (size_t i = 0; i < sizeof windows / sizeof *windows; i++) {
        leat_window back;
        leat_namespace ns = leat_window_namespace(harness_context(h), &windows[i]);
        assert_int_equal(leat_window_of_namespace(ns, &back), LEAT_OK);
        assert_int_equal(back.kind, windows[i].kind);
        assert_int_equal(back.start, windows[i].start);
        assert_int_equal(back.end, windows[i].end);
        assert_int_equal(back.max_timestamp, windows[i].max_timestamp);
        assert_int_equal(back.size, windows[i].size);
        if (back.size) assert_memory_equal(back.bytes, windows[i].bytes, back.size);
        if (i == 2) assert_true(memcmp(last.bytes, ns.bytes, ns.size) < 0); /* they are in order */
        last = ns;
        ns.size--;
        if (windows[i].kind != LEAT_WINDOW_CUSTOM)
            assert_int_equal(leat_window_of_namespace(ns, &back), LEAT_E_FORMAT);
    }
    leat_namespace odd = {"\7", 1};
    leat_window back;
    assert_int_equal(leat_window_of_namespace(odd, &back), LEAT_E_FORMAT);
    harness_free(h);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        BOTH_WAYS(tumbling_windows_sum),
        BOTH_WAYS(folds_of_leats_own),
        BOTH_WAYS(late_elements_fire_again_until_the_clean_up),
        BOTH_WAYS(late_windows_do_not_make_a_record_late),
        BOTH_WAYS(late_elements_of_several_windows_fire_each),
        BOTH_WAYS(sessions_must_not_merge_behind_the_watermark),
        BOTH_WAYS(clean_up_comes_after_the_last_result),
        BOTH_WAYS(results_are_taken_one_by_one),
        BOTH_WAYS(a_window_function_gets_the_one_result),
        BOTH_WAYS(windows_of_users_work),
        BOTH_WAYS(windows_of_users_merge),
        BOTH_WAYS(merging_behind_the_watermark_fails),
        BOTH_WAYS(aggregates_of_users_merge),
        BOTH_WAYS(triggers_of_users_work),
        BOTH_WAYS(a_trigger_can_not_take_the_clean_up_away),
        BOTH_WAYS(a_failing_window_function_fails_the_job),
        cmocka_unit_test(what_does_not_fit_together_is_refused_at_once),
        cmocka_unit_test(an_assigner_needs_a_trigger),
        cmocka_unit_test(namespaces_give_windows_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
