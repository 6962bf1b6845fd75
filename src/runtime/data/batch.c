/* batch.c: one allocation holds the batch, its records and the first bytes of its arena, so that a
   batch of small records costs one malloc and one free. */
#include "runtime/data/batch.h"

#include "runtime/base/alloc.h"
#include "runtime/data/codec.h"

enum { ARENA_PER_RECORD = 24, ARENA_LEAST = 256 };

leati_batch *leati_batch_new(uint32_t room) {
    size_t records = (size_t)room * sizeof(leat_record);
    size_t first = ARENA_LEAST + (size_t)room * ARENA_PER_RECORD;
    leati_batch *b = leati_alloc(sizeof *b + records + first);
    if (!b) return NULL;
    memset(b, 0, sizeof *b);
    atomic_init(&b->refs, 1);
    b->room = room;
    b->records = (leat_record *)(void *)(b + 1);
    leati_arena_init_with(&b->arena, b->records + room, first);
    return b;
}

void leati_batch_unref(leati_batch *b) {
    if (!b || atomic_fetch_sub_explicit(&b->refs, 1, memory_order_release) > 1) return;
    atomic_thread_fence(memory_order_acquire);
    leati_arena_fini(&b->arena);
    leati_free(b->frame);
    leati_free(b);
}

size_t leati_batch_records(const leati_batch *b, const leat_record **records) {
    *records = b->records;
    return b->count;
}

static void batch_note_domain(leati_batch *b) {
    if (b->arena.kept_count) b->domain = b->arena.kept[b->arena.kept_count - 1].domain;
}

/* What was kept for a record that failed stays until the batch ends. */
leat_status leati_batch_append_slow(leati_batch *b, const leat_record *record,
                                    const leat_type *type, bool cut) {
    leat_record made = *record;
    size_t before = b->arena.bytes;
    leat_status status = cut ? leati_value_cut(&record->value, type, &b->arena, &made.value)
                             : leati_value_copy(&record->value, &b->arena, &made.value);
    /* The key is never shown to anybody who may change it. */
    if (status >= 0) status = leati_value_copy(&record->key, &b->arena, &made.key);
    if (status < 0) return status;
    batch_note_domain(b);
    b->bytes += sizeof made + (b->arena.bytes - before);
    b->records[b->count++] = made;
    return LEAT_OK;
}

leat_status leati_batch_encode(const leati_batch *b, const leat_type *type, leati_buf *out) {
    leati_buf_u32(out, b->count);
    for (uint32_t i = 0; i < b->count; i++) {
        leat_status status = leati_record_encode(&b->records[i], type, out);
        if (status < 0) return status;
    }
    return out->failed ? LEAT_E_NOMEM : LEAT_OK;
}

static leat_status batch_read(leati_batch *b, leati_reader *in, uint16_t domain) {
    while (b->count < b->room) {
        leat_status status = leati_record_decode(in, domain, &b->arena, &b->records[b->count]);
        if (status < 0) return status;
        b->count++;
    }
    return leati_reader_left(in) ? LEAT_E_FORMAT : LEAT_OK;
}

leat_status leati_batch_decode(char *frame, size_t size, uint16_t domain, leati_batch **out) {
    leati_reader in = leati_reader_of(frame, size);
    uint32_t count = leati_reader_u32(&in);
    bool sound = !in.failed && count <= leati_reader_left(&in) / 2; /* two bytes at least, each */
    leati_batch *b = sound ? leati_batch_new(count) : NULL;
    if (!b) {
        leati_free(frame);
        return sound ? LEAT_E_NOMEM : LEAT_E_FORMAT;
    }
    b->frame = frame;
    leat_status status = batch_read(b, &in, domain);
    if (status < 0) {
        leati_batch_unref(b);
        return status;
    }
    batch_note_domain(b);
    b->bytes = size + count * sizeof(leat_record) + b->arena.bytes;
    *out = b;
    return LEAT_OK;
}
