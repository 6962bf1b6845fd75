/* Tests of line_scan.c: against a plain split of the same text, in blocks of every size and ranges
   with every border. */
#include "connectors/line_scan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const char *const texts[] = {
    "",           "\n",
    "\n\n",       "a",
    "a\n",        "a\r\n",
    "\r\n\r\n",   "one\ntwo\r\n\nfour\rfive\n\r\nlast",
    "one\ntwo\n", "a long line that crosses many blocks\r\nand another one\nx",
};

/* The scan's lines of [start, end), as "offset:line|", in blocks of `step` bytes. */
static void scan(const char *text, size_t size, size_t step, size_t start, size_t end, bool aligned,
                 leati_buf *out) {
    leati_line_scan s;
    memset(&s, 0, sizeof s);
    leati_line_scan_begin(&s, start, end, aligned);
    char block[256];
    for (size_t at = start;;) {
        leati_line line;
        leat_status status = leati_line_scan_next(&s, &line);
        if (status == LEAT_DONE) break;
        if (status == LEAT_OK) {
            leati_buf_printf(out, "%d:%.*s|", (int)line.offset, (int)line.size, line.bytes);
            continue;
        }
        assert_int_equal(status, LEAT_AGAIN);
        size_t count = size - at < step ? size - at : step;
        memset(block, '#', sizeof block); /* views into earlier blocks must not be needed */
        memcpy(block, text + at, count);
        at += count;
        leati_line_scan_feed(&s, block, count, at == size);
    }
    leati_line_scan_fini(&s);
}

static void plain(const char *text, size_t size, leati_buf *out) {
    for (size_t at = 0; at < size;) {
        const char *end = memchr(text + at, '\n', size - at);
        size_t next = end ? (size_t)(end - text) + 1 : size;
        size_t line = end ? next - 1 - at : size - at;
        if (end && line > 0 && text[at + line - 1] == '\r') line--;
        leati_buf_printf(out, "%d:%.*s|", (int)at, (int)line, text + at);
        at = next;
    }
}

static void line_scan_any_blocks_gives_lines(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        size_t size = strlen(texts[i]);
        leati_buf want;
        leati_buf_init(&want);
        plain(texts[i], size, &want);
        for (size_t step = 1; step <= size + 1; step++) {
            leati_buf got;
            leati_buf_init(&got);
            scan(texts[i], size, step, 0, UINT64_MAX, true, &got);
            assert_string_equal(leati_buf_cstr(&got), leati_buf_cstr(&want));
            leati_buf_fini(&got);
        }
        leati_buf_fini(&want);
    }
}

static void line_scan_any_border_gives_each_line_to_one(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        size_t size = strlen(texts[i]);
        leati_buf want;
        leati_buf_init(&want);
        plain(texts[i], size, &want);
        for (size_t a = 1; a < size; a++) {
            for (size_t b = a + 1; b <= size; b++) {
                leati_buf got;
                leati_buf_init(&got);
                scan(texts[i], size, 3, 0, a, true, &got);
                scan(texts[i], size, 3, a - 1, b, false, &got);
                scan(texts[i], size, 3, b - 1, UINT64_MAX, false, &got);
                assert_string_equal(leati_buf_cstr(&got), leati_buf_cstr(&want));
                leati_buf_fini(&got);
            }
        }
        leati_buf_fini(&want);
    }
}

/* Throws the scan away before each line and goes on at its position. */
static void line_scan_resumed_anywhere_gives_the_rest(void **state) {
    (void)state;
    const char *text = texts[7];
    size_t size = strlen(text);
    leati_buf want, got;
    leati_buf_init(&want);
    leati_buf_init(&got);
    plain(text, size, &want);
    leati_line_scan s;
    memset(&s, 0, sizeof s);
    leati_line_scan_begin(&s, 0, UINT64_MAX, true);
    size_t at = 0;
    for (;;) {
        leati_line line;
        leat_status status = leati_line_scan_next(&s, &line);
        if (status == LEAT_DONE) break;
        if (status == LEAT_AGAIN) {
            size_t count = size - at < 2 ? size - at : 2;
            leati_line_scan_feed(&s, text + at, count, at + count == size);
            at += count;
            continue;
        }
        leati_buf_printf(&got, "%d:%.*s|", (int)line.offset, (int)line.size, line.bytes);
        bool aligned;
        at = leati_line_scan_position(&s, &aligned);
        assert_true(aligned);
        leati_line_scan_begin(&s, at, UINT64_MAX, aligned);
    }
    assert_string_equal(leati_buf_cstr(&got), leati_buf_cstr(&want));
    leati_line_scan_fini(&s);
    leati_buf_fini(&want);
    leati_buf_fini(&got);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(line_scan_any_blocks_gives_lines),
        cmocka_unit_test(line_scan_any_border_gives_each_line_to_one),
        cmocka_unit_test(line_scan_resumed_anywhere_gives_the_rest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
