/* arena.c: the slow paths of arenas: new blocks, going back, and letting objects go.

   Blocks form a chain, newest first; only the newest has free bytes, what an older one had left is
   lost until the arena is reset. Blocks double from 4 to 64 KiB; what is larger gets a block of its
   size. The oldest block may be the owner's (leati_arena_init_with) and is then never freed. A
   reset keeps one block: the owner's, or else the largest that is no larger than KEPT_BLOCK. */
#include "runtime/base/arena.h"

#include "runtime/base/alloc.h"
#include "runtime/base/object.h"

#include <assert.h>

enum { FIRST_BLOCK = 4096, LARGEST_BLOCK = 65536, KEPT_BLOCK = 1 << 20 };

struct leati_block {
    leati_block *older;
    size_t room; /* bytes behind the header */
    bool owned;  /* allocated here */
    char bytes[];
};

static char *block_start(leati_block *block) {
    return (char *)(((uintptr_t)block->bytes + 7) & ~(uintptr_t)7);
}

static void arena_enter(leati_arena *a, leati_block *block) {
    a->blocks = block;
    a->next = block ? block_start(block) : NULL;
    a->end = block ? block->bytes + block->room : NULL;
}

void leati_arena_init_with(leati_arena *a, void *memory, size_t bytes) {
    leati_arena_init(a);
    if (bytes < sizeof(leati_block) + 8) return;
    leati_block *block = memory;
    block->older = NULL;
    block->room = bytes - sizeof *block;
    block->owned = false;
    arena_enter(a, block);
}

void *leati_arena_grow(leati_arena *a, size_t bytes) {
    if (bytes > SIZE_MAX / 2) return NULL;
    size_t room = a->blocks ? a->blocks->room * 2 : FIRST_BLOCK - sizeof(leati_block);
    if (room > LARGEST_BLOCK) room = LARGEST_BLOCK - sizeof(leati_block);
    if (room < bytes + 8) room = bytes + 8; /* 8: the start is aligned */
    leati_block *block = leati_alloc(sizeof *block + room);
    if (!block) return NULL;
    block->older = a->blocks;
    block->room = room;
    block->owned = true;
    arena_enter(a, block);
    void *p = a->next;
    a->next += bytes;
    a->bytes += bytes;
    return p;
}

leat_status leati_arena_keep_slow(leati_arena *a, const leat_value *object) {
    uint32_t room = a->kept_room ? a->kept_room * 2 : 16;
    leat_value *kept = leati_resize(a->kept, room * sizeof *kept);
    if (!kept) {
        leati_object_release(object);
        return LEAT_E_NOMEM;
    }
    a->kept = kept;
    a->kept_room = room;
    a->kept[a->kept_count++] = *object;
    return LEAT_OK;
}

/* Newest first; a release may run any code of its language, which must find the arena whole.
   Objects mostly are of one domain, so that is asked about once. */
static void arena_release_down_to(leati_arena *a, uint32_t count) {
    uint16_t inside = a->inside;
    while (a->kept_count > count) {
        leat_value object = a->kept[--a->kept_count];
        if (LEAT_UNLIKELY(object.domain != inside)) {
            leati_object_release(&object);
            if (leati_object_is_inside(&object)) inside = object.domain;
            continue;
        }
        leati_object_ops_of(&object)->release(object.as.object);
    }
}

void leati_arena_release_kept(leati_arena *a) {
    arena_release_down_to(a, 0);
}

void leati_arena_reset_slow(leati_arena *a) {
    leati_block *kept = NULL;
    for (leati_block *block = a->blocks, *older; block; block = older) {
        older = block->older;
        bool better =
            !kept || (kept->owned && (!block->owned || kept->room > KEPT_BLOCK ||
                                      (block->room <= KEPT_BLOCK && block->room > kept->room)));
        leati_block *gone = better ? kept : block;
        if (better) kept = block;
        if (gone && gone->owned) leati_free(gone);
    }
    if (kept) kept->older = NULL;
    arena_enter(a, kept);
    a->bytes = 0;
}

void leati_arena_fini(leati_arena *a) {
    leati_arena_release_kept(a);
    for (leati_block *block = a->blocks, *older; block; block = older) {
        older = block->older;
        if (block->owned) leati_free(block);
    }
    leati_free(a->kept);
    leati_arena_init(a);
}

void leati_arena_rewind_slow(leati_arena *a, leati_arena_mark mark) {
    arena_release_down_to(a, mark.kept_count);
    while (a->blocks != mark.block) {
        leati_block *block = a->blocks;
        assert(block && "the mark is not of this arena, or it was reset since");
        if (!mark.block && !block->older) { /* the mark is older than the first block: keep that */
            arena_enter(a, block);
            a->bytes = mark.bytes;
            return;
        }
        arena_enter(a, block->older);
        leati_free(block);
    }
    a->next = mark.next;
    a->bytes = mark.bytes;
}
