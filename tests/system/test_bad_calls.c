/* What a C program can do wrong, and the exact message it gets: missing files, Python functions
   that fail, keys and numbers that make no sense, NULL everywhere. */
#include <leat.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "needs.h"

static leat_env *env_in(const char *mode) {
    leat_error err;
    leat_options options = leat_options_defaults();
    options.settings = (const char *const[]){"parallelism.default", "1",
                                             mode ? "python.execution-mode" : NULL, mode, NULL};
    leat_env *env = leat_env_new(&options, &err);
    assert_non_null(env);
    return env;
}

static leat_status forget(leat_context *ctx, const leat_record *in, void *arg) {
    (void)ctx;
    (void)in;
    (void)arg;
    return LEAT_OK;
}

/* Ends the stream, runs the graph, and compares the failure. */
static void expect_failure(leat_env *env, leat_stream *s, leat_status status, const char *where,
                           const char *text) {
    leat_error err = {.status = LEAT_OK};
    leat_stream_sink(s, leat_sink_fn(forget, NULL));
    assert_int_equal(leat_env_execute(env, "bad", &err), status);
    assert_int_equal(err.status, status);
    assert_string_equal(err.where, where);
    assert_string_equal(err.text, text);
    leat_env_free(env);
}

/* --- files ------------------------------------------------------------------------------------ */

static void missing_file_is_named(void **state) {
    (void)state;
    leat_env *env = env_in(NULL);
    expect_failure(env, leat_env_read_text_file(env, "/nowhere/words.txt"), LEAT_E_NOT_FOUND,
                   "text_source (1/1)",
                   "cannot open '/nowhere/words.txt': No such file or directory");
}

static void folder_without_files_is_named(void **state) {
    (void)state;
    char folder[] = "/tmp/leat-empty-XXXXXX", text[160];
    assert_non_null(mkdtemp(folder));
    snprintf(text, sizeof text,
             "the folder '%s' has no files; names that begin with '.' or '_' are skipped", folder);
    leat_env *env = env_in(NULL);
    expect_failure(env, leat_env_read_text_file(env, folder), LEAT_E_NOT_FOUND, "text_source (1/1)",
                   text);
    rmdir(folder);
}

/* --- Python functions ------------------------------------------------------------------------- */

typedef struct python_case {
    const char *function, *type;
    leat_status status;
    const char *text;
} python_case;

static const python_case python_cases[] = {
    {"math:sqrt", NULL, LEAT_E_USER, "ValueError: math domain error"},
    {"nowhere:f", NULL, LEAT_E_USER, "ModuleNotFoundError: No module named 'nowhere'"},
    {"math:pi", NULL, LEAT_E_USER,
     "TypeError: 3.141592653589793 is not callable, and has no method 'map'"},
    {"math:f", NULL, LEAT_E_USER, "AttributeError: module 'math' has no attribute 'f'"},
    {"math", NULL, LEAT_E_USER, "ValueError: 'math' is not of the form 'module:name'"},
    {"sys:exit", NULL, LEAT_E_USER, "SystemExit: -1"},
    {"builtins:str", "INT", LEAT_E_TYPE, "expected INT, got str '-1'"},
};

static void python_function_that_fails_is_told(void **state) {
    const char *mode = *state;
    needs_python();
    for (size_t i = 0; i < sizeof python_cases / sizeof *python_cases; i++) {
        const python_case *c = &python_cases[i];
        leat_env *env = env_in(mode);
        leat_value minus_one = leat_int(-1);
        leat_stream *s = leat_env_collection(env, &minus_one, 1);
        s = leat_stream_map(s, leat_python(c->function));
        if (c->type) s = leat_stream_returns(s, c->type);
        expect_failure(env, s, c->status, "map (1/1)", c->text);
    }
}

static void flat_map_without_an_iterable_is_told(void **state) {
    const char *mode = *state;
    needs_python();
    leat_env *env = env_in(mode);
    leat_value one = leat_int(1);
    leat_stream *s = leat_env_collection(env, &one, 1);
    expect_failure(env, leat_stream_flat_map(s, leat_python("math:exp")), LEAT_E_USER,
                   "flat_map (1/1)",
                   "TypeError: flat_map: the function returned float; it must return an iterable, "
                   "or yield its results");
}

/* The whole failure, beside the short one. */
static void failure_names_operator_record_and_exception(void **state) {
    const char *mode = *state;
    needs_python();
    leat_error err;
    leat_env *env = env_in(mode);
    leat_value minus_one = leat_int(-1);
    leat_stream *s = leat_env_collection(env, &minus_one, 1);
    leat_stream_sink(leat_stream_map(s, leat_python("math:sqrt")), leat_sink_fn(forget, NULL));
    leat_job *job = leat_env_start(env, "whole", &err);
    assert_non_null(job);
    assert_int_equal(leat_job_wait(job, 30000), LEAT_OK);
    const leat_failure *f = leat_job_failure(job);
    assert_non_null(f);
    assert_string_equal(f->operator_name, "map");
    assert_int_equal(f->subtask, 0);
    assert_int_equal(f->parallelism, 1);
    assert_string_equal(f->record, "-1");
    assert_non_null(strstr(f->traceback, "ValueError: math domain error"));
    leat_job_free(job);
    leat_env_free(env);
}

/* --- where thread mode is not possible -------------------------------------------------------- */

static void keep_warning(leat_log_level level, const char *line, void *arg) {
    if (level == LEAT_LOG_WARNING) snprintf(arg, 400, "%s", line);
}

static void thread_mode_falls_back_with_a_warning(void **state) {
    (void)state;
    needs_processes();
    char warning[400] = "";
    leat_error err;
    leat_env *env = env_in("thread");
    assert_int_equal(leat_env_set(env, "python.executable", "/bin/echo", &err), LEAT_OK);
    leat_value one = leat_int(1);
    leat_stream *s = leat_env_collection(env, &one, 1);
    leat_stream_sink(leat_stream_map(s, leat_python("math:sqrt")), leat_sink_fn(forget, NULL));
    leat_log_set(keep_warning, warning, LEAT_LOG_WARNING);
    char *plan = leat_env_plan(env, &err);
    leat_log_set(NULL, NULL, LEAT_LOG_WARNING);
    assert_non_null(plan);
    assert_non_null(strstr(warning, "python.execution-mode=thread: /bin/echo: it is no Python"));
    assert_non_null(strstr(plan, "thread mode is not possible, because of /bin/echo"));
    assert_non_null(strstr(plan, "worker 1"));
    leat_text_free(plan);
    leat_env_free(env);
}

static void missing_interpreter_is_named(void **state) {
    (void)state;
    needs_processes();
    leat_error err;
    leat_env *env = env_in("process");
    assert_int_equal(leat_env_set(env, "python.executable", "/nowhere/python", &err), LEAT_OK);
    leat_value one = leat_int(1);
    leat_stream *s = leat_env_collection(env, &one, 1);
    leat_stream_sink(leat_stream_map(s, leat_python("math:sqrt")), leat_sink_fn(forget, NULL));
    assert_int_equal(leat_env_execute(env, NULL, &err), LEAT_E_WORKER);
    assert_non_null(strstr(err.text, "/nowhere/python: the worker's interpreter can't be started"));
    leat_env_free(env);
}

/* --- configuration and graphs ----------------------------------------------------------------- */

static void unknown_key_names_the_nearest(void **state) {
    (void)state;
    leat_error err;
    leat_options options = leat_options_defaults();
    options.settings = (const char *const[]){"parallelism.defult", "2", NULL};
    assert_null(leat_env_new(&options, &err));
    assert_int_equal(err.status, LEAT_E_CONFIG);
    assert_string_equal(err.text, "parallelism.defult: no such configuration key; did you mean "
                                  "parallelism.default?");
    options.settings = (const char *const[]){"python.execution-mode", "fork", NULL};
    assert_null(leat_env_new(&options, &err));
    assert_int_equal(err.status, LEAT_E_CONFIG);
    assert_non_null(strstr(err.text, "process"));
}

static void empty_graph_is_refused(void **state) {
    (void)state;
    leat_error err;
    leat_env *env = env_in(NULL);
    assert_int_equal(leat_env_execute(env, NULL, &err), LEAT_E_STATE);
    assert_string_equal(err.text, "there is nothing to run; add a source, and a sink at the end");
    assert_null(leat_env_plan(env, &err));
    leat_env_free(env);
}

static void negative_parallelism_is_refused(void **state) {
    (void)state;
    leat_error err;
    leat_env *env = env_in(NULL);
    assert_int_equal(leat_env_set(env, "parallelism.default", "-1", &err), LEAT_E_CONFIG);
    leat_stream *s = leat_stream_parallelism(leat_env_sequence(env, 1, 3), -2);
    expect_failure(env, s, LEAT_E_ARGUMENT, "sequence",
                   "parallelism must be a number from 1 to 32767 and is '-2'");
}

static void first_error_of_a_graph_stays(void **state) {
    (void)state;
    leat_env *env = env_in(NULL);
    leat_stream *s = leat_stream_sum(leat_env_sequence(env, 1, 3), 0);
    s = leat_stream_parallelism(leat_stream_map(s, leat_map_fn(NULL, NULL)), -1);
    expect_failure(env, s, LEAT_E_STATE, "sum",
                   "it works on keyed streams only; call key_by first");
}

/* --- NULL ------------------------------------------------------------------------------------- */

static void null_stream_gives_null(void **state) {
    (void)state;
    leat_function f = leat_map_fn(NULL, NULL);
    const int fields[] = {0};
    assert_null(leat_stream_map(NULL, f));
    assert_null(leat_stream_flat_map(NULL, f));
    assert_null(leat_stream_filter(NULL, f));
    assert_null(leat_stream_key_by(NULL, leat_field(0)));
    assert_null(leat_stream_reduce(NULL, f));
    assert_null(leat_stream_sum(NULL, 0));
    assert_null(leat_stream_max_by(NULL, 0));
    assert_null(leat_stream_process(NULL, f));
    assert_null(leat_stream_project(NULL, fields, 1));
    assert_null(leat_stream_union(NULL, NULL));
    assert_null(leat_stream_co_map(NULL, NULL, f));
    assert_null(leat_stream_side_output(NULL, "late"));
    assert_null(leat_stream_rebalance(NULL));
    assert_null(leat_stream_partition_custom(NULL, f, f));
    assert_null(leat_stream_name(NULL, "x"));
    assert_null(leat_stream_returns(NULL, "INT"));
    assert_null(leat_stream_print(NULL));
    assert_null(leat_stream_sink(NULL, f));
    assert_false(leat_stream_is_keyed(NULL));
}

static void null_env_gives_null(void **state) {
    (void)state;
    leat_error err = {.status = LEAT_OK};
    leat_push_source *source;
    leat_value one = leat_int(1);
    assert_null(leat_env_read_text_file(NULL, "x"));
    assert_null(leat_env_sequence(NULL, 1, 2));
    assert_null(leat_env_collection(NULL, &one, 1));
    assert_null(leat_env_source(NULL, leat_python("a:b")));
    assert_null(leat_env_push_source(NULL, &source));
    assert_null(leat_env_get(NULL, "parallelism.default"));
    assert_int_equal(leat_env_set(NULL, "a", "b", &err), LEAT_E_ARGUMENT);
    assert_int_equal(leat_env_execute(NULL, NULL, &err), LEAT_E_ARGUMENT);
    assert_null(leat_env_start(NULL, NULL, NULL));
    assert_null(leat_env_plan(NULL, &err));
    assert_int_equal(leat_push(NULL, &one, 0, 0), LEAT_E_ARGUMENT);
    assert_int_equal(leat_push_end(NULL), LEAT_E_ARGUMENT);
    leat_env_cancel(NULL);
    leat_env_clear(NULL);
    leat_env_free(NULL);
    leat_text_free(NULL);
}

static void null_job_is_refused(void **state) {
    (void)state;
    leat_error err;
    assert_string_equal(leat_job_id(NULL), "");
    assert_int_equal(leat_job_status(NULL), LEAT_JOB_CREATED);
    assert_int_equal(leat_job_wait(NULL, -1), LEAT_E_ARGUMENT);
    assert_int_equal(leat_job_result(NULL, &err), LEAT_E_ARGUMENT);
    assert_null(leat_job_failure(NULL));
    assert_int_equal(leat_job_runtime(NULL), 0);
    assert_int_equal(leat_job_dispatch(NULL, -1), LEAT_E_ARGUMENT);
    assert_int_equal(leat_job_fd(NULL), -1);
    leat_job_cancel(NULL);
    leat_job_free(NULL);
}

typedef leat_stream *(*null_argument)(leat_env *env, leat_stream *s);

static leat_stream *no_path(leat_env *env, leat_stream *s) {
    (void)s;
    return leat_env_read_text_file(env, NULL);
}
static leat_stream *no_values(leat_env *env, leat_stream *s) {
    (void)s;
    return leat_env_collection(env, NULL, 3);
}
static leat_stream *no_function(leat_env *env, leat_stream *s) {
    (void)env;
    return leat_stream_map(s, leat_map_fn(NULL, NULL));
}
static leat_stream *no_python(leat_env *env, leat_stream *s) {
    (void)env;
    return leat_stream_map(s, leat_python(NULL));
}
static leat_stream *no_tag(leat_env *env, leat_stream *s) {
    (void)env;
    return leat_stream_side_output(s, NULL);
}
static leat_stream *no_fields(leat_env *env, leat_stream *s) {
    (void)env;
    return leat_stream_project(s, NULL, 2);
}
static leat_stream *no_name(leat_env *env, leat_stream *s) {
    (void)env;
    return leat_stream_name(s, NULL);
}
static leat_stream *no_type(leat_env *env, leat_stream *s) {
    (void)env;
    return leat_stream_returns(s, NULL);
}
static leat_stream *no_operator(leat_env *env, leat_stream *s) {
    return leat_graph_add(env, NULL, NULL, 0, &s, 1);
}
static leat_stream *wrong_role(leat_env *env, leat_stream *s) {
    (void)env;
    return leat_stream_map(s, leat_field(0));
}

static void null_argument_fails_the_graph(void **state) {
    (void)state;
    static const null_argument cases[] = {no_path,     no_values, no_function, no_python,
                                          no_tag,      no_fields, no_name,     no_type,
                                          no_operator, wrong_role};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        leat_error err = {.status = LEAT_OK};
        leat_env *env = env_in("process");
        leat_stream *s = cases[i](env, leat_env_sequence(env, 1, 3));
        leat_stream_sink(s, leat_sink_fn(forget, NULL));
        leat_status status = leat_env_execute(env, NULL, &err);
        if (status >= 0 || !err.where[0] || !err.text[0]) fail_msg("case %zu was accepted", i);
        leat_env_free(env);
    }
}

int main(void) {
    static char process[] = "process", thread[] = "thread";
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(missing_file_is_named),
        cmocka_unit_test(folder_without_files_is_named),
        cmocka_unit_test_prestate(python_function_that_fails_is_told, process),
        cmocka_unit_test_prestate(python_function_that_fails_is_told, thread),
        cmocka_unit_test_prestate(flat_map_without_an_iterable_is_told, process),
        cmocka_unit_test_prestate(flat_map_without_an_iterable_is_told, thread),
        cmocka_unit_test_prestate(failure_names_operator_record_and_exception, process),
        cmocka_unit_test_prestate(failure_names_operator_record_and_exception, thread),
        cmocka_unit_test(missing_interpreter_is_named),
        cmocka_unit_test(unknown_key_names_the_nearest),
        cmocka_unit_test(empty_graph_is_refused),
        cmocka_unit_test(negative_parallelism_is_refused),
        cmocka_unit_test(first_error_of_a_graph_stays),
        cmocka_unit_test(null_stream_gives_null),
        cmocka_unit_test(null_env_gives_null),
        cmocka_unit_test(null_job_is_refused),
        cmocka_unit_test(null_argument_fails_the_graph),
    };
    const struct CMUnitTest before_python[] = {
        cmocka_unit_test(thread_mode_falls_back_with_a_warning),
    };
    int failed = cmocka_run_group_tests(before_python, NULL, NULL);
    return cmocka_run_group_tests(tests, NULL, NULL) + failed;
}
