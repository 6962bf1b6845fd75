/* Tests of file_sink.c and part_file.c: names, policies, folders and charsets; and with seeded runs
   that crash between any two steps, or whose file calls fail, that every line is there once. */
#include "folder.h"

#include <dirent.h>
#include <errno.h>
#include <stdatomic.h>
#include <unistd.h>

#include "runtime/base/alloc.h"
#include "runtime/base/buf.h"
#include "runtime/base/files.h"
#include "runtime/base/io_thread.h"
#include "runtime/flow/chain.h"

/* --- driving ---------------------------------------------------------------------------------- */

static harness *sink_of(const leat_arg *more, size_t count) {
    leat_arg args[12] = {leat_arg_string("path", folder)};
    for (size_t i = 0; i < count; i++) args[i + 1] = more[i];
    return harness_new(&leat_file_sink_operator, args, count + 1, NULL);
}

static leat_status settled(harness *h, leat_status status) {
    while (status == LEAT_AGAIN) status = harness_wait(h);
    return status;
}

static leat_status push_line(harness *h, const char *text) {
    leat_value v = leat_string(text);
    return settled(h, harness_push(h, 0, &v, LEAT_NO_TIME));
}

static leat_status barrier(harness *h, int64_t checkpoint) {
    return settled(h, harness_barrier(h, checkpoint));
}

static void push_lines(harness *h, const char *const *lines) {
    for (; *lines; lines++) assert_int_equal(push_line(h, *lines), LEAT_OK);
}
#define PUSH(h, ...) push_lines(h, (const char *const[]){__VA_ARGS__, NULL})

static leat_status finish(harness *h) {
    leat_status status = settled(h, harness_end(h, 0));
    return status < 0 ? status : harness_finish(h);
}

/* --- looking ---------------------------------------------------------------------------------- */

enum { MOST_LINES = 4096, LINE = 64 };

typedef struct sight {
    int visible, hidden; /* files */
    int count;
    char lines[MOST_LINES][LINE]; /* of visible files, sorted */
} sight;

static void look_at_file(sight *s, const char *path) {
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    while (s->count < MOST_LINES && fgets(s->lines[s->count], LINE, f)) {
        char *end = strchr(s->lines[s->count], '\n');
        assert_non_null(end); /* lines are whole */
        *end = 0;
        s->count++;
    }
    fclose(f);
}

static void look_below(sight *s, const char *path) {
    DIR *d = opendir(path);
    assert_non_null(d);
    for (const struct dirent *e; (e = readdir(d));) {
        char below[512];
        struct stat info;
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0) continue;
        snprintf(below, sizeof below, "%s/%s", path, e->d_name);
        assert_int_equal(stat(below, &info), 0);
        if (S_ISDIR(info.st_mode)) {
            look_below(s, below);
        } else if (e->d_name[0] == '.') {
            s->hidden++;
        } else {
            s->visible++;
            look_at_file(s, below);
        }
    }
    closedir(d);
}

static int by_text(const void *a, const void *b) {
    return strcmp(a, b);
}

/* Lent until the next call. */
static const sight *look(void) {
    static sight s;
    memset(&s, 0, sizeof s);
    assert_true(leati_io_settle(10000));
    look_below(&s, folder);
    qsort(s.lines, (size_t)s.count, LINE, by_text);
    return &s;
}

/* So many visible and hidden files, and these lines in the former, sorted. */
static void expect_files(int visible, int hidden, const char *lines) {
    const sight *s = look();
    char got[1024] = "";
    size_t at = 0;
    for (int i = 0; i < s->count; i++)
        at += (size_t)snprintf(got + at, sizeof got - at, "%s%s", i ? " " : "", s->lines[i]);
    assert_string_equal(got, lines);
    assert_int_equal(s->visible, visible);
    assert_int_equal(s->hidden, hidden);
}

/* --- names and policies ----------------------------------------------------------------------- */

static void sink_without_checkpoints_gives_names_at_the_end(void **state) {
    leat_arg suffix = leat_arg_string("suffix", ".txt");
    harness *h = both_ways(state, sink_of(&suffix, 1));
    PUSH(h, "one", "two");
    assert_string_equal(only_file(folder, "part-"), "");
    assert_int_equal(finish(h), LEAT_OK);
    const char *part = only_file(folder, "part-");
    assert_string_equal(part + strlen(part) - 6, "-0.txt");
    assert_int_equal(strlen(part), strlen(folder) + strlen("/part--0.txt") + 36);
    expect_file(part, "one\ntwo\n");
    expect_files(1, 0, "one two");
    harness_free(h);
}

static void sink_without_records_makes_no_file(void **state) {
    (void)state;
    harness *h = sink_of(NULL, 0);
    assert_int_equal(barrier(h, 1), LEAT_OK);
    assert_int_equal(harness_complete(h, 1), LEAT_OK);
    assert_int_equal(finish(h), LEAT_OK);
    expect_files(0, 0, "");
    harness_free(h);
}

static void failed_sink_leaves_hidden_files_only(void **state) {
    (void)state;
    harness *h = sink_of(NULL, 0);
    PUSH(h, "one");
    assert_int_equal(barrier(h, 1), LEAT_OK);
    harness_free(h);
    expect_files(0, 1, "");
}

static void policy_on_checkpoint_publishes_with_each(void **state) {
    (void)state;
    leat_arg rolls = leat_arg_int("roll_on_checkpoint", 1);
    harness *h = sink_of(&rolls, 1);
    PUSH(h, "a", "b");
    assert_int_equal(barrier(h, 1), LEAT_OK);
    PUSH(h, "c");
    assert_int_equal(barrier(h, 2), LEAT_OK);
    PUSH(h, "d");
    expect_files(0, 2, "");
    assert_int_equal(harness_complete(h, 1), LEAT_OK);
    expect_files(1, 1, "a b");
    assert_int_equal(harness_complete(h, 2), LEAT_OK);
    expect_files(2, 0, "a b c");
    assert_int_equal(finish(h), LEAT_OK);
    expect_files(3, 0, "a b c d");
    harness_free(h);
}

static void failed_checkpoint_is_committed_by_the_next(void **state) {
    (void)state;
    leat_arg rolls = leat_arg_int("roll_on_checkpoint", 1);
    harness *h = sink_of(&rolls, 1);
    PUSH(h, "a");
    assert_int_equal(barrier(h, 1), LEAT_OK);
    PUSH(h, "b");
    assert_int_equal(barrier(h, 2), LEAT_OK);
    assert_int_equal(harness_complete(h, 2), LEAT_OK);
    expect_files(2, 0, "a b");
    harness_free(h);
}

static void policy_by_size_rolls_before_the_next_record(void **state) {
    (void)state;
    leat_arg size = leat_arg_int("part_size", 3);
    harness *h = sink_of(&size, 1);
    PUSH(h, "a", "b", "c");
    assert_int_equal(barrier(h, 1), LEAT_OK);
    assert_int_equal(harness_complete(h, 1), LEAT_OK);
    expect_files(1, 1, "a b"); /* four bytes are more than three, two are not */
    assert_int_equal(finish(h), LEAT_OK);
    expect_files(2, 0, "a b c");
    harness_free(h);
}

/* Rolls what is old, or was not written to, when it looks. */
static void policy_by_time_rolls_at_the_check(void **state) {
    (void)state;
    leat_arg args[] = {leat_arg_int("rollover", 100), leat_arg_int("inactivity", 30),
                       leat_arg_int("check_interval", 20)};
    harness *h = sink_of(args, 3);
    PUSH(h, "a");
    for (int t = 1; t <= 9; t++) {
        assert_true(harness_clock(h, t * 10) >= 0);
        PUSH(h, "b");
    }
    PUSH(h, "c");
    assert_true(harness_clock(h, 100) >= 0); /* 100 old */
    PUSH(h, "d");
    assert_true(harness_clock(h, 120) >= 0);
    assert_true(harness_clock(h, 129) >= 0);
    PUSH(h, "e");
    assert_true(harness_clock(h, 140) >= 0);
    assert_true(harness_clock(h, 160) >= 0); /* silent for 31 */
    PUSH(h, "f");
    assert_int_equal(barrier(h, 1), LEAT_OK);
    assert_int_equal(harness_complete(h, 1), LEAT_OK);
    expect_files(2, 1, "a b b b b b b b b b c d e");
    harness_free(h);
}

static void bucket_by_date_makes_a_folder(void **state) {
    leat_arg args[] = {leat_arg_string("bucket", "yyyy-MM-dd--HH"),
                       leat_arg_string("zone", "+05:30"),
                       leat_arg_int("check_interval", INT64_C(1) << 50)};
    harness *h = both_ways(state, sink_of(args, 3));
    assert_true(harness_clock(h, INT64_C(1700000000000)) >= 0); /* 22:13:20 in UTC */
    PUSH(h, "ten");
    assert_true(harness_clock(h, INT64_C(1700000999999)) >= 0);
    PUSH(h, "still");
    assert_true(harness_clock(h, INT64_C(1700001000000)) >= 0); /* 22:30:00 */
    PUSH(h, "eleven");
    assert_int_equal(finish(h), LEAT_OK);
    expect_file(only_file(in_folder("2023-11-15--03"), "part-"), "ten\nstill\n");
    expect_file(only_file(in_folder("2023-11-15--04"), "part-"), "eleven\n");
    harness_free(h);
}

static void charset_is_that_of_the_lines(void **state) {
    (void)state;
    leat_arg charset = leat_arg_string("charset", "latin-1");
    harness *h = sink_of(&charset, 1);
    PUSH(h, "\xc3\xa4 \xe2\x82\xac!");
    assert_int_equal(finish(h), LEAT_OK);
    harness_free(h);
    expect_file(only_file(folder, "part-"), "\xe4 ?!\n");
}

static void verb_writes_the_files_of_a_job(void **state) {
    (void)state;
    leat_error err = {.text = ""};
    leat_env *env = leat_env_new(NULL, &err);
    assert_non_null(env);
    leat_file_options options = leat_file_options_defaults();
    options.prefix = "numbers";
    options.suffix = ".txt";
    options.bucket = "'a'/'b'";
    options.part_size = 10;
    leat_stream *s = leat_stream_rebalance(leat_env_sequence(env, 10, 29));
    leat_stream_parallelism(leat_stream_write_files(s, folder, &options), 2);
    if (leat_env_execute(env, "files", &err) < 0) fail_msg("%s: %s", err.where, err.text);
    leat_env_free(env);
    const sight *seen = look();
    assert_int_equal(seen->hidden, 0);
    assert_int_equal(seen->visible, 6); /* two subtasks: 12, 12 and 6 bytes */
    assert_int_equal(seen->count, 20);
    for (int i = 0; i < 20; i++) assert_int_equal(atoi(seen->lines[i]), 10 + i);
    assert_int_equal(access(in_folder("a/b"), F_OK), 0);
}

static void verb_without_options_has_the_defaults(void **state) {
    (void)state;
    leat_error err = {.text = ""};
    leat_env *env = leat_env_new(NULL, &err);
    assert_non_null(env);
    leat_stream_write_files(leat_env_sequence(env, 1, 2), folder, NULL);
    if (leat_env_execute(env, "files", &err) < 0) fail_msg("%s: %s", err.where, err.text);
    leat_env_free(env);
    assert_int_equal(look()->count, 2);
}

/* --- refusals --------------------------------------------------------------------------------- */

static void expect_refused(const char *name, const char *value, int64_t number, const char *why) {
    leat_error err = {.text = ""};
    leat_env *env = leat_env_new(NULL, &err);
    assert_non_null(env);
    leat_stream *s = leat_env_sequence(env, 1, 2);
    leat_arg args[] = {leat_arg_string("path", folder),
                       value ? leat_arg_string(name, value) : leat_arg_int(name, number)};
    leat_graph_add(env, &leat_file_sink_operator, args, 2, &s, 1);
    assert_true(leat_env_execute(env, "refused", &err) < 0);
    if (!strstr(err.text, why)) fail_msg("'%s' has no '%s'", err.text, why);
    leat_env_free(env);
}

static void parameters_that_make_no_sense_are_refused(void **state) {
    (void)state;
    expect_refused("prefix", "a/b", 0, "leave out '/'");
    expect_refused("bucket", "yyyy-QQ", 0, "'QQ' in the date format 'yyyy-QQ' is not understood");
    expect_refused("bucket", "'../'yyyy", 0, "which is no folder below another");
    expect_refused("bucket", "'/'yyyy", 0, "which is no folder below another");
    expect_refused("bucket", "yyyy''''/", 0, "which is no folder below another");
    expect_refused("bucket", "'open", 0, "a quote that does not end");
    expect_refused("zone", "Mars/Olympus", 0, "no time zone 'Mars/Olympus'");
    expect_refused("zone", "../../../etc/passwd", 0, "no time zone");
    expect_refused("charset", "no-such", 0, "the charset 'no-such' is not known");
    expect_refused("part_size", NULL, -1, "must be at least 1");
}

static void folder_that_is_a_file_fails(void **state) {
    (void)state;
    write_file("file", "x", 1);
    leat_arg args[] = {leat_arg_string("path", in_folder("file/below"))};
    harness *h = harness_new(&leat_file_sink_operator, args, 1, NULL);
    PUSH(h, "one");
    assert_int_equal(finish(h), LEAT_E_IO);
    assert_non_null(strstr(harness_failure(h), "cannot make folder"));
    assert_non_null(strstr(harness_failure(h), "file/below'"));
    harness_free(h);
}

/* --- faults of files -------------------------------------------------------------------------- */

/* Counts the calls; from one of them on all fail, or writes are short. The I/O thread's. */
static atomic_int calls_left; /* negative: none fails */
static atomic_int fault;
static atomic_bool stutters;

static bool fails(void) {
    int left = atomic_load(&calls_left);
    if (left < 0) return false;
    if (left > 0) {
        atomic_store(&calls_left, left - 1);
        return false;
    }
    errno = atomic_load(&fault);
    return true;
}

static int faulty_open(const char *path, int flags, mode_t mode) {
    return fails() ? -1 : open(path, flags, mode);
}

/* Fails with the first half of the bytes written, as full disks do. */
static ssize_t faulty_write(int fd, const void *bytes, size_t size) {
    if (fails()) {
        if (atomic_load(&stutters) && size > 1) (void)!write(fd, bytes, size / 2);
        errno = atomic_load(&fault);
        return -1;
    }
    return write(fd, bytes, atomic_load(&stutters) ? (size + 2) / 3 : size);
}

/* No power is lost here. */
static int faulty_fsync(int fd) {
    (void)fd;
    return fails() ? -1 : 0;
}

static int faulty_truncate(int fd, off_t size) {
    return fails() ? -1 : ftruncate(fd, size);
}

static int faulty_close(int fd) {
    bool failed = fails();
    close(fd);
    return failed ? -1 : 0;
}

static int faulty_rename(const char *from, const char *to) {
    return fails() ? -1 : rename(from, to);
}

static int faulty_mkdir(const char *path, mode_t mode) {
    return fails() ? -1 : mkdir(path, mode);
}

static const leati_files faulty = {faulty_open,  faulty_write,  faulty_fsync, faulty_truncate,
                                   faulty_close, faulty_rename, faulty_mkdir};

static int with_faults(void **state) {
    atomic_store(&calls_left, -1);
    atomic_store(&stutters, false);
    leati_files_set(&faulty);
    return folder_make(state);
}

static int without_faults(void **state) {
    leati_files_set(NULL);
    return folder_remove(state);
}

static void short_writes_are_gone_on_with(void **state) {
    (void)state;
    atomic_store(&stutters, true);
    harness *h = sink_of(NULL, 0);
    PUSH(h, "a long line", "and another one");
    assert_int_equal(finish(h), LEAT_OK);
    expect_files(1, 0, "a long line and another one");
    harness_free(h);
}

static void full_disk_fails_and_says_so(void **state) {
    (void)state;
    harness *h = sink_of(NULL, 0);
    PUSH(h, "one");
    atomic_store(&fault, ENOSPC);
    atomic_store(&calls_left, 1);
    assert_int_equal(settled(h, harness_barrier(h, 1)), LEAT_E_IO);
    const char *why = harness_failure(h);
    assert_non_null(strstr(why, "cannot write '"));
    assert_non_null(strstr(why, "No space left on device; make room on that disk"));
    harness_free(h);
    expect_files(0, 1, "");
}

static void bad_disk_fails_at_any_call_and_nothing_is_visible(void **state) {
    (void)state;
    for (int n = 0; n < 5; n++) { /* open, write, fsync, fsync of the folder, close */
        harness *h = sink_of(NULL, 0);
        PUSH(h, "one");
        atomic_store(&fault, EIO);
        atomic_store(&calls_left, n);
        assert_int_equal(finish(h), LEAT_E_IO);
        assert_non_null(strstr(harness_failure(h), "Input/output error"));
        atomic_store(&calls_left, -1);
        harness_free(h);
        assert_int_equal(look()->visible, 0);
    }
}

/* --- restore ---------------------------------------------------------------------------------- */

static void open_part_goes_on_where_the_checkpoint_was(void **state) {
    (void)state;
    leati_buf saved;
    leati_buf_init(&saved);
    harness *h = sink_of(NULL, 0);
    PUSH(h, "a");
    assert_int_equal(barrier(h, 1), LEAT_OK);
    harness_save(h, &saved);
    PUSH(h, "lost");
    assert_int_equal(barrier(h, 2), LEAT_OK); /* it stands in the file */
    harness_crash(h, &saved);
    PUSH(h, "b");
    assert_int_equal(finish(h), LEAT_OK);
    expect_files(1, 0, "a b");
    leati_buf_fini(&saved);
    harness_free(h);
}

static void commit_is_repeated_by_a_restore(void **state) {
    (void)state;
    leati_buf saved;
    leati_buf_init(&saved);
    leat_arg rolls = leat_arg_int("roll_on_checkpoint", 1);
    harness *h = sink_of(&rolls, 1);
    PUSH(h, "a");
    assert_int_equal(barrier(h, 1), LEAT_OK);
    harness_save(h, &saved);
    harness_crash(h, &saved);
    assert_int_equal(barrier(h, 2), LEAT_OK);
    expect_files(1, 0, "a");
    harness_crash(h, &saved); /* the file has its name already */
    assert_int_equal(barrier(h, 2), LEAT_OK);
    expect_files(1, 0, "a");
    assert_int_equal(unlink(only_file(folder, "part-")), 0);
    harness_crash(h, &saved); /* somebody has taken it */
    PUSH(h, "b");
    assert_int_equal(finish(h), LEAT_OK);
    expect_files(1, 0, "b");
    assert_string_equal(strrchr(only_file(folder, "part-"), '-'), "-1"); /* counters go on */
    leati_buf_fini(&saved);
    harness_free(h);
}

static void parts_that_were_tampered_with_are_refused(void **state) {
    (void)state;
    leati_buf saved;
    leati_buf_init(&saved);
    harness *h = sink_of(NULL, 0);
    PUSH(h, "a line");
    assert_int_equal(barrier(h, 1), LEAT_OK);
    harness_save(h, &saved);
    assert_int_equal(truncate(only_file(folder, ".part-"), 3), 0);
    harness_crash(h, &saved);
    assert_int_equal(settled(h, harness_barrier(h, 2)), LEAT_E_FORMAT);
    assert_non_null(strstr(harness_failure(h), "has 3 bytes, and the checkpoint says 7"));
    assert_int_equal(unlink(only_file(folder, ".part-")), 0);
    harness_crash(h, &saved);
    assert_int_equal(settled(h, harness_barrier(h, 2)), LEAT_E_IO);
    assert_non_null(strstr(harness_failure(h), "is gone, and the checkpoint goes on with it"));
    leati_buf_fini(&saved);
    harness_free(h);
}

/* A record and a checkpoint, without the harness, which needs memory, too. */
static leat_status record_and_prepare(leat_context *ctx) {
    const leat_operator *op = &leat_file_sink_operator;
    leat_record r = leat_record_of(leat_string("line"), LEAT_NO_TIME);
    leat_status status = op->on_record(ctx, ctx->self, 0, &r);
    return status < 0 ? status : op->prepare(ctx, ctx->self, 1);
}

static void memory_that_runs_out_fails_and_leaks_nothing(void **state) {
    (void)state;
    leat_status status = LEAT_E_NOMEM;
    for (int n = 1; status < 0; n++) {
        assert_true(n < 100);
        harness *h = sink_of(NULL, 0);
        leati_alloc_fail_after(n);
        status = record_and_prepare(harness_context(h));
        leati_alloc_fail_after(-1);
        assert_true(status >= 0 || status == LEAT_E_NOMEM);
        harness_free(h);
    }
    assert_true(leati_io_settle(10000));
}

/* --- crashes between any two steps ------------------------------------------------------------ */

enum { MOST_SUBTASKS = 3 };

typedef struct saga {
    unsigned seed;
    leat_arg policy;
    harness *subtasks[MOST_SUBTASKS];
    int count;
    int next;                       /* the number of the next record */
    int64_t checkpoint;             /* the number of the last one begun */
    leati_buf saved[MOST_SUBTASKS]; /* what the last complete checkpoint has of each */
    int saved_count;                /* 0: there is none yet */
    int saved_next;                 /* where the source was */
    int crashes;
} saga;

static unsigned draw(saga *s, unsigned below) {
    s->seed = s->seed * 1103515245u + 12345u;
    return (s->seed >> 16) % below;
}

static void begin(saga *s) {
    s->count = 1 + (int)draw(s, MOST_SUBTASKS);
    leat_arg args[] = {leat_arg_string("path", folder), s->policy};
    for (int i = 0; i < s->count; i++)
        s->subtasks[i] = harness_new_at(&leat_file_sink_operator, args, 2, NULL, i, s->count);
    if (s->saved_count) harness_restore(s->saved, s->saved_count, s->subtasks, s->count);
    s->next = s->saved_next;
}

static void forget(leati_buf *snapshots) {
    for (int i = 0; i < MOST_SUBTASKS; i++) leati_buf_fini(&snapshots[i]);
}

static void crash(saga *s) {
    s->crashes++;
    for (int i = 0; i < s->count; i++) harness_free(s->subtasks[i]);
    leati_io_settle(10000); /* what a dying process had begun */
    atomic_store(&calls_left, -1);
    begin(s);
}

/* Barriers everywhere; with all of them passed the checkpoint is published. Any of the steps may be
   the last. */
static leat_status take_checkpoint(saga *s) {
    leati_buf snapshots[MOST_SUBTASKS] = {0};
    leat_status status = LEAT_OK;
    s->checkpoint++;
    int stop_at = draw(s, 4) ? MOST_SUBTASKS : (int)draw(s, MOST_SUBTASKS);
    for (int i = 0; i < s->count && status >= 0 && i != stop_at; i++) {
        status = barrier(s->subtasks[i], s->checkpoint);
        if (status >= 0) harness_save(s->subtasks[i], &snapshots[i]);
    }
    bool complete = status >= 0 && stop_at >= s->count;
    if (complete) {
        forget(s->saved);
        memcpy(s->saved, snapshots, sizeof snapshots);
        memset(snapshots, 0, sizeof snapshots);
        s->saved_count = s->count;
        s->saved_next = s->next;
    }
    for (int i = 0; complete && i < s->count && status >= 0; i++)
        if (draw(s, 4)) status = harness_complete(s->subtasks[i], s->checkpoint);
    forget(snapshots);
    return status;
}

static leat_status push_next(saga *s) {
    char line[16];
    snprintf(line, sizeof line, "%05d", s->next);
    harness *h = s->subtasks[s->next % s->count];
    s->next++;
    return push_line(h, line);
}

static leat_status finish_all(saga *s) {
    leat_status status = LEAT_OK;
    for (int i = 0; i < s->count && status >= 0; i++) status = finish(s->subtasks[i]);
    return status;
}

/* None twice; `all`: none is missing. */
static void expect_numbers(const sight *s, int records, bool all) {
    for (int i = 0; i < s->count; i++) {
        if (i > 0) assert_string_not_equal(s->lines[i], s->lines[i - 1]);
        if (all) assert_int_equal(atoi(s->lines[i]), i);
    }
    if (all) assert_int_equal(s->count, records);
}

static void play(unsigned seed, int records, bool with_faulty_files) {
    static const int errors[] = {ENOSPC, EIO, EACCES};
    saga s = {.seed = seed * 2654435761u + 1};
    s.policy = draw(&s, 2) ? leat_arg_int("roll_on_checkpoint", 1)
                           : leat_arg_int("part_size", draw(&s, 2) ? 40 : 1 << 20);
    begin(&s);
    for (int steps = 0; s.next < records; steps++) {
        leat_status status = LEAT_OK;
        unsigned what = draw(&s, 40);
        bool calm = steps > 4 * records; /* in the end it gets there */
        if (with_faulty_files && !calm && draw(&s, 20) == 0) {
            atomic_store(&fault, errors[draw(&s, 3)]);
            atomic_store(&calls_left, (int)draw(&s, 12));
        }
        if (what == 0 && !calm)
            crash(&s);
        else if (what < 6)
            status = take_checkpoint(&s);
        else
            status = push_next(&s);
        if (status < 0) crash(&s);
        if (what < 6) expect_numbers(look(), records, false);
    }
    atomic_store(&calls_left, -1);
    while (take_checkpoint(&s) < 0) crash(&s);
    if (finish_all(&s) < 0) fail_msg("seed %u: %s", seed, harness_failure(s.subtasks[0]));
    for (int i = 0; i < s.count; i++) harness_free(s.subtasks[i]);
    /* A crash sets the source back: what was pushed last may still be missing. */
    const sight *end = look();
    expect_numbers(end, s.next, true);
    forget(s.saved);
}

static void each_saga(void **state, int seeds, bool with_faulty_files) {
    for (int seed = 0; seed < seeds; seed++) {
        play((unsigned)seed, 120, with_faulty_files);
        folder_remove(state);
        with_faults(state);
    }
}

static void crashes_lose_and_double_nothing(void **state) {
    each_saga(state, 40, false);
}

static void faults_lose_and_double_nothing(void **state) {
    each_saga(state, 40, true);
}

#define WITH_FAULTS(test) cmocka_unit_test_setup_teardown(test, with_faults, without_faults)

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_FOLDER_BOTH_WAYS(sink_without_checkpoints_gives_names_at_the_end),
        WITH_FOLDER(sink_without_records_makes_no_file),
        WITH_FOLDER(failed_sink_leaves_hidden_files_only),
        WITH_FOLDER(policy_on_checkpoint_publishes_with_each),
        WITH_FOLDER(failed_checkpoint_is_committed_by_the_next),
        WITH_FOLDER(policy_by_size_rolls_before_the_next_record),
        WITH_FOLDER(policy_by_time_rolls_at_the_check),
        WITH_FOLDER_BOTH_WAYS(bucket_by_date_makes_a_folder),
        WITH_FOLDER(charset_is_that_of_the_lines),
        WITH_FOLDER(verb_writes_the_files_of_a_job),
        WITH_FOLDER(verb_without_options_has_the_defaults),
        WITH_FOLDER(parameters_that_make_no_sense_are_refused),
        WITH_FOLDER(folder_that_is_a_file_fails),
        WITH_FAULTS(short_writes_are_gone_on_with),
        WITH_FAULTS(full_disk_fails_and_says_so),
        WITH_FAULTS(bad_disk_fails_at_any_call_and_nothing_is_visible),
        WITH_FOLDER(open_part_goes_on_where_the_checkpoint_was),
        WITH_FOLDER(commit_is_repeated_by_a_restore),
        WITH_FOLDER(parts_that_were_tampered_with_are_refused),
        WITH_FOLDER(memory_that_runs_out_fails_and_leaks_nothing),
        WITH_FAULTS(crashes_lose_and_double_nothing),
        WITH_FAULTS(faults_lose_and_double_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
