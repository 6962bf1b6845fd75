/* interval_join.c: pairs of records of two keyed streams whose times are near each other: each left
   one meets the right ones of its key from its time plus `lower` to its time plus `upper`.

   Each side keeps what it got in an ordered map, time -> list of values in order of arrival. A
   record looks its partners up in the other side's map; the right one sees the bounds mirrored.
   Where there are several the function is called from a cursor, so that it can pause between two.
   Nothing else reaches the operator meanwhile, so the cursor is one place in the map. A pair has
   the later of its two times.

   A record behind the watermark is late and meets nobody. An event-time timer for the time at which
   no partner can come any more forgets a record: with all that are older, so that a timer that
   would lie beyond the end of time does no harm. The namespace of a timer says the side. */
#include "leat/operators.h"
#include "leat/stream.h"

typedef struct interval_join_self interval_join_self;

/* The partners that one record meets, one after the other. */
typedef struct meeting {
    leat_cursor cursor; /* first */
    interval_join_self *self;
    unsigned input;
    int64_t own, from, until; /* times: of the record, and of its partners; both are included */
    uint32_t index;           /* in the list at `from` */
    bool over;
} meeting;

struct interval_join_self {
    leat_function function;
    int64_t lower, upper; /* of left ones; parameters, and from `open` on both included */
    int64_t lower_exclusive, upper_exclusive;
    const char *late_tags[2]; /* NULL: late records are dropped */
    leat_state *buffers[2];   /* left, right */
    meeting meeting;
};

static const leat_param params[] = {
    {"function", LEAT_PARAM_FUNCTION, true, offsetof(interval_join_self, function), LEAT_ROLE_JOIN},
    {"lower", LEAT_PARAM_INT, true, offsetof(interval_join_self, lower), LEAT_ROLE_NONE},
    {"upper", LEAT_PARAM_INT, true, offsetof(interval_join_self, upper), LEAT_ROLE_NONE},
    {"lower_exclusive", LEAT_PARAM_INT, false, offsetof(interval_join_self, lower_exclusive),
     LEAT_ROLE_NONE},
    {"upper_exclusive", LEAT_PARAM_INT, false, offsetof(interval_join_self, upper_exclusive),
     LEAT_ROLE_NONE},
    {"left_late_tag", LEAT_PARAM_STRING, false, offsetof(interval_join_self, late_tags[0]),
     LEAT_ROLE_NONE},
    {"right_late_tag", LEAT_PARAM_STRING, false, offsetof(interval_join_self, late_tags[1]),
     LEAT_ROLE_NONE},
    {0},
};

static const leat_state_decl states[] = {
    {"left", LEAT_ORDERED_MAP_STATE, LEAT_BY_KEY_GROUP, offsetof(interval_join_self, buffers[0])},
    {"right", LEAT_ORDERED_MAP_STATE, LEAT_BY_KEY_GROUP, offsetof(interval_join_self, buffers[1])},
    {0},
};

static const leat_namespace everywhere = {NULL, 0};
static const leat_namespace sides[2] = {{"left", 4}, {"right", 5}};

/* Times end where int64 does. */
static int64_t add_time(int64_t a, int64_t b) {
    int64_t sum;
    if (!__builtin_add_overflow(a, b, &sum)) return sum;
    return b > 0 ? INT64_MAX : INT64_MIN;
}

/* --- partners --------------------------------------------------------------------------------- */

/* The next partner and its time, lent by the state; LEAT_DONE when there is none. */
static leat_status next_partner(leat_context *ctx, meeting *m, leat_value *out, int64_t *time) {
    leat_state *buffer = m->self->buffers[!m->input];
    leat_value from = leat_int(m->from);
    leat_map_entry entry;
    size_t at;
    if (m->over || m->from > m->until) return LEAT_DONE;
    leat_status status = leat_map_seek(ctx, buffer, everywhere, &from, &at);
    if (status >= 0) status = leat_map_next(ctx, buffer, everywhere, &at, &entry);
    if (status != LEAT_OK) return status;
    *time = entry.key.as.i;
    if (*time > m->until) return LEAT_DONE;
    if (*time != m->from) m->index = 0;
    *out = entry.value.as.items[m->index++];
    m->from = *time;
    if (m->index < entry.value.size) return LEAT_OK;
    m->index = 0;
    m->over = *time == m->until;
    m->from += !m->over;
    return LEAT_OK;
}

/* Calls the function for the record being processed and its partner. */
static leat_status meet(leat_context *ctx, const meeting *m, const leat_value *partner,
                        int64_t time) {
    const leat_function *f = &m->self->function;
    const leat_value *own = &leat_context_record(ctx)->value;
    const leat_value *left = m->input == 0 ? own : partner, *right = m->input ? own : partner;
    if (m->input == 0)
        leat_context_set_times(ctx, m->own, time);
    else
        leat_context_set_times(ctx, time, m->own);
    return f->call.join(ctx, left, right, leat_context_emitter(ctx), f->arg);
}

static leat_status meeting_advance(leat_context *ctx, leat_cursor *cursor, leat_emitter *out) {
    (void)out;
    meeting *m = (meeting *)(void *)cursor;
    leat_value partner;
    int64_t time;
    leat_status status = next_partner(ctx, m, &partner, &time);
    if (status == LEAT_OK) status = meet(ctx, m, &partner, time);
    return status >= 0 && m->over ? LEAT_DONE : status;
}

static void meeting_close(leat_context *ctx, leat_cursor *cursor) {
    (void)ctx, (void)cursor;
}

/* One partner needs no cursor. */
static leat_status meet_all(leat_context *ctx, interval_join_self *j, unsigned input,
                            int64_t time) {
    leat_value partner, another;
    int64_t at, later;
    int64_t lower = input ? -j->upper : j->lower, upper = input ? -j->lower : j->upper;
    meeting *m = &j->meeting;
    m->input = input;
    m->own = time;
    m->from = add_time(time, lower);
    m->until = add_time(time, upper);
    m->index = 0;
    m->over = false;
    meeting start = *m, probe;
    leat_status status = next_partner(ctx, m, &partner, &at);
    if (status != LEAT_OK) return status < 0 ? status : LEAT_OK;
    probe = *m;
    status = next_partner(ctx, &probe, &another, &later);
    if (status == LEAT_DONE) return meet(ctx, m, &partner, at);
    *m = start;
    return status < 0 ? status : leat_context_cursor(ctx, &m->cursor);
}

/* --- hooks ------------------------------------------------------------------------------------ */

static leat_status interval_join_open(leat_context *ctx, void *self) {
    interval_join_self *j = self;
    if (j->lower > j->upper)
        return leat_context_fail(ctx, LEAT_E_ARGUMENT,
                                 "the lower bound %lld is above the upper bound %lld; give the "
                                 "interval as between(lower, upper)",
                                 (long long)j->lower, (long long)j->upper);
    for (unsigned i = 0; i < 2; i++)
        leat_state_keeps(j->buffers[i], leat_context_input_type(ctx, i));
    /* Bounds are mirrored, which the lowest integer has no mirror for. */
    j->lower = add_time(j->lower < -INT64_MAX ? -INT64_MAX : j->lower, j->lower_exclusive != 0);
    j->upper = add_time(j->upper, j->upper_exclusive ? -1 : 0);
    if (j->upper < -INT64_MAX) j->upper = -INT64_MAX;
    j->meeting.self = j;
    j->meeting.cursor.advance = meeting_advance;
    j->meeting.cursor.close = meeting_close;
    return LEAT_OK;
}

/* How long after a record's time partners of it may still come. */
static int64_t patience(const interval_join_self *j, unsigned input) {
    int64_t upper = input ? -j->lower : j->upper;
    return upper > 0 ? upper : 0;
}

static leat_status interval_join_on_record(leat_context *ctx, void *self, unsigned input,
                                           const leat_record *in) {
    interval_join_self *j = self;
    int64_t watermark = leat_context_watermark(ctx);
    if (in->time == LEAT_NO_TIME)
        return leat_context_fail(
            ctx, LEAT_E_TYPE,
            "Long.MIN_VALUE timestamp: Elements used in interval stream joins need to have "
            "timestamps meaningful timestamps. Assign them with "
            "assign_timestamps_and_watermarks() before key_by().");
    if (in->time < watermark)
        return j->late_tags[input] ? leat_emit_side(ctx, j->late_tags[input], in) : LEAT_OK;
    leat_value time = leat_int(in->time);
    leat_status status = leat_map_append(ctx, j->buffers[input], everywhere, &time, &in->value);
    leat_timer timer = {LEAT_EVENT_TIME, add_time(in->time, patience(j, input)), sides[input]};
    if (status >= 0) status = leat_timer_set(ctx, &timer);
    return status < 0 ? status : meet_all(ctx, j, input, in->time);
}

static leat_status interval_join_on_timer(leat_context *ctx, void *self, const leat_timer *timer) {
    interval_join_self *j = self;
    unsigned input = timer->ns.size == sides[1].size;
    int64_t last = add_time(timer->time, -patience(j, input));
    leat_value until = leat_int(add_time(last, 1));
    return leat_map_remove_range(ctx, j->buffers[input], everywhere, NULL, &until);
}

const leat_operator leat_interval_join_operator = {
    .size = sizeof(leat_operator),
    .name = "interval_join",
    .flags = LEAT_OP_OBJECTS | LEAT_OP_KEYED,
    .inputs = 2,
    .self_size = sizeof(interval_join_self),
    .params = params,
    .states = states,
    .open = interval_join_open,
    .on_record = interval_join_on_record,
    .on_timer = interval_join_on_timer,
};

leat_stream *leat_stream_interval_join(leat_stream *left, leat_stream *right,
                                       const leat_interval *interval, leat_function join) {
    leat_stream *inputs[] = {left, right};
    leat_arg args[] = {
        leat_arg_function("function", &join),
        leat_arg_int("lower", interval->lower),
        leat_arg_int("upper", interval->upper),
        leat_arg_int("lower_exclusive", interval->lower_exclusive),
        leat_arg_int("upper_exclusive", interval->upper_exclusive),
        leat_arg_string("left_late_tag", interval->left_late_tag),
        leat_arg_string("right_late_tag", interval->right_late_tag),
    };
    return leat_graph_add(NULL, &leat_interval_join_operator, args, sizeof args / sizeof *args,
                          inputs, 2);
}
