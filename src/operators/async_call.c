/* async_call.c: see async_call.h. A desk has one lock, which guards its list and whether it is
   open; completing wakes the operator when the list was empty, for it takes all that is there.
   Calls hold the desk. The operator takes whole lists, so that the lock is rarely contended. */
#include "operators/async_call.h"

#include <pthread.h>
#include <stdatomic.h>

#include "runtime/base/alloc.h"

struct leati_async_desk {
    atomic_int refs;
    pthread_mutex_t lock;
    leati_link completed; /* guarded by the lock, as is `open` */
    bool open;
    leati_link taken; /* the operator's thread */
    leat_mailbox *mailbox;
};

leati_async_desk *leati_async_desk_new(leat_mailbox *mailbox) {
    leati_async_desk *desk = mailbox ? leati_zalloc(sizeof *desk) : NULL;
    if (!desk) {
        leat_mailbox_unref(mailbox);
        return NULL;
    }
    atomic_init(&desk->refs, 1);
    pthread_mutex_init(&desk->lock, NULL);
    leati_list_init(&desk->completed);
    leati_list_init(&desk->taken);
    desk->open = true;
    desk->mailbox = mailbox;
    return desk;
}

static void desk_unref(leati_async_desk *desk) {
    if (atomic_fetch_sub(&desk->refs, 1) > 1) return;
    pthread_mutex_destroy(&desk->lock);
    leat_mailbox_unref(desk->mailbox);
    leati_free(desk);
}

leat_async_call *leati_async_call_new(leati_async_desk *desk, void *group, int attempt) {
    leat_async_call *call = leati_zalloc(sizeof *call);
    if (!call) return NULL;
    atomic_fetch_add(&desk->refs, 1);
    leati_list_init(&call->link);
    call->desk = desk;
    call->group = group;
    call->attempt = attempt;
    return call;
}

void leati_async_call_free(leat_async_call *call) {
    if (!call) return;
    leat_batch_unref(call->results);
    desk_unref(call->desk);
    leati_free(call);
}

static void move_all(leati_link *from, leati_link *to) {
    leati_link *link;
    while ((link = leati_list_pop(from))) leati_list_push(to, link);
}

leat_async_call *leati_async_desk_take(leati_async_desk *desk) {
    if (leati_list_empty(&desk->taken)) {
        pthread_mutex_lock(&desk->lock);
        move_all(&desk->completed, &desk->taken);
        pthread_mutex_unlock(&desk->lock);
    }
    leati_link *link = leati_list_pop(&desk->taken);
    return link ? LEATI_CONTAINER(link, leat_async_call, link) : NULL;
}

void leati_async_desk_close(leati_async_desk *desk) {
    if (!desk) return;
    pthread_mutex_lock(&desk->lock);
    desk->open = false;
    move_all(&desk->completed, &desk->taken);
    pthread_mutex_unlock(&desk->lock);
    leati_link *link;
    while ((link = leati_list_pop(&desk->taken)))
        leati_async_call_free(LEATI_CONTAINER(link, leat_async_call, link));
    desk_unref(desk);
}

/* --- completing, on any thread ---------------------------------------------------------------- */

/* Once it lies on the desk the call is the operator's: it is not looked at any more here. */
static void put(leat_async_call *call, leati_async_answer answer) {
    leati_async_desk *desk = call->desk;
    call->answer = answer;
    atomic_fetch_add(&desk->refs, 1);
    pthread_mutex_lock(&desk->lock);
    bool open = desk->open, first = leati_list_empty(&desk->completed);
    if (open) leati_list_push(&desk->completed, &call->link);
    pthread_mutex_unlock(&desk->lock);
    if (!open) leati_async_call_free(call);
    if (open && first) leat_mailbox_wake(desk->mailbox);
    desk_unref(desk);
}

static leat_batch *copy_values(const leat_value *values, size_t count) {
    leat_batch *batch = leat_batch_new(count);
    leat_record record;
    for (size_t i = 0; i < count && batch; i++) {
        leat_record_init(&record, values[i], LEAT_NO_TIME);
        if (leat_batch_append(batch, &record) >= 0) continue;
        leat_batch_unref(batch);
        return NULL;
    }
    return batch;
}

leat_status leat_async_complete(leat_async_call *call, const leat_value *values, size_t count) {
    if (!call || (!values && count)) return LEAT_E_ARGUMENT;
    if (count && !(call->results = copy_values(values, count))) return LEAT_E_NOMEM;
    put(call, LEATI_ASYNC_RESULTS);
    return LEAT_OK;
}

leat_status leat_async_fail(leat_async_call *call, leat_status status, const leat_value *error) {
    if (!call || status >= 0) return LEAT_E_ARGUMENT;
    if (error && !(call->results = copy_values(error, 1))) return LEAT_E_NOMEM;
    call->status = status;
    put(call, LEATI_ASYNC_FAILURE);
    return LEAT_OK;
}

void leat_async_retry(leat_async_call *call, int64_t delay_ms) {
    if (!call) return;
    call->delay = delay_ms > 0 ? delay_ms : 0;
    put(call, LEATI_ASYNC_RETRY);
}

int leat_async_attempt(const leat_async_call *call) {
    return call->attempt;
}

void leat_async_set_data(leat_async_call *call, void *data) {
    call->data = data;
}

void *leat_async_data(const leat_async_call *call) {
    return call->data;
}
