/* log.c: hands lines to the host's log function, one at a time and in order, and never waits for
   it.

   A thread that finds another one inside the function leaves its line in the queue, and that other
   thread takes it along. So a function that needs a lock (such as an interpreter's) can't deadlock
   with a thread that logs while it holds the lock, and a function may log itself. */
#include "runtime/base/log.h"

#include "runtime/base/alloc.h"
#include "runtime/base/status_line.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

typedef struct log_line {
    struct log_line *next;
    leat_log_level level;
    char text[];
} log_line;

static void log_to_stderr(leat_log_level level, const char *line, void *arg) {
    (void)level;
    (void)arg;
    leati_status_line_clear(STDERR_FILENO);
    fprintf(stderr, "leat: %s\n", line);
}

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER; /* guards the four below */
static leat_log_fn current_fn = log_to_stderr;
static void *current_arg;
static log_line *first, **last = &first;
static bool busy;

static atomic_int threshold = LEAT_LOG_WARNING;

void leat_log_set(leat_log_fn fn, void *arg, leat_log_level level) {
    pthread_mutex_lock(&mutex);
    current_fn = fn ? fn : log_to_stderr;
    current_arg = fn ? arg : NULL;
    pthread_mutex_unlock(&mutex);
    atomic_store(&threshold, fn ? (int)level : LEAT_LOG_WARNING);
}

bool leati_log_wants(leat_log_level level) {
    return level < LEAT_LOG_OFF && (int)level >= atomic_load(&threshold);
}

static void log_hand_over(log_line *line) {
    pthread_mutex_lock(&mutex);
    line->next = NULL;
    *last = line;
    last = &line->next;
    if (!busy) {
        busy = true;
        while (first) {
            log_line *taken = first;
            first = taken->next;
            if (!first) last = &first;
            leat_log_fn fn = current_fn;
            void *arg = current_arg;
            pthread_mutex_unlock(&mutex);
            fn(taken->level, taken->text, arg);
            leati_free(taken);
            pthread_mutex_lock(&mutex);
        }
        busy = false;
    }
    pthread_mutex_unlock(&mutex);
}

void leati_log(leat_log_level level, const char *format, ...) {
    if (!leati_log_wants(level)) return;
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int size = vsnprintf(NULL, 0, format, args);
    va_end(args);
    log_line *line = size < 0 ? NULL : leati_alloc(sizeof *line + (size_t)size + 1);
    if (line) {
        vsnprintf(line->text, (size_t)size + 1, format, again);
        line->level = level;
        log_hand_over(line);
    }
    va_end(again);
}
