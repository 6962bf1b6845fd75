/* file_sink_errand.c: what a file sink has the I/O thread do with its parts, in the order in which
   it is sent. Who waits for errands waits for all of them. */
#include "connectors/file_sink.h"

#include "connectors/line_writer.h"
#include "runtime/base/alloc.h"

typedef struct errand {
    leati_errand_kind kind;
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
    case LEATI_TO_WRITE: return leati_part_write(e->part, &e->bytes, &e->err);
    case LEATI_TO_SYNC: return leati_part_sync(e->part, &e->err);
    case LEATI_TO_CLOSE: return leati_part_close(e->part, &e->err);
    case LEATI_TO_RESUME: return leati_part_resume(e->part, e->size, &e->err);
    default: return leati_part_publish(e->part, e->size, e->lasting, &e->err);
    }
}

void leati_file_sink_drop(leati_file_sink *f, leati_part *p) {
    if (f->current == p) f->current = NULL;
    leati_list_remove(&p->link);
    leati_part_unref(p);
}

void leati_file_sink_hold(leat_context *ctx, leati_file_sink *f) {
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
    leati_file_sink *f = self;
    errand *e = arg;
    f->errands--;
    f->on_its_way -= e->bytes.size;
    if (worked < 0) leat_context_fail(ctx, worked, "%s", e->err.text);
    bool ends = e->kind == LEATI_TO_PUBLISH || (e->kind == LEATI_TO_RESUME && e->part->gone);
    if (worked >= 0 && ends) leati_file_sink_drop(f, e->part);
    errand_drop(e);
    if (worked < 0) return worked;
    if (f->errands == 0) f->recovering = false;
    leati_file_sink_hold(ctx, f);
    if (f->errands == 0 && f->asked) {
        f->asked = false;
        leat_context_wake(ctx);
    }
    return LEAT_OK;
}

/* Sends a copy of `like`, with all that the part was given when it is to be written. */
static leat_status send_errand(leat_context *ctx, leati_file_sink *f, const errand *like) {
    errand *e = leati_zalloc(sizeof *e);
    if (!e) return LEAT_E_NOMEM;
    *e = *like;
    leati_part_ref(e->part);
    e->size = e->part->size;
    if (e->kind == LEATI_TO_WRITE) {
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
    leati_file_sink_hold(ctx, f);
    return LEAT_OK;
}

leat_status leati_file_sink_send(leat_context *ctx, leati_file_sink *f, leati_part *p,
                                 leati_errand_kind kind) {
    errand e = {.kind = kind, .part = p};
    return send_errand(ctx, f, &e);
}

leat_status leati_file_sink_publish(leat_context *ctx, leati_file_sink *f, leati_part *p,
                                    bool lasting) {
    errand e = {.kind = LEATI_TO_PUBLISH, .part = p, .lasting = lasting};
    return send_errand(ctx, f, &e);
}

leat_status leati_file_sink_send_filling(leat_context *ctx, leati_file_sink *f, leati_part *p) {
    return p->filling.size ? leati_file_sink_send(ctx, f, p, LEATI_TO_WRITE) : LEAT_OK;
}
