/* A host that forks: a child of one that ran jobs gets clear errors, and destructors that do
   nothing; a child that was forked before any job has a Leat of its own (contracts, 8). */
#include <leat.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "needs.h"

static atomic_int added; /* records that a sink has taken */

static leat_status add(leat_context *ctx, const leat_record *in, void *arg) {
    (void)ctx;
    *(int64_t *)arg += in->value.as.i;
    atomic_fetch_add(&added, 1);
    return LEAT_OK;
}

static leat_status run_three(int64_t *sum, leat_error *err) {
    leat_env *env = leat_env_new(NULL, err);
    if (!env) return err->status;
    leat_stream_sink(leat_stream_global(leat_env_sequence(env, 1, 3)), leat_sink_fn(add, sum));
    leat_status status = leat_env_execute(env, NULL, err);
    leat_env_free(env);
    return status;
}

/* Runs `inside` in a forked child that leaves by exit(), and answers its code. */
static int in_child(int (*inside)(void *arg), void *arg) {
    int how = -1;
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        alarm(20);
        exit(inside(arg));
    }
    waitpid(child, &how, 0);
    return WIFEXITED(how) ? WEXITSTATUS(how) : 1000 + how;
}

static int runs_its_own_job(void *arg) {
    int64_t sum = 0;
    leat_error err;
    (void)arg;
    return run_three(&sum, &err) == LEAT_OK && sum == 6 ? 0 : 1;
}

static void child_forked_before_any_job_runs_its_own(void **state) {
    (void)state;
    leat_error err;
    leat_env *env = leat_env_new(NULL, &err);
    assert_int_equal(in_child(runs_its_own_job, NULL), 0);
    leat_env_free(env);
}

typedef struct parents {
    leat_env *env;
    leat_job *job;
    leat_push_source *source;
} parents;

/* Answers the number of the first call that did not do what it should. */
static int calls_fail(void *arg) {
    parents *p = arg;
    leat_error err = {.status = LEAT_OK};
    leat_value one = leat_int(1);
    int64_t sum = 0;
    if (run_three(&sum, &err) != LEAT_E_STATE || !strstr(err.text, "forked")) return 1;
    if (leat_env_set(p->env, "pipeline.name", "x", &err) != LEAT_E_STATE) return 2;
    if (leat_env_execute(p->env, NULL, &err) != LEAT_E_STATE) return 3;
    if (!strstr(err.text, "forked")) return 4;
    if (leat_env_plan(p->env, &err)) return 5;
    if (leat_push(p->source, &one, LEAT_NO_TIME, -1) != LEAT_E_STATE) return 6;
    if (leat_push_end(p->source) != LEAT_E_STATE) return 7;
    if (leat_job_wait(p->job, -1) != LEAT_E_STATE) return 8;
    if (leat_job_result(p->job, &err) != LEAT_E_STATE) return 9;
    if (leat_job_dispatch(p->job, -1) != LEAT_E_STATE) return 10;
    leat_job_cancel(p->job);
    leat_env_cancel(p->env);
    leat_env_clear(p->env);
    leat_job_free(p->job);
    leat_env_free(p->env);
    return 0;
}

static void child_of_a_running_job_is_refused(void **state) {
    (void)state;
    leat_error err;
    leat_value one = leat_int(1);
    int64_t sum = 0;
    leat_options options = leat_options_defaults();
    options.settings = (const char *const[]){"parallelism.default", "1", NULL};
    parents p = {.env = leat_env_new(&options, &err)};
    leat_stream_sink(leat_env_push_source(p.env, &p.source), leat_sink_fn(add, &sum));
    p.job = leat_env_start(p.env, NULL, &err);
    assert_non_null(p.job);
    atomic_store(&added, 0);
    assert_int_equal(leat_push(p.source, &one, LEAT_NO_TIME, -1), LEAT_OK);
    /* The sanitizer's allocator does not survive a fork while another thread is in it. */
    while (!atomic_load(&added)) sched_yield();
    assert_int_equal(in_child(calls_fail, &p), 0);
    assert_int_equal(leat_push(p.source, &one, LEAT_NO_TIME, -1), LEAT_OK);
    leat_push_end(p.source);
    leat_job_wait(p.job, -1);
    assert_int_equal(leat_job_result(p.job, &err), LEAT_OK);
    assert_int_equal(sum, 2);
    leat_job_free(p.job);
    leat_env_free(p.env);
}

static leat_status run_python(leat_error *err) {
    leat_options options = leat_options_defaults();
    options.settings = (const char *const[]){"python.execution-mode", "thread", NULL};
    leat_env *env = leat_env_new(&options, err);
    int64_t sum = 0;
    leat_stream *numbers =
        leat_stream_map(leat_env_sequence(env, 1, 3), leat_python("operator:neg"));
    leat_stream_sink(leat_stream_global(numbers), leat_sink_fn(add, &sum));
    leat_status status = leat_env_execute(env, NULL, err);
    leat_env_free(env);
    return status;
}

static int leaves(void *arg) {
    (void)arg;
    return 7;
}

/* The interpreter is the parent's: exit() in the child must not end it. */
static void child_leaves_the_interpreter_alone(void **state) {
    (void)state;
    needs_python();
    leat_error err;
    assert_int_equal(run_python(&err), LEAT_OK);
    assert_int_equal(in_child(leaves, NULL), 7);
    assert_int_equal(run_python(&err), LEAT_OK);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(child_forked_before_any_job_runs_its_own),
        cmocka_unit_test(child_of_a_running_job_is_refused),
        cmocka_unit_test(child_leaves_the_interpreter_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
