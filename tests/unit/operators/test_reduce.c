/* Tests of reduce.c: the first value as it is, without a call; then the function's results,
   by key. */
#include "expect.h"

static int calls;

/* (key, a) and (key, b): (key, a * 10 + b). */
static leat_status append(leat_context *ctx, const leat_value *a, const leat_value *b,
                          leat_value *out, void *arg) {
    (void)arg;
    calls++;
    leat_value *items = leat_context_alloc(ctx, 2 * sizeof *items);
    if (!items) return LEAT_E_NOMEM;
    items[0] = a->as.items[0]; /* points into the old state */
    items[1] = leat_int(a->as.items[1].as.i * 10 + b->as.items[1].as.i);
    *out = leat_tuple(items, 2);
    return LEAT_OK;
}

static leat_status keep_first(leat_context *ctx, const leat_value *a, const leat_value *b,
                              leat_value *out, void *arg) {
    (void)ctx, (void)b, (void)arg;
    *out = *a; /* the old state itself */
    return LEAT_OK;
}

static harness *harness_of(void **state, leat_reduce_call call) {
    leat_function f = leat_reduce_fn(call, NULL), key = leat_field(0);
    leat_arg arg = leat_arg_function("function", &f);
    return both_ways(state, harness_new(&leat_reduce_operator, &arg, 1, &key));
}

static void reduce_by_key_emits_each_step(void **state) {
    harness *h = harness_of(state, append);
    calls = 0;
    push_pair(h, 0, "a", 1);
    push_pair(h, 0, "b", 7);
    assert_int_equal(calls, 0);
    push_pair(h, 0, "a", 2);
    push_pair(h, 0, "a", 3);
    push_pair(h, 0, "b", 8);
    assert_int_equal(calls, 3);
    expect(h, "(a,1)");
    expect(h, "(b,7)");
    expect(h, "(a,12)");
    expect(h, "(a,123)");
    expect(h, "(b,78)");
    expect_nothing(h);
    harness_free(h);
}

static void reduce_result_that_is_the_state_survives(void **state) {
    harness *h = harness_of(state, keep_first);
    for (int64_t i = 1; i < 4; i++) push_pair(h, 0, "a key that is no small string", i);
    for (int i = 1; i < 4; i++) expect(h, "(a key that is no small string,1)");
    expect_nothing(h);
    harness_free(h);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        BOTH_WAYS(reduce_by_key_emits_each_step),
        BOTH_WAYS(reduce_result_that_is_the_state_survives),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
