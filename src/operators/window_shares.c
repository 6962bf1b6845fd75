/* window_shares.c: sliding windows of an aggregate that says it is mergeable, where window_slices.c
   says that nobody can see it: a record is added to one accumulator, that of its slice, and a
   window that fires merges few.

   A slice has its accumulator among the contents of windows, in the namespace of a window as long
   as a slice, which no other is. Per key there are, besides, two stacks back to back: for the older
   slices, the front, each slice and all of the front behind it merged (`suffixes`); for the slices
   behind the front, up to the end of the last window that fired, all of them merged (`backs`). A
   window is the suffix of its first slice with the back; its next takes a slice off the front and
   adds one to the back. When the front is used up, the slices of the back become the front. A
   record that is late, but not for all its windows, may change a slice in one of them: the back is
   merged anew then, or both, with the next window.

   What the stacks hold may be a slice's own accumulator, which is why they forget it before it
   changes, and why neither `merge` nor `result` may change what they get.

   Per key there is also a head of bytes, changed in place, with the numbers of its slices in order.
   Only the next window to fire has a timer. Records whose time is so far off that reckoning with it
   could overflow go the usual way; a window with records of both kinds merges them. */
#include "operators/slicing.h"

typedef struct head {
    int64_t timer; /* the end of the next window to fire; INT64_MAX: none */
    int64_t front; /* slices before this one are in the front */
    int64_t back;  /* those from there on, and before this one, are in the back */
    int64_t count, room;
    int64_t at[]; /* the slices with elements, in order */
} head;

enum { FIRST_ROOM = 4 };
#define NO_FRONT INT64_MIN
#define FAR      (INT64_MAX / 4)

static const leat_namespace everywhere = {NULL, 0};

static leat_namespace namespace_of(const leati_slicing *s, int64_t i,
                                   char buffer[LEATI_WINDOW_BYTES]) {
    leat_window w = leat_time_window(start_of(s, i), start_of(s, i) + s->unit);
    return leati_window_write(&w, buffer);
}

/* --- the head --------------------------------------------------------------------------------- */

static leat_status edit(leat_context *ctx, const leati_slicing *s, head **out) {
    leat_value v;
    leat_status status = leat_state_edit(ctx, s->rings, everywhere, &v);
    if (status == LEAT_OK) *out = (head *)(uintptr_t)v.as.bytes;
    return status;
}

/* Puts a head with twice the room of `old`, which may be NULL, and lends it. */
static leat_status grow(leat_context *ctx, const leati_slicing *s, const head *old, head **out) {
    int64_t room = old ? 2 * old->room : FIRST_ROOM;
    size_t bytes = sizeof(head) + (size_t)room * sizeof(int64_t);
    head *h = leat_context_alloc(ctx, bytes);
    if (!h) return LEAT_E_NOMEM;
    memset(h, 0, bytes);
    *h = old ? *old : (head){.timer = INT64_MAX, .front = NO_FRONT, .back = NO_FRONT};
    h->room = room;
    if (old) memcpy(h->at, old->at, (size_t)old->count * sizeof *h->at);
    leat_value v = leat_bytes(h, bytes);
    leat_status status = leat_state_put(ctx, s->rings, everywhere, &v);
    return status < 0 ? status : edit(ctx, s, out);
}

/* The place of the first slice that is not before `i`. */
static int64_t place_of(const head *h, int64_t i) {
    int64_t low = 0, high = h->count;
    while (low < high) {
        int64_t middle = (low + high) / 2;
        if (h->at[middle] < i)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static leat_status insert(leat_context *ctx, const leati_slicing *s, int64_t i, int64_t place,
                          head **h) {
    leat_status status = LEAT_OK;
    if (!*h || (*h)->count == (*h)->room) status = grow(ctx, s, *h, h);
    if (status != LEAT_OK) return status;
    int64_t *at = &(*h)->at[place];
    memmove(at + 1, at, (size_t)((*h)->count - place) * sizeof *at);
    *at = i;
    (*h)->count++;
    return LEAT_OK;
}

/* Slice `i` is about to change. */
static leat_status unmerge(leat_context *ctx, const leati_slicing *s, head *h, int64_t i) {
    if (i >= h->back) return LEAT_OK;
    if (i < h->front) h->front = NO_FRONT;
    h->back = h->front;
    return leat_state_remove(ctx, s->backs, everywhere);
}

/* --- elements --------------------------------------------------------------------------------- */

leat_status leati_shares_add(leat_context *ctx, leati_windowing *w, const leat_record *in) {
    leati_slicing *s = &w->slicing;
    int64_t time = in->time, watermark = leat_context_watermark(ctx);
    if (time < -FAR || time > FAR) return LEAT_AGAIN;
    int64_t i = slice_near(s, time);
    if (s->near_end - 1 <= watermark) return LEAT_DONE;
    head *h = NULL;
    leat_status status = edit(ctx, s, &h);
    if (status < 0) return status;
    int64_t place = h ? place_of(h, i) : 0;
    bool is_new = !h || place == h->count || h->at[place] != i, first;
    status = is_new ? insert(ctx, s, i, place, &h) : LEAT_OK;
    if (status != LEAT_OK) return status;
    status = unmerge(ctx, s, h, i);
    char buffer[LEATI_WINDOW_BYTES];
    if (status >= 0) status = leati_contents_add(ctx, w, namespace_of(s, i, buffer), in, &first);
    if (status < 0 || !is_new) return status;
    int64_t next = first_window(s, time, first_open(s, watermark)) + s->size;
    if (next >= h->timer) return LEAT_OK;
    h->timer = next;
    return set_timer(ctx, s, next - s->size);
}

/* --- the two stacks --------------------------------------------------------------------------- */

/* Something that must be there. */
static leat_status get(leat_context *ctx, leat_state *state, leat_namespace ns, leat_value *out) {
    leat_status status = leat_state_get(ctx, state, ns, out);
    return status == LEAT_DONE ? LEAT_E_INTERNAL : status;
}

static leat_status merge(leat_context *ctx, const leati_windowing *w, const leat_value *a,
                         const leat_value *b, leat_value *out) {
    return w->aggregate.call.aggregate->merge(ctx, a, b, out, w->aggregate.arg);
}

/* All slices before `to` become the front, the last one first. */
static leat_status make_front(leat_context *ctx, const leati_windowing *w, head *h, int64_t to) {
    const leati_slicing *s = &w->slicing;
    int64_t last = place_of(h, to) - 1;
    leat_status status = leat_state_remove(ctx, s->backs, everywhere);
    for (int64_t i = last; i >= 0 && status >= 0; i--) {
        char buffer[LEATI_WINDOW_BYTES], after[LEATI_WINDOW_BYTES];
        leat_namespace ns = namespace_of(s, h->at[i], buffer);
        leat_value one, rest, made;
        status = get(ctx, w->contents, ns, &one);
        made = one;
        if (status >= 0 && i < last) {
            status = get(ctx, s->suffixes, namespace_of(s, h->at[i + 1], after), &rest);
            if (status >= 0) status = merge(ctx, w, &one, &rest, &made);
        }
        if (status >= 0) status = leat_state_put(ctx, s->suffixes, ns, &made);
    }
    h->front = h->back = to;
    return status;
}

/* The slices before `to` that no window had yet go to the back. */
static leat_status extend_back(leat_context *ctx, const leati_windowing *w, head *h, int64_t to) {
    const leati_slicing *s = &w->slicing;
    leat_status status = LEAT_OK;
    for (int64_t i = place_of(h, h->back); i < h->count && h->at[i] < to && status >= 0; i++) {
        char buffer[LEATI_WINDOW_BYTES];
        leat_value one, all, made;
        status = get(ctx, w->contents, namespace_of(s, h->at[i], buffer), &one);
        if (status < 0) return status;
        made = one;
        status = leat_state_get(ctx, s->backs, everywhere, &all);
        if (status == LEAT_OK) status = merge(ctx, w, &all, &one, &made);
        if (status >= 0) status = leat_state_put(ctx, s->backs, everywhere, &made);
    }
    h->back = to;
    return status;
}

/* What all slices before `to` come to. */
static leat_status whole(leat_context *ctx, const leati_windowing *w, head *h, int64_t to,
                         leat_value *out) {
    const leati_slicing *s = &w->slicing;
    char buffer[LEATI_WINDOW_BYTES];
    leat_value front, back;
    bool is_used_up = h->at[0] >= h->front;
    leat_status status = is_used_up ? make_front(ctx, w, h, to) : extend_back(ctx, w, h, to);
    if (status >= 0) status = get(ctx, s->suffixes, namespace_of(s, h->at[0], buffer), &front);
    if (status >= 0) status = leat_state_get(ctx, s->backs, everywhere, &back);
    if (status == LEAT_OK) return merge(ctx, w, &front, &back, out);
    if (status == LEAT_DONE) *out = front;
    return status < 0 ? status : LEAT_OK;
}

/* --- firing ----------------------------------------------------------------------------------- */

static leat_status remove_key(leat_context *ctx, const leati_slicing *s) {
    leat_status status = leat_state_remove(ctx, s->rings, everywhere);
    return status < 0 ? status : leat_state_remove(ctx, s->backs, everywhere);
}

/* No window from the one at `start` on needs the slices before it. */
static leat_status drop_before(leat_context *ctx, const leati_windowing *w, head *h,
                               int64_t start) {
    const leati_slicing *s = &w->slicing;
    int64_t gone = place_of(h, slice_at(s, start));
    leat_status status = LEAT_OK;
    for (int64_t i = 0; i < gone && status >= 0; i++) {
        char buffer[LEATI_WINDOW_BYTES];
        leat_namespace ns = namespace_of(s, h->at[i], buffer);
        status = leat_state_remove(ctx, w->contents, ns);
        if (status >= 0) status = leat_state_remove(ctx, s->suffixes, ns);
    }
    if (status < 0) return status;
    h->count -= gone;
    if (!h->count) return remove_key(ctx, s);
    memmove(h->at, h->at + gone, (size_t)h->count * sizeof *h->at);
    int64_t next = first_window(s, start_of(s, h->at[0]), start);
    h->timer = next + s->size;
    return set_timer(ctx, s, next);
}

/* Adds what records from far off have left for the window itself. */
static leat_status add_far(leat_context *ctx, const leati_windowing *w, const leat_window *window,
                           leat_value *all) {
    char buffer[LEATI_WINDOW_BYTES];
    leat_namespace ns = leati_window_write(window, buffer);
    leat_value far, near = *all;
    leat_status status = leat_state_get(ctx, w->contents, ns, &far);
    if (status != LEAT_OK) return status;
    status = merge(ctx, w, &near, &far, all);
    return status < 0 ? status : leat_state_remove(ctx, w->contents, ns);
}

leat_status leati_shares_fire(leat_context *ctx, leati_windowing *w, const leat_window *window) {
    const leati_slicing *s = &w->slicing;
    if (window->end < -FAR || window->start > FAR) return LEAT_AGAIN;
    head *h = NULL;
    int64_t to = slice_at(s, window->start) + s->count;
    leat_status status = edit(ctx, s, &h);
    if (status < 0) return status;
    if (!h || h->at[0] >= to) return LEAT_AGAIN;
    leat_value all;
    leat_record out;
    leat_record_init(&out, leat_null(), window->max_timestamp);
    status = whole(ctx, w, h, to, &all);
    if (status >= 0 && (window->start < -FAR || window->end > FAR))
        status = add_far(ctx, w, window, &all);
    const leat_aggregate *a = w->aggregate.call.aggregate;
    if (status >= 0) status = a->result(ctx, &all, &out.value, w->aggregate.arg);
    if (status >= 0) status = leat_emit_kept(ctx, &out);
    return status < 0 ? status : drop_before(ctx, w, h, window->start + s->slide);
}
