/* alloc.h: the one allocator of the process (leat_allocator_set), counted and made to fail in
   tests. */
#ifndef LEATI_ALLOC_H
#define LEATI_ALLOC_H

#include "leat/base.h"

LEAT_API void *leati_alloc(size_t bytes);               /* not zeroed; NULL when memory ran out */
LEAT_API void *leati_zalloc(size_t bytes);              /* zeroed */
LEAT_API void *leati_resize(void *block, size_t bytes); /* as realloc; `block` survives failure */
LEAT_API void leati_free(void *block);                  /* NULL is fine */
LEAT_API char *leati_strdup(const char *text);          /* NULL gives NULL */
LEAT_API void *leati_memdup(const void *bytes, size_t size);
LEAT_API char *leati_format(const char *format, ...) LEAT_PRINTF(1, 2); /* allocated text */

/* Tests: the n-th allocation from now on (from 1) fails, and all after it, until this is called
   with -1. */
LEAT_API void leati_alloc_fail_after(int64_t n);

#endif
