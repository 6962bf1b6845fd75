/* window_contents.c: what is kept of a window: one value, to which a reducer or an aggregate folds
   its elements as they come, or the list of them, in order of arrival.

   With an evictor it is always the list, of tuples (event time, value), of two inputs with the
   number of the input behind it: what is evicted is known
   only when the window fires, and reducer or aggregate run then, over what is left. What they give
   on the way is put into the scratch state, as arguments and results may share memory. */
#include "operators/windowing.h"

static bool folds(const leati_windowing *w) {
    return w->reduce.call.reduce || w->aggregate.call.aggregate;
}

/* --- folding ---------------------------------------------------------------------------------- */

/* `value` into what is in `state`. */
static leat_status fold(leat_context *ctx, const leati_windowing *w, leat_state *state,
                        leat_namespace ns, const leat_value *value, bool *first) {
    const leat_aggregate *a = w->aggregate.call.aggregate;
    leat_value old, made;
    leat_status status = leat_state_get(ctx, state, ns, &old);
    if (status < 0) return status;
    *first = status == LEAT_DONE;
    if (status == LEAT_DONE) {
        if (!a) return leat_state_put(ctx, state, ns, value);
        status = a->create(ctx, &old, w->aggregate.arg);
        if (status < 0) return status;
    }
    status = a ? a->add(ctx, value, &old, &made, w->aggregate.arg)
               : w->reduce.call.reduce(ctx, &old, value, &made, w->reduce.arg);
    return status < 0 ? status : leat_state_put(ctx, state, ns, &made);
}

/* Two that were folded apart, the second one in the scratch state. */
static leat_status fold_both(leat_context *ctx, const leati_windowing *w, leat_namespace ns,
                             const leat_value *other) {
    const leat_aggregate *a = w->aggregate.call.aggregate;
    leat_value old, made;
    leat_status status = leat_state_get(ctx, w->contents, ns, &old);
    if (status < 0) return status;
    if (status == LEAT_DONE) return leat_state_put(ctx, w->contents, ns, other);
    status = a ? a->merge(ctx, &old, other, &made, w->aggregate.arg)
               : w->reduce.call.reduce(ctx, &old, other, &made, w->reduce.arg);
    return status < 0 ? status : leat_state_put(ctx, w->contents, ns, &made);
}

/* The one result of what was folded. */
static leat_status result_of(leat_context *ctx, const leati_windowing *w, leat_state *state,
                             leat_namespace ns, leat_value *out) {
    const leat_aggregate *a = w->aggregate.call.aggregate;
    leat_value folded;
    leat_status status = leat_state_get(ctx, state, ns, &folded);
    if (status != LEAT_OK) return status;
    if (a) return a->result(ctx, &folded, out, w->aggregate.arg);
    *out = folded;
    return LEAT_OK;
}

/* --- what the operator asks ------------------------------------------------------------------- */

/* With an evictor elements have their times, of two inputs their sides. */
static leat_status append(leat_context *ctx, const leati_windowing *w, leat_namespace ns,
                          const leat_record *in, bool *first) {
    leat_value items[3] = {leat_int(in->time), in->value, leat_int(w->side)}, old;
    bool has_time = w->evictor.call.evictor, has_side = leati_sides_fires(w);
    leat_value element = leat_tuple(has_time ? items : items + 1, 1u + has_time + has_side);
    if (!has_time && !has_side) element = in->value;
    leat_status status = leat_state_get(ctx, w->contents, ns, &old);
    *first = status == LEAT_DONE;
    return status < 0 ? status : leat_state_append(ctx, w->contents, ns, &element);
}

leat_status leati_contents_add(leat_context *ctx, leati_windowing *w, leat_namespace ns,
                               const leat_record *in, bool *first) {
    if (w->evictor.call.evictor || !folds(w)) return append(ctx, w, ns, in, first);
    return fold(ctx, w, w->contents, ns, &in->value, first);
}

static leat_status merge_one(leat_context *ctx, leati_windowing *w, leat_namespace into,
                             leat_namespace other) {
    const leat_namespace everywhere = {NULL, 0};
    leat_value moved;
    if (w->evictor.call.evictor || !folds(w))
        return leat_state_merge(ctx, w->contents, into, other);
    leat_status status = leat_state_get(ctx, w->contents, other, &moved);
    if (status != LEAT_OK) return status;
    status = leat_state_put(ctx, w->scratch, everywhere, &moved);
    if (status >= 0) status = leat_state_remove(ctx, w->contents, other);
    if (status >= 0) status = leat_state_get(ctx, w->scratch, everywhere, &moved);
    if (status >= 0) status = fold_both(ctx, w, into, &moved);
    return status < 0 ? status : leat_state_remove(ctx, w->scratch, everywhere);
}

leat_status leati_contents_merge(leat_context *ctx, leati_windowing *w, leat_namespace into,
                                 const leat_namespace *others, size_t count) {
    leat_status status = LEAT_OK;
    for (size_t i = 0; i < count && status >= 0; i++) status = merge_one(ctx, w, into, others[i]);
    return status;
}

leat_status leati_contents_clear(leat_context *ctx, leati_windowing *w, leat_namespace ns) {
    return leat_state_remove(ctx, w->contents, ns);
}

/* --- what a window function gets -------------------------------------------------------------- */

leat_status leati_contents_evict(leat_context *ctx, leati_windowing *w, leat_namespace ns,
                                 const leat_window *window, bool after) {
    const leat_evictor *e = w->evictor.call.evictor;
    leat_status (*call)(leat_context *, const leat_window *, const leat_value *, size_t, bool *,
                        void *) = !e      ? NULL
                                  : after ? e->after
                                          : e->before;
    leat_value list;
    leat_status status = call ? leat_state_get(ctx, w->contents, ns, &list) : LEAT_DONE;
    if (status != LEAT_OK) return status;
    bool *keep = leat_context_alloc(ctx, list.size);
    leat_value *kept = leat_context_alloc(ctx, list.size * sizeof *kept);
    if (!keep || !kept) return LEAT_E_NOMEM;
    memset(keep, true, list.size);
    status = call(ctx, window, list.as.items, list.size, keep, w->evictor.arg);
    size_t count = 0;
    for (size_t i = 0; i < list.size && status >= 0; i++)
        if (keep[i]) kept[count++] = list.as.items[i];
    if (status < 0 || count == list.size) return status;
    leat_value rest = leat_list(kept, count);
    return leat_state_put(ctx, w->contents, ns, &rest);
}

/* The values of the tuples of a list. */
static leat_status values_of(leat_context *ctx, const leat_value *list, leat_value **out) {
    *out = leat_context_alloc(ctx, list->size * sizeof **out);
    if (!*out) return LEAT_E_NOMEM;
    for (uint32_t i = 0; i < list->size; i++) (*out)[i] = list->as.items[i].as.items[1];
    return LEAT_OK;
}

/* Reducer or aggregate over what the evictor left; an aggregate of nothing has a result, too. */
static leat_status fold_list(leat_context *ctx, leati_windowing *w, const leat_value *values,
                             size_t size, leat_value *out) {
    const leat_aggregate *a = w->aggregate.call.aggregate;
    const leat_namespace everywhere = {NULL, 0};
    leat_status status = leat_state_remove(ctx, w->scratch, everywhere);
    if (status >= 0 && !size && a) {
        leat_value empty;
        status = a->create(ctx, &empty, w->aggregate.arg);
        if (status >= 0) status = leat_state_put(ctx, w->scratch, everywhere, &empty);
    }
    bool first;
    for (size_t i = 0; i < size && status >= 0; i++)
        status = fold(ctx, w, w->scratch, everywhere, &values[i], &first);
    return status < 0 ? status : result_of(ctx, w, w->scratch, everywhere, out);
}

leat_status leati_contents_get(leat_context *ctx, leati_windowing *w, leat_namespace ns,
                               leat_value **elements, size_t *count) {
    leat_value *one = leat_context_alloc(ctx, sizeof *one), list;
    if (!one) return LEAT_E_NOMEM;
    *elements = one;
    *count = 1;
    if (!w->evictor.call.evictor && folds(w)) return result_of(ctx, w, w->contents, ns, one);
    leat_status status = leat_state_get(ctx, w->contents, ns, &list);
    if (status != LEAT_OK) return status;
    *elements = (leat_value *)(uintptr_t)list.as.items;
    *count = list.size;
    if (!w->evictor.call.evictor) return LEAT_OK;
    status = values_of(ctx, &list, elements);
    if (status < 0 || !folds(w)) return status;
    status = fold_list(ctx, w, *elements, *count, one);
    *elements = one;
    *count = 1;
    return status;
}

/* Lists that were evicted empty go. */
leat_status leati_contents_done(leat_context *ctx, leati_windowing *w, leat_namespace ns) {
    const leat_namespace everywhere = {NULL, 0};
    leat_value list;
    if (!w->evictor.call.evictor) return LEAT_OK;
    leat_status status = leat_state_get(ctx, w->contents, ns, &list);
    if (status == LEAT_OK && !list.size) status = leat_state_remove(ctx, w->contents, ns);
    return status < 0 || !folds(w) ? status : leat_state_remove(ctx, w->scratch, everywhere);
}
