/* evict.c: the evictors of Leat's own, made by their names; each works before the window function,
   or after it when the last number is 1:

       count N [1]              keeps the last N elements
       time MS [1]              keeps those less than MS behind the latest one
       delta THRESHOLD [1]      keeps those whose delta to the last element is below the threshold

   Elements without event time are never too old. The delta is the operator's delta function. */
#include "operators/windowing.h"

#include <locale.h>
#include <stdlib.h>

typedef leat_status (*evict_call)(leat_context *ctx, const leat_window *w,
                                  const leat_value *elements, size_t count, bool *keep, void *self);

typedef struct evictor {
    leat_evictor calls;
    int64_t n; /* elements, or milliseconds */
    double threshold;
    leat_function delta;
} evictor;

static int64_t time_at(const leat_value *elements, size_t i) {
    return elements[i].as.items[0].as.i;
}

static leat_status evict_by_count(leat_context *ctx, const leat_window *w,
                                  const leat_value *elements, size_t count, bool *keep,
                                  void *self) {
    (void)ctx, (void)w, (void)elements;
    const evictor *e = self;
    for (size_t i = 0; i < count && (int64_t)(count - i) > e->n; i++) keep[i] = false;
    return LEAT_OK;
}

static leat_status evict_by_time(leat_context *ctx, const leat_window *w,
                                 const leat_value *elements, size_t count, bool *keep, void *self) {
    (void)ctx, (void)w;
    const evictor *e = self;
    int64_t latest = LEAT_NO_TIME, oldest;
    for (size_t i = 0; i < count; i++)
        if (time_at(elements, i) > latest) latest = time_at(elements, i);
    if (latest == LEAT_NO_TIME || __builtin_sub_overflow(latest, e->n, &oldest)) return LEAT_OK;
    for (size_t i = 0; i < count; i++)
        keep[i] = time_at(elements, i) > oldest || time_at(elements, i) == LEAT_NO_TIME;
    return LEAT_OK;
}

static leat_status evict_by_delta(leat_context *ctx, const leat_window *w,
                                  const leat_value *elements, size_t count, bool *keep,
                                  void *self) {
    (void)w;
    const evictor *e = self;
    leat_status status = LEAT_OK;
    if (!e->delta.call.delta)
        return leat_context_fail(ctx, LEAT_E_ARGUMENT, "the delta evictor has no delta function");
    for (size_t i = 0; i < count && status >= 0; i++) {
        double delta = 0;
        status = e->delta.call.delta(ctx, &elements[i].as.items[1],
                                     &elements[count - 1].as.items[1], &delta, e->delta.arg);
        keep[i] = !(delta >= e->threshold);
    }
    return status;
}

static evictor *evictor_new(leat_function *f, evict_call call, bool after) {
    evictor *e = leati_builtin_self(f, sizeof *e);
    if (!e) return NULL;
    e->calls.size = sizeof e->calls;
    if (after)
        e->calls.after = call;
    else
        e->calls.before = call;
    f->call.evictor = &e->calls;
    return e;
}

static leat_status make_by_number(const leati_builtin_spec *spec, leat_function *f, leat_error *err,
                                  evict_call call) {
    if (spec->numbers[0] < 0)
        return leati_builtin_refuse(spec, err, "the evictor needs a number that is not below 0");
    evictor *e = evictor_new(f, call, spec->numbers[1] != 0);
    if (!e) return LEAT_E_NOMEM;
    e->n = spec->numbers[0];
    return LEAT_OK;
}

static leat_status make_count(const leati_builtin_spec *spec, leat_function *f, leat_error *err) {
    return make_by_number(spec, f, err, evict_by_count);
}

static leat_status make_time(const leati_builtin_spec *spec, leat_function *f, leat_error *err) {
    return make_by_number(spec, f, err, evict_by_time);
}

/* A point is a point, whatever the host's locale says. */
static double read_double(const char *text, char **end) {
    locale_t plain = newlocale(LC_NUMERIC_MASK, "C", (locale_t)0);
    locale_t before = plain ? uselocale(plain) : (locale_t)0;
    double d = strtod(text, end);
    if (plain) {
        uselocale(before);
        freelocale(plain);
    }
    return d;
}

static leat_status make_delta(const leati_builtin_spec *spec, leat_function *f, leat_error *err) {
    char *end;
    double threshold = read_double(spec->rest, &end);
    bool after = strcmp(end, " 1") == 0;
    if (end == spec->rest || (*end && !after && strcmp(end, " 0") != 0))
        return leati_builtin_refuse(spec, err, "delta takes a threshold behind its name, and 1");
    evictor *e = evictor_new(f, evict_by_delta, after);
    if (!e) return LEAT_E_NOMEM;
    e->threshold = threshold;
    return LEAT_OK;
}

const leati_builtin leati_evictor_builtins[] = {
    {"count", LEAT_ROLE_EVICTOR, 1, 2, make_count},
    {"time", LEAT_ROLE_EVICTOR, 1, 2, make_time},
    {"delta", LEAT_ROLE_EVICTOR, 0, LEATI_BUILTIN_TEXT, make_delta},
    {0},
};

bool leati_evictor_bind(const leat_function *f, const leat_function *delta) {
    const leat_evictor *calls = f->call.evictor;
    if (!calls && f->role != LEAT_ROLE_NONE) return true;
    bool asks = calls && (calls->before == evict_by_delta || calls->after == evict_by_delta);
    if (asks) ((evictor *)f->arg)->delta = *delta;
    return asks == (delta->role != LEAT_ROLE_NONE);
}
