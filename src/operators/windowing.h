/* windowing.h: what the files of the window operator share: the operator's struct, what each file
   does with it, and what they know of triggers and lists of windows. */
#ifndef LEATI_WINDOWING_H
#define LEATI_WINDOWING_H

#include "leat/metric.h"
#include "leat/operator.h"
#include "leat/window.h"
#include "operators/builtin.h"
#include "operators/fold.h"

extern const leat_trigger leati_event_time_trigger;
extern const leat_trigger leati_processing_time_trigger;

/* --- lists of windows ------------------------------------------------------------------------- */

struct leat_windows {
    leat_context *ctx; /* whose memory holds the bytes of CUSTOM windows */
    leat_window *items;
    size_t count, room;
};

/* `count` windows from `first` on, of the list that the assigner was given, become `result`. */
typedef struct leati_merge {
    size_t first, count; /* in `merged` */
    leat_window result;
} leati_merge;

struct leat_merges {
    leat_windows merged; /* of all merges, one behind the other */
    leati_merge *items;
    size_t count, room;
};

void leati_windows_fini(leat_windows *list);
void leati_merges_fini(leat_merges *merges);
bool leati_window_equal(const leat_window *a, const leat_window *b);

/* The namespace of a window that is not CUSTOM, written into a buffer of the caller's. */
enum { LEATI_WINDOW_BYTES = 17 };
leat_namespace leati_window_write(const leat_window *w, char buffer[LEATI_WINDOW_BYTES]);

/* --- the operator ----------------------------------------------------------------------------- */

typedef struct leati_windowing leati_windowing;

/* A window whose trigger said more than to go on. */
typedef struct leati_turn {
    leat_window window;
    leat_trigger_result result;
} leati_turn;

/* Which elements of a window are the next pair of a join. */
typedef struct leati_pair {
    uint32_t first, second;
} leati_pair;

/* The windows of one record, or of one timer, that have their turn. A cursor, where there is a
   window function: what comes after it has to wait until all its results were taken. */
typedef struct leati_turns {
    leat_cursor cursor; /* first */
    leati_windowing *w;
    leati_turn *items;
    size_t count, room, at;
    bool is_called;  /* the window function of the one at `at` has been */
    bool cleans;     /* of a timer: its window is forgotten then */
    leati_pair pair; /* of the window at `at` */
} leati_turns;

/* Windows that are kept in slices. */
typedef struct leati_slicing {
    bool on;
    const leati_fold *fold; /* NULL: a count */
    leati_fold_verb verb;
    int64_t size, slide, offset; /* of the windows */
    int64_t unit, shift;         /* of slices: length, and where one begins from 0 on */
    int64_t count;               /* slices of a window */
    int64_t watermark, open; /* with this watermark that is the start of the first open window */
    int64_t near;            /* the slice of the element before */
    int64_t near_start, near_end; /* where that starts, and its last window ends */
    leat_state *rings, *firsts;   /* per key */
    bool merges;                  /* window_shares.c keeps them, for an aggregate that can merge */
    leat_state *suffixes;         /* per slice */
    leat_state *backs;            /* per key */
} leati_slicing;

struct leati_windowing {
    leat_function assigner, gap, trigger, evictor, delta, reduce, aggregate, window, join, co_group;
    int64_t purging, lateness;
    const char *late_tag;
    leat_metric *dropped; /* late records that nobody listens to */
    leat_state *contents; /* per window: its elements, or what they were folded to */
    leat_state *merged;   /* per key: pairs of a window and the window that has its contents */
    leat_state *scratch;  /* per key, within one call: a value on its way */

    int64_t side; /* of two inputs: the one of the record at hand */

    const leat_assigner *assigns;
    const leat_trigger *triggers;
    bool event_time;
    bool default_trigger; /* the trigger is opened and closed here */
    bool only_first;      /* a window's first element sets all the timers it needs */
    bool sessions;        /* windows merge by time */
    leat_windows windows; /* of the record at hand */
    leat_merges merges;
    leati_slicing slicing;
    leati_turns turns;
};

/* When the window is forgotten; INT64_MAX: never. */
int64_t leati_window_cleanup(const leati_windowing *w, const leat_window *window);

/* --- window_contents.c: what is kept of a window, in the namespace of its state window -------- */

/* `first`: there was nothing before. */
leat_status leati_contents_add(leat_context *ctx, leati_windowing *w, leat_namespace ns,
                               const leat_record *in, bool *first);
/* Adds what is in the others, which are empty then. */
leat_status leati_contents_merge(leat_context *ctx, leati_windowing *w, leat_namespace into,
                                 const leat_namespace *others, size_t count);
leat_status leati_contents_clear(leat_context *ctx, leati_windowing *w, leat_namespace ns);
/* Asks the evictor, if there is one, before or after the window function, and drops what it says.
   LEAT_DONE when there is no evictor or nothing to evict from. */
leat_status leati_contents_evict(leat_context *ctx, leati_windowing *w, leat_namespace ns,
                                 const leat_window *window, bool after);
/* What a window function gets, lent until the contents change; LEAT_DONE when there is nothing. */
leat_status leati_contents_get(leat_context *ctx, leati_windowing *w, leat_namespace ns,
                               leat_value **elements, size_t *count);
/* What leati_contents_get lent is not needed any more. */
leat_status leati_contents_done(leat_context *ctx, leati_windowing *w, leat_namespace ns);

/* --- window_slices.c: windows that count an element once -------------------------------------- */

/* Turns slices on where nobody can see them. Of an operator that is open otherwise. */
void leati_slices_init(leat_context *ctx, leati_windowing *w);
/* LEAT_AGAIN: the record has to go the usual way. LEAT_DONE: all its windows are late. */
leat_status leati_slices_add(leat_context *ctx, leati_windowing *w, const leat_record *in);
/* A timer of the window. LEAT_AGAIN: it has to go the usual way, too. */
leat_status leati_slices_fire(leat_context *ctx, leati_windowing *w, const leat_window *window);

/* --- window_shares.c: the same for aggregates of users that say they are mergeable ------------ */

leat_status leati_shares_add(leat_context *ctx, leati_windowing *w, const leat_record *in);
leat_status leati_shares_fire(leat_context *ctx, leati_windowing *w, const leat_window *window);

/* --- window_layout.c: what is written beside the state, and compared -------------------------- */

leat_status leati_layout_write(leati_windowing *w, leat_snapshot *out);
leat_status leati_layout_compare(leat_context *ctx, const leati_windowing *w, leat_snapshot *in);

/* --- co_group.c: windows of two inputs -------------------------------------------------------- */

bool leati_sides_fires(const leati_windowing *w);
/* Calls the co_group function, or the join function with the next pair; `more`: call again. */
leat_status leati_sides_fire(leat_context *ctx, leati_windowing *w, const leat_window *window,
                             leat_namespace ns, bool *more);

/* --- window_merge.c: windows that become one -------------------------------------------------- */

/* Adds the new window of the current record to those of its key, which may merge: `window` becomes
   what it is part of now, `state` the window that has the contents. */
leat_status leati_merge_add(leat_context *ctx, leati_windowing *w, leat_window *window,
                            leat_window *state);
/* The window that has the contents of this one; LEAT_DONE when the key has no such window. */
leat_status leati_merge_find(leat_context *ctx, leati_windowing *w, const leat_window *window,
                             leat_window *state);
leat_status leati_merge_forget(leat_context *ctx, leati_windowing *w, const leat_window *window);

/* --- bindings to functions that Leat's own assigners and evictors call ------------------------ */

/* Gives a session assigner without a gap of its own the function that says it. False when the
   assigner needs one and there is none, or needs none and there is one; true while it is not known
   which assigner it is. */
bool leati_assigner_bind(const leat_function *assigner, const leat_function *gap);
/* The numbers of windows of time that were made by name; false for other assigners. */
bool leati_assigner_slides(const leat_function *assigner, int64_t *size, int64_t *slide,
                           int64_t *offset);
/* Does it merge by time, those that overlap or touch, and nothing else? */
bool leati_assigner_is_session(const leat_function *assigner);
/* The same as leati_assigner_bind with a delta evictor. */
bool leati_evictor_bind(const leat_function *evictor, const leat_function *delta);

#endif
