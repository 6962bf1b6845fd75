/* push_rewind.c: positions of pushed records, and the way back. The reader remembers the position
   of the last record that it has emitted; that is its state. When a job restarts, what was pushed
   and not emitted is forgotten, pushes wait, and before the first record is taken the host's
   callback says to the host where to go on.

   Format: item "position" of a union list: u8 flags, the value by codec.h. Flags: 1, it has ended;
   2, there is a position. */
#include "runtime/data/codec.h"
#include "runtime/job/push.h"

enum { ENDED = 1, HAS_POSITION = 2 };

leat_status leat_push_on_rewind(leat_push_source *source, leat_rewind_call rewind, void *arg) {
    if (!source) return LEAT_E_ARGUMENT;
    pthread_mutex_lock(&source->lock);
    leat_status status = source->mailbox || source->starting ? LEAT_E_STATE : LEAT_OK;
    if (status == LEAT_OK) {
        source->rewind = rewind;
        source->rewind_arg = arg;
    }
    pthread_mutex_unlock(&source->lock);
    return status;
}

/* --- calling ---------------------------------------------------------------------------------- */

/* Pushes that wait come back before the host's callback is called, which may need a lock of theirs.
   With host dispatch the job may fail and go back again meanwhile: then another call is due. */
static void call_host(leat_push_source *s) {
    pthread_mutex_lock(&s->lock);
    leati_batch *target = s->target;
    s->target = NULL;
    s->due = false;
    s->stage = PUSH_CALLS;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
    s->rewind(s->rewind_arg, target ? &target->records[0].value : NULL);
    leati_batch_unref(target);
    pthread_mutex_lock(&s->lock);
    s->stage = s->due ? PUSH_WAITS : PUSH_TAKES;
    leati_push_wake_reader(s);
    leati_dispatch_ring(s->job);
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
}

bool leati_push_dispatch(leat_push_source *s, const leat_job *job) {
    pthread_mutex_lock(&s->lock);
    bool due = s->due && s->job == job;
    pthread_mutex_unlock(&s->lock);
    if (due) call_host(s);
    return due;
}

static leat_status make_target(const leati_buf *position, leati_batch **out) {
    if (!position->size) return LEAT_OK;
    leati_arena arena;
    leati_arena_init(&arena);
    leati_reader in = leati_reader_of(position->bytes, position->size);
    leat_record record = leat_record_of(leat_null(), LEAT_NO_TIME);
    *out = leati_batch_new(1);
    leat_status status = *out ? LEAT_OK : LEAT_E_NOMEM;
    if (status >= 0) status = leati_value_decode(&in, 0, &arena, &record.value);
    if (status >= 0) status = leati_batch_append(*out, &record, NULL, true);
    leati_arena_fini(&arena);
    return status;
}

/* The host is asked for all that comes behind the position, the end included. */
static leat_status go_back(push_self *p) {
    leat_push_source *s = p->source;
    leati_batch *target = NULL;
    leat_status status = make_target(&p->position, &target);
    if (status < 0) {
        leati_batch_unref(target);
        return status;
    }
    pthread_mutex_lock(&s->lock);
    leati_push_forget(s);
    leati_batch_unref(s->target);
    s->target = target;
    s->over = false;
    if (s->stage != PUSH_CALLS) s->stage = PUSH_WAITS;
    s->due = true;
    bool dispatched = s->job && s->job->dispatch;
    leati_dispatch_ring(s->job);
    pthread_mutex_unlock(&s->lock);
    if (!dispatched) call_host(s);
    p->waits = dispatched;
    return LEAT_OK;
}

/* A restored end: nobody is asked for anything. */
static void stay_over(leat_push_source *s) {
    pthread_mutex_lock(&s->lock);
    s->over = true;
    s->stage = PUSH_TAKES;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
}

static leat_status begin(leat_context *ctx, push_self *p) {
    p->began = true;
    if (p->ended) stay_over(p->source);
    bool again = p->restored || leat_context_attempt(ctx) > 0;
    return again && !p->ended && p->source->rewind ? go_back(p) : LEAT_OK;
}

leat_status leati_push_begin(leat_context *ctx, push_self *p) {
    leat_push_source *s = p->source;
    leat_status status = p->began ? LEAT_OK : begin(ctx, p);
    if (status < 0 || !p->waits) return status;
    pthread_mutex_lock(&s->lock);
    p->waits = s->reader_waits = s->due || s->stage != PUSH_TAKES;
    pthread_mutex_unlock(&s->lock);
    return p->waits ? LEAT_AGAIN : LEAT_OK;
}

/* --- state ------------------------------------------------------------------------------------ */

leat_status leati_push_keep_position(push_self *p) {
    if (!p->last_in) return LEAT_OK;
    p->position.size = 0;
    leat_status status = leati_value_encode(&p->last_in->records[p->last].key, NULL, &p->position);
    p->last_in = NULL;
    return status >= 0 && p->position.failed ? LEAT_E_NOMEM : status;
}

leat_status leati_push_snapshot(leat_context *ctx, void *self, leat_snapshot *out) {
    (void)ctx;
    push_self *p = self;
    leati_buf item;
    leat_status status = leati_push_keep_position(p);
    leati_buf_init(&item);
    leati_buf_u8(&item, (uint8_t)((p->ended ? ENDED : 0) | (p->position.size ? HAS_POSITION : 0)));
    leati_buf_append(&item, p->position.bytes, p->position.size);
    if (status >= 0)
        status = item.failed
                     ? LEAT_E_NOMEM
                     : leat_snapshot_write(out, "position", LEAT_UNION_LIST, item.bytes, item.size);
    leati_buf_fini(&item);
    return status;
}

leat_status leati_push_restore(leat_context *ctx, void *self, leat_snapshot *in) {
    (void)ctx;
    push_self *p = self;
    const void *bytes;
    size_t size;
    leat_status status = leat_snapshot_read(in, "position", 0, &bytes, &size);
    if (status != LEAT_OK) return status < 0 ? status : LEAT_OK;
    leati_reader item = leati_reader_of(bytes, size);
    uint8_t flags = leati_reader_u8(&item);
    p->restored = true;
    p->ended = flags & ENDED;
    p->position.size = 0;
    if (flags & HAS_POSITION) leati_buf_append(&p->position, item.at, leati_reader_left(&item));
    return item.failed ? LEAT_E_FORMAT : p->position.failed ? LEAT_E_NOMEM : LEAT_OK;
}

bool leati_push_goes_back(leat_context *ctx, void *self) {
    (void)ctx;
    return ((push_self *)self)->source->rewind != NULL;
}
