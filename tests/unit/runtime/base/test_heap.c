/* Tests of heap.c: order, removal from anywhere, failing allocations. */
#include "runtime/base/heap.h"

#include "runtime/base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* The order is a rank of two parts and what `before` compares. */
typedef struct item {
    int order;
    size_t position;
    bool in;
} item;

static bool item_before(const void *a, const void *b) {
    const item *x = a, *y = b;
    assert_int_equal(x->order >> 2, y->order >> 2);
    return x->order < y->order;
}

static leati_rank rank_of(const item *i) {
    return (leati_rank){(i->order >> 4) - 2, (uint64_t)(i->order >> 2 & 3)};
}

static void heap_random_steps_give_the_least(void **state) {
    (void)state;
    enum { ITEMS = 200 };
    static item items[ITEMS];
    leati_heap h;
    leati_heap_init(&h, item_before, offsetof(item, position));
    unsigned random = 1;
    for (int step = 0; step < 5000; step++) {
        random = random * 1103515245 + 12345;
        item *i = &items[(random >> 16) % ITEMS];
        if (i->in) {
            leati_heap_remove(&h, i);
        } else {
            i->order = (int)(random >> 8 & 63);
            assert_int_equal(leati_heap_push(&h, rank_of(i), i), LEAT_OK);
        }
        i->in = !i->in;
        const item *first = leati_heap_first(&h);
        for (int k = 0; k < ITEMS; k++) {
            if (!items[k].in) continue;
            assert_ptr_equal(h.items[items[k].position].item, &items[k]);
            assert_true(first->order <= items[k].order);
        }
    }
    int last = -1;
    for (item *i; (i = leati_heap_pop(&h));) {
        assert_true(i->order >= last);
        last = i->order;
    }
    assert_int_equal(h.count, 0);
    assert_null(leati_heap_first(&h));
    leati_heap_fini(&h);
}

static void heap_without_memory_stays_as_it_was(void **state) {
    (void)state;
    item items[40] = {{0}};
    leati_heap h;
    leati_heap_init(&h, item_before, offsetof(item, position));
    for (int i = 0; i < 40; i++) {
        items[i].order = 40 - i;
        leati_alloc_fail_after(1);
        size_t before = h.count;
        leat_status status = leati_heap_push(&h, rank_of(&items[i]), &items[i]);
        leati_alloc_fail_after(-1);
        if (status < 0) {
            assert_int_equal(h.count, before);
            assert_int_equal(leati_heap_push(&h, rank_of(&items[i]), &items[i]), LEAT_OK);
        }
    }
    assert_ptr_equal(leati_heap_pop(&h), &items[39]);
    leati_heap_fini(&h);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(heap_random_steps_give_the_least),
        cmocka_unit_test(heap_without_memory_stays_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
