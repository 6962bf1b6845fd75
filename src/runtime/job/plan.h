/* plan.h: graph times parallelism: which operators are chained, how many subtasks each chain has,
   in which process and on which runner each runs, and why. Made from graph and configuration alone,
   so that every process of a job makes the same one. */
#ifndef LEATI_PLAN_H
#define LEATI_PLAN_H

#include "runtime/flow/chain.h"
#include "runtime/flow/gate.h"
#include "runtime/job/graph.h"

/* Operators that run as one task: nodes in topological order, the first is the head. */
typedef struct leati_vertex {
    int id;       /* index in the plan */
    int *nodes;   /* indices of leati_plan.infos */
    int *parents; /* of each, the index in `nodes` of the one it listens to; -1: the head */
    int count;
    int parallelism, max_parallelism;
    int first_task; /* of `parallelism` tasks, in order of subtasks */
    bool source;
    bool language; /* one of its functions is not in C */
    bool host_bound;
    unsigned waiting;   /* bit i: records of input i wait until all inputs have ended (by_key.h) */
    bool by_key;        /* and come key by key then */
    bool calls;         /* has calls in the event loop of its language */
    bool inside;        /* runs on its process's interpreter runner and may pass objects on */
    const char *reason; /* of its placement */
} leati_vertex;

/* A stream between two vertices. */
typedef struct leati_route {
    int from_vertex, from_place; /* place: index in the vertex's nodes */
    int to_vertex;
    unsigned input;
    const char *tag;
    const leat_type *type;
    leat_partitioning how; /* never FORWARD_OR_REBALANCE */
    leati_port_role role;  /* what it is to a loop: votes go from all heads to all */
    uint64_t loops;        /* bit i: rounds of loop i pass it */
    int first_channel;     /* of from.parallelism x to.parallelism, row by row; not all exist */
} leati_route;

typedef struct leati_placement {
    int vertex, subtask;
    int host;   /* 0: the main process; i: worker i */
    int runner; /* of that host */
} leati_placement;

typedef struct leati_plan {
    const leati_graph *graph;
    const leati_config *config;
    leati_op_info *infos; /* one per node; arguments are borrowed from the graph */
    char **ids;           /* theirs */
    int info_count;
    leati_vertex *vertices;
    int vertex_count;
    leati_route *routes;
    int route_count;
    leati_placement *tasks;
    int task_count;
    int channels; /* numbers given to possible channels */
    int workers;  /* 0: everything runs in the main process */
    /* Runners 0 ... of a host belong to the interpreter, the rest to native tasks. */
    int inside_runners;
    int native_runners;
    bool language;
    bool batch;       /* executed in batch, not as a stream */
    bool interpreter; /* this process has one */
} leati_plan;

/* Borrows graph and config for its life. */
leati_plan *leati_plan_new(const leati_graph *graph, const leati_config *config, leat_error *err);
void leati_plan_free(leati_plan *p);
/* How records pass an edge to the operator `to`; never FORWARD_OR_REBALANCE. */
leat_partitioning leati_plan_partitioning(const leati_plan *p, const leati_edge *e, int to);
/* node_ids.c: under which id each operator's state is stored. */
leat_status leati_plan_name_nodes(leati_plan *p);
char *leati_plan_json(const leati_plan *p);             /* allocated; NULL when memory ran out */
void leati_json_string(leati_buf *b, const char *text); /* in quotes, escaped */

/* Does the route join these two subtasks? */
bool leati_route_joins(const leati_plan *p, const leati_route *r, int from, int to);
static inline int leati_route_channel(const leati_plan *p, const leati_route *r, int from, int to) {
    return r->first_channel + from * p->vertices[r->to_vertex].parallelism + to;
}

#endif
