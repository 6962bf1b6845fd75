/* table.h: one declared state: cells addressed by (key, namespace), in one open-addressing
   table per key group. Native values are copied in, compactly; objects are kept by reference.
   One thread. */
#ifndef LEATI_TABLE_H
#define LEATI_TABLE_H

#include "leat/state.h"
#include "runtime/base/buf.h"
#include "runtime/state/mapping.h"
#include "runtime/state/packed.h"

typedef struct leat_state leati_table; /* the handle that operators hold */

/* `decl` is borrowed for the table's life, `type` (may be NULL) is told back. NULL when memory ran
   out. */
leati_table *leati_table_new(int max_parallelism, const leat_state_decl *decl,
                             const leat_type *type);
void leati_table_free(leati_table *t);
const leat_type *leati_table_type(const leati_table *t);
/* Or of what its operator says that is in it. */
const leat_type *leati_table_keeps(const leati_table *t);
const leat_state_decl *leati_table_decl(const leati_table *t);

/* `hash` is leati_key_hash of the key. The last cell found is remembered: a get and a put of the
   same key and namespace are one look-up. As leat_state_get, _put, _remove. */
leat_status leati_table_get(leati_table *t, const leat_value *key, uint64_t hash, leat_namespace ns,
                            leat_value *out);
/* A write in place, as leat_state_edit. */
leat_status leati_table_edit(leati_table *t, const leat_value *key, uint64_t hash,
                             leat_namespace ns, leat_value *out);
leat_status leati_table_put(leati_table *t, const leat_value *key, uint64_t hash, leat_namespace ns,
                            const leat_value *value);
/* As leat_state_append; `time` (may be NULL) is that of now where the state expires. */
leat_status leati_table_append(leati_table *t, const leat_value *key, uint64_t hash,
                               leat_namespace ns, const leat_value *item, const int64_t *time);
/* The map under the key and namespace, lent until the table changes; made when it is missing and
   LEATI_MAKE, else LEAT_DONE. LEAT_E_TYPE when there is something else. Whoever empties it removes
   the cell. */
typedef enum leati_purpose { LEATI_READ, LEATI_CHANGE, LEATI_MAKE } leati_purpose;
leat_status leati_table_map(leati_table *t, const leat_value *key, uint64_t hash, leat_namespace ns,
                            leati_purpose purpose, leati_map **out);
/* Comes before a map is changed that the last call gave for reading. */
leat_status leati_table_change(leati_table *t);
/* Comes before a value of the map that the last call gave is lent to others. */
leat_status leati_table_lend(leati_table *t, const leat_value *value);
/* A key of such a map, lent until the next call. */
leat_status leati_table_map_key(leati_table *t, const leat_value *key, leati_map_key *out);
/* As leat_state_merge. */
leat_status leati_table_merge(leati_table *t, const leat_value *key, uint64_t hash,
                              leat_namespace into_ns, leat_namespace from_ns);
const leat_ttl *leati_table_ttl(const leati_table *t);
/* LEAT_E_STATE when it has another one, or what was restored expired and shall not, or the other
   way round: then what is in the cells is not what the caller takes it for. */
leat_status leati_table_set_ttl(leati_table *t, const leat_ttl *ttl);
/* Of a table that was made to be restored into, and that nobody has asked for: do its values
   expire? Until somebody says after what time they live for ever. */
void leati_table_foresee_ttl(leati_table *t, bool expires);
/* Sets the time of the pair that leati_table_get has just found. */
leat_status leati_table_touch(leati_table *t, int64_t now);
enum { LEATI_SWEPT = 5 }; /* with a write */
/* Looks at the next `count` cells of its round over all, and removes those whose time is up. What
   was lent is gone. */
leat_status leati_table_sweep(leati_table *t, int64_t now, int count);
leat_status leati_table_remove(leati_table *t, const leat_value *key, uint64_t hash,
                               leat_namespace ns);
/* Forgets all cells of one key group. */
leat_status leati_table_forget(leati_table *t, int group);
/* Says that cells of keys with these hashes, in the empty namespace, will be wanted: memory that is
   far away is then on its way, of `soon` a first step, of `next`, which was `soon` before, a
   second. For the next records of a batch. */
void leati_table_expect(const leati_table *t, uint64_t next, uint64_t soon);
size_t leati_table_count(const leati_table *t);

/* One cell, lent until the table changes: the canonical bytes of its key (key.h), its namespace,
   what is in it. */
typedef struct leati_cell {
    const char *key;
    size_t key_size;
    leat_namespace ns;
    leati_content content;
    leat_value items[LEATI_PACKED_ITEMS]; /* what it may point to */
} leati_cell;
/* Walks the cells of one key group, in no order; start with *at = 0. False at the end. */
bool leati_table_next(const leati_table *t, int group, size_t *at, leati_cell *out);

/* The cells of one key group, with their keys, appended to `out`; nothing for an empty group. */
leat_status leati_table_snapshot(leati_table *t, int group, leati_buf *out);

/* A snapshot of all groups as they are now, encoded bit by bit while the table goes on: one at a
   time, LEAT_E_STATE while one is open. What it has not got yet is encoded before it is changed, or
   lent where objects may be in it. What can't be encoded then is a loss of the snapshot, which is
   told, and answers what is left of that failure. If nothing is, it has given the snapshot up and
   the call goes on; else the call fails, with nothing changed, and the snapshot can go on. */
typedef struct leati_table_loss {
    leat_status (*tell)(void *arg, leati_table *t, leat_status status); /* NULL: all is left */
    void *arg;
} leati_table_loss;

leat_status leati_table_freeze(leati_table *t, leati_table_loss loss);
bool leati_table_is_frozen(const leati_table *t);
/* Encodes some more: about `budget` cells; what takes more than 64 bytes counts as several.
   LEAT_DONE when all are, or none is open. */
leat_status leati_table_thaw_some(leati_table *t, int budget);
/* The cells of the next key group that has some, as leati_table_snapshot writes them, in another
   order; the bytes are the caller's, and what was in `out` before is freed. LEAT_AGAIN when that
   group is not complete. LEAT_DONE when all were taken, or none is open, and then none is. */
leat_status leati_table_take_group(leati_table *t, int *group, leati_buf *out);
/* Forgets the open snapshot. */
void leati_table_give_up(leati_table *t);

/* Adds cells that such a snapshot has. `domain`: see codec.h. LEAT_E_FORMAT when damaged. */
leat_status leati_table_restore(leati_table *t, leati_reader *in, uint16_t domain);

#endif
