/* function.h: the roles that a user function can play. A role is a struct of C pointers; C programs
   fill it with the makers below, a language bridge fills it for an object of its language.
   Operators know roles and never languages. */
#ifndef LEAT_FUNCTION_H
#define LEAT_FUNCTION_H

#include "record.h"
#include "type.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct leat_context leat_context; /* one operator's view of the runtime: operator.h */
typedef struct leat_emitter leat_emitter; /* where results go; lent for the call */
typedef struct leat_cursor leat_cursor;
typedef struct leat_timer leat_timer; /* state.h */
typedef struct leat_snapshot
    leat_snapshot; /* where state is written to, or read from: operator.h */
/* Roles of several calls are tables: window.h, async.h, bulk_writer.h. */
typedef struct leat_assigner leat_assigner;
typedef struct leat_trigger leat_trigger;
typedef struct leat_evictor leat_evictor;
typedef struct leat_aggregate leat_aggregate;
typedef struct leat_window_function leat_window_function;
typedef struct leat_async leat_async;
typedef struct leat_bulk_writer leat_bulk_writer;

/* Results that the engine takes one by one, while there is room for them. `advance` emits at most
   one record and answers LEAT_OK, LEAT_DONE when nothing is left (it may have emitted the last
   record), or a failure. `close` comes once, also when the cursor was not exhausted. */
struct leat_cursor {
    leat_status (*advance)(leat_context *ctx, leat_cursor *cursor, leat_emitter *out);
    void (*close)(leat_context *ctx, leat_cursor *cursor);
};

/* Emits a value with the event time of the record or timer being processed. Always takes it:
   what goes beyond the room of the outputs overdraws them, so whoever may give many results from
   one call hands over a cursor instead. The value is borrowed for the call. */
LEAT_API leat_status leat_emitter_push(leat_emitter *out, const leat_value *value);
/* The same with all fields of the record. */
LEAT_API leat_status leat_emitter_push_record(leat_emitter *out, const leat_record *record);
/* Emits to the side output called `tag`; dropped when nobody listens to it. */
LEAT_API leat_status leat_emitter_side(leat_emitter *out, const char *tag, const leat_value *value);
/* Hands over a cursor, which is driven after the call returned. It belongs to its maker and must
   live until its `close`. */
LEAT_API leat_status leat_emitter_cursor(leat_emitter *out, leat_cursor *cursor);
/* The same as the last thing of a call: a few items are taken at once while there is room, which
   costs less where most cursors are short. */
LEAT_API leat_status leat_emitter_cursor_last(leat_emitter *out, leat_cursor *cursor);

/* The calls of the roles. `self` is what `open` gave, or `arg` without `open`. What an `out` value
   points to must live until the next call of the same function; leat_context_alloc gives such
   memory. Any status below zero fails the job; leat_context_fail says why. */
typedef leat_status (*leat_map_call)(leat_context *ctx, const leat_record *in, leat_value *out,
                                     void *self);
typedef leat_status (*leat_flat_map_call)(leat_context *ctx, const leat_record *in,
                                          leat_emitter *out, void *self);
typedef leat_status (*leat_filter_call)(leat_context *ctx, const leat_record *in, bool *keep,
                                        void *self);
typedef leat_status (*leat_key_call)(leat_context *ctx, const leat_record *in, leat_value *key,
                                     void *self);
typedef leat_status (*leat_reduce_call)(leat_context *ctx, const leat_value *a, const leat_value *b,
                                        leat_value *out, void *self);
/* `input` is 0 or 1; for co_map, co_flat_map and the process functions of one or two inputs. Of a
   broadcast process function input 1 is the broadcast one. */
typedef leat_status (*leat_process_call)(leat_context *ctx, unsigned input, const leat_record *in,
                                         leat_emitter *out, void *self);
/* A timer of a keyed process function has fired: its key is current, its time is that of what is
   emitted. */
typedef leat_status (*leat_timer_call)(leat_context *ctx, const leat_timer *timer,
                                       leat_emitter *out, void *self);
typedef leat_status (*leat_sink_call)(leat_context *ctx, const leat_record *in, void *self);
/* Emits at most one record; LEAT_AGAIN when there is none now (leat_context_wake says when to ask
   again), LEAT_DONE when there will be none any more. Must not block. */
typedef leat_status (*leat_source_call)(leat_context *ctx, leat_emitter *out, void *self);
/* Where a source stands, between two of its calls: written by leat_snapshot_write, and read by
   leat_snapshot_read before the first call of a source that is to go on there. LEAT_SPLIT_LIST
   items are dealt out again where the job is restored with another parallelism, so restore may find
   none, or several. */
typedef leat_status (*leat_snapshot_call)(leat_context *ctx, leat_snapshot *out, void *self);
typedef leat_status (*leat_restore_call)(leat_context *ctx, leat_snapshot *in, void *self);
/* As on_barrier of operators: LEAT_AGAIN while it stands where it could not go on. */
typedef leat_status (*leat_barrier_call)(leat_context *ctx, int64_t checkpoint, void *self);
/* Sinks in two phases. `prepare` comes with each barrier, and at the end of a job without
   checkpoints (`checkpoint` is INT64_MAX then): what has come so far is made safe without being
   seen, and what `commit` needs to make it seen is handed over by leat_prepared_add, in any number
   of pieces. These are state. `ended`: no record comes any more. */
typedef struct leat_prepared leat_prepared; /* lent for the call */
typedef leat_status (*leat_prepare_call)(leat_context *ctx, int64_t checkpoint, bool ended,
                                         leat_prepared *out, void *self);
/* Called with each piece once its checkpoint is complete, in order; after a restart with all that
   the restored checkpoint has, by whichever subtask gets it, before `restore` and any record. So it
   may come again with a piece that was committed, which then has to change nothing. A failure fails
   the attempt, and the next one commits it again. */
typedef leat_status (*leat_commit_call)(leat_context *ctx, const void *bytes, size_t size,
                                        void *self);
/* Copies the bytes. In `prepare` only. */
LEAT_API leat_status leat_prepared_add(leat_prepared *out, const void *bytes, size_t size);
/* The event time of a record; `time` comes in as what it was before, LEAT_NO_TIME when it had
   none. */
typedef leat_status (*leat_timestamp_call)(leat_context *ctx, const leat_record *in, int64_t *time,
                                           void *self);
typedef leat_status (*leat_partition_call)(leat_context *ctx, const leat_value *key, int count,
                                           int *target, void *self);
/* Says how far event time has come, after each record (`in` has its event time) and every
   pipeline.auto-watermark-interval. `*watermark` comes in as the highest that was said, INT64_MIN
   at first, and is raised, or left as it is. Either may be NULL. */
typedef struct leat_watermark_generator {
    size_t size; /* sizeof(leat_watermark_generator) */
    leat_status (*on_event)(leat_context *ctx, const leat_record *in, int64_t *watermark,
                            void *self);
    leat_status (*on_periodic)(leat_context *ctx, int64_t *watermark, void *self);
} leat_watermark_generator;
/* The gap of a session after this record, in milliseconds, above 0. */
typedef leat_status (*leat_gap_call)(leat_context *ctx, const leat_record *in, int64_t *gap,
                                     void *self);
/* How far two elements of a window are from each other. */
typedef leat_status (*leat_delta_call)(leat_context *ctx, const leat_value *a, const leat_value *b,
                                       double *delta, void *self);
/* Two records of one key that met. */
typedef leat_status (*leat_join_call)(leat_context *ctx, const leat_value *first,
                                      const leat_value *second, leat_emitter *out, void *self);

typedef enum leat_role {
    LEAT_ROLE_NONE = 0,
    LEAT_ROLE_MAP,
    LEAT_ROLE_FLAT_MAP,
    LEAT_ROLE_FILTER,
    LEAT_ROLE_KEY,
    LEAT_ROLE_REDUCE,
    LEAT_ROLE_CO_MAP,
    LEAT_ROLE_CO_FLAT_MAP,
    LEAT_ROLE_PROCESS,
    LEAT_ROLE_CO_PROCESS,
    LEAT_ROLE_SINK,
    LEAT_ROLE_SOURCE,
    LEAT_ROLE_PARTITION,
    LEAT_ROLE_TIMESTAMP,
    LEAT_ROLE_ASSIGNER,
    LEAT_ROLE_TRIGGER,
    LEAT_ROLE_EVICTOR,
    LEAT_ROLE_AGGREGATE,
    LEAT_ROLE_WINDOW,
    LEAT_ROLE_GAP,
    LEAT_ROLE_DELTA,
    LEAT_ROLE_JOIN,
    LEAT_ROLE_CO_GROUP,
    LEAT_ROLE_ASYNC,
    LEAT_ROLE_BROADCAST_PROCESS,
    LEAT_ROLE_WATERMARK,
    LEAT_ROLE_BULK_WRITER
} leat_role;

/* A function in one role. `open` and `close` (both may be NULL) frame each subtask's life and give
   that subtask's `self`; `free` (may be NULL) gets `arg` once, with the environment. `arg` is
   shared by all subtasks and may be used by several threads at once. */
typedef struct leat_function {
    size_t size; /* sizeof(leat_function) of the caller's header */
    leat_role role;
    const char *name; /* shown in errors; may be NULL; copied */
    void *arg;
    leat_status (*open)(leat_context *ctx, void *arg, void **self);
    void (*close)(leat_context *ctx, void *self);
    void (*free)(void *arg);
    union {
        leat_map_call map;
        leat_flat_map_call flat_map;
        leat_filter_call filter;
        leat_key_call key;
        leat_reduce_call reduce;
        leat_process_call process;
        leat_sink_call sink;
        leat_source_call source;
        leat_partition_call partition;
        leat_timestamp_call timestamp;
        leat_gap_call gap;
        leat_delta_call delta;
        leat_join_call join;
        /* Tables live as long as the function does. */
        const leat_watermark_generator *watermark;
        const leat_assigner *assigner;
        const leat_trigger *trigger;
        const leat_evictor *evictor;
        const leat_aggregate *aggregate;
        const leat_window_function *window; /* also of CO_GROUP */
        const leat_async *async;
        const leat_bulk_writer *bulk_writer;
    } call;
    const char *language; /* NULL: C. Otherwise who resolves `spec` where the function runs */
    const void *spec;     /* copied when the function is added */
    size_t spec_size;
    leat_timer_call on_timer; /* of process functions; may be NULL: nothing happens */
    /* Of source functions; without both of the first two it can't go back. Sinks may have these
       two for what they remember beside their prepared pieces, under any name but "prepared". */
    leat_snapshot_call snapshot;
    leat_restore_call restore;
    leat_barrier_call on_barrier; /* may be NULL: it may stop between any two calls */
    /* Of sinks in two phases: both, or neither. */
    leat_prepare_call prepare;
    leat_commit_call commit;
} leat_function;

static inline leat_function leat_function_of(leat_role role, void *arg) {
    leat_function f;
    memset(&f, 0, sizeof f);
    f.size = sizeof f;
    f.role = role;
    f.arg = arg;
    return f;
}

#define LEAT_FUNCTION_MAKER(verb, ROLE, member, call_type)                    \
    static inline leat_function leat_##verb##_fn(call_type call, void *arg) { \
        leat_function f = leat_function_of(ROLE, arg);                        \
        f.call.member = call;                                                 \
        return f;                                                             \
    }
LEAT_FUNCTION_MAKER(map, LEAT_ROLE_MAP, map, leat_map_call)
LEAT_FUNCTION_MAKER(flat_map, LEAT_ROLE_FLAT_MAP, flat_map, leat_flat_map_call)
LEAT_FUNCTION_MAKER(filter, LEAT_ROLE_FILTER, filter, leat_filter_call)
LEAT_FUNCTION_MAKER(key, LEAT_ROLE_KEY, key, leat_key_call)
LEAT_FUNCTION_MAKER(reduce, LEAT_ROLE_REDUCE, reduce, leat_reduce_call)
LEAT_FUNCTION_MAKER(co_map, LEAT_ROLE_CO_MAP, process, leat_process_call)
LEAT_FUNCTION_MAKER(co_flat_map, LEAT_ROLE_CO_FLAT_MAP, process, leat_process_call)
LEAT_FUNCTION_MAKER(process, LEAT_ROLE_PROCESS, process, leat_process_call)
LEAT_FUNCTION_MAKER(co_process, LEAT_ROLE_CO_PROCESS, process, leat_process_call)
LEAT_FUNCTION_MAKER(broadcast_process, LEAT_ROLE_BROADCAST_PROCESS, process, leat_process_call)
LEAT_FUNCTION_MAKER(sink, LEAT_ROLE_SINK, sink, leat_sink_call)
LEAT_FUNCTION_MAKER(source, LEAT_ROLE_SOURCE, source, leat_source_call)
LEAT_FUNCTION_MAKER(partition, LEAT_ROLE_PARTITION, partition, leat_partition_call)
LEAT_FUNCTION_MAKER(timestamp, LEAT_ROLE_TIMESTAMP, timestamp, leat_timestamp_call)
LEAT_FUNCTION_MAKER(watermark, LEAT_ROLE_WATERMARK, watermark, const leat_watermark_generator *)
LEAT_FUNCTION_MAKER(gap, LEAT_ROLE_GAP, gap, leat_gap_call)
LEAT_FUNCTION_MAKER(delta, LEAT_ROLE_DELTA, delta, leat_delta_call)
LEAT_FUNCTION_MAKER(join, LEAT_ROLE_JOIN, join, leat_join_call)
LEAT_FUNCTION_MAKER(assigner, LEAT_ROLE_ASSIGNER, assigner, const leat_assigner *)
LEAT_FUNCTION_MAKER(trigger, LEAT_ROLE_TRIGGER, trigger, const leat_trigger *)
LEAT_FUNCTION_MAKER(evictor, LEAT_ROLE_EVICTOR, evictor, const leat_evictor *)
LEAT_FUNCTION_MAKER(aggregate, LEAT_ROLE_AGGREGATE, aggregate, const leat_aggregate *)
LEAT_FUNCTION_MAKER(window, LEAT_ROLE_WINDOW, window, const leat_window_function *)
LEAT_FUNCTION_MAKER(co_group, LEAT_ROLE_CO_GROUP, window, const leat_window_function *)
LEAT_FUNCTION_MAKER(async, LEAT_ROLE_ASYNC, async, const leat_async *)
LEAT_FUNCTION_MAKER(bulk_writer, LEAT_ROLE_BULK_WRITER, bulk_writer, const leat_bulk_writer *)

/* A source that goes on where it stood when its job was saved. */
static inline leat_function leat_lasting_source_fn(leat_source_call call,
                                                   leat_snapshot_call snapshot,
                                                   leat_restore_call restore, void *arg) {
    leat_function f = leat_source_fn(call, arg);
    f.snapshot = snapshot;
    f.restore = restore;
    return f;
}

/* A sink that shows each record once, when the checkpoint is complete that has it. Such a sink runs
   in as many subtasks as it is given, each with a `self` of its own, on Leat's threads also when
   the env has host dispatch. Its calls must not block for long: other tasks of the thread wait. */
static inline leat_function leat_two_phase_sink_fn(leat_sink_call call, leat_prepare_call prepare,
                                                   leat_commit_call commit, void *arg) {
    leat_function f = leat_sink_fn(call, arg);
    f.prepare = prepare;
    f.commit = commit;
    return f;
}

/* Process functions of keyed streams that also set timers. */
static inline leat_function leat_keyed_process_fn(leat_process_call call, leat_timer_call on_timer,
                                                  void *arg) {
    leat_function f = leat_process_fn(call, arg);
    f.on_timer = on_timer;
    return f;
}
static inline leat_function leat_keyed_co_process_fn(leat_process_call call,
                                                     leat_timer_call on_timer, void *arg) {
    leat_function f = leat_co_process_fn(call, arg);
    f.on_timer = on_timer;
    return f;
}
static inline leat_function leat_keyed_broadcast_process_fn(leat_process_call call,
                                                            leat_timer_call on_timer, void *arg) {
    leat_function f = leat_broadcast_process_fn(call, arg);
    f.on_timer = on_timer;
    return f;
}

/* A key selector that takes item `index` of a tuple, list or row; 0 of a scalar is the scalar. */
LEAT_API leat_function leat_field(int index);
/* A Python function "module:name", which plays whatever role it is given for. It runs where the
   job's python.execution-mode says. */
LEAT_API leat_function leat_python(const char *module_and_name);

/* A function of Leat's own by its name and numbers, such as "tumbling_event_time 10000 0", or
   "count 3" (docs/architecture.md lists them). Unlike functions in C it runs in any process. It
   plays the role it is given for, where there is one of that name. */
LEAT_API leat_function leat_builtin(const char *name_and_numbers);
#define LEAT_BUILTIN "leat" /* the `language` of such functions */
/* Makes calls of one, as the engine does when it opens an operator: `f->role` says which role. Its
   `arg` is then to be given to `free`, or lives until `close` once it was opened. LEAT_E_NOT_FOUND
   when Leat has none of that name in this role, LEAT_E_ARGUMENT for wrong numbers. */
LEAT_API leat_status leat_builtin_resolve(leat_function *f, leat_error *err);

/* "map", "flat_map" ...; never NULL. */
LEAT_API const char *leat_role_name(leat_role role);

#ifdef __cplusplus
}
#endif
#endif
