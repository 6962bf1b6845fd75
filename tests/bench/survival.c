/* survival.c: what checkpoints cost a job that remembers a sum for each of many keys, all in C:

       survival KEYS RECORDS SECONDS FOLDER

   At full speed: RECORDS records of a sequence, with a checkpoint every second and without, in
   turns, the best of each counts. At a pace: 100,000 records a second for SECONDS, pushed after all
   KEYS are there; how late the latest record came to the sink, and how long checkpoints took from
   trigger to publishing. Restore: from the start of a job to its first record in the sink. FOLDER
   gets the checkpoints. Prints one line of JSON: seconds, milliseconds. */
#include <errno.h>
#include <leat.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { RATE = 100000, BURST = 100, ROUNDS = 2 };

static int64_t keys;
static atomic_long arrived;
static int64_t latest, first_at; /* ns */
static double slowest_ms, all_ms;
static int checkpoints;

static int64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000 + t.tv_nsec;
}

/* All keys, in an order without an order. */
static int64_t key_of(int64_t i) {
    return (int64_t)((uint64_t)i * UINT64_C(2654435761) % (uint64_t)keys);
}

static leat_status pair(leat_context *ctx, const leat_record *in, leat_value *out, void *self) {
    (void)self;
    leat_value *items = leat_context_alloc(ctx, 2 * sizeof *items);
    if (!items) return LEAT_E_NOMEM;
    items[0] = leat_int(key_of(in->value.as.i));
    items[1] = leat_double(1);
    *out = leat_tuple(items, 2);
    return LEAT_OK;
}

static leat_status sink(leat_context *ctx, const leat_record *in, void *self) {
    (void)ctx;
    (void)self;
    if (!first_at) first_at = now();
    if (in->time != LEAT_NO_TIME) {
        int64_t age = now() - in->time;
        if (age > latest) latest = age;
    }
    atomic_fetch_add_explicit(&arrived, 1, memory_order_relaxed);
    return LEAT_OK;
}

static void fail(const leat_error *err) {
    fprintf(stderr, "%s: %s\n", err->where, err->text);
    exit(1);
}

/* "pace: checkpoint 3 complete in 12 ms, 56 bytes: ..." */
static void on_log(leat_log_level level, const char *line, void *arg) {
    (void)level;
    (void)arg;
    const char *in = strstr(line, " complete in ");
    if (!in) return;
    double ms = atof(in + strlen(" complete in "));
    if (ms > slowest_ms) slowest_ms = ms;
    all_ms += ms;
    checkpoints++;
}

static leat_env *new_env(const char *folder, const char *interval, const char *start) {
    leat_error err;
    const char *settings[] = {"parallelism.default",
                              "1",
                              "execution.checkpointing.dir",
                              folder,
                              "execution.checkpointing.interval",
                              interval,
                              start ? "execution.state-recovery.path" : NULL,
                              start,
                              NULL};
    leat_options options = leat_options_defaults();
    options.settings = settings;
    leat_env *env = leat_env_new(&options, &err);
    if (!env) fail(&err);
    return env;
}

static void add_sum(leat_stream *pairs) {
    leat_stream *sums = leat_stream_sum(leat_stream_key_by(pairs, leat_field(0)), 1);
    leat_stream_sink(leat_stream_uid(sums, "sums"), leat_sink_fn(sink, NULL));
}

static double run_full_speed(const char *folder, const char *interval, int64_t records) {
    leat_error err;
    leat_env *env = new_env(folder, interval, NULL);
    leat_stream *s = leat_stream_uid(leat_env_sequence(env, 1, records), "numbers");
    add_sum(leat_stream_map(s, leat_map_fn(pair, NULL)));
    atomic_store(&arrived, 0);
    int64_t begin = now();
    if (leat_env_execute(env, "full speed", &err) < 0) fail(&err);
    double seconds = (double)(now() - begin) * 1e-9;
    if (atomic_load(&arrived) != records) {
        fprintf(stderr, "%ld of %lld records came\n", atomic_load(&arrived), (long long)records);
        exit(1);
    }
    leat_env_free(env);
    return seconds;
}

static void sleep_until(int64_t time) {
    struct timespec t = {time / 1000000000, time % 1000000000};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR) continue;
}

static leat_status push(leat_push_source *source, int64_t i, int64_t time) {
    leat_value items[2] = {leat_int(key_of(i)), leat_double(1)};
    leat_value value = leat_tuple(items, 2);
    return leat_push(source, &value, time, -1);
}

static leat_status push_all(leat_push_source *source, int seconds) {
    leat_status status = LEAT_OK;
    for (int64_t i = 0; i < keys && status >= 0; i++) status = push(source, i, LEAT_NO_TIME);
    while (atomic_load(&arrived) < keys) sleep_until(now() + 1000000);
    slowest_ms = all_ms = 0;
    checkpoints = 0;
    int64_t begin = now(), bursts = (int64_t)seconds * RATE / BURST;
    for (int64_t i = 0; i < bursts && status >= 0; i++) {
        int64_t at = begin + i * (1000000000 / (RATE / BURST));
        sleep_until(at);
        for (int k = 0; k < BURST && status >= 0; k++) status = push(source, i * BURST + k, at);
    }
    return status;
}

/* Pushes are refused until the source's task is open. */
static leat_status push_first(leat_job *job, leat_push_source *source) {
    leat_status status;
    while ((status = push(source, 0, LEAT_NO_TIME)) == LEAT_E_STATE)
        if (leat_job_wait(job, 1) == LEAT_OK) break;
    return status;
}

static leat_job *start_job(leat_env *env, leat_push_source **source) {
    leat_error err;
    add_sum(leat_stream_uid(leat_env_push_source(env, source), "pushed"));
    atomic_store(&arrived, 0);
    leat_job *job = leat_env_start(env, "pace", &err);
    if (!job) fail(&err);
    return job;
}

static void end_job(leat_env *env, leat_job *job) {
    leat_error err;
    leat_job_wait(job, -1);
    if (leat_job_result(job, &err) < 0) fail(&err);
    leat_job_free(job);
    leat_env_free(env);
}

/* Ends with a savepoint, which is the answer. */
static char *run_at_pace(const char *folder, int seconds) {
    leat_error err = {.where = "push", .text = "the job did not take it"};
    leat_push_source *source;
    char *path = NULL;
    leat_env *env = new_env(folder, "1 s", NULL);
    leat_job *job = start_job(env, &source);
    if (push_first(job, source) < 0 || push_all(source, seconds) < 0) fail(&err);
    if (leat_job_stop(job, folder, false, -1, &path, &err) < 0) fail(&err);
    end_job(env, job);
    return path;
}

/* Until the first record is in the sink, in ns. */
static int64_t run_from(const char *folder, const char *savepoint) {
    leat_error err = {.where = "push", .text = "the job did not take it"};
    leat_push_source *source;
    leat_env *env = new_env(folder, "0", savepoint);
    int64_t begin = now();
    first_at = 0;
    leat_job *job = start_job(env, &source);
    if (push_first(job, source) < 0 || leat_push_end(source) < 0) fail(&err);
    end_job(env, job);
    return first_at - begin;
}

int main(int argc, char **argv) {
    if (argc < 5) return 2;
    keys = atoll(argv[1]);
    int64_t records = atoll(argv[2]);
    double best[2] = {1e9, 1e9};
    for (int i = 0; i < 2 * ROUNDS; i++) {
        double took = run_full_speed(argv[4], i % 2 ? "1 s" : "0", records);
        if (took < best[i % 2]) best[i % 2] = took;
    }
    leat_log_set(on_log, NULL, LEAT_LOG_INFO);
    char *savepoint = run_at_pace(argv[4], atoi(argv[3]));
    leat_log_set(NULL, NULL, LEAT_LOG_WARNING);
    double restore = (double)run_from(argv[4], savepoint) * 1e-6;
    leat_text_free(savepoint);
    printf("{\"without_s\": %.3f, \"with_s\": %.3f, \"loss\": %.4f, \"gap_ms\": %.2f, "
           "\"checkpoints\": %d, \"publish_mean_ms\": %.1f, \"publish_worst_ms\": %.1f, "
           "\"restore_ms\": %.1f}\n",
           best[0], best[1], best[1] / best[0] - 1, (double)latest * 1e-6, checkpoints,
           checkpoints ? all_ms / checkpoints : 0, slowest_ms, restore);
    return 0;
}
