/* graph.h: what a program has built: nodes, and the streams that point at them. Belongs to its env. */
#ifndef LEATI_GRAPH_H
#define LEATI_GRAPH_H

#include "leat/env.h"
#include "runtime/flow/params.h"
#include "runtime/job/config.h"

typedef struct leati_node leati_node;

typedef enum leati_chaining {
    LEATI_CHAIN_ALWAYS,
    LEATI_CHAIN_HEAD,
    LEATI_CHAIN_NEVER
} leati_chaining;

typedef struct leati_edge {
    int from;                  /* node */
    const char *tag;           /* NULL: the main output; interned in the graph */
    const leat_type *tag_type; /* of a side output; NULL: unknown */
    leat_partitioning partitioning;
    unsigned input;
} leati_edge;

struct leati_node {
    int id; /* from 1, in the order of building */
    const leat_operator *op;
    leati_args args;
    char *name, *uid, *description, *slot_group;
    bool bound;             /* an argument binds it to the main process */
    int parallelism;        /* -1: the job's */
    int max_parallelism;    /* -1: the job's */
    int64_t buffer_timeout; /* ms; INT64_MIN: the job's */
    leati_chaining chaining;
    const leat_type *output_type; /* NULL: unknown */
    leati_edge *inputs;
    size_t input_count;
};

typedef struct leati_graph {
    leati_node **nodes;
    size_t count;
    char **tags; /* interned */
    size_t tag_count;
} leati_graph;

void leati_graph_fini(leati_graph *g, bool functions);
leati_node *leati_graph_node(const leati_graph *g, int id); /* NULL: none */
/* The same text, kept with the graph; NULL when memory ran out. */
const char *leati_graph_tag(leati_graph *g, const char *tag);
void leati_graph_encode(const leati_graph *g, leati_buf *out);
/* Functions in C do not travel: their nodes come back without them. */
leat_status leati_graph_decode(leati_graph *out, leati_reader *in, leat_error *err);

#endif
