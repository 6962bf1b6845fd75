/* timers.h: the timers of one operator in one time domain, each once per (key, namespace, time), in
   time order over all key groups. Keys are kept as values, so that a firing timer has its key. One
   thread. */
#ifndef LEATI_TIMERS_H
#define LEATI_TIMERS_H

#include "leat/state.h"
#include "runtime/base/arena.h"
#include "runtime/base/buf.h"

typedef struct leati_timers leati_timers;

leati_timers *leati_timers_new(int max_parallelism);
void leati_timers_free(leati_timers *t);
/* Setting one twice is setting it once. `set->domain` is not looked at. */
leat_status leati_timers_set(leati_timers *t, const leat_value *key, uint64_t hash,
                             const leat_timer *set);
leat_status leati_timers_remove(leati_timers *t, const leat_value *key, uint64_t hash,
                                const leat_timer *removed);
/* The earliest time; LEAT_DONE when there is no timer. */
leat_status leati_timers_first(const leati_timers *t, int64_t *time);
/* Takes the earliest timer that is not later than `until`: its key (copied into the arena; an
   object is kept by it), the key's hash, and the timer with its namespace (in the arena). LEAT_DONE
   when there is none. */
leat_status leati_timers_pop(leati_timers *t, int64_t until, leati_arena *arena, leat_value *key,
                             uint64_t *hash, leat_timer *out);
size_t leati_timers_count(const leati_timers *t);
leat_status leati_timers_snapshot(const leati_timers *t, int group, leati_buf *out);

/* A snapshot of all groups as they are now, encoded bit by bit while timers are set and fire; all
   as with tables (table.h). While one is open, leati_timers_remove and leati_timers_pop may also
   answer what encoding answers, with nothing changed. */
leat_status leati_timers_freeze(leati_timers *t);
bool leati_timers_are_frozen(const leati_timers *t);
leat_status leati_timers_thaw_some(leati_timers *t, int budget);
leat_status leati_timers_take_group(leati_timers *t, int *group, leati_buf *out);
void leati_timers_give_up(leati_timers *t);

leat_status leati_timers_restore(leati_timers *t, leati_reader *in, uint16_t domain);

#endif
