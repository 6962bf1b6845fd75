/* merge.c: a heap of runs by the key that each stands at. Those that stand at the smallest one
   leave the heap together and give its records; each comes back with its next key. */
#include "runtime/state/merge.h"

#include "runtime/base/alloc.h"
#include "runtime/base/heap.h"

typedef struct strand {
    leati_run_reader reader;
    size_t number;   /* of the run */
    size_t position; /* in the heap */
    leati_pile_item item;
    bool has_item; /* `item` is its next record */
    bool hungry;   /* has to be filled */
    bool moves;    /* its next key is wanted */
} strand;

struct leati_merge {
    leati_heap heap;
    size_t count;
    bool by_time;
    strand **giving; /* those at the current key, in the order of runs */
    size_t giving_count;
    strand strands[];
};

static bool strand_before(const void *a, const void *b) {
    const strand *x = a, *y = b;
    const leati_pile_key *k = &x->reader.is, *l = &y->reader.is;
    int order = memcmp(k->bytes, l->bytes, k->size < l->size ? k->size : l->size);
    if (!order) order = (k->size > l->size) - (k->size < l->size);
    return order < 0 || (order == 0 && x->number < y->number);
}

static bool same_key(const leati_pile_key *k, const leati_pile_key *l) {
    return k->size == l->size && memcmp(k->bytes, l->bytes, k->size) == 0;
}

leati_merge *leati_merge_new(const leati_run *runs, size_t count, bool by_time) {
    leati_merge *m = leati_zalloc(sizeof *m + count * sizeof *m->strands);
    if (!m) return NULL;
    leati_heap_init(&m->heap, strand_before, offsetof(strand, position));
    m->by_time = by_time;
    m->giving = leati_zalloc((count + 1) * sizeof(strand *));
    if (!m->giving) {
        leati_merge_free(m);
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        strand *s = &m->strands[m->count++];
        leati_run_reader_init(&s->reader, &runs[i]);
        s->number = i;
        s->moves = true;
    }
    return m;
}

void leati_merge_free(leati_merge *m) {
    if (!m) return;
    for (size_t i = 0; i < m->count; i++) leati_run_reader_fini(&m->strands[i].reader);
    leati_heap_fini(&m->heap);
    leati_free(m->giving);
    leati_free(m);
}

/* LEAT_AGAIN when one has to be filled. */
static leat_status move_strands(leati_merge *m) {
    leat_status answer = LEAT_OK;
    for (size_t i = 0; i < m->count; i++) {
        strand *s = &m->strands[i];
        if (!s->moves) continue;
        leat_status status = leati_run_next_key(&s->reader);
        if (status == LEAT_OK) status = leati_heap_push(&m->heap, (leati_rank){0, 0}, s);
        if (status < 0) return status;
        s->moves = s->hungry = status == LEAT_AGAIN;
        if (s->hungry) answer = LEAT_AGAIN;
    }
    return answer;
}

leat_status leati_merge_next_key(leati_merge *m, leati_pile_key *key) {
    leat_status status = move_strands(m);
    if (status != LEAT_OK) return status;
    strand *first = leati_heap_pop(&m->heap);
    if (!first) return LEAT_DONE;
    *key = first->reader.is;
    key->count = 0;
    m->giving_count = 0;
    for (strand *s = first; s && same_key(&s->reader.is, key);) {
        if (s != first) leati_heap_pop(&m->heap);
        key->count += s->reader.is.count;
        m->giving[m->giving_count++] = s;
        s = leati_heap_first(&m->heap);
    }
    return LEAT_OK;
}

/* A strand without further records of this key goes on to its next one. */
static leat_status look(leati_merge *m, size_t i) {
    strand *s = m->giving[i];
    if (s->has_item) return LEAT_OK;
    leat_status status = leati_run_next(&s->reader, &s->item);
    s->hungry = status == LEAT_AGAIN;
    s->has_item = status == LEAT_OK;
    if (status != LEAT_DONE) return status;
    s->moves = true;
    m->giving_count--;
    for (; i < m->giving_count; i++) m->giving[i] = m->giving[i + 1];
    return LEAT_DONE;
}

static bool item_before(const leati_pile_item *a, const leati_pile_item *b) {
    return a->time < b->time || (a->time == b->time && a->input < b->input);
}

leat_status leati_merge_next(leati_merge *m, leati_pile_item *item) {
    strand *first = NULL;
    for (size_t i = 0; i < m->giving_count;) {
        strand *s = m->giving[i];
        leat_status status = look(m, i);
        if (status < 0 || status == LEAT_AGAIN) return status;
        if (status == LEAT_DONE) continue;
        if (!first || item_before(&s->item, &first->item)) first = s;
        if (!m->by_time) break;
        i++;
    }
    if (!first) return LEAT_DONE;
    first->has_item = false;
    *item = first->item;
    return LEAT_OK;
}

/* Filling moves bytes, but none that an item points to: a strand that has one is not hungry. */
leat_status leati_merge_fill(leati_merge *m, leat_error *err) {
    leat_status status = LEAT_OK;
    for (size_t i = 0; i < m->count && status >= 0; i++) {
        strand *s = &m->strands[i];
        if (!s->hungry) continue;
        s->hungry = false;
        status = leati_run_fill(&s->reader, err);
    }
    return status;
}
