/* spill.c: the part of a channel that lies on a disk.

   An element is in one of three places, from the oldest to the newest: the channel's ring, whose
   elements the reader pops; the file, in chunks; and the tail, which is encoded but not written. As
   long as the ring has room and the other two are empty, elements go into the ring and cost nothing
   more than in any channel. When it has none they are encoded, by who pushes them, since only there
   is one inside the interpreter that objects need. The tail becomes a chunk when it is large
   enough; a reader that has emptied ring and file takes the tail as it is.

   Files are touched by the I/O thread only: at most one chunk is being written and one read; each
   piece of work holds a reference to the channel. Chunks that were read give their space back as
   far as the file system can; a file that was read to its end is filled from its beginning again.

   Nothing waits for the reader, so a channel that its own reader fills can't lock up. Who pushes
   has no room only while more waits for the disk than the channel may hold in memory: the disk
   alone gives that back. On the reading side of a channel from another process credit goes back at
   once, unless the sender had no room here.

   A chunk is a row of entries: u8 kind, u64 value, u64 size, bytes. The file never outlives the
   process, so the format is nobody else's.

   The channel's lock guards all of it; the notices to both ends are called under it, so that none
   comes after the end has left. */
#include "runtime/flow/spill.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "runtime/base/alloc.h"
#include "runtime/base/buf.h"
#include "runtime/base/io_thread.h"
#include "runtime/base/tmp_file.h"
#include "runtime/data/batch.h"

enum { CHUNK = 256 * 1024, ENTRY_HEAD = 17 };

struct leati_spill {
    const leat_type *type;
    char *dirs;
    leati_buf tail, writing;
    size_t owed_records, owed_bytes; /* credit that waits for the disk */
    bool write_out, read_out;        /* work on the I/O thread */
    size_t *chunks;                  /* a ring: sizes of what is in the file */
    size_t chunk_head, chunk_count, chunk_room;
    off_t write_at, read_at;
    char *reading; /* a chunk */
    int fd;        /* the I/O thread's; -1: none yet */
    leat_status status;
    leat_error error; /* of what failed first; then the channel is of no use any more */
};

leati_spill *leati_spill_new(const leat_type *type, const char *dirs) {
    leati_spill *s = leati_zalloc(sizeof *s);
    if (!s) return NULL;
    s->type = type;
    s->fd = -1;
    s->dirs = leati_strdup(dirs);
    if (s->dirs || !dirs) return s;
    leati_free(s);
    return NULL;
}

void leati_spill_free(leati_spill *s) {
    if (!s) return;
    leati_tmp_file_close(s->fd);
    leati_buf_fini(&s->tail);
    leati_buf_fini(&s->writing);
    leati_free(s->chunks);
    leati_free(s->reading);
    leati_free(s->dirs);
    leati_free(s);
}

void leati_spill_abandon(leati_spill *s) {
    leati_buf_fini(&s->tail);
    s->chunk_count = 0;
}

const char *leati_spill_failure(leati_channel *c) {
    leati_spill *s = c->spill;
    pthread_mutex_lock(&c->lock);
    bool failed = s->status < 0;
    pthread_mutex_unlock(&c->lock);
    return failed ? s->error.text : NULL; /* written once */
}

/* --- all below under the lock, unless it says otherwise --------------------------------------- */

static void tell(leati_channel *c, const leati_notice *notice) {
    if (!atomic_load(&c->abandoned) && notice->fn) notice->fn(notice->arg);
}

static void tell_of_room(leati_channel *c) {
    if (atomic_exchange(&c->starved, false)) tell(c, &c->on_room);
}

static void give_credit(leati_channel *c, size_t records, size_t bytes);

static leat_status fail(leati_channel *c, leat_status status, const char *what, int why) {
    leati_spill *s = c->spill;
    if (s->status < 0) return s->status;
    s->status = status;
    if (what)
        leat_error_set(&s->error, status, "channel",
                       "%s the temporary file of records that wait: %s; name a folder with more "
                       "room in io.tmp.dirs, or raise pipeline.channel.memory",
                       what, strerror(why));
    else if (!s->error.text[0])
        leat_error_set(&s->error, status, "channel", "no memory for records that wait");
    /* Whoever waits for room goes on, so that the reader does, too, and hears of it. */
    give_credit(c, 0, 0);
    tell(c, &c->on_data);
    tell_of_room(c);
    return status;
}

static size_t chunk_least(const leati_channel *c) {
    size_t quarter = c->max_bytes / 4 + 1;
    return quarter < CHUNK ? quarter : CHUNK;
}

/* What is in memory because it is on its way to the file. */
static size_t waiting(const leati_spill *s) {
    return s->tail.size + s->writing.size;
}

static bool add_chunk(leati_spill *s, size_t size) {
    if (s->chunk_count == s->chunk_room) {
        size_t room = s->chunk_room ? 2 * s->chunk_room : 16;
        size_t *chunks = leati_alloc(room * sizeof *chunks);
        if (!chunks) return false;
        for (size_t i = 0; i < s->chunk_count; i++)
            chunks[i] = s->chunks[(s->chunk_head + i) % s->chunk_room];
        leati_free(s->chunks);
        s->chunks = chunks;
        s->chunk_head = 0;
        s->chunk_room = room;
    }
    s->chunks[(s->chunk_head + s->chunk_count++) % s->chunk_room] = size;
    return true;
}

static bool has_room(const leati_channel *c) {
    const leati_spill *s = c->spill;
    return s->status < 0 || !s->write_out || waiting(s) < c->max_bytes;
}

/* The sender in another process may send more. It must not wait for anything but the disk: the
   reader may be waiting for that sender. */
static void give_credit(leati_channel *c, size_t records, size_t bytes) {
    leati_spill *s = c->spill;
    s->owed_records += records;
    s->owed_bytes += bytes;
    bool any = s->owed_records || s->owed_bytes;
    if (!any || !c->credit || !has_room(c) || atomic_load(&c->abandoned)) return;
    c->credit(c->credit_arg, s->owed_records, s->owed_bytes);
    s->owed_records = s->owed_bytes = 0;
}

/* --- writing ---------------------------------------------------------------------------------- */

/* I/O thread, without the lock: `writing` and `write_at` are the work's until it is done. */
static int write_all(int fd, const char *bytes, size_t size, off_t at) {
    while (size) {
        ssize_t n = pwrite(fd, bytes, size, at);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return n < 0 ? errno : ENOSPC;
        bytes += n;
        size -= (size_t)n;
        at += n;
    }
    return 0;
}

static leat_status write_chunk(void *arg) {
    leati_channel *c = arg;
    leati_spill *s = c->spill;
    leat_error err;
    int why = 0;
    if (s->fd < 0) {
        s->fd = leati_tmp_file_open(s->dirs, &err);
        if (s->fd < 0) {
            pthread_mutex_lock(&c->lock);
            if (s->status >= 0) s->error = err;
            fail(c, LEAT_E_IO, NULL, 0);
            pthread_mutex_unlock(&c->lock);
            return LEAT_E_IO;
        }
    }
    why = write_all(s->fd, s->writing.bytes, s->writing.size, s->write_at);
    if (!why) return LEAT_OK;
    pthread_mutex_lock(&c->lock);
    fail(c, LEAT_E_IO, "can't write", why);
    pthread_mutex_unlock(&c->lock);
    return LEAT_E_IO;
}

static void start_write(leati_channel *c);
static void start_read(leati_channel *c);

static void chunk_written(void *arg, leat_status status) {
    leati_channel *c = arg;
    leati_spill *s = c->spill;
    pthread_mutex_lock(&c->lock);
    s->write_out = false;
    if (status >= 0 && !atomic_load(&c->abandoned)) {
        s->write_at += (off_t)s->writing.size;
        if (!add_chunk(s, s->writing.size)) fail(c, LEAT_E_NOMEM, NULL, 0);
    }
    s->writing.size = 0;
    if (s->tail.size >= chunk_least(c)) start_write(c);
    give_credit(c, 0, 0);
    tell(c, &c->on_data);
    tell_of_room(c);
    pthread_mutex_unlock(&c->lock);
    leati_channel_unref(c);
}

static void start_write(leati_channel *c) {
    leati_spill *s = c->spill;
    if (s->write_out || s->status < 0 || atomic_load(&c->abandoned)) return;
    leati_buf empty = s->writing;
    s->writing = s->tail;
    s->tail = empty;
    if (!s->chunk_count && !s->read_out) s->write_at = s->read_at = 0;
    leati_channel_ref(c);
    s->write_out = true;
    if (leati_io_submit(write_chunk, chunk_written, c) >= 0) return;
    s->write_out = false;
    fail(c, LEAT_E_NOMEM, NULL, 0);
    atomic_fetch_sub(&c->refs, 1);
}

/* --- reading ---------------------------------------------------------------------------------- */

/* Moves the entries of `bytes` into the ring. */
static leat_status take_entries(leati_channel *c, const char *bytes, size_t size) {
    leati_reader in = leati_reader_of(bytes, size);
    while (leati_reader_left(&in)) {
        leati_element e = {.kind = (leati_element_kind)leati_reader_u8(&in)};
        e.value = (int64_t)leati_reader_u64(&in);
        size_t length = (size_t)leati_reader_u64(&in);
        const char *content = leati_reader_bytes(&in, length);
        if (in.failed) return LEAT_E_FORMAT;
        if (e.kind == LEATI_FRAME) {
            e.as.frame = (leati_frame){length, length, leati_memdup(content, length)};
            if (!e.as.frame.bytes) return LEAT_E_NOMEM;
        }
        if (!leati_channel_ring_add(c, &e)) {
            leati_element_drop(&e);
            return LEAT_E_NOMEM;
        }
        if (e.kind != LEATI_FRAME) continue;
        atomic_fetch_add(&c->records, (size_t)e.value);
        atomic_fetch_add(&c->bytes, length);
    }
    return LEAT_OK;
}

/* I/O thread, without the lock: `reading` and `read_at` are the work's. */
static leat_status read_chunk(void *arg) {
    leati_channel *c = arg;
    leati_spill *s = c->spill;
    pthread_mutex_lock(&c->lock);
    size_t size = s->chunk_count ? s->chunks[s->chunk_head] : 0; /* none: abandoned meanwhile */
    pthread_mutex_unlock(&c->lock);
    int why = 0;
    for (size_t got = 0; got < size && !why;) {
        ssize_t n = pread(s->fd, s->reading + got, size - got, s->read_at + (off_t)got);
        if (n > 0)
            got += (size_t)n;
        else if (n == 0)
            why = EIO;
        else if (errno != EINTR)
            why = errno;
    }
    if (size && !why)
        fallocate(s->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, s->read_at, (off_t)size);
    if (!why) return LEAT_OK;
    pthread_mutex_lock(&c->lock);
    fail(c, LEAT_E_IO, "can't read", why);
    pthread_mutex_unlock(&c->lock);
    return LEAT_E_IO;
}

static void chunk_read(void *arg, leat_status status) {
    leati_channel *c = arg;
    leati_spill *s = c->spill;
    pthread_mutex_lock(&c->lock);
    s->read_out = false;
    if (status >= 0 && s->chunk_count) {
        size_t size = s->chunks[s->chunk_head];
        s->read_at += (off_t)size;
        s->chunk_head = (s->chunk_head + 1) % s->chunk_room;
        s->chunk_count--;
        status = take_entries(c, s->reading, size);
        if (status < 0) fail(c, status, NULL, 0);
    }
    leati_free(s->reading);
    s->reading = NULL;
    tell(c, &c->on_data);
    pthread_mutex_unlock(&c->lock);
    leati_channel_unref(c);
}

/* The next chunk, when the reader will soon need it. */
static void start_read(leati_channel *c) {
    leati_spill *s = c->spill;
    bool soon = !c->count || atomic_load(&c->bytes) < c->max_bytes / 2;
    if (!soon || !s->chunk_count || s->read_out || s->status < 0) return;
    s->reading = leati_alloc(s->chunks[s->chunk_head]);
    if (!s->reading) {
        fail(c, LEAT_E_NOMEM, NULL, 0);
        return;
    }
    leati_channel_ref(c);
    s->read_out = true;
    if (leati_io_submit(read_chunk, chunk_read, c) >= 0) return;
    s->read_out = false;
    fail(c, LEAT_E_NOMEM, NULL, 0);
    atomic_fetch_sub(&c->refs, 1);
}

/* Nothing is left before the tail: it needs no file. */
static void take_tail(leati_channel *c) {
    leati_spill *s = c->spill;
    if (c->count || !s->tail.size || s->write_out || s->read_out || s->chunk_count) return;
    leat_status status = take_entries(c, s->tail.bytes, s->tail.size);
    s->tail.size = 0;
    if (status < 0) fail(c, status, NULL, 0);
    tell_of_room(c);
}

/* --- the channel's calls, which take the lock ------------------------------------------------- */

/* May it go into the ring? Objects weigh nothing that is counted here, so they are bounded in
   number, too. */
static bool fits(const leati_channel *c, const leati_element *e, size_t records, size_t bytes) {
    const leati_spill *s = c->spill;
    if (s->tail.size || s->write_out || s->read_out || s->chunk_count) return false;
    if (!records) return true;
    size_t held_records = atomic_load(&c->records), held = atomic_load(&c->bytes);
    if (!held_records) return true;
    bool objects = e->kind == LEATI_BATCH && e->as.batch->domain;
    return held + bytes <= c->max_bytes && (!objects || held_records + records <= c->max_records);
}

static leat_status push_to_ring(leati_channel *c, leati_element *e, size_t records, size_t bytes) {
    if (!leati_channel_ring_add(c, e)) {
        leati_element_drop(e);
        return fail(c, LEAT_E_NOMEM, NULL, 0);
    }
    atomic_fetch_add(&c->records, records);
    atomic_fetch_add(&c->bytes, bytes);
    give_credit(c, records, bytes);
    return LEAT_OK;
}

static leat_status push_to_tail(leati_channel *c, leati_element_kind kind, int64_t value,
                                const char *bytes, size_t size, size_t records, size_t charge) {
    leati_spill *s = c->spill;
    leati_buf_u8(&s->tail, (uint8_t)kind);
    leati_buf_u64(&s->tail, (uint64_t)value);
    leati_buf_u64(&s->tail, size);
    leati_buf_append(&s->tail, bytes, size);
    if (s->tail.failed) return fail(c, LEAT_E_NOMEM, NULL, 0);
    if (s->tail.size >= chunk_least(c)) start_write(c);
    give_credit(c, records, charge);
    return s->status < 0 ? s->status : LEAT_OK;
}

/* Only who pushes makes the tail longer, so the lock may be let go while a batch is encoded. */
static leat_status push_encoded(leati_channel *c, leati_element *e, size_t records, size_t bytes) {
    if (e->kind == LEATI_FRAME)
        return push_to_tail(c, e->kind, e->value, e->as.frame.bytes, e->as.frame.size, records,
                            bytes);
    if (e->kind != LEATI_BATCH) return push_to_tail(c, e->kind, e->value, NULL, 0, 0, 0);
    leati_buf text;
    leati_buf_init(&text);
    pthread_mutex_unlock(&c->lock);
    leat_status status = leati_batch_encode(e->as.batch, c->spill->type, &text);
    pthread_mutex_lock(&c->lock);
    if (status >= 0)
        status =
            push_to_tail(c, LEATI_FRAME, e->as.batch->count, text.bytes, text.size, records, bytes);
    leati_buf_fini(&text);
    return status;
}

leat_status leati_spill_push(leati_channel *c, leati_element *element, size_t records,
                             size_t bytes) {
    pthread_mutex_lock(&c->lock);
    leat_status status = c->spill->status;
    if (status < 0 || atomic_load(&c->abandoned)) {
        leati_element_drop(element);
        give_credit(c, records, bytes);
    } else if (fits(c, element, records, bytes)) {
        status = push_to_ring(c, element, records, bytes);
    } else {
        status = push_encoded(c, element, records, bytes);
        leati_element_drop(element);
    }
    tell(c, &c->on_data);
    pthread_mutex_unlock(&c->lock);
    /* Who reads from another process is told of it by its pop, which knows the words. */
    return status < 0 && !c->credit ? status : LEAT_OK;
}

leat_status leati_spill_pop(leati_channel *c, leati_element *out) {
    pthread_mutex_lock(&c->lock);
    take_tail(c);
    leat_status status = leati_channel_ring_take(c, out) ? LEAT_OK : LEAT_AGAIN;
    start_read(c);
    if (status == LEAT_AGAIN && c->spill->status < 0) status = c->spill->status;
    pthread_mutex_unlock(&c->lock);
    return status;
}

void leati_spill_give_back(leati_channel *c, size_t records, size_t bytes) {
    pthread_mutex_lock(&c->lock);
    atomic_fetch_sub(&c->records, records);
    atomic_fetch_sub(&c->bytes, bytes);
    start_read(c);
    pthread_mutex_unlock(&c->lock);
}

bool leati_spill_has_room(leati_channel *c) {
    pthread_mutex_lock(&c->lock);
    bool room = has_room(c);
    if (!room) atomic_store(&c->starved, true);
    pthread_mutex_unlock(&c->lock);
    return room;
}
