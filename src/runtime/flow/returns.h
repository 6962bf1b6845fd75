/* returns.h: what comes back to the head of a loop that stands still behind a barrier, since the
   job stops there. It was on its way round when the snapshot was made, so it is part of that
   (snapshot.h); and it is kept, in a channel that spills, since the job goes on should the
   savepoint fail. Then it comes before all else that the gate has. One thread: the task's. */
#ifndef LEATI_RETURNS_H
#define LEATI_RETURNS_H

#include "runtime/flow/gate.h"
#include "runtime/flow/snapshot.h"

typedef struct leati_returns leati_returns;

/* `max_records`, `max_bytes`: what stays in memory; `type` (may be NULL) of what comes back, lent;
   `dirs` as the key io.tmp.dirs; `notice` when there is something that had to be read. NULL when
   memory ran out. */
leati_returns *leati_returns_new(size_t max_records, size_t max_bytes, const leat_type *type,
                                 const char *dirs, leati_notice notice);
void leati_returns_free(leati_returns *r); /* drops what is kept; NULL is fine */
/* Logs and keeps the next element. LEAT_AGAIN: none is there. Below zero: `*from` has failed, or
   the context says why. */
leat_status leati_returns_keep(leati_returns *r, leati_gate *g, leati_saving *s, leat_context *head,
                               leati_channel **from);
/* Is nothing kept? */
bool leati_returns_empty(const leati_returns *r);
/* As leati_gate_next, of what is kept; LEAT_AGAIN while it is being read. */
leat_status leati_returns_next(leati_returns *r, leati_element *out, unsigned *input,
                               leati_channel **from);

#endif
