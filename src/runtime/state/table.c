/* table.c: the cells of one declared state, in one hash map (hashmap.h) per key group.

   A cell's address is the canonical bytes of its key, which end by themselves, followed by those of
   its namespace. The address of the last call stays in a buffer, with the cell that was found
   there, so that a get and the put that follows it write and look for it once; the map's count of
   moves says whether the cell still stands where it stood.

   While a snapshot is open (table_snapshot.c) every way to change a cell opens it first, and so do
   those that lend what may be changed: cell_open. */
#include "runtime/base/alloc.h"
#include "runtime/base/hash.h"
#include "runtime/data/codec.h"
#include "runtime/data/key.h"
#include "runtime/state/table_inside.h"

leati_table *leati_table_new(int max_parallelism, const leat_state_decl *decl,
                             const leat_type *type) {
    size_t maps = (size_t)max_parallelism * sizeof(leati_hashmap);
    leati_table *t = leati_zalloc(sizeof *t + maps);
    if (!t) return NULL;
    t->decl = decl;
    t->type = type;
    t->groups = max_parallelism;
    for (int i = 0; i < t->groups; i++) leati_hashmap_init(&t->maps[i], sizeof(cell));
    return t;
}

void leati_table_free(leati_table *t) {
    if (!t) return;
    leati_frozen_free(t->frozen);
    for (int i = 0; i < t->groups; i++) {
        leati_hashmap_entry entry;
        for (size_t at = 0; leati_hashmap_next(&t->maps[i], &at, &entry);) {
            leati_packed_drop(entry.payload);
        }
        leati_hashmap_fini(&t->maps[i]);
    }
    leati_buf_fini(&t->address);
    leati_buf_fini(&t->spare);
    leati_buf_fini(&t->map_key);
    leati_buf_fini(&t->pairs);
    leati_free(t);
}

const leat_state_decl *leati_table_decl(const leati_table *t) {
    return t->decl;
}

void leat_state_keeps(leat_state *state, const leat_type *type) {
    if (state) state->keeps = type;
}

const leat_type *leati_table_keeps(const leati_table *t) {
    return t->type ? t->type : t->keeps;
}

const leat_type *leati_table_type(const leati_table *t) {
    return t->type;
}

size_t leati_table_count(const leati_table *t) {
    return t->count;
}

void leati_table_expect(const leati_table *t, uint64_t next, uint64_t soon) {
    leati_hashmap_expect_slot(&t->maps[leati_key_group(next, t->groups)], next);
    leati_hashmap_expect_tag(&t->maps[leati_key_group(soon, t->groups)], soon);
}

/* --- Finding cells ---------------------------------------------------------------------------- */

/* Everything that follows from an address in the buffer whose key has `hash` and `key_size`. */
static void address_done(leati_table *t, uint64_t hash, size_t key_size) {
    const leati_buf *a = &t->address;
    size_t rest = a->size - key_size;
    t->last_hash = hash;
    t->key_size = key_size;
    t->entry_hash = rest ? leati_hash_mix(hash, leati_hash(a->bytes + key_size, rest)) : hash;
    t->last_map = &t->maps[leati_key_group(hash, t->groups)];
    t->last_cell = NULL;
    if (!leati_hashmap_has_words(a->size)) return;
    t->first = leati_word(a->bytes);
    t->last = leati_word(a->bytes + a->size - 8);
}

/* Does the buffer hold this address already? */
static inline bool address_is(const leati_table *t, const char *key, size_t key_size, uint64_t hash,
                              leat_namespace ns) {
    const leati_buf *a = &t->address;
    return t->last_hash == hash && t->key_size == key_size && a->size == key_size + ns.size &&
           memcmp(a->bytes, key, key_size) == 0 &&
           (ns.size == 0 || memcmp(a->bytes + key_size, ns.bytes, ns.size) == 0);
}

/* Of a scalar or a short string; false, and the buffer as it was, when the key is neither. */
static bool address_set_short(leati_table *t, const leat_value *key, uint64_t hash,
                              leat_namespace ns, leat_status *status) {
    char bytes[LEATI_KEY_SHORT];
    size_t size = leati_key_short(key, bytes);
    *status = LEAT_OK;
    if (!size) return false;
    if (address_is(t, bytes, size, hash, ns)) return true;
    leati_buf *a = &t->address;
    a->size = 0;
    a->failed = false;
    leati_buf_append(a, bytes, size);
    leati_buf_append(a, ns.bytes, ns.size);
    if (a->failed || a->size > UINT32_MAX) {
        a->size = 0;
        *status = LEAT_E_NOMEM;
    } else {
        address_done(t, hash, size);
    }
    return true;
}

/* Of a key that had to be written somewhere to be compared: into the spare buffer, which becomes
   the address. */
static leat_status address_set_long(leati_table *t, const leat_value *key, uint64_t hash,
                                    leat_namespace ns) {
    leati_buf *made = &t->spare;
    made->size = 0;
    made->failed = false;
    leat_status status = leati_key_write(key, made);
    size_t key_size = made->size;
    if (status < 0 || address_is(t, made->bytes, key_size, hash, ns)) return status;
    leati_buf_append(made, ns.bytes, ns.size);
    if (made->failed || made->size > UINT32_MAX) return LEAT_E_NOMEM;
    leati_buf last = t->address;
    t->address = *made;
    t->spare = last;
    address_done(t, hash, key_size);
    return LEAT_OK;
}

/* The usual second look: a short string that is compared where it is, in its canonical form. */
static inline bool address_is_string(const leati_table *t, const leat_value *key, uint64_t hash,
                                     leat_namespace ns) {
    const leati_buf *a = &t->address;
    return key->kind == LEAT_STRING && key->size < LEATI_KEY_SHORT - 2 && t->last_hash == hash &&
           ns.size == 0 && a->size == (size_t)key->size + 2 && t->key_size == a->size &&
           a->bytes[0] == LEATI_K_STRING && memcmp(a->bytes + 2, key->as.bytes, key->size) == 0;
}

/* The usual key: an integer, which is compared, and looked for, by words. */
static inline bool address_set_int(leati_table *t, const leat_value *key, uint64_t hash,
                                   leat_namespace ns) {
    leati_buf *a = &t->address;
    uint64_t first, last;
    if (key->kind != LEAT_INT || ns.size || a->room < LEATI_KEY_INT) return false;
    leati_key_words(key->as.i, &first, &last);
    if (a->size == LEATI_KEY_INT && t->last == last && t->first == first) return true;
    a->bytes[0] = LEATI_K_INT;
    leati_word_put(last, a->bytes + 1);
    a->size = t->key_size = LEATI_KEY_INT;
    t->first = first;
    t->last = last;
    t->last_hash = t->entry_hash = hash;
    t->last_map = &t->maps[leati_key_group(hash, t->groups)];
    t->last_cell = NULL;
    return true;
}

/* Makes the address that of this key and namespace. */
static inline leat_status address_set(leati_table *t, const leat_value *key, uint64_t hash,
                                      leat_namespace ns) {
    leat_status status;
    if (address_set_int(t, key, hash, ns) || address_is_string(t, key, hash, ns)) return LEAT_OK;
    if (address_set_short(t, key, hash, ns, &status)) return status;
    return address_set_long(t, key, hash, ns);
}

/* The cell at the address in the buffer, or NULL. */
static cell *cell_at_address(leati_table *t) {
    leati_hashmap *map = t->last_map;
    if (t->last_cell && t->last_moves == map->moves) return t->last_cell;
    const leati_buf *a = &t->address;
    t->last_cell = leati_hashmap_has_words(a->size)
                       ? leati_hashmap_find_words(map, t->entry_hash, t->first, t->last, a->size)
                       : leati_hashmap_find(map, t->entry_hash, a->bytes, a->size);
    t->last_moves = map->moves;
    return t->last_cell;
}

/* The same, made when it is missing; NULL when memory ran out. */
static cell *cell_made(leati_table *t) {
    cell *c = cell_at_address(t);
    if (c) return c;
    bool added;
    c = leati_hashmap_add(t->last_map, t->entry_hash, t->address.bytes, t->address.size, &added);
    if (!c) return NULL;
    leati_hashmap_set_note(t->last_map, c, (uint32_t)t->key_size);
    t->count++;
    t->last_cell = c;
    t->last_moves = t->last_map->moves;
    return c;
}

static void cell_remove(leati_table *t, cell *c) {
    cell gone = *c;
    leati_hashmap_remove(t->last_map, c);
    t->last_cell = NULL;
    t->count--;
    leati_packed_drop(&gone);
}

/* Can it hold live objects, which whoever is lent them may change? */
static inline bool may_change_outside(uint8_t form) {
    switch (form) {
    case LEAT_TUPLE:
    case LEAT_ROW:
    case LEAT_LIST:
    case LEAT_MAP:
    case LEAT_OBJECT:
    case LEATI_PACKED_GROWN:
    case LEATI_PACKED_MAP: return true;
    default: return false;
    }
}

/* --- What is in cells ------------------------------------------------------------------------- */

leat_status leati_table_get(leati_table *t, const leat_value *key, uint64_t hash, leat_namespace ns,
                            leat_value *out) {
    leat_status status = address_set(t, key, hash, ns);
    if (status < 0) return status;
    cell *c = cell_at_address(t);
    if (!c) return LEAT_DONE;
    if (LEAT_UNLIKELY(t->frozen) && may_change_outside(c->form)) {
        status = leati_cell_keep(t, t->last_map, c);
        if (status < 0) return status;
    }
    if (LEAT_UNLIKELY(leati_packed_is_special(c))) {
        leati_content content = leati_packed_open(c, t->lent);
        return leati_content_view(&content, &t->pairs, out);
    }
    *out = leati_packed_value(c, t->lent);
    return LEAT_OK;
}

leat_status leati_table_edit(leati_table *t, const leat_value *key, uint64_t hash,
                             leat_namespace ns, leat_value *out) {
    leat_status status = address_set(t, key, hash, ns);
    if (status < 0) return status;
    cell *c = cell_at_address(t);
    if (!c) return LEAT_DONE;
    if (c->form != LEAT_BYTES) return LEAT_E_TYPE;
    status = cell_open(t, t->last_map, c);
    if (status < 0) return status;
    *out = leati_packed_value(c, t->lent);
    return LEAT_OK;
}

/* Stores at the address in the buffer; a cell that was made for a value that failed goes again. */
static leat_status table_store(leati_table *t, const leat_value *value) {
    size_t before = t->count;
    cell *c = cell_made(t);
    if (!c) return LEAT_E_NOMEM;
    leat_status status = cell_open(t, t->last_map, c);
    if (status >= 0) status = leati_packed_store(c, value);
    if (status < 0 && t->count > before) cell_remove(t, c);
    return status;
}

leat_status leati_table_put(leati_table *t, const leat_value *key, uint64_t hash, leat_namespace ns,
                            const leat_value *value) {
    leat_status status = address_set(t, key, hash, ns);
    return status < 0 ? status : table_store(t, value);
}

leat_status leati_table_remove(leati_table *t, const leat_value *key, uint64_t hash,
                               leat_namespace ns) {
    leat_status status = address_set(t, key, hash, ns);
    if (status < 0) return status;
    cell *c = cell_at_address(t);
    if (!c) return LEAT_OK;
    status = cell_open(t, t->last_map, c);
    if (status >= 0) cell_remove(t, c);
    return status;
}

leat_status leati_table_append(leati_table *t, const leat_value *key, uint64_t hash,
                               leat_namespace ns, const leat_value *item, const int64_t *time) {
    leat_status status = address_set(t, key, hash, ns);
    if (status < 0) return status;
    size_t before = t->count;
    cell *c = cell_made(t);
    if (!c) return LEAT_E_NOMEM;
    status = cell_open(t, t->last_map, c);
    if (status < 0) return status;
    leat_value items[LEATI_PACKED_ITEMS];
    leati_content content = leati_packed_open(c, items);
    status = leati_content_append(&content, item, 1, time);
    leati_packed_close(c, &content);
    if (status < 0 && t->count > before) cell_remove(t, c);
    return status;
}

/* Appends what `from` holds to what `into` does; a new cell takes it over as it is. */
static leat_status cell_merge(cell *into, bool is_new, cell *from) {
    if (is_new) {
        *into = *from;
        memset(from, 0, sizeof *from);
        return LEAT_OK;
    }
    leat_value items[LEATI_PACKED_ITEMS], from_items[LEATI_PACKED_ITEMS];
    leati_content to = leati_packed_open(into, items), taken = leati_packed_open(from, from_items);
    bool timed = leati_value_is_timed(&taken.value), was = leati_value_is_timed(&to.value);
    const leat_value *list = timed ? &taken.value.as.items[1] : &taken.value;
    int64_t time = timed ? taken.value.as.items[0].as.i : 0;
    if (list->kind != LEAT_LIST) return LEAT_E_TYPE;
    if (was && time < to.value.as.items[0].as.i) time = to.value.as.items[0].as.i;
    leat_status status =
        leati_content_append(&to, list->as.items, list->size, timed ? &time : NULL);
    leati_packed_close(into, &to);
    return status;
}

/* Both cells have the same key, so they are in one map. */
leat_status leati_table_merge(leati_table *t, const leat_value *key, uint64_t hash,
                              leat_namespace into_ns, leat_namespace from_ns) {
    leat_status status = address_set(t, key, hash, from_ns);
    if (status < 0) return status;
    if (!cell_at_address(t)) return LEAT_OK;
    status = address_set(t, key, hash, into_ns);
    if (status < 0) return status;
    size_t before = t->count;
    cell *into = cell_made(t);
    if (!into) return LEAT_E_NOMEM;
    bool is_new = t->count > before;
    status = address_set(t, key, hash, from_ns);
    cell *from = status < 0 ? NULL : cell_at_address(t);
    if (from && from != into) {
        status = cell_open(t, t->last_map, into);
        if (status >= 0) status = cell_open(t, t->last_map, from);
        if (status >= 0) status = cell_merge(into, is_new, from);
    }
    if (status < 0 && is_new) cell_remove(t, into);
    if (status >= 0 && from && from != into) cell_remove(t, from);
    return status;
}

/* --- Maps ------------------------------------------------------------------------------------- */

leat_status leati_table_map(leati_table *t, const leat_value *key, uint64_t hash, leat_namespace ns,
                            leati_purpose purpose, leati_map **out) {
    leat_status status = address_set(t, key, hash, ns);
    if (status < 0) return status;
    size_t before = t->count;
    bool make = purpose == LEATI_MAKE;
    cell *c = make ? cell_made(t) : cell_at_address(t);
    if (!c) return make ? LEAT_E_NOMEM : LEAT_DONE;
    if (purpose != LEATI_READ) status = cell_open(t, t->last_map, c);
    if (status < 0) return status;
    leat_value items[LEATI_PACKED_ITEMS];
    leati_content content = leati_packed_open(c, items);
    status = leati_content_map(&content, t->decl->kind == LEAT_ORDERED_MAP_STATE, out);
    leati_packed_close(c, &content);
    if (status < 0 && t->count > before) cell_remove(t, c);
    return status;
}

leat_status leati_table_change(leati_table *t) {
    return t->frozen ? leati_cell_keep(t, t->last_map, cell_at_address(t)) : LEAT_OK;
}

leat_status leati_table_lend(leati_table *t, const leat_value *value) {
    if (LEAT_LIKELY(!t->frozen) || !may_change_outside(value->kind)) return LEAT_OK;
    return leati_cell_keep(t, t->last_map, cell_at_address(t));
}

leat_status leati_table_map_key(leati_table *t, const leat_value *key, leati_map_key *out) {
    return leati_map_key_of(t->decl->kind == LEAT_ORDERED_MAP_STATE, key, &t->map_key, out);
}

/* --- Values that expire ----------------------------------------------------------------------- */

const leat_ttl *leati_table_ttl(const leati_table *t) {
    return &t->ttl;
}

leat_status leati_table_set_ttl(leati_table *t, const leat_ttl *ttl) {
    const leat_ttl *old = &t->ttl;
    bool same = old->ms == ttl->ms && old->on_read == ttl->on_read &&
                old->show_expired == ttl->show_expired;
    if (t->ttl_is_set && !same) return LEAT_E_STATE;
    if (t->ttl_is_foreseen && (old->ms > 0) != (ttl->ms > 0)) return LEAT_E_STATE;
    t->ttl = *ttl;
    t->ttl_is_set = true;
    return LEAT_OK;
}

void leati_table_foresee_ttl(leati_table *t, bool expires) {
    t->ttl.ms = expires ? INT64_MAX : 0;
    t->ttl_is_foreseen = true;
}

leat_status leati_table_touch(leati_table *t, int64_t now) {
    cell *c = t->last_cell;
    leat_status status = cell_open(t, t->last_map, c);
    if (status < 0) return status;
    leat_value scratch[LEATI_PACKED_ITEMS];
    leati_content content = leati_packed_open(c, scratch);
    leat_value *items = (leat_value *)(uintptr_t)content.value.as.items;
    items[0] = leat_int(now);
    leati_packed_close(c, &content);
    return LEAT_OK;
}

/* Of a map when its youngest entry was used. False when that is not known. */
static bool cell_last_use(const cell *c, int64_t *time) {
    leat_value items[LEATI_PACKED_ITEMS];
    leati_content content = leati_packed_open(c, items);
    if (content.room == LEATI_MAPS) {
        *time = leati_map_latest((const leati_map *)(const void *)content.block);
        return *time > INT64_MIN;
    }
    if (!leati_value_is_timed(&content.value)) return false;
    *time = content.value.as.items[0].as.i;
    return true;
}

leat_status leati_table_sweep(leati_table *t, int64_t now, int count) {
    leati_hashmap_entry entry;
    for (int empty = 0; count > 0 && empty <= t->groups;) {
        leati_hashmap *map = &t->maps[t->sweep_group];
        if (!leati_hashmap_next(map, &t->sweep_at, &entry)) {
            t->sweep_at = 0;
            t->sweep_group = (t->sweep_group + 1) % t->groups;
            empty++;
            continue;
        }
        count--;
        cell *c = entry.payload;
        int64_t last;
        if (!cell_last_use(c, &last) || now - last < t->ttl.ms) continue;
        leat_status status = cell_open(t, map, c);
        if (status < 0) return status;
        t->last_map = map;
        t->address.size = 0;
        cell_remove(t, c);
    }
    return LEAT_OK;
}

/* Cells of a small map go one by one, so that it keeps its memory for those of the next key; what
   one key made large is given back. */
leat_status leati_table_forget(leati_table *t, int group) {
    enum { SMALL_ROOM = 64 };
    leati_hashmap *map = &t->maps[group];
    leati_hashmap_entry entry;
    if (!map->count) return LEAT_OK;
    leat_status status = t->frozen ? leati_table_keep_group(t, group) : LEAT_OK;
    if (status < 0) return status;
    t->address.size = 0;
    t->last_cell = NULL;
    t->last_map = map;
    if (map->room <= SMALL_ROOM) {
        for (size_t at = 0; leati_hashmap_next(map, &at, &entry); at = 0)
            cell_remove(t, entry.payload);
        return LEAT_OK;
    }
    t->count -= map->count;
    for (size_t at = 0; leati_hashmap_next(map, &at, &entry);) leati_packed_drop(entry.payload);
    leati_hashmap_clear(map);
    return LEAT_OK;
}

/* --- Restoring -------------------------------------------------------------------------------- */

/* Key, namespace, value. */
enum { LEAST_CELL = 4 };

static leat_status cell_restore(leati_table *t, leati_reader *in, uint16_t domain,
                                leati_arena *arena) {
    size_t key_size = 0, ns_size = 0;
    const char *key = leati_reader_blob(in, &key_size);
    const char *ns = leati_reader_blob(in, &ns_size);
    if (!key || !ns || key_size == 0 || key_size > UINT32_MAX) return LEAT_E_FORMAT;
    leat_value value;
    leat_status status = leati_value_decode(in, domain, arena, &value);
    if (status < 0) return status;
    leati_buf *a = &t->address;
    a->size = 0;
    a->failed = false;
    leati_buf_append(a, key, key_size);
    leati_buf_append(a, ns, ns_size);
    if (a->failed) {
        a->size = 0;
        return LEAT_E_NOMEM;
    }
    address_done(t, leati_hash(key, key_size), key_size);
    return table_store(t, &value);
}

/* Room for the cells that follow, all of the same key group. */
static void reserve(leati_table *t, leati_reader in, uint64_t count) {
    size_t size;
    const char *key = leati_reader_blob(&in, &size);
    if (!key) return;
    leati_hashmap *map = &t->maps[leati_key_group(leati_hash(key, size), t->groups)];
    leati_hashmap_reserve(map, map->count + (size_t)count);
}

leat_status leati_table_restore(leati_table *t, leati_reader *in, uint16_t domain) {
    leati_arena arena;
    leati_arena_init(&arena);
    leat_status status = LEAT_OK;
    while (leati_reader_left(in) && status >= 0) {
        uint64_t count = leati_reader_varint(in);
        if (in->failed || count > leati_reader_left(in) / LEAST_CELL) status = LEAT_E_FORMAT;
        if (status >= 0) reserve(t, *in, count);
        for (; count > 0 && status >= 0; count--) {
            status = cell_restore(t, in, domain, &arena);
            leati_arena_reset(&arena);
        }
    }
    leati_arena_fini(&arena);
    return status;
}
