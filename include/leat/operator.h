/* operator.h: what an operator is, and what the runtime offers it. An operator is a private struct,
   tables of parameters and states, a few hooks and one const vtable. The engine allocates the
   struct zeroed, fills the parameters in, and calls `fini` even when `open` failed. All hooks of
   one subtask run on one thread, one at a time, and must not block. */
#ifndef LEAT_OPERATOR_H
#define LEAT_OPERATOR_H

#include "state.h"

#ifdef __cplusplus
extern "C" {
#endif

/* --- Parameters ------------------------------------------------------------------------------- */

typedef enum leat_param_kind {
    LEAT_PARAM_INT = 1, /* int64_t at `offset` */
    LEAT_PARAM_DOUBLE,  /* double */
    LEAT_PARAM_STRING,  /* const char *, NULL when it was not given */
    LEAT_PARAM_BYTES,   /* leat_value of kind LEAT_BYTES, LEAT_NULL when it was not given */
    LEAT_PARAM_LIST,    /* leat_value: a list of integers or strings, LEAT_NULL when not given */
    /* leat_function, resolved and opened by the engine: `self` stands in `arg` */
    LEAT_PARAM_FUNCTION,
    LEAT_PARAM_POINTER /* void *: binds the operator to this process */
} leat_param_kind;

/* One row of an operator's table of parameters. */
typedef struct leat_param {
    const char *name; /* NULL ends the table */
    leat_param_kind kind;
    bool required;
    size_t offset;
    leat_role role; /* of a function */
} leat_param;

/* An argument for a parameter. All it points to is copied, but for a pointer. */
typedef struct leat_arg {
    const char *name;
    leat_param_kind kind;
    union {
        int64_t i;
        double d;
        const char *string;
        const leat_value *value; /* bytes and lists */
        const leat_function *function;
        void *pointer;
    } as;
} leat_arg;

/* Arguments by kind; each lends what it points to. */
static inline leat_arg leat_arg_of(const char *name, leat_param_kind kind) {
    leat_arg a;
    memset(&a, 0, sizeof a);
    a.name = name;
    a.kind = kind;
    return a;
}

static inline leat_arg leat_arg_int(const char *name, int64_t i) {
    leat_arg a = leat_arg_of(name, LEAT_PARAM_INT);
    a.as.i = i;
    return a;
}

static inline leat_arg leat_arg_string(const char *name, const char *text) {
    leat_arg a = leat_arg_of(name, LEAT_PARAM_STRING);
    a.as.string = text;
    return a;
}

static inline leat_arg leat_arg_list(const char *name, const leat_value *list) {
    leat_arg a = leat_arg_of(name, LEAT_PARAM_LIST);
    a.as.value = list;
    return a;
}

static inline leat_arg leat_arg_function(const char *name, const leat_function *function) {
    leat_arg a = leat_arg_of(name, LEAT_PARAM_FUNCTION);
    a.as.function = function;
    return a;
}

/* --- The vtable ------------------------------------------------------------------------------- */

enum {
    LEAT_OP_SINK = 1u << 0,      /* has no outputs */
    LEAT_OP_HOST = 1u << 1,      /* bound to the host program: runs in the main process */
    LEAT_OP_KEYED = 1u << 2,     /* has keyed state or timers: its input must be keyed */
    LEAT_OP_OBJECTS = 1u << 3,   /* takes objects as they are, unless one of its functions is in C;
                                   others get them as native values */
    LEAT_OP_SINGLE = 1u << 4,    /* parallelism 1 only */
    LEAT_OP_SETS_KEY = 1u << 5,  /* its output is keyed; it is as parallel as its input */
    LEAT_OP_SAME_TYPE = 1u << 6, /* its output has the type of its input */
    LEAT_OP_SETS_TARGET = 1u << 7, /* it sets `hash` to the subtask that gets the record;
                                      it is as parallel as its input */
    LEAT_OP_HEAD = 1u << 8,        /* never chained to what comes before it; may have a poll hook */
    /* Its second input is broadcast: every subtask gets all of it, without keys, and broadcast
       state is written there only. With LEAT_OP_KEYED the first input alone must be keyed. */
    LEAT_OP_BROADCAST = 1u << 9,
    LEAT_OP_BOUNDED = 1u << 10, /* a source that ends by itself */
    /* The head of a loop: leat_iteration_close lets it read what comes back, too, as input 1
       although it has one. */
    LEAT_OP_LOOP = 1u << 11
};

typedef struct leat_operator {
    size_t size;      /* sizeof(leat_operator) of the maker's header */
    const char *name; /* the name it is added by: "map" */
    uint32_t flags;   /* LEAT_OP_... */
    uint32_t inputs;  /* 0: a source */
    size_t self_size;
    const leat_param *params;      /* NULL: none */
    const leat_state_decl *states; /* NULL: none */

    /* Required but for sources. `in` is borrowed. */
    leat_status (*on_record)(leat_context *ctx, void *self, unsigned input, const leat_record *in);
    /* Required for sources: emits at most one record, as leat_source_call. Operators with
       LEAT_OP_HEAD may have it: called after a wake, before the next record or signal, until
       LEAT_AGAIN; also while the operator itself holds its task. */
    leat_status (*poll)(leat_context *ctx, void *self, leat_emitter *out);

    /* All below may be NULL. */
    leat_status (*open)(leat_context *ctx, void *self);
    /* A timer of this operator; its key is current. */
    leat_status (*on_timer)(leat_context *ctx, void *self, const leat_timer *timer);
    /* May change what is forwarded: another value, or LEAT_AGAIN for nothing now (the operator
       forwards later with leat_context_forward_watermark). Default: fire timers, forward. */
    leat_status (*on_watermark)(leat_context *ctx, void *self, int64_t *watermark);
    /* The inputs fell idle, or are active again. LEAT_AGAIN: those behind do not hear of it; they
       hear what leat_context_set_idle says. */
    leat_status (*on_idle)(leat_context *ctx, void *self, bool idle);
    /* Input `input` has ended; after the last one the operator flushes. LEAT_AGAIN: not yet, ask
       again when leat_context_wake was called. */
    leat_status (*on_end_of_data)(leat_context *ctx, void *self, unsigned input);
    /* This batch is done, or nobody has work: give out what was held back for batching. */
    leat_status (*on_drain)(leat_context *ctx, void *self);
    /* The operator's own state, beside its declared tables. */
    leat_status (*snapshot)(leat_context *ctx, void *self, leat_snapshot *out);
    leat_status (*restore)(leat_context *ctx, void *self, leat_snapshot *in);
    /* Two-phase sinks: prepare on the barrier, before `snapshot`; commit once the checkpoint is
       complete, all that was prepared for it or for one before it. A job without checkpoints
       prepares and commits INT64_MAX at its end. Either may answer LEAT_AGAIN: not yet, ask again
       with the same number when leat_context_wake was called (or sooner). Meanwhile the barrier
       stays where it is: neither records nor letters come to those that it has passed. While a
       commit waits everything goes on, and only the end of the job waits for it; the next barrier
       may come before it is done. */
    leat_status (*prepare)(leat_context *ctx, void *self, int64_t checkpoint);
    leat_status (*commit)(leat_context *ctx, void *self, int64_t checkpoint);
    /* The subtask ends: after success (`failed` false), failure or cancel. Must not emit. */
    void (*close)(leat_context *ctx, void *self, bool failed);
    /* Gives back what the struct holds; also after a failed or missing `open`. */
    void (*fini)(void *self);
    /* The processing time of leat_context_wake_at has come. Must not emit; may forward a
       watermark. */
    leat_status (*on_wake)(leat_context *ctx, void *self, int64_t now);
    /* When it is added to a graph: do its parameters fit together? `self` has nothing but them, as
       they were given; functions of other languages have no calls yet. May fill in what `open`
       would. */
    leat_status (*check)(void *self, leat_error *err);
    /* Batch execution, where a keyed operator gets its records key by key: the last record of the
       current key has come and its timers have fired. Afterwards the key's state is forgotten.
       Timers that are set here are not taken. */
    leat_status (*on_end_of_key)(leat_context *ctx, void *self);
    /* In a loop: will it still give results of what it got, without a record, a watermark or an end
       (calls that have not answered)? Pending timers of processing time need no answer. */
    bool (*busy)(leat_context *ctx, void *self);
    /* Of sources: a barrier is to stand before the next poll, and the position that `snapshot` then
       writes is what counts. LEAT_AGAIN: not here. It is polled on, and asked again with the same
       number, or a later one, between polls and when leat_context_wake was called: for a source
       whose own thread has to say where it stands. Default: anywhere. */
    leat_status (*on_barrier)(leat_context *ctx, void *self, int64_t checkpoint);
    /* Of sources: can this one go back to where a snapshot was made? Asked once it is open, so that
       a job that is to be exact can say which cannot. Default: those with `snapshot` can. */
    bool (*goes_back)(leat_context *ctx, void *self);
} leat_operator;

/* --- What hooks may call ---------------------------------------------------------------------- */

/* Hands a record to the next operators. Borrowed for the call, never waits, never fails for lack of
   room. */
LEAT_API leat_status leat_emit(leat_context *ctx, const leat_record *record);
/* The same of a value that the operator goes on holding, in its state say: where somebody behind it
   in the chain might change an object in place, that is a copy. What nobody can change is not
   copied. */
LEAT_API leat_status leat_emit_kept(leat_context *ctx, const leat_record *record);
/* Hands a record to the listeners of the side output `tag`. */
LEAT_API leat_status leat_emit_side(leat_context *ctx, const char *tag, const leat_record *record);
/* A cursor of this operator, driven after the hook returned; see leat_emitter_cursor. */
LEAT_API leat_status leat_context_cursor(leat_context *ctx, leat_cursor *cursor);
/* The emitter of this operator, for calling user functions. */
LEAT_API leat_emitter *leat_context_emitter(leat_context *ctx);

/* Memory that lives until the hook that asked for it, and all that it emitted to, have returned.
   NULL when there is none. */
LEAT_API void *leat_context_alloc(leat_context *ctx, size_t bytes);
/* Adopts one reference to the object and gives it back when memory of leat_context_alloc would
   end. Answers LEAT_E_NOMEM when it could not; the reference is gone then, too. */
LEAT_API leat_status leat_context_keep(leat_context *ctx, const leat_value *object);

/* Says why the hook fails and returns `status`: `return leat_context_fail(ctx, LEAT_E_TYPE,
   ...)`. */
LEAT_API leat_status leat_context_fail(leat_context *ctx, leat_status status, const char *format,
                                       ...) LEAT_PRINTF(3, 4);
#ifdef __clang_analyzer__ /* which cannot look into the library */
#define leat_context_fail(ctx, status, ...) (leat_context_fail(ctx, status, __VA_ARGS__), (status))
#endif

LEAT_API const char *leat_context_name(
    const leat_context *ctx);                               /* the operator's name in the job */
LEAT_API int leat_context_subtask(const leat_context *ctx); /* from 0 */
LEAT_API int leat_context_parallelism(const leat_context *ctx);
LEAT_API int leat_context_max_parallelism(const leat_context *ctx);
LEAT_API int leat_context_attempt(const leat_context *ctx); /* from 0 */
/* The number of subtasks that this operator's main output is partitioned over. */
LEAT_API int leat_context_targets(const leat_context *ctx);
/* The declared type of the operator's output, and of its input; NULL when unknown. */
LEAT_API const leat_type *leat_context_output_type(const leat_context *ctx);
LEAT_API const leat_type *leat_context_input_type(const leat_context *ctx, unsigned input);
/* The declared type of the keys that a keyed operator's records come with; NULL when unknown. */
LEAT_API const leat_type *leat_context_key_type(const leat_context *ctx);
/* The value of a configuration key, its default included; NULL for unknown keys. */
LEAT_API const char *leat_context_config(const leat_context *ctx, const char *key);
/* The same of a key that is a duration, in milliseconds; `fallback` where there is no
   configuration. */
LEAT_API int64_t leat_context_config_ms(const leat_context *ctx, const char *key, int64_t fallback);

LEAT_API int64_t leat_context_watermark(const leat_context *ctx); /* INT64_MIN before the first */
LEAT_API int64_t leat_context_now(const leat_context *ctx);       /* processing time, ms */
/* Do the operator's records have keys? Then it may have state and timers, also when it is one that
   does not ask for keys. */
LEAT_API bool leat_context_is_keyed(const leat_context *ctx);
/* Do they come key by key, in the order of event time, as in batch execution? Then on_end_of_key
   comes after the last of each. */
LEAT_API bool leat_context_is_by_key(const leat_context *ctx);
/* Is one of them, or a timer, being processed? State and timers are under its key. Not while a
   record of a broadcast input is. */
LEAT_API bool leat_context_has_key(const leat_context *ctx);
/* Which input the record being processed came by, for functions that are called for several; 0
   unless the operator has said so. */
LEAT_API unsigned leat_context_input(const leat_context *ctx);
LEAT_API void leat_context_set_input(leat_context *ctx, unsigned input);
/* Is a record of the broadcast input being processed? Then broadcast state may be changed. */
LEAT_API bool leat_context_is_broadcast(const leat_context *ctx);
/* The key of the record or timer being processed; null when there is none. */
LEAT_API const leat_value *leat_context_key(const leat_context *ctx);
/* Event time of the record or timer being processed, or LEAT_NO_TIME. */
LEAT_API int64_t leat_context_time(const leat_context *ctx);
/* From now on, until the hook, or this call of a cursor, returns, that is `time`: for what a user
   function emits. */
LEAT_API void leat_context_set_time(leat_context *ctx, int64_t time);
/* The same for two records that met: the later time is what is emitted, and both are there for a
   function that asks. */
LEAT_API void leat_context_set_times(leat_context *ctx, int64_t first, int64_t second);
LEAT_API void leat_context_times(const leat_context *ctx, int64_t *first, int64_t *second);
/* The record being processed, of a cursor that which came when it was handed over; NULL when there
   is none. */
LEAT_API const leat_record *leat_context_record(const leat_context *ctx);
LEAT_API leat_status leat_context_forward_watermark(leat_context *ctx, int64_t watermark);
/* Tells those behind that nobody needs to wait for this operator's watermark, or that it counts
   again. Records that it gives meanwhile do not change that. */
LEAT_API void leat_context_set_idle(leat_context *ctx, bool idle);

/* Back-pressure from an operator that cannot take more just now, such as a sink whose disk is slow.
   While it is held, the task takes no next record, timer or poll and drives no cursor; what is in
   the call already still comes, and mail, watermarks and ends pass. One level: a second hold
   changes nothing. The operator's thread; a hold that is not released stops the task until it is
   cancelled. */
LEAT_API void leat_context_hold(leat_context *ctx);
LEAT_API void leat_context_release(leat_context *ctx);

/* Runs `fn` on the operator's thread, between two records. Any thread; what was posted to an
   operator that has ended is freed through `drop` (may be NULL). The mailbox lives until the last
   leat_mailbox_unref. */
typedef struct leat_mailbox leat_mailbox;
LEAT_API leat_mailbox *leat_context_mailbox(leat_context *ctx); /* take: one reference */
LEAT_API leat_status leat_mailbox_post(leat_mailbox *mailbox,
                                       leat_status (*fn)(leat_context *ctx, void *self, void *arg),
                                       void *arg, void (*drop)(void *arg));
LEAT_API void leat_mailbox_unref(leat_mailbox *mailbox);
/* Asks for another poll, on_end_of_data, prepare or commit. The operator's thread; other threads
   post, or wake by the mailbox, which needs no memory. */
LEAT_API void leat_context_wake(leat_context *ctx);
LEAT_API void leat_mailbox_wake(leat_mailbox *mailbox);
/* Asks for another poll, or for on_wake, at processing time `time`; the last call counts. */
LEAT_API void leat_context_wake_at(leat_context *ctx, int64_t time);

/* Runs `work` on the process's I/O thread, where it may block, and then `done` on the
   operator's thread. `done` comes also after a cancel as long as the operator lives;
   afterwards `drop` does. */
typedef struct leat_io {
    leat_status (*work)(void *arg);
    leat_status (*done)(leat_context *ctx, void *self, void *arg, leat_status worked);
    void (*drop)(void *arg); /* may be NULL */
    void *arg;
} leat_io;
LEAT_API leat_status leat_context_io(leat_context *ctx, const leat_io *io);

/* Records that outlive the hook: copies, whose objects are kept by reference. Made by one thread,
   then read by all; the last leat_batch_unref frees them, on any thread. */
typedef struct leati_batch leat_batch;
LEAT_API leat_batch *leat_batch_new(size_t room); /* NULL when memory ran out */
/* LEAT_E_RANGE when there is no room. */
LEAT_API leat_status leat_batch_append(leat_batch *batch, const leat_record *record);
LEAT_API size_t leat_batch_records(const leat_batch *batch, const leat_record **records);
LEAT_API void leat_batch_unref(leat_batch *batch);
/* Makes one of them, or any other record, the one being processed until the hook returns: its key
   is current, its time that of what an emitter pushes, and failures show it. `record` is lent for
   as long. */
LEAT_API void leat_context_resume(leat_context *ctx, const leat_record *record);

/* A record of input 0 as bytes, lent until the next call with this context, and back; what it
   points to then is lent until the hook returns. */
LEAT_API leat_status leat_record_write(leat_context *ctx, const leat_record *record,
                                       const void **bytes, size_t *size);
LEAT_API leat_status leat_record_read(leat_context *ctx, const void *bytes, size_t size,
                                      leat_record *out);

/* Own state in snapshots: named blobs. This is the list state of operators without keys, such as
   sources and sinks: LEAT_SPLIT_LIST for what one subtask has at a time (a split and its position,
   a part that waits for its commit), LEAT_UNION_LIST for what all have to know. With these a name
   may be written several times, and comes back item by item. Reading answers LEAT_DONE when there
   is none of that name; `bytes` are lent until the hook returns. */
LEAT_API leat_status leat_snapshot_write(leat_snapshot *out, const char *name,
                                         leat_distribution distribution, const void *bytes,
                                         size_t size);
LEAT_API leat_status leat_snapshot_read(leat_snapshot *in, const char *name, size_t index,
                                        const void **bytes, size_t *size);

/* --- Objects of host languages, for operators with LEAT_OP_OBJECTS ---------------------------- */

/* Item `index` of a tuple, list or row, or field `name` of a row when `name` is not NULL, native or
   object; index 0 of a scalar is the scalar. `out` is lent as long as `v`; objects are kept by the
   context. LEAT_E_TYPE for another item of a scalar, or a name where there are no names;
   LEAT_E_RANGE for an item that is not there: neither says why, and neither leaves an exception
   behind, so that the caller can say it better. */
LEAT_API leat_status leat_value_field(leat_context *ctx, const leat_value *v, int index,
                                      const char *name, leat_value *out);
/* A copy of `v` with that item replaced. */
LEAT_API leat_status leat_value_with_field(leat_context *ctx, const leat_value *v, int index,
                                           const char *name, const leat_value *item,
                                           leat_value *out);
/* a + b, of numbers, strings, lists, or whatever objects can. Native integers that overflow fail
   with LEAT_E_RANGE where no language can go on with bigger ones. */
LEAT_API leat_status leat_value_add(leat_context *ctx, const leat_value *a, const leat_value *b,
                                    leat_value *out);
/* Below, equal or above zero in `order`. */
LEAT_API leat_status leat_value_compare(leat_context *ctx, const leat_value *a, const leat_value *b,
                                        int *order);
/* The native value of an object, by its declared type where there is one (may be NULL). Native
   values come back as they are. */
LEAT_API leat_status leat_value_native(leat_context *ctx, const leat_value *v,
                                       const leat_type *type, leat_value *out);

/* The text of a native value or an object by PyFlink's rules; `type` is the declared type of the
   stream, and NULL or LEAT_T_PICKLED is a stream without one. `text` is lent until the next call
   with this context, or until the hook returns. */
LEAT_API leat_status leat_value_text(leat_context *ctx, const leat_value *v, const leat_type *type,
                                     leat_text_form form, const char **text, size_t *size);

#ifdef __cplusplus
}
#endif
#endif
