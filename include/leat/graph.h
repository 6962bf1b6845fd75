/* graph.h: adding operators to a job, ours and yours alike. The verbs of stream.h are written with
   this call only. */
#ifndef LEAT_GRAPH_H
#define LEAT_GRAPH_H

#include "operator.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct leat_env leat_env;
typedef struct leat_stream leat_stream; /* belongs to its env */

typedef enum leat_partitioning {
    LEAT_FORWARD_OR_REBALANCE = 0, /* forward between equal parallelisms, else rebalance */
    LEAT_FORWARD,
    LEAT_HASH,      /* by the record's key hash */
    LEAT_REBALANCE, /* round robin over all */
    LEAT_RESCALE,   /* round robin over a local share */
    LEAT_SHUFFLE,   /* at random */
    LEAT_BROADCAST,
    LEAT_GLOBAL, /* all to the first */
    LEAT_CUSTOM  /* by the record's `hash`, which an operator set to a target */
} leat_partitioning;

/* Adds `op` with its arguments behind `inputs` (`input_count` may be more than op->inputs for an
   operator of one input: then they are united). `env` may be NULL where there is an input: its env
   is meant. A NULL or failed input gives a failed stream, and the env keeps the first error, which
   every execution answers until leat_env_clear; never NULL unless memory ran out. `op` must outlive
   the env. */
LEAT_API leat_stream *leat_graph_add(leat_env *env, const leat_operator *op, const leat_arg *args,
                                     size_t arg_count, leat_stream *const *inputs,
                                     size_t input_count);

/* Do the stream's records have a key, so that operators with keyed state may follow? False for NULL
   and failed streams. */
LEAT_API bool leat_stream_is_keyed(const leat_stream *s);

/* The operator of that name in the table of built-in ones and of those registered; NULL if
   absent. */
LEAT_API const leat_operator *leat_operator_find(const char *name);

/* Makes an operator known by its name, so that language bridges and workers find it. `op` must live
   until the process ends. LEAT_E_ARGUMENT for a missing hook, LEAT_E_STATE for a taken name. */
LEAT_API leat_status leat_operator_register(const leat_operator *op, leat_error *err);

#ifdef __cplusplus
}
#endif
#endif
