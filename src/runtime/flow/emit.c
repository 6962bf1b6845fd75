/* emit.c: the way of a record from one operator to the next, and the stack of open cursors.

   The common cases, one listener in the same chain or one output, are a single call. Everything
   else goes through leati_emit_slow. A context that has an open cursor gets `leati_drain_first` as
   its hook, so that order holds without a test on the hot path. */
#include "runtime/base/alloc.h"
#include "runtime/data/codec.h"
#include "runtime/data/copy.h"
#include "runtime/flow/chain.h"
#include "runtime/flow/output.h"

static inline leat_status hand_over(leat_context *child, const leat_record *record) {
    child->current = record;
    leati_count_up(&child->records, 1);
    leat_status status = child->on_record(child, child->self, 0, record);
    if (LEAT_UNLIKELY(status < 0)) return leati_chain_blame(child, status);
    return LEAT_OK;
}

static inline leat_status write_out(leat_context *ctx, leati_output *out,
                                    const leat_record *record) {
    leat_status status = leati_output_write(out, record);
    return LEAT_LIKELY(status >= 0) ? status : leati_chain_blame(ctx, status);
}

leat_status leat_emit(leat_context *ctx, const leat_record *record) {
    leat_context *next = ctx->next;
    if (LEAT_LIKELY(next != NULL)) return hand_over(next, record);
    if (LEAT_LIKELY(ctx->out != NULL)) return write_out(ctx, ctx->out, record);
    return leati_emit_slow(ctx, NULL, record);
}

static bool hears(const leati_listener *l, const char *tag) {
    return tag ? l->tag && strcmp(l->tag, tag) == 0 : !l->tag;
}

/* Gives a branch of a fork its own copy, for it may change what it got. */
static leat_status hand_copy(leat_context *ctx, leat_context *child, const leat_record *record) {
    leat_record copy = *record;
    leat_status status =
        leati_value_cut(&record->value, ctx->info->output_type, &ctx->chain->arena, &copy.value);
    return status < 0 ? status : hand_over(child, &copy);
}

/* Outputs copy what they take, so they come first; of the children the last one gets the
   original. */
leat_status leati_emit_slow(leat_context *ctx, const char *tag, const leat_record *record) {
    leat_context *pending = NULL;
    leat_status status = LEAT_OK;
    for (uint32_t i = 0; i < ctx->listener_count && status >= 0; i++) {
        leati_listener *l = &ctx->listeners[i];
        if (!hears(l, tag)) continue;
        if (l->output) {
            status = write_out(ctx, l->output, record);
            continue;
        }
        if (pending)
            status = ctx->chain->around.object_reuse ? hand_over(pending, record)
                                                     : hand_copy(ctx, pending, record);
        pending = l->child;
    }
    return status >= 0 && pending ? hand_over(pending, record) : status;
}

/* Is there an object in it that could be changed? */
static bool is_mutable(const leat_value *v) {
    if (v->kind == LEAT_OBJECT) return !leati_object_ops_of(v)->immutable(v->as.object);
    return !leati_kind_is_scalar(v->kind) && leati_value_extent(v).objects;
}

static leat_status emit_cut(leat_context *ctx, const leat_record *record) {
    leat_record copy = *record;
    leat_status status =
        leati_value_cut(&record->value, ctx->info->output_type, &ctx->chain->arena, &copy.value);
    return status < 0 ? status : leat_emit(ctx, &copy);
}

leat_status leat_emit_kept(leat_context *ctx, const leat_record *record) {
    if (LEAT_LIKELY(!ctx->exposes) || !is_mutable(&record->value)) return leat_emit(ctx, record);
    return emit_cut(ctx, record);
}

leat_status leat_emit_side(leat_context *ctx, const char *tag, const leat_record *record) {
    return leati_emit_slow(ctx, tag, record);
}

/* --- cursors ---------------------------------------------------------------------------------- */

/* Is a cursor of `ctx` open above those whose advance is on the call stack right now? */
static bool has_older(const leat_context *ctx) {
    const leati_chain *c = ctx->chain;
    for (uint32_t i = c->depth; i > c->advancing; i--)
        if (c->stack[i - 1]->ctx == ctx) return true;
    return false;
}

/* What earlier cursors of this context still give comes before what it does now. Memory is not
   rewound meanwhile: the hook that made us do this may have some. */
static leat_status drain_older(leat_context *ctx) {
    leati_chain *c = ctx->chain;
    leat_status status = LEAT_OK;
    const leat_record *current = ctx->current;
    c->no_rewind++;
    while (status >= 0 && has_older(ctx)) status = leati_chain_advance(c);
    c->no_rewind--;
    ctx->current = current;
    return status < 0 ? status : LEAT_OK;
}

leat_status leati_drain_first(leat_context *ctx, void *self, unsigned input,
                              const leat_record *in) {
    leat_status status = drain_older(ctx);
    return status < 0 ? status : ctx->native_hook(ctx, self, input, in);
}

/* Entries never move, for contexts point to the inputs in them. */
static leati_open_cursor *next_entry(leati_chain *c) {
    if (c->depth == c->depth_room) {
        uint32_t room = c->depth_room ? 2 * c->depth_room : 8;
        leati_open_cursor **stack = leati_resize(c->stack, room * sizeof *stack);
        if (!stack) return NULL;
        memset(stack + c->depth_room, 0, (room - c->depth_room) * sizeof *stack);
        c->stack = stack;
        c->depth_room = room;
    }
    if (!c->stack[c->depth]) c->stack[c->depth] = leati_zalloc(sizeof(leati_open_cursor));
    return c->stack[c->depth];
}

/* The input of a cursor outlives the call it came with: what the head got from a batch is pinned by
   the task, the rest is copied. */
static leat_status keep_input(leat_context *ctx, leati_open_cursor *open) {
    leati_chain *c = ctx->chain;
    open->input = ctx->current ? *ctx->current : leat_record_of(leat_null(), LEAT_NO_TIME);
    if (c->pinned && ctx->index == 0) return LEAT_OK;
    leat_status status = leati_value_copy(&open->input.value, &c->arena, &open->input.value);
    return status < 0 ? status : leati_value_copy(&open->input.key, &c->arena, &open->input.key);
}

/* Puts it on the stack; NULL, with the cursor closed and `status` why, when that failed. */
static leati_open_cursor *open_cursor(leat_context *ctx, leat_cursor *cursor, leat_status *why) {
    leati_chain *c = ctx->chain;
    leat_status status = ctx->open_cursors ? drain_older(ctx) : LEAT_OK;
    leati_open_cursor *open = status < 0 ? NULL : next_entry(c);
    if (open) {
        open->cursor = cursor;
        open->ctx = ctx;
        open->done = false;
        open->mark = leati_arena_mark_get(&c->arena);
        status = keep_input(ctx, open);
    } else if (status >= 0) {
        status = LEAT_E_NOMEM;
    }
    if (status < 0) {
        cursor->close(ctx, cursor);
        *why = status;
        return NULL;
    }
    open->item = leati_arena_mark_get(&c->arena);
    c->depth++;
    ctx->open_cursors++;
    ctx->on_record = leati_drain_first;
    return open;
}

leat_status leat_context_cursor(leat_context *ctx, leat_cursor *cursor) {
    leat_status status = LEAT_OK;
    open_cursor(ctx, cursor, &status);
    return status;
}

/* Most cursors give one item or two, and then it costs less to take them here than to come back for
   them through the task. What a task would look at between two items is looked at here: is there
   room, and is this still the innermost cursor? */
leat_status leat_emitter_cursor_last(leat_emitter *out, leat_cursor *cursor) {
    enum { AT_ONCE = 16 };
    leat_context *ctx = (leat_context *)(void *)out;
    leati_chain *c = ctx->chain;
    leat_status status = LEAT_OK;
    const leat_record *current = ctx->current;
    if (LEAT_UNLIKELY(c->no_rewind | c->full | c->held)) return leat_context_cursor(ctx, cursor);
    leati_open_cursor *open = open_cursor(ctx, cursor, &status);
    uint32_t depth = c->depth;
    for (int n = 0; open && n < AT_ONCE && c->depth == depth && !(c->full | c->held); n++) {
        status = leati_chain_advance(c);
        if (LEAT_UNLIKELY(status < 0)) break;
    }
    ctx->current = current;
    return status;
}

void leati_chain_close_top(leati_chain *c) {
    leati_open_cursor *open = c->stack[--c->depth];
    leat_context *ctx = open->ctx;
    ctx->current = &open->input;
    open->cursor->close(ctx, open->cursor);
    ctx->current = NULL;
    if (--ctx->open_cursors == 0) ctx->on_record = ctx->native_hook;
    if (!c->no_rewind) leati_arena_rewind(&c->arena, open->mark);
}

/* A cursor whose last item opened others below it is closed when they are. */
leat_status leati_chain_advance(leati_chain *c) {
    uint32_t at = c->depth - 1, advancing = c->advancing;
    leati_open_cursor *open = c->stack[at];
    leat_context *ctx = open->ctx;
    if (!open->done) {
        if (!c->no_rewind) leati_arena_rewind(&c->arena, open->item);
        ctx->current = &open->input;
        c->advancing = at + 1;
        leat_status status = open->cursor->advance(ctx, open->cursor, leat_context_emitter(ctx));
        c->advancing = advancing;
        if (status < 0) return leati_chain_blame(ctx, status);
        open->done = status == LEAT_DONE;
    }
    if (open->done && at + 1 == c->depth) leati_chain_close_top(c);
    return LEAT_OK;
}

/* --- emitters: a context, seen by user functions ---------------------------------------------- */

leat_emitter *leat_context_emitter(leat_context *ctx) {
    return (leat_emitter *)(void *)ctx;
}

leat_status leat_emitter_push_record(leat_emitter *out, const leat_record *record) {
    leat_context *ctx = (leat_context *)(void *)out;
    leati_chain *c = ctx->chain;
    leat_status status = ctx->open_cursors ? drain_older(ctx) : LEAT_OK;
    if (status < 0) return status;
    leati_arena_mark mark = leati_arena_mark_get(&c->arena);
    uint32_t depth = c->depth;
    status = leat_emit(ctx, record);
    if (c->depth == depth && !c->no_rewind) leati_arena_rewind(&c->arena, mark);
    return status;
}

leat_status leat_emitter_push(leat_emitter *out, const leat_value *value) {
    leat_context *ctx = (leat_context *)(void *)out;
    leat_record record;
    leat_record_init(&record, *value, leat_context_time(ctx));
    return leat_emitter_push_record(out, &record);
}

leat_status leat_emitter_side(leat_emitter *out, const char *tag, const leat_value *value) {
    leat_context *ctx = (leat_context *)(void *)out;
    leat_record record;
    leat_record_init(&record, *value, leat_context_time(ctx));
    leat_status status = ctx->open_cursors ? drain_older(ctx) : LEAT_OK;
    return status < 0 ? status : leati_emit_slow(ctx, tag, &record);
}

leat_status leat_emitter_cursor(leat_emitter *out, leat_cursor *cursor) {
    return leat_context_cursor((leat_context *)(void *)out, cursor);
}
