/* Tests of keyed.c: tables that functions ask for by name, in operators that have tables of their
   own and in those that have none; with snapshot and restore between the steps, too. */
#include "expect.h"
#include "runtime/flow/chain.h"

#include <stdlib.h>

typedef struct counts {
    leat_state *count, *by_value;
} counts;

static leat_status counts_open(leat_context *ctx, void *arg, void **self) {
    leat_error err;
    counts *c = calloc(1, sizeof *c);
    const leat_type *integer = leat_type_parse("LONG", &err);
    (void)arg;
    assert_non_null(c);
    leat_status status =
        leat_context_state(ctx, "count", LEAT_VALUE_STATE, integer, &c->count, &err);
    if (status >= 0)
        status = leat_context_state(ctx, "by value", LEAT_MAP_STATE, NULL, &c->by_value, &err);
    *self = c;
    if (status >= 0) return LEAT_OK;
    free(c);
    return leat_context_fail(ctx, status, "%s", err.text);
}

static void counts_close(leat_context *ctx, void *self) {
    (void)ctx;
    free(self);
}

/* Adds one to what stands there, and answers it. */
static leat_status one_more(leat_context *ctx, leat_state *state, leat_namespace ns, int64_t *now) {
    leat_value v = leat_int(0);
    leat_status status = leat_state_get(ctx, state, ns, &v);
    leat_value next = leat_int(v.as.i + 1);
    *now = next.as.i;
    return status < 0 ? status : leat_state_put(ctx, state, ns, &next);
}

/* Emits ten times the number of values of the key, plus the number of this one. */
static leat_status count(leat_context *ctx, const leat_record *in, leat_value *out, void *self) {
    const counts *c = self;
    int64_t all = 0, same = 0;
    leat_namespace value = {&in->value.as.i, sizeof in->value.as.i};
    leat_status status = one_more(ctx, c->count, (leat_namespace){NULL, 0}, &all);
    if (status >= 0) status = one_more(ctx, c->by_value, value, &same);
    *out = leat_int(10 * all + same);
    return status;
}

static leat_status parity(leat_context *ctx, const leat_record *in, leat_value *key, void *arg) {
    (void)ctx, (void)arg;
    *key = leat_int(in->value.as.i % 2);
    return LEAT_OK;
}

static leat_function counting(void) {
    leat_function f = leat_map_fn(count, NULL);
    f.open = counts_open;
    f.close = counts_close;
    return f;
}

static void functions_have_state_by_name(void **state) {
    leat_function f = counting(), key = leat_key_fn(parity, NULL);
    leat_arg arg = leat_arg_function("function", &f);
    harness *h = both_ways(state, harness_new(&leat_map_operator, &arg, 1, &key));
    for (int64_t i = 1; i <= 3; i++) push_int(h, 0, i);
    push_int(h, 0, 3);
    push_int(h, 0, 2);
    expect(h, "11");
    expect(h, "11");
    expect(h, "21");
    expect(h, "32");
    expect(h, "22");
    harness_free(h);
}

static void without_keys_there_is_no_state(void **state) {
    (void)state;
    leat_function f = counting();
    leat_arg arg = leat_arg_function("function", &f);
    harness *h = harness_new(&leat_map_operator, &arg, 1, NULL);
    leat_value one = leat_int(1);
    assert_int_equal(harness_push(h, 0, &one, LEAT_NO_TIME), LEAT_E_STATE);
    assert_non_null(strstr(harness_failure(h), "'count' was asked for outside a keyed context"));
    harness_free(h);
}

static void a_name_stands_for_one_kind_and_type(void **state) {
    (void)state;
    leat_function f = counting(), key = leat_key_fn(parity, NULL);
    leat_arg arg = leat_arg_function("function", &f);
    harness *h = harness_new(&leat_map_operator, &arg, 1, &key);
    leat_context *ctx = harness_context(h);
    leat_error err;
    leat_state *first = NULL, *again = NULL;
    const leat_type *integer = leat_type_parse("LONG", &err);
    const leat_type *pickled = leat_type_parse("LIST<LONG>", &err);
    assert_int_equal(leat_context_state(ctx, "n", LEAT_VALUE_STATE, integer, &first, &err),
                     LEAT_OK);
    assert_int_equal(leat_context_state(ctx, "n", LEAT_VALUE_STATE, integer, &again, &err),
                     LEAT_OK);
    assert_ptr_equal(first, again);
    assert_int_equal(leat_context_state(ctx, "n", LEAT_LIST_STATE, integer, &again, &err),
                     LEAT_E_STATE);
    assert_non_null(strstr(err.text, "'n' is a value state of LONG"));
    assert_int_equal(leat_context_state(ctx, "n", LEAT_VALUE_STATE, pickled, &again, &err),
                     LEAT_E_STATE);
    assert_non_null(strstr(err.text, "LIST<LONG>"));
    assert_int_equal(leat_context_state(ctx, "", LEAT_VALUE_STATE, NULL, &again, &err),
                     LEAT_E_ARGUMENT);
    leat_value v;
    leat_namespace none = {NULL, 0};
    assert_int_equal(leat_state_get(ctx, first, none, &v), LEAT_E_STATE);
    assert_non_null(strstr(harness_failure(h), "no record is being processed"));
    harness_free(h);
}

/* The operator's own table of that name is another one. */
static leat_status reduce_open(leat_context *ctx, void *arg, void **self) {
    leat_error err;
    leat_state *reduced;
    (void)arg;
    *self = NULL;
    return leat_context_state(ctx, "reduced", LEAT_LIST_STATE, NULL, &reduced, &err);
}

static leat_status sum(leat_context *ctx, const leat_value *a, const leat_value *b, leat_value *out,
                       void *self) {
    (void)ctx, (void)self;
    *out = leat_int(a->as.i + b->as.i);
    return LEAT_OK;
}

static void names_of_operators_are_apart(void **state) {
    leat_function f = leat_reduce_fn(sum, NULL), key = leat_key_fn(parity, NULL);
    f.open = reduce_open;
    leat_arg arg = leat_arg_function("function", &f);
    harness *h = both_ways(state, harness_new(&leat_reduce_operator, &arg, 1, &key));
    push_int(h, 0, 2);
    push_int(h, 0, 4);
    expect(h, "2");
    expect(h, "6");
    harness_free(h);
}

/* --- state that expires ----------------------------------------------------------------------- */

static leat_ttl expiry;

static leat_status expiring_open(leat_context *ctx, void *arg, void **self) {
    leat_error err;
    leat_state *sum;
    (void)arg;
    leat_status status = leat_context_state(ctx, "sum", LEAT_VALUE_STATE, NULL, &sum, &err);
    *self = sum;
    return status < 0 ? status : leat_state_expires(sum, &expiry);
}

/* Emits what the key had, -1 when it had nothing; stores even values. */
static leat_status last_even(leat_context *ctx, const leat_record *in, leat_value *out,
                             void *self) {
    leat_namespace none = {NULL, 0};
    leat_value old = leat_int(-1);
    leat_status status = leat_state_get(ctx, self, none, &old);
    *out = old;
    if (status < 0 || in->value.as.i % 2) return status;
    return leat_state_put(ctx, self, none, &in->value);
}

static leat_status tens(leat_context *ctx, const leat_record *in, leat_value *key, void *arg) {
    (void)ctx, (void)arg;
    *key = leat_int(in->value.as.i / 10);
    return LEAT_OK;
}

static harness *expiring(void **state, leat_ttl ttl) {
    leat_function f = leat_map_fn(last_even, NULL), key = leat_key_fn(tens, NULL);
    f.open = expiring_open;
    expiry = ttl;
    leat_arg arg = leat_arg_function("function", &f);
    return both_ways(state, harness_new(&leat_map_operator, &arg, 1, &key));
}

static void push_at(harness *h, int64_t now, int64_t i, const char *result) {
    assert_true(harness_clock(h, now) >= 0);
    push_int(h, 0, i);
    expect(h, result);
}

static void values_expire_after_their_last_write(void **state) {
    harness *h = expiring(state, (leat_ttl){.ms = 100});
    push_at(h, 0, 2, "-1");
    push_at(h, 99, 1, "2");
    push_at(h, 100, 1, "-1");
    push_at(h, 200, 4, "-1");
    push_at(h, 250, 6, "4");
    push_at(h, 349, 1, "6");
    push_at(h, 350, 1, "-1");
    harness_free(h);
}

static void reading_may_prolong(void **state) {
    harness *h = expiring(state, (leat_ttl){.ms = 100, .on_read = true});
    push_at(h, 0, 2, "-1");
    push_at(h, 90, 1, "2");
    push_at(h, 180, 1, "2");
    push_at(h, 280, 1, "-1");
    harness_free(h);
}

static void an_expired_value_may_show_once(void **state) {
    harness *h = expiring(state, (leat_ttl){.ms = 100, .show_expired = true});
    push_at(h, 0, 2, "-1");
    push_at(h, 500, 1, "2");
    push_at(h, 500, 1, "-1");
    harness_free(h);
}

static void writes_clean_up_others(void **state) {
    (void)state;
    harness *h = expiring(state, (leat_ttl){.ms = 100});
    for (int64_t i = 0; i < 50; i++) push_int(h, 0, 10 * i);
    const leati_table *table = harness_context(h)->tables[0];
    assert_int_equal(leati_table_count(table), 50);
    assert_true(harness_clock(h, 100) >= 0);
    for (int64_t i = 50; i < 61; i++) push_int(h, 0, 10 * i);
    assert_in_range(leati_table_count(table), 11, 30);
    leat_ttl other = {.ms = 5};
    assert_int_equal(leat_state_expires(harness_context(h)->tables[0], &other), LEAT_E_STATE);
    assert_int_equal(leat_state_expires(harness_context(h)->tables[0], &expiry), LEAT_OK);
    harness_free(h);
}

/* --- lists ------------------------------------------------------------------------------------ */

static leat_status window_open(leat_context *ctx, void *arg, void **self) {
    leat_error err;
    leat_state *list;
    (void)arg;
    leat_status status = leat_context_state(ctx, "list", LEAT_LIST_STATE, NULL, &list, &err);
    *self = list;
    return status < 0 || !expiry.ms ? status : leat_state_expires(list, &expiry);
}

/* Appends to one of two lists, the last digit says which; 9 merges the second into the first. Emits
   the first. */
static leat_status collect(leat_context *ctx, const leat_record *in, leat_value *out, void *self) {
    leat_namespace first = {"1", 1}, second = {"2", 1};
    int64_t digit = in->value.as.i % 10;
    leat_status status =
        digit == 9 ? leat_state_merge(ctx, self, first, second)
                   : leat_state_append(ctx, self, digit == 2 ? second : first, &in->value);
    *out = leat_null();
    return status < 0 ? status : leat_state_get(ctx, self, first, out);
}

static harness *collecting(void **state, leat_ttl ttl) {
    leat_function f = leat_map_fn(collect, NULL), key = leat_key_fn(tens, NULL);
    f.open = window_open;
    expiry = ttl;
    leat_arg arg = leat_arg_function("function", &f);
    return both_ways(state, harness_new(&leat_map_operator, &arg, 1, &key));
}

static void lists_grow_and_merge(void **state) {
    harness *h = collecting(state, (leat_ttl){.ms = 0});
    push_at(h, 0, 1, "[1]");
    push_at(h, 0, 12, "null");
    push_at(h, 0, 3, "[1, 3]");
    push_at(h, 0, 2, "[1, 3]");
    push_at(h, 0, 9, "[1, 3, 2]");
    push_at(h, 0, 19, "[12]");
    push_at(h, 0, 11, "[12, 11]");
    harness_free(h);
}

static void lists_expire_after_the_last_append(void **state) {
    harness *h = collecting(state, (leat_ttl){.ms = 100});
    push_at(h, 0, 1, "[1]");
    push_at(h, 90, 3, "[1, 3]");
    push_at(h, 180, 5, "[1, 3, 5]");
    push_at(h, 280, 1, "[1]");
    push_at(h, 300, 2, "[1]");
    push_at(h, 390, 9, "[2]");
    push_at(h, 410, 9, "null");
    harness_free(h);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        BOTH_WAYS(functions_have_state_by_name),
        cmocka_unit_test(without_keys_there_is_no_state),
        cmocka_unit_test(a_name_stands_for_one_kind_and_type),
        BOTH_WAYS(names_of_operators_are_apart),
        BOTH_WAYS(values_expire_after_their_last_write),
        BOTH_WAYS(reading_may_prolong),
        BOTH_WAYS(an_expired_value_may_show_once),
        cmocka_unit_test(writes_clean_up_others),
        BOTH_WAYS(lists_grow_and_merge),
        BOTH_WAYS(lists_expire_after_the_last_append),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
