/* clock.c: the clocks of the system, and the replacement that tests put in for the time of day. */
#include "runtime/base/clock.h"

#include <stdatomic.h>
#include <time.h>

typedef int64_t (*clock_fn)(void *arg);

static _Atomic(clock_fn) replacement;
static _Atomic(void *) replacement_arg;

void leati_clock_set(int64_t (*now)(void *arg), void *arg) {
    atomic_store(&replacement, NULL);
    atomic_store(&replacement_arg, arg);
    atomic_store(&replacement, now);
}

static inline int64_t read_clock(clockid_t which) {
    clock_fn fn = atomic_load_explicit(&replacement, memory_order_acquire);
    if (LEAT_UNLIKELY(fn != NULL)) return fn(atomic_load(&replacement_arg));
    struct timespec now;
    clock_gettime(which, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t leati_clock_now(void) {
    return read_clock(CLOCK_REALTIME);
}

int64_t leati_clock_coarse(void) {
    return read_clock(CLOCK_REALTIME_COARSE);
}

int64_t leati_clock_monotonic(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}
