/* clock.h: time of day and time passed. The time of day is replaceable in tests. */
#ifndef LEATI_CLOCK_H
#define LEATI_CLOCK_H

#include "leat/base.h"

LEAT_API int64_t leati_clock_now(void); /* milliseconds since the epoch */
/* The same, but some milliseconds late and a few nanoseconds dear: for each record. */
int64_t leati_clock_coarse(void);
LEAT_API int64_t leati_clock_monotonic(void);                        /* nanoseconds */
LEAT_API void leati_clock_set(int64_t (*now)(void *arg), void *arg); /* NULL: the real one */

#endif
