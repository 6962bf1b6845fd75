/* host.h: one process's part of a plan: its runners, tasks and channels. The main process is host
   0, worker i is host i. The driver (main process) or the worker's entry owns it and hears its
   news. */
#ifndef LEATI_HOST_H
#define LEATI_HOST_H

#include "runtime/job/plan.h"
#include "runtime/job/runner.h"
#include "runtime/job/vault.h"

typedef struct leati_host leati_host;

/* Called on runners' threads; each at most once but `failed`, which may come from several
   runners. `saved` comes on the I/O thread, for each task and checkpoint. */
typedef struct leati_host_news {
    void (*opened)(void *arg);
    void (*ended)(void *arg);
    void (*failed)(void *arg, leati_failure *failure); /* may take the content */
    void (*saved)(void *arg, const leati_saved *saved);
    void *arg;
} leati_host_news;

/* How a job survives: both lent for the host's life. */
typedef struct leati_survival {
    const char *folder;  /* of its checkpoints; NULL: it makes none */
    const char *restore; /* the folder of what it starts from; NULL: afresh */
} leati_survival;

/* Joins channels to other processes: sets `send` of a channel that this process writes, and learns
   which channel to push to, and to give credit for, of one that it reads. */
typedef struct leati_wires {
    leat_status (*join)(void *arg, leati_channel *channel, int number, int peer, bool writes,
                        const leat_type *type);
    void *arg;
} leati_wires;

/* Borrows the plan. `wires` may be NULL when everything runs in one process. */
leati_host *leati_host_new(const leati_plan *plan, int index, int attempt, leat_job *job,
                           const leati_survival *survival, const leati_host_news *news,
                           const leati_wires *wires, leat_error *err);
/* Has it no task at all? */
bool leati_host_empty(const leati_host *h);
leat_status leati_host_start(leati_host *h);
void leati_host_stop(leati_host *h, leati_finish how);
/* Sources insert a barrier, or end; what stands behind one that stops goes on; a checkpoint is
   complete. Any thread, until it is stopped. */
void leati_host_barrier(leati_host *h, int64_t checkpoint, leati_then then);
void leati_host_resume(leati_host *h, int64_t checkpoint);
void leati_host_complete(leati_host *h, int64_t checkpoint);
/* False when a runner did not end in time; `stuck` (may be NULL) is then the task it is in, NULL
   when in none. -1 waits for ever. */
bool leati_host_join(leati_host *h, int timeout_ms, const leati_task **stuck);
/* Raises in the threads that are inside user functions. */
void leati_host_interrupt(leati_host *h);
/* Appends the metrics of all its tasks (metrics.h). Any thread. */
void leati_host_report(const leati_host *h, leati_buf *out);
/* Nobody listens to what the I/O thread still saves. NULL is fine. */
void leati_host_hush(leati_host *h);
void leati_host_free(leati_host *h); /* after a successful join */

#endif
