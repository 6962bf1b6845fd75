/* savepoint.c: leat_job_savepoint and leat_job_stop: a wish that the coordinator fulfils, and the
   wait for it. Both hold the wish, so that who does not wait any longer leaves nothing behind that
   is still written to. */
#include <limits.h>
#include <unistd.h>

#include "runtime/base/alloc.h"
#include "runtime/base/deadline.h"
#include "runtime/base/file_path.h"
#include "runtime/job/savepoint.h"

/* The folder as a plain, absolute path; allocated. */
static leat_status find_dir(const leat_job *job, const char *dir, char **path, leat_error *err) {
    char here[PATH_MAX];
    if (!dir || !*dir)
        dir = leati_config_get(job->plan->config, "execution.checkpointing.savepoint-dir");
    if (!dir || !*dir)
        return leat_error_set(err, LEAT_E_ARGUMENT, job->name,
                              "there is no folder for savepoints; give one, or set "
                              "execution.checkpointing.savepoint-dir");
    if (leati_file_path_check(dir, err) < 0) return err->status;
    dir = leati_file_path(dir);
    bool relative = *dir != '/' && getcwd(here, sizeof here);
    *path = relative ? leati_format("%s/%s", here, dir) : leati_strdup(dir);
    return *path ? LEAT_OK : leat_error_set(err, LEAT_E_NOMEM, job->name, "no memory");
}

void leati_wish_unref(leati_wish *wish) {
    if (--wish->refs) return;
    leati_free(wish->dir);
    leati_free(wish->path);
    leati_free(wish);
}

static leat_status wish_new(const leat_job *job, const char *dir, leati_then then, leati_wish **out,
                            leat_error *err) {
    char *found = NULL;
    leat_status status = find_dir(job, dir, &found, err);
    if (status < 0) return status;
    leati_wish *w = *out = leati_zalloc(sizeof *w);
    if (!w) {
        leati_free(found);
        return leat_error_set(err, LEAT_E_NOMEM, job->name, "no memory");
    }
    leati_list_init(&w->link);
    w->refs = 1;
    w->then = then;
    w->dir = found;
    return LEAT_OK;
}

/* It is done, and, where the job is to stop with it, this attempt has ended; or it is too late.
   Under the lock. */
static bool is_over(const leat_job *job, leati_asked *asked) {
    const leati_wish *w = asked->wish;
    if (w->done && (w->err.status < 0 || w->then == LEATI_THEN_GO_ON)) return true;
    if (w->done && asked->attempt < 0) asked->attempt = job->attempt;
    return job->over || (w->done && asked->attempt != job->attempt);
}

/* False when the time is over. Under the lock. */
static bool await(leat_job *job, leati_asked *asked, int timeout_ms) {
    struct timespec until = leati_deadline_after(timeout_ms);
    for (int late = 0; !late;) {
        if (is_over(job, asked)) return true;
        if (timeout_ms < 0)
            pthread_cond_wait(&job->changed, &job->lock);
        else
            late = pthread_cond_timedwait(&job->changed, &job->lock, &until);
    }
    return false;
}

static leat_status answer(const leat_job *job, leati_wish *w, char **path, leat_error *err) {
    if (w->err.status < 0) {
        if (err) *err = w->err;
        return w->err.status;
    }
    if (w->then != LEATI_THEN_GO_ON && job->state != LEAT_JOB_FINISHED)
        return leat_error_set(err, LEAT_E_STATE, job->name,
                              "the savepoint %s was made, but the job failed before it had "
                              "stopped: %s",
                              w->path,
                              job->failure.text ? job->failure.text : "it was started again");
    if (path) {
        *path = w->path;
        w->path = NULL;
    }
    return LEAT_OK;
}

leat_status leati_savepoint_ask(leat_job *job, const char *dir, leati_then then, leati_asked *out,
                                leat_error *err) {
    leati_wish *w = NULL;
    leat_status status = wish_new(job, dir, then, &w, err);
    if (status < 0) return status;
    pthread_mutex_lock(&job->lock);
    status = leati_coordinator_wish(job->coordinator, w, err);
    if (status < 0) leati_wish_unref(w);
    pthread_mutex_unlock(&job->lock);
    if (status >= 0) *out = (leati_asked){w, -1};
    return status;
}

bool leati_savepoint_ready(leat_job *job, leati_asked *asked) {
    pthread_mutex_lock(&job->lock);
    bool ready = is_over(job, asked);
    pthread_mutex_unlock(&job->lock);
    return ready;
}

leat_status leati_savepoint_answer(leat_job *job, leati_asked *asked, char **path,
                                   leat_error *err) {
    pthread_mutex_lock(&job->lock);
    leat_status status = answer(job, asked->wish, path, err);
    leati_wish_unref(asked->wish);
    asked->wish = NULL;
    pthread_mutex_unlock(&job->lock);
    return status;
}

void leati_savepoint_forget(leat_job *job, leati_asked *asked) {
    if (!asked->wish) return;
    pthread_mutex_lock(&job->lock);
    leati_wish_unref(asked->wish);
    asked->wish = NULL;
    pthread_mutex_unlock(&job->lock);
}

/* The job is not freed while somebody asks. */
static void count_askers(leat_job *job, int more) {
    pthread_mutex_lock(&job->lock);
    job->askers += more;
    if (!job->askers) pthread_cond_broadcast(&job->changed);
    pthread_mutex_unlock(&job->lock);
}

static leat_status make(leat_job *job, const char *dir, leati_then then, int timeout_ms,
                        char **path, leat_error *err) {
    leat_error own;
    leati_asked asked;
    if (!err) err = &own;
    leat_status status = leati_savepoint_ask(job, dir, then, &asked, err);
    if (status < 0) return status;
    pthread_mutex_lock(&job->lock);
    bool answered = await(job, &asked, timeout_ms);
    pthread_mutex_unlock(&job->lock);
    if (answered) return leati_savepoint_answer(job, &asked, path, err);
    leati_savepoint_forget(job, &asked);
    return leat_error_set(err, LEAT_E_TIMEOUT, job->name,
                          "the savepoint was not complete after %d ms; it is still being made",
                          timeout_ms);
}

leat_status leat_job_savepoint(leat_job *job, const char *dir, int timeout_ms, char **path,
                               leat_error *err) {
    leat_status status = leati_job_check(job, "leat_job_savepoint", err);
    if (status < 0) return status;
    count_askers(job, 1);
    status = make(job, dir, LEATI_THEN_GO_ON, timeout_ms, path, err);
    count_askers(job, -1);
    return status;
}

leat_status leat_job_stop(leat_job *job, const char *dir, bool drain, int timeout_ms, char **path,
                          leat_error *err) {
    leat_status status = leati_job_check(job, "leat_job_stop", err);
    if (status < 0) return status;
    count_askers(job, 1);
    status = make(job, dir, drain ? LEATI_THEN_END : LEATI_THEN_STOP, timeout_ms, path, err);
    count_askers(job, -1);
    return status;
}
