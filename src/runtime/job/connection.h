/* connection.h: a stream socket between two processes of a job, as frames (frames.h).

   Any thread sends: what the socket takes at once is written at once, the rest waits in a queue
   that the loop's thread writes. The loop's thread reads, always, and hands every frame to
   `on_frame`: so two processes that send much to each other never wait for each other. The queue is
   bounded by the credit of the channels. */
#ifndef LEATI_CONNECTION_H
#define LEATI_CONNECTION_H

#include <pthread.h>
#include <uv.h>

#include "runtime/job/frames.h"

typedef struct leati_connection leati_connection;

typedef struct leati_connection_news {
    /* A whole frame; `payload` is lent. An answer below zero breaks the connection. */
    leat_status (*on_frame)(void *arg, leati_connection *c, uint8_t kind, const char *payload,
                            size_t size);
    /* Nothing will come any more: the other side is gone, or `on_frame` answered `status`, below
       zero. Once. */
    void (*on_end)(void *arg, leati_connection *c, leat_status status);
    void *arg;
} leati_connection_news;

/* Adopts `fd`, a stream socket, also on failure. `peer` is for the owner. Call on the loop's
   thread, or before the loop runs. NULL when memory ran out. */
leati_connection *leati_connection_new(uv_loop_t *loop, int fd, int peer,
                                       const leati_connection_news *news);
int leati_connection_peer(const leati_connection *c);
/* Starts reading: what came before waits in the socket. Loop's thread, or before the loop runs. */
void leati_connection_start(leati_connection *c);
/* Sends a frame whose payload is head then body. Any thread, until the close. LEAT_E_IO when the
   connection is broken, LEAT_E_RANGE when the frame is too large. */
leat_status leati_connection_send(leati_connection *c, leati_frame_kind kind, const void *head,
                                  size_t head_size, const void *body, size_t body_size);
/* Was all that was sent written, or is the connection broken? Any thread, until the close. */
bool leati_connection_idle(leati_connection *c);
/* Takes what still lies in the socket: the other process has ended. Loop's thread. */
void leati_connection_drain(leati_connection *c);
/* Closes the socket; the struct goes when the loop has run. Loop's thread. NULL is fine. */
void leati_connection_close(leati_connection *c);

#endif
