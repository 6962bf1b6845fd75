/* checkpoint.h: looks into checkpoints and savepoints, for people and programs. No job is needed,
   and nothing of a user's is decoded. */
#ifndef LEAT_CHECKPOINT_H
#define LEAT_CHECKPOINT_H

#include "base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What a checkpoint or savepoint (its folder, or the file _metadata in it) has: its job, number,
   time and kind; its operators with their states, items of their own and timers, how many there
   are of each, in how many key groups and bytes; its files. As a text, or as JSON. All of it is
   read and checked first: LEAT_E_FORMAT, LEAT_E_NOT_FOUND or LEAT_E_IO name the file and say what
   is wrong with it. The caller frees the text with leat_text_free. Any thread. */
LEAT_API char *leat_checkpoint_inspect(const char *path, bool json, leat_error *err);

/* The complete checkpoints in a job's folder (DIR/<job name>), the newest first, a line for each,
   or as a JSON array; one that is damaged is listed with what is wrong. The caller frees it with
   leat_text_free. Any thread. */
LEAT_API char *leat_checkpoint_list(const char *job_folder, bool json, leat_error *err);

#ifdef __cplusplus
}
#endif

#endif
