"""Leat's answers to the cases under `tests/parity`, in both modes, against the record of real
PyFlink's. A case of `tests/parity/not_yet.txt` must fail, so that the list only shrinks.
"""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

PARITY = Path(__file__).resolve().parents[2] / "parity"
SECONDS = 120  # for a family
sys.path.insert(0, str(PARITY))

import golden  # noqa: E402

FAMILIES = sorted(p.stem for p in (PARITY / "cases").glob("[a-z]*.py"))
RECORD = {family: golden.load(family) for family in FAMILIES}
CASES = [(family, name) for family in FAMILIES for name in RECORD[family]]
NOT_YET = golden.not_yet()


@functools.cache
def answers(family: str, mode: str) -> dict[str, Any]:
    """What Leat answers to a family's cases: a process runs them, and the rest if it dies."""
    found: dict[str, Any] = {}
    names = list(RECORD[family])
    while len(found) < len(names):
        rest = [name for name in names if name not in found]
        given, error = run(family, mode, rest)
        found |= given
        if len(given) < len(rest):
            found[rest[len(given)]] = {"error": error}
    return found


def run(family: str, mode: str, names: list[str]) -> tuple[dict[str, Any], str]:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "answers"
        out.touch()
        command = [sys.executable, str(PARITY / "run_cases.py"), "--leat", mode, str(out), family]
        try:
            done = subprocess.run(
                [*command, *names],
                env=environment(),
                capture_output=True,
                text=True,
                timeout=SECONDS,
                check=False,
            )
            error = f"the process ended with {done.returncode}: {done.stderr[-2000:]}"
        except subprocess.TimeoutExpired:
            error = f"no answer for {SECONDS} s"
        lines = [line.partition("\t") for line in out.read_text().splitlines()]
    return {name: json.loads(text) for name, _, text in lines}, error


def environment() -> dict[str, str]:
    """The variables of a child that finds the same package, and the cases in its workers."""
    import leat

    kept = {k: v for k, v in os.environ.items() if k != "LEAT_CONF"}
    home = Path(leat.__file__).parents[1]
    return {**kept, "PYTHONPATH": os.pathsep.join([str(home), str(PARITY)])}


@pytest.mark.parametrize("mode", ["thread", "process"])
@pytest.mark.parametrize(("family", "name"), CASES, ids=["/".join(case) for case in CASES])
def test_case(family: str, name: str, mode: str) -> None:
    entry = RECORD[family][name]
    found = answers(family, mode)[name]
    if f"{family}/{name}" in NOT_YET:
        assert not golden.agrees(found, entry), "it is answered now: scripts/parity --prune"
        return
    wanted = golden.expected(entry)
    assert wanted is not None, f"PyFlink's modes differ, and no choice is recorded: {entry}"
    assert golden.agrees(found, entry), f"expected {wanted}\nbut got {found}"


@pytest.mark.parametrize("family", FAMILIES)
def test_the_record_is_whole(family: str) -> None:
    """Each case has been recorded, and each choice has its reason."""
    listed = run_names(family)
    assert listed == list(RECORD[family]), "run scripts/parity for this family"
    for name, entry in RECORD[family].items():
        assert ("leat" in entry) == ("because" in entry), name
        assert entry.get("because", "x").strip(), name


def run_names(family: str) -> list[str]:
    """The family's cases, if Leat can import it; else what is recorded."""
    code = f"import leat.as_pyflink; from cases.{family} import family; print(*family.cases)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    if "ImportError" in done.stderr or "ModuleNotFoundError" in done.stderr:
        return list(RECORD[family])  # its cases stand in not_yet.txt
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_what_is_not_yet_there_is_known() -> None:
    assert NOT_YET.keys() <= {"/".join(case) for case in CASES}
    assert all(NOT_YET.values()), "a line is `family/case  # reason`"
