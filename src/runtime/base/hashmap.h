/* hashmap.h: an open-addressing table from bytes, with their hash, to a payload of fixed size.
   Payloads move when the table grows and when an entry is removed: `moves` counts that, so that
   whoever remembers a payload's address can see whether it still holds. One thread. */
#ifndef LEATI_HASHMAP_H
#define LEATI_HASHMAP_H

#include "runtime/base/hash.h"

typedef struct leati_hashmap {
    uint8_t *tags; /* per slot: 0 when it is free, else 0x80 and seven bits of the hash */
    char *slots;
    void *memory; /* what both stand in */
    size_t count, room;
    uint32_t slot_size, payload_size;
    uint64_t moves;
    uint8_t mark;  /* what marked entries have, in the bits beside the note */
    uint8_t older; /* how many marks before it some may still have */
} leati_hashmap;

/* Allocates nothing. */
void leati_hashmap_init(leati_hashmap *m, size_t payload_size);
/* Frees the table; what payloads hold is the caller's. */
void leati_hashmap_fini(leati_hashmap *m);

/* The payload (aligned to 8), or NULL. Of the hash only 39 bits are used: 0 to 38. */
void *leati_hashmap_find(const leati_hashmap *m, uint64_t hash, const void *bytes, size_t size);
/* The same by the words (hash.h) that 8 to 16 bytes begin and end with, which may overlap. */
void *leati_hashmap_find_words(const leati_hashmap *m, uint64_t hash, uint64_t first, uint64_t last,
                               size_t size);
static inline bool leati_hashmap_has_words(size_t size) {
    return size - 8 <= 8;
}
/* Where an entry with this hash stands, or would if nobody were in its way. */
static inline size_t leati_hashmap_home(const leati_hashmap *m, uint32_t hash) {
    return (size_t)((uint64_t)hash * m->room >> 32);
}
/* Says that this hash will be looked for soon, so that memory can be on its way: first its tag, and
   when that is there its slot. */
static inline void leati_hashmap_expect_tag(const leati_hashmap *m, uint64_t hash) {
    if (m->room) LEATI_PREFETCH(m->tags + leati_hashmap_home(m, (uint32_t)hash));
}
void leati_hashmap_expect_slot(const leati_hashmap *m, uint64_t hash);

/* Makes room for so many entries, if there is memory. Whoever adds those of another table in the
   order in which they stand there needs it: in a table that is smaller yet they would all want the
   same few slots. */
void leati_hashmap_reserve(leati_hashmap *m, size_t entries);
/* The payload, zeroed when the entry is new; NULL when memory ran out, and then nothing changed. */
void *leati_hashmap_add(leati_hashmap *m, uint64_t hash, const void *bytes, size_t size,
                        bool *added);
/* `payload` is one of this table. */
void leati_hashmap_remove(leati_hashmap *m, void *payload);
void leati_hashmap_clear(leati_hashmap *m);

/* A number of the caller's for an entry, 0 at first, at most the number of its bytes. */
void leati_hashmap_set_note(leati_hashmap *m, void *payload, uint32_t note);

typedef struct leati_hashmap_entry {
    const char *bytes; /* lent as long as the payload does not move */
    size_t size;
    uint32_t note;
    void *payload;
} leati_hashmap_entry;

/* The entry that a payload belongs to. */
leati_hashmap_entry leati_hashmap_entry_of(const leati_hashmap *m, void *payload);
/* Walks all entries, in no order; start with *at = 0. False at the end. The table must not
   change. */
bool leati_hashmap_next(const leati_hashmap *m, size_t *at, leati_hashmap_entry *out);

/* Every entry is marked from the start, and keeps its mark where it moves. This takes the marks of
   all that are there, in constant time when all have theirs, which the caller knows. */
void leati_hashmap_unmark_all(leati_hashmap *m, bool all_are_marked);
bool leati_hashmap_is_marked(const leati_hashmap *m, void *payload);
void leati_hashmap_mark(leati_hashmap *m, void *payload);
/* Looks at *steps slots at most, from *at on, and counts them off: the next entry without a mark,
   or false. At the end *at becomes 0. */
bool leati_hashmap_next_unmarked(const leati_hashmap *m, size_t *at, int *steps,
                                 leati_hashmap_entry *out);

#endif
