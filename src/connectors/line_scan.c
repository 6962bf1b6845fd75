/* line_scan.c: memchr does the work. */
#include "connectors/line_scan.h"

void leati_line_scan_begin(leati_line_scan *s, uint64_t start, uint64_t limit, bool aligned) {
    s->at = s->end = NULL;
    s->offset = start;
    s->limit = limit;
    s->skipping = !aligned;
    s->crosses = s->last = false;
}

void leati_line_scan_feed(leati_line_scan *s, const void *bytes, size_t size, bool last) {
    s->at = bytes;
    s->end = s->at + size;
    s->last = last;
}

static const char *find_end(const leati_line_scan *s) {
    return s->at == s->end ? NULL : memchr(s->at, '\n', (size_t)(s->end - s->at));
}

/* Goes on at `to`, a place in the block. */
static void move(leati_line_scan *s, const char *to) {
    s->offset += (uint64_t)(to - s->at);
    s->at = to;
}

static size_t without_return(const char *bytes, size_t size) {
    return size > 0 && bytes[size - 1] == '\r' ? size - 1 : size;
}

/* A line whose beginning was in an earlier block. */
static leat_status cross(leati_line_scan *s, leati_line *out) {
    const char *end = find_end(s), *stop = end ? end : s->end;
    leati_buf_append(&s->crossing, s->at, (size_t)(stop - s->at));
    if (s->crossing.failed) return LEAT_E_NOMEM;
    move(s, end ? end + 1 : s->end);
    if (!end && !s->last) return LEAT_AGAIN;
    size_t size = s->crossing.size;
    if (end) size = without_return(s->crossing.bytes, size);
    *out = (leati_line){s->crossing.bytes, size, s->crossing_at, true};
    s->crosses = false;
    return LEAT_OK;
}

static leat_status skip(leati_line_scan *s) {
    const char *end = find_end(s);
    move(s, end ? end + 1 : s->end);
    s->skipping = !end;
    if (end) return LEAT_OK;
    return s->last ? LEAT_DONE : LEAT_AGAIN;
}

/* The block ends in the middle of a line, or at its beginning. */
static leat_status run_out(leati_line_scan *s, leati_line *out) {
    size_t size = (size_t)(s->end - s->at);
    if (s->last && size == 0) return LEAT_DONE;
    if (s->last) {
        *out = (leati_line){s->at, size, s->offset, false};
        move(s, s->end);
        return LEAT_OK;
    }
    if (size == 0) return LEAT_AGAIN;
    s->crossing.size = 0;
    s->crossing_at = s->offset;
    s->crosses = true;
    return cross(s, out);
}

leat_status leati_line_scan_next(leati_line_scan *s, leati_line *out) {
    if (LEAT_UNLIKELY(s->crosses)) return cross(s, out);
    if (LEAT_UNLIKELY(s->skipping)) {
        leat_status status = skip(s);
        if (status != LEAT_OK) return status;
    }
    if (s->offset >= s->limit) return LEAT_DONE;
    const char *end = find_end(s);
    if (LEAT_UNLIKELY(!end)) return run_out(s, out);
    size_t size = without_return(s->at, (size_t)(end - s->at));
    *out = (leati_line){s->at, size, s->offset, false};
    move(s, end + 1);
    return LEAT_OK;
}

uint64_t leati_line_scan_position(const leati_line_scan *s, bool *aligned) {
    *aligned = !s->skipping;
    return s->crosses ? s->crossing_at : s->offset;
}

bool leati_line_scan_is_done(const leati_line_scan *s) {
    if (s->crosses) return false;
    return (s->at == s->end && s->last) || (!s->skipping && s->offset >= s->limit);
}

bool leati_line_scan_is_unsure(const leati_line_scan *s) {
    return !s->crosses && s->at == s->end && !leati_line_scan_is_done(s);
}

void leati_line_scan_fini(leati_line_scan *s) {
    leati_buf_fini(&s->crossing);
}
