"""What every kind of function gets: open and close, its RuntimeContext, side outputs."""

from __future__ import annotations

import pytest
from leat.common import Types
from leat.datastream import OutputTag
from leat.datastream.functions import (
    BroadcastProcessFunction,
    CoFlatMapFunction,
    CoMapFunction,
    CoProcessFunction,
    FilterFunction,
    FlatMapFunction,
    KeyedBroadcastProcessFunction,
    KeyedCoProcessFunction,
    KeyedProcessFunction,
    KeySelector,
    MapFunction,
    Partitioner,
    ProcessFunction,
    ReduceFunction,
    SinkFunction,
)
from leat.datastream.state import MapStateDescriptor, ValueStateDescriptor

SIDE = OutputTag("side", Types.LONG())
RULES = MapStateDescriptor("rules", Types.LONG(), Types.LONG())


class Lives:
    """Writes down what its subtask is in `open`, and that it was closed."""

    def __init__(self, folder):
        self.folder = folder

    def open(self, runtime_context):
        c = runtime_context
        index, count = c.get_index_of_this_subtask(), c.get_number_of_parallel_subtasks()
        assert c.get_task_name_with_subtasks() == f"{c.get_task_name()} ({index + 1}/{count})"
        assert c.get_max_number_of_parallel_subtasks() == 128
        assert c.get_attempt_number() == 0
        assert c.get_job_parameter("colour", "none") == "blue, or: 'red'"
        assert c.get_job_parameter("size", "none") == "none"
        c.get_metrics_group().counter("opened").inc()
        try:
            c.get_state(ValueStateDescriptor("mine", Types.LONG()))
            keyed = "keyed"
        except Exception as e:
            assert "KeyedStream" in str(e)
            keyed = "plain"
        self.name = f"{type(self).__name__} {keyed} {index} of {count}"
        assert not (self.folder / self.name).exists()
        (self.folder / self.name).write_text("open")

    def close(self):
        assert (self.folder / self.name).read_text() == "open"
        (self.folder / self.name).write_text("closed")


class Map(Lives, MapFunction):
    def map(self, value):
        return value


class FlatMap(Lives, FlatMapFunction):
    def flat_map(self, value):
        yield value


class Filter(Lives, FilterFunction):
    def filter(self, value):
        return True


class Key(Lives, KeySelector):
    def get_key(self, value):
        return value


class Reduce(Lives, ReduceFunction):
    def reduce(self, value1, value2):
        return value2


class Part(Lives, Partitioner):
    def partition(self, key, num_partitions):
        return key % num_partitions


class CoMap(Lives, CoMapFunction):
    def map1(self, value):
        return value

    map2 = map1


class CoFlatMap(Lives, CoFlatMapFunction):
    def flat_map1(self, value):
        yield value

    flat_map2 = flat_map1


class Sink(Lives, SinkFunction):
    def __init__(self, folder):
        Lives.__init__(self, folder)
        SinkFunction.__init__(self)

    def invoke(self, value, context):
        pass


def both(value):
    """To the main and the side output."""
    yield value
    yield SIDE, 10 * value


class Process(Lives, ProcessFunction):
    def process_element(self, value, ctx):
        return both(value)


class CoProcess(Lives, CoProcessFunction):
    def process_element1(self, value, ctx):
        return both(value)

    process_element2 = process_element1


class Timers:
    """Sends to the side output from its timers, too."""

    def process_element(self, value, ctx):
        ctx.timer_service().register_event_time_timer(value)
        yield from both(value)

    process_element1 = process_element2 = process_element

    def on_timer(self, timestamp, ctx):
        yield SIDE, 100 * timestamp


class KeyedProcess(Timers, Lives, KeyedProcessFunction):
    pass


class KeyedCoProcess(Timers, Lives, KeyedCoProcessFunction):
    pass


class Broadcast(Lives, BroadcastProcessFunction):
    def process_element(self, value, ctx):
        return both(value)

    def process_broadcast_element(self, value, ctx):
        yield SIDE, -value


class KeyedBroadcast(Timers, Lives, KeyedBroadcastProcessFunction):
    def process_broadcast_element(self, value, ctx):
        yield SIDE, -value


@pytest.fixture
def make(make_env):
    """An environment with a parameter for its functions."""

    def made(parallelism):
        env = make_env(parallelism)
        env.get_config().set_global_job_parameters({"colour": "blue, or: 'red'"})
        return env

    return made


def lives(folder):
    found = {p.name: p.read_text() for p in folder.iterdir()}
    assert set(found.values()) == {"closed"}
    return sorted(found)


@pytest.mark.parametrize("parallelism", [1, 3])
def test_every_function_is_opened_and_closed_in_every_subtask(make, tmp_path, parallelism):
    env = make(parallelism)
    numbers = env.from_collection([1, 2, 3, 4]).rebalance().map(Map(tmp_path))
    numbers = numbers.flat_map(FlatMap(tmp_path)).filter(Filter(tmp_path))
    parted = numbers.partition_custom(Part(tmp_path), lambda v: v).map(lambda v: v)
    keyed = parted.key_by(Key(tmp_path))
    joined = keyed.reduce(Reduce(tmp_path)).connect(numbers).map(CoMap(tmp_path))
    joined.connect(numbers).flat_map(CoFlatMap(tmp_path)).add_sink(Sink(tmp_path))
    metrics = env.execute().get_metrics()
    plain = (CoFlatMap, CoMap, Filter, FlatMap, Key, Map, Part, Sink)
    kinds = [(k.__name__, "plain") for k in plain] + [("Reduce", "keyed")]
    want = [f"{k} {s} {i} of {parallelism}" for k, s in kinds for i in range(parallelism)]
    assert lives(tmp_path) == sorted(want)
    assert sum(m["metrics"].get("opened", 0) for m in metrics) == len(want)


@pytest.mark.parametrize("parallelism", [1, 3])
@pytest.mark.parametrize(
    ("kind", "keyed", "inputs"),
    [
        (Process, False, 1),
        (KeyedProcess, True, 1),
        (CoProcess, False, 2),
        (KeyedCoProcess, True, 2),
        (Broadcast, False, "broadcast"),
        (KeyedBroadcast, True, "broadcast"),
    ],
)
def test_process_functions_have_side_outputs(
    make, results, tmp_path, kind, keyed, inputs, parallelism
):
    env = make(parallelism)
    first = env.from_collection([1, 2, 3])
    second = env.from_collection([4, 5])
    if keyed:
        first = first.key_by(lambda v: v, Types.LONG())
    if inputs == 1:
        stream = first
    elif inputs == 2:
        stream = first.connect(second.key_by(lambda v: v, Types.LONG()) if keyed else second)
    else:
        stream = first.connect(second.broadcast(RULES))
    out = stream.process(kind(tmp_path))
    values = [1, 2, 3, 4, 5] if inputs == 2 else [1, 2, 3]
    want = [10 * v for v in values]
    if keyed:
        want += [100 * v for v in values]
    if inputs == "broadcast":
        want += [-4, -5] * parallelism
    sides = out.get_side_output(SIDE).map(lambda v: ("side", v))
    found = results(out.map(lambda v: ("main", v)).union(sides))
    assert sorted(v for k, v in found if k == "main") == values
    assert sorted(v for k, v in found if k == "side") == sorted(want)
    state = "keyed" if keyed else "plain"
    assert lives(tmp_path) == [
        f"{kind.__name__} {state} {i} of {parallelism}" for i in range(parallelism)
    ]
