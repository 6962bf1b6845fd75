/* job.h: a running job. Calls may come from any thread but leat_job_free, which is the last. */
#ifndef LEAT_JOB_H
#define LEAT_JOB_H

#include "accumulator.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct leat_job leat_job;

typedef enum leat_job_state {
    LEAT_JOB_CREATED = 0, /* it waits for its folder of checkpoints */
    LEAT_JOB_RUNNING,
    LEAT_JOB_FAILING,
    LEAT_JOB_FAILED,
    LEAT_JOB_CANCELLING,
    LEAT_JOB_CANCELED,
    LEAT_JOB_FINISHED,
    LEAT_JOB_RESTARTING
} leat_job_state;

/* What failed, whole. Lent by leat_job_failure until the job is freed; strings are never NULL. */
typedef struct leat_failure {
    leat_status status;
    const char *operator_name; /* "" when no operator is to blame */
    int subtask;               /* from 0; -1 when there is none */
    int parallelism;
    const char *text;      /* one sentence */
    const char *cause;     /* the user's exception as its language shows it, or "" */
    const char *traceback; /* or "" */
    const char *record; /* the record being processed, cut at 200 characters, "timer at 5", or "" */
    const char *key;    /* or "" */
} leat_failure;

/* 32 hexadecimal digits. Lent as long as the job. */
LEAT_API const char *leat_job_id(const leat_job *job);
LEAT_API leat_job_state leat_job_status(const leat_job *job);
/* "RUNNING" and so on; never NULL. */
LEAT_API const char *leat_job_state_name(leat_job_state state);
/* Waits for the end: LEAT_OK when it has ended, LEAT_AGAIN after `timeout_ms` (-1: for ever). */
LEAT_API leat_status leat_job_wait(leat_job *job, int timeout_ms);
/* Makes a savepoint of a running job and waits for it, `timeout_ms` at most (-1: for ever). It is a
   new folder in `dir` (NULL: execution.checkpointing.savepoint-dir); `path` (may be NULL) is its
   name, for leat_text_free. The job goes on, and its sinks commit nothing by it. LEAT_E_TIMEOUT: it
   is still being made. LEAT_E_STATE: the job has ended or failed meanwhile. LEAT_E_UNSUPPORTED:
   there are none of such a job. */
LEAT_API leat_status leat_job_savepoint(leat_job *job, const char *dir, int timeout_ms, char **path,
                                        leat_error *err);
/* The same, and the job ends with it, as LEAT_JOB_FINISHED; waits for that, too. Its sinks commit
   what came before the savepoint. With `drain` all sources end first, so that windows and timers of
   event time fire, and there is nothing to go on with; without, a job that starts from the
   savepoint goes on as if it had not stopped. When it can't be made, the job goes on. */
LEAT_API leat_status leat_job_stop(leat_job *job, const char *dir, bool drain, int timeout_ms,
                                   char **path, leat_error *err);
/* Asks the job to end; returns at once. Fine when it has ended. */
LEAT_API void leat_job_cancel(leat_job *job);
/* After the end: LEAT_OK when it finished, otherwise why not. */
LEAT_API leat_status leat_job_result(leat_job *job, leat_error *err);
/* NULL unless the job failed. */
LEAT_API const leat_failure *leat_job_failure(const leat_job *job);
/* How many attempts have begun: 1, and one more for each restart (restart-strategy.type). */
LEAT_API int leat_job_attempts(const leat_job *job);
/* Why the attempt failed, from 0; NULL for one that did not, that has not ended, or that is so long
   ago that it was forgotten: the last 16 are kept. Lent until 16 others have failed or the job is
   freed. */
LEAT_API const leat_failure *leat_job_attempt_failure(const leat_job *job, int attempt);
/* Milliseconds from start to end, or until now. */
LEAT_API int64_t leat_job_runtime(const leat_job *job);
/* The metrics of all operators (metric.h) as JSON, for leat_text_free: a list with an object for
   each operator and subtask, {"operator", "uid", "id", "subtask", "parallelism", "metrics"}, where
   "metrics" are numRecordsIn, numRecordsOut and those of its own by name: numbers, {"count", "rate"
   in events a second} of meters, {"count", "sum", "min", "max", "mean"} of distributions. While the
   job runs its processes are asked, and waited for 1 s at most; after the end it is what they told
   last. NULL on failure. */
LEAT_API char *leat_job_metrics(leat_job *job, leat_error *err);

/* The accumulators of all operators (accumulator.h), each put together of all subtasks: calls
   `call` for each, with the name and the result. While the job runs its processes are asked, as by
   leat_job_metrics; after the end it is what they told last. LEAT_E_TYPE when two operators use one
   name for two kinds, for which the job fails in the end, LEAT_E_RANGE when a sum leaves 64 bits,
   or what `call` answered. */
LEAT_API leat_status leat_job_accumulators_each(leat_job *job, leat_accumulator_call call,
                                                void *arg, leat_error *err);
/* The same as JSON, for leat_text_free: an object by name, with numbers, lists, histograms as
   objects, and other values as their text. NULL on failure. */
LEAT_API char *leat_job_accumulators(leat_job *job, leat_error *err);

/* What has become of the job's checkpoints and savepoints over all attempts, as JSON by the names
   of Flink's metrics, for leat_text_free: an object with totalNumberOfCheckpoints,
   numberOfInProgressCheckpoints, numberOfCompletedCheckpoints, numberOfFailedCheckpoints; of the
   last complete one lastCompletedCheckpointId, lastCheckpointCompletedTimestamp (ms since the
   epoch; Leat's), lastCheckpointDuration (ms), lastCheckpointSize (bytes),
   lastCheckpointExternalPath; and lastCheckpointRestoreTimestamp (ms since the epoch) of the newest
   attempt that began from one. -1, for the path null: there is none yet. NULL on failure. */
LEAT_API char *leat_job_checkpoints(leat_job *job, leat_error *err);

/* How the job stands as JSON, for leat_text_free: an object with "id", "name", "pid", "state",
   "attempt" (from 0), "started_ms" (since the epoch), "runtime_ms", "workers", "records" (that its
   sources gave), "records_per_second" (of late), "failure" if it failed, "checkpoints", as
   leat_job_checkpoints has them, and "operators", as leat_job_metrics has them and with the same
   wait. NULL on failure. */
LEAT_API char *leat_job_describe(leat_job *job, leat_error *err);

/* Host dispatch: runs up to `max` callbacks (-1: all there are) and answers how many ran, or a
   failure of the callback. The descriptor is readable when there is something to dispatch, or room
   for pushes again, or the job has ended; -1 without host dispatch. */
LEAT_API int leat_job_dispatch(leat_job *job, int max);
LEAT_API int leat_job_fd(leat_job *job);

/* Cancels and joins a job that still runs, 5 s at most. NULL is fine. */
LEAT_API void leat_job_free(leat_job *job);

#ifdef __cplusplus
}
#endif
#endif
