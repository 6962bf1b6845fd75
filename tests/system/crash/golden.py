"""The golden jobs: small, slow on purpose, with results that no parallelism or speed can change.

    python -m leat run [-s latest] golden.py JOB ROOT PARALLELISM

Their lines are in files of ROOT/out, and in the database ROOT/rows.db. Where the input ends,
ROOT/end is made.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path

from leat.common import Duration, Encoder, Row, Time, Types, WatermarkStrategy
from leat.common.serialization import BulkWriter, BulkWriterFactory
from leat.common.watermark_strategy import TimestampAssigner
from leat.datastream import (
    AsyncDataStream,
    AsyncFunction,
    KeyedProcessFunction,
    MapFunction,
    OutputTag,
    ProcessJoinFunction,
    ProcessWindowFunction,
    StreamExecutionEnvironment,
    TimeDomain,
)
from leat.datastream.connectors.file_system import (
    BucketAssigner,
    FileSink,
    FileSource,
    RollingPolicy,
    StreamFormat,
)
from leat.datastream.connectors.jdbc import (
    JdbcConnectionOptions,
    JdbcExecutionOptions,
    JdbcSink,
)
from leat.datastream.state import MapStateDescriptor, ValueStateDescriptor
from leat.datastream.window import EventTimeSessionWindows

RECORDS = 240
WORDS = ("the", "leat", "leads", "a", "stream", "to", "the", "mill", "and", "turns", "the", "stone")
PAIR = Types.TUPLE([Types.INT(), Types.LONG()])
LATE = OutputTag("late", Types.TUPLE([Types.INT(), Types.LONG()]))


class Throttle(MapFunction):
    """Takes its time with each record, and says when the last one has come."""

    def __init__(self, root, last, seconds=0.001):
        self.end, self.last, self.seconds = f"{root}/end", last, seconds

    def map(self, value):
        time.sleep(self.seconds)
        if value == self.last:
            os.close(os.open(self.end, os.O_WRONLY | os.O_CREAT, 0o600))
        return value


class Second(TimestampAssigner):
    def extract_timestamp(self, value, record_timestamp):
        return value[1]


def slow(env, root, records, type_info):
    """A source with its throttle: one subtask, whatever the job has."""
    source = env.from_collection(records, type_info)
    return source.map(Throttle(root, records[-1]), type_info).set_parallelism(1)


def with_time(stream, bound=0):
    times = WatermarkStrategy.for_bounded_out_of_orderness(Duration.of_millis(bound))
    timed = stream.assign_timestamps_and_watermarks(times.with_timestamp_assigner(Second()))
    return timed.set_parallelism(1)


def words(env, root):
    lines = [f"{WORDS[i % 12]} {WORDS[i * 7 % 12]} {i}" for i in range(RECORDS)]
    split = slow(env, root, lines, Types.STRING()).flat_map(
        lambda line: [(word, 1) for word in line.split()],
        Types.TUPLE([Types.STRING(), Types.INT()]),
    )
    counted = split.key_by(lambda v: v[0], Types.STRING()).reduce(lambda a, b: (a[0], a[1] + b[1]))
    return counted.map(lambda v: f"{v[0]} {v[1]}", Types.STRING())


class Timers(KeyedProcessFunction):
    """Tells counts by key in event time, and each early record once, a while after it."""

    def open(self, runtime_context):
        count = ValueStateDescriptor("count", Types.LONG())
        waiting = MapStateDescriptor("waiting", Types.LONG(), Types.STRING())
        self.count = runtime_context.get_state(count)
        self.waiting = runtime_context.get_map_state(waiting)

    def process_element(self, value, ctx):
        self.count.update((self.count.value() or 0) + 1)
        ctx.timer_service().register_event_time_timer((value[1] // 40 + 1) * 40)
        if value[1] < RECORDS // 2 * 10 and value[1] % 50 == 0:
            at = ctx.timer_service().current_processing_time() + 8
            known = self.waiting.get(at) if self.waiting.contains(at) else ""
            self.waiting.put(at, f"{known} {value[1]}")
            ctx.timer_service().register_processing_time_timer(at)

    def on_timer(self, timestamp, ctx):
        key = ctx.get_current_key()
        if ctx.time_domain() == TimeDomain.EVENT_TIME:
            yield f"{key} had {self.count.value()} at {timestamp}"
            return
        for number in self.waiting.get(timestamp).split():
            yield f"{key} waited for {number}"
        self.waiting.remove(timestamp)


def timers(env, root):
    records = [(i * 5 % 7, i * 10) for i in range(RECORDS)]
    timed = with_time(slow(env, root, records, PAIR))
    return timed.key_by(lambda v: v[0], Types.INT()).process(Timers(), Types.STRING())


class Tell(ProcessWindowFunction):
    def process(self, key, context, elements):
        window = context.window()
        times = " ".join(str(t) for _, t in sorted(elements))
        yield f"{key} from {window.start} to {window.end}: {times}"

    def clear(self, context):
        pass


def sessions(env, root):
    late = {90: 300, 150: 900, 151: 905, 200: 30}
    records = [(i * 5 % 7, late.get(i, i * 10 + i // 60 * 40)) for i in range(RECORDS)]
    timed = with_time(slow(env, root, records, PAIR), 20)
    windows = timed.key_by(lambda v: v[0], Types.INT()).window(
        EventTimeSessionWindows.with_gap(Time.milliseconds(75))
    )
    told = windows.allowed_lateness(200).side_output_late_data(LATE).process(Tell(), Types.STRING())
    too_late = told.get_side_output(LATE).map(lambda v: f"late: {v[0]} {v[1]}", Types.STRING())
    return told.union(too_late)


class Meet(ProcessJoinFunction):
    def process_element(self, left, right, ctx):
        yield f"{left[0]}: {left[1]} {right[1]}"


def join(env, root):
    left = [(i % 5, i * 10) for i in range(RECORDS)]
    right = [(i % 3, i * 10 + 3) for i in range(RECORDS)]
    sides = [
        with_time(slow(env, root, side, PAIR)).key_by(lambda v: v[0], Types.INT())
        for side in (left, right)
    ]
    met = sides[0].interval_join(sides[1]).between(Time.milliseconds(-40), Time.milliseconds(60))
    return met.process(Meet(), output_type=Types.STRING())


class Ask(AsyncFunction):
    async def async_invoke(self, value):
        await asyncio.sleep(value * 7 % 5 / 1000)
        return [value] if value % 6 else [value, -value]


class InOrder(KeyedProcessFunction):
    """Tells each record together with the one before it."""

    def open(self, runtime_context):
        self.last = runtime_context.get_state(ValueStateDescriptor("last", Types.INT()))

    def process_element(self, value, ctx):
        yield f"{value} after {self.last.value()}"
        self.last.update(value)


def ordered(env, root):
    numbers = slow(env, root, list(range(RECORDS)), Types.INT())
    answers = AsyncDataStream.ordered_wait(numbers, Ask(), Time.seconds(30), 8, Types.INT())
    one = answers.set_parallelism(1).key_by(lambda v: 0, Types.INT())
    return one.process(InOrder(), Types.STRING())


def unordered(env, root):
    numbers = slow(env, root, list(range(RECORDS)), Types.INT()).rebalance()
    answers = AsyncDataStream.unordered_wait(numbers, Ask(), Time.seconds(30), 8, Types.INT())
    return answers.map(str, Types.STRING())


def loop(env, root):
    """Steps of numbers to 1, halved or tripled plus one, each told."""
    numbers = slow(env, root, list(range(1, RECORDS + 1)), Types.LONG())
    way = Types.TUPLE([Types.LONG(), Types.LONG(), Types.INT()])
    head = numbers.map(lambda n: (n, n, 0), way).rebalance().iterate()
    stepped = head.map(lambda w: (w[0], 3 * w[1] + 1 if w[1] % 2 else w[1] // 2, w[2] + 1), way)
    head.close_with(stepped.filter(lambda w: w[1] > 1 and w[2] < 12).rebalance())
    return stepped.map(lambda w: f"{w[0]}: {w[1]} at {w[2]}", Types.STRING())


def files(env, root):
    """Lines of three files, by as many readers as the job has subtasks."""
    folder = Path(root, "in")
    source = FileSource.for_record_stream_format(StreamFormat.text_line_format(), str(folder))
    lines = env.from_source(source.build(), WatermarkStrategy.no_watermarks(), "lines")
    return lines.map(Throttle(root, "2 79", 0.002), Types.STRING())


class Courier:
    """Brings files into a folder that is watched, and takes them away when all their lines are in
    files that are done; then they may go, whatever happens. After a crash it goes on.
    """

    FILES, LINES = 24, 10
    ENDS = ("FINISHED", "CANCELED", "FAILED")

    def __init__(self, root):
        self.inbox, self.out, self.brought = (
            Path(root, "inbox"),
            Path(root, "out"),
            Path(root, "bag"),
        )
        self.inbox.mkdir(exist_ok=True)
        self.brought.mkdir(exist_ok=True)

    def lines(self, number):
        return [f"{number} {line}" for line in range(self.LINES)]

    def bring(self, number):
        coming = self.inbox / f".{number}"
        coming.write_text("".join(f"{line}\n" for line in self.lines(number)))
        coming.rename(self.inbox / f"{number}")
        (self.brought / f"{number}").touch()

    def clear(self):
        """True when everything has come, has been read, and is gone."""
        done = {line for file in self.out.glob("part-*") for line in file.read_text().splitlines()}
        brought = [int(file.name) for file in self.brought.iterdir()]
        for number in brought:
            if done.issuperset(self.lines(number)):
                (self.inbox / f"{number}").unlink(missing_ok=True)
        left = [file for file in self.inbox.iterdir() if file.name[0] != "."]
        return len(brought) == self.FILES and not left

    def work(self, client, end):
        number = 0
        while client.get_job_status().result().name not in self.ENDS:
            while number < self.FILES and (self.brought / f"{number}").exists():
                number += 1
            if number < self.FILES:
                self.bring(number)
            if self.clear():
                end.touch()
                return client.cancel().result()
            time.sleep(0.004)
        return client.get_job_execution_result().result()  # which raises when it failed


def inbox(env, root):
    """Lines of files that come and go."""
    env.enable_checkpointing(12)
    source = FileSource.for_record_stream_format(
        StreamFormat.text_line_format(), str(Path(root, "inbox"))
    )
    source = source.monitor_continuously(Duration.of_millis(2)).build()
    lines = env.from_source(source, WatermarkStrategy.no_watermarks(), "inbox")
    return lines.map(Throttle(root, ""), Types.STRING())


def rows(env, root):
    """Numbers in a database; the others are lines of files."""
    numbers = slow(env, root, list(range(RECORDS)), Types.INT()).rebalance()
    row = Types.ROW([Types.STRING()])
    options = JdbcConnectionOptions.JdbcConnectionOptionsBuilder()
    batch = JdbcExecutionOptions.builder().with_batch_size(5).build()
    found = JdbcSink.sink(
        "INSERT INTO lines VALUES (?)",
        row,
        options.with_url(f"jdbc:sqlite:{root}/rows.db").build(),
        batch,
    )
    even = numbers.filter(lambda n: n % 2 == 0)
    even.map(lambda n: Row(f"row {n}"), row).add_sink(found)
    return numbers.filter(lambda n: n % 2).map(str, Types.STRING())


class CountedWriter(BulkWriter):
    """The format of counted_writer.h."""

    def __init__(self, stream):
        self.stream, self.lines = stream, []
        self.stream.write(b"#counted\n")

    def add_element(self, element):
        self.lines.append(f"{element}\n".encode())

    def flush(self):
        self.stream.writelines(self.lines)

    def finish(self):
        self.stream.write(b"#%d\n" % len(self.lines))


class Counted(BulkWriterFactory):
    def create(self, stream):
        return CountedWriter(stream)


def bulk(env, root):
    """Numbers in files that are whole or not there."""
    numbers = slow(env, root, list(range(RECORDS)), Types.INT())
    return numbers.rebalance().map(lambda n: f"number {n}", Types.STRING())


JOBS = {
    f.__name__: f
    for f in (words, timers, sessions, join, ordered, unordered, loop, files, inbox, rows, bulk)
}


def sink_of(name, root, roll):
    base = BucketAssigner.base_path_bucket_assigner()
    if name == "bulk":
        return FileSink.for_bulk_format(f"{root}/out", Counted()).with_bucket_assigner(base)
    sink = FileSink.for_row_format(f"{root}/out", Encoder.simple_string_encoder())
    policy = RollingPolicy.default_rolling_policy(part_size=500)
    if roll == "roll" or name == "inbox":  # whose files may go when their lines are there
        policy = RollingPolicy.on_checkpoint_rolling_policy()
    return sink.with_bucket_assigner(base).with_rolling_policy(policy)


def main():
    name, root, parallelism, roll = sys.argv[1:]
    env = StreamExecutionEnvironment.get_execution_environment()
    env.set_parallelism(int(parallelism))
    JOBS[name](env, root).sink_to(sink_of(name, root, roll).build())
    if name == "inbox":
        courier = Courier(root)
        courier.work(env.execute_async("golden"), Path(root, "end"))
    else:
        env.execute("golden")


if __name__ == "__main__":
    main()
