/* async_call.h: the calls that an async operator has under way, between async.c, which makes and
   takes them on its thread, and whoever completes them on any. */
#ifndef LEATI_ASYNC_CALL_H
#define LEATI_ASYNC_CALL_H

#include "leat/async.h"
#include "leat/operator.h"
#include "runtime/base/list.h"

/* Where completed calls wait until the operator takes them. It outlives the operator as long as
   calls are under way. */
typedef struct leati_async_desk leati_async_desk;

typedef enum leati_async_answer {
    LEATI_ASYNC_NONE,
    LEATI_ASYNC_RESULTS,
    LEATI_ASYNC_FAILURE,
    LEATI_ASYNC_RETRY
} leati_async_answer;

struct leat_async_call {
    leati_link link; /* on the desk, or among those taken from it */
    leati_async_desk *desk;
    void *group; /* the operator's: who waits for it; NULL: nobody any more */
    void *data;  /* the function's */
    int attempt;
    bool is_timeout; /* of the function's timeout */

    /* Written by who completes it, before it lies on the desk. */
    leati_async_answer answer;
    leat_status status;  /* of a failure */
    leat_batch *results; /* or the error, as the only record; NULL: none */
    int64_t delay;       /* of a retry */
};

/* Adopts the mailbox, by which the operator is woken. NULL when memory ran out; the mailbox is gone
   then, too. */
leati_async_desk *leati_async_desk_new(leat_mailbox *mailbox);
/* The operator ends: calls that are still under way are dropped when they are completed. NULL is
   fine. */
void leati_async_desk_close(leati_async_desk *desk);

/* NULL when memory ran out. */
leat_async_call *leati_async_call_new(leati_async_desk *desk, void *group, int attempt);
/* One that nobody else knows, or that was taken from the desk. */
void leati_async_call_free(leat_async_call *call);
/* The next completed call; NULL: none. The operator's thread. */
leat_async_call *leati_async_desk_take(leati_async_desk *desk);

#endif
