/* Tests of job.c, host.c and runner.c through the public interface: ends, failures of every hook,
   cancels, several jobs at once, memory that runs out. */
#include "gather.h"

#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "runtime/base/alloc.h"

/* --- an operator that fails where it is told -------------------------------------------------- */

typedef struct breaker {
    const char *where;
    leat_cursor cursor;
} breaker;

static leat_status fail_in(leat_context *ctx, const breaker *b, const char *here) {
    if (strcmp(b->where, here) != 0) return LEAT_OK;
    return leat_context_fail(ctx, LEAT_E_RANGE, "it broke in %s", here);
}

static leat_status breaker_open(leat_context *ctx, void *self) {
    return fail_in(ctx, self, "open");
}

static leat_status breaker_advance(leat_context *ctx, leat_cursor *cursor, leat_emitter *out) {
    (void)out;
    const breaker *b = (breaker *)(void *)((char *)cursor - offsetof(breaker, cursor));
    leat_status status = fail_in(ctx, b, "cursor");
    return status < 0 ? status : LEAT_DONE;
}

static void breaker_cursor_close(leat_context *ctx, leat_cursor *cursor) {
    (void)ctx;
    (void)cursor;
}

static leat_status breaker_on_record(leat_context *ctx, void *self, unsigned input,
                                     const leat_record *in) {
    (void)input;
    breaker *b = self;
    if (in->value.as.i != 7) return leat_emit(ctx, in);
    leat_timer timer = {LEAT_EVENT_TIME, 100, {NULL, 0}};
    leat_status status = fail_in(ctx, b, "on_record");
    if (status >= 0) status = leat_timer_set(ctx, &timer);
    b->cursor = (leat_cursor){breaker_advance, breaker_cursor_close};
    return status < 0 ? status : leat_context_cursor(ctx, &b->cursor);
}

static leat_status breaker_on_timer(leat_context *ctx, void *self, const leat_timer *timer) {
    (void)timer;
    return fail_in(ctx, self, "on_timer");
}

static leat_status breaker_on_watermark(leat_context *ctx, void *self, int64_t *watermark) {
    (void)watermark;
    return fail_in(ctx, self, "on_watermark");
}

static leat_status breaker_on_end(leat_context *ctx, void *self, unsigned input) {
    (void)input;
    return fail_in(ctx, self, "on_end_of_data");
}

static leat_status breaker_on_drain(leat_context *ctx, void *self) {
    return fail_in(ctx, self, "on_drain");
}

static leat_status breaker_prepare(leat_context *ctx, void *self, int64_t checkpoint) {
    (void)checkpoint;
    return fail_in(ctx, self, "prepare");
}

static leat_status breaker_commit(leat_context *ctx, void *self, int64_t checkpoint) {
    (void)checkpoint;
    return fail_in(ctx, self, "commit");
}

static void breaker_close(leat_context *ctx, void *self, bool failed) {
    if (!failed) fail_in(ctx, self, "close");
}

static const leat_param breaker_params[] = {
    {"where", LEAT_PARAM_STRING, true, offsetof(breaker, where), LEAT_ROLE_NONE},
    {0},
};

static const leat_operator breaker_operator = {
    .size = sizeof(leat_operator),
    .name = "breaker",
    .flags = LEAT_OP_KEYED,
    .inputs = 1,
    .self_size = sizeof(breaker),
    .params = breaker_params,
    .on_record = breaker_on_record,
    .open = breaker_open,
    .on_timer = breaker_on_timer,
    .on_watermark = breaker_on_watermark,
    .on_end_of_data = breaker_on_end,
    .on_drain = breaker_on_drain,
    .prepare = breaker_prepare,
    .commit = breaker_commit,
    .close = breaker_close,
};

/* A job of two subtasks that breaks there; NULL or the record that the failure names. */
static void expect_failure(const char *where, const char *record, const char *key) {
    gathered g;
    leat_error err = {.text = ""};
    char text[64];
    gathered_init(&g);
    leat_env *env = env_of(2, 2);
    leat_arg arg = leat_arg_string("where", where);
    leat_stream *s = leat_stream_key_by(leat_env_sequence(env, 1, 50), leat_field(0));
    s = leat_stream_name(leat_graph_add(NULL, &breaker_operator, &arg, 1, &s, 1), "glass");
    leat_stream_sink(s, gathered_sink(&g));
    leat_job *job = leat_env_start(env, "breaking", &err);
    assert_non_null(job);
    assert_int_equal(leat_job_wait(job, -1), LEAT_OK);
    assert_int_equal(leat_job_status(job), LEAT_JOB_FAILED);
    const leat_failure *f = leat_job_failure(job);
    assert_non_null(f);
    snprintf(text, sizeof text, "it broke in %s", where);
    assert_string_equal(f->text, text);
    assert_int_equal(f->status, LEAT_E_RANGE);
    assert_string_equal(f->operator_name, "glass");
    assert_in_range(f->subtask, 0, 1);
    assert_int_equal(f->parallelism, 2);
    assert_string_equal(f->record, record);
    assert_string_equal(f->key, key);
    assert_string_equal(f->traceback, "");
    assert_int_equal(leat_job_result(job, &err), LEAT_E_RANGE);
    assert_string_equal(err.text, text);
    snprintf(text, sizeof text, "glass (%d/2)", f->subtask + 1);
    assert_string_equal(err.where, text);
    leat_job_free(job);
    leat_env_free(env);
    gathered_fini(&g);
}

static void failure_in_each_hook_names_operator_subtask_and_record(void **state) {
    (void)state;
    expect_failure("open", "", "");
    expect_failure("on_record", "7", "7");
    expect_failure("cursor", "7", "7");
    expect_failure("on_timer", "timer at 100", "7");
    expect_failure("on_watermark", "", "");
    expect_failure("on_end_of_data", "", "");
    expect_failure("on_drain", "", "");
    expect_failure("prepare", "", "");
    expect_failure("commit", "", "");
    expect_failure("close", "", "");
}

static leat_status fail_poll(leat_context *ctx, leat_emitter *out, void *arg) {
    (void)out;
    (void)arg;
    return leat_context_fail(ctx, LEAT_E_IO, "the tap is broken");
}

static void failure_of_a_source_fails_the_job(void **state) {
    (void)state;
    gathered g;
    leat_error err;
    gathered_init(&g);
    leat_env *env = env_of(2, 2);
    leat_stream_sink(leat_env_source(env, leat_source_fn(fail_poll, NULL)), gathered_sink(&g));
    assert_int_equal(leat_env_execute(env, NULL, &err), LEAT_E_IO);
    assert_string_equal(err.text, "the tap is broken");
    assert_string_equal(err.where, "function_source (1/1)");
    leat_env_free(env);
    gathered_fini(&g);
}

/* --- what is refused -------------------------------------------------------------------------- */

static void empty_graph_is_refused(void **state) {
    (void)state;
    leat_error err;
    leat_env *env = env_of(1, 10);
    assert_int_equal(leat_env_execute(env, NULL, &err), LEAT_E_STATE);
    assert_string_equal(err.text, "there is nothing to run; add a source, and a sink at the end");
    assert_null(leat_env_start(env, NULL, &err));
    assert_null(leat_env_plan(env, &err));
    leat_env_free(env);
}

static void negative_parallelism_is_refused(void **state) {
    (void)state;
    leat_error err = {.text = ""};
    leat_env *env = env_of(1, 10);
    leat_stream_print(leat_stream_parallelism(leat_env_sequence(env, 1, 2), -2));
    assert_int_equal(leat_env_execute(env, NULL, &err), LEAT_E_ARGUMENT);
    assert_string_equal(err.where, "sequence");
    assert_string_equal(err.text, "parallelism must be a number from 1 to 32767 and is '-2'");
    assert_true(leat_env_set(env, "parallelism.default", "-3", &err) < 0);
    leat_env_free(env);
}

static void unfinished_job_has_no_result(void **state) {
    (void)state;
    leat_error err;
    leat_push_source *source;
    gathered g;
    gathered_init(&g);
    leat_env *env = env_of(1, 10);
    leat_stream_sink(leat_env_push_source(env, &source), gathered_sink(&g));
    leat_job *job = leat_env_start(env, "open", &err);
    assert_int_equal(leat_job_status(job), LEAT_JOB_RUNNING);
    assert_int_equal(leat_job_wait(job, 0), LEAT_AGAIN);
    assert_int_equal(leat_job_wait(job, 20), LEAT_AGAIN);
    assert_int_equal(leat_job_result(job, &err), LEAT_E_STATE);
    assert_null(leat_job_failure(job));
    assert_int_equal(strlen(leat_job_id(job)), 32);
    assert_int_equal(leat_push_end(source), LEAT_OK);
    assert_int_equal(leat_job_wait(job, -1), LEAT_OK);
    assert_int_equal(leat_job_result(job, &err), LEAT_OK);
    assert_true(leat_job_runtime(job) >= 20);
    leat_job_cancel(job); /* too late, and fine */
    assert_int_equal(leat_job_status(job), LEAT_JOB_FINISHED);
    leat_job_free(job);
    leat_env_free(env);
    gathered_fini(&g);
}

/* --- cancels ---------------------------------------------------------------------------------- */

static leat_status for_ever(leat_context *ctx, leat_emitter *out, void *arg) {
    (void)ctx;
    leat_value v = leat_int(atomic_fetch_add((atomic_int *)arg, 1));
    return leat_emitter_push(out, &v);
}

static leat_stream *endless_source(leat_env *env, atomic_int *counter) {
    return leat_env_source(env, leat_source_fn(for_ever, counter));
}

static leat_status swallow(leat_context *ctx, const leat_record *in, void *arg) {
    (void)ctx;
    (void)in;
    atomic_fetch_add((atomic_int *)arg, 1);
    return LEAT_OK;
}

static void await_some(atomic_int *counter, int some) {
    while (atomic_load(counter) < some) sched_yield();
}

static void cancel_of_a_running_job_ends_it(void **state) {
    (void)state;
    leat_error err;
    atomic_int made = 0, seen = 0;
    leat_env *env = env_of(2, 2);
    leat_stream *s = leat_stream_rebalance(endless_source(env, &made));
    leat_stream_sink(s, leat_sink_fn(swallow, &seen));
    leat_job *job = leat_env_start(env, "for ever", &err);
    await_some(&seen, 100);
    leat_job_cancel(job);
    leat_job_cancel(job);
    assert_int_equal(leat_job_wait(job, -1), LEAT_OK);
    assert_int_equal(leat_job_status(job), LEAT_JOB_CANCELED);
    assert_int_equal(leat_job_result(job, &err), LEAT_E_CANCELLED);
    assert_string_equal(err.text, "the job was cancelled");
    assert_null(leat_job_failure(job));
    int after = atomic_load(&seen);
    sched_yield();
    assert_int_equal(atomic_load(&seen), after);
    leat_job_free(job);
    leat_env_free(env);
}

static void freeing_the_environment_ends_its_jobs(void **state) {
    (void)state;
    leat_error err;
    atomic_int made = 0, seen = 0;
    leat_env *env = env_of(2, 2);
    leat_stream_sink(endless_source(env, &made), leat_sink_fn(swallow, &seen));
    assert_non_null(leat_env_start(env, "one", &err));
    await_some(&seen, 10);
    leat_env_free(env); /* frees the job, too */
    int after = atomic_load(&seen);
    sched_yield();
    assert_int_equal(atomic_load(&seen), after);
}

static void cancel_of_the_environment_ends_all_its_jobs(void **state) {
    (void)state;
    leat_error err;
    atomic_int made = 0, seen = 0;
    leat_env *env = env_of(2, 2);
    leat_stream_sink(endless_source(env, &made), leat_sink_fn(swallow, &seen));
    leat_job *job = leat_env_start(env, "one", &err);
    await_some(&seen, 10);
    leat_env_cancel(env);
    assert_int_equal(leat_job_wait(job, -1), LEAT_OK);
    assert_int_equal(leat_job_status(job), LEAT_JOB_CANCELED);
    leat_job_free(job);
    leat_env_free(env);
}

/* --- several jobs ----------------------------------------------------------------------------- */

static void two_jobs_at_once_run_apart(void **state) {
    (void)state;
    leat_error err;
    gathered g[2];
    leat_env *env[2];
    leat_job *job[2];
    leat_push_source *source[2];
    for (int i = 0; i < 2; i++) {
        gathered_init(&g[i]);
        env[i] = env_of(2, 2);
        leat_stream *s = leat_stream_rebalance(leat_env_push_source(env[i], &source[i]));
        leat_stream_sink(s, gathered_sink(&g[i]));
        job[i] = leat_env_start(env[i], "twin", &err);
        assert_non_null(job[i]);
    }
    assert_string_not_equal(leat_job_id(job[0]), leat_job_id(job[1]));
    for (int64_t k = 0; k < 100; k++)
        for (int i = 0; i < 2; i++) {
            leat_value v = leat_int(1000 * i + k);
            assert_int_equal(leat_push(source[i], &v, LEAT_NO_TIME, -1), LEAT_OK);
        }
    leat_job_cancel(job[0]);
    assert_int_equal(leat_job_wait(job[0], -1), LEAT_OK);
    assert_int_equal(leat_push_end(source[1]), LEAT_OK);
    assert_int_equal(leat_job_wait(job[1], -1), LEAT_OK);
    assert_int_equal(leat_job_status(job[0]), LEAT_JOB_CANCELED);
    assert_int_equal(leat_job_status(job[1]), LEAT_JOB_FINISHED);
    assert_int_equal(g[1].count, 100);
    for (int i = 0; i < g[1].count; i++) assert_true(strlen(g[1].lines[i]) == 4);
    for (int i = 0; i < 2; i++) {
        leat_job_free(job[i]);
        leat_env_free(env[i]);
        gathered_fini(&g[i]);
    }
}

/* --- every partitioner, to its end ------------------------------------------------------------ */

typedef leat_stream *(*verb)(leat_stream *);

static leat_status name_subtask(leat_context *ctx, const leat_record *in, leat_value *out,
                                void *arg) {
    (void)in;
    (void)arg;
    *out = leat_int(leat_context_subtask(ctx));
    return LEAT_OK;
}

/* 60 records from `from` subtasks through the partitioner to `to`; how many each of these got. */
static void partition(verb how, int from, int to, int got[3]) {
    gathered g;
    gathered_init(&g);
    leat_env *env = env_of(3, 1);
    leat_stream *s = leat_stream_parallelism(leat_env_sequence(env, 1, 60), from);
    s = leat_stream_map(how(s), leat_map_fn(name_subtask, NULL));
    s = leat_stream_parallelism(s, to);
    leat_stream_sink(s, gathered_sink(&g));
    env_run(env);
    memset(got, 0, 3 * sizeof *got);
    for (int i = 0; i < g.count; i++) got[g.lines[i][0] - '0']++;
    leat_env_free(env);
    gathered_fini(&g);
}

static void expect_partition(verb how, int from, int to, int a, int b, int c) {
    int got[3];
    partition(how, from, to, got);
    assert_int_equal(got[0], a);
    assert_int_equal(got[1], b);
    assert_int_equal(got[2], c);
}

static leat_stream *by_key(leat_stream *s) {
    return leat_stream_key_by(s, leat_field(0));
}

static void partitioners_deal_out_and_end(void **state) {
    (void)state;
    for (int p = 1; p <= 3; p++)
        expect_partition(leat_stream_forward, p, p, 60 / p, p > 1 ? 60 / p : 0, p > 2 ? 20 : 0);
    expect_partition(leat_stream_rebalance, 2, 3, 20, 20, 20);
    expect_partition(leat_stream_rebalance, 3, 2, 30, 30, 0);
    expect_partition(leat_stream_rescale, 1, 2, 30, 30, 0);
    expect_partition(leat_stream_rescale, 3, 1, 60, 0, 0);
    expect_partition(leat_stream_rescale, 3, 2, 40, 20, 0);
    expect_partition(leat_stream_rescale, 2, 3, 15, 15, 30);
    expect_partition(leat_stream_broadcast, 2, 3, 60, 60, 60);
    expect_partition(leat_stream_global, 1, 3, 60, 0, 0);
    expect_partition(leat_stream_global, 3, 3, 60, 0, 0);
    int got[3];
    partition(leat_stream_shuffle, 2, 3, got);
    assert_int_equal(got[0] + got[1] + got[2], 60);
    partition(by_key, 3, 2, got);
    assert_int_equal(got[0] + got[1], 60);
    assert_true(got[0] > 5 && got[1] > 5);
}

/* --- metrics ---------------------------------------------------------------------------------- */

static leat_status open_counter(leat_context *ctx, void *arg, void **self) {
    leat_error err;
    (void)arg;
    return leat_context_metric(ctx, "odd \"ones\"", LEAT_METRIC_COUNTER, (leat_metric **)self,
                               &err);
}

static leat_status count_odd(leat_context *ctx, const leat_record *in, bool *keep, void *self) {
    (void)ctx;
    *keep = in->value.as.i % 2;
    if (*keep) leat_metric_add(self, 1);
    return LEAT_OK;
}

/* Asks for the metrics of a job until it has ended. */
static void *ask_for_metrics(void *arg) {
    leat_job *job = arg;
    leat_error err;
    do {
        char *text = leat_job_metrics(job, &err);
        assert_non_null(text);
        assert_true(text[0] == '[' && text[strlen(text) - 1] == ']');
        leat_text_free(text);
    } while (leat_job_wait(job, 0) == LEAT_AGAIN);
    return NULL;
}

static void job_tells_its_metrics(void **state) {
    (void)state;
    leat_error err;
    gathered g;
    gathered_init(&g);
    leat_env *env = env_of(2, 8);
    leat_function f = leat_filter_fn(count_odd, NULL);
    f.open = open_counter;
    leat_stream *s = leat_stream_parallelism(leat_env_sequence(env, 1, 10000), 1);
    s = leat_stream_filter(leat_stream_uid(leat_stream_rebalance(s), "u"), f);
    leat_stream_sink(leat_stream_name(s, "Odd"), gathered_sink(&g));
    leat_job *job = leat_env_start(env, "metrics", &err);
    assert_non_null(job);
    pthread_t asking;
    assert_int_equal(pthread_create(&asking, NULL, ask_for_metrics, job), 0);
    assert_int_equal(leat_job_wait(job, -1), LEAT_OK);
    pthread_join(asking, NULL);
    assert_int_equal(leat_job_result(job, &err), LEAT_OK);
    char *text = leat_job_metrics(job, &err);
    assert_non_null(text);
    static const char *const wanted[] = {
        "\"uid\": \"u\", \"id\": 1, \"subtask\": 0, \"parallelism\": 1, \"metrics\": "
        "{\"numRecordsIn\": 0, \"numRecordsOut\": 10000}}",
        "{\"operator\": \"Odd\", \"uid\": \"\", \"id\": 2, \"subtask\": 1, \"parallelism\": 2, "
        "\"metrics\": {\"numRecordsIn\": 5000, \"numRecordsOut\": 0, \"odd \\\"ones\\\"\": 0}}",
        "\"metrics\": {\"numRecordsIn\": 5000, \"numRecordsOut\": 5000, \"odd \\\"ones\\\"\": 5000}}",
    };
    for (int i = 0; i < 3; i++)
        if (!strstr(text, wanted[i])) fail_msg("%s is not in %s", wanted[i], text);
    leat_text_free(text);
    leat_env_free(env);
    gathered_fini(&g);
    assert_null(leat_job_metrics(NULL, &err));
    assert_int_equal(err.status, LEAT_E_ARGUMENT);
}

/* --- a broadcast input ------------------------------------------------------------------------ */

static leat_status open_rules(leat_context *ctx, void *arg, void **self) {
    leat_error err;
    leat_state *state = NULL;
    (void)arg;
    leat_status status = leat_context_broadcast(ctx, "rules", NULL, &state, &err);
    *self = state;
    return status;
}

/* Keeps what is broadcast; timers of the others at the end of data tell how much that was. */
static leat_status keep_rules(leat_context *ctx, unsigned input, const leat_record *in,
                              leat_emitter *out, void *self) {
    (void)out;
    leat_timer timer = {.domain = LEAT_EVENT_TIME, .time = 1};
    if (input == 1) return leat_map_put(ctx, self, (leat_namespace){0}, &in->value, &in->value);
    return leat_timer_set(ctx, &timer);
}

static leat_status tell_rules(leat_context *ctx, const leat_timer *timer, leat_emitter *out,
                              void *self) {
    (void)timer;
    size_t count = 0;
    leat_status status = leat_map_count(ctx, self, (leat_namespace){0}, &count);
    leat_value v = leat_int((int64_t)count);
    return status < 0 ? status : leat_emitter_push(out, &v);
}

static void every_subtask_keeps_what_is_broadcast(void **state) {
    (void)state;
    for (int parallelism = 1; parallelism <= 3; parallelism++) {
        gathered g;
        gathered_init(&g);
        leat_function f = leat_keyed_broadcast_process_fn(keep_rules, tell_rules, NULL);
        f.open = open_rules;
        leat_env *env = env_of(parallelism, 2);
        leat_stream *keyed = by_key(leat_env_sequence(env, 1, 6));
        leat_stream *s = leat_stream_broadcast_process(keyed, leat_env_sequence(env, 1, 50), f);
        leat_stream_sink(s, gathered_sink(&g));
        env_run(env);
        assert_string_equal(gathered_text(&g), "50@1 50@1 50@1 50@1 50@1 50@1");
        leat_env_free(env);
        gathered_fini(&g);
    }
}

/* A subtask to which no record goes must still end what is behind it. */
static void global_in_the_middle_of_a_job_ends_it(void **state) {
    (void)state;
    gathered g;
    gathered_init(&g);
    leat_env *env = env_of(3, 1);
    leat_stream *s = leat_stream_global(leat_env_sequence(env, 1, 30));
    s = leat_stream_map(s, leat_map_fn(name_subtask, NULL));
    leat_stream_sink(leat_stream_rebalance(s), gathered_sink(&g));
    env_run(env);
    assert_int_equal(g.count, 30);
    leat_env_free(env);
    gathered_fini(&g);
}

/* --- memory that runs out --------------------------------------------------------------------- */

static leat_status small_job(int64_t n) {
    leat_error err = {.status = LEAT_OK};
    atomic_int seen = 0;
    leat_options options = leat_options_defaults();
    const char *settings[] = {"parallelism.default", "2", "pipeline.channel.capacity", "2", NULL};
    options.settings = settings;
    leati_alloc_fail_after(n);
    leat_env *env = leat_env_new(&options, &err);
    leat_status status = env ? LEAT_OK : err.status;
    if (env) {
        leat_stream *s = leat_stream_key_by(leat_env_sequence(env, 1, 20), leat_field(0));
        s = leat_stream_name(leat_stream_sum(s, 0), "sum of all");
        leat_stream_sink(leat_stream_union(s, leat_stream_side_output(s, "x")),
                         leat_sink_fn(swallow, &seen));
        status = leat_env_execute(env, "small", &err);
    }
    leati_alloc_fail_after(-1);
    if (status == LEAT_OK) assert_int_equal(seen, 20);
    leat_env_free(env);
    return status;
}

static void memory_that_runs_out_fails_the_job_and_nothing_else(void **state) {
    (void)state;
    leat_status status = LEAT_E_NOMEM;
    int64_t n = 1;
    for (; status != LEAT_OK && n < 5000; n++) {
        status = small_job(n);
        if (status != LEAT_OK) assert_int_equal(status, LEAT_E_NOMEM);
    }
    assert_int_equal(status, LEAT_OK);
    assert_true(n > 50);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(failure_in_each_hook_names_operator_subtask_and_record),
        cmocka_unit_test(failure_of_a_source_fails_the_job),
        cmocka_unit_test(empty_graph_is_refused),
        cmocka_unit_test(negative_parallelism_is_refused),
        cmocka_unit_test(unfinished_job_has_no_result),
        cmocka_unit_test(cancel_of_a_running_job_ends_it),
        cmocka_unit_test(freeing_the_environment_ends_its_jobs),
        cmocka_unit_test(cancel_of_the_environment_ends_all_its_jobs),
        cmocka_unit_test(two_jobs_at_once_run_apart),
        cmocka_unit_test(partitioners_deal_out_and_end),
        cmocka_unit_test(job_tells_its_metrics),
        cmocka_unit_test(every_subtask_keeps_what_is_broadcast),
        cmocka_unit_test(global_in_the_middle_of_a_job_ends_it),
        cmocka_unit_test(memory_that_runs_out_fails_the_job_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
