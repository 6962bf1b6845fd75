"""What docs/compatibility.md lists as absent is absent; every other name of PyFlink's is there."""

from __future__ import annotations

import importlib
import importlib.util
import re
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
GUIDE = HERE.parents[2] / "docs" / "compatibility.md"
# `module: name name ...`, the public names of PyFlink 2.3.0 and 1.20.5.
NAMES = dict(line.split(": ") for line in (HERE / "pyflink_names.txt").read_text().splitlines())
ABSENT = re.findall(r"^\| `([\w.]+)` \|", GUIDE.read_text(), re.MULTILINE)


def is_there(dotted: str) -> bool:
    """Whether leat has a module or a module's name of this kind."""
    module, _, name = f"leat.{dotted}".rpartition(".")
    if importlib.util.find_spec(f"leat.{dotted}" if name.islower() else module) is None:
        return False
    return name.islower() or hasattr(importlib.import_module(module), name)


def test_the_guide_lists_what_is_absent() -> None:
    assert len(ABSENT) >= 1
    assert len(set(ABSENT)) == len(ABSENT)


@pytest.mark.parametrize("dotted", ABSENT)
def test_what_is_listed_as_absent_is_absent(dotted: str) -> None:
    assert not is_there(dotted), "it is there now: take it out of docs/compatibility.md"


@pytest.mark.parametrize("module", [m for m in NAMES if m not in ABSENT])
def test_all_other_names_are_there(module: str) -> None:
    found = importlib.import_module(f"leat.{module}")
    absent = [name for name in NAMES[module].split() if not hasattr(found, name)]
    assert [name for name in absent if f"{module}.{name}" not in ABSENT] == []
