/* window_merge.c: the windows of a key that may merge.

   Contents do not move each time a window grows: each window names its state window, the one whose
   namespace has the contents, which is one of those that became it. Per key there is one tuple of
   bytes, by pairs: a window's namespace, that of its state window; in order of their making.

   What merges moves in this order, as in Flink: the trigger hears of it and takes over what it
   remembers, the merged windows are cleared with their timers, then their contents are joined. */
#include "operators/windowing.h"

typedef struct window_pair {
    leat_window window, state;
} window_pair;

typedef struct window_set {
    window_pair *items;
    size_t count, room;
} window_set;

/* --- in state --------------------------------------------------------------------------------- */

static const leat_namespace everywhere = {NULL, 0};

/* What a custom window points to is copied, since the state changes. */
static leat_status read_window(leat_context *ctx, const leat_value *bytes, leat_window *out) {
    leat_namespace ns = {bytes->as.bytes, bytes->size};
    leat_status status = leat_window_of_namespace(ns, out);
    if (status < 0 || !out->size) return status;
    void *copy = leat_context_alloc(ctx, out->size);
    if (!copy) return LEAT_E_NOMEM;
    memcpy(copy, out->bytes, out->size);
    out->bytes = copy;
    return LEAT_OK;
}

/* With room for one more. */
static leat_status load(leat_context *ctx, const leati_windowing *w, window_set *set) {
    leat_value pairs = leat_tuple(NULL, 0);
    leat_status status = leat_state_get(ctx, w->merged, everywhere, &pairs);
    if (status < 0) return status;
    set->count = pairs.size / 2;
    set->room = set->count + 1;
    set->items = leat_context_alloc(ctx, set->room * sizeof *set->items);
    if (!set->items) return LEAT_E_NOMEM;
    for (size_t i = 0; i < set->count; i++) {
        status = read_window(ctx, &pairs.as.items[2 * i], &set->items[i].window);
        if (status >= 0)
            status = read_window(ctx, &pairs.as.items[2 * i + 1], &set->items[i].state);
        if (status < 0) return status;
    }
    return LEAT_OK;
}

static bool write_window(leat_context *ctx, const leat_window *window, leat_value *out) {
    leat_namespace ns = leat_window_namespace(ctx, window);
    *out = leat_bytes(ns.bytes, ns.size);
    return ns.bytes != NULL;
}

static leat_status store(leat_context *ctx, const leati_windowing *w, const window_set *set) {
    if (!set->count) return leat_state_remove(ctx, w->merged, everywhere);
    leat_value *items = leat_context_alloc(ctx, 2 * set->count * sizeof *items);
    if (!items) return LEAT_E_NOMEM;
    for (size_t i = 0; i < set->count; i++)
        if (!write_window(ctx, &set->items[i].window, &items[2 * i]) ||
            !write_window(ctx, &set->items[i].state, &items[2 * i + 1]))
            return LEAT_E_NOMEM;
    leat_value pairs = leat_tuple(items, 2 * set->count);
    return leat_state_put(ctx, w->merged, everywhere, &pairs);
}

static window_pair *find(const window_set *set, const leat_window *window) {
    for (size_t i = 0; i < set->count; i++)
        if (leati_window_equal(&set->items[i].window, window)) return &set->items[i];
    return NULL;
}

/* Of sessions: one that would swallow the window and stay what it is, for there is a gap between
   any two of the set. */
static window_pair *covering(const window_set *set, const leat_window *window) {
    for (size_t i = 0; i < set->count; i++) {
        const leat_window *one = &set->items[i].window;
        if (one->start <= window->start && window->end <= one->end) return &set->items[i];
    }
    return NULL;
}

static void drop(window_set *set, window_pair *gone) {
    window_pair *end = set->items + set->count--;
    memmove(gone, gone + 1, (size_t)(end - gone - 1) * sizeof *gone);
}

/* --- one merge -------------------------------------------------------------------------------- */

static leat_status check_end(leat_context *ctx, const leati_windowing *w, const leat_window *all) {
    int64_t now = w->event_time ? leat_context_watermark(ctx) : leat_context_now(ctx);
    if (leati_window_cleanup(w, all) > now) return LEAT_OK;
    return leat_context_fail(
        ctx, LEAT_E_STATE,
        "The end timestamp of %s window cannot become earlier than the current %s by merging. "
        "Current %s: %lld window: [%lld, %lld)",
        w->event_time ? "an event-time" : "a processing-time",
        w->event_time ? "watermark" : "processing time",
        w->event_time ? "watermark" : "processing time", (long long)now, (long long)all->start,
        (long long)all->end);
}

/* The merged windows are gone: their trigger's state and timers, and the timer of their clean-up.
   One that stays what it was keeps them. */
static leat_status clear_merged(leat_context *ctx, leati_windowing *w, const leat_window *all,
                                const leat_window *merged, size_t count) {
    leat_status status = LEAT_OK;
    for (size_t i = 0; i < count && status >= 0; i++) {
        if (leati_window_equal(&merged[i], all)) continue;
        if (w->triggers->clear) status = w->triggers->clear(ctx, &merged[i], w->trigger.arg);
        int64_t time = leati_window_cleanup(w, &merged[i]);
        if (status < 0 || time == INT64_MAX) continue;
        leat_timer timer = {w->event_time ? LEAT_EVENT_TIME : LEAT_PROCESSING_TIME, time,
                            leat_window_namespace(ctx, &merged[i])};
        status = timer.ns.bytes ? leat_timer_remove(ctx, &timer) : LEAT_E_NOMEM;
    }
    return status;
}

/* What a merge does to the set: the windows that were there leave it, and `all` enters it with the
   state window of the first of them. `states` become the namespaces of the others'. */
static size_t take_out(leat_context *ctx, window_set *set, leat_window *merged, size_t *count,
                       window_pair *all, leat_namespace *states) {
    size_t kept = 0, others = 0;
    for (size_t i = 0; i < *count; i++) {
        window_pair *old = find(set, &merged[i]);
        if (!old) continue; /* the new window, which has nothing yet */
        if (kept == 0)
            all->state = old->state;
        else
            states[others++] = leat_window_namespace(ctx, &old->state);
        merged[kept++] = old->window;
        drop(set, old);
    }
    *count = kept;
    return others;
}

static leat_status merge_one(leat_context *ctx, leati_windowing *w, window_set *set,
                             const leati_merge *m, leat_window *merged) {
    window_pair all = {m->result, m->result};
    size_t count = m->count;
    leat_namespace *states = leat_context_alloc(ctx, count * sizeof *states);
    if (!states) return LEAT_E_NOMEM;
    size_t others = take_out(ctx, set, merged, &count, &all, states);
    if (set->count == set->room)
        return leat_context_fail(ctx, LEAT_E_USER,
                                 "the window assigner merged windows that it was not given");
    set->items[set->count++] = all;
    bool same = count == 1 && leati_window_equal(&merged[0], &all.window);
    if (same || count == 0) return LEAT_OK;
    leat_status status = check_end(ctx, w, &all.window);
    if (status >= 0 && w->triggers->on_merge)
        status = w->triggers->on_merge(ctx, &all.window, merged, count, w->trigger.arg);
    if (status >= 0) status = clear_merged(ctx, w, &all.window, merged, count);
    leat_namespace into = leat_window_namespace(ctx, &all.state);
    bool lost = !into.bytes;
    for (size_t i = 0; i < others; i++) lost |= !states[i].bytes;
    if (status >= 0 && lost) status = LEAT_E_NOMEM;
    return status < 0 ? status : leati_contents_merge(ctx, w, into, states, others);
}

/* --- what the operator asks ------------------------------------------------------------------- */

static bool holds(const leat_window *windows, size_t count, const leat_window *window) {
    for (size_t i = 0; i < count; i++)
        if (leati_window_equal(&windows[i], window)) return true;
    return false;
}

/* Asks the assigner which of the set and the new one become one, and does it. */
static leat_status merge_all(leat_context *ctx, leati_windowing *w, window_set *set,
                             leat_window *window) {
    leat_merges *merges = &w->merges;
    leat_window *windows = leat_context_alloc(ctx, (set->count + 1) * sizeof *windows);
    if (!windows) return LEAT_E_NOMEM;
    for (size_t i = 0; i < set->count; i++) windows[i] = set->items[i].window;
    windows[set->count] = *window;
    merges->count = merges->merged.count = 0;
    merges->merged.ctx = ctx;
    leat_status status = w->assigns->merge(ctx, windows, set->count + 1, merges, w->assigner.arg);
    bool merged = false;
    leat_window added = *window;
    for (size_t i = 0; i < merges->count && status >= 0; i++) {
        const leati_merge *m = &merges->items[i];
        leat_window *of = &merges->merged.items[m->first];
        if (holds(of, m->count, &added)) {
            *window = m->result;
            merged = true;
        }
        status = merge_one(ctx, w, set, m, of);
    }
    if (status < 0 || merged) return status;
    if (set->count == set->room) return LEAT_E_INTERNAL;
    set->items[set->count++] = (window_pair){added, added};
    return LEAT_OK;
}

leat_status leati_merge_add(leat_context *ctx, leati_windowing *w, leat_window *window,
                            leat_window *state) {
    window_set set;
    leat_status status = load(ctx, w, &set);
    if (status < 0) return status;
    const window_pair *found = w->sessions ? covering(&set, window) : find(&set, window);
    if (!found) {
        status = merge_all(ctx, w, &set, window);
        if (status >= 0) status = store(ctx, w, &set);
        if (status < 0) return status;
        found = find(&set, window);
    }
    *window = found->window;
    *state = found->state;
    return LEAT_OK;
}

leat_status leati_merge_find(leat_context *ctx, leati_windowing *w, const leat_window *window,
                             leat_window *state) {
    window_set set;
    leat_status status = load(ctx, w, &set);
    if (status < 0) return status;
    const window_pair *found = find(&set, window);
    if (!found) return LEAT_DONE;
    *state = found->state;
    return LEAT_OK;
}

leat_status leati_merge_forget(leat_context *ctx, leati_windowing *w, const leat_window *window) {
    window_set set;
    leat_status status = load(ctx, w, &set);
    window_pair *found = status < 0 ? NULL : find(&set, window);
    if (!found) return status;
    drop(&set, found);
    return store(ctx, w, &set);
}
