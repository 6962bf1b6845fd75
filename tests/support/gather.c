/* gather.c: see gather.h. */
#include "gather.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void gathered_init(gathered *g) {
    memset(g, 0, sizeof *g);
    pthread_mutex_init(&g->lock, NULL);
    pthread_cond_init(&g->changed, NULL);
}

void gathered_fini(gathered *g) {
    for (int i = 0; i < g->count; i++) free(g->lines[i]);
    pthread_cond_destroy(&g->changed);
    pthread_mutex_destroy(&g->lock);
}

static leat_status gather(leat_context *ctx, const leat_record *in, void *arg) {
    gathered *g = arg;
    char line[300];
    size_t size = leat_value_format(&in->value, line, 256);
    if (size > 255) size = 255;
    if (in->time != LEAT_NO_TIME)
        snprintf(line + size, sizeof line - size, "@%lld", (long long)in->time);
    pthread_mutex_lock(&g->lock);
    bool room = g->count < MOST_LINES;
    if (room) g->lines[g->count++] = strdup(line);
    pthread_cond_broadcast(&g->changed);
    pthread_mutex_unlock(&g->lock);
    return room ? LEAT_OK : leat_context_fail(ctx, LEAT_E_RANGE, "too many lines");
}

leat_function gathered_sink(gathered *g) {
    return leat_sink_fn(gather, g);
}

void gathered_await(gathered *g, int count) {
    pthread_mutex_lock(&g->lock);
    while (g->count < count) pthread_cond_wait(&g->changed, &g->lock);
    pthread_mutex_unlock(&g->lock);
}

static int by_text(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void gathered_sort(gathered *g) {
    qsort(g->lines, (size_t)g->count, sizeof *g->lines, by_text);
}

const char *gathered_text(gathered *g) {
    static char text[1 << 16];
    size_t at = 0;
    text[0] = 0;
    for (int i = 0; i < g->count; i++) {
        at += (size_t)snprintf(text + at, sizeof text - at, "%s%s", i ? " " : "", g->lines[i]);
        assert_true(at < sizeof text);
    }
    return text;
}

leat_env *env_of(int parallelism, int capacity) {
    char p[16], c[16];
    snprintf(p, sizeof p, "%d", parallelism);
    snprintf(c, sizeof c, "%d", capacity);
    const char *settings[] = {"parallelism.default", p, "pipeline.channel.capacity", c, NULL};
    leat_options options = leat_options_defaults();
    options.settings = settings;
    leat_error err = {.text = ""};
    leat_env *env = leat_env_new(&options, &err);
    if (!env) fail_msg("%s: %s", err.where, err.text);
    return env;
}

void env_run(leat_env *env) {
    leat_error err = {.text = ""};
    if (leat_env_execute(env, "test", &err) < 0) fail_msg("%s: %s", err.where, err.text);
}
