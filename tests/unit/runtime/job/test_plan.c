/* Tests of plan.c, plan_json.c and stream.c: what is chained, how many subtasks there are, who is
   refused, and the plan as JSON. */
#include "gather.h"

#include <string.h>

#include "runtime/base/alloc.h"

static leat_status same(leat_context *ctx, const leat_record *in, leat_value *out, void *arg) {
    (void)ctx;
    (void)arg;
    *out = in->value;
    return LEAT_OK;
}

static leat_stream *map(leat_stream *s) {
    return leat_stream_map(s, leat_map_fn(same, NULL));
}

/* The chains of the plan, such as "1,2;3". */
static void expect_chains(leat_env *env, const char *chains) {
    leat_error err = {.text = ""};
    char got[256] = "";
    char *plan = leat_env_plan(env, &err);
    if (!plan) fail_msg("%s: %s", err.where, err.text);
    const char *at = plan;
    while ((at = strstr(at, "\"chain\" : [ "))) {
        at += strlen("\"chain\" : [ ");
        if (*got) strcat(got, ";");
        for (; *at != ' ' || at[1] != ']'; at++)
            if (*at != ' ') strncat(got, at, 1);
    }
    assert_string_equal(got, chains);
    leat_text_free(plan);
}

static void expect_in_plan(leat_env *env, const char *text) {
    leat_error err = {.text = ""};
    char *plan = leat_env_plan(env, &err);
    if (!plan) fail_msg("%s: %s", err.where, err.text);
    if (!strstr(plan, text)) fail_msg("no '%s' in\n%s", text, plan);
    leat_text_free(plan);
}

static void expect_refusal(leat_env *env, leat_status status, const char *text) {
    leat_error err = {.text = ""};
    assert_int_equal(leat_env_execute(env, NULL, &err), status);
    assert_string_equal(err.text, text);
    leat_env_free(env);
}

/* --- chaining --------------------------------------------------------------------------------- */

static void plan_chains_equal_neighbours(void **state) {
    (void)state;
    leat_env *env = env_of(2, 10);
    leat_stream *s = map(leat_env_sequence(env, 1, 2));
    leat_stream_print(s);
    leat_stream_print(map(s)); /* a fork stays in the chain */
    expect_chains(env, "1,2,3,4,5");
    leat_env_free(env);
}

static void plan_breaks_chains_where_records_change_places(void **state) {
    (void)state;
    leat_env *env = env_of(2, 10);
    leat_stream *s = leat_env_sequence(env, 1, 2);
    leat_stream_print(leat_stream_rebalance(s));
    leat_stream_print(leat_stream_sum(leat_stream_key_by(s, leat_field(0)), 0));
    leat_stream_print(leat_stream_parallelism(map(s), 1));
    expect_chains(env, "1,3;2;4,5;6;7");
    leat_env_free(env);
}

/* Else records of one key would come by several ways, and lose their order. */
static void who_sets_keys_is_as_parallel_as_its_input(void **state) {
    (void)state;
    leat_env *env = env_of(3, 10);
    leat_stream *s = leat_stream_parallelism(leat_env_sequence(env, 1, 2), 1);
    leat_stream_print(leat_stream_sum(leat_stream_key_by(s, leat_field(0)), 0));
    leat_stream_print(
        leat_stream_sum(leat_stream_key_by(leat_stream_rebalance(s), leat_field(0)), 0));
    expect_chains(env, "1,2,5;3,4;6,7");
    expect_in_plan(env, "\"ship_strategy\" : \"HASH\"");
    leat_env_free(env);
}

static void plan_breaks_chains_at_several_inputs(void **state) {
    (void)state;
    leat_env *env = env_of(2, 10);
    leat_stream *a = leat_env_sequence(env, 1, 2), *b = leat_env_sequence(env, 1, 2);
    leat_stream_print(leat_stream_union(a, b));
    expect_chains(env, "1;2;3");
    leat_env_free(env);
}

static void plan_obeys_chaining_options(void **state) {
    (void)state;
    leat_env *env = env_of(2, 10);
    leat_stream *s = leat_env_sequence(env, 1, 2);
    s = leat_stream_option(map(s), "chaining", "head");
    s = leat_stream_option(map(s), "chaining", "never");
    s = leat_stream_option(map(map(s)), "slot_sharing_group", "other");
    leat_stream_option(leat_stream_print(s), "slot_sharing_group", "other");
    expect_chains(env, "1;2;3;4;5,6");
    leat_error err;
    assert_int_equal(leat_env_set(env, "pipeline.operator-chaining.enabled", "false", &err),
                     LEAT_OK);
    expect_chains(env, "1;2;3;4;5;6");
    leat_env_free(env);
}

/* --- JSON ------------------------------------------------------------------------------------- */

static void plan_names_nodes_strategies_and_reasons(void **state) {
    (void)state;
    leat_env *env = env_of(2, 10);
    leat_stream *s = leat_stream_name(leat_env_sequence(env, 1, 2), "the \"numbers\"");
    leat_stream *k = leat_stream_sum(leat_stream_key_by(s, leat_field(0)), 0);
    leat_stream_print(leat_stream_parallelism(leat_stream_broadcast(k), 3));
    expect_in_plan(env, "\"type\" : \"Source: the \\\"numbers\\\"\"");
    expect_in_plan(env, "\"type\" : \"Sink: print\"");
    expect_in_plan(env, "{ \"id\" : 2, \"ship_strategy\" : \"HASH\"");
    expect_in_plan(env, "{ \"id\" : 3, \"ship_strategy\" : \"BROADCAST\"");
    expect_in_plan(env, "\"parallelism\" : 2");
    expect_in_plan(env, "\"hosts\" : [ \"main\", \"main\" ]");
    expect_in_plan(env, "\"reason\" : \"no function in Python\"");
    leat_env_free(env);
}

/* --- refusals --------------------------------------------------------------------------------- */

static void forward_between_unequal_parallelisms_is_refused(void **state) {
    (void)state;
    leat_env *env = env_of(2, 10);
    leat_stream *s = leat_stream_forward(leat_env_sequence(env, 1, 2));
    leat_stream_print(leat_stream_parallelism(map(s), 3));
    expect_refusal(env, LEAT_E_ARGUMENT,
                   "forward partitioning needs equal parallelisms, and 'sequence' has 2 while "
                   "'map' has 3; use rebalance");
}

static void parallelism_above_its_maximum_is_refused(void **state) {
    (void)state;
    leat_env *env = env_of(2, 10);
    leat_stream *s = leat_stream_option(leat_env_sequence(env, 1, 2), "max_parallelism", "4");
    leat_stream_print(leat_stream_parallelism(s, 5));
    expect_refusal(env, LEAT_E_ARGUMENT,
                   "parallelism 5 is above the maximum of 4; raise pipeline.max-parallelism or "
                   "set_max_parallelism");
}

static void single_operator_in_several_subtasks_is_refused(void **state) {
    (void)state;
    leat_env *env = env_of(2, 10);
    leat_value items[1] = {leat_int(1)};
    leat_stream_print(leat_stream_parallelism(leat_env_collection(env, items, 1), 2));
    expect_refusal(env, LEAT_E_ARGUMENT, "its parallelism is 1 and can't be changed to 2");
}

static void state_without_a_key_is_refused(void **state) {
    (void)state;
    leat_env *env = env_of(2, 10);
    leat_stream_print(leat_stream_sum(leat_env_sequence(env, 1, 2), 0));
    expect_refusal(env, LEAT_E_STATE, "it works on keyed streams only; call key_by first");
}

static void union_of_keyed_streams_has_no_key(void **state) {
    (void)state;
    leat_env *env = env_of(2, 10);
    leat_stream *a = leat_stream_key_by(leat_env_sequence(env, 1, 2), leat_field(0));
    leat_stream *b = leat_stream_key_by(leat_env_sequence(env, 3, 4), leat_field(0));
    assert_true(leat_stream_is_keyed(a));
    leat_stream_sum(leat_stream_union(a, b), 0);
    expect_refusal(env, LEAT_E_STATE, "it works on keyed streams only; call key_by first");
}

static leat_status to_first(leat_context *ctx, const leat_value *key, int count, int *target,
                            void *arg) {
    (void)ctx;
    (void)key;
    (void)count;
    (void)arg;
    *target = 0;
    return LEAT_OK;
}

static void readers_of_a_partitioner_in_unequal_parallelisms_are_refused(void **state) {
    (void)state;
    leat_env *env = env_of(2, 10);
    leat_stream *s = leat_stream_partition_custom(leat_env_sequence(env, 1, 2),
                                                  leat_partition_fn(to_first, NULL), leat_field(0));
    leat_stream_parallelism(map(s), 2);
    leat_stream_parallelism(map(s), 3);
    expect_refusal(env, LEAT_E_ARGUMENT,
                   "readers of one custom partitioning need the same parallelism; partition once "
                   "for each of them");
}

static void reading_a_sink_is_refused(void **state) {
    (void)state;
    leat_env *env = env_of(2, 10);
    leat_stream_print(map(leat_stream_print(leat_env_sequence(env, 1, 2))));
    expect_refusal(env, LEAT_E_ARGUMENT, "a sink has no output to read");
}

static void streams_of_two_environments_are_refused(void **state) {
    (void)state;
    leat_env *env = env_of(2, 10), *other = env_of(2, 10);
    leat_stream *a = leat_env_sequence(env, 1, 2), *b = leat_env_sequence(other, 1, 2);
    leat_stream_print(leat_stream_union(a, b));
    expect_refusal(env, LEAT_E_ARGUMENT, "a stream of another environment");
    leat_env_free(other);
}

static leat_status silent(leat_context *ctx, unsigned input, const leat_record *in,
                          leat_emitter *out, void *arg) {
    (void)ctx, (void)input, (void)in, (void)out, (void)arg;
    return LEAT_OK;
}

static void broadcast_input_needs_no_key_but_all_records(void **state) {
    (void)state;
    leat_function f = leat_broadcast_process_fn(silent, NULL);
    leat_env *env = env_of(2, 10);
    leat_stream *s = leat_env_sequence(env, 1, 2), *rules = leat_env_sequence(env, 3, 4);
    leat_stream_print(
        leat_stream_broadcast_process(leat_stream_key_by(s, leat_field(0)), rules, f));
    leat_stream_print(leat_stream_broadcast_process(s, rules, f));
    expect_in_plan(env, "\"ship_strategy\" : \"BROADCAST\"");
    leat_env_free(env);

    leat_arg arg = leat_arg_function("function", &f);
    env = env_of(2, 10);
    s = leat_stream_key_by(leat_env_sequence(env, 1, 2), leat_field(0));
    leat_stream *inputs[2] = {s, leat_env_sequence(env, 3, 4)};
    leat_graph_add(env, &leat_keyed_broadcast_process_operator, &arg, 1, inputs, 2);
    expect_refusal(env, LEAT_E_STATE,
                   "its second stream must be a broadcast one; call broadcast first");
    env = env_of(2, 10);
    inputs[0] = leat_env_sequence(env, 1, 2);
    inputs[1] = leat_stream_broadcast(leat_env_sequence(env, 3, 4));
    leat_graph_add(env, &leat_keyed_broadcast_process_operator, &arg, 1, inputs, 2);
    expect_refusal(env, LEAT_E_STATE, "it works on keyed streams only; call key_by first");
    env = env_of(2, 10);
    s = leat_env_sequence(env, 1, 2);
    leat_stream_broadcast_process(s, leat_stream_key_by(s, leat_field(0)), f);
    expect_refusal(env, LEAT_E_STATE, "the partitioning of a keyed stream can't be changed");
}

static leat_status nothing(leat_context *ctx, void *self, unsigned input, const leat_record *in) {
    (void)ctx, (void)self, (void)input, (void)in;
    return LEAT_OK;
}

static void operators_with_flaws_are_refused(void **state) {
    (void)state;
    static const leat_operator three = {
        .size = sizeof(leat_operator), .name = "three", .inputs = 3, .on_record = nothing};
    static const leat_operator deaf = {.size = sizeof(leat_operator), .name = "deaf", .inputs = 1};
    static const leat_operator alone = {.size = sizeof(leat_operator),
                                        .name = "alone",
                                        .flags = LEAT_OP_BROADCAST,
                                        .inputs = 1,
                                        .on_record = nothing};
    static const leat_operator old = {.size = 8, .name = "old", .inputs = 1, .on_record = nothing};
    leat_env *env = env_of(2, 10);
    leat_stream *s = leat_env_sequence(env, 1, 2), *all[3] = {s, s, s};
    leat_graph_add(env, &three, NULL, 0, all, 3);
    expect_refusal(env, LEAT_E_ARGUMENT, "an operator reads two streams at most");
    env = env_of(2, 10);
    s = leat_env_sequence(env, 1, 2);
    leat_graph_add(env, &alone, NULL, 0, &s, 1);
    expect_refusal(env, LEAT_E_ARGUMENT, "an operator with a broadcast input reads two streams");
    env = env_of(2, 10);
    s = leat_env_sequence(env, 1, 2);
    leat_graph_add(env, &deaf, NULL, 0, &s, 1);
    expect_refusal(env, LEAT_E_ARGUMENT, "the operator lacks on_record or poll");
    env = env_of(2, 10);
    s = leat_env_sequence(env, 1, 2);
    leat_graph_add(env, &old, NULL, 0, &s, 1);
    expect_refusal(env, LEAT_E_ARGUMENT, "the operator has no name, or no size");
}

static void failed_streams_are_accepted_and_the_first_error_stays(void **state) {
    (void)state;
    leat_env *env = env_of(2, 10);
    leat_stream *bad = leat_stream_option(leat_env_sequence(env, 1, 2), "colour", "red");
    assert_non_null(bad);
    bad = leat_stream_broadcast(leat_stream_union(map(bad), leat_stream_side_output(bad, "x")));
    leat_stream_parallelism(bad, -5);
    leat_stream_print(leat_stream_returns(bad, "NONSENSE"));
    assert_false(leat_stream_is_keyed(bad));
    assert_null(map(NULL));
    expect_refusal(env, LEAT_E_ARGUMENT, "there is no option 'colour'");
}

static void stream_that_finds_no_memory_is_not_forgotten(void **state) {
    (void)state;
    leat_env *env = env_of(1, 10);
    leat_stream *s = leat_env_sequence(env, 1, 2);
    leat_stream_print(s);
    leati_alloc_fail_after(1);
    leat_stream_print(leat_stream_rebalance(s));
    leati_alloc_fail_after(-1);
    expect_refusal(env, LEAT_E_NOMEM, "no memory");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plan_chains_equal_neighbours),
        cmocka_unit_test(plan_breaks_chains_where_records_change_places),
        cmocka_unit_test(who_sets_keys_is_as_parallel_as_its_input),
        cmocka_unit_test(plan_breaks_chains_at_several_inputs),
        cmocka_unit_test(plan_obeys_chaining_options),
        cmocka_unit_test(plan_names_nodes_strategies_and_reasons),
        cmocka_unit_test(forward_between_unequal_parallelisms_is_refused),
        cmocka_unit_test(parallelism_above_its_maximum_is_refused),
        cmocka_unit_test(single_operator_in_several_subtasks_is_refused),
        cmocka_unit_test(state_without_a_key_is_refused),
        cmocka_unit_test(union_of_keyed_streams_has_no_key),
        cmocka_unit_test(readers_of_a_partitioner_in_unequal_parallelisms_are_refused),
        cmocka_unit_test(reading_a_sink_is_refused),
        cmocka_unit_test(streams_of_two_environments_are_refused),
        cmocka_unit_test(broadcast_input_needs_no_key_but_all_records),
        cmocka_unit_test(operators_with_flaws_are_refused),
        cmocka_unit_test(failed_streams_are_accepted_and_the_first_error_stays),
        cmocka_unit_test(stream_that_finds_no_memory_is_not_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
