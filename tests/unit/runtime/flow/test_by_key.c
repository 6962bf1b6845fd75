/* Tests of by_key.c and of what the end of a key does to a chain: order, timers, state, two inputs,
   a broadcast input, files, room, failures, an end in the middle of work. */
#include "rig.h"

#include "runtime/base/alloc.h"
#include "runtime/base/io_thread.h"
#include "runtime/data/key.h"
#include "runtime/flow/by_key.h"

enum { PLENTY = 1 << 20, PATIENCE_MS = 10000 };

/* --- an operator that tells what it sees ------------------------------------------------------ */

typedef struct teller {
    rig_self base; /* first */
    leat_state *count;
} teller;

static const leat_state_decl teller_states[] = {
    {"count", LEAT_VALUE_STATE, LEAT_BY_KEY_GROUP, offsetof(teller, count)},
    {0},
};

static const leat_namespace NOWHERE = {NULL, 0};

static leat_status count_of(leat_context *ctx, teller *t, int64_t *count) {
    leat_value v = leat_int(0);
    leat_status status = leat_state_get(ctx, t->count, NOWHERE, &v);
    *count = v.as.i;
    return status;
}

static leat_status set_timer(leat_context *ctx, leat_time_domain domain, int64_t time) {
    leat_timer timer = {.domain = domain, .time = time};
    return leat_timer_set(ctx, &timer);
}

/* "key.value", with the input in front when it is the second. */
static leat_status teller_on_record(leat_context *ctx, void *self, unsigned input,
                                    const leat_record *in) {
    teller *t = self;
    rig_log(rig_of(self), "%s%d.%d", input ? "/" : "", (int)in->key.as.i, (int)in->value.as.i);
    assert_int_equal(leat_context_watermark(ctx), INT64_MIN);
    assert_true(leat_context_is_by_key(ctx));
    int64_t count;
    leat_status status = count_of(ctx, t, &count);
    leat_value next = leat_int(count + 1);
    if (status >= 0) status = leat_state_put(ctx, t->count, NOWHERE, &next);
    if (status >= 0) status = set_timer(ctx, LEAT_EVENT_TIME, in->time + 1);
    if (status >= 0) status = set_timer(ctx, LEAT_PROCESSING_TIME, 1);
    if (status >= 0 && in->value.as.i == 13) return leat_context_fail(ctx, LEAT_E_USER, "unlucky");
    return status < 0 ? status : leat_emit(ctx, in);
}

static leat_status teller_on_timer(leat_context *ctx, void *self, const leat_timer *timer) {
    const char *domain = timer->domain == LEAT_EVENT_TIME ? "t" : "p";
    rig_log(rig_of(self), "%s%d", domain, (int)timer->time);
    assert_int_equal(leat_context_watermark(ctx), INT64_MAX);
    leat_status status = set_timer(ctx, LEAT_EVENT_TIME, timer->time + 1000);
    return status < 0 ? status : set_timer(ctx, LEAT_PROCESSING_TIME, 1000);
}

static leat_status teller_on_end_of_key(leat_context *ctx, void *self) {
    assert_int_equal(leat_context_time(ctx), LEAT_MAX_TIME);
    int64_t count;
    leat_status status = count_of(ctx, self, &count);
    rig_log(rig_of(self), "%d=%d", (int)leat_context_key(ctx)->as.i, (int)count);
    leat_record out = leat_record_of(leat_int(-1), leat_context_time(ctx));
    return status < 0 ? status : leat_emit(ctx, &out);
}

static leat_status teller_on_end(leat_context *ctx, void *self, unsigned input) {
    assert_int_equal(leat_context_watermark(ctx), INT64_MAX);
    rig_log(rig_of(self), "end%u", input);
    return LEAT_OK;
}

static const leat_operator teller_operator = {.size = sizeof(leat_operator),
                                              .name = "teller",
                                              .flags = LEAT_OP_KEYED,
                                              .inputs = 2,
                                              .self_size = sizeof(teller),
                                              .params = rig_params,
                                              .states = teller_states,
                                              .on_record = teller_on_record,
                                              .on_timer = teller_on_timer,
                                              .on_end_of_data = teller_on_end,
                                              .on_end_of_key = teller_on_end_of_key};

/* --- a task that takes its records key by key ------------------------------------------------- */

static void set_up_with(rig *r, const leati_by_key_options *o, const leat_operator *op,
                        size_t capacity) {
    rig_init(r, true);
    rig_input(r, 0, 100000);
    rig_input(r, 1, 100000);
    leat_context *ctx = rig_add(r, op, NULL, NULL);
    rig_output(r, ctx, NULL, LEAT_FORWARD, 1, capacity);
    r->task->by_key = leati_by_key_new(r->chain, o);
    assert_non_null(r->task->by_key);
    rig_open(r);
}

static void set_up(rig *r, size_t memory, size_t capacity) {
    leati_by_key_options o = {.memory = memory, .sorted = 3, .keys = true};
    set_up_with(r, &o, &teller_operator, capacity);
}

static void push(rig *r, unsigned input, int key, int value, int64_t time) {
    leat_record record = leat_record_of(leat_int(value), time);
    record.key = leat_int(key);
    assert_int_equal(leati_key_hash(&record.key, &record.hash), LEAT_OK);
    channel_push_record(r->in[input], &record);
}

static void end(rig *r, unsigned input) {
    channel_push_signal(r->in[input], LEATI_WATERMARK, INT64_MAX);
    channel_push_signal(r->in[input], LEATI_END, 0);
}

/* Work on the I/O thread is waited for; LEATI_TASK_WAITING is for something else then. */
static leati_task_state run(rig *r) {
    leati_task_state state = rig_run(r);
    while (state == LEATI_TASK_WAITING) {
        assert_true(leati_io_settle(PATIENCE_MS));
        if (leati_inbox_empty(r->task->inbox)) break;
        state = rig_run(r);
    }
    return state;
}

static void run_to_the_end(rig *r) {
    end(r, 0);
    end(r, 1);
    assert_int_equal(run(r), LEATI_TASK_ENDED);
}

static const size_t memories[] = {PLENTY, 1};

static void keys_come_one_after_the_other(void **state) {
    (void)state;
    for (int i = 0; i < 2; i++) {
        rig r;
        set_up(&r, memories[i], 100000);
        push(&r, 0, 7, 1, 50);
        push(&r, 0, -2, 2, 20);
        assert_int_equal(run(&r), LEATI_TASK_WAITING);
        channel_push_signal(r.in[0], LEATI_WATERMARK, 45);
        channel_push_signal(r.in[0], LEATI_IDLE, 0);
        push(&r, 0, 7, 3, 40);
        push(&r, 0, 7, 4, 50);
        push(&r, 0, -2, 5, 10);
        assert_int_equal(run(&r), LEATI_TASK_WAITING);
        rig_expect(&r, "");
        run_to_the_end(&r);
        rig_expect(&r, "-2.5 -2.2 t11 t21 p1 -2=2 7.3 7.1 7.4 t41 t51 p1 7=3 end0 end1");
        assert_string_equal(channel_read(r.out[0]), "[5 2 -1 3 1 4 -1] wmax end");
        rig_fini(&r);
    }
}

static void two_inputs_are_merged_and_the_first_goes_first(void **state) {
    (void)state;
    for (int i = 0; i < 2; i++) {
        rig r;
        set_up(&r, memories[i], 100000);
        push(&r, 1, 1, 10, 5);
        push(&r, 1, 1, 11, 4);
        push(&r, 0, 1, 20, 5);
        push(&r, 0, 1, 21, 9);
        push(&r, 1, 0, 12, 9);
        run_to_the_end(&r);
        rig_expect(&r, "/0.12 t10 p1 0=1 /1.11 1.20 /1.10 1.21 t5 t6 t10 p1 1=4 end0 end1");
        rig_fini(&r);
    }
}

static void no_records_are_an_end(void **state) {
    (void)state;
    rig r;
    set_up(&r, PLENTY, 100000);
    run_to_the_end(&r);
    rig_expect(&r, "end0 end1");
    assert_string_equal(channel_read(r.out[0]), "wmax end");
    rig_fini(&r);
}

/* Batches are cut where the input, the key or the room changes. */
static void many_records_of_few_keys(void **state) {
    (void)state;
    enum { COUNT = 5000, KEYS = 3, SMALL_STEP = 20 };
    static const size_t sizes[] = {PLENTY, 20000, 1};
    for (int i = 0; i < 3; i++) {
        rig r;
        set_up(&r, sizes[i], 100000);
        int count = sizes[i] == 1 ? 300 : COUNT;
        for (int k = 0; k < count; k++) push(&r, k % 2, k % KEYS, 1000 + k, 0);
        end(&r, 0);
        end(&r, 1);
        r.logged = 0;
        leati_task_state at = LEATI_TASK_WAITING;
        while (at != LEATI_TASK_ENDED && at != LEATI_TASK_FAILED) {
            at = leati_task_step(r.task, SMALL_STEP);
            r.logged = 0; /* it has not that much room */
            if (at == LEATI_TASK_WAITING) assert_true(leati_io_settle(PATIENCE_MS));
        }
        assert_int_equal(at, LEATI_TASK_ENDED);
        assert_int_equal(atomic_load(&r.out[0]->records), count + KEYS);
        rig_fini(&r);
    }
}

static void full_output_pauses_between_records(void **state) {
    (void)state;
    rig r;
    set_up(&r, 1, 1);
    push(&r, 0, 1, 1, 1);
    push(&r, 0, 1, 2, 2);
    end(&r, 0);
    end(&r, 1);
    assert_int_equal(run(&r), LEATI_TASK_WAITING);
    rig_expect(&r, "1.1");
    assert_string_equal(channel_read(r.out[0]), "[1]");
    assert_int_equal(run(&r), LEATI_TASK_WAITING);
    rig_expect(&r, "1.2");
    assert_string_equal(channel_read(r.out[0]), "[2]");
    assert_int_equal(run(&r), LEATI_TASK_WAITING);
    rig_expect(&r, "t2 t3 p1 1=2");
    assert_string_equal(channel_read(r.out[0]), "[-1]");
    assert_int_equal(run(&r), LEATI_TASK_ENDED);
    rig_fini(&r);
}

/* --- inputs that pass ------------------------------------------------------------------------- */

static leat_status plain_on_record(leat_context *ctx, void *self, unsigned input,
                                   const leat_record *in) {
    rig_log(rig_of(self), "%s%d", input ? "/" : "", (int)in->value.as.i);
    assert_false(leat_context_is_by_key(ctx));
    return leat_emit(ctx, in);
}

static const leat_operator plain_operator = {.size = sizeof(leat_operator),
                                             .name = "plain",
                                             .inputs = 2,
                                             .self_size = sizeof(rig_self),
                                             .params = rig_params,
                                             .on_record = plain_on_record,
                                             .on_end_of_data = teller_on_end};

static void without_keys_it_is_a_queue_behind_the_other_input(void **state) {
    (void)state;
    for (int i = 0; i < 2; i++) {
        rig r;
        leati_by_key_options o = {.memory = memories[i], .sorted = 1};
        set_up_with(&r, &o, &plain_operator, 100000);
        push(&r, 0, 5, 1, 30);
        push(&r, 1, 0, 100, 5);
        push(&r, 0, 2, 2, 10);
        end(&r, 0);
        assert_int_equal(run(&r), LEATI_TASK_WAITING);
        rig_expect(&r, "/100");
        push(&r, 1, 0, 101, 1);
        push(&r, 1, 0, 102, 1);
        assert_int_equal(run(&r), LEATI_TASK_WAITING);
        end(&r, 1);
        assert_int_equal(run(&r), LEATI_TASK_ENDED);
        rig_expect(&r, "/101 /102 1 2 end0 end1");
        rig_fini(&r);
    }
}

/* --- what can go wrong ------------------------------------------------------------------------ */

static void failing_record_names_its_key(void **state) {
    (void)state;
    rig r;
    set_up(&r, PLENTY, 100000);
    push(&r, 0, 4, 13, 1);
    end(&r, 0);
    end(&r, 1);
    assert_int_equal(run(&r), LEATI_TASK_FAILED);
    assert_string_equal(r.chain->failure.text, "unlucky");
    assert_string_equal(r.chain->failure.key, "4");
    assert_string_equal(r.chain->failure.record, "13");
    rig_fini(&r);
}

static void folder_that_is_missing_fails_the_task(void **state) {
    (void)state;
    rig r;
    leati_by_key_options o = {.memory = 1, .dirs = "/no/such/folder", .sorted = 3, .keys = true};
    set_up_with(&r, &o, &teller_operator, 100000);
    push(&r, 0, 1, 1, 1);
    assert_int_equal(run(&r), LEATI_TASK_FAILED);
    assert_non_null(strstr(r.chain->failure.text, "/no/such/folder"));
    assert_non_null(strstr(r.chain->failure.text, "io.tmp.dirs"));
    assert_string_equal(r.chain->failure.operator_name, "teller");
    rig_fini(&r);
}

static leat_status sleep_a_moment(void *arg) {
    atomic_int *go = arg;
    while (!atomic_load(go)) {}
    return LEAT_OK;
}

static void nothing_done(void *arg, leat_status status) {
    (void)arg;
    (void)status;
}

/* The task is gone when the I/O thread comes to its work. */
static void end_while_work_is_out(void **state) {
    (void)state;
    atomic_int go;
    atomic_init(&go, 0);
    rig r;
    set_up(&r, 1, 100000);
    assert_int_equal(leati_io_submit(sleep_a_moment, nothing_done, &go), LEAT_OK);
    push(&r, 0, 1, 1, 1);
    assert_int_equal(rig_run(&r), LEATI_TASK_WAITING);
    rig_fini(&r);
    atomic_store(&go, 1);
    assert_true(leati_io_settle(PATIENCE_MS));
}

static void end_while_keys_are_given(void **state) {
    (void)state;
    for (int i = 0; i < 2; i++) {
        rig r;
        set_up(&r, memories[i], 1);
        for (int k = 0; k < 10; k++) push(&r, 0, k / 3, k, 1);
        end(&r, 0);
        end(&r, 1);
        assert_int_equal(run(&r), LEATI_TASK_WAITING);
        rig_expect(&r, "0.0");
        rig_fini(&r);
        assert_true(leati_io_settle(PATIENCE_MS));
    }
}

/* Every allocation of the task's own steps fails once; what comes is an end or a failure. */
static void allocation_fails_the_task(void **state) {
    (void)state;
    for (int i = 0; i < 2; i++) {
        leati_task_state at = LEATI_TASK_FAILED;
        for (int64_t n = 1; at != LEATI_TASK_ENDED; n++) {
            rig r;
            set_up(&r, memories[i], 100000);
            for (int k = 0; k < 8; k++) push(&r, k % 2, k / 3, k, k % 3);
            end(&r, 0);
            end(&r, 1);
            leati_alloc_fail_after(n);
            at = rig_run(&r);
            for (int turns = 0; at == LEATI_TASK_WAITING && turns < 1000; turns++) {
                leati_alloc_fail_after(-1);
                assert_true(leati_io_settle(PATIENCE_MS));
                leati_alloc_fail_after(n);
                at = rig_run(&r);
            }
            leati_alloc_fail_after(-1);
            assert_true(at == LEATI_TASK_ENDED || at == LEATI_TASK_FAILED);
            rig_fini(&r);
            assert_true(leati_io_settle(PATIENCE_MS));
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_come_one_after_the_other),
        cmocka_unit_test(two_inputs_are_merged_and_the_first_goes_first),
        cmocka_unit_test(no_records_are_an_end),
        cmocka_unit_test(many_records_of_few_keys),
        cmocka_unit_test(full_output_pauses_between_records),
        cmocka_unit_test(without_keys_it_is_a_queue_behind_the_other_input),
        cmocka_unit_test(failing_record_names_its_key),
        cmocka_unit_test(folder_that_is_missing_fails_the_task),
        cmocka_unit_test(end_while_work_is_out),
        cmocka_unit_test(end_while_keys_are_given),
        cmocka_unit_test(allocation_fails_the_task),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
