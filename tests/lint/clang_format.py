"""C is formatted as .clang-format says, by clang-format 14: others break some lines elsewhere."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import tree

VERSION = "14"


def program() -> str:
    for candidate in (f"clang-format-{VERSION}", "clang-format"):
        if found := shutil.which(candidate):
            says = subprocess.run(
                [found, "--version"], capture_output=True, text=True, check=True
            ).stdout
            if re.search(rf"version {VERSION}\.", says):
                return found
    raise tree.NotRun(f"clang-format {VERSION} is not installed")


def check(root: Path) -> Iterator[str]:
    files = list(tree.files(root, "include", "src", "tests", "examples", suffixes=tree.C_SUFFIXES))
    if not files:
        return
    command = [program(), "--dry-run", "-Werror", "--ferror-limit=1", "--style=file"]
    for path in files:
        done = subprocess.run([*command, path], capture_output=True, text=True, check=False)
        if done.returncode:
            place = re.search(r":(\d+):\d+: error", done.stderr)
            where = tree.name(root, path)
            yield f"{where}:{place[1] if place else 1}: not formatted; run clang-format -i {where}"
