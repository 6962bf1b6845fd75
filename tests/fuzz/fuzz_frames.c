/* Fuzzes what comes from other processes: a stream of bytes, cut into frames, which channels take
   and whose batches are decoded. The first byte says in what portions the bytes come. */
#include "runtime/data/batch.h"
#include "runtime/job/remote.h"

#include <stdlib.h>
#include <sys/socket.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CHANNELS = 4, PEER = 1 };

static leati_remote *remote;
static leati_channel *channels[CHANNELS]; /* even ones are read here, odd ones written */

static leat_status ignore_frame(void *arg, leati_connection *c, uint8_t kind, const char *payload,
                                size_t size) {
    (void)arg, (void)c, (void)kind, (void)payload, (void)size;
    return LEAT_OK;
}

static void ignore_end(void *arg, leati_connection *c, leat_status status) {
    (void)arg, (void)c, (void)status;
}

/* Once: a connection that nobody reads, and two channels each way. */
static void set_up(void) {
    static uv_loop_t loop;
    leati_connection_news news = {ignore_frame, ignore_end, NULL};
    int pair[2];
    remote = leati_remote_new(2);
    if (uv_loop_init(&loop) || socketpair(AF_UNIX, SOCK_STREAM, 0, pair)) abort();
    leati_remote_set_wire(remote, PEER, leati_connection_new(&loop, pair[0], PEER, &news));
    leati_wires wires = leati_remote_wires(remote);
    for (int i = 0; i < CHANNELS; i++) {
        channels[i] = leati_channel_new(100, 1000);
        if (wires.join(wires.arg, channels[i], i, PEER, i % 2 == 1, NULL) < 0) abort();
    }
}

static leat_status take(void *arg, uint8_t kind, const char *payload, size_t size) {
    (void)arg;
    return leati_remote_take(remote, PEER, kind, payload, size);
}

/* What came is decoded, as a task does; credit that was given back must not exceed what was out. */
static void empty(leati_channel *c) {
    leati_element e;
    while (leati_channel_pop(c, &e) == LEAT_OK) {
        leati_batch *batch;
        if (e.kind == LEATI_FRAME &&
            leati_batch_decode(e.as.frame.bytes, e.as.frame.size, 0, &batch) >= 0)
            leati_batch_unref(batch);
    }
    if (atomic_load(&c->records) > SIZE_MAX / 4) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    leati_frames frames;
    leat_status status = LEAT_OK;
    if (!size) return 0;
    if (!remote) set_up();
    size_t portion = data[0] + 1u;
    leati_frames_init(&frames);
    for (int i = 1; i < CHANNELS; i += 2) {
        atomic_store(&channels[i]->records, 10);
        atomic_store(&channels[i]->bytes, 100);
    }
    for (size_t at = 1; at < size && status == LEAT_OK; at += portion) {
        size_t room, part = size - at < portion ? size - at : portion;
        char *to = leati_frames_room(&frames, &room);
        if (!to || room < part) abort();
        memcpy(to, data + at, part);
        status = leati_frames_take(&frames, part, take, NULL);
    }
    leati_frames_fini(&frames);
    for (int i = 0; i < CHANNELS; i++) {
        empty(channels[i]);
        atomic_store(&channels[i]->records, 0);
        atomic_store(&channels[i]->bytes, 0);
    }
    return 0;
}
