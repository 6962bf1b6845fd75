/* snapshot.c: the state of an operator as entries of a store: its row with both watermarks, the
   items that it wrote itself, its tables with a section for each key group that holds something,
   its timers in the same way. Tables without keys have one group. Tables are frozen at the barrier
   and encoded behind it (table.h). The way back is restore.c. */
#include "runtime/flow/snapshot.h"

#include "runtime/base/alloc.h"
#include "runtime/base/clock.h"
#include "runtime/data/codec.h"
#include "runtime/flow/items.h"

/* --- records ---------------------------------------------------------------------------------- */

leat_status leat_record_write(leat_context *ctx, const leat_record *record, const void **bytes,
                              size_t *size) {
    leati_buf *b = &ctx->chain->text;
    b->size = 0;
    leat_status status = leati_record_encode(record, ctx->info->input_types[0], b);
    if (status >= 0 && b->failed) status = LEAT_E_NOMEM;
    b->failed = false;
    if (status < 0) return status;
    *bytes = b->bytes;
    *size = b->size;
    return LEAT_OK;
}

leat_status leat_record_read(leat_context *ctx, const void *bytes, size_t size, leat_record *out) {
    leati_reader in = leati_reader_of(bytes, size);
    uint16_t domain = leati_context_domain(ctx);
    leat_status status = leati_record_decode(&in, domain, &ctx->chain->arena, out);
    return status >= 0 && leati_reader_left(&in) ? LEAT_E_FORMAT : status;
}

/* --- one operator ----------------------------------------------------------------------------- */

leat_status leat_snapshot_write(leat_snapshot *out, const char *name,
                                leat_distribution distribution, const void *bytes, size_t size) {
    leati_row e = {.kind = LEATI_ROW_ITEM, .name = name, .distribution = distribution};
    if (!out->out) return LEAT_E_STATE;
    leati_chunk_add(out->out, &e, bytes, size);
    return leati_chunk_failed(out->out) ? LEAT_E_NOMEM : LEAT_OK;
}

static void add_operator(const leat_context *ctx, leati_chunk *out) {
    leati_row e = {.kind = LEATI_ROW_OPERATOR,
                   .name = ctx->info->id,
                   .text = ctx->info->name,
                   .subtask = ctx->subtask,
                   .parallelism = ctx->info->parallelism,
                   .max_parallelism = ctx->info->max_parallelism,
                   .watermark = ctx->watermark,
                   .forwarded = ctx->forwarded,
                   .ends = ctx->ends_told,
                   .keys = ctx->info->key_type ? ctx->info->key_type->text : NULL};
    leati_chunk_add(out, &e, NULL, 0);
}

static leat_status add_items(leat_context *ctx, leati_chunk *out) {
    const leat_operator *op = ctx->info->op;
    leat_snapshot snapshot = {.out = out};
    return op->snapshot ? op->snapshot(ctx, ctx->self, &snapshot) : LEAT_OK;
}

static void add_table(const leati_table *t, leati_chunk *out) {
    const leat_state_decl *decl = leati_table_decl(t);
    const leat_type *type = leati_table_keeps(t);
    leati_row e = {.kind = LEATI_ROW_TABLE,
                   .name = decl->name,
                   .text = type ? type->text : NULL,
                   .state = decl->kind,
                   .of_function = leati_table_of_function(t),
                   .distribution = decl->distribution,
                   .expiry = leati_table_ttl(t)->ms ? LEATI_EXPIRES : LEATI_EXPIRES_NOT};
    leati_chunk_add(out, &e, NULL, 0);
}

/* --- a task ----------------------------------------------------------------------------------- */

static void give_up(leati_saving *s) {
    for (int i = 0; s->parts && i < s->count; i++) {
        leati_saving_part *p = &s->parts[i];
        for (size_t k = 0; k < p->tables; k++) leati_table_give_up(p->ctx->tables[k]);
        for (int d = 0; d < 2; d++)
            if (p->ctx->timers[d]) leati_timers_give_up(p->ctx->timers[d]);
        leati_chunk_fini(&p->head);
    }
    leati_free(s->parts);
    leati_buf_fini(&s->group);
    leati_chunk_fini(&s->chunk);
    *s = (leati_saving){.to = s->to, .task = s->task};
}

leat_status leati_saving_begin(leati_saving *s, int64_t checkpoint) {
    leat_status status = LEAT_OK;
    int64_t former = s->checkpoint;
    give_up(s);
    if (former) status = s->to->take(s->to->arg, s->task, former, &s->chunk, true);
    s->checkpoint = checkpoint;
    return status;
}

/* `t`: whose cells could not be written; NULL: it was something else. */
static leat_status decline(leati_saving *s, leat_context *ctx, const leati_table *t,
                           leat_status status) {
    int64_t checkpoint = s->checkpoint;
    const leat_record *current = ctx->current; /* which has nothing to do with it */
    ctx->current = NULL;
    status = leati_chain_blame(ctx, status);
    ctx->current = current;
    if (!s->to->decline || status == LEAT_E_NOMEM || status == LEAT_E_INTERNAL) return status;
    char *state = t ? leati_format("state '%s': ", leati_table_decl(t)->name) : NULL;
    char *why = leati_chain_forgive(ctx->chain, state ? state : "");
    give_up(s);
    leat_status told = s->to->decline(s->to->arg, s->task, checkpoint, status,
                                      why ? why : "no memory for the reason");
    leati_free(state);
    leati_free(why);
    return told;
}

/* A function was about to change what can't be written. That is no fault of its own. */
static leat_status lose(void *arg, leati_table *t, leat_status status) {
    leati_saving *s = arg;
    for (int i = 0; i < s->count; i++)
        for (size_t k = 0; k < s->parts[i].tables; k++)
            if (s->parts[i].ctx->tables[k] == t) return decline(s, s->parts[i].ctx, t, status);
    return status;
}

static leat_status freeze(leati_saving *s, leati_saving_part *p) {
    leati_table_loss loss = {lose, s};
    leat_context *ctx = p->ctx;
    leat_status status = LEAT_OK;
    while (p->tables < ctx->table_count && status >= 0)
        status = leati_table_freeze(ctx->tables[p->tables++], loss);
    for (int d = 0; d < 2 && status >= 0; d++)
        if (ctx->timers[d]) status = leati_timers_freeze(ctx->timers[d]);
    return status;
}

static leat_status add_part(leati_saving *s, leat_context *ctx) {
    leati_saving_part *parts = leati_resize(s->parts, (size_t)(s->count + 1) * sizeof *parts);
    if (!parts) return LEAT_E_NOMEM;
    s->parts = parts;
    leati_saving_part *p = &parts[s->count++];
    *p = (leati_saving_part){.ctx = ctx};
    add_operator(ctx, &p->head);
    leat_status status = add_items(ctx, &p->head);
    if (status >= 0) status = freeze(s, p);
    return status >= 0 && leati_chunk_failed(&p->head) ? LEAT_E_NOMEM : status;
}

leat_status leati_saving_add(leati_saving *s, leat_context *ctx) {
    leat_status status = s->checkpoint ? add_part(s, ctx) : LEAT_OK;
    return status < 0 ? leati_saving_decline(s, ctx, status) : status;
}

void leati_saving_seal(leati_saving *s, bool logs) {
    if (!s->checkpoint) return;
    s->sealed = true;
    s->logs = logs;
}

/* Hands on what has been gathered. */
static leat_status send(leati_saving *s, bool last) {
    enum { ENOUGH = 256 * 1024 };
    if (leati_chunk_failed(&s->chunk)) return LEAT_E_NOMEM;
    if (!last && s->chunk.payload.size < ENOUGH) return LEAT_OK;
    return s->to->take(s->to->arg, s->task, s->checkpoint, &s->chunk, last);
}

/* It is the head that logs; and no state of it is to blame. */
static leat_status decline_log(leati_saving *s, leat_status status) {
    leat_context *head = s->parts[0].ctx;
    s->at = s->count;
    return leati_saving_decline(s, head, status);
}

leat_status leati_saving_log(leati_saving *s, const leati_batch *batch, const leat_type *type) {
    leati_row e = {.kind = LEATI_ROW_LOG};
    leati_buf *b = &s->group;
    leat_status status = LEAT_OK;
    b->size = 0;
    for (uint32_t i = 0; i < batch->count && status >= 0; i++)
        status = leati_record_encode(&batch->records[i], type, b);
    if (status >= 0 && b->failed) status = LEAT_E_NOMEM;
    if (status < 0) return decline_log(s, status);
    leati_chunk_add(&s->chunk, &e, b->bytes, b->size);
    return send(s, false);
}

void leati_saving_end_log(leati_saving *s) {
    s->logs = false;
}

/* A part has its tables, then its timers of both domains. */
static leati_timers *timers_at(const leati_saving_part *p, size_t at) {
    return p->ctx->timers[at - p->tables];
}

static leat_status take_group(const leati_saving_part *p, size_t at, int *group, leati_buf *out) {
    if (at < p->tables) return leati_table_take_group(p->ctx->tables[at], group, out);
    return timers_at(p, at) ? leati_timers_take_group(timers_at(p, at), group, out) : LEAT_DONE;
}

static leat_status thaw_some(const leati_saving_part *p, size_t at) {
    enum { ITEMS = 256 };
    leat_status status = at < p->tables ? leati_table_thaw_some(p->ctx->tables[at], ITEMS)
                                        : leati_timers_thaw_some(timers_at(p, at), ITEMS);
    return status < 0 ? status : LEAT_OK;
}

static leati_row row_at(const leati_saving_part *p, size_t at) {
    leati_row e = {.kind = at < p->tables ? LEATI_ROW_CELLS : LEATI_ROW_TIMERS};
    if (at >= p->tables) e.domain = (leat_time_domain)(at - p->tables);
    return e;
}

/* The next group, or some more of it; LEAT_DONE: there are no more. */
static leat_status advance_groups(leati_saving *s, const leati_saving_part *p) {
    leati_row e = row_at(p, s->table);
    if (!s->table_begun && s->table < p->tables) add_table(p->ctx->tables[s->table], &s->chunk);
    s->table_begun = true;
    leat_status status = take_group(p, s->table, &e.group, &s->group);
    if (status == LEAT_AGAIN) return thaw_some(p, s->table);
    if (status != LEAT_OK) return status;
    leati_chunk_add(&s->chunk, &e, s->group.bytes, s->group.size);
    return send(s, false);
}

static void next_part(leati_saving *s) {
    s->at++;
    s->table = 0;
    s->begun = false;
}

/* LEAT_DONE: all parts are through. */
static leat_status advance(leati_saving *s) {
    if (s->at == s->count) return LEAT_DONE;
    const leati_saving_part *p = &s->parts[s->at];
    if (!s->begun) leati_chunk_append(&s->chunk, &p->head);
    s->begun = true;
    leat_status status = advance_groups(s, p);
    if (status != LEAT_DONE) return status;
    s->table_begun = false;
    if (++s->table == p->tables + 2) next_part(s);
    return send(s, false);
}

leat_status leati_saving_advance(leati_saving *s, int64_t ns) {
    int64_t until = ns < 0 ? INT64_MAX : leati_clock_monotonic() + ns;
    leat_status status = LEAT_OK;
    if (!s->sealed) return LEAT_DONE;
    do status = advance(s);
    while (status == LEAT_OK && (ns < 0 || leati_clock_monotonic() < until));
    if (status < 0) return leati_saving_decline(s, s->parts[s->at].ctx, status);
    if (status != LEAT_DONE) return status;
    if (s->logs) return LEAT_AGAIN;
    status = send(s, true);
    give_up(s);
    return status < 0 ? status : LEAT_DONE;
}

leat_status leati_saving_decline(leati_saving *s, leat_context *ctx, leat_status status) {
    const leati_saving_part *p = s->sealed && s->at < s->count ? &s->parts[s->at] : NULL;
    const leati_table *t = p && s->table < p->tables ? p->ctx->tables[s->table] : NULL;
    return decline(s, ctx, t, status);
}

void leati_saving_fini(leati_saving *s) {
    give_up(s);
}

/* --- one operator alone ----------------------------------------------------------------------- */

static leat_status write_to_buf(void *arg, const void *bytes, size_t size) {
    leati_buf *out = arg;
    leati_buf_append(out, bytes, size);
    return out->failed ? LEAT_E_NOMEM : LEAT_OK;
}

static leat_status take_here(void *arg, int task, int64_t checkpoint, leati_chunk *chunk,
                             bool last) {
    leati_store_writer *w = arg;
    (void)task;
    (void)checkpoint;
    leat_status status = leati_store_take(w, chunk);
    leati_chunk_fini(chunk);
    return status >= 0 && last ? leati_store_end(w) : status;
}

leat_status leati_context_snapshot(leat_context *ctx, leati_buf *out) {
    leati_store_writer w;
    leati_store_sink sink = {write_to_buf, out};
    leati_saver saver = {.take = take_here, .arg = &w};
    leati_saving s = {.to = &saver, .checkpoint = 1};
    leat_status status = leati_store_begin(&w, &sink, false);
    if (status >= 0) status = leati_saving_add(&s, ctx);
    leati_saving_seal(&s, false);
    if (status >= 0) status = leati_saving_advance(&s, -1);
    leati_saving_fini(&s);
    leati_store_writer_fini(&w);
    return status < 0 ? status : LEAT_OK;
}
