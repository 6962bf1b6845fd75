/* integrity.c: is a checkpoint whole? Everything that can be known without the job that it is of:
   that the files are those of the manifest, regular, of this user, of their size, with the
   operators and subtasks that they should have, and that every checksum is right. */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/base/alloc.h"
#include "runtime/job/checkpoint.h"
#include "runtime/state/store.h"

/* --- the folder ------------------------------------------------------------------------------- */

static leat_status look_at(const char *path, bool foreign, struct stat *st, leat_error *err) {
    if (lstat(path, st) < 0)
        return leat_error_set(err, errno == ENOENT ? LEAT_E_NOT_FOUND : LEAT_E_IO, path, "%s",
                              errno == ENOENT ? "it is missing" : strerror(errno));
    if (!S_ISREG(st->st_mode))
        return leat_error_set(err, LEAT_E_FORMAT, path, "it is %s, and should be a plain file",
                              S_ISLNK(st->st_mode)   ? "a symbolic link"
                              : S_ISDIR(st->st_mode) ? "a folder"
                                                     : "a special file");
    if (st->st_uid != geteuid() && !foreign)
        return leat_error_set(err, LEAT_E_FORMAT, path,
                              "it belongs to another user (%u, and this process is of %u); set "
                              "execution.state-recovery.allow-other-owner if you trust it",
                              (unsigned)st->st_uid, (unsigned)geteuid());
    return LEAT_OK;
}

static bool is_known(const leati_manifest *m, const char *name) {
    if (name[0] == '.' || strcmp(name, LEATI_MANIFEST) == 0) return true;
    for (int i = 0; i < m->file_count; i++)
        if (strcmp(m->files[i].name, name) == 0) return true;
    return false;
}

static leat_status find_strangers(const char *folder, const leati_manifest *m, leat_error *err) {
    leat_status status = LEAT_OK;
    DIR *dir = opendir(folder);
    if (!dir) return leat_error_set(err, LEAT_E_IO, folder, "cannot be read: %s", strerror(errno));
    for (const struct dirent *d; status >= 0 && (d = readdir(dir));) {
        if (is_known(m, d->d_name)) continue;
        char *path = leati_format("%s/%s", folder, d->d_name);
        status = leat_error_set(err, LEAT_E_FORMAT, path ? path : folder,
                                "it is no part of this checkpoint; take it away");
        leati_free(path);
    }
    closedir(dir);
    return status;
}

/* --- a file ----------------------------------------------------------------------------------- */

static leat_status not_this_one(const char *path, leat_error *err) {
    return leat_error_set(err, LEAT_E_FORMAT, path, "it is not the file that %s says it is",
                          LEATI_MANIFEST);
}

/* The operators of the file are those of the manifest, in its order. */
static leat_status compare(leati_store *s, leati_cp_file *f, const char *path, leat_error *err) {
    const leati_row *rows;
    size_t count = leati_store_rows(s, &rows);
    int at = -1;
    for (size_t i = 0; i < count; i++) {
        const leati_row *e = &rows[i];
        if (e->kind == LEATI_ROW_OPERATOR) {
            bool same = ++at < f->operator_count && strcmp(f->operators[at].id, e->name) == 0 &&
                        e->subtask == f->subtask && e->parallelism == f->parallelism;
            if (!same) return not_this_one(path, err);
        } else if (e->kind == LEATI_ROW_LOG && f->operator_count) {
            f->operators[0].remembers = true; /* it is the head's, wherever it is */
        } else if (leati_row_is_section(e) && at >= 0) {
            f->operators[at].remembers = true;
        }
    }
    return at + 1 == f->operator_count ? LEAT_OK : not_this_one(path, err);
}

static leat_status verify_file(const char *path, leati_cp_file *f, bool foreign,
                               const leati_abort *abort, leat_error *err) {
    struct stat st;
    leat_status status = look_at(path, foreign, &st, err);
    if (status < 0) return status;
    if ((uint64_t)st.st_size != f->size)
        return leat_error_set(err, LEAT_E_FORMAT, path,
                              "it has %" PRIu64 " bytes, and should have %" PRIu64,
                              (uint64_t)st.st_size, f->size);
    leati_store *s = leati_store_open(path, err);
    if (!s) return err->status;
    bool other = f->sealed && leati_store_crc(s) != f->crc;
    status = other ? not_this_one(path, err) : compare(s, f, path, err);
    if (status >= 0) status = leati_store_verify(s, abort, err);
    leati_store_free(s);
    return status;
}

leat_status leati_cp_verify(const char *folder, leati_manifest *m, bool foreign,
                            const leati_abort *abort, leat_error *err) {
    struct stat st;
    char *manifest = leati_format("%s/%s", folder, LEATI_MANIFEST);
    leat_status status = manifest ? look_at(manifest, foreign, &st, err)
                                  : leat_error_set(err, LEAT_E_NOMEM, folder, "no memory");
    leati_free(manifest);
    if (status >= 0) status = find_strangers(folder, m, err);
    for (int i = 0; i < m->file_count && status >= 0; i++) {
        char *path = leati_format("%s/%s", folder, m->files[i].name);
        status = path ? verify_file(path, &m->files[i], foreign, abort, err)
                      : leat_error_set(err, LEAT_E_NOMEM, folder, "no memory");
        leati_free(path);
    }
    return status;
}
