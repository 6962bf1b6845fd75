/* checkpoint.h: a checkpoint on disk: a folder with a file for each task (store.h) and a manifest,
   which says whose they are. The folder is complete when it has its name; until then it is a part.
   docs/formats/snapshot.md specifies both. Files are read and written where it may block. */
#ifndef LEATI_CHECKPOINT_H
#define LEATI_CHECKPOINT_H

#include "runtime/base/abort.h"
#include "runtime/job/plan.h"

#define LEATI_MANIFEST "_metadata"

enum {
    LEATI_CP_SAVEPOINT = 1u << 0,
    LEATI_CP_FINISHED = 1u << 1, /* all data had ended, and sinks have committed all */
    LEATI_CP_STOPPED = 1u << 2   /* the job stopped with it */
};

/* The largest number of one. */
#define LEATI_CP_MOST (INT64_C(1) << 56)

typedef struct leati_cp_operator {
    char *id, *name;
    bool remembers; /* not in the manifest: leati_cp_verify found something of it in the file */
} leati_cp_operator;

typedef struct leati_cp_file {
    char *name;
    uint64_t size;
    int subtask, parallelism;
    leati_cp_operator *operators;
    int operator_count;
    bool sealed;  /* the next counts; not in format 1 */
    uint32_t crc; /* of the file's index, which no other file of the job has */
} leati_cp_file;

/* What is known of a file that was written. */
typedef struct leati_cp_seal {
    uint64_t size;
    uint32_t crc;
} leati_cp_seal;

/* All it points to is its own. */
typedef struct leati_manifest {
    char *job_name, *job_id;
    int64_t number, time; /* ms of the epoch */
    int attempt;
    uint32_t flags;
    leati_cp_file *files; /* by task */
    int file_count;
} leati_manifest;

void leati_manifest_fini(leati_manifest *m); /* also of a zeroed one */
void leati_manifest_encode(const leati_manifest *m, leati_buf *out);
/* `where` is the file's name, for errors. */
leat_status leati_manifest_decode(const void *bytes, size_t size, const char *where,
                                  leati_manifest *out, leat_error *err);
/* Reads that of a checkpoint's folder. LEAT_E_NOT_FOUND when there is none. */
leat_status leati_manifest_read(const char *folder, leati_manifest *out, leat_error *err);
/* Describes what a plan's tasks have written; `seals` by task. */
leat_status leati_manifest_describe(leati_manifest *m, const leati_plan *plan,
                                    const leati_cp_seal *seals);

/* --- folders ---------------------------------------------------------------------------------- */

/* The folder that a user named, perhaps by its manifest; allocated. */
char *leati_cp_named(const char *path);
/* DIR/<job name>, odd characters percent-encoded; allocated. */
char *leati_cp_job_folder(const char *dir, const char *job_name);
char *leati_cp_folder(const char *job_folder, int64_t number); /* .../chk-7 */
char *leati_cp_part(const char *job_folder, int64_t number);   /* .../chk-7.part */
char *leati_cp_task_file(const char *folder, int task);
/* The numbers of the complete checkpoints in a job's folder, the newest first; allocated. -1 when
   it cannot be read; a folder that is not there has none. `highest` is of parts, too. */
int leati_cp_list(const char *job_folder, int64_t **numbers, int64_t *highest, leat_error *err);
/* Makes a folder, and those above it; the second one so that it is there after a power failure. */
leat_status leati_cp_make(const char *folder, leat_error *err);
leat_status leati_cp_make_lasting(const char *folder, leat_error *err);
/* Writes the manifest into the part, makes all of it last, and gives it its name `to`, which is on
   the same file system, or copies it there. */
leat_status leati_cp_publish(const char *part, const char *to, const leati_manifest *m,
                             leat_error *err);
/* Marks a complete one as that of a finished job. */
leat_status leati_cp_finish(const char *folder, leat_error *err);
/* Makes another complete one of the same content, which outlives the first. */
leat_status leati_cp_copy(const char *from, const char *to, const leati_manifest *m,
                          leat_error *err);
/* Removes a folder of a checkpoint with all that is in it; what cannot be removed stays. Follows no
   symbolic link. */
void leati_cp_remove(const char *folder);
/* The same with a complete one, which loses its name first. */
void leati_cp_discard(const char *job_folder, int64_t number);
/* Removes parts, but for that with the highest number of all unless `newest`. */
void leati_cp_remove_parts(const char *job_folder, bool newest);

/* --- integrity.c ------------------------------------------------------------------------------ */

/* Reads and checks all files of a folder that has this manifest, and nothing else is there; learns
   which operators remember something. `foreign`: files of other users will do. The error names the
   file and says what is wrong with it: LEAT_E_FORMAT, LEAT_E_NOT_FOUND, LEAT_E_IO.
   LEAT_E_CANCELLED: `abort` (may be NULL) wanted it. */
leat_status leati_cp_verify(const char *folder, leati_manifest *m, bool foreign,
                            const leati_abort *abort, leat_error *err);

#endif
