/* gate.c: see gate.h. */
#include "runtime/flow/gate.h"

#include "runtime/base/alloc.h"

typedef struct gate_port {
    leati_channel *channel;
    unsigned input;
    leati_port_role role;
    uint64_t loops; /* whose rounds come on it */
    int64_t watermark;
    bool idle, ended, aligned; /* aligned: its barrier, or its vote, came */
    bool behind;               /* was idle, and has not caught up with what was told meanwhile */
    bool logged;               /* of a loop: the barrier that was told has not come back on it */
    int64_t came;              /* of a loop: the last barrier on it */
} gate_port;

/* Which ports are looked at. */
typedef enum gate_look { AT_INNER, AT_STREAMS, AT_LOGGED } gate_look;

/* A round on its way through this gate. */
typedef struct gate_round {
    int loop;
    int arrived;
    int64_t flags;
} gate_round;

struct leati_gate {
    gate_port *ports;
    int count;
    int next[3];        /* where to look first, by gate_look */
    int inner;          /* ports that are no streams */
    bool held;          /* streams are not read */
    bool at_least_once; /* barriers hold up nobody */
    uint64_t came_back;
    gate_round *rounds;
    int round_count;
    int64_t watermark;    /* told to the chain */
    int64_t barrier;      /* being aligned */
    int64_t told;         /* the last barrier that the chain was told of */
    int64_t expected;     /* is on its way on streams */
    bool streams_turn;    /* so that it is not kept waiting by what a loop brings back */
    bool stops;           /* nothing comes behind it */
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
    leati_free(g->rounds);
    leati_free(g);
}

leat_status leati_gate_add(leati_gate *g, leati_channel *channel, unsigned input) {
    return leati_gate_add_port(g, channel, input, LEATI_PORT_STREAM, 0);
}

leat_status leati_gate_add_port(leati_gate *g, leati_channel *channel, unsigned input,
                                leati_port_role role, uint64_t loops) {
    gate_port *ports = leati_resize(g->ports, (size_t)(g->count + 1) * sizeof *ports);
    if (!ports) {
        leati_channel_unref(channel);
        return LEAT_E_NOMEM;
    }
    g->ports = ports;
    ports[g->count++] = (gate_port){
        .channel = channel, .input = input, .role = role, .loops = loops, .watermark = INT64_MIN};
    g->inner += role != LEATI_PORT_STREAM;
    return LEAT_OK;
}

void leati_gate_hold(leati_gate *g, bool hold) {
    g->held = hold;
}

void leati_gate_align(leati_gate *g, bool exact) {
    g->at_least_once = !exact;
}

void leati_gate_expect(leati_gate *g, int64_t barrier) {
    g->expected = barrier;
}

uint64_t leati_gate_came_back(const leati_gate *g) {
    return g->came_back;
}

bool leati_gate_is_logged(const leati_gate *g, const leati_channel *from) {
    for (int i = 0; i < g->count; i++)
        if (g->ports[i].channel == from) return g->ports[i].logged;
    return false;
}

bool leati_gate_logs(const leati_gate *g) {
    for (int i = 0; i < g->count; i++)
        if (g->ports[i].logged) return true;
    return false;
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
        if (p->role != LEATI_PORT_STREAM) continue;
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
        if (p->role != LEATI_PORT_STREAM) continue;
        if (!p->idle && !p->ended) return;
        if (!p->ended && p->watermark > high) high = p->watermark;
    }
    if (high == g->watermark) return;
    g->watermark = high;
    tell(g, LEATI_WATERMARK, high);
}

static void merge_idleness(leati_gate *g) {
    bool idle = true, all_ended = true;
    for (int i = 0; i < g->count; i++) {
        const gate_port *p = &g->ports[i];
        if (p->role != LEATI_PORT_STREAM) continue;
        idle &= p->idle || p->ended;
        all_ended &= p->ended;
    }
    if (all_ended || idle == g->idle) return;
    g->idle = idle;
    tell(g, idle ? LEATI_IDLE : LEATI_ACTIVE, 0);
}

/* --- barriers --------------------------------------------------------------------------------- */

static void release_if_aligned(leati_gate *g) {
    int waiting = 0;
    for (int i = 0; i < g->count; i++) {
        const gate_port *p = &g->ports[i];
        waiting += p->role == LEATI_PORT_STREAM && !p->aligned;
    }
    if (!g->aligned || waiting) return;
    for (int i = 0; i < g->count; i++) {
        gate_port *p = &g->ports[i];
        if (p->role != LEATI_PORT_VOTE) p->aligned = false;
        p->logged = p->role == LEATI_PORT_FEEDBACK && !p->ended && p->came < g->barrier;
    }
    g->aligned = 0;
    g->told = g->barrier;
    tell(g, LEATI_BARRIER, g->stops ? -g->barrier : g->barrier);
}

static void take_barrier(leati_gate *g, gate_port *p, const leati_element *e) {
    int64_t barrier = leati_barrier_number(e);
    if (barrier < g->barrier) return; /* of a checkpoint that was given up */
    if (barrier > g->barrier) {
        for (int i = 0; i < g->count; i++) {
            gate_port *other = &g->ports[i];
            if (other->role == LEATI_PORT_STREAM) other->aligned = false;
            if (other->role == LEATI_PORT_FEEDBACK) other->aligned = other->came >= barrier;
        }
        g->aligned = 0;
    }
    g->barrier = barrier;
    g->stops = leati_barrier_stops(e);
    p->aligned = true;
    g->aligned++;
    release_if_aligned(g);
}

/* --- rounds of loops -------------------------------------------------------------------------- */

/* NULL when memory ran out. */
static gate_round *round_of(leati_gate *g, int loop) {
    for (int i = 0; i < g->round_count; i++)
        if (g->rounds[i].loop == loop) return &g->rounds[i];
    gate_round *rounds = leati_resize(g->rounds, (size_t)(g->round_count + 1) * sizeof *rounds);
    if (!rounds) return NULL;
    g->rounds = rounds;
    rounds[g->round_count] = (gate_round){.loop = loop};
    return &rounds[g->round_count++];
}

/* On how many channels does the round come? `open`: is there a stream beside that goes on? Those on
   which the round never comes are not waited for, since they may go on for ever. */
static int channels_of(const leati_gate *g, int loop, bool feedback, bool *open) {
    int count = 0;
    for (int i = 0; i < g->count; i++) {
        const gate_port *p = &g->ports[i];
        bool comes = p->loops >> loop & 1;
        count += comes && p->role != LEATI_PORT_VOTE;
        *open |= !comes && !feedback && !p->ended && p->role == LEATI_PORT_STREAM;
    }
    return count;
}

/* No channel can bring the next round before all have brought this one: heads begin together. */
static leat_status take_round(leati_gate *g, const gate_port *p, const leati_element *e) {
    int loop = leati_round_loop(e);
    gate_round *round = round_of(g, loop);
    bool open = false;
    if (!round) return LEAT_E_NOMEM;
    round->flags |= leati_round_flags(e);
    if (++round->arrived < channels_of(g, loop, p->role == LEATI_PORT_FEEDBACK, &open))
        return LEAT_OK;
    leati_element merged =
        leati_round(LEATI_ROUND, loop, round->flags | (open ? LEATI_ROUND_OPEN : 0));
    tell(g, LEATI_ROUND, merged.value);
    round->arrived = 0;
    round->flags = 0;
    return LEAT_OK;
}

/* A head that was the first to hear all votes may have voted in the next round already. */
static leat_status take_vote(leati_gate *g, gate_port *p, const leati_element *e) {
    int64_t flags = leati_round_flags(e);
    int missing = 0;
    gate_round *round = round_of(g, -1 - leati_round_loop(e));
    if (!round) return LEAT_E_NOMEM;
    p->aligned = true;
    round->flags |= flags;
    for (int i = 0; i < g->count; i++)
        missing += g->ports[i].role == LEATI_PORT_VOTE && !g->ports[i].aligned;
    if (missing) return LEAT_OK;
    for (int i = 0; i < g->count; i++) g->ports[i].aligned &= g->ports[i].role != LEATI_PORT_VOTE;
    tell(g, LEATI_VOTE, leati_round(LEATI_VOTE, leati_round_loop(e), round->flags).value);
    round->flags = 0;
    return LEAT_OK;
}

/* They say which records the head's barrier has overtaken. One of another head may come back before
   this head has all of its own: then what is behind it has to wait. */
static void take_feedback_barrier(leati_gate *g, gate_port *p, int64_t barrier) {
    p->came = barrier;
    if (barrier == g->told) p->logged = false;
    p->aligned = barrier > g->told && barrier >= g->barrier;
}

/* Feedback is beside time, and nobody waits for its barriers. Its end, and that of votes, is the
   whole loop's. */
static leat_status take_inner(leati_gate *g, gate_port *p, const leati_element *e) {
    if (e->kind == LEATI_VOTE) return take_vote(g, p, e);
    if (e->kind == LEATI_ROUND) return take_round(g, p, e);
    if (e->kind == LEATI_BARRIER) take_feedback_barrier(g, p, leati_barrier_number(e));
    if (e->kind == LEATI_END) p->ended = true;
    if (p->ended) p->logged = false;
    return LEAT_OK;
}

/* --- ends ------------------------------------------------------------------------------------- */

static void take_end(leati_gate *g, gate_port *p) {
    p->ended = true;
    bool input_ended = true;
    for (int i = 0; i < g->count; i++) {
        const gate_port *other = &g->ports[i];
        if (other->role == LEATI_PORT_STREAM && other->input == p->input)
            input_ended &= other->ended;
    }
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

static leat_status take_signal(leati_gate *g, gate_port *p, const leati_element *e) {
    if (p->role != LEATI_PORT_STREAM) return take_inner(g, p, e);
    switch (e->kind) {
    case LEATI_WATERMARK:
        set_idle(g, p, false);
        take_watermark(g, p, e->value);
        break;
    case LEATI_BARRIER: take_barrier(g, p, e); break;
    case LEATI_IDLE:
    case LEATI_ACTIVE: set_idle(g, p, e->kind == LEATI_IDLE); break;
    case LEATI_ROUND: return take_round(g, p, e);
    default: take_end(g, p); break;
    }
    return LEAT_OK;
}

/* Is it not read for now? Where a barrier has come, only that of an exact checkpoint holds it up.
   What is no stream has nothing behind its end. */
static bool is_blocked(const leati_gate *g, const gate_port *p) {
    if (p->role != LEATI_PORT_STREAM && p->ended) return true;
    return p->aligned && (p->role == LEATI_PORT_VOTE || !g->at_least_once);
}

static bool all_ended(const leati_gate *g) {
    for (int i = 0; i < g->count; i++)
        if (!g->ports[i].ended) return false;
    return true;
}

/* Data say nothing of time, as in Flink: who was idle says itself that it counts again. What goes
   round, calls that answer and timers of the clock give records while their streams are idle. */
static leat_status give(leati_gate *g, gate_port *p, unsigned *input, leati_channel **from) {
    if (p->role != LEATI_PORT_STREAM) g->came_back++;
    *input = p->input;
    *from = p->channel;
    return LEAT_OK;
}

static bool is_meant(const gate_port *p, gate_look which) {
    if (which == AT_LOGGED) return p->logged;
    return (p->role == LEATI_PORT_STREAM) == (which == AT_STREAMS);
}

/* One look at every port that is meant, beginning behind the one that gave last. Takes signals in
   until there is something to tell; LEAT_AGAIN when nothing was there. */
static leat_status look_among(leati_gate *g, gate_look which, leati_element *out, unsigned *input,
                              leati_channel **from) {
    leat_status found = LEAT_AGAIN;
    for (int i = 0; i < g->count && !g->pending_count; i++) {
        gate_port *p = &g->ports[g->next[which]];
        if (++g->next[which] == g->count) g->next[which] = 0;
        if (is_blocked(g, p) || !is_meant(p, which)) continue;
        leat_status status = leati_channel_pop(p->channel, out);
        if (status == LEAT_AGAIN) continue;
        found = LEAT_OK;
        if (status < 0) *from = p->channel;
        if (status >= 0 && p->ended && out->kind != LEATI_BARRIER) {
            leati_element_drop(out);
            return LEAT_E_FORMAT;
        }
        if (status >= 0 && (out->kind == LEATI_BATCH || out->kind == LEATI_FRAME))
            return give(g, p, input, from);
        if (status >= 0) status = take_signal(g, p, out);
        if (status < 0) return status;
    }
    return found;
}

/* What a loop brings back first; but while a barrier is on its way, one and the other in turn,
   since a loop may never be without anything. */
static leat_status look(leati_gate *g, leati_element *out, unsigned *input, leati_channel **from) {
    leat_status status = LEAT_AGAIN;
    g->streams_turn = !g->streams_turn && g->expected > g->told && !g->held;
    if (g->streams_turn) status = look_among(g, AT_STREAMS, out, input, from);
    if (status == LEAT_AGAIN && g->inner) status = look_among(g, AT_INNER, out, input, from);
    if (status == LEAT_AGAIN && !g->held) status = look_among(g, AT_STREAMS, out, input, from);
    return status;
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
        leat_status status = look(g, out, input, from);
        if (status == LEAT_AGAIN && all_ended(g)) return LEAT_DONE;
        if (status != LEAT_OK || *from) return status;
    }
    take_pending(g, out, input);
    return LEAT_OK;
}

leat_status leati_gate_next_logged(leati_gate *g, leati_element *out, unsigned *input,
                                   leati_channel **from) {
    *from = NULL;
    while (!g->pending_count) {
        leat_status status = look_among(g, AT_LOGGED, out, input, from);
        if (status != LEAT_OK || *from) return status;
    }
    take_pending(g, out, input);
    return LEAT_OK;
}
