/* connection.c: see connection.h. `lock` guards the queue; the loop polls for writing only while there is one. */
#include "runtime/job/connection.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "runtime/base/alloc.h"

enum { READ_ROOM = 64 * 1024 };

struct leati_connection {
    int fd, peer;
    leati_connection_news news;
    uv_poll_t poll;
    uv_async_t async; /* there is something to write */
    int open_handles;
    bool reading, broken, ended, closing;

    pthread_mutex_t lock;
    leati_buf queue;
    size_t written; /* of the queue */

    leati_buf in; /* unparsed bytes */
};

/* --- writing -------------------------------------------------------------------------------------- */

static void put_header(char *header, size_t size, leati_frame_kind kind) {
    for (int i = 0; i < 4; i++) header[i] = (char)(size >> (8 * i));
    header[4] = (char)kind;
}

/* How much of the parts the socket takes now; -1: it is broken. */
static ssize_t write_now(leati_connection *w, struct iovec *parts, int count) {
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = (size_t)count};
    ssize_t n;
    do n = sendmsg(w->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    if (n >= 0) return n;
    return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -1;
}

/* Under the lock: what was not written of the parts goes to the queue. */
static void queue_rest(leati_connection *w, const struct iovec *parts, int count, size_t skip) {
    for (int i = 0; i < count; i++) {
        size_t size = parts[i].iov_len;
        size_t gone = skip < size ? skip : size;
        leati_buf_append(&w->queue, (const char *)parts[i].iov_base + gone, size - gone);
        skip -= gone;
    }
}

leat_status leati_connection_send(leati_connection *w, leati_frame_kind kind, const void *head,
                                  size_t head_size, const void *body, size_t body_size) {
    char header[LEATI_WIRE_HEADER];
    size_t total = LEATI_WIRE_HEADER + head_size + body_size;
    if (total > LEATI_WIRE_MAX) return LEAT_E_RANGE;
    put_header(header, head_size + body_size, kind);
    struct iovec parts[3] = {{header, sizeof header},
                             {(void *)(uintptr_t)head, head_size},
                             {(void *)(uintptr_t)body, body_size}};
    pthread_mutex_lock(&w->lock);
    ssize_t n = 0;
    if (!w->broken && !w->queue.size) n = write_now(w, parts, 3);
    if (n < 0) w->broken = true;
    bool queued = !w->broken && (size_t)n < total;
    if (queued) queue_rest(w, parts, 3, (size_t)n);
    if (w->queue.failed) w->broken = true;
    leat_status status = w->queue.failed ? LEAT_E_NOMEM : w->broken ? LEAT_E_IO : LEAT_OK;
    if (queued && !w->closing) uv_async_send(&w->async);
    pthread_mutex_unlock(&w->lock);
    return status;
}

static void update_poll(leati_connection *w);

static void write_queue(leati_connection *w) {
    pthread_mutex_lock(&w->lock);
    size_t left = w->queue.size - w->written;
    struct iovec part = {w->queue.bytes + w->written, left};
    ssize_t n = left && !w->broken ? write_now(w, &part, 1) : 0;
    if (n < 0) w->broken = true;
    if (n > 0) w->written += (size_t)n;
    if (w->written == w->queue.size || w->broken) w->queue.size = w->written = 0;
    pthread_mutex_unlock(&w->lock);
    update_poll(w);
}

/* --- reading -------------------------------------------------------------------------------------- */

static void finish(leati_connection *w, leat_status status) {
    if (w->ended) return;
    w->ended = true;
    uv_poll_stop(&w->poll);
    pthread_mutex_lock(&w->lock);
    w->broken = true;
    pthread_mutex_unlock(&w->lock);
    w->news.on_end(w->news.arg, w, status);
}

/* Hands whole frames over and keeps the rest. */
static leat_status parse(leati_connection *w) {
    size_t at = 0;
    leat_status status = LEAT_OK;
    while (status >= 0 && !w->closing && w->in.size - at >= LEATI_WIRE_HEADER) {
        leati_reader r = leati_reader_of(w->in.bytes + at, w->in.size - at);
        size_t size = leati_reader_u32(&r);
        uint8_t kind = leati_reader_u8(&r);
        if (size > LEATI_WIRE_MAX) return LEAT_E_FORMAT;
        if (leati_reader_left(&r) < size) {
            if (!leati_buf_reserve(&w->in, size)) return LEAT_E_NOMEM;
            break;
        }
        status = w->news.on_frame(w->news.arg, w, kind, r.at, size);
        at += LEATI_WIRE_HEADER + size;
    }
    if (at) memmove(w->in.bytes, w->in.bytes + at, w->in.size - at);
    w->in.size -= at;
    return status;
}

static void read_some(leati_connection *w) {
    if (!leati_buf_reserve(&w->in, READ_ROOM)) {
        finish(w, LEAT_E_NOMEM);
        return;
    }
    ssize_t n = recv(w->fd, w->in.bytes + w->in.size, w->in.room - w->in.size, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) return;
    if (n <= 0) {
        finish(w, LEAT_OK);
        return;
    }
    w->in.size += (size_t)n;
    leat_status status = parse(w);
    if (status < 0) finish(w, status);
}

/* --- the loop's side ------------------------------------------------------------------------------ */

static void on_poll(uv_poll_t *poll, int status, int events) {
    leati_connection *w = poll->data;
    if (status < 0) {
        finish(w, LEAT_OK);
        return;
    }
    if (events & UV_WRITABLE) write_queue(w);
    if (events & (UV_READABLE | UV_DISCONNECT)) read_some(w);
}

static void update_poll(leati_connection *w) {
    if (w->ended || w->closing) return;
    pthread_mutex_lock(&w->lock);
    int events = (w->reading ? UV_READABLE : 0) | (w->queue.size ? UV_WRITABLE : 0);
    pthread_mutex_unlock(&w->lock);
    if (events)
        uv_poll_start(&w->poll, events, on_poll);
    else
        uv_poll_stop(&w->poll);
}

static void on_async(uv_async_t *async) {
    update_poll(async->data);
}

leati_connection *leati_connection_new(uv_loop_t *loop, int fd, int peer,
                                       const leati_connection_news *news) {
    leati_connection *w = leati_zalloc(sizeof *w);
    if (!w || uv_poll_init(loop, &w->poll, fd)) {
        leati_free(w);
        close(fd);
        return NULL;
    }
    uv_async_init(loop, &w->async, on_async);
    w->poll.data = w->async.data = w;
    w->open_handles = 2;
    w->fd = fd;
    w->peer = peer;
    w->news = *news;
    pthread_mutex_init(&w->lock, NULL);
    return w;
}

int leati_connection_peer(const leati_connection *w) {
    return w->peer;
}

void leati_connection_start(leati_connection *w) {
    w->reading = true;
    update_poll(w);
}

static void on_closed(uv_handle_t *handle) {
    leati_connection *w = handle->data;
    if (--w->open_handles) return;
    close(w->fd);
    leati_buf_fini(&w->queue);
    leati_buf_fini(&w->in);
    pthread_mutex_destroy(&w->lock);
    leati_free(w);
}

void leati_connection_close(leati_connection *w) {
    if (!w || w->closing) return;
    pthread_mutex_lock(&w->lock);
    w->closing = w->broken = true;
    pthread_mutex_unlock(&w->lock);
    uv_poll_stop(&w->poll);
    uv_close((uv_handle_t *)&w->poll, on_closed);
    uv_close((uv_handle_t *)&w->async, on_closed);
}
