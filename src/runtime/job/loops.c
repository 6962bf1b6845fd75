/* loops.c: see loops.h.

   The graph has no cycles but for the feedback edges of heads, so the nodes that a head reaches are
   found in one pass. The body of a loop is what its head reaches and what leads back to the head
   over no other feedback edges than those of heads that it reaches itself: its own, and those of
   the loops within it. Rounds (flow/rounds.h) go along all edges between nodes of the body, so each
   of these gets them from all that it reads within the body.

   Two loops are one within the other when one head reaches the other. Then the inner head holds the
   rounds of the outer loop until the inner loop is at rest, and that is worth something only if
   nothing of the outer loop's comes into the inner one but through its head. */
#include "runtime/job/loops.h"

#include "runtime/base/alloc.h"
#include "runtime/flow/rounds.h"

static bool is_head(const leati_graph *g, int i) {
    return g->nodes[i]->op->flags & LEAT_OP_LOOP;
}

int leati_loop_number(const leati_graph *g, int i) {
    int number = 0;
    if (!is_head(g, i)) return -1;
    for (int k = 0; k < i; k++) number += is_head(g, k);
    return number;
}

int leati_loop_count(const leati_graph *g) {
    int count = 0;
    for (size_t i = 0; i < g->count; i++) count += is_head(g, (int)i);
    return count;
}

/* From the last to the first, so that what comes back from a loop within has its own. */
void leati_loops_set_parallelism(leati_plan *p) {
    for (int i = p->info_count; i-- > 0;) {
        const leati_node *n = p->graph->nodes[i];
        if (!n->feedback_count || n->parallelism > 0) continue;
        p->infos[i].parallelism = p->infos[n->feedback[0].from - 1].parallelism;
    }
}

/* --- sets of nodes ---------------------------------------------------------------------------- */

typedef struct loop_sets {
    int count, loops;
    int *heads;    /* by loop: a node */
    bool *reached; /* [loop][node]: by forward edges from the head; the head, too */
    bool *body;    /* [loop][node] */
    bool *all;     /* [loop][node]: by edges of all kinds from the head */
} loop_sets;

static bool *row(const loop_sets *s, bool *set, int loop) {
    return set + (size_t)loop * (size_t)s->count;
}

static bool reads_any(const leati_node *n, const bool *set) {
    for (size_t k = 0; k < n->input_count; k++)
        if (set[n->inputs[k].from - 1]) return true;
    return false;
}

static bool gets_back_any(const leati_node *n, const bool *set) {
    for (size_t k = 0; k < n->feedback_count; k++)
        if (set[n->feedback[k].from - 1]) return true;
    return false;
}

static void find_reached(const leati_graph *g, const loop_sets *s, int loop) {
    bool *reached = row(s, s->reached, loop), *all = row(s, s->all, loop);
    reached[s->heads[loop]] = all[s->heads[loop]] = true;
    for (int i = s->heads[loop] + 1; i < s->count; i++)
        reached[i] = reads_any(g->nodes[i], reached);
    for (bool more = true; more;) {
        more = false;
        for (int i = 0; i < s->count; i++) {
            const leati_node *n = g->nodes[i];
            if (all[i] || !(reads_any(n, all) || gets_back_any(n, all))) continue;
            all[i] = more = true;
        }
    }
}

/* Adds the nodes that `edges` come from; answers whether any is new. */
static bool add_sources(const leati_edge *edges, size_t count, bool *set) {
    bool more = false;
    for (size_t k = 0; k < count; k++) {
        more |= !set[edges[k].from - 1];
        set[edges[k].from - 1] = true;
    }
    return more;
}

static void find_body(const leati_graph *g, const loop_sets *s, int loop) {
    const bool *reached = row(s, s->reached, loop);
    bool *body = row(s, s->body, loop);
    body[s->heads[loop]] = true;
    for (bool more = true; more;) {
        more = false;
        for (int i = s->count; i-- > 0;) {
            const leati_node *n = g->nodes[i];
            if (!body[i]) continue;
            more |= add_sources(n->inputs, n->input_count, body);
            if (reached[i]) more |= add_sources(n->feedback, n->feedback_count, body);
        }
    }
    for (int i = 0; i < s->count; i++) body[i] &= reached[i];
}

/* --- refusals --------------------------------------------------------------------------------- */

static leat_status check_closed(const leati_graph *g, const loop_sets *s, int loop,
                                leat_error *err) {
    const leati_node *head = g->nodes[s->heads[loop]];
    if (!head->feedback_count)
        return leat_error_set(err, LEAT_E_STATE, head->name,
                              "the loop was never closed; call close_with on what iterate "
                              "answered, with the stream that is to come back");
    for (size_t k = 0; k < head->feedback_count; k++)
        if (!row(s, s->body, loop)[head->feedback[k].from - 1])
            return leat_error_set(err, LEAT_E_ARGUMENT, head->name,
                                  "what comes back does not come from the loop");
    return LEAT_OK;
}

static leat_status check_pair(const leati_graph *g, const loop_sets *s, int outer, int inner,
                              leat_error *err) {
    int a = s->heads[outer], b = s->heads[inner];
    const bool *out = row(s, s->body, outer), *in = row(s, s->body, inner);
    bool both_ways = row(s, s->all, outer)[b] && row(s, s->all, inner)[a];
    if (both_ways && !row(s, s->reached, outer)[b] && !row(s, s->reached, inner)[a])
        return leat_error_set(err, LEAT_E_UNSUPPORTED, g->nodes[b]->name,
                              "the loop and '%s' cross each other; put one within the other",
                              g->nodes[a]->name);
    for (int i = 0; out[b] && i < s->count; i++) {
        const leati_node *n = g->nodes[i];
        for (size_t k = 0; in[i] && i != b && k < n->input_count; k++) {
            int from = n->inputs[k].from - 1;
            if (!out[from] || in[from]) continue;
            return leat_error_set(err, LEAT_E_UNSUPPORTED, n->name,
                                  "it is in the loop '%s', and reads '%s', which is outside of "
                                  "that but in the loop around it; let all of it enter at '%s'",
                                  g->nodes[b]->name, g->nodes[from]->name, g->nodes[b]->name);
        }
    }
    return LEAT_OK;
}

static leat_status check(const leati_graph *g, const loop_sets *s, leat_error *err) {
    leat_status status = LEAT_OK;
    for (int i = 0; i < s->loops && status >= 0; i++) {
        status = check_closed(g, s, i, err);
        for (int k = 0; k < s->loops && status >= 0; k++)
            if (k != i) status = check_pair(g, s, i, k, err);
    }
    return status;
}

/* --- the whole -------------------------------------------------------------------------------- */

static bool sets_init(loop_sets *s, const leati_graph *g) {
    size_t cells = (size_t)s->loops * (size_t)s->count;
    s->heads = leati_zalloc((size_t)s->loops * sizeof *s->heads);
    s->reached = leati_zalloc(cells);
    s->body = leati_zalloc(cells);
    s->all = leati_zalloc(cells);
    if (!s->heads || !s->reached || !s->body || !s->all) return false;
    for (int i = 0; i < s->count; i++)
        if (is_head(g, i)) s->heads[leati_loop_number(g, i)] = i;
    return true;
}

static void sets_fini(loop_sets *s) {
    leati_free(s->heads);
    leati_free(s->reached);
    leati_free(s->body);
    leati_free(s->all);
}

leat_status leati_loops_find(leati_plan *p, leat_error *err) {
    const leati_graph *g = p->graph;
    loop_sets s = {.count = (int)g->count, .loops = leati_loop_count(g)};
    if (!s.loops) return LEAT_OK;
    if (p->batch)
        return leat_error_set(err, LEAT_E_UNSUPPORTED, "plan",
                              "a job with a loop can't run in batch; set execution.runtime-mode to "
                              "STREAMING");
    if (s.loops > LEATI_MOST_LOOPS)
        return leat_error_set(err, LEAT_E_UNSUPPORTED, "plan", "a job has at most %d loops, not %d",
                              LEATI_MOST_LOOPS, s.loops);
    leat_status status = LEAT_OK;
    if (!sets_init(&s, g)) status = leat_error_set(err, LEAT_E_NOMEM, "plan", "no memory");
    for (int i = 0; i < s.loops && status >= 0; i++) {
        find_reached(g, &s, i);
        find_body(g, &s, i);
    }
    if (status >= 0) status = check(g, &s, err);
    for (int i = 0; i < s.loops && status >= 0; i++)
        for (int k = 0; k < s.count; k++)
            if (row(&s, s.body, i)[k]) p->infos[k].loops |= (uint64_t)1 << i;
    sets_fini(&s);
    return status;
}
