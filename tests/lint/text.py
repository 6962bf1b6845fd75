"""No marks of unfinished work, no white space at the end of lines, no tabs in code, and lines of C
of at most 100 columns, but for string literals (clang-format leaves comments alone)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import tree

# Written in halves, so that this file does not contain them.
MARKS = re.compile(r"\b(" + "TO" + "DO|" + "FIX" + "ME|X" + r"XX)\b")
NO_TABS = {".c", ".h", ".py", ".cmake", ".sh", ".json", ".toml"}
WIDTH = 100
NOT_TEXT = {".gz", ".bin", ".png", ".whl"}


def check(root: Path) -> Iterator[str]:
    for path in [*tree.root_files(root), *tree.files(root)]:
        if path.suffix in NOT_TEXT or path.name == "LICENSE":
            continue
        where = tree.name(root, path)
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            yield f"{where}: is not UTF-8"
            continue
        for number, line in enumerate(text.splitlines(), 1):
            if MARKS.search(line):
                yield f"{where}:{number}: marks unfinished work; finish it or open an issue"
            if line != line.rstrip():
                yield f"{where}:{number}: white space at the end"
            if "\t" in line and path.suffix in NO_TABS:
                yield f"{where}:{number}: a tab"
            if path.suffix in {".c", ".h"} and len(line) > WIDTH and '"' not in line:
                yield f"{where}:{number}: {len(line)} columns; {WIDTH} are allowed"
        if text and not text.endswith("\n"):
            yield f"{where}: no newline at the end"
