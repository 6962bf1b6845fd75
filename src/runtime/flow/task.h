/* task.h: a gate, a chain and its outputs, stepped by a runner. A step is: mail, then as many
   records, cursor items, timers, signals and polls as the budget and the outputs' credit allow.
   Nothing in a step waits. A step that takes long, because the functions do, ends between two
   records, so that mail, timers and what waits to be sent get their turn.

   Behind the end of its data a task still passes barriers on: it says LEATI_TASK_ENDED then and can
   be stepped again.

   Life: new, (chain and gate filled), open, step ... until ended or failed, close, free; all on the
   runner's thread but new and free. */
#ifndef LEATI_TASK_H
#define LEATI_TASK_H

#include "runtime/data/batch.h"
#include "runtime/flow/by_key.h"
#include "runtime/flow/chain.h"
#include "runtime/flow/gate.h"
#include "runtime/flow/inbox.h"
#include "runtime/flow/returns.h"
#include "runtime/flow/rounds.h"
#include "runtime/flow/snapshot.h"

typedef enum leati_task_state {
    LEATI_TASK_READY,   /* more to do at once */
    LEATI_TASK_WAITING, /* for an element, for room, for mail, for time */
    LEATI_TASK_ENDED,   /* all inputs have ended and everything is flushed */
    LEATI_TASK_FAILED   /* chain->failure says why */
} leati_task_state;

typedef struct leati_task {
    leati_inbox *inbox;
    leati_chain *chain;
    leati_gate *gate;       /* NULL: a source */
    leati_by_key *by_key;   /* NULL: elements come to the chain as they come to the gate */
    leati_rounds *rounds;   /* NULL: not the head of a loop */
    leati_returns *returns; /* of such a head */
    leati_task_state state;
    bool source_done;
    int64_t began, looked_at;        /* the step, and when it last looked at the clock */
    int stride, until_look;          /* records between two looks, and how many are left */
    int64_t refreshed_at;            /* the metrics */
    int64_t flushed_at, flush_every; /* nanoseconds, monotonic; -1: only when idle or full */

    leati_batch *batch; /* being read */
    uint32_t at;
    unsigned input;
    leati_channel *from;
    size_t from_records, from_bytes; /* credit to give back with the batch */
    int ends;                        /* inputs that have ended and passed the chain */
    leati_element end;               /* that the head is not ready for */
    bool end_waits;                  /* there is one */
    leati_saving saving;             /* of the barrier that passes */
    /* Asked of a source: number * 4 + leati_then; 0: none. Of the head of a loop: on its way. */
    atomic_int_fast64_t barrier;
    atomic_int_fast64_t complete;  /* the checkpoint whose parts are to be committed; 0: none */
    atomic_int_fast64_t committed; /* and have been */
    bool prepared;                 /* of leati_task_finish */
    int64_t stopped;               /* the barrier behind which nothing comes has passed; 0: none */
    atomic_int_fast64_t resumed;   /* and something comes all the same, behind this one */
} leati_task;

/* What a source does with a barrier that it is asked for. */
typedef enum leati_then {
    LEATI_THEN_GO_ON,
    LEATI_THEN_STOP, /* gives nothing more, and does not end; nor do those behind it */
    LEATI_THEN_END   /* ends its data, and there is no barrier */
} leati_then;

/* `notice` is called when the task has something to do, on any thread. */
leati_task *leati_task_new(const leati_surroundings *around, leati_notice notice);
void leati_task_free(leati_task *t);
leat_status leati_task_open(leati_task *t);
leati_task_state leati_task_step(leati_task *t, int budget);
void leati_task_close(leati_task *t, bool failed);
/* When it wants to be stepped without being woken, in ms of the epoch; INT64_MAX: never. */
int64_t leati_task_next_time(const leati_task *t);
/* Asks a source to insert a barrier, and tells the head of a loop that one is on its way; any
   thread. */
void leati_task_barrier(leati_task *t, int64_t checkpoint, leati_then then);
/* The checkpoint behind which nothing was to come has failed: everything goes on; any thread. */
void leati_task_resume(leati_task *t, int64_t checkpoint);
/* The checkpoint is complete: its operators commit, which may take several steps; any thread. */
void leati_task_complete(leati_task *t, int64_t checkpoint);
/* Have they committed all of it? Any thread. */
bool leati_task_has_committed(const leati_task *t, int64_t checkpoint);
/* The job has ended: commits what is complete if a last checkpoint was `committed`, otherwise
   prepares and commits what one would have. LEAT_AGAIN until it is done, to be called again when
   the task was woken. */
leat_status leati_task_finish(leati_task *t, bool committed);

#endif
