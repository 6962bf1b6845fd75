/* Tests of type.c: every form, one pointer per type, errors that say where. */
#include "leat/type.h"

#include "runtime/base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void type_of_every_form_keeps_its_text(void **state) {
    (void)state;
    static const char *const texts[] = {
        "PICKLED",
        "STRING",
        "SQL_TIMESTAMP",
        "TUPLE<>",
        "TUPLE<STRING,INT>",
        "ROW<STRING,INT>",
        "ROW<\"name\" STRING,\"n\" LONG>",
        "ROW<\"a\\\"b\\\\c\" STRING>",
        "LIST<LONG>",
        "MAP<STRING,LIST<TUPLE<DOUBLE,FLOAT>>>",
        "PRIMITIVE_ARRAY<INT>",
        "BASIC_ARRAY<STRING>",
        "OBJECT_ARRAY<ROW<\"x\" BIG_DEC>>",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        leat_error err = {0};
        const leat_type *type = leat_type_parse(texts[i], &err);
        assert_string_equal(err.text, "");
        assert_non_null(type);
        assert_string_equal(type->text, texts[i]);
        assert_ptr_equal(type, leat_type_parse(texts[i], NULL));
    }
}

static void type_with_spaces_is_the_same(void **state) {
    (void)state;
    const leat_type *type = leat_type_parse("ROW<\"name\" STRING,\"n\" LIST<LONG>>", NULL);
    assert_ptr_equal(type, leat_type_parse(" ROW < \"name\"STRING ,\n\"n\"  LIST< LONG >> ", NULL));
    assert_int_equal(type->tag, LEAT_T_ROW);
    assert_int_equal(type->size, 2);
    assert_string_equal(type->schema->names[1], "n");
    assert_ptr_equal(type->items[1], leat_type_parse("LIST<LONG>", NULL));
    assert_ptr_equal(leat_type_parse("PICKLED_BYTE_ARRAY", NULL), leat_type_parse("PICKLED", NULL));
    assert_null(leat_type_parse("TUPLE<LONG>", NULL)->schema);
    assert_ptr_not_equal(leat_type_parse("ROW<\"a\" LONG>", NULL),
                         leat_type_parse("ROW<LONG>", NULL));
}

static void assert_refused(const char *text, const char *expected) {
    leat_error err;
    assert_null(leat_type_parse(text, &err));
    assert_int_equal(err.status, LEAT_E_ARGUMENT);
    assert_string_equal(err.where, "leat_type_parse");
    if (strncmp(err.text, expected, strlen(expected)) != 0) assert_string_equal(err.text, expected);
}

static void type_that_is_wrong_names_the_place(void **state) {
    (void)state;
    assert_refused("", "the name of a type is missing at position 1");
    assert_refused("STRNG", "no type is called STRNG at position 1 of the type \"STRNG\"");
    assert_refused("TUPLE<STRING,int>", "no type is called int at position 14");
    assert_refused("TUPLE", "'<' is missing at position 6");
    assert_refused("TUPLE<STRING", "',' or '>' is missing at position 13");
    assert_refused("TUPLE<STRING,>", "the name of a type is missing at position 14");
    assert_refused("STRING>", "something follows the type at position 7");
    assert_refused("LIST<>", "LIST takes 1 type, not 0");
    assert_refused("MAP<STRING>", "MAP takes 2 types, not 1");
    assert_refused("PRIMITIVE_ARRAY<STRING>", "PRIMITIVE_ARRAY takes BYTE");
    assert_refused("BASIC_ARRAY<LIST<INT>>", "BASIC_ARRAY takes STRING");
    assert_refused("ROW<\"a\" INT,INT>", "either all fields of a row have a name or none");
    assert_refused("ROW<INT,\"a\" INT>", "either all fields of a row have a name or none");
    assert_refused("ROW<\"a\" INT,\"a\" LONG>", "a second field has the same name");
    assert_refused("ROW<\"a INT>", "the closing quote of a field's name is missing at position 6");
    leat_error err;
    assert_null(leat_type_parse(NULL, &err));
}

static void type_too_deep_is_refused(void **state) {
    (void)state;
    char text[1000] = "";
    for (int i = 0; i < 70; i++) strcat(text, "LIST<");
    strcat(text, "INT");
    for (int i = 0; i < 70; i++) strcat(text, ">");
    assert_refused(text, "more than 64 types inside each other");
}

static void type_without_memory_is_null_and_comes_later(void **state) {
    (void)state;
    const char *text = "ROW<\"fresh\" MAP<STRING,TUPLE<CHAR,CHAR,CHAR,CHAR,CHAR>>>";
    const leat_type *type = NULL;
    int n = 1;
    for (; !type; n++) {
        leat_error err = {0};
        leati_alloc_fail_after(n);
        type = leat_type_parse(text, &err);
        leati_alloc_fail_after(-1);
        assert_int_equal(err.status, type ? LEAT_OK : LEAT_E_NOMEM);
        assert_true(n < 1000);
    }
    assert_true(n > 5);
    assert_ptr_equal(type, leat_type_parse(text, NULL));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(type_of_every_form_keeps_its_text),
        cmocka_unit_test(type_with_spaces_is_the_same),
        cmocka_unit_test(type_that_is_wrong_names_the_place),
        cmocka_unit_test(type_too_deep_is_refused),
        cmocka_unit_test(type_without_memory_is_null_and_comes_later),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
