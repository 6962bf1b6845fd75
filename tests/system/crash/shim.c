/* shim.c: a library for LD_PRELOAD that stands between a job and the files of its checkpoints and
   its output. It knows the steps by their calls and paths, counts them over all processes of the
   job, and at the n-th of a kind kills the process or the main one, fails the call, or tears the
   write.

   CRASH_ROOT   the job's folder: checkpoints in ROOT/chk/JOB, files in ROOT/out. Once somebody
                opens ROOT/end, the end of input, steps are counted as "end-..." ones.
   CRASH_AT     STEP:NUMBER:ACTION of `names` and `actions`, or empty: only count
   CRASH_STATE  a file of zeros, shared by all: `state` below, which seeds.py reads, too

   What it does is in order with the calls of the thread that makes them, so a seed means the same
   step each time, though not the same bytes: how far the job's other threads are is theirs. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* seeds.py has the same names, in the same order. */
#define STEPS(X)                        \
    X(PART_MAKE, "part-make")           \
    X(TASK_OPEN, "task-open")           \
    X(TASK_WRITE, "task-write")         \
    X(TASK_SYNC, "task-sync")           \
    X(MANIFEST_OPEN, "manifest-open")   \
    X(MANIFEST_WRITE, "manifest-write") \
    X(MANIFEST_SYNC, "manifest-sync")   \
    X(PART_SYNC, "part-sync")           \
    X(PUBLISH_BEFORE, "publish-before") \
    X(PUBLISH_AFTER, "publish-after")   \
    X(PUBLISH_SYNC, "publish-sync")     \
    X(DISCARD_BEFORE, "discard-before") \
    X(DISCARD_AFTER, "discard-after")   \
    X(REMOVE, "remove")                 \
    X(RESTORE_OPEN, "restore-open")     \
    X(RESTORE_READ, "restore-read")     \
    X(OUT_OPEN, "out-open")             \
    X(OUT_WRITE, "out-write")           \
    X(OUT_SYNC, "out-sync")             \
    X(OUT_CUT, "out-cut")               \
    X(COMMIT_BEFORE, "commit-before")   \
    X(COMMIT_AFTER, "commit-after")     \
    X(COMMIT_SYNC, "commit-sync")

#define STEP_NAME(id, name) id,
enum step { STEPS(STEP_NAME) STEP_COUNT };
#undef STEP_NAME
#define STEP_NAME(id, name) name,
static const char *const names[] = {STEPS(STEP_NAME)};

enum action { NOTHING, KILL, KILL_MAIN, TEAR, SHORT, INTERRUPT, NO_SPACE, BAD_DISK, FULL };
static const char *const actions[] = {"",      "kill",   "kill-main", "tear", "short",
                                      "eintr", "enospc", "eio",       "full"};

enum { MOST = 32 };
static struct state {
    _Atomic uint64_t main, ended, fired, full;
    _Atomic uint64_t counts[2][MOST]; /* [the end of input has come][step] */
} * state;

static char root[512], at_end_path[520];
static enum step wanted = STEP_COUNT;
static enum action wanted_action;
static uint64_t wanted_number;
static bool wanted_end;

/* --- what is what ----------------------------------------------------------------------------- */

enum kind {
    OTHER,
    JOB_FOLDER,
    PART_FOLDER,
    PART_TASK,
    PART_MANIFEST,
    CHECKPOINT_FOLDER,
    CHECKPOINT_FILE,
    OUT_FOLDER,
    OUT_HIDDEN,
    OUT_DONE
};

static enum kind kind_in_checkpoints(const char *p) {
    const char *name = strchr(p, '/');
    if (!name || !name[1]) return JOB_FOLDER;
    if (strncmp(++name, "chk-", 4) != 0) return OTHER;
    size_t length = strcspn(name, "/");
    bool part = length > 5 && strncmp(name + length - 5, ".part", 5) == 0;
    const char *file = name + length;
    if (!*file) return part ? PART_FOLDER : CHECKPOINT_FOLDER;
    if (!part) return CHECKPOINT_FILE;
    return strcmp(file, "/_metadata") == 0 ? PART_MANIFEST : PART_TASK;
}

static enum kind kind_of(const char *path) {
    size_t length = strlen(root);
    if (!state || !path || strncmp(path, root, length) != 0) return OTHER;
    path += length;
    if (strncmp(path, "/chk/", 5) == 0) return kind_in_checkpoints(path + 5);
    if (strncmp(path, "/out", 4) != 0 || (path[4] && path[4] != '/')) return OTHER;
    const char *name = strrchr(path, '/') + 1;
    if (strncmp(name, ".part-", 6) == 0) return OUT_HIDDEN;
    return strncmp(name, "part-", 5) == 0 ? OUT_DONE : OUT_FOLDER;
}

enum { FILES = 4096 };
static _Atomic unsigned char kinds[FILES];

static enum kind kind_of_file(int fd) {
    return fd >= 0 && fd < FILES ? (enum kind)atomic_load(&kinds[fd]) : OTHER;
}

static int opened(int fd, enum kind kind) {
    if (fd >= 0 && fd < FILES) atomic_store(&kinds[fd], (unsigned char)kind);
    return fd;
}

/* --- what happens ----------------------------------------------------------------------------- */

static void end_process(pid_t pid) {
    syscall(SYS_kill, pid, SIGKILL);
}

/* Counts the step. Answers what the call is to do about it: TEAR, SHORT, or -1 with errno. */
static int reach(enum step step) {
    if (step == STEP_COUNT || !state) return NOTHING;
    bool end = atomic_load(&state->ended);
    uint64_t number = atomic_fetch_add(&state->counts[end][step], 1) + 1;
    bool writes = step == TASK_WRITE || step == MANIFEST_WRITE || step == OUT_WRITE;
    if (writes && atomic_load(&state->full)) {
        errno = ENOSPC;
        return -1;
    }
    if (step != wanted || end != wanted_end || number != wanted_number) return NOTHING;
    if (atomic_fetch_add(&state->fired, 1)) return NOTHING;
    switch (wanted_action) {
    case KILL: end_process(getpid()); return NOTHING;
    case KILL_MAIN: end_process((pid_t)atomic_load(&state->main)); return NOTHING;
    case INTERRUPT: errno = EINTR; return -1;
    case BAD_DISK: errno = EIO; return -1;
    case FULL:
        atomic_store(&state->full, 1);
        errno = ENOSPC;
        return -1;
    case NO_SPACE: errno = ENOSPC; return -1;
    default: return (int)wanted_action;
    }
}

static void read_plan(const char *plan) {
    char name[64], action[64];
    unsigned long long number;
    if (sscanf(plan, "%63[^:]:%llu:%63s", name, &number, action) != 3) return;
    wanted_end = strncmp(name, "end-", 4) == 0;
    for (int i = 0; i < STEP_COUNT; i++)
        if (strcmp(names[i], name + (wanted_end ? 4 : 0)) == 0) wanted = (enum step)i;
    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++)
        if (strcmp(actions[i], action) == 0) wanted_action = (enum action)i;
    wanted_number = number;
    if (wanted == STEP_COUNT || wanted_action == NOTHING) abort();
}

__attribute__((constructor)) static void begin(void) {
    const char *folder = getenv("CRASH_ROOT"), *shared = getenv("CRASH_STATE"),
               *plan = getenv("CRASH_AT");
    if (!folder || !shared) return;
    snprintf(root, sizeof root, "%s", folder);
    snprintf(at_end_path, sizeof at_end_path, "%s/end", folder);
    int fd = (int)syscall(SYS_openat, AT_FDCWD, shared, O_RDWR | O_CLOEXEC);
    if (fd < 0) abort();
    void *memory = mmap(NULL, sizeof *state, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    syscall(SYS_close, fd);
    if (memory == MAP_FAILED) abort();
    if (plan) read_plan(plan);
    state = memory;
    uint64_t nobody = 0;
    atomic_compare_exchange_strong(&state->main, &nobody, (uint64_t)getpid());
}

/* --- the calls -------------------------------------------------------------------------------- */

static enum step step_of_open(enum kind kind, int flags) {
    bool writes = (flags & O_ACCMODE) != O_RDONLY;
    if (kind == PART_TASK && writes) return TASK_OPEN;
    if (kind == PART_MANIFEST && writes) return MANIFEST_OPEN;
    if (kind == CHECKPOINT_FILE && !writes) return RESTORE_OPEN;
    return kind == OUT_HIDDEN && writes ? OUT_OPEN : STEP_COUNT;
}

static int open_it(const char *path, int flags, mode_t mode) {
    enum kind kind = kind_of(path);
    if (state && strcmp(path, at_end_path) == 0) atomic_store(&state->ended, 1);
    if (reach(step_of_open(kind, flags)) < 0) return -1;
    return opened((int)syscall(SYS_openat, AT_FDCWD, path, flags, mode), kind);
}

#define MODE_OF(flags, mode)                   \
    mode_t mode = 0;                           \
    if ((flags) & (O_CREAT | O_TMPFILE)) {     \
        va_list rest;                          \
        va_start(rest, flags);                 \
        mode = (mode_t)va_arg(rest, unsigned); \
        va_end(rest);                          \
    }

int open(const char *path, int flags, ...) {
    MODE_OF(flags, mode)
    return open_it(path, flags, mode);
}

int open64(const char *path, int flags, ...) {
    MODE_OF(flags, mode)
    return open_it(path, flags, mode);
}

int __open_2(const char *path, int flags);
int __open_2(const char *path, int flags) {
    return open_it(path, flags, 0);
}

int __open64_2(const char *path, int flags);
int __open64_2(const char *path, int flags) {
    return open_it(path, flags, 0);
}

int close(int fd) {
    opened(fd, OTHER);
    return (int)syscall(SYS_close, fd);
}

static enum step step_of_write(int fd) {
    switch (kind_of_file(fd)) {
    case PART_TASK: return TASK_WRITE;
    case PART_MANIFEST: return MANIFEST_WRITE;
    case OUT_HIDDEN: return OUT_WRITE;
    default: return STEP_COUNT;
    }
}

ssize_t write(int fd, const void *bytes, size_t size) {
    int reached = reach(step_of_write(fd));
    if (reached < 0) return -1;
    if (reached != NOTHING && size > 1) size /= 2;
    ssize_t n = syscall(SYS_write, fd, bytes, size);
    if (reached == TEAR) end_process(getpid());
    return n;
}

ssize_t pread(int fd, void *bytes, size_t size, off_t offset) {
    int reached = kind_of_file(fd) == CHECKPOINT_FILE ? reach(RESTORE_READ) : NOTHING;
    if (reached < 0) return -1;
    return syscall(SYS_pread64, fd, bytes, reached == SHORT && size > 1 ? size / 2 : size, offset);
}

ssize_t pread64(int fd, void *bytes, size_t size, off64_t offset) {
    return pread(fd, bytes, size, offset);
}

static enum step step_of_sync(int fd) {
    switch (kind_of_file(fd)) {
    case PART_TASK: return TASK_SYNC;
    case PART_MANIFEST: return MANIFEST_SYNC;
    case PART_FOLDER: return PART_SYNC;
    case JOB_FOLDER: return PUBLISH_SYNC;
    case OUT_HIDDEN: return OUT_SYNC;
    case OUT_FOLDER: return COMMIT_SYNC;
    default: return STEP_COUNT;
    }
}

int fsync(int fd) {
    return reach(step_of_sync(fd)) < 0 ? -1 : (int)syscall(SYS_fsync, fd);
}

int fdatasync(int fd) {
    return reach(step_of_sync(fd)) < 0 ? -1 : (int)syscall(SYS_fdatasync, fd);
}

int ftruncate(int fd, off_t size) {
    if (kind_of_file(fd) == OUT_HIDDEN && reach(OUT_CUT) < 0) return -1;
    return (int)syscall(SYS_ftruncate, fd, size);
}

int ftruncate64(int fd, off64_t size) {
    return ftruncate(fd, size);
}

int mkdir(const char *path, mode_t mode) {
    if (kind_of(path) == PART_FOLDER && reach(PART_MAKE) < 0) return -1;
    return (int)syscall(SYS_mkdirat, AT_FDCWD, path, mode);
}

int rename(const char *from, const char *to) {
    enum kind was = kind_of(from), is = kind_of(to);
    enum step before = STEP_COUNT, after = STEP_COUNT;
    if (was == PART_FOLDER && is == CHECKPOINT_FOLDER) {
        before = PUBLISH_BEFORE;
        after = PUBLISH_AFTER;
    } else if (was == CHECKPOINT_FOLDER && is == PART_FOLDER) {
        before = DISCARD_BEFORE;
        after = DISCARD_AFTER;
    } else if (was == OUT_HIDDEN && is == OUT_DONE) {
        before = COMMIT_BEFORE;
        after = COMMIT_AFTER;
    }
    if (reach(before) < 0) return -1;
    int failed = (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
    return !failed && reach(after) < 0 ? -1 : failed;
}

int unlinkat(int folder, const char *path, int flags) {
    if (kind_of_file(folder) == PART_FOLDER && reach(REMOVE) < 0) return -1;
    return (int)syscall(SYS_unlinkat, folder, path, flags);
}
