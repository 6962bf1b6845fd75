/* A C program that uses the verbs of stream.h with functions in C, in streams and in batch, with
   one subtask and with three. What each gives is compared line by line. */
#include <leat.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "needs.h"

/* --- what a job gives ------------------------------------------------------------------------- */

enum { MOST = 64, LINE = 120 };

typedef struct lines {
    pthread_mutex_t lock;
    char text[MOST][LINE];
    size_t count;
} lines;

static leat_status keep(leat_context *ctx, const leat_record *in, void *arg) {
    lines *l = arg;
    pthread_mutex_lock(&l->lock);
    bool room = l->count < MOST;
    if (room) leat_value_format(&in->value, l->text[l->count++], LINE);
    pthread_mutex_unlock(&l->lock);
    return room ? LEAT_OK : leat_context_fail(ctx, LEAT_E_RANGE, "more lines than were expected");
}

static int by_text(const void *a, const void *b) {
    return strcmp(a, b);
}

static const char *joined_lines(lines *l) {
    static char all[MOST * LINE];
    qsort(l->text, l->count, LINE, by_text);
    size_t at = 0;
    all[0] = 0;
    for (size_t i = 0; i < l->count; i++)
        at += (size_t)snprintf(all + at, sizeof all - at, "%s%s", i ? " " : "", l->text[i]);
    return all;
}

/* --- what a job is of ------------------------------------------------------------------------- */

typedef leat_stream *(*program)(leat_env *env);

static void run(program build, const char *mode, const char *parallelism, const char *want) {
    lines l = {.count = 0};
    pthread_mutex_init(&l.lock, NULL);
    leat_error err = {.text = ""};
    leat_env *env = leat_env_new(NULL, &err);
    assert_non_null(env);
    assert_int_equal(leat_env_set(env, "execution.runtime-mode", mode, &err), LEAT_OK);
    assert_int_equal(leat_env_set(env, "parallelism.default", parallelism, &err), LEAT_OK);
    leat_stream_sink(build(env), leat_sink_fn(keep, &l));
    if (leat_env_execute(env, "verbs", &err) < 0) fail_msg("%s: %s", err.where, err.text);
    leat_env_free(env);
    const char *got = joined_lines(&l);
    if (strcmp(got, want) != 0) print_message("%s, %s subtasks:\n", mode, parallelism);
    assert_string_equal(got, want);
    pthread_mutex_destroy(&l.lock);
}

/* In streams and in batch, which may give something else, NULL: the same. */
static void expect(program build, const char *streaming, const char *batch) {
    run(build, "STREAMING", "1", streaming);
    run(build, "STREAMING", "3", streaming);
    run(build, "BATCH", "1", batch ? batch : streaming);
    run(build, "BATCH", "3", batch ? batch : streaming);
}

/* Records are (key, number, time). */
static leat_status time_of(leat_context *ctx, const leat_record *in, int64_t *time, void *arg) {
    (void)ctx, (void)arg;
    *time = in->value.as.items[2].as.i;
    return LEAT_OK;
}

typedef struct event {
    const char *key;
    int64_t number, time;
} event;

static leat_stream *collection(leat_env *env, const event *events, size_t count) {
    leat_value items[16][3], tuples[16];
    for (size_t i = 0; i < count; i++) {
        items[i][0] = leat_string(events[i].key);
        items[i][1] = leat_int(events[i].number);
        items[i][2] = leat_int(events[i].time);
        tuples[i] = leat_tuple(items[i], 3);
    }
    return leat_env_collection(env, tuples, count);
}

static leat_stream *timed(leat_stream *s) {
    s = leat_stream_assign_timestamps(s, leat_timestamp_fn(time_of, NULL), 100);
    return leat_stream_parallelism(s, 1); /* keeps the order */
}

static leat_stream *some(leat_env *env) {
    static const event events[] = {{"a", 3, 1},  {"b", 5, 2},  {"a", 1, 4},
                                   {"a", 2, 12}, {"b", 4, 13}, {"a", 1, 14}};
    return leat_stream_key_by(timed(collection(env, events, 6)), leat_field(0));
}

static leat_stream *others(leat_env *env) {
    static const event events[] = {{"a", 10, 3}, {"c", 20, 5}, {"a", 30, 16}};
    return leat_stream_key_by(timed(collection(env, events, 3)), leat_field(0));
}

static leat_window_spec tens(void) {
    return leat_window_spec_of(leat_builtin("tumbling_event_time 10"));
}

/* --- rolling ---------------------------------------------------------------------------------- */

static leat_stream *rolling_min(leat_env *env) {
    return leat_stream_min(some(env), 1);
}

static leat_stream *rolling_min_by(leat_env *env) {
    return leat_stream_min_by(some(env), 1);
}

static leat_stream *rolling_max(leat_env *env) {
    return leat_stream_max(some(env), 1);
}

static leat_stream *rolling_max_by(leat_env *env) {
    return leat_stream_max_by(some(env), 1);
}

static void rolling_verbs(void **state) {
    (void)state;
    expect(rolling_min, "(a,1,1) (a,1,1) (a,1,1) (a,3,1) (b,4,2) (b,5,2)", "(a,1,1) (b,4,2)");
    expect(rolling_min_by, "(a,1,4) (a,1,4) (a,1,4) (a,3,1) (b,4,13) (b,5,2)", "(a,1,4) (b,4,13)");
    expect(rolling_max, "(a,3,1) (a,3,1) (a,3,1) (a,3,1) (b,5,2) (b,5,2)", "(a,3,1) (b,5,2)");
    expect(rolling_max_by, "(a,3,1) (a,3,1) (a,3,1) (a,3,1) (b,5,2) (b,5,2)", "(a,3,1) (b,5,2)");
}

/* --- windows ---------------------------------------------------------------------------------- */

static leat_status latest(leat_context *ctx, const leat_value *a, const leat_value *b,
                          leat_value *out, void *self) {
    (void)ctx, (void)self;
    *out = a->as.items[2].as.i > b->as.items[2].as.i ? *a : *b;
    return LEAT_OK;
}

/* (key, start, number of elements, time of the last one) */
static leat_status tell(leat_context *ctx, const leat_window *w, const leat_value *elements,
                        size_t count, leat_emitter *out, void *self) {
    (void)self;
    leat_value told[] = {*leat_context_key(ctx), leat_int(w->start), leat_int((int64_t)count),
                         count ? elements[count - 1].as.items[2] : leat_null()};
    leat_value v = leat_tuple(told, 4);
    return leat_emitter_push(out, &v);
}

static const leat_window_function teller = {.size = sizeof teller, .process = tell};

static leat_stream *window_reduce(leat_env *env) {
    leat_window_spec spec = tens();
    return leat_stream_window_reduce(some(env), &spec, leat_reduce_fn(latest, NULL), NULL);
}

static leat_stream *window_reduce_and_tell(leat_env *env) {
    leat_window_spec spec = tens();
    leat_function window = leat_window_fn(&teller, NULL);
    return leat_stream_window_reduce(some(env), &spec, leat_reduce_fn(latest, NULL), &window);
}

static leat_stream *window_process(leat_env *env) {
    leat_window_spec spec = tens();
    return leat_stream_window_process(some(env), &spec, leat_window_fn(&teller, NULL));
}

static leat_stream *window_min(leat_env *env) {
    leat_window_spec spec = tens();
    return leat_stream_window_min(some(env), &spec, 1);
}

static leat_stream *window_min_by(leat_env *env) {
    leat_window_spec spec = tens();
    return leat_stream_window_min_by(some(env), &spec, 1);
}

/* Numbers, by sessions whose gap is the number of the record. */
static leat_status gap_of(leat_context *ctx, const leat_record *in, int64_t *gap, void *self) {
    (void)ctx, (void)self;
    *gap = in->value.as.items[1].as.i;
    return LEAT_OK;
}

static leat_stream *sessions_with_gaps(leat_env *env) {
    leat_window_spec spec = leat_window_spec_of(leat_builtin("session_event_time"));
    spec.gap = leat_gap_fn(gap_of, NULL);
    return leat_stream_window_process(some(env), &spec, leat_window_fn(&teller, NULL));
}

static void window_verbs(void **state) {
    (void)state;
    expect(window_reduce, "(a,1,14) (a,1,4) (b,4,13) (b,5,2)", NULL);
    expect(window_reduce_and_tell, "(a,0,1,4) (a,10,1,14) (b,0,1,2) (b,10,1,13)", NULL);
    expect(window_process, "(a,0,2,4) (a,10,2,14) (b,0,1,2) (b,10,1,13)", NULL);
    expect(window_min, "(a,1,1) (a,1,12) (b,4,13) (b,5,2)", NULL);
    expect(window_min_by, "(a,1,14) (a,1,4) (b,4,13) (b,5,2)", NULL);
    expect(sessions_with_gaps, "(a,1,2,4) (a,12,2,14) (b,13,1,13) (b,2,1,2)", NULL);
}

/* --- windows whose parts are all in C --------------------------------------------------------- */

static const leat_namespace all = {NULL, 0};

/* Windows of 5 from each record on, which merge where they meet. */
static leat_status assign_five(leat_context *ctx, const leat_record *in, leat_windows *out,
                               void *self) {
    (void)ctx, (void)self;
    leat_window w = leat_time_window(in->time, in->time + 5);
    return leat_windows_add(out, &w);
}

static leat_status merge_meeting(leat_context *ctx, const leat_window *windows, size_t count,
                                 leat_merges *out, void *self) {
    (void)ctx, (void)self;
    for (size_t i = 0; i + 1 < count; i++) {
        const leat_window *a = &windows[i], *b = &windows[count - 1]; /* the new one is the last */
        int64_t start = a->start < b->start ? a->start : b->start;
        int64_t end = a->end > b->end ? a->end : b->end;
        if (end - start > a->end - a->start + b->end - b->start) continue;
        const leat_window pair[] = {*a, *b};
        leat_window both = leat_time_window(start, end);
        return leat_merges_add(out, pair, 2, &both);
    }
    return LEAT_OK;
}

/* Fires with the second record of a window, which it counts in a state, and at its end. */
static leat_status counter(leat_context *ctx, leat_state **out) {
    leat_error err;
    return leat_context_state(ctx, "seen", LEAT_VALUE_STATE, NULL, out, &err);
}

static leat_status trigger_on_element(leat_context *ctx, const leat_record *in,
                                      const leat_window *w, leat_trigger_result *out, void *self) {
    (void)in, (void)self;
    leat_namespace ns = leat_window_namespace(ctx, w);
    leat_timer end = {LEAT_EVENT_TIME, w->max_timestamp, ns};
    leat_value seen = leat_int(0);
    leat_state *state;
    leat_status status = counter(ctx, &state);
    if (status >= 0) status = leat_state_get(ctx, state, ns, &seen);
    if (status < 0) return status;
    leat_value now = leat_int(seen.as.i + 1);
    *out = now.as.i == 2 ? LEAT_FIRE : LEAT_CONTINUE;
    status = leat_state_put(ctx, state, ns, &now);
    return status < 0 ? status : leat_timer_set(ctx, &end);
}

static leat_status trigger_on_timer(leat_context *ctx, const leat_timer *timer,
                                    const leat_window *w, leat_trigger_result *out, void *self) {
    (void)ctx, (void)self;
    *out = timer->time == w->max_timestamp ? LEAT_FIRE : LEAT_CONTINUE;
    return LEAT_OK;
}

static leat_status trigger_on_merge(leat_context *ctx, const leat_window *w,
                                    const leat_window *merged, size_t count, void *self) {
    (void)self;
    int64_t sum = 0;
    leat_state *state;
    leat_status status = counter(ctx, &state);
    for (size_t i = 0; status >= 0 && i < count; i++) {
        leat_value seen = leat_int(0);
        status = leat_state_get(ctx, state, leat_window_namespace(ctx, &merged[i]), &seen);
        sum += seen.as.i;
    }
    if (status < 0) return status;
    leat_namespace ns = leat_window_namespace(ctx, w);
    leat_value now = leat_int(sum);
    leat_timer end = {LEAT_EVENT_TIME, w->max_timestamp, ns};
    status = leat_state_put(ctx, state, ns, &now);
    return status < 0 ? status : leat_timer_set(ctx, &end);
}

static leat_status trigger_clear(leat_context *ctx, const leat_window *w, void *self) {
    (void)self;
    leat_namespace ns = leat_window_namespace(ctx, w);
    leat_timer end = {LEAT_EVENT_TIME, w->max_timestamp, ns};
    leat_state *state;
    leat_status status = counter(ctx, &state);
    if (status >= 0) status = leat_state_remove(ctx, state, ns);
    return status < 0 ? status : leat_timer_remove(ctx, &end);
}

static const leat_assigner fives = {sizeof fives, true, "event_time", assign_five, merge_meeting};
static const leat_trigger second_and_end = {sizeof second_and_end, true,
                                            trigger_on_element,    trigger_on_timer,
                                            trigger_on_merge,      trigger_clear};

/* Elements are (time, record): those with an even number stay. */
static leat_status keep_even(leat_context *ctx, const leat_window *w, const leat_value *elements,
                             size_t count, bool *stays, void *self) {
    (void)ctx, (void)w, (void)self;
    for (size_t i = 0; i < count; i++) stays[i] = elements[i].as.items[1].as.items[1].as.i % 2 == 0;
    return LEAT_OK;
}

static const leat_evictor even = {sizeof even, keep_even, NULL};

static leat_stream *own_windows(leat_env *env) {
    leat_window_spec spec = leat_window_spec_of(leat_assigner_fn(&fives, NULL));
    spec.trigger = leat_trigger_fn(&second_and_end, NULL);
    return leat_stream_window_process(some(env), &spec, leat_window_fn(&teller, NULL));
}

static leat_stream *evicted_windows(leat_env *env) {
    leat_window_spec spec = tens();
    spec.evictor = leat_evictor_fn(&even, NULL);
    return leat_stream_window_process(some(env), &spec, leat_window_fn(&teller, NULL));
}

/* How far apart the times are. */
static leat_status distance(leat_context *ctx, const leat_value *a, const leat_value *b,
                            double *delta, void *self) {
    (void)ctx, (void)self;
    *delta = (double)(b->as.items[2].as.i - a->as.items[2].as.i);
    return LEAT_OK;
}

static leat_stream *near_ones(leat_env *env) {
    leat_window_spec spec = leat_window_spec_of(leat_builtin("tumbling_event_time 100"));
    spec.evictor = leat_builtin("delta 5");
    spec.delta = leat_delta_fn(distance, NULL);
    return leat_stream_window_process(some(env), &spec, leat_window_fn(&teller, NULL));
}

static leat_status mean_create(leat_context *ctx, leat_value *out, void *self) {
    (void)ctx, (void)self;
    static const leat_value nothing[2] = {{.kind = LEAT_INT}, {.kind = LEAT_INT}};
    *out = leat_tuple(nothing, 2);
    return LEAT_OK;
}

static leat_status mean_of(leat_context *ctx, int64_t sum, int64_t count, leat_value *out) {
    leat_value *items = leat_context_alloc(ctx, 2 * sizeof *items);
    if (!items) return LEAT_E_NOMEM;
    items[0] = leat_int(sum);
    items[1] = leat_int(count);
    *out = leat_tuple(items, 2);
    return LEAT_OK;
}

static leat_status mean_add(leat_context *ctx, const leat_value *value, const leat_value *mean,
                            leat_value *out, void *self) {
    (void)self;
    const leat_value *m = mean->as.items;
    return mean_of(ctx, m[0].as.i + value->as.items[1].as.i, m[1].as.i + 1, out);
}

static leat_status mean_merge(leat_context *ctx, const leat_value *a, const leat_value *b,
                              leat_value *out, void *self) {
    (void)self;
    const leat_value *x = a->as.items, *y = b->as.items;
    return mean_of(ctx, x[0].as.i + y[0].as.i, x[1].as.i + y[1].as.i, out);
}

static leat_status mean_result(leat_context *ctx, const leat_value *mean, leat_value *out,
                               void *self) {
    (void)ctx, (void)self;
    const leat_value *m = mean->as.items;
    *out = leat_double((double)m[0].as.i / (double)m[1].as.i);
    return LEAT_OK;
}

static const leat_aggregate mean = {sizeof mean, false,       mean_create,
                                    mean_add,    mean_result, mean_merge};
static const leat_aggregate shared_mean = {sizeof mean, true,        mean_create,
                                           mean_add,    mean_result, mean_merge};

static leat_stream *mean_of_sessions(leat_env *env) {
    leat_window_spec spec = leat_window_spec_of(leat_builtin("session_event_time 5"));
    return leat_stream_window_aggregate(some(env), &spec, leat_aggregate_fn(&mean, NULL), NULL);
}

static leat_stream *sliding_mean(leat_env *env) {
    leat_window_spec spec = leat_window_spec_of(leat_builtin("sliding_event_time 20 10"));
    leat_function f = leat_aggregate_fn(&shared_mean, NULL);
    return leat_stream_window_aggregate(some(env), &spec, f, NULL);
}

static void windows_of_parts_in_c(void **state) {
    (void)state;
    expect(own_windows, "(a,1,2,4) (a,1,2,4) (a,12,2,14) (a,12,2,14) (b,13,1,13) (b,2,1,2)", NULL);
    expect(evicted_windows, "(a,0,0,null) (a,10,1,12) (b,0,0,null) (b,10,1,13)", NULL);
    expect(near_ones, "(a,0,2,14) (b,0,1,13)", NULL);
    expect(mean_of_sessions, "1.5 2.0 4.0 5.0", NULL);
    expect(sliding_mean, "1.5 1.75 2.0 4.0 4.5 5.0", NULL);
}

/* --- two inputs ------------------------------------------------------------------------------- */

/* (key, how many of the first, how many of the second) */
static leat_status count_sides(leat_context *ctx, const leat_window *w, const leat_value *first,
                               size_t first_count, const leat_value *second, size_t second_count,
                               leat_emitter *out, void *self) {
    (void)w, (void)first, (void)second, (void)self;
    leat_value told[] = {*leat_context_key(ctx), leat_int((int64_t)first_count),
                         leat_int((int64_t)second_count)};
    leat_value v = leat_tuple(told, 3);
    return leat_emitter_push(out, &v);
}

static leat_stream *co_group(leat_env *env) {
    static const leat_window_function sides = {.size = sizeof sides, .co_group = count_sides};
    leat_window_spec spec = tens();
    return leat_stream_window_co_group(some(env), others(env), &spec,
                                       leat_co_group_fn(&sides, NULL));
}

/* Those of the second input twice. */
static leat_status once_or_twice(leat_context *ctx, unsigned input, const leat_record *in,
                                 leat_emitter *out, void *self) {
    (void)ctx, (void)self;
    leat_status status = leat_emitter_push(out, &in->value.as.items[1]);
    return status >= 0 && input ? leat_emitter_push(out, &in->value.as.items[1]) : status;
}

static leat_stream *co_flat_map(leat_env *env) {
    return leat_stream_co_flat_map(some(env), others(env),
                                   leat_co_flat_map_fn(once_or_twice, NULL));
}

/* Counts what comes by either input in a map, and tells at the end of all. */
static leat_status open_map(leat_context *ctx, void *arg, void **self) {
    (void)arg;
    leat_error err;
    return leat_context_state(ctx, "inputs", LEAT_ORDERED_MAP_STATE, NULL, (leat_state **)self,
                              &err);
}

static leat_status count_input(leat_context *ctx, unsigned input, const leat_record *in,
                               leat_emitter *out, void *self) {
    (void)in, (void)out;
    leat_value key = leat_int(input), count = leat_int(0);
    leat_timer at = {LEAT_EVENT_TIME, 1000, all};
    leat_status status = leat_map_get(ctx, self, all, &key, &count);
    if (status < 0) return status;
    leat_value more = leat_int(count.as.i + 1);
    status = leat_map_put(ctx, self, all, &key, &more);
    return status < 0 ? status : leat_timer_set(ctx, &at);
}

static leat_status tell_inputs(leat_context *ctx, const leat_timer *timer, leat_emitter *out,
                               void *self) {
    (void)timer;
    leat_map_entry e;
    size_t at = 0;
    leat_status status;
    while ((status = leat_map_next(ctx, self, all, &at, &e)) == LEAT_OK) {
        leat_value told[] = {*leat_context_key(ctx), e.key, e.value}, v = leat_tuple(told, 3);
        status = leat_emitter_push(out, &v);
        if (status < 0) break;
    }
    return status < 0 ? status : LEAT_OK;
}

static leat_stream *co_process(leat_env *env) {
    leat_function f = leat_keyed_co_process_fn(count_input, tell_inputs, NULL);
    f.open = open_map;
    return leat_stream_co_process(some(env), others(env), f);
}

static void verbs_of_two_inputs(void **state) {
    (void)state;
    expect(co_group, "(a,2,1) (a,2,1) (b,1,0) (b,1,0) (c,0,1)", NULL);
    expect(co_flat_map, "1 1 10 10 2 20 20 3 30 30 4 5", NULL);
    expect(co_process, "(a,0,4) (a,1,2) (b,0,2) (c,1,1)", NULL);
}

/* --- watermarks of one's own, loops, files ---------------------------------------------------- */

/* Nothing older comes behind a record. */
static leat_status as_far_as(leat_context *ctx, const leat_record *in, int64_t *watermark,
                             void *self) {
    (void)ctx, (void)self;
    if (in->time > *watermark) *watermark = in->time;
    return LEAT_OK;
}

static leat_stream *own_watermarks(leat_env *env) {
    static const leat_watermark_generator generator = {sizeof generator, as_far_as, NULL};
    static const event events[] = {{"a", 1, 1}, {"a", 1, 12}, {"a", 9, 2}, {"a", 1, 13}};
    leat_stream *s = leat_stream_generate_watermarks(collection(env, events, 4),
                                                     leat_timestamp_fn(time_of, NULL),
                                                     leat_watermark_fn(&generator, NULL));
    leat_window_spec spec = tens();
    spec.late_tag = "late";
    s = leat_stream_key_by(leat_stream_parallelism(s, 1), leat_field(0));
    s = leat_stream_window_sum(s, &spec, 1);
    return leat_stream_union(s, leat_stream_side_output(s, "late"));
}

static void watermarks_of_a_generator(void **state) {
    (void)state;
    expect(own_watermarks, "(a,1,1) (a,2,12) (a,9,2)", "(a,10,1) (a,2,12)");
}

/* What came back, by the second input, counts down. */
static leat_status count_down(leat_context *ctx, unsigned input, const leat_record *in,
                              leat_emitter *out, void *self) {
    (void)ctx, (void)self;
    leat_value v = leat_int(in->value.as.i - (int64_t)input);
    return leat_emitter_push(out, &v);
}

static leat_status is_positive(leat_context *ctx, const leat_record *in, bool *keep_it,
                               void *self) {
    (void)ctx, (void)self;
    *keep_it = in->value.as.i > 0;
    return LEAT_OK;
}

static leat_stream *loop_of_two_inputs(leat_env *env) {
    leat_stream *loop = leat_stream_iterate(leat_env_sequence(env, 1, 3), 0);
    leat_stream *back = leat_iteration_feedback(loop, "LONG");
    leat_stream *body = leat_stream_co_flat_map(loop, back, leat_co_flat_map_fn(count_down, NULL));
    body = leat_stream_returns(body, "LONG");
    leat_iteration_close(loop, leat_stream_filter(body, leat_filter_fn(is_positive, NULL)));
    return body;
}

static void loops_with_feedback_of_its_own(void **state) {
    (void)state;
    run(loop_of_two_inputs, "STREAMING", "1", "0 0 0 1 1 1 2 2 3");
    run(loop_of_two_inputs, "STREAMING", "3", "0 0 0 1 1 1 2 2 3");
}

static void text_is_written(void **state) {
    (void)state;
    char path[] = "/tmp/leat-verbs-XXXXXX", text[64] = "";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    leat_error err = {.text = ""};
    leat_env *env = leat_env_new(NULL, &err);
    leat_env_set(env, "parallelism.default", "1", &err);
    leat_stream_write_text(rolling_min_by(env), path);
    if (leat_env_execute(env, "text", &err) < 0) fail_msg("%s: %s", err.where, err.text);
    leat_env_free(env);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    size_t size = fread(text, 1, sizeof text - 1, f);
    fclose(f);
    unlink(path);
    assert_int_equal(size, strlen(text));
    assert_string_equal(text, "(a,3,1)\n(b,5,2)\n(a,1,4)\n(a,1,4)\n(b,4,13)\n(a,1,4)\n");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rolling_verbs),
        cmocka_unit_test(window_verbs),
        cmocka_unit_test(windows_of_parts_in_c),
        cmocka_unit_test(verbs_of_two_inputs),
        cmocka_unit_test(watermarks_of_a_generator),
        cmocka_unit_test(loops_with_feedback_of_its_own),
        cmocka_unit_test(text_is_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
