/* job_status.h: how a job stands, told to those who look at it from outside. Any thread. */
#ifndef LEATI_JOB_STATUS_H
#define LEATI_JOB_STATUS_H

#include "runtime/job/job.h"

typedef struct leati_job_look {
    leat_job_state state;
    int attempt; /* from 0 */
    int64_t runtime_ms;
    int64_t records; /* that its sources gave, as far as was reported */
    double rate;     /* of them in a second, of late */
} leati_job_look;

/* Appends the job as an object of JSON, by what its hosts reported last; `whole`: with the metrics
   of its operators. */
void leati_job_describe(leat_job *job, bool whole, leati_buf *out);
/* Appends what the status line shows: one line without its end. */
void leati_job_line(leat_job *job, leati_buf *out);

/* Milliseconds for people: "8 s", "3 min 8 s", "2 h 3 min". */
void leati_put_span(leati_buf *out, int64_t ms);

/* Lines of the log at level info: an attempt begins; the job's state, and what comes next. */
void leati_job_log_start(const leat_job *job);
void leati_job_log_state(leat_job *job, const char *next);

#endif
