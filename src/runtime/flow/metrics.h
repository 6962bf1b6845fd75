/* metrics.h: what metric.h offers, between the files of the chain and those who report. A context's
   metrics are a list that only grows; the numbers in it are written by the task's thread and read
   by any, without a lock. */
#ifndef LEATI_METRICS_H
#define LEATI_METRICS_H

#include <stdatomic.h>

#include "leat/metric.h"
#include "runtime/base/buf.h"

/* A count that one thread raises and others read: a plain increment. */
typedef atomic_int_fast64_t leati_count;
static inline void leati_count_up(leati_count *count, int64_t by) {
    int64_t now = atomic_load_explicit(count, memory_order_relaxed);
    atomic_store_explicit(count, now + by, memory_order_relaxed);
}
static inline int64_t leati_count_read(const leati_count *count) {
    return atomic_load_explicit((leati_count *)(uintptr_t)count, memory_order_relaxed);
}

typedef struct leati_metrics {
    _Atomic(leat_metric *) first;
} leati_metrics;

/* Meters take their rates, gauges are asked. The task's thread; `now` is monotonic, in ns. */
void leati_metrics_refresh(leat_context *ctx, leati_metrics *metrics, int64_t now);
/* Gauges are not asked any more. */
void leati_metrics_close(leati_metrics *metrics);
void leati_metrics_free(leati_metrics *metrics); /* what they are, not the struct */

/* A report: per context what reads as one of these. Any thread, while the context is there. */
void leati_metrics_write(const leat_context *ctx, leati_buf *out);

/* What follows the numbers of records in a report. */
typedef enum leati_report_item {
    LEATI_REPORT_END = 0,
    LEATI_REPORT_METRIC = 1,     /* its name as a blob, u8 form, its numbers */
    LEATI_REPORT_ACCUMULATOR = 2 /* its name and its content as blobs (accumulators.h) */
} leati_report_item;

/* For readers of reports: what stands before the items of one context, of which they answer the
   operator's number; and an item that is no accumulator, without its u8. */
typedef struct leati_report_of {
    uint64_t node;
    int64_t records_in, records_out;
} leati_report_of;
leati_report_of leati_report_head(leati_reader *in);
void leati_report_skip(leati_reader *in);

typedef enum leati_metric_form {
    LEATI_FORM_NUMBER = 0, /* counters, gauges: zigzag */
    LEATI_FORM_METER = 1,  /* zigzag count, zigzag events in 1000 s */
    LEATI_FORM_SPREAD = 2  /* zigzag count, sum, least, most */
} leati_metric_form;

#endif
