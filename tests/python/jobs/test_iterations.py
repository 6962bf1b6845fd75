"""Loops: `iterate` and `close_with`, at any parallelism, against plain Python."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from leat.common import Configuration, Duration, Time, Types, WatermarkStrategy
from leat.common.errors import JobError
from leat.common.watermark_strategy import TimestampAssigner
from leat.datastream import (
    AsyncDataStream,
    AsyncFunction,
    OutputTag,
    SourceFunction,
    StreamExecutionEnvironment,
)
from leat.datastream.functions import (
    CoMapFunction,
    KeyedProcessFunction,
    MapFunction,
    ProcessFunction,
)
from leat.datastream.state import ValueStateDescriptor

PARALLELISMS = (1, 2, 4)


def collatz_steps(n):
    steps = 0
    while n != 1:
        n = 3 * n + 1 if n % 2 else n // 2
        steps += 1
    return steps


def next_collatz(value):
    start, n, steps = value
    return start, 3 * n + 1 if n % 2 else n // 2, steps + 1


@pytest.mark.quick
@pytest.mark.parametrize("parallelism", PARALLELISMS)
def test_collatz(make_env, results, parallelism):
    env = make_env(parallelism)
    numbers = env.from_collection([(n, n, 0) for n in range(2, 120)])
    loop = numbers.iterate()
    body = loop.rebalance().map(next_collatz)
    loop.close_with(body.filter(lambda v: v[1] != 1).shuffle())
    done = body.filter(lambda v: v[1] == 1)
    assert sorted(results(done)) == [(n, 1, collatz_steps(n)) for n in range(2, 120)]


@pytest.mark.parametrize("parallelism", PARALLELISMS)
def test_typed_loop_with_native_operators_in_it(make_env, results, parallelism):
    tuples = Types.TUPLE([Types.STRING(), Types.LONG()])
    env = make_env(parallelism)
    words = env.from_collection([("a", 3), ("b", 2), ("c", 1)], type_info=tuples)
    loop = words.iterate()
    less = loop.map(lambda v: (v[0], v[1] - 1), output_type=tuples)
    loop.close_with(less.filter(lambda v: v[1] > 0).key_by(lambda v: v[0]))
    sums = less.map(lambda v: (v[0], 1), output_type=tuples).key_by(lambda v: v[0]).sum(1)
    assert Counter(results(sums)) == Counter(
        [("a", 1), ("a", 2), ("a", 3), ("b", 1), ("b", 2), ("c", 1)]
    )


def halves(value):
    low, high = value
    if high - low > 1:
        middle = (low + high) // 2
        yield low, middle
        yield middle, high


@pytest.mark.parametrize("parallelism", (1, 3))
def test_body_that_multiplies_spills(make_env, results, parallelism):
    """2^13 records are on their way at the same time; memory holds a few of them."""
    env = make_env(
        parallelism, **{"pipeline.channel.memory": "4kb", "pipeline.channel.capacity": "16"}
    )
    size = 1 << 13
    loop = env.from_collection([(0, size)]).iterate()
    pieces = loop.flat_map(halves)
    loop.close_with(pieces.rebalance())
    leaves = pieces.filter(lambda v: v[1] - v[0] == 1).map(lambda v: v[0])
    assert sorted(results(leaves)) == list(range(size))


class Shortest(KeyedProcessFunction):
    """The best distance so far of a node; better ones go on to its neighbours."""

    def __init__(self, edges):
        self.edges = edges

    def open(self, runtime_context):
        self.best = runtime_context.get_state(ValueStateDescriptor("best", Types.LONG()))

    def process_element(self, value, ctx):
        node, distance = value
        best = self.best.value()
        if best is not None and best <= distance:
            return
        self.best.update(distance)
        yield node, distance
        for neighbour, length in self.edges.get(node, ()):
            yield FURTHER, (neighbour, distance + length)


FURTHER = OutputTag("further", Types.TUPLE([Types.LONG(), Types.LONG()]))


@pytest.mark.parametrize("parallelism", PARALLELISMS)
def test_keyed_state_and_side_output_as_feedback(make_env, results, parallelism):
    """Shortest paths: the side output goes back, what improves comes out."""
    edges = {n: [((n * 7 + k) % 40, 1 + (n * k) % 9) for k in range(1, 4)] for n in range(40)}
    pairs = Types.TUPLE([Types.LONG(), Types.LONG()])
    env = make_env(parallelism)
    loop = env.from_collection([(0, 0)], type_info=pairs).iterate()
    reached = loop.key_by(lambda v: v[0]).process(Shortest(edges), output_type=pairs)
    loop.close_with(reached.get_side_output(FURTHER))
    best: dict[int, int] = {}
    for node, distance in results(reached):
        best[node] = min(distance, best.get(node, distance))
    expected, waiting = {0: 0}, [0]
    while waiting:
        node = waiting.pop()
        for neighbour, length in edges[node]:
            distance = expected[node] + length
            if distance < expected.get(neighbour, distance + 1):
                expected[neighbour] = distance
                waiting.append(neighbour)
    assert best == expected


class Later(KeyedProcessFunction):
    """Lets each value go, one less, some milliseconds later."""

    def open(self, runtime_context):
        self.value = runtime_context.get_state(ValueStateDescriptor("value", Types.LONG()))

    def process_element(self, value, ctx):
        self.value.update(value[1])
        service = ctx.timer_service()
        service.register_processing_time_timer(service.current_processing_time() + 5)

    def on_timer(self, timestamp, ctx):
        yield ctx.get_current_key(), self.value.value() - 1


@pytest.mark.parametrize("parallelism", (1, 2))
def test_end_waits_for_timers_of_processing_time(make_env, results, parallelism):
    env = make_env(parallelism)
    loop = env.from_collection([(key, 3) for key in range(8)]).iterate()
    body = loop.key_by(lambda v: v[0]).process(Later())
    loop.close_with(body.filter(lambda v: v[1] > 0))
    expected = [(key, left) for key in range(8) for left in (2, 1, 0)]
    assert sorted(results(body)) == sorted(expected)


@pytest.mark.parametrize("parallelism", (1, 3))
def test_loops_within_loops_and_in_a_row(make_env, results, parallelism):
    """The inner loop counts the second number down, the outer one the first."""
    env = make_env(parallelism)
    outer = env.from_collection([(3, 2), (2, 4), (1, 1)]).iterate()
    inner = outer.rebalance().iterate()
    down = inner.map(lambda v: (v[0], v[1] - 1))
    inner.close_with(down.filter(lambda v: v[1] > 0).rebalance())
    out = down.filter(lambda v: v[1] <= 0).map(lambda v: (v[0] - 1, v[0]))
    outer.close_with(out.filter(lambda v: v[0] > 0).rebalance())
    after = out.map(lambda v: v[1]).iterate()
    less = after.map(lambda n: n - 1)
    after.close_with(less.filter(lambda n: n > 0))
    expected: list[int] = []
    for first, _ in [(3, 2), (2, 4), (1, 1)]:
        expected += [left - 1 - k for left in range(first, 0, -1) for k in range(left)]
    assert Counter(results(less)) == Counter(expected)


class Both(CoMapFunction):
    def map1(self, value):
        return "first", value, 0

    def map2(self, value):
        _, word, rounds = value
        return "again", word, rounds + 1


@pytest.mark.parametrize("parallelism", (1, 2))
def test_feedback_of_another_type(make_env, results, parallelism):
    env = make_env(parallelism)
    triples = Types.TUPLE([Types.STRING(), Types.STRING(), Types.LONG()])
    words = env.from_collection(["x", "y"], type_info=Types.STRING())
    loop = words.iterate().with_feedback_type(triples)
    body = loop.map(Both(), output_type=triples)
    assert loop.close_with(body.filter(lambda v: v[2] < 2)).get_type() == triples
    expected = [(k, w, n) for w in "xy" for k, n in (("first", 0), ("again", 1), ("again", 2))]
    assert sorted(results(body)) == sorted(expected)


RULES = st.dictionaries(
    st.integers(0, 12),
    st.lists(st.tuples(st.integers(0, 12), st.integers(1, 4)), max_size=4),
    max_size=8,
)
PARTITIONINGS = ["rebalance", "shuffle", "rescale", "global_", "forward", "key_by"]


def worklist(rules, starts):
    """What the loop gives: all that is ever made; each step uses up some of what a value has."""
    waiting, made = list(starts), Counter()
    while waiting:
        value, left = waiting.pop()
        for other, price in rules.get(value, ()):
            if price <= left:
                made[other, left - price] += 1
                waiting.append((other, left - price))
    return made


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    rules=RULES,
    starts=st.lists(st.tuples(st.integers(0, 12), st.integers(0, 7)), max_size=6),
    parallelism=st.sampled_from([1, 2, 3]),
    into=st.sampled_from(PARTITIONINGS[:4]),
    back=st.sampled_from(PARTITIONINGS),
    memory=st.sampled_from(["64b", "2kb", "1mb"]),
)
def test_loop_gives_what_a_worklist_gives(
    make_env, results, rules, starts, parallelism, into, back, memory
):
    env = make_env(parallelism, **{"pipeline.channel.memory": memory})
    pairs = Types.TUPLE([Types.LONG(), Types.LONG()])

    def step(pair):
        value, left = pair
        for other, price in rules.get(value, ()):
            if price <= left:
                yield other, left - price

    loop = env.from_collection(starts, type_info=pairs).iterate()
    body = getattr(loop, into)().flat_map(step, output_type=pairs)
    loop.close_with(body.key_by(lambda v: v[0]) if back == "key_by" else getattr(body, back)())
    assert Counter(results(body)) == worklist(rules, starts)


class TakesAnother(MapFunction):
    def map(self, value):
        if value == 3:
            raise ValueError("three is too many")
        return value + 1


def test_failure_in_the_body_is_the_users_own(env):
    loop = env.from_collection([0]).iterate()
    body = loop.map(TakesAnother())
    loop.close_with(body)
    body.print()
    with pytest.raises(JobError, match="three is too many") as caught:
        env.execute()
    assert isinstance(caught.value.__cause__, ValueError)


@pytest.mark.parametrize("parallelism", (1, 2))
def test_loop_without_end_is_cancelled(make_env, parallelism):
    env = make_env(parallelism)
    loop = env.from_collection(list(range(50))).iterate()
    body = loop.map(lambda n: n + 50)
    loop.close_with(body.rebalance())
    with body.execute_and_collect("for ever") as collected:
        seen = [value for value, _ in zip(collected, range(500), strict=False)]
    assert len(seen) == 500


class Noting(ProcessFunction):
    def process_element(self, value, ctx):
        yield value, ctx.timestamp()


def test_times_of_what_comes_back_are_kept(env, results):
    from leat.common import Duration
    from leat.common.watermark_strategy import TimestampAssigner, WatermarkStrategy

    class Tens(TimestampAssigner):
        def extract_timestamp(self, value, record_timestamp):
            return value * 10

    strategy = WatermarkStrategy.for_bounded_out_of_orderness(Duration.of_seconds(1))
    timed = env.from_collection([1, 2]).assign_timestamps_and_watermarks(
        strategy.with_timestamp_assigner(Tens())
    )
    loop = timed.iterate()
    body = loop.map(lambda n: n + 100)
    loop.close_with(body.filter(lambda n: n < 300))
    assert sorted(results(body.process(Noting()))) == [
        (101, 10), (102, 20), (201, 10), (202, 20), (301, 10), (302, 20),
    ]  # fmt: skip


def test_feedback_by_a_partitioner_of_ones_own_into_more_subtasks(make_env, results):
    env = make_env(2)
    loop = env.from_collection(list(range(40))).key_by(lambda n: n % 3).iterate()
    loop.set_parallelism(3)
    body = loop.rebalance().map(lambda n: n - 1)
    wrong = "not a subtask"

    def target(key, count):
        assert count == 3, wrong
        return key % count

    loop.close_with(body.filter(lambda n: n > 0).partition_custom(target, lambda n: n))
    expected = [n - k for n in range(40) for k in range(1, max(n, 1) + 1)]
    assert Counter(results(body)) == Counter(expected)


def test_disk_that_is_not_there_fails_the_job(make_env):
    env = make_env(2, **{"pipeline.channel.memory": "1kb", "io.tmp.dirs": "/nonexistent/folder"})
    loop = env.from_collection([(0, 1 << 12)]).iterate()
    pieces = loop.flat_map(halves)
    loop.close_with(pieces.rebalance())
    pieces.filter(lambda v: False).print()
    with pytest.raises(JobError, match="no file can be made in '/nonexistent/folder'"):
        env.execute()


@pytest.mark.parametrize("parallelism", (1, 2))
def test_end_waits_for_asynchronous_answers(make_env, results, parallelism):
    env = make_env(parallelism)
    loop = env.from_collection(list(range(1, 7))).iterate()

    class Slowly(AsyncFunction):
        async def async_invoke(self, value):
            await asyncio.sleep(0.002)
            return [value - 1]

    body = AsyncDataStream.unordered_wait(loop, Slowly(), Time.seconds(20), 4)
    loop.close_with(body.filter(lambda n: n > 0))
    assert Counter(results(body)) == Counter(k for n in range(1, 7) for k in range(n))


# --- refusals: no job runs ----------------------------------------------------------------------


@pytest.fixture
def any_env():
    configuration = Configuration()
    configuration.set_string("python.execution-mode", "thread")
    return StreamExecutionEnvironment.get_execution_environment(configuration)


def test_close_with_a_stream_from_elsewhere_is_refused(any_env):
    numbers = any_env.from_collection([1])
    loop = numbers.iterate()
    with pytest.raises(ValueError, match=r"can't be closed with .* does not come from it"):
        loop.close_with(numbers)
    with pytest.raises(ValueError, match="can't be closed with"):
        loop.close_with(loop.map(lambda n: n).union(numbers))
    with pytest.raises(TypeError, match="close_with needs a DataStream"):
        loop.close_with("the stream")
    with pytest.raises(ValueError, match="0 or more milliseconds"):
        numbers.iterate(-1)


def test_loop_is_closed_once(any_env):
    loop = any_env.from_collection([1]).iterate(5000)
    body = loop.map(lambda n: n)
    assert loop.close_with(body) is body
    with pytest.raises(Exception, match="the loop is closed"):
        loop.close_with(body)


def test_loop_that_is_never_closed_is_refused_at_execute(any_env):
    any_env.from_collection([1]).iterate().map(lambda n: n).print()
    with pytest.raises(Exception, match="never closed; call close_with"):
        any_env.execute()


def test_feedback_of_a_wrong_type_is_refused(any_env):
    loop = any_env.from_collection([1], type_info=Types.LONG()).iterate()
    texts = loop.map(str, output_type=Types.STRING()).name("texts")
    with pytest.raises(TypeError, match="has to be LONG, and 'texts' gives STRING"):
        loop.close_with(texts)
    with pytest.raises(TypeError, match="has to be LONG, and 'Map' gives PICKLED"):
        loop.close_with(loop.map(lambda n: n))


def test_loop_in_batch_is_refused():
    configuration = Configuration()
    configuration.set_string("execution.runtime-mode", "BATCH")
    env = StreamExecutionEnvironment.get_execution_environment(configuration)
    loop = env.from_collection([1]).iterate()
    loop.close_with(loop.filter(lambda n: False)).print()
    with pytest.raises(Exception, match="a job with a loop can't run in batch"):
        env.execute()


class Second(TimestampAssigner):
    def extract_timestamp(self, value, record_timestamp):
        return value[1]


class Until(SourceFunction):
    """Gives one number after the other, or the first alone, until somebody has written the file."""

    def __init__(self, path, name, first, lively):
        super().__init__()
        self.path, self.name, self.number, self.lively = Path(path), name, first, lively

    def run(self, ctx):
        ctx.collect((self.name, self.number))
        ends = time.monotonic() + 20
        while not self.path.exists():
            assert time.monotonic() < ends, "nobody came"
            time.sleep(0.001)
            if self.lively:
                self.number += 1
                ctx.collect((self.name, self.number))


class Reaches(KeyedProcessFunction):
    """Writes the file when event time is there."""

    def __init__(self, path, when):
        self.path, self.when = path, when

    def process_element(self, value, ctx):
        if value == ("lively", 1):
            ctx.timer_service().register_event_time_timer(self.when)

    def on_timer(self, timestamp, ctx):
        ended = Path(self.path).exists()
        Path(self.path).touch()
        yield timestamp, ended


@pytest.mark.parametrize("parallelism", [1, 2])
def test_what_goes_round_behind_an_idle_stream_holds_nobody_up(
    make_env, results, tmp_path, parallelism
):
    """Its records have no word in time: idle is idle until the stream says otherwise."""
    done = str(tmp_path / "done")
    env = make_env(parallelism, **{"pipeline.auto-watermark-interval": "10 ms"})
    timed = WatermarkStrategy.for_monotonous_timestamps().with_timestamp_assigner(Second())
    silent, lively = (
        env.add_source(Until(done, name, first, name == "lively"))
        .set_parallelism(1)
        .assign_timestamps_and_watermarks(strategy)
        .set_parallelism(1)
        for name, first, strategy in (
            ("silent", 200, timed.with_idleness(Duration.of_millis(30))),
            ("lively", 1, timed),
        )
    )
    loop = silent.iterate()

    def round_again(value):
        time.sleep(0.002)
        return value

    body = loop.map(round_again)
    loop.close_with(body.filter(lambda v: not Path(done).exists()))
    told = body.union(lively).key_by(lambda v: 0).process(Reaches(done, 300))
    assert results(told) == [(300, False)]
