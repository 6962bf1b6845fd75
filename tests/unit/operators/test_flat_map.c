/* Tests of flat_map.c: results from the emitter and from a cursor, which waits for room. */
#include "expect.h"

#include <stdlib.h>

/* Emits i, i times. */
static leat_status repeat(leat_context *ctx, const leat_record *in, leat_emitter *out, void *arg) {
    (void)ctx, (void)arg;
    leat_status status = LEAT_OK;
    for (int64_t i = 0; i < in->value.as.i && status >= 0; i++)
        status = leat_emitter_push(out, &in->value);
    return status;
}

typedef struct countdown {
    leat_cursor cursor; /* first */
    int64_t left;
} countdown;

static leat_status countdown_advance(leat_context *ctx, leat_cursor *cursor, leat_emitter *out) {
    (void)ctx;
    countdown *c = (countdown *)(void *)cursor;
    if (c->left == 0) return LEAT_DONE;
    leat_value v = leat_int(c->left--);
    return leat_emitter_push(out, &v);
}

static int closed;

static void countdown_close(leat_context *ctx, leat_cursor *cursor) {
    (void)ctx;
    closed++;
    free(cursor);
}

static leat_status count_down(leat_context *ctx, const leat_record *in, leat_emitter *out,
                              void *arg) {
    (void)ctx, (void)arg;
    countdown *c = malloc(sizeof *c);
    if (!c) return LEAT_E_NOMEM;
    c->cursor = (leat_cursor){countdown_advance, countdown_close};
    c->left = in->value.as.i;
    return leat_emitter_cursor(out, &c->cursor);
}

static harness *harness_of(void **state, leat_flat_map_call call) {
    leat_function f = leat_flat_map_fn(call, NULL);
    leat_arg arg = leat_arg_function("function", &f);
    return both_ways(state, harness_new(&leat_flat_map_operator, &arg, 1, NULL));
}

static void flat_map_emitter_takes_any_number(void **state) {
    harness *h = harness_of(state, repeat);
    push_int(h, 0, 0);
    push_int(h, 0, 2);
    push_int(h, 0, 1);
    expect(h, "2");
    expect(h, "2");
    expect(h, "1");
    expect_nothing(h);
    harness_free(h);
}

static void flat_map_cursor_is_driven_to_its_end(void **state) {
    harness *h = harness_of(state, count_down);
    closed = 0;
    leat_value three = leat_int(3);
    assert_int_equal(harness_push(h, 0, &three, 9), LEAT_OK);
    expect(h, "3@9");
    expect(h, "2@9");
    expect(h, "1@9");
    expect_nothing(h);
    assert_int_equal(closed, 1);
    harness_free(h);
}

static void flat_map_cursor_waits_for_room(void **state) {
    (void)state;
    leat_function f = leat_flat_map_fn(count_down, NULL);
    leat_arg arg = leat_arg_function("function", &f);
    harness *h = harness_new(&leat_flat_map_operator, &arg, 1, NULL);
    closed = 0;
    harness_room(h, 2);
    leat_value four = leat_int(4);
    assert_true(harness_push(h, 0, &four, LEAT_NO_TIME) >= 0);
    assert_int_equal(harness_count(h), 2);
    assert_int_equal(closed, 0);
    harness_room(h, -1);
    assert_true(harness_drive(h) >= 0);
    assert_int_equal(harness_count(h), 4);
    assert_int_equal(closed, 1);
    harness_free(h);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        BOTH_WAYS(flat_map_emitter_takes_any_number),
        BOTH_WAYS(flat_map_cursor_is_driven_to_its_end),
        cmocka_unit_test(flat_map_cursor_waits_for_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
