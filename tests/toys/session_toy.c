/* session_toy.c: a merging session window: keyed state with namespaces, event-time timers, a side
   output.

   State "windows", under the empty namespace, is the list start, end, start, end ... of a key's
   open sessions; state "sum" has one cell per session, whose namespace is its start. A session that
   grows or merges moves its sum to the earliest start and its timer to the latest end. */
#include "toys.h"

#include <stdint.h>
#include <string.h>

enum { MOST_WINDOWS = 64 };

typedef struct session_self {
    int64_t gap;
    leat_state *windows, *sum;
} session_self;

static const leat_param params[] = {
    {"gap", LEAT_PARAM_INT, true, offsetof(session_self, gap), LEAT_ROLE_NONE},
    {0},
};

static const leat_state_decl states[] = {
    {"windows", LEAT_VALUE_STATE, LEAT_BY_KEY_GROUP, offsetof(session_self, windows)},
    {"sum", LEAT_VALUE_STATE, LEAT_BY_KEY_GROUP, offsetof(session_self, sum)},
    {0},
};

typedef struct window {
    int64_t start, end;
} window;

typedef struct window_set {
    window items[MOST_WINDOWS];
    int count;
} window_set;

static const leat_namespace everywhere = {NULL, 0};

static leat_namespace of(const window *w) {
    leat_namespace ns = {&w->start, sizeof w->start};
    return ns;
}

static leat_status load(leat_context *ctx, session_self *s, window_set *set) {
    leat_value list;
    set->count = 0;
    leat_status status = leat_state_get(ctx, s->windows, everywhere, &list);
    if (status != LEAT_OK) return status < 0 ? status : LEAT_OK;
    for (uint32_t i = 0; i + 1 < list.size; i += 2)
        set->items[set->count++] = (window){list.as.items[i].as.i, list.as.items[i + 1].as.i};
    return LEAT_OK;
}

static leat_status store(leat_context *ctx, session_self *s, const window_set *set) {
    leat_value items[2 * MOST_WINDOWS];
    if (!set->count) return leat_state_remove(ctx, s->windows, everywhere);
    for (int i = 0; i < set->count; i++) {
        items[2 * i] = leat_int(set->items[i].start);
        items[2 * i + 1] = leat_int(set->items[i].end);
    }
    leat_value list = leat_list(items, 2 * (size_t)set->count);
    return leat_state_put(ctx, s->windows, everywhere, &list);
}

static leat_timer timer_of(const window *w) {
    leat_timer timer = {LEAT_EVENT_TIME, w->end - 1, of(w)};
    return timer;
}

static int64_t number_of(const leat_value *v) {
    const leat_value *items = leat_value_items(v);
    return items ? items[1].as.i : v->as.i;
}

/* Takes the session's sum and timer away, and adds the sum to `total`. */
static leat_status dissolve(leat_context *ctx, session_self *s, const window *w, int64_t *total) {
    leat_value sum;
    leat_timer timer = timer_of(w);
    leat_status status = leat_state_get(ctx, s->sum, of(w), &sum);
    if (status == LEAT_OK) *total += sum.as.i;
    if (status >= 0) status = leat_state_remove(ctx, s->sum, of(w));
    return status < 0 ? status : leat_timer_remove(ctx, &timer);
}

static leat_status session_on_record(leat_context *ctx, void *self, unsigned input,
                                     const leat_record *in) {
    (void)input;
    session_self *s = self;
    window_set set;
    window merged = {in->time, in->time + s->gap};
    int64_t total = number_of(&in->value);
    if (merged.end - 1 <= leat_context_watermark(ctx)) return leat_emit_side(ctx, "late", in);
    leat_status status = load(ctx, s, &set);
    int kept = 0;
    for (int i = 0; i < set.count && status >= 0; i++) {
        window w = set.items[i];
        if (w.end < merged.start || merged.end < w.start) {
            set.items[kept++] = w;
            continue;
        }
        status = dissolve(ctx, s, &w, &total);
        if (w.start < merged.start) merged.start = w.start;
        if (w.end > merged.end) merged.end = w.end;
    }
    if (status < 0) return status;
    if (kept == MOST_WINDOWS) return leat_context_fail(ctx, LEAT_E_RANGE, "too many sessions");
    set.items[kept++] = merged;
    set.count = kept;
    leat_value sum = leat_int(total);
    leat_timer timer = timer_of(&merged);
    status = store(ctx, s, &set);
    if (status >= 0) status = leat_state_put(ctx, s->sum, of(&merged), &sum);
    return status < 0 ? status : leat_timer_set(ctx, &timer);
}

static leat_status session_on_timer(leat_context *ctx, void *self, const leat_timer *timer) {
    session_self *s = self;
    window_set set;
    window over = {0, timer->time + 1};
    int64_t total = 0;
    memcpy(&over.start, timer->ns.bytes, sizeof over.start);
    leat_status status = load(ctx, s, &set);
    int kept = 0;
    for (int i = 0; i < set.count && status >= 0; i++)
        if (set.items[i].start != over.start) set.items[kept++] = set.items[i];
    set.count = kept;
    if (status >= 0) status = dissolve(ctx, s, &over, &total);
    if (status >= 0) status = store(ctx, s, &set);
    if (status < 0) return status;
    leat_value items[4] = {*leat_context_key(ctx), leat_int(over.start), leat_int(over.end),
                           leat_int(total)};
    leat_value out = leat_tuple(items, 4);
    return leat_emitter_push(leat_context_emitter(ctx), &out);
}

const leat_operator toy_session_operator = {
    .size = sizeof(leat_operator),
    .name = "toy_session",
    .flags = LEAT_OP_KEYED,
    .inputs = 1,
    .self_size = sizeof(session_self),
    .params = params,
    .states = states,
    .on_record = session_on_record,
    .on_timer = session_on_timer,
};
