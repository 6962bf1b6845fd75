/* content.h: a value that is kept, and the memory of its own that it points into. It may be moved
   by copying its bytes. One thread. */
#ifndef LEATI_CONTENT_H
#define LEATI_CONTENT_H

#include "leat/value.h"
#include "runtime/base/buf.h"

struct leati_map;

typedef struct leati_content {
    leat_value value;
    char *block;   /* what the value points to; NULL for scalars */
    uint32_t room; /* bytes of the block, or one of those below */
} leati_content;

#define LEATI_LARGEST_BLOCK (UINT32_MAX - 2)
#define LEATI_GROWS         UINT32_MAX       /* the block is a list that grows: grown.h */
#define LEATI_MAPS          (UINT32_MAX - 1) /* a map, and the value is an empty one: mapping.h */

/* Copies the value in; it may point into what is there. On failure nothing has changed. Objects
   that were there are released last, which may run any code. */
leat_status leati_content_store(leati_content *c, const leat_value *value);
/* The same, but what was there comes out in `gone`, for leati_content_drop once the holder of the
   content is whole again. */
leat_status leati_content_replace(leati_content *c, const leat_value *value, leati_content *gone);
/* Adds items at the end of the list that is there, in amortised constant time for each; nothing
   there is an empty list. They may point into that list. With `time` (may be NULL) the list is kept
   as a pair of that time and itself, and a list without one becomes such a pair. LEAT_E_TYPE for
   what is no list. */
leat_status leati_content_append(leati_content *c, const leat_value *items, size_t count,
                                 const int64_t *time);
/* The map that is there; a LEAT_MAP becomes one, and null a new one. LEAT_E_TYPE for anything else.
   On failure nothing has changed. */
leat_status leati_content_map(leati_content *c, bool ordered, struct leati_map **out);
/* The value, lent: the pairs of a map are gathered in `buf`. */
leat_status leati_content_view(const leati_content *c, leati_buf *buf, leat_value *out);
/* Gives back what was in a cell that nobody can reach any more: `c` is a copy of it. */
void leati_content_drop(const leati_content *c);

/* Of states that expire, whose values are pairs of the time of their last use and what the user
   stored: is this such a pair? */
static inline bool leati_value_is_timed(const leat_value *v) {
    return v->kind == LEAT_TUPLE && v->size == 2 && v->as.items[0].kind == LEAT_INT;
}

#endif
