/* bulk_writer.h: formats of files that are whole only when they are finished, such as Parquet or
   Avro: they have a header, blocks, or a footer. A file sink makes a writer for each part, gives it
   the records of that part, and finishes it when a checkpoint comes. So a part that is not finished
   is never gone on with: what the writer knew of it is gone with its process. */
#ifndef LEAT_BULK_WRITER_H
#define LEAT_BULK_WRITER_H

#include "function.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Where the bytes of one part go; lent for the call. */
typedef struct leat_part_stream leat_part_stream;
/* Appends a copy. LEAT_E_NOMEM when memory ran out; that the disk is full is known later, and fails
   the job. */
LEAT_API leat_status leat_part_stream_write(leat_part_stream *out, const void *bytes, size_t size);
/* What was written to it so far, in bytes. */
LEAT_API int64_t leat_part_stream_size(const leat_part_stream *out);
/* The file's path while it grows, for messages; lent for the call. */
LEAT_API const char *leat_part_stream_path(const leat_part_stream *out);

/* The table of a format. All calls are on the operator's thread and must not block for long. A
   failure fails the job; where no text was given by leat_context_fail, the file is named. */
struct leat_bulk_writer {
    size_t size; /* sizeof(leat_bulk_writer) */
    /* Begins a part with `*writer`, which may stay NULL; may write a header. `self` is that of the
       function. On failure nothing is left behind. */
    leat_status (*create)(leat_context *ctx, leat_part_stream *out, void **writer, void *self);
    /* The next record of the part. It may be kept back in memory, as a copy. */
    leat_status (*add)(leat_context *ctx, const leat_record *in, leat_part_stream *out,
                       void *writer);
    /* Writes what was kept back; comes before `finish`. May be NULL. */
    leat_status (*flush)(leat_context *ctx, leat_part_stream *out, void *writer);
    /* Ends the part: behind this it is whole. */
    leat_status (*finish)(leat_context *ctx, leat_part_stream *out, void *writer);
    /* Frees the writer, once: after `finish`, or when the part is given up. May be NULL. */
    void (*drop)(leat_context *ctx, void *writer);
};

#ifdef __cplusplus
}
#endif
#endif
