"""Joins orders with the payments that come within ten minutes.

    python -m leat run examples/python/08_interval_join.py

PyFlink's Python API has no interval join; names and results are those of Flink's Java API. Payments
without an order of theirs, such as the one of order 3, meet nobody and leave no trace.
"""

from pyflink.common import Time, Types, WatermarkStrategy
from pyflink.common.watermark_strategy import TimestampAssigner
from pyflink.datastream import ProcessJoinFunction, StreamExecutionEnvironment

MINUTE = 60_000
ROW = Types.TUPLE([Types.INT(), Types.STRING(), Types.LONG()])

ORDERS = [(1, "tea", 0), (2, "salt", 2 * MINUTE), (3, "bread", 3 * MINUTE)]
PAYMENTS = [(2, "card", 4 * MINUTE), (1, "cash", 9 * MINUTE), (3, "card", 20 * MINUTE)]


class Third(TimestampAssigner):
    """The third item is the time, in milliseconds."""

    def extract_timestamp(self, value, record_timestamp):
        return value[2]


class Settle(ProcessJoinFunction):
    """Tells what was ordered, how it was paid, and after how many minutes."""

    def process_element(self, order, payment, ctx):
        waited = ctx.get_right_timestamp() - ctx.get_left_timestamp()
        yield f"{order[1]} was paid by {payment[1]} after {waited // MINUTE} minutes"


def with_time_and_key(stream):
    times = WatermarkStrategy.for_monotonous_timestamps().with_timestamp_assigner(Third())
    return stream.assign_timestamps_and_watermarks(times).key_by(lambda v: v[0], Types.INT())


def main():
    env = StreamExecutionEnvironment.get_execution_environment()
    env.set_parallelism(1)
    orders = with_time_and_key(env.from_collection(ORDERS, ROW))
    payments = with_time_and_key(env.from_collection(PAYMENTS, ROW))
    settled = (
        orders.interval_join(payments)
        .between(Time.minutes(0), Time.minutes(10))
        .process(Settle(), output_type=Types.STRING())
    )
    settled.print()
    env.execute("orders and payments")


if __name__ == "__main__":
    main()
