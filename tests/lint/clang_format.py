"""C is formatted as .clang-format says, by clang-format 14: others break some lines elsewhere."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import tree

VERSION = "14"
PLACE = re.compile(r"^(.+?):(\d+):\d+: error: ", re.MULTILINE)


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
    command = [program(), "--dry-run", "-Werror", "--style=file", *map(str, files)]
    says = subprocess.run(command, capture_output=True, text=True, check=False).stderr
    first = dict(reversed(PLACE.findall(says)))
    for path, line in sorted(first.items()):
        where = tree.name(root, Path(path))
        yield f"{where}:{line}: not formatted; run clang-format -i {where}"
