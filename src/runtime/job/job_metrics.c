/* job_metrics.c: the metrics of a job as JSON. Each host reports its own as bytes (flow/metrics.c):
   the main process's when they are asked for, a worker's when it is asked, and both once more when
   their tasks are closed; the job keeps the last report of each. */
#include "runtime/base/alloc.h"
#include "runtime/base/deadline.h"
#include "runtime/data/double_text.h"
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
static int ask_hosts(leat_job *job) {
    int asked = 0;
    pthread_mutex_lock(&job->metrics_lock);
    if (job->measured) {
        report_own(job);
        if (job->pool) asked = leati_pool_ask(job->pool);
    }
    pthread_mutex_unlock(&job->metrics_lock);
    return asked;
}

int64_t leati_job_metrics_ask(leat_job *job) {
    pthread_mutex_lock(&job->lock);
    int64_t before = job->reported;
    pthread_mutex_unlock(&job->lock);
    int elsewhere = ask_hosts(job);
    return elsewhere ? before + 1 + elsewhere : 0;
}

bool leati_job_metrics_came(leat_job *job, int64_t wanted) {
    pthread_mutex_lock(&job->lock);
    bool came = job->reported >= wanted || job->over;
    pthread_mutex_unlock(&job->lock);
    return came;
}

void leati_job_metrics_await(leat_job *job) {
    struct timespec until = leati_deadline_after(PATIENCE_MS);
    int64_t wanted = leati_job_metrics_ask(job);
    int late = 0;
    pthread_mutex_lock(&job->lock);
    while (job->reported < wanted && !job->over && !late)
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
        leati_buf_text(b, ", \"rate\": ");
        leati_double_repr((double)leati_reader_zigzag(in) / 1000, b);
        leati_buf_text(b, "}");
        return;
    }
    int64_t sum = leati_reader_zigzag(in), least = leati_reader_zigzag(in);
    leati_buf_text(b, ", ");
    put_number(b, "sum", sum);
    leati_buf_text(b, ", ");
    put_number(b, "min", least);
    leati_buf_text(b, ", ");
    put_number(b, "max", leati_reader_zigzag(in));
    leati_buf_text(b, ", \"mean\": "); /* printf would write the comma of some locales */
    leati_double_repr(count ? (double)sum / (double)count : 0.0, b);
    leati_buf_text(b, "}");
}

/* A worker has the job's part of the graph alone, and numbers it from 1. */
static int64_t node_of(const leati_plan *p, int host, uint64_t told) {
    if (!host) return (int64_t)told;
    return told && told <= (uint64_t)p->info_count ? p->infos[told - 1].node : 0;
}

static void put_subtask(leati_buf *b, leati_reader *in, const leati_plan *p, int host, bool first) {
    size_t size;
    leati_buf_text(b, first ? "{\"operator\": " : ",\n {\"operator\": ");
    put_text(b, in);
    leati_buf_text(b, ", \"uid\": ");
    put_text(b, in);
    leati_buf_text(b, ", ");
    put_number(b, "id", node_of(p, host, leati_reader_varint(in)));
    leati_buf_text(b, ", ");
    put_number(b, "subtask", (int64_t)leati_reader_varint(in));
    leati_buf_text(b, ", ");
    put_number(b, "parallelism", (int64_t)leati_reader_varint(in));
    leati_buf_text(b, ", \"metrics\": {");
    put_number(b, "numRecordsIn", leati_reader_zigzag(in));
    leati_buf_text(b, ", ");
    put_number(b, "numRecordsOut", leati_reader_zigzag(in));
    for (uint8_t what; (what = leati_reader_u8(in));) {
        if (what == LEATI_REPORT_METRIC) put_metric(b, in);
        if (what != LEATI_REPORT_ACCUMULATOR) continue;
        leati_reader_blob(in, &size);
        leati_reader_blob(in, &size);
    }
    leati_buf_text(b, "}}");
}

void leati_job_metrics_json(leat_job *job, leati_buf *out) {
    bool first = true;
    leati_buf_text(out, "[");
    pthread_mutex_lock(&job->lock);
    for (int i = 0; job->reports && i <= job->plan->workers; i++) {
        leati_reader in = leati_reader_of(job->reports[i].bytes, job->reports[i].size);
        while (leati_reader_left(&in) && !in.failed) {
            put_subtask(out, &in, job->plan, i, first);
            first = false;
        }
    }
    pthread_mutex_unlock(&job->lock);
    leati_buf_text(out, "]");
}

/* --- what the sources gave -------------------------------------------------------------------- */

static bool is_source(const leati_plan *p, int64_t node) {
    for (int i = 0; i < p->vertex_count; i++)
        if (p->vertices[i].source && p->infos[p->vertices[i].nodes[0]].node == node) return true;
    return false;
}

static void skip_items(leati_reader *in) {
    size_t size;
    for (uint8_t what; (what = leati_reader_u8(in));) {
        if (what != LEATI_REPORT_ACCUMULATOR) {
            leati_report_skip(in);
            continue;
        }
        leati_reader_blob(in, &size);
        leati_reader_blob(in, &size);
    }
}

/* Of one report. */
static int64_t records_of(const leati_plan *p, int host, leati_reader in) {
    int64_t sum = 0;
    while (leati_reader_left(&in) && !in.failed) {
        leati_report_of head = leati_report_head(&in);
        if (is_source(p, node_of(p, host, head.node))) sum += head.records_out;
        skip_items(&in);
    }
    return sum;
}

int64_t leati_job_records(leat_job *job) {
    int64_t sum = 0;
    pthread_mutex_lock(&job->lock);
    for (int i = 0; job->reports && i <= job->plan->workers; i++)
        sum +=
            records_of(job->plan, i, leati_reader_of(job->reports[i].bytes, job->reports[i].size));
    pthread_mutex_unlock(&job->lock);
    return sum;
}

/* --- the whole -------------------------------------------------------------------------------- */

char *leat_job_metrics(leat_job *job, leat_error *err) {
    leati_buf json;
    if (leati_job_check(job, "leat_job_metrics", err) < 0) return NULL;
    leati_job_metrics_await(job);
    leati_buf_init(&json);
    leati_job_metrics_json(job, &json);
    char *text = leati_buf_take(&json);
    if (!text) leat_error_set(err, LEAT_E_NOMEM, "leat_job_metrics", "no memory");
    return text;
}
