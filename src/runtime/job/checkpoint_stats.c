/* checkpoint_stats.c: see checkpoint_stats.h. */
#include "runtime/job/checkpoint_stats.h"

#include <inttypes.h>
#include <string.h>

#include "runtime/base/alloc.h"
#include "runtime/base/clock.h"
#include "runtime/job/job_status.h"

void leati_cp_stats_complete(leati_cp_stats *s, int64_t number, int64_t duration_ms, uint64_t size,
                             const char *path) {
    s->completed++;
    s->last = number;
    s->completed_at = leati_clock_now();
    s->duration_ms = duration_ms;
    s->size = size;
    leati_free(s->path);
    s->path = leati_strdup(path);
}

void leati_cp_stats_json(const leati_cp_stats *s, leati_buf *out) {
    bool any = s->last > 0;
    leati_buf_printf(
        out,
        "{\"totalNumberOfCheckpoints\": %" PRId64 ", \"numberOfInProgressCheckpoints\": %" PRId64
        ", \"numberOfCompletedCheckpoints\": %" PRId64 ", \"numberOfFailedCheckpoints\": %" PRId64
        ", \"lastCheckpointRestoreTimestamp\": %" PRId64,
        s->begun, s->begun - s->completed - s->failed, s->completed, s->failed,
        s->restored_at ? s->restored_at : -1);
    leati_buf_printf(out,
                     ", \"lastCompletedCheckpointId\": %" PRId64
                     ", \"lastCheckpointCompletedTimestamp\": %" PRId64
                     ", \"lastCheckpointDuration\": %" PRId64 ", \"lastCheckpointSize\": %" PRId64
                     ", \"lastCheckpointExternalPath\": ",
                     any ? s->last : -1, any ? s->completed_at : -1, any ? s->duration_ms : -1,
                     any ? (int64_t)s->size : -1);
    if (s->path)
        leati_json_string(out, s->path);
    else
        leati_buf_text(out, "null");
    leati_buf_text(out, "}");
}

void leati_cp_stats_line(const leati_cp_stats *s, leati_buf *out) {
    if (s->last) {
        int64_t age = leati_clock_now() - s->completed_at; /* somebody may have set the clock */
        leati_buf_printf(out, ", checkpoint %" PRId64 " ", s->last);
        leati_put_span(out, age > 0 ? age : 0);
        leati_buf_text(out, " ago");
    }
    if (s->failed)
        leati_buf_printf(out, ", %" PRId64 " checkpoint%s failed", s->failed,
                         s->failed == 1 ? "" : "s");
}

void leati_cp_stats_fini(leati_cp_stats *s) {
    leati_free(s->path);
    memset(s, 0, sizeof *s);
}
