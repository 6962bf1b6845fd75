/* hashmap.c: linear probing with one tag byte per slot, in two arrays of one allocation.

   A look-up scans tags from the hash's home slot to the first free one, and looks at a slot only
   when seven bits of the hash agree. Removing shifts the rest of the run back, so there are no
   tombstones and a table never gets slower by use. Bytes up to NEAR stand in the slot, longer ones
   beside it. The table is grown before it is three quarters full: if that fails, the old one stays
   as it is. The home slot comes from the low bits and the tag from bits 32 to 38, since tables of
   one key group have the highest bits in common (key.h). Slots begin at a cache line, so that one
   of 64 bytes is one line. */
#include "runtime/base/hashmap.h"

#include "runtime/base/alloc.h"

#include <string.h>

enum { NEAR = 20, FIRST_ROOM = 8, LINE = 64 };

typedef struct slot {
    uint64_t hash;
    char near[NEAR]; /* the bytes, or an (aligned) pointer to them */
    uint32_t size;
} slot;

static inline slot *slot_at(const leati_hashmap *m, size_t i) {
    return (slot *)(void *)(m->slots + i * m->slot_size);
}

static inline void *slot_payload(slot *s) {
    return s + 1;
}

static inline const char *slot_bytes(const slot *s) {
    if (s->size <= NEAR) return s->near;
    const char *far;
    memcpy(&far, s->near, sizeof far);
    return far;
}

static inline uint8_t tag_of(uint64_t hash) {
    return (uint8_t)(0x80 | (hash >> 32));
}

static bool slot_set_bytes(slot *s, const void *bytes, size_t size) {
    if (size <= NEAR) {
        if (size) memcpy(s->near, bytes, size);
    } else {
        char *far = leati_memdup(bytes, size);
        if (!far) return false;
        memcpy(s->near, &far, sizeof far);
    }
    s->size = (uint32_t)size;
    return true;
}

static void slot_drop_bytes(slot *s) {
    if (s->size <= NEAR) return;
    char *far;
    memcpy(&far, s->near, sizeof far);
    leati_free(far);
}

void leati_hashmap_init(leati_hashmap *m, size_t payload_size) {
    memset(m, 0, sizeof *m);
    m->payload_size = (uint32_t)payload_size;
    m->slot_size = (uint32_t)((sizeof(slot) + payload_size + 7) & ~(size_t)7);
}

void leati_hashmap_clear(leati_hashmap *m) {
    for (size_t i = 0; i < m->room; i++) {
        if (m->tags[i]) slot_drop_bytes(slot_at(m, i));
    }
    leati_free(m->memory);
    m->memory = m->slots = NULL;
    m->tags = NULL;
    m->count = m->room = 0;
    m->moves++;
}

void leati_hashmap_fini(leati_hashmap *m) {
    leati_hashmap_clear(m);
}

void *leati_hashmap_find(const leati_hashmap *m, uint64_t hash, const void *bytes, size_t size) {
    if (m->count == 0) return NULL;
    leati_hashmap_expect(m, hash);
    size_t mask = m->room - 1;
    uint8_t tag = tag_of(hash);
    for (size_t i = hash & mask; m->tags[i]; i = (i + 1) & mask) {
        if (m->tags[i] != tag) continue;
        slot *s = slot_at(m, i);
        if (s->hash == hash && s->size == size && memcmp(slot_bytes(s), bytes, size) == 0)
            return slot_payload(s);
    }
    return NULL;
}

static size_t free_slot(const leati_hashmap *m, uint64_t hash) {
    size_t i = hash & (m->room - 1);
    while (m->tags[i]) i = (i + 1) & (m->room - 1);
    return i;
}

static bool hashmap_grow(leati_hashmap *m) {
    leati_hashmap grown = *m;
    grown.room = m->room ? m->room * 2 : FIRST_ROOM;
    if (grown.room > SIZE_MAX / (m->slot_size + 1)) return false;
    grown.memory = leati_alloc(grown.room * (m->slot_size + 1) + LINE);
    if (!grown.memory) return false;
    grown.slots = (char *)(((uintptr_t)grown.memory + LINE - 1) & ~(uintptr_t)(LINE - 1));
    grown.tags = (uint8_t *)grown.slots + grown.room * m->slot_size;
    memset(grown.tags, 0, grown.room);
    for (size_t i = 0; i < m->room; i++) {
        if (!m->tags[i]) continue;
        const slot *s = slot_at(m, i);
        size_t to = free_slot(&grown, s->hash);
        grown.tags[to] = m->tags[i];
        memcpy(slot_at(&grown, to), s, m->slot_size);
    }
    leati_free(m->memory);
    *m = grown;
    m->moves++;
    return true;
}

void *leati_hashmap_add(leati_hashmap *m, uint64_t hash, const void *bytes, size_t size,
                        bool *added) {
    void *payload = leati_hashmap_find(m, hash, bytes, size);
    *added = false;
    if (payload) return payload;
    if (size > UINT32_MAX) return NULL;
    if (m->count + 1 > m->room - m->room / 4 && !hashmap_grow(m)) return NULL;
    size_t i = free_slot(m, hash);
    slot *s = slot_at(m, i);
    if (!slot_set_bytes(s, bytes, size)) return NULL;
    s->hash = hash;
    m->tags[i] = tag_of(hash);
    m->count++;
    *added = true;
    return memset(slot_payload(s), 0, m->slot_size - sizeof *s);
}

/* Fills the hole with the next entry of the run that may stand there, until the run ends. */
void leati_hashmap_remove(leati_hashmap *m, void *payload) {
    slot *gone = (slot *)payload - 1;
    slot_drop_bytes(gone);
    size_t mask = m->room - 1;
    size_t hole = (size_t)((char *)gone - m->slots) / m->slot_size;
    for (size_t i = (hole + 1) & mask; m->tags[i]; i = (i + 1) & mask) {
        size_t home = slot_at(m, i)->hash & mask;
        if (((i - home) & mask) < ((i - hole) & mask)) continue;
        memcpy(slot_at(m, hole), slot_at(m, i), m->slot_size);
        m->tags[hole] = m->tags[i];
        hole = i;
    }
    m->tags[hole] = 0;
    m->count--;
    m->moves++;
}

static leati_hashmap_entry slot_entry(slot *s) {
    leati_hashmap_entry entry = {s->hash, slot_bytes(s), s->size, slot_payload(s)};
    return entry;
}

leati_hashmap_entry leati_hashmap_entry_of(const leati_hashmap *m, void *payload) {
    (void)m;
    return slot_entry((slot *)payload - 1);
}

bool leati_hashmap_next(const leati_hashmap *m, size_t *at, leati_hashmap_entry *out) {
    while (*at < m->room && !m->tags[*at]) (*at)++;
    if (*at == m->room) return false;
    *out = slot_entry(slot_at(m, (*at)++));
    return true;
}
