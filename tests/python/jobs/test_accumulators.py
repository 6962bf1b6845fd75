"""What functions add up over the whole job."""

from __future__ import annotations

import pickle
import time

import pytest
from leat.common.accumulators import (
    Accumulator,
    AverageAccumulator,
    DoubleCounter,
    DoubleMaximum,
    DoubleMinimum,
    Histogram,
    IntCounter,
    IntMaximum,
    IntMinimum,
    ListAccumulator,
    LongCounter,
    LongMaximum,
    LongMinimum,
)
from leat.common.errors import JobError
from leat.datastream.functions import (
    FilterFunction,
    KeyedProcessFunction,
    MapFunction,
    SourceFunction,
)


class Thing:
    def __init__(self, n):
        self.n = n

    def __eq__(self, other):
        return isinstance(other, Thing) and self.n == other.n

    def __hash__(self):
        return hash(self.n)


class All(MapFunction):
    """Has one of each kind; those of one made before it is shipped."""

    def __init__(self):
        self.count = IntCounter()
        self.count.add(100)  # once per subtask, as each has its copy

    def open(self, runtime_context):
        self.kinds = {
            "long": LongCounter(),
            "int min": IntMinimum(),
            "int max": IntMaximum(),
            "long min": LongMinimum(),
            "long max": LongMaximum(),
            "double": DoubleCounter(),
            "double min": DoubleMinimum(),
            "double max": DoubleMaximum(),
            "average": AverageAccumulator(),
            "histogram": Histogram(),
        }
        self.seen = ListAccumulator()
        runtime_context.add_accumulator("count", self.count)
        runtime_context.add_accumulator("seen", self.seen)
        for name, accumulator in self.kinds.items():
            runtime_context.add_accumulator(name, accumulator)
        assert runtime_context.get_accumulator("count") is self.count
        assert runtime_context.get_int_counter("count") is self.count
        assert runtime_context.get_accumulator("other") is None
        assert runtime_context.get_long_counter("fresh").get_local_value() == 0
        assert runtime_context.get_double_counter("fresh double").get_local_value() == 0.0
        assert runtime_context.get_histogram("fresh histogram").get_local_value() == {}
        assert self.count.get_local_value() == 100

    def map(self, value):
        self.count.add(1)
        for accumulator in self.kinds.values():
            accumulator.add(value)
        if value % 33 == 0:
            self.seen.add((value, str(value), [None, True], Thing(value)))
        return value

    def close(self):
        assert self.count.get_local_value() > 100
        assert all(text.isdigit() for _, text, _, _ in self.seen.get_local_value())


def run(env, parallelism=2):
    env.from_collection(list(range(1, 101))).rebalance().map(All()).set_parallelism(
        parallelism
    ).print()
    return env.execute("sums")


def test_all_kinds_over_all_subtasks(env):
    result = run(env)
    found = result.get_all_accumulator_results()
    seen = found.pop("seen")
    assert sorted(seen, key=lambda s: s[0]) == [
        (n, str(n), [None, True], Thing(n)) for n in (33, 66, 99)
    ]
    assert list(found["histogram"]) == list(range(1, 101))  # in the order of the integers
    assert found == {
        "count": 300,
        "long": 5050,
        "int min": 1,
        "int max": 100,
        "long min": 1,
        "long max": 100,
        "double": 5050.0,
        "double min": 1.0,
        "double max": 100.0,
        "average": 50.5,
        "histogram": dict.fromkeys(range(1, 101), 1),
        "fresh": 0,
        "fresh double": 0.0,
        "fresh histogram": {},
    }
    assert isinstance(found["double min"], float)
    assert result.get_accumulator_result("long") == 5050
    assert result.get_accumulator_result("absent") is None
    assert result.is_job_execution_result()
    assert result.get_net_runtime() >= 0


def test_one_name_in_several_functions_is_one_sum(env):
    class Counted(FilterFunction):
        def open(self, runtime_context):
            self.count = runtime_context.get_int_counter("records")

        def filter(self, value):
            self.count.add(1)
            return value % 2

    env.from_collection(list(range(10))).filter(Counted()).filter(Counted()).print()
    assert env.execute().get_all_accumulator_results() == {"records": 15}


def test_nothing_added_has_a_value_all_the_same(env):
    class Idle(MapFunction):
        def open(self, runtime_context):
            for kind in (
                IntMinimum,
                DoubleMaximum,
                AverageAccumulator,
                ListAccumulator,
                IntCounter,
            ):
                runtime_context.add_accumulator(kind.__name__, kind())

        def map(self, value):
            return value

    env.from_collection([1]).map(Idle()).print()
    assert env.execute().get_all_accumulator_results() == {
        "IntMinimum": None,
        "DoubleMaximum": None,
        "AverageAccumulator": 0.0,
        "ListAccumulator": [],
        "IntCounter": 0,
    }
    env.from_collection([1]).print()
    assert env.execute().get_all_accumulator_results() == {}


def test_accumulators_can_be_looked_at_while_the_job_runs(env):
    class Endless(SourceFunction):
        def __init__(self):
            self.on = True

        def run(self, ctx):
            while self.on:
                ctx.collect(1)
                time.sleep(0.001)

        def cancel(self):
            self.on = False

    class Counted(KeyedProcessFunction):
        def open(self, runtime_context):
            self.count = runtime_context.get_long_counter("so far")

        def process_element(self, value, ctx):
            self.count.add(value)
            yield value

    stream = env.add_source(Endless()).key_by(lambda v: v).process(Counted())
    stream.filter(lambda v: False).print()
    client = env.execute_async("running")
    end = time.monotonic() + 30
    while client.get_accumulators().result().get("so far", 0) < 10:
        assert time.monotonic() < end
    client.cancel().result()
    assert client.get_accumulators().result()["so far"] >= 10


def test_a_failed_attempt_counts_for_nothing(make_env, tmp_path):
    class FailsOnce(MapFunction):
        def open(self, runtime_context):
            self.attempt = runtime_context.get_attempt_number()
            self.count = runtime_context.get_int_counter("tries")

        def map(self, value):
            self.count.add(1)
            if self.attempt == 0 and value == 3:
                raise ValueError("the first time")
            return value

    env = make_env(
        **{
            "restart-strategy.type": "fixed-delay",
            "restart-strategy.fixed-delay.attempts": "1",
            "restart-strategy.fixed-delay.delay": "0",
        }
    )
    env.from_collection([1, 2, 3, 4]).map(FailsOnce()).print()
    assert env.execute().get_all_accumulator_results() == {"tries": 4}


WRONG = [
    (IntCounter, "x", "TypeError: 'str' object cannot be interpreted as an integer"),
    (IntCounter, 1.5, "TypeError: 'float' object cannot be interpreted as an integer"),
    (Histogram, None, "TypeError: 'NoneType' object cannot be interpreted as an integer"),
    (DoubleMaximum, "x", "TypeError: must be real number, not str"),
    (LongCounter, 2**64, "OverflowError"),
    (ListAccumulator, lambda: (x for x in "generator"), None),
]


@pytest.mark.parametrize(("kind", "value", "said"), WRONG)
def test_wrong_values_fail_where_they_are_added(env, kind, value, said):
    class Adds(MapFunction):
        def open(self, runtime_context):
            self.sum = kind()
            runtime_context.add_accumulator("sum", self.sum)

        def map(self, record):
            self.sum.add(value() if callable(value) else value)

    env.from_collection([1]).map(Adds()).print()
    with pytest.raises(JobError, match=said or "pickle"):
        env.execute()


def test_sums_beyond_64_bits_are_refused(env):
    class Large(MapFunction):
        def open(self, runtime_context):
            self.sum = runtime_context.get_long_counter("large")
            self.sum.add(2**62)

        def map(self, record):
            self.sum.add(2**62)
            return record

    env.from_collection([1]).map(Large()).print()
    with pytest.raises(JobError, match="does not fit in 64 bits"):
        env.execute()


def test_names_and_kinds_that_clash(env):
    class Twice(MapFunction):
        def __init__(self, second):
            self.second = second

        def open(self, runtime_context):
            runtime_context.add_accumulator("n", IntCounter())
            self.second(runtime_context)

        def map(self, record):
            return record

    def fails(second, said):
        env.from_collection([1]).map(Twice(second)).print()
        with pytest.raises(JobError, match=said):
            env.execute()

    fails(lambda c: c.add_accumulator("n", IntCounter()), "'n' already exists")
    fails(lambda c: c.get_histogram("n"), "'n' is a IntCounter")
    fails(lambda c: c.add_accumulator("m", 5), "none of the accumulators of")
    fails(lambda c: c.add_accumulator("m", Accumulator()), "none of the accumulators of")


def test_two_functions_that_count_differently_under_one_name(env):
    class Counts(MapFunction):
        def __init__(self, kind):
            self.kind = kind

        def open(self, runtime_context):
            self.n = self.kind()
            runtime_context.add_accumulator("n", self.n)

        def map(self, record):
            self.n.add(record)
            return record

    env.from_collection([1]).map(Counts(IntCounter)).map(Counts(Histogram)).print()
    with pytest.raises(JobError, match=r"the accumulator 'n' is a .* here, and a .* in 'Map") as e:
        env.execute()
    for word in "sum of integers", "histogram", "give one of them another name":
        assert word in str(e.value)


def test_two_kinds_of_one_name_in_two_processes(make_env):
    class Counts(MapFunction):
        def __init__(self, kind, subtask):
            self.kind, self.subtask = kind, subtask

        def open(self, runtime_context):
            self.n = self.kind()
            if runtime_context.get_index_of_this_subtask() == self.subtask:
                runtime_context.add_accumulator("n", self.n)

        def map(self, record):
            self.n.add(record)
            return record

    env = make_env(2, **{"python.worker.pool-size": "2", "restart-strategy.type": "fixed-delay"})
    numbers = env.from_collection(list(range(8))).rebalance()
    numbers.map(Counts(IntCounter, 0)).map(Counts(Histogram, 1)).print()
    client = env.execute_async()
    with pytest.raises(JobError) as e:
        client.get_job_execution_result().result()
    for word in "sum of integers", "histogram", "give one of them another name":
        assert word in str(e.value)
    assert client.get_job_status().result().name == "FAILED"


def test_accumulators_outside_of_a_job():
    counter = IntCounter()
    counter.add(2)
    assert counter.get_local_value() is None
    assert str(counter) == "IntCounter None"
    again = pickle.loads(pickle.dumps(counter))
    assert again._before == [2]
