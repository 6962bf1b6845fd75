"""What run.py measures: each job beside the plain Python loop that calls the same functions.

    python jobs.py JOB VARIANT SIZE FOLDER

runs one of them in this process and writes one line of JSON: seconds, the check, CPU seconds and
peak memory. VARIANT is plain, thread, or process:N with N workers. FOLDER is a private one, for
what workers and files leave behind.
"""

from __future__ import annotations

import gc
import json
import os
import resource
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from leat.common import Configuration, Types, WatermarkStrategy
from leat.datastream import StreamExecutionEnvironment
from leat.datastream.connectors.number_seq import NumberSequenceSource
from leat.datastream.functions import KeyedProcessFunction, SinkFunction
from leat.datastream.state import ValueStateDescriptor
from text import WORDS_PER_LINE, make_lines
from windows import SLIDING, TUMBLING, Blocks, aggregate, builtin, job, mergeable, plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from leat.datastream import DataStream, RuntimeContext

PAIR = Types.TUPLE([Types.STRING(), Types.LONG()])
COUNT_AND_SUM = Types.TUPLE([Types.LONG(), Types.DOUBLE()])


# --- the users' functions -------------------------------------------------------------------------


def increment(x: int) -> int:
    return x + 1


def is_wanted(x: int) -> bool:
    return x % 4 != 0


def double(x: int) -> int:
    return x * 2


def twice_or_not(x: int) -> list[int]:
    return [x, x + 1] if x % 3 == 0 else [x]


class Split:
    """The words of line `i` of a text without end."""

    def __init__(self) -> None:
        self.lines = make_lines(2000, seed=7)

    def __call__(self, i: int) -> list[str]:
        return self.lines[i % 2000].split()


def split(line: str) -> list[str]:
    return line.split()


def pair(word: str) -> tuple[str, int]:
    return (word, 1)


def first(t: tuple[str, int]) -> str:
    return t[0]


def add(a: tuple[str, int], b: tuple[str, int]) -> tuple[str, int]:
    return (a[0], a[1] + b[1])


class Scatter:
    """A pair of one of `keys` keys and a measurement, for each number."""

    def __init__(self, keys: int) -> None:
        self.keys = keys

    def __call__(self, x: int) -> tuple[int, float]:
        return (x * 2654435761 % 4294967296 % self.keys, x * 0.5)


def key_of(measured: tuple[int, float]) -> int:
    return measured[0]


class Averages(KeyedProcessFunction):
    """How many measurements a key has had, with their sum in the state."""

    def open(self, runtime_context: RuntimeContext) -> None:
        descriptor = ValueStateDescriptor("sum", COUNT_AND_SUM)
        self.state = runtime_context.get_state(descriptor)

    def process_element(
        self, value: tuple[int, float], ctx: KeyedProcessFunction.Context
    ) -> Iterator[int]:
        state = self.state.value()
        count, total = state if state is not None else (0, 0.0)
        self.state.update((count + 1, total + value[1]))
        yield count + 1


class PlainAverages:
    """The same with a dict."""

    def __init__(self) -> None:
        self.state: dict[int, tuple[int, float]] = {}

    def process_element(self, key: int, value: tuple[int, float]) -> Iterator[int]:
        state = self.state.get(key)
        count, total = state if state is not None else (0, 0.0)
        self.state[key] = (count + 1, total + value[1])
        yield count + 1


class AddUp(SinkFunction):
    """The check: how many values came, and their sum. Each subtask leaves them in a file."""

    def __init__(self, folder: str) -> None:
        super().__init__(None)
        self.folder = folder
        self.count = 0
        self.total = 0

    def invoke(self, value: int, context: Any) -> None:
        self.count += 1
        self.total += value

    def close(self) -> None:
        Path(self.folder, f"{os.getpid()}-{id(self)}").write_text(f"{self.count} {self.total}")


class AddUpPairs(AddUp):
    """The same for the numbers of (word, number)."""

    def invoke(self, value: tuple[str, int], context: Any) -> None:
        self.count += 1
        self.total += value[1]


class AddUpResults(AddUp):
    """The same for results of windows: sums, or records with the sum in the second place."""

    def invoke(self, value: int | tuple[int, int, int], context: Any) -> None:
        self.count += 1
        self.total += value if isinstance(value, int) else value[1]


# --- plain loops ----------------------------------------------------------------------------------


def plain_map(size: int, sink: AddUp) -> None:
    check = sink.invoke
    for x in range(1, size + 1):
        check(increment(x), None)


def plain_chain(size: int, sink: AddUp) -> None:
    check = sink.invoke
    for x in range(1, size + 1):
        y = increment(x)
        if is_wanted(y):
            for z in twice_or_not(double(y)):
                check(z, None)


def plain_word_count(size: int, sink: AddUp) -> None:
    check, words, counts = sink.invoke, Split(), {}
    for i in range(1, size // WORDS_PER_LINE + 1):
        for word in words(i):
            new = pair(word)
            key = first(new)
            old = counts.get(key)
            counts[key] = result = new if old is None else add(old, new)
            check(result, None)


def plain_keyed_state(keys: int) -> Callable[[int, AddUp], None]:
    def run(size: int, sink: AddUp) -> None:
        check, scatter, process = sink.invoke, Scatter(keys), PlainAverages().process_element
        for x in range(1, size + 1):
            measured = scatter(x)
            for count in process(key_of(measured), measured):
                check(count, None)

    return run


# --- jobs -----------------------------------------------------------------------------------------


def numbers(env: StreamExecutionEnvironment, last: int) -> DataStream:
    source = NumberSequenceSource(1, last)
    return env.from_source(source, WatermarkStrategy.no_watermarks(), "numbers")


def job_map(env: StreamExecutionEnvironment, size: int, sink: AddUp) -> None:
    numbers(env, size).map(increment).add_sink(sink)


def job_chain(env: StreamExecutionEnvironment, size: int, sink: AddUp) -> None:
    kept = numbers(env, size).map(increment).filter(is_wanted)
    kept.map(double).flat_map(twice_or_not).add_sink(sink)


def pairs(env: StreamExecutionEnvironment, size: int) -> DataStream:
    words = numbers(env, size // WORDS_PER_LINE).flat_map(Split(), output_type=Types.STRING())
    return words.map(pair, output_type=PAIR)


def job_word_count(env: StreamExecutionEnvironment, size: int, sink: AddUp) -> None:
    pairs(env, size).key_by(first, key_type=Types.STRING()).reduce(add).add_sink(sink)


def job_word_count_sum(env: StreamExecutionEnvironment, size: int, sink: AddUp) -> None:
    pairs(env, size).key_by(first, key_type=Types.STRING()).sum(1).add_sink(sink)


def job_keyed_state(keys: int) -> Callable[[StreamExecutionEnvironment, int, AddUp], None]:
    def build(env: StreamExecutionEnvironment, size: int, sink: AddUp) -> None:
        keyed = numbers(env, size).map(Scatter(keys)).key_by(key_of, key_type=Types.LONG())
        keyed.process(Averages()).add_sink(sink)

    return build


def job_file(env: StreamExecutionEnvironment, source: Path, folder: str) -> None:
    """From file to file: `source` is a text, the result goes to `folder`/out."""
    words = env.read_text_file(str(source)).flat_map(split, output_type=Types.STRING())
    keyed = words.map(pair, output_type=PAIR).key_by(first, key_type=Types.STRING())
    keyed.reduce(add).write_as_text(f"{folder}/out")


# --- measuring ------------------------------------------------------------------------------------


JOBS: dict[str, tuple[Callable[..., None], Callable[..., None], type[AddUp]]] = {
    "map": (plain_map, job_map, AddUp),
    "chain": (plain_chain, job_chain, AddUp),
    "word_count": (plain_word_count, job_word_count, AddUpPairs),
    "word_count_sum": (plain_word_count, job_word_count_sum, AddUpPairs),
    "keyed_1k": (plain_keyed_state(1000), job_keyed_state(1000), AddUp),
    "keyed_100k": (plain_keyed_state(100_000), job_keyed_state(100_000), AddUp),
    "keyed_1m": (plain_keyed_state(1_000_000), job_keyed_state(1_000_000), AddUp),
    "tumbling": (plain(10_000, 10_000), job(TUMBLING, aggregate), AddUpResults),
    "tumbling_made": (plain(10_000, 10_000, True), job(TUMBLING, aggregate, True), AddUpResults),
    "tumbling_sum": (plain(10_000, 10_000), job(TUMBLING, builtin), AddUpResults),
    "sliding_sum": (plain(60_000, 1000), job(SLIDING, builtin), AddUpResults),
    "sliding_merge": (plain(60_000, 1000), job(SLIDING, mergeable), AddUpResults),
}


def environment(variant: str) -> StreamExecutionEnvironment:
    mode, _, workers = variant.partition(":")
    config = Configuration()
    config.set_string("python.execution-mode", mode)
    config.set_string("parallelism.default", workers or "1")
    config.set_string("python.worker.pool-size", workers or "1")
    return StreamExecutionEnvironment.get_execution_environment(config)


def read_check(folder: str) -> list[int]:
    parts = [[int(n) for n in f.read_text().split()] for f in Path(folder).iterdir() if f.is_file()]
    return [sum(column) for column in zip(*parts, strict=True)]


def measure(run: Callable[[], object]) -> dict[str, float]:
    """Wall and CPU seconds of `run`, and the CPU seconds of the workers that ended in it."""
    workers, cpu, begin = worker_usage(), time.process_time(), time.perf_counter()
    run()
    return {
        "seconds": time.perf_counter() - begin,
        "cpu": time.process_time() - cpu,
        "cpu_workers": worker_usage() - workers,
    }


def worker_usage() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def peaks() -> dict[str, float]:
    """Peak MiB of this process, and of the largest worker."""
    return {
        "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "peak_worker": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024,
    }


def run_job(name: str, variant: str, size: int, folder: str) -> dict[str, Any]:
    plain, build, sink_type = JOBS[name]
    sink = sink_type(folder)
    if sink_type is AddUpResults and name != "tumbling_made":
        Blocks(size).all()
        # The millions of tuples that were just made owe the interpreter one full collection, which
        # would otherwise come while windows are measured; the plain loop and the job get it alike.
        gc.collect()
    if variant == "plain":
        used = measure(lambda: plain(size, sink))
        sink.close()
    else:
        env = environment(variant)
        build(env, size, sink)
        used = measure(lambda: env.execute(name))
    return {"check": read_check(folder), **used, **peaks()}


def lines_of(folder: Path) -> Iterator[str]:
    files = [folder] if folder.is_file() else sorted(folder.iterdir())
    for f in files:
        with f.open() as lines:
            yield from lines


def run_file(variant: str, source: Path, folder: str) -> dict[str, Any]:
    """`source` is a text; the check: the number of lines written, and the sum of final counts."""
    env = environment(variant)
    job_file(env, source, folder)
    used = measure(lambda: env.execute("file")) | peaks()
    count, totals = 0, {}
    for line in lines_of(Path(f"{folder}/out")):
        word, _, total = line.rstrip("\n)").partition(",")
        totals[word] = total  # counts grow, and a word's are in one file
        count += 1
    return {"check": [count, sum(map(int, totals.values()))], **used}


def main(name: str, variant: str, size: str, folder: str) -> None:
    if name == "file":
        result = run_file(variant, Path(size), folder)
    else:
        result = run_job(name, variant, int(size), folder)
    print(json.dumps(result))


if __name__ == "__main__":
    main(*sys.argv[1:])
