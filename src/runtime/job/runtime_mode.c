/* runtime_mode.c: see runtime_mode.h. */
#include "runtime/job/runtime_mode.h"

#include <string.h>

static const leati_node *first_unbounded(const leati_graph *g) {
    for (size_t i = 0; i < g->count; i++)
        if (g->nodes[i]->op->inputs == 0 && !g->nodes[i]->bounded) return g->nodes[i];
    return NULL;
}

leat_status leati_runtime_mode(const leati_graph *graph, const leati_config *config, bool *batch,
                               leat_error *err) {
    const char *mode = leati_config_get(config, "execution.runtime-mode");
    const leati_node *unbounded = first_unbounded(graph);
    *batch = strcmp(mode, "STREAMING") != 0 && !unbounded;
    if (strcmp(mode, "BATCH") != 0 || !unbounded) return LEAT_OK;
    return leat_error_set(err, LEAT_E_ARGUMENT, unbounded->name,
                          "it is an unbounded source, and execution.runtime-mode is BATCH; set it "
                          "to STREAMING or AUTOMATIC, or say that the source is bounded");
}

unsigned leati_runtime_waiting(const leati_op_info *info) {
    unsigned all = (1u << info->op->inputs) - 1;
    unsigned broadcast = info->op->flags & LEAT_OP_BROADCAST ? 1u << 1 : 0;
    return info->keyed || broadcast ? all & ~broadcast : 0;
}
