/* sorted.h: the entries of an ordered map, by their bytes. A place is a number that means an entry
   until the map changes; the places of a map are in order, with gaps. Owns no entry. One thread. */
#ifndef LEATI_SORTED_H
#define LEATI_SORTED_H

#include "runtime/state/entry.h"

typedef struct leati_leaf leati_leaf;

typedef struct leati_sorted {
    leati_leaf **leaves; /* none is empty */
    size_t leaf_count, leaf_room;
    size_t count;
} leati_sorted;

void leati_sorted_fini(leati_sorted *s);
/* The place of the first entry that is not before the key, the end when all are; `is_it` becomes
   whether that is the key's own. */
size_t leati_sorted_seek(const leati_sorted *s, const leati_map_key *key, bool *is_it);
/* The entry at *at, or the next one, whose place *at becomes; NULL at the end. */
leati_entry *leati_sorted_at(const leati_sorted *s, size_t *at);
/* The last one, NULL when there is none. */
leati_entry *leati_sorted_last(const leati_sorted *s, size_t *at);
/* One whose key is not there, at the place that seek answered. False when memory ran out. */
bool leati_sorted_add(leati_sorted *s, size_t at, leati_entry *entry);
/* What was behind it in order is at *at then, or after it. */
void leati_sorted_remove(leati_sorted *s, size_t at);

#endif
