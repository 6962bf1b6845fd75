/* utf8.c: runs of ASCII are skipped 64 and 8 bytes at a time; what remains is checked
   character by character, by the table of well-formed byte sequences of the Unicode standard
   (3.9, table 3-7). */
#include "runtime/base/utf8.h"

#include <string.h>

#define HIGH_BITS UINT64_C(0x8080808080808080)

static uint64_t word_at(const unsigned char *p) {
    uint64_t word;
    memcpy(&word, p, sizeof word);
    return word;
}

/* How many bytes at the front are ASCII, rounded down to the steps that are looked at. */
static size_t ascii_run(const unsigned char *p, size_t size) {
    size_t at = 0;
    for (; size - at >= 64; at += 64) {
        uint64_t seen = 0;
        for (size_t i = 0; i < 64; i += 8) seen |= word_at(p + at + i);
        if (seen & HIGH_BITS) break;
    }
    while (size - at >= 8 && !(word_at(p + at) & HIGH_BITS)) at += 8;
    return at;
}

bool leati_utf8_is_ascii(const void *bytes, size_t size) {
    const unsigned char *p = bytes;
    size_t at = ascii_run(p, size);
    while (at < size && p[at] < 0x80) at++;
    return at == size;
}

static bool is_tail(unsigned char c) {
    return (c & 0xC0) == 0x80;
}

/* The length of the character of two or more bytes at `p`, 0 when it is none. */
static size_t character(const unsigned char *p, size_t size) {
    unsigned char c = p[0];
    if (c < 0xC2 || c > 0xF4 || size < 2) return 0;
    if (c < 0xE0) return is_tail(p[1]) ? 2 : 0;
    unsigned char low = c == 0xE0 ? 0xA0 : c == 0xF0 ? 0x90 : 0x80;
    unsigned char high = c == 0xED ? 0x9F : c == 0xF4 ? 0x8F : 0xBF;
    if (p[1] < low || p[1] > high || size < 3 || !is_tail(p[2])) return 0;
    if (c < 0xF0) return 3;
    return size >= 4 && is_tail(p[3]) ? 4 : 0;
}

size_t leati_utf8_valid(const void *bytes, size_t size) {
    const unsigned char *p = bytes;
    size_t at = ascii_run(p, size);
    while (at < size) {
        if (p[at] < 0x80) {
            size_t run = ascii_run(p + at, size - at);
            at += run ? run : 1;
            continue;
        }
        size_t length = character(p + at, size - at);
        if (length == 0) return at;
        at += length;
    }
    return size;
}
