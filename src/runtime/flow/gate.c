/* gate.c: see gate.h. */
#include "runtime/flow/gate.h"

#include "runtime/base/alloc.h"

typedef struct gate_port {
    leati_channel *channel;
    unsigned input;
    int64_t watermark;
    bool idle, ended, aligned; /* aligned: its barrier came */
    bool behind;               /* was idle, and has not caught up with what was told meanwhile */
} gate_port;

struct leati_gate {
    gate_port *ports;
    int count, next;
    int64_t watermark;    /* told to the chain */
    int64_t barrier;      /* being aligned */
    int aligned;          /* ports whose barrier came */
    bool idle;            /* told to the chain */
    unsigned inputs_told; /* bit i: the end of input i was told */
    leati_element pending[3];
    int pending_count;
};

leati_gate *leati_gate_new(void) {
    leati_gate *g = leati_zalloc(sizeof *g);
    if (g) g->watermark = INT64_MIN;
    return g;
}

void leati_gate_free(leati_gate *g) {
    if (!g) return;
    for (int i = 0; i < g->count; i++) {
        leati_channel_abandon(g->ports[i].channel);
        leati_channel_unref(g->ports[i].channel);
    }
    leati_free(g->ports);
    leati_free(g);
}

leat_status leati_gate_add(leati_gate *g, leati_channel *channel, unsigned input) {
    gate_port *ports = leati_resize(g->ports, (size_t)(g->count + 1) * sizeof *ports);
    if (!ports) {
        leati_channel_unref(channel);
        return LEAT_E_NOMEM;
    }
    g->ports = ports;
    ports[g->count++] = (gate_port){.channel = channel, .input = input, .watermark = INT64_MIN};
    return LEAT_OK;
}

static void tell(leati_gate *g, leati_element_kind kind, int64_t value) {
    g->pending[g->pending_count++] = leati_signal(kind, value);
}

/* --- watermarks and idleness ------------------------------------------------------------------ */

/* The minimum over those who are neither idle, behind, nor at their end. When there are none, the
   last ones' words stand: nothing new is told. */
static void merge_watermarks(leati_gate *g) {
    int64_t low = INT64_MAX;
    bool any = false, ended = true;
    for (int i = 0; i < g->count; i++) {
        const gate_port *p = &g->ports[i];
        ended &= p->ended || p->watermark == INT64_MAX;
        if (p->idle || p->behind || p->ended) continue;
        any = true;
        if (p->watermark < low) low = p->watermark;
    }
    if (!any && !ended) return;
    if (low <= g->watermark) return;
    g->watermark = low;
    tell(g, LEATI_WATERMARK, low);
}

/* When the last one falls idle, nobody is waited for any more: as in Flink, the highest watermark
   goes out, unless it was another's that had held the others back. */
static void flush_watermarks(leati_gate *g, const gate_port *last) {
    int64_t high = g->watermark;
    if (last->watermark != g->watermark) return;
    for (int i = 0; i < g->count; i++) {
        const gate_port *p = &g->ports[i];
        if (!p->idle && !p->ended) return;
        if (!p->ended && p->watermark > high) high = p->watermark;
    }
    if (high == g->watermark) return;
    g->watermark = high;
    tell(g, LEATI_WATERMARK, high);
}

static void merge_idleness(leati_gate *g) {
    bool idle = true;
    for (int i = 0; i < g->count; i++) idle &= g->ports[i].idle || g->ports[i].ended;
    bool all_ended = true;
    for (int i = 0; i < g->count; i++) all_ended &= g->ports[i].ended;
    if (all_ended || idle == g->idle) return;
    g->idle = idle;
    tell(g, idle ? LEATI_IDLE : LEATI_ACTIVE, 0);
}

/* --- barriers --------------------------------------------------------------------------------- */

static void release_if_aligned(leati_gate *g) {
    int waiting = 0;
    for (int i = 0; i < g->count; i++) waiting += !g->ports[i].aligned && !g->ports[i].ended;
    if (!g->aligned || waiting) return;
    for (int i = 0; i < g->count; i++) g->ports[i].aligned = false;
    g->aligned = 0;
    tell(g, LEATI_BARRIER, g->barrier);
}

static void take_barrier(leati_gate *g, gate_port *p, int64_t barrier) {
    if (barrier < g->barrier) return; /* of a checkpoint that was given up */
    if (barrier > g->barrier) {
        for (int i = 0; i < g->count; i++) g->ports[i].aligned = false;
        g->aligned = 0;
    }
    g->barrier = barrier;
    p->aligned = true;
    g->aligned++;
    release_if_aligned(g);
}

/* --- ends ------------------------------------------------------------------------------------- */

static void take_end(leati_gate *g, gate_port *p) {
    p->ended = true;
    bool input_ended = true;
    for (int i = 0; i < g->count; i++)
        if (g->ports[i].input == p->input) input_ended &= g->ports[i].ended;
    release_if_aligned(g);
    merge_watermarks(g);
    if (!input_ended) return;
    g->inputs_told |= 1u << p->input;
    tell(g, LEATI_END, p->input);
}

static void set_idle(leati_gate *g, gate_port *p, bool idle) {
    if (p->idle == idle) return;
    p->idle = idle;
    p->behind = !idle && p->watermark < g->watermark;
    merge_watermarks(g);
    if (idle) flush_watermarks(g, p);
    merge_idleness(g);
}

static void take_watermark(leati_gate *g, gate_port *p, int64_t watermark) {
    if (watermark > p->watermark) p->watermark = watermark;
    if (p->watermark >= g->watermark) p->behind = false;
    merge_watermarks(g);
}

static void take_signal(leati_gate *g, gate_port *p, const leati_element *e) {
    switch (e->kind) {
    case LEATI_WATERMARK:
        set_idle(g, p, false);
        take_watermark(g, p, e->value);
        break;
    case LEATI_BARRIER: take_barrier(g, p, e->value); break;
    case LEATI_IDLE:
    case LEATI_ACTIVE: set_idle(g, p, e->kind == LEATI_IDLE); break;
    default: take_end(g, p); break;
    }
}

static bool all_ended(const leati_gate *g) {
    for (int i = 0; i < g->count; i++)
        if (!g->ports[i].ended) return false;
    return true;
}

/* One look at every port, beginning behind the one that gave last. Takes signals in until there is
   something to tell; LEAT_AGAIN when nothing was there. */
static leat_status look(leati_gate *g, leati_element *out, unsigned *input, leati_channel **from) {
    leat_status found = LEAT_AGAIN;
    for (int i = 0; i < g->count && !g->pending_count; i++) {
        gate_port *p = &g->ports[g->next];
        if (++g->next == g->count) g->next = 0;
        if (p->ended || p->aligned) continue;
        leat_status status = leati_channel_pop(p->channel, out);
        if (status == LEAT_AGAIN) continue;
        found = LEAT_OK;
        if (status < 0 || out->kind == LEATI_BATCH || out->kind == LEATI_FRAME) {
            if (status >= 0) set_idle(g, p, false);
            *input = p->input;
            *from = p->channel;
            return status;
        }
        take_signal(g, p, out);
    }
    out->kind = LEATI_END;
    *from = NULL;
    return found;
}

static void take_pending(leati_gate *g, leati_element *out, unsigned *input) {
    *out = g->pending[0];
    g->pending_count--;
    for (int i = 0; i < g->pending_count; i++) g->pending[i] = g->pending[i + 1];
    *input = 0;
}

leat_status leati_gate_next(leati_gate *g, leati_element *out, unsigned *input,
                            leati_channel **from) {
    *from = NULL;
    while (!g->pending_count) {
        if (all_ended(g)) return LEAT_DONE;
        leat_status status = look(g, out, input, from);
        if (status != LEAT_OK || *from) return status;
    }
    take_pending(g, out, input);
    return LEAT_OK;
}
