"""What a case is, and what is done with one: build its stream, add the sink, run, tell the answer.

A case is a function of an environment, written as any PyFlink script is, that answers what shall be
run: a stream, whose values are told as a function behind it sees them; `Behind(stream)`, the same
in a task of its own, so that types count (PyFlink does not convert between chained Python
functions); `Collected(stream)`, what `execute_and_collect` gives; `Printed()`, what `print()`
writes; or a list, the answer itself.
The same files run under PyFlink and, with `leat.as_pyflink`, under Leat.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyflink
from pyflink.common import Configuration, Types
from pyflink.datastream import RuntimeExecutionMode, StreamExecutionEnvironment

UNDER_LEAT = pyflink.__name__ == "leat"

# One watermark after each record: Leat has a key for it; PyFlink gets it from a period of a
# millisecond, bundles of one record, and a pause before each record, in a task before the one that
# makes the watermarks, for that must have nothing to do meanwhile.
PACED = (
    {"pipeline.watermark-per-record": "true"}
    if UNDER_LEAT
    else {"pipeline.auto-watermark-interval": "1 ms", "python.fn-execution.bundle.size": "1"}
)
PAUSE = 0.6
# Where an object lies, in its text.
ADDRESS = re.compile(r"0x[0-9a-f]+|(?<=@)[0-9a-f]{6,8}\b")


@dataclass
class Case:
    """One case: its name within the family, how to build it, and how to run it."""

    name: str
    build: Callable[[StreamExecutionEnvironment], Any]
    parallelism: int = 1
    batch: bool = False
    ordered: bool = False
    settings: dict[str, str] = field(default_factory=dict)


class Behind:
    """Tell the values of the stream behind a border between tasks; and what `print()` writes."""

    def __init__(self, stream: Any, printed: bool = False) -> None:
        self.stream = stream
        self.printed = printed


class Collected:
    """Tell what `execute_and_collect` gives for the stream."""

    def __init__(self, stream: Any, limit: int | None = None) -> None:
        self.stream = stream
        self.limit = limit


class Printed:
    """Tell the lines that the job writes to the standard output; its sink is there already."""


class Family:
    """The cases of one file, by name, in the order in which they stand there."""

    def __init__(self) -> None:
        self.cases: dict[str, Case] = {}

    def case(
        self,
        parallelism: int | tuple[int, ...] = 1,
        batch: bool | None = False,
        ordered: bool = False,
        paced: bool = False,
        settings: dict[str, str] | None = None,
    ) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Adds the function below as a case.

        Several parallelisms make several cases, `name@3` beside `name`; `batch=None` makes one in
        streaming and one in batch mode, `name:batch`. `ordered`: the order of the answer counts.
        """

        def add(build: Callable[..., Any]) -> Callable[..., Any]:
            self._add(build.__name__, build, parallelism, batch, ordered, paced, settings)
            return build

        return add

    def each(self, arguments: dict[str, Any], **options: Any) -> Callable[..., Any]:
        """Adds one case per argument, `function-name`; the function gets the argument, too."""

        def add(build: Callable[..., Any]) -> Callable[..., Any]:
            for name, argument in arguments.items():

                def bound(env: Any, argument: Any = argument) -> Any:
                    return build(env, argument)

                self._add(
                    f"{build.__name__}-{name}",
                    bound,
                    options.get("parallelism", 1),
                    options.get("batch", False),
                    options.get("ordered", False),
                    options.get("paced", False),
                    options.get("settings"),
                )
            return build

        return add

    def _add(
        self,
        name: str,
        build: Callable[..., Any],
        parallelism: int | tuple[int, ...],
        batch: bool | None,
        ordered: bool,
        paced: bool,
        settings: dict[str, str] | None,
    ) -> None:
        for p in (parallelism,) if isinstance(parallelism, int) else parallelism:
            for b in (False, True) if batch is None else (batch,):
                full = (
                    name + ("" if p == 1 else f"@{p}") + (":batch" if b and batch is None else "")
                )
                assert full not in self.cases, full
                chosen = {**(PACED if paced else {}), **(settings or {})}
                self.cases[full] = Case(full, build, p, b, ordered and p == 1, chosen)


def paced(env: StreamExecutionEnvironment, values: list[Any], type_info: Any = None) -> Any:
    """A stream of the values, with time for a watermark after each; for cases with `paced=True`.

    The end of the input comes with a watermark of its own, so it waits, too: for a value more,
    which is dropped.
    """
    if UNDER_LEAT:
        return env.from_collection(values, type_info)
    to_come = [len(values)]

    def slowly(value: Any) -> bool:
        time.sleep(PAUSE)
        to_come[0] -= 1
        return to_come[0] >= 0

    stream = env.from_collection([*values, values[-1]], type_info)
    return stream.filter(slowly).set_parallelism(1).disable_chaining()


def shown(value: Any) -> str:
    """A value as cases tell it: how a function behind the stream sees it."""
    return repr(value)


def environment(case: Case, mode: str) -> StreamExecutionEnvironment:
    """An environment for the case in an execution mode."""
    configuration = Configuration()
    configuration.set_string("python.execution-mode", mode)
    if not UNDER_LEAT:
        configuration.set_string("rest.bind-port", "0")
    for key, value in case.settings.items():
        configuration.set_string(key, value)
    env = StreamExecutionEnvironment.get_execution_environment(configuration)
    env.set_parallelism(case.parallelism)
    if case.batch:
        env.set_runtime_mode(RuntimeExecutionMode.BATCH)
    return env


def answer(case: Case, mode: str) -> dict[str, Any]:
    """Builds and runs the case: `{"rows": [...]}`, or `{"error": ..., "type": ..., "text": ...}`
    with "build" or "run" as what failed.
    """
    stage = "build"
    try:
        env = environment(case, mode)
        made = case.build(env)
        stage = "run"
        rows = run(env, made)
    except Exception as e:
        kind, text = told_error(e)
        return {"error": stage, "type": kind, "text": text}
    rows = [ADDRESS.sub("0x...", row) for row in rows]
    return {"rows": rows if case.ordered else sorted(rows)}


def run(env: StreamExecutionEnvironment, made: Any) -> list[str]:
    if isinstance(made, list):
        return [str(row) for row in made]
    if isinstance(made, Printed):
        with written_lines() as lines:
            env.execute("case")
        return lines
    if isinstance(made, Collected):
        if made.limit is not None:
            return [repr(v) for v in made.stream.execute_and_collect("case", made.limit)]
        with made.stream.execute_and_collect("case") as values:
            return [repr(v) for v in values]
    if not isinstance(made, Behind):
        return told(made.map(shown, output_type=Types.STRING()))
    lines: list[str] = []
    if made.printed:  # by a job of its own: PyFlink's execute_and_collect forgets other sinks
        made.stream.print("printed")
        with written_lines() as lines:
            env.execute("case")
    rows = told(made.stream.map(shown, output_type=Types.STRING()).disable_chaining())
    return rows + lines


def told(stream: Any) -> list[str]:
    with stream.execute_and_collect("case") as values:
        return list(values)


@contextlib.contextmanager
def written_lines() -> Iterator[list[str]]:
    """What the process writes to its standard output meanwhile, the JVM included."""
    lines: list[str] = []
    begin = os.fstat(1).st_size
    yield lines
    sys.stdout.flush()
    with Path(f"/proc/self/fd/{1}").open("rb") as f:
        f.seek(begin)
        lines.extend(f.read().decode(errors="replace").splitlines())


def own_stdout() -> int:
    """Puts a file in the place of the standard output, before any other part of the program has
    it; answers a descriptor of the one that was there."""
    kept = os.dup(1)
    with tempfile.TemporaryFile() as f:
        os.dup2(f.fileno(), 1)
    return kept


# --- Errors ---------------------------------------------------------------------------------------

PYTHON_ERROR = re.compile(r"^((?:\w+\.)*[A-Z]\w*)(?:: (.*))?$")
EMBEDDED_ERROR = re.compile(r"PythonException: <class '(?:\w+\.)*(\w+)'>: (.*)")
JAVA_ERROR = re.compile(r"^(?:Caused by: |: )?((?:[a-z]\w*\.)+[A-Z][\w$]*)(?:: (.*))?$")


def told_error(error: BaseException) -> tuple[str, str]:
    """The type and the first sentence of what went wrong first."""
    text = str(error)
    if UNDER_LEAT or not type(error).__name__.startswith("Py4J"):
        first = error
        while UNDER_LEAT and type(first).__name__ == "JobError" and first.__cause__ is not None:
            first = first.__cause__
        return type(first).__name__, sentence(str(first))
    embedded = EMBEDDED_ERROR.findall(text)
    if embedded:
        return embedded[-1][0], sentence(embedded[-1][1])
    traceback = text.rpartition("Traceback (most recent call last):")
    if traceback[1]:
        for line in traceback[2].splitlines()[1:]:
            found = PYTHON_ERROR.match(line)
            if found:
                return found[1].rpartition(".")[2], sentence(found[2] or "")
    causes = [m for m in map(JAVA_ERROR.match, text.splitlines()) if m]
    if not causes:
        return type(error).__name__, sentence(text)
    last = causes[-1]
    return "java:" + last[1].rpartition(".")[2], sentence(last[2] or "")


def sentence(text: str) -> str:
    """The first sentence, or line, without what differs from run to run."""
    first = re.split(r"\. |\n", text.strip() + "\n")[0].rstrip(".")
    first = ADDRESS.sub("0x...", first)
    return re.sub(r"/[\w./-]+", "/...", first)[:300]
