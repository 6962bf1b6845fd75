/* Tests of coordinator.c: checkpoints by the clock, their failures, pauses, and what is kept;
   sources that have ended beside running ones. */
#include "gather.h"

#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/file.h>

#include "folder.h"
#include "runtime/job/job_folder.h"

static void set(leat_env *env, const char *key, const char *value) {
    leat_error err = {.text = ""};
    if (leat_env_set(env, key, value, &err) < 0) fail_msg("%s", err.text);
}

/* Checkpoints every 10 ms in the test's folder. */
static leat_env *env_with(const char *key, const char *value) {
    leat_env *env = env_of(1, 4);
    set(env, "execution.checkpointing.interval", "10 ms");
    set(env, "execution.checkpointing.dir", folder);
    if (key) set(env, key, value);
    return env;
}

static leat_job *start(leat_env *env) {
    leat_error err = {.text = ""};
    leat_job *job = leat_env_start(env, "job", &err);
    if (!job) fail_msg("%s: %s", err.where, err.text);
    return job;
}

static void finish(leat_job *job, leat_env *env) {
    leat_job_free(job);
    leat_env_free(env);
}

/* How many complete checkpoints there are, and the newest one's number. */
static int kept(int64_t *newest) {
    leat_error err = {.text = ""};
    int64_t *numbers, highest;
    int count = leati_cp_list(in_folder("job"), &numbers, &highest, &err);
    if (count < 0) fail_msg("%s", err.text);
    *newest = count ? numbers[0] : 0;
    leat_text_free((char *)numbers);
    return count;
}

static int64_t newest(void) {
    int64_t number;
    kept(&number);
    return number;
}

static void await_checkpoints(int64_t more) {
    int64_t until = newest() + more;
    while (newest() < until) sched_yield();
}

/* --- sums over both inputs -------------------------------------------------------------------- */

typedef struct tally {
    atomic_llong small, large; /* records up to 1000, and above */
} tally;

static leat_status count_one(leat_context *ctx, const leat_record *in, void *arg) {
    tally *t = arg;
    (void)ctx;
    atomic_fetch_add(in->value.as.i <= 1000 ? &t->small : &t->large, 1);
    return LEAT_OK;
}

static leat_job *start_both(leat_env *env, tally *t) {
    leat_stream *ends = leat_env_sequence(env, 1, 5);
    leat_stream *goes_on = leat_env_sequence(env, 1001, INT64_MAX);
    leat_stream_sink(leat_stream_rebalance(leat_stream_union(ends, goes_on)),
                     leat_sink_fn(count_one, t));
    return start(env);
}

static void checkpoints_go_on_when_a_source_has_ended(void **state) {
    (void)state;
    tally t = {0};
    leat_env *env = env_with(NULL, NULL);
    leat_job *job = start_both(env, &t);
    while (atomic_load(&t.small) < 5) sched_yield();
    await_checkpoints(3);
    leat_job_cancel(job);
    leat_job_wait(job, -1);
    finish(job, env);

    tally again = {0};
    env = env_with("execution.state-recovery.path", "latest");
    job = start_both(env, &again);
    while (atomic_load(&again.large) < 100) sched_yield();
    await_checkpoints(2);
    finish(job, env);
    assert_int_equal(again.small, 0); /* the source that had ended gives nothing more */
}

/* --- two inputs of different speed ------------------------------------------------------------ */

typedef struct gauge {
    atomic_int closed; /* input 1 waits */
    atomic_llong slow, fast;
} gauge;

static leat_status slowly(leat_context *ctx, leat_emitter *out, void *arg) {
    gauge *g = arg;
    if (atomic_load(&g->closed)) {
        leat_context_wake_at(ctx, leat_context_now(ctx) + 1);
        return LEAT_AGAIN;
    }
    leat_value v = leat_int(1);
    atomic_store(&g->closed, 1);
    return leat_emitter_push(out, &v);
}

static leat_status never(leat_context *ctx, int64_t checkpoint, void *arg) {
    (void)ctx, (void)checkpoint;
    return atomic_load(&((gauge *)arg)->closed) == 2 ? LEAT_AGAIN : LEAT_OK;
}

static leat_status weigh(leat_context *ctx, const leat_record *in, void *arg) {
    gauge *g = arg;
    (void)ctx;
    atomic_fetch_add(in->value.as.i == 1 ? &g->slow : &g->fast, 1);
    return LEAT_OK;
}

/* The slow source holds its barrier back: in exact mode the fast one waits behind its own. */
static void expect_flow(const char *mode, bool flows) {
    gauge g = {.closed = 2};
    leat_env *env = env_with("execution.checkpointing.mode", mode);
    set(env, "pipeline.operator-chaining.enabled", "false");
    leat_function slow = leat_source_fn(slowly, &g);
    slow.on_barrier = never;
    leat_stream *both =
        leat_stream_union(leat_env_source(env, slow), leat_env_sequence(env, 1001, INT64_MAX));
    leat_stream_sink(both, leat_sink_fn(weigh, &g));
    leat_job *job = start(env);
    while (atomic_load(&g.fast) == 0) sched_yield();
    int64_t before = 0, quiet = 0;
    struct timespec nap = {0, 5000000};
    for (int i = 0; i < 400 && quiet < 20; i++) { /* until nothing has come for 100 ms */
        nanosleep(&nap, NULL);
        quiet = atomic_load(&g.fast) == before ? quiet + 1 : 0;
        before = atomic_load(&g.fast);
        if (flows && i > 60) break;
    }
    assert_int_equal(quiet >= 20, !flows);
    assert_int_equal(newest(), 0);
    atomic_store(&g.closed, 0);
    await_checkpoints(1);
    assert_int_equal(leat_job_status(job), LEAT_JOB_RUNNING);
    finish(job, env);
}

static void only_exact_checkpoints_hold_up_the_faster_input(void **state) {
    (void)state;
    expect_flow("EXACTLY_ONCE", false);
    folder_remove(state);
    folder_make(state);
    expect_flow("AT_LEAST_ONCE", true);
}

/* --- failures --------------------------------------------------------------------------------- */

static leat_job *start_stuck(leat_env *env, gauge *g) {
    leat_function slow = leat_source_fn(slowly, g);
    slow.on_barrier = never;
    leat_stream_sink(leat_env_source(env, slow), leat_sink_fn(weigh, g));
    return start(env);
}

static void what_takes_too_long_fails_the_job_or_is_tolerated(void **state) {
    (void)state;
    leat_error err = {.text = ""};
    gauge g = {.closed = 2};
    leat_env *env = env_with("execution.checkpointing.timeout", "10 ms");
    set(env, "restart-strategy.type", "none");
    leat_job *job = start_stuck(env, &g);
    assert_int_equal(leat_job_wait(job, -1), LEAT_OK);
    assert_int_equal(leat_job_result(job, &err), LEAT_E_TIMEOUT);
    assert_non_null(strstr(err.text, "0 of 1 tasks were done in time"));
    assert_non_null(strstr(err.text, "; the first that was not: "));
    assert_non_null(strstr(err.text, " (1/1) "));
    assert_non_null(strstr(err.text, "tolerable-failed-checkpoints"));
    finish(job, env);

    env = env_with("execution.checkpointing.timeout", "10 ms");
    set(env, "execution.checkpointing.tolerable-failed-checkpoints", "1000000");
    job = start_stuck(env, &g);
    while (leat_job_wait(job, 100) != LEAT_AGAIN) fail();
    assert_int_equal(newest(), 0);
    atomic_store(&g.closed, 1);
    await_checkpoints(2);
    assert_int_equal(leat_job_status(job), LEAT_JOB_RUNNING);
    finish(job, env);
}

/* Puts a file in the place of the job's folder, which nothing can be written into then. */
static leat_status take_folder_away(leat_context *ctx, const leat_record *in, void *arg) {
    (void)ctx, (void)arg;
    if (in->value.as.i != 5) return LEAT_OK;
    if (rename(in_folder("job"), in_folder("away")) < 0) return LEAT_E_IO;
    write_file("job", "", 0);
    return LEAT_OK;
}

static void the_last_one_is_tried_again_in_its_time(void **state) {
    (void)state;
    leat_error err = {.text = ""};
    leat_env *env = env_with("execution.checkpointing.tolerable-failed-checkpoints", "1000000");
    leat_stream_sink(leat_env_sequence(env, 1, 5), leat_sink_fn(take_folder_away, NULL));
    leat_job *job = start(env);
    assert_int_equal(leat_job_wait(job, 200), LEAT_AGAIN);
    remove(in_folder("job"));
    assert_int_equal(rename(in_folder("away"), in_folder("job")), 0);
    assert_int_equal(leat_job_wait(job, -1), LEAT_OK);
    assert_int_equal(leat_job_result(job, &err), LEAT_OK);
    finish(job, env);
    assert_in_range(newest(), 2, 100); /* and not as many as could be tried in so much time */
}

static void a_folder_that_cannot_be_made_is_said_at_the_start(void **state) {
    (void)state;
    leat_error err = {.text = ""};
    write_file("file", "", 0);
    leat_env *env = env_with("execution.checkpointing.dir", in_folder("file"));
    leat_stream_print(leat_env_sequence(env, 1, 3));
    assert_null(leat_env_start(env, "job", &err));
    assert_int_equal(err.status, LEAT_E_IO);
    leat_env_free(env);
}

static void between_two_is_a_pause(void **state) {
    (void)state;
    enum { PAUSE = 60, COUNT = 3 };
    leat_error err = {.text = ""};
    tally t = {0};
    leat_env *env = env_with("execution.checkpointing.num-retained", "3");
    set(env, "execution.checkpointing.min-pause", "60 ms");
    leat_job *job = start_both(env, &t);
    await_checkpoints(COUNT);
    finish(job, env);
    int64_t last = newest(), before = 0;
    for (int64_t number = last - COUNT + 1; number <= last; number++) {
        leati_manifest m;
        char *path = leati_cp_folder(in_folder("job"), number);
        assert_int_equal(leati_manifest_read(path, &m, &err), LEAT_OK);
        assert_true(m.time >= before + PAUSE);
        before = m.time;
        leati_manifest_fini(&m);
        leat_text_free(path);
    }
}

/* --- what is kept ----------------------------------------------------------------------------- */

static void so_many_are_kept_as_is_said(void **state) {
    (void)state;
    tally t = {0};
    leat_env *env = env_with("execution.checkpointing.num-retained", "3");
    leat_job *job = start_both(env, &t);
    await_checkpoints(6);
    finish(job, env);
    int64_t number;
    assert_int_equal(kept(&number), 3);
}

static void a_job_that_has_ended_keeps_its_last_as_finished(void **state) {
    (void)state;
    leat_error err = {.text = ""};
    leati_manifest m;
    tally t = {0};
    leat_env *env = env_with("execution.checkpointing.interval", "1 h");
    leat_stream_sink(leat_env_sequence(env, 1, 5), leat_sink_fn(count_one, &t));
    leat_job *job = start(env);
    assert_int_equal(leat_job_wait(job, -1), LEAT_OK);
    assert_int_equal(leat_job_result(job, &err), LEAT_OK);
    finish(job, env);
    int64_t number;
    assert_int_equal(kept(&number), 1);
    assert_int_equal(leati_manifest_read(in_folder("job/chk-1"), &m, &err), LEAT_OK);
    assert_int_equal(m.flags, LEATI_CP_FINISHED);
    leati_manifest_fini(&m);
}

static void the_newest_of_a_job_that_stopped_is_no_older_than_its_savepoint(void **state) {
    (void)state;
    leat_error err = {.text = ""};
    leati_manifest m;
    tally t = {0};
    leat_env *env = env_with("execution.checkpointing.interval", "1 h");
    leat_job *job = start_both(env, &t);
    while (atomic_load(&t.large) < 10) sched_yield();
    if (leat_job_stop(job, in_folder("saved"), false, -1, NULL, &err) < 0) fail_msg("%s", err.text);
    finish(job, env);
    char path[400];
    snprintf(path, sizeof path, "%s/job/chk-%lld", folder, (long long)newest());
    assert_int_equal(leati_manifest_read(path, &m, &err), LEAT_OK);
    assert_int_equal(m.flags, LEATI_CP_SAVEPOINT | LEATI_CP_STOPPED);
    leati_manifest_fini(&m);
}

/* Then nothing is committed, and the job goes on. */
static void a_stop_that_the_jobs_own_folder_cannot_have_is_none(void **state) {
    (void)state;
    leat_error err = {.text = ""};
    tally t = {0};
    leat_env *env = env_with("execution.checkpointing.interval", "1 h");
    leat_job *job = start_both(env, &t);
    while (atomic_load(&t.large) < 10) sched_yield();
    write_file("job/chk-1", "", 0);
    assert_int_equal(leat_job_stop(job, in_folder("saved"), false, -1, NULL, &err), LEAT_E_IO);
    assert_non_null(strstr(err.where, "chk-1"));
    assert_int_equal(rmdir(in_folder("saved")), 0); /* nobody starts from what was not to be */
    long long before = atomic_load(&t.large);
    while (atomic_load(&t.large) < before + 10) sched_yield();
    if (leat_job_stop(job, in_folder("saved"), false, -1, NULL, &err) < 0) fail_msg("%s", err.text);
    finish(job, env);
    assert_int_equal(newest(), 2);
}

/* --- what is told ----------------------------------------------------------------------------- */

static void expect_told(leat_job *job, const char *part) {
    leat_error err = {.text = ""};
    char *text = leat_job_checkpoints(job, &err);
    if (!text) fail_msg("%s", err.text);
    if (!strstr(text, part)) fail_msg("'%s' is not in '%s'", part, text);
    leat_text_free(text);
    text = leat_job_describe(job, &err);
    if (!text || !strstr(text, part)) fail_msg("'%s' is not in '%s'", part, text);
    leat_text_free(text);
}

static void what_became_of_checkpoints_is_told(void **state) {
    (void)state;
    char part[500];
    leat_error err = {.text = ""};
    gauge g = {.closed = 2};
    leat_env *env = env_with("execution.checkpointing.interval", "1 h");
    set(env, "execution.checkpointing.timeout", "500 ms");
    leat_job *job = start_stuck(env, &g);
    expect_told(job, "{\"totalNumberOfCheckpoints\": 0, \"numberOfInProgressCheckpoints\": 0");
    expect_told(job, "\"lastCheckpointSize\": -1, \"lastCheckpointExternalPath\": null}");
    assert_int_equal(leat_job_savepoint(job, folder, -1, NULL, &err), LEAT_E_TIMEOUT);
    expect_told(job, "{\"totalNumberOfCheckpoints\": 1, \"numberOfInProgressCheckpoints\": 0, "
                     "\"numberOfCompletedCheckpoints\": 0, \"numberOfFailedCheckpoints\": 1, "
                     "\"lastCheckpointRestoreTimestamp\": -1");
    assert_int_equal(leat_job_savepoint(job, folder, 0, NULL, &err), LEAT_E_TIMEOUT);
    for (leat_status s = LEAT_OK; s >= 0;) { /* until it is under way */
        char *text = leat_job_checkpoints(job, &err);
        if (strstr(text, "\"numberOfInProgressCheckpoints\": 1")) s = LEAT_E_STATE;
        leat_text_free(text);
    }
    atomic_store(&g.closed, 1);
    char *path;
    if (leat_job_savepoint(job, in_folder("last"), -1, &path, &err) < 0) fail_msg("%s", err.text);
    snprintf(part, sizeof part, "\"lastCheckpointExternalPath\": \"%s\"", path);
    expect_told(job, part);
    leat_text_free(path);
    finish(job, env);

    env = env_with("execution.state-recovery.path", only_file(in_folder("last"), "savepoint-"));
    set(env, "execution.state-recovery.allow-older", "true");
    job = start_stuck(env, &g);
    await_checkpoints(1);
    char *text = leat_job_checkpoints(job, &err);
    assert_null(strstr(text, "\"lastCheckpointRestoreTimestamp\": -1"));
    leat_text_free(text);
    finish(job, env);
}

/* --- names ------------------------------------------------------------------------------------ */

static void a_second_job_of_a_name_has_checkpoints_of_its_own(void **state) {
    (void)state;
    leat_error err = {.text = ""};
    tally t = {0};
    leat_env *env = env_with(NULL, NULL);
    leat_job *first = start_both(env, &t);
    leat_job *second = start_both(env, &t);
    assert_int_equal(access(in_folder("job"), F_OK), 0);
    assert_int_equal(access(in_folder("job-2"), F_OK), 0);
    leat_env *other = env_with(NULL, NULL);
    leat_stream_print(leat_env_sequence(other, 1, 3));
    assert_null(leat_env_start(other, "job", &err)); /* at once: this process has it */
    assert_int_equal(err.status, LEAT_E_STATE);
    assert_non_null(strstr(err.text, "are in use by process"));
    leat_env_free(other);
    leat_job_free(first);
    finish(second, env);
}

/* --- a folder that another process has -------------------------------------------------------- */

/* As if that process had it; close() lets it go. */
static int hold_folder(const char *signature) {
    mkdir(in_folder("job"), 0700);
    write_file("job/lock", signature, strlen(signature));
    int fd = open(in_folder("job/lock"), O_RDWR | O_CLOEXEC);
    assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), 0);
    return fd;
}

static leat_job *start_short(leat_env *env) {
    static tally t;
    leat_stream_sink(leat_env_sequence(env, 1, 5), leat_sink_fn(count_one, &t));
    return start(env);
}

static void a_job_that_waits_for_its_folder_can_be_cancelled(void **state) {
    (void)state;
    leat_error err = {.text = ""};
    leat_env *env = env_with("execution.checkpointing.externalized-checkpoint-retention",
                             "DELETE_ON_CANCELLATION");
    int other = hold_folder("1 0123\n");
    mkdir(in_folder("job/chk-7"), 0700);
    leat_job *job = start_short(env);
    assert_int_equal(leat_job_wait(job, 200), LEAT_AGAIN);
    assert_int_equal(leat_job_status(job), LEAT_JOB_CREATED);
    assert_int_equal(leat_job_savepoint(job, folder, 0, NULL, &err), LEAT_E_STATE);
    leat_job_cancel(job);
    assert_int_equal(leat_job_wait(job, 1000), LEAT_OK);
    assert_int_equal(leat_job_result(job, &err), LEAT_E_CANCELLED);
    assert_int_equal(access(in_folder("job/chk-7"), F_OK), 0); /* it is another one's */
    finish(job, env);
    close(other);
}

static void a_job_begins_when_its_folder_is_free(void **state) {
    (void)state;
    leat_error err = {.text = ""};
    int other = hold_folder("1 0123\n");
    leat_env *env = env_with(NULL, NULL);
    leat_job *job = start_short(env);
    assert_int_equal(leat_job_wait(job, 100), LEAT_AGAIN);
    close(other);
    assert_int_equal(leat_job_wait(job, -1), LEAT_OK);
    assert_int_equal(leat_job_result(job, &err), LEAT_OK);
    finish(job, env);
}

static void expect_refusal(const char *signature, const char *words) {
    leat_error err = {.text = ""};
    leat_env *env = env_with("restart-strategy.type", "fixed-delay");
    int other = hold_folder(signature);
    leat_job *job = start_short(env);
    assert_int_equal(leat_job_wait(job, -1), LEAT_OK);
    assert_int_equal(leat_job_result(job, &err), LEAT_E_STATE);
    if (!strstr(err.text, words)) fail_msg("%s", err.text);
    assert_null(strstr(err.text, "restarted"));
    finish(job, env);
    close(other);
}

static void a_folder_that_stays_taken_fails_the_job(void **state) {
    (void)state;
    leati_job_folder_patience_ms = 100;
    expect_refusal("1 0123\n", "are in use by process 1 (job 0123); end that job");
    expect_refusal("", "are in use by a process that has not said which it is; end that job");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_FOLDER(checkpoints_go_on_when_a_source_has_ended),
        WITH_FOLDER(only_exact_checkpoints_hold_up_the_faster_input),
        WITH_FOLDER(what_takes_too_long_fails_the_job_or_is_tolerated),
        WITH_FOLDER(the_last_one_is_tried_again_in_its_time),
        WITH_FOLDER(a_folder_that_cannot_be_made_is_said_at_the_start),
        WITH_FOLDER(between_two_is_a_pause),
        WITH_FOLDER(so_many_are_kept_as_is_said),
        WITH_FOLDER(a_job_that_has_ended_keeps_its_last_as_finished),
        WITH_FOLDER(the_newest_of_a_job_that_stopped_is_no_older_than_its_savepoint),
        WITH_FOLDER(a_stop_that_the_jobs_own_folder_cannot_have_is_none),
        WITH_FOLDER(what_became_of_checkpoints_is_told),
        WITH_FOLDER(a_second_job_of_a_name_has_checkpoints_of_its_own),
        WITH_FOLDER(a_job_that_waits_for_its_folder_can_be_cancelled),
        WITH_FOLDER(a_job_begins_when_its_folder_is_free),
        WITH_FOLDER(a_folder_that_stays_taken_fails_the_job),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
