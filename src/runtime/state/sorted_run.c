/* sorted_run.c: see sorted_run.h for the format. */
#include "runtime/state/sorted_run.h"

#include "runtime/base/alloc.h"
#include "runtime/base/hash.h"
#include "runtime/base/tmp_file.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* --- the file --------------------------------------------------------------------------------- */

void leati_run_file_init(leati_run_file *f, const char *dirs) {
    f->fd = -1;
    f->size = 0;
    f->dirs = dirs;
}

void leati_run_file_fini(leati_run_file *f) {
    leati_tmp_file_close(f->fd);
    f->fd = -1;
}

static leat_status cannot(const char *what, leat_error *err) {
    return leat_error_set(
        err, LEAT_E_IO, "sort",
        "%s the temporary file of records that are sorted: %s; name a folder with "
        "more room in io.tmp.dirs, or raise execution.sorted-inputs.memory",
        what, strerror(errno));
}

leat_status leati_run_damaged(leat_error *err) {
    return leat_error_set(err, LEAT_E_FORMAT, "sort",
                          "the temporary file of records that are sorted is damaged; check that "
                          "disk, or name a folder on another one in io.tmp.dirs");
}

static leat_status no_memory(leat_error *err) {
    return leat_error_set(err, LEAT_E_NOMEM, "sort", "no memory for sorting");
}

static leat_status make_file(leati_run_file *f, leat_error *err) {
    if (f->fd < 0) f->fd = leati_tmp_file_open(f->dirs, err);
    return f->fd < 0 ? LEAT_E_IO : LEAT_OK;
}

leat_status leati_run_file_clear(leati_run_file *f, leat_error *err) {
    f->size = 0;
    if (f->fd >= 0 && ftruncate(f->fd, 0) != 0) return cannot("cannot shorten", err);
    return LEAT_OK;
}

static leat_status write_all(const leati_run_file *f, const char *bytes, size_t size, uint64_t at,
                             leat_error *err) {
    while (size) {
        ssize_t n = pwrite(f->fd, bytes, size, (off_t)at);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return cannot("cannot write", err);
        bytes += n;
        size -= (size_t)n;
        at += (uint64_t)n;
    }
    return LEAT_OK;
}

static leat_status read_all(const leati_run_file *f, char *bytes, size_t size, uint64_t at,
                            leat_error *err) {
    while (size) {
        ssize_t n = pread(f->fd, bytes, size, (off_t)at);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return cannot("cannot read", err);
        if (n == 0) return leati_run_damaged(err);
        bytes += n;
        size -= (size_t)n;
        at += (uint64_t)n;
    }
    return LEAT_OK;
}

/* --- writing ---------------------------------------------------------------------------------- */

/* In front of what is gathered stands room for the head of its block. */
leat_status leati_run_begin(leati_run_writer *w, leati_run_file *file, size_t block,
                            leat_error *err) {
    memset(w, 0, sizeof *w);
    w->file = file;
    leat_status status = make_file(file, err);
    if (status < 0) return status;
    w->run = (leati_run){.file = file, .start = file->size, .end = file->size, .block = block};
    if (!leati_buf_reserve(&w->gathered, LEATI_RUN_BLOCK_HEAD + block)) return no_memory(err);
    w->gathered.size = LEATI_RUN_BLOCK_HEAD;
    return LEAT_OK;
}

static leat_status write_block(leati_run_writer *w, char *at, size_t size, leat_error *err) {
    uint64_t hash = leati_hash(at + LEATI_RUN_BLOCK_HEAD, size);
    uint32_t size32 = (uint32_t)size;
    memcpy(at, &size32, sizeof size32);
    memcpy(at + sizeof size32, &hash, sizeof hash);
    size_t whole = LEATI_RUN_BLOCK_HEAD + size;
    leat_status status = write_all(w->file, at, whole, w->run.end, err);
    w->run.end += whole;
    w->file->size = w->run.end;
    return status;
}

/* Writes all whole blocks. The head of the next one overwrites bytes that are out already. */
static leat_status write_blocks(leati_run_writer *w, leat_error *err) {
    leati_buf *b = &w->gathered;
    size_t at = 0;
    leat_status status = b->failed ? no_memory(err) : LEAT_OK;
    for (; status >= 0 && b->size - at >= LEATI_RUN_BLOCK_HEAD + w->run.block; at += w->run.block)
        status = write_block(w, b->bytes + at, w->run.block, err);
    if (at) memmove(b->bytes, b->bytes + at, b->size - at);
    b->size -= at;
    return status;
}

leat_status leati_run_write_key(leati_run_writer *w, const leati_pile_key *key, leat_error *err) {
    leati_buf_blob(&w->gathered, key->bytes, key->size);
    leati_buf_blob(&w->gathered, key->value, key->value_size);
    leati_buf_u64(&w->gathered, key->hash);
    leati_buf_varint(&w->gathered, key->count);
    w->time = 0;
    return write_blocks(w, err);
}

leat_status leati_run_write(leati_run_writer *w, const leati_pile_item *item, leat_error *err) {
    leati_pile_item_write(&w->gathered, item, w->time);
    w->time = item->time;
    return write_blocks(w, err);
}

leat_status leati_run_end(leati_run_writer *w, leati_run *run, leat_error *err) {
    size_t left = w->gathered.size - LEATI_RUN_BLOCK_HEAD;
    leat_status status = left ? write_block(w, w->gathered.bytes, left, err) : LEAT_OK;
    *run = w->run;
    return status;
}

void leati_run_writer_fini(leati_run_writer *w) {
    leati_buf_fini(&w->gathered);
}

/* --- reading ---------------------------------------------------------------------------------- */

void leati_run_reader_init(leati_run_reader *r, const leati_run *run) {
    memset(r, 0, sizeof *r);
    r->run = *run;
    r->at = run->start;
}

void leati_run_reader_fini(leati_run_reader *r) {
    leati_buf_fini(&r->bytes);
    leati_buf_fini(&r->key);
}

static leati_reader rest_of(const leati_run_reader *r) {
    return leati_reader_of(r->bytes.bytes + r->begin, r->bytes.size - r->begin);
}

static void took(leati_run_reader *r, const leati_reader *in) {
    r->begin = r->bytes.size - leati_reader_left(in);
}

/* What could not be read whole is either cut by the end of a block, or by that of the file. */
static leat_status too_short(const leati_run_reader *r) {
    return r->at < r->run.end ? LEAT_AGAIN : LEAT_E_FORMAT;
}

leat_status leati_run_next_key(leati_run_reader *r) {
    leati_reader in = rest_of(r);
    leati_pile_key *k = &r->is;
    size_t size = 0, value_size = 0;
    if (!leati_reader_left(&in)) return r->at < r->run.end ? LEAT_AGAIN : LEAT_DONE;
    const char *bytes = leati_reader_blob(&in, &size);
    const char *value = leati_reader_blob(&in, &value_size);
    uint64_t hash = leati_reader_u64(&in), count = leati_reader_varint(&in);
    if (in.failed) return too_short(r);
    r->key.size = 0;
    leati_buf_append(&r->key, bytes, size);
    leati_buf_append(&r->key, value, value_size);
    if (r->key.failed) return LEAT_E_NOMEM;
    *k = (leati_pile_key){.bytes = r->key.bytes,
                          .value = r->key.bytes + size,
                          .size = (uint32_t)size,
                          .value_size = (uint32_t)value_size,
                          .hash = hash,
                          .count = count};
    r->left = count;
    r->time = 0;
    took(r, &in);
    return LEAT_OK;
}

leat_status leati_run_next(leati_run_reader *r, leati_pile_item *item) {
    if (!r->left) return LEAT_DONE;
    leati_reader in = rest_of(r);
    leati_pile_item read;
    if (!leati_pile_item_read(&in, r->time, &read)) return too_short(r);
    r->left--;
    r->time = read.time;
    took(r, &in);
    *item = read;
    return LEAT_OK;
}

static leat_status check_block(const leati_run_reader *r, const char *block, size_t size) {
    uint32_t is_size;
    uint64_t hash;
    memcpy(&is_size, block, sizeof is_size);
    memcpy(&hash, block + sizeof is_size, sizeof hash);
    bool sound = is_size == size && hash == leati_hash(block + LEATI_RUN_BLOCK_HEAD, size) && r->at;
    return sound ? LEAT_OK : LEAT_E_FORMAT;
}

/* The block's head lands in front of its bytes, where bytes that were not taken stand: these move
   behind it once it is checked. */
leat_status leati_run_fill(leati_run_reader *r, leat_error *err) {
    uint64_t there = r->run.end - r->at;
    size_t whole = LEATI_RUN_BLOCK_HEAD + r->run.block;
    if (there < whole) whole = (size_t)there;
    if (whole <= LEATI_RUN_BLOCK_HEAD) return leati_run_damaged(err);
    leati_buf *b = &r->bytes;
    size_t kept = b->size - r->begin, size = whole - LEATI_RUN_BLOCK_HEAD;
    if (kept) memmove(b->bytes, b->bytes + r->begin, kept);
    b->size = kept;
    r->begin = 0;
    if (!leati_buf_reserve(b, whole)) return no_memory(err);
    char *block = b->bytes + kept;
    leat_status status = read_all(r->run.file, block, whole, r->at, err);
    if (status < 0) return status;
    r->at += whole;
    if (check_block(r, block, size) < 0) return leati_run_damaged(err);
    memmove(block, block + LEATI_RUN_BLOCK_HEAD, size);
    b->size += size;
    return LEAT_OK;
}
