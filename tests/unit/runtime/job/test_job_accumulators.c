/* Tests of job_accumulators.c and accumulators.c: what functions in C add up in several subtasks,
   while the job runs and at its end. */
#include "gather.h"

#include <stdio.h>
#include <string.h>

typedef struct sums {
    leat_accumulator *count, *most, *spread, *texts;
} sums;

static leat_status open_sums(leat_context *ctx, void *arg, void **self) {
    static sums all[2];
    sums *s = *self = &all[leat_context_subtask(ctx)];
    leat_error err;
    leat_accumulator *again;
    (void)arg;
    assert_int_equal(
        leat_context_accumulator(ctx, "count", LEAT_ACCUMULATOR_INT_SUM, &s->count, &err), 0);
    assert_int_equal(
        leat_context_accumulator(ctx, "the \"most\"", LEAT_ACCUMULATOR_DOUBLE_MAX, &s->most, &err),
        0);
    assert_int_equal(
        leat_context_accumulator(ctx, "spread", LEAT_ACCUMULATOR_HISTOGRAM, &s->spread, &err), 0);
    assert_int_equal(leat_context_accumulator(ctx, "texts", LEAT_ACCUMULATOR_LIST, &s->texts, &err),
                     0);
    assert_int_equal(leat_context_accumulator(ctx, "count", LEAT_ACCUMULATOR_INT_SUM, &again, &err),
                     0);
    assert_ptr_equal(again, s->count);
    assert_int_equal(leat_context_accumulator(ctx, "count", LEAT_ACCUMULATOR_LIST, &again, &err),
                     LEAT_E_STATE);
    assert_non_null(strstr(err.text, "is a sum of integers, and was asked for as a list"));
    assert_int_equal(leat_context_accumulator(ctx, "", LEAT_ACCUMULATOR_LIST, &again, &err),
                     LEAT_E_ARGUMENT);
    return LEAT_OK;
}

static leat_status add_up(leat_context *ctx, const leat_record *in, bool *keep, void *self) {
    (void)ctx;
    const sums *s = self;
    int64_t n = in->value.as.i;
    const leat_value one = leat_int(1), half = leat_double((double)n / 2);
    const leat_value rest = leat_int(n % 3), text = leat_string("a \"text\"");
    *keep = false;
    leat_status status = leat_accumulator_add(s->count, &one);
    if (status >= 0) status = leat_accumulator_add(s->most, &half);
    if (status >= 0) status = leat_accumulator_add(s->spread, &rest);
    if (status >= 0 && n == 9000) status = leat_accumulator_add(s->texts, &text);
    return status;
}

/* Asks until the job has ended. */
static void *ask(void *arg) {
    leat_job *job = arg;
    leat_error err;
    do {
        char *text = leat_job_accumulators(job, &err);
        if (!text) fail_msg("%s", err.text);
        leat_text_free(text);
    } while (leat_job_wait(job, 0) == LEAT_AGAIN);
    return NULL;
}

static leat_status count_results(const char *name, const leat_value *value, void *arg) {
    int *count = arg;
    if (strcmp(name, "count") == 0) assert_int_equal(value->as.i, 10000);
    return ++*count == 3 ? LEAT_E_USER : LEAT_OK;
}

static void functions_add_up_over_subtasks(void **state) {
    (void)state;
    leat_error err;
    gathered g;
    gathered_init(&g);
    leat_env *env = env_of(2, 8);
    leat_function f = leat_filter_fn(add_up, NULL);
    f.open = open_sums;
    leat_stream *s = leat_stream_parallelism(leat_env_sequence(env, 1, 10000), 1);
    s = leat_stream_filter(leat_stream_rebalance(s), f);
    leat_stream_sink(s, gathered_sink(&g));
    leat_job *job = leat_env_start(env, "sums", &err);
    assert_non_null(job);
    pthread_t asking;
    assert_int_equal(pthread_create(&asking, NULL, ask, job), 0);
    assert_int_equal(leat_job_wait(job, -1), LEAT_OK);
    pthread_join(asking, NULL);
    assert_int_equal(leat_job_result(job, &err), LEAT_OK);
    char *text = leat_job_accumulators(job, &err);
    assert_non_null(text);
    static const char *const wanted[] = {"\"count\": 10000", "\"the \\\"most\\\"\": 5000.0",
                                         "\"spread\": {\"0\": 3333, \"1\": 3334, \"2\": 3333}",
                                         "\"texts\": [\"a \\\"text\\\"\"]"};
    for (int i = 0; i < 4; i++)
        if (!strstr(text, wanted[i])) fail_msg("%s is not in %s", wanted[i], text);
    leat_text_free(text);
    char *metrics = leat_job_metrics(job, &err); /* they stand beside each other */
    assert_non_null(strstr(metrics, "{\"numRecordsIn\": 5000, \"numRecordsOut\": 0}"));
    leat_text_free(metrics);
    int count = 0;
    assert_int_equal(leat_job_accumulators_each(job, count_results, &count, &err), LEAT_E_USER);
    assert_int_equal(count, 3);
    assert_int_equal(leat_job_accumulators_each(job, NULL, NULL, &err), LEAT_E_ARGUMENT);
    leat_env_free(env);
    gathered_fini(&g);
    assert_null(leat_job_accumulators(NULL, &err));
    assert_int_equal(err.status, LEAT_E_ARGUMENT);
}

static leat_status open_clash(leat_context *ctx, void *arg, void **self) {
    leat_error err;
    const leat_value one = leat_int(1);
    leat_accumulator *a;
    *self = NULL;
    leat_status status = leat_context_accumulator(
        ctx, "n", arg ? LEAT_ACCUMULATOR_LIST : LEAT_ACCUMULATOR_INT_SUM, &a, &err);
    if (status < 0) return leat_context_fail(ctx, status, "%s", err.text);
    return leat_accumulator_add(a, &one);
}

static leat_status pass(leat_context *ctx, const leat_record *in, bool *keep, void *self) {
    (void)ctx, (void)in, (void)self;
    *keep = true;
    return LEAT_OK;
}

static void one_name_for_two_kinds_is_told(void **state) {
    (void)state;
    leat_error err;
    gathered g;
    static int list;
    gathered_init(&g);
    leat_env *env = env_of(1, 8);
    leat_function sum = leat_filter_fn(pass, NULL), all = leat_filter_fn(pass, &list);
    sum.open = all.open = open_clash;
    leat_stream *s = leat_stream_filter(leat_env_sequence(env, 1, 3), sum);
    leat_stream_sink(leat_stream_filter(s, all), gathered_sink(&g));
    leat_job *job = leat_env_start(env, "clash", &err);
    assert_non_null(job);
    assert_int_equal(leat_job_wait(job, -1), LEAT_OK);
    assert_int_equal(leat_job_result(job, &err), LEAT_E_STATE);
    if (!strstr(err.text, "'n' is a list here, and a sum of integers in 'filter'") &&
        !strstr(err.text, "'n' is a sum of integers here, and a list in 'filter'"))
        fail_msg("%s", err.text);
    leat_job_free(job);
    leat_env_free(env);
    gathered_fini(&g);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(functions_add_up_over_subtasks),
        cmocka_unit_test(one_name_for_two_kinds_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
