/* metric.h: numbers that an operator tells about itself while it runs: counters, meters,
   distributions, gauges. Each belongs to one subtask and starts anew with each attempt. They are
   made and changed on the operator's thread; leat_job_metrics (job.h) reads them from any. Names
   may have parts, with dots between them. */
#ifndef LEAT_METRIC_H
#define LEAT_METRIC_H

#include "function.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct leat_metric leat_metric; /* lives as long as its operator */

typedef enum leat_metric_kind {
    LEAT_METRIC_COUNTER = 0,     /* a number that goes up and down */
    LEAT_METRIC_METER = 1,       /* how many events there were, and how many a second */
    LEAT_METRIC_DISTRIBUTION = 2 /* count, sum, least and most of what was added */
} leat_metric_kind;

/* The metric of that name, made when it is asked for first. LEAT_E_STATE for a name that is there
   with another kind. */
LEAT_API leat_status leat_context_metric(leat_context *ctx, const char *name, leat_metric_kind kind,
                                         leat_metric **out, leat_error *err);
/* Of a meter: over how many seconds its rate is taken; 60 if not said, 1 at least. */
LEAT_API void leat_metric_span(leat_metric *metric, int seconds);
/* Counts up by `n`, which may be negative; so many events; a value of a distribution. */
LEAT_API void leat_metric_add(leat_metric *metric, int64_t n);
LEAT_API int64_t leat_metric_count(const leat_metric *metric);

/* A number that is asked for: about once a second, and before the function is closed. A failure
   leaves it as it was. */
typedef leat_status (*leat_gauge_call)(leat_context *ctx, void *arg, int64_t *out);
/* LEAT_E_STATE for a name that is there. `arg` must live until the operator is closed. */
LEAT_API leat_status leat_context_gauge(leat_context *ctx, const char *name, leat_gauge_call read,
                                        void *arg, leat_error *err);

#ifdef __cplusplus
}
#endif
#endif
