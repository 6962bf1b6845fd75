/* Tests of log.c: levels, and functions that log themselves. */
#include "runtime/base/log.h"

#include "runtime/base/alloc.h"

#include <stdio.h>

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

typedef struct heard {
    int count, depth, deepest;
    char last[64];
} heard;

static void listen(leat_log_level level, const char *line, void *arg) {
    heard *h = arg;
    h->count++;
    if (++h->depth > h->deepest) h->deepest = h->depth;
    snprintf(h->last, sizeof h->last, "%d %s", (int)level, line);
    if (strcmp(line, "first") == 0) leati_log(LEAT_LOG_ERROR, "second");
    h->depth--;
}

static void log_below_the_level_is_not_heard(void **state) {
    (void)state;
    heard h = {0};
    leat_log_set(listen, &h, LEAT_LOG_INFO);
    leati_log(LEAT_LOG_DEBUG, "no");
    assert_int_equal(h.count, 0);
    assert_false(leati_log_wants(LEAT_LOG_DEBUG));
    leati_log(LEAT_LOG_INFO, "%d of %s", 1, "them");
    assert_string_equal(h.last, "1 1 of them");
    leat_log_set(listen, &h, LEAT_LOG_OFF);
    leati_log(LEAT_LOG_ERROR, "no");
    assert_int_equal(h.count, 1);
    leat_log_set(NULL, NULL, LEAT_LOG_DEBUG);
    assert_false(leati_log_wants(LEAT_LOG_INFO));
    assert_true(leati_log_wants(LEAT_LOG_WARNING));
}

static void log_inside_the_function_comes_after_it(void **state) {
    (void)state;
    heard h = {0};
    leat_log_set(listen, &h, LEAT_LOG_DEBUG);
    leati_log(LEAT_LOG_INFO, "first");
    leat_log_set(NULL, NULL, LEAT_LOG_DEBUG);
    assert_int_equal(h.count, 2);
    assert_int_equal(h.deepest, 1);
    assert_string_equal(h.last, "3 second");
}

static void log_without_memory_is_dropped(void **state) {
    (void)state;
    heard h = {0};
    leat_log_set(listen, &h, LEAT_LOG_DEBUG);
    leati_alloc_fail_after(1);
    leati_log(LEAT_LOG_ERROR, "lost");
    leati_alloc_fail_after(-1);
    leat_log_set(NULL, NULL, LEAT_LOG_DEBUG);
    assert_int_equal(h.count, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(log_below_the_level_is_not_heard),
        cmocka_unit_test(log_inside_the_function_comes_after_it),
        cmocka_unit_test(log_without_memory_is_dropped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
