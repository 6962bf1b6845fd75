/* Tests of json_reader.c: what is JSON and what is not, members, items, strings with escapes. */
#include "expect.h"

#include <string.h>

#include "runtime/base/alloc.h"
#include "runtime/job/json_reader.h"

static bool is_json(const char *text) {
    leati_json whole;
    return leati_json_read(text, strlen(text), &whole);
}

static void json_is_told_from_what_is_none(void **state) {
    (void)state;
    static const char *const right[] = {
        "{}",
        " [ ] ",
        "null",
        "true",
        "false",
        "0",
        "-0.5e-3",
        "1E+9",
        "\"\"",
        "\"\\u00e9\\n\"",
        "{\"a\": [1, {\"b\": \"}\"}], \"c\": null}",
        "\n{\n\"a\"\t:\r1 , \"b\":[]}\n",
    };
    static const char *const wrong[] = {
        "",           " ",     "{",     "[1,]", "[1 2]",     "{\"a\"}",   "{\"a\":}",
        "{a: 1}",     "01",    "1.",    ".5",   "1e",        "--1",       "+1",
        "tru",        "nulll", "{} {}", "\"",   "\"\\x\"",   "\"\\u12\"", "\"\n\"",
        "{\"a\":1,}", "[1}",   "\"\\",  "\x01", "{\"a\" 1}", "[",         "[1",
    };
    for (size_t i = 0; i < sizeof right / sizeof *right; i++)
        if (!is_json(right[i])) fail_msg("%s", right[i]);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        if (is_json(wrong[i])) fail_msg("%s", wrong[i]);
    leati_json whole;
    assert_false(leati_json_read("\0", 1, &whole));
    assert_false(leati_json_read("[1\0]", 4, &whole));
}

static void nesting_has_an_end(void **state) {
    (void)state;
    char deep[200];
    memset(deep, '[', 100);
    memset(deep + 100, ']', 100);
    leati_json whole;
    assert_false(leati_json_read(deep, 200, &whole));
    assert_true(leati_json_read(deep + 68, 64, &whole));
    assert_false(leati_json_read(deep + 67, 66, &whole));
}

static void members_are_found_by_their_names(void **state) {
    (void)state;
    const char *text = "{\"ab\": 1, \"a\": {\"a\": 7}, \"n\": -12.75, \"t\": \"x\", \"a\": 3}";
    leati_json whole, value;
    assert_true(leati_json_read(text, strlen(text), &whole));
    assert_true(leati_json_member(whole, "a", &value));
    assert_true(leati_json_member(value, "a", &value));
    assert_int_equal(leati_json_int(value), 7);
    assert_false(leati_json_member(value, "a", &value));
    assert_true(leati_json_member(whole, "n", &value));
    assert_int_equal(leati_json_int(value), -12);
    assert_null(leati_json_text(value));
    assert_true(leati_json_member(whole, "t", &value));
    assert_int_equal(leati_json_int(value), 0);
    assert_false(leati_json_member(whole, "b", &value));
    assert_false(leati_json_member(whole, "", &value));
}

static void items_come_one_by_one(void **state) {
    (void)state;
    const char *text = "[1, [2, 3], {\"a\": 4}, 5]";
    leati_json whole, item;
    const char *at = NULL;
    int64_t sum = 0, count = 0;
    assert_true(leati_json_read(text, strlen(text), &whole));
    for (; leati_json_item(whole, &at, &item); count++) sum += leati_json_int(item);
    assert_int_equal(sum, 6);
    assert_int_equal(count, 4);
    at = NULL;
    assert_false(leati_json_item(item, &at, &item));
}

static void expect_text(const char *json, const char *want) {
    leati_json whole;
    assert_true(leati_json_read(json, strlen(json), &whole));
    char *text = leati_json_text(whole);
    if (want)
        assert_string_equal(text, want);
    else
        assert_null(text);
    leati_free(text);
}

static void strings_are_decoded(void **state) {
    (void)state;
    expect_text("\"\"", "");
    expect_text("\"a\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "a\"\\/\b\f\n\r\t");
    expect_text("\"\\u0041\\u00e9\\u20AC\\ud83d\\ude00\"", "A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
    expect_text("\"\\ud83dx\\ud83d\\u0041\\ude00\"", "\xef\xbf\xbdx\xef\xbf\xbd"
                                                     "A\xef\xbf\xbd");
    expect_text("\"\xc3\xa9\"", "\xc3\xa9");
    expect_text("\"a\\u0000b\"", NULL);
    expect_text("[]", NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_is_told_from_what_is_none),
        cmocka_unit_test(nesting_has_an_end),
        cmocka_unit_test(members_are_found_by_their_names),
        cmocka_unit_test(items_come_one_by_one),
        cmocka_unit_test(strings_are_decoded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
