/* line_scan.h: lines out of blocks of bytes. One reader, one thread.

   Feed a block, take lines until LEAT_AGAIN, feed the next. A line is a view into the block, and
   only those that cross blocks are put together in memory of the scan's own. Line ends are \n and
   \r\n; the last line may lack one. */
#ifndef LEATI_LINE_SCAN_H
#define LEATI_LINE_SCAN_H

#include "runtime/base/buf.h"

typedef struct leati_line_scan {
    const char *at, *end; /* unread bytes of the block */
    uint64_t offset;      /* of `at` in the file */
    uint64_t limit;       /* lines that begin here or later are not ours */
    uint64_t crossing_at; /* where the line begins whose first bytes are in `crossing` */
    leati_buf crossing;
    bool crosses;  /* `crossing` holds the beginning of a line */
    bool skipping; /* what comes is the rest of a line that is not ours */
    bool last;     /* no block comes after this one */
} leati_line_scan;

/* Lent until the next call with the scan. */
typedef struct leati_line {
    const char *bytes;
    size_t size;
    uint64_t offset; /* of its first byte in the file */
    bool crossed;    /* it came from several blocks */
} leati_line;

/* Starts a range of a file; also on a scan that was used before. Zeroed memory is a scan. */
void leati_line_scan_begin(leati_line_scan *s, uint64_t start, uint64_t limit, bool aligned);
/* The next bytes, once leati_line_scan_next has answered LEAT_AGAIN. They are borrowed until it
   does again. */
void leati_line_scan_feed(leati_line_scan *s, const void *bytes, size_t size, bool last);
/* LEAT_AGAIN: feed. LEAT_DONE: the range has no further line. LEAT_E_NOMEM. */
leat_status leati_line_scan_next(leati_line_scan *s, leati_line *out);
/* Where to start again for what was not yet taken. */
uint64_t leati_line_scan_position(const leati_line_scan *s, bool *aligned);
/* Has the range no further line? Unsure: that is for the next block to say. */
bool leati_line_scan_is_done(const leati_line_scan *s);
bool leati_line_scan_is_unsure(const leati_line_scan *s);
void leati_line_scan_fini(leati_line_scan *s);

#endif
