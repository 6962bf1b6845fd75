/* batch.c: one allocation holds the batch, its records and the first bytes of its arena, so that a
   batch of small records costs one malloc and one free. */
#include "runtime/data/batch.h"

#include "leat/operator.h"

#include "runtime/base/alloc.h"
#include "runtime/base/object.h"
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

/* The object itself or its copy, with a reference that the batch keeps. */
static leat_status take_object(leati_batch *b, const leat_value *v, const leat_type *type, bool cut,
                               leat_value *out) {
    leat_value taken = *v;
    if (cut) {
        leat_status status = leati_object_ops_of(v)->copy(v->as.object, type, &taken);
        if (status < 0) return status;
    } else {
        leati_object_retain(v);
    }
    *out = taken;
    if (taken.kind != LEAT_OBJECT) return LEAT_OK;
    b->domain = taken.domain;
    return leati_arena_keep(&b->arena, &taken);
}

static leat_status take_rest(leati_batch *b, const leat_value *v, const leat_type *type, bool cut,
                             leat_value *out) {
    leat_status status =
        cut ? leati_value_cut(v, type, &b->arena, out) : leati_value_copy(v, &b->arena, out);
    batch_note_domain(b);
    return status;
}

/* A copy of one value. Scalars, strings and objects are most of what comes; the rest is walked. */
static inline leat_status take(leati_batch *b, const leat_value *v, const leat_type *type, bool cut,
                               leat_value *out) {
    if (v->kind == LEAT_OBJECT) return take_object(b, v, type, cut, out);
    if (!leati_kind_is_scalar(v->kind) && (v->kind != LEAT_STRING || !v->size))
        return take_rest(b, v, type, cut, out);
    *out = *v;
    if (v->kind != LEAT_STRING) return LEAT_OK;
    char *copy = leati_arena_alloc(&b->arena, v->size);
    if (LEAT_UNLIKELY(!copy)) return LEAT_E_NOMEM;
    memcpy(copy, v->as.bytes, v->size);
    out->as.bytes = copy;
    return LEAT_OK;
}

/* What was kept for a record that failed stays until the batch ends. The key is never shown to
   anybody who may change it. */
leat_status leati_batch_append(leati_batch *b, const leat_record *record, const leat_type *type,
                               bool cut) {
    if (LEAT_UNLIKELY(b->count == b->room)) return LEAT_E_RANGE;
    leat_record *to = &b->records[b->count];
    size_t before = b->arena.bytes;
    leat_status status = take(b, &record->value, type, cut, &to->value);
    if (status >= 0) status = take(b, &record->key, NULL, false, &to->key);
    if (status < 0) return status;
    to->time = record->time;
    to->hash = record->hash;
    b->bytes += sizeof *to + (b->arena.bytes - before);
    b->count++;
    return LEAT_OK;
}

leat_status leati_batch_add_encoded(leati_batch *b, const void *bytes, size_t size, uint16_t domain,
                                    const leat_record *key, int64_t time) {
    if (LEAT_UNLIKELY(b->count == b->room)) return LEAT_E_RANGE;
    leat_record *to = &b->records[b->count];
    leati_reader in = leati_reader_of(bytes, size);
    size_t before = b->arena.bytes;
    leat_status status = leati_value_decode(&in, domain, &b->arena, &to->value);
    if (status >= 0 && leati_reader_left(&in)) status = LEAT_E_FORMAT;
    batch_note_domain(b);
    if (status < 0) return status;
    to->key = key->key;
    to->hash = key->hash;
    to->time = time;
    b->bytes += sizeof *to + (b->arena.bytes - before);
    b->count++;
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

/* --- for operators ---------------------------------------------------------------------------- */

leat_batch *leat_batch_new(size_t room) {
    return room <= UINT32_MAX ? leati_batch_new((uint32_t)room) : NULL;
}

leat_status leat_batch_append(leat_batch *batch, const leat_record *record) {
    return leati_batch_append(batch, record, NULL, false);
}

size_t leat_batch_records(const leat_batch *batch, const leat_record **records) {
    return leati_batch_records(batch, records);
}

void leat_batch_unref(leat_batch *batch) {
    leati_batch_unref(batch);
}
