"""Event time: timestamps, watermarks, idleness."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest
from leat.common import Duration, Types, WatermarkStrategy
from leat.common.errors import JobError
from leat.common.watermark_strategy import TimestampAssigner, Watermark, WatermarkGenerator
from leat.datastream import SourceFunction
from leat.datastream.functions import KeyedProcessFunction, ProcessFunction
from leat.datastream.state import ListStateDescriptor

FIRST, LAST = -(2**63), 2**63 - 1
PER_RECORD = {"pipeline.watermark-per-record": "true"}


class Second(TimestampAssigner):
    """The second item is the time."""

    def extract_timestamp(self, value, record_timestamp):
        return value[1]


def bounded(milliseconds=0):
    bound = Duration.of_millis(milliseconds)
    return WatermarkStrategy.for_bounded_out_of_orderness(bound).with_timestamp_assigner(Second())


class Times(ProcessFunction):
    def process_element(self, value, ctx):
        yield value[0], ctx.timestamp(), ctx.timer_service().current_watermark()


def test_records_have_times_and_watermarks_follow(make_env, results):
    env = make_env(1, **PER_RECORD)
    items = env.from_collection([("a", 10), ("b", 8), ("c", 20), ("d", 12)])
    found = results(items.assign_timestamps_and_watermarks(bounded(3)).process(Times()))
    assert found == [("a", 10, FIRST), ("b", 8, 6), ("c", 20, 6), ("d", 12, 16)]


def test_monotonous_timestamps(make_env, results):
    strategy = WatermarkStrategy.for_monotonous_timestamps().with_timestamp_assigner(Second())
    items = make_env(1, **PER_RECORD).from_collection([("a", 1), ("b", 2), ("c", 2)])
    found = results(items.assign_timestamps_and_watermarks(strategy).process(Times()))
    assert found == [("a", 1, FIRST), ("b", 2, 0), ("c", 2, 1)]


def test_no_watermarks(make_env, results):
    strategy = WatermarkStrategy.no_watermarks().with_timestamp_assigner(Second())
    items = make_env(1, **PER_RECORD).from_collection([("a", 1), ("b", 2)])
    found = results(items.assign_timestamps_and_watermarks(strategy).process(Times()))
    assert found == [("a", 1, FIRST), ("b", 2, FIRST)]


def test_an_assigner_sees_the_time_before(env, results):
    class Before(TimestampAssigner):
        def extract_timestamp(self, value, record_timestamp):
            return 5 if record_timestamp == FIRST else record_timestamp + 1

    again = WatermarkStrategy.for_monotonous_timestamps().with_timestamp_assigner(Before())
    once = env.from_collection([("a", 1)]).assign_timestamps_and_watermarks(again)
    twice = once.assign_timestamps_and_watermarks(again)
    assert results(twice.process(Times())) == [("a", 6, FIRST)]


def test_times_stay_through_operators(env, results):
    items = env.from_collection([("a", 1), ("b", 2)]).assign_timestamps_and_watermarks(bounded())
    stream = items.map(lambda v: v).flat_map(lambda v: [v, v]).filter(lambda v: True).rebalance()
    assert [t for _, t, _ in results(stream.process(Times()))] == [1, 1, 2, 2]


class Tell(KeyedProcessFunction):
    """Gathers the values of each ten milliseconds, and tells them once these are over."""

    def open(self, runtime_context):
        self.seen = runtime_context.get_list_state(ListStateDescriptor("seen", Types.LONG()))

    def process_element(self, value, ctx):
        end = ctx.timestamp() // 10 * 10 + 9
        if end <= ctx.timer_service().current_watermark():
            yield "late", value[0], ctx.timestamp()
        else:
            self.seen.add(ctx.timestamp())
            ctx.timer_service().register_event_time_timer(end)

    def on_timer(self, timestamp, ctx):
        due = sorted(t for t in self.seen if t <= timestamp)
        self.seen.update([t for t in self.seen if t > timestamp])
        yield timestamp, ctx.get_current_key(), due


def reference(items):
    """What Tell gives for items without late ones."""
    groups = {}
    for key, at in items:
        groups.setdefault((at // 10 * 10 + 9, key), []).append(at)
    return sorted((end, key, sorted(ats)) for (end, key), ats in groups.items())


@pytest.mark.parametrize("parallelism", [1, 3])
@pytest.mark.parametrize("seed", range(3))
def test_results_depend_on_the_data_only(make_env, results, parallelism, seed):
    dice = random.Random(seed)
    items = [(f"k{dice.randrange(5)}", max(0, i + dice.randint(-20, 20))) for i in range(400)]
    for settings in ({}, {"pipeline.auto-watermark-interval": "1 ms"}, PER_RECORD):
        stream = make_env(parallelism, **settings).from_collection(items)
        timed = stream.assign_timestamps_and_watermarks(bounded(41))
        found = results(timed.key_by(lambda v: v[0]).process(Tell()))
        assert sorted(found) == reference(items)


def test_late_records_are_late_at_any_speed(make_env, results):
    items = [("a", 5), ("a", 30), ("a", 6), ("a", 28), ("a", 60), ("a", 29)]
    timed = make_env(1, **PER_RECORD).from_collection(items)
    stream = timed.assign_timestamps_and_watermarks(bounded(5)).key_by(lambda v: v[0])
    assert results(stream.process(Tell())) == [
        (9, "a", [5]),
        ("late", "a", 6),
        (29, "a", [28]),
        (39, "a", [30]),
        ("late", "a", 29),
        (69, "a", [60]),
    ]


class Waiting(SourceFunction):
    """Gives its values, and ends when somebody has written the file."""

    def __init__(self, path: Path, items):
        super().__init__()
        self.path = path
        self.items = items

    def run(self, ctx):
        for item in self.items:
            ctx.collect(item)
        ends = time.monotonic() + 20
        while not self.path.exists() and time.monotonic() < ends:
            time.sleep(0.005)
        if not self.path.exists():
            ctx.collect(("nobody came", 0))


class Touching(Tell):
    """Writes the file when the first timer fires, before the end."""

    def __init__(self, path: Path):
        self.path = path

    def on_timer(self, timestamp, ctx):
        assert ctx.timer_service().current_watermark() < LAST or self.path.exists()
        self.path.touch()
        yield from super().on_timer(timestamp, ctx)


def test_watermarks_come_while_the_source_is_silent(make_env, results, tmp_path):
    done = tmp_path / "done"
    env = make_env(1, **{"pipeline.auto-watermark-interval": "20 ms"})
    source = env.add_source(Waiting(done, [("a", 5), ("a", 15)]))
    stream = source.assign_timestamps_and_watermarks(bounded()).key_by(lambda v: v[0])
    assert results(stream.process(Touching(done))) == [(9, "a", [5]), (19, "a", [15])]


@pytest.mark.parametrize("chained", [True, False])
def test_nobody_waits_for_an_idle_source(make_env, results, tmp_path, chained):
    done = tmp_path / "done"
    env = make_env(1, **{"pipeline.auto-watermark-interval": "20 ms"})
    silent, lively = (
        env.add_source(Waiting(done, [])),
        env.add_source(Waiting(done, [("a", 5), ("a", 15)])),
    )
    idle = bounded().with_idleness(Duration.of_millis(50))
    one = silent.assign_timestamps_and_watermarks(idle)
    two = lively.assign_timestamps_and_watermarks(bounded())
    if not chained:
        one, two = one.map(lambda v: v).disable_chaining(), two.map(lambda v: v)
    stream = one.union(two).key_by(lambda v: v[0])
    assert results(stream.process(Touching(done))) == [(9, "a", [5]), (19, "a", [15])]


def test_alignment_is_accepted(env, results):
    aligned = bounded().with_watermark_alignment("group", Duration.of_seconds(1))
    items = env.from_collection([("a", 1)]).assign_timestamps_and_watermarks(aligned)
    assert results(items.process(Times())) == [("a", 1, FIRST)]


@pytest.mark.parametrize(
    ("wrong", "kind"), [(2**63, OverflowError), ("1", TypeError), (None, TypeError)]
)
def test_times_out_of_range_fail(env, results, wrong, kind):
    items = env.from_collection([("a", wrong)]).assign_timestamps_and_watermarks(bounded())
    with pytest.raises(JobError) as failed:
        results(items)
    assert type(failed.value.__cause__) is kind


def test_an_assigner_of_a_source_is_ignored(env, results, caplog, tmp_path):
    from leat.datastream.connectors.number_seq import NumberSequenceSource

    stream = env.from_source(NumberSequenceSource(1, 2), bounded(), "numbers")
    assert results(stream) == [1, 2]
    assert "assigner is ignored" in caplog.text


class Paced(SourceFunction):
    """Waits now and then, so that watermarks come between the records."""

    def __init__(self, items, pause):
        super().__init__()
        self.items, self.pause = items, pause

    def run(self, ctx):
        for i, item in enumerate(self.items):
            ctx.collect(item)
            if self.pause and i % 40 == 0:
                time.sleep(self.pause)


def told(make_env, results, items, bound, parallelism, pause, **settings):
    """What Tell gives when the items come at that pace."""
    env = make_env(parallelism, **{"pipeline.auto-watermark-interval": "5 ms"}, **settings)
    timed = env.add_source(Paced(items, pause)).assign_timestamps_and_watermarks(bounded(bound))
    if settings:
        timed.set_parallelism(1)  # of several, whose watermark comes first is a matter of speed
    return sorted(results(timed.key_by(lambda v: v[0]).process(Tell())), key=str)


@pytest.mark.parametrize("parallelism", [1, 3])
def test_results_are_those_of_any_pace_within_the_bound(make_env, results, parallelism):
    dice = random.Random(parallelism)
    items = [(f"k{dice.randrange(5)}", max(0, 2 * i - dice.randint(0, 40))) for i in range(300)]
    for pause in (0, 0.01):
        found = told(make_env, results, items, 42, parallelism, pause)
        assert found == sorted(reference(items), key=str)


@pytest.mark.parametrize("seed", [1, 2])
def test_watermarks_per_record_give_the_same_beyond_the_bound(make_env, results, seed):
    dice = random.Random(seed)
    items = [(f"k{dice.randrange(5)}", max(0, 2 * i - dice.randint(0, 40))) for i in range(300)]
    runs = [
        told(make_env, results, items, 5, parallelism, pause, **PER_RECORD)
        for parallelism in (1, 3)
        for pause in (0, 0.01)
    ]
    assert any(r[0] == "late" for r in runs[0])
    assert [run == runs[0] for run in runs] == [True] * 4


# --- generators of users --------------------------------------------------------------------------


class Marked(WatermarkGenerator):
    """Records that end in "!" say how far time has come; counts its calls."""

    def __init__(self):
        self.calls = 0

    def on_event(self, event, event_timestamp, output):
        self.calls += 1
        if event[2].endswith("!"):
            output.emit_watermark(Watermark(event_timestamp))


class Periodic(WatermarkGenerator):
    def __init__(self):
        self.highest = None

    def on_event(self, event, event_timestamp, output):
        self.highest = event_timestamp

    def on_periodic_emit(self, output):
        if self.highest is not None:
            output.emit_watermark(self.highest - 10)


class SeesWatermarks(ProcessFunction):
    def process_element(self, value, ctx):
        yield value[1], ctx.timer_service().current_watermark()


MARKED = [
    ("a", 10, ""),
    ("a", 20, "!"),
    ("a", 15, ""),
    ("a", 5, "!"),
    ("a", 40, "!"),
    ("a", 50, ""),
]
NO_WATERMARK = -(2**63)


def generated(env, generator):
    strategy = WatermarkStrategy.for_generator(generator)
    stream = env.from_collection(MARKED)
    return stream.assign_timestamps_and_watermarks(
        strategy.with_timestamp_assigner(Second())
    ).process(SeesWatermarks())


def test_generator_that_speaks_after_records(env, results):
    seen = [NO_WATERMARK, NO_WATERMARK, 20, 20, 20, 40]
    expected = [(m[1], w) for m, w in zip(MARKED, seen, strict=True)]
    assert results(generated(env, Marked())) == expected
    assert results(generated(env, Marked)) == expected  # made by the callable


def test_generator_that_speaks_now_and_then(make_env, results):
    env = make_env(1, **{"pipeline.watermark-per-record": "true"})
    seen = [NO_WATERMARK, 0, 10, 10, 10, 30]
    assert [w for _, w in results(generated(env, Periodic()))] == seen


def test_generator_that_is_wrong(env, results):
    class Raises(WatermarkGenerator):
        def on_event(self, event, event_timestamp, output):
            raise KeyError("generator")

    class Far(WatermarkGenerator):
        def on_event(self, event, event_timestamp, output):
            output.emit_watermark(2**63)

    class Text(WatermarkGenerator):
        def on_event(self, event, event_timestamp, output):
            output.emit_watermark("soon")

    with pytest.raises(JobError, match=r"Timestamps/Watermarks \(1/1\): KeyError: 'generator'"):
        results(generated(env, Raises()))
    with pytest.raises(JobError, match="a watermark is in milliseconds and must fit in 64 bits"):
        results(generated(env, Far()))
    with pytest.raises(JobError, match="a watermark is an int, in milliseconds, not str 'soon'"):
        results(generated(env, Text()))
    with pytest.raises(TypeError, match="needs a WatermarkGenerator"):
        WatermarkStrategy.for_generator(5)


def test_generator_that_is_idle_holds_nobody_up(env, results):
    class Idle(WatermarkGenerator):
        def on_event(self, event, event_timestamp, output):
            output.mark_idle()

    idle = WatermarkStrategy.for_generator(Idle()).with_timestamp_assigner(Second())
    silent = env.from_collection([("b", 1, "")]).assign_timestamps_and_watermarks(idle)
    marked = WatermarkStrategy.for_generator(Marked()).with_timestamp_assigner(Second())
    both = env.from_collection(MARKED).assign_timestamps_and_watermarks(marked).union(silent)
    assert len(results(both.process(SeesWatermarks()))) == len(MARKED) + 1
