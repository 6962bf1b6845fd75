/* part_files.h: driving file sinks, and looking at the files that they leave. A file in the format
   of counted_writer.h must be whole, and counts as its lines. */
#ifndef LEAT_TESTS_PART_FILES_H
#define LEAT_TESTS_PART_FILES_H

#include "../system/counted_writer.h"
#include "folder.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/base/alloc.h"
#include "runtime/base/io_thread.h"
#include "runtime/flow/chain.h"

/* --- driving ---------------------------------------------------------------------------------- */

static inline leat_status settled(harness *h, leat_status status) {
    while (status == LEAT_AGAIN) status = harness_wait(h);
    return status;
}

static inline leat_status push_line(harness *h, const char *text) {
    leat_value v = leat_string(text);
    return settled(h, harness_push(h, 0, &v, LEAT_NO_TIME));
}

static inline leat_status barrier(harness *h, int64_t checkpoint) {
    return settled(h, harness_barrier(h, checkpoint));
}

static inline void push_lines(harness *h, const char *const *lines) {
    for (; *lines; lines++) assert_int_equal(push_line(h, *lines), LEAT_OK);
}
#define PUSH(h, ...) push_lines(h, (const char *const[]){__VA_ARGS__, NULL})

static inline leat_status finish(harness *h) {
    leat_status status = settled(h, harness_end(h, 0));
    return status < 0 ? status : harness_finish(h);
}

/* --- looking ---------------------------------------------------------------------------------- */

enum { MOST_LINES = 4096, LINE = 64 };

typedef struct sight {
    int visible, hidden; /* files */
    int count;
    char lines[MOST_LINES][LINE]; /* of visible files, sorted */
} sight;

static inline void look_at_file(sight *s, const char *path) {
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    while (s->count < MOST_LINES && fgets(s->lines[s->count], LINE, f)) {
        char *end = strchr(s->lines[s->count], '\n');
        assert_non_null(end); /* lines are whole */
        *end = 0;
        bool marks = s->lines[s->count][0] == '#';
        if (marks) assert_true(counted_is_whole(path));
        s->count += !marks;
    }
    fclose(f);
}

static inline void look_below(sight *s, const char *path) {
    DIR *d = opendir(path);
    assert_non_null(d);
    for (const struct dirent *e; (e = readdir(d));) {
        struct stat info;
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0) continue;
        char *below = leati_format("%s/%s", path, e->d_name);
        assert_non_null(below);
        assert_int_equal(stat(below, &info), 0);
        if (S_ISDIR(info.st_mode)) {
            look_below(s, below);
        } else if (e->d_name[0] == '.') {
            s->hidden++;
        } else {
            s->visible++;
            look_at_file(s, below);
        }
        leati_free(below);
    }
    closedir(d);
}

static inline int by_text(const void *a, const void *b) {
    return strcmp(a, b);
}

/* Lent until the next call. */
static inline const sight *look(void) {
    static sight s;
    memset(&s, 0, sizeof s);
    assert_true(leati_io_settle(10000));
    look_below(&s, folder);
    qsort(s.lines, (size_t)s.count, LINE, by_text);
    return &s;
}

/* So many visible and hidden files, and these lines in the former, sorted. */
static inline void expect_files(int visible, int hidden, const char *lines) {
    const sight *s = look();
    char got[1024] = "";
    size_t at = 0;
    for (int i = 0; i < s->count; i++)
        at += (size_t)snprintf(got + at, sizeof got - at, "%s%s", i ? " " : "", s->lines[i]);
    assert_string_equal(got, lines);
    assert_int_equal(s->visible, visible);
    assert_int_equal(s->hidden, hidden);
}

/* A record and a checkpoint, without the harness, which needs memory, too. */
static inline leat_status record_and_prepare(leat_context *ctx) {
    const leat_operator *op = &leat_file_sink_operator;
    leat_record r = leat_record_of(leat_string("line"), LEAT_NO_TIME);
    leat_status status = op->on_record(ctx, ctx->self, 0, &r);
    return status < 0 ? status : op->prepare(ctx, ctx->self, 1);
}

#endif
