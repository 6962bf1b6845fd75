/* timers.c: the timers of one time domain: a heap over all key groups (heap.h) for the order, a
   chained hash table to find one by (time, key, namespace), and a list per key group for snapshots.
   A timer is one allocation: the struct, its address, which is the canonical bytes of the key and
   the namespace, and what the copy of its key points to.

   Timers of the same time fire in the order in which they were set, also after a restore: each has
   a number, and snapshots keep it. If the hash table cannot grow, its chains get longer; nothing
   else.

   A group in a snapshot: varint count, then per timer: zigzag time, varint number, key (codec.h),
   blob namespace.

   A snapshot that is made bit by bit begins with the number of the current mark: timers of an older
   one are still to be encoded, which happens when they fire, when they are removed, or by a sweep.
   Then they get the mark, as new ones have it, and go to the end of their group's list; so those
   without it are always at its beginning. */
#include "runtime/state/timers.h"

#include "runtime/base/alloc.h"
#include "runtime/base/hash.h"
#include "runtime/base/heap.h"
#include "runtime/base/list.h"
#include "runtime/base/object.h"
#include "runtime/data/codec.h"
#include "runtime/data/copy.h"
#include "runtime/data/key.h"
#include "runtime/state/frozen.h"

typedef struct timer {
    size_t position;       /* in the heap, where its time and number stand */
    uint64_t hash;         /* of the key */
    uint64_t address_hash; /* of time, key and namespace */
    struct timer *chain;
    leati_link in_group;
    leat_value key;
    uint32_t key_size, ns_size;
    uint32_t mark;
    char address[];
} timer;

typedef struct timer_group {
    leati_link list;
    size_t count;
} timer_group;

struct leati_timers {
    leati_heap heap;
    timer **buckets;
    size_t bucket_count; /* 0 or a power of two */
    uint64_t next_number;
    leati_buf address; /* of the call being served */
    size_t key_size;
    uint64_t address_hash;
    leati_frozen *frozen; /* the open snapshot, or NULL */
    uint32_t mark;        /* of those that it has, or does not want */
    int group_count;
    timer_group groups[];
};

static inline leati_rank rank_of(const leati_timers *t, const timer *one) {
    return t->heap.items[one->position].rank;
}

/* Of one time and number, which those can have that came from several subtasks. */
static bool timer_before(const void *a, const void *b) {
    const timer *x = a, *y = b;
    return x->address_hash < y->address_hash;
}

leati_timers *leati_timers_new(int max_parallelism) {
    leati_timers *t = leati_zalloc(sizeof *t + (size_t)max_parallelism * sizeof(timer_group));
    if (!t) return NULL;
    leati_heap_init(&t->heap, timer_before, offsetof(timer, position));
    t->group_count = max_parallelism;
    for (int i = 0; i < t->group_count; i++) leati_list_init(&t->groups[i].list);
    return t;
}

static void timer_free(timer *gone) {
    leati_value_release(&gone->key);
    leati_free(gone);
}

void leati_timers_free(leati_timers *t) {
    if (!t) return;
    leati_frozen_free(t->frozen);
    for (size_t i = 0; i < t->heap.count; i++) timer_free(t->heap.items[i].item);
    leati_heap_fini(&t->heap);
    leati_free(t->buckets);
    leati_buf_fini(&t->address);
    leati_free(t);
}

size_t leati_timers_count(const leati_timers *t) {
    return t->heap.count;
}

/* --- Finding timers --------------------------------------------------------------------------- */

static leat_status address_write(leati_timers *t, const leat_value *key, uint64_t hash,
                                 int64_t time, leat_namespace ns) {
    leati_buf *a = &t->address;
    a->size = 0;
    a->failed = false;
    leat_status status = leati_key_write(key, a);
    t->key_size = a->size;
    if (status < 0) return status;
    leati_buf_append(a, ns.bytes, ns.size);
    if (a->failed || a->size > UINT32_MAX) return LEAT_E_NOMEM;
    t->address_hash = leati_hash_mix(hash, (uint64_t)time);
    if (ns.size) t->address_hash = leati_hash_mix(t->address_hash, leati_hash(ns.bytes, ns.size));
    return LEAT_OK;
}

/* Where the pointer to the timer at the address stands, or where it would be put; NULL without a
   table. */
static timer **timer_slot(const leati_timers *t, int64_t time) {
    if (!t->buckets) return NULL;
    timer **slot = &t->buckets[t->address_hash & (t->bucket_count - 1)];
    for (; *slot; slot = &(*slot)->chain) {
        const timer *found = *slot;
        if (found->address_hash == t->address_hash && rank_of(t, found).first == time &&
            found->key_size == t->key_size && found->key_size + found->ns_size == t->address.size &&
            memcmp(found->address, t->address.bytes, t->address.size) == 0)
            break;
    }
    return slot;
}

static void chain_in(timer **buckets, size_t bucket_count, timer *added) {
    timer **slot = &buckets[added->address_hash & (bucket_count - 1)];
    added->chain = *slot;
    *slot = added;
}

/* False only when there is no table at all. */
static bool timers_grow(leati_timers *t) {
    enum { AHEAD = 8 };
    if (t->heap.count < t->bucket_count) return true;
    size_t bucket_count = t->bucket_count ? t->bucket_count * 2 : 16;
    timer **buckets = leati_zalloc(bucket_count * sizeof *buckets);
    if (!buckets) return t->buckets != NULL;
    for (size_t i = 0; i < t->heap.count; i++) {
        if (i + AHEAD < t->heap.count)
            LEATI_PREFETCH(&((timer *)t->heap.items[i + AHEAD].item)->chain);
        chain_in(buckets, bucket_count, t->heap.items[i].item);
    }
    leati_free(t->buckets);
    t->buckets = buckets;
    t->bucket_count = bucket_count;
    return true;
}

static int group_of(const leati_timers *t, const timer *one) {
    return leati_key_group(one->hash, t->group_count);
}

/* What unlinking goes to is on its way from memory while something else is done. */
static inline void timer_expect_unlink(const leati_timers *t, const timer *gone) {
    LEATI_PREFETCH(&t->buckets[gone->address_hash & (t->bucket_count - 1)]);
    LEATI_PREFETCH(gone->in_group.prev);
    LEATI_PREFETCH(gone->in_group.next);
}

/* Takes the timer out of everything; it is the caller's then. */
static void timer_unlink(leati_timers *t, timer *gone) {
    timer **slot = &t->buckets[gone->address_hash & (t->bucket_count - 1)];
    while (*slot != gone) slot = &(*slot)->chain;
    *slot = gone->chain;
    leati_list_remove(&gone->in_group);
    t->groups[group_of(t, gone)].count--;
    leati_heap_remove(&t->heap, gone);
}

/* --- Writing down ----------------------------------------------------------------------------- */

static leat_status timer_encode(const leati_timers *t, const timer *one, leati_buf *out) {
    leati_rank rank = rank_of(t, one);
    leati_buf_zigzag(out, rank.first);
    leati_buf_varint(out, rank.second);
    leat_status status = leati_value_encode(&one->key, NULL, out);
    leati_buf_blob(out, one->address + one->key_size, one->ns_size);
    return status;
}

/* For the open snapshot, a timer that has no mark. On failure the snapshot is as it was. */
static leat_status timer_freeze(leati_timers *t, timer *one) {
    int group = group_of(t, one);
    leat_status status = timer_encode(t, one, leati_frozen_begin(t->frozen, group));
    status = leati_frozen_end(t->frozen, group, status);
    if (status < 0) return status;
    one->mark = t->mark;
    leati_list_remove(&one->in_group);
    leati_list_push(&t->groups[group].list, &one->in_group);
    return LEAT_OK;
}

/* Comes before a timer goes. */
static inline leat_status timer_keep(leati_timers *t, timer *one) {
    if (LEAT_LIKELY(!t->frozen) || one->mark == t->mark) return LEAT_OK;
    return timer_freeze(t, one);
}

/* --- Setting and removing --------------------------------------------------------------------- */

/* A timer at the address in the buffer. */
static timer *timer_make(const leati_timers *t, const leat_value *key) {
    leati_extent e = leati_value_extent(key);
    size_t size = (offsetof(timer, address) + t->address.size + 7) & ~(size_t)7;
    if (size < sizeof(timer)) size = sizeof(timer);
    timer *made = leati_alloc(size + e.bytes);
    if (!made) return NULL;
    memset(made, 0, sizeof *made);
    made->key = leati_value_place(key, (char *)made + size);
    leati_value_retain(&made->key);
    made->mark = t->mark;
    memcpy(made->address, t->address.bytes, t->address.size);
    made->address_hash = t->address_hash;
    made->key_size = (uint32_t)t->key_size;
    made->ns_size = (uint32_t)(t->address.size - t->key_size);
    return made;
}

/* Adds a timer at the address in the buffer, where there is none. */
static leat_status timer_add(leati_timers *t, const leat_value *key, uint64_t hash, int64_t time,
                             uint64_t number) {
    if (!timers_grow(t)) return LEAT_E_NOMEM;
    timer *made = timer_make(t, key);
    if (!made) return LEAT_E_NOMEM;
    made->hash = hash;
    if (leati_heap_push(&t->heap, (leati_rank){time, number}, made) < 0) {
        timer_free(made);
        return LEAT_E_NOMEM;
    }
    chain_in(t->buckets, t->bucket_count, made);
    timer_group *group = &t->groups[group_of(t, made)];
    leati_list_push(&group->list, &made->in_group);
    group->count++;
    if (number >= t->next_number) t->next_number = number + 1;
    return LEAT_OK;
}

leat_status leati_timers_set(leati_timers *t, const leat_value *key, uint64_t hash,
                             const leat_timer *set) {
    leat_status status = address_write(t, key, hash, set->time, set->ns);
    if (status < 0) return status;
    timer **slot = timer_slot(t, set->time);
    if (slot && *slot) return LEAT_OK;
    return timer_add(t, key, hash, set->time, t->next_number);
}

leat_status leati_timers_remove(leati_timers *t, const leat_value *key, uint64_t hash,
                                const leat_timer *removed) {
    leat_status status = address_write(t, key, hash, removed->time, removed->ns);
    if (status < 0) return status;
    timer **slot = timer_slot(t, removed->time);
    if (!slot || !*slot) return LEAT_OK;
    timer *gone = *slot;
    status = timer_keep(t, gone);
    if (status < 0) return status;
    timer_unlink(t, gone);
    timer_free(gone);
    return LEAT_OK;
}

/* --- Firing ----------------------------------------------------------------------------------- */

leat_status leati_timers_first(const leati_timers *t, int64_t *time) {
    if (!t->heap.count) return LEAT_DONE;
    *time = t->heap.items[0].rank.first;
    return LEAT_OK;
}

/* The next to fire is on its way while the one before does. */
static inline void timer_expect_first(const leati_timers *t) {
    const timer *first = leati_heap_first(&t->heap);
    if (!first) return;
    LEATI_PREFETCH(first);
    LEATI_PREFETCH(&first->key);
}

leat_status leati_timers_pop(leati_timers *t, int64_t until, leati_arena *arena, leat_value *key,
                             uint64_t *hash, leat_timer *out) {
    timer *first = leati_heap_first(&t->heap);
    if (!first || t->heap.items[0].rank.first > until) return LEAT_DONE;
    timer_expect_unlink(t, first);
    leat_status status = timer_keep(t, first);
    if (status < 0) return status;
    char *ns = first->ns_size ? leati_arena_alloc(arena, first->ns_size) : NULL;
    if (first->ns_size && !ns) return LEAT_E_NOMEM;
    leat_value copy;
    status = leati_value_copy(&first->key, arena, &copy);
    if (status < 0) return status;
    if (ns) memcpy(ns, first->address + first->key_size, first->ns_size);
    *key = copy;
    *hash = first->hash;
    out->time = t->heap.items[0].rank.first;
    out->ns.bytes = ns;
    out->ns.size = first->ns_size;
    timer_unlink(t, first);
    timer_free(first);
    timer_expect_first(t);
    return LEAT_OK;
}

/* --- Snapshots -------------------------------------------------------------------------------- */

leat_status leati_timers_snapshot(const leati_timers *t, int group, leati_buf *out) {
    const leati_link *list = &t->groups[group].list;
    if (leati_list_empty(list)) return LEAT_OK;
    leat_status status = LEAT_OK;
    leati_buf_varint(out, t->groups[group].count);
    for (leati_link *link = list->next; link != list && status >= 0; link = link->next)
        status = timer_encode(t, LEATI_CONTAINER(link, timer, in_group), out);
    return status >= 0 && out->failed ? LEAT_E_NOMEM : status;
}

leat_status leati_timers_freeze(leati_timers *t) {
    if (t->frozen) return LEAT_E_STATE;
    leati_frozen *f = leati_frozen_new(t->group_count);
    if (!f) return LEAT_E_NOMEM;
    for (int g = 0; g < t->group_count; g++) leati_frozen_expect(f, g, t->groups[g].count);
    t->frozen = f;
    t->mark++;
    return LEAT_OK;
}

bool leati_timers_are_frozen(const leati_timers *t) {
    return t->frozen != NULL;
}

leat_status leati_timers_thaw_some(leati_timers *t, int budget) {
    leati_frozen *f = t->frozen;
    leat_status status = LEAT_OK;
    while (f && f->left && budget > 0 && status >= 0) {
        int group = leati_frozen_sweep(f);
        leati_link *first = t->groups[group].list.next;
        LEATI_PREFETCH(first->next);
        size_t size = f->group[group].bytes.size;
        status = timer_freeze(t, LEATI_CONTAINER(first, timer, in_group));
        budget -= leati_frozen_weight(f->group[group].bytes.size - size);
    }
    if (status < 0) return status;
    return f && f->left ? LEAT_OK : LEAT_DONE;
}

void leati_timers_give_up(leati_timers *t) {
    leati_frozen_free(t->frozen);
    t->frozen = NULL;
}

leat_status leati_timers_take_group(leati_timers *t, int *group, leati_buf *out) {
    leat_status status = t->frozen ? leati_frozen_take(t->frozen, group, out) : LEAT_DONE;
    if (status == LEAT_DONE) leati_timers_give_up(t);
    return status;
}

static leat_status timer_restore(leati_timers *t, leati_reader *in, uint16_t domain,
                                 leati_arena *arena) {
    int64_t time = leati_reader_zigzag(in);
    uint64_t number = leati_reader_varint(in), hash;
    leat_value key;
    leat_status status = leati_value_decode(in, domain, arena, &key);
    if (status < 0) return status;
    leat_namespace ns = {NULL, 0};
    ns.bytes = leati_reader_blob(in, &ns.size);
    if (!ns.bytes || number == UINT64_MAX) return LEAT_E_FORMAT;
    status = leati_key_hash(&key, &hash);
    if (status >= 0) status = address_write(t, &key, hash, time, ns);
    if (status < 0) return status;
    timer **slot = timer_slot(t, time);
    return slot && *slot ? LEAT_OK : timer_add(t, &key, hash, time, number);
}

leat_status leati_timers_restore(leati_timers *t, leati_reader *in, uint16_t domain) {
    leati_arena arena;
    leati_arena_init(&arena);
    leat_status status = LEAT_OK;
    while (leati_reader_left(in) && status >= 0) {
        uint64_t count = leati_reader_varint(in);
        if (in->failed || count > leati_reader_left(in)) status = LEAT_E_FORMAT;
        for (; count > 0 && status >= 0; count--) {
            status = timer_restore(t, in, domain, &arena);
            leati_arena_reset(&arena);
        }
    }
    leati_arena_fini(&arena);
    return status;
}
