"""A file's name is its address: unique below src/. Each begins by saying what it is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import tree


def check(root: Path) -> Iterator[str]:
    seen: dict[str, Path] = {}
    for path in tree.files(root, "src", suffixes=tree.C_SUFFIXES):
        if path.name in seen:
            yield f"{tree.name(root, path)}: there is {tree.name(root, seen[path.name])} already"
        seen.setdefault(path.name, path)
    for path in tree.files(root, "src", "include", suffixes=tree.C_SUFFIXES):
        if not path.read_text().lstrip().startswith("/*"):
            yield f"{tree.name(root, path)}:1: no head comment that says what the file is"
