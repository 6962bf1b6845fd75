/* 06_state_and_timers.c: tells of sensors that fell silent: a value per sensor, and a timer that
   the next reading takes back.

   cc 06_state_and_timers.c $(pkg-config --cflags --libs leat) && ./a.out */
#include <leat.h>
#include <stdio.h>

enum { SILENCE = 5000 }; /* milliseconds */

static const leat_namespace all = {NULL, 0};

/* A reading is the time it was taken at; its last digit is the number of the sensor. */
static leat_status sensor_of(leat_context *ctx, const leat_record *in, leat_value *key, void *arg) {
    (void)ctx, (void)arg;
    *key = leat_int(in->value.as.i % 10);
    return LEAT_OK;
}

static leat_status time_of(leat_context *ctx, const leat_record *in, int64_t *time, void *arg) {
    (void)ctx, (void)arg;
    *time = in->value.as.i;
    return LEAT_OK;
}

static leat_status on_reading(leat_context *ctx, unsigned input, const leat_record *in,
                              leat_emitter *out, void *self) {
    (void)input, (void)out, (void)self;
    leat_error err;
    leat_state *state; /* found by its name; `open` could keep it */
    leat_value last = leat_null();
    leat_status status = leat_context_state(ctx, "last", LEAT_VALUE_STATE, NULL, &state, &err);
    if (status >= 0) status = leat_state_get(ctx, state, all, &last);
    leat_timer old = {LEAT_EVENT_TIME, last.as.i + SILENCE, all};
    leat_timer next = {LEAT_EVENT_TIME, in->time + SILENCE, all};
    if (status == LEAT_OK) status = leat_timer_remove(ctx, &old);
    if (status >= 0) status = leat_state_put(ctx, state, all, &in->value);
    return status < 0 ? status : leat_timer_set(ctx, &next);
}

static leat_status on_silence(leat_context *ctx, const leat_timer *timer, leat_emitter *out,
                              void *self) {
    (void)self;
    leat_value told[] = {*leat_context_key(ctx), leat_int(timer->time)}, v = leat_tuple(told, 2);
    return leat_emitter_push(out, &v);
}

int main(void) {
    const leat_value readings[] = {leat_int(1001), leat_int(2002), leat_int(4001), leat_int(8001)};
    leat_error err;
    leat_env *env = leat_env_new(NULL, &err);
    leat_stream *s = leat_env_collection(env, readings, 4);
    s = leat_stream_assign_timestamps(s, leat_timestamp_fn(time_of, NULL), 0);
    s = leat_stream_key_by(s, leat_key_fn(sensor_of, NULL));
    leat_stream_print(leat_stream_process(s, leat_keyed_process_fn(on_reading, on_silence, NULL)));
    int failed = leat_env_execute(env, "silence", &err) < 0;
    if (failed) fprintf(stderr, "%s: %s\n", err.where, err.text);
    leat_env_free(env);
    return failed;
}
