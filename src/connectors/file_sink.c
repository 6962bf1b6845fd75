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
#include "connectors/bulk_part.h"
#include "connectors/charset.h"
#include "connectors/date_pattern.h"
#include "connectors/line_writer.h"
#include "connectors/part_file.h"
#include "leat/operators.h"
#include "leat/stream.h"
#include "runtime/base/alloc.h"
#include "runtime/base/clock.h"
#include "runtime/base/file_path.h"

#include <stdio.h>
#include <sys/random.h>

enum { ID_SIZE = 37 };

static const int64_t NEVER = INT64_C(1) << 52; /* ms: far beyond any clock */

typedef struct file_sink_self {
    const char *path, *prefix, *suffix, *bucket, *zone_id, *charset_name;
    int64_t part_size, rollover, inactivity, check_every; /* bytes; ms */
    int64_t rolls_on_checkpoint;
    leat_function format; /* a bulk writer; its role is NONE: lines */

    leati_charset *charset; /* NULL: UTF-8 */
    leati_zone *zone;
    char id[ID_SIZE];
    int64_t counter;     /* of the next part */
    leati_link open;     /* parts that grow */
    leati_link waiting;  /* parts that are closed, or will be */
    leati_part *current; /* the open one of `folder`; NULL: none */
    leati_buf folder;    /* the bucket's name, terminated */
    int64_t next_look;   /* when it may change */

    size_t errands, on_its_way; /* the latter in bytes */
    bool preparing, recovering, held, ended;
    bool asked; /* somebody waits for all errands */
} file_sink_self;

static const leat_param params[] = {
    {"path", LEAT_PARAM_STRING, true, offsetof(file_sink_self, path), LEAT_ROLE_NONE},
    {"prefix", LEAT_PARAM_STRING, false, offsetof(file_sink_self, prefix), LEAT_ROLE_NONE},
    {"suffix", LEAT_PARAM_STRING, false, offsetof(file_sink_self, suffix), LEAT_ROLE_NONE},
    {"bucket", LEAT_PARAM_STRING, false, offsetof(file_sink_self, bucket), LEAT_ROLE_NONE},
    {"zone", LEAT_PARAM_STRING, false, offsetof(file_sink_self, zone_id), LEAT_ROLE_NONE},
    {"charset", LEAT_PARAM_STRING, false, offsetof(file_sink_self, charset_name), LEAT_ROLE_NONE},
    {"part_size", LEAT_PARAM_INT, false, offsetof(file_sink_self, part_size), LEAT_ROLE_NONE},
    {"rollover", LEAT_PARAM_INT, false, offsetof(file_sink_self, rollover), LEAT_ROLE_NONE},
    {"inactivity", LEAT_PARAM_INT, false, offsetof(file_sink_self, inactivity), LEAT_ROLE_NONE},
    {"check_interval", LEAT_PARAM_INT, false, offsetof(file_sink_self, check_every),
     LEAT_ROLE_NONE},
    {"roll_on_checkpoint", LEAT_PARAM_INT, false, offsetof(file_sink_self, rolls_on_checkpoint),
     LEAT_ROLE_NONE},
    {"writer", LEAT_PARAM_FUNCTION, false, offsetof(file_sink_self, format), LEAT_ROLE_BULK_WRITER},
    {0},
};

static bool is_bulk(const file_sink_self *f) {
    return f->format.role != LEAT_ROLE_NONE;
}

/* --- errands ---------------------------------------------------------------------------------- */

typedef enum errand_kind { TO_WRITE, TO_SYNC, TO_CLOSE, TO_RESUME, TO_PUBLISH } errand_kind;

typedef struct errand {
    errand_kind kind;
    leati_part *part; /* holds a reference */
    leati_buf bytes;  /* to write */
    int64_t size;     /* of the part */
    bool lasting;
    leat_error err;
} errand;

static void errand_drop(void *arg) {
    errand *e = arg;
    leati_part_unref(e->part);
    leati_buf_fini(&e->bytes);
    leati_free(e);
}

static leat_status errand_work(void *arg) {
    errand *e = arg;
    switch (e->kind) {
    case TO_WRITE: return leati_part_write(e->part, &e->bytes, &e->err);
    case TO_SYNC: return leati_part_sync(e->part, &e->err);
    case TO_CLOSE: return leati_part_close(e->part, &e->err);
    case TO_RESUME: return leati_part_resume(e->part, e->size, &e->err);
    default: return leati_part_publish(e->part, e->size, e->lasting, &e->err);
    }
}

static void drop_part(file_sink_self *f, leati_part *p) {
    if (f->current == p) f->current = NULL;
    leati_list_remove(&p->link);
    leati_part_unref(p);
}

static void hold_or_release(leat_context *ctx, file_sink_self *f) {
    bool full = f->on_its_way >= (f->held ? LEATI_WRITER_MOST / 2 : LEATI_WRITER_MOST);
    bool holds = full || f->recovering;
    if (holds == f->held) return;
    f->held = holds;
    if (holds)
        leat_context_hold(ctx);
    else
        leat_context_release(ctx);
}

/* Whoever waits for errands waits for all of them. */
static leat_status errand_done(leat_context *ctx, void *self, void *arg, leat_status worked) {
    file_sink_self *f = self;
    errand *e = arg;
    f->errands--;
    f->on_its_way -= e->bytes.size;
    if (worked < 0) leat_context_fail(ctx, worked, "%s", e->err.text);
    bool ends = e->kind == TO_PUBLISH || (e->kind == TO_RESUME && e->part->gone);
    if (worked >= 0 && ends) drop_part(f, e->part);
    errand_drop(e);
    if (worked < 0) return worked;
    if (f->errands == 0) f->recovering = false;
    hold_or_release(ctx, f);
    if (f->errands == 0 && f->asked) {
        f->asked = false;
        leat_context_wake(ctx);
    }
    return LEAT_OK;
}

/* Sends a copy of `like`, with all that the part was given when it is to be written. */
static leat_status send_errand(leat_context *ctx, file_sink_self *f, const errand *like) {
    errand *e = leati_zalloc(sizeof *e);
    if (!e) return LEAT_E_NOMEM;
    *e = *like;
    leati_part_ref(e->part);
    e->size = e->part->size;
    if (e->kind == TO_WRITE) {
        e->bytes = e->part->filling;
        leati_buf_init(&e->part->filling);
    }
    size_t size = e->bytes.size;
    leat_io io = {errand_work, errand_done, errand_drop, e};
    leat_status status = leat_context_io(ctx, &io);
    if (status < 0) {
        errand_drop(e);
        return status;
    }
    f->errands++;
    f->on_its_way += size;
    hold_or_release(ctx, f);
    return LEAT_OK;
}

static leat_status send(leat_context *ctx, file_sink_self *f, leati_part *p, errand_kind kind) {
    errand e = {.kind = kind, .part = p};
    return send_errand(ctx, f, &e);
}

static leat_status send_filling(leat_context *ctx, file_sink_self *f, leati_part *p) {
    return p->filling.size ? send(ctx, f, p, TO_WRITE) : LEAT_OK;
}

/* --- opening ---------------------------------------------------------------------------------- */

/* A random UUID. */
static bool draw_id(char out[ID_SIZE]) {
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

static void set_defaults(file_sink_self *f) {
    f->path = leati_file_path(f->path);
    if (!f->prefix) f->prefix = "part";
    if (!f->suffix) f->suffix = "";
    if (!f->bucket) f->bucket = "";
    if (!f->part_size) f->part_size = 128 << 20;
    if (!f->rollover) f->rollover = 60 * 1000;
    if (!f->inactivity) f->inactivity = 60 * 1000;
    if (!f->check_every) f->check_every = 60 * 1000;
    if (f->check_every > NEVER) f->check_every = NEVER;
    if (is_bulk(f)) f->rolls_on_checkpoint = 1;
}

static leat_status check_numbers(const file_sink_self *f, leat_error *err) {
    if (f->part_size > 0 && f->rollover > 0 && f->inactivity > 0 && f->check_every > 0)
        return LEAT_OK;
    return leat_error_set(err, LEAT_E_ARGUMENT, "file_sink",
                          "the part size (%lld bytes), rollover (%lld ms), inactivity (%lld ms) "
                          "and check intervals (%lld ms) must be at least 1",
                          (long long)f->part_size, (long long)f->rollover, (long long)f->inactivity,
                          (long long)f->check_every);
}

static leat_status check_names(const file_sink_self *f, leat_error *err) {
    if (strchr(f->prefix, '/') || strchr(f->suffix, '/'))
        return leat_error_set(err, LEAT_E_ARGUMENT, "file_sink",
                              "'%s' and '%s' can't begin and end the name of a file; leave out '/'",
                              f->prefix, f->suffix);
    if (!*f->path)
        return leat_error_set(err, LEAT_E_ARGUMENT, "file_sink", "no folder is named to write to");
    leat_status status = leati_file_path_check(f->path, err);
    if (status < 0) return status;
    return *f->bucket ? leati_date_pattern_check(f->bucket, err) : LEAT_OK;
}

static leat_status file_sink_check(void *self, leat_error *err) {
    file_sink_self *f = self;
    set_defaults(f);
    leat_status status = check_numbers(f, err);
    if (status >= 0) status = check_names(f, err);
    if (status >= 0 && is_bulk(f)) status = leati_bulk_check(&f->format, err);
    if (status >= 0) status = leati_charset_new(f->charset_name, &f->charset, err);
    if (status >= 0) status = leati_zone_new(f->zone_id, &f->zone, err);
    leati_charset_free(f->charset);
    leati_zone_free(f->zone);
    f->charset = NULL;
    f->zone = NULL;
    return status;
}

static leat_status file_sink_open(leat_context *ctx, void *self) {
    file_sink_self *f = self;
    leat_error err = {.text = ""};
    set_defaults(f);
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

static leati_part *part_at(leati_link *link) {
    return LEATI_CONTAINER(link, leati_part, link);
}

static leati_part *find_open(file_sink_self *f, const char *bucket) {
    for (leati_link *at = f->open.next; at != &f->open; at = at->next)
        if (strcmp(part_at(at)->bucket, bucket) == 0) return part_at(at);
    return NULL;
}

static leat_status begin_part(leat_context *ctx, file_sink_self *f, int64_t now) {
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

/* The part gets no more; it waits for the next checkpoint. */
static leat_status roll(leat_context *ctx, file_sink_self *f, leati_part *p) {
    if (f->current == p) f->current = NULL;
    leati_list_remove(&p->link);
    leati_list_push(&f->waiting, &p->link);
    leat_status status = is_bulk(f) ? leati_bulk_end(ctx, &f->format, p) : LEAT_OK;
    if (status >= 0 && p->size == 0) status = send(ctx, f, p, TO_WRITE); /* it exists, empty */
    if (status >= 0) status = send_filling(ctx, f, p);
    return status < 0 ? status : send(ctx, f, p, TO_CLOSE);
}

/* Has the date changed that names the folder? */
static leat_status look_at_bucket(file_sink_self *f, int64_t now) {
    int64_t step = leati_date_pattern_step(f->bucket);
    f->next_look = *f->bucket ? (leati_floor_div(now, step) + 1) * step : INT64_MAX;
    f->folder.size = 0;
    if (*f->bucket) leati_date_pattern_append(f->bucket, f->zone, now, &f->folder);
    leati_buf_cstr(&f->folder);
    if (f->folder.failed) return LEAT_E_NOMEM;
    f->current = find_open(f, f->folder.bytes);
    return LEAT_OK;
}

static bool is_full(const file_sink_self *f, const leati_part *p) {
    return !f->rolls_on_checkpoint && p->size > f->part_size;
}

static bool is_old(const file_sink_self *f, const leati_part *p, int64_t now) {
    return !f->rolls_on_checkpoint &&
           (now - p->created >= f->rollover || now - p->updated >= f->inactivity);
}

/* The part that takes the next record. */
static leat_status find_part(leat_context *ctx, file_sink_self *f) {
    int64_t now = leati_clock_coarse();
    leat_status status = now >= f->next_look ? look_at_bucket(f, now) : LEAT_OK;
    if (status >= 0 && f->current && is_full(f, f->current)) status = roll(ctx, f, f->current);
    if (status >= 0 && !f->current) status = begin_part(ctx, f, now);
    if (status >= 0) f->current->updated = now;
    return status;
}

/* --- records and time ------------------------------------------------------------------------- */

static leat_status append(file_sink_self *f, leati_part *p, const leat_value *text) {
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

static inline leat_status write_line(leat_context *ctx, file_sink_self *f, const leat_record *in) {
    char small[LEATI_LINE_SMALL];
    leat_value text;
    leat_status status = leati_line_text(ctx, &in->value, LEAT_TEXT_STRING, small, &text);
    if (status >= 0) status = find_part(ctx, f);
    return status < 0 ? status : append(f, f->current, &text);
}

static leat_status write_bulk(leat_context *ctx, file_sink_self *f, const leat_record *in) {
    leat_status status = find_part(ctx, f);
    return status < 0 ? status : leati_bulk_add(ctx, &f->format, f->current, in);
}

static leat_status file_sink_on_record(leat_context *ctx, void *self, unsigned input,
                                       const leat_record *in) {
    (void)input;
    file_sink_self *f = self;
    leat_status status = is_bulk(f) ? write_bulk(ctx, f, in) : write_line(ctx, f, in);
    if (LEAT_LIKELY(status >= 0 && f->current->filling.size < LEATI_WRITER_STEP)) return LEAT_OK;
    return status < 0 ? status : send_filling(ctx, f, f->current);
}

static leat_status file_sink_on_wake(leat_context *ctx, void *self, int64_t now) {
    file_sink_self *f = self;
    leat_status status = LEAT_OK;
    leati_link *next;
    for (leati_link *at = f->open.next; at != &f->open && status >= 0; at = next) {
        next = at->next;
        if (!f->recovering && is_old(f, part_at(at), now)) status = roll(ctx, f, part_at(at));
    }
    leat_context_wake_at(ctx, now + f->check_every);
    return status;
}

static leat_status file_sink_on_end_of_data(leat_context *ctx, void *self, unsigned input) {
    (void)ctx, (void)input;
    ((file_sink_self *)self)->ended = true;
    return LEAT_OK;
}

/* --- checkpoints ------------------------------------------------------------------------------ */

static leat_status secure_open(leat_context *ctx, file_sink_self *f, bool all_end) {
    leat_status status = LEAT_OK;
    leati_link *next;
    for (leati_link *at = f->open.next; at != &f->open && status >= 0; at = next) {
        leati_part *p = part_at(at);
        next = at->next;
        bool rolls = all_end || f->rolls_on_checkpoint || is_full(f, p);
        status = rolls ? roll(ctx, f, p) : send_filling(ctx, f, p);
        if (status >= 0 && !rolls) status = send(ctx, f, p, TO_SYNC);
    }
    return status;
}

static leat_status ask_again(file_sink_self *f) {
    f->asked = true;
    return LEAT_AGAIN;
}

static leat_status file_sink_prepare(leat_context *ctx, void *self, int64_t checkpoint) {
    file_sink_self *f = self;
    if (f->recovering) return ask_again(f);
    if (!f->preparing) {
        leat_status status = secure_open(ctx, f, f->ended || checkpoint == INT64_MAX);
        if (status < 0) return status;
        f->preparing = true;
    }
    if (f->errands) return ask_again(f);
    f->preparing = false;
    for (leati_link *at = f->waiting.next; at != &f->waiting; at = at->next)
        if (!part_at(at)->checkpoint) part_at(at)->checkpoint = checkpoint;
    return LEAT_OK;
}

static bool is_due(const leati_part *p, int64_t checkpoint) {
    return p->checkpoint && p->checkpoint <= checkpoint;
}

/* Of neighbours in one folder the last writes that to the disk. */
static leat_status publish(leat_context *ctx, file_sink_self *f, leati_part *p,
                           int64_t checkpoint) {
    bool last = p->link.next == &f->waiting;
    const leati_part *next = last ? NULL : part_at(p->link.next);
    bool lasting = last || p->restored || !is_due(next, checkpoint) || next->publishing ||
                   strcmp(next->bucket, p->bucket) != 0;
    errand e = {.kind = TO_PUBLISH, .part = p, .lasting = lasting};
    p->publishing = true;
    return send_errand(ctx, f, &e);
}

static leat_status file_sink_commit(leat_context *ctx, void *self, int64_t checkpoint) {
    file_sink_self *f = self;
    leat_status status = LEAT_OK, done = LEAT_OK;
    for (leati_link *at = f->waiting.next; at != &f->waiting && status >= 0; at = at->next) {
        leati_part *p = part_at(at);
        if (!is_due(p, checkpoint)) continue;
        done = ask_again(f);
        if (!p->publishing) status = publish(ctx, f, p, checkpoint);
    }
    return status < 0 ? status : done;
}

static leat_status write_parts(const leati_link *parts, const char *name, leat_snapshot *out) {
    leat_status status = LEAT_OK;
    leati_buf item;
    leati_buf_init(&item);
    for (leati_link *at = parts->next; at != parts && status >= 0; at = at->next) {
        item.size = 0;
        leati_part_encode(part_at(at), &item);
        status = item.failed
                     ? LEAT_E_NOMEM
                     : leat_snapshot_write(out, name, LEAT_SPLIT_LIST, item.bytes, item.size);
    }
    leati_buf_fini(&item);
    return status;
}

static leat_status file_sink_snapshot(leat_context *ctx, void *self, leat_snapshot *out) {
    (void)ctx;
    const file_sink_self *f = self;
    leati_buf counter;
    leati_buf_init(&counter);
    leati_buf_zigzag(&counter, f->counter);
    leat_status status = counter.failed ? LEAT_E_NOMEM : LEAT_OK;
    if (status >= 0) status = write_parts(&f->waiting, "waiting", out);
    if (status >= 0) status = write_parts(&f->open, "open", out);
    if (status >= 0)
        status = leat_snapshot_write(out, "counter", LEAT_UNION_LIST, counter.bytes, counter.size);
    leati_buf_fini(&counter);
    return status;
}

static leat_status recover(leat_context *ctx, file_sink_self *f, leati_part *p, bool waits) {
    if (!waits && is_bulk(f)) {
        leat_context_fail(ctx, LEAT_E_STATE,
                          "the checkpoint has '%s', a file of lines that goes on, and this sink "
                          "writes a bulk format; finish it with the sink that began it, or start "
                          "without the checkpoint",
                          p->hidden);
        leati_part_unref(p);
        return LEAT_E_STATE;
    }
    f->recovering = true;
    leati_list_push(waits ? &f->waiting : &f->open, &p->link);
    if (waits) return publish(ctx, f, p, 0);
    return send(ctx, f, p, TO_RESUME);
}

/* LEAT_DONE behind the last item. */
static leat_status restore_part(leat_context *ctx, file_sink_self *f, leat_snapshot *in,
                                const char *name, size_t i, bool waits) {
    const void *bytes;
    size_t size;
    leati_part *p = NULL;
    leat_status status = leat_snapshot_read(in, name, i, &bytes, &size);
    if (status != LEAT_OK) return status;
    status = leati_part_decode(f->path, bytes, size, &p);
    if (status == LEAT_E_FORMAT)
        return leat_context_fail(ctx, status, "what the checkpoint says of a part is damaged");
    return status < 0 ? status : recover(ctx, f, p, waits);
}

static leat_status restore_counter(file_sink_self *f, leat_snapshot *in) {
    const void *bytes;
    size_t size;
    leat_status status;
    for (size_t i = 0; (status = leat_snapshot_read(in, "counter", i, &bytes, &size)) == LEAT_OK;
         i++) {
        leati_reader r = leati_reader_of(bytes, size);
        int64_t counter = leati_reader_zigzag(&r);
        if (r.failed) return LEAT_E_FORMAT;
        if (counter > f->counter) f->counter = counter;
    }
    return status < 0 ? status : LEAT_OK;
}

/* First what was promised, then what goes on. */
static leat_status file_sink_restore(leat_context *ctx, void *self, leat_snapshot *in) {
    file_sink_self *f = self;
    leat_status status = restore_counter(f, in);
    for (size_t i = 0; status == LEAT_OK; i++)
        status = restore_part(ctx, f, in, "waiting", i, true);
    if (status == LEAT_DONE) status = LEAT_OK;
    for (size_t i = 0; status == LEAT_OK; i++) status = restore_part(ctx, f, in, "open", i, false);
    hold_or_release(ctx, f);
    return status < 0 ? status : LEAT_OK;
}

/* Before the format's function is closed. */
static void file_sink_close(leat_context *ctx, void *self, bool failed) {
    (void)failed;
    file_sink_self *f = self;
    if (!is_bulk(f) || !f->open.next) return;
    for (leati_link *at = f->open.next; at != &f->open; at = at->next)
        leati_bulk_drop(ctx, &f->format, part_at(at));
}

static void drop_all(file_sink_self *f, leati_link *parts) {
    while (parts->next && !leati_list_empty(parts)) drop_part(f, part_at(parts->next));
}

static void file_sink_fini(void *self) {
    file_sink_self *f = self;
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
    .self_size = sizeof(file_sink_self),
    .params = params,
    .on_record = file_sink_on_record,
    .open = file_sink_open,
    .close = file_sink_close,
    .on_end_of_data = file_sink_on_end_of_data,
    .snapshot = file_sink_snapshot,
    .restore = file_sink_restore,
    .prepare = file_sink_prepare,
    .commit = file_sink_commit,
    .fini = file_sink_fini,
    .on_wake = file_sink_on_wake,
    .check = file_sink_check,
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
