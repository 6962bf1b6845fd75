/* Tests of attempts.c and of what goes on over attempts: restarts after failures of every hook,
   waits, cancels, history; pushed, collected and dispatched records. */
#include "gather.h"

#include <poll.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "runtime/base/alloc.h"
#include "runtime/bridge.h"

/* --- jobs that fail so many times ------------------------------------------------------------- */

typedef struct bomb {
    const char *where; /* "open", "map", "close" */
    int64_t at;        /* the record, for "map" */
    leat_status status;
    atomic_int left;                /* failures */
    atomic_int opens, closes, bits; /* bits: attempts that were seen */
} bomb;

static leat_status blow(leat_context *ctx, bomb *b, const char *here) {
    if (strcmp(b->where, here) != 0 || atomic_load(&b->left) <= 0) return LEAT_OK;
    int left = atomic_fetch_sub(&b->left, 1);
    if (left <= 0) return LEAT_OK;
    return leat_context_fail(ctx, b->status, "%s number %d", here, left);
}

static leat_status bomb_open(leat_context *ctx, void *arg, void **self) {
    bomb *b = arg;
    *self = b;
    atomic_fetch_add(&b->opens, 1);
    atomic_fetch_or(&b->bits, 1 << leat_context_attempt(ctx));
    return blow(ctx, b, "open");
}

static leat_status bomb_map(leat_context *ctx, const leat_record *in, leat_value *out, void *self) {
    bomb *b = self;
    *out = in->value;
    return in->value.as.i == b->at || b->at < 0 ? blow(ctx, b, "map") : LEAT_OK;
}

static void bomb_close(leat_context *ctx, void *self) {
    bomb *b = self;
    atomic_fetch_add(&b->closes, 1);
    blow(ctx, b, "close");
}

static leat_function bomb_fn(bomb *b) {
    leat_function f = leat_map_fn(bomb_map, b);
    f.open = bomb_open;
    f.close = bomb_close;
    return f;
}

static void set(leat_env *env, const char *key, const char *value) {
    leat_error err = {.text = ""};
    if (leat_env_set(env, key, value, &err) < 0) fail_msg("%s", err.text);
}

static leat_env *restarting_env(int parallelism, const char *restarts, const char *delay) {
    leat_env *env = env_of(parallelism, 4);
    set(env, "restart-strategy.type", "fixed-delay");
    set(env, "restart-strategy.fixed-delay.attempts", restarts);
    set(env, "restart-strategy.fixed-delay.delay", delay);
    return env;
}

static leat_job *start(leat_env *env) {
    leat_error err = {.text = ""};
    leat_job *job = leat_env_start(env, "phoenix", &err);
    if (!job) fail_msg("%s", err.text);
    return job;
}

static void finish(leat_job *job, leat_env *env) {
    leat_job_free(job);
    leat_env_free(env);
}

static void await_state(leat_job *job, leat_job_state wanted) {
    while (leat_job_status(job) != wanted) {
        if (leat_job_wait(job, 0) == LEAT_OK) fail_msg("the job ended");
        sched_yield();
    }
}

static char said[4096];

static void keep_line(leat_log_level level, const char *line, void *arg) {
    (void)arg;
    if (level >= LEAT_LOG_WARNING && strlen(said) + strlen(line) + 2 < sizeof said)
        strcat(strcat(said, line), "\n");
}

static void expect_recovery(const char *where, int parallelism, int failures, leat_status status) {
    gathered g;
    bomb b = {.where = where, .at = 7, .status = status, .left = failures};
    leat_env *env = restarting_env(parallelism, "100", "0");
    gathered_init(&g);
    leat_stream *s = leat_stream_rebalance(leat_env_sequence(env, 1, 20));
    s = leat_stream_name(leat_stream_map(s, bomb_fn(&b)), "bomb");
    leat_stream_sink(s, gathered_sink(&g));
    leat_job *job = start(env);
    assert_int_equal(leat_job_wait(job, -1), LEAT_OK);
    leat_error err = {.text = ""};
    if (leat_job_result(job, &err) < 0) fail_msg("%s", err.text);
    int attempts = leat_job_attempts(job);
    assert_in_range(attempts, failures ? 2 : 1, failures + 1);
    assert_int_equal(atomic_load(&b.bits), (1 << attempts) - 1);
    assert_null(leat_job_attempt_failure(job, attempts - 1));
    assert_null(leat_job_attempt_failure(job, attempts));
    assert_null(leat_job_attempt_failure(job, -1));
    for (int i = 0; i < attempts - 1 && i < 16; i++) {
        const leat_failure *f = leat_job_attempt_failure(job, attempts - 2 - i);
        assert_non_null(f);
        assert_string_equal(f->operator_name, "bomb");
        assert_true(strncmp(f->text, where, strlen(where)) == 0);
    }
    if (attempts > 17) assert_null(leat_job_attempt_failure(job, attempts - 18));
    assert_true(g.count >= 20);
    finish(job, env);
    gathered_fini(&g);
}

static void failures_of_every_hook_are_survived(void **state) {
    (void)state;
    expect_recovery("none", 1, 0, LEAT_E_USER);
    expect_recovery("map", 1, 1, LEAT_E_USER);
    expect_recovery("map", 2, 3, LEAT_E_USER);
    expect_recovery("open", 1, 2, LEAT_E_USER);
    expect_recovery("open", 3, 5, LEAT_E_USER); /* several at once */
    expect_recovery("close", 1, 2, LEAT_E_USER);
    expect_recovery("close", 3, 4, LEAT_E_USER);
}

static void twenty_restarts_leave_nothing_behind(void **state) {
    (void)state;
    expect_recovery("map", 2, 20, LEAT_E_USER);
}

static void what_opened_is_closed_in_every_attempt(void **state) {
    (void)state;
    bomb b = {.where = "map", .at = 3, .status = LEAT_E_USER, .left = 4};
    leat_env *env = restarting_env(1, "4", "1");
    gathered g;
    gathered_init(&g);
    leat_stream_sink(leat_stream_map(leat_env_sequence(env, 1, 5), bomb_fn(&b)), gathered_sink(&g));
    env_run(env);
    assert_int_equal(atomic_load(&b.opens), 5);
    assert_int_equal(atomic_load(&b.closes), 5);
    assert_string_equal(gathered_text(&g), "1 2 1 2 1 2 1 2 1 2 3 4 5");
    leat_env_free(env);
    gathered_fini(&g);
}

/* --- ends ------------------------------------------------------------------------------------- */

static const char *failing_text(const char *where, leat_env *env, leat_status status) {
    static leat_error err;
    gathered g;
    bomb b = {.where = where, .at = 2, .status = status, .left = 1000};
    gathered_init(&g);
    leat_stream_sink(leat_stream_map(leat_env_sequence(env, 1, 5), bomb_fn(&b)), gathered_sink(&g));
    leat_job *job = start(env);
    assert_int_equal(leat_job_wait(job, -1), LEAT_OK);
    assert_int_equal(leat_job_status(job), LEAT_JOB_FAILED);
    assert_int_equal(leat_job_result(job, &err), status);
    const leat_failure *last = leat_job_attempt_failure(job, leat_job_attempts(job) - 1);
    assert_ptr_equal(last, leat_job_failure(job));
    finish(job, env);
    gathered_fini(&g);
    return err.text;
}

static void the_last_failure_says_after_how_many_attempts(void **state) {
    (void)state;
    assert_string_equal(failing_text("map", restarting_env(1, "2", "0"), LEAT_E_USER),
                        "map number 998; the job gave up after 3 attempts "
                        "(fixed-delay: 2 restarts)");
    leat_env *env = env_of(1, 4);
    set(env, "restart-strategy", "failure-rate");
    set(env, "restart-strategy.failure-rate.max-failures-per-interval", "3");
    set(env, "restart-strategy.failure-rate.delay", "1 ms");
    assert_string_equal(failing_text("map", env, LEAT_E_IO),
                        "map number 997; the job gave up after 4 attempts "
                        "(failure-rate: 3 restarts within 60000 ms)");
    assert_string_equal(failing_text("map", env_of(1, 4), LEAT_E_USER), "map number 1000");
}

static void what_no_attempt_can_mend_is_not_tried_again(void **state) {
    (void)state;
    static const leat_status hopeless[] = {LEAT_E_ARGUMENT, LEAT_E_CONFIG, LEAT_E_UNSUPPORTED,
                                           LEAT_E_VERSION};
    for (size_t i = 0; i < sizeof hopeless / sizeof *hopeless; i++)
        assert_string_equal(failing_text("map", restarting_env(1, "9", "0"), hopeless[i]),
                            "map number 1000; the job was not restarted: another attempt would "
                            "meet the same error");
    expect_recovery("map", 1, 1, LEAT_E_FORMAT); /* a file may be whole the next time */
}

static void what_cannot_be_opened_is_not_tried_again(void **state) {
    (void)state;
    static const leat_status hopeless[] = {LEAT_E_STATE, LEAT_E_FORMAT};
    for (size_t i = 0; i < sizeof hopeless / sizeof *hopeless; i++)
        assert_string_equal(failing_text("open", restarting_env(1, "9", "0"), hopeless[i]),
                            "open number 1000; the job was not restarted: another attempt would "
                            "meet the same error");
}

static void values_of_the_strategy_are_checked_at_the_start(void **state) {
    (void)state;
    leat_error err = {.text = ""};
    leat_env *env = env_of(1, 4);
    set(env, "restart-strategy.type", "exponential-delay");
    set(env, "restart-strategy.exponential-delay.jitter-factor", "2");
    leat_stream_print(leat_env_sequence(env, 1, 2));
    assert_null(leat_env_start(env, NULL, &err));
    assert_int_equal(err.status, LEAT_E_CONFIG);
    assert_string_equal(err.where, "restart-strategy.exponential-delay.jitter-factor");
    leat_env_free(env);
}

/* --- the wait --------------------------------------------------------------------------------- */

static void cancel_ends_the_wait_at_once(void **state) {
    (void)state;
    gathered g;
    bomb b = {.where = "map", .at = 2, .status = LEAT_E_USER, .left = 1};
    leat_env *env = restarting_env(1, "9", "1 h");
    gathered_init(&g);
    said[0] = 0;
    leat_log_set(keep_line, NULL, LEAT_LOG_WARNING);
    leat_stream *s = leat_stream_map(leat_env_sequence(env, 1, 5), bomb_fn(&b));
    leat_stream_sink(leat_stream_name(s, "bomb"), gathered_sink(&g));
    leat_job *job = start(env);
    await_state(job, LEAT_JOB_RESTARTING);
    assert_int_equal(leat_job_attempts(job), 1);
    assert_string_equal(leat_job_attempt_failure(job, 0)->text, "map number 1");
    assert_null(leat_job_failure(job));
    leat_job_cancel(job);
    assert_int_equal(leat_job_wait(job, 10000), LEAT_OK);
    assert_int_equal(leat_job_status(job), LEAT_JOB_CANCELED);
    assert_int_equal(leat_job_attempts(job), 1);
    assert_non_null(leat_job_attempt_failure(job, 0));
    leat_log_set(NULL, NULL, LEAT_LOG_WARNING);
    assert_string_equal(said, "phoenix: restarting: attempt 2 in 3600 s, because bomb (1/1): map "
                              "number 1\n");
    finish(job, env);
    gathered_fini(&g);
}

typedef struct door {
    atomic_bool reached, open;
} door;

/* Blocks its runner. A test may; a function must not. */
static leat_status wait_at_door(leat_context *ctx, const leat_record *in, leat_value *out,
                                void *arg) {
    door *d = arg;
    *out = in->value;
    if (leat_context_subtask(ctx) == 0) return LEAT_OK; /* the source's runner */
    atomic_store(&d->reached, true);
    while (!atomic_load(&d->open)) sched_yield();
    return LEAT_OK;
}

static leat_status fail_when_reached(leat_context *ctx, leat_emitter *out, void *arg) {
    door *d = arg;
    (void)out;
    if (atomic_load(&d->reached))
        return leat_context_fail(ctx, LEAT_E_USER, "the other one stands at the door");
    leat_context_wake(ctx);
    return LEAT_AGAIN;
}

static void cancel_while_an_attempt_ends_keeps_the_next_from_beginning(void **state) {
    (void)state;
    gathered g;
    door d = {.reached = false};
    leat_env *env = restarting_env(2, "9", "0");
    gathered_init(&g);
    leat_stream *s = leat_stream_map(leat_env_sequence(env, 1, 5), leat_map_fn(wait_at_door, &d));
    leat_stream_sink(s, gathered_sink(&g));
    s = leat_env_source(env, leat_source_fn(fail_when_reached, &d));
    leat_stream_sink(leat_stream_parallelism(s, 1), gathered_sink(&g));
    leat_job *job = start(env);
    await_state(job, LEAT_JOB_FAILING);
    leat_job_cancel(job);
    atomic_store(&d.open, true);
    assert_int_equal(leat_job_wait(job, -1), LEAT_OK);
    assert_int_equal(leat_job_status(job), LEAT_JOB_CANCELED);
    assert_int_equal(leat_job_attempts(job), 1);
    assert_string_equal(leat_job_attempt_failure(job, 0)->text, "the other one stands at the door");
    finish(job, env);
    gathered_fini(&g);
}

/* --- what goes on over attempts --------------------------------------------------------------- */

static void pushed_records_go_on_in_the_next_attempt(void **state) {
    (void)state;
    enum { RECORDS = 6000 }; /* more than the queue takes */
    static gathered g;
    leat_push_source *source;
    bomb b = {.where = "map", .at = -1, .status = LEAT_E_USER, .left = 0};
    leat_env *env = restarting_env(1, "100", "1");
    gathered_init(&g);
    leat_stream *s = leat_stream_map(leat_env_push_source(env, &source), bomb_fn(&b));
    leat_stream_sink(s, gathered_sink(&g));
    leat_job *job = start(env);
    for (int i = 0; i < RECORDS; i++) {
        leat_value v = leat_int(i);
        if (i % 1000 == 500) atomic_store(&b.left, 1);
        assert_int_equal(leat_push(source, &v, LEAT_NO_TIME, -1), LEAT_OK);
    }
    assert_int_equal(leat_push_end(source), LEAT_OK);
    assert_int_equal(leat_job_wait(job, -1), LEAT_OK);
    assert_int_equal(leat_job_status(job), LEAT_JOB_FINISHED);
    int restarts = leat_job_attempts(job) - 1;
    assert_in_range(restarts, 1, 6);
    assert_int_equal(g.count, RECORDS - restarts); /* each failure took the record at hand */
    for (int i = 1, last = -1; i < g.count; i++) {
        int n = 0;
        assert_int_equal(sscanf(g.lines[i], "%d", &n), 1);
        assert_true(n > last);
        last = n;
    }
    finish(job, env);
    gathered_fini(&g);
}

static void a_push_that_waits_hears_of_the_last_failure(void **state) {
    (void)state;
    gathered g;
    leat_push_source *source;
    bomb b = {.where = "map", .at = -1, .status = LEAT_E_USER, .left = 1000};
    leat_env *env = restarting_env(1, "3", "1");
    gathered_init(&g);
    leat_stream *s = leat_stream_map(leat_env_push_source(env, &source), bomb_fn(&b));
    leat_stream_sink(s, gathered_sink(&g));
    leat_job *job = start(env);
    leat_value v = leat_int(1);
    leat_status status;
    while ((status = leat_push(source, &v, LEAT_NO_TIME, -1)) == LEAT_OK) {}
    assert_int_equal(status, LEAT_E_STATE);
    assert_int_equal(leat_job_wait(job, -1), LEAT_OK);
    assert_int_equal(leat_job_attempts(job), 4);
    finish(job, env);
    gathered_fini(&g);
}

typedef struct collecting {
    leat_env *env;
    leat_job *job;
    int id;
} collecting;

static collecting start_collecting(bomb *b, int64_t records) {
    collecting c = {.env = restarting_env(1, "5", "0")};
    leat_stream *s = leat_stream_map(leat_env_sequence(c.env, 1, records), bomb_fn(b));
    leat_stream *end = leat_graph_add(NULL, &leat_collect_operator, NULL, 0, &s, 1);
    c.id = leati_stream_id(end);
    c.job = start(c.env);
    return c;
}

static leat_status take(const collecting *c, int *count) {
    leati_batch *batch;
    const leat_record *records;
    leat_status status = leati_job_collect(c->job, c->id, -1, &batch);
    if (status != LEAT_OK) return status;
    *count += (int)leati_batch_records(batch, &records);
    leati_batch_unref(batch);
    return LEAT_OK;
}

static void collected_records_that_nobody_took_come_once(void **state) {
    (void)state;
    int count = 0;
    bomb b = {.where = "map", .at = 90, .status = LEAT_E_USER, .left = 3};
    collecting c = start_collecting(&b, 100);
    assert_int_equal(leat_job_wait(c.job, -1), LEAT_OK);
    assert_int_equal(leat_job_status(c.job), LEAT_JOB_FINISHED);
    assert_int_equal(leat_job_attempts(c.job), 4);
    while (take(&c, &count) == LEAT_OK) {}
    assert_int_equal(count, 100);
    finish(c.job, c.env);
}

static void collected_records_that_were_taken_end_the_job(void **state) {
    (void)state;
    int count = 0;
    leat_error err = {.text = ""};
    bomb b = {.where = "map", .at = 20000, .status = LEAT_E_USER, .left = 1};
    collecting c = start_collecting(&b, 30000);
    while (take(&c, &count) == LEAT_OK) {}
    assert_in_range(count, 1, 19999);
    assert_int_equal(leat_job_wait(c.job, -1), LEAT_OK);
    assert_int_equal(leat_job_result(c.job, &err), LEAT_E_USER);
    assert_string_equal(err.text,
                        "map number 1; the job was not restarted: records of it have been "
                        "collected, and without checkpoints another attempt would give them again");
    finish(c.job, c.env);
}

/* --- with checkpoints ------------------------------------------------------------------------- */

typedef struct pacer {
    atomic_int taken; /* by the reader */
    atomic_int left;  /* failures */
    atomic_int seen;  /* what the reader had at the last one */
} pacer;

/* Slow, and failing again when the reader has got more, until it has failed often enough. */
static leat_status pace(leat_context *ctx, const leat_record *in, leat_value *out, void *arg) {
    static const struct timespec pause = {0, 20000};
    pacer *p = arg;
    *out = in->value;
    if (atomic_load(&p->left) <= 0) return LEAT_OK;
    nanosleep(&pause, NULL);
    int taken = atomic_load(&p->taken);
    if (taken == atomic_load(&p->seen)) return LEAT_OK;
    atomic_store(&p->seen, taken);
    if (atomic_fetch_sub(&p->left, 1) <= 0) return LEAT_OK;
    return leat_context_fail(ctx, LEAT_E_USER, "the reader has %d batches", taken);
}

static void collect_with_checkpoints(const char *mode, int parallelism, int64_t *count,
                                     int64_t *sum) {
    enum { RECORDS = 100000 };
    leat_error err = {.text = ""};
    pacer p = {.left = 3};
    collecting c = {.env = restarting_env(parallelism, "3", "0")};
    set(c.env, "execution.checkpointing.interval", "5 ms");
    set(c.env, "execution.checkpointing.mode", mode);
    leat_stream *s = leat_stream_map(leat_env_sequence(c.env, 1, RECORDS), leat_map_fn(pace, &p));
    s = leat_graph_add(NULL, &leat_collect_operator, NULL, 0, &s, 1);
    c.id = leati_stream_id(s);
    c.job = start(c.env);
    leati_batch *batch;
    while (leati_job_collect(c.job, c.id, -1, &batch) == LEAT_OK) {
        const leat_record *records;
        size_t n = leati_batch_records(batch, &records);
        for (size_t i = 0; i < n; i++) *sum += records[i].value.as.i;
        *count += (int64_t)n;
        leati_batch_unref(batch);
        atomic_fetch_add(&p.taken, 1);
    }
    assert_int_equal(leat_job_wait(c.job, -1), LEAT_OK);
    if (leat_job_result(c.job, &err) < 0) fail_msg("%s", err.text);
    assert_in_range(leat_job_attempts(c.job), 2, 4); /* two may fail at once */
    finish(c.job, c.env);
}

static void collected_records_are_exactly_once_with_checkpoints(void **state) {
    (void)state;
    for (int parallelism = 1; parallelism <= 2; parallelism++) {
        int64_t count = 0, sum = 0;
        collect_with_checkpoints("EXACTLY_ONCE", parallelism, &count, &sum);
        assert_int_equal(count, 100000);
        assert_int_equal(sum, 5000050000);
    }
}

static void collected_records_come_at_least_once_when_that_is_asked_for(void **state) {
    (void)state;
    int64_t count = 0, sum = 0;
    collect_with_checkpoints("AT_LEAST_ONCE", 2, &count, &sum);
    assert_true(count >= 100000);
}

static void checkpoints_alone_bring_restarts(void **state) {
    (void)state;
    gathered g;
    bomb b = {.where = "map", .at = 5, .status = LEAT_E_USER, .left = 1};
    leat_env *env = env_of(1, 4);
    gathered_init(&g);
    set(env, "execution.checkpointing.interval", "1 h");
    set(env, "restart-strategy.exponential-delay.initial-backoff", "1 ms");
    leat_stream_sink(leat_stream_map(leat_env_sequence(env, 1, 9), bomb_fn(&b)), gathered_sink(&g));
    env_run(env);
    assert_int_equal(atomic_load(&b.bits), 3);
    leat_env_free(env);
    gathered_fini(&g);
}

static leat_status fail_at_first(leat_context *ctx, const leat_record *in, void *arg) {
    bomb *b = arg;
    atomic_fetch_add(&b->opens, 1);
    return in->value.as.i == b->at ? blow(ctx, b, "map") : LEAT_OK;
}

static void dispatched_calls_go_on_in_the_next_attempt(void **state) {
    (void)state;
    leat_error err = {.text = ""};
    bomb b = {.where = "map", .at = 50, .status = LEAT_E_USER, .left = 2};
    leat_options options = leat_options_defaults();
    options.host_dispatch = true;
    leat_env *env = leat_env_new(&options, &err);
    set(env, "parallelism.default", "1");
    set(env, "restart-strategy.type", "fixed-delay");
    set(env, "restart-strategy.fixed-delay.attempts", "2");
    set(env, "restart-strategy.fixed-delay.delay", "10 ms");
    leat_stream_sink(leat_env_sequence(env, 1, 100), leat_sink_fn(fail_at_first, &b));
    leat_job *job = start(env);
    int failures = 0;
    while (leat_job_wait(job, 0) == LEAT_AGAIN) {
        struct pollfd fd = {.fd = leat_job_fd(job), .events = POLLIN};
        assert_int_equal(poll(&fd, 1, 10000), 1);
        failures += leat_job_dispatch(job, -1) == LEAT_E_USER;
    }
    if (leat_job_result(job, &err) < 0) fail_msg("%s", err.text);
    assert_int_equal(failures, 2);
    assert_int_equal(leat_job_attempts(job), 3);
    assert_int_equal(atomic_load(&b.opens), 50 + 50 + 100);
    finish(job, env);
}

static leat_status open_counter(leat_context *ctx, void *arg, void **self) {
    leat_error err;
    (void)arg;
    return leat_context_metric(ctx, "seen", LEAT_METRIC_COUNTER, (leat_metric **)self, &err);
}

static leat_status count_and_fail(leat_context *ctx, const leat_record *in, bool *keep,
                                  void *self) {
    leat_metric_add(self, 1);
    *keep = true;
    if (in->value.as.i == 5 && !leat_context_attempt(ctx))
        return leat_context_fail(ctx, LEAT_E_USER, "five");
    return LEAT_OK;
}

static void metrics_begin_anew(void **state) {
    (void)state;
    gathered g;
    leat_error err;
    gathered_init(&g);
    leat_env *env = restarting_env(1, "1", "0");
    leat_function f = leat_filter_fn(count_and_fail, NULL);
    f.open = open_counter;
    leat_stream_sink(leat_stream_filter(leat_env_sequence(env, 1, 8), f), gathered_sink(&g));
    leat_job *job = start(env);
    assert_int_equal(leat_job_wait(job, -1), LEAT_OK);
    char *json = leat_job_metrics(job, &err);
    assert_non_null(json);
    assert_non_null(strstr(json, "\"seen\": 8"));
    leat_text_free(json);
    finish(job, env);
    gathered_fini(&g);
}

static leat_status count_record(leat_context *ctx, const leat_record *in, void *arg) {
    (void)ctx;
    (void)in;
    atomic_fetch_add((atomic_int *)arg, 1);
    return LEAT_OK;
}

static leat_status restart_with_memory_for(int64_t n) {
    leat_error err = {.status = LEAT_OK};
    bomb b = {.where = "map", .at = 9, .status = LEAT_E_USER, .left = 1};
    atomic_int seen = 0;
    leat_env *env = restarting_env(1, "2", "0");
    leat_stream *s = leat_stream_map(leat_env_sequence(env, 1, 10), bomb_fn(&b));
    leat_stream_sink(s, leat_sink_fn(count_record, &seen));
    leati_alloc_fail_after(n);
    leat_status status = leat_env_execute(env, "small", &err);
    leati_alloc_fail_after(-1);
    if (status == LEAT_OK) assert_int_equal(seen % 10, 8);
    leat_env_free(env);
    return status;
}

static void memory_that_runs_out_ends_the_job_in_any_attempt(void **state) {
    (void)state;
    leat_status status = LEAT_E_NOMEM;
    int64_t n = 1;
    leat_log_set(NULL, NULL, LEAT_LOG_OFF);
    for (; status != LEAT_OK && n < 5000; n++) {
        status = restart_with_memory_for(n);
        assert_true(status == LEAT_OK || status == LEAT_E_NOMEM || status == LEAT_E_USER);
    }
    leat_log_set(NULL, NULL, LEAT_LOG_WARNING);
    assert_int_equal(status, LEAT_OK);
    assert_true(n > 50);
}

static void calls_without_a_job_are_harmless(void **state) {
    (void)state;
    assert_int_equal(leat_job_attempts(NULL), 0);
    assert_null(leat_job_attempt_failure(NULL, 0));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(failures_of_every_hook_are_survived),
        cmocka_unit_test(twenty_restarts_leave_nothing_behind),
        cmocka_unit_test(what_opened_is_closed_in_every_attempt),
        cmocka_unit_test(the_last_failure_says_after_how_many_attempts),
        cmocka_unit_test(what_no_attempt_can_mend_is_not_tried_again),
        cmocka_unit_test(what_cannot_be_opened_is_not_tried_again),
        cmocka_unit_test(values_of_the_strategy_are_checked_at_the_start),
        cmocka_unit_test(cancel_ends_the_wait_at_once),
        cmocka_unit_test(cancel_while_an_attempt_ends_keeps_the_next_from_beginning),
        cmocka_unit_test(pushed_records_go_on_in_the_next_attempt),
        cmocka_unit_test(a_push_that_waits_hears_of_the_last_failure),
        cmocka_unit_test(collected_records_that_nobody_took_come_once),
        cmocka_unit_test(collected_records_that_were_taken_end_the_job),
        cmocka_unit_test(collected_records_are_exactly_once_with_checkpoints),
        cmocka_unit_test(collected_records_come_at_least_once_when_that_is_asked_for),
        cmocka_unit_test(checkpoints_alone_bring_restarts),
        cmocka_unit_test(dispatched_calls_go_on_in_the_next_attempt),
        cmocka_unit_test(metrics_begin_anew),
        cmocka_unit_test(memory_that_runs_out_ends_the_job_in_any_attempt),
        cmocka_unit_test(calls_without_a_job_are_harmless),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
