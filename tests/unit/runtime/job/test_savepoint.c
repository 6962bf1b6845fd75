/* Tests of savepoint.c and of what the coordinator does for it: savepoints of running jobs, stops
   with and without draining, what is refused, what fails and goes on. */
#include "gather.h"

#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "folder.h"
#include "runtime/base/alloc.h"
#include "runtime/base/files.h"
#include "runtime/job/checkpoint.h"

/* --- jobs that count -------------------------------------------------------------------------- */

/* A sink of 1, 2, 3 ..., over several jobs. */
typedef struct follower {
    atomic_llong last, misses;
} follower;

static leat_status follow(leat_context *ctx, const leat_record *in, void *arg) {
    follower *f = arg;
    (void)ctx;
    if (in->value.as.i != atomic_load(&f->last) + 1) atomic_fetch_add(&f->misses, 1);
    atomic_store(&f->last, in->value.as.i);
    return LEAT_OK;
}

static void set(leat_env *env, const char *key, const char *value) {
    leat_error err = {.text = ""};
    if (leat_env_set(env, key, value, &err) < 0) fail_msg("%s", err.text);
}

static leat_env *env_from(const char *path) {
    leat_env *env = env_of(1, 4);
    if (path) set(env, "execution.state-recovery.path", path);
    return env;
}

static leat_job *start(leat_env *env) {
    leat_error err = {.text = ""};
    leat_job *job = leat_env_start(env, "count", &err);
    if (!job) fail_msg("%s: %s", err.where, err.text);
    return job;
}

static leat_job *start_counting(leat_env *env, follower *f) {
    leat_stream *s = leat_stream_rebalance(leat_env_sequence(env, 1, INT64_MAX));
    leat_stream_sink(s, leat_sink_fn(follow, f));
    return start(env);
}

static void finish(leat_job *job, leat_env *env) {
    leat_job_free(job);
    leat_env_free(env);
}

static void await_more(follower *f, int64_t more) {
    int64_t until = atomic_load(&f->last) + more;
    while (atomic_load(&f->last) < until) sched_yield();
}

static char *saved(leat_job *job) {
    leat_error err = {.text = ""};
    char *path = NULL;
    if (leat_job_savepoint(job, folder, -1, &path, &err) < 0) fail_msg("%s", err.text);
    return path;
}

static char *stopped(leat_job *job, bool drain) {
    leat_error err = {.text = ""};
    char *path = NULL;
    if (leat_job_stop(job, folder, drain, -1, &path, &err) < 0) fail_msg("%s", err.text);
    assert_int_equal(leat_job_status(job), LEAT_JOB_FINISHED);
    assert_int_equal(leat_job_result(job, &err), LEAT_OK);
    return path;
}

static uint32_t flags_of(const char *path) {
    leat_error err = {.text = ""};
    leati_manifest m;
    if (leati_manifest_read(path, &m, &err) < 0) fail_msg("%s", err.text);
    uint32_t flags = m.flags;
    leati_manifest_fini(&m);
    return flags;
}

/* --- savepoints ------------------------------------------------------------------------------- */

static void a_savepoint_is_made_while_the_job_goes_on(void **state) {
    (void)state;
    follower f = {0};
    leat_env *env = env_from(NULL);
    leat_job *job = start_counting(env, &f);
    await_more(&f, 10);
    char *first = saved(job);
    await_more(&f, 10);
    char *second = saved(job);
    assert_string_not_equal(first, second);
    assert_int_equal(strncmp(first, folder, strlen(folder)), 0);
    assert_int_equal(flags_of(first), LEATI_CP_SAVEPOINT);
    await_more(&f, 10);
    assert_int_equal(leat_job_status(job), LEAT_JOB_RUNNING);
    finish(job, env);
    assert_int_equal(f.misses, 0);
    assert_int_equal(flags_of(second), LEATI_CP_SAVEPOINT); /* it outlives the job */

    f.last = 0;
    env = env_from(first);
    job = start_counting(env, &f);
    await_more(&f, 10);
    finish(job, env);
    assert_int_equal(f.misses, 1); /* it does not begin with 1 */
    leat_text_free(first);
    leat_text_free(second);
}

static void a_stopped_job_goes_on_from_where_it_stood(void **state) {
    (void)state;
    follower f = {0};
    char *path = NULL;
    for (int run = 0; run < 4; run++) {
        leat_env *env = env_from(path);
        leat_job *job = start_counting(env, &f);
        leat_text_free(path);
        await_more(&f, 100);
        path = stopped(job, false);
        assert_int_equal(flags_of(path), LEATI_CP_SAVEPOINT | LEATI_CP_STOPPED);
        finish(job, env);
        assert_int_equal(f.misses, 0);
    }
    leat_text_free(path);
}

/* A counter that timers of processing time drive, a record for each. */
static leat_status set_next(leat_context *ctx) {
    leat_timer next = {LEAT_PROCESSING_TIME, leat_context_now(ctx) + 1, {NULL, 0}};
    return leat_timer_set(ctx, &next);
}

static leat_status tick_begins(leat_context *ctx, unsigned input, const leat_record *in,
                               leat_emitter *out, void *self) {
    (void)input, (void)in, (void)out, (void)self;
    return in->value.as.i == 1 ? set_next(ctx) : LEAT_OK;
}

static leat_status tick(leat_context *ctx, const leat_timer *timer, leat_emitter *out, void *self) {
    (void)timer, (void)self;
    static const leat_namespace all = {NULL, 0};
    leat_error err;
    leat_state *ticks;
    leat_value v = leat_int(0);
    leat_status status = leat_context_state(ctx, "ticks", LEAT_VALUE_STATE, NULL, &ticks, &err);
    if (status >= 0) status = leat_state_get(ctx, ticks, all, &v);
    if (status >= 0) v = leat_int(v.kind == LEAT_INT ? v.as.i + 1 : 1);
    if (status >= 0) status = leat_state_put(ctx, ticks, all, &v);
    if (status >= 0) status = leat_emitter_push(out, &v);
    return status < 0 ? status : set_next(ctx);
}

static leat_status one_key(leat_context *ctx, const leat_record *in, leat_value *key, void *arg) {
    (void)ctx, (void)in, (void)arg;
    *key = leat_int(0);
    return LEAT_OK;
}

static leat_job *start_ticking(leat_env *env, follower *f) {
    leat_stream *s = leat_env_sequence(env, 1, INT64_MAX);
    s = leat_stream_key_by(s, leat_key_fn(one_key, NULL));
    s = leat_stream_process(s, leat_keyed_process_fn(tick_begins, tick, NULL));
    leat_stream_sink(leat_stream_rebalance(s), leat_sink_fn(follow, f));
    return start(env);
}

static void nothing_fires_behind_a_stop(void **state) {
    (void)state;
    follower f = {0};
    char *path = NULL;
    for (int run = 0; run < 4; run++) {
        leat_env *env = env_from(path);
        leat_job *job = start_ticking(env, &f);
        leat_text_free(path);
        await_more(&f, 20);
        path = stopped(job, false);
        finish(job, env);
        assert_int_equal(f.misses, 0);
    }
    leat_text_free(path);
}

/* --- draining --------------------------------------------------------------------------------- */

static leat_status at_the_end(leat_context *ctx, unsigned input, const leat_record *in,
                              leat_emitter *out, void *self) {
    (void)input, (void)out, (void)self;
    leat_timer end = {LEAT_EVENT_TIME, INT64_MAX, {NULL, 0}};
    return in->value.as.i == 1 ? leat_timer_set(ctx, &end) : LEAT_OK;
}

static leat_status say_end(leat_context *ctx, const leat_timer *timer, leat_emitter *out,
                           void *self) {
    (void)ctx, (void)timer, (void)self;
    leat_value v = leat_string("end");
    return leat_emitter_push(out, &v);
}

static void expect_end(bool drain, const char *want, uint32_t flags) {
    gathered g;
    gathered_init(&g);
    follower f = {0};
    leat_env *env = env_from(NULL);
    leat_stream *s = leat_env_sequence(env, 1, INT64_MAX);
    leat_stream_sink(s, leat_sink_fn(follow, &f));
    s = leat_stream_key_by(s, leat_key_fn(one_key, NULL));
    s = leat_stream_process(s, leat_keyed_process_fn(at_the_end, say_end, NULL));
    leat_stream_sink(s, gathered_sink(&g));
    leat_job *job = start(env);
    await_more(&f, 10);
    char *path = stopped(job, drain);
    assert_int_equal(flags_of(path), LEATI_CP_SAVEPOINT | flags);
    finish(job, env);
    assert_string_equal(gathered_text(&g), want);
    gathered_fini(&g);
    leat_text_free(path);
}

static void only_draining_reaches_the_end_of_time(void **state) {
    (void)state;
    expect_end(false, "", LEATI_CP_STOPPED);
    expect_end(true, "end@9223372036854775807", LEATI_CP_STOPPED | LEATI_CP_FINISHED);
}

/* --- two at a time ---------------------------------------------------------------------------- */

static void *save_in_thread(void *arg) {
    return saved(arg);
}

static void savepoints_at_the_same_time_are_made_one_after_the_other(void **state) {
    (void)state;
    enum { THREADS = 5 };
    follower f = {0};
    leat_env *env = env_from(NULL);
    leat_job *job = start_counting(env, &f);
    pthread_t threads[THREADS];
    void *paths[THREADS];
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, save_in_thread, job), 0);
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], &paths[i]);
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(flags_of(paths[i]), LEATI_CP_SAVEPOINT);
        for (int k = 0; k < i; k++) assert_string_not_equal(paths[i], paths[k]);
    }
    for (int i = 0; i < THREADS; i++) leat_text_free(paths[i]);
    finish(job, env);
    assert_int_equal(f.misses, 0);
}

/* --- what fails ------------------------------------------------------------------------------- */

static void what_cannot_be_written_is_said_and_the_job_goes_on(void **state) {
    (void)state;
    follower f = {0};
    leat_error err = {.text = ""};
    write_file("file", "", 0);
    leat_env *env = env_from(NULL);
    leat_job *job = start_counting(env, &f);
    await_more(&f, 10);
    char *path = NULL;
    assert_int_equal(leat_job_savepoint(job, in_folder("file/x"), -1, &path, &err), LEAT_E_IO);
    assert_non_null(strstr(err.text, "it is no folder"));
    assert_null(path);
    await_more(&f, 1000);
    assert_int_equal(leat_job_stop(job, in_folder("file/x"), false, -1, &path, &err), LEAT_E_IO);
    await_more(&f, 1000);
    assert_int_equal(leat_job_status(job), LEAT_JOB_RUNNING);
    leat_text_free(stopped(job, false));
    finish(job, env);
    assert_int_equal(f.misses, 0);
}

static void a_folder_is_needed(void **state) {
    (void)state;
    follower f = {0};
    leat_error err = {.text = ""};
    char *path = NULL;
    leat_env *env = env_from(NULL);
    leat_job *job = start_counting(env, &f);
    assert_int_equal(leat_job_savepoint(job, NULL, -1, NULL, &err), LEAT_E_ARGUMENT);
    assert_string_equal(err.text, "there is no folder for savepoints; give one, or set "
                                  "execution.checkpointing.savepoint-dir");
    assert_int_equal(leat_job_savepoint(NULL, folder, -1, &path, &err), LEAT_E_ARGUMENT);
    assert_int_equal(leat_job_stop(NULL, folder, false, -1, &path, NULL), LEAT_E_ARGUMENT);
    finish(job, env);
    env = env_from(NULL);
    char uri[128];
    snprintf(uri, sizeof uri, "file://%s", in_folder("new"));
    set(env, "state.savepoints.dir", uri);
    job = start_counting(env, &f);
    assert_int_equal(leat_job_savepoint(job, NULL, -1, &path, NULL), LEAT_OK);
    assert_int_equal(strncmp(path, in_folder("new/savepoint-"), strlen(folder) + 15), 0);
    finish(job, env);
    leat_text_free(path);
}

static void expect_refusal(leat_env *env, const char *text) {
    leat_error err = {.text = ""};
    leat_job *job = start(env);
    assert_int_equal(leat_job_savepoint(job, folder, -1, NULL, &err), LEAT_E_UNSUPPORTED);
    assert_string_equal(err.text, text);
    assert_int_equal(leat_job_stop(job, folder, true, -1, NULL, &err), LEAT_E_UNSUPPORTED);
    finish(job, env);
}

static void jobs_without_savepoints_refuse_them(void **state) {
    (void)state;
    follower f = {0};
    leat_env *env = env_from(NULL);
    set(env, "execution.runtime-mode", "BATCH");
    leat_stream_sink(leat_env_sequence(env, 1, INT64_MAX), leat_sink_fn(follow, &f));
    expect_refusal(env, "there are no savepoints of batch execution; set execution.runtime-mode to "
                        "STREAMING");
}

static void a_job_that_has_ended_has_no_savepoint(void **state) {
    (void)state;
    follower f = {0};
    leat_error err = {.text = ""};
    leat_env *env = env_from(NULL);
    leat_stream_sink(leat_env_sequence(env, 1, 5), leat_sink_fn(follow, &f));
    leat_job *job = start(env);
    leat_job_wait(job, -1);
    assert_int_equal(leat_job_savepoint(job, folder, -1, NULL, &err), LEAT_E_STATE);
    assert_string_equal(err.text, "the job has ended");
    assert_int_equal(leat_job_stop(job, folder, false, 0, NULL, &err), LEAT_E_STATE);
    finish(job, env);
}

/* --- waits ------------------------------------------------------------------------------------ */

typedef struct door {
    atomic_bool reached, open;
} door;

/* Blocks its runner. A test may; a function must not. */
static leat_status wait_at_door(leat_context *ctx, const leat_record *in, void *arg) {
    door *d = arg;
    (void)ctx, (void)in;
    atomic_store(&d->reached, true);
    while (!atomic_load(&d->open)) sched_yield();
    return LEAT_OK;
}

static leat_job *start_stuck(leat_env *env, door *d) {
    leat_stream_sink(leat_env_sequence(env, 1, INT64_MAX), leat_sink_fn(wait_at_door, d));
    leat_job *job = start(env);
    while (!atomic_load(&d->reached)) sched_yield();
    return job;
}

static void who_does_not_wait_leaves_nothing_behind(void **state) {
    (void)state;
    door d = {false, false};
    leat_error err = {.text = ""};
    leat_env *env = env_from(NULL);
    leat_job *job = start_stuck(env, &d);
    assert_int_equal(leat_job_savepoint(job, folder, 0, NULL, &err), LEAT_E_TIMEOUT);
    assert_string_equal(err.text, "the savepoint was not complete after 0 ms; it is still being "
                                  "made");
    assert_int_equal(leat_job_savepoint(job, folder, 20, NULL, &err), LEAT_E_TIMEOUT);
    assert_int_equal(leat_job_stop(job, folder, false, 1, NULL, &err), LEAT_E_TIMEOUT);
    atomic_store(&d.open, true);
    assert_int_equal(leat_job_wait(job, -1), LEAT_OK);
    assert_int_equal(leat_job_status(job), LEAT_JOB_FINISHED);
    finish(job, env);
    int made = 0;
    DIR *dir = opendir(folder);
    for (const struct dirent *e; (e = readdir(dir));) made += !strncmp(e->d_name, "savepoint-", 10);
    closedir(dir);
    assert_int_equal(made, 3);
}

static void *cancel_later(void *arg) {
    leat_job_cancel(arg);
    return NULL;
}

static void cancel_answers_who_waits(void **state) {
    (void)state;
    door d = {false, false};
    leat_error err = {.text = ""};
    pthread_t thread;
    leat_env *env = env_from(NULL);
    leat_job *job = start_stuck(env, &d);
    assert_int_equal(leat_job_savepoint(job, folder, 1, NULL, &err), LEAT_E_TIMEOUT);
    assert_int_equal(pthread_create(&thread, NULL, cancel_later, job), 0);
    leat_status status = leat_job_stop(job, folder, false, 2000, NULL, &err);
    atomic_store(&d.open, true);
    assert_true(status == LEAT_E_STATE || status == LEAT_E_TIMEOUT);
    pthread_join(thread, NULL);
    finish(job, env);
}

static leat_status fail_at(leat_context *ctx, const leat_record *in, void *arg) {
    atomic_int *at = arg;
    return atomic_load(at) ? leat_context_fail(ctx, LEAT_E_USER, "number %d", (int)in->value.as.i)
                           : LEAT_OK;
}

/* A source that no barrier ever finds where it could go on. */
static leat_status give_nothing(leat_context *ctx, leat_emitter *out, void *arg) {
    (void)ctx, (void)out, (void)arg;
    return LEAT_AGAIN;
}

static leat_status never_stands(leat_context *ctx, int64_t checkpoint, void *arg) {
    (void)ctx, (void)checkpoint;
    atomic_store((atomic_int *)arg, 1);
    return LEAT_AGAIN;
}

static void a_failure_answers_who_waits(void **state) {
    (void)state;
    atomic_int fails = 0;
    leat_error err = {.text = ""};
    leat_env *env = env_from(NULL);
    leat_stream_sink(leat_env_sequence(env, 1, INT64_MAX), leat_sink_fn(fail_at, &fails));
    leat_function source = leat_source_fn(give_nothing, &fails);
    source.on_barrier = never_stands;
    leat_stream_sink(leat_env_source(env, source), leat_sink_fn(fail_at, &fails));
    leat_job *job = start(env);
    assert_int_equal(leat_job_savepoint(job, folder, -1, NULL, &err), LEAT_E_STATE);
    assert_string_equal(err.text, "the job failed meanwhile");
    leat_job_wait(job, -1);
    assert_int_equal(leat_job_status(job), LEAT_JOB_FAILED);
    finish(job, env);
}

/* While the driver writes, on its own thread. */
static _Atomic(leat_job *) to_cancel;

static int fsync_and_cancel(int fd) {
    char name[64], path[4096] = "";
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    if (readlink(name, path, sizeof path - 1) > 0 && strstr(path, LEATI_MANIFEST)) {
        leat_job *job = atomic_exchange(&to_cancel, NULL);
        if (job) leat_job_cancel(job);
    }
    return fsync(fd);
}

static void cancel_while_a_savepoint_is_published_is_heard(void **state) {
    (void)state;
    follower f = {0, 0};
    leat_error err = {.text = ""};
    leati_files files = *leati_files_get();
    files.fsync = fsync_and_cancel;
    leat_env *env = env_from(NULL);
    leat_job *job = start_counting(env, &f);
    await_more(&f, 10);
    atomic_store(&to_cancel, job);
    leati_files_set(&files);
    assert_int_equal(leat_job_savepoint(job, folder, 0, NULL, &err), LEAT_E_TIMEOUT);
    assert_int_equal(leat_job_wait(job, 10000), LEAT_OK);
    leati_files_set(NULL);
    assert_null(atomic_load(&to_cancel));
    assert_int_equal(leat_job_status(job), LEAT_JOB_CANCELED);
    finish(job, env);
}

/* --- the end of a job ------------------------------------------------------------------------- */

/* A sink that looks, when it is to commit, whether the job has finished by its checkpoint. */
static atomic_int commits, too_early;
static atomic_bool ended, breaks;

static char *newest_of(const char *job_folder) {
    leat_error err;
    int64_t *numbers, highest;
    assert_true(leati_cp_list(job_folder, &numbers, &highest, &err) > 0);
    char *path = leati_cp_folder(job_folder, numbers[0]);
    leati_free(numbers);
    return path;
}

static bool has_finished(void) {
    char *path = newest_of(in_folder("count"));
    bool finished = flags_of(path) & LEATI_CP_FINISHED;
    leati_free(path);
    return finished;
}

static leat_status witness_on_record(leat_context *ctx, void *self, unsigned input,
                                     const leat_record *in) {
    (void)ctx, (void)self, (void)input, (void)in;
    return LEAT_OK;
}

static leat_status witness_on_end(leat_context *ctx, void *self, unsigned input) {
    (void)ctx, (void)self, (void)input;
    atomic_store(&ended, true);
    return LEAT_OK;
}

static leat_status witness_commit(leat_context *ctx, void *self, int64_t checkpoint) {
    (void)self, (void)checkpoint;
    atomic_fetch_add(&commits, 1);
    if (has_finished()) atomic_fetch_add(&too_early, 1);
    if (!atomic_load(&ended) || !atomic_load(&breaks)) return LEAT_OK;
    return leat_context_fail(ctx, LEAT_E_USER, "it cannot commit");
}

static const leat_operator witness_operator = {
    .size = sizeof(leat_operator),
    .name = "witness",
    .flags = LEAT_OP_SINK,
    .inputs = 1,
    .on_record = witness_on_record,
    .on_end_of_data = witness_on_end,
    .commit = witness_commit,
};

static leat_status run_witnessed(const char *path) {
    leat_env *env = env_from(path);
    leat_error err = {.text = ""};
    set(env, "execution.checkpointing.interval", "2 ms");
    set(env, "execution.checkpointing.dir", folder);
    set(env, "restart-strategy.type", "none");
    leat_stream *s = leat_env_sequence(env, 1, 100);
    leat_graph_add(NULL, &witness_operator, NULL, 0, &s, 1);
    leat_status status = leat_env_execute(env, "count", &err);
    leat_env_free(env);
    return status;
}

/* What a sink could not commit any more it commits in the run that starts from there. */
static void a_job_has_finished_when_all_is_committed(void **state) {
    (void)state;
    atomic_store(&breaks, true);
    assert_int_equal(run_witnessed(NULL), LEAT_E_USER);
    assert_false(has_finished());
    atomic_store(&breaks, false);
    atomic_store(&commits, 0);
    assert_int_equal(run_witnessed("latest"), LEAT_OK);
    assert_true(atomic_load(&commits) > 0);
    assert_int_equal(atomic_load(&too_early), 0);
    assert_true(has_finished());
    atomic_store(&commits, 0);
    assert_int_equal(run_witnessed("latest"), LEAT_OK); /* there is nothing to do */
    assert_int_equal(atomic_load(&commits), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_FOLDER(a_savepoint_is_made_while_the_job_goes_on),
        WITH_FOLDER(a_stopped_job_goes_on_from_where_it_stood),
        WITH_FOLDER(nothing_fires_behind_a_stop),
        WITH_FOLDER(only_draining_reaches_the_end_of_time),
        WITH_FOLDER(savepoints_at_the_same_time_are_made_one_after_the_other),
        WITH_FOLDER(what_cannot_be_written_is_said_and_the_job_goes_on),
        WITH_FOLDER(a_folder_is_needed),
        WITH_FOLDER(jobs_without_savepoints_refuse_them),
        WITH_FOLDER(a_job_that_has_ended_has_no_savepoint),
        WITH_FOLDER(who_does_not_wait_leaves_nothing_behind),
        WITH_FOLDER(cancel_answers_who_waits),
        WITH_FOLDER(a_failure_answers_who_waits),
        WITH_FOLDER(cancel_while_a_savepoint_is_published_is_heard),
        WITH_FOLDER(a_job_has_finished_when_all_is_committed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
