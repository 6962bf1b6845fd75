/* Tests of process.c, co_process.c, co_map.c and co_flat_map.c: the function sees the input's number and
   emits to the main and to side outputs. */
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

int main(void) {
    const struct CMUnitTest tests[] = {
        BOTH_WAYS(process_emits_to_main_and_side), BOTH_WAYS(keyed_process_sees_the_key),
        BOTH_WAYS(co_process_sees_the_input),      BOTH_WAYS(keyed_co_process_sees_the_input),
        BOTH_WAYS(co_map_sees_the_input),          BOTH_WAYS(co_flat_map_sees_the_input),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
