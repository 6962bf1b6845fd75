/* text_watch.c: see text_watch.h. A file is taken once, when it is seen for the first time, and
   read as far as it goes then; so files have to come whole, by a rename. A snapshot has an item
   "seen" of a union list: the paths, one blob after the other. */
#include "connectors/text_watch.h"

#include "runtime/base/alloc.h"
#include "runtime/base/buf.h"

leat_status leati_text_watch_init(leati_text_watch *w, const leat_value *roots, int reader,
                                  int readers) {
    w->reader = reader;
    w->readers = readers;
    leati_hashmap_init(&w->seen, 0);
    w->roots = leati_zalloc(((size_t)roots->size + 1) * sizeof *w->roots);
    if (!w->roots) return LEAT_E_NOMEM;
    for (; w->root_count < roots->size; w->root_count++) {
        const leat_value *path = &roots->as.items[w->root_count];
        int size = path->kind == LEAT_STRING ? (int)path->size : 0;
        char *copy = leati_format("%.*s", size, size ? path->as.bytes : "");
        if (!copy) return LEAT_E_NOMEM;
        w->roots[w->root_count] = copy;
    }
    return LEAT_OK;
}

void leati_text_watch_fini(leati_text_watch *w) {
    for (size_t i = 0; i < w->root_count; i++) leati_free(w->roots[i]);
    leati_free(w->roots);
    leati_hashmap_fini(&w->seen);
    leati_text_files_fini(&w->found);
}

/* --- looking ---------------------------------------------------------------------------------- */

static bool is_own(const leati_text_watch *w, uint64_t hash) {
    return hash % (uint64_t)w->readers == (uint64_t)w->reader;
}

static bool is_new(const leati_text_watch *w, const char *path) {
    size_t size = strlen(path);
    uint64_t hash = leati_hash(path, size);
    return is_own(w, hash) && !leati_hashmap_find(&w->seen, hash, path, size);
}

static void keep_new(const leati_text_watch *w, leati_text_files *files) {
    size_t kept = 0;
    for (size_t i = 0; i < files->count; i++) {
        if (is_new(w, files->items[i].path))
            files->items[kept++] = files->items[i];
        else
            leati_free(files->items[i].path);
    }
    files->count = kept;
}

leat_status leati_text_watch_look(leati_text_watch *w) {
    leat_status status = LEAT_OK;
    for (size_t i = 0; i < w->root_count && status >= 0; i++)
        status = leati_text_files_find(&w->found, w->roots[i], &w->err);
    if (status >= 0) keep_new(w, &w->found);
    return status;
}

/* --- taking ----------------------------------------------------------------------------------- */

static leat_status remember(leati_text_watch *w, const char *path, size_t size, bool *added) {
    return leati_hashmap_add(&w->seen, leati_hash(path, size), path, size, added) ? LEAT_OK
                                                                                  : LEAT_E_NOMEM;
}

/* One that is below two of the folders was found twice. */
leat_status leati_text_watch_take(leati_text_watch *w, leati_text_splits *splits) {
    leat_status status = LEAT_OK;
    for (size_t i = 0; i < w->found.count && status >= 0; i++) {
        const leati_text_file *file = &w->found.items[i];
        bool added = false;
        status = remember(w, file->path, strlen(file->path), &added);
        leati_text_split split = {file->path, 0, UINT64_MAX, true, file->gzip};
        if (status >= 0 && added) status = leati_text_splits_add(splits, &split);
    }
    leati_text_files_fini(&w->found);
    return status;
}

/* --- snapshots -------------------------------------------------------------------------------- */

leat_status leati_text_watch_snapshot(const leati_text_watch *w, leat_snapshot *out) {
    leati_buf paths;
    leati_hashmap_entry e;
    leati_buf_init(&paths);
    for (size_t at = 0; leati_hashmap_next(&w->seen, &at, &e);)
        if (is_own(w, leati_hash(e.bytes, e.size))) leati_buf_blob(&paths, e.bytes, e.size);
    leat_status status =
        paths.failed ? LEAT_E_NOMEM
                     : leat_snapshot_write(out, "seen", LEAT_UNION_LIST, paths.bytes, paths.size);
    leati_buf_fini(&paths);
    return status;
}

leat_status leati_text_watch_restore(leati_text_watch *w, leat_snapshot *in) {
    const void *bytes;
    size_t size;
    leat_status status = LEAT_OK;
    for (size_t i = 0; leat_snapshot_read(in, "seen", i, &bytes, &size) == LEAT_OK; i++) {
        leati_reader paths = leati_reader_of(bytes, size);
        while (status >= 0 && leati_reader_left(&paths)) {
            size_t path_size;
            bool added;
            const char *path = leati_reader_blob(&paths, &path_size);
            status = path ? remember(w, path, path_size, &added) : LEAT_E_FORMAT;
        }
    }
    return status;
}
