/* config_value.c: reads the values of configuration keys, in Flink's notation: whole numbers,
   "true", "200 ms" and "1 min", "64mb" and "1 gb", in any case. */
#include "runtime/job/config_keys.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

typedef struct unit {
    const char *names; /* separated by spaces */
    int64_t factor;
} unit;

/* In nanoseconds. */
static const unit duration_units[] = {
    {"ms milli millis millisecond milliseconds", 1000000},
    {"s sec secs second seconds", 1000000000},
    {"m min minute minutes", 60 * INT64_C(1000000000)},
    {"h hour hours", 3600 * INT64_C(1000000000)},
    {"d day days", 86400 * INT64_C(1000000000)},
    {"us \xc2\xb5s micro micros microsecond microseconds", 1000},
    {"ns nano nanos nanosecond nanoseconds", 1},
};

static const unit memory_units[] = {
    {"b bytes", 1},
    {"k kb kibibytes", INT64_C(1) << 10},
    {"m mb mebibytes", INT64_C(1) << 20},
    {"g gb gibibytes", INT64_C(1) << 30},
    {"t tb tebibytes", INT64_C(1) << 40},
};

static const char *skip_space(const char *at) {
    while (isspace((unsigned char)*at)) at++;
    return at;
}

static bool only_space(const char *at) {
    return *skip_space(at) == '\0';
}

bool leati_config_word(const char *list, const char *word, const char **found, size_t *size) {
    size_t length = strlen(word);
    for (const char *at = list; *at;) {
        size_t n = strcspn(at, " ");
        if (n == length && strncasecmp(at, word, n) == 0) {
            if (found) *found = at;
            if (size) *size = n;
            return true;
        }
        at += n + (at[n] == ' ');
    }
    return false;
}

bool leati_config_read_int(const char *text, int64_t *out) {
    char *end;
    errno = 0;
    long long x = strtoll(text, &end, 10);
    if (end == text || errno || !only_space(end)) return false;
    *out = x;
    return true;
}

bool leati_config_read_double(const char *text, double *out) {
    char *end;
    double x = strtod(text, &end);
    if (end == text || !only_space(end)) return false;
    *out = x;
    return true;
}

/* Copies the text without the space around it; false when it is longer than any word we know. */
static bool trim(const char *text, char word[40]) {
    text = skip_space(text);
    size_t n = strlen(text);
    while (n && isspace((unsigned char)text[n - 1])) n--;
    if (n >= 40) return false;
    memcpy(word, text, n);
    word[n] = '\0';
    return true;
}

bool leati_config_read_bool(const char *text, bool *out) {
    char word[40];
    if (!trim(text, word)) return false;
    bool yes = strcasecmp(word, "true") == 0;
    if (!yes && strcasecmp(word, "false") != 0) return false;
    *out = yes;
    return true;
}

/* A number without sign and one of the units; without a unit, `plain` is the factor. The product is
   given in units of `per`. */
static bool read_quantity(const char *text, const unit *units, size_t count, int64_t plain,
                          int64_t per, int64_t *out) {
    char *end, word[40];
    text = skip_space(text);
    if (!isdigit((unsigned char)*text)) return false;
    errno = 0;
    int64_t x = strtoll(text, &end, 10);
    if (errno || !trim(end, word)) return false;
    int64_t factor = *word ? 0 : plain;
    for (size_t i = 0; *word && i < count; i++)
        if (leati_config_word(units[i].names, word, NULL, NULL)) factor = units[i].factor;
    if (factor == 0) return false;
    if (factor < per) {
        *out = x / (per / factor);
        return true;
    }
    if (x > INT64_MAX / (factor / per)) return false;
    *out = x * (factor / per);
    return true;
}

bool leati_config_read_duration(const char *text, int64_t *milliseconds) {
    return read_quantity(text, duration_units, sizeof duration_units / sizeof *duration_units,
                         1000000, 1000000, milliseconds);
}

bool leati_config_read_bytes(const char *text, int64_t *bytes) {
    return read_quantity(text, memory_units, sizeof memory_units / sizeof *memory_units, 1, 1,
                         bytes);
}

static leat_status bad_value(const leati_config_key *row, const char *text, const char *where,
                             leat_error *err) {
    static const char *const expected[] = {
        [LEATI_CONFIG_INT] = "a whole number",
        [LEATI_CONFIG_BOOL] = "true or false",
        [LEATI_CONFIG_DURATION] = "a duration such as 200 ms, 10 s, 1 min; a plain number is ms",
        [LEATI_CONFIG_MEMORY] = "a size such as 64mb or 1gb; a plain number is bytes",
        [LEATI_CONFIG_DOUBLE] = "a number",
        [LEATI_CONFIG_LIST] = "",
    };
    bool listed = row->kind == LEATI_CONFIG_ENUM;
    return leat_error_set(err, LEAT_E_CONFIG, where, "%s: '%s' is no value of it; it takes %s%s",
                          row->key, text, listed ? "one of: " : "",
                          listed ? row->choices : expected[row->kind]);
}

static leat_status check_limits(const leati_config_key *row, const char *text, int64_t x,
                                const char *where, leat_error *err) {
    if (x >= row->least && (row->most == 0 || x <= row->most)) return LEAT_OK;
    const char *of = row->kind == LEATI_CONFIG_DURATION ? " ms"
                     : row->kind == LEATI_CONFIG_MEMORY ? " bytes"
                                                        : "";
    if (row->most == 0)
        return leat_error_set(err, LEAT_E_CONFIG, where,
                              "%s: '%s' is too small; it takes %lld%s or more", row->key, text,
                              (long long)row->least, of);
    return leat_error_set(err, LEAT_E_CONFIG, where,
                          "%s: '%s' is out of range; it takes %lld to %lld%s", row->key, text,
                          (long long)row->least, (long long)row->most, of);
}

/* Reads the text as the row's kind. `*zero`: it is the number 0, so that "0 s" is as good as
   "0". */
static leat_status check_kind(const leati_config_key *row, const char *text, const char *where,
                              char canonical[40], bool *zero, leat_error *err) {
    int64_t x = 0;
    double real;
    bool yes, ok = true, number = false;
    char word[40];
    const char *found;
    size_t size;
    switch (row->kind) {
    case LEATI_CONFIG_STRING:
    case LEATI_CONFIG_LIST: break;
    case LEATI_CONFIG_INT: ok = number = leati_config_read_int(text, &x); break;
    case LEATI_CONFIG_DURATION: ok = number = leati_config_read_duration(text, &x); break;
    case LEATI_CONFIG_MEMORY: ok = number = leati_config_read_bytes(text, &x); break;
    case LEATI_CONFIG_DOUBLE: ok = leati_config_read_double(text, &real); break;
    case LEATI_CONFIG_BOOL:
        ok = leati_config_read_bool(text, &yes);
        if (ok) strcpy(canonical, yes ? "true" : "false");
        break;
    case LEATI_CONFIG_ENUM:
        ok = trim(text, word) && leati_config_word(row->choices, word, &found, &size);
        if (ok) snprintf(canonical, 40, "%.*s", (int)size, found);
        break;
    }
    if (!ok) return bad_value(row, text, where, err);
    *zero = number && x == 0;
    return number ? check_limits(row, text, x, where, err) : LEAT_OK;
}

leat_status leati_config_check(const leati_config_key *row, const char *text, const char *where,
                               char canonical[40], leat_error *err) {
    bool zero = false;
    char word[40];
    canonical[0] = '\0';
    if (row->works && trim(text, word) && leati_config_word(row->works, word, NULL, NULL) &&
        row->kind != LEATI_CONFIG_ENUM && row->kind != LEATI_CONFIG_BOOL)
        return LEAT_OK; /* "none" where a number would switch something on */
    leat_status status = check_kind(row, text, where, canonical, &zero, err);
    if (status < 0 || !row->works) return status;
    const char *as = zero ? "0" : *canonical ? canonical : NULL;
    if (as && leati_config_word(row->works, as, NULL, NULL)) return LEAT_OK;
    return leat_error_set(err, LEAT_E_UNSUPPORTED, where, "%s: '%s' is not there yet; %s%s%s",
                          row->key, text, row->note, *row->works ? "; what works today: " : "",
                          row->works);
}
