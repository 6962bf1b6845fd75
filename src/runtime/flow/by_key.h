/* by_key.h: what stands between the gate and the chain of a task in batch execution. It takes all
   that its sorted inputs bring into a sorter (sorter.h), and when every input has ended hands it on
   key by key: the records of a key in the order of event time, then LEATI_KEY_END; behind the last
   key the final watermark and the ends. Inputs that are not sorted, the broadcast ones, pass at
   once, and so before everything else. Nothing that comes in is ever left in its channel, so no
   task before this one has to wait for another input's end.

   Without keys it is a queue: records keep their order, and only wait for the broadcast input.

   Files are read and written on the I/O thread; meanwhile the task has nothing to do here. One
   thread: the task's. */
#ifndef LEATI_BY_KEY_H
#define LEATI_BY_KEY_H

#include "runtime/flow/chain.h"
#include "runtime/flow/gate.h"

typedef struct leati_by_key leati_by_key;

typedef struct leati_by_key_options {
    size_t memory;    /* bytes, before records go to a file */
    const char *dirs; /* for that file, as the key io.tmp.dirs; copied, may be NULL */
    unsigned sorted;  /* bit i: input i waits; the others pass */
    bool keys;
} leati_by_key_options;

/* For the chain's head, which is there already. NULL when memory ran out. */
leati_by_key *leati_by_key_new(leati_chain *chain, const leati_by_key_options *options);
/* With the chain, on the task's thread; and then the memory, any thread. NULL is fine. */
void leati_by_key_close(leati_by_key *b);
void leati_by_key_free(leati_by_key *b);

/* As leati_gate_next. LEATI_NOTHING: something was taken, ask again. Data that was sorted has no
   channel: `from` is NULL. */
leat_status leati_by_key_next(leati_by_key *b, leati_gate *gate, leati_element *out,
                              unsigned *input, leati_channel **from);

#endif
