/* window_verbs.c: the verbs of stream.h that add a window operator: they fill in its parameters. */
#include "leat/operators.h"
#include "leat/stream.h"

#include <stdio.h>

enum { MOST_ARGS = 11 };

/* Arguments point into the copy of the spec. */
typedef struct arg_list {
    leat_window_spec spec;
    leat_arg items[MOST_ARGS];
    size_t count;
} arg_list;

/* A function that was not filled in plays no role and is in no language. */
static void add_function(arg_list *args, const char *name, const leat_function *f) {
    if (f && (f->role != LEAT_ROLE_NONE || f->language))
        args->items[args->count++] = leat_arg_function(name, f);
}

static void add_spec(arg_list *args, const leat_window_spec *given) {
    leat_window_spec *spec = &args->spec;
    *spec = leat_window_spec_of(leat_function_of(LEAT_ROLE_NONE, NULL));
    if (given) memcpy(spec, given, given->size < sizeof *spec ? given->size : sizeof *spec);
    add_function(args, "assigner", &spec->assigner);
    add_function(args, "gap", &spec->gap);
    add_function(args, "trigger", &spec->trigger);
    add_function(args, "evictor", &spec->evictor);
    add_function(args, "delta", &spec->delta);
    if (spec->purging) args->items[args->count++] = leat_arg_int("purging", 1);
    args->items[args->count++] = leat_arg_int("lateness", spec->allowed_lateness_ms);
    if (spec->late_tag) args->items[args->count++] = leat_arg_string("late_tag", spec->late_tag);
}

static leat_stream *add_window(leat_stream *s, const leat_window_spec *spec, const char *verb,
                               const leat_function *function, const leat_function *window) {
    arg_list args = {.count = 0};
    add_spec(&args, spec);
    if (verb) add_function(&args, verb, function);
    add_function(&args, "window", window);
    return leat_graph_add(NULL, &leat_window_operator, args.items, args.count, &s, 1);
}

static leat_stream *add_sides(leat_stream *a, leat_stream *b, const leat_operator *op,
                              const leat_window_spec *spec, const char *verb,
                              const leat_function *function) {
    arg_list args = {.count = 0};
    leat_stream *inputs[] = {a, b};
    add_spec(&args, spec);
    add_function(&args, verb, function);
    return leat_graph_add(NULL, op, args.items, args.count, inputs, 2);
}

leat_stream *leat_stream_window_join(leat_stream *a, leat_stream *b, const leat_window_spec *spec,
                                     leat_function join) {
    return add_sides(a, b, &leat_window_join_operator, spec, "join", &join);
}

leat_stream *leat_stream_window_co_group(leat_stream *a, leat_stream *b,
                                         const leat_window_spec *spec, leat_function co_group) {
    return add_sides(a, b, &leat_co_group_operator, spec, "co_group", &co_group);
}

leat_stream *leat_stream_window_reduce(leat_stream *s, const leat_window_spec *spec,
                                       leat_function reduce, const leat_function *window) {
    return add_window(s, spec, "reduce", &reduce, window);
}

leat_stream *leat_stream_window_aggregate(leat_stream *s, const leat_window_spec *spec,
                                          leat_function aggregate, const leat_function *window) {
    return add_window(s, spec, "aggregate", &aggregate, window);
}

leat_stream *leat_stream_window_process(leat_stream *s, const leat_window_spec *spec,
                                        leat_function window) {
    return add_window(s, spec, NULL, NULL, &window);
}

static leat_stream *add_fold(leat_stream *s, const leat_window_spec *spec, const char *noun,
                             int field) {
    char name[32];
    snprintf(name, sizeof name, "%s %d", noun, field);
    return leat_stream_window_reduce(s, spec, leat_builtin(name), NULL);
}

#define FOLD_VERB(noun)                                                                  \
    leat_stream *leat_stream_window_##noun(leat_stream *s, const leat_window_spec *spec, \
                                           int field) {                                  \
        return add_fold(s, spec, #noun, field);                                          \
    }
FOLD_VERB(sum)
FOLD_VERB(min)
FOLD_VERB(max)
FOLD_VERB(min_by)
FOLD_VERB(max_by)

leat_stream *leat_stream_window_count(leat_stream *s, const leat_window_spec *spec) {
    return leat_stream_window_aggregate(s, spec, leat_builtin("count"), NULL);
}
