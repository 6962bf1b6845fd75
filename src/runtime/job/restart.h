/* restart.h: when a job that failed is started again: Flink's strategies, read from the
   configuration. A pure object: it is told of failures and their times, and answers how long to
   wait; waiting is the driver's. One owner, one thread. */
#ifndef LEATI_RESTART_H
#define LEATI_RESTART_H

#include "runtime/job/config.h"

typedef enum leati_restart_kind {
    LEATI_RESTART_NONE,
    LEATI_RESTART_FIXED_DELAY,
    LEATI_RESTART_EXPONENTIAL_DELAY,
    LEATI_RESTART_FAILURE_RATE
} leati_restart_kind;

typedef struct leati_restart {
    leati_restart_kind kind;
    int64_t most;  /* restarts: in all, until the delay is the first again, or per interval */
    int64_t delay; /* ms; of the exponential one the first */
    int64_t longest, threshold, interval; /* ms */
    double multiplier, jitter;
    int64_t failures;   /* that count */
    int64_t resumed_at; /* when the attempt after the last failure begins; ms */
    int64_t *times;     /* of the failures within the interval, oldest first */
    size_t room;
    uint64_t random;
} leati_restart;

/* Without `restart-strategy.type`: exponential delay for a job with checkpoints, else none.
   LEAT_E_CONFIG when two values don't go together; then there is nothing to fini. */
leat_status leati_restart_init(leati_restart *r, const leati_config *config, leat_error *err);
void leati_restart_fini(leati_restart *r);
/* Tells of a failure at `now`, in milliseconds of a clock that never goes back. Answers how many
   milliseconds later the next attempt begins; -1: there is none. */
int64_t leati_restart_after(leati_restart *r, int64_t now);
/* "fixed-delay: 3 restarts", for messages. */
void leati_restart_words(const leati_restart *r, char *out, size_t size);

#endif
