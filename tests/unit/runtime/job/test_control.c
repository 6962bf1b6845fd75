/* Tests of control.c, control_client.c and control_folder.c: jobs that listen, who asks them, who
   says nothing or nonsense, folders that can't be trusted, sockets that were left over. */
#include "folder.h"
#include "gather.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "runtime/job/control.h"
#include "runtime/job/control_folder.h"

/* A job that runs until it is told to end, in a folder of the test's own. */
typedef struct rig {
    leat_env *env;
    leat_push_source *source;
    leat_job *job;
} rig;

static int make_runtime_folder(void **state) {
    if (folder_make(state) < 0) return -1;
    leat_log_set(NULL, NULL, LEAT_LOG_WARNING);
    return setenv("XDG_RUNTIME_DIR", folder, 1);
}

static int remove_runtime_folder(void **state) {
    unsetenv("XDG_RUNTIME_DIR");
    leat_log_set(NULL, NULL, LEAT_LOG_WARNING);
    return folder_remove(state);
}

static leat_status forget(leat_context *ctx, const leat_record *in, void *self) {
    (void)ctx, (void)in, (void)self;
    return LEAT_OK;
}

static rig rig_new(const char *name, const char *control) {
    rig r = {.env = env_of(1, 8)};
    leat_error err = {.text = ""};
    assert_int_equal(leat_env_set(r.env, "job.control", control, &err), LEAT_OK);
    leat_stream_sink(leat_env_push_source(r.env, &r.source), leat_sink_fn(forget, NULL));
    r.job = leat_env_start(r.env, name, &err);
    if (!r.job) fail_msg("%s", err.text);
    return r;
}

static void rig_push(rig *r, int count) {
    const leat_value v = leat_int(1);
    for (int i = 0; i < count; i++) {
        leat_status status;
        do status = leat_push(r->source, &v, LEAT_NO_TIME, 100);
        while (status == LEAT_AGAIN);
        assert_int_equal(status, LEAT_OK);
    }
}

static void rig_free(rig *r) {
    leat_job_free(r->job);
    leat_env_free(r->env);
}

static void expect_text(char *text, const leat_error *err, const char *part) {
    if (!text) fail_msg("%s: %s", err->where, err->text);
    if (!strstr(text, part)) fail_msg("'%s' is not in '%s'", part, text);
    leat_text_free(text);
}

static void expect_refused(char *text, const leat_error *err, leat_status status,
                           const char *part) {
    assert_null(text);
    assert_int_equal(err->status, status);
    if (!strstr(err->text, part)) fail_msg("'%s' is not in '%s'", part, err->text);
}

static int visit(const leat_job *job) {
    char name[LEATI_SOCKET_NAME];
    leat_error err;
    int there = leati_control_folder(false, &err);
    snprintf(name, sizeof name, "%d-%s.sock", (int)getpid(), leat_job_id(job));
    int fd = leati_socket_connect(there, name);
    assert_true(fd >= 0);
    assert_int_equal(fcntl(fd, F_SETFL, 0), 0); /* tests may wait */
    close(there);
    return fd;
}

/* --- asking ----------------------------------------------------------------------------------- */

static void jobs_are_listed_while_they_run(void **state) {
    (void)state;
    leat_error err;
    expect_text(leat_control_list(false, &err), &err, "no job listens");
    expect_text(leat_control_list(true, &err), &err, "[]\n");
    rig one = rig_new("one \"job\"\n", "on"), two = rig_new("two", "on");
    rig silent = rig_new("silent", "auto"), off = rig_new("off", "off");
    char want[200];
    snprintf(want, sizeof want,
             "{\"id\": \"%s\", \"name\": \"one \\\"job\\\"\\u000a\", \"pid\": %d",
             leat_job_id(one.job), (int)getpid());
    expect_text(leat_control_list(true, &err), &err, want);
    expect_text(leat_control_list(false, &err), &err, "one \"job\"?\n");
    expect_text(leat_control_list(false, &err), &err, "  two\n");
    char *all = leat_control_list(true, &err);
    assert_null(strstr(all, "silent"));
    assert_null(strstr(all, "off"));
    leat_text_free(all);
    rig_free(&one);
    all = leat_control_list(true, &err);
    assert_null(strstr(all, "one"));
    assert_non_null(strstr(all, "two"));
    leat_text_free(all);
    rig_free(&two);
    rig_free(&silent);
    rig_free(&off);
    expect_text(leat_control_list(true, &err), &err, "[]\n");
    assert_string_equal(only_file(in_folder("leat"), "1"), "");
}

static void status_tells_what_operators_did(void **state) {
    (void)state;
    leat_error err;
    rig r = rig_new("words", "on");
    rig_push(&r, 500);
    leat_push_end(r.source);
    assert_int_equal(leat_job_wait(r.job, -1), LEAT_OK);
    char *whole = leat_job_describe(r.job, &err);
    assert_non_null(strstr(whole, "\"state\": \"FINISHED\""));
    assert_non_null(strstr(whole, "\"records\": 500, "));
    leat_text_free(whole);
    rig_free(&r);

    r = rig_new("words", "on");
    rig_push(&r, 500);
    bool through = false;
    while (!through) {
        whole = leat_job_describe(r.job, &err);
        through = strstr(whole, "\"records\": 500, ");
        leat_text_free(whole);
    }
    expect_text(leat_control_ask("words", "status", false, 5000, &err), &err, "words: RUNNING");
    expect_text(leat_control_ask("words", "status", false, 5000, &err), &err, " records in, ");
    expect_text(leat_control_ask(leat_job_id(r.job), "status", true, 5000, &err), &err,
                "\"operators\": [{\"operator\": ");
    char prefix[9];
    snprintf(prefix, sizeof prefix, "%s", leat_job_id(r.job));
    expect_text(leat_control_ask(prefix, "status", true, 5000, &err), &err, "\"RUNNING\"");
    rig_free(&r);
}

static leat_status refuse(leat_context *ctx, const leat_record *in, void *self) {
    (void)in, (void)self;
    return leat_context_fail(ctx, LEAT_E_RANGE, "too \"large\"");
}

static void failure_is_told(void **state) {
    (void)state;
    leat_error err;
    leat_env *env = env_of(1, 8);
    leat_stream *s = leat_env_sequence(env, 1, 5);
    leat_stream_name(leat_stream_sink(s, leat_sink_fn(refuse, NULL)), "Scale");
    leat_job *job = leat_env_start(env, "failing", &err);
    assert_non_null(job);
    leat_job_wait(job, -1);
    expect_text(leat_job_describe(job, &err), &err, "\"state\": \"FAILED\"");
    expect_text(leat_job_describe(job, &err), &err, "\"failure\": \"Scale: too \\\"large\\\"\"");
    leat_job_free(job);
    leat_env_free(env);
    assert_null(leat_job_describe(NULL, &err));
    assert_int_equal(err.status, LEAT_E_ARGUMENT);
}

static void cancel_waits_for_the_end(void **state) {
    (void)state;
    leat_error err;
    rig r = rig_new("words", "on");
    expect_text(leat_control_ask("words", "cancel", true, -1, &err), &err,
                "\"state\": \"CANCELED\"");
    assert_int_equal(leat_job_wait(r.job, -1), LEAT_OK);
    assert_int_equal(leat_job_status(r.job), LEAT_JOB_CANCELED);
    expect_refused(leat_control_ask("words", "cancel", true, -1, &err), &err, LEAT_E_NOT_FOUND,
                   "no job of that name or id listens");
    rig_free(&r);
}

static void savepoints_are_made_and_stop_the_job(void **state) {
    (void)state;
    leat_error err;
    char request[400], want[400];
    rig r = rig_new("words", "on");
    expect_refused(leat_control_ask("words", "savepoint", true, -1, &err), &err, LEAT_E_STATE,
                   "there is no folder for savepoints; give one");
    snprintf(request, sizeof request, "savepoint %s", in_folder("kept"));
    snprintf(want, sizeof want, "\"state\": \"RUNNING\"");
    expect_text(leat_control_ask("words", request, true, -1, &err), &err, want);
    snprintf(want, sizeof want, "\n  savepoint: %s/savepoint-", in_folder("kept"));
    expect_text(leat_control_ask("words", request, false, -1, &err), &err, want);
    snprintf(request, sizeof request, "stop %s", in_folder("last"));
    snprintf(want, sizeof want, "\"savepoint\": \"%s/savepoint-", in_folder("last"));
    char *text = leat_control_ask("words", request, true, -1, &err);
    assert_non_null(strstr(text, "\"state\": \"FINISHED\""));
    expect_text(text, &err, want);
    assert_int_equal(leat_job_wait(r.job, -1), LEAT_OK);
    assert_int_equal(leat_job_status(r.job), LEAT_JOB_FINISHED);
    rig_free(&r);
    assert_string_not_equal(only_file(in_folder("last"), "savepoint-"), "");

    r = rig_new("words", "on");
    snprintf(request, sizeof request, "drain %s", in_folder("drained"));
    expect_text(leat_control_ask("words", request, true, -1, &err), &err, "FINISHED");
    rig_free(&r);
}

/* A job that ends while somebody waits for its savepoint answers all the same, and one who has left
   leaves nothing behind. */
static void savepoints_that_nobody_awaits_do_no_harm(void **state) {
    (void)state;
    char request[400];
    int size = snprintf(request, sizeof request, "leat 1 savepoint %s\n", in_folder("kept"));
    for (int i = 0; i < 8; i++) {
        rig r = rig_new("words", "on");
        int left = visit(r.job), waits = visit(r.job);
        assert_int_equal(send(left, request, (size_t)size, 0), size);
        assert_int_equal(send(waits, request, (size_t)size, 0), size);
        close(left);
        if (i % 2) leat_job_cancel(r.job);
        char byte;
        while (recv(waits, &byte, 1, 0) > 0) {} /* a savepoint, an error, or the end */
        close(waits);
        rig_free(&r);
    }
}

static void what_is_no_job_or_several_is_refused(void **state) {
    (void)state;
    leat_error err;
    rig one = rig_new("same", "on"), two = rig_new("same", "on");
    expect_refused(leat_control_ask("same", "status", false, 5000, &err), &err, LEAT_E_ARGUMENT,
                   "2 jobs are called that");
    expect_refused(leat_control_ask("other", "status", false, 5000, &err), &err, LEAT_E_NOT_FOUND,
                   "no job of that name");
    expect_refused(leat_control_ask(leat_job_id(one.job), "dance", false, 5000, &err), &err,
                   LEAT_E_STATE, "there is no such request");
    expect_refused(leat_control_ask(leat_job_id(one.job), "status x", false, 5000, &err), &err,
                   LEAT_E_STATE, "there is no such request");
    expect_refused(leat_control_ask(leat_job_id(one.job), "a\nb", false, 5000, &err), &err,
                   LEAT_E_ARGUMENT, "line break");
    expect_refused(leat_control_ask(NULL, "status", false, 0, &err), &err, LEAT_E_ARGUMENT, "job");
    expect_refused(leat_control_ask("", "status", false, 0, &err), &err, LEAT_E_ARGUMENT, "job");
    expect_refused(leat_control_ask("same", NULL, false, 0, &err), &err, LEAT_E_ARGUMENT,
                   "request");
    char *text = leat_control_ask(leat_job_id(two.job), "status", false, 5000, NULL);
    assert_non_null(text);
    leat_text_free(text);
    rig_free(&one);
    rig_free(&two);
}

/* --- visitors who misbehave ------------------------------------------------------------------- */

static void expect_answer(int fd, const char *part) {
    char got[4096];
    size_t size = 0;
    for (ssize_t n; (n = recv(fd, got + size, sizeof got - 1 - size, 0)) > 0;) size += (size_t)n;
    got[size] = '\0';
    if (!strstr(got, part)) fail_msg("'%s' is not in '%s'", part, got);
    close(fd);
}

static void nonsense_is_refused(void **state) {
    (void)state;
    static const char *const lines[] = {"\n",        "GET / HTTP/1.0\r\n", "leat 2 status\n",
                                        "leat 1 \n", "leat 1 stat\tus\n",  "leat 1  status\n"};
    rig r = rig_new("words", "on");
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        int fd = visit(r.job);
        assert_int_equal(send(fd, lines[i], strlen(lines[i]), 0), (ssize_t)strlen(lines[i]));
        expect_answer(fd, "{\"error\": \"this is no request");
    }
    int fd = visit(r.job);
    char endless[LEATI_CONTROL_LINE];
    memset(endless, 'x', sizeof endless);
    assert_int_equal(send(fd, endless, sizeof endless, 0), (ssize_t)sizeof endless);
    expect_answer(fd, "the request is too long");
    fd = visit(r.job);
    assert_int_equal(send(fd, "leat 1 li", 9, 0), 9);
    assert_int_equal(send(fd, "st\n", 3, 0), 3);
    expect_answer(fd, "\"name\": \"words\"");
    rig_free(&r);
}

/* Visitors who say nothing: all places are taken until their time is over, and then others come in;
   nobody else is held up, least of all the job. */
static void who_says_nothing_holds_up_nobody(void **state) {
    (void)state;
    enum { SILENT = 14 };
    int silent[SILENT];
    leat_error err;
    rig r = rig_new("words", "on");
    for (int i = 0; i < SILENT; i++) silent[i] = visit(r.job);
    expect_text(leat_control_ask("words", "status", false, 1000, &err), &err, "RUNNING");
    char nothing;
    for (int i = 0; i < SILENT; i++) assert_int_equal(recv(silent[i], &nothing, 1, 0), 0);
    for (int i = 0; i < SILENT; i++) close(silent[i]);
    int waiting = visit(r.job), late = visit(r.job);
    assert_int_equal(send(waiting, "leat 1 status\n", 14, 0), 14);
    shutdown(late, SHUT_WR);
    close(waiting); /* without reading */
    rig_free(&r);
    close(late);
}

/* A cancelled job answers to all who wait for its end, before it can be freed. */
static void all_who_wait_are_answered(void **state) {
    (void)state;
    enum { WAITING = 5 };
    int fd[WAITING];
    rig r = rig_new("words", "on");
    for (int i = 0; i < WAITING; i++) {
        fd[i] = visit(r.job);
        assert_int_equal(send(fd[i], "leat 1 cancel\n", 14, 0), 14);
    }
    expect_answer(fd[0], "\"CANCELED\"");
    rig_free(&r);
    for (int i = 1; i < WAITING; i++) {
        char byte;
        while (recv(fd[i], &byte, 1, 0) > 0) {} /* an answer, or the end before it was asked */
        close(fd[i]);
    }
}

/* --- the folder ------------------------------------------------------------------------------- */

static char said[1000];

static void keep_line(leat_log_level level, const char *line, void *arg) {
    (void)level, (void)arg;
    snprintf(said, sizeof said, "%s", line);
}

static void expect_warning(const char *part) {
    leat_error err;
    said[0] = '\0';
    leat_log_set(keep_line, NULL, LEAT_LOG_WARNING);
    rig r = rig_new("words", "on");
    if (!strstr(said, part)) fail_msg("'%s' is not in '%s'", part, said);
    assert_non_null(strstr(said, "the job runs, and other terminals don't see it"));
    leat_push_end(r.source);
    assert_int_equal(leat_job_wait(r.job, -1), LEAT_OK);
    assert_int_equal(leat_job_result(r.job, &err), LEAT_OK);
    rig_free(&r);
}

static void folders_of_others_are_refused(void **state) {
    (void)state;
    leat_error err;
    assert_int_equal(mkdir(in_folder("leat"), 0700), 0);
    assert_int_equal(chmod(in_folder("leat"), 0750), 0);
    expect_warning("that nobody else may enter (mode 0700)");
    expect_refused(leat_control_list(true, &err), &err, LEAT_E_IO, "mode 0700");
    assert_int_equal(rename(in_folder("leat"), in_folder("real")), 0);
    assert_int_equal(chmod(in_folder("real"), 0700), 0);
    assert_int_equal(symlink("real", in_folder("leat")), 0);
    expect_warning("it has to be a folder of this user's");
    expect_refused(leat_control_ask("x", "status", true, 100, &err), &err, LEAT_E_IO,
                   "it has to be a folder of this user's");
    assert_int_equal(unlink(in_folder("leat")), 0);
    write_file("leat", "", 0);
    expect_warning("it has to be a folder of this user's");
    if (geteuid() != 0) return; /* only root can give things away */
    assert_int_equal(unlink(in_folder("leat")), 0);
    assert_int_equal(mkdir(in_folder("leat"), 0700), 0);
    assert_int_equal(chown(in_folder("leat"), 12345, 12345), 0);
    expect_warning("it has to be a folder of this user's");
}

static void long_paths_are_fine(void **state) {
    (void)state;
    char path[320];
    leat_error err;
    snprintf(path, sizeof path, "%s/%0*d", folder, 200, 7);
    assert_int_equal(mkdir(path, 0700), 0);
    setenv("XDG_RUNTIME_DIR", path, 1);
    rig r = rig_new("words", "on");
    expect_text(leat_control_ask("words", "cancel", true, -1, &err), &err, "CANCELED");
    rig_free(&r);
}

/* As it is when a process was killed: the socket is there and nobody listens. */
static void leave_socket(const char *name) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    int size = snprintf(address.sun_path, sizeof address.sun_path, "%s/leat/%s", folder, name);
    assert_true(size < (int)sizeof address.sun_path);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    close(fd);
}

static void sockets_of_the_dead_are_removed(void **state) {
    (void)state;
    enum { DIGITS = 32 };
    leat_error err;
    char name[LEATI_SOCKET_NAME], hidden[LEATI_SOCKET_NAME + 1];
    pid_t dead = fork();
    if (dead == 0) _exit(0);
    assert_int_equal(waitpid(dead, NULL, 0), dead);
    assert_int_equal(mkdir(in_folder("leat"), 0700), 0);
    snprintf(name, sizeof name, "%d-%0*d.sock", (int)dead, DIGITS, 1);
    snprintf(hidden, sizeof hidden, ".%s", name);
    leave_socket(name);
    leave_socket(hidden);
    write_file("leat/notes.txt", "mine", 4);
    expect_text(leat_control_list(true, &err), &err, "[]\n");
    assert_int_equal(access(in_folder("leat/notes.txt"), F_OK), 0);
    char path[LEATI_SOCKET_NAME + 10];
    snprintf(path, sizeof path, "leat/%s", name);
    assert_int_not_equal(access(in_folder(path), F_OK), 0);
    snprintf(path, sizeof path, "leat/%s", hidden);
    assert_int_not_equal(access(in_folder(path), F_OK), 0);
    /* One of a process that lives, but does not listen there: its number was given again. */
    snprintf(name, sizeof name, "%d-%0*d.sock", (int)getpid(), DIGITS, 2);
    leave_socket(name);
    expect_text(leat_control_list(true, &err), &err, "[]\n");
    snprintf(path, sizeof path, "leat/%s", name);
    assert_int_not_equal(access(in_folder(path), F_OK), 0);
}

/* A process that was stopped has a socket, and does not answer. */
static void silence_is_told(void **state) {
    (void)state;
    enum { DIGITS = 32 };
    leat_error err;
    char name[LEATI_SOCKET_NAME], want[64];
    assert_int_equal(mkdir(in_folder("leat"), 0700), 0);
    int there = leati_control_folder(false, &err);
    snprintf(name, sizeof name, "%d-%0*d.sock", (int)getpid(), DIGITS, 3);
    int deaf = leati_socket_listen(there, name);
    assert_true(deaf >= 0);
    snprintf(want, sizeof want, "\"pid\": %d, \"state\": \"SILENT\"}", (int)getpid());
    expect_text(leat_control_list(true, &err), &err, want);
    expect_refused(leat_control_ask("0000", "status", true, 10, &err), &err, LEAT_E_TIMEOUT,
                   "no answer in time");
    close(deaf);
    close(there);
}

static void names_of_sockets_are_read(void **state) {
    (void)state;
    char id[33];
    assert_int_equal(leati_socket_process("12-0123456789abcdef0123456789abcdef.sock", id), 12);
    assert_string_equal(id, "0123456789abcdef0123456789abcdef");
    static const char *const wrong[] = {
        "",
        ".",
        "12",
        "-1-0123456789abcdef0123456789abcdef.sock",
        "0-0123456789abcdef0123456789abcdef.sock",
        "12-0123456789abcdef.sock",
        "12-0123456789ABCDEF0123456789abcdef.sock",
        "12-0123456789abcdef0123456789abcdef.sock2",
        "99999999999-0123456789abcdef0123456789abcdef.sock",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(leati_socket_process(wrong[i], id), 0);
}

/* --- the log ---------------------------------------------------------------------------------- */

static char log_text[4000];

static void add_line(leat_log_level level, const char *line, void *arg) {
    (void)arg;
    if (level != LEAT_LOG_INFO) return;
    size_t size = strlen(log_text);
    snprintf(log_text + size, sizeof log_text - size, "%s\n", line);
}

static void a_jobs_life_is_in_the_log(void **state) {
    (void)state;
    char want[200];
    log_text[0] = '\0';
    leat_log_set(add_line, NULL, LEAT_LOG_INFO);
    rig r = rig_new("words", "off");
    snprintf(want, sizeof want, "words: job %s begins attempt 1: 2 operators in 1 task, in this",
             leat_job_id(r.job));
    leat_job_cancel(r.job);
    assert_int_equal(leat_job_wait(r.job, -1), LEAT_OK);
    leat_log_set(NULL, NULL, LEAT_LOG_WARNING);
    if (!strstr(log_text, want)) fail_msg("'%s' is not in '%s'", want, log_text);
    assert_non_null(strstr(log_text, "words: CANCELED after "));
    rig_free(&r);
}

#define IN_FOLDER(test) \
    cmocka_unit_test_setup_teardown(test, make_runtime_folder, remove_runtime_folder)

int main(void) {
    const struct CMUnitTest tests[] = {
        IN_FOLDER(jobs_are_listed_while_they_run),
        IN_FOLDER(status_tells_what_operators_did),
        IN_FOLDER(failure_is_told),
        IN_FOLDER(cancel_waits_for_the_end),
        IN_FOLDER(savepoints_are_made_and_stop_the_job),
        IN_FOLDER(savepoints_that_nobody_awaits_do_no_harm),
        IN_FOLDER(what_is_no_job_or_several_is_refused),
        IN_FOLDER(nonsense_is_refused),
        IN_FOLDER(who_says_nothing_holds_up_nobody),
        IN_FOLDER(all_who_wait_are_answered),
        IN_FOLDER(folders_of_others_are_refused),
        IN_FOLDER(long_paths_are_fine),
        IN_FOLDER(sockets_of_the_dead_are_removed),
        IN_FOLDER(silence_is_told),
        IN_FOLDER(names_of_sockets_are_read),
        IN_FOLDER(a_jobs_life_is_in_the_log),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
