/* Tests of text.c and double_text.c: what print() shows, by the JVM's and by Python's rules. */
#include "runtime/data/text.h"

#include "fake_object.h"
#include "runtime/base/alloc.h"
#include "runtime/base/object.h"
#include "runtime/data/double_text.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void assert_text(leat_value v, leat_text_form form, const char *expected) {
    leati_buf b;
    leati_buf_init(&b);
    assert_int_equal(leati_value_text(&v, NULL, form, &b), LEAT_OK);
    assert_string_equal(leati_buf_cstr(&b), expected);
    leati_buf_fini(&b);
}

static void assert_print(leat_value v, const char *expected) {
    assert_text(v, LEAT_TEXT_PRINT, expected);
}

static void assert_typed(leat_value v, const char *type, const char *expected) {
    leati_buf b;
    leati_buf_init(&b);
    assert_int_equal(leati_value_text(&v, leat_type_parse(type, NULL), LEAT_TEXT_PRINT, &b),
                     LEAT_OK);
    assert_string_equal(leati_buf_cstr(&b), expected);
    leati_buf_fini(&b);
}

static leat_value of_kind(leat_kind kind, int64_t i, uint32_t size) {
    leat_value v = leat_int(i);
    v.kind = (uint8_t)kind;
    v.size = size;
    return v;
}

static void text_of_scalars_is_java(void **state) {
    (void)state;
    assert_print(leat_null(), "null");
    assert_print(leat_bool(true), "true");
    assert_print(leat_bool(false), "false");
    assert_print(leat_int(INT64_MIN), "-9223372036854775808");
    assert_print(leat_string("a b"), "a b");
    assert_print(leat_bytes("\x01\xff", 2), "[1, -1]");
    assert_print(leat_double(1), "1.0");
}

static void text_of_doubles_is_shortest(void **state) {
    (void)state;
    static const struct {
        double d;
        const char *java, *python;
    } rows[] = {
        {0.0, "0.0", "0.0"},
        {-0.0, "-0.0", "-0.0"},
        {1, "1.0", "1.0"},
        {-12.5, "-12.5", "-12.5"},
        {0.1, "0.1", "0.1"},
        {0.1 + 0.2, "0.30000000000000004", "0.30000000000000004"},
        {1.0 / 3, "0.3333333333333333", "0.3333333333333333"},
        {0.001, "0.001", "0.001"},
        {0.0001, "1.0E-4", "0.0001"},
        {0.00001, "1.0E-5", "1e-05"},
        {1234567, "1234567.0", "1234567.0"},
        {1e7, "1.0E7", "10000000.0"},
        {12345678.9, "1.23456789E7", "12345678.9"},
        {1e10, "1.0E10", "10000000000.0"},
        {1e16, "1.0E16", "1e+16"},
        {2e23, "2.0E23", "2e+23"},
        {DBL_MAX, "1.7976931348623157E308", "1.7976931348623157e+308"},
        {DBL_MIN, "2.2250738585072014E-308", "2.2250738585072014e-308"},
        {4.9406564584124654e-324, "4.9E-324", "5e-324"},
        {9.8813129168249309e-324, "9.9E-324", "1e-323"},
        {HUGE_VAL, "Infinity", "inf"},
        {-HUGE_VAL, "-Infinity", "-inf"},
        {NAN, "NaN", "nan"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        leati_buf b;
        leati_buf_init(&b);
        leati_double_text(rows[i].d, &b);
        assert_string_equal(leati_buf_cstr(&b), rows[i].java);
        b.size = 0;
        leati_double_repr(rows[i].d, &b);
        assert_string_equal(leati_buf_cstr(&b), rows[i].python);
        leati_buf_fini(&b);
    }
}

static void text_of_any_double_reads_back(void **state) {
    (void)state;
    uint64_t bits = 88172645463325252u;
    for (int i = 0; i < 20000; i++) {
        bits ^= bits << 13, bits ^= bits >> 7, bits ^= bits << 17;
        double d;
        memcpy(&d, &bits, sizeof d);
        if (isnan(d)) continue;
        leati_buf b;
        leati_buf_init(&b);
        leati_double_text(d, &b);
        leati_buf_u8(&b, ' ');
        leati_double_repr(d, &b);
        char *end;
        assert_true(strtod(leati_buf_cstr(&b), &end) == d);
        assert_true(strtod(end, NULL) == d);
        leati_buf_fini(&b);
    }
}

static void text_of_containers_is_java(void **state) {
    (void)state;
    leat_value pair[] = {leat_string("a"), leat_int(1)};
    leat_value items[] = {leat_tuple(pair, 2), leat_null(), leat_double(2)};
    leat_value more[] = {leat_string("k"), leat_list(items, 3), leat_int(2), leat_bool(true)};
    assert_print(leat_tuple(pair, 2), "(a,1)");
    assert_print(leat_tuple(pair, 1), "(a)");
    assert_print(leat_tuple(NULL, 0), "()");
    assert_print(leat_list(items, 3), "[(a,1), null, 2.0]");
    assert_print(leat_map_value(more, 2), "{k=[(a,1), null, 2.0], 2=true}");
}

static void text_of_rows_depends_on_the_form(void **state) {
    (void)state;
    leat_value pair[] = {leat_string("it's"), leat_int(1)};
    leat_value items[] = {leat_string("a"),      leat_null(),         leat_bool(true),
                          leat_double(1e10),     leat_tuple(pair, 2), leat_tuple(pair, 1),
                          leat_bytes("\x01'", 2)};
    leat_row row = {NULL, items}, outer;
    leat_value v = leat_row_value(&row, 7, LEAT_UPDATE_AFTER);
    assert_print(v, "+U[a,None,True,10000000000.0,(\"it's\", 1),(\"it's\",),b\"\\x01'\"]");
    assert_text(v, LEAT_TEXT_STRING, "+U[a, null, true, 1.0E10, (it's,1), (it's), [1, 39]]");
    static const char *const names[] = {"x", "y"};
    leat_row inner = {leat_schema_get(names, 2), pair};
    leat_value nested[] = {leat_row_value(&inner, 2, LEAT_INSERT), leat_map_value(pair, 1)};
    outer = (leat_row){NULL, nested};
    v = leat_row_value(&outer, 2, LEAT_DELETE);
    assert_print(v, "-D[Row(x=\"it's\", y=1),{\"it's\": 1}]");
    assert_text(v, LEAT_TEXT_STRING, "-D[+I[it's, 1], {it's=1}]");
    inner.schema = NULL;
    assert_print(v, "-D[<Row(\"it's\", 1)>,{\"it's\": 1}]");
    assert_print(leat_row_value(&inner, 2, LEAT_INSERT), "+I[it's,1]");
    assert_print(leat_row_value(&inner, 2, LEAT_UPDATE_BEFORE), "-U[it's,1]");
}

static void text_of_literals_is_escaped(void **state) {
    (void)state;
    leat_value item = leat_string("'\"\n\t\r\\\x7f\x01\xc3\x9f");
    leat_value list = leat_list(&item, 1);
    leat_row row = {NULL, &list};
    assert_print(leat_row_value(&row, 1, 0), "+I[['\\'\"\\n\\t\\r\\\\\\x7f\\x01\xc3\x9f']]");
}

static void text_of_dates_and_times_is_java_sql(void **state) {
    (void)state;
    assert_print(of_kind(LEAT_DATE, 0, 0), "1970-01-01");
    assert_print(of_kind(LEAT_DATE, -1, 0), "1969-12-31");
    assert_print(of_kind(LEAT_DATE, 19782, 0), "2024-02-29");
    assert_print(of_kind(LEAT_DATE, 11016, 0), "2000-02-29");
    assert_print(of_kind(LEAT_DATE, -719162, 0), "0001-01-01");
    assert_print(of_kind(LEAT_DATE, 2932896, 0), "9999-12-31");
    assert_print(of_kind(LEAT_TIME, 43200500000000, 0), "12:00:00");
    assert_print(of_kind(LEAT_TIMESTAMP, 1610193600011, 0), "2021-01-09 12:00:00.011");
    assert_print(of_kind(LEAT_TIMESTAMP, 1610193600000, 0), "2021-01-09 12:00:00.0");
    assert_print(of_kind(LEAT_TIMESTAMP, 1610193600000, 1), "2021-01-09 12:00:00.000000001");
    assert_print(of_kind(LEAT_TIMESTAMP, -1, 0), "1969-12-31 23:59:59.999");
    leat_value items[] = {of_kind(LEAT_TIMESTAMP, 1610193600011, 0),
                          of_kind(LEAT_TIMESTAMP, 1610193600000, 0),
                          of_kind(LEAT_TIME, 43200500000000, 0)};
    leat_row row = {NULL, items};
    assert_print(leat_row_value(&row, 3, 0),
                 "+I[2021-01-09 12:00:00.011000,2021-01-09 12:00:00,12:00:00.500000]");
}

static void text_of_instants_is_iso(void **state) {
    (void)state;
    assert_typed(of_kind(LEAT_TIMESTAMP, 0, 0), "INSTANT", "1970-01-01T00:00:00Z");
    assert_typed(of_kind(LEAT_TIMESTAMP, 1500, 0), "INSTANT", "1970-01-01T00:00:01.500Z");
    assert_typed(of_kind(LEAT_TIMESTAMP, 0, 7000), "INSTANT", "1970-01-01T00:00:00.000007Z");
    assert_typed(of_kind(LEAT_TIMESTAMP, -1, 999999), "INSTANT", "1969-12-31T23:59:59.999999999Z");
    assert_typed(of_kind(LEAT_TIMESTAMP, -86400000, 0), "INSTANT", "1969-12-31T00:00:00Z");
    assert_typed(of_kind(LEAT_TIMESTAMP, 253402300799999, 0), "INSTANT",
                 "9999-12-31T23:59:59.999Z");
    assert_typed(of_kind(LEAT_TIMESTAMP, 253402300800000, 0), "INSTANT", "+10000-01-01T00:00:00Z");
    leat_value items[] = {of_kind(LEAT_TIMESTAMP, 0, 0), leat_null()};
    assert_typed(leat_list(items, 2), "LIST<INSTANT>", "[1970-01-01T00:00:00Z, null]");
}

static void assert_decimal(int64_t high, uint64_t low, int32_t scale, const char *expected) {
    leat_decimal d = {low, high};
    leat_value v = leat_null();
    v.kind = LEAT_DECIMAL;
    v.size = (uint32_t)scale;
    v.as.decimal = &d;
    assert_print(v, expected);
}

static void text_of_decimals_is_big_decimal(void **state) {
    (void)state;
    assert_decimal(0, 0, 0, "0");
    assert_decimal(0, 0, 2, "0.00");
    assert_decimal(0, 12345, 2, "123.45");
    assert_decimal(0, 5, 3, "0.005");
    assert_decimal(-1, (uint64_t)-5, 0, "-5");
    assert_decimal(-1, (uint64_t)-12345, 5, "-0.12345");
    assert_decimal(0, 1, 7, "1E-7");
    assert_decimal(0, 12, -3, "1.2E+4");
    assert_decimal(INT64_MAX, UINT64_MAX, 0, "170141183460469231731687303715884105727");
    assert_decimal(INT64_MIN, 0, 38, "-1.70141183460469231731687303715884105728");
}

static void text_of_objects_asks_their_language(void **state) {
    (void)state;
    leat_value object = fake_new(3), tuple = leat_tuple(&object, 1);
    leat_row row = {NULL, &tuple};
    assert_print(object, "fake 3");
    assert_print(tuple, "(fake 3)");
    assert_print(leat_row_value(&row, 1, 0), "+I[(Fake(3),)]");
    fake_set_inside(false);
    assert_print(object, "<object>");
    fake_set_inside(true);
    leati_object_release(&object);
}

static void format_into_little_room_is_cut(void **state) {
    (void)state;
    leat_value v = leat_string("abcdef");
    char out[8] = "xxxxxxx";
    assert_int_equal(leat_value_format(&v, out, 4), 6);
    assert_string_equal(out, "abc");
    assert_int_equal(leat_value_format(&v, out, sizeof out), 6);
    assert_string_equal(out, "abcdef");
    assert_int_equal(leat_value_format(&v, NULL, 0), 6);
    leati_alloc_fail_after(1);
    assert_int_equal(leat_value_format(&v, out, sizeof out), 0);
    leati_alloc_fail_after(-1);
    assert_string_equal(out, "");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_of_scalars_is_java),
        cmocka_unit_test(text_of_doubles_is_shortest),
        cmocka_unit_test(text_of_any_double_reads_back),
        cmocka_unit_test(text_of_containers_is_java),
        cmocka_unit_test(text_of_rows_depends_on_the_form),
        cmocka_unit_test(text_of_literals_is_escaped),
        cmocka_unit_test(text_of_dates_and_times_is_java_sql),
        cmocka_unit_test(text_of_instants_is_iso),
        cmocka_unit_test(text_of_decimals_is_big_decimal),
        cmocka_unit_test(text_of_objects_asks_their_language),
        cmocka_unit_test(format_into_little_room_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
