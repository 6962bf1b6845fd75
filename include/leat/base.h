/* base.h: status codes, errors, memory, logging and versions; everything else stands on it. */
#ifndef LEAT_BASE_H
#define LEAT_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LEAT_VERSION_MAJOR  0
#define LEAT_VERSION_MINOR  1
#define LEAT_VERSION_PATCH  0
#define LEAT_VERSION_STRING "0.1.0"

#if defined(__GNUC__)
#define LEAT_API                 __attribute__((visibility("default")))
#define LEAT_PRINTF(text, first) __attribute__((format(printf, text, first)))
#define LEAT_LIKELY(x)           __builtin_expect(!!(x), 1)
#define LEAT_UNLIKELY(x)         __builtin_expect(!!(x), 0)
#else
#define LEAT_API
#define LEAT_PRINTF(text, first)
#define LEAT_LIKELY(x)   (x)
#define LEAT_UNLIKELY(x) (x)
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Zero and above is progress, below zero is failure. */
typedef enum leat_status {
    LEAT_OK = 0,
    LEAT_DONE = 1,            /* nothing more will come */
    LEAT_AGAIN = 2,           /* nothing now, or no room now */
    LEAT_E_NOMEM = -1,        /* an allocation failed */
    LEAT_E_ARGUMENT = -2,     /* a caller passed what the header forbids */
    LEAT_E_TYPE = -3,         /* a value has another type than declared */
    LEAT_E_RANGE = -4,        /* a number does not fit */
    LEAT_E_STATE = -5,        /* the call does not fit the object's state */
    LEAT_E_CONFIG = -6,       /* an unknown configuration key or a bad value */
    LEAT_E_NOT_FOUND = -7,    /* a file, an operator, a module is absent */
    LEAT_E_IO = -8,           /* the operating system refused a read or write */
    LEAT_E_FORMAT = -9,       /* bytes are damaged or of an unknown format */
    LEAT_E_USER = -10,        /* a user's function failed */
    LEAT_E_CANCELLED = -11,   /* the job was cancelled */
    LEAT_E_TIMEOUT = -12,     /* a deadline passed */
    LEAT_E_WORKER = -13,      /* a worker process died or broke the protocol */
    LEAT_E_UNSUPPORTED = -14, /* not there in this version or build */
    LEAT_E_VERSION = -15,     /* two parts of different versions met */
    LEAT_E_INTERNAL = -16,    /* a defect in Leat */
    LEAT_E_RESTORE = -17      /* a checkpoint or savepoint was refused */
} leat_status;

/* Caller-owned; written only on failure. `where` names the call, operator, file or key. */
typedef struct leat_error {
    leat_status status;
    char where[120];
    char text[904];
} leat_error;

/* The status's name, such as "LEAT_E_IO"; never NULL. Any thread. */
LEAT_API const char *leat_status_name(leat_status status);

/* Fills `err` (may be NULL) and returns `status`, so that callers can write `return
   leat_error_set(...)`. */
LEAT_API leat_status leat_error_set(leat_error *err, leat_status status, const char *where,
                                    const char *format, ...) LEAT_PRINTF(4, 5);
#ifdef __clang_analyzer__ /* which cannot look into the library */
#define leat_error_set(err, status, ...) (leat_error_set(err, status, __VA_ARGS__), (status))
#endif

/* The version of the library that was loaded, to compare with LEAT_VERSION_STRING. */
LEAT_API const char *leat_version(void);

/* Replaces the allocator of the process. Must come before every other call; answers LEAT_E_STATE
   once Leat has allocated. `resize(NULL, n)` allocates, `release(NULL)` does nothing; both may be
   called from any thread. */
typedef struct leat_allocator {
    void *(*resize)(void *block, size_t bytes, void *arg);
    void (*release)(void *block, void *arg);
    void *arg;
} leat_allocator;
LEAT_API leat_status leat_allocator_set(const leat_allocator *allocator);

typedef enum leat_log_level {
    LEAT_LOG_DEBUG = 0,
    LEAT_LOG_INFO = 1,
    LEAT_LOG_WARNING = 2,
    LEAT_LOG_ERROR = 3,
    LEAT_LOG_OFF = 4
} leat_log_level;

/* Called with one whole line without its end; any thread, one call at a time. */
typedef void (*leat_log_fn)(leat_log_level level, const char *line, void *arg);

/* NULL brings the default back: warnings and errors to stderr. Any thread. */
LEAT_API void leat_log_set(leat_log_fn fn, void *arg, leat_log_level level);

#ifdef __cplusplus
}
#endif
#endif
