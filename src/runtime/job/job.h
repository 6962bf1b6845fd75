/* job.h: a running job, for the files of job/. The driver's thread owns its life; everybody else
   tells it news under the lock and waits on the condition. */
#ifndef LEATI_JOB_H
#define LEATI_JOB_H

#include "runtime/job/coordinator.h"
#include "runtime/job/env.h"
#include "runtime/job/host.h"

typedef struct leati_pool leati_pool; /* the workers: pool.h */
typedef struct leati_collect leati_collect;
typedef struct leati_dispatch leati_dispatch;
typedef struct leati_attempts leati_attempts;

/* What a host has told of its metrics last. */
typedef struct leati_report {
    char *bytes;
    size_t size;
} leati_report;

struct leat_job {
    leati_link link; /* in the env's jobs */
    leat_env *env;
    leati_blueprint *blue;
    leati_plan *plan;
    char id[33];
    char *name;
    int attempt; /* from 0; under the lock, or the driver's thread */
    leati_attempts *attempts;

    pthread_mutex_t lock;
    pthread_cond_t changed; /* by CLOCK_MONOTONIC */
    leat_job_state state;
    int askers;                          /* who wait for a savepoint */
    bool cancel, over;                   /* asked to; the driver's thread is done */
    int expected, opened, ended, closed; /* hosts */
    leati_failure failure;
    leat_failure view;
    int64_t started_at, ended_at; /* monotonic ns */

    unsigned long thread;
    bool thread_started;
    leati_coordinator *coordinator;
    leati_survival survival; /* of this attempt; lent by the coordinator */
    bool committed;          /* a last checkpoint has what sinks hold */
    leati_host *host;
    leati_pool *pool;
    unsigned long interrupter; /* a thread, since whoever is stuck may hold its interpreter */
    bool interrupter_started;
    atomic_bool interrupting;
    bool fenced;                  /* a function never returned: what it can reach is left alone */
    pthread_mutex_t metrics_lock; /* held while hosts are asked for their metrics */
    bool measured;                /* they can be */
    leati_report *reports;        /* by host */
    int64_t reported;             /* how many came */
    int64_t looked_at, looked_records; /* job_status.c: when records were counted last, and then */
    double rate;                       /* of records in a second, before that */
    leati_collect *collects;
    leati_dispatch *dispatch;
};

/* Adopts `blue`. */
leat_job *leati_job_start(leat_env *env, leati_blueprint *blue, const char *name, leat_error *err);
/* leat_env_free: ends and frees what is still there. */
void leati_jobs_end(leat_env *env);

/* LEAT_E_ARGUMENT for NULL, LEAT_E_STATE for a job of the process that this one was forked from. */
leat_status leati_job_check(const leat_job *job, const char *where, leat_error *err);

/* News of a host: all its tasks are open, have ended their data, are closed. Any thread. */
void leati_job_host_opened(leat_job *job);
void leati_job_host_ended(leat_job *job);
void leati_job_host_closed(leat_job *job);
/* A task's part of a checkpoint is on the disk, or is not. Any thread. */
void leati_job_saved(leat_job *job, const leati_saved *saved);
/* The first failure stays, and its content is taken; others are dropped. Any thread. */
void leati_job_fail(leat_job *job, leati_failure *failure);
void leati_job_fail_text(leat_job *job, leat_status status, const char *format, ...)
    LEAT_PRINTF(3, 4);
/* Did it fail, or was it cancelled? Any thread. */
bool leati_job_is_failing(leat_job *job);

/* attempts.c: reads the restart strategy (LEAT_E_CONFIG); after an attempt has ended: waits, and
   answers whether another one begins, driver's thread; and the end. */
leat_status leati_attempts_init(leat_job *job, leat_error *err);
bool leati_attempts_next(leat_job *job);
void leati_attempts_free(leat_job *job);
/* Would a failure be followed by another attempt, if its strategy allows one more? Any thread. */
bool leati_job_restarts(leat_job *job);

/* job_metrics.c: a host's report came, any thread; hosts may be asked from now on, and not any
   more; the main process's last words. */
void leati_job_report(leat_job *job, int host, const char *bytes, size_t size);
void leati_job_metrics_begin(leat_job *job);
void leati_job_metrics_end(leat_job *job);
void leati_job_metrics_last(leat_job *job);
void leati_job_reports_free(leat_job *job);
/* Asks all hosts; answers what leati_job_metrics_came wants to know whether all have told. Any
   thread, never waits. */
int64_t leati_job_metrics_ask(leat_job *job);
bool leati_job_metrics_came(leat_job *job, int64_t wanted);
/* Of the last reports: all metrics as JSON, and how many records the sources gave. */
void leati_job_metrics_json(leat_job *job, leati_buf *out);
int64_t leati_job_records(leat_job *job);

/* job_accumulators.c: LEAT_E_STATE when two operators mean different things by one name, which is
   seen where they open only if they are in one process. Of the last reports. */
leat_status leati_job_accumulators_check(leat_job *job, leat_error *err);

/* push.c: its push sources take records from now on; and those that never opened take no more. */
void leati_pushes_begin(leat_job *job);
void leati_pushes_end(leat_job *job);
/* In leat_job_dispatch: calls the host where a source has to go back; answers how often. */
int leati_pushes_dispatch(leat_job *job);
/* collect.c: before another attempt, which begins from that checkpoint (0: afresh): forgets what it
   will give again, or answers false when a reader has some of it; nobody will add to its queues any
   more; and the end. */
bool leati_collects_rewind(leat_job *job, int64_t checkpoint);
/* Under the job's lock: that checkpoint is complete, or never will be. */
void leati_collects_settle(leat_job *job, int64_t checkpoint);
void leati_collect_end(leat_job *job);
void leati_collect_free(leat_job *job);
/* dispatch.c */
void leati_dispatch_ring(leat_job *job); /* job may be NULL */
leat_status leati_dispatch_init(leat_job *job);
void leati_dispatch_end(leat_job *job); /* wakes who waits for news of the job */
void leati_dispatch_free(leat_job *job);

#endif
