/* coordinator.c: see coordinator.h. One checkpoint is under way at a time. Numbers only grow, also
   over runs: what is there in the folder, complete or not, was used. */
#include "runtime/job/coordinator.h"

#include <inttypes.h>

#include "runtime/base/alloc.h"
#include "runtime/base/clock.h"
#include "runtime/base/log.h"
#include "runtime/job/job.h"
#include "runtime/job/origin.h"
#include "runtime/job/pool.h"
#include "runtime/job/publication.h"

static const int64_t NS_PER_MS = 1000000;
static const char NOWHERE[] = "checkpoint"; /* where an error is that names its file by itself */

typedef enum cp_purpose { FOR_RESTART, FOR_SAVEPOINT, FOR_THE_END } cp_purpose;

struct leati_coordinator {
    leat_job *job;
    leati_job_folder folder;
    bool waits, set_out; /* for it, at the start; it has all that it begins with */
    leati_origin origin;
    int64_t interval, timeout, min_pause; /* ns; interval 0: none but savepoints */
    int retained;
    int64_t tolerable;

    int64_t number;   /* of the last one that was begun */
    int64_t complete; /* the newest that is complete; 0: none in this run */
    char *newest;     /* its folder */
    int64_t next_at;  /* when the next one is due */
    int64_t earliest; /* when it may begin, if it is asked for before that */
    bool hurried;     /* it was, while one was under way */
    int64_t failures; /* in a row */

    bool active;
    cp_purpose purpose;
    int64_t began;
    int acknowledged;
    bool *has;            /* by task */
    leati_cp_seal *seals; /* by task */
    char *declined;       /* why it cannot be complete; NULL: it can */
    leati_link wishes;
    leati_wish *wish; /* that the one under way fulfils; NULL: it is no savepoint */
    bool draining, last_failed, last_made, stopped;
    leati_cp_stats stats;
    bool ended;  /* the newest has the end of all data */
    bool let_go; /* of the job's lock, in this turn */
};

/* --- the beginning and the end ---------------------------------------------------------------- */

/* In nanoseconds; what is longer than thirty years is as good as for ever. */
static int64_t span(const leati_config *config, const char *key) {
    static const int64_t MOST = INT64_C(1) << 40;
    int64_t ms = leati_config_duration_ms(config, key);
    return (ms < MOST ? ms : MOST) * NS_PER_MS;
}

static void read_config(leati_coordinator *c) {
    const leati_config *config = c->job->plan->config;
    c->interval = span(config, "execution.checkpointing.interval");
    c->timeout = span(config, "execution.checkpointing.timeout");
    c->min_pause = span(config, "execution.checkpointing.min-pause");
    if (c->job->plan->batch) c->interval = 0;
    c->retained = (int)leati_config_int(config, "execution.checkpointing.num-retained");
    c->tolerable = leati_config_int(config, "execution.checkpointing.tolerable-failed-checkpoints");
}

static leat_status prepare(leati_coordinator *c, leat_error *err) {
    size_t tasks = (size_t)c->job->plan->task_count;
    c->has = leati_zalloc(tasks * sizeof *c->has + 1);
    c->seals = leati_zalloc(tasks * sizeof *c->seals + 1);
    leat_error own;
    leat_error_set(&own, LEAT_E_NOMEM, "checkpoints", "no memory");
    leat_status status = c->has && c->seals ? LEAT_OK : LEAT_E_NOMEM;
    const leati_plan *plan = c->job->plan;
    if (status >= 0)
        status = leati_job_folder_init(&c->folder, plan->config, c->job->name, c->job->id, &own);
    c->waits = status == LEAT_AGAIN;
    if (status < 0) *err = own;
    return status;
}

leati_coordinator *leati_coordinator_new(leat_job *job, leat_error *err) {
    leati_coordinator *c = leati_zalloc(sizeof *c);
    if (!c) {
        leat_error_set(err, LEAT_E_NOMEM, "checkpoints", "no memory");
        return NULL;
    }
    c->job = job;
    leati_list_init(&c->wishes);
    read_config(c);
    if (prepare(c, err) >= 0) return c;
    leati_coordinator_free(c);
    return NULL;
}

bool leati_coordinator_waits(const leati_coordinator *c) {
    return c->waits;
}

static bool is_ending(void *job) {
    return leati_job_is_failing(job);
}

leat_status leati_coordinator_start(leati_coordinator *c, leat_error *err) {
    const leati_abort abort = {is_ending, c->job};
    leat_status status = leati_job_folder_await(&c->folder, c->job->id, &abort, err);
    if (status >= 0) status = leati_origin_find(&c->origin, &c->folder, c->job->plan, &abort, err);
    c->number = c->origin.number;
    c->set_out = status >= 0;
    return status;
}

void leati_coordinator_free(leati_coordinator *c) {
    if (!c) return;
    leati_origin_fini(&c->origin);
    leati_job_folder_fini(&c->folder);
    leati_free(c->newest);
    leati_free(c->declined);
    leati_free(c->has);
    leati_free(c->seals);
    leati_cp_stats_fini(&c->stats);
    leati_free(c);
}

int leati_coordinator_lock(const leati_coordinator *c) {
    return c->folder.lock;
}

const char *leati_coordinator_folder(const leati_coordinator *c) {
    return c->folder.path;
}

const char *leati_coordinator_restore(const leati_coordinator *c) {
    return c->newest ? c->newest : c->origin.folder;
}

const leati_cp_stats *leati_coordinator_stats(const leati_coordinator *c) {
    return &c->stats;
}

int64_t leati_coordinator_complete(const leati_coordinator *c) {
    return c->complete;
}

bool leati_coordinator_has_finished(const leati_coordinator *c) {
    return c->origin.finished;
}

/* --- the end of one --------------------------------------------------------------------------- */

/* Takes `path`; NULL: `err` says why. */
static void fulfil(leati_coordinator *c, leati_wish *w, char *path, const leat_error *err) {
    w->path = path;
    if (!path) w->err = *err;
    w->done = true;
    leati_wish_unref(w);
    pthread_cond_broadcast(&c->job->changed);
}

static void close_one(leati_coordinator *c) {
    int64_t now = leati_clock_monotonic();
    int64_t due = c->began + c->interval, pause = now + c->min_pause;
    c->active = false;
    c->earliest = pause;
    c->next_at = due > pause && !c->hurried ? due : pause;
    c->hurried = false;
    leati_collects_settle(c->job, c->number);
    leati_free(c->declined);
    c->declined = NULL;
}

static void resume_all(const leati_coordinator *c) {
    leati_host_resume(c->job->host, c->number);
    if (c->job->pool) leati_pool_resume(c->job->pool, c->number);
}

/* Files are removed without the job's lock, since it may take long. */
static void let_go(leati_coordinator *c) {
    c->let_go = true;
    pthread_mutex_unlock(&c->job->lock);
}

static void take_back(const leati_coordinator *c) {
    pthread_mutex_lock(&c->job->lock);
}

/* The end of an attempt takes a checkpoint with it, which is nobody's worry. */
static void log_failed(const leati_coordinator *c, const leat_error *why) {
    bool tolerated = !c->wish && c->failures >= 0 && c->failures < c->tolerable;
    char *left = tolerated
                     ? leati_format("; the job goes on, and %" PRId64 " more may fail in a row",
                                    c->tolerable - c->failures - 1)
                     : NULL;
    leati_log(c->failures < 0 ? LEAT_LOG_INFO : LEAT_LOG_WARNING,
              "%s: %s %" PRId64 " failed: %s%s%s%s", c->job->name,
              c->wish ? "savepoint" : "checkpoint", c->number,
              strcmp(why->where, NOWHERE) == 0 ? "" : why->where,
              strcmp(why->where, NOWHERE) == 0 ? "" : ": ", why->text, left ? left : "");
    leati_free(left);
}

/* Its files are removed; what sinks have prepared for it commits with the next. A job that was to
   stop goes on. */
static leat_status give_up(leati_coordinator *c, const leat_error *why, leat_error *err) {
    leat_error own = *why;
    char *part = leati_cp_part(c->folder.path, c->number);
    log_failed(c, &own);
    c->stats.failed++;
    leati_wish *wish = c->wish;
    bool ends = c->purpose == FOR_THE_END;
    c->wish = NULL;
    if (wish && wish->then == LEATI_THEN_STOP) resume_all(c);
    if (wish) fulfil(c, wish, NULL, &own);
    close_one(c);
    let_go(c);
    if (part) leati_cp_remove(part);
    leati_free(part);
    take_back(c);
    if (wish) return LEAT_OK;
    c->last_failed = ends;
    if (++c->failures <= c->tolerable) return LEAT_OK;
    return leat_error_set(err, own.status, own.where,
                          "%s (checkpoint %" PRId64 "%s; %" PRId64 " may fail in a row: "
                          "execution.checkpointing.tolerable-failed-checkpoints)",
                          own.text, c->number, ends ? ", the job's last" : "", c->tolerable);
}

void leati_coordinator_hurry(leati_coordinator *c) {
    int64_t now = leati_clock_monotonic(), soon = now > c->earliest ? now : c->earliest;
    c->hurried = c->active;
    if (c->active || soon >= c->next_at) return;
    c->next_at = soon;
    pthread_cond_broadcast(&c->job->changed);
}

void leati_coordinator_saved(leati_coordinator *c, const leati_saved *s) {
    if (!c->active || s->checkpoint != c->number || s->task < 0 ||
        s->task >= c->job->plan->task_count || c->has[s->task])
        return;
    c->has[s->task] = true;
    c->seals[s->task] = (leati_cp_seal){s->size, s->crc};
    c->acknowledged++;
    if (s->status < 0 && !c->declined) c->declined = leati_strdup(s->why);
    pthread_cond_broadcast(&c->job->changed);
}

/* --- complete -------------------------------------------------------------------------------- */

static leati_publication publication(const leati_coordinator *c) {
    return (leati_publication){c->job, &c->folder, c->number, c->seals, c->wish};
}

static void commit_all(const leati_coordinator *c) {
    leati_host_complete(c->job->host, c->number);
    if (c->job->pool) leati_pool_complete(c->job->pool, c->number);
}

static void say_complete(leati_coordinator *c, const char *folder) {
    uint64_t bytes = 0;
    int64_t took = (leati_clock_monotonic() - c->began) / NS_PER_MS;
    for (int i = 0; i < c->job->plan->task_count; i++) bytes += c->seals[i].size;
    leati_cp_stats_complete(&c->stats, c->number, took, bytes, folder);
    leati_log(LEAT_LOG_INFO,
              "%s: checkpoint %" PRId64 " complete in %" PRId64 " ms, %" PRIu64 " bytes: %s",
              c->job->name, c->number, took, bytes, folder);
}

/* From a savepoint that stopped the job, the next attempt would have to start, too: sinks have
   committed it. */
static void take_complete(leati_coordinator *c, char *folder, bool stops) {
    leati_wish *wish = c->wish;
    leat_error err;
    say_complete(c, folder);
    c->failures = 0;
    c->wish = NULL;
    if (!wish || stops) {
        c->complete = c->number;
        leati_free(c->newest);
        c->newest = folder;
        c->ended = c->purpose == FOR_THE_END || (wish && wish->then == LEATI_THEN_END);
        commit_all(c);
    }
    if (stops) c->stopped = true;
    if (c->purpose == FOR_THE_END) c->last_made = true;
    leat_error_set(&err, LEAT_E_NOMEM, folder, "it is complete, but there is no memory");
    if (wish) fulfil(c, wish, stops ? leati_strdup(folder) : folder, &err);
    close_one(c);
}

static leat_status complete(leati_coordinator *c, leat_error *err) {
    leat_error own;
    leati_publication p = publication(c);
    bool last = leati_publication_is_last(&p);
    let_go(c);
    char *folder = leati_publication_make(&p, &own);
    take_back(c);
    if (!folder) return give_up(c, &own, err);
    take_complete(c, folder, last);
    let_go(c);
    if (c->purpose != FOR_SAVEPOINT || last) leati_publication_tidy(&c->folder, c->retained);
    take_back(c);
    return LEAT_OK;
}

/* --- the beginning of one --------------------------------------------------------------------- */

static void tell_sources(const leati_coordinator *c, leati_then then) {
    leati_host_barrier(c->job->host, c->number, then);
    if (c->job->pool) leati_pool_barrier(c->job->pool, c->number, then);
}

static leat_status trigger(leati_coordinator *c, cp_purpose purpose, leat_error *err) {
    leat_error own;
    c->number++;
    c->active = true;
    c->stats.begun++;
    c->purpose = purpose;
    c->began = leati_clock_monotonic();
    c->acknowledged = 0;
    memset(c->has, 0, (size_t)c->job->plan->task_count * sizeof *c->has);
    leati_link *wished = purpose == FOR_SAVEPOINT ? leati_list_pop(&c->wishes) : NULL;
    if (wished) c->wish = LEATI_CONTAINER(wished, leati_wish, link);
    char *part = leati_cp_part(c->folder.path, c->number);
    leat_status status = part ? leati_cp_make(part, &own)
                              : leat_error_set(&own, LEAT_E_NOMEM, "checkpoint", "no memory");
    leati_free(part);
    if (status < 0) return give_up(c, &own, err);
    bool stops = c->wish && c->wish->then == LEATI_THEN_STOP;
    tell_sources(c, stops ? LEATI_THEN_STOP : LEATI_THEN_GO_ON);
    return LEAT_OK;
}

static bool has_all(const leati_coordinator *c) {
    return c->acknowledged == c->job->plan->task_count;
}

/* Says how many were, and of the first that was not, which stands nearest to the sources, the
   operators: one of them is what the others wait for. */
static void say_who_is_late(const leati_coordinator *c, leat_error *why) {
    const leati_plan *plan = c->job->plan;
    leati_buf names;
    int task = 0, v = 0;
    while (task < plan->task_count - 1 && c->has[task]) task++;
    while (task >= plan->vertices[v].first_task + plan->vertices[v].parallelism) v++;
    const leati_vertex *vertex = &plan->vertices[v];
    leati_buf_init(&names);
    for (int i = 0; i < vertex->count; i++)
        leati_buf_printf(&names, "%s%s", i ? ", " : "", plan->infos[vertex->nodes[i]].name);
    leati_buf_u8(&names, 0);
    leat_error_set(why, LEAT_E_TIMEOUT, NOWHERE,
                   "%d of %d tasks were done in time (execution.checkpointing.timeout); the first "
                   "that was not: %.200s (%d/%d)",
                   c->acknowledged, plan->task_count, names.failed ? "?" : names.bytes,
                   task - vertex->first_task + 1, vertex->parallelism);
    leati_buf_fini(&names);
}

static leat_status look_after(leati_coordinator *c, int64_t now, leat_error *err) {
    leat_error why;
    if (!c->declined && has_all(c)) return complete(c, err);
    if (!c->declined && now < c->began + c->timeout) return LEAT_OK;
    if (c->declined)
        leat_error_set(&why, LEAT_E_IO, NOWHERE, "%s", c->declined);
    else
        say_who_is_late(c, &why);
    return give_up(c, &why, err);
}

static bool is_wished(const leati_coordinator *c) {
    return !leati_list_empty(&c->wishes);
}

/* A job that is to drain ends its data first, which may take its time. Answers whether the
   savepoint that is wished first can be made. */
static bool is_ripe(leati_coordinator *c, bool ended) {
    if (!is_wished(c)) return false;
    if (LEATI_CONTAINER(c->wishes.next, leati_wish, link)->then != LEATI_THEN_END) return true;
    if (!c->draining && !ended) {
        c->draining = true;
        c->number++; /* which is nobody's */
        tell_sources(c, LEATI_THEN_END);
    }
    return ended;
}

/* The job's last one waits for nothing, unless it is tried again. Sources that were told to end
   have room for no other word. */
static bool is_due(const leati_coordinator *c, int64_t now, bool ended) {
    if (!c->interval || c->stopped || c->last_made) return false;
    if (!ended) return !c->draining && now >= c->next_at;
    return !is_wished(c) && (!c->last_failed || now >= c->next_at);
}

leat_status leati_coordinator_turn(leati_coordinator *c, int64_t *next, leat_error *err) {
    const leat_job *job = c->job;
    leat_status status = LEAT_OK;
    int64_t now = leati_clock_monotonic();
    *next = INT64_MAX;
    c->let_go = false;
    if (job->opened < job->expected || c->stopped) return LEAT_OK;
    if (c->active) status = look_after(c, now, err);
    bool ended = job->ended >= job->expected;
    if (status >= 0 && !c->active && is_ripe(c, ended)) status = trigger(c, FOR_SAVEPOINT, err);
    if (status >= 0 && !c->active && is_due(c, now, ended))
        status = trigger(c, ended ? FOR_THE_END : FOR_RESTART, err);
    if (c->let_go || (c->active && (has_all(c) || c->declined)))
        *next = now; /* the news that came meanwhile woke nobody */
    else if (c->active)
        *next = c->began + c->timeout;
    else if (is_due(c, INT64_MAX, ended))
        *next = c->next_at;
    return status;
}

bool leati_coordinator_is_done(leati_coordinator *c) {
    return c->stopped || (!c->active && !is_wished(c) && (c->last_made || !c->interval));
}

bool leati_coordinator_has_stopped(const leati_coordinator *c) {
    return c->stopped;
}

bool leati_coordinator_made_last(const leati_coordinator *c) {
    return c->stopped || c->last_made;
}

void leati_coordinator_finish(leati_coordinator *c) {
    if (c->ended && c->newest) leati_publication_finish(&c->folder, c->newest, c->complete);
}

/* What an attempt before had reached does not count, should it have failed afterwards. */
void leati_coordinator_begin(leati_coordinator *c) {
    c->next_at = leati_clock_monotonic() + c->interval;
    c->draining = c->last_failed = c->last_made = c->stopped = false;
    if (leati_coordinator_restore(c)) c->stats.restored_at = leati_clock_now();
}

void leati_coordinator_end(leati_coordinator *c) {
    leat_error err;
    if (!c->active) return;
    leat_error_set(&err, LEAT_E_STATE, c->job->name,
                   c->job->cancel ? "the job was cancelled" : "the job failed meanwhile");
    c->failures = -1; /* which fails nobody */
    give_up(c, &err, &err);
}

/* --- savepoints ------------------------------------------------------------------------------- */

static leat_status refuse_wish(const leati_coordinator *c, leat_error *err) {
    const char *why = NULL;
    leat_status status = LEAT_E_UNSUPPORTED;
    leat_job_state state = c->job->state;
    bool ended = state == LEAT_JOB_FINISHED || state == LEAT_JOB_FAILED;
    if (ended || c->job->cancel || c->job->over) {
        status = LEAT_E_STATE;
        why = "the job has ended";
    } else if (state != LEAT_JOB_RUNNING) {
        return leat_error_set(err, LEAT_E_STATE, c->job->name,
                              "the job is not running: it is %s; ask again when it is RUNNING",
                              leat_job_state_name(state));
    } else if (c->stopped) {
        status = LEAT_E_STATE;
        why = "the job has been stopped with a savepoint already";
    } else if (c->job->plan->batch) {
        why = "there are no savepoints of batch execution; set execution.runtime-mode to STREAMING";
    }
    return why ? leat_error_set(err, status, c->job->name, "%s", why) : LEAT_OK;
}

leat_status leati_coordinator_wish(leati_coordinator *c, leati_wish *wish, leat_error *err) {
    leat_status status = refuse_wish(c, err);
    if (status < 0) return status;
    wish->refs++;
    leati_list_push(&c->wishes, &wish->link);
    pthread_cond_broadcast(&c->job->changed);
    return LEAT_OK;
}

/* What nobody asked to be kept. */
static bool removes_all(const leati_coordinator *c) {
    const char *key = "execution.checkpointing.externalized-checkpoint-retention";
    const char *retention = leati_config_get(c->job->plan->config, key);
    if (!retention || c->folder.temporary || !c->set_out) return false;
    if (strcmp(retention, "NO_EXTERNALIZED_CHECKPOINTS") == 0) return true;
    return strcmp(retention, "DELETE_ON_CANCELLATION") == 0 && c->job->state == LEAT_JOB_CANCELED;
}

static void dismiss(leati_coordinator *c, const char *why) {
    leat_error err;
    leati_link *link;
    leat_error_set(&err, LEAT_E_STATE, c->job->name, "%s", why);
    while ((link = leati_list_pop(&c->wishes)))
        fulfil(c, LEATI_CONTAINER(link, leati_wish, link), NULL, &err);
}

void leati_coordinator_pause(leati_coordinator *c) {
    dismiss(c, "the job failed meanwhile, and restarts");
}

void leati_coordinator_conclude(leati_coordinator *c) {
    dismiss(c, "the job has ended");
    if (removes_all(c)) leati_job_folder_clear(&c->folder);
    leati_job_folder_fini(&c->folder);
}
