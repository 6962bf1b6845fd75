/* Tests of keyed.c: tables that functions ask for by name, in operators that have tables of their own and in those
   that have none; with snapshot and restore between the steps, too. */
#include "expect.h"

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

int main(void) {
    const struct CMUnitTest tests[] = {
        BOTH_WAYS(functions_have_state_by_name),
        cmocka_unit_test(without_keys_there_is_no_state),
        cmocka_unit_test(a_name_stands_for_one_kind_and_type),
        BOTH_WAYS(names_of_operators_are_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
