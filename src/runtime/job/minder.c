/* minder.c: see minder.h.

   A worker's life: started, hello, (its job is sent), opened, ended, (finish is sent), closed,
   gone. Failed may come in between. Its process is watched by pidfd; since that may be readable
   before its last frames were read, these are taken first, and then it is judged: an end without
   `closed` fails the job, with the worker's last words. A process that ends closes its sockets a
   little before it is gone; one that lives on without its control connection can neither be told
   nor heard any more, and is killed. */
#include "runtime/job/minder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "runtime/base/alloc.h"
#include "runtime/job/connection.h"
#include "runtime/job/job.h"
#include "runtime/job/relay.h"
#include "runtime/job/remote.h"
#include "runtime/job/spawn.h"
#include "runtime/job/worker_command.h"

enum { LINE = 256, LAST_WORDS = 1024, PATIENCE_MS = 1000 };

struct leati_minder {
    leat_job *job;
    uv_loop_t *loop;
    int index, workers;
    leati_minder_news news;
    leati_connection *control;
    leati_relay *out, *errors;
    uv_poll_t watch; /* of the pidfd */
    uv_timer_t patience;
    bool watching;
    int pid; /* for messages */
    bool opened, ended, lost;

    pthread_mutex_t lock; /* guards what follows */
    leati_process process;
    bool hello, finishing, closed, gone;
};

/* --- complaints ------------------------------------------------------------------------------- */

/* "Map, Reduce": the operators of this worker, each once. */
static void name_operators(const leati_minder *m, leati_buf *out) {
    const leati_plan *p = m->job->plan;
    for (int i = 0; i < p->vertex_count; i++) {
        const leati_vertex *v = &p->vertices[i];
        bool here = false;
        for (int k = 0; k < v->parallelism && !here; k++)
            here = p->tasks[v->first_task + k].host == m->index;
        for (int k = 0; k < v->count && here; k++) {
            if (out->size) leati_buf_text(out, ", ");
            leati_buf_text(out, p->infos[v->nodes[k]].name);
        }
    }
}

void leati_minder_blame(leati_minder *m, leat_status status, const char *what) {
    leati_buf operators;
    char tail[LAST_WORDS] = "";
    leati_buf_init(&operators);
    name_operators(m, &operators);
    leati_relay_drain(m->errors);
    if (m->errors) leati_relay_tail(m->errors, tail, sizeof tail);
    leati_failure failure = {.status = status, .subtask = -1};
    failure.text = leati_format("worker %d (process %d) of %s: %s%s%s", m->index, m->pid,
                                leati_buf_cstr(&operators), what,
                                tail[0] ? "; its last lines on stderr:\n" : "", tail);
    leati_buf_fini(&operators);
    leati_job_fail(m->job, &failure);
    leati_failure_fini(&failure);
}

void leati_minder_too_late(leati_minder *m) {
    pthread_mutex_lock(&m->lock);
    bool late = !m->hello && !m->gone && !m->finishing;
    pthread_mutex_unlock(&m->lock);
    if (late)
        leati_minder_blame(m, LEAT_E_TIMEOUT,
                           "it did not start within python.worker.start-timeout; check "
                           "python.executable, or raise the time if the machine is slow");
}

/* --- what it says ----------------------------------------------------------------------------- */

static void flag(leati_minder *m, bool *flag) {
    pthread_mutex_lock(&m->lock);
    *flag = true;
    pthread_mutex_unlock(&m->lock);
}

static bool is_set(leati_minder *m, const bool *flag) {
    pthread_mutex_lock(&m->lock);
    bool set = *flag;
    pthread_mutex_unlock(&m->lock);
    return set;
}

static void refuse_version(leati_minder *m, uint64_t version, const char *leat, size_t length) {
    char what[LINE], *name = leati_memdup(leat ? leat : "?", leat ? length : 1);
    for (size_t i = 0; name && leat && i < length; i++)
        if (name[i] < ' ' || name[i] > '~') name[i] = '?';
    snprintf(what, sizeof what,
             "it runs Leat %.*s (protocol %llu), this is Leat %s (protocol %d); install the same "
             "in both, or set python.executable",
             leat && length < 64 ? (int)length : 1, name && length < 64 ? name : "?",
             (unsigned long long)version, LEAT_VERSION_STRING, LEATI_WIRE_VERSION);
    leati_free(name);
    leati_minder_blame(m, LEAT_E_VERSION, what);
}

static leat_status send_job(leati_minder *m) {
    leati_buf job;
    leati_buf_init(&job);
    leati_job_encode(m->job->blue, m->index, m->workers, m->job->attempt, &m->job->survival, &job);
    leat_status status =
        job.failed ? LEAT_E_NOMEM
                   : leati_connection_send(m->control, LEATI_F_JOB, job.bytes, job.size, NULL, 0);
    leati_buf_fini(&job);
    if (status == LEAT_E_RANGE)
        leati_minder_blame(m, status,
                           "the job's functions and collections have more than 1 GiB and can't be "
                           "sent; read large data from files");
    else if (status == LEAT_E_NOMEM)
        leati_minder_blame(m, status, "no memory for the job's description");
    return LEAT_OK; /* a broken connection is told by its end */
}

static leat_status take_hello(leati_minder *m, const char *payload, size_t size) {
    leati_reader in = leati_reader_of(payload, size);
    uint64_t version = leati_reader_varint(&in);
    size_t length = 0;
    const char *leat = leati_reader_blob(&in, &length);
    if (is_set(m, &m->hello)) return LEAT_E_FORMAT;
    if (in.failed || version != LEATI_WIRE_VERSION || length != strlen(LEAT_VERSION_STRING) ||
        memcmp(leat, LEAT_VERSION_STRING, length) != 0) {
        refuse_version(m, version, leat, length);
        return LEAT_E_VERSION;
    }
    flag(m, &m->hello);
    return send_job(m);
}

static leat_status take_failure(leati_minder *m, const char *payload, size_t size) {
    leati_reader in = leati_reader_of(payload, size);
    leati_failure failure;
    leat_status status = leati_failure_decode(&in, &failure);
    if (status < 0) return status;
    leati_job_fail(m->job, &failure);
    leati_failure_fini(&failure);
    return LEAT_OK;
}

static leat_status take_saved(leati_minder *m, const char *payload, size_t size) {
    leati_saved saved;
    leat_status status = leati_saved_decode(payload, size, &saved);
    if (status < 0) return status;
    leati_job_saved(m->job, &saved);
    leati_free((char *)(uintptr_t)saved.why);
    return LEAT_OK;
}

static leat_status take_once(bool *told, void (*tell)(leat_job *job), leat_job *job) {
    if (*told) return LEAT_E_FORMAT;
    *told = true;
    tell(job);
    return LEAT_OK;
}

static leat_status on_control(void *arg, leati_connection *c, uint8_t kind, const char *payload,
                              size_t size) {
    leati_minder *m = arg;
    (void)c;
    if (kind == LEATI_F_HELLO) return take_hello(m, payload, size);
    if (!is_set(m, &m->hello)) return LEAT_E_FORMAT;
    switch (kind) {
    case LEATI_F_OPENED: return take_once(&m->opened, leati_job_host_opened, m->job);
    case LEATI_F_ENDED: return take_once(&m->ended, leati_job_host_ended, m->job);
    case LEATI_F_FAILED: return take_failure(m, payload, size);
    case LEATI_F_SAVED: return take_saved(m, payload, size);
    case LEATI_F_METRICS: leati_job_report(m->job, m->index, payload, size); return LEAT_OK;
    case LEATI_F_CLOSED:
        flag(m, &m->closed);
        m->news.changed(m->news.arg);
        return LEAT_OK;
    default: return LEAT_E_FORMAT;
    }
}

static void on_patience_end(uv_timer_t *timer) {
    leati_minder *m = timer->data;
    if (!m->watching) return;
    m->lost = true;
    leati_minder_kill(m);
}

static void on_control_end(void *arg, leati_connection *c, leat_status status) {
    leati_minder *m = arg;
    (void)c;
    if (status < 0 && status != LEAT_E_VERSION)
        leati_minder_blame(m, LEAT_E_WORKER,
                           "it broke the protocol; is the same Leat installed for "
                           "python.executable?");
    if (!is_set(m, &m->closed)) uv_timer_start(&m->patience, on_patience_end, PATIENCE_MS, 0);
}

/* --- its end ---------------------------------------------------------------------------------- */

/* Under the lock. */
static void describe_end(leati_minder *m, char *what, size_t size) {
    char how[LINE / 2];
    leati_process_reap(&m->process, how, sizeof how);
    bool killed = strncmp(how, "signal 9 ", 9) == 0;
    snprintf(what, size, "%s with %s%s",
             m->hello ? "the process ended" : "the process did not start: it ended", how,
             killed && m->lost ? ", since it had closed its connection to the main process"
             : killed          ? "; perhaps the machine had no memory left"
                               : "");
}

static void on_process_end(uv_poll_t *poll, int status, int events) {
    leati_minder *m = poll->data;
    char what[LINE];
    (void)status;
    (void)events;
    uv_poll_stop(poll);
    uv_close((uv_handle_t *)poll, NULL);
    m->watching = false;
    leati_connection_drain(m->control);
    m->news.ending(m->news.arg, m->index);
    leati_relay_drain(m->out);
    leati_relay_drain(m->errors);
    pthread_mutex_lock(&m->lock);
    describe_end(m, what, sizeof what);
    bool expected = m->closed;
    pthread_mutex_unlock(&m->lock);
    if (!expected) leati_minder_blame(m, LEAT_E_WORKER, what);
    flag(m, &m->gone);
    m->news.changed(m->news.arg);
}

/* Resident memory, in bytes; 0 when it can't be told. */
static int64_t resident(int pid) {
    char path[64], text[128] = "";
    long long size, pages = 0;
    snprintf(path, sizeof path, "/proc/%d/statm", pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return 0;
    ssize_t n = read(fd, text, sizeof text - 1);
    close(fd);
    if (n <= 0 || sscanf(text, "%lld %lld", &size, &pages) != 2) return 0;
    return pages * sysconf(_SC_PAGESIZE);
}

/* Its process has not been waited for, so that its number is still its own. */
void leati_minder_weigh(leati_minder *m, int64_t limit) {
    int64_t bytes = m->watching ? resident(m->pid) : 0;
    char what[LINE];
    if (bytes <= limit) return;
    snprintf(what, sizeof what,
             "it uses %lld MiB and python.worker.memory-limit is %lld MiB; raise it, or keep less",
             (long long)bytes >> 20, (long long)limit >> 20);
    leati_minder_blame(m, LEAT_E_NOMEM, what);
    leati_minder_kill(m);
}

/* --- orders ----------------------------------------------------------------------------------- */

void leati_minder_kill(leati_minder *m) {
    pthread_mutex_lock(&m->lock);
    leati_process_kill(&m->process);
    pthread_mutex_unlock(&m->lock);
}

void leati_minder_finish(leati_minder *m, leati_finish how) {
    uint8_t byte = (uint8_t)how;
    pthread_mutex_lock(&m->lock);
    m->finishing = true;
    if (how == LEATI_FINISH_FAILED && !m->hello) leati_process_kill(&m->process);
    pthread_mutex_unlock(&m->lock);
    leati_connection_send(m->control, LEATI_F_FINISH, &byte, sizeof byte, NULL, 0);
}

static void say_number(leati_minder *m, leati_frame_kind kind, int64_t checkpoint) {
    leati_buf text;
    leati_buf_init(&text);
    leati_buf_u64(&text, (uint64_t)checkpoint);
    if (!text.failed) leati_connection_send(m->control, kind, text.bytes, text.size, NULL, 0);
    leati_buf_fini(&text);
}

void leati_minder_barrier(leati_minder *m, int64_t checkpoint, leati_then then) {
    leati_buf text;
    leati_buf_init(&text);
    leati_buf_u64(&text, (uint64_t)checkpoint);
    leati_buf_u8(&text, (uint8_t)then);
    if (!text.failed)
        leati_connection_send(m->control, LEATI_F_BARRIER, text.bytes, text.size, NULL, 0);
    leati_buf_fini(&text);
}

void leati_minder_resume(leati_minder *m, int64_t checkpoint) {
    say_number(m, LEATI_F_RESUME, checkpoint);
}

void leati_minder_complete(leati_minder *m, int64_t checkpoint) {
    say_number(m, LEATI_F_COMPLETE, checkpoint);
}

bool leati_minder_ask(leati_minder *m) {
    pthread_mutex_lock(&m->lock);
    bool asks = m->hello && !m->finishing && !m->closed && !m->gone;
    pthread_mutex_unlock(&m->lock);
    return asks && leati_connection_send(m->control, LEATI_F_TELL, NULL, 0, NULL, 0) >= 0;
}

bool leati_minder_closed(leati_minder *m) {
    return is_set(m, &m->closed) || is_set(m, &m->gone);
}

bool leati_minder_gone(leati_minder *m) {
    return is_set(m, &m->gone);
}

/* --- building --------------------------------------------------------------------------------- */

leati_minder *leati_minder_new(leat_job *job, uv_loop_t *loop, int index, int workers,
                               const leati_minder_news *news) {
    leati_minder *m = leati_zalloc(sizeof *m);
    if (!m) return NULL;
    m->job = job;
    m->loop = loop;
    m->index = index;
    m->workers = workers;
    m->news = *news;
    uv_timer_init(loop, &m->patience);
    m->patience.data = m;
    pthread_mutex_init(&m->lock, NULL);
    return m;
}

/* A pipe whose reading end a relay has adopted; the writing end, or -1. */
static int make_relay(leati_minder *m, leati_relay **relay, int to, leat_error *err) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC)) {
        leat_error_set(err, LEAT_E_IO, "worker",
                       "pipe: %s; raise the limit of open files (ulimit -n)", strerror(errno));
        return -1;
    }
    *relay = leati_relay_new(m->loop, leati_fd_above_stdio(ends[0]), to);
    ends[1] = leati_fd_above_stdio(ends[1]);
    if (*relay && ends[1] >= 0) return ends[1];
    if (ends[1] >= 0) close(ends[1]);
    leat_error_set(err, LEAT_E_NOMEM, "worker", "no memory, or too many open files");
    return -1;
}

static leat_status start(leati_minder *m, const int *own, int out, int errors, leat_error *err) {
    int lock = leati_coordinator_lock(m->job->coordinator);
    char **argv = leati_worker_argv(m->job->blue, own, m->workers + 1, m->index, lock, err);
    char **envp = argv ? leati_worker_envp(m->job->blue) : NULL;
    int inherit[LEATI_MAX_WORKERS + 3], count = 0;
    for (; count <= m->workers; count++) inherit[count] = own[count];
    if (lock >= 0) inherit[count++] = lock;
    inherit[count] = -1;
    leat_status status = argv ? LEAT_OK : err->status;
    if (argv && !envp) status = leat_error_set(err, LEAT_E_NOMEM, "worker", "no memory");
    if (status >= 0)
        status = leati_process_start(&m->process, argv, envp, out, errors, inherit, err);
    leati_worker_command_free(argv, envp);
    return status;
}

leat_status leati_minder_launch(leati_minder *m, const int *own, leat_error *err) {
    int out = make_relay(m, &m->out, 1, err);
    int errors = out >= 0 ? make_relay(m, &m->errors, 2, err) : -1;
    leat_status status = errors >= 0 ? start(m, own, out, errors, err) : err->status;
    if (out >= 0) close(out);
    if (errors >= 0) close(errors);
    if (status < 0) return status;
    m->pid = m->process.pid;
    if (uv_poll_init(m->loop, &m->watch, m->process.pidfd))
        return leat_error_set(err, LEAT_E_IO, "worker", "the process can't be watched");
    m->watch.data = m;
    m->watching = true;
    uv_poll_start(&m->watch, UV_READABLE, on_process_end);
    return LEAT_OK;
}

leat_status leati_minder_connect(leati_minder *m, int control, leat_error *err) {
    leati_connection_news news = {on_control, on_control_end, m};
    m->control = leati_connection_new(m->loop, control, m->index, &news);
    return m->control ? LEAT_OK : leat_error_set(err, LEAT_E_NOMEM, "worker", "no memory");
}

void leati_minder_listen(leati_minder *m) {
    leati_connection_start(m->control);
}

void leati_minder_close(leati_minder *m) {
    if (!m) return;
    leati_connection_close(m->control);
    leati_relay_drain(m->out);
    leati_relay_drain(m->errors);
    leati_relay_close(m->out);
    leati_relay_close(m->errors);
    if (m->watching) uv_close((uv_handle_t *)&m->watch, NULL);
    uv_close((uv_handle_t *)&m->patience, NULL);
}

void leati_minder_free(leati_minder *m) {
    if (!m) return;
    leati_process_end(&m->process);
    pthread_mutex_destroy(&m->lock);
    leati_free(m);
}
