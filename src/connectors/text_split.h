/* text_split.h: which files a text source reads, and which part of them is whose. */
#ifndef LEATI_TEXT_SPLIT_H
#define LEATI_TEXT_SPLIT_H

#include "leat/base.h"

typedef struct leati_text_file {
    char *path;
    uint64_t size;
    bool gzip;
} leati_text_file;

typedef struct leati_text_files {
    leati_text_file *items;
    size_t count, room;
    bool names_only; /* plain files are found by name alone: their sizes are 0, and nobody has
                        looked whether they can be read */
} leati_text_files;

/* Appends the file at `path`, or all files of that folder and those below it in the order of their
   paths, but for names that begin with '.' or '_'. Fails for what is missing, unreadable, neither
   file nor folder, or a folder without files. */
leat_status leati_text_files_add(leati_text_files *files, const char *path, leat_error *err);
/* The same in any order, and a folder may have none. */
leat_status leati_text_files_find(leati_text_files *files, const char *path, leat_error *err);
/* Appends one by its name. */
leat_status leati_text_files_put(leati_text_files *files, const char *path, uint64_t size);
/* Into the order of their paths, each once. */
void leati_text_files_sort(leati_text_files *files);
void leati_text_files_fini(leati_text_files *files);
/* May this user read it, and is it packed in a way that is known? */
leat_status leati_text_file_check(const char *path, leat_error *err);
/* Nothing has that name any more. */
bool leati_text_file_vanished(const char *path);

/* What one reader reads of one file: the lines that begin before `end`, from `start` on; but if it
   is not `aligned`, from the first line end at or after `start`. Offsets of gzip files count the
   decompressed text. */
typedef struct leati_text_split {
    char *path;
    uint64_t start, end; /* UINT64_MAX: the end of the file */
    bool aligned, gzip;
} leati_text_split;

typedef struct leati_text_splits {
    leati_text_split *items;
    size_t count, room;
} leati_text_splits;

/* Appends a split; copies the path. */
leat_status leati_text_splits_add(leati_text_splits *splits, const leati_text_split *split);
/* Appends the share of reader `reader` of `readers`: files are cut into ranges, which are dealt out
   in turn, so that every reader knows its own without asking. */
leat_status leati_text_splits_share(leati_text_splits *splits, const leati_text_files *files,
                                    int reader, int readers);
void leati_text_splits_fini(leati_text_splits *splits);

#endif
