"""What functions count, and what operators tell of themselves."""

from __future__ import annotations

import time

import pytest
from leat.common import Time, Types, WatermarkStrategy
from leat.common.errors import JobError
from leat.common.watermark_strategy import TimestampAssigner
from leat.datastream import OutputTag, SourceFunction
from leat.datastream.functions import (
    CoProcessFunction,
    FilterFunction,
    FlatMapFunction,
    KeyedProcessFunction,
    KeySelector,
    MapFunction,
    ProcessFunction,
    ReduceFunction,
)
from leat.datastream.window import (
    EventTimeTrigger,
    Evictor,
    GlobalWindows,
    TumblingEventTimeWindows,
)
from leat.metrics import Counter, Distribution, Meter, MetricGroup

SIDE = OutputTag("side", Types.LONG())


def subtasks(metrics, operator):
    """The metrics of an operator, in the order of subtasks."""
    found = [m for m in metrics if m["operator"] == operator]
    return [m["metrics"] for m in sorted(found, key=lambda m: m["subtask"])]


class Counting(MapFunction):
    def open(self, runtime_context):
        group = runtime_context.get_metrics_group()
        assert isinstance(group, MetricGroup)
        assert runtime_context.get_metrics_group() is group
        assert runtime_context.get_metric_group() is group
        assert group.add_group("inner") is group.add_group("inner")
        self.seen = group.counter("seen")
        self.left = group.add_group("inner").counter("left")
        self.rate = group.add_group("kind", "odd").meter("rate", 10)
        self.sizes = group.distribution("sizes")
        self.largest = 0
        group.gauge("largest", lambda: self.largest)
        assert isinstance(self.seen, Counter) and isinstance(self.rate, Meter)
        assert isinstance(self.sizes, Distribution)

    def map(self, value):
        self.seen.inc()
        self.left.dec(n=2)
        self.rate.mark_event()
        self.rate.mark_event(value=2)
        self.sizes.update(value)
        self.largest = max(self.largest, value)
        return value

    def close(self):
        assert self.seen.get_count() * 3 == self.rate.get_count() == -3 * self.left.get_count() / 2
        self.seen.inc(100)


@pytest.mark.quick
@pytest.mark.parametrize("parallelism", [1, 3])
def test_functions_count(make_env, parallelism):
    env = make_env(parallelism)
    env.from_collection(list(range(1, 13))).rebalance().map(Counting()).print()
    found = subtasks(env.execute().get_metrics(), "Map")
    each = 12 // parallelism
    assert len(found) == parallelism
    for i, metrics in enumerate(found):
        values = list(range(1 + i, 13, parallelism))
        assert metrics["numRecordsIn"] == metrics["numRecordsOut"] == each
        assert metrics["inner.left"] == -2 * each
        assert metrics["kind.odd.rate"]["count"] == 3 * each
        assert metrics["kind.odd.rate"]["rate"] > 0
        assert metrics["largest"] == max(values)
        spread = {"count": each, "sum": sum(values), "min": min(values), "max": max(values)}
        assert metrics["sizes"] == {**spread, "mean": sum(values) / each}
        assert metrics["seen"] == each + 100


class Sides(ProcessFunction):
    def process_element(self, value, ctx):
        yield value
        yield value
        if value == 1:
            yield SIDE, value


def test_operators_count_their_records(env):
    split = env.from_collection([1, 2, 3]).process(Sides())
    split.get_side_output(SIDE).filter(lambda v: False).name("None").print()
    split.filter(lambda v: v > 1).name("Some").print()
    split.map(lambda v: v).name("All").print()
    metrics = env.execute().get_metrics()
    counts = {
        name: tuple(subtasks(metrics, name)[0][k] for k in ("numRecordsIn", "numRecordsOut"))
        for name in ("PROCESS", "None", "Some", "All")
    }
    assert counts == {"PROCESS": (3, 7), "None": (1, 0), "Some": (6, 4), "All": (6, 6)}


def test_every_kind_of_function_counts(env):
    class Base:
        def open(self, runtime_context):
            self.calls = runtime_context.get_metrics_group().counter("calls")

        def count(self, value):
            self.calls.inc()
            return value

    class Flat(Base, FlatMapFunction):
        def flat_map(self, value):
            yield self.count(value)

    class Keep(Base, FilterFunction):
        def filter(self, value):
            return self.count(value) > 0

    class Key(Base, KeySelector):
        def get_key(self, value):
            return self.count(value) % 2

    class Sum(Base, ReduceFunction):
        def reduce(self, value1, value2):
            return self.count(value1) + value2

    class Keyed(Base, KeyedProcessFunction):
        def process_element(self, value, ctx):
            ctx.timer_service().register_event_time_timer(1)
            yield self.count(value)

        def on_timer(self, timestamp, ctx):
            self.count(timestamp)

    class Both(Base, CoProcessFunction):
        def process_element1(self, value, ctx):
            yield self.count(value)

        process_element2 = process_element1

    numbers = env.from_collection([1, 2, 3, 4])
    keyed = numbers.flat_map(Flat()).filter(Keep()).key_by(Key())
    out = keyed.reduce(Sum()).connect(keyed.process(Keyed())).process(Both())
    out.print()
    metrics = env.execute().get_metrics()
    names = ("FlatMap", "Filter", "KeyBy", "Reduce", "KEYED PROCESS", "Co-Process")
    calls = [subtasks(metrics, name)[0]["calls"] for name in names]
    assert calls == [4, 4, 4, 2, 6, 8]


class Endless(SourceFunction):
    running = True

    def run(self, ctx):
        while self.running:
            ctx.collect(1)
            time.sleep(0.001)

    def cancel(self):
        self.running = False


@pytest.mark.parametrize("parallelism", [1, 3])
def test_a_running_job_tells(make_env, parallelism):
    env = make_env(parallelism)
    stream = env.add_source(Endless()).rebalance().map(Counting(), Types.LONG())
    stream.add_sink(lambda v: None)
    client = env.execute_async("running")
    try:
        while True:
            found = subtasks(client.get_metrics().result(), "Map")
            if len(found) == parallelism and all(m.get("seen", 0) > 3 for m in found):
                break
            time.sleep(0.01)
        more = subtasks(client.get_metrics().result(), "Map")
        assert all(b["seen"] >= a["seen"] for a, b in zip(found, more, strict=True))
    finally:
        client.cancel().result()
    last = subtasks(client.get_metrics().result(), "Map")
    assert all(b["seen"] >= a["seen"] for a, b in zip(more, last, strict=True))


class Wrong(MapFunction):
    def __init__(self, what):
        self.what = what

    def open(self, runtime_context):
        group = runtime_context.get_metrics_group()
        group.counter("n")
        if self.what == "kind":
            group.meter("n")
        if self.what == "gauge":
            group.gauge("n", lambda: 1)
        if self.what == "callable":
            group.gauge("g", 1)
        if self.what == "span":
            group.meter("m", 0)
        if self.what == "number":
            group.counter("n").inc("1")
        if self.what == "range":
            group.distribution("d").update(2**63)

    def map(self, value):
        return value


@pytest.mark.parametrize(
    ("what", "why"),
    [
        ("kind", "the metric 'n' is a counter, and was asked for as a meter"),
        ("gauge", "there is a metric 'n' already"),
        ("callable", "a gauge needs a callable, not 1"),
        ("span", "at least 1 s, not 0"),
        ("number", "cannot be interpreted as an integer"),
        ("range", "OverflowError"),
    ],
)
def test_wrong_metrics_are_refused(env, what, why):
    env.from_collection([1]).map(Wrong(what)).print()
    with pytest.raises(JobError, match=why):
        env.execute()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_gauge_that_raises_fails_no_job(env):
    class Raises(MapFunction):
        def open(self, runtime_context):
            runtime_context.get_metrics_group().gauge("none", lambda: {}["missing"])

        def map(self, value):
            return value

    env.from_collection([1]).map(Raises()).print()
    assert subtasks(env.execute().get_metrics(), "Map")[0]["none"] == 0


class CountedTrigger(EventTimeTrigger):
    def on_element(self, element, timestamp, window, ctx):
        assert ctx.get_metric_group() is ctx.get_metric_group()
        ctx.get_metric_group().counter("seen").inc()
        return super().on_element(element, timestamp, window, ctx)


class CountedEvictor(Evictor):
    def evict_before(self, elements, size, window, evictor_context):
        evictor_context.get_metric_group().add_group("evictor").counter("asked").inc(size)

    def evict_after(self, elements, size, window, evictor_context):
        """Nothing goes."""


class OwnTime(TimestampAssigner):
    def extract_timestamp(self, value, record_timestamp):
        return value


def test_triggers_and_evictors_count(env):
    times = WatermarkStrategy.for_monotonous_timestamps().with_timestamp_assigner(OwnTime())
    stream = env.from_collection([1, 2, 12]).assign_timestamps_and_watermarks(times)
    windows = stream.key_by(lambda v: 0).window(TumblingEventTimeWindows.of(Time.milliseconds(10)))
    counted = windows.trigger(CountedTrigger()).evictor(CountedEvictor())
    counted.apply(lambda key, window, elements: [len(elements)]).name("Windows").print()
    (metrics,) = subtasks(env.execute().get_metrics(), "Windows")
    assert metrics["seen"] == metrics["evictor.asked"] == 3


def test_the_metrics_of_a_trigger_are_of_one_kind_each(env):
    class Wrong(CountedTrigger):
        def on_element(self, element, timestamp, window, ctx):
            ctx.get_metric_group().counter("n")
            ctx.get_metric_group().meter("n")

    stream = env.from_collection([1]).key_by(lambda v: 0).window(GlobalWindows.create())
    stream.trigger(Wrong()).sum().print()
    with pytest.raises(JobError, match="'n' is a counter"):
        env.execute()
