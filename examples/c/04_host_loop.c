/* 04_host_loop.c: a program with a libuv loop and one thread: it pushes while there is room, and is
   called back inside of its own loop.

   cc 04_host_loop.c $(pkg-config --cflags --libs leat libuv) && ./a.out */
#include <leat.h>
#include <stdio.h>
#include <uv.h>

enum { NUMBERS = 100000 };

typedef struct host {
    leat_job *job;
    leat_push_source *source;
    int64_t pushed, sum; /* of this thread alone: no lock */
} host;

static leat_status add(leat_context *ctx, const leat_record *in, void *arg) {
    (void)ctx;
    ((host *)arg)->sum += in->value.as.i;
    return LEAT_OK;
}

/* There are results, or there is room again, or the job has ended. */
static void on_news(uv_poll_t *poll, int status, int events) {
    host *h = poll->data;
    (void)events;
    bool ended = leat_job_wait(h->job, 0) == LEAT_OK;
    if (status < 0 || leat_job_dispatch(h->job, -1) < 0 || ended)
        uv_poll_stop(poll); /* and the loop ends */
    leat_value next = leat_int(h->pushed);
    while (h->pushed < NUMBERS && leat_push(h->source, &next, LEAT_NO_TIME, 0) == LEAT_OK)
        next = leat_int(++h->pushed);
    if (h->pushed == NUMBERS) leat_push_end(h->source);
}

int main(void) {
    host h = {.pushed = 0};
    leat_error err;
    leat_options options = leat_options_defaults();
    options.host_dispatch = true;
    leat_env *env = leat_env_new(&options, &err);
    leat_stream *numbers = leat_env_push_source(env, &h.source);
    leat_stream_sink(leat_stream_rebalance(numbers), leat_sink_fn(add, &h));
    h.job = env ? leat_env_start(env, "loop", &err) : NULL;
    uv_loop_t *loop = uv_default_loop();
    uv_poll_t poll = {.data = &h};
    if (h.job) {
        uv_poll_init(loop, &poll, leat_job_fd(h.job));
        uv_poll_start(&poll, UV_READABLE, on_news);
        on_news(&poll, 0, 0); /* the first push */
        uv_run(loop, UV_RUN_DEFAULT);
    }
    int failed = !h.job || leat_job_result(h.job, &err) < 0;
    if (failed) fprintf(stderr, "%s: %s\n", err.where, err.text);
    printf("0 to %d are %lld together\n", NUMBERS - 1, (long long)h.sum);
    leat_job_free(h.job);
    leat_env_free(env);
    return failed;
}
