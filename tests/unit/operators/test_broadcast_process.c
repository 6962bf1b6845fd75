/* Tests of broadcast_process.c and of broadcast state: who may read and change it, what it holds
   after a restore, and that the broadcast side has neither keyed state nor timers. */
#include "expect.h"

#include <stdio.h>
#include <stdlib.h>

/* The rules that the broadcast side tells and the other side asks for. */
typedef struct rules {
    const char *name;
    const char *type;
    leat_state *state, *seen;
} rules;

static leat_status rules_open(leat_context *ctx, void *arg, void **self) {
    leat_error err;
    rules *r = *self = arg;
    const leat_type *type = r->type ? leat_type_parse(r->type, &err) : NULL;
    assert_int_equal(type == NULL, r->type == NULL);
    leat_status status = leat_context_broadcast(ctx, r->name, type, &r->state, &err);
    if (status >= 0 && leat_context_is_keyed(ctx))
        status = leat_context_state(ctx, "rules", LEAT_VALUE_STATE, NULL, &r->seen, &err);
    return status < 0 ? leat_context_fail(ctx, status, "%s", err.text) : status;
}

static const leat_namespace NO_NAMESPACE = {NULL, 0};

/* Emits all pairs, in the order in which they came. */
static leat_status list_rules(leat_context *ctx, const rules *r, leat_emitter *out) {
    enum { MOST = 8, SIZE = 40 };
    char texts[MOST][SIZE], line[MOST * SIZE] = "rules";
    size_t count = 0, counted;
    leat_map_entry e;
    for (size_t at = 0; leat_map_next(ctx, r->state, NO_NAMESPACE, &at, &e) == LEAT_OK; count++) {
        assert_true(count < MOST);
        size_t size = leat_value_format(&e.key, texts[count], SIZE);
        texts[count][size++] = '=';
        leat_value_format(&e.value, texts[count] + size, SIZE - size);
    }
    assert_int_equal(leat_map_count(ctx, r->state, NO_NAMESPACE, &counted), LEAT_OK);
    assert_int_equal(count, counted);
    for (size_t i = 0; i < count; i++) {
        strcat(line, " ");
        strcat(line, texts[i]);
    }
    leat_value v = leat_string(line);
    return leat_emitter_push(out, &v);
}

/* How often the key was there before. */
static leat_status count_key(leat_context *ctx, rules *r, int64_t *seen) {
    leat_value v = leat_int(0);
    leat_status status = leat_state_get(ctx, r->seen, NO_NAMESPACE, &v);
    *seen = v.as.i;
    v.as.i++;
    return status < 0 ? status : leat_state_put(ctx, r->seen, NO_NAMESPACE, &v);
}

static bool is_word(const leat_value *word, const char *text) {
    return word->size == strlen(text) && memcmp(word->as.bytes, text, word->size) == 0;
}

/* (word, n) on the broadcast side makes a rule, or takes it back when n is 0, or all when it is
   below. On the other side a pair is answered by the word's rule and how often it came; "all" lists
   the rules, "write" tries to make one. */
static leat_status apply_rules(leat_context *ctx, unsigned input, const leat_record *in,
                               leat_emitter *out, void *self) {
    rules *r = self;
    const leat_value *word = &in->value.as.items[0], *n = &in->value.as.items[1];
    if (input == 1) {
        if (n->as.i < 0) return leat_state_remove(ctx, r->state, NO_NAMESPACE);
        if (n->as.i == 0) return leat_map_remove(ctx, r->state, NO_NAMESPACE, word);
        return leat_map_put(ctx, r->state, NO_NAMESPACE, word, n);
    }
    if (is_word(word, "all")) return list_rules(ctx, r, out);
    if (is_word(word, "write")) return leat_map_put(ctx, r->state, NO_NAMESPACE, word, n);
    leat_value rule = leat_int(-1);
    leat_status status = leat_map_get(ctx, r->state, NO_NAMESPACE, word, &rule);
    int64_t seen = 0;
    if (status >= 0 && r->seen) status = count_key(ctx, r, &seen);
    char text[40];
    snprintf(text, sizeof text, "%d after %d", (int)rule.as.i, (int)seen);
    leat_value v = leat_string(text);
    return status < 0 ? status : leat_emitter_push(out, &v);
}

static leat_function rules_fn(rules *r) {
    leat_function f = leat_broadcast_process_fn(apply_rules, r);
    f.open = rules_open;
    return f;
}

static void every_record_sees_the_rules_before_it(void **state) {
    rules r = {.name = "rules"};
    leat_function f = rules_fn(&r);
    leat_arg arg = leat_arg_function("function", &f);
    harness *h = both_ways(state, harness_new(&leat_broadcast_process_operator, &arg, 1, NULL));
    push_pair(h, 0, "a", 0);
    push_pair(h, 1, "a", 5);
    push_pair(h, 1, "b", 6);
    push_pair(h, 0, "a", 0);
    push_pair(h, 1, "a", 7);
    push_pair(h, 0, "a", 0);
    push_pair(h, 0, "all", 0);
    push_pair(h, 1, "a", 0);
    push_pair(h, 1, "c", 0);
    push_pair(h, 0, "all", 0);
    push_pair(h, 1, "", -1);
    push_pair(h, 0, "all", 0);
    push_pair(h, 1, "d", 9);
    push_pair(h, 0, "all", 0);
    expect(h, "-1 after 0");
    expect(h, "5 after 0");
    expect(h, "7 after 0");
    expect(h, "rules a=7 b=6");
    expect(h, "rules b=6");
    expect(h, "rules");
    expect(h, "rules d=9");
    expect_nothing(h);
    harness_free(h);
}

static void keyed_state_of_the_same_name_is_apart(void **state) {
    rules r = {.name = "rules", .type = "MAP<STRING,LONG>"};
    leat_function f = rules_fn(&r), keys[2] = {leat_field(0)};
    leat_arg arg = leat_arg_function("function", &f);
    harness *h =
        both_ways(state, harness_new(&leat_keyed_broadcast_process_operator, &arg, 1, keys));
    push_pair(h, 1, "a", 5);
    push_pair(h, 0, "a", 0);
    push_pair(h, 0, "b", 0);
    push_pair(h, 0, "a", 0);
    push_pair(h, 0, "all", 0);
    expect(h, "5 after 0");
    expect(h, "-1 after 0");
    expect(h, "5 after 1");
    expect(h, "rules a=5");
    harness_free(h);
}

static void refuses(harness *h, unsigned input, const char *word, int64_t n, const char *why) {
    leat_value items[2] = {leat_string(word), leat_int(n)}, v = leat_tuple(items, 2);
    assert_int_equal(harness_push(h, input, &v, LEAT_NO_TIME), LEAT_E_STATE);
    assert_non_null(strstr(harness_failure(h), why));
    harness_free(h);
}

static void the_other_side_only_reads(void **state) {
    (void)state;
    rules r = {.name = "rules"};
    leat_function f = rules_fn(&r);
    leat_arg arg = leat_arg_function("function", &f);
    harness *h = harness_new(&leat_broadcast_process_operator, &arg, 1, NULL);
    push_pair(h, 1, "a", 5);
    refuses(h, 0, "write", 1, "on the side that only reads it");
}

/* Does on the broadcast side what belongs to a key: 1 reads, 2 sets a timer. */
static leat_status wants_a_key(leat_context *ctx, unsigned input, const leat_record *in,
                               leat_emitter *out, void *self) {
    (void)out;
    rules *r = self;
    leat_timer timer = {.time = 1};
    assert_int_equal(leat_context_has_key(ctx), input == 0);
    if (input == 1 && in->value.as.items[1].as.i == 2) return leat_timer_set(ctx, &timer);
    int64_t seen;
    return count_key(ctx, r, &seen);
}

static leat_status emit_count(leat_context *ctx, const leat_timer *timer, leat_emitter *out,
                              void *self) {
    (void)timer;
    rules *r = self;
    assert_true(leat_context_has_key(ctx));
    leat_value v;
    leat_status status = leat_state_get(ctx, r->seen, NO_NAMESPACE, &v);
    return status == LEAT_OK ? leat_emitter_push(out, &v) : LEAT_E_STATE;
}

static void the_broadcast_side_has_no_key(void **state) {
    (void)state;
    for (int n = 1; n <= 2; n++) {
        rules r = {.name = "rules"};
        leat_function f = leat_keyed_broadcast_process_fn(wants_a_key, emit_count, &r);
        f.open = rules_open;
        leat_function keys[2] = {leat_field(0)};
        leat_arg arg = leat_arg_function("function", &f);
        harness *h = harness_new(&leat_keyed_broadcast_process_operator, &arg, 1, keys);
        push_pair(h, 0, "a", 1);
        refuses(h, 1, "a", n, "which has no key");
    }
}

/* Sets a timer per key; the broadcast side makes it the turn of none. */
static leat_status set_timer(leat_context *ctx, unsigned input, const leat_record *in,
                             leat_emitter *out, void *self) {
    (void)out;
    rules *r = self;
    if (input == 1)
        return leat_map_put(ctx, r->state, NO_NAMESPACE, &in->value.as.items[0],
                            &in->value.as.items[1]);
    int64_t seen;
    leat_timer timer = {.time = in->value.as.items[1].as.i};
    leat_status status = count_key(ctx, r, &seen);
    return status < 0 ? status : leat_timer_set(ctx, &timer);
}

static void timers_have_their_key_after_a_broadcast_record(void **state) {
    rules r = {.name = "rules"};
    leat_function f = leat_keyed_broadcast_process_fn(set_timer, emit_count, &r);
    f.open = rules_open;
    leat_function keys[2] = {leat_field(0)};
    leat_arg arg = leat_arg_function("function", &f);
    harness *h =
        both_ways(state, harness_new(&leat_keyed_broadcast_process_operator, &arg, 1, keys));
    push_pair(h, 0, "a", 5);
    push_pair(h, 0, "a", 5);
    push_pair(h, 0, "b", 6);
    push_pair(h, 1, "x", 1);
    assert_int_equal(harness_watermark(h, 0, 10), LEAT_OK);
    expect_nothing(h); /* the broadcast side's watermark counts, too */
    assert_int_equal(harness_end(h, 1), LEAT_OK);
    expect(h, "2@5");
    expect(h, "1@6");
    expect(h, "watermark 10");
    harness_free(h);
}

static void fails_to_open(const leat_operator *op, rules *r, leat_role role, leat_status status,
                          const char *why) {
    leat_function f = rules_fn(r), keys[2] = {leat_field(0), leat_field(0)};
    f.role = role;
    leat_arg arg = leat_arg_function("function", &f);
    harness *h = harness_new(op, &arg, 1, op->flags & LEAT_OP_KEYED ? keys : NULL);
    leat_value v = leat_null();
    assert_int_equal(harness_push(h, 0, &v, LEAT_NO_TIME), status);
    assert_non_null(strstr(harness_failure(h), why));
    harness_free(h);
}

static void wrong_states_are_refused(void **state) {
    (void)state;
    rules co = {.name = "rules"}, typed = {.name = "rules", .type = "LONG"}, nameless = {0};
    fails_to_open(&leat_co_process_operator, &co, LEAT_ROLE_CO_PROCESS, LEAT_E_STATE,
                  "without a broadcast input");
    fails_to_open(&leat_broadcast_process_operator, &typed, LEAT_ROLE_BROADCAST_PROCESS,
                  LEAT_E_ARGUMENT, "give MAP<key,value>");
    fails_to_open(&leat_broadcast_process_operator, &nameless, LEAT_ROLE_BROADCAST_PROCESS,
                  LEAT_E_ARGUMENT, "needs a name");
}

/* Asks for one name with two types. */
static leat_status open_twice(leat_context *ctx, void *arg, void **self) {
    leat_error err;
    rules *r = *self = arg;
    leat_status status = leat_context_broadcast(
        ctx, "rules", leat_type_parse("MAP<STRING,LONG>", &err), &r->state, &err);
    leat_state *first = r->state;
    if (status >= 0)
        status = leat_context_broadcast(ctx, "rules", leat_type_parse("MAP<STRING,LONG>", &err),
                                        &r->state, &err);
    assert_ptr_equal(first, r->state);
    if (status >= 0) status = leat_context_broadcast(ctx, "rules", NULL, &r->state, &err);
    return status < 0 ? leat_context_fail(ctx, status, "%s", err.text) : status;
}

static void one_name_has_one_type(void **state) {
    (void)state;
    rules r = {.name = "rules"};
    leat_function f = rules_fn(&r);
    f.open = open_twice;
    leat_arg arg = leat_arg_function("function", &f);
    harness *h = harness_new(&leat_broadcast_process_operator, &arg, 1, NULL);
    refuses(h, 0, "a", 1, "give it another name");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        BOTH_WAYS(every_record_sees_the_rules_before_it),
        BOTH_WAYS(keyed_state_of_the_same_name_is_apart),
        BOTH_WAYS(timers_have_their_key_after_a_broadcast_record),
        cmocka_unit_test(the_other_side_only_reads),
        cmocka_unit_test(the_broadcast_side_has_no_key),
        cmocka_unit_test(wrong_states_are_refused),
        cmocka_unit_test(one_name_has_one_type),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
