/* Tests of key.c: golden bytes and hashes, which may never change, and what is equal as a key. */
#include "runtime/data/key.h"

#include "fake_object.h"
#include "runtime/base/alloc.h"
#include "runtime/base/hash.h"
#include "runtime/base/object.h"
#include "runtime/base/wire.h"
#include "sample_values.h"

#include <math.h>
#include <stdio.h>

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void assert_key(leat_value key, const char *hex, uint64_t hash) {
    leati_buf b;
    leati_buf_init(&b);
    assert_int_equal(leati_key_write(&key, &b), LEAT_OK);
    char text[400] = "";
    for (size_t i = 0; i < b.size; i++) sprintf(text + 2 * i, "%02x", (unsigned char)b.bytes[i]);
    assert_string_equal(text, hex);
    uint64_t found = 0;
    assert_int_equal(leati_key_hash(&key, &found), LEAT_OK);
    if (found != hash) print_error("%s: 0x%016llxu\n", hex, (unsigned long long)found);
    assert_int_equal(found, hash);
    leati_buf_fini(&b);
}

/* The table of docs/formats/key.md. */
static void key_bytes_and_hashes_never_change(void **state) {
    (void)state;
    leat_value pair[] = {leat_string("a"), leat_int(1)};
    leat_value map[] = {leat_string("b"), leat_int(2), leat_string("a"), leat_int(1)};
    leat_row row = {NULL, pair};
    const leat_value *samples = sample_values();
    assert_key(leat_null(), "00", 0x98937cb406af0f3du);
    assert_key(leat_bool(true), "02", 0x9072e34c27cfd698u);
    assert_key(leat_int(0), "038000000000000000", 0x2277d86b216b9639u);
    assert_key(leat_int(1), "038000000000000001", 0x7c71a914a3fe895eu);
    assert_key(leat_int(-1), "037fffffffffffffff", 0xd6cc4302f720f9abu);
    assert_key(leat_double(1), "04bff0000000000000", 0xba2071338f405494u);
    assert_key(leat_double(-0.0), "048000000000000000", 0xd215fb53918384feu);
    assert_key(leat_double(-NAN), "04fff8000000000000", 0x08cfd36abe5095edu);
    assert_key(leat_string("leat"), "05046c656174", 0xaaf6b35e475f01e0u);
    assert_key(leat_string(""), "0500", 0x54a36774d4a40799u);
    assert_key(leat_bytes("leat", 4), "06046c656174", 0xc941a2d7424dcf26u);
    assert_key(leat_tuple(pair, 2),
               "07020501"
               "61038000000000000001",
               0x86cdddeece8c244du);
    assert_key(leat_row_value(&row, 2, LEAT_INSERT),
               "0800020501"
               "61038000000000000001",
               0x6b8fff32b14e0571u);
    assert_key(leat_map_value(map, 2),
               "0a02050161038000000000000001"
               "050162038000000000000002",
               0xe8fcd19833cd03abu);
    assert_key(samples[17], "0b8000000a7ffffffffffffffffffffffffffffff9", 0xc93de3309673951au);
    assert_key(samples[19], "0c7fffffffffffffff", 0x7cd3dc2999b76648u);
    assert_key(samples[21], "0e80000176e65fb28b000f423f", 0x8b9360e0d4de98f6u);
}

static void key_hash_is_that_of_the_bytes(void **state) {
    (void)state;
    const leat_value *v = sample_values();
    for (int i = 0; i < SAMPLE_VALUES; i++) {
        leati_buf b;
        leati_buf_init(&b);
        assert_int_equal(leati_key_write(&v[i], &b), LEAT_OK);
        uint64_t hash;
        assert_int_equal(leati_key_hash(&v[i], &hash), LEAT_OK);
        assert_int_equal(hash, leati_hash(b.bytes, b.size));
        for (int j = 0; j < SAMPLE_VALUES; j++)
            assert_int_equal(leati_key_matches(&v[j], b.bytes, b.size), i == j);
        leati_buf_fini(&b);
    }
}

static void keys_equal_in_value_are_one_key(void **state) {
    (void)state;
    leat_value a[] = {leat_int(1), leat_int(2), leat_int(3), leat_int(4)};
    leat_value b[] = {leat_int(3), leat_int(4), leat_int(1), leat_int(2)};
    leat_value zero = leat_double(0.0), minus_zero = leat_double(-0.0);
    leat_value x = leat_map_value(a, 2), y = leat_map_value(b, 2);
    uint64_t first, second;
    leati_key_hash(&x, &first);
    leati_key_hash(&y, &second);
    assert_int_equal(first, second);
    leati_key_hash(&zero, &first);
    leati_key_hash(&minus_zero, &second);
    assert_int_equal(first, second);
}

static void keys_of_numbers_sort_as_numbers(void **state) {
    (void)state;
    static const double doubles[] = {-HUGE_VAL, -1e10, -1,   -1e-300,  0,
                                     1e-300,    1,     1e10, HUGE_VAL, NAN};
    static const int64_t ints[] = {INT64_MIN, -300, -1, 0, 1, 255, 256, INT64_MAX};
    leati_buf b;
    leati_buf_init(&b);
    for (size_t i = 0; i < sizeof doubles / sizeof *doubles; i++) {
        leat_value v = leat_double(doubles[i]);
        leati_key_write(&v, &b);
    }
    for (size_t i = 0; i < sizeof ints / sizeof *ints; i++) {
        leat_value v = leat_int(ints[i]);
        leati_key_write(&v, &b);
    }
    for (size_t i = 0; i + 18 <= b.size; i += 9) {
        if (i + 9 == 9 * sizeof doubles / sizeof *doubles) continue;
        assert_true(memcmp(b.bytes + i, b.bytes + i + 9, 9) < 0);
    }
    leati_buf_fini(&b);
}

static void key_of_an_object_asks_its_language(void **state) {
    (void)state;
    leat_value object = fake_new(3), tuple = leat_tuple(&object, 1);
    leati_buf b;
    leati_buf_init(&b);
    assert_int_equal(leati_key_write(&tuple, &b), LEAT_OK);
    assert_int_equal(b.size, 9);
    assert_memory_equal(b.bytes,
                        "\x07\x01\x11\x04"
                        "fake\x03",
                        9);
    uint64_t hash = 77;
    fake_fail_next(LEAT_E_TYPE);
    assert_int_equal(leati_key_hash(&object, &hash), LEAT_E_TYPE);
    assert_int_equal(hash, 77);
    leati_buf_fini(&b);
    leati_object_release(&object);
}

static void key_too_deep_is_refused(void **state) {
    (void)state;
    leat_value levels[80];
    levels[0] = leat_int(1);
    for (int i = 1; i < 80; i++) levels[i] = leat_tuple(&levels[i - 1], 1);
    uint64_t hash;
    assert_int_equal(leati_key_hash(&levels[LEATI_CODEC_DEPTH], &hash), LEAT_OK);
    assert_int_equal(leati_key_hash(&levels[LEATI_CODEC_DEPTH + 1], &hash), LEAT_E_TYPE);
    leat_value unknown = leat_int(1);
    unknown.kind = 99;
    assert_int_equal(leati_key_hash(&unknown, &hash), LEAT_E_TYPE);
}

static void key_without_memory_says_so(void **state) {
    (void)state;
    const leat_value *v = &sample_values()[29];
    leat_status status = LEAT_E_NOMEM;
    for (int n = 1; status != LEAT_OK; n++) {
        uint64_t hash;
        leati_alloc_fail_after(n);
        status = leati_key_hash(v, &hash);
        leati_alloc_fail_after(-1);
        assert_true(status == LEAT_OK || status == LEAT_E_NOMEM);
    }
}

static bool types_meet(const char *a, const char *b) {
    leat_error err;
    const leat_type *one = leat_type_parse(a, &err), *other = leat_type_parse(b, &err);
    assert_true(one && other);
    assert_int_equal(leati_key_types_meet(one, other), leati_key_types_meet(other, one));
    return leati_key_types_meet(one, other);
}

static void types_whose_keys_look_alike_meet(void **state) {
    (void)state;
    assert_true(types_meet("LONG", "INT"));
    assert_true(types_meet("BIG_INT", "BYTE"));
    assert_true(types_meet("FLOAT", "DOUBLE"));
    assert_true(types_meet("TUPLE<STRING,INT>", "TUPLE<CHAR,LONG>"));
    assert_true(types_meet("LIST<LONG>", "PRIMITIVE_ARRAY<INT>"));
    assert_true(types_meet("PICKLED", "STRING"));
    assert_true(types_meet("TUPLE<PICKLED,INT>", "TUPLE<STRING,INT>"));
    assert_true(leati_key_types_meet(NULL, leat_type_parse("LONG", NULL)));
    assert_false(types_meet("LONG", "DOUBLE"));
    assert_false(types_meet("LONG", "STRING"));
    assert_false(types_meet("BOOLEAN", "INT"));
    assert_false(types_meet("TUPLE<STRING,INT>", "TUPLE<INT,STRING>"));
    assert_false(types_meet("TUPLE<STRING>", "TUPLE<STRING,INT>"));
    assert_false(types_meet("TUPLE<LONG,LONG>", "ROW<LONG,LONG>"));
    assert_false(types_meet("LIST<LONG>", "LIST<STRING>"));
}

static void key_groups_are_dealt_out_in_ranges(void **state) {
    (void)state;
    assert_int_equal(leati_key_group(0, 128), 0);
    assert_int_equal(leati_key_group(UINT64_MAX, 128), 127);
    int last = 0;
    for (int g = 0; g < 128; g++) {
        int owner = leati_key_group_owner(g, 3, 128);
        assert_true(owner == last || owner == last + 1);
        last = owner;
    }
    assert_int_equal(last, 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(key_bytes_and_hashes_never_change),
        cmocka_unit_test(key_hash_is_that_of_the_bytes),
        cmocka_unit_test(keys_equal_in_value_are_one_key),
        cmocka_unit_test(keys_of_numbers_sort_as_numbers),
        cmocka_unit_test(key_of_an_object_asks_its_language),
        cmocka_unit_test(key_too_deep_is_refused),
        cmocka_unit_test(key_without_memory_says_so),
        cmocka_unit_test(types_whose_keys_look_alike_meet),
        cmocka_unit_test(key_groups_are_dealt_out_in_ranges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
