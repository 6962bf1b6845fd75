/* Tests of collect.c: records come while the job runs, in bounded memory; time-outs, ends,
   cancels. */
#include "gather.h"

#include <sched.h>
#include <stdatomic.h>

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

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(collect_gives_all_and_then_the_end),
        cmocka_unit_test(collect_without_a_reader_stops_the_source),
        cmocka_unit_test(collect_of_a_quiet_job_times_out),
        cmocka_unit_test(collect_that_waits_ends_with_a_cancel),
        cmocka_unit_test(job_freed_with_records_left_frees_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
