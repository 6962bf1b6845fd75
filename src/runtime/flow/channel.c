/* channel.c: see channel.h. The ring grows without bound, since only credit bounds what is in it.
   The flags `starved` and the counters are sequentially consistent: the sender raises the flag and
   looks again, the reader gives back and looks at the flag, so that no wake-up is lost. */
#include "runtime/flow/channel.h"

#include "runtime/base/alloc.h"
#include "runtime/data/batch.h"
#include "runtime/flow/spill.h"

#include <assert.h>
#include <string.h>

leati_channel *leati_channel_new(size_t max_records, size_t max_bytes) {
    leati_channel *c = leati_zalloc(sizeof *c);
    if (!c) return NULL;
    atomic_init(&c->refs, 1);
    c->max_records = max_records;
    c->max_bytes = max_bytes;
    pthread_mutex_init(&c->lock, NULL);
    return c;
}

void leati_element_drop(leati_element *element) {
    if (element->kind == LEATI_BATCH) leati_batch_unref(element->as.batch);
    if (element->kind == LEATI_FRAME) leati_free(element->as.frame.bytes);
}

leat_status leati_element_open(leati_element *element, uint16_t domain, leati_batch **batch,
                               size_t *records, size_t *bytes) {
    if (element->kind == LEATI_BATCH) {
        *batch = element->as.batch;
        *records = (*batch)->count;
        *bytes = (*batch)->bytes;
        return LEAT_OK;
    }
    leati_frame *frame = &element->as.frame;
    *records = (size_t)element->value;
    *bytes = frame->charge;
    return leati_batch_decode(frame->bytes, frame->size, domain, batch);
}

void leati_channel_ref(leati_channel *c) {
    atomic_fetch_add(&c->refs, 1);
}

leat_status leati_channel_spill(leati_channel *c, const leat_type *type, const char *dirs) {
    c->spill = leati_spill_new(type, dirs);
    return c->spill ? LEAT_OK : LEAT_E_NOMEM;
}

const char *leati_channel_failure(leati_channel *c) {
    return c->spill ? leati_spill_failure(c) : NULL;
}

static bool take_first(leati_channel *c, leati_element *out) {
    pthread_mutex_lock(&c->lock);
    bool taken = leati_channel_ring_take(c, out);
    pthread_mutex_unlock(&c->lock);
    return taken;
}

static void drop_all(leati_channel *c) {
    leati_element e;
    while (take_first(c, &e)) leati_element_drop(&e);
}

void leati_channel_unref(leati_channel *c) {
    if (!c || atomic_fetch_sub(&c->refs, 1) != 1) return;
    drop_all(c);
    leati_spill_free(c->spill);
    leati_free(c->ring);
    pthread_mutex_destroy(&c->lock);
    leati_free(c);
}

void leati_channel_abandon(leati_channel *c) {
    pthread_mutex_lock(&c->lock);
    atomic_store(&c->abandoned, true);
    if (c->spill) leati_spill_abandon(c->spill);
    pthread_mutex_unlock(&c->lock);
    drop_all(c);
}

void leati_channel_leave(leati_channel *c) {
    if (!c->spill) return;
    pthread_mutex_lock(&c->lock);
    c->on_room.fn = NULL;
    pthread_mutex_unlock(&c->lock);
}

/* Under the lock. */
static bool make_room(leati_channel *c) {
    if (c->count < c->room) return true;
    assert(c->count == c->room);
    size_t room = c->room ? 2 * c->room : 16;
    leati_element *ring = leati_alloc(room * sizeof *ring);
    if (!ring) return false;
    for (size_t i = 0; i < c->count; i++) ring[i] = c->ring[(c->head + i) % c->room];
    leati_free(c->ring);
    c->ring = ring;
    c->room = room;
    c->head = 0;
    return true;
}

bool leati_channel_ring_add(leati_channel *c, const leati_element *element) {
    if (!make_room(c)) return false;
    c->ring[(c->head + c->count++) % c->room] = *element;
    return true;
}

bool leati_channel_ring_take(leati_channel *c, leati_element *out) {
    if (!c->count) return false;
    *out = c->ring[c->head];
    c->head = (c->head + 1) % c->room;
    c->count--;
    return true;
}

leat_status leati_channel_push(leati_channel *c, leati_element *element, size_t records,
                               size_t bytes) {
    if (c->spill) return leati_spill_push(c, element, records, bytes);
    atomic_fetch_add(&c->records, records);
    atomic_fetch_add(&c->bytes, bytes);
    if (c->send) return c->send(c->send_arg, element, records, bytes);
    if (atomic_load(&c->abandoned)) {
        leati_element_drop(element);
        return LEAT_OK;
    }
    pthread_mutex_lock(&c->lock);
    bool ok = leati_channel_ring_add(c, element);
    pthread_mutex_unlock(&c->lock);
    if (!ok) {
        leati_element_drop(element);
        return LEAT_E_NOMEM;
    }
    if (c->on_data.fn) c->on_data.fn(c->on_data.arg);
    return LEAT_OK;
}

leat_status leati_channel_pop(leati_channel *c, leati_element *out) {
    if (c->spill) return leati_spill_pop(c, out);
    return take_first(c, out) ? LEAT_OK : LEAT_AGAIN;
}

void leati_channel_give_back(leati_channel *c, size_t records, size_t bytes) {
    if (c->spill) {
        leati_spill_give_back(c, records, bytes);
        return;
    }
    atomic_fetch_sub(&c->records, records);
    atomic_fetch_sub(&c->bytes, bytes);
    if (c->credit) c->credit(c->credit_arg, records, bytes);
    if (atomic_exchange(&c->starved, false) && c->on_room.fn) c->on_room.fn(c->on_room.arg);
}

static bool fits(leati_channel *c, size_t records, size_t bytes) {
    return atomic_load(&c->records) + records < c->max_records &&
           atomic_load(&c->bytes) + bytes < c->max_bytes;
}

bool leati_channel_has_room(leati_channel *c, size_t records, size_t bytes) {
    if (c->spill) return leati_spill_has_room(c);
    if (atomic_load(&c->abandoned) || fits(c, records, bytes)) return true;
    atomic_store(&c->starved, true);
    return fits(c, records, bytes);
}

static size_t left(size_t used, size_t most) {
    return used < most ? most - used : 1;
}

void leati_channel_credit(leati_channel *c, size_t *records, size_t *bytes) {
    if (c->spill) { /* none is needed */
        *records = c->max_records;
        *bytes = c->max_bytes;
        return;
    }
    *records = left(atomic_load(&c->records), c->max_records);
    if (c->batch_records && *records > c->batch_records) *records = c->batch_records;
    *bytes = left(atomic_load(&c->bytes), c->max_bytes);
}
