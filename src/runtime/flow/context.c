/* context.c: what operator.h offers to hooks about themselves, their memory and their time. */
#include "runtime/base/clock.h"
#include "runtime/flow/chain.h"
#include "runtime/flow/inbox.h"

void *leat_context_alloc(leat_context *ctx, size_t bytes) {
    return leati_arena_alloc(&ctx->chain->arena, bytes);
}

void leat_context_resume(leat_context *ctx, const leat_record *record) {
    ctx->current = record;
}

leat_status leat_context_keep(leat_context *ctx, const leat_value *object) {
    return leati_arena_keep(&ctx->chain->arena, object);
}

void *leati_context_arena(leat_context *ctx) {
    return &ctx->chain->arena;
}

uint16_t leati_context_domain(const leat_context *ctx) {
    const leati_bridge *bridge = ctx->chain->around.bridge;
    return bridge ? bridge->domain : 0;
}

const char *leat_context_name(const leat_context *ctx) {
    return ctx->info->name;
}

int leat_context_subtask(const leat_context *ctx) {
    return ctx->subtask;
}

int leat_context_parallelism(const leat_context *ctx) {
    return ctx->info->parallelism;
}

int leat_context_max_parallelism(const leat_context *ctx) {
    return ctx->info->max_parallelism;
}

int leat_context_attempt(const leat_context *ctx) {
    return ctx->chain->around.attempt;
}

int leat_context_targets(const leat_context *ctx) {
    return ctx->targets;
}

const leat_type *leat_context_output_type(const leat_context *ctx) {
    return ctx->info->output_type;
}

const leat_type *leat_context_input_type(const leat_context *ctx, unsigned input) {
    return input < 2 ? ctx->info->input_types[input] : NULL;
}

const leat_type *leat_context_key_type(const leat_context *ctx) {
    return ctx->info->key_type;
}

const char *leat_context_config(const leat_context *ctx, const char *key) {
    const leati_surroundings *around = &ctx->chain->around;
    return around->config ? around->config(around->arg, key) : NULL;
}

int64_t leat_context_config_ms(const leat_context *ctx, const char *key, int64_t fallback) {
    const leati_surroundings *around = &ctx->chain->around;
    return around->config_ms ? around->config_ms(around->arg, key) : fallback;
}

/* --- time ------------------------------------------------------------------------------------- */

int64_t leat_context_watermark(const leat_context *ctx) {
    return ctx->watermark;
}

int64_t leat_context_now(const leat_context *ctx) {
    (void)ctx;
    return leati_clock_now();
}

bool leat_context_is_keyed(const leat_context *ctx) {
    return ctx->keyed;
}

bool leat_context_is_by_key(const leat_context *ctx) {
    return ctx->by_key;
}

bool leat_context_has_key(const leat_context *ctx) {
    return ctx->keyed && ctx->current && !ctx->broadcast;
}

unsigned leat_context_input(const leat_context *ctx) {
    return ctx->input;
}

void leat_context_set_input(leat_context *ctx, unsigned input) {
    ctx->input = input;
}

bool leat_context_is_broadcast(const leat_context *ctx) {
    return ctx->broadcast && ctx->current;
}

const leat_value *leat_context_key(const leat_context *ctx) {
    static const leat_value none;
    return ctx->current ? &ctx->current->key : &none;
}

int64_t leat_context_time(const leat_context *ctx) {
    return ctx->current ? ctx->current->time : LEAT_NO_TIME;
}

void leat_context_set_time(leat_context *ctx, int64_t time) {
    if (!ctx->current) return;
    ctx->retimed = *ctx->current;
    ctx->retimed.time = time;
    ctx->current = &ctx->retimed;
}

void leat_context_set_times(leat_context *ctx, int64_t first, int64_t second) {
    ctx->pair_times[0] = first;
    ctx->pair_times[1] = second;
    leat_context_set_time(ctx, first > second ? first : second);
}

void leat_context_times(const leat_context *ctx, int64_t *first, int64_t *second) {
    *first = ctx->pair_times[0];
    *second = ctx->pair_times[1];
}

const leat_record *leat_context_record(const leat_context *ctx) {
    return ctx->current;
}

leat_status leat_context_forward_watermark(leat_context *ctx, int64_t watermark) {
    if (watermark <= ctx->forwarded || !leati_context_lets_pass(ctx, watermark)) return LEAT_OK;
    ctx->forwarded = watermark;
    ctx->chain->dirty_watermark = true;
    return LEAT_OK;
}

void leat_context_set_idle(leat_context *ctx, bool idle) {
    if (ctx->idle == idle) return;
    ctx->idle = idle;
    ctx->chain->dirty_watermark = true;
}

/* --- being asked again, holding --------------------------------------------------------------- */

void leat_context_wake(leat_context *ctx) {
    if (leati_context_polls(ctx)) ctx->chain->polls = true;
    leati_inbox_wake(ctx->chain->inbox);
}

void leat_context_wake_at(leat_context *ctx, int64_t time) {
    ctx->wake_at = time;
}

void leat_context_hold(leat_context *ctx) {
    if (ctx->held) return;
    ctx->held = true;
    ctx->chain->held++;
}

void leat_context_release(leat_context *ctx) {
    if (!ctx->held) return;
    ctx->held = false;
    ctx->chain->held--;
    leati_inbox_wake(ctx->chain->inbox);
}

/* --- mail ------------------------------------------------------------------------------------- */

leat_mailbox *leat_context_mailbox(leat_context *ctx) {
    if (!ctx->mailbox) ctx->mailbox = leati_mailbox_new(ctx->chain->inbox, ctx);
    if (ctx->mailbox) leati_mailbox_ref(ctx->mailbox);
    return ctx->mailbox;
}
