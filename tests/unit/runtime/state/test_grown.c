/* Tests of grown.c and content.c, through a table: lists that are appended to and merged. */
#include "fake_object.h"
#include "runtime/base/alloc.h"
#include "runtime/base/object.h"
#include "runtime/data/key.h"
#include "runtime/state/table.h"
#include "sample_values.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

enum { GROUPS = 4 };

static const leat_state_decl decl = {.name = "list", .kind = LEAT_LIST_STATE};
static const leat_namespace nowhere = {NULL, 0}, a = {"a", 1}, b = {"b", 1};
static leat_value key;
static uint64_t key_hash;

static int set_key(void **state) {
    (void)state;
    key = leat_string("a key");
    return leati_key_hash(&key, &key_hash) == LEAT_OK ? 0 : -1;
}

static leat_status append(leati_table *t, leat_namespace ns, leat_value item) {
    return leati_table_append(t, &key, key_hash, ns, &item, NULL);
}

static leat_value get(leati_table *t, leat_namespace ns) {
    leat_value v = leat_null();
    leati_table_get(t, &key, key_hash, ns, &v);
    return v;
}

static leat_status put(leati_table *t, leat_namespace ns, leat_value v) {
    return leati_table_put(t, &key, key_hash, ns, &v);
}

static leat_status merge(leati_table *t, leat_namespace into, leat_namespace from) {
    return leati_table_merge(t, &key, key_hash, into, from);
}

static void assert_list(leat_value list, const leat_value *items, size_t count) {
    leat_value expected = leat_list(items, count);
    assert_true(leat_value_equal(&list, &expected));
}

static void any_item_is_appended_to_any_others(void **state) {
    (void)state;
    leati_table *t = leati_table_new(GROUPS, &decl, NULL);
    const leat_value *v = sample_values();
    leat_value all[3 * SAMPLE_VALUES];
    for (int i = 0; i < 3 * SAMPLE_VALUES; i++) {
        all[i] = v[(i * 7) % SAMPLE_VALUES];
        assert_int_equal(append(t, nowhere, all[i]), LEAT_OK);
        assert_list(get(t, nowhere), all, (size_t)i + 1);
    }
    assert_int_equal(leati_table_count(t), 1);
    leati_table_free(t);
}

static void a_list_that_was_put_goes_on(void **state) {
    (void)state;
    leati_table *t = leati_table_new(GROUPS, &decl, NULL);
    leat_value items[] = {leat_string("one"), leat_string("two"), leat_string("three")};
    put(t, nowhere, leat_list(items, 2));
    assert_int_equal(append(t, nowhere, items[2]), LEAT_OK);
    assert_list(get(t, nowhere), items, 3);
    put(t, nowhere, leat_null());
    assert_int_equal(append(t, nowhere, items[0]), LEAT_OK);
    assert_list(get(t, nowhere), items, 1);
    put(t, nowhere, get(t, nowhere)); /* a list that grew becomes one that did not, from itself */
    assert_list(get(t, nowhere), items, 1);
    append(t, nowhere, items[1]);
    put(t, nowhere, get(t, nowhere).as.items[1]);
    assert_true(get(t, nowhere).kind == LEAT_STRING && get(t, nowhere).size == 3);
    assert_int_equal(append(t, nowhere, items[0]), LEAT_E_TYPE);
    assert_true(get(t, nowhere).kind == LEAT_STRING);
    leati_table_free(t);
}

static void items_of_the_list_are_appended_to_it(void **state) {
    (void)state;
    leati_table *t = leati_table_new(GROUPS, &decl, NULL);
    leat_value pair[] = {leat_string("a longer text"), leat_int(5)}, all[64];
    all[0] = leat_tuple(pair, 2);
    append(t, nowhere, all[0]);
    for (int i = 1; i < 64; i++) {
        all[i] = all[0];
        assert_int_equal(append(t, nowhere, get(t, nowhere).as.items[i / 2]), LEAT_OK);
    }
    assert_list(get(t, nowhere), all, 64);
    assert_int_equal(append(t, nowhere, get(t, nowhere)), LEAT_OK);
    leat_value list = get(t, nowhere);
    assert_int_equal(list.size, 65);
    assert_list(list.as.items[64], all, 64);
    leati_table_free(t);
}

static void what_items_point_to_does_not_move(void **state) {
    (void)state;
    leati_table *t = leati_table_new(GROUPS, &decl, NULL);
    append(t, nowhere, leat_string("first"));
    const char *first = get(t, nowhere).as.items[0].as.bytes;
    char text[600];
    memset(text, 'x', sizeof text);
    for (int i = 0; i < 20000; i++)
        assert_int_equal(append(t, nowhere, leat_string_n(text, (size_t)i % 600)), LEAT_OK);
    assert_ptr_equal(get(t, nowhere).as.items[0].as.bytes, first);
    for (int i = 0; i < 20000; i++) {
        leat_value item = get(t, nowhere).as.items[i + 1];
        assert_int_equal(item.size, i % 600);
        assert_memory_equal(item.as.bytes, text, item.size);
    }
    leati_table_free(t);
}

static void objects_are_counted(void **state) {
    (void)state;
    leati_table *t = leati_table_new(GROUPS, &decl, NULL);
    leat_value object = fake_new(1), in_tuple[] = {object, leat_string("text")};
    append(t, a, object);
    append(t, a, leat_tuple(in_tuple, 2));
    append(t, b, object);
    leati_object_release(&object);
    assert_int_equal(fake_alive(), 1);
    assert_int_equal(merge(t, a, b), LEAT_OK);
    assert_int_equal(get(t, a).size, 3);
    assert_int_equal(fake_number(&get(t, a).as.items[2]), 1);
    leati_table_remove(t, &key, key_hash, a);
    assert_int_equal(fake_alive(), 0);
    object = fake_new(2);
    append(t, b, object);
    leati_object_release(&object);
    leati_table_free(t);
    assert_int_equal(fake_alive(), 0);
}

static void merged_lists_are_one(void **state) {
    (void)state;
    leati_table *t = leati_table_new(GROUPS, &decl, NULL);
    leat_value items[] = {leat_string("one"), leat_string("two"), leat_int(3), leat_int(4)};
    assert_int_equal(merge(t, a, b), LEAT_OK);
    assert_int_equal(leati_table_count(t), 0);
    append(t, b, items[0]);
    append(t, b, items[1]);
    assert_int_equal(merge(t, a, b), LEAT_OK); /* taken over */
    assert_list(get(t, a), items, 2);
    put(t, b, leat_list(items + 2, 2));
    assert_int_equal(merge(t, a, b), LEAT_OK);
    assert_list(get(t, a), items, 4);
    assert_int_equal(leati_table_count(t), 1);
    assert_int_equal(merge(t, a, b), LEAT_OK);
    assert_int_equal(merge(t, a, a), LEAT_OK);
    assert_list(get(t, a), items, 4);
    put(t, b, leat_int(7));
    assert_int_equal(merge(t, a, b), LEAT_E_TYPE);
    assert_int_equal(merge(t, b, a), LEAT_E_TYPE);
    assert_list(get(t, a), items, 4);
    assert_int_equal(get(t, b).as.i, 7);
    assert_int_equal(merge(t, nowhere, b), LEAT_OK);
    assert_int_equal(get(t, nowhere).as.i, 7);
    leati_table_free(t);
}

static void lists_with_a_time_keep_the_last(void **state) {
    (void)state;
    leati_table *t = leati_table_new(GROUPS, &decl, NULL);
    leat_value items[] = {leat_string("one"), leat_string("two"), leat_string("three")};
    int64_t early = 5, late = 9;
    append(t, a, items[0]); /* from before it expired */
    leati_table_append(t, &key, key_hash, a, &items[1], &late);
    leat_value v = get(t, a);
    assert_true(leati_value_is_timed(&v));
    assert_int_equal(v.as.items[0].as.i, 9);
    assert_list(v.as.items[1], items, 2);
    leati_table_append(t, &key, key_hash, b, &items[2], &early);
    assert_int_equal(merge(t, a, b), LEAT_OK);
    v = get(t, a);
    assert_int_equal(v.as.items[0].as.i, 9);
    assert_list(v.as.items[1], items, 3);
    leati_table_touch(t, 20);
    leati_table_append(t, &key, key_hash, b, &items[2], &early);
    assert_int_equal(merge(t, b, a), LEAT_OK);
    assert_int_equal(get(t, b).as.items[0].as.i, 20);
    assert_int_equal(get(t, b).as.items[1].size, 4);
    leati_table_free(t);
}

static void snapshots_hold_the_list(void **state) {
    (void)state;
    leati_table *t = leati_table_new(1, &decl, NULL), *back = leati_table_new(1, &decl, NULL);
    leati_buf bytes;
    leati_buf_init(&bytes);
    const leat_value *v = sample_values();
    for (int i = 0; i < SAMPLE_VALUES; i++) append(t, a, v[i]);
    assert_int_equal(leati_table_snapshot(t, 0, &bytes), LEAT_OK);
    leati_reader in = leati_reader_of(bytes.bytes, bytes.size);
    assert_int_equal(leati_table_restore(back, &in, 0), LEAT_OK);
    assert_list(get(back, a), v, SAMPLE_VALUES);
    assert_int_equal(append(back, a, v[0]), LEAT_OK);
    assert_int_equal(get(back, a).size, SAMPLE_VALUES + 1);
    leati_buf_fini(&bytes);
    leati_table_free(t);
    leati_table_free(back);
}

static void without_memory_a_list_stays_as_it_was(void **state) {
    (void)state;
    leati_table *t = leati_table_new(GROUPS, &decl, NULL);
    leat_value object = fake_new(1), pair[] = {leat_string("some text"), object};
    leat_value item = leat_tuple(pair, 2);
    for (uint32_t size = 0; size < 40; size++) {
        leat_status status = LEAT_E_NOMEM;
        for (int n = 1; status != LEAT_OK; n++) {
            leati_alloc_fail_after(n);
            status = leati_table_append(t, &key, key_hash, a, &item, NULL);
            leati_alloc_fail_after(-1);
            assert_true(status == LEAT_OK || status == LEAT_E_NOMEM);
            leat_value list = get(t, a);
            assert_int_equal(leati_table_count(t), list.kind == LEAT_LIST);
            assert_int_equal(list.size, size + (status == LEAT_OK));
        }
    }
    for (int n = 1, status = LEAT_E_NOMEM; status != LEAT_OK; n++) {
        put(t, b, get(t, a));
        leati_alloc_fail_after(n);
        status = leati_table_merge(t, &key, key_hash, a, b);
        leati_alloc_fail_after(-1);
        assert_int_equal(get(t, a).size, status == LEAT_OK ? 80 : 40);
        assert_int_equal(get(t, b).kind == LEAT_LIST, status != LEAT_OK);
    }
    leati_object_release(&object);
    leati_table_free(t);
    assert_int_equal(fake_alive(), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_item_is_appended_to_any_others),
        cmocka_unit_test(a_list_that_was_put_goes_on),
        cmocka_unit_test(items_of_the_list_are_appended_to_it),
        cmocka_unit_test(what_items_point_to_does_not_move),
        cmocka_unit_test(objects_are_counted),
        cmocka_unit_test(merged_lists_are_one),
        cmocka_unit_test(lists_with_a_time_keep_the_last),
        cmocka_unit_test(snapshots_hold_the_list),
        cmocka_unit_test(without_memory_a_list_stays_as_it_was),
    };
    return cmocka_run_group_tests(tests, set_key, NULL);
}
