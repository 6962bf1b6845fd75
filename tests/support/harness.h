/* harness.h: runs one operator as a task of its own, without threads: push, advance, snapshot,
   throw away, restore, collect. The test drives every step; results are kept as text, one line
   each. The time of day is the harness's as long as one lives, and stands still at 0 until
   harness_clock. */
#ifndef LEAT_TESTS_HARNESS_H
#define LEAT_TESTS_HARNESS_H

#include "leat.h"

typedef struct harness harness;

/* `keys` (may be NULL) keys each input by a selector before the operator sees it, but for inputs
   whose selector is zero, as broadcast ones are. Fails the running
   cmocka test on wrong arguments; when `open` fails, every call answers its status. */
harness *harness_new(const leat_operator *op, const leat_arg *args, size_t arg_count,
                     const leat_function *keys);
/* The same as one of several subtasks, which the test drives one by one. */
harness *harness_new_at(const leat_operator *op, const leat_arg *args, size_t arg_count,
                        const leat_function *keys, int subtask, int parallelism);
/* Restores `to`, all subtasks of the operator with another parallelism, from what `from` remember
   now, dealt out as when a job is restored. `to` have taken nothing yet. */
void harness_rescale(harness *const *from, int from_count, harness *const *to, int to_count);
/* The same from what harness_save gave of each. */
struct leati_buf;
void harness_restore(const struct leati_buf *saved, int from_count, harness *const *to,
                     int to_count);
void harness_free(harness *h); /* closes as after a failure, unless all inputs have ended */
/* Listens to a side output from now on. `tag` is lent. */
void harness_side(harness *h, const char *tag);

/* Each goes on until nothing is left to do or the outputs are full. LEAT_OK: everything is done;
   LEAT_AGAIN: it waits for room, mail, or to be asked again; or the failure's status. */
leat_status harness_push(harness *h, unsigned input, const leat_value *value, int64_t time);
leat_status harness_watermark(harness *h, unsigned input, int64_t watermark);
leat_status harness_idle(harness *h, unsigned input, bool idle);
/* Final watermark, end of data; called again, it only goes on. */
leat_status harness_end(harness *h, unsigned input);
leat_status harness_poll(harness *h);                         /* sources: until AGAIN or DONE */
leat_status harness_clock(harness *h, int64_t now);           /* processing time; fires timers */
leat_status harness_barrier(harness *h, int64_t checkpoint);  /* on all inputs */
leat_status harness_complete(harness *h, int64_t checkpoint); /* commit */
/* How many results fit from now on before the outputs are full, 1 at least; -1: all. */
void harness_room(harness *h, int records);
/* The n-th allocation of the next push, watermark or end, and all behind it, will fail. */
void harness_fail_allocation(harness *h, int64_t n);
leat_status harness_drive(harness *h); /* goes on after harness_room, or when mail has come */
leat_status harness_wait(
    harness *h); /* waits for mail from another thread, 10 s at most, and goes on */

/* Snapshot, throw the operator away, restore into a new one. Nothing happens while cursors or
   inputs wait for room. */
void harness_revive(harness *h);
/* The state of the operator, which has just been prepared by a barrier; appended. */
void harness_save(harness *h, struct leati_buf *state);
/* Throws the operator away, whatever it is doing, and restores what harness_save gave into a new
   one; NULL: it begins anew. Inputs are as they were. */
void harness_crash(harness *h, const struct leati_buf *state);
/* What a job without checkpoints does at its end: prepare and commit all, 10 s at most. */
leat_status harness_finish(harness *h);
/* From now on every step that took or gave something is followed by harness_revive, and is held to
   change nothing in a snapshot that was begun before it (still.h). */
void harness_always_revive(harness *h);

/* Results so far: "value@time" or "value" without a time, side outputs as "tag:value@time";
   watermarks (but for the last) as "watermark 5", barriers as "barrier 1", and "idle" and "active".
   Lent until the next call; taken from the front. NULL when there is none. */
const char *harness_next(harness *h);
size_t harness_count(const harness *h);
const char *harness_failure(const harness *h); /* what leat_context_fail said; "" when nothing */
bool harness_ended(const harness *h); /* the final watermark and the end have left the operator */
leat_context *harness_context(harness *h);

#endif
