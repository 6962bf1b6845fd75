/* native_chain.c: what the engine costs without any language: sequence, map, a filter that drops
   nothing, count,

       native_chain RECORDS ROUNDS

   as one task, as two tasks with a channel between source and rest, and as a C loop over the same
   function pointers. Prints one line of JSON with the nanoseconds of each: per record and operator,
   but for the channel, where it is per record. The rounds are interleaved and the best of each
   counts, because what disturbs only ever adds. */
#include <leat.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { OPERATORS = 4 };

static int64_t counted, summed;

static leat_status next_of(leat_context *ctx, const leat_record *in, leat_value *out, void *self) {
    (void)ctx;
    (void)self;
    *out = leat_int(in->value.as.i + 1);
    return LEAT_OK;
}

static leat_status all(leat_context *ctx, const leat_record *in, bool *keep, void *self) {
    (void)ctx;
    (void)self;
    *keep = in->value.as.i >= 0;
    return LEAT_OK;
}

static leat_status count(leat_context *ctx, const leat_record *in, void *self) {
    (void)ctx;
    (void)self;
    counted++;
    summed += in->value.as.i;
    return LEAT_OK;
}

static double seconds_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* Through volatile pointers, so that the compiler calls them as an engine must. */
static double run_loop(int64_t records) {
    leat_map_call volatile map = next_of;
    leat_filter_call volatile filter = all;
    leat_sink_call volatile sink = count;
    double begin = seconds_now();
    for (int64_t i = 1; i <= records; i++) {
        leat_record in = leat_record_of(leat_int(i), LEAT_NO_TIME);
        leat_record out = leat_record_of(leat_null(), LEAT_NO_TIME);
        bool keep = false;
        map(NULL, &in, &out.value, NULL);
        filter(NULL, &out, &keep, NULL);
        if (keep) sink(NULL, &out, NULL);
    }
    return seconds_now() - begin;
}

static double run_job(int64_t records, bool two_tasks) {
    leat_error err;
    const char *settings[] = {"parallelism.default", "1", NULL};
    leat_options options = leat_options_defaults();
    options.settings = settings;
    leat_env *env = leat_env_new(&options, &err);
    leat_stream *s = leat_env_sequence(env, 1, records);
    if (two_tasks) s = leat_stream_option(s, "chaining", "never");
    if (!two_tasks) s = leat_stream_map(s, leat_map_fn(next_of, NULL));
    if (!two_tasks) s = leat_stream_filter(s, leat_filter_fn(all, NULL));
    leat_stream_sink(s, leat_sink_fn(count, NULL));
    double begin = seconds_now();
    if (leat_env_execute(env, "native chain", &err) < 0) {
        fprintf(stderr, "%s: %s\n", err.where, err.text);
        exit(1);
    }
    double seconds = seconds_now() - begin;
    leat_env_free(env);
    return seconds;
}

/* Seconds of one run; ends the program when the result is wrong. */
static double checked(int way, int64_t records) {
    counted = summed = 0;
    double seconds = way ? run_job(records, way == 2) : run_loop(records);
    int64_t more = way == 2 ? 0 : records;
    if (counted == records && summed == records * (records + 1) / 2 + more) return seconds;
    fprintf(stderr, "way %d: %lld records came, %lld in all\n", way, (long long)counted,
            (long long)summed);
    exit(1);
}

int main(int argc, char **argv) {
    int64_t records = argc > 1 ? atoll(argv[1]) : 10000000;
    int rounds = argc > 2 ? atoi(argv[2]) : 5;
    double best[3] = {1e9, 1e9, 1e9};
    for (int i = 0; i < rounds; i++)
        for (int way = 0; way < 3; way++) {
            double seconds = checked(way, records);
            if (seconds < best[way]) best[way] = seconds;
        }
    double each = 1e9 / (double)records;
    printf("{\"loop\": %.3f, \"chain\": %.3f, \"channel\": %.3f}\n", best[0] * each / OPERATORS,
           best[1] * each / OPERATORS, best[2] * each);
    return 0;
}
