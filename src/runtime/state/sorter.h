/* sorter.h: sorts more records than fit into memory: by key, and within a key by event time, input
   and arrival. They are piled up in memory (pile.h); when the memory allowed is used up the piles
   become a run in a file (sorted_run.h), and in the end the runs are merged (merge.h). What fits
   into memory touches no file.

   Taking: add ... add, end. Giving: next_key, next ... next, next_key, ... Between the calls
   `leati_sorter_is_due` says whether leati_sorter_work has to run before the next one. Work may
   block, so it belongs on the I/O thread; meanwhile the sorter is that thread's. Apart from that it
   has one owner and one thread. */
#ifndef LEATI_SORTER_H
#define LEATI_SORTER_H

#include "leat/record.h"
#include "leat/type.h"
#include "runtime/state/pile.h"

typedef struct leati_sorter leati_sorter;

typedef struct leati_sorter_options {
    size_t memory;    /* bytes that may be used before records go to a file */
    const char *dirs; /* for the file, as the key io.tmp.dirs; lent for the sorter's life */
    bool arrival;     /* no order but that of arrival: a queue that spills */
} leati_sorter_options;

/* NULL when memory ran out. */
leati_sorter *leati_sorter_new(const leati_sorter_options *options);
void leati_sorter_free(leati_sorter *s);

/* Encodes the record; `type` (may be NULL) is what its objects were declared as. `hash` of the
   record is that of its key. LEAT_E_RANGE: it has more than 1 GiB. */
leat_status leati_sorter_add(leati_sorter *s, unsigned input, const leat_record *record,
                             const leat_type *type);
/* As leati_piles_expect. */
void leati_sorter_expect(const leati_sorter *s, uint64_t next, uint64_t soon);
/* No more will come. */
leat_status leati_sorter_end(leati_sorter *s);

/* Work that is going on may stop half done; the sorter is of no use any more. Any thread. */
void leati_sorter_abandon(leati_sorter *s);

bool leati_sorter_is_due(const leati_sorter *s);
/* Once per time that it is due. After a failure the error says why. */
leat_status leati_sorter_work(leati_sorter *s);
const leat_error *leati_sorter_error(const leati_sorter *s);

/* The next key; LEAT_AGAIN: work is due; LEAT_DONE: that were all. LEAT_E_FORMAT: what was written
   is damaged. Lent until the next call of this. */
leat_status leati_sorter_next_key(leati_sorter *s, leati_pile_key *key);
/* The next record of that key; LEAT_AGAIN: work is due; LEAT_DONE: the key has no more. Lent until
   work is done. */
leat_status leati_sorter_next(leati_sorter *s, leati_pile_item *item);

/* How often it went to a file; for tests and the plan of what to measure. */
size_t leati_sorter_spills(const leati_sorter *s);

#endif
