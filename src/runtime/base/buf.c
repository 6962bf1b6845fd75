/* buf.c: the slow paths of buffers and readers. A failed reader is put at its end, so that every
   later read fails as well. */
#include "runtime/base/buf.h"

#include "runtime/base/alloc.h"

#include <stdarg.h>
#include <stdio.h>

void leati_buf_fini(leati_buf *b) {
    leati_free(b->bytes);
    leati_buf_init(b);
}

bool leati_buf_reserve_slow(leati_buf *b, size_t bytes) {
    size_t room = b->room ? b->room : 64;
    while (room - b->size < bytes && room <= SIZE_MAX / 2) room *= 2;
    char *grown = room - b->size < bytes ? NULL : leati_resize(b->bytes, room);
    if (!grown) {
        b->failed = true;
        return false;
    }
    b->bytes = grown;
    b->room = room;
    return true;
}

void leati_buf_text(leati_buf *b, const char *text) {
    leati_buf_append(b, text, strlen(text));
}

void leati_buf_printf(leati_buf *b, const char *format, ...) {
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int size = vsnprintf(b->bytes ? b->bytes + b->size : NULL, b->room - b->size, format, args);
    va_end(args);
    if (size < 0) b->failed = true;
    if (size > 0 && (size_t)size >= b->room - b->size) { /* it did not fit: once more */
        if (leati_buf_reserve(b, (size_t)size + 1))
            vsnprintf(b->bytes + b->size, b->room - b->size, format, again);
        else
            size = 0;
    }
    if (size > 0) b->size += (size_t)size;
    va_end(again);
}

void leati_buf_u32(leati_buf *b, uint32_t x) {
    unsigned char bytes[4];
    for (int i = 0; i < 4; i++) bytes[i] = (unsigned char)(x >> 8 * i);
    leati_buf_append(b, bytes, sizeof bytes);
}

void leati_buf_u64(leati_buf *b, uint64_t x) {
    unsigned char bytes[8];
    for (int i = 0; i < 8; i++) bytes[i] = (unsigned char)(x >> 8 * i);
    leati_buf_append(b, bytes, sizeof bytes);
}

void leati_buf_blob(leati_buf *b, const void *bytes, size_t size) {
    leati_buf_varint(b, size);
    leati_buf_append(b, bytes, size);
}

const char *leati_buf_cstr(leati_buf *b) {
    if (!leati_buf_reserve(b, 1)) return "";
    b->bytes[b->size] = 0;
    return b->bytes;
}

char *leati_buf_take(leati_buf *b) {
    if (b->failed || !leati_buf_reserve(b, 1)) {
        leati_buf_fini(b);
        return NULL;
    }
    char *bytes = b->bytes;
    bytes[b->size] = 0;
    leati_buf_init(b);
    return bytes;
}

static void reader_fail(leati_reader *r) {
    r->failed = true;
    r->at = r->end;
}

const char *leati_reader_bytes(leati_reader *r, size_t size) {
    if (r->failed || leati_reader_left(r) < size) {
        reader_fail(r);
        return NULL;
    }
    const char *bytes = r->at;
    r->at += size;
    return bytes;
}

static uint64_t reader_fixed(leati_reader *r, int size) {
    const char *bytes = leati_reader_bytes(r, (size_t)size);
    uint64_t x = 0;
    for (int i = 0; bytes && i < size; i++) x |= (uint64_t)(uint8_t)bytes[i] << 8 * i;
    return x;
}

uint32_t leati_reader_u32(leati_reader *r) {
    return (uint32_t)reader_fixed(r, 4);
}

uint64_t leati_reader_u64(leati_reader *r) {
    return reader_fixed(r, 8);
}

uint64_t leati_reader_varint_slow(leati_reader *r) {
    uint64_t x = 0;
    for (int shift = 0; shift < 64 && r->at < r->end; shift += 7) {
        uint64_t byte = (uint8_t)*r->at++;
        if (shift == 63 && byte > 1) break;
        x |= (byte & 0x7f) << shift;
        if (byte < 0x80) return x;
    }
    reader_fail(r);
    return 0;
}

const char *leati_reader_blob(leati_reader *r, size_t *size) {
    uint64_t n = leati_reader_varint(r);
    const char *bytes = n > SIZE_MAX ? NULL : leati_reader_bytes(r, (size_t)n);
    if (bytes) *size = (size_t)n;
    return bytes;
}

char *leati_reader_text(leati_reader *r) {
    size_t size = 0;
    const char *bytes = leati_reader_blob(r, &size);
    if (!size) return NULL;
    char *text = memchr(bytes, 0, size) ? NULL : leati_alloc(size + 1);
    if (!text) {
        r->failed = true;
        return NULL;
    }
    memcpy(text, bytes, size);
    text[size] = 0;
    return text;
}
