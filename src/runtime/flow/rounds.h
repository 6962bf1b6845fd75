/* rounds.h: when a loop is at rest. A loop is a head, a task per subtask that reads a stream and
   what comes back to it, and a body, whose tasks are between the head and the feedback edges. This
   is the part of a head's task that decides when the end of its stream may pass.

   Rounds. A head holds back what its stream ends with. When it has nothing else to do it sends a
   round (LEATI_ROUND) through the body, as empty barriers that nobody is held up by: a gate passes
   it on when it has come from all channels of the loop. A head that has sent the round, and to
   which it came back on all feedback channels, votes (LEATI_VOTE), on a channel to every head: did
   records come back since it voted last? With the votes of all heads, all know the same, and begin
   the next round together. When no record came back to any head, none is on its way; why, is in
   rounds.c.

   What a round finds out is in its flags, which gates and operators add to. A round with
   LEATI_ROUND_END tells the body's operators of the end of data; it closes nothing, since what they
   flush may come back, and then rounds go on. Only after a last one without records the end itself
   goes through, and the channels end.

   Loops within loops: a round of the outer loop comes to the inner head on its stream, and is held
   as an end would be, until no record of the inner loop is on its way.

   Barriers pass a head like any other task, also while it holds the end. What comes back to it
   between a barrier and the same barrier on its way back was on its way round when the snapshot was
   made: it is part of that (snapshot.h), and comes first when the head is restored.

   One thread: the task's. */
#ifndef LEATI_ROUNDS_H
#define LEATI_ROUNDS_H

#include "runtime/flow/chain.h"
#include "runtime/flow/gate.h"

enum { LEATI_MOST_LOOPS = 64 }; /* of a job: bits of a mask */

typedef struct leati_rounds leati_rounds;

/* `number` from 0. NULL when memory ran out. */
leati_rounds *leati_rounds_new(int number);
void leati_rounds_free(leati_rounds *l); /* NULL is fine */
/* Adopts a reference to a channel that leads to a head, itself included. */
leat_status leati_rounds_add_vote(leati_rounds *l, leati_channel *to);

/* The gate gave this signal. LEAT_OK: the loop keeps it; LEAT_AGAIN: it is for the chain. */
leat_status leati_rounds_take(leati_rounds *l, leati_gate *g, const leati_element *e);
/* What the chain is to be sent before the next element; LEAT_AGAIN: nothing. `ended`: the end has
   passed the chain. */
leat_status leati_rounds_next(leati_rounds *l, leati_gate *g, bool ended, leati_element *out);
/* The gate has nothing: a new round, or LEAT_AGAIN. */
leat_status leati_rounds_idle(leati_rounds *l, leati_element *out);
/* When it wants to be asked again, in ms of the epoch; INT64_MAX: never. */
int64_t leati_rounds_next_time(const leati_rounds *l);

#endif
