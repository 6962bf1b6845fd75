"""FileSink and StreamingFileSink with bulk formats of users' own: files, checkpoints, errors."""

from __future__ import annotations

import re
import time

import pytest
from leat.common import RestartStrategies, Types, WatermarkStrategy
from leat.common.errors import JobError
from leat.common.serialization import BulkWriter, BulkWriterFactory
from leat.datastream.connectors.file_system import (
    BucketAssigner,
    FileSink,
    OutputFileConfig,
    RollingPolicy,
    StreamingFileSink,
)
from leat.datastream.connectors.number_seq import NumberSequenceSource


class CountedWriter(BulkWriter):
    """A header, a line per record that is kept until the end, and a footer with their number."""

    def __init__(self, stream, fails):
        self.stream, self.fails = stream, fails
        self.lines = []
        self.stream.write(b"header\n")

    def add_element(self, element):
        if self.fails == element:
            raise ValueError(f"{element} is too much")
        self.lines.append(b"%d\n" % element)

    def flush(self):
        self.stream.writelines(self.lines)

    def finish(self):
        if self.fails == "finish":
            raise OSError("no end")
        self.stream.write(b"footer %d %d\n" % (len(self.lines), self.stream.tell()))


class Counted(BulkWriterFactory):
    def __init__(self, fails=None):
        super().__init__()
        self.fails = fails

    def create(self, stream):
        if self.fails == "create":
            raise RuntimeError("no beginning")
        return CountedWriter(stream, self.fails)


class NoWriter(BulkWriterFactory):
    def create(self, stream):
        return stream


class Closes(BulkWriterFactory):
    """Of writers that close their stream, as some libraries do."""

    def create(self, stream):
        writer = CountedWriter(stream, None)
        writer.finish = stream.close
        return writer


def sink_of(path, factory, kind=FileSink):
    base = BucketAssigner.base_path_bucket_assigner()
    return kind.for_bulk_format(str(path), factory).with_bucket_assigner(base).build()


def numbers_of(file):
    """What is in a file, which is whole."""
    header, *lines, footer = file.read_text().splitlines()
    body = sum(len(line) + 1 for line in lines)
    assert header == "header"
    assert footer == f"footer {len(lines)} {len(header) + 1 + body}"
    return [int(line) for line in lines]


def parts(folder):
    return [f for f in folder.rglob("*") if f.is_file() and f.name[0] != "."]


def hidden(folder):
    return [f for f in folder.rglob(".*") if f.is_file()]


@pytest.mark.quick
@pytest.mark.parametrize("parallelism", [1, 3])
@pytest.mark.parametrize("kind", [FileSink, StreamingFileSink])
def test_each_record_is_there_once(make_env, tmp_path, parallelism, kind):
    env = make_env(parallelism)
    stream = env.from_collection(list(range(5000)), Types.LONG()).rebalance()
    sink = sink_of(tmp_path, Counted(), kind)
    if kind is FileSink:
        stream.sink_to(sink)
    else:
        stream.add_sink(sink)
    env.execute()
    assert len(parts(tmp_path)) == parallelism
    assert sorted(n for f in parts(tmp_path) for n in numbers_of(f)) == list(range(5000))
    assert hidden(tmp_path) == []


def test_names_and_folders(env, tmp_path):
    names = OutputFileConfig.builder().with_part_prefix("n").with_part_suffix(".counted").build()
    builder = FileSink.for_bulk_format(str(tmp_path), Counted()).with_output_file_config(names)
    builder.with_bucket_assigner(BucketAssigner.date_time_bucket_assigner("'a'/'b'", "UTC"))
    builder.with_rolling_policy(RollingPolicy.on_checkpoint_rolling_policy())
    builder.with_bucket_check_interval(10).disable_compact()
    env.from_collection([1, 2], Types.LONG()).sink_to(builder.build())
    env.execute()
    (file,) = parts(tmp_path)
    assert re.fullmatch(r"a/b/n-[0-9a-f-]{36}-0\.counted", str(file.relative_to(tmp_path)))
    assert numbers_of(file) == [1, 2]


def test_every_checkpoint_ends_the_files(make_env, tmp_path):
    env = make_env(2)
    env.enable_checkpointing(10)
    source = env.from_source(
        NumberSequenceSource(1, 600), WatermarkStrategy.no_watermarks(), "numbers"
    )
    source.map(a_moment, Types.LONG()).sink_to(sink_of(tmp_path, Counted()))
    env.execute()
    assert len(parts(tmp_path)) > 2
    assert sorted(n for f in parts(tmp_path) for n in numbers_of(f)) == list(range(1, 601))
    assert hidden(tmp_path) == []


def a_moment(value):
    time.sleep(0.0005)
    return value


def test_job_that_restarts_loses_and_doubles_nothing(make_env, tmp_path):
    env = make_env(2)
    env.enable_checkpointing(10)
    env.set_restart_strategy(RestartStrategies.fixed_delay_restart(3, 1))
    source = env.from_source(
        NumberSequenceSource(1, 400), WatermarkStrategy.no_watermarks(), "numbers"
    )
    flag = tmp_path / "failed"

    def once(value):
        a_moment(value)
        if value == 150 and not flag.exists():
            flag.write_text("")
            raise ValueError("once")
        return value

    source.map(once, Types.LONG()).sink_to(sink_of(tmp_path / "out", Counted()))
    env.execute()
    found = [n for f in parts(tmp_path / "out") for n in numbers_of(f)]
    assert sorted(found) == list(range(1, 401))
    assert flag.exists()


@pytest.mark.parametrize(
    ("fails", "text", "cause"),
    [
        (
            7,
            r"ValueError: 7 is too much \(while writing '.*inprogress\.0'\); the record was 7",
            ValueError,
        ),
        (
            "create",
            r"RuntimeError: no beginning \(while writing '.*'\); the record was 0",
            RuntimeError,
        ),
        ("finish", r"OSError: no end \(while writing '.*inprogress\.0'\)", OSError),
    ],
)
def test_errors_name_the_file_and_the_record(env, tmp_path, fails, text, cause):
    sink = sink_of(tmp_path, Counted(fails))
    env.from_collection(list(range(10)), Types.LONG()).sink_to(sink)
    with pytest.raises(JobError, match=text) as failed:
        env.execute()
    assert type(failed.value.__cause__) is cause
    assert "while writing" in failed.value.__cause__.__notes__[0]
    assert str(tmp_path) in str(failed.value)
    assert parts(tmp_path) == []


def test_what_is_no_writer(env, tmp_path):
    env.from_collection([1], Types.LONG()).sink_to(sink_of(tmp_path, NoWriter()))
    with pytest.raises(JobError, match="is no bulk writer: it has no method 'add_element'"):
        env.execute()


def test_writer_may_close_its_stream(env, tmp_path):
    env.from_collection([1, 2], Types.LONG()).sink_to(sink_of(tmp_path, Closes()))
    env.execute()
    (file,) = parts(tmp_path)
    assert file.read_text() == "header\n1\n2\n"


def test_what_builders_refuse(tmp_path):
    for kind in (FileSink, StreamingFileSink):
        builder = kind.for_bulk_format(str(tmp_path), Counted())
        with pytest.raises(ValueError, match="must be OnCheckpointRollingPolicy for bulk format"):
            builder.with_rolling_policy(RollingPolicy.default_rolling_policy())
        for wrong in (None, Counted, "csv", CountedWriter):
            with pytest.raises(TypeError, match="A BulkWriterFactory is needed"):
                kind.for_bulk_format(str(tmp_path), wrong)
        with pytest.raises(TypeError, match="An Encoder is needed"):
            kind.for_row_format(str(tmp_path), Counted())
