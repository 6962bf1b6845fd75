/* store.c: reading what store_write.c wrote; see store.h and docs/formats/snapshot.md. Nothing that
   a file says of itself is believed before its checksum is right, and no memory is taken that the
   file is not large enough for. */
#include "runtime/state/store.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/base/alloc.h"
#include "runtime/base/compress.h"
#include "runtime/state/store_form.h"

struct leati_store {
    char *path; /* NULL: bytes in memory */
    int fd;
    const char *memory;
    uint64_t size;
    uint32_t version;
    uint32_t crc;    /* of the index */
    leati_buf index; /* names and texts of entries point into `strings` */
    leati_buf strings;
    leati_row *rows;
    size_t count;
    leati_buf stored, section;
};

static leat_status wrong(const leati_store *s, leat_error *err, const char *what) {
    return leat_error_set(err, LEAT_E_FORMAT, s->path ? s->path : "snapshot", "%s", what);
}

/* --- bytes ------------------------------------------------------------------------------------ */

static leat_status read_file(const leati_store *s, uint64_t offset, char *into, size_t size,
                             leat_error *err) {
    while (size) {
        ssize_t n = pread(s->fd, into, size, (off_t)offset);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0)
            return leat_error_set(err, LEAT_E_IO, s->path, "cannot be read: %s", strerror(errno));
        if (n == 0) return wrong(s, err, "it was cut off while it was being read");
        into += n;
        offset += (uint64_t)n;
        size -= (size_t)n;
    }
    return LEAT_OK;
}

/* `size` bytes from `offset` on, which are in the file; in `b` unless they are in memory. */
static leat_status fetch(const leati_store *s, uint64_t offset, size_t size, leati_buf *b,
                         const char **bytes, leat_error *err) {
    if (s->memory) {
        *bytes = s->memory + offset;
        return LEAT_OK;
    }
    b->size = 0;
    b->failed = false;
    if (!leati_buf_reserve(b, size + 1))
        return leat_error_set(err, LEAT_E_NOMEM, s->path, "no memory for %zu bytes", size);
    *bytes = b->bytes;
    return read_file(s, offset, b->bytes, size, err);
}

/* --- the index -------------------------------------------------------------------------------- */

/* Where it is copied to, with a zero at its end. Points into `strings`, which has room for all. */
static const char *get_text(leati_store *s, leati_reader *in) {
    size_t size;
    const char *text = leati_reader_blob(in, &size);
    if (!text || memchr(text, 0, size)) {
        in->failed = true;
        return "";
    }
    const char *copy = s->strings.bytes + s->strings.size;
    leati_buf_append(&s->strings, text, size);
    leati_buf_u8(&s->strings, 0);
    return copy;
}

static int get_int(leati_reader *in) {
    uint64_t x = leati_reader_varint(in);
    if (x > INT32_MAX) in->failed = true;
    return (int)(x & INT32_MAX);
}

static void get_operator(leati_store *s, leati_reader *in, leati_row *e) {
    e->name = get_text(s, in);
    e->text = get_text(s, in);
    e->subtask = get_int(in);
    e->parallelism = get_int(in);
    e->max_parallelism = get_int(in);
    e->watermark = leati_reader_zigzag(in);
    e->forwarded = leati_reader_zigzag(in);
    e->ends = (uint32_t)get_int(in);
    e->keys = s->version > 1 ? get_text(s, in) : "";
    if (e->subtask >= e->parallelism || e->parallelism > e->max_parallelism) in->failed = true;
}

static leat_distribution get_distribution(leati_reader *in) {
    uint8_t d = leati_reader_u8(in);
    if (d > LEAT_BROADCAST_STATE) in->failed = true;
    return (leat_distribution)d;
}

static void get_table(leati_store *s, leati_reader *in, leati_row *e) {
    e->name = get_text(s, in);
    e->text = get_text(s, in);
    uint8_t state = leati_reader_u8(in);
    if (state > LEAT_ORDERED_MAP_STATE) in->failed = true;
    e->state = (leat_state_kind)state;
    e->of_function = leati_reader_u8(in) != 0;
    e->distribution = get_distribution(in);
    uint8_t expiry = s->version > 1 ? leati_reader_u8(in) : LEATI_EXPIRY_UNKNOWN;
    if (expiry > LEATI_EXPIRES) in->failed = true;
    e->expiry = (leati_expiry)expiry;
}

static void get_place(const leati_store *s, leati_reader *in, leati_row *e) {
    e->offset = leati_reader_varint(in);
    e->stored = leati_reader_varint(in);
    e->size = leati_reader_varint(in);
    e->crc = leati_reader_u32(in);
    if (e->offset > s->size || e->stored > s->size - e->offset || e->size < e->stored ||
        e->size > leati_inflate_most(e->stored))
        in->failed = true;
}

static void get_row(leati_store *s, leati_reader *in, leati_row *e) {
    e->kind = (leati_row_kind)leati_reader_u8(in);
    switch (e->kind) {
    case LEATI_ROW_OPERATOR: get_operator(s, in, e); break;
    case LEATI_ROW_TABLE: get_table(s, in, e); break;
    case LEATI_ROW_CELLS: e->group = get_int(in); break;
    case LEATI_ROW_TIMERS:
        e->domain = leati_reader_u8(in) ? LEAT_PROCESSING_TIME : LEAT_EVENT_TIME;
        e->group = get_int(in);
        break;
    case LEATI_ROW_ITEM:
        e->name = get_text(s, in);
        e->distribution = get_distribution(in);
        break;
    case LEATI_ROW_LOG: break;
    default: in->failed = true; return;
    }
    if (leati_row_is_section(e)) get_place(s, in, e);
}

/* Cells follow their table, everything an operator; sections lie one behind the other from the head
   to the index, so that no byte of the file is without a checksum. */
static bool is_in_order(const leati_store *s, uint64_t index_at) {
    uint64_t at = LEATI_STORE_HEAD;
    bool any = false, table = false;
    for (size_t i = 0; i < s->count; i++) {
        const leati_row *e = &s->rows[i];
        if (e->kind != LEATI_ROW_LOG) { /* which is wherever it was just then */
            table = e->kind == LEATI_ROW_TABLE || (table && e->kind == LEATI_ROW_CELLS);
            any |= e->kind == LEATI_ROW_OPERATOR;
            if (!any || (e->kind == LEATI_ROW_CELLS && !table)) return false;
        }
        if (!leati_row_is_section(e)) continue;
        if (e->offset != at) return false;
        at += e->stored;
    }
    return at == index_at;
}

static leat_status read_index(leati_store *s, leati_reader in, uint64_t index_at, uint64_t rows,
                              leat_error *err) {
    size_t size = leati_reader_left(&in);
    if (rows > size / LEATI_SMALLEST_ROW) return wrong(s, err, "its index is damaged");
    s->rows = leati_zalloc(((size_t)rows + 1) * sizeof *s->rows);
    /* Each text loses its length, of a byte at least, and gets a zero. */
    if (!s->rows || !leati_buf_reserve(&s->strings, size + 1))
        return leat_error_set(err, LEAT_E_NOMEM, s->path ? s->path : "snapshot", "no memory");
    for (; s->count < rows && !in.failed; s->count++) get_row(s, &in, &s->rows[s->count]);
    bool good = !in.failed && !leati_reader_left(&in) && is_in_order(s, index_at);
    return good ? LEAT_OK : wrong(s, err, "its index is damaged");
}

static leat_status read_tail(leati_store *s, leat_error *err) {
    const char *bytes;
    leat_status status =
        fetch(s, s->size - LEATI_STORE_TAIL, LEATI_STORE_TAIL, &s->stored, &bytes, err);
    if (status < 0) return status;
    leati_reader in = leati_reader_of(bytes, LEATI_STORE_TAIL);
    uint64_t at = leati_reader_u64(&in), size = leati_reader_u64(&in);
    uint64_t rows = leati_reader_u64(&in);
    uint32_t index_crc = leati_reader_u32(&in), crc = leati_reader_u32(&in);
    if (memcmp(in.at, LEATI_STORE_END, LEATI_MAGIC_SIZE) != 0)
        return wrong(s, err, "it is cut off, or was never written to its end");
    if (crc != leati_crc32(0, bytes, LEATI_STORE_TAIL - LEATI_MAGIC_SIZE - 4))
        return wrong(s, err, "its end is damaged");
    if (at > s->size || size > s->size - at || size + at + LEATI_STORE_TAIL != s->size)
        return wrong(s, err, "its end does not fit its size");
    status = fetch(s, at, (size_t)size, &s->index, &bytes, err);
    if (status < 0) return status;
    if (leati_crc32(0, bytes, (size_t)size) != index_crc)
        return wrong(s, err, "its index is damaged");
    s->crc = index_crc;
    return read_index(s, leati_reader_of(bytes, (size_t)size), at, rows, err);
}

static leat_status read_head(leati_store *s, leat_error *err) {
    const char *bytes;
    if (s->size < LEATI_STORE_HEAD + LEATI_STORE_TAIL)
        return wrong(s, err, "it is too short to be a snapshot");
    leat_status status = fetch(s, 0, LEATI_STORE_HEAD, &s->stored, &bytes, err);
    if (status < 0) return status;
    if (memcmp(bytes, LEATI_STORE_MAGIC, LEATI_MAGIC_SIZE) != 0)
        return wrong(s, err, "it is no snapshot of Leat");
    leati_reader in = leati_reader_of(bytes + LEATI_MAGIC_SIZE, 8);
    s->version = leati_reader_u32(&in);
    if (leati_reader_u32(&in) != leati_crc32(0, bytes, LEATI_STORE_HEAD - 4))
        return wrong(s, err, "its head is damaged");
    if (s->version < 1 || s->version > LEATI_STORE_VERSION)
        return leat_error_set(err, LEAT_E_FORMAT, s->path ? s->path : "snapshot",
                              "it has format %u, and this Leat reads formats 1 to %d", s->version,
                              LEATI_STORE_VERSION);
    return LEAT_OK;
}

/* --- the store -------------------------------------------------------------------------------- */

static leat_status open_file(leati_store *s, const char *path, leat_error *err) {
    struct stat st;
    s->path = leati_strdup(path);
    if (!s->path) return leat_error_set(err, LEAT_E_NOMEM, path, "no memory");
    s->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe would keep it waiting */
    if (s->fd < 0 || fstat(s->fd, &st) < 0)
        return leat_error_set(err, LEAT_E_IO, path, "cannot be opened: %s", strerror(errno));
    if (!S_ISREG(st.st_mode)) return wrong(s, err, "it is no file");
    s->size = (uint64_t)st.st_size;
    return LEAT_OK;
}

static leati_store *finish_open(leati_store *s, leat_status status, leat_error *err) {
    if (status >= 0) status = read_head(s, err);
    if (status >= 0) status = read_tail(s, err);
    if (status >= 0) return s;
    leati_store_free(s);
    return NULL;
}

static leati_store *store_new(leat_error *err) {
    leati_store *s = leati_zalloc(sizeof *s);
    if (s)
        s->fd = -1;
    else
        leat_error_set(err, LEAT_E_NOMEM, "snapshot", "no memory");
    return s;
}

leati_store *leati_store_open(const char *path, leat_error *err) {
    leati_store *s = store_new(err);
    return s ? finish_open(s, open_file(s, path, err), err) : NULL;
}

leati_store *leati_store_of(const void *bytes, size_t size, leat_error *err) {
    leati_store *s = store_new(err);
    if (!s) return NULL;
    s->memory = bytes;
    s->size = size;
    return finish_open(s, LEAT_OK, err);
}

void leati_store_free(leati_store *s) {
    if (!s) return;
    if (s->fd >= 0) close(s->fd);
    leati_buf_fini(&s->index);
    leati_buf_fini(&s->strings);
    leati_buf_fini(&s->stored);
    leati_buf_fini(&s->section);
    leati_free(s->rows);
    leati_free(s->path);
    leati_free(s);
}

size_t leati_store_rows(const leati_store *s, const leati_row **rows) {
    *rows = s->rows;
    return s->count;
}

uint32_t leati_store_crc(const leati_store *s) {
    return s->crc;
}

leat_status leati_store_read(leati_store *s, const leati_row *e, const void **bytes, size_t *size,
                             leat_error *err) {
    const char *stored = NULL;
    leat_status status = fetch(s, e->offset, (size_t)e->stored, &s->stored, &stored, err);
    if (status < 0) return status;
    if (leati_crc32(0, stored, (size_t)e->stored) != e->crc)
        return leat_error_set(err, LEAT_E_FORMAT, s->path ? s->path : "snapshot",
                              "its bytes %llu to %llu are damaged", (unsigned long long)e->offset,
                              (unsigned long long)(e->offset + e->stored));
    *bytes = stored;
    *size = (size_t)e->stored;
    if (e->stored == e->size) return LEAT_OK;
    s->section.size = 0;
    s->section.failed = false;
    status = leati_inflate(stored, (size_t)e->stored, (size_t)e->size, &s->section);
    if (status == LEAT_E_FORMAT) return wrong(s, err, "a compressed part of it is damaged");
    if (status < 0) return leat_error_set(err, status, s->path ? s->path : "snapshot", "no memory");
    *bytes = s->section.bytes;
    *size = s->section.size;
    return LEAT_OK;
}

leat_status leati_store_verify(leati_store *s, const leati_abort *abort, leat_error *err) {
    leat_status status = LEAT_OK;
    for (size_t i = 0; i < s->count && status >= 0; i++) {
        const void *bytes;
        size_t size;
        if (!leati_row_is_section(&s->rows[i])) continue;
        if (leati_abort_wanted(abort))
            return leat_error_set(err, LEAT_E_CANCELLED, "store", "nobody wants it any more");
        status = leati_store_read(s, &s->rows[i], &bytes, &size, err);
    }
    return status;
}
