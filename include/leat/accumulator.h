/* accumulator.h: what functions add up over the whole job: counters, extremes, averages, histograms
   and lists. Each subtask has its own part, made and changed on its operator's thread; the parts of
   all subtasks are put together by kind and name (leat_job_accumulators in job.h), while the job
   runs and at its end. They start anew with each attempt: what a failed one has counted is gone. */
#ifndef LEAT_ACCUMULATOR_H
#define LEAT_ACCUMULATOR_H

#include "function.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct leat_accumulator leat_accumulator; /* lives as long as its operator */

/* What is added, and what comes out. */
typedef enum leat_accumulator_kind {
    LEAT_ACCUMULATOR_INT_SUM = 0,    /* integers; their sum, 0 at first */
    LEAT_ACCUMULATOR_INT_MIN = 1,    /* integers; the least, null without any */
    LEAT_ACCUMULATOR_INT_MAX = 2,    /* integers; the largest, null without any */
    LEAT_ACCUMULATOR_DOUBLE_SUM = 3, /* numbers; their sum, 0.0 at first */
    LEAT_ACCUMULATOR_DOUBLE_MIN = 4, /* numbers; the least, null without any */
    LEAT_ACCUMULATOR_DOUBLE_MAX = 5, /* numbers; the largest, null without any */
    LEAT_ACCUMULATOR_AVERAGE = 6,    /* numbers; their mean, 0.0 without any */
    LEAT_ACCUMULATOR_HISTOGRAM = 7,  /* integers; a map of each to how often it was added */
    LEAT_ACCUMULATOR_LIST = 8        /* anything; a list, by subtasks and then in order */
} leat_accumulator_kind;

/* The operator's accumulator of that name in this subtask, made when it is asked for first.
   LEAT_E_STATE for a name that this operator, or another one of the job in the same process, has
   with another kind; `err` names both. */
LEAT_API leat_status leat_context_accumulator(leat_context *ctx, const char *name,
                                              leat_accumulator_kind kind, leat_accumulator **out,
                                              leat_error *err);
/* Copies the value. LEAT_E_TYPE for one that the kind does not take, LEAT_E_RANGE where a sum
   leaves 64 bits, LEAT_E_NOMEM; then nothing was added. */
LEAT_API leat_status leat_accumulator_add(leat_accumulator *accumulator, const leat_value *value);

/* Gets one result: `value` is lent for the call. A failure ends the walk. */
typedef leat_status (*leat_accumulator_call)(const char *name, const leat_value *value, void *arg);

#ifdef __cplusplus
}
#endif
#endif
