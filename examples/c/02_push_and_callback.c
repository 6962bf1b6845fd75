/* 02_push_and_callback.c: the program pushes readings into a job that runs, and is called back with
   the warmest of each room so far.

   cc 02_push_and_callback.c $(pkg-config --cflags --libs leat) && ./a.out */
#include <leat.h>
#include <stdio.h>

static const struct reading {
    const char *room;
    double celsius;
} readings[] = {{"kitchen", 19.5}, {"cellar", 11.0}, {"kitchen", 22.0}, {"cellar", 10.5}};

/* Called on a thread of Leat's, one call at a time. */
static leat_status warmest(leat_context *ctx, const leat_record *in, void *calls) {
    (void)ctx;
    const leat_value *room = &in->value.as.items[0], *celsius = &in->value.as.items[1];
    printf("%.*s: %.1f\n", (int)room->size, room->as.bytes, celsius->as.d);
    ++*(int *)calls;
    return LEAT_OK;
}

/* Waits for room if need be: the job sets the pace. */
static leat_status push_all(leat_push_source *source) {
    leat_status status = LEAT_OK;
    for (size_t i = 0; i < sizeof readings / sizeof *readings && status == LEAT_OK; i++) {
        leat_value pair[] = {leat_string(readings[i].room), leat_double(readings[i].celsius)};
        leat_value value = leat_tuple(pair, 2);
        status = leat_push(source, &value, LEAT_NO_TIME, -1);
    }
    leat_push_end(source);
    return status;
}

int main(void) {
    int calls = 0;
    leat_error err;
    leat_push_source *source = NULL;
    leat_options options = leat_options_defaults();
    options.settings = (const char *const[]){"parallelism.default", "1", NULL};
    leat_env *env = leat_env_new(&options, &err);
    leat_stream *pushed = leat_env_push_source(env, &source);
    leat_stream *rooms = leat_stream_key_by(pushed, leat_field(0));
    leat_stream_sink(leat_stream_max(rooms, 1), leat_sink_fn(warmest, &calls));
    leat_job *job = env ? leat_env_start(env, "rooms", &err) : NULL;
    int failed = !job || push_all(source) < 0;
    if (job) leat_job_wait(job, -1);
    if (!job || leat_job_result(job, &err) < 0) {
        fprintf(stderr, "%s: %s\n", err.where, err.text);
        failed = 1;
    }
    leat_job_free(job);
    leat_env_free(env);
    return failed || calls != 4;
}
