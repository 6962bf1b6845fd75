/* snapshot.c: the state of one operator as bytes, and back.

   Format (in memory; the files of checkpoints build on it): varint count of blobs, per blob name,
   u8 distribution, content; the watermark that it got and the one that it passed on, zigzag; then
   per table its name, u8 kind, u8 whether a function asked for it, u8 distribution, the text of its
   type (empty: none), and a blob per non-empty key group; then the two timer domains in the same
   way. A list of groups is varint group + 1, blob ...; 0. Tables without keys have one group. */
#include "runtime/base/alloc.h"
#include "runtime/data/codec.h"
#include "runtime/flow/chain.h"

typedef struct snapshot_item {
    const char *name;
    size_t name_size;
    leat_distribution distribution;
    const void *bytes;
    size_t size;
} snapshot_item;

struct leat_snapshot {
    leati_buf *out; /* writing */
    uint64_t written;
    snapshot_item *items; /* reading */
    size_t count;
};

leat_status leat_snapshot_write(leat_snapshot *out, const char *name,
                                leat_distribution distribution, const void *bytes, size_t size) {
    if (!out->out) return LEAT_E_STATE;
    leati_buf_blob(out->out, name, strlen(name));
    leati_buf_u8(out->out, (uint8_t)distribution);
    leati_buf_blob(out->out, bytes, size);
    out->written++;
    return out->out->failed ? LEAT_E_NOMEM : LEAT_OK;
}

leat_status leat_snapshot_read(leat_snapshot *in, const char *name, size_t index,
                               const void **bytes, size_t *size) {
    size_t name_size = strlen(name);
    for (size_t i = 0; i < in->count; i++) {
        const snapshot_item *item = &in->items[i];
        if (item->name_size != name_size || memcmp(item->name, name, name_size) != 0) continue;
        if (index--) continue;
        *bytes = item->bytes;
        *size = item->size;
        return LEAT_OK;
    }
    return LEAT_DONE;
}

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

/* --- writing ---------------------------------------------------------------------------------- */

static leat_status write_group(leat_status status, leati_buf *group, int number, leati_buf *out) {
    if (status >= 0 && group->size) {
        leati_buf_varint(out, (uint64_t)number + 1);
        leati_buf_blob(out, group->bytes, group->size);
    }
    if (group->failed) status = LEAT_E_NOMEM;
    group->size = 0;
    return status;
}

static void write_head(const leati_table *t, leati_buf *out) {
    const leat_state_decl *decl = leati_table_decl(t);
    const leat_type *type = leati_table_type(t);
    leati_buf_blob(out, decl->name, strlen(decl->name));
    leati_buf_u8(out, (uint8_t)decl->kind);
    leati_buf_u8(out, leati_table_of_function(t));
    leati_buf_u8(out, (uint8_t)decl->distribution);
    leati_buf_blob(out, type ? type->text : "", type ? strlen(type->text) : 0);
}

static leat_status write_tables(leat_context *ctx, leati_buf *out) {
    leati_buf group;
    leat_status status = LEAT_OK;
    leati_buf_init(&group);
    leati_buf_varint(out, ctx->table_count);
    for (size_t i = 0; i < ctx->table_count && status >= 0; i++) {
        write_head(ctx->tables[i], out);
        int groups = leati_context_groups(ctx, leati_table_decl(ctx->tables[i])->distribution);
        for (int g = 0; g < groups && status >= 0; g++)
            status = write_group(leati_table_snapshot(ctx->tables[i], g, &group), &group, g, out);
        leati_buf_varint(out, 0);
    }
    leati_buf_fini(&group);
    return status;
}

static leat_status write_timers(leat_context *ctx, leati_buf *out) {
    leati_buf group;
    leat_status status = LEAT_OK;
    leati_buf_init(&group);
    for (int domain = 0; domain < 2; domain++) {
        const leati_timers *timers = ctx->timers[domain];
        for (int g = 0; timers && g < ctx->info->max_parallelism && status >= 0; g++)
            status = write_group(leati_timers_snapshot(timers, g, &group), &group, g, out);
        leati_buf_varint(out, 0);
    }
    leati_buf_fini(&group);
    return status;
}

leat_status leati_context_snapshot(leat_context *ctx, leati_buf *out) {
    const leat_operator *op = ctx->info->op;
    leati_buf own;
    leati_buf_init(&own);
    leat_snapshot snapshot = {.out = &own};
    leat_status status = op->snapshot ? op->snapshot(ctx, ctx->self, &snapshot) : LEAT_OK;
    leati_buf_varint(out, snapshot.written);
    leati_buf_append(out, own.bytes, own.size);
    leati_buf_zigzag(out, ctx->watermark);
    leati_buf_zigzag(out, ctx->forwarded);
    if (status >= 0) status = write_tables(ctx, out);
    if (status >= 0) status = write_timers(ctx, out);
    if (own.failed || out->failed) status = LEAT_E_NOMEM;
    leati_buf_fini(&own);
    return status;
}

/* --- reading ---------------------------------------------------------------------------------- */

static leat_status restore_own(leat_context *ctx, leati_reader *in) {
    const leat_operator *op = ctx->info->op;
    uint64_t count = leati_reader_varint(in);
    if (count > leati_reader_left(in)) return LEAT_E_FORMAT;
    leat_snapshot snapshot = {.items = leati_zalloc((count + 1) * sizeof(snapshot_item))};
    if (!snapshot.items) return LEAT_E_NOMEM;
    for (uint64_t i = 0; i < count && !in->failed; i++) {
        snapshot_item *item = &snapshot.items[snapshot.count++];
        item->name = leati_reader_blob(in, &item->name_size);
        item->distribution = (leat_distribution)leati_reader_u8(in);
        item->bytes = leati_reader_blob(in, &item->size);
    }
    leat_status status = in->failed ? LEAT_E_FORMAT : LEAT_OK;
    if (status >= 0 && op->restore) status = op->restore(ctx, ctx->self, &snapshot);
    leati_free(snapshot.items);
    return status;
}

static char *read_text(leati_reader *in) {
    size_t size;
    const char *bytes = leati_reader_blob(in, &size);
    return bytes ? leati_format("%.*s", (int)size, bytes) : NULL;
}

/* The table that comes next; one of a function is made, which may ask for it later. */
static leat_status read_head(leat_context *ctx, leati_reader *in, leati_table **out) {
    leat_error err;
    char *name = read_text(in);
    leat_state_kind kind = (leat_state_kind)leati_reader_u8(in);
    bool of_function = leati_reader_u8(in);
    leat_distribution distribution = (leat_distribution)leati_reader_u8(in);
    char *text = read_text(in);
    leat_status status = name && text && !in->failed ? LEAT_OK : LEAT_E_FORMAT;
    const leat_type *type = status >= 0 && *text ? leat_type_parse(text, &err) : NULL;
    if (status >= 0 && *text && !type) status = LEAT_E_FORMAT;
    if (status >= 0 && of_function) {
        status = leati_context_table(ctx, name, kind, distribution, type, out, &err);
        if (status < 0) leat_context_fail(ctx, status, "%s", err.text);
    } else if (status >= 0) {
        *out = leati_context_find_table(ctx, name, false, distribution);
    }
    leati_free(name);
    leati_free(text);
    return status;
}

typedef leat_status (*restore_group)(void *to, leati_reader *in, uint16_t domain);

static leat_status restore_table(void *to, leati_reader *in, uint16_t domain) {
    return leati_table_restore(to, in, domain);
}

static leat_status restore_timers(void *to, leati_reader *in, uint16_t domain) {
    return leati_timers_restore(to, in, domain);
}

static leat_status read_groups(leati_reader *in, void *to, uint16_t domain, restore_group restore) {
    leat_status status = LEAT_OK;
    while (status >= 0 && leati_reader_varint(in)) {
        size_t size;
        const char *bytes = leati_reader_blob(in, &size);
        if (in->failed || !to) return LEAT_E_FORMAT;
        leati_reader group = leati_reader_of(bytes, size);
        status = restore(to, &group, domain);
    }
    return in->failed ? LEAT_E_FORMAT : status;
}

leat_status leati_context_restore(leat_context *ctx, leati_reader *in) {
    uint16_t domain = leati_context_domain(ctx);
    leat_status status = restore_own(ctx, in);
    if (status < 0) return status;
    ctx->watermark = leati_reader_zigzag(in);
    ctx->forwarded = leati_reader_zigzag(in);
    uint64_t tables = leati_reader_varint(in);
    for (uint64_t i = 0; i < tables && status >= 0 && !in->failed; i++) {
        leati_table *table = NULL;
        status = read_head(ctx, in, &table);
        if (status >= 0) status = read_groups(in, table, domain, restore_table);
    }
    for (int d = 0; d < 2 && status >= 0; d++) {
        if (!ctx->timers[d]) ctx->timers[d] = leati_timers_new(ctx->info->max_parallelism);
        if (!ctx->timers[d]) return LEAT_E_NOMEM;
        status = read_groups(in, ctx->timers[d], domain, restore_timers);
    }
    return status >= 0 && in->failed ? LEAT_E_FORMAT : status;
}
