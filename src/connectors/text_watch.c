/* text_watch.c: see text_watch.h. A file is taken once, when it is seen for the first time, and
   read as far as it goes then; so files have to come whole, by a rename. It is remembered as long
   as its name is there: what has to be known does not grow with the files that ever came, and a
   name that comes again when it had gone is a new file.

   A look lists the names, puts them in order, and goes through them and through those that were
   seen, side by side. It makes a new list of what was seen, as bytes that a snapshot has only to
   copy, and nothing on the task's thread takes longer with more files but that copy. Of files that
   are known nothing but the name is looked at.

   A snapshot has an item "seen" of a union list: the paths, one blob after the other. After a
   restore each reader picks its own. */
#include "connectors/text_watch.h"

#include "runtime/base/alloc.h"
#include "runtime/base/hash.h"

void leati_text_watch_init(leati_text_watch *w, const leati_text_files *roots, int reader,
                           int readers) {
    *w = (leati_text_watch){.roots = roots, .reader = reader, .readers = readers};
    leati_buf_init(&w->seen);
    leati_buf_init(&w->next);
    w->found.names_only = true;
}

void leati_text_watch_fini(leati_text_watch *w) {
    leati_buf_fini(&w->seen);
    leati_buf_fini(&w->next);
    leati_text_files_fini(&w->found);
}

/* --- looking ---------------------------------------------------------------------------------- */

static bool is_own(const leati_text_watch *w, const char *path) {
    return leati_hash(path, strlen(path)) % (uint64_t)w->readers == (uint64_t)w->reader;
}

/* Those of this reader, in order, each once: one may be below two of the folders. */
static void keep_own(const leati_text_watch *w, leati_text_files *files) {
    size_t kept = 0;
    for (size_t i = 0; i < files->count; i++) {
        if (is_own(w, files->items[i].path))
            files->items[kept++] = files->items[i];
        else
            leati_free(files->items[i].path);
    }
    files->count = kept;
    leati_text_files_sort(files);
}

static int compare(const char *path, const char *seen, size_t size) {
    int order = strncmp(path, seen, size);
    return order ? order : path[size] != 0;
}

typedef struct seen_path {
    leati_reader rest;
    const char *path; /* not terminated; NULL: none is left */
    size_t size;
} seen_path;

static void next_seen(seen_path *p) {
    p->path = leati_reader_left(&p->rest) ? leati_reader_blob(&p->rest, &p->size) : NULL;
}

/* Those that were seen and come before `until`, which is the next in the list, if there is one.
   They are not in the list; but lists of folders that change meanwhile may lack a name, so only
   what can't be found by it has gone. */
static leat_status keep_unless_gone(leati_text_watch *w, seen_path *p, const char *until) {
    for (; p->path && (!until || compare(until, p->path, p->size) > 0); next_seen(p)) {
        char *path = leati_format("%.*s", (int)p->size, p->path);
        if (!path) return LEAT_E_NOMEM;
        if (!leati_text_file_vanished(path)) leati_buf_blob(&w->next, p->path, p->size);
        leati_free(path);
    }
    return LEAT_OK;
}

/* Is it a new one that is to be read? */
static leat_status greet(leati_text_watch *w, seen_path *p, const char *path, bool *is_new) {
    bool known = p->path && compare(path, p->path, p->size) == 0;
    leat_status status = known ? LEAT_OK : leati_text_file_check(path, &w->err);
    *is_new = !known && status >= 0;
    if (status >= 0) leati_buf_blob(&w->next, path, strlen(path));
    if (known) next_seen(p);
    bool gone = status == LEAT_E_NOT_FOUND && leati_text_file_vanished(path);
    return gone ? LEAT_OK : status;
}

/* Of what was found the new ones stay; `next` becomes what was seen and is there, and these. */
static leat_status tell_new_ones(leati_text_watch *w) {
    leati_text_files *files = &w->found;
    seen_path p = {.rest = leati_reader_of(w->seen.bytes, w->seen.size)};
    leat_status status = LEAT_OK;
    size_t kept = 0;
    w->next.size = 0;
    next_seen(&p);
    for (size_t i = 0; i < files->count; i++) {
        leati_text_file file = files->items[i];
        bool is_new = false;
        if (status >= 0) status = keep_unless_gone(w, &p, file.path);
        if (status >= 0) status = greet(w, &p, file.path, &is_new);
        if (is_new)
            files->items[kept++] = file;
        else
            leati_free(file.path);
    }
    files->count = kept;
    if (status >= 0) status = keep_unless_gone(w, &p, NULL);
    return status >= 0 && w->next.failed ? LEAT_E_NOMEM : status;
}

leat_status leati_text_watch_look(leati_text_watch *w) {
    leat_status status = LEAT_OK;
    for (size_t i = 0; i < w->roots->count && status >= 0; i++)
        status = leati_text_files_find(&w->found, w->roots->items[i].path, &w->err);
    if (status < 0) return status;
    keep_own(w, &w->found);
    return tell_new_ones(w);
}

/* --- taking ----------------------------------------------------------------------------------- */

leat_status leati_text_watch_take(leati_text_watch *w, leati_text_splits *splits) {
    leat_status status = LEAT_OK;
    for (size_t i = 0; i < w->found.count && status >= 0; i++) {
        const leati_text_file *file = &w->found.items[i];
        leati_text_split split = {file->path, 0, UINT64_MAX, true, file->gzip};
        status = leati_text_splits_add(splits, &split);
    }
    leati_text_files_fini(&w->found);
    w->found.names_only = true;
    leati_buf seen = w->seen;
    w->seen = w->next;
    w->next = seen;
    return status;
}

/* --- snapshots -------------------------------------------------------------------------------- */

leat_status leati_text_watch_snapshot(const leati_text_watch *w, leat_snapshot *out) {
    return leat_snapshot_write(out, "seen", LEAT_UNION_LIST, w->seen.bytes, w->seen.size);
}

static leat_status read_paths(leati_text_files *files, const void *bytes, size_t size) {
    leati_reader paths = leati_reader_of(bytes, size);
    leat_status status = LEAT_OK;
    while (status >= 0 && leati_reader_left(&paths)) {
        char *path = leati_reader_text(&paths);
        status = path ? leati_text_files_put(files, path, 0) : LEAT_E_FORMAT;
        leati_free(path);
    }
    return status;
}

leat_status leati_text_watch_restore(leati_text_watch *w, leat_snapshot *in) {
    leati_text_files files = {.names_only = true};
    const void *bytes;
    size_t size;
    leat_status status = LEAT_OK;
    for (size_t i = 0; status >= 0; i++) {
        if (leat_snapshot_read(in, "seen", i, &bytes, &size) != LEAT_OK) break;
        status = read_paths(&files, bytes, size);
    }
    keep_own(w, &files);
    for (size_t i = 0; i < files.count; i++)
        leati_buf_blob(&w->seen, files.items[i].path, strlen(files.items[i].path));
    leati_text_files_fini(&files);
    return status >= 0 && w->seen.failed ? LEAT_E_NOMEM : status;
}
