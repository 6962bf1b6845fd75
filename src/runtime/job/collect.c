/* collect.c: execute_and_collect: the sink that hands records to whoever asks the job for them.

   One queue per collect operator, found by the operator's number. Subtasks append to the open batch
   under the queue's lock; a reader takes it whole. When the queue holds as much as a channel may,
   the subtasks hold their tasks; taking releases them by mail. */

#include "leat/operators.h"
#include "runtime/base/alloc.h"
#include "runtime/base/deadline.h"
#include "runtime/data/batch.h"
#include "runtime/job/job.h"

enum { BATCH_ROOM = 512, QUEUE_RECORDS = 4096 };

typedef struct collect_chunk {
    leati_link link;
    leati_batch *batch;
} collect_chunk;

typedef struct collect_waiter {
    leati_link link;
    leat_mailbox *mailbox; /* of a subtask that holds */
} collect_waiter;

struct leati_collect {
    leati_collect *next;
    int id;
    pthread_cond_t changed;
    pthread_mutex_t lock;
    leati_link chunks, waiters;
    size_t records;
    bool taken; /* a reader has some */
    bool over;
};

/* Under the job's lock; NULL when memory ran out. */
static leati_collect *find_or_make(leat_job *job, int id) {
    for (leati_collect *c = job->collects; c; c = c->next)
        if (c->id == id) return c;
    leati_collect *c = leati_zalloc(sizeof *c);
    if (!c) return NULL;
    leati_deadline_cond_init(&c->changed);
    pthread_mutex_init(&c->lock, NULL);
    leati_list_init(&c->chunks);
    leati_list_init(&c->waiters);
    c->id = id;
    c->over = job->over;
    c->next = job->collects;
    return job->collects = c;
}

static leati_collect *collect_of(leat_job *job, int id) {
    pthread_mutex_lock(&job->lock);
    leati_collect *c = find_or_make(job, id);
    pthread_mutex_unlock(&job->lock);
    return c;
}

/* --- the operator ----------------------------------------------------------------------------- */

typedef struct collect_self {
    leati_collect *queue;
    bool waiting;
} collect_self;

static leat_status collect_open(leat_context *ctx, void *self) {
    collect_self *s = self;
    leat_job *job = ctx->chain->around.job;
    if (!job)
        return leat_context_fail(ctx, LEAT_E_INTERNAL, "collect runs outside the main process");
    s->queue = collect_of(job, ctx->info->node);
    return s->queue ? LEAT_OK : LEAT_E_NOMEM;
}

static leat_status released(leat_context *ctx, void *self, void *arg) {
    (void)arg;
    ((collect_self *)self)->waiting = false;
    leat_context_release(ctx);
    return LEAT_OK;
}

/* Under the queue's lock. */
static leat_status append(leati_collect *q, leat_context *ctx, const leat_record *in) {
    collect_chunk *last =
        leati_list_empty(&q->chunks) ? NULL : LEATI_CONTAINER(q->chunks.prev, collect_chunk, link);
    if (!last || last->batch->count == last->batch->room) {
        last = leati_zalloc(sizeof *last);
        if (last) last->batch = leati_batch_new(BATCH_ROOM);
        if (!last || !last->batch) {
            leati_free(last);
            return LEAT_E_NOMEM;
        }
        leati_list_push(&q->chunks, &last->link);
    }
    q->records++;
    return leati_batch_append(last->batch, in, leat_context_input_type(ctx, 0), true);
}

static leat_status wait_for_room(collect_self *s, leat_context *ctx) {
    collect_waiter *w = leati_zalloc(sizeof *w);
    if (!w) return LEAT_E_NOMEM;
    w->mailbox = leat_context_mailbox(ctx);
    if (!w->mailbox) {
        leati_free(w);
        return LEAT_E_NOMEM;
    }
    leati_list_push(&s->queue->waiters, &w->link);
    s->waiting = true;
    leat_context_hold(ctx);
    return LEAT_OK;
}

static leat_status collect_on_record(leat_context *ctx, void *self, unsigned input,
                                     const leat_record *in) {
    (void)input;
    collect_self *s = self;
    leati_collect *q = s->queue;
    pthread_mutex_lock(&q->lock);
    leat_status status = append(q, ctx, in);
    if (status >= 0 && q->records >= QUEUE_RECORDS && !s->waiting) status = wait_for_room(s, ctx);
    if (q->records == 1) pthread_cond_broadcast(&q->changed);
    pthread_mutex_unlock(&q->lock);
    return status;
}

const leat_operator leat_collect_operator = {
    .size = sizeof(leat_operator),
    .name = "collect",
    .flags = LEAT_OP_SINK | LEAT_OP_HOST | LEAT_OP_OBJECTS,
    .inputs = 1,
    .self_size = sizeof(collect_self),
    .on_record = collect_on_record,
    .open = collect_open,
};

/* --- the reader ------------------------------------------------------------------------------- */

static void waiter_free(leati_link *link) {
    collect_waiter *w = LEATI_CONTAINER(link, collect_waiter, link);
    leat_mailbox_unref(w->mailbox);
    leati_free(w);
}

/* Under the queue's lock. A subtask that can't be told keeps waiting, for the next time. */
static void release_waiters(leati_collect *q) {
    leati_link *link, kept;
    leati_list_init(&kept);
    while ((link = leati_list_pop(&q->waiters))) {
        collect_waiter *w = LEATI_CONTAINER(link, collect_waiter, link);
        if (leat_mailbox_post(w->mailbox, released, NULL, NULL) < 0) {
            leati_list_push(&kept, link);
            continue;
        }
        waiter_free(link);
    }
    while ((link = leati_list_pop(&kept))) leati_list_push(&q->waiters, link);
}

static bool wait_for_records(leati_collect *q, int timeout_ms) {
    struct timespec until = leati_deadline_after(timeout_ms);
    while (leati_list_empty(&q->chunks) && !q->over) {
        if (timeout_ms < 0)
            pthread_cond_wait(&q->changed, &q->lock);
        else if (pthread_cond_timedwait(&q->changed, &q->lock, &until))
            return false;
    }
    return true;
}

leat_status leati_job_collect(leat_job *job, int collect_id, int timeout_ms, leati_batch **out) {
    leat_status status = leati_job_check(job, "", NULL);
    if (status < 0) return status;
    leati_collect *q = collect_of(job, collect_id);
    if (!q) return LEAT_E_NOMEM;
    pthread_mutex_lock(&q->lock);
    if (leati_list_empty(&q->chunks)) release_waiters(q);
    status = wait_for_records(q, timeout_ms) ? LEAT_OK : LEAT_AGAIN;
    leati_link *link = status == LEAT_OK ? leati_list_pop(&q->chunks) : NULL;
    if (link) {
        collect_chunk *chunk = LEATI_CONTAINER(link, collect_chunk, link);
        *out = chunk->batch;
        q->taken = true;
        q->records -= chunk->batch->count;
        leati_free(chunk);
        if (q->records < QUEUE_RECORDS / 2) release_waiters(q);
    } else if (status == LEAT_OK) {
        status = LEAT_DONE;
    }
    pthread_mutex_unlock(&q->lock);
    return status;
}

static void forget_all(leati_collect *q) {
    leati_link *link;
    while ((link = leati_list_pop(&q->chunks))) {
        collect_chunk *chunk = LEATI_CONTAINER(link, collect_chunk, link);
        leati_batch_unref(chunk->batch);
        leati_free(chunk);
    }
    while ((link = leati_list_pop(&q->waiters))) waiter_free(link);
    q->records = 0;
}

bool leati_collects_rewind(leat_job *job) {
    bool untouched = true;
    pthread_mutex_lock(&job->lock);
    for (leati_collect *q = job->collects; q; q = q->next) {
        pthread_mutex_lock(&q->lock);
        if (q->taken)
            untouched = false;
        else
            forget_all(q);
        pthread_mutex_unlock(&q->lock);
    }
    pthread_mutex_unlock(&job->lock);
    return untouched;
}

void leati_collect_end(leat_job *job) {
    pthread_mutex_lock(&job->lock);
    for (leati_collect *q = job->collects; q; q = q->next) {
        pthread_mutex_lock(&q->lock);
        q->over = true;
        release_waiters(q);
        pthread_cond_broadcast(&q->changed);
        pthread_mutex_unlock(&q->lock);
    }
    pthread_mutex_unlock(&job->lock);
}

void leati_collect_free(leat_job *job) {
    while (job->collects) {
        leati_collect *q = job->collects;
        job->collects = q->next;
        forget_all(q);
        pthread_cond_destroy(&q->changed);
        pthread_mutex_destroy(&q->lock);
        leati_free(q);
    }
}
