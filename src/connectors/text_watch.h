/* text_watch.h: which files have come into folders since they were looked at last. */
#ifndef LEATI_TEXT_WATCH_H
#define LEATI_TEXT_WATCH_H

#include "connectors/text_split.h"
#include "leat/operator.h"
#include "runtime/base/buf.h"

/* Of one reader of several. Each file belongs to one of them by its path, so that nobody has to
   ask; a reader remembers the paths of its own that are still there. Two threads take turns: what
   was `seen` does not change while a look is on its way, and all else is the look's. */
typedef struct leati_text_watch {
    const leati_text_files *roots; /* by their names; borrowed */
    int reader, readers;
    leati_buf seen;         /* paths as blobs, in their order: what the snapshot has */
    leati_buf next;         /* the same after the last look, until its files are taken */
    leati_text_files found; /* new ones of the last look, not yet taken */
    leat_error err;         /* of the look that failed */
} leati_text_watch;

void leati_text_watch_init(leati_text_watch *w, const leati_text_files *roots, int reader,
                           int readers);
void leati_text_watch_fini(leati_text_watch *w); /* also of a zeroed one */
/* Finds the reader's files that it has not taken, and which of the others have gone. May block: for
   the I/O thread. */
leat_status leati_text_watch_look(leati_text_watch *w);
/* Takes what was found: appends a split for each file, and forgets those that have gone. */
leat_status leati_text_watch_take(leati_text_watch *w, leati_text_splits *splits);
/* The paths that this reader has taken. */
leat_status leati_text_watch_snapshot(const leati_text_watch *w, leat_snapshot *out);
leat_status leati_text_watch_restore(leati_text_watch *w, leat_snapshot *in);

#endif
