/* job.c: a job's life and its driver.

   The driver is one thread per job. It makes the plan's part of this process and the workers with
   theirs, waits until all hosts have ended their data, one failed or somebody cancelled, then
   closes all of them, and says how it ended. A failure ends the whole attempt; where the restart
   strategy allows it (attempts.c) another one begins, with a host and workers of its own. */
#include "runtime/job/job.h"

#include <stdarg.h>
#include <stdio.h>
#include <sys/random.h>

#include "runtime/base/alloc.h"
#include "runtime/base/clock.h"
#include "runtime/base/deadline.h"
#include "runtime/base/io_thread.h"
#include "runtime/base/log.h"
#include "runtime/base/own_process.h"
#include "runtime/job/control.h"
#include "runtime/job/interpreter.h"
#include "runtime/job/job_status.h"
#include "runtime/job/pool.h"

/* --- news ------------------------------------------------------------------------------------- */

static void count_up(leat_job *job, int *counter) {
    pthread_mutex_lock(&job->lock);
    ++*counter;
    pthread_cond_broadcast(&job->changed);
    pthread_mutex_unlock(&job->lock);
}

void leati_job_host_opened(leat_job *job) {
    count_up(job, &job->opened);
}

void leati_job_host_ended(leat_job *job) {
    count_up(job, &job->ended);
}

void leati_job_host_closed(leat_job *job) {
    count_up(job, &job->closed);
}

void leati_job_fail(leat_job *job, leati_failure *failure) {
    pthread_mutex_lock(&job->lock);
    if (job->failure.status == LEAT_OK && !job->cancel && job->state == LEAT_JOB_RUNNING) {
        job->failure = *failure;
        memset(failure, 0, sizeof *failure);
        job->state = LEAT_JOB_FAILING;
        pthread_cond_broadcast(&job->changed);
    }
    pthread_mutex_unlock(&job->lock);
}

void leati_job_fail_text(leat_job *job, leat_status status, const char *format, ...) {
    char text[1024];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    leati_failure failure = {.status = status, .subtask = -1, .text = leati_strdup(text)};
    leati_job_fail(job, &failure);
    leati_failure_fini(&failure);
}

void leati_job_saved(leat_job *job, const leati_saved *saved) {
    pthread_mutex_lock(&job->lock);
    leati_coordinator_saved(job->coordinator, saved);
    pthread_mutex_unlock(&job->lock);
}

static void host_opened(void *arg) {
    leati_job_host_opened(arg);
}

static void host_ended(void *arg) {
    leati_job_host_ended(arg);
}

static void host_failed(void *arg, leati_failure *failure) {
    leati_job_fail(arg, failure);
}

static void host_saved(void *arg, const leati_saved *saved) {
    leati_job_saved(arg, saved);
}

/* --- one attempt ------------------------------------------------------------------------------ */

static leat_status begin(leat_job *job, leat_error *err) {
    leati_host_news news = {host_opened, host_ended, host_failed, host_saved, job};
    leati_wires wires;
    leat_status status = LEAT_OK;
    job->survival.folder = leati_coordinator_folder(job->coordinator);
    job->survival.restore = leati_coordinator_restore(job->coordinator);
    if (job->plan->workers) {
        job->pool = leati_pool_new(job, &wires, err);
        if (!job->pool) return err->status;
    }
    job->host = leati_host_new(job->plan, 0, job->attempt, job, &job->survival, &news,
                               job->pool ? &wires : NULL, err);
    if (!job->host) return err->status;
    job->expected = job->plan->workers + !leati_host_empty(job->host);
    leati_job_metrics_begin(job);
    if (job->pool) status = leati_pool_start(job->pool, err);
    if (status >= 0 && (status = leati_host_start(job->host)) < 0)
        leat_error_set(err, status, "job", "no thread could be started");
    return status;
}

static void await_news(leat_job *job, int64_t until) {
    if (until == INT64_MAX) {
        pthread_cond_wait(&job->changed, &job->lock);
        return;
    }
    struct timespec at = {.tv_sec = until / 1000000000, .tv_nsec = until % 1000000000};
    pthread_cond_timedwait(&job->changed, &job->lock, &at);
}

static bool goes_on(const leat_job *job) {
    return !job->cancel && job->failure.status == LEAT_OK;
}

/* Until all data has ended, and the last checkpoint is made, or the job fails or is cancelled,
   which may be while a turn lets go of the lock. Checkpoints are made meanwhile. */
static leat_status wait_for_data(leat_job *job, leat_error *err) {
    leat_status status = LEAT_OK;
    int64_t next;
    pthread_mutex_lock(&job->lock);
    leati_coordinator_begin(job->coordinator);
    while (goes_on(job)) {
        status = leati_coordinator_turn(job->coordinator, &next, err);
        bool done = leati_coordinator_is_done(job->coordinator);
        bool ended = job->ended >= job->expected || leati_coordinator_has_stopped(job->coordinator);
        if (status < 0 || (ended && done)) break;
        if (goes_on(job)) await_news(job, next);
    }
    job->committed = leati_coordinator_made_last(job->coordinator);
    leati_coordinator_end(job->coordinator);
    pthread_mutex_unlock(&job->lock);
    return status;
}

bool leati_job_is_failing(leat_job *job) {
    pthread_mutex_lock(&job->lock);
    bool failing = !goes_on(job);
    pthread_mutex_unlock(&job->lock);
    return failing;
}

/* "Map, Filter": the chain that a function is stuck in. */
static void fence(leat_job *job, const leati_task *stuck, int64_t timeout) {
    leati_buf names;
    leati_buf_init(&names);
    for (int i = 0; stuck && i < stuck->chain->count; i++) {
        if (i) leati_buf_text(&names, ", ");
        leati_buf_text(&names, stuck->chain->contexts[i]->info->name);
    }
    if (!stuck) leati_buf_text(&names, job->name);
    job->fenced = true;
    leati_log(LEAT_LOG_ERROR,
              "%s: the function did not return within %lld ms after the job's end "
              "(task.cancellation.timeout); it is left to itself, and the job ends without it",
              leati_buf_cstr(&names), (long long)timeout);
    leati_buf_fini(&names);
}

static void *interrupter_main(void *arg) {
    leat_job *job = arg;
    leati_host_interrupt(job->host);
    atomic_store(&job->interrupting, false);
    return NULL;
}

static void end_interrupter(leat_job *job) {
    if (job->interrupter_started) pthread_join((pthread_t)job->interrupter, NULL);
    job->interrupter_started = false;
}

/* Not again while the last one still waits for the interpreter. */
static void interrupt(leat_job *job) {
    if (atomic_load(&job->interrupting)) return;
    end_interrupter(job);
    atomic_store(&job->interrupting, true);
    job->interrupter_started =
        leati_thread_start(&job->interrupter, interrupter_main, job, "leat-interrupt") >= 0;
    if (!job->interrupter_started) atomic_store(&job->interrupting, false);
}

/* A function that does not come back after a failure or cancel is interrupted, and after the
   time-out left alone, fenced: it can reach nothing but what stays allocated. */
static void join_host(leat_job *job) {
    enum { SLICE_MS = 200, AGAIN_MS = 1000 };
    const leati_task *stuck = NULL;
    int64_t timeout = leati_config_duration_ms(job->plan->config, "task.cancellation.timeout");
    int64_t failing_since = 0, interrupt_at = 0;
    while (!leati_host_join(job->host, SLICE_MS, &stuck)) {
        if (!leati_job_is_failing(job)) continue;
        int64_t now = leati_clock_monotonic() / 1000000;
        if (!failing_since) failing_since = now - SLICE_MS;
        if (timeout && now - failing_since >= timeout) {
            fence(job, stuck, timeout);
            return;
        }
        if (now < interrupt_at) continue;
        interrupt(job);
        interrupt_at = now + AGAIN_MS;
    }
    end_interrupter(job);
}

/* Workers end first when all is well, since a failure to close there is one for all; else at the
   same time. What a fenced function can reach is never freed. */
static void end(leat_job *job) {
    bool failed = leati_job_is_failing(job);
    leati_job_metrics_end(job);
    leati_finish well = job->committed ? LEATI_FINISH_COMMITTED : LEATI_FINISH_WELL;
    if (failed && job->host) leati_host_stop(job->host, LEATI_FINISH_FAILED);
    if (job->pool) leati_pool_stop(job->pool, failed ? LEATI_FINISH_FAILED : well);
    if (job->host) {
        leati_host_stop(job->host, leati_job_is_failing(job) ? LEATI_FINISH_FAILED : well);
        join_host(job);
    }
    leati_job_metrics_last(job);
    if (job->fenced) return;
    leati_host_free(job->host);
    leati_pool_free(job->pool);
    job->host = NULL;
    job->pool = NULL;
}

static void run_attempt(leat_job *job) {
    leat_error err;
    job->committed = false;
    leati_job_log_start(job);
    if (begin(job, &err) < 0 || wait_for_data(job, &err) < 0)
        leati_job_fail_text(job, err.status, "%s: %s", err.where, err.text);
    end(job);
    if (!leati_job_is_failing(job) && leati_job_accumulators_check(job, &err) < 0)
        leati_job_fail_text(job, err.status, "%s: %s", err.where, err.text);
    if (!leati_job_is_failing(job)) leati_coordinator_finish(job->coordinator);
}

static void conclude(leat_job *job) {
    leati_pushes_end(job);
    pthread_mutex_lock(&job->lock);
    job->ended_at = leati_clock_monotonic();
    job->view = leati_failure_view(&job->failure);
    job->state = job->failure.status != LEAT_OK ? LEAT_JOB_FAILED
                 : job->cancel                  ? LEAT_JOB_CANCELED
                                                : LEAT_JOB_FINISHED;
    leati_coordinator_conclude(job->coordinator);
    pthread_mutex_unlock(&job->lock);
    leati_control_end(job);
    leati_job_log_state(job, "nothing follows");
    pthread_mutex_lock(&job->lock);
    job->over = true;
    pthread_cond_broadcast(&job->changed);
    pthread_mutex_unlock(&job->lock);
    leati_collect_end(job);
    leati_dispatch_end(job);
}

/* Is there anything to run? What is refused here no attempt could mend. */
static bool set_out(leat_job *job) {
    leat_error err;
    leat_status status = leati_coordinator_start(job->coordinator, &err);
    pthread_mutex_lock(&job->lock);
    if (job->state == LEAT_JOB_CREATED) job->state = LEAT_JOB_RUNNING;
    pthread_mutex_unlock(&job->lock);
    if (status < 0) leati_job_fail_text(job, err.status, "%s: %s", err.where, err.text);
    return status >= 0 && !leati_coordinator_has_finished(job->coordinator);
}

static void *driver_main(void *arg) {
    leat_job *job = arg;
    bool again = set_out(job);
    while (again) {
        run_attempt(job);
        again = leati_attempts_next(job);
    }
    if (!job->fenced) leati_interpreter_release();
    conclude(job);
    return NULL;
}

/* --- the public job --------------------------------------------------------------------------- */

static void make_id(char *id) {
    unsigned char bytes[16];
    if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes) {
        int64_t now = leati_clock_monotonic();
        memset(bytes, 0, sizeof bytes);
        memcpy(bytes, &now, sizeof now);
    }
    for (size_t i = 0; i < sizeof bytes; i++) snprintf(id + 2 * i, 3, "%02x", bytes[i]);
}

static void job_destroy(leat_job *job) {
    leati_collect_free(job);
    leati_dispatch_free(job);
    leati_coordinator_free(job->coordinator);
    if (job->plan) leati_job_reports_free(job);
    leati_attempts_free(job);
    leati_failure_fini(&job->failure);
    leati_plan_free(job->plan);
    leati_blueprint_unref(job->blue);
    leati_free(job->name);
    pthread_cond_destroy(&job->changed);
    pthread_mutex_destroy(&job->lock);
    pthread_mutex_destroy(&job->metrics_lock);
    leati_free(job);
}

static void init_locks(leat_job *job) {
    leati_deadline_cond_init(&job->changed);
    pthread_mutex_init(&job->lock, NULL);
    pthread_mutex_init(&job->metrics_lock, NULL);
}

static leat_status prepare(leat_job *job, const char *name, leat_error *err) {
    leat_status status = LEAT_OK;
    job->name = leati_env_name_job(job->env, name);
    job->plan = leati_plan_new(&job->blue->graph, job->blue->config, err);
    if (!job->plan) return err->status;
    job->reports = leati_zalloc((size_t)(job->plan->workers + 1) * sizeof *job->reports);
    if (!job->name || !job->reports) status = LEAT_E_NOMEM;
    if (leati_attempts_init(job, err) < 0) return err->status;
    if (status >= 0 && !(job->coordinator = leati_coordinator_new(job, err))) return err->status;
    if (status >= 0) status = leati_dispatch_init(job);
    if (status >= 0 && leati_coordinator_waits(job->coordinator)) job->state = LEAT_JOB_CREATED;
    if (status >= 0) leati_pushes_begin(job);
    leati_interpreter_hold();
    leati_process_use();
    if (status >= 0) leati_control_begin(job);
    if (status >= 0) status = leati_thread_start(&job->thread, driver_main, job, "leat-driver");
    if (status < 0) {
        leati_interpreter_release();
        leati_control_end(job);
        leati_pushes_end(job);
        return leat_error_set(err, status, "job", "no memory or no thread for the job");
    }
    job->thread_started = true;
    return LEAT_OK;
}

leat_job *leati_job_start(leat_env *env, leati_blueprint *blue, const char *name, leat_error *err) {
    leat_job *job = leati_zalloc(sizeof *job);
    if (!job) {
        leati_blueprint_unref(blue);
        leat_error_set(err, LEAT_E_NOMEM, "job", "no memory");
        return NULL;
    }
    init_locks(job);
    make_id(job->id);
    job->env = env;
    job->blue = blue;
    job->state = LEAT_JOB_RUNNING;
    job->started_at = leati_clock_monotonic();
    leati_list_init(&job->link);
    if (prepare(job, name, err) < 0) {
        leati_env_free_name(env, job->name);
        job_destroy(job);
        return NULL;
    }
    pthread_mutex_lock(&env->lock);
    leati_list_push(&env->jobs, &job->link);
    pthread_mutex_unlock(&env->lock);
    return job;
}

leat_status leati_job_check(const leat_job *job, const char *where, leat_error *err) {
    if (!job) return leat_error_set(err, LEAT_E_ARGUMENT, where, "job is NULL");
    return leati_env_check(job->env, where, err);
}

const char *leat_job_id(const leat_job *job) {
    return job ? job->id : "";
}

leat_job_state leat_job_status(const leat_job *job) {
    leat_job *j = (leat_job *)(uintptr_t)job;
    if (leati_job_check(job, "", NULL) < 0) return job ? job->state : LEAT_JOB_CREATED;
    pthread_mutex_lock(&j->lock);
    leat_job_state state = j->state;
    pthread_mutex_unlock(&j->lock);
    return state;
}

leat_status leat_job_wait(leat_job *job, int timeout_ms) {
    leat_status status = leati_job_check(job, "", NULL);
    if (status < 0) return status;
    struct timespec until = leati_deadline_after(timeout_ms);
    int late = 0;
    pthread_mutex_lock(&job->lock);
    while (!job->over && !late) {
        if (timeout_ms < 0)
            pthread_cond_wait(&job->changed, &job->lock);
        else
            late = pthread_cond_timedwait(&job->changed, &job->lock, &until);
    }
    bool over = job->over;
    pthread_mutex_unlock(&job->lock);
    return over ? LEAT_OK : LEAT_AGAIN;
}

void leat_job_cancel(leat_job *job) {
    if (leati_job_check(job, "", NULL) < 0) return;
    pthread_mutex_lock(&job->lock);
    bool runs = job->state == LEAT_JOB_RUNNING || job->state == LEAT_JOB_RESTARTING;
    if (runs || job->state == LEAT_JOB_CREATED) {
        job->cancel = true;
        job->state = LEAT_JOB_CANCELLING;
        pthread_cond_broadcast(&job->changed);
    }
    if (job->state == LEAT_JOB_FAILING) job->cancel = true; /* no other attempt */
    pthread_mutex_unlock(&job->lock);
}

leat_status leat_job_result(leat_job *job, leat_error *err) {
    leat_status status = leati_job_check(job, "leat_job_result", err);
    if (status < 0) return status;
    const leat_failure *f = leat_job_failure(job);
    if (!f) {
        leat_job_state state = leat_job_status(job);
        if (state == LEAT_JOB_FINISHED) return LEAT_OK;
        if (state == LEAT_JOB_CANCELED)
            return leat_error_set(err, LEAT_E_CANCELLED, job->name, "the job was cancelled");
        return leat_error_set(err, LEAT_E_STATE, job->name, "the job has not ended yet");
    }
    char where[sizeof err->where];
    if (f->subtask >= 0)
        snprintf(where, sizeof where, "%s (%d/%d)", f->operator_name, f->subtask + 1,
                 f->parallelism);
    else
        snprintf(where, sizeof where, "%s", job->name);
    return leat_error_set(err, f->status, where, "%s", f->text);
}

const leat_failure *leat_job_failure(const leat_job *job) {
    return leat_job_status(job) == LEAT_JOB_FAILED ? &job->view : NULL;
}

const void *leati_job_payload(const leat_job *job, size_t *size) {
    *size = job->failure.payload_size;
    return leat_job_failure(job) ? job->failure.payload : NULL;
}

int64_t leat_job_runtime(const leat_job *job) {
    leat_job *j = (leat_job *)(uintptr_t)job;
    if (leati_job_check(job, "", NULL) < 0) return 0;
    pthread_mutex_lock(&j->lock);
    int64_t until = j->over ? j->ended_at : leati_clock_monotonic();
    pthread_mutex_unlock(&j->lock);
    return (until - j->started_at) / 1000000;
}

void leat_job_free(leat_job *job) {
    if (leati_job_check(job, "", NULL) < 0) return;
    leat_job_cancel(job);
    pthread_mutex_lock(&job->env->lock);
    leati_list_remove(&job->link);
    pthread_mutex_unlock(&job->env->lock);
    enum { PATIENCE_MS = 5000 };
    if (leat_job_wait(job, PATIENCE_MS) != LEAT_OK) {
        leati_log(LEAT_LOG_ERROR, "%s: the job did not end within 5 s; it is left to itself",
                  job->name);
        pthread_detach((pthread_t)job->thread);
        return; /* what its threads can reach stays allocated */
    }
    pthread_join((pthread_t)job->thread, NULL);
    pthread_mutex_lock(&job->lock);
    while (job->askers) pthread_cond_wait(&job->changed, &job->lock);
    pthread_mutex_unlock(&job->lock);
    if (!job->fenced) job_destroy(job);
}

void leati_jobs_end(leat_env *env) {
    for (;;) {
        pthread_mutex_lock(&env->lock);
        leati_link *first = leati_list_empty(&env->jobs) ? NULL : env->jobs.next;
        pthread_mutex_unlock(&env->lock);
        if (!first) return;
        leat_job_free(LEATI_CONTAINER(first, leat_job, link));
    }
}
