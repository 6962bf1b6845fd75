/* date_pattern.h: dates as text by a pattern of Java's DateTimeFormatter, in a time zone: the names
   of folders. */
#ifndef LEATI_DATE_PATTERN_H
#define LEATI_DATE_PATTERN_H

#include "leat/base.h"
#include "runtime/base/buf.h"

typedef struct leati_zone leati_zone;

static inline int64_t leati_floor_div(int64_t a, int64_t b) {
    return a / b - (a % b < 0);
}

/* "UTC", "+02:00", "GMT+8", "Europe/Berlin" ...; NULL or "": the system's, *out is NULL then.
   LEAT_E_ARGUMENT for what is none. Reads a file. */
leat_status leati_zone_new(const char *id, leati_zone **out, leat_error *err);
void leati_zone_free(leati_zone *zone); /* NULL is fine */
/* Seconds that its clocks are ahead of UTC at this second of the epoch. NULL: the system's. */
int64_t leati_zone_offset(const leati_zone *zone, int64_t second);

/* Is the pattern understood, and its text a folder's name? LEAT_E_ARGUMENT says what is not. */
leat_status leati_date_pattern_check(const char *pattern, leat_error *err);
/* For how many milliseconds at most a text of it stays the same: 1, 1000 or 60000. */
int64_t leati_date_pattern_step(const char *pattern);
/* Appends the text at `ms` of the epoch. */
void leati_date_pattern_append(const char *pattern, const leati_zone *zone, int64_t ms,
                               leati_buf *out);

#endif
