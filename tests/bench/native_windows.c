/* native_windows.c: what windows cost without any language: tuples (key, number) of 1,000 keys, in
   event time, through

       forward     a keyed process function that passes them on
       tumbling    sums of windows of 10 s
       sliding     sums of windows of 60 s that begin every second
       session     sums of sessions with a gap of 2 s

   each behind the same source, key and channel,

       native_windows RECORDS ROUNDS RECORDS_PER_SECOND

   where a second is one of event time. Prints one line of JSON with the nanoseconds of CPU time per
   record, of both threads; the rounds are interleaved and the best of each counts. */
#include <leat.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { KEYS = 1000, WAYS = 4 };

static int64_t per_second, came, summed;

static leat_status make_tuple(leat_context *ctx, const leat_record *in, leat_value *out,
                              void *self) {
    (void)self;
    leat_value *items = leat_context_alloc(ctx, 3 * sizeof *items);
    if (!items) return LEAT_E_NOMEM;
    int64_t i = in->value.as.i;
    items[0] = leat_int(i * 7919 % KEYS);
    items[1] = leat_int(1);
    items[2] = leat_int(i * 1000 / per_second);
    *out = leat_tuple(items, 3);
    return LEAT_OK;
}

static leat_status time_of(leat_context *ctx, const leat_record *in, int64_t *time, void *self) {
    (void)ctx, (void)self;
    *time = in->value.as.items[2].as.i;
    return LEAT_OK;
}

static leat_status forward(leat_context *ctx, unsigned input, const leat_record *in,
                           leat_emitter *out, void *self) {
    (void)ctx, (void)input, (void)self;
    return leat_emitter_push(out, &in->value);
}

static leat_status add(leat_context *ctx, const leat_record *in, void *self) {
    (void)ctx, (void)self;
    came++;
    summed += in->value.as.items[1].as.i;
    return LEAT_OK;
}

static double seconds_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static double run(int way, int64_t records) {
    static const char *const assigners[WAYS] = {NULL, "tumbling_event_time 10000",
                                                "sliding_event_time 60000 1000",
                                                "session_event_time 2000"};
    leat_error err;
    leat_env *env = leat_env_new(NULL, &err);
    leat_env_set(env, "parallelism.default", "1", &err);
    leat_stream *s = leat_env_sequence(env, 0, records - 1);
    s = leat_stream_map(s, leat_map_fn(make_tuple, NULL));
    s = leat_stream_assign_timestamps(s, leat_timestamp_fn(time_of, NULL), 0);
    s = leat_stream_key_by(s, leat_field(0));
    if (way) {
        leat_window_spec spec = leat_window_spec_of(leat_builtin(assigners[way]));
        s = leat_stream_window_sum(s, &spec, 1);
    } else {
        s = leat_stream_process(s, leat_process_fn(forward, NULL));
    }
    leat_stream_sink(s, leat_sink_fn(add, NULL));
    double begin = seconds_now();
    if (leat_env_execute(env, "windows", &err) < 0) {
        fprintf(stderr, "%s: %s\n", err.where, err.text);
        exit(1);
    }
    double seconds = seconds_now() - begin;
    leat_env_free(env);
    return seconds;
}

/* Every record counts once, but in 60 sliding windows. */
static double checked(int way, int64_t records) {
    came = summed = 0;
    double seconds = run(way, records);
    if (summed == records * (way == 2 ? 60 : 1)) return seconds;
    fprintf(stderr, "way %d: %lld results, %lld in all\n", way, (long long)came, (long long)summed);
    exit(1);
}

int main(int argc, char **argv) {
    int64_t records = argc > 1 ? atoll(argv[1]) : 2000000;
    int rounds = argc > 2 ? atoi(argv[2]) : 3;
    per_second = argc > 3 ? atoll(argv[3]) : 10 * KEYS;
    double best[WAYS] = {1e9, 1e9, 1e9, 1e9};
    for (int i = 0; i < rounds; i++)
        for (int way = 0; way < WAYS; way++) {
            double seconds = checked(way, records);
            if (seconds < best[way]) best[way] = seconds;
        }
    double each = 1e9 / (double)records;
    printf("{\"forward\": %.1f, \"tumbling\": %.1f, \"sliding\": %.1f, \"session\": %.1f}\n",
           best[0] * each, best[1] * each, best[2] * each, best[3] * each);
    return 0;
}
