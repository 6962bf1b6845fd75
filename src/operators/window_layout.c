/* window_layout.c: what the state of the window operator depends on, written beside it: a job that
   is restored with another trigger, lateness, kind of contents or with other slices would find
   nothing of what was kept, or take it for something else, and nobody would see it. So it is
   refused. */
#include "operators/windowing.h"

#include <stdio.h>
#include <string.h>

enum { LONGEST = 400 };

static bool is_builtin(const leat_function *f) {
    return f->spec && f->language && strcmp(f->language, LEAT_BUILTIN) == 0;
}

/* Functions of users have no name that says what they do. */
static void write_function(const leat_function *f, char *text, size_t size) {
    int most = f->spec_size < 200 ? (int)f->spec_size : 200;
    if (is_builtin(f))
        snprintf(text, size, "%.*s", most, (const char *)f->spec);
    else
        snprintf(text, size, "one of the user's");
}

static void write_trigger(const leati_windowing *w, char text[LONGEST]) {
    char name[LONGEST / 2];
    write_function(&w->trigger, name, sizeof name);
    if (w->default_trigger) snprintf(name, sizeof name, "%s", w->assigns->default_trigger);
    snprintf(text, LONGEST, "%s%s", name, w->purging ? ", purging" : "");
}

/* A function of a user's has at least the name of its class. */
static void write_trigger_class(const leati_windowing *w, char text[LONGEST]) {
    bool named = !w->default_trigger && !is_builtin(&w->trigger) && w->trigger.name;
    snprintf(text, LONGEST, "%s", named ? w->trigger.name : "");
}

static void write_lateness(const leati_windowing *w, char text[LONGEST]) {
    snprintf(text, LONGEST, "%lld ms", (long long)w->lateness);
}

static void write_contents(const leati_windowing *w, char text[LONGEST]) {
    const leat_function *f = w->reduce.call.reduce         ? &w->reduce
                             : w->aggregate.call.aggregate ? &w->aggregate
                                                           : NULL;
    const char *kind = w->evictor.call.evictor || !f ? "all elements"
                       : f == &w->reduce             ? "reduced"
                                                     : "aggregated";
    snprintf(text, LONGEST, "%s%s", kind, w->assigns->merge ? ", in windows that merge" : "");
}

static void write_slices(const leati_windowing *w, char text[LONGEST]) {
    const leati_slicing *s = &w->slicing;
    const leat_function *f = w->reduce.call.reduce ? &w->reduce : &w->aggregate;
    char name[LONGEST / 2];
    write_function(f, name, sizeof name);
    if (!s->on)
        snprintf(text, LONGEST, "none");
    else
        snprintf(text, LONGEST, "%s of windows of %lld ms every %lld ms from %lld ms on",
                 s->merges ? "those of a mergeable aggregate" : name, (long long)s->size,
                 (long long)s->slide, (long long)s->offset);
}

static const struct trait {
    const char *name, *words;
    void (*write)(const leati_windowing *w, char text[LONGEST]);
} traits[] = {
    {"layout.trigger", "trigger", write_trigger},
    {"layout.trigger.class", "trigger's class", write_trigger_class},
    {"layout.lateness", "allowed lateness", write_lateness},
    {"layout.contents", "contents", write_contents},
    {"layout.slices", "slices", write_slices},
};
enum { TRAITS = sizeof traits / sizeof *traits };

leat_status leati_layout_write(leati_windowing *w, leat_snapshot *out) {
    leat_status status = LEAT_OK;
    for (size_t i = 0; i < TRAITS && status >= 0; i++) {
        char text[LONGEST];
        traits[i].write(w, text);
        status = leat_snapshot_write(out, traits[i].name, LEAT_UNION_LIST, text, strlen(text));
    }
    return status;
}

static leat_status compare(leat_context *ctx, const leati_windowing *w, const struct trait *t,
                           leat_snapshot *in) {
    char now[LONGEST];
    leat_status status;
    t->write(w, now);
    for (size_t i = 0;; i++) {
        const void *then;
        size_t size;
        status = leat_snapshot_read(in, t->name, i, &then, &size);
        if (status != LEAT_OK) return status < 0 ? status : LEAT_OK;
        if (size == strlen(now) && memcmp(then, now, size) == 0) continue;
        return leat_context_fail(ctx, LEAT_E_STATE,
                                 "the %s of its windows changed: '%.*s' when the snapshot was "
                                 "made, '%s' now; set it back, or give the operator another uid",
                                 t->words, (int)size, (const char *)then, now);
    }
}

leat_status leati_layout_compare(leat_context *ctx, const leati_windowing *w, leat_snapshot *in) {
    leat_status status = LEAT_OK;
    for (size_t i = 0; i < TRAITS && status >= 0; i++) status = compare(ctx, w, &traits[i], in);
    return status;
}
