/* host_view.h: what a host's process looks like from inside, to compare before and after: signals,
   locale, umask, folder, environment, standard streams, descriptors; and the signals that Leat's
   threads block. */
#ifndef HOST_VIEW_H
#define HOST_VIEW_H

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <locale.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

extern char **environ;

typedef struct host_view {
    struct sigaction actions[65];
    sigset_t mask;
    char locale[256], folder[PATH_MAX], environment[1 << 16];
    mode_t umask;
    int flags[3];
    ino_t inodes[3];
    int descriptors;
} host_view;

static inline int count_descriptors(void) {
    int count = 0;
    DIR *dir = opendir("/proc/self/fd");
    while (dir && readdir(dir)) count++;
    if (dir) closedir(dir);
    return count;
}

static inline void host_look(host_view *v) {
    struct stat st;
    size_t size = 0;
    memset(v, 0, sizeof *v);
    for (int i = 1; i < 65; i++) sigaction(i, NULL, &v->actions[i]);
    sigprocmask(SIG_BLOCK, NULL, &v->mask);
    snprintf(v->locale, sizeof v->locale, "%s", setlocale(LC_ALL, NULL));
    if (!getcwd(v->folder, sizeof v->folder)) v->folder[0] = 0;
    for (char **e = environ; *e && size < sizeof v->environment; e++)
        size += (size_t)snprintf(v->environment + size, sizeof v->environment - size, "%s\n", *e);
    umask(v->umask = umask(0));
    for (int i = 0; i < 3; i++) {
        v->flags[i] = fcntl(i, F_GETFL);
        v->inodes[i] = fstat(i, &st) == 0 ? st.st_ino : 0;
    }
    v->descriptors = count_descriptors();
}

/* What differs, or NULL. */
static inline const char *host_difference(const host_view *a, const host_view *b) {
    static char text[64];
    for (int i = 1; i < 65; i++) {
        if (a->actions[i].sa_handler == b->actions[i].sa_handler &&
            a->actions[i].sa_flags == b->actions[i].sa_flags)
            continue;
        snprintf(text, sizeof text, "the disposition of signal %d", i);
        return text;
    }
    if (memcmp(&a->mask, &b->mask, sizeof a->mask) != 0) return "the signal mask";
    if (strcmp(a->locale, b->locale) != 0) return "the locale";
    if (strcmp(a->folder, b->folder) != 0) return "the working directory";
    if (strcmp(a->environment, b->environment) != 0) return "the environment";
    if (a->umask != b->umask) return "the umask";
    if (memcmp(a->flags, b->flags, sizeof a->flags) != 0) return "flags of a standard stream";
    if (memcmp(a->inodes, b->inodes, sizeof a->inodes) != 0) return "a standard stream";
    return a->descriptors == b->descriptors ? NULL : "the number of descriptors";
}

/* How many threads whose names begin with "leat-" there are, and how many of them let a signal
   through that can be blocked (glibc keeps 32 and 33 for itself). */
static inline int count_threads(int *open_to_signals) {
    enum { KILL = 9, STOP = 19, GLIBC_1 = 32, GLIBC_2 = 33 };
    const uint64_t never = UINT64_C(1) << (KILL - 1) | UINT64_C(1) << (STOP - 1) |
                           UINT64_C(1) << (GLIBC_1 - 1) | UINT64_C(1) << (GLIBC_2 - 1);
    int count = 0;
    DIR *dir = opendir("/proc/self/task");
    struct dirent *entry;
    *open_to_signals = 0;
    while (dir && (entry = readdir(dir))) {
        char path[300], line[256], name[64] = "";
        unsigned long long blocked = 0;
        snprintf(path, sizeof path, "/proc/self/task/%s/status", entry->d_name);
        FILE *file = fopen(path, "re");
        while (file && fgets(line, sizeof line, file)) {
            sscanf(line, "Name: %63s", name);
            sscanf(line, "SigBlk: %llx", &blocked);
        }
        if (file) fclose(file);
        bool ours = strncmp(name, "leat-", 5) == 0;
        count += ours;
        *open_to_signals += ours && (blocked | never) != UINT64_MAX;
    }
    if (dir) closedir(dir);
    return count;
}

#endif
