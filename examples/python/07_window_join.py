"""Joins page views with purchases of the same minute, and counts both sides per minute.

    python -m leat run examples/python/07_window_join.py

PyFlink's Python API has neither window joins nor co-groups; names and results are those of Flink's
Java API. A co-group sees minutes in which one side is empty, a join does not.
"""

from pyflink.common import Time, Types, WatermarkStrategy
from pyflink.common.watermark_strategy import TimestampAssigner
from pyflink.datastream import CoGroupFunction, JoinFunction, StreamExecutionEnvironment
from pyflink.datastream.window import TumblingEventTimeWindows

MINUTE = 60_000
ROW = Types.TUPLE([Types.STRING(), Types.STRING(), Types.LONG()])

VIEWS = [("ann", "hats", 1_000), ("bob", "shoes", 5_000), ("ann", "gloves", 70_000)]
PURCHASES = [("ann", "hat", 40_000), ("cid", "scarf", 65_000)]


class Third(TimestampAssigner):
    """The third item is the time, in milliseconds."""

    def extract_timestamp(self, value, record_timestamp):
        return value[2]


class Led(JoinFunction):
    """Which page led to which purchase."""

    def join(self, view, purchase):
        return f"{view[0]} saw {view[1]} and bought a {purchase[1]}"


class Sides(CoGroupFunction):
    """How often a customer looked, and how often they bought, in a minute."""

    def co_group(self, views, purchases):
        customer = (views or purchases)[0][0]
        yield f"{customer}: {len(views)} seen, {len(purchases)} bought"


def main():
    env = StreamExecutionEnvironment.get_execution_environment()
    env.set_parallelism(1)
    times = WatermarkStrategy.for_monotonous_timestamps().with_timestamp_assigner(Third())
    views = env.from_collection(VIEWS, ROW).assign_timestamps_and_watermarks(times)
    purchases = env.from_collection(PURCHASES, ROW).assign_timestamps_and_watermarks(times)
    minutes = TumblingEventTimeWindows.of(Time.minutes(1))

    joined = views.join(purchases).where(customer).equal_to(customer).window(minutes)
    joined.apply(Led(), Types.STRING()).print()
    grouped = views.co_group(purchases).where(customer).equal_to(customer).window(minutes)
    grouped.apply(Sides(), Types.STRING()).print()
    env.execute("views and purchases")


def customer(value):
    return value[0]


if __name__ == "__main__":
    main()
