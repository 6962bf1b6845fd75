"""Standard streams under the launcher.

Where they are the terminal that the status line is drawn on, it is taken away before something else
is written.
"""

from __future__ import annotations

import io
import sys
from typing import Any


class _Terminal(io.FileIO):
    """A terminal that others write to, too."""

    def write(self, data: Any) -> int | None:  # type: ignore[override]
        from leat import _leat

        _leat.clear_status_line(self.fileno())
        return super().write(data)


def share() -> None:
    """Let `sys.stdout` and `sys.stderr` share their terminal with the status line."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if not isinstance(stream, io.TextIOWrapper) or not stream.isatty():
            continue
        stream.flush()
        raw = _Terminal(stream.fileno(), "w", closefd=False)
        shared = io.TextIOWrapper(
            io.BufferedWriter(raw),
            encoding=stream.encoding,
            errors=stream.errors,
            line_buffering=True,
            write_through=name == "stderr",
        )
        shared.mode = "w"  # type: ignore[misc]
        setattr(sys, name, shared)
        setattr(sys, f"__{name}__", shared)
