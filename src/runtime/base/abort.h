/* abort.h: long work that somebody may want to end before it is done: it asks between two pieces.
   Whoever starts it says whom to ask. */
#ifndef LEATI_ABORT_H
#define LEATI_ABORT_H

#include <stdbool.h>
#include <stddef.h>

typedef struct leati_abort {
    bool (*wanted)(void *arg);
    void *arg;
} leati_abort;

/* NULL: nobody will. */
static inline bool leati_abort_wanted(const leati_abort *a) {
    return a && a->wanted(a->arg);
}

#endif
