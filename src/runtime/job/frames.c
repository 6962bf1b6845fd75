/* frames.c: see frames.h. Frames are handed over where they lie; only an unfinished one is moved to
   the front. The buffer grows with what really came, never with what a header promises, and is
   given back after a large frame. */
#include "runtime/job/frames.h"

enum { READ_ROOM = 64 * 1024, KEEP = 1 << 20 };

void leati_frame_header(char *header, size_t size, leati_frame_kind kind) {
    for (int i = 0; i < 4; i++) header[i] = (char)(size >> (8 * i));
    header[4] = (char)kind;
}

void leati_frames_init(leati_frames *f) {
    leati_buf_init(&f->in);
}

void leati_frames_fini(leati_frames *f) {
    leati_buf_fini(&f->in);
}

char *leati_frames_room(leati_frames *f, size_t *room) {
    if (!leati_buf_reserve(&f->in, READ_ROOM)) return NULL;
    *room = f->in.room - f->in.size;
    return f->in.bytes + f->in.size;
}

/* Moves the unfinished rest to the front. */
static void keep_rest(leati_frames *f, size_t at) {
    size_t rest = f->in.size - at;
    if (!rest && f->in.room > KEEP) {
        leati_buf_fini(&f->in);
        return;
    }
    if (at && rest) memmove(f->in.bytes, f->in.bytes + at, rest);
    f->in.size = rest;
}

leat_status leati_frames_take(leati_frames *f, size_t size, leati_frame_fn take, void *arg) {
    size_t at = 0;
    leat_status status = LEAT_OK;
    f->in.size += size;
    while (status == LEAT_OK && f->in.size - at >= LEATI_FRAME_HEADER) {
        leati_reader r = leati_reader_of(f->in.bytes + at, f->in.size - at);
        size_t payload = leati_reader_u32(&r);
        uint8_t kind = leati_reader_u8(&r);
        if (payload > LEATI_FRAME_MOST) status = LEAT_E_FORMAT;
        if (status < 0 || leati_reader_left(&r) < payload) break;
        status = take(arg, kind, r.at, payload);
        at += LEATI_FRAME_HEADER + payload;
    }
    keep_rest(f, at);
    return status;
}
