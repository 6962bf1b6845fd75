/* own_process.h: what holds for a process as a whole: it has one libleat and three standard
   streams, and a forked child inherits nothing of it. */
#ifndef LEATI_OWN_PROCESS_H
#define LEATI_OWN_PROCESS_H

#include "leat/base.h"

/* Which process this is: a forked child has another number than its parent. Objects remember the
   number they were made in; calls on those of another process fail, and their destructors do
   nothing. Cheap, any thread. */
unsigned leati_process_number(void);

/* LEAT_E_VERSION when another libleat was loaded before this one; LEAT_E_STATE in a forked child
   whose parent had threads of Leat, since nobody knows what they held. The first call opens
   /dev/null for each standard stream that is closed. */
leat_status leati_process_check(const char *where, leat_error *err);
/* From now on this process has threads of Leat. */
void leati_process_use(void);
/* The calling thread, which Leat has started with all signals blocked, blocks those that the first
   caller of leati_process_use did, for it is about to run a user's functions: programs that they
   start inherit this. */
void leati_process_signals(void);

#endif
