/* pile.c: a hash table of piles, each a list of chunks in one arena. Chunks of a pile double up to
   a limit, so that a key with one record wastes nothing and one with a million is read in long
   runs. A key costs one look-up per record; sorting is only of keys, and of those piles whose
   records did not come in order. */
#include "runtime/state/pile.h"

#include "runtime/base/alloc.h"

#include <stdlib.h>

enum { CHUNK_MOST = 4096, ITEM_HEAD = 15 };

typedef struct chunk {
    struct chunk *next;
    uint32_t used, room;
    char bytes[];
} chunk;

struct leati_pile {
    leati_pile_key key;
    chunk *first, *last;
    int64_t last_time;
    unsigned last_input;
    bool disordered;
};

/* A key on its way into order: what decides nearly always stands in it. */
typedef struct place {
    uint64_t high, low; /* the first 16 bytes of the key */
    leati_pile *pile;
} place;

/* A record of a disordered pile. */
typedef struct seat {
    leati_pile_item item;
    uint64_t number;
} seat;

struct leati_piles {
    leati_hashmap map; /* payload: leati_pile * */
    leati_arena arena;
    bool by_time;
    size_t keys;      /* bytes of all keys */
    uint64_t largest; /* records of the largest disordered pile */
    place *places;    /* once sorted */
    size_t at;        /* the next place */
    leati_pile *open; /* whose records are handed out */
    const chunk *chunk;
    size_t chunk_at;
    int64_t time;
    seat *seats; /* of the open pile, when it is disordered */
    size_t seat_room;
    uint64_t seat_at;
};

leati_piles *leati_piles_new(bool by_time) {
    leati_piles *p = leati_zalloc(sizeof *p);
    if (!p) return NULL;
    leati_hashmap_init(&p->map, sizeof(leati_pile *));
    leati_arena_init(&p->arena);
    p->by_time = by_time;
    return p;
}

void leati_piles_clear(leati_piles *p) {
    leati_hashmap_clear(&p->map);
    leati_arena_fini(&p->arena);
    leati_free(p->places);
    leati_free(p->seats);
    p->places = NULL;
    p->seats = NULL;
    p->seat_room = p->at = 0;
    p->largest = 0;
    p->keys = 0;
    p->open = NULL;
    p->chunk = NULL;
}

void leati_piles_free(leati_piles *p) {
    if (!p) return;
    leati_piles_clear(p);
    leati_free(p);
}

size_t leati_piles_count(const leati_piles *p) {
    return p->map.count;
}

size_t leati_piles_memory(const leati_piles *p) {
    return p->arena.bytes + p->keys + p->map.room * (p->map.slot_size + 1) +
           p->map.count * sizeof(place) + (size_t)p->largest * sizeof(seat);
}

/* --- filling ---------------------------------------------------------------------------------- */

void leati_piles_expect(const leati_piles *p, uint64_t next, uint64_t soon) {
    leati_hashmap_expect_slot(&p->map, next);
    leati_hashmap_expect_tag(&p->map, soon);
}

leati_pile *leati_piles_at(leati_piles *p, uint64_t hash, const char *bytes, size_t size) {
    bool added;
    leati_pile **slot = leati_hashmap_add(&p->map, hash, bytes, size, &added);
    if (!slot || !added) return slot ? *slot : NULL;
    leati_pile *pile = leati_arena_alloc(&p->arena, sizeof *pile + size);
    if (!pile) {
        leati_hashmap_remove(&p->map, slot);
        return NULL;
    }
    memset(pile, 0, sizeof *pile);
    if (size) memcpy(pile + 1, bytes, size);
    pile->key = (leati_pile_key){.bytes = (char *)(pile + 1), .size = (uint32_t)size, .hash = hash};
    p->keys += size;
    *slot = pile;
    return pile;
}

bool leati_pile_has_value(const leati_pile *pile) {
    return pile->key.value != NULL;
}

leat_status leati_pile_set_value(leati_piles *p, leati_pile *pile, const char *bytes, size_t size) {
    char *copy = leati_arena_alloc(&p->arena, size);
    if (!copy) return LEAT_E_NOMEM;
    memcpy(copy, bytes, size);
    pile->key.value = copy;
    pile->key.value_size = (uint32_t)size;
    return LEAT_OK;
}

static size_t put_varint(char *to, uint64_t x) {
    size_t n = 0;
    for (; x >= 0x80; x >>= 7) to[n++] = (char)(x | 0x80);
    to[n++] = (char)x;
    return n;
}

/* All that stands before the value; at most ITEM_HEAD bytes. Times wrap, there and back. */
static size_t item_head(char *to, const leati_pile_item *item, int64_t before) {
    size_t n = put_varint(to, (uint64_t)item->size << 1 | item->input);
    uint64_t above = (uint64_t)item->time - (uint64_t)before;
    return n + put_varint(to + n, above << 1 ^ (above >> 63 ? UINT64_MAX : 0));
}

void leati_pile_item_write(leati_buf *out, const leati_pile_item *item, int64_t before) {
    if (!leati_buf_reserve(out, ITEM_HEAD + (size_t)item->size)) return;
    out->size += item_head(out->bytes + out->size, item, before);
    leati_buf_append(out, item->bytes, item->size);
}

bool leati_pile_item_read(leati_reader *in, int64_t before, leati_pile_item *item) {
    uint64_t size = leati_reader_varint(in);
    int64_t above = leati_reader_zigzag(in);
    if (size >> 1 > LEATI_PILE_ITEM_MOST) in->failed = true;
    item->size = (uint32_t)(size >> 1);
    item->input = size & 1;
    item->time = (int64_t)((uint64_t)before + (uint64_t)above);
    item->bytes = leati_reader_bytes(in, item->size);
    return !in->failed;
}

static chunk *chunk_for(leati_piles *p, leati_pile *pile, size_t bytes) {
    chunk *last = pile->last;
    if (last && last->room - last->used >= bytes) return last;
    size_t room = last ? 2 * (size_t)last->room : bytes;
    if (room > CHUNK_MOST) room = CHUNK_MOST;
    if (room < bytes) room = bytes;
    chunk *made = leati_arena_alloc(&p->arena, sizeof *made + room);
    if (!made) return NULL;
    *made = (chunk){.room = (uint32_t)room};
    if (last)
        last->next = made;
    else
        pile->first = made;
    return pile->last = made;
}

static bool comes_before(int64_t time, unsigned input, int64_t other, unsigned other_input) {
    return time < other || (time == other && input < other_input);
}

leat_status leati_pile_append(leati_piles *p, leati_pile *pile, const leati_pile_item *item) {
    char head[ITEM_HEAD];
    if (item->size > LEATI_PILE_ITEM_MOST) return LEAT_E_RANGE;
    size_t n = item_head(head, item, pile->last_time);
    chunk *c = chunk_for(p, pile, n + item->size);
    if (!c) return LEAT_E_NOMEM;
    memcpy(c->bytes + c->used, head, n);
    memcpy(c->bytes + c->used + n, item->bytes, item->size);
    c->used += (uint32_t)(n + item->size);
    bool behind = pile->key.count++ == 0 ||
                  !comes_before(item->time, item->input, pile->last_time, pile->last_input);
    pile->disordered |= p->by_time && !behind;
    if (pile->disordered && pile->key.count > p->largest) p->largest = pile->key.count;
    pile->last_time = item->time;
    pile->last_input = item->input;
    return LEAT_OK;
}

/* --- keys in order ---------------------------------------------------------------------------- */

static uint64_t load_big(const char *bytes, size_t size) {
    uint64_t x = 0;
    for (size_t i = 0; i < 8; i++) x = x << 8 | (i < size ? (unsigned char)bytes[i] : 0);
    return x;
}

/* A key's bytes end by themselves: of two that differ none is the beginning of the other, so the
   zeros behind a short one decide nothing. */
static int place_order(const void *a, const void *b) {
    const place *x = a, *y = b;
    if (x->high != y->high) return x->high < y->high ? -1 : 1;
    if (x->low != y->low) return x->low < y->low ? -1 : 1;
    const leati_pile_key *k = &x->pile->key, *l = &y->pile->key;
    int order = memcmp(k->bytes, l->bytes, k->size < l->size ? k->size : l->size);
    return order ? order : (k->size > l->size) - (k->size < l->size);
}

leat_status leati_piles_sort(leati_piles *p) {
    leati_hashmap_entry entry;
    place *places = leati_alloc((p->map.count + 1) * sizeof *places);
    if (!places) return LEAT_E_NOMEM;
    size_t n = 0;
    for (size_t at = 0; leati_hashmap_next(&p->map, &at, &entry);) {
        leati_pile *pile = *(leati_pile **)entry.payload;
        size_t size = pile->key.size;
        places[n++] = (place){.high = load_big(pile->key.bytes, size),
                              .low = size > 8 ? load_big(pile->key.bytes + 8, size - 8) : 0,
                              .pile = pile};
    }
    qsort(places, n, sizeof *places, place_order);
    leati_free(p->places);
    p->places = places;
    p->at = 0;
    return LEAT_OK;
}

/* --- records in order ------------------------------------------------------------------------- */

static void rewind_to(leati_piles *p, leati_pile *pile) {
    p->chunk = pile->first;
    p->chunk_at = 0;
    p->time = 0;
}

/* As they came. */
static leat_status read_next(leati_piles *p, leati_pile_item *item) {
    while (p->chunk && p->chunk_at == p->chunk->used) {
        p->chunk = p->chunk->next;
        p->chunk_at = 0;
    }
    if (!p->chunk) return LEAT_DONE;
    leati_reader in = leati_reader_of(p->chunk->bytes + p->chunk_at, p->chunk->used - p->chunk_at);
    if (!leati_pile_item_read(&in, p->time, item)) return LEAT_E_INTERNAL;
    p->chunk_at = p->chunk->used - leati_reader_left(&in);
    p->time = item->time;
    return LEAT_OK;
}

static int seat_order(const void *a, const void *b) {
    const seat *x = a, *y = b;
    if (comes_before(x->item.time, x->item.input, y->item.time, y->item.input)) return -1;
    if (comes_before(y->item.time, y->item.input, x->item.time, x->item.input)) return 1;
    return x->number < y->number ? -1 : x->number > y->number;
}

static leat_status sort_records(leati_piles *p, leati_pile *pile) {
    size_t count = (size_t)pile->key.count;
    if (count > p->seat_room) {
        seat *seats = leati_resize(p->seats, count * sizeof *seats);
        if (!seats) return LEAT_E_NOMEM;
        p->seats = seats;
        p->seat_room = count;
    }
    leat_status status = LEAT_OK;
    for (size_t i = 0; i < count && status == LEAT_OK; i++) {
        p->seats[i].number = i;
        status = read_next(p, &p->seats[i].item);
    }
    if (status != LEAT_OK) return LEAT_E_INTERNAL;
    qsort(p->seats, count, sizeof *p->seats, seat_order);
    p->seat_at = 0;
    return LEAT_OK;
}

/* Keys in order are in no order in memory. */
static void expect_ahead(const leati_piles *p) {
    enum { NEAR = 4, FAR = 12 };
    if (p->at + FAR >= p->map.count) return;
    LEATI_PREFETCH(p->places[p->at + FAR].pile);
    LEATI_PREFETCH(p->places[p->at + NEAR].pile->first);
}

leat_status leati_piles_next_key(leati_piles *p, leati_pile_key *key) {
    if (p->at == p->map.count) return LEAT_DONE;
    leati_pile *pile = p->places[p->at].pile;
    expect_ahead(p);
    rewind_to(p, pile);
    leat_status status = pile->disordered ? sort_records(p, pile) : LEAT_OK;
    if (status < 0) return status;
    p->at++;
    p->open = pile;
    *key = pile->key;
    return LEAT_OK;
}

leat_status leati_piles_next(leati_piles *p, leati_pile_item *item) {
    if (!p->open->disordered) return read_next(p, item);
    if (p->seat_at == p->open->key.count) return LEAT_DONE;
    *item = p->seats[p->seat_at++].item;
    return LEAT_OK;
}
