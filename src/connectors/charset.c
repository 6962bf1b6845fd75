/* charset.c: see charset.h. The conversion is the C library's. "UTF-16" is written as Java writes
   it: big endian, each text behind a mark. */
#include "connectors/charset.h"

#include "runtime/base/alloc.h"

#include <errno.h>
#include <iconv.h>
#include <strings.h>

struct leati_charset {
    iconv_t convert;
    bool marked;
};

static bool is_one_of(const char *name, const char *const *names) {
    while (*names && strcasecmp(name, *names) != 0) names++;
    return *names != NULL;
}

/* As it is, or without '-' and '_', as Python spells some: "latin-1", "euc_jp". */
static iconv_t open_by_name(const char *name) {
    char bare[64];
    size_t size = 0;
    iconv_t convert = iconv_open(name, "UTF-8");
    if (convert != (iconv_t)-1) return convert;
    for (const char *at = name; *at && size + 1 < sizeof bare; at++)
        if (*at != '-' && *at != '_') bare[size++] = *at;
    bare[size] = 0;
    return iconv_open(bare, "UTF-8");
}

leat_status leati_charset_new(const char *name, leati_charset **out, leat_error *err) {
    static const char *const utf8[] = {"", "UTF-8", "UTF8", "UTF_8", NULL};
    static const char *const utf16[] = {"UTF-16", "UTF16", "UTF_16", NULL};
    *out = NULL;
    if (!name || is_one_of(name, utf8)) return LEAT_OK;
    leati_charset *c = leati_zalloc(sizeof *c);
    if (!c) return leat_error_set(err, LEAT_E_NOMEM, "charset", "out of memory");
    c->marked = is_one_of(name, utf16);
    c->convert = open_by_name(c->marked ? "UTF-16BE" : name);
    if (c->convert == (iconv_t)-1) {
        leati_free(c);
        return leat_error_set(err, LEAT_E_ARGUMENT, "charset",
                              "the charset '%s' is not known; UTF-8 is the default", name);
    }
    *out = c;
    return LEAT_OK;
}

void leati_charset_free(leati_charset *c) {
    if (!c) return;
    iconv_close(c->convert);
    leati_free(c);
}

/* Of the character that begins here. */
static size_t character_size(const char *at, size_t left) {
    size_t size = 1;
    while (size < left && ((unsigned char)at[size] & 0xc0) == 0x80) size++;
    return size;
}

/* Goes on as far as there is room, or as the charset can. 0, or errno. */
static int convert_some(leati_charset *c, const char **at, size_t *left, leati_buf *out) {
    char *in = (char *)(uintptr_t)*at; /* iconv does not write there */
    char *to = out->bytes + out->size;
    size_t room = out->room - out->size;
    size_t failed = iconv(c->convert, &in, left, &to, &room);
    int why = failed == (size_t)-1 ? errno : 0;
    *at = in;
    out->size = (size_t)(to - out->bytes);
    return why;
}

static leat_status convert_all(leati_charset *c, const char *at, size_t left, leati_buf *out) {
    enum { ROOM = 16 }; /* for any character */
    while (left > 0) {
        if (!leati_buf_reserve(out, left + ROOM)) return LEAT_E_NOMEM;
        int why = convert_some(c, &at, &left, out);
        if (why == 0 || why == E2BIG) continue;
        size_t skipped = character_size(at, left);
        const char *mark = "?";
        size_t one = 1;
        convert_some(c, &mark, &one, out);
        at += skipped;
        left -= skipped;
    }
    return LEAT_OK;
}

leat_status leati_charset_append(leati_charset *c, const char *bytes, size_t size, leati_buf *out) {
    iconv(c->convert, NULL, NULL, NULL, NULL);
    if (c->marked && size) leati_buf_append(out, "\xfe\xff", 2);
    return out->failed ? LEAT_E_NOMEM : convert_all(c, bytes, size, out);
}
