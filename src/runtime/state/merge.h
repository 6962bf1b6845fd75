/* merge.h: several sorted runs read as one. Where runs have a key in common its records come in the
   order of event time and input, those of an earlier run first. One owner and one thread at a
   time. */
#ifndef LEATI_MERGE_H
#define LEATI_MERGE_H

#include "runtime/state/sorted_run.h"

typedef struct leati_merge leati_merge;

/* The runs come in the order of their records' arrival. NULL when memory ran out. */
leati_merge *leati_merge_new(const leati_run *runs, size_t count, bool by_time);
void leati_merge_free(leati_merge *m);

/* As leati_run_next_key and leati_run_next: LEAT_AGAIN when it has to be filled first. A key is
   lent until the next one, a record until it is filled. */
leat_status leati_merge_next_key(leati_merge *m, leati_pile_key *key);
leat_status leati_merge_next(leati_merge *m, leati_pile_item *item);
/* Reads what the last call missed. May block. */
leat_status leati_merge_fill(leati_merge *m, leat_error *err);

#endif
