/* savepoint.h: a savepoint that somebody asks for and looks at again, instead of waiting for it. */
#ifndef LEATI_SAVEPOINT_H
#define LEATI_SAVEPOINT_H

#include "runtime/job/job.h"

typedef struct leati_asked {
    leati_wish *wish;
    int attempt; /* that was running when it was made; -1: it is not */
} leati_asked;

/* As leat_job_savepoint and leat_job_stop, which wait for it. */
leat_status leati_savepoint_ask(leat_job *job, const char *dir, leati_then then, leati_asked *out,
                                leat_error *err);
/* Is there an answer? */
bool leati_savepoint_ready(leat_job *job, leati_asked *asked);
/* The answer, which is given once: when it is ready, or the job's state is the last one. `path` may
   be NULL. */
leat_status leati_savepoint_answer(leat_job *job, leati_asked *asked, char **path, leat_error *err);
/* Nobody waits for it any more. */
void leati_savepoint_forget(leat_job *job, leati_asked *asked);

#endif
