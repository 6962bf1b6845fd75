/* control_client.c: the other end of control.c: finds the sockets of a user's jobs, asks, and makes
   tables of what they answer. One visit has one deadline, from connecting to the last byte. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "leat/control.h"
#include "runtime/base/alloc.h"
#include "runtime/base/buf.h"
#include "runtime/base/clock.h"
#include "runtime/job/control_folder.h"
#include "runtime/job/job_status.h"
#include "runtime/job/json_reader.h"

enum { LIST_MS = 1000, MOST_ANSWER = 1 << 28 };

/* A job whose socket is there. */
typedef struct found {
    char socket[LEATI_SOCKET_NAME];
    char id[33];
    int pid;
    char *answer;    /* to "list"; NULL: none came */
    leati_json json; /* the job in it */
    char *name;
} found;

typedef struct findings {
    int folder;
    found *jobs;
    size_t count;
} findings;

/* --- one visit -------------------------------------------------------------------------------- */

static int64_t now_ms(void) {
    return leati_clock_monotonic() / 1000000;
}

/* `until` INT64_MAX: for ever. */
static leat_status await(int fd, short events, int64_t until) {
    for (;;) {
        int64_t left = until - now_ms();
        if (left <= 0) return LEAT_E_TIMEOUT;
        struct pollfd p = {fd, events, 0};
        int n = poll(&p, 1, until == INT64_MAX ? -1 : left > INT32_MAX ? INT32_MAX : (int)left);
        if (n > 0) return LEAT_OK;
        if (n < 0 && errno != EINTR) return LEAT_E_IO;
    }
}

static leat_status send_all(int fd, const char *bytes, size_t size, int64_t until) {
    for (size_t sent = 0; sent < size;) {
        ssize_t n = send(fd, bytes + sent, size - sent, MSG_NOSIGNAL);
        if (n > 0) sent += (size_t)n;
        if (n > 0 || errno == EINTR) continue;
        if (errno != EAGAIN && errno != EWOULDBLOCK) return LEAT_E_IO;
        leat_status status = await(fd, POLLOUT, until);
        if (status < 0) return status;
    }
    return LEAT_OK;
}

/* Until the other end closes. */
static leat_status receive_all(int fd, leati_buf *out, int64_t until) {
    enum { PIECE = 65536 };
    for (;;) {
        if (out->size > MOST_ANSWER || !leati_buf_reserve(out, PIECE)) return LEAT_E_NOMEM;
        ssize_t n = recv(fd, out->bytes + out->size, PIECE, 0);
        if (n == 0) return LEAT_OK;
        if (n > 0) out->size += (size_t)n;
        if (n > 0 || errno == EINTR) continue;
        if (errno != EAGAIN && errno != EWOULDBLOCK) return LEAT_E_IO;
        leat_status status = await(fd, POLLIN, until);
        if (status < 0) return status;
    }
}

static leat_status converse(int fd, const char *request, leati_buf *out, int64_t until) {
    char line[LEATI_CONTROL_LINE];
    if (!leati_socket_trusted(fd)) return LEAT_E_IO;
    int n = snprintf(line, sizeof line, "leat %d %s\n", LEATI_CONTROL_FORM, request);
    if (n < 0 || (size_t)n >= sizeof line || strchr(request, '\n')) return LEAT_E_ARGUMENT;
    leat_status status = send_all(fd, line, (size_t)n, until);
    return status < 0 ? status : receive_all(fd, out, until);
}

static leat_status visit(int folder, const char *socket, const char *request, int timeout_ms,
                         leati_buf *out) {
    int64_t until = timeout_ms < 0 ? INT64_MAX : now_ms() + timeout_ms;
    int fd = leati_socket_connect(folder, socket);
    if (fd < 0)
        return errno == ECONNREFUSED || errno == ENOENT ? LEAT_E_NOT_FOUND
               : errno == EAGAIN                        ? LEAT_E_TIMEOUT
                                                        : LEAT_E_IO;
    leat_status status = converse(fd, request, out, until);
    close(fd);
    return status;
}

/* --- all jobs --------------------------------------------------------------------------------- */

static void findings_free(findings *f) {
    for (size_t i = 0; i < f->count; i++) {
        leati_free(f->jobs[i].answer);
        leati_free(f->jobs[i].name);
    }
    leati_free(f->jobs);
    if (f->folder >= 0) close(f->folder);
}

/* What comes from elsewhere must not steer the terminal. */
static char *member_text(leati_json object, const char *name) {
    leati_json value;
    char *text = leati_json_member(object, name, &value) ? leati_json_text(value) : NULL;
    for (char *c = text; c && *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f) *c = '?';
    return text;
}

static int64_t member_int(leati_json object, const char *name) {
    leati_json value;
    return leati_json_member(object, name, &value) ? leati_json_int(value) : 0;
}

/* One that is gone meanwhile is none; one that does not answer is there without a name. */
static leat_status find_one(findings *f, const char *socket) {
    found *grown = leati_resize(f->jobs, (f->count + 1) * sizeof *grown);
    if (!grown) return LEAT_E_NOMEM;
    f->jobs = grown;
    found *job = &f->jobs[f->count];
    *job = (found){.pid = 0};
    job->pid = leati_socket_process(socket, job->id);
    memcpy(job->socket, socket, strlen(socket) + 1); /* as long as a name with an id can be */
    leati_buf answer;
    leati_buf_init(&answer);
    leat_status status = visit(f->folder, socket, "list", LIST_MS, &answer);
    size_t size = answer.size;
    job->answer = leati_buf_take(&answer);
    leati_json whole;
    bool right = status >= 0 && job->answer && leati_json_read(job->answer, size, &whole) &&
                 leati_json_member(whole, "job", &job->json);
    if (right) job->name = member_text(job->json, "name");
    if (!right) {
        leati_free(job->answer);
        job->answer = NULL;
    }
    if (right || status == LEAT_E_TIMEOUT) f->count++;
    return LEAT_OK;
}

static leat_status find_all(findings *f, leat_error *err) {
    char id[33];
    *f = (findings){.folder = leati_control_folder(false, err)};
    if (f->folder < 0) return err->status;
    leati_sockets_sweep(f->folder);
    int fd = openat(f->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    if (!dir && fd >= 0) close(fd);
    leat_status status = dir ? LEAT_OK : LEAT_E_IO;
    for (const struct dirent *e; status >= 0 && (e = readdir(dir));)
        if (leati_socket_process(e->d_name, id)) status = find_one(f, e->d_name);
    if (dir) closedir(dir);
    if (status < 0) leat_error_set(err, status, "control", "the jobs' folder can't be read");
    return status;
}

/* --- texts ------------------------------------------------------------------------------------ */

static void put_row(leati_buf *out, const found *job) {
    char *state = job->answer ? member_text(job->json, "state") : NULL;
    leati_buf_printf(out, "%.12s  %-8d  %-10s  ", job->id, job->pid,
                     job->answer ? state ? state : "?" : "SILENT");
    size_t begin = out->size;
    leati_put_span(out, job->answer ? member_int(job->json, "runtime_ms") : 0);
    int width = (int)(out->size - begin);
    leati_buf_printf(out, "%*s  %12lld  ", width < 13 ? 13 - width : 0, "",
                     (long long)(job->answer ? member_int(job->json, "records") : 0));
    leati_buf_text(out, job->name ? job->name : "?");
    leati_buf_text(out, "\n");
    leati_free(state);
}

static void put_object(leati_buf *out, const found *job) {
    if (job->answer)
        leati_buf_append(out, job->json.at, (size_t)(job->json.end - job->json.at));
    else
        leati_buf_printf(out, "{\"id\": \"%s\", \"pid\": %d, \"state\": \"SILENT\"}", job->id,
                         job->pid);
}

static void put_list(leati_buf *out, const findings *f, bool json) {
    leati_buf_text(out, json ? "[" : "");
    if (!json && f->count)
        leati_buf_printf(out, "%-12s  %-8s  %-10s  %-13s  %12s  %s\n", "JOB", "PROCESS", "STATE",
                         "RUNNING", "RECORDS", "NAME");
    for (size_t i = 0; i < f->count; i++) {
        if (json && i) leati_buf_text(out, ",\n ");
        if (json)
            put_object(out, &f->jobs[i]);
        else
            put_row(out, &f->jobs[i]);
    }
    leati_buf_text(out, json ? "]\n" : f->count ? "" : "no job listens\n");
}

static char *take(leati_buf *out, leat_error *err) {
    char *text = leati_buf_take(out);
    if (!text) leat_error_set(err, LEAT_E_NOMEM, "control", "no memory");
    return text;
}

char *leat_control_list(bool json, leat_error *err) {
    findings f;
    leat_error own;
    leati_buf out;
    if (!err) err = &own;
    leat_status status = find_all(&f, err);
    leati_buf_init(&out);
    if (status >= 0 || status == LEAT_E_NOT_FOUND) put_list(&out, &f, json);
    findings_free(&f);
    if (status >= 0 || status == LEAT_E_NOT_FOUND) return take(&out, err);
    leati_buf_fini(&out);
    return NULL;
}

/* --- one job ---------------------------------------------------------------------------------- */

static void put_member(leati_buf *out, leati_json object, const char *name) {
    char *text = member_text(object, name);
    leati_buf_text(out, text ? text : "?");
    leati_free(text);
}

static void put_operators(leati_buf *out, leati_json job) {
    leati_json list, one, metrics;
    const char *at = NULL;
    if (!leati_json_member(job, "operators", &list)) return;
    while (leati_json_item(list, &at, &one)) {
        if (!leati_json_member(one, "metrics", &metrics)) continue;
        leati_buf_text(out, "  ");
        put_member(out, one, "operator");
        leati_buf_printf(out, " (%lld/%lld): %lld records in, %lld out\n",
                         (long long)member_int(one, "subtask") + 1,
                         (long long)member_int(one, "parallelism"),
                         (long long)member_int(metrics, "numRecordsIn"),
                         (long long)member_int(metrics, "numRecordsOut"));
    }
}

static void put_checkpoints(leati_buf *out, leati_json job) {
    leati_json stats;
    if (!leati_json_member(job, "checkpoints", &stats)) return;
    if (!member_int(stats, "totalNumberOfCheckpoints")) return;
    leati_buf_printf(out, "  checkpoints: %lld complete, %lld failed, %lld in progress\n",
                     (long long)member_int(stats, "numberOfCompletedCheckpoints"),
                     (long long)member_int(stats, "numberOfFailedCheckpoints"),
                     (long long)member_int(stats, "numberOfInProgressCheckpoints"));
    if (member_int(stats, "lastCompletedCheckpointId") < 0) return;
    int64_t age = leati_clock_now() - member_int(stats, "lastCheckpointCompletedTimestamp");
    leati_buf_printf(out, "  the last one: %lld, ",
                     (long long)member_int(stats, "lastCompletedCheckpointId"));
    leati_put_span(out, age > 0 ? age : 0);
    leati_buf_printf(out, " ago, in %lld ms, %lld bytes: ",
                     (long long)member_int(stats, "lastCheckpointDuration"),
                     (long long)member_int(stats, "lastCheckpointSize"));
    put_member(out, stats, "lastCheckpointExternalPath");
    leati_buf_text(out, "\n");
}

static void put_status(leati_buf *out, leati_json job) {
    leati_json failure;
    put_member(out, job, "name");
    leati_buf_text(out, ": ");
    put_member(out, job, "state");
    leati_buf_text(out, " after ");
    leati_put_span(out, member_int(job, "runtime_ms"));
    leati_buf_text(out, "\n  job ");
    put_member(out, job, "id");
    leati_buf_printf(out, ", attempt %lld, process %lld, workers: %lld\n",
                     (long long)member_int(job, "attempt") + 1, (long long)member_int(job, "pid"),
                     (long long)member_int(job, "workers"));
    leati_buf_printf(out, "  %lld records, %lld/s\n", (long long)member_int(job, "records"),
                     (long long)member_int(job, "records_per_second"));
    put_checkpoints(out, job);
    if (leati_json_member(job, "savepoint", &failure)) {
        leati_buf_text(out, "  savepoint: ");
        put_member(out, job, "savepoint");
        leati_buf_text(out, "\n");
    }
    if (leati_json_member(job, "failure", &failure)) {
        leati_buf_text(out, "  failure: ");
        put_member(out, job, "failure");
        leati_buf_text(out, "\n");
    }
    put_operators(out, job);
}

/* NULL with `err` filled. A name comes before the beginning of an id. */
static const found *choose(const findings *f, const char *job, leat_error *err) {
    const found *chosen = NULL;
    int matches = 0;
    for (int by_id = 0; by_id < 2 && !matches; by_id++)
        for (size_t i = 0; i < f->count; i++) {
            const found *one = &f->jobs[i];
            bool same = by_id ? strncmp(one->id, job, strlen(job)) == 0
                              : one->name && strcmp(one->name, job) == 0;
            if (!same) continue;
            chosen = one;
            matches++;
        }
    if (matches == 1) return chosen;
    if (matches)
        leat_error_set(err, LEAT_E_ARGUMENT, job,
                       "%d jobs are called that; give one's id, as `leat list` has it", matches);
    else
        leat_error_set(err, LEAT_E_NOT_FOUND, job,
                       "no job of that name or id listens; `leat list` shows those that do");
    return NULL;
}

static const char *reason_of(leat_status status) {
    switch (status) {
    case LEAT_E_TIMEOUT:
        return "there was no answer in time; it may be restarting, or its process stopped or "
               "busy: `leat list` tells";
    case LEAT_E_NOT_FOUND: return "the job has just ended";
    case LEAT_E_ARGUMENT: return "the request is too long, or has a line break";
    case LEAT_E_NOMEM: return "no memory for the answer";
    default: return "the connection to its process broke";
    }
}

static leat_status put_answer(const found *job, leati_buf *answer, bool json, leati_buf *out,
                              leat_error *err) {
    leati_json whole, part;
    bool right =
        answer->size && !answer->failed && leati_json_read(answer->bytes, answer->size, &whole);
    if (right && leati_json_member(whole, "job", &part)) {
        if (json) leati_buf_append(out, part.at, (size_t)(part.end - part.at));
        if (json) leati_buf_text(out, "\n");
        if (!json) put_status(out, part);
        return LEAT_OK;
    }
    char *said = right ? member_text(whole, "error") : NULL;
    leat_error_set(err, said ? LEAT_E_STATE : LEAT_E_FORMAT, job->name ? job->name : job->id, "%s",
                   said                ? said
                   : answer->size == 0 ? "the job has just ended"
                                       : "its answer is damaged");
    leati_free(said);
    return err->status;
}

char *leat_control_ask(const char *job, const char *request, bool json, int timeout_ms,
                       leat_error *err) {
    findings f;
    leat_error own;
    leati_buf out, answer;
    if (!err) err = &own;
    if (!job || !*job || !request) {
        leat_error_set(err, LEAT_E_ARGUMENT, "leat_control_ask", "no job or no request was given");
        return NULL;
    }
    leati_buf_init(&out);
    leati_buf_init(&answer);
    leat_status status = find_all(&f, err);
    const found *one = status >= 0 || status == LEAT_E_NOT_FOUND ? choose(&f, job, err) : NULL;
    if (one) {
        status = visit(f.folder, one->socket, request, timeout_ms, &answer);
        if (status >= 0)
            status = put_answer(one, &answer, json, &out, err);
        else
            leat_error_set(err, status, job, "%s", reason_of(status));
    }
    findings_free(&f);
    leati_buf_fini(&answer);
    if (one && status >= 0) return take(&out, err);
    leati_buf_fini(&out);
    return NULL;
}
