/* Tests of push.c: room and its waits, ends, cancels while somebody waits, several pushers, a
   second run. */
#include "gather.h"

#include <sched.h>
#include <stdatomic.h>
#include <string.h>

typedef struct fixture {
    leat_env *env;
    leat_push_source *source;
    leat_job *job;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool open;    /* the sink lets records through */
    bool reached; /* a record stands before it */
    int64_t count, sum;
} fixture;

/* A sink that blocks its runner until it is opened. A test may; an operator must not. */
static leat_status pass(leat_context *ctx, const leat_record *in, void *arg) {
    (void)ctx;
    fixture *f = arg;
    pthread_mutex_lock(&f->lock);
    f->reached = true;
    pthread_cond_broadcast(&f->changed);
    while (!f->open) pthread_cond_wait(&f->changed, &f->lock);
    f->count++;
    f->sum += in->value.as.i;
    pthread_mutex_unlock(&f->lock);
    return LEAT_OK;
}

static void open_up(fixture *f) {
    pthread_mutex_lock(&f->lock);
    f->open = true;
    pthread_cond_broadcast(&f->changed);
    pthread_mutex_unlock(&f->lock);
}

static void set_up(fixture *f, bool open) {
    memset(f, 0, sizeof *f);
    pthread_mutex_init(&f->lock, NULL);
    pthread_cond_init(&f->changed, NULL);
    f->open = open;
    f->env = env_of(1, 1);
    leat_stream_sink(leat_env_push_source(f->env, &f->source), leat_sink_fn(pass, f));
}

static void start(fixture *f) {
    leat_error err;
    f->job = leat_env_start(f->env, "push", &err);
    assert_non_null(f->job);
}

static void tear_down(fixture *f) {
    open_up(f);
    leat_job_free(f->job);
    leat_env_free(f->env);
    pthread_cond_destroy(&f->changed);
    pthread_mutex_destroy(&f->lock);
}

static leat_status push(fixture *f, int64_t i, int timeout_ms) {
    leat_value v = leat_int(i);
    return leat_push(f->source, &v, LEAT_NO_TIME, timeout_ms);
}

/* Until the queue is full; answers how many went in. */
static int64_t fill(fixture *f) {
    int64_t n = 0;
    leat_status status;
    while ((status = push(f, 1, 0)) == LEAT_OK) n++;
    assert_int_equal(status, LEAT_AGAIN);
    return n;
}

static void push_before_and_after_the_job_is_refused(void **state) {
    (void)state;
    fixture f;
    set_up(&f, true);
    assert_int_equal(push(&f, 1, 0), LEAT_E_STATE);
    assert_int_equal(push(&f, 1, -1), LEAT_E_STATE);
    assert_int_equal(leat_push_end(f.source), LEAT_E_STATE);
    start(&f);
    assert_int_equal(push(&f, 1, 0), LEAT_OK); /* at once, also before its task has opened */
    assert_int_equal(leat_push_end(f.source), LEAT_OK);
    assert_int_equal(push(&f, 1, -1), LEAT_E_STATE);
    assert_int_equal(leat_push_end(f.source), LEAT_E_STATE);
    assert_int_equal(leat_job_wait(f.job, -1), LEAT_OK);
    assert_int_equal(f.count, 1);
    assert_int_equal(push(&f, 1, 0), LEAT_E_STATE);
    tear_down(&f);
}

static void push_of_nothing_is_refused(void **state) {
    (void)state;
    fixture f;
    set_up(&f, true);
    leat_value v = leat_int(1);
    assert_int_equal(leat_push(NULL, &v, 0, 0), LEAT_E_ARGUMENT);
    assert_int_equal(leat_push(f.source, NULL, 0, 0), LEAT_E_ARGUMENT);
    assert_int_equal(leat_push_end(NULL), LEAT_E_ARGUMENT);
    tear_down(&f);
}

static void push_into_a_full_queue_waits_as_long_as_told(void **state) {
    (void)state;
    fixture f;
    set_up(&f, false);
    start(&f);
    int64_t n = fill(&f);
    assert_in_range(n, 1000, 100000);
    assert_int_equal(push(&f, 1, 0), LEAT_AGAIN);
    assert_int_equal(push(&f, 1, 20), LEAT_AGAIN);
    open_up(&f);
    assert_int_equal(push(&f, 1, -1), LEAT_OK);
    assert_int_equal(leat_push_end(f.source), LEAT_OK);
    assert_int_equal(leat_job_wait(f.job, -1), LEAT_OK);
    assert_int_equal(f.count, n + 1);
    tear_down(&f);
}

static void push_copies_before_it_returns(void **state) {
    (void)state;
    gathered g;
    leat_push_source *source;
    leat_error err;
    gathered_init(&g);
    leat_env *env = env_of(1, 1);
    leat_stream_sink(leat_env_push_source(env, &source), gathered_sink(&g));
    leat_job *job = leat_env_start(env, "push", &err);
    char text[] = "first";
    leat_value items[2] = {leat_string(text), leat_int(1)}, v = leat_tuple(items, 2);
    assert_int_equal(leat_push(source, &v, 42, -1), LEAT_OK);
    memset(text, '?', 5);
    items[1] = leat_null();
    assert_int_equal(leat_push_end(source), LEAT_OK);
    assert_int_equal(leat_job_wait(job, -1), LEAT_OK);
    assert_string_equal(gathered_text(&g), "(first,1)@42");
    leat_job_free(job);
    leat_env_free(env);
    gathered_fini(&g);
}

/* --- other threads ---------------------------------------------------------------------------- */

static void *push_and_wait(void *arg) {
    return (void *)(intptr_t)push(arg, 1, -1);
}

static void cancel_while_a_pusher_waits_lets_it_go(void **state) {
    (void)state;
    fixture f;
    pthread_t pusher;
    void *status;
    set_up(&f, false);
    start(&f);
    fill(&f);
    assert_int_equal(pthread_create(&pusher, NULL, push_and_wait, &f), 0);
    leat_job_cancel(f.job);
    open_up(&f);
    assert_int_equal(pthread_join(pusher, &status), 0);
    /* In before the cancel was seen, or refused. */
    assert_true((intptr_t)status == LEAT_E_STATE || (intptr_t)status == LEAT_OK);
    assert_int_equal(leat_job_wait(f.job, -1), LEAT_OK);
    assert_int_equal(push(&f, 1, -1), LEAT_E_STATE);
    tear_down(&f);
}

static void end_while_a_pusher_waits_lets_it_go(void **state) {
    (void)state;
    fixture f;
    pthread_t pusher;
    void *status;
    set_up(&f, false);
    start(&f);
    int64_t n = fill(&f);
    assert_int_equal(pthread_create(&pusher, NULL, push_and_wait, &f), 0);
    assert_int_equal(leat_push_end(f.source), LEAT_OK);
    assert_int_equal(pthread_join(pusher, &status), 0);
    assert_int_equal((intptr_t)status, LEAT_E_STATE);
    open_up(&f);
    assert_int_equal(leat_job_wait(f.job, -1), LEAT_OK);
    assert_int_equal(f.count, n);
    tear_down(&f);
}

enum { PUSHERS = 3, PUSHES = 5000 };

static void *push_many(void *arg) {
    for (int64_t i = 1; i <= PUSHES; i++)
        if (push(arg, i, -1) != LEAT_OK) return arg;
    return NULL;
}

static void pushes_from_several_threads_all_arrive(void **state) {
    (void)state;
    fixture f;
    pthread_t pushers[PUSHERS];
    set_up(&f, true);
    start(&f);
    for (int i = 0; i < PUSHERS; i++)
        assert_int_equal(pthread_create(&pushers[i], NULL, push_many, &f), 0);
    for (int i = 0; i < PUSHERS; i++) {
        void *failed;
        assert_int_equal(pthread_join(pushers[i], &failed), 0);
        assert_null(failed);
    }
    assert_int_equal(leat_push_end(f.source), LEAT_OK);
    assert_int_equal(leat_job_wait(f.job, -1), LEAT_OK);
    assert_int_equal(f.count, PUSHERS * PUSHES);
    assert_int_equal(f.sum, (int64_t)PUSHERS * PUSHES * (PUSHES + 1) / 2);
    tear_down(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(push_before_and_after_the_job_is_refused),
        cmocka_unit_test(push_of_nothing_is_refused),
        cmocka_unit_test(push_into_a_full_queue_waits_as_long_as_told),
        cmocka_unit_test(push_copies_before_it_returns),
        cmocka_unit_test(cancel_while_a_pusher_waits_lets_it_go),
        cmocka_unit_test(end_while_a_pusher_waits_lets_it_go),
        cmocka_unit_test(pushes_from_several_threads_all_arrive),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
