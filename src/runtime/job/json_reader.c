/* json_reader.c: see json_reader.h. A scanner by RFC 8259: each function skips one thing and
   answers where it ends, NULL for what is none. Bytes from 0x80 on pass as they are. */
#include "runtime/job/json_reader.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/alloc.h"
#include "runtime/base/buf.h"

enum { DEEPEST = 32 };

static const char *skip_space(const char *at, const char *end) {
    while (at < end && strchr(" \t\r\n", *at) && *at) at++;
    return at;
}

static const char *skip_word(const char *at, const char *end, const char *word) {
    size_t size = strlen(word);
    return (size_t)(end - at) >= size && memcmp(at, word, size) == 0 ? at + size : NULL;
}

static const char *skip_string(const char *at, const char *end) {
    for (at++; at < end; at++) {
        if (*at == '"') return at + 1;
        if ((unsigned char)*at < 0x20) return NULL;
        if (*at != '\\') continue;
        if (++at >= end || !*at || !strchr("\"\\/bfnrtu", *at)) return NULL;
        if (*at != 'u') continue;
        for (int i = 0; i < 4; i++)
            if (++at >= end || !isxdigit((unsigned char)*at)) return NULL;
    }
    return NULL;
}

static const char *skip_digits(const char *at, const char *end) {
    const char *from = at;
    while (at < end && isdigit((unsigned char)*at)) at++;
    return at == from ? NULL : at;
}

static const char *skip_number(const char *at, const char *end) {
    if (at < end && *at == '-') at++;
    const char *first = at;
    at = skip_digits(at, end);
    if (!at || (*first == '0' && at - first > 1)) return NULL;
    if (at < end && *at == '.') at = skip_digits(at + 1, end);
    if (!at || at >= end || (*at != 'e' && *at != 'E')) return at;
    at++;
    if (at < end && (*at == '+' || *at == '-')) at++;
    return skip_digits(at, end);
}

static const char *skip_value(const char *at, const char *end, int depth);

/* The colon, too. */
static const char *skip_name(const char *at, const char *end) {
    at = skip_space(at, end);
    if (at >= end || *at != '"') return NULL;
    at = skip_string(at, end);
    if (at) at = skip_space(at, end);
    return at && at < end && *at == ':' ? at + 1 : NULL;
}

/* An object or a list. */
static const char *skip_nest(const char *at, const char *end, int depth) {
    char open = *at++, close = open == '{' ? '}' : ']';
    if (depth >= DEEPEST) return NULL;
    at = skip_space(at, end);
    if (at < end && *at == close) return at + 1;
    for (;;) {
        if (open == '{') at = skip_name(at, end);
        if (at) at = skip_value(at, end, depth + 1);
        if (at) at = skip_space(at, end);
        if (!at || at >= end) return NULL;
        if (*at == close) return at + 1;
        if (*at++ != ',') return NULL;
    }
}

static const char *skip_value(const char *at, const char *end, int depth) {
    at = skip_space(at, end);
    if (at >= end) return NULL;
    switch (*at) {
    case '{':
    case '[': return skip_nest(at, end, depth);
    case '"': return skip_string(at, end);
    case 't': return skip_word(at, end, "true");
    case 'f': return skip_word(at, end, "false");
    case 'n': return skip_word(at, end, "null");
    default: return skip_number(at, end);
    }
}

bool leati_json_read(const char *text, size_t size, leati_json *out) {
    const char *end = text + size, *at = skip_space(text, end), *after = skip_value(at, end, 0);
    if (!after || skip_space(after, end) != end) return false;
    *out = (leati_json){at, after};
    return true;
}

bool leati_json_member(leati_json object, const char *name, leati_json *out) {
    size_t size = strlen(name);
    const char *end = object.end, *at = object.at;
    if (at >= end || *at != '{') return false;
    at = skip_space(at + 1, end);
    while (at < end && *at == '"') {
        const char *value = skip_name(at, end);
        bool same =
            (size_t)(end - at) > size + 1 && memcmp(at + 1, name, size) == 0 && at[size + 1] == '"';
        value = skip_space(value, end);
        const char *after = skip_value(value, end, 0);
        if (same) {
            *out = (leati_json){value, after};
            return true;
        }
        at = skip_space(after, end);
        if (at < end && *at == ',') at = skip_space(at + 1, end);
    }
    return false;
}

bool leati_json_item(leati_json list, const char **at, leati_json *out) {
    const char *end = list.end;
    if (!*at) *at = list.at < end && *list.at == '[' ? skip_space(list.at + 1, end) : end;
    if (*at >= end || **at == ']') return false;
    const char *after = skip_value(*at, end, 0);
    *out = (leati_json){*at, after};
    *at = skip_space(after, end);
    if (*at < end && **at == ',') *at = skip_space(*at + 1, end);
    return true;
}

/* --- content ---------------------------------------------------------------------------------- */

static unsigned hex4(const char *at) {
    char digits[5] = {at[0], at[1], at[2], at[3], 0};
    return (unsigned)strtoul(digits, NULL, 16);
}

static void put_utf8(leati_buf *b, unsigned c) {
    if (c < 0x80) {
        leati_buf_u8(b, (uint8_t)c);
        return;
    }
    int more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    static const uint8_t lead[] = {0, 0xc0, 0xe0, 0xf0};
    leati_buf_u8(b, (uint8_t)(lead[more] | c >> (6 * more)));
    while (more--) leati_buf_u8(b, (uint8_t)(0x80 | (c >> (6 * more) & 0x3f)));
}

/* From behind "\u" to behind its digits, a pair of surrogates included; a lone one is U+FFFD. */
static const char *put_escape(leati_buf *b, const char *at, const char *end) {
    unsigned c = hex4(at);
    at += 4;
    if (c >= 0xd800 && c < 0xdc00 && end - at >= 6 && at[0] == '\\' && at[1] == 'u') {
        unsigned low = hex4(at + 2);
        if (low >= 0xdc00 && low < 0xe000) {
            c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
            at += 6;
        }
    }
    put_utf8(b, c >= 0xd800 && c < 0xe000 ? 0xfffd : c);
    return at;
}

char *leati_json_text(leati_json value) {
    static const char escapes[] = "b\bf\fn\nr\rt\t";
    leati_buf text;
    leati_buf_init(&text);
    if (value.at >= value.end || *value.at != '"') return NULL;
    for (const char *at = value.at + 1, *end = value.end - 1; at < end;) {
        char c = *at++;
        if (c != '\\') {
            leati_buf_u8(&text, (uint8_t)c);
            continue;
        }
        c = *at++;
        const char *known = c == 'u' ? NULL : strchr(escapes, c);
        if (c == 'u')
            at = put_escape(&text, at, end);
        else
            leati_buf_u8(&text, (uint8_t)(known ? known[1] : c));
    }
    bool zero = text.size && memchr(text.bytes, 0, text.size);
    char *taken = leati_buf_take(&text);
    if (!zero) return taken;
    leati_free(taken);
    return NULL;
}

int64_t leati_json_int(leati_json value) {
    bool minus = value.at < value.end && *value.at == '-';
    int64_t n = 0;
    for (const char *at = value.at + minus; at < value.end && isdigit((unsigned char)*at); at++)
        if (__builtin_mul_overflow(n, 10, &n) || __builtin_add_overflow(n, *at - '0', &n))
            return minus ? INT64_MIN : INT64_MAX;
    return minus ? -n : n;
}
