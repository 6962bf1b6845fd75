/* hashed.h: the entries of an unordered map: found by hash, walked in the order in which they came.
   Owns no entry. One thread. */
#ifndef LEATI_HASHED_H
#define LEATI_HASHED_H

#include "runtime/state/entry.h"

typedef struct leati_hashed {
    leati_entry **places; /* in order; NULL where one was removed */
    uint32_t *index;      /* open addressing: a place + 1, 0 for none */
    uint32_t used, room;  /* places; the index has twice that room, a power of two */
    uint32_t count;
} leati_hashed;

void leati_hashed_fini(leati_hashed *h);
/* The entry, or NULL; `at` becomes its place. */
leati_entry *leati_hashed_find(const leati_hashed *h, const leati_map_key *key, size_t *at);
/* One whose key is not there. False when memory ran out. Places may change. */
bool leati_hashed_add(leati_hashed *h, leati_entry *entry);
/* Places stay as they are. */
void leati_hashed_remove(leati_hashed *h, size_t at);
/* The next entry from place *at on, which becomes its place; NULL at the end. */
leati_entry *leati_hashed_at(const leati_hashed *h, size_t *at);

#endif
