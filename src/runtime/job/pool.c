/* pool.c: see pool.h.

   The driver's thread makes sockets, processes and wires; then one thread runs the loop that reads and watches them. A
   worker says hello, is handed its part, and from then on reports: opened, ended, failed, closed. Its process is watched
   by pidfd: an end that nobody asked for fails the job, with the worker's last words. */
#include "runtime/job/pool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "runtime/base/alloc.h"
#include "runtime/base/io_thread.h"
#include "runtime/job/job.h"
#include "runtime/job/relay.h"
#include "runtime/job/remote.h"
#include "runtime/job/spawn.h"
#include "runtime/job/worker_command.h"

enum { GRACE_MS = 1500, LINE = 160 };

typedef struct pool_worker {
    leati_pool *pool;
    int index; /* from 1 */
    leati_process process;
    uv_poll_t watch; /* of the pidfd */
    bool watching;
    leati_connection *control;
    leati_relay *out, *errors;
    bool hello, closed, gone;
    int pid;
} pool_worker;

struct leati_pool {
    leat_job *job;
    int count;
    pool_worker *workers;
    leati_remote *remote;
    leati_connection **data; /* main to worker i */
    uv_loop_t loop;
    uv_async_t command;
    uv_timer_t start_timer;
    unsigned long thread;
    bool thread_started, loop_open;
    atomic_bool ending, leave;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int gone;
};

/* --- what workers say ----------------------------------------------------------------------------- */

/* "Map, Reduce": the operators of a worker. */
static void name_operators(const leati_pool *pool, int index, char *out, size_t size) {
    const leati_plan *p = pool->job->plan;
    size_t at = 0;
    out[0] = 0;
    for (int i = 0; i < p->task_count; i++) {
        if (p->tasks[i].host != index) continue;
        const leati_vertex *v = &p->vertices[p->tasks[i].vertex];
        for (int k = 0; k < v->count && at < size; k++)
            at += (size_t)snprintf(out + at, size - at, "%s%s", at ? ", " : "",
                                   p->infos[v->nodes[k]].name);
    }
}

static void fail(pool_worker *w, leat_status status, const char *what) {
    char operators[LINE], tail[1024];
    name_operators(w->pool, w->index, operators, sizeof operators);
    tail[0] = 0;
    if (w->errors) leati_relay_tail(w->errors, tail, sizeof tail);
    leati_job_fail_text(w->pool->job, status, "worker %d (process %d) of %s %s%s%s", w->index,
                        w->pid, operators, what, tail[0] ? "; its last words:\n" : "", tail);
}

static leat_status take_hello(pool_worker *w, const char *payload, size_t size) {
    leati_reader in = leati_reader_of(payload, size);
    uint64_t version = leati_reader_varint(&in);
    size_t length;
    const char *leat = leati_reader_blob(&in, &length);
    char what[LINE];
    if (in.failed || version != LEATI_WIRE_VERSION || length != strlen(LEAT_VERSION_STRING) ||
        memcmp(leat, LEAT_VERSION_STRING, length) != 0) {
        snprintf(what, sizeof what,
                 "runs Leat %.*s and this is Leat %s; install the same in both interpreters",
                 leat ? (int)length : 1, leat ? leat : "?", LEAT_VERSION_STRING);
        fail(w, LEAT_E_VERSION, what);
        return LEAT_E_VERSION;
    }
    w->hello = true;
    leati_buf job;
    leati_buf_init(&job);
    leati_job_encode(w->pool->job->blue, w->index, w->pool->count, w->pool->job->attempt, &job);
    leat_status status =
        job.failed ? LEAT_E_NOMEM
                   : leati_connection_send(w->control, LEATI_F_JOB, job.bytes, job.size, NULL, 0);
    leati_buf_fini(&job);
    return status;
}

static leat_status take_failure(pool_worker *w, const char *payload, size_t size) {
    leati_reader in = leati_reader_of(payload, size);
    leati_failure failure;
    leat_status status = leati_failure_decode(&in, &failure);
    if (status < 0) return status;
    leati_job_fail(w->pool->job, &failure);
    leati_failure_fini(&failure);
    return LEAT_OK;
}

static leat_status on_control(void *arg, leati_connection *wire, uint8_t kind, const char *payload,
                              size_t size) {
    pool_worker *w = arg;
    (void)wire;
    switch (kind) {
    case LEATI_F_HELLO: return take_hello(w, payload, size);
    case LEATI_F_OPENED: leati_job_host_opened(w->pool->job); return LEAT_OK;
    case LEATI_F_ENDED: leati_job_host_ended(w->pool->job); return LEAT_OK;
    case LEATI_F_FAILED: return take_failure(w, payload, size);
    case LEATI_F_CLOSED: w->closed = true; return LEAT_OK;
    default: return LEAT_E_FORMAT;
    }
}

/* The end of a process is told by its pidfd; here only nonsense is a failure. */
static void on_control_end(void *arg, leati_connection *wire, leat_status status) {
    pool_worker *w = arg;
    (void)wire;
    if (status < 0) fail(w, LEAT_E_WORKER, "broke the protocol");
}

static leat_status on_data(void *arg, leati_connection *wire, uint8_t kind, const char *payload,
                           size_t size) {
    leati_pool *pool = arg;
    (void)wire;
    return leati_remote_take(pool->remote, kind, payload, size);
}

static void on_data_end(void *arg, leati_connection *wire, leat_status status) {
    leati_pool *pool = arg;
    if (status < 0)
        fail(&pool->workers[leati_connection_peer(wire) - 1], LEAT_E_WORKER, "broke the protocol");
}

/* --- the end of a process ------------------------------------------------------------------------- */

static void on_process_end(uv_poll_t *poll, int status, int events) {
    pool_worker *w = poll->data;
    leati_pool *pool = w->pool;
    char how[LINE], what[LINE + 32];
    (void)status;
    (void)events;
    uv_poll_stop(poll);
    uv_close((uv_handle_t *)poll, NULL);
    w->watching = false;
    leati_process_reap(&w->process, how, sizeof how);
    leati_relay_drain(w->out);
    leati_relay_drain(w->errors);
    if (!atomic_load(&pool->ending) || !w->closed) {
        snprintf(what, sizeof what, "ended with %s", how);
        fail(w, LEAT_E_WORKER, what);
    }
    pthread_mutex_lock(&pool->lock);
    w->gone = true;
    pool->gone++;
    pthread_cond_broadcast(&pool->changed);
    pthread_mutex_unlock(&pool->lock);
}

static void on_start_timeout(uv_timer_t *timer) {
    leati_pool *pool = timer->data;
    for (int i = 0; i < pool->count; i++) {
        pool_worker *w = &pool->workers[i];
        if (!w->hello && !w->gone)
            fail(w, LEAT_E_TIMEOUT,
                 "did not start in time; raise python.worker.start-timeout if the machine is slow");
    }
}

/* --- the loop's thread ---------------------------------------------------------------------------- */

static void on_command(uv_async_t *async) {
    leati_pool *pool = async->data;
    if (!atomic_load(&pool->leave)) return;
    leati_remote_close(pool->remote);
    for (int i = 0; i < pool->count; i++) {
        pool_worker *w = &pool->workers[i];
        leati_connection_close(w->control);
        leati_connection_close(pool->data[i]);
        leati_relay_close(w->out);
        leati_relay_close(w->errors);
        if (w->watching) uv_close((uv_handle_t *)&w->watch, NULL);
    }
    uv_close((uv_handle_t *)&pool->start_timer, NULL);
    uv_close((uv_handle_t *)&pool->command, NULL);
}

static void *pool_main(void *arg) {
    leati_pool *pool = arg;
    for (int i = 0; i < pool->count; i++) {
        leati_connection_start(pool->workers[i].control);
        leati_connection_start(pool->data[i]);
    }
    uv_run(&pool->loop, UV_RUN_DEFAULT);
    return NULL;
}

/* --- building ------------------------------------------------------------------------------------- */

static leat_status make_pair(int *a, int *b, leat_error *err) {
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair))
        return leat_error_set(err, LEAT_E_IO, "worker", "socketpair: %s", strerror(errno));
    *a = pair[0];
    *b = pair[1];
    return LEAT_OK;
}

/* The sockets between all processes: `sockets[i * n + j]` is i's end of the pair with j; the main process is 0, and
   the diagonal holds the workers' ends of the control sockets. -1: none. */
static leat_status make_sockets(leati_pool *pool, int *sockets, int *controls, leat_error *err) {
    int n = pool->count + 1;
    leat_status status = LEAT_OK;
    for (int i = 0; i < n; i++)
        for (int j = i + 1; j < n && status >= 0; j++)
            status = make_pair(&sockets[i * n + j], &sockets[j * n + i], err);
    for (int i = 1; i < n && status >= 0; i++)
        status = make_pair(&controls[i], &sockets[i * n + i], err);
    return status;
}

static leat_status start_process(leati_pool *pool, pool_worker *w, const int *sockets,
                                 leat_error *err) {
    int n = pool->count + 1, out[2], errors[2];
    const int *own = sockets + w->index * n;
    char **argv = leati_worker_argv(pool->job->blue, own, n, w->index, err);
    char **envp = leati_worker_envp(pool->job->blue);
    if (!argv) return err->status;
    if (pipe2(out, O_CLOEXEC) || pipe2(errors, O_CLOEXEC))
        return leat_error_set(err, LEAT_E_IO, "worker", "pipe: %s", strerror(errno));
    int inherit[LEATI_MAX_WORKERS + 2], count = 0;
    for (int i = 0; i < n; i++) inherit[count++] = own[i];
    inherit[count] = -1;
    leat_status status =
        leati_process_start(&w->process, argv, envp, out[1], errors[1], inherit, err);
    close(out[1]);
    close(errors[1]);
    w->out = leati_relay_new(&pool->loop, out[0], 1);
    w->errors = leati_relay_new(&pool->loop, errors[0], 2);
    leati_worker_command_free(argv, envp);
    if (status < 0) return status;
    w->pid = w->process.pid;
    uv_poll_init(&pool->loop, &w->watch, w->process.pidfd);
    w->watch.data = w;
    w->watching = true;
    uv_poll_start(&w->watch, UV_READABLE, on_process_end);
    return w->out && w->errors ? LEAT_OK : leat_error_set(err, LEAT_E_NOMEM, "worker", "no memory");
}

static leat_status join_worker(leati_pool *pool, pool_worker *w, int data, int control,
                               leat_error *err) {
    leati_connection_news from_control = {on_control, on_control_end, w};
    leati_connection_news from_data = {on_data, on_data_end, pool};
    w->control = leati_connection_new(&pool->loop, control, w->index, &from_control);
    pool->data[w->index - 1] = leati_connection_new(&pool->loop, data, w->index, &from_data);
    leati_remote_set_wire(pool->remote, w->index, pool->data[w->index - 1]);
    return w->control && pool->data[w->index - 1]
               ? LEAT_OK
               : leat_error_set(err, LEAT_E_NOMEM, "worker", "no memory");
}

/* The children have their ends; ours of theirs are closed, so that a death is seen. */
static void close_foreign(int *sockets, int n) {
    for (int i = 1; i < n; i++)
        for (int j = 0; j < n; j++)
            if (sockets[i * n + j] >= 0) close(sockets[i * n + j]);
}

static leat_status start_all(leati_pool *pool, leat_error *err) {
    int n = pool->count + 1, controls[LEATI_MAX_WORKERS + 1];
    int *sockets = leati_alloc((size_t)(n * n) * sizeof(int));
    if (!sockets) return leat_error_set(err, LEAT_E_NOMEM, "worker", "no memory");
    for (int i = 0; i < n * n; i++) sockets[i] = -1;
    leat_status status = make_sockets(pool, sockets, controls, err);
    for (int i = 1; i < n && status >= 0; i++)
        status = start_process(pool, &pool->workers[i - 1], sockets, err);
    for (int i = 1; i < n && status >= 0; i++)
        status = join_worker(pool, &pool->workers[i - 1], sockets[i], controls[i], err);
    close_foreign(sockets, n);
    leati_free(sockets);
    return status;
}

static leat_status open_loop(leati_pool *pool, leat_error *err) {
    if (uv_loop_init(&pool->loop))
        return leat_error_set(err, LEAT_E_IO, "worker", "no event loop; too many open files?");
    pool->loop_open = true;
    uv_async_init(&pool->loop, &pool->command, on_command);
    uv_timer_init(&pool->loop, &pool->start_timer);
    pool->command.data = pool->start_timer.data = pool;
    uv_timer_start(
        &pool->start_timer, on_start_timeout,
        (uint64_t)leati_config_duration_ms(pool->job->plan->config, "python.worker.start-timeout"),
        0);
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
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&pool->changed, &attr);
    pthread_condattr_destroy(&attr);
    pool->workers = leati_zalloc((size_t)pool->count * sizeof *pool->workers);
    pool->data = leati_zalloc((size_t)pool->count * sizeof(leati_connection *));
    pool->remote = leati_remote_new(pool->count + 1);
    leat_status status = pool->workers && pool->data && pool->remote
                             ? open_loop(pool, err)
                             : leat_error_set(err, LEAT_E_NOMEM, "worker", "no memory");
    for (int i = 0; pool->workers && i < pool->count; i++) {
        pool->workers[i].pool = pool;
        pool->workers[i].index = i + 1;
    }
    if (status >= 0) status = start_all(pool, err);
    if (status >= 0) {
        *wires = leati_remote_wires(pool->remote);
        return pool;
    }
    leati_pool_free(pool);
    return NULL;
}

leat_status leati_pool_start(leati_pool *pool, leat_error *err) {
    leat_status status = leati_thread_start(&pool->thread, pool_main, pool, "leat-wire");
    if (status < 0) return leat_error_set(err, status, "worker", "no thread could be started");
    pool->thread_started = true;
    return LEAT_OK;
}

/* --- ending --------------------------------------------------------------------------------------- */

static bool wait_until_gone(leati_pool *pool, int ms) {
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += ms / 1000;
    until.tv_nsec += (long)(ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    int late = 0;
    pthread_mutex_lock(&pool->lock);
    while (pool->gone < pool->count && !late)
        late = pthread_cond_timedwait(&pool->changed, &pool->lock, &until);
    bool gone = pool->gone == pool->count;
    pthread_mutex_unlock(&pool->lock);
    return gone;
}

static void kill_all(leati_pool *pool) {
    pthread_mutex_lock(&pool->lock);
    for (int i = 0; i < pool->count; i++)
        if (!pool->workers[i].gone) leati_process_kill(&pool->workers[i].process);
    pthread_mutex_unlock(&pool->lock);
}

/* After success a worker may take its time to close: its sinks write. It is only killed when the job is cancelled meanwhile. */
void leati_pool_stop(leati_pool *pool, bool failed) {
    uint8_t how = failed;
    atomic_store(&pool->ending, true);
    if (!pool->thread_started) return;
    for (int i = 0; i < pool->count; i++)
        leati_connection_send(pool->workers[i].control, LEATI_F_FINISH, &how, 1, NULL, 0);
    while (!failed && !wait_until_gone(pool, 100)) {
        pthread_mutex_lock(&pool->job->lock);
        failed = pool->job->failure.status != LEAT_OK || pool->job->cancel;
        pthread_mutex_unlock(&pool->job->lock);
    }
    if (!wait_until_gone(pool, GRACE_MS)) kill_all(pool);
    wait_until_gone(pool, GRACE_MS);
}

void leati_pool_free(leati_pool *pool) {
    if (!pool) return;
    atomic_store(&pool->ending, true);
    atomic_store(&pool->leave, true);
    for (int i = 0; pool->workers && i < pool->count; i++)
        if (!pool->workers[i].gone) leati_process_kill(&pool->workers[i].process);
    if (pool->loop_open) {
        if (pool->thread_started) {
            uv_async_send(&pool->command);
            pthread_join((pthread_t)pool->thread, NULL);
        } else {
            on_command(&pool->command);
            uv_run(&pool->loop, UV_RUN_DEFAULT);
        }
        uv_loop_close(&pool->loop);
    }
    leati_remote_free(pool->remote);
    leati_free(pool->data);
    leati_free(pool->workers);
    pthread_cond_destroy(&pool->changed);
    pthread_mutex_destroy(&pool->lock);
    leati_free(pool);
}
