/* keyed.c: state and timers of an operator, under the key of the record it is working on.

   An operator's own tables are made with it; those of functions when their names are first asked
   for. The rows that describe the latter live in the context's arena, and their offset is no
   offset. */
#include "runtime/base/alloc.h"
#include "runtime/data/codec.h"
#include "runtime/data/key.h"
#include "runtime/flow/chain.h"

static const size_t NO_OFFSET = SIZE_MAX;

static const char *why_no_key(const leat_context *ctx) {
    if (!ctx->keyed) return "outside a keyed context; call key_by first";
    if (!ctx->current) return "while no record is being processed, so there is no key";
    return "while a record of the broadcast side is being processed, which has no key; do it on "
           "the keyed side";
}

leat_status leati_context_need_key(leat_context *ctx, const char *what) {
    if (LEAT_LIKELY(ctx->current && ctx->keyed && !ctx->broadcast)) return LEAT_OK;
    return leat_context_fail(ctx, LEAT_E_STATE, "%s %s", what, why_no_key(ctx));
}

/* Broadcast state has one cell, under null. */
leat_status leati_context_address(leat_context *ctx, const leat_state *state, const char *what,
                                  bool writes, leati_address *out) {
    static const leat_value null;
    if (LEAT_UNLIKELY(leati_table_decl(state)->distribution == LEAT_BROADCAST_STATE)) {
        if (writes && !leat_context_is_broadcast(ctx))
            return leat_context_fail(ctx, LEAT_E_STATE,
                                     "broadcast state was changed on the side that only reads it; "
                                     "change it where records of the broadcast side are processed");
        out->key = &null;
        return leati_key_hash(&null, &out->hash);
    }
    leat_status status = leati_context_need_key(ctx, what);
    if (status < 0) return status;
    *out = (leati_address){&ctx->current->key, ctx->current->hash};
    return LEAT_OK;
}

/* --- tables of functions ---------------------------------------------------------------------- */

bool leati_table_of_function(const leati_table *t) {
    return leati_table_decl(t)->offset == NO_OFFSET;
}

leati_table *leati_context_find_table(const leat_context *ctx, const char *name, bool of_function,
                                      leat_distribution distribution) {
    for (size_t i = 0; i < ctx->table_count; i++) {
        const leat_state_decl *decl = leati_table_decl(ctx->tables[i]);
        if (leati_table_of_function(ctx->tables[i]) == of_function &&
            decl->distribution == distribution && strcmp(decl->name, name) == 0)
            return ctx->tables[i];
    }
    return NULL;
}

int leati_context_groups(const leat_context *ctx, leat_distribution distribution) {
    return distribution == LEAT_BY_KEY_GROUP ? ctx->info->max_parallelism : 1;
}

static leat_status make_table(leat_context *ctx, const char *name, leat_state_kind kind,
                              leat_distribution distribution, const leat_type *type,
                              leati_table **out) {
    size_t size = strlen(name) + 1;
    leati_table **tables =
        leati_resize(ctx->tables, (ctx->table_count + 1) * sizeof(leati_table *));
    if (!tables) return LEAT_E_NOMEM;
    ctx->tables = tables;
    leat_state_decl *decl = leati_arena_alloc(&ctx->arena, sizeof *decl);
    char *copy = leati_arena_alloc(&ctx->arena, size);
    if (!decl || !copy) return LEAT_E_NOMEM;
    memcpy(copy, name, size);
    *decl = (leat_state_decl){copy, kind, distribution, NO_OFFSET};
    *out = leati_table_new(leati_context_groups(ctx, distribution), decl, type);
    if (!*out) return LEAT_E_NOMEM;
    tables[ctx->table_count++] = *out;
    return LEAT_OK;
}

const char *leati_state_kind_name(leat_state_kind kind) {
    static const char *const names[] = {"value",    "list",        "map",
                                        "reducing", "aggregating", "ordered map"};
    return (size_t)kind < sizeof names / sizeof *names ? names[kind] : "unknown";
}

static const char *type_name(const leat_type *type) {
    return type ? type->text : "any object";
}

leat_status leati_context_table(leat_context *ctx, const char *name, leat_state_kind kind,
                                leat_distribution distribution, const leat_type *type,
                                leati_table **out, leat_error *err) {
    if (type && type->tag == LEAT_T_PICKLED) type = NULL;
    leati_table *found = leati_context_find_table(ctx, name, true, distribution);
    if (!found) {
        leat_status status = make_table(ctx, name, kind, distribution, type, out);
        return status < 0 ? leat_error_set(err, status, name, "no memory for a state") : LEAT_OK;
    }
    leat_state_kind other = leati_table_decl(found)->kind;
    const leat_type *other_type = leati_table_type(found);
    if (other != kind || other_type != type)
        return leat_error_set(err, LEAT_E_STATE, ctx->info->name,
                              "the state '%s' is a %s state of %s, and was asked for as a %s state "
                              "of %s; give it another name",
                              name, leati_state_kind_name(other), type_name(other_type),
                              leati_state_kind_name(kind), type_name(type));
    *out = found;
    return LEAT_OK;
}

leat_status leat_context_state(leat_context *ctx, const char *name, leat_state_kind kind,
                               const leat_type *type, leat_state **out, leat_error *err) {
    if (!name || !*name)
        return leat_error_set(err, LEAT_E_ARGUMENT, ctx->info->name, "a state needs a name");
    if (!ctx->keyed)
        return leat_error_set(err, LEAT_E_STATE, ctx->info->name,
                              "the state '%s' was asked for outside a keyed context; call key_by "
                              "first",
                              name);
    return leati_context_table(ctx, name, kind, LEAT_BY_KEY_GROUP, type, out, err);
}

leat_status leat_context_broadcast(leat_context *ctx, const char *name, const leat_type *type,
                                   leat_state **out, leat_error *err) {
    if (!name || !*name)
        return leat_error_set(err, LEAT_E_ARGUMENT, ctx->info->name, "a state needs a name");
    if (type && type->tag != LEAT_T_MAP)
        return leat_error_set(err, LEAT_E_ARGUMENT, ctx->info->name,
                              "the broadcast state '%s' was asked for with the type %s; it is a "
                              "map: give MAP<key,value>",
                              name, type->text);
    if (!(ctx->info->op->flags & LEAT_OP_BROADCAST))
        return leat_error_set(err, LEAT_E_STATE, ctx->info->name,
                              "the broadcast state '%s' was asked for by an operator without a "
                              "broadcast input; connect the stream with a broadcast one",
                              name);
    return leati_context_table(ctx, name, LEAT_MAP_STATE, LEAT_BROADCAST_STATE, type, out, err);
}

/* --- under the current key -------------------------------------------------------------------- */

static leat_status get(leat_context *ctx, leat_state *state, leat_namespace ns, leat_value *out) {
    return leati_table_get(state, &ctx->current->key, ctx->current->hash, ns, out);
}

/* What expired is copied before its cell goes. */
static leat_status get_expiring(leat_context *ctx, leat_state *state, leat_namespace ns,
                                leat_value *out) {
    const leat_ttl *ttl = leati_table_ttl(state);
    int64_t now = leat_context_now(ctx);
    leat_value v;
    leat_status status = get(ctx, state, ns, &v);
    if (status != LEAT_OK) return status;
    bool timed = leati_value_is_timed(&v); /* others are from before the state expired */
    bool expired = timed && now - v.as.items[0].as.i >= ttl->ms;
    if (!expired) {
        if (timed && ttl->on_read) status = leati_table_touch(state, now);
        if (status >= 0) *out = timed ? v.as.items[1] : v;
        return status;
    }
    if (ttl->show_expired) {
        status = leati_value_copy(&v.as.items[1], &ctx->chain->arena, out);
        if (status < 0) return status;
    }
    status = leati_table_remove(state, &ctx->current->key, ctx->current->hash, ns);
    return status < 0 || ttl->show_expired ? status : LEAT_DONE;
}

static leat_status put_expiring(leat_context *ctx, leat_state *state, leat_namespace ns,
                                const leat_value *value) {
    int64_t now = leat_context_now(ctx);
    leat_value items[2] = {leat_int(now), *value}, timed = leat_tuple(items, 2);
    leat_status status = leati_table_put(state, &ctx->current->key, ctx->current->hash, ns, &timed);
    return status < 0 ? status : leati_table_sweep(state, now, LEATI_SWEPT);
}

leat_status leat_state_expires(leat_state *state, const leat_ttl *ttl) {
    return leati_table_set_ttl(state, ttl);
}

leat_status leat_state_get(leat_context *ctx, leat_state *state, leat_namespace ns,
                           leat_value *out) {
    leat_status status = leati_context_need_key(ctx, "state was read");
    if (status < 0) return status;
    bool expires = leati_table_ttl(state)->ms > 0;
    return LEAT_UNLIKELY(expires) ? get_expiring(ctx, state, ns, out) : get(ctx, state, ns, out);
}

leat_status leat_state_edit(leat_context *ctx, leat_state *state, leat_namespace ns,
                            leat_value *out) {
    leat_status status = leati_context_need_key(ctx, "state was written");
    if (status < 0) return status;
    if (leati_table_ttl(state)->ms > 0) return LEAT_E_STATE;
    return leati_table_edit(state, &ctx->current->key, ctx->current->hash, ns, out);
}

leat_status leat_state_put(leat_context *ctx, leat_state *state, leat_namespace ns,
                           const leat_value *value) {
    leat_status status = leati_context_need_key(ctx, "state was written");
    if (status < 0) return status;
    if (LEAT_UNLIKELY(leati_table_ttl(state)->ms > 0)) return put_expiring(ctx, state, ns, value);
    return leati_table_put(state, &ctx->current->key, ctx->current->hash, ns, value);
}

/* Where the state expires: a list whose time is up is forgotten before it is added to. */
static leat_status drop_expired(leat_context *ctx, leat_state *state, leat_namespace ns) {
    leat_value v;
    leat_status status = get(ctx, state, ns, &v);
    if (status != LEAT_OK || !leati_value_is_timed(&v)) return status;
    if (leat_context_now(ctx) - v.as.items[0].as.i < leati_table_ttl(state)->ms) return LEAT_OK;
    return leati_table_remove(state, &ctx->current->key, ctx->current->hash, ns);
}

leat_status leat_state_append(leat_context *ctx, leat_state *state, leat_namespace ns,
                              const leat_value *item) {
    leat_status status = leati_context_need_key(ctx, "state was written");
    if (status < 0) return status;
    const leat_record *at = ctx->current;
    if (LEAT_LIKELY(!leati_table_ttl(state)->ms))
        return leati_table_append(state, &at->key, at->hash, ns, item, NULL);
    int64_t now = leat_context_now(ctx);
    status = drop_expired(ctx, state, ns);
    if (status >= 0) status = leati_table_append(state, &at->key, at->hash, ns, item, &now);
    return status < 0 ? status : leati_table_sweep(state, now, LEATI_SWEPT);
}

leat_status leat_state_merge(leat_context *ctx, leat_state *state, leat_namespace into_ns,
                             leat_namespace from_ns) {
    leat_status status = leati_context_need_key(ctx, "state was written");
    if (status >= 0 && leati_table_ttl(state)->ms) {
        status = drop_expired(ctx, state, from_ns);
        if (status >= 0) status = drop_expired(ctx, state, into_ns);
    }
    if (status < 0) return status;
    return leati_table_merge(state, &ctx->current->key, ctx->current->hash, into_ns, from_ns);
}

leat_status leat_state_remove(leat_context *ctx, leat_state *state, leat_namespace ns) {
    leati_address at;
    leat_status status = leati_context_address(ctx, state, "state was removed", true, &at);
    return status < 0 ? status : leati_table_remove(state, at.key, at.hash, ns);
}

leat_status leat_timer_set(leat_context *ctx, const leat_timer *timer) {
    leat_status status = leati_context_need_key(ctx, "a timer was set");
    if (status < 0) return status;
    if (!ctx->info->op->on_timer)
        return leat_context_fail(ctx, LEAT_E_STATE,
                                 "a timer was set in an operator without on_timer");
    if (ctx->quiet) return LEAT_OK;
    leati_timers **timers = &ctx->timers[timer->domain];
    if (!*timers) *timers = leati_timers_new(ctx->info->max_parallelism);
    if (!*timers) return LEAT_E_NOMEM;
    return leati_timers_set(*timers, &ctx->current->key, ctx->current->hash, timer);
}

leat_status leat_timer_remove(leat_context *ctx, const leat_timer *timer) {
    leat_status status = leati_context_need_key(ctx, "a timer was removed");
    leati_timers *timers = ctx->timers[timer->domain];
    if (status < 0 || !timers) return status;
    return leati_timers_remove(timers, &ctx->current->key, ctx->current->hash, timer);
}
