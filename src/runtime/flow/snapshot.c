/* snapshot.c: the state of an operator as entries of a store: its row with both watermarks, the
   items that it wrote itself, its tables with a section for each key group that holds something,
   its timers in the same way. Tables without keys have one group. The way back is restore.c. */
#include "runtime/flow/snapshot.h"

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

static bool chunk_failed(const leati_chunk *c) {
    return c->rows.failed || c->payload.failed;
}

leat_status leat_snapshot_write(leat_snapshot *out, const char *name,
                                leat_distribution distribution, const void *bytes, size_t size) {
    leati_row e = {.kind = LEATI_ROW_ITEM, .name = name, .distribution = distribution};
    if (!out->out) return LEAT_E_STATE;
    leati_chunk_add(out->out, &e, bytes, size);
    return chunk_failed(out->out) ? LEAT_E_NOMEM : LEAT_OK;
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
                   .ends = ctx->ends_told};
    leati_chunk_add(out, &e, NULL, 0);
}

static leat_status add_items(leat_context *ctx, leati_chunk *out) {
    const leat_operator *op = ctx->info->op;
    leat_snapshot snapshot = {.out = out};
    return op->snapshot ? op->snapshot(ctx, ctx->self, &snapshot) : LEAT_OK;
}

static leat_status add_group(leat_status status, const leati_row *e, leati_buf *group,
                             leati_chunk *out) {
    if (status >= 0 && group->size) leati_chunk_add(out, e, group->bytes, group->size);
    if (status >= 0 && (group->failed || chunk_failed(out))) status = LEAT_E_NOMEM;
    group->size = 0;
    return status;
}

static leat_status add_table(const leat_context *ctx, leati_table *t, leati_buf *group,
                             leati_chunk *out) {
    const leat_state_decl *decl = leati_table_decl(t);
    const leat_type *type = leati_table_type(t);
    leati_row e = {.kind = LEATI_ROW_TABLE,
                   .name = decl->name,
                   .text = type ? type->text : NULL,
                   .state = decl->kind,
                   .of_function = leati_table_of_function(t),
                   .distribution = decl->distribution};
    leati_chunk_add(out, &e, NULL, 0);
    int groups = leati_context_groups(ctx, decl->distribution);
    leat_status status = LEAT_OK;
    for (int g = 0; g < groups && status >= 0; g++) {
        leati_row cells = {.kind = LEATI_ROW_CELLS, .group = g};
        status = add_group(leati_table_snapshot(t, g, group), &cells, group, out);
    }
    return status;
}

static leat_status add_timers(const leat_context *ctx, leat_time_domain domain, leati_buf *group,
                              leati_chunk *out) {
    const leati_timers *timers = ctx->timers[domain];
    leat_status status = LEAT_OK;
    for (int g = 0; timers && g < ctx->info->max_parallelism && status >= 0; g++) {
        leati_row e = {.kind = LEATI_ROW_TIMERS, .domain = domain, .group = g};
        status = add_group(leati_timers_snapshot(timers, g, group), &e, group, out);
    }
    return status;
}

static leat_status add_context(leat_context *ctx, leati_chunk *out) {
    leati_buf group;
    leati_buf_init(&group);
    add_operator(ctx, out);
    leat_status status = add_items(ctx, out);
    for (size_t i = 0; i < ctx->table_count && status >= 0; i++)
        status = add_table(ctx, ctx->tables[i], &group, out);
    for (int d = 0; d < 2 && status >= 0; d++)
        status = add_timers(ctx, (leat_time_domain)d, &group, out);
    leati_buf_fini(&group);
    return status >= 0 && chunk_failed(out) ? LEAT_E_NOMEM : status;
}

static leat_status write_to_buf(void *arg, const void *bytes, size_t size) {
    leati_buf *out = arg;
    leati_buf_append(out, bytes, size);
    return out->failed ? LEAT_E_NOMEM : LEAT_OK;
}

leat_status leati_context_snapshot(leat_context *ctx, leati_buf *out) {
    leati_chunk chunk = {0};
    leati_store_writer w;
    leati_store_sink sink = {write_to_buf, out};
    leat_status status = leati_store_begin(&w, &sink, false);
    if (status >= 0) status = add_context(ctx, &chunk);
    if (status >= 0) status = leati_store_take(&w, &chunk);
    if (status >= 0) status = leati_store_end(&w);
    leati_store_writer_fini(&w);
    leati_chunk_fini(&chunk);
    return status;
}

/* --- a task ----------------------------------------------------------------------------------- */

void leati_saving_begin(leati_saving *s, int64_t checkpoint) {
    leati_chunk_fini(&s->chunk);
    s->checkpoint = checkpoint;
}

leat_status leati_saving_add(leati_saving *s, leat_context *ctx) {
    return add_context(ctx, &s->chunk);
}

leat_status leati_saving_end(leati_saving *s) {
    int64_t checkpoint = s->checkpoint;
    s->checkpoint = 0;
    return s->to->take(s->to->arg, s->task, checkpoint, &s->chunk, true);
}

void leati_saving_fini(leati_saving *s) {
    leati_chunk_fini(&s->chunk);
}
