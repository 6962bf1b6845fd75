"""The load of machines over the last minute, told every twenty seconds.

    python -m leat run examples/python/03_sliding_windows.py

Each reading belongs to three windows of a minute. `sum` and its kin are Leat's addition to streams
in windows (in Flink they are in the Java API): they need no Python per record, and a reading is
added once, not once per window.
"""

from pyflink.common import Time, Types, WatermarkStrategy
from pyflink.common.watermark_strategy import TimestampAssigner
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.datastream.functions import ProcessFunction
from pyflink.datastream.window import SlidingEventTimeWindows

LOAD = Types.TUPLE([Types.STRING(), Types.INT(), Types.INT()])

# Machine, jobs, second.
LOADS = [("mill", 2, 5), ("mill", 3, 25), ("mill", 1, 50), ("press", 4, 55), ("mill", 6, 85)]


class Second(TimestampAssigner):
    """The third item, in milliseconds."""

    def extract_timestamp(self, value, record_timestamp):
        return value[2] * 1000


class WithEnd(ProcessFunction):
    """The result of a window has its last millisecond as event time."""

    def process_element(self, value, ctx):
        end = (ctx.timestamp() + 1) // 1000
        yield f"{value[0]}, seconds {end - 60} to {end}: {value[1]} jobs"


def main():
    env = StreamExecutionEnvironment.get_execution_environment()
    env.set_parallelism(1)
    times = WatermarkStrategy.for_monotonous_timestamps().with_timestamp_assigner(Second())
    loads = (
        env.from_collection(LOADS, LOAD)
        .assign_timestamps_and_watermarks(times)
        .key_by(lambda load: load[0], Types.STRING())
        .window(SlidingEventTimeWindows.of(Time.seconds(60), Time.seconds(20)))
        .sum(1)
    )
    loads.process(WithEnd(), output_type=Types.STRING()).print()
    env.execute("loads")


if __name__ == "__main__":
    main()
