/* hashmap.c: linear probing with one tag byte per slot, in two arrays of one allocation.

   A look-up scans tags from the hash's home slot to the first free one, and looks at a slot only
   when seven bits of the hash agree. Removing shifts the rest of the run back, so there are no
   tombstones and a table never gets slower by use. If growing fails, the old table stays as it is.

   A slot is the payload, 32 bits of the hash, and what it is found by: two bytes of sizes and the
   bytes themselves, up to NEAR or what is left of the slot; longer ones stand beside it, with a
   head. Memory is what limits tables with many entries, so no slot has a byte that is not used, and
   a large table grows by a quarter only, before six of seven slots are taken: scanning tags costs
   little. The home is the hash's low 32 bits, scaled to the room, and the tag its bits 32 to 38,
   since tables of one key group have the highest bits in common (key.h).

   A mark is a number of three bits beside the note, so that all lose theirs when the table goes on
   to the next number. Only where some kept an old one seven times over, which takes as many
   unmarkings that were not followed by a marking of all, are they written anew. */
#include "runtime/base/hashmap.h"

#include "runtime/base/alloc.h"

#include <string.h>

enum { NEAR = 14, FIRST_ROOM = 8, DOUBLED_ROOM = 256, LINE = 64, IS_FAR = 255 };
enum { NOTE = 0x1f, MARK = 0xe0, MARK_ONE = 0x20, MARKS = 8 };

/* Behind the payload. */
typedef struct tail {
    uint32_t hash;
    uint8_t size; /* of the bytes; IS_FAR: the slot ends with a pointer to them */
    uint8_t note; /* NOTE, of near bytes, and MARK */
    char near[];  /* to the end of the slot */
} tail;

/* Bytes that do not fit into a slot. */
typedef struct far_bytes {
    uint32_t size, note;
    char bytes[];
} far_bytes;

static inline char *slot_at(const leati_hashmap *m, size_t i) {
    return m->slots + i * m->slot_size;
}

static inline tail *tail_of(const leati_hashmap *m, void *slot) {
    return (tail *)(void *)((char *)slot + m->payload_size);
}

static inline size_t near_room(const leati_hashmap *m) {
    return m->slot_size - m->payload_size - offsetof(tail, near);
}

/* The pointer stands in the last eight bytes of the slot, where it is aligned. */
static inline char *far_place(const leati_hashmap *m, const tail *t) {
    char *slot = (char *)(uintptr_t)t - m->payload_size;
    return slot + m->slot_size - sizeof(far_bytes *);
}

static inline far_bytes *far_of(const leati_hashmap *m, const tail *t) {
    far_bytes *far;
    memcpy(&far, far_place(m, t), sizeof far);
    return far;
}

static inline bool slot_is(const leati_hashmap *m, const tail *t, uint32_t hash, const void *bytes,
                           size_t size) {
    if (t->hash != hash) return false;
    if (LEAT_LIKELY(t->size != IS_FAR)) return t->size == size && !memcmp(t->near, bytes, size);
    const far_bytes *far = far_of(m, t);
    return far->size == size && memcmp(far->bytes, bytes, size) == 0;
}

static inline bool words_are(const char *bytes, size_t size, uint64_t first, uint64_t last) {
    return leati_word(bytes) == first && leati_word(bytes + size - 8) == last;
}

static LEATI_APART bool far_words_are(const leati_hashmap *m, const tail *t, uint64_t first,
                                      uint64_t last, size_t size) {
    const far_bytes *far = far_of(m, t);
    return far->size == size && words_are(far->bytes, size, first, last);
}

static inline uint8_t tag_of(uint64_t hash) {
    return (uint8_t)(0x80 | (hash >> 32));
}

static bool tail_set_bytes(const leati_hashmap *m, tail *t, const void *bytes, size_t size) {
    t->note = m->mark;
    if (size <= near_room(m)) {
        if (size) memcpy(t->near, bytes, size);
        t->size = (uint8_t)size;
        return true;
    }
    far_bytes *far = leati_alloc(sizeof *far + size);
    if (!far) return false;
    far->size = (uint32_t)size;
    far->note = 0;
    memcpy(far->bytes, bytes, size);
    memcpy(far_place(m, t), &far, sizeof far);
    t->size = IS_FAR;
    return true;
}

static void tail_drop_bytes(const leati_hashmap *m, const tail *t) {
    if (t->size == IS_FAR) leati_free(far_of(m, t));
}

/* Payloads are multiples of four bytes, so near bytes are at most NEAR + 7, which NOTE has. */
void leati_hashmap_init(leati_hashmap *m, size_t payload_size) {
    memset(m, 0, sizeof *m);
    m->payload_size = (uint32_t)((payload_size + 3) & ~(size_t)3);
    m->slot_size = (uint32_t)((m->payload_size + offsetof(tail, near) + NEAR + 7) & ~(size_t)7);
}

void leati_hashmap_clear(leati_hashmap *m) {
    for (size_t i = 0; i < m->room; i++) {
        if (m->tags[i]) tail_drop_bytes(m, tail_of(m, slot_at(m, i)));
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

static inline size_t after(const leati_hashmap *m, size_t i) {
    return i + 1 == m->room ? 0 : i + 1;
}

void leati_hashmap_expect_slot(const leati_hashmap *m, uint64_t hash) {
    if (m->room == 0) return;
    uint8_t tag = tag_of(hash);
    for (size_t i = leati_hashmap_home(m, (uint32_t)hash); m->tags[i]; i = after(m, i)) {
        if (m->tags[i] != tag) continue;
        LEATI_PREFETCH(slot_at(m, i));
        LEATI_PREFETCH(slot_at(m, i) + m->slot_size - 1);
        return;
    }
}

void *leati_hashmap_find(const leati_hashmap *m, uint64_t hash, const void *bytes, size_t size) {
    if (m->count == 0) return NULL;
    uint8_t tag = tag_of(hash);
    for (size_t i = leati_hashmap_home(m, (uint32_t)hash); m->tags[i]; i = after(m, i)) {
        if (m->tags[i] != tag) continue;
        char *slot = slot_at(m, i);
        if (slot_is(m, tail_of(m, slot), (uint32_t)hash, bytes, size)) return slot;
    }
    return NULL;
}

void *leati_hashmap_find_words(const leati_hashmap *m, uint64_t hash, uint64_t first, uint64_t last,
                               size_t size) {
    if (m->count == 0) return NULL;
    uint8_t tag = tag_of(hash);
    for (size_t i = leati_hashmap_home(m, (uint32_t)hash); m->tags[i]; i = after(m, i)) {
        if (m->tags[i] != tag) continue;
        char *slot = slot_at(m, i);
        const tail *t = tail_of(m, slot);
        if (t->hash != (uint32_t)hash) continue;
        bool same = t->size == size     ? words_are(t->near, size, first, last)
                    : t->size == IS_FAR ? far_words_are(m, t, first, last, size)
                                        : false;
        if (LEAT_LIKELY(same)) return slot;
    }
    return NULL;
}

static size_t free_slot(const leati_hashmap *m, uint32_t hash) {
    size_t i = leati_hashmap_home(m, hash);
    while (m->tags[i]) i = after(m, i);
    return i;
}

static size_t next_room(size_t room) {
    if (room < FIRST_ROOM) return FIRST_ROOM;
    return room < DOUBLED_ROOM ? 2 * room : room + room / 4;
}

static size_t most_entries(size_t room) {
    return room < DOUBLED_ROOM ? room - room / 4 : room - room / 7;
}

static bool hashmap_grow(leati_hashmap *m, size_t room) {
    leati_hashmap grown = *m;
    grown.room = room;
    if (grown.room > UINT32_MAX) return false;
    grown.memory = leati_alloc(grown.room * (m->slot_size + 1) + LINE);
    if (!grown.memory) return false;
    grown.slots = (char *)(((uintptr_t)grown.memory + LINE - 1) & ~(uintptr_t)(LINE - 1));
    grown.tags = (uint8_t *)grown.slots + grown.room * m->slot_size;
    memset(grown.tags, 0, grown.room);
    for (size_t i = 0; i < m->room; i++) {
        if (!m->tags[i]) continue;
        char *slot = slot_at(m, i);
        size_t to = free_slot(&grown, tail_of(m, slot)->hash);
        grown.tags[to] = m->tags[i];
        memcpy(slot_at(&grown, to), slot, m->slot_size);
    }
    leati_free(m->memory);
    *m = grown;
    m->moves++;
    return true;
}

void leati_hashmap_reserve(leati_hashmap *m, size_t entries) {
    size_t room = m->room;
    while (most_entries(room) < entries && room <= UINT32_MAX) room = next_room(room);
    if (room > m->room) hashmap_grow(m, room);
}

void *leati_hashmap_add(leati_hashmap *m, uint64_t hash, const void *bytes, size_t size,
                        bool *added) {
    void *payload = leati_hashmap_find(m, hash, bytes, size);
    *added = false;
    if (payload) return payload;
    if (size > UINT32_MAX) return NULL;
    if (m->count + 1 > most_entries(m->room) && !hashmap_grow(m, next_room(m->room))) return NULL;
    size_t i = free_slot(m, (uint32_t)hash);
    char *slot = slot_at(m, i);
    tail *t = tail_of(m, slot);
    if (!tail_set_bytes(m, t, bytes, size)) return NULL;
    t->hash = (uint32_t)hash;
    m->tags[i] = tag_of(hash);
    m->count++;
    *added = true;
    return memset(slot, 0, m->payload_size);
}

static size_t distance(const leati_hashmap *m, size_t from, size_t to) {
    return to >= from ? to - from : to + m->room - from;
}

/* Fills the hole with the next entry of the run that may stand there, until the run ends. */
void leati_hashmap_remove(leati_hashmap *m, void *payload) {
    tail_drop_bytes(m, tail_of(m, payload));
    size_t hole = (size_t)((char *)payload - m->slots) / m->slot_size;
    for (size_t i = after(m, hole); m->tags[i]; i = after(m, i)) {
        size_t home = leati_hashmap_home(m, tail_of(m, slot_at(m, i))->hash);
        if (distance(m, home, i) < distance(m, hole, i)) continue;
        memcpy(slot_at(m, hole), slot_at(m, i), m->slot_size);
        m->tags[hole] = m->tags[i];
        hole = i;
    }
    m->tags[hole] = 0;
    m->count--;
    m->moves++;
}

void leati_hashmap_set_note(leati_hashmap *m, void *payload, uint32_t note) {
    tail *t = tail_of(m, payload);
    if (t->size == IS_FAR)
        far_of(m, t)->note = note;
    else
        t->note = (uint8_t)((t->note & MARK) | note);
}

leati_hashmap_entry leati_hashmap_entry_of(const leati_hashmap *m, void *payload) {
    const tail *t = tail_of(m, payload);
    if (t->size == IS_FAR) {
        const far_bytes *far = far_of(m, t);
        return (leati_hashmap_entry){far->bytes, far->size, far->note, payload};
    }
    return (leati_hashmap_entry){t->near, t->size, t->note & NOTE, payload};
}

bool leati_hashmap_next(const leati_hashmap *m, size_t *at, leati_hashmap_entry *out) {
    while (*at < m->room && !m->tags[*at]) (*at)++;
    if (*at >= m->room) return false;
    *out = leati_hashmap_entry_of(m, slot_at(m, (*at)++));
    return true;
}

/* --- marks ------------------------------------------------------------------------------------ */

void leati_hashmap_unmark_all(leati_hashmap *m, bool all_are_marked) {
    if (all_are_marked) m->older = 0;
    if (++m->older == MARKS) {
        for (size_t i = 0; i < m->room; i++) {
            if (m->tags[i]) leati_hashmap_mark(m, slot_at(m, i));
        }
        m->older = 1;
    }
    m->mark = (uint8_t)(m->mark + MARK_ONE);
}

static inline bool is_marked(const leati_hashmap *m, const tail *t) {
    return (t->note & MARK) == m->mark;
}

bool leati_hashmap_is_marked(const leati_hashmap *m, void *payload) {
    return is_marked(m, tail_of(m, payload));
}

void leati_hashmap_mark(leati_hashmap *m, void *payload) {
    tail *t = tail_of(m, payload);
    t->note = (uint8_t)((t->note & NOTE) | m->mark);
}

bool leati_hashmap_next_unmarked(const leati_hashmap *m, size_t *at, int *steps,
                                 leati_hashmap_entry *out) {
    for (; *steps > 0 && *at < m->room; ++*at) {
        --*steps;
        if (!m->tags[*at] || is_marked(m, tail_of(m, slot_at(m, *at)))) continue;
        *out = leati_hashmap_entry_of(m, slot_at(m, (*at)++));
        return true;
    }
    if (*at >= m->room) *at = 0;
    return false;
}
