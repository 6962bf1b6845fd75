/* harness.c: see harness.h. The operator is the head of a chain; behind it stands one recorder per
   output it is heard on, which writes down what comes and hands it to an output channel, whose
   capacity is the room. A new task takes the place of the old one when the operator is revived;
   what it would have heard of its inputs before is told to its gate and kept from the operator. */
#include "harness.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "runtime/base/alloc.h"
#include "runtime/base/clock.h"
#include "runtime/data/key.h"
#include "runtime/flow/output.h"
#include "runtime/flow/task.h"
#include "still.h"

enum { MOST_SIDES = 4, BUDGET = 1 << 16, PATIENCE_S = 10, NO_LIMIT = INT32_MAX };

struct harness {
    int64_t fail_after; /* 0: never */
    leati_args args, recorder_args[MOST_SIDES + 1];
    leati_op_info info, recorder_infos[MOST_SIDES + 1];
    const char *tags[MOST_SIDES + 1]; /* the first is NULL: the main output */
    int heard, subtask;
    leat_function keys[2];
    bool keyed, always;

    leati_task *task;
    leati_channel *in[2], *out;
    leat_status opened; /* what `open` answered */
    int64_t watermarks[2];
    bool ended[2], idle[2], end_seen;
    int64_t revivals; /* these number the checkpoints that they pretend */
    still *still;     /* of what it remembered at the last one, or NULL */

    char **lines;
    size_t first, count, room;
    char *lent;
    int64_t watermark_seen;

    pthread_mutex_t lock;
    pthread_cond_t changed;
    int notices;
};

static int64_t time_of_day;

static int64_t read_clock(void *arg) {
    (void)arg;
    return time_of_day;
}

static void on_notice(void *arg) {
    harness *h = arg;
    pthread_mutex_lock(&h->lock);
    h->notices++;
    pthread_cond_broadcast(&h->changed);
    pthread_mutex_unlock(&h->lock);
}

/* --- the recorder ----------------------------------------------------------------------------- */

typedef struct recorder {
    harness *h;
    const char *tag;
} recorder;

/* Adopts the line. */
static leat_status add_line(harness *h, char *line) {
    if (h->count == h->room) {
        size_t room = 2 * h->room + 64;
        char **lines = realloc(h->lines, room * sizeof *lines);
        assert_non_null(lines);
        h->lines = lines;
        h->room = room;
    }
    assert_non_null(line);
    h->lines[h->count++] = line;
    return LEAT_OK;
}

static leat_status record_on_record(leat_context *ctx, void *self, unsigned input,
                                    const leat_record *in) {
    (void)input;
    const recorder *r = self;
    size_t size = leat_value_format(&in->value, NULL, 0);
    const char *tag = r->tag ? r->tag : "";
    size_t room = size + strlen(tag) + 32;
    char *line = malloc(room);
    assert_non_null(line);
    size_t at = (size_t)snprintf(line, room, "%s%s", tag, r->tag ? ":" : "");
    leat_value_format(&in->value, line + at, size + 1);
    at += size;
    if (in->time != LEAT_NO_TIME) snprintf(line + at, room - at, "@%lld", (long long)in->time);
    add_line(r->h, line);
    return leat_emit(ctx, in);
}

static char *numbered(const char *what, int64_t number) {
    char line[64];
    snprintf(line, sizeof line, "%s %lld", what, (long long)number);
    return strdup(line);
}

static leat_status record_on_watermark(leat_context *ctx, void *self, int64_t *watermark) {
    (void)ctx;
    const recorder *r = self;
    if (r->tag || *watermark <= r->h->watermark_seen) return LEAT_OK;
    r->h->watermark_seen = *watermark;
    return *watermark == INT64_MAX ? LEAT_OK : add_line(r->h, numbered("watermark", *watermark));
}

static leat_status record_on_idle(leat_context *ctx, void *self, bool idle) {
    (void)ctx;
    const recorder *r = self;
    return r->tag ? LEAT_OK : add_line(r->h, strdup(idle ? "idle" : "active"));
}

static leat_status record_prepare(leat_context *ctx, void *self, int64_t checkpoint) {
    (void)ctx;
    const recorder *r = self;
    return r->tag ? LEAT_OK : add_line(r->h, numbered("barrier", checkpoint));
}

static leat_status record_on_end(leat_context *ctx, void *self, unsigned input) {
    (void)ctx;
    (void)input;
    ((recorder *)self)->h->end_seen = true;
    return LEAT_OK;
}

static const leat_param recorder_params[] = {
    {"harness", LEAT_PARAM_POINTER, true, offsetof(recorder, h), LEAT_ROLE_NONE},
    {"tag", LEAT_PARAM_STRING, false, offsetof(recorder, tag), LEAT_ROLE_NONE},
    {0},
};

static const leat_operator recorder_operator = {
    .size = sizeof(leat_operator),
    .name = "recorder",
    .inputs = 1,
    .self_size = sizeof(recorder),
    .params = recorder_params,
    .on_record = record_on_record,
    .on_idle = record_on_idle,
    .on_watermark = record_on_watermark,
    .on_end_of_data = record_on_end,
    .prepare = record_prepare,
};

/* Hears the output `tag`; NULL is the main one. */
static void listen_to(harness *h, const char *tag) {
    assert_true(h->heard <= MOST_SIDES);
    leat_error err = {.text = ""};
    leat_arg args[] = {leat_arg_of("harness", LEAT_PARAM_POINTER), leat_arg_string("tag", tag)};
    args[0].as.pointer = h;
    int i = h->heard++;
    h->tags[i] = tag;
    h->recorder_infos[i] = h->info;
    h->recorder_infos[i].op = &recorder_operator;
    h->recorder_infos[i].name = "recorder";
    h->recorder_infos[i].args = &h->recorder_args[i];
    if (leati_args_init(&h->recorder_args[i], &recorder_operator, args, 2, &err) < 0)
        fail_msg("%s: %s", err.where, err.text);
}

/* --- the task --------------------------------------------------------------------------------- */

static void add_recorder(harness *h, int i) {
    leati_chain *c = h->task->chain;
    leat_context *ctx = leati_chain_add(c, &h->recorder_infos[i], 0, c->contexts[0], h->tags[i]);
    assert_non_null(ctx);
    leati_channel_ref(h->out);
    leati_output *o = leati_output_new(c, LEAT_FORWARD, 0, &h->out, 1, NULL, 128, true);
    assert_non_null(o);
    assert_int_equal(leati_chain_add_output(c, ctx, NULL, o), LEAT_OK);
}

static void build(harness *h) {
    leati_surroundings around = {.config = NULL};
    leati_task *t = h->task = leati_task_new(&around, (leati_notice){on_notice, h});
    assert_non_null(t);
    assert_non_null(leati_chain_add(t->chain, &h->info, h->subtask, NULL, NULL));
    for (int i = 0; i < h->heard; i++) add_recorder(h, i);
    if (!h->info.op->inputs) return;
    t->gate = leati_gate_new();
    assert_non_null(t->gate);
    for (unsigned i = 0; i < h->info.op->inputs; i++) {
        h->in[i] = leati_channel_new(NO_LIMIT, NO_LIMIT);
        assert_non_null(h->in[i]);
        leati_channel_ref(h->in[i]);
        assert_int_equal(leati_gate_add(t->gate, h->in[i], i), LEAT_OK);
    }
}

/* What was done since the last revival is in no snapshot from then. */
static void check_still(harness *h) {
    still_check(h->still);
    h->still = NULL;
}

static void tear_down(harness *h, bool failed) {
    check_still(h);
    leati_task_close(h->task, failed);
    leati_task_free(h->task);
    h->task = NULL;
    for (int i = 0; i < 2; i++) {
        leati_channel_unref(h->in[i]);
        h->in[i] = NULL;
    }
}

harness *harness_new(const leat_operator *op, const leat_arg *args, size_t arg_count,
                     const leat_function *keys) {
    return harness_new_at(op, args, arg_count, keys, 0, 1);
}

harness *harness_new_at(const leat_operator *op, const leat_arg *args, size_t arg_count,
                        const leat_function *keys, int subtask, int parallelism) {
    leat_error err = {.text = ""};
    harness *h = calloc(1, sizeof *h);
    assert_non_null(h);
    pthread_mutex_init(&h->lock, NULL);
    pthread_cond_init(&h->changed, NULL);
    if (leati_args_init(&h->args, op, args, arg_count, &err) < 0)
        fail_msg("%s: %s", err.where, err.text);
    h->info = (leati_op_info){.op = op,
                              .name = op->name,
                              .node = 1,
                              .parallelism = parallelism,
                              .max_parallelism = 128,
                              .args = &h->args};
    for (unsigned i = 0; keys && i < op->inputs; i++) h->keys[i] = keys[i];
    h->subtask = subtask;
    h->keyed = keys != NULL;
    h->info.keyed = h->keyed;
    for (int i = 0; i < 2; i++) h->watermarks[i] = INT64_MIN;
    h->watermark_seen = INT64_MIN;
    h->out = leati_channel_new(NO_LIMIT, SIZE_MAX / 2);
    assert_non_null(h->out);
    if (!(op->flags & LEAT_OP_SINK)) listen_to(h, NULL);
    time_of_day = 0;
    leati_clock_set(read_clock, NULL);
    build(h);
    h->opened = leati_task_open(h->task);
    return h;
}

void harness_free(harness *h) {
    if (!h) return;
    tear_down(h, h->task->state != LEATI_TASK_ENDED);
    leati_channel_unref(h->out);
    leati_args_fini(&h->args, false);
    for (int i = 0; i < h->heard; i++) leati_args_fini(&h->recorder_args[i], false);
    for (size_t i = h->first; i < h->count; i++) free(h->lines[i]);
    free(h->lines);
    free(h->lent);
    pthread_cond_destroy(&h->changed);
    pthread_mutex_destroy(&h->lock);
    free(h);
    leati_clock_set(NULL, NULL);
}

/* --- revival ---------------------------------------------------------------------------------- */

static void tell(harness *h, unsigned input, leati_element_kind kind, int64_t value) {
    leati_element e = leati_signal(kind, value);
    assert_int_equal(leati_channel_push(h->in[input], &e, 0, 0), LEAT_OK);
}

/* What the old gate knew of its inputs; the operator has heard of it. */
static void remind_gate(harness *h) {
    leati_element e;
    unsigned input;
    leati_channel *from;
    for (unsigned i = 0; i < h->info.op->inputs; i++) {
        if (h->watermarks[i] > INT64_MIN) tell(h, i, LEATI_WATERMARK, h->watermarks[i]);
        if (h->idle[i]) tell(h, i, LEATI_IDLE, 0);
        if (h->ended[i]) tell(h, i, LEATI_END, 0);
    }
    while (leati_gate_next(h->task->gate, &e, &input, &from) == LEAT_OK) {}
}

static bool is_quiet(const harness *h) {
    const leati_task *t = h->task;
    if (h->opened < 0 || t->state == LEATI_TASK_FAILED || t->state == LEATI_TASK_ENDED)
        return false;
    if (t->batch || t->chain->depth || t->chain->signalling || t->end_waits) return false;
    for (unsigned i = 0; i < h->info.op->inputs; i++)
        if (h->in[i]->count) return false;
    return true;
}

static void forget_notices(harness *h) {
    pthread_mutex_lock(&h->lock);
    h->notices = 0;
    pthread_mutex_unlock(&h->lock);
}

/* 10 s at most. */
static void await_notice(harness *h) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += PATIENCE_S;
    int late = 0;
    pthread_mutex_lock(&h->lock);
    while (!late && leati_inbox_empty(h->task->inbox) && !h->notices)
        late = pthread_cond_timedwait(&h->changed, &h->lock, &until);
    pthread_mutex_unlock(&h->lock);
    assert_int_equal(late, 0);
}

static leat_status prepare_now(harness *h, int64_t checkpoint) {
    leat_context *head = h->task->chain->contexts[0];
    return head->info->op->prepare(head, head->self, checkpoint);
}

static leat_status commit_now(harness *h, int64_t checkpoint) {
    return leati_chain_commit(h->task->chain, checkpoint);
}

static leat_status finish_now(harness *h, int64_t checkpoint) {
    (void)checkpoint;
    return leati_task_finish(h->task, false);
}

/* What may answer LEAT_AGAIN is asked again when a letter has come. */
static leat_status ask_until_done(harness *h, leat_status (*ask)(harness *, int64_t),
                                  int64_t checkpoint) {
    for (;;) {
        leat_status status = ask(h, checkpoint);
        if (status != LEAT_AGAIN) return status;
        forget_notices(h);
        await_notice(h);
        status = leati_inbox_read(h->task->inbox);
        if (status < 0) return status;
    }
}

/* A source that is not where it could go on is polled until it is. */
static void await_place(harness *h, const leat_operator *op) {
    leat_context *head = h->task->chain->contexts[0];
    while (op->on_barrier && op->on_barrier(head, head->self, h->revivals) == LEAT_AGAIN) {
        forget_notices(h);
        if (leati_task_step(h->task, 1) == LEATI_TASK_WAITING) await_notice(h);
    }
}

/* As before a checkpoint: what is held back for batching goes out, which may open cursors. */
static bool drain(harness *h) {
    leat_context *head = h->task->chain->contexts[0];
    const leat_operator *op = h->info.op;
    if (op->on_drain) assert_int_equal(op->on_drain(head, head->self), LEAT_OK);
    h->revivals++;
    await_place(h, op);
    if (op->prepare) assert_int_equal(ask_until_done(h, prepare_now, h->revivals), LEAT_OK);
    while (h->task->chain->depth)
        if (leati_task_step(h->task, BUDGET) == LEATI_TASK_WAITING) break;
    return is_quiet(h);
}

void harness_save(harness *h, leati_buf *state) {
    check_still(h);
    assert_int_equal(leati_context_snapshot(h->task->chain->contexts[0], state), LEAT_OK);
    assert_int_equal(leati_chain_flush(h->task->chain), LEAT_OK);
}

void harness_revive(harness *h) {
    if (!is_quiet(h) || !drain(h)) return;
    leati_buf state;
    leati_buf_init(&state);
    harness_save(h, &state);
    harness_crash(h, &state);
    leati_buf_fini(&state);
}

void harness_crash(harness *h, const leati_buf *state) {
    int ends = h->task->ends;
    bool source_done = h->task->source_done, head_ended = h->task->chain->contexts[0]->ended;
    tear_down(h, true);
    build(h);
    h->opened = leati_task_open(h->task);
    assert_int_equal(h->opened, LEAT_OK);
    leat_context *head = h->task->chain->contexts[0];
    if (state)
        assert_int_equal(leati_context_restore_bytes(head, state->bytes, state->size), LEAT_OK);
    h->task->ends = ends;
    h->task->source_done = source_done;
    head->ended = head_ended;
    if (h->task->gate) remind_gate(h);
    if (h->always) h->still = still_new(head);
}

/* --- another parallelism ---------------------------------------------------------------------- */

static leati_restored read_back(const leati_buf *bytes) {
    leat_error err;
    leati_restored r;
    r.store = leati_store_of(bytes->bytes, bytes->size, &err);
    assert_non_null(r.store);
    assert_true(leati_store_rows(r.store, &r.row) > 0);
    return r;
}

void harness_restore(const leati_buf *saved, int from_count, harness *const *to, int to_count) {
    leati_restored *all = calloc((size_t)from_count, sizeof *all);
    assert_non_null(all);
    for (int i = 0; i < from_count; i++) all[i] = read_back(&saved[i]);
    for (int i = 0; i < to_count; i++) {
        leat_context *head = to[i]->task->chain->contexts[0];
        leat_status status = leati_context_restore(head, all, from_count);
        if (status < 0) to[i]->opened = leati_chain_blame(head, status);
    }
    for (int i = 0; i < from_count; i++) leati_store_free(all[i].store);
    free(all);
}

void harness_rescale(harness *const *from, int from_count, harness *const *to, int to_count) {
    leati_buf *saved = calloc((size_t)from_count, sizeof *saved);
    assert_non_null(saved);
    for (int i = 0; i < from_count; i++) {
        if (is_quiet(from[i])) assert_true(drain(from[i]));
        harness_save(from[i], &saved[i]);
    }
    harness_restore(saved, from_count, to, to_count);
    for (int i = 0; i < from_count; i++) leati_buf_fini(&saved[i]);
    free(saved);
}

void harness_always_revive(harness *h) {
    h->always = true;
    harness_revive(h);
}

void harness_side(harness *h, const char *tag) {
    listen_to(h, tag);
    harness_revive(h);
}

/* --- driving ---------------------------------------------------------------------------------- */

static bool is_full(const harness *h) {
    return h->heard && !leati_channel_has_room(h->out, 0, 0);
}

/* Nothing that was given to it waits to be taken. */
static leat_status state_of(const harness *h) {
    const leati_task *t = h->task;
    if (t->state == LEATI_TASK_FAILED) return t->chain->failure.status;
    if (t->chain->depth || t->batch || t->chain->signalling || t->end_waits) return LEAT_AGAIN;
    for (unsigned i = 0; i < h->info.op->inputs; i++)
        if (h->in[i]->count) return LEAT_AGAIN;
    return LEAT_OK;
}

/* A revived task has not looked at its outputs yet: full ones are seen here. */
static leat_status drive(harness *h, int budget) {
    if (h->opened < 0) return h->opened;
    forget_notices(h);
    leati_task *t = h->task;
    if (t->state == LEATI_TASK_ENDED) return LEAT_OK;
    if (is_full(h) && !t->chain->full) return state_of(h) < 0 ? state_of(h) : LEAT_AGAIN;
    while (leati_task_step(t, budget) == LEATI_TASK_READY && budget == BUDGET) {}
    return state_of(h);
}

static leat_status take_step(harness *h) {
    if (h->fail_after) leati_alloc_fail_after(h->fail_after);
    leat_status status = drive(h, BUDGET);
    if (h->fail_after) leati_alloc_fail_after(-1);
    h->fail_after = 0;
    if (h->always && status >= 0) harness_revive(h);
    return status;
}

/* A wait without a result is no step: what was begun would be thrown away and begun again for
   ever. */
leat_status harness_drive(harness *h) {
    size_t before = h->count;
    leat_status status = drive(h, BUDGET);
    if (h->always && status >= 0 && h->count > before) harness_revive(h);
    return status;
}

void harness_fail_allocation(harness *h, int64_t n) {
    h->fail_after = n;
}

leat_status harness_push(harness *h, unsigned input, const leat_value *value, int64_t time) {
    if (h->opened < 0) return h->opened;
    leat_context *head = h->task->chain->contexts[0];
    leat_record record = leat_record_of(*value, time);
    leat_function *key = &h->keys[input];
    if (h->keyed && key->call.key) {
        assert_true(key->call.key(head, &record, &record.key, key->arg) >= 0);
        assert_int_equal(leati_key_hash(&record.key, &record.hash), LEAT_OK);
    }
    leati_batch *batch = leati_batch_new(1);
    assert_non_null(batch);
    assert_int_equal(leati_batch_append(batch, &record, NULL, true), LEAT_OK);
    leati_element e = {.kind = LEATI_BATCH, .as.batch = batch};
    assert_int_equal(leati_channel_push(h->in[input], &e, 1, batch->bytes), LEAT_OK);
    return take_step(h);
}

leat_status harness_watermark(harness *h, unsigned input, int64_t watermark) {
    tell(h, input, LEATI_WATERMARK, watermark);
    if (watermark > h->watermarks[input]) h->watermarks[input] = watermark;
    return take_step(h);
}

leat_status harness_idle(harness *h, unsigned input, bool idle) {
    tell(h, input, idle ? LEATI_IDLE : LEATI_ACTIVE, 0);
    h->idle[input] = idle;
    return take_step(h);
}

leat_status harness_end(harness *h, unsigned input) {
    if (h->opened < 0) return h->opened;
    if (!h->ended[input]) {
        tell(h, input, LEATI_WATERMARK, INT64_MAX);
        tell(h, input, LEATI_END, 0);
        h->watermarks[input] = INT64_MAX;
        h->ended[input] = true;
    }
    return take_step(h);
}

/* One poll per step when it is revived between them; a poll that gave nothing is followed by
   more. */
leat_status harness_poll(harness *h) {
    enum { ONE_POLL = 2 };
    for (;;) {
        size_t before = h->count;
        leat_status status = drive(h, h->always ? ONE_POLL : BUDGET);
        if (status >= 0 && h->count == before) status = drive(h, BUDGET);
        if (status < 0) return status;
        if (h->task->state == LEATI_TASK_ENDED) return LEAT_DONE;
        bool stuck = is_full(h) || h->task->state == LEATI_TASK_WAITING;
        bool revives = h->always && h->count > before;
        if (revives) harness_revive(h);
        if (stuck && (!revives || is_full(h))) return LEAT_AGAIN;
    }
}

leat_status harness_clock(harness *h, int64_t now) {
    time_of_day = now;
    return take_step(h);
}

leat_status harness_barrier(harness *h, int64_t checkpoint) {
    check_still(h);
    if (h->task->gate) {
        for (unsigned i = 0; i < h->info.op->inputs; i++)
            if (!h->ended[i]) tell(h, i, LEATI_BARRIER, checkpoint);
    } else {
        leati_task_barrier(h->task, checkpoint, LEATI_THEN_GO_ON);
    }
    return take_step(h);
}

leat_status harness_complete(harness *h, int64_t checkpoint) {
    leat_status status;
    status = ask_until_done(h, commit_now, checkpoint);
    if (h->always && status >= 0) harness_revive(h);
    return status;
}

leat_status harness_finish(harness *h) {
    return ask_until_done(h, finish_now, 0);
}

void harness_room(harness *h, int records) {
    leati_element e;
    assert_int_equal(leati_chain_flush(h->task->chain), LEAT_OK);
    while (leati_channel_pop(h->out, &e) == LEAT_OK) leati_element_drop(&e);
    leati_channel_give_back(h->out, atomic_load(&h->out->records), atomic_load(&h->out->bytes));
    h->out->max_records = records < 0 ? NO_LIMIT : (size_t)records;
}

leat_status harness_wait(harness *h) {
    await_notice(h);
    return harness_drive(h);
}

/* --- results ---------------------------------------------------------------------------------- */

const char *harness_next(harness *h) {
    free(h->lent);
    h->lent = h->first < h->count ? h->lines[h->first++] : NULL;
    if (h->first == h->count) h->first = h->count = 0;
    return h->lent;
}

size_t harness_count(const harness *h) {
    return h->count - h->first;
}

const char *harness_failure(const harness *h) {
    const char *text = h->task->chain->failure.text;
    return text ? text : "";
}

bool harness_ended(const harness *h) {
    return h->end_seen && h->watermark_seen == INT64_MAX;
}

leat_context *harness_context(harness *h) {
    return h->task->chain->contexts[0];
}
