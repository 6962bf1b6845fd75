/* endless_toy.c: two inputs, a side output, and a cursor that may never end: the engine takes one
   item at a time, and only while there is room, so that an endless yield costs no memory. */
#include "toys.h"

#include <stdatomic.h>
#include <stdlib.h>

typedef struct endless_self {
    int64_t limit;
    atomic_int *closed;
} endless_self;

static const leat_param params[] = {
    {"limit", LEAT_PARAM_INT, true, offsetof(endless_self, limit), LEAT_ROLE_NONE},
    {"closed", LEAT_PARAM_POINTER, true, offsetof(endless_self, closed), LEAT_ROLE_NONE},
    {0},
};

typedef struct yield {
    leat_cursor cursor; /* first */
    int64_t value, left;
    atomic_int *closed;
} yield;

static leat_status yield_advance(leat_context *ctx, leat_cursor *cursor, leat_emitter *out) {
    (void)ctx;
    yield *y = (yield *)(void *)cursor;
    if (y->left == 0) return LEAT_DONE;
    if (y->left > 0) y->left--;
    leat_value v = leat_int(y->value);
    return leat_emitter_push(out, &v);
}

static void yield_close(leat_context *ctx, leat_cursor *cursor) {
    (void)ctx;
    atomic_fetch_add(((yield *)(void *)cursor)->closed, 1);
    free(cursor);
}

static leat_status endless_on_record(leat_context *ctx, void *self, unsigned input,
                                     const leat_record *in) {
    const endless_self *s = self;
    if (input == 1) return leat_emit_side(ctx, "control", in);
    yield *y = calloc(1, sizeof *y);
    if (!y) return LEAT_E_NOMEM;
    *y = (yield){{yield_advance, yield_close}, in->value.as.i, s->limit, s->closed};
    return leat_context_cursor(ctx, &y->cursor);
}

const leat_operator toy_endless_operator = {
    .size = sizeof(leat_operator),
    .name = "toy_endless",
    .inputs = 2,
    .self_size = sizeof(endless_self),
    .params = params,
    .on_record = endless_on_record,
};
