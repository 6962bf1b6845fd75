/* runner.h: one thread with one libuv loop that steps tasks. A runner of an interpreter enters it
   before its tasks step and leaves it when none can. Built and freed by the host's owner; tasks are
   touched by the runner's thread only, from leati_runner_start until it has been joined. */
#ifndef LEATI_RUNNER_H
#define LEATI_RUNNER_H

#include "runtime/flow/task.h"

typedef struct leati_runner leati_runner;

/* News of a runner, called on its thread. */
typedef struct leati_runner_news {
    void (*opened)(void *arg);                         /* all tasks are open */
    void (*ended)(void *arg);                          /* all tasks have ended their data */
    void (*failed)(void *arg, leati_failure *failure); /* the content may be taken */
    void *arg;
} leati_runner_news;

leati_runner *leati_runner_new(const leati_bridge *bridge, const leati_runner_news *news,
                               const char *name);
/* No function of a user's runs here, so nobody starts programs: all signals stay blocked. */
void leati_runner_starts_none(leati_runner *r);
void leati_runner_free(leati_runner *r); /* joined or never started; frees the tasks */
/* Where a task of this runner is woken; its seat, given to leati_runner_add. NULL when memory ran
   out. */
typedef struct leati_seat leati_seat;
leati_seat *leati_runner_seat(leati_runner *r);
leati_notice leati_seat_notice(leati_seat *seat);
/* Adopts the task. */
void leati_seat_take(leati_seat *seat, leati_task *task);

/* Opens the tasks and steps them. `preamble` (may be NULL) runs first, inside the interpreter. */
leat_status leati_runner_start(leati_runner *r);
/* How a job ends. The values are those of the wire. */
typedef enum leati_finish {
    LEATI_FINISH_WELL = 0,     /* what sinks hold is prepared, committed, closed */
    LEATI_FINISH_FAILED = 1,   /* closed */
    LEATI_FINISH_COMMITTED = 2 /* a last checkpoint has it: committed, closed */
} leati_finish;
/* Any thread; returns at once. */
void leati_runner_stop(leati_runner *r, leati_finish how);
/* Waits until the thread has ended; false after `timeout_ms` (-1: for ever). */
bool leati_runner_join(leati_runner *r, int timeout_ms);
/* For leati_bridge.interrupt. */
unsigned long leati_runner_thread(const leati_runner *r);
/* The task that it is inside of, for the message that names a stuck function; or NULL. */
const leati_task *leati_runner_stuck_in(const leati_runner *r);

#endif
