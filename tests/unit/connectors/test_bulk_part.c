/* Tests of bulk_part.c: a file sink with a bulk format, whose parts end with each checkpoint and
   are whole. What crashes do to them is in test_part_file.c. */
#include "faulty_files.h"
#include "part_files.h"

#include <unistd.h>

#include "runtime/base/alloc.h"
#include "runtime/base/buf.h"
#include "runtime/flow/chain.h"
#include "runtime/flow/snapshot.h"

static harness *sink_of(leat_function writer) {
    leat_arg args[] = {leat_arg_string("path", folder), leat_arg_function("writer", &writer)};
    return harness_new(&leat_file_sink_operator, args, 2, NULL);
}

/* --- parts ------------------------------------------------------------------------------------ */

static void part_is_whole_at_the_end(void **state) {
    (void)state;
    harness *h = sink_of(counted_writer());
    PUSH(h, "one", "two");
    assert_int_equal(finish(h), LEAT_OK);
    expect_file(only_file(folder, "part-"), "#counted\none\ntwo\n#2\n");
    harness_free(h);
}

/* Revived, most steps have a part of their own. */
static void every_record_is_there_once(void **state) {
    harness *h = both_ways(state, sink_of(counted_writer()));
    PUSH(h, "a", "b", "c");
    assert_int_equal(barrier(h, 100), LEAT_OK);
    PUSH(h, "d");
    assert_int_equal(finish(h), LEAT_OK);
    expect_files(*state ? look()->visible : 2, 0, "a b c d");
    assert_true(look()->visible >= 2);
    harness_free(h);
}

static void parts_end_with_each_checkpoint(void **state) {
    (void)state;
    harness *h = sink_of(counted_writer());
    PUSH(h, "a", "b");
    assert_int_equal(barrier(h, 1), LEAT_OK);
    PUSH(h, "c");
    expect_files(0, 1, ""); /* the second has no bytes on the disk yet */
    assert_int_equal(harness_complete(h, 1), LEAT_OK);
    expect_files(1, 0, "a b");
    assert_int_equal(barrier(h, 2), LEAT_OK);
    assert_int_equal(harness_complete(h, 2), LEAT_OK);
    expect_files(2, 0, "a b c");
    assert_int_equal(barrier(h, 3), LEAT_OK);
    assert_int_equal(finish(h), LEAT_OK);
    expect_files(2, 0, "a b c"); /* none without records */
    harness_free(h);
}

/* Neither size nor age finish a part. */
static void limits_play_no_part(void **state) {
    (void)state;
    leat_function writer = counted_writer();
    leat_arg args[] = {leat_arg_string("path", folder), leat_arg_function("writer", &writer),
                       leat_arg_int("part_size", 1),    leat_arg_int("rollover", 10),
                       leat_arg_int("inactivity", 10),  leat_arg_int("check_interval", 10)};
    harness *h = harness_new(&leat_file_sink_operator, args, 6, NULL);
    PUSH(h, "a", "b");
    assert_true(harness_clock(h, 100) >= 0);
    PUSH(h, "c");
    assert_int_equal(finish(h), LEAT_OK);
    expect_files(1, 0, "a b c");
    harness_free(h);
}

/* A folder each hour has a part of its own, and all end with the checkpoint. */
static void folders_have_parts_of_their_own(void **state) {
    (void)state;
    leat_function writer = counted_writer();
    leat_arg args[] = {leat_arg_string("path", folder), leat_arg_function("writer", &writer),
                       leat_arg_string("bucket", "HH"), leat_arg_string("zone", "UTC"),
                       leat_arg_string("suffix", ".counted")};
    harness *h = harness_new(&leat_file_sink_operator, args, 5, NULL);
    assert_true(harness_clock(h, INT64_C(3600000) * 7) >= 0);
    PUSH(h, "seven");
    assert_true(harness_clock(h, INT64_C(3600000) * 8) >= 0);
    PUSH(h, "eight");
    assert_int_equal(barrier(h, 1), LEAT_OK);
    assert_int_equal(harness_complete(h, 1), LEAT_OK);
    expect_file(only_file(in_folder("07"), "part-"), "#counted\nseven\n#1\n");
    const char *eight = only_file(in_folder("08"), "part-");
    expect_file(eight, "#counted\neight\n#1\n");
    assert_string_equal(strrchr(eight, '.'), ".counted");
    harness_free(h);
}

static void part_that_was_not_finished_never_goes_on(void **state) {
    (void)state;
    leati_buf saved;
    leati_buf_init(&saved);
    harness *h = sink_of(counted_writer());
    PUSH(h, "a");
    assert_int_equal(barrier(h, 1), LEAT_OK);
    harness_save(h, &saved);
    PUSH(h, "lost");
    assert_int_equal(barrier(h, 2), LEAT_OK);
    harness_crash(h, &saved);
    PUSH(h, "b");
    assert_int_equal(finish(h), LEAT_OK);
    expect_files(2, 1, "a b"); /* what no checkpoint has stays hidden */
    leati_buf_fini(&saved);
    harness_free(h);
}

static void verb_writes_the_files_of_a_job(void **state) {
    (void)state;
    leat_error err = {.text = ""};
    leat_env *env = leat_env_new(NULL, &err);
    assert_non_null(env);
    leat_file_options options = leat_file_options_defaults();
    options.prefix = "numbers";
    leat_stream *s = leat_stream_rebalance(leat_env_sequence(env, 10, 29));
    s = leat_stream_write_bulk(s, folder, counted_writer(), &options);
    leat_stream_parallelism(s, 2);
    if (leat_env_execute(env, "files", &err) < 0) fail_msg("%s: %s", err.where, err.text);
    leat_env_free(env);
    const sight *seen = look();
    assert_int_equal(seen->visible, 2);
    assert_int_equal(seen->count, 20);
    for (int i = 0; i < 20; i++) assert_int_equal(atoi(seen->lines[i]), 10 + i);
}

/* --- writers of other kinds ------------------------------------------------------------------- */

static int dropped;

static leat_status plain_create(leat_context *ctx, leat_part_stream *out, void **writer,
                                void *self) {
    (void)ctx, (void)out, (void)writer;
    return *(leat_status *)self;
}

static leat_status plain_add(leat_context *ctx, const leat_record *in, leat_part_stream *out,
                             void *writer) {
    (void)ctx, (void)writer;
    if (in->value.size == 3) return LEAT_E_TYPE;
    (void)!leat_part_stream_write(out, in->value.as.bytes, in->value.size);
    return LEAT_OK; /* whatever came of it */
}

static leat_status plain_finish(leat_context *ctx, leat_part_stream *out, void *writer) {
    (void)ctx, (void)writer;
    return leat_part_stream_size(out) == 5 ? LEAT_E_STATE : LEAT_OK;
}

static void plain_drop(leat_context *ctx, void *writer) {
    (void)ctx, (void)writer;
    dropped++;
}

static leat_bulk_writer plain = {.size = sizeof plain,
                                 .create = plain_create,
                                 .add = plain_add,
                                 .finish = plain_finish,
                                 .drop = plain_drop};
static leat_status creation;

static leat_function plain_writer(void) {
    return leat_bulk_writer_fn(&plain, &creation);
}

static void part_without_bytes_is_an_empty_file(void **state) {
    (void)state;
    dropped = 0;
    harness *h = sink_of(plain_writer());
    PUSH(h, "");
    assert_int_equal(finish(h), LEAT_OK);
    expect_file(only_file(folder, "part-"), "");
    harness_free(h);
    assert_int_equal(dropped, 1);
}

static void expect_failure(leat_function writer, const char *record, leat_status status,
                           const char *why) {
    harness *h = sink_of(writer);
    leat_status got = push_line(h, record);
    if (got >= 0) got = barrier(h, 1);
    assert_int_equal(got, status);
    if (!strstr(harness_failure(h), why)) fail_msg("'%s' has no '%s'", harness_failure(h), why);
    assert_non_null(strstr(harness_failure(h), folder));
    assert_non_null(strstr(harness_failure(h), ".inprogress.0'"));
    harness_free(h);
    assert_int_equal(look()->visible, 0);
}

static void failures_name_the_file(void **state) {
    (void)state;
    dropped = 0;
    expect_failure(plain_writer(), "bad", LEAT_E_TYPE, "can't add to it: ");
    assert_int_equal(dropped, 1);
    expect_failure(plain_writer(), "fives", LEAT_E_STATE, "can't finish it: ");
    assert_int_equal(dropped, 2);
    creation = LEAT_E_IO;
    expect_failure(plain_writer(), "any", LEAT_E_IO, "can't begin it: ");
    creation = LEAT_OK;
    assert_int_equal(dropped, 2);
    expect_failure(counted_writer(), "evil", LEAT_E_USER, "'evil' is for no file");
}

static void full_disk_fails_and_says_so(void **state) {
    (void)state;
    harness *h = sink_of(counted_writer());
    PUSH(h, "one");
    atomic_store(&fault, ENOSPC);
    atomic_store(&calls_left, 1);
    assert_int_equal(barrier(h, 1), LEAT_E_IO);
    assert_non_null(strstr(harness_failure(h), "No space left on device"));
    harness_free(h);
    assert_int_equal(look()->visible, 0);
}

/* --- refusals --------------------------------------------------------------------------------- */

static void tables_that_lack_a_call_are_refused(void **state) {
    (void)state;
    leat_bulk_writer tables[] = {plain, plain, plain};
    static const char *const why[] = {"has no create", "has no add", "has no finish"};
    tables[0].create = NULL;
    tables[1].add = NULL;
    tables[2].finish = NULL;
    for (int i = 0; i < 3; i++) {
        leat_error err = {.text = ""};
        leat_env *env = leat_env_new(NULL, &err);
        assert_non_null(env);
        leat_stream *s = leat_env_sequence(env, 1, 2);
        leat_function writer = leat_bulk_writer_fn(&tables[i], NULL);
        leat_stream_write_bulk(s, folder, writer, NULL);
        assert_true(leat_env_execute(env, "refused", &err) < 0);
        if (!strstr(err.text, why[i])) fail_msg("%s: %s", err.text, why[i]);
        leat_env_free(env);
    }
}

static void lines_that_go_on_are_refused(void **state) {
    (void)state;
    leat_arg path = leat_arg_string("path", folder);
    harness *lines = harness_new_at(&leat_file_sink_operator, &path, 1, NULL, 0, 1);
    PUSH(lines, "a line");
    assert_int_equal(barrier(lines, 1), LEAT_OK);
    leati_buf saved;
    leati_buf_init(&saved);
    harness_save(lines, &saved);
    harness_free(lines);
    harness *h = sink_of(counted_writer());
    leat_context *ctx = harness_context(h);
    assert_int_equal(leati_context_restore_bytes(ctx, saved.bytes, saved.size), LEAT_E_STATE);
    assert_non_null(strstr(ctx->chain->failure.text, "a file of lines that goes on"));
    leati_buf_fini(&saved);
    harness_free(h);
}

/* --- memory ----------------------------------------------------------------------------------- */

static void memory_that_runs_out_fails_and_leaks_nothing(void **state) {
    (void)state;
    leat_function writers[] = {counted_writer(), plain_writer()};
    for (int i = 0; i < 2; i++) {
        leat_status status = LEAT_E_NOMEM;
        for (int n = 1; status < 0; n++) {
            assert_true(n < 100);
            harness *h = sink_of(writers[i]);
            leati_alloc_fail_after(n);
            status = record_and_prepare(harness_context(h));
            leati_alloc_fail_after(-1);
            assert_true(status >= 0 || status == LEAT_E_NOMEM);
            harness_free(h);
        }
    }
    assert_true(leati_io_settle(10000));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_FOLDER(part_is_whole_at_the_end),
        WITH_FOLDER_BOTH_WAYS(every_record_is_there_once),
        WITH_FOLDER(parts_end_with_each_checkpoint),
        WITH_FOLDER(limits_play_no_part),
        WITH_FOLDER(folders_have_parts_of_their_own),
        WITH_FOLDER(part_that_was_not_finished_never_goes_on),
        WITH_FOLDER(verb_writes_the_files_of_a_job),
        WITH_FOLDER(part_without_bytes_is_an_empty_file),
        WITH_FOLDER(failures_name_the_file),
        WITH_FAULTS(full_disk_fails_and_says_so),
        WITH_FOLDER(tables_that_lack_a_call_are_refused),
        WITH_FOLDER(lines_that_go_on_are_refused),
        WITH_FOLDER(memory_that_runs_out_fails_and_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
