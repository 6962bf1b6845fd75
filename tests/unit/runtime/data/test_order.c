/* Tests of order.c: bytes sort as values do. */
#include "runtime/data/order.h"

#include "runtime/base/alloc.h"
#include "sample_values.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static int order_of(leat_value a, leat_value b) {
    leati_buf x, y;
    leati_buf_init(&x);
    leati_buf_init(&y);
    assert_int_equal(leati_order_write(&a, &x), LEAT_OK);
    assert_int_equal(leati_order_write(&b, &y), LEAT_OK);
    int order = memcmp(x.bytes, y.bytes, x.size < y.size ? x.size : y.size);
    if (!order) order = (x.size > y.size) - (x.size < y.size);
    leati_buf_fini(&x);
    leati_buf_fini(&y);
    return order;
}

/* Each value is before all those behind it. */
static void assert_ascending(const leat_value *values, int count) {
    for (int i = 0; i < count; i++)
        for (int j = 0; j < count; j++) {
            int order = order_of(values[i], values[j]);
            assert_int_equal((order > 0) - (order < 0), (i > j) - (i < j));
        }
}

static leat_value time_of(leat_kind kind, int64_t i, uint32_t nanos) {
    leat_value v = leat_int(i);
    v.kind = (uint8_t)kind;
    v.size = nanos;
    return v;
}

static void scalars_sort_by_kind_and_value(void **state) {
    (void)state;
    const leat_value values[] = {
        leat_null(),
        leat_bool(false),
        leat_bool(true),
        leat_int(INT64_MIN),
        leat_int(-1),
        leat_int(0),
        leat_int(255),
        leat_int(256),
        leat_int(INT64_MAX),
        leat_double(-1e300),
        leat_double(-1.5),
        leat_double(0.0),
        leat_double(1e-300),
        leat_double(2),
        leat_string("text"),
        leat_bytes("bytes", 5),
        time_of(LEAT_DATE, -1, 0),
        time_of(LEAT_DATE, 3, 0),
        time_of(LEAT_TIMESTAMP, -5, 7),
        time_of(LEAT_TIMESTAMP, 5, 7),
        time_of(LEAT_TIMESTAMP, 5, 8),
    };
    assert_ascending(values, sizeof values / sizeof *values);
}

static void strings_sort_by_their_bytes(void **state) {
    (void)state;
    const leat_value values[] = {
        leat_string(""),           leat_string_n("\0", 1),    leat_string_n("\0\0", 2),
        leat_string_n("\0a", 2),   leat_string("a"),          leat_string_n("a\0", 2),
        leat_string_n("a\0b", 3),  leat_string_n("a\x01", 2), leat_string("aa"),
        leat_string("b"),          leat_string("\xc3\xa9"),   leat_string("\xff"),
        leat_bytes("\0\xff", 2),   leat_bytes("\1", 1),       leat_bytes("\xff\0", 2),
        leat_bytes("\xff\xff", 2),
    };
    assert_ascending(values, sizeof values / sizeof *values);
}

static void tuples_sort_item_by_item(void **state) {
    (void)state;
    const leat_value a[] = {leat_string("a")}, a_null[] = {leat_string("a"), leat_null()},
                     a_1[] = {leat_string("a"), leat_int(1)},
                     a_2[] = {leat_string("a"), leat_int(2)}, a0[] = {leat_string_n("a\0", 2)},
                     aa[] = {leat_string("aa"), leat_int(0)}, b[] = {leat_string("b")};
    const leat_value values[] = {
        leat_tuple(NULL, 0), leat_tuple(a, 1),  leat_tuple(a_null, 2), leat_tuple(a_1, 2),
        leat_tuple(a_2, 2),  leat_tuple(a0, 1), leat_tuple(aa, 2),     leat_tuple(b, 1),
        leat_list(a, 1),     leat_list(a_1, 2), leat_list(b, 1),
    };
    assert_ascending(values, sizeof values / sizeof *values);
}

static void what_has_no_order_is_refused(void **state) {
    (void)state;
    leati_buf buf;
    leati_buf_init(&buf);
    leat_value pair[] = {leat_int(1), leat_int(2)}, map = leat_map_value(pair, 1);
    leat_value inside = leat_tuple(&map, 1);
    assert_int_equal(leati_order_write(&map, &buf), LEAT_E_TYPE);
    assert_int_equal(leati_order_write(&inside, &buf), LEAT_E_TYPE);
    leat_value deep[70];
    deep[0] = leat_int(1);
    for (int i = 1; i < 70; i++) deep[i] = leat_list(&deep[i - 1], 1);
    assert_int_equal(leati_order_write(&deep[69], &buf), LEAT_E_TYPE);
    leati_buf_fini(&buf);
    leati_buf_init(&buf);
    leati_alloc_fail_after(1);
    leat_value text = leat_string("text"), number = leat_int(1);
    assert_int_equal(leati_order_write(&text, &buf), LEAT_E_NOMEM);
    leati_buf_init(&buf);
    assert_int_equal(leati_order_write(&number, &buf), LEAT_E_NOMEM);
    leati_alloc_fail_after(-1);
    leati_buf_fini(&buf);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scalars_sort_by_kind_and_value),
        cmocka_unit_test(strings_sort_by_their_bytes),
        cmocka_unit_test(tuples_sort_item_by_item),
        cmocka_unit_test(what_has_no_order_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
