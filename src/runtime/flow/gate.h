/* gate.h: where a task's channels come together: takes elements in turn, gives the minimum of their
   watermarks, aligns barriers, and says when an input has ended. A channel whose barrier came waits
   for those of the others; what it holds meanwhile stays in it. One that said it is idle does not
   count for watermarks until its next one, or until it says that it is active. The rounds of a loop
   (rounds.h) are merged without anybody waiting. One thread: the task's. */
#ifndef LEATI_GATE_H
#define LEATI_GATE_H

#include "runtime/flow/channel.h"

typedef struct leati_gate leati_gate;

leati_gate *leati_gate_new(void);
void leati_gate_free(leati_gate *g); /* abandons and releases the channels */
/* Adopts a reference. */
leat_status leati_gate_add(leati_gate *g, leati_channel *channel, unsigned input);

/* What a channel is to a loop. Feedback is read first, but see leati_gate_expect; neither it nor
   votes count for watermarks, idleness, barriers and ends. */
typedef enum leati_port_role {
    LEATI_PORT_STREAM,
    LEATI_PORT_FEEDBACK,
    LEATI_PORT_VOTE
} leati_port_role;
/* As leati_gate_add. `loops`: bit i: rounds of loop i come on it. */
leat_status leati_gate_add_port(leati_gate *g, leati_channel *channel, unsigned input,
                                leati_port_role role, uint64_t loops);
/* Do channels whose barrier came wait for the others, so that a checkpoint has each record exactly
   once? They do until this is told otherwise. */
void leati_gate_align(leati_gate *g, bool exact);
/* While it is held, a gate with feedback reads nothing but that and votes. */
void leati_gate_hold(leati_gate *g, bool hold);
/* This barrier will come on the streams: until it has, they are read in turn with feedback. */
void leati_gate_expect(leati_gate *g, int64_t barrier);
/* Is what this channel brings older than the barrier that was told last? So it is with feedback
   until the barrier has come back on it. And is there any such channel? */
bool leati_gate_is_logged(const leati_gate *g, const leati_channel *from);
bool leati_gate_logs(const leati_gate *g);
/* How many batches feedback has brought so far. */
uint64_t leati_gate_came_back(const leati_gate *g);

/* The next element for the chain: data, with its input and the channel that gets the credit back,
   or one merged signal (of LEATI_END: `value` is the input). LEAT_AGAIN: nothing there, or all
   channels wait for barriers. LEAT_DONE: all inputs have ended and were told. Below zero: `*from`
   has failed. */
leat_status leati_gate_next(leati_gate *g, leati_element *out, unsigned *input,
                            leati_channel **from);
/* The same of what is older than the barrier that was told last, and of nothing else: while the
   task stands still behind that. LEAT_AGAIN: nothing there, or nothing comes any more. */
leat_status leati_gate_next_logged(leati_gate *g, leati_element *out, unsigned *input,
                                   leati_channel **from);

#endif
