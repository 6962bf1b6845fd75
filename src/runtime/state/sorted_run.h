/* sorted_run.h: runs: piles (pile.h) in order, in a temporary file that has no name, so that it
   ends with the process. Several runs stand in one file, one behind the other.

   A run is a stream: per key varint size and canonical bytes, varint size and encoded value, u64
   hash, varint count of its records; then the records as leati_pile_item_write has them. The stream
   is cut into blocks of a fixed size: u32 bytes of the stream in it, u64 hash of these, the bytes;
   only the last may be shorter. What is written is read by the same process only, so the format may
   change with any release.

   Everything here that touches the file may block: it belongs on the I/O thread. */
#ifndef LEATI_SORTED_RUN_H
#define LEATI_SORTED_RUN_H

#include "runtime/state/pile.h"

enum { LEATI_RUN_BLOCK_HEAD = 12 };

typedef struct leati_run_file {
    int fd; /* -1: not made yet */
    uint64_t size;
    const char *dirs; /* where it is made, as the key io.tmp.dirs; lent */
} leati_run_file;

typedef struct leati_run {
    const leati_run_file *file;
    uint64_t start, end; /* in the file */
    size_t block;        /* bytes of the stream per block */
} leati_run;

void leati_run_file_init(leati_run_file *f, const char *dirs);
void leati_run_file_fini(leati_run_file *f);
/* What a file that can't be read back is to its user: LEAT_E_FORMAT. */
leat_status leati_run_damaged(leat_error *err);
/* Forgets all runs in it. */
leat_status leati_run_file_clear(leati_run_file *f, leat_error *err);

/* --- writing ---------------------------------------------------------------------------------- */

typedef struct leati_run_writer {
    leati_run_file *file;
    leati_run run;
    leati_buf gathered; /* the stream behind the last block */
    int64_t time;       /* of the item before */
} leati_run_writer;

/* Begins a run at the end of the file, which is made when it does not exist. */
leat_status leati_run_begin(leati_run_writer *w, leati_run_file *file, size_t block,
                            leat_error *err);
leat_status leati_run_write_key(leati_run_writer *w, const leati_pile_key *key, leat_error *err);
leat_status leati_run_write(leati_run_writer *w, const leati_pile_item *item, leat_error *err);
/* The rest goes out; `run` is what readers want. */
leat_status leati_run_end(leati_run_writer *w, leati_run *run, leat_error *err);
/* After each begin, also a failed one. */
void leati_run_writer_fini(leati_run_writer *w);

/* --- reading ---------------------------------------------------------------------------------- */

typedef struct leati_run_reader {
    leati_run run;
    uint64_t at; /* the next block */
    leati_buf bytes;
    size_t begin;      /* of what was not taken yet */
    leati_buf key;     /* canonical bytes, then the value */
    uint64_t left;     /* records of the key that were not taken yet */
    int64_t time;      /* of the item before */
    leati_pile_key is; /* the key; lent until the next */
} leati_run_reader;

void leati_run_reader_init(leati_run_reader *r, const leati_run *run);
void leati_run_reader_fini(leati_run_reader *r);
/* The next key, in `r->is`, once all records of the one before were taken. LEAT_AGAIN: it has to be
   filled first; LEAT_DONE: the run has ended. */
leat_status leati_run_next_key(leati_run_reader *r);
/* The next record, lent until the reader is filled. LEAT_DONE: that was the key's last one. */
leat_status leati_run_next(leati_run_reader *r, leati_pile_item *item);
/* Reads the next block. May block. */
leat_status leati_run_fill(leati_run_reader *r, leat_error *err);

#endif
