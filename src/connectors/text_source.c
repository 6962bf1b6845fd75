/* text_source.c: the lines of text files, as strings.

   Each subtask lists the files when it begins, on the I/O thread, and takes its share of their
   ranges (text_split.c).
   Two blocks take turns: poll gives the lines of one, as views into it (line_scan.c), while the I/O
   thread fills the other (text_reader.c), across the borders of ranges and files. What both threads
   use is in `text_feed`, which is counted, because the operator may end while the I/O thread still
   reads for it; a block and the reader belong to the I/O thread while a request is out.

   Blocks of pure ASCII, which are found out at many bytes per cycle, need no look at their lines.
   Other lines are checked to be UTF-8 one by one, so that an error names the file and the byte;
   ISO-8859-1 is turned into UTF-8.

   With `monitor` there is no end: when all that was found is read, the folders are looked at again
   every so many milliseconds (text_watch.c), on the I/O thread, too, and files are not shared but
   read whole.

   A snapshot is a list of splits (text_split_store.c): the rest of the current one, from the next
   line on, and those that have not begun. One that has no line left is not among them, since its
   file may go when a checkpoint has its lines; so a barrier waits for a block that is on its way
   and may turn out to be empty, as it waits for the list of files. With `monitor` also the files
   that were taken. */
#include "connectors/line_scan.h"
#include "connectors/text_reader.h"
#include "connectors/text_split_store.h"
#include "connectors/text_watch.h"
#include "leat/env.h"
#include "leat/operators.h"
#include "runtime/base/alloc.h"
#include "runtime/base/utf8.h"

#include <stdatomic.h>
#include <strings.h>

enum { BLOCK_ROOM = 128 << 10 };

typedef struct text_feed {
    atomic_int refs; /* the operator, and a request that is out */
    leati_text_reader reader;
    leati_text_block blocks[2];
    leati_text_block *target; /* of the request */
    leati_text_files roots;   /* what to list, by name */
    leati_text_files files;   /* listed */
    leati_text_watch watch;   /* with `monitor` */
    leat_error err;           /* of the listing */
} text_feed;

typedef struct text_source_self {
    leat_value paths;
    const char *charset;
    int64_t monitor; /* ms between two looks for new files; 0: what is there at the beginning */
    int64_t look_at; /* the next one, in ms of the epoch */
    bool latin1, looking;
    text_feed *feed;
    leati_text_block *block; /* being scanned; NULL: none */
    leati_text_block *ready; /* filled and waiting; NULL: none */
    leati_line_scan scan;
    bool scanning, ascii, listed, listing, requested, ended;
    size_t split; /* being scanned, or next */
} text_source_self;

static const leat_param params[] = {
    {"paths", LEAT_PARAM_LIST, true, offsetof(text_source_self, paths), LEAT_ROLE_NONE},
    {"charset", LEAT_PARAM_STRING, false, offsetof(text_source_self, charset), LEAT_ROLE_NONE},
    {"monitor", LEAT_PARAM_INT, false, offsetof(text_source_self, monitor), LEAT_ROLE_NONE},
    {0},
};

/* --- reading ahead ---------------------------------------------------------------------------- */

static void feed_unref(void *arg) {
    text_feed *f = arg;
    if (!f || atomic_fetch_sub(&f->refs, 1) > 1) return;
    leati_text_reader_fini(&f->reader);
    leati_text_watch_fini(&f->watch);
    leati_text_files_fini(&f->files);
    leati_text_files_fini(&f->roots);
    leati_free(f->blocks[0].bytes);
    leati_free(f->blocks[1].bytes);
    leati_free(f);
}

static leat_status feed_work(void *arg) {
    text_feed *f = arg;
    leati_text_block *block = f->target;
    if (!block->bytes) {
        block->bytes = leati_alloc(BLOCK_ROOM);
        if (!block->bytes) return LEAT_E_NOMEM;
        block->room = BLOCK_ROOM;
    }
    return leati_text_reader_fill(&f->reader, block);
}

static leat_status feed_done(leat_context *ctx, void *self, void *arg, leat_status worked) {
    text_source_self *s = self;
    text_feed *f = arg;
    s->requested = false;
    if (worked == LEAT_OK) s->ready = f->target;
    if (worked == LEAT_DONE) s->ended = true;
    leat_status status = worked < 0 ? worked : LEAT_OK;
    if (worked < 0 && worked != LEAT_E_NOMEM)
        status = leat_context_fail(ctx, worked, "%s", f->reader.err.text);
    feed_unref(f);
    leat_context_wake(ctx);
    return status;
}

/* The feed is counted once more while the errand is out. */
static leat_status send_errand(leat_context *ctx, text_feed *f, const leat_io *io) {
    atomic_fetch_add(&f->refs, 1);
    leat_status status = leat_context_io(ctx, io);
    if (status < 0) feed_unref(f);
    return status;
}

/* Asks for the next block, unless one is on its way or waits. */
static leat_status request(leat_context *ctx, text_source_self *s) {
    if (s->requested || s->ready || s->ended) return LEAT_OK;
    text_feed *f = s->feed;
    f->target = s->block == &f->blocks[0] ? &f->blocks[1] : &f->blocks[0];
    leat_io io = {feed_work, feed_done, feed_unref, f};
    leat_status status = send_errand(ctx, f, &io);
    s->requested = status >= 0;
    return status;
}

static leat_status look_work(void *arg) {
    return leati_text_watch_look(&((text_feed *)arg)->watch);
}

static leat_status look_done(leat_context *ctx, void *self, void *arg, leat_status worked) {
    text_source_self *s = self;
    text_feed *f = arg;
    leati_text_splits *splits = &f->reader.splits;
    leat_status status = worked;
    leati_text_reader_forget(&f->reader);
    s->split = 0;
    if (worked >= 0)
        status = leati_text_watch_take(&f->watch, splits);
    else if (worked != LEAT_E_NOMEM)
        status = leat_context_fail(ctx, worked, "%s", f->watch.err.text);
    s->looking = false;
    s->look_at = leat_context_now(ctx) + s->monitor;
    if (splits->count > 0) s->ended = false;
    feed_unref(f);
    leat_context_wake(ctx);
    return status;
}

/* Everything was read: are there new files? */
static leat_status await_files(leat_context *ctx, text_source_self *s) {
    if (s->looking) return LEAT_AGAIN;
    if (leat_context_now(ctx) < s->look_at) {
        leat_context_wake_at(ctx, s->look_at);
        return LEAT_AGAIN;
    }
    leat_io io = {look_work, look_done, feed_unref, s->feed};
    leat_status status = send_errand(ctx, s->feed, &io);
    s->looking = status >= 0;
    return status < 0 ? status : LEAT_AGAIN;
}

/* LEAT_AGAIN until there is another block, LEAT_DONE after the last. */
static leat_status next_block(leat_context *ctx, text_source_self *s) {
    if (!s->ready) {
        leat_status status = request(ctx, s);
        if (status < 0 || !s->ended) return status < 0 ? status : LEAT_AGAIN;
        return s->monitor ? await_files(ctx, s) : LEAT_DONE;
    }
    s->block = s->ready;
    s->ready = NULL;
    if (!s->scanning) {
        const leati_text_split *split = &s->feed->reader.splits.items[s->block->split];
        leati_line_scan_begin(&s->scan, s->block->offset, split->end, split->aligned);
        s->scanning = true;
    }
    s->split = s->block->split;
    s->ascii = leati_utf8_is_ascii(s->block->bytes, s->block->size);
    leati_line_scan_feed(&s->scan, s->block->bytes, s->block->size, s->block->last);
    return request(ctx, s);
}

/* --- listing ---------------------------------------------------------------------------------- */

static leat_status list_work(void *arg) {
    text_feed *f = arg;
    leat_status status = LEAT_OK;
    for (size_t i = 0; status >= 0 && i < f->roots.count; i++)
        status = leati_text_files_add(&f->files, f->roots.items[i].path, &f->err);
    return status;
}

/* All subtasks see the same list. */
static leat_status list_done(leat_context *ctx, void *self, void *arg, leat_status worked) {
    text_source_self *s = self;
    text_feed *f = arg;
    leat_status status = worked;
    if (worked >= 0)
        status = leati_text_splits_share(&f->reader.splits, &f->files, leat_context_subtask(ctx),
                                         leat_context_parallelism(ctx));
    else if (f->err.status < 0)
        status = leat_context_fail(ctx, worked, "%s", f->err.text);
    leati_text_files_fini(&f->files);
    s->listing = false;
    s->listed = true;
    feed_unref(f);
    leat_context_wake(ctx);
    return status;
}

/* Not before it is needed: after a restore files that were read may have gone. LEAT_AGAIN until it
   is done. */
static leat_status list_files(leat_context *ctx, text_source_self *s) {
    if (LEAT_LIKELY(s->listed)) return LEAT_OK;
    if (s->listing) return LEAT_AGAIN;
    leat_io io = {list_work, list_done, feed_unref, s->feed};
    leat_status status = send_errand(ctx, s->feed, &io);
    s->listing = status >= 0;
    return status < 0 ? status : LEAT_AGAIN;
}

/* --- lines ------------------------------------------------------------------------------------ */

/* Every byte from 0x80 on becomes two. */
static leat_status from_latin1(leat_context *ctx, leati_line *line) {
    char *out = leat_context_alloc(ctx, 2 * line->size + 1), *to = out;
    if (!out) return LEAT_E_NOMEM;
    for (size_t i = 0; i < line->size; i++) {
        unsigned char c = (unsigned char)line->bytes[i];
        if (c >= 0x80) *to++ = (char)(0xC0 | c >> 6);
        *to++ = (char)(c < 0x80 ? c : 0x80 | (c & 0x3F));
    }
    line->bytes = out;
    line->size = (size_t)(to - out);
    return LEAT_OK;
}

static leat_status check_line(leat_context *ctx, const text_source_self *s, leati_line *line) {
    const char *path = s->feed->reader.splits.items[s->split].path;
    if (line->size > UINT32_MAX / 2)
        return leat_context_fail(ctx, LEAT_E_RANGE, "'%s': the line at byte %llu is too long", path,
                                 (unsigned long long)line->offset);
    if (s->latin1) return from_latin1(ctx, line);
    size_t valid = leati_utf8_valid(line->bytes, line->size);
    if (valid == line->size) return LEAT_OK;
    return leat_context_fail(
        ctx, LEAT_E_FORMAT,
        "'%s' is not UTF-8 at byte %llu; if it is ISO-8859-1, name that as its "
        "charset",
        path, (unsigned long long)(line->offset + valid));
}

static leat_status emit_line(leat_context *ctx, const text_source_self *s, leati_line *line) {
    if (LEAT_UNLIKELY(!s->ascii || line->crossed)) {
        leat_status status = check_line(ctx, s, line);
        if (status < 0) return status;
    }
    leat_record out;
    leat_record_init(&out, leat_string_n(line->bytes, line->size), LEAT_NO_TIME);
    return leat_emit(ctx, &out);
}

static leat_status text_source_poll(leat_context *ctx, void *self, leat_emitter *out) {
    (void)out;
    text_source_self *s = self;
    leat_status listed = list_files(ctx, s);
    if (LEAT_UNLIKELY(listed != LEAT_OK)) return listed;
    for (;;) {
        leati_line line;
        leat_status status = s->scanning ? leati_line_scan_next(&s->scan, &line) : LEAT_AGAIN;
        if (LEAT_LIKELY(s->scanning && status == LEAT_OK)) return emit_line(ctx, s, &line);
        if (status < 0) return status;
        if (status == LEAT_DONE) {
            s->scanning = false;
            s->split++;
        }
        status = next_block(ctx, s);
        if (status != LEAT_OK) return status;
    }
}

/* --- opening ---------------------------------------------------------------------------------- */

static leat_status read_charset(leat_context *ctx, text_source_self *s) {
    static const char *const latin1[] = {"iso-8859-1", "iso8859-1", "iso_8859-1", "latin-1",
                                         "latin1"};
    if (!s->charset || !strcasecmp(s->charset, "utf-8") || !strcasecmp(s->charset, "utf8"))
        return LEAT_OK;
    for (size_t i = 0; i < sizeof latin1 / sizeof *latin1; i++)
        if (strcasecmp(s->charset, latin1[i]) == 0) s->latin1 = true;
    if (s->latin1) return LEAT_OK;
    return leat_context_fail(ctx, LEAT_E_UNSUPPORTED,
                             "the charset '%s' is not read; UTF-8 and ISO-8859-1 are", s->charset);
}

static leat_status name_roots(leati_text_files *roots, const leat_value *paths) {
    leat_status status = LEAT_OK;
    for (uint32_t i = 0; status >= 0 && i < paths->size; i++) {
        const leat_value *path = &paths->as.items[i];
        int size = path->kind == LEAT_STRING ? (int)path->size : 0;
        char *text = leati_format("%.*s", size, size ? path->as.bytes : "");
        status = text ? leati_text_files_put(roots, text, 0) : LEAT_E_NOMEM;
        leati_free(text);
    }
    return status;
}

static leat_status begin_feed(leat_context *ctx, text_source_self *s) {
    feed_unref(s->feed);
    text_feed *f = s->feed = leati_zalloc(sizeof *f);
    if (!f) return LEAT_E_NOMEM;
    atomic_init(&f->refs, 1);
    if (s->monitor)
        leati_text_watch_init(&f->watch, &f->roots, leat_context_subtask(ctx),
                              leat_context_parallelism(ctx));
    return name_roots(&f->roots, &s->paths);
}

static leat_status text_source_open(leat_context *ctx, void *self) {
    text_source_self *s = self;
    leat_status status = read_charset(ctx, s);
    if (status >= 0 && s->monitor < 0)
        status =
            leat_context_fail(ctx, LEAT_E_ARGUMENT,
                              "the time between two looks for new files is %lld ms; it must be "
                              "above 0",
                              (long long)s->monitor);
    s->listed = s->monitor > 0;
    return status < 0 ? status : begin_feed(ctx, s);
}

/* --- snapshots -------------------------------------------------------------------------------- */

static leat_status text_source_on_barrier(leat_context *ctx, void *self, int64_t checkpoint) {
    (void)checkpoint;
    text_source_self *s = self;
    bool unsure = s->scanning && leati_line_scan_is_unsure(&s->scan);
    if (unsure && s->requested) return LEAT_AGAIN;
    return list_files(ctx, s);
}

/* Has the current split no line left? */
static bool is_read(const text_source_self *s) {
    const leati_text_block *next = s->ready;
    if (s->scanning && leati_line_scan_is_done(&s->scan)) return true;
    if (s->scanning && !leati_line_scan_is_unsure(&s->scan)) return false;
    return next && next->split == s->split && next->last && next->size == 0;
}

static leat_status text_source_snapshot(leat_context *ctx, void *self, leat_snapshot *out) {
    text_source_self *s = self;
    (void)ctx;
    leati_text_split rest = {.path = NULL};
    if (s->scanning) {
        rest = s->feed->reader.splits.items[s->split];
        rest.start = leati_line_scan_position(&s->scan, &rest.aligned);
    }
    leat_status status = leati_text_splits_write(&s->feed->reader.splits, s->split + is_read(s),
                                                 is_read(s) || !s->scanning ? NULL : &rest, out);
    if (status < 0 || !s->monitor) return status;
    return leati_text_watch_snapshot(&s->feed->watch, out);
}

/* Nothing has been requested yet. */
static leat_status text_source_restore(leat_context *ctx, void *self, leat_snapshot *in) {
    text_source_self *s = self;
    leat_status status = begin_feed(ctx, s);
    s->listed = true;
    if (status >= 0 && s->monitor) status = leati_text_watch_restore(&s->feed->watch, in);
    return status < 0 ? status : leati_text_splits_read(&s->feed->reader.splits, in);
}

static void text_source_fini(void *self) {
    text_source_self *s = self;
    leati_line_scan_fini(&s->scan);
    feed_unref(s->feed);
}

/* --- the operator ----------------------------------------------------------------------------- */

const leat_operator leat_text_source_operator = {
    .size = sizeof(leat_operator),
    .name = "text_source",
    .flags = LEAT_OP_BOUNDED,
    .inputs = 0,
    .self_size = sizeof(text_source_self),
    .params = params,
    .poll = text_source_poll,
    .open = text_source_open,
    .snapshot = text_source_snapshot,
    .restore = text_source_restore,
    .on_barrier = text_source_on_barrier,
    .fini = text_source_fini,
};

leat_stream *leat_env_read_text_file(leat_env *env, const char *path) {
    leat_value item = leat_string(path ? path : ""), paths = leat_list(&item, 1);
    leat_arg arg = leat_arg_list("paths", &paths);
    return leat_graph_add(env, &leat_text_source_operator, &arg, 1, NULL, 0);
}

leat_stream *leat_env_watch_text_files(leat_env *env, const char *path, int64_t interval_ms) {
    leat_value item = leat_string(path ? path : ""), paths = leat_list(&item, 1);
    leat_arg args[] = {leat_arg_list("paths", &paths), leat_arg_int("monitor", interval_ms)};
    leat_stream *s = leat_graph_add(env, &leat_text_source_operator, args, 2, NULL, 0);
    return leat_stream_option(s, "boundedness", "unbounded");
}
