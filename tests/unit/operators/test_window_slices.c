/* Tests of window_slices.c and window_shares.c: sliding windows in slices give, bit by bit, what
   the same windows give without, which is what naming their trigger makes of them; and leave
   nothing behind. */
#include "windows.h"

#include <stdlib.h>

#include "runtime/flow/chain.h"

enum { STEPS = 300, MOST = 2000 };

static uint64_t seed;

static int64_t random_below(int64_t n) {
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (int64_t)((seed >> 33) % (uint64_t)n);
}

/* An aggregate of a user that says it is mergeable: (how many, their sum). */
static leat_status pair_of(leat_context *ctx, int64_t count, int64_t sum, leat_value *out) {
    leat_value *items = leat_context_alloc(ctx, 2 * sizeof *items);
    if (!items) return LEAT_E_NOMEM;
    items[0] = leat_int(count);
    items[1] = leat_int(sum);
    *out = leat_tuple(items, 2);
    return LEAT_OK;
}

static leat_status pair_create(leat_context *ctx, leat_value *out, void *self) {
    (void)self;
    return pair_of(ctx, 0, 0, out);
}

static leat_status pair_add(leat_context *ctx, const leat_value *value, const leat_value *pair,
                            leat_value *out, void *self) {
    (void)self;
    const leat_value *number = &value->as.items[1], *old = pair->as.items;
    return pair_of(ctx, old[0].as.i + 1, old[1].as.i + number->as.i, out);
}

static leat_status pair_result(leat_context *ctx, const leat_value *pair, leat_value *out,
                               void *self) {
    (void)ctx;
    (void)self;
    *out = *pair;
    return LEAT_OK;
}

static leat_status pair_merge(leat_context *ctx, const leat_value *a, const leat_value *b,
                              leat_value *out, void *self) {
    if (self) ++*(int *)self;
    const leat_value *x = a->as.items, *y = b->as.items;
    return pair_of(ctx, x[0].as.i + y[0].as.i, x[1].as.i + y[1].as.i, out);
}

static const leat_aggregate pairs = {
    sizeof pairs, true, pair_create, pair_add, pair_result, pair_merge,
};

static harness *open_sliding(void **state, const char *assigner, const char *param,
                             const char *fold, bool slices) {
    window_args a = {.count = 0};
    with_own(&a, "assigner", assigner);
    if (strcmp(fold, "pairs") == 0)
        with(&a, param, leat_aggregate_fn(&pairs, NULL));
    else
        with_own(&a, param, fold);
    with_text(&a, "late_tag", "late");
    if (!slices) with_own(&a, "trigger", "event_time");
    harness *h = open_window(state, &a);
    harness_side(h, "late");
    return h;
}

static void expect_no_state(harness *h) {
    const leat_context *ctx = harness_context(h);
    for (size_t i = 0; i < ctx->table_count; i++)
        assert_int_equal(leati_table_count(ctx->tables[i]), 0);
    for (int i = 0; i < 2; i++)
        if (ctx->timers[i]) assert_int_equal(leati_timers_count(ctx->timers[i]), 0);
}

/* --- random input both ways ------------------------------------------------------------------- */

typedef struct mix {
    int64_t doubles, jumps; /* one of so many; 0: none */
} mix;

static int by_text(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The order of keys that fire together is open. */
static int results_of(harness *h, char **out) {
    int count = 0;
    for (const char *line; (line = harness_next(h));) {
        assert_true(count < MOST);
        out[count++] = strdup(line);
    }
    qsort(out, (size_t)count, sizeof *out, by_text);
    return count;
}

static void compare(harness *sliced, harness *plain, const char *what) {
    static char *a[MOST], *b[MOST];
    int count = results_of(sliced, a), wanted = results_of(plain, b);
    for (int i = 0; i < count || i < wanted; i++) {
        const char *have = i < count ? a[i] : "nothing", *want = i < wanted ? b[i] : "nothing";
        if (strcmp(have, want) != 0) fail_msg("%s: %s instead of %s", what, have, want);
    }
    for (int i = 0; i < count; i++) free(a[i]);
    for (int i = 0; i < wanted; i++) free(b[i]);
}

/* Tuples (key, number, which): the third item tells which element came first. */
static void push_random(harness *sliced, harness *plain, const mix *m, int64_t *now, int which) {
    if (m->jumps && random_below(m->jumps) == 0) *now += random_below(100000);
    *now += random_below(6);
    int64_t n = random_below(100) - 40, time = *now - random_below(random_below(9) ? 15 : 150);
    static const char *const keys[] = {"a", "b", "c"};
    leat_value number = leat_int(n);
    if (m->doubles && random_below(m->doubles) == 0) number = leat_double((double)n / 10);
    leat_value items[3] = {leat_string(keys[random_below(3)]), number, leat_int(which)};
    leat_value v = leat_tuple(items, 3);
    assert_int_equal(harness_push(sliced, 0, &v, time), LEAT_OK);
    assert_int_equal(harness_push(plain, 0, &v, time), LEAT_OK);
}

static void follow(void **state, const char *assigner, const char *param, const char *fold,
                   const mix *m, uint64_t from) {
    harness *sliced = open_sliding(state, assigner, param, fold, true);
    harness *plain = open_sliding(state, assigner, param, fold, false);
    seed = from;
    int64_t now = random_below(100) - 50, last = INT64_MIN;
    for (int i = 0; i < STEPS; i++) {
        int64_t mark = now - random_below(30);
        if (random_below(12) || mark <= last) {
            push_random(sliced, plain, m, &now, i);
        } else {
            last = mark;
            watermark(sliced, mark);
            watermark(plain, mark);
        }
        compare(sliced, plain, assigner);
    }
    assert_int_equal(harness_end(sliced, 0), LEAT_OK);
    assert_int_equal(harness_end(plain, 0), LEAT_OK);
    compare(sliced, plain, assigner);
    expect_no_state(sliced);
    expect_no_state(plain);
    harness_free(sliced);
    harness_free(plain);
}

static void slices_are_not_seen(void **state) {
    static const char *const assigners[] = {"sliding_event_time 20 5", "sliding_event_time 60 1",
                                            "sliding_event_time 12 8 3",
                                            "sliding_event_time 25 10 -4"};
    static const char *const folds[][2] = {
        {"reduce", "sum 1"},    {"reduce", "min 1"},    {"aggregate", "max 1"},
        {"aggregate", "sum 1"}, {"aggregate", "count"}, {"reduce", "max_by 1"},
    };
    static const mix mixes[] = {{0, 0}, {0, 40}, {60, 0}, {3, 30}};
    uint64_t run = 1;
    for (size_t i = 0; i < sizeof assigners / sizeof *assigners; i++)
        for (size_t k = 0; k < sizeof folds / sizeof *folds; k++)
            for (size_t j = 0; j < sizeof mixes / sizeof *mixes; j++)
                if (!*state || (i + k + j) % 6 == 0)
                    follow(state, assigners[i], folds[k][0], folds[k][1], &mixes[j], run++);
}

static void shares_are_not_seen(void **state) {
    static const char *const assigners[] = {"sliding_event_time 20 5", "sliding_event_time 60 1",
                                            "sliding_event_time 12 8 3",
                                            "sliding_event_time 25 10 -4"};
    static const mix mixes[] = {{0, 0}, {0, 40}};
    for (uint64_t run = 0; run < (*state ? 8 : 80); run++)
        follow(state, assigners[run % 4], "aggregate", "pairs", &mixes[run / 4 % 2], run);
}

/* --- what random input does not meet ---------------------------------------------------------- */

/* One update per record: however many windows there are, one key has one ring. */
static void there_are_slices(void **state) {
    harness *h = open_sliding(state, "sliding_event_time 60 1", "reduce", "sum 1", true);
    for (int i = 0; i < 50; i++) take(h, "a", 1, i);
    const leat_context *ctx = harness_context(h);
    size_t cells = 0;
    for (size_t i = 0; i < ctx->table_count; i++) cells += leati_table_count(ctx->tables[i]);
    assert_int_equal(cells, 2);
    assert_int_equal(leati_timers_count(ctx->timers[LEAT_EVENT_TIME]), 1);
    harness_free(h);
}

/* Every slide costs three merges, one cell for its slice and one for its suffix. */
static void shares_need_few_merges(void **state) {
    int merges = 0;
    window_args a = {.count = 0};
    with_own(&a, "assigner", "sliding_event_time 60 1");
    with(&a, "aggregate", leat_aggregate_fn(&pairs, &merges));
    harness *h = open_window(state, &a);
    for (int i = 0; i < 600; i++) {
        take(h, "a", 1, i);
        take(h, "a", 2, i);
        watermark(h, i);
        char line[40];
        int many = i < 59 ? i + 1 : 60;
        snprintf(line, sizeof line, "(%d,%d)@%d", 2 * many, 3 * many, i);
        expect(h, line);
        expect_watermark(h, i);
    }
    assert_in_range(merges, 600, 3 * 600);
    const leat_context *ctx = harness_context(h);
    size_t cells = 0;
    for (size_t i = 0; i < ctx->table_count; i++) cells += leati_table_count(ctx->tables[i]);
    assert_in_range(cells, 60, 2 * 60 + 2);
    assert_int_equal(leati_timers_count(ctx->timers[LEAT_EVENT_TIME]), 1);
    harness_free(h);
}

/* Near and far times in one window, and those of which the usual way fails. */
static void shares_leave_far_times_to_the_usual_way(void **state) {
    int64_t far = INT64_MAX / 4;
    harness *h = open_sliding(state, "sliding_event_time 10 5", "aggregate", "pairs", true);
    harness *plain = open_sliding(state, "sliding_event_time 10 5", "aggregate", "pairs", false);
    const int64_t times[] = {far, far + 1, far - 1, far - 5, far + 7, -far, -far - 1, 0};
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        take(h, "a", (int64_t)i, times[i]);
        take(plain, "a", (int64_t)i, times[i]);
    }
    assert_int_equal(harness_end(h, 0), LEAT_OK);
    assert_int_equal(harness_end(plain, 0), LEAT_OK);
    compare(h, plain, "far times");
    expect_no_state(h);
    harness_free(h);
    harness_free(plain);
    h = open_sliding(state, "sliding_event_time 10 5", "aggregate", "pairs", true);
    assert_int_equal(push_at(h, "a", 1, INT64_MAX - 1), LEAT_E_RANGE);
    harness_free(h);
}

static void scalars_are_summed(void **state) {
    window_args a = {.count = 0};
    with_own(&a, "assigner", "sliding_event_time 10 5");
    with_own(&a, "reduce", "sum 0");
    leat_function field = leat_field(0);
    harness *h = both_ways(state, harness_new(&leat_window_operator, a.args, a.count, &field));
    leat_value v = leat_int(7);
    for (int i = 0; i < 3; i++) assert_int_equal(harness_push(h, 0, &v, 4 * i), LEAT_OK);
    assert_int_equal(harness_end(h, 0), LEAT_OK);
    expect(h, "14@4");
    expect(h, "21@9");
    expect(h, "7@14");
    expect_no_state(h);
    end_windows(h);
}

/* A slice whose sum is too large, and a window whose slices are together. */
static void sums_beyond_64_bits_fail(void **state) {
    int64_t large = INT64_MAX / 2 + 1;
    harness *h = open_sliding(state, "sliding_event_time 10 5", "reduce", "sum 1", true);
    take(h, "a", large, 1);
    assert_int_equal(push_at(h, "a", large, 2), LEAT_E_RANGE);
    assert_non_null(strstr(harness_failure(h), "beyond 64 bits"));
    harness_free(h);
    h = open_sliding(state, "sliding_event_time 10 5", "reduce", "sum 1", true);
    take(h, "a", large, 1);
    take(h, "a", large, 7);
    assert_int_equal(harness_watermark(h, 0, 9), LEAT_E_RANGE);
    assert_non_null(strstr(harness_failure(h), "beyond 64 bits"));
    harness_free(h);
}

static void times_at_the_edge_go_the_usual_way(void **state) {
    harness *h = open_sliding(state, "sliding_event_time 10 5", "reduce", "sum 1", true);
    take(h, "a", 1, INT64_MAX - 1000);
    take(h, "a", 2, INT64_MAX - 1000);
    assert_int_equal(harness_end(h, 0), LEAT_OK);
    assert_int_equal(harness_count(h), 2);
    harness_free(h);
    h = open_sliding(state, "sliding_event_time 10 5", "reduce", "sum 1", true);
    assert_int_equal(push_at(h, "a", 1, INT64_MAX - 1), LEAT_E_RANGE);
    harness_free(h);
}

static void missing_fields_fail_with_the_second_element(void **state) {
    harness *h = open_sliding(state, "sliding_event_time 10 5", "reduce", "sum 7", true);
    take(h, "a", 1, 1);
    assert_int_equal(push_at(h, "a", 1, 2), LEAT_E_RANGE);
    assert_non_null(strstr(harness_failure(h), "there is no field 7"));
    harness_free(h);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        BOTH_WAYS(slices_are_not_seen),
        BOTH_WAYS(shares_are_not_seen),
        BOTH_WAYS(there_are_slices),
        BOTH_WAYS(shares_need_few_merges),
        BOTH_WAYS(shares_leave_far_times_to_the_usual_way),
        BOTH_WAYS(scalars_are_summed),
        BOTH_WAYS(sums_beyond_64_bits_fail),
        BOTH_WAYS(times_at_the_edge_go_the_usual_way),
        BOTH_WAYS(missing_fields_fail_with_the_second_element),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
