/* Tests of async.c: order, capacity, time limits, attempts, batches, and what is under way at the
   end and in snapshots. The test gives the answers. */
#include "expect.h"

#include <stdio.h>
#include <stdlib.h>

/* --- a service whose answers the test gives --------------------------------------------------- */

enum { MOST_CALLS = 256 };

typedef struct asked {
    int64_t first;
    size_t count;
    leat_async_call *call; /* NULL: answered or cancelled */
    bool of_timeout;
} asked;

typedef struct service {
    asked calls[MOST_CALLS];
    int count, cancelled, attempts[MOST_CALLS];
} service;

static leat_status take_call(service *s, const leat_record *in, size_t count, leat_async_call *call,
                             bool of_timeout) {
    assert_true(s->count < MOST_CALLS);
    s->attempts[s->count] = leat_async_attempt(call);
    s->calls[s->count++] = (asked){in->value.as.i, count, call, of_timeout};
    return LEAT_OK;
}

static leat_status service_begin(leat_context *ctx, const leat_record *in, size_t count,
                                 leat_async_call *call, void *self) {
    (void)ctx;
    return take_call(self, in, count, call, false);
}

static leat_status service_timeout(leat_context *ctx, const leat_record *in, size_t count,
                                   leat_async_call *call, void *self) {
    (void)ctx;
    return take_call(self, in, count, call, true);
}

static void service_cancel(leat_context *ctx, leat_async_call *call, void *self) {
    (void)ctx;
    service *s = self;
    for (int i = 0; i < s->count; i++) {
        if (s->calls[i].call != call) continue;
        s->calls[i].call = NULL;
        s->cancelled++;
        assert_int_equal(leat_async_complete(call, NULL, 0), LEAT_OK);
        return;
    }
    fail_msg("an unknown call was cancelled");
}

static const leat_async table = {.size = sizeof(leat_async),
                                 .begin = service_begin,
                                 .timeout = service_timeout,
                                 .cancel = service_cancel};
static const leat_async table_without_timeout = {
    .size = sizeof(leat_async), .begin = service_begin, .cancel = service_cancel};

/* Takes the call that is under way for a record; fails the test when there is none. */
static leat_async_call *call_for(service *s, int64_t first) {
    for (int i = s->count; i-- > 0;) {
        leat_async_call *call = s->calls[i].call;
        if (s->calls[i].first != first || !call) continue;
        s->calls[i].call = NULL;
        return call;
    }
    fail_msg("no call is under way for %lld", (long long)first);
    return NULL;
}

static int under_way(const service *s) {
    int count = 0;
    for (int i = 0; i < s->count; i++) count += s->calls[i].call != NULL;
    return count;
}

/* `count` results: the record times ten, and more of it. */
static void answer(service *s, harness *h, int64_t first, size_t count) {
    leat_value values[8];
    for (size_t i = 0; i < count; i++) values[i] = leat_int(10 * first + (int64_t)i);
    assert_int_equal(leat_async_complete(call_for(s, first), values, count), LEAT_OK);
    assert_true(harness_drive(h) >= 0);
}

/* --- operators -------------------------------------------------------------------------------- */

typedef struct setting {
    bool ordered;
    int64_t timeout, capacity, batch_size, batch_timeout;
    const leat_async *table;
} setting;

static harness *async_of(void **state, service *s, setting w) {
    leat_function f = leat_async_fn(w.table ? w.table : &table, s);
    leat_arg args[] = {leat_arg_function("function", &f),
                       leat_arg_int("ordered", w.ordered),
                       leat_arg_int("timeout", w.timeout),
                       leat_arg_int("capacity", w.capacity ? w.capacity : 100),
                       leat_arg_int("batch_size", w.batch_size),
                       leat_arg_int("batch_timeout", w.batch_timeout)};
    return both_ways(state, harness_new(&leat_async_operator, args, 6, NULL));
}

/* LEAT_AGAIN: the operator holds its task. */
static leat_status push_at(harness *h, int64_t i, int64_t time) {
    leat_value v = leat_int(i);
    leat_status status = harness_push(h, 0, &v, time);
    assert_true(status >= 0);
    return status;
}

static void pushes(harness *h, int64_t from, int64_t to) {
    for (int64_t i = from; i <= to; i++) push_at(h, i, i);
}

/* --- order ------------------------------------------------------------------------------------ */

static void ordered_results_come_in_the_order_of_records(void **state) {
    service s = {.count = 0};
    harness *h = async_of(state, &s, (setting){.ordered = true});
    pushes(h, 1, 4);
    answer(&s, h, 3, 1);
    answer(&s, h, 2, 2);
    expect_nothing(h);
    answer(&s, h, 1, 1);
    expect(h, "10@1");
    expect(h, "20@2");
    expect(h, "21@2");
    expect(h, "30@3");
    expect_nothing(h);
    answer(&s, h, 4, 0);
    expect_nothing(h);
    assert_int_equal(harness_end(h, 0), LEAT_OK);
    assert_true(harness_ended(h));
    harness_free(h);
}

static void unordered_results_come_as_they_are_answered(void **state) {
    service s = {.count = 0};
    harness *h = async_of(state, &s, (setting){.ordered = false});
    pushes(h, 1, 3);
    answer(&s, h, 3, 2);
    expect(h, "30@3");
    expect(h, "31@3");
    answer(&s, h, 1, 1);
    answer(&s, h, 2, 1);
    expect(h, "10@1");
    expect(h, "20@2");
    expect_nothing(h);
    harness_free(h);
}

static void unordered_results_cross_no_watermark(void **state) {
    (void)state;
    service s = {.count = 0};
    harness *h = async_of(&(void *){NULL}, &s, (setting){.ordered = false});
    pushes(h, 1, 2);
    assert_int_equal(harness_watermark(h, 0, 2), LEAT_OK);
    pushes(h, 3, 4);
    assert_int_equal(harness_watermark(h, 0, 4), LEAT_OK);
    assert_int_equal(harness_watermark(h, 0, 5), LEAT_OK);
    pushes(h, 6, 6);
    answer(&s, h, 6, 1);
    answer(&s, h, 4, 1);
    answer(&s, h, 2, 1);
    expect(h, "20@2");
    expect_nothing(h);
    answer(&s, h, 3, 1);
    expect_nothing(h);
    answer(&s, h, 1, 1);
    static const char *const rest[] = {"10@1", "watermark 2", "40@4",
                                       "30@3", "watermark 5", "60@6"};
    for (int i = 0; i < 6; i++) expect(h, rest[i]);
    expect_nothing(h);
    assert_int_equal(harness_watermark(h, 0, 7), LEAT_OK);
    expect(h, "watermark 7");
    harness_free(h);
}

static void watermarks_wait_for_results(void **state) {
    service s = {.count = 0};
    harness *h = async_of(state, &s, (setting){.ordered = true});
    assert_int_equal(harness_watermark(h, 0, 0), LEAT_OK);
    expect(h, "watermark 0");
    pushes(h, 1, 1);
    assert_int_equal(harness_watermark(h, 0, 1), LEAT_OK);
    pushes(h, 2, 2);
    assert_int_equal(harness_watermark(h, 0, 2), LEAT_OK);
    expect_nothing(h);
    answer(&s, h, 1, 1);
    expect(h, "10@1");
    expect(h, "watermark 1");
    expect_nothing(h);
    answer(&s, h, 2, 1);
    expect(h, "20@2");
    expect(h, "watermark 2");
    expect_nothing(h);
    harness_free(h);
}

static void idleness_waits_for_results(void **state) {
    (void)state;
    service s = {.count = 0};
    harness *h = async_of(&(void *){NULL}, &s, (setting){.ordered = true});
    pushes(h, 1, 1);
    assert_int_equal(harness_idle(h, 0, true), LEAT_OK);
    expect_nothing(h);
    answer(&s, h, 1, 1);
    expect(h, "10@1");
    expect(h, "idle");
    assert_int_equal(harness_idle(h, 0, false), LEAT_OK);
    expect(h, "active");
    expect_nothing(h);
    harness_free(h);
}

/* --- the end ---------------------------------------------------------------------------------- */

static void the_end_waits_for_results_and_watermarks_do_not_wait_for_it(void **state) {
    service s = {.count = 0};
    harness *h = async_of(state, &s, (setting){.ordered = true});
    pushes(h, 1, 1);
    assert_int_equal(harness_watermark(h, 0, 1), LEAT_OK);
    pushes(h, 2, 2);
    assert_int_equal(harness_end(h, 0), LEAT_AGAIN);
    answer(&s, h, 1, 1);
    expect(h, "10@1");
    expect(h, "watermark 1");
    expect_nothing(h);
    assert_false(harness_ended(h));
    answer(&s, h, 2, 1);
    expect(h, "20@2");
    expect_nothing(h);
    assert_true(harness_ended(h));
    harness_free(h);
}

static void calls_under_way_are_cancelled_at_the_close(void **state) {
    service s = {.count = 0};
    harness *h = async_of(state, &s, (setting){.ordered = true});
    pushes(h, 1, 3);
    int before = s.cancelled;
    harness_free(h);
    assert_int_equal(s.cancelled - before, 3);
    assert_int_equal(under_way(&s), 0);
}

static void answers_after_the_close_are_dropped(void **state) {
    (void)state;
    static const leat_async deaf = {.size = sizeof(leat_async), .begin = service_begin};
    service s = {.count = 0};
    harness *h = async_of(&(void *){NULL}, &s, (setting){.ordered = true, .table = &deaf});
    pushes(h, 1, 3);
    harness_free(h);
    leat_value v = leat_string("too late");
    assert_int_equal(leat_async_complete(call_for(&s, 1), &v, 1), LEAT_OK);
    assert_int_equal(leat_async_fail(call_for(&s, 2), LEAT_E_IO, &v), LEAT_OK);
    leat_async_retry(call_for(&s, 3), 5);
}

/* --- capacity --------------------------------------------------------------------------------- */

static void no_more_calls_are_under_way_than_the_capacity(void **state) {
    service s = {.count = 0};
    harness *h = async_of(state, &s, (setting){.ordered = true, .capacity = 2});
    pushes(h, 1, 2);
    assert_int_equal(push_at(h, 3, 3), LEAT_AGAIN);
    assert_int_equal(push_at(h, 4, 4), LEAT_AGAIN);
    assert_int_equal(under_way(&s), 2);
    answer(&s, h, 2, 1); /* not delivered, so it still counts */
    assert_int_equal(under_way(&s), 1);
    answer(&s, h, 1, 1);
    assert_int_equal(under_way(&s), 2);
    answer(&s, h, 3, 1);
    answer(&s, h, 4, 1);
    for (int64_t i = 1; i <= 4; i++) {
        char want[32];
        snprintf(want, sizeof want, "%d@%d", (int)i * 10, (int)i);
        expect(h, want);
    }
    harness_free(h);
}

static void results_go_out_one_by_one_as_there_is_room(void **state) {
    service s = {.count = 0};
    harness *h = async_of(state, &s, (setting){.ordered = false, .capacity = 2});
    harness_room(h, 1);
    pushes(h, 1, 2);
    leat_value values[3] = {leat_int(1), leat_int(2), leat_int(3)};
    assert_int_equal(leat_async_complete(call_for(&s, 1), values, 3), LEAT_OK);
    assert_true(harness_drive(h) >= 0);
    for (int room = 1; room < 4; room++) {
        assert_int_equal(harness_count(h), room);
        harness_room(h, 1);
        assert_true(harness_drive(h) >= 0);
    }
    assert_int_equal(harness_count(h), 3);
    assert_int_equal(under_way(&s), 1);
    harness_free(h);
}

/* --- time ------------------------------------------------------------------------------------- */

static void after_the_time_limit_the_timeout_answers(void **state) {
    (void)state;
    service s = {.count = 0};
    harness *h =
        async_of(&(void *){NULL}, &s, (setting){.ordered = true, .timeout = 100, .capacity = 2});
    assert_int_equal(harness_clock(h, 1000), LEAT_OK);
    pushes(h, 1, 1);
    assert_int_equal(harness_clock(h, 1050), LEAT_OK);
    pushes(h, 2, 2); /* the task is held now */
    harness_clock(h, 1099);
    assert_int_equal(s.cancelled, 0);
    harness_clock(h, 1100);
    assert_int_equal(s.cancelled, 1);
    assert_int_equal(s.count, 3);
    assert_true(s.calls[2].of_timeout);
    assert_int_equal(s.calls[2].first, 1);
    answer(&s, h, 1, 2);
    expect(h, "10@1");
    expect(h, "11@1");
    answer(&s, h, 2, 1);
    expect(h, "20@2");
    harness_clock(h, 5000);
    assert_int_equal(s.count, 3);
    harness_free(h);
}

static void late_answers_are_ignored(void **state) {
    (void)state;
    static const leat_async deaf = {
        .size = sizeof(leat_async), .begin = service_begin, .timeout = service_timeout};
    service s = {.count = 0};
    harness *h =
        async_of(&(void *){NULL}, &s, (setting){.ordered = true, .timeout = 10, .table = &deaf});
    pushes(h, 1, 1);
    harness_clock(h, 10);
    leat_value in_time = leat_string("instead"), late = leat_string("late");
    assert_int_equal(leat_async_complete(call_for(&s, 1), &in_time, 1), LEAT_OK);
    assert_int_equal(leat_async_complete(call_for(&s, 1), &late, 1), LEAT_OK);
    assert_true(harness_drive(h) >= 0);
    expect(h, "instead@1");
    expect_nothing(h);
    harness_free(h);
}

static void without_a_timeout_the_time_limit_fails_the_job(void **state) {
    (void)state;
    service s = {.count = 0};
    harness *h =
        async_of(&(void *){NULL}, &s, (setting){.timeout = 10, .table = &table_without_timeout});
    pushes(h, 1, 1);
    assert_int_equal(harness_clock(h, 10), LEAT_E_TIMEOUT);
    assert_string_equal(harness_failure(h), "the call did not end within 10 ms");
    harness_free(h);
}

static void attempts_share_one_time_limit(void **state) {
    (void)state;
    service s = {.count = 0};
    harness *h = async_of(&(void *){NULL}, &s, (setting){.timeout = 100});
    pushes(h, 1, 1);
    leat_async_retry(call_for(&s, 1), 60);
    assert_true(harness_drive(h) >= 0);
    harness_clock(h, 59);
    assert_int_equal(s.count, 1);
    harness_clock(h, 60);
    assert_int_equal(s.count, 2);
    assert_int_equal(s.attempts[1], 2);
    leat_async_retry(call_for(&s, 1), 60);
    assert_true(harness_drive(h) >= 0);
    harness_clock(h, 100); /* between two attempts */
    assert_true(s.calls[2].of_timeout);
    answer(&s, h, 1, 1);
    harness_clock(h, 200);
    assert_int_equal(s.count, 3);
    expect(h, "10@1");
    expect_nothing(h);
    harness_free(h);
}

static void a_timeout_can_not_be_tried_again(void **state) {
    (void)state;
    service s = {.count = 0};
    harness *h = async_of(&(void *){NULL}, &s, (setting){.timeout = 1});
    pushes(h, 1, 1);
    harness_clock(h, 1);
    leat_async_retry(call_for(&s, 1), 0);
    assert_int_equal(harness_drive(h), LEAT_E_STATE);
    harness_free(h);
}

/* --- failures --------------------------------------------------------------------------------- */

static void a_failed_call_fails_the_job(void **state) {
    service s = {.count = 0};
    harness *h = async_of(state, &s, (setting){.ordered = true});
    pushes(h, 1, 2);
    leat_value why = leat_string("the service is down");
    assert_int_equal(leat_async_fail(call_for(&s, 2), LEAT_E_IO, &why), LEAT_OK);
    assert_int_equal(harness_drive(h), LEAT_E_IO);
    assert_string_equal(harness_failure(h), "the service is down");
    harness_free(h);
}

static void wrong_answers_are_refused(void **state) {
    (void)state;
    service s = {.count = 0};
    harness *h = async_of(&(void *){NULL}, &s, (setting){.ordered = true});
    pushes(h, 1, 1);
    leat_async_call *call = call_for(&s, 1);
    assert_int_equal(leat_async_complete(NULL, NULL, 0), LEAT_E_ARGUMENT);
    assert_int_equal(leat_async_complete(call, NULL, 1), LEAT_E_ARGUMENT);
    assert_int_equal(leat_async_fail(call, LEAT_OK, NULL), LEAT_E_ARGUMENT);
    assert_int_equal(leat_async_fail(call, LEAT_E_IO, NULL), LEAT_OK);
    assert_int_equal(harness_drive(h), LEAT_E_IO);
    assert_string_equal(harness_failure(h), "the call failed (LEAT_E_IO)");
    harness_free(h);
}

/* --- batches ---------------------------------------------------------------------------------- */

static void a_batch_is_one_call_with_a_result_for_each_record(void **state) {
    service s = {.count = 0};
    harness *h = async_of(state, &s, (setting){.ordered = true, .batch_size = 3});
    pushes(h, 1, 2);
    assert_int_equal(under_way(&s), 0);
    pushes(h, 3, 4);
    assert_int_equal(under_way(&s), 1);
    assert_int_equal(s.calls[s.count - 1].count, 3);
    answer(&s, h, 1, 3);
    expect(h, "10@1");
    expect(h, "11@2");
    expect(h, "12@3");
    expect_nothing(h);
    assert_int_equal(harness_end(h, 0), LEAT_AGAIN);
    assert_int_equal(s.calls[s.count - 1].count, 1);
    answer(&s, h, 4, 1);
    expect(h, "40@4");
    assert_true(harness_ended(h));
    harness_free(h);
}

static void a_batch_that_is_not_full_begins_after_its_time(void **state) {
    (void)state;
    service s = {.count = 0};
    harness *h = async_of(&(void *){NULL}, &s, (setting){.batch_size = 10, .batch_timeout = 50});
    harness_clock(h, 100);
    pushes(h, 1, 1);
    harness_clock(h, 140);
    pushes(h, 2, 2);
    harness_clock(h, 149);
    assert_int_equal(s.count, 0);
    harness_clock(h, 150);
    assert_int_equal(s.count, 1);
    assert_int_equal(s.calls[0].count, 2);
    answer(&s, h, 1, 2);
    expect(h, "10@1");
    expect(h, "11@2");
    pushes(h, 3, 3);
    harness_clock(h, 200);
    assert_int_equal(s.count, 2);
    answer(&s, h, 3, 1);
    expect(h, "30@3");
    harness_free(h);
}

static void watermarks_stand_between_the_records_of_a_batch(void **state) {
    (void)state;
    service s = {.count = 0};
    harness *h = async_of(&(void *){NULL}, &s, (setting){.batch_size = 2});
    pushes(h, 1, 1);
    assert_int_equal(harness_watermark(h, 0, 1), LEAT_OK);
    pushes(h, 2, 2);
    answer(&s, h, 1, 2);
    expect(h, "10@1");
    expect(h, "watermark 1");
    expect(h, "11@2");
    expect_nothing(h);
    harness_free(h);
}

static void a_batch_with_another_number_of_results_fails_the_job(void **state) {
    (void)state;
    service s = {.count = 0};
    harness *h = async_of(&(void *){NULL}, &s, (setting){.batch_size = 2});
    pushes(h, 1, 2);
    leat_value v = leat_int(1);
    assert_int_equal(leat_async_complete(call_for(&s, 1), &v, 1), LEAT_OK);
    assert_int_equal(harness_drive(h), LEAT_E_USER);
    assert_string_equal(harness_failure(h), "the batch function gave 1 results for 2 records; it "
                                            "must give one for each");
    harness_free(h);
}

/* --- snapshots -------------------------------------------------------------------------------- */

static void what_was_not_delivered_is_asked_again_first(void **state) {
    (void)state;
    service s = {.count = 0};
    harness *h = async_of(&(void *){NULL}, &s, (setting){.ordered = false, .capacity = 4});
    pushes(h, 1, 1);
    assert_int_equal(harness_watermark(h, 0, 1), LEAT_OK);
    pushes(h, 2, 3);
    answer(&s, h, 3, 1); /* waits for the watermark */
    assert_int_equal(harness_watermark(h, 0, 3), LEAT_OK);
    int before = s.count;
    harness_revive(h);
    assert_int_equal(s.cancelled, 2);
    assert_int_equal(s.count - before, 3);
    for (int i = 0; i < 3; i++) assert_int_equal(s.calls[before + i].first, i + 1);
    pushes(h, 4, 5); /* there is no room for the second yet */
    assert_int_equal(under_way(&s), 4);
    answer(&s, h, 3, 1);
    answer(&s, h, 1, 1);
    answer(&s, h, 2, 1);
    answer(&s, h, 5, 1);
    answer(&s, h, 4, 1);
    static const char *const want[] = {"10@1",        "watermark 1", "30@3", "20@2",
                                       "watermark 3", "50@5",        "40@4"};
    for (int i = 0; i < 7; i++) expect(h, want[i]);
    expect_nothing(h);
    harness_revive(h); /* with nothing under way */
    assert_int_equal(under_way(&s), 0);
    harness_free(h);
}

static void a_batch_that_was_being_gathered_survives(void **state) {
    (void)state;
    service s = {.count = 0};
    harness *h = async_of(&(void *){NULL}, &s, (setting){.ordered = true, .batch_size = 3});
    pushes(h, 1, 5);
    harness_revive(h);
    assert_int_equal(under_way(&s), 1);
    pushes(h, 6, 6);
    answer(&s, h, 4, 3);
    answer(&s, h, 1, 3);
    assert_int_equal(harness_count(h), 6);
    expect(h, "10@1");
    harness_free(h);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        BOTH_WAYS(ordered_results_come_in_the_order_of_records),
        BOTH_WAYS(unordered_results_come_as_they_are_answered),
        cmocka_unit_test(unordered_results_cross_no_watermark),
        BOTH_WAYS(watermarks_wait_for_results),
        cmocka_unit_test(idleness_waits_for_results),
        BOTH_WAYS(the_end_waits_for_results_and_watermarks_do_not_wait_for_it),
        BOTH_WAYS(calls_under_way_are_cancelled_at_the_close),
        cmocka_unit_test(answers_after_the_close_are_dropped),
        BOTH_WAYS(no_more_calls_are_under_way_than_the_capacity),
        BOTH_WAYS(results_go_out_one_by_one_as_there_is_room),
        cmocka_unit_test(after_the_time_limit_the_timeout_answers),
        cmocka_unit_test(late_answers_are_ignored),
        cmocka_unit_test(without_a_timeout_the_time_limit_fails_the_job),
        cmocka_unit_test(attempts_share_one_time_limit),
        cmocka_unit_test(a_timeout_can_not_be_tried_again),
        BOTH_WAYS(a_failed_call_fails_the_job),
        cmocka_unit_test(wrong_answers_are_refused),
        BOTH_WAYS(a_batch_is_one_call_with_a_result_for_each_record),
        cmocka_unit_test(a_batch_that_is_not_full_begins_after_its_time),
        cmocka_unit_test(watermarks_stand_between_the_records_of_a_batch),
        cmocka_unit_test(a_batch_with_another_number_of_results_fails_the_job),
        cmocka_unit_test(what_was_not_delivered_is_asked_again_first),
        cmocka_unit_test(a_batch_that_was_being_gathered_survives),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
