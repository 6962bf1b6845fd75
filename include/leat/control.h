/* control.h: the jobs of this user on this machine, whatever process they run in: what `leat list`,
   `leat status` and `leat cancel` are made of. A job is found here when it listens: by the
   configuration key job.control, which `leat run` switches on. Any thread. */
#ifndef LEAT_CONTROL_H
#define LEAT_CONTROL_H

#include "base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* All jobs that listen: a table for people, or (`json`) a list of objects with "id", "name", "pid",
   "state", "attempt" (from 0), "started_ms", "runtime_ms", "workers", "records" (that its sources
   gave), "records_per_second" and "checkpoints" (as leat_job_checkpoints has them). One whose process does not answer within 1 s has "id", "pid" and
   the state "SILENT". For leat_text_free; NULL on failure. */
LEAT_API char *leat_control_list(bool json, leat_error *err);

/* Asks one job and waits for its answer, `timeout_ms` at most (-1: for ever). `job` is its name or
   the beginning of its id. `request` is
       "status", which adds the "operators" as leat_job_metrics has them,
       "cancel", which is answered when the job has ended,
       "savepoint DIR", "stop DIR" or "drain DIR", which make a savepoint in that folder (absolute,
   or left out: the job's execution.checkpointing.savepoint-dir) and add its path as "savepoint"; as
   leat_job_savepoint, and leat_job_stop without and with draining.
   The answer is a text for people, or that object of JSON. For leat_text_free; NULL on failure:
   LEAT_E_NOT_FOUND without such a job, LEAT_E_ARGUMENT for several, LEAT_E_STATE with the job's own
   words, LEAT_E_TIMEOUT, LEAT_E_IO. */
LEAT_API char *leat_control_ask(const char *job, const char *request, bool json, int timeout_ms,
                                leat_error *err);

#ifdef __cplusplus
}
#endif
#endif
