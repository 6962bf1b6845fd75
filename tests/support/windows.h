/* windows.h: short words for tests of windows. Records are tuples (key, number); window functions
   tell what they got as text. */
#ifndef LEAT_TESTS_WINDOWS_H
#define LEAT_TESTS_WINDOWS_H

#include <stdio.h>

#include "expect.h"

/* The arguments of a window operator, by name. */
typedef struct window_args {
    leat_function functions[10];
    leat_arg args[14];
    size_t functions_used, count;
} window_args;

static inline void with(window_args *a, const char *name, leat_function f) {
    a->functions[a->functions_used] = f;
    a->args[a->count++] = leat_arg_function(name, &a->functions[a->functions_used++]);
}

/* A function of Leat's own. */
static inline void with_own(window_args *a, const char *name, const char *function) {
    with(a, name, leat_builtin(function));
}

static inline void with_int(window_args *a, const char *name, int64_t i) {
    a->args[a->count++] = leat_arg_int(name, i);
}

static inline void with_text(window_args *a, const char *name, const char *text) {
    a->args[a->count++] = leat_arg_string(name, text);
}

static inline harness *open_window(void **state, const window_args *a) {
    leat_function key = leat_field(0);
    return both_ways(state, harness_new(&leat_window_operator, a->args, a->count, &key));
}

static inline leat_status push_at(harness *h, const char *key, int64_t number, int64_t time) {
    leat_value items[2] = {leat_string(key), leat_int(number)}, v = leat_tuple(items, 2);
    return harness_push(h, 0, &v, time);
}

static inline void take(harness *h, const char *key, int64_t number, int64_t time) {
    assert_int_equal(push_at(h, key, number, time), LEAT_OK);
}

/* Nothing comes but the watermark behind what is expected. */
static inline void watermark(harness *h, int64_t time) {
    assert_int_equal(harness_watermark(h, 0, time), LEAT_OK);
}

static inline void expect_watermark(harness *h, int64_t time) {
    char line[40];
    snprintf(line, sizeof line, "watermark %lld", (long long)time);
    expect(h, line);
}

static inline void end_windows(harness *h) {
    assert_int_equal(harness_end(h, 0), LEAT_OK);
    expect_nothing(h);
    assert_true(harness_ended(h));
    harness_free(h);
}

/* "key [start,end) numbers" */
static inline leat_status tell_window(leat_context *ctx, const leat_window *w,
                                      const leat_value *elements, size_t count, leat_emitter *out,
                                      void *self) {
    (void)self;
    char text[400];
    size_t room = sizeof text;
    const leat_value *key = leat_context_key(ctx);
    int at = snprintf(text, room, "%.*s", (int)key->size, key->as.bytes);
    if (w->kind == LEAT_WINDOW_TIME)
        at += snprintf(text + at, room - (size_t)at, " [%lld,%lld)", (long long)w->start,
                       (long long)w->end);
    if (w->kind == LEAT_WINDOW_COUNT)
        at += snprintf(text + at, room - (size_t)at, " #%lld", (long long)w->start);
    if (w->kind == LEAT_WINDOW_CUSTOM)
        at +=
            snprintf(text + at, room - (size_t)at, " <%.*s>", (int)w->size, (const char *)w->bytes);
    for (size_t i = 0; i < count; i++) {
        const leat_value *v = &elements[i];
        if (v->kind == LEAT_TUPLE) v = &v->as.items[1];
        at += snprintf(text + at, room - (size_t)at, " %lld", (long long)v->as.i);
    }
    leat_value v = leat_string(text);
    return leat_emitter_push(out, &v);
}

static inline leat_function teller(void) {
    static const leat_window_function calls = {sizeof calls, tell_window, NULL, NULL};
    return leat_window_fn(&calls, NULL);
}

#endif
