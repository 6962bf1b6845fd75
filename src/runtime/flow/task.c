/* task.c: see task.h. The order of one turn is fixed: open cursors before anything else, a signal's
   walk to its end before the next record, the records of a batch before the next element. So a
   signal never overtakes a record; what walks between the records of a batch are watermarks that an
   operator let go. */
#include "runtime/flow/task.h"

#include "runtime/base/alloc.h"
#include "runtime/base/clock.h"

#include <limits.h>

leati_task *leati_task_new(const leati_surroundings *around, leati_notice notice) {
    leati_task *t = leati_zalloc(sizeof *t);
    if (!t) return NULL;
    t->inbox = leati_inbox_new(notice);
    t->chain = t->inbox ? leati_chain_new(around, t->inbox) : NULL;
    t->flush_every = 100 * 1000000;
    t->state = LEATI_TASK_WAITING;
    t->stride = 1;
    if (t->chain) return t;
    leati_task_free(t);
    return NULL;
}

static void drop_batch(leati_task *t) {
    if (!t->batch) return;
    leati_batch_unref(t->batch);
    t->batch = NULL;
    if (t->from) leati_channel_give_back(t->from, t->from_records, t->from_bytes);
}

void leati_task_free(leati_task *t) {
    if (!t) return;
    drop_batch(t);
    if (t->inbox) leati_inbox_close(t->inbox);
    leati_by_key_free(t->by_key);
    leati_gate_free(t->gate);
    leati_rounds_free(t->rounds);
    leati_returns_free(t->returns);
    leati_chain_free(t->chain);
    leati_inbox_unref(t->inbox);
    leati_free(t);
}

/* What was on its way round comes before everything else. */
static leat_status restore_log(leati_task *t) {
    const leati_surroundings *around = &t->chain->around;
    if (!around->restore_log) return LEAT_OK;
    t->input = 1;
    return around->restore_log(around->restore_arg, t->chain->contexts[0], &t->batch);
}

leat_status leati_task_open(leati_task *t) {
    t->flushed_at = leati_clock_monotonic();
    t->saving.to = t->chain->around.saver;
    t->saving.task = t->chain->around.task;
    t->chain->saving = t->saving.to ? &t->saving : NULL;
    leat_status status = leati_chain_open(t->chain);
    return status < 0 || !t->rounds ? status : restore_log(t);
}

void leati_task_close(leati_task *t, bool failed) {
    leati_saving_fini(&t->saving);
    leati_chain_close(t->chain, failed);
    drop_batch(t);
    leati_returns_free(t->returns);
    t->returns = NULL;
    leati_by_key_close(t->by_key);
    leati_inbox_close(t->inbox);
}

/* Does it stand behind a barrier behind which nothing comes? */
static bool stands_still(const leati_task *t) {
    return LEAT_UNLIKELY(t->stopped) && t->stopped > atomic_load(&t->resumed);
}

int64_t leati_task_next_time(const leati_task *t) {
    if (stands_still(t)) return INT64_MAX;
    int64_t next = leati_chain_next_time(t->chain);
    int64_t round = t->rounds ? leati_rounds_next_time(t->rounds) : INT64_MAX;
    bool waits = t->chain->full || t->chain->held; /* whoever ends that wakes the task */
    return round < next && !waits ? round : next;
}

void leati_task_barrier(leati_task *t, int64_t checkpoint, leati_then then) {
    atomic_store(&t->barrier, checkpoint * 4 + (int)then);
    leati_inbox_wake(t->inbox);
}

void leati_task_resume(leati_task *t, int64_t checkpoint) {
    atomic_store(&t->resumed, checkpoint);
    leati_inbox_wake(t->inbox);
}

/* Barriers come in order, and so do their ends; a late one has nothing left to say. */
void leati_task_complete(leati_task *t, int64_t checkpoint) {
    int_fast64_t known = atomic_load(&t->complete);
    while (known < checkpoint && !atomic_compare_exchange_weak(&t->complete, &known, checkpoint)) {}
    leati_inbox_wake(t->inbox);
}

bool leati_task_has_committed(const leati_task *t, int64_t checkpoint) {
    return atomic_load(&t->committed) >= checkpoint;
}

static leat_status commit_complete(leati_task *t) {
    int64_t checkpoint = atomic_load_explicit(&t->complete, memory_order_relaxed);
    if (LEAT_LIKELY(atomic_load_explicit(&t->committed, memory_order_relaxed) >= checkpoint))
        return LEAT_OK;
    leat_status status = leati_chain_commit(t->chain, checkpoint);
    if (status == LEAT_OK) atomic_store(&t->committed, checkpoint);
    return status;
}

leat_status leati_task_finish(leati_task *t, bool committed) {
    leat_status status = leati_inbox_read(t->inbox);
    if (status >= 0 && committed) return commit_complete(t);
    if (status >= 0 && !t->prepared) status = leati_chain_prepare(t->chain, INT64_MAX);
    if (status != LEAT_OK) return status;
    t->prepared = true;
    return leati_chain_commit(t->chain, INT64_MAX);
}

/* --- data ------------------------------------------------------------------------------------- */

static leat_status drain_hooks(leati_chain *c) {
    leat_status status = LEAT_OK;
    for (int i = 0; c->drains && i < c->count && status >= 0; i++) {
        leat_context *ctx = c->contexts[i];
        const leat_operator *op = ctx->info->op;
        if (!op->on_drain) continue;
        ctx->current = NULL;
        status = op->on_drain(ctx, ctx->self);
        if (status < 0) leati_chain_blame(ctx, status);
    }
    return status;
}

/* Of few keys all that is kept is near, and to look ahead would cost more than it saves. */
static bool has_far_keys(const leat_context *head) {
    enum { NEAR = 4096 };
    for (size_t i = 0; i < head->table_count; i++)
        if (leati_table_count(head->tables[i]) > NEAR) return true;
    return false;
}

/* What is known to be looked for in a few records' time can be on its way from memory. */
static inline void expect_ahead(const leat_context *head, const leati_batch *batch, uint32_t at) {
    enum { NEXT = 4, SOON = 8 };
    if (at + SOON >= batch->count) return;
    const leat_record *ahead = &batch->records[at];
    for (size_t i = 0; i < head->table_count; i++)
        leati_table_expect(head->tables[i], ahead[NEXT].hash, ahead[SOON].hash);
}

/* Looks at the clock, after each record where they are slow and after many where they are fast. */
static bool look_at_clock(leati_task *t) {
    enum { STRIDE = 64, SLOW_NS = 500000, STEP_NS = 5000000 };
    int64_t now = leati_clock_monotonic();
    bool slow = now - t->looked_at > SLOW_NS;
    t->stride = slow ? 1 : t->stride < STRIDE ? 2 * t->stride : STRIDE;
    t->until_look = t->stride;
    t->looked_at = now;
    return now - t->began > STEP_NS;
}

/* Has the step taken long? Then nothing is left of its budget. */
static inline bool took_long(leati_task *t, int *budget) {
    if (LEAT_LIKELY(--t->until_look > 0) || !look_at_clock(t)) return false;
    *budget = 0;
    return true;
}

/* Records of the batch until it is exhausted, a cursor opens, an output is full, or time is up. */
static leat_status run_batch(leati_task *t, int *budget) {
    leati_chain *c = t->chain;
    leat_context *head = c->contexts[0];
    leati_batch *batch = t->batch;
    bool far = has_far_keys(head);
    while (t->at < batch->count) {
        const leat_record *record = &batch->records[t->at++];
        if (far) expect_ahead(head, batch, t->at);
        --*budget;
        head->current = record;
        leat_status status = head->on_record(head, head->self, t->input, record);
        if (LEAT_UNLIKELY(status < 0)) return leati_chain_blame(head, status);
        if (LEAT_UNLIKELY(c->depth)) return LEAT_OK;
        leati_arena_reset(&c->arena);
        if (LEAT_UNLIKELY(c->full | c->held | c->dirty_watermark)) return LEAT_OK;
        if (LEAT_UNLIKELY(took_long(t, budget)) && t->at < batch->count) return LEAT_OK;
    }
    head->current = NULL;
    drop_batch(t);
    return drain_hooks(c);
}

static leat_status take_data(leati_task *t, leati_element *e) {
    leat_context *head = t->chain->contexts[0];
    if (LEAT_UNLIKELY(t->ends && t->rounds)) { /* see rounds.c: there is none */
        leati_element_drop(e);
        return leat_context_fail(head, LEAT_E_INTERNAL,
                                 "a record came back after the loop's end; please report this");
    }
    leat_status status = leati_element_open(e, leati_context_domain(head), &t->batch,
                                            &t->from_records, &t->from_bytes);
    t->at = 0;
    if (status < 0) return leat_context_fail(head, status, "a frame of records is damaged");
    if (LEAT_LIKELY(!t->saving.logs) || !leati_gate_is_logged(t->gate, t->from)) return LEAT_OK;
    return leati_saving_log(&t->saving, t->batch, head->info->input_types[1]);
}

/* --- sources ---------------------------------------------------------------------------------- */

static leat_status end_source(leati_task *t) {
    t->source_done = true;
    leati_chain_signal(t->chain, leati_signal(LEATI_WATERMARK, INT64_MAX));
    return LEAT_OK;
}

static leat_status send_end(leati_task *t) {
    leati_chain_signal(t->chain, leati_signal(LEATI_END, 0));
    return LEAT_OK;
}

static leat_status enter_barrier(leati_task *t, leati_element barrier) {
    leati_chain_signal(t->chain, barrier);
    if (!t->chain->saving) return LEAT_OK;
    return leati_saving_begin(&t->saving, leati_barrier_number(&barrier));
}

static leat_status poll_source(leati_task *t) {
    leati_chain *c = t->chain;
    leat_context *ctx = c->contexts[0];
    ctx->current = NULL;
    leat_status status = ctx->info->op->poll(ctx, ctx->self, leat_context_emitter(ctx));
    if (LEAT_UNLIKELY(status < 0)) return leati_chain_blame(ctx, status);
    if (!c->depth) leati_arena_reset(&c->arena);
    return status == LEAT_DONE ? end_source(t) : status;
}

/* Polls as long as nothing else is to be done; most sources come back here for every record. */
static leat_status run_source(leati_task *t, int *budget, int most) {
    leati_chain *c = t->chain;
    leat_status status = LEAT_OK;
    while (most-- > 0 && *budget > 0 && status == LEAT_OK && !c->depth && !c->signalling &&
           !c->full && !c->held && !c->dirty_watermark) {
        --*budget;
        status = poll_source(t);
        took_long(t, budget);
    }
    return status;
}

/* Is the source where it could go on? */
static leat_status ask_source(leati_task *t, int_fast64_t barrier) {
    leat_context *head = t->chain->contexts[0];
    const leat_operator *op = head->info->op;
    if (!op->on_barrier || t->source_done) return LEAT_OK;
    head->current = NULL;
    leat_status status = op->on_barrier(head, head->self, barrier);
    return status < 0 ? leati_chain_blame(head, status) : status;
}

/* LEAT_AGAIN: the source is not where it could go on. A barrier that came meanwhile stays. */
static leat_status insert_barrier(leati_task *t, int_fast64_t barrier) {
    leati_then then = (leati_then)(barrier & 3);
    int64_t checkpoint = barrier >> 2;
    bool ends = then == LEATI_THEN_END;
    leat_status status = ends ? LEAT_OK : ask_source(t, checkpoint);
    if (status != LEAT_OK) return status < 0 ? status : LEAT_AGAIN;
    atomic_compare_exchange_strong(&t->barrier, &barrier, 0);
    if (ends) return t->source_done ? LEAT_OK : end_source(t);
    if (then == LEATI_THEN_STOP) checkpoint = -checkpoint;
    return enter_barrier(t, leati_signal(LEATI_BARRIER, checkpoint));
}

static leat_status next_of_source(leati_task *t, int *budget) {
    int_fast64_t barrier = atomic_load_explicit(&t->barrier, memory_order_relaxed);
    if (LEAT_UNLIKELY(barrier)) {
        leat_status status = insert_barrier(t, barrier);
        if (status != LEAT_AGAIN) return status;
        if (!t->source_done) return run_source(t, budget, 1);
    }
    if (!t->source_done) return run_source(t, budget, INT_MAX);
    return t->ends ? LEAT_DONE : send_end(t);
}

/* --- one turn --------------------------------------------------------------------------------- */

static leat_status enter_signal(leati_task *t, leati_element e) {
    leat_context *head = t->chain->contexts[0];
    if (e.kind == LEATI_BARRIER) return enter_barrier(t, e);
    if (e.kind == LEATI_END && t->ends + 1 >= (int)head->info->op->inputs) head->ended = true;
    leati_chain_signal(t->chain, e);
    return LEAT_OK;
}

/* What the head of a loop does before and behind the gate: some signals are kept from the chain,
   and others come to it from here. */
static leat_status next_of_loop(leati_task *t, leati_element *e) {
    leati_gate_expect(t->gate, atomic_load_explicit(&t->barrier, memory_order_relaxed) / 4);
    for (;;) {
        leat_status status = leati_rounds_next(t->rounds, t->gate, t->ends > 0, e);
        if (status != LEAT_AGAIN) return status;
        if (LEAT_UNLIKELY(!leati_returns_empty(t->returns))) {
            status = leati_returns_next(t->returns, e, &t->input, &t->from);
            if (status == LEAT_AGAIN) return status;
        } else {
            status = leati_gate_next(t->gate, e, &t->input, &t->from);
            if (status == LEAT_AGAIN) return leati_rounds_idle(t->rounds, e);
        }
        bool data = e->kind == LEATI_BATCH || e->kind == LEATI_FRAME;
        if (status != LEAT_OK || data) return status;
        status = leati_rounds_take(t->rounds, t->gate, e);
        if (status != LEAT_OK) return status == LEAT_AGAIN ? LEAT_OK : status;
    }
}

static leat_status take_element(leati_task *t, leati_element *e) {
    if (t->rounds) return next_of_loop(t, e);
    if (t->by_key) return leati_by_key_next(t->by_key, t->gate, e, &t->input, &t->from);
    return leati_gate_next(t->gate, e, &t->input, &t->from);
}

/* Whose channel failed, that says why. */
static leat_status blame_channel(const leati_task *t, leat_status status) {
    const char *why = status < 0 && t->from ? leati_channel_failure(t->from) : NULL;
    return why ? leat_context_fail(t->chain->contexts[0], status, "%s", why) : status;
}

static leat_status next_element(leati_task *t, int *budget) {
    leati_element e;
    t->chain->contexts[0]->current = NULL;
    if (!t->gate) return next_of_source(t, budget);
    leat_status status = blame_channel(t, take_element(t, &e));
    if (status != LEAT_OK || e.kind == LEATI_NOTHING) return status;
    if (e.kind == LEATI_BATCH || e.kind == LEATI_FRAME) return take_data(t, &e);
    return enter_signal(t, e);
}

/* The head is not ready to end: what it delivers meanwhile, watermarks included, goes its way as
   before. */
static void let_end_wait(leati_task *t) {
    leati_chain *c = t->chain;
    if ((c->signal.kind != LEATI_END && c->signal.kind != LEATI_ROUND) || c->signal_at) return;
    c->signalling = false;
    t->end = c->signal;
    t->end_waits = true;
}

/* Behind the last end come barriers, which do not wait for it. */
static leat_status end_again(leati_task *t) {
    leati_element e;
    leat_status status = LEAT_AGAIN;
    if (t->gate && t->chain->contexts[0]->ended && !t->rounds)
        status = leati_gate_next(t->gate, &e, &t->input, &t->from);
    if (status < 0) return status;
    if (status == LEAT_OK) return enter_signal(t, e);
    t->end_waits = false;
    leati_chain_signal(t->chain, t->end);
    return LEAT_OK;
}

/* Letters waited for it. */
static leat_status leave_barrier(leati_task *t) {
    const leati_element *barrier = &t->chain->signal;
    if (leati_barrier_stops(barrier)) t->stopped = leati_barrier_number(barrier);
    if (t->chain->saving) leati_saving_seal(&t->saving, t->gate && leati_gate_logs(t->gate));
    return leati_inbox_read(t->inbox);
}

static leat_status step_signal(leati_task *t) {
    leati_chain *c = t->chain;
    leat_status status = leati_chain_signal_step(c);
    if (status == LEAT_AGAIN) let_end_wait(t);
    bool passed = status == LEAT_DONE, barrier = passed && c->signal.kind == LEATI_BARRIER;
    if (passed && c->signal.kind == LEATI_END) t->ends++;
    if (!c->depth) leati_arena_reset(&c->arena);
    if (barrier) return leave_barrier(t);
    return passed ? LEAT_OK : status;
}

/* A watermark that an operator held back goes to those behind it: a walk that is new to them
   only. */
static void forward_held_watermark(leati_chain *c) {
    c->dirty_watermark = false;
    leati_chain_signal(c, leati_signal(LEATI_WATERMARK, c->contexts[0]->watermark));
}

/* The head's own results. */
static leat_status poll_head(leati_task *t, int *budget) {
    leati_chain *c = t->chain;
    leat_context *head = c->contexts[0];
    head->current = NULL;
    leat_status status = head->info->op->poll(head, head->self, leat_context_emitter(head));
    if (status < 0) return leati_chain_blame(head, status);
    head->current = NULL;
    if (!c->depth) leati_arena_reset(&c->arena);
    if (status != LEAT_OK) c->polls = false;
    took_long(t, budget);
    return LEAT_OK;
}

static leat_status turn(leati_task *t, int *budget) {
    leati_chain *c = t->chain;
    --*budget;
    if (c->depth) {
        leat_status status = leati_chain_advance(c);
        took_long(t, budget);
        if (!c->depth && !t->batch && !c->signalling) leati_arena_reset(&c->arena);
        return status;
    }
    if (c->signalling) return step_signal(t);
    if (c->dirty_watermark) {
        forward_held_watermark(c);
        return LEAT_OK;
    }
    if (c->polls) return poll_head(t, budget);
    if (t->end_waits) return end_again(t);
    if (!t->batch) return next_element(t, budget);
    c->pinned = true;
    uint32_t before = t->at;
    leat_status status = run_batch(t, budget);
    leati_count_up(&c->contexts[0]->records, t->at - before);
    c->pinned = false;
    return status;
}

/* Timers of processing time and wake-ups that are due; looked at once per step, also between two
   records of a batch. */
static leat_status fire(leati_chain *c) {
    int64_t next = leati_chain_next_time(c);
    if (next == INT64_MAX) return LEAT_OK;
    int64_t now = leati_clock_now();
    return next > now ? LEAT_OK : leati_chain_fire(c, now);
}

/* May it go on, as far as others are concerned? Full outputs were flushed, so that they can get
   room. */
static bool blocked(leati_task *t) {
    leati_chain *c = t->chain;
    if (c->full) leati_chain_has_room(c);
    if (c->full || !c->held) return c->full;
    if (c->depth) return true;
    bool by_head = c->held == 1 && c->contexts[0]->held; /* which may deliver all the same */
    return !c->signalling && !(by_head && (c->polls || c->dirty_watermark));
}

/* Did somebody wake the head, so that it is to be polled? */
static bool hears_wake(leati_chain *c) {
    leat_mailbox *mailbox = c->contexts[0]->mailbox;
    if (!mailbox || !leati_mailbox_was_woken(mailbox)) return false;
    return c->polls = leati_context_polls(c->contexts[0]);
}

/* Behind a barrier that stops, nothing is done but what belongs to its snapshot. Answers with
   nothing left of the budget when there may be more. */
static leat_status stand_still(leati_task *t, int *budget) {
    leat_status status = LEAT_OK;
    while (t->saving.logs && status == LEAT_OK && *budget > 0) {
        --*budget;
        status =
            leati_returns_keep(t->returns, t->gate, &t->saving, t->chain->contexts[0], &t->from);
    }
    return blame_channel(t, status);
}

static leat_status go(leati_task *t, int budget, bool *waits) {
    leati_chain *c = t->chain;
    leat_status status = leati_inbox_read(t->inbox);
    hears_wake(c);
    if (c->full) leati_chain_has_room(c);
    if (status >= 0) status = commit_complete(t);
    if (status >= 0 && !stands_still(t)) status = fire(c);
    bool idle =
        false; /* nothing came when it was asked; what was left behind still goes on its way */
    *waits = false;
    while (status >= 0 && budget > 0) {
        if (LEAT_UNLIKELY(c->full | c->held) && blocked(t)) *waits = true;
        if (idle && !c->depth && !c->signalling && !c->dirty_watermark && !c->polls) *waits = true;
        if (stands_still(t)) {
            status = stand_still(t, &budget);
            *waits = budget > 0;
            break;
        }
        if (*waits && !hears_wake(c)) break;
        *waits = false;
        status = turn(t, &budget);
        if (status == LEAT_DONE) return LEAT_DONE;
        if (status == LEAT_AGAIN && !c->depth) {
            idle = !c->signalling; /* what a barrier waits in has been drained */
            if (idle || c->signal.kind != LEATI_BARRIER) status = drain_hooks(c);
            *waits = !idle && !c->depth;
        }
    }
    return status;
}

static leat_status flush_if_due(leati_task *t, bool waits) {
    if (!waits && t->flush_every < 0) return LEAT_OK;
    int64_t now = leati_clock_monotonic();
    if (!waits && now - t->flushed_at < t->flush_every) return LEAT_OK;
    t->flushed_at = now;
    leat_status status = leati_chain_flush(t->chain);
    if (status < 0) t->chain->contexts[0]->current = NULL; /* the failure is of no record */
    return status;
}

/* As long as it works; what a quiet task tells is what it told last. */
static void refresh_metrics(leati_task *t) {
    static const int64_t EVERY = 1000000000;
    leati_chain *c = t->chain;
    if (t->began - t->refreshed_at < EVERY) return;
    t->refreshed_at = t->began;
    for (int i = 0; i < c->count; i++)
        leati_metrics_refresh(c->contexts[i], &c->contexts[i]->metrics, t->began);
}

/* What is remembered is encoded between two steps, and never for long. Answers whether more is
   left. */
static leat_status go_on_saving(leati_task *t) {
    enum { SWEEP_NS = 1000000 };
    if (LEAT_LIKELY(!t->saving.sealed)) return LEAT_DONE;
    if (t->saving.logs && !leati_gate_logs(t->gate)) leati_saving_end_log(&t->saving);
    return leati_saving_advance(&t->saving, SWEEP_NS);
}

leati_task_state leati_task_step(leati_task *t, int budget) {
    bool waits;
    t->began = t->looked_at = leati_clock_monotonic();
    t->until_look = t->stride;
    leat_status status = go(t, budget, &waits);
    bool done = status == LEAT_DONE;
    if (status >= 0) status = flush_if_due(t, waits || done);
    if (LEAT_UNLIKELY(t->chain->refreshes)) refresh_metrics(t);
    leat_status saved = status < 0 ? status : go_on_saving(t);
    if (saved < 0) status = saved;
    if (status < 0) {
        leati_chain_blame(t->chain->contexts[0], status);
        return t->state = LEATI_TASK_FAILED;
    }
    if (saved == LEAT_OK) return t->state = LEATI_TASK_READY;
    if (done) return t->state = LEATI_TASK_ENDED;
    /* A wake that came during the step has put the task back into its runner's queue. */
    return t->state = waits ? LEATI_TASK_WAITING : LEATI_TASK_READY;
}
