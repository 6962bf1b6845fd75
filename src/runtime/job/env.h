/* env.h: the environment's inside, for the files of job/. */
#ifndef LEATI_ENV_H
#define LEATI_ENV_H

#include <pthread.h>
#include <stdatomic.h>

#include "runtime/base/list.h"
#include "runtime/bridge.h"
#include "runtime/job/graph.h"

typedef struct leati_part {
    int node;
    const char *tag;
    const leat_type *tag_type;
    leat_partitioning partitioning;
} leati_part;

/* One or more outputs that are read together; failed without any. */
struct leat_stream {
    leat_env *env;
    leati_part *parts;
    size_t part_count;
    leati_link link; /* in the env's streams */
};

/* What is built: by an env, or the part of it that a job runs, which nobody changes. Counted. */
typedef struct leati_blueprint {
    atomic_int refs;
    leati_graph graph;
    leati_config *config;
    void *preamble;
    size_t preamble_size;
    char **worker_argv, **worker_envp; /* NULL: none set */
    char *fallback; /* why it runs in PROCESS mode against its wish; NULL: it does not */
    bool host_dispatch;
} leati_blueprint;

struct leat_env {
    unsigned process; /* that it was made in */
    leati_blueprint *blue;
    leati_link streams, pushes;
    leat_error error;     /* the first; status LEAT_OK: none */
    pthread_mutex_t lock; /* guards jobs */
    leati_link jobs;      /* those that leat_env_free has to end */
    char **names;         /* of all jobs that were started */
    size_t name_count;
};

/* Was it made by the process that this one was forked from? Then LEAT_E_STATE. */
leat_status leati_env_check(const leat_env *env, const char *where, leat_error *err);
/* The name of a job that starts: as given, else that of the program; a second one of that name gets
   -2, so that each has checkpoints of its own. Allocated; NULL when memory ran out. */
char *leati_env_name_job(leat_env *env, const char *name);
/* The job did not start: the name is free again. NULL is fine. */
void leati_env_free_name(leat_env *env, const char *name);
void leati_pushes_free(leat_env *env);
void leati_blueprint_unref(leati_blueprint *b);
/* A copy with what the next job runs; NULL with `err` filled when there is nothing, or no
   memory. */
leati_blueprint *leati_blueprint_select(const leati_blueprint *b, leat_error *err);
leat_stream *leati_stream_new(leat_env *env, const leati_part *parts, size_t count);
/* Keeps the first error; answers a failed stream. */
leat_stream *leati_env_fail(leat_env *env, leat_status status, const char *where,
                            const char *format, ...) LEAT_PRINTF(4, 5);

#endif
