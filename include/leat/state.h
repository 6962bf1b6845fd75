/* state.h: what a keyed operator remembers per key, or per key and namespace. All calls belong to
   the thread that runs the operator, inside one of its hooks, with a current key. */
#ifndef LEAT_STATE_H
#define LEAT_STATE_H

#include "function.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct leat_state leat_state;

/* How a table is dealt out when a job is restored with another parallelism. */
typedef enum leat_distribution {
    LEAT_BY_KEY_GROUP = 0,
    LEAT_SPLIT_LIST = 1,
    LEAT_UNION_LIST = 2,
    LEAT_BROADCAST_STATE = 3
} leat_distribution;

/* What the value under a key and namespace stands for to those who use the state. */
typedef enum leat_state_kind {
    LEAT_VALUE_STATE = 0,
    LEAT_LIST_STATE = 1,
    LEAT_MAP_STATE = 2,
    LEAT_REDUCING_STATE = 3,
    LEAT_AGGREGATING_STATE = 4,
    LEAT_ORDERED_MAP_STATE = 5
} leat_state_kind;

/* One row of an operator's table of states; the engine stores the handle at `offset` of its
   struct. */
typedef struct leat_state_decl {
    const char *name; /* NULL ends the table */
    leat_state_kind kind;
    leat_distribution distribution;
    size_t offset;
} leat_state_decl;

/* In `open`: says of what type the values are that an operator keeps in a state of its table, such
   as its records. It changes nothing but that the type is in snapshots, and a job in which it is
   another one can't be restored from them. NULL: nobody knows. The type is borrowed. */
LEAT_API void leat_state_keeps(leat_state *state, const leat_type *type);

/* A namespace is any bytes up to 4 GiB, such as a window; {NULL, 0} is the empty one and costs
   nothing. */
typedef struct leat_namespace {
    const void *bytes;
    size_t size;
} leat_namespace;

/* The state called `name` of this operator, for functions, which have no table of their own;
   usually asked for in their `open`. It is made when it is asked for the first time, and belongs to
   the subtask; the names of the operator's own table are apart. `type` (may be NULL) is that of
   what is stored. LEAT_E_STATE for an operator whose records have no keys, and for a name that is
   there with another kind or type. */
LEAT_API leat_status leat_context_state(leat_context *ctx, const char *name, leat_state_kind kind,
                                        const leat_type *type, leat_state **out, leat_error *err);

/* State that expires: `ms` of processing time after a value was written, or with `on_read` also
   after it was last read, it is forgotten: where it is met, and bit by bit with the writes to other
   keys. With `show_expired` the read that meets it still gives it. */
typedef struct leat_ttl {
    int64_t ms; /* 0: it does not expire */
    bool on_read, show_expired;
} leat_ttl;
/* Comes before the first value, where the state was asked for. LEAT_E_STATE when it was told
   otherwise before. */
LEAT_API leat_status leat_state_expires(leat_state *state, const leat_ttl *ttl);

/* The value under the current key: LEAT_OK with `out` lent until the next call on this state,
   LEAT_DONE when there is none. */
LEAT_API leat_status leat_state_get(leat_context *ctx, leat_state *state, leat_namespace ns,
                                    leat_value *out);
/* Copies the value in (objects are kept by reference). `value` may point into what leat_state_get
   lent. */
LEAT_API leat_status leat_state_put(leat_context *ctx, leat_state *state, leat_namespace ns,
                                    const leat_value *value);
/* As leat_state_get of a LEAT_BYTES, whose bytes may be changed in place until the next call on
   this state; they are aligned as malloc aligns. LEAT_E_TYPE for another kind, LEAT_E_STATE where
   the state expires. */
LEAT_API leat_status leat_state_edit(leat_context *ctx, leat_state *state, leat_namespace ns,
                                     leat_value *out);
/* Adds a copy of `item` (objects are kept by reference) at the end of the LEAT_LIST that is there,
   in amortised constant time; where there is nothing it begins a list. leat_state_get lends the
   whole list. `item` may point into it. Where the state expires the list does as a whole, counted
   from the last append; one whose time is up is forgotten and begun again. LEAT_E_TYPE for what is
   no list. */
LEAT_API leat_status leat_state_append(leat_context *ctx, leat_state *state, leat_namespace ns,
                                       const leat_value *item);
/* Adds the items of the list in `from` at the end of that in `into`, of the same key, and forgets
   the first; where `into` has nothing it takes over what the other has, whatever that is. Fine when
   `from` has nothing, or is the same. Of lists that expire the later time counts. LEAT_E_TYPE for
   what is no list, and then nothing has changed. */
LEAT_API leat_status leat_state_merge(leat_context *ctx, leat_state *state, leat_namespace into,
                                      leat_namespace from);
/* Forgets the value; fine when there is none. */
LEAT_API leat_status leat_state_remove(leat_context *ctx, leat_state *state, leat_namespace ns);

/* Map state, of the kinds LEAT_MAP_STATE and LEAT_ORDERED_MAP_STATE: a map of native values, or
   objects by reference, under the current key and namespace. Keys are equal as keys of streams are
   (1, 1.0 and true are three); those of ordered maps may be numbers, times, strings, bytes, and
   tuples, lists and rows of them, and are in the order of their values, kinds after each other in
   the order of leat_kind; LEAT_E_TYPE for others. leat_state_get lends the map as a LEAT_MAP, which
   takes time for each pair; leat_state_put replaces it; a map without pairs is none.

   Where the state expires each pair does by itself; one whose time is up is forgotten when it is
   met, and all of a key with the writes to others. */
typedef struct leat_map_entry {
    leat_value key, value;
} leat_map_entry;

/* LEAT_OK with `out` lent until the pair is written or removed; LEAT_DONE when there is none. */
LEAT_API leat_status leat_map_get(leat_context *ctx, leat_state *state, leat_namespace ns,
                                  const leat_value *key, leat_value *out);
/* LEAT_OK, or LEAT_DONE when there is no such key. */
LEAT_API leat_status leat_map_contains(leat_context *ctx, leat_state *state, leat_namespace ns,
                                       const leat_value *key);
/* Copies both in. */
LEAT_API leat_status leat_map_put(leat_context *ctx, leat_state *state, leat_namespace ns,
                                  const leat_value *key, const leat_value *value);
/* Adds to the LEAT_LIST under the key, as leat_state_append. */
LEAT_API leat_status leat_map_append(leat_context *ctx, leat_state *state, leat_namespace ns,
                                     const leat_value *key, const leat_value *item);
/* Fine when it is not there. */
LEAT_API leat_status leat_map_remove(leat_context *ctx, leat_state *state, leat_namespace ns,
                                     const leat_value *key);
/* Pairs, those included whose time is up and which nobody has met yet. */
LEAT_API leat_status leat_map_count(leat_context *ctx, leat_state *state, leat_namespace ns,
                                    size_t *count);
/* The next pair from place *at on, which begins as 0, lent as by leat_map_get; LEAT_DONE at the
   end. An ordered map is walked in order, another in the order in which its keys came. Until the
   end the map gets no new keys, and loses none, but an unordered one may; who changes an ordered
   one seeks again. */
LEAT_API leat_status leat_map_next(leat_context *ctx, leat_state *state, leat_namespace ns,
                                   size_t *at, leat_map_entry *out);
/* Of ordered maps: makes *at the place of the first pair whose key is not before `key`, for
   leat_map_next. LEAT_E_STATE for an unordered map, as those below. */
LEAT_API leat_status leat_map_seek(leat_context *ctx, leat_state *state, leat_namespace ns,
                                   const leat_value *key, size_t *at);
/* The pairs with the lowest and the highest key; LEAT_DONE when there are none. */
LEAT_API leat_status leat_map_first(leat_context *ctx, leat_state *state, leat_namespace ns,
                                    leat_map_entry *out);
LEAT_API leat_status leat_map_last(leat_context *ctx, leat_state *state, leat_namespace ns,
                                   leat_map_entry *out);
/* Forgets all pairs whose keys are not before `from` and before `until`; NULL is no bound. */
LEAT_API leat_status leat_map_remove_range(leat_context *ctx, leat_state *state, leat_namespace ns,
                                           const leat_value *from, const leat_value *until);

/* Broadcast state: a map without a key of the stream, the same in every subtask because every
   subtask gets every record of the broadcast input and changes it in the same way. For functions of
   operators with LEAT_OP_BROADCAST, by a name of its own; `type` (may be NULL) is that of the map:
   MAP<key,value>. Made when it is asked for first. The calls of map state read it in any hook and
   change it while a record of the broadcast input is being processed, else they answer
   LEAT_E_STATE; leat_state_remove forgets all of it. The other calls of leat_state are not for it.
   LEAT_E_STATE for other operators, and for a name that is there with another type. */
LEAT_API leat_status leat_context_broadcast(leat_context *ctx, const char *name,
                                            const leat_type *type, leat_state **out,
                                            leat_error *err);

/* Timers are addressed by current key, namespace and time; setting one twice is setting it once. */
typedef enum leat_time_domain { LEAT_EVENT_TIME = 0, LEAT_PROCESSING_TIME = 1 } leat_time_domain;

struct leat_timer {
    leat_time_domain domain;
    int64_t time; /* milliseconds since the epoch */
    leat_namespace ns;
};

LEAT_API leat_status leat_timer_set(leat_context *ctx, const leat_timer *timer);
/* Fine when there is none. */
LEAT_API leat_status leat_timer_remove(leat_context *ctx, const leat_timer *timer);

#ifdef __cplusplus
}
#endif
#endif
