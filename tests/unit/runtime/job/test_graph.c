/* Tests of graph.c: the way to a worker and back, damaged descriptions, what the next job runs. */
#include "gather.h"

#include <stdatomic.h>
#include <string.h>

#include "runtime/base/alloc.h"
#include "runtime/job/env.h"

static void encode(leat_env *env, leati_buf *out) {
    leati_buf_init(out);
    leati_graph_encode(&env->blue->graph, out);
    assert_false(out->failed);
}

/* A sequence, an option of every kind, a side output, a union, a print, a loop. */
static leat_env *rich_env(void) {
    leat_env *env = env_of(2, 10);
    leat_stream *a = leat_stream_returns(leat_env_sequence(env, -5, 5), "LONG");
    a = leat_stream_uid(leat_stream_name(a, "numbers"), "uid-1");
    a = leat_stream_option(a, "description", "all of them");
    a = leat_stream_option(a, "buffer_timeout", "7");
    a = leat_stream_option(a, "slot_sharing_group", "mine");
    a = leat_stream_option(leat_stream_parallelism(a, 3), "max_parallelism", "99");
    leat_stream *b = leat_stream_sum(leat_stream_key_by(a, leat_field(0)), 0);
    leat_stream *side = leat_stream_returns(leat_stream_side_output(b, "late"), "STRING");
    leat_stream_option(leat_stream_print(leat_stream_union(b, side)), "chaining", "never");
    leat_stream *loop = leat_stream_iterate(a, 0);
    leat_stream *back = leat_stream_sum(leat_stream_key_by(loop, leat_field(0)), 0);
    leat_iteration_close(
        loop, leat_stream_union(leat_stream_shuffle(back), leat_stream_side_output(back, "late")));
    return env;
}

static void graph_survives_the_wire(void **state) {
    (void)state;
    leat_env *env = rich_env();
    leati_buf bytes, again;
    leati_graph back;
    leat_error err;
    encode(env, &bytes);
    leati_reader in = leati_reader_of(bytes.bytes, bytes.size);
    assert_int_equal(leati_graph_decode(&back, &in, &err), LEAT_OK);
    assert_int_equal(leati_reader_left(&in), 0);
    assert_int_equal(back.count, 7);
    const leati_node *n = leati_graph_node(&back, 1);
    assert_ptr_equal(n->op, &leat_sequence_operator);
    assert_string_equal(n->name, "numbers");
    assert_string_equal(n->uid, "uid-1");
    assert_string_equal(n->description, "all of them");
    assert_string_equal(n->slot_group, "mine");
    assert_int_equal(n->buffer_timeout, 7);
    assert_int_equal(n->parallelism, 3);
    assert_int_equal(n->max_parallelism, 99);
    assert_string_equal(n->output_type->text, "LONG");
    n = leati_graph_node(&back, 4);
    assert_int_equal(n->chaining, LEATI_CHAIN_NEVER);
    assert_int_equal(n->input_count, 2);
    assert_null(n->inputs[0].tag);
    assert_string_equal(n->inputs[1].tag, "late");
    assert_string_equal(n->inputs[1].tag_type->text, "STRING");
    n = leati_graph_node(&back, 5);
    assert_ptr_equal(n->op, &leat_iterate_operator);
    assert_int_equal(n->feedback_count, 2);
    assert_int_equal(n->feedback[0].from, 7);
    assert_int_equal(n->feedback[0].partitioning, LEAT_SHUFFLE);
    assert_int_equal(n->feedback[1].input, 1);
    assert_string_equal(n->feedback[1].tag, "late");
    assert_null(leati_graph_node(&back, 8));
    assert_null(leati_graph_node(&back, 0));
    leati_buf_init(&again);
    leati_graph_encode(&back, &again);
    assert_int_equal(again.size, bytes.size);
    assert_memory_equal(again.bytes, bytes.bytes, bytes.size);
    leati_graph_fini(&back);
    leati_buf_fini(&again);
    leati_buf_fini(&bytes);
    leat_env_free(env);
}

static void damaged_description_is_refused_or_read_and_crashes_nobody(void **state) {
    (void)state;
    leat_env *env = rich_env();
    leati_buf bytes;
    leati_graph back;
    leat_error err;
    encode(env, &bytes);
    for (size_t size = 0; size < bytes.size; size++) {
        char *cut = leati_memdup(bytes.bytes, size ? size : 1);
        leati_reader in = leati_reader_of(cut, size);
        assert_true(leati_graph_decode(&back, &in, &err) < 0);
        leati_free(cut);
    }
    for (size_t at = 0; at < bytes.size; at++)
        for (int bit = 0; bit < 8; bit += 3) {
            char old = bytes.bytes[at];
            bytes.bytes[at] = (char)(old ^ (1 << bit));
            leati_reader in = leati_reader_of(bytes.bytes, bytes.size);
            if (leati_graph_decode(&back, &in, &err) < 0) {
                bytes.bytes[at] = old;
                continue;
            }
            for (size_t i = 0; i < back.count; i++) /* streams come from earlier nodes only */
                for (size_t k = 0; k < back.nodes[i]->input_count; k++)
                    assert_in_range(back.nodes[i]->inputs[k].from, 1, i);
            for (size_t i = 0; i < back.count; i++)
                for (size_t k = 0; k < back.nodes[i]->feedback_count; k++)
                    assert_in_range(back.nodes[i]->feedback[k].from, i + 1, back.count);
            leati_graph_fini(&back);
            bytes.bytes[at] = old;
        }
    leati_buf_fini(&bytes);
    leat_env_free(env);
}

static leat_status count_one(leat_context *ctx, const leat_record *in, void *arg) {
    (void)ctx;
    (void)in;
    atomic_fetch_add((atomic_int *)arg, 1);
    return LEAT_OK;
}

static void next_job_runs_what_is_new(void **state) {
    (void)state;
    atomic_int first = 0, second = 0;
    leat_error err;
    leat_env *env = env_of(2, 10);
    leat_stream *s = leat_env_sequence(env, 1, 10);
    leat_stream_sink(s, leat_sink_fn(count_one, &first));
    env_run(env);
    leat_stream_sink(s, leat_sink_fn(count_one, &second));
    env_run(env);
    assert_int_equal(first, 10);
    assert_int_equal(second, 10);
    assert_int_equal(leat_env_execute(env, NULL, &err), LEAT_E_STATE);
    leat_env_free(env);
}

static void environment_may_be_built_further_while_a_job_runs(void **state) {
    (void)state;
    atomic_int first = 0;
    leat_error err;
    leat_push_source *source;
    leat_env *env = env_of(2, 10);
    leat_stream *s = leat_env_push_source(env, &source);
    leat_stream_sink(s, leat_sink_fn(count_one, &first));
    leat_job *job = leat_env_start(env, NULL, &err);
    for (int i = 0; i < 200; i++) {
        s = leat_stream_name(leat_stream_rebalance(leat_env_sequence(env, 1, 2)), "another");
        leat_stream_sink(s, leat_sink_fn(count_one, &first));
    }
    leat_env_clear(env);
    leat_value v = leat_int(1);
    assert_int_equal(leat_push(source, &v, LEAT_NO_TIME, -1), LEAT_OK);
    assert_int_equal(leat_push_end(source), LEAT_OK);
    assert_int_equal(leat_job_wait(job, -1), LEAT_OK);
    assert_int_equal(leat_job_result(job, &err), LEAT_OK);
    assert_int_equal(first, 1);
    leat_job_free(job);
    leat_env_free(env);
}

static int freed;

static void count_free(void *arg) {
    (void)arg;
    freed++;
}

static void functions_are_freed_once_with_the_last_who_has_them(void **state) {
    (void)state;
    atomic_int seen = 0;
    leat_error err;
    freed = 0;
    leat_env *env = env_of(1, 10);
    leat_function f = leat_sink_fn(count_one, &seen);
    f.free = count_free;
    leat_stream_sink(leat_env_sequence(env, 1, 3), f);
    leat_job *job = leat_env_start(env, NULL, &err);
    leat_env_clear(env);
    assert_int_equal(leat_job_wait(job, -1), LEAT_OK);
    assert_int_equal(seen, 3);
    leat_job_free(job);
    leat_env_free(env);
    assert_int_equal(freed, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(graph_survives_the_wire),
        cmocka_unit_test(damaged_description_is_refused_or_read_and_crashes_nobody),
        cmocka_unit_test(next_job_runs_what_is_new),
        cmocka_unit_test(environment_may_be_built_further_while_a_job_runs),
        cmocka_unit_test(functions_are_freed_once_with_the_last_who_has_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
