/* keyed_map.c: map state of an operator, under the key of the record it is working on, or without
   one: broadcast state. The maps are in the cells of tables (mapping.h). Where the state expires a
   pair's value is a pair of the time of its last use and itself, and the map knows the latest of
   these times, so that a sweep over the table's cells can tell a map that is over without looking
   into it. */
#include "runtime/data/codec.h"
#include "runtime/flow/chain.h"

/* A map state, where a call has reached it. */
typedef struct reached {
    leati_map *map;
    leati_address at;
    int64_t ttl, now; /* `now` only where it expires */
} reached;

static bool is_map(const leat_state *state) {
    leat_state_kind kind = leati_table_decl(state)->kind;
    return kind == LEAT_MAP_STATE || kind == LEAT_ORDERED_MAP_STATE;
}

/* To read it, to change what is there, or to add to it: then it is made. */
static leat_status reach(leat_context *ctx, leat_state *state, leat_namespace ns, leati_purpose why,
                         reached *out) {
    const char *what = why == LEATI_READ ? "state was read" : "state was written";
    leat_status status = leati_context_address(ctx, state, what, why != LEATI_READ, &out->at);
    if (status < 0) return status;
    if (LEAT_UNLIKELY(!is_map(state)))
        return leat_context_fail(ctx, LEAT_E_STATE, "the state '%s' is no map state",
                                 leati_table_decl(state)->name);
    out->ttl = leati_table_ttl(state)->ms;
    out->now = out->ttl ? leat_context_now(ctx) : 0;
    return leati_table_map(state, out->at.key, out->at.hash, ns, why, &out->map);
}

static leat_status need_order(leat_context *ctx, const leat_state *state) {
    if (leati_table_decl(state)->kind == LEAT_ORDERED_MAP_STATE) return LEAT_OK;
    return leat_context_fail(ctx, LEAT_E_STATE, "the state '%s' is no ordered map state",
                             leati_table_decl(state)->name);
}

static leat_status key_of(leat_context *ctx, leat_state *state, const leat_value *key,
                          leati_map_key *out) {
    leat_status status = leati_table_map_key(state, key, out);
    /* Of an object its language has said why. */
    if (status != LEAT_E_TYPE || key->kind == LEAT_OBJECT) return status;
    bool ordered = leati_table_decl(state)->kind == LEAT_ORDERED_MAP_STATE;
    return leat_context_fail(ctx, status, "a %s cannot be a key of the %smap state '%s'",
                             leat_kind_name((leat_kind)key->kind), ordered ? "ordered " : "",
                             leati_table_decl(state)->name);
}

/* A map that has lost its last pair goes. */
static leat_status drop_empty(leat_state *state, leat_namespace ns, const reached *r) {
    if (leati_map_count(r->map)) return LEAT_OK;
    return leati_table_remove(state, r->at.key, r->at.hash, ns);
}

/* --- pairs ------------------------------------------------------------------------------------ */

static bool has_expired(const reached *r, const leati_entry *e) {
    const leat_value *v = &e->content.value;
    return r->ttl && leati_value_is_timed(v) && r->now - v->as.items[0].as.i >= r->ttl;
}

/* What the user stored there. */
static leat_value shown(const reached *r, const leati_entry *e) {
    const leat_value *v = &e->content.value;
    return r->ttl && leati_value_is_timed(v) ? v->as.items[1] : *v;
}

static leat_status prolong(leat_state *state, const reached *r, leati_entry *e) {
    if (!leati_value_is_timed(&e->content.value)) return LEAT_OK;
    leat_status status = leati_table_change(state);
    if (status < 0) return status;
    ((leat_value *)(uintptr_t)e->content.value.as.items)[0] = leat_int(r->now);
    leati_map_set_latest(r->map, r->now);
    return LEAT_OK;
}

/* A pair whose time is up goes; it may be shown once more, as a copy. */
static leat_status meet_expired(leat_context *ctx, leat_state *state, leat_namespace ns,
                                const reached *r, size_t at, leat_value *out) {
    bool shows = leati_table_ttl(state)->show_expired;
    leat_value value = shown(r, leati_map_at(r->map, &at));
    leat_status status = leati_table_change(state);
    if (status >= 0) status = shows ? leati_value_copy(&value, &ctx->chain->arena, out) : LEAT_DONE;
    if (status < 0) return status;
    leati_map_remove(r->map, at);
    leat_status dropped = drop_empty(state, ns, r);
    return dropped < 0 ? dropped : status;
}

leat_status leat_map_get(leat_context *ctx, leat_state *state, leat_namespace ns,
                         const leat_value *key, leat_value *out) {
    reached r;
    leati_map_key k;
    size_t at;
    leat_status status = reach(ctx, state, ns, LEATI_READ, &r);
    if (status == LEAT_OK) status = key_of(ctx, state, key, &k);
    if (status != LEAT_OK) return status;
    leati_entry *e = leati_map_find(r.map, &k, &at);
    if (!e) return LEAT_DONE;
    if (has_expired(&r, e)) return meet_expired(ctx, state, ns, &r, at, out);
    if (r.ttl && leati_table_ttl(state)->on_read) status = prolong(state, &r, e);
    leat_value value = shown(&r, e);
    if (status >= 0) status = leati_table_lend(state, &value);
    if (status >= 0) *out = value;
    return status;
}

leat_status leat_map_contains(leat_context *ctx, leat_state *state, leat_namespace ns,
                              const leat_value *key) {
    leat_value unused;
    return leat_map_get(ctx, state, ns, key, &unused);
}

/* The entry of a key that is written; a new one goes again when the write fails. */
static leat_status entry_write(leat_context *ctx, leat_state *state, leat_namespace ns,
                               const leat_value *key, const leat_value *value, bool append) {
    reached r = {0};
    leati_map_key k;
    size_t at;
    bool is_new = false;
    leat_status status = reach(ctx, state, ns, LEATI_MAKE, &r);
    if (status < 0) return status;
    status = key_of(ctx, state, key, &k);
    leati_entry *e = status < 0 ? NULL : leati_map_made(r.map, &k, &at, &is_new);
    if (status >= 0 && !e) status = LEAT_E_NOMEM;
    if (status >= 0 && append && has_expired(&r, e)) {
        leat_value none = leat_null();
        status = leati_content_store(&e->content, &none);
    }
    leat_value items[2] = {leat_int(r.now), *value}, timed = leat_tuple(items, 2);
    if (status >= 0)
        status = append ? leati_content_append(&e->content, value, 1, r.ttl ? &r.now : NULL)
                        : leati_content_store(&e->content, r.ttl ? &timed : value);
    if (status < 0) {
        if (e && is_new) leati_map_remove(r.map, at);
        drop_empty(state, ns, &r);
        return status;
    }
    if (!r.ttl) return LEAT_OK;
    leati_map_set_latest(r.map, r.now);
    return leati_table_sweep(state, r.now, LEATI_SWEPT);
}

leat_status leat_map_put(leat_context *ctx, leat_state *state, leat_namespace ns,
                         const leat_value *key, const leat_value *value) {
    return entry_write(ctx, state, ns, key, value, false);
}

leat_status leat_map_append(leat_context *ctx, leat_state *state, leat_namespace ns,
                            const leat_value *key, const leat_value *item) {
    return entry_write(ctx, state, ns, key, item, true);
}

leat_status leat_map_remove(leat_context *ctx, leat_state *state, leat_namespace ns,
                            const leat_value *key) {
    reached r;
    leati_map_key k;
    size_t at;
    leat_status status = reach(ctx, state, ns, LEATI_CHANGE, &r);
    if (status == LEAT_OK) status = key_of(ctx, state, key, &k);
    if (status != LEAT_OK) return status < 0 ? status : LEAT_OK;
    if (!leati_map_find(r.map, &k, &at)) return LEAT_OK;
    leati_map_remove(r.map, at);
    return drop_empty(state, ns, &r);
}

leat_status leat_map_count(leat_context *ctx, leat_state *state, leat_namespace ns, size_t *count) {
    reached r;
    leat_status status = reach(ctx, state, ns, LEATI_READ, &r);
    if (status >= 0) *count = status == LEAT_OK ? leati_map_count(r.map) : 0;
    return status < 0 ? status : LEAT_OK;
}

/* --- walking ---------------------------------------------------------------------------------- */

/* A key, which nobody may change, and what is shown of its value. */
static leat_status lend_pair(leat_state *state, const reached *r, const leati_entry *e,
                             leat_map_entry *out) {
    leat_map_entry pair = {e->key, shown(r, e)};
    leat_status status = leati_table_lend(state, &pair.value);
    if (status >= 0) *out = pair;
    return status;
}

leat_status leat_map_next(leat_context *ctx, leat_state *state, leat_namespace ns, size_t *at,
                          leat_map_entry *out) {
    reached r;
    leati_entry *e;
    leat_status status = reach(ctx, state, ns, LEATI_READ, &r);
    if (status != LEAT_OK) return status;
    const leat_ttl *ttl = leati_table_ttl(state);
    while ((e = leati_map_at(r.map, at))) {
        ++*at;
        bool expired = has_expired(&r, e);
        if (expired && !ttl->show_expired) continue;
        if (ttl->on_read && !expired) status = prolong(state, &r, e);
        return status < 0 ? status : lend_pair(state, &r, e, out);
    }
    return LEAT_DONE;
}

leat_status leat_map_seek(leat_context *ctx, leat_state *state, leat_namespace ns,
                          const leat_value *key, size_t *at) {
    reached r;
    leati_map_key k;
    leat_status status = need_order(ctx, state);
    if (status >= 0) status = reach(ctx, state, ns, LEATI_READ, &r);
    if (status < 0) return status;
    bool none = status == LEAT_DONE;
    status = key_of(ctx, state, key, &k);
    if (status >= 0) *at = none ? 0 : leati_map_seek(r.map, &k);
    return status;
}

leat_status leat_map_first(leat_context *ctx, leat_state *state, leat_namespace ns,
                           leat_map_entry *out) {
    size_t at = 0;
    leat_status status = need_order(ctx, state);
    return status < 0 ? status : leat_map_next(ctx, state, ns, &at, out);
}

/* Those whose time is up go from the end until there is one that lives. */
leat_status leat_map_last(leat_context *ctx, leat_state *state, leat_namespace ns,
                          leat_map_entry *out) {
    reached r;
    size_t at = 0;
    leat_status status = need_order(ctx, state);
    if (status >= 0) status = reach(ctx, state, ns, LEATI_READ, &r);
    if (status != LEAT_OK) return status;
    leati_entry *e;
    while ((e = leati_map_last(r.map, &at)) && has_expired(&r, e)) {
        status = leati_table_change(state);
        if (status < 0) return status;
        leati_map_remove(r.map, at);
    }
    if (e) return lend_pair(state, &r, e, out);
    status = drop_empty(state, ns, &r);
    return status < 0 ? status : LEAT_DONE;
}

static bool is_before(const leati_entry *e, const leati_map_key *key) {
    int order = memcmp(e->bytes, key->bytes, e->size < key->size ? e->size : key->size);
    return order ? order < 0 : e->size < key->size;
}

leat_status leat_map_remove_range(leat_context *ctx, leat_state *state, leat_namespace ns,
                                  const leat_value *from, const leat_value *until) {
    reached r;
    leati_map_key k;
    size_t at = 0;
    leat_status status = need_order(ctx, state);
    if (status >= 0) status = reach(ctx, state, ns, LEATI_CHANGE, &r);
    bool none = status == LEAT_DONE;
    if (status >= 0 && from) status = key_of(ctx, state, from, &k);
    if (status >= 0 && from && !none) at = leati_map_seek(r.map, &k);
    if (status >= 0 && until) status = key_of(ctx, state, until, &k);
    if (status < 0 || none) return status < 0 ? status : LEAT_OK;
    leati_entry *e;
    while ((e = leati_map_at(r.map, &at)) && (!until || is_before(e, &k)))
        leati_map_remove(r.map, at);
    return drop_empty(state, ns, &r);
}
