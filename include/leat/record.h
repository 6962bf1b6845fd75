/* record.h: a value on its way: with its key and its event time. Records are lent for one call. */
#ifndef LEAT_RECORD_H
#define LEAT_RECORD_H

#include "value.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LEAT_NO_TIME  INT64_MIN /* event time of a record that has none */
#define LEAT_MAX_TIME INT64_MAX /* the watermark after the last record */

typedef struct leat_record {
    leat_value value;
    leat_value key; /* set by key_by; LEAT_NULL otherwise */
    int64_t time;   /* event time in milliseconds since the epoch, or LEAT_NO_TIME */
    uint64_t hash;  /* of the key; the target of a custom partitioner */
} leat_record;

/* A record without a key, where it stands: compilers copy it in other pieces than it was written in
   when a function returns it, which costs more than all else. */
static inline void leat_record_init(leat_record *r, leat_value value, int64_t time) {
    r->value = value;
    r->key = leat_null();
    r->time = time;
    r->hash = 0;
}

static inline leat_record leat_record_of(leat_value value, int64_t time) {
    leat_record r;
    leat_record_init(&r, value, time);
    return r;
}

#ifdef __cplusplus
}
#endif
#endif
