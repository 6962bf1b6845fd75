/* lowest_time.h: a time that each subtask has, in snapshots: of those of all subtasks the lowest
   counts, so that time does not jump. An item of a union list: 8 bytes, little endian. */
#ifndef LEATI_LOWEST_TIME_H
#define LEATI_LOWEST_TIME_H

#include "leat/operator.h"
#include "runtime/base/buf.h"

static inline leat_status leati_lowest_time_write(leat_snapshot *out, const char *name,
                                                  int64_t time) {
    leati_buf item;
    leati_buf_init(&item);
    leati_buf_u64(&item, (uint64_t)time);
    leat_status status =
        item.failed ? LEAT_E_NOMEM
                    : leat_snapshot_write(out, name, LEAT_UNION_LIST, item.bytes, item.size);
    leati_buf_fini(&item);
    return status;
}

/* LEAT_DONE: nobody had one. */
static inline leat_status leati_lowest_time_read(leat_snapshot *in, const char *name,
                                                 int64_t *time) {
    const void *bytes;
    size_t size, i = 0;
    for (; leat_snapshot_read(in, name, i, &bytes, &size) == LEAT_OK; i++) {
        leati_reader item = leati_reader_of(bytes, size);
        int64_t other = (int64_t)leati_reader_u64(&item);
        if (item.failed || leati_reader_left(&item)) return LEAT_E_FORMAT;
        if (i == 0 || other < *time) *time = other;
    }
    return i ? LEAT_OK : LEAT_DONE;
}

#endif
