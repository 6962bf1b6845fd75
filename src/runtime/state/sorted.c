/* sorted.c: two levels: an array of leaves, each with up to LEAF entries in order.

   A look-up is two binary searches. A full leaf is split in the middle, or, when the new entry goes
   behind all others, as times mostly do, a new leaf begins. An empty leaf goes. So the array
   of leaves moves once in half a leaf's changes at most, and a million entries are some 30,000
   leaves: a few kilobytes to move per entry at worst, and nothing at either end. Leaves that
   removals left nearly empty are not joined; ranges go from the front, mostly, and take them. */
#include "runtime/state/sorted.h"

#include "runtime/base/alloc.h"

enum { LEAF = 64 };

struct leati_leaf {
    uint32_t count;
    leati_entry *entries[LEAF];
};

void leati_sorted_fini(leati_sorted *s) {
    for (size_t i = 0; i < s->leaf_count; i++) leati_free(s->leaves[i]);
    leati_free(s->leaves);
    memset(s, 0, sizeof *s);
}

/* Below, equal or above zero: the entry against the key. */
static inline int order_of(const leati_entry *e, const leati_map_key *key) {
    int order = memcmp(e->bytes, key->bytes, e->size < key->size ? e->size : key->size);
    return order ? order : (e->size > key->size) - (e->size < key->size);
}

/* The leaf that the key is in, or would be: the first whose last entry is not before it, else the
   last leaf. */
static size_t leaf_of(const leati_sorted *s, const leati_map_key *key) {
    size_t low = 0, high = s->leaf_count - 1;
    while (low < high) {
        size_t middle = (low + high) / 2;
        const leati_leaf *leaf = s->leaves[middle];
        if (order_of(leaf->entries[leaf->count - 1], key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

size_t leati_sorted_seek(const leati_sorted *s, const leati_map_key *key, bool *is_it) {
    *is_it = false;
    if (s->leaf_count == 0) return 0;
    size_t at = leaf_of(s, key);
    const leati_leaf *leaf = s->leaves[at];
    uint32_t low = 0, high = leaf->count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        int order = order_of(leaf->entries[middle], key);
        if (order == 0) *is_it = true;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return at * LEAF + low;
}

leati_entry *leati_sorted_at(const leati_sorted *s, size_t *at) {
    size_t leaf = *at / LEAF, i = *at % LEAF;
    if (leaf < s->leaf_count && i >= s->leaves[leaf]->count) {
        leaf++;
        i = 0;
    }
    if (leaf >= s->leaf_count) return NULL;
    *at = leaf * LEAF + i;
    return s->leaves[leaf]->entries[i];
}

leati_entry *leati_sorted_last(const leati_sorted *s, size_t *at) {
    if (s->leaf_count == 0) return NULL;
    size_t leaf = s->leaf_count - 1, i = s->leaves[leaf]->count - 1;
    *at = leaf * LEAF + i;
    return s->leaves[leaf]->entries[i];
}

/* A new empty leaf at that index. */
static leati_leaf *leaf_insert(leati_sorted *s, size_t at) {
    if (s->leaf_count == s->leaf_room) {
        size_t room = s->leaf_room ? 2 * s->leaf_room : 4;
        leati_leaf **leaves = leati_resize(s->leaves, room * sizeof(leati_leaf *));
        if (!leaves) return NULL;
        s->leaves = leaves;
        s->leaf_room = room;
    }
    leati_leaf *leaf = leati_alloc(sizeof *leaf);
    if (!leaf) return NULL;
    leaf->count = 0;
    memmove(s->leaves + at + 1, s->leaves + at, (s->leaf_count - at) * sizeof(leati_leaf *));
    s->leaves[at] = leaf;
    s->leaf_count++;
    return leaf;
}

static void leaf_add(leati_leaf *leaf, size_t i, leati_entry *entry) {
    memmove(leaf->entries + i + 1, leaf->entries + i, (leaf->count - i) * sizeof(leati_entry *));
    leaf->entries[i] = entry;
    leaf->count++;
}

/* The upper half goes into a leaf of its own. */
static bool leaf_split(leati_sorted *s, size_t at) {
    leati_leaf *upper = leaf_insert(s, at + 1);
    if (!upper) return false;
    leati_leaf *lower = s->leaves[at];
    lower->count = upper->count = LEAF / 2;
    memcpy(upper->entries, lower->entries + LEAF / 2, LEAF / 2 * sizeof(leati_entry *));
    return true;
}

/* A leaf that is full has its end at the place of the next leaf's first entry: seek answers that
   only behind the last leaf, where a new one begins. */
bool leati_sorted_add(leati_sorted *s, size_t at, leati_entry *entry) {
    size_t leaf = at / LEAF, i = at % LEAF;
    if (leaf == s->leaf_count && !leaf_insert(s, leaf)) return false;
    if (s->leaves[leaf]->count == LEAF) {
        if (!leaf_split(s, leaf)) return false;
        if (i > LEAF / 2) {
            leaf++;
            i -= LEAF / 2;
        }
    }
    leaf_add(s->leaves[leaf], i, entry);
    s->count++;
    return true;
}

void leati_sorted_remove(leati_sorted *s, size_t at) {
    leati_leaf *leaf = s->leaves[at / LEAF];
    size_t i = at % LEAF, index = at / LEAF;
    leaf->count--;
    memmove(leaf->entries + i, leaf->entries + i + 1, (leaf->count - i) * sizeof(leati_entry *));
    s->count--;
    if (leaf->count) return;
    leati_free(leaf);
    s->leaf_count--;
    memmove(s->leaves + index, s->leaves + index + 1,
            (s->leaf_count - index) * sizeof(leati_leaf *));
}
