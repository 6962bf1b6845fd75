/* publication.h: what all tasks have written becomes a checkpoint or a savepoint with its name; and
   what becomes of those that are there. The coordinator calls it without the job's lock, since it
   writes. */
#ifndef LEATI_PUBLICATION_H
#define LEATI_PUBLICATION_H

#include "runtime/job/coordinator.h"
#include "runtime/job/job_folder.h"

/* All of it is lent. */
typedef struct leati_publication {
    const leat_job *job;
    const leati_job_folder *folder;
    int64_t number;
    const leati_cp_seal *seals; /* by task */
    const leati_wish *wish;     /* that it fulfils; NULL: it is no savepoint */
} leati_publication;

/* Does the job stop with it? */
bool leati_publication_is_last(const leati_publication *p);
/* Answers its folder, allocated; NULL with `err` filled. */
char *leati_publication_make(const leati_publication *p, leat_error *err);
/* Removes those that nobody will start from any more, all but so many, and what tasks still wrote
   for one that was given up. */
void leati_publication_tidy(const leati_job_folder *folder, int retained);
/* Marks the newest one, which has that number, as that of a finished job. Of a savepoint there is
   another one in the job's folder. */
void leati_publication_finish(const leati_job_folder *folder, const char *newest, int64_t number);

#endif
