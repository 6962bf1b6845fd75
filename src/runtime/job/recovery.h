/* recovery.h: starts a job's operators from what a checkpoint or savepoint says of them. Every
   process opens the folder itself and reads what its own subtasks need. Nothing in it changes while
   tasks open, so that any runner may ask. */
#ifndef LEATI_RECOVERY_H
#define LEATI_RECOVERY_H

#include "runtime/job/checkpoint.h"

typedef struct leati_recovery leati_recovery;

/* NULL with `err` filled: the folder is no checkpoint, or is damaged. */
leati_recovery *leati_recovery_open(const char *folder, leat_error *err);
void leati_recovery_free(leati_recovery *r); /* NULL is fine */
const leati_manifest *leati_recovery_manifest(const leati_recovery *r);
/* Reads and checks all of it (leati_cp_verify). */
leat_status leati_recovery_verify(leati_recovery *r, bool foreign, const leati_abort *abort,
                                  leat_error *err);
/* Of a verified one: does the plan have all operators that remember something? `partly`: those that
   are gone are left out. LEAT_E_STATE says which operators both sides have. */
leat_status leati_recovery_check(const leati_recovery *r, const leati_plan *plan, bool partly,
                                 leat_error *err);
/* leati_surroundings.restore, with the recovery as its `arg`. */
leat_status leati_recovery_feed(void *recovery, leat_context *ctx);
/* leati_surroundings.restore_log. */
leat_status leati_recovery_feed_log(void *recovery, leat_context *ctx, leati_batch **out);

#endif
