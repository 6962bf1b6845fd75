/* Tests of loops.c and of what iteration.c refuses: loops that are closed wrongly, cross, or are
   entered amid their body; parallelism; what the next job runs of a loop. */
#include "countdown.h"

static void expect_refusal(leat_env *env, leat_status status, const char *text) {
    leat_error err;
    assert_int_equal(run(env, &err), status);
    assert_string_equal(err.text, text);
    leat_env_free(env);
}

static void loop_that_is_closed_wrongly_is_refused(void **state) {
    (void)state;
    leat_env *env = env_of(1, 10);
    leat_stream *s = leat_env_sequence(env, 1, 3), *loop = leat_stream_iterate(s, 0);
    leat_stream_print(count_down(loop));
    expect_refusal(env, LEAT_E_STATE,
                   "the loop was never closed; call close_with on what iterate answered, with the "
                   "stream that is to come back");

    env = env_of(1, 10);
    s = leat_stream_name(leat_env_sequence(env, 1, 3), "numbers");
    leat_iteration_close(leat_stream_iterate(s, 0), s);
    expect_refusal(env, LEAT_E_ARGUMENT,
                   "the loop can't be closed with 'numbers', which does not come from it");

    env = env_of(1, 10);
    s = leat_stream_name(leat_env_sequence(env, 1, 3), "numbers");
    loop = leat_stream_iterate(s, 0);
    leat_iteration_close(loop, leat_stream_union(count_down(loop), s));
    expect_refusal(env, LEAT_E_ARGUMENT,
                   "the loop can't be closed with 'numbers', which does not come from it");

    env = env_of(1, 10);
    loop = leat_stream_iterate(leat_env_sequence(env, 1, 3), 0);
    leat_iteration_close(loop, count_down(loop));
    leat_iteration_close(loop, count_down(loop));
    expect_refusal(env, LEAT_E_STATE,
                   "the loop is closed; unite what is to come back and close it once");

    env = env_of(1, 10);
    s = leat_env_sequence(env, 1, 3);
    leat_iteration_close(s, count_down(s));
    expect_refusal(env, LEAT_E_ARGUMENT, "the stream is not what leat_stream_iterate answered");

    env = env_of(1, 10);
    loop = leat_stream_iterate(leat_stream_returns(leat_env_sequence(env, 1, 3), "LONG"), 0);
    s = leat_stream_name(leat_stream_returns(count_down(loop), "STRING"), "texts");
    leat_iteration_close(loop, s);
    expect_refusal(env, LEAT_E_TYPE, "what comes back has to be LONG, and 'texts' gives STRING");

    leat_env *other = env_of(1, 10);
    env = env_of(1, 10);
    loop = leat_stream_iterate(leat_env_sequence(env, 1, 3), 0);
    leat_iteration_close(loop, leat_env_sequence(other, 1, 3));
    expect_refusal(env, LEAT_E_ARGUMENT, "a stream of another environment");
    leat_env_free(other);
    assert_null(leat_iteration_close(NULL, NULL));
}

static void loop_other_parallelism_comes_back_evenly(void **state) {
    (void)state;
    tally t;
    leat_env *env = small_env(2);
    leat_stream *loop = leat_stream_iterate(leat_env_sequence(env, 1, 50), 0);
    loop = leat_stream_parallelism(loop, 3);
    leat_stream *body = leat_stream_parallelism(count_down(loop), 2);
    leat_iteration_close(loop, leat_stream_parallelism(filter(body, is_positive), 1));
    add_to(filter(body, is_not_positive), &t);
    env_run(env);
    expect_tally(&t, 50, 0);
    leat_env_free(env);

    env = small_env(4); /* without its own the head has that of what comes back: forward fits */
    loop = leat_stream_iterate(leat_env_sequence(env, 1, 50), 0);
    body = leat_stream_parallelism(count_down(loop), 2);
    leat_iteration_close(
        loop, leat_stream_forward(leat_stream_parallelism(filter(body, is_positive), 2)));
    add_to(filter(body, is_not_positive), &t);
    env_run(env);
    expect_tally(&t, 50, 0);
    leat_env_free(env);
}

static void loops_that_cross_are_refused(void **state) {
    (void)state;
    leat_env *env = env_of(1, 10);
    leat_stream *s = leat_env_sequence(env, 1, 3);
    leat_stream *a = leat_stream_name(leat_stream_iterate(s, 0), "a");
    leat_stream *b = leat_stream_name(leat_stream_iterate(leat_stream_rebalance(s), 0), "b");
    leat_stream *both = leat_stream_co_map(a, b, leat_co_map_fn(take_first, NULL));
    leat_iteration_close(a, filter(both, is_positive));
    leat_iteration_close(b, filter(both, is_positive));
    expect_refusal(env, LEAT_E_UNSUPPORTED,
                   "the loop and 'a' cross each other; put one within the other");

    env = env_of(1, 10);
    a = leat_stream_name(leat_stream_iterate(leat_env_sequence(env, 1, 3), 0), "a");
    b = leat_stream_name(leat_stream_iterate(leat_stream_rebalance(a), 0), "b");
    leat_stream *beside = leat_stream_name(count_down(a), "beside");
    both = leat_stream_co_map(b, beside, leat_co_map_fn(take_first, NULL));
    leat_iteration_close(b, filter(both, is_positive));
    leat_iteration_close(a, filter(both, is_positive));
    expect_refusal(env, LEAT_E_UNSUPPORTED,
                   "it is in the loop 'b', and reads 'beside', which is outside of that but in the "
                   "loop around it; let all of it enter at 'b'");
}

/* The second execution needs the whole loop again, but not the first one's sinks. */
static void loop_runs_again_for_a_new_reader(void **state) {
    (void)state;
    tally t, u;
    leat_env *env = small_env(2);
    leat_stream *loop = leat_stream_iterate(leat_env_sequence(env, 1, 30), 0);
    leat_stream *body = count_down(loop);
    leat_iteration_close(loop, leat_stream_rebalance(filter(body, is_positive)));
    add_to(filter(body, is_not_positive), &t);
    env_run(env);
    expect_tally(&t, 30, 0);
    add_to(body, &u);
    env_run(env);
    expect_tally(&t, 30, 0);
    assert_int_equal(atomic_load(&u.count), 30 * 31 / 2);
    leat_env_free(env);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loop_that_is_closed_wrongly_is_refused),
        cmocka_unit_test(loop_other_parallelism_comes_back_evenly),
        cmocka_unit_test(loops_that_cross_are_refused),
        cmocka_unit_test(loop_runs_again_for_a_new_reader),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
