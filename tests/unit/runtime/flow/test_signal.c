/* Tests of signal.c: signals wait for cursors and pass operator by operator; timers, held
   watermarks, barriers, idleness and ends. */
#include "rig.h"

#include <stdio.h>
#include <stdlib.h>

#include "runtime/base/clock.h"

/* --- one operator that logs every hook -------------------------------------------------------- */

/* What the next hooks do, by the operator's name: 'x' and 'y'. */
typedef struct plan {
    int64_t hold;  /* watermarks above it are held back; 0: none is */
    int not_ready; /* so many ends, prepares and commits are answered with LEAT_AGAIN */
    bool cursor;   /* a record opens a cursor of two */
    bool timers;   /* a record sets a timer at its value */
    bool more;     /* a timer sets another, 10 later, once */
    leat_time_domain domain;
    bool unwritable;   /* its snapshot fails */
    leat_status drain; /* what on_drain answers */
    leat_context *ctx;
} plan;

static plan *plan_of(leat_context *ctx, void *self) {
    plan *plans = rig_of(self)->more;
    plan *p = &plans[*leat_context_name(ctx) - 'x'];
    p->ctx = ctx;
    return p;
}

static leat_status probe_open(leat_context *ctx, void *self) {
    plan_of(ctx, self);
    return LEAT_OK;
}

typedef struct two {
    leat_cursor cursor; /* first */
    int left;
} two;

static leat_status two_advance(leat_context *ctx, leat_cursor *cursor, leat_emitter *out) {
    (void)ctx;
    two *t = (two *)(void *)cursor;
    leat_value v = leat_int(t->left);
    if (!t->left--) return LEAT_DONE;
    return leat_emitter_push(out, &v);
}

static void two_close(leat_context *ctx, leat_cursor *cursor) {
    (void)ctx;
    free(cursor);
}

static leat_status set_timer(leat_context *ctx, leat_time_domain domain, int64_t time) {
    leat_timer timer = {domain, time, {"ns", 2}};
    return leat_timer_set(ctx, &timer);
}

static leat_status probe_on_record(leat_context *ctx, void *self, unsigned input,
                                   const leat_record *in) {
    (void)input;
    plan *p = plan_of(ctx, self);
    rig_log(rig_of(self), "%s%d", leat_context_name(ctx), (int)in->value.as.i);
    if (p->timers) {
        leat_status status = set_timer(ctx, p->domain, in->value.as.i);
        if (status < 0) return status;
    }
    if (!p->cursor) return leat_emit(ctx, in);
    two *t = calloc(1, sizeof *t);
    assert_non_null(t);
    *t = (two){{two_advance, two_close}, 2};
    return leat_context_cursor(ctx, &t->cursor);
}

static leat_status probe_on_timer(leat_context *ctx, void *self, const leat_timer *timer) {
    plan *p = plan_of(ctx, self);
    char watermark[32] = "", key[32];
    assert_memory_equal(timer->ns.bytes, "ns", 2);
    assert_int_equal(timer->ns.size, 2);
    assert_int_equal(leat_context_time(ctx), timer->time);
    leat_value_format(leat_context_key(ctx), key, sizeof key);
    if (timer->domain == LEAT_EVENT_TIME)
        snprintf(watermark, sizeof watermark, "<=%d", (int)leat_context_watermark(ctx));
    rig_log(rig_of(self), "%s-timer%d%s/%s", leat_context_name(ctx), (int)timer->time, watermark,
            key);
    if (p->more) {
        p->more = false;
        leat_status status = set_timer(ctx, timer->domain, timer->time + 10);
        if (status < 0) return status;
    }
    leat_value v = leat_int(timer->time);
    return leat_emitter_push(leat_context_emitter(ctx), &v);
}

static leat_status probe_on_watermark(leat_context *ctx, void *self, int64_t *watermark) {
    const plan *p = plan_of(ctx, self);
    if (*watermark == INT64_MAX)
        rig_log(rig_of(self), "%s-wmax", leat_context_name(ctx));
    else
        rig_log(rig_of(self), "%s-w%d", leat_context_name(ctx), (int)*watermark);
    return p->hold && *watermark > p->hold ? LEAT_AGAIN : LEAT_OK;
}

static leat_status probe_on_idle(leat_context *ctx, void *self, bool idle) {
    rig_log(rig_of(self), "%s-%s", leat_context_name(ctx), idle ? "idle" : "active");
    return LEAT_OK;
}

static leat_status log_question(leat_context *ctx, void *self, const char *what, int64_t which) {
    plan *p = plan_of(ctx, self);
    rig_log(rig_of(self), "%s-%s%d%s", leat_context_name(ctx), what, (int)which,
            p->not_ready ? "?" : "");
    if (!p->not_ready) return LEAT_OK;
    p->not_ready--;
    return LEAT_AGAIN;
}

static leat_status probe_on_end(leat_context *ctx, void *self, unsigned input) {
    return log_question(ctx, self, "end", input);
}

static leat_status probe_on_drain(leat_context *ctx, void *self) {
    const plan *p = plan_of(ctx, self);
    assert_int_equal(leat_context_time(ctx), LEAT_NO_TIME);
    assert_int_equal(leat_context_key(ctx)->kind, LEAT_NULL);
    return p->drain;
}

static leat_status probe_prepare(leat_context *ctx, void *self, int64_t checkpoint) {
    return log_question(ctx, self, "prepare", checkpoint);
}

static leat_status probe_commit(leat_context *ctx, void *self, int64_t checkpoint) {
    return log_question(ctx, self, "commit", checkpoint);
}

static leat_status probe_snapshot(leat_context *ctx, void *self, leat_snapshot *out) {
    rig_log(rig_of(self), "%s-snapshot", leat_context_name(ctx));
    if (plan_of(ctx, self)->unwritable)
        return leat_context_fail(ctx, LEAT_E_TYPE, "it holds a lock");
    return leat_snapshot_write(out, "blob", LEAT_SPLIT_LIST, "12", 2);
}

#define PROBE(variable, op_name, count)     \
    static const leat_operator variable = { \
        .size = sizeof(leat_operator),      \
        .name = op_name,                    \
        .flags = LEAT_OP_KEYED,             \
        .inputs = count,                    \
        .self_size = sizeof(rig_self),      \
        .params = rig_params,               \
        .open = probe_open,                 \
        .on_record = probe_on_record,       \
        .on_timer = probe_on_timer,         \
        .on_watermark = probe_on_watermark, \
        .on_idle = probe_on_idle,           \
        .on_end_of_data = probe_on_end,     \
        .on_drain = probe_on_drain,         \
        .prepare = probe_prepare,           \
        .commit = probe_commit,             \
        .snapshot = probe_snapshot,         \
    }

PROBE(x_operator, "x", 1);
PROBE(x2_operator, "x", 2);
PROBE(y_operator, "y", 1);

typedef struct fixture {
    rig r;
    plan plans[2];
} fixture;

/* x, with `inputs` inputs, then y, then an output of that capacity. */
static void set_up(fixture *f, unsigned inputs, size_t capacity) {
    rig_init(&f->r, true);
    memset(f->plans, 0, sizeof f->plans);
    f->r.more = f->plans;
    leat_context *x = rig_add(&f->r, inputs == 2 ? &x2_operator : &x_operator, NULL, NULL);
    leat_context *y = rig_add(&f->r, &y_operator, x, NULL);
    rig_output(&f->r, y, NULL, LEAT_FORWARD, 1, capacity);
    for (unsigned i = 0; i < inputs; i++) rig_input(&f->r, i, 100);
    rig_open(&f->r);
}

static void signal_in(fixture *f, int input, leati_element_kind kind, int64_t value) {
    channel_push_signal(f->r.in[input], kind, value);
}

static void run(fixture *f, const char *log, const char *out) {
    assert_int_equal(rig_run(&f->r), LEATI_TASK_WAITING);
    rig_expect(&f->r, log);
    assert_string_equal(channel_read(f->r.out[0]), out);
}

/* --- watermarks ------------------------------------------------------------------------------- */

static void watermark_passes_operator_by_operator(void **state) {
    (void)state;
    fixture f;
    set_up(&f, 1, 100);
    channel_push_ints(f.r.in[0], 1, 2);
    signal_in(&f, 0, LEATI_WATERMARK, 5);
    channel_push_ints(f.r.in[0], 3, 3);
    run(&f, "x1 y1 x2 y2 x-w5 y-w5 x3 y3", "[1 2] w5 [3]");
    assert_int_equal(leat_context_watermark(f.plans[1].ctx), 5);
    rig_fini(&f.r);
}

static void watermark_waits_for_cursors(void **state) {
    (void)state;
    fixture f;
    set_up(&f, 1, 1);
    f.plans[0].cursor = true;
    channel_push_ints(f.r.in[0], 9, 9);
    signal_in(&f, 0, LEATI_WATERMARK, 5);
    run(&f, "x9 y2", "[2]");
    run(&f, "y1", "[1]");
    run(&f, "x-w5 y-w5", "w5");
    rig_fini(&f.r);
}

static void watermark_fires_timers_in_their_order_and_before_it_goes_on(void **state) {
    (void)state;
    fixture f;
    set_up(&f, 1, 100);
    f.plans[0].timers = true;
    static const int64_t times[] = {7, 3, 20, 5};
    for (int i = 0; i < 4; i++) {
        leat_record record = leat_record_of(leat_int(times[i]), LEAT_NO_TIME);
        record.key = leat_int(times[i] % 2);
        channel_push_record(f.r.in[0], &record);
    }
    signal_in(&f, 0, LEATI_WATERMARK, 10);
    run(&f,
        "x7 y7 x3 y3 x20 y20 x5 y5 x-timer3<=10/1 y3 x-timer5<=10/1 y5 x-timer7<=10/1 y7 x-w10 "
        "y-w10",
        "[7 3 20 5 3 5 7] w10");
    signal_in(&f, 0, LEATI_WATERMARK, 19);
    signal_in(&f, 0, LEATI_WATERMARK, 20);
    run(&f, "x-w19 y-w19 x-timer20<=20/0 y20 x-w20 y-w20", "w19 [20] w20");
    rig_fini(&f.r);
}

static void timer_set_by_a_timer_fires_with_it_when_it_is_due(void **state) {
    (void)state;
    fixture f;
    set_up(&f, 1, 100);
    f.plans[0].timers = f.plans[0].more = true;
    channel_push_ints(f.r.in[0], 5, 5);
    signal_in(&f, 0, LEATI_WATERMARK, 15);
    run(&f, "x5 y5 x-timer5<=15/null y5 x-timer15<=15/null y15 x-w15 y-w15", "[5 5 15] w15");
    rig_fini(&f.r);
}

static void timers_wait_while_an_output_is_full(void **state) {
    (void)state;
    fixture f;
    set_up(&f, 1, 1);
    f.plans[1].timers = true;
    channel_push_ints(f.r.in[0], 1, 2);
    signal_in(&f, 0, LEATI_WATERMARK, 9);
    run(&f, "x1 y1", "[1]");
    run(&f, "x2 y2", "[2]");
    run(&f, "x-w9 y-timer1<=9/null", "[1]");
    run(&f, "y-timer2<=9/null", "[2]");
    run(&f, "y-w9", "w9");
    rig_fini(&f.r);
}

static void watermark_held_back_goes_on_later(void **state) {
    (void)state;
    fixture f;
    set_up(&f, 1, 100);
    f.plans[0].hold = 4;
    signal_in(&f, 0, LEATI_WATERMARK, 3);
    signal_in(&f, 0, LEATI_WATERMARK, 8);
    run(&f, "x-w3 y-w3 x-w8", "w3");
    leat_context_forward_watermark(f.plans[0].ctx, 6);
    run(&f, "y-w6", "w6");
    leat_context_forward_watermark(f.plans[0].ctx, 5); /* never back */
    run(&f, "", "");
    leat_context_forward_watermark(f.plans[0].ctx, 8);
    channel_push_ints(f.r.in[0], 1, 1);
    run(&f, "y-w8 x1 y1", "w8 [1]");
    rig_fini(&f.r);
}

static void watermark_held_until_the_end_precedes_it(void **state) {
    (void)state;
    fixture f;
    set_up(&f, 1, 100);
    f.plans[0].hold = 4;
    f.plans[0].not_ready = 1;
    f.plans[1].timers = true;
    channel_push_ints(f.r.in[0], 7, 7);
    signal_in(&f, 0, LEATI_WATERMARK, INT64_MAX);
    signal_in(&f, 0, LEATI_END, 0);
    run(&f, "x7 y7 x-wmax x-end0?", "[7]");
    leat_context_forward_watermark(f.plans[0].ctx, INT64_MAX); /* as a letter would do */
    leat_context_wake(f.plans[0].ctx);
    assert_int_equal(rig_run(&f.r), LEATI_TASK_ENDED);
    rig_expect(&f.r, "y-timer7<=-1/null y-wmax x-end0 y-end0");
    assert_string_equal(channel_read(f.r.out[0]), "[7] wmax end");
    rig_fini(&f.r);
}

/* --- barriers --------------------------------------------------------------------------------- */

typedef struct saved {
    int64_t checkpoint, declined;
    size_t size;
} saved;

static leat_status save(void *arg, int task, int64_t checkpoint, leati_chunk *chunk, bool last) {
    saved *s = arg;
    assert_int_equal(task, 0);
    if (last) s->checkpoint = checkpoint;
    s->size += chunk->rows.size;
    leati_chunk_fini(chunk);
    memset(chunk, 0, sizeof *chunk);
    return LEAT_OK;
}

static void save_to(fixture *f, const leati_saver *saver) {
    f->r.task->saving.to = saver;
    f->r.chain->saving = &f->r.task->saving;
}

static void barrier_snapshots_each_operator_and_goes_on(void **state) {
    (void)state;
    fixture f;
    saved s = {0};
    leati_saver saver = {save, &s, NULL};
    set_up(&f, 2, 100);
    save_to(&f, &saver);
    channel_push_ints(f.r.in[0], 1, 1);
    signal_in(&f, 0, LEATI_BARRIER, 3);
    channel_push_ints(f.r.in[0], 2, 2);
    channel_push_ints(f.r.in[1], 11, 11);
    run(&f, "x1 y1 x11 y11", "[1 11]");
    signal_in(&f, 1, LEATI_BARRIER, 3);
    run(&f, "x-prepare3 x-snapshot y-prepare3 y-snapshot x2 y2", "b3 [2]");
    assert_int_equal(leati_chain_commit(f.r.chain, 3), LEAT_OK);
    rig_expect(&f.r, "x-commit3 y-commit3");
    assert_int_equal(s.checkpoint, 3);
    assert_true(s.size > 0);
    rig_fini(&f.r);
}

static leat_status hear_decline(void *arg, int task, int64_t checkpoint, leat_status status,
                                const char *why) {
    saved *s = arg;
    assert_int_equal(task, 0);
    assert_int_equal(status, LEAT_E_TYPE);
    assert_string_equal(why, "y (2/2): it holds a lock");
    s->declined = checkpoint;
    return LEAT_OK;
}

static void snapshot_that_fails_is_declined_and_the_task_goes_on(void **state) {
    (void)state;
    fixture f;
    saved s = {0};
    leati_saver saver = {save, &s, hear_decline};
    set_up(&f, 1, 100);
    save_to(&f, &saver);
    f.plans[1].unwritable = true;
    signal_in(&f, 0, LEATI_BARRIER, 3);
    channel_push_ints(f.r.in[0], 1, 1);
    run(&f, "x-prepare3 x-snapshot y-prepare3 y-snapshot x1 y1", "b3 [1]");
    assert_int_equal(s.declined, 3);
    assert_int_equal(s.checkpoint, 0);
    assert_null(f.r.chain->blamed);
    f.plans[1].unwritable = false;
    signal_in(&f, 0, LEATI_BARRIER, 4);
    run(&f, "x-prepare4 x-snapshot y-prepare4 y-snapshot", "b4");
    assert_int_equal(s.checkpoint, 4);
    rig_fini(&f.r);
}

static leat_status log_letter(leat_context *ctx, void *self, void *arg) {
    (void)arg;
    rig_log(rig_of(self), "%s-letter", leat_context_name(ctx));
    return LEAT_OK;
}

static void post(leat_context *ctx) {
    leat_mailbox *mailbox = leat_context_mailbox(ctx);
    assert_int_equal(leat_mailbox_post(mailbox, log_letter, NULL, NULL), LEAT_OK);
    leat_mailbox_unref(mailbox);
}

static void barrier_waits_for_an_operator_that_is_not_prepared(void **state) {
    (void)state;
    fixture f;
    saved s = {0};
    leati_saver saver = {save, &s, NULL};
    set_up(&f, 1, 100);
    save_to(&f, &saver);
    f.plans[1].not_ready = 2;
    signal_in(&f, 0, LEATI_BARRIER, 3);
    channel_push_ints(f.r.in[0], 1, 1);
    run(&f, "x-prepare3 x-snapshot y-prepare3?", "");
    post(f.plans[0].ctx); /* what x would emit now were lost, since x is stored without it */
    post(f.plans[1].ctx);
    run(&f, "y-letter y-prepare3?", "");
    post(f.plans[1].ctx);
    assert_int_equal(s.checkpoint, 0);
    run(&f, "y-letter y-prepare3 y-snapshot x-letter x1 y1", "b3 [1]");
    assert_int_equal(s.checkpoint, 3);
    rig_fini(&f.r);
}

static void barrier_that_the_head_is_not_prepared_for_stops_records(void **state) {
    (void)state;
    fixture f;
    set_up(&f, 1, 100);
    f.plans[0].not_ready = 1;
    signal_in(&f, 0, LEATI_BARRIER, 3);
    channel_push_ints(f.r.in[0], 1, 1);
    run(&f, "x-prepare3?", "");
    leat_context_wake(f.plans[0].ctx);
    run(&f, "x-prepare3 y-prepare3 x1 y1", "b3 [1]");
    rig_fini(&f.r);
}

static void commit_that_is_not_done_is_asked_again_and_stops_nothing(void **state) {
    (void)state;
    fixture f;
    set_up(&f, 1, 100);
    run(&f, "", "");
    f.plans[0].not_ready = 1;
    leati_task_complete(f.r.task, 3);
    channel_push_ints(f.r.in[0], 1, 1);
    run(&f, "x-commit3? y-commit3 x1 y1", "[1]");
    assert_false(leati_task_has_committed(f.r.task, 3));
    leati_task_complete(f.r.task, 2);
    run(&f, "x-commit3 y-commit3", "");
    assert_true(leati_task_has_committed(f.r.task, 3));
    run(&f, "", "");
    rig_fini(&f.r);
}

static void last_commit_is_asked_until_it_is_done(void **state) {
    (void)state;
    fixture f;
    set_up(&f, 1, 100);
    f.plans[1].not_ready = 1;
    assert_int_equal(leati_task_finish(f.r.task, false), LEAT_AGAIN);
    assert_int_equal(leati_task_finish(f.r.task, false), LEAT_OK);
    rig_expect(&f.r, "x-prepare-1 y-prepare-1? x-prepare-1 y-prepare-1 x-commit-1 y-commit-1");
    f.plans[0].not_ready = 1;
    assert_int_equal(leati_task_finish(f.r.task, false), LEAT_AGAIN);
    assert_int_equal(leati_task_finish(f.r.task, false), LEAT_OK);
    rig_expect(&f.r, "x-commit-1? y-commit-1 x-commit-1 y-commit-1");
    rig_fini(&f.r);
}

/* --- idleness --------------------------------------------------------------------------------- */

static void idleness_passes_all(void **state) {
    (void)state;
    fixture f;
    set_up(&f, 1, 100);
    signal_in(&f, 0, LEATI_IDLE, 0);
    signal_in(&f, 0, LEATI_ACTIVE, 0);
    run(&f, "x-idle y-idle x-active y-active", "idle active");
    rig_fini(&f.r);
}

/* --- ends ------------------------------------------------------------------------------------- */

static void end_of_one_input_stays_at_the_head(void **state) {
    (void)state;
    fixture f;
    set_up(&f, 2, 100);
    signal_in(&f, 1, LEATI_WATERMARK, INT64_MAX);
    signal_in(&f, 1, LEATI_END, 0);
    run(&f, "x-end1", "");
    channel_push_ints(f.r.in[0], 1, 1);
    signal_in(&f, 0, LEATI_WATERMARK, INT64_MAX);
    signal_in(&f, 0, LEATI_END, 0);
    assert_int_equal(rig_run(&f.r), LEATI_TASK_ENDED);
    rig_expect(&f.r, "x1 y1 x-wmax y-wmax x-end0 y-end0");
    assert_string_equal(channel_read(f.r.out[0]), "[1] wmax end");
    rig_fini(&f.r);
}

static void end_waits_for_an_operator_that_is_not_ready(void **state) {
    (void)state;
    fixture f;
    set_up(&f, 1, 100);
    f.plans[1].not_ready = 2;
    signal_in(&f, 0, LEATI_WATERMARK, INT64_MAX);
    signal_in(&f, 0, LEATI_END, 0);
    run(&f, "x-wmax y-wmax x-end0 y-end0?", "wmax");
    run(&f, "y-end0?", "");
    assert_int_equal(rig_run(&f.r), LEATI_TASK_ENDED);
    rig_expect(&f.r, "y-end0");
    assert_string_equal(channel_read(f.r.out[0]), "end");
    rig_fini(&f.r);
}

/* --- processing time -------------------------------------------------------------------------- */

static int64_t now;

static int64_t read_now(void *arg) {
    (void)arg;
    return now;
}

static int set_clock(void **state) {
    (void)state;
    now = 0;
    leati_clock_set(read_now, NULL);
    return 0;
}

static int reset_clock(void **state) {
    (void)state;
    leati_clock_set(NULL, NULL);
    return 0;
}

static void processing_timers_fire_by_the_clock(void **state) {
    (void)state;
    fixture f;
    set_up(&f, 1, 100);
    f.plans[0].timers = true;
    f.plans[0].domain = LEAT_PROCESSING_TIME;
    channel_push_ints(f.r.in[0], 20, 20);
    channel_push_ints(f.r.in[0], 10, 10);
    signal_in(&f, 0, LEATI_WATERMARK, 100); /* means nothing to them */
    run(&f, "x20 y20 x10 y10 x-w100 y-w100", "[20 10] w100");
    assert_int_equal(leati_task_next_time(f.r.task), 10);
    now = 10;
    run(&f, "x-timer10/null y10", "[10]");
    assert_int_equal(leati_task_next_time(f.r.task), 20);
    now = 25;
    run(&f, "x-timer20/null y20", "[20]");
    assert_int_equal(leati_task_next_time(f.r.task), INT64_MAX);
    rig_fini(&f.r);
}

static void processing_timers_fire_between_the_records_of_a_batch(void **state) {
    (void)state;
    fixture f;
    set_up(&f, 1, 1);
    f.plans[1].timers = true;
    f.plans[1].domain = LEAT_PROCESSING_TIME;
    channel_push_ints(f.r.in[0], 1, 3);
    run(&f, "x1 y1", "[1]");
    now = 1;
    run(&f, "y-timer1/null", "[1]");
    run(&f, "x2 y2", "[2]");
    rig_fini(&f.r);
}

static void due_timers_of_a_full_task_ask_for_no_step(void **state) {
    (void)state;
    fixture f;
    set_up(&f, 1, 1);
    f.plans[0].timers = true;
    f.plans[0].domain = LEAT_PROCESSING_TIME;
    channel_push_ints(f.r.in[0], 1, 1);
    assert_int_equal(rig_run(&f.r), LEATI_TASK_WAITING);
    now = 1; /* due, and the output is full: somebody else will wake it */
    assert_int_equal(leati_task_next_time(f.r.task), INT64_MAX);
    rig_expect(&f.r, "x1 y1");
    assert_string_equal(channel_read(f.r.out[0]), "[1]");
    run(&f, "x-timer1/null y1", "[1]");
    rig_fini(&f.r);
}

static void processing_timers_fire_while_an_end_waits(void **state) {
    (void)state;
    fixture f;
    set_up(&f, 1, 100);
    f.plans[0].timers = f.plans[1].timers = true;
    f.plans[0].domain = f.plans[1].domain = LEAT_PROCESSING_TIME;
    f.plans[1].not_ready = 1;
    channel_push_ints(f.r.in[0], 5, 5);
    signal_in(&f, 0, LEATI_END, 0);
    run(&f, "x5 y5 x-wmax y-wmax x-end0 y-end0?", "[5] wmax");
    assert_int_equal(leati_task_next_time(f.r.task), 5);
    now = 5; /* x has ended: its timer is quiet */
    assert_int_equal(rig_run(&f.r), LEATI_TASK_ENDED);
    rig_expect(&f.r, "y-timer5/null y-end0");
    assert_string_equal(channel_read(f.r.out[0]), "[5] end");
    rig_fini(&f.r);
}

/* --- failures --------------------------------------------------------------------------------- */

static void drain_that_fails_blames_no_record(void **state) {
    (void)state;
    fixture f;
    set_up(&f, 1, 100);
    f.plans[1].drain = LEAT_E_IO;
    channel_push_ints(f.r.in[0], 1, 1);
    assert_int_equal(rig_run(&f.r), LEATI_TASK_FAILED);
    const leati_failure *failure = &f.r.chain->failure;
    assert_string_equal(failure->operator_name, "y");
    assert_int_equal(failure->status, LEAT_E_IO);
    assert_null(failure->record);
    rig_fini(&f.r);
}

#define BY_CLOCK(test) cmocka_unit_test_setup_teardown(test, set_clock, reset_clock)

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(watermark_passes_operator_by_operator),
        cmocka_unit_test(watermark_waits_for_cursors),
        cmocka_unit_test(watermark_fires_timers_in_their_order_and_before_it_goes_on),
        cmocka_unit_test(timer_set_by_a_timer_fires_with_it_when_it_is_due),
        cmocka_unit_test(timers_wait_while_an_output_is_full),
        cmocka_unit_test(watermark_held_back_goes_on_later),
        cmocka_unit_test(watermark_held_until_the_end_precedes_it),
        cmocka_unit_test(barrier_snapshots_each_operator_and_goes_on),
        cmocka_unit_test(barrier_waits_for_an_operator_that_is_not_prepared),
        cmocka_unit_test(snapshot_that_fails_is_declined_and_the_task_goes_on),
        cmocka_unit_test(barrier_that_the_head_is_not_prepared_for_stops_records),
        cmocka_unit_test(commit_that_is_not_done_is_asked_again_and_stops_nothing),
        cmocka_unit_test(last_commit_is_asked_until_it_is_done),
        cmocka_unit_test(idleness_passes_all),
        cmocka_unit_test(end_of_one_input_stays_at_the_head),
        cmocka_unit_test(end_waits_for_an_operator_that_is_not_ready),
        BY_CLOCK(processing_timers_fire_by_the_clock),
        BY_CLOCK(processing_timers_fire_between_the_records_of_a_batch),
        BY_CLOCK(due_timers_of_a_full_task_ask_for_no_step),
        BY_CLOCK(processing_timers_fire_while_an_end_waits),
        cmocka_unit_test(drain_that_fails_blames_no_record),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
