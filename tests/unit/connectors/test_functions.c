/* Tests of function_source.c, function_sink.c and callback_sink.c. */
#include "expect.h"

#include "runtime/base/alloc.h"
#include "runtime/base/buf.h"

#include <stdlib.h>

typedef struct counter {
    int64_t next, seen;
} counter;

static leat_status count_to_three(leat_context *ctx, leat_emitter *out, void *arg) {
    (void)ctx;
    counter *c = arg;
    if (c->next == 3) return LEAT_DONE;
    c->next++;
    leat_record r = leat_record_of(leat_int(c->next), c->next * 10);
    return leat_emitter_push_record(out, &r);
}

static leat_status add_up(leat_context *ctx, const leat_record *in, void *arg) {
    (void)ctx;
    ((counter *)arg)->seen += in->value.as.i;
    return LEAT_OK;
}

static void function_source_gives_what_it_emits(void **state) {
    (void)state;
    counter c = {0, 0};
    leat_function f = leat_source_fn(count_to_three, &c);
    leat_arg arg = leat_arg_function("function", &f);
    harness *h = harness_new(&leat_function_source_operator, &arg, 1, NULL);
    assert_int_equal(harness_poll(h), LEAT_DONE);
    expect(h, "1@10");
    expect(h, "2@20");
    expect(h, "3@30");
    expect_nothing(h);
    harness_free(h);
}

/* A source that stands right behind even numbers only. */
static leat_status even_only(leat_context *ctx, int64_t checkpoint, void *arg) {
    const counter *c = arg;
    (void)ctx;
    assert_in_range(checkpoint, 7, 8);
    return c->next % 2 ? LEAT_AGAIN : LEAT_OK;
}

static void barrier_waits_until_the_source_is_ready(void **state) {
    (void)state;
    counter c = {0, 0};
    leat_function f = leat_source_fn(count_to_three, &c);
    f.on_barrier = even_only;
    leat_arg arg = leat_arg_function("function", &f);
    harness *h = harness_new(&leat_function_source_operator, &arg, 1, NULL);
    harness_room(h, 1);
    assert_int_equal(harness_poll(h), LEAT_AGAIN);
    expect(h, "1@10");
    harness_barrier(h, 7);
    expect_nothing(h);
    harness_barrier(h, 8); /* takes the place of the other */
    harness_room(h, -1);
    harness_drive(h);
    expect(h, "2@20");
    expect(h, "barrier 8");
    expect(h, "3@30");
    expect_nothing(h);
    harness_free(h);
}

static leat_status never_ready(leat_context *ctx, int64_t checkpoint, void *arg) {
    (void)checkpoint;
    (void)arg;
    return leat_context_fail(ctx, LEAT_E_IO, "the meter is broken");
}

static void barrier_that_fails_fails_the_source(void **state) {
    (void)state;
    counter c = {0, 0};
    leat_function f = leat_source_fn(count_to_three, &c);
    f.on_barrier = never_ready;
    leat_arg arg = leat_arg_function("function", &f);
    harness *h = harness_new(&leat_function_source_operator, &arg, 1, NULL);
    assert_int_equal(harness_barrier(h, 7), LEAT_E_IO);
    assert_string_equal(harness_failure(h), "the meter is broken");
    harness_free(h);
}

static void sink_gets_each_record(const leat_operator *op) {
    counter c = {0, 0};
    leat_function f = leat_sink_fn(add_up, &c);
    leat_arg arg = leat_arg_function("function", &f);
    harness *h = harness_new(op, &arg, 1, NULL);
    push_int(h, 0, 4);
    push_int(h, 0, 5);
    assert_true(harness_end(h, 0) >= 0);
    assert_int_equal(c.seen, 9);
    harness_free(h);
}

static void function_sink_gets_each_record(void **state) {
    (void)state;
    sink_gets_each_record(&leat_function_sink_operator);
}

static void callback_sink_gets_each_record(void **state) {
    (void)state;
    sink_gets_each_record(&leat_callback_sink_operator);
}

/* --- two phases ------------------------------------------------------------------------------- */

/* Piece by piece: the checkpoint and the sum of what came since the last one. */
typedef struct piece {
    int64_t checkpoint, sum;
} piece;

enum { MOST_PIECES = 16 };

/* What all subtasks have committed, and how. */
typedef struct till {
    piece taken[MOST_PIECES];
    int count, again, refusals; /* pieces that came a second time; commits that are to fail */
    bool ended;
} till;

typedef struct drawer {
    till *till;
    int64_t sum, all; /* `all` is own state, beside the pieces */
} drawer;

static leat_status drawer_open(leat_context *ctx, void *arg, void **self) {
    (void)ctx;
    drawer *d = calloc(1, sizeof *d);
    assert_non_null(d);
    d->till = arg;
    *self = d;
    return LEAT_OK;
}

static void drawer_close(leat_context *ctx, void *self) {
    (void)ctx;
    free(self);
}

static leat_status drawer_put(leat_context *ctx, const leat_record *in, void *self) {
    (void)ctx;
    drawer *d = self;
    d->sum += in->value.as.i;
    d->all += in->value.as.i;
    return LEAT_OK;
}

static leat_status drawer_prepare(leat_context *ctx, int64_t checkpoint, bool ended,
                                  leat_prepared *out, void *self) {
    drawer *d = self;
    piece p = {checkpoint, d->sum};
    d->till->ended = ended;
    if (d->sum < 0) return leat_context_fail(ctx, LEAT_E_IO, "the drawer jams");
    d->sum = 0;
    return p.sum ? leat_prepared_add(out, &p, sizeof p) : LEAT_OK;
}

static leat_status drawer_commit(leat_context *ctx, const void *bytes, size_t size, void *self) {
    till *t = ((drawer *)self)->till;
    piece p;
    assert_int_equal(size, sizeof p);
    memcpy(&p, bytes, sizeof p);
    if (t->refusals && t->refusals--) return leat_context_fail(ctx, LEAT_E_IO, "the till is shut");
    for (int i = 0; i < t->count; i++)
        if (memcmp(&t->taken[i], &p, sizeof p) == 0) return t->again++, LEAT_OK;
    assert_in_range(t->count, 0, MOST_PIECES - 1);
    t->taken[t->count++] = p;
    return LEAT_OK;
}

static leat_status drawer_snapshot(leat_context *ctx, leat_snapshot *out, void *self) {
    (void)ctx;
    const drawer *d = self;
    return leat_snapshot_write(out, "all", LEAT_SPLIT_LIST, &d->all, sizeof d->all);
}

static leat_status drawer_restore(leat_context *ctx, leat_snapshot *in, void *self) {
    (void)ctx;
    const void *bytes;
    size_t size;
    int64_t all;
    for (size_t i = 0; leat_snapshot_read(in, "all", i, &bytes, &size) == LEAT_OK; i++) {
        memcpy(&all, bytes, sizeof all);
        ((drawer *)self)->all += all;
    }
    return LEAT_OK;
}

static leat_function drawer_of(till *t) {
    leat_function f = leat_two_phase_sink_fn(drawer_put, drawer_prepare, drawer_commit, t);
    f.open = drawer_open;
    f.close = drawer_close;
    f.snapshot = drawer_snapshot;
    f.restore = drawer_restore;
    return f;
}

static harness *drawer_at(till *t, int subtask, int parallelism) {
    leat_function f = drawer_of(t);
    leat_arg arg = leat_arg_function("function", &f);
    return harness_new_at(&leat_function_sink_operator, &arg, 1, NULL, subtask, parallelism);
}

static int64_t taken(const till *t) {
    int64_t sum = 0;
    for (int i = 0; i < t->count; i++) sum += t->taken[i].sum;
    return sum;
}

static void two_phases_commit_what_is_complete_in_order(void **state) {
    (void)state;
    till t = {0};
    harness *h = drawer_at(&t, 0, 1);
    push_int(h, 0, 4);
    assert_int_equal(harness_barrier(h, 1), LEAT_OK);
    push_int(h, 0, 5);
    assert_int_equal(harness_barrier(h, 2), LEAT_OK);
    push_int(h, 0, 6);
    assert_int_equal(harness_barrier(h, 3), LEAT_OK);
    assert_int_equal(t.count, 0);
    assert_int_equal(harness_complete(h, 2), LEAT_OK); /* 1 has failed, and goes with it */
    assert_int_equal(t.count, 2);
    assert_int_equal(t.taken[0].sum, 4);
    assert_int_equal(t.taken[1].sum, 5);
    assert_false(t.ended);
    assert_true(harness_end(h, 0) >= 0);
    assert_true(harness_finish(h) >= 0);
    assert_int_equal(taken(&t), 15);
    assert_true(t.ended);
    assert_int_equal(t.again, 0);
    harness_free(h);
}

static void two_phases_thrown_away_commit_what_was_prepared(void **state) {
    (void)state;
    till t = {0};
    harness *h = drawer_at(&t, 0, 1);
    harness_always_revive(h);
    for (int64_t i = 1; i <= 10; i++) {
        push_int(h, 0, i);
        assert_int_equal(harness_barrier(h, i), LEAT_OK);
        if (i % 3 == 0) assert_int_equal(harness_complete(h, i), LEAT_OK);
    }
    assert_true(harness_end(h, 0) >= 0);
    assert_true(harness_finish(h) >= 0);
    assert_int_equal(taken(&t), 55);
    harness_free(h);
}

static void two_phases_after_a_crash_commit_again_what_the_checkpoint_has(void **state) {
    (void)state;
    till t = {0};
    leati_buf saved;
    leati_buf_init(&saved);
    harness *h = drawer_at(&t, 0, 1);
    push_int(h, 0, 4);
    assert_int_equal(harness_barrier(h, 1), LEAT_OK);
    harness_save(h, &saved);
    assert_int_equal(harness_complete(h, 1), LEAT_OK);
    push_int(h, 0, 5);
    harness_crash(h, &saved);
    assert_int_equal(t.again, 1);
    assert_int_equal(taken(&t), 4);
    push_int(h, 0, 6);
    assert_true(harness_end(h, 0) >= 0);
    assert_true(harness_finish(h) >= 0);
    assert_int_equal(taken(&t), 10);
    leati_buf_fini(&saved);
    harness_free(h);
}

static void two_phases_are_dealt_out_to_other_subtasks(void **state) {
    (void)state;
    till t = {0};
    harness *before[3], *after[2];
    for (int i = 0; i < 3; i++) {
        before[i] = drawer_at(&t, i, 3);
        push_int(before[i], 0, 10 * (i + 1));
        assert_int_equal(harness_barrier(before[i], 1), LEAT_OK);
    }
    for (int i = 0; i < 2; i++) after[i] = drawer_at(&t, i, 2);
    harness_rescale(before, 3, after, 2);
    assert_int_equal(taken(&t), 60);
    assert_int_equal(t.count, 3);
    for (int i = 0; i < 3; i++) harness_free(before[i]);
    for (int i = 0; i < 2; i++) harness_free(after[i]);
}

static void pieces_for_a_sink_that_cannot_commit_are_refused(void **state) {
    (void)state;
    till t = {0};
    counter c = {0, 0};
    harness *before = drawer_at(&t, 0, 1);
    push_int(before, 0, 10);
    assert_int_equal(harness_barrier(before, 1), LEAT_OK);
    leat_function f = leat_sink_fn(add_up, &c);
    leat_arg arg = leat_arg_function("function", &f);
    harness *after = harness_new_at(&leat_function_sink_operator, &arg, 1, NULL, 0, 1);
    harness_rescale(&before, 1, &after, 1);
    assert_non_null(strstr(harness_failure(after), "wait for their commit, and this sink has no"));
    harness_free(before);
    harness_free(after);
}

static void commit_that_fails_is_made_again(void **state) {
    (void)state;
    till t = {.refusals = 1};
    leati_buf saved;
    leati_buf_init(&saved);
    harness *h = drawer_at(&t, 0, 1);
    push_int(h, 0, 4);
    assert_int_equal(harness_barrier(h, 1), LEAT_OK);
    harness_save(h, &saved);
    assert_int_equal(harness_complete(h, 1), LEAT_E_IO);
    assert_string_equal(harness_failure(h), "the till is shut");
    assert_int_equal(t.count, 0);
    harness_crash(h, &saved);
    assert_int_equal(taken(&t), 4);
    leati_buf_fini(&saved);
    harness_free(h);
}

static void prepare_that_fails_fails_the_sink(void **state) {
    (void)state;
    till t = {0};
    harness *h = drawer_at(&t, 0, 1);
    push_int(h, 0, -4);
    assert_int_equal(harness_barrier(h, 1), LEAT_E_IO);
    assert_string_equal(harness_failure(h), "the drawer jams");
    harness_free(h);
}

/* Whatever allocation fails, nothing is committed that was not prepared, and nothing leaks. */
static void two_phases_without_memory_fail(void **state) {
    (void)state;
    leat_status status = LEAT_E_NOMEM;
    for (int n = 0; status < 0; n++) {
        till t = {0};
        harness *h = drawer_at(&t, 0, 1);
        push_int(h, 0, 4);
        leati_alloc_fail_after(n);
        status = harness_barrier(h, 1);
        if (status >= 0) status = harness_complete(h, 1);
        leati_alloc_fail_after(-1);
        assert_int_equal(taken(&t), status < 0 ? 0 : 4);
        assert_true(status == LEAT_OK || status == LEAT_E_NOMEM);
        harness_free(h);
    }
}

static void one_phase_alone_is_refused(void **state) {
    (void)state;
    leat_error err = {.text = ""};
    leat_env *env = leat_env_new(NULL, &err);
    leat_function f = leat_sink_fn(drawer_put, NULL);
    f.prepare = drawer_prepare;
    leat_stream_sink(leat_env_sequence(env, 1, 3), f);
    assert_int_equal(leat_env_execute(env, "half", &err), LEAT_E_ARGUMENT);
    assert_non_null(strstr(err.text, "needs both prepare and commit, and has no commit"));
    leat_env_free(env);
}

static void two_phases_in_a_job_commit_at_its_end(void **state) {
    (void)state;
    till t = {0};
    leat_error err = {.text = ""};
    leat_options options = leat_options_defaults();
    options.host_dispatch = true; /* plain callbacks would wait for leat_job_dispatch */
    leat_env *env = leat_env_new(&options, &err);
    leat_function f = drawer_of(&t);
    leat_stream_parallelism(leat_stream_sink(leat_env_sequence(env, 1, 100), f), 1);
    assert_int_equal(leat_env_execute(env, "till", &err), LEAT_OK);
    assert_int_equal(taken(&t), 5050);
    assert_int_equal(t.count, 1);
    leat_env_free(env);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_phases_commit_what_is_complete_in_order),
        cmocka_unit_test(two_phases_thrown_away_commit_what_was_prepared),
        cmocka_unit_test(two_phases_after_a_crash_commit_again_what_the_checkpoint_has),
        cmocka_unit_test(two_phases_are_dealt_out_to_other_subtasks),
        cmocka_unit_test(pieces_for_a_sink_that_cannot_commit_are_refused),
        cmocka_unit_test(commit_that_fails_is_made_again),
        cmocka_unit_test(prepare_that_fails_fails_the_sink),
        cmocka_unit_test(two_phases_without_memory_fail),
        cmocka_unit_test(one_phase_alone_is_refused),
        cmocka_unit_test(two_phases_in_a_job_commit_at_its_end),
        cmocka_unit_test(function_source_gives_what_it_emits),
        cmocka_unit_test(barrier_waits_until_the_source_is_ready),
        cmocka_unit_test(barrier_that_fails_fails_the_source),
        cmocka_unit_test(function_sink_gets_each_record),
        cmocka_unit_test(callback_sink_gets_each_record),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
