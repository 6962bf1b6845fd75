"""Bids of auctions: the highest so far when it jumps, and the last one when the auction closes.

    python -m leat run examples/python/06_custom_trigger.py

A trigger says when a window is ready. This one remembers the highest bid that it has fired for, in
state of its window, and sets a timer for the window's end.
"""

from pyflink.common import Time, Types, WatermarkStrategy
from pyflink.common.watermark_strategy import TimestampAssigner
from pyflink.datastream import StreamExecutionEnvironment, Trigger, TriggerResult
from pyflink.datastream.state import ValueStateDescriptor
from pyflink.datastream.window import TumblingEventTimeWindows

BID = Types.TUPLE([Types.STRING(), Types.INT(), Types.INT()])

# Auction, pounds, minute.
BIDS = [
    ("clock", 10, 1),
    ("clock", 12, 3),
    ("chair", 5, 4),
    ("clock", 25, 10),
    ("clock", 26, 40),
    ("chair", 7, 45),
]


class Minute(TimestampAssigner):
    """The third item, in milliseconds."""

    def extract_timestamp(self, value, record_timestamp):
        return value[2] * 60_000


class WhenItJumps(Trigger):
    """Fires for a bid that is at least twice the last one told, and at the end."""

    def __init__(self):
        self.told = ValueStateDescriptor("told", Types.INT())

    def on_element(self, element, timestamp, window, ctx):
        ctx.register_event_time_timer(window.max_timestamp())
        told = ctx.get_partitioned_state(self.told)
        if told.value() is not None and element[1] < 2 * told.value():
            return TriggerResult.CONTINUE
        told.update(element[1])
        return TriggerResult.FIRE

    def on_event_time(self, time, window, ctx):
        return TriggerResult.FIRE

    def on_processing_time(self, time, window, ctx):
        return TriggerResult.CONTINUE

    def on_merge(self, window, ctx):
        raise NotImplementedError("these windows do not merge")

    def clear(self, window, ctx):
        ctx.get_partitioned_state(self.told).clear()
        ctx.delete_event_time_timer(window.max_timestamp())


def highest(auction, window, bids):
    """A window function may be a plain callable of key, window and elements."""
    return [f"{auction}: {max(pounds for _, pounds, _ in bids)} pounds after {len(bids)} bids"]


def main():
    env = StreamExecutionEnvironment.get_execution_environment()
    env.set_parallelism(1)
    times = WatermarkStrategy.for_monotonous_timestamps().with_timestamp_assigner(Minute())
    told = (
        env.from_collection(BIDS, BID)
        .assign_timestamps_and_watermarks(times)
        .key_by(lambda bid: bid[0], Types.STRING())
        .window(TumblingEventTimeWindows.of(Time.hours(1)))
        .trigger(WhenItJumps())
        .apply(highest, output_type=Types.STRING())
    )
    told.print()
    env.execute("bids")


if __name__ == "__main__":
    main()
