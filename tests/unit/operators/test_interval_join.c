/* Tests of interval_join.c: bounds, order of pairs, cursors, late records, clean-up, wrong use. */
#include "expect.h"
#include "gather.h"
#include "leat/stream.h"
#include "runtime/flow/chain.h"

#include <stdio.h>

/* Emits "left+right" of the second fields, and the times of both. */
static leat_status pair_up(leat_context *ctx, const leat_value *first, const leat_value *second,
                           leat_emitter *out, void *arg) {
    (void)arg;
    char text[80];
    int64_t left, right;
    leat_context_times(ctx, &left, &right);
    snprintf(text, sizeof text, "%d+%d %d:%d", (int)first->as.items[1].as.i,
             (int)second->as.items[1].as.i, (int)left, (int)right);
    leat_value v = leat_string(text);
    return leat_emitter_push(out, &v);
}

static leat_status first_field(leat_context *ctx, const leat_record *in, leat_value *key,
                               void *arg) {
    (void)ctx, (void)arg;
    *key = in->value.as.items[0];
    return LEAT_OK;
}

typedef struct bounds {
    int64_t lower, upper;
    bool lower_exclusive, upper_exclusive, late;
} bounds;

static harness *joining(void **state, bounds b) {
    leat_function f = leat_join_fn(pair_up, NULL);
    leat_function keys[] = {leat_key_fn(first_field, NULL), leat_key_fn(first_field, NULL)};
    leat_arg args[] = {
        leat_arg_function("function", &f),
        leat_arg_int("lower", b.lower),
        leat_arg_int("upper", b.upper),
        leat_arg_int("lower_exclusive", b.lower_exclusive),
        leat_arg_int("upper_exclusive", b.upper_exclusive),
        leat_arg_string("left_late_tag", b.late ? "left late" : NULL),
        leat_arg_string("right_late_tag", b.late ? "right late" : NULL),
    };
    return both_ways(state, harness_new(&leat_interval_join_operator, args, 7, keys));
}

static leat_status push(harness *h, unsigned input, const char *key, int64_t number, int64_t time) {
    leat_value items[2] = {leat_string(key), leat_int(number)}, v = leat_tuple(items, 2);
    return harness_push(h, input, &v, time);
}

static void watermark(harness *h, int64_t time) {
    harness_watermark(h, 0, time);
    harness_watermark(h, 1, time);
    char text[40];
    snprintf(text, sizeof text, "watermark %d", (int)time);
    expect(h, text);
}

static void records_meet_within_the_bounds(void **state) {
    harness *h = joining(state, (bounds){.lower = -10, .upper = 5});
    push(h, 1, "a", 1, 89);
    push(h, 1, "a", 2, 90);
    push(h, 1, "a", 3, 100);
    push(h, 1, "a", 4, 105);
    push(h, 1, "a", 5, 106);
    push(h, 1, "b", 6, 100);
    expect_nothing(h);
    push(h, 0, "a", 10, 100);
    expect(h, "10+2 100:90@100");
    expect(h, "10+3 100:100@100");
    expect(h, "10+4 100:105@105");
    expect_nothing(h);
    push(h, 1, "a", 7, 95);
    expect(h, "10+7 100:95@100");
    push(h, 1, "a", 8, 89);
    push(h, 1, "a", 8, 106);
    expect_nothing(h);
    harness_free(h);
}

static void bounds_may_be_exclusive(void **state) {
    harness *h = joining(
        state, (bounds){.lower = 0, .upper = 10, .lower_exclusive = true, .upper_exclusive = true});
    push(h, 0, "a", 1, 100);
    for (int time = 100; time <= 110; time += 5) push(h, 1, "a", time, time);
    expect(h, "1+105 100:105@105");
    expect_nothing(h);
    harness_free(h);
    h = joining(state, (bounds){.lower = 0, .upper = 0, .lower_exclusive = true});
    push(h, 0, "a", 1, 100);
    push(h, 1, "a", 2, 100);
    expect_nothing(h);
    harness_free(h);
}

static void several_of_one_time_come_in_order(void **state) {
    harness *h = joining(state, (bounds){.lower = 0, .upper = 1});
    for (int i = 1; i <= 3; i++) push(h, 0, "a", i, 100);
    push(h, 0, "a", 4, 99);
    harness_room(h, 1);
    push(h, 1, "a", 9, 100);
    expect(h, "4+9 99:100@100");
    expect_nothing(h); /* pauses where there is no room */
    harness_room(h, -1);
    harness_drive(h);
    expect(h, "1+9 100:100@100");
    expect(h, "2+9 100:100@100");
    expect(h, "3+9 100:100@100");
    push(h, 1, "a", 8, 101);
    expect(h, "1+8 100:101@101");
    expect(h, "2+8 100:101@101");
    expect(h, "3+8 100:101@101");
    expect_nothing(h);
    harness_free(h);
}

static void late_records_go_aside(void **state) {
    harness *h = joining(state, (bounds){.lower = -10, .upper = 10, .late = true});
    harness_side(h, "left late");
    harness_side(h, "right late");
    push(h, 0, "a", 1, 100);
    watermark(h, 100);
    push(h, 0, "a", 2, 99);
    expect(h, "left late:(a,2)@99");
    push(h, 1, "a", 3, 99);
    expect(h, "right late:(a,3)@99");
    push(h, 1, "a", 4, 100);
    expect(h, "1+4 100:100@100");
    expect_nothing(h);
    harness_free(h);
    h = joining(state, (bounds){.lower = -10, .upper = 10});
    watermark(h, 100);
    push(h, 0, "a", 2, 99);
    expect_nothing(h);
    harness_free(h);
}

static size_t cells(harness *h) {
    leat_context *ctx = harness_context(h);
    return leati_table_count(ctx->tables[0]) + leati_table_count(ctx->tables[1]);
}

static void what_can_meet_nobody_is_forgotten(void **state) {
    harness *h = joining(state, (bounds){.lower = -10, .upper = 20});
    push(h, 0, "a", 1, 100);
    push(h, 1, "a", 2, 100);
    expect(h, "1+2 100:100@100");
    watermark(h, 109);
    assert_int_equal(cells(h), 2);
    watermark(h, 110); /* a right one meets left ones of up to ten later */
    assert_int_equal(cells(h), 1);
    push(h, 1, "a", 3, 120);
    expect(h, "1+3 100:120@120");
    watermark(h, 120);
    assert_int_equal(cells(h), 1);
    watermark(h, 130);
    assert_int_equal(cells(h), 0);
    harness_free(h);
}

static void bounds_on_one_side_only_clean_up(void **state) {
    harness *h = joining(state, (bounds){.lower = 5, .upper = 10});
    push(h, 0, "a", 1, 100);
    push(h, 1, "a", 2, 100);
    watermark(h, 100);
    assert_int_equal(cells(h), 1);
    push(h, 1, "a", 3, 107);
    expect(h, "1+3 100:107@107");
    watermark(h, 110);
    assert_int_equal(cells(h), 0);
    harness_free(h);
    h = joining(state, (bounds){.lower = -10, .upper = -5});
    push(h, 1, "a", 1, 100);
    push(h, 0, "a", 2, 100);
    watermark(h, 100);
    assert_int_equal(cells(h), 1);
    push(h, 0, "a", 3, 107);
    expect(h, "3+1 107:100@107");
    watermark(h, 110);
    assert_int_equal(cells(h), 0);
    harness_free(h);
}

static void times_at_the_ends_do_not_wrap(void **state) {
    harness *h = joining(state, (bounds){.lower = INT64_MIN, .upper = INT64_MAX});
    push(h, 0, "a", 1, INT64_MAX - 1);
    push(h, 1, "a", 2, INT64_MIN + 1);
    push(h, 1, "a", 3, INT64_MAX - 1);
    assert_int_equal(harness_count(h), 1); /* the second is too far from the first */
    harness_end(h, 0);
    harness_end(h, 1);
    harness_free(h);
}

static void wrong_use_is_refused(void **state) {
    (void)state;
    void *plain = NULL;
    harness *h = joining(&plain, (bounds){.lower = 0, .upper = 5});
    assert_int_equal(push(h, 0, "a", 1, LEAT_NO_TIME), LEAT_E_TYPE);
    assert_non_null(strstr(harness_failure(h), "Long.MIN_VALUE timestamp"));
    harness_free(h);
    h = joining(&plain, (bounds){.lower = 6, .upper = 5});
    assert_int_equal(push(h, 0, "a", 1, 1), LEAT_E_ARGUMENT);
    assert_non_null(strstr(harness_failure(h), "the lower bound 6 is above the upper bound 5"));
    harness_free(h);
}

static leat_status refuse(leat_context *ctx, const leat_value *first, const leat_value *second,
                          leat_emitter *out, void *arg) {
    (void)first, (void)second, (void)out, (void)arg;
    return leat_context_fail(ctx, LEAT_E_USER, "no");
}

static void a_function_that_fails_ends_it(void **state) {
    (void)state;
    leat_function f = leat_join_fn(refuse, NULL);
    leat_function keys[] = {leat_key_fn(first_field, NULL), leat_key_fn(first_field, NULL)};
    leat_arg args[] = {leat_arg_function("function", &f), leat_arg_int("lower", 0),
                       leat_arg_int("upper", 0)};
    harness *h = harness_new(&leat_interval_join_operator, args, 3, keys);
    push(h, 0, "a", 1, 5);
    push(h, 0, "a", 1, 5);
    assert_int_equal(push(h, 1, "a", 2, 5), LEAT_E_USER);
    assert_string_equal(harness_failure(h), "no");
    harness_free(h);
}

static leat_status own_time(leat_context *ctx, const leat_record *in, int64_t *time, void *arg) {
    (void)ctx, (void)arg;
    *time = in->value.as.i;
    return LEAT_OK;
}

static leat_status add_up(leat_context *ctx, const leat_value *first, const leat_value *second,
                          leat_emitter *out, void *arg) {
    (void)ctx, (void)arg;
    leat_value v = leat_int(1000 * first->as.i + second->as.i);
    return leat_emitter_push(out, &v);
}

static leat_status odd_or_even(leat_context *ctx, const leat_record *in, leat_value *key,
                               void *arg) {
    (void)ctx, (void)arg;
    *key = leat_int(in->value.as.i % 2);
    return LEAT_OK;
}

static void a_job_joins(void **state) {
    (void)state;
    gathered g;
    gathered_init(&g);
    leat_env *env = env_of(2, 2);
    leat_stream *sides[2];
    for (int i = 0; i < 2; i++) {
        leat_function time = leat_timestamp_fn(own_time, NULL);
        sides[i] = leat_stream_assign_timestamps(leat_env_sequence(env, 100, 299), time, 0);
        sides[i] = leat_stream_key_by(sides[i], leat_key_fn(odd_or_even, NULL));
    }
    leat_interval interval = leat_interval_between(-4, 4);
    interval.lower_exclusive = true;
    leat_stream *joined =
        leat_stream_interval_join(sides[0], sides[1], &interval, leat_join_fn(add_up, NULL));
    leat_stream_sink(joined, gathered_sink(&g));
    env_run(env);
    gathered_sort(&g);
    assert_int_equal(g.count, 200 + 2 * 198 + 196);
    assert_string_equal(g.lines[0], "100100@100");
    assert_string_equal(g.lines[1], "100102@102");
    assert_string_equal(g.lines[g.count - 1], "299299@299");
    leat_env_free(env);
    gathered_fini(&g);
}

static void streams_without_keys_are_refused(void **state) {
    (void)state;
    leat_error err;
    leat_env *env = leat_env_new(NULL, &err);
    leat_stream *a = leat_env_sequence(env, 1, 3), *b = leat_env_sequence(env, 1, 3);
    leat_interval interval = leat_interval_between(0, 1);
    leat_stream_interval_join(leat_stream_key_by(a, leat_field(0)), b, &interval,
                              leat_join_fn(pair_up, NULL));
    assert_true(leat_env_execute(env, "join", &err) < 0);
    assert_non_null(strstr(err.text, "key"));
    leat_env_free(env);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        BOTH_WAYS(records_meet_within_the_bounds),
        BOTH_WAYS(bounds_may_be_exclusive),
        BOTH_WAYS(several_of_one_time_come_in_order),
        BOTH_WAYS(late_records_go_aside),
        BOTH_WAYS(what_can_meet_nobody_is_forgotten),
        BOTH_WAYS(bounds_on_one_side_only_clean_up),
        BOTH_WAYS(times_at_the_ends_do_not_wrap),
        cmocka_unit_test(wrong_use_is_refused),
        cmocka_unit_test(a_function_that_fails_ends_it),
        cmocka_unit_test(a_job_joins),
        cmocka_unit_test(streams_without_keys_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
