/* graph.c: nodes, and their way to workers.

   On the wire: varint number of nodes; per node: operator's name, name, uid, description and slot
   group as blobs (empty: none), parallelism and max parallelism and buffer timeout as signed
   varints, u8 chaining, u8 bound, u8 bounded, type as a blob, arguments (params.c), varint number
   of inputs; per input: varint node, tag and its type as blobs (empty: main, unknown), u8
   partitioning, u8 input; varint number of feedback edges, in the form of inputs. Inputs come
   before who reads them, feedback edges do not. */
#include "runtime/job/graph.h"

#include "runtime/base/alloc.h"

const leati_bridge *leati_graph_bridge(const leati_graph *g, const char *language) {
    if (g->bridge && strcmp(g->bridge->language, language) == 0) return g->bridge;
    return leati_bridge_find(language);
}

leati_node *leati_graph_node(const leati_graph *g, int number) {
    return number >= 1 && (size_t)number <= g->count ? g->nodes[number - 1] : NULL;
}

leati_node *leati_node_new(const leat_operator *op) {
    leati_node *n = leati_zalloc(sizeof *n);
    leati_shared_args *shared = n ? leati_zalloc(sizeof *shared) : NULL;
    if (!shared) {
        leati_free(n);
        return NULL;
    }
    atomic_init(&shared->refs, 1);
    n->op = op;
    n->shared = shared;
    n->parallelism = op && op->flags & LEAT_OP_SINGLE ? 1 : -1;
    n->max_parallelism = -1;
    n->buffer_timeout = INT64_MIN;
    return n;
}

void leati_node_free(leati_node *n) {
    if (!n) return;
    if (n->shared && atomic_fetch_sub(&n->shared->refs, 1) == 1) {
        leati_args_fini(&n->shared->args, true);
        leati_free(n->shared);
    }
    leati_free(n->name);
    leati_free(n->uid);
    leati_free(n->description);
    leati_free(n->slot_group);
    leati_free(n->inputs);
    leati_free(n->feedback);
    leati_free(n);
}

void leati_graph_fini(leati_graph *g) {
    for (size_t i = 0; i < g->count; i++) leati_node_free(g->nodes[i]);
    for (size_t i = 0; i < g->tag_count; i++) leati_free(g->tags[i]);
    leati_free(g->nodes);
    leati_free(g->tags);
    memset(g, 0, sizeof *g);
}

const char *leati_graph_tag(leati_graph *g, const char *tag) {
    for (size_t i = 0; i < g->tag_count; i++)
        if (strcmp(g->tags[i], tag) == 0) return g->tags[i];
    char **tags = leati_resize(g->tags, (g->tag_count + 1) * sizeof *tags);
    if (!tags) return NULL;
    g->tags = tags;
    tags[g->tag_count] = leati_strdup(tag);
    return tags[g->tag_count] ? tags[g->tag_count++] : NULL;
}

/* --- what a job runs -------------------------------------------------------------------------- */

static bool copy_text(char **to, const char *from) {
    *to = leati_strdup(from);
    return *to || !from;
}

/* NULL when memory ran out. */
static leati_edge *copy_edges(const leati_edge *edges, size_t count, const int *numbers,
                              leati_graph *out) {
    leati_edge *copy = leati_zalloc((count + 1) * sizeof *copy);
    for (size_t i = 0; copy && i < count; i++) {
        copy[i] = edges[i];
        copy[i].from = numbers[edges[i].from - 1];
        if (!edges[i].tag || (copy[i].tag = leati_graph_tag(out, edges[i].tag))) continue;
        leati_free(copy);
        return NULL;
    }
    return copy;
}

static leati_node *node_copy(const leati_node *n, const int *numbers, leati_graph *out) {
    leati_node *copy = leati_memdup(n, sizeof *n);
    if (!copy) return NULL;
    atomic_fetch_add(&n->shared->refs, 1);
    copy->inputs = copy_edges(n->inputs, n->input_count, numbers, out);
    copy->feedback = copy_edges(n->feedback, n->feedback_count, numbers, out);
    bool ok = copy_text(&copy->name, n->name);
    ok &= copy_text(&copy->uid, n->uid);
    ok &= copy_text(&copy->description, n->description);
    ok &= copy_text(&copy->slot_group, n->slot_group);
    if (ok && copy->inputs && copy->feedback) return copy;
    leati_node_free(copy);
    return NULL;
}

/* True when a node behind `n` became needed, which a pass from the last to the first has missed. */
static bool mark_needed(const leati_node *n, int *numbers) {
    bool missed = false;
    for (size_t k = 0; k < n->input_count; k++) numbers[n->inputs[k].from - 1] = 1;
    for (size_t k = 0; k < n->feedback_count; k++) {
        missed |= !numbers[n->feedback[k].from - 1];
        numbers[n->feedback[k].from - 1] = 1;
    }
    return missed;
}

/* Numbers those that are needed, from 1; 0 stays for the others. Inputs come before who reads
   them. */
static int number_needed(const leati_graph *g, int *numbers) {
    int count = 0;
    for (bool missed = true; missed;) {
        missed = false;
        for (size_t i = g->count; i-- > 0;) {
            const leati_node *n = g->nodes[i];
            if (n->run && !numbers[i]) continue;
            numbers[i] = 1;
            missed |= mark_needed(n, numbers);
        }
    }
    for (size_t i = 0; i < g->count; i++)
        if (numbers[i]) numbers[i] = ++count;
    return count;
}

leat_status leati_graph_select(const leati_graph *g, leati_graph *out) {
    memset(out, 0, sizeof *out);
    int *numbers = leati_zalloc((g->count + 1) * sizeof *numbers);
    if (!numbers) return LEAT_E_NOMEM;
    int count = number_needed(g, numbers);
    out->nodes = leati_zalloc((size_t)(count + 1) * sizeof(leati_node *));
    out->bridge = g->bridge;
    bool ok = out->nodes != NULL;
    for (size_t i = 0; ok && i < g->count; i++) {
        if (!numbers[i]) continue;
        leati_node *copy = node_copy(g->nodes[i], numbers, out);
        if (copy) out->nodes[out->count++] = copy;
        ok = copy != NULL;
    }
    leati_free(numbers);
    if (ok) return LEAT_OK;
    leati_graph_fini(out);
    return LEAT_E_NOMEM;
}

void leati_graph_set_run(leati_graph *g) {
    for (size_t i = 0; i < g->count; i++) g->nodes[i]->run = true;
}

/* --- the wire --------------------------------------------------------------------------------- */

static void edges_encode(const leati_edge *edges, size_t count, leati_buf *out) {
    leati_buf_varint(out, count);
    for (size_t i = 0; i < count; i++) {
        const leati_edge *e = &edges[i];
        leati_buf_varint(out, (uint64_t)e->from);
        leati_buf_blob_text(out, e->tag);
        leati_buf_blob_text(out, e->tag_type ? e->tag_type->text : NULL);
        leati_buf_u8(out, (uint8_t)e->partitioning);
        leati_buf_u8(out, (uint8_t)e->input);
    }
}

static void node_encode(const leati_node *n, leati_buf *out) {
    leati_buf_blob_text(out, n->op->name);
    leati_buf_blob_text(out, n->name);
    leati_buf_blob_text(out, n->uid);
    leati_buf_blob_text(out, n->description);
    leati_buf_blob_text(out, n->slot_group);
    leati_buf_zigzag(out, n->parallelism);
    leati_buf_zigzag(out, n->max_parallelism);
    leati_buf_zigzag(out, n->buffer_timeout);
    leati_buf_u8(out, (uint8_t)n->chaining);
    leati_buf_u8(out, n->bound);
    leati_buf_u8(out, n->bounded);
    leati_buf_blob_text(out, n->output_type ? n->output_type->text : NULL);
    leati_args_encode(&n->shared->args, out);
    edges_encode(n->inputs, n->input_count, out);
    edges_encode(n->feedback, n->feedback_count, out);
}

void leati_graph_encode(const leati_graph *g, leati_buf *out) {
    leati_buf_varint(out, g->count);
    for (size_t i = 0; i < g->count; i++) node_encode(g->nodes[i], out);
}

/* Which nodes an edge may come from: `first` to `last`. */
static leat_status edge_decode(leati_graph *g, leati_edge *e, size_t first, size_t last,
                               leati_reader *in) {
    e->from = (int)leati_reader_varint(in);
    char *tag = leati_reader_text(in), *type = leati_reader_text(in);
    e->tag_type = type ? leat_type_parse(type, NULL) : NULL;
    leati_free(type);
    e->partitioning = (leat_partitioning)leati_reader_u8(in);
    e->input = leati_reader_u8(in);
    e->tag = tag ? leati_graph_tag(g, tag) : NULL;
    bool lost = tag && !e->tag;
    leati_free(tag);
    if (lost) return LEAT_E_NOMEM;
    bool wrong = in->failed || e->from < 1 || (size_t)e->from < first || (size_t)e->from > last ||
                 e->partitioning > LEAT_CUSTOM || e->input > 1;
    return wrong ? LEAT_E_FORMAT : LEAT_OK;
}

static leat_status edges_decode(leati_graph *g, leati_edge **edges, size_t *edge_count,
                                size_t first, size_t last, leati_reader *in) {
    size_t count = (size_t)leati_reader_varint(in);
    if (in->failed || count > leati_reader_left(in)) return LEAT_E_FORMAT;
    *edges = leati_zalloc((count + 1) * sizeof **edges);
    if (!*edges) return LEAT_E_NOMEM;
    *edge_count = count;
    leat_status status = LEAT_OK;
    for (size_t i = 0; i < count && status >= 0; i++)
        status = edge_decode(g, &(*edges)[i], first, last, in);
    return status;
}

/* Of a graph that will have `total` nodes. */
static leat_status node_decode(leati_graph *g, leati_node *n, size_t total, leati_reader *in,
                               leat_error *err) {
    char *op = leati_reader_text(in);
    n->op = op ? leat_operator_find(op) : NULL;
    leat_status status =
        n->op ? LEAT_OK
              : leat_error_set(err, LEAT_E_NOT_FOUND, op ? op : "operator",
                               "this process does not know the operator; register it there, too");
    leati_free(op);
    if (status < 0) return status;
    n->name = leati_reader_text(in);
    n->uid = leati_reader_text(in);
    n->description = leati_reader_text(in);
    n->slot_group = leati_reader_text(in);
    n->parallelism = (int)leati_reader_zigzag(in);
    n->max_parallelism = (int)leati_reader_zigzag(in);
    n->buffer_timeout = leati_reader_zigzag(in);
    n->chaining = (leati_chaining)leati_reader_u8(in);
    n->bound = leati_reader_u8(in);
    n->bounded = leati_reader_u8(in);
    char *type = leati_reader_text(in);
    if (type && !(n->output_type = leat_type_parse(type, err))) status = err->status;
    leati_free(type);
    if (status >= 0) status = leati_args_decode(&n->shared->args, n->op, in, err);
    size_t own = g->count;
    if (status >= 0) status = edges_decode(g, &n->inputs, &n->input_count, 1, own - 1, in);
    if (status >= 0) status = edges_decode(g, &n->feedback, &n->feedback_count, own, total, in);
    bool head = n->op->flags & LEAT_OP_LOOP;
    return status >= 0 && n->feedback_count && !head ? LEAT_E_FORMAT : status;
}

leat_status leati_graph_decode(leati_graph *out, leati_reader *in, leat_error *err) {
    *out = (leati_graph){0};
    err->status = LEAT_OK;
    uint64_t count = leati_reader_varint(in);
    leat_status status = in->failed || count > leati_reader_left(in) ? LEAT_E_FORMAT : LEAT_OK;
    if (status >= 0) out->nodes = leati_zalloc((count + 1) * sizeof *out->nodes);
    for (uint64_t i = 0; out->nodes && i < count && status >= 0; i++) {
        leati_node *n = leati_node_new(NULL);
        if (!n) {
            status = LEAT_E_NOMEM;
            break;
        }
        n->id = (int)i + 1;
        out->nodes[out->count++] = n;
        status = node_decode(out, n, count, in, err);
    }
    if (status >= 0 && in->failed) status = LEAT_E_FORMAT;
    if (status >= 0) return LEAT_OK;
    leati_graph_fini(out);
    if (err->status == LEAT_OK)
        leat_error_set(err, status, "job", "the job's description is damaged");
    return status;
}
