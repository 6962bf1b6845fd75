/* file_sink_store.c: a file sink and its checkpoints. file_sink.c says what becomes of parts.

   A snapshot has an item of a split list for each part (part_file.c), "waiting" and "open", and of a
   union list the "counter", a zigzag. */
#include "connectors/file_sink.h"

#include "runtime/base/buf.h"

static leat_status secure_open(leat_context *ctx, leati_file_sink *f, bool all_end) {
    leat_status status = LEAT_OK;
    leati_link *next;
    for (leati_link *at = f->open.next; at != &f->open && status >= 0; at = next) {
        leati_part *p = leati_part_at(at);
        next = at->next;
        bool rolls = all_end || f->rolls_on_checkpoint || leati_file_sink_is_full(f, p);
        status = rolls ? leati_file_sink_roll(ctx, f, p) : leati_file_sink_send_filling(ctx, f, p);
        if (status >= 0 && !rolls) status = leati_file_sink_send(ctx, f, p, LEATI_TO_SYNC);
    }
    return status;
}

static leat_status ask_again(leati_file_sink *f) {
    f->asked = true;
    return LEAT_AGAIN;
}

leat_status leati_file_sink_prepare(leat_context *ctx, void *self, int64_t checkpoint) {
    leati_file_sink *f = self;
    if (f->recovering) return ask_again(f);
    if (!f->preparing) {
        leat_status status = secure_open(ctx, f, f->ended || checkpoint == INT64_MAX);
        if (status < 0) return status;
        f->preparing = true;
    }
    if (f->errands) return ask_again(f);
    f->preparing = false;
    for (leati_link *at = f->waiting.next; at != &f->waiting; at = at->next)
        if (!leati_part_at(at)->checkpoint) leati_part_at(at)->checkpoint = checkpoint;
    return LEAT_OK;
}

static bool is_due(const leati_part *p, int64_t checkpoint) {
    return p->checkpoint && p->checkpoint <= checkpoint;
}

/* Of neighbours in one folder the last writes that to the disk. */
static leat_status publish(leat_context *ctx, leati_file_sink *f, leati_part *p,
                           int64_t checkpoint) {
    bool last = p->link.next == &f->waiting;
    const leati_part *next = last ? NULL : leati_part_at(p->link.next);
    bool lasting = last || p->restored || !is_due(next, checkpoint) || next->publishing ||
                   strcmp(next->bucket, p->bucket) != 0;
    p->publishing = true;
    return leati_file_sink_publish(ctx, f, p, lasting);
}

leat_status leati_file_sink_commit(leat_context *ctx, void *self, int64_t checkpoint) {
    leati_file_sink *f = self;
    leat_status status = LEAT_OK, done = LEAT_OK;
    for (leati_link *at = f->waiting.next; at != &f->waiting && status >= 0; at = at->next) {
        leati_part *p = leati_part_at(at);
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
        leati_part_encode(leati_part_at(at), &item);
        status = item.failed
                     ? LEAT_E_NOMEM
                     : leat_snapshot_write(out, name, LEAT_SPLIT_LIST, item.bytes, item.size);
    }
    leati_buf_fini(&item);
    return status;
}

leat_status leati_file_sink_snapshot(leat_context *ctx, void *self, leat_snapshot *out) {
    (void)ctx;
    const leati_file_sink *f = self;
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

static leat_status recover(leat_context *ctx, leati_file_sink *f, leati_part *p, bool waits) {
    if (!waits && leati_file_sink_is_bulk(f)) {
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
    return leati_file_sink_send(ctx, f, p, LEATI_TO_RESUME);
}

/* LEAT_DONE behind the last item. */
static leat_status restore_part(leat_context *ctx, leati_file_sink *f, leat_snapshot *in,
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

static leat_status restore_counter(leati_file_sink *f, leat_snapshot *in) {
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
leat_status leati_file_sink_restore(leat_context *ctx, void *self, leat_snapshot *in) {
    leati_file_sink *f = self;
    leat_status status = restore_counter(f, in);
    for (size_t i = 0; status == LEAT_OK; i++)
        status = restore_part(ctx, f, in, "waiting", i, true);
    if (status == LEAT_DONE) status = LEAT_OK;
    for (size_t i = 0; status == LEAT_OK; i++) status = restore_part(ctx, f, in, "open", i, false);
    leati_file_sink_hold(ctx, f);
    return status < 0 ? status : LEAT_OK;
}
