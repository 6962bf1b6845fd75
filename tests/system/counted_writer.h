/* counted_writer.h: a bulk format of a test's own, by the public headers alone: "#counted", a line
   per record, all of them kept back until the end, and "#" with their number. */
#ifndef LEAT_TESTS_COUNTED_WRITER_H
#define LEAT_TESTS_COUNTED_WRITER_H

#include <leat.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct counted {
    char *lines;
    size_t size, count;
} counted;

static inline leat_status counted_create(leat_context *ctx, leat_part_stream *out, void **writer,
                                         void *self) {
    (void)ctx, (void)self;
    counted *c = calloc(1, sizeof *c);
    if (!c) return LEAT_E_NOMEM;
    leat_status status = leat_part_stream_write(out, "#counted\n", 9);
    if (status < 0) free(c);
    *writer = status < 0 ? NULL : c;
    return status;
}

static inline leat_status counted_add(leat_context *ctx, const leat_record *in,
                                      leat_part_stream *out, void *writer) {
    (void)out;
    counted *c = writer;
    const leat_value *v = &in->value;
    if (v->kind == LEAT_STRING && v->size == 4 && memcmp(v->as.bytes, "evil", 4) == 0)
        return leat_context_fail(ctx, LEAT_E_USER, "'evil' is for no file, nor for '%s'",
                                 leat_part_stream_path(out));
    if (v->kind != LEAT_STRING && v->kind != LEAT_INT) return LEAT_E_TYPE;
    char number[24];
    int digits = snprintf(number, sizeof number, "%lld", (long long)v->as.i);
    const char *text = v->kind == LEAT_INT ? number : v->as.bytes;
    size_t size = v->kind == LEAT_INT ? (size_t)digits : v->size;
    char *lines = realloc(c->lines, c->size + size + 1);
    if (!lines) return LEAT_E_NOMEM;
    memcpy(lines + c->size, text, size);
    lines[c->size + size] = '\n';
    c->lines = lines;
    c->size += size + 1;
    c->count++;
    return LEAT_OK;
}

static inline leat_status counted_flush(leat_context *ctx, leat_part_stream *out, void *writer) {
    (void)ctx;
    counted *c = writer;
    leat_status status = leat_part_stream_write(out, c->lines, c->size);
    c->size = 0;
    return status;
}

static inline leat_status counted_finish(leat_context *ctx, leat_part_stream *out, void *writer) {
    (void)ctx;
    char footer[32];
    int size = snprintf(footer, sizeof footer, "#%zu\n", ((counted *)writer)->count);
    return leat_part_stream_write(out, footer, (size_t)size);
}

static inline void counted_drop(leat_context *ctx, void *writer) {
    (void)ctx;
    free(((counted *)writer)->lines);
    free(writer);
}

static inline leat_function counted_writer(void) {
    static const leat_bulk_writer table = {
        .size = sizeof table,
        .create = counted_create,
        .add = counted_add,
        .flush = counted_flush,
        .finish = counted_finish,
        .drop = counted_drop,
    };
    return leat_bulk_writer_fn(&table, NULL);
}

/* Is the file whole, header, lines and count? */
static inline bool counted_is_whole(const char *path) {
    char line[256];
    long lines = -1, count = -1;
    FILE *f = fopen(path, "rb");
    while (f && count < 0 && fgets(line, sizeof line, f)) {
        if (lines < 0 && strcmp(line, "#counted\n") != 0) break;
        if (lines >= 0 && line[0] == '#') count = strtol(line + 1, NULL, 10);
        lines += count < 0;
    }
    bool whole = f && count >= 0 && count == lines && fgetc(f) == EOF;
    if (f) fclose(f);
    return whole;
}

#endif
