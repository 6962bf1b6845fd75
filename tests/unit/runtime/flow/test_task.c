/* Tests of task.c: what one step does and in which order, sources, credit, holding, waking, frames,
   failures. */
#include "rig.h"

#include "runtime/base/alloc.h"
#include "runtime/base/clock.h"

/* --- operators -------------------------------------------------------------------------------- */

static leat_status pass(leat_context *ctx, void *self, unsigned input, const leat_record *in) {
    rig *r = rig_of(self);
    rig_log(r, "%u:%d", input, (int)in->value.as.i);
    if (in->value.as.i == 13) return leat_context_fail(ctx, LEAT_E_RANGE, "unlucky");
    if (in->value.as.i == 100) leat_context_hold(ctx);
    return leat_emit(ctx, in);
}

static const leat_operator pass_operator = {.size = sizeof(leat_operator),
                                            .name = "pass",
                                            .inputs = 1,
                                            .self_size = sizeof(rig_self),
                                            .params = rig_params,
                                            .on_record = pass};

/* Gives 1, 2, 3, each with a watermark behind it, waits once before 3, then is done. */
typedef struct counter {
    rig_self base; /* first */
    int next;
    bool waited;
} counter;

static leat_status counter_poll(leat_context *ctx, void *self, leat_emitter *out) {
    counter *c = self;
    if (c->next == 2 && !c->waited) {
        c->waited = true;
        rig_log(rig_of(self), "wait");
        leat_context_forward_watermark(ctx, 25);
        return LEAT_AGAIN;
    }
    if (c->next == 3) return LEAT_DONE;
    c->next++;
    leat_record record = leat_record_of(leat_int(c->next), c->next * 10);
    leat_status status = leat_emitter_push_record(out, &record);
    leat_context_forward_watermark(ctx, record.time);
    return status;
}

static const leat_operator counter_operator = {.size = sizeof(leat_operator),
                                               .name = "counter",
                                               .self_size = sizeof(counter),
                                               .params = rig_params,
                                               .poll = counter_poll};

static void set_up(rig *r, size_t capacity) {
    rig_init(r, true);
    rig_input(r, 0, 10);
    leat_context *p = rig_add(r, &pass_operator, NULL, NULL);
    rig_output(r, p, NULL, LEAT_FORWARD, 1, capacity);
    rig_open(r);
}

/* Takes longer for each record than a step should. */
static leat_status slow(leat_context *ctx, void *self, unsigned input, const leat_record *in) {
    enum { LONG_NS = 6000000 };
    rig_log(rig_of(self), "%u:%d", input, (int)in->value.as.i);
    for (int64_t end = leati_clock_monotonic() + LONG_NS; leati_clock_monotonic() < end;) {}
    return leat_emit(ctx, in);
}

static const leat_operator slow_operator = {.size = sizeof(leat_operator),
                                            .name = "slow",
                                            .inputs = 1,
                                            .self_size = sizeof(rig_self),
                                            .params = rig_params,
                                            .on_record = slow};

/* --- steps ------------------------------------------------------------------------------------ */

static void step_without_input_waits(void **state) {
    (void)state;
    rig r;
    set_up(&r, 10);
    assert_int_equal(rig_step(&r), LEATI_TASK_WAITING);
    assert_int_equal(rig_step(&r), LEATI_TASK_WAITING);
    assert_int_equal(leati_task_next_time(r.task), INT64_MAX);
    rig_fini(&r);
}

static void step_ends_with_its_budget_and_goes_on(void **state) {
    (void)state;
    rig r;
    set_up(&r, 100);
    for (int64_t i = 1; i < 9; i++) channel_push_ints(r.in[0], i, i);
    assert_int_equal(leati_task_step(r.task, 5), LEATI_TASK_READY);
    assert_in_range(r.in[0]->count, 1, 7);
    while (leati_task_step(r.task, 5) == LEATI_TASK_READY) {}
    rig_expect(&r, "0:1 0:2 0:3 0:4 0:5 0:6 0:7 0:8");
    rig_fini(&r);
}

static leat_status log_mail(leat_context *ctx, void *self, void *arg) {
    (void)ctx;
    (void)arg;
    rig_log(rig_of(self), "mail");
    return LEAT_OK;
}

static void step_of_slow_functions_lets_mail_in_between(void **state) {
    (void)state;
    rig r;
    rig_init(&r, true);
    rig_input(&r, 0, 10);
    leat_context *p = rig_add(&r, &slow_operator, NULL, NULL);
    rig_output(&r, p, NULL, LEAT_FORWARD, 1, 10);
    rig_open(&r);
    r.task->flush_every = 0;
    channel_push_ints(r.in[0], 1, 3);
    assert_int_equal(rig_step(&r), LEATI_TASK_READY);
    assert_string_equal(channel_read(r.out[0]), "[1]");
    leat_mailbox *mailbox = leat_context_mailbox(p);
    assert_int_equal(leat_mailbox_post(mailbox, log_mail, NULL, NULL), LEAT_OK);
    assert_int_equal(rig_run(&r), LEATI_TASK_WAITING);
    rig_expect(&r, "0:1 mail 0:2 0:3");
    leat_mailbox_unref(mailbox);
    rig_fini(&r);
}

static void step_gives_credit_back_when_the_batch_is_done(void **state) {
    (void)state;
    rig r;
    set_up(&r, 1);
    channel_push_ints(r.in[0], 1, 2);
    assert_int_equal(rig_run(&r), LEATI_TASK_WAITING);
    assert_int_equal(atomic_load(&r.in[0]->records), 2);
    assert_string_equal(channel_read(r.out[0]), "[1]");
    assert_int_equal(rig_run(&r), LEATI_TASK_WAITING);
    assert_string_equal(channel_read(r.out[0]), "[2]");
    assert_int_equal(rig_run(&r), LEATI_TASK_WAITING);
    assert_int_equal(atomic_load(&r.in[0]->records), 0);
    assert_int_equal(atomic_load(&r.in[0]->bytes), 0);
    rig_fini(&r);
}

static void step_takes_nothing_while_an_output_is_full(void **state) {
    (void)state;
    rig r;
    set_up(&r, 1);
    channel_push_ints(r.in[0], 1, 1);
    channel_push_signal(r.in[0], LEATI_WATERMARK, 5);
    channel_push_ints(r.in[0], 2, 2);
    for (int i = 0; i < 3; i++) assert_int_equal(rig_run(&r), LEATI_TASK_WAITING);
    rig_expect(&r, "0:1");
    assert_string_equal(channel_read(r.out[0]), "[1]");
    assert_int_equal(rig_run(&r), LEATI_TASK_WAITING);
    assert_string_equal(channel_read(r.out[0]), "w5 [2]");
    rig_fini(&r);
}

static void idle_step_gives_out_what_was_gathered(void **state) {
    (void)state;
    rig r;
    set_up(&r, 100);
    r.task->flush_every = -1; /* no timeout: only when idle or full */
    channel_push_ints(r.in[0], 1, 3);
    assert_int_equal(leati_task_step(r.task, 3), LEATI_TASK_READY);
    assert_string_equal(channel_read(r.out[0]), "");
    assert_int_equal(rig_run(&r), LEATI_TASK_WAITING);
    assert_string_equal(channel_read(r.out[0]), "[1 2 3]");
    rig_fini(&r);
}

static void busy_step_gives_out_after_the_timeout(void **state) {
    (void)state;
    rig r;
    set_up(&r, 100);
    r.task->flush_every = 0;
    for (int64_t i = 1; i < 4; i++) channel_push_ints(r.in[0], i, i);
    assert_int_equal(leati_task_step(r.task, 2), LEATI_TASK_READY);
    assert_string_equal(channel_read(r.out[0]), "[1]");
    rig_fini(&r);
}

/* --- holding ---------------------------------------------------------------------------------- */

static leat_status let_go(leat_context *ctx, void *self, void *arg) {
    (void)arg;
    rig_log(rig_of(self), "mail");
    leat_context_release(ctx);
    return LEAT_OK;
}

static void held_task_takes_no_record_until_it_is_released_by_mail(void **state) {
    (void)state;
    rig r;
    set_up(&r, 100);
    channel_push_ints(r.in[0], 99, 102);
    leat_mailbox *mailbox = leat_context_mailbox(r.chain->contexts[0]);
    assert_int_equal(rig_run(&r), LEATI_TASK_WAITING);
    assert_int_equal(rig_run(&r), LEATI_TASK_WAITING);
    rig_expect(&r, "0:99 0:100");
    assert_string_equal(channel_read(r.out[0]), "[99 100]");
    int before = atomic_load(&r.notices);
    assert_int_equal(leat_mailbox_post(mailbox, let_go, NULL, NULL), LEAT_OK);
    assert_true(atomic_load(&r.notices) > before);
    assert_int_equal(rig_run(&r), LEATI_TASK_WAITING);
    rig_expect(&r, "mail 0:101 0:102");
    leat_mailbox_unref(mailbox);
    rig_fini(&r);
}

/* --- sources ---------------------------------------------------------------------------------- */

static void source_is_polled_to_its_end(void **state) {
    (void)state;
    rig r;
    rig_init(&r, false);
    leat_context *c = rig_add(&r, &counter_operator, NULL, NULL);
    rig_output(&r, c, NULL, LEAT_FORWARD, 1, 100);
    rig_open(&r);
    assert_int_equal(rig_run(&r), LEATI_TASK_WAITING);
    rig_expect(&r, "wait");
    /* Watermarks stand where they were given, also the one that came without a record. */
    assert_string_equal(channel_read(r.out[0]), "[1] w10 [2] w20 w25");
    assert_int_equal(rig_run(&r), LEATI_TASK_ENDED);
    assert_string_equal(channel_read(r.out[0]), "[3] w30 wmax end");
    rig_fini(&r);
}

static void source_inserts_a_barrier_between_polls_and_after_its_end(void **state) {
    (void)state;
    rig r;
    rig_init(&r, false);
    leat_context *c = rig_add(&r, &counter_operator, NULL, NULL);
    rig_output(&r, c, NULL, LEAT_FORWARD, 1, 1);
    rig_open(&r);
    assert_int_equal(rig_run(&r), LEATI_TASK_WAITING);
    int before = atomic_load(&r.notices);
    leati_task_barrier(r.task, 7, LEATI_THEN_GO_ON);
    assert_int_equal(atomic_load(&r.notices), before + 1);
    assert_string_equal(channel_read(r.out[0]), "[1]");
    assert_int_equal(rig_run(&r), LEATI_TASK_WAITING);
    assert_string_equal(channel_read(r.out[0]), "w10 b7 [2]");
    assert_int_equal(rig_run(&r), LEATI_TASK_WAITING);
    assert_string_equal(channel_read(r.out[0]), "w20 w25");
    assert_int_equal(rig_run(&r), LEATI_TASK_WAITING);
    assert_string_equal(channel_read(r.out[0]), "[3]");
    assert_int_equal(rig_run(&r), LEATI_TASK_ENDED);
    assert_string_equal(channel_read(r.out[0]), "w30 wmax end");
    leati_task_barrier(r.task, 8, LEATI_THEN_GO_ON);
    assert_int_equal(rig_run(&r), LEATI_TASK_ENDED);
    assert_string_equal(channel_read(r.out[0]), "b8");
    rig_fini(&r);
}

/* --- frames ----------------------------------------------------------------------------------- */

static void push_frame(leati_channel *c, const void *bytes, size_t size, int64_t records) {
    leati_element e = {.kind = LEATI_FRAME, .value = records};
    e.as.frame.bytes = leati_memdup(bytes, size);
    e.as.frame.size = size;
    assert_non_null(e.as.frame.bytes);
    assert_int_equal(leati_channel_push(c, &e, (size_t)records, size), LEAT_OK);
}

static void frame_of_another_process_becomes_records(void **state) {
    (void)state;
    rig r;
    set_up(&r, 100);
    leati_batch *batch = leati_batch_new(4);
    for (int64_t i = 1; i < 4; i++) {
        leat_record record = leat_record_of(leat_int(i), i);
        assert_int_equal(leati_batch_append(batch, &record, NULL, true), LEAT_OK);
    }
    leati_buf frame;
    leati_buf_init(&frame);
    assert_int_equal(leati_batch_encode(batch, NULL, &frame), LEAT_OK);
    push_frame(r.in[0], frame.bytes, frame.size, 3);
    leati_buf_fini(&frame);
    leati_batch_unref(batch);
    assert_int_equal(rig_run(&r), LEATI_TASK_WAITING);
    assert_string_equal(channel_read(r.out[0]), "[1 2 3]");
    assert_int_equal(atomic_load(&r.in[0]->records), 0);
    rig_fini(&r);
}

static void damaged_frame_fails_without_a_record(void **state) {
    (void)state;
    rig r;
    set_up(&r, 100);
    channel_push_ints(r.in[0], 1, 1);
    push_frame(r.in[0], "\x01\x00\x00\x00\xff\xff", 6, 1);
    assert_int_equal(rig_run(&r), LEATI_TASK_FAILED);
    assert_int_equal(r.chain->failure.status, LEAT_E_FORMAT);
    assert_string_equal(r.chain->failure.text, "a frame of records is damaged");
    assert_null(r.chain->failure.record);
    rig_fini(&r);
}

/* --- failures --------------------------------------------------------------------------------- */

static void record_that_fails_is_named(void **state) {
    (void)state;
    rig r;
    set_up(&r, 100);
    leat_record record = leat_record_of(leat_int(13), 5);
    record.key = leat_string("the key");
    channel_push_record(r.in[0], &record);
    assert_int_equal(rig_run(&r), LEATI_TASK_FAILED);
    const leati_failure *f = &r.chain->failure;
    assert_int_equal(f->status, LEAT_E_RANGE);
    assert_string_equal(f->operator_name, "pass");
    assert_int_equal(f->subtask, 1);
    assert_int_equal(f->parallelism, 2);
    assert_string_equal(f->text, "unlucky");
    assert_string_equal(f->record, "13");
    assert_string_equal(f->key, "the key");
    rig_fini(&r);
}

static leat_status refuse(leat_context *ctx, void *self, unsigned input, const leat_record *in) {
    (void)ctx, (void)self, (void)input, (void)in;
    return LEAT_E_TYPE;
}

static const leat_operator refuse_operator = {.size = sizeof(leat_operator),
                                              .name = "refuse",
                                              .inputs = 1,
                                              .self_size = 1,
                                              .on_record = refuse};

static void record_that_fails_is_cut_at_200_characters(void **state) {
    (void)state;
    rig r;
    rig_init(&r, true);
    rig_input(&r, 0, 10);
    rig_add(&r, &refuse_operator, NULL, NULL);
    rig_open(&r);
    char text[300];
    memset(text, 'a', sizeof text);
    leat_record record = leat_record_of(leat_string_n(text, sizeof text), LEAT_NO_TIME);
    channel_push_record(r.in[0], &record);
    assert_int_equal(rig_run(&r), LEATI_TASK_FAILED);
    assert_int_equal(strlen(r.chain->failure.record), 200);
    assert_string_equal(r.chain->failure.text, "LEAT_E_TYPE");
    rig_fini(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(step_without_input_waits),
        cmocka_unit_test(step_ends_with_its_budget_and_goes_on),
        cmocka_unit_test(step_of_slow_functions_lets_mail_in_between),
        cmocka_unit_test(step_gives_credit_back_when_the_batch_is_done),
        cmocka_unit_test(step_takes_nothing_while_an_output_is_full),
        cmocka_unit_test(idle_step_gives_out_what_was_gathered),
        cmocka_unit_test(busy_step_gives_out_after_the_timeout),
        cmocka_unit_test(held_task_takes_no_record_until_it_is_released_by_mail),
        cmocka_unit_test(source_is_polled_to_its_end),
        cmocka_unit_test(source_inserts_a_barrier_between_polls_and_after_its_end),
        cmocka_unit_test(frame_of_another_process_becomes_records),
        cmocka_unit_test(damaged_frame_fails_without_a_record),
        cmocka_unit_test(record_that_fails_is_named),
        cmocka_unit_test(record_that_fails_is_cut_at_200_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
