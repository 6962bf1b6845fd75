"""FileSink and StreamingFileSink: folders, rolling, charsets, and what a job that fails leaves."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest
from leat.common import Encoder, Types, WatermarkStrategy
from leat.common.errors import JobError
from leat.common.serialization import SimpleStringEncoder
from leat.datastream.connectors.file_system import (
    BucketAssigner,
    FileSink,
    OutputFileConfig,
    RollingPolicy,
    StreamingFileSink,
)
from leat.datastream.connectors.number_seq import NumberSequenceSource
from leat.datastream.functions import MapFunction, SourceFunction

ROOT = Path(__file__).resolve().parents[3]


def builder(path, charset="UTF-8"):
    encoder = Encoder.simple_string_encoder(charset)
    made = FileSink.for_row_format(str(path), encoder)
    return made.with_bucket_assigner(BucketAssigner.base_path_bucket_assigner())


def strings(env, values):
    return env.from_collection(values).map(str, Types.STRING())


def lines(folder):
    """Of all files that are not hidden, sorted."""
    files = [f for f in folder.rglob("*") if f.is_file() and f.name[0] != "."]
    return sorted(line for f in files for line in f.read_text().splitlines())


def hidden(folder):
    return [f for f in folder.rglob(".*") if f.is_file()]


@pytest.mark.parametrize("parallelism", [1, 3])
@pytest.mark.parametrize("kind", [FileSink, StreamingFileSink])
def test_each_line_is_there_once(make_env, tmp_path, parallelism, kind):
    env = make_env(parallelism)
    sink = kind.for_row_format(str(tmp_path), SimpleStringEncoder()).build()
    stream = strings(env, range(20_000)).rebalance()
    if kind is FileSink:
        stream.sink_to(sink)
    else:
        stream.add_sink(sink)
    env.execute()
    assert lines(tmp_path) == sorted(map(str, range(20_000)))
    assert hidden(tmp_path) == []
    assert len({f.name[5:41] for f in tmp_path.rglob("part-*")}) == parallelism


def test_parts_by_size(env, tmp_path):
    policy = RollingPolicy.default_rolling_policy(part_size=2000)
    names = OutputFileConfig.builder().with_part_prefix("p").with_part_suffix(".log").build()
    sink = builder(tmp_path).with_rolling_policy(policy).with_output_file_config(names)
    strings(env, [f"{i:09}" for i in range(1000)]).sink_to(sink.build())
    env.execute()
    parts = sorted(tmp_path.iterdir(), key=lambda f: int(f.stem.rsplit("-", 1)[1]))
    assert [f.stat().st_size for f in parts] == [2010, 2010, 2010, 2010, 1960]
    assert [int(line) for f in parts for line in f.read_text().split()] == list(range(1000))
    assert all(f.name.startswith("p-") and f.suffix == ".log" for f in parts)


class OneThenAnother(SourceFunction):
    """Gives the second value when there is a file in the folder: the first value's part is done."""

    def __init__(self, folder):
        super().__init__()
        self.folder = folder

    def run(self, ctx):
        ctx.collect("0")
        end = time.monotonic() + 30
        while not hidden(Path(self.folder)) and time.monotonic() < end:
            time.sleep(0.005)
        ctx.collect("1")

    def cancel(self):
        pass


def test_parts_by_age(env, tmp_path):
    policy = RollingPolicy.default_rolling_policy(rollover_interval=40)
    sink = builder(tmp_path).with_rolling_policy(policy).with_bucket_check_interval(10).build()
    source = env.add_source(OneThenAnother(str(tmp_path)), "slow", Types.STRING())
    source.sink_to(sink)
    env.execute()
    assert sorted(f.read_text() for f in tmp_path.iterdir()) == ["0\n", "1\n"]


@pytest.mark.parametrize(
    ("zone", "folder"), [("UTC", "%Y/%j"), ("Etc/GMT+5", None), ("-05:00", None)]
)
def test_folders_by_date_and_zone(env, tmp_path, zone, folder):
    assigner = BucketAssigner.date_time_bucket_assigner("yyyy/DDD", zone)
    strings(env, [1]).sink_to(builder(tmp_path).with_bucket_assigner(assigner).build())
    shift = 0 if folder else 5 * 3600
    before = time.strftime("%Y/%j", time.gmtime(time.time() - shift))
    env.execute()
    (year,) = tmp_path.iterdir()
    (day,) = year.iterdir()
    after = time.strftime("%Y/%j", time.gmtime(time.time() - shift))
    assert f"{year.name}/{day.name}" in (before, after)


def test_charsets(env, tmp_path):
    stream = env.from_collection(["ä€"], Types.STRING())
    for charset in ("ISO-8859-1", "UTF-16", "cp1252"):
        stream.sink_to(builder(tmp_path / charset, charset).build())
    env.execute()
    found = {f.parent.name: f.read_bytes() for f in tmp_path.rglob("part-*")}
    assert found == {
        "ISO-8859-1": b"\xe4?\n",
        "UTF-16": b"\xfe\xff\x00\xe4\x20\xac\n",
        "cp1252": b"\xe4\x80\n",
    }


@pytest.mark.parametrize(
    ("assigner", "why"),
    [
        (("yyyy-ww", None), "'ww' in the date format 'yyyy-ww' is not understood"),
        (("'..'", None), "which is no folder below another"),
        (("yyyy", "Mars/Olympus"), "no time zone 'Mars/Olympus' is known here"),
    ],
)
def test_folders_that_make_no_sense(env, tmp_path, assigner, why):
    sink = builder(tmp_path).with_bucket_assigner(BucketAssigner(assigner)).build()
    with pytest.raises(ValueError, match=why):
        strings(env, [1]).sink_to(sink)
        env.execute()


def test_folder_that_cannot_be_made_fails_the_job(make_env, tmp_path):
    (tmp_path / "file").write_text("")
    env = make_env(2)
    strings(env, range(9)).rebalance().sink_to(builder(tmp_path / "file" / "below").build())
    with pytest.raises(JobError, match=r"cannot make folder .*file/below': Not a directory"):
        env.execute()


class FailsTwice(MapFunction):
    def open(self, runtime_context):
        fails = runtime_context.get_index_of_this_subtask() == 1
        self.left = 3000 if fails and runtime_context.get_attempt_number() < 2 else -1

    def map(self, value):
        self.left -= 1
        if value % 100 == 0:
            time.sleep(0.002)
        if self.left == 0:
            raise ValueError("on purpose")
        return str(value)


@pytest.mark.parametrize("on_checkpoint", [True, False])
def test_restarts_lose_and_double_nothing(make_env, tmp_path, on_checkpoint):
    settings = {
        "execution.checkpointing.interval": "10 ms",
        "execution.checkpointing.dir": str(tmp_path / "checkpoints"),
        "restart-strategy.type": "fixed-delay",
        "restart-strategy.fixed-delay.attempts": "4",
        "restart-strategy.fixed-delay.delay": "1 ms",
    }
    env = make_env(2, **settings)
    sink = builder(tmp_path / "out")
    if on_checkpoint:
        sink.with_rolling_policy(RollingPolicy.on_checkpoint_rolling_policy())
    source = NumberSequenceSource(1, 16_000)
    numbers = env.from_source(source, WatermarkStrategy.no_watermarks(), "numbers")
    numbers.map(FailsTwice(), Types.STRING()).sink_to(sink.build())
    env.execute("twice")
    assert lines(tmp_path / "out") == sorted(map(str, range(1, 16_001)))


@pytest.mark.parametrize("mode", ["thread", "process"])
def test_the_ten_minute_program(mode, tmp_path):
    script = ROOT / "examples" / "python" / "13_ten_minutes.py"
    command = [sys.executable, "-m", "leat", "run", "-D", f"python.execution-mode={mode}"]
    subprocess.run([*command, str(script), str(tmp_path)], check=True, timeout=60)
    find = ["find", str(tmp_path), "-type", "f", "-exec", "cat", "{}", ";"]
    found = subprocess.run(find, check=True, capture_output=True, text=True)
    assert found.stdout.split() == ["aaa", "bbb", "bbb"]
