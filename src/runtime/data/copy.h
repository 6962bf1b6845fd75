/* copy.h: deep copies of values into one run of memory that the caller allocated: what state cells,
   batches and arenas are filled with. */
#ifndef LEATI_COPY_H
#define LEATI_COPY_H

#include "leat/value.h"

/* What a deep copy needs. */
typedef struct leati_extent {
    size_t bytes;   /* of memory, aligned to 8; scalars need none */
    size_t objects; /* objects inside, the value itself included */
} leati_extent;

/* Does a value of this kind stand in its 16 bytes alone? */
static inline bool leati_kind_is_scalar(uint8_t kind) {
    return kind <= LEAT_DOUBLE || (kind >= LEAT_DATE && kind <= LEAT_TIMESTAMP);
}

leati_extent leati_value_extent(const leat_value *v);
/* Copies into `memory`, which has the room that the extent says (NULL for none); objects keep their
   references, none is added: see leati_value_retain. */
leat_value leati_value_place(const leat_value *v, void *memory);
/* Adds, or gives back, one reference of every object inside. */
void leati_value_retain(const leat_value *v);
void leati_value_release(const leat_value *v);
/* Does the value, or anything inside it, point into these bytes? */
bool leati_value_points_into(const leat_value *v, const void *memory, size_t bytes);

#endif
