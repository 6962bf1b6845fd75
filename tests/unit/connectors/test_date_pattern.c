/* Tests of date_pattern.c and time_zone.c: patterns as Java's DateTimeFormatter writes them, zones
   by offset and by name, in the past and by the rule for the future. */
#include "expect.h"

#include "connectors/date_pattern.h"

#include <stdlib.h>
#include <time.h>

enum { MINUTE = 60, HOUR = 3600 };

static void expect_date(const char *pattern, const char *zone, int64_t ms, const char *text) {
    leat_error err = {.text = ""};
    leati_zone *z;
    leati_buf got;
    leati_buf_init(&got);
    assert_int_equal(leati_date_pattern_check(pattern, &err), LEAT_OK);
    assert_int_equal(leati_zone_new(zone, &z, &err), LEAT_OK);
    leati_date_pattern_append(pattern, z, ms, &got);
    assert_string_equal(leati_buf_cstr(&got), text);
    leati_buf_fini(&got);
    leati_zone_free(z);
}

static void pattern_letters(void **state) {
    (void)state;
    static const int64_t AT = 1709251199987; /* Thursday, 2024-02-29 23:59:59.987 */
    expect_date("yyyy-MM-dd--HH", "UTC", AT, "2024-02-29--23");
    expect_date("yy/M/d", "UTC", AT, "24/2/29");
    expect_date("y u yyyyy", "UTC", AT, "2024 2024 02024");
    expect_date("MMM MMMM E EEEE a", "UTC", AT, "Feb February Thu Thursday PM");
    expect_date("D h K k m s S SSS", "UTC", AT, "60 11 11 23 59 59 9 987");
    expect_date("'day' D'''X''a.b'.", "UTC", AT, "day 60'Xa.b.");
}

static void pattern_at_midnight_and_before_the_epoch(void **state) {
    (void)state;
    expect_date("h K k H a", "UTC", 0, "12 0 24 0 AM");
    expect_date("yyyy-MM-dd HH:mm:ss.SSS E", "UTC", -1, "1969-12-31 23:59:59.999 Wed");
    expect_date("yyyy-MM-dd D", "UTC", -62135596800000, "0001-01-01 1");
    expect_date("yyyy-MM-dd D", "UTC", 4107542399000, "2100-02-28 59");
    expect_date("yyyy-MM-dd D", "UTC", 4107542400000, "2100-03-01 60");
}

static void pattern_steps_are_as_fine_as_the_text(void **state) {
    (void)state;
    assert_int_equal(leati_date_pattern_step("yyyy-MM-dd--HH"), 60000);
    assert_int_equal(leati_date_pattern_step("HH'S'mm"), 60000);
    assert_int_equal(leati_date_pattern_step("HHmmss"), 1000);
    assert_int_equal(leati_date_pattern_step("ss.SSS"), 1);
}

static void pattern_refusals(void **state) {
    (void)state;
    static const char *const bad[] = {"",     "QQ",    "yyyy-w", "ddd",  "HHH",       "'open", "..",
                                      "'..'", "/yyyy", "yyyy/",  "a//b", "yyyy/../a", "aa"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        leat_error err = {.text = ""};
        assert_int_equal(leati_date_pattern_check(bad[i], &err), LEAT_E_ARGUMENT);
        assert_true(strlen(err.text) > 0);
    }
}

static void expect_offset(const char *id, int64_t second, int64_t offset) {
    leat_error err = {.text = ""};
    leati_zone *z;
    assert_int_equal(leati_zone_new(id, &z, &err), LEAT_OK);
    assert_non_null(z);
    assert_int_equal(leati_zone_offset(z, second), offset);
    leati_zone_free(z);
}

static void zones_by_offset(void **state) {
    (void)state;
    expect_offset("UTC", 0, 0);
    expect_offset("Z", 0, 0);
    expect_offset("GMT", 0, 0);
    expect_offset("+2", 0, 2 * HOUR);
    expect_offset("-05:30", 0, -5 * HOUR - 30 * MINUTE);
    expect_offset("GMT+8", 0, 8 * HOUR);
    expect_offset("UTC-03:00:01", 0, -3 * HOUR - 1);
}

static void zones_by_name(void **state) {
    (void)state;
    static const int64_t WINTER = 1700000000, SUMMER = 1720000000, FUTURE = 4100000000;
    expect_offset("Europe/Berlin", WINTER, HOUR);
    expect_offset("Europe/Berlin", SUMMER, 2 * HOUR);
    expect_offset("Europe/Berlin", -300000000, HOUR); /* 1960: no summer time */
    expect_offset("Europe/Berlin", 1711846799, HOUR); /* the second before it changes */
    expect_offset("Europe/Berlin", 1711846800, 2 * HOUR);
    expect_offset("America/New_York", FUTURE, -5 * HOUR);
    expect_offset("America/New_York", FUTURE + 180 * 86400, -4 * HOUR);
    expect_offset("Australia/Sydney", FUTURE, 11 * HOUR);
    expect_offset("Asia/Kolkata", SUMMER, 5 * HOUR + 30 * MINUTE);
}

static void zone_of_the_system(void **state) {
    (void)state;
    leat_error err;
    leati_zone *z;
    assert_int_equal(leati_zone_new(NULL, &z, &err), LEAT_OK);
    assert_null(z);
    setenv("TZ", "MILL-3", 1);
    tzset();
    assert_int_equal(leati_zone_offset(NULL, 1700000000), 3 * HOUR);
    unsetenv("TZ");
    tzset();
}

static void zones_that_are_none(void **state) {
    (void)state;
    static const char *const bad[] = {
        "Mars/Olympus", "/etc/passwd", "../../../etc/passwd", "+99", "GMT+", "zone.tab", "Europe"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        leat_error err = {.text = ""};
        leati_zone *z = (leati_zone *)1;
        assert_int_equal(leati_zone_new(bad[i], &z, &err), LEAT_E_ARGUMENT);
        assert_null(z);
        assert_non_null(strstr(err.text, bad[i]));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pattern_letters),
        cmocka_unit_test(pattern_at_midnight_and_before_the_epoch),
        cmocka_unit_test(pattern_steps_are_as_fine_as_the_text),
        cmocka_unit_test(pattern_refusals),
        cmocka_unit_test(zones_by_offset),
        cmocka_unit_test(zones_by_name),
        cmocka_unit_test(zone_of_the_system),
        cmocka_unit_test(zones_that_are_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
