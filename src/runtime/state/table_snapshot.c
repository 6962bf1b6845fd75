/* table_snapshot.c: the cells of a table as bytes: a group at once, or all of them bit by bit while
   the table goes on.

   A group: varint count, then per cell: blob key, blob namespace, value (codec.h).

   Freezing takes the marks of all entries (hashmap.h) in constant time for each group. From then on
   an entry without a mark is a cell that is still to be encoded, as it is: whoever is about to
   change it, or to lend what may be changed in it (live objects, and what may hold some), encodes
   and marks it first; new cells have their marks from the start; a sweep over the groups does the
   rest. So what is written is the table as it was when it was frozen, and nothing is copied but
   into the snapshot.

   A group is complete when none of its cells are left, and not when the sweep has reached its end:
   entries move when the table grows and when one is removed, sometimes past the sweep, which then
   goes round again.

   A cell is encoded whole: a large map in one, when its first pair is written or the sweep comes to
   it, takes as long as that takes. */
#include "runtime/data/codec.h"
#include "runtime/state/table_inside.h"

bool leati_table_next(const leati_table *t, int group, size_t *at, leati_cell *out) {
    leati_hashmap_entry entry;
    if (!leati_hashmap_next(&t->maps[group], at, &entry)) return false;
    out->key = entry.bytes;
    out->key_size = entry.note;
    out->ns.size = entry.size - entry.note;
    out->ns.bytes = out->ns.size ? entry.bytes + entry.note : NULL;
    out->content = leati_packed_open(entry.payload, out->items);
    return true;
}

/* `pairs` is for the pairs of a map, for the time of the call. */
static leat_status cell_encode(const leati_hashmap_entry *entry, leati_buf *pairs, leati_buf *out) {
    const cell *c = entry->payload;
    leat_value items[LEATI_PACKED_ITEMS], v;
    leat_status status = LEAT_OK;
    leati_buf_blob(out, entry->bytes, entry->note);
    leati_buf_blob(out, entry->bytes + entry->note, entry->size - entry->note);
    if (leati_packed_is_special(c)) {
        leati_content content = leati_packed_open(c, items);
        status = leati_content_view(&content, pairs, &v);
    } else {
        v = leati_packed_value(c, items);
    }
    return status < 0 ? status : leati_value_encode(&v, NULL, out);
}

leat_status leati_table_snapshot(leati_table *t, int group, leati_buf *out) {
    leati_hashmap_entry entry;
    leat_status status = LEAT_OK;
    if (t->maps[group].count == 0) return LEAT_OK;
    leati_buf_varint(out, t->maps[group].count);
    for (size_t at = 0; status >= 0 && leati_hashmap_next(&t->maps[group], &at, &entry);)
        status = cell_encode(&entry, &t->pairs, out);
    return status >= 0 && out->failed ? LEAT_E_NOMEM : status;
}

/* --- bit by bit ------------------------------------------------------------------------------- */

leat_status leati_table_freeze(leati_table *t, leati_table_loss loss) {
    if (t->frozen) return LEAT_E_STATE;
    leati_frozen *f = leati_frozen_new(t->groups);
    if (!f) return LEAT_E_NOMEM;
    for (int g = 0; g < t->groups; g++) {
        leati_hashmap_unmark_all(&t->maps[g], !t->given_up);
        leati_frozen_expect(f, g, t->maps[g].count);
    }
    t->frozen = f;
    t->loss = loss;
    return LEAT_OK;
}

bool leati_table_is_frozen(const leati_table *t) {
    return t->frozen != NULL;
}

static leat_status entry_keep(leati_table *t, int group, const leati_hashmap_entry *entry) {
    leati_buf *out = leati_frozen_begin(t->frozen, group);
    leat_status status = cell_encode(entry, &t->frozen->pairs, out);
    status = leati_frozen_end(t->frozen, group, status);
    if (status >= 0) leati_hashmap_mark(&t->maps[group], entry->payload);
    return status;
}

leat_status leati_cell_keep(leati_table *t, const leati_hashmap *map, cell *c) {
    if (!t->frozen || leati_hashmap_is_marked(map, c)) return LEAT_OK;
    leati_hashmap_entry entry = leati_hashmap_entry_of(map, c);
    leat_status status = entry_keep(t, (int)(map - t->maps), &entry);
    return status < 0 && t->loss.tell ? t->loss.tell(t->loss.arg, t, status) : status;
}

leat_status leati_table_keep_group(leati_table *t, int group) {
    const leati_hashmap *map = &t->maps[group];
    leati_hashmap_entry entry;
    leat_status status = LEAT_OK;
    for (size_t at = 0; status >= 0 && leati_hashmap_next(map, &at, &entry);)
        status = leati_cell_keep(t, map, entry.payload);
    return status;
}

/* Looking at a slot is little beside encoding a cell, but not nothing. */
leat_status leati_table_thaw_some(leati_table *t, int budget) {
    enum { SLOTS = 8 };
    leati_frozen *f = t->frozen;
    leat_status status = LEAT_OK;
    while (f && f->left && budget > 0 && status >= 0) {
        int group = leati_frozen_sweep(f),
            slots = budget < INT32_MAX / SLOTS ? budget * SLOTS : INT32_MAX;
        int before = slots;
        leati_hashmap_entry entry;
        bool found = leati_hashmap_next_unmarked(&t->maps[group], &f->at, &slots, &entry);
        budget -= (before - slots) / SLOTS;
        if (!found) continue;
        size_t size = f->group[group].bytes.size;
        status = entry_keep(t, group, &entry);
        budget -= leati_frozen_weight(f->group[group].bytes.size - size);
    }
    if (status < 0) return status;
    return f && f->left ? LEAT_OK : LEAT_DONE;
}

void leati_table_give_up(leati_table *t) {
    if (!t->frozen) return;
    t->given_up = t->frozen->left > 0;
    leati_frozen_free(t->frozen);
    t->frozen = NULL;
}

leat_status leati_table_take_group(leati_table *t, int *group, leati_buf *out) {
    leat_status status = t->frozen ? leati_frozen_take(t->frozen, group, out) : LEAT_DONE;
    if (status == LEAT_DONE) leati_table_give_up(t);
    return status;
}
