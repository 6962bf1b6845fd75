/* failure.h: why a task failed, whole: what leat_job_failure lends and what workers send. Owns its
   text. */
#ifndef LEATI_FAILURE_H
#define LEATI_FAILURE_H

#include "leat/job.h"
#include "runtime/base/buf.h"

typedef struct leati_failure {
    leat_status status;
    int subtask, parallelism;
    char *operator_name, *text, *cause, *traceback, *record, *key; /* NULL: none */
    void *payload; /* the exception, for its language */
    size_t payload_size;
} leati_failure;

void leati_failure_fini(leati_failure *f);
/* The public view, which borrows from `f`. */
leat_failure leati_failure_view(const leati_failure *f);
void leati_failure_encode(const leati_failure *f, leati_buf *out);
leat_status leati_failure_decode(leati_reader *in, leati_failure *out);

#endif
