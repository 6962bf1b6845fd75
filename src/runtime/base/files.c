/* files.c: see files.h. */
#include "runtime/base/files.h"

#include "runtime/base/alloc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int system_open(const char *path, int flags, mode_t mode) {
    return open(path, flags, mode);
}

static const leati_files of_system = {
    .open = system_open,
    .write = write,
    .fsync = fsync,
    .ftruncate = ftruncate,
    .close = close,
    .rename = rename,
    .mkdir = mkdir,
};

static _Atomic(const leati_files *) current = &of_system;

void leati_files_set(const leati_files *files) {
    atomic_store(&current, files ? files : &of_system);
}

const leati_files *leati_files_get(void) {
    return atomic_load_explicit(&current, memory_order_acquire);
}

static const char *advice(int code) {
    switch (code) {
    case ENOSPC:
    case EDQUOT: return "; make room on that disk";
    case EACCES:
    case EPERM:
    case EROFS: return "; let this user write there, or name another folder";
    case EPIPE: return "; whoever read it has ended";
    case ENAMETOOLONG: return "; shorten its prefix, suffix or folder";
    default: return "";
    }
}

leat_status leati_file_cannot(const char *what, const char *path, leat_error *err) {
    int code = errno;
    return leat_error_set(err, LEAT_E_IO, path, "cannot %s '%s': %s%s", what, path, strerror(code),
                          advice(code));
}

leat_status leati_file_open(const char *path, int flags, int *fd, leat_error *err) {
    int opened;
    do opened = leati_files_get()->open(path, flags | O_CLOEXEC, 0666);
    while (opened < 0 && errno == EINTR);
    if (opened < 0) return leati_file_cannot("write", path, err);
    *fd = opened;
    return LEAT_OK;
}

leat_status leati_file_write(int fd, const char *path, const void *bytes, size_t size,
                             leat_error *err) {
    const char *at = bytes;
    while (size > 0) {
        ssize_t n = leati_files_get()->write(fd, at, size);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return leati_file_cannot("write", path, err);
        at += n;
        size -= (size_t)n;
    }
    return LEAT_OK;
}

leat_status leati_file_sync(int fd, const char *path, leat_error *err) {
    int failed = 0;
    do failed = leati_files_get()->fsync(fd);
    while (failed && errno == EINTR);
    return failed ? leati_file_cannot("write", path, err) : LEAT_OK;
}

leat_status leati_file_truncate(int fd, const char *path, int64_t size, leat_error *err) {
    int failed;
    do failed = leati_files_get()->ftruncate(fd, (off_t)size);
    while (failed && errno == EINTR);
    return failed ? leati_file_cannot("shorten", path, err) : LEAT_OK;
}

leat_status leati_file_close(int fd, const char *path, leat_error *err) {
    if (leati_files_get()->close(fd) == 0 || errno == EINTR) return LEAT_OK;
    return leati_file_cannot("write", path, err);
}

leat_status leati_file_rename(const char *from, const char *to, leat_error *err) {
    if (leati_files_get()->rename(from, to) == 0) return LEAT_OK;
    return leati_file_cannot("give its final name to", from, err);
}

static leat_status sync_folder(const char *folder, leat_error *err) {
    int fd = -1;
    leat_status status = leati_file_open(folder, O_RDONLY | O_DIRECTORY, &fd, err);
    if (status < 0) return status;
    status = leati_file_sync(fd, folder, err);
    leati_files_get()->close(fd);
    return status;
}

/* The folder above, as text of its own: "." of a bare name. */
static char *folder_of(const char *path) {
    const char *slash = strrchr(path, '/');
    if (!slash) return leati_strdup(".");
    return slash == path ? leati_strdup("/") : leati_format("%.*s", (int)(slash - path), path);
}

leat_status leati_file_sync_folder(const char *path, leat_error *err) {
    char *folder = folder_of(path);
    if (!folder) return leat_error_set(err, LEAT_E_NOMEM, path, "out of memory");
    leat_status status = sync_folder(folder, err);
    leati_free(folder);
    return status;
}

/* Another one may make it at the same time. */
static leat_status make_folder(const char *path, leat_error *err) {
    struct stat info;
    if (stat(path, &info) == 0 && S_ISDIR(info.st_mode)) return LEAT_OK;
    if (leati_files_get()->mkdir(path, 0777) == 0) return leati_file_sync_folder(path, err);
    return errno == EEXIST ? LEAT_OK : leati_file_cannot("make folder", path, err);
}

leat_status leati_file_folders(const char *path, leat_error *err) {
    char *copy = leati_strdup(path);
    leat_status status = LEAT_OK;
    if (!copy) return leat_error_set(err, LEAT_E_NOMEM, path, "out of memory");
    char *at = strchr(copy, '/') == copy ? copy + 1 : copy;
    while (status >= 0 && (at = strchr(at, '/'))) {
        *at = 0;
        status = make_folder(copy, err);
        *at++ = '/';
    }
    leati_free(copy);
    return status;
}
