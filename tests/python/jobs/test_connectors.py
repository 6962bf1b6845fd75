"""Sources and sinks as Python programs use them."""

from __future__ import annotations

import gzip
import itertools
import resource
import threading
import time
from pathlib import Path

import pytest
from leat.common import Encoder, Types, WatermarkStrategy
from leat.common.errors import JobError
from leat.datastream.connectors import NumberSequenceSource
from leat.datastream.connectors.file_system import (
    BucketAssigner,
    FileSink,
    FileSource,
    OutputFileConfig,
    StreamFormat,
)
from leat.datastream.functions import SinkFunction, SourceFunction

NONE = WatermarkStrategy.no_watermarks()


def file_stream(env, *paths):
    source = FileSource.for_record_stream_format(StreamFormat.text_line_format(), *map(str, paths))
    return env.from_source(source.process_static_file_set().build(), NONE, "files")


# --- text files -----------------------------------------------------------------------------------


@pytest.mark.quick
@pytest.mark.parametrize("parallelism", [1, 2, 4])
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize("last", [True, False])
def test_lines_of_a_file(make_env, results, tmp_path, parallelism, ending, last):
    lines = [f"line {i} ä" * (i % 7) for i in range(5000)]
    path = tmp_path / "text"
    path.write_bytes((ending.join(lines) + (ending if last else "")).encode())
    if not last:
        assert lines[-1]
    stream = make_env(parallelism).read_text_file(str(path))
    assert sorted(results(stream.map(lambda x: x))) == sorted(lines)
    if parallelism == 1:
        assert results(stream) == lines


@pytest.mark.parametrize(
    "content", [b"", b"\n", b"\n\n", b"a", b"a\n\nb", b"\r\n", b"a\rb\n", b"\xef\xbb\xbfa\n"]
)
def test_small_files(env, results, tmp_path, content):
    path = tmp_path / "text"
    path.write_bytes(content)
    expected = content.decode().removesuffix("\n").split("\n") if content else []
    expected = [line.removesuffix("\r") for line in expected]
    assert results(env.read_text_file(str(path))) == expected


@pytest.mark.parametrize("parallelism", [1, 3])
def test_folders_gzip_and_hidden_files(make_env, results, tmp_path, parallelism):
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "a.txt").write_text("a1\na2\n")
    (tmp_path / "deep" / "b.txt").write_text("b1")
    with gzip.open(tmp_path / "deep" / "er" / "c.gz", "wt") as file:
        file.write("c1\r\nc2\n" * 10_000)
    with gzip.open(tmp_path / "d.gz", "wt") as file, gzip.open(tmp_path / "e.gz", "wt"):
        file.write("d1")
    with (tmp_path / "d.gz").open("ab") as file:
        file.write(gzip.compress(b"\nd2"))  # a second member
    (tmp_path / ".hidden").write_text("no")
    (tmp_path / "_hidden").write_text("no")
    (tmp_path / ".folder").mkdir()
    (tmp_path / ".folder" / "f").write_text("no")
    found = results(make_env(parallelism).read_text_file(str(tmp_path)).map(lambda x: x))
    assert sorted(found) == sorted(["a1", "a2", "b1", *["c1", "c2"] * 10_000, "d1", "d2"])


def test_several_paths_and_urls(env, results, tmp_path):
    for name in "ab":
        (tmp_path / name).write_text(name)
    stream = file_stream(env, tmp_path / "a", f"file://{tmp_path}/b")
    assert sorted(results(stream)) == ["a", "b"]


@pytest.mark.parametrize("ending", [".txt", ".gz"])
def test_bad_utf8_names_file_and_offset(env, results, tmp_path, ending):
    content = b"good\n" * 1000 + b"b\xffd\n"
    path = tmp_path / f"text{ending}"
    path.write_bytes(gzip.compress(content) if ending == ".gz" else content)
    with pytest.raises(JobError, match=rf"{path}.*5001") as failure:
        results(env.read_text_file(str(path)))
    assert "UTF-8" in str(failure.value)


def test_truncated_gzip_is_told(env, results, tmp_path):
    path = tmp_path / "text.gz"
    path.write_bytes(gzip.compress(b"line\n" * 100_000)[:-20])
    with pytest.raises(JobError, match=str(path)):
        results(env.read_text_file(str(path)))


def test_one_file_is_read_by_all_subtasks(make_env, results, tmp_path):
    from leat.datastream.functions import MapFunction

    class Where(MapFunction):
        def open(self, runtime_context):
            self.subtask = runtime_context.get_index_of_this_subtask()

        def map(self, value):
            return self.subtask, value

    path = tmp_path / "text"
    path.write_text("".join(f"{i}\n" for i in range(400_000)))
    found = results(make_env(2).read_text_file(str(path)).map(Where()))
    assert sorted(int(line) for _, line in found) == list(range(400_000))
    assert {subtask for subtask, _ in found} == {0, 1}


def test_long_lines(make_env, results, tmp_path):
    path = tmp_path / "text"
    lengths = [0, 1, 3_000_000, 5, 2_000_000, 0]
    path.write_text("\n".join("x" * n for n in lengths))
    assert sorted(results(make_env(3).read_text_file(str(path)).map(len))) == sorted(lengths[:-1])


# --- other sources --------------------------------------------------------------------------------


@pytest.mark.parametrize("parallelism", [1, 2, 4])
def test_number_sequence(make_env, results, parallelism):
    env = make_env(parallelism)
    numbers = env.from_source(NumberSequenceSource(-5, 1000), NONE, "numbers")
    assert numbers.get_type() == Types.LONG()
    assert sorted(results(numbers.map(lambda x: x))) == list(range(-5, 1001))
    one = env.from_source(NumberSequenceSource(7, 7), NONE, "one")
    assert results(one) == [7]
    least = env.from_source(NumberSequenceSource(-(2**63), -(2**63) + 2), NONE, "least")
    assert sorted(results(least)) == [-(2**63), -(2**63) + 1, -(2**63) + 2]


class Counting(SourceFunction):
    def __init__(self, count):
        self.count = count

    def run(self, ctx):
        for i in range(self.count):
            ctx.collect(i)

    def cancel(self):
        raise AssertionError("it ended by itself")


class Waiting(SourceFunction):
    """Waits for its cancel, as sources do that listen to something."""

    def open(self, runtime_context):
        self.stop = threading.Event()

    def run(self, ctx):
        ctx.collect("begin")
        self.stop.wait()

    def cancel(self):
        self.stop.set()


class Endless(SourceFunction):
    def run(self, ctx):
        for i in itertools.count():
            ctx.collect(i)

    def cancel(self):
        pass


def test_source_function(env, results):
    stream = env.add_source(Counting(50_000), "counting", Types.LONG())
    assert results(stream.map(lambda x: x)) == list(range(50_000))


def test_source_function_is_cancelled(env):
    with env.add_source(Waiting()).map(str.upper).execute_and_collect() as found:
        assert next(found) == "BEGIN"
        begin = time.monotonic()
    assert time.monotonic() - begin < 2


def test_source_function_with_yield(env, results):
    class Yielding(SourceFunction):
        def run(self, ctx):
            yield from range(5000)

        def cancel(self):
            pass

    assert results(env.add_source(Yielding())) == list(range(5000))


def test_source_function_that_raises(env, results):
    class Raising(SourceFunction):
        def run(self, ctx):
            ctx.collect(1)
            raise ValueError("dry")

        def cancel(self):
            pass

    with pytest.raises(JobError, match=r"Spring \(1/1\): .*dry") as failure:
        results(env.add_source(Raising(), "Spring"))
    assert type(failure.value.__cause__) is ValueError


def test_generator_source(env, results):
    def numbers():
        for i in range(5000):
            yield i, [i]

    stream = env.add_source(numbers, type_info=Types.TUPLE([Types.INT(), Types.LIST(Types.INT())]))
    assert results(stream) == [(i, [i]) for i in range(5000)]


def test_generator_source_that_raises_and_of_wrong_type(env, results):
    def broken():
        yield 1
        raise KeyError("gone")

    with pytest.raises(JobError, match="gone") as failure:
        results(env.add_source(broken))
    assert type(failure.value.__cause__) is KeyError
    with pytest.raises(JobError, match=r"Odd \(1/1\): .*expected STRING, got int 1"):
        results(env.add_source(lambda: iter([1]), "Odd", Types.STRING()))


def test_from_collection_of_nothing(env, results):
    """As in PyFlink 2.3."""
    assert results(env.from_collection([]).map(lambda x: x)) == []
    assert results(env.from_collection(iter(()), Types.INT()).key_by(lambda x: x).sum()) == []


# --- sinks ----------------------------------------------------------------------------------------


class Writing(SinkFunction):
    def __init__(self, folder):
        self.folder = folder

    def open(self, runtime_context):
        subtask = runtime_context.get_index_of_this_subtask()
        self.file = (Path(self.folder) / str(subtask)).open("w")

    def invoke(self, value, context):
        self.file.write(f"{value}\n")

    def close(self):
        self.file.close()


@pytest.mark.parametrize("parallelism", [1, 3])
def test_sink_function(make_env, tmp_path, parallelism):
    env = make_env(parallelism)
    env.from_collection(range(300)).rebalance().add_sink(Writing(str(tmp_path)))
    env.execute()
    files = sorted(tmp_path.iterdir())
    assert [f.name for f in files] == [str(i) for i in range(parallelism)]
    written = [int(line) for f in files for line in f.read_text().splitlines()]
    assert sorted(written) == list(range(300))


def test_callable_sink(env, tmp_path):
    path = tmp_path / "written"

    def write(value):
        with path.open("a") as file:
            file.write(value)

    env.from_collection(["a", "b"]).add_sink(write)
    env.execute()
    assert path.read_text() == "ab"


def test_sink_that_raises(env):
    def full(value):
        raise OSError(28, "No space left on device")

    env.from_collection([1]).add_sink(full).name("Store")
    with pytest.raises(JobError, match=r"Store \(1/1\): .*No space left") as failure:
        env.execute()
    assert type(failure.value.__cause__) is OSError


def file_sink(path, **names):
    builder = FileSink.for_row_format(str(path), Encoder.simple_string_encoder())
    if names:
        config = OutputFileConfig.builder().with_part_prefix(names["prefix"])
        builder = builder.with_output_file_config(config.with_part_suffix(names["suffix"]).build())
    return builder.with_bucket_assigner(BucketAssigner.base_path_bucket_assigner()).build()


@pytest.mark.parametrize("parallelism", [1, 2])
def test_file_sink(make_env, tmp_path, parallelism):
    env = make_env(parallelism)
    types = Types.ROW([Types.STRING(), Types.LONG(), Types.DOUBLE()])
    rows = env.from_collection([("a", 1, None), ("b", None, 2.0)]).rebalance()
    rows.map(lambda x: x, types).sink_to(file_sink(tmp_path, prefix="rows", suffix=".txt"))
    env.execute()
    files = sorted(f for f in tmp_path.iterdir())
    assert all(f.name.startswith("rows-") and f.name.endswith(".txt") for f in files)
    lines = sorted(line for f in files for line in f.read_text().splitlines())
    assert lines == ["+I[a, 1, null]", "+I[b, null, 2.0]"]


def test_file_sink_by_hour(env, tmp_path):
    sink = FileSink.for_row_format(str(tmp_path), Encoder.simple_string_encoder()).build()
    before = time.strftime("%Y-%m-%d--%H")
    env.from_collection(["x"]).map(lambda x: x, Types.STRING()).sink_to(sink)
    env.execute()
    (folder,) = tmp_path.iterdir()
    assert folder.name in (before, time.strftime("%Y-%m-%d--%H"))
    (file,) = folder.iterdir()
    assert file.read_text() == "x\n"


def test_file_sink_of_a_failed_job_leaves_hidden_files_only(env, tmp_path):
    def late(x):
        if x == 9999:
            raise ValueError("late")
        return str(x)

    env.from_collection(range(10_000)).map(late, Types.STRING()).sink_to(file_sink(tmp_path))
    with pytest.raises(JobError, match="late"):
        env.execute()
    assert [f.name for f in tmp_path.rglob("*") if f.is_file() and f.name[0] != "."] == []


def test_file_sink_runs_twice(make_env, tmp_path):
    for run in "12":
        env = make_env(1)
        env.from_collection([run]).map(lambda x: x, Types.STRING()).sink_to(file_sink(tmp_path))
        env.execute()
    assert sorted(f.read_text() for f in tmp_path.iterdir()) == ["1\n", "2\n"]


@pytest.mark.parametrize("parallelism", [1, 2])
def test_write_as_text(make_env, tmp_path, parallelism):
    env = make_env(parallelism)
    path = tmp_path / "out"
    env.from_collection([("a", 1), ("b", 2)]).rebalance().map(lambda x: x).write_as_text(str(path))
    env.execute()
    files = sorted(path.iterdir()) if parallelism > 1 else [path]
    if parallelism > 1:
        assert [f.name for f in files] == ["1", "2"]
    assert sorted("".join(f.read_text() for f in files).splitlines()) == ["('a', 1)", "('b', 2)"]


# --- execute_and_collect --------------------------------------------------------------------------


@pytest.mark.quick
def test_collect_streams_while_the_job_runs(env):
    gate = env.add_source(Waiting()).map(lambda x: x)
    with gate.execute_and_collect() as found:
        assert next(found) == "begin"


def test_collect_closed_early_stops_the_job(env):
    begin = time.monotonic()
    with env.add_source(Endless()).map(lambda x: x + 1).execute_and_collect() as found:
        assert [next(found) for _ in range(3)] == [1, 2, 3]
    assert list(found) == []
    found.close()
    assert time.monotonic() - begin < 5


def test_collect_with_limit(env):
    assert env.from_collection(range(10)).execute_and_collect(limit=3) == [0, 1, 2]
    assert env.from_collection(range(2)).execute_and_collect(limit=3) == [0, 1]
    assert env.add_source(Endless()).execute_and_collect("endless", limit=2) == [0, 1]
    with pytest.raises(ValueError, match="limit"):
        env.from_collection([1]).execute_and_collect(limit=0)


def test_collect_of_a_fast_producer_keeps_memory(env):
    big = env.add_source(Endless()).map(lambda x: (x, "x" * 10_000))
    with big.execute_and_collect() as found:
        next(found)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        time_to_fill = time.monotonic() + 1.5
        read = 1
        while time.monotonic() < time_to_fill:  # slower than the producer
            next(found)
            read += 1
            threading.Event().wait(0.001)
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 << 10  # KiB
    assert read > 10


def test_collect_raises_the_jobs_error_after_its_results(env):
    def last(x):
        if x == 5:
            raise ValueError("five")
        return x

    found = env.from_collection(range(6)).map(last).execute_and_collect()
    got = []
    with pytest.raises(JobError, match="five"):
        for value in found:
            got.append(value)
    assert got == list(range(len(got)))


def test_collect_ends_with_stop_iteration(env):
    found = env.from_collection([1]).execute_and_collect()
    assert found.next() == 1
    with pytest.raises(StopIteration, match="No more data"):
        found.next()
    with pytest.raises(StopIteration):
        found.next()


def test_collect_that_is_forgotten_ends_its_job(env):
    import gc

    found = env.add_source(Endless()).map(lambda x: x).execute_and_collect()
    next(found)
    del found
    gc.collect()


def test_package_has_the_names_of_its_modules():
    from leat.datastream import connectors

    assert connectors.FileSource is FileSource
    with pytest.raises(AttributeError, match="no attribute 'KafkaSauce'"):
        _ = connectors.KafkaSauce
