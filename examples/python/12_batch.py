"""The longest break of each worker, from a list of comings and goings in any order, as a batch.

    python -m leat run examples/python/12_batch.py

In batch a function of a keyed stream gets one key after the other, and the records of a key in the
order of their event time; so it need not sort them. A timer fires behind the last one.
"""

from pyflink.common import Types, WatermarkStrategy
from pyflink.common.watermark_strategy import TimestampAssigner
from pyflink.datastream import (
    KeyedProcessFunction,
    RuntimeExecutionMode,
    StreamExecutionEnvironment,
)
from pyflink.datastream.state import ValueStateDescriptor

MINUTE = 60_000
ROW = Types.TUPLE([Types.STRING(), Types.STRING(), Types.LONG()])

STAMPS = [
    ("Ada", "comes", 9 * 60 * MINUTE),
    ("Bob", "goes", 12 * 60 * MINUTE),
    ("Ada", "comes", 13 * 60 * MINUTE),
    ("Bob", "comes", 8 * 60 * MINUTE),
    ("Ada", "goes", 12 * 60 * MINUTE),
    ("Ada", "goes", 15 * 60 * MINUTE),
    ("Bob", "comes", 12 * 60 * MINUTE + 20 * MINUTE),
    ("Ada", "comes", 15 * 60 * MINUTE + 10 * MINUTE),
]


class Third(TimestampAssigner):
    """The third item is the time, in milliseconds."""

    def extract_timestamp(self, value, record_timestamp):
        return value[2]


class LongestBreak(KeyedProcessFunction):
    """Remembers when the worker went, and the longest time until the next coming."""

    def open(self, runtime_context):
        self.went = runtime_context.get_state(ValueStateDescriptor("went", Types.LONG()))
        self.longest = runtime_context.get_state(ValueStateDescriptor("longest", Types.LONG()))

    def process_element(self, value, ctx):
        ctx.timer_service().register_event_time_timer(2**63 - 1)
        if value[1] == "goes":
            self.went.update(value[2])
        elif self.went.value() is not None:
            self.longest.update(max(self.longest.value() or 0, value[2] - self.went.value()))

    def on_timer(self, timestamp, ctx):
        minutes = (self.longest.value() or 0) // MINUTE
        yield f"{ctx.get_current_key()} was away for {minutes} minutes at most"


def main():
    env = StreamExecutionEnvironment.get_execution_environment()
    env.set_runtime_mode(RuntimeExecutionMode.BATCH)
    env.set_parallelism(1)
    times = WatermarkStrategy.no_watermarks().with_timestamp_assigner(Third())
    stamps = env.from_collection(STAMPS, ROW).assign_timestamps_and_watermarks(times)
    workers = stamps.key_by(lambda v: v[0], Types.STRING())
    workers.process(LongestBreak(), output_type=Types.STRING()).print()
    env.execute("breaks")


if __name__ == "__main__":
    main()
