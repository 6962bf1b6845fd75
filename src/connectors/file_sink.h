/* file_sink.h: what the rooms of the file sink share: file_sink.c, which writes records into
   parts, file_sink_errand.c, which sends these to the I/O thread, file_sink_store.c, which makes
   them last, and file_sink_settings.c. */
#ifndef LEATI_FILE_SINK_H
#define LEATI_FILE_SINK_H

#include "connectors/charset.h"
#include "connectors/date_pattern.h"
#include "connectors/part_file.h"
#include "leat/operator.h"

enum { LEATI_FILE_SINK_ID = 37 };

typedef struct leati_file_sink {
    const char *path, *prefix, *suffix, *bucket, *zone_id, *charset_name;
    int64_t part_size, rollover, inactivity, check_every; /* bytes; ms */
    int64_t rolls_on_checkpoint;
    leat_function format; /* a bulk writer; its role is NONE: lines */

    leati_charset *charset; /* NULL: UTF-8 */
    leati_zone *zone;
    char id[LEATI_FILE_SINK_ID];
    int64_t counter;     /* of the next part */
    leati_link open;     /* parts that grow */
    leati_link waiting;  /* parts that are closed, or will be */
    leati_part *current; /* the open one of `folder`; NULL: none */
    leati_buf folder;    /* the bucket's name, terminated */
    int64_t next_look;   /* when it may change */

    size_t errands, on_its_way; /* the latter in bytes */
    bool preparing, recovering, held, ended;
    bool asked; /* somebody waits for all errands */
} leati_file_sink;

static inline bool leati_file_sink_is_bulk(const leati_file_sink *f) {
    return f->format.role != LEAT_ROLE_NONE;
}

static inline leati_part *leati_part_at(leati_link *link) {
    return LEATI_CONTAINER(link, leati_part, link);
}

static inline bool leati_file_sink_is_full(const leati_file_sink *f, const leati_part *p) {
    return !f->rolls_on_checkpoint && p->size > f->part_size;
}

/* What was not given; again on the same struct does no harm. */
void leati_file_sink_defaults(leati_file_sink *f);
leat_status leati_file_sink_check(void *self, leat_error *err);

typedef enum leati_errand_kind {
    LEATI_TO_WRITE,
    LEATI_TO_SYNC,
    LEATI_TO_CLOSE,
    LEATI_TO_RESUME,
    LEATI_TO_PUBLISH
} leati_errand_kind;

leat_status leati_file_sink_send(leat_context *ctx, leati_file_sink *f, leati_part *p,
                                 leati_errand_kind kind);
leat_status leati_file_sink_publish(leat_context *ctx, leati_file_sink *f, leati_part *p,
                                    bool lasting);
/* What it was given since it was last sent, if there is something. */
leat_status leati_file_sink_send_filling(leat_context *ctx, leati_file_sink *f, leati_part *p);
/* The task goes on or does not, as things stand now. */
void leati_file_sink_hold(leat_context *ctx, leati_file_sink *f);
/* Forgets a part. */
void leati_file_sink_drop(leati_file_sink *f, leati_part *p);
/* The part gets no more; it waits for the next checkpoint. */
leat_status leati_file_sink_roll(leat_context *ctx, leati_file_sink *f, leati_part *p);

/* Hooks of the operator. */
leat_status leati_file_sink_prepare(leat_context *ctx, void *self, int64_t checkpoint);
leat_status leati_file_sink_commit(leat_context *ctx, void *self, int64_t checkpoint);
leat_status leati_file_sink_snapshot(leat_context *ctx, void *self, leat_snapshot *out);
leat_status leati_file_sink_restore(leat_context *ctx, void *self, leat_snapshot *in);

#endif
