/* Tests of runtime_mode.c and of whole native jobs in batch: what they give is what streams give at
   their end, whatever the parallelism and the memory; who may run in batch. */
#include "gather.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/clock.h"

/* --- one program, executed in many ways ------------------------------------------------------- */

typedef struct way {
    const char *mode, *memory;
    int parallelism;
} way;

static const way ways[] = {
    {"STREAMING", "1mb", 1}, {"STREAMING", "1mb", 3}, {"BATCH", "128mb", 1},
    {"BATCH", "128mb", 3},   {"BATCH", "1kb", 1},     {"AUTOMATIC", "3kb", 3},
};
enum { WAYS = sizeof ways / sizeof *ways, FIRST_BATCH = 2 };

static void set(leat_env *env, const char *key, const char *value) {
    leat_error err = {.text = ""};
    if (leat_env_set(env, key, value, &err) < 0) fail_msg("%s: %s", err.where, err.text);
}

static leat_env *env_in(const way *w) {
    leat_env *env = env_of(w->parallelism, 64);
    set(env, "execution.runtime-mode", w->mode);
    set(env, "execution.sorted-inputs.memory", w->memory);
    return env;
}

typedef leat_stream *(*program)(leat_env *env);

/* What the program gives, in the order of the text; the caller frees it. */
static char *results_of(program build, const way *w) {
    gathered g;
    gathered_init(&g);
    leat_env *env = env_in(w);
    leat_stream_parallelism(leat_stream_sink(build(env), gathered_sink(&g)), 1);
    env_run(env);
    leat_env_free(env);
    gathered_sort(&g);
    char *text = strdup(gathered_text(&g));
    assert_non_null(text);
    assert_true(g.count > 0);
    gathered_fini(&g);
    return text;
}

/* All ways from `first` on give the same. */
static void expect_same(program build, int first) {
    char *want = results_of(build, &ways[first]);
    for (int i = first + 1; i < WAYS; i++) {
        char *got = results_of(build, &ways[i]);
        if (strcmp(got, want) != 0) print_message("way %d\n", i);
        assert_string_equal(got, want);
        free(got);
    }
    free(want);
}

/* --- records: tuples (key, number, time) in disorder ------------------------------------------ */

enum { COUNT = 400, KEYS = 9, LATEST = 1000 };

static leat_status time_of(leat_context *ctx, const leat_record *in, int64_t *time, void *self) {
    (void)ctx;
    (void)self;
    *time = in->value.as.items[2].as.i;
    return LEAT_OK;
}

/* The bound is so large that no record is late. */
static leat_stream *events(leat_env *env, uint32_t seed) {
    leat_value values[COUNT], items[COUNT][3];
    for (int i = 0; i < COUNT; i++) {
        seed = seed * 1664525u + 1013904223u;
        items[i][0] = leat_int((seed >> 8) % KEYS);
        items[i][1] = leat_int(i);
        items[i][2] = leat_int((seed >> 16) % LATEST);
        values[i] = leat_tuple(items[i], 3);
    }
    leat_stream *s = leat_env_collection(env, values, COUNT);
    return leat_stream_assign_timestamps(s, leat_timestamp_fn(time_of, NULL), LATEST);
}

static leat_stream *keyed(leat_env *env, uint32_t seed) {
    return leat_stream_key_by(events(env, seed), leat_field(0));
}

static leat_window_spec windows(const char *assigner) {
    return leat_window_spec_of(leat_builtin(assigner));
}

static leat_status number_pair(leat_context *ctx, const leat_value *first, const leat_value *second,
                               leat_emitter *out, void *self) {
    (void)ctx;
    (void)self;
    leat_value v = leat_int(1000 * first->as.items[1].as.i + second->as.items[1].as.i);
    return leat_emitter_push(out, &v);
}

/* Without the time, which is that of the first record to arrive. */
static leat_stream *key_and_number(leat_stream *s) {
    static const int fields[] = {0, 1};
    return leat_stream_project(s, fields, 2);
}

/* --- programs --------------------------------------------------------------------------------- */

static leat_stream *tumbling(leat_env *env) {
    leat_window_spec spec = windows("tumbling_event_time 100");
    return key_and_number(leat_stream_window_sum(keyed(env, 1), &spec, 1));
}

static leat_stream *sliding(leat_env *env) {
    leat_window_spec spec = windows("sliding_event_time 200 50");
    return leat_stream_window_count(keyed(env, 2), &spec);
}

static leat_stream *sessions(leat_env *env) {
    leat_window_spec spec = windows("session_event_time 20");
    return key_and_number(leat_stream_window_max(keyed(env, 3), &spec, 1));
}

static leat_stream *one_window(leat_env *env) {
    leat_window_spec spec = windows("tumbling_event_time 500");
    leat_stream *s = leat_stream_key_by(events(env, 4), leat_builtin("constant"));
    s = leat_stream_parallelism(leat_stream_window_sum(s, &spec, 1), 1);
    static const int number[] = {1};
    return leat_stream_project(s, number, 1);
}

static leat_stream *intervals(leat_env *env) {
    leat_interval i = leat_interval_between(-10, 5);
    return leat_stream_interval_join(keyed(env, 5), keyed(env, 6), &i,
                                     leat_join_fn(number_pair, NULL));
}

static leat_stream *joined(leat_env *env) {
    leat_window_spec spec = windows("tumbling_event_time 30");
    return leat_stream_window_join(keyed(env, 7), keyed(env, 8), &spec,
                                   leat_join_fn(number_pair, NULL));
}

static void windows_and_joins_give_what_they_give_in_streams(void **state) {
    (void)state;
    static const program programs[] = {tumbling, sliding, sessions, one_window, intervals, joined};
    for (size_t i = 0; i < sizeof programs / sizeof *programs; i++) expect_same(programs[i], 0);
}

static leat_status second(leat_context *ctx, const leat_record *in, leat_value *out, void *self) {
    (void)ctx;
    (void)self;
    *out = in->value.as.items[1];
    return LEAT_OK;
}

static leat_stream *processing_time(leat_env *env) {
    leat_window_spec spec = windows("tumbling_processing_time 86400000");
    return leat_stream_window_sum(keyed(env, 9), &spec, 1);
}

static leat_stream *rolling_sum(leat_env *env) {
    return leat_stream_sum(keyed(env, 10), 1);
}

static leat_status later(leat_context *ctx, const leat_value *a, const leat_value *b,
                         leat_value *out, void *self) {
    (void)ctx;
    (void)self;
    *out = a->as.items[2].as.i > b->as.items[2].as.i ? *a : *b;
    return LEAT_OK;
}

static leat_stream *reduced(leat_env *env) {
    return leat_stream_reduce(keyed(env, 11), leat_reduce_fn(later, NULL));
}

static int64_t noon(void *arg) {
    (void)arg;
    return INT64_C(43200000);
}

static void windows_of_processing_time_end_with_their_keys(void **state) {
    (void)state;
    leati_clock_set(noon, NULL);
    expect_same(processing_time, FIRST_BATCH);
    leati_clock_set(NULL, NULL);
}

/* One result per key, with the time of the end. */
static void reductions_give_one_result_per_key(void **state) {
    (void)state;
    char want[4096] = "";
    int64_t sums[KEYS] = {0};
    uint32_t seed = 10;
    for (int i = 0; i < COUNT; i++) {
        seed = seed * 1664525u + 1013904223u;
        sums[(seed >> 8) % KEYS] += i;
    }
    expect_same(rolling_sum, FIRST_BATCH);
    expect_same(reduced, FIRST_BATCH);
    char *got = results_of(rolling_sum, &ways[FIRST_BATCH]);
    int results = 1;
    for (const char *c = got; (c = strchr(c, ' ')); c++) results++;
    assert_int_equal(results, KEYS);
    for (int k = 0; k < KEYS; k++) {
        snprintf(want, sizeof want, "(%d,%lld,", k, (long long)sums[k]);
        if (!strstr(got, want)) fail_msg("no '%s' in %s", want, got);
    }
    assert_non_null(strstr(got, "@9223372036854775807"));
    free(got);
}

/* --- who may run in batch --------------------------------------------------------------------- */

static leat_status three(leat_context *ctx, leat_emitter *out, void *self) {
    int *next = self;
    (void)ctx;
    if (*next == 3) return LEAT_DONE;
    leat_value v = leat_int(++*next);
    return leat_emitter_push(out, &v);
}

static leat_stream *sum_of_source(leat_env *env, int *next, gathered *g) {
    leat_stream *s = leat_env_source(env, leat_source_fn(three, next));
    leat_stream_sink(leat_stream_sum(leat_stream_key_by(s, leat_builtin("constant")), 0),
                     gathered_sink(g));
    return s;
}

static void unbounded_source_is_refused_unless_it_says_that_it_ends(void **state) {
    (void)state;
    const way batch = {"BATCH", "1mb", 1};
    gathered g;
    int next = 0;
    leat_error err = {.text = ""};
    gathered_init(&g);
    leat_env *env = env_in(&batch);
    leat_stream_name(sum_of_source(env, &next, &g), "three");
    assert_int_equal(leat_env_execute(env, NULL, &err), LEAT_E_ARGUMENT);
    assert_string_equal(err.where, "three");
    assert_non_null(strstr(err.text, "unbounded source"));
    leat_env_clear(env);
    leat_stream_option(sum_of_source(env, &next, &g), "boundedness", "bounded");
    env_run(env);
    assert_string_equal(gathered_text(&g), "6@9223372036854775807");
    leat_env_free(env);
    gathered_fini(&g);
}

static void automatic_streams_from_an_unbounded_source(void **state) {
    (void)state;
    const way automatic = {"automatic", "1mb", 1};
    gathered g;
    int next = 0;
    gathered_init(&g);
    leat_env *env = env_in(&automatic);
    sum_of_source(env, &next, &g);
    env_run(env);
    assert_string_equal(gathered_text(&g), "1 3 6");
    leat_env_free(env);
    gathered_fini(&g);
}

static void boundedness_is_of_sources(void **state) {
    (void)state;
    leat_error err = {.text = ""};
    leat_env *env = env_of(1, 10);
    leat_stream_option(leat_env_sequence(env, 1, 2), "boundedness", "endless");
    assert_int_equal(leat_env_execute(env, NULL, &err), LEAT_E_ARGUMENT);
    assert_string_equal(err.text, "boundedness is 'bounded' or 'unbounded', not 'endless'");
    leat_env_clear(env);
    leat_stream *s = leat_stream_map(leat_env_sequence(env, 1, 2), leat_map_fn(second, NULL));
    leat_stream_option(s, "boundedness", "bounded");
    assert_int_equal(leat_env_execute(env, NULL, &err), LEAT_E_ARGUMENT);
    assert_non_null(strstr(err.text, "no source"));
    leat_env_free(env);
}

static void plan_tells_the_mode_and_what_is_sorted(void **state) {
    (void)state;
    leat_error err = {.text = ""};
    for (int i = 0; i < WAYS; i++) {
        leat_env *env = env_in(&ways[i]);
        leat_stream_print(rolling_sum(env));
        char *plan = leat_env_plan(env, &err);
        assert_non_null(plan);
        bool batch = i >= FIRST_BATCH;
        const char *mode = batch ? "\"runtime_mode\" : \"BATCH\"" : "\"STREAMING\"";
        assert_non_null(strstr(plan, mode));
        assert_int_equal(strstr(plan, "\"input\" : \"sorted by key\"") != NULL, batch);
        leat_text_free(plan);
        leat_env_free(env);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(windows_and_joins_give_what_they_give_in_streams),
        cmocka_unit_test(windows_of_processing_time_end_with_their_keys),
        cmocka_unit_test(reductions_give_one_result_per_key),
        cmocka_unit_test(unbounded_source_is_refused_unless_it_says_that_it_ends),
        cmocka_unit_test(automatic_streams_from_an_unbounded_source),
        cmocka_unit_test(boundedness_is_of_sources),
        cmocka_unit_test(plan_tells_the_mode_and_what_is_sorted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
