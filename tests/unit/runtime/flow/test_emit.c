/* Tests of emit.c: who hears what, copies at forks, and the order of cursors: only the
   innermost advances, what an earlier one still gives comes first, inputs are held, full
   outputs pause them. */
#include "rig.h"

#include <stdio.h>
#include <stdlib.h>

#include "fake_object.h"
#include "runtime/base/alloc.h"
#include "runtime/base/object.h"

/* --- operators -------------------------------------------------------------------------------- */

/* Logs "<name><value>" and passes the record on. */
static leat_status pass(leat_context *ctx, void *self, unsigned input, const leat_record *in) {
    (void)input;
    rig_log(rig_of(self), "%s%d", leat_context_name(ctx), (int)in->value.as.i);
    return leat_emit(ctx, in);
}

#define OPERATOR(variable, op_name, hook)   \
    static const leat_operator variable = { \
        .size = sizeof(leat_operator),      \
        .name = op_name,                    \
        .inputs = 1,                        \
        .self_size = sizeof(rig_self),      \
        .params = rig_params,               \
        .on_record = hook,                  \
    }

OPERATOR(a_operator, "a", pass);
OPERATOR(b_operator, "b", pass);
OPERATOR(c_operator, "c", pass);

/* Cursors that are the last thing of a call, in both ways that there are. */
static bool as_last;

static leat_status hand_over(leat_context *ctx, leat_cursor *cursor) {
    return as_last ? leat_emitter_cursor_last(leat_context_emitter(ctx), cursor)
                   : leat_context_cursor(ctx, cursor);
}

static int take_as_last(void **state) {
    (void)state;
    as_last = true;
    return 0;
}

static int take_later(void **state) {
    (void)state;
    as_last = false;
    return 0;
}
#define EITHER_WAY(test)                                         \
    cmocka_unit_test(test), {                                    \
#test " (as last)", test, take_as_last, take_later, NULL \
    }

/* A cursor that gives 10 * input + 1 ... 10 * input + `left`. */
typedef struct count {
    leat_cursor cursor; /* first */
    rig *r;
    int64_t base, given, left;
    bool last_with_done;
} count;

static leat_status count_advance(leat_context *ctx, leat_cursor *cursor, leat_emitter *out) {
    (void)ctx;
    count *c = (count *)(void *)cursor;
    if (c->given == c->left) return LEAT_DONE;
    leat_value v = leat_int(c->base * 10 + ++c->given);
    leat_status status = leat_emitter_push(out, &v);
    if (status < 0) return status;
    return c->last_with_done && c->given == c->left ? LEAT_DONE : LEAT_OK;
}

static void count_close(leat_context *ctx, leat_cursor *cursor) {
    count *c = (count *)(void *)cursor;
    rig_log(c->r, "%s-close%d", leat_context_name(ctx), (int)c->base);
    free(c);
}

static leat_cursor *count_new(rig *r, int64_t base, int64_t items) {
    count *c = calloc(1, sizeof *c);
    assert_non_null(c);
    c->cursor = (leat_cursor){count_advance, count_close};
    c->r = r;
    c->base = base;
    c->left = items;
    c->last_with_done = base % 2 == 0;
    return &c->cursor;
}

/* Opens a cursor of two items. */
static leat_status open_two(leat_context *ctx, void *self, unsigned input, const leat_record *in) {
    (void)input;
    rig *r = rig_of(self);
    rig_log(r, "%s%d", leat_context_name(ctx), (int)in->value.as.i);
    return hand_over(ctx, count_new(r, in->value.as.i, 2));
}

OPERATOR(two_operator, "two", open_two);
OPERATOR(pair_operator, "pair", open_two);

/* Emits its record twice from one call. */
static leat_status twice(leat_context *ctx, void *self, unsigned input, const leat_record *in) {
    (void)self;
    (void)input;
    leat_status status = leat_emitter_push_record(leat_context_emitter(ctx), in);
    leat_record next = *in;
    next.value.as.i++;
    if (status >= 0) status = leat_emitter_push_record(leat_context_emitter(ctx), &next);
    return status;
}

OPERATOR(twice_operator, "twice", twice);

/* --- listeners -------------------------------------------------------------------------------- */

static void emit_to_one_child_calls_it(void **state) {
    (void)state;
    rig r;
    rig_init(&r, true);
    rig_input(&r, 0, 10);
    leat_context *a = rig_add(&r, &a_operator, NULL, NULL);
    rig_add(&r, &b_operator, a, NULL);
    rig_open(&r);
    assert_ptr_equal(a->next, r.chain->contexts[1]);
    channel_push_ints(r.in[0], 1, 2);
    assert_int_equal(rig_run(&r), LEATI_TASK_WAITING);
    rig_expect(&r, "a1 b1 a2 b2");
    rig_fini(&r);
}

static void emit_to_a_fork_reaches_children_and_outputs(void **state) {
    (void)state;
    rig r;
    rig_init(&r, true);
    rig_input(&r, 0, 10);
    leat_context *a = rig_add(&r, &a_operator, NULL, NULL);
    rig_add(&r, &b_operator, a, NULL);
    rig_add(&r, &c_operator, a, NULL);
    rig_output(&r, a, NULL, LEAT_FORWARD, 1, 10);
    rig_open(&r);
    channel_push_ints(r.in[0], 1, 2);
    assert_int_equal(rig_run(&r), LEATI_TASK_WAITING);
    rig_expect(&r, "a1 b1 c1 a2 b2 c2");
    assert_string_equal(channel_read(r.out[0]), "[1 2]");
    rig_fini(&r);
}

static leat_status emit_sides(leat_context *ctx, void *self, unsigned input,
                              const leat_record *in) {
    (void)self;
    (void)input;
    leat_status status = leat_emit_side(ctx, "odd", in);
    if (status >= 0) status = leat_emit_side(ctx, "nobody listens", in);
    return status;
}

OPERATOR(sides_operator, "sides", emit_sides);

static void emit_to_a_side_reaches_its_listeners_only(void **state) {
    (void)state;
    rig r;
    rig_init(&r, true);
    rig_input(&r, 0, 10);
    leat_context *s = rig_add(&r, &sides_operator, NULL, NULL);
    rig_add(&r, &a_operator, s, NULL);
    rig_add(&r, &b_operator, s, "odd");
    rig_output(&r, s, "odd", LEAT_FORWARD, 1, 10);
    rig_output(&r, s, "even", LEAT_FORWARD, 1, 10);
    rig_open(&r);
    channel_push_ints(r.in[0], 1, 1);
    assert_int_equal(rig_run(&r), LEATI_TASK_WAITING);
    rig_expect(&r, "b1");
    assert_string_equal(channel_read(r.out[0]), "[1]");
    assert_string_equal(channel_read(r.out[1]), "");
    rig_fini(&r);
}

/* --- cursors ---------------------------------------------------------------------------------- */

static void cursor_gives_all_before_the_next_record(void **state) {
    (void)state;
    rig r;
    rig_init(&r, true);
    rig_input(&r, 0, 10);
    leat_context *two = rig_add(&r, &two_operator, NULL, NULL);
    rig_add(&r, &a_operator, two, NULL);
    rig_open(&r);
    channel_push_ints(r.in[0], 1, 2);
    assert_int_equal(rig_run(&r), LEATI_TASK_WAITING);
    rig_expect(&r, "two1 a11 a12 two-close1 two2 a21 a22 two-close2");
    rig_fini(&r);
}

static void cursor_in_a_cursor_is_exhausted_first(void **state) {
    (void)state;
    rig r;
    rig_init(&r, true);
    rig_input(&r, 0, 10);
    leat_context *two = rig_add(&r, &two_operator, NULL, NULL);
    leat_context *pair = rig_add(&r, &pair_operator, two, NULL);
    rig_add(&r, &a_operator, pair, NULL);
    rig_open(&r);
    channel_push_ints(r.in[0], 2, 2); /* its last item comes with the end */
    assert_int_equal(rig_run(&r), LEATI_TASK_WAITING);
    rig_expect(&r, "two2 pair21 a211 a212 pair-close21 pair22 a221 a222 pair-close22 two-close2");
    assert_int_equal(r.chain->depth, 0);
    rig_fini(&r);
}

static void cursor_of_an_earlier_record_comes_first(void **state) {
    (void)state;
    rig r;
    rig_init(&r, true);
    rig_input(&r, 0, 10);
    leat_context *twice_ctx = rig_add(&r, &twice_operator, NULL, NULL);
    leat_context *two = rig_add(&r, &two_operator, twice_ctx, NULL);
    rig_add(&r, &a_operator, two, NULL);
    rig_open(&r);
    channel_push_ints(r.in[0], 1, 1);
    assert_int_equal(rig_run(&r), LEATI_TASK_WAITING);
    rig_expect(&r, "two1 a11 a12 two-close1 two2 a21 a22 two-close2");
    rig_fini(&r);
}

/* Opens a cursor, then emits, then opens another. */
static leat_status mixed(leat_context *ctx, void *self, unsigned input, const leat_record *in) {
    (void)input;
    rig *r = rig_of(self);
    leat_status status = leat_context_cursor(ctx, count_new(r, in->value.as.i, 2));
    if (status >= 0) status = leat_emitter_push(leat_context_emitter(ctx), &in->value);
    if (status >= 0) status = leat_emitter_side(leat_context_emitter(ctx), "odd", &in->value);
    if (status >= 0) status = leat_context_cursor(ctx, count_new(r, in->value.as.i + 1, 1));
    return status;
}

OPERATOR(mixed_operator, "mixed", mixed);

static void cursor_and_emits_of_one_call_keep_their_order(void **state) {
    (void)state;
    rig r;
    rig_init(&r, true);
    rig_input(&r, 0, 10);
    leat_context *m = rig_add(&r, &mixed_operator, NULL, NULL);
    rig_add(&r, &a_operator, m, NULL);
    rig_add(&r, &b_operator, m, "odd");
    rig_open(&r);
    channel_push_ints(r.in[0], 1, 1);
    assert_int_equal(rig_run(&r), LEATI_TASK_WAITING);
    rig_expect(&r, "a11 a12 mixed-close1 a1 b1 a21 mixed-close2");
    rig_fini(&r);
}

static void cursor_waits_while_an_output_is_full(void **state) {
    (void)state;
    rig r;
    rig_init(&r, true);
    rig_input(&r, 0, 10);
    leat_context *two = rig_add(&r, &two_operator, NULL, NULL);
    leat_context *pair = rig_add(&r, &pair_operator, two, NULL);
    rig_output(&r, pair, NULL, LEAT_FORWARD, 1, 1);
    rig_open(&r);
    channel_push_ints(r.in[0], 1, 2);
    static const char *const steps[] = {"[111]", "[112]", "[121]", "[122]",
                                        "[211]", "[212]", "[221]", "[222]"};
    for (int i = 0; i < 8; i++) {
        assert_int_equal(rig_run(&r), LEATI_TASK_WAITING);
        assert_string_equal(channel_read(r.out[0]), steps[i]);
        if (i < 3) assert_true(r.chain->depth > 0);
    }
    assert_int_equal(rig_run(&r), LEATI_TASK_WAITING);
    assert_string_equal(channel_read(r.out[0]), "");
    rig_fini(&r);
}

static void cursor_holds_the_batch_until_it_is_exhausted(void **state) {
    (void)state;
    rig r;
    rig_init(&r, true);
    rig_input(&r, 0, 10);
    leat_context *two = rig_add(&r, &two_operator, NULL, NULL);
    rig_output(&r, two, NULL, LEAT_FORWARD, 1, 1);
    rig_open(&r);
    channel_push_ints(r.in[0], 1, 1);
    assert_int_equal(rig_run(&r), LEATI_TASK_WAITING);
    assert_int_equal(atomic_load(&r.in[0]->records), 1);
    assert_string_equal(channel_read(r.out[0]), "[11]");
    assert_int_equal(rig_run(&r), LEATI_TASK_WAITING);
    assert_string_equal(channel_read(r.out[0]), "[12]");
    assert_int_equal(rig_run(&r), LEATI_TASK_WAITING);
    assert_int_equal(atomic_load(&r.in[0]->records), 0);
    rig_fini(&r);
}

/* --- what a cursor's context sees ------------------------------------------------------------- */

typedef struct look {
    leat_cursor cursor; /* first */
    rig *r;
    int left;
} look;

static leat_status look_advance(leat_context *ctx, leat_cursor *cursor, leat_emitter *out) {
    look *l = (look *)(void *)cursor;
    if (!l->left--) return LEAT_DONE;
    char key[64];
    leat_value_format(leat_context_key(ctx), key, sizeof key);
    rig_log(l->r, "%s@%d", key, (int)leat_context_time(ctx));
    /* Memory that is asked for here ends with the item. */
    char *scratch = leat_context_alloc(ctx, 5000);
    assert_non_null(scratch);
    memset(scratch, 'x', 5000);
    leat_value v = leat_string_n(scratch, 10);
    return leat_emitter_push(out, &v);
}

static void look_close(leat_context *ctx, leat_cursor *cursor) {
    look *l = (look *)(void *)cursor;
    char key[64];
    leat_value_format(leat_context_key(ctx), key, sizeof key);
    rig_log(l->r, "close-%s", key);
    free(l);
}

static leat_status open_look(leat_context *ctx, void *self, unsigned input, const leat_record *in) {
    (void)in;
    (void)input;
    look *l = calloc(1, sizeof *l);
    assert_non_null(l);
    *l = (look){{look_advance, look_close}, rig_of(self), 2};
    return hand_over(ctx, &l->cursor);
}

OPERATOR(look_operator, "look", open_look);

/* Emits with a key and a time that are gone when the call returns. */
static leat_status re_key(leat_context *ctx, void *self, unsigned input, const leat_record *in) {
    (void)self;
    (void)input;
    char *text = strdup("a key on the heap");
    assert_non_null(text);
    leat_record out = *in;
    out.key = leat_string(text);
    out.time = 77;
    leat_status status = leat_emit(ctx, &out);
    memset(text, '?', strlen(text));
    free(text);
    return status;
}

OPERATOR(re_key_operator, "re_key", re_key);

static void cursor_sees_key_and_time_of_its_record(void **state) {
    (void)state;
    rig r;
    rig_init(&r, true);
    rig_input(&r, 0, 10);
    leat_context *k = rig_add(&r, &re_key_operator, NULL, NULL);
    leat_context *l = rig_add(&r, &look_operator, k, NULL);
    rig_output(&r, l, NULL, LEAT_FORWARD, 1, 1);
    rig_open(&r);
    channel_push_ints(r.in[0], 1, 1);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(rig_run(&r), LEATI_TASK_WAITING);
        channel_read(r.out[0]);
    }
    rig_expect(&r, "a key on the heap@77 a key on the heap@77 close-a key on the heap");
    rig_fini(&r);
}

/* --- ends and failures ------------------------------------------------------------------------ */

static void cursors_open_at_the_close_are_closed_once(void **state) {
    (void)state;
    rig r;
    rig_init(&r, true);
    rig_input(&r, 0, 10);
    leat_context *two = rig_add(&r, &two_operator, NULL, NULL);
    leat_context *pair = rig_add(&r, &pair_operator, two, NULL);
    rig_output(&r, pair, NULL, LEAT_FORWARD, 1, 1);
    rig_open(&r);
    channel_push_ints(r.in[0], 1, 1);
    assert_int_equal(rig_run(&r), LEATI_TASK_WAITING);
    rig_expect(&r, "two1 pair11");
    leati_task_close(r.task, true);
    rig_expect(&r, "pair-close11 two-close1");
    rig_fini(&r);
}

static leat_status fail_advance(leat_context *ctx, leat_cursor *cursor, leat_emitter *out) {
    (void)cursor;
    (void)out;
    return leat_context_fail(ctx, LEAT_E_RANGE, "no more fingers");
}

static leat_status open_failing(leat_context *ctx, void *self, unsigned input,
                                const leat_record *in) {
    (void)input;
    count *c = (count *)(void *)count_new(rig_of(self), in->value.as.i, 1);
    c->cursor.advance = fail_advance;
    return hand_over(ctx, &c->cursor);
}

OPERATOR(failing_operator, "failing", open_failing);

static void cursor_that_fails_names_operator_and_record(void **state) {
    (void)state;
    rig r;
    rig_init(&r, true);
    rig_input(&r, 0, 10);
    leat_context *a = rig_add(&r, &a_operator, NULL, NULL);
    rig_add(&r, &failing_operator, a, NULL);
    rig_open(&r);
    channel_push_ints(r.in[0], 5, 5);
    assert_int_equal(rig_run(&r), LEATI_TASK_FAILED);
    assert_string_equal(r.chain->failure.operator_name, "failing");
    assert_string_equal(r.chain->failure.text, "no more fingers");
    assert_string_equal(r.chain->failure.record, "5");
    assert_int_equal(r.chain->failure.subtask, 1);
    assert_int_equal(r.chain->failure.status, LEAT_E_RANGE);
    rig_expect(&r, "a5");
    leati_task_close(r.task, true);
    rig_expect(&r, "failing-close5");
    rig_fini(&r);
}

static void cursor_without_memory_is_closed_and_fails(void **state) {
    (void)state;
    for (int64_t n = 1; n < 6; n++) {
        rig r;
        rig_init(&r, true);
        rig_input(&r, 0, 10);
        leat_context *two = rig_add(&r, &two_operator, NULL, NULL);
        rig_add(&r, &a_operator, two, NULL);
        rig_open(&r);
        channel_push_ints(r.in[0], 1, 1);
        leati_alloc_fail_after(n);
        leati_task_state end = rig_run(&r);
        leati_alloc_fail_after(-1);
        if (end == LEATI_TASK_FAILED) {
            assert_int_equal(r.chain->failure.status, LEAT_E_NOMEM);
            assert_non_null(strstr(r.log, "two-close1"));
        } else {
            rig_expect(&r, "two1 a11 a12 two-close1");
        }
        rig_fini(&r);
    }
}

/* --- what is kept ----------------------------------------------------------------------------- */

/* Emits an object that it holds, or a tuple with that in it; `seen` is what came behind. */
static leat_value held;
static bool in_tuple;
static const void *seen;

static leat_status keeper(leat_context *ctx, void *self, unsigned input, const leat_record *in) {
    (void)self, (void)input, (void)in;
    leat_record out = leat_record_of(in_tuple ? leat_tuple(&held, 1) : held, LEAT_NO_TIME);
    return leat_emit_kept(ctx, &out);
}

static leat_status looks(leat_context *ctx, void *self, unsigned input, const leat_record *in) {
    (void)ctx, (void)self, (void)input;
    seen = in_tuple ? in->value.as.items[0].as.object : in->value.as.object;
    return LEAT_OK;
}

OPERATOR(keeper_operator, "keeper", keeper);
static const leat_operator looks_operator = {.size = sizeof(leat_operator),
                                             .name = "looks",
                                             .flags = LEAT_OP_OBJECTS,
                                             .inputs = 1,
                                             .self_size = sizeof(rig_self),
                                             .params = rig_params,
                                             .on_record = looks};

/* Does what is behind a keeper get the keeper's own object? */
static bool gets_it(bool exposes, leat_status copies) {
    rig r;
    rig_init(&r, true);
    rig_input(&r, 0, 10);
    leat_context *k = rig_add(&r, &keeper_operator, NULL, NULL);
    rig_add(&r, &looks_operator, k, NULL);
    k->exposes = exposes;
    rig_open(&r);
    channel_push_ints(r.in[0], 1, 1);
    seen = NULL;
    if (copies < 0) fake_fail_next(copies);
    assert_int_equal(rig_run(&r), copies < 0 ? LEATI_TASK_FAILED : LEATI_TASK_WAITING);
    if (copies < 0) assert_int_equal(r.chain->failure.status, copies);
    rig_fini(&r);
    assert_true(seen || copies < 0);
    return seen == held.as.object;
}

static void what_is_kept_is_copied_for_who_may_change_it(void **state) {
    (void)state;
    for (int tuple = 0; tuple < 2; tuple++) {
        in_tuple = tuple;
        held = fake_new(7);
        assert_true(gets_it(false, LEAT_OK));
        assert_false(gets_it(true, LEAT_OK));
        assert_false(gets_it(true, LEAT_E_NOMEM));
        assert_int_equal(fake_alive(), 1);
        leati_object_release(&held);
        held = fake_new(-7); /* which nobody can change */
        assert_int_equal(gets_it(true, LEAT_OK), !tuple);
        leati_object_release(&held);
        assert_int_equal(fake_alive(), 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(emit_to_one_child_calls_it),
        cmocka_unit_test(emit_to_a_fork_reaches_children_and_outputs),
        cmocka_unit_test(emit_to_a_side_reaches_its_listeners_only),
        cmocka_unit_test(what_is_kept_is_copied_for_who_may_change_it),
        EITHER_WAY(cursor_gives_all_before_the_next_record),
        EITHER_WAY(cursor_in_a_cursor_is_exhausted_first),
        EITHER_WAY(cursor_of_an_earlier_record_comes_first),
        EITHER_WAY(cursor_and_emits_of_one_call_keep_their_order),
        EITHER_WAY(cursor_waits_while_an_output_is_full),
        EITHER_WAY(cursor_holds_the_batch_until_it_is_exhausted),
        EITHER_WAY(cursor_sees_key_and_time_of_its_record),
        EITHER_WAY(cursors_open_at_the_close_are_closed_once),
        EITHER_WAY(cursor_that_fails_names_operator_and_record),
        EITHER_WAY(cursor_without_memory_is_closed_and_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
