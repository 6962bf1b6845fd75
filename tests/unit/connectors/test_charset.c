/* Tests of charset.c: names as Java and Python spell them, characters that are not there, marks. */
#include "expect.h"

#include "connectors/charset.h"

static void expect_bytes(const char *name, const char *text, const char *bytes, size_t size) {
    leat_error err = {.text = ""};
    leati_charset *c;
    leati_buf got;
    leati_buf_init(&got);
    assert_int_equal(leati_charset_new(name, &c, &err), LEAT_OK);
    assert_non_null(c);
    leati_buf_text(&got, "before");
    assert_int_equal(leati_charset_append(c, text, strlen(text), &got), LEAT_OK);
    assert_int_equal(got.size, 6 + size);
    assert_memory_equal(got.bytes + 6, bytes, size);
    leati_buf_fini(&got);
    leati_charset_free(c);
}

static void charset_writes_what_it_has(void **state) {
    (void)state;
    expect_bytes("ISO-8859-1", "\xc3\xa4 \xe2\x82\xac!", "\xe4 ?!", 4);
    expect_bytes("latin-1", "\xc3\xa4", "\xe4", 1);
    expect_bytes("us-ascii", "a\xc3\xa4z", "a?z", 3);
    expect_bytes("windows-1252", "\xe2\x82\xac", "\x80", 1);
    expect_bytes("euc_jp", "\xe6\x97\xa5", "\xc6\xfc", 2);
    expect_bytes("UTF-16LE", "a\xf0\x9f\x98\x80", "a\0\x3d\xd8\x00\xde", 6);
    expect_bytes("ISO-8859-1", "", "", 0);
}

static void charset_utf16_marks_each_text(void **state) {
    (void)state;
    expect_bytes("UTF-16", "ab", "\xfe\xff\0a\0b", 6);
    expect_bytes("utf_16", "", "", 0);
}

static void charset_long_texts_are_converted_whole(void **state) {
    (void)state;
    enum { COUNT = 30000 };
    static char text[2 * COUNT + 1], bytes[COUNT];
    for (int i = 0; i < COUNT; i++) memcpy(text + 2 * i, "\xc3\xa4", 2);
    memset(bytes, 0xe4, COUNT);
    expect_bytes("ISO-8859-1", text, bytes, COUNT);
}

static void charset_utf8_needs_none(void **state) {
    (void)state;
    static const char *const names[] = {NULL, "", "UTF-8", "utf8", "Utf_8"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        leat_error err = {.text = ""};
        leati_charset *c = (leati_charset *)1;
        assert_int_equal(leati_charset_new(names[i], &c, &err), LEAT_OK);
        assert_null(c);
    }
}

static void charset_that_is_none_is_refused(void **state) {
    (void)state;
    leat_error err = {.text = ""};
    leati_charset *c = NULL;
    assert_int_equal(leati_charset_new("no-such", &c, &err), LEAT_E_ARGUMENT);
    assert_null(c);
    assert_string_equal(err.text, "the charset 'no-such' is not known; UTF-8 is the default");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(charset_writes_what_it_has),
        cmocka_unit_test(charset_utf16_marks_each_text),
        cmocka_unit_test(charset_long_texts_are_converted_whole),
        cmocka_unit_test(charset_utf8_needs_none),
        cmocka_unit_test(charset_that_is_none_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
