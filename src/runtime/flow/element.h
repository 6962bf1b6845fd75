/* element.h: what travels in a channel: data, in batches or in frames of another process, and
   signals. */
#ifndef LEATI_ELEMENT_H
#define LEATI_ELEMENT_H

#include "leat/base.h"

typedef struct leati_batch leati_batch;

typedef enum leati_element_kind {
    LEATI_BATCH,     /* batch */
    LEATI_FRAME,     /* an encoded batch: `frame`, of `value` records */
    LEATI_WATERMARK, /* value: the watermark */
    LEATI_BARRIER,   /* value: the checkpoint's number; below zero: and nothing comes behind it */
    LEATI_IDLE,      /* the sender has nothing to say for a while; its watermark does not count */
    LEATI_ACTIVE,
    LEATI_END,   /* no more data will come */
    LEATI_ROUND, /* of a loop (rounds.h): value by leati_round */
    LEATI_VOTE,  /* from head to head: the same */
    /* Never in a channel, only in a task that takes its records key by key (by_key.h): */
    LEATI_KEY_END, /* the current key has no more records */
    LEATI_NOTHING  /* something was taken, and nothing is to be handed on yet */
} leati_element_kind;

/* What a round found. */
enum {
    LEATI_ROUND_BACK = 1, /* records came back to a head */
    LEATI_ROUND_BUSY = 2, /* an operator of the body will still give results */
    LEATI_ROUND_OPEN = 4, /* the body reads a stream from outside that has not ended */
    LEATI_ROUND_END = 8   /* it tells the body of the end of data */
};

typedef struct leati_frame {
    size_t size;
    size_t charge; /* the credit that it took, in bytes */
    char *bytes;   /* allocated */
} leati_frame;

/* Owns its batch or frame. */
typedef struct leati_element {
    leati_element_kind kind;
    int64_t value;
    union {
        leati_batch *batch;
        leati_frame frame;
    } as;
} leati_element;

static inline leati_element leati_signal(leati_element_kind kind, int64_t value) {
    leati_element e = {.kind = kind, .value = value};
    return e;
}

/* The number of a barrier's checkpoint. */
static inline int64_t leati_barrier_number(const leati_element *e) {
    return e->value < 0 ? -e->value : e->value;
}

/* Is nothing to come behind it, since the job stops there? */
static inline bool leati_barrier_stops(const leati_element *e) {
    return e->value < 0;
}

static inline leati_element leati_round(leati_element_kind kind, int loop, int64_t flags) {
    return leati_signal(kind, (int64_t)loop << 8 | flags);
}

static inline int leati_round_loop(const leati_element *e) {
    return (int)(e->value >> 8);
}

static inline int64_t leati_round_flags(const leati_element *e) {
    return e->value & 0xff;
}

#endif
