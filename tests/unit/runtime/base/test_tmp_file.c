/* Tests of tmp_file.c: files without a name, the choice of a folder, errors that say which. */
#include "folder.h"

#include "runtime/base/tmp_file.h"

static bool is_empty(const char *path) {
    bool empty = true;
    DIR *d = opendir(path);
    assert_non_null(d);
    for (const struct dirent *e; (e = readdir(d));) empty &= e->d_name[0] == '.';
    closedir(d);
    return empty;
}

static void expect_open(const char *dirs) {
    leat_error err;
    char back[4] = "";
    int fd = leati_tmp_file_open(dirs, &err);
    if (fd < 0) fail_msg("%s", err.text);
    assert_int_equal(pwrite(fd, "abc", 3, 0), 3);
    assert_int_equal(pread(fd, back, 3, 0), 3);
    assert_string_equal(back, "abc");
    assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    assert_true(is_empty(folder)); /* it has no name */
    close(fd);
}

static void tmp_file_is_readable_and_has_no_name(void **state) {
    (void)state;
    expect_open(folder);
}

static void tmp_file_first_folder_that_works_is_taken(void **state) {
    (void)state;
    char dirs[256];
    snprintf(dirs, sizeof dirs, "/nonexistent/a,:%s|/nonexistent/b", folder);
    expect_open(dirs);
}

static void tmp_file_without_folders_is_in_tmpdir(void **state) {
    (void)state;
    const char *before = getenv("TMPDIR");
    char *old = before ? strdup(before) : NULL;
    setenv("TMPDIR", folder, 1);
    expect_open(NULL);
    expect_open("");
    setenv("TMPDIR", "/nonexistent", 1);
    leat_error err;
    assert_int_equal(leati_tmp_file_open(NULL, &err), -1);
    if (old)
        setenv("TMPDIR", old, 1);
    else
        unsetenv("TMPDIR");
    free(old);
    expect_open(NULL);
}

static void tmp_file_without_a_folder_that_works_names_the_last(void **state) {
    (void)state;
    leat_error err;
    assert_int_equal(leati_tmp_file_open("/nonexistent/a:/nonexistent/b", &err), -1);
    assert_int_equal(err.status, LEAT_E_IO);
    assert_string_equal(err.text, "no file can be made in '/nonexistent/b': No such file or "
                                  "directory; name a folder with room in io.tmp.dirs");
    char path[5000];
    memset(path, 'x', sizeof path - 1);
    path[0] = '/';
    path[sizeof path - 1] = 0;
    assert_int_equal(leati_tmp_file_open(path, &err), -1);
    assert_memory_equal(err.text, "no file can be made in '/xxx", 27);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_FOLDER(tmp_file_is_readable_and_has_no_name),
        WITH_FOLDER(tmp_file_first_folder_that_works_is_taken),
        WITH_FOLDER(tmp_file_without_folders_is_in_tmpdir),
        WITH_FOLDER(tmp_file_without_a_folder_that_works_names_the_last),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
