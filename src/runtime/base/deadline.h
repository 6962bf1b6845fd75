/* deadline.h: waits that end: conditions that go by the monotonic clock, and when a wait of so many
   milliseconds is over. */
#ifndef LEATI_DEADLINE_H
#define LEATI_DEADLINE_H

#include <pthread.h>
#include <time.h>

/* A condition whose timed waits take what leati_deadline_after gives. */
static inline void leati_deadline_cond_init(pthread_cond_t *cond) {
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(cond, &attr);
    pthread_condattr_destroy(&attr);
}

/* `ms` milliseconds from now; not to be used for a wait for ever. */
static inline struct timespec leati_deadline_after(int ms) {
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += ms / 1000;
    until.tv_nsec += (long)(ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    return until;
}

#endif
