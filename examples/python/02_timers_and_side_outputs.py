"""Tells when a sensor falls silent, and sets apart what came too late.

    python -m leat run examples/python/02_timers_and_side_outputs.py

Each value of a sensor takes back the timer of the one before and sets its own; one that fires means
silence. A value from behind event time goes to a side output.
"""

from pyflink.common import Configuration, Duration, Types, WatermarkStrategy
from pyflink.common.watermark_strategy import TimestampAssigner
from pyflink.datastream import KeyedProcessFunction, OutputTag, StreamExecutionEnvironment
from pyflink.datastream.state import ValueStateDescriptor

VALUE = Types.TUPLE([Types.STRING(), Types.LONG()])  # sensor, milliseconds
LATE = OutputTag("late", VALUE)
SILENCE = 1000

VALUES = [("a", 0), ("b", 100), ("a", 600), ("a", 1900), ("b", 2000), ("a", 500), ("b", 2500)]


class Second(TimestampAssigner):
    """The second item is the time, in milliseconds."""

    def extract_timestamp(self, value, record_timestamp):
        return value[1]


class Silence(KeyedProcessFunction):
    def open(self, runtime_context):
        self.alarm = runtime_context.get_state(ValueStateDescriptor("alarm", Types.LONG()))
        self.late = runtime_context.get_metrics_group().counter("late")

    def process_element(self, value, ctx):
        timers = ctx.timer_service()
        if ctx.timestamp() <= timers.current_watermark():
            self.late.inc()
            yield LATE, value
            return
        if self.alarm.value() is not None:
            timers.delete_event_time_timer(self.alarm.value())
        self.alarm.update(ctx.timestamp() + SILENCE)
        timers.register_event_time_timer(ctx.timestamp() + SILENCE)

    def on_timer(self, timestamp, ctx):
        self.alarm.clear()
        yield f"{ctx.get_current_key()} is silent since {timestamp - SILENCE}"


def main():
    configuration = Configuration()
    # Leat's: what is late then depends on the data only, not on how fast it is read.
    configuration.set_string("pipeline.watermark-per-record", "true")
    env = StreamExecutionEnvironment.get_execution_environment(configuration)
    env.set_parallelism(1)
    times = WatermarkStrategy.for_bounded_out_of_orderness(Duration.of_millis(200))
    values = env.from_collection(VALUES, VALUE)
    values = values.assign_timestamps_and_watermarks(times.with_timestamp_assigner(Second()))
    told = values.key_by(lambda v: v[0], Types.STRING()).process(Silence(), Types.STRING())
    told.print()
    told.get_side_output(LATE).map(lambda v: f"late: {v[0]} {v[1]}").print()
    env.execute("silence")


if __name__ == "__main__":
    main()
