/* line_writer.h: lines on their way to a file or a stream such as stdout: gathered on the
   operator's thread, written behind by the I/O thread, in order and whole. For print and text_sink.

   What is unwritten is bounded: beyond LEATI_WRITER_MOST bytes the operator is held
   (leat_context_hold) until there is room. */
#ifndef LEATI_LINE_WRITER_H
#define LEATI_LINE_WRITER_H

#include "leat/operator.h"

enum {
    LEATI_WRITER_STEP = 64 << 10, /* this much is worth a trip to the I/O thread */
    LEATI_WRITER_MOST = 1 << 20,  /* and this much is too much */
    LEATI_LINE_SMALL = 24         /* the text of an integer */
};

typedef struct leati_line_writer leati_line_writer;

/* All text is copied. */
typedef struct leati_line_target {
    int fd;           /* an open stream, which stays open; -1: a file */
    const char *path; /* the file; for a stream its name in errors */
    bool folders;     /* make the folders above the file that are missing */
} leati_line_target;

/* Opens nothing yet. NULL when memory ran out. */
leati_line_writer *leati_line_writer_new(const leati_line_target *target);
/* Forgets what is unwritten. A write that is under way may still end. NULL is fine. */
void leati_line_writer_free(leati_line_writer *w);

/* Opens the file in the background, also when no line ever comes; else the first write does. */
leat_status leati_line_writer_open(leat_context *ctx, leati_line_writer *w);
/* Appends `before` (a prefix), the text and a line end. Both are strings. */
leat_status leati_line_writer_line(leat_context *ctx, leati_line_writer *w, leat_value before,
                                   leat_value text);
/* Gives out what was gathered. */
leat_status leati_line_writer_flush(leat_context *ctx, leati_line_writer *w);
/* Writes the rest and closes the file. LEAT_AGAIN until that has happened, and leat_context_wake
   when it has. Idempotent. */
leat_status leati_line_writer_finish(leat_context *ctx, leati_line_writer *w);

/* The text of a value, as a string, in the form of print() or of files. It may lie in `small`, and
   is lent until the next call. */
leat_status leati_line_text(leat_context *ctx, const leat_value *v, leat_text_form form,
                            char small[LEATI_LINE_SMALL], leat_value *text);

#endif
