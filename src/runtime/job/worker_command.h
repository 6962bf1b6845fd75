/* worker_command.h: the command line and environment of a worker process. */
#ifndef LEATI_WORKER_COMMAND_H
#define LEATI_WORKER_COMMAND_H

#include "runtime/job/env.h"

enum { LEATI_MAX_WORKERS = 256 };

/* What the bridge set, or for a host without an interpreter the one of python_path.h and its
   modules' folders; then the worker's number and its sockets: `own[j]` leads to host j,
   `own[index]` is the control socket; and the
   lock of the checkpoints' folder, -1: none. Allocated. */
char **leati_worker_argv(const leati_blueprint *b, const int *own, int hosts, int index, int lock,
                         leat_error *err);
/* The bridge's environment, or this process's. */
char **leati_worker_envp(const leati_blueprint *b);
void leati_worker_command_free(char **argv, char **envp);

/* The worker's side. */
typedef struct leati_worker_sockets {
    int index, hosts, lock;
    int to[LEATI_MAX_WORKERS + 1]; /* to[index] is the control socket */
} leati_worker_sockets;
leat_status leati_worker_read_argv(int argc, char **argv, leati_worker_sockets *out);

#endif
