/* table_inside.h: what a table is made of: for table.c, which changes its cells, and
   table_snapshot.c, which writes them down. */
#ifndef LEATI_TABLE_INSIDE_H
#define LEATI_TABLE_INSIDE_H

#include "runtime/base/hashmap.h"
#include "runtime/state/frozen.h"
#include "runtime/state/table.h"

/* The payload of an entry; the entry's note is the size of the key within its bytes. An entry
   without a mark has a cell that the open snapshot has not got yet. */
typedef leati_packed cell;

struct leat_state {
    const leat_state_decl *decl;
    const leat_type *type;
    const leat_type *keeps; /* the type of what is in it, where `type` says nothing */
    leat_ttl ttl;
    bool ttl_is_set, ttl_is_foreseen;
    bool given_up;   /* the last snapshot; so entries may be without marks */
    int sweep_group; /* where the sweep stands */
    size_t sweep_at;
    int groups;
    size_t count;
    leati_frozen *frozen; /* the open snapshot, or NULL */
    leati_table_loss loss;
    uint64_t last_hash; /* of the key whose address stands in `address` */
    leati_buf address;  /* empty: no last call */
    leati_buf spare;    /* where the next address is written */
    leati_buf map_key;  /* bytes of a map's key, for one call */
    leati_buf pairs;    /* of a map that was lent whole */
    size_t key_size;    /* bytes of the key in `address` */
    uint64_t entry_hash;
    uint64_t first, last; /* words of `address`, where it has them (hashmap.h) */
    leati_hashmap *last_map;
    uint64_t last_moves;
    cell *last_cell;                     /* NULL: not looked for, or not there */
    leat_value lent[LEATI_PACKED_ITEMS]; /* of a tuple that was lent */
    leati_hashmap maps[];
};

/* Writes a cell down for the open snapshot, when there is one and it has not got it. Afterwards
   there may be none, when it has failed. On failure the snapshot is as it was. */
leat_status leati_cell_keep(leati_table *t, const leati_hashmap *map, cell *c);
/* The same for all cells of a group. */
leat_status leati_table_keep_group(leati_table *t, int group);

/* Comes before a cell is changed, or lent with what may be changed in it. Moves nothing. */
static inline leat_status cell_open(leati_table *t, const leati_hashmap *map, cell *c) {
    return LEAT_LIKELY(!t->frozen) ? LEAT_OK : leati_cell_keep(t, map, c);
}

#endif
