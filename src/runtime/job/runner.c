/* runner.c: see runner.h.

   Wake-ups: a seat is queued at most once. A wake from this thread only queues; one from another
   thread also signals the loop when the runner sleeps. The runner clears `queued` before it steps,
   so that what comes during the step queues the seat again.

   The interpreter may have an event loop of its own on this thread. It gets its turn after steps,
   and when what it waits for has come: its descriptor is watched by the runner's loop, its next
   timer is one of those that the runner sleeps until. */
#include "runtime/job/runner.h"

#include <errno.h>
#include <uv.h>

#include "runtime/base/alloc.h"
#include "runtime/base/clock.h"
#include "runtime/base/deadline.h"
#include "runtime/base/io_thread.h"
#include "runtime/base/list.h"
#include "runtime/base/loop.h"
#include "runtime/base/own_process.h"

enum {
    STEP_BUDGET = 1024,  /* records and the like per step */
    STEPS_PER_LOOK = 64, /* steps between two looks at the loop */
    TURN_NS = 1000000,   /* between two turns of the language's loop while tasks are busy */
};

struct leati_seat {
    leati_link ready; /* in the runner's queue */
    atomic_bool queued;
    leati_runner *runner;
    leati_task *task;
    bool ended;
};

struct leati_runner {
    const leati_bridge *bridge;
    leati_runner_news news;
    const char *name;
    leati_seat **seats;
    int count, ended;

    pthread_mutex_t lock; /* guards the queue */
    leati_link queue;
    atomic_bool sleeping;
    atomic_int stop; /* 0: run; else 1 + leati_finish */
    bool finished;   /* guarded by the lock, too */
    pthread_cond_t end;

    unsigned long thread;
    bool started, joined, inside, failed, starts_programs;
    void *token;
    uv_loop_t loop;
    uv_async_t wake;
    uv_timer_t timer;
    uv_poll_t watch; /* of the vigil's descriptor */
    bool watching, due;
    leati_vigil vigil;
    int64_t turned;
    const leati_task *caller; /* one that has calls in the language's loop */
    _Atomic(const leati_task *) stepping;
};

static _Thread_local leati_runner *current;

/* --- building --------------------------------------------------------------------------------- */

leati_runner *leati_runner_new(const leati_bridge *bridge, const leati_runner_news *news,
                               const char *name) {
    leati_runner *r = leati_zalloc(sizeof *r);
    if (!r) return NULL;
    r->bridge = bridge;
    r->news = *news;
    r->name = name;
    r->starts_programs = bridge != NULL;
    r->vigil = (leati_vigil){.fd = -1, .at = INT64_MAX};
    leati_deadline_cond_init(&r->end);
    pthread_mutex_init(&r->lock, NULL);
    leati_list_init(&r->queue);
    return r;
}

void leati_runner_starts_none(leati_runner *r) {
    r->starts_programs = false;
}

leati_seat *leati_runner_seat(leati_runner *r) {
    leati_seat **seats = leati_resize(r->seats, (size_t)(r->count + 1) * sizeof *seats);
    if (seats) r->seats = seats;
    leati_seat *s = seats ? leati_zalloc(sizeof *s) : NULL;
    if (!s) return NULL;
    leati_list_init(&s->ready);
    s->runner = r;
    return r->seats[r->count++] = s;
}

void leati_seat_take(leati_seat *seat, leati_task *task) {
    seat->task = task;
}

static void close_loop(leati_runner *r) {
    uv_close((uv_handle_t *)&r->wake, NULL);
    uv_close((uv_handle_t *)&r->timer, NULL);
    if (r->watching) uv_close((uv_handle_t *)&r->watch, NULL);
    uv_run(&r->loop, UV_RUN_DEFAULT);
    uv_loop_close(&r->loop);
}

void leati_runner_free(leati_runner *r) {
    if (!r) return;
    /* Not when it was joined: another runner may still have been about to ring then. */
    if (r->started) close_loop(r);
    for (int i = 0; i < r->count; i++) {
        leati_task_free(r->seats[i]->task);
        leati_free(r->seats[i]);
    }
    leati_free(r->seats);
    pthread_cond_destroy(&r->end);
    pthread_mutex_destroy(&r->lock);
    leati_free(r);
}

/* --- waking ----------------------------------------------------------------------------------- */

static void ring(leati_runner *r) {
    if (current != r && atomic_exchange(&r->sleeping, false)) uv_async_send(&r->wake);
}

static void seat_wake(void *arg) {
    leati_seat *s = arg;
    leati_runner *r = s->runner;
    if (atomic_exchange(&s->queued, true)) return;
    pthread_mutex_lock(&r->lock);
    leati_list_push(&r->queue, &s->ready);
    pthread_mutex_unlock(&r->lock);
    ring(r);
}

leati_notice leati_seat_notice(leati_seat *seat) {
    return (leati_notice){seat_wake, seat};
}

static leati_seat *next_ready(leati_runner *r) {
    pthread_mutex_lock(&r->lock);
    leati_link *link = leati_list_pop(&r->queue);
    pthread_mutex_unlock(&r->lock);
    if (!link) return NULL;
    leati_seat *s = LEATI_CONTAINER(link, leati_seat, ready);
    atomic_store(&s->queued, false);
    return s;
}

static bool queue_empty(leati_runner *r) {
    pthread_mutex_lock(&r->lock);
    bool empty = leati_list_empty(&r->queue);
    pthread_mutex_unlock(&r->lock);
    return empty;
}

/* --- stepping --------------------------------------------------------------------------------- */

static void enter(leati_runner *r) {
    if (r->inside || !r->bridge) return;
    r->bridge->enter(r->bridge->interpreter, &r->token);
    r->inside = true;
}

static void leave(leati_runner *r) {
    if (!r->inside) return;
    r->bridge->rest(r->bridge->interpreter, true);
    r->bridge->leave(r->bridge->interpreter, r->token);
    r->inside = false;
}

static void report(leati_runner *r, leati_seat *s) {
    r->failed = true;
    r->news.failed(r->news.arg, &s->task->chain->failure);
}

static void step(leati_runner *r, leati_seat *s) {
    if (r->failed) return;
    enter(r);
    atomic_store_explicit(&r->stepping, s->task, memory_order_relaxed);
    leati_task_state state = leati_task_step(s->task, STEP_BUDGET);
    atomic_store_explicit(&r->stepping, NULL, memory_order_relaxed);
    if (r->inside) r->bridge->rest(r->bridge->interpreter, false);
    if (state == LEATI_TASK_READY) seat_wake(s);
    if (state == LEATI_TASK_FAILED) report(r, s);
    if (state != LEATI_TASK_ENDED || s->ended) return;
    s->ended = true;
    if (++r->ended == r->count) r->news.ended(r->news.arg);
}

/* --- the language's event loop ---------------------------------------------------------------- */

static void on_readable(uv_poll_t *watch, int status, int events) {
    (void)status;
    (void)events;
    ((leati_runner *)watch->data)->due = true;
}

/* A language has one loop for as long as tasks run. */
static void watch_vigil(leati_runner *r) {
    if (r->watching || uv_poll_init(&r->loop, &r->watch, r->vigil.fd) < 0) return;
    r->watching = true;
    r->watch.data = r;
    uv_poll_start(&r->watch, UV_READABLE, on_readable);
}

/* Has come what it waits for? Of busy tasks the descriptor is not asked each time. */
static bool is_due(const leati_runner *r, int64_t now) {
    if (r->due) return true;
    if (r->vigil.fd < 0) return false;
    return now >= r->vigil.at || (r->inside && now - r->turned > TURN_NS);
}

/* Answers whether it has more to do at once. */
static bool turn(leati_runner *r) {
    if (!r->bridge || !r->bridge->turn) return false;
    int64_t now = r->vigil.fd < 0 ? 0 : leati_clock_monotonic();
    bool due = is_due(r, now);
    if (!due && !r->inside) return false;
    enter(r);
    r->due = false;
    if (due) r->turned = now;
    atomic_store_explicit(&r->stepping, r->caller, memory_order_relaxed);
    r->bridge->turn(r->bridge->interpreter, due, &r->vigil);
    atomic_store_explicit(&r->stepping, NULL, memory_order_relaxed);
    if (r->vigil.fd < 0) return false;
    watch_vigil(r);
    return r->vigil.at == 0;
}

/* Milliseconds, rounded up. */
static int64_t until_vigil(const leati_runner *r) {
    if (r->vigil.fd < 0 || r->vigil.at == INT64_MAX) return INT64_MAX;
    int64_t left = r->vigil.at - leati_clock_monotonic();
    return left <= 0 ? 0 : (left + 999999) / 1000000;
}

/* --- the runner's ----------------------------------------------------------------------------- */

/* Queues the tasks whose time has come and sets the timer for the next one. */
static void look_at_clock(leati_runner *r) {
    int64_t next = INT64_MAX, now = leati_clock_now();
    for (int i = 0; i < r->count; i++) {
        leati_seat *s = r->seats[i];
        int64_t at = s->ended || r->failed ? INT64_MAX : leati_task_next_time(s->task);
        if (at <= now)
            seat_wake(s);
        else if (at < next)
            next = at;
    }
    int64_t left = next == INT64_MAX ? next : next - now, vigil = until_vigil(r);
    if (vigil < left) left = vigil;
    if (left == INT64_MAX) {
        uv_timer_stop(&r->timer);
        return;
    }
    uv_update_time(&r->loop);
    uv_timer_start(&r->timer, r->timer.timer_cb, (uint64_t)left, 0);
}

static void rest(leati_runner *r) {
    leave(r);
    look_at_clock(r);
    atomic_store(&r->sleeping, true);
    if (queue_empty(r) && !atomic_load(&r->stop)) uv_run(&r->loop, UV_RUN_ONCE);
    atomic_store(&r->sleeping, false);
}

static void run(leati_runner *r) {
    int steps = 0;
    while (!atomic_load_explicit(&r->stop, memory_order_relaxed)) {
        leati_seat *s = next_ready(r);
        if (s) step(r, s);
        bool more = turn(r);
        if (!s && !more && queue_empty(r)) {
            rest(r);
            steps = 0;
            continue;
        }
        if (++steps < STEPS_PER_LOOK) continue;
        steps = 0;
        look_at_clock(r);
        uv_run(&r->loop, UV_RUN_NOWAIT);
    }
}

/* --- the thread ------------------------------------------------------------------------------- */

static void on_wake(uv_async_t *handle) {
    (void)handle;
}

/* The loop returns, and look_at_clock does the rest. A timer that was due before the loop began to
   wait would not end that wait. */
static void on_timer(uv_timer_t *timer) {
    uv_stop(timer->loop);
}

static bool open_loop(leati_runner *r) {
    if (leati_loop_init(&r->loop) < 0) return false;
    uv_async_init(&r->loop, &r->wake, on_wake);
    uv_timer_init(&r->loop, &r->timer);
    r->timer.timer_cb = on_timer;
    return true;
}

static void open_tasks(leati_runner *r) {
    enter(r);
    for (int i = 0; i < r->count && !r->failed && !atomic_load(&r->stop); i++) {
        leati_task *t = r->seats[i]->task;
        atomic_store(&r->stepping, t);
        if (!r->caller || leati_context_polls(t->chain->contexts[0])) r->caller = t;
        if (leati_task_open(t) < 0) report(r, r->seats[i]);
        atomic_store(&r->stepping, NULL);
        seat_wake(r->seats[i]);
    }
    if (!r->failed) r->news.opened(r->news.arg);
}

/* The tasks are not stepped any more; what wakes them is the answer of the I/O thread. */
static void await_wake(leati_runner *r) {
    leave(r);
    atomic_store(&r->sleeping, true);
    if (queue_empty(r)) uv_run(&r->loop, UV_RUN_ONCE);
    atomic_store(&r->sleeping, false);
    while (next_ready(r)) {}
    enter(r);
}

/* Sinks with two phases give out at the end what a last checkpoint would have. */
static void finish_tasks(leati_runner *r, bool committed) {
    for (int i = 0; i < r->count && !r->failed; i++) {
        leati_task *t = r->seats[i]->task;
        leat_status status;
        while ((status = leati_task_finish(t, committed)) == LEAT_AGAIN) await_wake(r);
        if (status < 0) report(r, r->seats[i]);
    }
}

/* A user's close may fail, too; after another failure nobody wants to know. */
static void close_tasks(leati_runner *r, bool failed) {
    for (int i = 0; i < r->count; i++) {
        leati_task *t = r->seats[i]->task;
        bool blamed = t->chain->blamed != NULL;
        atomic_store(&r->stepping, t);
        leati_task_close(t, failed || r->failed);
        atomic_store(&r->stepping, NULL);
        if (!failed && !r->failed && !blamed && t->chain->blamed) report(r, r->seats[i]);
    }
}

static void *runner_main(void *arg) {
    leati_runner *r = arg;
    current = r;
    if (r->starts_programs) leati_process_signals();
    open_tasks(r);
    run(r);
    enter(r);
    leati_finish how = (leati_finish)(atomic_load(&r->stop) - 1);
    bool failed = how == LEATI_FINISH_FAILED;
    if (r->watching) uv_poll_stop(&r->watch); /* the descriptor ends with the tasks */
    if (!failed) finish_tasks(r, how == LEATI_FINISH_COMMITTED);
    close_tasks(r, failed);
    leave(r);
    pthread_mutex_lock(&r->lock);
    r->finished = true;
    pthread_cond_broadcast(&r->end);
    pthread_mutex_unlock(&r->lock);
    return NULL;
}

leat_status leati_runner_start(leati_runner *r) {
    if (!open_loop(r)) return LEAT_E_IO;
    leat_status status = leati_thread_start(&r->thread, runner_main, r, r->name);
    if (status < 0) {
        close_loop(r);
        return status;
    }
    r->started = true;
    return LEAT_OK;
}

void leati_runner_stop(leati_runner *r, leati_finish how) {
    int running = 0;
    atomic_compare_exchange_strong(&r->stop, &running, 1 + (int)how);
    atomic_store(&r->sleeping, false);
    if (r->started) uv_async_send(&r->wake);
}

/* The last that the thread does is to say so: what follows can't hang. A timed join would do, too,
   but the analysers of races do not know it. */
static bool await_end(leati_runner *r, int timeout_ms) {
    struct timespec until = leati_deadline_after(timeout_ms);
    int late = 0;
    pthread_mutex_lock(&r->lock);
    while (!r->finished && !late) late = pthread_cond_timedwait(&r->end, &r->lock, &until);
    bool finished = r->finished;
    pthread_mutex_unlock(&r->lock);
    return finished;
}

bool leati_runner_join(leati_runner *r, int timeout_ms) {
    if (!r->started || r->joined) return true;
    if (timeout_ms >= 0 && !await_end(r, timeout_ms)) return false;
    pthread_join((pthread_t)r->thread, NULL);
    r->joined = true;
    return true;
}

unsigned long leati_runner_thread(const leati_runner *r) {
    return r->thread;
}

const leati_task *leati_runner_stuck_in(const leati_runner *r) {
    return atomic_load(&r->stepping);
}
