/* control_folder.c: see control_folder.h.

   A path of a socket must fit into 108 bytes, and a folder may be replaced between a check and a
   use; so the folder is opened once, without following a link, looked at by its descriptor, and the
   sockets in it are reached as /proc/self/fd/<folder>/<name>. A socket is bound and listens under a
   hidden name before it gets its own by rename: who sees it can connect, so one that refuses is
   left over from a process that was killed. */
#include "runtime/job/control_folder.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { ID_SIZE = 32, BACKLOG = 16 };

/* --- the folder ------------------------------------------------------------------------------- */

static bool is_own(const struct stat *info) {
    return S_ISDIR(info->st_mode) && info->st_uid == geteuid() && !(info->st_mode & 077);
}

/* $XDG_RUNTIME_DIR counts where it is what its specification wants: absolute, this user's. */
static bool folder_path(char *path, size_t size) {
    const char *base = getenv("XDG_RUNTIME_DIR");
    struct stat info;
    int n = base && base[0] == '/' && stat(base, &info) == 0 && is_own(&info)
                ? snprintf(path, size, "%s/leat", base)
                : snprintf(path, size, "/tmp/leat-%u", (unsigned)geteuid());
    return n > 0 && (size_t)n < size;
}

int leati_control_folder(bool make, leat_error *err) {
    char path[PATH_MAX];
    struct stat info;
    if (!folder_path(path, sizeof path)) {
        leat_error_set(err, LEAT_E_IO, "control", "the path in XDG_RUNTIME_DIR is too long");
        return -1;
    }
    if (make && mkdir(path, 0700) < 0 && errno != EEXIST) {
        leat_error_set(err, LEAT_E_IO, path, "it can't be made: %s", strerror(errno));
        return -1;
    }
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd >= 0 && fstat(fd, &info) == 0 && is_own(&info)) return fd;
    if (fd < 0 && errno == ENOENT && !make)
        leat_error_set(err, LEAT_E_NOT_FOUND, path, "no job listens");
    else if (fd < 0 && errno != ELOOP && errno != ENOTDIR)
        leat_error_set(err, LEAT_E_IO, path, "it can't be opened: %s", strerror(errno));
    else
        leat_error_set(err, LEAT_E_IO, path,
                       "it has to be a folder of this user's that nobody else may enter (mode "
                       "0700); remove it, or set XDG_RUNTIME_DIR");
    if (fd >= 0) close(fd);
    return -1;
}

/* --- names ------------------------------------------------------------------------------------ */

int leati_socket_process(const char *name, char *id) {
    char *end;
    if (!isdigit((unsigned char)name[0])) return 0;
    errno = 0;
    long pid = strtol(name, &end, 10);
    if (errno || pid <= 0 || pid > INT_MAX || *end != '-') return 0;
    end++;
    if (strspn(end, "0123456789abcdef") != ID_SIZE || strcmp(end + ID_SIZE, ".sock") != 0) return 0;
    memcpy(id, end, ID_SIZE);
    id[ID_SIZE] = '\0';
    return (int)pid;
}

/* --- sockets ---------------------------------------------------------------------------------- */

static struct sockaddr_un address_of(int folder, const char *name) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/%s", folder, name);
    return address;
}

/* Nothing that is on its way may keep a caller: a full backlog answers EAGAIN. */
static int socket_new(void) {
    return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

int leati_socket_listen(int folder, const char *name) {
    char hidden[LEATI_SOCKET_NAME + 1];
    snprintf(hidden, sizeof hidden, ".%s", name);
    struct sockaddr_un address = address_of(folder, hidden);
    int fd = socket_new();
    if (fd < 0) return -1;
    unlinkat(folder, hidden, 0);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) == 0 && listen(fd, BACKLOG) == 0 &&
        renameat(folder, hidden, folder, name) == 0)
        return fd;
    int why = errno;
    unlinkat(folder, hidden, 0);
    close(fd);
    errno = why;
    return -1;
}

int leati_socket_connect(int folder, const char *name) {
    struct sockaddr_un address = address_of(folder, name);
    int fd = socket_new();
    if (fd < 0) return -1;
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0) return fd;
    int why = errno;
    if (why == ECONNREFUSED) unlinkat(folder, name, 0);
    close(fd);
    errno = why;
    return -1;
}

bool leati_socket_trusted(int fd) {
    struct ucred peer;
    socklen_t size = sizeof peer;
    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && size == sizeof peer &&
           peer.uid == geteuid();
}

/* A process that is gone from here may live in another container that shares the folder: then
   somebody answers. A hidden name is a socket's on its way. */
static void sweep_one(int folder, const char *name) {
    char id[ID_SIZE + 1];
    bool hidden = name[0] == '.';
    int pid = leati_socket_process(name + hidden, id);
    if (!pid || kill(pid, 0) == 0 || errno != ESRCH) return;
    int fd = hidden ? -1 : leati_socket_connect(folder, name);
    if (fd >= 0) close(fd);
    if (hidden) unlinkat(folder, name, 0);
}

void leati_sockets_sweep(int folder) {
    int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    if (!dir && fd >= 0) close(fd);
    for (const struct dirent *e; dir && (e = readdir(dir));) sweep_one(folder, e->d_name);
    if (dir) closedir(dir);
}
