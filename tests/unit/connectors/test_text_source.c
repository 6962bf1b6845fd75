/* Tests of text_source.c: lines of files, folders and gzip; character sets; restores in the middle
   of a file; errors with file and byte. */
#include "folder.h"

#include <zlib.h>

static harness *harness_of(void **state, const char *path, const char *charset) {
    leat_value item = leat_string(path), list = leat_list(&item, 1);
    leat_arg args[] = {leat_arg_list("paths", &list), leat_arg_string("charset", charset)};
    return both_ways(state, harness_new(&leat_text_source_operator, args, charset ? 2 : 1, NULL));
}

/* Polls until the source ends or fails; blocks come from the I/O thread. */
static leat_status poll_all(harness *h) {
    leat_status status;
    while ((status = harness_poll(h)) == LEAT_AGAIN) usleep(100);
    return status;
}

static void text_source_gives_lines(void **state) {
    write_file("a", "one\r\n\ntwo \xc3\xa4\nlast", 17);
    harness *h = harness_of(state, in_folder("a"), NULL);
    assert_int_equal(poll_all(h), LEAT_DONE);
    expect(h, "one");
    expect(h, "");
    expect(h, "two \xc3\xa4");
    expect(h, "last");
    expect_nothing(h);
    harness_free(h);
}

static void text_source_reads_a_folder_with_gzip(void **state) {
    write_file("b", "3\n", 2);
    write_file("_skipped", "x\n", 2);
    gzFile gz = gzopen(in_folder("a.gz"), "wb");
    assert_int_equal(gzwrite(gz, "1\n2\n", 4), 4);
    assert_int_equal(gzclose(gz), Z_OK);
    harness *h = harness_of(state, folder, NULL);
    assert_int_equal(poll_all(h), LEAT_DONE);
    expect(h, "1");
    expect(h, "2");
    expect(h, "3");
    expect_nothing(h);
    harness_free(h);
}

static void text_source_restored_between_lines_loses_none(void **state) {
    enum { LINES = 40000 }; /* several blocks */
    FILE *f = fopen(in_folder("a"), "wb");
    assert_non_null(f);
    for (int i = 0; i < LINES; i++) fprintf(f, "line %d\n", i);
    fclose(f);
    harness *h = harness_of(state, in_folder("a"), NULL);
    int next = 0;
    leat_status status = LEAT_AGAIN;
    while (status == LEAT_AGAIN) {
        harness_room(h, 1009);
        int before = next;
        status = harness_poll(h);
        const char *line;
        char want[32];
        for (; (line = harness_next(h)); next++) {
            snprintf(want, sizeof want, "line %d", next);
            assert_string_equal(line, want);
        }
        if (next > before)
            harness_revive(h);
        else
            usleep(100); /* a block is on its way */
    }
    assert_int_equal(status, LEAT_DONE);
    assert_int_equal(next, LINES);
    harness_free(h);
}

static void text_source_latin1_becomes_utf8(void **state) {
    write_file("a", "\xe4\xff\nplain\n", 9);
    harness *h = harness_of(state, in_folder("a"), "ISO-8859-1");
    assert_int_equal(poll_all(h), LEAT_DONE);
    expect(h, "\xc3\xa4\xc3\xbf");
    expect(h, "plain");
    harness_free(h);
}

static void text_source_bad_utf8_is_named(void **state) {
    write_file("a",
               "good\nb\xff"
               "d\n",
               9);
    harness *h = harness_of(state, in_folder("a"), NULL);
    assert_int_equal(poll_all(h), LEAT_E_FORMAT);
    char want[200];
    snprintf(want, sizeof want,
             "'%s' is not UTF-8 at byte 6; if it is ISO-8859-1, name that as its charset",
             in_folder("a"));
    assert_string_equal(harness_failure(h), want);
    harness_free(h);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_FOLDER_BOTH_WAYS(text_source_gives_lines),
        WITH_FOLDER_BOTH_WAYS(text_source_reads_a_folder_with_gzip),
        WITH_FOLDER(text_source_restored_between_lines_loses_none),
        WITH_FOLDER_BOTH_WAYS(text_source_latin1_becomes_utf8),
        WITH_FOLDER(text_source_bad_utf8_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
