/* harness.h: runs one operator without threads, tasks and channels: push, advance, snapshot, throw
   away, restore, collect. The test drives every step; results are kept as text, one line each. */
#ifndef LEAT_TESTS_HARNESS_H
#define LEAT_TESTS_HARNESS_H

#include "leat.h"

typedef struct harness harness;

/* `keys` (may be NULL) keys each input by a selector before the operator sees it. Fails the running
   cmocka test on errors of set-up. */
harness *harness_new(const leat_operator *op, const leat_arg *args, size_t arg_count,
                     const leat_function *keys);
void harness_free(harness *h);

/* Each drives open cursors to their end, as long as there is room. */
leat_status harness_push(harness *h, unsigned input, const leat_value *value, int64_t time);
leat_status harness_watermark(harness *h, unsigned input, int64_t watermark);
leat_status harness_end(harness *h, unsigned input); /* final watermark, end of data */
leat_status harness_poll(harness *h);                /* sources: until AGAIN or DONE */
leat_status harness_clock(harness *h, int64_t now);  /* processing time; fires timers */
leat_status harness_barrier(harness *h, int64_t checkpoint);
leat_status harness_complete(harness *h, int64_t checkpoint); /* commit */
void harness_room(harness *h,
                  int records); /* how many results fit before the outputs are full; -1: all */
leat_status harness_drive(harness *h); /* goes on after harness_room */

/* Snapshot, throw the operator away, restore into a new one. */
void harness_revive(harness *h);
/* From now on every step is followed by harness_revive. */
void harness_always_revive(harness *h);

/* Results so far: "value@time" or "value" without a time, side outputs as "tag:value@time"; watermarks as
   "watermark 5". Lent until the next call; taken from the front. NULL when there is none. */
const char *harness_next(harness *h);
size_t harness_count(const harness *h);
const char *harness_failure(const harness *h); /* what leat_context_fail said */

#endif
