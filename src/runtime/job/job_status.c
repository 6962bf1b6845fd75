/* job_status.c: how a job stands, for those who look at it from outside: an object of JSON, which
   the control socket (control.c) gives out, too, the text of the status line, and the lines of the
   log that tell its life. Rates are taken over what passed since somebody looked last, so that two
   looks within half a second share one. */
#include "runtime/job/job_status.h"

#include <stdio.h>
#include <unistd.h>

#include "runtime/base/alloc.h"
#include "runtime/base/clock.h"
#include "runtime/base/log.h"
#include "runtime/data/double_text.h"

enum { SAMPLE_NS = 500000000 };

const char *leat_job_state_name(leat_job_state state) {
    static const char *const names[] = {
        [LEAT_JOB_CREATED] = "CREATED",       [LEAT_JOB_RUNNING] = "RUNNING",
        [LEAT_JOB_FAILING] = "FAILING",       [LEAT_JOB_FAILED] = "FAILED",
        [LEAT_JOB_CANCELLING] = "CANCELLING", [LEAT_JOB_CANCELED] = "CANCELED",
        [LEAT_JOB_FINISHED] = "FINISHED",     [LEAT_JOB_RESTARTING] = "RESTARTING",
    };
    size_t i = (size_t)state;
    return i < sizeof names / sizeof *names ? names[i] : "UNKNOWN";
}

/* --- what is told ----------------------------------------------------------------------------- */

static int64_t runtime_ns(const leat_job *job) {
    return (job->ended_at ? job->ended_at : leati_clock_monotonic()) - job->started_at;
}

/* Under the lock. After the end: over the whole time. */
static void take_rate(leat_job *job, int64_t records) {
    int64_t now = job->ended_at ? job->ended_at : leati_clock_monotonic();
    int64_t since = job->ended_at || !job->looked_at ? job->started_at : job->looked_at;
    int64_t before = since == job->started_at ? 0 : job->looked_records;
    if (now - since < (job->ended_at ? 1 : SAMPLE_NS)) return;
    job->rate = (double)(records - before) * 1e9 / (double)(now - since);
    if (job->rate < 0) job->rate = 0; /* a new attempt counts from 0 */
    job->looked_at = now;
    job->looked_records = records;
}

static leati_job_look look_at(leat_job *job) {
    leati_job_look look = {.records = leati_job_records(job)};
    pthread_mutex_lock(&job->lock);
    take_rate(job, look.records);
    look.rate = job->rate;
    look.state = job->state;
    look.attempt = job->attempt;
    look.runtime_ms = runtime_ns(job) / 1000000;
    pthread_mutex_unlock(&job->lock);
    return look;
}

/* "" unless it failed. */
static char *failure_text(leat_job *job) {
    pthread_mutex_lock(&job->lock);
    const char *text = job->failure.status != LEAT_OK ? job->failure.text : NULL;
    const char *name = job->failure.operator_name;
    char *copy = name && *name ? leati_format("%s: %s", name, text ? text : "")
                               : leati_strdup(text ? text : "");
    pthread_mutex_unlock(&job->lock);
    return copy;
}

static void put_head(const leat_job *job, const leati_job_look *look, leati_buf *out) {
    int64_t ago = (leati_clock_monotonic() - job->started_at) / 1000000;
    leati_buf_printf(out, "{\"id\": \"%s\", \"name\": ", job->id);
    leati_json_string(out, job->name);
    leati_buf_printf(out, ", \"pid\": %d, \"state\": \"%s\", \"attempt\": %d", (int)getpid(),
                     leat_job_state_name(look->state), look->attempt);
    leati_buf_printf(out,
                     ", \"started_ms\": %lld, \"runtime_ms\": %lld, \"workers\": %d, "
                     "\"records\": %lld, \"records_per_second\": ",
                     (long long)(leati_clock_now() - ago), (long long)look->runtime_ms,
                     job->plan->workers, (long long)look->records);
    leati_double_repr(look->rate, out);
}

static void put_checkpoints(leat_job *job, leati_buf *out) {
    pthread_mutex_lock(&job->lock);
    leati_cp_stats_json(leati_coordinator_stats(job->coordinator), out);
    pthread_mutex_unlock(&job->lock);
}

char *leat_job_checkpoints(leat_job *job, leat_error *err) {
    leati_buf json;
    if (leati_job_check(job, "leat_job_checkpoints", err) < 0) return NULL;
    leati_buf_init(&json);
    put_checkpoints(job, &json);
    char *text = leati_buf_take(&json);
    if (!text) leat_error_set(err, LEAT_E_NOMEM, "leat_job_checkpoints", "no memory");
    return text;
}

void leati_job_describe(leat_job *job, bool whole, leati_buf *out) {
    leati_job_look look = look_at(job);
    char *failure = failure_text(job);
    put_head(job, &look, out);
    if (failure && *failure) {
        leati_buf_text(out, ", \"failure\": ");
        leati_json_string(out, failure);
    }
    leati_buf_text(out, ", \"checkpoints\": ");
    put_checkpoints(job, out);
    if (whole) {
        leati_buf_text(out, ", \"operators\": ");
        leati_job_metrics_json(job, out);
    }
    leati_buf_text(out, "}");
    leati_free(failure);
}

char *leat_job_describe(leat_job *job, leat_error *err) {
    leati_buf json;
    if (leati_job_check(job, "leat_job_describe", err) < 0) return NULL;
    leati_job_metrics_await(job);
    leati_buf_init(&json);
    leati_job_describe(job, true, &json);
    char *text = leati_buf_take(&json);
    if (!text) leat_error_set(err, LEAT_E_NOMEM, "leat_job_describe", "no memory");
    return text;
}

/* --- for people ------------------------------------------------------------------------------- */

void leati_put_span(leati_buf *out, int64_t ms) {
    int64_t s = ms / 1000;
    if (s < 60)
        leati_buf_printf(out, "%lld s", (long long)s);
    else if (s < 3600)
        leati_buf_printf(out, "%lld min %lld s", (long long)(s / 60), (long long)(s % 60));
    else
        leati_buf_printf(out, "%lld h %lld min", (long long)(s / 3600), (long long)(s / 60 % 60));
}

void leati_job_line(leat_job *job, leati_buf *out) {
    leati_job_look look = look_at(job);
    size_t begin = out->size;
    leati_buf_printf(out, "%s: %s, ", job->name, leat_job_state_name(look.state));
    leati_put_span(out, look.runtime_ms);
    leati_buf_printf(out, ", %lld records, %.0f/s", (long long)look.records, look.rate);
    if (look.attempt) leati_buf_printf(out, ", attempt %d", look.attempt + 1);
    pthread_mutex_lock(&job->lock);
    leati_cp_stats_line(leati_coordinator_stats(job->coordinator), out);
    pthread_mutex_unlock(&job->lock);
    for (size_t i = begin; i < out->size; i++)
        if ((unsigned char)out->bytes[i] < 0x20 || out->bytes[i] == 0x7f) out->bytes[i] = '?';
}

/* --- the log ---------------------------------------------------------------------------------- */

void leati_job_log_start(const leat_job *job) {
    if (!leati_log_wants(LEAT_LOG_INFO)) return;
    const leati_plan *p = job->plan;
    char where[64] = "in this process";
    if (p->workers)
        snprintf(where, sizeof where, "in %d worker process%s", p->workers,
                 p->workers == 1 ? "" : "es");
    leati_log(LEAT_LOG_INFO, "%s: job %s begins attempt %d: %d operator%s in %d task%s, %s",
              job->name, job->id, job->attempt + 1, p->info_count, p->info_count == 1 ? "" : "s",
              p->task_count, p->task_count == 1 ? "" : "s", where);
}

void leati_job_log_state(leat_job *job, const char *next) {
    if (!leati_log_wants(LEAT_LOG_INFO)) return;
    leat_job_state state = leat_job_status(job);
    char *failure = failure_text(job);
    bool failed = failure && *failure;
    leati_log(LEAT_LOG_INFO, "%s: %s after %lld ms%s%s; %s", job->name, leat_job_state_name(state),
              (long long)leat_job_runtime(job), failed ? ": " : "", failed ? failure : "", next);
    leati_free(failure);
}
