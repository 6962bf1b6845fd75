/* Tests of compress.c: one and several members, every size of input and output step, damage. */
#include "runtime/base/compress.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <zlib.h>

/* Appends a member that holds `size` bytes; answers the new size of `out`. */
static size_t member(unsigned char *out, size_t at, size_t room, const void *text, size_t size) {
    z_stream s;
    memset(&s, 0, sizeof s);
    assert_int_equal(deflateInit2(&s, 6, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    s.next_in = (z_const Bytef *)(uintptr_t)text;
    s.avail_in = (uInt)size;
    s.next_out = out + at;
    s.avail_out = (uInt)(room - at);
    assert_int_equal(deflate(&s, Z_FINISH), Z_STREAM_END);
    at = room - s.avail_out;
    deflateEnd(&s);
    return at;
}

/* Reads all of `in`, at most `in_step` and `out_step` bytes at once. */
static leat_status read_all(const void *in, size_t size, size_t in_step, size_t out_step, char *out,
                            size_t *out_size, bool *complete) {
    leati_gzip *z = leati_gzip_new();
    assert_non_null(z);
    size_t read = 0, written = 0;
    leat_status status = LEAT_OK;
    while (status >= 0) {
        size_t step = size - read < in_step ? size - read : in_step;
        leati_gzip_span span = {(const char *)in + read, step, out + written, out_step};
        status = leati_gzip_read(z, &span);
        read += step - span.in_size;
        written += out_step - span.out_size;
        if (read == size && span.out_size == out_step) break;
    }
    *out_size = written;
    *complete = leati_gzip_complete(z);
    leati_gzip_free(z);
    return status;
}

static void gzip_members_in_any_steps_give_the_text(void **state) {
    (void)state;
    unsigned char file[4096];
    size_t size = member(file, 0, sizeof file, "hello ", 6);
    size = member(file, size, sizeof file, "", 0);
    size = member(file, size, sizeof file, "world", 5);
    memset(file + size, 0, 7);
    size += 7;
    static const size_t steps[] = {1, 2, 3, 7, 4096};
    for (size_t i = 0; i < 5; i++) {
        for (size_t o = 0; o < 5; o++) {
            char *text = calloc(1, 16384);
            size_t text_size;
            bool complete;
            assert_int_equal(read_all(file, size, steps[i], steps[o], text, &text_size, &complete),
                             LEAT_OK);
            assert_true(complete);
            assert_int_equal(text_size, 11);
            assert_memory_equal(text, "hello world", 11);
            free(text);
        }
    }
}

static void gzip_cut_anywhere_is_incomplete(void **state) {
    (void)state;
    unsigned char file[256];
    size_t size = member(file, 0, sizeof file, "hello world", 11);
    for (size_t cut = 0; cut < size; cut++) {
        char text[512];
        size_t text_size;
        bool complete;
        assert_int_equal(read_all(file, cut, 4096, 128, text, &text_size, &complete), LEAT_OK);
        assert_false(complete);
    }
}

static void gzip_damaged_is_refused(void **state) {
    (void)state;
    unsigned char file[256];
    size_t size = member(file, 0, sizeof file, "hello world", 11);
    char text[512];
    size_t text_size;
    bool complete;
    file[size - 8] ^= 1; /* the checksum */
    assert_int_equal(read_all(file, size, 4096, 128, text, &text_size, &complete), LEAT_E_FORMAT);
    assert_int_equal(read_all("plain text", 10, 4096, 128, text, &text_size, &complete),
                     LEAT_E_FORMAT);
    file[size - 8] ^= 1;
    file[size] = 'x'; /* no padding, no member */
    assert_int_equal(read_all(file, size + 1, 4096, 128, text, &text_size, &complete),
                     LEAT_E_FORMAT);
}

static void crc32_in_parts_is_crc32_of_all(void **state) {
    (void)state;
    assert_int_equal(leati_crc32(0, "123456789", 9), 0xcbf43926u);
    assert_int_equal(leati_crc32(leati_crc32(0, "1234", 4), "56789", 5), 0xcbf43926u);
    assert_int_equal(leati_crc32(7, "", 0), 7);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gzip_members_in_any_steps_give_the_text),
        cmocka_unit_test(gzip_cut_anywhere_is_incomplete),
        cmocka_unit_test(gzip_damaged_is_refused),
        cmocka_unit_test(crc32_in_parts_is_crc32_of_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
