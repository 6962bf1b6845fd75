/* needs.h: what a test can't run without; it is skipped where that is not there. */
#ifndef NEEDS_H
#define NEEDS_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

/* Leat watches the processes it starts by pidfd. Linux has that since 5.3; valgrind is behind:
   3.19, of Debian 12, answers that there is no such call. */
static inline void needs_processes(void) {
    int fd = (int)syscall(SYS_pidfd_open, getpid(), 0);
    if (fd < 0 && errno == ENOSYS) skip();
    assert_true(fd >= 0);
    close(fd);
}

/* In both modes: THREAD mode, too, asks the interpreter about itself in a process first. */
static inline void needs_python(void) {
#ifndef LEAT_TEST_PYTHON
    skip();
#endif
    needs_processes();
}

#endif
