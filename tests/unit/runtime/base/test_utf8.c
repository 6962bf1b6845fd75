/* Tests of utf8.c: the borders of every length, overlong forms, surrogates, and the place of the
   first bad byte wherever it falls in the steps of 64 and 8. */
#include "runtime/base/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void assert_valid(const char *text, size_t size, size_t valid) {
    assert_int_equal(leati_utf8_valid(text, size), valid);
}

static void utf8_borders_of_lengths_are_valid(void **state) {
    (void)state;
    static const char *const texts[] = {
        "",
        "\x7f",
        "\xc2\x80",
        "\xdf\xbf",
        "\xe0\xa0\x80",
        "\xed\x9f\xbf",
        "\xee\x80\x80",
        "\xef\xbf\xbf",
        "\xf0\x90\x80\x80",
        "\xf4\x8f\xbf\xbf",
        "Stra\303\237e \xe2\x82\xac \xf0\x9f\x98\x80",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_valid(texts[i], strlen(texts[i]), strlen(texts[i]));
}

static void utf8_ill_formed_is_refused(void **state) {
    (void)state;
    static const char *const texts[] = {
        "\x80",
        "\xbf",
        "\xc0\x80",
        "\xc1\xbf",
        "\xc2",
        "\xc2\x41",
        "\xe0\x9f\xbf",
        "\xed\xa0\x80",
        "\xed\xbf\xbf",
        "\xe2\x82",
        "\xe2\x82\x41",
        "\xe2\x41\x80",
        "\xf0\x8f\xbf\xbf",
        "\xf4\x90\x80\x80",
        "\xf5\x80\x80\x80",
        "\xf0\x9f\x98",
        "\xff",
        "\xfe",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_valid(texts[i], strlen(texts[i]), 0);
}

static void utf8_bad_byte_is_found_anywhere(void **state) {
    (void)state;
    char text[200];
    for (size_t bad = 0; bad < sizeof text; bad++) {
        memset(text, 'a', sizeof text);
        assert_true(leati_utf8_is_ascii(text, sizeof text));
        text[bad] = (char)0xff;
        assert_valid(text, sizeof text, bad);
        assert_false(leati_utf8_is_ascii(text, sizeof text));
        assert_true(leati_utf8_is_ascii(text, bad));
    }
}

static void utf8_long_characters_at_any_place_are_valid(void **state) {
    (void)state;
    char text[150];
    for (size_t at = 0; at + 4 <= sizeof text; at++) {
        memset(text, 'a', sizeof text);
        memcpy(text + at, "\xf0\x9f\x98\x80", 4);
        assert_valid(text, sizeof text, sizeof text);
        assert_valid(text, at + 3, at);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(utf8_borders_of_lengths_are_valid),
        cmocka_unit_test(utf8_ill_formed_is_refused),
        cmocka_unit_test(utf8_bad_byte_is_found_anywhere),
        cmocka_unit_test(utf8_long_characters_at_any_place_are_valid),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
