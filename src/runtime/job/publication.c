/* publication.c: see publication.h. */
#include "runtime/job/publication.h"

#include <inttypes.h>
#include <unistd.h>

#include "runtime/base/alloc.h"
#include "runtime/base/clock.h"
#include "runtime/base/log.h"
#include "runtime/job/job.h"

bool leati_publication_is_last(const leati_publication *p) {
    return p->wish && p->wish->then != LEATI_THEN_GO_ON;
}

static leat_status describe(const leati_publication *p, leati_manifest *m) {
    memset(m, 0, sizeof *m);
    m->job_name = leati_strdup(p->job->name);
    m->job_id = leati_strdup(p->job->id);
    m->number = p->number;
    m->time = leati_clock_now();
    m->attempt = p->job->attempt;
    m->flags = p->wish ? LEATI_CP_SAVEPOINT : 0;
    if (leati_publication_is_last(p)) m->flags |= LEATI_CP_STOPPED;
    if (!m->job_name || !m->job_id) return LEAT_E_NOMEM;
    return leati_manifest_describe(m, p->job->plan, p->seals);
}

static char *target(const leati_publication *p, leat_error *err) {
    if (!p->wish) return leati_cp_folder(p->folder->path, p->number);
    if (leati_cp_make(p->wish->dir, err) < 0) return NULL;
    return leati_format("%s/savepoint-%.6s-%012" PRIx64, p->wish->dir, p->job->id,
                        (uint64_t)leati_clock_now() << 8 | ((uint64_t)p->number & 0xff));
}

/* The job stops with a savepoint, and sinks commit what it has: the job's newest checkpoint, from
   which another run would start, must be no older. So without one there is no savepoint. */
static leat_status keep_beside(const leati_publication *p, const char *savepoint,
                               const leati_manifest *m, leat_error *err) {
    if (p->folder->temporary) return LEAT_OK;
    char *to = leati_cp_folder(p->folder->path, p->number);
    leat_status status = to ? leati_cp_copy(savepoint, to, m, err)
                            : leat_error_set(err, LEAT_E_NOMEM, savepoint, "no memory");
    leati_free(to);
    if (status < 0) leati_cp_remove(savepoint);
    return status;
}

/* The part of a savepoint has got another name; this says that its number was used. */
static void keep_number(const char *part) {
    leat_error err;
    leati_cp_make(part, &err);
}

char *leati_publication_make(const leati_publication *p, leat_error *err) {
    leati_manifest m;
    leat_error_set(err, LEAT_E_NOMEM, "checkpoint", "no memory");
    char *part = leati_cp_part(p->folder->path, p->number), *to = target(p, err);
    bool ok = part && to && describe(p, &m) >= 0;
    if (ok) ok = leati_cp_publish(part, to, &m, err) >= 0;
    bool last = leati_publication_is_last(p), published = ok;
    if (ok && last) ok = keep_beside(p, to, &m, err) >= 0;
    if (published && p->wish && !(ok && last)) keep_number(part);
    if (part && to) leati_manifest_fini(&m);
    leati_free(part);
    if (ok) return to;
    leati_free(to);
    return NULL;
}

void leati_publication_tidy(const leati_job_folder *folder, int retained) {
    leat_error err;
    int64_t *numbers, highest;
    leati_cp_remove_parts(folder->path, false);
    int count = leati_cp_list(folder->path, &numbers, &highest, &err);
    for (int i = retained; i < count; i++) leati_cp_discard(folder->path, numbers[i]);
    leati_free(numbers);
}

static void mark_finished(const char *folder) {
    leat_error err;
    if (leati_cp_finish(folder, &err) < 0)
        leati_log(LEAT_LOG_WARNING,
                  "%s: %s; the job has finished, and a run that starts from %s finishes again",
                  err.where, err.text, folder);
}

void leati_publication_finish(const leati_job_folder *folder, const char *newest, int64_t number) {
    mark_finished(newest);
    char *own = leati_cp_folder(folder->path, number);
    if (own && strcmp(own, newest) != 0 && access(own, F_OK) == 0) mark_finished(own);
    leati_free(own);
}
