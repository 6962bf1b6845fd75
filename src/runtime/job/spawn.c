/* spawn.c: see spawn.h. posix_spawn, because fork in a process with threads is no place to run
   code. */
#include "runtime/job/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int set_up(posix_spawn_file_actions_t *actions, posix_spawnattr_t *attr, int out, int errors,
                  const int *inherit) {
    sigset_t all, blocked; /* until the worker can be deaf to them: worker.c */
    sigfillset(&all);
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGINT);
    sigaddset(&blocked, SIGTERM);
    int failed = posix_spawn_file_actions_addopen(actions, 0, "/dev/null", O_RDONLY, 0);
    if (!failed) failed = posix_spawn_file_actions_adddup2(actions, out, 1);
    if (!failed) failed = posix_spawn_file_actions_adddup2(actions, errors, 2);
    for (; *inherit >= 0 && !failed; inherit++)
        failed = posix_spawn_file_actions_adddup2(actions, *inherit, *inherit);
    if (!failed) failed = posix_spawnattr_setsigdefault(attr, &all);
    if (!failed) failed = posix_spawnattr_setsigmask(attr, &blocked);
    if (failed) return failed;
    return posix_spawnattr_setflags(attr, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
}

leat_status leati_process_start(leati_process *p, char *const *argv, char *const *envp, int out,
                                int errors, const int *inherit, leat_error *err) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attr;
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attr);
    int failed = set_up(&actions, &attr, out, errors, inherit);
    if (!failed) failed = posix_spawnp(&p->pid, argv[0], &actions, &attr, argv, envp);
    posix_spawnattr_destroy(&attr);
    posix_spawn_file_actions_destroy(&actions);
    if (failed) {
        p->pid = 0;
        return leat_error_set(err, LEAT_E_WORKER, argv[0],
                              "the worker's interpreter can't be started: %s; check "
                              "python.executable",
                              strerror(failed));
    }
    p->pidfd = (int)syscall(SYS_pidfd_open, p->pid, 0);
    if (p->pidfd >= 0) return LEAT_OK;
    failed = errno;
    kill(p->pid, SIGKILL);
    waitpid(p->pid, NULL, 0);
    p->pid = 0;
    return leat_error_set(err, failed == ENOSYS ? LEAT_E_UNSUPPORTED : LEAT_E_IO, "worker",
                          "pidfd_open: %s; %s", strerror(failed),
                          failed == ENOSYS ? "Linux 5.3 is needed"
                                           : "raise the limit of open files (ulimit -n)");
}

/* The host's own wait for any child may have been faster: then nobody can say how it ended. */
void leati_process_reap(leati_process *p, char *text, size_t size) {
    int status = 0;
    pid_t got = waitpid(p->pid, &status, WNOHANG);
    if (got != p->pid)
        snprintf(text, size, "an unknown exit code, since this program waited for it itself");
    else if (WIFSIGNALED(status))
        snprintf(text, size, "signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
    else
        snprintf(text, size, "exit code %d", WEXITSTATUS(status));
    close(p->pidfd);
    p->pid = 0;
    p->pidfd = -1;
}

void leati_process_kill(const leati_process *p) {
    if (p->pid) syscall(SYS_pidfd_send_signal, p->pidfd, SIGKILL, NULL, 0);
}

void leati_process_end(leati_process *p) {
    enum { PATIENCE_MS = 2000, TEXT = 128 };
    char how[TEXT];
    if (!p->pid) return;
    leati_process_kill(p);
    struct pollfd ended = {.fd = p->pidfd, .events = POLLIN};
    while (poll(&ended, 1, PATIENCE_MS) < 0 && errno == EINTR) continue;
    leati_process_reap(p, how, sizeof how);
}

int leati_fd_above_stdio(int fd) {
    if (fd < 0 || fd > 2) return fd;
    int above = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    close(fd);
    return above;
}
