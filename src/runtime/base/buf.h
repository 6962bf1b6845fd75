/* buf.h: a growing run of bytes, written at the end; and a reader that never goes beyond one. */
#ifndef LEATI_BUF_H
#define LEATI_BUF_H

#include "leat/base.h"

#include <string.h>

typedef struct leati_buf {
    char *bytes;
    size_t size, room;
    bool failed; /* an append ran out of memory; sticky, so that writers check once */
} leati_buf;

static inline void leati_buf_init(leati_buf *b) {
    memset(b, 0, sizeof *b);
}
LEAT_API void leati_buf_fini(leati_buf *b);
LEAT_API bool leati_buf_reserve_slow(leati_buf *b, size_t bytes);
/* Makes room for `bytes` more; false (and `failed`) when there is no memory. */
static inline bool leati_buf_reserve(leati_buf *b, size_t bytes) {
    return LEAT_LIKELY(b->room - b->size >= bytes) ? true : leati_buf_reserve_slow(b, bytes);
}
static inline void leati_buf_append(leati_buf *b, const void *bytes, size_t size) {
    if (size == 0 || !leati_buf_reserve(b, size)) return;
    memcpy(b->bytes + b->size, bytes, size);
    b->size += size;
}
LEAT_API void leati_buf_text(leati_buf *b, const char *text);
LEAT_API void leati_buf_printf(leati_buf *b, const char *format, ...) LEAT_PRINTF(2, 3);
static inline void leati_buf_u8(leati_buf *b, uint8_t x) {
    if (leati_buf_reserve(b, 1)) b->bytes[b->size++] = (char)x;
}
LEAT_API void leati_buf_u32(leati_buf *b, uint32_t x); /* little endian, fixed */
LEAT_API void leati_buf_u64(leati_buf *b, uint64_t x);
/* LEB128 */
static inline void leati_buf_varint(leati_buf *b, uint64_t x) {
    if (!leati_buf_reserve(b, 10)) return;
    for (; x >= 0x80; x >>= 7) b->bytes[b->size++] = (char)(x | 0x80);
    b->bytes[b->size++] = (char)x;
}
/* signed varint */
static inline void leati_buf_zigzag(leati_buf *b, int64_t x) {
    leati_buf_varint(b, ((uint64_t)x << 1) ^ (x < 0 ? UINT64_MAX : 0));
}
LEAT_API void leati_buf_blob(leati_buf *b, const void *bytes, size_t size);
/* Text as a blob, an empty one for NULL. */
static inline void leati_buf_blob_text(leati_buf *b, const char *text) {
    leati_buf_blob(b, text ? text : "", text ? strlen(text) : 0);
} /* varint length, bytes */
/* Appends a zero byte that does not count; "" when memory ran out. */
LEAT_API const char *leati_buf_cstr(leati_buf *b);
/* The bytes, terminated; take. NULL when memory ran out. `b` is empty afterwards. */
LEAT_API char *leati_buf_take(leati_buf *b);

typedef struct leati_reader {
    const char *at, *end;
    bool failed; /* sticky: a read went beyond the end, or a varint was too long */
} leati_reader;

static inline leati_reader leati_reader_of(const void *bytes, size_t size) {
    leati_reader r = {(const char *)bytes, (const char *)bytes + size, false};
    return r;
}
static inline size_t leati_reader_left(const leati_reader *r) {
    return (size_t)(r->end - r->at);
}
/* Failed reads answer 0 or NULL and set `failed`; all reads after one fail, too. */
LEAT_API const char *leati_reader_bytes(leati_reader *r, size_t size);
LEAT_API uint32_t leati_reader_u32(leati_reader *r);
LEAT_API uint64_t leati_reader_u64(leati_reader *r);
LEAT_API uint64_t leati_reader_varint_slow(leati_reader *r);
static inline uint8_t leati_reader_u8(leati_reader *r) {
    if (LEAT_LIKELY(r->at < r->end)) return (uint8_t)*r->at++;
    r->failed = true;
    return 0;
}
static inline uint64_t leati_reader_varint(leati_reader *r) {
    if (LEAT_LIKELY(r->at < r->end && (uint8_t)*r->at < 0x80)) return (uint8_t)*r->at++;
    return leati_reader_varint_slow(r);
}
static inline int64_t leati_reader_zigzag(leati_reader *r) {
    uint64_t x = leati_reader_varint(r);
    return (int64_t)((x >> 1) ^ (~(x & 1) + 1));
}
LEAT_API const char *leati_reader_blob(leati_reader *r, size_t *size);
/* A blob as text with a zero at its end, allocated; NULL for an empty one. Fails the reader when
   there is a zero in it, or no memory. */
LEAT_API char *leati_reader_text(leati_reader *r);

#endif
