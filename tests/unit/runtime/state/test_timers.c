/* Tests of timers.c: order, once per (key, namespace, time), removal, snapshots at once and bit by
   bit, failing allocations. */
#include "runtime/state/timers.h"

#include "bag.h"
#include "fake_object.h"
#include "runtime/base/alloc.h"
#include "runtime/base/object.h"
#include "runtime/data/key.h"
#include "sample_values.h"

#include <string.h>

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

/* --- bit by bit ------------------------------------------------------------------------------- */

enum { OBJECTS = 20 };

typedef struct rig {
    leati_timers *t;
    uint64_t seed;
    leat_value objects[OBJECTS];
    int last; /* group that was taken */
    bag got;
} rig;

static unsigned next_random(rig *r, unsigned below) {
    r->seed ^= r->seed << 13, r->seed ^= r->seed >> 7, r->seed ^= r->seed << 17;
    return (unsigned)((r->seed >> 11) % below);
}

static void skip_timer(leati_reader *in) {
    size_t size;
    leati_reader_zigzag(in);
    leati_reader_varint(in);
    bag_skip_value(in);
    assert_non_null(leati_reader_blob(in, &size));
}

static bag bag_at_once(leati_timers *t) {
    bag all = {0};
    leati_buf group;
    leati_buf_init(&group);
    for (int g = 0; g < GROUPS; g++) {
        group.size = 0;
        assert_int_equal(leati_timers_snapshot(t, g, &group), LEAT_OK);
        if (group.size) bag_add(&all, g, &group, skip_timer);
    }
    leati_buf_fini(&group);
    return all;
}

static leat_value key_of_chance(rig *r) {
    unsigned i = next_random(r, 60);
    return i < OBJECTS ? r->objects[i] : i < 40 ? leat_string(i % 2 ? "odd" : "even") : leat_int(i);
}

static leat_status pop(leati_timers *t, int64_t until) {
    leati_arena arena;
    leati_arena_init(&arena);
    leat_value key;
    uint64_t hash;
    leat_timer timer;
    leat_status status = leati_timers_pop(t, until, &arena, &key, &hash, &timer);
    leati_arena_fini(&arena);
    return status;
}

/* Sets, removes or fires one. */
static leat_status change(leati_timers *t, unsigned what, const leat_value *key, uint64_t hash,
                          int64_t time) {
    static const char *const spaces[] = {NULL, "w", "a namespace"};
    leat_timer timer = at(time, spaces[what % 3]);
    if (what < 6) return leati_timers_set(t, key, hash, &timer);
    return what < 8 ? leati_timers_remove(t, key, hash, &timer) : pop(t, time);
}

static void change_some(rig *r, unsigned count) {
    for (; count > 0; count--) {
        leat_value key = key_of_chance(r);
        unsigned what = next_random(r, 9), time = next_random(r, 200);
        assert_true(change(r->t, what, &key, hash_of(&key), time) >= 0);
    }
}

/* False when all were. */
static bool take_some(rig *r) {
    leati_buf bytes = {0};
    leat_status status;
    int group;
    while ((status = leati_timers_take_group(r->t, &group, &bytes)) == LEAT_OK) {
        assert_true(group > r->last);
        r->last = group;
        bag_add(&r->got, group, &bytes, skip_timer);
    }
    leati_buf_fini(&bytes);
    assert_int_equal(leati_timers_are_frozen(r->t), status == LEAT_AGAIN);
    return status == LEAT_AGAIN;
}

static rig rig_new(void) {
    rig r = {.t = leati_timers_new(GROUPS), .seed = 88172645463325252u};
    for (int i = 0; i < OBJECTS; i++) r.objects[i] = fake_new(i);
    return r;
}

static void rig_begin(rig *r) {
    assert_int_equal(leati_timers_freeze(r->t), LEAT_OK);
    assert_int_equal(leati_timers_freeze(r->t), LEAT_E_STATE);
    r->got = (bag){0};
    r->last = -1;
}

static void rig_fini(rig *r) {
    leati_timers_free(r->t);
    for (int i = 0; i < OBJECTS; i++) leati_object_release(&r->objects[i]);
    assert_int_equal(fake_alive(), 0);
}

static void timers_frozen_are_those_of_the_beginning(void **state) {
    (void)state;
    rig r = rig_new();
    for (int round = 0; round < 300; round++) {
        change_some(&r, next_random(&r, 300));
        bag was = bag_at_once(r.t);
        bool gives_up = round % 4 == 3;
        unsigned most = 1 + next_random(&r, 40);
        rig_begin(&r);
        for (bool open = true; open && (!gives_up || next_random(&r, 5)); open = take_some(&r)) {
            change_some(&r, next_random(&r, most));
            assert_true(leati_timers_thaw_some(r.t, (int)next_random(&r, 20)) >= 0);
        }
        if (!leati_timers_are_frozen(r.t)) {
            bag_assert_same(&was, &r.got);
            continue;
        }
        leati_timers_give_up(r.t);
        bag_fini(&was);
        bag_fini(&r.got);
    }
    assert_int_equal(leati_timers_thaw_some(r.t, 1), LEAT_DONE);
    assert_int_equal(leati_timers_freeze(r.t), LEAT_OK);
    rig_fini(&r); /* with an open one */
}

static void timers_frozen_without_memory_can_go_on(void **state) {
    (void)state;
    rig r = rig_new();
    int failures = 0;
    change_some(&r, 500);
    leati_alloc_fail_after(1);
    assert_int_equal(leati_timers_freeze(r.t), LEAT_E_NOMEM);
    leati_alloc_fail_after(-1);
    bag was = bag_at_once(r.t);
    for (rig_begin(&r); take_some(&r);) {
        leat_value key = key_of_chance(&r);
        unsigned what = next_random(&r, 9), time = next_random(&r, 200);
        uint64_t hash = hash_of(&key);
        leat_status status = LEAT_E_NOMEM;
        for (int n = 1; status == LEAT_E_NOMEM; n++) {
            size_t count = leati_timers_count(r.t);
            leati_alloc_fail_after(n);
            status = change(r.t, what, &key, hash, time);
            leati_alloc_fail_after(-1);
            failures += status == LEAT_E_NOMEM;
            if (status < 0) assert_int_equal(leati_timers_count(r.t), count);
        }
        leati_alloc_fail_after(1 + (int)next_random(&r, 2));
        status = leati_timers_thaw_some(r.t, 1);
        leati_alloc_fail_after(-1);
        assert_true(status >= 0 || status == LEAT_E_NOMEM);
        failures += status == LEAT_E_NOMEM;
    }
    assert_true(failures > 10);
    bag_assert_same(&was, &r.got);
    rig_fini(&r);
}

static void timer_that_cannot_be_encoded_does_not_fire(void **state) {
    (void)state;
    rig r = rig_new();
    set(r.t, r.objects[1], 5, NULL);
    rig_begin(&r);
    fake_fail_next(LEAT_E_USER);
    assert_int_equal(pop(r.t, 10), LEAT_E_USER);
    fake_fail_next(LEAT_E_USER);
    assert_int_equal(leati_timers_thaw_some(r.t, 10), LEAT_E_USER);
    assert_int_equal(pop(r.t, 10), LEAT_OK);
    assert_int_equal(pop(r.t, 10), LEAT_DONE);
    assert_false(take_some(&r));
    assert_int_equal(r.got.count, 1);
    bag_fini(&r.got);
    rig_fini(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timers_pop_in_time_order_then_as_set),
        cmocka_unit_test(timers_set_twice_fire_once),
        cmocka_unit_test(timers_removed_do_not_fire),
        cmocka_unit_test(timers_snapshot_restores_their_order),
        cmocka_unit_test(timers_of_objects_keep_their_keys),
        cmocka_unit_test(timers_without_memory_keep_what_they_had),
        cmocka_unit_test(timers_frozen_are_those_of_the_beginning),
        cmocka_unit_test(timers_frozen_without_memory_can_go_on),
        cmocka_unit_test(timer_that_cannot_be_encoded_does_not_fire),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
