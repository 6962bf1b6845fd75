"""Records what PyFlink answers; run by scripts/parity with a Python that has apache-flink.

record.py [FAMILY[/CASE] ...]      all of them without arguments
record.py --leat-answers BECAUSE FAMILY/CASE ...
                                   Leat's answers are others, and why: stores what they are now, if
                                   its two modes agree
record.py --as-process BECAUSE FAMILY/CASE ...
                                   Leat's answer is that of PyFlink's PROCESS mode (--as-thread:
                                   THREAD mode), and why the other one's is not
record.py --prune                  takes out of not_yet.txt what Leat answers now

--leat-answers and --prune run Leat, and need a Python that has it.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import golden  # noqa: E402

CHUNK = 60  # cases for one JVM: after some hundred jobs it is full
SECONDS = 90  # without an answer, after which a case hangs
MODES = ("thread", "process")
# Jobs that live for a second do not live to see the optimising compiler's work.
FAST_JAVA = {"JAVA_TOOL_OPTIONS": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"}

Answers = dict[str, Any]


def families() -> list[str]:
    return sorted(p.stem for p in (HERE / "cases").glob("[a-z]*.py"))


def case_names(family: str) -> list[str]:
    return list(importlib.import_module(f"cases.{family}").family.cases)


def read_answers(path: Path) -> Answers:
    lines = path.read_text().splitlines(keepends=True) if path.exists() else []
    whole = (line.partition("\t") for line in lines if line.endswith("\n"))
    return {name: json.loads(text) for name, _, text in whole}


def run_chunk(family: str, mode: str, names: list[str], options: tuple[str, ...] = ()) -> Answers:
    """The answers of a process that runs these cases, up to the first on which it hangs or dies."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "answers"
        child = subprocess.Popen(
            [sys.executable, str(HERE / "run_cases.py"), *options, mode, str(out), family, *names],
            env=os.environ | FAST_JAVA | {"PYTHONPATH": os.pathsep.join(search_path())},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        had, since, how = 0, time.monotonic(), "dies"
        while child.poll() is None:
            time.sleep(0.1)
            now = len(read_answers(out))
            if now != had:
                had, since = now, time.monotonic()
            if time.monotonic() - since > SECONDS:
                how = "hangs"
                os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        answers = read_answers(out)
    if len(answers) < len(names):
        answers[names[len(answers)]] = {"error": how}
    return answers


def search_path() -> Iterator[str]:
    yield str(HERE)
    if os.environ.get("PYTHONPATH"):
        yield os.environ["PYTHONPATH"]


def run_family(family: str, mode: str, names: list[str], options: tuple[str, ...] = ()) -> Answers:
    answers: Answers = {}
    while len(answers) < len(names):
        rest = [name for name in names if name not in answers]
        answers |= run_chunk(family, mode, rest[:CHUNK], options)
    return answers


def record(family: str, only: set[str]) -> None:
    names = case_names(family)
    wanted = [name for name in names if not only or name in only]
    thread, process = (run_family(family, mode, wanted) for mode in MODES)
    entries = golden.load(family)
    for name in wanted:
        entries[name] = golden.recorded(thread[name], process[name], entries.get(name, {}))
    golden.save(family, {name: entries[name] for name in names if name in entries})
    differ = sum("pyflink" not in entries[name] for name in wanted)
    print(f"{family}: {len(wanted)} cases, PyFlink's modes differ in {differ}", flush=True)


def choose(because: str, family: str, names: set[str]) -> None:
    entries = golden.load(family)
    chosen = list(names)
    one, two = (run_family(family, mode, chosen, ("--leat",)) for mode in MODES)
    for name in chosen:
        if one[name] != two[name]:
            raise SystemExit(f"{name}: Leat's modes differ:\n  {one[name]}\n  {two[name]}")
        entries[name] |= {"leat": one[name], "because": because}
    golden.save(family, entries)


def side_with(mode: str, because: str, family: str, names: set[str]) -> None:
    entries = golden.load(family)
    for name in names:
        entries[name] |= {"leat": entries[name][mode], "because": because}
    golden.save(family, entries)


def prune() -> None:
    listed = golden.not_yet()
    passed = set()
    for family, names in by_family(list(listed)).items():
        entries = golden.load(family)
        found = [run_family(family, mode, list(names), ("--leat",)) for mode in MODES]
        passed |= {
            f"{family}/{name}"
            for name in names
            if all(golden.agrees(answers[name], entries[name]) for answers in found)
        }
    golden.list_not_yet({case: why for case, why in listed.items() if case not in passed})
    print(f"{len(passed)} cases are answered now, {len(listed) - len(passed)} are not yet")


def by_family(arguments: list[str]) -> dict[str, set[str]]:
    """The cases that were named, by family; none for all of a family."""
    wanted: dict[str, set[str]] = {}
    for argument in arguments:
        family, _, name = argument.partition("/")
        wanted.setdefault(family, set()).update({name} if name else ())
    return wanted


def main(arguments: list[str]) -> None:
    match arguments:
        case ["--leat-answers", because, *cases]:
            for family, names in by_family(cases).items():
                choose(because, family, names)
        case ["--as-thread" | "--as-process" as option, because, *cases]:
            for family, names in by_family(cases).items():
                side_with(option.removeprefix("--as-"), because, family, names)
        case ["--prune"]:
            prune()
        case _:
            for family, only in by_family(arguments or families()).items():
                record(family, only)


if __name__ == "__main__":
    main(sys.argv[1:])
