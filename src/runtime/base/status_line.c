/* status_line.c: see status_line.h. The line is drawn from the first column and leaves the cursor
   at its end; taking it away is a carriage return and "erase to the end of the line". Whoever writes
   to the terminal takes it away first and then has a quarter of a second, in which it is not drawn
   again; so a job that prints all the time shows what it prints, and no line. */
#include "runtime/base/status_line.h"

#include "runtime/base/clock.h"
#include "runtime/base/own_process.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { QUIET_NS = 250000000, WIDEST = 400, USUAL_WIDTH = 80 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* held while the terminal is written */
static atomic_bool drawn;
static atomic_int_fast64_t quiet_until; /* monotonic ns */
static atomic_bool used;                /* some line was drawn */
static atomic_uint owner;               /* by this process (own_process.h) */

bool leati_status_line_can(void) {
    const char *term = getenv("TERM");
    return isatty(STDERR_FILENO) && term && *term && strcmp(term, "dumb") != 0;
}

static int width(void) {
    struct winsize size;
    int columns = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
    if (columns <= 0) columns = USUAL_WIDTH;
    return columns > WIDEST ? WIDEST : columns;
}

/* So many bytes of UTF-8 that there are at most `most` characters. */
static size_t cut(const char *text, int most) {
    size_t at = 0;
    for (int shown = 0; text[at]; at++)
        if (((unsigned char)text[at] & 0xc0) != 0x80 && ++shown > most) break;
    return at;
}

/* Nobody may wait for a terminal that is stopped; what it does not take is no loss. */
static void put(const char *bytes, size_t size) {
    struct pollfd p = {STDERR_FILENO, POLLOUT, 0};
    ssize_t n = poll(&p, 1, 0) > 0 ? write(STDERR_FILENO, bytes, size) : 0;
    (void)n;
}

void leati_status_line_show(const char *text) {
    char line[4 * WIDEST + 8];
    if (leati_clock_monotonic() < atomic_load(&quiet_until)) return;
    size_t size = cut(text, width() - 1);
    if (size > 4 * WIDEST) size = 4 * WIDEST;
    int n = snprintf(line, sizeof line, "\r\033[K%.*s", (int)size, text);
    pthread_mutex_lock(&lock);
    atomic_store(&owner, leati_process_number());
    atomic_store(&used, true);
    put(line, (size_t)n);
    atomic_store(&drawn, true);
    pthread_mutex_unlock(&lock);
}

void leati_status_line_clear(int fd) {
    if (!atomic_load_explicit(&used, memory_order_relaxed) || !isatty(fd)) return;
    if (atomic_load(&owner) != leati_process_number())
        return; /* a fork may have come with the lock */
    atomic_store(&quiet_until, leati_clock_monotonic() + QUIET_NS);
    if (!atomic_load(&drawn)) return;
    pthread_mutex_lock(&lock);
    if (atomic_exchange(&drawn, false)) put("\r\033[K", 4);
    pthread_mutex_unlock(&lock);
}
