/* Tests of text_reader.c together with line_scan.c: files in blocks and ranges of many sizes give
   each line once; gzip files, resumed ones too; damage. */
#include "connectors/text_reader.h"

#include "connectors/line_scan.h"
#include "runtime/base/alloc.h"
#include "runtime/base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <zlib.h>

static char path[64];

static void write_plain(const char *text, size_t size) {
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, size, f), size);
    assert_int_equal(fclose(f), 0);
}

static void write_gzip(const char *text, size_t size) {
    gzFile f = gzopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(gzwrite(f, text, (unsigned)size), size);
    assert_int_equal(gzclose(f), Z_OK);
}

static int set_up(void **state) {
    (void)state;
    strcpy(path, "/tmp/leat-reader-XXXXXX");
    int fd = mkstemp(path);
    return fd < 0 ? -1 : close(fd);
}

static int tear_down(void **state) {
    (void)state;
    return unlink(path);
}

/* Appends "line|" for each line of the reader's splits. */
static leat_status read_lines(leati_text_reader *r, size_t room, leati_buf *out) {
    leati_text_block block = {.bytes = malloc(room), .room = room};
    leati_line_scan scan;
    memset(&scan, 0, sizeof scan);
    size_t split = SIZE_MAX;
    leat_status status;
    while ((status = leati_text_reader_fill(r, &block)) == LEAT_OK) {
        const leati_text_split *s = &r->splits.items[block.split];
        if (block.split != split) leati_line_scan_begin(&scan, block.offset, s->end, s->aligned);
        split = block.split;
        leati_line_scan_feed(&scan, block.bytes, block.size, block.last);
        leati_line line;
        leat_status taken;
        while ((taken = leati_line_scan_next(&scan, &line)) == LEAT_OK)
            leati_buf_printf(out, "%.*s|", (int)line.size, line.bytes);
        assert_int_equal(taken, block.last ? LEAT_DONE : LEAT_AGAIN);
    }
    leati_line_scan_fini(&scan);
    free(block.bytes);
    return status;
}

static leat_status read_split(uint64_t start, uint64_t end, bool aligned, bool gzip, size_t room,
                              leati_buf *out) {
    leati_text_reader r;
    memset(&r, 0, sizeof r);
    leati_text_split split = {path, start, end, aligned, gzip};
    assert_int_equal(leati_text_splits_add(&r.splits, &split), LEAT_OK);
    leat_status status = read_lines(&r, room, out);
    leati_text_reader_fini(&r);
    return status;
}

static void assert_text(leati_buf *got, const char *want) {
    assert_string_equal(leati_buf_cstr(got), want);
    leati_buf_fini(got);
}

static void reader_any_range_and_block_gives_each_line_once(void **state) {
    (void)state;
    static const char text[] = "one\n\ntwo three\r\nfour five six seven\n8\nlast";
    static const char want[] = "one||two three|four five six seven|8|last|";
    size_t size = sizeof text - 1;
    write_plain(text, size);
    for (size_t room = 1; room <= size + 1; room += 3) {
        for (size_t cut = 1; cut <= size; cut++) {
            leati_buf got;
            leati_buf_init(&got);
            assert_int_equal(read_split(0, cut, true, false, room, &got), LEAT_DONE);
            assert_int_equal(read_split(cut - 1, UINT64_MAX, false, false, room, &got), LEAT_DONE);
            assert_text(&got, want);
        }
    }
}

static void reader_line_longer_than_many_ranges_is_read_once(void **state) {
    (void)state;
    enum { LONG = 50000, STEP = 4096 };
    char *text = malloc(LONG + 8);
    memset(text, 'x', LONG);
    memcpy(text + LONG, "\nend\n", 5);
    write_plain(text, LONG + 5);
    leati_buf got;
    leati_buf_init(&got);
    for (uint64_t at = 0; at < LONG + 5; at += STEP)
        assert_int_equal(read_split(at ? at - 1 : 0, at + STEP, at == 0, false, 1024, &got),
                         LEAT_DONE);
    assert_int_equal(got.size, LONG + 5);
    assert_memory_equal(got.bytes + LONG, "|end|", 5);
    leati_buf_fini(&got);
    free(text);
}

static void reader_gzip_from_any_place_gives_the_rest(void **state) {
    (void)state;
    write_gzip("one\ntwo\n\xc3\xa4", 10);
    static const char *const want[] = {"one|two|\xc3\xa4|", "two|\xc3\xa4|", "\xc3\xa4|", ""};
    static const uint64_t start[] = {0, 4, 8, 10};
    for (size_t i = 0; i < 4; i++) {
        for (size_t room = 1; room < 12; room++) {
            leati_buf got;
            leati_buf_init(&got);
            assert_int_equal(read_split(start[i], UINT64_MAX, true, true, room, &got), LEAT_DONE);
            assert_text(&got, want[i]);
        }
    }
}

static void assert_fails(bool gzip, leat_status status, const char *before, const char *after) {
    leati_text_reader r;
    memset(&r, 0, sizeof r);
    leati_text_split split = {path, 0, UINT64_MAX, true, gzip};
    assert_int_equal(leati_text_splits_add(&r.splits, &split), LEAT_OK);
    leati_buf got;
    leati_buf_init(&got);
    assert_int_equal(read_lines(&r, 64, &got), status);
    char want[200];
    snprintf(want, sizeof want, "%s'%s'%s", before, path, after);
    assert_string_equal(r.err.text, want);
    leati_buf_fini(&got);
    leati_text_reader_fini(&r);
}

static void reader_bad_files_are_named(void **state) {
    (void)state;
    write_plain("no gzip at all", 14);
    assert_fails(true, LEAT_E_FORMAT, "", " is no gzip file, or is damaged, near byte 0");
    write_gzip("hello world", 11);
    assert_int_equal(truncate(path, 20), 0);
    assert_fails(true, LEAT_E_FORMAT, "", " ends in the middle of its gzip data, near byte 20");
    strcat(path, "-gone");
    assert_fails(false, LEAT_E_NOT_FOUND, "cannot open ", ": No such file or directory");
    path[strlen(path) - 5] = 0;
}

#define WITH_FILE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_FILE(reader_any_range_and_block_gives_each_line_once),
        WITH_FILE(reader_line_longer_than_many_ranges_is_read_once),
        WITH_FILE(reader_gzip_from_any_place_gives_the_rest),
        WITH_FILE(reader_bad_files_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
