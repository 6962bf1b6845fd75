/* Channels over connections: two remotes in one process, data, signals and credit between them. */
#include "runtime/job/remote.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "runtime/data/batch.h"

enum { NUMBER = 7, RECORDS = 100, BYTES = 1 << 20 };

typedef struct side {
    leati_remote *remote;
    leati_connection *wire;
    leati_channel *channel;
    int peer;
    leat_status status; /* of the last frame */
} side;

typedef struct bench {
    uv_loop_t loop;
    side writer, reader;
    int rooms;
} bench;

static leat_status on_frame(void *arg, leati_connection *c, uint8_t kind, const char *payload,
                            size_t size) {
    side *s = arg;
    s->status = leati_remote_take(s->remote, leati_connection_peer(c), kind, payload, size);
    return s->status;
}

static void on_end(void *arg, leati_connection *c, leat_status status) {
    (void)arg, (void)c, (void)status;
}

static void open_side(bench *t, side *s, int fd, int peer) {
    leati_connection_news news = {on_frame, on_end, s};
    s->peer = peer;
    s->remote = leati_remote_new(3);
    s->wire = leati_connection_new(&t->loop, fd, peer, &news);
    leati_remote_set_wire(s->remote, peer, s->wire);
    s->channel = leati_channel_new(RECORDS, BYTES);
    leati_wires wires = leati_remote_wires(s->remote);
    assert_int_equal(wires.join(wires.arg, s->channel, NUMBER, peer, s == &t->writer, NULL),
                     LEAT_OK);
    leati_connection_start(s->wire);
}

static void count_room(void *arg) {
    ++*(int *)arg;
}

static int set_up(void **state) {
    bench *t = calloc(1, sizeof *t);
    int pair[2];
    if (uv_loop_init(&t->loop) || socketpair(AF_UNIX, SOCK_STREAM, 0, pair)) return -1;
    open_side(t, &t->writer, pair[0], 2);
    open_side(t, &t->reader, pair[1], 1);
    t->writer.channel->on_room = (leati_notice){count_room, &t->rooms};
    *state = t;
    return 0;
}

static void close_side(side *s) {
    leati_remote_close(s->remote);
    leati_connection_close(s->wire);
    leati_channel_unref(s->channel);
}

static int tear_down(void **state) {
    bench *t = *state;
    close_side(&t->writer);
    close_side(&t->reader);
    uv_run(&t->loop, UV_RUN_DEFAULT);
    leati_remote_free(t->writer.remote);
    leati_remote_free(t->reader.remote);
    int busy = uv_loop_close(&t->loop);
    free(t);
    return busy;
}

static void turn(bench *t) {
    for (int i = 0; i < 20; i++) uv_run(&t->loop, UV_RUN_NOWAIT);
}

/* Pushes a batch of `count` strings of `size` bytes. */
static void push(bench *t, uint32_t count, size_t size) {
    char *bytes = calloc(1, size + 1);
    leati_batch *batch = leati_batch_new(count);
    leat_record record = leat_record_of(leat_string_n(bytes, size), LEAT_NO_TIME);
    for (uint32_t i = 0; i < count; i++)
        assert_int_equal(leati_batch_append(batch, &record, NULL, true), LEAT_OK);
    leati_element e = {.kind = LEATI_BATCH, .as.batch = batch};
    assert_int_equal(leati_channel_push(t->writer.channel, &e, batch->count, batch->bytes),
                     LEAT_OK);
    free(bytes);
}

/* Takes what came and gives its credit back; how many records. */
static size_t pop_all(bench *t) {
    leati_element e;
    size_t records = 0;
    turn(t);
    while (leati_channel_pop(t->reader.channel, &e) == LEAT_OK) {
        leati_batch *batch = NULL;
        assert_int_equal(e.kind, LEATI_FRAME);
        size_t charge = e.as.frame.charge;
        assert_int_equal(leati_batch_decode(e.as.frame.bytes, e.as.frame.size, 0, &batch), LEAT_OK);
        assert_int_equal(batch->count, e.value);
        records += batch->count;
        leati_batch_unref(batch);
        leati_channel_give_back(t->reader.channel, (size_t)e.value, charge);
    }
    turn(t);
    return records;
}

static void records_and_credit_come_and_go(void **state) {
    bench *t = *state;
    for (int i = 0; i < 50; i++) {
        push(t, 60, 10);
        assert_int_equal(pop_all(t), 60);
    }
    assert_int_equal(t->reader.status, LEAT_OK);
    assert_int_equal(t->writer.status, LEAT_OK);
    assert_int_equal(atomic_load(&t->reader.channel->records), 0);
    assert_true(atomic_load(&t->writer.channel->records) <= RECORDS / 4);
    assert_true(atomic_load(&t->writer.channel->bytes) <= BYTES / 4);
}

static void full_channel_gets_room_from_the_reader(void **state) {
    bench *t = *state;
    push(t, RECORDS, 1);
    assert_false(leati_channel_has_room(t->writer.channel, 0, 0));
    turn(t);
    assert_int_equal(t->rooms, 0);
    assert_int_equal(pop_all(t), RECORDS);
    assert_true(t->rooms >= 1);
    assert_true(leati_channel_has_room(t->writer.channel, 0, 0));
}

static void large_records_go_in_several_frames(void **state) {
    bench *t = *state;
    push(t, 5, 1 << 20);
    for (int i = 0; i < 200; i++) uv_run(&t->loop, UV_RUN_NOWAIT);
    assert_int_equal(t->reader.channel->count, 5);
    assert_int_equal(pop_all(t), 5);
    assert_int_equal(atomic_load(&t->reader.channel->bytes), 0);
    assert_true(atomic_load(&t->writer.channel->bytes) <= BYTES / 4);
}

static void batches_begin_small_and_shrink_for_large_records(void **state) {
    bench *t = *state;
    size_t records, bytes;
    leati_channel_credit(t->writer.channel, &records, &bytes);
    assert_int_equal(records, 1);
    for (uint32_t n = 1; n <= 64; n *= 4) {
        push(t, n, 10);
        pop_all(t);
    }
    leati_channel_credit(t->writer.channel, &records, &bytes);
    assert_true(records > 64);
    push(t, 2, 1 << 20);
    for (int i = 0; i < 200; i++) uv_run(&t->loop, UV_RUN_NOWAIT);
    pop_all(t);
    leati_channel_credit(t->writer.channel, &records, &bytes);
    assert_int_equal(records, 1);
}

static void signals_pass_and_cost_nothing(void **state) {
    bench *t = *state;
    leati_element e = leati_signal(LEATI_WATERMARK, INT64_MIN + 1);
    leati_channel_push(t->writer.channel, &e, 0, 0);
    e = leati_signal(LEATI_END, 0);
    leati_channel_push(t->writer.channel, &e, 0, 0);
    turn(t);
    assert_int_equal(leati_channel_pop(t->reader.channel, &e), LEAT_OK);
    assert_int_equal(e.kind, LEATI_WATERMARK);
    assert_int_equal(e.value, INT64_MIN + 1);
    assert_int_equal(leati_channel_pop(t->reader.channel, &e), LEAT_OK);
    assert_int_equal(e.kind, LEATI_END);
    assert_int_equal(atomic_load(&t->writer.channel->records), 0);
}

/* What a frame of `kind` for channel `number` is answered, coming from `peer`. */
static leat_status answer(side *s, int peer, uint8_t kind, uint8_t number, const char *rest,
                          size_t size) {
    char payload[64] = {(char)number};
    memcpy(payload + 4, rest, size);
    return leati_remote_take(s->remote, peer, kind, payload, 4 + size);
}

static void nonsense_is_refused(void **state) {
    bench *t = *state;
    char zeros[32] = {0};
    const char end[10] = {LEATI_END};
    side *r = &t->reader, *w = &t->writer;
    assert_int_equal(answer(r, 1, LEATI_F_SIGNAL, NUMBER, end, 9), LEAT_OK);
    assert_int_equal(answer(r, 2, LEATI_F_SIGNAL, NUMBER, end, 9), LEAT_E_FORMAT);
    assert_int_equal(answer(r, 1, LEATI_F_SIGNAL, NUMBER + 1, end, 9), LEAT_E_FORMAT);
    assert_int_equal(answer(r, 1, LEATI_F_SIGNAL, 200, end, 9), LEAT_E_FORMAT);
    assert_int_equal(answer(w, 2, LEATI_F_SIGNAL, NUMBER, end, 9), LEAT_E_FORMAT);
    assert_int_equal(answer(r, 1, LEATI_F_SIGNAL, NUMBER, end, 10), LEAT_E_FORMAT);
    assert_int_equal(answer(r, 1, LEATI_F_SIGNAL, NUMBER, zeros, 9), LEAT_E_FORMAT);
    assert_int_equal(answer(r, 1, LEATI_F_DATA, NUMBER, zeros, 12), LEAT_E_FORMAT);
    assert_int_equal(answer(r, 1, 99, NUMBER, zeros, 12), LEAT_E_FORMAT);
    assert_int_equal(answer(w, 2, LEATI_F_CREDIT, NUMBER, zeros, 12), LEAT_OK);
    assert_int_equal(answer(w, 2, LEATI_F_CREDIT, NUMBER, "\1\0\0\0\0\0\0\0\0\0\0\0", 12),
                     LEAT_E_FORMAT);
    assert_int_equal(answer(r, 1, LEATI_F_CREDIT, NUMBER, zeros, 12), LEAT_E_FORMAT);
    assert_int_equal(leati_remote_take(r->remote, 1, LEATI_F_DATA, zeros, 3), LEAT_E_FORMAT);
}

static void closed_remote_is_silent(void **state) {
    bench *t = *state;
    leati_remote_close(t->writer.remote);
    push(t, 3, 10);
    assert_int_equal(pop_all(t), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(records_and_credit_come_and_go),
        TEST(full_channel_gets_room_from_the_reader),
        TEST(large_records_go_in_several_frames),
        TEST(batches_begin_small_and_shrink_for_large_records),
        TEST(signals_pass_and_cost_nothing),
        TEST(nonsense_is_refused),
        TEST(closed_remote_is_silent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
