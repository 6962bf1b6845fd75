/* origin.c: see origin.h. Nothing is ever fallen back upon in silence: where the newest checkpoint
   is damaged, the error names the newest one that is whole, and only --allow-older
   (execution.state-recovery.allow-older) takes it. The same for any that is older than the newest
   of the job's folder, since sinks may have committed what came between. */
#include "runtime/job/origin.h"

#include <inttypes.h>
#include <stdlib.h>

#include "runtime/base/alloc.h"
#include "runtime/base/file_path.h"
#include "runtime/base/log.h"
#include "runtime/job/recovery.h"

typedef struct search {
    const leati_job_folder *folder;
    const leati_plan *plan;
    const leati_abort *abort;
    bool partly, older, foreign;
    int64_t *numbers; /* of the complete ones in the folder, the newest first */
    int count;
    leati_recovery *found;
} search;

static leat_status no_memory(leat_error *err) {
    return leat_error_set(err, LEAT_E_NOMEM, "checkpoints", "no memory");
}

/* --- one -------------------------------------------------------------------------------------- */

/* Reads and checks all of it. */
static leati_recovery *open_whole(const search *s, const char *folder, leat_error *err) {
    leati_recovery *r = leati_recovery_open(folder, err);
    if (r && leati_recovery_verify(r, s->foreign, s->abort, err) >= 0) return r;
    leati_recovery_free(r);
    return NULL;
}

/* --- the newest ------------------------------------------------------------------------------- */

/* The newest whole one behind the first; allocated, NULL: there is none. */
static char *find_older(search *s) {
    leat_error err;
    for (int i = 1; i < s->count; i++) {
        char *folder = leati_cp_folder(s->folder->path, s->numbers[i]);
        s->found = folder ? open_whole(s, folder, &err) : NULL;
        if (s->found) return folder;
        leati_free(folder);
    }
    return NULL;
}

static leat_status offer_older(search *s, leati_origin *o, leat_error *err) {
    leat_error why = *err;
    char *older = find_older(s);
    if (!older)
        return leat_error_set(err, why.status, why.where, "%s; there is no older checkpoint in %s",
                              why.text, s->folder->path);
    if (s->older) {
        leati_log(LEAT_LOG_WARNING, "%s: %s; the job starts from %s, as --allow-older says",
                  why.where, why.text, older);
        o->folder = older;
        return LEAT_OK;
    }
    leat_error_set(err, why.status, why.where,
                   "%s; the newest checkpoint that is whole is %s: --allow-older starts from it, "
                   "and sinks may then give again what they have given since",
                   why.text, older);
    leati_free(older);
    return why.status;
}

static leat_status find_newest(search *s, leati_origin *o, leat_error *err) {
    if (s->folder->temporary) {
        leati_log(
            LEAT_LOG_WARNING,
            "execution.checkpointing.dir: it is not set, so there is no checkpoint of a former "
            "run to go on with; the job starts afresh");
        return LEAT_OK;
    }
    if (!s->count) {
        leati_log(LEAT_LOG_WARNING, "%s: there is no checkpoint of this job yet; it starts afresh",
                  s->folder->path);
        return LEAT_OK;
    }
    char *newest = leati_cp_folder(s->folder->path, s->numbers[0]);
    if (!newest) return no_memory(err);
    s->found = open_whole(s, newest, err);
    if (s->found) {
        o->folder = newest;
        return LEAT_OK;
    }
    leati_free(newest);
    bool damaged = err->status != LEAT_E_NOMEM && err->status != LEAT_E_CANCELLED;
    return damaged ? offer_older(s, o, err) : err->status;
}

/* --- a named one ------------------------------------------------------------------------------ */

static leat_status refuse_older(const search *s, const char *folder, leat_error *err) {
    const leati_manifest *m = leati_recovery_manifest(s->found);
    bool is_older = s->count && !s->folder->temporary && m->number < s->numbers[0];
    char *own = leati_cp_job_folder("", m->job_name);
    const char *name = strrchr(s->folder->path, '/');
    is_older = is_older && own && name && strcmp(own, name + 1) == 0;
    leati_free(own);
    if (!is_older || s->older) return LEAT_OK;
    return leat_error_set(err, LEAT_E_STATE, folder,
                          "it is older (number %" PRId64 ") than the job's newest checkpoint "
                          "%s/chk-%" PRId64 ", and sinks may have committed what came between; "
                          "start from that, or give --allow-older",
                          m->number, s->folder->path, s->numbers[0]);
}

static leat_status find_named(search *s, const char *path, leati_origin *o, leat_error *err) {
    if (leati_file_path_check(path, err) < 0) return err->status;
    o->folder = leati_cp_named(path);
    if (!o->folder) return no_memory(err);
    s->found = open_whole(s, o->folder, err);
    return s->found ? refuse_older(s, o->folder, err) : err->status;
}

/* --- the whole -------------------------------------------------------------------------------- */

static void announce(const search *s, const leati_origin *o) {
    const leati_manifest *m = leati_recovery_manifest(s->found);
    leati_log(o->finished ? LEAT_LOG_WARNING : LEAT_LOG_INFO,
              o->finished
                  ? "%s: the job '%s' had finished with this checkpoint; there is nothing to do"
                  : "%s: the job '%s' goes on from this checkpoint",
              o->folder, m->job_name);
}

/* The next checkpoints of this run take the place of those that are there. */
static void warn_of_older(const search *s) {
    leati_manifest m;
    leat_error err;
    char *newest = s->count ? leati_cp_folder(s->folder->path, s->numbers[0]) : NULL;
    if (newest && leati_manifest_read(newest, &m, &err) >= 0) {
        if (!(m.flags & LEATI_CP_FINISHED))
            leati_log(LEAT_LOG_WARNING,
                      "%s: it is from a former run, and this one starts afresh; to go on from it, "
                      "start with -s latest (execution.state-recovery.path)",
                      newest);
        leati_manifest_fini(&m);
    }
    leati_free(newest);
}

static leat_status find(search *s, leati_origin *o, leat_error *err) {
    const char *path = leati_config_get(s->plan->config, "execution.state-recovery.path");
    s->count = leati_cp_list(s->folder->path, &s->numbers, &o->number, err);
    if (s->count < 0) return err->status;
    if (!path || !*path) {
        warn_of_older(s);
        return LEAT_OK;
    }
    leat_status status =
        strcmp(path, "latest") == 0 ? find_newest(s, o, err) : find_named(s, path, o, err);
    if (status < 0 || !s->found) return status;
    status = leati_recovery_check(s->found, s->plan, s->partly, err);
    if (status < 0) return status;
    const leati_manifest *m = leati_recovery_manifest(s->found);
    o->finished = m->flags & LEATI_CP_FINISHED;
    if (m->number > o->number) o->number = m->number;
    announce(s, o);
    return LEAT_OK;
}

leat_status leati_origin_find(leati_origin *o, const leati_job_folder *f, const leati_plan *plan,
                              const leati_abort *abort, leat_error *err) {
    const leati_config *config = plan->config;
    search s = {.folder = f, .plan = plan, .abort = abort};
    s.partly = leati_config_bool(config, "execution.state-recovery.ignore-unclaimed-state");
    s.older = leati_config_bool(config, "execution.state-recovery.allow-older");
    s.foreign = leati_config_bool(config, "execution.state-recovery.allow-other-owner");
    leat_status status = find(&s, o, err);
    leati_recovery_free(s.found);
    leati_free(s.numbers);
    if (status == LEAT_E_FORMAT || status == LEAT_E_NOT_FOUND || status == LEAT_E_STATE ||
        status == LEAT_E_UNSUPPORTED)
        status = err->status = LEAT_E_RESTORE;
    return status;
}

void leati_origin_fini(leati_origin *o) {
    leati_free(o->folder);
    memset(o, 0, sizeof *o);
}
