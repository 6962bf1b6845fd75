/* Tests of async_call.c: calls that another thread completes, in any order, also while the operator
   ends. */
#include "expect.h"

#include <pthread.h>
#include <stdlib.h>

enum { MOST_CALLS = 64 };

typedef struct crew {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct {
        leat_async_call *call;
        int64_t value;
    } jobs[MOST_CALLS];
    int count;
    bool over;
    unsigned random;
} crew;

static leat_status crew_begin(leat_context *ctx, const leat_record *in, size_t count,
                              leat_async_call *call, void *self) {
    (void)ctx, (void)count;
    crew *c = self;
    pthread_mutex_lock(&c->lock);
    assert_true(c->count < MOST_CALLS);
    c->jobs[c->count].value = in->value.as.i;
    c->jobs[c->count++].call = call;
    pthread_cond_signal(&c->changed);
    pthread_mutex_unlock(&c->lock);
    return LEAT_OK;
}

/* Does one of the jobs that wait, any of them; now and then only at the second attempt. */
static void *crew_main(void *arg) {
    crew *c = arg;
    pthread_mutex_lock(&c->lock);
    while (!c->over || c->count) {
        if (!c->count) {
            pthread_cond_wait(&c->changed, &c->lock);
            continue;
        }
        c->random = c->random * 1103515245u + 12345u;
        int i = (int)((c->random >> 16) % (unsigned)c->count);
        leat_async_call *call = c->jobs[i].call;
        leat_value v = leat_int(c->jobs[i].value);
        c->jobs[i] = c->jobs[--c->count];
        pthread_mutex_unlock(&c->lock);
        if (v.as.i % 10 == 3 && leat_async_attempt(call) == 1)
            leat_async_retry(call, 0);
        else if (leat_async_complete(call, &v, 1) < 0)
            abort();
        pthread_mutex_lock(&c->lock);
    }
    pthread_mutex_unlock(&c->lock);
    return NULL;
}

static void crew_ends(crew *c) {
    pthread_mutex_lock(&c->lock);
    c->over = true;
    pthread_cond_signal(&c->changed);
    pthread_mutex_unlock(&c->lock);
    pthread_join(c->thread, NULL);
    pthread_cond_destroy(&c->changed);
    pthread_mutex_destroy(&c->lock);
}

static void push_at(harness *h, int64_t i, int64_t time) {
    leat_value v = leat_int(i);
    assert_true(harness_push(h, 0, &v, time) >= 0);
}

static void drive_to_the_end(harness *h, int64_t clock) {
    while (!harness_ended(h)) {
        leat_status status = harness_clock(h, ++clock);
        assert_true(status >= 0);
        if (!harness_ended(h)) harness_wait(h);
    }
}

static void answers_of_another_thread(void **state) {
    enum { RECORDS = 2000 };
    static const leat_async crew_table = {.size = sizeof(leat_async), .begin = crew_begin};
    crew c = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
    assert_int_equal(pthread_create(&c.thread, NULL, crew_main, &c), 0);
    leat_function f = leat_async_fn(&crew_table, &c);
    leat_arg args[] = {leat_arg_function("function", &f), leat_arg_int("ordered", *state != NULL),
                       leat_arg_int("capacity", 50)};
    harness *h = harness_new(&leat_async_operator, args, 3, NULL);
    for (int64_t i = 0; i < RECORDS; i++) push_at(h, i, i);
    int64_t clock = 0, sum = 0;
    assert_true(harness_end(h, 0) >= 0);
    drive_to_the_end(h, clock);
    assert_int_equal(harness_count(h), RECORDS);
    for (int64_t i = 0; i < RECORDS; i++) {
        int64_t value = atoll(harness_next(h));
        if (*state) assert_int_equal(value, i);
        sum += value;
    }
    assert_int_equal(sum, (int64_t)RECORDS * (RECORDS - 1) / 2);
    harness_free(h);
    crew_ends(&c);
}

static void a_thread_answers_while_the_operator_ends(void **state) {
    (void)state;
    static const leat_async crew_table = {.size = sizeof(leat_async), .begin = crew_begin};
    for (int round = 0; round < 50; round++) {
        crew c = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
        assert_int_equal(pthread_create(&c.thread, NULL, crew_main, &c), 0);
        leat_function f = leat_async_fn(&crew_table, &c);
        leat_arg args[] = {leat_arg_function("function", &f), leat_arg_int("ordered", 0),
                           leat_arg_int("capacity", 50)};
        harness *h = harness_new(&leat_async_operator, args, 3, NULL);
        for (int64_t i = 0; i < 40; i++) push_at(h, i, i);
        harness_free(h);
        crew_ends(&c);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        {"answers_of_another_thread, unordered", answers_of_another_thread, NULL, NULL, NULL},
        {"answers_of_another_thread, ordered", answers_of_another_thread, NULL, NULL, (void *)1},
        cmocka_unit_test(a_thread_answers_while_the_operator_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
