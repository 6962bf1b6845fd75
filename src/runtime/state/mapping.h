/* mapping.h: a map in a cell: native keys and values, copied in, objects kept by reference;
   unordered (found by canonical bytes, walked in the order in which keys came) or ordered (found
   and walked by bytes that keep the order). Entries never move while they are in the map. A place
   is a number that means an entry until the map changes. One thread. */
#ifndef LEATI_MAPPING_H
#define LEATI_MAPPING_H

#include "runtime/base/buf.h"
#include "runtime/state/entry.h"

typedef struct leati_map leati_map;

leati_map *leati_map_new(bool ordered); /* NULL when memory ran out */
void leati_map_free(leati_map *m);
size_t leati_map_count(const leati_map *m);
bool leati_map_is_ordered(const leati_map *m);

/* Writes the key's bytes into `buf`, which lends them to `out`. LEAT_E_TYPE for what cannot be a
   key of such a map. */
leat_status leati_map_key_of(bool ordered, const leat_value *key, leati_buf *buf,
                             leati_map_key *out);
/* The entry and its place, or NULL. */
leati_entry *leati_map_find(const leati_map *m, const leati_map_key *key, size_t *at);
/* The same, made with null in it when it is missing; NULL when memory ran out. */
leati_entry *leati_map_made(leati_map *m, const leati_map_key *key, size_t *at, bool *is_new);
/* Other entries before it keep their places; in unordered maps all do. */
void leati_map_remove(leati_map *m, size_t at);
/* The entry at *at, or the next one, whose place *at becomes; NULL at the end. Starts at 0. */
leati_entry *leati_map_at(const leati_map *m, size_t *at);
/* Of ordered maps: the place of the first entry that is not before the key; the last entry. */
size_t leati_map_seek(const leati_map *m, const leati_map_key *key);
leati_entry *leati_map_last(const leati_map *m, size_t *at);

/* Puts in all pairs of a LEAT_MAP; of two with one key the later counts. */
leat_status leati_map_fill(leati_map *m, const leat_value *pairs);
/* Everything as a LEAT_MAP, in order; it points into the map and into `buf`. */
leat_status leati_map_value(const leati_map *m, leati_buf *buf, leat_value *out);

/* When an entry was last written or prolonged, where the state expires: then all have expired when
   this has. */
int64_t leati_map_latest(const leati_map *m);
void leati_map_set_latest(leati_map *m, int64_t now);

#endif
