/* metrics.c: see metrics.h.

   A report of a context: its operator's name, its uid (empty: none) as blobs, varint node, subtask
   and parallelism; zigzag records in and out; then items (leati_report_item). Reports follow each
   other. */
#include "runtime/flow/metrics.h"

#include "runtime/base/alloc.h"
#include "runtime/base/clock.h"
#include "runtime/flow/chain.h"
#include "runtime/flow/output.h"

enum { SAMPLES = 12, KIND_GAUGE = 3, DEFAULT_SPAN_S = 60 };
static const int64_t SECOND = 1000000000;

struct leat_metric {
    leat_metric *next;
    char *name;
    int kind; /* of leat_metric_kind, or KIND_GAUGE */
    leati_count count, sum, least, most;
    leati_count rate; /* of meters: events in 1000 s */
    int64_t span;     /* ns */
    struct {
        int64_t time, count;
    } samples[SAMPLES]; /* of meters: a ring over their span; the oldest stands at `at` */
    int at;
    leat_gauge_call read;
    void *arg;
};

static leat_metric *find(const leati_metrics *metrics, const char *name) {
    leat_metric *m = atomic_load_explicit((_Atomic(leat_metric *) *)(uintptr_t)&metrics->first,
                                          memory_order_acquire);
    while (m && strcmp(m->name, name) != 0) m = m->next;
    return m;
}

static const char *kind_name(int kind) {
    static const char *const names[] = {"counter", "meter", "distribution", "gauge"};
    return kind >= 0 && kind <= KIND_GAUGE ? names[kind] : "metric";
}

static leat_status metric_new(leat_context *ctx, const char *name, int kind, leat_metric **out,
                              leat_error *err) {
    leat_metric *m = leati_zalloc(sizeof *m);
    if (m) m->name = leati_strdup(name);
    if (!m || !m->name) {
        leati_free(m);
        return leat_error_set(err, LEAT_E_NOMEM, name, "no memory for a metric");
    }
    m->kind = kind;
    leat_metric_span(m, DEFAULT_SPAN_S);
    if (kind == LEAT_METRIC_METER || kind == KIND_GAUGE) ctx->chain->refreshes = true;
    m->next = atomic_load_explicit(&ctx->metrics.first, memory_order_relaxed);
    int64_t now = leati_clock_monotonic();
    for (int i = 0; i < SAMPLES; i++) m->samples[i].time = now;
    *out = m;
    return LEAT_OK;
}

static leat_status check_name(const leat_context *ctx, const char *name, leat_error *err) {
    if (name && *name) return LEAT_OK;
    return leat_error_set(err, LEAT_E_ARGUMENT, ctx->info->name, "a metric needs a name");
}

leat_status leat_context_metric(leat_context *ctx, const char *name, leat_metric_kind kind,
                                leat_metric **out, leat_error *err) {
    leat_status status = check_name(ctx, name, err);
    if (status < 0) return status;
    leat_metric *m = find(&ctx->metrics, name);
    if (m && m->kind != (int)kind)
        return leat_error_set(err, LEAT_E_STATE, ctx->info->name,
                              "the metric '%s' is a %s, and was asked for as a %s; give it another "
                              "name",
                              name, kind_name(m->kind), kind_name((int)kind));
    if (!m) {
        status = metric_new(ctx, name, (int)kind, &m, err);
        if (status < 0) return status;
        atomic_store_explicit(&ctx->metrics.first, m, memory_order_release);
    }
    *out = m;
    return LEAT_OK;
}

leat_status leat_context_gauge(leat_context *ctx, const char *name, leat_gauge_call read, void *arg,
                               leat_error *err) {
    leat_metric *m;
    leat_status status = check_name(ctx, name, err);
    if (status < 0) return status;
    if (find(&ctx->metrics, name))
        return leat_error_set(err, LEAT_E_STATE, ctx->info->name,
                              "there is a metric '%s' already; give the gauge another name", name);
    status = metric_new(ctx, name, KIND_GAUGE, &m, err);
    if (status < 0) return status;
    m->read = read;
    m->arg = arg;
    atomic_store_explicit(&ctx->metrics.first, m, memory_order_release);
    return LEAT_OK;
}

void leat_metric_span(leat_metric *metric, int seconds) {
    metric->span = (seconds < 1 ? 1 : seconds) * SECOND;
}

void leat_metric_add(leat_metric *m, int64_t n) {
    if (m->kind != LEAT_METRIC_DISTRIBUTION) {
        leati_count_up(&m->count, n);
        return;
    }
    bool first = leati_count_read(&m->count) == 0;
    if (first || n < leati_count_read(&m->least)) atomic_store(&m->least, n);
    if (first || n > leati_count_read(&m->most)) atomic_store(&m->most, n);
    leati_count_up(&m->sum, n);
    leati_count_up(&m->count, 1);
}

int64_t leat_metric_count(const leat_metric *m) {
    return leati_count_read(&m->count);
}

/* --- what is taken from time to time ---------------------------------------------------------- */

/* A sample each twelfth of the span, so that there is one about as old as the span. */
static void take_rate(leat_metric *m, int64_t now) {
    int64_t count = leati_count_read(&m->count);
    int newest = (m->at + SAMPLES - 1) % SAMPLES, oldest = m->at;
    while (oldest != newest && now - m->samples[oldest].time > m->span)
        oldest = (oldest + 1) % SAMPLES;
    int64_t since = now - m->samples[oldest].time;
    if (since > 0) {
        double events = (double)(count - m->samples[oldest].count);
        atomic_store(&m->rate, (int64_t)(events * 1000 * (double)SECOND / (double)since));
    }
    if (now - m->samples[newest].time < m->span / SAMPLES) return;
    m->samples[m->at].time = now;
    m->samples[m->at].count = count;
    m->at = (m->at + 1) % SAMPLES;
}

void leati_metrics_refresh(leat_context *ctx, leati_metrics *metrics, int64_t now) {
    leat_metric *m = atomic_load_explicit(&metrics->first, memory_order_relaxed);
    for (; m; m = m->next) {
        int64_t value;
        if (m->kind == LEAT_METRIC_METER) take_rate(m, now);
        if (m->read && m->read(ctx, m->arg, &value) >= 0) atomic_store(&m->count, value);
    }
}

void leati_metrics_close(leati_metrics *metrics) {
    leat_metric *m = atomic_load_explicit(&metrics->first, memory_order_relaxed);
    for (; m; m = m->next) m->read = NULL;
}

void leati_metrics_free(leati_metrics *metrics) {
    leat_metric *m = atomic_load_explicit(&metrics->first, memory_order_relaxed);
    while (m) {
        leat_metric *next = m->next;
        leati_free(m->name);
        leati_free(m);
        m = next;
    }
}

/* --- reports ---------------------------------------------------------------------------------- */

static bool same_tag(const char *a, const char *b) {
    return a == b || (a && b && strcmp(a, b) == 0);
}

/* All who hear an output get the same, so that the first of them tells; side outputs count as
   Flink's do. */
static int64_t records_out(const leat_context *ctx) {
    int64_t sum = 0;
    for (uint32_t i = 0; i < ctx->listener_count; i++) {
        const leati_listener *l = &ctx->listeners[i];
        bool told = false;
        for (uint32_t k = 0; k < i && !told; k++) told = same_tag(ctx->listeners[k].tag, l->tag);
        if (told) continue;
        sum += l->output ? leati_output_written(l->output) : leati_count_read(&l->child->records);
    }
    return sum;
}

static void write_numbers(const leat_metric *m, leati_buf *out) {
    bool spread = m->kind == LEAT_METRIC_DISTRIBUTION, meter = m->kind == LEAT_METRIC_METER;
    leati_buf_u8(out, spread ? LEATI_FORM_SPREAD : meter ? LEATI_FORM_METER : LEATI_FORM_NUMBER);
    leati_buf_zigzag(out, leati_count_read(&m->count));
    if (meter) leati_buf_zigzag(out, leati_count_read(&m->rate));
    if (!spread) return;
    leati_buf_zigzag(out, leati_count_read(&m->sum));
    leati_buf_zigzag(out, leati_count_read(&m->least));
    leati_buf_zigzag(out, leati_count_read(&m->most));
}

void leati_metrics_write(const leat_context *ctx, leati_buf *out) {
    const leati_op_info *info = ctx->info;
    leati_buf_blob(out, info->name, strlen(info->name));
    leati_buf_blob(out, info->uid, info->uid ? strlen(info->uid) : 0);
    leati_buf_varint(out, (uint64_t)info->node);
    leati_buf_varint(out, (uint64_t)ctx->subtask);
    leati_buf_varint(out, (uint64_t)info->parallelism);
    leati_buf_zigzag(out, leati_count_read(&ctx->records));
    leati_buf_zigzag(out, records_out(ctx));
    const leat_metric *m = atomic_load_explicit(
        (_Atomic(leat_metric *) *)(uintptr_t)&ctx->metrics.first, memory_order_acquire);
    for (; m; m = m->next) {
        leati_buf_u8(out, LEATI_REPORT_METRIC);
        leati_buf_blob(out, m->name, strlen(m->name));
        write_numbers(m, out);
    }
    leati_accumulators_write(&ctx->accumulators, out);
    leati_buf_u8(out, LEATI_REPORT_END);
}

leati_report_of leati_report_head(leati_reader *in) {
    size_t size;
    leati_report_of head;
    leati_reader_blob(in, &size);
    leati_reader_blob(in, &size);
    head.node = leati_reader_varint(in);
    leati_reader_varint(in);
    leati_reader_varint(in);
    head.records_in = leati_reader_zigzag(in);
    head.records_out = leati_reader_zigzag(in);
    return head;
}

void leati_report_skip(leati_reader *in) {
    static const int numbers[] = {
        [LEATI_FORM_NUMBER] = 1, [LEATI_FORM_METER] = 2, [LEATI_FORM_SPREAD] = 4};
    size_t size;
    leati_reader_blob(in, &size);
    uint8_t form = leati_reader_u8(in);
    if (form > LEATI_FORM_SPREAD) in->failed = true;
    for (int i = 0; !in->failed && i < numbers[form]; i++) leati_reader_zigzag(in);
}
