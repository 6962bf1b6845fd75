/* Tests of table.c: every kind of value in a cell, namespaces, values that point into their own
   cell, objects, snapshots, failing allocations. */
#include "runtime/state/table.h"

#include "fake_object.h"
#include "runtime/base/alloc.h"
#include "runtime/base/object.h"
#include "runtime/data/key.h"
#include "sample_values.h"

#include <stdio.h>

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { GROUPS = 16 };

static const leat_state_decl decl = {.name = "cell"};
static const leat_namespace nowhere = {NULL, 0};

static uint64_t hash_of(const leat_value *key) {
    uint64_t hash = 0;
    assert_int_equal(leati_key_hash(key, &hash), LEAT_OK);
    return hash;
}

static leat_status put(leati_table *t, leat_value key, leat_namespace ns, leat_value value) {
    return leati_table_put(t, &key, hash_of(&key), ns, &value);
}

static leat_status get(leati_table *t, leat_value key, leat_namespace ns, leat_value *out) {
    return leati_table_get(t, &key, hash_of(&key), ns, out);
}

static void assert_cell(leati_table *t, leat_value key, leat_namespace ns, leat_value expected) {
    leat_value v;
    assert_int_equal(get(t, key, ns, &v), LEAT_OK);
    assert_true(leat_value_equal(&v, &expected));
}

static void table_any_value_after_any_other_is_kept(void **state) {
    (void)state;
    leati_table *t = leati_table_new(GROUPS, &decl, NULL);
    const leat_value *v = sample_values();
    assert_ptr_equal(leati_table_decl(t), &decl);
    for (int i = 0; i < SAMPLE_VALUES; i++) {
        for (int j = 0; j < SAMPLE_VALUES; j++) {
            assert_int_equal(put(t, leat_int(1), nowhere, v[i]), LEAT_OK);
            assert_int_equal(put(t, leat_int(2), nowhere, v[j]), LEAT_OK);
            assert_int_equal(put(t, leat_int(1), nowhere, v[j]), LEAT_OK);
            assert_cell(t, leat_int(1), nowhere, v[j]);
        }
    }
    assert_int_equal(leati_table_count(t), 2);
    leati_table_free(t);
}

static void table_any_key_and_namespace_is_its_own(void **state) {
    (void)state;
    leati_table *t = leati_table_new(GROUPS, &decl, NULL);
    const leat_value *keys = sample_values();
    static const leat_namespace spaces[] = {{NULL, 0}, {"", 1}, {"window", 6}, {"windows", 7}};
    for (int i = 0; i < SAMPLE_VALUES; i++) {
        for (int n = 0; n < 4; n++)
            assert_int_equal(put(t, keys[i], spaces[n], leat_int(i * 4 + n)), LEAT_OK);
    }
    assert_int_equal(leati_table_count(t), SAMPLE_VALUES * 4);
    for (int i = 0; i < SAMPLE_VALUES; i++) {
        for (int n = 0; n < 4; n++) assert_cell(t, keys[i], spaces[n], leat_int(i * 4 + n));
    }
    leat_value v = leat_int(7), none = leat_int(99999);
    assert_int_equal(get(t, none, nowhere, &v), LEAT_DONE);
    assert_int_equal(v.as.i, 7);
    leati_table_free(t);
}

static void table_removed_cells_are_gone(void **state) {
    (void)state;
    leati_table *t = leati_table_new(1, &decl, NULL);
    char name[20];
    for (int i = 0; i < 500; i++) {
        snprintf(name, sizeof name, "key %d", i);
        put(t, leat_string(name), nowhere, leat_string(name));
    }
    for (int i = 0; i < 500; i += 2) {
        snprintf(name, sizeof name, "key %d", i);
        leat_value key = leat_string(name), v;
        assert_int_equal(leati_table_remove(t, &key, hash_of(&key), nowhere), LEAT_OK);
        assert_int_equal(leati_table_remove(t, &key, hash_of(&key), nowhere), LEAT_OK);
        assert_int_equal(get(t, key, nowhere, &v), LEAT_DONE);
        put(t, key, nowhere, leat_int(1));
        assert_int_equal(leati_table_remove(t, &key, hash_of(&key), nowhere), LEAT_OK);
    }
    assert_int_equal(leati_table_count(t), 250);
    for (int i = 1; i < 500; i += 2) {
        snprintf(name, sizeof name, "key %d", i);
        assert_cell(t, leat_string(name), nowhere, leat_string(name));
    }
    leati_table_free(t);
}

static void table_put_of_what_get_lent_is_whole(void **state) {
    (void)state;
    leati_table *t = leati_table_new(GROUPS, &decl, NULL);
    leat_value items[] = {leat_string("first"), leat_string("second"), leat_int(3)};
    put(t, leat_int(1), nowhere, leat_tuple(items, 3));
    for (int round = 0; round < 5; round++) {
        leat_value lent, swapped[3];
        assert_int_equal(get(t, leat_int(1), nowhere, &lent), LEAT_OK);
        swapped[0] = lent.as.items[1];
        swapped[1] = lent.as.items[0];
        swapped[2] = leat_int(lent.as.items[2].as.i + 1);
        assert_int_equal(put(t, leat_int(1), nowhere, leat_tuple(swapped, 3)), LEAT_OK);
        assert_int_equal(get(t, leat_int(1), nowhere, &lent), LEAT_OK);
        assert_int_equal(put(t, leat_int(1), nowhere, lent), LEAT_OK);
        assert_int_equal(get(t, leat_int(1), nowhere, &lent), LEAT_OK);
        assert_memory_equal(lent.as.items[round & 1].as.bytes, "second", 6);
        assert_memory_equal(lent.as.items[!(round & 1)].as.bytes, "first", 5);
        assert_int_equal(lent.as.items[2].as.i, 4 + round);
    }
    leati_table_free(t);
}

static void table_of_objects_counts_references(void **state) {
    (void)state;
    leati_table *t = leati_table_new(GROUPS, &decl, NULL);
    leat_value a = fake_new(1), b = fake_new(2);
    leat_value pair[] = {a, leat_string("text")};
    put(t, leat_int(1), nowhere, a);
    put(t, leat_int(1), nowhere, a);
    put(t, leat_int(2), nowhere, leat_tuple(pair, 2));
    put(t, leat_int(2), nowhere, leat_tuple(pair, 2));
    put(t, leat_int(3), nowhere, b);
    put(t, leat_int(3), nowhere, leat_string("native"));
    put(t, b, nowhere, leat_int(1));
    leati_object_release(&a);
    leati_object_release(&b);
    assert_int_equal(fake_alive(), 1);
    leat_value v;
    assert_int_equal(get(t, leat_int(1), nowhere, &v), LEAT_OK);
    assert_int_equal(fake_number(&v), 1);
    leat_value key = leat_int(1);
    leati_table_remove(t, &key, hash_of(&key), nowhere);
    assert_int_equal(fake_alive(), 1);
    put(t, leat_int(2), nowhere, leat_int(0));
    assert_int_equal(fake_alive(), 0);
    a = fake_new(3);
    put(t, leat_int(4), nowhere, a);
    leati_object_release(&a);
    leati_table_free(t);
    assert_int_equal(fake_alive(), 0);
}

static leati_table *table_of_samples(void) {
    leati_table *t = leati_table_new(GROUPS, &decl, NULL);
    const leat_value *v = sample_values();
    for (int i = 0; i < SAMPLE_VALUES; i++) {
        put(t, v[i], nowhere, v[SAMPLE_VALUES - 1 - i]);
        put(t, v[i], (leat_namespace){"window", 6}, leat_int(i));
    }
    return t;
}

static void assert_table_of_samples(leati_table *t) {
    const leat_value *v = sample_values();
    assert_int_equal(leati_table_count(t), 2 * SAMPLE_VALUES);
    for (int i = 0; i < SAMPLE_VALUES; i++) {
        assert_cell(t, v[i], nowhere, v[SAMPLE_VALUES - 1 - i]);
        assert_cell(t, v[i], (leat_namespace){"window", 6}, leat_int(i));
    }
}

static void table_snapshot_restores_all_groups(void **state) {
    (void)state;
    leati_table *t = table_of_samples(), *back = leati_table_new(GROUPS, &decl, NULL);
    leati_buf all;
    leati_buf_init(&all);
    for (int g = 0; g < GROUPS; g++) {
        size_t before = all.size, at = 0;
        leati_cell c;
        assert_int_equal(leati_table_snapshot(t, g, &all), LEAT_OK);
        assert_int_equal(all.size > before, leati_table_next(t, g, &at, &c));
    }
    leati_table_free(t);
    leati_reader in = leati_reader_of(all.bytes, all.size);
    assert_int_equal(leati_table_restore(back, &in, 0), LEAT_OK);
    assert_table_of_samples(back);
    leati_table_free(back);
    for (size_t cut = 1; cut < all.size; cut += 7) {
        back = leati_table_new(GROUPS, &decl, NULL);
        in = leati_reader_of(all.bytes, cut);
        leat_status status = leati_table_restore(back, &in, 0);
        assert_true(status == LEAT_OK || status == LEAT_E_FORMAT);
        leati_table_free(back);
    }
    leati_buf_fini(&all);
}

static void table_snapshot_of_objects_restores_them(void **state) {
    (void)state;
    leati_table *t = leati_table_new(1, &decl, NULL), *back = leati_table_new(1, &decl, NULL);
    leat_value a = fake_new(1);
    put(t, a, nowhere, a);
    leati_buf b;
    leati_buf_init(&b);
    assert_int_equal(leati_table_snapshot(t, 0, &b), LEAT_OK);
    leati_reader in = leati_reader_of(b.bytes, b.size);
    assert_int_equal(leati_table_restore(back, &in, fake_domain()), LEAT_OK);
    leat_value v;
    assert_int_equal(get(back, a, nowhere, &v), LEAT_OK);
    assert_int_equal(fake_number(&v), 1);
    assert_ptr_not_equal(v.as.object, a.as.object);
    leati_object_release(&a);
    leati_table_free(t);
    leati_table_free(back);
    assert_int_equal(fake_alive(), 0);
    leati_buf_fini(&b);
}

static void table_without_memory_keeps_what_it_had(void **state) {
    (void)state;
    leati_table *t = leati_table_new(GROUPS, &decl, NULL);
    const leat_value *v = sample_values();
    for (int i = 0; i < SAMPLE_VALUES; i++) {
        leat_status status = LEAT_E_NOMEM;
        put(t, leat_int(0), nowhere, leat_string("before"));
        for (int n = 1; status != LEAT_OK; n++) {
            size_t count = leati_table_count(t);
            uint64_t hash = hash_of(&v[i]);
            leati_alloc_fail_after(n);
            status = leati_table_put(t, &v[i], hash, nowhere, &v[(i + 5) % SAMPLE_VALUES]);
            leati_alloc_fail_after(-1);
            assert_true(status == LEAT_OK || status == LEAT_E_NOMEM);
            if (status < 0) assert_int_equal(leati_table_count(t), count);
            if (i != 3) assert_cell(t, leat_int(0), nowhere, leat_string("before"));
        }
        assert_cell(t, v[i], nowhere, v[(i + 5) % SAMPLE_VALUES]);
    }
    leati_alloc_fail_after(1);
    assert_null(leati_table_new(4, &decl, NULL));
    leati_alloc_fail_after(-1);
    leati_table_free(t);
    leati_table_free(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table_any_value_after_any_other_is_kept),
        cmocka_unit_test(table_any_key_and_namespace_is_its_own),
        cmocka_unit_test(table_removed_cells_are_gone),
        cmocka_unit_test(table_put_of_what_get_lent_is_whole),
        cmocka_unit_test(table_of_objects_counts_references),
        cmocka_unit_test(table_snapshot_restores_all_groups),
        cmocka_unit_test(table_snapshot_of_objects_restores_them),
        cmocka_unit_test(table_without_memory_keeps_what_it_had),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
