/* job_folder.h: the folder in which a job's checkpoints live, and its lock: one living job at a
   time has it. Its workers hold the lock, too, so that nobody who may still write there is left
   when another one gets it. */
#ifndef LEATI_JOB_FOLDER_H
#define LEATI_JOB_FOLDER_H

#include "runtime/job/checkpoint.h"

typedef struct leati_job_folder {
    char *path;
    bool temporary; /* nobody configured one: it is private, made when needed, and removed */
    int lock;       /* a file; -1: none */
    bool held;      /* the lock is this job's */
} leati_job_folder;

/* How long a job waits for the lock, unless this process has it; tests have less time. */
extern int64_t leati_job_folder_patience_ms;

/* Names it, and unless it is temporary makes it and tries its lock. LEAT_AGAIN: a living job, or
   what is left of one, has it. LEAT_E_STATE: a job of this process has it. Of a failed one
   leati_job_folder_fini is called, too. */
leat_status leati_job_folder_init(leati_job_folder *f, const leati_config *config,
                                  const char *job_name, const char *job_id, leat_error *err);
/* Waits for the lock, unless it is held already: a job that was killed a moment ago may have
   workers that end just now. LEAT_E_STATE: they do not; LEAT_E_CANCELLED: `abort` wanted it.
   Then removes what a former run has not made complete. */
leat_status leati_job_folder_await(leati_job_folder *f, const char *job_id,
                                   const leati_abort *abort, leat_error *err);
/* Removes all checkpoints in it. */
void leati_job_folder_clear(leati_job_folder *f);
void leati_job_folder_fini(leati_job_folder *f); /* of a zeroed one nothing happens */

#endif
