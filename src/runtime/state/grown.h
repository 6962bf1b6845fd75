/* grown.h: a list that grows at its end. Its items stand in one array, which doubles; what they
   point to stands in chunks, which never move. So an item costs amortised constant time, and what
   was lent of an item holds although the list grew. */
#ifndef LEATI_GROWN_H
#define LEATI_GROWN_H

#include "leat/value.h"

typedef struct leati_grown leati_grown;

/* Of the items of a list, or none of null. `block` (may be NULL), which they point into, is adopted
   on success; so are the references of their objects. NULL when memory ran out. */
leati_grown *leati_grown_new(const leat_value *list, char *block);
/* Frees the memory; objects are the caller's. */
void leati_grown_free(leati_grown *g);
/* Copies the items in and retains their objects: all or none. They may point into the list. */
leat_status leati_grown_append(leati_grown *g, const leat_value *items, size_t count);
/* The list, lent until the next append; when `timed`, a pair of the time and it. */
leat_value leati_grown_value(leati_grown *g, bool timed, int64_t time);
/* What that answered last. */
leat_value leati_grown_current(const leati_grown *g);

#endif
