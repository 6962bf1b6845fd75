/* Tests of restart.c: each strategy told of failures at times of the test's own. */
#include "runtime/job/restart.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static leat_error error;

/* `settings`: "key value" pairs after "restart-strategy.", "" for the type. */
static leat_status make(leati_restart *r, const char *const *settings) {
    leati_config *config = leati_config_new();
    assert_non_null(config);
    for (; *settings; settings += 2) {
        char key[120];
        snprintf(key, sizeof key, "restart-strategy.%s", *settings);
        error.text[0] = 0;
        leat_status status =
            leati_config_set(config, key, settings[1], LEATI_CONFIG_PROGRAM, &error);
        if (status < 0) fail_msg("%s", error.text);
    }
    leat_status status = leati_restart_init(r, config, &error);
    leati_config_free(config);
    return status;
}

#define MAKE(r, ...) make(r, (const char *const[]){__VA_ARGS__, NULL})

static void expect_words(const leati_restart *r, const char *expected) {
    char words[120];
    leati_restart_words(r, words, sizeof words);
    assert_string_equal(words, expected);
}

static void without_a_type_there_are_no_restarts(void **state) {
    (void)state;
    leati_restart r;
    assert_int_equal(make(&r, (const char *const[]){NULL}), LEAT_OK);
    assert_int_equal(r.kind, LEATI_RESTART_NONE);
    assert_int_equal(leati_restart_after(&r, 0), -1);
    expect_words(&r, "no restarts");
    leati_restart_fini(&r);
}

static void every_spelling_of_a_type_is_known(void **state) {
    (void)state;
    static const struct {
        const char *type;
        leati_restart_kind kind;
    } known[] = {
        {"none", LEATI_RESTART_NONE},
        {"off", LEATI_RESTART_NONE},
        {"disable", LEATI_RESTART_NONE},
        {"Fixed-Delay", LEATI_RESTART_FIXED_DELAY},
        {"fixeddelay", LEATI_RESTART_FIXED_DELAY},
        {"exponential-delay", LEATI_RESTART_EXPONENTIAL_DELAY},
        {"EXPONENTIALDELAY", LEATI_RESTART_EXPONENTIAL_DELAY},
        {"failure-rate", LEATI_RESTART_FAILURE_RATE},
        {"failurerate", LEATI_RESTART_FAILURE_RATE},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        leati_restart r;
        assert_int_equal(MAKE(&r, "type", known[i].type), LEAT_OK);
        assert_int_equal(r.kind, known[i].kind);
        leati_restart_fini(&r);
    }
}

static void fixed_delay_bears_as_many_failures_as_attempts(void **state) {
    (void)state;
    leati_restart r;
    assert_int_equal(MAKE(&r, "type", "fixed-delay"), LEAT_OK);
    assert_int_equal(leati_restart_after(&r, 5), 1000); /* Flink's defaults */
    assert_int_equal(leati_restart_after(&r, 6), -1);
    expect_words(&r, "fixed-delay: 1 restart");
    leati_restart_fini(&r);

    assert_int_equal(
        MAKE(&r, "type", "fixed-delay", "fixed-delay.attempts", "2", "fixed-delay.delay", "0"),
        LEAT_OK);
    assert_int_equal(leati_restart_after(&r, 5), 0);
    assert_int_equal(leati_restart_after(&r, 1000000), 0);
    assert_int_equal(leati_restart_after(&r, 9000000000), -1);
    expect_words(&r, "fixed-delay: 2 restarts");
    leati_restart_fini(&r);

    assert_int_equal(MAKE(&r, "type", "fixed-delay", "fixed-delay.attempts", "0"), LEAT_OK);
    assert_int_equal(leati_restart_after(&r, 5), -1);
    leati_restart_fini(&r);
}

static void failure_rate_counts_within_the_interval(void **state) {
    (void)state;
    leati_restart r;
    assert_int_equal(MAKE(&r, "type", "failure-rate", "failure-rate.max-failures-per-interval", "2",
                          "failure-rate.failure-rate-interval", "100", "failure-rate.delay", "7"),
                     LEAT_OK);
    assert_int_equal(leati_restart_after(&r, 0), 7);
    assert_int_equal(leati_restart_after(&r, 50), 7);
    assert_int_equal(leati_restart_after(&r, 101), 7); /* the one at 0 is too long ago */
    assert_int_equal(leati_restart_after(&r, 150), -1);
    expect_words(&r, "failure-rate: 2 restarts within 100 ms");
    leati_restart_fini(&r);
}

static void failure_rate_goes_on_for_ever_when_failures_are_rare(void **state) {
    (void)state;
    leati_restart r;
    assert_int_equal(MAKE(&r, "type", "failure-rate", "failure-rate.max-failures-per-interval",
                          "20", "failure-rate.failure-rate-interval", "100"),
                     LEAT_OK);
    for (int64_t i = 0; i < 1000; i++) assert_int_equal(leati_restart_after(&r, 6 * i), 1000);
    assert_in_range(r.room, 17, 32);
    leati_restart_fini(&r);
}

static void exponential_delay_grows_to_its_longest(void **state) {
    (void)state;
    leati_restart r;
    assert_int_equal(MAKE(&r, "type", "exponential-delay", "exponential-delay.initial-backoff",
                          "200", "exponential-delay.max-backoff", "1 s",
                          "exponential-delay.backoff-multiplier", "2",
                          "exponential-delay.jitter-factor", "0"),
                     LEAT_OK);
    int64_t now = 0, expected[] = {200, 400, 800, 1000, 1000};
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        int64_t delay = leati_restart_after(&r, now);
        assert_int_equal(delay, expected[i]);
        now += delay + 1;
    }
    expect_words(&r, "exponential-delay");
    leati_restart_fini(&r);
}

static void exponential_delay_begins_anew_after_its_threshold(void **state) {
    (void)state;
    leati_restart r;
    assert_int_equal(
        MAKE(&r, "type", "exponential-delay", "exponential-delay.reset-backoff-threshold", "60 s",
             "exponential-delay.backoff-multiplier", "2", "exponential-delay.jitter-factor", "0",
             "exponential-delay.attempts-before-reset-backoff", "2"),
        LEAT_OK);
    assert_int_equal(leati_restart_after(&r, 0), 1000);
    assert_int_equal(leati_restart_after(&r, 2000), 2000);  /* it ran for 1 s */
    assert_int_equal(leati_restart_after(&r, 64000), 1000); /* it ran for 60 s from 4 s on */
    assert_int_equal(leati_restart_after(&r, 124999), 2000);
    assert_int_equal(leati_restart_after(&r, 186998), -1); /* it ran for 59.999 s */
    expect_words(&r, "exponential-delay: 2 restarts in a row");
    leati_restart_fini(&r);
}

static void jitter_stays_within_its_part_and_the_longest(void **state) {
    (void)state;
    leati_restart r;
    int64_t least = INT64_MAX, most = 0;
    assert_int_equal(MAKE(&r, "type", "exponential-delay", "exponential-delay.initial-backoff",
                          "1000", "exponential-delay.max-backoff", "1050",
                          "exponential-delay.backoff-multiplier", "1"),
                     LEAT_OK);
    r.random = 1;
    for (int i = 0; i < 1000; i++) {
        int64_t delay = leati_restart_after(&r, 0);
        assert_in_range(delay, 900, 1050);
        if (delay < least) least = delay;
        if (delay > most) most = delay;
    }
    assert_in_range(least, 900, 920);
    assert_int_equal(most, 1050);
    leati_restart_fini(&r);
}

static void values_that_do_not_go_together_are_refused(void **state) {
    (void)state;
    leati_restart r;
    assert_int_equal(
        MAKE(&r, "type", "exponential-delay", "exponential-delay.initial-backoff", "2 min"),
        LEAT_E_CONFIG);
    assert_non_null(strstr(error.text, "max-backoff only 60000 ms"));
    assert_int_equal(
        MAKE(&r, "type", "exponential-delay", "exponential-delay.backoff-multiplier", "0.5"),
        LEAT_E_CONFIG);
    assert_int_equal(
        MAKE(&r, "type", "exponential-delay", "exponential-delay.jitter-factor", "1.5"),
        LEAT_E_CONFIG);
    assert_non_null(strstr(error.where, "jitter-factor"));
    assert_int_equal(
        MAKE(&r, "type", "exponential-delay", "exponential-delay.jitter-factor", "nan"),
        LEAT_E_CONFIG);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_type_there_are_no_restarts),
        cmocka_unit_test(every_spelling_of_a_type_is_known),
        cmocka_unit_test(fixed_delay_bears_as_many_failures_as_attempts),
        cmocka_unit_test(failure_rate_counts_within_the_interval),
        cmocka_unit_test(failure_rate_goes_on_for_ever_when_failures_are_rare),
        cmocka_unit_test(exponential_delay_grows_to_its_longest),
        cmocka_unit_test(exponential_delay_begins_anew_after_its_threshold),
        cmocka_unit_test(jitter_stays_within_its_part_and_the_longest),
        cmocka_unit_test(values_that_do_not_go_together_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
