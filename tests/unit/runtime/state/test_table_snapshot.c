/* Tests of table_snapshot.c and frozen.c: a table that is snapshotted bit by bit while all kinds of
   changes go on, against a snapshot that was made at once when it was frozen, and against a twin
   that is never frozen; objects that change where they were lent; failing allocations and
   encodings. */
#include "bag.h"
#include "fake_object.h"
#include "runtime/base/alloc.h"
#include "runtime/base/object.h"
#include "runtime/data/key.h"
#include "runtime/state/table.h"
#include "sample_values.h"

#include <stdio.h>

enum { KEYS = 300, TTL = 400, FAKES = 100 };

static const leat_state_decl plain = {.name = "cell", .kind = LEAT_MAP_STATE};
static const leat_state_decl ordered = {.name = "cell", .kind = LEAT_ORDERED_MAP_STATE};
static const leat_namespace nowhere = {NULL, 0};

/* --- what snapshots hold ---------------------------------------------------------------------- */

static void skip_cell(leati_reader *in) {
    size_t size;
    assert_non_null(leati_reader_blob(in, &size));
    assert_non_null(leati_reader_blob(in, &size));
    bag_skip_value(in);
}

static bag bag_at_once(leati_table *t, int groups) {
    bag all = {0};
    leati_buf group;
    leati_buf_init(&group);
    for (int g = 0; g < groups; g++) {
        group.size = 0;
        assert_int_equal(leati_table_snapshot(t, g, &group), LEAT_OK);
        if (group.size) bag_add(&all, g, &group, skip_cell);
    }
    leati_buf_fini(&group);
    return all;
}

/* --- changes of all kinds --------------------------------------------------------------------- */

typedef struct change {
    unsigned what, key, other, number;
} change;

static uint64_t seed;

static unsigned next_random(unsigned below) {
    seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
    return (unsigned)((seed >> 11) % below);
}

static uint64_t hash_of(const leat_value *key) {
    uint64_t hash = 0;
    assert_int_equal(leati_key_hash(key, &hash), LEAT_OK);
    return hash;
}

/* Every seventh is too long for its slot. */
static leat_value key_at(unsigned i) {
    static char name[64];
    if (i % 7) return leat_int(i);
    snprintf(name, sizeof name, "the key with number %u", i);
    return leat_string(name);
}

static leat_status put_any(leati_table *t, leat_namespace ns, const change *c) {
    leat_value key = key_at(c->key), fake = fake_new((int)(c->number % FAKES));
    leat_value items[3] = {leat_int(c->number), leat_double(c->number), leat_string("third")};
    leat_value v = sample_values()[c->number % SAMPLE_VALUES];
    if (c->other % 4 == 1) v = leat_tuple(items, 1 + c->number % 3);
    if (c->other % 4 == 2) v = fake;
    if (c->other % 4 == 3) {
        items[1] = fake;
        v = leat_tuple(items, 3);
    }
    leat_status status = leati_table_put(t, &key, hash_of(&key), ns, &v);
    leati_object_release(&fake);
    return status;
}

/* Lends, and changes an object in what was lent. */
static leat_status get_and_change(leati_table *t, leat_namespace ns, const change *c) {
    leat_value key = key_at(c->key), v;
    leat_status status = leati_table_get(t, &key, hash_of(&key), ns, &v);
    if (status != LEAT_OK) return status;
    if (v.kind == LEAT_TUPLE && v.size == 3) v = v.as.items[1];
    if (v.kind == LEAT_LIST && v.size) v = v.as.items[v.size - 1];
    if (v.kind == LEAT_MAP && v.size) v = v.as.items[1];
    if (v.kind == LEAT_OBJECT) ((fake_object *)v.as.object)->number = (int)(c->number / 2 % FAKES);
    return LEAT_OK;
}

static leat_status append(leati_table *t, leat_namespace ns, const change *c, const int64_t *time) {
    leat_value key = key_at(c->key), item = leat_int(c->number);
    if (c->number % 3 == 0) item = fake_new((int)(c->number % FAKES));
    leat_status status = leati_table_append(t, &key, hash_of(&key), ns, &item, time);
    if (item.kind == LEAT_OBJECT) leati_object_release(&item);
    return status;
}

static leat_status edit(leati_table *t, leat_namespace ns, const change *c) {
    leat_value key = key_at(c->key), v;
    leat_status status = leati_table_edit(t, &key, hash_of(&key), ns, &v);
    if (status == LEAT_OK) ((char *)(uintptr_t)v.as.bytes)[1] ^= (char)c->number;
    if (status != LEAT_DONE) return status;
    v = leat_bytes("some bytes", 10);
    return leati_table_put(t, &key, hash_of(&key), ns, &v);
}

static leat_status map_put(leati_table *t, leat_namespace ns, const change *c) {
    leat_value key = key_at(c->key), k = leat_int(c->other), v = leat_int(c->number);
    leati_map *map;
    leati_map_key found;
    leat_status status = leati_table_map(t, &key, hash_of(&key), ns, LEATI_MAKE, &map);
    if (status < 0) return status;
    size_t at;
    bool is_new;
    assert_int_equal(leati_table_map_key(t, &k, &found), LEAT_OK);
    leati_entry *e = leati_map_made(map, &found, &at, &is_new);
    assert_non_null(e);
    if (c->number % 2) v = fake_new((int)(c->number % FAKES));
    assert_int_equal(leati_content_store(&e->content, &v), LEAT_OK);
    if (v.kind == LEAT_OBJECT) leati_object_release(&v);
    return LEAT_OK;
}

static leat_status map_remove(leati_table *t, leat_namespace ns, const change *c) {
    leat_value key = key_at(c->key);
    leati_map *map;
    leat_status status = leati_table_map(t, &key, hash_of(&key), ns, LEATI_CHANGE, &map);
    if (status != LEAT_OK) return status;
    leati_map_remove(map, 0);
    return leati_map_count(map) ? LEAT_OK : leati_table_remove(t, &key, hash_of(&key), ns);
}

/* Of a map that is only read: the last one is lent and changed; or a value is, as by its use. */
static leat_status map_read(leati_table *t, leat_namespace ns, const change *c) {
    leat_value key = key_at(c->key);
    leati_map *map;
    leat_status status = leati_table_map(t, &key, hash_of(&key), ns, LEATI_READ, &map);
    if (status != LEAT_OK) return status;
    size_t at = 0;
    leati_entry *e = leati_map_at(map, &at);
    assert_int_equal(leati_table_lend(t, &e->content.value), LEAT_OK);
    if (e->content.value.kind == LEAT_OBJECT)
        ((fake_object *)e->content.value.as.object)->number = (int)(c->number % FAKES);
    if (c->number % 3) return LEAT_OK;
    assert_int_equal(leati_table_change(t), LEAT_OK);
    leat_value v = leat_double(c->number);
    return leati_content_store(&e->content, &v);
}

static leat_status touch(leati_table *t, leat_namespace ns, const change *c) {
    leat_value key = key_at(c->key), v, items[2] = {leat_int(c->number), leat_double(0.5)};
    if (c->other % 2) items[1] = leat_string("in a block");
    leat_status status = leati_table_get(t, &key, hash_of(&key), ns, &v);
    if (status == LEAT_OK) return leati_table_touch(t, c->number);
    v = leat_tuple(items, 2);
    return leati_table_put(t, &key, hash_of(&key), ns, &v);
}

static leat_status apply(leati_table *t, int groups, const change *c) {
    static const leat_namespace lists = {"lists", 5}, more = {"more lists", 10},
                                bytes = {"bytes", 5}, maps = {"maps", 4},
                                timed = {"timed and with a long name", 26}, dated = {"dated", 5};
    leat_value key = key_at(c->key);
    int64_t time = c->number;
    switch (c->what) {
    case 0:
    case 1: return put_any(t, nowhere, c);
    case 2: return get_and_change(t, nowhere, c);
    case 3: return leati_table_remove(t, &key, hash_of(&key), nowhere);
    case 4: return append(t, c->other % 2 ? lists : more, c, NULL);
    case 5: return append(t, dated, c, &time);
    case 6: return leati_table_merge(t, &key, hash_of(&key), lists, more);
    case 7: return edit(t, bytes, c);
    case 8: return map_put(t, maps, c);
    case 9: return map_remove(t, maps, c);
    case 10: return map_read(t, maps, c);
    case 11: return touch(t, timed, c);
    case 12: return leati_table_sweep(t, c->number, LEATI_SWEPT);
    case 13: return c->number % 50 ? LEAT_OK : leati_table_forget(t, (int)c->other % groups);
    case 14: return get_and_change(t, c->other % 3 ? lists : maps, c);
    default: return leati_table_remove(t, &key, hash_of(&key), c->other % 2 ? lists : timed);
    }
}

static change change_of_chance(unsigned keys) {
    change c = {next_random(16), next_random(keys), next_random(6), next_random(1000)};
    return c;
}

/* --- both ways -------------------------------------------------------------------------------- */

typedef struct rig {
    leati_table *t, *twin;
    const leat_state_decl *decl;
    int groups;
    unsigned keys;
} rig;

static rig rig_new(const leat_state_decl *decl, int groups) {
    const leat_ttl ttl = {TTL, false, false};
    rig r = {leati_table_new(groups, decl, NULL), leati_table_new(groups, decl, NULL), decl, groups,
             KEYS};
    assert_int_equal(leati_table_set_ttl(r.t, &ttl), LEAT_OK);
    assert_int_equal(leati_table_set_ttl(r.twin, &ttl), LEAT_OK);
    return r;
}

static void rig_fini(rig *r) {
    bag a = bag_at_once(r->t, r->groups), b = bag_at_once(r->twin, r->groups);
    assert_int_equal(leati_table_count(r->t), leati_table_count(r->twin));
    bag_assert_same(&a, &b);
    leati_table_free(r->t);
    leati_table_free(r->twin);
    assert_int_equal(fake_alive(), 0);
}

static void change_some(rig *r, unsigned count) {
    for (; count > 0; count--) {
        change c = change_of_chance(r->keys);
        leat_status status = apply(r->t, r->groups, &c);
        assert_true(status >= 0);
        assert_int_equal(apply(r->twin, r->groups, &c), status);
    }
}

/* Takes what is complete. False when all of it is. */
static bool take_some(rig *r, bag *got, int *last) {
    leati_buf bytes = {0};
    leat_status status;
    int group;
    while ((status = leati_table_take_group(r->t, &group, &bytes)) == LEAT_OK) {
        assert_true(group > *last);
        *last = group;
        assert_true(bytes.size > 0);
        bag_add(got, group, &bytes, skip_cell);
    }
    leati_buf_fini(&bytes);
    assert_true(status == LEAT_AGAIN || status == LEAT_DONE);
    assert_int_equal(leati_table_is_frozen(r->t), status == LEAT_AGAIN);
    return status == LEAT_AGAIN;
}

static void snapshot_while_changing(rig *r) {
    bag was = bag_at_once(r->t, r->groups), got = {0};
    int last = -1;
    unsigned changes = next_random(60);
    bool gives_up = next_random(4) == 0;
    assert_int_equal(leati_table_freeze(r->t, (leati_table_loss){NULL, NULL}), LEAT_OK);
    assert_int_equal(leati_table_freeze(r->t, (leati_table_loss){NULL, NULL}), LEAT_E_STATE);
    for (int step = 0; !gives_up || step < 3; step++) {
        change_some(r, next_random(changes + 1));
        leat_status status = leati_table_thaw_some(r->t, (int)next_random(100));
        assert_true(status == LEAT_OK || status == LEAT_DONE);
        bool open = next_random(2) ? take_some(r, &got, &last) : leati_table_is_frozen(r->t);
        assert_true(!open || leati_table_is_frozen(r->t));
        if (!open) break;
    }
    if (leati_table_is_frozen(r->t)) {
        leati_table_give_up(r->t);
        bag_fini(&was);
        bag_fini(&got);
    } else {
        bag_assert_same(&was, &got);
    }
    assert_int_equal(leati_table_thaw_some(r->t, 1), LEAT_DONE);
}

static void rounds_of(const leat_state_decl *decl, int groups, unsigned keys, int rounds) {
    rig r = rig_new(decl, groups);
    seed = 88172645463325252u + (uint64_t)groups;
    r.keys = keys;
    for (int round = 0; round < rounds; round++) {
        change_some(&r, next_random(500));
        snapshot_while_changing(&r);
    }
    rig_fini(&r);
}

static void snapshot_while_changing_is_that_of_its_beginning(void **state) {
    (void)state;
    rounds_of(&plain, 16, KEYS, 300);
    rounds_of(&plain, 128, 20 * KEYS, 100);
    rounds_of(&ordered, 3, KEYS, 100);
}

static void snapshot_of_one_group_is_that_of_its_beginning(void **state) {
    (void)state;
    rounds_of(&plain, 1, 3, 300);
    rounds_of(&plain, 1, 10 * KEYS, 100);
}

/* Many more cells than there were come while it is open, so that each group grows again and
   again. */
static void snapshot_of_a_table_that_grows_is_complete(void **state) {
    (void)state;
    rig r = rig_new(&plain, 4);
    seed = 7;
    change_some(&r, 200);
    bag was = bag_at_once(r.t, 4), got = {0};
    int last = -1;
    assert_int_equal(leati_table_freeze(r.t, (leati_table_loss){NULL, NULL}), LEAT_OK);
    r.keys = 100000;
    while (take_some(&r, &got, &last)) {
        change_some(&r, 1000);
        assert_true(leati_table_thaw_some(r.t, 2) >= 0);
    }
    bag_assert_same(&was, &got);
    rig_fini(&r);
}

static void snapshots_given_up_in_a_row_leave_nothing_behind(void **state) {
    (void)state;
    rig r = rig_new(&plain, 16);
    seed = 99;
    for (int i = 0; i < 40; i++) {
        change_some(&r, 100);
        assert_int_equal(leati_table_freeze(r.t, (leati_table_loss){NULL, NULL}), LEAT_OK);
        change_some(&r, 20);
        assert_true(leati_table_thaw_some(r.t, 20) >= 0);
        leati_table_give_up(r.t);
        leati_table_give_up(r.t);
    }
    snapshot_while_changing(&r);
    rig_fini(&r);
}

static void freeze_of_nothing_is_done_at_once(void **state) {
    (void)state;
    leati_table *t = leati_table_new(16, &plain, NULL);
    leati_buf out = {0};
    int group;
    assert_int_equal(leati_table_take_group(t, &group, &out), LEAT_DONE);
    assert_int_equal(leati_table_freeze(t, (leati_table_loss){NULL, NULL}), LEAT_OK);
    leat_value one = leat_int(1);
    assert_int_equal(leati_table_put(t, &one, hash_of(&one), nowhere, &one), LEAT_OK);
    assert_int_equal(leati_table_thaw_some(t, 1), LEAT_DONE);
    assert_int_equal(leati_table_take_group(t, &group, &out), LEAT_DONE);
    assert_false(leati_table_is_frozen(t));
    assert_int_equal(leati_table_freeze(t, (leati_table_loss){NULL, NULL}), LEAT_OK);
    leati_table_free(t); /* with an open one */
}

/* Every allocation of every step fails once. */
static void snapshot_without_memory_can_go_on(void **state) {
    (void)state;
    rig r = rig_new(&plain, 4);
    seed = 5;
    change_some(&r, 300);
    bag was = bag_at_once(r.t, 4), got = {0};
    size_t count = leati_table_count(r.t);
    leati_alloc_fail_after(1);
    assert_int_equal(leati_table_freeze(r.t, (leati_table_loss){NULL, NULL}), LEAT_E_NOMEM);
    leati_alloc_fail_after(-1);
    assert_false(leati_table_is_frozen(r.t));
    assert_int_equal(leati_table_freeze(r.t, (leati_table_loss){NULL, NULL}), LEAT_OK);
    int failures = 0, last = -1;
    while (take_some(&r, &got, &last)) {
        change c = {next_random(4), next_random(KEYS), next_random(6), next_random(1000)};
        leat_status status = LEAT_E_NOMEM;
        for (int n = 1; status == LEAT_E_NOMEM; n++) {
            leati_alloc_fail_after(n);
            status = apply(r.t, 4, &c);
            leati_alloc_fail_after(-1);
            failures += status == LEAT_E_NOMEM;
        }
        assert_int_equal(apply(r.twin, 4, &c), status);
        leati_alloc_fail_after(1 + (int)next_random(2));
        status = leati_table_thaw_some(r.t, 1);
        leati_alloc_fail_after(-1);
        assert_true(status >= 0 || status == LEAT_E_NOMEM);
        failures += status == LEAT_E_NOMEM;
    }
    assert_true(failures > 10);
    assert_true(count > 100);
    bag_assert_same(&was, &got);
    rig_fini(&r);
}

static void object_that_cannot_be_encoded_is_not_lent(void **state) {
    (void)state;
    leati_table *t = leati_table_new(4, &plain, NULL);
    leat_value key = leat_int(1), v = fake_new(1);
    uint64_t hash = hash_of(&key);
    assert_int_equal(leati_table_put(t, &key, hash, nowhere, &v), LEAT_OK);
    leati_object_release(&v);
    assert_int_equal(leati_table_freeze(t, (leati_table_loss){NULL, NULL}), LEAT_OK);
    fake_fail_next(LEAT_E_USER);
    assert_int_equal(leati_table_get(t, &key, hash, nowhere, &v), LEAT_E_USER);
    fake_fail_next(LEAT_E_USER);
    assert_int_equal(leati_table_remove(t, &key, hash, nowhere), LEAT_E_USER);
    fake_fail_next(LEAT_E_USER);
    assert_int_equal(leati_table_thaw_some(t, 10), LEAT_E_USER);
    assert_int_equal(leati_table_count(t), 1);
    assert_int_equal(leati_table_get(t, &key, hash, nowhere, &v), LEAT_OK);
    fake_fail_next(LEAT_E_USER); /* is not asked again */
    assert_int_equal(leati_table_remove(t, &key, hash, nowhere), LEAT_OK);
    fake_fail_next(LEAT_OK);
    bag got = {0};
    leati_buf out = {0};
    int group;
    assert_int_equal(leati_table_take_group(t, &group, &out), LEAT_OK);
    bag_add(&got, group, &out, skip_cell);
    assert_int_equal(got.count, 1);
    bag_fini(&got);
    leati_buf_fini(&out);
    leati_table_free(t);
    assert_int_equal(fake_alive(), 0);
}

static leat_status lose(void *arg, leati_table *t, leat_status status) {
    leat_status *left = arg, answer = *left;
    *left = status;
    if (answer >= 0) leati_table_give_up(t);
    return answer;
}

static void snapshot_that_is_lost_by_a_change_is_given_up(void **state) {
    (void)state;
    leat_status told = LEAT_E_NOMEM;
    leati_table_loss loss = {lose, &told};
    leati_table *t = leati_table_new(4, &plain, NULL);
    leat_value key = leat_int(1), v = fake_new(1);
    uint64_t hash = hash_of(&key);
    assert_int_equal(leati_table_put(t, &key, hash, nowhere, &v), LEAT_OK);
    leati_object_release(&v);
    assert_int_equal(leati_table_freeze(t, loss), LEAT_OK);
    fake_fail_next(LEAT_E_USER);
    assert_int_equal(leati_table_remove(t, &key, hash, nowhere), LEAT_E_NOMEM);
    assert_int_equal(told, LEAT_E_USER);
    assert_true(leati_table_is_frozen(t));
    told = LEAT_OK;
    fake_fail_next(LEAT_E_USER);
    assert_int_equal(leati_table_get(t, &key, hash, nowhere, &v), LEAT_OK);
    assert_int_equal(told, LEAT_E_USER);
    assert_false(leati_table_is_frozen(t));
    assert_int_equal(leati_table_freeze(t, loss), LEAT_OK);
    told = LEAT_OK;
    fake_fail_next(LEAT_E_USER);
    assert_int_equal(leati_table_forget(t, 0), LEAT_OK);
    for (int g = 1; g < 4; g++) assert_int_equal(leati_table_forget(t, g), LEAT_OK);
    assert_int_equal(told, LEAT_E_USER);
    assert_int_equal(leati_table_count(t), 0);
    leati_table_free(t);
    assert_int_equal(fake_alive(), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(snapshot_while_changing_is_that_of_its_beginning),
        cmocka_unit_test(snapshot_of_one_group_is_that_of_its_beginning),
        cmocka_unit_test(snapshot_of_a_table_that_grows_is_complete),
        cmocka_unit_test(snapshots_given_up_in_a_row_leave_nothing_behind),
        cmocka_unit_test(freeze_of_nothing_is_done_at_once),
        cmocka_unit_test(snapshot_without_memory_can_go_on),
        cmocka_unit_test(object_that_cannot_be_encoded_is_not_lent),
        cmocka_unit_test(snapshot_that_is_lost_by_a_change_is_given_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
