"""Windows beside plain Python loops that call the same functions and keep dicts.

Records are tuples (key, number, time) of 1,000 keys, 10,000 per second of event time. They lie in
memory before time is taken, in blocks, so that what is measured is windows and not the making of
tuples; for workers, which share no memory, they are made one by one. The plain loops are what a
Python programmer writes for records that come up to a second late: open windows by their start, in
each a dict by key, and a look at the clock with each second.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from leat.common import Duration, Time, Types, WatermarkStrategy
from leat.common.watermark_strategy import TimestampAssigner
from leat.datastream.connectors.number_seq import NumberSequenceSource
from leat.datastream.functions import AggregateFunction
from leat.datastream.window import SlidingEventTimeWindows, TumblingEventTimeWindows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from leat.datastream import DataStream, StreamExecutionEnvironment
    from leat.datastream.functions import SinkFunction
    from leat.datastream.windowed_stream import WindowedStream

Record = tuple[int, int, int]
KEYS, PER_SECOND, BLOCK = 1000, 10_000, 50
BOUND = 1000  # of disorder, in milliseconds
RECORD = Types.TUPLE([Types.LONG(), Types.LONG(), Types.LONG()])


def record_of(i: int) -> Record:
    return (i * 7919 % KEYS, i % 10, i * 1000 // PER_SECOND - i * 31 % 500)


class Blocks:
    """Block `i` of the records; made before the clock runs."""

    made: dict[int, list[list[Record]]] = {}

    def __init__(self, size: int) -> None:
        self.size = size

    def all(self) -> list[list[Record]]:
        blocks = self.made.get(self.size)
        if blocks is None:
            records = [record_of(i) for i in range(self.size)]
            blocks = [records[at : at + BLOCK] for at in range(0, self.size, BLOCK)]
            self.made[self.size] = blocks
        return blocks

    def __call__(self, i: int) -> list[Record]:
        return self.all()[i]


class TimeOf(TimestampAssigner):
    """The third item."""

    def extract_timestamp(self, value: Record, record_timestamp: int) -> int:
        return value[2]


def key_of(record: Record) -> int:
    return record[0]


class Sum(AggregateFunction):
    """Of the numbers: (how many there are, their sum)."""

    def create_accumulator(self) -> tuple[int, int]:
        return (0, 0)

    def add(self, value: Record, accumulator: tuple[int, int]) -> tuple[int, int]:
        return (accumulator[0] + 1, accumulator[1] + value[1])

    def get_result(self, accumulator: tuple[int, int]) -> int:
        return accumulator[1]

    def merge(self, acc_a: tuple[int, int], acc_b: tuple[int, int]) -> tuple[int, int]:
        return (acc_a[0] + acc_b[0], acc_a[1] + acc_b[1])


class MergeableSum(Sum):
    mergeable = True


# --- plain loops ----------------------------------------------------------------------------------


def plain(window: int, slide: int, made: bool = False) -> Callable[[int, SinkFunction], None]:
    """Every window of a record is updated; one that has ended gives its results.

    `made`: the records are, one by one.
    """

    def run(size: int, sink: SinkFunction) -> None:
        check = sink.invoke
        blocks: Iterable[Iterable[Record]]
        blocks = [map(record_of, range(size))] if made else Blocks(size).all()
        time_of, sums = TimeOf().extract_timestamp, Sum()
        windows: dict[int, dict[int, tuple[int, int]]] = {}
        passed = -(2**63)  # up to where windows have fired

        def fire(until: int) -> None:
            for start in sorted(s for s in windows if s + window <= until):
                for accumulator in windows.pop(start).values():
                    check(sums.get_result(accumulator), None)

        for block in blocks:
            for record in block:
                time, key = time_of(record, 0), key_of(record)
                last = time - time % slide
                for start in range(last, time - window, -slide):
                    contents = windows.get(start)
                    if contents is None:
                        contents = windows[start] = {}
                    accumulator = contents.get(key)
                    if accumulator is None:
                        accumulator = sums.create_accumulator()
                    contents[key] = sums.add(record, accumulator)
                if time - BOUND >= passed + slide:
                    passed = (time - BOUND) // slide * slide
                    fire(passed)
        fire(2**63)

    return run


# --- jobs -----------------------------------------------------------------------------------------


def windowed(
    env: StreamExecutionEnvironment, size: int, assigner: Any, made: bool
) -> WindowedStream:
    source = NumberSequenceSource(0, size - 1 if made else (size - 1) // BLOCK)
    numbers = env.from_source(source, WatermarkStrategy.no_watermarks(), "numbers")
    late = WatermarkStrategy.for_bounded_out_of_orderness(Duration.of_millis(BOUND))
    records: DataStream = numbers.map(record_of) if made else numbers.flat_map(Blocks(size))
    timed = records.assign_timestamps_and_watermarks(late.with_timestamp_assigner(TimeOf()))
    return timed.key_by(key_of, key_type=Types.LONG()).window(assigner)


TUMBLING = TumblingEventTimeWindows.of(Time.seconds(10))
SLIDING = SlidingEventTimeWindows.of(Time.seconds(60), Time.seconds(1))


def job(
    assigner: Any, result: Callable[[WindowedStream], DataStream], made: bool = False
) -> Callable[[StreamExecutionEnvironment, int, SinkFunction], None]:
    def build(env: StreamExecutionEnvironment, size: int, sink: SinkFunction) -> None:
        result(windowed(env, size, assigner, made)).add_sink(sink)

    return build


def aggregate(w: WindowedStream) -> DataStream:
    return w.aggregate(Sum())


def mergeable(w: WindowedStream) -> DataStream:
    return w.aggregate(MergeableSum())


def builtin(w: WindowedStream) -> DataStream:
    return w.sum(1)
