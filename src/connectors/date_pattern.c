/* date_pattern.c: see date_pattern.h. Understood are y u (year), M L (month), d, D, E (day), a H h
   K k (hour), m, s, S, n (minute, second and its parts), text in quotes and what is no letter.
   Names of months and days are English. Zones are in time_zone.c. */
#include "connectors/date_pattern.h"

#include <ctype.h>
#include <stdio.h>

typedef struct date_fields {
    int64_t year, days;                                             /* days: since the epoch */
    int month, day, day_of_year, weekday, hour, minute, second, ms; /* weekday: 0 is Monday */
} date_fields;

typedef struct pattern_item {
    char letter;      /* 0: text */
    int count;        /* of the letter */
    const char *text; /* of `size` bytes */
    size_t size;
} pattern_item;

/* The calendar of ISO 8601, also before 1970: years begin in March, so that leap days come last. */
static date_fields fields_at(int64_t ms) {
    date_fields f;
    int64_t seconds = leati_floor_div(ms, 1000);
    f.ms = (int)(ms - seconds * 1000);
    f.days = leati_floor_div(seconds, 86400);
    int rest = (int)(seconds - f.days * 86400);
    f.hour = rest / 3600;
    f.minute = rest / 60 % 60;
    f.second = rest % 60;
    int64_t shifted = f.days + 719468, era = leati_floor_div(shifted, 146097);
    int64_t of_era = shifted - era * 146097;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * of_year + 2) / 153;
    f.day = (int)(of_year - (153 * month + 2) / 5 + 1);
    f.month = (int)(month < 10 ? month + 3 : month - 9);
    f.year = year + era * 400 + (f.month <= 2);
    bool leap = (f.year % 4 == 0 && f.year % 100 != 0) || f.year % 400 == 0;
    static const int before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
    f.day_of_year = before[f.month - 1] + f.day + (leap && f.month > 2);
    f.weekday = (int)((f.days % 7 + 10) % 7);
    return f;
}

/* The next item; false at the end. Two quotes are one. */
static bool next_item(const char **at, pattern_item *item) {
    const char *p = *at;
    if (!*p) return false;
    *item = (pattern_item){.text = p, .size = 1};
    if (*p == '\'' && p[1] != '\'') {
        const char *end = strchr(p + 1, '\'');
        item->text = p + 1;
        item->size = end ? (size_t)(end - p - 1) : strlen(p + 1);
        *at = end ? end + 1 : p + 1 + item->size;
        return true;
    }
    if (*p == '\'') {
        *at = p + 2;
        return true;
    }
    *at = p + 1;
    if (!isalpha((unsigned char)*p)) return true;
    item->letter = *p;
    while (**at == *p) ++*at;
    item->count = (int)(*at - p);
    return true;
}

/* How many of a letter make sense; 0: the letter is not understood. */
static int most_of(char letter) {
    switch (letter) {
    case 'y':
    case 'u': return 9;
    case 'M':
    case 'L':
    case 'E': return 4;
    case 'D': return 3;
    case 'S':
    case 'n': return 9;
    case 'a': return 1;
    case 'd':
    case 'H':
    case 'h':
    case 'K':
    case 'k':
    case 'm':
    case 's': return 2;
    default: return 0;
    }
}

static leat_status check_letters(const char *pattern, leat_error *err) {
    const char *at = pattern;
    pattern_item item;
    int quotes = 0;
    for (const char *q = pattern; *q; q++) quotes += *q == '\'';
    if (quotes % 2)
        return leat_error_set(err, LEAT_E_ARGUMENT, pattern,
                              "the date format '%s' has a quote that does not end", pattern);
    while (next_item(&at, &item)) {
        if (!item.letter || (most_of(item.letter) && item.count <= most_of(item.letter))) continue;
        return leat_error_set(err, LEAT_E_ARGUMENT, pattern,
                              "'%.*s' in the date format '%s' is not understood; years (y), months "
                              "(M), days (d, D, E), hours (H, h), minutes (m), seconds (s, S) and "
                              "'text in quotes' are",
                              item.count, item.text, pattern);
    }
    return LEAT_OK;
}

/* A folder's name does not lead out of the sink's folder. */
static bool leads_astray(const char *name) {
    if (*name == '/' || !*name) return true;
    for (const char *at = name; at; at = strchr(at, '/')) {
        if (*at == '/') at++;
        size_t size = strcspn(at, "/");
        if (size == 0 || (size <= 2 && strspn(at, ".") >= size)) return true;
    }
    return false;
}

leat_status leati_date_pattern_check(const char *pattern, leat_error *err) {
    leati_buf text;
    leati_buf_init(&text);
    leat_status status = check_letters(pattern, err);
    if (status >= 0) leati_date_pattern_append(pattern, NULL, 0, &text);
    if (status >= 0 && leads_astray(leati_buf_cstr(&text)))
        status = leat_error_set(err, LEAT_E_ARGUMENT, pattern,
                                "the date format '%s' gives '%s', which is no folder below another",
                                pattern, leati_buf_cstr(&text));
    leati_buf_fini(&text);
    return status;
}

int64_t leati_date_pattern_step(const char *pattern) {
    const char *at = pattern;
    pattern_item item;
    int64_t step = 60000;
    while (next_item(&at, &item)) {
        if (item.letter == 'S' || item.letter == 'n') step = 1;
        if (item.letter == 's' && step > 1000) step = 1000;
    }
    return step;
}

static void append_name(const pattern_item *item, const char *const *names, int i, leati_buf *out) {
    leati_buf_printf(out, item->count <= 3 ? "%.3s" : "%s", names[i]);
}

static void append_year(const pattern_item *item, int64_t year, leati_buf *out) {
    if (item->count == 2)
        leati_buf_printf(out, "%02d", (int)(((year % 100) + 100) % 100));
    else
        leati_buf_printf(out, "%0*lld", item->count, (long long)year);
}

static void append_field(const pattern_item *item, const date_fields *f, leati_buf *out) {
    static const char *const months[] = {"January",   "February", "March",    "April",
                                         "May",       "June",     "July",     "August",
                                         "September", "October",  "November", "December"};
    static const char *const days[] = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                       "Friday", "Saturday", "Sunday"};
    int number;
    switch (item->letter) {
    case 'y':
    case 'u': append_year(item, f->year, out); return;
    case 'E': append_name(item, days, f->weekday, out); return;
    case 'a': leati_buf_text(out, f->hour < 12 ? "AM" : "PM"); return;
    case 'S': {
        char digits[16];
        snprintf(digits, sizeof digits, "%03d000000", f->ms);
        leati_buf_printf(out, "%.*s", item->count, digits);
        return;
    }
    case 'M':
    case 'L':
        if (item->count > 2) {
            append_name(item, months, f->month - 1, out);
            return;
        }
        number = f->month;
        break;
    case 'd': number = f->day; break;
    case 'D': number = f->day_of_year; break;
    case 'H': number = f->hour; break;
    case 'k': number = f->hour ? f->hour : 24; break;
    case 'K': number = f->hour % 12; break;
    case 'h': number = f->hour % 12 ? f->hour % 12 : 12; break;
    case 'm': number = f->minute; break;
    case 's': number = f->second; break;
    default: number = f->ms * 1000000; break;
    }
    leati_buf_printf(out, "%0*d", item->count, number);
}

void leati_date_pattern_append(const char *pattern, const leati_zone *zone, int64_t ms,
                               leati_buf *out) {
    int64_t offset = leati_zone_offset(zone, leati_floor_div(ms, 1000));
    date_fields fields = fields_at(ms + offset * 1000);
    const char *at = pattern;
    pattern_item item;
    while (next_item(&at, &item)) {
        if (item.letter)
            append_field(&item, &fields, out);
        else
            leati_buf_append(out, item.text, item.size);
    }
}
