/* control_folder.h: the folder in which the jobs of a user's processes have their sockets. Nobody
   but that user may enter it. */
#ifndef LEATI_CONTROL_FOLDER_H
#define LEATI_CONTROL_FOLDER_H

#include "leat/base.h"

enum {
    LEATI_SOCKET_NAME = 64,    /* room for "<pid>-<job id>.sock" */
    LEATI_CONTROL_LINE = 4400, /* the longest request, with a path in it */
    LEATI_CONTROL_FORM = 1     /* of requests: "leat 1 status" */
};

/* Opens the folder: $XDG_RUNTIME_DIR/leat, else /tmp/leat-<uid>. `make`: it is made when it is not
   there; otherwise -1 with LEAT_E_NOT_FOUND. LEAT_E_IO for a folder that is a link, belongs to
   somebody else, or that others may enter. */
int leati_control_folder(bool make, leat_error *err);

/* The process of a socket of that name; 0: it is none. `id` (33 bytes) gets the job's. */
int leati_socket_process(const char *name, char *id);
/* Removes sockets of processes that are gone. `folder` is borrowed. */
void leati_sockets_sweep(int folder);

/* A listening socket of that name in the folder, which is there when the call returns and not
   before it listens; -1, and errno says why. */
int leati_socket_listen(int folder, const char *name);
/* A connection to it; -1, and errno says why. A socket that nobody listens to is removed. */
int leati_socket_connect(int folder, const char *name);
/* Does the other end belong to this user? */
bool leati_socket_trusted(int fd);

#endif
