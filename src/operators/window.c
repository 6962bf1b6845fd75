/* window.c: windows of keyed streams, after Flink's window operator; and with two inputs, whose
   windows co_group.c hands over.

   A record goes to the windows that the assigner names. Those that are late, whose clean-up time
   (max_timestamp, of event time plus the allowed lateness) the watermark has passed, are left
   out; a record all of whose windows are late, and which is behind the watermark by more than the
   allowed lateness itself, goes to the side output for late data, or nowhere. To the others it is
   added (window_contents.c), and the trigger is asked. A timer of a window asks the trigger, too;
   that of its clean-up time, which the first element of a window sets, then forgets the window.

   Whatever fires has its turn after all windows of the record have got it: reducer and aggregate
   give their result; a window function is called from a cursor, because purging, eviction and
   clean-up, which come after it, must not come before the last of its results was taken. Results
   have the window's max_timestamp as event time.

   Windows that merge (window_merge.c) keep their contents under one of those that became them.
   State and timers of a window are in the namespace of window.h; the trigger's own, too. */
#include "leat/operators.h"
#include "operators/windowing.h"
#include "runtime/base/alloc.h"
#include "runtime/base/hint.h"

#define OPTION(name, kind, role) \
    { #name, kind, false, offsetof(leati_windowing, name), role }
#define FUNCTION(name, role) OPTION(name, LEAT_PARAM_FUNCTION, role)
#define WINDOW_PARAMS                                                                          \
    {"assigner", LEAT_PARAM_FUNCTION, true, offsetof(leati_windowing, assigner),               \
     LEAT_ROLE_ASSIGNER},                                                                      \
        FUNCTION(gap, LEAT_ROLE_GAP), FUNCTION(trigger, LEAT_ROLE_TRIGGER),                    \
        OPTION(purging, LEAT_PARAM_INT, LEAT_ROLE_NONE), FUNCTION(evictor, LEAT_ROLE_EVICTOR), \
        FUNCTION(delta, LEAT_ROLE_DELTA), OPTION(lateness, LEAT_PARAM_INT, LEAT_ROLE_NONE),    \
        OPTION(late_tag, LEAT_PARAM_STRING, LEAT_ROLE_NONE)

static const leat_param params[] = {
    WINDOW_PARAMS,
    FUNCTION(reduce, LEAT_ROLE_REDUCE),
    FUNCTION(aggregate, LEAT_ROLE_AGGREGATE),
    FUNCTION(window, LEAT_ROLE_WINDOW),
    {0},
};

static const leat_param join_params[] = {
    WINDOW_PARAMS,
    {"join", LEAT_PARAM_FUNCTION, true, offsetof(leati_windowing, join), LEAT_ROLE_JOIN},
    {0},
};

static const leat_param co_group_params[] = {
    WINDOW_PARAMS,
    {"co_group", LEAT_PARAM_FUNCTION, true, offsetof(leati_windowing, co_group),
     LEAT_ROLE_CO_GROUP},
    {0},
};

static const leat_state_decl states[] = {
    {"contents", LEAT_VALUE_STATE, LEAT_BY_KEY_GROUP, offsetof(leati_windowing, contents)},
    {"merged", LEAT_VALUE_STATE, LEAT_BY_KEY_GROUP, offsetof(leati_windowing, merged)},
    {"scratch", LEAT_VALUE_STATE, LEAT_BY_KEY_GROUP, offsetof(leati_windowing, scratch)},
    {"rings", LEAT_VALUE_STATE, LEAT_BY_KEY_GROUP, offsetof(leati_windowing, slicing.rings)},
    {"firsts", LEAT_VALUE_STATE, LEAT_BY_KEY_GROUP, offsetof(leati_windowing, slicing.firsts)},
    {"suffixes", LEAT_VALUE_STATE, LEAT_BY_KEY_GROUP, offsetof(leati_windowing, slicing.suffixes)},
    {"backs", LEAT_VALUE_STATE, LEAT_BY_KEY_GROUP, offsetof(leati_windowing, slicing.backs)},
    {0},
};

/* --- times ------------------------------------------------------------------------------------ */

int64_t leati_window_cleanup(const leati_windowing *w, const leat_window *window) {
    int64_t time;
    if (!w->event_time) return window->max_timestamp;
    if (__builtin_add_overflow(window->max_timestamp, w->lateness, &time)) return INT64_MAX;
    return time;
}

static bool is_late(leat_context *ctx, const leati_windowing *w, const leat_window *window) {
    return w->event_time && leati_window_cleanup(w, window) <= leat_context_watermark(ctx);
}

static bool is_late_record(leat_context *ctx, const leati_windowing *w, int64_t time) {
    int64_t until;
    if (!w->event_time || __builtin_add_overflow(time, w->lateness, &until)) return false;
    return until <= leat_context_watermark(ctx);
}

static leat_status set_cleanup(leat_context *ctx, const leati_windowing *w,
                               const leat_window *window, leat_namespace ns) {
    leat_timer timer = {w->event_time ? LEAT_EVENT_TIME : LEAT_PROCESSING_TIME,
                        leati_window_cleanup(w, window), ns};
    return timer.time == INT64_MAX ? LEAT_OK : leat_timer_set(ctx, &timer);
}

/* --- turns ------------------------------------------------------------------------------------ */

static leat_status add_turn(leati_windowing *w, const leat_window *window,
                            leat_trigger_result result) {
    leati_turns *t = &w->turns;
    if (t->count == t->room) {
        size_t room = t->room ? 2 * t->room : 8;
        leati_turn *items = leati_resize(t->items, room * sizeof *items);
        if (!items) return LEAT_E_NOMEM;
        t->items = items;
        t->room = room;
    }
    if (w->purging && result == LEAT_FIRE) result = LEAT_FIRE_AND_PURGE;
    t->items[t->count++] = (leati_turn){*window, result};
    return LEAT_OK;
}

/* The namespace of the window's contents. LEAT_DONE: it has merged into another one. */
static leat_status locate(leat_context *ctx, leati_windowing *w, const leat_window *window,
                          leat_namespace *ns) {
    leat_window state = *window;
    leat_status status = w->assigns->merge ? leati_merge_find(ctx, w, window, &state) : LEAT_OK;
    if (status != LEAT_OK) return status;
    *ns = leat_window_namespace(ctx, &state);
    return ns->bytes ? LEAT_OK : LEAT_E_NOMEM;
}

static leat_status fire(leat_context *ctx, leati_windowing *w, const leat_window *window,
                        leat_namespace ns) {
    leat_value *elements;
    size_t count;
    leat_status status = leati_contents_evict(ctx, w, ns, window, false);
    if (status >= 0) status = leati_contents_get(ctx, w, ns, &elements, &count);
    if (status != LEAT_OK) return status;
    const leat_window_function *f = w->window.call.window;
    if (f) {
        leat_context_set_time(ctx, window->max_timestamp);
        return f->process(ctx, window, elements, count, leat_context_emitter(ctx), w->window.arg);
    }
    leat_record out;
    leat_record_init(&out, elements[0], window->max_timestamp);
    return leat_emit_kept(ctx, &out);
}

/* The window is no more. */
static leat_status forget(leat_context *ctx, leati_windowing *w, const leat_window *window,
                          leat_namespace ns) {
    const leat_window_function *f = w->window.call.window;
    leat_status status = leati_contents_clear(ctx, w, ns);
    if (status >= 0 && w->triggers->clear) status = w->triggers->clear(ctx, window, w->trigger.arg);
    if (status >= 0 && f && f->clear) status = f->clear(ctx, window, w->window.arg);
    if (status >= 0 && w->assigns->merge) status = leati_merge_forget(ctx, w, window);
    return status;
}

static leat_status leave(leat_context *ctx, leati_windowing *w, const leati_turn *turn,
                         leat_namespace ns) {
    leat_status status = LEAT_OK;
    if (turn->result & LEAT_FIRE) {
        status = leati_contents_evict(ctx, w, ns, &turn->window, true);
        if (status >= 0) status = leati_contents_done(ctx, w, ns);
    }
    if (status >= 0 && w->turns.cleans) return forget(ctx, w, &turn->window, ns);
    if (status >= 0 && turn->result & LEAT_PURGE) status = leati_contents_clear(ctx, w, ns);
    return status;
}

static bool calls_function(const leati_windowing *w) {
    return w->window.call.window || leati_sides_fires(w);
}

static void next_turn(leati_turns *t) {
    t->at++;
    t->is_called = false;
    t->pair = (leati_pair){0, 0};
}

/* Goes on until nobody is left, LEAT_DONE, or a window function was called. */
static leat_status take_turns(leat_context *ctx, leati_windowing *w) {
    leati_turns *t = &w->turns;
    for (; t->at < t->count; next_turn(t)) {
        const leati_turn *turn = &t->items[t->at];
        leat_namespace ns = {NULL, 0};
        leat_status status = locate(ctx, w, &turn->window, &ns);
        if (status == LEAT_DONE) continue;
        if (status >= 0 && turn->result & LEAT_FIRE && !t->is_called) {
            bool more = false;
            status = leati_sides_fires(w) ? leati_sides_fire(ctx, w, &turn->window, ns, &more)
                                          : fire(ctx, w, &turn->window, ns);
            t->is_called = calls_function(w) && !more;
            if (status >= 0 && calls_function(w)) return LEAT_OK;
        }
        if (status >= 0) status = leave(ctx, w, turn, ns);
        if (status < 0) return status;
    }
    return LEAT_DONE;
}

static leat_status turns_advance(leat_context *ctx, leat_cursor *cursor, leat_emitter *out) {
    (void)out;
    return take_turns(ctx, ((leati_turns *)(void *)cursor)->w);
}

static void turns_close(leat_context *ctx, leat_cursor *cursor) {
    (void)ctx;
    leati_turns *t = (leati_turns *)(void *)cursor;
    t->count = 0;
}

static leat_status begin_turns(leat_context *ctx, leati_windowing *w) {
    leati_turns *t = &w->turns;
    bool calls = false;
    for (size_t i = 0; i < t->count; i++) calls |= (t->items[i].result & LEAT_FIRE) != 0;
    t->at = 0;
    t->is_called = false;
    t->pair = (leati_pair){0, 0};
    if (calls && calls_function(w)) return leat_context_cursor(ctx, &t->cursor);
    leat_status status = take_turns(ctx, w);
    t->count = 0;
    return status < 0 ? status : LEAT_OK;
}

/* --- records ---------------------------------------------------------------------------------- */

/* Does the trigger have nothing to do that it has not done for an earlier element? */
static bool is_settled(leat_context *ctx, const leati_windowing *w, const leat_window *window,
                       bool first) {
    return !first && w->only_first &&
           (!w->event_time || window->max_timestamp > leat_context_watermark(ctx));
}

static leat_status enter(leat_context *ctx, leati_windowing *w, const leat_record *in,
                         leat_window *window) {
    leat_window state = *window;
    char buffer[LEATI_WINDOW_BYTES];
    leat_status status = LEAT_OK;
    if (w->assigns->merge) status = leati_merge_add(ctx, w, window, &state);
    if (status < 0) return status;
    if (is_late(ctx, w, window)) {
        if (w->assigns->merge) status = leati_merge_forget(ctx, w, window);
        return status < 0 ? status : LEAT_DONE;
    }
    leat_namespace ns = state.kind == LEAT_WINDOW_CUSTOM ? leat_window_namespace(ctx, &state)
                                                         : leati_window_write(&state, buffer);
    bool first = true;
    leat_trigger_result result = LEAT_CONTINUE;
    status = ns.bytes ? leati_contents_add(ctx, w, ns, in, &first) : LEAT_E_NOMEM;
    if (status < 0 || is_settled(ctx, w, window, first)) return status;
    status = w->triggers->on_element(ctx, in, window, &result, w->trigger.arg);
    if (status >= 0 && result != LEAT_CONTINUE) status = add_turn(w, window, result);
    /* The trigger may have removed a timer of that very time. */
    if (status < 0 || (!first && w->only_first)) return status;
    if (w->assigns->merge) ns = leat_window_namespace(ctx, window);
    return ns.bytes ? set_cleanup(ctx, w, window, ns) : LEAT_E_NOMEM;
}

/* All windows of the record were late. */
static leat_status pass_by(leat_context *ctx, const leati_windowing *w, const leat_record *in) {
    if (!is_late_record(ctx, w, in->time)) return LEAT_OK;
    if (w->late_tag) return leat_emit_side(ctx, w->late_tag, in);
    leat_metric_add(w->dropped, 1);
    return LEAT_OK;
}

static LEATI_APART leat_status take_in(leat_context *ctx, leati_windowing *w, unsigned input,
                                       const leat_record *in) {
    bool taken = false;
    leat_status status;
    w->side = input;
    leat_context_set_input(ctx, input);
    w->windows.ctx = ctx;
    w->windows.count = w->turns.count = 0;
    w->turns.cleans = false;
    status = w->assigns->assign(ctx, in, &w->windows, w->assigner.arg);
    for (size_t i = 0; i < w->windows.count && status >= 0; i++) {
        status = enter(ctx, w, in, &w->windows.items[i]);
        taken |= status == LEAT_OK;
    }
    if (status < 0) return status;
    if (w->turns.count) return begin_turns(ctx, w);
    return taken ? LEAT_OK : pass_by(ctx, w, in);
}

static leat_status window_on_record(leat_context *ctx, void *self, unsigned input,
                                    const leat_record *in) {
    leati_windowing *w = self;
    leat_status status = w->slicing.on ? leati_slices_add(ctx, w, in) : LEAT_AGAIN;
    if (LEAT_LIKELY(status == LEAT_OK)) return status;
    if (status == LEAT_DONE) return pass_by(ctx, w, in);
    return status == LEAT_AGAIN ? take_in(ctx, w, input, in) : status;
}

/* --- timers ----------------------------------------------------------------------------------- */

/* A window that has merged into another one may have timers left that its trigger did not
   remove. */
static leat_status window_on_timer(leat_context *ctx, void *self, const leat_timer *timer) {
    leati_windowing *w = self;
    leat_window window, state;
    leat_status status = leat_window_of_namespace(timer->ns, &window);
    if (status >= 0 && w->assigns->merge) status = leati_merge_find(ctx, w, &window, &state);
    if (status != LEAT_OK) return status < 0 ? status : LEAT_OK;
    status = w->slicing.on ? leati_slices_fire(ctx, w, &window) : LEAT_AGAIN;
    if (status != LEAT_AGAIN) return status;
    leat_trigger_result result = LEAT_CONTINUE;
    status = w->triggers->on_timer(ctx, timer, &window, &result, w->trigger.arg);
    if (status < 0) return status;
    w->turns.count = 0;
    w->turns.cleans = w->event_time == (timer->domain == LEAT_EVENT_TIME) &&
                      timer->time == leati_window_cleanup(w, &window);
    if (result == LEAT_CONTINUE && !w->turns.cleans) return LEAT_OK;
    status = add_turn(w, &window, result);
    return status < 0 ? status : begin_turns(ctx, w);
}

/* --- opening and closing ---------------------------------------------------------------------- */

static bool is_given(const leat_function *f) {
    return f->role != LEAT_ROLE_NONE;
}

/* What is wrong with the parameters together. What is not known yet, is NULL. */
static const char *flaw(const leati_windowing *w) {
    const leat_aggregate *a = w->aggregate.call.aggregate;
    const leat_trigger *t = w->trigger.call.trigger;
    bool merges = w->assigner.call.assigner && w->assigner.call.assigner->merge;
    bool reduces = is_given(&w->reduce), aggregates = is_given(&w->aggregate);
    if (reduces && aggregates) return "windows are reduced or aggregated, not both";
    bool has_sides = is_given(&w->join) || is_given(&w->co_group);
    if (!reduces && !aggregates && !is_given(&w->window) && !has_sides)
        return "windows need a reduce, aggregate or window function";
    if (w->lateness < 0) return "The allowed lateness cannot be negative.";
    if (merges && t && !t->can_merge)
        return "A merging window assigner cannot be used with a trigger that does not support "
               "merging.";
    if (merges && a && !a->merge) return "windows that merge need an aggregate that can merge";
    if (!leati_assigner_bind(&w->assigner, &w->gap))
        return "a gap function is for session windows without a gap of their own, which need one";
    if (!leati_evictor_bind(&w->evictor, &w->delta))
        return "a delta function is for the delta evictor, which needs one";
    return NULL;
}

static leat_status window_check(void *self, leat_error *err) {
    const char *wrong = flaw(self);
    return wrong ? leat_error_set(err, LEAT_E_ARGUMENT, "window", "%s", wrong) : LEAT_OK;
}

static leat_status open_default_trigger(leat_context *ctx, leati_windowing *w) {
    const char *name = w->assigns->default_trigger;
    leat_function *f = &w->trigger;
    leat_error err;
    if (!name)
        return leat_context_fail(ctx, LEAT_E_ARGUMENT,
                                 "the window assigner has no default trigger; give one");
    *f = leat_function_of(LEAT_ROLE_TRIGGER, NULL);
    f->spec = name;
    f->spec_size = strlen(name);
    leat_status status = leat_builtin_resolve(f, &err);
    if (status < 0) return leat_context_fail(ctx, status, "%s: %s", err.where, err.text);
    w->default_trigger = true;
    return f->open ? f->open(ctx, f->arg, &f->arg) : LEAT_OK;
}

static leat_status window_open(leat_context *ctx, void *self) {
    leati_windowing *w = self;
    leat_status status = LEAT_OK;
    w->turns.w = w;
    w->turns.cursor.advance = turns_advance;
    w->turns.cursor.close = turns_close;
    w->assigns = w->assigner.call.assigner;
    w->event_time = w->assigns->event_time;
    if (!w->trigger.call.trigger) status = open_default_trigger(ctx, w);
    if (status < 0) return status;
    w->triggers = w->trigger.call.trigger;
    const char *wrong = flaw(w);
    if (wrong) return leat_context_fail(ctx, LEAT_E_ARGUMENT, "%s", wrong);
    const leat_trigger *usual =
        w->event_time ? &leati_event_time_trigger : &leati_processing_time_trigger;
    w->only_first = w->triggers == usual && !w->assigns->merge;
    w->sessions = leati_assigner_is_session(&w->assigner);
    leati_slices_init(ctx, w);
    leat_error err;
    return leat_context_metric(ctx, "numLateRecordsDropped", LEAT_METRIC_COUNTER, &w->dropped,
                               &err);
}

static leat_status window_snapshot(leat_context *ctx, void *self, leat_snapshot *out) {
    (void)ctx;
    return leati_layout_write(self, out);
}

static leat_status window_restore(leat_context *ctx, void *self, leat_snapshot *in) {
    return leati_layout_compare(ctx, self, in);
}

static void window_close(leat_context *ctx, void *self, bool failed) {
    (void)failed;
    leati_windowing *w = self;
    if (w->default_trigger && w->trigger.close) w->trigger.close(ctx, w->trigger.arg);
}

static void window_fini(void *self) {
    leati_windowing *w = self;
    leati_windows_fini(&w->windows);
    leati_merges_fini(&w->merges);
    leati_free(w->turns.items);
}

#define WINDOW_OPERATOR(noun, verb, input_count, table) \
    const leat_operator leat_##noun##_operator = {      \
        .size = sizeof(leat_operator),                  \
        .name = (verb),                                 \
        .flags = LEAT_OP_OBJECTS | LEAT_OP_KEYED,       \
        .inputs = (input_count),                        \
        .self_size = sizeof(leati_windowing),           \
        .params = (table),                              \
        .states = states,                               \
        .on_record = window_on_record,                  \
        .on_timer = window_on_timer,                    \
        .open = window_open,                            \
        .snapshot = window_snapshot,                    \
        .restore = window_restore,                      \
        .close = window_close,                          \
        .fini = window_fini,                            \
        .check = window_check,                          \
    };

WINDOW_OPERATOR(window, "window", 1, params)
WINDOW_OPERATOR(window_join, "window_join", 2, join_params)
WINDOW_OPERATOR(co_group, "co_group", 2, co_group_params)
