/* Tests of text_split.c: which files of a folder, in which order; every byte of every file in
   exactly one range; clear errors. */
#include "connectors/text_split.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[64];

static void make(const char *name, size_t size) {
    char path[160];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    int fd = open(path, O_CREAT | O_WRONLY, 0666);
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, (off_t)size), 0);
    close(fd);
}

static void make_folder(const char *name) {
    char path[160];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_int_equal(mkdir(path, 0777), 0);
}

static int set_up(void **state) {
    (void)state;
    strcpy(folder, "/tmp/leat-split-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int tear_down(void **state) {
    (void)state;
    char command[160];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

static void files_of_a_folder_are_sorted_and_hidden_ones_skipped(void **state) {
    (void)state;
    make_folder("b");
    make_folder("_logs");
    make_folder(".git");
    make_folder("empty");
    make("c.txt", 3);
    make("a.txt", 1);
    make("b/x.gz", 9);
    make("_SUCCESS", 1);
    make(".c.crc", 1);
    make("_logs/n", 1);
    make(".git/n", 1);
    static const char *const names[] = {"a.txt", "b/x.gz", "c.txt"};
    leati_text_files files = {.names_only = false};
    leat_error err;
    assert_int_equal(leati_text_files_add(&files, folder, &err), LEAT_OK);
    assert_int_equal(files.count, 3);
    for (size_t i = 0; i < 3; i++)
        assert_string_equal(files.items[i].path + strlen(folder) + 1, names[i]);
    assert_true(files.items[1].gzip);
    assert_int_equal(files.items[2].size, 3);
    leati_text_files_fini(&files);
}

static void files_by_uri_are_found(void **state) {
    (void)state;
    make("a.txt", 1);
    char uri[200];
    snprintf(uri, sizeof uri, "file://%s/a.txt", folder);
    leati_text_files files = {.names_only = false};
    leat_error err;
    assert_int_equal(leati_text_files_add(&files, uri, &err), LEAT_OK);
    assert_int_equal(files.count, 1);
    leati_text_files_fini(&files);
}

static void assert_refused(const char *name, leat_status status, const char *before,
                           const char *after) {
    leati_text_files files = {.names_only = false};
    leat_error err;
    char path[160], want[400];
    snprintf(path, sizeof path, "%s%s", folder, name);
    snprintf(want, sizeof want, "%s'%s'%s", before, path, after);
    assert_int_equal(leati_text_files_add(&files, path, &err), status);
    assert_string_equal(err.text, want);
    leati_text_files_fini(&files);
}

static void files_that_cannot_be_read_are_refused(void **state) {
    (void)state;
    make("x.bz2", 1);
    char fifo[160];
    snprintf(fifo, sizeof fifo, "%s/fifo", folder);
    assert_int_equal(mkfifo(fifo, 0666), 0);
    make_folder("only");
    make("only/_hidden", 1);
    make("secret", 1);
    assert_refused("/none", LEAT_E_NOT_FOUND, "cannot open ", ": No such file or directory");
    assert_refused("/x.bz2", LEAT_E_UNSUPPORTED, "",
                   " is compressed in a way that is not read; only gzip is");
    assert_refused("/fifo", LEAT_E_UNSUPPORTED, "", " is neither a file nor a folder");
    assert_refused("/only", LEAT_E_NOT_FOUND, "the folder ",
                   " has no files; names that begin with '.' or '_' are skipped");
    if (geteuid() == 0) return; /* root reads everything */
    char secret[160];
    snprintf(secret, sizeof secret, "%s/secret", folder);
    assert_int_equal(chmod(secret, 0), 0);
    assert_refused("/secret", LEAT_E_IO, "cannot read ", ": Permission denied");
}

/* Puts the shares of all readers together again. */
static void assert_covers(const leati_text_files *files, int readers) {
    for (size_t f = 0; f < files->count; f++) {
        uint64_t next = 0;
        for (int round = 0; next != UINT64_MAX; round++) {
            assert_true(round < 1000);
            uint64_t before = next;
            for (int r = 0; r < readers; r++) {
                leati_text_splits splits = {NULL, 0, 0};
                assert_int_equal(leati_text_splits_share(&splits, files, r, readers), LEAT_OK);
                for (size_t i = 0; i < splits.count; i++) {
                    const leati_text_split *s = &splits.items[i];
                    if (strcmp(s->path, files->items[f].path) != 0) continue;
                    if ((s->aligned ? s->start : s->start + 1) == before) next = s->end;
                }
                leati_text_splits_fini(&splits);
            }
            assert_true(next > before);
        }
    }
}

static void splits_of_any_number_of_readers_cover_all(void **state) {
    (void)state;
    char names[4][20] = {"/a", "/b", "/c.gz", "/d"};
    leati_text_file items[4] = {
        {names[0], 0, false},
        {names[1], 100, false},
        {names[2], UINT64_C(1) << 40, true},
        {names[3], UINT64_C(100) << 20, false},
    };
    leati_text_files files = {.items = items, .count = 4, .room = 4};
    for (int readers = 1; readers < 6; readers++) assert_covers(&files, readers);
}

static void splits_of_a_large_file_are_dealt_out_evenly(void **state) {
    (void)state;
    char name[] = "/d";
    leati_text_file item = {name, UINT64_C(64) << 20, false};
    leati_text_files files = {.items = &item, .count = 1, .room = 1};
    for (int r = 0; r < 4; r++) {
        leati_text_splits splits = {NULL, 0, 0};
        assert_int_equal(leati_text_splits_share(&splits, &files, r, 4), LEAT_OK);
        assert_int_equal(splits.count, 2);
        leati_text_splits_fini(&splits);
    }
}

#define WITH_FOLDER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_FOLDER(files_of_a_folder_are_sorted_and_hidden_ones_skipped),
        WITH_FOLDER(files_by_uri_are_found),
        WITH_FOLDER(files_that_cannot_be_read_are_refused),
        cmocka_unit_test(splits_of_any_number_of_readers_cover_all),
        cmocka_unit_test(splits_of_a_large_file_are_dealt_out_evenly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
