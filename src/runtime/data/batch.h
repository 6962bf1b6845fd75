/* batch.h: records and the arena that holds their bytes: written by one task, sealed, then shared
   by count. A batch that holds objects names their interpreter and is dropped there. */
#ifndef LEATI_BATCH_H
#define LEATI_BATCH_H

#include <stdatomic.h>

#include "leat/record.h"
#include "leat/type.h"
#include "runtime/base/arena.h"
#include "runtime/base/buf.h"
#include "runtime/data/copy.h"

typedef struct leati_batch {
    atomic_int refs;
    uint16_t domain; /* of the objects in it; 0: none */
    uint32_t count, room;
    size_t bytes; /* what it weighs: records and arena */
    leati_arena arena;
    leat_record *records;
    char *frame; /* bytes that values of a decoded batch point into; owned */
} leati_batch;

/* One reference. NULL when memory ran out. */
leati_batch *leati_batch_new(uint32_t room);
/* The last one frees the batch and releases its objects. NULL is fine; any thread. */
LEAT_API void leati_batch_unref(leati_batch *batch);
LEAT_API size_t leati_batch_records(const leati_batch *batch, const leat_record **records);
static inline void leati_batch_ref(leati_batch *b) {
    atomic_fetch_add_explicit(&b->refs, 1, memory_order_relaxed);
}

/* Copies a record in, key and all. `cut`: mutable objects are copied (contracts, 3), else retained.
   The batch must have room; LEAT_E_RANGE when it has not. */
leat_status leati_batch_append(leati_batch *b, const leat_record *record, const leat_type *type,
                               bool cut);

/* Adds a record whose value stands encoded (codec.h) in bytes that live as long as the batch is
   read; so does `key`. */
leat_status leati_batch_add_encoded(leati_batch *b, const void *bytes, size_t size, uint16_t domain,
                                    const leat_record *key, int64_t time);

/* All records, for another process: u32 count, then records by codec.h. */
leat_status leati_batch_encode(const leati_batch *b, const leat_type *type, leati_buf *out);
/* Adopts `frame` (allocated, `size` bytes), also on failure. */
leat_status leati_batch_decode(char *frame, size_t size, uint16_t domain, leati_batch **out);

#endif
