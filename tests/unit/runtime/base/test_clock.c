/* Tests of clock.c: the replacement of the time of day, and that time passes forward. */
#include "runtime/base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static int64_t fixed(void *arg) {
    return *(int64_t *)arg;
}

static void clock_replaced_gives_the_replacement(void **state) {
    (void)state;
    int64_t at = 42;
    leati_clock_set(fixed, &at);
    assert_int_equal(leati_clock_now(), 42);
    at = 43;
    assert_int_equal(leati_clock_now(), 43);
    leati_clock_set(NULL, NULL);
    assert_true(leati_clock_now() > 1600000000000);
}

static void clock_monotonic_never_goes_back(void **state) {
    (void)state;
    int64_t last = leati_clock_monotonic();
    for (int i = 0; i < 1000; i++) {
        int64_t now = leati_clock_monotonic();
        assert_true(now >= last);
        last = now;
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clock_replaced_gives_the_replacement),
        cmocka_unit_test(clock_monotonic_never_goes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
