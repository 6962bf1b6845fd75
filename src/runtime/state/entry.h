/* entry.h: one pair of a map in state: in memory of its own, so that it never moves, with the bytes
   by which it is found behind it. */
#ifndef LEATI_ENTRY_H
#define LEATI_ENTRY_H

#include "runtime/state/content.h"

typedef struct leati_entry {
    uint64_t hash; /* of the bytes; 0 in ordered maps */
    leat_value key;
    leati_content content;
    uint32_t size; /* of the bytes */
    char bytes[];  /* then what the key points to */
} leati_entry;

/* What a map is asked for: a key's bytes, and their hash where the map is unordered. */
typedef struct leati_map_key {
    const leat_value *value;
    const char *bytes;
    size_t size;
    uint64_t hash;
} leati_map_key;

#endif
