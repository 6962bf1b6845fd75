/* Tests of jobs with loops that are stopped with a savepoint, and of returns.c, which keeps what is
   on its way round meanwhile: started again, also with other numbers of subtasks, or not stopped at
   all since the savepoint failed, they give each result once. */
#include "gather.h"

#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "folder.h"

/* --- the job ---------------------------------------------------------------------------------- */

/* Numbers that go round so many times: number * LAPS_MOST + lap. */
enum { LAPS_MOST = 1000, RESULTS_MOST = 1 << 17 };

typedef struct race {
    int64_t numbers, laps;
    int parallelism;
    bool at_least_once, nested, keyed;
    const char *memory; /* NULL: as it is */
    atomic_uchar seen[RESULTS_MOST];
    atomic_llong results;
} race;

static race *race_new(int64_t numbers, int64_t laps) {
    race *r = calloc(1, sizeof *r);
    assert_true(numbers * laps < RESULTS_MOST && laps < LAPS_MOST);
    r->numbers = numbers;
    r->laps = laps;
    r->parallelism = 1;
    return r;
}

static leat_status begin(leat_context *ctx, const leat_record *in, leat_value *out, void *arg) {
    (void)ctx, (void)arg;
    *out = leat_int(in->value.as.i * LAPS_MOST);
    return LEAT_OK;
}

/* Now and then it takes its time, so that the job is not over before it is stopped. */
static leat_status lap(leat_context *ctx, const leat_record *in, leat_value *out, void *arg) {
    (void)ctx, (void)arg;
    if (in->value.as.i % 32 == 0) usleep(50);
    *out = leat_int(in->value.as.i + 1);
    return LEAT_OK;
}

static leat_status goes_on(leat_context *ctx, const leat_record *in, bool *keep, void *arg) {
    const race *r = arg;
    (void)ctx;
    *keep = in->value.as.i % LAPS_MOST < r->laps;
    return LEAT_OK;
}

/* Every third lap is one of the outer loop. */
static leat_status stays_inside(leat_context *ctx, const leat_record *in, bool *keep, void *arg) {
    leat_status status = goes_on(ctx, in, keep, arg);
    *keep &= in->value.as.i % LAPS_MOST % 3 != 0;
    return status;
}

static leat_status goes_outside(leat_context *ctx, const leat_record *in, bool *keep, void *arg) {
    leat_status status = goes_on(ctx, in, keep, arg);
    *keep &= in->value.as.i % LAPS_MOST % 3 == 0;
    return status;
}

static leat_status finish_line(leat_context *ctx, const leat_record *in, void *arg) {
    race *r = arg;
    int64_t number = in->value.as.i / LAPS_MOST, done = in->value.as.i % LAPS_MOST;
    if (number < 1 || number > r->numbers || done < 1 || done > r->laps)
        return leat_context_fail(ctx, LEAT_E_RANGE, "a result that there is not");
    atomic_fetch_add(&r->seen[(number - 1) * r->laps + done - 1], 1);
    atomic_fetch_add(&r->results, 1);
    return LEAT_OK;
}

static leat_stream *by_itself(leat_stream *s) {
    return leat_stream_key_by(s, leat_field(0));
}

static void close_race(race *r, leat_stream *start, leat_stream *body) {
    leat_stream *back = leat_stream_filter(body, leat_filter_fn(goes_on, r));
    leat_iteration_close(start, r->keyed ? by_itself(back) : leat_stream_rebalance(back));
}

static void close_nested(race *r, leat_stream *outer, leat_stream *inner, leat_stream *body) {
    leat_stream *inside = leat_stream_filter(body, leat_filter_fn(stays_inside, r));
    leat_stream *outside = leat_stream_filter(body, leat_filter_fn(goes_outside, r));
    leat_iteration_close(inner, leat_stream_rebalance(inside));
    leat_iteration_close(outer, leat_stream_rebalance(outside));
}

static leat_env *race_env(const race *r, const char *path) {
    leat_error err = {.text = ""};
    leat_env *env = env_of(r->parallelism, 64);
    leat_status status = LEAT_OK;
    if (path) status = leat_env_set(env, "execution.state-recovery.path", path, &err);
    if (status >= 0 && r->memory)
        status = leat_env_set(env, "pipeline.channel.memory", r->memory, &err);
    if (status >= 0 && r->at_least_once)
        status = leat_env_set(env, "execution.checkpointing.mode", "AT_LEAST_ONCE", &err);
    if (status < 0) fail_msg("%s", err.text);
    return env;
}

static leat_job *race_start(race *r, leat_env *env) {
    leat_error err = {.text = ""};
    leat_stream *numbers = leat_env_sequence(env, 1, r->numbers);
    leat_stream *begun = leat_stream_map(numbers, leat_map_fn(begin, NULL));
    leat_stream *head = leat_stream_iterate(leat_stream_rebalance(begun), 0);
    leat_stream *inner = r->nested ? leat_stream_iterate(leat_stream_rebalance(head), 0) : head;
    leat_stream *body = leat_stream_map(inner, leat_map_fn(lap, NULL));
    if (r->nested)
        close_nested(r, head, inner, body);
    else
        close_race(r, head, body);
    leat_stream_sink(body, leat_sink_fn(finish_line, r));
    leat_job *job = leat_env_start(env, "race", &err);
    if (!job) fail_msg("%s: %s", err.where, err.text);
    return job;
}

static void await_results(race *r, leat_job *job, int64_t more) {
    int64_t until = atomic_load(&r->results) + more;
    while (atomic_load(&r->results) < until && leat_job_status(job) == LEAT_JOB_RUNNING)
        sched_yield();
}

static void stop(leat_job *job, char **path) {
    leat_error err = {.text = ""};
    leat_status status = leat_job_stop(job, folder, false, -1, path, &err);
    const leat_failure *failure = leat_job_failure(job);
    if (failure) fail_msg("%s: %s", failure->operator_name, failure->text);
    if (status < 0) fail_msg("%s", err.text);
}

static void expect_each_once(race *r) {
    for (int64_t i = 0; i < r->numbers * r->laps; i++)
        if (r->seen[i] != 1)
            fail_msg("lap %d of number %d: %d times", (int)(i % r->laps) + 1,
                     (int)(i / r->laps) + 1, r->seen[i]);
    assert_int_equal(r->results, r->numbers * r->laps);
    free(r);
}

static void finish(leat_job *job, leat_env *env) {
    leat_error err = {.text = ""};
    leat_job_wait(job, -1);
    if (leat_job_result(job, &err) < 0) fail_msg("%s: %s", err.where, err.text);
    leat_job_free(job);
    leat_env_free(env);
}

/* Stopped some times amid its results, with one subtask more each time if `rescale`; then it
   ends. */
static void run_in_parts(race *r, int parts, bool rescale) {
    char *path = NULL;
    for (int i = 0; i < parts; i++) {
        leat_env *env = race_env(r, path);
        leat_job *job = race_start(r, env);
        leat_text_free(path);
        await_results(r, job, r->numbers * r->laps / 30);
        stop(job, &path);
        finish(job, env);
        if (rescale) r->parallelism++;
    }
    leat_env *env = race_env(r, path);
    leat_text_free(path);
    finish(race_start(r, env), env);
    expect_each_once(r);
}

/* --- stops ------------------------------------------------------------------------------------ */

static void a_stopped_loop_goes_on_with_what_was_on_its_way(void **state) {
    (void)state;
    for (int parallelism = 1; parallelism <= 2; parallelism++)
        for (int kind = 0; kind < 4; kind++) {
            race *r = race_new(800, 50);
            r->parallelism = parallelism;
            r->at_least_once = kind == 1;
            r->keyed = kind == 2;
            r->nested = kind == 3;
            run_in_parts(r, 3, false);
        }
}

/* Behind the end of the stream: what goes round holds the end back. */
static void a_loop_is_stopped_when_its_stream_has_ended(void **state) {
    (void)state;
    for (int parallelism = 1; parallelism <= 2; parallelism++)
        for (int nested = 0; nested < 2; nested++) {
            race *r = race_new(40, 800);
            r->parallelism = parallelism;
            r->nested = nested;
            run_in_parts(r, 3, false);
        }
}

static void a_stopped_loop_goes_on_with_more_subtasks(void **state) {
    (void)state;
    for (int kind = 0; kind < 3; kind++) {
        race *r = race_new(800, 50);
        r->keyed = kind == 1;
        r->nested = kind == 2;
        run_in_parts(r, 3, true);
    }
}

/* --- stops that fail -------------------------------------------------------------------------- */

/* Many times in a row: each time what was kept comes first. */
static void run_on(race *r) {
    leat_error err = {.text = ""};
    leat_env *env = race_env(r, NULL);
    leat_job *job = race_start(r, env);
    write_file("file", "", 0);
    for (int i = 0; i < 5; i++) {
        await_results(r, job, r->numbers * r->laps / 30);
        assert_int_equal(leat_job_stop(job, in_folder("file/x"), false, -1, NULL, &err), LEAT_E_IO);
        const leat_failure *failure = leat_job_failure(job);
        if (failure) fail_msg("%s: %s", failure->operator_name, failure->text);
        assert_int_equal(leat_job_status(job), LEAT_JOB_RUNNING);
    }
    finish(job, env);
    expect_each_once(r);
}

static void a_loop_goes_on_when_the_savepoint_fails(void **state) {
    (void)state;
    for (int parallelism = 1; parallelism <= 2; parallelism++)
        for (int nested = 0; nested < 2; nested++) {
            race *r = race_new(200, 500);
            r->parallelism = parallelism;
            r->nested = nested;
            run_on(r);
        }
}

static void what_is_kept_spills(void **state) {
    (void)state;
    race *r = race_new(4000, 25);
    r->memory = "1 kb";
    r->parallelism = 2;
    run_on(r);
    r = race_new(4000, 25);
    r->memory = "1 kb";
    r->parallelism = 2;
    run_in_parts(r, 3, false);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_FOLDER(a_stopped_loop_goes_on_with_what_was_on_its_way),
        WITH_FOLDER(a_loop_is_stopped_when_its_stream_has_ended),
        WITH_FOLDER(a_stopped_loop_goes_on_with_more_subtasks),
        WITH_FOLDER(a_loop_goes_on_when_the_savepoint_fails),
        WITH_FOLDER(what_is_kept_spills),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
