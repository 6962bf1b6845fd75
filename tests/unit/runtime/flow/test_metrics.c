/* Tests of metrics.c: what functions count, when gauges are asked, and what is reported. */
#include "expect.h"

#include <stdio.h>

#include "leat/metric.h"
#include "runtime/base/clock.h"
#include "runtime/flow/chain.h"

/* What a function of this file has made. */
typedef struct made {
    leat_metric *counter, *meter, *distribution;
    int64_t asked;
} made;

static leat_status tell(leat_context *ctx, void *arg, int64_t *out) {
    (void)ctx;
    made *m = arg;
    if (++m->asked == 2) return LEAT_E_USER;
    *out = 40 + m->asked;
    return LEAT_OK;
}

static leat_status make_all(leat_context *ctx, void *arg, void **self) {
    made *m = *self = arg;
    leat_error err;
    leat_metric *again;
    assert_int_equal(leat_context_metric(ctx, "n", LEAT_METRIC_COUNTER, &m->counter, &err), 0);
    assert_int_equal(leat_context_metric(ctx, "n", LEAT_METRIC_COUNTER, &again, &err), 0);
    assert_ptr_equal(again, m->counter);
    assert_int_equal(leat_context_metric(ctx, "n", LEAT_METRIC_METER, &again, &err), LEAT_E_STATE);
    assert_non_null(strstr(err.text, "is a counter, and was asked for as a meter"));
    assert_int_equal(leat_context_metric(ctx, "", LEAT_METRIC_METER, &again, &err),
                     LEAT_E_ARGUMENT);
    assert_int_equal(leat_context_metric(ctx, "g.m", LEAT_METRIC_METER, &m->meter, &err), 0);
    assert_int_equal(
        leat_context_metric(ctx, "d", LEAT_METRIC_DISTRIBUTION, &m->distribution, &err), 0);
    assert_int_equal(leat_context_gauge(ctx, "gauge", tell, m, &err), 0);
    assert_int_equal(leat_context_gauge(ctx, "n", tell, m, &err), LEAT_E_STATE);
    return LEAT_OK;
}

static leat_status count_all(leat_context *ctx, unsigned input, const leat_record *in,
                             leat_emitter *out, void *self) {
    (void)ctx, (void)input;
    made *m = self;
    leat_metric_add(m->counter, in->value.as.i);
    leat_metric_add(m->meter, 1);
    leat_metric_add(m->distribution, in->value.as.i);
    leat_status status = leat_emitter_side(out, "side", &in->value);
    return status < 0 ? status : leat_emitter_push(out, &in->value);
}

static harness *counting(made *m) {
    leat_function f = leat_process_fn(count_all, m);
    f.open = make_all;
    leat_arg arg = leat_arg_function("function", &f);
    return harness_new(&leat_process_operator, &arg, 1, NULL);
}

/* The report of the operator as text: its metrics in the order of reports. */
static void expect_report(harness *h, const char *want) {
    char got[400] = "";
    leati_buf report;
    leati_buf_init(&report);
    leati_metrics_write(harness_context(h), &report);
    leati_reader in = leati_reader_of(report.bytes, report.size);
    size_t size;
    const char *name = leati_reader_blob(&in, &size);
    snprintf(got, sizeof got, "%.*s", (int)size, name);
    leati_reader_blob(&in, &size);
    for (int i = 0; i < 3; i++) leati_reader_varint(&in);
    long long records_in = leati_reader_zigzag(&in), records_out = leati_reader_zigzag(&in);
    snprintf(got + strlen(got), sizeof got - strlen(got), " %lld %lld", records_in, records_out);
    while (leati_reader_u8(&in)) {
        static const int numbers[] = {1, 2, 4};
        name = leati_reader_blob(&in, &size);
        snprintf(got + strlen(got), sizeof got - strlen(got), " %.*s", (int)size, name);
        int form = leati_reader_u8(&in);
        for (int i = 0; i < numbers[form]; i++) {
            long long n = leati_reader_zigzag(&in);
            if (form != LEATI_FORM_METER || i == 0) /* a rate depends on the clock */
                snprintf(got + strlen(got), sizeof got - strlen(got), " %lld", n);
        }
    }
    assert_false(in.failed);
    assert_int_equal(leati_reader_left(&in), 0);
    assert_string_equal(got, want);
    leati_buf_fini(&report);
}

static void functions_count_and_operators_tell_their_records(void **state) {
    (void)state;
    made m = {0};
    harness *h = counting(&m);
    harness_side(h, "side"); /* makes the operator anew */
    push_int(h, 0, 5);
    push_int(h, 0, -2);
    push_int(h, 0, 4);
    assert_int_equal(leat_metric_count(m.counter), 7);
    assert_int_equal(leat_metric_count(m.meter), 3);
    leati_metrics_refresh(harness_context(h), &harness_context(h)->metrics, 0);
    char want[80];
    snprintf(want, sizeof want, "process 3 6 gauge %d d 3 7 -2 5 g.m 3 n 7",
             (int)m.asked == 2 ? 41 : 40 + (int)m.asked);
    expect_report(h, want);
    harness_free(h);
}

static void gauges_that_fail_stay_as_they_were(void **state) {
    (void)state;
    made m = {0};
    harness *h = counting(&m);
    leat_context *ctx = harness_context(h);
    leati_metrics_refresh(ctx, &ctx->metrics, 0);
    expect_report(h, "process 0 0 gauge 41 d 0 0 0 0 g.m 0 n 0");
    leati_metrics_refresh(ctx, &ctx->metrics, 0);
    expect_report(h, "process 0 0 gauge 41 d 0 0 0 0 g.m 0 n 0");
    leati_metrics_refresh(ctx, &ctx->metrics, 0);
    expect_report(h, "process 0 0 gauge 43 d 0 0 0 0 g.m 0 n 0");
    harness_free(h);
    assert_int_equal(m.asked, 3); /* not after a failure */
}

static void gauges_are_asked_at_the_end(void **state) {
    (void)state;
    made m = {0};
    harness *h = counting(&m);
    assert_int_equal(harness_end(h, 0), LEAT_OK);
    int64_t before = m.asked;
    harness_free(h);
    assert_int_equal(m.asked, before + 1);
}

/* 12 s with 10 events in each of them: 10 a second, also when most of them have left the span. */
static void meters_take_their_rate_over_their_span(void **state) {
    (void)state;
    made m = {0};
    harness *h = counting(&m);
    leat_context *ctx = harness_context(h);
    leat_metric_span(m.meter, 6);
    int64_t begin = leati_clock_monotonic();
    for (int second = 1; second <= 12; second++) {
        leat_metric_add(m.meter, second <= 4 ? 1000 : 10);
        leati_metrics_refresh(ctx, &ctx->metrics, begin + second * (int64_t)1000000000);
    }
    leati_buf report;
    leati_buf_init(&report);
    leati_metrics_write(ctx, &report);
    const char *at = memmem(report.bytes, report.size, "g.m", 3);
    assert_non_null(at);
    leati_reader in = leati_reader_of(at + 4, (size_t)(report.bytes + report.size - at - 4));
    assert_int_equal(leati_reader_zigzag(&in), 4080);
    assert_in_range(leati_reader_zigzag(&in), 9000, 11000); /* in 1000 s */
    leati_buf_fini(&report);
    harness_free(h);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(functions_count_and_operators_tell_their_records),
        cmocka_unit_test(gauges_that_fail_stay_as_they_were),
        cmocka_unit_test(gauges_are_asked_at_the_end),
        cmocka_unit_test(meters_take_their_rate_over_their_span),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
