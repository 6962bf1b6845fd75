/* frames.h: the form of everything that passes between two processes of a job, and the parser that
   cuts a stream of bytes into it. Specified in docs/formats/wire.md. */
#ifndef LEATI_FRAMES_H
#define LEATI_FRAMES_H

#include "runtime/base/buf.h"

enum {
    LEATI_WIRE_VERSION = 4,
    LEATI_FRAME_HEADER = 5,    /* u32 size of the payload, u8 kind */
    LEATI_FRAME_MOST = 1 << 30 /* bytes of a payload */
};

typedef enum leati_frame_kind {
    /* control, worker to main process */
    LEATI_F_HELLO = 1, /* varint LEATI_WIRE_VERSION, blob: Leat's version */
    LEATI_F_OPENED = 2,
    LEATI_F_ENDED = 3,
    LEATI_F_FAILED = 4, /* failure.c */
    LEATI_F_CLOSED = 5,
    /* flow/metrics.c: of all its tasks, when it was asked and before it closes */
    LEATI_F_METRICS = 6,
    LEATI_F_SAVED = 7, /* vault.c: a task's part of a checkpoint is on the disk, or is not */
    /* control, main process to worker */
    LEATI_F_JOB = 16,      /* remote.c: leati_job_encode */
    LEATI_F_TELL = 18,     /* its metrics */
    LEATI_F_FINISH = 17,   /* u8: leati_finish */
    LEATI_F_BARRIER = 19,  /* u64 checkpoint, u8 leati_then: its sources insert a barrier */
    LEATI_F_COMPLETE = 20, /* u64 checkpoint */
    LEATI_F_RESUME = 21,   /* u64 checkpoint: the job does not stop behind it after all */
    /* data, both ways */
    LEATI_F_DATA = 32,   /* u32 channel, u32 records, u64 charged bytes, batch (batch.c) */
    LEATI_F_SIGNAL = 33, /* u32 channel, u8 element kind, u64 value */
    LEATI_F_CREDIT = 34  /* u32 channel, u32 records, u64 bytes */
} leati_frame_kind;

void leati_frame_header(char *header, size_t size, leati_frame_kind kind);

/* Bytes that came and are not yet a whole frame. */
typedef struct leati_frames {
    leati_buf in;
} leati_frames;

/* A whole frame; `payload` is lent. LEAT_DONE: no more of them, please. Below zero: it is wrong. */
typedef leat_status (*leati_frame_fn)(void *arg, uint8_t kind, const char *payload, size_t size);

void leati_frames_init(leati_frames *f);
void leati_frames_fini(leati_frames *f);
/* Where to put up to `*room` bytes (64 KiB at least); NULL when memory ran out. */
char *leati_frames_room(leati_frames *f, size_t *room);
/* `size` bytes were put there: hands over what is whole. Answers as `take` did, LEAT_E_FORMAT for a
   frame that is too large. */
leat_status leati_frames_take(leati_frames *f, size_t size, leati_frame_fn take, void *arg);

#endif
