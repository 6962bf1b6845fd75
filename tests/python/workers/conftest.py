"""Workers under bad treatment, in programs of their own: what matters is how they live on."""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

SECONDS = 40  # for a program; how fast something must be is asserted where it is

PRELUDE = """\
import os, signal, sys, time
from leat.common import Configuration, Types
from leat.datastream import FlatMapFunction, MapFunction, SinkFunction, StreamExecutionEnvironment

def make_env(parallelism=1, **settings):
    configuration = Configuration()
    for key, value in {"python.execution-mode": "process", **settings}.items():
        configuration.set_string(key, str(value))
    env = StreamExecutionEnvironment.get_execution_environment(configuration)
    return env.set_parallelism(parallelism)

def say(*words):
    print(*words, file=sys.stderr, flush=True)

def wait_for(condition, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.005)

def descriptors():
    return len(os.listdir("/proc/self/fd"))

def children():
    found = []
    for thread in os.listdir("/proc/self/task"):
        try:
            found += open(f"/proc/self/task/{thread}/children").read().split()
        except (FileNotFoundError, ProcessLookupError):
            pass  # the thread has ended meanwhile
    return found
"""


@dataclasses.dataclass
class Result:
    """How a program ended."""

    code: int
    out: str
    err: str
    seconds: float


class Program:
    """A running program and what can be found out about its workers."""

    def __init__(self, text: str, folder: Path, wanted: dict[str, str], group: bool) -> None:
        script = folder / "program.py"
        script.write_text(PRELUDE + text)
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            [sys.executable, str(script)],
            cwd=folder,
            env=environment(**wanted),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=group,
        )

    def result(self, seconds: float = SECONDS) -> Result:
        out, err = self.process.communicate(timeout=seconds)
        return Result(self.process.returncode, out, err, time.monotonic() - self.started)

    def workers(self) -> list[int]:
        """The numbers of its worker processes that are alive."""
        return [p for p in processes() if parent(p) == self.process.pid and is_worker(p)]

    def wait_for_workers(self, count: int) -> list[int]:
        """Until so many are at work: past their start."""
        wait_for(lambda: sum(map(is_watched, self.workers())) == count)
        return self.workers()

    def wait_for(self, condition: Callable[[], bool]) -> None:
        wait_for(lambda: condition() or self.process.poll() is not None)

    def kill_and_wait(self, workers: list[int]) -> float:
        """Kills the main process; the seconds until no worker is left."""
        self.process.kill()
        return wait_for(lambda: not any(map(alive, workers)))


def environment(**wanted: str) -> dict[str, str]:
    """The variables of a child that shall find the package under test."""
    import leat

    kept = {k: v for k, v in os.environ.items() if k != "LEAT_CONF"}
    home = Path(leat.__file__).parents[1]
    return {**kept, "PYTHONPATH": str(home), **wanted}


def processes() -> list[int]:
    return [int(p.name) for p in Path("/proc").iterdir() if p.name.isdigit()]


def _stat(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return ["X", "0"]


def alive(pid: int) -> bool:
    """A zombie is not."""
    return _stat(pid)[0] not in "XZ"


def parent(pid: int) -> int:
    return int(_stat(pid)[1])


def is_worker(pid: int) -> bool:
    try:
        return b"leat.worker" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return False


def is_watched(pid: int) -> bool:
    """Has the worker got as far as its watchdog?"""
    try:
        threads = list(Path(f"/proc/{pid}/task").iterdir())
        return any((t / "comm").read_text() == "leat-watch\n" for t in threads)
    except (FileNotFoundError, ProcessLookupError):
        return False


def wait_for(condition: Callable[[], bool], seconds: float = 20) -> float:
    """Until the condition holds; how long that took."""
    start = time.monotonic()
    while not condition():
        assert time.monotonic() < start + seconds, "it did not happen in time"
        time.sleep(0.005)
    return time.monotonic() - start


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Program]]:
    """Starts a program's text behind the prelude; what is left of it is killed."""
    programs: list[Program] = []
    seen: list[int] = []

    def begin(text: str, group: bool = False, **wanted: str) -> Program:
        programs.append(Program(text, tmp_path, wanted, group))
        return programs[-1]

    yield begin
    for program in programs:
        seen += program.workers()
        program.process.kill()
        program.process.communicate()
    for pid in seen:
        if is_worker(pid):
            os.kill(pid, signal.SIGKILL)


@pytest.fixture
def run(start: Callable[..., Program]) -> Callable[..., Result]:
    """Runs a program to its end."""
    return lambda text, **wanted: start(text, **wanted).result()
