"""The crash harness itself: it notices what it is there to notice."""

from __future__ import annotations

import re
import sys
from collections import Counter
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE))

from seeds import DAMAGES, STEPS, Point, Run, Settings, WrongError, actions_of  # noqa: E402


@pytest.fixture
def run(tmp_path):
    settings = Settings(tmp_path, tmp_path, job="words", expected={"words": Counter("aab")})
    run = Run(settings, 1)
    (run.root / "out").mkdir(parents=True)
    return run


@pytest.mark.parametrize(
    ("text", "finished", "wrong"),
    [
        ("a\nb\na\n", True, None),
        ("a\nb\n", False, None),
        ("a\nb\n", True, "missing: 1 lines such as \\['a'\\]"),
        ("a\nb\na\na\n", False, "too often: 1 lines such as \\['a'\\]"),
        ("a\nb\nc\n", False, "too often: 1 lines such as \\['c'\\]"),
        ("a\nb\na", False, "in the middle of a line: 'a.*a'"),
    ],
)
def test_lines_are_compared(run, text, finished, wrong):
    (run.root / "out" / "part-1").write_text(text)
    (run.root / "out" / ".part-2").write_text("hidden")
    if wrong is None:
        run.check(finished)
    else:
        with pytest.raises(WrongError, match=wrong):
            run.check(finished)


@pytest.mark.parametrize("seed", range(20))
def test_damage_changes_the_file(tmp_path, seed):
    file, other = tmp_path / "task-0", tmp_path / "other"
    file.write_bytes(b"state")
    other.write_bytes(b"older")
    kind = Run(Settings(tmp_path, tmp_path), seed).damage(file, [other])
    assert kind in DAMAGES
    assert not file.exists() or file.read_bytes() != b"state"


def test_a_seed_means_the_same_each_time(tmp_path):
    def plan(seed):
        run = Run(Settings(tmp_path, tmp_path), seed)
        run.starts = 1
        return run.job, run.mode, run.parallelism, [str(run.choose()) for _ in range(9)]

    assert plan(7) == plan(7)
    assert len({str(plan(seed)) for seed in range(50)}) == 50


def test_steps_and_actions_are_those_of_the_shim():
    text = (HERE / "shim.c").read_text()
    assert re.findall(r'X\([A-Z_]+, *"(.+?)"\)', text) == list(STEPS)
    actions = re.search(r"actions\[\] = \{(.+?)\}", text, re.DOTALL).group(1)
    known = set(re.findall(r'"([a-z-]+)"', actions))
    assert {action for step in STEPS for action in actions_of(step)} == known
    assert str(Point("task-sync", 3, "eio")) == "eio at task-sync 3"
