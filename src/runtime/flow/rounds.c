/* rounds.c: see rounds.h.

   Why a quiet round means rest. Each head votes in a round after it sent the round and after the
   round came back on all its feedback channels; from its first round on it reads nothing but
   feedback. Say all heads vote "no record came back since my last vote" and yet a record comes back
   to some head after its vote; take the first such record in time. It is made of a record that some
   head sent before, and that one had come to that head on its stream, or had come back to it,
   before its last vote: after that vote none had come until this one's, and none after it, for ours
   is the first. So it was sent before that head sent the round, which it does only when all have
   voted in the last. But what was sent before the round comes back before it on every path, since
   gates wait for the round of all their channels, and the head to which it came back voted after
   it: a contradiction. In the first round the beginning of the holding back takes the place of the
   last vote. Gates hold up no channel, so a record may overtake a round, but never the other way.

   What is not seen by that are records to come: timers of processing time, results of calls that
   have not answered (LEATI_ROUND_BUSY), and streams from outside that the body reads, too
   (LEATI_ROUND_OPEN). They let rounds go on, now and then, and the end wait; rounds of an outer
   loop need not wait for them and take the news of the first kind along. The second kind they see
   themselves. */
#include "runtime/flow/rounds.h"

#include "runtime/base/alloc.h"
#include "runtime/base/clock.h"

enum { PAUSE_MOST_MS = 64, QUEUE = 3 };

struct leati_rounds {
    int number;
    leati_channel **votes;
    int vote_count;

    bool last_watermark; /* came, and was not sent on */
    bool holding;        /* `held`, an end or a round of an outer loop, waits for rest */
    leati_element held;
    bool wanted;            /* a round is to begin */
    bool sent, back, voted; /* of this round: sent by this head, came back to it, voted */
    int64_t flags;          /* with which it came back */
    uint64_t seen;          /* of what came back, at the last vote */
    bool told_end;          /* a round with LEATI_ROUND_END was sent */
    bool closing;           /* the end is being sent */
    int64_t retry_at, pause;
    leati_element queue[QUEUE]; /* for the chain */
    int queued;
};

leati_rounds *leati_rounds_new(int number) {
    leati_rounds *l = leati_zalloc(sizeof *l);
    if (l) l->number = number;
    return l;
}

void leati_rounds_free(leati_rounds *l) {
    if (!l) return;
    for (int i = 0; i < l->vote_count; i++) leati_channel_unref(l->votes[i]);
    leati_free(l->votes);
    leati_free(l);
}

leat_status leati_rounds_add_vote(leati_rounds *l, leati_channel *to) {
    leati_channel **votes = leati_resize(l->votes, (size_t)(l->vote_count + 1) * sizeof *votes);
    if (!votes) {
        leati_channel_unref(to);
        return LEAT_E_NOMEM;
    }
    l->votes = votes;
    votes[l->vote_count++] = to;
    return LEAT_OK;
}

static leat_status tell_heads(const leati_rounds *l, leati_element e) {
    leat_status status = LEAT_OK;
    for (int i = 0; i < l->vote_count && status >= 0; i++) {
        leati_element copy = e;
        status = leati_channel_push(l->votes[i], &copy, 0, 0);
    }
    return status;
}

static void enqueue(leati_rounds *l, leati_element e) {
    l->queue[l->queued++] = e;
}

/* --- rounds ----------------------------------------------------------------------------------- */

/* Behind an end come only barriers, behind a round anything may. */
static void hold(leati_rounds *l, leati_gate *g, const leati_element *e) {
    l->holding = l->wanted = true;
    l->held = *e;
    l->seen = leati_gate_came_back(g);
    l->pause = l->retry_at = 0;
    leati_gate_hold(g, e->kind == LEATI_ROUND);
}

/* Is it this head's turn to vote? Looked at when the chain is done with the round, so that it was
   sent to all before. */
static leat_status vote_if_due(leati_rounds *l, leati_gate *g) {
    if (!l->sent || !l->back || l->voted) return LEAT_OK;
    uint64_t seen = leati_gate_came_back(g);
    int64_t flags = l->flags | (seen != l->seen ? LEATI_ROUND_BACK : 0);
    l->seen = seen;
    l->voted = true;
    return tell_heads(l, leati_round(LEATI_VOTE, l->number, flags));
}

static void send_last_watermark(leati_rounds *l) {
    if (l->last_watermark) enqueue(l, leati_signal(LEATI_WATERMARK, INT64_MAX));
    l->last_watermark = false;
}

static void let_outer_round_pass(leati_rounds *l, leati_gate *g, int64_t flags) {
    if (l->held.value & LEATI_ROUND_END) send_last_watermark(l);
    l->held.value |= flags & LEATI_ROUND_BUSY;
    enqueue(l, l->held);
    l->holding = false;
    leati_gate_hold(g, false);
}

/* The body hears of the end, and that is a round, too; the next quiet one is the last. */
static void let_end_pass(leati_rounds *l) {
    if (l->told_end) {
        l->closing = true;
        enqueue(l, l->held);
        return;
    }
    send_last_watermark(l);
    enqueue(l, leati_round(LEATI_ROUND, l->number, LEATI_ROUND_END));
    l->told_end = l->sent = true;
}

static void wait_a_little(leati_rounds *l) {
    l->pause = l->pause ? 2 * l->pause : 1;
    if (l->pause > PAUSE_MOST_MS) l->pause = PAUSE_MOST_MS;
    l->retry_at = leati_clock_now() + l->pause;
    l->wanted = true;
}

/* All heads come to the same answer. */
static void conclude_round(leati_rounds *l, leati_gate *g, int64_t flags) {
    l->sent = l->back = l->voted = false;
    if (flags & LEATI_ROUND_BACK) {
        l->wanted = true;
        l->pause = l->retry_at = 0;
    } else if (l->held.kind == LEATI_ROUND) {
        let_outer_round_pass(l, g, flags);
    } else if (flags & (LEATI_ROUND_BUSY | LEATI_ROUND_OPEN)) {
        wait_a_little(l);
    } else {
        let_end_pass(l);
    }
}

/* --- what the task asks ----------------------------------------------------------------------- */

leat_status leati_rounds_take(leati_rounds *l, leati_gate *g, const leati_element *e) {
    bool own = leati_round_loop(e) == l->number;
    switch (e->kind) {
    case LEATI_WATERMARK:
        if (e->value != INT64_MAX) return LEAT_AGAIN;
        l->last_watermark = true;
        return LEAT_OK;
    case LEATI_END: hold(l, g, e); return LEAT_OK;
    case LEATI_VOTE: conclude_round(l, g, leati_round_flags(e)); return LEAT_OK;
    case LEATI_ROUND:
        if (!own) {
            hold(l, g, e);
            return LEAT_OK;
        }
        l->back = true;
        l->flags = leati_round_flags(e);
        return LEAT_OK;
    default: return LEAT_AGAIN;
    }
}

leat_status leati_rounds_next(leati_rounds *l, leati_gate *g, bool ended, leati_element *out) {
    if (l->queued) {
        *out = l->queue[0];
        l->queued--;
        for (int i = 0; i < l->queued; i++) l->queue[i] = l->queue[i + 1];
        return LEAT_OK;
    }
    leat_status status = vote_if_due(l, g);
    if (status >= 0 && l->closing && ended) {
        l->closing = false;
        status = tell_heads(l, leati_signal(LEATI_END, 0));
    }
    return status < 0 ? status : LEAT_AGAIN;
}

leat_status leati_rounds_idle(leati_rounds *l, leati_element *out) {
    if (!l->wanted || leati_clock_now() < l->retry_at) return LEAT_AGAIN;
    l->wanted = false;
    l->sent = true;
    *out = leati_round(LEATI_ROUND, l->number, 0);
    return LEAT_OK;
}

int64_t leati_rounds_next_time(const leati_rounds *l) {
    return l->wanted && l->retry_at ? l->retry_at : INT64_MAX;
}
