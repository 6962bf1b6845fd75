/* io_thread.h: the one thread of a process that may block on files. Work runs in the order it came.
   Started by the first piece of work, with all signals blocked; it ends with the process. */
#ifndef LEATI_IO_THREAD_H
#define LEATI_IO_THREAD_H

#include "leat/base.h"

/* Runs work(arg) on the I/O thread, then done(arg, status) there. LEAT_E_NOMEM or LEAT_E_IO when
   the work was not taken; then neither is called. Any thread. */
leat_status leati_io_submit(leat_status (*work)(void *arg), void (*done)(void *arg, leat_status),
                            void *arg);

/* Waits until all work that was given so far is done; false after `timeout_ms`. Not on the I/O
   thread. */
bool leati_io_settle(int timeout_ms);

/* Starts a thread with all signals blocked, as every thread of ours. */
leat_status leati_thread_start(unsigned long *thread, void *(*main)(void *), void *arg,
                               const char *name);

#endif
