/* py_pools.c: room for objects that live as long as one call.

   CPython serves objects of one size from the first of its pools of 16 KiB that are not full, and a
   full pool becomes the first as soon as one of its objects is freed. So what comes and goes with a
   record, the numbers and strings of the user's function, soon lives in the last two or three free
   places of a pool that is otherwise full of what stays: each object that is made there fills the
   pool, which is taken off the list, and each that is freed puts it back. That costs a short
   function a tenth of its time. It is so from the start, for unpickling leaves such pools behind.

   So the bridge looks, now and then between two steps, whether objects of the usual sizes come from
   one pool some times in a row. What it got from pools that had no more to give it keeps, and with
   that those pools full and off the list; the rest goes back. It keeps little, and gives it back
   when it has become more. Other allocators than CPython's own are not the worse for it. */
#include "pybridge/py_pools.h"

enum {
    ROOM = 32, /* places that are enough */
    TRIES = 8 * ROOM,
    HELD = 1024, /* blocks of a size, at most */
    RESTS = 16,  /* from look to look */
    POOL_BITS = 14,
};

typedef struct py_block {
    struct py_block *next;
} py_block;

/* Integers and floats; short tuples and strings. */
static const size_t sizes[PY_POOL_SIZES] = {32, 48, 64, 80};

static void give_back(py_pools *pools, int at) {
    while (pools->held[at]) {
        py_block *block = pools->held[at];
        pools->held[at] = block->next;
        PyObject_Free(block);
    }
    pools->count[at] = 0;
}

static void make_room(py_pools *pools, int at) {
    py_block *got[TRIES];
    int count = 0, row = 0;
    while (count < TRIES && row < ROOM && (got[count] = PyObject_Malloc(sizes[at]))) {
        uintptr_t before = count ? (uintptr_t)got[count - 1] >> POOL_BITS : 0;
        row = (uintptr_t)got[count] >> POOL_BITS == before ? row + 1 : 1;
        count++;
    }
    int kept = row < ROOM ? 0 : count - row;
    for (int i = kept; i < count; i++) PyObject_Free(got[i]);
    for (int i = 0; i < kept; i++) {
        got[i]->next = pools->held[at];
        pools->held[at] = got[i];
    }
    pools->count[at] += (uint32_t)kept;
    if (pools->count[at] > HELD) give_back(pools, at);
}

void py_pools_look(py_pools *pools) {
    if (pools->until-- > 0) return;
    pools->until = RESTS;
    for (int i = 0; i < PY_POOL_SIZES; i++) make_room(pools, i);
}

void py_pools_fini(py_pools *pools) {
    for (int i = 0; i < PY_POOL_SIZES; i++) give_back(pools, i);
}
