/* heap.c: sifting up and down, with every item told where it stands. */
#include "runtime/base/heap.h"

#include "runtime/base/alloc.h"

#include <assert.h>
#include <string.h>

void leati_heap_init(leati_heap *h, bool (*before)(const void *a, const void *b), size_t position) {
    memset(h, 0, sizeof *h);
    h->before = before;
    h->position = position;
}

void leati_heap_fini(leati_heap *h) {
    leati_free(h->items);
    h->items = NULL;
    h->count = h->room = 0;
}

static inline size_t *position_of(const leati_heap *h, void *item) {
    return (size_t *)(void *)((char *)item + h->position);
}

static inline void heap_place(leati_heap *h, size_t at, void *item) {
    h->items[at] = item;
    *position_of(h, item) = at;
}

static void heap_sift_up(leati_heap *h, size_t at, void *item) {
    while (at > 0) {
        size_t parent = (at - 1) / 2;
        if (!h->before(item, h->items[parent])) break;
        heap_place(h, at, h->items[parent]);
        at = parent;
    }
    heap_place(h, at, item);
}

static void heap_sift_down(leati_heap *h, size_t at, void *item) {
    for (size_t child; (child = 2 * at + 1) < h->count; at = child) {
        if (child + 1 < h->count && h->before(h->items[child + 1], h->items[child])) child++;
        if (!h->before(h->items[child], item)) break;
        heap_place(h, at, h->items[child]);
    }
    heap_place(h, at, item);
}

leat_status leati_heap_push(leati_heap *h, void *item) {
    if (h->count == h->room) {
        size_t room = h->room ? h->room * 2 : 16;
        void **items = leati_resize(h->items, room * sizeof *items);
        if (!items) return LEAT_E_NOMEM;
        h->items = items;
        h->room = room;
    }
    heap_sift_up(h, h->count++, item);
    return LEAT_OK;
}

void *leati_heap_pop(leati_heap *h) {
    void *first = leati_heap_first(h);
    if (first) leati_heap_remove(h, first);
    return first;
}

void leati_heap_remove(leati_heap *h, void *item) {
    size_t at = *position_of(h, item);
    assert(at < h->count && h->items[at] == item);
    void *last = h->items[--h->count];
    if (last == item) return;
    if (at > 0 && h->before(last, h->items[(at - 1) / 2]))
        heap_sift_up(h, at, last);
    else
        heap_sift_down(h, at, last);
}
