/* faulty_files.h: calls that write files, for leati_files_set: from a chosen one on they fail, or
   writes are short. */
#ifndef LEAT_TESTS_FAULTY_FILES_H
#define LEAT_TESTS_FAULTY_FILES_H

#include "folder.h"

#include <errno.h>
#include <stdatomic.h>

#include "runtime/base/files.h"

/* Counts the calls; from one of them on all fail, or writes are short. The I/O thread's. */
static atomic_int calls_left; /* negative: none fails */
static atomic_int fault;
static atomic_bool stutters;

static inline bool fails(void) {
    int left = atomic_load(&calls_left);
    if (left < 0) return false;
    if (left > 0) {
        atomic_store(&calls_left, left - 1);
        return false;
    }
    errno = atomic_load(&fault);
    return true;
}

static inline int faulty_open(const char *path, int flags, mode_t mode) {
    return fails() ? -1 : open(path, flags, mode);
}

/* Fails with the first half of the bytes written, as full disks do. */
static inline ssize_t faulty_write(int fd, const void *bytes, size_t size) {
    if (fails()) {
        if (atomic_load(&stutters) && size > 1) (void)!write(fd, bytes, size / 2);
        errno = atomic_load(&fault);
        return -1;
    }
    return write(fd, bytes, atomic_load(&stutters) ? (size + 2) / 3 : size);
}

/* No power is lost here. */
static inline int faulty_fsync(int fd) {
    (void)fd;
    return fails() ? -1 : 0;
}

static inline int faulty_truncate(int fd, off_t size) {
    return fails() ? -1 : ftruncate(fd, size);
}

static inline int faulty_close(int fd) {
    bool failed = fails();
    close(fd);
    return failed ? -1 : 0;
}

static inline int faulty_rename(const char *from, const char *to) {
    return fails() ? -1 : rename(from, to);
}

static inline int faulty_mkdir(const char *path, mode_t mode) {
    return fails() ? -1 : mkdir(path, mode);
}

static const leati_files faulty = {faulty_open,  faulty_write,  faulty_fsync, faulty_truncate,
                                   faulty_close, faulty_rename, faulty_mkdir};

static inline int with_faults(void **state) {
    atomic_store(&calls_left, -1);
    atomic_store(&stutters, false);
    leati_files_set(&faulty);
    return folder_make(state);
}

static inline int without_faults(void **state) {
    leati_files_set(NULL);
    return folder_remove(state);
}

#define WITH_FAULTS(test) cmocka_unit_test_setup_teardown(test, with_faults, without_faults)

#endif
