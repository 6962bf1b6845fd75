/* heap.h: a heap of pointers: the first item by rank, then by `before`, and removal of any item.
   Each item holds its position in a size_t at `position` bytes from its start, which only the heap
   writes. Ranks stand in the heap itself, so that items that differ in rank are not looked at. */
#ifndef LEATI_HEAP_H
#define LEATI_HEAP_H

#include "leat/base.h"

/* The lower `first` comes first, then the lower `second`. */
typedef struct leati_rank {
    int64_t first;
    uint64_t second;
} leati_rank;

typedef struct leati_ranked {
    leati_rank rank;
    void *item;
} leati_ranked;

typedef struct leati_heap {
    leati_ranked *items;
    size_t count, room;
    bool (*before)(const void *a, const void *b); /* of equal rank */
    size_t position;
} leati_heap;

void leati_heap_init(leati_heap *h, bool (*before)(const void *a, const void *b), size_t position);
void leati_heap_fini(leati_heap *h); /* the items are the caller's */

/* LEAT_E_NOMEM, and then nothing changed. */
leat_status leati_heap_push(leati_heap *h, leati_rank rank, void *item);
/* The first item stays; NULL when there is none. */
static inline void *leati_heap_first(const leati_heap *h) {
    return h->count ? h->items[0].item : NULL;
}
void *leati_heap_pop(leati_heap *h); /* NULL when there is none */
void leati_heap_remove(leati_heap *h, void *item);

#endif
