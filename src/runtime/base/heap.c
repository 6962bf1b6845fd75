/* heap.c: sifting up and down, with every item told where it stands. Each place has four below it:
   half the levels of a binary heap, and the four stand side by side in memory. */
#include "runtime/base/heap.h"

#include "runtime/base/alloc.h"

#include <assert.h>
#include <string.h>

enum { BELOW = 4 };

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

static inline bool is_before(const leati_heap *h, const leati_ranked *a, const leati_ranked *b) {
    if (a->rank.first != b->rank.first) return a->rank.first < b->rank.first;
    if (a->rank.second != b->rank.second) return a->rank.second < b->rank.second;
    return h->before(a->item, b->item);
}

static inline void heap_place(leati_heap *h, size_t at, leati_ranked one) {
    h->items[at] = one;
    *position_of(h, one.item) = at;
}

static void heap_sift_up(leati_heap *h, size_t at, leati_ranked one) {
    while (at > 0) {
        size_t parent = (at - 1) / BELOW;
        if (!is_before(h, &one, &h->items[parent])) break;
        heap_place(h, at, h->items[parent]);
        at = parent;
    }
    heap_place(h, at, one);
}

static void heap_sift_down(leati_heap *h, size_t at, leati_ranked one) {
    for (size_t child; (child = BELOW * at + 1) < h->count;) {
        size_t end = child + BELOW < h->count ? child + BELOW : h->count;
        for (size_t next = child + 1; next < end; next++)
            if (is_before(h, &h->items[next], &h->items[child])) child = next;
        if (!is_before(h, &h->items[child], &one)) break;
        heap_place(h, at, h->items[child]);
        at = child;
    }
    heap_place(h, at, one);
}

leat_status leati_heap_push(leati_heap *h, leati_rank rank, void *item) {
    if (h->count == h->room) {
        size_t room = h->room ? h->room * 2 : 16;
        leati_ranked *items = leati_resize(h->items, room * sizeof *items);
        if (!items) return LEAT_E_NOMEM;
        h->items = items;
        h->room = room;
    }
    heap_sift_up(h, h->count++, (leati_ranked){rank, item});
    return LEAT_OK;
}

void *leati_heap_pop(leati_heap *h) {
    void *first = leati_heap_first(h);
    if (first) leati_heap_remove(h, first);
    return first;
}

void leati_heap_remove(leati_heap *h, void *item) {
    size_t at = *position_of(h, item);
    assert(at < h->count && h->items[at].item == item);
    leati_ranked last = h->items[--h->count];
    if (last.item == item) return;
    if (at > 0 && is_before(h, &last, &h->items[(at - 1) / BELOW]))
        heap_sift_up(h, at, last);
    else
        heap_sift_down(h, at, last);
}
