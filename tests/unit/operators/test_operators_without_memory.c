/* Windows, joins and asynchronous calls when memory ends: each allocation of their work is the
   first that fails once. What comes is LEAT_E_NOMEM or all results, and nothing is left behind,
   which the address sanitizer looks for. */
#include "windows.h"

#include <stdlib.h>
#include <string.h>

/* The results so far, a line each; taken. */
static size_t results(harness *h, char *text, size_t room) {
    size_t count = 0, at = 0;
    text[0] = 0;
    for (const char *line; (line = harness_next(h)) != NULL; count++) {
        assert_true(at + strlen(line) + 2 < room);
        at += (size_t)snprintf(text + at, room - at, "%s\n", line);
    }
    return count;
}

typedef struct step {
    unsigned input;
    char kind; /* 'p' push, 'w' watermark, 'e' end */
    int64_t number, time;
} step;

enum { STEPS = 40 };

/* Two keys, with event time that goes back and forth; the last record is late. */
static int make_steps(step *steps, unsigned inputs) {
    int count = 0;
    for (int i = 0; i < 24; i++) {
        steps[count++] = (step){(unsigned)i % inputs, 'p', i, 3 * i - 5 * (i % 4)};
        for (unsigned k = 0; k < inputs && i % 8 == 7; k++)
            steps[count++] = (step){k, 'w', 0, 3 * i - 6};
    }
    steps[count++] = (step){0, 'p', 100, 1};
    for (unsigned k = 0; k < inputs; k++) steps[count++] = (step){k, 'e', 0, 0};
    assert_true(count <= STEPS);
    return count;
}

static leat_status take_step(harness *h, const step *s) {
    if (s->kind == 'w') return harness_watermark(h, s->input, s->time);
    if (s->kind == 'e') return harness_end(h, s->input);
    leat_value items[2] = {leat_string(s->number % 3 ? "a" : "b"), leat_int(s->number)};
    leat_value v = leat_tuple(items, 2);
    return harness_push(h, s->input, &v, s->time);
}

/* All steps; in step `at` allocation `n` fails. */
static leat_status work(harness *h, const step *steps, int count, int at, int64_t n) {
    leat_status status = LEAT_OK;
    for (int i = 0; i < count && status >= 0; i++) {
        if (i == at) harness_fail_allocation(h, n);
        status = take_step(h, &steps[i]);
    }
    return status;
}

static void fails_or_works(void **state, harness *(*open)(void **state), unsigned inputs) {
    char wanted[4000], got[4000];
    step steps[STEPS];
    int step_count = make_steps(steps, inputs);
    harness *h = open(state);
    assert_true(work(h, steps, step_count, -1, 0) >= 0);
    size_t count = results(h, wanted, sizeof wanted);
    assert_true(count > 3);
    harness_free(h);
    int64_t failures = 0;
    for (int at = 0; at < step_count; at++) {
        bool same = false;
        for (int64_t n = 1; !same; n++) {
            assert_true(n < 1000);
            h = open(state);
            leat_status status = work(h, steps, step_count, at, n);
            if (status >= 0) {
                assert_int_equal(results(h, got, sizeof got), count);
                same = strcmp(got, wanted) == 0; /* else a line had no memory for its text */
            } else {
                assert_int_equal(status, LEAT_E_NOMEM);
                failures++;
            }
            harness_free(h);
        }
    }
    assert_true(failures > 0);
}

/* --- windows ---------------------------------------------------------------------------------- */

static harness *windows(void **state, const char *assigner, const char *param, const char *own) {
    window_args a = {.count = 0};
    with_own(&a, "assigner", assigner);
    if (own)
        with_own(&a, param, own);
    else
        with(&a, "window", teller());
    with_int(&a, "lateness", 5);
    with_text(&a, "late_tag", "late");
    harness *h = open_window(state, &a);
    harness_side(h, "late");
    return h;
}

static harness *tumbling_sum(void **state) {
    return windows(state, "tumbling_event_time 10", "reduce", "sum 1");
}

static harness *tumbling_contents(void **state) {
    return windows(state, "tumbling_event_time 10", NULL, NULL);
}

static harness *sessions(void **state) {
    return windows(state, "session_event_time 4", NULL, NULL);
}

static harness *session_sums(void **state) {
    return windows(state, "session_event_time 4", "aggregate", "sum 1");
}

static harness *count_windows(void **state) {
    return windows(state, "count_sliding 4 2", NULL, NULL);
}

static harness *evicted(void **state) {
    window_args a = {.count = 0};
    with_own(&a, "assigner", "tumbling_event_time 20");
    with_own(&a, "trigger", "count 3");
    with_own(&a, "evictor", "count 2");
    with(&a, "window", teller());
    return open_window(state, &a);
}

static harness *shares_of(void **state, const char *aggregate) {
    window_args a = {.count = 0};
    with_own(&a, "assigner", "sliding_event_time 20 5");
    with_own(&a, "aggregate", aggregate);
    return open_window(state, &a);
}

static harness *slices(void **state) {
    return shares_of(state, "sum 1");
}

static harness *shares(void **state) {
    return shares_of(state, "max_by 1");
}

/* --- two inputs ------------------------------------------------------------------------------- */

static leat_status tell_pair(leat_context *ctx, const leat_value *first, const leat_value *second,
                             leat_emitter *out, void *self) {
    (void)ctx, (void)self;
    leat_value v = leat_int(100 * first->as.items[1].as.i + second->as.items[1].as.i);
    return leat_emitter_push(out, &v);
}

static harness *window_join(void **state) {
    window_args a = {.count = 0};
    leat_function keys[2] = {leat_field(0), leat_field(0)};
    with_own(&a, "assigner", "session_event_time 6");
    with(&a, "join", leat_join_fn(tell_pair, NULL));
    return both_ways(state, harness_new(&leat_window_join_operator, a.args, a.count, keys));
}

static harness *interval_join(void **state) {
    window_args a = {.count = 0};
    leat_function keys[2] = {leat_field(0), leat_field(0)};
    with(&a, "function", leat_join_fn(tell_pair, NULL));
    with_int(&a, "lower", -6);
    with_int(&a, "upper", 6);
    with_text(&a, "left_late_tag", "late");
    with_text(&a, "right_late_tag", "late");
    harness *h = both_ways(state, harness_new(&leat_interval_join_operator, a.args, a.count, keys));
    harness_side(h, "late");
    return h;
}

/* --- asynchronous calls: the answer to one comes with the next -------------------------------- */

static leat_async_call *waiting; /* at most one */

static leat_status answer_waiting(void) {
    leat_value v[2] = {leat_string("an answer"), leat_int(1)};
    leat_status status = waiting ? leat_async_complete(waiting, v, 2) : LEAT_OK;
    if (status >= 0) waiting = NULL;
    return status;
}

static leat_status answer_later(leat_context *ctx, const leat_record *in, size_t count,
                                leat_async_call *call, void *self) {
    (void)ctx, (void)count, (void)self;
    leat_status status = answer_waiting();
    if (status < 0) return status;
    waiting = call;
    if (in->value.as.items[1].as.i % 3 != 0) return LEAT_OK;
    status = answer_waiting();
    if (status < 0) waiting = NULL; /* what could not begin is gone */
    return status;
}

static void answer_now(leat_context *ctx, leat_async_call *call, void *self) {
    (void)ctx, (void)self;
    if (call != waiting) return; /* it was completed */
    assert_int_equal(leat_async_complete(call, NULL, 0), LEAT_OK);
    waiting = NULL;
}

static harness *calls(void **state, bool ordered) {
    static const leat_async table = {
        .size = sizeof(leat_async), .begin = answer_later, .cancel = answer_now};
    window_args a = {.count = 0};
    with(&a, "function", leat_async_fn(&table, NULL));
    with_int(&a, "ordered", ordered);
    with_int(&a, "timeout", 0);
    with_int(&a, "capacity", 10);
    waiting = NULL;
    return both_ways(state, harness_new(&leat_async_operator, a.args, a.count, NULL));
}

static harness *ordered_calls(void **state) {
    return calls(state, true);
}

static harness *unordered_calls(void **state) {
    return calls(state, false);
}

/* --- all of them ------------------------------------------------------------------------------ */

#define WITHOUT_MEMORY(name, count)                   \
    static void name##_without_memory(void **state) { \
        fails_or_works(state, name, (count));         \
    }
WITHOUT_MEMORY(tumbling_sum, 1)
WITHOUT_MEMORY(tumbling_contents, 1)
WITHOUT_MEMORY(sessions, 1)
WITHOUT_MEMORY(session_sums, 1)
WITHOUT_MEMORY(count_windows, 1)
WITHOUT_MEMORY(evicted, 1)
WITHOUT_MEMORY(slices, 1)
WITHOUT_MEMORY(shares, 1)
WITHOUT_MEMORY(window_join, 2)
WITHOUT_MEMORY(interval_join, 2)
WITHOUT_MEMORY(ordered_calls, 1)
WITHOUT_MEMORY(unordered_calls, 1)

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tumbling_sum_without_memory),
        cmocka_unit_test(tumbling_contents_without_memory),
        cmocka_unit_test(sessions_without_memory),
        cmocka_unit_test(session_sums_without_memory),
        cmocka_unit_test(count_windows_without_memory),
        cmocka_unit_test(evicted_without_memory),
        cmocka_unit_test(slices_without_memory),
        cmocka_unit_test(shares_without_memory),
        cmocka_unit_test(window_join_without_memory),
        cmocka_unit_test(interval_join_without_memory),
        cmocka_unit_test(ordered_calls_without_memory),
        cmocka_unit_test(unordered_calls_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
