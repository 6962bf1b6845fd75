/* Every operator under an output that takes one record at a time: it gives the same as with room,
   one by one, and takes no next record meanwhile; also with snapshot, throw away, restore between
   the steps. */
#include "expect.h"

#include <stdio.h>
#include <stdlib.h>

/* --- functions in every role: values are tuples (key, number) --------------------------------- */

static int64_t number(const leat_value *v) {
    return v->as.items[1].as.i;
}

static leat_status to_number(leat_context *ctx, const leat_record *in, leat_value *out, void *arg) {
    (void)ctx, (void)arg;
    *out = leat_int(number(&in->value));
    return LEAT_OK;
}

static leat_status is_odd(leat_context *ctx, const leat_record *in, bool *keep, void *arg) {
    (void)ctx, (void)arg;
    *keep = number(&in->value) % 2 == 1;
    return LEAT_OK;
}

static leat_status larger(leat_context *ctx, const leat_value *a, const leat_value *b,
                          leat_value *out, void *arg) {
    (void)ctx, (void)arg;
    *out = number(a) > number(b) ? *a : *b;
    return LEAT_OK;
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

static void countdown_close(leat_context *ctx, leat_cursor *cursor) {
    (void)ctx;
    free(cursor);
}

static leat_status count_down(leat_context *ctx, const leat_record *in, leat_emitter *out,
                              void *arg) {
    (void)ctx, (void)arg;
    countdown *c = malloc(sizeof *c);
    if (!c) return LEAT_E_NOMEM;
    *c = (countdown){{countdown_advance, countdown_close}, number(&in->value)};
    return leat_emitter_cursor(out, &c->cursor);
}

static leat_status count_down_of(leat_context *ctx, unsigned input, const leat_record *in,
                                 leat_emitter *out, void *arg) {
    (void)input;
    return count_down(ctx, in, out, arg);
}

/* Counts down from the sum of the numbers. */
static leat_status count_down_sum(leat_context *ctx, const leat_window *w,
                                  const leat_value *elements, size_t count, leat_emitter *out,
                                  void *arg) {
    (void)w;
    leat_value items[2] = {leat_null(), leat_int(0)};
    for (size_t i = 0; i < count; i++) items[1].as.i += number(&elements[i]);
    leat_record sum = leat_record_of(leat_tuple(items, 2), LEAT_NO_TIME);
    return count_down(ctx, &sum, out, arg);
}

static const leat_window_function window_calls = {sizeof window_calls, count_down_sum, NULL, NULL};

static leat_status target(leat_context *ctx, const leat_value *key, int count, int *out,
                          void *arg) {
    (void)ctx, (void)arg, (void)key;
    *out = count - 1;
    return LEAT_OK;
}

/* --- the cases -------------------------------------------------------------------------------- */

typedef struct subject {
    const leat_operator *op;
    leat_arg args[2];
    size_t arg_count;
    bool keyed;
} subject;

enum { SUBJECTS = 20, PUSHES = 6, MOST_RESULTS = 64 };

static leat_function map_f, flat_map_f, filter_f, key_f, reduce_f, process_f, co_process_f,
    co_flat_map_f, broadcast_f, partition_f, assigner_f, window_f;
static leat_value field_list[2], fields;

static void make_subjects(subject *s) {
    map_f = leat_map_fn(to_number, NULL);
    flat_map_f = leat_flat_map_fn(count_down, NULL);
    filter_f = leat_filter_fn(is_odd, NULL);
    key_f = leat_field(0);
    reduce_f = leat_reduce_fn(larger, NULL);
    process_f = leat_process_fn(count_down_of, NULL);
    co_process_f = leat_co_process_fn(count_down_of, NULL);
    co_flat_map_f = leat_co_flat_map_fn(count_down_of, NULL);
    broadcast_f = leat_broadcast_process_fn(count_down_of, NULL);
    partition_f = leat_partition_fn(target, NULL);
    assigner_f = leat_builtin("sliding_event_time 40 20");
    window_f = leat_window_fn(&window_calls, NULL);
    field_list[0] = leat_int(1);
    field_list[1] = leat_int(0);
    fields = leat_list(field_list, 2);
    leat_arg field = leat_arg_int("field", 1), list = leat_arg_list("fields", &fields);
#define FUNCTION(f) {leat_arg_function("function", &(f))}, 1
    const subject all[SUBJECTS] = {
        {&leat_map_operator, FUNCTION(map_f), false},
        {&leat_flat_map_operator, FUNCTION(flat_map_f), false},
        {&leat_filter_operator, FUNCTION(filter_f), false},
        {&leat_key_by_operator, FUNCTION(key_f), false},
        {&leat_reduce_operator, FUNCTION(reduce_f), true},
        {&leat_sum_operator, {field}, 1, true},
        {&leat_min_operator, {field}, 1, true},
        {&leat_max_operator, {field}, 1, true},
        {&leat_min_by_operator, {field}, 1, true},
        {&leat_max_by_operator, {field}, 1, true},
        {&leat_project_operator, {list}, 1, false},
        {&leat_process_operator, FUNCTION(process_f), false},
        {&leat_keyed_process_operator, FUNCTION(process_f), true},
        {&leat_co_flat_map_operator, FUNCTION(co_flat_map_f), false},
        {&leat_co_process_operator, FUNCTION(co_process_f), false},
        {&leat_keyed_co_process_operator, FUNCTION(co_process_f), true},
        {&leat_broadcast_process_operator, FUNCTION(broadcast_f), false},
        {&leat_keyed_broadcast_process_operator, FUNCTION(broadcast_f), true},
        {&leat_partition_custom_operator,
         {leat_arg_function("function", &partition_f), leat_arg_function("selector", &key_f)},
         2,
         false},
        {&leat_window_operator,
         {leat_arg_function("assigner", &assigner_f), leat_arg_function("window", &window_f)},
         2,
         true},
    };
    memcpy(s, all, sizeof all);
}

static harness *harness_of(const subject *s, bool revives) {
    leat_function keys[2] = {leat_field(0), leat_field(0)};
    harness *h = harness_new(s->op, s->args, s->arg_count, s->keyed ? keys : NULL);
    if (revives) harness_always_revive(h);
    return h;
}

/* (a or b, 1 ... 3), to both inputs in turn where there are two. */
static leat_status push_nth(const subject *s, harness *h, int i) {
    leat_value items[2] = {leat_string(i % 2 ? "a" : "b"), leat_int(1 + i * 7 % 3)};
    leat_value v = leat_tuple(items, 2);
    return harness_push(h, s->op->inputs == 2 ? (unsigned)i % 2 : 0, &v, 10 * i);
}

static int take_results(harness *h, char **out, int count) {
    const char *line;
    while ((line = harness_next(h))) {
        assert_true(count < MOST_RESULTS);
        out[count++] = strdup(line);
    }
    return count;
}

static int with_room(const subject *s, char **out) {
    harness *h = harness_of(s, false);
    for (int i = 0; i < PUSHES; i++) assert_int_equal(push_nth(s, h, i), LEAT_OK);
    assert_int_equal(harness_end(h, 0), LEAT_OK);
    if (s->op->inputs == 2) assert_int_equal(harness_end(h, 1), LEAT_OK);
    int count = take_results(h, out, 0);
    assert_true(harness_ended(h));
    harness_free(h);
    return count;
}

/* Records wait in order, so that the results of one input are those with room. */
static int one_by_one(const subject *s, char **out, bool revives) {
    harness *h = harness_of(s, revives);
    int count = 0;
    for (int i = 0; i < PUSHES; i++) {
        harness_room(h, 1);
        leat_status status = push_nth(s, h, i);
        for (;;) {
            assert_true(status >= 0);
            assert_in_range(harness_count(h), 0, 1);
            count = take_results(h, out, count);
            if (status == LEAT_OK) break;
            harness_room(h, 1);
            status = harness_drive(h);
        }
    }
    harness_room(h, -1);
    assert_int_equal(harness_end(h, 0), LEAT_OK);
    if (s->op->inputs == 2) assert_int_equal(harness_end(h, 1), LEAT_OK);
    count = take_results(h, out, count);
    assert_true(harness_ended(h));
    harness_free(h);
    return count;
}

static void operators_give_the_same_one_by_one(void **state) {
    subject subjects[SUBJECTS];
    make_subjects(subjects);
    for (int i = 0; i < SUBJECTS; i++) {
        char *want[MOST_RESULTS], *got[MOST_RESULTS];
        int wanted = with_room(&subjects[i], want);
        int count = one_by_one(&subjects[i], got, *state != NULL);
        if (count != wanted) fail_msg("%s: %d results", subjects[i].op->name, count);
        assert_true(count > 1);
        for (int k = 0; k < count; k++) {
            assert_string_equal(got[k], want[k]);
            free(got[k]);
            free(want[k]);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        BOTH_WAYS(operators_give_the_same_one_by_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
