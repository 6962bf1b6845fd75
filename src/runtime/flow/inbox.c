/* inbox.c: see inbox.h. One lock per inbox guards its letters, its mailboxes' openness and the
   notice; `waiting` lets the task look without taking it. */
#include "runtime/flow/inbox.h"

#include "runtime/base/alloc.h"
#include "runtime/base/list.h"
#include "runtime/flow/chain.h"

struct leati_inbox {
    atomic_int refs;
    atomic_int waiting;
    pthread_mutex_t lock;
    leati_link letters;
    leati_notice notice;
};

struct leat_mailbox {
    atomic_int refs;
    leati_inbox *inbox;
    leat_context *ctx; /* NULL: closed */
    atomic_bool woken;
};

typedef struct letter {
    leati_link link;
    leat_mailbox *to;
    leat_status (*fn)(leat_context *ctx, void *self, void *arg);
    void (*drop)(void *arg);
    void *arg;
} letter;

leati_inbox *leati_inbox_new(leati_notice notice) {
    leati_inbox *inbox = leati_zalloc(sizeof *inbox);
    if (!inbox) return NULL;
    atomic_init(&inbox->refs, 1);
    pthread_mutex_init(&inbox->lock, NULL);
    leati_list_init(&inbox->letters);
    inbox->notice = notice;
    return inbox;
}

static void discard(letter *l) {
    if (l->drop) l->drop(l->arg);
    leat_mailbox_unref(l->to);
    leati_free(l);
}

void leati_inbox_ref(leati_inbox *inbox) {
    atomic_fetch_add(&inbox->refs, 1);
}

/* Letters hold their mailbox, and that holds the inbox: the last reference finds no letters. */
void leati_inbox_unref(leati_inbox *inbox) {
    if (!inbox || atomic_fetch_sub(&inbox->refs, 1) != 1) return;
    pthread_mutex_destroy(&inbox->lock);
    leati_free(inbox);
}

void leati_inbox_wake(leati_inbox *inbox) {
    pthread_mutex_lock(&inbox->lock);
    if (inbox->notice.fn) inbox->notice.fn(inbox->notice.arg);
    pthread_mutex_unlock(&inbox->lock);
}

void leati_inbox_close(leati_inbox *inbox) {
    leati_link *link;
    leati_link rest;
    leati_list_init(&rest);
    pthread_mutex_lock(&inbox->lock);
    inbox->notice.fn = NULL;
    while ((link = leati_list_pop(&inbox->letters))) leati_list_push(&rest, link);
    atomic_store(&inbox->waiting, 0);
    pthread_mutex_unlock(&inbox->lock);
    while ((link = leati_list_pop(&rest))) discard(LEATI_CONTAINER(link, letter, link));
}

static bool may_come(const letter *l) {
    return !l->to->ctx || !leati_context_passed(l->to->ctx);
}

static letter *take(leati_inbox *inbox) {
    letter *taken = NULL;
    pthread_mutex_lock(&inbox->lock);
    for (leati_link *at = inbox->letters.next; at != &inbox->letters && !taken; at = at->next)
        if (may_come(LEATI_CONTAINER(at, letter, link))) taken = LEATI_CONTAINER(at, letter, link);
    if (taken) {
        leati_list_remove(&taken->link);
        atomic_fetch_sub(&inbox->waiting, 1);
    }
    pthread_mutex_unlock(&inbox->lock);
    return taken;
}

bool leati_inbox_empty(leati_inbox *inbox) {
    return atomic_load_explicit(&inbox->waiting, memory_order_acquire) == 0;
}

/* Mailboxes are closed on the task's thread, which is this one: `ctx` can't vanish meanwhile. */
leat_status leati_inbox_read(leati_inbox *inbox) {
    leat_status status = LEAT_OK;
    letter *l;
    while (status >= 0 && !leati_inbox_empty(inbox) && (l = take(inbox))) {
        leat_context *ctx = l->to->ctx;
        if (!ctx) {
            discard(l);
            continue;
        }
        ctx->current = NULL;
        status = l->fn(ctx, ctx->self, l->arg);
        if (status < 0) leati_chain_blame(ctx, status);
        leat_mailbox_unref(l->to);
        leati_free(l);
    }
    return status < 0 ? status : LEAT_OK;
}

/* --- mailboxes -------------------------------------------------------------------------------- */

leat_mailbox *leati_mailbox_new(leati_inbox *inbox, leat_context *ctx) {
    leat_mailbox *mailbox = leati_zalloc(sizeof *mailbox);
    if (!mailbox) return NULL;
    atomic_init(&mailbox->refs, 1);
    mailbox->inbox = inbox;
    mailbox->ctx = ctx;
    leati_inbox_ref(inbox);
    return mailbox;
}

void leati_mailbox_ref(leat_mailbox *mailbox) {
    atomic_fetch_add(&mailbox->refs, 1);
}

void leat_mailbox_unref(leat_mailbox *mailbox) {
    if (!mailbox || atomic_fetch_sub(&mailbox->refs, 1) != 1) return;
    leati_inbox_unref(mailbox->inbox);
    leati_free(mailbox);
}

bool leati_mailbox_was_woken(leat_mailbox *mailbox) {
    return atomic_load_explicit(&mailbox->woken, memory_order_relaxed) &&
           atomic_exchange(&mailbox->woken, false);
}

void leat_mailbox_wake(leat_mailbox *mailbox) {
    atomic_store(&mailbox->woken, true);
    leati_inbox_wake(mailbox->inbox);
}

void leati_mailbox_close(leat_mailbox *mailbox) {
    pthread_mutex_lock(&mailbox->inbox->lock);
    mailbox->ctx = NULL;
    pthread_mutex_unlock(&mailbox->inbox->lock);
}

leat_status leat_mailbox_post(leat_mailbox *mailbox,
                              leat_status (*fn)(leat_context *ctx, void *self, void *arg),
                              void *arg, void (*drop)(void *arg)) {
    leati_inbox *inbox = mailbox->inbox;
    letter *l = leati_zalloc(sizeof *l);
    if (!l) return LEAT_E_NOMEM;
    l->to = mailbox;
    l->fn = fn;
    l->arg = arg;
    l->drop = drop;
    leati_mailbox_ref(mailbox);
    pthread_mutex_lock(&inbox->lock);
    bool open = mailbox->ctx && inbox->notice.fn;
    if (open) {
        leati_list_push(&inbox->letters, &l->link);
        atomic_fetch_add(&inbox->waiting, 1);
        inbox->notice.fn(inbox->notice.arg);
    }
    pthread_mutex_unlock(&inbox->lock);
    if (!open) discard(l);
    return LEAT_OK;
}
