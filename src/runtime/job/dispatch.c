/* dispatch.c: callbacks of the host program: the sink that calls them, on its own thread or, with
   host dispatch, in leat_job_dispatch on a thread of the host's.

   With host dispatch records wait in one bounded queue per job; an eventfd is readable while
   something waits, when pushes have room again, and at the end. A full queue holds the sinks. The
   host's thread calls with a context of its own, so that the callback and the task share nothing; a
   sink that closes takes its calls out of the queue and waits for the one that is being made. */
#include <sys/eventfd.h>
#include <unistd.h>

#include "leat/operators.h"
#include "runtime/base/alloc.h"
#include "runtime/data/codec.h"
#include "runtime/job/job.h"

enum { QUEUE_LETTERS = 4096 };

typedef struct callback_self {
    leat_function function;
    leati_dispatch *dispatch; /* NULL: call at once */
    leati_chain *host;        /* one context, for the host's thread; NULL: call at once */
    int pending;              /* calls without an answer */
    bool waiting;
    bool failed; /* the host's thread: no call follows a failed one */
} callback_self;

typedef struct dispatch_call {
    leati_link link;
    callback_self *to;
    leat_mailbox *mailbox;
    leat_record record;
    leati_arena arena;
} dispatch_call;

struct leati_dispatch {
    pthread_mutex_t lock;
    pthread_cond_t made; /* a call has been */
    leati_link calls;
    const callback_self *calling;
    int count, fd;
};

/* --- the descriptor --------------------------------------------------------------------------- */

static void ring(const leati_dispatch *d) {
    uint64_t one = 1;
    if (write(d->fd, &one, sizeof one) < 0) return; /* it is readable already */
}

static void hush(const leati_dispatch *d) {
    uint64_t count;
    if (read(d->fd, &count, sizeof count) < 0) return; /* it was not readable */
}

void leati_dispatch_ring(leat_job *job) {
    if (job && job->dispatch) ring(job->dispatch);
}

leat_status leati_dispatch_init(leat_job *job) {
    if (!job->blue->host_dispatch) return LEAT_OK;
    leati_dispatch *d = leati_zalloc(sizeof *d);
    if (!d) return LEAT_E_NOMEM;
    d->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (d->fd < 0) {
        leati_free(d);
        return LEAT_E_IO;
    }
    pthread_mutex_init(&d->lock, NULL);
    pthread_cond_init(&d->made, NULL);
    leati_list_init(&d->calls);
    job->dispatch = d;
    return LEAT_OK;
}

void leati_dispatch_end(leat_job *job) {
    leati_dispatch_ring(job);
}

/* --- the sink --------------------------------------------------------------------------------- */

static leat_status callback_open(leat_context *ctx, void *self) {
    callback_self *s = self;
    leat_job *job = ctx->chain->around.job;
    if (!job || !job->dispatch) return LEAT_OK;
    s->host = leati_chain_new(&ctx->chain->around, ctx->chain->inbox);
    if (!s->host || !leati_chain_add(s->host, ctx->info, ctx->subtask, NULL, NULL))
        return LEAT_E_NOMEM;
    s->dispatch = job->dispatch;
    return LEAT_OK;
}

static void call_free(dispatch_call *call) {
    leati_arena_fini(&call->arena);
    leat_mailbox_unref(call->mailbox);
    leati_free(call);
}

/* Its calls leave the queue: what they would call ends with the subtask. */
static void callback_close(leat_context *ctx, void *self, bool failed) {
    (void)ctx;
    (void)failed;
    const callback_self *s = self;
    leati_dispatch *d = s->dispatch;
    leati_link mine, *at, *next;
    if (!d) return;
    leati_list_init(&mine);
    pthread_mutex_lock(&d->lock);
    for (at = d->calls.next; at != &d->calls; at = next) {
        next = at->next;
        if (LEATI_CONTAINER(at, dispatch_call, link)->to != s) continue;
        leati_list_remove(at);
        leati_list_push(&mine, at);
        d->count--;
    }
    while (d->calling == s) pthread_cond_wait(&d->made, &d->lock);
    pthread_mutex_unlock(&d->lock);
    while ((at = leati_list_pop(&mine))) call_free(LEATI_CONTAINER(at, dispatch_call, link));
}

static void callback_fini(void *self) {
    leati_chain_free(((callback_self *)self)->host);
}

/* The answer of a call that the host has made: `arg` carries its status. */
static leat_status answered(leat_context *ctx, void *self, void *arg) {
    callback_self *s = self;
    s->pending--;
    leat_status status = (leat_status)(intptr_t)arg;
    if (s->pending < QUEUE_LETTERS / 2 && s->waiting) {
        s->waiting = false;
        leat_context_release(ctx);
    }
    if (status < 0) {
        const char *why = s->host->failure.text; /* written by no other call */
        return leat_context_fail(ctx, status, "%s", why ? why : "the host's callback failed");
    }
    leat_context_wake(ctx);
    return LEAT_OK;
}

static leat_status enqueue(leat_context *ctx, callback_self *s, const leat_record *in) {
    leati_dispatch *d = s->dispatch;
    dispatch_call *call = leati_zalloc(sizeof *call);
    if (!call) return LEAT_E_NOMEM;
    call->to = s;
    call->record = *in;
    call->mailbox = leat_context_mailbox(ctx);
    leat_status status = leati_value_copy(&in->value, &call->arena, &call->record.value);
    if (status >= 0) status = leati_value_copy(&in->key, &call->arena, &call->record.key);
    if (status < 0 || !call->mailbox) {
        call_free(call);
        return LEAT_E_NOMEM;
    }
    pthread_mutex_lock(&d->lock);
    leati_list_push(&d->calls, &call->link);
    d->count++;
    pthread_mutex_unlock(&d->lock);
    ring(d);
    if (++s->pending >= QUEUE_LETTERS) {
        s->waiting = true;
        leat_context_hold(ctx);
    }
    return LEAT_OK;
}

static leat_status callback_on_record(leat_context *ctx, void *self, unsigned input,
                                      const leat_record *in) {
    (void)input;
    callback_self *s = self;
    if (s->dispatch) return enqueue(ctx, s, in);
    return s->function.call.sink(ctx, in, s->function.arg);
}

/* The end waits for the host to have made all calls. */
static leat_status callback_on_end(leat_context *ctx, void *self, unsigned input) {
    (void)ctx;
    (void)input;
    return ((callback_self *)self)->pending ? LEAT_AGAIN : LEAT_OK;
}

static const leat_param params[] = {
    {"function", LEAT_PARAM_FUNCTION, true, offsetof(callback_self, function), LEAT_ROLE_SINK},
    {0},
};

const leat_operator leat_callback_sink_operator = {
    .size = sizeof(leat_operator),
    .name = "callback_sink",
    .flags = LEAT_OP_SINK | LEAT_OP_HOST | LEAT_OP_SINGLE, /* one call at a time */
    .inputs = 1,
    .self_size = sizeof(callback_self),
    .params = params,
    .on_record = callback_on_record,
    .open = callback_open,
    .on_end_of_data = callback_on_end,
    .close = callback_close,
    .fini = callback_fini,
};

/* --- the host's side -------------------------------------------------------------------------- */

static dispatch_call *next_call(leati_dispatch *d) {
    pthread_mutex_lock(&d->lock);
    leati_link *link = leati_list_pop(&d->calls);
    dispatch_call *call = link ? LEATI_CONTAINER(link, dispatch_call, link) : NULL;
    if (call) d->count--;
    d->calling = call ? call->to : NULL;
    pthread_mutex_unlock(&d->lock);
    return call;
}

static leat_status make(leat_job *job, dispatch_call *call) {
    callback_self *s = call->to;
    leat_context *ctx = s->host->contexts[0];
    if (s->failed) return LEAT_OK;
    ctx->current = &call->record;
    leat_status status = s->function.call.sink(ctx, &call->record, s->function.arg);
    ctx->current = NULL;
    leati_arena_reset(&s->host->arena);
    s->failed = status < 0;
    if (leat_mailbox_post(call->mailbox, answered, (void *)(intptr_t)status, NULL) < 0)
        leati_job_fail_text(job, LEAT_E_NOMEM, "no memory for the answer of a callback");
    return status;
}

/* From here on the sink may go. */
static void made(leati_dispatch *d) {
    pthread_mutex_lock(&d->lock);
    d->calling = NULL;
    pthread_cond_broadcast(&d->made);
    pthread_mutex_unlock(&d->lock);
}

int leat_job_dispatch(leat_job *job, int max) {
    leat_status status = leati_job_check(job, "", NULL);
    if (status < 0) return status;
    leati_dispatch *d = job->dispatch;
    if (!d) return LEAT_E_STATE;
    hush(d);
    int count = max ? leati_pushes_dispatch(job) : 0;
    dispatch_call *call;
    while (status >= 0 && (max < 0 || count < max) && (call = next_call(d))) {
        status = make(job, call);
        call_free(call);
        made(d);
        count++;
    }
    pthread_mutex_lock(&d->lock);
    bool more = d->count > 0;
    pthread_mutex_unlock(&d->lock);
    if (more || leat_job_wait(job, 0) == LEAT_OK) ring(d);
    return status < 0 ? status : count;
}

int leat_job_fd(leat_job *job) {
    return job && job->dispatch ? job->dispatch->fd : -1;
}

void leati_dispatch_free(leat_job *job) {
    leati_dispatch *d = job->dispatch;
    if (!d) return;
    dispatch_call *call;
    while ((call = next_call(d))) call_free(call);
    close(d->fd);
    pthread_cond_destroy(&d->made);
    pthread_mutex_destroy(&d->lock);
    leati_free(d);
    job->dispatch = NULL;
}
