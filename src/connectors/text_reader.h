/* text_reader.h: the bytes of a list of splits, block by block. May block: for the I/O thread. */
#ifndef LEATI_TEXT_READER_H
#define LEATI_TEXT_READER_H

#include "connectors/text_split.h"
#include "runtime/base/compress.h"

typedef struct leati_text_block {
    char *bytes;
    size_t size, room;
    size_t split;    /* whose bytes they are: index in the list */
    uint64_t offset; /* of the first one */
    bool last;       /* the split needs no further block */
} leati_text_block;

/* Zeroed memory with the list filled in is a reader. */
typedef struct leati_text_reader {
    leati_text_splits splits;
    size_t current; /* split */
    uint64_t at;    /* offset of the next byte */
    uint64_t file_at;
    int fd;
    bool open;
    leati_gzip *gzip;
    char *packed; /* bytes of a gzip file that were read and not decompressed */
    size_t packed_at, packed_size;
    leat_error err; /* of the call that failed */
} leati_text_reader;

/* Fills `block` with the next bytes of the current split, or with the first ones of the next split.
   LEAT_DONE when there is no split left. */
leat_status leati_text_reader_fill(leati_text_reader *r, leati_text_block *block);
/* Empties the list, all of which has been read. */
void leati_text_reader_forget(leati_text_reader *r);
/* Closes and frees, the list too. */
void leati_text_reader_fini(leati_text_reader *r);

#endif
