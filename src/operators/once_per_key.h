/* once_per_key.h: what operators that keep one result per key do at the end of a key in batch
   execution. */
#ifndef LEATI_ONCE_PER_KEY_H
#define LEATI_ONCE_PER_KEY_H

#include "leat/operator.h"

/* Emits the value of the current key, if there is one, with the time of the key's end. */
static inline leat_status leati_give_state(leat_context *ctx, leat_state *state) {
    leat_namespace ns = {NULL, 0};
    leat_record out;
    leat_record_init(&out, leat_null(), leat_context_time(ctx));
    leat_status status = leat_state_get(ctx, state, ns, &out.value);
    return status == LEAT_OK ? leat_emit(ctx, &out) : status;
}

#endif
