/* Tests of loops in whole jobs (iteration.c, flow/rounds.c): results and ends at any parallelism,
   with little room, with timers, late answers, streams from outside and loops within loops. What is
   refused is in test_loops.c. */
#include "countdown.h"

#include <poll.h>

#include "runtime/base/alloc.h"

static const int parallelisms[] = {1, 2, 4};

#define EACH_PARALLELISM(p) (size_t at = 0, p = 0; at < 3 && (p = (size_t)parallelisms[at]); at++)

/* --- ends ------------------------------------------------------------------------------------- */

typedef leat_stream *(*partition)(leat_stream *s);
static leat_stream *as_it_is(leat_stream *s) {
    return s;
}
static leat_stream *keyed(leat_stream *s) {
    return leat_stream_key_by(s, leat_field(0));
}

static void loop_ends_when_nothing_comes_back(void **state) {
    (void)state;
    static const partition ways[] = {as_it_is,           leat_stream_rebalance, leat_stream_shuffle,
                                     leat_stream_global, leat_stream_rescale,   keyed};
    for
        EACH_PARALLELISM(p)
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        tally t;
        leat_env *env = small_env((int)p);
        leat_stream *loop = leat_stream_iterate(leat_env_sequence(env, 1, 200), 0);
        leat_stream *body = count_down(loop);
        leat_iteration_close(loop, ways[i](filter(body, is_positive)));
        add_to(filter(body, is_not_positive), &t);
        env_run(env);
        expect_tally(&t, 200, 0);
        leat_env_free(env);
    }
}

static void loop_broadcast_back_multiplies(void **state) {
    (void)state;
    for
        EACH_PARALLELISM(p) {
            tally t;
            long long expected = 0, copies = 1;
            leat_env *env = small_env((int)p);
            leat_stream *loop = leat_stream_iterate(leat_env_sequence(env, 5, 5), 0);
            leat_stream *body = count_down(loop);
            leat_iteration_close(loop, leat_stream_broadcast(filter(body, is_positive)));
            add_to(body, &t);
            env_run(env);
            for (int i = 0; i < 5; i++, copies *= (long long)p) expected += copies;
            assert_int_equal(atomic_load(&t.count), expected);
            leat_env_free(env);
        }
}

static void loop_with_nothing_in_it_ends(void **state) {
    (void)state;
    for
        EACH_PARALLELISM(p) {
            tally t;
            leat_env *env = small_env((int)p);
            leat_stream *loop =
                leat_stream_iterate(filter(leat_env_sequence(env, -5, 0), is_positive),
                                    1000000); /* nobody waits so long */
            add_to(leat_iteration_close(loop, count_down(loop)), &t);
            env_run(env);
            expect_tally(&t, 0, 0);
            leat_env_free(env);
        }
}

static leat_status twice_less_one(leat_context *ctx, const leat_record *in, leat_emitter *out,
                                  void *arg) {
    (void)ctx, (void)arg;
    leat_value less = leat_int(in->value.as.i - 1);
    leat_status status = leat_emitter_push(out, &less);
    return status < 0 ? status : leat_emitter_push(out, &less);
}

/* 2^14 records and more are on their way at the same time, and memory holds some dozen. */
static void loop_body_that_multiplies_spills(void **state) {
    (void)state;
    enum { DEPTH = 14, ROOTS = 2 };
    for
        EACH_PARALLELISM(p) {
            tally t;
            leat_env *env = small_env((int)p);
            leat_stream *roots = leat_env_sequence(env, DEPTH, DEPTH + ROOTS - 1);
            leat_stream *loop = leat_stream_iterate(roots, 0);
            leat_stream *body = leat_stream_flat_map(loop, leat_flat_map_fn(twice_less_one, NULL));
            leat_iteration_close(loop, leat_stream_rebalance(filter(body, is_positive)));
            add_to(filter(body, is_not_positive), &t);
            env_run(env);
            expect_tally(&t, (1 << DEPTH) * ((1 << ROOTS) - 1), 0);
            leat_env_free(env);
        }
}

static leat_status collatz(leat_context *ctx, const leat_record *in, leat_emitter *out, void *arg) {
    const leat_value *item = in->value.as.items;
    int64_t n = item[1].as.i;
    (void)ctx, (void)arg;
    leat_value next[3] = {item[0], leat_int(n % 2 ? 3 * n + 1 : n / 2), leat_int(item[2].as.i + 1)};
    leat_value tuple = leat_tuple(next, 3);
    return leat_emitter_push(out, &tuple);
}

static leat_status begin_collatz(leat_context *ctx, const leat_record *in, leat_emitter *out,
                                 void *arg) {
    (void)ctx, (void)arg;
    leat_value first[3] = {in->value, in->value, leat_int(0)};
    leat_value tuple = leat_tuple(first, 3);
    return leat_emitter_push(out, &tuple);
}

static leat_status not_one(leat_context *ctx, const leat_record *in, bool *keep, void *arg) {
    (void)ctx;
    *keep = (in->value.as.items[1].as.i != 1) == (arg == NULL);
    return LEAT_OK;
}

static leat_status steps(leat_context *ctx, const leat_record *in, leat_value *out, void *arg) {
    (void)ctx, (void)arg;
    *out = in->value.as.items[2];
    return LEAT_OK;
}

static void loop_keyed_body_gives_collatz(void **state) {
    (void)state;
    long long sum = 0;
    for (int64_t start = 2; start <= 300; start++)
        for (int64_t n = start; n != 1; n = n % 2 ? 3 * n + 1 : n / 2) sum++;
    for
        EACH_PARALLELISM(p) {
            tally t;
            leat_env *env = small_env((int)p);
            leat_stream *s = leat_stream_flat_map(leat_env_sequence(env, 2, 300),
                                                  leat_flat_map_fn(begin_collatz, NULL));
            leat_stream *loop = leat_stream_iterate(s, 0);
            leat_stream *body = leat_stream_flat_map(leat_stream_key_by(loop, leat_field(1)),
                                                     leat_flat_map_fn(collatz, NULL));
            leat_iteration_close(loop, leat_stream_filter(body, leat_filter_fn(not_one, NULL)));
            leat_stream *done = leat_stream_filter(body, leat_filter_fn(not_one, &t));
            add_to(leat_stream_map(done, leat_map_fn(steps, NULL)), &t);
            env_run(env);
            expect_tally(&t, 299, sum);
            leat_env_free(env);
        }
}

/* --- several loops ---------------------------------------------------------------------------- */

static void loops_in_a_row_and_beside_each_other_end(void **state) {
    (void)state;
    for
        EACH_PARALLELISM(p) {
            tally t, u;
            leat_env *env = small_env((int)p);
            leat_stream *s = leat_env_sequence(env, 1, 50);
            leat_stream *a = leat_stream_iterate(s, 0), *b = leat_stream_iterate(s, 0);
            leat_stream *body_a = count_down(a), *body_b = count_down(leat_stream_rebalance(b));
            leat_iteration_close(a, filter(body_a, is_positive));
            leat_iteration_close(b, filter(body_b, is_positive));
            leat_stream *c = leat_stream_iterate(
                leat_stream_union(filter(body_a, is_not_positive), filter(body_b, is_not_positive)),
                0);
            leat_stream *body_c = leat_stream_rebalance(count_down(c));
            leat_stream *more = leat_stream_map(body_c, leat_map_fn(less_one, NULL));
            leat_iteration_close(c, filter(leat_stream_rebalance(more), is_positive)); /* nothing */
            add_to(body_a, &t);
            add_to(more, &u);
            env_run(env);
            assert_int_equal(atomic_load(&t.count), 50 * 51 / 2);
            expect_tally(&u, 100, -200);
            leat_env_free(env);
        }
}

/* A number is 100 times the rounds that the outer loop has still to do, and what the inner loop
   counts down. */
static leat_status inner_goes_on(leat_context *ctx, const leat_record *in, bool *keep, void *arg) {
    (void)ctx;
    *keep = (in->value.as.i % 100 > 0) == (arg == NULL);
    return LEAT_OK;
}

static leat_status next_outer(leat_context *ctx, const leat_record *in, leat_value *out,
                              void *arg) {
    (void)ctx, (void)arg;
    *out = leat_int(in->value.as.i - 100 + 7);
    return LEAT_OK;
}

static leat_status more_than_seven(leat_context *ctx, const leat_record *in, bool *keep,
                                   void *arg) {
    (void)ctx, (void)arg;
    *keep = in->value.as.i > 7;
    return LEAT_OK;
}

static void loop_within_a_loop_ends(void **state) {
    (void)state;
    long long inner_steps = 0, exits = 0;
    for (int64_t start = 201; start <= 260; start++)
        for (int64_t n = start; n > 7; n = n - 100 + 7, exits++)
            for (; n % 100; n--) inner_steps++;
    for
        EACH_PARALLELISM(p) {
            tally t, u;
            leat_env *env = small_env((int)p);
            leat_stream *outer = leat_stream_iterate(leat_env_sequence(env, 201, 260), 0);
            leat_stream *inner = leat_stream_iterate(leat_stream_rebalance(outer), 0);
            leat_stream *down = count_down(leat_stream_rebalance(inner));
            leat_stream *goes_on = leat_stream_filter(down, leat_filter_fn(inner_goes_on, NULL));
            leat_iteration_close(inner, leat_stream_shuffle(goes_on));
            leat_stream *exit = leat_stream_filter(down, leat_filter_fn(inner_goes_on, &t));
            leat_stream *next = leat_stream_map(exit, leat_map_fn(next_outer, NULL));
            leat_iteration_close(outer, filter(leat_stream_rebalance(next), more_than_seven));
            add_to(down, &t);
            add_to(exit, &u);
            env_run(env);
            assert_int_equal(atomic_load(&t.count), inner_steps);
            assert_int_equal(atomic_load(&u.count), exits);
            leat_env_free(env);
        }
}

/* --- time ------------------------------------------------------------------------------------- */

/* Waits with each record for a timer, which lets it go, one less. */
typedef struct waiter {
    leat_time_domain domain;
    leat_state *value;
} waiter;

static leat_status waiter_open(leat_context *ctx, void *arg, void **self) {
    waiter *w = calloc(1, sizeof *w);
    leat_error err;
    if (!w) return LEAT_E_NOMEM;
    *self = w;
    w->domain = *(leat_time_domain *)arg;
    return leat_context_state(ctx, "value", LEAT_VALUE_STATE, NULL, &w->value, &err);
}

static void waiter_close(leat_context *ctx, void *self) {
    (void)ctx;
    free(self);
}

static leat_status waiter_on_record(leat_context *ctx, unsigned input, const leat_record *in,
                                    leat_emitter *out, void *self) {
    waiter *w = self;
    (void)input, (void)out;
    bool event = w->domain == LEAT_EVENT_TIME;
    leat_timer timer = {w->domain, event ? in->value.as.i : leat_context_now(ctx) + 3, {NULL, 0}};
    leat_status status = leat_state_put(ctx, w->value, (leat_namespace){NULL, 0}, &in->value);
    return status < 0 ? status : leat_timer_set(ctx, &timer);
}

static leat_status waiter_on_timer(leat_context *ctx, const leat_timer *timer, leat_emitter *out,
                                   void *self) {
    waiter *w = self;
    leat_value v;
    (void)ctx, (void)timer;
    leat_status status = leat_state_get(ctx, w->value, (leat_namespace){NULL, 0}, &v);
    if (status != LEAT_OK) return status < 0 ? status : LEAT_OK;
    v = leat_int(v.as.i - 1);
    return leat_emitter_push(out, &v);
}

static leat_status thousands(leat_context *ctx, const leat_record *in, leat_value *key, void *arg) {
    (void)ctx, (void)arg;
    *key = leat_int(in->value.as.i / 1000);
    return LEAT_OK;
}

static leat_status thousandths(leat_context *ctx, const leat_record *in, bool *keep, void *arg) {
    (void)ctx, (void)arg;
    *keep = in->value.as.i % 1000 > 0;
    return LEAT_OK;
}

static leat_status times_1000_and_3(leat_context *ctx, const leat_record *in, leat_value *out,
                                    void *arg) {
    (void)ctx, (void)arg;
    *out = leat_int(in->value.as.i * 1000 + 3);
    return LEAT_OK;
}

static leat_stream *wait_for(leat_stream *s, leat_time_domain *domain) {
    leat_function f = leat_keyed_process_fn(waiter_on_record, waiter_on_timer, domain);
    f.open = waiter_open;
    f.close = waiter_close;
    return leat_stream_process(leat_stream_key_by(s, leat_key_fn(thousands, NULL)), f);
}

/* Results that only timers give. The loop waits for those of processing time. Those of event time
   fire at the last watermark, which comes once, when nothing else is on its way; what comes back
   then sets timers for a time that is past, and these never fire, as everywhere. */
static void loop_waits_for_timers(void **state) {
    (void)state;
    for (int d = 0; d < 2; d++)
        for
            EACH_PARALLELISM(p) {
                tally t;
                leat_time_domain domain = d ? LEAT_PROCESSING_TIME : LEAT_EVENT_TIME;
                leat_env *env = small_env((int)p);
                leat_stream *s = leat_env_sequence(env, 1, 20);
                s = leat_stream_map(s, leat_map_fn(times_1000_and_3, NULL));
                leat_stream *loop = leat_stream_iterate(s, 0);
                leat_stream *body = wait_for(loop, &domain);
                leat_iteration_close(loop, filter(body, thousandths));
                add_to(body, &t);
                env_run(env);
                assert_int_equal(atomic_load(&t.count), d ? 60 : 20);
                leat_env_free(env);
            }
}

/* --- an operator that gives out at the end ---------------------------------------------------- */

typedef struct keeper {
    int64_t kept[4096];
    int count, ends;
    leat_cursor cursor;
} keeper;

static leat_status keeper_on_record(leat_context *ctx, void *self, unsigned input,
                                    const leat_record *in) {
    keeper *k = self;
    (void)input;
    if (k->ends) return leat_emit(ctx, in);
    k->kept[k->count++] = in->value.as.i;
    return LEAT_OK;
}

static leat_status keeper_end(leat_context *ctx, void *self, unsigned input) {
    keeper *k = self;
    leat_status status = LEAT_OK;
    (void)input;
    assert_int_equal(k->ends++, 0); /* told once */
    for (int i = 0; i < k->count && status >= 0; i++) {
        leat_record r = leat_record_of(leat_int(k->kept[i]), LEAT_NO_TIME);
        status = leat_emit(ctx, &r);
    }
    return status < 0 ? status : LEAT_OK;
}

static const leat_operator keeper_operator = {
    .size = sizeof(leat_operator),
    .name = "keeper",
    .inputs = 1,
    .self_size = sizeof(keeper),
    .on_record = keeper_on_record,
    .on_end_of_data = keeper_end,
};

static void loop_goes_on_with_what_the_end_brought_back(void **state) {
    (void)state;
    for
        EACH_PARALLELISM(p) {
            tally t;
            leat_env *env = small_env((int)p);
            leat_stream *loop = leat_stream_iterate(leat_env_sequence(env, 1, 100), 0);
            leat_stream *body = count_down(loop);
            body = leat_graph_add(NULL, &keeper_operator, NULL, 0, &body, 1);
            leat_iteration_close(loop, leat_stream_rebalance(filter(body, is_positive)));
            add_to(filter(body, is_not_positive), &t);
            env_run(env);
            expect_tally(&t, 100, 0);
            leat_env_free(env);
        }
}

/* --- streams from outside --------------------------------------------------------------------- */

/* What the body reads from outside goes round, too; it comes late and slowly. */
static void loop_waits_for_a_stream_from_outside(void **state) {
    (void)state;
    for
        EACH_PARALLELISM(p) {
            tally t;
            leat_push_source *push;
            leat_error err;
            leat_env *env = small_env((int)p);
            leat_stream *loop = leat_stream_iterate(leat_env_sequence(env, 1, 10), 0);
            leat_stream *outside = leat_env_push_source(env, &push);
            leat_stream *body =
                leat_stream_co_map(leat_stream_rebalance(loop), leat_stream_rebalance(outside),
                                   leat_co_map_fn(take_first, NULL));
            leat_iteration_close(loop, filter(body, is_positive));
            add_to(filter(body, is_not_positive), &t);
            leat_job *job = leat_env_start(env, "outside", &err);
            assert_non_null(job);
            for (int64_t i = 1; i <= 5; i++) {
                leat_value v = leat_int(i);
                assert_int_equal(leat_push(push, &v, LEAT_NO_TIME, -1), LEAT_OK);
                while (atomic_load(&t.count) < 10 + i)
                    assert_int_equal(leat_job_wait(job, 5), LEAT_AGAIN);
            }
            assert_int_equal(leat_push_end(push), LEAT_OK);
            assert_int_equal(leat_job_wait(job, -1), LEAT_OK);
            assert_int_equal(leat_job_status(job), LEAT_JOB_FINISHED);
            expect_tally(&t, 15, 0);
            leat_job_free(job);
            leat_env_free(env);
        }
}

/* --- calls that answer later ------------------------------------------------------------------ */

enum { MOST_CALLS = 64 };

static struct later {
    pthread_mutex_t lock;
    leat_async_call *calls[MOST_CALLS];
    int64_t values[MOST_CALLS];
    int count;
    bool stop;
} later = {.lock = PTHREAD_MUTEX_INITIALIZER};

static leat_status ask_later(leat_context *ctx, const leat_record *in, size_t count,
                             leat_async_call *call, void *self) {
    (void)ctx, (void)self;
    pthread_mutex_lock(&later.lock);
    assert_true(count == 1 && later.count < MOST_CALLS);
    later.calls[later.count] = call;
    later.values[later.count++] = in->value.as.i - 1;
    pthread_mutex_unlock(&later.lock);
    return LEAT_OK;
}

/* Answers what was asked, in bunches. */
static void *answer_all(void *arg) {
    for (bool stop = false; !stop;) {
        poll(NULL, 0, 2);
        pthread_mutex_lock(&later.lock);
        stop = later.stop;
        while (later.count) {
            leat_value v = leat_int(later.values[--later.count]);
            leat_async_complete(later.calls[later.count], &v, 1);
        }
        pthread_mutex_unlock(&later.lock);
    }
    return arg;
}

static void loop_waits_for_calls_that_have_not_answered(void **state) {
    (void)state;
    static const leat_async table = {.size = sizeof table, .begin = ask_later};
    pthread_t thread;
    later.stop = false;
    pthread_create(&thread, NULL, answer_all, NULL);
    for
        EACH_PARALLELISM(p) {
            tally t;
            leat_env *env = small_env((int)p);
            leat_async_options options = leat_async_options_defaults();
            options.capacity = 4;
            leat_stream *loop = leat_stream_iterate(leat_env_sequence(env, 1, 12), 0);
            leat_stream *body = leat_stream_async_ordered(leat_stream_rebalance(loop),
                                                          leat_async_fn(&table, NULL), &options);
            leat_iteration_close(loop, filter(body, is_positive));
            add_to(filter(body, is_not_positive), &t);
            env_run(env);
            expect_tally(&t, 12, 0);
            leat_env_free(env);
        }
    pthread_mutex_lock(&later.lock);
    later.stop = true;
    pthread_mutex_unlock(&later.lock);
    pthread_join(thread, NULL);
}

/* --- ends that are no ends of data ------------------------------------------------------------ */

static leat_status counted(leat_context *ctx, const leat_record *in, leat_value *out, void *arg) {
    (void)ctx;
    atomic_fetch_add((atomic_int *)arg, 1);
    *out = in->value;
    return LEAT_OK;
}

static void loop_without_end_is_cancelled(void **state) {
    (void)state;
    for
        EACH_PARALLELISM(p) {
            leat_error err;
            atomic_int rounds = 0;
            leat_env *env = small_env((int)p);
            leat_stream *loop = leat_stream_iterate(leat_env_sequence(env, 1, 1000), 0);
            leat_stream *body =
                leat_stream_map(leat_stream_rebalance(loop), leat_map_fn(counted, &rounds));
            leat_iteration_close(loop, leat_stream_shuffle(body));
            leat_job *job = leat_env_start(env, "for ever", &err);
            assert_non_null(job);
            while (atomic_load(&rounds) < 5000) assert_int_equal(leat_job_wait(job, 5), LEAT_AGAIN);
            leat_job_cancel(job);
            assert_int_equal(leat_job_wait(job, 20000), LEAT_OK);
            assert_int_equal(leat_job_status(job), LEAT_JOB_CANCELED);
            leat_job_free(job);
            leat_env_free(env);
        }
}

static leat_status break_at_7(leat_context *ctx, const leat_record *in, leat_value *out,
                              void *arg) {
    (void)arg;
    *out = leat_int(in->value.as.i - 1);
    return in->value.as.i == 7 ? leat_context_fail(ctx, LEAT_E_RANGE, "seven") : LEAT_OK;
}

static void loop_failure_in_the_body_ends_the_job(void **state) {
    (void)state;
    leat_error err;
    leat_env *env = small_env(2);
    leat_stream *loop = leat_stream_iterate(leat_env_sequence(env, 20, 30), 0);
    leat_stream *body = leat_stream_map(loop, leat_map_fn(break_at_7, NULL));
    leat_iteration_close(loop, leat_stream_rebalance(body));
    assert_int_equal(run(env, &err), LEAT_E_RANGE);
    assert_string_equal(err.text, "seven");
    leat_env_free(env);
}

static void loop_without_a_disk_fails(void **state) {
    (void)state;
    leat_error err;
    leat_env *env = small_env(2);
    assert_int_equal(leat_env_set(env, "io.tmp.dirs", "/nonexistent", &err), LEAT_OK);
    leat_stream *loop = leat_stream_iterate(leat_env_sequence(env, 15, 16), 0);
    leat_stream *body = leat_stream_flat_map(loop, leat_flat_map_fn(twice_less_one, NULL));
    leat_iteration_close(loop, leat_stream_rebalance(filter(body, is_positive)));
    assert_int_equal(run(env, &err), LEAT_E_IO);
    assert_string_equal(err.text, "no file can be made in '/nonexistent': No such file or "
                                  "directory; name a folder with room in io.tmp.dirs");
    leat_env_free(env);
}

/* --- memory that runs out --------------------------------------------------------------------- */

/* A loop that also spills. */
static leat_status loop_with_memory_for(int64_t n) {
    leat_error err = {.status = LEAT_OK};
    leat_options options = leat_options_defaults();
    const char *settings[] = {"parallelism.default",
                              "2",
                              "pipeline.channel.capacity",
                              "3",
                              "pipeline.channel.memory",
                              "200",
                              NULL};
    options.settings = settings;
    tally t;
    leati_alloc_fail_after(n);
    leat_env *env = leat_env_new(&options, &err);
    leat_status status = env ? LEAT_OK : err.status;
    if (env) {
        leat_stream *loop = leat_stream_iterate(leat_env_sequence(env, 5, 5), 0);
        leat_stream *body = leat_stream_flat_map(loop, leat_flat_map_fn(twice_less_one, NULL));
        leat_iteration_close(loop, leat_stream_rebalance(filter(body, is_positive)));
        add_to(filter(body, is_not_positive), &t);
        status = leat_env_execute(env, "small", &err);
    }
    leati_alloc_fail_after(-1);
    if (status == LEAT_OK) expect_tally(&t, 32, 0);
    leat_env_free(env);
    return status;
}

static void loop_without_memory_fails_and_nothing_else(void **state) {
    (void)state;
    leat_status status = LEAT_E_NOMEM;
    for (int64_t n = 1; status != LEAT_OK && n < 8000; n += 1 + n / 100) {
        status = loop_with_memory_for(n);
        if (status != LEAT_OK) assert_int_equal(status, LEAT_E_NOMEM);
    }
    assert_int_equal(status, LEAT_OK);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loop_ends_when_nothing_comes_back),
        cmocka_unit_test(loop_broadcast_back_multiplies),
        cmocka_unit_test(loop_with_nothing_in_it_ends),
        cmocka_unit_test(loop_body_that_multiplies_spills),
        cmocka_unit_test(loop_keyed_body_gives_collatz),
        cmocka_unit_test(loops_in_a_row_and_beside_each_other_end),
        cmocka_unit_test(loop_within_a_loop_ends),
        cmocka_unit_test(loop_waits_for_timers),
        cmocka_unit_test(loop_goes_on_with_what_the_end_brought_back),
        cmocka_unit_test(loop_waits_for_a_stream_from_outside),
        cmocka_unit_test(loop_waits_for_calls_that_have_not_answered),
        cmocka_unit_test(loop_without_end_is_cancelled),
        cmocka_unit_test(loop_failure_in_the_body_ends_the_job),
        cmocka_unit_test(loop_without_a_disk_fails),
        cmocka_unit_test(loop_without_memory_fails_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
