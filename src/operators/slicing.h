/* slicing.h: when slices and windows begin and end, for those files that keep windows in slices,
   window_slices.c and window_shares.c. */
#ifndef LEATI_SLICING_H
#define LEATI_SLICING_H

#include "operators/windowing.h"

static inline int64_t floor_mod(int64_t a, int64_t b) {
    int64_t rest = a % b;
    return rest < 0 ? rest + b : rest;
}

static inline int64_t slice_at(const leati_slicing *s, int64_t time) {
    int64_t from_zero = time - s->shift, i = from_zero / s->unit;
    return i - (i * s->unit > from_zero);
}

static inline int64_t start_of(const leati_slicing *s, int64_t i) {
    return i * s->unit + s->shift;
}

static inline int64_t last_window(const leati_slicing *s, int64_t time) {
    return time - floor_mod(time - s->offset, s->slide);
}

/* The start of the first window that has this time and is not before `least`, a start, too. */
static inline int64_t first_window(const leati_slicing *s, int64_t time, int64_t least) {
    if (least <= time && time - least < s->size) return least;
    int64_t last = last_window(s, time);
    int64_t first = last - (s->size - 1 - (time - last)) / s->slide * s->slide;
    return first > least ? first : least;
}

/* The start of the first window that has not fired; far back when none has. */
static inline int64_t first_open(leati_slicing *s, int64_t watermark) {
    if (watermark < INT64_MIN / 2) return INT64_MIN / 2;
    if (watermark != s->watermark) {
        s->watermark = watermark;
        s->open = last_window(s, watermark + 1 - s->size) + s->slide;
    }
    return s->open;
}

static inline leat_status set_timer(leat_context *ctx, const leati_slicing *s, int64_t start) {
    char buffer[LEATI_WINDOW_BYTES];
    leat_window window = leat_time_window(start, start + s->size);
    leat_timer timer = {LEAT_EVENT_TIME, window.max_timestamp, leati_window_write(&window, buffer)};
    return leat_timer_set(ctx, &timer);
}

/* The slice of a time that is not far from 0; `near_end` is when the last window with it ends. One
   element's is mostly that of the one before, and to see that takes no division. */
static inline int64_t slice_near(leati_slicing *s, int64_t time) {
    if (LEAT_UNLIKELY(time < s->near_start || time - s->near_start >= s->unit)) {
        s->near = slice_at(s, time);
        s->near_start = start_of(s, s->near);
        s->near_end = last_window(s, time) + s->size;
    }
    return s->near;
}

/* No window with this time, which is far from 0, ends later. */
static inline int64_t far_end(const leati_slicing *s, int64_t time) {
    int64_t end;
    return __builtin_add_overflow(time, s->size, &end) ? INT64_MAX : end;
}

#endif
