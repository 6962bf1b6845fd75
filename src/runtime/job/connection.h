/* connection.h: a stream socket between two processes of a job, as frames (docs/formats/wire.md).

   Any thread sends: what the socket takes at once is written at once, the rest waits in a queue that the loop's
   thread writes. The loop's thread reads, always, and hands every frame to `on_frame`. The queue is bounded by the credit of the channels. */
#ifndef LEATI_CONNECTION_H
#define LEATI_CONNECTION_H

#include <pthread.h>
#include <uv.h>

#include "runtime/base/buf.h"

enum { LEATI_WIRE_VERSION = 1, LEATI_WIRE_HEADER = 5, LEATI_WIRE_MAX = 1 << 30 };

/* Kinds of frames: u32 size of the payload, u8 kind, payload. */
typedef enum leati_frame_kind {
    /* control, worker to main process */
    LEATI_F_HELLO =
        1, /* varint wire version, blobs: Leat's version, what the bridge says of itself */
    LEATI_F_OPENED = 2,
    LEATI_F_ENDED = 3,
    LEATI_F_FAILED = 4, /* failure.c */
    LEATI_F_CLOSED = 5,
    /* control, main process to worker */
    LEATI_F_JOB = 16,    /* remote.c: leati_job_encode */
    LEATI_F_FINISH = 17, /* u8: 0 close well, 1 after a failure or cancel */
    /* data, both ways */
    LEATI_F_DATA = 32,   /* u32 channel, u32 records, u32 charged bytes, batch (batch.c) */
    LEATI_F_SIGNAL = 33, /* u32 channel, u8 element kind, u64 value */
    LEATI_F_CREDIT = 34  /* u32 channel, u32 records, u32 bytes */
} leati_frame_kind;

typedef struct leati_connection leati_connection;

typedef struct leati_connection_news {
    /* A whole frame; `payload` is lent. An answer below zero breaks the wire. */
    leat_status (*on_frame)(void *arg, leati_connection *wire, uint8_t kind, const char *payload,
                            size_t size);
    /* The other side is gone, or broke the protocol (`status` below zero); once. */
    void (*on_end)(void *arg, leati_connection *wire, leat_status status);
    void *arg;
} leati_connection_news;

/* Adopts `fd`, a stream socket. `peer` is for the owner. Call on the loop's thread, or before the loop runs. */
leati_connection *leati_connection_new(uv_loop_t *loop, int fd, int peer,
                                       const leati_connection_news *news);
int leati_connection_peer(const leati_connection *w);
/* Starts reading: what came before waits in the socket. Loop's thread. */
void leati_connection_start(leati_connection *w);
/* Sends a frame whose payload is head then body. Any thread. LEAT_E_IO when the wire is broken. */
leat_status leati_connection_send(leati_connection *w, leati_frame_kind kind, const void *head,
                                  size_t head_size, const void *body, size_t body_size);
/* Closes the socket; the struct goes when the loop has run. Loop's thread. NULL is fine. */
void leati_connection_close(leati_connection *w);

#endif
