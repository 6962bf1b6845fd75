/* The configuration: names, values, sources, files, bytes. */
#include "runtime/job/config.h"

#include "leat/env.h"
#include "runtime/base/alloc.h"
#include "runtime/bridge.h"
#include "runtime/job/config_keys.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static leat_error err;
static char said[2048];

static void remember(leat_log_level level, const char *line, void *arg) {
    (void)level;
    (void)arg;
    size_t used = strlen(said);
    snprintf(said + used, sizeof said - used, "%s\n", line);
}

static int begin(void **state) {
    memset(&err, 0, sizeof err);
    said[0] = '\0';
    leat_log_set(remember, NULL, LEAT_LOG_DEBUG);
    *state = leati_config_new();
    return *state ? 0 : -1;
}

static int end(void **state) {
    leati_config_free(*state);
    leat_log_set(NULL, NULL, LEAT_LOG_WARNING);
    return 0;
}

static leat_status set(void *config, const char *key, const char *value) {
    return leati_config_set(config, key, value, LEATI_CONFIG_PROGRAM, &err);
}

static void assert_error_has(const char *part) {
    if (!strstr(err.text, part)) fail_msg("'%s' is not in '%s'", part, err.text);
}

static void table_is_sorted_and_complete(void **state) {
    (void)state;
    for (size_t i = 0; i < leati_config_table_size; i++) {
        const leati_config_key *row = &leati_config_table[i];
        char canonical[40];
        if (i) assert_true(strcmp(leati_config_table[i - 1].key, row->key) < 0);
        assert_non_null(row->doc);
        assert_true(row->kind != LEATI_CONFIG_ENUM || row->choices);
        assert_true(!row->works || row->note);
        assert_true(row->status != LEATI_CONFIG_REFUSED || row->works);
        assert_ptr_equal(leati_config_key_find(row->key), row);
        assert_false(leati_config_flink_knows(row->key));
        if (row->fallback && strcmp(row->fallback, LEATI_CONFIG_CORES) != 0)
            assert_int_equal(leati_config_check(row, row->fallback, "", canonical, &err), LEAT_OK);
    }
    for (size_t i = 1; i < leati_config_flink_size; i++)
        assert_true(strcmp(leati_config_flink[i - 1], leati_config_flink[i]) < 0);
}

static void default_is_given_until_set(void **state) {
    assert_string_equal(leati_config_get(*state, "python.execution-mode"), "process");
    assert_int_equal(leati_config_source_of(*state, "python.execution-mode"), LEATI_CONFIG_DEFAULT);
    assert_null(leati_config_get(*state, "pipeline.name"));
    assert_true(leati_config_int(*state, "parallelism.default") >= 1);
    assert_int_equal(leati_config_int(*state, "pipeline.max-parallelism"), 128);
    assert_int_equal(leati_config_duration_ms(*state, "pipeline.auto-watermark-interval"), 200);
    assert_int_equal(leati_config_bytes(*state, "pipeline.channel.memory"), 1 << 20);
    assert_false(leati_config_bool(*state, "pipeline.object-reuse"));
    assert_int_equal(leati_config_bytes(*state, "python.worker.memory-limit"), 0);
    assert_int_equal(set(*state, "parallelism.default", " 3 "), LEAT_OK);
    assert_int_equal(leati_config_int(*state, "parallelism.default"), 3);
    assert_int_equal(leati_config_unset(*state, "parallelism.default", &err), LEAT_OK);
    assert_int_equal(leati_config_source_of(*state, "parallelism.default"), LEATI_CONFIG_DEFAULT);
}

static void old_name_is_the_same_key(void **state) {
    assert_int_equal(set(*state, "execution.buffer-timeout", "5 s"), LEAT_OK);
    assert_string_equal(leati_config_get(*state, "execution.buffer-timeout.interval"), "5 s");
    assert_int_equal(leati_config_duration_ms(*state, "execution.buffer-timeout"), 5000);
    assert_int_equal(set(*state, "pipeline.operator-chaining", "FALSE"), LEAT_OK);
    assert_string_equal(leati_config_get(*state, "pipeline.operator-chaining.enabled"), "false");
}

static void enumeration_in_any_case_gets_tables_spelling(void **state) {
    assert_int_equal(set(*state, "python.execution-mode", "THREAD"), LEAT_OK);
    assert_string_equal(leati_config_get(*state, "python.execution-mode"), "thread");
    assert_int_equal(set(*state, "execution.runtime-mode", "streaming"), LEAT_OK);
    assert_string_equal(leati_config_get(*state, "execution.runtime-mode"), "STREAMING");
}

static void unknown_key_names_the_nearest(void **state) {
    assert_int_equal(set(*state, "python.executon-mode", "thread"), LEAT_E_CONFIG);
    assert_error_has("python.executon-mode: no such configuration key");
    assert_error_has("did you mean python.execution-mode?");
    assert_int_equal(set(*state, "taskmanager.numberOfTaskSlot", "1"), LEAT_E_CONFIG);
    assert_error_has("did you mean taskmanager.numberOfTaskSlots?");
    assert_int_equal(set(*state, "colour", "red"), LEAT_E_CONFIG);
    assert_error_has("`leat config` lists them");
    assert_null(leati_config_get(*state, "colour"));
    assert_int_equal(leati_config_unset(*state, "colour", &err), LEAT_E_CONFIG);
}

static void bad_value_names_what_is_allowed(void **state) {
    assert_int_equal(set(*state, "python.execution-mode", "fast"), LEAT_E_CONFIG);
    assert_error_has("'fast' is no value of it; it takes one of: process thread");
    assert_int_equal(set(*state, "pipeline.object-reuse", "yes"), LEAT_E_CONFIG);
    assert_error_has("true or false");
    assert_int_equal(set(*state, "parallelism.default", "two"), LEAT_E_CONFIG);
    assert_error_has("a whole number");
    assert_int_equal(set(*state, "parallelism.default", "0"), LEAT_E_CONFIG);
    assert_error_has("it takes 1 to 32768");
    assert_int_equal(set(*state, "pipeline.channel.memory", "0"), LEAT_E_CONFIG);
    assert_error_has("1 bytes or more");
    assert_int_equal(set(*state, "task.cancellation.timeout", "soon"), LEAT_E_CONFIG);
    assert_error_has("a duration such as");
    assert_string_equal(leati_config_get(*state, "parallelism.default"),
                        leati_config_get(*state, "python.worker.pool-size"));
}

static void refused_value_says_why(void **state) {
    assert_int_equal(set(*state, "python.thread.interpreter", "isolated"), LEAT_E_UNSUPPORTED);
    assert_error_has("isolated interpreters come in a later release");
    assert_error_has("what works today: shared");
    const char *unaligned = "execution.checkpointing.unaligned";
    assert_int_equal(set(*state, unaligned, "true"), LEAT_OK);
    assert_int_equal(set(*state, unaligned, "often"), LEAT_E_CONFIG);
    assert_int_equal(set(*state, "restart-strategy", "perhaps"), LEAT_E_CONFIG);
    assert_error_has("fixed-delay");
    assert_int_equal(set(*state, "restart-strategy", "OFF"), LEAT_OK);
}

static void flinks_key_without_meaning_is_said_once(void **state) {
    assert_int_equal(set(*state, "taskmanager.numberOfTaskSlots", "4"), LEAT_OK);
    assert_int_equal(set(*state, "taskmanager.numberOfTaskSlots", "8"), LEAT_OK);
    assert_string_equal(said, "configuration: taskmanager.numberOfTaskSlots changes nothing; "
                              "the key is Flink's and has no meaning in Leat\n");
    assert_string_equal(leati_config_get(*state, "taskmanager.numberOfTaskSlots"), "8");
    said[0] = '\0';
    assert_int_equal(set(*state, "metrics.reporter.mine.class", "x"), LEAT_OK);
    assert_int_equal(set(*state, "python.fn-execution.bundle.size", "1"), LEAT_OK);
    assert_non_null(strstr(said, "metrics.reporter.mine.class changes nothing"));
    assert_non_null(strstr(said, "there are no bundles here"));
}

static void stronger_source_wins_in_any_order(void **state) {
    const char *key = "pipeline.name";
    leati_config_set(*state, key, "launcher", LEATI_CONFIG_LAUNCHER, &err);
    leati_config_set(*state, key, "file", LEATI_CONFIG_FILE, &err);
    assert_string_equal(leati_config_get(*state, key), "launcher");
    leati_config_set(*state, key, "program", LEATI_CONFIG_PROGRAM, &err);
    leati_config_set(*state, key, "launcher again", LEATI_CONFIG_LAUNCHER, &err);
    assert_string_equal(leati_config_get(*state, key), "program");
    assert_int_equal(leati_config_source_of(*state, key), LEATI_CONFIG_PROGRAM);
}

static void durations_and_sizes_are_read_as_flink_does(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int64_t ms;
    } durations[] = {{"1 min", 60000},   {"200 ms", 200},  {"10s", 10000},       {"7", 7},
                     {" 2 H ", 7200000}, {"1d", 86400000}, {"3 seconds", 3000},  {"1500 us", 1},
                     {"2000000 ns", 2},  {"0", 0},         {"4 Minutes", 240000}};
    static const char *const bad[] = {
        "",     "ms", "-1", "1.5 s", "1 fortnight", "99999999999999999999", "9223372036854775807 d",
        "1 s s"};
    int64_t x;
    for (size_t i = 0; i < sizeof durations / sizeof *durations; i++) {
        assert_true(leati_config_read_duration(durations[i].text, &x));
        assert_int_equal(x, durations[i].ms);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(leati_config_read_duration(bad[i], &x));
    assert_true(leati_config_read_bytes("64mb", &x) && x == 64 << 20);
    assert_true(leati_config_read_bytes("1 GB", &x) && x == 1 << 30);
    assert_true(leati_config_read_bytes("512", &x) && x == 512);
    assert_true(leati_config_read_bytes("3 kibibytes", &x) && x == 3072);
    assert_false(leati_config_read_bytes("9999999999 tb", &x));
    assert_false(leati_config_read_bytes("1 mib", &x));
}

static void file_is_read_with_comments_and_quotes(void **state) {
    const char *text = "# all of it\r\n"
                       "---\n"
                       "python.execution-mode: thread   # fast\n"
                       "\n"
                       "pipeline.name: \"a: \\\"b\\\" # c\"\n"
                       "python.executable: '/opt/my \"python\"'  # quoted\n"
                       "task.cancellation.timeout:\t1 min";
    assert_int_equal(leati_config_read_text(*state, "leat.yaml", text, &err), LEAT_OK);
    assert_string_equal(leati_config_get(*state, "python.execution-mode"), "thread");
    assert_string_equal(leati_config_get(*state, "pipeline.name"), "a: \"b\" # c");
    assert_string_equal(leati_config_get(*state, "python.executable"), "/opt/my \"python\"");
    assert_int_equal(leati_config_duration_ms(*state, "task.cancellation.timeout"), 60000);
    assert_int_equal(leati_config_source_of(*state, "pipeline.name"), LEATI_CONFIG_FILE);
}

static void bad_file_names_the_line(void **state) {
    static const struct {
        const char *text, *problem;
    } bad[] = {
        {"\npython.executon-mode: thread", "did you mean python.execution-mode"},
        {"\nparallelism.default: many", "a whole number"},
        {"\n  parallelism.default: 1", "nested keys"},
        {"\nparallelism.default 1", "there is no ': '"},
        {"\nparallelism.default:", "there is no value"},
        {"\nparallelism.default: # 3", "there is no value"},
        {"\npipeline.name: \"a", "the quote has no end"},
        {"\npipeline.name: 'a' b", "the quote has no end"},
        {"\n- pipeline.name: a", "lists"},
        {"\npython:\n  executable: x", "there is no value"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(leati_config_read_text(*state, "f.yaml", bad[i].text, &err),
                         LEAT_E_CONFIG);
        assert_string_equal(err.where, "f.yaml:2");
        assert_error_has(bad[i].problem);
    }
}

static void file_named_by_environment_is_read(void **state) {
    char path[] = "/tmp/leat-config-XXXXXX";
    int fd = mkstemp(path);
    assert_int_equal(write(fd, "pipeline.name: it\n", 18), 18);
    close(fd);
    setenv("LEAT_CONF", path, 1);
    assert_int_equal(leati_config_read_environment(*state, &err), LEAT_OK);
    assert_string_equal(leati_config_get(*state, "pipeline.name"), "it");
    unlink(path);
    assert_int_equal(leati_config_read_environment(*state, &err), LEAT_E_NOT_FOUND);
    assert_string_equal(err.where, path);
    assert_int_equal(leati_config_read_file(*state, "/", &err), LEAT_E_IO);
    unsetenv("LEAT_CONF");
    assert_int_equal(leati_config_read_environment(*state, &err), LEAT_OK);
}

static void bytes_give_the_same_configuration(void **state) {
    leati_buf bytes;
    leati_buf_init(&bytes);
    set(*state, "pipeline.name",
        "j\xc3\xb6"
        "b");
    leati_config_set(*state, "rest.port", "1", LEATI_CONFIG_FILE, &err);
    leati_config_encode(*state, &bytes);
    leati_config *other = leati_config_new();
    leati_config_set(other, "parallelism.default", "9", LEATI_CONFIG_PROGRAM, &err);
    said[0] = '\0';
    assert_int_equal(leati_config_decode(other, bytes.bytes, bytes.size, &err), LEAT_OK);
    size_t at = 0;
    const char *key, *value;
    leati_config_source source;
    assert_true(leati_config_next(other, &at, &key, &value, &source));
    assert_string_equal(key, "pipeline.name");
    assert_string_equal(value, "j\xc3\xb6"
                               "b");
    assert_true(leati_config_next(other, &at, &key, NULL, &source));
    assert_int_equal(source, LEATI_CONFIG_FILE);
    assert_false(leati_config_next(other, &at, &key, NULL, NULL));
    assert_string_equal(said, "");
    for (size_t n = 0; n < bytes.size; n++)
        assert_int_equal(leati_config_decode(other, bytes.bytes, n, &err), LEAT_E_FORMAT);
    leati_config_free(other);
    leati_buf_fini(&bytes);
}

static void copy_is_independent(void **state) {
    set(*state, "pipeline.name", "one");
    leati_config *copy = leati_config_copy(*state);
    set(*state, "pipeline.name", "two");
    assert_string_equal(leati_config_get(copy, "pipeline.name"), "one");
    leati_config_free(copy);
}

static void no_memory_leaves_what_was(void **state) {
    set(*state, "pipeline.name", "one");
    for (int64_t n = 0; n < 3; n++) {
        leati_alloc_fail_after(n);
        leat_status status = set(*state, "python.executable", "/usr/bin/python3");
        leati_config *copy = leati_config_copy(*state);
        leati_alloc_fail_after(-1);
        leati_config_free(copy);
        assert_true(status == LEAT_OK || status == LEAT_E_NOMEM);
        assert_string_equal(leati_config_get(*state, "pipeline.name"), "one");
        leati_config_unset(*state, "python.executable", &err);
    }
}

static void rows_are_public(void **state) {
    (void)state;
    leat_config_key key = {.size = sizeof key};
    size_t count = 0;
    bool slots = false;
    while (leat_config_key_at(count, &key)) {
        assert_non_null(key.key);
        if (strcmp(key.key, "taskmanager.numberOfTaskSlots") == 0) slots = true;
        count++;
    }
    assert_int_equal(count, leati_config_table_size + leati_config_flink_size);
    assert_true(slots);
    const leati_config_row *rows;
    assert_int_equal(leati_config_rows(&rows), leati_config_table_size);
    assert_string_equal(rows[leati_config_table_size - 1].key, "task.cancellation.timeout");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(table_is_sorted_and_complete, begin, end),
        cmocka_unit_test_setup_teardown(default_is_given_until_set, begin, end),
        cmocka_unit_test_setup_teardown(old_name_is_the_same_key, begin, end),
        cmocka_unit_test_setup_teardown(enumeration_in_any_case_gets_tables_spelling, begin, end),
        cmocka_unit_test_setup_teardown(unknown_key_names_the_nearest, begin, end),
        cmocka_unit_test_setup_teardown(bad_value_names_what_is_allowed, begin, end),
        cmocka_unit_test_setup_teardown(refused_value_says_why, begin, end),
        cmocka_unit_test_setup_teardown(flinks_key_without_meaning_is_said_once, begin, end),
        cmocka_unit_test_setup_teardown(stronger_source_wins_in_any_order, begin, end),
        cmocka_unit_test_setup_teardown(durations_and_sizes_are_read_as_flink_does, begin, end),
        cmocka_unit_test_setup_teardown(file_is_read_with_comments_and_quotes, begin, end),
        cmocka_unit_test_setup_teardown(bad_file_names_the_line, begin, end),
        cmocka_unit_test_setup_teardown(file_named_by_environment_is_read, begin, end),
        cmocka_unit_test_setup_teardown(bytes_give_the_same_configuration, begin, end),
        cmocka_unit_test_setup_teardown(copy_is_independent, begin, end),
        cmocka_unit_test_setup_teardown(no_memory_leaves_what_was, begin, end),
        cmocka_unit_test_setup_teardown(rows_are_public, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
