/* batch_sort.c: what sorting by key costs in batch:

       batch_sort RECORDS KEYS ROUNDS

   sums a sequence by key (number modulo KEYS, keys in no order) as a stream, in batch in memory,
   and in batch with two bytes of memory per record, so that all goes through files. Prints one line
   of JSON with the nanoseconds of processor time, of all threads, per record of each. The rounds
   are interleaved and the best of each counts. */
#include <leat.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { WAYS = 3 };

static int64_t keys, results, summed;

static leat_status key_of(leat_context *ctx, const leat_record *in, leat_value *key, void *self) {
    (void)ctx;
    (void)self;
    *key = leat_int((int64_t)((uint64_t)in->value.as.i * 0x9E3779B1u % (uint64_t)keys));
    return LEAT_OK;
}

static leat_status count(leat_context *ctx, const leat_record *in, void *self) {
    (void)ctx;
    (void)self;
    results++;
    summed += in->value.as.i;
    return LEAT_OK;
}

static double seconds_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static double run_job(int way, int64_t records) {
    leat_error err;
    char memory[32];
    snprintf(memory, sizeof memory, "%lld", (long long)(way == 2 ? records * 2 : INT64_C(8) << 30));
    const char *settings[] = {"parallelism.default",
                              "1",
                              "execution.runtime-mode",
                              way ? "BATCH" : "STREAMING",
                              "execution.sorted-inputs.memory",
                              memory,
                              NULL};
    leat_options options = leat_options_defaults();
    options.settings = settings;
    leat_env *env = leat_env_new(&options, &err);
    leat_stream *s = leat_env_sequence(env, 1, records);
    s = leat_stream_sum(leat_stream_key_by(s, leat_key_fn(key_of, NULL)), 0);
    leat_stream_sink(s, leat_sink_fn(count, NULL));
    double begin = seconds_now();
    if (leat_env_execute(env, "batch sort", &err) < 0) {
        fprintf(stderr, "%s: %s\n", err.where, err.text);
        exit(1);
    }
    double seconds = seconds_now() - begin;
    leat_env_free(env);
    return seconds;
}

/* Seconds of one run; ends the program when the result is wrong. */
static double checked(int way, int64_t records) {
    results = summed = 0;
    double seconds = run_job(way, records);
    bool right = way ? summed == records * (records + 1) / 2 : results == records;
    if (right) return seconds;
    fprintf(stderr, "way %d: %lld results came, %lld in all\n", way, (long long)results,
            (long long)summed);
    exit(1);
}

int main(int argc, char **argv) {
    int64_t records = argc > 1 ? atoll(argv[1]) : 10000000;
    keys = argc > 2 ? atoll(argv[2]) : 1000;
    int rounds = argc > 3 ? atoi(argv[3]) : 3;
    double best[WAYS] = {1e9, 1e9, 1e9};
    for (int i = 0; i < rounds; i++)
        for (int way = 0; way < WAYS; way++) {
            double seconds = checked(way, records);
            if (seconds < best[way]) best[way] = seconds;
        }
    double each = 1e9 / (double)records;
    printf("{\"stream\": %.1f, \"memory\": %.1f, \"files\": %.1f}\n", best[0] * each,
           best[1] * each, best[2] * each);
    return 0;
}
