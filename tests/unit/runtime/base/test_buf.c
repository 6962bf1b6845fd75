/* Tests of buf.c: what is written is read again, short input fails for good, no memory is
   sticky. */
#include "runtime/base/buf.h"

#include "runtime/base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const uint64_t edges[] = {0, 1, 127, 128, 16383, 16384, UINT32_MAX, INT64_MAX, UINT64_MAX};
enum { EDGES = sizeof edges / sizeof *edges };

static void write_all(leati_buf *b) {
    leati_buf_u8(b, 200);
    leati_buf_u32(b, 0x01020304);
    leati_buf_u64(b, 0x0102030405060708);
    for (int i = 0; i < EDGES; i++) {
        leati_buf_varint(b, edges[i]);
        leati_buf_zigzag(b, (int64_t)edges[i]);
        leati_buf_zigzag(b, -(int64_t)(edges[i] >> 1) - 1);
    }
    leati_buf_blob(b, "abc", 3);
    leati_buf_blob(b, NULL, 0);
}

static void buf_all_forms_come_back(void **state) {
    (void)state;
    leati_buf b;
    leati_buf_init(&b);
    write_all(&b);
    leati_reader r = leati_reader_of(b.bytes, b.size);
    assert_int_equal(leati_reader_u8(&r), 200);
    assert_int_equal(leati_reader_u32(&r), 0x01020304);
    assert_int_equal(leati_reader_u64(&r), 0x0102030405060708);
    for (int i = 0; i < EDGES; i++) {
        assert_int_equal(leati_reader_varint(&r), edges[i]);
        assert_int_equal(leati_reader_zigzag(&r), edges[i]);
        assert_int_equal(leati_reader_zigzag(&r), -(int64_t)(edges[i] >> 1) - 1);
    }
    size_t size = 9;
    assert_memory_equal(leati_reader_blob(&r, &size), "abc", 3);
    assert_int_equal(size, 3);
    assert_non_null(leati_reader_blob(&r, &size));
    assert_int_equal(size, 0);
    assert_false(r.failed);
    assert_int_equal(leati_reader_left(&r), 0);
    leati_buf_fini(&b);
}

static void reader_at_its_end_fails_for_good(void **state) {
    (void)state;
    leati_reader r = leati_reader_of("\x05\x61\x62", 3);
    size_t size = 7;
    assert_null(leati_reader_blob(&r, &size));
    assert_int_equal(size, 7);
    assert_true(r.failed);
    assert_int_equal(leati_reader_u8(&r), 0);
    assert_int_equal(leati_reader_varint(&r), 0);
    assert_null(leati_reader_bytes(&r, 0));
}

static void reader_varint_too_long_fails(void **state) {
    (void)state;
    leati_reader r = leati_reader_of("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 10);
    assert_int_equal(leati_reader_varint(&r), 0);
    assert_true(r.failed);
    r = leati_reader_of("\x80\x80", 2);
    leati_reader_varint(&r);
    assert_true(r.failed);
}

static void buf_printf_of_any_length_is_whole(void **state) {
    (void)state;
    leati_buf b;
    leati_buf_init(&b);
    for (int i = 0; i < 200; i++) leati_buf_printf(&b, "%*d", i, 7);
    leati_buf_text(&b, "!");
    assert_int_equal(b.size, 199 * 200 / 2 + 2);
    assert_int_equal(strlen(leati_buf_cstr(&b)), b.size);
    char *text = leati_buf_take(&b);
    assert_int_equal(strlen(text), 199 * 200 / 2 + 2);
    assert_null(b.bytes);
    leati_free(text);
}

static void buf_without_memory_fails_once_and_for_all(void **state) {
    (void)state;
    for (int n = 1; n < 10; n++) {
        leati_buf b;
        leati_buf_init(&b);
        leati_alloc_fail_after(n);
        write_all(&b);
        leati_buf_printf(&b, "%200d", 1);
        bool failed = b.failed;
        char *text = leati_buf_take(&b);
        leati_alloc_fail_after(-1);
        assert_true(failed == !text);
        leati_free(text);
    }
    leati_buf b;
    leati_buf_init(&b);
    leati_alloc_fail_after(1);
    assert_string_equal(leati_buf_cstr(&b), "");
    leati_alloc_fail_after(-1);
    leati_buf_fini(&b);
}

static char *text_of(const char *bytes, size_t size, bool *failed) {
    leati_buf b;
    leati_buf_init(&b);
    leati_buf_blob(&b, bytes, size);
    leati_reader r = leati_reader_of(b.bytes, b.size);
    char *text = leati_reader_text(&r);
    *failed = r.failed;
    leati_buf_fini(&b);
    return text;
}

static void texts_come_back_without_zeros_in_them(void **state) {
    (void)state;
    bool failed;
    char *text = text_of("ab", 2, &failed);
    assert_string_equal(text, "ab");
    assert_false(failed);
    leati_free(text);
    assert_null(text_of("", 0, &failed));
    assert_false(failed);
    assert_null(text_of("a\0b", 3, &failed));
    assert_true(failed);
    leati_buf b;
    leati_buf_init(&b);
    leati_buf_blob_text(&b, NULL);
    leati_buf_blob_text(&b, "x");
    leati_reader r = leati_reader_of(b.bytes, b.size);
    assert_null(leati_reader_text(&r));
    leati_alloc_fail_after(1);
    assert_null(leati_reader_text(&r));
    leati_alloc_fail_after(-1);
    assert_true(r.failed);
    leati_buf_fini(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buf_all_forms_come_back),
        cmocka_unit_test(reader_at_its_end_fails_for_good),
        cmocka_unit_test(reader_varint_too_long_fails),
        cmocka_unit_test(buf_printf_of_any_length_is_whole),
        cmocka_unit_test(buf_without_memory_fails_once_and_for_all),
        cmocka_unit_test(texts_come_back_without_zeros_in_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
