/* part_file.h: one part of a file sink: a file that is hidden while it grows and while it waits for
   its checkpoint, and gets its name when it is published. Counted: the operator and each errand on
   the I/O thread hold it. What the operator and the I/O thread know of it are two structs in one,
   so that neither looks at the other's. */
#ifndef LEATI_PART_FILE_H
#define LEATI_PART_FILE_H

#include "leat/base.h"
#include "runtime/base/buf.h"
#include "runtime/base/list.h"

#include <stdatomic.h>

typedef struct leati_part {
    atomic_int refs;
    char *bucket;             /* the folder below the sink's, "" for that itself */
    char *name, *hidden_name; /* without folders */
    char *path, *hidden;      /* and with all of them */
    bool restored;            /* from a checkpoint: somebody may have published it before */

    /* The operator's. */
    leati_link link; /* among the open, or those that wait */
    leati_buf filling;
    int64_t size;             /* of what was written to it, also what is still on its way */
    int64_t created, updated; /* processing time */
    void *writer;             /* of a bulk format, while the part is open */
    bool has_writer;
    int64_t checkpoint; /* that its publishing waits for; 0: for the next one */
    bool publishing;

    /* The I/O thread's. */
    int fd;
    bool unlisted; /* its name is not on the disk yet */
    bool broken;   /* an errand failed: none of the others does anything */
    bool gone;     /* what should have been resumed was published before */
} leati_part;

/* Its file is PATH[/BUCKET]/NAME, and hidden PATH[/BUCKET]/HIDDEN_NAME. Nothing is made yet. NULL
   when memory ran out. */
leati_part *leati_part_new(const char *path, const char *bucket, const char *name,
                           const char *hidden_name);
void leati_part_ref(leati_part *p);
void leati_part_unref(leati_part *p); /* NULL is fine */

/* As an item of a snapshot, and back: LEAT_E_FORMAT for other bytes. */
void leati_part_encode(const leati_part *p, leati_buf *out);
leat_status leati_part_decode(const char *path, const void *bytes, size_t size, leati_part **out);

/* On the I/O thread. `err` says why it failed. */
leat_status leati_part_write(leati_part *p, const leati_buf *bytes, leat_error *err);
/* All that was written survives a power loss. */
leat_status leati_part_sync(leati_part *p, leat_error *err);
leat_status leati_part_close(leati_part *p, leat_error *err); /* the same, and nothing follows */
/* Goes on where a checkpoint was: what was written behind `size` is taken away. */
leat_status leati_part_resume(leati_part *p, int64_t size, leat_error *err);
/* Its name, once: a part that has it is left alone. With `lasting` that, and the same of all others
   in its folder, survives a power loss. A restored one is at least `size` long. */
leat_status leati_part_publish(leati_part *p, int64_t size, bool lasting, leat_error *err);

#endif
