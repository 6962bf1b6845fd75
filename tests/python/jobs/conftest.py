"""Whole jobs through the Python package, each in THREAD and in PROCESS mode."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cloudpickle
import pytest
from leat import _leat  # noqa: F401 - the built package, before anybody puts the sources in its place
from leat.common import Configuration
from leat.datastream import DataStream, StreamExecutionEnvironment

HERE = Path(__file__).resolve().parent
SECONDS = 60  # for a job in a process of its own

# Workers search where this process does: job_records lies beside this file.
sys.path.append(str(HERE))

MakeEnv = Callable[..., StreamExecutionEnvironment]


@pytest.fixture(params=["thread", "process"])
def mode(request: pytest.FixtureRequest) -> str:
    """The execution mode."""
    return request.param


@pytest.fixture(autouse=True)
def functions_travel(request: pytest.FixtureRequest) -> Iterator[None]:
    """Workers can't import the test modules, so what is defined in them travels by value."""
    cloudpickle.register_pickle_by_value(request.module)
    yield
    cloudpickle.unregister_pickle_by_value(request.module)


@pytest.fixture
def make_env(mode: str, monkeypatch: pytest.MonkeyPatch) -> MakeEnv:
    """Makes environments in the mode of the test: parallelism, then settings by key."""
    monkeypatch.delenv("LEAT_CONF", raising=False)

    def make(parallelism: int = 1, **settings: str) -> StreamExecutionEnvironment:
        configuration = Configuration()
        configuration.set_string("python.execution-mode", mode)
        for key, value in settings.items():
            configuration.set_string(key, value)
        env = StreamExecutionEnvironment.get_execution_environment(configuration)
        return env.set_parallelism(parallelism)

    return make


@pytest.fixture
def env(make_env: MakeEnv) -> StreamExecutionEnvironment:
    """An environment of parallelism 1."""
    return make_env()


@pytest.fixture
def results() -> Callable[[DataStream], list[Any]]:
    """Runs the job of a stream and answers what it gave."""

    def run(stream: DataStream) -> list[Any]:
        with stream.execute_and_collect("test") as collected:
            return list(collected)

    return run


def environment(**changes: str) -> dict[str, str]:
    """The variables of a child that shall find the same package."""
    import leat

    kept = {k: v for k, v in os.environ.items() if k != "LEAT_CONF"}
    home = Path(leat.__file__).parents[1]
    return {**kept, "PYTHONPATH": str(home), "PYTHONUNBUFFERED": "", **changes}


@pytest.fixture
def leat_run(mode: str, tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs a script's text, or the file of that path, by `python -m leat run` in the mode."""

    def run(
        script: str | Path, *arguments: str, settings: tuple[str, ...] = (), **options: Any
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            leat_command(mode, script, tmp_path, *arguments, settings=settings),
            cwd=options.pop("cwd", tmp_path),
            env=environment(**options.pop("env", {})),
            text=True,
            timeout=SECONDS,
            check=False,
            **({"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options),
        )

    return run


@pytest.fixture
def leat_start(mode: str, tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts a script's text by `python -m leat run`; what is left of it is killed."""
    started: list[subprocess.Popen[str]] = []

    def start(script: str, *arguments: str, **options: Any) -> subprocess.Popen[str]:
        child = subprocess.Popen(
            leat_command(mode, script, tmp_path, *arguments),
            cwd=tmp_path,
            env=environment(),
            text=True,
            **({"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options),
        )
        started.append(child)
        return child

    yield start
    for child in started:
        child.kill()
        child.communicate()


def leat_command(
    mode: str,
    script: str | Path,
    folder: Path,
    *arguments: str,
    settings: tuple[str, ...] = (),
) -> list[str]:
    """The command that runs a script, which is written to a file unless it is one."""
    if isinstance(script, str):
        path = folder / "script.py"
        path.write_text(script)
        script = path
    pairs = [part for s in (f"python.execution-mode={mode}", *settings) for part in ("-D", s)]
    return [sys.executable, "-m", "leat", "run", *pairs, str(script), *arguments]
