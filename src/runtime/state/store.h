/* store.h: what the operators of one task remember, as the bytes of a file: sections with
   checksums, and an index behind them. docs/formats/snapshot.md specifies it.

   Writing has two halves. The task's thread gathers entries in a chunk, which costs a copy of each.
   A writer, on the I/O thread, makes the bytes of the file of the chunks that it is given in order:
   checksums, compression, index. Neither half knows what a section holds.

   A store is a file that was written: its index in memory, sections read and checked one by one, so
   that a task reads no more than its own key groups. One thread at a time. */
#ifndef LEATI_STORE_H
#define LEATI_STORE_H

#include "leat/state.h"
#include "runtime/base/abort.h"
#include "runtime/base/buf.h"

enum { LEATI_STORE_VERSION = 2 }; /* 1 is read, too */

typedef enum leati_row_kind {
    LEATI_ROW_OPERATOR = 1, /* what follows is of this operator */
    LEATI_ROW_TABLE = 2,    /* what follows is of this table */
    LEATI_ROW_CELLS = 3,    /* section: cells of a key group of the table */
    LEATI_ROW_TIMERS = 4,   /* section: timers of a key group in a time domain */
    LEATI_ROW_ITEM = 5,     /* section: an item of the operator's own state */
    LEATI_ROW_LOG = 6       /* section: records that the task's barrier has overtaken */
} leati_row_kind;

/* Do the values of a table expire? Then their times are in the cells. Version 1 does not say. */
typedef enum leati_expiry {
    LEATI_EXPIRY_UNKNOWN = 0,
    LEATI_EXPIRES_NOT = 1,
    LEATI_EXPIRES = 2
} leati_expiry;

/* A row of the index. Which members count depends on the kind. */
typedef struct leati_row {
    leati_row_kind kind;
    const char *name; /* operator: its uid; table; item */
    const char *text; /* operator: its name; table: its type, "" for none */

    int subtask, parallelism, max_parallelism; /* operator */
    int64_t watermark, forwarded;              /* operator: got and passed on */
    uint32_t ends;                             /* operator: bit i: the end of input i was told */
    const char *keys; /* operator: the type of its keys; NULL or "" when it is not known */

    leat_state_kind state;          /* table */
    bool of_function;               /* table: asked for by a function */
    leati_expiry expiry;            /* table */
    leat_distribution distribution; /* table, item */
    int group;                      /* cells, timers */
    leat_time_domain domain;        /* timers */

    uint64_t offset, stored, size; /* sections: in the file, compressed or not; and as it was */
    uint32_t crc;                  /* of the stored bytes */
} leati_row;

static inline bool leati_row_is_section(const leati_row *e) {
    return e->kind >= LEATI_ROW_CELLS;
}

/* --- writing ---------------------------------------------------------------------------------- */

typedef struct leati_chunk {
    leati_buf rows, payload; /* `failed` of either is sticky */
} leati_chunk;

void leati_chunk_fini(leati_chunk *c); /* also of a zeroed one, which it is again then */
static inline bool leati_chunk_failed(const leati_chunk *c) {
    return c->rows.failed || c->payload.failed;
}
/* Adds what the other has. */
void leati_chunk_append(leati_chunk *c, const leati_chunk *other);
/* Adds an entry; of a section with the bytes. All is copied. */
void leati_chunk_add(leati_chunk *c, const leati_row *e, const void *bytes, size_t size);

/* Where the file's bytes go to. */
typedef struct leati_store_sink {
    leat_status (*write)(void *arg, const void *bytes, size_t size);
    void *arg;
} leati_store_sink;

typedef struct leati_store_writer {
    leati_store_sink sink;
    bool compress;
    uint64_t offset;
    uint64_t rows;
    uint32_t crc; /* of the index: it is of this file alone */
    leati_buf index, packed;
} leati_store_writer;

/* Writes the head. */
leat_status leati_store_begin(leati_store_writer *w, const leati_store_sink *sink, bool compress);
leat_status leati_store_take(leati_store_writer *w, const leati_chunk *c);
/* Writes the index. `w->offset` is the size of the file then, `w->crc` what leati_store_crc answers
   of it. */
leat_status leati_store_end(leati_store_writer *w);
void leati_store_writer_fini(leati_store_writer *w); /* also of a zeroed one */

/* --- reading ---------------------------------------------------------------------------------- */

typedef struct leati_store leati_store;

/* Opens a file, or bytes that outlive the store. LEAT_E_IO and LEAT_E_FORMAT say in `err` which
   file it is and what is wrong with it. */
leati_store *leati_store_open(const char *path, leat_error *err);
leati_store *leati_store_of(const void *bytes, size_t size, leat_error *err);
void leati_store_free(leati_store *s); /* NULL is fine */
size_t leati_store_rows(const leati_store *s, const leati_row **rows);
uint32_t leati_store_crc(const leati_store *s);
/* The bytes of a section, checked; lent until the next call. */
leat_status leati_store_read(leati_store *s, const leati_row *e, const void **bytes, size_t *size,
                             leat_error *err);
/* Reads and checks all sections. LEAT_E_CANCELLED: `abort` (may be NULL) wanted it. */
leat_status leati_store_verify(leati_store *s, const leati_abort *abort, leat_error *err);

#endif
