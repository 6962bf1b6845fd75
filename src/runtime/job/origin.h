/* origin.h: from what a job starts: afresh, or from a checkpoint or savepoint that it was told
   (execution.state-recovery.path), which is read and checked whole before anything runs. */
#ifndef LEATI_ORIGIN_H
#define LEATI_ORIGIN_H

#include "runtime/job/job_folder.h"

typedef struct leati_origin {
    char *folder;   /* NULL: afresh */
    bool finished;  /* the job had ended with it: there is nothing to run */
    int64_t number; /* the highest that was used in the job's folder */
} leati_origin;

/* LEAT_E_RESTORE: what was asked for is damaged, of another job, or older than what is there.
   LEAT_E_CANCELLED: `abort` wanted it. */
leat_status leati_origin_find(leati_origin *o, const leati_job_folder *f, const leati_plan *plan,
                              const leati_abort *abort, leat_error *err);
void leati_origin_fini(leati_origin *o); /* also of a zeroed one */

#endif
