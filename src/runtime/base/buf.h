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
void leati_buf_fini(leati_buf *b);
/* Makes room for `bytes` more; false (and `failed`) when there is no memory. */
bool leati_buf_reserve(leati_buf *b, size_t bytes);
void leati_buf_append(leati_buf *b, const void *bytes, size_t size);
void leati_buf_text(leati_buf *b, const char *text);
void leati_buf_printf(leati_buf *b, const char *format, ...) LEAT_PRINTF(2, 3);
void leati_buf_u8(leati_buf *b, uint8_t x);
void leati_buf_u32(leati_buf *b, uint32_t x); /* little endian, fixed */
void leati_buf_u64(leati_buf *b, uint64_t x);
void leati_buf_varint(leati_buf *b, uint64_t x);                   /* LEB128 */
void leati_buf_zigzag(leati_buf *b, int64_t x);                    /* signed varint */
void leati_buf_blob(leati_buf *b, const void *bytes, size_t size); /* varint length, bytes */
/* Appends a zero byte that does not count; "" when memory ran out. */
const char *leati_buf_cstr(leati_buf *b);
/* The bytes, terminated; take. NULL when memory ran out. `b` is empty afterwards. */
char *leati_buf_take(leati_buf *b);

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
/* Failed reads answer 0 or NULL and set `failed`. */
const char *leati_reader_bytes(leati_reader *r, size_t size);
uint8_t leati_reader_u8(leati_reader *r);
uint32_t leati_reader_u32(leati_reader *r);
uint64_t leati_reader_u64(leati_reader *r);
uint64_t leati_reader_varint(leati_reader *r);
int64_t leati_reader_zigzag(leati_reader *r);
const char *leati_reader_blob(leati_reader *r, size_t *size);

#endif
