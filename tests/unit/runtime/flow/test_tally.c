/* Tests of tally.c: what each kind takes and comes to, parts that are put together, bytes that are
   damaged. */
#include "expect.h"

#include <math.h>

#include "runtime/flow/tally.h"

static const leat_accumulator_kind kinds[] = {
    LEAT_ACCUMULATOR_INT_SUM,    LEAT_ACCUMULATOR_INT_MIN,    LEAT_ACCUMULATOR_INT_MAX,
    LEAT_ACCUMULATOR_DOUBLE_SUM, LEAT_ACCUMULATOR_DOUBLE_MIN, LEAT_ACCUMULATOR_DOUBLE_MAX,
    LEAT_ACCUMULATOR_AVERAGE,    LEAT_ACCUMULATOR_HISTOGRAM,  LEAT_ACCUMULATOR_LIST,
};

static void add_ints(leati_tally *t, const int64_t *ints, size_t count) {
    for (size_t i = 0; i < count; i++) {
        leat_value v = leat_int(ints[i]);
        assert_int_equal(leati_tally_add(t, &v), LEAT_OK);
    }
}

static void expect_result(const leati_tally *t, const char *want) {
    char got[400];
    leati_arena arena;
    leat_value value;
    leati_arena_init(&arena);
    assert_int_equal(leati_tally_value(t, 0, &arena, &value), LEAT_OK);
    leat_value_format(&value, got, sizeof got);
    assert_string_equal(got, want);
    leati_arena_fini(&arena);
}

static leat_status merge(leati_tally *into, const leati_tally *part) {
    leati_buf bytes;
    leati_buf_init(&bytes);
    leati_tally_write(part, &bytes);
    leati_reader in = leati_reader_of(bytes.bytes, bytes.size);
    leat_status status = leati_tally_merge(into, &in);
    if (status >= 0) assert_int_equal(leati_reader_left(&in), 0);
    leati_buf_fini(&bytes);
    return status;
}

static void parts_come_to_what_one_would(void **state) {
    (void)state;
    static const int64_t ints[] = {5, -3, 5, 0, 12, -3, 5};
    static const char *const want[] = {"21",
                                       "-3",
                                       "12",
                                       "21.0",
                                       "-3.0",
                                       "12.0",
                                       "3.0",
                                       "{-3=2, 0=1, 5=3, 12=1}",
                                       "[5, -3, 5, 0, 12, -3, 5]"};
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
        for (size_t cut = 0; cut <= 7; cut++) {
            leati_tally whole, first, second;
            leati_tally_init(&whole, LEAT_ACCUMULATOR_INT_SUM);
            leati_tally_init(&first, kinds[k]);
            leati_tally_init(&second, kinds[k]);
            add_ints(&first, ints, cut);
            add_ints(&second, ints + cut, 7 - cut);
            assert_int_equal(merge(&whole, &first), LEAT_OK);
            assert_int_equal(merge(&whole, &second), LEAT_OK);
            expect_result(&whole, want[k]);
            leati_tally_fini(&whole);
            leati_tally_fini(&first);
            leati_tally_fini(&second);
        }
}

static void nothing_has_a_value(void **state) {
    (void)state;
    static const char *const want[] = {"0",    "null", "null", "0.0", "null",
                                       "null", "0.0",  "{}",   "[]"};
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        leati_tally t;
        leati_tally_init(&t, kinds[k]);
        expect_result(&t, want[k]);
        leati_tally_fini(&t);
        assert_true(strlen(leati_tally_kind_name((int)k)) > 3);
    }
    assert_string_equal(leati_tally_kind_name(99), "accumulator");
}

static void wrong_values_add_nothing(void **state) {
    (void)state;
    leat_value text = leat_string("x"), half = leat_double(0.5), most = leat_int(INT64_MAX);
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        leati_tally t;
        leati_tally_init(&t, kinds[k]);
        bool takes_all = kinds[k] == LEAT_ACCUMULATOR_LIST;
        assert_int_equal(leati_tally_add(&t, &text), takes_all ? LEAT_OK : LEAT_E_TYPE);
        bool takes_half = k >= LEAT_ACCUMULATOR_DOUBLE_SUM && k != LEAT_ACCUMULATOR_HISTOGRAM;
        assert_int_equal(leati_tally_add(&t, &half), takes_half ? LEAT_OK : LEAT_E_TYPE);
        assert_int_equal(t.count, takes_all + takes_half);
        leati_tally_fini(&t);
    }
    leati_tally sum, other;
    leati_tally_init(&sum, LEAT_ACCUMULATOR_INT_SUM);
    leati_tally_init(&other, LEAT_ACCUMULATOR_INT_SUM);
    assert_int_equal(leati_tally_add(&sum, &most), LEAT_OK);
    assert_int_equal(leati_tally_add(&other, &most), LEAT_OK);
    assert_int_equal(leati_tally_add(&sum, &most), LEAT_E_RANGE);
    assert_int_equal(merge(&sum, &other), LEAT_E_RANGE);
    leati_tally_fini(&other);
    leati_tally_init(&other, LEAT_ACCUMULATOR_LIST);
    assert_int_equal(merge(&sum, &other), LEAT_E_TYPE);
}

static void many_bins_stay_in_order(void **state) {
    (void)state;
    enum { MANY = 2000 };
    leati_tally t;
    leati_tally_init(&t, LEAT_ACCUMULATOR_HISTOGRAM);
    for (int64_t i = 0; i < 3 * MANY; i++) {
        leat_value v = leat_int(i * 7919 % MANY - MANY / 2);
        assert_int_equal(leati_tally_add(&t, &v), LEAT_OK);
    }
    assert_int_equal(t.bin_count, MANY);
    for (size_t i = 0; i < MANY; i++) {
        assert_int_equal(t.bins[i].value, (int64_t)i - MANY / 2);
        assert_int_equal(t.bins[i].count, 3);
    }
    leati_tally_fini(&t);
}

/* Whatever is cut off or changed: no crash, and what claims too much is refused. */
static void damaged_bytes_are_refused(void **state) {
    (void)state;
    static const int64_t ints[] = {1, 2, 300, -4};
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        leati_tally t;
        leati_buf bytes;
        leati_buf_init(&bytes);
        leati_tally_init(&t, kinds[k]);
        add_ints(&t, ints, 4);
        leati_tally_write(&t, &bytes);
        leati_tally_fini(&t);
        for (size_t size = 0; size < bytes.size; size++) {
            leati_reader in = leati_reader_of(bytes.bytes, size);
            leati_tally_init(&t, kinds[k]);
            assert_int_equal(leati_tally_merge(&t, &in), LEAT_E_FORMAT);
            leati_tally_fini(&t);
        }
        for (size_t at = 0; at < bytes.size; at++)
            for (int bit = 0; bit < 8; bit++) {
                bytes.bytes[at] ^= (char)(1 << bit);
                leati_reader in = leati_reader_of(bytes.bytes, bytes.size);
                leati_arena arena;
                leat_value value;
                leati_arena_init(&arena);
                leati_tally_init(&t, kinds[k]);
                if (leati_tally_merge(&t, &in) >= 0) leati_tally_value(&t, 0, &arena, &value);
                leati_tally_fini(&t);
                leati_arena_fini(&arena);
                bytes.bytes[at] ^= (char)(1 << bit);
            }
        leati_buf_fini(&bytes);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_come_to_what_one_would), cmocka_unit_test(nothing_has_a_value),
        cmocka_unit_test(wrong_values_add_nothing),     cmocka_unit_test(many_bins_stay_in_order),
        cmocka_unit_test(damaged_bytes_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
