/* vault.c: see vault.h. A file is known from its first chunk to its last; chunks are errands to the
   I/O thread, which does them in the order in which they came. After a failure the rest of a file
   is only counted. */
#include "runtime/job/vault.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include "runtime/base/alloc.h"
#include "runtime/base/files.h"
#include "runtime/base/io_thread.h"
#include "runtime/base/list.h"
#include "runtime/job/checkpoint.h"

typedef struct vault_file {
    leati_link link; /* in the vault's files, until its last chunk came */
    leati_vault *vault;
    int refs; /* under the vault's lock: the list's, and that of each errand */
    int64_t checkpoint;
    int task;
    /* The I/O thread's: */
    int fd;
    char *path;
    leati_store_writer writer;
    leat_status status;
    leat_error err;
} vault_file;

typedef struct errand {
    vault_file *file;
    leati_chunk chunk;
    bool last;
    leat_status declined; /* and `why`; LEAT_OK: it was not */
    char *why;
} errand;

struct leati_vault {
    char *folder;
    bool compress;
    pthread_mutex_t lock;
    leati_vault_news news; /* none after the end */
    leati_link files;
    int refs; /* the owner's, and that of each errand */
};

/* --- life ------------------------------------------------------------------------------------- */

leati_vault *leati_vault_new(const char *folder, bool compress, const leati_vault_news *news) {
    leati_vault *v = leati_zalloc(sizeof *v);
    if (!v) return NULL;
    v->folder = leati_strdup(folder);
    v->compress = compress;
    v->news = *news;
    v->refs = 1;
    pthread_mutex_init(&v->lock, NULL);
    leati_list_init(&v->files);
    if (v->folder) return v;
    leati_vault_free(v);
    return NULL;
}

/* Under the vault's lock. */
static void file_unref(vault_file *f) {
    if (--f->refs) return;
    if (f->fd >= 0) leati_files_get()->close(f->fd);
    leati_store_writer_fini(&f->writer);
    leati_free(f->path);
    leati_free(f);
}

static void unref(leati_vault *v) {
    pthread_mutex_lock(&v->lock);
    bool last = --v->refs == 0;
    pthread_mutex_unlock(&v->lock);
    if (!last) return;
    leati_link *link;
    while ((link = leati_list_pop(&v->files))) file_unref(LEATI_CONTAINER(link, vault_file, link));
    pthread_mutex_destroy(&v->lock);
    leati_free(v->folder);
    leati_free(v);
}

void leati_vault_hush(leati_vault *v) {
    pthread_mutex_lock(&v->lock);
    v->news.saved = NULL;
    pthread_mutex_unlock(&v->lock);
}

void leati_vault_free(leati_vault *v) {
    if (!v) return;
    leati_vault_hush(v);
    unref(v);
}

/* --- on the I/O thread ------------------------------------------------------------------------ */

static leat_status write_bytes(void *arg, const void *bytes, size_t size) {
    vault_file *f = arg;
    return leati_file_write(f->fd, f->path, bytes, size, &f->err);
}

static leat_status begin(vault_file *f) {
    leati_store_sink sink = {write_bytes, f};
    char *part = leati_cp_part(f->vault->folder, f->checkpoint);
    f->path = part ? leati_cp_task_file(part, f->task) : NULL;
    leati_free(part);
    if (!f->path) return LEAT_E_NOMEM;
    do f->fd = leati_files_get()->open(f->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    while (f->fd < 0 && errno == EINTR);
    if (f->fd < 0) return leati_file_cannot("make", f->path, &f->err);
    return leati_store_begin(&f->writer, &sink, f->vault->compress);
}

static leat_status end(vault_file *f) {
    leat_status status = leati_store_end(&f->writer);
    return status < 0 ? status : leati_file_sync(f->fd, f->path, &f->err);
}

static leat_status errand_work(void *arg) {
    errand *e = arg;
    vault_file *f = e->file;
    if (f->status >= 0 && e->declined < 0)
        f->status = leat_error_set(&f->err, e->declined, "", "%s", e->why ? e->why : "no memory");
    if (f->status >= 0 && !f->path) f->status = begin(f);
    if (f->status >= 0) f->status = leati_store_take(&f->writer, &e->chunk);
    if (f->status >= 0 && e->last) f->status = end(f);
    return LEAT_OK;
}

static void tell(vault_file *f) {
    leati_vault *v = f->vault;
    char *why = NULL;
    if (f->status < 0) why = leati_strdup(f->err.status ? f->err.text : "no memory for a snapshot");
    leati_saved saved = {f->checkpoint,    f->task,        f->status,
                         f->writer.offset, why ? why : "", f->writer.crc};
    pthread_mutex_lock(&v->lock);
    if (v->news.saved) v->news.saved(v->news.arg, &saved);
    pthread_mutex_unlock(&v->lock);
    leati_free(why);
}

static void errand_free(errand *e) {
    leati_vault *v = e->file->vault;
    pthread_mutex_lock(&v->lock);
    file_unref(e->file);
    pthread_mutex_unlock(&v->lock);
    leati_chunk_fini(&e->chunk);
    leati_free(e->why);
    leati_free(e);
}

static void errand_done(void *arg, leat_status worked) {
    errand *e = arg;
    leati_vault *v = e->file->vault;
    (void)worked;
    if (e->last) tell(e->file);
    errand_free(e);
    unref(v);
}

/* --- on tasks' threads ------------------------------------------------------------------------ */

/* Takes it from the list, whose reference becomes the caller's. */
static vault_file *remove_file(leati_vault *v, int task) {
    for (leati_link *at = v->files.next; at != &v->files; at = at->next) {
        vault_file *f = LEATI_CONTAINER(at, vault_file, link);
        if (f->task != task) continue;
        leati_list_remove(&f->link);
        return f;
    }
    return NULL;
}

static vault_file *file_new(leati_vault *v, int task, int64_t checkpoint) {
    vault_file *f = leati_zalloc(sizeof *f);
    if (!f) return NULL;
    f->vault = v;
    f->refs = 1;
    f->task = task;
    f->checkpoint = checkpoint;
    f->fd = -1;
    return f;
}

/* The errand's reference to a file. A task has one snapshot under way at a time: the first chunk of
   another one ends what is there. */
static vault_file *file_of(leati_vault *v, int task, int64_t checkpoint, bool last) {
    pthread_mutex_lock(&v->lock);
    vault_file *f = remove_file(v, task);
    if (f && f->checkpoint != checkpoint) {
        file_unref(f);
        f = NULL;
    }
    if (!f) f = file_new(v, task, checkpoint);
    if (f && !last) {
        leati_list_push(&v->files, &f->link);
        f->refs++;
    }
    if (f) v->refs++;
    pthread_mutex_unlock(&v->lock);
    return f;
}

/* With the file that it is for, or NULL. */
static errand *errand_new(leati_vault *v, int task, int64_t checkpoint, bool last) {
    errand *e = leati_zalloc(sizeof *e);
    if (!e) return NULL;
    e->file = file_of(v, task, checkpoint, last);
    e->last = last;
    if (e->file) return e;
    leati_free(e);
    return NULL;
}

static leat_status submit(leati_vault *v, errand *e) {
    leat_status status = leati_io_submit(errand_work, errand_done, e);
    if (status >= 0) return LEAT_OK;
    errand_free(e);
    unref(v);
    return status;
}

static leat_status take(void *arg, int task, int64_t checkpoint, leati_chunk *chunk, bool last) {
    errand *e = errand_new(arg, task, checkpoint, last);
    if (!e) return LEAT_E_NOMEM;
    e->chunk = *chunk;
    memset(chunk, 0, sizeof *chunk);
    return submit(arg, e);
}

static leat_status decline(void *arg, int task, int64_t checkpoint, leat_status status,
                           const char *why) {
    errand *e = errand_new(arg, task, checkpoint, true);
    if (!e) return LEAT_E_NOMEM;
    e->declined = status;
    e->why = leati_strdup(why);
    return submit(arg, e);
}

leati_saver leati_vault_saver(leati_vault *v) {
    return (leati_saver){take, v, decline};
}

/* --- on the wire ------------------------------------------------------------------------------ */

void leati_saved_encode(const leati_saved *s, leati_buf *out) {
    leati_buf_varint(out, (uint64_t)s->checkpoint);
    leati_buf_varint(out, (uint64_t)s->task);
    leati_buf_zigzag(out, s->status);
    leati_buf_varint(out, s->size);
    leati_buf_u32(out, s->crc);
    leati_buf_blob(out, s->why, strlen(s->why));
}

leat_status leati_saved_decode(const void *bytes, size_t size, leati_saved *out) {
    leati_reader in = leati_reader_of(bytes, size);
    size_t why_size;
    out->checkpoint = (int64_t)leati_reader_varint(&in);
    uint64_t task = leati_reader_varint(&in);
    int64_t status = leati_reader_zigzag(&in);
    out->size = leati_reader_varint(&in);
    out->crc = leati_reader_u32(&in);
    const char *why = leati_reader_blob(&in, &why_size);
    out->why = NULL;
    if (in.failed || leati_reader_left(&in) || task > INT32_MAX || status > 0 ||
        status < INT32_MIN || memchr(why, 0, why_size))
        return LEAT_E_FORMAT;
    out->task = (int)task;
    out->status = (leat_status)status;
    out->why = leati_format("%.*s", (int)why_size, why);
    return out->why ? LEAT_OK : LEAT_E_NOMEM;
}
