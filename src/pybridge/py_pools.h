/* py_pools.h: what is done about CPython's small-object allocator, see py_pools.c. With the GIL. */
#ifndef LEATI_PY_POOLS_H
#define LEATI_PY_POOLS_H

#include <Python.h>

enum { PY_POOL_SIZES = 4 };

typedef struct py_pools {
    struct py_block *held[PY_POOL_SIZES];
    uint32_t count[PY_POOL_SIZES];
    uint32_t until; /* rests until the next look */
} py_pools;

/* Between two steps. */
void py_pools_look(py_pools *pools);
void py_pools_fini(py_pools *pools);

#endif
