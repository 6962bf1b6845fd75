/* async.c: results that come later, of a function with calls under way (async.h).

   Every record is an element of a queue, in the order of arrival; watermarks stand between them. A
   group is what one call is for: one element, or a batch of them. Its calls follow each other, one
   attempt after the other, until one gives results, or its time is up and the function's `timeout`
   is asked instead. Then its elements are done, and go out by `poll`, result by result: of ordered
   ones the first of the queue, of unordered ones those that were done first, but only of the first
   segment, which ends at the first watermark of the queue. A watermark goes on when it is the first
   of the queue.

   Elements without delivered results are counted. When there are `capacity` the task is held. A
   restored queue may be longer: then only so many are under way.

   All this belongs to the operator's thread; calls are completed on any (async_call.c), and wait on
   the desk. A snapshot has what was not delivered, record by record: the last watermark of the
   queue before it, 8 bytes, and the record; and the watermark behind the last one. Results that are
   there are not stored: the function is asked again.

   The operator is the head of its chain: no cursor of an operator before it can be open when it
   delivers, and what it keeps was cut from its maker by the channel. */
#include "leat/operators.h"
#include "leat/stream.h"
#include "operators/async_call.h"
#include "operators/lowest_time.h"
#include "runtime/base/alloc.h"
#include "runtime/base/buf.h"

typedef struct async_group async_group;

typedef struct async_element {
    leati_link order; /* in the queue */
    leati_link done;  /* among `ready` or `later`, when it is done and unordered */
    async_group *group;
    leat_batch *input; /* one record; NULL: a watermark */
    int64_t watermark;
    uint64_t segment;
    size_t at, end; /* of its results in those of the group */
    bool is_done;
} async_element;

struct async_group {
    leati_link link; /* in `running` or `late` */
    async_element *first;
    size_t count, undelivered;
    leat_async_call *call; /* under way; NULL: done, or between two attempts */
    int attempt;
    int64_t deadline, begin_at; /* milliseconds; INT64_MAX: none */
    leat_batch *results;        /* may be NULL when there are none */
};

typedef struct async_self {
    leat_function function;
    int64_t ordered, timeout, capacity, batch_size, batch_timeout;

    leati_async_desk *desk;
    leati_link queue;
    leati_link ready, later;  /* unordered: done, of the first segment, or of others */
    leati_link running;       /* groups, by deadline */
    leati_link late;          /* groups whose timeout was asked */
    size_t elements, waiting; /* in the queue; not begun, at its end */
    async_element *out;       /* being delivered */
    uint64_t first_segment, last_segment;
    int64_t batch_due; /* when a batch that is not full begins; INT64_MAX: not by time */
    bool flush;        /* no more records come: batches need not be full */
    bool idle;         /* to be told when the queue is empty */
} async_self;

static const leat_param params[] = {
    {"function", LEAT_PARAM_FUNCTION, true, offsetof(async_self, function), LEAT_ROLE_ASYNC},
    {"ordered", LEAT_PARAM_INT, true, offsetof(async_self, ordered), LEAT_ROLE_NONE},
    {"timeout", LEAT_PARAM_INT, false, offsetof(async_self, timeout), LEAT_ROLE_NONE},
    {"capacity", LEAT_PARAM_INT, true, offsetof(async_self, capacity), LEAT_ROLE_NONE},
    {"batch_size", LEAT_PARAM_INT, false, offsetof(async_self, batch_size), LEAT_ROLE_NONE},
    {"batch_timeout", LEAT_PARAM_INT, false, offsetof(async_self, batch_timeout), LEAT_ROLE_NONE},
    {0},
};

/* --- the queue -------------------------------------------------------------------------------- */

static async_element *element_at(leati_link *link) {
    return LEATI_CONTAINER(link, async_element, order);
}

static async_element *first_of(async_self *s) {
    return leati_list_empty(&s->queue) ? NULL : element_at(s->queue.next);
}

static async_element *last_of(async_self *s) {
    return leati_list_empty(&s->queue) ? NULL : element_at(s->queue.prev);
}

static const leat_record *input_of(const async_element *e) {
    const leat_record *record;
    leat_batch_records(e->input, &record);
    return record;
}

static async_element *queue_push(async_self *s) {
    async_element *e = leati_zalloc(sizeof *e);
    if (!e) return NULL;
    e->segment = s->last_segment;
    leati_list_init(&e->done);
    leati_list_push(&s->queue, &e->order);
    return e;
}

static leat_status queue_record(async_self *s, const leat_record *record) {
    async_element *e = queue_push(s);
    if (!e) return LEAT_E_NOMEM;
    e->input = leat_batch_new(1);
    s->elements++;
    s->waiting++;
    return e->input ? leat_batch_append(e->input, record) : LEAT_E_NOMEM;
}

static leat_status queue_watermark(async_self *s, int64_t watermark) {
    async_element *last = last_of(s);
    if (!last || last->input) last = queue_push(s);
    if (!last) return LEAT_E_NOMEM;
    last->watermark = watermark;
    s->last_segment = last->segment + 1;
    return LEAT_OK;
}

static void group_free(async_group *g) {
    leati_list_remove(&g->link);
    leat_batch_unref(g->results);
    leati_free(g);
}

static void element_free(async_element *e) {
    leati_list_remove(&e->order);
    leati_list_remove(&e->done);
    leat_batch_unref(e->input);
    if (e->group && --e->group->undelivered == 0) group_free(e->group);
    leati_free(e);
}

/* The records of a group, for the function; NULL when memory ran out. */
static const leat_record *records_of(leat_context *ctx, const async_group *g) {
    if (g->count == 1) return input_of(g->first);
    leat_record *all = leat_context_alloc(ctx, g->count * sizeof *all);
    leati_link *link = &g->first->order;
    for (size_t i = 0; all && i < g->count; link = link->next) {
        const async_element *e = element_at(link);
        if (e->input) all[i++] = *input_of(e);
    }
    return all;
}

/* --- calls ------------------------------------------------------------------------------------ */

/* What is next of: a call's time, an attempt's begin, a batch's begin. */
static void set_wake(leat_context *ctx, async_self *s) {
    int64_t next = s->waiting ? s->batch_due : INT64_MAX;
    for (leati_link *l = s->running.next; l != &s->running; l = l->next) {
        const async_group *g = LEATI_CONTAINER(l, async_group, link);
        if (g->begin_at < next) next = g->begin_at;
        if (g->deadline < next) next = g->deadline;
    }
    leat_context_wake_at(ctx, next);
}

static leat_status ask(leat_context *ctx, async_self *s, async_group *g, bool timeout) {
    const leat_async *table = s->function.call.async;
    const leat_record *records = records_of(ctx, g);
    g->call = records ? leati_async_call_new(s->desk, g, g->attempt) : NULL;
    if (!g->call) return LEAT_E_NOMEM;
    g->call->is_timeout = timeout;
    leat_context_resume(ctx, records);
    leat_status status = timeout ? table->timeout(ctx, records, g->count, g->call, s->function.arg)
                                 : table->begin(ctx, records, g->count, g->call, s->function.arg);
    if (status >= 0) return LEAT_OK;
    leati_async_call_free(g->call);
    g->call = NULL;
    return status;
}

static leat_status begin_attempt(leat_context *ctx, async_self *s, async_group *g) {
    g->begin_at = INT64_MAX;
    g->attempt++;
    return ask(ctx, s, g, false);
}

/* The first elements that wait, up to a batch. */
static async_group *gather(leat_context *ctx, async_self *s) {
    async_group *g = leati_zalloc(sizeof *g);
    if (!g) return NULL;
    leati_link *link = s->queue.prev;
    for (size_t left = s->waiting; left;) { /* from the end: what waits is few */
        async_element *e = element_at(link);
        if (e->input && --left == 0) g->first = e;
        link = link->prev;
    }
    g->count = g->undelivered =
        s->waiting < (size_t)s->batch_size ? s->waiting : (size_t)s->batch_size;
    link = &g->first->order;
    for (size_t left = g->count; left; link = link->next) {
        if (!element_at(link)->input) continue;
        element_at(link)->group = g;
        left--;
    }
    s->waiting -= g->count;
    g->deadline = s->timeout > 0 ? leat_context_now(ctx) + s->timeout : INT64_MAX;
    leati_list_push(&s->running, &g->link);
    return g;
}

static bool may_begin(const async_self *s) {
    size_t batch = (size_t)s->batch_size;
    if (!s->waiting || (s->waiting < batch && !s->flush)) return false;
    size_t begun = s->elements - s->waiting;
    return begun + (s->waiting < batch ? s->waiting : batch) <= (size_t)s->capacity;
}

/* Begins what may be begun, and takes no more records than there is room for. */
static leat_status begin_waiting(leat_context *ctx, async_self *s) {
    leat_status status = LEAT_OK;
    bool timed = false;
    while (status >= 0 && may_begin(s)) {
        async_group *g = gather(ctx, s);
        status = g ? begin_attempt(ctx, s, g) : LEAT_E_NOMEM;
        timed |= s->timeout > 0 && g && s->running.next == &g->link;
        s->batch_due = INT64_MAX;
    }
    if (s->waiting && s->batch_due == INT64_MAX && s->batch_timeout > 0) {
        s->batch_due = leat_context_now(ctx) + s->batch_timeout;
        timed = true;
    }
    if (timed) set_wake(ctx, s);
    if (s->elements >= (size_t)s->capacity) leat_context_hold(ctx);
    return status;
}

/* Nobody waits any more for the call that is under way. */
static void give_up(leat_context *ctx, async_self *s, async_group *g) {
    leat_async_call *call = g->call;
    g->call = NULL;
    if (!call) return;
    call->group = NULL;
    const leat_async *table = s->function.call.async;
    if (table->cancel) table->cancel(ctx, call, s->function.arg);
}

static leat_status time_out(leat_context *ctx, async_self *s, async_group *g) {
    give_up(ctx, s, g);
    g->begin_at = g->deadline = INT64_MAX;
    leati_list_remove(&g->link);
    leati_list_push(&s->late, &g->link);
    const leat_async *table = s->function.call.async;
    if (table->timeout) return ask(ctx, s, g, true);
    leat_context_resume(ctx, input_of(g->first));
    return leat_context_fail(ctx, LEAT_E_TIMEOUT, "the call did not end within %lld ms",
                             (long long)s->timeout);
}

/* --- answers ---------------------------------------------------------------------------------- */

static void element_done(async_self *s, async_element *e) {
    e->is_done = true;
    if (s->ordered) return;
    leati_list_push(e->segment == s->first_segment ? &s->ready : &s->later, &e->done);
}

static leat_status take_results(leat_context *ctx, async_self *s, async_group *g,
                                leat_async_call *call) {
    const leat_record *ignored;
    size_t results = call->results ? leat_batch_records(call->results, &ignored) : 0;
    bool each = s->batch_size > 1;
    if (each && results != g->count) {
        leat_context_resume(ctx, input_of(g->first));
        return leat_context_fail(ctx, LEAT_E_USER,
                                 "the batch function gave %zu results for %zu records; it must "
                                 "give one for each",
                                 results, g->count);
    }
    g->results = call->results;
    call->results = NULL;
    leati_list_remove(&g->link); /* neither running nor late */
    leati_link *link = &g->first->order;
    for (size_t i = 0; i < g->count; link = link->next) {
        async_element *e = element_at(link);
        if (!e->input) continue;
        e->at = each ? i : 0;
        e->end = each ? i + 1 : results;
        element_done(s, e);
        i++;
    }
    return LEAT_OK;
}

static leat_status take_failure(leat_context *ctx, async_self *s, async_group *g,
                                const leat_async_call *call) {
    const leat_async *table = s->function.call.async;
    const leat_record *records = records_of(ctx, g), *error = NULL;
    if (!records) return LEAT_E_NOMEM;
    leat_context_resume(ctx, records);
    if (call->results) leat_batch_records(call->results, &error);
    if (error && error->value.kind == LEAT_OBJECT && table->failed)
        return table->failed(ctx, records, g->count, &error->value, s->function.arg);
    if (error && error->value.kind == LEAT_STRING)
        return leat_context_fail(ctx, call->status, "%.*s", (int)error->value.size,
                                 error->value.as.bytes);
    return leat_context_fail(ctx, call->status, "the call failed (%s)",
                             leat_status_name(call->status));
}

static leat_status take_retry(leat_context *ctx, async_self *s, async_group *g,
                              const leat_async_call *call) {
    if (call->is_timeout) {
        leat_context_resume(ctx, input_of(g->first));
        return leat_context_fail(ctx, LEAT_E_STATE,
                                 "the function's timeout asks for another attempt; its time is up");
    }
    int64_t now = leat_context_now(ctx);
    g->begin_at = call->delay < INT64_MAX - now ? now + call->delay : INT64_MAX;
    set_wake(ctx, s);
    return LEAT_OK;
}

static leat_status take_answer(leat_context *ctx, async_self *s, leat_async_call *call) {
    async_group *g = call->group;
    if (!g) return LEAT_OK;
    g->call = NULL;
    switch (call->answer) {
    case LEATI_ASYNC_RESULTS: return take_results(ctx, s, g, call);
    case LEATI_ASYNC_RETRY: return take_retry(ctx, s, g, call);
    default: return take_failure(ctx, s, g, call);
    }
}

static leat_status take_answers(leat_context *ctx, async_self *s) {
    leat_status status = LEAT_OK;
    leat_async_call *call;
    while (status >= 0 && (call = leati_async_desk_take(s->desk))) {
        status = take_answer(ctx, s, call);
        leati_async_call_free(call);
    }
    return status;
}

/* --- delivery --------------------------------------------------------------------------------- */

static leat_status deliver(leat_context *ctx, async_element *e) {
    const leat_record *results;
    leat_record out;
    leat_batch_records(e->group->results, &results);
    leat_record_init(&out, results[e->at++].value, input_of(e)->time);
    return leat_emit(ctx, &out);
}

/* The element that goes out now; NULL: none. */
static async_element *next_out(async_self *s) {
    if (s->out) return s->out;
    if (!s->ordered)
        return leati_list_empty(&s->ready) ? NULL
                                           : LEATI_CONTAINER(s->ready.next, async_element, done);
    async_element *first = first_of(s);
    return first && first->is_done ? first : NULL;
}

static leat_status element_out(leat_context *ctx, async_self *s, async_element *e) {
    s->out = e;
    leat_status status = e->at < e->end ? deliver(ctx, e) : LEAT_OK;
    if (status < 0 || e->at < e->end) return status;
    s->out = NULL;
    s->elements--;
    element_free(e);
    if (s->waiting) status = begin_waiting(ctx, s);
    if (s->elements < (size_t)s->capacity) leat_context_release(ctx);
    return status;
}

/* Of the next segment what is done may go out. */
static void open_segment(async_self *s, uint64_t segment) {
    s->first_segment = segment;
    leati_link *next;
    for (leati_link *l = s->later.next; l != &s->later; l = next) {
        next = l->next;
        if (LEATI_CONTAINER(l, async_element, done)->segment != segment) continue;
        leati_list_remove(l);
        leati_list_push(&s->ready, l);
    }
}

static leat_status async_poll(leat_context *ctx, void *self, leat_emitter *out) {
    (void)out;
    async_self *s = self;
    leat_status status = take_answers(ctx, s);
    if (status < 0) return status;
    async_element *e = next_out(s);
    if (e) return element_out(ctx, s, e);
    async_element *first = first_of(s);
    if (first && !first->input) {
        int64_t watermark = first->watermark;
        open_segment(s, first->segment + 1);
        element_free(first);
        return leat_context_forward_watermark(ctx, watermark);
    }
    if (!first && s->idle) leat_context_set_idle(ctx, true);
    return LEAT_AGAIN;
}

/* --- other hooks ------------------------------------------------------------------------------ */

static leat_status async_check(void *self, leat_error *err) {
    const async_self *s = self;
    if (s->capacity >= 1) return LEAT_OK;
    return leat_error_set(err, LEAT_E_ARGUMENT, "async", "the capacity is %lld; it must be above 0",
                          (long long)s->capacity);
}

static leat_status async_open(leat_context *ctx, void *self) {
    async_self *s = self;
    leati_link *const lists[] = {&s->queue, &s->ready, &s->later, &s->running, &s->late};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) leati_list_init(lists[i]);
    s->batch_due = INT64_MAX;
    if (s->batch_size < 1) s->batch_size = 1;
    if (s->capacity < s->batch_size) s->capacity = s->batch_size;
    s->desk = leati_async_desk_new(leat_context_mailbox(ctx));
    return s->desk ? LEAT_OK : LEAT_E_NOMEM;
}

static leat_status async_on_record(leat_context *ctx, void *self, unsigned input,
                                   const leat_record *in) {
    (void)input;
    leat_status status = queue_record(self, in);
    return status < 0 ? status : begin_waiting(ctx, self);
}

static leat_status async_on_watermark(leat_context *ctx, void *self, int64_t *watermark) {
    (void)ctx;
    async_self *s = self;
    if (leati_list_empty(&s->queue)) return LEAT_OK;
    leat_status status = queue_watermark(s, *watermark);
    return status < 0 ? status : LEAT_AGAIN;
}

static leat_status async_on_idle(leat_context *ctx, void *self, bool idle) {
    (void)ctx;
    async_self *s = self;
    s->idle = idle;
    return idle && !leati_list_empty(&s->queue) ? LEAT_AGAIN : LEAT_OK;
}

static leat_status async_on_end(leat_context *ctx, void *self, unsigned input) {
    (void)input;
    async_self *s = self;
    s->flush = true;
    leat_status status = begin_waiting(ctx, s);
    if (status < 0) return status;
    return leati_list_empty(&s->queue) ? LEAT_OK : LEAT_AGAIN;
}

static leat_status begin_batch(leat_context *ctx, async_self *s) {
    bool flush = s->flush;
    s->flush = true;
    s->batch_due = INT64_MAX;
    leat_status status = begin_waiting(ctx, s);
    s->flush = flush;
    return status;
}

/* Answers that are there come before the time-outs. */
static leat_status async_on_wake(leat_context *ctx, void *self, int64_t now) {
    async_self *s = self;
    leat_status status = take_answers(ctx, s);
    leati_link *next;
    for (leati_link *l = s->running.next; l != &s->running && status >= 0; l = next) {
        next = l->next;
        async_group *g = LEATI_CONTAINER(l, async_group, link);
        if (g->deadline <= now)
            status = time_out(ctx, s, g);
        else if (g->begin_at <= now)
            status = begin_attempt(ctx, s, g);
    }
    if (status >= 0 && s->waiting && s->batch_due <= now) status = begin_batch(ctx, s);
    set_wake(ctx, s);
    leat_context_wake(ctx);
    return status;
}

static leat_status write_element(leat_context *ctx, const async_element *e, int64_t watermark,
                                 leati_buf *item, leat_snapshot *out) {
    const void *bytes;
    size_t size;
    leat_status status = leat_record_write(ctx, input_of(e), &bytes, &size);
    if (status < 0) return status;
    item->size = 0;
    leati_buf_u64(item, (uint64_t)watermark);
    leati_buf_append(item, bytes, size);
    if (item->failed) return LEAT_E_NOMEM;
    return leat_snapshot_write(out, "input", LEAT_SPLIT_LIST, item->bytes, item->size);
}

static leat_status async_snapshot(leat_context *ctx, void *self, leat_snapshot *out) {
    async_self *s = self;
    leat_status status = LEAT_OK;
    int64_t watermark = INT64_MIN;
    leati_buf item;
    leati_buf_init(&item);
    for (leati_link *l = s->queue.next; l != &s->queue && status >= 0; l = l->next) {
        const async_element *e = element_at(l);
        if (e->input)
            status = write_element(ctx, e, watermark, &item, out);
        else
            watermark = e->watermark;
    }
    leati_buf_fini(&item);
    if (status < 0 || !last_of(s) || last_of(s)->input) return status;
    return leati_lowest_time_write(out, "watermark", watermark);
}

static leat_status restore_element(leat_context *ctx, async_self *s, const void *bytes, size_t size,
                                   int64_t *watermark) {
    leat_record record;
    leati_reader in = leati_reader_of(bytes, size);
    int64_t before = (int64_t)leati_reader_u64(&in);
    if (in.failed) return LEAT_E_FORMAT;
    leat_status status = LEAT_OK;
    if (before > *watermark) status = queue_watermark(s, *watermark = before);
    if (status >= 0) status = leat_record_read(ctx, in.at, leati_reader_left(&in), &record);
    return status < 0 ? status : queue_record(s, &record);
}

/* Where several had a watermark behind the last record the lowest counts. */
static leat_status async_restore(leat_context *ctx, void *self, leat_snapshot *in) {
    async_self *s = self;
    const void *bytes;
    size_t size;
    int64_t before = INT64_MIN, last = 0;
    leat_status status = LEAT_OK;
    size_t i = 0;
    while (status >= 0 && leat_snapshot_read(in, "input", i++, &bytes, &size) == LEAT_OK)
        status = restore_element(ctx, s, bytes, size, &before);
    if (status >= 0) status = leati_lowest_time_read(in, "watermark", &last);
    if (status == LEAT_OK) status = queue_watermark(s, last);
    if (status < 0) return status;
    leat_context_wake(ctx);
    return begin_waiting(ctx, s);
}

static void give_up_all(leat_context *ctx, async_self *s, leati_link *groups) {
    for (leati_link *l = groups->next; l != groups; l = l->next)
        give_up(ctx, s, LEATI_CONTAINER(l, async_group, link));
}

static void async_close(leat_context *ctx, void *self, bool failed) {
    (void)failed;
    async_self *s = self;
    if (!s->desk) return;
    give_up_all(ctx, s, &s->running);
    give_up_all(ctx, s, &s->late);
    leati_async_desk_close(s->desk);
    s->desk = NULL;
}

/* Calls under way, or a batch that begins in time; other batches begin at the end of data. */
static bool async_busy(leat_context *ctx, void *self) {
    const async_self *s = self;
    (void)ctx;
    return s->elements > s->waiting || (s->waiting && s->batch_due != INT64_MAX);
}

static void async_fini(void *self) {
    async_self *s = self;
    async_element *e;
    if (!s->queue.next) return;
    while ((e = first_of(s))) element_free(e);
    leati_async_desk_close(s->desk);
}

const leat_operator leat_async_operator = {
    .size = sizeof(leat_operator),
    .name = "async",
    .flags = LEAT_OP_OBJECTS | LEAT_OP_HEAD,
    .inputs = 1,
    .self_size = sizeof(async_self),
    .params = params,
    .open = async_open,
    .on_record = async_on_record,
    .poll = async_poll,
    .on_watermark = async_on_watermark,
    .on_idle = async_on_idle,
    .on_end_of_data = async_on_end,
    .on_wake = async_on_wake,
    .check = async_check,
    .snapshot = async_snapshot,
    .restore = async_restore,
    .close = async_close,
    .fini = async_fini,
    .busy = async_busy,
};

static leat_stream *add_async(leat_stream *s, const leat_function *async,
                              const leat_async_options *options, bool ordered) {
    leat_async_options o = leat_async_options_defaults();
    size_t given = options ? options->size : 0; /* of an older header: it ends earlier */
    if (given) memcpy(&o, options, given < sizeof o ? given : sizeof o);
    leat_arg args[] = {leat_arg_function("function", async),
                       leat_arg_int("ordered", ordered),
                       leat_arg_int("timeout", o.timeout_ms),
                       leat_arg_int("capacity", o.capacity),
                       leat_arg_int("batch_size", o.batch_size),
                       leat_arg_int("batch_timeout", o.batch_timeout_ms)};
    return leat_graph_add(NULL, &leat_async_operator, args, sizeof args / sizeof *args, &s, 1);
}

leat_stream *leat_stream_async_ordered(leat_stream *s, leat_function async,
                                       const leat_async_options *options) {
    return add_async(s, &async, options, true);
}

leat_stream *leat_stream_async_unordered(leat_stream *s, leat_function async,
                                         const leat_async_options *options) {
    return add_async(s, &async, options, false);
}
