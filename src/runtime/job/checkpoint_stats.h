/* checkpoint_stats.h: what has become of a job's checkpoints and savepoints over all its attempts,
   by the names that Flink's metrics have. Under the job's lock. */
#ifndef LEATI_CHECKPOINT_STATS_H
#define LEATI_CHECKPOINT_STATS_H

#include "runtime/base/buf.h"

/* Beginning with zeros. */
typedef struct leati_cp_stats {
    int64_t begun, completed, failed;
    int64_t restored_at; /* ms of the epoch; 0: this run has started from none */

    int64_t last; /* the number of the newest complete one; 0: there is none, and the next say
                     nothing */
    int64_t completed_at, duration_ms;
    uint64_t size;
    char *path; /* NULL: there is none, or there was no memory */
} leati_cp_stats;

void leati_cp_stats_complete(leati_cp_stats *s, int64_t number, int64_t duration_ms, uint64_t size,
                             const char *path);
/* Appends them as an object of JSON: -1 and null where nothing is known. */
void leati_cp_stats_json(const leati_cp_stats *s, leati_buf *out);
/* Appends ", checkpoint 7 3 s ago, 1 failed" (or ", 2 checkpoints failed") for people, as far
   as it is so. */
void leati_cp_stats_line(const leati_cp_stats *s, leati_buf *out);
void leati_cp_stats_fini(leati_cp_stats *s); /* also of a zeroed one */

#endif
