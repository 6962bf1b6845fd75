/* Relays: whole lines, long ones in pieces, last words as text, and writers that outlive the
   worker. */
#include "runtime/job/relay.h"

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "runtime/base/io_thread.h"

typedef struct bench {
    uv_loop_t loop;
    leati_relay *relay;
    int to_relay, file;
} bench;

static int set_up(void **state) {
    bench *t = calloc(1, sizeof *t);
    char name[] = "/tmp/test_relay_XXXXXX";
    int ends[2];
    t->file = mkstemp(name);
    unlink(name);
    if (t->file < 0 || uv_loop_init(&t->loop) || pipe2(ends, O_CLOEXEC)) return -1;
    fcntl(ends[1], F_SETFL, O_NONBLOCK);
    t->to_relay = ends[1];
    t->relay = leati_relay_new(&t->loop, ends[0], t->file);
    *state = t;
    return 0;
}

static int tear_down(void **state) {
    bench *t = *state;
    if (t->to_relay >= 0) close(t->to_relay);
    leati_relay_close(t->relay);
    uv_run(&t->loop, UV_RUN_DEFAULT);
    bool settled = leati_io_settle(10000);
    int busy = uv_loop_close(&t->loop);
    close(t->file);
    free(t);
    return busy || !settled;
}

/* Writes it all, turning the loop when the pipe is full. */
static void print(bench *t, const char *bytes, size_t size) {
    while (size) {
        ssize_t n = write(t->to_relay, bytes, size);
        if (n > 0) {
            bytes += n;
            size -= (size_t)n;
        }
        uv_run(&t->loop, UV_RUN_NOWAIT);
    }
    leati_relay_drain(t->relay);
}

static size_t written(bench *t) {
    struct stat s;
    assert_true(leati_io_settle(10000));
    fstat(t->file, &s);
    return (size_t)s.st_size;
}

static const char *content(bench *t) {
    static char text[4096];
    size_t size = written(t);
    assert_true(size < sizeof text);
    assert_int_equal(pread(t->file, text, size, 0), (ssize_t)size);
    text[size] = 0;
    return text;
}

static void only_whole_lines_come_out(void **state) {
    bench *t = *state;
    print(t, "one\ntw", 6);
    assert_string_equal(content(t), "one\n");
    print(t, "o\nthree", 7);
    assert_string_equal(content(t), "one\ntwo\n");
    leati_relay_close(t->relay);
    t->relay = NULL;
    uv_run(&t->loop, UV_RUN_DEFAULT);
    assert_string_equal(content(t), "one\ntwo\nthree\n");
}

static void endless_line_comes_out_in_pieces(void **state) {
    bench *t = *state;
    enum { SIZE = 5 << 20 };
    char *line = malloc(SIZE);
    memset(line, 'x', SIZE);
    print(t, line, SIZE);
    free(line);
    assert_true(written(t) >= SIZE - (2 << 20));
}

static void much_output_comes_out_whole(void **state) {
    bench *t = *state;
    char line[1000];
    memset(line, 'y', sizeof line);
    line[sizeof line - 1] = '\n';
    for (int i = 0; i < 10000; i++) print(t, line, sizeof line);
    for (int i = 0; i < 100 && written(t) < 10000 * sizeof line; i++) {
        uv_run(&t->loop, UV_RUN_NOWAIT);
        leati_relay_drain(t->relay);
    }
    assert_int_equal(written(t), 10000 * sizeof line);
}

static void last_words_begin_with_a_line_and_are_text(void **state) {
    bench *t = *state;
    char tail[20];
    print(t, "a first line\n", 13);
    leati_relay_tail(t->relay, tail, sizeof tail);
    assert_string_equal(tail, "a first line");
    print(t, "a second line that is long\nb\0\xff\x1b[1m\xc3\xa9\n\n", 38);
    leati_relay_tail(t->relay, tail, sizeof tail);
    assert_string_equal(tail, "b???[1m\xc3\xa9");
}

/* A child of the worker writes on and on: the drain ends all the same. */
static void *write_for_ever(void *arg) {
    int fd = *(int *)arg;
    while (write(fd, "noise\n", 6) > 0) continue;
    return NULL;
}

static void drain_does_not_wait_for_writers_that_live_on(void **state) {
    bench *t = *state;
    pthread_t writer;
    fcntl(t->to_relay, F_SETFL, 0);
    sigset_t pipes;
    sigemptyset(&pipes);
    sigaddset(&pipes, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipes, NULL);
    pthread_create(&writer, NULL, write_for_ever, &t->to_relay);
    for (int i = 0; i < 100; i++) leati_relay_drain(t->relay);
    leati_relay_close(t->relay);
    t->relay = NULL;
    uv_run(&t->loop, UV_RUN_DEFAULT);
    pthread_join(writer, NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(only_whole_lines_come_out),
        TEST(endless_line_comes_out_in_pieces),
        TEST(much_output_comes_out_whole),
        TEST(last_words_begin_with_a_line_and_are_text),
        TEST(drain_does_not_wait_for_writers_that_live_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
