/* tmp_file.c: see tmp_file.h. The file is made in a folder that only this user may enter, and both
   names are gone before the call returns, so that nothing is left behind whatever happens. */
#include "runtime/base/tmp_file.h"

#include "runtime/base/io_thread.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LONGEST = 4000 };

/* -1, and errno says why. */
static int open_in(const char *dir, size_t size) {
    char folder[LONGEST + 64], file[LONGEST + 80];
    if (size > LONGEST) {
        errno = ENAMETOOLONG;
        return -1;
    }
    snprintf(folder, sizeof folder, "%.*s/leat-XXXXXX", (int)size, dir);
    if (!mkdtemp(folder)) return -1;
    snprintf(file, sizeof file, "%s/file", folder);
    int fd = open(file, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
    int why = errno;
    unlink(file);
    rmdir(folder);
    errno = why;
    return fd;
}

int leati_tmp_file_open(const char *dirs, leat_error *err) {
    const char *fallback = getenv("TMPDIR");
    const char *at = dirs && *dirs ? dirs : fallback && *fallback ? fallback : "/tmp";
    const char *separators = dirs && *dirs ? ",|:" : "";
    int why = ENOENT, fd = -1;
    const char *last = at;
    size_t size = 0;
    while (*at && fd < 0) {
        last = at;
        size = strcspn(at, separators);
        if (size) fd = open_in(at, size);
        if (size && fd < 0) why = errno;
        at += size + (at[size] != 0);
    }
    if (fd < 0)
        leat_error_set(err, LEAT_E_IO, "temporary file",
                       "no file can be made in '%.*s': %s; name a folder with room in io.tmp.dirs",
                       (int)(size < LONGEST ? size : LONGEST), last, strerror(why));
    return fd;
}

static leat_status close_file(void *arg) {
    close((int)(intptr_t)arg);
    return LEAT_OK;
}

static void closed(void *arg, leat_status status) {
    (void)arg;
    (void)status;
}

void leati_tmp_file_close(int fd) {
    void *arg = (void *)(intptr_t)fd;
    if (fd >= 0 && leati_io_submit(close_file, closed, arg) < 0) close_file(arg);
}
