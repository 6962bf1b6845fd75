/* Tests of files.c: folders are made, what is wrong is said with what helps, calls can be replaced,
   and what was interrupted or written in part goes on. */
#include "folder.h"

#include <errno.h>

#include "runtime/base/files.h"

static int interrupted, failing; /* how many calls are interrupted, and with what the next fails */
static int mkdirs, syncs;

static bool is_interrupted(void) {
    if (interrupted > 0) {
        interrupted--;
        errno = EINTR;
        return true;
    }
    errno = failing;
    return failing != 0;
}

static int odd_open(const char *path, int flags, mode_t mode) {
    return is_interrupted() ? -1 : open(path, flags, mode);
}

static ssize_t odd_write(int fd, const void *bytes, size_t size) {
    return is_interrupted() ? -1 : write(fd, bytes, size > 2 ? 2 : size);
}

static int odd_fsync(int fd) {
    (void)fd;
    syncs++;
    return is_interrupted() ? -1 : 0;
}

static int odd_truncate(int fd, off_t size) {
    return is_interrupted() ? -1 : ftruncate(fd, size);
}

static int odd_close(int fd) {
    close(fd);
    return is_interrupted() ? -1 : 0;
}

static int odd_rename(const char *from, const char *to) {
    return is_interrupted() ? -1 : rename(from, to);
}

static int odd_mkdir(const char *path, mode_t mode) {
    mkdirs++;
    return is_interrupted() ? -1 : mkdir(path, mode);
}

static const leati_files odd = {odd_open,  odd_write,  odd_fsync, odd_truncate,
                                odd_close, odd_rename, odd_mkdir};

static int with_odd_files(void **state) {
    interrupted = failing = mkdirs = syncs = 0;
    leati_files_set(&odd);
    return folder_make(state);
}

static int without_odd_files(void **state) {
    leati_files_set(NULL);
    return folder_remove(state);
}

static void file_interrupted_calls_and_short_writes_go_on(void **state) {
    (void)state;
    leat_error err = {.text = ""};
    const char *path = in_folder("file");
    int fd;
    interrupted = 2;
    assert_int_equal(leati_file_open(path, O_WRONLY | O_CREAT, &fd, &err), LEAT_OK);
    assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    interrupted = 2;
    assert_int_equal(leati_file_write(fd, path, "abcdefg", 7, &err), LEAT_OK);
    interrupted = 2;
    assert_int_equal(leati_file_truncate(fd, path, 5, &err), LEAT_OK);
    interrupted = 2;
    assert_int_equal(leati_file_sync(fd, path, &err), LEAT_OK);
    interrupted = 1;
    assert_int_equal(leati_file_close(fd, path, &err), LEAT_OK);
    assert_int_equal(leati_file_rename(path, in_folder("renamed"), &err), LEAT_OK);
    expect_file(in_folder("renamed"), "abcde");
}

static void file_folders_are_made_once_and_lasting(void **state) {
    (void)state;
    leat_error err = {.text = ""};
    assert_int_equal(leati_file_folders(in_folder("a/b/c/file"), &err), LEAT_OK);
    assert_int_equal(mkdirs, 3);
    assert_int_equal(syncs, 3); /* of the folder above each */
    assert_int_equal(leati_file_folders(in_folder("a/b/c/file"), &err), LEAT_OK);
    assert_int_equal(mkdirs, 3);
    assert_int_equal(access(in_folder("a/b/c"), F_OK), 0);
    assert_int_equal(access(in_folder("a/b/c/file"), F_OK), -1);
    assert_int_equal(leati_file_folders("bare", &err), LEAT_OK);
    assert_int_equal(leati_file_sync_folder("bare", &err), LEAT_OK);
    assert_int_equal(leati_file_sync_folder("/tmp", &err), LEAT_OK);
}

static void expect_failure(leat_status status, const leat_error *err, const char *text) {
    assert_int_equal(status, LEAT_E_IO);
    assert_int_equal(err->status, LEAT_E_IO);
    if (!strstr(err->text, text)) fail_msg("'%s' has no '%s'", err->text, text);
}

static void file_failures_say_what_helps(void **state) {
    (void)state;
    leat_error err = {.text = ""};
    int fd;
    failing = EACCES;
    expect_failure(leati_file_open("/x", O_WRONLY, &fd, &err), &err,
                   "cannot write '/x': Permission denied; let this user write there");
    failing = ENOSPC;
    expect_failure(leati_file_write(0, "/x", "a", 1, &err), &err,
                   "cannot write '/x': No space left on device; make room on that disk");
    failing = EIO;
    expect_failure(leati_file_sync(0, "/x", &err), &err, "cannot write '/x': Input/output error");
    expect_failure(leati_file_truncate(0, "/x", 1, &err), &err, "cannot shorten '/x'");
    expect_failure(leati_file_rename("/x", "/y", &err), &err, "cannot give its final name to '/x'");
    failing = EROFS;
    expect_failure(leati_file_folders(in_folder("new/file"), &err), &err, "cannot make folder '");
    failing = ENAMETOOLONG;
    expect_failure(leati_file_open("/x", O_WRONLY, &fd, &err), &err, "shorten its prefix");
    expect_failure(leati_file_close(-1, "/x", &err), &err, "cannot write '/x'");
}

#define WITH_ODD_FILES(test) \
    cmocka_unit_test_setup_teardown(test, with_odd_files, without_odd_files)

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_ODD_FILES(file_interrupted_calls_and_short_writes_go_on),
        WITH_ODD_FILES(file_folders_are_made_once_and_lasting),
        WITH_ODD_FILES(file_failures_say_what_helps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
