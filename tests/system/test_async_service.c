/* A C program with an asynchronous service: jobs with calls that threads of the program answer. */
#include <leat.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "needs.h"

enum { WORKERS = 2, MOST_WAITING = 1024, RECORDS = 5000 };

/* A queue of questions and the threads that answer them: with twice the number. */
typedef struct service {
    pthread_t threads[WORKERS];
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct {
        leat_async_call *call;
        int64_t number;
    } waiting[MOST_WAITING];
    int count, most;
    bool over;
} service;

static void answer(leat_async_call *call, int64_t number) {
    leat_value twice = leat_int(2 * number), none = leat_string("7 has no answer");
    leat_status status = number == 7 ? leat_async_fail(call, LEAT_E_NOT_FOUND, &none)
                                     : leat_async_complete(call, &twice, 1);
    if (status < 0) abort();
}

static void *service_main(void *arg) {
    service *s = arg;
    pthread_mutex_lock(&s->lock);
    while (!s->over || s->count) {
        if (!s->count) {
            pthread_cond_wait(&s->changed, &s->lock);
            continue;
        }
        s->count--;
        leat_async_call *call = s->waiting[s->count].call;
        int64_t number = s->waiting[s->count].number;
        pthread_mutex_unlock(&s->lock);
        answer(call, number);
        pthread_mutex_lock(&s->lock);
    }
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

static leat_status service_ask(leat_context *ctx, const leat_record *in, size_t count,
                               leat_async_call *call, void *arg) {
    (void)ctx;
    (void)count;
    service *s = arg;
    pthread_mutex_lock(&s->lock);
    assert_true(s->count < MOST_WAITING);
    s->waiting[s->count].number = in->value.as.i;
    s->waiting[s->count++].call = call;
    if (s->count > s->most) s->most = s->count;
    pthread_cond_signal(&s->changed);
    pthread_mutex_unlock(&s->lock);
    return LEAT_OK;
}

static const leat_async service_table = {.size = sizeof(leat_async), .begin = service_ask};

static void service_start(service *s) {
    memset(s, 0, sizeof *s);
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->changed, NULL);
    for (int i = 0; i < WORKERS; i++)
        assert_int_equal(pthread_create(&s->threads[i], NULL, service_main, s), 0);
}

static void service_stop(service *s) {
    pthread_mutex_lock(&s->lock);
    s->over = true;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
    for (int i = 0; i < WORKERS; i++) pthread_join(s->threads[i], NULL);
    pthread_cond_destroy(&s->changed);
    pthread_mutex_destroy(&s->lock);
}

/* What came out, by all subtasks of the sink. */
typedef struct tally {
    atomic_llong count, sum;
    int64_t last;
    bool in_order;
} tally;

static leat_status count_it(leat_context *ctx, const leat_record *in, void *arg) {
    (void)ctx;
    tally *t = arg;
    t->count++;
    t->sum += in->value.as.i;
    t->in_order &= in->value.as.i >= t->last;
    t->last = in->value.as.i;
    return LEAT_OK;
}

static leat_status run(int64_t first, int64_t last, bool ordered, const char *parallelism,
                       service *s, tally *t, leat_error *err) {
    leat_options options = leat_options_defaults();
    options.settings = (const char *const[]){"parallelism.default", parallelism, NULL};
    leat_env *env = leat_env_new(&options, err);
    leat_async_options calls = leat_async_options_defaults();
    calls.capacity = 50;
    leat_stream *numbers = leat_env_sequence(env, first, last);
    leat_function ask = leat_async_fn(&service_table, s);
    leat_stream *answers = ordered ? leat_stream_async_ordered(numbers, ask, &calls)
                                   : leat_stream_async_unordered(numbers, ask, &calls);
    *t = (tally){.last = INT64_MIN, .in_order = true};
    leat_stream_sink(leat_stream_global(answers), leat_sink_fn(count_it, t));
    leat_status status = leat_env_execute(env, "service", err);
    leat_env_free(env);
    return status;
}

static void answers_of_threads_arrive(void **state) {
    (void)state;
    static const char *const parallelism[] = {"1", "3"};
    for (int i = 0; i < 4; i++) {
        service s;
        tally t;
        leat_error err = {.text = ""};
        service_start(&s);
        leat_status status = run(1000, 999 + RECORDS, i % 2, parallelism[i / 2], &s, &t, &err);
        service_stop(&s);
        assert_string_equal(err.text, "");
        assert_int_equal(status, LEAT_OK);
        assert_int_equal(t.count, RECORDS);
        assert_int_equal(t.sum, (int64_t)RECORDS * (1999 + RECORDS));
        assert_in_range(s.most, 1, 3 * 50);
        if (i == 1) assert_true(t.in_order);
    }
}

static void a_failed_call_is_told(void **state) {
    (void)state;
    service s;
    tally t;
    leat_error err = {.text = ""};
    service_start(&s);
    assert_int_equal(run(0, 20, true, "1", &s, &t, &err), LEAT_E_NOT_FOUND);
    service_stop(&s);
    assert_string_equal(err.where, "async (1/1)");
    assert_string_equal(err.text, "7 has no answer");
}

static void a_function_of_another_role_is_refused(void **state) {
    (void)state;
    leat_error err = {.text = ""};
    leat_env *env = leat_env_new(NULL, &err);
    leat_stream_async_ordered(leat_env_sequence(env, 0, 1), leat_sink_fn(count_it, NULL), NULL);
    assert_int_equal(leat_env_execute(env, "wrong", &err), LEAT_E_ARGUMENT);
    assert_non_null(strstr(err.text, "a async function is needed"));
    leat_env_free(env);
}

static void a_capacity_of_nothing_is_refused(void **state) {
    (void)state;
    leat_error err = {.text = ""};
    leat_env *env = leat_env_new(NULL, &err);
    leat_async_options options = leat_async_options_defaults();
    options.capacity = -3;
    leat_stream_async_unordered(leat_env_sequence(env, 0, 1), leat_async_fn(&service_table, NULL),
                                &options);
    assert_int_equal(leat_env_execute(env, "wrong", &err), LEAT_E_ARGUMENT);
    assert_non_null(strstr(err.text, "the capacity is -3; it must be above 0"));
    leat_env_free(env);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_of_threads_arrive),
        cmocka_unit_test(a_failed_call_is_told),
        cmocka_unit_test(a_function_of_another_role_is_refused),
        cmocka_unit_test(a_capacity_of_nothing_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
