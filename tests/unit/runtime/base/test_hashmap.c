/* Tests of hashmap.c against a plain array as the model: random adding and removing with few bits
   of hash, so that runs are long and wrap around, long and short keys, and failing allocations. */
#include "runtime/base/hashmap.h"

#include "runtime/base/alloc.h"
#include "runtime/base/hash.h"

#include <stdio.h>

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { KEYS = 400 };

typedef struct named {
    char bytes[64];
    size_t size;
    uint64_t hash;
} named;

/* Every fourth key is longer than a slot holds; `bits` says how many bits of the hash are left. */
static named key_of(int i, int bits) {
    named k;
    k.size =
        (size_t)snprintf(k.bytes, sizeof k.bytes, i % 4 ? "k%d" : "a long key with number %d", i);
    k.hash = leati_hash(k.bytes, k.size) & (((uint64_t)1 << bits) - 1);
    return k;
}

static void check_all(const leati_hashmap *m, const int *model, int bits) {
    size_t count = 0;
    for (int i = 0; i < KEYS; i++) {
        named k = key_of(i, bits);
        const int64_t *found = leati_hashmap_find(m, k.hash, k.bytes, k.size);
        assert_int_equal(found != NULL, model[i] != 0);
        if (found) assert_int_equal(*found, model[i]);
        count += found != NULL;
    }
    assert_int_equal(m->count, count);
}

static void random_steps(int bits) {
    leati_hashmap m;
    leati_hashmap_init(&m, sizeof(int64_t));
    int model[KEYS] = {0};
    uint64_t random = 88172645463325252u;
    for (int step = 1; step <= 4000; step++) {
        random ^= random << 13, random ^= random >> 7, random ^= random << 17;
        int i = (int)(random % KEYS);
        named k = key_of(i, bits);
        if (random >> 40 & 1) {
            bool added;
            int64_t *payload = leati_hashmap_add(&m, k.hash, k.bytes, k.size, &added);
            assert_non_null(payload);
            assert_int_equal(added, model[i] == 0);
            assert_int_equal(*payload, model[i]);
            *payload = model[i] = step;
        } else if (model[i]) {
            leati_hashmap_remove(&m, leati_hashmap_find(&m, k.hash, k.bytes, k.size));
            model[i] = 0;
        }
        if (step % 500 == 0) check_all(&m, model, bits);
    }
    leati_hashmap_fini(&m);
}

static void hashmap_random_steps_agree_with_the_model(void **state) {
    (void)state;
    random_steps(63);
    random_steps(4);
    random_steps(1);
}

static void hashmap_without_memory_loses_nothing(void **state) {
    (void)state;
    leati_hashmap m;
    leati_hashmap_init(&m, sizeof(int64_t));
    int model[KEYS] = {0};
    for (int i = 0; i < KEYS; i++) {
        named k = key_of(i, 63);
        bool added = true;
        leati_alloc_fail_after(1);
        int64_t *payload = leati_hashmap_add(&m, k.hash, k.bytes, k.size, &added);
        leati_alloc_fail_after(-1);
        if (!payload) {
            assert_false(added);
            check_all(&m, model, 63);
            payload = leati_hashmap_add(&m, k.hash, k.bytes, k.size, &added);
        }
        assert_true(added);
        *payload = model[i] = i + 1;
    }
    check_all(&m, model, 63);
    leati_hashmap_fini(&m);
}

static void hashmap_next_walks_each_entry_once(void **state) {
    (void)state;
    leati_hashmap m;
    leati_hashmap_init(&m, 4);
    int seen[KEYS] = {0};
    for (int i = 0; i < KEYS; i++) {
        named k = key_of(i, 63);
        bool added;
        *(int *)leati_hashmap_add(&m, k.hash, k.bytes, k.size, &added) = i;
    }
    leati_hashmap_entry e;
    for (size_t at = 0; leati_hashmap_next(&m, &at, &e);) {
        int i = *(int *)e.payload;
        named k = key_of(i, 63);
        assert_int_equal(e.size, k.size);
        assert_memory_equal(e.bytes, k.bytes, k.size);
        assert_ptr_equal(leati_hashmap_entry_of(&m, e.payload).bytes, e.bytes);
        seen[i]++;
    }
    for (int i = 0; i < KEYS; i++) assert_int_equal(seen[i], 1);
    leati_hashmap_clear(&m);
    size_t at = 0;
    assert_false(leati_hashmap_next(&m, &at, &e));
    leati_hashmap_fini(&m);
}

/* Without room they would all want the first slots of a table that is still small: 2.5e9 steps. */
static void hashmap_takes_another_s_entries_in_their_order(void **state) {
    (void)state;
    enum { ENTRIES = 100000 };
    leati_hashmap from, to;
    leati_hashmap_init(&from, sizeof(uint64_t));
    leati_hashmap_init(&to, sizeof(uint64_t));
    bool added;
    for (uint64_t i = 0; i < ENTRIES; i++)
        assert_non_null(leati_hashmap_add(&from, leati_hash(&i, sizeof i), &i, sizeof i, &added));
    leati_hashmap_reserve(&to, from.count);
    size_t room = to.room, at = 0;
    leati_hashmap_entry e;
    while (leati_hashmap_next(&from, &at, &e))
        assert_non_null(
            leati_hashmap_add(&to, leati_hash(e.bytes, e.size), e.bytes, e.size, &added));
    assert_int_equal(to.count, ENTRIES);
    assert_int_equal(to.room, room);
    assert_int_equal(to.room, from.room);
    leati_hashmap_fini(&from);
    leati_hashmap_fini(&to);
}

static void hashmap_under_churn_keeps_its_room(void **state) {
    (void)state;
    leati_hashmap m;
    leati_hashmap_init(&m, 8);
    for (uint64_t i = 0; i < 20000; i++) {
        bool added;
        void *payload = leati_hashmap_add(&m, leati_hash(&i, 8), &i, 8, &added);
        uint64_t moves = m.moves;
        if (m.count > 5) {
            uint64_t old = i - 5;
            leati_hashmap_remove(&m, leati_hashmap_find(&m, leati_hash(&old, 8), &old, 8));
            assert_true(m.moves > moves);
        }
        (void)payload;
    }
    assert_int_equal(m.room, 8);
    leati_hashmap_fini(&m);
}

/* Marks against a model, with unmarkings of all that come before the last was made good. */
static void marks_of(int bits, int rounds) {
    leati_hashmap m;
    leati_hashmap_init(&m, 4);
    bool there[KEYS] = {false}, unmarked[KEYS] = {false};
    size_t left = 0;
    uint64_t random = 88172645463325252u;
    for (int step = 0; step < rounds * 100; step++) {
        random ^= random << 13, random ^= random >> 7, random ^= random << 17;
        int i = (int)(random % KEYS);
        named k = key_of(i, bits);
        bool added = false;
        int *payload = leati_hashmap_find(&m, k.hash, k.bytes, k.size);
        if (step % 100 == 99) {
            leati_hashmap_unmark_all(&m, left == 0);
            left = m.count;
            memcpy(unmarked, there, sizeof there);
        } else if (!payload) {
            payload = leati_hashmap_add(&m, k.hash, k.bytes, k.size, &added);
            leati_hashmap_set_note(&m, payload, (uint32_t)k.size / 2);
            *payload = i;
            there[i] = true;
        } else if (random >> 40 & 1) {
            leati_hashmap_remove(&m, payload);
            left -= unmarked[i];
            there[i] = unmarked[i] = false;
        } else {
            assert_int_equal(leati_hashmap_is_marked(&m, payload), !unmarked[i]);
            leati_hashmap_mark(&m, payload);
            assert_true(leati_hashmap_is_marked(&m, payload));
            assert_int_equal(leati_hashmap_entry_of(&m, payload).note, k.size / 2);
            left -= unmarked[i];
            unmarked[i] = false;
        }
    }
    leati_hashmap_entry e;
    size_t at = 0, found = 0;
    for (int steps = 7, rest = KEYS * 4; rest > 0; rest -= 7, steps = 7) {
        while (leati_hashmap_next_unmarked(&m, &at, &steps, &e)) {
            assert_true(unmarked[*(int *)e.payload]);
            leati_hashmap_mark(&m, e.payload);
            found++;
        }
    }
    assert_int_equal(found, left);
    leati_hashmap_fini(&m);
}

static void hashmap_marks_go_where_entries_go(void **state) {
    (void)state;
    marks_of(63, 60);
    marks_of(4, 60);
    marks_of(1, 7);
}

static void hash_never_changes(void **state) {
    (void)state;
    assert_int_equal(leati_hash("", 0), 0xcd387e59f4ed5c77u);
    assert_int_equal(leati_hash("leat", 4), 0x43b3979d9ecb7d17u);
}

static void hash_of_nine_bytes_by_words_is_the_same(void **state) {
    (void)state;
    char bytes[9];
    uint64_t random = 88172645463325252u;
    for (int i = 0; i < 10000; i++) {
        for (int k = 0; k < 9; k++) {
            random ^= random << 13, random ^= random >> 7, random ^= random << 17;
            bytes[k] = (char)(random >> 20);
        }
        uint64_t first = leati_word(bytes), last = leati_word(bytes + 1);
        assert_int_equal(leati_hash_nine(first, last), leati_hash(bytes, 9));
    }
}

/* All have one home; the longest stand beside their slots, whatever the payload. */
static void words_find(size_t payload) {
    enum { LEAST = 8, MOST = 16 };
    char bytes[] = "0123456789abcdefghi";
    leati_hashmap m;
    leati_hashmap_init(&m, payload);
    void *payloads[MOST + 1];
    bool added;
    for (size_t size = LEAST; size <= MOST; size++)
        assert_non_null(leati_hashmap_add(&m, 7, bytes, size, &added));
    for (size_t size = LEAST; size <= MOST; size++)
        payloads[size] = leati_hashmap_find(&m, 7, bytes, size);
    for (size_t size = LEAST; size <= MOST; size++) {
        uint64_t first = leati_word(bytes), last = leati_word(bytes + size - 8);
        assert_true(leati_hashmap_has_words(size));
        assert_ptr_equal(leati_hashmap_find_words(&m, 7, first, last, size), payloads[size]);
        assert_null(leati_hashmap_find_words(&m, 7, first, last + 1, size));
        assert_null(leati_hashmap_find_words(&m, 7, first + 1, last, size));
        assert_null(leati_hashmap_find_words(&m, 8, first, last, size));
    }
    assert_false(leati_hashmap_has_words(LEAST - 1) || leati_hashmap_has_words(MOST + 1));
    leati_hashmap_fini(&m);
    assert_null(leati_hashmap_find_words(&m, 7, leati_word(bytes), leati_word(bytes), LEAST));
}

static void hashmap_finds_by_words(void **state) {
    (void)state;
    words_find(4);
    words_find(20);
    words_find(24);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashmap_random_steps_agree_with_the_model),
        cmocka_unit_test(hashmap_without_memory_loses_nothing),
        cmocka_unit_test(hashmap_next_walks_each_entry_once),
        cmocka_unit_test(hashmap_takes_another_s_entries_in_their_order),
        cmocka_unit_test(hashmap_under_churn_keeps_its_room),
        cmocka_unit_test(hashmap_marks_go_where_entries_go),
        cmocka_unit_test(hash_never_changes),
        cmocka_unit_test(hash_of_nine_bytes_by_words_is_the_same),
        cmocka_unit_test(hashmap_finds_by_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
