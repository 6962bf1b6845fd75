/* Tests of checkpoint.c, integrity.c and vault.c: names of folders, lists, publishing, removal,
   what makes a checkpoint one that nobody may start from, and files that cannot be written. */
#include "folder.h"

#include <errno.h>
#include <string.h>

#include "runtime/base/alloc.h"
#include "runtime/base/files.h"
#include "runtime/job/job_folder.h"
#include "runtime/job/vault.h"

#include "runtime/base/io_thread.h"

static void expect_job_folder(const char *name, const char *folder_name) {
    char *got = leati_cp_job_folder("/d", name);
    assert_string_equal(got, folder_name);
    leati_free(got);
}

static void job_names_become_names_of_folders(void **state) {
    (void)state;
    expect_job_folder("word-count_2", "/d/word-count_2");
    expect_job_folder("a b/c", "/d/a%20b%2Fc");
    expect_job_folder("..", "/d/%2E.");
    expect_job_folder("v1.2", "/d/v1.2");
    expect_job_folder("100%", "/d/100%25");
    expect_job_folder("\xc3\xa4", "/d/%C3%A4");
    expect_job_folder("", "/d/%");
}

static void make(const char *name) {
    assert_int_equal(mkdir(in_folder(name), 0700), 0);
}

static void list_has_what_is_complete(void **state) {
    (void)state;
    leat_error err;
    int64_t *numbers, highest;
    const char *const names[] = {
        "chk-3",  "chk-20", "chk-21.part", "chk-007", "chk-0",
        "chk-5x", "chk-",   "xchk-9",      "chk--4",  "chk-99999999999999999999"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) make(names[i]);
    assert_int_equal(leati_cp_list(folder, &numbers, &highest, &err), 2);
    assert_true(numbers[0] == 20 && numbers[1] == 3 && highest == 21);
    leati_free(numbers);
    assert_int_equal(leati_cp_list(in_folder("none"), &numbers, &highest, &err), 0);
    write_file("plain", "x", 1);
    assert_int_equal(leati_cp_list(in_folder("plain"), &numbers, &highest, &err), -1);
    assert_int_equal(err.status, LEAT_E_IO);
}

static void parts_are_removed_but_for_the_newest(void **state) {
    (void)state;
    make("chk-1.part");
    make("chk-2");
    make("chk-3.part");
    make("chk-4.part");
    write_file("chk-1.part/task-0", "x", 1);
    leati_cp_remove_parts(folder, false);
    assert_int_not_equal(access(in_folder("chk-1.part"), F_OK), 0);
    assert_int_not_equal(access(in_folder("chk-3.part"), F_OK), 0);
    assert_int_equal(access(in_folder("chk-2"), F_OK), 0);
    assert_int_equal(access(in_folder("chk-4.part"), F_OK), 0);
    leati_cp_remove_parts(folder, true);
    assert_int_not_equal(access(in_folder("chk-4.part"), F_OK), 0);
}

static void removal_follows_no_link(void **state) {
    (void)state;
    make("precious");
    write_file("precious/thing", "x", 1);
    assert_int_equal(symlink(in_folder("precious"), in_folder("chk-1")), 0);
    leati_cp_remove(in_folder("chk-1"));
    leati_cp_discard(folder, 1);
    assert_int_equal(access(in_folder("precious/thing"), F_OK), 0);
}

static void folders_are_made_with_those_above(void **state) {
    (void)state;
    leat_error err;
    assert_int_equal(leati_cp_make_lasting(in_folder("a/b/c"), &err), LEAT_OK);
    assert_int_equal(leati_cp_make_lasting(in_folder("a/b/c"), &err), LEAT_OK);
    assert_int_equal(leati_cp_make(in_folder("a/d"), &err), LEAT_OK);
    write_file("a/file", "x", 1);
    assert_int_equal(leati_cp_make(in_folder("a/file"), &err), LEAT_E_IO);
    assert_int_equal(leati_cp_make(in_folder("a/file/x"), &err), LEAT_E_IO);
    assert_non_null(strstr(err.where, "a/file"));
}

/* --- the folder of a job ---------------------------------------------------------------------- */

static leat_status lock_foreign(leati_job_folder *f, const char *job_id, bool foreign,
                                leat_error *err) {
    leati_config *config = leati_config_new();
    assert_non_null(config);
    const char *key = "execution.state-recovery.allow-other-owner";
    leati_config_set(config, key, foreign ? "true" : "false", LEATI_CONFIG_PROGRAM, err);
    assert_int_equal(
        leati_config_set(config, "execution.checkpointing.dir", folder, LEATI_CONFIG_PROGRAM, err),
        LEAT_OK);
    leat_status status = leati_job_folder_init(f, config, "a job", job_id, err);
    leati_config_free(config);
    return status;
}

static leat_status lock(leati_job_folder *f, const char *job_id, leat_error *err) {
    return lock_foreign(f, job_id, false, err);
}

static void folder_of_another_user_is_refused_unless_told(void **state) {
    (void)state;
    leat_error err;
    leati_job_folder f;
    if (geteuid() != 0) skip(); /* only root gives folders away */
    assert_int_equal(lock(&f, "0123", &err), LEAT_OK);
    leati_job_folder_fini(&f);
    assert_int_equal(chown(in_folder("a%20job"), 12345, (gid_t)-1), 0);
    assert_int_equal(lock(&f, "0123", &err), LEAT_E_STATE);
    assert_non_null(strstr(err.text, "the folder belongs to another user (12345, "));
    leati_job_folder_fini(&f);
    assert_int_equal(lock_foreign(&f, "0123", true, &err), LEAT_OK);
    leati_job_folder_fini(&f);
}

static void folder_of_a_living_job_is_refused(void **state) {
    (void)state;
    leat_error err;
    leati_job_folder first, second;
    char pid[40];
    assert_int_equal(lock(&first, "0123", &err), LEAT_OK);
    assert_string_equal(first.path, in_folder("a%20job"));
    assert_int_equal(lock(&second, "4567", &err), LEAT_E_STATE); /* this process has it */
    snprintf(pid, sizeof pid, "in use by process %d (job 0123)", (int)getpid());
    assert_non_null(strstr(err.text, pid));
    leati_job_folder_fini(&second);
    leati_job_folder_fini(&first);
    assert_int_equal(lock(&second, "4567", &err), LEAT_OK);
    leati_job_folder_fini(&second);
}

/* --- a whole one ------------------------------------------------------------------------------ */

static void on_saved(void *arg, const leati_saved *saved) {
    leati_cp_seal *seals = arg;
    if (saved->status < 0) print_message("%s\n", saved->why);
    seals[saved->task] = (leati_cp_seal){saved->status < 0 ? 0 : saved->size, saved->crc};
}

static void save(leati_vault *v, int task, int64_t number, const char *text) {
    leati_saver saver = leati_vault_saver(v);
    leati_row op = {.kind = LEATI_ROW_OPERATOR,
                    .name = "a",
                    .text = "A",
                    .subtask = task,
                    .parallelism = 2,
                    .max_parallelism = 8};
    leati_row item = {.kind = LEATI_ROW_ITEM, .name = "i"};
    leati_chunk c = {0};
    leati_chunk_add(&c, &op, NULL, 0);
    assert_int_equal(saver.take(saver.arg, task, number, &c, false), LEAT_OK);
    leati_chunk_add(&c, &item, text, strlen(text));
    assert_int_equal(saver.take(saver.arg, task, number, &c, true), LEAT_OK);
}

static char id[] = "a", name[] = "A", first_name[] = "task-0", second_name[] = "task-1";
static leati_cp_operator ops[1] = {{id, name, false}};
static leati_cp_file files[2];

static leati_manifest describe(const leati_cp_seal *seals) {
    files[0] = (leati_cp_file){first_name, seals[0].size, 0, 2, ops, 1, true, seals[0].crc};
    files[1] = (leati_cp_file){second_name, seals[1].size, 1, 2, ops, 1, true, seals[1].crc};
    return (leati_manifest){
        .job_name = name, .job_id = id, .number = 1, .files = files, .file_count = 2};
}

/* chk-1 in the folder, complete. */
static void make_checkpoint(const char *to) {
    leat_error err;
    leati_cp_seal seals[2] = {0};
    leati_vault_news news = {on_saved, seals};
    char *part = leati_cp_part(folder, 1);
    assert_int_equal(leati_cp_make(part, &err), LEAT_OK);
    leati_vault *v = leati_vault_new(folder, false, &news);
    save(v, 0, 1, "first");
    save(v, 1, 1, "other");
    assert_true(leati_io_settle(10000));
    leati_vault_free(v);
    assert_true(seals[0].size && seals[1].size == seals[0].size);
    leati_manifest m = describe(seals);
    if (leati_cp_publish(part, to, &m, &err) < 0) fail_msg("%s: %s", err.where, err.text);
    assert_int_not_equal(access(part, F_OK), 0);
    leati_free(part);
}

static leat_status verify(const char *path, bool foreign, leat_error *err) {
    leati_manifest m;
    *err = (leat_error){.text = ""};
    leat_status status = leati_manifest_read(path, &m, err);
    if (status >= 0) status = leati_cp_verify(path, &m, foreign, NULL, err);
    if (status >= 0) assert_true(m.files[0].operators[0].remembers);
    leati_manifest_fini(&m);
    return status;
}

static void expect_flaw(leat_status status, const char *file, const char *what) {
    leat_error err;
    assert_int_equal(verify(in_folder("chk-1"), false, &err), status);
    if (!strstr(err.where, file) || !strstr(err.text, what))
        fail_msg("%s: %s", err.where, err.text);
}

static void published_one_is_whole(void **state) {
    (void)state;
    leat_error err;
    make_checkpoint(in_folder("chk-1"));
    assert_int_equal(verify(in_folder("chk-1"), false, &err), LEAT_OK);
}

/* /dev/shm is another file system than /tmp here and there; where it is not, a rename does it. */
static void published_on_another_file_system_is_whole(void **state) {
    (void)state;
    leat_error err;
    char other[] = "/dev/shm/leat-test-XXXXXX", to[64];
    assert_non_null(mkdtemp(other));
    snprintf(to, sizeof to, "%s/chk-1", other);
    make_checkpoint(to);
    assert_int_equal(verify(to, false, &err), LEAT_OK);
    char *part = leati_format("%s.part", to);
    assert_int_not_equal(access(part, F_OK), 0);
    leati_free(part);
    leati_cp_remove(to);
    assert_int_equal(rmdir(other), 0);
}

static int syncs_left;

static int fail_sync(int fd) {
    if (syncs_left-- > 0) return fsync(fd);
    errno = EIO;
    return -1;
}

/* A job goes on without a checkpoint that it could not make last: its name may not stay, or the
   next run would start from there. */
static void name_that_may_not_last_is_taken_back(void **state) {
    (void)state;
    leat_error err;
    leati_cp_seal seals[2] = {0};
    char *part = leati_cp_part(folder, 1), *to = leati_cp_folder(folder, 1);
    leati_files files_of_test = *leati_files_get();
    files_of_test.fsync = fail_sync;
    leati_manifest m = describe(seals);
    leati_files_set(&files_of_test);
    for (int i = 0; i < 3; i++) { /* the manifest, its folder, the one above */
        assert_int_equal(leati_cp_make(part, &err), LEAT_OK);
        syncs_left = i;
        assert_int_equal(leati_cp_publish(part, to, &m, &err), LEAT_E_IO);
        assert_int_equal(access(part, F_OK), 0);
        assert_int_not_equal(access(to, F_OK), 0);
    }
    leati_files_set(NULL);
    leati_free(part);
    leati_free(to);
}

static void finished_one_is_whole_and_says_so(void **state) {
    (void)state;
    leat_error err;
    leati_manifest m;
    make_checkpoint(in_folder("chk-1"));
    write_file("chk-1/._metadata", "torn", 4); /* of a run that was killed while it wrote */
    assert_int_equal(verify(in_folder("chk-1"), false, &err), LEAT_OK);
    assert_int_equal(leati_cp_finish(in_folder("chk-1"), &err), LEAT_OK);
    assert_int_equal(verify(in_folder("chk-1"), false, &err), LEAT_OK);
    assert_int_equal(leati_manifest_read(in_folder("chk-1"), &m, &err), LEAT_OK);
    assert_int_equal(m.flags, LEATI_CP_FINISHED);
    assert_int_equal(m.file_count, 2);
    leati_manifest_fini(&m);
    assert_int_equal(leati_cp_finish(in_folder("chk-2"), &err), LEAT_E_NOT_FOUND);
}

static void missing_file_is_named(void **state) {
    (void)state;
    make_checkpoint(in_folder("chk-1"));
    unlink(in_folder("chk-1/task-1"));
    expect_flaw(LEAT_E_NOT_FOUND, "chk-1/task-1", "it is missing");
    unlink(in_folder("chk-1/_metadata"));
    expect_flaw(LEAT_E_NOT_FOUND, "chk-1", "it has no file '_metadata'");
}

static void swapped_files_are_named(void **state) {
    (void)state;
    make_checkpoint(in_folder("chk-1"));
    rename(in_folder("chk-1/task-0"), in_folder("x"));
    rename(in_folder("chk-1/task-1"), in_folder("chk-1/task-0"));
    rename(in_folder("x"), in_folder("chk-1/task-1"));
    expect_flaw(LEAT_E_FORMAT, "chk-1/task-0", "it is not the file that _metadata says it is");
}

static void file_of_another_checkpoint_is_named(void **state) {
    (void)state;
    leat_error err;
    leati_cp_seal seals[2] = {0};
    leati_vault_news news = {on_saved, seals};
    make_checkpoint(in_folder("chk-1"));
    assert_int_equal(leati_cp_make(in_folder("chk-2.part"), &err), LEAT_OK);
    leati_vault *v = leati_vault_new(folder, false, &news);
    save(v, 0, 2, "later"); /* as long as "first" */
    assert_true(leati_io_settle(10000));
    leati_vault_free(v);
    rename(in_folder("chk-2.part/task-0"), in_folder("chk-1/task-0"));
    expect_flaw(LEAT_E_FORMAT, "chk-1/task-0", "it is not the file that _metadata says it is");
}

static void file_of_another_size_is_named(void **state) {
    (void)state;
    make_checkpoint(in_folder("chk-1"));
    assert_int_equal(truncate(in_folder("chk-1/task-1"), 50), 0);
    expect_flaw(LEAT_E_FORMAT, "chk-1/task-1", "it has 50 bytes, and should have ");
}

static void stranger_in_the_folder_is_named(void **state) {
    (void)state;
    leat_error err;
    make_checkpoint(in_folder("chk-1"));
    write_file("chk-1/.nfs0001", "x", 1);
    assert_int_equal(verify(in_folder("chk-1"), false, &err), LEAT_OK);
    write_file("chk-1/task-9", "x", 1);
    expect_flaw(LEAT_E_FORMAT, "chk-1/task-9", "no part of this checkpoint");
}

static void links_and_folders_are_refused(void **state) {
    (void)state;
    make_checkpoint(in_folder("chk-1"));
    rename(in_folder("chk-1/task-0"), in_folder("elsewhere"));
    assert_int_equal(symlink(in_folder("elsewhere"), in_folder("chk-1/task-0")), 0);
    expect_flaw(LEAT_E_FORMAT, "chk-1/task-0", "it is a symbolic link");
    unlink(in_folder("chk-1/task-0"));
    make("chk-1/task-0");
    expect_flaw(LEAT_E_FORMAT, "chk-1/task-0", "it is a folder");
    rmdir(in_folder("chk-1/task-0"));
    assert_int_equal(mkfifo(in_folder("chk-1/task-0"), 0600), 0);
    expect_flaw(LEAT_E_FORMAT, "chk-1/task-0", "it is a special file");
}

static void flipped_bit_is_named(void **state) {
    (void)state;
    make_checkpoint(in_folder("chk-1"));
    int fd = open(in_folder("chk-1/task-1"), O_RDWR);
    assert_int_equal(pwrite(fd, "X", 1, 17), 1);
    close(fd);
    expect_flaw(LEAT_E_FORMAT, "chk-1/task-1", "its bytes 16 to 21 are damaged");
}

static void other_owners_are_refused_unless_told(void **state) {
    (void)state;
    leat_error err;
    if (geteuid() != 0) skip(); /* only root gives files away */
    make_checkpoint(in_folder("chk-1"));
    assert_int_equal(chown(in_folder("chk-1/task-0"), 12345, (gid_t)-1), 0);
    expect_flaw(LEAT_E_FORMAT, "chk-1/task-0", "it belongs to another user (12345,");
    assert_int_equal(verify(in_folder("chk-1"), true, &err), LEAT_OK);
}

/* --- the vault -------------------------------------------------------------------------------- */

typedef struct heard {
    int count;
    leat_status status;
    int64_t checkpoint;
    char why[400];
} heard;

static void hear(void *arg, const leati_saved *saved) {
    heard *h = arg;
    h->count++;
    h->status = saved->status;
    h->checkpoint = saved->checkpoint;
    snprintf(h->why, sizeof h->why, "%s", saved->why);
}

static void vault_without_a_folder_says_why(void **state) {
    (void)state;
    heard h = {0};
    leati_vault_news news = {hear, &h};
    leati_vault *v = leati_vault_new(in_folder("none"), false, &news);
    save(v, 0, 1, "x");
    assert_true(leati_io_settle(10000));
    assert_int_equal(h.count, 1);
    assert_int_equal(h.status, LEAT_E_IO);
    assert_non_null(strstr(h.why, "none/chk-1.part/task-0': No such file"));
    leati_vault_free(v);
}

static void vault_on_a_full_disk_says_why(void **state) {
    (void)state;
    heard h = {0};
    leati_vault_news news = {hear, &h};
    make("chk-1.part");
    assert_int_equal(symlink("/dev/full", in_folder("chk-1.part/task-0")), 0);
    leati_vault *v = leati_vault_new(folder, false, &news);
    save(v, 0, 1, "x");
    assert_true(leati_io_settle(10000));
    assert_int_equal(h.count, 1);
    assert_int_equal(h.status, LEAT_E_IO);
    assert_non_null(strstr(h.why, "task-0': No space left"));
    leati_vault_free(v);
}

/* What the first chunk of another checkpoint meets is given up, and nothing of it gets into the
   other's file. */
static void vault_gives_up_what_another_one_overtakes(void **state) {
    (void)state;
    heard h = {0};
    leat_error err;
    leati_vault_news news = {hear, &h};
    make("chk-1.part");
    make("chk-2.part");
    leati_vault *v = leati_vault_new(folder, false, &news);
    leati_saver saver = leati_vault_saver(v);
    leati_row op = {.kind = LEATI_ROW_OPERATOR,
                    .name = "old",
                    .text = "",
                    .parallelism = 1,
                    .max_parallelism = 1};
    leati_chunk c = {0};
    leati_chunk_add(&c, &op, NULL, 0);
    assert_int_equal(saver.take(saver.arg, 0, 1, &c, false), LEAT_OK);
    save(v, 0, 2, "x");
    assert_true(leati_io_settle(10000));
    assert_int_equal(h.count, 1);
    assert_true(h.status == LEAT_OK && h.checkpoint == 2);
    leati_store *s = leati_store_open(in_folder("chk-2.part/task-0"), &err);
    const leati_row *rows;
    assert_int_equal(leati_store_rows(s, &rows), 2);
    assert_string_equal(rows[0].name, "a");
    leati_store_free(s);
    leati_vault_free(v);
}

static void vault_tells_nothing_after_its_end(void **state) {
    (void)state;
    heard h = {0};
    leati_vault_news news = {hear, &h};
    make("chk-1.part");
    leati_vault *v = leati_vault_new(folder, false, &news);
    leati_saver saver = leati_vault_saver(v);
    leati_chunk c = {0};
    assert_int_equal(saver.take(saver.arg, 3, 1, &c, false), LEAT_OK);
    leati_vault_free(v);
    assert_true(leati_io_settle(10000));
    assert_int_equal(h.count, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(job_names_become_names_of_folders),
        WITH_FOLDER(list_has_what_is_complete),
        WITH_FOLDER(parts_are_removed_but_for_the_newest),
        WITH_FOLDER(removal_follows_no_link),
        WITH_FOLDER(folders_are_made_with_those_above),
        WITH_FOLDER(folder_of_another_user_is_refused_unless_told),
        WITH_FOLDER(folder_of_a_living_job_is_refused),
        WITH_FOLDER(published_one_is_whole),
        WITH_FOLDER(published_on_another_file_system_is_whole),
        WITH_FOLDER(name_that_may_not_last_is_taken_back),
        WITH_FOLDER(finished_one_is_whole_and_says_so),
        WITH_FOLDER(missing_file_is_named),
        WITH_FOLDER(swapped_files_are_named),
        WITH_FOLDER(file_of_another_checkpoint_is_named),
        WITH_FOLDER(file_of_another_size_is_named),
        WITH_FOLDER(stranger_in_the_folder_is_named),
        WITH_FOLDER(links_and_folders_are_refused),
        WITH_FOLDER(flipped_bit_is_named),
        WITH_FOLDER(other_owners_are_refused_unless_told),
        WITH_FOLDER(vault_without_a_folder_says_why),
        WITH_FOLDER(vault_on_a_full_disk_says_why),
        WITH_FOLDER(vault_gives_up_what_another_one_overtakes),
        WITH_FOLDER(vault_tells_nothing_after_its_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
