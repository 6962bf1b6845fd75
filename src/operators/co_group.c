/* co_group.c: windows of two keyed streams: what the window operator (window.c) does when it has
   two inputs. An element is kept as a tuple (value, side), with an evictor (event time, value,
   side); when a window fires, a co_group function gets the values of both sides, and a join
   function each pair of them.

   The pairs of a window may be many, so each is a step of the cursor that fires windows, and the
   next one is looked for in the contents again: those of the second side for the first value of
   the first side, then for its second one, in order of arrival. */
#include "operators/windowing.h"

bool leati_sides_fires(const leati_windowing *w) {
    return w->join.call.join || w->co_group.call.window;
}

/* A value and its side. */
static const leat_value *sided(const leati_windowing *w, const leat_value *list, uint32_t at) {
    return list->as.items[at].as.items + (w->evictor.call.evictor ? 1 : 0);
}

static bool is_of(const leati_windowing *w, const leat_value *list, uint32_t at, int64_t side) {
    return sided(w, list, at)[1].as.i == side;
}

/* --- co_group --------------------------------------------------------------------------------- */

static leat_status co_group(leat_context *ctx, leati_windowing *w, const leat_window *window,
                            const leat_value *list) {
    const leat_window_function *f = w->co_group.call.window;
    leat_value *first = leat_context_alloc(ctx, (2 * (size_t)list->size + 1) * sizeof *first);
    if (!first) return LEAT_E_NOMEM;
    leat_value *second = first + list->size;
    size_t firsts = 0, seconds = 0;
    for (uint32_t i = 0; i < list->size; i++) {
        if (is_of(w, list, i, 0))
            first[firsts++] = sided(w, list, i)[0];
        else
            second[seconds++] = sided(w, list, i)[0];
    }
    return f->co_group(ctx, window, first, firsts, second, seconds, leat_context_emitter(ctx),
                       w->co_group.arg);
}

/* --- join ------------------------------------------------------------------------------------- */

/* Moves to the next pair; false when there is none. */
static bool next_pair(const leati_windowing *w, const leat_value *list, leati_pair *pair) {
    for (; pair->first < list->size; pair->first++, pair->second = 0) {
        if (!is_of(w, list, pair->first, 0)) continue;
        bool fresh = pair->second == 0;
        while (pair->second < list->size && !is_of(w, list, pair->second, 1)) pair->second++;
        if (pair->second < list->size) return true;
        if (fresh) return false; /* the second side is empty */
    }
    return false;
}

static leat_status join(leat_context *ctx, leati_windowing *w, const leat_value *list,
                        leati_pair *pair, bool *more) {
    *more = next_pair(w, list, pair);
    if (!*more) return LEAT_OK;
    const leat_value *a = sided(w, list, pair->first);
    const leat_value *b = sided(w, list, pair->second++);
    return w->join.call.join(ctx, a, b, leat_context_emitter(ctx), w->join.arg);
}

leat_status leati_sides_fire(leat_context *ctx, leati_windowing *w, const leat_window *window,
                             leat_namespace ns, bool *more) {
    leati_pair *pair = &w->turns.pair;
    leat_value list;
    leat_status status = LEAT_OK;
    *more = false;
    if (!pair->first && !pair->second) status = leati_contents_evict(ctx, w, ns, window, false);
    if (status >= 0) status = leat_state_get(ctx, w->contents, ns, &list);
    if (status != LEAT_OK) return status < 0 ? status : LEAT_OK;
    leat_context_set_time(ctx, window->max_timestamp);
    return w->join.call.join ? join(ctx, w, &list, pair, more) : co_group(ctx, w, window, &list);
}
