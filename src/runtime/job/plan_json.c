/* plan_json.c: the plan for people and programs: `nodes` as Flink's execution plan has them, and
   under `leat` what became of them: tasks, chains, hosts and reasons. */
#include <stdio.h>

#include "runtime/base/alloc.h"
#include "runtime/base/buf.h"
#include "runtime/job/plan.h"

void leati_json_string(leati_buf *b, const char *text) {
    leati_buf_u8(b, '"');
    for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
        if (*c == '"' || *c == '\\')
            leati_buf_printf(b, "\\%c", *c);
        else if (*c < 0x20)
            leati_buf_printf(b, "\\u%04x", *c);
        else
            leati_buf_u8(b, *c);
    }
    leati_buf_u8(b, '"');
}

static const char *strategy(const leati_plan *p, const leati_edge *e, int to) {
    static const char *const names[] = {"FORWARD", "FORWARD",   "HASH",   "REBALANCE", "RESCALE",
                                        "SHUFFLE", "BROADCAST", "GLOBAL", "CUSTOM"};
    return names[leati_plan_partitioning(p, e, to)];
}

static const char *pact(const leat_operator *op) {
    if (op->inputs == 0) return "Data Source";
    return op->flags & LEAT_OP_SINK ? "Data Sink" : "Operator";
}

/* Flink says what kind of end a source or sink is before its name. */
static const char *prefix(const leat_operator *op) {
    if (op->inputs == 0) return "Source: ";
    return op->flags & LEAT_OP_SINK ? "Sink: " : "";
}

static void put_edge(leati_buf *b, const leati_plan *p, const leati_edge *e, int to, bool first,
                     const char *side) {
    leati_buf_printf(b, "%s{ \"id\" : %d, \"ship_strategy\" : \"%s\", \"side\" : \"%s\" }",
                     first ? "" : ", ", leati_graph_node(p->graph, e->from)->id, strategy(p, e, to),
                     side);
}

static void put_predecessors(leati_buf *b, const leati_plan *p, int i) {
    const leati_node *n = p->graph->nodes[i];
    if (!n->input_count) return;
    leati_buf_text(b, ",\n      \"predecessors\" : [ ");
    for (size_t k = 0; k < n->input_count; k++)
        put_edge(b, p, &n->inputs[k], i, k == 0, n->inputs[k].input ? "first" : "second");
    for (size_t k = 0; k < n->feedback_count; k++)
        put_edge(b, p, &n->feedback[k], i, false, "feedback");
    leati_buf_text(b, " ]");
}

static void put_node(leati_buf *b, const leati_plan *p, int i) {
    const leati_node *n = p->graph->nodes[i];
    char *name = leati_format("%s%s", prefix(n->op), n->name);
    leati_buf_printf(b, "%s    {\n      \"id\" : %d,\n      \"type\" : ", i ? ",\n" : "", n->id);
    leati_json_string(b, name ? name : "");
    leati_buf_printf(b, ",\n      \"pact\" : \"%s\",\n      \"contents\" : ", pact(n->op));
    leati_json_string(b, n->description ? n->description : name ? name : "");
    leati_buf_printf(b, ",\n      \"parallelism\" : %d", p->infos[i].parallelism);
    put_predecessors(b, p, i);
    leati_buf_text(b, "\n    }");
    leati_free(name);
}

static void put_task(leati_buf *b, const leati_plan *p, const leati_vertex *v) {
    leati_buf_printf(b, "%s    {\n      \"chain\" : [ ", v->id ? ",\n" : "");
    for (int i = 0; i < v->count; i++)
        leati_buf_printf(b, "%s%d", i ? ", " : "", p->infos[v->nodes[i]].node);
    leati_buf_printf(b, " ],\n      \"parallelism\" : %d,\n      \"hosts\" : [ ", v->parallelism);
    for (int i = 0; i < v->parallelism; i++) {
        int host = p->tasks[v->first_task + i].host;
        if (host)
            leati_buf_printf(b, "%s\"worker %d\"", i ? ", " : "", host);
        else
            leati_buf_printf(b, "%s\"main\"", i ? ", " : "");
    }
    leati_buf_text(b, " ],\n      \"reason\" : ");
    leati_json_string(b, v->reason);
    if (v->waiting)
        leati_buf_printf(b, ",\n      \"input\" : \"%s\"",
                         v->by_key ? "sorted by key" : "behind the broadcast input");
    leati_buf_text(b, "\n    }");
}

char *leati_plan_json(const leati_plan *p) {
    leati_buf b;
    leati_buf_init(&b);
    leati_buf_text(&b, "{\n  \"nodes\" : [\n");
    for (int i = 0; i < p->info_count; i++) put_node(&b, p, i);
    leati_buf_text(&b, "\n  ],\n  \"leat\" : [\n");
    for (int i = 0; i < p->vertex_count; i++) put_task(&b, p, &p->vertices[i]);
    leati_buf_printf(&b, "\n  ],\n  \"runtime_mode\" : \"%s\"\n}\n",
                     p->batch ? "BATCH" : "STREAMING");
    return leati_buf_take(&b);
}
