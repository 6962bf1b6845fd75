/* Tests of dispatch.c: callbacks in leat_job_dispatch only, the descriptor, failures, a cancel
   while calls wait. */
#include "gather.h"

#include <poll.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>

static leat_env *host_env(int parallelism) {
    char p[16];
    snprintf(p, sizeof p, "%d", parallelism);
    const char *settings[] = {"parallelism.default", p, NULL};
    leat_options options = leat_options_defaults();
    options.settings = settings;
    options.host_dispatch = true;
    leat_error err;
    leat_env *env = leat_env_new(&options, &err);
    assert_non_null(env);
    return env;
}

static void await_readable(leat_job *job) {
    struct pollfd fd = {.fd = leat_job_fd(job), .events = POLLIN};
    assert_int_equal(poll(&fd, 1, 10000), 1);
}

static pthread_t caller;
static int calls;

static leat_status count_call(leat_context *ctx, const leat_record *in, void *arg) {
    (void)in;
    assert_true(pthread_equal(pthread_self(), caller));
    assert_string_equal(leat_context_name(ctx), "callback_sink");
    char *scratch = leat_context_alloc(ctx, 100);
    assert_non_null(scratch);
    memset(scratch, 0, 100);
    calls++;
    *(int64_t *)arg += in->value.as.i;
    return LEAT_OK;
}

static leat_job *start(leat_env *env) {
    leat_error err = {.text = ""};
    caller = pthread_self();
    calls = 0;
    leat_job *job = leat_env_start(env, "dispatch", &err);
    if (!job) fail_msg("%s", err.text);
    return job;
}

static void dispatch_calls_on_the_hosts_thread_only(void **state) {
    (void)state;
    enum { RECORDS = 20000 }; /* more than the queue takes */
    leat_env *env = host_env(2);
    int64_t sum = 0;
    leat_stream_sink(leat_env_sequence(env, 1, RECORDS), leat_sink_fn(count_call, &sum));
    leat_job *job = start(env);
    while (leat_job_wait(job, 0) == LEAT_AGAIN || calls < RECORDS) {
        await_readable(job);
        assert_true(leat_job_dispatch(job, 100) >= 0);
    }
    assert_int_equal(calls, RECORDS);
    assert_int_equal(sum, (int64_t)RECORDS * (RECORDS + 1) / 2);
    leat_error err;
    assert_int_equal(leat_job_result(job, &err), LEAT_OK);
    await_readable(job); /* stays so after the end */
    leat_job_free(job);
    leat_env_free(env);
}

static void dispatch_makes_no_more_than_asked(void **state) {
    (void)state;
    leat_env *env = host_env(1);
    int64_t sum = 0;
    leat_stream_sink(leat_env_sequence(env, 1, 5), leat_sink_fn(count_call, &sum));
    leat_job *job = start(env);
    int made = 0;
    while (made < 5) {
        await_readable(job);
        int now = leat_job_dispatch(job, 1);
        assert_in_range(now, 0, 1);
        made += now;
        assert_int_equal(calls, made);
    }
    assert_int_equal(leat_job_wait(job, -1), LEAT_OK);
    assert_int_equal(leat_job_dispatch(job, -1), 0);
    leat_job_free(job);
    leat_env_free(env);
}

static leat_status fail_call(leat_context *ctx, const leat_record *in, void *arg) {
    (void)in;
    (void)arg;
    calls++;
    return leat_context_fail(ctx, LEAT_E_USER, "the host has had enough");
}

static void dispatch_of_a_call_that_fails_fails_the_job(void **state) {
    (void)state;
    leat_env *env = host_env(2);
    leat_stream_sink(leat_env_sequence(env, 1, 100), leat_sink_fn(fail_call, NULL));
    leat_job *job = start(env);
    int made = 0;
    while (made == 0) {
        await_readable(job);
        made = leat_job_dispatch(job, -1);
    }
    assert_int_equal(made, LEAT_E_USER);
    assert_int_equal(calls, 1);
    assert_int_equal(leat_job_wait(job, -1), LEAT_OK);
    leat_error err;
    assert_int_equal(leat_job_result(job, &err), LEAT_E_USER);
    assert_string_equal(err.text, "the host has had enough");
    assert_string_equal(err.where, "callback_sink (1/1)");
    leat_job_free(job);
    leat_env_free(env);
}

static void dispatch_after_a_cancel_makes_no_call(void **state) {
    (void)state;
    leat_env *env = host_env(2);
    int64_t sum = 0;
    leat_stream_sink(leat_env_sequence(env, 1, 100000), leat_sink_fn(count_call, &sum));
    leat_job *job = start(env);
    await_readable(job); /* calls wait */
    leat_job_cancel(job);
    assert_int_equal(leat_job_wait(job, -1), LEAT_OK);
    assert_int_equal(leat_job_dispatch(job, -1), 0); /* what they would call is gone */
    assert_int_equal(calls, 0);
    assert_int_equal(leat_job_status(job), LEAT_JOB_CANCELED);
    leat_job_free(job);
    leat_env_free(env);
}

static leat_status cancel_self(leat_context *ctx, const leat_record *in, void *arg) {
    (void)ctx;
    (void)in;
    calls++;
    leat_job_cancel(*(leat_job **)arg);
    return LEAT_OK;
}

static void callback_may_cancel_its_job(void **state) {
    (void)state;
    leat_env *env = host_env(2);
    leat_job *job = NULL;
    leat_stream_sink(leat_env_sequence(env, 1, 100000), leat_sink_fn(cancel_self, &job));
    job = start(env);
    while (leat_job_wait(job, 0) == LEAT_AGAIN) {
        await_readable(job);
        assert_true(leat_job_dispatch(job, -1) >= 0);
    }
    assert_true(calls >= 1);
    assert_int_equal(leat_job_status(job), LEAT_JOB_CANCELED);
    leat_job_free(job);
    leat_env_free(env);
}

static void dispatch_without_host_dispatch_is_refused(void **state) {
    (void)state;
    gathered g;
    gathered_init(&g);
    leat_env *env = env_of(1, 10);
    leat_stream_sink(leat_env_sequence(env, 1, 3), gathered_sink(&g));
    leat_job *job = start(env);
    assert_int_equal(leat_job_fd(job), -1);
    assert_int_equal(leat_job_dispatch(job, -1), LEAT_E_STATE);
    assert_int_equal(leat_job_wait(job, -1), LEAT_OK);
    leat_job_free(job);
    leat_env_free(env);
    gathered_fini(&g);
}

/* --- without host dispatch -------------------------------------------------------------------- */

static atomic_int inside, together;

static leat_status alone(leat_context *ctx, const leat_record *in, void *arg) {
    (void)ctx;
    (void)in;
    (void)arg;
    if (atomic_fetch_add(&inside, 1)) atomic_store(&together, 1);
    sched_yield();
    atomic_fetch_sub(&inside, 1);
    return LEAT_OK;
}

static void callbacks_of_one_sink_come_one_at_a_time(void **state) {
    (void)state;
    leat_env *env = env_of(2, 10);
    leat_stream_sink(leat_env_sequence(env, 1, 3000), leat_sink_fn(alone, NULL));
    env_run(env);
    assert_int_equal(together, 0);
    leat_env_free(env);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dispatch_calls_on_the_hosts_thread_only),
        cmocka_unit_test(dispatch_makes_no_more_than_asked),
        cmocka_unit_test(dispatch_of_a_call_that_fails_fails_the_job),
        cmocka_unit_test(dispatch_after_a_cancel_makes_no_call),
        cmocka_unit_test(callback_may_cancel_its_job),
        cmocka_unit_test(dispatch_without_host_dispatch_is_refused),
        cmocka_unit_test(callbacks_of_one_sink_come_one_at_a_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
