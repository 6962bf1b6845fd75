/* bag.h: for tests of state: the items of a snapshot, to be compared with those of another one
   whatever their order within groups is. */
#ifndef LEAT_TESTS_BAG_H
#define LEAT_TESTS_BAG_H

#include "runtime/data/codec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

typedef struct bag_item {
    size_t at, size;
} bag_item;

typedef struct bag {
    leati_buf bytes;
    bag_item *items;
    size_t count;
} bag;

static inline void bag_fini(bag *b) {
    leati_buf_fini(&b->bytes);
    free(b->items);
}

static inline void bag_skip_value(leati_reader *in) {
    leati_arena arena;
    leat_value v;
    leati_arena_init(&arena);
    assert_int_equal(leati_value_decode(in, 0, &arena, &v), LEAT_OK);
    leati_arena_fini(&arena);
}

/* Adds the items of a group, each behind the group's number; `skip_item` reads one. */
static inline void bag_add(bag *b, int group, const leati_buf *bytes,
                           void (*skip_item)(leati_reader *)) {
    leati_reader in = leati_reader_of(bytes->bytes, bytes->size);
    uint64_t count = leati_reader_varint(&in);
    b->items = realloc(b->items, (b->count + count + 1) * sizeof *b->items);
    assert_non_null(b->items);
    for (; count > 0; count--) {
        const char *from = in.at;
        bag_item *item = &b->items[b->count++];
        skip_item(&in);
        item->at = b->bytes.size;
        leati_buf_u8(&b->bytes, (uint8_t)group);
        leati_buf_append(&b->bytes, from, (size_t)(in.at - from));
        item->size = b->bytes.size - item->at;
    }
    assert_false(in.failed);
    assert_int_equal(leati_reader_left(&in), 0);
}

static const char *bag_base; /* what items are compared in */

static inline int bag_order(const void *a, const void *b) {
    const bag_item *x = a, *y = b;
    int order = memcmp(bag_base + x->at, bag_base + y->at, x->size < y->size ? x->size : y->size);
    return order ? order : (x->size > y->size) - (x->size < y->size);
}

static inline void bag_sort(bag *b) {
    bag_base = b->bytes.bytes;
    if (b->count) qsort(b->items, b->count, sizeof *b->items, bag_order);
}

/* Empties both. */
static inline void bag_assert_same(bag *a, bag *b) {
    assert_int_equal(a->count, b->count);
    bag_sort(a);
    bag_sort(b);
    for (size_t i = 0; i < a->count; i++) {
        assert_int_equal(a->items[i].size, b->items[i].size);
        assert_memory_equal(a->bytes.bytes + a->items[i].at, b->bytes.bytes + b->items[i].at,
                            a->items[i].size);
    }
    bag_fini(a);
    bag_fini(b);
}

#endif
