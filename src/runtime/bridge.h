/* bridge.h: what a language bridge needs of the runtime beyond the public headers (and
   runtime/base): to register itself, to turn the spec of a function into a role, to be entered
   before its tasks step and left when none can, to report a user's error whole, and to be a worker.
   It knows no language. */
#ifndef LEATI_BRIDGE_H
#define LEATI_BRIDGE_H

#include "leat/env.h"
#include "runtime/base/object.h"

/* What a language's own event loop waits for. */
typedef struct leati_vigil {
    int fd;     /* readable when it has something to do; -1: there is no loop */
    int64_t at; /* leati_clock_monotonic; 0: it has more to do at once, INT64_MAX: nothing */
} leati_vigil;

typedef struct leati_bridge {
    size_t size;
    const char *language; /* "python" */
    uint16_t domain;      /* of its objects, from leati_object_register */
    void *interpreter;

    /* Called on the thread of a runner of this interpreter; enter before tasks step, leave when
       none can. */
    void (*enter)(void *interpreter, void **token);
    void (*leave)(void *interpreter, void *token);
    /* Between batches: drain the release list, collect garbage when it is due. `idle`: nothing to
       do. */
    void (*rest)(void *interpreter, bool idle);
    /* Lets the language's event loop of this runner's thread, if there is one, do what is ready,
       without waiting. Called after steps, and with `due` when what it waits for has come. May be
       NULL. */
    void (*turn)(void *interpreter, bool due, leati_vigil *vigil);

    /* Turns fn->spec into calls, inside the interpreter: fills call, arg, open, close and free of
       `fn`, whose role, language and spec are set. The engine then opens, closes and frees it as it
       does a C function. */
    leat_status (*resolve)(leat_context *ctx, leat_function *fn);
    /* Raises in the thread that is stuck inside a user's function; any thread. */
    void (*interrupt)(void *interpreter, unsigned long thread_id);
} leati_bridge;

/* `bridge` must live until leati_bridge_unregister. LEAT_E_VERSION when `version` is not this
   library's. */
LEAT_API leat_status leati_bridge_register(const leati_bridge *bridge, const char *version,
                                           leat_error *err);
LEAT_API void leati_bridge_unregister(const leati_bridge *bridge);
/* NULL when no bridge of that language is registered. */
const leati_bridge *leati_bridge_find(const char *language);

/* What a user's exception looks like, in full. All strings may be NULL and are copied. `payload`
   are bytes that only the language can read: the exception itself. */
typedef struct leati_user_error {
    const char *text;      /* "ValueError: odd" */
    const char *cause;     /* the last line(s) as the language shows it */
    const char *traceback; /* without our frames */
    const void *payload;
    size_t payload_size;
} leati_user_error;
/* Marks the context's job as failed by its user and answers LEAT_E_USER. */
LEAT_API leat_status leati_context_user_error(leat_context *ctx, const leati_user_error *error);

/* What the bridge's own sources, sinks and contexts ask beyond operator.h. */
LEAT_API void *leati_context_arena(leat_context *ctx); /* leati_arena * of the current hook */
LEAT_API uint16_t leati_context_domain(const leat_context *ctx); /* of this runner, 0: none */

/* Of runtime/data, for objects that hold native parts: a key's canonical bytes, a value's text, and
   its wire form read back. */
typedef struct leati_buf leati_buf;
typedef struct leati_reader leati_reader;
LEAT_API leat_status leati_key_write(const leat_value *key, leati_buf *out);
LEAT_API leat_status leati_value_text(const leat_value *v, const leat_type *type,
                                      leat_text_form form, leati_buf *out);
LEAT_API leat_status leati_value_decode(leati_reader *in, uint16_t domain, leati_arena *arena,
                                        leat_value *out);

/* Asks the job's processes for their metrics and accumulators, and waits, 1 s at most. */
LEAT_API void leati_job_metrics_await(leat_job *job);
/* The accumulators as leat_job_accumulators_each gives them, of what was told last, with objects of
   the interpreter `domain`, which the thread is inside of; they and memory belong to the arena. And
   what one subtask has, on its thread. */
LEAT_API leat_status leati_job_accumulators_each(leat_job *job, uint16_t domain, leati_arena *arena,
                                                 leat_accumulator_call call, void *arg,
                                                 leat_error *err);
LEAT_API leat_status leati_accumulator_value(leat_accumulator *accumulator, uint16_t domain,
                                             leati_arena *arena, leat_value *out);

/* A failed job's payload, for the client that wants to raise it; NULL when there is none. */
LEAT_API const void *leati_job_payload(const leat_job *job, size_t *size);

/* The first error of building the graph, which is forgotten: for languages that raise it at
   once. */
LEAT_API leat_status leati_env_take_error(leat_env *env, leat_error *err);

/* The number of the operator that made the stream, as collect_id below; 0 for a failed stream. */
LEAT_API int leati_stream_id(const leat_stream *s);

/* execute_and_collect: the next records of the collect sink `stream`, in a batch that the
   caller frees. LEAT_OK, LEAT_AGAIN after the time-out, LEAT_DONE at the end. Any thread, one
   at a time. */
typedef struct leati_batch leati_batch;
LEAT_API leat_status leati_job_collect(leat_job *job, int collect_id, int timeout_ms,
                                       leati_batch **out);
LEAT_API size_t leati_batch_records(const leati_batch *batch, const leat_record **records);
LEAT_API void leati_batch_unref(leati_batch *batch);

/* The env's functions run in this bridge's interpreter, where there are several. */
LEAT_API void leati_env_set_bridge(leat_env *env, const leati_bridge *bridge);

/* What every worker of the job gets before it resolves functions, such as the classes of __main__.
   Copied. */
LEAT_API leat_status leati_env_set_preamble(leat_env *env, const void *bytes, size_t size);
/* The command that starts a worker: NULL-terminated argv and the whole environment, copied. Set by
   the bridge. */
LEAT_API leat_status leati_env_set_worker(leat_env *env, const char *const *argv,
                                          const char *const *envp);

/* A worker's life: reads its job from `control` and runs its part until it ends. `preamble` is
   called inside the interpreter before the first function is resolved. Answers the process's exit
   code. */
typedef leat_status (*leati_preamble_fn)(void *interpreter, const void *bytes, size_t size,
                                         leat_error *err);
LEAT_API int leati_worker_run(int argc, char **argv, leati_preamble_fn preamble);

/* How the library starts an interpreter in a host without one: the bridge's module, opened as a
   file, exports a `const leati_embedding leati_embed`. */
typedef struct leati_embedding {
    size_t size;
    const char *version;
    /* Starts the interpreter of `executable`, unless the host has started one; imports `module`,
       which registers the bridge; lets modules in `folders` (NULL-terminated) be imported. Comes
       back outside of it. */
    leat_status (*start)(const char *executable, const char *module, const char *const *folders,
                         void **token, leat_error *err);
    /* On the same thread, when nobody is inside any more: ends what `start` has started. */
    void (*end)(void *token);
} leati_embedding;

/* The table of configuration keys, for `leat config` and the docs. */
typedef struct leati_config_row {
    const char *key, *fallback, *kind, *status, *doc;
} leati_config_row;
LEAT_API size_t leati_config_rows(const leati_config_row **rows);

#endif
