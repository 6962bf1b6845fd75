/* Tests of codec.c and copy.c: what is written comes back, damage is found, objects have their
   references, and memory that runs out anywhere leaves nothing behind. */
#include "runtime/data/codec.h"

#include "fake_object.h"
#include "runtime/base/alloc.h"
#include "runtime/base/object.h"
#include "runtime/data/copy.h"
#include "sample_values.h"

#include <math.h>

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static leat_value decoded(const leati_buf *b, uint16_t domain, leati_arena *arena) {
    leati_reader in = leati_reader_of(b->bytes, b->size);
    leat_value v;
    assert_int_equal(leati_value_decode(&in, domain, arena, &v), LEAT_OK);
    assert_int_equal(leati_reader_left(&in), 0);
    return v;
}

static void codec_samples_come_back(void **state) {
    (void)state;
    leati_arena arena;
    leati_arena_init(&arena);
    const leat_value *samples = sample_values();
    for (int i = 0; i < SAMPLE_VALUES; i++) {
        leati_buf b;
        leati_buf_init(&b);
        assert_int_equal(leati_value_encode(&samples[i], NULL, &b), LEAT_OK);
        leat_value v = decoded(&b, 0, &arena);
        assert_true(leat_value_equal(&v, &samples[i]));
        if (v.kind == LEAT_ROW) assert_ptr_equal(v.as.row->schema, samples[i].as.row->schema);
        leati_buf_fini(&b);
        leati_arena_reset(&arena);
    }
    leati_arena_fini(&arena);
}

static void codec_bytes_never_change(void **state) {
    (void)state;
    leat_value pair[] = {leat_string("a"), leat_int(-3)};
    static const char *const names[] = {"w"};
    leat_row row = {leat_schema_get(names, 1), pair};
    leat_value items[] = {leat_tuple(pair, 2), leat_row_value(&row, 1, LEAT_DELETE), leat_double(1),
                          leat_int(300)};
    leat_value v = leat_list(items, 4);
    leati_buf b;
    leati_buf_init(&b);
    leati_value_encode(&v, NULL, &b);
    static const char expected[] =
        "\x0a\x04\x07\x02\x05\x01\x61\x03\x05\x09\x03\x01\x01w\x05\x01\x61"
        "\x04\0\0\0\0\0\0\xf0\x3f\x03\xd8\x04";
    assert_int_equal(b.size, sizeof expected - 1);
    assert_memory_equal(b.bytes, expected, b.size);
    leati_buf_fini(&b);
}

static void codec_cut_anywhere_is_refused(void **state) {
    (void)state;
    leati_arena arena;
    leati_arena_init(&arena);
    const leat_value *samples = sample_values();
    for (int i = 0; i < SAMPLE_VALUES; i++) {
        leati_buf b;
        leati_buf_init(&b);
        leati_value_encode(&samples[i], NULL, &b);
        for (size_t size = 0; size < b.size; size++) {
            leati_reader in = leati_reader_of(b.bytes, size);
            leat_value v = leat_int(99);
            assert_int_equal(leati_value_decode(&in, 0, &arena, &v), LEAT_E_FORMAT);
            assert_int_equal(v.as.i, 99);
            leati_arena_reset(&arena);
        }
        leati_buf_fini(&b);
    }
    leati_arena_fini(&arena);
}

static void assert_refused(const char *bytes, size_t size) {
    leati_arena arena;
    leati_arena_init(&arena);
    leati_reader in = leati_reader_of(bytes, size);
    leat_value v;
    assert_int_equal(leati_value_decode(&in, 0, &arena, &v), LEAT_E_FORMAT);
    assert_true(arena.bytes <= 16 * size + 64);
    leati_arena_fini(&arena);
}

static void codec_lies_about_sizes_are_refused(void **state) {
    (void)state;
    assert_refused("\x11", 1);                             /* no such tag */
    assert_refused("\x05\xff\xff\xff\xff\x0f\x61", 7);     /* a string of 4 GiB */
    assert_refused("\x07\xff\xff\xff\xff\x07\x00", 7);     /* two billion items */
    assert_refused("\x08\x04\x00", 3);                     /* a fifth row kind */
    assert_refused("\x09\x00\x01\x03\x61\x00\x62\x00", 8); /* a zero byte in a name */
    assert_refused("\x0f\x00\xc0\x84\x3d", 5);             /* a million nanoseconds */
    char nested[1000];
    for (size_t i = 0; i < sizeof nested; i += 2) memcpy(nested + i, "\x07\x7f", 2);
    assert_refused(nested, sizeof nested); /* each tuple claims what the outer ones wait for */
}

static void codec_too_deep_is_refused_both_ways(void **state) {
    (void)state;
    leat_value levels[80];
    levels[0] = leat_int(1);
    for (int i = 1; i < 80; i++) levels[i] = leat_tuple(&levels[i - 1], 1);
    leati_buf b;
    leati_buf_init(&b);
    assert_int_equal(leati_value_encode(&levels[LEATI_CODEC_DEPTH], NULL, &b), LEAT_OK);
    leati_arena arena;
    leati_arena_init(&arena);
    leat_value v = decoded(&b, 0, &arena);
    assert_true(leat_value_equal(&v, &levels[LEATI_CODEC_DEPTH]));
    assert_int_equal(leati_value_encode(&levels[LEATI_CODEC_DEPTH + 1], NULL, &b), LEAT_E_TYPE);
    char nested[200];
    for (size_t i = 0; i < sizeof nested; i += 2) memcpy(nested + i, "\x07\x01", 2);
    leati_reader in = leati_reader_of(nested, sizeof nested);
    assert_int_equal(leati_value_decode(&in, 0, &arena, &v), LEAT_E_FORMAT);
    leati_arena_fini(&arena);
    leati_buf_fini(&b);
}

static void codec_objects_pass_a_process_without_their_language(void **state) {
    (void)state;
    leat_value items[] = {fake_new(5), leat_int(1)};
    leat_value v = leat_tuple(items, 2);
    leati_buf there, back;
    leati_buf_init(&there);
    leati_buf_init(&back);
    assert_int_equal(leati_value_encode(&v, NULL, &there), LEAT_OK);
    leati_arena arena;
    leati_arena_init(&arena);
    leat_value foreign = decoded(&there, 0, &arena);
    assert_int_equal(foreign.as.items[0].kind, LEAT_BYTES);
    leati_value_copy(&foreign, &arena, &foreign);
    assert_int_equal(leati_value_encode(&foreign, NULL, &back), LEAT_OK);
    leat_value home = decoded(&back, fake_domain(), &arena);
    assert_int_equal(fake_number(&home.as.items[0]), 5);
    assert_int_equal(fake_alive(), 2);
    leati_arena_fini(&arena);
    leati_object_release(&items[0]);
    assert_int_equal(fake_alive(), 0);
    leati_buf_fini(&there);
    leati_buf_fini(&back);
}

static void codec_object_that_fails_gives_its_status(void **state) {
    (void)state;
    leat_value object = fake_new(5);
    leati_buf b;
    leati_buf_init(&b);
    fake_fail_next(LEAT_E_USER);
    assert_int_equal(leati_value_encode(&object, NULL, &b), LEAT_E_USER);
    b.size = 0;
    assert_int_equal(leati_value_encode(&object, NULL, &b), LEAT_OK);
    leati_arena arena;
    leati_arena_init(&arena);
    leati_reader in = leati_reader_of(b.bytes, b.size);
    leat_value v;
    fake_fail_next(LEAT_E_USER);
    assert_int_equal(leati_value_decode(&in, fake_domain(), &arena, &v), LEAT_E_USER);
    leati_arena_fini(&arena);
    leati_buf_fini(&b);
    leati_object_release(&object);
}

static void records_come_back_with_all_fields(void **state) {
    (void)state;
    leat_record all = leat_record_of(leat_string("v"), -5);
    all.key = leat_int(7);
    all.hash = 0x0102030405060708;
    leat_record plain = leat_record_of(leat_int(1), LEAT_NO_TIME);
    leati_buf b;
    leati_buf_init(&b);
    assert_int_equal(leati_record_encode(&all, NULL, &b), LEAT_OK);
    assert_int_equal(leati_record_encode(&plain, NULL, &b), LEAT_OK);
    assert_memory_equal(b.bytes + b.size - 3, "\x00\x03\x02", 3);
    leati_arena arena;
    leati_arena_init(&arena);
    leati_reader in = leati_reader_of(b.bytes, b.size);
    leat_record r;
    assert_int_equal(leati_record_decode(&in, 0, &arena, &r), LEAT_OK);
    assert_true(leat_value_equal(&r.value, &all.value) && leat_value_equal(&r.key, &all.key));
    assert_int_equal(r.time, -5);
    assert_int_equal(r.hash, all.hash);
    assert_int_equal(leati_record_decode(&in, 0, &arena, &r), LEAT_OK);
    assert_int_equal(r.key.kind, LEAT_NULL);
    assert_int_equal(r.time, LEAT_NO_TIME);
    assert_int_equal(r.hash, 0);
    in = leati_reader_of("\x08\x00", 2);
    assert_int_equal(leati_record_decode(&in, 0, &arena, &r), LEAT_E_FORMAT);
    leati_arena_fini(&arena);
    leati_buf_fini(&b);
}

static void copy_of_samples_shares_nothing(void **state) {
    (void)state;
    leati_arena arena;
    leati_arena_init(&arena);
    const leat_value *samples = sample_values();
    for (int i = 0; i < SAMPLE_VALUES; i++) {
        leati_extent e = leati_value_extent(&samples[i]);
        leat_value v;
        assert_int_equal(leati_value_copy(&samples[i], &arena, &v), LEAT_OK);
        assert_true(leat_value_equal(&v, &samples[i]));
        assert_int_equal(arena.bytes, e.bytes);
        if (e.bytes > 0) {
            assert_false(leati_value_points_into(&v, samples[i].as.bytes, 1));
            assert_true(leati_value_points_into(&v, v.as.bytes, e.bytes));
        }
        leati_arena_reset(&arena);
    }
    leati_arena_fini(&arena);
}

static void cut_copies_objects_and_copy_retains_them(void **state) {
    (void)state;
    leati_arena arena;
    leati_arena_init(&arena);
    leat_value object = fake_new(1);
    leat_value items[] = {leat_string("x"), leat_list(&object, 1)};
    leat_value tuple = leat_tuple(items, 2), v;
    assert_int_equal(leati_value_copy(&tuple, &arena, &v), LEAT_OK);
    assert_int_equal(fake_alive(), 1);
    assert_int_equal(leati_value_cut(&tuple, NULL, &arena, &v), LEAT_OK);
    assert_int_equal(fake_alive(), 2);
    assert_ptr_not_equal(v.as.items[1].as.items[0].as.object, object.as.object);
    fake_fail_next(LEAT_E_USER);
    assert_int_equal(leati_value_cut(&object, NULL, &arena, &v), LEAT_E_USER);
    leati_arena_fini(&arena);
    leati_object_release(&object);
    assert_int_equal(fake_alive(), 0);
}

static void codec_without_memory_fails_cleanly(void **state) {
    (void)state;
    leat_value object = fake_new(1);
    leat_value items[] = {sample_values()[28], object, sample_values()[14]};
    leat_value tuple = leat_tuple(items, 3);
    bool whole = false;
    for (int n = 1; !whole; n++) {
        leati_buf b;
        leati_buf_init(&b);
        leati_arena arena;
        leati_arena_init(&arena);
        leat_value v, copy;
        leati_alloc_fail_after(n);
        leat_status status = leati_value_encode(&tuple, NULL, &b);
        leati_reader in = leati_reader_of(b.bytes, b.size);
        if (status >= 0) status = leati_value_decode(&in, fake_domain(), &arena, &v);
        if (status >= 0) status = leati_value_cut(&tuple, NULL, &arena, &copy);
        leati_alloc_fail_after(-1);
        whole = status >= 0;
        assert_true(whole || status == LEAT_E_NOMEM);
        leati_arena_fini(&arena);
        leati_buf_fini(&b);
        assert_int_equal(fake_alive(), 1);
    }
    leati_object_release(&object);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codec_samples_come_back),
        cmocka_unit_test(codec_bytes_never_change),
        cmocka_unit_test(codec_cut_anywhere_is_refused),
        cmocka_unit_test(codec_lies_about_sizes_are_refused),
        cmocka_unit_test(codec_too_deep_is_refused_both_ways),
        cmocka_unit_test(codec_objects_pass_a_process_without_their_language),
        cmocka_unit_test(codec_object_that_fails_gives_its_status),
        cmocka_unit_test(records_come_back_with_all_fields),
        cmocka_unit_test(copy_of_samples_shares_nothing),
        cmocka_unit_test(cut_copies_objects_and_copy_retains_them),
        cmocka_unit_test(codec_without_memory_fails_cleanly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
