"""Functions in every role, called by small jobs."""

import pytest
from leat.common import Row, Types
from leat.datastream import OutputTag
from leat.datastream.functions import (
    CoFlatMapFunction,
    CoMapFunction,
    KeyedProcessFunction,
    KeySelector,
    MapFunction,
    ProcessFunction,
    ReduceFunction,
    SinkFunction,
    SourceFunction,
)


def test_map_callable_and_function(env, results):
    class Add(MapFunction):
        def open(self, runtime_context):
            self.by = runtime_context.get_index_of_this_subtask() + 1

        def map(self, value):
            return value + self.by

    stream = env.from_collection([1, 2]).map(Add()).map(lambda x: None if x == 2 else x)
    assert results(stream) == [None, 3]


def test_map_type_is_applied(env, results):
    types = Types.TUPLE([Types.STRING(), Types.DOUBLE()])
    stream = env.from_collection([1]).map(lambda x: ["a", x], types)
    assert results(stream) == [("a", 1.0)]


def test_map_row_gets_names(env, results):
    types = Types.ROW_NAMED(["a", "b"], [Types.LONG(), Types.STRING()])
    stream = env.from_collection([(1, "x")], types).map(lambda r: (r.a + 1, r["b"]), types)
    assert results(stream) == [Row(a=2, b="x")]


def test_flat_map_list_generator_and_long_results(env, results):
    def twice(x):
        yield x
        yield x

    stream = env.from_collection([100]).flat_map(range).flat_map(twice).flat_map(lambda x: [x])
    assert results(stream) == [i for i in range(100) for _ in range(2)]


def test_flat_map_generator_inside_generator_keeps_order(env, results):
    def upto(x):
        yield from range(x)

    stream = env.from_collection([3, 2]).flat_map(upto).flat_map(upto)
    assert results(stream) == [0, 0, 1, 0]


def test_filter_takes_truth(env, results):
    assert results(env.from_collection(["", "a", "b"]).filter(lambda s: s)) == ["a", "b"]


def test_reduce_with_selector_and_function(env, results):
    class First(KeySelector):
        def get_key(self, value):
            return value[0]

    class Sum(ReduceFunction):
        def reduce(self, value1, value2):
            return value1[0], value1[1] + value2[1]

    stream = env.from_collection([("a", 1), ("b", 2), ("a", 3)]).key_by(First()).reduce(Sum())
    assert results(stream) == [("a", 1), ("b", 2), ("a", 4)]


def test_sum_beyond_64_bits_goes_on(env, results):
    stream = env.from_collection([2**62] * 3).key_by(lambda x: 0).sum()
    assert results(stream) == [2**62, 2**63, 2**62 * 3]


def test_sum_of_rows_by_name(env, results):
    types = Types.ROW_NAMED(["k", "n"], [Types.STRING(), Types.INT()])
    stream = env.from_collection([("a", 1), ("a", 5)], types).key_by(lambda r: r.k).sum("n")
    assert results(stream) == [Row(k="a", n=1), Row(k="a", n=6)]


def test_key_type_makes_keys_equal(env, results):
    stream = env.from_collection([1, 1.0, True]).key_by(lambda x: x, Types.DOUBLE())
    assert results(stream.reduce(lambda a, b: a + b)) == [1, 2.0, 3.0]


def test_keys_of_other_types_differ(env, results):
    stream = env.from_collection([1, 1.0, True]).key_by(lambda x: x)
    assert results(stream.reduce(lambda a, b: a + b)) == [1, 1.0, True]


def test_co_map_none_is_no_result(env, results):
    class Both(CoMapFunction):
        def map1(self, value):
            return value or None

        def map2(self, value):
            return -value

    first, second = env.from_collection([0, 1, 2]), env.from_collection([7])
    assert sorted(results(first.connect(second).map(Both()))) == [-7, 1, 2]


def test_co_flat_map_none_is_nothing(env, results):
    class Both(CoFlatMapFunction):
        def flat_map1(self, value):
            yield from range(value)

        def flat_map2(self, value):
            return None

    first, second = env.from_collection([0, 1, 2]), env.from_collection([7])
    assert sorted(results(first.connect(second).flat_map(Both()))) == [0, 0, 1]


def test_process_side_output(env, results):
    tag, unheard = OutputTag("odd", Types.LONG()), OutputTag("unheard")

    class Split(ProcessFunction):
        def process_element(self, value, ctx):
            assert ctx.timestamp() is None
            assert ctx.timer_service().current_watermark() == -(2**63)
            assert ctx.timer_service().current_processing_time() > 0
            yield unheard, value
            if value % 2:
                yield tag, value
            else:
                yield value

    split = env.from_collection([1, 2, 3]).process(Split())
    assert results(split.union(split.get_side_output(tag).map(lambda x: -x))) in (
        [-1, 2, -3],
        [2, -1, -3],
    )


def test_process_keyed_context_has_the_key(env, results):
    class Keys(KeyedProcessFunction):
        def process_element(self, value, ctx):
            return [(ctx.get_current_key(), value)]

    stream = env.from_collection(["a", "bb"]).key_by(len).process(Keys())
    assert results(stream) == [(1, "a"), (2, "bb")]


def test_partition_custom(env, results):
    env.set_parallelism(2)

    class Where(MapFunction):
        def open(self, runtime_context):
            self.index = runtime_context.get_index_of_this_subtask()

        def map(self, value):
            return self.index, value

    stream = env.from_collection(range(4)).partition_custom(lambda k, n: k % n, lambda x: x)
    assert sorted(results(stream.map(Where()))) == [(0, 0), (0, 2), (1, 1), (1, 3)]


def test_source_function_with_a_thread(env, results):
    class Count(SourceFunction):
        def run(self, ctx):
            for i in range(3000):
                ctx.collect(i)

    assert results(env.add_source(Count())) == list(range(3000))


def test_source_callable(env, results):
    assert results(env.add_source(lambda: iter(range(5)), type_info=Types.LONG())) == list(range(5))


def test_source_function_endless_is_cancelled(thread_env):
    class Endless(SourceFunction):
        def run(self, ctx):
            i = 0
            while True:
                ctx.collect(i)
                i += 1

    with thread_env.add_source(Endless()).execute_and_collect("endless") as found:
        assert next(found) == 0


def test_sink_function(thread_env):
    seen = []

    class Sink(SinkFunction):
        def invoke(self, value, context):
            import builtins

            builtins.leat_seen.append((value, context.timestamp()))

    import builtins

    builtins.leat_seen = seen
    thread_env.from_collection([1, 2]).add_sink(Sink())
    thread_env.execute("sink")
    del builtins.leat_seen
    assert seen == [(1, None), (2, None)]


@pytest.mark.quick
def test_open_and_close_frame_a_subtask(thread_env, results):
    import builtins

    builtins.leat_seen = seen = []

    class Traced(MapFunction):
        def open(self, runtime_context):
            import builtins

            self.seen = builtins.leat_seen
            self.seen.append(("open", runtime_context.get_task_name_with_subtasks()))

        def map(self, value):
            self.seen.append(("map", value))
            return value

        def close(self):
            self.seen.append("close")

    assert results(thread_env.from_collection([1]).map(Traced()).name("Mine")) == [1]
    del builtins.leat_seen
    assert seen == [("open", "Mine (1/1)"), ("map", 1), "close"]
