/* signal.c: the way of a signal through a chain, operator by operator, in five stages each: what is
   held back for batching goes out, timers fire, the operator hears of the watermark, its slot is
   called, outputs send the signal on. Between the stages cursors may be open; the task drives them
   and comes back. An operator that answers LEAT_AGAIN at the end of data, or when it is to prepare
   for a barrier, stops the walk until it wakes the task.

   Every signal takes along what watermark the operators before let go: so one that was held back
   until the end of data still comes before the end. */
#include "runtime/data/key.h"
#include "runtime/flow/chain.h"
#include "runtime/flow/output.h"
#include "runtime/flow/snapshot.h"

void leati_chain_signal(leati_chain *c, leati_element signal) {
    c->signalling = true;
    if (signal.kind == LEATI_IDLE || signal.kind == LEATI_ACTIVE)
        c->idle = signal.kind == LEATI_IDLE;
    c->signal = signal;
    c->signal_at = 0;
    c->signal_stage = LEATI_STAGE_DRAIN;
}

/* --- timers ----------------------------------------------------------------------------------- */

static leat_status sweep_advance(leat_context *ctx, leat_cursor *cursor, leat_emitter *out) {
    leati_sweep *sweep = (leati_sweep *)(void *)cursor;
    (void)out;
    leat_timer timer;
    leati_timers *timers = ctx->timers[sweep->domain];
    leat_record *r = &sweep->record;
    leat_status status =
        leati_timers_pop(timers, sweep->until, &ctx->chain->arena, &r->key, &r->hash, &timer);
    if (status != LEAT_OK) return status;
    r->value = leat_null();
    r->time = timer.time;
    timer.domain = sweep->domain;
    ctx->current = r;
    ctx->broadcast = false;
    return ctx->info->op->on_timer(ctx, ctx->self, &timer);
}

static void sweep_close(leat_context *ctx, leat_cursor *cursor) {
    (void)ctx;
    ((leati_sweep *)(void *)cursor)->open = false;
}

/* INT64_MAX when there is none. */
static int64_t first_timer(const leat_context *ctx, leat_time_domain domain) {
    int64_t first;
    if (ctx->sweeps[domain].open || !ctx->timers[domain] || !ctx->info->op->on_timer)
        return INT64_MAX;
    return leati_timers_first(ctx->timers[domain], &first) == LEAT_OK ? first : INT64_MAX;
}

/* Also fires timers at INT64_MAX, which no other watermark than the last reaches. */
leat_status leati_sweep_open(leat_context *ctx, leat_time_domain domain, int64_t until) {
    leati_sweep *sweep = &ctx->sweeps[domain];
    if (sweep->open || !ctx->timers[domain] || !ctx->info->op->on_timer) return LEAT_OK;
    if (first_timer(ctx, domain) > until) return LEAT_OK;
    sweep->cursor.advance = sweep_advance;
    sweep->cursor.close = sweep_close;
    sweep->domain = domain;
    sweep->until = until;
    sweep->open = true;
    ctx->current = NULL;
    return leat_context_cursor(ctx, &sweep->cursor);
}

bool leati_chain_may_fire(const leati_chain *c) {
    if (c->depth) return false;
    bool end = c->signal.kind == LEATI_END || c->signal.kind == LEATI_ROUND;
    return !c->signalling || (end && c->signal_stage == LEATI_STAGE_HOOK);
}

/* Where records come key by key, timers of processing time wait for the end of their key. */
static bool goes_by_clock(const leat_context *ctx) {
    return !ctx->by_key;
}

/* Those whose end has passed fire no more. */
static int first_alive(const leati_chain *c) {
    return c->signalling && c->signal.kind == LEATI_END ? c->signal_at : 0;
}

static leat_status wake(leat_context *ctx, int64_t now) {
    const leat_operator *op = ctx->info->op;
    ctx->wake_at = INT64_MAX;
    ctx->current = NULL;
    return op->on_wake ? op->on_wake(ctx, ctx->self, now) : LEAT_OK;
}

/* A task that waits for room or is held is woken by who gives it; its timers would wake it for
   nothing. */
static bool timers_may_fire(const leati_chain *c) {
    return !c->full && !c->held && leati_chain_may_fire(c);
}

/* Hooks that do not emit need no room. */
static int64_t wake_time(const leat_context *ctx, bool timers) {
    return timers || (ctx->info->op->on_wake && !ctx->chain->signalling) ? ctx->wake_at : INT64_MAX;
}

leat_status leati_chain_fire(leati_chain *c, int64_t now) {
    leat_status status = LEAT_OK;
    bool timers = timers_may_fire(c);
    for (int i = first_alive(c); i < c->count && status >= 0; i++) {
        leat_context *ctx = c->contexts[i];
        bool sweeps = timers && goes_by_clock(ctx);
        if (wake_time(ctx, timers) <= now) status = wake(ctx, now);
        if (status >= 0 && sweeps) status = leati_sweep_open(ctx, LEAT_PROCESSING_TIME, now);
        if (status < 0) leati_chain_blame(ctx, status);
    }
    return status;
}

int64_t leati_chain_next_time(const leati_chain *c) {
    int64_t next = INT64_MAX;
    bool timers = timers_may_fire(c);
    for (int i = first_alive(c); i < c->count; i++) {
        const leat_context *ctx = c->contexts[i];
        bool sweeps = timers && goes_by_clock(ctx);
        int64_t at = wake_time(ctx, timers);
        int64_t first = sweeps ? first_timer(ctx, LEAT_PROCESSING_TIME) : INT64_MAX;
        if (at < next) next = at;
        if (first < next) next = first;
    }
    return next;
}

/* --- slots ------------------------------------------------------------------------------------ */

/* What the head got, or what its parent forwarded. */
static int64_t incoming_watermark(const leati_chain *c, const leat_context *ctx) {
    if (ctx->parent) return ctx->parent->forwarded;
    return c->signal.kind == LEATI_WATERMARK ? c->signal.value : ctx->watermark;
}

/* Timers that fire see the watermark that makes them. */
static leat_status take_watermark(leat_context *ctx) {
    int64_t watermark = incoming_watermark(ctx->chain, ctx);
    ctx->chain->news = watermark > ctx->watermark;
    if (!ctx->chain->news) return LEAT_OK;
    ctx->watermark = watermark;
    return leati_sweep_open(ctx, LEAT_EVENT_TIME, watermark);
}

static leat_status call_watermark(leat_context *ctx) {
    const leat_operator *op = ctx->info->op;
    int64_t watermark = ctx->watermark;
    if (!ctx->chain->news) return LEAT_OK;
    leat_status status = op->on_watermark ? op->on_watermark(ctx, ctx->self, &watermark) : LEAT_OK;
    bool passes = watermark > ctx->forwarded && leati_context_lets_pass(ctx, watermark);
    if (status == LEAT_OK && passes) ctx->forwarded = watermark;
    return status < 0 ? status : LEAT_OK;
}

/* The head hears every word of its gate, the others what changed before them. */
static leat_status take_idle(leat_context *ctx) {
    const leat_operator *op = ctx->info->op;
    const leati_chain *c = ctx->chain;
    leati_element_kind kind = c->signal.kind;
    bool idle = ctx->parent ? ctx->parent->idle : c->idle;
    bool told = !ctx->parent && (kind == LEATI_IDLE || kind == LEATI_ACTIVE);
    if (idle == ctx->idle_got && !told) return LEAT_OK;
    ctx->idle_got = idle;
    leat_status status = op->on_idle ? op->on_idle(ctx, ctx->self, idle) : LEAT_OK;
    if (status == LEAT_OK) ctx->idle = idle;
    return status < 0 ? status : LEAT_OK;
}

/* Once for each input: in a loop a round has told of it before the channels end. */
static leat_status tell_end(leat_context *ctx, unsigned input) {
    const leat_operator *op = ctx->info->op;
    if (ctx->ends_told & (1u << input)) return LEAT_OK;
    leat_status status = op->on_end_of_data ? op->on_end_of_data(ctx, ctx->self, input) : LEAT_OK;
    if (status == LEAT_OK) ctx->ends_told |= 1u << input;
    return status;
}

/* Only the last input's end ends what comes after the head. */
static leat_status call_end(leat_context *ctx) {
    return tell_end(ctx, ctx->parent ? 0 : (unsigned)ctx->chain->signal.value);
}

/* Will there be results without a record, a watermark or an end? */
static bool is_busy(leat_context *ctx) {
    const leat_operator *op = ctx->info->op;
    return first_timer(ctx, LEAT_PROCESSING_TIME) != INT64_MAX ||
           (op->busy && op->busy(ctx, ctx->self));
}

static leat_status call_round(leat_context *ctx) {
    leati_element *e = &ctx->chain->signal;
    leat_status status = LEAT_OK;
    if (!(ctx->info->loops >> leati_round_loop(e) & 1)) return LEAT_OK;
    if (leati_round_flags(e) & LEATI_ROUND_END)
        for (unsigned i = 0; i < ctx->info->op->inputs && status == LEAT_OK; i++)
            status = tell_end(ctx, i);
    if (is_busy(ctx)) e->value |= LEATI_ROUND_BUSY;
    return status;
}

static leat_status call_barrier(leat_context *ctx) {
    leati_chain *c = ctx->chain;
    const leat_operator *op = ctx->info->op;
    leat_status status =
        op->prepare ? op->prepare(ctx, ctx->self, leati_barrier_number(&c->signal)) : LEAT_OK;
    return status != LEAT_OK || !c->saving ? status : leati_saving_add(c->saving, ctx);
}

static leat_status call_slot(leat_context *ctx) {
    switch (ctx->chain->signal.kind) {
    case LEATI_WATERMARK: return LEAT_OK;
    case LEATI_BARRIER: return call_barrier(ctx);
    case LEATI_IDLE:
    case LEATI_ACTIVE: return LEAT_OK;
    case LEATI_END: return call_end(ctx);
    case LEATI_ROUND: return call_round(ctx);
    default: return LEAT_E_INTERNAL;
    }
}

/* An input that is not the last has ended, or a key: nobody behind the head hears of it. */
static bool stays_at_head(const leati_chain *c) {
    if (c->signal.kind == LEATI_KEY_END) return true;
    return c->signal.kind == LEATI_END && c->contexts[0]->info->op->inputs > 1 &&
           !c->contexts[0]->ended;
}

static leat_status send_to_outputs(leat_context *ctx, leati_element e) {
    leat_status status = LEAT_OK;
    for (uint32_t i = 0; i < ctx->listener_count && status >= 0; i++)
        if (ctx->listeners[i].output) status = leati_output_signal(ctx->listeners[i].output, e);
    return status;
}

static leat_status send_idle(leat_context *ctx, bool idle) {
    if (ctx->idle != idle || ctx->idle_sent == idle) return LEAT_OK;
    ctx->idle_sent = idle;
    return send_to_outputs(ctx, leati_signal(idle ? LEATI_IDLE : LEATI_ACTIVE, 0));
}

static leat_status send_watermark(leat_context *ctx) {
    if (ctx->forwarded == INT64_MIN || ctx->forwarded == ctx->sent) return LEAT_OK;
    ctx->sent = ctx->forwarded;
    ctx->idle_sent = false;
    return send_to_outputs(ctx, leati_signal(LEATI_WATERMARK, ctx->sent));
}

/* A watermark makes its sender active for who hears it, so idleness comes behind it, again. */
static leat_status send(leat_context *ctx) {
    leati_chain *c = ctx->chain;
    leat_status status = send_idle(ctx, false);
    if (status >= 0) status = send_watermark(ctx);
    if (status >= 0) status = send_idle(ctx, true);
    bool passes = c->signal.kind == LEATI_BARRIER || c->signal.kind == LEATI_END ||
                  c->signal.kind == LEATI_ROUND;
    if (status < 0 || !passes || stays_at_head(c)) return status;
    return send_to_outputs(ctx, c->signal);
}

/* --- the end of a key ------------------------------------------------------------------------- */

static leat_status call_key_end(leat_context *ctx) {
    const leat_operator *op = ctx->info->op;
    if (!op->on_end_of_key) return LEAT_OK;
    ctx->current = ctx->chain->key;
    ctx->broadcast = false;
    return op->on_end_of_key(ctx, ctx->self);
}

/* Its key group holds nothing but this key. */
static leat_status forget_key(leat_context *ctx) {
    int group = leati_key_group(ctx->chain->key->hash, ctx->info->max_parallelism);
    leat_status status = LEAT_OK;
    for (size_t i = 0; i < ctx->table_count && status >= 0; i++)
        if (leati_table_decl(ctx->tables[i])->distribution == LEAT_BY_KEY_GROUP)
            status = leati_table_forget(ctx->tables[i], group);
    ctx->watermark = INT64_MIN;
    ctx->quiet = false;
    return status;
}

/* In the stages of a signal: what was held back goes out, timers of event time fire, timers of
   processing time, the operator says what it has to, everything of the key is forgotten. As in
   Flink, timers that are set meanwhile are not taken: one that sets itself again would have no
   end. */
static leat_status step_key_end(leati_chain *c, leat_context *ctx) {
    const leat_operator *op = ctx->info->op;
    switch (c->signal_stage) {
    case LEATI_STAGE_DRAIN: return op->on_drain ? op->on_drain(ctx, ctx->self) : LEAT_OK;
    case LEATI_STAGE_TIMERS:
        ctx->watermark = INT64_MAX;
        ctx->quiet = true;
        return leati_sweep_open(ctx, LEAT_EVENT_TIME, INT64_MAX);
    case LEATI_STAGE_WATERMARK: return leati_sweep_open(ctx, LEAT_PROCESSING_TIME, INT64_MAX);
    case LEATI_STAGE_HOOK: return call_key_end(ctx);
    default: return forget_key(ctx);
    }
}

/* --- the walk --------------------------------------------------------------------------------- */

static leat_status call_watermark_and_idle(leat_context *ctx) {
    leat_status status = call_watermark(ctx);
    return status < 0 ? status : take_idle(ctx);
}

static leat_status step_stage(leati_chain *c, leat_context *ctx) {
    if (c->signal.kind == LEATI_KEY_END) return step_key_end(c, ctx);
    const leat_operator *op = ctx->info->op;
    switch (c->signal_stage) {
    case LEATI_STAGE_DRAIN: return op->on_drain ? op->on_drain(ctx, ctx->self) : LEAT_OK;
    case LEATI_STAGE_TIMERS: return take_watermark(ctx);
    case LEATI_STAGE_WATERMARK: return call_watermark_and_idle(ctx);
    case LEATI_STAGE_HOOK: return call_slot(ctx);
    default: return send(ctx);
    }
}

leat_status leati_chain_signal_step(leati_chain *c) {
    leat_context *ctx = c->contexts[c->signal_at];
    ctx->current = NULL;
    leat_status status = step_stage(c, ctx);
    if (status < 0) return leati_chain_blame(ctx, status);
    if (status == LEAT_AGAIN) return LEAT_AGAIN;
    if (c->signal_stage != LEATI_STAGE_SEND) {
        c->signal_stage++;
        return LEAT_OK;
    }
    c->signal_stage = LEATI_STAGE_DRAIN;
    if (++c->signal_at < c->count && !stays_at_head(c)) return LEAT_OK;
    c->signalling = false;
    return LEAT_DONE;
}

/* All are asked, so that their work goes on at the same time. */
static leat_status ask_all(leati_chain *c, bool commits, int64_t checkpoint) {
    leat_status all = LEAT_OK;
    for (int i = 0; i < c->count && all >= 0; i++) {
        leat_context *ctx = c->contexts[i];
        const leat_operator *op = ctx->info->op;
        ctx->current = NULL;
        leat_status (*ask)(leat_context *, void *, int64_t) = commits ? op->commit : op->prepare;
        leat_status status = ask ? ask(ctx, ctx->self, checkpoint) : LEAT_OK;
        if (status < 0) leati_chain_blame(ctx, status);
        if (status != LEAT_OK) all = status;
    }
    return all;
}

leat_status leati_chain_prepare(leati_chain *c, int64_t checkpoint) {
    return ask_all(c, false, checkpoint);
}

leat_status leati_chain_commit(leati_chain *c, int64_t checkpoint) {
    return ask_all(c, true, checkpoint);
}
