/* compress.h: streaming decompression of gzip files, blocks compressed by themselves, and CRC-32.
   One thread per object. */
#ifndef LEATI_COMPRESS_H
#define LEATI_COMPRESS_H

#include "runtime/base/buf.h"

/* Decompresses any number of gzip members, one after the other, as one text. */
typedef struct leati_gzip leati_gzip;

/* NULL when memory ran out. */
LEAT_API leati_gzip *leati_gzip_new(void);
LEAT_API void leati_gzip_free(leati_gzip *z);

typedef struct leati_gzip_span {
    const void *in; /* compressed bytes; moves on over what was read */
    size_t in_size;
    void *out; /* room for the text; moves on over what was written */
    size_t out_size;
} leati_gzip_span;

/* Reads until the input is used up or the output is full. LEAT_E_FORMAT for bytes that are no gzip,
   for a damaged member or a wrong checksum. Zeros after a member are padding. */
LEAT_API leat_status leati_gzip_read(leati_gzip *z, leati_gzip_span *span);

/* May the input end here? False inside a member, and before the first. */
LEAT_API bool leati_gzip_complete(const leati_gzip *z);

/* Appends `bytes` compressed (zlib's form, its fastest level); LEAT_E_NOMEM. */
LEAT_API leat_status leati_deflate(const void *bytes, size_t size, leati_buf *out);
/* Appends what was compressed; it has to have `size` bytes, at most leati_inflate_most of what
   there is. LEAT_E_FORMAT for anything else. */
LEAT_API leat_status leati_inflate(const void *bytes, size_t stored, size_t size, leati_buf *out);
LEAT_API uint64_t leati_inflate_most(uint64_t stored);

/* CRC-32 (that of gzip and PNG) of `bytes` after those of which `crc` is the CRC; begins with 0. */
LEAT_API uint32_t leati_crc32(uint32_t crc, const void *bytes, size_t size);

#endif
