/* text_reader.c: opens, reads, decompresses. A split that ends inside its file is read a little
   beyond its end, until the line that crosses it has ended; then its last block is out. */
#include "connectors/text_reader.h"

#include "runtime/base/alloc.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PACKED_ROOM = 64 << 10, BEYOND_STEP = 4 << 10 };

static const leati_text_split *split_of(const leati_text_reader *r) {
    return &r->splits.items[r->current];
}

static leat_status cannot(leati_text_reader *r, const char *what) {
    int code = errno;
    const char *path = split_of(r)->path;
    return leat_error_set(&r->err, code == ENOENT ? LEAT_E_NOT_FOUND : LEAT_E_IO, path,
                          "cannot %s '%s': %s", what, path, strerror(code));
}

static leat_status no_memory(leati_text_reader *r) {
    return leat_error_set(&r->err, LEAT_E_NOMEM, split_of(r)->path, "no memory to read '%s'",
                          split_of(r)->path);
}

/* --- reading ---------------------------------------------------------------------------------- */

/* Up to `size` bytes of the file itself; 0 at its end. */
static leat_status read_file(leati_text_reader *r, void *out, size_t size, size_t *got) {
    ssize_t n;
    do n = pread(r->fd, out, size, (off_t)r->file_at);
    while (n < 0 && errno == EINTR);
    if (n < 0) return cannot(r, "read");
    r->file_at += (uint64_t)n;
    *got = (size_t)n;
    return LEAT_OK;
}

static leat_status damaged(leati_text_reader *r, const char *what) {
    const char *path = split_of(r)->path;
    return leat_error_set(&r->err, LEAT_E_FORMAT, path, "'%s' %s, near byte %llu", path, what,
                          (unsigned long long)(r->file_at - r->packed_size + r->packed_at));
}

/* The same of the decompressed text. */
static leat_status read_gzip(leati_text_reader *r, void *out, size_t size, size_t *got) {
    leati_gzip_span span = {NULL, 0, out, size};
    while (span.out_size == size) {
        if (r->packed_at == r->packed_size) {
            r->packed_at = r->packed_size = 0;
            leat_status status = read_file(r, r->packed, PACKED_ROOM, &r->packed_size);
            if (status < 0) return status;
            if (r->packed_size == 0) break;
        }
        span.in = r->packed + r->packed_at;
        span.in_size = r->packed_size - r->packed_at;
        leat_status status = leati_gzip_read(r->gzip, &span);
        r->packed_at = r->packed_size - span.in_size;
        if (status == LEAT_E_NOMEM) return no_memory(r);
        if (status < 0) return damaged(r, "is no gzip file, or is damaged");
    }
    *got = size - span.out_size;
    if (*got == 0 && r->file_at > 0 && !leati_gzip_complete(r->gzip))
        return damaged(r, "ends in the middle of its gzip data");
    return LEAT_OK;
}

static leat_status read_text(leati_text_reader *r, void *out, size_t size, size_t *got) {
    leat_status status = r->gzip ? read_gzip(r, out, size, got) : read_file(r, out, size, got);
    if (status >= 0) r->at += *got;
    return status;
}

/* --- splits ----------------------------------------------------------------------------------- */

static leat_status open_gzip(leati_text_reader *r, uint64_t start) {
    if (!r->packed) r->packed = leati_alloc(PACKED_ROOM);
    r->gzip = leati_gzip_new();
    if (!r->packed || !r->gzip) return no_memory(r);
    r->packed_at = r->packed_size = 0;
    char dropped[4096];
    leat_status status = LEAT_OK;
    for (size_t got = 1; status >= 0 && got > 0 && r->at < start;) {
        uint64_t left = start - r->at;
        status = read_text(r, dropped, left < sizeof dropped ? left : sizeof dropped, &got);
    }
    return status;
}

/* What was read before cannot have been in it. */
static leat_status became_shorter(leati_text_reader *r, uint64_t start, uint64_t size) {
    const char *path = split_of(r)->path;
    return leat_error_set(
        &r->err, LEAT_E_IO, path,
        "'%s' has changed: reading goes on at byte %llu, and it has %llu; put the "
        "old file back, or start without the snapshot",
        path, (unsigned long long)start, (unsigned long long)size);
}

static leat_status check_start(leati_text_reader *r, uint64_t start) {
    struct stat info;
    if (fstat(r->fd, &info) != 0) return cannot(r, "read");
    uint64_t size = (uint64_t)info.st_size;
    return size < start ? became_shorter(r, start, size) : LEAT_OK;
}

static leat_status open_split(leati_text_reader *r) {
    const leati_text_split *split = split_of(r);
    r->fd = open(split->path, O_RDONLY | O_CLOEXEC);
    if (r->fd < 0) return cannot(r, "open");
    r->open = true;
    r->at = r->file_at = split->gzip ? 0 : split->start;
    leat_status status = split->gzip ? open_gzip(r, split->start) : check_start(r, split->start);
    if (status < 0 || r->at >= split->start) return status;
    return became_shorter(r, split->start, r->at);
}

static void close_split(leati_text_reader *r) {
    if (r->open) close(r->fd);
    r->open = false;
    leati_gzip_free(r->gzip);
    r->gzip = NULL;
}

/* How much to read, in `room` bytes: up to the split's end, then in small steps. */
static size_t step_of(const leati_text_reader *r, size_t room) {
    uint64_t end = split_of(r)->end;
    uint64_t step = r->at < end ? end - r->at : BEYOND_STEP;
    return step < room ? (size_t)step : room;
}

/* Does the line that reaches the end of the split end in these bytes, which were read last? */
static bool covers_end(const leati_text_reader *r, const char *bytes, size_t size) {
    uint64_t end = split_of(r)->end, begin = r->at - size;
    if (r->at < end) return false;
    size_t from = end > begin + 1 ? (size_t)(end - 1 - begin) : 0;
    return from < size && memchr(bytes + from, '\n', size - from) != NULL;
}

leat_status leati_text_reader_fill(leati_text_reader *r, leati_text_block *block) {
    if (r->current == r->splits.count) return LEAT_DONE;
    leat_status status = r->open ? LEAT_OK : open_split(r);
    block->split = r->current;
    block->offset = r->at;
    block->size = 0;
    block->last = false;
    while (status >= 0 && !block->last && block->size < block->room) {
        size_t got = 0;
        char *to = block->bytes + block->size;
        status = read_text(r, to, step_of(r, block->room - block->size), &got);
        block->size += got;
        block->last = got == 0 || covers_end(r, to, got);
    }
    if (status < 0) return status;
    if (block->last) {
        close_split(r);
        r->current++;
    }
    return LEAT_OK;
}

void leati_text_reader_forget(leati_text_reader *r) {
    leati_text_splits_fini(&r->splits);
    r->current = 0;
}

void leati_text_reader_fini(leati_text_reader *r) {
    close_split(r);
    leati_free(r->packed);
    leati_text_splits_fini(&r->splits);
    memset(r, 0, sizeof *r);
}
