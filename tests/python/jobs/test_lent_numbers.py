"""Native integers as Python's functions get them: each is a number of its own for whoever keeps it,
though the object of one call serves the next when nobody does."""

from __future__ import annotations

import sys

import pytest
from leat.common import Time, Types, WatermarkStrategy
from leat.common.watermark_strategy import TimestampAssigner
from leat.datastream.connectors.number_seq import NumberSequenceSource
from leat.datastream.functions import MapFunction
from leat.datastream.window import TumblingEventTimeWindows

LOW, HIGH = -(2**63), 2**63 - 1
EDGES = [LOW, -(2**60), -(2**30), -6, -5, 0, 256, 257, 2**30 - 1, 2**30, 2**60 - 1, 2**60, HIGH]


def sequence(env, first, last):
    source = NumberSequenceSource(first, last)
    return env.from_source(source, WatermarkStrategy.no_watermarks(), "numbers")


@pytest.mark.parametrize("edge", EDGES)
def test_numbers_near_an_edge_arrive(env, results, edge):
    first, last = max(LOW, edge - 3), min(HIGH, edge + 3)
    told = sequence(env, first, last).map(
        lambda x: f"{x} {x + 1} {-x} {hash(x)} {sys.getsizeof(x)}"
    )
    numbers = range(first, last + 1)
    assert results(told) == [f"{x} {x + 1} {-x} {hash(x)} {sys.getsizeof(x)}" for x in numbers]


@pytest.mark.parametrize("type_info", [None, Types.LONG()], ids=["any", "long"])
def test_numbers_of_any_length_are_keys_times_and_items(env, results, type_info):
    edges = [sign * (n + d) for n in (0, 2**30, 2**60) for d in (-1, 0, 1) for sign in (1, -1)]
    numbers = sorted({*edges, LOW, HIGH})
    late = WatermarkStrategy.for_monotonous_timestamps().with_timestamp_assigner(Third())
    rows = [(n, n, time) for n in numbers for time in numbers if abs(time) <= 2**60 + 1]
    timed = env.from_collection(rows).map(lambda row: row).assign_timestamps_and_watermarks(late)
    keyed = timed.key_by(lambda row: row[0], key_type=type_info)
    windows = keyed.window(TumblingEventTimeWindows.of(Time.milliseconds(1)))
    assert sorted(results(windows.max(1))) == sorted(rows)


class Third(TimestampAssigner):
    def extract_timestamp(self, value, record_timestamp):
        return value[2]


def test_numbers_beyond_64_bits_are_keys_and_items_but_no_times(env, results):
    rows = [(n, n) for n in (HIGH, HIGH + 1, -HIGH - 2, HIGH + 1)]
    keyed = env.from_collection(rows).map(lambda row: row).key_by(lambda row: row[0])
    sums = [(HIGH, HIGH), (HIGH + 1, HIGH + 1), (HIGH + 1, 2 * HIGH + 2), (-HIGH - 2, -HIGH - 2)]
    assert sorted(results(keyed.sum(1))) == sorted(sums)
    late = WatermarkStrategy.for_monotonous_timestamps().with_timestamp_assigner(Third())
    timed = env.from_collection([(1, 1, HIGH + 1)]).map(lambda row: row)
    with pytest.raises(Exception, match=f"must fit in 64 bits, not {HIGH + 1}"):
        results(timed.assign_timestamps_and_watermarks(late))


class KeepSome(MapFunction):
    def open(self, runtime_context):
        self.kept = []
        self.by_number = {}

    def map(self, value):
        if value % 3 == 0:
            self.kept.append(value)
            self.by_number[value] = value
        return sum(self.kept), len(self.by_number)


def test_numbers_that_are_kept_stay_what_they_were(env, results):
    found = results(sequence(env, 1000, 1999).map(KeepSome()))
    kept = range(1002, 2000, 3)
    assert found[-1] == (sum(kept), len(kept))


def test_numbers_that_are_results_stay_what_they_were(env, results):
    same = sequence(env, 1000, 1999).map(lambda x: x).map(lambda x: [x, x])
    both = same.key_by(lambda pair: 0).reduce(lambda a, b: a + b)
    assert results(both)[-1] == [x for x in range(1000, 2000) for _ in range(2)]


def test_two_numbers_of_one_call_are_two(env, results):
    keyed = sequence(env, 1000, 1002).key_by(lambda x: 0, key_type=Types.INT())
    together = results(keyed.reduce(lambda a, b: a * 10_000 + b))
    assert together == [1000, 10_001_001, 100_010_011_002]


def test_small_numbers_are_the_ones_there_are(env, results):
    numbers = sequence(env, -5, 256).map(lambda x: x is int(str(x)))
    assert all(results(numbers))


JOB = """
from leat.common import WatermarkStrategy
from leat.datastream import StreamExecutionEnvironment
from leat.datastream.connectors.number_seq import NumberSequenceSource

kept = []


def keep(x):
    if x % 7 == 0:
        kept.append(str(x))
    if x % 1000 == 0:
        kept.clear()
    return [x, str(x)] if x % 10_000 == 0 else []


env = StreamExecutionEnvironment.get_execution_environment().set_parallelism(1)
source = NumberSequenceSource(1, 300_000)
numbers = env.from_source(source, WatermarkStrategy.no_watermarks(), "numbers")
numbers.flat_map(keep).print()
env.execute()
"""


@pytest.mark.parametrize("allocator", ["pymalloc", "malloc", "debug"])
def test_any_allocator_of_python_will_do(leat_run, allocator):
    done = leat_run(JOB, env={"PYTHONMALLOC": allocator})
    assert done.stdout.split() == [str(x) for x in range(10_000, 300_001, 10_000) for _ in "ab"]
    assert done.stderr == ""
    assert done.returncode == 0
