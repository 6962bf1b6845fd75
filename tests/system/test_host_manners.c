/* Leat in a host that has its own ways: handlers for SIGCHLD and SIGINT, children, a libuv loop,
   SIGPIPE as it comes. A job whose worker is killed ends with a clear error, and the host is as it
   was (contracts, 8). */
#include <errno.h>
#include <leat.h>
#include <sys/wait.h>
#include <uv.h>

#include "host_view.h"
#include "needs.h"

enum { SECONDS = 30 };

static volatile sig_atomic_t children_ended, interrupts;
static volatile sig_atomic_t reap_all; /* as shells and supervisors do */

static void on_child(int number) {
    int kept = errno;
    (void)number;
    children_ended = children_ended + 1;
    while (reap_all && waitpid(-1, NULL, WNOHANG) > 0) continue;
    errno = kept;
}

static void on_interrupt(int number) {
    (void)number;
    interrupts = interrupts + 1;
}

static void handle(int number, void (*handler)(int)) {
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
    sigaction(number, &action, NULL);
}

static pid_t start_child(void) {
    pid_t child = fork();
    if (child) return child;
    alarm(2 * SECONDS);
    for (;;) pause();
}

/* --- a job inside of the host's loop ---------------------------------------------------------- */

typedef struct host {
    uv_loop_t loop;
    uv_poll_t poll;
    uv_timer_t timer;
    leat_job *job;
    int64_t sum;
    int ticks, threads, open_to_signals;
} host;

static leat_status add(leat_context *ctx, const leat_record *in, void *arg) {
    (void)ctx;
    ((host *)arg)->sum += in->value.as.i;
    return LEAT_OK;
}

static void on_news(uv_poll_t *poll, int status, int events) {
    host *h = poll->data;
    (void)status;
    (void)events;
    bool ended = leat_job_wait(h->job, 0) == LEAT_OK;
    leat_job_dispatch(h->job, -1);
    if (!ended) return;
    uv_close((uv_handle_t *)&h->poll, NULL);
    uv_close((uv_handle_t *)&h->timer, NULL);
}

static void on_tick(uv_timer_t *timer) {
    host *h = timer->data;
    h->ticks++;
    h->threads = count_threads(&h->open_to_signals);
    if (h->ticks > SECONDS * 1000) leat_job_cancel(h->job);
}

/* Three records through a Python function, in the host's own loop. */
static leat_status run(host *h, const char *mode, const char *function, int64_t first,
                       leat_error *err) {
    leat_options options = leat_options_defaults();
    options.settings =
        (const char *const[]){"python.execution-mode", mode, "parallelism.default", "1", NULL};
    options.host_dispatch = true;
    leat_env *env = leat_env_new(&options, err);
    leat_stream *numbers = leat_env_sequence(env, first, first + 2);
    leat_stream_sink(leat_stream_map(numbers, leat_python(function)), leat_sink_fn(add, h));
    h->job = leat_env_start(env, "in the host's loop", err);
    assert_non_null(h->job);
    uv_loop_init(&h->loop);
    uv_poll_init(&h->loop, &h->poll, leat_job_fd(h->job));
    uv_timer_init(&h->loop, &h->timer);
    h->poll.data = h->timer.data = h;
    uv_poll_start(&h->poll, UV_READABLE, on_news);
    uv_timer_start(&h->timer, on_tick, 1, 1);
    uv_run(&h->loop, UV_RUN_DEFAULT);
    uv_loop_close(&h->loop);
    leat_status status = leat_job_result(h->job, err);
    leat_job_free(h->job);
    leat_env_free(env);
    return status;
}

/* --- tests ------------------------------------------------------------------------------------ */

static void host_runs_jobs_and_stays_as_it_was(void **state) {
    (void)state;
    needs_python();
    const char *const modes[] = {"process", "thread"};
    static host_view before, after;
    leat_error err;
    host warm = {.sum = 0};
    assert_int_equal(run(&warm, "thread", "operator:neg", 1, &err), LEAT_OK); /* opens Python */
    host_look(&before);
    for (int i = 0; i < 2; i++) {
        host h = {.sum = 0};
        assert_int_equal(run(&h, modes[i], "operator:neg", 1, &err), LEAT_OK);
        assert_int_equal(h.sum, -6);
        assert_true(h.ticks == 0 || h.threads > 0);
        /* The runner of an interpreter blocks what the host's own thread does (ADR 0006). */
        assert_in_range(h.open_to_signals, 0, strcmp(modes[i], "thread") == 0);
        host_look(&after);
        assert_null(host_difference(&before, &after));
    }
}

static void first_job_with_python_changes_nothing_but_descriptors(void **state) {
    (void)state;
    needs_python();
    static host_view before, after;
    leat_error err;
    host h = {.sum = 0};
    host_look(&before);
    assert_int_equal(run(&h, "thread", "operator:neg", 1, &err), LEAT_OK);
    host_look(&after);
    before.descriptors = after.descriptors;
    assert_null(host_difference(&before, &after));
}

static void killed_worker_is_named_and_the_host_is_as_before(void **state) {
    (void)state;
    needs_python();
    static host_view before, after;
    leat_error err;
    pid_t child = start_child();
    int how;
    host_look(&before);
    host h = {.sum = 0};
    children_ended = 0;
    assert_int_equal(run(&h, "process", "signal:raise_signal", SIGKILL, &err), LEAT_E_WORKER);
    if (!strstr(err.text, "signal 9 (Killed)")) fail_msg("%s", err.text);
    host_look(&after);
    assert_null(host_difference(&before, &after));

    assert_int_equal(waitpid(child, &how, WNOHANG),
                     0); /* the host's child lives, and is still its own */
    kill(child, SIGTERM);
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_int_equal(WTERMSIG(how), SIGTERM);
    assert_true(children_ended >= 1);
    assert_int_equal(waitpid(-1, &how, WNOHANG), -1); /* no worker was left behind */
    raise(SIGINT);
    assert_int_equal(interrupts, 1);
}

static void host_that_reaps_every_child_gets_an_error_too(void **state) {
    (void)state;
    needs_python();
    leat_error err;
    host h = {.sum = 0};
    reap_all = 1;
    leat_status status = run(&h, "process", "signal:raise_signal", SIGKILL, &err);
    reap_all = 0;
    assert_int_equal(status, LEAT_E_WORKER);
    assert_non_null(strstr(err.text, " ended with "));
}

static void two_jobs_at_once_run_apart(void **state) {
    (void)state;
    needs_python();
    const char *const modes[] = {"process", "thread"};
    leat_error err;
    leat_env *envs[2];
    leat_job *jobs[2];
    host sums[2] = {{.sum = 0}, {.sum = 0}};
    for (int i = 0; i < 2; i++) {
        leat_options options = leat_options_defaults();
        options.settings = (const char *const[]){"python.execution-mode", modes[i], NULL};
        envs[i] = leat_env_new(&options, &err);
        leat_stream *numbers = leat_env_sequence(envs[i], 1, 1000);
        leat_stream *made =
            leat_stream_map(numbers, leat_python(i ? "operator:pos" : "operator:neg"));
        leat_stream_sink(leat_stream_global(made), leat_sink_fn(add, &sums[i]));
        jobs[i] = leat_env_start(envs[i], NULL, &err);
        assert_non_null(jobs[i]);
    }
    for (int i = 0; i < 2; i++) {
        assert_int_equal(leat_job_wait(jobs[i], SECONDS * 1000), LEAT_OK);
        assert_int_equal(leat_job_result(jobs[i], &err), LEAT_OK);
        leat_job_free(jobs[i]);
        leat_env_free(envs[i]);
    }
    assert_int_equal(sums[0].sum, -500500);
    assert_int_equal(sums[1].sum, 500500);
}

int main(void) {
    handle(SIGCHLD, on_child);
    handle(SIGINT, on_interrupt);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_job_with_python_changes_nothing_but_descriptors),
        cmocka_unit_test(host_runs_jobs_and_stays_as_it_was),
        cmocka_unit_test(killed_worker_is_named_and_the_host_is_as_before),
        cmocka_unit_test(host_that_reaps_every_child_gets_an_error_too),
        cmocka_unit_test(two_jobs_at_once_run_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
