/* still.h: holds that snapshots which are made bit by bit (table.h, timers.h) see nothing of what
   an operator does meanwhile: all that it remembers is frozen and written at once, and both are
   compared later. */
#ifndef LEAT_TESTS_STILL_H
#define LEAT_TESTS_STILL_H

#include "runtime/flow/chain.h"

typedef struct still still;

/* Opens a snapshot of every table and of the timers. */
still *still_new(leat_context *ctx);
/* Closes them; frees the still. NULL is fine. */
void still_check(still *s);

#endif
