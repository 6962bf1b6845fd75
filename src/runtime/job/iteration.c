/* iteration.c: leat_iteration_close, which gives the head of a loop its feedback edges, the only
   ones of a graph that lead back; and leat_iteration_feedback, which makes another head of it. */
#include "runtime/base/alloc.h"
#include "runtime/job/env.h"

/* The head behind a stream that iterate answered; NULL for another. */
static leati_node *head_of(const leat_stream *loop) {
    const leati_part *part = &loop->parts[0];
    leati_node *n = leati_graph_node(&loop->env->blue->graph, part->node);
    return loop->part_count == 1 && !part->tag && n->op->flags & LEAT_OP_LOOP ? n : NULL;
}

/* Which nodes are behind the head, itself included: allocated, NULL when memory ran out. */
static bool *behind(const leati_graph *g, int head) {
    bool *reached = leati_zalloc((g->count + 1) * sizeof *reached);
    if (reached) reached[head] = true;
    for (int i = head + 1; reached && i <= (int)g->count; i++) {
        const leati_node *n = leati_graph_node(g, i);
        for (size_t k = 0; k < n->input_count; k++) reached[i] |= reached[n->inputs[k].from];
    }
    return reached;
}

static const leat_type *part_type(const leati_graph *g, const leati_part *part) {
    return part->tag ? part->tag_type : leati_graph_node(g, part->node)->output_type;
}

/* A stream of objects takes native values, too. */
static bool takes_any(const leat_type *type) {
    return !type || type->tag == LEAT_T_PICKLED;
}

static leat_status check_part(leat_env *env, const leati_node *head, const bool *reached,
                              const leati_part *part) {
    const leati_graph *g = &env->blue->graph;
    bool apart = !(head->op->flags & LEAT_OP_SAME_TYPE);
    const leat_type *wanted = apart ? head->feedback_type : head->output_type;
    const leat_type *type = part_type(g, part);
    const char *name = leati_graph_node(g, part->node)->name;
    if (!reached[part->node]) {
        leati_env_fail(env, LEAT_E_ARGUMENT, head->name,
                       "the loop can't be closed with '%s', which does not come from it", name);
        return LEAT_E_ARGUMENT;
    }
    if (takes_any(wanted) || !type || strcmp(wanted->text, type->text) == 0) return LEAT_OK;
    leati_env_fail(env, LEAT_E_TYPE, head->name, "what comes back has to be %s, and '%s' gives %s",
                   wanted->text, name, type->text);
    return LEAT_E_TYPE;
}

static leat_status close_loop(leat_env *env, leati_node *head, const leat_stream *feedback) {
    size_t count = feedback->part_count;
    bool *reached = behind(&env->blue->graph, head->id);
    leati_edge *edges = leati_zalloc(count * sizeof *edges);
    leat_status status = reached && edges ? LEAT_OK : LEAT_E_NOMEM;
    if (status < 0) leati_env_fail(env, status, head->name, "no memory");
    for (size_t i = 0; i < count && status >= 0; i++)
        status = check_part(env, head, reached, &feedback->parts[i]);
    leati_free(reached);
    if (status < 0) {
        leati_free(edges);
        return status;
    }
    for (size_t i = 0; i < count; i++) {
        const leati_part *part = &feedback->parts[i];
        edges[i] = (leati_edge){.from = part->node,
                                .tag = part->tag,
                                .tag_type = part->tag_type,
                                .partitioning = part->partitioning,
                                .input = 1};
    }
    head->feedback = edges;
    head->feedback_count = count;
    return LEAT_OK;
}

/* The head, when it is one that may still be changed; else the env has the error. */
static leati_node *open_head(const leat_stream *loop, const char *verb) {
    leati_node *head = head_of(loop);
    if (!head)
        leati_env_fail(loop->env, LEAT_E_ARGUMENT, verb,
                       "the stream is not what leat_stream_iterate answered");
    else if (head->feedback_count)
        leati_env_fail(loop->env, LEAT_E_STATE, head->name,
                       "the loop is closed; unite what is to come back and close it once");
    return head && !head->feedback_count ? head : NULL;
}

leat_stream *leat_iteration_close(leat_stream *loop, leat_stream *feedback) {
    leat_env *env = loop ? loop->env : feedback ? feedback->env : NULL;
    if (!env) return NULL;
    if (!loop || !feedback || !loop->part_count || !feedback->part_count)
        return leati_stream_new(env, NULL, 0);
    leati_node *head = open_head(loop, "leat_iteration_close");
    if (!head) return leati_stream_new(env, NULL, 0);
    if (feedback->env != env)
        return leati_env_fail(env, LEAT_E_ARGUMENT, head->name, "a stream of another environment");
    return close_loop(env, head, feedback) < 0 ? leati_stream_new(env, NULL, 0) : feedback;
}

leat_stream *leat_iteration_feedback(leat_stream *loop, const char *type) {
    if (!loop) return NULL;
    if (!loop->part_count) return leati_stream_new(loop->env, NULL, 0);
    leati_node *head = open_head(loop, "leat_iteration_feedback");
    leat_error err;
    const leat_type *parsed = head && type ? leat_type_parse(type, &err) : NULL;
    if (head && type && !parsed)
        return leati_env_fail(loop->env, err.status, head->name, "%s", err.text);
    if (!head) return leati_stream_new(loop->env, NULL, 0);
    head->op = leat_operator_find("connected_iterate");
    head->feedback_type = parsed;
    leat_stream *side = leat_stream_side_output(loop, "feedback");
    return type ? leat_stream_returns(side, type) : side;
}
