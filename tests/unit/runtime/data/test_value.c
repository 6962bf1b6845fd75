/* Tests of value.c and schema.c: equality of every kind with every other, interning. */
#include "leat/value.h"

#include "fake_object.h"
#include "runtime/base/alloc.h"
#include "runtime/base/object.h"
#include "sample_values.h"

#include <math.h>
#include <pthread.h>

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void value_equal_of_samples_is_identity(void **state) {
    (void)state;
    const leat_value *v = sample_values();
    for (int i = 0; i < SAMPLE_VALUES; i++) {
        for (int j = 0; j < SAMPLE_VALUES; j++) {
            /* Rows 26 and 27 differ in kind and in names. */
            assert_int_equal(leat_value_equal(&v[i], &v[j]), i == j);
        }
    }
}

static void value_equal_of_doubles_knows_one_nan_and_one_zero(void **state) {
    (void)state;
    leat_value nan = leat_double(NAN), minus_nan = leat_double(-NAN);
    leat_value zero = leat_double(0.0), minus_zero = leat_double(-0.0), one = leat_int(1);
    leat_value one_double = leat_double(1), yes = leat_bool(true);
    assert_true(leat_value_equal(&nan, &minus_nan));
    assert_true(leat_value_equal(&zero, &minus_zero));
    assert_false(leat_value_equal(&one, &one_double));
    assert_false(leat_value_equal(&one, &yes));
}

static void value_equal_of_maps_ignores_order(void **state) {
    (void)state;
    leat_value a[] = {leat_int(1), leat_int(2), leat_int(3), leat_int(4)};
    leat_value b[] = {leat_int(3), leat_int(4), leat_int(1), leat_int(2)};
    leat_value c[] = {leat_int(3), leat_int(4), leat_int(1), leat_int(5)};
    leat_value x = leat_map_value(a, 2), y = leat_map_value(b, 2), z = leat_map_value(c, 2);
    assert_true(leat_value_equal(&x, &y));
    assert_false(leat_value_equal(&x, &z));
    leat_row first = {NULL, a}, second = {NULL, a};
    static const char *const names[] = {"a", "b"};
    second.schema = leat_schema_get(names, 2);
    leat_value r = leat_row_value(&first, 2, LEAT_INSERT), s = leat_row_value(&second, 2, 0);
    assert_true(leat_value_equal(&r, &s));
    s.flags = LEAT_DELETE;
    assert_false(leat_value_equal(&r, &s));
}

static void value_equal_of_objects_asks_their_language(void **state) {
    (void)state;
    leat_value a = fake_new(1), b = fake_new(1), c = fake_new(2);
    assert_true(leat_value_equal(&a, &a));
    assert_true(leat_value_equal(&a, &b));
    assert_false(leat_value_equal(&a, &c));
    leati_object_release(&a);
    leati_object_release(&b);
    leati_object_release(&c);
}

static void kind_name_is_never_null(void **state) {
    (void)state;
    assert_string_equal(leat_kind_name(LEAT_NULL), "null");
    assert_string_equal(leat_kind_name(LEAT_TIMESTAMP), "timestamp");
    assert_string_equal(leat_kind_name(LEAT_OBJECT), "object");
    assert_string_equal(leat_kind_name((leat_kind)99), "unknown");
}

static void schema_of_equal_names_is_one(void **state) {
    (void)state;
    char x[] = "x";
    const char *const a[] = {"x", "yy"}, *const b[] = {x, "yy"}, *const c[] = {"xy", "y"};
    const leat_schema *one = leat_schema_get(a, 2);
    assert_ptr_equal(one, leat_schema_get(b, 2));
    assert_ptr_not_equal(one, leat_schema_get(c, 2));
    assert_ptr_not_equal(one, leat_schema_get(a, 1));
    x[0] = 'z';
    assert_string_equal(one->names[0], "x");
    assert_string_equal(one->names[1], "yy");
    const leat_schema *none = leat_schema_get(NULL, 0);
    assert_int_equal(none->size, 0);
    assert_ptr_equal(none, leat_schema_get(a, 0));
}

static void schema_without_memory_is_null_and_comes_later(void **state) {
    (void)state;
    const char *const names[] = {"never", "seen"};
    const leat_schema *schema = NULL;
    int failures = 0;
    for (int n = 1; !schema; n++) {
        leati_alloc_fail_after(n);
        schema = leat_schema_get(names, 2);
        leati_alloc_fail_after(-1);
        failures += !schema;
    }
    assert_true(failures >= 2);
    assert_ptr_equal(schema, leat_schema_get(names, 2));
}

static void *get_many(void *arg) {
    const leat_schema **out = arg;
    for (int i = 0; i < 200; i++) {
        char name[2] = {(char)('A' + i % 50), 0};
        const char *const names[] = {name, "shared"};
        out[i % 50] = leat_schema_get(names, 2);
    }
    return NULL;
}

static void schema_of_several_threads_is_one(void **state) {
    (void)state;
    static const leat_schema *found[4][50];
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, get_many, found[i]), 0);
    for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
    for (int i = 1; i < 4; i++) assert_memory_equal(found[0], found[i], sizeof found[0]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(value_equal_of_samples_is_identity),
        cmocka_unit_test(value_equal_of_doubles_knows_one_nan_and_one_zero),
        cmocka_unit_test(value_equal_of_maps_ignores_order),
        cmocka_unit_test(value_equal_of_objects_asks_their_language),
        cmocka_unit_test(kind_name_is_never_null),
        cmocka_unit_test(schema_of_equal_names_is_one),
        cmocka_unit_test(schema_without_memory_is_null_and_comes_later),
        cmocka_unit_test(schema_of_several_threads_is_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
