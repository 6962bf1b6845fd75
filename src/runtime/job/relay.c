/* relay.c: see relay.h. Lines wait for the I/O thread in one piece of work each read; when more
   than a megabyte waits, reading pauses, so that a worker that prints faster than the terminal
   takes is slowed down and no memory is lost. For the same reason a line of more than a megabyte is
   given out in pieces. */
#include "runtime/job/relay.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "runtime/base/alloc.h"
#include "runtime/base/buf.h"
#include "runtime/base/io_thread.h"
#include "runtime/base/status_line.h"
#include "runtime/base/utf8.h"

enum { READ_ROOM = 64 * 1024, MOST_WAITING = 1 << 20, LONGEST_LINE = 1 << 20, TAIL = 2048 };

struct leati_relay {
    atomic_int refs; /* the owner, and each piece of work */
    int from, to, open_handles;
    uv_poll_t poll;
    uv_async_t resume;
    leati_buf line; /* unfinished */
    char tail[TAIL];
    size_t tail_size;
    atomic_size_t waiting;
    pthread_mutex_t lock; /* guards `closing` against the I/O thread's resume */
    bool ended, closing, paused;
};

typedef struct relay_lines {
    leati_relay *relay;
    size_t size;
    char bytes[];
} relay_lines;

static void unref(leati_relay *r) {
    if (atomic_fetch_sub(&r->refs, 1) != 1) return;
    leati_buf_fini(&r->line);
    pthread_mutex_destroy(&r->lock);
    leati_free(r);
}

/* --- writing, on the I/O thread --------------------------------------------------------------- */

/* The host may have made its output non-blocking. */
static bool wait_for_room(int fd) {
    struct pollfd p = {.fd = fd, .events = POLLOUT};
    int n = poll(&p, 1, -1);
    return n > 0 || (n < 0 && errno == EINTR);
}

static leat_status write_lines(void *arg) {
    relay_lines *l = arg;
    size_t at = 0;
    while (at < l->size) {
        leati_status_line_clear(l->relay->to);
        ssize_t n = write(l->relay->to, l->bytes + at, l->size - at);
        if (n >= 0)
            at += (size_t)n;
        else if (errno == EAGAIN && wait_for_room(l->relay->to))
            continue;
        else if (errno != EINTR)
            return LEAT_E_IO; /* nobody reads what users print; that fails no job */
    }
    return LEAT_OK;
}

static void lines_written(void *arg, leat_status status) {
    relay_lines *l = arg;
    leati_relay *r = l->relay;
    (void)status;
    if (atomic_fetch_sub(&r->waiting, l->size) > MOST_WAITING) {
        pthread_mutex_lock(&r->lock);
        if (!r->closing) uv_async_send(&r->resume);
        pthread_mutex_unlock(&r->lock);
    }
    unref(r);
    leati_free(l);
}

static void pass_on(leati_relay *r, const char *bytes, size_t size) {
    relay_lines *l = size ? leati_alloc(sizeof *l + size) : NULL;
    if (!l) return;
    l->relay = r;
    l->size = size;
    memcpy(l->bytes, bytes, size);
    atomic_fetch_add(&r->refs, 1);
    atomic_fetch_add(&r->waiting, size);
    if (leati_io_submit(write_lines, lines_written, l) < 0) lines_written(l, LEAT_E_IO);
}

/* --- reading, on the loop's thread ------------------------------------------------------------ */

static void keep_tail(leati_relay *r, const char *bytes, size_t size) {
    if (size > TAIL) {
        bytes += size - TAIL;
        size = TAIL;
    }
    size_t keep = r->tail_size + size > TAIL ? TAIL - size : r->tail_size;
    memmove(r->tail, r->tail + r->tail_size - keep, keep);
    memcpy(r->tail + keep, bytes, size);
    r->tail_size = keep + size;
}

/* Gives out what ends with the last newline among the `fresh` last bytes, or a line that is too
   long. */
static void pass_lines(leati_relay *r, size_t fresh) {
    size_t whole = r->line.size, least = r->line.size - fresh;
    while (whole > least && r->line.bytes[whole - 1] != '\n') whole--;
    if (whole == least) whole = r->line.size > LONGEST_LINE ? r->line.size : 0;
    pass_on(r, r->line.bytes, whole);
    if (whole) memmove(r->line.bytes, r->line.bytes + whole, r->line.size - whole);
    r->line.size -= whole;
}

/* How much was read; 0 when there is nothing more now. */
static size_t read_once(leati_relay *r) {
    ssize_t n;
    if (r->ended || !leati_buf_reserve(&r->line, READ_ROOM)) return 0;
    do n = read(r->from, r->line.bytes + r->line.size, READ_ROOM);
    while (n < 0 && errno == EINTR);
    if (n < 0) return 0;
    r->ended = n == 0;
    keep_tail(r, r->line.bytes + r->line.size, (size_t)n);
    r->line.size += (size_t)n;
    pass_lines(r, (size_t)n);
    return (size_t)n;
}

static void on_poll(uv_poll_t *poll, int status, int events) {
    leati_relay *r = poll->data;
    (void)events;
    if (status < 0) r->ended = true;
    read_once(r);
    r->paused = atomic_load(&r->waiting) > MOST_WAITING;
    if (r->ended || r->paused) uv_poll_stop(poll);
}

static void on_resume(uv_async_t *async) {
    leati_relay *r = async->data;
    if (!r->paused || r->ended || r->closing) return;
    r->paused = false;
    uv_poll_start(&r->poll, UV_READABLE, on_poll);
}

leati_relay *leati_relay_new(uv_loop_t *loop, int from, int to) {
    leati_relay *r = leati_zalloc(sizeof *r);
    fcntl(from, F_SETFL, fcntl(from, F_GETFL) | O_NONBLOCK);
    if (!r || uv_poll_init(loop, &r->poll, from)) {
        leati_free(r);
        close(from);
        return NULL;
    }
    uv_async_init(loop, &r->resume, on_resume);
    r->poll.data = r->resume.data = r;
    r->open_handles = 2;
    r->from = from;
    r->to = to;
    atomic_init(&r->refs, 1);
    pthread_mutex_init(&r->lock, NULL);
    uv_poll_start(&r->poll, UV_READABLE, on_poll);
    return r;
}

void leati_relay_drain(leati_relay *r) {
    int there = 0;
    if (!r || ioctl(r->from, FIONREAD, &there)) return;
    for (size_t left = (size_t)there, n; left && (n = read_once(r)); left -= n < left ? n : left)
        continue;
}

/* --- last words ------------------------------------------------------------------------------- */

/* What is no text becomes '?'. */
static void make_text(char *text, size_t size) {
    for (size_t at = 0; at < size;) {
        at += leati_utf8_valid(text + at, size - at);
        if (at < size) text[at++] = '?';
    }
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)text[i] < ' ' && text[i] != '\n' && text[i] != '\t') text[i] = '?';
}

void leati_relay_tail(const leati_relay *r, char *out, size_t size) {
    const char *from = r->tail, *end = r->tail + r->tail_size;
    bool cut = r->tail_size == TAIL;
    while (end > from && (end[-1] == '\n' || end[-1] == ' ')) end--;
    if ((size_t)(end - from) > size - 1) {
        from = end - (size - 1);
        cut = true;
    }
    const char *newline = cut ? memchr(from, '\n', (size_t)(end - from)) : NULL;
    if (newline) from = newline + 1;
    size_t length = (size_t)(end - from);
    memcpy(out, from, length);
    make_text(out, length);
    out[length] = 0;
}

/* --- the end ---------------------------------------------------------------------------------- */

static void on_closed(uv_handle_t *handle) {
    leati_relay *r = handle->data;
    if (--r->open_handles) return;
    close(r->from);
    unref(r);
}

void leati_relay_close(leati_relay *r) {
    if (!r) return;
    if (r->line.size) {
        leati_buf_u8(&r->line, '\n');
        pass_on(r, r->line.bytes, r->line.size);
    }
    pthread_mutex_lock(&r->lock);
    r->closing = true;
    pthread_mutex_unlock(&r->lock);
    uv_close((uv_handle_t *)&r->poll, on_closed);
    uv_close((uv_handle_t *)&r->resume, on_closed);
}
