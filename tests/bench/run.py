"""Benchmarks: what Leat costs beside a plain Python loop, and the bars and goals for that.

    python tests/bench/run.py --build BUILD [--quick | --full] [--only NAME ...] [--json FILE]

BUILD is a build folder of the preset `release`. Everything that is compared runs in this one call,
in turn, several rounds of it, each in a process of its own; a ratio is the median of the rounds'
ratios. Results are compared before times are: a wrong one ends the run. `cpu` is the same ratio of
CPU time, all processes together, which says more than wall time where others use the machine, too;
with two workers it can be doubled at best.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
THREAD, ONE, TWO = "thread", "process:1", "process:2"


@dataclass
class Row:
    """One line of the table. `bar` and `goal` are bounds: lower ones unless `most` is set."""

    name: str
    variant: str
    value: float
    unit: str
    bar: float | None = None
    goal: float | None = None
    most: bool = False
    note: str = ""
    rounds: list[float] = field(default_factory=list)

    def verdict(self) -> str:
        if self.bar is None:
            return ""
        if self.meets(self.goal):
            return "goal"
        return "bar" if self.meets(self.bar) else "MISSED"

    def meets(self, bound: float | None) -> bool:
        if bound is None:
            return False
        return self.value <= bound if self.most else self.value >= bound


@dataclass
class Sizes:
    """How much of everything."""

    rounds: int
    records: int
    native: int
    seconds: int
    files: list[int]  # MB
    starts: int


QUICK = Sizes(rounds=1, records=500_000, native=2_000_000, seconds=2, files=[2], starts=3)
NORMAL = Sizes(
    rounds=3, records=10_000_000, native=10_000_000, seconds=5, files=[10, 100], starts=10
)
FULL = Sizes(
    rounds=5, records=10_000_000, native=20_000_000, seconds=60, files=[10, 1000], starts=20
)


class Bench:
    """Runs things with one build and one interpreter."""

    def __init__(self, build: Path, python: str, sizes: Sizes, folder: Path) -> None:
        self.build, self.python, self.sizes, self.folder = build, python, sizes, folder
        packages = sorted((build / "lib" / "leat").glob("python3.*"))
        if not packages:
            sys.exit(f"{build} has no Python package; build it with the preset release")
        path = os.pathsep.join([str(packages[-1]), str(HERE)])
        self.env = {**os.environ, "PYTHONPATH": path, "PYTHONHASHSEED": "0"}
        self.env.pop("PYTHONDONTWRITEBYTECODE", None)  # an installation has its bytecode

    def call(self, *command: str | Path) -> str:
        words = [str(word) for word in command]
        done = subprocess.run(words, env=self.env, capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(f"{' '.join(words)} failed:\n{done.stdout}{done.stderr}")
        return done.stdout

    def job(self, name: str, variant: str, size: int | Path) -> dict[str, Any]:
        with tempfile.TemporaryDirectory(dir=self.folder) as folder:
            out = self.call(self.python, HERE / "jobs.py", name, variant, str(size), folder)
        result: dict[str, Any] = json.loads(out.splitlines()[-1])
        return result

    def program(self, name: str, inside: bool = False) -> Path:
        """The C program of that name, against the build; `inside`: it calls what is hidden."""
        out = self.folder / name
        library = self.build / "lib"
        flags = ["-O3", "-std=gnu17", f"-I{ROOT / 'include'}"]
        if inside:
            flags += [f"-I{ROOT / 'src'}", str(self.build / "src" / "libleat.a")]
            flags += ["-luv", "-lz", "-lm", "-ldl", "-lpthread"]
        else:
            flags += [f"-L{library}", "-lleat", f"-Wl,-rpath,{library}"]
        compiler = os.environ.get("CC", "cc")
        self.call(compiler, HERE / f"{name}.c", "-o", out, *flags)
        return out


# --- beside the plain loop ------------------------------------------------------------------------


def cpu_of(result: dict[str, Any]) -> float:
    return float(result["cpu"] + result["cpu_workers"])


def beside_plain(
    b: Bench, name: str, bounds: dict[str, tuple[float, float | None]], part: int = 1
) -> list[Row]:
    """A job of jobs.py in all variants with a part of the records; bar and goal of each."""
    size, runs = b.sizes.records // part, {v: [] for v in ["plain", *bounds]}
    for _ in range(b.sizes.rounds):
        for variant, results in runs.items():
            results.append(b.job(name, variant, size))
            if results[-1]["check"] != runs["plain"][0]["check"]:
                sys.exit(f"{name}, {variant}: {results[-1]['check']} is not the plain result")
    rows = []
    for variant, (bar, goal) in bounds.items():
        pairs = list(zip(runs["plain"], runs[variant], strict=True))
        ratios = [p["seconds"] / r["seconds"] for p, r in pairs]
        cpu = statistics.median(cpu_of(p) / cpu_of(r) for p, r in pairs)
        own = min(r["seconds"] for _, r in pairs) / size * 1e9
        plain = min(p["seconds"] for p, _ in pairs) / size * 1e9
        note = f"cpu {cpu:.2f}; {own:.0f} ns, plain {plain:.0f} ns"
        value = statistics.median(ratios)
        rows.append(Row(name, variant, value, "x plain", bar, goal, note=note, rounds=ratios))
    if name == "map":
        rows.append(border(runs["plain"], runs[THREAD], size))
    return rows


def border(plain: list[dict[str, Any]], thread: list[dict[str, Any]], size: int) -> Row:
    """What a record of the map costs beyond the loop's, in CPU time: one thread works in both."""
    costs = [(cpu_of(t) - cpu_of(p)) / size * 1e9 for p, t in zip(plain, thread, strict=True)]
    value = statistics.median(costs)
    return Row("border", THREAD, value, "ns", 25, 10, most=True, rounds=costs)


def bench_map(b: Bench) -> list[Row]:
    return beside_plain(b, "map", {THREAD: (0.7, 0.85), ONE: (0.6, None), TWO: (1.2, 1.6)})


def bench_chain(b: Bench) -> list[Row]:
    return beside_plain(b, "chain", {THREAD: (0.7, 0.85), ONE: (0.6, None), TWO: (1.2, 1.6)})


def bench_word_count(b: Bench) -> list[Row]:
    return beside_plain(b, "word_count", {THREAD: (0.75, 0.9), ONE: (0.6, None), TWO: (1.2, 1.6)})


def bench_word_count_sum(b: Bench) -> list[Row]:
    bounds = {THREAD: (1.1, 1.4), ONE: (0.6, None), TWO: (1.2, 1.6)}
    return beside_plain(b, "word_count_sum", bounds)


def bench_keyed_1k(b: Bench) -> list[Row]:
    return beside_plain(b, "keyed_1k", {THREAD: (0.7, 0.9)})


def bench_keyed_100k(b: Bench) -> list[Row]:
    return beside_plain(b, "keyed_100k", {THREAD: (0.9, 1.05)})


def bench_keyed_1m(b: Bench) -> list[Row]:
    return beside_plain(b, "keyed_1m", {THREAD: (0.9, 1.2)})


def bench_tumbling(b: Bench) -> list[Row]:
    return beside_plain(b, "tumbling", {THREAD: (1.0, 1.4)}, part=3)


def bench_tumbling_made(b: Bench) -> list[Row]:
    return beside_plain(b, "tumbling_made", {ONE: (0.6, None), TWO: (1.1, 1.8)}, part=5)


def bench_tumbling_sum(b: Bench) -> list[Row]:
    return beside_plain(b, "tumbling_sum", {THREAD: (4, 10)}, part=3)


def bench_sliding_sum(b: Bench) -> list[Row]:
    return beside_plain(b, "sliding_sum", {THREAD: (20, 28)}, part=20)


def bench_sliding_merge(b: Bench) -> list[Row]:
    return beside_plain(b, "sliding_merge", {THREAD: (10, None)}, part=20)


# --- the engine alone -----------------------------------------------------------------------------


def bench_native(b: Bench) -> list[Row]:
    program = b.program("native_chain")
    cost = json.loads(b.call(program, str(b.sizes.native), str(max(3, b.sizes.rounds))))
    loop = f"a C loop over the same functions: {cost['loop']:.1f} ns"
    per_second = 1e3 / cost["channel"]
    return [
        Row("native", "chain", cost["chain"], "ns/operator", 15, 5, most=True, note=loop),
        Row("native", "two tasks", per_second, "M records/s", 20),
    ]


def bench_batch_sort(b: Bench) -> list[Row]:
    """What a native sum by key costs in batch, beside the same as a stream."""
    program = b.program("batch_sort")
    rows = []
    for keys in (1000, 100_000):
        out = b.call(program, str(b.sizes.native), str(keys), str(max(3, b.sizes.rounds)))
        cost = json.loads(out)
        note = f"as a stream {cost['stream']:.0f} ns"
        for way in ("memory", "files"):
            variant = f"{keys} keys, {way}"
            rows.append(Row("batch sort", variant, cost[way], "ns CPU/record", note=note))
    return rows


def bench_state(b: Bench) -> list[Row]:
    program = b.program("keyed_state")
    keys = 100_000 if b.sizes.rounds == 1 else 1_000_000
    cost = json.loads(b.call(program, str(keys), str(b.sizes.rounds)))
    note = f"a record of a new key costs {cost['put']:.0f} ns more with a value"
    timers = f"to set one {cost['set']:.0f} ns; {cost['timer_bytes']:.0f} bytes each"
    return [
        Row("state", f"{keys} keys", cost["bytes"], "bytes/key", 60, 50, most=True, note=note),
        Row("timers", f"{keys} fire", cost["fire"], "ns/timer", note=timers),
    ]


def bench_freeze(b: Bench) -> list[Row]:
    """The longest that state stands still for a snapshot, and what one takes from the work."""
    program = b.program("freeze", inside=True)
    keys = 100_000 if b.sizes.rounds == 1 else 1_000_000
    rows = []
    for what, cost in json.loads(b.call(program, str(keys), str(b.sizes.rounds))).items():
        pause = max(cost["freeze"], cost["sweep"], cost["take"])
        note = f"{cost['extra']:.0f} ns for each; at once it takes {cost['at_once']:.0f} ns"
        rows.append(Row("freeze", f"{keys}, {what}", pause, "us", 1000, most=True, note=note))
    return rows


def bench_survival(b: Bench) -> list[Row]:
    """What checkpoints cost, and how soon a job is back, in memory and on the disk."""
    program = b.program("survival")
    keys = 100_000 if b.sizes.rounds == 1 else 1_000_000
    rows = []
    for where in (Path("/dev/shm"), b.folder):
        if not os.access(where, os.W_OK):
            continue
        with tempfile.TemporaryDirectory(dir=where) as folder:
            records, seconds = str(10 * b.sizes.native), str(2 * b.sizes.seconds)
            cost = json.loads(b.call(program, str(keys), records, seconds, folder))
        what = f"{keys} keys, {'tmpfs' if where.name == 'shm' else 'disk'}"
        note = f"{cost['without_s']:.1f} s without, {cost['with_s']:.1f} s with"
        loss = 100 * cost["loss"]
        worst = f"worst of {cost['checkpoints']}; mean {cost['publish_mean_ms']:.0f} ms"
        made = cost["publish_worst_ms"]
        rows += [
            Row("survival", f"{what}: loss", loss, "%", 5, 3, most=True, note=note),
            Row("survival", f"{what}: gap", cost["gap_ms"], "ms", 20, 5, most=True),
            Row("survival", f"{what}: publish", made, "ms", 300, 150, most=True, note=worst),
            Row("survival", f"{what}: restore", cost["restore_ms"], "ms", 1000, 300, most=True),
        ]
    return rows


def bench_killed(b: Bench) -> list[Row]:
    """From the SIGKILL of a worker to the first value in the sink of the next attempt."""
    with tempfile.TemporaryDirectory(dir=b.folder) as folder:
        times = [
            float(b.call(b.python, HERE / "killed.py", folder).splitlines()[-1])
            for _ in range(b.sizes.starts)
        ]
    return [Row("killed worker", "1000 keys", statistics.median(times), "ms", 1000, most=True)]


def bench_native_windows(b: Bench) -> list[Row]:
    """CPU time, of all threads, with 1 and 10 records per key and second of event time."""
    program = b.program("native_windows")
    rows = []
    for per_second in (1_000, 10_000):
        out = b.call(program, str(b.sizes.native // 10), str(b.sizes.rounds), str(per_second))
        for variant, cost in json.loads(out).items():
            rows.append(Row("native_windows", f"{variant} {per_second}", cost, "ns/record"))
    return rows


def bench_latency(b: Bench) -> list[Row]:
    program = b.program("push_latency")
    rows = []
    for mode, bar, goal in (("thread", 500, 100), ("process", 1000, 250)):
        out = b.call(program, mode, b.python, "10000", str(b.sizes.seconds))
        us = json.loads(out.splitlines()[-1])
        note = f"median {us['p50']:.0f}, 99.9 % {us['p999']:.0f}, worst {us['worst']:.0f} us"
        rows.append(Row("latency", mode, us["p99"], "us, 99 %", bar, goal, most=True, note=note))
    return rows


# --- from file to file ----------------------------------------------------------------------------


def write_text(path: Path, megabytes: int) -> None:
    """Lines of jobs.py over and over, until the file has the size."""
    sys.path.insert(0, str(HERE))
    from text import make_lines

    block = ("\n".join(make_lines(20_000, seed=11)) + "\n").encode()
    with path.open("wb") as out:
        while out.tell() < megabytes << 20:
            out.write(block)


def expected(source: Path) -> list[int]:
    words = 0
    with source.open() as lines:
        for line in lines:
            words += len(line.split())
    return [words, words]


def bench_file(b: Bench) -> list[Row]:
    rows: list[Row] = []
    peaks: dict[str, list[float]] = {"peak": [], "peak_worker": []}
    for size in b.sizes.files:
        source = b.folder / f"{size}.txt"
        write_text(source, size)
        result = b.job("file", TWO, source)
        if result["check"] != expected(source):
            sys.exit(f"file, {size} MB: {result['check']} is not {expected(source)}")
        source.unlink()
        share = 100 * result["cpu"] / cpu_of(result)
        speed = f"{size / result['seconds']:.1f} MB/s"
        name = f"{size} MB"
        rows.append(Row("file", name, share, "% main CPU", 10, most=True, note=speed))
        for key, values in peaks.items():
            values.append(result[key])
    for key, who in (("peak", "main"), ("peak_worker", "worker")):
        more, note = peaks[key][-1] - peaks[key][0], f"{peaks[key][0]:.1f} MiB at the smallest"
        rows.append(Row("file memory", who, more, "MiB more", 10, most=True, note=note))
    return rows


# --- the start ------------------------------------------------------------------------------------


def seconds_of(b: Bench, *command: str | Path) -> float:
    begin = time.perf_counter()
    b.call(*command)
    return time.perf_counter() - begin


def bench_start(b: Bench) -> list[Row]:
    """One record through one map, from exec to exit, above `python -c pass`."""
    commands: dict[str, list[str | Path]] = {
        "bare": [b.python, "-c", "pass"],
        "thread": [b.python, HERE / "one_record.py", "thread"],
        "process": [b.python, HERE / "one_record.py", "process"],
    }
    times: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(b.sizes.starts + 1):
        for name, command in commands.items():
            times[name].append(1000 * seconds_of(b, *command))
    rows = []
    for name, bar, goal in (("thread", 60, 30), ("process", 150, 80)):
        above = [t - bare for t, bare in zip(times[name][1:], times["bare"][1:], strict=True)]
        note = f"best {min(above):.0f}; bare interpreter {statistics.median(times['bare']):.0f} ms"
        value = statistics.median(above)
        rows.append(Row("start", name, value, "ms above", bar, goal, True, note, above))
    return rows


# --- the program ----------------------------------------------------------------------------------


BENCHES = {
    "map": bench_map,
    "chain": bench_chain,
    "word_count": bench_word_count,
    "word_count_sum": bench_word_count_sum,
    "keyed_1k": bench_keyed_1k,
    "keyed_100k": bench_keyed_100k,
    "keyed_1m": bench_keyed_1m,
    "state": bench_state,
    "freeze": bench_freeze,
    "tumbling": bench_tumbling,
    "tumbling_made": bench_tumbling_made,
    "tumbling_sum": bench_tumbling_sum,
    "sliding_sum": bench_sliding_sum,
    "sliding_merge": bench_sliding_merge,
    "survival": bench_survival,
    "killed": bench_killed,
    "native": bench_native,
    "batch_sort": bench_batch_sort,
    "native_windows": bench_native_windows,
    "latency": bench_latency,
    "file": bench_file,
    "start": bench_start,
}


def show(row: Row) -> str:
    sign = "<=" if row.most else ">="
    bound = f"{sign} {row.bar:g}" if row.bar is not None else ""
    goal = f"{row.goal:g}" if row.goal is not None else ""
    measured = f"{row.value:.2f}" if row.value < 10 else f"{row.value:.0f}"
    return (
        f"{row.name:15} {row.variant:10} {measured:>7} {row.unit:12} {bound:>8} {goal:>5} "
        f"{row.verdict():7} {row.note}"
    )


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--build", type=Path, default=ROOT / "build" / "release")
    parser.add_argument("--python", default=sys.executable, help="the interpreter to measure")
    parser.add_argument("--only", action="append", choices=sorted(BENCHES), help="may be repeated")
    parser.add_argument("--json", type=Path, help="write the rows to this file, too")
    parser.add_argument("--rounds", type=int, help="how often each comparison is made")
    sizes = parser.add_mutually_exclusive_group()
    sizes.add_argument("--quick", action="store_true", help="small sizes: does it run at all?")
    sizes.add_argument("--full", action="store_true", help="a minute of latency, 1 GB of text")
    return parser.parse_args()


def main() -> int:
    a = arguments()
    sizes = QUICK if a.quick else FULL if a.full else NORMAL
    if a.rounds:
        sizes.rounds = a.rounds
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="leat-bench-") as folder:
        bench = Bench(a.build.resolve(), a.python, sizes, Path(folder))
        for name in a.only or BENCHES:
            for row in BENCHES[name](bench):
                print(show(row), flush=True)
                rows.append(row)
    if a.json:
        found = [{**asdict(row), "verdict": row.verdict()} for row in rows]
        a.json.write_text(json.dumps(found, indent=1) + "\n")
    return any(row.verdict() == "MISSED" for row in rows) and not a.quick


if __name__ == "__main__":
    sys.exit(main())
