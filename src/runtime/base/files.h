/* files.h: the calls that write files and folders, behind a small table that tests replace: full
   disks, bad ones, short writes. With them the few steps that every writer takes, and how they say
   what went wrong: `err` gets the path, the reason and what helps. All may block: they are for the
   I/O thread. */
#ifndef LEATI_FILES_H
#define LEATI_FILES_H

#include "leat/base.h"

#include <sys/types.h>

/* As the calls of POSIX, errno included. `close` closes in any case. */
typedef struct leati_files {
    int (*open)(const char *path, int flags, mode_t mode);
    ssize_t (*write)(int fd, const void *bytes, size_t size);
    int (*fsync)(int fd);
    int (*ftruncate)(int fd, off_t size);
    int (*close)(int fd);
    int (*rename)(const char *from, const char *to);
    int (*mkdir)(const char *path, mode_t mode);
} leati_files;

/* For tests; NULL: those of the system. `files` is lent. Any thread. */
void leati_files_set(const leati_files *files);
const leati_files *leati_files_get(void);

/* LEAT_E_IO with errno's reason: "cannot <what> '<path>': ...". */
leat_status leati_file_cannot(const char *what, const char *path, leat_error *err);
/* With these flags of open(2) and close-on-exec. */
leat_status leati_file_open(const char *path, int flags, int *fd, leat_error *err);
/* All of it, in as many pieces as it takes. */
leat_status leati_file_write(int fd, const char *path, const void *bytes, size_t size,
                             leat_error *err);
/* To the disk, with what says how long it is. */
leat_status leati_file_sync(int fd, const char *path, leat_error *err);
leat_status leati_file_truncate(int fd, const char *path, int64_t size, leat_error *err);
leat_status leati_file_close(int fd, const char *path, leat_error *err);
leat_status leati_file_rename(const char *from, const char *to, leat_error *err);
/* Makes the folders above the file that are missing; they are on the disk afterwards. */
leat_status leati_file_folders(const char *path, leat_error *err);
/* The names in the folder above `path`, to the disk: after a file was made or renamed. */
leat_status leati_file_sync_folder(const char *path, leat_error *err);

#endif
