/* spawn.h: starting a process with some inherited sockets, and knowing when it ends, without
   touching the host's SIGCHLD. */
#ifndef LEATI_SPAWN_H
#define LEATI_SPAWN_H

#include <sys/types.h>

#include "leat/base.h"

typedef struct leati_process {
    pid_t pid; /* 0: none */
    int pidfd; /* readable when it has ended */
} leati_process;

/* `inherit`: descriptors that keep their numbers in the child, -1 ends; all others of ours are
   close-on-exec. All descriptors are above 2 (leati_fd_above_stdio). The child's stdin is
   /dev/null, its stdout and stderr the given ones. It starts with default signal dispositions,
   SIGINT and SIGTERM blocked, in the caller's session. */
leat_status leati_process_start(leati_process *p, char *const *argv, char *const *envp, int out,
                                int errors, const int *inherit, leat_error *err);
/* After the pidfd was readable: fills `text` with "exit code 3" or "signal 9 (Killed)". */
void leati_process_reap(leati_process *p, char *text, size_t size);
/* Never hits another process, not even when the host has already waited for this one. */
void leati_process_kill(const leati_process *p);
/* Kills it, waits for its end, 2 s at most, and reaps it. Nothing happens when there is none. */
void leati_process_end(leati_process *p);

/* A host may run without standard streams: then 0, 1 and 2 are given to whatever is opened next,
   and would be replaced in a child. Answers a descriptor above them in the place of `fd`; -1 when
   there is none. */
int leati_fd_above_stdio(int fd);

#endif
