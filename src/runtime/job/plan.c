/* plan.c: see plan.h. Nodes come in the order of building, which is topological: an operator can
   only read streams that exist. Chaining, closures and numbers are one pass over them each. */
#include "runtime/job/plan.h"

#include "runtime/job/runtime_mode.h"

#include <assert.h>
#include <unistd.h>

#include "runtime/base/alloc.h"
#include "runtime/job/loops.h"

/* Where each node went while vertices are formed. */
typedef struct seat {
    int vertex, place;
} seat;

static int64_t at_most(int64_t a, int64_t b) {
    return a < b ? a : b;
}

/* --- operators -------------------------------------------------------------------------------- */

static const leat_type *input_type(const leati_graph *g, const leati_edge *e) {
    return e->tag ? e->tag_type : leati_graph_node(g, e->from)->output_type;
}

static const leat_type *key_type(const leati_graph *g, const leati_edge *e) {
    const leati_node *from = leati_graph_node(g, e->from);
    bool keys = from->op->flags & LEAT_OP_SETS_KEY;
    const char *text = keys ? leati_args_string(&from->shared->args, "key_type") : NULL;
    leat_error err;
    return text ? leat_type_parse(text, &err) : NULL; /* key_by complains of a wrong one */
}

/* Who only says where records go stands where they come from, as in Flink, where it is no operator
   of its own: records of one key keep their order on the way to it. */
static bool is_aligned(const leat_operator *op) {
    return op->flags & (LEAT_OP_SETS_KEY | LEAT_OP_SETS_TARGET);
}

static int parallelism_of(const leati_plan *p, const leati_node *n) {
    int largest = 0;
    if (n->parallelism > 0) return n->parallelism;
    for (size_t i = 0; is_aligned(n->op) && i < n->input_count; i++) {
        int before = p->infos[n->inputs[i].from - 1].parallelism;
        if (before > largest) largest = before;
    }
    return largest ? largest : (int)leati_config_int(p->config, "parallelism.default");
}

static void fill_info(leati_plan *p, const leati_node *n, leati_op_info *info) {
    info->op = n->op;
    info->name = n->name;
    info->uid = n->uid;
    info->node = n->id;
    info->args = &n->shared->args;
    info->output_type = n->output_type;
    info->parallelism = parallelism_of(p, n);
    info->max_parallelism = n->max_parallelism > 0
                                ? n->max_parallelism
                                : (int)leati_config_int(p->config, "pipeline.max-parallelism");
    info->keyed = n->input_count > 0;
    for (size_t i = 0; i < n->input_count; i++) {
        info->input_types[n->inputs[i].input] = input_type(p->graph, &n->inputs[i]);
        bool broadcast = n->op->flags & LEAT_OP_BROADCAST && n->inputs[i].input == 1;
        info->keyed &= broadcast || n->inputs[i].partitioning == LEAT_HASH;
        if (!info->key_type && !broadcast) info->key_type = key_type(p->graph, &n->inputs[i]);
    }
    if (n->feedback_count) info->input_types[1] = input_type(p->graph, &n->feedback[0]);
}

static leat_status check_parallelism(const leati_op_info *info, leat_error *err) {
    if (info->parallelism <= info->max_parallelism) return LEAT_OK;
    return leat_error_set(err, LEAT_E_ARGUMENT, info->name,
                          "parallelism %d is above the maximum of %d; raise "
                          "pipeline.max-parallelism or set_max_parallelism",
                          info->parallelism, info->max_parallelism);
}

/* Under its uid an operator's state is stored, so no other may have it. */
static leat_status check_uid(const leati_plan *p, int at, leat_error *err) {
    const leati_op_info *info = &p->infos[at];
    for (int i = 0; info->uid && i < at; i++)
        if (p->infos[i].uid && strcmp(p->infos[i].uid, info->uid) == 0)
            return leat_error_set(err, LEAT_E_ARGUMENT, "plan",
                                  "the uid '%s' is that of two operators, '%s' and '%s'; give each "
                                  "its own",
                                  info->uid, p->infos[i].name, info->name);
    return LEAT_OK;
}

static leat_status fill_infos(leati_plan *p, leat_error *err) {
    leat_status status = LEAT_OK;
    p->info_count = (int)p->graph->count;
    p->infos = leati_zalloc((size_t)p->info_count * sizeof *p->infos + 1);
    if (!p->infos) return leat_error_set(err, LEAT_E_NOMEM, "plan", "no memory");
    for (int i = 0; i < p->info_count && status >= 0; i++) {
        fill_info(p, p->graph->nodes[i], &p->infos[i]);
        status = check_uid(p, i, err);
        p->language |= leati_args_language(&p->graph->nodes[i]->shared->args) != NULL;
    }
    if (status >= 0 && leati_plan_name_nodes(p) < 0)
        status = leat_error_set(err, LEAT_E_NOMEM, "plan", "no memory");
    if (status < 0) return status;
    leati_loops_set_parallelism(p);
    for (int i = 0; i < p->info_count; i++) /* those behind heads that have another one now */
        p->infos[i].parallelism = is_aligned(p->infos[i].op) ? parallelism_of(p, p->graph->nodes[i])
                                                             : p->infos[i].parallelism;
    for (int i = 0; i < p->info_count && status >= 0; i++)
        status = check_parallelism(&p->infos[i], err);
    return status < 0 ? status : leati_loops_find(p, err);
}

/* --- chaining --------------------------------------------------------------------------------- */

static bool in_process_mode(const leati_plan *p) {
    return strcmp(leati_config_get(p->config, "python.execution-mode"), "process") == 0;
}

static bool host_bound(const leati_plan *p, const leati_node *n) {
    bool workers = p->language && in_process_mode(p);
    return workers && (n->op->flags & LEAT_OP_HOST || n->bound);
}

leat_partitioning leati_plan_partitioning(const leati_plan *p, const leati_edge *e, int to) {
    bool equal = p->infos[e->from - 1].parallelism == p->infos[to].parallelism;
    bool open = e->partitioning == LEAT_FORWARD_OR_REBALANCE;
    if (equal && (open || is_aligned(p->infos[to].op))) return LEAT_FORWARD;
    return open ? LEAT_REBALANCE : e->partitioning;
}

static bool same_group(const leati_node *a, const leati_node *b) {
    const char *x = a->slot_group ? a->slot_group : "default";
    const char *y = b->slot_group ? b->slot_group : "default";
    return strcmp(x, y) == 0;
}

static bool chains(const leati_plan *p, int to) {
    const leati_node *n = p->graph->nodes[to];
    if (n->input_count != 1 || n->op->inputs != 1 || n->feedback_count) return false;
    if (n->chaining != LEATI_CHAIN_ALWAYS || n->op->flags & LEAT_OP_HEAD) return false;
    if (!leati_config_bool(p->config, "pipeline.operator-chaining.enabled")) return false;
    const leati_edge *e = &n->inputs[0];
    const leati_node *from = leati_graph_node(p->graph, e->from);
    return from->chaining != LEATI_CHAIN_NEVER &&
           leati_plan_partitioning(p, e, to) == LEAT_FORWARD &&
           p->infos[e->from - 1].parallelism == p->infos[to].parallelism &&
           host_bound(p, from) == host_bound(p, n) && same_group(from, n);
}

static leat_status vertex_push(leati_vertex *v, int node, int parent) {
    size_t bytes = (size_t)(v->count + 1) * sizeof(int);
    int *nodes = leati_resize(v->nodes, bytes);
    if (nodes) v->nodes = nodes;
    int *parents = leati_resize(v->parents, bytes);
    if (parents) v->parents = parents;
    if (!nodes || !parents) return LEAT_E_NOMEM;
    nodes[v->count] = node;
    parents[v->count++] = parent;
    return LEAT_OK;
}

/* Functions of a language that give their results later. */
static bool has_calls(const leati_node *n) {
    bool language = leati_args_language(&n->shared->args) != NULL, async = false;
    for (const leat_param *param = n->op->params; param && param->name; param++)
        async |= param->role == LEAT_ROLE_ASYNC;
    return language && async;
}

static void join_vertex(leati_plan *p, leati_vertex *v, int node) {
    const leati_node *n = p->graph->nodes[node];
    v->language |= leati_args_language(&n->shared->args) != NULL;
    v->host_bound |= host_bound(p, n);
    v->calls |= has_calls(n);
}

static leat_status form_vertices(leati_plan *p, seat *seats) {
    p->vertices = leati_zalloc((size_t)p->info_count * sizeof *p->vertices + 1);
    leat_status status = p->vertices ? LEAT_OK : LEAT_E_NOMEM;
    for (int i = 0; i < p->info_count && status >= 0; i++) {
        leati_vertex *v;
        int parent = -1;
        if (chains(p, i)) {
            seat up = seats[p->graph->nodes[i]->inputs[0].from - 1];
            v = &p->vertices[up.vertex];
            parent = up.place;
        } else {
            v = &p->vertices[p->vertex_count];
            v->id = p->vertex_count++;
            v->parallelism = p->infos[i].parallelism;
            v->max_parallelism = p->infos[i].max_parallelism;
            v->source = p->infos[i].op->inputs == 0;
            v->waiting = p->batch ? leati_runtime_waiting(&p->infos[i]) : 0;
            v->by_key = v->waiting && p->infos[i].keyed;
        }
        seats[i] = (seat){v->id, v->count};
        status = vertex_push(v, i, parent);
        join_vertex(p, v, i);
    }
    return status;
}

/* --- routes ----------------------------------------------------------------------------------- */

/* A custom partitioner gives one target for all who read it. */
static bool same_targets(const leati_plan *p, const leati_route *r) {
    int targets = p->vertices[r->to_vertex].parallelism;
    for (const leati_route *other = p->routes; other < r; other++)
        if (other->from_vertex == r->from_vertex && other->from_place == r->from_place &&
            other->how == LEAT_CUSTOM && p->vertices[other->to_vertex].parallelism != targets)
            return false;
    return true;
}

/* Along streams go the rounds of all loops that both ends are part of, along feedback those of the
   loop that it closes. */
static uint64_t loops_of(const leati_plan *p, const leati_edge *e, int to, leati_port_role role) {
    int own = leati_loop_number(p->graph, to);
    if (role == LEATI_PORT_FEEDBACK) return (uint64_t)1 << own;
    return p->infos[e->from - 1].loops & p->infos[to].loops;
}

static leat_status add_route(leati_plan *p, const seat *seats, const leati_edge *e, int to,
                             leati_port_role role, leat_error *err) {
    seat from = seats[e->from - 1];
    leati_route *r = &p->routes[p->route_count++];
    const leati_vertex *a = &p->vertices[from.vertex], *b = &p->vertices[seats[to].vertex];
    *r = (leati_route){.from_vertex = a->id,
                       .from_place = from.place,
                       .to_vertex = b->id,
                       .input = e->input,
                       .tag = e->tag,
                       .type = input_type(p->graph, e),
                       .how = leati_plan_partitioning(p, e, to),
                       .role = role,
                       .loops = loops_of(p, e, to, role),
                       .first_channel = p->channels};
    p->channels += a->parallelism * b->parallelism;
    if (r->how == LEAT_CUSTOM && !same_targets(p, r))
        return leat_error_set(err, LEAT_E_ARGUMENT, p->infos[to].name,
                              "readers of one custom partitioning need the same parallelism; "
                              "partition once for each of them");
    if (r->how != LEAT_FORWARD || a->parallelism == b->parallelism) return LEAT_OK;
    return leat_error_set(err, LEAT_E_ARGUMENT, p->infos[to].name,
                          "forward partitioning needs equal parallelisms, and '%s' has %d while "
                          "'%s' has %d; use rebalance",
                          p->infos[e->from - 1].name, a->parallelism, p->infos[to].name,
                          b->parallelism);
}

/* From every subtask of a head to every one. */
static void add_votes(leati_plan *p, const leati_vertex *v) {
    p->routes[p->route_count++] = (leati_route){.from_vertex = v->id,
                                                .to_vertex = v->id,
                                                .how = LEAT_BROADCAST,
                                                .role = LEATI_PORT_VOTE,
                                                .first_channel = p->channels};
    p->channels += v->parallelism * v->parallelism;
}

static leat_status add_feedback(leati_plan *p, const seat *seats, int head, leat_error *err) {
    const leati_node *n = p->graph->nodes[head];
    leat_status status = LEAT_OK;
    for (size_t k = 0; k < n->feedback_count && status >= 0; k++)
        status = add_route(p, seats, &n->feedback[k], head, LEATI_PORT_FEEDBACK, err);
    if (n->feedback_count) add_votes(p, &p->vertices[seats[head].vertex]);
    return status;
}

static leat_status form_routes(leati_plan *p, const seat *seats, leat_error *err) {
    size_t edges = (size_t)leati_loop_count(p->graph);
    for (int i = 0; i < p->info_count; i++) {
        const leati_node *n = p->graph->nodes[i];
        edges += n->input_count + n->feedback_count;
    }
    p->routes = leati_zalloc((edges + 1) * sizeof *p->routes);
    leat_status status = p->routes ? LEAT_OK : LEAT_E_NOMEM;
    for (int i = 0; i < p->info_count && status >= 0; i++) {
        const leati_node *n = p->graph->nodes[i];
        for (size_t k = 0; k < n->input_count && status >= 0; k++) {
            bool chained = seats[i].place > 0;
            if (!chained) status = add_route(p, seats, &n->inputs[k], i, LEATI_PORT_STREAM, err);
        }
        if (status >= 0) status = add_feedback(p, seats, i, err);
    }
    return status;
}

/* As Flink's rescale: each of the fewer has its own share of the more. */
static bool rescale_joins(int from, int from_count, int to, int to_count) {
    if (from_count >= to_count) return (int64_t)from * to_count / from_count == to;
    return (int64_t)to * from_count / to_count == from;
}

/* A global partitioning joins all, too: its records go to the first, but everybody must hear the
   signals. */
bool leati_route_joins(const leati_plan *p, const leati_route *r, int from, int to) {
    switch (r->how) {
    case LEAT_FORWARD: return from == to;
    case LEAT_RESCALE:
        return rescale_joins(from, p->vertices[r->from_vertex].parallelism, to,
                             p->vertices[r->to_vertex].parallelism);
    default: return true;
    }
}

/* --- placement -------------------------------------------------------------------------------- */

static int largest_parallelism(const leati_plan *p) {
    int largest = 1;
    for (int i = 0; i < p->vertex_count; i++)
        if (p->vertices[i].parallelism > largest) largest = p->vertices[i].parallelism;
    return largest;
}

/* Values without a native form are objects of a language: those of no type, and numbers of any
   size. */
static bool may_be_object(const leat_type *type) {
    if (type->tag == LEAT_T_PICKLED || type->tag == LEAT_T_BIG_INT || type->tag == LEAT_T_BIG_DEC)
        return true;
    for (uint32_t i = 0; i < type->size; i++)
        if (may_be_object(type->items[i])) return true;
    return false;
}

static bool meets_objects(const leati_plan *p, const leati_vertex *v) {
    for (int i = 0; i < v->count; i++) {
        const leati_op_info *info = &p->infos[v->nodes[i]];
        const leat_type *type = info->input_types[0];
        if (info->op->flags & LEAT_OP_OBJECTS && type && may_be_object(type)) return true;
    }
    return false;
}

static bool is_elsewhere(const leati_plan *p, const leati_vertex *v) {
    return p->workers && !v->host_bound;
}

/* What an interpreter's task feeds in its own process runs on the same runner and gets objects;
   what it feeds in the main process runs inside that one's interpreter, if it has one, and can read
   objects. */
static void spread_inside(leati_plan *p) {
    for (int i = 0; i < p->vertex_count; i++) {
        leati_vertex *v = &p->vertices[i];
        v->inside = v->language || (p->interpreter && !is_elsewhere(p, v) && meets_objects(p, v));
    }
    for (bool more = true; more;) {
        more = false;
        for (int i = 0; i < p->route_count; i++) {
            const leati_vertex *a = &p->vertices[p->routes[i].from_vertex];
            leati_vertex *b = &p->vertices[p->routes[i].to_vertex];
            bool same = a->host_bound == b->host_bound || !p->workers;
            if (!a->inside || b->inside || !(same || p->interpreter)) continue;
            b->inside = more = true;
        }
    }
}

static const char *reason(const leati_plan *p, const leati_vertex *v) {
    if (!p->workers && v->language) return "python.execution-mode is thread";
    if (!p->workers && v->inside) return "fed by a task of this interpreter";
    if (!p->workers) return p->language ? "native, in the main process" : "no function in Python";
    if (v->host_bound) return "bound to the host program";
    if (v->language) return "python.execution-mode is process";
    return v->inside ? "fed by a task of this worker" : "native, next to its peers in a worker";
}

/* Of a language's runners the first has its event loop. */
static void place(leati_plan *p, const leati_vertex *v) {
    int first = v->inside ? 0 : p->inside_runners;
    int count = v->calls ? 1 : v->inside ? p->inside_runners : p->native_runners;
    assert(count > 0);
    for (int i = 0; i < v->parallelism; i++) {
        leati_placement *t = &p->tasks[v->first_task + i];
        t->vertex = v->id;
        t->subtask = i;
        t->host = p->workers && !v->host_bound ? 1 + i % p->workers : 0;
        t->runner = first + i % count;
    }
}

static leat_status place_all(leati_plan *p) {
    int cores = (int)sysconf(_SC_NPROCESSORS_ONLN);
    int largest = largest_parallelism(p);
    if (p->language && in_process_mode(p))
        p->workers = (int)at_most(leati_config_int(p->config, "python.worker.pool-size"), largest);
    p->inside_runners = p->language || p->interpreter
                            ? (int)leati_config_int(p->config, "python.thread.runners")
                            : 0;
    p->native_runners = (int)at_most(cores > 0 ? cores : 1, largest);
    spread_inside(p);
    for (int i = 0; i < p->vertex_count; i++) {
        p->vertices[i].first_task = p->task_count;
        p->vertices[i].reason = reason(p, &p->vertices[i]);
        p->task_count += p->vertices[i].parallelism;
    }
    p->tasks = leati_zalloc((size_t)p->task_count * sizeof *p->tasks + 1);
    if (!p->tasks) return LEAT_E_NOMEM;
    for (int i = 0; i < p->vertex_count; i++) place(p, &p->vertices[i]);
    return LEAT_OK;
}

leati_plan *leati_plan_new(const leati_graph *graph, const leati_config *config, leat_error *err) {
    leati_plan *p = leati_zalloc(sizeof *p);
    seat *seats = leati_zalloc((graph->count + 1) * sizeof *seats);
    leat_error own = {.status = LEAT_E_NOMEM, .where = "plan", .text = "no memory"};
    leat_status status = p && seats ? LEAT_OK : LEAT_E_NOMEM;
    if (p) {
        p->graph = graph;
        p->config = config;
        p->interpreter = leati_graph_bridge(graph, "python") != NULL;
    }
    if (status >= 0) status = leati_runtime_mode(graph, config, &p->batch, &own);
    if (status >= 0) status = fill_infos(p, &own);
    if (status >= 0) status = form_vertices(p, seats);
    if (status >= 0) status = form_routes(p, seats, &own);
    if (status >= 0) status = place_all(p);
    leati_free(seats);
    if (status >= 0) return p;
    leati_plan_free(p);
    if (err) *err = own;
    return NULL;
}

void leati_plan_free(leati_plan *p) {
    if (!p) return;
    for (int i = 0; i < p->vertex_count; i++) {
        leati_free(p->vertices[i].nodes);
        leati_free(p->vertices[i].parents);
    }
    leati_free(p->vertices);
    leati_free(p->routes);
    leati_free(p->tasks);
    for (int i = 0; p->ids && i < p->info_count; i++) leati_free(p->ids[i]);
    leati_free(p->ids);
    leati_free(p->infos);
    leati_free(p);
}
