/* toys.h: five operators that see nothing but the public headers. They keep the operator contract
   honest: whatever they need, it must offer. */
#ifndef LEAT_TESTS_TOYS_H
#define LEAT_TESTS_TOYS_H

#include "leat.h"

#include <pthread.h>

/* session_toy.c: keyed; `gap`. Sums integers (the value, or item 1 of a tuple) per session: emits
   (key, start, end, sum) at the session's end; late records go to the side output "late". */
extern const leat_operator toy_session_operator;

/* async_toy.c: doubles integers on a thread of its own, in order; holds back when four are out. */
extern const leat_operator toy_async_operator;

/* two_phase_toy.c: `ledger`. What is committed stands in the ledger, once. */
typedef struct toy_ledger {
    pthread_mutex_t lock;
    int64_t sum, count;            /* of what was committed */
    int64_t parts[64], part_count; /* committed so far: checkpoint * 16 + subtask */
    int rolled_back;
} toy_ledger;
extern const leat_operator toy_two_phase_operator;

/* blocking_toy.c: `well`. A source whose thread blocks until the well gives something. */
typedef struct toy_well {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int64_t level;      /* numbers 0 ... level - 1 may be drawn */
    bool dry;           /* and no more will come */
    int drawers;        /* threads that live */
    int64_t most_ahead; /* drawn and not yet emitted, at most */
} toy_well;
extern const leat_operator toy_blocking_operator;
void toy_well_fill(toy_well *well, int64_t level, bool dry);

/* endless_toy.c: `limit`, `closed`. For each integer of input 0 it yields that integer `limit`
   times, for ever when that is negative; input 1 goes to the side output "control". Counts closed
   cursors in *closed. */
extern const leat_operator toy_endless_operator;

#endif
