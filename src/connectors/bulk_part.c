/* bulk_part.c: see bulk_part.h. */
#include "connectors/bulk_part.h"

#include "leat/operator.h"

struct leat_part_stream {
    leati_part *part;
};

leat_status leat_part_stream_write(leat_part_stream *out, const void *bytes, size_t size) {
    if (!out || (!bytes && size)) return LEAT_E_ARGUMENT;
    leati_part *p = out->part;
    if (size) leati_buf_append(&p->filling, bytes, size);
    if (p->filling.failed) return LEAT_E_NOMEM;
    p->size += (int64_t)size;
    return LEAT_OK;
}

int64_t leat_part_stream_size(const leat_part_stream *out) {
    return out ? out->part->size : 0;
}

const char *leat_part_stream_path(const leat_part_stream *out) {
    return out ? out->part->hidden : "";
}

leat_status leati_bulk_check(const leat_function *format, leat_error *err) {
    const leat_bulk_writer *table = format->call.bulk_writer;
    if (format->language || (table && table->create && table->add && table->finish)) return LEAT_OK;
    return leat_error_set(err, LEAT_E_ARGUMENT, "file_sink",
                          "a bulk writer needs create, add and finish, and has no %s",
                          !table || !table->create ? "create"
                          : !table->add            ? "add"
                                                   : "finish");
}

/* Also where a writer has not looked at what its writing gave. */
static leat_status called(leat_context *ctx, const leati_part *p, leat_status status,
                          const char *what) {
    if (status >= 0 && p->filling.failed) status = LEAT_E_NOMEM;
    if (status >= 0) return LEAT_OK;
    return leat_context_fail(ctx, status, "the writer of '%s' can't %s it: %s", p->hidden, what,
                             leat_status_name(status));
}

static leat_status begin(leat_context *ctx, const leat_function *format, leati_part *p) {
    leat_part_stream out = {p};
    leat_status status = format->call.bulk_writer->create(ctx, &out, &p->writer, format->arg);
    p->has_writer = status >= 0;
    return called(ctx, p, status, "begin");
}

leat_status leati_bulk_add(leat_context *ctx, const leat_function *format, leati_part *p,
                           const leat_record *in) {
    leat_part_stream out = {p};
    leat_status status = p->has_writer ? LEAT_OK : begin(ctx, format, p);
    if (status < 0) return status;
    return called(ctx, p, format->call.bulk_writer->add(ctx, in, &out, p->writer), "add to");
}

leat_status leati_bulk_end(leat_context *ctx, const leat_function *format, leati_part *p) {
    const leat_bulk_writer *table = format->call.bulk_writer;
    leat_part_stream out = {p};
    leat_status status = table->flush ? table->flush(ctx, &out, p->writer) : LEAT_OK;
    if (status >= 0) status = table->finish(ctx, &out, p->writer);
    leati_bulk_drop(ctx, format, p);
    return called(ctx, p, status, "finish");
}

void leati_bulk_drop(leat_context *ctx, const leat_function *format, leati_part *p) {
    const leat_bulk_writer *table = format->call.bulk_writer;
    if (p->has_writer && table->drop) table->drop(ctx, p->writer);
    p->has_writer = false;
    p->writer = NULL;
}
