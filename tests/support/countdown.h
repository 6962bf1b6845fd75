/* countdown.h: for tests of loops: integers that are counted down, a tally of what came out, jobs
   with little room. */
#ifndef LEAT_TESTS_COUNTDOWN_H
#define LEAT_TESTS_COUNTDOWN_H

#include "gather.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static inline leat_env *small_env(int parallelism) {
    leat_env *env = env_of(parallelism, 3);
    leat_error err;
    assert_int_equal(leat_env_set(env, "pipeline.channel.memory", "2kb", &err), LEAT_OK);
    return env;
}

static inline leat_status less_one(leat_context *ctx, const leat_record *in, leat_value *out,
                                   void *arg) {
    (void)ctx, (void)arg;
    *out = leat_int(in->value.as.i - 1);
    return LEAT_OK;
}

static inline leat_status is_positive(leat_context *ctx, const leat_record *in, bool *keep,
                                      void *arg) {
    (void)ctx, (void)arg;
    *keep = in->value.as.i > 0;
    return LEAT_OK;
}

static inline leat_status is_not_positive(leat_context *ctx, const leat_record *in, bool *keep,
                                          void *arg) {
    (void)ctx, (void)arg;
    *keep = in->value.as.i <= 0;
    return LEAT_OK;
}

static inline leat_stream *filter(leat_stream *s, leat_filter_call call) {
    return leat_stream_filter(s, leat_filter_fn(call, NULL));
}

static inline leat_stream *count_down(leat_stream *s) {
    return leat_stream_map(s, leat_map_fn(less_one, NULL));
}

typedef struct tally {
    atomic_llong count, sum;
} tally;

static inline leat_status add_up(leat_context *ctx, const leat_record *in, void *arg) {
    tally *t = arg;
    (void)ctx;
    atomic_fetch_add(&t->count, 1);
    atomic_fetch_add(&t->sum, in->value.as.i);
    return LEAT_OK;
}

static inline void add_to(leat_stream *s, tally *t) {
    *t = (tally){0};
    leat_stream_sink(s, leat_sink_fn(add_up, t));
}

static inline void expect_tally(tally *t, long long count, long long sum) {
    assert_int_equal(atomic_load(&t->count), count);
    assert_int_equal(atomic_load(&t->sum), sum);
}

static inline leat_status take_first(leat_context *ctx, unsigned input, const leat_record *in,
                                     leat_emitter *out, void *arg) {
    (void)ctx, (void)arg;
    leat_value v = leat_int(in->value.as.i - (input == 0));
    return leat_emitter_push(out, &v);
}

/* The job's status and error. */
static inline leat_status run(leat_env *env, leat_error *err) {
    *err = (leat_error){.text = ""};
    return leat_env_execute(env, "test", err);
}

#endif
