/* graph.h: what a program has built: nodes, and the streams that point at them. Belongs to
   its env. */
#ifndef LEATI_GRAPH_H
#define LEATI_GRAPH_H

#include <stdatomic.h>

#include "leat/env.h"
#include "runtime/bridge.h"
#include "runtime/flow/params.h"
#include "runtime/job/config.h"

typedef struct leati_node leati_node;

typedef enum leati_chaining {
    LEATI_CHAIN_ALWAYS,
    LEATI_CHAIN_HEAD,
    LEATI_CHAIN_NEVER
} leati_chaining;

/* Arguments that copies of a node share. */
typedef struct leati_shared_args {
    atomic_int refs;
    leati_args args;
} leati_shared_args;

typedef struct leati_edge {
    int from;                  /* number of the node in its graph, from 1 */
    const char *tag;           /* NULL: the main output; interned in the graph */
    const leat_type *tag_type; /* of a side output; NULL: unknown */
    leat_partitioning partitioning;
    unsigned input;
} leati_edge;

struct leati_node {
    int id; /* as it is shown: from 1, in the order of building */
    const leat_operator *op;
    leati_shared_args *shared;
    char *name, *uid, *description, *slot_group;
    bool run;               /* a job was started with it */
    bool bounded;           /* a source that ends by itself */
    bool bound;             /* an argument binds it to the main process */
    int parallelism;        /* -1: the job's */
    int max_parallelism;    /* -1: the job's */
    int64_t buffer_timeout; /* ms; INT64_MIN: the job's */
    leati_chaining chaining;
    const leat_type *output_type; /* NULL: unknown */
    leati_edge *inputs;
    size_t input_count;
    leati_edge *feedback; /* of the head of a loop: what comes back, from nodes behind it */
    size_t feedback_count;
    const leat_type *feedback_type; /* that it has to have; NULL: any. Known to who builds only */
};

typedef struct leati_graph {
    leati_node **nodes;
    size_t count;
    char **tags; /* interned */
    size_t tag_count;
    const leati_bridge *bridge; /* of the interpreter that builds it; NULL: whichever is there */
} leati_graph;

void leati_graph_fini(leati_graph *g);
/* The bridge that runs its functions in this process; NULL when there is none of that language. */
const leati_bridge *leati_graph_bridge(const leati_graph *g, const char *language);
leati_node *leati_graph_node(const leati_graph *g, int number); /* NULL: none */
/* What the next job runs: the nodes that no job was started with, and all that they read, numbered
   anew. The copies share their arguments with `g`. Empty when there is nothing new. */
leat_status leati_graph_select(const leati_graph *g, leati_graph *out);
void leati_graph_set_run(leati_graph *g); /* a job was started with all that there is */
/* A node without arguments yet; NULL when memory ran out. */
leati_node *leati_node_new(const leat_operator *op);
void leati_node_free(leati_node *n); /* NULL is fine */
/* The same text, kept with the graph; NULL when memory ran out. */
const char *leati_graph_tag(leati_graph *g, const char *tag);
void leati_graph_encode(const leati_graph *g, leati_buf *out);
/* Functions in C do not travel: their nodes come back without them. */
leat_status leati_graph_decode(leati_graph *out, leati_reader *in, leat_error *err);

#endif
