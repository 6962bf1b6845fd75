/* minder.h: minds one worker process for its driver: starts it, hands it its part, hears its
   reports, passes its output on, knows how it ended and says so. Part of a pool (pool.h), on whose
   loop it lives. */
#ifndef LEATI_MINDER_H
#define LEATI_MINDER_H

#include <uv.h>

#include "runtime/job/runner.h"

typedef struct leat_job leat_job;
typedef struct leati_minder leati_minder;

/* Called on the loop's thread. */
typedef struct leati_minder_news {
    /* Its process has ended; what it sent to this process on other connections is to be taken
       before the minder judges. */
    void (*ending)(void *arg, int index);
    /* It is closed, or gone. */
    void (*changed)(void *arg);
    void *arg;
} leati_minder_news;

/* Worker `index` (from 1) of `workers`. */
leati_minder *leati_minder_new(leat_job *job, uv_loop_t *loop, int index, int workers,
                               const leati_minder_news *news);
/* Starts the process. `own[j]` is its socket to host j, `own[index]` its end of the control socket:
   the caller's. Before the loop runs. */
leat_status leati_minder_launch(leati_minder *m, const int *own, leat_error *err);
/* Adopts this process's end of the control socket. Before the loop runs. */
leat_status leati_minder_connect(leati_minder *m, int control, leat_error *err);
/* Begins to listen. Loop's thread. */
void leati_minder_listen(leati_minder *m);

/* Fails the job in the worker's name: "worker 1 (process 42) of Map, Sink: <what>", with its last
   words. Loop's thread. */
void leati_minder_blame(leati_minder *m, leat_status status, const char *what);
/* The start-timeout has passed. Loop's thread. */
void leati_minder_too_late(leati_minder *m);
/* Fails the job when the process needs more memory than that. Loop's thread. */
void leati_minder_weigh(leati_minder *m, int64_t limit);

/* Asks it to close; who has not even said hello, and is not wanted any more, is killed. Any
   thread. */
void leati_minder_finish(leati_minder *m, leati_finish how);
/* As leati_host_barrier, leati_host_resume and leati_host_complete. Any thread. */
void leati_minder_barrier(leati_minder *m, int64_t checkpoint, leati_then then);
void leati_minder_resume(leati_minder *m, int64_t checkpoint);
void leati_minder_complete(leati_minder *m, int64_t checkpoint);
/* Asks for its metrics, which come as leati_job_report; false when it can't be. Any thread. */
bool leati_minder_ask(leati_minder *m);
void leati_minder_kill(leati_minder *m);   /* any thread */
bool leati_minder_closed(leati_minder *m); /* it did all it had to; or is gone */
bool leati_minder_gone(leati_minder *m);

/* Loop's thread, or when it does not run; NULL is fine. */
void leati_minder_close(leati_minder *m);
/* After the loop has run to its end. A process that is still there is killed. NULL is fine. */
void leati_minder_free(leati_minder *m);

#endif
