"""Visits to a site: clicks of a visitor belong together until half an hour passes without one.

    python -m leat run examples/python/04_sessions.py

Members may pause for longer: their gap is an hour, said by an extractor for each click.
"""

from pyflink.common import Types, WatermarkStrategy
from pyflink.common.watermark_strategy import TimestampAssigner
from pyflink.datastream import StreamExecutionEnvironment, WindowFunction
from pyflink.datastream.window import EventTimeSessionWindows, SessionWindowTimeGapExtractor

MINUTE = 60_000
CLICK = Types.TUPLE([Types.STRING(), Types.STRING(), Types.INT()])

# Visitor, page, minute; ann is a member.
CLICKS = [
    ("ann", "/start", 0),
    ("bob", "/start", 2),
    ("bob", "/tea", 20),
    ("ann", "/salt", 45),
    ("bob", "/pay", 70),
    ("ann", "/pay", 80),
]


class Minute(TimestampAssigner):
    """The third item, in milliseconds."""

    def extract_timestamp(self, value, record_timestamp):
        return value[2] * MINUTE


class Patience(SessionWindowTimeGapExtractor):
    """An hour for members, half of it for others."""

    def extract(self, element):
        return (60 if element[0] == "ann" else 30) * MINUTE


class Visit(WindowFunction):
    """Tells who came when, and what they saw."""

    def apply(self, key, window, inputs):
        pages = ", ".join(page for _, page, _ in inputs)
        minutes = inputs[-1][2] - inputs[0][2]
        yield f"{key} came at minute {window.start // MINUTE} for {minutes} minutes: {pages}"


def main():
    env = StreamExecutionEnvironment.get_execution_environment()
    env.set_parallelism(1)
    times = WatermarkStrategy.for_monotonous_timestamps().with_timestamp_assigner(Minute())
    visits = (
        env.from_collection(CLICKS, CLICK)
        .assign_timestamps_and_watermarks(times)
        .key_by(lambda click: click[0], Types.STRING())
        .window(EventTimeSessionWindows.with_dynamic_gap(Patience()))
        .apply(Visit(), output_type=Types.STRING())
    )
    visits.print()
    env.execute("visits")


if __name__ == "__main__":
    main()
