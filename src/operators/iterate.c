/* iterate.c: the head of a loop: hands on what comes on its stream (input 0) and what comes back
   (input 1). The engine does the rest (flow/rounds.h): leat_iteration_close makes the way back. A
   record leaves its key behind, since the loop's stream has none. Two vtables: that of
   leat_iteration_feedback gives what comes back to a side output, so that the body can tell the
   two, and their types may differ. */
#include "leat/operators.h"
#include "leat/stream.h"

static leat_status iterate_on_record(leat_context *ctx, void *self, unsigned input,
                                     const leat_record *in) {
    leat_record out = leat_record_of(in->value, in->time);
    (void)self, (void)input;
    return leat_emit(ctx, &out);
}

static leat_status connected_on_record(leat_context *ctx, void *self, unsigned input,
                                       const leat_record *in) {
    leat_record out = leat_record_of(in->value, in->time);
    (void)self;
    return input ? leat_emit_side(ctx, "feedback", &out) : leat_emit(ctx, &out);
}

const leat_operator leat_iterate_operator = {
    .size = sizeof(leat_operator),
    .name = "iterate",
    .flags = LEAT_OP_OBJECTS | LEAT_OP_SAME_TYPE | LEAT_OP_LOOP,
    .inputs = 1,
    .on_record = iterate_on_record,
};

const leat_operator leat_connected_iterate_operator = {
    .size = sizeof(leat_operator),
    .name = "connected_iterate",
    .flags = LEAT_OP_OBJECTS | LEAT_OP_LOOP,
    .inputs = 1,
    .on_record = connected_on_record,
};

leat_stream *leat_stream_iterate(leat_stream *s, int64_t max_wait_ms) {
    (void)max_wait_ms; /* nobody has to wait in order to know that nothing comes any more */
    return leat_graph_add(NULL, &leat_iterate_operator, NULL, 0, &s, 1);
}
