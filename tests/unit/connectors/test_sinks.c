/* Tests of print.c, text_sink.c and line_writer.c: what stands in the files, full disks and closed
   pipes, and that the writer holds the task back. */
#include "folder.h"

#include <signal.h>
#include <time.h>

/* Ends the input and waits until the sink has written all. */
static leat_status end(harness *h) {
    leat_status status;
    while ((status = harness_end(h, 0)) == LEAT_AGAIN) usleep(100);
    return status;
}

static harness *sink(const leat_operator *op, const char *path, const char *suffix) {
    leat_arg args[] = {leat_arg_string("path", path), leat_arg_string("suffix", suffix)};
    return harness_new(op, args, suffix ? 2 : 1, NULL);
}

static void text_sink_writes_lines(void **state) {
    (void)state;
    harness *h = sink(&leat_text_sink_operator, in_folder("new/folder/out"), NULL);
    push_text(h, 0, "one");
    push_int(h, 0, -12);
    push_int(h, 0, INT64_MIN);
    push_pair(h, 0, "a", 1);
    assert_int_equal(end(h), LEAT_OK);
    expect_file(in_folder("new/folder/out"), "one\n-12\n-9223372036854775808\n(a,1)\n");
    harness_free(h);
}

static void text_sink_without_records_makes_a_file(void **state) {
    (void)state;
    write_file("out", "old", 3);
    harness *h = sink(&leat_text_sink_operator, in_folder("out"), NULL);
    assert_int_equal(end(h), LEAT_OK);
    expect_file(in_folder("out"), "");
    harness_free(h);
}

static void text_sink_on_a_folder_fails(void **state) {
    (void)state;
    harness *h = sink(&leat_text_sink_operator, folder, NULL);
    assert_int_equal(end(h), LEAT_E_IO);
    char want[160];
    snprintf(want, sizeof want, "cannot write '%s': Is a directory", folder);
    assert_string_equal(harness_failure(h), want);
    harness_free(h);
}

static void text_sink_on_a_full_disk_fails(void **state) {
    (void)state;
    harness *h = sink(&leat_text_sink_operator, "/dev/full", NULL);
    push_text(h, 0, "x");
    assert_int_equal(end(h), LEAT_E_IO);
    assert_string_equal(
        harness_failure(h),
        "cannot write '/dev/full': No space left on device; make room on that disk");
    harness_free(h);
}

static void writer_more_than_fits_is_written_whole(void **state) {
    (void)state;
    enum { SIZE = 100000, COUNT = 40 };
    char *line = malloc(SIZE + 1);
    memset(line, 'x', SIZE);
    line[SIZE] = 0;
    harness *h = sink(&leat_text_sink_operator, in_folder("out"), NULL);
    leat_value v = leat_string_n(line, SIZE);
    for (int i = 0; i < COUNT; i++) assert_true(harness_push(h, 0, &v, LEAT_NO_TIME) >= 0);
    assert_int_equal(end(h), LEAT_OK);
    struct stat info;
    assert_int_equal(stat(in_folder("out"), &info), 0);
    assert_int_equal(info.st_size, COUNT * (SIZE + 1));
    harness_free(h);
    free(line);
}

/* Puts a pipe in the place of stdout while `body` runs, and answers what was printed. */
static int stdout_before = -1;

static int pipe_stdout(void) {
    int ends[2];
    fflush(stdout);
    assert_int_equal(pipe(ends), 0);
    stdout_before = dup(STDOUT_FILENO);
    assert_true(dup2(ends[1], STDOUT_FILENO) >= 0);
    close(ends[1]);
    return ends[0];
}

static void restore_stdout(void) {
    assert_true(dup2(stdout_before, STDOUT_FILENO) >= 0);
    close(stdout_before);
}

static void print_prefixes_with_the_identifier(void **state) {
    (void)state;
    int from = pipe_stdout();
    leat_arg arg = leat_arg_string("identifier", "id");
    harness *h = harness_new(&leat_print_operator, &arg, 1, NULL);
    push_text(h, 0, "one");
    push_int(h, 0, 2);
    leat_status status = end(h);
    restore_stdout();
    char got[64] = "";
    assert_true(read(from, got, sizeof got - 1) > 0);
    close(from);
    assert_int_equal(status, LEAT_OK);
    assert_string_equal(got, "id> one\nid> 2\n");
    harness_free(h);
}

static void print_into_a_closed_pipe_fails_without_a_signal(void **state) {
    (void)state;
    assert_true(signal(SIGPIPE, SIG_DFL) != SIG_ERR);
    close(pipe_stdout());
    harness *h = harness_new(&leat_print_operator, NULL, 0, NULL);
    push_text(h, 0, "one");
    leat_status status = end(h);
    restore_stdout();
    assert_int_equal(status, LEAT_E_IO);
    assert_string_equal(harness_failure(h),
                        "cannot write 'stdout': Broken pipe; whoever read it has ended");
    harness_free(h);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_FOLDER(text_sink_writes_lines),
        WITH_FOLDER(text_sink_without_records_makes_a_file),
        WITH_FOLDER(text_sink_on_a_folder_fails),
        cmocka_unit_test(text_sink_on_a_full_disk_fails),
        WITH_FOLDER(writer_more_than_fits_is_written_whole),
        cmocka_unit_test(print_prefixes_with_the_identifier),
        cmocka_unit_test(print_into_a_closed_pipe_fails_without_a_signal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
