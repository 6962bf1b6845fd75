/* folder.h: a temporary folder per test, and whole files in it. */
#ifndef LEAT_TESTS_FOLDER_H
#define LEAT_TESTS_FOLDER_H

#include "expect.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64];

/* Lent until the next but three call. */
static inline const char *in_folder(const char *name) {
    static char paths[4][320];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

static inline int folder_make(void **state) {
    (void)state;
    strcpy(folder, "/tmp/leat-test-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int folder_remove_one(const char *path, const struct stat *info, int kind, struct FTW *at) {
    (void)info, (void)kind, (void)at;
    return remove(path);
}

static inline int folder_remove(void **state) {
    (void)state;
    return nftw(folder, folder_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static inline void write_file(const char *name, const char *bytes, size_t size) {
    FILE *f = fopen(in_folder(name), "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, size, f), size);
    assert_int_equal(fclose(f), 0);
}

static inline void expect_file(const char *path, const char *text) {
    char got[4096];
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    got[fread(got, 1, sizeof got - 1, f)] = 0;
    fclose(f);
    assert_string_equal(got, text);
}

/* The only name in a folder that begins with `prefix`. Lent until the next call. */
static inline const char *only_file(const char *path, const char *prefix) {
    static char found[320];
    found[0] = 0;
    DIR *d = opendir(path);
    assert_non_null(d);
    const struct dirent *entry;
    while ((entry = readdir(d))) {
        if (strncmp(entry->d_name, prefix, strlen(prefix)) != 0) continue;
        assert_string_equal(found, "");
        snprintf(found, sizeof found, "%s/%s", path, entry->d_name);
    }
    closedir(d);
    return found;
}

#define WITH_FOLDER(test) cmocka_unit_test_setup_teardown(test, folder_make, folder_remove)
#define WITH_FOLDER_BOTH_WAYS(test)                                               \
    {#test, test, folder_make, folder_remove, (void *)0}, {                       \
#test " (revived)", test, folder_make, folder_remove, (void *)(intptr_t)1 \
    }

#endif
