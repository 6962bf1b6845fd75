/* Tests of function_source.c, function_sink.c and callback_sink.c. */
#include "expect.h"

typedef struct counter {
    int64_t next, seen;
} counter;

static leat_status count_to_three(leat_context *ctx, leat_emitter *out, void *arg) {
    (void)ctx;
    counter *c = arg;
    if (c->next == 3) return LEAT_DONE;
    c->next++;
    leat_record r = leat_record_of(leat_int(c->next), c->next * 10);
    return leat_emitter_push_record(out, &r);
}

static leat_status add_up(leat_context *ctx, const leat_record *in, void *arg) {
    (void)ctx;
    ((counter *)arg)->seen += in->value.as.i;
    return LEAT_OK;
}

static void function_source_gives_what_it_emits(void **state) {
    (void)state;
    counter c = {0, 0};
    leat_function f = leat_source_fn(count_to_three, &c);
    leat_arg arg = leat_arg_function("function", &f);
    harness *h = harness_new(&leat_function_source_operator, &arg, 1, NULL);
    assert_int_equal(harness_poll(h), LEAT_DONE);
    expect(h, "1@10");
    expect(h, "2@20");
    expect(h, "3@30");
    expect_nothing(h);
    harness_free(h);
}

/* A source that stands right behind even numbers only. */
static leat_status even_only(leat_context *ctx, int64_t checkpoint, void *arg) {
    const counter *c = arg;
    (void)ctx;
    assert_in_range(checkpoint, 7, 8);
    return c->next % 2 ? LEAT_AGAIN : LEAT_OK;
}

static void barrier_waits_until_the_source_is_ready(void **state) {
    (void)state;
    counter c = {0, 0};
    leat_function f = leat_source_fn(count_to_three, &c);
    f.on_barrier = even_only;
    leat_arg arg = leat_arg_function("function", &f);
    harness *h = harness_new(&leat_function_source_operator, &arg, 1, NULL);
    harness_room(h, 1);
    assert_int_equal(harness_poll(h), LEAT_AGAIN);
    expect(h, "1@10");
    harness_barrier(h, 7);
    expect_nothing(h);
    harness_barrier(h, 8); /* takes the place of the other */
    harness_room(h, -1);
    harness_drive(h);
    expect(h, "2@20");
    expect(h, "barrier 8");
    expect(h, "3@30");
    expect_nothing(h);
    harness_free(h);
}

static leat_status never_ready(leat_context *ctx, int64_t checkpoint, void *arg) {
    (void)checkpoint;
    (void)arg;
    return leat_context_fail(ctx, LEAT_E_IO, "the meter is broken");
}

static void barrier_that_fails_fails_the_source(void **state) {
    (void)state;
    counter c = {0, 0};
    leat_function f = leat_source_fn(count_to_three, &c);
    f.on_barrier = never_ready;
    leat_arg arg = leat_arg_function("function", &f);
    harness *h = harness_new(&leat_function_source_operator, &arg, 1, NULL);
    assert_int_equal(harness_barrier(h, 7), LEAT_E_IO);
    assert_string_equal(harness_failure(h), "the meter is broken");
    harness_free(h);
}

static void sink_gets_each_record(const leat_operator *op) {
    counter c = {0, 0};
    leat_function f = leat_sink_fn(add_up, &c);
    leat_arg arg = leat_arg_function("function", &f);
    harness *h = harness_new(op, &arg, 1, NULL);
    push_int(h, 0, 4);
    push_int(h, 0, 5);
    assert_true(harness_end(h, 0) >= 0);
    assert_int_equal(c.seen, 9);
    harness_free(h);
}

static void function_sink_gets_each_record(void **state) {
    (void)state;
    sink_gets_each_record(&leat_function_sink_operator);
}

static void callback_sink_gets_each_record(void **state) {
    (void)state;
    sink_gets_each_record(&leat_callback_sink_operator);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(function_source_gives_what_it_emits),
        cmocka_unit_test(barrier_waits_until_the_source_is_ready),
        cmocka_unit_test(barrier_that_fails_fails_the_source),
        cmocka_unit_test(function_sink_gets_each_record),
        cmocka_unit_test(callback_sink_gets_each_record),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
