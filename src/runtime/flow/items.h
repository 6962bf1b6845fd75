/* items.h: what operators write to a snapshot by name, and read back. */
#ifndef LEATI_ITEMS_H
#define LEATI_ITEMS_H

#include "runtime/state/store.h"

typedef struct leati_item {
    const char *name;
    char *bytes; /* owned */
    size_t size;
} leati_item;

struct leat_snapshot {
    leati_chunk *out;  /* writing */
    leati_item *items; /* reading */
    size_t count, room;
};

#endif
