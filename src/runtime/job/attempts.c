/* attempts.c: what happens between two attempts of a job: the failure is kept, the restart strategy
   is asked, and the driver waits. All of it runs on the driver's thread, after the attempt's hosts
   and workers have ended, so nothing of it can still send anything; the next one has channels,
   sockets and processes of its own.

   Not restarted is what another attempt can't mend: a refused setting, a function that still runs,
   records that a reader has taken and, without checkpoints, would get again. */
#include <limits.h>
#include <stdio.h>

#include "runtime/base/alloc.h"
#include "runtime/base/clock.h"
#include "runtime/base/deadline.h"
#include "runtime/base/log.h"
#include "runtime/job/job.h"
#include "runtime/job/restart.h"

enum { KEPT = 16 };

typedef struct failed_attempt {
    int attempt;
    leati_failure failure;
    leat_failure view;
} failed_attempt;

struct leati_attempts {
    leati_restart strategy;
    failed_attempt failed[KEPT]; /* attempt i at i modulo KEPT; under the job's lock */
};

leat_status leati_attempts_init(leat_job *job, leat_error *err) {
    job->attempts = leati_zalloc(sizeof *job->attempts);
    if (!job->attempts) return leat_error_set(err, LEAT_E_NOMEM, "job", "no memory");
    return leati_restart_init(&job->attempts->strategy, job->plan->config, err);
}

void leati_attempts_free(leat_job *job) {
    leati_attempts *a = job->attempts;
    if (!a) return;
    for (int i = 0; i < KEPT; i++) leati_failure_fini(&a->failed[i].failure);
    leati_restart_fini(&a->strategy);
    leati_free(a);
}

bool leati_job_restarts(leat_job *job) {
    pthread_mutex_lock(&job->lock);
    bool restarts = !job->cancel && job->attempts->strategy.kind != LEATI_RESTART_NONE;
    pthread_mutex_unlock(&job->lock);
    return restarts;
}

/* --- whether ---------------------------------------------------------------------------------- */

/* Is it about what every attempt begins with: settings, the plan, what is restored? Wrong bytes may
   be right the next time once the job runs, as when a file was still being written. */
static bool would_come_again(const leat_job *job) {
    bool of_a_task = job->failure.subtask >= 0;
    switch (job->failure.status) {
    case LEAT_E_ARGUMENT:
    case LEAT_E_CONFIG:
    case LEAT_E_UNSUPPORTED:
    case LEAT_E_RESTORE:
    case LEAT_E_VERSION: return true;
    case LEAT_E_RANGE: return !of_a_task;
    case LEAT_E_STATE:
    case LEAT_E_FORMAT: return !of_a_task || job->opened < job->expected;
    default: return false;
    }
}

/* Why no attempt can help; NULL: one may. */
static const char *hopeless(const leat_job *job) {
    if (would_come_again(job)) return "another attempt would meet the same error";
    if (job->fenced)
        return "a function of this attempt has not returned, and nothing but the end of the "
               "process can end it; PROCESS mode can";
    return NULL;
}

/* `text` is allocated, or NULL when memory ran out. */
static int64_t give_up(leat_job *job, char *text) {
    if (!text) return -1;
    pthread_mutex_lock(&job->lock); /* others look at how the job stands */
    char *former = job->failure.text;
    job->failure.text = text;
    pthread_mutex_unlock(&job->lock);
    leati_free(former);
    return -1;
}

static const char *text_of(const leati_failure *f) {
    return f->text ? f->text : "";
}

/* How long to wait for the next attempt; -1: there is none, and the failure says why. */
static int64_t decide(leat_job *job) {
    leati_restart *strategy = &job->attempts->strategy;
    const char *text = text_of(&job->failure), *why;
    char words[120];
    if (strategy->kind == LEATI_RESTART_NONE) return -1;
    if (job->failure.status == LEAT_E_RESTORE) return -1; /* it says all, and what to do */
    if ((why = hopeless(job)))
        return give_up(job, leati_format("%s; the job was not restarted: %s", text, why));
    int64_t delay = leati_restart_after(strategy, leati_clock_monotonic() / 1000000);
    if (delay < 0) {
        leati_restart_words(strategy, words, sizeof words);
        return give_up(job, leati_format("%s; the job gave up after %d attempt%s (%s)", text,
                                         job->attempt + 1, job->attempt ? "s" : "", words));
    }
    if (!leati_collects_rewind(job, leati_coordinator_complete(job->coordinator)))
        return give_up(job, leati_format("%s; the job was not restarted: records of it have been "
                                         "collected, and without checkpoints another attempt "
                                         "would give them again",
                                         text));
    return delay;
}

/* --- the wait --------------------------------------------------------------------------------- */

static void announce(const leat_job *job, int64_t delay) {
    const leati_failure *f = &job->failure;
    char when[32] = "now", where[24] = "";
    if (delay && delay % 1000 == 0)
        snprintf(when, sizeof when, "in %lld s", (long long)delay / 1000);
    else if (delay)
        snprintf(when, sizeof when, "in %lld ms", (long long)delay);
    if (f->subtask >= 0)
        snprintf(where, sizeof where, " (%d/%d): ", f->subtask + 1, f->parallelism);
    leati_log(LEAT_LOG_WARNING, "%s: restarting: attempt %d %s, because %s%s%s", job->name,
              job->attempt + 2, when, f->subtask >= 0 && f->operator_name ? f->operator_name : "",
              where, text_of(f));
}

/* The failure goes into the history, and the job has none any more. Under the lock. */
static void keep_failure(leat_job *job) {
    failed_attempt *kept = &job->attempts->failed[job->attempt % KEPT];
    leati_failure_fini(&kept->failure);
    kept->attempt = job->attempt;
    kept->failure = job->failure;
    kept->view = leati_failure_view(&kept->failure);
    memset(&job->failure, 0, sizeof job->failure);
}

/* False when the job is cancelled meanwhile. Under the lock. */
static bool wait_for_it(leat_job *job, int64_t delay) {
    struct timespec until = leati_deadline_after(delay < INT_MAX ? (int)delay : INT_MAX);
    int late = 0;
    while (!job->cancel && !late) late = pthread_cond_timedwait(&job->changed, &job->lock, &until);
    return !job->cancel;
}

bool leati_attempts_next(leat_job *job) {
    if (job->failure.status == LEAT_OK) return false;
    int64_t delay = decide(job);
    if (delay < 0) return false;
    if (leati_job_restarts(job)) announce(job, delay);
    pthread_mutex_lock(&job->lock);
    keep_failure(job);
    if (!job->cancel) job->state = LEAT_JOB_RESTARTING;
    leati_coordinator_pause(job->coordinator);
    bool goes_on = wait_for_it(job, delay);
    if (goes_on) {
        job->state = LEAT_JOB_RUNNING;
        job->attempt++;
        job->opened = job->ended = job->closed = 0;
    }
    pthread_mutex_unlock(&job->lock);
    return goes_on;
}

/* --- the public history ----------------------------------------------------------------------- */

int leat_job_attempts(const leat_job *job) {
    leat_job *j = (leat_job *)(uintptr_t)job;
    if (leati_job_check(job, "", NULL) < 0) return 0;
    pthread_mutex_lock(&j->lock);
    int attempts = j->attempt + 1;
    pthread_mutex_unlock(&j->lock);
    return attempts;
}

const leat_failure *leat_job_attempt_failure(const leat_job *job, int attempt) {
    leat_job *j = (leat_job *)(uintptr_t)job;
    const leat_failure *found = NULL;
    if (leati_job_check(job, "", NULL) < 0 || attempt < 0) return NULL;
    pthread_mutex_lock(&j->lock);
    const failed_attempt *kept = &j->attempts->failed[attempt % KEPT];
    if (kept->attempt == attempt && kept->failure.status != LEAT_OK)
        found = &kept->view;
    else if (attempt == j->attempt && j->state == LEAT_JOB_FAILED)
        found = &j->view;
    pthread_mutex_unlock(&j->lock);
    return found;
}
