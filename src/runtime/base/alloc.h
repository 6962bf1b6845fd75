/* alloc.h: the one allocator of the process (leat_allocator_set), counted and made to fail in tests. */
#ifndef LEATI_ALLOC_H
#define LEATI_ALLOC_H

#include "leat/base.h"

void *leati_alloc(size_t bytes);               /* not zeroed; NULL when memory ran out */
void *leati_zalloc(size_t bytes);              /* zeroed */
void *leati_resize(void *block, size_t bytes); /* as realloc; `block` survives failure */
void leati_free(void *block);                  /* NULL is fine */
char *leati_strdup(const char *text);          /* NULL gives NULL */
void *leati_memdup(const void *bytes, size_t size);
char *leati_format(const char *format, ...) LEAT_PRINTF(1, 2); /* allocated text */

/* Tests: the n-th allocation from now on fails, and all after it until this is called with -1. */
void leati_alloc_fail_after(int64_t n);

#endif
