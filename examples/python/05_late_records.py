"""Temperatures by station in windows of ten minutes, with readings that come late.

    python -m leat run examples/python/05_late_records.py

A window waits a minute of event time for readings that are out of order, and five more minutes for
late ones, with each of which it gives its mean again. What comes later still goes to a side output.

Watermarks are told five times a second, so that which readings are late would depend on the speed
of the machine; Leat's `pipeline.watermark-per-record` makes it depend on the data only.
"""

from pyflink.common import Configuration, Duration, Time, Types, WatermarkStrategy
from pyflink.common.watermark_strategy import TimestampAssigner
from pyflink.datastream import AggregateFunction, OutputTag, StreamExecutionEnvironment
from pyflink.datastream.functions import ProcessWindowFunction
from pyflink.datastream.window import TumblingEventTimeWindows

READING = Types.TUPLE([Types.STRING(), Types.DOUBLE(), Types.INT()])

# Station, degrees, minute.
READINGS = [
    ("Hexworthy", 9.0, 1),
    ("Hexworthy", 11.0, 8),
    ("Hexworthy", 14.0, 13),  # the watermark is at minute 12 now, and the first window done
    ("Hexworthy", 13.0, 9),  # late, but within the five minutes
    ("Hexworthy", 16.0, 19),
    ("Hexworthy", 99.0, 3),  # too late
]


class Minute(TimestampAssigner):
    """The third item, in milliseconds."""

    def extract_timestamp(self, value, record_timestamp):
        return value[2] * 60_000


class Mean(AggregateFunction):
    """Of the degrees; an accumulator is their number and sum."""

    def create_accumulator(self):
        return (0, 0.0)

    def add(self, value, accumulator):
        return (accumulator[0] + 1, accumulator[1] + value[1])

    def get_result(self, accumulator):
        return accumulator[1] / accumulator[0]

    def merge(self, acc_a, acc_b):
        return (acc_a[0] + acc_b[0], acc_a[1] + acc_b[1])


class Tell(ProcessWindowFunction):
    """Puts station and window to the mean, which is the only element."""

    def process(self, key, context, elements):
        (mean,) = elements
        window = context.window()
        minutes = f"{window.start // 60_000} to {window.end // 60_000}"
        yield f"{key}, minutes {minutes}: {mean:.1f} degrees"


def main():
    config = Configuration()
    config.set_string("pipeline.watermark-per-record", "true")
    env = StreamExecutionEnvironment.get_execution_environment(config)
    env.set_parallelism(1)
    late = OutputTag("late", READING)
    times = WatermarkStrategy.for_bounded_out_of_orderness(Duration.of_minutes(1))
    means = (
        env.from_collection(READINGS, READING)
        .assign_timestamps_and_watermarks(times.with_timestamp_assigner(Minute()))
        .key_by(lambda reading: reading[0], Types.STRING())
        .window(TumblingEventTimeWindows.of(Time.minutes(10)))
        .allowed_lateness(5 * 60_000)
        .side_output_late_data(late)
        .aggregate(Mean(), Tell(), output_type=Types.STRING())
    )
    means.print()
    too_late = means.get_side_output(late)
    too_late.map(lambda r: f"too late: {r[1]} degrees of minute {r[2]}", Types.STRING()).print()
    env.execute("late records")


if __name__ == "__main__":
    main()
