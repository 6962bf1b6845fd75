/* window_slices.c: windows of time in which an element is counted once, however many they are.

   Where nobody can see it, that is with event time, the default trigger, no lateness, no evictor
   and no window function, and with the sums, minima, maxima and counts of Leat's own, the elements
   of a key go into slices, whose length is the greatest common divisor of size and slide. A slice
   has a number, that of its elements together, and the order of its first element among those of
   the key; the elements that were first of a slice are kept in a list, but for those that differ
   from the one before in nothing but the number. When a window fires, the numbers of its slices are
   put together, in the element that came first of all: the same as without slices, bit by bit, as
   long as numbers are integers. Tumbling windows have one slice each.

   Per key there is one value of bytes, changed in place: a head and a ring of slices, in which
   slice i has its place at i modulo a power of two. Only the next window to fire has a timer; when
   it fires, slices that no later window has are dropped and the timer of the next one is set.

   A key whose numbers turn out to be no integers of 64 bits, or are so far apart that a ring would
   be mostly empty, changes over to the usual way: its open windows get what their slices had, and a
   head without a ring says until which window that lasts. */
#include "operators/fold.h"
#include "operators/slicing.h"
#include "runtime/base/hint.h"

typedef struct slice {
    int64_t number;
    int64_t order; /* from 1; 0: it has no element */
} slice;

typedef struct ring {
    int64_t plain;     /* the end of the last window that is kept the usual way; LEAT_NO_TIME: the
                          key has slices */
    int64_t low, high; /* all slices with elements are in between, both included */
    int64_t live;      /* that many */
    int64_t timer;     /* the end of the next window to fire; INT64_MAX: none */
    int64_t arrivals;  /* elements in the list; of a count, which has none, at most 1 */
    int64_t slots;     /* a power of two */
    slice slices[];
} ring;

enum { FIRST_SLOTS = 8, MOST_SLOTS = 1 << 24 };

static const leat_namespace everywhere = {NULL, 0};

/* --- the ring --------------------------------------------------------------------------------- */

static slice *slice_of(ring *r, int64_t i) {
    return &r->slices[i & (r->slots - 1)];
}

static leat_status edit(leat_context *ctx, const leati_slicing *s, ring **out) {
    leat_value v;
    leat_status status = leat_state_edit(ctx, s->rings, everywhere, &v);
    if (status == LEAT_OK) *out = (ring *)(uintptr_t)v.as.bytes;
    return status;
}

/* Puts a ring with room for slices `low` to `high`, those of `old` (may be NULL) in it, and lends
   it. */
static leat_status make_ring(leat_context *ctx, const leati_slicing *s, const ring *old,
                             int64_t low, int64_t high, ring **out) {
    int64_t slots = old ? old->slots : FIRST_SLOTS;
    while (slots <= high - low) slots *= 2;
    size_t bytes = sizeof(ring) + (size_t)slots * sizeof(slice);
    ring *r = leat_context_alloc(ctx, bytes);
    if (!r) return LEAT_E_NOMEM;
    memset(r, 0, bytes);
    *r = old ? *old : (ring){.plain = LEAT_NO_TIME, .timer = INT64_MAX};
    r->slots = slots;
    for (int64_t i = old ? old->low : 1; i <= (old ? old->high : 0); i++)
        *slice_of(r, i) = old->slices[i & (old->slots - 1)];
    leat_value v = leat_bytes(r, bytes);
    leat_status status = leat_state_put(ctx, s->rings, everywhere, &v);
    return status < 0 ? status : edit(ctx, s, out);
}

/* Makes room for slice `i`. LEAT_AGAIN: the ring would be too large. */
static leat_status reach(leat_context *ctx, const leati_slicing *s, int64_t i, ring **r) {
    ring *old = *r;
    bool is_empty = !old || !old->live;
    int64_t low = is_empty || i < old->low ? i : old->low;
    int64_t high = is_empty || i > old->high ? i : old->high;
    uint64_t span = (uint64_t)high - (uint64_t)low;
    uint64_t usual = 4 * (uint64_t)(s->count) + 64;
    uint64_t most = is_empty ? usual : usual + 16 * (uint64_t)old->live;
    leat_status status = LEAT_OK;
    if (span >= most || span >= MOST_SLOTS) return LEAT_AGAIN;
    if (!old || span >= (uint64_t)old->slots) status = make_ring(ctx, s, old, low, high, r);
    if (status != LEAT_OK) return status;
    (*r)->low = low;
    (*r)->high = high;
    return LEAT_OK;
}

static leat_status remove_key(leat_context *ctx, const leati_slicing *s) {
    leat_status status = leat_state_remove(ctx, s->rings, everywhere);
    return status < 0 ? status : leat_state_remove(ctx, s->firsts, everywhere);
}

/* --- numbers ---------------------------------------------------------------------------------- */

/* LEAT_AGAIN: it is no integer. */
static leat_status number_of(leat_context *ctx, const leati_slicing *s, const leat_value *v,
                             int64_t *out) {
    leat_value item;
    *out = 1;
    if (s->verb == LEATI_FOLD_COUNT) return LEAT_OK;
    leat_status status = leat_value_field(ctx, v, (int)s->fold->field, s->fold->field_name, &item);
    if (status == LEAT_E_NOMEM) return status;
    if (status < 0 || item.kind != LEAT_INT) return LEAT_AGAIN;
    *out = item.as.i;
    return LEAT_OK;
}

/* Adds to the number of a slice that has one; false when that leaves the range. */
static bool put_in(const leati_slicing *s, slice *into, int64_t number) {
    int64_t sum;
    switch (s->verb) {
    case LEATI_FOLD_MIN:
        if (number < into->number) into->number = number;
        return true;
    case LEATI_FOLD_MAX:
        if (number > into->number) into->number = number;
        return true;
    default:
        if (__builtin_add_overflow(into->number, number, &sum)) return false;
        if (s->fold && (sum < s->fold->low || sum > s->fold->high)) return false;
        into->number = sum;
        return true;
    }
}

/* What slices from `from` to `to`, both included, come to, when the sum of all is beyond 64 bits or
   its type: one after the other, as languages can, or with the error that is due. */
static leat_status add_up(leat_context *ctx, const leati_slicing *s, ring *r, int64_t from,
                          int64_t to, leat_value *sum) {
    leat_status status = LEAT_OK;
    *sum = leat_int(0);
    for (int64_t i = from; i <= to && status >= 0; i++) {
        leat_value number = leat_int(slice_of(r, i)->number);
        if (slice_of(r, i)->order) status = leat_value_add(ctx, sum, &number, sum);
    }
    return status < 0 || !s->fold ? status : leati_fold_check(ctx, s->fold, sum);
}

/* Slices from `from` to `to`, both included, as one; its order is 0 when there is nothing in them.
   False when the number leaves the range. */
static bool gather(const leati_slicing *s, ring *r, int64_t from, int64_t to, slice *out) {
    uint64_t order = UINT64_MAX; /* that of an empty slice, less one */
    int64_t sum = 0;
    bool over = false, sums = s->verb == LEATI_FOLD_SUM || s->verb == LEATI_FOLD_COUNT;
    *out = (slice){0, 0};
    for (int64_t i = from; i <= to; i++) {
        const slice *one = slice_of(r, i);
        uint64_t its = (uint64_t)one->order - 1;
        if (!sums && one->order && order != UINT64_MAX) put_in(s, out, one->number);
        if (!sums && order == UINT64_MAX) out->number = one->number;
        over |= sums && __builtin_add_overflow(sum, one->number, &sum);
        if (its < order) order = its;
    }
    out->order = (int64_t)(order + 1);
    if (!sums) return true;
    out->number = sum;
    return !over && (!s->fold || (sum >= s->fold->low && sum <= s->fold->high));
}

/* The result of the window that starts there. LEAT_DONE: nothing is in it. */
static leat_status result_of(leat_context *ctx, const leati_slicing *s, ring *r, int64_t start,
                             leat_value *out) {
    int64_t from = slice_at(s, start), to = from + s->count - 1;
    if (from < r->low) from = r->low;
    if (to > r->high) to = r->high;
    slice all;
    bool fits = gather(s, r, from, to, &all);
    if (!all.order) return LEAT_DONE;
    leat_value number = leat_int(all.number), list;
    leat_status status = fits ? LEAT_OK : add_up(ctx, s, r, from, to, &number);
    *out = number;
    if (status < 0 || s->verb == LEATI_FOLD_COUNT) return status;
    status = leat_state_get(ctx, s->firsts, everywhere, &list);
    if (status != LEAT_OK) return status < 0 ? status : LEAT_E_INTERNAL;
    const leat_value *first = &list.as.items[all.order - 1];
    return leat_value_with_field(ctx, first, (int)s->fold->field, s->fold->field_name, &number,
                                 out);
}

/* --- the change to the usual way -------------------------------------------------------------- */

/* All that the key has in slices goes to its open windows. */
static leat_status spread(leat_context *ctx, leati_windowing *w, ring *r) {
    leati_slicing *s = &w->slicing;
    int64_t least = first_open(s, leat_context_watermark(ctx));
    int64_t start = first_window(s, start_of(s, r->low), least);
    leat_status status = LEAT_OK;
    for (; start <= start_of(s, r->high) && status >= 0; start += s->slide) {
        char buffer[LEATI_WINDOW_BYTES];
        leat_window window = leat_time_window(start, start + s->size);
        leat_value result;
        status = result_of(ctx, s, r, start, &result);
        if (status != LEAT_OK) continue;
        status = leat_state_put(ctx, w->contents, leati_window_write(&window, buffer), &result);
        if (status >= 0) status = set_timer(ctx, s, start);
    }
    return status < 0 ? status : leat_state_remove(ctx, s->firsts, everywhere);
}

/* From now on, until the window that ends at `end` has fired, the key goes the usual way. */
static leat_status go_plain(leat_context *ctx, leati_windowing *w, ring *r, int64_t end) {
    const leati_slicing *s = &w->slicing;
    bool has_slices = r && r->live;
    ring head = {.plain = end};
    if (has_slices && last_window(s, start_of(s, r->high)) + s->size > end)
        head.plain = last_window(s, start_of(s, r->high)) + s->size;
    leat_status status = has_slices ? spread(ctx, w, r) : LEAT_OK;
    leat_value v = leat_bytes(&head, sizeof head);
    if (status >= 0) status = leat_state_put(ctx, s->rings, everywhere, &v);
    return status < 0 ? status : LEAT_AGAIN;
}

/* --- elements --------------------------------------------------------------------------------- */

/* Is it the same, of kinds of which equal ones look the same? */
static bool is_same(const leat_value *a, const leat_value *b) {
    if (a->kind != b->kind || a->size != b->size) return false;
    if (a->kind == LEAT_STRING || a->kind == LEAT_BYTES)
        return a->size == 0 || memcmp(a->as.bytes, b->as.bytes, a->size) == 0;
    return a->kind == LEAT_INT && a->as.i == b->as.i;
}

/* Do the two differ in nothing but their numbers? */
static bool is_alike(const leati_slicing *s, const leat_value *a, const leat_value *b) {
    if (s->fold->field_name || a->kind != b->kind || a->size != b->size) return false;
    if (a->kind == LEAT_INT) return true;
    if (a->kind != LEAT_TUPLE) return false;
    for (uint32_t i = 0; i < a->size; i++)
        if (i != s->fold->field && !is_same(&a->as.items[i], &b->as.items[i])) return false;
    return true;
}

/* Answers the order of an element that came last of all; where it is like the one before, it is
   that one again. */
static leat_status add_first(leat_context *ctx, const leati_slicing *s, ring *r,
                             const leat_value *v, int64_t *order) {
    leat_value list = leat_list(NULL, 0);
    leat_status status = LEAT_OK;
    if (s->verb != LEATI_FOLD_COUNT) status = leat_state_get(ctx, s->firsts, everywhere, &list);
    bool again =
        s->verb == LEATI_FOLD_COUNT || (list.size && is_alike(s, &list.as.items[list.size - 1], v));
    if (status >= 0 && !again) status = leat_state_append(ctx, s->firsts, everywhere, v);
    r->arrivals += !again || r->arrivals == 0;
    *order = r->arrivals;
    return status;
}

/* The elements of slices that are gone leave the list. */
static leat_status compact(leat_context *ctx, const leati_slicing *s, ring *r) {
    leat_value list;
    leat_status status = leat_state_get(ctx, s->firsts, everywhere, &list);
    if (status != LEAT_OK) return status;
    int64_t *place = leat_context_alloc(ctx, ((size_t)r->arrivals + 1) * sizeof *place);
    leat_value *kept = leat_context_alloc(ctx, (size_t)r->live * sizeof *kept);
    if (!place || !kept) return LEAT_E_NOMEM;
    memset(place, 0, ((size_t)r->arrivals + 1) * sizeof *place);
    for (int64_t i = r->low; i <= r->high; i++) place[slice_of(r, i)->order] = 1;
    int64_t count = 0;
    for (int64_t order = 1; order <= r->arrivals; order++) {
        if (!place[order]) continue;
        kept[count++] = list.as.items[order - 1];
        place[order] = count;
    }
    place[0] = 0;
    for (int64_t i = r->low; i <= r->high; i++)
        slice_of(r, i)->order = place[slice_of(r, i)->order];
    r->arrivals = count;
    leat_value rest = leat_list(kept, (size_t)count);
    return leat_state_put(ctx, s->firsts, everywhere, &rest);
}

/* An element whose time is so far from 0 that windows may end beyond all numbers. */
static LEATI_APART leat_status add_far(leat_context *ctx, leati_windowing *w, int64_t time) {
    const leati_slicing *s = &w->slicing;
    ring *r = NULL;
    if (time == LEAT_NO_TIME) return LEAT_AGAIN;
    int64_t end = far_end(s, time);
    if (end - 1 <= leat_context_watermark(ctx)) return LEAT_AGAIN;
    leat_status status = edit(ctx, s, &r);
    if (status < 0) return status;
    if (!r || r->plain == LEAT_NO_TIME) return go_plain(ctx, w, r, end);
    if (end > r->plain) r->plain = end;
    return LEAT_AGAIN;
}

/* An element that is the first of its slice, or whose number is too much for it. */
static LEATI_APART leat_status add_new(leat_context *ctx, leati_windowing *w, const leat_record *in,
                                       ring *r, int64_t i, int64_t number) {
    leati_slicing *s = &w->slicing;
    leat_status status = reach(ctx, s, i, &r);
    if (status != LEAT_OK) return status < 0 ? status : go_plain(ctx, w, r, s->near_end);
    slice *into = slice_of(r, i);
    if (into->order) return go_plain(ctx, w, r, s->near_end);
    status = add_first(ctx, s, r, &in->value, &into->order);
    if (status < 0) return status;
    into->number = number;
    r->live++;
    int64_t watermark = leat_context_watermark(ctx);
    int64_t next = first_window(s, in->time, first_open(s, watermark)) + s->size;
    if (next >= r->timer) return LEAT_OK;
    r->timer = next;
    return set_timer(ctx, s, next - s->size);
}

leat_status leati_slices_add(leat_context *ctx, leati_windowing *w, const leat_record *in) {
    leati_slicing *s = &w->slicing;
    if (s->merges) return leati_shares_add(ctx, w, in);
    int64_t time = in->time, number;
    if (LEAT_UNLIKELY(time < INT64_MIN / 4 || time > INT64_MAX / 4)) return add_far(ctx, w, time);
    int64_t i = slice_near(s, time);
    if (s->near_end - 1 <= leat_context_watermark(ctx)) return LEAT_DONE;
    ring *r = NULL;
    leat_status status = edit(ctx, s, &r);
    if (status < 0) return status;
    if (r && LEAT_UNLIKELY(r->plain != LEAT_NO_TIME)) {
        if (s->near_end > r->plain) r->plain = s->near_end;
        return LEAT_AGAIN;
    }
    status = number_of(ctx, s, &in->value, &number);
    if (LEAT_UNLIKELY(status != LEAT_OK))
        return status < 0 ? status : go_plain(ctx, w, r, s->near_end);
    slice *into = r && i >= r->low && i <= r->high ? slice_of(r, i) : NULL;
    if (LEAT_LIKELY(into && into->order) && put_in(s, into, number)) return LEAT_OK;
    return add_new(ctx, w, in, r, i, number);
}

/* --- firing ----------------------------------------------------------------------------------- */

/* No window from the one at `start` on needs the slices before it. */
static leat_status drop_before(leat_context *ctx, const leati_slicing *s, ring *r, int64_t start) {
    int64_t low = slice_at(s, start);
    for (; r->low < low && r->low <= r->high; r->low++) {
        r->live -= slice_of(r, r->low)->order != 0;
        *slice_of(r, r->low) = (slice){0, 0};
    }
    if (!r->live) return remove_key(ctx, s);
    while (!slice_of(r, r->low)->order) r->low++;
    int64_t next = first_window(s, start_of(s, r->low), start);
    r->timer = next + s->size;
    leat_status status = set_timer(ctx, s, next);
    bool sparse = s->verb != LEATI_FOLD_COUNT && r->arrivals > 2 * r->live + 32;
    return status < 0 || !sparse ? status : compact(ctx, s, r);
}

leat_status leati_slices_fire(leat_context *ctx, leati_windowing *w, const leat_window *window) {
    const leati_slicing *s = &w->slicing;
    if (s->merges) return leati_shares_fire(ctx, w, window);
    ring *r;
    leat_status status = edit(ctx, s, &r);
    if (status != LEAT_OK) return status < 0 ? status : LEAT_OK;
    if (r->plain != LEAT_NO_TIME) {
        if (window->end >= r->plain) status = leat_state_remove(ctx, s->rings, everywhere);
        return status < 0 ? status : LEAT_AGAIN;
    }
    leat_record out;
    leat_record_init(&out, leat_null(), window->max_timestamp);
    status = result_of(ctx, s, r, window->start, &out.value);
    if (status == LEAT_OK) status = leat_emit(ctx, &out);
    return status < 0 ? status : drop_before(ctx, s, r, window->start + s->slide);
}

/* --- may there be slices? --------------------------------------------------------------------- */

static int64_t gcd(int64_t a, int64_t b) {
    return b ? gcd(b, a % b) : a;
}

void leati_slices_init(leat_context *ctx, leati_windowing *w) {
    leati_slicing *s = &w->slicing;
    if (leat_context_is_by_key(ctx)) return; /* there a timer can't set the next one */
    bool visible = !w->default_trigger || !w->event_time || w->lateness || w->purging ||
                   w->evictor.call.evictor || w->window.call.window;
    const leat_function *f = w->reduce.call.reduce ? &w->reduce : &w->aggregate;
    if (visible || !f->call.reduce) return;
    bool folds = leati_fold_of(f, &s->fold, &s->verb);
    const leat_aggregate *a = w->aggregate.call.aggregate;
    s->merges = !folds && a && a->mergeable && a->merge;
    if (!folds && !s->merges) return;
    if (folds && (s->verb == LEATI_FOLD_MIN_BY || s->verb == LEATI_FOLD_MAX_BY)) return;
    if (!leati_assigner_slides(&w->assigner, &s->size, &s->slide, &s->offset)) return;
    s->unit = gcd(s->size, s->slide);
    s->shift = floor_mod(s->offset, s->unit);
    s->count = s->size / s->unit;
    s->watermark = INT64_MIN;
    s->near_start = INT64_MAX;
    s->on = s->slide <= s->size && s->unit >= s->slide / 4;
    if (s->merges) s->on &= s->slide < s->size && s->size < INT64_MAX / 8;
}
