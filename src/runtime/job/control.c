/* control.c: jobs are looked at and ended from other terminals, over a Unix socket for each of them
   (control_folder.c), and draw the status line.

   A visitor writes one line, "leat 1 VERB [ARGUMENT]", and reads one object of JSON until the end
   of the connection: {"job": {...}} as in job_status.c, or {"error": "..."}.

   One thread of the process serves all its jobs; it starts with the first that listens and ends
   when none is left. It never waits for a single visitor: whoever says nothing has 2 s, whoever
   waits for something (a report, the end) is looked at again on each turn. What is here belongs to
   the lock; a job's own locks are taken inside it, never the other way round. Jobs leave by
   leati_control_end, before they can be freed. A verb is a row in `verbs`. */
#include "runtime/job/control.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "runtime/base/alloc.h"
#include "runtime/base/clock.h"
#include "runtime/base/io_thread.h"
#include "runtime/base/log.h"
#include "runtime/base/status_line.h"
#include "runtime/job/control_folder.h"
#include "runtime/job/job_status.h"
#include "runtime/job/savepoint.h"

enum {
    DOORS = 128,
    VISITORS = 16,
    PATIENCE_MS = 2000, /* with who says or reads nothing */
    REPORT_MS = 500,    /* with workers that report nothing */
    TURN_MS = 10,
    DRAW_MS = 500,
    UNSEEN_MS = 1000 /* a job that ends within this time draws nothing */
};

/* A job with its socket. Closed by the thread alone, which may be polling it. */
typedef struct door {
    bool used;
    leat_job *job; /* NULL: it has ended */
    int fd;        /* -1: it does not listen */
    int folder;
    char name[LEATI_SOCKET_NAME];
    bool draws;
    int64_t since; /* monotonic ms */
} door;

typedef enum stage { FREE = 0, READING, WAITING, WRITING } stage;

typedef struct verb verb;

typedef struct visitor {
    stage stage;
    int fd;
    leat_job *job; /* NULL: it has ended */
    const verb *verb;
    int64_t until;  /* monotonic ms; 0: for ever, the job's end ends it */
    int64_t wanted; /* reports */
    leati_asked asked;
    char line[LEATI_CONTROL_LINE];
    size_t got;
    leati_buf answer;
    size_t sent;
} visitor;

/* `begin` may be NULL; answered when `ready` says so, or when the job has ended. */
struct verb {
    const char *name;
    bool argument; /* it may have one */
    bool whole;    /* the answer has the metrics */
    void (*begin)(visitor *v, const char *argument);
    bool (*ready)(visitor *v);
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static door doors[DOORS];
static visitor visitors[VISITORS];
static bool running;
static int wake = -1; /* an eventfd, made once */
static int64_t drawn_at;
static bool drawn;

static int64_t now_ms(void) {
    return leati_clock_monotonic() / 1000000;
}

/* --- requests --------------------------------------------------------------------------------- */

bool leati_request_read(char *line, size_t size, leati_request *out) {
    static const char greeting[] = "leat 1 ";
    size_t at = sizeof greeting - 1;
    if (size <= at + 1 || line[size - 1] != '\n' || memcmp(line, greeting, at) != 0) return false;
    for (size_t i = 0; i + 1 < size; i++)
        if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f) return false;
    line[size - 1] = '\0';
    out->verb = line + at;
    size_t verb_size = strcspn(out->verb, " ");
    if (!verb_size) return false;
    out->argument = out->verb + verb_size;
    if (*out->argument) *out->argument++ = '\0';
    return true;
}

static void look_begin(visitor *v, const char *argument) {
    (void)argument;
    v->wanted = leati_job_metrics_ask(v->job);
    v->until = now_ms() + REPORT_MS;
}

static bool look_ready(visitor *v) {
    return leati_job_metrics_came(v->job, v->wanted) || now_ms() >= v->until;
}

static void cancel_begin(visitor *v, const char *argument) {
    (void)argument;
    v->until = 0;
    leat_job_cancel(v->job);
}

static bool cancel_ready(visitor *v) {
    (void)v;
    return false; /* its end is the answer */
}

static void answer_failed(visitor *v, const leat_error *err);

static void ask_savepoint(visitor *v, const char *dir, leati_then then) {
    leat_error err;
    v->until = 0;
    if (leati_savepoint_ask(v->job, dir, then, &v->asked, &err) < 0) answer_failed(v, &err);
}

static void savepoint_begin(visitor *v, const char *argument) {
    ask_savepoint(v, argument, LEATI_THEN_GO_ON);
}

static void stop_begin(visitor *v, const char *argument) {
    ask_savepoint(v, argument, LEATI_THEN_STOP);
}

static void drain_begin(visitor *v, const char *argument) {
    ask_savepoint(v, argument, LEATI_THEN_END);
}

static bool savepoint_ready(visitor *v) {
    return leati_savepoint_ready(v->job, &v->asked);
}

static const verb verbs[] = {
    {"list", false, false, look_begin, look_ready},
    {"status", false, true, look_begin, look_ready},
    {"cancel", false, false, cancel_begin, cancel_ready},
    {"savepoint", true, false, savepoint_begin, savepoint_ready},
    {"stop", true, false, stop_begin, savepoint_ready},
    {"drain", true, false, drain_begin, savepoint_ready},
};

static const verb *verb_of(const leati_request *r) {
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
        if (strcmp(r->verb, verbs[i].name) == 0 && (!*r->argument || verbs[i].argument))
            return &verbs[i];
    return NULL;
}

/* --- visitors --------------------------------------------------------------------------------- */

static void leave(visitor *v) {
    if (v->job) leati_savepoint_forget(v->job, &v->asked);
    close(v->fd);
    leati_buf_fini(&v->answer);
    memset(v, 0, sizeof *v);
}

static void write_some(visitor *v) {
    while (v->sent < v->answer.size) {
        ssize_t n = send(v->fd, v->answer.bytes + v->sent, v->answer.size - v->sent,
                         MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) && now_ms() < v->until) return;
        if (n < 0) break;
        v->sent += (size_t)n;
    }
    leave(v);
}

static void answer(visitor *v) {
    v->stage = WRITING;
    v->until = now_ms() + PATIENCE_MS;
    leati_buf_text(&v->answer, "\n");
    if (v->answer.failed)
        leave(v);
    else
        write_some(v);
}

static void answer_job(visitor *v) {
    leat_error err;
    char *path = NULL;
    if (v->asked.wish && leati_savepoint_answer(v->job, &v->asked, &path, &err) < 0) {
        answer_failed(v, &err);
        return;
    }
    leati_buf_text(&v->answer, "{\"job\": ");
    leati_job_describe(v->job, v->verb->whole, &v->answer);
    if (path) {
        v->answer.size--; /* the object goes on */
        leati_buf_text(&v->answer, ", \"savepoint\": ");
        leati_json_string(&v->answer, path);
        leati_buf_text(&v->answer, "}");
    }
    leati_buf_text(&v->answer, "}");
    leati_free(path);
    answer(v);
}

static void answer_error(visitor *v, const char *text) {
    leati_buf_text(&v->answer, "{\"error\": ");
    leati_json_string(&v->answer, text);
    leati_buf_text(&v->answer, "}");
    answer(v);
}

/* The client names the job; here is what else is known, such as a path. */
static void answer_failed(visitor *v, const leat_error *err) {
    bool said = strcmp(err->where, v->job->name) == 0;
    char *text = leati_format("%s%s%s", said ? "" : err->where, said ? "" : ": ", err->text);
    answer_error(v, text ? text : err->text);
    leati_free(text);
}

static void take_request(visitor *v) {
    leati_request request;
    bool right = leati_request_read(v->line, v->got, &request);
    v->verb = right ? verb_of(&request) : NULL;
    if (!right)
        answer_error(v, "this is no request; \"leat 1 status\" is one");
    else if (!v->verb)
        answer_error(v, "there is no such request; requests are list, status, cancel, "
                        "savepoint, stop and drain");
    else if (!v->job)
        answer_error(v, "the job has ended");
    else {
        v->stage = WAITING;
        v->verb->begin(v, request.argument);
    }
}

/* One line and nothing behind it. */
static void read_some(visitor *v) {
    ssize_t n = recv(v->fd, v->line + v->got, sizeof v->line - v->got, MSG_DONTWAIT);
    bool none = n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR);
    if (none && now_ms() < v->until) return;
    if (n <= 0) {
        leave(v);
        return;
    }
    v->got += (size_t)n;
    if (memchr(v->line, '\n', v->got))
        take_request(v);
    else if (v->got == sizeof v->line)
        answer_error(v, "the request is too long");
}

/* Has it left? */
static bool is_gone(const visitor *v) {
    char more;
    ssize_t n = recv(v->fd, &more, 1, MSG_DONTWAIT | MSG_PEEK);
    return n == 0 || (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}

static void serve(visitor *v) {
    if (v->stage == READING) read_some(v);
    if (v->stage == WAITING && is_gone(v)) leave(v);
    if (v->stage == WAITING && v->verb->ready(v)) answer_job(v);
    if (v->stage == WRITING) write_some(v);
}

static visitor *free_visitor(void) {
    for (int i = 0; i < VISITORS; i++)
        if (visitors[i].stage == FREE) return &visitors[i];
    return NULL;
}

static void welcome(const door *d) {
    for (visitor *v; (v = free_visitor());) {
        int fd = accept4(d->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0) return;
        if (!leati_socket_trusted(fd)) {
            close(fd);
            continue;
        }
        v->stage = READING;
        v->fd = fd;
        v->job = d->job;
        v->until = now_ms() + PATIENCE_MS;
    }
}

/* --- the status line -------------------------------------------------------------------------- */

static void draw(void) {
    leati_buf line;
    if (now_ms() < drawn_at + DRAW_MS) return;
    drawn_at = now_ms();
    leati_buf_init(&line);
    for (int i = 0; i < DOORS; i++) {
        if (!doors[i].job || !doors[i].draws || now_ms() < doors[i].since + UNSEEN_MS) continue;
        if (line.size) leati_buf_text(&line, " | ");
        leati_job_line(doors[i].job, &line);
        leati_job_metrics_ask(doors[i].job); /* for the next time */
    }
    if (line.size) leati_status_line_show(leati_buf_cstr(&line));
    if (!line.size && drawn) leati_status_line_clear(STDERR_FILENO);
    drawn = line.size > 0;
    leati_buf_fini(&line);
}

/* --- the thread ------------------------------------------------------------------------------- */

/* Answers how many descriptors there are to poll; 0: nothing is left to do. */
static int take_stock(struct pollfd *polls, int *timeout) {
    int count = 0;
    bool draws = false, stays = false, room = free_visitor() != NULL;
    *timeout = -1;
    polls[count++] = (struct pollfd){wake, POLLIN, 0};
    for (int i = 0; i < DOORS; i++) {
        stays |= doors[i].used;
        draws |= doors[i].job && doors[i].draws;
        if (doors[i].used && doors[i].fd >= 0 && room)
            polls[count++] = (struct pollfd){doors[i].fd, POLLIN, 0};
    }
    if (draws) *timeout = DRAW_MS;
    for (int i = 0; i < VISITORS; i++) {
        const visitor *v = &visitors[i];
        if (v->stage == FREE) continue;
        stays = true;
        short events = v->stage == WRITING ? POLLOUT : v->stage == READING ? POLLIN : POLLRDHUP;
        polls[count++] = (struct pollfd){v->fd, events, 0};
        bool looks = v->until || v->asked.wish;
        int most = v->stage != WAITING ? PATIENCE_MS / 4 : looks ? TURN_MS : -1;
        if (most >= 0 && (*timeout < 0 || most < *timeout)) *timeout = most;
    }
    return stays ? count : 0;
}

static void close_door(door *d) {
    if (d->fd >= 0) close(d->fd);
    if (d->folder >= 0) close(d->folder);
    memset(d, 0, sizeof *d);
}

static void turn(void) {
    eventfd_t news;
    (void)eventfd_read(wake, &news);
    for (int i = 0; i < DOORS; i++) {
        if (!doors[i].used) continue;
        if (!doors[i].job)
            close_door(&doors[i]);
        else if (doors[i].fd >= 0)
            welcome(&doors[i]);
    }
    for (int i = 0; i < VISITORS; i++)
        if (visitors[i].stage != FREE) serve(&visitors[i]);
    draw();
}

static void *control_main(void *arg) {
    struct pollfd polls[1 + DOORS + VISITORS];
    int timeout;
    pthread_mutex_lock(&lock);
    for (int count; (count = take_stock(polls, &timeout));) {
        pthread_mutex_unlock(&lock);
        poll(polls, (nfds_t)count, timeout);
        pthread_mutex_lock(&lock);
        turn();
    }
    running = false;
    pthread_mutex_unlock(&lock);
    return arg;
}

/* --- coming and going ------------------------------------------------------------------------- */

/* Under the lock. */
static leat_status start_thread(leat_error *err) {
    unsigned long thread;
    if (wake < 0) wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (wake < 0) return leat_error_set(err, LEAT_E_IO, "control", "%s", strerror(errno));
    if (!running) {
        if (leati_thread_start(&thread, control_main, NULL, "leat-control") < 0)
            return leat_error_set(err, LEAT_E_NOMEM, "control", "no thread can be started");
        pthread_detach((pthread_t)thread);
        running = true;
    }
    (void)eventfd_write(wake, 1);
    return LEAT_OK;
}

static leat_status listen_for(door *d, const leat_job *job, leat_error *err) {
    snprintf(d->name, sizeof d->name, "%d-%s.sock", (int)getpid(), job->id);
    d->folder = leati_control_folder(true, err);
    if (d->folder < 0) return err->status;
    leati_sockets_sweep(d->folder);
    d->fd = leati_socket_listen(d->folder, d->name);
    if (d->fd >= 0) return LEAT_OK;
    return leat_error_set(err, LEAT_E_IO, "control", "no socket can be made: %s", strerror(errno));
}

static door *free_door(void) {
    for (int i = 0; i < DOORS; i++)
        if (!doors[i].used) return &doors[i];
    return NULL;
}

static bool is_on(const leat_job *job, const char *key) {
    return strcmp(leati_config_get(job->plan->config, key), "on") == 0;
}

/* Under the lock. */
static leat_status open_door(leat_job *job, bool listens, bool draws, leat_error *err) {
    door *d = free_door();
    if (!d) return leat_error_set(err, LEAT_E_STATE, "control", "too many jobs listen");
    *d =
        (door){.used = true, .job = job, .fd = -1, .folder = -1, .draws = draws, .since = now_ms()};
    leat_status status = listens ? listen_for(d, job, err) : LEAT_OK;
    if (status >= 0 || draws) {
        leat_status started = start_thread(err);
        if (started >= 0) return status;
        status = started;
    }
    if (d->fd >= 0) unlinkat(d->folder, d->name, 0);
    close_door(d);
    return status;
}

void leati_control_begin(leat_job *job) {
    leat_error err;
    bool listens = is_on(job, "job.control");
    bool draws = is_on(job, "job.status-line") && leati_status_line_can();
    if (!listens && !draws) return;
    pthread_mutex_lock(&lock);
    leat_status status = open_door(job, listens, draws, &err);
    pthread_mutex_unlock(&lock);
    if (status < 0)
        leati_log(LEAT_LOG_WARNING,
                  "%s: %s: %s; the job runs, and other terminals don't see it (job.control)",
                  job->name, err.where, err.text);
}

static void part(visitor *v, const leat_job *job) {
    if (v->stage == FREE || v->job != job) return;
    if (v->stage == WAITING) answer_job(v);
    if (v->stage != FREE) v->job = NULL;
}

void leati_control_end(leat_job *job) {
    pthread_mutex_lock(&lock);
    for (int i = 0; i < DOORS; i++) {
        door *d = &doors[i];
        if (!d->used || d->job != job) continue;
        if (d->fd >= 0) unlinkat(d->folder, d->name, 0);
        d->job = NULL;
        for (int k = 0; k < VISITORS; k++) part(&visitors[k], job);
        if (d->draws) leati_status_line_clear(STDERR_FILENO);
        (void)eventfd_write(wake, 1);
    }
    pthread_mutex_unlock(&lock);
}
