/* frozen.h: what an open snapshot of a table or of timers has so far: the encoded items of each key
   group. Items come in any order of groups, and groups are handed out in theirs, each when it is
   complete, so that finished ones can go to the disk while others are still encoded.

   A group is written as varint count, then its items, which the owner encodes. One thread. */
#ifndef LEATI_FROZEN_H
#define LEATI_FROZEN_H

#include "runtime/base/buf.h"

typedef struct leati_frozen_group {
    leati_buf bytes;
    size_t left; /* items that are not encoded yet */
} leati_frozen_group;

typedef struct leati_frozen {
    size_t left; /* of all groups */
    int groups;
    int sweeps;      /* the group that is swept */
    int taken;       /* groups before it are taken */
    size_t at;       /* the owner's, where the sweep stands in the group; 0 in a new one */
    leati_buf pairs; /* the owner's */
    size_t item;     /* where the item begins that is being written */
    leati_frozen_group group[];
} leati_frozen;

/* Without items; NULL when memory ran out. */
leati_frozen *leati_frozen_new(int groups);
void leati_frozen_free(leati_frozen *f);
/* Says how many items a group has; comes before any of them. */
void leati_frozen_expect(leati_frozen *f, int group, size_t count);
/* Where the next item of that group is to be written. */
leati_buf *leati_frozen_begin(leati_frozen *f, int group);
/* The item is written, or, when `status` says so or memory ran out, it is not and never was. */
leat_status leati_frozen_end(leati_frozen *f, int group, leat_status status);
/* The first group that is not complete; there is one. */
int leati_frozen_sweep(leati_frozen *f);
/* The bytes of the next group that had items; they are the caller's. What was in `out` before is
   freed. LEAT_AGAIN when it is not complete, LEAT_DONE behind the last. */
leat_status leati_frozen_take(leati_frozen *f, int *group, leati_buf *out);

/* What an item of these bytes counts of a budget. */
static inline int leati_frozen_weight(size_t bytes) {
    return bytes < 64 ? 1 : bytes / 64 < 1 << 20 ? (int)(bytes / 64) : 1 << 20;
}

#endif
