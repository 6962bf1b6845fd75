/* Tests of gate.c: the order of elements, the minimum of watermarks, idleness as in Flink,
   alignment of barriers, ends of inputs, what comes back in loops and its rounds. */
#include "rig.h"

#include <stdio.h>

typedef struct fixture {
    leati_gate *gate;
    leati_channel *c[4];
    int count;
} fixture;

/* One channel per digit of `inputs`, which says which input it belongs to. */
static void set_up(fixture *f, const char *inputs) {
    memset(f, 0, sizeof *f);
    f->gate = leati_gate_new();
    assert_non_null(f->gate);
    for (; inputs[f->count]; f->count++) {
        leati_channel *c = f->c[f->count] = leati_channel_new(100, 10000);
        assert_non_null(c);
        leati_channel_ref(c);
        assert_int_equal(leati_gate_add(f->gate, c, (unsigned)(inputs[f->count] - '0')), LEAT_OK);
    }
}

static void tear_down(fixture *f) {
    leati_gate_free(f->gate);
    for (int i = 0; i < f->count; i++) leati_channel_unref(f->c[i]);
}

static void show(fixture *f, leati_element *e, unsigned input, leati_channel *from, char *text) {
    switch (e->kind) {
    case LEATI_BATCH:
        sprintf(text, "%u:%d", input, (int)e->as.batch->records[0].value.as.i);
        leati_channel_give_back(from, e->as.batch->count, e->as.batch->bytes);
        leati_element_drop(e);
        break;
    case LEATI_WATERMARK:
        sprintf(text, e->value == INT64_MAX ? "wmax" : "w%d", (int)e->value);
        break;
    case LEATI_BARRIER: sprintf(text, "b%d", (int)e->value); break;
    case LEATI_IDLE: strcpy(text, "idle"); break;
    case LEATI_ACTIVE: strcpy(text, "active"); break;
    case LEATI_END: sprintf(text, "end%d", (int)e->value); break;
    case LEATI_ROUND:
    case LEATI_VOTE:
        sprintf(text, "%s%d:%d", e->kind == LEATI_ROUND ? "round" : "vote", leati_round_loop(e),
                (int)leati_round_flags(e));
        break;
    default: fail();
    }
    (void)f;
}

/* What the gate gives until it has nothing. */
static void expect(fixture *f, const char *words) {
    char got[1024] = "", word[64];
    leati_element e;
    unsigned input;
    leati_channel *from;
    leat_status status;
    while ((status = leati_gate_next(f->gate, &e, &input, &from)) == LEAT_OK) {
        show(f, &e, input, from, word);
        if (*got) strcat(got, " ");
        strcat(got, word);
    }
    if (status == LEAT_DONE) strcat(got, *got ? " done" : "done");
    assert_string_equal(got, words);
}

static void data(fixture *f, int channel, int64_t i) {
    channel_push_ints(f->c[channel], i, i);
}

static void watermark(fixture *f, int channel, int64_t w) {
    channel_push_signal(f->c[channel], LEATI_WATERMARK, w);
}

static void barrier(fixture *f, int channel, int64_t b) {
    channel_push_signal(f->c[channel], LEATI_BARRIER, b);
}

static void idle(fixture *f, int channel) {
    channel_push_signal(f->c[channel], LEATI_IDLE, 0);
}

static void active(fixture *f, int channel) {
    channel_push_signal(f->c[channel], LEATI_ACTIVE, 0);
}

static void end(fixture *f, int channel) {
    channel_push_signal(f->c[channel], LEATI_END, 0);
}

static void gate_takes_from_channels_in_turn(void **state) {
    (void)state;
    fixture f;
    set_up(&f, "010");
    for (int64_t i = 0; i < 3; i++)
        for (int k = 0; k < 3; k++) data(&f, k, 10 * k + i);
    expect(&f, "0:0 1:10 0:20 0:1 1:11 0:21 0:2 1:12 0:22");
    tear_down(&f);
}

static void gate_two_inputs_emits_minimum(void **state) {
    (void)state;
    fixture f;
    set_up(&f, "01");
    watermark(&f, 0, 5);
    expect(&f, "");
    watermark(&f, 1, 3);
    expect(&f, "w3");
    watermark(&f, 1, 9);
    expect(&f, "w5");
    watermark(&f, 0, 4); /* never goes back */
    expect(&f, "");
    watermark(&f, 0, 7);
    expect(&f, "w7");
    tear_down(&f);
}

static void gate_idle_channel_does_not_hold_the_minimum(void **state) {
    (void)state;
    fixture f;
    set_up(&f, "00");
    watermark(&f, 0, 5);
    expect(&f, "");
    idle(&f, 1);
    expect(&f, "w5");
    watermark(&f, 0, 8);
    expect(&f, "w8");
    tear_down(&f);
}

static void gate_channel_behind_after_idleness_does_not_hold_until_it_caught_up(void **state) {
    (void)state;
    fixture f;
    set_up(&f, "00");
    watermark(&f, 0, 5);
    idle(&f, 1);
    expect(&f, "w5");
    active(&f, 1);
    expect(&f, "");
    watermark(&f, 1, 2);
    watermark(&f, 0, 6);
    expect(&f, "w6");
    watermark(&f, 1, 7);
    watermark(&f, 0, 9);
    expect(&f, "w7");
    tear_down(&f);
}

static void gate_data_of_an_idle_channel_holds_nobody_up(void **state) {
    (void)state;
    fixture f;
    set_up(&f, "00");
    watermark(&f, 0, 5);
    watermark(&f, 1, 7);
    idle(&f, 1);
    data(&f, 1, 1);
    expect(&f, "w5 0:1");
    watermark(&f, 0, 9);
    expect(&f, "w9");
    idle(&f, 0);
    data(&f, 0, 2);
    expect(&f, "idle 0:2");
    watermark(&f, 1, 10);
    expect(&f, "active w10");
    tear_down(&f);
}

static void gate_all_idle_is_told_after_the_highest_watermark(void **state) {
    (void)state;
    fixture f;
    set_up(&f, "00");
    watermark(&f, 0, 5);
    watermark(&f, 1, 9);
    expect(&f, "w5");
    idle(&f, 1);
    expect(&f, "");
    idle(&f, 0); /* it had held the minimum */
    expect(&f, "w9 idle");
    active(&f, 0);
    expect(&f, "active");
    active(&f, 1);
    expect(&f, "");
    tear_down(&f);
}

static void gate_idle_channel_that_held_nothing_flushes_nothing(void **state) {
    (void)state;
    fixture f;
    set_up(&f, "00");
    watermark(&f, 0, 5);
    watermark(&f, 1, 9);
    expect(&f, "w5");
    idle(&f, 0);
    expect(&f, "w9");
    watermark(&f, 1, 12);
    idle(&f, 1);
    expect(&f, "w12 idle");
    tear_down(&f);
}

static void gate_barrier_waits_for_all_channels(void **state) {
    (void)state;
    fixture f;
    set_up(&f, "01");
    data(&f, 0, 1);
    barrier(&f, 0, 1);
    data(&f, 0, 2); /* behind the barrier: stays */
    data(&f, 1, 11);
    data(&f, 1, 12);
    expect(&f, "0:1 1:11 1:12");
    assert_int_equal(atomic_load(&f.c[0]->records), 1);
    data(&f, 1, 13);
    barrier(&f, 1, 1);
    data(&f, 1, 14);
    expect(&f, "1:13 b1 0:2 1:14");
    tear_down(&f);
}

static void gate_ended_channels_still_bring_barriers(void **state) {
    (void)state;
    fixture f;
    set_up(&f, "000");
    end(&f, 0);
    barrier(&f, 1, 1);
    end(&f, 2); /* ends while the others are aligned */
    barrier(&f, 0, 1);
    expect(&f, "");
    barrier(&f, 2, 1);
    expect(&f, "b1");
    end(&f, 1);
    expect(&f, "wmax end0 done");
    for (int i = 0; i < 3; i++) barrier(&f, i, 2);
    expect(&f, "b2 done");
    tear_down(&f);
}

static void gate_newer_barrier_ends_the_older_alignment(void **state) {
    (void)state;
    fixture f;
    set_up(&f, "00");
    barrier(&f, 0, 1);
    data(&f, 0, 5);
    expect(&f, "");
    barrier(&f, 1, 2); /* checkpoint 1 was given up there */
    expect(&f, "0:5");
    barrier(&f, 0, 2);
    expect(&f, "b2");
    barrier(&f, 0, 1); /* of the one that was given up */
    data(&f, 0, 6);
    expect(&f, "0:6");
    tear_down(&f);
}

static void gate_watermark_behind_a_barrier_waits_with_it(void **state) {
    (void)state;
    fixture f;
    set_up(&f, "01");
    barrier(&f, 0, 1);
    watermark(&f, 0, 8);
    watermark(&f, 1, 9);
    expect(&f, "");
    barrier(&f, 1, 1);
    expect(&f, "b1 w8");
    tear_down(&f);
}

static void gate_tells_the_end_of_each_input_once(void **state) {
    (void)state;
    fixture f;
    set_up(&f, "0011");
    end(&f, 0);
    expect(&f, "");
    end(&f, 1);
    expect(&f, "end0");
    data(&f, 2, 1);
    end(&f, 2);
    watermark(&f, 3, INT64_MAX);
    end(&f, 3);
    expect(&f, "1:1 wmax end1 done");
    expect(&f, "done");
    tear_down(&f);
}

static void gate_ended_channel_frees_the_minimum(void **state) {
    (void)state;
    fixture f;
    set_up(&f, "00");
    watermark(&f, 0, 3);
    watermark(&f, 1, 6);
    expect(&f, "w3");
    watermark(&f, 0, INT64_MAX);
    end(&f, 0);
    expect(&f, "w6");
    watermark(&f, 1, INT64_MAX);
    end(&f, 1);
    expect(&f, "wmax end0 done");
    tear_down(&f);
}

/* --- loops ------------------------------------------------------------------------------------ */

static void add(fixture *f, leati_port_role role, uint64_t loops) {
    leati_channel *c = f->c[f->count++] = leati_channel_new(100, 10000);
    leati_channel_ref(c);
    assert_int_equal(leati_gate_add_port(f->gate, c, role == LEATI_PORT_FEEDBACK, role, loops),
                     LEAT_OK);
}

static void round_of(fixture *f, int channel, leati_element_kind kind, int loop, int64_t flags) {
    leati_element e = leati_round(kind, loop, flags);
    channel_push_signal(f->c[channel], kind, e.value);
}

static void gate_round_comes_from_all_channels_and_holds_up_none(void **state) {
    (void)state;
    fixture f;
    set_up(&f, "");
    add(&f, LEATI_PORT_STREAM, 1);
    add(&f, LEATI_PORT_STREAM, 1);
    add(&f, LEATI_PORT_STREAM, 2);
    round_of(&f, 0, LEATI_ROUND, 0, LEATI_ROUND_BUSY);
    data(&f, 0, 7);
    expect(&f, "0:7"); /* it overtakes the round */
    round_of(&f, 2, LEATI_ROUND, 1, 0);
    expect(&f, "round1:4"); /* the streams of the other loop go on: open */
    round_of(&f, 1, LEATI_ROUND, 0, LEATI_ROUND_END);
    expect(&f, "round0:14");
    end(&f, 2);
    expect(&f, "");
    round_of(&f, 0, LEATI_ROUND, 0, 0);
    round_of(&f, 1, LEATI_ROUND, 0, 0);
    expect(&f, "round0:0"); /* flags are of one round */
    tear_down(&f);
}

static void gate_of_a_head_reads_feedback_first_and_streams_only_unless_held(void **state) {
    (void)state;
    fixture f;
    set_up(&f, "0");
    add(&f, LEATI_PORT_FEEDBACK, 1);
    for (int64_t i = 1; i <= 2; i++) {
        data(&f, 0, i);
        data(&f, 1, 10 * i);
    }
    expect(&f, "1:10 1:20 0:1 0:2");
    assert_int_equal(leati_gate_came_back(f.gate), 2);
    leati_gate_hold(f.gate, true);
    data(&f, 0, 3);
    data(&f, 1, 30);
    expect(&f, "1:30");
    leati_gate_hold(f.gate, false);
    expect(&f, "0:3");
    tear_down(&f);
}

static void gate_feedback_counts_for_no_time_no_barrier_and_no_end(void **state) {
    (void)state;
    fixture f;
    set_up(&f, "0");
    add(&f, LEATI_PORT_FEEDBACK, 1);
    add(&f, LEATI_PORT_VOTE, 1);
    watermark(&f, 0, 5);
    watermark(&f, 1, 3);
    expect(&f, "w5");
    barrier(&f, 0, 1);
    expect(&f, "b1");
    idle(&f, 1);
    idle(&f, 0);
    expect(&f, "idle");
    end(&f, 0);
    expect(&f, "wmax end0");
    data(&f, 1, 1);
    expect(&f, "1:1");
    end(&f, 1);
    expect(&f, "");
    end(&f, 2);
    expect(&f, "done");
    tear_down(&f);
}

static void gate_feedback_is_logged_until_its_barrier_comes_back(void **state) {
    (void)state;
    fixture f;
    set_up(&f, "00");
    add(&f, LEATI_PORT_FEEDBACK, 1);
    add(&f, LEATI_PORT_FEEDBACK, 1);
    assert_false(leati_gate_logs(f.gate));
    barrier(&f, 0, 7);
    expect(&f, "");
    assert_false(leati_gate_logs(f.gate));
    barrier(&f, 1, 7);
    expect(&f, "b7");
    assert_true(leati_gate_is_logged(f.gate, f.c[2]));
    assert_true(leati_gate_is_logged(f.gate, f.c[3]));
    assert_false(leati_gate_is_logged(f.gate, f.c[0]));
    data(&f, 2, 1);
    barrier(&f, 2, 6); /* of one that was given up */
    expect(&f, "1:1");
    assert_true(leati_gate_is_logged(f.gate, f.c[2]));
    barrier(&f, 2, 7);
    data(&f, 2, 2);
    expect(&f, "1:2");
    assert_false(leati_gate_is_logged(f.gate, f.c[2]));
    assert_true(leati_gate_logs(f.gate));
    end(&f, 3); /* nothing comes any more */
    expect(&f, "");
    assert_false(leati_gate_logs(f.gate));
    tear_down(&f);
}

/* Another head is ahead: what is behind its barrier is of the time behind this head's, too. */
static void gate_feedback_barrier_before_its_own_holds_it_up(void **state) {
    (void)state;
    fixture f;
    set_up(&f, "00");
    add(&f, LEATI_PORT_FEEDBACK, 1);
    add(&f, LEATI_PORT_FEEDBACK, 1);
    barrier(&f, 0, 7);
    barrier(&f, 2, 7);
    data(&f, 2, 1);
    data(&f, 3, 2);
    expect(&f, "1:2");
    barrier(&f, 1, 7);
    expect(&f, "b7 1:1");
    assert_false(leati_gate_is_logged(f.gate, f.c[2]));
    assert_true(leati_gate_is_logged(f.gate, f.c[3]));
    barrier(&f, 3, 7);
    barrier(&f, 3, 8); /* that will be given up */
    data(&f, 3, 3);
    expect(&f, "");
    assert_false(leati_gate_logs(f.gate));
    barrier(&f, 0, 9);
    expect(&f, "1:3");
    barrier(&f, 1, 9);
    expect(&f, "b9");
    assert_true(leati_gate_is_logged(f.gate, f.c[2]));
    assert_true(leati_gate_is_logged(f.gate, f.c[3]));
    tear_down(&f);
}

/* What a loop always brings back keeps a barrier waiting no longer than what is before it. */
static void gate_expected_barrier_lets_streams_have_their_turn(void **state) {
    (void)state;
    fixture f;
    set_up(&f, "0");
    add(&f, LEATI_PORT_FEEDBACK, 1);
    for (int i = 1; i <= 5; i++) data(&f, 1, i);
    data(&f, 0, 10);
    barrier(&f, 0, 7);
    data(&f, 0, 11);
    leati_gate_expect(f.gate, 7);
    expect(&f, "0:10 1:1 b7 1:2 1:3 1:4 1:5 0:11");
    for (int i = 1; i <= 3; i++) data(&f, 1, i);
    data(&f, 0, 12);
    leati_gate_expect(f.gate, 8);
    leati_gate_hold(f.gate, true);
    expect(&f, "1:1 1:2 1:3");
    tear_down(&f);
}

/* Of a task that stands still: the rest comes when it goes on. */
static void gate_gives_what_is_logged_alone(void **state) {
    (void)state;
    fixture f;
    leati_element e;
    unsigned input;
    leati_channel *from;
    char text[64];
    set_up(&f, "0");
    add(&f, LEATI_PORT_FEEDBACK, 1);
    add(&f, LEATI_PORT_FEEDBACK, 1);
    barrier(&f, 0, -7);
    barrier(&f, 2, 7);
    expect(&f, "b-7");
    data(&f, 0, 1);
    data(&f, 1, 2);
    channel_push_signal(f.c[1], LEATI_ROUND, leati_round(LEATI_ROUND, 0, 0).value);
    barrier(&f, 1, 7);
    data(&f, 1, 3);
    data(&f, 2, 4);
    assert_int_equal(leati_gate_next_logged(f.gate, &e, &input, &from), LEAT_OK);
    show(&f, &e, input, from, text);
    assert_string_equal(text, "1:2");
    assert_int_equal(leati_gate_next_logged(f.gate, &e, &input, &from), LEAT_AGAIN);
    assert_false(leati_gate_logs(f.gate));
    expect(&f, "1:3 1:4 0:1");
    tear_down(&f);
}

static void gate_feedback_barrier_of_at_least_once_holds_up_nobody(void **state) {
    (void)state;
    fixture f;
    set_up(&f, "0");
    add(&f, LEATI_PORT_FEEDBACK, 1);
    leati_gate_align(f.gate, false);
    barrier(&f, 1, 7);
    data(&f, 1, 1);
    expect(&f, "1:1");
    barrier(&f, 0, 7);
    expect(&f, "b7");
    assert_false(leati_gate_logs(f.gate));
    tear_down(&f);
}

static void gate_votes_are_merged_round_by_round(void **state) {
    (void)state;
    fixture f;
    set_up(&f, "0");
    add(&f, LEATI_PORT_VOTE, 1);
    add(&f, LEATI_PORT_VOTE, 1);
    round_of(&f, 1, LEATI_VOTE, 0, LEATI_ROUND_BACK);
    round_of(&f, 1, LEATI_VOTE, 0, LEATI_ROUND_BUSY); /* it is a round ahead */
    expect(&f, "");
    round_of(&f, 2, LEATI_VOTE, 0, 0);
    expect(&f, "vote0:1");
    round_of(&f, 2, LEATI_VOTE, 0, 0);
    expect(&f, "vote0:2");
    tear_down(&f);
}

static void gate_freed_abandons_its_channels(void **state) {
    (void)state;
    fixture f;
    set_up(&f, "00");
    data(&f, 0, 1);
    leati_gate_free(f.gate);
    f.gate = NULL;
    data(&f, 1, 1);
    for (int i = 0; i < 2; i++) assert_int_equal(f.c[i]->count, 0);
    tear_down(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gate_takes_from_channels_in_turn),
        cmocka_unit_test(gate_two_inputs_emits_minimum),
        cmocka_unit_test(gate_idle_channel_does_not_hold_the_minimum),
        cmocka_unit_test(gate_channel_behind_after_idleness_does_not_hold_until_it_caught_up),
        cmocka_unit_test(gate_data_of_an_idle_channel_holds_nobody_up),
        cmocka_unit_test(gate_all_idle_is_told_after_the_highest_watermark),
        cmocka_unit_test(gate_idle_channel_that_held_nothing_flushes_nothing),
        cmocka_unit_test(gate_barrier_waits_for_all_channels),
        cmocka_unit_test(gate_ended_channels_still_bring_barriers),
        cmocka_unit_test(gate_newer_barrier_ends_the_older_alignment),
        cmocka_unit_test(gate_watermark_behind_a_barrier_waits_with_it),
        cmocka_unit_test(gate_tells_the_end_of_each_input_once),
        cmocka_unit_test(gate_ended_channel_frees_the_minimum),
        cmocka_unit_test(gate_round_comes_from_all_channels_and_holds_up_none),
        cmocka_unit_test(gate_of_a_head_reads_feedback_first_and_streams_only_unless_held),
        cmocka_unit_test(gate_feedback_counts_for_no_time_no_barrier_and_no_end),
        cmocka_unit_test(gate_feedback_is_logged_until_its_barrier_comes_back),
        cmocka_unit_test(gate_feedback_barrier_before_its_own_holds_it_up),
        cmocka_unit_test(gate_expected_barrier_lets_streams_have_their_turn),
        cmocka_unit_test(gate_gives_what_is_logged_alone),
        cmocka_unit_test(gate_feedback_barrier_of_at_least_once_holds_up_nobody),
        cmocka_unit_test(gate_votes_are_merged_round_by_round),
        cmocka_unit_test(gate_freed_abandons_its_channels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
