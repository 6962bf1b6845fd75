/* window.h: windows of keyed streams. An assigner says which windows a record belongs to, a trigger
   when a window is ready, an evictor what is left out, and a window function, a reducer or an
   aggregate what is made of it. Each is a leat_function in a role of its own: one of Leat's own, a
   table of C calls, or an object of a host language. Semantics are Flink's. */
#ifndef LEAT_WINDOW_H
#define LEAT_WINDOW_H

#include "state.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum leat_window_kind {
    LEAT_WINDOW_GLOBAL = 0, /* all records of a key */
    LEAT_WINDOW_TIME = 1,
    LEAT_WINDOW_COUNT = 2,
    LEAT_WINDOW_CUSTOM = 3 /* of a user's class */
} leat_window_kind;

/* A window. Equal ones, in the namespace that leat_window_namespace gives, are one. */
typedef struct leat_window {
    leat_window_kind kind;
    int64_t start, end; /* TIME: milliseconds, `end` not included; COUNT: its number in `start` */
    int64_t max_timestamp; /* the last time that belongs to it; INT64_MAX when there is none */
    const void *bytes;     /* CUSTOM: what makes it this one; lent */
    size_t size;
} leat_window;

static inline leat_window leat_time_window(int64_t start, int64_t end) {
    leat_window w;
    memset(&w, 0, sizeof w);
    w.kind = LEAT_WINDOW_TIME;
    w.start = start;
    w.end = end;
    w.max_timestamp = end - 1;
    return w;
}

static inline leat_window leat_count_window(int64_t number) {
    leat_window w;
    memset(&w, 0, sizeof w);
    w.kind = LEAT_WINDOW_COUNT;
    w.start = number;
    w.max_timestamp = INT64_MAX;
    return w;
}

static inline leat_window leat_global_window(void) {
    leat_window w;
    memset(&w, 0, sizeof w);
    w.max_timestamp = INT64_MAX;
    return w;
}

/* The namespace of state and timers of this window: a byte for its kind, then TIME: start and end,
   COUNT: its number, each 8 bytes, most significant first, with the sign bit turned over; CUSTOM:
   its max_timestamp likewise, and its bytes. Lent until the hook returns; NULL bytes when memory
   ran out. */
LEAT_API leat_namespace leat_window_namespace(leat_context *ctx, const leat_window *w);
/* The window of such a namespace, which it points into. LEAT_E_FORMAT for another one. */
LEAT_API leat_status leat_window_of_namespace(leat_namespace ns, leat_window *out);

/* --- assigners -------------------------------------------------------------------------------- */

typedef struct leat_windows leat_windows; /* where an assigner puts windows; lent for the call */
LEAT_API leat_status leat_windows_add(leat_windows *out, const leat_window *w);

/* Where a merging assigner says that `count` windows of those it was given become one. */
typedef struct leat_merges leat_merges;
LEAT_API leat_status leat_merges_add(leat_merges *out, const leat_window *merged, size_t count,
                                     const leat_window *result);

struct leat_assigner {
    size_t size; /* sizeof(leat_assigner) */
    bool event_time;
    /* The name of the function of Leat's that is the default trigger, such as "event_time". */
    const char *default_trigger;
    leat_status (*assign)(leat_context *ctx, const leat_record *in, leat_windows *out, void *self);
    /* NULL: windows do not merge. Otherwise looks which of the windows of a key become one. */
    leat_status (*merge)(leat_context *ctx, const leat_window *windows, size_t count,
                         leat_merges *out, void *self);
};

/* --- triggers --------------------------------------------------------------------------------- */

typedef enum leat_trigger_result {
    LEAT_CONTINUE = 0,
    LEAT_FIRE = 1,
    LEAT_PURGE = 2,
    LEAT_FIRE_AND_PURGE = 3
} leat_trigger_result;

/* Timers and state of a trigger are those of the current key and of the namespace of the window. */
struct leat_trigger {
    size_t size; /* sizeof(leat_trigger) */
    bool can_merge;
    leat_status (*on_element)(leat_context *ctx, const leat_record *in, const leat_window *w,
                              leat_trigger_result *out, void *self);
    /* A timer of this window that the trigger, or the clean-up of the window, has set. */
    leat_status (*on_timer)(leat_context *ctx, const leat_timer *timer, const leat_window *w,
                            leat_trigger_result *out, void *self);
    /* `merged` became `w`, which is among them when it was there before: the trigger moves to `w`
       what it remembers of them. Afterwards each of them but `w` is cleared. */
    leat_status (*on_merge)(leat_context *ctx, const leat_window *w, const leat_window *merged,
                            size_t count, void *self);
    /* The window is forgotten: so are the trigger's state and timers. */
    leat_status (*clear)(leat_context *ctx, const leat_window *w, void *self);
};

/* --- evictors --------------------------------------------------------------------------------- */

/* `elements` are tuples (event time, value), of two inputs (event time, value, input), in order of
   arrival; `keep`, all true at first, is
   where the evictor says which stay. Either call may be NULL. */
struct leat_evictor {
    size_t size; /* sizeof(leat_evictor) */
    leat_status (*before)(leat_context *ctx, const leat_window *w, const leat_value *elements,
                          size_t count, bool *keep, void *self);
    leat_status (*after)(leat_context *ctx, const leat_window *w, const leat_value *elements,
                         size_t count, bool *keep, void *self);
};

/* --- what is made of a window ----------------------------------------------------------------- */

/* Accumulators are values like others; what `out` points to must live until the next call. */
struct leat_aggregate {
    size_t size; /* sizeof(leat_aggregate) */
    /* `merge` may be called at any time: sliding windows may keep slices. Then neither `merge` nor
       `result` changes what it is given. */
    bool mergeable;
    leat_status (*create)(leat_context *ctx, leat_value *out, void *self);
    leat_status (*add)(leat_context *ctx, const leat_value *value, const leat_value *accumulator,
                       leat_value *out, void *self);
    leat_status (*result)(leat_context *ctx, const leat_value *accumulator, leat_value *out,
                          void *self);
    /* NULL: windows that merge are refused. */
    leat_status (*merge)(leat_context *ctx, const leat_value *a, const leat_value *b,
                         leat_value *out, void *self);
};

/* The key is the context's. After a reducer or an aggregate `elements` is its one result. */
struct leat_window_function {
    size_t size; /* sizeof(leat_window_function) */
    leat_status (*process)(leat_context *ctx, const leat_window *w, const leat_value *elements,
                           size_t count, leat_emitter *out, void *self);
    /* The window is forgotten: its state is to be cleared. May be NULL. */
    leat_status (*clear)(leat_context *ctx, const leat_window *w, void *self);
    /* Of LEAT_ROLE_CO_GROUP: the elements of both sides instead of `process`. */
    leat_status (*co_group)(leat_context *ctx, const leat_window *w, const leat_value *first,
                            size_t first_count, const leat_value *second, size_t second_count,
                            leat_emitter *out, void *self);
};

#ifdef __cplusplus
}
#endif
#endif
