/* A job that writes numbers into files while it takes checkpoints: it fails and begins anew, or its
   process is killed at any moment and started again with another parallelism. In the end every
   number is there once. */
#include "counted_writer.h"

#include <leat.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <ftw.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { NUMBERS = 60000, MOST_STARTS = 200 };

/* Files that grow over checkpoints, those that end with each, and those in a bulk format. */
typedef enum way { GROW, ROLL, BULK, WAYS } way;

static char folder[64]; /* "out" and "chk" are in it */

/* --- the job ---------------------------------------------------------------------------------- */

static atomic_int until_failure; /* records; negative: it never comes */

static leat_status take_time(leat_context *ctx, const leat_record *in, leat_value *out, void *arg) {
    (void)arg;
    *out = in->value;
    if (in->value.as.i % 500 == 0) usleep(1000);
    if (atomic_load(&until_failure) < 0 || atomic_fetch_sub(&until_failure, 1) > 1) return LEAT_OK;
    atomic_store(&until_failure, -1);
    return leat_context_fail(ctx, LEAT_E_USER, "on purpose");
}

static leat_env *env_of(const char *from, int parallelism, leat_error *err) {
    char checkpoints[96], subtasks[16];
    snprintf(checkpoints, sizeof checkpoints, "%s/chk", folder);
    snprintf(subtasks, sizeof subtasks, "%d", parallelism);
    leat_options options = leat_options_defaults();
    options.settings = (const char *const[]){
        "execution.checkpointing.interval",
        "5 ms",
        "execution.checkpointing.dir",
        checkpoints,
        "restart-strategy.type",
        "fixed-delay",
        "restart-strategy.fixed-delay.delay",
        "1 ms",
        "parallelism.default",
        subtasks,
        from ? "execution.savepoint.path" : NULL,
        from,
        NULL,
    };
    return leat_env_new(&options, err);
}

static leat_status run_job(const char *from, int parallelism, way how) {
    char out[96];
    leat_error err = {.text = ""};
    leat_env *env = env_of(from, parallelism, &err);
    if (!env) {
        fprintf(stderr, "%s: %s\n", err.where, err.text);
        return err.status;
    }
    leat_file_options options = leat_file_options_defaults();
    options.roll_on_checkpoint = how == ROLL;
    options.part_size = 50000;
    snprintf(out, sizeof out, "%s/out", folder);
    leat_stream *numbers = leat_stream_rebalance(leat_env_sequence(env, 1, NUMBERS));
    leat_stream *slow = leat_stream_map(numbers, leat_map_fn(take_time, NULL));
    if (how == BULK)
        leat_stream_write_bulk(slow, out, counted_writer(), &options);
    else
        leat_stream_write_files(slow, out, &options);
    leat_status status = leat_env_execute(env, "numbers", &err);
    if (status < 0) fprintf(stderr, "%s: %s\n", err.where, err.text);
    leat_env_free(env);
    return status;
}

/* --- what it left ----------------------------------------------------------------------------- */

static unsigned char seen[NUMBERS + 1];

static int read_part(const char *path, const struct stat *info, int kind, struct FTW *at) {
    (void)info;
    long number;
    if (kind != FTW_F || path[at->base] == '.') return 0;
    FILE *f = fopen(path, "rb");
    if (!f) return -1;
    char line[64];
    if (fgetc(f) == '#' && !counted_is_whole(path)) fail_msg("%s is not whole", path);
    rewind(f);
    while (fgets(line, sizeof line, f)) {
        number = strtol(line, NULL, 10); /* 0 of the format's own lines */
        if (number >= 1 && number <= NUMBERS) seen[number]++;
    }
    fclose(f);
    return 0;
}

static void read_parts(void) {
    char out[96];
    snprintf(out, sizeof out, "%s/out", folder);
    memset(seen, 0, sizeof seen);
    if (access(out, F_OK) == 0) assert_int_equal(nftw(out, read_part, 16, FTW_PHYS), 0);
}

static void expect_at_most_once(void) {
    read_parts();
    for (int i = 1; i <= NUMBERS; i++) assert_true(seen[i] <= 1);
}

static void expect_once(void) {
    read_parts();
    for (int i = 1; i <= NUMBERS; i++)
        if (seen[i] != 1) fail_msg("%d is there %d times", i, seen[i]);
}

/* In memory, if it can be: no power is lost here, and other tests keep disks busy. */
static int make_folder(void **state) {
    (void)state;
    atomic_store(&until_failure, -1);
    strcpy(folder, "/dev/shm/leat-files-XXXXXX");
    if (mkdtemp(folder)) return 0;
    strcpy(folder, "/tmp/leat-files-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *at) {
    (void)info, (void)kind, (void)at;
    return remove(path);
}

static int remove_folder(void **state) {
    (void)state;
    return nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* --- failures --------------------------------------------------------------------------------- */

static void failure_loses_and_doubles_nothing(void **state) {
    (void)state;
    for (way how = GROW; how < WAYS; how++) {
        atomic_store(&until_failure, NUMBERS / 2);
        assert_true(run_job(NULL, 2, how) >= 0);
        expect_once();
        remove_folder(NULL);
        make_folder(NULL);
    }
}

/* --- kills ------------------------------------------------------------------------------------ */

static const char *self; /* this program */

/* Starts it as a job of its own, which writes a byte into the pipe when it has finished. */
static pid_t start_job(bool first, int parallelism, way how, const int tells[2]) {
    char subtasks[16], number[16];
    snprintf(subtasks, sizeof subtasks, "%d", parallelism);
    snprintf(number, sizeof number, "%d", (int)how);
    pid_t child = fork();
    if (child) return child;
    dup2(tells[1], STDOUT_FILENO);
    execl(self, self, "job", folder, first ? "" : "latest", subtasks, number, NULL);
    _exit(127);
}

/* Lets it run for so many microseconds; true when it had finished. */
static bool run_and_kill(bool first, int parallelism, way how, unsigned us) {
    int status, tells[2];
    char byte;
    assert_int_equal(pipe(tells), 0);
    pid_t child = start_job(first, parallelism, how, tells);
    assert_true(child > 0);
    close(tells[1]);
    usleep(us);
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, &status, 0), child);
    if (!WIFSIGNALED(status)) assert_int_equal(WEXITSTATUS(status), 0);
    bool finished = read(tells[0], &byte, 1) == 1;
    close(tells[0]);
    return finished;
}

static void kill_it_again_and_again(unsigned seed, way how) {
    bool ended = false;
    int starts = 0;
    while (!ended && starts < MOST_STARTS) {
        seed = seed * 1103515245u + 12345u;
        unsigned patience = 20000 + (seed >> 8) % 80000 + 4000 * (unsigned)starts;
        ended = run_and_kill(starts == 0, 1 + (int)(seed >> 16) % 3, how, patience);
        expect_at_most_once();
        starts++;
    }
    assert_true(ended);
    expect_once();
}

static void kills_lose_and_double_nothing(void **state) {
    (void)state;
    for (way how = GROW; how < WAYS; how++) {
        kill_it_again_and_again((unsigned)how + 1, how);
        remove_folder(NULL);
        make_folder(NULL);
    }
}

int main(int argc, char **argv) {
    if (argc == 6 && strcmp(argv[1], "job") == 0) {
        snprintf(folder, sizeof folder, "%s", argv[2]);
        atomic_store(&until_failure, -1);
        const char *from = *argv[3] ? argv[3] : NULL;
        if (run_job(from, atoi(argv[4]), (way)atoi(argv[5])) < 0) return 1;
        return write(STDOUT_FILENO, "!", 1) != 1;
    }
    self = argv[0];
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(failure_loses_and_doubles_nothing, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(kills_lose_and_double_nothing, make_folder, remove_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
