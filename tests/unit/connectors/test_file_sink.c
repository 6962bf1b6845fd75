/* Tests of file_sink.c and part_file.c: names, policies, folders and charsets, faults of files and
   what is restored. */
#include "faulty_files.h"
#include "part_files.h"

#include <unistd.h>

#include "runtime/base/alloc.h"
#include "runtime/base/buf.h"
#include "runtime/flow/chain.h"

static harness *sink_of(const leat_arg *more, size_t count) {
    leat_arg args[12] = {leat_arg_string("path", folder)};
    for (size_t i = 0; i < count; i++) args[i + 1] = more[i];
    return harness_new(&leat_file_sink_operator, args, count + 1, NULL);
}

/* --- names and policies ----------------------------------------------------------------------- */

static void sink_without_checkpoints_gives_names_at_the_end(void **state) {
    leat_arg suffix = leat_arg_string("suffix", ".txt");
    harness *h = both_ways(state, sink_of(&suffix, 1));
    PUSH(h, "one", "two");
    assert_string_equal(only_file(folder, "part-"), "");
    assert_int_equal(finish(h), LEAT_OK);
    const char *part = only_file(folder, "part-");
    assert_string_equal(part + strlen(part) - 6, "-0.txt");
    assert_int_equal(strlen(part), strlen(folder) + strlen("/part--0.txt") + 36);
    expect_file(part, "one\ntwo\n");
    expect_files(1, 0, "one two");
    harness_free(h);
}

static void sink_without_records_makes_no_file(void **state) {
    (void)state;
    harness *h = sink_of(NULL, 0);
    assert_int_equal(barrier(h, 1), LEAT_OK);
    assert_int_equal(harness_complete(h, 1), LEAT_OK);
    assert_int_equal(finish(h), LEAT_OK);
    expect_files(0, 0, "");
    harness_free(h);
}

static void failed_sink_leaves_hidden_files_only(void **state) {
    (void)state;
    harness *h = sink_of(NULL, 0);
    PUSH(h, "one");
    assert_int_equal(barrier(h, 1), LEAT_OK);
    harness_free(h);
    expect_files(0, 1, "");
}

static void policy_on_checkpoint_publishes_with_each(void **state) {
    (void)state;
    leat_arg rolls = leat_arg_int("roll_on_checkpoint", 1);
    harness *h = sink_of(&rolls, 1);
    PUSH(h, "a", "b");
    assert_int_equal(barrier(h, 1), LEAT_OK);
    PUSH(h, "c");
    assert_int_equal(barrier(h, 2), LEAT_OK);
    PUSH(h, "d");
    expect_files(0, 2, "");
    assert_int_equal(harness_complete(h, 1), LEAT_OK);
    expect_files(1, 1, "a b");
    assert_int_equal(harness_complete(h, 2), LEAT_OK);
    expect_files(2, 0, "a b c");
    assert_int_equal(finish(h), LEAT_OK);
    expect_files(3, 0, "a b c d");
    harness_free(h);
}

static void failed_checkpoint_is_committed_by_the_next(void **state) {
    (void)state;
    leat_arg rolls = leat_arg_int("roll_on_checkpoint", 1);
    harness *h = sink_of(&rolls, 1);
    PUSH(h, "a");
    assert_int_equal(barrier(h, 1), LEAT_OK);
    PUSH(h, "b");
    assert_int_equal(barrier(h, 2), LEAT_OK);
    assert_int_equal(harness_complete(h, 2), LEAT_OK);
    expect_files(2, 0, "a b");
    harness_free(h);
}

static void policy_by_size_rolls_before_the_next_record(void **state) {
    (void)state;
    leat_arg size = leat_arg_int("part_size", 3);
    harness *h = sink_of(&size, 1);
    PUSH(h, "a", "b", "c");
    assert_int_equal(barrier(h, 1), LEAT_OK);
    assert_int_equal(harness_complete(h, 1), LEAT_OK);
    expect_files(1, 1, "a b"); /* four bytes are more than three, two are not */
    assert_int_equal(finish(h), LEAT_OK);
    expect_files(2, 0, "a b c");
    harness_free(h);
}

/* Rolls what is old, or was not written to, when it looks. */
static void policy_by_time_rolls_at_the_check(void **state) {
    (void)state;
    leat_arg args[] = {leat_arg_int("rollover", 100), leat_arg_int("inactivity", 30),
                       leat_arg_int("check_interval", 20)};
    harness *h = sink_of(args, 3);
    PUSH(h, "a");
    for (int t = 1; t <= 9; t++) {
        assert_true(harness_clock(h, t * 10) >= 0);
        PUSH(h, "b");
    }
    PUSH(h, "c");
    assert_true(harness_clock(h, 100) >= 0); /* 100 old */
    PUSH(h, "d");
    assert_true(harness_clock(h, 120) >= 0);
    assert_true(harness_clock(h, 129) >= 0);
    PUSH(h, "e");
    assert_true(harness_clock(h, 140) >= 0);
    assert_true(harness_clock(h, 160) >= 0); /* silent for 31 */
    PUSH(h, "f");
    assert_int_equal(barrier(h, 1), LEAT_OK);
    assert_int_equal(harness_complete(h, 1), LEAT_OK);
    expect_files(2, 1, "a b b b b b b b b b c d e");
    harness_free(h);
}

static void bucket_by_date_makes_a_folder(void **state) {
    leat_arg args[] = {leat_arg_string("bucket", "yyyy-MM-dd--HH"),
                       leat_arg_string("zone", "+05:30"),
                       leat_arg_int("check_interval", INT64_C(1) << 50)};
    harness *h = both_ways(state, sink_of(args, 3));
    assert_true(harness_clock(h, INT64_C(1700000000000)) >= 0); /* 22:13:20 in UTC */
    PUSH(h, "ten");
    assert_true(harness_clock(h, INT64_C(1700000999999)) >= 0);
    PUSH(h, "still");
    assert_true(harness_clock(h, INT64_C(1700001000000)) >= 0); /* 22:30:00 */
    PUSH(h, "eleven");
    assert_int_equal(finish(h), LEAT_OK);
    expect_file(only_file(in_folder("2023-11-15--03"), "part-"), "ten\nstill\n");
    expect_file(only_file(in_folder("2023-11-15--04"), "part-"), "eleven\n");
    harness_free(h);
}

static void charset_is_that_of_the_lines(void **state) {
    (void)state;
    leat_arg charset = leat_arg_string("charset", "latin-1");
    harness *h = sink_of(&charset, 1);
    PUSH(h, "\xc3\xa4 \xe2\x82\xac!");
    assert_int_equal(finish(h), LEAT_OK);
    harness_free(h);
    expect_file(only_file(folder, "part-"), "\xe4 ?!\n");
}

static void verb_writes_the_files_of_a_job(void **state) {
    (void)state;
    leat_error err = {.text = ""};
    leat_env *env = leat_env_new(NULL, &err);
    assert_non_null(env);
    leat_file_options options = leat_file_options_defaults();
    options.prefix = "numbers";
    options.suffix = ".txt";
    options.bucket = "'a'/'b'";
    options.part_size = 10;
    leat_stream *s = leat_stream_rebalance(leat_env_sequence(env, 10, 29));
    leat_stream_parallelism(leat_stream_write_files(s, folder, &options), 2);
    if (leat_env_execute(env, "files", &err) < 0) fail_msg("%s: %s", err.where, err.text);
    leat_env_free(env);
    const sight *seen = look();
    assert_int_equal(seen->hidden, 0);
    assert_int_equal(seen->visible, 6); /* two subtasks: 12, 12 and 6 bytes */
    assert_int_equal(seen->count, 20);
    for (int i = 0; i < 20; i++) assert_int_equal(atoi(seen->lines[i]), 10 + i);
    assert_int_equal(access(in_folder("a/b"), F_OK), 0);
}

static void verb_without_options_has_the_defaults(void **state) {
    (void)state;
    leat_error err = {.text = ""};
    leat_env *env = leat_env_new(NULL, &err);
    assert_non_null(env);
    leat_stream_write_files(leat_env_sequence(env, 1, 2), folder, NULL);
    if (leat_env_execute(env, "files", &err) < 0) fail_msg("%s: %s", err.where, err.text);
    leat_env_free(env);
    assert_int_equal(look()->count, 2);
}

/* --- refusals --------------------------------------------------------------------------------- */

static void expect_refused(const char *name, const char *value, int64_t number, const char *why) {
    leat_error err = {.text = ""};
    leat_env *env = leat_env_new(NULL, &err);
    assert_non_null(env);
    leat_stream *s = leat_env_sequence(env, 1, 2);
    leat_arg args[] = {leat_arg_string("path", folder),
                       value ? leat_arg_string(name, value) : leat_arg_int(name, number)};
    leat_graph_add(env, &leat_file_sink_operator, args, 2, &s, 1);
    assert_true(leat_env_execute(env, "refused", &err) < 0);
    if (!strstr(err.text, why)) fail_msg("'%s' has no '%s'", err.text, why);
    leat_env_free(env);
}

static void parameters_that_make_no_sense_are_refused(void **state) {
    (void)state;
    expect_refused("prefix", "a/b", 0, "leave out '/'");
    expect_refused("bucket", "yyyy-QQ", 0, "'QQ' in the date format 'yyyy-QQ' is not understood");
    expect_refused("bucket", "'../'yyyy", 0, "which is no folder below another");
    expect_refused("bucket", "'/'yyyy", 0, "which is no folder below another");
    expect_refused("bucket", "yyyy''''/", 0, "which is no folder below another");
    expect_refused("bucket", "'open", 0, "a quote that does not end");
    expect_refused("zone", "Mars/Olympus", 0, "no time zone 'Mars/Olympus'");
    expect_refused("zone", "../../../etc/passwd", 0, "no time zone");
    expect_refused("charset", "no-such", 0, "the charset 'no-such' is not known");
    expect_refused("part_size", NULL, -1, "must be at least 1");
}

static void folder_that_is_a_file_fails(void **state) {
    (void)state;
    write_file("file", "x", 1);
    leat_arg args[] = {leat_arg_string("path", in_folder("file/below"))};
    harness *h = harness_new(&leat_file_sink_operator, args, 1, NULL);
    PUSH(h, "one");
    assert_int_equal(finish(h), LEAT_E_IO);
    assert_non_null(strstr(harness_failure(h), "cannot make folder"));
    assert_non_null(strstr(harness_failure(h), "file/below'"));
    harness_free(h);
}

/* --- faults of files -------------------------------------------------------------------------- */

static void short_writes_are_gone_on_with(void **state) {
    (void)state;
    atomic_store(&stutters, true);
    harness *h = sink_of(NULL, 0);
    PUSH(h, "a long line", "and another one");
    assert_int_equal(finish(h), LEAT_OK);
    expect_files(1, 0, "a long line and another one");
    harness_free(h);
}

static void full_disk_fails_and_says_so(void **state) {
    (void)state;
    harness *h = sink_of(NULL, 0);
    PUSH(h, "one");
    atomic_store(&fault, ENOSPC);
    atomic_store(&calls_left, 1);
    assert_int_equal(settled(h, harness_barrier(h, 1)), LEAT_E_IO);
    const char *why = harness_failure(h);
    assert_non_null(strstr(why, "cannot write '"));
    assert_non_null(strstr(why, "No space left on device; make room on that disk"));
    harness_free(h);
    expect_files(0, 1, "");
}

static void bad_disk_fails_at_any_call_and_nothing_is_visible(void **state) {
    (void)state;
    for (int n = 0; n < 5; n++) { /* open, write, fsync, fsync of the folder, close */
        harness *h = sink_of(NULL, 0);
        PUSH(h, "one");
        atomic_store(&fault, EIO);
        atomic_store(&calls_left, n);
        assert_int_equal(finish(h), LEAT_E_IO);
        assert_non_null(strstr(harness_failure(h), "Input/output error"));
        atomic_store(&calls_left, -1);
        harness_free(h);
        assert_int_equal(look()->visible, 0);
    }
}

/* --- restore ---------------------------------------------------------------------------------- */

static void open_part_goes_on_where_the_checkpoint_was(void **state) {
    (void)state;
    leati_buf saved;
    leati_buf_init(&saved);
    harness *h = sink_of(NULL, 0);
    PUSH(h, "a");
    assert_int_equal(barrier(h, 1), LEAT_OK);
    harness_save(h, &saved);
    PUSH(h, "lost");
    assert_int_equal(barrier(h, 2), LEAT_OK); /* it stands in the file */
    harness_crash(h, &saved);
    PUSH(h, "b");
    assert_int_equal(finish(h), LEAT_OK);
    expect_files(1, 0, "a b");
    leati_buf_fini(&saved);
    harness_free(h);
}

static void commit_is_repeated_by_a_restore(void **state) {
    (void)state;
    leati_buf saved;
    leati_buf_init(&saved);
    leat_arg rolls = leat_arg_int("roll_on_checkpoint", 1);
    harness *h = sink_of(&rolls, 1);
    PUSH(h, "a");
    assert_int_equal(barrier(h, 1), LEAT_OK);
    harness_save(h, &saved);
    harness_crash(h, &saved);
    assert_int_equal(barrier(h, 2), LEAT_OK);
    expect_files(1, 0, "a");
    harness_crash(h, &saved); /* the file has its name already */
    assert_int_equal(barrier(h, 2), LEAT_OK);
    expect_files(1, 0, "a");
    assert_int_equal(unlink(only_file(folder, "part-")), 0);
    harness_crash(h, &saved); /* somebody has taken it */
    PUSH(h, "b");
    assert_int_equal(finish(h), LEAT_OK);
    expect_files(1, 0, "b");
    assert_string_equal(strrchr(only_file(folder, "part-"), '-'), "-1"); /* counters go on */
    leati_buf_fini(&saved);
    harness_free(h);
}

static void parts_that_were_tampered_with_are_refused(void **state) {
    (void)state;
    leati_buf saved;
    leati_buf_init(&saved);
    harness *h = sink_of(NULL, 0);
    PUSH(h, "a line");
    assert_int_equal(barrier(h, 1), LEAT_OK);
    harness_save(h, &saved);
    assert_int_equal(truncate(only_file(folder, ".part-"), 3), 0);
    harness_crash(h, &saved);
    assert_int_equal(settled(h, harness_barrier(h, 2)), LEAT_E_FORMAT);
    assert_non_null(strstr(harness_failure(h), "has 3 bytes, and the checkpoint says 7"));
    assert_int_equal(unlink(only_file(folder, ".part-")), 0);
    harness_crash(h, &saved);
    assert_int_equal(settled(h, harness_barrier(h, 2)), LEAT_E_IO);
    assert_non_null(strstr(harness_failure(h), "is gone, and the checkpoint goes on with it"));
    leati_buf_fini(&saved);
    harness_free(h);
}

static void memory_that_runs_out_fails_and_leaks_nothing(void **state) {
    (void)state;
    leat_status status = LEAT_E_NOMEM;
    for (int n = 1; status < 0; n++) {
        assert_true(n < 100);
        harness *h = sink_of(NULL, 0);
        leati_alloc_fail_after(n);
        status = record_and_prepare(harness_context(h));
        leati_alloc_fail_after(-1);
        assert_true(status >= 0 || status == LEAT_E_NOMEM);
        harness_free(h);
    }
    assert_true(leati_io_settle(10000));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_FOLDER_BOTH_WAYS(sink_without_checkpoints_gives_names_at_the_end),
        WITH_FOLDER(sink_without_records_makes_no_file),
        WITH_FOLDER(failed_sink_leaves_hidden_files_only),
        WITH_FOLDER(policy_on_checkpoint_publishes_with_each),
        WITH_FOLDER(failed_checkpoint_is_committed_by_the_next),
        WITH_FOLDER(policy_by_size_rolls_before_the_next_record),
        WITH_FOLDER(policy_by_time_rolls_at_the_check),
        WITH_FOLDER_BOTH_WAYS(bucket_by_date_makes_a_folder),
        WITH_FOLDER(charset_is_that_of_the_lines),
        WITH_FOLDER(verb_writes_the_files_of_a_job),
        WITH_FOLDER(verb_without_options_has_the_defaults),
        WITH_FOLDER(parameters_that_make_no_sense_are_refused),
        WITH_FOLDER(folder_that_is_a_file_fails),
        WITH_FAULTS(short_writes_are_gone_on_with),
        WITH_FAULTS(full_disk_fails_and_says_so),
        WITH_FAULTS(bad_disk_fails_at_any_call_and_nothing_is_visible),
        WITH_FOLDER(open_part_goes_on_where_the_checkpoint_was),
        WITH_FOLDER(commit_is_repeated_by_a_restore),
        WITH_FOLDER(parts_that_were_tampered_with_are_refused),
        WITH_FOLDER(memory_that_runs_out_fails_and_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
