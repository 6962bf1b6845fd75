/* error.c: names of statuses, errors as sentences, and the version. */
#include "leat/base.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *leat_status_name(leat_status status) {
    switch (status) {
    case LEAT_OK: return "LEAT_OK";
    case LEAT_DONE: return "LEAT_DONE";
    case LEAT_AGAIN: return "LEAT_AGAIN";
    case LEAT_E_NOMEM: return "LEAT_E_NOMEM";
    case LEAT_E_ARGUMENT: return "LEAT_E_ARGUMENT";
    case LEAT_E_TYPE: return "LEAT_E_TYPE";
    case LEAT_E_RANGE: return "LEAT_E_RANGE";
    case LEAT_E_STATE: return "LEAT_E_STATE";
    case LEAT_E_CONFIG: return "LEAT_E_CONFIG";
    case LEAT_E_NOT_FOUND: return "LEAT_E_NOT_FOUND";
    case LEAT_E_IO: return "LEAT_E_IO";
    case LEAT_E_FORMAT: return "LEAT_E_FORMAT";
    case LEAT_E_USER: return "LEAT_E_USER";
    case LEAT_E_CANCELLED: return "LEAT_E_CANCELLED";
    case LEAT_E_TIMEOUT: return "LEAT_E_TIMEOUT";
    case LEAT_E_WORKER: return "LEAT_E_WORKER";
    case LEAT_E_UNSUPPORTED: return "LEAT_E_UNSUPPORTED";
    case LEAT_E_VERSION: return "LEAT_E_VERSION";
    case LEAT_E_INTERNAL: return "LEAT_E_INTERNAL";
    case LEAT_E_RESTORE: return "LEAT_E_RESTORE";
    }
    return "unknown status";
}

/* Takes back the first bytes of a UTF-8 character whose last ones were cut off. */
static void trim_cut_character(char *text, size_t size) {
    size_t start = size;
    while (start > 0 && size - start < 4 && ((unsigned char)text[start - 1] & 0xc0) == 0x80)
        start--;
    if (start == 0 || (unsigned char)text[start - 1] < 0xc0) return;
    unsigned char lead = (unsigned char)text[--start];
    size_t whole = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (size - start < whole) text[start] = 0;
}

leat_status(leat_error_set)(leat_error *err, leat_status status, const char *where,
                            const char *format, ...) {
    if (!err) return status;
    leat_error made = {.status = status}; /* the arguments may point into *err */
    int size = snprintf(made.where, sizeof made.where, "%s", where ? where : "");
    if ((size_t)size >= sizeof made.where) trim_cut_character(made.where, sizeof made.where - 1);
    va_list args;
    va_start(args, format);
    size = vsnprintf(made.text, sizeof made.text, format, args);
    va_end(args);
    if (size >= (int)sizeof made.text) trim_cut_character(made.text, sizeof made.text - 1);
    *err = made;
    return status;
}

const char *leat_version(void) {
    return LEAT_VERSION_STRING;
}
