/* Tests of collect.c: records come while the job runs, in bounded memory; time-outs, ends,
   cancels. */
#include "folder.h"
#include "gather.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <time.h>

#include "runtime/bridge.h"

typedef struct fixture {
    leat_env *env;
    leat_job *job;
    int id;
    atomic_int made;
} fixture;

static leat_status count_up(leat_context *ctx, leat_emitter *out, void *arg) {
    (void)ctx;
    leat_value v = leat_int(atomic_fetch_add((atomic_int *)arg, 1));
    return leat_emitter_push(out, &v);
}

static void start(fixture *f, leat_stream *s) {
    leat_error err = {.text = ""};
    leat_stream *end = leat_graph_add(NULL, &leat_collect_operator, NULL, 0, &s, 1);
    f->id = leati_stream_id(end);
    f->job = leat_env_start(f->env, "collect", &err);
    if (!f->job) fail_msg("%s", err.text);
}

static void tear_down(fixture *f) {
    leat_job_free(f->job);
    leat_env_free(f->env);
}

/* Takes one batch and adds its numbers up. */
static leat_status take(fixture *f, int timeout_ms, int64_t *count, int64_t *sum) {
    leati_batch *batch;
    const leat_record *records;
    leat_status status = leati_job_collect(f->job, f->id, timeout_ms, &batch);
    if (status != LEAT_OK) return status;
    size_t n = leati_batch_records(batch, &records);
    for (size_t i = 0; i < n; i++) *sum += records[i].value.as.i;
    *count += (int64_t)n;
    leati_batch_unref(batch);
    return LEAT_OK;
}

static void collect_gives_all_and_then_the_end(void **state) {
    (void)state;
    enum { RECORDS = 30000 };
    static const int capacities[] = {1, 100};
    for (int i = 0; i < 2; i++) {
        fixture f = {.env = env_of(2, capacities[i])};
        start(&f, leat_stream_rebalance(leat_env_sequence(f.env, 1, RECORDS)));
        int64_t count = 0, sum = 0;
        while (take(&f, -1, &count, &sum) == LEAT_OK) {}
        assert_int_equal(count, RECORDS);
        assert_int_equal(sum, (int64_t)RECORDS * (RECORDS + 1) / 2);
        assert_int_equal(take(&f, -1, &count, &sum), LEAT_DONE);
        assert_int_equal(leat_job_status(f.job), LEAT_JOB_FINISHED);
        tear_down(&f);
    }
}

static void collect_without_a_reader_stops_the_source(void **state) {
    (void)state;
    fixture f = {.env = env_of(2, 10)};
    start(&f, leat_stream_rebalance(leat_env_source(f.env, leat_source_fn(count_up, &f.made))));
    int64_t count = 0, sum = 0;
    assert_int_equal(take(&f, -1, &count, &sum), LEAT_OK);
    /* It goes on until the queue is full, and not further. */
    int before = -1;
    for (int calm = 0; calm < 2000; calm++) {
        int now = atomic_load(&f.made);
        if (now != before) calm = 0;
        before = now;
        sched_yield();
    }
    assert_in_range(atomic_load(&f.made), 1, 20000);
    while (count < 50000) assert_int_equal(take(&f, -1, &count, &sum), LEAT_OK);
    leat_job_cancel(f.job);
    leat_status status;
    while ((status = take(&f, -1, &count, &sum)) == LEAT_OK) {}
    assert_int_equal(status, LEAT_DONE);
    assert_int_equal(leat_job_wait(f.job, -1), LEAT_OK);
    assert_int_equal(leat_job_status(f.job), LEAT_JOB_CANCELED);
    tear_down(&f);
}

static void collect_of_a_quiet_job_times_out(void **state) {
    (void)state;
    fixture f = {.env = env_of(1, 10)};
    leat_push_source *source;
    leat_stream *s = leat_env_push_source(f.env, &source);
    start(&f, s);
    int64_t count = 0, sum = 0;
    assert_int_equal(take(&f, 0, &count, &sum), LEAT_AGAIN);
    assert_int_equal(take(&f, 20, &count, &sum), LEAT_AGAIN);
    leat_value v = leat_int(5);
    assert_int_equal(leat_push(source, &v, LEAT_NO_TIME, -1), LEAT_OK);
    assert_int_equal(take(&f, -1, &count, &sum), LEAT_OK);
    assert_int_equal(count, 1);
    assert_int_equal(sum, 5);
    assert_int_equal(leat_push_end(source), LEAT_OK);
    assert_int_equal(take(&f, -1, &count, &sum), LEAT_DONE);
    tear_down(&f);
}

static void *take_to_the_end(void *arg) {
    int64_t count = 0, sum = 0;
    leat_status status;
    while ((status = take(arg, -1, &count, &sum)) == LEAT_OK) {}
    return (void *)(intptr_t)status;
}

static void collect_that_waits_ends_with_a_cancel(void **state) {
    (void)state;
    fixture f = {.env = env_of(1, 10)};
    leat_push_source *source;
    pthread_t reader;
    void *status;
    start(&f, leat_env_push_source(f.env, &source));
    assert_int_equal(pthread_create(&reader, NULL, take_to_the_end, &f), 0);
    leat_job_cancel(f.job);
    assert_int_equal(pthread_join(reader, &status), 0);
    assert_int_equal((intptr_t)status, LEAT_DONE);
    tear_down(&f);
}

static void job_freed_with_records_left_frees_them(void **state) {
    (void)state;
    fixture f = {.env = env_of(2, 10)};
    start(&f, leat_env_source(f.env, leat_source_fn(count_up, &f.made)));
    int64_t count = 0, sum = 0;
    assert_int_equal(take(&f, -1, &count, &sum), LEAT_OK);
    tear_down(&f);
}

/* --- with checkpoints far apart --------------------------------------------------------------- */

/* 256,000 a second, at most: few come between the wish for a checkpoint and its barrier, though the
   machine be busy. */
static leat_status count_passing(leat_context *ctx, const leat_record *in, leat_value *out,
                                 void *arg) {
    static const struct timespec pause = {0, 4000000};
    (void)ctx;
    if (atomic_fetch_add((atomic_int *)arg, 1) % 1024 == 0) nanosleep(&pause, NULL);
    *out = in->value;
    return LEAT_OK;
}

static leat_stream *start_exact(fixture *f, int parallelism, leat_stream *(*make)(leat_env *)) {
    leat_error err = {.text = ""};
    f->env = env_of(parallelism, 1000);
    if (leat_env_set(f->env, "execution.checkpointing.interval", "1 h", &err) < 0)
        fail_msg("%s", err.text);
    leat_stream *s = leat_stream_map(make(f->env), leat_map_fn(count_passing, &f->made));
    start(f, s);
    return s;
}

/* Takes all, and answers how many were on their way at most. */
static int take_all(fixture *f, int64_t *count, int64_t *sum) {
    int most = 0;
    for (;;) {
        int waiting = atomic_load(&f->made) - (int)*count;
        if (waiting > most) most = waiting;
        if (take(f, -1, count, sum) != LEAT_OK) return most;
    }
}

enum { MANY = 600000, BOUND = 4 * (64 << 10) };

static leat_stream *many_numbers(leat_env *env) {
    return leat_stream_rebalance(leat_env_sequence(env, 1, MANY));
}

static void exact_collect_asks_for_checkpoints_and_stays_bounded(void **state) {
    (void)state;
    for (int parallelism = 1; parallelism <= 2; parallelism++) {
        fixture f = {.env = NULL};
        leat_error err = {.text = ""};
        int64_t count = 0, sum = 0;
        start_exact(&f, parallelism, many_numbers);
        int most = take_all(&f, &count, &sum);
        if (leat_job_result(f.job, &err) < 0) fail_msg("%s", err.text);
        assert_int_equal(count, MANY);
        assert_int_equal(sum, (int64_t)MANY * (MANY + 1) / 2);
        assert_in_range(most, 64 << 10, BOUND * parallelism);
        tear_down(&f);
    }
}

static void exact_collect_without_a_reader_stops_the_source(void **state) {
    (void)state;
    fixture f = {.env = NULL};
    int64_t count = 0, sum = 0;
    start_exact(&f, 1, many_numbers);
    assert_int_equal(take(&f, -1, &count, &sum), LEAT_OK);
    int before = -1;
    for (int calm = 0; calm < 100; calm++) {
        static const struct timespec pause = {0, 2000000};
        int now = atomic_load(&f.made);
        if (now != before || now < 64 << 10) calm = 0;
        before = now;
        nanosleep(&pause, NULL);
    }
    assert_in_range(atomic_load(&f.made), 64 << 10, BOUND);
    take_all(&f, &count, &sum);
    assert_int_equal(count, MANY);
    tear_down(&f);
}

static leat_status enlarge(leat_context *ctx, const leat_record *in, leat_value *out, void *arg) {
    enum { SIZE = 1 << 20 };
    static const struct timespec pause = {0, 5000000};
    (void)in, (void)arg;
    nanosleep(&pause, NULL);
    char *bytes = leat_context_alloc(ctx, SIZE);
    if (!bytes) return LEAT_E_NOMEM;
    memset(bytes, 'x', SIZE);
    *out = leat_string_n(bytes, SIZE);
    return LEAT_OK;
}

/* 200 MB, in a second. */
static leat_stream *large_numbers(leat_env *env) {
    leat_stream *s = leat_env_sequence(env, 1, 200);
    return leat_stream_map(s, leat_map_fn(enlarge, NULL));
}

static void exact_collect_of_large_records_counts_bytes(void **state) {
    (void)state;
    fixture f = {.env = NULL};
    leat_error err = {.text = ""};
    int count = 0, most = 0;
    leati_batch *batch;
    const leat_record *records;
    start_exact(&f, 1, large_numbers);
    while (leati_job_collect(f.job, f.id, -1, &batch) == LEAT_OK) {
        int waiting = atomic_load(&f.made) - count;
        if (waiting > most) most = waiting;
        count += (int)leati_batch_records(batch, &records);
        leati_batch_unref(batch);
    }
    if (leat_job_result(f.job, &err) < 0) fail_msg("%s", err.text);
    assert_int_equal(count, 200);
    assert_in_range(most, 32, 130);
    tear_down(&f);
}

/* Savepoints that let the job go on commit nothing; nobody waits for that. */
static void *make_savepoints(void *arg) {
    const fixture *f = arg;
    leat_error err;
    intptr_t made = 0;
    leat_status status = LEAT_OK;
    while (made < 10 && (status >= 0 || leat_job_status(f->job) < LEAT_JOB_FINISHED)) {
        char *path = NULL;
        status = leat_job_savepoint(f->job, folder, 60000, &path, &err);
        if (status < 0 && status != LEAT_E_STATE) fail_msg("%s", err.text);
        made += status >= 0;
        leat_text_free(path);
    }
    return (void *)made;
}

static void exact_collect_goes_on_beside_savepoints(void **state) {
    (void)state;
    fixture f = {.env = NULL};
    leat_error err = {.text = ""};
    int64_t count = 0, sum = 0;
    pthread_t thread;
    void *made;
    start_exact(&f, 2, many_numbers);
    assert_int_equal(pthread_create(&thread, NULL, make_savepoints, &f), 0);
    take_all(&f, &count, &sum);
    assert_int_equal(pthread_join(thread, &made), 0);
    if (leat_job_result(f.job, &err) < 0) fail_msg("%s", err.text);
    assert_int_equal(count, MANY);
    assert_true((intptr_t)made > 0);
    tear_down(&f);
}

/* What comes back in a loop must go on while a checkpoint is under way: numbers are halved until
   they are 0. */
static leat_status halve(leat_context *ctx, const leat_record *in, leat_value *out, void *arg) {
    (void)ctx, (void)arg;
    *out = leat_int(in->value.as.i / 2);
    return LEAT_OK;
}

static leat_status is_above_zero(leat_context *ctx, const leat_record *in, bool *keep, void *arg) {
    (void)ctx, (void)arg;
    *keep = in->value.as.i > 0;
    return LEAT_OK;
}

enum { ROUND = 1 << 16 };

static leat_stream *numbers_that_go_round(leat_env *env) {
    leat_stream *s = leat_stream_rebalance(leat_env_sequence(env, 1, ROUND - 1));
    leat_stream *loop = leat_stream_iterate(s, 0);
    leat_stream *body = leat_stream_map(loop, leat_map_fn(halve, NULL));
    leat_stream *back = leat_stream_filter(body, leat_filter_fn(is_above_zero, NULL));
    leat_iteration_close(loop, leat_stream_rebalance(back));
    return body;
}

static void exact_collect_in_a_loop_comes_to_its_end(void **state) {
    (void)state;
    fixture f = {.env = NULL};
    leat_error err = {.text = ""};
    int64_t count = 0, sum = 0;
    start_exact(&f, 2, numbers_that_go_round);
    take_all(&f, &count, &sum);
    if (leat_job_result(f.job, &err) < 0) fail_msg("%s", err.text);
    assert_int_equal(count, (int64_t)15 * ROUND + 1); /* how many digits they have */
    tear_down(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(collect_gives_all_and_then_the_end),
        cmocka_unit_test(collect_without_a_reader_stops_the_source),
        cmocka_unit_test(collect_of_a_quiet_job_times_out),
        cmocka_unit_test(collect_that_waits_ends_with_a_cancel),
        cmocka_unit_test(exact_collect_asks_for_checkpoints_and_stays_bounded),
        cmocka_unit_test(exact_collect_without_a_reader_stops_the_source),
        cmocka_unit_test(exact_collect_of_large_records_counts_bytes),
        WITH_FOLDER(exact_collect_goes_on_beside_savepoints),
        cmocka_unit_test(exact_collect_in_a_loop_comes_to_its_end),
        cmocka_unit_test(job_freed_with_records_left_frees_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
