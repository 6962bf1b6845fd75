/* collect.c: execute_and_collect: the sink that hands records to whoever asks the job for them.

   One queue per collect operator, found by the operator's number. Subtasks append to the open batch
   under the queue's lock; a reader takes it whole. When the queue holds as much as a channel may,
   the subtasks hold their tasks; taking releases them by mail.

   With checkpoints that are exactly once nobody sees a record before the checkpoint behind it is
   complete: until its barrier it belongs to the subtask, until the commit it waits in a part with
   the checkpoint's number. A restart hands out the parts of the checkpoint that it begins from, and
   forgets the others, whose records come again.

   What waits is bounded. To push back would keep the barrier away that it waits for, so a subtask
   whose part is large asks for a checkpoint before its time. When the barrier has passed it, and
   the next part becomes large, too, it does hold its task until that checkpoint is closed, well or
   not: all tasks before it have had the barrier, so nobody waits for them. But in a job with loops
   the head waits for what comes back before its barrier, which may be held up by this; there nobody
   holds. */

#include "leat/operators.h"
#include "runtime/base/alloc.h"
#include "runtime/base/deadline.h"
#include "runtime/data/batch.h"
#include "runtime/job/job.h"
#include "runtime/job/loops.h"

enum { BATCH_ROOM = 512, QUEUE_RECORDS = 4096, PART_RECORDS = 64 << 10, PART_BYTES = 32 << 20 };

typedef struct collect_chunk {
    leati_link link;
    leati_batch *batch;
} collect_chunk;

typedef struct collect_waiter {
    leati_link link;
    leat_mailbox *mailbox; /* of a subtask that holds */
} collect_waiter;

/* What a subtask had between two barriers. */
typedef struct collect_part {
    leati_link link;
    int64_t checkpoint;
    leati_link chunks;
    size_t records, bytes; /* the latter without the last chunk's */
    bool large;            /* a checkpoint was asked for */
} collect_part;

struct leati_collect {
    leati_collect *next;
    int id;
    bool exact; /* records wait for their checkpoint */
    bool loops; /* so nobody may be held by a checkpoint */
    pthread_cond_t changed;
    pthread_mutex_t lock;
    leati_link chunks, waiters, parts; /* parts by number, the least first */
    size_t records;                    /* that can be taken */
    int64_t settled;                   /* the last checkpoint that was closed */
    bool taken;                        /* a reader has some */
    bool over;
};

static bool has_checkpoints(const leat_job *job) {
    return !job->plan->batch &&
           leati_config_duration_ms(job->plan->config, "execution.checkpointing.interval") > 0;
}

static bool is_exact(const leat_job *job) {
    const char *mode = leati_config_get(job->plan->config, "execution.checkpointing.mode");
    return has_checkpoints(job) && strcmp(mode, "EXACTLY_ONCE") == 0;
}

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
    leati_list_init(&c->parts);
    c->id = id;
    c->exact = is_exact(job);
    c->loops = leati_loop_count(job->plan->graph) > 0;
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
    collect_part *part; /* since the last barrier; NULL: nothing, or not exact */
    int64_t passed;     /* the checkpoint of that barrier; 0: none */
    bool waiting;
} collect_self;

static void free_chunks(leati_link *chunks) {
    leati_link *link;
    while ((link = leati_list_pop(chunks))) {
        collect_chunk *chunk = LEATI_CONTAINER(link, collect_chunk, link);
        leati_batch_unref(chunk->batch);
        leati_free(chunk);
    }
}

static void part_free(collect_part *part) {
    if (part) free_chunks(&part->chunks);
    leati_free(part);
}

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

static leati_batch *last_batch(const leati_link *chunks) {
    if (leati_list_empty(chunks)) return NULL;
    return LEATI_CONTAINER(chunks->prev, collect_chunk, link)->batch;
}

/* `*count` and `chunks` are the queue's, under its lock, or the subtask's. */
static leat_status append(leati_link *chunks, size_t *count, leat_context *ctx,
                          const leat_record *in) {
    leati_batch *last = last_batch(chunks);
    if (!last || last->count == last->room) {
        collect_chunk *chunk = leati_zalloc(sizeof *chunk);
        last = chunk ? leati_batch_new(BATCH_ROOM) : NULL;
        if (!last) {
            leati_free(chunk);
            return LEAT_E_NOMEM;
        }
        chunk->batch = last;
        leati_list_push(chunks, &chunk->link);
    }
    ++*count;
    return leati_batch_append(last, in, leat_context_input_type(ctx, 0), true);
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

static leat_status append_to_part(collect_self *s, leat_context *ctx, const leat_record *in) {
    if (!s->part) {
        s->part = leati_zalloc(sizeof *s->part);
        if (!s->part) return LEAT_E_NOMEM;
        leati_list_init(&s->part->chunks);
    }
    collect_part *p = s->part;
    leati_batch *last = last_batch(&p->chunks);
    if (last && last->count == last->room) p->bytes += last->bytes;
    return append(&p->chunks, &p->records, ctx, in);
}

/* Does the part that grows become large now? Then a checkpoint would be welcome. */
static bool becomes_large(collect_part *p) {
    if (!p || p->large) return false;
    p->large = p->records >= PART_RECORDS || p->bytes + last_batch(&p->chunks)->bytes >= PART_BYTES;
    return p->large;
}

/* Under the queue's lock. */
static bool is_full(const collect_self *s) {
    const leati_collect *q = s->queue;
    bool for_checkpoint = s->part && s->part->large && s->passed > q->settled && !q->loops;
    return for_checkpoint || q->records >= QUEUE_RECORDS;
}

static void ask_for_checkpoint(leat_job *job) {
    pthread_mutex_lock(&job->lock);
    if (job->coordinator) leati_coordinator_hurry(job->coordinator);
    pthread_mutex_unlock(&job->lock);
}

static leat_status collect_on_record(leat_context *ctx, void *self, unsigned input,
                                     const leat_record *in) {
    (void)input;
    collect_self *s = self;
    leati_collect *q = s->queue;
    leat_status status = q->exact ? append_to_part(s, ctx, in) : LEAT_OK;
    if (status >= 0 && becomes_large(s->part)) ask_for_checkpoint(ctx->chain->around.job);
    pthread_mutex_lock(&q->lock);
    if (!q->exact) status = append(&q->chunks, &q->records, ctx, in);
    if (status >= 0 && !s->waiting && is_full(s)) status = wait_for_room(s, ctx);
    if (q->records == 1) pthread_cond_broadcast(&q->changed);
    pthread_mutex_unlock(&q->lock);
    return status;
}

/* --- with checkpoints ------------------------------------------------------------------------- */

static leat_status collect_prepare(leat_context *ctx, void *self, int64_t checkpoint) {
    (void)ctx;
    collect_self *s = self;
    leati_collect *q = s->queue;
    s->passed = checkpoint;
    if (!s->part) return LEAT_OK;
    s->part->checkpoint = checkpoint;
    pthread_mutex_lock(&q->lock);
    leati_link *before = q->parts.next;
    while (before != &q->parts &&
           LEATI_CONTAINER(before, collect_part, link)->checkpoint <= checkpoint)
        before = before->next;
    leati_list_push(before, &s->part->link);
    pthread_mutex_unlock(&q->lock);
    s->part = NULL;
    return LEAT_OK;
}

/* Parts up to that number can be taken from now on. Under the queue's lock. */
static void give_out(leati_collect *q, int64_t checkpoint) {
    while (!leati_list_empty(&q->parts)) {
        collect_part *part = LEATI_CONTAINER(q->parts.next, collect_part, link);
        if (part->checkpoint > checkpoint) break;
        leati_list_remove(&part->link);
        for (leati_link *link; (link = leati_list_pop(&part->chunks));)
            leati_list_push(&q->chunks, link);
        q->records += part->records;
        part_free(part);
    }
    pthread_cond_broadcast(&q->changed);
}

/* The checkpoint is complete, so that those of other subtasks may go, too. */
static leat_status collect_commit(leat_context *ctx, void *self, int64_t checkpoint) {
    (void)ctx;
    leati_collect *q = ((collect_self *)self)->queue;
    pthread_mutex_lock(&q->lock);
    give_out(q, checkpoint);
    pthread_mutex_unlock(&q->lock);
    return LEAT_OK;
}

static void collect_fini(void *self) {
    part_free(((collect_self *)self)->part);
}

const leat_operator leat_collect_operator = {
    .size = sizeof(leat_operator),
    .name = "collect",
    .flags = LEAT_OP_SINK | LEAT_OP_HOST | LEAT_OP_OBJECTS,
    .inputs = 1,
    .self_size = sizeof(collect_self),
    .on_record = collect_on_record,
    .open = collect_open,
    .prepare = collect_prepare,
    .commit = collect_commit,
    .fini = collect_fini,
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

static void forget_records(leati_collect *q) {
    free_chunks(&q->chunks);
    q->records = 0;
}

/* Of subtasks that are gone. */
static void forget_tasks(leati_collect *q) {
    leati_link *link;
    while ((link = leati_list_pop(&q->parts))) part_free(LEATI_CONTAINER(link, collect_part, link));
    while ((link = leati_list_pop(&q->waiters))) waiter_free(link);
}

bool leati_collects_rewind(leat_job *job, int64_t checkpoint) {
    bool again = has_checkpoints(job), possible = true;
    pthread_mutex_lock(&job->lock);
    for (leati_collect *q = job->collects; q; q = q->next) {
        pthread_mutex_lock(&q->lock);
        if (!again && q->taken) possible = false;
        if (!again && !q->taken) forget_records(q);
        give_out(q, checkpoint);
        forget_tasks(q);
        pthread_mutex_unlock(&q->lock);
    }
    pthread_mutex_unlock(&job->lock);
    return possible;
}

void leati_collects_settle(leat_job *job, int64_t checkpoint) {
    for (leati_collect *q = job->collects; q; q = q->next) {
        pthread_mutex_lock(&q->lock);
        q->settled = checkpoint;
        release_waiters(q);
        pthread_mutex_unlock(&q->lock);
    }
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
        forget_records(q);
        forget_tasks(q);
        pthread_cond_destroy(&q->changed);
        pthread_mutex_destroy(&q->lock);
        leati_free(q);
    }
}
