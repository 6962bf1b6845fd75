/* worker.c: the life of a worker process: hello, its part of the plan, data until the end, close,
   exit.

   The process's main thread runs the loop that reads all sockets; runners have their own
   threads. A watchdog thread, which needs neither loop nor interpreter, ends the process
   within 2 s when the main process is gone, whatever everybody else is stuck in. It looks at
   the control socket, and at the main process itself, since a child that was forked from that
   may keep the socket open. A worker that somebody stopped is woken by the main process's
   death, so that its watchdog sees it. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runtime/base/alloc.h"
#include "runtime/base/io_thread.h"
#include "runtime/base/loop.h"
#include "runtime/job/remote.h"
#include "runtime/job/worker_command.h"

enum { GRACE_MS = 1500, LOOK_MS = 1000, JOIN_MS = 5, INTERRUPT_EVERY = 50 };

typedef struct worker {
    leati_worker_sockets sockets;
    uv_loop_t loop;
    leati_connection *control;
    leati_connection *data[LEATI_MAX_WORKERS + 1];
    leati_remote *remote;
    leati_job_text text;
    leati_plan *plan;
    leati_host *host;
    leati_preamble_fn preamble;
    uv_idle_t closer; /* looks whether the runners have ended */
    int looks;        /* of it */
    bool finishing, failed, closed;
    int exit_code;
    int watched[2]; /* the watchdog's: the control socket, the main process */
} worker;

/* --- the watchdog ----------------------------------------------------------------------------- */

static void *watchdog_main(void *arg) {
    const worker *w = arg;
    struct pollfd p[2] = {{.fd = w->watched[0], .events = POLLRDHUP},
                          {.fd = w->watched[1], .events = POLLIN}};
    int n;
    do n = poll(p, 2, LOOK_MS);
    while (n == 0 || (n < 0 && errno == EINTR));
    poll(NULL, 0, GRACE_MS); /* time to end in order */
    _exit(111);
}

/* It has descriptors of its own, which stay open as long as the process lives. A poll holds what it
   waits for, even when a user's function closes all descriptors: so it looks again each second. */
static leat_status start_watchdog(worker *w) {
    unsigned long thread;
    w->watched[0] = fcntl(w->sockets.to[w->sockets.index], F_DUPFD_CLOEXEC, 3);
    w->watched[1] = (int)syscall(SYS_pidfd_open, getppid(), 0); /* -1 is ignored by poll */
    prctl(PR_SET_PDEATHSIG, SIGCONT);
    if (w->watched[0] < 0) return LEAT_E_IO;
    return leati_thread_start(&thread, watchdog_main, w, "leat-watch");
}

/* --- reports ---------------------------------------------------------------------------------- */

static void say(worker *w, leati_frame_kind kind, const void *bytes, size_t size) {
    leati_connection_send(w->control, kind, bytes, size, NULL, 0);
}

static void host_opened(void *arg) {
    say(arg, LEATI_F_OPENED, NULL, 0);
}

static void host_ended(void *arg) {
    say(arg, LEATI_F_ENDED, NULL, 0);
}

static void host_failed(void *arg, leati_failure *failure) {
    leati_buf text;
    leati_buf_init(&text);
    leati_failure_encode(failure, &text);
    if (!text.failed) say(arg, LEATI_F_FAILED, text.bytes, text.size);
    leati_buf_fini(&text);
}

static void host_saved(void *arg, const leati_saved *saved) {
    leati_buf text;
    leati_buf_init(&text);
    leati_saved_encode(saved, &text);
    if (!text.failed) say(arg, LEATI_F_SAVED, text.bytes, text.size);
    leati_buf_fini(&text);
}

static void tell_metrics(worker *w) {
    leati_buf report;
    leati_buf_init(&report);
    if (w->host) leati_host_report(w->host, &report);
    if (!report.failed) say(w, LEATI_F_METRICS, report.bytes, report.size);
    leati_buf_fini(&report);
}

static void report(worker *w, const leat_error *err) {
    leati_failure failure = {.status = err->status, .subtask = -1};
    failure.text = leati_format("%s: %s", err->where, err->text);
    host_failed(w, &failure);
    leati_failure_fini(&failure);
}

/* --- the job ---------------------------------------------------------------------------------- */

/* Inside the interpreter: what the job's functions need before the first is resolved. */
static leat_status run_preamble(worker *w, leat_error *err) {
    const leati_bridge *bridge = leati_bridge_find("python");
    if (!w->preamble || !bridge || !w->text.preamble_size) return LEAT_OK;
    void *token;
    bridge->enter(bridge->interpreter, &token);
    leat_status status =
        w->preamble(bridge->interpreter, w->text.preamble, w->text.preamble_size, err);
    bridge->leave(bridge->interpreter, token);
    return status;
}

static leat_status begin(worker *w, const char *payload, size_t size, leat_error *err) {
    if (w->host) return leat_error_set(err, LEAT_E_FORMAT, "job", "a second job came");
    leat_status status = leati_job_decode(payload, size, &w->text, err);
    if (status < 0) return status;
    if (w->text.workers + 1 != w->sockets.hosts || w->text.index != w->sockets.index)
        return leat_error_set(err, LEAT_E_FORMAT, "job", "the job is for another worker");
    status = run_preamble(w, err);
    if (status < 0) return status;
    w->plan = leati_plan_new(&w->text.graph, w->text.config, err);
    if (!w->plan) return err->status;
    leati_host_news news = {host_opened, host_ended, host_failed, host_saved, w};
    leati_survival survival = {w->text.folder, w->text.restore};
    leati_wires wires = leati_remote_wires(w->remote);
    w->host = leati_host_new(w->plan, w->sockets.index, w->text.attempt, NULL, &survival, &news,
                             &wires, err);
    if (!w->host) return err->status;
    if (leati_host_start(w->host) < 0)
        return leat_error_set(err, LEAT_E_NOMEM, "job", "no thread could be started");
    if (leati_host_empty(w->host)) {
        host_opened(w);
        host_ended(w);
    }
    for (int i = 0; i < w->sockets.hosts; i++)
        if (w->data[i]) leati_connection_start(w->data[i]);
    return LEAT_OK;
}

/* Stays until the last words are written, or nobody listens. */
static void on_closer(uv_idle_t *idle) {
    worker *w = idle->data;
    if (!w->closed && w->host && !leati_host_join(w->host, JOIN_MS, NULL)) {
        if (w->failed && ++w->looks % INTERRUPT_EVERY == 0) leati_host_interrupt(w->host);
        return;
    }
    if (!w->closed) {
        tell_metrics(w);
        say(w, LEATI_F_CLOSED, NULL, 0);
    }
    w->closed = true;
    if (!leati_connection_idle(w->control)) return;
    uv_idle_stop(&w->closer);
    uv_stop(&w->loop);
}

static void finish(worker *w, leati_finish how) {
    bool failed = how == LEATI_FINISH_FAILED;
    if (w->finishing) {
        w->failed |= failed;
        return;
    }
    w->finishing = true;
    w->failed = failed;
    if (w->host) leati_host_stop(w->host, how);
    if (w->host && failed) leati_host_interrupt(w->host);
    uv_idle_start(&w->closer, on_closer);
}

static leat_status take_checkpoint(worker *w, uint8_t kind, const char *payload, size_t size) {
    leati_reader in = leati_reader_of(payload, size);
    int64_t checkpoint = (int64_t)leati_reader_u64(&in);
    uint8_t then = kind == LEATI_F_BARRIER ? leati_reader_u8(&in) : 0;
    if (in.failed || leati_reader_left(&in) || then > LEATI_THEN_END || checkpoint <= 0)
        return LEAT_E_FORMAT;
    if (!w->host || w->finishing) return LEAT_OK;
    if (kind == LEATI_F_BARRIER)
        leati_host_barrier(w->host, checkpoint, (leati_then)then);
    else if (kind == LEATI_F_RESUME)
        leati_host_resume(w->host, checkpoint);
    else
        leati_host_complete(w->host, checkpoint);
    return LEAT_OK;
}

static leat_status on_control(void *arg, leati_connection *c, uint8_t kind, const char *payload,
                              size_t size) {
    worker *w = arg;
    leat_error err;
    (void)c;
    if (kind == LEATI_F_JOB) {
        if (begin(w, payload, size, &err) < 0) report(w, &err);
        return LEAT_OK;
    }
    if (kind == LEATI_F_TELL) {
        if (!w->closed) tell_metrics(w);
        return LEAT_OK;
    }
    if (kind == LEATI_F_BARRIER || kind == LEATI_F_RESUME || kind == LEATI_F_COMPLETE)
        return take_checkpoint(w, kind, payload, size);
    if (kind != LEATI_F_FINISH || size != 1 || payload[0] < 0 ||
        payload[0] > LEATI_FINISH_COMMITTED)
        return LEAT_E_FORMAT;
    finish(w, (leati_finish)payload[0]);
    return LEAT_OK;
}

/* The main process is gone, or talks nonsense. */
static void on_control_end(void *arg, leati_connection *c, leat_status status) {
    worker *w = arg;
    (void)c;
    (void)status;
    w->exit_code = 111;
    finish(w, LEATI_FINISH_FAILED);
}

static leat_status on_data(void *arg, leati_connection *c, uint8_t kind, const char *payload,
                           size_t size) {
    worker *w = arg;
    return leati_remote_take(w->remote, leati_connection_peer(c), kind, payload, size);
}

static void on_data_end(void *arg, leati_connection *c, leat_status status) {
    leat_error err;
    if (status >= 0) return; /* a peer that died is the main process's business */
    leat_error_set(&err, LEAT_E_WORKER, "worker", "%s %d",
                   status == LEAT_E_NOMEM ? "no memory for what came from worker"
                                          : "the protocol was broken by worker",
                   leati_connection_peer(c));
    report(arg, &err);
}

/* --- the process ------------------------------------------------------------------------------ */

static pid_t own_pid; /* this process, and none that a function forks */

/* Whoever stops a whole group of processes, as systemd does, means the main one, which cancels the
   job in order. Programs that functions start get the default back by exec; neither SIG_IGN nor a
   mask would let them go. */
static void on_terminate(int number) {
    if (getpid() == own_pid) return;
    signal(number, SIG_DFL);
    raise(number); /* it comes when this returns */
}

static void quiet_signals(void) {
    sigset_t blocked; /* by who started us */
    struct sigaction terminate = {.sa_handler = on_terminate, .sa_flags = SA_RESTART};
    own_pid = getpid();
    signal(SIGINT, SIG_IGN); /* Ctrl-C is for the main process, which ends us */
    sigaction(SIGTERM, &terminate, NULL);
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGINT);
    sigaddset(&blocked, SIGTERM);
    pthread_sigmask(SIG_UNBLOCK, &blocked, NULL);
}

static bool connect_all(worker *w) {
    leati_connection_news control = {on_control, on_control_end, w};
    leati_connection_news data = {on_data, on_data_end, w};
    int own = w->sockets.index;
    if (w->sockets.lock >= 0) fcntl(w->sockets.lock, F_SETFD, FD_CLOEXEC);
    for (int i = 0; i < w->sockets.hosts; i++) {
        fcntl(w->sockets.to[i], F_SETFD, FD_CLOEXEC);
        if (i == own) continue;
        w->data[i] = leati_connection_new(&w->loop, w->sockets.to[i], i, &data);
        if (!w->data[i]) return false;
        leati_remote_set_wire(w->remote, i, w->data[i]);
    }
    w->control = leati_connection_new(&w->loop, w->sockets.to[own], 0, &control);
    return w->control != NULL;
}

static void say_hello(worker *w) {
    leati_buf hello;
    leati_buf_init(&hello);
    leati_buf_varint(&hello, LEATI_WIRE_VERSION);
    leati_buf_blob(&hello, LEAT_VERSION_STRING, strlen(LEAT_VERSION_STRING));
    if (!hello.failed) say(w, LEATI_F_HELLO, hello.bytes, hello.size);
    leati_buf_fini(&hello);
}

static void close_all(worker *w) {
    leati_remote_close(w->remote);
    leati_connection_close(w->control);
    for (int i = 0; i < w->sockets.hosts; i++) leati_connection_close(w->data[i]);
    uv_close((uv_handle_t *)&w->closer, NULL);
    uv_run(&w->loop, UV_RUN_DEFAULT);
    uv_loop_close(&w->loop);
}

static leat_status prepare(worker *w) {
    leat_status status = start_watchdog(w);
    w->remote = leati_remote_new(w->sockets.hosts);
    if (status < 0 || !w->remote || leati_loop_init(&w->loop) < 0 || !connect_all(w))
        return LEAT_E_NOMEM;
    uv_idle_init(&w->loop, &w->closer);
    w->closer.data = w;
    return LEAT_OK;
}

int leati_worker_run(int argc, char **argv, leati_preamble_fn preamble) {
    worker *w = leati_zalloc(sizeof *w); /* never freed: the watchdog outlives this call */
    if (!w) return 1;
    w->preamble = preamble;
    if (leati_worker_read_argv(argc, argv, &w->sockets) < 0) {
        fprintf(stderr, "leat: worker: this program is started by Leat itself; use leat run\n");
        leati_free(w);
        return 2;
    }
    quiet_signals();
    if (prepare(w) < 0) {
        fprintf(stderr, "leat: worker: no memory, or too many open files or threads\n");
        return 1;
    }
    leati_connection_start(w->control);
    say_hello(w);
    uv_run(&w->loop, UV_RUN_DEFAULT);
    leati_host_hush(w->host); /* it would speak through a connection that is closed next */
    close_all(w);
    leati_host_free(w->host);
    leati_plan_free(w->plan);
    leati_job_text_fini(&w->text);
    leati_remote_free(w->remote);
    return w->exit_code;
}
