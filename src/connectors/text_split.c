/* text_split.c: lists files and cuts them into ranges.

   A range [b, e) owns the lines that begin in it. Its reader starts at b - 1 and drops all up to
   the first line end, which is the byte b - 1 itself when a line begins at b; it ends with the line
   that reaches e or goes beyond. So each line has one owner, wherever the borders fall.

   A plain file is cut into equal ranges of at most RANGE_MOST bytes, one per reader if they are not
   smaller than RANGE_LEAST; a single reader takes it whole, and so does the one reader of a gzip
   file, which can't be entered in the middle. */
#include "connectors/text_split.h"

#include "runtime/base/alloc.h"
#include "runtime/base/file_path.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define RANGE_MOST  (UINT64_C(8) << 20)
#define RANGE_LEAST (UINT64_C(64) << 10)

/* --- files ------------------------------------------------------------------------------------ */

static leat_status cannot(leat_error *err, const char *what, const char *path) {
    int code = errno;
    leat_status status = code == ENOENT || code == ENOTDIR ? LEAT_E_NOT_FOUND
                         : code == ENOMEM                  ? LEAT_E_NOMEM
                                                           : LEAT_E_IO;
    return leat_error_set(err, status, path, "cannot %s '%s': %s", what, path, strerror(code));
}

static bool ends_with(const char *path, const char *end) {
    size_t size = strlen(path), end_size = strlen(end);
    return size > end_size && strcmp(path + size - end_size, end) == 0;
}

leat_status leati_text_file_check(const char *path, leat_error *err) {
    if (access(path, R_OK) != 0) return cannot(err, "read", path);
    if (!ends_with(path, ".bz2") && !ends_with(path, ".xz") && !ends_with(path, ".deflate"))
        return LEAT_OK;
    return leat_error_set(err, LEAT_E_UNSUPPORTED, path,
                          "'%s' is compressed in a way that is not read; only gzip is", path);
}

leat_status leati_text_files_put(leati_text_files *files, const char *path, uint64_t size) {
    if (files->count == files->room) {
        size_t room = files->room ? 2 * files->room : 16;
        leati_text_file *items = leati_resize(files->items, room * sizeof *items);
        if (!items) return LEAT_E_NOMEM;
        files->items = items;
        files->room = room;
    }
    char *copy = leati_strdup(path);
    if (!copy) return LEAT_E_NOMEM;
    bool gzip = ends_with(path, ".gz") || ends_with(path, ".gzip");
    files->items[files->count++] = (leati_text_file){copy, size, gzip};
    return LEAT_OK;
}

static leat_status add_file(leati_text_files *files, const char *path, uint64_t size,
                            leat_error *err) {
    leat_status status = files->names_only ? LEAT_OK : leati_text_file_check(path, err);
    if (status < 0 || leati_text_files_put(files, path, size) >= 0) return status;
    return leat_error_set(err, LEAT_E_NOMEM, path, "no memory for its name");
}

static leat_status add_any(leati_text_files *files, const char *path, leat_error *err);

/* A link to nowhere still is there. */
bool leati_text_file_vanished(const char *path) {
    struct stat info;
    return lstat(path, &info) != 0 && errno == ENOENT;
}

/* What has gone since the folder was listed was never there. */
static leat_status add_folder(leati_text_files *files, const char *path, leat_error *err) {
    DIR *folder = opendir(path);
    if (!folder) return cannot(err, "open", path);
    leat_status status = LEAT_OK;
    const struct dirent *entry;
    size_t size = strlen(path);
    const char *slash = size > 0 && path[size - 1] == '/' ? "" : "/";
    while (status >= 0 && (errno = 0, entry = readdir(folder))) {
        if (entry->d_name[0] == '.' || entry->d_name[0] == '_') continue;
        char *below = leati_format("%s%s%s", path, slash, entry->d_name);
        if (!below)
            status = leat_error_set(err, LEAT_E_NOMEM, path, "no memory for its names");
        else if (files->names_only && entry->d_type == DT_REG)
            status = add_file(files, below, 0, err);
        else
            status = add_any(files, below, err);
        if (status == LEAT_E_NOT_FOUND && leati_text_file_vanished(below)) status = LEAT_OK;
        leati_free(below);
    }
    if (status >= 0 && errno != 0) status = cannot(err, "list", path);
    closedir(folder);
    return status;
}

static leat_status add_any(leati_text_files *files, const char *path, leat_error *err) {
    struct stat info;
    if (stat(path, &info) != 0) return cannot(err, "open", path);
    if (S_ISDIR(info.st_mode)) return add_folder(files, path, err);
    if (S_ISREG(info.st_mode)) return add_file(files, path, (uint64_t)info.st_size, err);
    return leat_error_set(err, LEAT_E_UNSUPPORTED, path, "'%s' is neither a file nor a folder",
                          path);
}

static int by_path(const void *a, const void *b) {
    return strcmp(((const leati_text_file *)a)->path, ((const leati_text_file *)b)->path);
}

void leati_text_files_sort(leati_text_files *files) {
    size_t kept = 0;
    if (files->count) qsort(files->items, files->count, sizeof *files->items, by_path);
    for (size_t i = 0; i < files->count; i++) {
        if (kept && strcmp(files->items[kept - 1].path, files->items[i].path) == 0)
            leati_free(files->items[i].path);
        else
            files->items[kept++] = files->items[i];
    }
    files->count = kept;
}

leat_status leati_text_files_find(leati_text_files *files, const char *path, leat_error *err) {
    leat_status status = leati_file_path_check(path, err);
    return status < 0 ? status : add_any(files, leati_file_path(path), err);
}

leat_status leati_text_files_add(leati_text_files *files, const char *path, leat_error *err) {
    size_t before = files->count;
    leat_status status = leati_text_files_find(files, path, err);
    size_t found = files->count - before;
    if (found) qsort(files->items + before, found, sizeof *files->items, by_path);
    if (status < 0 || found) return status;
    return leat_error_set(
        err, LEAT_E_NOT_FOUND, path,
        "the folder '%s' has no files; names that begin with '.' or '_' are skipped",
        leati_file_path(path));
}

void leati_text_files_fini(leati_text_files *files) {
    for (size_t i = 0; i < files->count; i++) leati_free(files->items[i].path);
    leati_free(files->items);
    memset(files, 0, sizeof *files);
}

/* --- splits ----------------------------------------------------------------------------------- */

leat_status leati_text_splits_add(leati_text_splits *splits, const leati_text_split *split) {
    if (splits->count == splits->room) {
        size_t room = splits->room ? 2 * splits->room : 8;
        leati_text_split *items = leati_resize(splits->items, room * sizeof *items);
        if (!items) return LEAT_E_NOMEM;
        splits->items = items;
        splits->room = room;
    }
    char *path = leati_strdup(split->path);
    if (!path) return LEAT_E_NOMEM;
    splits->items[splits->count] = *split;
    splits->items[splits->count++].path = path;
    return LEAT_OK;
}

static uint64_t range_of(const leati_text_file *file, int readers) {
    if (file->gzip || readers == 1) return UINT64_MAX;
    uint64_t range = file->size / (uint64_t)readers + 1;
    return range < RANGE_LEAST ? RANGE_LEAST : range > RANGE_MOST ? RANGE_MOST : range;
}

leat_status leati_text_splits_share(leati_text_splits *splits, const leati_text_files *files,
                                    int reader, int readers) {
    uint64_t turn = 0;
    for (size_t i = 0; i < files->count; i++) {
        const leati_text_file *file = &files->items[i];
        uint64_t range = range_of(file, readers), begin = 0;
        for (bool more = true; more; turn++) {
            more = file->size - begin > range;
            uint64_t end = more ? begin + range : UINT64_MAX;
            leati_text_split split = {file->path, begin ? begin - 1 : 0, end, begin == 0,
                                      file->gzip};
            if (turn % (uint64_t)readers == (uint64_t)reader &&
                leati_text_splits_add(splits, &split) < 0)
                return LEAT_E_NOMEM;
            begin = end;
        }
    }
    return LEAT_OK;
}

void leati_text_splits_fini(leati_text_splits *splits) {
    for (size_t i = 0; i < splits->count; i++) leati_free(splits->items[i].path);
    leati_free(splits->items);
    memset(splits, 0, sizeof *splits);
}
