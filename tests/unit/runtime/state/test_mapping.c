/* Tests of mapping.c, hashed.c and sorted.c: random changes against an array, both orders; objects;
   failing allocations. */
#include "runtime/state/mapping.h"

#include "fake_object.h"
#include "runtime/base/alloc.h"
#include "runtime/base/object.h"
#include "sample_values.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { KEYS = 2000 };

typedef struct model {
    leati_map *map;
    leati_buf buf;
    bool there[KEYS];
    int value[KEYS], came[KEYS]; /* the number of the change that brought the key */
    int count, changes;
} model;

static leati_map_key key_of(model *m, const leat_value *key) {
    leati_map_key k;
    assert_int_equal(leati_map_key_of(leati_map_is_ordered(m->map), key, &m->buf, &k), LEAT_OK);
    return k;
}

static void put(model *m, int i, int value) {
    size_t at, again;
    bool is_new;
    leat_value key = leat_int(i - KEYS / 2), v = leat_int(value);
    leati_map_key k = key_of(m, &key);
    leati_entry *e = leati_map_made(m->map, &k, &at, &is_new);
    assert_non_null(e);
    assert_int_equal(is_new, !m->there[i]);
    assert_ptr_equal(leati_map_find(m->map, &k, &again), e);
    assert_int_equal(at, again);
    assert_int_equal(leati_content_store(&e->content, &v), LEAT_OK);
    m->count += is_new;
    m->changes++;
    if (is_new) m->came[i] = m->changes;
    m->there[i] = true;
    m->value[i] = value;
}

static void drop(model *m, int i) {
    size_t at;
    leat_value key = leat_int(i - KEYS / 2);
    leati_map_key k = key_of(m, &key);
    leati_entry *e = leati_map_find(m->map, &k, &at);
    assert_int_equal(e != NULL, m->there[i]);
    if (!e) return;
    assert_int_equal(e->content.value.as.i, m->value[i]);
    leati_map_remove(m->map, at);
    m->there[i] = false;
    m->count--;
}

/* The walk gives what is there, each once, in order. */
static void assert_same(model *m) {
    int seen = 0, last = -1;
    const leati_entry *e;
    assert_int_equal(leati_map_count(m->map), m->count);
    for (size_t at = 0; (e = leati_map_at(m->map, &at)); at++, seen++) {
        int i = (int)e->key.as.i + KEYS / 2;
        assert_true(m->there[i]);
        assert_int_equal(e->content.value.as.i, m->value[i]);
        int place = leati_map_is_ordered(m->map) ? i : m->came[i];
        assert_true(place > last);
        last = place;
    }
    assert_int_equal(seen, m->count);
}

static void model_init(model *m, bool ordered) {
    memset(m, 0, sizeof *m);
    m->map = leati_map_new(ordered);
    assert_non_null(m->map);
}

static void model_fini(model *m) {
    leati_map_free(m->map);
    leati_buf_fini(&m->buf);
}

static void random_changes(bool ordered, int keys) {
    model m;
    model_init(&m, ordered);
    srand(7);
    for (int round = 0; round < 20; round++) {
        int keep = round % 4;
        for (int n = 0; n < keys; n++) {
            int i = rand() % keys;
            if (rand() % 4 >= keep)
                put(&m, i, rand());
            else
                drop(&m, i);
        }
        assert_same(&m);
    }
    for (int i = 0; i < keys; i++) drop(&m, i);
    assert_same(&m);
    model_fini(&m);
}

static void unordered_maps_hold_what_was_put(void **state) {
    (void)state;
    random_changes(false, 5);
    random_changes(false, 12);
    random_changes(false, KEYS);
}

static void ordered_maps_hold_what_was_put(void **state) {
    (void)state;
    random_changes(true, 5);
    random_changes(true, 70);
    random_changes(true, KEYS);
}

static void ordered_maps_are_sought_in(void **state) {
    (void)state;
    model m;
    model_init(&m, true);
    for (int i = 0; i < KEYS; i += 2) put(&m, i, i);
    for (int i = KEYS - 1; i > KEYS / 2; i -= 2) put(&m, i, i); /* backwards, in the middle */
    for (int i = 0; i < KEYS; i++) {
        leat_value key = leat_int(i - KEYS / 2);
        leati_map_key k = key_of(&m, &key);
        size_t at = leati_map_seek(m.map, &k);
        const leati_entry *e = leati_map_at(m.map, &at);
        assert_int_equal(e->content.value.as.i, m.there[i] ? i : i + 1);
    }
    leat_value beyond = leat_int(KEYS);
    leati_map_key k = key_of(&m, &beyond);
    size_t at = leati_map_seek(m.map, &k);
    assert_null(leati_map_at(m.map, &at));
    assert_int_equal(leati_map_last(m.map, &at)->key.as.i, KEYS / 2 - 1);
    model_fini(&m);
}

static void times_that_ascend_and_go_from_the_front(void **state) {
    (void)state;
    model m;
    model_init(&m, true);
    for (int i = 0; i < KEYS; i++) {
        put(&m, i, i);
        if (i >= 100) drop(&m, i - 100);
        size_t at = 0, last;
        assert_int_equal(leati_map_at(m.map, &at)->content.value.as.i, i >= 100 ? i - 99 : 0);
        assert_int_equal(leati_map_last(m.map, &last)->content.value.as.i, i);
    }
    assert_same(&m);
    model_fini(&m);
}

static void values_of_all_kinds_come_back(void **state) {
    (void)state;
    leati_buf buf, pairs;
    leati_buf_init(&buf);
    leati_buf_init(&pairs);
    leati_map *m = leati_map_new(false), *copy = leati_map_new(false);
    const leat_value *v = sample_values();
    for (int i = 0; i < SAMPLE_VALUES; i++) {
        leati_map_key k;
        size_t at;
        bool is_new;
        assert_int_equal(leati_map_key_of(false, &v[i], &buf, &k), LEAT_OK);
        leati_entry *e = leati_map_made(m, &k, &at, &is_new);
        assert_true(e && is_new);
        assert_int_equal(leati_content_store(&e->content, &v[SAMPLE_VALUES - 1 - i]), LEAT_OK);
    }
    leat_value all, again;
    assert_int_equal(leati_map_value(m, &pairs, &all), LEAT_OK);
    assert_int_equal(all.size, SAMPLE_VALUES);
    assert_int_equal(leati_map_fill(copy, &all), LEAT_OK);
    assert_int_equal(leati_map_fill(copy, &all), LEAT_OK);
    assert_int_equal(leati_map_value(copy, &buf, &again), LEAT_OK);
    assert_true(leat_value_equal(&all, &again));
    for (int i = 0; i < SAMPLE_VALUES; i++) {
        assert_true(leat_value_equal(&again.as.items[2 * i], &v[i]));
        assert_true(leat_value_equal(&again.as.items[2 * i + 1], &v[SAMPLE_VALUES - 1 - i]));
    }
    leati_map_free(m);
    leati_map_free(copy);
    leati_buf_fini(&buf);
    leati_buf_fini(&pairs);
}

static void objects_are_counted(void **state) {
    (void)state;
    leat_value object = fake_new(1), pair[] = {object, object}, map = leat_map_value(pair, 1);
    leati_map *m = leati_map_new(false);
    leati_buf buf;
    leati_buf_init(&buf);
    assert_int_equal(leati_map_fill(m, &map), LEAT_OK);
    leati_object_release(&object);
    assert_int_equal(fake_alive(), 1);
    leati_map_key k;
    assert_int_equal(leati_map_key_of(true, &object, &buf, &k), LEAT_E_TYPE);
    leati_map_remove(m, 0);
    assert_int_equal(fake_alive(), 0);
    leati_map_free(m);
    leati_map_free(NULL);
    leati_buf_fini(&buf);
}

static void without_memory_a_map_stays_as_it_was(void **state) {
    (void)state;
    for (int ordered = 0; ordered < 2; ordered++) {
        model m;
        model_init(&m, ordered);
        for (int i = 0; i < 200; i++) {
            leat_value key = leat_int(i - KEYS / 2);
            leati_map_key k = key_of(&m, &key);
            size_t at;
            bool is_new;
            for (int n = 1; !m.there[i]; n++) {
                leati_alloc_fail_after(n);
                leati_entry *e = leati_map_made(m.map, &k, &at, &is_new);
                leati_alloc_fail_after(-1);
                if (!e) {
                    assert_same(&m);
                    continue;
                }
                m.there[i] = true;
                m.came[i] = i;
                m.count++;
            }
        }
        for (int i = 0; i < 200; i++) put(&m, i, i);
        assert_same(&m);
        model_fini(&m);
    }
    leati_alloc_fail_after(1);
    assert_null(leati_map_new(true));
    leati_alloc_fail_after(-1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unordered_maps_hold_what_was_put),
        cmocka_unit_test(ordered_maps_hold_what_was_put),
        cmocka_unit_test(ordered_maps_are_sought_in),
        cmocka_unit_test(times_that_ascend_and_go_from_the_front),
        cmocka_unit_test(values_of_all_kinds_come_back),
        cmocka_unit_test(objects_are_counted),
        cmocka_unit_test(without_memory_a_map_stays_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
