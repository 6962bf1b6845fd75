/* relay.c: see relay.h. Lines wait for the I/O thread in one piece of work each read; when more than a megabyte waits, reading
   pauses, so that a worker that prints faster than the terminal takes is slowed down and no memory is lost. */
#include "runtime/job/relay.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "runtime/base/alloc.h"
#include "runtime/base/buf.h"
#include "runtime/base/io_thread.h"

enum { READ_ROOM = 16 * 1024, MOST_WAITING = 1 << 20, TAIL = 2048 };

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

/* --- writing, on the I/O thread ------------------------------------------------------------------- */

static leat_status write_lines(void *arg) {
    relay_lines *l = arg;
    size_t at = 0;
    while (at < l->size) {
        ssize_t n = write(l->relay->to, l->bytes + at, l->size - at);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return LEAT_E_IO; /* nobody reads what users print; that fails no job */
        at += (size_t)n;
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

/* --- reading, on the loop's thread ---------------------------------------------------------------- */

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

/* False when there is nothing more now. */
static bool read_once(leati_relay *r) {
    if (r->ended || !leati_buf_reserve(&r->line, READ_ROOM)) return false;
    ssize_t n = read(r->from, r->line.bytes + r->line.size, READ_ROOM);
    if (n < 0) return errno == EINTR;
    r->ended = n == 0;
    keep_tail(r, r->line.bytes + r->line.size, (size_t)n);
    r->line.size += (size_t)n;
    size_t whole = r->line.size;
    while (whole && r->line.bytes[whole - 1] != '\n') whole--;
    pass_on(r, r->line.bytes, whole);
    memmove(r->line.bytes, r->line.bytes + whole, r->line.size - whole);
    r->line.size -= whole;
    return !r->ended;
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
    while (read_once(r)) continue;
}

void leati_relay_tail(const leati_relay *r, char *out, size_t size) {
    size_t n = r->tail_size < size - 1 ? r->tail_size : size - 1;
    memcpy(out, r->tail + r->tail_size - n, n);
    out[n] = 0;
}

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
