/* blocking_toy.c: a source with a thread of its own, which may block. The thread draws numbers from
   the well and posts them; poll gives them out. Four at most are drawn and not yet emitted: the
   thread waits then, which a source's own thread may. A snapshot is the next number; the thread
   starts with the first poll, after a restore. */
#include "toys.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_AHEAD = 4 };

/* What both threads use, under the well's lock. */
typedef struct drawer {
    toy_well *well;
    leat_mailbox *mailbox;
    int64_t next, emitted;
    bool over;
} drawer;

typedef struct blocking_self {
    toy_well *well;
    drawer *drawer;
    pthread_t thread;
    bool started, dry;
    int64_t next;              /* to emit */
    int64_t queue[MOST_AHEAD]; /* drawn */
    int queued;
} blocking_self;

static const leat_param params[] = {
    {"well", LEAT_PARAM_POINTER, true, offsetof(blocking_self, well), LEAT_ROLE_NONE},
    {0},
};

void toy_well_fill(toy_well *well, int64_t level, bool dry) {
    pthread_mutex_lock(&well->lock);
    well->level = level;
    well->dry = dry;
    pthread_cond_broadcast(&well->changed);
    pthread_mutex_unlock(&well->lock);
}

static leat_status take_number(leat_context *ctx, void *self, void *arg) {
    blocking_self *s = self;
    int64_t number = *(int64_t *)arg;
    free(arg);
    if (number < 0)
        s->dry = true;
    else if (s->queued == MOST_AHEAD)
        return leat_context_fail(ctx, LEAT_E_RANGE, "the thread did not wait");
    else
        s->queue[s->queued++] = number;
    leat_context_wake(ctx);
    return LEAT_OK;
}

static bool may_draw(const drawer *d) {
    const toy_well *w = d->well;
    return d->over || ((d->next < w->level || w->dry) && d->next - d->emitted < MOST_AHEAD);
}

/* Blocks until there is a number, -1 when the well is dry; false when it is over. */
static bool draw(drawer *d, int64_t *number) {
    toy_well *w = d->well;
    pthread_mutex_lock(&w->lock);
    while (!may_draw(d)) pthread_cond_wait(&w->changed, &w->lock);
    *number = d->next < w->level ? d->next++ : -1;
    if (d->next - d->emitted > w->most_ahead) w->most_ahead = d->next - d->emitted;
    bool over = d->over;
    pthread_mutex_unlock(&w->lock);
    return !over;
}

static void *drawer_main(void *arg) {
    drawer *d = arg;
    int64_t number = 0;
    while (number >= 0 && draw(d, &number)) {
        int64_t *letter = malloc(sizeof *letter);
        if (!letter) abort();
        *letter = number;
        if (leat_mailbox_post(d->mailbox, take_number, letter, free) < 0) abort();
    }
    pthread_mutex_lock(&d->well->lock);
    d->well->drawers--;
    pthread_mutex_unlock(&d->well->lock);
    return NULL;
}

static leat_status start(leat_context *ctx, blocking_self *s) {
    s->drawer = calloc(1, sizeof *s->drawer);
    if (!s->drawer) return LEAT_E_NOMEM;
    *s->drawer = (drawer){s->well, leat_context_mailbox(ctx), s->next, s->next, false};
    if (!s->drawer->mailbox) return LEAT_E_NOMEM;
    pthread_mutex_lock(&s->well->lock);
    s->well->drawers++;
    pthread_mutex_unlock(&s->well->lock);
    s->started = pthread_create(&s->thread, NULL, drawer_main, s->drawer) == 0;
    return s->started ? LEAT_OK : LEAT_E_NOMEM;
}

static leat_status blocking_poll(leat_context *ctx, void *self, leat_emitter *out) {
    blocking_self *s = self;
    if (!s->started) {
        leat_status status = start(ctx, s);
        if (status < 0) return status;
    }
    if (!s->queued) return s->dry ? LEAT_DONE : LEAT_AGAIN;
    leat_value v = leat_int(s->queue[0]);
    s->next = v.as.i + 1;
    s->queued--;
    memmove(s->queue, s->queue + 1, (size_t)s->queued * sizeof s->queue[0]);
    pthread_mutex_lock(&s->well->lock);
    s->drawer->emitted = s->next;
    pthread_cond_broadcast(&s->well->changed);
    pthread_mutex_unlock(&s->well->lock);
    return leat_emitter_push(out, &v);
}

static leat_status blocking_snapshot(leat_context *ctx, void *self, leat_snapshot *out) {
    (void)ctx;
    const blocking_self *s = self;
    return leat_snapshot_write(out, "next", LEAT_UNION_LIST, &s->next, sizeof s->next);
}

static leat_status blocking_restore(leat_context *ctx, void *self, leat_snapshot *in) {
    (void)ctx;
    blocking_self *s = self;
    const void *bytes;
    size_t size;
    leat_status status = leat_snapshot_read(in, "next", 0, &bytes, &size);
    if (status == LEAT_OK) memcpy(&s->next, bytes, sizeof s->next);
    return status < 0 ? status : LEAT_OK;
}

static void blocking_close(leat_context *ctx, void *self, bool failed) {
    (void)ctx;
    (void)failed;
    blocking_self *s = self;
    if (!s->started) return;
    pthread_mutex_lock(&s->well->lock);
    s->drawer->over = true;
    pthread_cond_broadcast(&s->well->changed);
    pthread_mutex_unlock(&s->well->lock);
    pthread_join(s->thread, NULL);
}

static void blocking_fini(void *self) {
    drawer *d = ((blocking_self *)self)->drawer;
    if (!d) return;
    leat_mailbox_unref(d->mailbox);
    free(d);
}

const leat_operator toy_blocking_operator = {
    .size = sizeof(leat_operator),
    .name = "toy_blocking",
    .flags = LEAT_OP_SINGLE,
    .self_size = sizeof(blocking_self),
    .params = params,
    .poll = blocking_poll,
    .snapshot = blocking_snapshot,
    .restore = blocking_restore,
    .close = blocking_close,
    .fini = blocking_fini,
};
