/* push_latency.c: how long a record takes from leat_push to the callback, through one Python map.

       push_latency MODE PYTHON RATE SECONDS

   MODE is thread or process, PYTHON the interpreter. The value is the time at which it was pushed,
   so the callback can tell how old it is. Prints one line of JSON: microseconds at the median, the
   99th and the 99.9th percentile, and the worst. What is pushed before the first record came back,
   while the job starts, does not count. */
#include <errno.h>
#include <leat.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static int64_t *ages;
static atomic_long arrived, room;
static atomic_bool running;

static int64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000 + t.tv_nsec;
}

static leat_status take(leat_context *ctx, const leat_record *in, void *self) {
    (void)ctx;
    (void)self;
    int64_t age = now() - in->value.as.i;
    long at = atomic_load(&arrived);
    if (atomic_load(&running) && at < atomic_load(&room)) {
        ages[at] = age;
        atomic_store(&arrived, at + 1);
    }
    atomic_store(&running, true);
    return LEAT_OK;
}

static void sleep_until(int64_t time) {
    struct timespec t = {time / 1000000000, time % 1000000000};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR) continue;
}

static leat_status push_now(leat_push_source *source) {
    leat_value value = leat_int(now());
    return leat_push(source, &value, LEAT_NO_TIME, -1);
}

/* One record per tick; a tick that was missed is made up for at once, as a host would. */
static leat_status push_all(leat_push_source *source, long rate, long count) {
    leat_status status = LEAT_OK;
    while (status >= 0 && !atomic_load(&running)) {
        status = push_now(source);
        sleep_until(now() + 1000000);
    }
    int64_t begin = now(), tick = 1000000000 / rate;
    for (long i = 0; i < count && status >= 0; i++) {
        sleep_until(begin + i * tick);
        status = push_now(source);
    }
    return status < 0 ? status : leat_push_end(source);
}

static int by_size(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static double percentile(double part) {
    long count = atomic_load(&arrived);
    long at = (long)(part * (double)count);
    return (double)ages[at < count ? at : count - 1] / 1000;
}

static leat_status run(leat_env *env, long rate, long count, leat_error *err) {
    leat_push_source *source;
    leat_stream *s =
        leat_stream_map(leat_env_push_source(env, &source), leat_python("passing:value"));
    leat_stream_sink(s, leat_sink_fn(take, NULL));
    leat_job *job = leat_env_start(env, "push latency", err);
    if (!job) return err->status;
    leat_status status;
    for (;;) { /* pushes are refused until the source's task is open */
        status = push_now(source);
        if (status != LEAT_E_STATE || leat_job_wait(job, 1) == LEAT_OK) break;
    }
    if (status >= 0) status = push_all(source, rate, count);
    leat_job_wait(job, -1);
    if (leat_job_result(job, err) < 0) status = err->status;
    leat_job_free(job);
    return status;
}

int main(int argc, char **argv) {
    if (argc < 5) return 2;
    long rate = atol(argv[3]), count = rate * atol(argv[4]);
    const char *settings[] = {"python.execution-mode",
                              argv[1],
                              "python.executable",
                              argv[2],
                              "parallelism.default",
                              "1",
                              NULL};
    leat_options options = leat_options_defaults();
    options.settings = settings;
    leat_error err = {.where = "push", .text = "the job did not take it"};
    ages = calloc((size_t)count, sizeof *ages);
    atomic_store(&room, count);
    leat_env *env = leat_env_new(&options, &err);
    if (!ages || !env || run(env, rate, count, &err) < 0 || !atomic_load(&arrived)) {
        fprintf(stderr, "%s: %s\n", err.where, err.text);
        return 1;
    }
    leat_env_free(env);
    qsort(ages, (size_t)atomic_load(&arrived), sizeof *ages, by_size);
    printf("{\"records\": %ld, \"p50\": %.1f, \"p99\": %.1f, \"p999\": %.1f, \"worst\": %.1f}\n",
           atomic_load(&arrived), percentile(0.5), percentile(0.99), percentile(0.999),
           percentile(1));
    return 0;
}
