/* golden.c: golden jobs in C, as golden.py has them in Python: small, slow on purpose, and with
   results that no parallelism or speed can change.

   golden [-s latest] [-D KEY=VALUE]... JOB ROOT PARALLELISM roll|grow

   Their lines are in files of ROOT/out. Where the input ends, ROOT/end is made. */
#include "../counted_writer.h"

#include <leat.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { RECORDS = 600, STEP_US = 250 };

static char end_path[520];

/* --- the source ------------------------------------------------------------------------------- */

static leat_status slow(leat_context *ctx, const leat_record *in, leat_value *out, void *arg) {
    (void)ctx, (void)arg;
    usleep(STEP_US);
    if (in->value.as.i == RECORDS) close(open(end_path, O_WRONLY | O_CREAT, 0600));
    *out = in->value;
    return LEAT_OK;
}

/* One subtask, whatever the job has. */
static leat_stream *numbers(leat_env *env) {
    leat_stream *all = leat_stream_parallelism(leat_env_sequence(env, 1, RECORDS), 1);
    return leat_stream_parallelism(leat_stream_map(all, leat_map_fn(slow, NULL)), 1);
}

/* --- words: counts by word -------------------------------------------------------------------- */

static const char *const WORDS[] = {"the", "leat", "leads", "a", "stream", "to", "the", "mill"};

static leat_status split(leat_context *ctx, const leat_record *in, leat_emitter *out, void *arg) {
    (void)ctx, (void)arg;
    leat_status status = LEAT_OK;
    for (int64_t i = in->value.as.i; i < in->value.as.i + 3 && status >= 0; i++) {
        leat_value pair[] = {leat_string(WORDS[i * 5 % 8]), leat_int(1)};
        leat_value v = leat_tuple(pair, 2);
        status = leat_emitter_push(out, &v);
    }
    return status;
}

static leat_stream *words(leat_env *env) {
    leat_stream *all = leat_stream_flat_map(numbers(env), leat_flat_map_fn(split, NULL));
    return leat_stream_sum(leat_stream_key_by(all, leat_field(0)), 1);
}

/* --- sessions: of seven keys, with records that come late ------------------------------------- */

static leat_status reading(leat_context *ctx, const leat_record *in, leat_value *out, void *arg) {
    (void)arg;
    int64_t i = in->value.as.i;
    leat_value *pair = leat_context_alloc(ctx, 2 * sizeof *pair);
    if (!pair) return LEAT_E_NOMEM;
    bool late = i % 97 == 0;
    pair[0] = leat_int(i * 5 % 7);
    pair[1] = leat_int(late ? i * 4 : i * 10 + i / 60 * 40);
    *out = leat_tuple(pair, 2);
    return LEAT_OK;
}

static leat_status time_of(leat_context *ctx, const leat_record *in, int64_t *time, void *arg) {
    (void)ctx, (void)arg;
    *time = in->value.as.items[1].as.i;
    return LEAT_OK;
}

static leat_status tell(leat_context *ctx, const leat_window *window, const leat_value *elements,
                        size_t count, leat_emitter *out, void *self) {
    (void)count, (void)self;
    leat_value told[] = {*leat_context_key(ctx), leat_int(window->start), leat_int(window->end),
                         elements[0]};
    leat_value v = leat_tuple(told, 4);
    return leat_emitter_push(out, &v);
}

static leat_stream *sessions(leat_env *env) {
    static const leat_window_function calls = {.size = sizeof calls, .process = tell};
    leat_stream *all = leat_stream_map(numbers(env), leat_map_fn(reading, NULL));
    all = leat_stream_parallelism(all, 1);
    all = leat_stream_assign_timestamps(all, leat_timestamp_fn(time_of, NULL), 20);
    all = leat_stream_key_by(leat_stream_parallelism(all, 1), leat_field(0));
    leat_window_spec spec = leat_window_spec_of(leat_builtin("session_event_time 75"));
    spec.allowed_lateness_ms = 200;
    spec.late_tag = "late";
    leat_function teller = leat_window_fn(&calls, NULL), count = leat_builtin("count");
    leat_stream *told = leat_stream_window_aggregate(all, &spec, count, &teller);
    return leat_stream_union(told, leat_stream_side_output(told, "late"));
}

/* --- loop: steps to 1, halved or tripled plus one --------------------------------------------- */

static leat_status depart(leat_context *ctx, const leat_record *in, leat_value *out, void *arg) {
    (void)arg;
    leat_value *way = leat_context_alloc(ctx, 3 * sizeof *way);
    if (!way) return LEAT_E_NOMEM;
    way[0] = way[1] = in->value;
    way[2] = leat_int(0);
    *out = leat_tuple(way, 3);
    return LEAT_OK;
}

static leat_status step(leat_context *ctx, const leat_record *in, leat_value *out, void *arg) {
    (void)arg;
    const leat_value *at = in->value.as.items;
    leat_value *way = leat_context_alloc(ctx, 3 * sizeof *way);
    if (!way) return LEAT_E_NOMEM;
    int64_t n = at[1].as.i;
    way[0] = at[0];
    way[1] = leat_int(n % 2 ? 3 * n + 1 : n / 2);
    way[2] = leat_int(at[2].as.i + 1);
    *out = leat_tuple(way, 3);
    return LEAT_OK;
}

static leat_status goes_on(leat_context *ctx, const leat_record *in, bool *keep, void *arg) {
    (void)ctx, (void)arg;
    const leat_value *at = in->value.as.items;
    *keep = at[1].as.i > 1 && at[2].as.i < 15;
    return LEAT_OK;
}

static leat_stream *loop(leat_env *env) {
    leat_stream *ways = leat_stream_map(numbers(env), leat_map_fn(depart, NULL));
    leat_stream *head = leat_stream_iterate(leat_stream_rebalance(ways), 0);
    leat_stream *stepped = leat_stream_map(head, leat_map_fn(step, NULL));
    leat_stream *back = leat_stream_filter(stepped, leat_filter_fn(goes_on, NULL));
    leat_iteration_close(head, leat_stream_rebalance(back));
    return stepped;
}

/* --- files: lines of three files, by as many readers as the job has subtasks ------------------ */

static leat_status slow_line(leat_context *ctx, const leat_record *in, leat_value *out, void *arg) {
    (void)ctx, (void)arg;
    const leat_value *v = &in->value;
    usleep(STEP_US);
    if (v->size == 4 && memcmp(v->as.bytes, "2 79", 4) == 0)
        close(open(end_path, O_WRONLY | O_CREAT, 0600));
    *out = *v;
    return LEAT_OK;
}

static leat_stream *files(leat_env *env, const char *root) {
    char path[520];
    snprintf(path, sizeof path, "%s/in", root);
    return leat_stream_map(leat_env_read_text_file(env, path), leat_map_fn(slow_line, NULL));
}

/* --- the whole -------------------------------------------------------------------------------- */

static leat_stream *job_of(leat_env *env, const char *name, const char *root) {
    if (strcmp(name, "words") == 0) return words(env);
    if (strcmp(name, "sessions") == 0) return sessions(env);
    if (strcmp(name, "loop") == 0) return loop(env);
    if (strcmp(name, "bulk") == 0) return leat_stream_rebalance(numbers(env));
    return strcmp(name, "files") == 0 ? files(env, root) : NULL;
}

static int fail(const leat_error *err) {
    fprintf(stderr, "leat: %s: %s\n", err->where, err->text);
    return err->status == LEAT_E_RESTORE ? 3 : 1;
}

/* -s latest, -D KEY=VALUE. */
static leat_status configure(leat_env *env, int count, char **options, leat_error *err) {
    leat_status status = LEAT_OK;
    for (int i = 0; i + 1 < count && status >= 0; i += 2) {
        char *value = strchr(options[i + 1], '=');
        bool start = strcmp(options[i], "-s") == 0;
        if (value) *value++ = 0;
        const char *key = start ? "execution.state-recovery.path" : options[i + 1];
        status = leat_env_set(env, key, start ? options[i + 1] : value, err);
    }
    return status;
}

static leat_status run(leat_env *env, char **what, leat_error *err) {
    char out[520];
    snprintf(end_path, sizeof end_path, "%s/end", what[1]);
    snprintf(out, sizeof out, "%s/out", what[1]);
    leat_file_options options = leat_file_options_defaults();
    options.part_size = 500;
    options.roll_on_checkpoint = strcmp(what[3], "roll") == 0;
    leat_status status = leat_env_set(env, "parallelism.default", what[2], err);
    if (status < 0) return status;
    leat_stream *lines = job_of(env, what[0], what[1]);
    if (strcmp(what[0], "bulk") == 0)
        leat_stream_write_bulk(lines, out, counted_writer(), &options);
    else
        leat_stream_write_files(lines, out, &options);
    return leat_env_execute(env, "golden", err);
}

int main(int argc, char **argv) {
    leat_error err = {.text = ""};
    if (argc < 5) return 2;
    leat_env *env = leat_env_new(NULL, &err);
    leat_status status = env ? LEAT_OK : err.status;
    if (status >= 0) status = configure(env, argc - 5, argv + 1, &err);
    if (status >= 0) status = run(env, argv + argc - 4, &err);
    leat_env_free(env);
    return status < 0 ? fail(&err) : 0;
}
