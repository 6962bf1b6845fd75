/* stream.h: the verbs of streams. Each gives a new stream that belongs to the env; a NULL or failed
   stream is accepted and stays failed, so a program checks once, at leat_env_execute. */
#ifndef LEAT_STREAM_H
#define LEAT_STREAM_H

#include "async.h"
#include "bulk_writer.h"
#include "graph.h"
#include "window.h"

#ifdef __cplusplus
extern "C" {
#endif

LEAT_API leat_stream *leat_stream_map(leat_stream *s, leat_function map);
LEAT_API leat_stream *leat_stream_flat_map(leat_stream *s, leat_function flat_map);
LEAT_API leat_stream *leat_stream_filter(leat_stream *s, leat_function filter);
LEAT_API leat_stream *leat_stream_key_by(leat_stream *s, leat_function key);

/* Of keyed streams: rolling results, one per record. `field` is an index as in leat_field. */
LEAT_API leat_stream *leat_stream_reduce(leat_stream *s, leat_function reduce);
LEAT_API leat_stream *leat_stream_sum(leat_stream *s, int field);
LEAT_API leat_stream *leat_stream_min(leat_stream *s, int field);
LEAT_API leat_stream *leat_stream_max(leat_stream *s, int field);
LEAT_API leat_stream *leat_stream_min_by(leat_stream *s, int field);
LEAT_API leat_stream *leat_stream_max_by(leat_stream *s, int field);

LEAT_API leat_stream *leat_stream_process(leat_stream *s, leat_function process);
LEAT_API leat_stream *leat_stream_project(leat_stream *s, const int *fields, size_t count);
LEAT_API leat_stream *leat_stream_union(leat_stream *a, leat_stream *b);
/* Two streams into one function; input 0 is `a`. Keyed if both are. */
LEAT_API leat_stream *leat_stream_co_map(leat_stream *a, leat_stream *b, leat_function co_map);
LEAT_API leat_stream *leat_stream_co_flat_map(leat_stream *a, leat_stream *b,
                                              leat_function co_flat_map);
LEAT_API leat_stream *leat_stream_co_process(leat_stream *a, leat_stream *b,
                                             leat_function co_process);
/* The results of an async function (async.h), in the order of the records, or as they come but
   never across a watermark. `options` may be NULL: the defaults. */
LEAT_API leat_stream *leat_stream_async_ordered(leat_stream *s, leat_function async,
                                                const leat_async_options *options);
LEAT_API leat_stream *leat_stream_async_unordered(leat_stream *s, leat_function async,
                                                  const leat_async_options *options);
/* `s` (input 0) beside a stream of which every subtask gets all records (input 1), to keep them in
   broadcast state. Keyed if `s` is; `broadcast` must not be. */
LEAT_API leat_stream *leat_stream_broadcast_process(leat_stream *s, leat_stream *broadcast,
                                                    leat_function broadcast_process);
/* Pairs of records of two keyed streams: `left` ones and those `right` ones of the same key whose
   time is at least the left one's plus `lower` and at most that plus `upper` (milliseconds, may be
   negative). A record behind the watermark goes to the side output of its side, or nowhere. */
typedef struct leat_interval {
    size_t size; /* sizeof(leat_interval) */
    int64_t lower, upper;
    bool lower_exclusive, upper_exclusive;
    const char *left_late_tag, *right_late_tag; /* NULL: dropped */
} leat_interval;
static inline leat_interval leat_interval_between(int64_t lower, int64_t upper) {
    leat_interval i;
    memset(&i, 0, sizeof i);
    i.size = sizeof i;
    i.lower = lower;
    i.upper = upper;
    return i;
}
/* What the function emits has the later time of the two; leat_context_times tells both. */
LEAT_API leat_stream *leat_stream_interval_join(leat_stream *left, leat_stream *right,
                                                const leat_interval *interval, leat_function join);
/* What went to leat_emitter_side under this tag. */
LEAT_API leat_stream *leat_stream_side_output(leat_stream *s, const char *tag);

/* Event time by `timestamp`; records may come up to `bound_ms` behind the latest one. */
LEAT_API leat_stream *leat_stream_assign_timestamps(leat_stream *s, leat_function timestamp,
                                                    int64_t bound_ms);
/* Event time by `timestamp`, and watermarks by a generator (leat_watermark_fn). */
LEAT_API leat_stream *leat_stream_generate_watermarks(leat_stream *s, leat_function timestamp,
                                                      leat_function generator);

/* How the records of a keyed stream are put into windows; leat_window_spec_of fills it in. Each
   function is one of Leat's own (leat_builtin), of C (window.h) or of Python. One window over all
   records is that of a constant key, leat_builtin("constant"), at parallelism 1. */
typedef struct leat_window_spec {
    size_t size;
    leat_function assigner; /* "tumbling_event_time 10000", "session_event_time 500" ... */
    /* As they are filled in, none: */
    leat_function gap;     /* of session windows without a gap of their own */
    leat_function trigger; /* instead of the assigner's */
    leat_function evictor;
    leat_function delta; /* of the evictor "delta" */
    bool purging;        /* what has fired is forgotten */
    int64_t allowed_lateness_ms;
    const char *late_tag; /* the side output for what came too late; NULL: it is dropped */
} leat_window_spec;

static inline leat_window_spec leat_window_spec_of(leat_function assigner) {
    leat_window_spec spec;
    memset(&spec, 0, sizeof spec);
    spec.size = sizeof spec;
    spec.assigner = assigner;
    return spec;
}

/* The results of windows of a keyed stream. What comes out has the last time of its window.
   `window` (may be NULL) gets the one result of the window and makes more of it. `spec` is
   copied. */
LEAT_API leat_stream *leat_stream_window_reduce(leat_stream *s, const leat_window_spec *spec,
                                                leat_function reduce, const leat_function *window);
LEAT_API leat_stream *leat_stream_window_aggregate(leat_stream *s, const leat_window_spec *spec,
                                                   leat_function aggregate,
                                                   const leat_function *window);
/* `window` gets all elements of the window, in order of arrival. */
LEAT_API leat_stream *leat_stream_window_process(leat_stream *s, const leat_window_spec *spec,
                                                 leat_function window);
/* As the rolling ones of the same name; count gives an integer. */
LEAT_API leat_stream *leat_stream_window_sum(leat_stream *s, const leat_window_spec *spec,
                                             int field);
LEAT_API leat_stream *leat_stream_window_min(leat_stream *s, const leat_window_spec *spec,
                                             int field);
LEAT_API leat_stream *leat_stream_window_max(leat_stream *s, const leat_window_spec *spec,
                                             int field);
LEAT_API leat_stream *leat_stream_window_min_by(leat_stream *s, const leat_window_spec *spec,
                                                int field);
LEAT_API leat_stream *leat_stream_window_max_by(leat_stream *s, const leat_window_spec *spec,
                                                int field);
LEAT_API leat_stream *leat_stream_window_count(leat_stream *s, const leat_window_spec *spec);
/* Records of two keyed streams that are in one window: `join` gets each pair with the same key, in
   order of arrival, `co_group` all records of both sides, either of which may be empty. Assigner,
   trigger and evictor see the records of both. */
LEAT_API leat_stream *leat_stream_window_join(leat_stream *a, leat_stream *b,
                                              const leat_window_spec *spec, leat_function join);
LEAT_API leat_stream *leat_stream_window_co_group(leat_stream *a, leat_stream *b,
                                                  const leat_window_spec *spec,
                                                  leat_function co_group);

/* A loop: a stream of what is in `s` and of what comes back. leat_iteration_close says what does: a
   stream made of the loop's, of the same type; it is answered. Its partitioning is kept, several
   streams are united first. Without a parallelism of its own the loop's head has that of what comes
   back. A bounded job ends once no record is on its way round; `max_wait_ms`, Flink's time to wait
   for one, has no meaning. What comes back is read first, never pushes back (it spills into
   io.tmp.dirs), and counts for no watermark. A loop may be within another one. */
LEAT_API leat_stream *leat_stream_iterate(leat_stream *s, int64_t max_wait_ms);
LEAT_API leat_stream *leat_iteration_close(leat_stream *loop, leat_stream *feedback);
/* Before the close: what comes back, as a stream of its own, of `type` (may be NULL); the loop then
   gives only what its stream brings. The two may be connected. */
LEAT_API leat_stream *leat_iteration_feedback(leat_stream *loop, const char *type);

/* How records go to the next operator's subtasks. */
LEAT_API leat_stream *leat_stream_forward(leat_stream *s);
LEAT_API leat_stream *leat_stream_rebalance(leat_stream *s);
LEAT_API leat_stream *leat_stream_rescale(leat_stream *s);
LEAT_API leat_stream *leat_stream_shuffle(leat_stream *s);
LEAT_API leat_stream *leat_stream_broadcast(leat_stream *s);
LEAT_API leat_stream *leat_stream_global(leat_stream *s);
LEAT_API leat_stream *leat_stream_partition_custom(leat_stream *s, leat_function partition,
                                                   leat_function key);

/* The operator that made the stream: each answers the stream itself. */
LEAT_API leat_stream *leat_stream_name(leat_stream *s, const char *name);
LEAT_API leat_stream *leat_stream_uid(leat_stream *s, const char *uid);
LEAT_API leat_stream *leat_stream_parallelism(leat_stream *s, int parallelism);
/* Options by name: "name", "uid", "description", "parallelism", "max_parallelism", "chaining"
   ("always", "head", "never"), "buffer_timeout", "slot_sharing_group", and of sources "boundedness"
   ("bounded": it ends by itself, which batch execution needs; "unbounded"). */
LEAT_API leat_stream *leat_stream_option(leat_stream *s, const char *option, const char *value);
/* Declares the type of the stream's values, as leat_type_parse reads it. */
LEAT_API leat_stream *leat_stream_returns(leat_stream *s, const char *type);

/* Sinks. The stream that comes back stands for the sink and takes names and options only. */
LEAT_API leat_stream *leat_stream_print(leat_stream *s);
/* One line per record; subtask i of n > 1 writes PATH/i+1, a single subtask writes PATH itself. */
LEAT_API leat_stream *leat_stream_write_text(leat_stream *s, const char *path);
/* Lines in files of the folder `path` and those below it, each exactly once: a file is hidden until
   the checkpoint is complete that has it, or without checkpoints until the job ends. Then its name
   is PREFIX-ID-COUNTER SUFFIX, where the id is the subtask's. */
typedef struct leat_file_options {
    size_t size;                 /* sizeof(leat_file_options) */
    const char *prefix, *suffix; /* NULL: "part" and nothing */
    /* Folders by the system's clock: a pattern of Java's DateTimeFormatter such as
       "yyyy-MM-dd--HH"; NULL or "": none. `zone` is "UTC", "+02:00", "Europe/Berlin" ...; NULL: the
       system's. */
    const char *bucket, *zone;
    const char *charset; /* NULL: UTF-8 */
    /* When a file is finished and another one begun. With each checkpoint; or when it is larger
       than `part_size` bytes, so old, or has got nothing for so long, which is looked at each
       `check_ms`. */
    bool roll_on_checkpoint;
    int64_t part_size, rollover_ms, inactivity_ms, check_ms;
} leat_file_options;
/* 128 MiB, and a minute each; no folders. */
static inline leat_file_options leat_file_options_defaults(void) {
    leat_file_options o;
    memset(&o, 0, sizeof o);
    o.size = sizeof o;
    o.part_size = 128 << 20;
    o.rollover_ms = o.inactivity_ms = o.check_ms = 60000;
    return o;
}
/* `options` may be NULL: the defaults. */
LEAT_API leat_stream *leat_stream_write_files(leat_stream *s, const char *path,
                                              const leat_file_options *options);
/* The same in a format of its own, such as Parquet: `writer` (leat_bulk_writer_fn, bulk_writer.h)
   makes what is in a file. Each file is finished with a checkpoint and no sooner, so the limits of
   size and age and the charset of `options` play no part. */
LEAT_API leat_stream *leat_stream_write_bulk(leat_stream *s, const char *path, leat_function writer,
                                             const leat_file_options *options);
/* Calls `sink` on a Leat thread, in order, one call at a time; in leat_job_dispatch instead when
   the env has host dispatch. One in two phases (leat_two_phase_sink_fn), or with `snapshot`, is
   called by each of its subtasks for itself. */
LEAT_API leat_stream *leat_stream_sink(leat_stream *s, leat_function sink);

#ifdef __cplusplus
}
#endif
#endif
