/* Tests of co_group.c: windows of two inputs, joined pair by pair or handed over side by side.
   Records are tuples (key, number); those of input 1 have numbers from 100 on. */
#include "windows.h"

static leat_status tell_pair(leat_context *ctx, const leat_value *first, const leat_value *second,
                             leat_emitter *out, void *self) {
    (void)ctx, (void)self;
    char text[60];
    snprintf(text, sizeof text, "%lld-%lld", (long long)first->as.items[1].as.i,
             (long long)second->as.items[1].as.i);
    leat_value v = leat_string(text);
    return leat_emitter_push(out, &v);
}

static size_t list_numbers(char *text, size_t room, const leat_value *elements, size_t count) {
    size_t at = 0;
    for (size_t i = 0; i < count; i++)
        at += (size_t)snprintf(text + at, room - at, i ? " %lld" : "%lld",
                               (long long)elements[i].as.items[1].as.i);
    return at;
}

static leat_status tell_group(leat_context *ctx, const leat_window *w, const leat_value *first,
                              size_t first_count, const leat_value *second, size_t second_count,
                              leat_emitter *out, void *self) {
    (void)ctx, (void)self;
    char text[200];
    size_t room = sizeof text;
    size_t at =
        (size_t)snprintf(text, room, "[%lld,%lld) ", (long long)w->start, (long long)w->end);
    at += list_numbers(text + at, room - at, first, first_count);
    at += (size_t)snprintf(text + at, room - at, "|");
    list_numbers(text + at, room - at, second, second_count);
    leat_value v = leat_string(text);
    return leat_emitter_push(out, &v);
}

static leat_function group_teller(void) {
    static const leat_window_function calls = {sizeof calls, NULL, NULL, tell_group};
    return leat_co_group_fn(&calls, NULL);
}

static harness *open_join(void **state, const char *assigner, const char *evictor) {
    window_args a = {.count = 0};
    leat_function keys[2] = {leat_field(0), leat_field(0)};
    with_own(&a, "assigner", assigner);
    if (evictor) with_own(&a, "evictor", evictor);
    with(&a, "join", leat_join_fn(tell_pair, NULL));
    return both_ways(state, harness_new(&leat_window_join_operator, a.args, a.count, keys));
}

static harness *open_group(void **state, const char *assigner) {
    window_args a = {.count = 0};
    leat_function keys[2] = {leat_field(0), leat_field(0)};
    with_own(&a, "assigner", assigner);
    with_int(&a, "lateness", 5);
    with_text(&a, "late_tag", "late");
    with(&a, "co_group", group_teller());
    harness *h = both_ways(state, harness_new(&leat_co_group_operator, a.args, a.count, keys));
    harness_side(h, "late");
    return h;
}

static void put(harness *h, unsigned input, const char *key, int64_t number, int64_t time) {
    leat_value items[2] = {leat_string(key), leat_int(number)}, v = leat_tuple(items, 2);
    assert_int_equal(harness_push(h, input, &v, time), LEAT_OK);
}

static void both_reach(harness *h, int64_t time) {
    for (unsigned i = 0; i < 2; i++) assert_int_equal(harness_watermark(h, i, time), LEAT_OK);
}

static void both_end(harness *h) {
    for (unsigned i = 0; i < 2; i++) assert_true(harness_end(h, i) >= 0);
    expect_nothing(h);
    assert_true(harness_ended(h));
    harness_free(h);
}

static void join_gives_each_pair_of_a_window(void **state) {
    harness *h = open_join(state, "tumbling_event_time 10 0", NULL);
    put(h, 1, "a", 100, 3);
    put(h, 0, "a", 1, 1);
    put(h, 0, "a", 2, 9);
    put(h, 1, "a", 101, 0);
    put(h, 0, "b", 3, 5);   /* nobody on the other side */
    put(h, 1, "c", 102, 5); /* here neither */
    put(h, 0, "a", 4, 10);  /* the next window */
    both_reach(h, 9);
    expect(h, "1-100@9");
    expect(h, "1-101@9");
    expect(h, "2-100@9");
    expect(h, "2-101@9");
    expect(h, "watermark 9");
    both_end(h);
}

static void join_pauses_between_pairs(void **state) {
    harness *h = open_join(state, "tumbling_event_time 10 0", NULL);
    for (int64_t i = 0; i < 3; i++) {
        put(h, 0, "a", i, i);
        put(h, 1, "a", 100 + i, i);
    }
    harness_room(h, 1);
    assert_int_equal(harness_watermark(h, 0, 9), LEAT_OK);
    assert_int_equal(harness_watermark(h, 1, 9), LEAT_AGAIN);
    for (int64_t i = 0; i < 9; i++) {
        char pair[40];
        snprintf(pair, sizeof pair, "%lld-%lld@9", (long long)(i / 3), (long long)(100 + i % 3));
        expect(h, pair);
        if (i < 8) expect_nothing(h);
        harness_room(h, 1);
        assert_true(harness_drive(h) >= 0);
    }
    harness_room(h, -1);
    assert_int_equal(harness_drive(h), LEAT_OK);
    expect(h, "watermark 9");
    both_end(h);
}

static void join_sees_what_the_evictor_left(void **state) {
    harness *h = open_join(state, "tumbling_event_time 10 0", "count 3 0");
    put(h, 0, "a", 1, 1);
    put(h, 0, "a", 2, 2);
    put(h, 1, "a", 100, 3);
    put(h, 1, "a", 101, 4);
    both_reach(h, 9);
    expect(h, "2-100@9");
    expect(h, "2-101@9");
    expect(h, "watermark 9");
    both_end(h);
}

static void co_group_gives_both_sides_also_an_empty_one(void **state) {
    harness *h = open_group(state, "tumbling_event_time 10 0");
    put(h, 0, "a", 1, 1);
    put(h, 1, "a", 100, 2);
    put(h, 0, "a", 2, 3);
    put(h, 1, "b", 101, 4);
    put(h, 0, "c", 3, 15);
    both_reach(h, 9);
    expect(h, "[0,10) 1 2|100@9");
    expect(h, "[0,10) |101@9");
    expect(h, "watermark 9");
    put(h, 1, "a", 102, 5); /* within the lateness: all of it again */
    expect(h, "[0,10) 1 2|100 102@9");
    both_reach(h, 14);
    expect(h, "watermark 14");
    put(h, 0, "a", 4, 5);
    expect(h, "late:(a,4)@5");
    for (unsigned i = 0; i < 2; i++) assert_true(harness_end(h, i) >= 0);
    expect(h, "[10,20) 3|@19");
    both_end(h);
}

static void co_group_of_sessions_merges(void **state) {
    harness *h = open_group(state, "session_event_time 10");
    put(h, 0, "a", 1, 0);
    put(h, 1, "a", 100, 18);
    put(h, 0, "a", 2, 9);
    put(h, 1, "a", 101, 40);
    both_reach(h, 30);
    expect(h, "[0,28) 1 2|100@27");
    expect(h, "watermark 30");
    for (unsigned i = 0; i < 2; i++) assert_true(harness_end(h, i) >= 0);
    expect(h, "[40,50) |101@49");
    both_end(h);
}

static void join_without_a_function_is_refused(void **state) {
    (void)state;
    leat_error err;
    leat_env *env = leat_env_new(NULL, &err);
    leat_window_spec spec = leat_window_spec_of(leat_builtin("tumbling_event_time 10 0"));
    leat_stream *a = leat_stream_key_by(leat_env_sequence(env, 1, 3), leat_field(0));
    leat_stream *plain = leat_env_sequence(env, 1, 3);
    leat_stream_print(leat_stream_window_join(a, plain, &spec, leat_join_fn(tell_pair, NULL)));
    assert_int_equal(leat_env_execute(env, "no key", &err), LEAT_E_STATE);
    assert_non_null(strstr(err.text, "key_by"));
    leat_env_clear(env);
    a = leat_stream_key_by(leat_env_sequence(env, 1, 3), leat_field(0));
    leat_stream_print(leat_stream_window_join(a, a, &spec, leat_function_of(LEAT_ROLE_NONE, NULL)));
    assert_int_equal(leat_env_execute(env, "no function", &err), LEAT_E_ARGUMENT);
    leat_env_free(env);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        BOTH_WAYS(join_gives_each_pair_of_a_window),
        cmocka_unit_test(join_pauses_between_pairs),
        BOTH_WAYS(join_sees_what_the_evictor_left),
        BOTH_WAYS(co_group_gives_both_sides_also_an_empty_one),
        BOTH_WAYS(co_group_of_sessions_merges),
        cmocka_unit_test(join_without_a_function_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
