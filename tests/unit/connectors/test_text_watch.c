/* Tests of text_watch.c, and of text_source.c with `monitor`: each file once, when it comes,
   whoever reads it; folders that are empty, missing, or full of hidden files; restores. */
#include "folder.h"

#include "connectors/text_reader.h"
#include "connectors/text_watch.h"
#include "gather.h"

enum { EVERY = 10 };

/* Of one folder, or two. Until the next call. */
static leati_text_watch watch_of(const char *path, const char *other, int reader, int readers) {
    static leati_text_file items[2];
    static leati_text_files roots;
    items[0].path = (char *)(intptr_t)path;
    items[1].path = (char *)(intptr_t)other;
    roots = (leati_text_files){.items = items, .count = other ? 2 : 1};
    leati_text_watch w;
    leati_text_watch_init(&w, &roots, reader, readers);
    return w;
}

/* How many files a look finds, all of which are taken. */
static size_t look(leati_text_watch *w) {
    leati_text_splits splits = {NULL, 0, 0};
    assert_int_equal(leati_text_watch_look(w), LEAT_OK);
    assert_int_equal(leati_text_watch_take(w, &splits), LEAT_OK);
    size_t found = splits.count;
    leati_text_splits_fini(&splits);
    return found;
}

static void watch_finds_each_file_once(void **state) {
    (void)state;
    leati_text_watch w = watch_of(folder, NULL, 0, 1);
    assert_int_equal(look(&w), 0);
    write_file("a", "1\n", 2);
    write_file("b", "2\n", 2);
    assert_int_equal(look(&w), 2);
    write_file("a", "1\n2\n", 4); /* has grown: it was read */
    assert_int_equal(look(&w), 0);
    assert_int_equal(mkdir(in_folder("deep"), 0777), 0);
    write_file("deep/a", "3\n", 2);
    assert_int_equal(look(&w), 1);
    leati_text_watch_fini(&w);
}

static void watch_forgets_what_has_gone(void **state) {
    (void)state;
    leati_text_watch w = watch_of(folder, NULL, 0, 1);
    write_file("a", "1\n", 2);
    write_file("b", "2\n", 2);
    write_file("c", "3\n", 2);
    assert_int_equal(look(&w), 3);
    size_t three = w.seen.size;
    assert_int_equal(unlink(in_folder("b")), 0);
    assert_int_equal(look(&w), 0);
    assert_int_equal(w.seen.size, three / 3 * 2);
    write_file("b", "4\n", 2); /* a new one */
    assert_int_equal(look(&w), 1);
    assert_int_equal(w.seen.size, three);
    assert_int_equal(look(&w), 0);
    for (const char *name = "abc"; *name; name++)
        assert_int_equal(unlink(in_folder((char[2]){*name, 0})), 0);
    assert_int_equal(look(&w), 0);
    assert_int_equal(w.seen.size, 0);
    leati_text_watch_fini(&w);
}

static void watch_keeps_a_name_that_a_list_lacks(void **state) {
    (void)state;
    leati_text_watch w = watch_of(folder, NULL, 0, 1);
    write_file("a", "1\n", 2);
    assert_int_equal(look(&w), 1);
    size_t one = w.seen.size;
    /* Another list, as if the folder had changed while it was read. */
    assert_int_equal(mkdir(in_folder("other"), 0777), 0);
    w.roots->items[0].path = (char *)(intptr_t)in_folder("other");
    assert_int_equal(look(&w), 0);
    assert_int_equal(w.seen.size, one);
    leati_text_watch_fini(&w);
}

static void watch_of_one_folder_twice_finds_its_files_once(void **state) {
    (void)state;
    leati_text_watch w = watch_of(folder, in_folder("deep"), 0, 1);
    assert_int_equal(mkdir(in_folder("deep"), 0777), 0);
    write_file("deep/a", "1\n", 2);
    assert_int_equal(look(&w), 1);
    assert_int_equal(look(&w), 0);
    leati_text_watch_fini(&w);
}

/* Folders and links are looked at, and so is each new file. */
static void watch_of_a_bad_file_is_an_error(void **state) {
    (void)state;
    leati_text_watch w = watch_of(folder, NULL, 0, 1);
    write_file("a.xz", "1\n", 2);
    assert_int_equal(leati_text_watch_look(&w), LEAT_E_UNSUPPORTED);
    assert_non_null(strstr(w.err.text, "only gzip is"));
    leati_text_watch_fini(&w);
    assert_int_equal(unlink(in_folder("a.xz")), 0);
    assert_int_equal(symlink("nowhere", in_folder("link")), 0);
    w = watch_of(folder, NULL, 0, 1);
    assert_int_equal(leati_text_watch_look(&w), LEAT_E_NOT_FOUND);
    leati_text_watch_fini(&w);
}

static void watch_leaves_out_what_is_not_finished(void **state) {
    (void)state;
    leati_text_watch w = watch_of(folder, NULL, 0, 1);
    write_file(".part-0-0.inprogress.7", "1\n", 2);
    write_file("_SUCCESS", "", 0);
    assert_int_equal(look(&w), 0);
    assert_int_equal(rename(in_folder(".part-0-0.inprogress.7"), in_folder("part-0-0")), 0);
    assert_int_equal(look(&w), 1);
    leati_text_watch_fini(&w);
}

static void watch_of_nothing_is_an_error(void **state) {
    (void)state;
    leati_text_watch w = watch_of(in_folder("absent"), NULL, 0, 1);
    assert_int_equal(leati_text_watch_look(&w), LEAT_E_NOT_FOUND);
    assert_non_null(strstr(w.err.text, "absent'"));
    leati_text_watch_fini(&w);
}

static void watchers_share_the_files(void **state) {
    (void)state;
    char name[16];
    leati_text_watch w[3];
    for (int i = 0; i < 50; i++) {
        snprintf(name, sizeof name, "%d", i);
        write_file(name, "1\n", 2);
    }
    size_t found = 0;
    for (int i = 0; i < 3; i++) {
        w[i] = watch_of(folder, NULL, i, 3);
        size_t own = look(&w[i]);
        assert_in_range(own, 1, 40);
        found += own;
    }
    assert_int_equal(found, 50);
    for (int i = 0; i < 3; i++) leati_text_watch_fini(&w[i]);
}

/* --- the source ------------------------------------------------------------------------------- */

static harness *source_of(int subtask, int parallelism) {
    leat_value item = leat_string(folder), list = leat_list(&item, 1);
    leat_arg args[] = {leat_arg_list("paths", &list), leat_arg_int("monitor", EVERY)};
    return harness_new_at(&leat_text_source_operator, args, 2, NULL, subtask, parallelism);
}

/* A file comes as files should. */
static void bring(const char *name, const char *text) {
    write_file(".coming", text, strlen(text));
    assert_int_equal(rename(in_folder(".coming"), in_folder(name)), 0);
}

/* Counts lines, which are numbers, until there are as many in all. */
static void count_until(harness *const *all, int count, int *seen, int lines) {
    static int64_t now;
    for (int patience = 100000; patience > 0; patience--) {
        int got = 0;
        now += EVERY;
        for (int i = 0; i < count; i++) {
            assert_int_equal(harness_clock(all[i], now), LEAT_OK);
            assert_int_equal(harness_poll(all[i]), LEAT_AGAIN);
            const char *line;
            while ((line = harness_next(all[i]))) seen[atoi(line)]++;
        }
        for (int i = 0; i < 100; i++) got += seen[i];
        if (got >= lines) return;
        usleep(100);
    }
    fail_msg("a file was not found");
}

static void expect_once(const int *seen, int lines) {
    for (int i = 0; i < lines; i++)
        if (seen[i] != 1) fail_msg("line %d came %d times", i, seen[i]);
}

static void source_that_watches_gives_what_comes(void **state) {
    int seen[100] = {0};
    bring("a", "0\n1\n");
    harness *h = both_ways(state, source_of(0, 1));
    count_until(&h, 1, seen, 2);
    bring("b", "2\n3");
    count_until(&h, 1, seen, 4);
    bring("c", "4\n");
    bring("d", "");
    bring("e", "5\n");
    count_until(&h, 1, seen, 6);
    expect_once(seen, 6);
    harness_free(h);
}

static void source_that_watches_rescaled_gives_each_line_once(void **state) {
    (void)state;
    static const int parallelisms[] = {1, 2, 3, 1, 3};
    int seen[100] = {0}, lines = 0;
    harness *old[3], *now[3];
    for (int round = 0; round < 5; round++) {
        int count = parallelisms[round];
        for (int i = 0; i < count; i++) now[i] = source_of(i, count);
        if (round) {
            harness_rescale(old, parallelisms[round - 1], now, count);
            for (int i = 0; i < parallelisms[round - 1]; i++) harness_free(old[i]);
        }
        for (int i = 0; i < 4; i++, lines += 3) {
            char name[16], text[32];
            snprintf(name, sizeof name, "f%d", lines);
            snprintf(text, sizeof text, "%d\n%d\n%d\n", lines, lines + 1, lines + 2);
            bring(name, text);
        }
        /* Some files are stopped in the middle. */
        for (int i = 0; i < count; i++) harness_room(now[i], 2);
        count_until(now, count, seen, round + 1);
        memcpy(old, now, sizeof old);
    }
    for (int i = 0; i < 3; i++) harness_room(now[i], -1);
    count_until(now, 3, seen, lines);
    expect_once(seen, lines);
    for (int i = 0; i < 3; i++) harness_free(now[i]);
}

static void file_that_became_shorter_is_named(void **state) {
    (void)state;
    leat_status status;
    bring("a", "0\n1\n2\n3\n");
    harness *h = source_of(0, 1), *next = source_of(0, 1);
    harness_room(h, 2);
    while (harness_poll(h) == LEAT_AGAIN && harness_count(h) < 2) usleep(100);
    harness_rescale(&h, 1, &next, 1);
    bring("a", "0\n");
    while ((status = harness_poll(next)) == LEAT_AGAIN) usleep(100);
    assert_int_equal(status, LEAT_E_IO);
    assert_non_null(strstr(harness_failure(next), "has changed: reading goes on at byte 4, and it "
                                                  "has 2; put the old file back"));
    harness_free(h);
    harness_free(next);
}

/* Nobody needs the file again, whether or not the source has looked for more. */
static void file_may_go_when_its_lines_were_given(void **state) {
    (void)state;
    bring("a", "0\n1\n");
    harness *h = source_of(0, 1), *next = source_of(0, 1);
    harness_room(h, 2);
    while (harness_poll(h) == LEAT_AGAIN && harness_count(h) < 2) usleep(100);
    assert_int_equal(harness_count(h), 2);
    harness_rescale(&h, 1, &next, 1);
    assert_int_equal(unlink(in_folder("a")), 0);
    bring("b", "2\n");
    int seen[100] = {1, 1};
    count_until(&next, 1, seen, 3);
    expect_once(seen, 3);
    harness_free(h);
    harness_free(next);
}

static void interval_below_zero_is_refused(void **state) {
    (void)state;
    leat_value item = leat_string(folder), list = leat_list(&item, 1);
    leat_arg args[] = {leat_arg_list("paths", &list), leat_arg_int("monitor", -1)};
    harness *h = harness_new(&leat_text_source_operator, args, 2, NULL);
    assert_int_equal(harness_poll(h), LEAT_E_ARGUMENT);
    harness_free(h);
}

/* What comes and goes leaves nothing behind, neither in memory nor in what a snapshot has. */
static void files_that_come_and_go_leave_nothing(void **state) {
    (void)state;
    enum { ROUNDS = 20, FILES = 50 };
    char name[32];
    leati_text_watch w = watch_of(folder, NULL, 0, 1);
    leati_text_reader reader = {.fd = -1};
    size_t most = 0;
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < FILES; i++) {
            snprintf(name, sizeof name, "%06d", round * FILES + i);
            int fd = open(in_folder(name), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
            assert_true(fd >= 0);
            close(fd);
        }
        assert_int_equal(leati_text_watch_look(&w), LEAT_OK);
        leati_text_reader_forget(&reader);
        assert_int_equal(leati_text_watch_take(&w, &reader.splits), LEAT_OK);
        assert_int_equal(reader.splits.count, FILES);
        reader.current = FILES;
        if (round == 1) most = w.seen.size;
        if (round > 0) assert_int_equal(w.seen.size, most);
        for (int i = 0; i < FILES && round > 0; i++) {
            snprintf(name, sizeof name, "%06d", (round - 1) * FILES + i);
            assert_int_equal(unlink(in_folder(name)), 0);
        }
    }
    assert_true(w.seen.room < 8 * most);
    leati_text_reader_fini(&reader);
    leati_text_watch_fini(&w);
}

static void watched_folder_in_a_job_gives_lines_until_it_is_cancelled(void **state) {
    (void)state;
    gathered g;
    leat_error err;
    gathered_init(&g);
    leat_env *env = env_of(2, 4);
    leat_stream_sink(leat_env_watch_text_files(env, folder, 1), gathered_sink(&g));
    leat_job *job = leat_env_start(env, "watch", &err);
    assert_non_null(job);
    bring("a", "0\n1\n");
    gathered_await(&g, 2);
    bring("b", "2\n");
    gathered_await(&g, 3);
    assert_int_equal(leat_job_wait(job, 0), LEAT_AGAIN);
    leat_job_cancel(job);
    assert_int_equal(leat_job_wait(job, -1), LEAT_OK);
    assert_int_equal(g.count, 3);
    leat_job_free(job);
    assert_int_equal(leat_env_set(env, "execution.runtime-mode", "BATCH", &err), LEAT_OK);
    leat_stream_sink(leat_env_watch_text_files(env, folder, 1), gathered_sink(&g));
    assert_true(leat_env_execute(env, "watch", &err) < 0); /* it has no end */
    leat_env_free(env);
    gathered_fini(&g);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_FOLDER(watch_finds_each_file_once),
        WITH_FOLDER(watch_forgets_what_has_gone),
        WITH_FOLDER(watch_keeps_a_name_that_a_list_lacks),
        WITH_FOLDER(watch_of_one_folder_twice_finds_its_files_once),
        WITH_FOLDER(watch_of_a_bad_file_is_an_error),
        WITH_FOLDER(watch_leaves_out_what_is_not_finished),
        WITH_FOLDER(watch_of_nothing_is_an_error),
        WITH_FOLDER(watchers_share_the_files),
        WITH_FOLDER_BOTH_WAYS(source_that_watches_gives_what_comes),
        WITH_FOLDER(source_that_watches_rescaled_gives_each_line_once),
        WITH_FOLDER(file_that_became_shorter_is_named),
        WITH_FOLDER(file_may_go_when_its_lines_were_given),
        WITH_FOLDER(interval_below_zero_is_refused),
        WITH_FOLDER(files_that_come_and_go_leave_nothing),
        WITH_FOLDER(watched_folder_in_a_job_gives_lines_until_it_is_cancelled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
