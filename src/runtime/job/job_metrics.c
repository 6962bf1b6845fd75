/* job_metrics.c: the metrics of a job as JSON. Each host reports its own as bytes (flow/metrics.c):
   the main process's when they are asked for, a worker's when it is asked, and both once more when
   their tasks are closed; the job keeps the last report of each. */
#include "runtime/base/alloc.h"
#include "runtime/base/deadline.h"
#include "runtime/job/job.h"
#include "runtime/job/pool.h"

enum { PATIENCE_MS = 1000 };

/* --- reports ---------------------------------------------------------------------------------- */

void leati_job_report(leat_job *job, int host, const char *bytes, size_t size) {
    char *copy = leati_memdup(bytes ? bytes : "", size + 1);
    pthread_mutex_lock(&job->lock);
    bool known = host >= 0 && host <= job->plan->workers && job->reports;
    if (known && copy) {
        leati_free(job->reports[host].bytes);
        job->reports[host] = (leati_report){copy, size};
        copy = NULL;
    }
    job->reported++;
    pthread_cond_broadcast(&job->changed);
    pthread_mutex_unlock(&job->lock);
    leati_free(copy);
}

/* Those of an attempt before. */
static void forget_reports(leat_job *job) {
    pthread_mutex_lock(&job->lock);
    for (int i = 0; i <= job->plan->workers; i++) {
        leati_free(job->reports[i].bytes);
        job->reports[i] = (leati_report){NULL, 0};
    }
    pthread_mutex_unlock(&job->lock);
}

static void report_own(leat_job *job) {
    leati_buf report;
    leati_buf_init(&report);
    leati_host_report(job->host, &report);
    if (!report.failed) leati_job_report(job, 0, report.bytes, report.size);
    leati_buf_fini(&report);
}

void leati_job_metrics_begin(leat_job *job) {
    forget_reports(job);
    pthread_mutex_lock(&job->metrics_lock);
    job->measured = true;
    pthread_mutex_unlock(&job->metrics_lock);
}

void leati_job_metrics_end(leat_job *job) {
    pthread_mutex_lock(&job->metrics_lock);
    job->measured = false;
    pthread_mutex_unlock(&job->metrics_lock);
}

void leati_job_metrics_last(leat_job *job) {
    if (job->host) report_own(job);
}

/* Asks all hosts, and answers how many reports will come from elsewhere. */
static int ask(leat_job *job) {
    int asked = 0;
    pthread_mutex_lock(&job->metrics_lock);
    if (job->measured) {
        report_own(job);
        if (job->pool) asked = leati_pool_ask(job->pool);
    }
    pthread_mutex_unlock(&job->metrics_lock);
    return asked;
}

static void wait_for_reports(leat_job *job) {
    struct timespec until = leati_deadline_after(PATIENCE_MS);
    pthread_mutex_lock(&job->lock);
    int64_t before = job->reported;
    pthread_mutex_unlock(&job->lock);
    int64_t wanted = before + 1 + ask(job);
    int late = 0;
    pthread_mutex_lock(&job->lock);
    while (wanted > before + 1 && job->reported < wanted && !job->over && !late)
        late = pthread_cond_timedwait(&job->changed, &job->lock, &until);
    pthread_mutex_unlock(&job->lock);
}

void leati_job_reports_free(leat_job *job) {
    for (int i = 0; job->reports && i <= job->plan->workers; i++) leati_free(job->reports[i].bytes);
    leati_free(job->reports);
}

/* --- as JSON ---------------------------------------------------------------------------------- */

static void put_text(leati_buf *b, leati_reader *in) {
    size_t size;
    const char *bytes = leati_reader_blob(in, &size);
    char *text = bytes ? leati_format("%.*s", (int)size, bytes) : NULL;
    leati_json_string(b, text ? text : "");
    leati_free(text);
}

static void put_number(leati_buf *b, const char *name, int64_t n) {
    leati_buf_printf(b, "\"%s\": %lld", name, (long long)n);
}

static void put_metric(leati_buf *b, leati_reader *in) {
    leati_buf_text(b, ", ");
    put_text(b, in);
    leati_metric_form form = (leati_metric_form)leati_reader_u8(in);
    int64_t count = leati_reader_zigzag(in);
    leati_buf_text(b, ": ");
    if (form == LEATI_FORM_NUMBER) {
        leati_buf_printf(b, "%lld", (long long)count);
        return;
    }
    leati_buf_text(b, "{");
    put_number(b, "count", count);
    if (form == LEATI_FORM_METER) {
        leati_buf_printf(b, ", \"rate\": %.3f}", (double)leati_reader_zigzag(in) / 1000);
        return;
    }
    int64_t sum = leati_reader_zigzag(in), least = leati_reader_zigzag(in);
    leati_buf_text(b, ", ");
    put_number(b, "sum", sum);
    leati_buf_text(b, ", ");
    put_number(b, "min", least);
    leati_buf_text(b, ", ");
    put_number(b, "max", leati_reader_zigzag(in));
    leati_buf_printf(b, ", \"mean\": %.17g}", count ? (double)sum / (double)count : 0.0);
}

static void put_subtask(leati_buf *b, leati_reader *in) {
    leati_buf_text(b, b->size > 1 ? ",\n {\"operator\": " : "{\"operator\": ");
    put_text(b, in);
    leati_buf_text(b, ", \"uid\": ");
    put_text(b, in);
    leati_buf_text(b, ", ");
    put_number(b, "id", (int64_t)leati_reader_varint(in));
    leati_buf_text(b, ", ");
    put_number(b, "subtask", (int64_t)leati_reader_varint(in));
    leati_buf_text(b, ", ");
    put_number(b, "parallelism", (int64_t)leati_reader_varint(in));
    leati_buf_text(b, ", \"metrics\": {");
    put_number(b, "numRecordsIn", leati_reader_zigzag(in));
    leati_buf_text(b, ", ");
    put_number(b, "numRecordsOut", leati_reader_zigzag(in));
    while (leati_reader_u8(in)) put_metric(b, in);
    leati_buf_text(b, "}}");
}

char *leat_job_metrics(leat_job *job, leat_error *err) {
    leati_buf json;
    if (leati_job_check(job, "leat_job_metrics", err) < 0) return NULL;
    wait_for_reports(job);
    leati_buf_init(&json);
    leati_buf_text(&json, "[");
    pthread_mutex_lock(&job->lock);
    for (int i = 0; job->reports && i <= job->plan->workers; i++) {
        leati_reader in = leati_reader_of(job->reports[i].bytes, job->reports[i].size);
        while (leati_reader_left(&in) && !in.failed) put_subtask(&json, &in);
    }
    pthread_mutex_unlock(&job->lock);
    leati_buf_text(&json, "]");
    char *text = leati_buf_take(&json);
    if (!text) leat_error_set(err, LEAT_E_NOMEM, "leat_job_metrics", "no memory");
    return text;
}
