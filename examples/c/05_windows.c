/* 05_windows.c: readings of two sensors, by ten seconds of event time and by sessions.

   cc 05_windows.c $(pkg-config --cflags --libs leat) && ./a.out */
#include <leat.h>
#include <stdio.h>

/* A reading is a tuple: sensor, degrees, milliseconds. */
static leat_status time_of(leat_context *ctx, const leat_record *in, int64_t *time, void *arg) {
    (void)ctx, (void)arg;
    *time = in->value.as.items[2].as.i;
    return LEAT_OK;
}

/* Gets the one count of its window. */
static leat_status tell(leat_context *ctx, const leat_window *window, const leat_value *elements,
                        size_t count, leat_emitter *out, void *self) {
    (void)count, (void)self;
    char text[100];
    const leat_value *sensor = leat_context_key(ctx);
    snprintf(text, sizeof text, "%.*s from %d to %d: %d readings", (int)sensor->size,
             sensor->as.bytes, (int)window->start, (int)window->end, (int)elements[0].as.i);
    leat_value told = leat_string(text);
    return leat_emitter_push(out, &told);
}

int main(void) {
    leat_error err;
    leat_env *env = leat_env_new(NULL, &err);
    leat_env_set(env, "parallelism.default", "1", &err);
    leat_env_set(env, "pipeline.watermark-per-record", "true", &err);
    leat_value readings[][3] = {
        {leat_string("kitchen"), leat_int(19), leat_int(1000)},
        {leat_string("cellar"), leat_int(11), leat_int(4000)},
        {leat_string("kitchen"), leat_int(23), leat_int(3000)},
        {leat_string("cellar"), leat_int(12), leat_int(13000)},
        {leat_string("kitchen"), leat_int(21), leat_int(2000)},
    };
    leat_value tuples[5];
    for (int i = 0; i < 5; i++) tuples[i] = leat_tuple(readings[i], 3);
    leat_stream *all = leat_env_collection(env, tuples, 5);
    all = leat_stream_assign_timestamps(all, leat_timestamp_fn(time_of, NULL), 2000);
    leat_stream *sensors = leat_stream_key_by(all, leat_field(0));

    leat_window_spec tens = leat_window_spec_of(leat_builtin("tumbling_event_time 10000"));
    tens.late_tag = "late"; /* the watermark has passed 10000 when 2000 comes */
    leat_stream *highest = leat_stream_window_max_by(sensors, &tens, 1);
    leat_stream_print(highest);
    leat_stream_print(leat_stream_side_output(highest, "late"));

    leat_window_spec sessions = leat_window_spec_of(leat_builtin("session_event_time 5000"));
    leat_window_function calls = {.size = sizeof calls, .process = tell};
    leat_function teller = leat_window_fn(&calls, NULL), count = leat_builtin("count");
    leat_stream_print(leat_stream_window_aggregate(sensors, &sessions, count, &teller));
    int failed = leat_env_execute(env, "windows", &err) < 0;
    if (failed) fprintf(stderr, "%s: %s\n", err.where, err.text);
    leat_env_free(env);
    return failed;
}
