/* pool.c: see pool.h. */
#include "runtime/job/pool.h"

leati_pool *leati_pool_new(leat_job *job, leati_wires *wires, leat_error *err) {
    (void)job;
    (void)wires;
    leat_error_set(err, LEAT_E_UNSUPPORTED, "job",
                   "worker processes are not there yet; set python.execution-mode to thread");
    return NULL;
}
leat_status leati_pool_start(leati_pool *pool, leat_error *err) {
    (void)pool;
    (void)err;
    return LEAT_E_UNSUPPORTED;
}
void leati_pool_stop(leati_pool *pool, bool failed) {
    (void)pool;
    (void)failed;
}
void leati_pool_free(leati_pool *pool) {
    (void)pool;
}
