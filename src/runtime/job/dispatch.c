/* dispatch.c: callbacks of the host program: the sink that calls them, on its own thread or, with host dispatch, in
   leat_job_dispatch on a thread of the host's.

   With host dispatch records wait in one bounded queue per job; an eventfd is readable while something waits, when pushes have
   room again, and at the end. A full queue holds the sinks. */
#include <sys/eventfd.h>
#include <unistd.h>

#include "leat/operators.h"
#include "runtime/base/alloc.h"
#include "runtime/data/codec.h"
#include "runtime/job/job.h"

enum { QUEUE_LETTERS = 4096 };

typedef struct dispatch_call {
    leati_link link;
    leat_function
        *function; /* the subtask's, which outlives the queue: tasks close after it is empty */
    leat_context *ctx;
    leat_mailbox *mailbox;
    leat_record record;
    leati_arena arena;
} dispatch_call;

struct leati_dispatch {
    pthread_mutex_t lock;
    leati_link calls;
    int count, fd;
};

typedef struct callback_self {
    leat_function function;
    leati_dispatch *dispatch; /* NULL: call at once */
    int pending;              /* calls in the queue */
    bool waiting;
} callback_self;

/* --- the descriptor ------------------------------------------------------------------------------- */

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
    leati_list_init(&d->calls);
    job->dispatch = d;
    return LEAT_OK;
}

void leati_dispatch_end(leat_job *job) {
    leati_dispatch_ring(job);
}

/* --- the sink ------------------------------------------------------------------------------------- */

static leat_status callback_open(leat_context *ctx, void *self) {
    callback_self *s = self;
    leat_job *job = ctx->chain->around.job;
    s->dispatch = job ? job->dispatch : NULL;
    return LEAT_OK;
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
    if (status < 0) return leat_context_fail(ctx, status, "the host's callback failed");
    leat_context_wake(ctx);
    return LEAT_OK;
}

static leat_status enqueue(leat_context *ctx, callback_self *s, const leat_record *in) {
    leati_dispatch *d = s->dispatch;
    dispatch_call *call = leati_zalloc(sizeof *call);
    if (!call) return LEAT_E_NOMEM;
    call->function = &s->function;
    call->ctx = ctx;
    call->record = *in;
    call->mailbox = leat_context_mailbox(ctx);
    leat_status status = leati_value_copy(&in->value, &call->arena, &call->record.value);
    if (status < 0 || !call->mailbox) {
        leati_arena_fini(&call->arena);
        leat_mailbox_unref(call->mailbox);
        leati_free(call);
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
    .flags = LEAT_OP_SINK | LEAT_OP_HOST,
    .inputs = 1,
    .self_size = sizeof(callback_self),
    .params = params,
    .on_record = callback_on_record,
    .open = callback_open,
    .on_end_of_data = callback_on_end,
};

/* --- the host's side ------------------------------------------------------------------------------ */

static dispatch_call *next_call(leati_dispatch *d) {
    pthread_mutex_lock(&d->lock);
    leati_link *link = leati_list_pop(&d->calls);
    if (link) d->count--;
    pthread_mutex_unlock(&d->lock);
    return link ? LEATI_CONTAINER(link, dispatch_call, link) : NULL;
}

static void call_free(dispatch_call *call) {
    leati_arena_fini(&call->arena);
    leat_mailbox_unref(call->mailbox);
    leati_free(call);
}

int leat_job_dispatch(leat_job *job, int max) {
    leat_status status = leati_job_check(job, "", NULL);
    if (status < 0) return status;
    leati_dispatch *d = job->dispatch;
    if (!d) return LEAT_E_STATE;
    hush(d);
    int made = 0;
    dispatch_call *call;
    while (status >= 0 && (max < 0 || made < max) && (call = next_call(d))) {
        leat_function *f = call->function;
        status = f->call.sink(call->ctx, &call->record, f->arg);
        leat_mailbox_post(call->mailbox, answered, (void *)(intptr_t)status, NULL);
        call_free(call);
        made++;
    }
    pthread_mutex_lock(&d->lock);
    bool more = d->count > 0;
    pthread_mutex_unlock(&d->lock);
    if (more || leat_job_wait(job, 0) == LEAT_OK) ring(d);
    return status < 0 ? status : made;
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
    pthread_mutex_destroy(&d->lock);
    leati_free(d);
    job->dispatch = NULL;
}
