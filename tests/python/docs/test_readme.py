"""The README's blocks do what it shows, in both modes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
README = (ROOT / "README.md").read_text()
MODES = ("thread", "process")


def block(kind: str, name: str) -> str:
    """The fenced block behind the comment `<!-- kind: name -->`."""
    found = re.search(rf"<!-- {kind}: {re.escape(name)} -->\n```\w+\n(.*?)```", README, re.S)
    assert found, f"README.md has no block {kind}: {name}"
    return found.group(1)


def run(command: list[str], cwd: Path) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def leat_run(script: Path, mode: str, *settings: str) -> str:
    options = [part for s in (f"python.execution-mode={mode}", *settings) for part in ("-D", s)]
    return run([sys.executable, "-m", "leat", "run", *options, str(script)], ROOT)


@pytest.mark.parametrize("mode", MODES)
def test_python_block_prints_what_the_readme_shows(mode: str, tmp_path: Path) -> None:
    script = tmp_path / "words.py"
    script.write_text(block("run", "words.py"))
    assert leat_run(script, mode) == block("output", "words.py")


@pytest.mark.parametrize("mode", MODES)
def test_demo_ends_as_the_readme_shows(mode: str) -> None:
    console = re.search(r"```console\n(.*?)```", README, re.S)
    assert console
    shown = [line for line in console.group(1).splitlines() if line.startswith("(")]
    script = ROOT / "examples" / "python" / "01_word_count.py"
    printed = leat_run(script, mode, "parallelism.default=1").splitlines()
    assert shown and printed[-len(shown) :] == shown


def libraries() -> tuple[list[str], Path]:
    """The compiler's options for the libleat that this interpreter has loaded, and its folder."""
    from leat import _leat  # noqa: F401 - loads the library

    mapped = Path("/proc/self/maps").read_text()
    library = Path(re.search(r"(/\S*libleat\.so\S*)", mapped).group(1))  # type: ignore[union-attr]
    return [f"-I{ROOT / 'include'}", str(library)], library.parent


def test_c_block_prints_what_the_readme_shows(tmp_path: Path) -> None:
    options, folder = libraries()
    (tmp_path / "squares.c").write_text(block("run", "squares.c"))
    compiler = os.environ.get("CC", "cc")
    command = [compiler, "-std=c17", "squares.c", *options, f"-Wl,-rpath,{folder}", "-o", "squares"]
    run(command, tmp_path)
    assert run([str(tmp_path / "squares")], tmp_path) == block("output", "squares.c")
