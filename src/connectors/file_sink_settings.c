/* file_sink_settings.c: what a file sink was told, what it was not, and whether that fits. */
#include "connectors/file_sink.h"

#include "connectors/bulk_part.h"
#include "connectors/date_pattern.h"
#include "runtime/base/file_path.h"

static const int64_t NEVER = INT64_C(1) << 52; /* ms: far beyond any clock */

void leati_file_sink_defaults(leati_file_sink *f) {
    f->path = leati_file_path(f->path);
    if (!f->prefix) f->prefix = "part";
    if (!f->suffix) f->suffix = "";
    if (!f->bucket) f->bucket = "";
    if (!f->part_size) f->part_size = 128 << 20;
    if (!f->rollover) f->rollover = 60 * 1000;
    if (!f->inactivity) f->inactivity = 60 * 1000;
    if (!f->check_every) f->check_every = 60 * 1000;
    if (f->check_every > NEVER) f->check_every = NEVER;
    if (leati_file_sink_is_bulk(f)) f->rolls_on_checkpoint = 1;
}

static leat_status check_numbers(const leati_file_sink *f, leat_error *err) {
    if (f->part_size > 0 && f->rollover > 0 && f->inactivity > 0 && f->check_every > 0)
        return LEAT_OK;
    return leat_error_set(err, LEAT_E_ARGUMENT, "file_sink",
                          "the part size (%lld bytes), rollover (%lld ms), inactivity (%lld ms) "
                          "and check intervals (%lld ms) must be at least 1",
                          (long long)f->part_size, (long long)f->rollover, (long long)f->inactivity,
                          (long long)f->check_every);
}

static leat_status check_names(const leati_file_sink *f, leat_error *err) {
    if (strchr(f->prefix, '/') || strchr(f->suffix, '/'))
        return leat_error_set(err, LEAT_E_ARGUMENT, "file_sink",
                              "'%s' and '%s' can't begin and end the name of a file; leave out '/'",
                              f->prefix, f->suffix);
    if (!*f->path)
        return leat_error_set(err, LEAT_E_ARGUMENT, "file_sink", "no folder is named to write to");
    leat_status status = leati_file_path_check(f->path, err);
    if (status < 0) return status;
    return *f->bucket ? leati_date_pattern_check(f->bucket, err) : LEAT_OK;
}

leat_status leati_file_sink_check(void *self, leat_error *err) {
    leati_file_sink *f = self;
    leati_file_sink_defaults(f);
    leat_status status = check_numbers(f, err);
    if (status >= 0) status = check_names(f, err);
    if (status >= 0 && leati_file_sink_is_bulk(f)) status = leati_bulk_check(&f->format, err);
    if (status >= 0) status = leati_charset_new(f->charset_name, &f->charset, err);
    if (status >= 0) status = leati_zone_new(f->zone_id, &f->zone, err);
    leati_charset_free(f->charset);
    leati_zone_free(f->zone);
    f->charset = NULL;
    f->zone = NULL;
    return status;
}
