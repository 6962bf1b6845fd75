/* Tests of push_rewind.c: hosts that push again from where a restarted job says, each record
   counted once; with waiting pushes, locks, host dispatch, an end before the failure, and without a
   way back. */
#include "gather.h"

#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

enum { MANY = 1200 };

typedef struct host {
    leat_env *env;
    leat_push_source *source;
    leat_job *job;
    pthread_mutex_t lock; /* over what it pushes next, and the push */
    int64_t next, last;
    bool over;          /* it has called leat_push_end */
    int calls;          /* of rewind */
    int64_t places[16]; /* that it was called with; -1: the beginning */
    pthread_t calls_on[16];
    atomic_int failures; /* left */
    int64_t fails_at;
    int64_t sum, count; /* the job's, at last */
} host;

/* What the job makes of numbers is state: their sum and how many they were. */
static leat_status trip(leat_context *ctx, const leat_record *in, leat_value *out, void *arg) {
    host *h = arg;
    *out = in->value;
    if (in->value.as.i != h->fails_at || atomic_fetch_sub(&h->failures, 1) <= 0) return LEAT_OK;
    return leat_context_fail(ctx, LEAT_E_USER, "tripped");
}

static leat_status pair(leat_context *ctx, const leat_record *in, leat_value *out, void *arg) {
    (void)arg;
    leat_value *items = leat_context_alloc(ctx, 2 * sizeof *items);
    if (!items) return LEAT_E_NOMEM;
    items[0] = in->value;
    items[1] = leat_int(1);
    *out = leat_tuple(items, 2);
    return LEAT_OK;
}

static leat_status add(leat_context *ctx, const leat_value *a, const leat_value *b, leat_value *out,
                       void *arg) {
    (void)arg;
    leat_value *items = leat_context_alloc(ctx, 2 * sizeof *items);
    if (!items) return LEAT_E_NOMEM;
    for (int i = 0; i < 2; i++) items[i] = leat_int(a->as.items[i].as.i + b->as.items[i].as.i);
    *out = leat_tuple(items, 2);
    return LEAT_OK;
}

static leat_status note(leat_context *ctx, const leat_record *in, void *arg) {
    host *h = arg;
    (void)ctx;
    h->sum = in->value.as.items[0].as.i;
    h->count = in->value.as.items[1].as.i;
    return LEAT_OK;
}

static void rewind_to(void *arg, const leat_value *position) {
    host *h = arg;
    leat_value none = leat_int(0);
    assert_int_equal(leat_push(h->source, &none, LEAT_NO_TIME, -1), LEAT_AGAIN);
    pthread_mutex_lock(&h->lock);
    h->next = position ? position->as.i + 1 : 1;
    h->calls_on[h->calls] = pthread_self();
    h->places[h->calls++] = position ? position->as.i : -1;
    h->over = false;
    pthread_mutex_unlock(&h->lock);
}

static void set(leat_env *env, const char *key, const char *value) {
    leat_error err = {.text = ""};
    if (leat_env_set(env, key, value, &err) < 0) fail_msg("%s", err.text);
}

static void set_up(host *h, int64_t last, int64_t fails_at, bool dispatch) {
    leat_error err;
    leat_options o = leat_options_defaults();
    o.host_dispatch = dispatch;
    memset(h, 0, sizeof *h);
    pthread_mutex_init(&h->lock, NULL);
    h->next = 1;
    h->last = last;
    h->fails_at = fails_at;
    atomic_init(&h->failures, 1);
    h->env = leat_env_new(&o, &err);
    assert_non_null(h->env);
    set(h->env, "parallelism.default", "1");
    set(h->env, "execution.checkpointing.interval", "5ms");
    set(h->env, "restart-strategy.type", "fixed-delay");
    set(h->env, "restart-strategy.fixed-delay.attempts", "3");
    set(h->env, "restart-strategy.fixed-delay.delay", "1ms");
    leat_stream *s = leat_env_push_source(h->env, &h->source);
    s = leat_stream_map(leat_stream_map(s, leat_map_fn(trip, h)), leat_map_fn(pair, NULL));
    s = leat_stream_reduce(leat_stream_key_by(s, leat_builtin("constant")),
                           leat_reduce_fn(add, NULL));
    leat_stream_sink(s, leat_sink_fn(note, h));
}

static void start(host *h) {
    leat_error err;
    h->job = leat_env_start(h->env, "push", &err);
    if (!h->job) fail_msg("%s", err.text);
}

/* One step of a host: false when it is through, until it has to go back. */
static bool push_next(host *h, int timeout_ms) {
    pthread_mutex_lock(&h->lock);
    leat_status status = LEAT_E_STATE;
    if (h->next <= h->last) {
        leat_value v = leat_int(h->next);
        status = leat_push_at(h->source, &v, LEAT_NO_TIME, &v, timeout_ms);
        if (status == LEAT_OK) h->next++;
    } else if (!h->over) {
        status = leat_push_end(h->source);
        h->over = status == LEAT_OK;
    }
    pthread_mutex_unlock(&h->lock);
    return status >= 0;
}

/* Pushes, also again, until the job is over. */
static void push_all(host *h) {
    while (leat_job_wait(h->job, 0) != LEAT_OK)
        if (!push_next(h, -1)) leat_job_wait(h->job, 1);
}

static void expect_each_once(host *h) {
    leat_error err = {.text = ""};
    if (leat_job_result(h->job, &err) < 0) fail_msg("%s", err.text);
    assert_int_equal(h->count, h->last);
    assert_int_equal(h->sum, h->last * (h->last + 1) / 2);
}

static void tear_down(host *h) {
    leat_job_free(h->job);
    leat_env_free(h->env);
    pthread_mutex_destroy(&h->lock);
}

static void host_goes_back_to_where_the_job_was_saved(void **state) {
    (void)state;
    for (int64_t at = 1; at <= MANY; at += at < 3 ? 1 : 397) {
        host h;
        set_up(&h, MANY, at, false);
        assert_int_equal(leat_push_on_rewind(h.source, rewind_to, &h), LEAT_OK);
        start(&h);
        push_all(&h);
        expect_each_once(&h);
        assert_int_equal(leat_job_attempts(h.job), 2);
        assert_int_equal(h.calls, 1);
        assert_in_range(h.places[0] + 1, 0, at);
        tear_down(&h);
    }
}

/* The failing record is the last one, and its end was pushed before it was taken. */
static void host_that_was_through_pushes_its_end_again(void **state) {
    (void)state;
    host h;
    set_up(&h, 100, 100, false);
    assert_int_equal(leat_push_on_rewind(h.source, rewind_to, &h), LEAT_OK);
    start(&h);
    push_all(&h);
    expect_each_once(&h);
    assert_int_equal(h.calls, 1);
    tear_down(&h);
}

static void job_that_fails_more_often_goes_back_each_time(void **state) {
    (void)state;
    host h;
    set_up(&h, MANY, 500, false);
    atomic_store(&h.failures, 3);
    assert_int_equal(leat_push_on_rewind(h.source, rewind_to, &h), LEAT_OK);
    start(&h);
    push_all(&h);
    expect_each_once(&h);
    assert_int_equal(h.calls, 3);
    for (int i = 1; i < 3; i++) assert_true(h.places[i] >= h.places[i - 1]);
    tear_down(&h);
}

static void *push_on_a_thread(void *arg) {
    push_all(arg);
    return NULL;
}

/* Pushes wait for room, with the lock that the callback needs. */
static void pushers_that_wait_let_the_host_go_back(void **state) {
    (void)state;
    enum { PUSHERS = 3 };
    pthread_t pushers[PUSHERS];
    host h;
    set_up(&h, 9000, 5000, false);
    assert_int_equal(leat_push_on_rewind(h.source, rewind_to, &h), LEAT_OK);
    start(&h);
    for (int i = 0; i < PUSHERS; i++)
        assert_int_equal(pthread_create(&pushers[i], NULL, push_on_a_thread, &h), 0);
    for (int i = 0; i < PUSHERS; i++) assert_int_equal(pthread_join(pushers[i], NULL), 0);
    expect_each_once(&h);
    assert_int_equal(h.calls, 1);
    tear_down(&h);
}

static void host_with_dispatch_goes_back_on_its_own_thread(void **state) {
    (void)state;
    host h;
    set_up(&h, MANY, 700, true);
    assert_int_equal(leat_push_on_rewind(h.source, rewind_to, &h), LEAT_OK);
    start(&h);
    while (leat_job_wait(h.job, 0) != LEAT_OK) {
        struct pollfd fd = {.fd = leat_job_fd(h.job), .events = POLLIN};
        while (push_next(&h, 0) && h.next % 64) {}
        poll(&fd, 1, 1);
        assert_true(leat_job_dispatch(h.job, -1) >= 0);
    }
    expect_each_once(&h);
    assert_int_equal(h.calls, 1);
    assert_true(pthread_equal(h.calls_on[0], pthread_self()));
    tear_down(&h);
}

static void cancel_before_a_dispatched_rewind_ends_the_job(void **state) {
    (void)state;
    host h;
    set_up(&h, MANY, 10, true);
    assert_int_equal(leat_push_on_rewind(h.source, rewind_to, &h), LEAT_OK);
    start(&h);
    while (leat_job_attempts(h.job) < 2) push_next(&h, 0);
    leat_job_cancel(h.job);
    assert_int_equal(leat_job_wait(h.job, -1), LEAT_OK);
    leat_value v = leat_int(1);
    assert_int_equal(leat_push(h.source, &v, LEAT_NO_TIME, -1), LEAT_E_STATE);
    leat_job_dispatch(h.job, -1);
    assert_int_equal(h.calls, 0);
    tear_down(&h);
}

static void host_without_a_way_back_goes_on(void **state) {
    (void)state;
    host h;
    set_up(&h, MANY, 600, false);
    leat_log_set(NULL, NULL, LEAT_LOG_OFF);
    start(&h);
    push_all(&h);
    leat_error err;
    assert_int_equal(leat_job_result(h.job, &err), LEAT_OK);
    assert_int_equal(h.next, MANY + 1);
    assert_int_equal(leat_job_attempts(h.job), 2);
    assert_true(h.count < MANY); /* what was emitted and not saved is lost */
    tear_down(&h);
}

static void wrong_arguments_are_refused(void **state) {
    (void)state;
    host h;
    leat_value v = leat_int(1), none = leat_null();
    set_up(&h, 1, 0, false);
    assert_int_equal(leat_push_on_rewind(NULL, rewind_to, &h), LEAT_E_ARGUMENT);
    assert_int_equal(leat_push_at(h.source, &v, LEAT_NO_TIME, NULL, 0), LEAT_E_ARGUMENT);
    assert_int_equal(leat_push_at(h.source, &v, LEAT_NO_TIME, &none, 0), LEAT_E_ARGUMENT);
    assert_int_equal(leat_push_at(NULL, &v, LEAT_NO_TIME, &v, 0), LEAT_E_ARGUMENT);
    start(&h);
    assert_int_equal(leat_push_on_rewind(h.source, rewind_to, &h), LEAT_E_STATE);
    push_all(&h);
    tear_down(&h);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(host_goes_back_to_where_the_job_was_saved),
        cmocka_unit_test(host_that_was_through_pushes_its_end_again),
        cmocka_unit_test(job_that_fails_more_often_goes_back_each_time),
        cmocka_unit_test(pushers_that_wait_let_the_host_go_back),
        cmocka_unit_test(host_with_dispatch_goes_back_on_its_own_thread),
        cmocka_unit_test(cancel_before_a_dispatched_rewind_ends_the_job),
        cmocka_unit_test(host_without_a_way_back_goes_on),
        cmocka_unit_test(wrong_arguments_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
