/* hashed.c: an array of entries in the order in which they came, and an index over it.

   Most maps are short: up to SHORT entries there is no index, and a look-up goes over all of them.
   A removed entry leaves an empty place, which the index still names, so that a run of the index
   does not break; both are made anew, without the empty places, when the array is full. */
#include "runtime/state/hashed.h"

#include "runtime/base/alloc.h"

enum { SHORT = 8 };

void leati_hashed_fini(leati_hashed *h) {
    leati_free(h->places);
    leati_free(h->index);
    memset(h, 0, sizeof *h);
}

static inline bool is_that(const leati_entry *e, const leati_map_key *key) {
    return e && e->hash == key->hash && e->size == key->size &&
           memcmp(e->bytes, key->bytes, key->size) == 0;
}

leati_entry *leati_hashed_find(const leati_hashed *h, const leati_map_key *key, size_t *at) {
    if (!h->index) {
        for (*at = 0; *at < h->used; ++*at)
            if (is_that(h->places[*at], key)) return h->places[*at];
        return NULL;
    }
    uint32_t mask = 2 * h->room - 1;
    for (uint32_t i = (uint32_t)key->hash & mask; h->index[i]; i = (i + 1) & mask) {
        *at = h->index[i] - 1;
        if (is_that(h->places[*at], key)) return h->places[*at];
    }
    return NULL;
}

static void index_add(uint32_t *index, uint32_t mask, uint64_t hash, uint32_t place) {
    uint32_t i = (uint32_t)hash & mask;
    while (index[i]) i = (i + 1) & mask;
    index[i] = place + 1;
}

/* Another array, at most three quarters full, and its index. */
static bool hashed_rebuild(leati_hashed *h) {
    uint32_t room = SHORT;
    while (room - room / 4 <= h->count && room < (uint32_t)1 << 30) room *= 2;
    if (room <= h->count) return false;
    leati_entry **places = leati_alloc(room * sizeof(leati_entry *));
    uint32_t *index = room > SHORT ? leati_zalloc(2 * (size_t)room * sizeof *index) : NULL;
    if (!places || (room > SHORT && !index)) {
        leati_free(places);
        leati_free(index);
        return false;
    }
    uint32_t used = 0;
    for (uint32_t i = 0; i < h->used; i++) {
        if (!h->places[i]) continue;
        if (index) index_add(index, 2 * room - 1, h->places[i]->hash, used);
        places[used++] = h->places[i];
    }
    leati_free(h->places);
    leati_free(h->index);
    *h = (leati_hashed){places, index, used, room, h->count};
    return true;
}

bool leati_hashed_add(leati_hashed *h, leati_entry *entry) {
    if (h->used == h->room && !hashed_rebuild(h)) return false;
    if (h->index) index_add(h->index, 2 * h->room - 1, entry->hash, h->used);
    h->places[h->used++] = entry;
    h->count++;
    return true;
}

void leati_hashed_remove(leati_hashed *h, size_t at) {
    h->places[at] = NULL;
    h->count--;
}

leati_entry *leati_hashed_at(const leati_hashed *h, size_t *at) {
    for (; *at < h->used; ++*at)
        if (h->places[*at]) return h->places[*at];
    return NULL;
}
