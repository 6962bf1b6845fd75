/* Tests of process.c, co_process.c, co_map.c and co_flat_map.c: the function sees the input's
   number and emits to the main and to side outputs. */
#include "expect.h"

#include <stdio.h>

/* Emits "input:value", odd numbers also to the side. */
static leat_status tell(leat_context *ctx, unsigned input, const leat_record *in, leat_emitter *out,
                        void *arg) {
    (void)ctx, (void)arg;
    char text[40];
    snprintf(text, sizeof text, "%u:%d", input, (int)in->value.as.i);
    leat_value v = leat_string(text);
    leat_status status = leat_emitter_push(out, &v);
    if (status >= 0 && in->value.as.i % 2) status = leat_emitter_side(out, "odd", &in->value);
    return status;
}

static void process_emits_to_main_and_side(void **state) {
    leat_function f = leat_process_fn(tell, NULL);
    leat_arg arg = leat_arg_function("function", &f);
    harness *h = both_ways(state, harness_new(&leat_process_operator, &arg, 1, NULL));
    harness_side(h, "odd");
    push_int(h, 0, 2);
    push_int(h, 0, 3);
    expect(h, "0:2");
    expect(h, "0:3");
    expect(h, "odd:3");
    expect_nothing(h);
    harness_free(h);
}

static void keyed_process_sees_the_key(void **state) {
    leat_function f = leat_process_fn(tell, NULL), key = leat_field(0);
    leat_arg arg = leat_arg_function("function", &f);
    harness *h = both_ways(state, harness_new(&leat_keyed_process_operator, &arg, 1, &key));
    push_int(h, 0, 4);
    expect(h, "0:4");
    harness_free(h);
}

static void two_inputs(void **state, const leat_operator *op, leat_role role,
                       const leat_function *keys) {
    leat_function f = leat_process_fn(tell, NULL);
    f.role = role;
    leat_arg arg = leat_arg_function("function", &f);
    harness *h = both_ways(state, harness_new(op, &arg, 1, keys));
    push_int(h, 0, 2);
    push_int(h, 1, 4);
    push_int(h, 0, 6);
    expect(h, "0:2");
    expect(h, "1:4");
    expect(h, "0:6");
    expect_nothing(h);
    harness_free(h);
}

static void co_process_sees_the_input(void **state) {
    two_inputs(state, &leat_co_process_operator, LEAT_ROLE_CO_PROCESS, NULL);
}

static void keyed_co_process_sees_the_input(void **state) {
    leat_function keys[2] = {leat_field(0), leat_field(0)};
    two_inputs(state, &leat_keyed_co_process_operator, LEAT_ROLE_CO_PROCESS, keys);
}

static void co_map_sees_the_input(void **state) {
    two_inputs(state, &leat_co_map_operator, LEAT_ROLE_CO_MAP, NULL);
}

static void co_flat_map_sees_the_input(void **state) {
    two_inputs(state, &leat_co_flat_map_operator, LEAT_ROLE_CO_FLAT_MAP, NULL);
}

/* A record n sets event timers at n, twice, and at n + 1, and takes the latter back; negative ones
   set one of processing time at -n. */
static leat_status set_timers(leat_context *ctx, unsigned input, const leat_record *in,
                              leat_emitter *out, void *arg) {
    (void)input, (void)out, (void)arg;
    int64_t n = in->value.as.i;
    leat_timer timer = {.domain = n < 0 ? LEAT_PROCESSING_TIME : LEAT_EVENT_TIME};
    timer.time = n < 0 ? -n : n;
    leat_status status = leat_timer_set(ctx, &timer);
    if (status >= 0) status = leat_timer_set(ctx, &timer);
    timer.time++;
    if (status >= 0) status = leat_timer_set(ctx, &timer);
    return status < 0 ? status : leat_timer_remove(ctx, &timer);
}

/* Emits the key; what fired below 100 sets another one 100 later. */
static leat_status tell_timer(leat_context *ctx, const leat_timer *timer, leat_emitter *out,
                              void *arg) {
    (void)arg;
    leat_timer next = {.domain = timer->domain, .time = timer->time + 100};
    leat_status status = leat_emitter_push(out, leat_context_key(ctx));
    return status < 0 || timer->time >= 100 ? status : leat_timer_set(ctx, &next);
}

static void timers_fire_by_watermarks_in_order(void **state) {
    leat_function f = leat_keyed_process_fn(set_timers, tell_timer, NULL), key = leat_field(0);
    leat_arg arg = leat_arg_function("function", &f);
    harness *h = both_ways(state, harness_new(&leat_keyed_process_operator, &arg, 1, &key));
    push_int(h, 0, 9);
    push_int(h, 0, 5);
    push_int(h, 0, 5);
    expect_nothing(h);
    assert_int_equal(harness_watermark(h, 0, 8), LEAT_OK);
    expect(h, "5@5");
    expect(h, "watermark 8");
    assert_int_equal(harness_end(h, 0), LEAT_OK);
    expect(h, "9@9");
    expect(h, "5@105");
    expect(h, "9@109");
    expect_nothing(h);
    harness_free(h);
}

static void timers_fire_by_the_clock(void **state) {
    leat_function f = leat_keyed_co_process_fn(set_timers, tell_timer, NULL);
    leat_function keys[2] = {leat_field(0), leat_field(0)};
    leat_arg arg = leat_arg_function("function", &f);
    harness *h = both_ways(state, harness_new(&leat_keyed_co_process_operator, &arg, 1, keys));
    push_int(h, 0, -3);
    push_int(h, 1, -2);
    assert_true(harness_clock(h, 2) >= 0);
    expect(h, "-2@2");
    expect_nothing(h);
    assert_true(harness_clock(h, 110) >= 0);
    expect(h, "-3@3");
    expect(h, "-2@102");
    expect(h, "-3@103");
    expect_nothing(h);
    harness_free(h);
}

static void timers_need_a_key_and_a_hook(void **state) {
    (void)state;
    leat_function f = leat_keyed_process_fn(set_timers, tell_timer, NULL), key = leat_field(0);
    leat_arg arg = leat_arg_function("function", &f);
    leat_value one = leat_int(1);
    harness *h = harness_new(&leat_process_operator, &arg, 1, NULL);
    assert_int_equal(harness_push(h, 0, &one, LEAT_NO_TIME), LEAT_E_STATE);
    assert_non_null(strstr(harness_failure(h), "call key_by first"));
    harness_free(h);
    h = harness_new(&leat_process_operator, &arg, 1, &key);
    assert_int_equal(harness_push(h, 0, &one, LEAT_NO_TIME), LEAT_E_STATE);
    assert_non_null(strstr(harness_failure(h), "without on_timer"));
    harness_free(h);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        BOTH_WAYS(process_emits_to_main_and_side),
        BOTH_WAYS(keyed_process_sees_the_key),
        BOTH_WAYS(co_process_sees_the_input),
        BOTH_WAYS(keyed_co_process_sees_the_input),
        BOTH_WAYS(co_map_sees_the_input),
        BOTH_WAYS(co_flat_map_sees_the_input),
        BOTH_WAYS(timers_fire_by_the_clock),
        BOTH_WAYS(timers_fire_by_watermarks_in_order),
        cmocka_unit_test(timers_need_a_key_and_a_hook),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
