/* vault.h: writes what the tasks of one process remember into the folders of checkpoints, on the
   process's I/O thread, and says when a task's file is on the disk. */
#ifndef LEATI_VAULT_H
#define LEATI_VAULT_H

#include "runtime/flow/snapshot.h"

typedef struct leati_vault leati_vault;

/* A task's file is complete and on the disk; or is not, and why. `why` is lent. */
typedef struct leati_saved {
    int64_t checkpoint;
    int task;
    leat_status status;
    uint64_t size;
    const char *why;
    uint32_t crc; /* of its index */
} leati_saved;

typedef struct leati_vault_news {
    void (*saved)(void *arg, const leati_saved *saved); /* on the I/O thread */
    void *arg;
} leati_vault_news;

/* `folder` is the job's; files go into its parts (checkpoint.h), which are there. NULL when memory
   ran out. */
leati_vault *leati_vault_new(const char *folder, bool compress, const leati_vault_news *news);
leati_saver leati_vault_saver(leati_vault *v);
/* No news come when this has returned. */
void leati_vault_hush(leati_vault *v);
/* The same; what is under way is given up. NULL is fine. */
void leati_vault_free(leati_vault *v);

/* As bytes, for the wire. */
void leati_saved_encode(const leati_saved *s, leati_buf *out);
/* `why` is allocated then. */
leat_status leati_saved_decode(const void *bytes, size_t size, leati_saved *out);

#endif
