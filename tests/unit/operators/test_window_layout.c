/* Tests of window_layout.c: a job that is restored with other windows is refused, where what was
   kept would be lost. */
#include "runtime/base/alloc.h"
#include "runtime/flow/snapshot.h"
#include "windows.h"

static harness *open_with(const window_args *a) {
    leat_function key = leat_field(0);
    return harness_new(&leat_window_operator, a->args, a->count, &key);
}

/* Which points into itself. */
static void usual(window_args *a, const char *kind, const char *function) {
    memset(a, 0, sizeof *a);
    with_own(a, "assigner", "sliding_event_time 10 5");
    with_own(a, kind, function);
}

/* Restores into `now` what `then` remembers; the failure's text, "" for none. */
static void expect_restored(const window_args *then, const window_args *now, const char *text) {
    harness *from = open_with(then), *to = open_with(now);
    leati_buf b;
    leati_buf_init(&b);
    take(from, "k", 1, 3);
    assert_int_equal(leati_context_snapshot(harness_context(from), &b), LEAT_OK);
    leat_status status = leati_context_restore_bytes(harness_context(to), b.bytes, b.size);
    assert_int_equal(status, *text ? LEAT_E_STATE : LEAT_OK);
    if (!strstr(harness_failure(to), text)) assert_string_equal(harness_failure(to), text);
    leati_buf_fini(&b);
    harness_free(from);
    harness_free(to);
}

static void same_windows_are_restored(void **state) {
    (void)state;
    window_args a, b;
    usual(&a, "reduce", "sum 1");
    usual(&b, "reduce", "sum 1");
    expect_restored(&a, &b, "");
}

static void another_trigger_is_refused(void **state) {
    (void)state;
    window_args a, b;
    usual(&a, "reduce", "sum 1");
    usual(&b, "reduce", "sum 1");
    with_own(&b, "trigger", "count 3");
    expect_restored(&a, &b,
                    "the trigger of its windows changed: 'event_time' when the snapshot was made, "
                    "'count 3' now");
    with_int(&b, "purging", 1);
    expect_restored(&b, &a, "'count 3, purging' when");
}

static void another_lateness_is_refused(void **state) {
    (void)state;
    window_args a, b;
    usual(&a, "reduce", "sum 1");
    usual(&b, "reduce", "sum 1");
    with_int(&b, "lateness", 7);
    expect_restored(&a, &b, "the allowed lateness of its windows changed: '0 ms' when");
}

static void other_contents_are_refused(void **state) {
    (void)state;
    window_args a, b;
    usual(&a, "reduce", "min_by 1");
    usual(&b, "aggregate", "count");
    expect_restored(&a, &b, "the contents of its windows changed: 'reduced' when the snapshot");
}

static void other_slices_are_refused(void **state) {
    (void)state;
    window_args a, b, c = {.count = 0};
    usual(&a, "reduce", "sum 1");
    usual(&b, "reduce", "max 1");
    expect_restored(&a, &b,
                    "the slices of its windows changed: 'sum 1 of windows of 10 ms every 5 ms from "
                    "0 ms on' when the snapshot was made, 'max 1 of windows");
    with_own(&c, "assigner", "sliding_event_time 20 5");
    with_own(&c, "reduce", "sum 1");
    expect_restored(&a, &c, "'sum 1 of windows of 20 ms every 5 ms from 0 ms on' now");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_windows_are_restored),   cmocka_unit_test(another_trigger_is_refused),
        cmocka_unit_test(another_lateness_is_refused), cmocka_unit_test(other_contents_are_refused),
        cmocka_unit_test(other_slices_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
