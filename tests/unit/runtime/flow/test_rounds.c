/* Tests of rounds.c: two heads whose bodies are played by the test: who votes when, what lets the
   end pass, what makes rounds go on. The tasks of whole jobs are in test_iteration.c. */
#include "rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/clock.h"
#include "runtime/flow/rounds.h"

enum { HEADS = 2 };

typedef struct head {
    leati_rounds *rounds;
    leati_gate *gate;
    leati_channel *stream, *feedback;
    bool ended;
} head;

typedef struct heads {
    head of[HEADS];
    rig rig; /* lends its chain, which only refusals need */
} heads;

static leati_channel *port(head *h, unsigned input, leati_port_role role, uint64_t loops) {
    leati_channel *c = leati_channel_new(100, 100000);
    leati_channel_ref(c);
    assert_int_equal(leati_gate_add_port(h->gate, c, input, role, loops), LEAT_OK);
    return c;
}

static int set_up(void **state) {
    heads *all = calloc(1, sizeof *all);
    *state = all;
    rig_init(&all->rig, true);
    for (int i = 0; i < HEADS; i++) {
        head *h = &all->of[i];
        h->rounds = leati_rounds_new(0);
        h->gate = leati_gate_new();
        h->stream = port(h, 0, LEATI_PORT_STREAM, 2); /* within loop 1 */
        h->feedback = port(h, 1, LEATI_PORT_FEEDBACK, 1);
    }
    for (int from = 0; from < HEADS; from++)
        for (int to = 0; to < HEADS; to++)
            assert_int_equal(leati_rounds_add_vote(all->of[from].rounds,
                                                   port(&all->of[to], 0, LEATI_PORT_VOTE, 1)),
                             LEAT_OK);
    return 0;
}

static int tear_down(void **state) {
    heads *all = *state;
    for (int i = 0; i < HEADS; i++) {
        leati_rounds_free(all->of[i].rounds);
        leati_gate_free(all->of[i].gate);
        leati_channel_unref(all->of[i].stream);
        leati_channel_unref(all->of[i].feedback);
    }
    rig_fini(&all->rig);
    free(all);
    return 0;
}

/* What the chain of a head gets until there is nothing, as its task asks. */
static void expect(heads *all, int which, const char *words) {
    head *h = &all->of[which];
    char got[256] = "", word[32];
    leati_element e;
    unsigned input;
    leati_channel *from;
    for (;;) {
        leat_status status = leati_rounds_next(h->rounds, h->gate, h->ended, &e);
        if (status == LEAT_AGAIN) {
            status = leati_gate_next(h->gate, &e, &input, &from);
            if (status == LEAT_AGAIN) {
                status = leati_rounds_idle(h->rounds, &e);
                if (status == LEAT_AGAIN) break;
            } else if (status == LEAT_DONE) {
                strcat(got, " done");
                break;
            } else if (from) {
                leati_channel_give_back(from, 1, e.as.batch->bytes);
                leati_element_drop(&e);
                strcat(got, " data");
                continue;
            } else {
                status = leati_rounds_take(h->rounds, h->gate, &e);
                if (status == LEAT_OK) continue;
                assert_int_equal(status, LEAT_AGAIN);
            }
        }
        h->ended |= e.kind == LEATI_END;
        if (e.kind == LEATI_ROUND)
            sprintf(word, " round%d:%d", leati_round_loop(&e), (int)leati_round_flags(&e));
        else if (e.kind == LEATI_WATERMARK)
            sprintf(word, e.value == INT64_MAX ? " wmax" : " w%d", (int)e.value);
        else if (e.kind == LEATI_BARRIER)
            sprintf(word, " b%d", (int)e.value);
        else
            strcpy(word, e.kind == LEATI_END ? " end" : " other");
        strcat(got, word);
    }
    assert_string_equal(*got ? got + 1 : "", words);
}

static void come_back(heads *all, int which, int64_t flags) {
    channel_push_signal(all->of[which].feedback, LEATI_ROUND,
                        leati_round(LEATI_ROUND, 0, flags).value);
}

static void end_stream(heads *all, int which) {
    channel_push_signal(all->of[which].stream, LEATI_WATERMARK, INT64_MAX);
    channel_push_signal(all->of[which].stream, LEATI_END, 0);
}

static void both(heads *all, const char *words) {
    for (int i = 0; i < HEADS; i++) expect(all, i, words);
}

/* Both heads are in a round; it comes back to both, with these flags; the second hears the first
   one's vote at once, the first needs another look. */
static void finish_round(heads *all, int64_t flags, const char *words) {
    for (int i = 0; i < HEADS; i++) come_back(all, i, flags);
    expect(all, 0, "");
    expect(all, 1, words);
    expect(all, 0, words);
}

static void rounds_end_passes_after_a_quiet_round_and_one_that_tells_of_it(void **state) {
    heads *all = *state;
    end_stream(all, 0);
    expect(all, 0, "round0:0");
    come_back(all, 0, 0); /* of its own alone */
    expect(all, 0, "");   /* the other one's stream goes on */
    channel_push_ints(all->of[1].stream, 1, 1);
    expect(all, 1, "data");
    end_stream(all, 1);
    expect(all, 1, "round0:0");
    come_back(all, 1, 0);
    expect(all, 1, "wmax round0:8");
    expect(all, 0, "wmax round0:8");
    finish_round(all, 0, "end");
    for (int i = 0; i < HEADS; i++) channel_push_signal(all->of[i].feedback, LEATI_END, 0);
    both(all, "done"); /* told by each other that nobody votes any more */
}

static void rounds_go_on_while_records_come_back_to_anybody(void **state) {
    heads *all = *state;
    for (int i = 0; i < HEADS; i++) end_stream(all, i);
    both(all, "round0:0");
    channel_push_ints(all->of[0].feedback, 1, 1);
    come_back(all, 0, 0);
    expect(all, 0, "data");
    come_back(all, 1, 0);
    expect(all, 1, "round0:0");
    expect(all, 0, "round0:0");
    /* what comes behind the round counts for the next */
    come_back(all, 1, 0);
    channel_push_ints(all->of[1].feedback, 1, 1);
    expect(all, 1, "data");
    channel_push_ints(all->of[0].feedback, 1, 1);
    come_back(all, 0, 0);
    expect(all, 0, "data round0:0");
    expect(all, 1, "round0:0");
    finish_round(all, 0, "round0:0");
    finish_round(all, 0, "wmax round0:8");
    channel_push_ints(all->of[0].feedback, 1, 1); /* what was flushed at the end */
    come_back(all, 0, 0);
    expect(all, 0, "data");
    come_back(all, 1, 0);
    expect(all, 1, "round0:0");
    expect(all, 0, "round0:0");
    finish_round(all, 0, "end");
}

static int64_t read_clock(void *arg) {
    return *(int64_t *)arg;
}

static void rounds_busy_or_open_ones_are_repeated_later(void **state) {
    heads *all = *state;
    int64_t now = 1000;
    leati_clock_set(read_clock, &now);
    for (int i = 0; i < HEADS; i++) end_stream(all, i);
    both(all, "round0:0");
    for (int64_t pause = 1; pause <= 64; pause *= 2) {
        finish_round(all, pause % 4 == 1 ? LEATI_ROUND_BUSY : LEATI_ROUND_OPEN, "");
        for (int i = 0; i < HEADS; i++)
            assert_int_equal(leati_rounds_next_time(all->of[i].rounds), now + pause);
        now += pause;
        both(all, "round0:0");
    }
    finish_round(all, LEATI_ROUND_BUSY, "");
    assert_int_equal(leati_rounds_next_time(all->of[0].rounds), now + 64);
    now += 64;
    both(all, "round0:0");
    finish_round(all, 0, "wmax round0:8");
    leati_clock_set(NULL, NULL);
}

static void outer_round(heads *all, int which, int64_t flags) {
    channel_push_signal(all->of[which].stream, LEATI_ROUND,
                        leati_round(LEATI_ROUND, 1, flags).value);
}

/* A round of the loop around waits for records, not for operators, and tells of these. */
static void rounds_of_an_outer_loop_wait_for_rest(void **state) {
    heads *all = *state;
    for (int i = 0; i < HEADS; i++) outer_round(all, i, 0);
    both(all, "round0:0");
    channel_push_ints(all->of[0].stream, 1, 1); /* waits behind it */
    channel_push_ints(all->of[1].feedback, 1, 1);
    come_back(all, 1, 0);
    expect(all, 1, "data");
    come_back(all, 0, 0);
    expect(all, 0, "round0:0");
    expect(all, 1, "round0:0");
    for (int i = 0; i < HEADS; i++) come_back(all, i, LEATI_ROUND_BUSY | LEATI_ROUND_OPEN);
    expect(all, 0, "");
    expect(all, 1, "round1:2");
    expect(all, 0, "round1:2 data");
    for (int i = 0; i < HEADS; i++) {
        channel_push_signal(all->of[i].stream, LEATI_WATERMARK, INT64_MAX);
        outer_round(all, i, LEATI_ROUND_END);
    }
    both(all, "round0:0");
    finish_round(all, 0, "wmax round1:8");
    for (int i = 0; i < HEADS; i++) channel_push_signal(all->of[i].stream, LEATI_END, 0);
    both(all, "round0:0");
    finish_round(all, 0, "round0:8");
    finish_round(all, 0, "end");
}

static void rounds_let_barriers_pass_while_an_end_is_held(void **state) {
    heads *all = *state;
    for (int i = 0; i < HEADS; i++) channel_push_signal(all->of[i].stream, LEATI_BARRIER, 1);
    both(all, "b1");
    for (int i = 0; i < HEADS; i++) {
        channel_push_signal(all->of[i].stream, LEATI_END, 0);
        channel_push_signal(all->of[i].stream, LEATI_BARRIER, 2);
    }
    both(all, "b2 round0:0");
    finish_round(all, 0, "wmax round0:8");
    finish_round(all, 0, "end");
}

#define ROUNDS_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        ROUNDS_TEST(rounds_end_passes_after_a_quiet_round_and_one_that_tells_of_it),
        ROUNDS_TEST(rounds_go_on_while_records_come_back_to_anybody),
        ROUNDS_TEST(rounds_busy_or_open_ones_are_repeated_later),
        ROUNDS_TEST(rounds_of_an_outer_loop_wait_for_rest),
        ROUNDS_TEST(rounds_let_barriers_pass_while_an_end_is_held),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
