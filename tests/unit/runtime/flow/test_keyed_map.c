/* Tests of keyed_map.c: map state of functions, step by step and with snapshot and restore between
   the steps. A function takes one command after the other, as text, all under one key. */
#include "expect.h"
#include "fake_object.h"
#include "runtime/base/object.h"
#include "runtime/flow/chain.h"
#include "still.h"

#include <stdlib.h>

static struct setting {
    leat_state_kind kind;
    leat_ttl ttl;
} setting;

static leat_status machine_open(leat_context *ctx, void *arg, void **self) {
    leat_error err;
    leat_state *map;
    (void)arg;
    leat_status status = leat_context_state(ctx, "map", setting.kind, NULL, &map, &err);
    *self = map;
    return status < 0 || !setting.ttl.ms ? status : leat_state_expires(map, &setting.ttl);
}

static leat_status emit_walk(leat_context *ctx, leat_state *map, size_t at, leat_emitter *out) {
    leat_map_entry entry;
    leat_status status;
    while ((status = leat_map_next(ctx, map, (leat_namespace){NULL, 0}, &at, &entry)) == LEAT_OK) {
        leat_value pair[] = {entry.key, entry.value}, item = leat_tuple(pair, 2);
        status = leat_emitter_push(out, &item);
        if (status < 0) return status;
    }
    return status < 0 ? status : LEAT_OK;
}

static leat_status emit_entry(leat_status status, const leat_map_entry *entry, leat_emitter *out) {
    leat_value pair[] = {entry->key, entry->value}, item = leat_tuple(pair, 2);
    leat_value none = leat_string("none");
    return status < 0 ? status : leat_emitter_push(out, status == LEAT_OK ? &item : &none);
}

static leat_status emit_count(leat_context *ctx, leat_state *map, leat_emitter *out) {
    size_t count = 0;
    leat_status status = leat_map_count(ctx, map, (leat_namespace){NULL, 0}, &count);
    leat_value v = leat_int((int64_t)count);
    return status < 0 ? status : leat_emitter_push(out, &v);
}

/* What was lent is an object, which its language may change. */
static leat_status change_object(leat_status status, const leat_value *v, int64_t number) {
    if (status == LEAT_OK && v->kind == LEAT_OBJECT)
        ((fake_object *)v->as.object)->number = (int)number;
    return status < 0 ? status : LEAT_OK;
}

static leat_status put_object(leat_context *ctx, leat_state *map, const leat_value *key,
                              int64_t number) {
    leat_value v = fake_new((int)number);
    leat_status status = leat_map_put(ctx, map, (leat_namespace){NULL, 0}, key, &v);
    leati_object_release(&v);
    return status;
}

/* "p 3 5": put; "a 3 5": append; "g 3": get; "c 3": contains; "r 3": remove; "w": walk; "s 3": walk
   from there; "f", "l": first, last; "x 3 5": remove the range; "n": count; "i": the whole value.
   "o 3 5": put an object; "m 3 5", "M 5", "L 5": get one, the next from the first, the last, and
   change it. */
static leat_status machine_run(leat_context *ctx, const leat_record *in, leat_emitter *out,
                               void *self) {
    leat_namespace ns = {NULL, 0};
    leat_map_entry entry;
    char text[32] = {0};
    memcpy(text, in->value.as.bytes, in->value.size);
    char *end = text + 1;
    leat_value a = leat_int(strtol(end, &end, 10)), b = leat_int(strtol(end, NULL, 10)), v;
    size_t at = 0;
    leat_status status = LEAT_OK;
    switch (text[0]) {
    case 'p': return leat_map_put(ctx, self, ns, &a, &b);
    case 'a': return leat_map_append(ctx, self, ns, &a, &b);
    case 'r': return leat_map_remove(ctx, self, ns, &a);
    case 'x': return leat_map_remove_range(ctx, self, ns, &a, b.as.i ? &b : NULL);
    case 'g':
        status = leat_map_get(ctx, self, ns, &a, &v);
        if (status == LEAT_DONE) v = leat_string("none");
        return status < 0 ? status : leat_emitter_push(out, &v);
    case 'c':
        status = leat_map_contains(ctx, self, ns, &a);
        v = leat_bool(status == LEAT_OK);
        return status < 0 ? status : leat_emitter_push(out, &v);
    case 's':
        status = leat_map_seek(ctx, self, ns, &a, &at);
        return status < 0 ? status : emit_walk(ctx, self, at, out);
    case 'w': return emit_walk(ctx, self, at, out);
    case 'f': return emit_entry(leat_map_first(ctx, self, ns, &entry), &entry, out);
    case 'l': return emit_entry(leat_map_last(ctx, self, ns, &entry), &entry, out);
    case 'n': return emit_count(ctx, self, out);
    case 'o': return put_object(ctx, self, &a, b.as.i);
    case 'm': return change_object(leat_map_get(ctx, self, ns, &a, &v), &v, b.as.i);
    case 'M':
        status = leat_map_next(ctx, self, ns, &at, &entry);
        return change_object(status, &entry.value, a.as.i);
    case 'L':
        status = leat_map_last(ctx, self, ns, &entry);
        return change_object(status, &entry.value, a.as.i);
    default:
        status = leat_state_get(ctx, self, ns, &v);
        if (status == LEAT_DONE) v = leat_string("none");
        return status < 0 ? status : leat_emitter_push(out, &v);
    }
}

static leat_status one_key(leat_context *ctx, const leat_record *in, leat_value *key, void *arg) {
    (void)ctx, (void)arg, (void)in;
    *key = leat_string("key");
    return LEAT_OK;
}

static harness *machine_of(void **state, leat_state_kind kind, leat_ttl ttl) {
    leat_function f = leat_flat_map_fn(machine_run, NULL), key = leat_key_fn(one_key, NULL);
    f.open = machine_open;
    setting = (struct setting){kind, ttl};
    leat_arg arg = leat_arg_function("function", &f);
    return both_ways(state, harness_new(&leat_flat_map_operator, &arg, 1, &key));
}

/* Commands up to the first '=', then results, with blanks around each. */
static void run(harness *h, const char *command, const char *result) {
    leat_value v = leat_string(command);
    assert_int_equal(harness_push(h, 0, &v, LEAT_NO_TIME), LEAT_OK);
    char all[200] = "";
    for (const char *line; (line = harness_next(h));) {
        if (*all) strcat(all, " ");
        strcat(all, line);
    }
    assert_string_equal(all, result);
}

static const leat_ttl forever = {.ms = 0};

static void unordered_maps_work(void **state) {
    harness *h = machine_of(state, LEAT_MAP_STATE, forever);
    run(h, "g 1", "none");
    run(h, "w", "");
    run(h, "n", "0");
    run(h, "r 1", "");
    run(h, "p 2 20", "");
    run(h, "p 1 10", "");
    run(h, "p 3 30", "");
    run(h, "p 2 21", "");
    run(h, "w", "(2,21) (1,10) (3,30)");
    run(h, "i", "{2=21, 1=10, 3=30}");
    run(h, "g 2", "21");
    run(h, "c 4", "false");
    run(h, "r 2", "");
    run(h, "c 2", "false");
    run(h, "c 3", "true");
    run(h, "n", "2");
    run(h, "a 4 1", "");
    run(h, "a 4 2", "");
    run(h, "g 4", "[1, 2]");
    run(h, "r 1", "");
    run(h, "r 3", "");
    run(h, "r 4", "");
    run(h, "i", "none");
    assert_int_equal(leati_table_count(harness_context(h)->tables[0]), 0);
    harness_free(h);
}

static void ordered_maps_are_in_order(void **state) {
    harness *h = machine_of(state, LEAT_ORDERED_MAP_STATE, forever);
    run(h, "f", "none");
    run(h, "l", "none");
    run(h, "x 0 0", "");
    run(h, "s 3", "");
    run(h, "p 5 50", "");
    run(h, "p -2 20", "");
    run(h, "p 9 90", "");
    run(h, "p 7 70", "");
    run(h, "w", "(-2,20) (5,50) (7,70) (9,90)");
    run(h, "s 5", "(5,50) (7,70) (9,90)");
    run(h, "s 6", "(7,70) (9,90)");
    run(h, "s 10", "");
    run(h, "f", "(-2,20)");
    run(h, "l", "(9,90)");
    run(h, "x 5 9", "");
    run(h, "w", "(-2,20) (9,90)");
    run(h, "x 4 0", "");
    run(h, "i", "{-2=20}");
    run(h, "x -5 0", "");
    run(h, "i", "none");
    harness_free(h);
}

static void pairs_expire_by_themselves(void **state) {
    harness *h = machine_of(state, LEAT_ORDERED_MAP_STATE, (leat_ttl){.ms = 100});
    run(h, "p 1 10", "");
    harness_clock(h, 50);
    run(h, "p 2 20", "");
    run(h, "a 3 30", "");
    harness_clock(h, 99);
    run(h, "w", "(1,10) (2,20) (3,[30])");
    harness_clock(h, 100);
    run(h, "w", "(2,20) (3,[30])");
    run(h, "f", "(2,20)");
    run(h, "n", "3");
    run(h, "g 1", "none");
    run(h, "n", "2");
    run(h, "a 3 31", "");
    harness_clock(h, 150);
    run(h, "w", "(3,[30, 31])");
    run(h, "g 2", "none");
    harness_clock(h, 200);
    run(h, "l", "none");
    run(h, "n", "0");
    run(h, "a 3 32", "");
    run(h, "g 3", "[32]");
    harness_clock(h, 400);
    run(h, "a 3 33", "");
    run(h, "g 3", "[33]");
    harness_free(h);
}

static void reading_prolongs_and_shows(void **state) {
    harness *h = machine_of(state, LEAT_MAP_STATE,
                            (leat_ttl){.ms = 100, .on_read = true, .show_expired = true});
    run(h, "p 1 10", "");
    harness_clock(h, 90);
    run(h, "g 1", "10");
    harness_clock(h, 180);
    run(h, "w", "(1,10)");
    harness_clock(h, 270);
    run(h, "c 1", "true");
    harness_clock(h, 400);
    run(h, "g 1", "10");
    run(h, "g 1", "none");
    harness_free(h);
}

static void run_frozen(harness *h, const char *command) {
    still *s = still_new(harness_context(h));
    run(h, command, "");
    still_check(s);
}

static void objects_that_are_lent_are_in_the_snapshot_as_they_were(void **state) {
    (void)state;
    harness *h = machine_of(&(void *){NULL}, LEAT_ORDERED_MAP_STATE, forever);
    run(h, "o 3 30", "");
    run(h, "o 5 50", "");
    run(h, "p 4 40", "");
    run_frozen(h, "m 3 31");
    run(h, "g 3", "31");
    run_frozen(h, "L 51");
    run_frozen(h, "M 32");
    run(h, "w", "(3,fake 32) (4,40) (5,fake 51)");
    harness_free(h);
    assert_int_equal(fake_alive(), 0);
}

static void wrong_calls_are_refused(void **state) {
    (void)state;
    struct {
        leat_state_kind kind;
        const char *command, *says;
    } cases[] = {
        {LEAT_MAP_STATE, "f", "the state 'map' is no ordered map state"},
        {LEAT_MAP_STATE, "l", "the state 'map' is no ordered map state"},
        {LEAT_MAP_STATE, "s 1", "the state 'map' is no ordered map state"},
        {LEAT_MAP_STATE, "x 1 2", "the state 'map' is no ordered map state"},
        {LEAT_VALUE_STATE, "p 1 2", "the state 'map' is no map state"},
        {LEAT_LIST_STATE, "w", "the state 'map' is no map state"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        void *plain = NULL;
        harness *h = machine_of(&plain, cases[i].kind, forever);
        leat_value v = leat_string(cases[i].command);
        assert_int_equal(harness_push(h, 0, &v, LEAT_NO_TIME), LEAT_E_STATE);
        assert_string_equal(harness_failure(h), cases[i].says);
        harness_free(h);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        BOTH_WAYS(unordered_maps_work),
        BOTH_WAYS(ordered_maps_are_in_order),
        BOTH_WAYS(pairs_expire_by_themselves),
        BOTH_WAYS(reading_prolongs_and_shows),
        cmocka_unit_test(objects_that_are_lent_are_in_the_snapshot_as_they_were),
        cmocka_unit_test(wrong_calls_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
