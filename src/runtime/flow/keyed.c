/* keyed.c: state and timers of an operator, under the key of the record it is working on. */
#include "runtime/flow/chain.h"

static leat_status need_key(leat_context *ctx, const char *what) {
    if (LEAT_LIKELY(ctx->current && ctx->keyed)) return LEAT_OK;
    return leat_context_fail(ctx, LEAT_E_STATE,
                             ctx->keyed
                                 ? "%s while no record is being processed, so there is no key"
                                 : "%s outside a keyed context; call key_by first",
                             what);
}

leat_status leat_state_get(leat_context *ctx, leat_state *state, leat_namespace ns,
                           leat_value *out) {
    leat_status status = need_key(ctx, "state was read");
    if (status < 0) return status;
    return leati_table_get(state, &ctx->current->key, ctx->current->hash, ns, out);
}

leat_status leat_state_put(leat_context *ctx, leat_state *state, leat_namespace ns,
                           const leat_value *value) {
    leat_status status = need_key(ctx, "state was written");
    if (status < 0) return status;
    return leati_table_put(state, &ctx->current->key, ctx->current->hash, ns, value);
}

leat_status leat_state_remove(leat_context *ctx, leat_state *state, leat_namespace ns) {
    leat_status status = need_key(ctx, "state was removed");
    if (status < 0) return status;
    return leati_table_remove(state, &ctx->current->key, ctx->current->hash, ns);
}

leat_status leat_timer_set(leat_context *ctx, const leat_timer *timer) {
    leat_status status = need_key(ctx, "a timer was set");
    if (status < 0) return status;
    if (!ctx->info->op->on_timer)
        return leat_context_fail(ctx, LEAT_E_STATE,
                                 "a timer was set in an operator without on_timer");
    leati_timers **timers = &ctx->timers[timer->domain];
    if (!*timers) *timers = leati_timers_new(ctx->info->max_parallelism);
    if (!*timers) return LEAT_E_NOMEM;
    return leati_timers_set(*timers, &ctx->current->key, ctx->current->hash, timer);
}

leat_status leat_timer_remove(leat_context *ctx, const leat_timer *timer) {
    leat_status status = need_key(ctx, "a timer was removed");
    leati_timers *timers = ctx->timers[timer->domain];
    if (status < 0 || !timers) return status;
    return leati_timers_remove(timers, &ctx->current->key, ctx->current->hash, timer);
}
