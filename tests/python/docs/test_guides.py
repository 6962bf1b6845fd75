"""Every script in docs/*.md prints what the guide shows, in both modes; so do examples."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
MODES = ("thread", "process")

# Examples and what they print, in any order.
EXAMPLES = {
    "02_timers_and_side_outputs.py": [
        "a is silent since 1900",
        "b is silent since 100",
        "b is silent since 2500",
        "late: a 500",
    ],
    "03_sliding_windows.py": [
        "mill, seconds -20 to 40: 5 jobs",
        "mill, seconds -40 to 20: 2 jobs",
        "mill, seconds 0 to 60: 6 jobs",
        "mill, seconds 20 to 80: 4 jobs",
        "mill, seconds 40 to 100: 7 jobs",
        "mill, seconds 60 to 120: 6 jobs",
        "mill, seconds 80 to 140: 6 jobs",
        "press, seconds 0 to 60: 4 jobs",
        "press, seconds 20 to 80: 4 jobs",
        "press, seconds 40 to 100: 4 jobs",
    ],
    "04_sessions.py": [
        "ann came at minute 0 for 80 minutes: /start, /salt, /pay",
        "bob came at minute 2 for 18 minutes: /start, /tea",
        "bob came at minute 70 for 0 minutes: /pay",
    ],
    "05_late_records.py": [
        "Hexworthy, minutes 0 to 10: 10.0 degrees",
        "Hexworthy, minutes 0 to 10: 11.0 degrees",
        "Hexworthy, minutes 10 to 20: 15.0 degrees",
        "too late: 99.0 degrees of minute 3",
    ],
    "06_custom_trigger.py": [
        "chair: 5 pounds after 1 bids",
        "chair: 7 pounds after 2 bids",
        "clock: 10 pounds after 1 bids",
        "clock: 25 pounds after 3 bids",
        "clock: 26 pounds after 4 bids",
    ],
    "07_window_join.py": [
        "ann saw hats and bought a hat",
        "ann: 1 seen, 0 bought",
        "ann: 1 seen, 1 bought",
        "bob: 1 seen, 0 bought",
        "cid: 0 seen, 1 bought",
    ],
    "08_interval_join.py": [
        "salt was paid by card after 2 minutes",
        "tea was paid by cash after 9 minutes",
    ],
    "09_broadcast_state.py": [
        "ann pays 5 for tea",
        "bob pays 2 for salt",
        "bob pays 6 for tea",
        "cid pays 4 for tea",
    ],
    "10_async_calls.py": [
        "bread costs 2",
        "nobody knows what moonlight costs",
        "salt costs 1",
        "tea costs 4",
    ],
    "11_shortest_paths.py": [
        "Ashburton: 26 miles",
        "Ashburton: 40 miles",
        "Exeter: 39 miles",
        "Okehampton: 16 miles",
        "Plymouth: 15 miles",
        "Princetown: 12 miles",
        "Tavistock: 0 miles",
        "Yelverton: 6 miles",
    ],
    "12_batch.py": [
        "Ada was away for 60 minutes at most",
        "Bob was away for 20 minutes at most",
    ],
}


def blocks(text: str, kind: str) -> dict[str, str]:
    """The fenced blocks behind comments `<!-- kind: name -->`, by name."""
    return dict(re.findall(rf"<!-- {kind}: (\S+) -->\n```\w+\n(.*?)```", text, re.S))


GUIDES = [
    (guide.name, name)
    for guide in sorted((ROOT / "docs").glob("*.md"))
    for name in blocks(guide.read_text(), "run")
]


def leat_run(script: Path, mode: str) -> str:
    command = [sys.executable, "-m", "leat", "run", "-D", f"python.execution-mode={mode}"]
    done = subprocess.run(
        [*command, str(script)], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("guide", "name"), GUIDES)
def test_script_prints_what_the_guide_shows(
    guide: str, name: str, mode: str, tmp_path: Path
) -> None:
    text = (ROOT / "docs" / guide).read_text()
    script = tmp_path / name
    script.write_text(blocks(text, "run")[name])
    assert leat_run(script, mode) == blocks(text, "output")[name]


@pytest.mark.parametrize("guide", sorted({guide for guide, _ in GUIDES}))
def test_every_python_block_of_a_guide_is_run(guide: str) -> None:
    text = (ROOT / "docs" / guide).read_text()
    assert text.count("```python\n") == len(blocks(text, "run"))
    assert blocks(text, "run").keys() == blocks(text, "output").keys()


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", EXAMPLES)
def test_example_prints(name: str, mode: str) -> None:
    printed = leat_run(ROOT / "examples" / "python" / name, mode).splitlines()
    assert sorted(printed) == EXAMPLES[name]
