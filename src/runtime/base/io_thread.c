/* io_thread.c: see io_thread.h. A locked queue and a condition; the thread is detached and never
   ends, so that a process can exit while a read hangs. In a forked child there is no thread: the
   process id tells, and work is refused. */
#include "runtime/base/io_thread.h"
#include "runtime/base/deadline.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "runtime/base/alloc.h"
#include "runtime/base/list.h"

typedef struct io_work {
    leati_link link;
    leat_status (*work)(void *arg);
    void (*done)(void *arg, leat_status status);
    void *arg;
} io_work;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t ready = PTHREAD_COND_INITIALIZER;
static leati_link queue = {&queue, &queue};
static pid_t running_in; /* the process whose thread runs; 0: none yet */

leat_status leati_thread_start(unsigned long *thread, void *(*main)(void *), void *arg,
                               const char *name) {
    sigset_t all, old;
    pthread_t id;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    int failed = pthread_create(&id, NULL, main, arg);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (failed) return LEAT_E_NOMEM;
    pthread_setname_np(id, name);
    *thread = (unsigned long)id;
    return LEAT_OK;
}

static void *io_main(void *arg) {
    (void)arg;
    for (;;) {
        pthread_mutex_lock(&lock);
        while (leati_list_empty(&queue)) pthread_cond_wait(&ready, &lock);
        io_work *w = LEATI_CONTAINER(leati_list_pop(&queue), io_work, link);
        pthread_mutex_unlock(&lock);
        leat_status status = w->work(w->arg);
        w->done(w->arg, status);
        leati_free(w);
    }
    return NULL;
}

/* Under the lock. */
static leat_status start(void) {
    if (running_in == getpid()) return LEAT_OK;
    if (running_in) return LEAT_E_STATE; /* a forked child */
    unsigned long thread;
    leat_status status = leati_thread_start(&thread, io_main, NULL, "leat-io");
    if (status < 0) return status;
    pthread_detach((pthread_t)thread);
    running_in = getpid();
    return LEAT_OK;
}

leat_status leati_io_submit(leat_status (*work)(void *arg), void (*done)(void *arg, leat_status),
                            void *arg) {
    io_work *w = leati_zalloc(sizeof *w);
    if (!w) return LEAT_E_NOMEM;
    w->work = work;
    w->done = done;
    w->arg = arg;
    pthread_mutex_lock(&lock);
    leat_status status = start();
    if (status >= 0) {
        leati_list_push(&queue, &w->link);
        pthread_cond_signal(&ready);
    }
    pthread_mutex_unlock(&lock);
    if (status < 0) leati_free(w);
    return status;
}

/* --- waiting ---------------------------------------------------------------------------------- */

/* Shared by who waits and the I/O thread; the last one frees it. */
typedef struct settling {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool done, left;
} settling;

static leat_status settle_nothing(void *arg) {
    (void)arg;
    return LEAT_OK;
}

static void settling_free(settling *s) {
    pthread_cond_destroy(&s->changed);
    pthread_mutex_destroy(&s->lock);
    leati_free(s);
}

static void settled(void *arg, leat_status status) {
    settling *s = arg;
    (void)status;
    pthread_mutex_lock(&s->lock);
    bool left = s->left;
    s->done = true;
    pthread_cond_signal(&s->changed);
    pthread_mutex_unlock(&s->lock);
    if (left) settling_free(s);
}

static struct timespec deadline(int ms) {
    struct timespec until = leati_deadline_after(ms);
    return until;
}

/* Work runs in the order it came: when ours has, all before it has. */
bool leati_io_settle(int timeout_ms) {
    settling *s = leati_zalloc(sizeof *s);
    struct timespec until = deadline(timeout_ms);
    if (!s) return false;
    leati_deadline_cond_init(&s->changed);
    pthread_mutex_init(&s->lock, NULL);
    bool refused = leati_io_submit(settle_nothing, settled, s) < 0;
    int late = 0;
    pthread_mutex_lock(&s->lock);
    if (refused) s->done = true;
    while (!s->done && !late) late = pthread_cond_timedwait(&s->changed, &s->lock, &until);
    bool done = s->done;
    s->left = true;
    pthread_mutex_unlock(&s->lock);
    if (done) settling_free(s);
    return done;
}
