/* restore.c: the state of an operator's former subtasks, dealt out to one of today's. With as many
   subtasks as before each gets its own; with another number key groups go to their owners, items of
   split lists round robin, those of unions to all, and of broadcast state everybody has a copy of
   somebody's. Event time is the minimum then, so that nobody's goes back. */
#include "runtime/base/alloc.h"
#include "runtime/data/codec.h"
#include "runtime/data/key.h"
#include "runtime/flow/items.h"
#include "runtime/flow/snapshot.h"

typedef struct restoring {
    leat_context *ctx;
    const leati_restored *from;
    int count;
    int old;               /* the former subtask being read, its place in `from` */
    bool rescale;          /* there were more or fewer of them */
    bool own;              /* there is only today's own */
    const leat_type *keys; /* the type that they had, if that is known */
    leati_table *table;
    leat_distribution distribution; /* of the table */
    size_t split;                   /* items of split lists so far */
    leat_snapshot items;
    leat_error err;
} restoring;

leat_status leat_snapshot_read(leat_snapshot *in, const char *name, size_t index,
                               const void **bytes, size_t *size) {
    for (size_t i = 0; i < in->count; i++) {
        const leati_item *item = &in->items[i];
        if (strcmp(item->name, name) != 0 || index--) continue;
        *bytes = item->bytes;
        *size = item->size;
        return LEAT_OK;
    }
    return LEAT_DONE;
}

static leat_status fail(const restoring *r, leat_status status) {
    return leat_context_fail(r->ctx, status, "%s: %s", r->err.where, r->err.text);
}

/* --- whose is it? ----------------------------------------------------------------------------- */

/* Is what the former subtask has one copy of, and today's wants one of, to be taken from it? */
static bool is_source(const restoring *r) {
    return r->own || r->ctx->subtask % r->count == r->old;
}

static bool takes_item(restoring *r, leat_distribution distribution) {
    switch (distribution) {
    case LEAT_SPLIT_LIST:
        if (!r->rescale) return is_source(r);
        return (int)(r->split++ % (size_t)r->ctx->info->parallelism) == r->ctx->subtask;
    case LEAT_BROADCAST_STATE: return is_source(r);
    default: return true;
    }
}

static bool owns_group(const restoring *r, int group) {
    const leati_op_info *info = r->ctx->info;
    int owner = leati_key_group_owner(group, info->parallelism, info->max_parallelism);
    return r->own || owner == r->ctx->subtask;
}

static bool takes_cells(const restoring *r, int group) {
    if (!r->table) return false;
    return r->distribution == LEAT_BY_KEY_GROUP ? owns_group(r, group) : is_source(r);
}

/* --- taking ----------------------------------------------------------------------------------- */

static leat_status take_item(restoring *r, const leati_row *e, const void *bytes, size_t size) {
    leat_snapshot *s = &r->items;
    if (s->count == s->room) {
        size_t room = 2 * s->room + 8;
        leati_item *items = leati_resize(s->items, room * sizeof *items);
        if (!items) return LEAT_E_NOMEM;
        s->items = items;
        s->room = room;
    }
    leati_item item = {e->name, leati_memdup(size ? bytes : "", size ? size : 1), size};
    if (!item.bytes) return LEAT_E_NOMEM;
    s->items[s->count++] = item;
    return LEAT_OK;
}

static const char *type_words(const leat_type *type) {
    return type && type->tag != LEAT_T_PICKLED ? type->text : "any object";
}

/* Of an operator's own table the type may not be known, now or then. */
static leat_status check_table(const restoring *r, const leati_table *t, const leati_row *e,
                               const leat_type *type) {
    leat_state_kind kind = leati_table_decl(t)->kind;
    const leat_type *keeps = leati_table_keeps(t);
    const char *then = type_words(type), *now = type_words(keeps);
    bool known = e->of_function || (type && keeps);
    if (kind == e->state && (!known || strcmp(then, now) == 0)) return LEAT_OK;
    return leat_context_fail(r->ctx, LEAT_E_STATE,
                             "the state '%s' was a %s state of %s when the snapshot was made, and "
                             "is a %s state of %s now; give it another name, or the operator "
                             "another uid",
                             e->name, leati_state_kind_name(e->state), then,
                             leati_state_kind_name(kind), now);
}

static const char *expiry_words(bool expires) {
    return expires ? "expired" : "did not expire";
}

/* Values that expire have their times beside them, others have none. */
static leat_status check_expiry(const restoring *r, const leati_table *t, const leati_row *e) {
    bool then = e->expiry == LEATI_EXPIRES, now = leati_table_ttl(t)->ms > 0;
    if (e->expiry == LEATI_EXPIRY_UNKNOWN || then == now) return LEAT_OK;
    return leat_context_fail(r->ctx, LEAT_E_STATE,
                             "the state '%s' %s when the snapshot was made (time to live), and "
                             "%s now; give it another name, or the operator another uid",
                             e->name, expiry_words(then), now ? "does" : "does not");
}

/* One of a function is made, which may ask for it later. */
static leat_status take_table(restoring *r, const leati_row *e) {
    leat_context *ctx = r->ctx;
    const leat_type *type = *e->text ? leat_type_parse(e->text, &r->err) : NULL;
    if (*e->text && !type) return fail(r, LEAT_E_FORMAT);
    r->distribution = e->distribution;
    r->table = leati_context_find_table(ctx, e->name, e->of_function, e->distribution);
    if (r->table) {
        leat_status status = check_table(r, r->table, e, type);
        return status < 0 ? status : check_expiry(r, r->table, e);
    }
    if (e->of_function) {
        leat_status status =
            leati_context_table(ctx, e->name, e->state, e->distribution, type, &r->table, &r->err);
        if (status < 0) return fail(r, status);
        if (e->expiry) leati_table_foresee_ttl(r->table, e->expiry == LEATI_EXPIRES);
        return LEAT_OK;
    }
    return leat_context_fail(ctx, LEAT_E_STATE,
                             "the snapshot has state '%s', which this operator does not have; give "
                             "it another uid, or start without the snapshot",
                             e->name);
}

static leat_status read_section(restoring *r, const leati_row *e, const void **bytes,
                                size_t *size) {
    leat_status status = leati_store_read(r->from[r->old].store, e, bytes, size, &r->err);
    return status < 0 ? fail(r, status) : status;
}

static leat_status damaged(const restoring *r, leat_status status) {
    if (status != LEAT_E_FORMAT) return status;
    return leat_context_fail(r->ctx, status, "its state in the snapshot cannot be read");
}

/* What is under keys that never come again would be lost without a word. */
static leat_status check_keys(const restoring *r) {
    const leat_type *now = r->ctx->info->key_type;
    if (leati_key_types_meet(r->keys, now)) return LEAT_OK;
    return leat_context_fail(r->ctx, LEAT_E_STATE,
                             "its keys were of type %s when the snapshot was made, and are of "
                             "type %s now; give the operator another uid",
                             r->keys->text, now->text);
}

static leat_status take_cells(restoring *r, const leati_row *e) {
    const void *bytes;
    size_t size;
    leat_status status =
        r->distribution == LEAT_BY_KEY_GROUP && r->ctx->keyed ? check_keys(r) : LEAT_OK;
    if (status >= 0) status = read_section(r, e, &bytes, &size);
    if (status < 0) return status;
    leati_reader in = leati_reader_of(bytes, size);
    return damaged(r, leati_table_restore(r->table, &in, leati_context_domain(r->ctx)));
}

static leat_status take_timers(restoring *r, const leati_row *e) {
    const void *bytes;
    size_t size;
    leati_timers **timers = &r->ctx->timers[e->domain];
    if (!*timers) *timers = leati_timers_new(r->ctx->info->max_parallelism);
    if (!*timers) return LEAT_E_NOMEM;
    leat_status status = check_keys(r);
    if (status >= 0) status = read_section(r, e, &bytes, &size);
    if (status < 0) return status;
    leati_reader in = leati_reader_of(bytes, size);
    return damaged(r, leati_timers_restore(*timers, &in, leati_context_domain(r->ctx)));
}

static leat_status take_own(restoring *r, const leati_row *e) {
    const void *bytes;
    size_t size;
    if (!takes_item(r, e->distribution)) return LEAT_OK;
    leat_status status = read_section(r, e, &bytes, &size);
    return status < 0 ? status : take_item(r, e, bytes, size);
}

static leat_status take_entry(restoring *r, const leati_row *e) {
    switch (e->kind) {
    case LEATI_ROW_TABLE: return take_table(r, e);
    case LEATI_ROW_CELLS: return takes_cells(r, e->group) ? take_cells(r, e) : LEAT_OK;
    case LEATI_ROW_TIMERS: return owns_group(r, e->group) ? take_timers(r, e) : LEAT_OK;
    case LEATI_ROW_ITEM: return take_own(r, e);
    default: return LEAT_OK; /* a log: below */
    }
}

/* --- the whole -------------------------------------------------------------------------------- */

static leat_status check_groups(restoring *r, const leati_row *e) {
    const leati_op_info *info = r->ctx->info;
    if (e->max_parallelism == info->max_parallelism) return LEAT_OK;
    return leat_context_fail(r->ctx, LEAT_E_STATE,
                             "the snapshot was made with a maximum parallelism of %d, and now it "
                             "is %d; set pipeline.max-parallelism, or the operator's, to %d",
                             e->max_parallelism, info->max_parallelism, e->max_parallelism);
}

/* What the engine knows of the operator. An end that not all have heard of is told again. */
static void take_facts(restoring *r, const leati_row *e) {
    leat_context *ctx = r->ctx;
    if (!r->rescale && !is_source(r)) return;
    bool first = !r->rescale || r->old == 0;
    if (first || e->watermark < ctx->watermark) ctx->watermark = e->watermark;
    if (first || e->forwarded < ctx->forwarded) ctx->forwarded = e->forwarded;
    ctx->ends_told = first ? e->ends : ctx->ends_told & e->ends;
}

static leat_status take_former(restoring *r) {
    const leati_restored *from = &r->from[r->old];
    const leati_row *all, *e = from->row;
    size_t rows = leati_store_rows(from->store, &all);
    const leati_row *end = all + rows;
    leat_status status = check_groups(r, e);
    r->keys = *e->keys ? leat_type_parse(e->keys, &r->err) : NULL;
    if (status >= 0 && *e->keys && !r->keys) status = fail(r, LEAT_E_FORMAT);
    if (status >= 0) take_facts(r, e);
    for (e++; e < end && e->kind != LEATI_ROW_OPERATOR && status >= 0; e++)
        status = take_entry(r, e);
    return status;
}

static leat_status give_items(restoring *r) {
    const leat_operator *op = r->ctx->info->op;
    return op->restore ? op->restore(r->ctx, r->ctx->self, &r->items) : LEAT_OK;
}

static leat_status restore(restoring *r) {
    leat_status status = LEAT_OK;
    for (; r->old < r->count && status >= 0; r->old++) status = take_former(r);
    if (status >= 0) status = give_items(r);
    for (size_t i = 0; i < r->items.count; i++) leati_free(r->items.items[i].bytes);
    leati_free(r->items.items);
    return status;
}

leat_status leati_context_restore(leat_context *ctx, const leati_restored *from, int count) {
    restoring r = {.ctx = ctx, .from = from, .count = count};
    r.rescale = count != ctx->info->parallelism;
    return restore(&r);
}

/* --- logs ------------------------------------------------------------------------------------- */

typedef struct log_reading {
    restoring r;
    leat_record *records;
    size_t count, room, seen;
    leati_arena arena;
} log_reading;

/* With keys they go where their keys are, others round robin. */
static bool takes_record(log_reading *l, const leat_record *record) {
    const leati_op_info *info = l->r.ctx->info;
    size_t number = l->seen++;
    if (!l->r.rescale) return is_source(&l->r);
    if (record->key.kind == LEAT_NULL)
        return (int)(number % (size_t)info->parallelism) == l->r.ctx->subtask;
    return owns_group(&l->r, leati_key_group(record->hash, info->max_parallelism));
}

static leat_status add_record(log_reading *l, const leat_record *record) {
    if (l->count == l->room) {
        size_t room = 2 * l->room + 64;
        leat_record *records = leati_resize(l->records, room * sizeof *records);
        if (!records) return LEAT_E_NOMEM;
        l->records = records;
        l->room = room;
    }
    l->records[l->count++] = *record;
    return LEAT_OK;
}

static leat_status read_log(log_reading *l, const leati_row *e) {
    const void *bytes;
    size_t size;
    leat_status status = read_section(&l->r, e, &bytes, &size);
    if (status < 0) return status;
    leati_reader in = leati_reader_of(bytes, size);
    while (status >= 0 && leati_reader_left(&in)) {
        leat_record record;
        status = leati_record_decode(&in, leati_context_domain(l->r.ctx), &l->arena, &record);
        if (status >= 0 && takes_record(l, &record)) status = add_record(l, &record);
    }
    return damaged(&l->r, status);
}

static leat_status read_logs(log_reading *l) {
    leat_status status = LEAT_OK;
    for (; l->r.old < l->r.count && status >= 0; l->r.old++) {
        const leati_row *all;
        size_t rows = leati_store_rows(l->r.from[l->r.old].store, &all);
        for (size_t i = 0; i < rows && status >= 0; i++)
            if (all[i].kind == LEATI_ROW_LOG) status = read_log(l, &all[i]);
    }
    return status;
}

static leat_status make_batch(const log_reading *l, leati_batch **out) {
    if (!l->count) return LEAT_OK;
    leati_batch *batch = leati_batch_new(l->count);
    leat_status status = batch ? LEAT_OK : LEAT_E_NOMEM;
    for (size_t i = 0; i < l->count && status >= 0; i++)
        status = leati_batch_append(batch, &l->records[i], NULL, false);
    if (status >= 0)
        *out = batch;
    else if (batch)
        leati_batch_unref(batch);
    return status;
}

leat_status leati_context_restore_log(leat_context *ctx, const leati_restored *from, int count,
                                      leati_batch **out) {
    log_reading l = {.r = {.ctx = ctx, .from = from, .count = count}};
    l.r.rescale = count != ctx->info->parallelism;
    leati_arena_init(&l.arena);
    leat_status status = read_logs(&l);
    if (status >= 0) status = make_batch(&l, out);
    leati_free(l.records);
    leati_arena_fini(&l.arena);
    return status;
}

leat_status leati_context_restore_bytes(leat_context *ctx, const void *bytes, size_t size) {
    leat_error err;
    const leati_row *rows;
    leati_store *store = leati_store_of(bytes, size, &err);
    if (!store) return leat_context_fail(ctx, err.status, "%s: %s", err.where, err.text);
    leat_status status = LEAT_E_FORMAT;
    if (leati_store_rows(store, &rows)) {
        leati_restored from = {store, &rows[0]};
        restoring r = {.ctx = ctx, .from = &from, .count = 1, .own = true};
        status = restore(&r);
    }
    leati_store_free(store);
    return status;
}
