/* Tests of output.c: where records go, how large batches get, when an output is full, that signals
   come behind. */
#include "rig.h"

#include "runtime/data/key.h"

#include <stdio.h>

typedef struct fixture {
    leati_chain *chain;
    leati_output *output;
    leati_channel *c[3];
    int count;
} fixture;

static void set_up(fixture *f, leat_partitioning how, int subtask, int targets, size_t capacity,
                   size_t bytes) {
    memset(f, 0, sizeof *f);
    leati_surroundings around = {.config = NULL};
    f->chain = leati_chain_new(&around, NULL);
    assert_non_null(f->chain);
    for (f->count = 0; f->count < targets; f->count++) {
        f->c[f->count] = leati_channel_new(capacity, bytes);
        assert_non_null(f->c[f->count]);
        leati_channel_ref(f->c[f->count]);
    }
    f->output = leati_output_new(f->chain, how, subtask, f->c, targets, NULL, 128, true);
    assert_non_null(f->output);
}

static void tear_down(fixture *f) {
    leati_output_free(f->output);
    leati_chain_free(f->chain);
    for (int i = 0; i < f->count; i++) leati_channel_unref(f->c[i]);
}

static void write_int(fixture *f, int64_t i, uint64_t hash) {
    leat_record record = leat_record_of(leat_int(i), LEAT_NO_TIME);
    record.key = leat_int(i % 7);
    record.hash = hash;
    assert_int_equal(leati_output_write(f->output, &record), LEAT_OK);
}

static void write_ints(fixture *f, int64_t first, int64_t last) {
    for (int64_t i = first; i <= last; i++) write_int(f, i, (uint64_t)i);
}

/* How many records each target got of 0 ... 41. */
static void spread(leat_partitioning how, int subtask, int targets, size_t got[3]) {
    fixture f;
    set_up(&f, how, subtask, targets, 1000, SIZE_MAX / 2);
    write_ints(&f, 0, 41);
    assert_int_equal(leati_output_flush(f.output), LEAT_OK);
    for (int i = 0; i < 3; i++) got[i] = i < targets ? atomic_load(&f.c[i]->records) : 0;
    tear_down(&f);
}

static void expect_spread(leat_partitioning how, int subtask, int targets, size_t a, size_t b,
                          size_t c) {
    size_t got[3];
    spread(how, subtask, targets, got);
    assert_int_equal(got[0], a);
    assert_int_equal(got[1], b);
    assert_int_equal(got[2], c);
}

static void output_of_one_target_gives_it_all(void **state) {
    (void)state;
    for (int how = LEAT_FORWARD; how <= LEAT_CUSTOM; how++)
        expect_spread((leat_partitioning)how, 1, 1, 42, 0, 0);
}

static void output_round_robin_is_even(void **state) {
    (void)state;
    for (int subtask = 0; subtask < 4; subtask++) {
        expect_spread(LEAT_REBALANCE, subtask, 2, 21, 21, 0);
        expect_spread(LEAT_REBALANCE, subtask, 3, 14, 14, 14);
        expect_spread(LEAT_RESCALE, subtask, 3, 14, 14, 14);
    }
}

static void output_round_robin_of_two_subtasks_begins_at_different_targets(void **state) {
    (void)state;
    for (int subtask = 0; subtask < 3; subtask++) {
        fixture f;
        set_up(&f, LEAT_REBALANCE, subtask, 3, 100, 10000);
        write_ints(&f, 1, 1);
        assert_int_equal(leati_output_flush(f.output), LEAT_OK);
        for (int i = 0; i < 3; i++)
            assert_string_equal(channel_read(f.c[i]), i == subtask ? "[1]" : "");
        tear_down(&f);
    }
}

static void output_broadcast_gives_all_to_all(void **state) {
    (void)state;
    expect_spread(LEAT_BROADCAST, 0, 2, 42, 42, 0);
    expect_spread(LEAT_BROADCAST, 1, 3, 42, 42, 42);
}

static void output_global_gives_all_to_the_first(void **state) {
    (void)state;
    expect_spread(LEAT_GLOBAL, 1, 3, 42, 0, 0);
}

static void output_custom_obeys_the_records_hash(void **state) {
    (void)state;
    fixture f;
    set_up(&f, LEAT_CUSTOM, 0, 3, 100, 10000);
    write_int(&f, 1, 2);
    write_int(&f, 2, 0);
    write_int(&f, 3, 2);
    assert_int_equal(leati_output_flush(f.output), LEAT_OK);
    assert_string_equal(channel_read(f.c[0]), "[2]");
    assert_string_equal(channel_read(f.c[1]), "");
    assert_string_equal(channel_read(f.c[2]), "[1 3]");
    tear_down(&f);
}

static void output_shuffle_forgets_nobody(void **state) {
    (void)state;
    size_t got[3];
    spread(LEAT_SHUFFLE, 2, 3, got);
    assert_int_equal(got[0] + got[1] + got[2], 42);
    for (int i = 0; i < 3; i++) assert_in_range(got[i], 1, 40);
}

static void output_hash_sends_a_key_where_its_group_lives(void **state) {
    (void)state;
    for (int targets = 1; targets <= 3; targets++) {
        fixture f;
        set_up(&f, LEAT_HASH, 0, targets, 1000, SIZE_MAX / 2);
        write_ints(&f, 0, 99);
        assert_int_equal(leati_output_flush(f.output), LEAT_OK);
        size_t all = 0;
        for (int i = 0; i < targets; i++) {
            leati_element e;
            while (leati_channel_pop(f.c[i], &e) == LEAT_OK) {
                const leati_batch *b = e.as.batch;
                for (uint32_t k = 0; k < b->count; k++, all++) {
                    uint64_t hash;
                    assert_int_equal(leati_key_hash(&b->records[k].key, &hash), LEAT_OK);
                    assert_true(hash == b->records[k].hash);
                    int owner = leati_key_group_owner(leati_key_group(hash, 128), targets, 128);
                    assert_int_equal(owner, i);
                }
                leati_element_drop(&e);
            }
        }
        assert_int_equal(all, 100);
        tear_down(&f);
    }
}

static void output_of_a_key_that_cannot_be_hashed_fails(void **state) {
    (void)state;
    fixture f;
    set_up(&f, LEAT_HASH, 0, 2, 10, 1000);
    leat_value nested[80];
    nested[0] = leat_int(1);
    for (int i = 1; i < 80; i++) nested[i] = leat_tuple(&nested[i - 1], 1); /* too deep */
    leat_record record = leat_record_of(leat_int(1), LEAT_NO_TIME);
    record.key = nested[79];
    assert_int_equal(leati_output_write(f.output, &record), LEAT_E_TYPE);
    tear_down(&f);
}

static void output_seals_full_batches_by_itself(void **state) {
    (void)state;
    fixture f;
    set_up(&f, LEAT_FORWARD, 0, 1, 10000, SIZE_MAX / 2);
    write_ints(&f, 1, LEATI_BATCH_RECORDS - 1);
    assert_int_equal(f.c[0]->count, 0);
    assert_true(leati_output_dirty(f.output));
    write_ints(&f, 1, 2);
    assert_int_equal(f.c[0]->count, 1);
    assert_int_equal(leati_output_flush(f.output), LEAT_OK);
    assert_int_equal(f.c[0]->count, 2);
    assert_false(leati_output_dirty(f.output));
    tear_down(&f);
}

static void output_seals_batches_of_many_bytes(void **state) {
    (void)state;
    fixture f;
    set_up(&f, LEAT_FORWARD, 0, 1, 10000, SIZE_MAX / 2);
    static char text[LEATI_BATCH_BYTES];
    leat_record record = leat_record_of(leat_string_n(text, sizeof text), LEAT_NO_TIME);
    assert_int_equal(leati_output_write(f.output, &record), LEAT_OK);
    assert_int_equal(f.c[0]->count, 1);
    tear_down(&f);
}

static void output_batch_is_no_larger_than_the_credit(void **state) {
    (void)state;
    fixture f;
    set_up(&f, LEAT_FORWARD, 0, 1, 3, SIZE_MAX / 2);
    write_ints(&f, 1, 2);
    assert_int_equal(f.chain->full, 0);
    write_ints(&f, 3, 3);
    assert_int_equal(f.chain->full, 1);
    write_ints(&f, 4, 5); /* overdraws, one by one */
    assert_int_equal(atomic_load(&f.c[0]->records), 5);
    assert_int_equal(f.chain->full, 1);
    assert_false(leati_output_has_room(f.output));
    assert_string_equal(channel_read(f.c[0]), "[1 2 3] [4] [5]");
    assert_true(leati_output_has_room(f.output));
    assert_int_equal(f.chain->full, 0);
    tear_down(&f);
}

static void output_is_full_when_the_bytes_are_used_up(void **state) {
    (void)state;
    fixture f;
    set_up(&f, LEAT_FORWARD, 0, 1, 1000, 200);
    write_ints(&f, 1, 4); /* 48 bytes each */
    assert_int_equal(f.chain->full, 0);
    write_ints(&f, 5, 5);
    assert_int_equal(f.chain->full, 1);
    tear_down(&f);
}

static void output_with_one_full_target_is_full(void **state) {
    (void)state;
    fixture f;
    set_up(&f, LEAT_CUSTOM, 0, 3, 1, 10000);
    write_int(&f, 1, 2);
    assert_int_equal(f.chain->full, 1);
    write_int(&f, 2, 0);
    assert_int_equal(f.chain->full, 2);
    assert_string_equal(channel_read(f.c[2]), "[1]");
    assert_false(leati_output_has_room(f.output));
    assert_int_equal(f.chain->full, 1);
    assert_string_equal(channel_read(f.c[0]), "[2]");
    assert_true(leati_output_has_room(f.output));
    tear_down(&f);
}

static void output_signal_comes_behind_what_was_gathered(void **state) {
    (void)state;
    fixture f;
    set_up(&f, LEAT_REBALANCE, 0, 2, 100, 10000);
    write_ints(&f, 1, 3);
    assert_int_equal(leati_output_signal(f.output, leati_signal(LEATI_WATERMARK, 9)), LEAT_OK);
    write_ints(&f, 4, 4);
    assert_int_equal(leati_output_signal(f.output, leati_signal(LEATI_END, 0)), LEAT_OK);
    assert_string_equal(channel_read(f.c[0]), "[1 3] w9 end");
    assert_string_equal(channel_read(f.c[1]), "[2] w9 [4] end");
    tear_down(&f);
}

static void output_copies_what_it_takes(void **state) {
    (void)state;
    fixture f;
    set_up(&f, LEAT_BROADCAST, 0, 2, 100, 10000);
    char text[] = "borrowed";
    leat_value items[2] = {leat_string(text), leat_int(1)};
    leat_record record = leat_record_of(leat_tuple(items, 2), 5);
    assert_int_equal(leati_output_write(f.output, &record), LEAT_OK);
    memset(text, 'x', sizeof text - 1);
    items[1] = leat_int(2);
    assert_int_equal(leati_output_flush(f.output), LEAT_OK);
    for (int i = 0; i < 2; i++) assert_string_equal(channel_read(f.c[i]), "[(borrowed,1)]");
    tear_down(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(output_of_one_target_gives_it_all),
        cmocka_unit_test(output_round_robin_is_even),
        cmocka_unit_test(output_round_robin_of_two_subtasks_begins_at_different_targets),
        cmocka_unit_test(output_broadcast_gives_all_to_all),
        cmocka_unit_test(output_global_gives_all_to_the_first),
        cmocka_unit_test(output_custom_obeys_the_records_hash),
        cmocka_unit_test(output_shuffle_forgets_nobody),
        cmocka_unit_test(output_hash_sends_a_key_where_its_group_lives),
        cmocka_unit_test(output_of_a_key_that_cannot_be_hashed_fails),
        cmocka_unit_test(output_seals_full_batches_by_itself),
        cmocka_unit_test(output_seals_batches_of_many_bytes),
        cmocka_unit_test(output_batch_is_no_larger_than_the_credit),
        cmocka_unit_test(output_is_full_when_the_bytes_are_used_up),
        cmocka_unit_test(output_with_one_full_target_is_full),
        cmocka_unit_test(output_signal_comes_behind_what_was_gathered),
        cmocka_unit_test(output_copies_what_it_takes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
