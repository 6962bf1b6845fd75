"""The files of the project, as the lints see them: what is ours, in a stable order."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

FOLDERS = ("include", "src", "python", "tests", "examples", "scripts", "cmake", "docs", ".ci")
NOT_OURS = {"__pycache__", "third_party", "corpus", "snapshots"}
C_SUFFIXES = {".c", ".h"}


class NotRun(Exception):
    """A lint that can't do its work here; its text says what is missing."""


def files(root: Path, *folders: str, suffixes: set[str] | None = None) -> Iterator[Path]:
    """Every file of ours below `folders` (default: all of them), sorted by name."""
    for folder in folders or FOLDERS:
        for path in sorted((root / folder).rglob("*")):
            inside = path.relative_to(root).parts
            ours = path.is_file() and not NOT_OURS.intersection(inside)
            if ours and (suffixes is None or path.suffix in suffixes):
                yield path


def root_files(root: Path) -> Iterator[Path]:
    """The files that lie in the root itself."""
    yield from (path for path in sorted(root.iterdir()) if path.is_file())


def name(root: Path, path: Path) -> str:
    return path.relative_to(root).as_posix()
