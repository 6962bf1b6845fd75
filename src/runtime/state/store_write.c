/* store_write.c: chunks, and the file that they become; see store.h and docs/formats/snapshot.md.

   In a chunk an entry is its row without a place, and varint size of its bytes where it has
   some. */
#include "runtime/state/store.h"

#include "runtime/base/compress.h"
#include "runtime/state/store_form.h"

void leati_chunk_fini(leati_chunk *c) {
    leati_buf_fini(&c->rows);
    leati_buf_fini(&c->payload);
}

void leati_chunk_append(leati_chunk *c, const leati_chunk *other) {
    leati_buf_append(&c->rows, other->rows.bytes, other->rows.size);
    leati_buf_append(&c->payload, other->payload.bytes, other->payload.size);
    c->rows.failed |= leati_chunk_failed(other);
}

static void put_operator(leati_buf *b, const leati_row *e) {
    leati_buf_blob_text(b, e->name);
    leati_buf_blob_text(b, e->text);
    leati_buf_varint(b, (uint64_t)e->subtask);
    leati_buf_varint(b, (uint64_t)e->parallelism);
    leati_buf_varint(b, (uint64_t)e->max_parallelism);
    leati_buf_zigzag(b, e->watermark);
    leati_buf_zigzag(b, e->forwarded);
    leati_buf_varint(b, e->ends);
    leati_buf_blob_text(b, e->keys ? e->keys : "");
}

static void put_table(leati_buf *b, const leati_row *e) {
    leati_buf_blob_text(b, e->name);
    leati_buf_blob_text(b, e->text);
    leati_buf_u8(b, (uint8_t)e->state);
    leati_buf_u8(b, e->of_function);
    leati_buf_u8(b, (uint8_t)e->distribution);
    leati_buf_u8(b, (uint8_t)e->expiry);
}

static void put_row(leati_buf *b, const leati_row *e) {
    leati_buf_u8(b, (uint8_t)e->kind);
    switch (e->kind) {
    case LEATI_ROW_OPERATOR: put_operator(b, e); return;
    case LEATI_ROW_TABLE: put_table(b, e); return;
    case LEATI_ROW_CELLS: leati_buf_varint(b, (uint64_t)e->group); return;
    case LEATI_ROW_TIMERS:
        leati_buf_u8(b, (uint8_t)e->domain);
        leati_buf_varint(b, (uint64_t)e->group);
        return;
    case LEATI_ROW_ITEM:
        leati_buf_blob_text(b, e->name);
        leati_buf_u8(b, (uint8_t)e->distribution);
        return;
    case LEATI_ROW_LOG: return;
    }
}

void leati_chunk_add(leati_chunk *c, const leati_row *e, const void *bytes, size_t size) {
    leati_buf row;
    leati_buf_init(&row);
    put_row(&row, e);
    leati_buf_blob(&c->rows, row.bytes, row.size);
    if (row.failed) c->rows.failed = true;
    leati_buf_fini(&row);
    if (!leati_row_is_section(e)) return;
    leati_buf_varint(&c->rows, size);
    leati_buf_append(&c->payload, bytes, size);
}

/* --- the file --------------------------------------------------------------------------------- */

static leat_status put(leati_store_writer *w, const void *bytes, size_t size) {
    leat_status status = size ? w->sink.write(w->sink.arg, bytes, size) : LEAT_OK;
    if (status >= 0) w->offset += size;
    return status;
}

static leat_status put_buf(leati_store_writer *w, leati_buf *b) {
    leat_status status = b->failed ? LEAT_E_NOMEM : put(w, b->bytes, b->size);
    leati_buf_fini(b);
    return status;
}

leat_status leati_store_begin(leati_store_writer *w, const leati_store_sink *sink, bool compress) {
    leati_buf head;
    memset(w, 0, sizeof *w);
    w->sink = *sink;
    w->compress = compress;
    leati_buf_init(&head);
    leati_buf_append(&head, LEATI_STORE_MAGIC, LEATI_MAGIC_SIZE);
    leati_buf_u32(&head, LEATI_STORE_VERSION);
    leati_buf_u32(&head, leati_crc32(0, head.bytes, head.size));
    return put_buf(w, &head);
}

/* What does not get smaller stays as it is: then it has its own size in the file. */
static leat_status put_section(leati_store_writer *w, const void *bytes, size_t size) {
    const void *stored = bytes;
    size_t stored_size = size;
    w->packed.size = 0;
    if (w->compress && size && leati_deflate(bytes, size, &w->packed) >= 0 &&
        w->packed.size < size) {
        stored = w->packed.bytes;
        stored_size = w->packed.size;
    }
    leati_buf_varint(&w->index, w->offset);
    leati_buf_varint(&w->index, stored_size);
    leati_buf_varint(&w->index, size);
    leati_buf_u32(&w->index, leati_crc32(0, stored, stored_size));
    return put(w, stored, stored_size);
}

leat_status leati_store_take(leati_store_writer *w, const leati_chunk *c) {
    if (leati_chunk_failed(c)) return LEAT_E_NOMEM;
    leati_reader rows = leati_reader_of(c->rows.bytes, c->rows.size);
    leati_reader payload = leati_reader_of(c->payload.bytes, c->payload.size);
    leat_status status = LEAT_OK;
    while (status >= 0 && leati_reader_left(&rows)) {
        size_t row_size;
        const char *row = leati_reader_blob(&rows, &row_size);
        leati_buf_append(&w->index, row, row_size);
        w->rows++;
        if (!row || (uint8_t)row[0] < LEATI_ROW_CELLS) continue;
        size_t size = (size_t)leati_reader_varint(&rows);
        status = put_section(w, leati_reader_bytes(&payload, size), size);
    }
    if (status >= 0 && w->index.failed) status = LEAT_E_NOMEM;
    return status >= 0 && (rows.failed || payload.failed) ? LEAT_E_INTERNAL : status;
}

leat_status leati_store_end(leati_store_writer *w) {
    uint64_t at = w->offset;
    leati_buf tail;
    if (w->index.failed) return LEAT_E_NOMEM;
    leat_status status = put(w, w->index.bytes, w->index.size);
    if (status < 0) return status;
    leati_buf_init(&tail);
    leati_buf_u64(&tail, at);
    leati_buf_u64(&tail, w->index.size);
    leati_buf_u64(&tail, w->rows);
    w->crc = leati_crc32(0, w->index.bytes, w->index.size);
    leati_buf_u32(&tail, w->crc);
    if (!tail.failed) leati_buf_u32(&tail, leati_crc32(0, tail.bytes, tail.size));
    leati_buf_append(&tail, LEATI_STORE_END, LEATI_MAGIC_SIZE);
    return put_buf(w, &tail);
}

void leati_store_writer_fini(leati_store_writer *w) {
    leati_buf_fini(&w->index);
    leati_buf_fini(&w->packed);
}
