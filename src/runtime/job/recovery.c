/* recovery.c: see recovery.h. An operator opens the files of its former subtasks by itself, so that
   threads share nothing but the manifest. */
#include "runtime/job/recovery.h"

#include "runtime/base/alloc.h"
#include "runtime/base/log.h"
#include "runtime/flow/snapshot.h"

struct leati_recovery {
    char *folder;
    leati_manifest manifest;
};

leati_recovery *leati_recovery_open(const char *folder, leat_error *err) {
    leati_recovery *r = leati_zalloc(sizeof *r);
    if (r) r->folder = leati_strdup(folder);
    if (!r || !r->folder)
        leat_error_set(err, LEAT_E_NOMEM, folder, "no memory");
    else if (leati_manifest_read(folder, &r->manifest, err) >= 0)
        return r;
    leati_recovery_free(r);
    return NULL;
}

void leati_recovery_free(leati_recovery *r) {
    if (!r) return;
    leati_manifest_fini(&r->manifest);
    leati_free(r->folder);
    leati_free(r);
}

const leati_manifest *leati_recovery_manifest(const leati_recovery *r) {
    return &r->manifest;
}

leat_status leati_recovery_verify(leati_recovery *r, bool foreign, const leati_abort *abort,
                                  leat_error *err) {
    return leati_cp_verify(r->folder, &r->manifest, foreign, abort, err);
}

static bool file_has(const leati_cp_file *f, const char *id) {
    for (int i = 0; i < f->operator_count; i++)
        if (strcmp(f->operators[i].id, id) == 0) return true;
    return false;
}

/* --- does it fit? ----------------------------------------------------------------------------- */

static bool plan_has(const leati_plan *plan, const char *id) {
    for (int i = 0; i < plan->info_count; i++)
        if (strcmp(plan->infos[i].id, id) == 0) return true;
    return false;
}

static bool is_known(const leati_recovery *r, const char *id) {
    for (int i = 0; i < r->manifest.file_count; i++)
        if (file_has(&r->manifest.files[i], id)) return true;
    return false;
}

/* "'counts' (Keyed Reduce)", of those that only one side has. */
static void name_one(leati_buf *out, const char *id, const char *name) {
    leati_buf_printf(out, "%s'%s' (%s)", out->size ? ", " : "", id, name);
}

static leat_status misfit(const leati_recovery *r, const leati_plan *plan, leati_buf *gone,
                          leat_error *err) {
    leati_buf fresh;
    leati_buf_init(&fresh);
    for (int i = 0; i < plan->info_count; i++)
        if (!is_known(r, plan->infos[i].id))
            name_one(&fresh, plan->infos[i].id, plan->infos[i].name);
    leat_error_set(
        err, LEAT_E_STATE, r->folder,
        "it is of job '%s' and has operators that this job does not have: %s; those that "
        "only this job has: %s; give operators the uid that they had, or start with "
        "--allow-non-restored-state",
        r->manifest.job_name, leati_buf_cstr(gone), fresh.size ? leati_buf_cstr(&fresh) : "none");
    leati_buf_fini(&fresh);
    return LEAT_E_STATE;
}

static bool remembers(const leati_recovery *r, const char *id) {
    for (int i = 0; i < r->manifest.file_count; i++) {
        const leati_cp_file *f = &r->manifest.files[i];
        for (int k = 0; k < f->operator_count; k++)
            if (f->operators[k].remembers && strcmp(f->operators[k].id, id) == 0) return true;
    }
    return false;
}

/* Appends those that remember something and that the plan does not have, each once. */
static void find_gone(const leati_recovery *r, const leati_plan *plan, leati_buf *gone) {
    for (int i = 0; i < r->manifest.file_count; i++) {
        const leati_cp_file *f = &r->manifest.files[i];
        for (int k = 0; k < f->operator_count && f->subtask == 0; k++) {
            const leati_cp_operator *o = &f->operators[k];
            if (!plan_has(plan, o->id) && remembers(r, o->id)) name_one(gone, o->id, o->name);
        }
    }
}

leat_status leati_recovery_check(const leati_recovery *r, const leati_plan *plan, bool partly,
                                 leat_error *err) {
    leati_buf gone;
    leati_buf_init(&gone);
    find_gone(r, plan, &gone);
    leat_status status = LEAT_OK;
    if (gone.size && !partly) status = misfit(r, plan, &gone, err);
    if (gone.size && partly)
        leati_log(LEAT_LOG_WARNING, "%s: left out, since the job does not have them any more: %s",
                  r->folder, leati_buf_cstr(&gone));
    leati_buf_fini(&gone);
    return status;
}

/* --- feeding ---------------------------------------------------------------------------------- */

static const leati_row *find_operator(const leati_store *s, const char *id) {
    const leati_row *all;
    size_t count = leati_store_rows(s, &all);
    for (size_t i = 0; i < count; i++)
        if (all[i].kind == LEATI_ROW_OPERATOR && strcmp(all[i].name, id) == 0) return &all[i];
    return NULL;
}

static leat_status open_one(const leati_recovery *r, const leati_cp_file *f, const char *id,
                            leati_restored *out, leat_error *err) {
    char *path = leati_format("%s/%s", r->folder, f->name);
    if (!path) return leat_error_set(err, LEAT_E_NOMEM, r->folder, "no memory");
    out->store = leati_store_open(path, err);
    leat_status status = out->store ? LEAT_OK : err->status;
    out->row = out->store ? find_operator(out->store, id) : NULL;
    if (out->store && !out->row)
        status = leat_error_set(err, LEAT_E_FORMAT, path, "it is not the file that %s says it is",
                                LEATI_MANIFEST);
    leati_free(path);
    return status;
}

/* By former subtask; the manifest has each of them once. */
static leat_status open_all(const leati_recovery *r, const char *id, leati_restored *out,
                            leat_error *err) {
    leat_status status = LEAT_OK;
    for (int i = 0; i < r->manifest.file_count && status >= 0; i++) {
        const leati_cp_file *f = &r->manifest.files[i];
        if (file_has(f, id)) status = open_one(r, f, id, &out[f->subtask], err);
    }
    return status;
}

static int former_parallelism(const leati_recovery *r, const char *id) {
    for (int i = 0; i < r->manifest.file_count; i++)
        if (file_has(&r->manifest.files[i], id)) return r->manifest.files[i].parallelism;
    return 0;
}

/* What another attempt would meet again. */
static bool is_refusal(leat_status status) {
    return status == LEAT_E_FORMAT || status == LEAT_E_STATE || status == LEAT_E_NOT_FOUND ||
           status == LEAT_E_TYPE;
}

/* `log`: where the records of a log go to; NULL: what the operator remembers is restored. */
static leat_status feed(const leati_recovery *r, leat_context *ctx, leati_batch **log) {
    leat_error err;
    int count = former_parallelism(r, ctx->info->id);
    if (!count) return LEAT_OK; /* it is new */
    leati_restored *from = leati_zalloc((size_t)count * sizeof *from);
    if (!from) return LEAT_E_NOMEM;
    leat_status status = open_all(r, ctx->info->id, from, &err);
    if (status < 0)
        leat_context_fail(ctx, status, "%s: %s", err.where, err.text);
    else
        status = log ? leati_context_restore_log(ctx, from, count, log)
                     : leati_context_restore(ctx, from, count);
    for (int i = 0; i < count; i++) leati_store_free(from[i].store);
    leati_free(from);
    if (!is_refusal(status)) return status;
    ctx->chain->failure.status = LEAT_E_RESTORE; /* said already, as what it is */
    return LEAT_E_RESTORE;
}

leat_status leati_recovery_feed(void *recovery, leat_context *ctx) {
    return feed(recovery, ctx, NULL);
}

leat_status leati_recovery_feed_log(void *recovery, leat_context *ctx, leati_batch **out) {
    return feed(recovery, ctx, out);
}
