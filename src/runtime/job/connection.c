/* connection.c: see connection.h. `lock` guards what senders touch: the queue, `broken` and
   `closing`. The loop polls for writing only while there is a queue. */
#include "runtime/job/connection.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "runtime/base/alloc.h"

enum { KEEP = 1 << 20 }; /* an empty queue keeps so much memory */

struct leati_connection {
    int fd, peer;
    leati_connection_news news;
    uv_poll_t poll;
    uv_async_t async; /* the queue is no longer empty */
    int open_handles;
    int polled; /* the events that are waited for */
    bool reading, ended;
    leati_frames in;

    pthread_mutex_t lock;
    bool broken, closing;
    leati_buf queue;
    size_t written; /* of the queue */
};

/* --- writing ---------------------------------------------------------------------------------- */

/* How much of the parts the socket takes now; -1: it is broken. */
static ssize_t write_now(leati_connection *c, struct iovec *parts, int count) {
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = (size_t)count};
    ssize_t n;
    do n = sendmsg(c->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    if (n >= 0) return n;
    return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -1;
}

/* Under the lock. What is written goes to the front when it is the larger part, so that a queue
   that never gets empty does not grow. */
static void forget_written(leati_connection *c) {
    size_t left = c->queue.size - c->written;
    if (c->written < left) return;
    if (!left && c->queue.room > KEEP) leati_buf_fini(&c->queue);
    if (left) memmove(c->queue.bytes, c->queue.bytes + c->written, left);
    c->queue.size = left;
    c->written = 0;
}

/* Under the lock: what was not written of the parts goes to the queue. */
static void queue_rest(leati_connection *c, const struct iovec *parts, int count, size_t skip) {
    for (int i = 0; i < count; i++) {
        size_t size = parts[i].iov_len;
        size_t gone = skip < size ? skip : size;
        leati_buf_append(&c->queue, (const char *)parts[i].iov_base + gone, size - gone);
        skip -= gone;
    }
    if (c->queue.failed) c->broken = true;
}

leat_status leati_connection_send(leati_connection *c, leati_frame_kind kind, const void *head,
                                  size_t head_size, const void *body, size_t body_size) {
    char header[LEATI_FRAME_HEADER];
    size_t total = LEATI_FRAME_HEADER + head_size + body_size;
    if (head_size + body_size > LEATI_FRAME_MOST) return LEAT_E_RANGE;
    leati_frame_header(header, head_size + body_size, kind);
    struct iovec parts[3] = {{header, sizeof header},
                             {(void *)(uintptr_t)head, head_size},
                             {(void *)(uintptr_t)body, body_size}};
    pthread_mutex_lock(&c->lock);
    bool waiting = c->queue.size > 0;
    ssize_t n = c->broken || waiting ? 0 : write_now(c, parts, 3);
    if (n < 0) c->broken = true;
    if (!c->broken && (size_t)n < total) {
        queue_rest(c, parts, 3, (size_t)n);
        if (!waiting && !c->closing) uv_async_send(&c->async);
    }
    leat_status status = c->queue.failed ? LEAT_E_NOMEM : c->broken ? LEAT_E_IO : LEAT_OK;
    pthread_mutex_unlock(&c->lock);
    return status;
}

static void write_queue(leati_connection *c) {
    pthread_mutex_lock(&c->lock);
    size_t left = c->queue.size - c->written;
    struct iovec part = {c->queue.bytes + c->written, left};
    ssize_t n = left && !c->broken ? write_now(c, &part, 1) : 0;
    if (n < 0) c->broken = true;
    c->written = c->broken ? c->queue.size : c->written + (size_t)n;
    forget_written(c);
    pthread_mutex_unlock(&c->lock);
}

/* --- reading ---------------------------------------------------------------------------------- */

static void finish(leati_connection *c, leat_status status) {
    if (c->ended) return;
    c->ended = true;
    pthread_mutex_lock(&c->lock);
    bool closing = c->closing;
    c->broken = true;
    c->written = c->queue.size;
    forget_written(c);
    pthread_mutex_unlock(&c->lock);
    if (closing) return;
    uv_poll_stop(&c->poll);
    c->news.on_end(c->news.arg, c, status);
}

static leat_status take_frame(void *arg, uint8_t kind, const char *payload, size_t size) {
    leati_connection *c = arg;
    leat_status status = c->news.on_frame(c->news.arg, c, kind, payload, size);
    if (status < 0) return status;
    return c->closing ? LEAT_DONE : LEAT_OK;
}

/* False when there is nothing more to read now, or ever. */
static bool read_some(leati_connection *c) {
    size_t room = 0;
    char *to = c->ended || c->closing ? NULL : leati_frames_room(&c->in, &room);
    ssize_t n = to ? recv(c->fd, to, room, MSG_DONTWAIT) : -1;
    if (to && n < 0 && errno == EINTR) return true;
    if (to && n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return false;
    if (n <= 0) {
        finish(c, to ? LEAT_OK : LEAT_E_NOMEM);
        return false;
    }
    leat_status status = leati_frames_take(&c->in, (size_t)n, take_frame, c);
    if (status < 0) finish(c, status);
    return status == LEAT_OK;
}

bool leati_connection_idle(leati_connection *c) {
    pthread_mutex_lock(&c->lock);
    bool idle = c->broken || !c->queue.size;
    pthread_mutex_unlock(&c->lock);
    return idle;
}

void leati_connection_drain(leati_connection *c) {
    while (!c->ended && !c->closing && read_some(c)) continue;
}

/* --- the loop's side -------------------------------------------------------------------------- */

static void update_poll(leati_connection *c);

/* A status below zero is the socket's error state, behind which the last frames may still lie. */
static void on_poll(uv_poll_t *poll, int status, int events) {
    leati_connection *c = poll->data;
    if (status < 0) {
        leati_connection_drain(c);
        finish(c, LEAT_OK);
        return;
    }
    if (events & UV_WRITABLE) write_queue(c);
    if (events & UV_READABLE) read_some(c);
    update_poll(c);
}

static void update_poll(leati_connection *c) {
    if (c->ended || c->closing) return;
    pthread_mutex_lock(&c->lock);
    int events = (c->reading ? UV_READABLE : 0) | (c->queue.size ? UV_WRITABLE : 0);
    pthread_mutex_unlock(&c->lock);
    if (events == c->polled) return;
    c->polled = events;
    if (events)
        uv_poll_start(&c->poll, events, on_poll);
    else
        uv_poll_stop(&c->poll);
}

static void on_async(uv_async_t *async) {
    update_poll(async->data);
}

leati_connection *leati_connection_new(uv_loop_t *loop, int fd, int peer,
                                       const leati_connection_news *news) {
    leati_connection *c = leati_zalloc(sizeof *c);
    if (!c || uv_poll_init(loop, &c->poll, fd)) {
        leati_free(c);
        close(fd);
        return NULL;
    }
    uv_async_init(loop, &c->async, on_async);
    c->poll.data = c->async.data = c;
    c->open_handles = 2;
    c->fd = fd;
    c->peer = peer;
    c->news = *news;
    leati_frames_init(&c->in);
    pthread_mutex_init(&c->lock, NULL);
    return c;
}

int leati_connection_peer(const leati_connection *c) {
    return c->peer;
}

void leati_connection_start(leati_connection *c) {
    c->reading = true;
    update_poll(c);
}

static void on_closed(uv_handle_t *handle) {
    leati_connection *c = handle->data;
    if (--c->open_handles) return;
    close(c->fd);
    leati_buf_fini(&c->queue);
    leati_frames_fini(&c->in);
    pthread_mutex_destroy(&c->lock);
    leati_free(c);
}

void leati_connection_close(leati_connection *c) {
    if (!c || c->closing) return;
    pthread_mutex_lock(&c->lock);
    c->closing = c->broken = true;
    pthread_mutex_unlock(&c->lock);
    uv_poll_stop(&c->poll);
    uv_close((uv_handle_t *)&c->poll, on_closed);
    uv_close((uv_handle_t *)&c->async, on_closed);
}
