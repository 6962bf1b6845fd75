/* snapshot.h: the state of operators as the entries of a store (store.h), and back. */
#ifndef LEATI_SNAPSHOT_H
#define LEATI_SNAPSHOT_H

#include "runtime/data/batch.h"
#include "runtime/flow/chain.h"
#include "runtime/state/store.h"

/* Where a task's snapshots go to. */
typedef struct leati_saver {
    /* The next part of what task `task` remembers at `checkpoint`, `last` the end of it; takes the
       chunk's content and leaves it empty. Called on the task's thread; never waits. */
    leat_status (*take)(void *arg, int task, int64_t checkpoint, leati_chunk *chunk, bool last);
    void *arg;
    /* There is no next part, and the checkpoint cannot be complete. As `take`. NULL: what cannot be
       written is the task's failure. */
    leat_status (*decline)(void *arg, int task, int64_t checkpoint, leat_status status,
                           const char *why);
} leati_saver;

/* One operator in a snapshot: what it wrote by itself, and its tables and timers, which are
   frozen. */
typedef struct leati_saving_part {
    leat_context *ctx;
    leati_chunk head;
    size_t tables; /* that it had */
} leati_saving_part;

/* A snapshot of a task on its way out. At the barrier operators are added, which takes no longer
   the more they remember; what they remember is encoded bit by bit afterwards, while they go on. */
typedef struct leati_saving {
    const leati_saver *to;
    int task;
    int64_t checkpoint; /* 0: none */
    bool sealed;        /* all operators were added */
    bool logs;          /* records that were on their way still come */
    leati_saving_part *parts;
    int count, at;           /* parts, and the one that is being encoded */
    size_t table;            /* of it; behind them, its timers */
    bool begun, table_begun; /* its row, and that of the table, were given */
    leati_buf group;
    leati_chunk chunk;
} leati_saving;

/* One that is still under way is given up. After one was declined, nothing is added until the next
   begins. */
leat_status leati_saving_begin(leati_saving *s, int64_t checkpoint);
leat_status leati_saving_add(leati_saving *s, leat_context *ctx);
/* All operators were added. `logs`: records follow that the barrier has overtaken, until
   leati_saving_end_log. */
void leati_saving_seal(leati_saving *s, bool logs);
leat_status leati_saving_log(leati_saving *s, const leati_batch *batch, const leat_type *type);
void leati_saving_end_log(leati_saving *s);
/* Encodes for about so long, or all with -1. LEAT_DONE when nothing is left to be done, LEAT_AGAIN
   when nothing is but to wait for the end of the log. */
leat_status leati_saving_advance(leati_saving *s, int64_t ns);
/* An operator's snapshot, or what was encoded of it, is a failure: where the saver knows of that,
   it is told, the task goes on without this snapshot, and its operators have not failed. Answers
   the failure that is left. */
leat_status leati_saving_decline(leati_saving *s, leat_context *ctx, leat_status status);
/* Before the operators are closed. */
void leati_saving_fini(leati_saving *s);

/* One operator alone, as the bytes of a file; appended. */
leat_status leati_context_snapshot(leat_context *ctx, leati_buf *out);

/* What one former subtask of an operator remembered: its row in the store, with all that follows
   until the next operator's. */
typedef struct leati_restored {
    leati_store *store;
    const leati_row *row;
} leati_restored;

/* Those of all former subtasks, in their order, are dealt out to this one. After `open`, before the
   first record. */
leat_status leati_context_restore(leat_context *ctx, const leati_restored *from, int count);
/* The records of logs that are for this subtask, input 1 of which they come on; `out` is left when
   there are none. */
leat_status leati_context_restore_log(leat_context *ctx, const leati_restored *from, int count,
                                      leati_batch **out);
/* From what leati_context_snapshot wrote of the same subtask. */
leat_status leati_context_restore_bytes(leat_context *ctx, const void *bytes, size_t size);

#endif
