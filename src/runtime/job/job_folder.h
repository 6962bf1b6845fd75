/* job_folder.h: the folder in which a job's checkpoints live, and its lock: one living job at a
   time has it. Its workers hold the lock, too, so that nobody who may still write there is left
   when another one gets it. */
#ifndef LEATI_JOB_FOLDER_H
#define LEATI_JOB_FOLDER_H

#include "runtime/job/checkpoint.h"

typedef struct leati_job_folder {
    char *path;
    bool temporary; /* nobody configured one: it is private, made when needed, and removed */
    int lock;       /* -1: none */
} leati_job_folder;

/* How long a job waits for the lock, unless this process has it; tests have less time. */
extern int64_t leati_job_folder_patience_ms;

/* Names it, and unless it is temporary makes and locks it. LEAT_E_STATE: a living job has it. Of a
   failed one leati_job_folder_fini is called, too. */
leat_status leati_job_folder_init(leati_job_folder *f, const leati_config *config,
                                  const char *job_name, const char *job_id, leat_error *err);
/* Removes all checkpoints in it. */
void leati_job_folder_clear(leati_job_folder *f);
void leati_job_folder_fini(leati_job_folder *f); /* of a zeroed one nothing happens */

#endif
