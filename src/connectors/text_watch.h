/* text_watch.h: which files have come into folders since they were looked at last. */
#ifndef LEATI_TEXT_WATCH_H
#define LEATI_TEXT_WATCH_H

#include "connectors/text_split.h"
#include "leat/operator.h"
#include "runtime/base/hashmap.h"

/* Of one reader of several. Each file belongs to one of them by its path, so that nobody has to
   ask; a reader remembers the paths of its own that it has taken, and after a restore with another
   parallelism those of all. Two threads take turns: what is `found` belongs to the look while it is
   on its way, and what was `seen` does not change then. */
typedef struct leati_text_watch {
    char **roots;
    size_t root_count;
    leati_hashmap seen; /* paths */
    int reader, readers;
    leati_text_files found; /* by the last look, and not yet taken */
    leat_error err;         /* of the look that failed */
} leati_text_watch;

leat_status leati_text_watch_init(leati_text_watch *w, const leat_value *roots, int reader,
                                  int readers);
void leati_text_watch_fini(leati_text_watch *w); /* also of a zeroed one */
/* Finds the reader's files that it has not taken. May block: for the I/O thread. */
leat_status leati_text_watch_look(leati_text_watch *w);
/* Takes what was found: appends a split for each file. */
leat_status leati_text_watch_take(leati_text_watch *w, leati_text_splits *splits);
/* The paths that this reader has taken. */
leat_status leati_text_watch_snapshot(const leati_text_watch *w, leat_snapshot *out);
leat_status leati_text_watch_restore(leati_text_watch *w, leat_snapshot *in);

#endif
