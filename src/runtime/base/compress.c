/* compress.c: the only file that knows zlib. A gzip file is a sequence of members, each with its
   header, checksum and length, which zlib checks. */
#include "runtime/base/compress.h"

#include "runtime/base/alloc.h"

#include <zlib.h>

struct leati_gzip {
    z_stream stream;
    bool ready;  /* inflateInit has been called */
    bool inside; /* a member has begun and not ended */
    bool any;    /* a member has ended */
};

static void *gzip_alloc(void *arg, unsigned count, unsigned size) {
    (void)arg;
    return leati_alloc((size_t)count * size);
}

static void gzip_release(void *arg, void *block) {
    (void)arg;
    leati_free(block);
}

leati_gzip *leati_gzip_new(void) {
    leati_gzip *z = leati_zalloc(sizeof *z);
    if (!z) return NULL;
    z->stream.zalloc = gzip_alloc;
    z->stream.zfree = gzip_release;
    z->ready = inflateInit2(&z->stream, MAX_WBITS + 16) == Z_OK; /* 16: gzip and nothing else */
    if (z->ready) return z;
    leati_free(z);
    return NULL;
}

void leati_gzip_free(leati_gzip *z) {
    if (!z) return;
    if (z->ready) inflateEnd(&z->stream);
    leati_free(z);
}

bool leati_gzip_complete(const leati_gzip *z) {
    return z->any && !z->inside;
}

/* Skips padding; then a member begins unless nothing is left. */
static leat_status next_member(leati_gzip *z, leati_gzip_span *span) {
    const unsigned char *in = span->in;
    while (z->any && span->in_size > 0 && *in == 0) in++, span->in_size--;
    span->in = in;
    if (span->in_size == 0) return LEAT_OK;
    if (*in != 0x1f) return LEAT_E_FORMAT;
    z->inside = inflateReset(&z->stream) == Z_OK;
    return z->inside ? LEAT_OK : LEAT_E_FORMAT;
}

/* One call of zlib, which counts in 32 bits. */
static int step(z_stream *stream, leati_gzip_span *span) {
    unsigned in_size = span->in_size < UINT32_MAX ? (unsigned)span->in_size : UINT32_MAX;
    unsigned out_size = span->out_size < UINT32_MAX ? (unsigned)span->out_size : UINT32_MAX;
    stream->next_in = (z_const Bytef *)(uintptr_t)span->in;
    stream->avail_in = in_size;
    stream->next_out = span->out;
    stream->avail_out = out_size;
    int result = inflate(stream, Z_NO_FLUSH);
    span->in = stream->next_in;
    span->in_size -= in_size - stream->avail_in;
    span->out = stream->next_out;
    span->out_size -= out_size - stream->avail_out;
    return result;
}

leat_status leati_gzip_read(leati_gzip *z, leati_gzip_span *span) {
    while (span->out_size > 0) {
        if (!z->inside) {
            leat_status status = next_member(z, span);
            if (status < 0 || !z->inside) return status;
        }
        size_t out_before = span->out_size, in_before = span->in_size;
        int result = step(&z->stream, span);
        if (result == Z_MEM_ERROR) return LEAT_E_NOMEM;
        if (result == Z_STREAM_END) {
            z->inside = false;
            z->any = true;
            continue;
        }
        if (result != Z_OK && result != Z_BUF_ERROR) return LEAT_E_FORMAT;
        if (out_before == span->out_size && in_before == span->in_size) break;
    }
    return LEAT_OK;
}

leat_status leati_deflate(const void *bytes, size_t size, leati_buf *out) {
    uLongf room = compressBound((uLong)size);
    if (!leati_buf_reserve(out, room)) return LEAT_E_NOMEM;
    Bytef *to = (Bytef *)(out->bytes + out->size);
    if (compress2(to, &room, bytes, (uLong)size, Z_BEST_SPEED) != Z_OK) return LEAT_E_NOMEM;
    out->size += room;
    return LEAT_OK;
}

leat_status leati_inflate(const void *bytes, size_t stored, size_t size, leati_buf *out) {
    uLongf room = (uLongf)size;
    if (!leati_buf_reserve(out, size + 1)) return LEAT_E_NOMEM;
    int result = uncompress((Bytef *)(out->bytes + out->size), &room, bytes, (uLong)stored);
    if (result == Z_MEM_ERROR) return LEAT_E_NOMEM;
    if (result != Z_OK || room != size) return LEAT_E_FORMAT;
    out->size += size;
    return LEAT_OK;
}

/* Deflate makes 1032 bytes of one at most (zlib's technical notes). */
uint64_t leati_inflate_most(uint64_t stored) {
    return stored > UINT64_MAX / 1032 ? UINT64_MAX : 1032 * stored;
}

uint32_t leati_crc32(uint32_t crc, const void *bytes, size_t size) {
    return (uint32_t)crc32_z(crc, bytes, size);
}
