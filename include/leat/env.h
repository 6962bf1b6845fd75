/* env.h: where a job is built: configuration, sources, execution. One thread at a time. */
#ifndef LEAT_ENV_H
#define LEAT_ENV_H

#include "job.h"
#include "stream.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct leat_options {
    size_t size;
    /* "key", "value", "key", "value", ..., NULL; lent for the call. May be NULL. */
    const char *const *settings;
    bool host_dispatch; /* callbacks run in leat_job_dispatch only */
} leat_options;

static inline leat_options leat_options_defaults(void) {
    leat_options o;
    memset(&o, 0, sizeof o);
    o.size = sizeof o;
    return o;
}

/* `options` may be NULL. NULL with `err` filled when a key or value is wrong or memory ran out. */
LEAT_API leat_env *leat_env_new(const leat_options *options, leat_error *err);
/* Cancels and joins the env's jobs, 5 s at most, and frees its streams. NULL is fine. */
LEAT_API void leat_env_free(leat_env *env);

/* Sets a configuration key, over -D, files and defaults. A `value` of NULL brings the default back,
   whoever had set it. */
LEAT_API leat_status leat_env_set(leat_env *env, const char *key, const char *value,
                                  leat_error *err);
/* The effective value; NULL for a key that has none. Lent until the next leat_env_set. */
LEAT_API const char *leat_env_get(const leat_env *env, const char *key);

/* What is known about a configuration key. Strings are lent for ever. */
typedef struct leat_config_key {
    size_t size; /* set by the caller: sizeof(leat_config_key) */
    const char *key;
    const char *fallback; /* the default as text, "number of cores" where it is that; NULL: none */
    const char *kind;     /* string, int, bool, duration, memory, double, enum, list, or "" */
    const char *status;   /* implemented, accepted (changes nothing here) or refused */
    const char *doc;      /* one line, or "" */
    const char *aliases;  /* old names that are read, too, separated by spaces, or NULL */
    const char *choices;  /* of an enum, separated by spaces; NULL otherwise */
    const char *works;    /* the only values that work in this release, or NULL: all do */
    const char *note;     /* why the others don't, or what is said about an accepted key, or NULL */
} leat_config_key;
/* Fills `out` with the key at `index`, from 0; false when there is none. Keys that have a line of
   documentation come first, sorted; then Flink's other names, sorted. Any thread. */
LEAT_API bool leat_config_key_at(size_t index, leat_config_key *out);

/* A file, or all files of a folder and those below it, but for names that begin with '.' or '_';
   ".gz" is decompressed. One string per line, without its end. */
LEAT_API leat_stream *leat_env_read_text_file(leat_env *env, const char *path);
/* The same, and those files that come into the folder later: it is looked at every `interval_ms`,
   and the source never ends. Each file is read once, by one subtask, as far as it goes when it is
   found, so files should come whole, by a rename. Which were read is in snapshots. */
LEAT_API leat_stream *leat_env_watch_text_files(leat_env *env, const char *path,
                                                int64_t interval_ms);
/* The integers from `first` to `last`, both included. */
LEAT_API leat_stream *leat_env_sequence(leat_env *env, int64_t first, int64_t last);
/* Copies the values. */
LEAT_API leat_stream *leat_env_collection(leat_env *env, const leat_value *values, size_t count);
LEAT_API leat_stream *leat_env_source(leat_env *env, leat_function source);

/* A source that the host feeds. It ends with leat_push_end; the handle belongs to the env. Pushing
   from several threads is fine. */
typedef struct leat_push_source leat_push_source;
LEAT_API leat_stream *leat_env_push_source(leat_env *env, leat_push_source **source);
/* Copies the value before it returns. timeout_ms 0 never blocks and answers LEAT_AGAIN when there
   is no room; -1 waits for room, cancel or end. LEAT_E_STATE before execution and after the end. */
LEAT_API leat_status leat_push(leat_push_source *source, const leat_value *value, int64_t time,
                               int timeout_ms);
LEAT_API leat_status leat_push_end(leat_push_source *source);

/* A push source that goes back when its job restarts: each record comes with where the host stands
   behind it, any value but null, such as a number of the host's log; it is copied. The position of
   the last record before a checkpoint is in that checkpoint. */
LEAT_API leat_status leat_push_at(leat_push_source *source, const leat_value *value, int64_t time,
                                  const leat_value *position, int timeout_ms);
/* `rewind` is called after a restart, or when the job was started from a snapshot, before any
   record is taken: all records behind `position` are to be pushed again, and then leat_push_end if
   that had been called. `position` is lent for the call; NULL: from the beginning. A job that
   starts afresh does not call it. It runs on a Leat thread, with host dispatch in
   leat_job_dispatch.

   What was pushed and is not in the checkpoint is forgotten. From the failure on pushes wait as if
   there were no room; once `rewind` is called, and while it runs, they answer LEAT_AGAIN without
   having taken the value, whatever their time-out. So a host may hold a lock from looking where it
   stands until its push has answered, and take the same lock in `rewind`.

   Set before the job starts: LEAT_E_STATE while one runs. NULL: the source can't go back (the
   default), and a restart goes on with what was pushed and not yet taken. */
typedef void (*leat_rewind_call)(void *arg, const leat_value *position);
LEAT_API leat_status leat_push_on_rewind(leat_push_source *source, leat_rewind_call rewind,
                                         void *arg);

/* Runs what was added since the last execution, and all that this reads, and waits for its end.
   Streams stay usable afterwards. LEAT_E_STATE when there is nothing new to run. `name` may be
   NULL. */
LEAT_API leat_status leat_env_execute(leat_env *env, const char *name, leat_error *err);
/* Starts it; the job belongs to the caller and must be freed before the env is. What the job starts
   from (execution.state-recovery.path) is read and checked by the job, and where another process
   still has its folder of checkpoints, the job waits for it, 10 s at most and as LEAT_JOB_CREATED:
   a refusal is the job's failure. */
LEAT_API leat_job *leat_env_start(leat_env *env, const char *name, leat_error *err);
/* Asks all running jobs of the env to end, and returns at once. Any thread, while the env lives. */
LEAT_API void leat_env_cancel(leat_env *env);
/* Forgets the streams built so far, which must not be used any more, and the first error of
   building them; running jobs keep what they need. */
LEAT_API void leat_env_clear(leat_env *env);
/* The plan as JSON. The caller frees it with leat_text_free. */
LEAT_API char *leat_env_plan(leat_env *env, leat_error *err);
LEAT_API void leat_text_free(char *text);

#ifdef __cplusplus
}
#endif
#endif
