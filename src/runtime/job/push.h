/* push.h: the handle of a source that the host feeds, and its reader; push.c moves records,
   push_rewind.c goes back. */
#ifndef LEATI_PUSH_H
#define LEATI_PUSH_H

#include "runtime/base/buf.h"
#include "runtime/base/list.h"
#include "runtime/data/batch.h"
#include "runtime/job/job.h"

/* What pushes have to do with a restart. */
typedef enum push_stage {
    PUSH_TAKES = 0,
    PUSH_WAITS, /* the host will be called to go back: pushes wait, as if there were no room */
    PUSH_CALLS  /* it is being called: they answer LEAT_AGAIN, so that it may wait for them */
} push_stage;

struct leat_push_source {
    leati_link link;  /* in the env's sources */
    unsigned process; /* that it was made in */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    leati_link chunks;
    size_t records, bytes;   /* pushed and not yet emitted */
    leat_mailbox *mailbox;   /* of the reader; NULL: not running */
    leat_job *job;           /* whose descriptor is told of room; NULL: not running */
    leat_job *starting;      /* runs, and its task is not open: not yet, or between two attempts */
    bool reader_waits, over; /* over: ended by the host, or the job is gone */

    leat_rewind_call rewind; /* NULL: it can't go back */
    void *rewind_arg;
    push_stage stage;
    bool due;            /* in leat_job_dispatch */
    leati_batch *target; /* its one record's value is where to; NULL: the beginning */
};

/* Records whose keys are the positions behind them; they leave without. */
typedef struct push_chunk {
    leati_link link;
    leati_batch *batch;
    uint32_t at; /* the first record that was not emitted */
} push_chunk;

typedef struct push_self {
    leat_push_source *source; /* a parameter */
    push_chunk *reading;
    uint32_t at;
    const leati_batch *last_in; /* the batch of the last record with a position, being read */
    uint32_t last;              /* which one that was */
    leati_buf position;         /* encoded, behind all that was emitted before; empty: none */
    bool began, restored, ended;
    bool waits; /* for the host to go back */
} push_self;

/* --- push.c ----------------------------------------------------------------------------------- */

/* Under the lock: wakes a reader that waits; forgets what was pushed. */
void leati_push_wake_reader(leat_push_source *s);
void leati_push_forget(leat_push_source *s);

/* --- push_rewind.c ---------------------------------------------------------------------------- */

/* Until it `began`, and while it `waits`: does the host have to go back? LEAT_AGAIN until it
   has. */
leat_status leati_push_begin(leat_context *ctx, push_self *p);
/* In leat_job_dispatch of this job: calls the host if it has to go back. */
bool leati_push_dispatch(leat_push_source *s, const leat_job *job);
/* Before its batch is given back: keeps the position of the last record. */
leat_status leati_push_keep_position(push_self *p);
leat_status leati_push_snapshot(leat_context *ctx, void *self, leat_snapshot *out);
leat_status leati_push_restore(leat_context *ctx, void *self, leat_snapshot *in);
bool leati_push_goes_back(leat_context *ctx, void *self);

#endif
