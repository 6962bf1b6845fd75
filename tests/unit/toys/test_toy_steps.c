/* Tests of the five toys step by step in the harness, and with snapshot, throw away, restore
   between the steps. */
#include "expect.h"
#include "toys.h"

#include <stdatomic.h>
#include <stdio.h>

/* --- sessions --------------------------------------------------------------------------------- */

static harness *session(void **state) {
    leat_function key = leat_field(0);
    leat_arg gap = leat_arg_int("gap", 10);
    harness *h = harness_new(&toy_session_operator, &gap, 1, &key);
    harness_side(h, "late");
    return both_ways(state, h);
}

static void at(harness *h, const char *key, int64_t number, int64_t time) {
    leat_value items[2] = {leat_string(key), leat_int(number)}, v = leat_tuple(items, 2);
    assert_int_equal(harness_push(h, 0, &v, time), LEAT_OK);
}

static void session_toy_merges_what_a_record_joins(void **state) {
    harness *h = session(state);
    at(h, "a", 1, 0);
    at(h, "a", 2, 25);
    at(h, "b", 7, 3);
    at(h, "a", 4, 15);
    at(h, "a", 8, 8); /* joins all three */
    assert_int_equal(harness_watermark(h, 0, 33), LEAT_OK);
    expect(h, "(b,3,13,7)@12");
    expect(h, "watermark 33");
    assert_int_equal(harness_watermark(h, 0, 34), LEAT_OK);
    expect(h, "(a,0,35,15)@34");
    expect(h, "watermark 34");
    expect_nothing(h);
    harness_free(h);
}

static void session_toy_fires_the_rest_at_the_end(void **state) {
    harness *h = session(state);
    at(h, "b", 1, 100);
    at(h, "a", 2, 50);
    at(h, "a", 3, 200);
    assert_int_equal(harness_end(h, 0), LEAT_OK);
    expect(h, "(a,50,60,2)@59");
    expect(h, "(b,100,110,1)@109");
    expect(h, "(a,200,210,3)@209");
    expect_nothing(h);
    assert_true(harness_ended(h));
    harness_free(h);
}

static void session_toy_puts_late_records_aside(void **state) {
    harness *h = session(state);
    assert_int_equal(harness_watermark(h, 0, 20), LEAT_OK);
    at(h, "a", 1, 11);
    at(h, "a", 2, 12);
    assert_int_equal(harness_end(h, 0), LEAT_OK);
    expect(h, "watermark 20");
    expect(h, "late:(a,1)@11");
    expect(h, "(a,12,22,2)@21");
    expect_nothing(h);
    harness_free(h);
}

static void session_toy_fires_one_by_one_as_there_is_room(void **state) {
    harness *h = session(state);
    for (int i = 0; i < 5; i++) at(h, "a", i, 100 * i);
    harness_room(h, 1);
    assert_int_equal(harness_end(h, 0), LEAT_AGAIN);
    for (int i = 1; i < 5; i++) {
        assert_int_equal(harness_count(h), i);
        harness_room(h, 1);
        assert_true(harness_drive(h) >= 0);
    }
    harness_room(h, -1);
    assert_int_equal(harness_drive(h), LEAT_OK);
    assert_int_equal(harness_count(h), 5);
    assert_true(harness_ended(h));
    harness_free(h);
}

/* --- async ------------------------------------------------------------------------------------ */

static void await(harness *h, size_t results) {
    while (harness_count(h) < results) assert_true(harness_wait(h) >= 0);
}

static void push_at(harness *h, int64_t i, int64_t time) {
    leat_value v = leat_int(i);
    assert_true(harness_push(h, 0, &v, time) >= 0);
}

static void async_toy_answers_in_order(void **state) {
    harness *h = both_ways(state, harness_new(&toy_async_operator, NULL, 0, NULL));
    for (int64_t i = 1; i < 10; i++) push_at(h, i, i);
    await(h, 9);
    char want[16];
    for (int i = 1; i < 10; i++) {
        snprintf(want, sizeof want, "%d@%d", 2 * i, i);
        expect(h, want);
    }
    expect_nothing(h);
    harness_free(h);
}

static void async_toy_holds_watermark_and_end_until_all_is_answered(void **state) {
    harness *h = both_ways(state, harness_new(&toy_async_operator, NULL, 0, NULL));
    push_at(h, 1, 1);
    assert_true(harness_watermark(h, 0, 5) >= 0);
    await(h, 2);
    expect(h, "2@1");
    expect(h, "watermark 5");
    push_at(h, 2, 6);
    push_at(h, 3, 7);
    while (!harness_ended(h)) {
        leat_status status = harness_end(h, 0);
        assert_true(status >= 0);
        if (status == LEAT_AGAIN && !harness_ended(h)) assert_true(harness_wait(h) >= 0);
    }
    expect(h, "4@6");
    expect(h, "6@7");
    expect_nothing(h);
    harness_free(h);
}

/* --- two phases ------------------------------------------------------------------------------- */

static harness *two_phase(void **state, toy_ledger *ledger) {
    leat_arg arg = leat_arg_of("ledger", LEAT_PARAM_POINTER);
    arg.as.pointer = ledger;
    return both_ways(state, harness_new(&toy_two_phase_operator, &arg, 1, NULL));
}

static void two_phase_toy_commits_what_a_complete_checkpoint_has(void **state) {
    (void)state;
    toy_ledger ledger = {.lock = PTHREAD_MUTEX_INITIALIZER};
    harness *h = two_phase(&(void *){NULL}, &ledger);
    push_int(h, 0, 1);
    push_int(h, 0, 2);
    assert_int_equal(harness_barrier(h, 1), LEAT_OK);
    push_int(h, 0, 4);
    assert_int_equal(ledger.count, 0);
    assert_int_equal(harness_barrier(h, 2), LEAT_OK); /* 1 was not completed: both are with 2 */
    push_int(h, 0, 8);
    assert_int_equal(harness_complete(h, 2), LEAT_OK);
    assert_int_equal(ledger.sum, 7);
    assert_int_equal(harness_complete(h, 2), LEAT_OK); /* once is enough */
    assert_int_equal(ledger.sum, 7);
    harness_free(h);
    assert_int_equal(ledger.sum, 7);
    assert_int_equal(ledger.rolled_back, 1);
}

static void two_phase_toy_revived_doubles_and_loses_nothing(void **state) {
    (void)state;
    toy_ledger ledger = {.lock = PTHREAD_MUTEX_INITIALIZER};
    harness *h = two_phase(&(void *){&ledger}, &ledger);
    for (int64_t i = 0; i < 8; i++) push_int(h, 0, 1 << i);
    assert_int_equal(ledger.sum, 255);
    assert_int_equal(ledger.count, 8);
    assert_int_equal(ledger.rolled_back, 0);
    harness_free(h);
}

/* --- a source that blocks --------------------------------------------------------------------- */

static void blocking_toy_waits_and_goes_on(void **state) {
    toy_well well = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
    leat_arg arg = leat_arg_of("well", LEAT_PARAM_POINTER);
    arg.as.pointer = &well;
    harness *h = both_ways(state, harness_new(&toy_blocking_operator, &arg, 1, NULL));
    assert_int_equal(harness_poll(h), LEAT_AGAIN);
    toy_well_fill(&well, 3, false);
    while (harness_count(h) < 3) {
        harness_wait(h);
        assert_true(harness_poll(h) >= 0);
    }
    toy_well_fill(&well, 5, true);
    while (harness_poll(h) != LEAT_DONE) harness_wait(h);
    static const char *const numbers[] = {"0", "1", "2", "3", "4"};
    for (int i = 0; i < 5; i++) expect(h, numbers[i]);
    expect_nothing(h);
    harness_free(h);
    assert_int_equal(well.drawers, 0);
}

/* --- an endless yield ------------------------------------------------------------------------- */

static harness *endless(int64_t limit, atomic_int *closed) {
    leat_arg args[] = {leat_arg_int("limit", limit), leat_arg_of("closed", LEAT_PARAM_POINTER)};
    args[1].as.pointer = closed;
    harness *h = harness_new(&toy_endless_operator, args, 2, NULL);
    harness_side(h, "control");
    return h;
}

static void endless_toy_yields_only_what_fits(void **state) {
    (void)state;
    atomic_int closed = 0;
    harness *h = endless(-1, &closed);
    leat_value seven = leat_int(7);
    for (int room = 1; room < 40; room++) {
        harness_room(h, room);
        assert_int_equal(room > 1 ? harness_drive(h) : harness_push(h, 0, &seven, 5), LEAT_AGAIN);
        assert_int_equal(harness_count(h), room);
        while (harness_next(h)) {}
    }
    assert_int_equal(closed, 0);
    harness_free(h);
    assert_int_equal(closed, 1);
}

static void endless_toy_keeps_the_other_input_waiting(void **state) {
    (void)state;
    atomic_int closed = 0;
    harness *h = endless(3, &closed);
    leat_value one = leat_int(1), two = leat_int(2), nine = leat_int(9);
    harness_room(h, 1);
    assert_int_equal(harness_push(h, 0, &one, 10), LEAT_AGAIN);
    assert_int_equal(harness_push(h, 1, &nine, 11), LEAT_AGAIN);
    assert_int_equal(harness_watermark(h, 0, 20), LEAT_AGAIN);
    assert_int_equal(harness_watermark(h, 1, 15), LEAT_AGAIN);
    expect(h, "1@10");
    expect_nothing(h);
    harness_room(h, -1);
    assert_int_equal(harness_drive(h), LEAT_OK);
    assert_int_equal(harness_push(h, 0, &two, 30), LEAT_OK);
    static const char *const rest[] = {"1@10", "1@10", "control:9@11", "watermark 15",
                                       "2@30", "2@30", "2@30"};
    for (int i = 0; i < 7; i++) expect(h, rest[i]);
    expect_nothing(h);
    assert_int_equal(closed, 2);
    harness_free(h);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        BOTH_WAYS(session_toy_merges_what_a_record_joins),
        BOTH_WAYS(session_toy_fires_the_rest_at_the_end),
        BOTH_WAYS(session_toy_puts_late_records_aside),
        BOTH_WAYS(session_toy_fires_one_by_one_as_there_is_room),
        BOTH_WAYS(async_toy_answers_in_order),
        BOTH_WAYS(async_toy_holds_watermark_and_end_until_all_is_answered),
        cmocka_unit_test(two_phase_toy_commits_what_a_complete_checkpoint_has),
        cmocka_unit_test(two_phase_toy_revived_doubles_and_loses_nothing),
        BOTH_WAYS(blocking_toy_waits_and_goes_on),
        cmocka_unit_test(endless_toy_yields_only_what_fits),
        cmocka_unit_test(endless_toy_keeps_the_other_input_waiting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
