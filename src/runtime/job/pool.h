/* pool.h: the worker processes of one job, seen from its driver: starts them early and together,
   hands them their parts, watches them, and ends them with the job. One thread of its own with one
   loop reads and writes all sockets; the calls below come from the driver's thread, `wires.join`
   and channels' `send` from any. */
#ifndef LEATI_POOL_H
#define LEATI_POOL_H

#include "runtime/job/host.h"

typedef struct leati_pool leati_pool;

/* Starts the processes and answers with the wires that leati_host_new needs. NULL with `err`
   filled. */
leati_pool *leati_pool_new(leat_job *job, leati_wires *wires, leat_error *err);
/* Sends every worker its part. News come as leati_job_host_opened, _ended and leati_job_fail. */
leat_status leati_pool_start(leati_pool *pool, leat_error *err);
/* Asks all workers for their metrics, and answers how many will tell. Any thread, before the
   stop. */
int leati_pool_ask(leati_pool *pool);
/* As leati_host_barrier, leati_host_resume and leati_host_complete, in all workers. */
void leati_pool_barrier(leati_pool *pool, int64_t checkpoint, leati_then then);
void leati_pool_resume(leati_pool *pool, int64_t checkpoint);
void leati_pool_complete(leati_pool *pool, int64_t checkpoint);
/* Asks the workers to close, waits for it (1.5 s after a failure), and kills who did not. Then no
   worker is left, what they printed is out, and channels to them are silent. */
void leati_pool_stop(leati_pool *pool, leati_finish how);
/* After the stop, when nobody uses the channels any more. */
void leati_pool_free(leati_pool *pool);

#endif
