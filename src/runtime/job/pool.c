/* pool.c: see pool.h.

   The driver's thread makes sockets, processes and channels; then one thread runs the loop that
   reads and watches them. Who minds each worker is minder.c; here is what they share: the loop, the
   sockets between all processes, the time limits, and the end of all. */
#include "runtime/job/pool.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "runtime/base/alloc.h"
#include "runtime/base/deadline.h"
#include "runtime/base/io_thread.h"
#include "runtime/base/loop.h"
#include "runtime/job/job.h"
#include "runtime/job/minder.h"
#include "runtime/job/remote.h"
#include "runtime/job/spawn.h"
#include "runtime/job/worker_command.h"

enum { GRACE_MS = 1500, LOOK_MS = 100, OUTPUT_MS = 2000 };

struct leati_pool {
    leat_job *job;
    int count;
    leati_minder **minders;  /* of worker i + 1 */
    leati_connection **data; /* to worker i + 1 */
    leati_remote *remote;
    int64_t memory_limit; /* 0: none */
    uv_loop_t loop;
    uv_async_t leave;
    uv_timer_t start_timer, weigh_timer;
    unsigned long thread;
    bool thread_started, loop_open;
    pthread_mutex_t lock;
    pthread_cond_t changed; /* a worker closed or is gone; by CLOCK_MONOTONIC */
};

/* --- on the loop's thread --------------------------------------------------------------------- */

static leat_status on_data(void *arg, leati_connection *c, uint8_t kind, const char *payload,
                           size_t size) {
    leati_pool *pool = arg;
    return leati_remote_take(pool->remote, leati_connection_peer(c), kind, payload, size);
}

/* That a process ended is its minder's business; here only nonsense is a failure. */
static void on_data_end(void *arg, leati_connection *c, leat_status status) {
    leati_pool *pool = arg;
    if (status < 0)
        leati_minder_blame(pool->minders[leati_connection_peer(c) - 1], LEAT_E_WORKER,
                           status == LEAT_E_NOMEM ? "no memory for what it sent"
                                                  : "it broke the protocol");
}

static void worker_ending(void *arg, int index) {
    leati_pool *pool = arg;
    leati_connection_drain(pool->data[index - 1]);
}

static void worker_changed(void *arg) {
    leati_pool *pool = arg;
    pthread_mutex_lock(&pool->lock);
    pthread_cond_broadcast(&pool->changed);
    pthread_mutex_unlock(&pool->lock);
}

static void on_start_timeout(uv_timer_t *timer) {
    leati_pool *pool = timer->data;
    for (int i = 0; i < pool->count; i++) leati_minder_too_late(pool->minders[i]);
}

static void on_weigh(uv_timer_t *timer) {
    leati_pool *pool = timer->data;
    for (int i = 0; i < pool->count; i++) leati_minder_weigh(pool->minders[i], pool->memory_limit);
}

static void close_handles(leati_pool *pool) {
    for (int i = 0; i < pool->count; i++) {
        if (pool->minders) leati_minder_close(pool->minders[i]);
        if (pool->data) leati_connection_close(pool->data[i]);
    }
    uv_close((uv_handle_t *)&pool->start_timer, NULL);
    uv_close((uv_handle_t *)&pool->weigh_timer, NULL);
    uv_close((uv_handle_t *)&pool->leave, NULL);
}

static void on_leave(uv_async_t *async) {
    close_handles(async->data);
}

static void *pool_main(void *arg) {
    leati_pool *pool = arg;
    for (int i = 0; i < pool->count; i++) {
        leati_minder_listen(pool->minders[i]);
        leati_connection_start(pool->data[i]);
    }
    uv_run(&pool->loop, UV_RUN_DEFAULT);
    return NULL;
}

/* --- building --------------------------------------------------------------------------------- */

static leat_status make_pair(int *a, int *b, leat_error *err) {
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) == 0) {
        *a = leati_fd_above_stdio(pair[0]);
        *b = leati_fd_above_stdio(pair[1]);
        if (*a >= 0 && *b >= 0) return LEAT_OK;
    }
    return leat_error_set(err, LEAT_E_IO, "worker",
                          "socketpair: %s; raise the limit of open files (ulimit -n), or lower "
                          "python.worker.pool-size",
                          strerror(errno));
}

/* The sockets between all processes: `sockets[i * n + j]` is i's end of the pair with j; the main
   process is 0. The diagonal holds the workers' ends of the control sockets, and `controls` the
   other ones. -1: none. */
static leat_status make_sockets(int n, int *sockets, int *controls, leat_error *err) {
    leat_status status = LEAT_OK;
    for (int i = 0; i < n; i++)
        for (int j = i + 1; j < n && status >= 0; j++)
            status = make_pair(&sockets[i * n + j], &sockets[j * n + i], err);
    for (int i = 1; i < n && status >= 0; i++)
        status = make_pair(&controls[i], &sockets[i * n + i], err);
    return status;
}

static int take_fd(int *fd) {
    int taken = *fd;
    *fd = -1;
    return taken;
}

static leat_status start_worker(leati_pool *pool, int index, int *sockets, int *controls,
                                leat_error *err) {
    leati_minder *m = pool->minders[index - 1];
    leati_connection_news data = {on_data, on_data_end, pool};
    leat_status status = leati_minder_connect(m, take_fd(&controls[index]), err);
    if (status < 0) return status;
    leati_connection *c = leati_connection_new(&pool->loop, take_fd(&sockets[index]), index, &data);
    pool->data[index - 1] = c;
    leati_remote_set_wire(pool->remote, index, c);
    if (!c) return leat_error_set(err, LEAT_E_NOMEM, "worker", "no memory");
    return leati_minder_launch(m, sockets + index * (pool->count + 1), err);
}

/* The children have their ends; ours of theirs are closed, so that a death is seen. */
static leat_status start_all(leati_pool *pool, leat_error *err) {
    int n = pool->count + 1;
    size_t all = (size_t)n * (size_t)(n + 1);
    int *sockets = leati_alloc(all * sizeof(int));
    if (!sockets) return leat_error_set(err, LEAT_E_NOMEM, "worker", "no memory");
    int *controls = sockets + n * n;
    for (size_t i = 0; i < all; i++) sockets[i] = -1;
    leat_status status = make_sockets(n, sockets, controls, err);
    for (int i = 1; i < n && status >= 0; i++)
        status = start_worker(pool, i, sockets, controls, err);
    for (size_t i = 0; i < all; i++)
        if (sockets[i] >= 0) close(sockets[i]);
    leati_free(sockets);
    return status;
}

static leat_status make_minders(leati_pool *pool, leat_error *err) {
    leati_minder_news news = {worker_ending, worker_changed, pool};
    pool->minders = leati_zalloc((size_t)pool->count * sizeof(leati_minder *));
    pool->data = leati_zalloc((size_t)pool->count * sizeof(leati_connection *));
    pool->remote = leati_remote_new(pool->count + 1);
    bool ok = pool->minders && pool->data && pool->remote;
    for (int i = 0; i < pool->count && ok; i++)
        ok = (pool->minders[i] =
                  leati_minder_new(pool->job, &pool->loop, i + 1, pool->count, &news));
    return ok ? LEAT_OK : leat_error_set(err, LEAT_E_NOMEM, "worker", "no memory");
}

static leat_status open_loop(leati_pool *pool, leat_error *err) {
    const leati_config *config = pool->job->plan->config;
    if (leati_loop_init(&pool->loop) < 0)
        return leat_error_set(err, LEAT_E_IO, "worker",
                              "too many open files; raise the limit (ulimit -n)");
    pool->loop_open = true;
    uv_async_init(&pool->loop, &pool->leave, on_leave);
    uv_timer_init(&pool->loop, &pool->start_timer);
    uv_timer_init(&pool->loop, &pool->weigh_timer);
    pool->leave.data = pool->start_timer.data = pool->weigh_timer.data = pool;
    int64_t patience = leati_config_duration_ms(config, "python.worker.start-timeout");
    uv_timer_start(&pool->start_timer, on_start_timeout, (uint64_t)patience, 0);
    pool->memory_limit = leati_config_bytes(config, "python.worker.memory-limit");
    if (pool->memory_limit > 0) uv_timer_start(&pool->weigh_timer, on_weigh, LOOK_MS, LOOK_MS);
    return LEAT_OK;
}

leati_pool *leati_pool_new(leat_job *job, leati_wires *wires, leat_error *err) {
    leati_pool *pool = leati_zalloc(sizeof *pool);
    if (!pool) {
        leat_error_set(err, LEAT_E_NOMEM, "worker", "no memory");
        return NULL;
    }
    pool->job = job;
    pool->count = job->plan->workers;
    pthread_mutex_init(&pool->lock, NULL);
    leati_deadline_cond_init(&pool->changed);
    leat_status status = open_loop(pool, err);
    if (status >= 0) status = make_minders(pool, err);
    if (status >= 0) status = start_all(pool, err);
    if (status >= 0) {
        *wires = leati_remote_wires(pool->remote);
        return pool;
    }
    leati_pool_stop(pool, LEATI_FINISH_FAILED);
    leati_pool_free(pool);
    return NULL;
}

leat_status leati_pool_start(leati_pool *pool, leat_error *err) {
    leat_status status = leati_thread_start(&pool->thread, pool_main, pool, "leat-wire");
    if (status < 0) return leat_error_set(err, status, "worker", "no thread could be started");
    pool->thread_started = true;
    return LEAT_OK;
}

/* --- ending ----------------------------------------------------------------------------------- */

static bool all(const leati_pool *pool, bool (*is)(leati_minder *m)) {
    for (int i = 0; i < pool->count; i++)
        if (!is(pool->minders[i])) return false;
    return true;
}

/* Until `is` holds for all workers; false after `ms`. */
static bool wait_until(leati_pool *pool, bool (*is)(leati_minder *m), int ms) {
    struct timespec until = leati_deadline_after(ms);
    int late = 0;
    pthread_mutex_lock(&pool->lock);
    while (!all(pool, is) && !late)
        late = pthread_cond_timedwait(&pool->changed, &pool->lock, &until);
    pthread_mutex_unlock(&pool->lock);
    return !late || all(pool, is);
}

/* After success a worker may take its time to close, since its sinks write, unless the job is
   cancelled or fails meanwhile. To end the process afterwards, it has the same time as after a
   failure. */
static void end_workers(leati_pool *pool, leati_finish how) {
    bool failed = how == LEATI_FINISH_FAILED;
    for (int i = 0; i < pool->count; i++) leati_minder_finish(pool->minders[i], how);
    while (!failed && !wait_until(pool, leati_minder_closed, LOOK_MS))
        failed = leati_job_is_failing(pool->job);
    if (wait_until(pool, leati_minder_gone, GRACE_MS)) return;
    for (int i = 0; i < pool->count; i++) leati_minder_kill(pool->minders[i]);
    wait_until(pool, leati_minder_gone, GRACE_MS);
}

int leati_pool_ask(leati_pool *pool) {
    int asked = 0;
    for (int i = 0; i < pool->count; i++) asked += leati_minder_ask(pool->minders[i]);
    return asked;
}

void leati_pool_barrier(leati_pool *pool, int64_t checkpoint, leati_then then) {
    for (int i = 0; i < pool->count; i++) leati_minder_barrier(pool->minders[i], checkpoint, then);
}

void leati_pool_resume(leati_pool *pool, int64_t checkpoint) {
    for (int i = 0; i < pool->count; i++) leati_minder_resume(pool->minders[i], checkpoint);
}

void leati_pool_complete(leati_pool *pool, int64_t checkpoint) {
    for (int i = 0; i < pool->count; i++) leati_minder_complete(pool->minders[i], checkpoint);
}

void leati_pool_stop(leati_pool *pool, leati_finish how) {
    bool failed = how == LEATI_FINISH_FAILED;
    if (pool->thread_started) end_workers(pool, how);
    if (pool->remote) leati_remote_close(pool->remote);
    if (!pool->loop_open) return;
    if (pool->thread_started) {
        uv_async_send(&pool->leave);
        pthread_join((pthread_t)pool->thread, NULL);
    } else {
        close_handles(pool);
        uv_run(&pool->loop, UV_RUN_DEFAULT);
    }
    uv_loop_close(&pool->loop);
    pool->loop_open = pool->thread_started = false;
    for (int i = 0; pool->minders && i < pool->count; i++) {
        leati_minder_free(pool->minders[i]);
        pool->minders[i] = NULL;
    }
    while (!leati_io_settle(OUTPUT_MS) && !failed) failed = leati_job_is_failing(pool->job);
}

void leati_pool_free(leati_pool *pool) {
    if (!pool) return;
    leati_remote_free(pool->remote);
    leati_free(pool->data);
    leati_free(pool->minders);
    pthread_cond_destroy(&pool->changed);
    pthread_mutex_destroy(&pool->lock);
    leati_free(pool);
}
