"""Sources that go on where they stood when their job restarts: every record counts once."""

from __future__ import annotations

import gzip
import itertools
import logging
import threading
import time
from pathlib import Path

import pytest
from leat.common import Duration, Types, WatermarkStrategy
from leat.common.errors import JobError
from leat.datastream import SourceFunction, Splits
from leat.datastream.connectors import NumberSequenceSource
from leat.datastream.connectors.file_system import FileSource, StreamFormat
from leat.datastream.functions import KeyedProcessFunction, MapFunction, SinkFunction
from leat.datastream.state import ListStateDescriptor

NONE = WatermarkStrategy.no_watermarks()
AT_THE_END = 2**62
RESTARTING = {
    "execution.checkpointing.interval": "20ms",
    "restart-strategy.type": "fixed-delay",
    "restart-strategy.fixed-delay.attempts": "1",
    "restart-strategy.fixed-delay.delay": "1ms",
}


@pytest.fixture
def restarting(make_env, tmp_path):
    """Makes environments whose jobs restart once."""

    def make(parallelism=1, **settings):
        folder = {"execution.checkpointing.dir": str(tmp_path / "checkpoints")}
        return make_env(parallelism, **{**RESTARTING, **folder, **settings})

    return make


def published(folder):
    """The checkpoints that are complete."""
    names = (path.name for path in Path(folder).glob("checkpoints/*/chk-*"))
    return {name for name in names if name.removeprefix("chk-").isdigit()}


class Tripping(MapFunction):
    """Hands on slowly, and fails once: at its `at`th record, or the first when one is `saved`."""

    def __init__(self, folder, at, pause=0.001, saved=False):
        self.flag = Path(folder) / "tripped"
        self.at, self.pause, self.saved, self.seen = at, pause, saved, 0

    def is_time(self):
        if not self.saved:
            return self.seen == self.at
        return self.seen >= self.at and published(self.flag.parent)

    def map(self, value):
        self.seen += 1
        time.sleep(self.pause)
        if not self.flag.exists() and self.is_time():
            self.flag.touch()
            raise ValueError("tripped")
        return int(value)


class Keeping(KeyedProcessFunction):
    """Gives all that it got, at the end."""

    def open(self, runtime_context):
        self.kept = runtime_context.get_list_state(ListStateDescriptor("kept", Types.LONG()))

    def process_element(self, value, ctx):
        self.kept.add(value)
        ctx.timer_service().register_event_time_timer(AT_THE_END)

    def on_timer(self, timestamp, ctx):
        yield from self.kept.get()


def kept(stream, folder, at, pause=0.001, saved=False):
    tripping = stream.map(Tripping(str(folder), at, pause, saved), Types.LONG())
    return tripping.key_by(lambda v: v % 4, Types.LONG()).process(Keeping(), Types.LONG())


def expect_once(results, stream, expected, folder):
    found = sorted(results(stream))
    assert (folder / "tripped").exists()
    assert found == sorted(expected)


def noted(path):
    return path.read_text().split() if path.exists() else []


# --- sources of the library -----------------------------------------------------------------------


@pytest.mark.parametrize("parallelism", [1, 2])
@pytest.mark.parametrize("at", [1, 70, 140])
def test_sequence_goes_on(restarting, results, tmp_path, parallelism, at):
    env = restarting(parallelism)
    numbers = env.from_source(NumberSequenceSource(0, 299), NONE, "numbers")
    expect_once(results, kept(numbers, tmp_path, at), range(300), tmp_path)


@pytest.mark.parametrize("at", [1, 150])
def test_collection_goes_on(restarting, results, tmp_path, at):
    stream = restarting(2).from_collection(range(300)).rebalance()
    expect_once(results, kept(stream, tmp_path, min(at, 100)), range(300), tmp_path)


@pytest.mark.parametrize("parallelism", [1, 2])
def test_text_files_go_on(restarting, results, tmp_path, parallelism):
    folder = tmp_path / "in"
    folder.mkdir()
    for part in range(3):
        (folder / f"{part}.txt").write_text("".join(f"{part * 100 + i}\n" for i in range(50)))
        with gzip.open(folder / f"{part}.gz", "wt") as file:
            file.writelines(f"{part * 100 + i}\n" for i in range(50, 100))
    stream = restarting(parallelism).read_text_file(str(folder))
    expect_once(results, kept(stream, tmp_path, 100), range(300), tmp_path)


# --- folders that are watched ---------------------------------------------------------------------


def watched(env, folder, millis=10):
    builder = FileSource.for_record_stream_format(StreamFormat.text_line_format(), str(folder))
    source = builder.monitor_continuously(Duration.of_millis(millis)).build()
    return env.from_source(source, NONE, "watched")


def bring(folder, name, lines):
    coming = folder / f".{name}"
    coming.write_text("".join(f"{line}\n" for line in lines))
    coming.rename(folder / name)


@pytest.mark.parametrize("parallelism", [1, 3])
def test_files_that_come_are_read_once(make_env, tmp_path, parallelism):
    bring(tmp_path, "0", [0, 1])
    stream = watched(make_env(parallelism), tmp_path).map(int)
    with stream.execute_and_collect() as found:
        assert sorted(itertools.islice(found, 2)) == [0, 1]
        (tmp_path / ".part-0-0.inprogress.1").write_text("no\n")
        (tmp_path / "_started").write_text("no\n")
        bring(tmp_path, "1", [2, 3, 4])
        (tmp_path / "deep").mkdir()
        bring(tmp_path / "deep", "2", [5])
        assert sorted(itertools.islice(found, 4)) == [2, 3, 4, 5]
        (tmp_path / "0").write_text("0\n1\nno\n")  # was read
        bring(tmp_path, "3", [6])
        assert next(found) == 6


class Noting(SinkFunction):
    def __init__(self, path):
        self.path = str(path)

    def invoke(self, value, context):
        with Path(self.path).open("a") as file:
            file.write(f"{value}\n")


def await_line(path, line):
    until = time.monotonic() + 30
    while line not in noted(path) and time.monotonic() < until:
        time.sleep(0.005)
    assert line in noted(path)


def test_files_that_come_during_a_restart_are_read_once(restarting, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    bring(folder, "0", range(60))

    def add_up(a, b):
        return a[0] + b[0], a[1] + b[1]

    stream = watched(restarting(2), folder).map(Tripping(str(tmp_path), 40), Types.LONG())
    sums = stream.map(lambda v: (v, 1)).key_by(lambda v: 0).reduce(add_up)
    sums.map(lambda v: f"{v[0]}/{v[1]}").add_sink(Noting(tmp_path / "notes"))
    client = stream.get_execution_environment().execute_async("watching")
    for begin in (60, 120):
        bring(folder, str(begin), range(begin, begin + 60))
    await_line(tmp_path / "notes", f"{sum(range(180))}/180")
    client.cancel().result()
    assert (tmp_path / "tripped").exists()


def test_watching_what_is_not_there(env, results, tmp_path):
    with pytest.raises(JobError, match=r"watched \(1/1\).*absent"):
        results(watched(env, tmp_path / "absent"))
    with pytest.raises(ValueError, match="above 0"):
        watched(env, tmp_path, 0)
    with pytest.raises(TypeError, match="Duration"):
        builder = FileSource.for_record_stream_format(StreamFormat.text_line_format(), "x")
        builder.monitor_continuously(5)


# --- sources in Python ----------------------------------------------------------------------------


class Numbers(SourceFunction):
    """0 to count - 1."""

    def __init__(self, count, notes):
        self.count, self.notes = count, str(notes)
        self.next = 0
        self.stop = False

    def run(self, ctx):
        while self.next < self.count and not self.stop:
            ctx.collect(self.next)
            self.next += 1
            time.sleep(0.001)

    def cancel(self):
        self.stop = True

    def snapshot(self):
        return self.next

    def restore(self, position):
        with Path(self.notes).open("a") as file:
            file.write(f"{position}\n")
        self.next = position


class Yielding(Numbers):
    def run(self, ctx):
        while self.next < self.count:
            yield self.next
            self.next += 1
            time.sleep(0.001)


class Ranging(Numbers):
    """Sets its position before the value goes out, which is as good: it is where the value is."""

    def run(self, ctx):
        for self.next in range(self.next, self.count):  # noqa: B020
            ctx.collect(self.next)
            time.sleep(0.001)


class Called:
    """Gives an iterable when it is called, and has a position, too."""

    def __init__(self, count, notes):
        self.count, self.notes, self.next = count, notes, 0

    def __call__(self):
        while self.next < self.count:
            yield self.next
            self.next += 1

    snapshot = Numbers.snapshot
    restore = Numbers.restore


@pytest.mark.parametrize("kind", [Numbers, Yielding, Ranging, Called])
@pytest.mark.parametrize("saved", [False, True])
def test_python_source_goes_on(restarting, results, tmp_path, kind, saved):
    notes = tmp_path / "notes"
    count = 1000 if saved else 60
    stream = restarting(1).add_source(kind(count, str(notes)), "numbers", Types.LONG())
    expect_once(results, kept(stream, tmp_path, 20, saved=saved), range(count), tmp_path)
    assert not saved or len(noted(notes)) == 1


class Waiting(Numbers):
    """Ten values, then a wait until there are two checkpoints more, then ten more values."""

    def run(self, ctx):
        while self.next < self.count:
            ctx.collect(self.next)
            self.next += 1
            if self.next == 10:
                self.wait_for_checkpoints(2)

    def wait_for_checkpoints(self, count):
        folder = Path(self.notes).parent
        before, until = published(folder), time.monotonic() + 30
        seen = set(before)
        while len(seen - before) < count:
            assert time.monotonic() < until, "no checkpoint came"
            time.sleep(0.005)
            seen |= published(folder)


@pytest.mark.parametrize("at", [9, 11, 15])
def test_python_source_that_waits_does_not_hold_up_checkpoints(restarting, results, tmp_path, at):
    notes = tmp_path / "notes"
    stream = restarting(1).add_source(Waiting(20, notes), "waiting", Types.LONG())
    expect_once(results, kept(stream, tmp_path, at), range(20), tmp_path)
    assert at == 9 or len(noted(notes)) == 1


class Broken(Numbers):
    def snapshot(self):
        raise OSError("where am I?")


def test_snapshot_that_raises(restarting, results, tmp_path):
    env = restarting(1, **{"restart-strategy.type": "none"})
    with pytest.raises(JobError, match=r"broken \(1/1\): .*where am I") as failure:
        results(env.add_source(Broken(300, tmp_path), "broken"))
    assert type(failure.value.__cause__) is OSError


def test_snapshot_that_collects(restarting, results, tmp_path):
    class Eager(Numbers):
        def run(self, ctx):
            self.ctx = ctx
            super().run(ctx)

        def snapshot(self):
            if hasattr(self, "ctx"):
                self.ctx.collect(-1)
            return self.next

    env = restarting(1, **{"restart-strategy.type": "none"})
    with pytest.raises(JobError, match="must not collect"):
        results(env.add_source(Eager(300, tmp_path), "eager"))


def test_values_of_several_threads_count_once(restarting, results, tmp_path):
    class Crowd(SourceFunction):
        """Three threads take numbers in turn; position and value change under one lock."""

        def __init__(self):
            self.next = 0

        def run(self, ctx):
            lock = threading.Lock()

            def work():
                while True:
                    with lock:
                        if self.next == 300:
                            return
                        ctx.collect(self.next)
                        self.next += 1
                    time.sleep(0.001)

            threads = [threading.Thread(target=work, daemon=True) for _ in range(3)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()

        def snapshot(self):
            return self.next

        def restore(self, position):
            self.next = position

    stream = restarting(1).add_source(Crowd(), "crowd", Types.LONG())
    expect_once(results, kept(stream, tmp_path, 120), range(300), tmp_path)


def test_position_that_cannot_be_pickled(restarting, results, tmp_path):
    class Locked(Numbers):
        def snapshot(self):
            return threading.Lock()

    env = restarting(1, **{"restart-strategy.type": "none"})
    with pytest.raises(JobError, match=r"locked \(1/1\): .*pickle"):
        results(env.add_source(Locked(300, tmp_path), "locked"))


def test_restore_that_raises(restarting, results, tmp_path):
    class Lost(Numbers):
        def restore(self, position):
            raise LookupError(f"no way back to {position}")

    env = restarting(1)
    stream = env.add_source(Lost(1000, tmp_path), "lost", Types.LONG())
    with pytest.raises(JobError, match=r"lost \(1/1\): .*no way back to"):
        results(kept(stream, tmp_path, 20, saved=True))


def test_half_a_way_back_is_refused(env, results):
    class Half(SourceFunction):
        def run(self, ctx):
            ctx.collect(1)

        def snapshot(self):
            return 1

    with pytest.raises(JobError, match="Half has a method 'snapshot' and no 'restore'"):
        results(env.add_source(Half()))


# --- splits ---------------------------------------------------------------------------------------


class Parts(SourceFunction):
    """Parts with an offset each, some of them this subtask's."""

    def __init__(self, parts, size, pause=0.0):
        self.all, self.size, self.pause, self.parts = parts, size, pause, None

    def open(self, runtime_context):
        subtask = runtime_context.get_index_of_this_subtask()
        subtasks = runtime_context.get_number_of_parallel_subtasks()
        self.parts = dict.fromkeys(range(subtask, self.all, subtasks), 0)
        self.stop = False

    def run(self, ctx):
        while self.parts and not self.stop:
            for part, offset in list(self.parts.items()):
                ctx.collect(part * self.size + offset)
                self.parts[part] = offset + 1
                if offset + 1 == self.size:
                    del self.parts[part]
                time.sleep(self.pause)

    def cancel(self):
        self.stop = True

    def snapshot(self):
        return Splits(self.parts.items())

    def restore(self, splits):
        assert type(splits) is Splits
        self.parts = dict(splits)


def parts_of(env, parallelism, pause=0.0):
    return env.add_source(Parts(5, 60, pause), "parts", Types.LONG()).set_parallelism(parallelism)


@pytest.mark.parametrize("parallelism", [1, 2])
def test_splits_go_on(restarting, results, tmp_path, parallelism):
    stream = parts_of(restarting(2), parallelism)
    expect_once(results, kept(stream, tmp_path, 70), range(300), tmp_path)


# --- sources that can't go back -------------------------------------------------------------------


class Plain(SourceFunction):
    def run(self, ctx):
        ctx.collect(1)


def test_source_that_cannot_go_back_is_named(restarting, make_env, results, caplog, capfd, mode):
    def said(env, source):
        caplog.clear()
        with caplog.at_level(logging.WARNING, "leat"):
            assert results(env.add_source(source, "plain")) == [1] or source
        return caplog.text + capfd.readouterr().err

    assert "plain: this source can't go back" in said(restarting(1), Plain())
    assert "plain: this source can't go back" in said(restarting(1), lambda: iter([1]))
    assert "can't go back" not in said(restarting(1), Numbers(1, "unused"))
    assert "can't go back" not in said(make_env(1), Plain())
    loose = restarting(1, **{"execution.checkpointing.mode": "AT_LEAST_ONCE"})
    assert "can't go back" not in said(loose, Plain())


# --- another parallelism, the other mode ----------------------------------------------------------


def go_on_elsewhere(make_env, tmp_path, source, before, after):
    """Runs a job until it fails, and one of that name with another parallelism to its end."""
    folder = tmp_path / "checkpoints"
    settings = {
        "execution.checkpointing.interval": "10ms",
        "restart-strategy.type": "none",
        "execution.checkpointing.dir": str(folder),
    }
    env = make_env(before, **settings)
    first = kept(source(env, before), tmp_path, 20, 0.004, saved=True)
    first.add_sink(Noting(tmp_path / "before"))
    with pytest.raises(JobError, match="tripped"):
        env.execute("elsewhere")
    env = make_env(after, **settings, **{"execution.state-recovery.path": "latest"})
    kept(source(env, after), tmp_path, 40).add_sink(Noting(tmp_path / "after"))
    env.execute("elsewhere")
    return sorted(int(line) for line in noted(tmp_path / "after"))


@pytest.mark.parametrize(("before", "after"), [(1, 3), (3, 1), (2, 3)])
@pytest.mark.parametrize("kind", ["sequence", "files", "splits"])
def test_sources_go_on_with_another_parallelism(make_env, tmp_path, kind, before, after):
    folder = tmp_path / "in"
    folder.mkdir()
    for part in range(6):
        lines = "".join(f"{part * 50 + i}\n" for i in range(50))
        (folder / f"{part}.txt").write_text(lines)

    def source(env, parallelism):
        if kind == "sequence":
            return env.from_source(NumberSequenceSource(0, 299), NONE, "numbers")
        if kind == "files":
            return env.read_text_file(str(folder))
        return parts_of(env, parallelism, 0.001)

    found = go_on_elsewhere(make_env, tmp_path, source, before, after)
    assert found == list(range(300))


def test_positions_that_cannot_be_dealt_out_are_refused(make_env, tmp_path):
    def source(env, parallelism):
        numbers = Numbers(300, tmp_path / "notes")
        return env.add_source(numbers, "numbers", Types.LONG()).set_parallelism(parallelism)

    with pytest.raises(JobError, match=r"numbers \(\d/2\): .*position of its own.*Splits"):
        go_on_elsewhere(make_env, tmp_path, source, 1, 2)
