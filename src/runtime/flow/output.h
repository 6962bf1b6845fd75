/* output.h: where records leave a chain: partitions, gathers batches, seals them into channels.

   A batch is sealed when it is full, when the buffer timeout has passed, or when the task has
   nothing else to do. An output is full when one of its targets has no credit: then the task takes
   no next record. */
#ifndef LEATI_OUTPUT_H
#define LEATI_OUTPUT_H

#include "leat/graph.h"
#include "runtime/flow/channel.h"

typedef struct leati_chain leati_chain;
typedef struct leati_output leati_output;

/* `targets` channels, adopted one reference each. `type` (may be NULL) is the stream's declared
   type. `objects`: the readers are in the same interpreter. */
leati_output *leati_output_new(leati_chain *chain, leat_partitioning how, int subtask,
                               leati_channel *const *targets, int count, const leat_type *type,
                               int max_parallelism, bool cut);
void leati_output_free(leati_output *o);

/* Bit i: rounds of loop i pass it; none without this call. */
void leati_output_set_loops(leati_output *o, uint64_t loops);

leat_status leati_output_write(leati_output *o, const leat_record *record);
leat_status leati_output_flush(leati_output *o);
/* Flushes, then sends the signal to every target. Rounds of loops that it is not part of stay. */
leat_status leati_output_signal(leati_output *o, leati_element signal);
/* Looks again at full targets; true when none is full any more. */
bool leati_output_has_room(leati_output *o);
/* Records so far; any thread. */
int64_t leati_output_written(const leati_output *o);
bool leati_output_dirty(const leati_output *o);

enum { LEATI_BATCH_RECORDS = 512, LEATI_BATCH_BYTES = 64 * 1024 };

#endif
