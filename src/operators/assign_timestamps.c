/* assign_timestamps.c: gives records their event time, and says how far event time has come.

   The time comes from a function, or stays what it is. The watermark is the highest time so far
   minus the bound of disorder minus 1, or what a generator says, which is asked after each record,
   too. It goes out every pipeline.auto-watermark-interval of the
   machine's time, or after each record with pipeline.watermark-per-record; watermarks and idleness
   of those before are theirs and end here, but for the last watermark. After idle_ms without a
   record nobody needs to wait for this subtask any more, until the next record.

   Nothing wakes the task while there is nothing to say: the clock is set when a record comes, and
   with idle_ms until it is idle. In a snapshot: the highest time (lowest_time.h). */
#include "leat/operators.h"
#include "leat/stream.h"
#include "operators/lowest_time.h"

typedef struct assign_self {
    leat_function function, generator;
    int64_t bound_ms, idle_ms;
    int64_t no_watermarks;    /* not 0: none but the last */
    int64_t interval, period; /* of watermarks, and of looking at the clock; 0: never */
    bool per_record;
    int64_t highest;   /* LEAT_NO_TIME before the first */
    int64_t active_at; /* when a look at the clock last found new records */
    bool armed, idle;
    bool fresh;   /* records came since the last look */
    int64_t said; /* the highest watermark of the generator */
} assign_self;

static const leat_param params[] = {
    {"function", LEAT_PARAM_FUNCTION, false, offsetof(assign_self, function), LEAT_ROLE_TIMESTAMP},
    {"generator", LEAT_PARAM_FUNCTION, false, offsetof(assign_self, generator),
     LEAT_ROLE_WATERMARK},
    {"bound_ms", LEAT_PARAM_INT, false, offsetof(assign_self, bound_ms), LEAT_ROLE_NONE},
    {"idle_ms", LEAT_PARAM_INT, false, offsetof(assign_self, idle_ms), LEAT_ROLE_NONE},
    {"no_watermarks", LEAT_PARAM_INT, false, offsetof(assign_self, no_watermarks), LEAT_ROLE_NONE},
    {0},
};

static const char NAME[] = "highest";

/* --- the clock -------------------------------------------------------------------------------- */

static void arm(leat_context *ctx, assign_self *a) {
    if (a->armed || !a->period) return;
    a->armed = true;
    leat_context_wake_at(ctx, leat_context_now(ctx) + a->period);
}

static leat_status pass_on(leat_context *ctx, assign_self *a, leat_status status, int64_t said) {
    if (status < 0 || said <= a->said) return status < 0 ? status : LEAT_OK;
    a->said = said;
    return leat_context_forward_watermark(ctx, said);
}

static leat_status ask_generator(leat_context *ctx, assign_self *a) {
    const leat_watermark_generator *g = a->generator.call.watermark;
    int64_t said = a->said;
    leat_status status = LEAT_OK;
    if (g->on_periodic) status = g->on_periodic(ctx, &said, a->generator.arg);
    return pass_on(ctx, a, status, said);
}

static leat_status tell_generator(leat_context *ctx, assign_self *a, const leat_record *in) {
    const leat_watermark_generator *g = a->generator.call.watermark;
    int64_t said = a->said;
    leat_status status = LEAT_OK;
    if (g && g->on_event) status = g->on_event(ctx, in, &said, a->generator.arg);
    return pass_on(ctx, a, status, said);
}

static leat_status tell(leat_context *ctx, assign_self *a) {
    if (a->generator.call.watermark) return ask_generator(ctx, a);
    bool none = a->no_watermarks || a->highest < INT64_MIN + 2 + a->bound_ms;
    return none ? LEAT_OK : leat_context_forward_watermark(ctx, a->highest - a->bound_ms - 1);
}

static leat_status assign_open(leat_context *ctx, void *self) {
    assign_self *a = self;
    if (a->bound_ms < 0 || a->idle_ms < 0)
        return leat_context_fail(ctx, LEAT_E_ARGUMENT, "bound_ms and idle_ms must not be negative");
    const char *each = leat_context_config(ctx, "pipeline.watermark-per-record");
    a->per_record = each && strcmp(each, "true") == 0;
    a->interval =
        a->no_watermarks ? 0 : leat_context_config_ms(ctx, "pipeline.auto-watermark-interval", 200);
    a->period = a->interval && !a->per_record ? a->interval : a->idle_ms;
    a->highest = LEAT_NO_TIME;
    a->said = INT64_MIN;
    a->active_at = leat_context_now(ctx);
    if (a->idle_ms) arm(ctx, a);
    return LEAT_OK;
}

static leat_status assign_on_wake(leat_context *ctx, void *self, int64_t now) {
    assign_self *a = self;
    a->armed = false;
    if (a->fresh) {
        a->fresh = false;
        a->active_at = now;
    } else if (a->idle_ms && !a->idle && now - a->active_at >= a->idle_ms) {
        a->idle = true;
        leat_context_set_idle(ctx, true);
    }
    if (a->idle_ms && !a->idle) arm(ctx, a);
    return a->interval && !a->idle ? tell(ctx, a) : LEAT_OK;
}

/* --- records ---------------------------------------------------------------------------------- */

static leat_status assign_on_record(leat_context *ctx, void *self, unsigned input,
                                    const leat_record *in) {
    (void)input;
    assign_self *a = self;
    leat_record out;
    int64_t time = in->time;
    leat_status status = LEAT_OK;
    if (a->function.call.timestamp)
        status = a->function.call.timestamp(ctx, in, &time, a->function.arg);
    leat_record_init(&out, in->value, time); /* as late as can be: it was written a moment ago */
    if (status >= 0) status = leat_emit(ctx, &out);
    if (status >= 0) status = tell_generator(ctx, a, &out);
    if (status < 0) return status;
    if (out.time > a->highest) a->highest = out.time;
    a->fresh = true;
    if (a->idle) {
        a->idle = false;
        leat_context_set_idle(ctx, false);
    }
    arm(ctx, a);
    return a->per_record ? tell(ctx, a) : LEAT_OK;
}

static leat_status assign_on_watermark(leat_context *ctx, void *self, int64_t *watermark) {
    (void)ctx, (void)self;
    return *watermark == LEAT_MAX_TIME ? LEAT_OK : LEAT_AGAIN;
}

static leat_status assign_on_idle(leat_context *ctx, void *self, bool idle) {
    (void)ctx, (void)self, (void)idle;
    return LEAT_AGAIN;
}

/* --- snapshots -------------------------------------------------------------------------------- */

static leat_status assign_snapshot(leat_context *ctx, void *self, leat_snapshot *out) {
    (void)ctx;
    const assign_self *a = self;
    return leati_lowest_time_write(out, NAME, a->highest);
}

static leat_status assign_restore(leat_context *ctx, void *self, leat_snapshot *in) {
    assign_self *a = self;
    leat_status status = leati_lowest_time_read(in, NAME, &a->highest);
    if (status < 0) return status;
    a->fresh = a->highest != LEAT_NO_TIME;
    if (a->fresh) arm(ctx, a);
    return LEAT_OK;
}

const leat_operator leat_assign_timestamps_operator = {
    .size = sizeof(leat_operator),
    .name = "assign_timestamps",
    .flags = LEAT_OP_OBJECTS | LEAT_OP_SAME_TYPE,
    .inputs = 1,
    .self_size = sizeof(assign_self),
    .params = params,
    .on_record = assign_on_record,
    .open = assign_open,
    .on_watermark = assign_on_watermark,
    .on_idle = assign_on_idle,
    .snapshot = assign_snapshot,
    .restore = assign_restore,
    .on_wake = assign_on_wake,
};

leat_stream *leat_stream_assign_timestamps(leat_stream *s, leat_function timestamp,
                                           int64_t bound_ms) {
    leat_arg args[] = {leat_arg_function("function", &timestamp),
                       leat_arg_int("bound_ms", bound_ms)};
    return leat_graph_add(NULL, &leat_assign_timestamps_operator, args, 2, &s, 1);
}

leat_stream *leat_stream_generate_watermarks(leat_stream *s, leat_function timestamp,
                                             leat_function generator) {
    leat_arg args[] = {leat_arg_function("function", &timestamp),
                       leat_arg_function("generator", &generator)};
    return leat_graph_add(NULL, &leat_assign_timestamps_operator, args, 2, &s, 1);
}
