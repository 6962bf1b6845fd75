/* pile.h: records in memory, piled up by their key: what the sorter (sorter.h) gathers before it
   sorts, hands out or spills. A pile is a key with its records; piles are handed out in the order
   of their keys' canonical bytes, the records of one in the order of event time, input and arrival.

   Records are kept encoded (codec.h) and tightly packed: a small one costs about ten bytes. One
   owner and one thread at a time. */
#ifndef LEATI_PILE_H
#define LEATI_PILE_H

#include "runtime/base/arena.h"
#include "runtime/base/buf.h"
#include "runtime/base/hashmap.h"

/* A key with what all its records have in common. */
typedef struct leati_pile_key {
    const char *bytes; /* canonical (key.h) */
    const char *value; /* encoded (codec.h) */
    uint32_t size, value_size;
    uint64_t hash, count; /* count: its records */
} leati_pile_key;

/* One record of a pile: all but its key. */
typedef struct leati_pile_item {
    const char *bytes; /* the value, encoded */
    uint32_t size;
    unsigned input; /* 0 or 1 */
    int64_t time;
} leati_pile_item;

/* The longest value, in bytes. */
enum { LEATI_PILE_ITEM_MOST = 1 << 30 };

typedef struct leati_pile leati_pile;
typedef struct leati_piles leati_piles;

/* `by_time` false: the records of a key stay in the order of their arrival. NULL when memory ran
   out. */
leati_piles *leati_piles_new(bool by_time);
void leati_piles_free(leati_piles *p);
/* Forgets everything. */
void leati_piles_clear(leati_piles *p);
size_t leati_piles_count(const leati_piles *p); /* keys */
/* What it holds, and what sorting will take besides. */
size_t leati_piles_memory(const leati_piles *p);

/* Says that keys with these hashes will come, the first one in a few records' time, the other one a
   bit later, so that memory can be on its way. */
void leati_piles_expect(const leati_piles *p, uint64_t next, uint64_t soon);
/* The pile of that key, or NULL when memory ran out. A new one has no value yet. */
leati_pile *leati_piles_at(leati_piles *p, uint64_t hash, const char *bytes, size_t size);
bool leati_pile_has_value(const leati_pile *pile);
leat_status leati_pile_set_value(leati_piles *p, leati_pile *pile, const char *bytes, size_t size);
leat_status leati_pile_append(leati_piles *p, leati_pile *pile, const leati_pile_item *item);

/* Sorts the keys. Afterwards nothing may be added until it is cleared. */
leat_status leati_piles_sort(leati_piles *p);
/* The next key, once it is sorted; LEAT_DONE behind the last. Lent until it is cleared. */
leat_status leati_piles_next_key(leati_piles *p, leati_pile_key *key);
/* The next record of that key; LEAT_DONE behind the last. */
leat_status leati_piles_next(leati_piles *p, leati_pile_item *item);

/* How an item is written, here and in runs: varint size * 2 + input, zigzag of what its time is
   above `before`, which is that of the item before it (0: none), then the value. */
void leati_pile_item_write(leati_buf *out, const leati_pile_item *item, int64_t before);
/* False, and `in` failed, when there is not enough. */
bool leati_pile_item_read(leati_reader *in, int64_t before, leati_pile_item *item);

#endif
