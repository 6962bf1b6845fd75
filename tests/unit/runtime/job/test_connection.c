/* Connections: two ends in one loop, senders in other threads, ends of all kinds. */
#include "runtime/job/connection.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

typedef struct end {
    leati_connection *c;
    size_t frames, bytes;
    int ends;
    uint8_t last;
    leat_status answer, status;
} end;

typedef struct bench {
    uv_loop_t loop;
    end a, b;
} bench;

static leat_status on_frame(void *arg, leati_connection *c, uint8_t kind, const char *payload,
                            size_t size) {
    end *e = arg;
    assert_ptr_equal(c, e->c);
    e->frames++;
    e->bytes += size;
    e->last = size ? (uint8_t)payload[size - 1] : kind;
    return e->answer;
}

static void on_end(void *arg, leati_connection *c, leat_status status) {
    end *e = arg;
    assert_ptr_equal(c, e->c);
    e->ends++;
    e->status = status;
}

static int set_up(void **state) {
    bench *t = calloc(1, sizeof *t);
    int pair[2];
    leati_connection_news a = {on_frame, on_end, &t->a}, b = {on_frame, on_end, &t->b};
    if (uv_loop_init(&t->loop) || socketpair(AF_UNIX, SOCK_STREAM, 0, pair)) return -1;
    t->a.c = leati_connection_new(&t->loop, pair[0], 1, &a);
    t->b.c = leati_connection_new(&t->loop, pair[1], 2, &b);
    leati_connection_start(t->a.c);
    leati_connection_start(t->b.c);
    *state = t;
    return 0;
}

static int tear_down(void **state) {
    bench *t = *state;
    leati_connection_close(t->a.c);
    leati_connection_close(t->b.c);
    uv_run(&t->loop, UV_RUN_DEFAULT);
    int busy = uv_loop_close(&t->loop);
    free(t);
    return busy;
}

static void turn(bench *t) {
    uv_run(&t->loop, UV_RUN_NOWAIT);
}

static void frames_of_all_sizes_arrive_in_order(void **state) {
    bench *t = *state;
    static char body[3 << 20];
    size_t sizes[] = {0, 1, 65536, sizeof body, 2}, sum = 0;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        memset(body, (int)i + 1, sizes[i] ? sizes[i] : 1);
        assert_int_equal(leati_connection_send(t->a.c, LEATI_F_DATA, "h", 1, body, sizes[i]),
                         LEAT_OK);
        sum += 1 + sizes[i];
    }
    assert_false(leati_connection_idle(t->a.c));
    while (t->b.frames < 5) uv_run(&t->loop, UV_RUN_ONCE);
    assert_int_equal(t->b.bytes, sum);
    assert_int_equal(t->b.last, 5);
    assert_true(leati_connection_idle(t->a.c));
}

/* Much more both ways than sockets hold: nobody waits for the other. */
static void full_sockets_both_ways_are_no_deadlock(void **state) {
    bench *t = *state;
    static char body[1 << 20];
    enum { COUNT = 30 };
    for (int i = 0; i < COUNT; i++) {
        leati_connection_send(t->a.c, LEATI_F_DATA, NULL, 0, body, sizeof body);
        leati_connection_send(t->b.c, LEATI_F_DATA, NULL, 0, body, sizeof body);
    }
    while (t->a.frames < COUNT || t->b.frames < COUNT) uv_run(&t->loop, UV_RUN_ONCE);
    assert_int_equal(t->a.ends + t->b.ends, 0);
}

enum { THREADS = 4, EACH = 5000 };

static void *send_many(void *arg) {
    char body[100] = {0};
    for (int i = 0; i < EACH; i++)
        if (leati_connection_send(arg, LEATI_F_DATA, "abc", 3, body, (size_t)i % 100) < 0) break;
    return NULL;
}

static void frames_of_several_threads_stay_whole(void **state) {
    bench *t = *state;
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) pthread_create(&threads[i], NULL, send_many, t->a.c);
    while (t->b.frames < (size_t)THREADS * EACH && !t->b.ends) uv_run(&t->loop, UV_RUN_ONCE);
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    assert_int_equal(t->b.bytes,
                     (size_t)THREADS * EACH * 3 + (size_t)THREADS * (EACH / 100) * 4950);
}

static void close_while_others_send_is_no_race(void **state) {
    bench *t = *state;
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) pthread_create(&threads[i], NULL, send_many, t->a.c);
    while (t->b.frames < 100) uv_run(&t->loop, UV_RUN_ONCE);
    leati_connection_close(t->b.c);
    while (!t->a.ends) uv_run(&t->loop, UV_RUN_ONCE);
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    assert_int_equal(leati_connection_send(t->a.c, LEATI_F_DATA, "x", 1, NULL, 0), LEAT_E_IO);
    t->b.c = NULL; /* its memory went with the loop's turn */
}

static void frames_before_the_end_are_taken_first(void **state) {
    bench *t = *state;
    leati_connection_send(t->a.c, LEATI_F_FAILED, "why", 3, NULL, 0);
    leati_connection_send(t->b.c, LEATI_F_FINISH, "x", 1, NULL, 0); /* it will not read this */
    leati_connection_close(t->a.c);
    t->a.c = NULL;
    while (!t->b.ends) uv_run(&t->loop, UV_RUN_ONCE);
    assert_int_equal(t->b.frames, 1);
    assert_int_equal(t->b.status, LEAT_OK);
}

static void drain_takes_what_lies_in_the_socket(void **state) {
    bench *t = *state;
    for (int i = 0; i < 3; i++) leati_connection_send(t->a.c, LEATI_F_ENDED, NULL, 0, NULL, 0);
    leati_connection_drain(t->b.c);
    assert_int_equal(t->b.frames, 3);
}

static void refusal_of_a_frame_ends_the_connection_once(void **state) {
    bench *t = *state;
    t->b.answer = LEAT_E_FORMAT;
    for (int i = 0; i < 3; i++) leati_connection_send(t->a.c, LEATI_F_DATA, "x", 1, NULL, 0);
    for (int i = 0; i < 10; i++) turn(t);
    assert_int_equal(t->b.frames, 1);
    assert_int_equal(t->b.ends, 1);
    assert_int_equal(t->b.status, LEAT_E_FORMAT);
    assert_int_equal(leati_connection_send(t->b.c, LEATI_F_DATA, "x", 1, NULL, 0), LEAT_E_IO);
}

static void frame_above_the_limit_is_not_sent(void **state) {
    bench *t = *state;
    assert_int_equal(leati_connection_send(t->a.c, LEATI_F_DATA, NULL, 0, "", (size_t)2 << 30),
                     LEAT_E_RANGE);
    leati_connection_send(t->a.c, LEATI_F_DATA, "x", 1, NULL, 0);
    while (!t->b.frames) uv_run(&t->loop, UV_RUN_ONCE);
    assert_int_equal(t->b.bytes, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(frames_of_all_sizes_arrive_in_order),
        TEST(full_sockets_both_ways_are_no_deadlock),
        TEST(frames_of_several_threads_stay_whole),
        TEST(close_while_others_send_is_no_race),
        TEST(frames_before_the_end_are_taken_first),
        TEST(drain_takes_what_lies_in_the_socket),
        TEST(refusal_of_a_frame_ends_the_connection_once),
        TEST(frame_above_the_limit_is_not_sent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
