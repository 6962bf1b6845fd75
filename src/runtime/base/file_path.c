/* file_path.c: see file_path.h. A scheme is as in RFC 3986: a letter, then letters, digits, '+',
   '-' and '.', and "://" behind it, so that a folder may still be called "a:b". */
#include "runtime/base/file_path.h"

#include <string.h>

static bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* How long the scheme is that "://" follows; 0: there is none. */
static size_t scheme_size(const char *path) {
    size_t size = 0;
    if (!is_letter(*path)) return 0;
    while (is_letter(path[size]) || (path[size] && strchr("0123456789+-.", path[size]))) size++;
    return strncmp(path + size, "://", 3) == 0 ? size : 0;
}

const char *leati_file_path(const char *path) {
    if (!path || strncmp(path, "file:", 5) != 0) return path;
    return strncmp(path + 5, "///", 3) == 0 ? path + 7 : path + 5;
}

leat_status leati_file_path_check(const char *path, leat_error *err) {
    size_t scheme = scheme_size(path);
    if (!scheme) return LEAT_OK;
    bool local = scheme == 4 && strncmp(path, "file", 4) == 0;
    if (local && path[7] == '/') return LEAT_OK;
    if (local)
        return leat_error_set(err, LEAT_E_UNSUPPORTED, path,
                              "it names a host; a file of this machine is file:///FOLDER/FILE");
    return leat_error_set(err, LEAT_E_UNSUPPORTED, path,
                          "Leat reads and writes files of this machine, and not '%.*s://'; give a "
                          "path, or file:///FOLDER",
                          (int)scheme, path);
}
