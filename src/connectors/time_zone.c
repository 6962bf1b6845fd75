/* time_zone.c: how far the clocks of a zone are ahead of UTC, from the system's zone files.

   A zone file (TZif, RFC 8536) has, in its second half, the times of all changes as 64-bit numbers,
   for each the index of a local time type, and the types: offset, is it daylight saving, name. What
   comes after the last change follows a rule behind all that, in the form of the variable TZ of
   POSIX: "CET-1CEST,M3.5.0,M10.5.0/3". Offsets there count the other way round. */
#include "connectors/date_pattern.h"

#include "runtime/base/alloc.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { HEADER = 44, TYPE = 6, LARGEST = 1 << 20 };

typedef struct zone_day { /* Mm.w.d, Jn or n, and the time of the day */
    char kind;            /* 'M', 'J' or 'n' */
    int month, week, day;
    int64_t at;
} zone_day;

typedef struct zone_rule {
    bool there, saves; /* saves: it has daylight saving time */
    int64_t standard, daylight;
    zone_day from, to;
} zone_rule;

struct leati_zone {
    int64_t fixed; /* when `count` is 0 and there is no rule */
    size_t count;
    int64_t first;              /* before all changes */
    int64_t *changes, *offsets; /* of `count` */
    zone_rule rule;
};

/* --- rules ------------------------------------------------------------------------------------ */

/* [+-]h[h][:mm[:ss]], in seconds. */
static bool read_clock(const char **at, int64_t *out) {
    int sign = 1;
    if (**at == '+' || **at == '-') sign = *(*at)++ == '-' ? -1 : 1;
    int64_t seconds = 0, unit = 3600;
    if (!isdigit((unsigned char)**at)) return false;
    for (;; unit /= 60) {
        seconds += unit * strtol(*at, (char **)(uintptr_t)at, 10);
        if (**at != ':' || unit == 1 || !isdigit((unsigned char)(*at)[1])) break;
        ++*at;
    }
    *out = sign * seconds;
    return true;
}

static bool skip_name(const char **at) {
    const char *before = *at;
    if (**at == '<') {
        const char *end = strchr(*at, '>');
        if (end) *at = end + 1;
    } else {
        while (isalpha((unsigned char)**at)) ++*at;
    }
    return *at > before;
}

static bool read_day(const char **at, zone_day *day) {
    char *end;
    if (*(*at)++ != ',') return false;
    *day = (zone_day){.kind = **at == 'M' || **at == 'J' ? *(*at)++ : 'n', .at = 7200};
    if (day->kind == 'M') {
        int read = 0;
        if (sscanf(*at, "%d.%d.%d%n", &day->month, &day->week, &day->day, &read) != 3) return false;
        if (day->month < 1 || day->month > 12 || day->week < 1 || day->week > 5) return false;
        *at += read;
    } else {
        day->day = (int)strtol(*at, &end, 10);
        *at = end;
    }
    return **at != '/' || (++*at, read_clock(at, &day->at));
}

static void read_rule(const char *text, zone_rule *rule) {
    zone_rule r = {.there = true};
    const char *at = text;
    if (!skip_name(&at) || !read_clock(&at, &r.standard)) return;
    r.standard = -r.standard;
    r.saves = *at != 0;
    if (r.saves) {
        r.daylight = r.standard + 3600;
        if (!skip_name(&at)) return;
        if (*at != ',' && read_clock(&at, &r.daylight)) r.daylight = -r.daylight;
        if (!read_day(&at, &r.from) || !read_day(&at, &r.to)) return;
    }
    *rule = r;
}

/* Days from the epoch to a date of the calendar. */
static int64_t days_of(int64_t year, int month, int day) {
    int64_t y = month <= 2 ? year - 1 : year, era = leati_floor_div(y, 400), of_era = y - era * 400;
    int64_t of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

/* The local second, seen from the epoch, at which the day's change is. */
static int64_t change_in(const zone_day *d, int64_t year) {
    int64_t first = days_of(year, 1, 1);
    bool leap = days_of(year + 1, 1, 1) - first == 366;
    int64_t day = first + d->day;
    if (d->kind == 'J') day = first + d->day - 1 + (leap && d->day >= 60);
    if (d->kind == 'M') {
        int64_t month = days_of(year, d->month, 1);
        int64_t next = d->month == 12 ? days_of(year + 1, 1, 1) : days_of(year, d->month + 1, 1);
        int weekday = (int)((month % 7 + 11) % 7); /* 0: Sunday; 1970-01-01 was a Thursday */
        day = month + (d->day - weekday + 7) % 7 + 7 * (d->week - 1);
        while (day >= next) day -= 7;
    }
    return day * 86400 + d->at;
}

static int64_t offset_by_rule(const zone_rule *r, int64_t second) {
    if (!r->saves) return r->standard;
    int64_t local = second + r->standard, year = 1970 + leati_floor_div(local, 31556952);
    if (local < days_of(year, 1, 1) * 86400) year--;
    if (local >= days_of(year + 1, 1, 1) * 86400) year++;
    int64_t from = change_in(&r->from, year) - r->standard;
    int64_t to = change_in(&r->to, year) - r->daylight;
    bool saves = from < to ? second >= from && second < to : second >= from || second < to;
    return saves ? r->daylight : r->standard;
}

/* --- files ------------------------------------------------------------------------------------ */

static int64_t big_endian(const char *at, int bytes) {
    uint64_t x = (signed char)*at < 0 ? UINT64_MAX : 0;
    for (int i = 0; i < bytes; i++) x = x << 8 | (unsigned char)at[i];
    return (int64_t)x;
}

typedef struct zone_block { /* the counts of a header, and the size of what follows it */
    size_t utc, standard, leaps, changes, types, chars, size;
} zone_block;

static bool read_block(const char *at, size_t left, size_t width, zone_block *b) {
    if (left < HEADER || memcmp(at, "TZif", 4) != 0) return false;
    size_t counts[6];
    for (int i = 0; i < 6; i++) {
        counts[i] = (size_t)(uint32_t)big_endian(at + 20 + 4 * i, 4);
        if (counts[i] > LARGEST) return false;
    }
    *b = (zone_block){counts[0], counts[1], counts[2], counts[3], counts[4], counts[5], 0};
    b->size = b->changes * (width + 1) + b->types * TYPE + b->chars + b->leaps * (width + 4) +
              b->standard + b->utc;
    return b->types > 0 && b->size <= left - HEADER;
}

static leat_status read_changes(leati_zone *z, const char *at, const zone_block *b) {
    const char *kinds = at + 8 * b->changes, *types = kinds + b->changes;
    z->first = z->fixed = big_endian(types, 4);
    z->changes = leati_alloc((b->changes + 1) * sizeof *z->changes);
    z->offsets = leati_alloc((b->changes + 1) * sizeof *z->offsets);
    if (!z->changes || !z->offsets) return LEAT_E_NOMEM;
    for (size_t i = 0; i < b->changes; i++) {
        size_t kind = (unsigned char)kinds[i];
        if (kind >= b->types) return LEAT_E_FORMAT;
        z->changes[i] = big_endian(at + 8 * i, 8);
        z->offsets[i] = big_endian(types + TYPE * kind, 4);
    }
    z->count = b->changes;
    return LEAT_OK;
}

/* `bytes` is followed by a zero. */
static leat_status read_file(leati_zone *z, const char *bytes, size_t size) {
    zone_block old, b;
    if (!read_block(bytes, size, 4, &old) || bytes[4] < '2') return LEAT_E_FORMAT;
    const char *at = bytes + HEADER + old.size;
    size_t left = size - HEADER - old.size;
    if (!read_block(at, left, 8, &b)) return LEAT_E_FORMAT;
    leat_status status = read_changes(z, at + HEADER, &b);
    const char *rule = at + HEADER + b.size;
    char text[128] = "";
    if (*rule == '\n') snprintf(text, sizeof text, "%.*s", (int)strcspn(rule + 1, "\n"), rule + 1);
    if (*text) read_rule(text, &z->rule);
    return status;
}

static bool is_safe(const char *id) {
    return *id != '/' && !strstr(id, "..") && strlen(id) < 64;
}

static leat_status open_region(leati_zone *z, const char *id) {
    char path[128];
    snprintf(path, sizeof path, "/usr/share/zoneinfo/%.64s", id);
    FILE *f = is_safe(id) ? fopen(path, "rbe") : NULL;
    if (!f) return LEAT_E_ARGUMENT;
    char *bytes = leati_zalloc(LARGEST + 1);
    size_t size = bytes ? fread(bytes, 1, LARGEST, f) : 0;
    fclose(f);
    leat_status status = bytes ? read_file(z, bytes, size) : LEAT_E_NOMEM;
    leati_free(bytes);
    return status;
}

/* "Z", "+2", "+02:00", and the same behind UTC, GMT or UT. */
static bool read_fixed(const char *id, int64_t *out) {
    static const char *const names[] = {"UTC", "GMT", "UT", "Z"};
    const char *at = id;
    for (size_t i = 0; i < sizeof names / sizeof *names && at == id; i++)
        if (strncmp(id, names[i], strlen(names[i])) == 0) at = id + strlen(names[i]);
    *out = 0;
    if (!*at) return at > id;
    return (*at == '+' || *at == '-') && read_clock(&at, out) && !*at && *out >= -64800 &&
           *out <= 64800;
}

/* --- calls ------------------------------------------------------------------------------------ */

leat_status leati_zone_new(const char *id, leati_zone **out, leat_error *err) {
    *out = NULL;
    if (!id || !*id) return LEAT_OK;
    leati_zone *z = leati_zalloc(sizeof *z);
    if (!z) return leat_error_set(err, LEAT_E_NOMEM, id, "out of memory");
    leat_status status = read_fixed(id, &z->fixed) ? LEAT_OK : open_region(z, id);
    if (status < 0) {
        leati_zone_free(z);
        return leat_error_set(err, status == LEAT_E_NOMEM ? status : LEAT_E_ARGUMENT, id,
                              "no time zone '%s' is known here; name one as 'Europe/Berlin' or "
                              "'+02:00', or install tzdata",
                              id);
    }
    *out = z;
    return LEAT_OK;
}

void leati_zone_free(leati_zone *z) {
    if (!z) return;
    leati_free(z->changes);
    leati_free(z->offsets);
    leati_free(z);
}

static int64_t system_offset(int64_t second) {
    time_t t = (time_t)second;
    struct tm local;
    return localtime_r(&t, &local) ? local.tm_gmtoff : 0;
}

int64_t leati_zone_offset(const leati_zone *z, int64_t second) {
    if (!z) return system_offset(second);
    if (z->rule.there && (!z->count || second >= z->changes[z->count - 1]))
        return offset_by_rule(&z->rule, second);
    if (!z->count) return z->fixed;
    if (second < z->changes[0]) return z->first;
    size_t low = 0, high = z->count; /* changes[low] <= second < changes[high] */
    while (high - low > 1) {
        size_t middle = (low + high) / 2;
        if (z->changes[middle] <= second)
            low = middle;
        else
            high = middle;
    }
    return z->offsets[low];
}
