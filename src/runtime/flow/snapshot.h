/* snapshot.h: the state of operators as the entries of a store (store.h), and back. */
#ifndef LEATI_SNAPSHOT_H
#define LEATI_SNAPSHOT_H

#include "runtime/flow/chain.h"
#include "runtime/state/store.h"

/* Where a task's snapshots go to. */
typedef struct leati_saver {
    /* The next part of what task `task` remembers at `checkpoint`, `last` the end of it; takes the
       chunk's content and leaves it empty. Called on the task's thread; never waits. */
    leat_status (*take)(void *arg, int task, int64_t checkpoint, leati_chunk *chunk, bool last);
    void *arg;
} leati_saver;

/* A snapshot of a task on its way out. */
typedef struct leati_saving {
    const leati_saver *to;
    int task;
    int64_t checkpoint; /* 0: none */
    leati_chunk chunk;
} leati_saving;

void leati_saving_begin(leati_saving *s, int64_t checkpoint);
/* Adds what the operator remembers now. */
leat_status leati_saving_add(leati_saving *s, leat_context *ctx);
/* All operators were added. */
leat_status leati_saving_end(leati_saving *s);
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
/* From what leati_context_snapshot wrote of the same subtask. */
leat_status leati_context_restore_bytes(leat_context *ctx, const void *bytes, size_t size);

#endif
