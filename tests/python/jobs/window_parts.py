"""What the tests of windows share: timed sources, and functions that show what they get."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from leat.common import Duration, Time, Types, WatermarkStrategy
from leat.common.serializer import TypeSerializer
from leat.common.watermark_strategy import TimestampAssigner
from leat.datastream.functions import (
    AggregateFunction,
    AllWindowFunction,
    ProcessAllWindowFunction,
    ProcessFunction,
    ProcessWindowFunction,
    ReduceFunction,
    WindowFunction,
)
from leat.datastream.state import ReducingStateDescriptor
from leat.datastream.window import Trigger, TriggerResult, Window

PER_RECORD = {"pipeline.watermark-per-record": "true"}
CONTINUE, FIRE = TriggerResult.CONTINUE, TriggerResult.FIRE


def ms(count: int) -> Time:
    return Time.milliseconds(count)


class Second(TimestampAssigner):
    """The second item is the time."""

    def extract_timestamp(self, value: Any, record_timestamp: int) -> int:
        return value[1]


def timed(stream: Any, bound: int = 0) -> Any:
    """The stream with the second items as times; watermarks `bound` behind."""
    strategy = WatermarkStrategy.for_bounded_out_of_orderness(Duration.of_millis(bound))
    return stream.assign_timestamps_and_watermarks(strategy.with_timestamp_assigner(Second()))


def keyed(env: Any, items: list[Any], bound: int = 0) -> Any:
    """The items, timed, by their first item."""
    return timed(env.from_collection(items), bound).key_by(lambda v: v[0])


def show(key: Any, window: Any, elements: Any) -> Any:
    """Key, window's text and elements."""
    return [(key, repr(window), list(elements))]


class Show(WindowFunction):
    def apply(self, key, window, inputs):
        return show(key, window, inputs)


class ShowAll(AllWindowFunction):
    def apply(self, window, inputs):
        return show(None, window, inputs)


class ShowProcess(ProcessWindowFunction):
    def process(self, key, context, elements):
        yield from show(key, context.window(), elements)


class ShowProcessAll(ProcessAllWindowFunction):
    def process(self, context, elements):
        yield from show(None, context.window(), elements)


class Sum(ReduceFunction):
    """Of the second items."""

    def reduce(self, value1, value2):
        return (value1[0], value1[1] + value2[1])


class Mean(AggregateFunction):
    """Of the second items; accumulators are lists that change in place."""

    def create_accumulator(self):
        return [0, 0]

    def add(self, value, accumulator):
        accumulator[0] += value[1]
        accumulator[1] += 1
        return accumulator

    def get_result(self, accumulator):
        return accumulator[0] / accumulator[1]

    def merge(self, acc_a, acc_b):
        acc_a[0] += acc_b[0]
        acc_a[1] += acc_b[1]
        return acc_a


class MergeableMean(Mean):
    mergeable = True


class WithTime(ProcessFunction):
    """Values with their event time."""

    def process_element(self, value, ctx):
        yield value, ctx.timestamp()


def _add(a: int, b: int) -> int:
    return a + b


class EverySecond(Trigger):
    """Fires with every second element of a window and at its end; remembers a count."""

    def __init__(self):
        self.count = ReducingStateDescriptor("count", _add, Types.LONG())

    def on_element(self, element, timestamp, window, ctx):
        ctx.register_event_time_timer(window.max_timestamp())
        count = ctx.get_partitioned_state(self.count)
        count.add(1)
        return FIRE if count.get() % 2 == 0 else CONTINUE

    def on_event_time(self, time, window, ctx):
        return FIRE if time == window.max_timestamp() else CONTINUE

    def on_processing_time(self, time, window, ctx):
        return CONTINUE

    def can_merge(self):
        return True

    def on_merge(self, window, ctx):
        ctx.merge_partitioned_state(self.count)
        ctx.register_event_time_timer(window.max_timestamp())

    def clear(self, window, ctx):
        ctx.get_partitioned_state(self.count).clear()
        ctx.delete_event_time_timer(window.max_timestamp())


class Named(Window):
    """A window of an own class, with a name."""

    def __init__(self, number, name):
        self.number = number
        self.name = name

    def max_timestamp(self):
        return self.number * 10 + 9

    def __repr__(self):
        return f"{self.name}-{self.number}"


class NamedSerializer(TypeSerializer):
    def serialize(self, element, stream):
        stream.write(f"{element.number} {element.name}".encode())

    def deserialize(self, stream):
        number, name = stream.read().decode().split()
        return Named(int(number), name)


@dataclass(frozen=True)
class Span(Window):
    """A window of an own class that merges."""

    start: int
    end: int
    label: str = "span"

    def max_timestamp(self):
        return self.end - 1
