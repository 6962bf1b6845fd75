/* window_assign.c: the assigners of Leat's own, made by their names:

       tumbling_event_time SIZE [OFFSET]       sliding_event_time SIZE SLIDE [OFFSET]
       session_event_time [GAP]                the same with _processing_time, in milliseconds
       count_tumbling SIZE                     count_sliding SIZE SLIDE
       global

   A session assigner without a gap asks the operator's gap function. Windows of counts hold exactly
   SIZE elements of a key: element n, counted from 0, is in all windows w with
   w * SLIDE <= n < w * SLIDE + SIZE. */
#include "operators/windowing.h"

#include <stdio.h>
#include <stdlib.h>

typedef struct assigner {
    leat_assigner calls;
    int64_t size, slide, offset; /* `size` of a session: its gap; 0: ask `gap` */
    leat_function gap;
    leat_state *counter; /* of count windows: the number of the key's next element */
    char trigger[48];    /* the default trigger's name */
} assigner;

/* --- windows of time -------------------------------------------------------------------------- */

static leat_status time_of(leat_context *ctx, const assigner *a, const leat_record *in,
                           int64_t *time) {
    *time = a->calls.event_time ? in->time : leat_context_now(ctx);
    if (*time != LEAT_NO_TIME) return LEAT_OK;
    return leat_context_fail(ctx, LEAT_E_TYPE,
                             "a record without event time came to windows of event time. Is the "
                             "time characteristic set to 'ProcessingTime', or did you forget to "
                             "call assign_timestamps_and_watermarks?");
}

/* The start of the last window that begins at or before `time`, which is not the lowest. */
static bool last_start(const assigner *a, int64_t time, int64_t *start) {
    int64_t rest = (time % a->slide - a->offset) % a->slide;
    return !__builtin_sub_overflow(time, rest < 0 ? rest + a->slide : rest, start);
}

static leat_status out_of_range(leat_context *ctx, int64_t time) {
    return leat_context_fail(ctx, LEAT_E_RANGE, "the windows of time %lld are beyond 64 bits",
                             (long long)time);
}

/* Tumbling windows are sliding ones whose slide is their size. */
static leat_status assign_by_time(leat_context *ctx, const leat_record *in, leat_windows *out,
                                  void *self) {
    const assigner *a = self;
    int64_t time, start, end;
    leat_status status = time_of(ctx, a, in, &time);
    if (status < 0) return status;
    if (!last_start(a, time, &start)) return out_of_range(ctx, time);
    while (status >= 0) {
        if (__builtin_add_overflow(start, a->size, &end)) return out_of_range(ctx, time);
        if (end <= time) return LEAT_OK;
        leat_window w = leat_time_window(start, end);
        status = leat_windows_add(out, &w);
        if (__builtin_sub_overflow(start, a->slide, &start)) return out_of_range(ctx, time);
    }
    return status;
}

/* --- sessions --------------------------------------------------------------------------------- */

static leat_status gap_of(leat_context *ctx, const assigner *a, const leat_record *in,
                          int64_t *gap) {
    *gap = a->size;
    if (a->size) return LEAT_OK;
    if (!a->gap.call.gap)
        return leat_context_fail(ctx, LEAT_E_ARGUMENT, "the session windows have no gap");
    leat_status status = a->gap.call.gap(ctx, in, gap, a->gap.arg);
    if (status < 0 || *gap > 0) return status;
    return leat_context_fail(ctx, LEAT_E_RANGE,
                             "Dynamic session time gap must satisfy 0 < gap; it is %lld",
                             (long long)*gap);
}

static leat_status assign_session(leat_context *ctx, const leat_record *in, leat_windows *out,
                                  void *self) {
    const assigner *a = self;
    int64_t time, gap, end;
    leat_status status = time_of(ctx, a, in, &time);
    if (status >= 0) status = gap_of(ctx, a, in, &gap);
    if (status < 0) return status;
    if (__builtin_add_overflow(time, gap, &end)) return out_of_range(ctx, time);
    leat_window w = leat_time_window(time, end);
    return leat_windows_add(out, &w);
}

static int by_start(const void *a, const void *b) {
    const leat_window *x = a, *y = b;
    if (x->start != y->start) return x->start < y->start ? -1 : 1;
    return (x->end > y->end) - (x->end < y->end);
}

/* Windows that overlap or touch become one. */
static leat_status merge_sessions(leat_context *ctx, const leat_window *windows, size_t count,
                                  leat_merges *out, void *self) {
    (void)self;
    leat_window *sorted = leat_context_alloc(ctx, count * sizeof *sorted);
    if (!sorted) return LEAT_E_NOMEM;
    memcpy(sorted, windows, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, by_start);
    leat_status status = LEAT_OK;
    for (size_t first = 0, next; first < count && status >= 0; first = next) {
        leat_window all = sorted[first];
        for (next = first + 1; next < count && sorted[next].start <= all.end; next++)
            if (sorted[next].end > all.end) all = leat_time_window(all.start, sorted[next].end);
        if (next - first > 1) status = leat_merges_add(out, &sorted[first], next - first, &all);
    }
    return status;
}

/* --- windows of counts, and the one of all ---------------------------------------------------- */

static leat_status open_counter(leat_context *ctx, void *arg, void **self) {
    assigner *a = arg;
    leat_error err;
    *self = a;
    leat_status status =
        leat_context_state(ctx, "count window assigner", LEAT_VALUE_STATE, NULL, &a->counter, &err);
    return status < 0 ? leat_context_fail(ctx, status, "%s", err.text) : status;
}

static leat_status assign_by_count(leat_context *ctx, const leat_record *in, leat_windows *out,
                                   void *self) {
    (void)in;
    const assigner *a = self;
    const leat_namespace everywhere = {NULL, 0};
    leat_value number = leat_int(0);
    leat_status status = leat_state_get(ctx, a->counter, everywhere, &number);
    if (status < 0) return status;
    int64_t n = number.as.i;
    leat_value next = leat_int(n + 1);
    status = leat_state_put(ctx, a->counter, everywhere, &next);
    int64_t first = n < a->size ? 0 : (n - a->size) / a->slide + 1;
    for (int64_t w = first; w <= n / a->slide && status >= 0; w++) {
        leat_window window = leat_count_window(w);
        status = leat_windows_add(out, &window);
    }
    return status;
}

static leat_status assign_global(leat_context *ctx, const leat_record *in, leat_windows *out,
                                 void *self) {
    (void)ctx, (void)in, (void)self;
    leat_window w = leat_global_window();
    return leat_windows_add(out, &w);
}

/* --- making them ------------------------------------------------------------------------------ */

static assigner *assigner_new(leat_function *f, const char *trigger, bool event_time) {
    assigner *a = leati_builtin_self(f, sizeof *a);
    if (!a) return NULL;
    a->calls.size = sizeof a->calls;
    a->calls.event_time = event_time;
    strcpy(a->trigger, trigger);
    a->calls.default_trigger = a->trigger;
    f->call.assigner = &a->calls;
    return a;
}

static leat_status make_by_time(const leati_builtin_spec *spec, leat_function *f, leat_error *err,
                                bool sliding, bool event_time) {
    int64_t size = spec->numbers[0], slide = sliding ? spec->numbers[1] : size;
    int64_t offset = spec->numbers[sliding ? 2 : 1];
    if (size <= 0 || slide <= 0 || slide > INT64_MAX / 4)
        return leati_builtin_refuse(spec, err, "windows need a size and a slide above 0");
    if (offset <= -slide || offset >= slide)
        return leati_builtin_refuse(spec, err,
                                    sliding ? "it must satisfy abs(offset) < slide"
                                            : "it must satisfy abs(offset) < size");
    assigner *a = assigner_new(f, event_time ? "event_time" : "processing_time", event_time);
    if (!a) return LEAT_E_NOMEM;
    a->calls.assign = assign_by_time;
    a->size = size;
    a->slide = slide;
    a->offset = offset;
    return LEAT_OK;
}

static leat_status make_session(const leati_builtin_spec *spec, leat_function *f, leat_error *err,
                                bool event_time) {
    if (spec->count && spec->numbers[0] <= 0)
        return leati_builtin_refuse(spec, err, "a session needs a gap above 0");
    assigner *a = assigner_new(f, event_time ? "event_time" : "processing_time", event_time);
    if (!a) return LEAT_E_NOMEM;
    a->calls.assign = assign_session;
    a->calls.merge = merge_sessions;
    a->size = spec->numbers[0];
    return LEAT_OK;
}

/* A window that fired gets no further element, so the default trigger purges it. */
static leat_status make_by_count(const leati_builtin_spec *spec, leat_function *f, leat_error *err,
                                 bool sliding) {
    int64_t size = spec->numbers[0], slide = sliding ? spec->numbers[1] : size;
    if (size <= 0 || slide <= 0)
        return leati_builtin_refuse(spec, err, "windows need a size and a slide above 0");
    assigner *a = assigner_new(f, "", false);
    if (!a) return LEAT_E_NOMEM;
    snprintf(a->trigger, sizeof a->trigger, "count %lld 1", (long long)size);
    a->calls.assign = assign_by_count;
    f->open = open_counter;
    a->size = size;
    a->slide = slide;
    return LEAT_OK;
}

#define TIME_MAKER(name, sliding, event_time)                                        \
    static leat_status make_##name(const leati_builtin_spec *spec, leat_function *f, \
                                   leat_error *err) {                                \
        return make_by_time(spec, f, err, sliding, event_time);                      \
    }
TIME_MAKER(tumbling_event, false, true)
TIME_MAKER(tumbling_processing, false, false)
TIME_MAKER(sliding_event, true, true)
TIME_MAKER(sliding_processing, true, false)

static leat_status make_event_session(const leati_builtin_spec *spec, leat_function *f,
                                      leat_error *err) {
    return make_session(spec, f, err, true);
}

static leat_status make_processing_session(const leati_builtin_spec *spec, leat_function *f,
                                           leat_error *err) {
    return make_session(spec, f, err, false);
}

static leat_status make_count_tumbling(const leati_builtin_spec *spec, leat_function *f,
                                       leat_error *err) {
    return make_by_count(spec, f, err, false);
}

static leat_status make_count_sliding(const leati_builtin_spec *spec, leat_function *f,
                                      leat_error *err) {
    return make_by_count(spec, f, err, true);
}

static leat_status make_global(const leati_builtin_spec *spec, leat_function *f, leat_error *err) {
    (void)spec, (void)err;
    assigner *a = assigner_new(f, "never", false);
    if (!a) return LEAT_E_NOMEM;
    a->calls.assign = assign_global;
    return LEAT_OK;
}

const leati_builtin leati_assigner_builtins[] = {
    {"tumbling_event_time", LEAT_ROLE_ASSIGNER, 1, 2, make_tumbling_event},
    {"tumbling_processing_time", LEAT_ROLE_ASSIGNER, 1, 2, make_tumbling_processing},
    {"sliding_event_time", LEAT_ROLE_ASSIGNER, 2, 3, make_sliding_event},
    {"sliding_processing_time", LEAT_ROLE_ASSIGNER, 2, 3, make_sliding_processing},
    {"session_event_time", LEAT_ROLE_ASSIGNER, 0, 1, make_event_session},
    {"session_processing_time", LEAT_ROLE_ASSIGNER, 0, 1, make_processing_session},
    {"count_tumbling", LEAT_ROLE_ASSIGNER, 1, 1, make_count_tumbling},
    {"count_sliding", LEAT_ROLE_ASSIGNER, 2, 2, make_count_sliding},
    {"global", LEAT_ROLE_ASSIGNER, 0, 0, make_global},
    {0},
};

bool leati_assigner_bind(const leat_function *f, const leat_function *gap) {
    if (!f->call.assigner) return true;
    bool asks = f->call.assigner->assign == assign_session && !((assigner *)f->arg)->size;
    if (asks) ((assigner *)f->arg)->gap = *gap;
    return asks == (gap->role != LEAT_ROLE_NONE);
}

bool leati_assigner_is_session(const leat_function *f) {
    return f->call.assigner->merge == merge_sessions;
}

bool leati_assigner_slides(const leat_function *f, int64_t *size, int64_t *slide, int64_t *offset) {
    if (f->call.assigner->assign != assign_by_time) return false;
    const assigner *a = f->arg;
    *size = a->size;
    *slide = a->slide;
    *offset = a->offset;
    return true;
}
