"""Prices orders by a list of prices that changes while orders come.

    python -m leat run examples/python/09_broadcast_state.py

Every subtask gets every price and keeps it in broadcast state. There is no order between the two
streams, so that an order waits, in keyed state, until event time has passed it on both: then all
prices that were valid for it are known.
"""

from pyflink.common import Types, WatermarkStrategy
from pyflink.common.watermark_strategy import TimestampAssigner
from pyflink.datastream import KeyedBroadcastProcessFunction, StreamExecutionEnvironment
from pyflink.datastream.state import ListStateDescriptor, MapStateDescriptor

ORDER = Types.TUPLE([Types.STRING(), Types.LONG(), Types.STRING()])  # what, when, who
PRICE = Types.TUPLE([Types.STRING(), Types.LONG(), Types.INT()])  # what, from when, how much
PRICES = MapStateDescriptor("prices", Types.STRING(), Types.LIST(PRICE))

ORDERS = [("tea", 10, "ann"), ("salt", 20, "bob"), ("tea", 30, "bob"), ("tea", 50, "cid")]
CHANGES = [("tea", 0, 5), ("salt", 5, 2), ("tea", 25, 6), ("tea", 40, 4)]


class Second(TimestampAssigner):
    """The second item is the time, in milliseconds."""

    def extract_timestamp(self, value, record_timestamp):
        return value[1]


class Pricing(KeyedBroadcastProcessFunction):
    def open(self, runtime_context):
        self.waiting = runtime_context.get_list_state(ListStateDescriptor("waiting", ORDER))

    def process_element(self, order, ctx):
        self.waiting.add(order)
        ctx.timer_service().register_event_time_timer(order[1])

    def process_broadcast_element(self, price, ctx):
        prices = ctx.get_broadcast_state(PRICES)
        prices.put(price[0], [*(prices.get(price[0]) or []), price])

    def on_timer(self, timestamp, ctx):
        prices = ctx.get_broadcast_state(PRICES).get(ctx.get_current_key()) or []
        due = [order for order in self.waiting if order[1] == timestamp]
        self.waiting.update([order for order in self.waiting if order[1] != timestamp])
        valid = [price for price in prices if price[1] <= timestamp]
        for what, _, who in due:
            yield f"{who} pays {valid[-1][2]} for {what}" if valid else f"{what} has no price"


def with_time(stream):
    times = WatermarkStrategy.for_monotonous_timestamps().with_timestamp_assigner(Second())
    return stream.assign_timestamps_and_watermarks(times)


def main():
    env = StreamExecutionEnvironment.get_execution_environment()
    env.set_parallelism(1)
    orders = with_time(env.from_collection(ORDERS, ORDER)).key_by(lambda o: o[0], Types.STRING())
    prices = with_time(env.from_collection(CHANGES, PRICE)).broadcast(PRICES)
    orders.connect(prices).process(Pricing(), output_type=Types.STRING()).print()
    env.execute("orders and prices")


if __name__ == "__main__":
    main()
