/* Tests of error.c: filling, cutting at characters, names. */
#include "leat/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void error_set_fills_all_fields(void **state) {
    (void)state;
    leat_error err;
    assert_int_equal(leat_error_set(&err, LEAT_E_IO, "file", "errno %d", 5), LEAT_E_IO);
    assert_int_equal(err.status, LEAT_E_IO);
    assert_string_equal(err.where, "file");
    assert_string_equal(err.text, "errno 5");
    assert_int_equal(leat_error_set(NULL, LEAT_E_TYPE, NULL, "%s", "x"), LEAT_E_TYPE);
    leat_error_set(&err, LEAT_E_USER, err.where, "again: %s", err.text);
    assert_string_equal(err.text, "again: errno 5");
}

static void error_text_too_long_is_cut_between_characters(void **state) {
    (void)state;
    for (size_t lead = 0; lead < 4; lead++) {
        char text[2000] = "xxx";
        text[lead] = 0;
        while (strlen(text) < 1500) strcat(text, "\xe2\x82\xac");
        leat_error err;
        leat_error_set(&err, LEAT_E_USER, text, "%s", text);
        assert_int_equal((strlen(err.text) - lead) % 3, 0);
        assert_true(strlen(err.text) > sizeof err.text - 5);
        assert_int_equal((strlen(err.where) - lead) % 3, 0);
    }
}

static void status_name_of_each_is_its_own(void **state) {
    (void)state;
    assert_string_equal(leat_status_name(LEAT_AGAIN), "LEAT_AGAIN");
    for (int s = -16; s <= 2; s++) {
        assert_memory_equal(leat_status_name((leat_status)s), "LEAT_", 5);
        for (int other = -16; other < s; other++)
            assert_string_not_equal(leat_status_name((leat_status)s),
                                    leat_status_name((leat_status)other));
    }
    assert_string_equal(leat_status_name((leat_status)-99), "unknown status");
    assert_string_equal(leat_version(), LEAT_VERSION_STRING);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(error_set_fills_all_fields),
        cmocka_unit_test(error_text_too_long_is_cut_between_characters),
        cmocka_unit_test(status_name_of_each_is_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
