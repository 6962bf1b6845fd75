/* trigger.c: the triggers of Leat's own, made by their names:

       event_time                      once the watermark has reached the end of the window, and
                                       then for every late element
       processing_time                 at the end of the window
       continuous_event_time MS        also at every multiple of MS on the way there
       continuous_processing_time MS
       count N [1]                     with every N-th element; 1: what fired is forgotten
       never

   The continuous ones remember the time they fire next, the counting one its count, as a value
   under the window. */
#include "operators/windowing.h"

typedef struct trigger {
    int64_t n; /* count, or milliseconds */
    bool purges;
    leat_state *state;
} trigger;

static leat_status open_state(leat_context *ctx, void *arg, void **self) {
    trigger *t = arg;
    leat_error err;
    *self = t;
    leat_status status =
        leat_context_state(ctx, "window trigger", LEAT_VALUE_STATE, NULL, &t->state, &err);
    return status < 0 ? leat_context_fail(ctx, status, "%s", err.text) : status;
}

/* The number that is remembered; LEAT_DONE when there is none. */
static leat_status recall(leat_context *ctx, const trigger *t, const leat_window *w, int64_t *out) {
    leat_namespace ns = leat_window_namespace(ctx, w);
    leat_value v;
    if (!ns.bytes) return LEAT_E_NOMEM;
    leat_status status = leat_state_get(ctx, t->state, ns, &v);
    if (status == LEAT_OK) *out = v.as.i;
    return status;
}

static leat_status remember(leat_context *ctx, const trigger *t, const leat_window *w, int64_t i) {
    leat_namespace ns = leat_window_namespace(ctx, w);
    leat_value v = leat_int(i);
    return ns.bytes ? leat_state_put(ctx, t->state, ns, &v) : LEAT_E_NOMEM;
}

static leat_status forget(leat_context *ctx, const trigger *t, const leat_window *w) {
    leat_namespace ns = leat_window_namespace(ctx, w);
    return ns.bytes ? leat_state_remove(ctx, t->state, ns) : LEAT_E_NOMEM;
}

static leat_status set_timer(leat_context *ctx, const leat_window *w, leat_time_domain domain,
                             int64_t time) {
    leat_timer timer = {domain, time, leat_window_namespace(ctx, w)};
    return timer.ns.bytes ? leat_timer_set(ctx, &timer) : LEAT_E_NOMEM;
}

static leat_status remove_timer(leat_context *ctx, const leat_window *w, leat_time_domain domain,
                                int64_t time) {
    leat_timer timer = {domain, time, leat_window_namespace(ctx, w)};
    return timer.ns.bytes ? leat_timer_remove(ctx, &timer) : LEAT_E_NOMEM;
}

/* --- event_time, processing_time -------------------------------------------------------------- */

static leat_status event_on_element(leat_context *ctx, const leat_record *in, const leat_window *w,
                                    leat_trigger_result *out, void *self) {
    (void)in, (void)self;
    if (w->max_timestamp > leat_context_watermark(ctx))
        return set_timer(ctx, w, LEAT_EVENT_TIME, w->max_timestamp);
    *out = LEAT_FIRE;
    return LEAT_OK;
}

static leat_status event_on_timer(leat_context *ctx, const leat_timer *timer, const leat_window *w,
                                  leat_trigger_result *out, void *self) {
    (void)ctx, (void)self;
    if (timer->domain == LEAT_EVENT_TIME && timer->time == w->max_timestamp) *out = LEAT_FIRE;
    return LEAT_OK;
}

static leat_status event_on_merge(leat_context *ctx, const leat_window *w,
                                  const leat_window *merged, size_t count, void *self) {
    (void)merged, (void)count, (void)self;
    if (w->max_timestamp <= leat_context_watermark(ctx)) return LEAT_OK;
    return set_timer(ctx, w, LEAT_EVENT_TIME, w->max_timestamp);
}

static leat_status event_clear(leat_context *ctx, const leat_window *w, void *self) {
    (void)self;
    return remove_timer(ctx, w, LEAT_EVENT_TIME, w->max_timestamp);
}

static leat_status processing_on_element(leat_context *ctx, const leat_record *in,
                                         const leat_window *w, leat_trigger_result *out,
                                         void *self) {
    (void)in, (void)out, (void)self;
    return set_timer(ctx, w, LEAT_PROCESSING_TIME, w->max_timestamp);
}

static leat_status processing_on_timer(leat_context *ctx, const leat_timer *timer,
                                       const leat_window *w, leat_trigger_result *out, void *self) {
    (void)ctx, (void)self;
    if (timer->domain == LEAT_PROCESSING_TIME && timer->time == w->max_timestamp) *out = LEAT_FIRE;
    return LEAT_OK;
}

static leat_status processing_on_merge(leat_context *ctx, const leat_window *w,
                                       const leat_window *merged, size_t count, void *self) {
    (void)merged, (void)count, (void)self;
    if (w->max_timestamp <= leat_context_now(ctx)) return LEAT_OK;
    return set_timer(ctx, w, LEAT_PROCESSING_TIME, w->max_timestamp);
}

static leat_status processing_clear(leat_context *ctx, const leat_window *w, void *self) {
    (void)self;
    return remove_timer(ctx, w, LEAT_PROCESSING_TIME, w->max_timestamp);
}

/* --- continuous_event_time, continuous_processing_time ---------------------------------------- */

/* One interval after `time`, but not beyond the window. */
static leat_status fire_next(leat_context *ctx, const trigger *t, const leat_window *w,
                             leat_time_domain domain, int64_t time) {
    int64_t next;
    if (__builtin_add_overflow(time, t->n, &next) || next > w->max_timestamp)
        next = w->max_timestamp;
    leat_status status = remember(ctx, t, w, next);
    return status < 0 ? status : set_timer(ctx, w, domain, next);
}

/* Where nothing is remembered yet, the next multiple of the interval behind `time`. */
static leat_status fire_first(leat_context *ctx, const trigger *t, const leat_window *w,
                              leat_time_domain domain, int64_t time) {
    int64_t next;
    leat_status status = recall(ctx, t, w, &next);
    return status != LEAT_DONE ? status : fire_next(ctx, t, w, domain, time - time % t->n);
}

static leat_status fire_if_due(leat_context *ctx, const trigger *t, const leat_timer *timer,
                               const leat_window *w, leat_trigger_result *out) {
    int64_t next;
    leat_status status = recall(ctx, t, w, &next);
    if (status != LEAT_OK || next != timer->time) return status < 0 ? status : LEAT_OK;
    *out = LEAT_FIRE;
    return fire_next(ctx, t, w, timer->domain, timer->time);
}

static leat_status every_event_on_element(leat_context *ctx, const leat_record *in,
                                          const leat_window *w, leat_trigger_result *out,
                                          void *self) {
    leat_status status = event_on_element(ctx, in, w, out, self);
    if (status < 0 || *out == LEAT_FIRE) return status;
    return fire_first(ctx, self, w, LEAT_EVENT_TIME, in->time);
}

static leat_status every_event_on_timer(leat_context *ctx, const leat_timer *timer,
                                        const leat_window *w, leat_trigger_result *out,
                                        void *self) {
    leat_status status = event_on_timer(ctx, timer, w, out, self);
    if (status < 0 || *out == LEAT_FIRE || timer->domain != LEAT_EVENT_TIME) return status;
    return fire_if_due(ctx, self, timer, w, out);
}

static leat_status every_processing_on_element(leat_context *ctx, const leat_record *in,
                                               const leat_window *w, leat_trigger_result *out,
                                               void *self) {
    (void)in, (void)out;
    return fire_first(ctx, self, w, LEAT_PROCESSING_TIME, leat_context_now(ctx));
}

static leat_status every_processing_on_timer(leat_context *ctx, const leat_timer *timer,
                                             const leat_window *w, leat_trigger_result *out,
                                             void *self) {
    if (timer->domain != LEAT_PROCESSING_TIME) return LEAT_OK;
    return fire_if_due(ctx, self, timer, w, out);
}

/* The earliest of what the merged ones had in mind. */
static leat_status every_on_merge(leat_context *ctx, const trigger *t, leat_time_domain domain,
                                  const leat_window *w, const leat_window *merged, size_t count) {
    int64_t first = INT64_MAX;
    leat_status status = LEAT_OK;
    for (size_t i = 0; i < count && status >= 0; i++) {
        int64_t next;
        status = recall(ctx, t, &merged[i], &next);
        if (status == LEAT_OK && next < first) first = next;
    }
    if (status < 0 || first == INT64_MAX) return status < 0 ? status : LEAT_OK;
    status = remember(ctx, t, w, first);
    return status < 0 ? status : set_timer(ctx, w, domain, first);
}

static leat_status every_event_on_merge(leat_context *ctx, const leat_window *w,
                                        const leat_window *merged, size_t count, void *self) {
    leat_status status = event_on_merge(ctx, w, merged, count, self);
    return status < 0 ? status : every_on_merge(ctx, self, LEAT_EVENT_TIME, w, merged, count);
}

static leat_status every_processing_on_merge(leat_context *ctx, const leat_window *w,
                                             const leat_window *merged, size_t count, void *self) {
    return every_on_merge(ctx, self, LEAT_PROCESSING_TIME, w, merged, count);
}

static leat_status every_clear(leat_context *ctx, const trigger *t, leat_time_domain domain,
                               const leat_window *w) {
    int64_t next;
    leat_status status = recall(ctx, t, w, &next);
    if (status != LEAT_OK) return status < 0 ? status : LEAT_OK;
    status = remove_timer(ctx, w, domain, next);
    return status < 0 ? status : forget(ctx, t, w);
}

static leat_status every_event_clear(leat_context *ctx, const leat_window *w, void *self) {
    leat_status status = event_clear(ctx, w, self);
    return status < 0 ? status : every_clear(ctx, self, LEAT_EVENT_TIME, w);
}

static leat_status every_processing_clear(leat_context *ctx, const leat_window *w, void *self) {
    return every_clear(ctx, self, LEAT_PROCESSING_TIME, w);
}

/* --- count, never ----------------------------------------------------------------------------- */

static leat_status count_on_element(leat_context *ctx, const leat_record *in, const leat_window *w,
                                    leat_trigger_result *out, void *self) {
    (void)in;
    const trigger *t = self;
    int64_t count = 0;
    leat_status status = recall(ctx, t, w, &count);
    if (status < 0) return status;
    if (++count < t->n) return remember(ctx, t, w, count);
    *out = t->purges ? LEAT_FIRE_AND_PURGE : LEAT_FIRE;
    return forget(ctx, t, w);
}

static leat_status count_on_merge(leat_context *ctx, const leat_window *w,
                                  const leat_window *merged, size_t count, void *self) {
    int64_t sum = 0;
    leat_status status = LEAT_OK;
    for (size_t i = 0; i < count && status >= 0; i++) {
        int64_t one = 0;
        status = recall(ctx, self, &merged[i], &one);
        sum += one;
    }
    return status < 0 || !sum ? status : remember(ctx, self, w, sum);
}

static leat_status count_clear(leat_context *ctx, const leat_window *w, void *self) {
    return forget(ctx, self, w);
}

static leat_status never_on_element(leat_context *ctx, const leat_record *in, const leat_window *w,
                                    leat_trigger_result *out, void *self) {
    (void)ctx, (void)in, (void)w, (void)out, (void)self;
    return LEAT_OK;
}

static leat_status never_on_timer(leat_context *ctx, const leat_timer *timer, const leat_window *w,
                                  leat_trigger_result *out, void *self) {
    (void)ctx, (void)timer, (void)w, (void)out, (void)self;
    return LEAT_OK;
}

static leat_status never_clear(leat_context *ctx, const leat_window *w, void *self) {
    (void)ctx, (void)w, (void)self;
    return LEAT_OK;
}

/* --- making them ------------------------------------------------------------------------------ */

const leat_trigger leati_event_time_trigger = {
    sizeof(leat_trigger), true, event_on_element, event_on_timer, event_on_merge, event_clear,
};

const leat_trigger leati_processing_time_trigger = {
    sizeof(leat_trigger), true, processing_on_element, processing_on_timer, processing_on_merge,
    processing_clear,
};

static leat_status make_event(const leati_builtin_spec *spec, leat_function *f, leat_error *err) {
    (void)spec, (void)err;
    f->call.trigger = &leati_event_time_trigger;
    return LEAT_OK;
}

static leat_status make_processing(const leati_builtin_spec *spec, leat_function *f,
                                   leat_error *err) {
    (void)spec, (void)err;
    f->call.trigger = &leati_processing_time_trigger;
    return LEAT_OK;
}

static leat_status make_never(const leati_builtin_spec *spec, leat_function *f, leat_error *err) {
    static const leat_trigger calls = {
        sizeof(leat_trigger), false, never_on_element, never_on_timer, NULL, never_clear,
    };
    (void)spec, (void)err;
    f->call.trigger = &calls;
    return LEAT_OK;
}

static leat_status make_with_state(const leati_builtin_spec *spec, leat_function *f,
                                   leat_error *err, const leat_trigger *calls) {
    if (spec->numbers[0] <= 0)
        return leati_builtin_refuse(spec, err, "the trigger needs a number above 0");
    trigger *t = leati_builtin_self(f, sizeof *t);
    if (!t) return LEAT_E_NOMEM;
    t->n = spec->numbers[0];
    t->purges = spec->numbers[1] != 0;
    f->open = open_state;
    f->call.trigger = calls;
    return LEAT_OK;
}

static leat_status make_every_event(const leati_builtin_spec *spec, leat_function *f,
                                    leat_error *err) {
    static const leat_trigger calls = {
        sizeof(leat_trigger),   true,
        every_event_on_element, every_event_on_timer,
        every_event_on_merge,   every_event_clear,
    };
    return make_with_state(spec, f, err, &calls);
}

static leat_status make_every_processing(const leati_builtin_spec *spec, leat_function *f,
                                         leat_error *err) {
    static const leat_trigger calls = {
        sizeof(leat_trigger),        true,
        every_processing_on_element, every_processing_on_timer,
        every_processing_on_merge,   every_processing_clear,
    };
    return make_with_state(spec, f, err, &calls);
}

static leat_status make_count(const leati_builtin_spec *spec, leat_function *f, leat_error *err) {
    static const leat_trigger calls = {
        sizeof(leat_trigger), true, count_on_element, never_on_timer, count_on_merge, count_clear,
    };
    return make_with_state(spec, f, err, &calls);
}

const leati_builtin leati_trigger_builtins[] = {
    {"event_time", LEAT_ROLE_TRIGGER, 0, 0, make_event},
    {"processing_time", LEAT_ROLE_TRIGGER, 0, 0, make_processing},
    {"continuous_event_time", LEAT_ROLE_TRIGGER, 1, 1, make_every_event},
    {"continuous_processing_time", LEAT_ROLE_TRIGGER, 1, 1, make_every_processing},
    {"count", LEAT_ROLE_TRIGGER, 1, 2, make_count},
    {"never", LEAT_ROLE_TRIGGER, 0, 0, make_never},
    {0},
};
