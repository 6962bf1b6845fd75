/* file_sink.c: lines, or records in a bulk format, in part files of folders, each there exactly
   once: a part is hidden until the checkpoint is complete that has it, and then gets its name.

   Names. Each subtask draws an id in each attempt. Its parts are PATH[/BUCKET]/PREFIX-ID-COUNTER
   SUFFIX, and before they are published .PREFIX-ID-COUNTER SUFFIX.inprogress.ATTEMPT in the same
   folder. So no name is used twice, and the counter, which goes on behind the largest of all
   subtasks' after a restart, is for people. The bucket is the date and time of the system's clock
   by a pattern; without one there is none.

   Life of a part: open (it grows; one per bucket), waiting (closed and on the disk, as the rolling
   policy or a barrier said), published. `prepare` closes the open parts, or lets them go on when
   the policy does; in any case all that they have is on the disk before it says so. What `snapshot`
   stores are both kinds, each a split-list item that any subtask may get. `commit` renames those
   that wait for that checkpoint. `restore` renames all that wait, because their checkpoint was
   complete, and goes on with the open ones, cut off where the checkpoint was; of several in one
   bucket the first gets what comes. Until that is done the task is held.

   Parts in a bulk format are never open when a checkpoint is made: only a finished one is whole.

   What no checkpoint has, such as the parts of a job that failed, stays hidden; nobody deletes it,
   as in Flink. A job without checkpoints publishes all at its end.

   All that touches files are errands to the I/O thread, which runs them in order: so an errand may
   rely on those before it, and who waits just counts them. What is on its way there is bounded:
   beyond LEATI_WRITER_MOST bytes the task is held. */
#include "connectors/file_sink.h"

#include "connectors/bulk_part.h"
#include "connectors/date_pattern.h"
#include "connectors/line_writer.h"
#include "leat/operators.h"
#include "leat/stream.h"
#include "runtime/base/alloc.h"
#include "runtime/base/clock.h"

#include <stdio.h>
#include <sys/random.h>

static const leat_param params[] = {
    {"path", LEAT_PARAM_STRING, true, offsetof(leati_file_sink, path), LEAT_ROLE_NONE},
    {"prefix", LEAT_PARAM_STRING, false, offsetof(leati_file_sink, prefix), LEAT_ROLE_NONE},
    {"suffix", LEAT_PARAM_STRING, false, offsetof(leati_file_sink, suffix), LEAT_ROLE_NONE},
    {"bucket", LEAT_PARAM_STRING, false, offsetof(leati_file_sink, bucket), LEAT_ROLE_NONE},
    {"zone", LEAT_PARAM_STRING, false, offsetof(leati_file_sink, zone_id), LEAT_ROLE_NONE},
    {"charset", LEAT_PARAM_STRING, false, offsetof(leati_file_sink, charset_name), LEAT_ROLE_NONE},
    {"part_size", LEAT_PARAM_INT, false, offsetof(leati_file_sink, part_size), LEAT_ROLE_NONE},
    {"rollover", LEAT_PARAM_INT, false, offsetof(leati_file_sink, rollover), LEAT_ROLE_NONE},
    {"inactivity", LEAT_PARAM_INT, false, offsetof(leati_file_sink, inactivity), LEAT_ROLE_NONE},
    {"check_interval", LEAT_PARAM_INT, false, offsetof(leati_file_sink, check_every),
     LEAT_ROLE_NONE},
    {"roll_on_checkpoint", LEAT_PARAM_INT, false, offsetof(leati_file_sink, rolls_on_checkpoint),
     LEAT_ROLE_NONE},
    {"writer", LEAT_PARAM_FUNCTION, false, offsetof(leati_file_sink, format),
     LEAT_ROLE_BULK_WRITER},
    {0},
};

/* --- opening ---------------------------------------------------------------------------------- */

/* A random UUID. */
static bool draw_id(char out[LEATI_FILE_SINK_ID]) {
    unsigned char b[16];
    if (getrandom(b, sizeof b, 0) != sizeof b) return false;
    b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
    b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
    char *to = out;
    for (int i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10) *to++ = '-';
        to += snprintf(to, 3, "%02x", b[i]);
    }
    return true;
}

static leat_status file_sink_open(leat_context *ctx, void *self) {
    leati_file_sink *f = self;
    leat_error err = {.text = ""};
    leati_file_sink_defaults(f);
    leati_list_init(&f->open);
    leati_list_init(&f->waiting);
    f->next_look = INT64_MIN;
    leat_status status = leati_charset_new(f->charset_name, &f->charset, &err);
    if (status >= 0) status = leati_zone_new(f->zone_id, &f->zone, &err);
    if (status < 0) return leat_context_fail(ctx, status, "%s", err.text);
    if (!draw_id(f->id)) return leat_context_fail(ctx, LEAT_E_IO, "no random numbers");
    leat_context_wake_at(ctx, leat_context_now(ctx) + f->check_every);
    return LEAT_OK;
}

/* --- parts ------------------------------------------------------------------------------------ */

static leati_part *find_open(leati_file_sink *f, const char *bucket) {
    for (leati_link *at = f->open.next; at != &f->open; at = at->next)
        if (strcmp(leati_part_at(at)->bucket, bucket) == 0) return leati_part_at(at);
    return NULL;
}

static leat_status begin_part(leat_context *ctx, leati_file_sink *f, int64_t now) {
    char *name = leati_format("%s-%s-%lld%s", f->prefix, f->id, (long long)f->counter, f->suffix);
    char *hidden = name ? leati_format(".%s.inprogress.%d", name, leat_context_attempt(ctx)) : NULL;
    leati_part *p = hidden ? leati_part_new(f->path, f->folder.bytes, name, hidden) : NULL;
    leati_free(name);
    leati_free(hidden);
    if (!p) return LEAT_E_NOMEM;
    p->created = p->updated = now;
    f->counter++;
    f->current = p;
    leati_list_push(&f->open, &p->link);
    return LEAT_OK;
}

leat_status leati_file_sink_roll(leat_context *ctx, leati_file_sink *f, leati_part *p) {
    if (f->current == p) f->current = NULL;
    leati_list_remove(&p->link);
    leati_list_push(&f->waiting, &p->link);
    leat_status status = leati_file_sink_is_bulk(f) ? leati_bulk_end(ctx, &f->format, p) : LEAT_OK;
    if (status >= 0 && p->size == 0)
        status = leati_file_sink_send(ctx, f, p, LEATI_TO_WRITE); /* it exists, empty */
    if (status >= 0) status = leati_file_sink_send_filling(ctx, f, p);
    return status < 0 ? status : leati_file_sink_send(ctx, f, p, LEATI_TO_CLOSE);
}

/* Has the date changed that names the folder? */
static leat_status look_at_bucket(leati_file_sink *f, int64_t now) {
    int64_t step = leati_date_pattern_step(f->bucket);
    f->next_look = *f->bucket ? (leati_floor_div(now, step) + 1) * step : INT64_MAX;
    f->folder.size = 0;
    if (*f->bucket) leati_date_pattern_append(f->bucket, f->zone, now, &f->folder);
    leati_buf_cstr(&f->folder);
    if (f->folder.failed) return LEAT_E_NOMEM;
    f->current = find_open(f, f->folder.bytes);
    return LEAT_OK;
}

static bool is_old(const leati_file_sink *f, const leati_part *p, int64_t now) {
    return !f->rolls_on_checkpoint &&
           (now - p->created >= f->rollover || now - p->updated >= f->inactivity);
}

/* The part that takes the next record. */
static leat_status find_part(leat_context *ctx, leati_file_sink *f) {
    int64_t now = leati_clock_coarse();
    leat_status status = now >= f->next_look ? look_at_bucket(f, now) : LEAT_OK;
    if (status >= 0 && f->current && leati_file_sink_is_full(f, f->current))
        status = leati_file_sink_roll(ctx, f, f->current);
    if (status >= 0 && !f->current) status = begin_part(ctx, f, now);
    if (status >= 0) f->current->updated = now;
    return status;
}

/* --- records and time ------------------------------------------------------------------------- */

static leat_status append(leati_file_sink *f, leati_part *p, const leat_value *text) {
    leati_buf *b = &p->filling;
    size_t before = b->size;
    leat_status status = LEAT_OK;
    if (LEAT_UNLIKELY(f->charset != NULL))
        status = leati_charset_append(f->charset, text->as.bytes, text->size, b);
    if (status < 0 || !leati_buf_reserve(b, (size_t)text->size + 1)) return LEAT_E_NOMEM;
    if (LEAT_LIKELY(!f->charset)) leati_buf_append(b, text->as.bytes, text->size);
    b->bytes[b->size++] = '\n';
    p->size += (int64_t)(b->size - before);
    return LEAT_OK;
}

static inline leat_status write_line(leat_context *ctx, leati_file_sink *f, const leat_record *in) {
    char small[LEATI_LINE_SMALL];
    leat_value text;
    leat_status status = leati_line_text(ctx, &in->value, LEAT_TEXT_STRING, small, &text);
    if (status >= 0) status = find_part(ctx, f);
    return status < 0 ? status : append(f, f->current, &text);
}

static leat_status write_bulk(leat_context *ctx, leati_file_sink *f, const leat_record *in) {
    leat_status status = find_part(ctx, f);
    return status < 0 ? status : leati_bulk_add(ctx, &f->format, f->current, in);
}

static leat_status file_sink_on_record(leat_context *ctx, void *self, unsigned input,
                                       const leat_record *in) {
    (void)input;
    leati_file_sink *f = self;
    leat_status status =
        leati_file_sink_is_bulk(f) ? write_bulk(ctx, f, in) : write_line(ctx, f, in);
    if (LEAT_LIKELY(status >= 0 && f->current->filling.size < LEATI_WRITER_STEP)) return LEAT_OK;
    return status < 0 ? status : leati_file_sink_send_filling(ctx, f, f->current);
}

static leat_status file_sink_on_wake(leat_context *ctx, void *self, int64_t now) {
    leati_file_sink *f = self;
    leat_status status = LEAT_OK;
    leati_link *next;
    for (leati_link *at = f->open.next; at != &f->open && status >= 0; at = next) {
        next = at->next;
        if (!f->recovering && is_old(f, leati_part_at(at), now))
            status = leati_file_sink_roll(ctx, f, leati_part_at(at));
    }
    leat_context_wake_at(ctx, now + f->check_every);
    return status;
}

static leat_status file_sink_on_end_of_data(leat_context *ctx, void *self, unsigned input) {
    (void)ctx, (void)input;
    ((leati_file_sink *)self)->ended = true;
    return LEAT_OK;
}

/* Before the format's function is closed. */
static void file_sink_close(leat_context *ctx, void *self, bool failed) {
    (void)failed;
    leati_file_sink *f = self;
    if (!leati_file_sink_is_bulk(f) || !f->open.next) return;
    for (leati_link *at = f->open.next; at != &f->open; at = at->next)
        leati_bulk_drop(ctx, &f->format, leati_part_at(at));
}

static void drop_all(leati_file_sink *f, leati_link *parts) {
    while (parts->next && !leati_list_empty(parts))
        leati_file_sink_drop(f, leati_part_at(parts->next));
}

static void file_sink_fini(void *self) {
    leati_file_sink *f = self;
    drop_all(f, &f->open);
    drop_all(f, &f->waiting);
    leati_buf_fini(&f->folder);
    leati_charset_free(f->charset);
    leati_zone_free(f->zone);
}

/* --- the operator ----------------------------------------------------------------------------- */

const leat_operator leat_file_sink_operator = {
    .size = sizeof(leat_operator),
    .name = "file_sink",
    .flags = LEAT_OP_SINK | LEAT_OP_OBJECTS,
    .inputs = 1,
    .self_size = sizeof(leati_file_sink),
    .params = params,
    .on_record = file_sink_on_record,
    .open = file_sink_open,
    .close = file_sink_close,
    .on_end_of_data = file_sink_on_end_of_data,
    .snapshot = leati_file_sink_snapshot,
    .restore = leati_file_sink_restore,
    .prepare = leati_file_sink_prepare,
    .commit = leati_file_sink_commit,
    .fini = file_sink_fini,
    .on_wake = file_sink_on_wake,
    .check = leati_file_sink_check,
};

static leat_stream *write_files(leat_stream *s, const char *path, const leat_function *writer,
                                const leat_file_options *options) {
    leat_file_options o = leat_file_options_defaults();
    if (options) memcpy(&o, options, options->size < sizeof o ? options->size : sizeof o);
    leat_arg args[] = {
        leat_arg_string("path", path),
        leat_arg_string("prefix", o.prefix),
        leat_arg_string("suffix", o.suffix),
        leat_arg_string("bucket", o.bucket),
        leat_arg_string("zone", o.zone),
        leat_arg_string("charset", o.charset),
        leat_arg_int("part_size", o.part_size),
        leat_arg_int("rollover", o.rollover_ms),
        leat_arg_int("inactivity", o.inactivity_ms),
        leat_arg_int("check_interval", o.check_ms),
        leat_arg_int("roll_on_checkpoint", o.roll_on_checkpoint),
        leat_arg_function("writer", writer),
    };
    size_t count = sizeof args / sizeof *args - !writer;
    return leat_graph_add(NULL, &leat_file_sink_operator, args, count, &s, 1);
}

leat_stream *leat_stream_write_files(leat_stream *s, const char *path,
                                     const leat_file_options *options) {
    return write_files(s, path, NULL, options);
}

leat_stream *leat_stream_write_bulk(leat_stream *s, const char *path, leat_function writer,
                                    const leat_file_options *options) {
    return write_files(s, path, &writer, options);
}
