/* line_writer.c: two buffers: one is filled on the operator's thread, the other is written on the
   I/O thread, one request at a time.

   The writer is counted, because the operator may end while a request is out. While one is out,
   `writing`, `written`, `closes`, `closed`, `is_open`, `fd` and `err` belong to the I/O thread;
   everything else belongs to the operator's.

   Streams (pipes, terminals, sockets) may be slow for ever, and the I/O thread serves everybody:
   nothing is written to them unless poll(2) says that they take it, in pieces of at most PIPE_BUF
   bytes, which a pipe takes at once and in one piece; a stream that takes none for a while is tried
   again by a later request. Pieces end at line ends where a line is short enough, so that lines of
   several processes do not mix.

   A reader that is gone shows as EPIPE. The signal that comes with it is blocked around the write
   and taken back, so that the host never sees it. */
#include "connectors/line_writer.h"

#include "runtime/base/alloc.h"
#include "runtime/base/buf.h"
#include "runtime/base/file_path.h"
#include "runtime/base/files.h"
#include "runtime/base/status_line.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { STREAM_WAIT = 50 }; /* ms that a request waits for a stream */

struct leati_line_writer {
    atomic_int refs; /* the operator, and a request that is out */
    char *path;
    bool stream;  /* is somebody else's descriptor */
    bool folders; /* are to be made */

    leati_buf filling;
    bool closing; /* once all is written */
    bool opening, flushing, held, requested;
    bool broken; /* a request failed: none follows */

    leati_buf writing;
    size_t written; /* bytes of `writing` */
    bool closes;    /* once `writing` is written */
    bool closed;
    int fd;
    bool is_open, slow; /* slow: a pipe, a terminal ... */
    leat_error err;
};

/* --- life ------------------------------------------------------------------------------------- */

leati_line_writer *leati_line_writer_new(const leati_line_target *target) {
    leati_line_writer *w = leati_zalloc(sizeof *w);
    if (!w) return NULL;
    atomic_init(&w->refs, 1);
    w->stream = target->fd >= 0;
    w->fd = target->fd;
    w->is_open = w->slow = w->stream;
    w->folders = target->folders;
    w->path = leati_strdup(leati_file_path(target->path));
    if (w->path) return w;
    leati_line_writer_free(w);
    return NULL;
}

static void writer_unref(void *arg) {
    leati_line_writer *w = arg;
    if (!w || atomic_fetch_sub(&w->refs, 1) > 1) return;
    if (w->is_open && !w->stream) close(w->fd);
    leati_buf_fini(&w->filling);
    leati_buf_fini(&w->writing);
    leati_free(w->path);
    leati_free(w);
}

void leati_line_writer_free(leati_line_writer *w) {
    writer_unref(w);
}

/* --- on the I/O thread ------------------------------------------------------------------------ */

static leat_status cannot_write(leati_line_writer *w) {
    return leati_file_cannot("write", w->path, &w->err);
}

static leat_status open_file(leati_line_writer *w) {
    leat_status status = w->folders ? leati_file_folders(w->path, &w->err) : LEAT_OK;
    if (status < 0) return status;
    w->fd = open(w->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NONBLOCK, 0666);
    if (w->fd < 0) return cannot_write(w);
    struct stat info;
    w->is_open = true;
    w->slow = fstat(w->fd, &info) != 0 || !S_ISREG(info.st_mode);
    return LEAT_OK;
}

/* How much of `size` bytes to write at once to a stream: whole lines, if one fits. */
static size_t piece_of(const char *bytes, size_t size) {
    if (size <= PIPE_BUF) return size;
    const char *end = memrchr(bytes, '\n', PIPE_BUF);
    return end ? (size_t)(end + 1 - bytes) : PIPE_BUF;
}

/* LEAT_OK when the stream takes bytes, or will say at the write why it does not. */
static leat_status await_room(leati_line_writer *w) {
    struct pollfd p = {w->fd, POLLOUT, 0};
    int n = poll(&p, 1, STREAM_WAIT);
    if (n < 0 && errno != EINTR) return cannot_write(w);
    return n > 0 ? LEAT_OK : LEAT_AGAIN;
}

static leat_status write_out(leati_line_writer *w) {
    while (w->written < w->writing.size) {
        const char *bytes = w->writing.bytes + w->written;
        size_t size = w->writing.size - w->written;
        leat_status status = w->slow ? await_room(w) : LEAT_OK;
        if (status != LEAT_OK) return status;
        if (w->slow) leati_status_line_clear(w->fd);
        ssize_t n = write(w->fd, bytes, w->slow ? piece_of(bytes, size) : size);
        if (n < 0 && errno == EAGAIN) return LEAT_AGAIN;
        if (n < 0 && errno != EINTR) return cannot_write(w);
        if (n > 0) w->written += (size_t)n;
    }
    w->written = w->writing.size = 0;
    return LEAT_OK;
}

/* The same, and SIGPIPE stays among us. */
static leat_status write_quietly(leati_line_writer *w) {
    sigset_t pipe_only, pending, before;
    sigemptyset(&pipe_only);
    sigaddset(&pipe_only, SIGPIPE);
    sigemptyset(&pending);
    sigpending(&pending);
    pthread_sigmask(SIG_BLOCK, &pipe_only, &before);
    leat_status status = write_out(w);
    struct timespec at_once = {0, 0};
    if (status < 0 && !sigismember(&pending, SIGPIPE)) sigtimedwait(&pipe_only, NULL, &at_once);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return status;
}

static leat_status close_file(leati_line_writer *w) {
    w->closed = true;
    if (!w->is_open || w->stream) return LEAT_OK;
    w->is_open = false;
    return close(w->fd) == 0 ? LEAT_OK : cannot_write(w);
}

static leat_status writer_work(void *arg) {
    leati_line_writer *w = arg;
    leat_status status = LEAT_OK;
    if (!w->is_open && !w->closed) status = open_file(w);
    if (status >= 0 && w->writing.size > 0) status = w->slow ? write_quietly(w) : write_out(w);
    return status == LEAT_OK && w->closes && !w->closed ? close_file(w) : status;
}

/* --- on the operator's thread ----------------------------------------------------------------- */

static leat_status request(leat_context *ctx, leati_line_writer *w);

static leat_status writer_done(leat_context *ctx, void *self, void *arg, leat_status worked) {
    (void)self;
    leati_line_writer *w = arg;
    w->requested = false;
    w->broken = worked < 0;
    bool ended = w->closing && w->closed;
    leat_status status =
        worked < 0 ? leat_context_fail(ctx, worked, "%s", w->err.text) : request(ctx, w);
    if (status >= 0 && w->held && w->filling.size < LEATI_WRITER_MOST / 2) {
        w->held = false;
        leat_context_release(ctx);
    }
    if (ended) leat_context_wake(ctx);
    writer_unref(w);
    return status;
}

static bool is_due(const leati_line_writer *w) {
    if (w->broken) return false;
    if (w->written < w->writing.size || w->opening) return true;
    if (w->filling.size >= LEATI_WRITER_STEP || (w->flushing && w->filling.size > 0)) return true;
    return w->closing && !w->closed;
}

/* Sends the next piece of work, if there is one and none is out. */
static leat_status request(leat_context *ctx, leati_line_writer *w) {
    if (w->requested || !is_due(w)) return LEAT_OK;
    if (w->writing.size == 0) {
        leati_buf empty = w->writing;
        w->writing = w->filling;
        w->filling = empty;
        w->flushing = w->opening = false;
        w->closes = w->closing;
    }
    leat_io io = {writer_work, writer_done, writer_unref, w};
    atomic_fetch_add(&w->refs, 1);
    leat_status status = leat_context_io(ctx, &io);
    if (status < 0)
        writer_unref(w);
    else
        w->requested = true;
    return status < 0 ? status : LEAT_OK;
}

leat_status leati_line_writer_open(leat_context *ctx, leati_line_writer *w) {
    w->opening = true;
    return request(ctx, w);
}

leat_status leati_line_writer_line(leat_context *ctx, leati_line_writer *w, leat_value before,
                                   leat_value text) {
    leati_buf *b = &w->filling;
    if (!leati_buf_reserve(b, (size_t)before.size + text.size + 1)) return LEAT_E_NOMEM;
    leati_buf_append(b, before.as.bytes, before.size);
    leati_buf_append(b, text.as.bytes, text.size);
    b->bytes[b->size++] = '\n';
    if (LEAT_LIKELY(b->size < LEATI_WRITER_STEP)) return LEAT_OK;
    if (b->size >= LEATI_WRITER_MOST && !w->held) {
        w->held = true;
        leat_context_hold(ctx);
    }
    return request(ctx, w);
}

leat_status leati_line_writer_flush(leat_context *ctx, leati_line_writer *w) {
    w->flushing = true;
    return request(ctx, w);
}

leat_status leati_line_writer_finish(leat_context *ctx, leati_line_writer *w) {
    w->closing = true;
    if (!w->requested && w->closed) return LEAT_OK;
    leat_status status = request(ctx, w);
    return status < 0 ? status : LEAT_AGAIN;
}

/* --- text ------------------------------------------------------------------------------------- */

/* Writes the digits from the end of `small` on. */
static leat_value int_text(int64_t i, char small[LEATI_LINE_SMALL]) {
    char *end = small + LEATI_LINE_SMALL, *at = end;
    uint64_t left = i < 0 ? 0 - (uint64_t)i : (uint64_t)i;
    do *--at = (char)('0' + left % 10);
    while (left /= 10);
    if (i < 0) *--at = '-';
    return leat_string_n(at, (size_t)(end - at));
}

leat_status leati_line_text(leat_context *ctx, const leat_value *v, leat_text_form form,
                            char small[LEATI_LINE_SMALL], leat_value *text) {
    if (LEAT_LIKELY(v->kind == LEAT_STRING)) {
        *text = *v;
        return LEAT_OK;
    }
    if (v->kind == LEAT_INT) {
        *text = int_text(v->as.i, small);
        return LEAT_OK;
    }
    const char *bytes;
    size_t size;
    leat_status status =
        leat_value_text(ctx, v, leat_context_input_type(ctx, 0), form, &bytes, &size);
    if (status >= 0) *text = leat_string_n(bytes, size);
    return status;
}
