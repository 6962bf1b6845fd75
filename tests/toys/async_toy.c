/* async_toy.c: an operator whose results come from another thread, in the order of its inputs.

   What is out stands in a ring of requests; the thread takes them in turn and posts each answer to
   the mailbox. Four at most are out: then the operator holds its task. Watermarks wait until
   nothing is out that came before them; so does the end. A snapshot keeps the inputs that are out;
   they are asked again first. */
#include "toys.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_OUT = 4, RING = 64 };

typedef struct request {
    int64_t value, time;
} request;

/* What both threads use. */
typedef struct async_shared {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    request ring[RING];
    unsigned asked, taken; /* numbers of requests */
    bool over;
    leat_mailbox *mailbox;
} async_shared;

typedef struct async_self {
    async_shared *shared;
    pthread_t thread;
    bool started;
    unsigned answered;
    int64_t held_watermark;
} async_self;

typedef struct answer {
    int64_t value, time;
} answer;

static unsigned out_now(const async_self *s) {
    return s->shared->asked - s->answered;
}

static leat_status take_answer(leat_context *ctx, void *self, void *arg) {
    async_self *s = self;
    answer a = *(answer *)arg;
    free(arg);
    s->answered++;
    leat_record out = leat_record_of(leat_int(a.value), a.time);
    leat_status status = leat_emit(ctx, &out);
    if (out_now(s) < MOST_OUT) leat_context_release(ctx);
    if (out_now(s) == 0 && status >= 0)
        status = leat_context_forward_watermark(ctx, s->held_watermark);
    leat_context_wake(ctx);
    return status;
}

/* Answers one request; false when there will be none. */
static bool answer_next(async_shared *shared) {
    pthread_mutex_lock(&shared->lock);
    while (shared->taken == shared->asked && !shared->over)
        pthread_cond_wait(&shared->changed, &shared->lock);
    bool over = shared->over;
    request r = shared->ring[shared->taken % RING];
    if (!over) shared->taken++;
    pthread_mutex_unlock(&shared->lock);
    if (over) return false;
    answer *a = malloc(sizeof *a);
    if (!a) abort();
    *a = (answer){2 * r.value, r.time};
    if (leat_mailbox_post(shared->mailbox, take_answer, a, free) < 0) abort();
    return true;
}

static void *async_main(void *arg) {
    while (answer_next(arg)) {}
    return NULL;
}

static leat_status async_open(leat_context *ctx, void *self) {
    async_self *s = self;
    s->held_watermark = INT64_MIN;
    s->shared = calloc(1, sizeof *s->shared);
    if (!s->shared) return LEAT_E_NOMEM;
    pthread_mutex_init(&s->shared->lock, NULL);
    pthread_cond_init(&s->shared->changed, NULL);
    s->shared->mailbox = leat_context_mailbox(ctx);
    if (!s->shared->mailbox) return LEAT_E_NOMEM;
    s->started = pthread_create(&s->thread, NULL, async_main, s->shared) == 0;
    return s->started ? LEAT_OK : LEAT_E_NOMEM;
}

static void ask(async_self *s, int64_t value, int64_t time) {
    async_shared *shared = s->shared;
    pthread_mutex_lock(&shared->lock);
    shared->ring[shared->asked++ % RING] = (request){value, time};
    pthread_cond_signal(&shared->changed);
    pthread_mutex_unlock(&shared->lock);
}

static leat_status async_on_record(leat_context *ctx, void *self, unsigned input,
                                   const leat_record *in) {
    (void)input;
    async_self *s = self;
    if (out_now(s) == RING) return leat_context_fail(ctx, LEAT_E_RANGE, "the hold was not heeded");
    ask(s, in->value.as.i, in->time);
    if (out_now(s) >= MOST_OUT) leat_context_hold(ctx);
    return LEAT_OK;
}

static leat_status async_on_watermark(leat_context *ctx, void *self, int64_t *watermark) {
    (void)ctx;
    async_self *s = self;
    s->held_watermark = *watermark;
    return out_now(s) ? LEAT_AGAIN : LEAT_OK;
}

static leat_status async_on_end(leat_context *ctx, void *self, unsigned input) {
    (void)ctx;
    (void)input;
    return out_now(self) ? LEAT_AGAIN : LEAT_OK;
}

static leat_status async_snapshot(leat_context *ctx, void *self, leat_snapshot *out) {
    const async_self *s = self;
    int64_t watermark = leat_context_watermark(ctx);
    leat_status status =
        leat_snapshot_write(out, "watermark", LEAT_UNION_LIST, &watermark, sizeof watermark);
    for (unsigned i = s->answered; i != s->shared->asked && status >= 0; i++)
        status = leat_snapshot_write(out, "out", LEAT_SPLIT_LIST, &s->shared->ring[i % RING],
                                     sizeof(request));
    return status;
}

static leat_status async_restore(leat_context *ctx, void *self, leat_snapshot *in) {
    async_self *s = self;
    const void *bytes;
    size_t size;
    leat_status status = leat_snapshot_read(in, "watermark", 0, &bytes, &size);
    if (status == LEAT_OK) memcpy(&s->held_watermark, bytes, sizeof s->held_watermark);
    for (size_t i = 0; status == LEAT_OK; i++) {
        request r;
        status = leat_snapshot_read(in, "out", i, &bytes, &size);
        if (status != LEAT_OK) break;
        memcpy(&r, bytes, sizeof r);
        ask(s, r.value, r.time);
    }
    if (out_now(s) >= MOST_OUT) leat_context_hold(ctx);
    return status < 0 ? status : LEAT_OK;
}

static void async_close(leat_context *ctx, void *self, bool failed) {
    (void)ctx;
    (void)failed;
    async_self *s = self;
    if (!s->started) return;
    pthread_mutex_lock(&s->shared->lock);
    s->shared->over = true;
    pthread_cond_signal(&s->shared->changed);
    pthread_mutex_unlock(&s->shared->lock);
    pthread_join(s->thread, NULL);
}

static void async_fini(void *self) {
    async_shared *shared = ((async_self *)self)->shared;
    if (!shared) return;
    leat_mailbox_unref(shared->mailbox);
    pthread_cond_destroy(&shared->changed);
    pthread_mutex_destroy(&shared->lock);
    free(shared);
}

const leat_operator toy_async_operator = {
    .size = sizeof(leat_operator),
    .name = "toy_async",
    .inputs = 1,
    .self_size = sizeof(async_self),
    .on_record = async_on_record,
    .open = async_open,
    .on_watermark = async_on_watermark,
    .on_end_of_data = async_on_end,
    .snapshot = async_snapshot,
    .restore = async_restore,
    .close = async_close,
    .fini = async_fini,
};
