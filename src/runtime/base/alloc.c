/* alloc.c: the one allocator of the process. Everybody allocates here, so that a host can replace
   the memory and a test can make the n-th allocation fail. The allocator is set once, before the
   first allocation, and read without a lock afterwards. */
#include "runtime/base/alloc.h"

#include <assert.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *system_resize(void *block, size_t bytes, void *arg) {
    (void)arg;
    return realloc(block, bytes);
}

static void system_release(void *block, void *arg) {
    (void)arg;
    free(block);
}

static leat_allocator allocator = {system_resize, system_release, NULL};
static atomic_bool allocated;

/* Tests only: `armed` says whether `left` counts. */
static atomic_bool armed;
static _Atomic int64_t left;

leat_status leat_allocator_set(const leat_allocator *replacement) {
    if (!replacement || !replacement->resize || !replacement->release) return LEAT_E_ARGUMENT;
    if (atomic_load(&allocated)) return LEAT_E_STATE;
    allocator = *replacement;
    return LEAT_OK;
}

void leati_alloc_fail_after(int64_t n) {
    atomic_store(&left, n);
    atomic_store(&armed, n >= 0);
}

static bool must_fail(void) {
    return atomic_load_explicit(&armed, memory_order_relaxed) && atomic_fetch_sub(&left, 1) <= 1;
}

void *leati_resize(void *block, size_t bytes) {
    if (LEAT_UNLIKELY(!atomic_load_explicit(&allocated, memory_order_relaxed)))
        atomic_store(&allocated, true);
    if (LEAT_UNLIKELY(must_fail())) return NULL;
    return allocator.resize(block, bytes ? bytes : 1, allocator.arg);
}

void *leati_alloc(size_t bytes) {
    return leati_resize(NULL, bytes);
}

void *leati_zalloc(size_t bytes) {
    void *block = leati_resize(NULL, bytes);
    return block ? memset(block, 0, bytes) : NULL;
}

void leati_free(void *block) {
    if (block) allocator.release(block, allocator.arg);
}

char *leati_strdup(const char *text) {
    return text ? leati_memdup(text, strlen(text) + 1) : NULL;
}

void *leati_memdup(const void *bytes, size_t size) {
    void *block = leati_alloc(size);
    if (block && size) memcpy(block, bytes, size);
    return block;
}

char *leati_format(const char *format, ...) {
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int size = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *text = size < 0 ? NULL : leati_alloc((size_t)size + 1);
    if (text) vsnprintf(text, (size_t)size + 1, format, again);
    va_end(again);
    return text;
}
