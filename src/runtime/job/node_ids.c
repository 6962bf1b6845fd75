/* node_ids.c: under which id an operator's state is stored: its uid, or else what its place in the
   logical graph says, so that neither mode nor parallelism, chaining or placement change it: its
   kind, and the ids and outputs that it reads. Those that are the same so far are numbered in the
   order in which they were added. */
#include <inttypes.h>

#include "runtime/base/alloc.h"
#include "runtime/base/hash.h"
#include "runtime/job/plan.h"

static void describe(const leati_plan *p, const leati_node *n, leati_buf *out) {
    leati_buf_text(out, n->op->name);
    for (size_t i = 0; i < n->input_count; i++) {
        const leati_edge *e = &n->inputs[i];
        leati_buf_printf(out, "|%u:%s:%s", e->input, p->infos[e->from - 1].id,
                         e->tag ? e->tag : "");
    }
}

static bool is_taken(const leati_plan *p, int before, const char *id) {
    for (int i = 0; i < before; i++)
        if (strcmp(p->infos[i].id, id) == 0) return true;
    return false;
}

/* Also not the uid of one that comes later. */
static bool is_uid(const leati_plan *p, const char *id) {
    for (int i = 0; i < p->info_count; i++)
        if (p->infos[i].uid && strcmp(p->infos[i].uid, id) == 0) return true;
    return false;
}

static char *make_id(const leati_plan *p, int at) {
    const leati_node *n = p->graph->nodes[at];
    leati_buf text;
    leati_buf_init(&text);
    describe(p, n, &text);
    bool failed = text.failed;
    uint64_t hash = failed ? 0 : leati_hash(text.bytes, text.size);
    leati_buf_fini(&text);
    if (failed) return NULL;
    char *id = leati_format("%s-%08" PRIx32, n->op->name, (uint32_t)hash);
    for (int number = 2; id && (is_taken(p, at, id) || is_uid(p, id)); number++) {
        leati_free(id);
        id = leati_format("%s-%08" PRIx32 "-%d", n->op->name, (uint32_t)hash, number);
    }
    return id;
}

leat_status leati_plan_name_nodes(leati_plan *p) {
    p->ids = leati_zalloc((size_t)p->info_count * sizeof *p->ids + 1);
    if (!p->ids) return LEAT_E_NOMEM;
    for (int i = 0; i < p->info_count; i++) {
        p->ids[i] = p->infos[i].uid ? leati_strdup(p->infos[i].uid) : make_id(p, i);
        p->infos[i].id = p->ids[i];
        if (!p->ids[i]) return LEAT_E_NOMEM;
    }
    return LEAT_OK;
}
