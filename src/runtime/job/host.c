/* host.c: see host.h. Three passes: tasks with their chains; channels, each known to both its ends;
   outputs, which need all channels of a route. */
#include "runtime/job/host.h"

#include "runtime/base/alloc.h"
#include "runtime/flow/output.h"
#include "runtime/job/loops.h"
#include "runtime/job/recovery.h"

struct leati_host {
    const leati_plan *plan;
    int index, attempt;
    leat_job *job;
    leati_host_news news;
    const leati_bridge *bridge;
    leati_vault *vault; /* NULL: nothing is kept */
    leati_saver saver;
    leati_recovery *recovery; /* NULL: afresh */
    leati_claims *claims;
    leati_runner **runners; /* by number; NULL: has no task here */
    int runner_count, used;
    leati_task **tasks; /* by number in the plan; NULL: elsewhere */
    leati_seat **seats;
    leati_channel **channels; /* by number; each one reference until they are dealt out */
    atomic_int opened, ended;
};

/* --- news ------------------------------------------------------------------------------------- */

static void runner_opened(void *arg) {
    leati_host *h = arg;
    if (atomic_fetch_add(&h->opened, 1) + 1 == h->used) h->news.opened(h->news.arg);
}

static void runner_ended(void *arg) {
    leati_host *h = arg;
    if (atomic_fetch_add(&h->ended, 1) + 1 == h->used) h->news.ended(h->news.arg);
}

static void runner_failed(void *arg, leati_failure *failure) {
    leati_host *h = arg;
    h->news.failed(h->news.arg, failure);
}

/* --- tasks ------------------------------------------------------------------------------------ */

static leati_runner *runner_at(leati_host *h, int number) {
    if (h->runners[number]) return h->runners[number];
    bool inside = number < h->plan->inside_runners;
    leati_runner_news news = {runner_opened, runner_ended, runner_failed, h};
    h->runners[number] =
        leati_runner_new(inside ? h->bridge : NULL, &news, inside ? "leat-python" : "leat-run");
    bool python_elsewhere = h->plan->workers && !h->index;
    if (h->runners[number] && python_elsewhere) leati_runner_starts_none(h->runners[number]);
    h->used += h->runners[number] != NULL;
    return h->runners[number];
}

static int64_t config_ms(void *arg, const char *key) {
    const leati_host *h = arg;
    return leati_config_duration_ms(h->plan->config, key);
}

static const char *config_get(void *arg, const char *key) {
    const leati_host *h = arg;
    return leati_config_get(h->plan->config, key);
}

static leat_status add_contexts(const leati_plan *p, const leati_vertex *v, int subtask,
                                leati_task *t) {
    for (int i = 0; i < v->count; i++) {
        leat_context *parent = i ? t->chain->contexts[v->parents[i]] : NULL;
        const leati_node *n = p->graph->nodes[v->nodes[i]];
        const char *tag = i ? n->inputs[0].tag : NULL;
        if (!leati_chain_add(t->chain, &p->infos[v->nodes[i]], subtask, parent, tag))
            return LEAT_E_NOMEM;
    }
    return LEAT_OK;
}

/* The shortest timeout of its operators; in nanoseconds for the task. */
static int64_t flush_every(const leati_plan *p, const leati_vertex *v) {
    int64_t ms = leati_config_duration_ms(p->config, "execution.buffer-timeout.interval");
    for (int i = 0; i < v->count; i++) {
        int64_t own = p->graph->nodes[v->nodes[i]]->buffer_timeout;
        if (own != INT64_MIN) ms = own;
    }
    return ms < 0 ? -1 : ms * 1000000;
}

static leat_status add_sort(const leati_plan *p, const leati_vertex *v, leati_task *t) {
    if (!v->waiting) return LEAT_OK;
    leati_by_key_options o = {
        .memory = (size_t)leati_config_bytes(p->config, "execution.sorted-inputs.memory"),
        .dirs = leati_config_get(p->config, "io.tmp.dirs"),
        .sorted = v->waiting,
        .keys = v->by_key};
    t->by_key = leati_by_key_new(t->chain, &o);
    return t->by_key ? LEAT_OK : LEAT_E_NOMEM;
}

static size_t most_records(const leati_config *config) {
    return (size_t)leati_config_int(config, "pipeline.channel.capacity");
}

static size_t most_bytes(const leati_config *config) {
    return (size_t)leati_config_bytes(config, "pipeline.channel.memory");
}

/* What the head of a loop has beside others. */
static leat_status add_loop(leati_host *h, const leati_vertex *v, int number) {
    const leati_config *config = h->plan->config;
    leati_task *t = h->tasks[number];
    int loop = leati_loop_number(h->plan->graph, v->nodes[0]);
    if (loop < 0) return LEAT_OK;
    t->rounds = leati_rounds_new(loop);
    t->returns = leati_returns_new(
        most_records(config), most_bytes(config), t->chain->contexts[0]->info->input_types[1],
        leati_config_get(config, "io.tmp.dirs"), leati_seat_notice(h->seats[number]));
    return t->rounds && t->returns ? LEAT_OK : LEAT_E_NOMEM;
}

static leat_status add_task(leati_host *h, int number) {
    const leati_plan *p = h->plan;
    const leati_placement *at = &p->tasks[number];
    const leati_vertex *v = &p->vertices[at->vertex];
    leati_surroundings around = {.config = config_get,
                                 .config_ms = config_ms,
                                 .arg = h,
                                 .bridge = v->inside ? h->bridge : NULL,
                                 .attempt = h->attempt,
                                 .job = h->job,
                                 .batch = p->batch,
                                 .task = number,
                                 .claims = h->claims,
                                 .saver = h->vault ? &h->saver : NULL,
                                 .restore = h->recovery ? leati_recovery_feed : NULL,
                                 .restore_log = h->recovery ? leati_recovery_feed_log : NULL,
                                 .restore_arg = h->recovery,
                                 .object_reuse =
                                     leati_config_bool(p->config, "pipeline.object-reuse")};
    leati_runner *r = runner_at(h, at->runner);
    leati_seat *seat = r ? leati_runner_seat(r) : NULL;
    leati_task *t = seat ? leati_task_new(&around, leati_seat_notice(seat)) : NULL;
    if (!t) return LEAT_E_NOMEM;
    leati_seat_take(seat, t);
    h->tasks[number] = t;
    h->seats[number] = seat;
    t->flush_every = flush_every(p, v);
    if (!v->source && !(t->gate = leati_gate_new())) return LEAT_E_NOMEM;
    const char *mode = leati_config_get(p->config, "execution.checkpointing.mode");
    if (t->gate) leati_gate_align(t->gate, strcmp(mode, "EXACTLY_ONCE") == 0);
    leat_status status = add_contexts(p, v, at->subtask, t);
    if (status >= 0) status = add_loop(h, v, number);
    return status < 0 ? status : add_sort(p, v, t);
}

/* --- channels --------------------------------------------------------------------------------- */

/* The reader's end. What comes back in a loop must never wait for the loop. */
static leat_status add_port(leati_host *h, const leati_route *r, int reader, leati_channel *c) {
    const leati_config *config = h->plan->config;
    leat_status status = LEAT_OK;
    c->on_data = leati_seat_notice(h->seats[reader]);
    if (r->role == LEATI_PORT_FEEDBACK)
        status = leati_channel_spill(c, r->type, leati_config_get(config, "io.tmp.dirs"));
    if (status < 0) return status;
    leati_channel_ref(c);
    return leati_gate_add_port(h->tasks[reader]->gate, c, r->input, r->role, r->loops);
}

static leat_status add_channel(leati_host *h, const leati_route *r, int from, int to,
                               const leati_wires *wires) {
    const leati_plan *p = h->plan;
    int writer = p->vertices[r->from_vertex].first_task + from;
    int reader = p->vertices[r->to_vertex].first_task + to;
    leati_task *out = h->tasks[writer], *in = h->tasks[reader];
    if (!out && !in) return LEAT_OK;
    int number = leati_route_channel(p, r, from, to);
    leati_channel *c = leati_channel_new(most_records(p->config), most_bytes(p->config));
    if (!c) return LEAT_E_NOMEM;
    h->channels[number] = c;
    leat_status status = LEAT_OK;
    if (out) c->on_room = leati_seat_notice(h->seats[writer]);
    if (in) status = add_port(h, r, reader, c);
    if (status < 0 || (out && in)) return status;
    int peer = p->tasks[out ? reader : writer].host;
    return wires->join(wires->arg, c, number, peer, out != NULL, r->type);
}

static leat_status add_channels(leati_host *h, const leati_route *r, const leati_wires *wires) {
    const leati_plan *p = h->plan;
    int rows = p->vertices[r->from_vertex].parallelism;
    int columns = p->vertices[r->to_vertex].parallelism;
    leat_status status = LEAT_OK;
    for (int from = 0; from < rows; from++)
        for (int to = 0; to < columns && status >= 0; to++)
            if (leati_route_joins(p, r, from, to)) status = add_channel(h, r, from, to, wires);
    return status;
}

/* --- outputs ---------------------------------------------------------------------------------- */

static leat_status add_votes(leati_host *h, const leati_route *r, int from, leati_task *t) {
    int heads = h->plan->vertices[r->to_vertex].parallelism;
    leat_status status = LEAT_OK;
    for (int i = 0; i < heads && status >= 0; i++) {
        leati_channel *c = h->channels[leati_route_channel(h->plan, r, from, i)];
        leati_channel_ref(c);
        status = leati_rounds_add_vote(t->rounds, c);
    }
    return status;
}

static leat_status add_output(leati_host *h, const leati_route *r, int from, leati_task *t) {
    const leati_plan *p = h->plan;
    const leati_vertex *to = &p->vertices[r->to_vertex];
    leat_context *ctx = t->chain->contexts[r->from_place];
    leati_channel **targets = leati_zalloc((size_t)to->parallelism * sizeof(leati_channel *));
    if (!targets) return LEAT_E_NOMEM;
    int count = 0;
    for (int i = 0; i < to->parallelism; i++) {
        if (!leati_route_joins(p, r, from, i)) continue;
        targets[count] = h->channels[leati_route_channel(p, r, from, i)];
        leati_channel_ref(targets[count++]);
    }
    leat_status status = LEAT_OK;
    if (count) {
        leati_output *o = leati_output_new(t->chain, r->how, ctx->subtask, targets, count, r->type,
                                           to->max_parallelism, !t->chain->around.object_reuse);
        if (o) leati_output_set_loops(o, r->loops);
        status = o ? leati_chain_add_output(t->chain, ctx, r->tag, o) : LEAT_E_NOMEM;
    }
    if (!r->tag) ctx->targets = to->parallelism;
    leati_free(targets);
    return status;
}

static leat_status add_outputs(leati_host *h, const leati_route *r) {
    const leati_vertex *v = &h->plan->vertices[r->from_vertex];
    leat_status status = LEAT_OK;
    for (int i = 0; i < v->parallelism && status >= 0; i++) {
        leati_task *t = h->tasks[v->first_task + i];
        if (!t) continue;
        status = r->role == LEATI_PORT_VOTE ? add_votes(h, r, i, t) : add_output(h, r, i, t);
    }
    return status;
}

/* --- the whole -------------------------------------------------------------------------------- */

static leat_status find_bridge(leati_host *h, leat_error *err) {
    const leati_plan *p = h->plan;
    for (int i = 0; i < p->info_count; i++) {
        const char *language = leati_args_language(p->infos[i].args);
        const char *where = p->infos[i].name;
        if (!language || (h->bridge = leati_graph_bridge(p->graph, language))) continue;
        if (p->workers && !h->index) return LEAT_OK; /* the workers have one */
        return leat_error_set(err, LEAT_E_UNSUPPORTED, where,
                              "there is no %s interpreter in this process; set "
                              "python.execution-mode to process",
                              language);
    }
    if (!h->bridge && p->interpreter) h->bridge = leati_graph_bridge(p->graph, "python");
    return LEAT_OK;
}

static leat_status build(leati_host *h, const leati_wires *wires) {
    const leati_plan *p = h->plan;
    leat_status status = LEAT_OK;
    h->runner_count = p->inside_runners + p->native_runners;
    h->runners = leati_zalloc((size_t)h->runner_count * sizeof(leati_runner *) + 1);
    h->tasks = leati_zalloc((size_t)p->task_count * sizeof(leati_task *) + 1);
    h->seats = leati_zalloc((size_t)p->task_count * sizeof(leati_seat *) + 1);
    h->channels = leati_zalloc((size_t)p->channels * sizeof(leati_channel *) + 1);
    if (!h->runners || !h->tasks || !h->seats || !h->channels) return LEAT_E_NOMEM;
    for (int i = 0; i < p->task_count && status >= 0; i++)
        if (p->tasks[i].host == h->index) status = add_task(h, i);
    for (int i = 0; i < p->route_count && status >= 0; i++)
        status = add_channels(h, &p->routes[i], wires);
    for (int i = 0; i < p->route_count && status >= 0; i++) status = add_outputs(h, &p->routes[i]);
    return status;
}

static void vault_saved(void *arg, const leati_saved *saved) {
    leati_host *h = arg;
    h->news.saved(h->news.arg, saved);
}

static leat_status open_survival(leati_host *h, const leati_survival *s, leat_error *err) {
    leati_vault_news news = {vault_saved, h};
    bool compress =
        leati_config_bool(h->plan->config, "execution.checkpointing.snapshot-compression");
    if (s->restore && !(h->recovery = leati_recovery_open(s->restore, err))) {
        if (err->status == LEAT_E_FORMAT) err->status = LEAT_E_RESTORE;
        return err->status;
    }
    if (!s->folder) return LEAT_OK;
    h->vault = leati_vault_new(s->folder, compress, &news);
    if (!h->vault) return leat_error_set(err, LEAT_E_NOMEM, "job", "no memory");
    h->saver = leati_vault_saver(h->vault);
    return LEAT_OK;
}

leati_host *leati_host_new(const leati_plan *plan, int index, int attempt, leat_job *job,
                           const leati_survival *survival, const leati_host_news *news,
                           const leati_wires *wires, leat_error *err) {
    leati_host *h = leati_zalloc(sizeof *h);
    if (!h) {
        leat_error_set(err, LEAT_E_NOMEM, "job", "no memory");
        return NULL;
    }
    h->plan = plan;
    h->index = index;
    h->attempt = attempt;
    h->job = job;
    h->news = *news;
    h->claims = leati_claims_new();
    leat_status status =
        h->claims ? find_bridge(h, err) : leat_error_set(err, LEAT_E_NOMEM, "job", "no memory");
    if (status >= 0) status = open_survival(h, survival, err);
    if (status >= 0) {
        status = build(h, wires);
        if (status < 0) leat_error_set(err, status, "job", "no memory for the job's tasks");
    }
    if (status >= 0) return h;
    leati_host_free(h);
    return NULL;
}

bool leati_host_empty(const leati_host *h) {
    return h->used == 0;
}

leat_status leati_host_start(leati_host *h) {
    leat_status status = LEAT_OK;
    for (int i = 0; i < h->runner_count && status >= 0; i++)
        if (h->runners[i]) status = leati_runner_start(h->runners[i]);
    return status;
}

void leati_host_stop(leati_host *h, leati_finish how) {
    for (int i = 0; i < h->runner_count; i++)
        if (h->runners[i]) leati_runner_stop(h->runners[i], how);
}

void leati_host_barrier(leati_host *h, int64_t checkpoint, leati_then then) {
    for (int i = 0; i < h->plan->task_count; i++) {
        leati_task *t = h->tasks[i];
        bool loops = t && t->rounds && then != LEATI_THEN_END;
        if (t && (!t->gate || loops)) leati_task_barrier(t, checkpoint, then);
    }
}

void leati_host_resume(leati_host *h, int64_t checkpoint) {
    for (int i = 0; i < h->plan->task_count; i++)
        if (h->tasks[i]) leati_task_resume(h->tasks[i], checkpoint);
}

void leati_host_complete(leati_host *h, int64_t checkpoint) {
    for (int i = 0; i < h->plan->task_count; i++)
        if (h->tasks[i]) leati_task_complete(h->tasks[i], checkpoint);
}

bool leati_host_join(leati_host *h, int timeout_ms, const leati_task **stuck) {
    bool joined = true;
    for (int i = 0; i < h->runner_count; i++) {
        if (!h->runners[i] || leati_runner_join(h->runners[i], timeout_ms)) continue;
        const leati_task *task = leati_runner_stuck_in(h->runners[i]);
        if (stuck && task) *stuck = task;
        joined = false;
    }
    return joined;
}

void leati_host_interrupt(leati_host *h) {
    for (int i = 0; i < h->plan->inside_runners && h->bridge; i++)
        if (h->runners[i] && leati_runner_stuck_in(h->runners[i]) && h->bridge->interrupt)
            h->bridge->interrupt(h->bridge->interpreter, leati_runner_thread(h->runners[i]));
}

void leati_host_report(const leati_host *h, leati_buf *out) {
    for (int i = 0; i < h->plan->task_count; i++) {
        const leati_chain *c = h->tasks[i] ? h->tasks[i]->chain : NULL;
        for (int k = 0; c && k < c->count; k++) leati_metrics_write(c->contexts[k], out);
    }
}

void leati_host_hush(leati_host *h) {
    if (h && h->vault) leati_vault_hush(h->vault);
}

void leati_host_free(leati_host *h) {
    if (!h) return;
    leati_vault_free(h->vault);
    for (int i = 0; h->runners && i < h->runner_count; i++) leati_runner_free(h->runners[i]);
    for (int i = 0; h->channels && i < h->plan->channels; i++) leati_channel_unref(h->channels[i]);
    leati_free(h->runners);
    leati_free(h->tasks);
    leati_free(h->seats);
    leati_free(h->channels);
    leati_recovery_free(h->recovery);
    leati_claims_free(h->claims);
    leati_free(h);
}
