/* Processes: what they inherit, how their ends read, and that none is left. */
#include "runtime/job/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

extern char **environ;
static leat_error err;
static char text[256]; /* what the last process printed */

/* Valgrind is behind Linux: 3.19, of Debian 12, answers that there is no pidfd_open. */
static void needs_processes(void) {
    int fd = (int)syscall(SYS_pidfd_open, getpid(), 0);
    if (fd < 0 && errno == ENOSYS) skip();
    assert_true(fd >= 0);
    close(fd);
}

static leat_status start(leati_process *p, const char *command, const int *inherit, int *from) {
    int ends[2];
    char shell[] = "/bin/sh", option[] = "-c";
    char *argv[] = {shell, option, (char *)(uintptr_t)command, NULL};
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    leat_status status = leati_process_start(p, argv, environ, ends[1], ends[1], inherit, &err);
    close(ends[1]);
    *from = ends[0];
    return status;
}

static void wait_for(const leati_process *p) {
    struct pollfd ended = {.fd = p->pidfd, .events = POLLIN};
    assert_int_equal(poll(&ended, 1, 10000), 1);
}

/* How it ended. */
static const char *run(const char *command, const int *inherit) {
    static char how[128];
    leati_process p = {0};
    int from;
    assert_int_equal(start(&p, command, inherit, &from), LEAT_OK);
    wait_for(&p);
    leati_process_reap(&p, how, sizeof how);
    ssize_t n = read(from, text, sizeof text - 1);
    text[n > 0 ? n : 0] = 0;
    close(from);
    assert_int_equal(p.pid, 0);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    return how;
}

static const int nothing[] = {-1};

static void ends_read_as_what_they_are(void **state) {
    (void)state;
    needs_processes();
    assert_string_equal(run("exit 0", nothing), "exit code 0");
    assert_string_equal(run("exit 3", nothing), "exit code 3");
    assert_string_equal(run("kill -KILL $$", nothing), "signal 9 (Killed)");
    assert_string_equal(run("kill -SEGV $$", nothing), "signal 11 (Segmentation fault)");
}

static void end_that_the_host_waited_for_is_unknown(void **state) {
    leati_process p = {0};
    char how[128];
    int from;
    (void)state;
    needs_processes();
    assert_int_equal(start(&p, "exit 3", nothing, &from), LEAT_OK);
    wait_for(&p);
    assert_int_equal(waitpid(-1, NULL, 0), p.pid);
    leati_process_kill(&p); /* hits nobody */
    leati_process_reap(&p, how, sizeof how);
    assert_non_null(strstr(how, "unknown"));
    close(from);
}

static void only_what_is_named_is_inherited(void **state) {
    int ends[2];
    (void)state;
    needs_processes();
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    int inherit[] = {ends[1], -1};
    char command[128];
    snprintf(command, sizeof command,
             "test -e /dev/fd/%d && echo one; test -e /dev/fd/%d && echo other; readlink /dev/fd/0",
             ends[1], ends[0]);
    run(command, inherit);
    assert_string_equal(text, "one\n/dev/null\n");
    close(ends[0]);
    close(ends[1]);
}

/* A mask of signals of the process that printed `text`. */
static unsigned long long mask(const char *name) {
    const char *at = strstr(text, name);
    assert_non_null(at);
    return strtoull(at + strlen(name), NULL, 16);
}

/* A shell would clear its mask itself. */
static void signals_are_as_in_a_new_program_but_ends_wait(void **state) {
    char how[128], grep[] = "grep", signals[] = "^Sig", status[] = "/proc/self/status";
    char *argv[] = {grep, signals, status, NULL};
    leati_process p = {0};
    int ends[2];
    (void)state;
    needs_processes();
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    signal(SIGUSR1, SIG_IGN);
    assert_int_equal(leati_process_start(&p, argv, environ, ends[1], ends[1], nothing, &err),
                     LEAT_OK);
    signal(SIGUSR1, SIG_DFL);
    wait_for(&p);
    leati_process_reap(&p, how, sizeof how);
    ssize_t n = read(ends[0], text, sizeof text - 1);
    text[n > 0 ? n : 0] = 0;
    close(ends[0]);
    close(ends[1]);
    assert_int_equal(mask("SigBlk:\t"), 1u << (SIGINT - 1) | 1u << (SIGTERM - 1));
    assert_int_equal(mask("SigIgn:\t") & 1u << (SIGUSR1 - 1), 0);
}

static void program_that_is_missing_is_an_error(void **state) {
    char missing[] = "/does/not/exist", *argv[] = {missing, NULL};
    leati_process p = {0};
    (void)state;
    needs_processes();
    assert_int_equal(leati_process_start(&p, argv, environ, 1, 2, nothing, &err), LEAT_E_WORKER);
    assert_string_equal(err.where, "/does/not/exist");
    assert_non_null(strstr(err.text, "No such file or directory; check python.executable"));
    assert_int_equal(p.pid, 0);
    leati_process_end(&p);
}

static void end_kills_and_reaps_even_a_stopped_process(void **state) {
    leati_process p = {0};
    int from;
    (void)state;
    needs_processes();
    assert_int_equal(start(&p, "kill -STOP $$; sleep 100", nothing, &from), LEAT_OK);
    leati_process_end(&p);
    assert_int_equal(p.pid, 0);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
    close(from);
}

static void descriptors_leave_the_standard_streams(void **state) {
    (void)state;
    int kept = fcntl(0, F_DUPFD_CLOEXEC, 3);
    close(0);
    int low = open("/dev/null", O_RDONLY | O_CLOEXEC);
    int high = leati_fd_above_stdio(low);
    assert_int_equal(low, 0);
    assert_true(high > 2);
    assert_int_equal(fcntl(0, F_GETFD), -1);
    assert_int_equal(leati_fd_above_stdio(high), high);
    assert_int_equal(leati_fd_above_stdio(-1), -1);
    close(high);
    if (kept >= 0) {
        dup2(kept, 0);
        close(kept);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ends_read_as_what_they_are),
        cmocka_unit_test(end_that_the_host_waited_for_is_unknown),
        cmocka_unit_test(only_what_is_named_is_inherited),
        cmocka_unit_test(signals_are_as_in_a_new_program_but_ends_wait),
        cmocka_unit_test(program_that_is_missing_is_an_error),
        cmocka_unit_test(end_kills_and_reaps_even_a_stopped_process),
        cmocka_unit_test(descriptors_leave_the_standard_streams),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
