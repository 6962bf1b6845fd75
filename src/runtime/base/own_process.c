/* own_process.c: see own_process.h. The loader lists what is loaded in the order of loading, so of
   two libraries only the second one finds another before itself. */
#include "runtime/base/own_process.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static pthread_once_t once = PTHREAD_ONCE_INIT, first_use = PTHREAD_ONCE_INIT;
static sigset_t signals; /* blocked where this process first used Leat; a worker blocks none */
static atomic_uint number;
static atomic_bool used, parent_used;
static char other[256]; /* the library that was here before; "": none */

static void in_child(void) {
    atomic_fetch_add(&number, 1);
    if (atomic_exchange(&used, false)) atomic_store(&parent_used, true);
}

static bool is_libleat(const char *path) {
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    return strncmp(name, "libleat.so", 10) == 0 || strncmp(name, "libleat-", 8) == 0;
}

/* Ends at this library itself. */
static int look(struct dl_phdr_info *info, size_t size, void *self) {
    (void)size;
    if (info->dlpi_addr == (uintptr_t)self) return 1;
    if (is_libleat(info->dlpi_name)) snprintf(other, sizeof other, "%s", info->dlpi_name);
    return other[0] != 0;
}

/* Where a standard stream is closed, /dev/null takes its place: else a socket or a file of ours
   gets its number, and what is printed goes there; libuv ends the process when it meets one. */
static void fill_standard_streams(void) {
    int fd;
    do fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0) close(fd);
}

static void start(void) {
    Dl_info self;
    fill_standard_streams();
    pthread_atfork(NULL, NULL, in_child);
    if (dladdr(&once, &self)) dl_iterate_phdr(look, self.dli_fbase);
}

unsigned leati_process_number(void) {
    return atomic_load_explicit(&number, memory_order_relaxed);
}

leat_status leati_process_check(const char *where, leat_error *err) {
    pthread_once(&once, start);
    if (other[0])
        return leat_error_set(err, LEAT_E_VERSION, where,
                              "this process has loaded %s, too; link everything in it to one "
                              "libleat",
                              other);
    if (!atomic_load(&parent_used)) return LEAT_OK;
    return leat_error_set(err, LEAT_E_STATE, where,
                          "this process was forked from one that ran Leat; start it with exec, or "
                          "fork before the first job");
}

/* Python expects an error where a pipe is broken, and ignores the signal where it is the
   program. */
static void take_signals(void) {
    struct sigaction pipe;
    pthread_sigmask(SIG_BLOCK, NULL, &signals);
    if (sigaction(SIGPIPE, NULL, &pipe) == 0 && pipe.sa_handler != SIG_IGN)
        sigaddset(&signals, SIGPIPE);
}

void leati_process_use(void) {
    pthread_once(&first_use, take_signals);
    atomic_store(&used, true);
}

void leati_process_signals(void) {
    pthread_sigmask(SIG_SETMASK, &signals, NULL);
}
