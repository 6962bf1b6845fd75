/* arena.h: memory that is given back all at once, and objects that are released with it. One
   thread. The blocks are chained; reset keeps one of them, so a steady load allocates nothing. */
#ifndef LEATI_ARENA_H
#define LEATI_ARENA_H

#include "leat/value.h"

typedef struct leati_block leati_block;

typedef struct leati_arena {
    char *next, *end;    /* free bytes of the current block */
    leati_block *blocks; /* newest first */
    leat_value *kept;    /* objects, one reference each */
    uint32_t kept_count, kept_room;
    size_t bytes;    /* handed out since the last reset */
    uint16_t inside; /* the domain that its user is inside of whenever objects go; 0: to be asked */
} leati_arena;

LEAT_API void *leati_arena_grow(leati_arena *a, size_t bytes);

static inline void leati_arena_init(leati_arena *a) {
    memset(a, 0, sizeof *a);
}

/* Starts with memory that the caller keeps as long as the arena (aligned to 8; a few dozen bytes of
   it are lost), such as the rest of the allocation that holds the arena itself. */
LEAT_API void leati_arena_init_with(leati_arena *a, void *memory, size_t bytes);

/* Aligned to 8; NULL when memory ran out. */
static inline void *leati_arena_alloc(leati_arena *a, size_t bytes) {
    bytes = (bytes + 7) & ~(size_t)7;
    if (LEAT_UNLIKELY((size_t)(a->end - a->next) < bytes)) return leati_arena_grow(a, bytes);
    void *p = a->next;
    a->next += bytes;
    a->bytes += bytes;
    return p;
}

/* Adopts one reference, also on failure. */
LEAT_API leat_status leati_arena_keep_slow(leati_arena *a, const leat_value *object);
static inline leat_status leati_arena_keep(leati_arena *a, const leat_value *object) {
    leat_value copy = *object; /* so that the object's address need not exist */
    if (LEAT_UNLIKELY(a->kept_count == a->kept_room)) return leati_arena_keep_slow(a, &copy);
    a->kept[a->kept_count++] = *object;
    return LEAT_OK;
}

LEAT_API void leati_arena_release_kept(leati_arena *a);
LEAT_API void leati_arena_reset_slow(leati_arena *a);
/* Forgets all memory and releases all objects. */
static inline void leati_arena_reset(leati_arena *a) {
    if (LEAT_UNLIKELY(a->kept_count)) leati_arena_release_kept(a);
    if (LEAT_UNLIKELY(a->bytes)) leati_arena_reset_slow(a);
}
LEAT_API void leati_arena_fini(leati_arena *a);

/* A point to go back to, for scopes inside scopes. */
typedef struct leati_arena_mark {
    leati_block *block;
    char *next;
    size_t bytes;
    uint32_t kept_count;
} leati_arena_mark;
static inline leati_arena_mark leati_arena_mark_get(const leati_arena *a) {
    leati_arena_mark mark = {a->blocks, a->next, a->bytes, a->kept_count};
    return mark;
}
LEAT_API void leati_arena_rewind_slow(leati_arena *a, leati_arena_mark mark);
static inline void leati_arena_rewind(leati_arena *a, leati_arena_mark mark) {
    if (a->next != mark.next || a->kept_count != mark.kept_count) leati_arena_rewind_slow(a, mark);
}

#endif
