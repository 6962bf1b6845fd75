/* Tests of timers.c: order, once per (key, namespace, time), removal, snapshots, failing
   allocations. */
#include "runtime/state/timers.h"

#include "fake_object.h"
#include "runtime/base/alloc.h"
#include "runtime/base/object.h"
#include "runtime/data/key.h"
#include "sample_values.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { GROUPS = 16 };

static uint64_t hash_of(const leat_value *key) {
    uint64_t hash = 0;
    assert_int_equal(leati_key_hash(key, &hash), LEAT_OK);
    return hash;
}

static leat_timer at(int64_t time, const char *ns) {
    leat_timer timer = {LEAT_EVENT_TIME, time, {ns, ns ? strlen(ns) : 0}};
    return timer;
}

static leat_status set(leati_timers *t, leat_value key, int64_t time, const char *ns) {
    leat_timer timer = at(time, ns);
    return leati_timers_set(t, &key, hash_of(&key), &timer);
}

static void assert_pops(leati_timers *t, int64_t until, leat_value expected, int64_t time,
                        const char *ns) {
    leati_arena arena;
    leati_arena_init(&arena);
    leat_value key;
    uint64_t hash;
    leat_timer timer;
    assert_int_equal(leati_timers_pop(t, until, &arena, &key, &hash, &timer), LEAT_OK);
    assert_true(leat_value_equal(&key, &expected));
    assert_int_equal(hash, hash_of(&expected));
    assert_int_equal(timer.time, time);
    assert_int_equal(timer.ns.size, ns ? strlen(ns) : 0);
    if (ns) assert_memory_equal(timer.ns.bytes, ns, timer.ns.size);
    leati_arena_fini(&arena);
}

static void assert_nothing_until(leati_timers *t, int64_t until) {
    leati_arena arena;
    leati_arena_init(&arena);
    leat_value key;
    uint64_t hash;
    leat_timer timer;
    assert_int_equal(leati_timers_pop(t, until, &arena, &key, &hash, &timer), LEAT_DONE);
    leati_arena_fini(&arena);
}

static void timers_pop_in_time_order_then_as_set(void **state) {
    (void)state;
    leati_timers *t = leati_timers_new(GROUPS);
    int64_t first = 7;
    assert_int_equal(leati_timers_first(t, &first), LEAT_DONE);
    set(t, leat_string("b"), 20, NULL);
    set(t, leat_string("a"), 20, "w");
    set(t, leat_string("a"), 20, NULL);
    set(t, leat_string("c"), -5, NULL);
    set(t, leat_string("a"), 30, NULL);
    assert_int_equal(leati_timers_first(t, &first), LEAT_OK);
    assert_int_equal(first, -5);
    assert_nothing_until(t, -6);
    assert_pops(t, -5, leat_string("c"), -5, NULL);
    assert_nothing_until(t, 19);
    assert_pops(t, 20, leat_string("b"), 20, NULL);
    assert_pops(t, 20, leat_string("a"), 20, "w");
    assert_pops(t, 20, leat_string("a"), 20, NULL);
    assert_nothing_until(t, 20);
    assert_int_equal(leati_timers_count(t), 1);
    leati_timers_free(t);
    leati_timers_free(NULL);
}

static void timers_set_twice_fire_once(void **state) {
    (void)state;
    leati_timers *t = leati_timers_new(GROUPS);
    const leat_value *keys = sample_values();
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < SAMPLE_VALUES; i++) {
            assert_int_equal(set(t, keys[i], 5, NULL), LEAT_OK);
            assert_int_equal(set(t, keys[i], 5, "w"), LEAT_OK);
            assert_int_equal(set(t, keys[i], 6, NULL), LEAT_OK);
        }
        assert_int_equal(leati_timers_count(t), 3 * SAMPLE_VALUES);
    }
    for (int i = 0; i < SAMPLE_VALUES; i++) {
        assert_pops(t, 5, keys[i], 5, NULL);
        assert_pops(t, 5, keys[i], 5, "w");
    }
    for (int i = 0; i < SAMPLE_VALUES; i++) assert_pops(t, 6, keys[i], 6, NULL);
    leati_timers_free(t);
}

static void timers_removed_do_not_fire(void **state) {
    (void)state;
    leati_timers *t = leati_timers_new(1);
    for (int i = 0; i < 300; i++) set(t, leat_int(i), i % 10, "ns");
    for (int i = 0; i < 300; i++) {
        leat_value key = leat_int(i);
        leat_timer timer = at(i % 10, "ns"), other = at(i % 10, NULL), later = at(11, "ns");
        assert_int_equal(leati_timers_remove(t, &key, hash_of(&key), &other), LEAT_OK);
        assert_int_equal(leati_timers_remove(t, &key, hash_of(&key), &later), LEAT_OK);
        if (i == 155) continue;
        assert_int_equal(leati_timers_remove(t, &key, hash_of(&key), &timer), LEAT_OK);
        assert_int_equal(leati_timers_remove(t, &key, hash_of(&key), &timer), LEAT_OK);
    }
    assert_pops(t, 100, leat_int(155), 5, "ns");
    assert_int_equal(leati_timers_count(t), 0);
    leati_timers_free(t);
}

static void timers_snapshot_restores_their_order(void **state) {
    (void)state;
    leati_timers *t = leati_timers_new(GROUPS), *back = leati_timers_new(GROUPS);
    const leat_value *keys = sample_values();
    for (int i = 0; i < SAMPLE_VALUES; i++) set(t, keys[i], 5, i % 2 ? "w" : NULL);
    leati_buf all;
    leati_buf_init(&all);
    for (int g = 0; g < GROUPS; g++) assert_int_equal(leati_timers_snapshot(t, g, &all), LEAT_OK);
    leati_timers_free(t);
    for (int twice = 0; twice < 2; twice++) {
        leati_reader in = leati_reader_of(all.bytes, all.size);
        assert_int_equal(leati_timers_restore(back, &in, 0), LEAT_OK);
        assert_int_equal(leati_timers_count(back), SAMPLE_VALUES);
    }
    set(back, leat_string("later"), 5, NULL);
    for (int i = 0; i < SAMPLE_VALUES; i++) assert_pops(back, 5, keys[i], 5, i % 2 ? "w" : NULL);
    assert_pops(back, 5, leat_string("later"), 5, NULL);
    leati_timers_free(back);
    for (size_t cut = 1; cut < all.size; cut += 5) {
        back = leati_timers_new(GROUPS);
        leati_reader in = leati_reader_of(all.bytes, cut);
        leat_status status = leati_timers_restore(back, &in, 0);
        assert_true(status == LEAT_OK || status == LEAT_E_FORMAT);
        leati_timers_free(back);
    }
    leati_buf_fini(&all);
}

static void timers_of_objects_keep_their_keys(void **state) {
    (void)state;
    leati_timers *t = leati_timers_new(GROUPS), *back = leati_timers_new(GROUPS);
    leat_value object = fake_new(9);
    set(t, object, 1, NULL);
    set(t, object, 2, NULL);
    set(t, object, 2, NULL);
    leati_buf b;
    leati_buf_init(&b);
    for (int g = 0; g < GROUPS; g++) assert_int_equal(leati_timers_snapshot(t, g, &b), LEAT_OK);
    leati_reader in = leati_reader_of(b.bytes, b.size);
    assert_int_equal(leati_timers_restore(back, &in, fake_domain()), LEAT_OK);
    assert_pops(t, 1, object, 1, NULL);
    assert_pops(back, 1, object, 1, NULL);
    leati_object_release(&object);
    assert_int_equal(fake_alive(), 2);
    leati_timers_free(t);
    leati_timers_free(back);
    assert_int_equal(fake_alive(), 0);
    leati_buf_fini(&b);
}

static void timers_without_memory_keep_what_they_had(void **state) {
    (void)state;
    leati_timers *t = leati_timers_new(GROUPS);
    const leat_value *keys = sample_values();
    for (int i = 0; i < 100; i++) {
        leat_status status = LEAT_E_NOMEM;
        for (int n = 1; status != LEAT_OK; n++) {
            const leat_value *key = &keys[i % SAMPLE_VALUES];
            leat_timer timer = at(i, "namespace");
            uint64_t hash = hash_of(key);
            leati_alloc_fail_after(n);
            status = leati_timers_set(t, key, hash, &timer);
            leati_alloc_fail_after(-1);
            assert_true(status == LEAT_OK || status == LEAT_E_NOMEM);
            assert_int_equal(leati_timers_count(t), i + (status == LEAT_OK));
        }
    }
    leati_arena arena;
    leati_arena_init(&arena);
    leat_value key;
    uint64_t hash;
    leat_timer timer;
    leati_alloc_fail_after(1);
    assert_int_equal(leati_timers_pop(t, 1000, &arena, &key, &hash, &timer), LEAT_E_NOMEM);
    leati_alloc_fail_after(-1);
    leati_arena_fini(&arena);
    for (int i = 0; i < 100; i++) assert_pops(t, 1000, keys[i % SAMPLE_VALUES], i, "namespace");
    leati_timers_free(t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timers_pop_in_time_order_then_as_set),
        cmocka_unit_test(timers_set_twice_fire_once),
        cmocka_unit_test(timers_removed_do_not_fire),
        cmocka_unit_test(timers_snapshot_restores_their_order),
        cmocka_unit_test(timers_of_objects_keep_their_keys),
        cmocka_unit_test(timers_without_memory_keep_what_they_had),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
