/* coordinator.h: when a job's checkpoints are made, whether they are complete, and what is known
   then. The driver's thread asks it what to do next, under the job's lock, which it lets go while
   it writes; news come from any thread under the same lock. */
#ifndef LEATI_COORDINATOR_H
#define LEATI_COORDINATOR_H

#include "runtime/base/list.h"
#include "runtime/flow/task.h"
#include "runtime/job/checkpoint.h"
#include "runtime/job/checkpoint_stats.h"
#include "runtime/job/vault.h"

typedef struct leat_job leat_job;
typedef struct leati_coordinator leati_coordinator;

/* Makes or finds the job's folder, and tries its lock. A job that has no folder configured gets a
   private one, which is removed at the end. LEAT_E_STATE: a job of this process has it. */
leati_coordinator *leati_coordinator_new(leat_job *job, leat_error *err);
/* Does somebody else have the folder still? leati_coordinator_start waits for its end. */
bool leati_coordinator_waits(const leati_coordinator *c);
/* On the driver's thread, before all else: waits for the folder, finds what the job starts from,
   and checks it, which may take its time; a cancel of the job ends it. LEAT_E_RESTORE and the like:
   it cannot start. */
leat_status leati_coordinator_start(leati_coordinator *c, leat_error *err);
void leati_coordinator_free(leati_coordinator *c); /* NULL is fine */
/* What keeps other runs out of the folder, as long as a process has it open; -1: nothing. */
int leati_coordinator_lock(const leati_coordinator *c);
/* Where tasks' files go to. */
const char *leati_coordinator_folder(const leati_coordinator *c);
/* From what the next attempt starts: the newest checkpoint of this job, else what it was told to
   start from; NULL: afresh. Lent until the next checkpoint. */
const char *leati_coordinator_restore(const leati_coordinator *c);
/* The number of the newest one that sinks may have committed in this run; 0: none. */
int64_t leati_coordinator_complete(const leati_coordinator *c);
/* Was that job finished already? Then there is nothing to run. */
bool leati_coordinator_has_finished(const leati_coordinator *c);

/* All has been committed and closed: a last checkpoint is marked, so that nobody starts from it. On
   the driver's thread. Until then a run that does commits what this one may not have. */
void leati_coordinator_finish(leati_coordinator *c);

/* --- under the job's lock --------------------------------------------------------------------- */

/* An attempt begins or has ended; what was under way is given up. */
void leati_coordinator_begin(leati_coordinator *c);
void leati_coordinator_end(leati_coordinator *c);
/* Does what is due: triggers, publishes, gives up. Answers when it wants to be asked again at the
   latest (monotonic ns); INT64_MAX: on news only. LEAT_E_... with `err`: the job fails. */
leat_status leati_coordinator_turn(leati_coordinator *c, int64_t *next, leat_error *err);
/* All data has ended: makes the last checkpoint. True once nothing is left to be made. */
bool leati_coordinator_is_done(leati_coordinator *c);
/* Has this attempt stopped with a savepoint? */
bool leati_coordinator_has_stopped(const leati_coordinator *c);
/* Has it, or a last checkpoint been made: will nothing be committed beyond? */
bool leati_coordinator_made_last(const leati_coordinator *c);
/* What has become of all of them. */
const leati_cp_stats *leati_coordinator_stats(const leati_coordinator *c);
/* Somebody has more waiting for a checkpoint than it should: the next one begins as soon as it may,
   and not when its time has come. */
void leati_coordinator_hurry(leati_coordinator *c);
/* A task's file. */
void leati_coordinator_saved(leati_coordinator *c, const leati_saved *saved);

/* --- savepoints ------------------------------------------------------------------------------- */

typedef struct leati_wish {
    leati_link link; /* in the coordinator's, until it is its turn */
    int refs;        /* who waits, and the coordinator */
    char *dir;
    leati_then then;
    bool done;
    leat_error err; /* of a failure; its status is LEAT_OK when it was made */
    char *path;     /* where it is */
} leati_wish;

/* Takes it; they are fulfilled one after the other, in this attempt of the job. LEAT_E_STATE: there
   is none now; or another failure when that can never be. */
leat_status leati_coordinator_wish(leati_coordinator *c, leati_wish *wish, leat_error *err);
/* The job restarts after a while: nobody is left waiting. */
void leati_coordinator_pause(leati_coordinator *c);
/* The job's state is its last: nobody is left waiting, its folder is free for others. */
void leati_coordinator_conclude(leati_coordinator *c);
void leati_wish_unref(leati_wish *wish);

#endif
