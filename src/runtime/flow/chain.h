/* chain.h: operators joined by direct calls, and the context that each of them sees.

   A chain is a tree of contexts in topological order: contexts[0] is the head, which takes what the
   task reads; every other one listens to exactly one before it. A record passes the chain in one
   nest of calls. What may give many results is a cursor: the chain keeps a stack of open ones and
   the task advances the innermost, so that it can pause between two results. Signals pass operator
   by operator, once no cursor is open. The chain's arena holds what hooks allocate; it is rewound
   when the record, or the cursor's item, that asked for it is done.

   One thread: the task's. */
#ifndef LEATI_CHAIN_H
#define LEATI_CHAIN_H

#include "leat/operator.h"
#include "runtime/base/arena.h"
#include "runtime/base/buf.h"
#include "runtime/bridge.h"
#include "runtime/flow/accumulators.h"
#include "runtime/flow/claims.h"
#include "runtime/flow/element.h"
#include "runtime/flow/failure.h"
#include "runtime/flow/metrics.h"
#include "runtime/flow/params.h"
#include "runtime/state/table.h"
#include "runtime/state/timers.h"

typedef struct leati_chain leati_chain;
typedef struct leati_output leati_output;
typedef struct leati_inbox leati_inbox;
typedef struct leati_saving leati_saving;
typedef struct leati_saver leati_saver;

/* What all subtasks of an operator have in common. Lives in the plan. */
typedef struct leati_op_info {
    const leat_operator *op;
    const char *name;
    const char *uid; /* NULL: it was given none */
    const char *id;  /* under which its state is stored */
    int node;
    int parallelism, max_parallelism;
    const leat_type *output_type;
    const leat_type *input_types[2];
    const leat_type *key_type; /* of its records, when they come from a key_by that has one */
    const leati_args *args;
    bool keyed;     /* its records come by their keys */
    uint64_t loops; /* bit i: it is part of loop i, so that rounds ask it (rounds.h) */
} leati_op_info;

/* What the chain asks of the job it belongs to. */
typedef struct leati_surroundings {
    const char *(*config)(void *arg, const char *key);
    int64_t (*config_ms)(void *arg, const char *key); /* of a duration */
    void *arg;
    const leati_bridge *bridge; /* of the interpreter that this task runs in; NULL: none */
    int attempt;
    bool object_reuse;
    bool batch;               /* no watermark goes on but the last */
    leat_job *job;            /* in the main process; NULL in workers and tests */
    int task;                 /* its number in the plan */
    leati_claims *claims;     /* names of this process's accumulators; NULL: all are free */
    const leati_saver *saver; /* where snapshots go to; NULL: nowhere */
    /* Gives an operator what it remembered, if it did; NULL: nobody remembers. */
    leat_status (*restore)(void *arg, leat_context *ctx);
    /* Gives the head of a loop what was on its way back to it; leaves `out` when that is
       nothing. */
    leat_status (*restore_log)(void *arg, leat_context *ctx, leati_batch **out);
    void *restore_arg;
} leati_surroundings;

/* One who hears what a context emits: a context of the same chain, or an output. */
typedef struct leati_listener {
    const char *tag; /* NULL: the main output */
    leat_context *child;
    leati_output *output;
} leati_listener;

/* Fires timers one by one. */
typedef struct leati_sweep {
    leat_cursor cursor; /* first */
    leat_time_domain domain;
    int64_t until;
    leat_record record;
    bool open;
} leati_sweep;

typedef leat_status (*leati_record_hook)(leat_context *, void *, unsigned, const leat_record *);

struct leat_context {
    leat_context *next;          /* the only listener, when that is a context; NULL otherwise */
    leati_output *out;           /* the same, when that is an output */
    leati_record_hook on_record; /* the operator's, or what must come before it */
    void *self;
    const leat_record *current;
    leati_chain *chain;
    uint32_t open_cursors;
    uint32_t listener_count;
    leati_listener *listeners;

    const leati_op_info *info;
    leat_context *parent;
    int index, subtask, targets;
    leati_record_hook native_hook;      /* on_record without the draining of open cursors */
    int64_t watermark, forwarded, sent; /* got, passed on, told to outputs */
    leati_table **tables;
    size_t table_count;
    leati_timers *timers[2];
    leati_sweep sweeps[2];
    int64_t wake_at;
    leat_mailbox *mailbox;
    leati_arena arena;              /* of decoded parameters */
    bool keyed;                     /* its records have keys */
    unsigned input;                 /* that the operator said it works on */
    bool broadcast;                 /* but for the one being processed, of the broadcast input */
    bool by_key;                    /* they come key by key, see by_key.h */
    bool exposes;                   /* somebody behind it in the chain could change an object */
    bool quiet;                     /* the current key ends: no timers are taken any more */
    bool idle_got, idle, idle_sent; /* heard, passed on, told to outputs */
    bool opened, held, ended;       /* ended: of the head, all inputs have */
    uint32_t functions_open;        /* bit i: parameter i was opened */
    int64_t pair_times[2];          /* of leat_context_set_times */
    leat_record retimed;            /* `current` with the time of leat_context_set_time */
    uint32_t ends_told;             /* bit i: the end of input i was told to its operator */
    leati_count records;            /* that it got */
    leati_metrics metrics;
    leati_accumulators accumulators;
};

typedef struct leati_open_cursor {
    leat_cursor *cursor;
    leat_context *ctx;
    leati_arena_mark mark; /* before its input */
    leati_arena_mark item; /* before its current result */
    leat_record input;
    bool done; /* it gave its last item */
} leati_open_cursor;

struct leati_chain {
    leat_context **contexts;
    int count;
    uint32_t depth, depth_room; /* of the stack */
    uint32_t advancing;         /* how many entries have their advance on the call stack */
    uint32_t no_rewind;
    uint32_t full; /* outputs without room */
    uint32_t held; /* leat_context_hold without release */
    leati_open_cursor **stack;
    leati_arena arena;
    leati_buf text; /* of leat_value_text */
    leati_surroundings around;
    leati_failure failure;
    leat_context *blamed;
    leati_output **outputs;
    int output_count;
    leati_inbox *inbox;
    bool drains, pinned;
    bool refreshes;       /* some metrics are taken from time to time */
    bool polls;           /* the head has an input, and asked to be polled */
    bool dirty_watermark; /* a watermark or idleness was let go between the signals */
    bool idle;            /* what the head was told last */

    bool signalling;
    leati_element signal;
    int signal_at;
    enum {
        LEATI_STAGE_DRAIN,
        LEATI_STAGE_TIMERS,
        LEATI_STAGE_WATERMARK,
        LEATI_STAGE_HOOK,
        LEATI_STAGE_SEND
    } signal_stage;
    bool news;              /* the context that the walk stands at got a watermark beyond its own */
    const leat_record *key; /* of LEATI_KEY_END: the key that ends, without a value */
    leati_saving *saving;   /* of the barrier that passes; NULL: nobody wants it */
};

/* --- building, by the plan: contexts first, then listeners, then open ------------------------- */

leati_chain *leati_chain_new(const leati_surroundings *around, leati_inbox *inbox);
leat_context *leati_chain_add(leati_chain *c, const leati_op_info *info, int subtask,
                              leat_context *parent, const char *tag);
/* Adopts the output. */
leat_status leati_chain_add_output(leati_chain *c, leat_context *ctx, const char *tag,
                                   leati_output *output);
/* Fills parameters, resolves and opens functions, opens operators from the last to the first, and
   gives them back what they remembered. */
leat_status leati_chain_open(leati_chain *c);
/* Closes cursors, functions and operators; the context's mailboxes fall silent. */
void leati_chain_close(leati_chain *c, bool failed);
void leati_chain_free(leati_chain *c);

/* --- running, by the task --------------------------------------------------------------------- */

/* Advances the innermost cursor by one item. */
leat_status leati_chain_advance(leati_chain *c);
void leati_chain_close_top(leati_chain *c);
/* A signal enters at the head; step it until LEAT_DONE. LEAT_OK: cursors are open or more is to do;
   LEAT_AGAIN: an operator is not ready to end, or to let a barrier pass. */
void leati_chain_signal(leati_chain *c, leati_element signal);
leat_status leati_chain_signal_step(leati_chain *c);
/* May timers of processing time fire now? Not between the stages of a signal, but while an end
   waits for an operator. */
bool leati_chain_may_fire(const leati_chain *c);
/* Opens sweeps for processing-time timers that are due. */
leat_status leati_chain_fire(leati_chain *c, int64_t now);
/* When the next processing-time timer or wake_at is due; INT64_MAX: never, or something else must
   come first. A full or held chain still wakes operators, which do not emit then. */
int64_t leati_chain_next_time(const leati_chain *c);
/* Two-phase operators: the checkpoint is complete; it is the last, where none are made. LEAT_AGAIN:
   some are not done, ask again when the task was woken. */
leat_status leati_chain_commit(leati_chain *c, int64_t checkpoint);
leat_status leati_chain_prepare(leati_chain *c, int64_t checkpoint);
/* Has the barrier that is on its way gone by this operator? What it gives out now belongs behind
   the barrier, which those behind it have not got. */
static inline bool leati_context_passed(const leat_context *ctx) {
    const leati_chain *c = ctx->chain;
    if (!c->signalling || c->signal.kind != LEATI_BARRIER) return false;
    return ctx->index < c->signal_at ||
           (ctx->index == c->signal_at && c->signal_stage == LEATI_STAGE_SEND);
}

/* Remembers who failed first; the innermost call comes first. */
leat_status leati_chain_blame(leat_context *ctx, leat_status status);
/* Takes back what was blamed, which has to be no failure of the task: "Reduce (1/2): <what>why",
   allocated; NULL when memory ran out. */
char *leati_chain_forgive(leati_chain *c, const char *what);
/* Looks whether full outputs have room again. */
bool leati_chain_has_room(leati_chain *c);
leat_status leati_chain_flush(leati_chain *c);

/* --- between the files of the chain ----------------------------------------------------------- */

/* Is the context an operator with an input that is polled, too? */
static inline bool leati_context_polls(const leat_context *ctx) {
    return ctx->info->op->poll && ctx->info->op->inputs;
}

leat_status leati_emit_slow(leat_context *ctx, const char *tag, const leat_record *record);
/* The hook of a context that has open cursors: what they still give comes first. */
leat_status leati_drain_first(leat_context *ctx, void *self, unsigned input, const leat_record *in);
/* LEAT_E_STATE, said with `what` was done, when there is no current key. */
leat_status leati_context_need_key(leat_context *ctx, const char *what);
/* Under which key a state is read or changed now: the current one, or that of all broadcast state.
   LEAT_E_STATE when it may not. */
typedef struct leati_address {
    const leat_value *key;
    uint64_t hash;
} leati_address;
leat_status leati_context_address(leat_context *ctx, const leat_state *state, const char *what,
                                  bool writes, leati_address *out);
/* A table of a function, as leat_context_state and leat_context_broadcast. */
leat_status leati_context_table(leat_context *ctx, const char *name, leat_state_kind kind,
                                leat_distribution distribution, const leat_type *type,
                                leati_table **out, leat_error *err);
leati_table *leati_context_find_table(const leat_context *ctx, const char *name, bool of_function,
                                      leat_distribution distribution);
const char *leati_state_kind_name(leat_state_kind kind); /* "value" */
/* Into how many groups its tables of that distribution are parted: what has no key has one. */
int leati_context_groups(const leat_context *ctx, leat_distribution distribution);
/* Was the table asked for by a function? The others are of the operator. */
bool leati_table_of_function(const leati_table *t);
void leati_mailbox_close(leat_mailbox *mailbox);
/* In batch execution nobody waits for a watermark but the last. */
static inline bool leati_context_lets_pass(const leat_context *ctx, int64_t watermark) {
    return !ctx->chain->around.batch || watermark == INT64_MAX;
}
leat_status leati_sweep_open(leat_context *ctx, leat_time_domain domain, int64_t until);

#endif
