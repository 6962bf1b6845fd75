/* push.c: the source that the host feeds. The handle is a bounded queue of batches between
   any threads and the one task that reads it; the task takes whole batches and emits record
   by record. */

#include "runtime/job/push.h"

#include "leat/operators.h"
#include "runtime/base/alloc.h"
#include "runtime/base/deadline.h"
#include "runtime/base/own_process.h"

enum { BATCH_ROOM = 256, QUEUE_RECORDS = 4096, QUEUE_BYTES = 1 << 20 };

/* --- the host's side -------------------------------------------------------------------------- */

static bool has_room(const leat_push_source *s) {
    return s->records < QUEUE_RECORDS && s->bytes < QUEUE_BYTES;
}

static bool may_take(const leat_push_source *s) {
    return s->stage == PUSH_TAKES && has_room(s);
}

void leati_push_wake_reader(leat_push_source *s) {
    if (!s->reader_waits || !s->mailbox) return;
    s->reader_waits = false;
    leat_mailbox_wake(s->mailbox);
}

/* Between the start of its job and its end. */
static bool is_running(const leat_push_source *s) {
    return s->mailbox || s->starting;
}

static leat_status wait_for_room(leat_push_source *s, int timeout_ms) {
    struct timespec until = leati_deadline_after(timeout_ms);
    while (is_running(s) && !s->over && s->stage != PUSH_CALLS && !may_take(s)) {
        if (timeout_ms == 0) return LEAT_AGAIN;
        if (timeout_ms < 0)
            pthread_cond_wait(&s->changed, &s->lock);
        else if (pthread_cond_timedwait(&s->changed, &s->lock, &until))
            return LEAT_AGAIN;
    }
    if (!is_running(s) || s->over) return LEAT_E_STATE;
    return s->stage == PUSH_CALLS ? LEAT_AGAIN : LEAT_OK;
}

static push_chunk *chunk_with_room(leat_push_source *s) {
    push_chunk *last =
        leati_list_empty(&s->chunks) ? NULL : LEATI_CONTAINER(s->chunks.prev, push_chunk, link);
    if (last && last->batch->count < last->batch->room) return last;
    last = leati_zalloc(sizeof *last);
    if (last) last->batch = leati_batch_new(BATCH_ROOM);
    if (!last || !last->batch) {
        leati_free(last);
        return NULL;
    }
    leati_list_push(&s->chunks, &last->link);
    return last;
}

static leat_status append(leat_push_source *s, const leat_value *value, int64_t time,
                          const leat_value *position) {
    push_chunk *chunk = chunk_with_room(s);
    if (!chunk) return LEAT_E_NOMEM;
    size_t before = chunk->batch->bytes;
    leat_record record = leat_record_of(*value, time);
    if (position) record.key = *position;
    leat_status status = leati_batch_append(chunk->batch, &record, NULL, true);
    if (status < 0) return status;
    s->records++;
    s->bytes += chunk->batch->bytes - before;
    return LEAT_OK;
}

static leat_status push(leat_push_source *source, const leat_value *value, int64_t time,
                        const leat_value *position, int timeout_ms) {
    if (!source || !value) return LEAT_E_ARGUMENT;
    if (source->process != leati_process_number()) return LEAT_E_STATE;
    pthread_mutex_lock(&source->lock);
    leat_status status = wait_for_room(source, timeout_ms);
    if (status == LEAT_OK) status = append(source, value, time, position);
    if (status == LEAT_OK) leati_push_wake_reader(source);
    pthread_mutex_unlock(&source->lock);
    return status;
}

leat_status leat_push(leat_push_source *source, const leat_value *value, int64_t time,
                      int timeout_ms) {
    return push(source, value, time, NULL, timeout_ms);
}

leat_status leat_push_at(leat_push_source *source, const leat_value *value, int64_t time,
                         const leat_value *position, int timeout_ms) {
    if (!position || position->kind == LEAT_NULL) return LEAT_E_ARGUMENT;
    return push(source, value, time, position, timeout_ms);
}

leat_status leat_push_end(leat_push_source *source) {
    if (!source) return LEAT_E_ARGUMENT;
    if (source->process != leati_process_number()) return LEAT_E_STATE;
    pthread_mutex_lock(&source->lock);
    leat_status status = is_running(source) && !source->over ? LEAT_OK : LEAT_E_STATE;
    if (is_running(source)) source->over = true;
    leati_push_wake_reader(source);
    pthread_cond_broadcast(&source->changed);
    pthread_mutex_unlock(&source->lock);
    return status;
}

/* --- the operator ----------------------------------------------------------------------------- */

static leat_status push_open(leat_context *ctx, void *self) {
    leat_push_source *s = ((push_self *)self)->source;
    leat_mailbox *mailbox = leat_context_mailbox(ctx);
    if (!mailbox) return LEAT_E_NOMEM;
    pthread_mutex_lock(&s->lock);
    bool taken = s->mailbox != NULL;
    if (!taken) {
        s->mailbox = mailbox;
        s->job = ctx->chain->around.job;
        s->starting = NULL;
    }
    pthread_mutex_unlock(&s->lock);
    if (!taken) return LEAT_OK;
    leat_mailbox_unref(mailbox);
    return leat_context_fail(ctx, LEAT_E_STATE, "another job reads this push source");
}

static void chunk_free(push_chunk *chunk) {
    if (!chunk) return;
    leati_batch_unref(chunk->batch);
    leati_free(chunk);
}

void leati_push_forget(leat_push_source *s) {
    leati_link *link;
    s->records = s->bytes = 0;
    while ((link = leati_list_pop(&s->chunks))) chunk_free(LEATI_CONTAINER(link, push_chunk, link));
}

/* The next batch: what was read is given back, and whoever waits for room hears of it. */
static leat_status next_chunk(push_self *p) {
    leat_push_source *s = p->source;
    leat_status status = LEAT_OK;
    pthread_mutex_lock(&s->lock);
    if (p->reading) {
        bool was_full = !has_room(s);
        s->records -= p->reading->batch->count;
        s->bytes -= p->reading->batch->bytes < s->bytes ? p->reading->batch->bytes : s->bytes;
        if (was_full && has_room(s)) {
            pthread_cond_broadcast(&s->changed);
            leati_dispatch_ring(s->job);
        }
    }
    leati_link *link = leati_list_pop(&s->chunks);
    if (!link) {
        s->reader_waits = !s->over;
        status = s->over ? LEAT_DONE : LEAT_AGAIN;
    }
    pthread_mutex_unlock(&s->lock);
    chunk_free(p->reading);
    p->reading = link ? LEATI_CONTAINER(link, push_chunk, link) : NULL;
    p->at = p->reading ? p->reading->at : 0;
    return status;
}

static leat_status read_on(push_self *p) {
    leat_status status = leati_push_keep_position(p);
    if (status >= 0) status = next_chunk(p);
    p->ended = status == LEAT_DONE;
    return status;
}

static leat_status push_poll(leat_context *ctx, void *self, leat_emitter *out) {
    (void)out;
    push_self *p = self;
    if (LEAT_UNLIKELY(!p->began || p->waits)) {
        leat_status status = leati_push_begin(ctx, p);
        if (status != LEAT_OK) return status;
    }
    while (!p->reading ||
           p->at == p->reading->batch->count) { /* it may have been left at its end */
        leat_status status = p->ended ? LEAT_DONE : read_on(p);
        if (status != LEAT_OK) return status;
    }
    leati_batch *batch = p->reading->batch;
    leat_record record = batch->records[p->at];
    if (record.key.kind != LEAT_NULL) {
        p->last_in = batch;
        p->last = p->at;
        record.key = leat_null();
    }
    p->at++;
    return leat_emit(ctx, &record);
}

/* Another attempt goes back, or where that can't be on behind the last record that this one has
   emitted. Under the lock. */
static void leave_to_next(push_self *p, leat_job *job) {
    leat_push_source *s = p->source;
    s->starting = job;
    if (s->rewind) s->stage = PUSH_WAITS;
    if (s->rewind || !p->reading) return;
    p->reading->at = p->at;
    leati_list_push(s->chunks.next, &p->reading->link); /* in front */
    p->reading = NULL;
}

static void push_close(leat_context *ctx, void *self, bool failed) {
    push_self *p = self;
    leat_push_source *s = p->source;
    leat_mailbox *mailbox = NULL;
    pthread_mutex_lock(&s->lock);
    if (s->job == ctx->chain->around.job) {
        mailbox = s->mailbox;
        s->mailbox = NULL;
        if (failed && leati_job_restarts(s->job))
            leave_to_next(p, s->job);
        else
            s->over = true;
        s->job = NULL;
        pthread_cond_broadcast(&s->changed);
    }
    pthread_mutex_unlock(&s->lock);
    leat_mailbox_unref(mailbox);
}

static void push_fini(void *self) {
    push_self *p = self;
    chunk_free(p->reading);
    leati_buf_fini(&p->position);
}

static const leat_param params[] = {
    {"source", LEAT_PARAM_POINTER, true, offsetof(push_self, source), LEAT_ROLE_NONE},
    {0},
};

const leat_operator leat_push_source_operator = {
    .size = sizeof(leat_operator),
    .name = "push_source",
    .flags = LEAT_OP_HOST | LEAT_OP_SINGLE,
    .self_size = sizeof(push_self),
    .params = params,
    .poll = push_poll,
    .open = push_open,
    .snapshot = leati_push_snapshot,
    .restore = leati_push_restore,
    .goes_back = leati_push_goes_back,
    .close = push_close,
    .fini = push_fini,
};

/* --- with the job ----------------------------------------------------------------------------- */

/* Calls `fn` for each push source of the job's graph. */
static void each_source(leat_job *job, void (*fn)(leat_push_source *s, leat_job *job)) {
    for (int i = 0; i < job->plan->info_count; i++) {
        const leati_op_info *info = &job->plan->infos[i];
        if (info->op != &leat_push_source_operator) continue;
        leat_push_source *s = info->args->items[0].as.pointer;
        pthread_mutex_lock(&s->lock);
        fn(s, job);
        pthread_mutex_unlock(&s->lock);
    }
}

/* What an earlier job left unread is forgotten. Another one may be running: then this one fails in
   `open`. */
static void source_begin(leat_push_source *s, leat_job *job) {
    if (is_running(s)) return;
    s->starting = job;
    s->over = s->due = false;
    s->stage = PUSH_TAKES;
    leati_push_forget(s);
}

static void source_end(leat_push_source *s, leat_job *job) {
    if (s->starting != job) return;
    s->starting = NULL;
    s->over = true;
    pthread_cond_broadcast(&s->changed);
}

int leati_pushes_dispatch(leat_job *job) {
    int called = 0;
    for (int i = 0; i < job->plan->info_count; i++)
        if (job->plan->infos[i].op == &leat_push_source_operator)
            called += leati_push_dispatch(job->plan->infos[i].args->items[0].as.pointer, job);
    return called;
}

void leati_pushes_begin(leat_job *job) {
    each_source(job, source_begin);
}

void leati_pushes_end(leat_job *job) {
    each_source(job, source_end);
}

/* --- making and freeing ----------------------------------------------------------------------- */

leat_stream *leat_env_push_source(leat_env *env, leat_push_source **source) {
    if (!env) return NULL;
    leat_push_source *s = leati_zalloc(sizeof *s);
    if (!s || !source) {
        leati_free(s);
        return leati_env_fail(env, s ? LEAT_E_ARGUMENT : LEAT_E_NOMEM, "push_source",
                              "no memory, or nowhere to put the handle");
    }
    leati_deadline_cond_init(&s->changed);
    pthread_mutex_init(&s->lock, NULL);
    leati_list_init(&s->chunks);
    s->process = env->process;
    leati_list_push(&env->pushes, &s->link);
    *source = s;
    leat_arg arg = leat_arg_of("source", LEAT_PARAM_POINTER);
    arg.as.pointer = s;
    return leat_graph_add(env, &leat_push_source_operator, &arg, 1, NULL, 0);
}

void leati_pushes_free(leat_env *env) {
    leati_link *link;
    while ((link = leati_list_pop(&env->pushes))) {
        leat_push_source *s = LEATI_CONTAINER(link, leat_push_source, link);
        leati_push_forget(s);
        leati_batch_unref(s->target);
        leat_mailbox_unref(s->mailbox);
        pthread_cond_destroy(&s->changed);
        pthread_mutex_destroy(&s->lock);
        leati_free(s);
    }
}
