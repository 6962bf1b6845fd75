/* part_file.c: see part_file.h.

   An item of a snapshot: u8 version 1; bucket, name and hidden name as blobs; size and creation
   time, zigzag. Folders are those of the sink, so that its files may be moved between two runs.

   The order that makes a part safe: its bytes to the disk, then its hidden name, before the
   checkpoint that lists it is acknowledged; then, when that is complete, the rename, then the
   folder again. Whatever is repeated after a crash finds the hidden name (rename), or the final one
   (nothing to do). */
#include "connectors/part_file.h"

#include "runtime/base/alloc.h"
#include "runtime/base/files.h"
#include "runtime/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ITEM_VERSION = 1 };

/* --- life ------------------------------------------------------------------------------------- */

static char *path_of(const char *folder, const char *bucket, const char *name) {
    return leati_format("%s%s%s/%s", folder, *bucket ? "/" : "", bucket, name);
}

leati_part *leati_part_new(const char *path, const char *bucket, const char *name,
                           const char *hidden_name) {
    leati_part *p = leati_zalloc(sizeof *p);
    if (!p) return NULL;
    atomic_init(&p->refs, 1);
    leati_list_init(&p->link);
    p->fd = -1;
    p->bucket = leati_strdup(bucket);
    p->name = leati_strdup(name);
    p->hidden_name = leati_strdup(hidden_name);
    p->path = path_of(path, bucket, name);
    p->hidden = path_of(path, bucket, hidden_name);
    if (p->bucket && p->name && p->hidden_name && p->path && p->hidden) return p;
    leati_part_unref(p);
    return NULL;
}

void leati_part_ref(leati_part *p) {
    atomic_fetch_add(&p->refs, 1);
}

void leati_part_unref(leati_part *p) {
    if (!p || atomic_fetch_sub(&p->refs, 1) > 1) return;
    if (p->fd >= 0) close(p->fd);
    leati_buf_fini(&p->filling);
    leati_free(p->bucket);
    leati_free(p->name);
    leati_free(p->hidden_name);
    leati_free(p->path);
    leati_free(p->hidden);
    leati_free(p);
}

/* --- items ------------------------------------------------------------------------------------ */

static void encode_text(leati_buf *out, const char *text) {
    leati_buf_blob(out, text, strlen(text));
}

void leati_part_encode(const leati_part *p, leati_buf *out) {
    leati_buf_u8(out, ITEM_VERSION);
    encode_text(out, p->bucket);
    encode_text(out, p->name);
    encode_text(out, p->hidden_name);
    leati_buf_zigzag(out, p->size);
    leati_buf_zigzag(out, p->created);
}

/* NULL for what is no name; allocated. */
static char *decode_text(leati_reader *in) {
    size_t size;
    const char *bytes = leati_reader_blob(in, &size);
    if (!bytes || memchr(bytes, 0, size)) return NULL;
    return leati_format("%.*s", (int)size, bytes);
}

leat_status leati_part_decode(const char *path, const void *bytes, size_t size, leati_part **out) {
    leati_reader in = leati_reader_of(bytes, size);
    bool known = leati_reader_u8(&in) == ITEM_VERSION;
    char *bucket = decode_text(&in), *name = decode_text(&in), *hidden = decode_text(&in);
    int64_t length = leati_reader_zigzag(&in), created = leati_reader_zigzag(&in);
    bool whole = known && bucket && name && hidden && !in.failed && !leati_reader_left(&in);
    leati_part *p = whole && length >= 0 ? leati_part_new(path, bucket, name, hidden) : NULL;
    leat_status status = p ? LEAT_OK : whole && length >= 0 ? LEAT_E_NOMEM : LEAT_E_FORMAT;
    leati_free(bucket);
    leati_free(name);
    leati_free(hidden);
    if (!p) return status;
    p->restored = true;
    p->size = length;
    p->created = p->updated = created;
    *out = p;
    return LEAT_OK;
}

/* --- on the I/O thread ------------------------------------------------------------------------ */

static leat_status broke(leati_part *p, leat_status status) {
    if (status < 0) p->broken = true;
    return status;
}

static leat_status refuse(const leati_part *p, leat_error *err) {
    return leat_error_set(err, LEAT_E_IO, p->hidden, "'%s' could not be written before", p->hidden);
}

static leat_status begin(leati_part *p, leat_error *err) {
    leat_status status = leati_file_folders(p->hidden, err);
    if (status >= 0) status = leati_file_open(p->hidden, O_WRONLY | O_CREAT | O_EXCL, &p->fd, err);
    p->unlisted = status >= 0;
    return status;
}

leat_status leati_part_write(leati_part *p, const leati_buf *bytes, leat_error *err) {
    if (p->broken) return refuse(p, err);
    leat_status status = p->fd < 0 ? begin(p, err) : LEAT_OK;
    if (status >= 0) status = leati_file_write(p->fd, p->hidden, bytes->bytes, bytes->size, err);
    return broke(p, status);
}

leat_status leati_part_sync(leati_part *p, leat_error *err) {
    if (p->broken) return refuse(p, err);
    leat_status status = leati_file_sync(p->fd, p->hidden, err);
    if (status >= 0 && p->unlisted) {
        status = leati_file_sync_folder(p->hidden, err);
        p->unlisted = status < 0;
    }
    return broke(p, status);
}

leat_status leati_part_close(leati_part *p, leat_error *err) {
    leat_status status = leati_part_sync(p, err);
    if (status < 0) return status;
    status = leati_file_close(p->fd, p->hidden, err);
    p->fd = -1;
    return broke(p, status);
}

static bool is_there(const char *path) {
    struct stat info;
    return stat(path, &info) == 0;
}

static leat_status too_short(leati_part *p, int64_t is, int64_t size, leat_error *err) {
    return leat_error_set(err, LEAT_E_FORMAT, p->hidden,
                          "'%s' has %lld bytes, and the checkpoint says %lld: it was changed or "
                          "damaged; restore an older checkpoint",
                          p->hidden, (long long)is, (long long)size);
}

/* Somebody has published the whole file since, and with it what the job will write again. */
static leat_status resume_nothing(leati_part *p, leat_error *err) {
    if (!is_there(p->path))
        return leat_error_set(err, LEAT_E_IO, p->hidden,
                              "'%s' is gone, and the checkpoint goes on with it; put it back, or "
                              "start without the checkpoint",
                              p->hidden);
    leati_log(
        LEAT_LOG_WARNING,
        "'%s' has been finished since the checkpoint that is restored: what it got since then "
        "will be there twice",
        p->path);
    p->gone = true;
    return LEAT_OK;
}

static leat_status shorten(leati_part *p, int64_t size, leat_error *err) {
    struct stat info;
    if (fstat(p->fd, &info) != 0) return leati_file_cannot("read", p->hidden, err);
    if (info.st_size < size) return too_short(p, info.st_size, size, err);
    leat_status status = LEAT_OK;
    if (info.st_size > size) status = leati_file_truncate(p->fd, p->hidden, size, err);
    if (status >= 0 && lseek(p->fd, 0, SEEK_END) < 0)
        status = leati_file_cannot("write", p->hidden, err);
    return status;
}

leat_status leati_part_resume(leati_part *p, int64_t size, leat_error *err) {
    if (!is_there(p->hidden) && errno == ENOENT) return broke(p, resume_nothing(p, err));
    leat_status status = leati_file_open(p->hidden, O_WRONLY, &p->fd, err);
    return broke(p, status < 0 ? status : shorten(p, size, err));
}

/* Nothing that was promised is missing, and nothing is there that was not. */
static leat_status check_restored(leati_part *p, int64_t size, leat_error *err) {
    leat_status status = leati_file_open(p->hidden, O_WRONLY, &p->fd, err);
    if (status >= 0) status = shorten(p, size, err);
    if (p->fd >= 0) close(p->fd);
    p->fd = -1;
    return status;
}

/* It has its name, which may not be on the disk yet, or whoever reads the folder has taken it
   away. */
static leat_status published_before(const leati_part *p, leat_error *err) {
    if (is_there(p->path)) return leati_file_sync_folder(p->path, err);
    leati_log(LEAT_LOG_INFO, "'%s' was finished, and has been taken away since", p->path);
    return LEAT_OK;
}

leat_status leati_part_publish(leati_part *p, int64_t size, bool lasting, leat_error *err) {
    if (p->broken) return refuse(p, err);
    leat_status status = LEAT_OK;
    bool missing = p->restored && !is_there(p->hidden) && errno == ENOENT;
    if (missing) return broke(p, published_before(p, err));
    if (p->restored) status = check_restored(p, size, err);
    if (status >= 0) status = leati_file_rename(p->hidden, p->path, err);
    if (status >= 0 && lasting) status = leati_file_sync_folder(p->path, err);
    return broke(p, status);
}
