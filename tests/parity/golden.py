"""The record: what real PyFlink answers, one JSON file per family under `golden/`.

A case's entry holds PyFlink's answer, as "pyflink" where its two modes agree, else as "thread" and
"process". Where Leat's answer is another one, "leat" holds it and "because" says why. What is
recorded anew keeps these two.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
FOLDER = HERE / "golden"
NOT_YET = HERE / "not_yet.txt"

Entry = dict[str, Any]


def load(family: str) -> dict[str, Entry]:
    path = FOLDER / f"{family}.json"
    return json.loads(path.read_text()) if path.exists() else {}


def save(family: str, entries: dict[str, Entry]) -> None:
    """Writes the record, its cases in the order in which the family has them."""
    text = json.dumps(entries, indent=1, ensure_ascii=False)
    (FOLDER / f"{family}.json").write_text(text + "\n")


def recorded(thread: Any, process: Any, before: Entry) -> Entry:
    """The entry of a case from PyFlink's two answers and the entry that was there."""
    entry = {"pyflink": thread} if thread == process else {"thread": thread, "process": process}
    return entry | {k: before[k] for k in ("leat", "because") if k in before}


def expected(entry: Entry) -> Any:
    """What Leat has to answer; None if PyFlink's modes differ and no choice was made."""
    return entry.get("leat", entry.get("pyflink"))


def agrees(found: Any, entry: Entry) -> bool:
    """Whether Leat's answer is the expected one. Java's exceptions have no counterpart, so that of
    them only when they came and what they say counts.
    """
    wanted = expected(entry)
    if wanted is None or found is None:
        return False
    if str(wanted.get("type", "")).startswith("java:"):
        wanted, found = ({k: a.get(k) for k in ("error", "text")} for a in (wanted, found))
    return bool(found == wanted)


def not_yet() -> dict[str, str]:
    """The cases, as `family/case`, that Leat does not answer yet, and why."""
    found = {}
    for line in NOT_YET.read_text().splitlines():
        case, _, reason = line.partition("#")
        if case.strip():
            found[case.strip()] = reason.strip()
    return found


def list_not_yet(cases: dict[str, str]) -> None:
    """Writes the list anew."""
    NOT_YET.write_text("".join(f"{case}  # {why}\n" for case, why in sorted(cases.items())))
