/* Tests of the five toys in real jobs: two subtasks on two runners, with channels that are full
   after one or two records. What they do step by step is in the other tests of this folder. */
#include "gather.h"
#include "toys.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int capacities[] = {1, 2, 4096};
enum { CAPACITIES = 3 };

/* --- sessions --------------------------------------------------------------------------------- */

/* (key, i) at time 10 * i, for five keys; every 100 records a pause; watermarks 20 behind. */
enum { CLICKS = 1000 };

static leat_status click(leat_context *ctx, leat_emitter *out, void *arg) {
    int *next = arg;
    if (*next == CLICKS) return LEAT_DONE;
    int i = (*next)++;
    char key[8];
    snprintf(key, sizeof key, "k%d", i % 5);
    leat_value items[2] = {leat_string(key), leat_int(i)};
    leat_record record = leat_record_of(leat_tuple(items, 2), 10 * i + i / 100 * 500);
    leat_status status = leat_emitter_push_record(out, &record);
    return status < 0 ? status : leat_context_forward_watermark(ctx, record.time - 20);
}

/* The sessions that a loop finds: ten for each key. */
static void expect_sessions(const gathered *g) {
    assert_int_equal(g->count, 50);
    for (int i = 0; i < g->count; i++) {
        int key;
        long start, end, sum, time;
        assert_int_equal(
            sscanf(g->lines[i], "(k%d,%ld,%ld,%ld)@%ld", &key, &start, &end, &sum, &time), 5);
        long block = start / 1500, want = 0;
        for (long k = block * 100 + key; k < block * 100 + 100; k += 5) want += k;
        assert_int_equal(start, (block * 100 + key) * 10 + block * 500);
        assert_int_equal(end, start + 950 + 200);
        assert_int_equal(time, end - 1);
        assert_int_equal(sum, want);
    }
}

static void session_toy_in_a_job_merges_by_key(void **state) {
    (void)state;
    for (int i = 0; i < CAPACITIES; i++) {
        gathered g;
        int next = 0;
        gathered_init(&g);
        leat_env *env = env_of(2, capacities[i]);
        leat_stream *s = leat_env_source(env, leat_source_fn(click, &next));
        leat_arg gap = leat_arg_int("gap", 200);
        s = leat_stream_key_by(leat_stream_rebalance(s), leat_field(0));
        s = leat_graph_add(NULL, &toy_session_operator, &gap, 1, &s, 1);
        leat_stream_sink(s, gathered_sink(&g));
        env_run(env);
        expect_sessions(&g);
        leat_env_free(env);
        gathered_fini(&g);
    }
}

/* --- async ------------------------------------------------------------------------------------ */

static void async_toy_in_a_job_loses_nothing(void **state) {
    (void)state;
    for (int i = 0; i < CAPACITIES; i++) {
        gathered g;
        gathered_init(&g);
        leat_env *env = env_of(2, capacities[i]);
        leat_stream *s = leat_stream_rebalance(leat_env_sequence(env, 1, 500));
        s = leat_graph_add(NULL, &toy_async_operator, NULL, 0, &s, 1);
        leat_stream_sink(s, gathered_sink(&g));
        env_run(env);
        assert_int_equal(g.count, 500);
        int64_t sum = 0;
        for (int k = 0; k < g.count; k++) sum += atoll(g.lines[k]);
        assert_int_equal(sum, 500 * 501);
        leat_env_free(env);
        gathered_fini(&g);
    }
}

/* --- two phases ------------------------------------------------------------------------------- */

static leat_stream *ledger_sink(leat_stream *s, toy_ledger *ledger) {
    leat_arg arg = leat_arg_of("ledger", LEAT_PARAM_POINTER);
    arg.as.pointer = ledger;
    return leat_graph_add(NULL, &toy_two_phase_operator, &arg, 1, &s, 1);
}

static void two_phase_toy_in_a_job_commits_at_the_end(void **state) {
    (void)state;
    for (int i = 0; i < CAPACITIES; i++) {
        toy_ledger ledger = {.lock = PTHREAD_MUTEX_INITIALIZER};
        leat_env *env = env_of(2, capacities[i]);
        ledger_sink(leat_stream_rebalance(leat_env_sequence(env, 1, 1000)), &ledger);
        env_run(env);
        assert_int_equal(ledger.count, 1000);
        assert_int_equal(ledger.sum, 500500);
        assert_int_equal(ledger.part_count, 2);
        assert_int_equal(ledger.rolled_back, 0);
        leat_env_free(env);
    }
}

static leat_status refuse_500(leat_context *ctx, const leat_record *in, leat_value *out,
                              void *arg) {
    (void)arg;
    *out = in->value;
    return in->value.as.i == 500 ? leat_context_fail(ctx, LEAT_E_USER, "no") : LEAT_OK;
}

static void two_phase_toy_in_a_failed_job_commits_nothing(void **state) {
    (void)state;
    toy_ledger ledger = {.lock = PTHREAD_MUTEX_INITIALIZER};
    leat_env *env = env_of(2, 2);
    leat_stream *s = leat_env_sequence(env, 1, 1000);
    ledger_sink(leat_stream_rebalance(leat_stream_map(s, leat_map_fn(refuse_500, NULL))), &ledger);
    leat_error err;
    assert_int_equal(leat_env_execute(env, NULL, &err), LEAT_E_USER);
    assert_int_equal(ledger.count, 0);
    assert_in_range(ledger.rolled_back, 1, 2);
    leat_env_free(env);
}

/* --- a source that blocks --------------------------------------------------------------------- */

static leat_stream *well_source(leat_env *env, toy_well *well) {
    leat_arg arg = leat_arg_of("well", LEAT_PARAM_POINTER);
    arg.as.pointer = well;
    return leat_graph_add(env, &toy_blocking_operator, &arg, 1, NULL, 0);
}

static void blocking_toy_in_a_job_gives_what_there_is_and_waits(void **state) {
    (void)state;
    for (int i = 0; i < CAPACITIES; i++) {
        toy_well well = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
        gathered g;
        leat_error err;
        gathered_init(&g);
        leat_env *env = env_of(2, capacities[i]);
        leat_stream_sink(leat_stream_rebalance(well_source(env, &well)), gathered_sink(&g));
        leat_job *job = leat_env_start(env, "well", &err);
        assert_non_null(job);
        toy_well_fill(&well, 10, false);
        gathered_await(&g, 10);
        assert_int_equal(leat_job_wait(job, 0), LEAT_AGAIN);
        toy_well_fill(&well, 300, true);
        assert_int_equal(leat_job_wait(job, -1), LEAT_OK);
        assert_int_equal(leat_job_result(job, &err), LEAT_OK);
        assert_int_equal(g.count, 300);
        assert_int_equal(well.drawers, 0);
        assert_true(well.most_ahead <= 4);
        leat_job_free(job);
        leat_env_free(env);
        gathered_fini(&g);
    }
}

static void blocking_toy_in_a_cancelled_job_ends_its_thread(void **state) {
    (void)state;
    toy_well well = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
    gathered g;
    leat_error err;
    gathered_init(&g);
    leat_env *env = env_of(2, 1);
    leat_stream_sink(well_source(env, &well), gathered_sink(&g));
    leat_job *job = leat_env_start(env, "well", &err);
    toy_well_fill(&well, 3, false);
    gathered_await(&g, 3);
    leat_job_cancel(job);
    assert_int_equal(leat_job_wait(job, -1), LEAT_OK);
    assert_int_equal(leat_job_status(job), LEAT_JOB_CANCELED);
    assert_int_equal(well.drawers, 0);
    leat_job_free(job);
    leat_env_free(env);
    gathered_fini(&g);
}

/* --- an endless yield ------------------------------------------------------------------------- */

static leat_stream *endless(leat_stream *data, leat_stream *control, int64_t limit,
                            atomic_int *closed) {
    leat_arg args[] = {leat_arg_int("limit", limit), leat_arg_of("closed", LEAT_PARAM_POINTER)};
    args[1].as.pointer = closed;
    leat_stream *inputs[] = {data, control};
    return leat_graph_add(NULL, &toy_endless_operator, args, 2, inputs, 2);
}

static void endless_toy_with_a_limit_gives_all(void **state) {
    (void)state;
    for (int i = 0; i < CAPACITIES; i++) {
        gathered g, side;
        atomic_int closed = 0;
        gathered_init(&g);
        gathered_init(&side);
        leat_env *env = env_of(2, capacities[i]);
        leat_stream *s =
            endless(leat_env_sequence(env, 1, 30), leat_env_sequence(env, 101, 150), 20, &closed);
        leat_stream_sink(s, gathered_sink(&g));
        leat_stream_sink(leat_stream_side_output(s, "control"), gathered_sink(&side));
        env_run(env);
        assert_int_equal(g.count, 600);
        assert_int_equal(side.count, 50);
        assert_int_equal(closed, 30);
        int64_t sum = 0;
        for (int k = 0; k < g.count; k++) sum += atoll(g.lines[k]);
        assert_int_equal(sum, 20 * 465);
        leat_env_free(env);
        gathered_fini(&g);
        gathered_fini(&side);
    }
}

static void endless_toy_is_cancelled_in_the_middle_of_its_yield(void **state) {
    (void)state;
    gathered g;
    atomic_int closed = 0;
    leat_error err;
    gathered_init(&g);
    leat_env *env = env_of(2, 1);
    leat_stream *s =
        endless(leat_env_sequence(env, 1, 2), leat_env_sequence(env, 1, 1), -1, &closed);
    leat_stream_sink(s, gathered_sink(&g));
    leat_job *job = leat_env_start(env, NULL, &err);
    assert_non_null(job);
    gathered_await(&g, 300);
    leat_job_cancel(job);
    assert_int_equal(leat_job_wait(job, -1), LEAT_OK);
    assert_int_equal(leat_job_status(job), LEAT_JOB_CANCELED);
    assert_in_range(closed, 1, 2); /* each that was opened */
    leat_job_free(job);
    leat_env_free(env);
    gathered_fini(&g);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(session_toy_in_a_job_merges_by_key),
        cmocka_unit_test(async_toy_in_a_job_loses_nothing),
        cmocka_unit_test(two_phase_toy_in_a_job_commits_at_the_end),
        cmocka_unit_test(two_phase_toy_in_a_failed_job_commits_nothing),
        cmocka_unit_test(blocking_toy_in_a_job_gives_what_there_is_and_waits),
        cmocka_unit_test(blocking_toy_in_a_cancelled_job_ends_its_thread),
        cmocka_unit_test(endless_toy_with_a_limit_gives_all),
        cmocka_unit_test(endless_toy_is_cancelled_in_the_middle_of_its_yield),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
