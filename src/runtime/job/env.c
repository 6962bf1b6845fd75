/* env.c: the environment: configuration, the streams built so far, the jobs started. A job runs a
   copy of what is new since the last one, and of all that this reads, so streams stay usable while
   it runs and afterwards. */
#include "runtime/job/env.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "runtime/base/alloc.h"
#include "runtime/base/own_process.h"
#include "runtime/job/interpreter.h"
#include "runtime/job/job.h"
#include "runtime/job/plan.h"

/* --- blueprints ------------------------------------------------------------------------------- */

static void texts_free(char **texts) {
    for (size_t i = 0; texts && texts[i]; i++) leati_free(texts[i]);
    leati_free(texts);
}

void leati_blueprint_unref(leati_blueprint *b) {
    if (!b || atomic_fetch_sub(&b->refs, 1) != 1) return;
    leati_graph_fini(&b->graph);
    leati_config_free(b->config);
    leati_free(b->preamble);
    texts_free(b->worker_argv);
    texts_free(b->worker_envp);
    leati_free(b->fallback);
    leati_free(b);
}

static leati_blueprint *blueprint_new(leati_config *config) {
    leati_blueprint *b = leati_zalloc(sizeof *b);
    if (!b || !config) {
        leati_free(b);
        leati_config_free(config);
        return NULL;
    }
    atomic_init(&b->refs, 1);
    b->config = config;
    return b;
}

static char **texts_copy(const char *const *texts) {
    size_t count = 0;
    while (texts[count]) count++;
    char **copy = leati_zalloc((count + 1) * sizeof *copy);
    for (size_t i = 0; copy && i < count; i++)
        if (!(copy[i] = leati_strdup(texts[i]))) {
            texts_free(copy);
            return NULL;
        }
    return copy;
}

static bool copy_rest(const leati_blueprint *b, leati_blueprint *copy) {
    copy->host_dispatch = b->host_dispatch;
    copy->preamble_size = b->preamble_size;
    if (b->preamble_size) copy->preamble = leati_memdup(b->preamble, b->preamble_size);
    if (b->worker_argv) copy->worker_argv = texts_copy((const char *const *)b->worker_argv);
    if (b->worker_envp) copy->worker_envp = texts_copy((const char *const *)b->worker_envp);
    return (copy->preamble || !b->preamble_size) && (copy->worker_argv || !b->worker_argv) &&
           (copy->worker_envp || !b->worker_envp);
}

leati_blueprint *leati_blueprint_select(const leati_blueprint *b, leat_error *err) {
    leati_blueprint *copy = blueprint_new(leati_config_copy(b->config));
    bool ok = copy && leati_graph_select(&b->graph, &copy->graph) >= 0 && copy_rest(b, copy);
    if (ok && copy->graph.count) return copy;
    if (ok)
        leat_error_set(err, LEAT_E_STATE, "execute",
                       "there is nothing to run; add a source, and a sink at the end");
    else
        leat_error_set(err, LEAT_E_NOMEM, "execute", "no memory for the job");
    leati_blueprint_unref(copy);
    return NULL;
}

/* --- the environment -------------------------------------------------------------------------- */

/* LEAT_CONF and ./leat.yaml are the launcher's to read; a library reads LEAT_CONF only. */
static leat_status read_settings(leati_config *config, const leat_options *options,
                                 leat_error *err) {
    const char *file = getenv("LEAT_CONF");
    leat_status status = LEAT_OK;
    if (file && *file) status = leati_config_read_file(config, file, err);
    const char *const *s = options ? options->settings : NULL;
    for (; s && s[0] && status >= 0; s += 2) {
        if (!s[1]) return leat_error_set(err, LEAT_E_ARGUMENT, s[0], "the key has no value");
        status = leati_config_set(config, s[0], s[1], LEATI_CONFIG_PROGRAM, err);
    }
    return status;
}

leat_status leati_env_check(const leat_env *env, const char *where, leat_error *err) {
    if (!env) return leat_error_set(err, LEAT_E_ARGUMENT, where, "env is NULL");
    if (env->process == leati_process_number()) return LEAT_OK;
    return leat_error_set(err, LEAT_E_STATE, where,
                          "it belongs to the process that this one was forked from");
}

leat_env *leat_env_new(const leat_options *options, leat_error *err) {
    if (leati_process_check("leat_env_new", err) < 0) return NULL;
    leat_env *env = leati_zalloc(sizeof *env);
    leati_config *config = env ? leati_config_new() : NULL;
    leat_status status = config ? read_settings(config, options, err) : LEAT_E_NOMEM;
    if (!config) leat_error_set(err, status, "leat_env_new", "no memory");
    if (status >= 0) {
        env->blue = blueprint_new(config);
        if (!env->blue) status = leat_error_set(err, LEAT_E_NOMEM, "leat_env_new", "no memory");
        config = NULL;
    }
    if (status < 0) {
        leati_config_free(config);
        leati_free(env);
        return NULL;
    }
    env->process = leati_process_number();
    env->blue->host_dispatch = options && options->host_dispatch;
    leati_list_init(&env->streams);
    leati_list_init(&env->pushes);
    leati_list_init(&env->jobs);
    pthread_mutex_init(&env->lock, NULL);
    return env;
}

static void free_streams(leat_env *env) {
    leati_link *link;
    while ((link = leati_list_pop(&env->streams))) {
        leat_stream *s = LEATI_CONTAINER(link, leat_stream, link);
        leati_free(s->parts);
        leati_free(s);
    }
}

/* --- names of jobs ---------------------------------------------------------------------------- */

static bool has_name(const leat_env *env, const char *name) {
    for (size_t i = 0; i < env->name_count; i++)
        if (strcmp(env->names[i], name) == 0) return true;
    return false;
}

static bool add_name(leat_env *env, const char *name) {
    char **names = leati_resize(env->names, (env->name_count + 1) * sizeof *names);
    if (!names) return false;
    env->names = names;
    names[env->name_count] = leati_strdup(name);
    return names[env->name_count] && ++env->name_count;
}

char *leati_env_name_job(leat_env *env, const char *name) {
    if (!name) name = program_invocation_short_name;
    pthread_mutex_lock(&env->lock);
    char *own = leati_strdup(name);
    for (int n = 2; own && has_name(env, own); n++) {
        leati_free(own);
        own = leati_format("%s-%d", name, n);
    }
    bool added = own && add_name(env, own);
    pthread_mutex_unlock(&env->lock);
    if (added) return own;
    leati_free(own);
    return NULL;
}

void leati_env_free_name(leat_env *env, const char *name) {
    pthread_mutex_lock(&env->lock);
    for (size_t i = 0; name && i < env->name_count; i++) {
        if (strcmp(env->names[i], name) != 0) continue;
        leati_free(env->names[i]);
        env->names[i] = env->names[--env->name_count];
        break;
    }
    pthread_mutex_unlock(&env->lock);
}

static void free_names(leat_env *env) {
    for (size_t i = 0; i < env->name_count; i++) leati_free(env->names[i]);
    leati_free(env->names);
}

void leat_env_free(leat_env *env) {
    if (leati_env_check(env, "", NULL) < 0) return;
    leati_jobs_end(env);
    free_streams(env);
    free_names(env);
    leati_pushes_free(env);
    leati_blueprint_unref(env->blue);
    pthread_mutex_destroy(&env->lock);
    leati_free(env);
}

/* A stream that could not be made would be missing without a word: the env keeps that. */
leat_stream *leati_stream_new(leat_env *env, const leati_part *parts, size_t count) {
    leat_stream *s = leati_zalloc(sizeof *s);
    if (s && count) s->parts = leati_memdup(parts, count * sizeof *parts);
    if ((!s || (count && !s->parts)) && env->error.status == LEAT_OK)
        leat_error_set(&env->error, LEAT_E_NOMEM, "stream", "no memory");
    if (!s) return NULL;
    s->env = env;
    s->part_count = s->parts ? count : 0;
    leati_list_push(&env->streams, &s->link);
    return s;
}

leat_stream *leati_env_fail(leat_env *env, leat_status status, const char *where,
                            const char *format, ...) {
    char text[sizeof env->error.text];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    if (env->error.status == LEAT_OK) leat_error_set(&env->error, status, where, "%s", text);
    return leati_stream_new(env, NULL, 0);
}

leat_status leat_env_set(leat_env *env, const char *key, const char *value, leat_error *err) {
    leat_status status = leati_env_check(env, "leat_env_set", err);
    if (status < 0) return status;
    if (!key) return leat_error_set(err, LEAT_E_ARGUMENT, "leat_env_set", "key is NULL");
    if (!value) return leati_config_unset(env->blue->config, key, err);
    return leati_config_set(env->blue->config, key, value, LEATI_CONFIG_PROGRAM, err);
}

leat_status leati_env_take_error(leat_env *env, leat_error *err) {
    leat_status status = env->error.status;
    *err = env->error;
    env->error.status = LEAT_OK;
    return status;
}

const char *leat_env_get(const leat_env *env, const char *key) {
    return env && key ? leati_config_get(env->blue->config, key) : NULL;
}

/* --- what a bridge adds ----------------------------------------------------------------------- */

void leati_env_set_bridge(leat_env *env, const leati_bridge *bridge) {
    env->blue->graph.bridge = bridge;
}

leat_status leati_env_set_preamble(leat_env *env, const void *bytes, size_t size) {
    void *copy = leati_memdup(bytes, size);
    if (!copy && size) return LEAT_E_NOMEM;
    leati_free(env->blue->preamble);
    env->blue->preamble = copy;
    env->blue->preamble_size = size;
    return LEAT_OK;
}

leat_status leati_env_set_worker(leat_env *env, const char *const *argv, const char *const *envp) {
    char **a = texts_copy(argv), **e = texts_copy(envp);
    if (!a || !e) {
        texts_free(a);
        texts_free(e);
        return LEAT_E_NOMEM;
    }
    texts_free(env->blue->worker_argv);
    texts_free(env->blue->worker_envp);
    env->blue->worker_argv = a;
    env->blue->worker_envp = e;
    return LEAT_OK;
}

/* --- execution -------------------------------------------------------------------------------- */

/* The copy that the next job runs; NULL with `err` filled. */
static leati_blueprint *select_new(const leat_env *env, leat_error *err) {
    leati_blueprint *blue = NULL;
    if (env->error.status < 0)
        *err = env->error;
    else
        blue = leati_blueprint_select(env->blue, err);
    if (blue) leati_interpreter_need(blue);
    return blue;
}

leat_job *leat_env_start(leat_env *env, const char *name, leat_error *err) {
    leat_error own;
    if (!err) err = &own;
    if (leati_env_check(env, "leat_env_start", err) < 0) return NULL;
    leati_blueprint *blue = select_new(env, err);
    if (!blue) return NULL;
    leati_graph_set_run(&env->blue->graph);
    return leati_job_start(env, blue, name, err);
}

leat_status leat_env_execute(leat_env *env, const char *name, leat_error *err) {
    leat_error own = {.status = LEAT_E_INTERNAL};
    if (!err) err = &own;
    leat_job *job = leat_env_start(env, name, err);
    if (!job) return err->status;
    leat_job_wait(job, -1);
    leat_status status = leat_job_result(job, err);
    leat_job_free(job);
    return status;
}

void leat_env_clear(leat_env *env) {
    if (leati_env_check(env, "", NULL) < 0) return;
    leati_blueprint *old = env->blue;
    leati_blueprint *fresh = blueprint_new(leati_config_copy(old->config));
    if (!fresh) return; /* the graph stays, and the next execution says that memory is short */
    fresh->host_dispatch = old->host_dispatch;
    fresh->graph.bridge = old->graph.bridge;
    free_streams(env);
    env->blue = fresh;
    env->error.status = LEAT_OK;
    leati_blueprint_unref(old);
}

char *leat_env_plan(leat_env *env, leat_error *err) {
    leat_error own;
    if (!err) err = &own;
    if (leati_env_check(env, "leat_env_plan", err) < 0) return NULL;
    leati_blueprint *blue = select_new(env, err);
    if (!blue) return NULL;
    leati_plan *plan = leati_plan_new(&blue->graph, blue->config, err);
    for (int i = 0; plan && blue->fallback && i < plan->vertex_count; i++)
        if (plan->vertices[i].language) plan->vertices[i].reason = blue->fallback;
    char *text = plan ? leati_plan_json(plan) : NULL;
    leati_plan_free(plan);
    leati_blueprint_unref(blue);
    return text;
}

void leat_text_free(char *text) {
    leati_free(text);
}
