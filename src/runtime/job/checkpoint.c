/* checkpoint.c: the folders of checkpoints; see checkpoint.h. What is published was written, told
   to the disk, renamed, and its folder told to the disk: in this order, so that whatever has its
   name is whole. */
#include "runtime/job/checkpoint.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/base/alloc.h"
#include "runtime/base/file_path.h"
#include "runtime/base/files.h"
#include "runtime/base/log.h"

enum { FILE_MODE = 0600, FOLDER_MODE = 0700 };

/* --- names ------------------------------------------------------------------------------------ */

char *leati_cp_named(const char *path) {
    static const char tail[] = "/" LEATI_MANIFEST;
    char *folder = leati_strdup(leati_file_path(path));
    size_t size = folder ? strlen(folder) : 0;
    while (size > 1 && folder[size - 1] == '/') folder[--size] = 0;
    size_t cut = sizeof tail - 1;
    if (size > cut && strcmp(folder + size - cut, tail) == 0) folder[size - cut] = 0;
    return folder;
}

/* In any locale. */
static bool is_plain(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
}

char *leati_cp_job_folder(const char *dir, const char *job_name) {
    leati_buf b;
    leati_buf_init(&b);
    leati_buf_text(&b, dir);
    if (b.size && b.bytes[b.size - 1] != '/') leati_buf_u8(&b, '/');
    for (const char *at = job_name; *at; at++) {
        if (is_plain(*at) || (*at == '.' && at != job_name))
            leati_buf_u8(&b, (uint8_t)*at);
        else
            leati_buf_printf(&b, "%%%02X", (unsigned char)*at);
    }
    if (!*job_name) leati_buf_u8(&b, '%'); /* which no other name becomes */
    return leati_buf_take(&b);
}

char *leati_cp_folder(const char *job_folder, int64_t number) {
    return leati_format("%s/chk-%" PRId64, job_folder, number);
}

char *leati_cp_part(const char *job_folder, int64_t number) {
    return leati_format("%s/chk-%" PRId64 ".part", job_folder, number);
}

char *leati_cp_task_file(const char *folder, int task) {
    return leati_format("%s/task-%d", folder, task);
}

/* The number in "chk-7" or "chk-7.part"; 0: it is another name. */
static int64_t number_in(const char *name, bool *part) {
    char *end;
    if (strncmp(name, "chk-", 4) != 0 || name[4] < '1' || name[4] > '9') return 0;
    errno = 0;
    long long number = strtoll(name + 4, &end, 10);
    *part = strcmp(end, ".part") == 0;
    return errno || number > LEATI_CP_MOST || (*end && !*part) ? 0 : number;
}

static int newest_first(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? 1 : x > y ? -1 : 0;
}

/* LEAT_E_IO: a folder that is read half would have lost its newest. */
static int list_folder(DIR *dir, int64_t **numbers, int64_t *highest) {
    int count = 0;
    for (const struct dirent *d; errno = 0, (d = readdir(dir));) {
        bool part = false;
        int64_t number = number_in(d->d_name, &part);
        if (number > *highest) *highest = number;
        if (!number || part) continue;
        int64_t *more = leati_resize(*numbers, (size_t)(count + 1) * sizeof *more);
        if (!more) return LEAT_E_NOMEM;
        *numbers = more;
        more[count++] = number;
    }
    if (errno) return LEAT_E_IO;
    if (count) qsort(*numbers, (size_t)count, sizeof **numbers, newest_first);
    return count;
}

int leati_cp_list(const char *job_folder, int64_t **numbers, int64_t *highest, leat_error *err) {
    *numbers = NULL;
    *highest = 0;
    DIR *dir = opendir(job_folder);
    if (!dir && errno == ENOENT) return 0;
    int count = dir ? list_folder(dir, numbers, highest) : LEAT_E_IO;
    if (count == LEAT_E_IO)
        leat_error_set(err, LEAT_E_IO, job_folder, "cannot be read: %s", strerror(errno));
    else if (count < 0)
        leat_error_set(err, LEAT_E_NOMEM, job_folder, "no memory");
    if (dir) closedir(dir);
    if (count < 0) {
        leati_free(*numbers);
        *numbers = NULL;
        return -1;
    }
    return count;
}

/* --- making and removing ---------------------------------------------------------------------- */

static leat_status say(leat_error *err, const char *path, const char *what) {
    return leat_error_set(err, LEAT_E_IO, path, "%s: %s", what, strerror(errno));
}

static leat_status sync_folder(const char *folder, leat_error *err) {
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return say(err, folder, "the folder cannot be opened");
    int failed = leati_files_get()->fsync(fd);
    if (failed) say(err, folder, "fsync");
    close(fd);
    return failed ? LEAT_E_IO : LEAT_OK;
}

static leat_status sync_parent(const char *path, leat_error *err) {
    char *parent = leati_strdup(path);
    if (!parent) return leat_error_set(err, LEAT_E_NOMEM, path, "no memory");
    char *slash = strrchr(parent, '/');
    if (slash) slash[slash == parent] = 0;
    leat_status status = sync_folder(slash ? parent : ".", err);
    leati_free(parent);
    return status;
}

static leat_status make_one(const char *folder, bool lasting, leat_error *err) {
    struct stat st;
    if (mkdir(folder, FOLDER_MODE) == 0) return lasting ? sync_parent(folder, err) : LEAT_OK;
    int why = errno;
    if (stat(folder, &st) == 0 && S_ISDIR(st.st_mode)) return LEAT_OK;
    errno = why;
    return why == EEXIST
               ? leat_error_set(err, LEAT_E_IO, folder, "it is no folder, but in place of one")
               : say(err, folder, "the folder cannot be made");
}

static leat_status make(const char *folder, bool lasting, leat_error *err) {
    char *path = leati_strdup(folder);
    leat_status status = path ? LEAT_OK : leat_error_set(err, LEAT_E_NOMEM, folder, "no memory");
    for (char *at = path ? strchr(path + 1, '/') : NULL; at && status >= 0;
         at = strchr(at + 1, '/')) {
        *at = 0;
        status = make_one(path, lasting, err);
        *at = '/';
    }
    if (status >= 0) status = make_one(path, lasting, err);
    leati_free(path);
    return status;
}

leat_status leati_cp_make(const char *folder, leat_error *err) {
    return make(folder, false, err);
}

leat_status leati_cp_make_lasting(const char *folder, leat_error *err) {
    return make(folder, true, err);
}

void leati_cp_remove(const char *folder) {
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    if (fd >= 0 && !dir) close(fd);
    for (const struct dirent *d; dir && (d = readdir(dir));)
        if (strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0)
            unlinkat(dirfd(dir), d->d_name, 0);
    if (dir) closedir(dir);
    rmdir(folder);
}

void leati_cp_discard(const char *job_folder, int64_t number) {
    char *folder = leati_cp_folder(job_folder, number), *part = leati_cp_part(job_folder, number);
    if (folder && part && leati_files_get()->rename(folder, part) == 0) leati_cp_remove(part);
    leati_free(folder);
    leati_free(part);
}

void leati_cp_remove_parts(const char *job_folder, bool newest) {
    leat_error err;
    int64_t *numbers, highest;
    int count = leati_cp_list(job_folder, &numbers, &highest, &err);
    leati_free(numbers);
    DIR *dir = count >= 0 ? opendir(job_folder) : NULL;
    for (const struct dirent *d; dir && (d = readdir(dir));) {
        bool part = false;
        int64_t number = number_in(d->d_name, &part);
        if (!part || !number || (number == highest && !newest)) continue;
        char *path = leati_cp_part(job_folder, number);
        if (path) leati_cp_remove(path);
        leati_free(path);
    }
    if (dir) closedir(dir);
}

/* --- publishing ------------------------------------------------------------------------------- */

static leat_status write_bytes(int fd, const char *path, const char *bytes, size_t size,
                               leat_error *err) {
    while (size) {
        ssize_t n = write(fd, bytes, size);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return say(err, path, "cannot be written");
        bytes += n;
        size -= (size_t)n;
    }
    return LEAT_OK;
}

static leat_status write_whole(int fd, const char *path, const char *bytes, size_t size,
                               leat_error *err) {
    leat_status status = write_bytes(fd, path, bytes, size, err);
    return status >= 0 && leati_files_get()->fsync(fd) < 0 ? say(err, path, "fsync") : status;
}

static leat_status write_file(const char *folder, const char *name, const leati_buf *bytes,
                              leat_error *err) {
    char *path = leati_format("%s/%s", folder, name);
    if (!path || bytes->failed) {
        leati_free(path);
        return leat_error_set(err, LEAT_E_NOMEM, folder, "no memory");
    }
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, FILE_MODE);
    leat_status status = fd < 0 ? say(err, path, "cannot be made")
                                : write_whole(fd, path, bytes->bytes, bytes->size, err);
    if (fd >= 0) close(fd);
    leati_free(path);
    return status;
}

/* A name that may not last is taken back: who goes on without the checkpoint writes over what it
   has. */
static leat_status make_lasting(const char *part, const char *to, leat_error *err) {
    leat_status status = sync_parent(to, err);
    if (status < 0 && leati_files_get()->rename(to, part) < 0)
        leati_log(LEAT_LOG_ERROR, "%s: it is not complete, and cannot be renamed: %s; remove it",
                  to, strerror(errno));
    return status;
}

/* --- onto another file system ----------------------------------------------------------------- */

static leat_status copy_bytes(int in, const char *from, int out, const char *to, leat_error *err) {
    enum { BLOCK = 1 << 18 };
    char *block = leati_alloc(BLOCK);
    leat_status status = block ? LEAT_OK : leat_error_set(err, LEAT_E_NOMEM, from, "no memory");
    for (ssize_t n = 1; n && status >= 0;) {
        n = read(in, block, BLOCK);
        if (n > 0) status = write_bytes(out, to, block, (size_t)n, err);
        if (n < 0 && errno != EINTR) status = say(err, from, "cannot be read");
    }
    leati_free(block);
    return status >= 0 && leati_files_get()->fsync(out) < 0 ? say(err, to, "fsync") : status;
}

/* By another name where that is possible: nobody changes what is there. */
static leat_status copy_file(const char *from, const char *to, leat_error *err) {
    if (link(from, to) == 0) return LEAT_OK;
    int in = open(from, O_RDONLY | O_CLOEXEC);
    if (in < 0) return say(err, from, "cannot be read");
    int out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, FILE_MODE);
    leat_status status =
        out < 0 ? say(err, to, "cannot be made") : copy_bytes(in, from, out, to, err);
    if (out >= 0) close(out);
    close(in);
    return status;
}

static leat_status copy_one(const char *from, const char *to, const char *name, leat_error *err) {
    char *a = leati_format("%s/%s", from, name), *b = leati_format("%s/%s", to, name);
    leat_status status =
        a && b ? copy_file(a, b, err) : leat_error_set(err, LEAT_E_NOMEM, from, "no memory");
    leati_free(a);
    leati_free(b);
    return status;
}

leat_status leati_cp_copy(const char *from, const char *to, const leati_manifest *m,
                          leat_error *err) {
    char *part = leati_format("%s.part", to);
    leat_status status =
        part ? leati_cp_make(part, err) : leat_error_set(err, LEAT_E_NOMEM, to, "no memory");
    for (int i = 0; i < m->file_count && status >= 0; i++)
        status = copy_one(from, part, m->files[i].name, err);
    if (status >= 0) status = copy_one(from, part, LEATI_MANIFEST, err);
    if (status >= 0) status = sync_folder(part, err);
    if (status >= 0 && leati_files_get()->rename(part, to) < 0)
        status = say(err, to, "cannot be named");
    if (status >= 0) status = make_lasting(part, to, err);
    if (status < 0 && part) leati_cp_remove(part);
    leati_free(part);
    return status;
}

static leat_status move(const char *part, const char *to, const leati_manifest *m,
                        leat_error *err) {
    if (leati_files_get()->rename(part, to) == 0) return make_lasting(part, to, err);
    if (errno != EXDEV) return say(err, to, "cannot be named");
    leat_status status = leati_cp_copy(part, to, m, err);
    if (status >= 0) leati_cp_remove(part);
    return status;
}

leat_status leati_cp_publish(const char *part, const char *to, const leati_manifest *m,
                             leat_error *err) {
    leati_buf bytes;
    leati_buf_init(&bytes);
    leati_manifest_encode(m, &bytes);
    leat_status status = write_file(part, LEATI_MANIFEST, &bytes, err);
    leati_buf_fini(&bytes);
    if (status >= 0) status = sync_folder(part, err);
    return status < 0 ? status : move(part, to, m, err);
}

/* --- the end of the job ----------------------------------------------------------------------- */

static leat_status replace(const char *folder, const char *from, const char *to, leat_error *err) {
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return say(err, folder, "the folder cannot be opened");
    leat_status status = LEAT_OK;
    if (renameat(fd, from, fd, to) < 0)
        status = say(err, folder, "its manifest cannot be replaced");
    else if (leati_files_get()->fsync(fd) < 0)
        status = say(err, folder, "fsync");
    close(fd);
    return status;
}

/* The new manifest is written beside the old one, hidden, and takes its place. */
leat_status leati_cp_finish(const char *folder, leat_error *err) {
    static const char hidden[] = "." LEATI_MANIFEST;
    leati_manifest m;
    leati_buf bytes;
    leat_status status = leati_manifest_read(folder, &m, err);
    if (status < 0) return status;
    m.flags |= LEATI_CP_FINISHED;
    leati_buf_init(&bytes);
    leati_manifest_encode(&m, &bytes);
    leati_manifest_fini(&m);
    status = write_file(folder, hidden, &bytes, err);
    leati_buf_fini(&bytes);
    return status < 0 ? status : replace(folder, hidden, LEATI_MANIFEST, err);
}
