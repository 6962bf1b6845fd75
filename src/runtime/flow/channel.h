/* channel.h: a queue of elements from one task to one other, bounded in records and in bytes.

   Credit: what was pushed and not yet given back counts against the capacity. A sender asks for
   room before it takes its next record and may overdraw with what that record gives; it is told
   when there is room again. A record larger than the limit passes alone. Signals cost no credit.

   One thread pushes, one pops; both ends hold a reference. A channel to another process has `send`
   instead of a queue on the sender's side: there credit comes back as a message.

   A channel of the second kind spills (leati_channel_spill): it takes all that is pushed whether
   anybody reads or not, keeps about `max_bytes` of it in memory and the rest in a temporary file,
   in order. It is for edges that must not push back: feedback, and what is read only when it is
   complete. On the sender's side all is as above, and in particular the sender of one still asks
   for room, which it gets unless the disk is slower than it: nothing waits for the reader. The
   reader does nothing special either: it pops, and is told when there is more; it finds some of the
   batches as frames. A pop, and a push, may answer below zero, and leati_channel_failure says
   why. */
#ifndef LEATI_CHANNEL_H
#define LEATI_CHANNEL_H

#include <pthread.h>
#include <stdatomic.h>

#include "leat/type.h"
#include "runtime/flow/element.h"

/* What an end is told; called on the other end's thread. */
typedef struct leati_notice {
    void (*fn)(void *arg);
    void *arg;
} leati_notice;

typedef struct leati_spill leati_spill;

typedef struct leati_channel {
    atomic_int refs;
    atomic_bool abandoned; /* the reader is gone: what is pushed is dropped */
    atomic_bool starved;   /* the sender wants to be told of room */
    atomic_size_t records, bytes;
    size_t max_records, max_bytes;
    leati_notice on_data, on_room;
    /* Set before use: takes over pushed elements, for another process. */
    leat_status (*send)(void *arg, leati_element *element, size_t records, size_t bytes);
    void *send_arg;
    size_t batch_records; /* 0, or how many records a batch for `send` may have; the sender's */
    /* Set on the reader's side of a channel from another process: is told what was given back. */
    void (*credit)(void *arg, size_t records, size_t bytes);
    void *credit_arg;

    leati_spill *spill; /* NULL: it pushes back */

    pthread_mutex_t lock; /* guards the ring, and of a channel that spills everything */
    leati_element *ring;
    size_t head, count, room;
} leati_channel;

leati_channel *leati_channel_new(size_t max_records, size_t max_bytes);
void leati_channel_ref(leati_channel *c);
void leati_channel_unref(leati_channel *c);
/* Makes it spill; before use, and only where it is read: a channel to another process spills in
   that one. `type` (may be NULL) is the declared type of its values, lent; `dirs` as the key
   io.tmp.dirs, copied. LEAT_E_NOMEM. */
leat_status leati_channel_spill(leati_channel *c, const leat_type *type, const char *dirs);
/* Why pushes and pops answer below zero; NULL when nothing has failed. Lent by the channel. */
const char *leati_channel_failure(leati_channel *c);
/* The reader will not read any more: empties the queue and drops what still comes. `on_data` is not
   called after this has returned, but by a push. */
void leati_channel_abandon(leati_channel *c);
/* The sender will not push any more: of a channel that spills, `on_room` is not called after this
   has returned. */
void leati_channel_leave(leati_channel *c);

/* Adopts the element's content in every case. `records` and `bytes` are charged. */
leat_status leati_channel_push(leati_channel *c, leati_element *element, size_t records,
                               size_t bytes);
/* LEAT_AGAIN when the queue is empty. */
leat_status leati_channel_pop(leati_channel *c, leati_element *out);
/* The reader is done with what it popped. */
void leati_channel_give_back(leati_channel *c, size_t records, size_t bytes);
/* Is there credit beyond `records` and `bytes` that are gathered but not pushed? When not, the
   sender's on_room will be called once there is. */
bool leati_channel_has_room(leati_channel *c, size_t records, size_t bytes);

/* What may be pushed before there is no room any more; at least 1 and 1. */
void leati_channel_credit(leati_channel *c, size_t *records, size_t *bytes);

void leati_element_drop(leati_element *element);
/* The batch of a data element, which is adopted, also on failure; frames are read, their objects in
   `domain` (codec.h). `records` and `bytes` are what it was charged. */
leat_status leati_element_open(leati_element *element, uint16_t domain, leati_batch **batch,
                               size_t *records, size_t *bytes);

/* For spill.c, under the lock. */
bool leati_channel_ring_add(leati_channel *c, const leati_element *element);
bool leati_channel_ring_take(leati_channel *c, leati_element *out);

#endif
