/* grown.c: lists that grow. Chunks are small at first, as most lists are short, and double up to
   LARGEST_CHUNK; what is larger gets a chunk of its own. What an append that failed had placed in
   a chunk is lost until the list is freed. */
#include "runtime/state/grown.h"

#include "runtime/base/alloc.h"
#include "runtime/data/copy.h"

enum { FIRST_ITEMS = 4, FIRST_CHUNK = 64, LARGEST_CHUNK = 16384 };

typedef struct chunk {
    struct chunk *older;
    size_t room;
    char bytes[];
} chunk;

struct leati_grown {
    leat_value *items;
    size_t count, room;
    chunk *chunks;    /* newest first */
    char *next, *end; /* free bytes of the newest */
    char *block;      /* what the first items point into, adopted; or NULL */
    leat_value timed[2];
    leat_value current;
};

static bool reserve_items(leati_grown *g, size_t count) {
    if (count > UINT32_MAX - g->count) return false;
    if (g->count + count <= g->room) return true;
    size_t room = g->room ? 2 * g->room : FIRST_ITEMS;
    while (room < g->count + count) room *= 2;
    leat_value *items = leati_resize(g->items, room * sizeof *items);
    if (!items) return false;
    g->items = items;
    g->room = room;
    return true;
}

static void *place_for(leati_grown *g, size_t bytes) {
    if ((size_t)(g->end - g->next) < bytes) {
        size_t room = g->chunks ? 2 * g->chunks->room : FIRST_CHUNK;
        if (room > LARGEST_CHUNK) room = LARGEST_CHUNK;
        if (room < bytes) room = bytes;
        chunk *c = leati_alloc(sizeof *c + room);
        if (!c) return NULL;
        c->older = g->chunks;
        c->room = room;
        g->chunks = c;
        g->next = c->bytes;
        g->end = c->bytes + room;
    }
    void *p = g->next;
    g->next += bytes;
    return p;
}

leati_grown *leati_grown_new(const leat_value *list, char *block) {
    leati_grown *g = leati_zalloc(sizeof *g);
    size_t count = list->kind == LEAT_LIST ? list->size : 0;
    if (!g || !reserve_items(g, count + 1)) {
        leati_grown_free(g);
        return NULL;
    }
    if (count) memcpy(g->items, list->as.items, count * sizeof *g->items);
    g->count = count;
    g->block = block;
    return g;
}

void leati_grown_free(leati_grown *g) {
    if (!g) return;
    for (chunk *c = g->chunks, *older; c; c = older) {
        older = c->older;
        leati_free(c);
    }
    leati_free(g->block);
    leati_free(g->items);
    leati_free(g);
}

/* The items may stand in the array that this makes larger, so they are copied out of it first: into
   a chunk, as one list. */
leat_status leati_grown_append(leati_grown *g, const leat_value *items, size_t count) {
    leat_value list = leat_list(items, count), one;
    bool single = count == 1;
    if (single) one = *items;
    const leat_value *from = single ? &one : &list;
    leati_extent e = leati_value_extent(from);
    void *memory = e.bytes ? place_for(g, e.bytes) : NULL;
    if (e.bytes && !memory) return LEAT_E_NOMEM;
    leat_value placed = leati_value_place(from, memory);
    if (!reserve_items(g, count)) return LEAT_E_NOMEM;
    const leat_value *made = single ? &placed : placed.as.items;
    if (count) memcpy(g->items + g->count, made, count * sizeof *made);
    g->count += count;
    if (e.objects) leati_value_retain(&placed);
    return LEAT_OK;
}

leat_value leati_grown_value(leati_grown *g, bool timed, int64_t time) {
    g->current = leat_list(g->items, g->count);
    if (!timed) return g->current;
    g->timed[0] = leat_int(time);
    g->timed[1] = g->current;
    return g->current = leat_tuple(g->timed, 2);
}

leat_value leati_grown_current(const leati_grown *g) {
    return g->current;
}
