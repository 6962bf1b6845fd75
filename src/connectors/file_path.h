/* file_path.h: paths as users write them: plain, or as a URI of this machine's files. */
#ifndef LEATI_FILE_PATH_H
#define LEATI_FILE_PATH_H

#include <string.h>

/* "file:///a" and "file:/a" are "/a"; everything else is itself. A part of `path`. */
static inline const char *leati_file_path(const char *path) {
    if (strncmp(path, "file:", 5) != 0) return path;
    return strncmp(path + 5, "//", 2) == 0 && path[7] == '/' ? path + 7 : path + 5;
}

#endif
